"""A member of an agreement lies in what it hands over (threat rows 1, 2, 3, 15)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from attack.liars import (
    STATED,
    carrying,
    control,
    evidence,
    from_others,
    held,
    page_of,
    place_of,
    refusals,
    sealed_by,
    signed_again,
    teams,
    told,
)
from comity.kernel.errors import ComityError, LogFault, SealBroken
from comity.kernel.exchange.messages import ObjectItem, Page
from comity.kernel.release.handling import Handling
from comity.kernel.seal.canonical import canonical
from comity.kernel.store.rows import AgreementRow, Holding
from comity.kernel.tlog.acts import act_digest
from comity.kernel.tlog.promises import make_promise, verify_two_promises
from comity.node.cards import add_card
from comity.node.deeds import deed
from comity.node.doctor import examine
from comity.node.exchange import NodeSide
from comity.node.handling import set_handling
from comity.node.objects import class_facets
from comity.node.parties import card_file, need_card, next_card
from simulators.world import HOUR, World, indicator, malware

LIAR, VICTIM, THIRD = "Team A", "Team B", "Team C"


@pytest.fixture
def world() -> World:
    made = teams(LIAR, VICTIM, THIRD)
    made.bilateral(LIAR, VICTIM)
    made.take(LIAR, indicator(1), indicator(2), **STATED)
    return made


def take(world: World, page: Page) -> dict[int, str]:
    """Hand a page to the victim; the codes of refused rows."""
    receipt = NodeSide(world.nodes[VICTIM]).take_page(world.nodes[LIAR].party, page)
    return {one.n: one.code for one in receipt.refused}


def other_bytes(item: ObjectItem) -> ObjectItem:
    assert item.raw is not None
    return replace(item, raw=item.raw.replace(b"Web shell", b"Web shelf"))


CHANGES = {
    "object": other_bytes,
    "terms": lambda item: replace(item, terms={**item.terms, "tlp": "clear"}),
    "view": lambda item: replace(item, view="indicator"),
    "title": lambda item: replace(item, title=item.title.partition("#")[0] + "#2"),
    "id": lambda item: replace(item, object=indicator(9)["id"]),
    "digest": lambda item: replace(item, digest="0" * 64),
    "number": lambda item: item,
}


@pytest.mark.parametrize("what", [name for name in CHANGES if name not in ("number", "object", "id")])
def test_a_page_changed_on_the_way_is_not_believed(world: World, what: str) -> None:
    page = page_of(world, LIAR, VICTIM)
    changed = replace(page, items=(CHANGES[what](page.items[0]), *page.items[1:]))
    with pytest.raises(SealBroken):
        take(world, changed)
    assert held(world, VICTIM) == set()


@pytest.mark.parametrize(
    ("what", "code"), [("object", "commitment-broken"), ("id", "row-other-object"), ("digest", "commitment-broken")]
)
def test_a_row_whose_object_its_seal_does_not_cover_is_refused_alone(world: World, what: str, code: str) -> None:
    page = page_of(world, LIAR, VICTIM)
    lie = signed_again(world.nodes[LIAR], page, (CHANGES[what](page.items[0]), *page.items[1:]))
    assert take(world, lie) == {1: code}
    assert held(world, VICTIM) == {indicator(2)["id"]}


def test_a_row_under_a_clause_that_does_not_give_to_us_is_refused(world: World) -> None:
    world.bilateral(LIAR, THIRD)
    page = page_of(world, LIAR, VICTIM)
    with world.nodes[LIAR].store.read() as tx:
        other = next(row.digest for row in tx.find(AgreementRow) if row.digest not in page.items[0].title)
    world.sync(LIAR, THIRD)
    lie = signed_again(world.nodes[LIAR], page, (replace(page.items[0], title=f"{other}#1"), page.items[1]))
    with pytest.raises(ComityError) as refused:
        take(world, lie)
    assert refused.value.code == "title-not-yet", (
        "an agreement of others is none that we wait for, or one that is refused"
    )
    assert held(world, VICTIM) == set()


def test_looser_terms_that_the_giver_signs_do_not_loosen_what_the_object_itself_says(world: World) -> None:
    marked = indicator(3, object_marking_refs=["marking-definition--55d920b0-5e8b-4f79-9ee9-91f868d9b421"])  # amber
    world.take(LIAR, marked, tlp="amber", basis=["agreement"], purpose=["protect-networks"], caveats=[])
    page = page_of(world, LIAR, VICTIM)
    lie = signed_again(
        world.nodes[LIAR], page, tuple(replace(item, terms={**item.terms, "tlp": "clear"}) for item in page.items)
    )
    assert take(world, lie) == {}
    with world.nodes[VICTIM].store.read() as tx:
        row = next(row for row in tx.find(Holding) if row.object == marked["id"])
        assert class_facets(tx, row.cls).tlp == "amber"


@pytest.mark.parametrize(
    "terms",
    [{"tlp": "purple"}, {"tlp": ["green"]}, {"retention": -(10**30)}, {"retention": "soon"}, {"more": 1}, {}],
)
def test_strange_terms_refuse_their_row_and_no_other(world: World, terms: dict[str, object]) -> None:
    page = page_of(world, LIAR, VICTIM)
    first = replace(page.items[0], terms=terms if not terms else {**page.items[0].terms, **terms})
    try:
        lie = signed_again(world.nodes[LIAR], page, (first, *page.items[1:]))
    except ComityError:
        return  # not even the liar can sign that
    assert set(take(world, lie)) <= {1}
    assert indicator(2)["id"] in held(world, VICTIM)


def test_a_forged_origin_attributes_nothing_to_the_party_it_names(world: World) -> None:
    victim = world.nodes[VICTIM].party
    forged = indicator(7, created_by_ref=victim)
    page = page_of(world, LIAR, VICTIM)
    lie = carrying(page.items[0], forged, sealed_by(world.nodes[LIAR], forged))
    assert take(world, signed_again(world.nodes[LIAR], page, (lie, page.items[1]))) == {}
    with world.nodes[VICTIM].store.read() as tx:
        row = next(row for row in tx.find(Holding) if row.object == forged["id"])
        assert class_facets(tx, row.cls).originator is None


def test_two_cards_that_claim_one_creator_leave_it_unattributed(world: World) -> None:
    creator = "identity--00000000-0000-4000-8000-00000000c0de"
    made = indicator(8, created_by_ref=creator)
    for name in (LIAR, THIRD):
        with deed(world.nodes[name]) as work:
            card = need_card(work.tx, work.node.party)
            next_card(work, identities=(*card.identities, creator))
        with world.nodes[name].store.read() as tx:
            data = card_file(tx, world.nodes[name].party)
        if name == LIAR:
            add_card(world.nodes[VICTIM], data)
    page = page_of(world, LIAR, VICTIM)
    lie = carrying(page.items[0], made, sealed_by(world.nodes[LIAR], made))
    assert take(world, signed_again(world.nodes[LIAR], page, (lie, page.items[1]))) == {}
    with world.nodes[VICTIM].store.read() as tx:
        row = next(row for row in tx.find(Holding) if row.object == made["id"])
        assert class_facets(tx, row.cls).originator == world.nodes[LIAR].party, "uncontested, it counts"
    add_card(world.nodes[VICTIM], data)  # the third party claims the same creator
    world.take(LIAR, malware(3), **STATED)
    again = indicator(18, created_by_ref=creator)
    second = page_of(world, LIAR, VICTIM, after=2)
    lie = carrying(second.items[0], again, sealed_by(world.nodes[LIAR], again))
    assert take(world, signed_again(world.nodes[LIAR], second, (lie,))) == {}
    with world.nodes[VICTIM].store.read() as tx:
        row = next(row for row in tx.find(Holding) if row.object == again["id"])
        assert class_facets(tx, row.cls).originator is None, "contested, it counts no more"


def test_what_we_made_ourselves_is_not_replaced_by_what_a_peer_calls_its_newer_version(world: World) -> None:
    us = world.nodes[VICTIM].party
    ours = indicator(4, created_by_ref=us)
    world.take(VICTIM, ours, own=True, **STATED)
    newer = {**ours, "modified": "2022-01-01T00:00:00.000Z", "revoked": True}
    page = page_of(world, LIAR, VICTIM)
    lie = carrying(page.items[0], newer, sealed_by(world.nodes[LIAR], newer))
    assert take(world, signed_again(world.nodes[LIAR], page, (lie, page.items[1]))) == {}
    world.sync(LIAR, VICTIM)
    with world.nodes[LIAR].store.read() as tx:  # what we give goes on as it is
        assert any(row.object == ours["id"] for row in tx.find(Holding, custodian=us))


def test_a_looser_definition_of_a_marking_from_a_peer_loosens_nothing_of_ours(world: World) -> None:
    marking = "marking-definition--00000000-0000-4000-8000-0000000000aa"
    definition = {
        "type": "marking-definition",
        "spec_version": "2.1",
        "id": marking,
        "created": "2021-01-01T00:00:00.000Z",
        "definition_type": "statement",
        "definition": {"statement": "TLP:RED"},
    }
    ours = indicator(5, object_marking_refs=[marking])
    world.take(VICTIM, definition, ours, basis=["agreement"], purpose=["protect-networks"], caveats=[])
    loose = {**definition, "created": "2021-01-02T00:00:00.000Z", "definition": {"statement": "TLP:CLEAR"}}
    page = page_of(world, LIAR, VICTIM)
    lie = carrying(page.items[0], loose, sealed_by(world.nodes[LIAR], loose))
    take(world, signed_again(world.nodes[LIAR], page, (lie, page.items[1])))
    set_handling(world.nodes[VICTIM], str(ours["id"]), Handling(sectors=frozenset(["energy"])), officer="officer-1")
    world.sync(LIAR, VICTIM)
    with world.nodes[VICTIM].store.read() as tx:
        row = next(row for row in tx.find(Holding, object=ours["id"], ended=None))
        assert class_facets(tx, row.cls).tlp == "red"
    assert ours["id"] not in held(world, LIAR)


def test_a_tombstone_takes_back_only_what_its_sender_gave(world: World) -> None:
    world.bilateral(VICTIM, THIRD)
    world.take(THIRD, malware(1), **STATED)
    world.sync(LIAR, VICTIM)
    world.sync(VICTIM, THIRD)
    assert malware(1)["id"] in held(world, VICTIM)
    side = NodeSide(world.nodes[VICTIM])
    n = told(world, LIAR, VICTIM)
    side.take_control(
        world.nodes[LIAR].party, control(*[(n + k - 2, "tombstone", canonical({"n": k})) for k in range(3, 9)])
    )
    assert held(world, VICTIM) == {indicator(1)["id"], indicator(2)["id"], malware(1)["id"]}
    world.take(LIAR, indicator(6), **STATED)
    page = page_of(world, LIAR, VICTIM, after=2)
    assert take(world, page) == {3: "taken-back"}, "it took back what it had not sent yet; that is its own affair"


def test_two_promises_for_one_place_convict_and_the_evidence_convinces_others(world: World) -> None:
    page = page_of(world, LIAR, VICTIM)
    take(world, page)
    world.take(LIAR, malware(2), **STATED)
    second = page_of(world, LIAR, VICTIM, after=2)
    lie = signed_again(world.nodes[LIAR], second, second.items, place=place_of(page).place)
    with pytest.raises(LogFault):
        take(world, lie)
    (proof,) = evidence(world, VICTIM)
    assert proof.party == world.nodes[LIAR].party
    verify_two_promises(proof.body, world.nodes[LIAR].keys.log.public)
    assert malware(2)["id"] not in held(world, VICTIM)


def test_a_promise_in_another_partys_log_convicts_nobody(world: World) -> None:
    world.bilateral(VICTIM, THIRD)
    world.take(THIRD, malware(1), **STATED)
    honest = page_of(world, THIRD, VICTIM)
    there = place_of(honest)
    page = page_of(world, LIAR, VICTIM)
    lie = replace(
        page,
        promise=make_promise(replace(there, act=act_digest(page.act)), world.nodes[LIAR].keys.log),
    )
    with pytest.raises(SealBroken):
        take(world, lie)
    NodeSide(world.nodes[VICTIM]).take_page(world.nodes[THIRD].party, honest)
    assert evidence(world, VICTIM) == []
    assert malware(1)["id"] in held(world, VICTIM)


def test_a_page_of_one_peer_is_not_taken_from_another(world: World) -> None:
    page = page_of(world, LIAR, VICTIM)
    with pytest.raises(SealBroken):
        NodeSide(world.nodes[VICTIM]).take_page(world.nodes[THIRD].party, page)
    with pytest.raises(SealBroken):
        NodeSide(world.nodes[THIRD]).take_page(world.nodes[LIAR].party, page)
    assert from_others(world, VICTIM) == from_others(world, THIRD) == []


def test_an_honest_node_stays_whole_under_lies(world: World) -> None:
    page = page_of(world, LIAR, VICTIM)
    for change in CHANGES.values():
        lie = signed_again(world.nodes[LIAR], page, (change(page.items[0]), *page.items[1:]))
        try:
            take(world, lie)
        except ComityError:
            continue
    assert list(examine(world.nodes[VICTIM])) == []
    assert all(code is None or code for code in refusals(world, VICTIM).values())
    world.at += HOUR
    world.contact(VICTIM, THIRD)
