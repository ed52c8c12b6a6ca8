"""Two parties claim one creator: nobody is the originator, and what either forbids is not done."""

from __future__ import annotations

import pytest

from comity.kernel.release.decision import Release, Withhold
from comity.kernel.store.rows import Holding
from comity.node.cardlife import change_card
from comity.node.doctor import examine
from comity.node.objects import class_facets
from comity.node.why import why
from property.histories import NAMES, VENDOR, A, B, C, Clause, D, Pact
from simulators.world import World, indicator

STATED = {"tlp": "green", "basis": ["agreement"], "purpose": ["protect-networks"], "caveats": []}
TYPES, TLP = ("indicator",), ("clear", "green")


def met(*claims: str) -> World:
    """Team C gives to A and B, each of which may pass it on to the other; Team D forbids A to give anything to B.

    Args:
        claims: Who says on its card that it speaks for the vendor.
    """
    world = World()
    for name, country in zip(NAMES, ("XA", "XB", "XC", "XD"), strict=True):
        node = world.node(name, country=country)
        if name in claims:
            change_card(node, {"identities": (node.party, VENDOR)}, officer="officer-1")
    world.introduce(*NAMES)
    for pact in (
        Pact((A, B, C), (Clause("permit", (C,), (A, B), TYPES, TLP, onward="members"),)),
        Pact((A, B, D), (Clause("permit", (A,), (D,), TYPES, TLP), Clause("prohibit", (D,), (B,), TYPES, TLP))),
    ):
        world.agree(pact.text(world, world.at), *pact.members)
    world.take(C, indicator(1, created_by_ref=VENDOR), own=True, **STATED)
    world.contact(C, A)
    return world


def claims_at_a(world: World) -> tuple[str | None, frozenset[str]]:
    with world.nodes[A].store.read() as tx:
        [holding] = tx.find(Holding, object=str(indicator(1)["id"]), ended=None)
        facets = class_facets(tx, holding.cls)
    return facets.originator, facets.claimants


@pytest.mark.parametrize("rival", [False, True], ids=["one claims it", "two claim it"])
def test_what_two_claim_is_passed_on_only_where_neither_forbids_it(rival: bool) -> None:
    world = met(C, *([D] if rival else []))
    party = {name: world.nodes[name].party for name in NAMES}
    assert claims_at_a(world) == ((None, {party[C], party[D]}) if rival else (party[C], frozenset()))
    found = why(world.nodes[A], str(indicator(1)["id"]), B)
    if rival:
        assert isinstance(found.decision, Withhold)
        assert {one.predicate for one in found.decision.failed} == {"not-prohibited"}
    else:  # D has no say in what others originate
        assert isinstance(found.decision, Release)
    world.contact(A, B)
    with world.nodes[B].store.read() as tx:
        assert (tx.count(Holding, custodian=party[A]) == 0) == rival
    for node in world.nodes.values():
        assert list(examine(node)) == []
