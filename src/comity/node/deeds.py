"""How a deed runs: one write transaction, a clock that did not go back, and everything that fell due done before it.

So no deed sees a world in which a due instant has not happened yet, and a crash leaves either all of a deed or nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from comity.kernel.errors import NotAllowed
from comity.kernel.model.instants import SECOND, Instant, format
from comity.kernel.store.ports import Writing
from comity.node.advance import advance
from comity.node.catchup import catch_up
from comity.node.context import Deed, Node, put_setting, read_setting
from comity.node.mandates import covering

CLOCK_SLACK: Final = 2 * SECOND
"""How far a clock may be set back by its own daemon without anybody noticing; deeds then use the last instant."""


@contextmanager
def deed(node: Node, officer: str = "") -> Iterator[Deed]:
    """Run a deed: the write transaction, the checked clock, everything that fell due before it, and what is left to do after it.

    Where an officer is at it, a mandate has to cover it at its instant, if mandates are required.

    Raises:
        NotAllowed: `clock-back` when the clock stands before what this node has already acted on; `mandate-missing`, `mandate-over`.
        Unavailable: `store-busy`.
    """
    with node.store.write() as tx:
        work = Deed(node, tx, _checked(node, tx), officer)
        advance(work)
        work.acting, work.under = node.acting, covering(tx, node.acting, work.at)
        yield work
    catch_up(node)


def _checked(node: Node, tx: Writing) -> Instant:
    now = node.clock()
    last: Instant = read_setting(tx, "clock", 0)
    if now < last - CLOCK_SLACK:
        raise NotAllowed(
            "clock-back",
            f"The clock says {format(now)}, but this node has already acted at {format(last)}; nothing is released until "
            "the clock is right.",
            now=now,
            last=last,
        )
    now = max(now, last)
    put_setting(tx, "clock", now)
    return now
