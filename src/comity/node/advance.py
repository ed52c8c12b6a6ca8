"""Time makes releases too: whatever fell due is applied, in order, before any other deed.

Due instants: entry into force, end, suspension and lease of agreements, windows of clauses, embargo and expiry of holdings, the
end of approvals, the standstill of an import. What was appointed to be published goes out after them, and then the log's ticks are
closed. Each run stores how far it got; a run that is cut off is run again.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Final

from comity.kernel.model.instants import HOUR, Instant
from comity.kernel.store.rows import Approval, Batch, Holding
from comity.node.agreements import next_change, receivers
from comity.node.casework.tending import tend
from comity.node.catchup import finish
from comity.node.context import Deed, put_setting, read_setting
from comity.node.publishing import keep_proofs, publish_due
from comity.node.record import close_ticks
from comity.node.renewals import renew_due
from comity.node.streams import resettle, settle

STEPS_AT_ONCE: Final = 10_000
"""Due instants applied in one deed; more than that wait for the next, in order."""

STANDSTILL: Final = HOUR
"""An import that took nothing in for this long counts as ended: what it brought may go."""


def advance(deed: Deed) -> None:
    """Apply every due instant up to the deed's, in order, then close the ticks that are over."""
    last: Instant = read_setting(deed.tx, "advanced", 0)
    until, steps = deed.at, 0
    if last and last < until:
        for at in _due(deed, last, until):
            deed.at = at
            steps += 1
            resettle(deed, receivers(deed.tx, deed.node.party))
            settle(deed, versions=_passing(deed, last, at))
            for batch in list(_standing_still(deed, last)):
                if batch.touched + STANDSTILL <= at:
                    finish(deed, batch)
            last = at
    deed.at = until
    put_setting(deed.tx, "advanced", last if steps == STEPS_AT_ONCE else until)
    if renew_due(deed):
        resettle(deed, receivers(deed.tx, deed.node.party))
    if read_setting(deed.tx, "log") is not None:
        tend(deed)
        if steps < STEPS_AT_ONCE:
            publish_due(deed)
        close_ticks(deed)
        keep_proofs(deed)


def _due(deed: Deed, last: Instant, until: Instant) -> Iterator[Instant]:
    """The distinct instants in (last, until] at which something changes, in order."""
    for _ in range(STEPS_AT_ONCE):
        found = [at for at in (_next_of_objects(deed, last, until), next_change(deed.tx, last)) if at is not None]
        at = min(found, default=None)
        if at is None or at > until:
            return
        yield at
        last = at


def _next_of_objects(deed: Deed, last: Instant, until: Instant) -> Instant | None:
    found: list[Instant] = [batch.touched + STANDSTILL for batch in islice(_standing_still(deed, last), 1)]
    for column in ("embargo", "expiry"):
        row = next(iter(deed.tx.find(Holding, order=(column,), after=(last,), limit=1)), None)
        if row is not None:
            found.append(getattr(row, column))
    approval = next(iter(deed.tx.find(Approval, order=("until",), after=(last,), limit=1)), None)
    if approval is not None and approval.until is not None:
        found.append(approval.until)
    return min(found, default=None)


def _standing_still(deed: Deed, last: Instant) -> Iterator[Batch]:
    """Imports that are not ended, the one that stood still longest first."""
    return deed.tx.find(Batch, done=0, order=("touched",), after=(last - STANDSTILL,))


def _passing(deed: Deed, last: Instant, at: Instant) -> list[int]:
    """Versions whose own embargo, expiry or approval changes in (last, at]."""
    versions: dict[int, None] = {}
    for column in ("embargo", "expiry"):
        for row in deed.tx.find(Holding, order=(column,), after=(last,)):
            if getattr(row, column) > at:
                break
            versions[row.version] = None
    for approval in deed.tx.find(Approval, order=("until",), after=(last,)):
        if approval.until is None or approval.until > at:
            break
        versions[approval.version] = None
    return list(versions)
