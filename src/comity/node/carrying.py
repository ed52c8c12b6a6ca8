"""Objects meant for named parties: whether they may go there, said before anything is kept, and how far they have come since."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from comity.kernel.errors import NotAllowed
from comity.kernel.model.objects import StixObject
from comity.kernel.release.decision import Refer, Release
from comity.kernel.release.explain import sentence
from comity.kernel.store.ports import Reading
from comity.kernel.store.rows import Holding, StreamRow, Version
from comity.node.agreements import title_sentence
from comity.node.context import Deed
from comity.node.exchange import peer_row
from comity.node.parties import name_of
from comity.node.streams import world_for

DELIVERED: Final = "delivered"
GIVEN: Final = "sent"
NOT_GIVEN: Final = "failed"


def drawn(work: Deed, what: str) -> str:
    """What the random id of a new object is drawn for, another one each time."""
    return f"{what}/{work.tx.last(Version, 'n') or 0}"


def may_go(work: Deed, made: StixObject, parties: Sequence[str], thing: str) -> list[str]:
    """Return what is still in the way of an object just minted: nothing, or that officers have to give their word, a sentence each.

    Raises:
        NotAllowed: `not-carried` where no clause lets it go to one of the parties; nothing of the deed is kept then.
    """
    waits = []
    for party in parties:
        world = world_for(work.tx, work.node.party, party, work.at)
        version = max(work.tx.find(Version, id=made.id), key=lambda row: (row.modified, row.n))
        holding = next(iter(work.tx.find(Holding, version=version.n, custodian=work.node.party, ended=None)))
        decision = world.outcome(holding)
        if isinstance(decision, Release):
            continue
        told = sentence(
            decision,
            thing=thing,
            to=party,
            party=lambda one: name_of(work.tx, one),
            agreement=lambda digest: title_sentence(work.tx, digest),
        )
        if not isinstance(decision, Refer):
            raise NotAllowed("not-carried", f"{told} Nothing was kept.", party=party)
        waits.append(f"{told} It is given with comity release approve {made.id}.")
    return waits


def how_far(tx: Reading, object_id: str, party: str) -> str:
    """How far an object of ours has come to a party: `DELIVERED` by its receipt, `GIVEN` to its stream, or `NOT_GIVEN`."""
    rows = [row for row in tx.find(StreamRow, party=party, object=object_id) if row.kind != "withdrawn"]
    if not rows:
        return NOT_GIVEN
    return DELIVERED if min(row.n for row in rows) <= peer_row(tx, party).receipted else GIVEN
