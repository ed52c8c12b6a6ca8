"""Handling: what an officer states about an object or a batch, kept as a signed statement; the stricter of all counts."""

from __future__ import annotations

from dataclasses import replace

from comity.kernel.errors import NotFound
from comity.kernel.release.handling import Handling
from comity.kernel.seal.dsse import sign
from comity.kernel.store.rows import Batch, HandlingRow, Holding, Version
from comity.node.context import Node
from comity.node.deeds import deed
from comity.node.objects import Classes, reclass_all
from comity.node.record import record
from comity.node.streams import settle


def set_handling(node: Node, target: str, handling: Handling, *, officer: str) -> int:
    """State the handling of an object (its id) or a batch (``batch:7`` or ``7``); gives how many versions moved to another class.

    Nothing is loosened: a TLP that stands is only ever raised. What thereby may no longer go is taken back.

    Raises:
        NotFound: `no-such-object`.
    """
    with deed(node, officer) as work:
        number = target.removeprefix("batch:")
        if number.isascii() and number.isdigit():
            target = f"batch:{number}"
            if work.tx.get(Batch, int(number)) is None:
                raise NotFound("no-such-object", f"There is no batch {number} here; comity account lists the imports.")
            ids = {row.version for row in work.tx.find(Holding, batch=int(number))}
            versions = list(work.tx.find_in(Version, "n", ids))
        else:
            versions = list(work.tx.find(Version, id=target))
            if not versions:
                raise NotFound("no-such-object", f"No object {target} is held here.")
        s = (work.tx.last(HandlingRow, "s") or 0) + 1
        stated = replace(handling, by=officer, at=work.at)
        envelope = sign("handling", {"target": target, "handling": stated.as_json()}, [node.keys.node])
        work.tx.add([HandlingRow(s, target, envelope, work.at)])
        classes = Classes(work)
        moved = reclass_all(work, versions, classes)
        settle(work, versions=moved)
        record(
            work, "handle", "", {"target": target, "handling": stated.as_json()}, officers=[officer] if officer else ()
        )
        work.audit("handling-set", {"target": target, "moved": len(moved)})
    return len(moved)
