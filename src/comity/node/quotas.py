"""Quotas: how much each party may make this node keep and do in a day of UTC; what goes beyond waits for the next one.

Counts stand in the store, so a restart gives nobody a second day. A count is looked at before the work is done, and what brings it
over its limit is still taken, so a page larger than a quota passes and every day gets some way. Beyond it the party is told so,
nothing is taken and nothing is acknowledged: it sends the same again later. What others send is counted by itself.

Only what a party has verifiably sent counts against it: a request whose signature or freshness fails may be somebody else's, who
would otherwise use up its day. Source: docs/threat-model.md, row 24.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from comity.kernel.errors import NotAllowed, Unavailable, Usage
from comity.kernel.model.instants import DAY, Instant, format
from comity.kernel.store.ports import Reading
from comity.node.context import Deed, Node, put_setting, read_setting
from comity.node.deeds import deed
from comity.node.parties import resolve_party


@dataclass(frozen=True, slots=True)
class Quota:
    """What is counted, and how much of it a party has in a day where no officer set another limit."""

    what: str
    most: int
    verb: str = "send"
    """What it does with them: what it sends is taken later, what it asks for is given later."""


QUOTAS: Final[Mapping[str, Quota]] = {
    "rows": Quota("rows of deliveries", 5_000_000),
    "bytes": Quota("bytes of objects", 32 << 30),
    "refused": Quota("rows that are refused", 1_000_000),
    "control": Quota("control items", 5_000_000),
    "submissions": Quota("objects handed in over TAXII", 1_000_000),
    "packs": Quota("packs", 1_000),
    "failed": Quota("requests that fail", 10_000),
    "given": Quota("bytes of files", 256 << 30, "ask for"),
}
"""A first sync of 10^6 objects stays well below each; a flood that does not is some gigabytes a day at most."""


def limits(tx: Reading, party: str) -> dict[str, int]:
    """How much of each a party has in a day."""
    own: dict[str, int] = read_setting(tx, f"quota/{party}", {})
    return {name: own.get(name, quota.most) for name, quota in QUOTAS.items()}


def used(tx: Reading, party: str, at: Instant) -> dict[str, int]:
    """How much of each a party has used of the day in which an instant lies."""
    kept = read_setting(tx, f"used/{party}", {"day": -1})
    today = kept if kept["day"] == at // DAY else {}
    return {name: today.get(name, 0) for name in QUOTAS}


def spend(work: Deed, party: str, **amounts: int) -> None:
    """Count what a party sent; it stands with the transaction in which it is taken.

    Raises:
        Unavailable: `peer-quota` where the day's quota of one of these is used up; nothing is counted.
    """
    over = exhausted(work.tx, party, work.at, *amounts)
    if over is not None:
        raise over
    _count(work, party, amounts)


def exhausted(tx: Reading, party: str, at: Instant, *names: str) -> Unavailable | None:
    """What a party is told where its day's quota of one of these (none named: of any) is used up; None where it is not."""
    done, most = used(tx, party, at), limits(tx, party)
    for name in names or QUOTAS:
        if done[name] >= most[name]:
            until = format((at // DAY + 1) * DAY)
            quota = QUOTAS[name]
            dealt = "taken" if quota.verb == "send" else "given"
            return Unavailable(
                "peer-quota",
                f"This party may {quota.verb} {most[name]:,} {quota.what} a day here; what goes beyond is {dealt} from {until} on.",
                quota=name,
                until=until,
            )
    return None


def count_refused(work: Deed, party: str, rows: int) -> None:
    """Count rows of a page that were refused, and are kept as refused; they count once the page was looked at."""
    if rows:
        _count(work, party, {"refused": rows})


def count_failed(node: Node, party: str) -> None:
    """Count a request of a party that failed by its own fault; its transaction was undone, so this is one of its own."""
    with deed(node) as work:
        _count(work, party, {"failed": 1})


def check_failures(node: Node, party: str) -> None:
    """Return if a party may still ask for something today.

    Raises:
        Unavailable: `peer-quota`.
    """
    with node.store.read() as tx:
        over = exhausted(tx, party, node.clock(), "failed")
    if over is not None:
        raise over


def _count(work: Deed, party: str, amounts: Mapping[str, int]) -> None:
    done = used(work.tx, party, work.at)
    for name, amount in amounts.items():
        done[name] += amount
    put_setting(work.tx, f"used/{party}", {"day": work.at // DAY, **{name: n for name, n in done.items() if n}})


def held_up(tx: Reading, party: str) -> str | None:
    """The sentence a party is told where one of its quotas is used up, as of the node's last deed; None where none is."""
    over = exhausted(tx, party, read_setting(tx, "clock", 0))
    return None if over is None else over.sentence


def set_limits(node: Node, party: str, most: Mapping[str, int], *, officer: str) -> dict[str, Any]:
    """Set how much a party may send in a day.

    Args:
        party: Name or id.
        most: Limits by the name of their quota; 0 goes back to what is usual.

    Returns:
        {party, name, limits, today}: how much of each it may send in a day, and has sent today.

    Raises:
        NotFound: `no-such-party`. Usage, NotAllowed: `quota`.
    """
    for name, value in most.items():
        if name not in QUOTAS or not 0 <= value < 1 << 53:
            raise Usage("quota", f"{name} = {value} is no limit; say one of {', '.join(QUOTAS)}, from 1 on.")
    with deed(node, officer) as work:
        row = resolve_party(work.tx, party)
        if row.id == node.party:
            raise NotAllowed("quota", "What this node does for its own party is not limited; name another one.")
        own: dict[str, int] = {**read_setting(work.tx, f"quota/{row.id}", {})}
        for name, value in most.items():
            own.pop(name, None)
            if value:
                own[name] = value
        put_setting(work.tx, f"quota/{row.id}", own)
        if most:
            work.audit("peer-limit", {"party": row.id, "limits": own})
        return {
            "party": row.id,
            "name": row.name,
            "limits": limits(work.tx, row.id),
            "today": used(work.tx, row.id, work.at),
        }
