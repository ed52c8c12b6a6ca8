"""Two response teams agree, exchange, and each can say why."""

from __future__ import annotations

from dataclasses import replace

import pytest

from comity.kernel.errors import LogFault
from comity.kernel.model.objects import from_data
from comity.kernel.release.decision import Release, Withhold
from comity.kernel.release.handling import Handling
from comity.kernel.release.templates import bilateral
from comity.kernel.seal.cards import make_card
from comity.kernel.store.rows import AgreementRow, Holding, StreamRow, Version
from comity.node.cardlife import change_card
from comity.node.cards import add_card
from comity.node.doctor import examine
from comity.node.exchange import NodeSide
from comity.node.handling import set_handling
from comity.node.instruments import accede, admit, receive, suspend
from comity.node.intake import take_in
from comity.node.objects import class_facets
from comity.node.parties import need_card
from comity.node.release import approve, requests
from comity.node.why import why
from simulators.world import HOUR, SECOND, Raw, World, indicator, malware, relationship

STATED = {"tlp": "green", "basis": ["agreement"], "purpose": ["protect-networks"], "caveats": []}


def two() -> World:
    world = World()
    world.node("Team A", country="XA")
    world.node("Team B", country="XB")
    world.introduce("Team A", "Team B")
    return world


def held(world: World, name: str) -> set[str]:
    with world.nodes[name].store.read() as tx:
        return {row.object for row in tx.find(Holding) if row.ended is None}


def test_what_was_agreed_arrives_with_its_bytes_and_a_receipt() -> None:
    world = two()
    world.bilateral("Team A", "Team B")
    world.take("Team A", indicator(1), indicator(2), **STATED)
    world.sync("Team A", "Team B")
    assert held(world, "Team B") == {indicator(1)["id"], indicator(2)["id"]}
    with world.nodes["Team A"].store.read() as a, world.nodes["Team B"].store.read() as b:
        sent = {row.id: row.raw for row in a.find(Version)}
        came = {row.id: row.raw for row in b.find(Version)}
        assert sent == came
    found = why(world.nodes["Team A"], str(indicator(1)["id"]), "Team B")
    assert isinstance(found.decision, Release)
    assert "Team B" in found.sentence
    for node in world.nodes.values():
        assert list(examine(node)) == []


def test_red_is_withheld_until_two_officers_gave_their_word() -> None:
    world = two()
    world.bilateral("Team A", "Team B")
    world.take("Team A", indicator(3), tlp="red", basis=["agreement"], purpose=["situational-awareness"], caveats=[])
    world.sync("Team A", "Team B")
    assert held(world, "Team B") == set()
    waiting = requests(world.nodes["Team A"], "Team B")
    assert [one["object"] for one in waiting] == [indicator(3)["id"]]
    for number in range(waiting[0]["officers"]):
        done = approve(
            world.nodes["Team A"], str(indicator(3)["id"]), "Team B", officer=f"officer-{number}", reason="asked"
        )
    assert done["released"]
    world.sync("Team A", "Team B")
    assert held(world, "Team B") == {indicator(3)["id"]}


def test_unmarked_objects_wait_for_a_marking() -> None:
    world = two()
    world.bilateral("Team A", "Team B")
    counts = world.take("Team A", indicator(4), basis=["agreement"], caveats=[])
    assert counts.unmarked == 1
    world.sync("Team A", "Team B")
    assert held(world, "Team B") == set()
    found = why(world.nodes["Team A"], str(indicator(4)["id"]), "Team B")
    assert isinstance(found.decision, Withhold)
    assert "TLP" in found.sentence


def test_a_relationship_comes_only_when_both_ends_have_come() -> None:
    world = two()
    world.bilateral("Team A", "Team B")
    link = relationship(1, str(indicator(5)["id"]), str(malware(1)["id"]))
    world.take("Team A", indicator(5), link, **STATED)
    world.sync("Team A", "Team B")
    assert held(world, "Team B") == {indicator(5)["id"]}
    world.take("Team A", malware(1), **STATED)
    world.sync("Team A", "Team B")
    assert held(world, "Team B") == {indicator(5)["id"], malware(1)["id"], link["id"]}


def test_a_stricter_handling_takes_back_what_was_given() -> None:
    world = two()
    world.bilateral("Team A", "Team B")
    world.take("Team A", indicator(6), **STATED)
    world.sync("Team A", "Team B")
    assert held(world, "Team B") == {indicator(6)["id"]}
    set_handling(world.nodes["Team A"], str(indicator(6)["id"]), Handling(tlp="red"), officer="officer-1")
    world.sync("Team A", "Team B")
    assert held(world, "Team B") == set()


def test_a_party_that_joins_late_gets_what_was_shared_before() -> None:
    world = two()
    world.node("Team C", country="XC")
    digest = world.community("Team A", "Team B")
    world.take("Team A", indicator(7), indicator(8), **STATED)
    world.sync("Team A", "Team B")
    world.introduce("Team A", "Team B", "Team C")
    with world.nodes["Team A"].store.read() as tx:
        row = tx.get(AgreementRow, digest)
        assert row is not None
        form = row.form
    receive(world.nodes["Team C"], form)
    accede(world.nodes["Team C"], digest, officer="officer-1")
    world.sync("Team A", "Team B", "Team C")
    _, complete = admit(world.nodes["Team A"], digest, world.nodes["Team C"].party, officer="officer-1")
    assert not complete
    world.sync("Team A", "Team B")
    _, complete = admit(world.nodes["Team B"], digest, world.nodes["Team C"].party, officer="officer-1")
    assert complete
    world.at += SECOND
    world.sync("Team A", "Team B", "Team C")
    assert held(world, "Team C") == {indicator(7)["id"], indicator(8)["id"]}


def test_a_withdrawn_member_gets_nothing_more() -> None:
    world = two()
    digest = world.bilateral("Team A", "Team B")
    world.take("Team A", indicator(9), **STATED)
    world.sync("Team A", "Team B")
    suspend(world.nodes["Team B"], digest, since=None, until=None, officer="officer-1")
    world.sync("Team A", "Team B")
    world.take("Team A", indicator(10), **STATED)
    world.sync("Team A", "Team B")
    assert held(world, "Team B") == {indicator(9)["id"]}
    found = why(world.nodes["Team A"], str(indicator(10)["id"]), "Team B")
    assert isinstance(found.decision, Withhold)


def test_nothing_leaves_when_the_depositary_is_silent_past_the_lease() -> None:
    world = two()
    text = bilateral(world.parties("Team A", "Team B"), enters_into_force=world.at)
    world.agree(text.replace('succession        = ["team-b"]', "succession        = []"), "Team A", "Team B")
    world.at += 400 * HOUR
    world.take("Team B", indicator(11), **STATED)
    with world.nodes["Team B"].store.read() as tx:
        assert list(tx.find(StreamRow, party=world.nodes["Team A"].party)) == []
    world.sync("Team A", "Team B")
    assert held(world, "Team A") == {indicator(11)["id"]}


def test_the_same_page_is_answered_with_the_same_receipt() -> None:
    world = two()
    world.bilateral("Team A", "Team B")
    world.take("Team A", indicator(12), **STATED)
    a, b = NodeSide(world.nodes["Team A"]), NodeSide(world.nodes["Team B"])
    page = a.page_after(b.party, 0)
    assert page is not None
    again = a.page_after(b.party, 0)
    assert again == page
    first, second = b.take_page(a.party, page), b.take_page(a.party, page)
    assert first == second
    assert held(world, "Team B") == {indicator(12)["id"]}


def test_a_marking_definition_goes_along_with_what_carries_it() -> None:
    world = two()
    world.bilateral("Team A", "Team B")
    statement = {
        "type": "marking-definition",
        "spec_version": "2.1",
        "id": "marking-definition--00000000-0000-4000-8000-000000000001",
        "created": "2021-03-02T00:00:00.000Z",
        "definition_type": "statement",
        "definition": {"statement": "Copyright 2021, Example"},
    }
    world.take("Team A", statement, indicator(13, object_marking_refs=[statement["id"]]), **STATED)
    world.take("Team A", {**statement, "id": statement["id"][:-1] + "2"}, **STATED)
    world.sync("Team A", "Team B")
    assert held(world, "Team B") == {indicator(13)["id"], statement["id"]}


def test_an_answer_that_came_late_is_no_rollback_and_a_smaller_log_shown_later_is() -> None:
    world = two()
    world.bilateral("Team A", "Team B")
    a, b = NodeSide(world.nodes["Team A"]), NodeSide(world.nodes["Team B"])
    world.at += 600 * SECOND
    early = b.greeting(a.party)
    world.at += 600 * SECOND
    a.take_greeting(b.party, b.greeting(a.party))
    a.take_greeting(b.party, early)
    with pytest.raises(LogFault) as fault:
        a.take_greeting(b.party, replace(early, at=world.at + SECOND))
    assert fault.value.code == "log-rolled-back"


def test_a_card_nobody_compared_takes_no_object_from_its_author() -> None:
    world = two()
    world.bilateral("Team A", "Team B")
    world.node("Team D", country="XD")
    with world.nodes["Team D"].store.read() as tx:
        stranger = need_card(tx, world.nodes["Team D"].party)
    claiming = replace(stranger, identities=(*stranger.identities, world.nodes["Team A"].party), digest="")
    identity = world.nodes["Team D"].keys.identity
    assert identity is not None
    add_card(world.nodes["Team B"], make_card(claiming, [identity]))
    world.take("Team A", indicator(14, created_by_ref=world.nodes["Team A"].party), **STATED)
    world.sync("Team A", "Team B")
    with world.nodes["Team B"].store.read() as tx:
        [holding] = [row for row in tx.find(Holding) if row.object == indicator(14)["id"]]
        assert class_facets(tx, holding.cls).originator == world.nodes["Team A"].party


def test_what_an_officer_stated_of_an_object_holds_for_a_version_that_comes_later() -> None:
    world = two()
    world.bilateral("Team A", "Team B")
    world.take("Team A", indicator(15), **STATED)
    set_handling(world.nodes["Team A"], str(indicator(15)["id"]), Handling(tlp="red"), officer="officer-1")
    later = indicator(15, modified="2021-03-04T00:00:00.000Z", name="Named anew")
    world.take("Team A", later, **STATED)
    world.sync("Team A", "Team B")
    assert held(world, "Team B") == set()


def test_one_object_twice_in_a_file_with_two_markings_is_held_under_the_stricter() -> None:
    world = two()
    world.bilateral("Team A", "Team B")
    raw = from_data(indicator(16)).raw
    take_in(
        world.nodes["Team A"],
        [Raw(raw, handling={"tlp": "green"}), Raw(raw, handling={"tlp": "red"})],
        name="twice",
        format="stix-2.1",
        digest="twice",
        handling=Handling(basis=frozenset({"agreement"}), purpose=frozenset({"protect-networks"}), caveats=frozenset()),
        minted=False,
    )
    world.sync("Team A", "Team B")
    assert held(world, "Team B") == set()


def test_a_recall_reaches_what_the_receiver_has_handled_meanwhile() -> None:
    world = two()
    world.bilateral("Team A", "Team B")
    world.take("Team A", indicator(17), **STATED)
    world.sync("Team A", "Team B")
    set_handling(
        world.nodes["Team B"], str(indicator(17)["id"]), Handling(cases=frozenset({"X-1"})), officer="officer-1"
    )
    assert held(world, "Team B") == {indicator(17)["id"]}
    set_handling(world.nodes["Team A"], str(indicator(17)["id"]), Handling(tlp="red"), officer="officer-1")
    world.sync("Team A", "Team B")
    assert held(world, "Team B") == set()


def test_an_office_that_a_new_card_adds_or_drops_counts_at_once() -> None:
    world = two()
    text = bilateral(world.parties("Team A", "Team B"), enters_into_force=world.at)
    tlp = 'tlp        = ["clear", "green", "amber"]\n'
    world.agree(text.replace(tlp, f'{tlp}recipients = ["legal"]\n'), "Team A", "Team B")
    world.take("Team A", indicator(18), **STATED, recipients=["legal"])
    world.sync("Team A", "Team B")
    assert held(world, "Team B") == set()
    for offices, there in ((["legal"], {indicator(18)["id"]}), (["duty-officer"], set())):
        change_card(world.nodes["Team B"], {"offices": tuple(offices)}, officer="officer-1")
        world.sync("Team A", "Team B")
        assert held(world, "Team B") == there
        assert list(examine(world.nodes["Team A"])) == []


def test_what_stands_under_a_title_that_lapsed_goes_under_another_that_gives_it() -> None:
    world = two()
    a = world.nodes["Team A"]
    first = world.community("Team A", "Team B")
    world.at += SECOND
    suspend(a, first, since=None, until=None, officer="officer-1")
    world.at += SECOND
    second = world.bilateral("Team A", "Team B")
    world.take("Team A", indicator(1), **STATED)

    def title() -> str:
        with a.store.read() as tx:
            rows = list(tx.find(StreamRow, party=world.nodes["Team B"].party, ended=None))
        return rows[0].title.partition("#")[0] if rows else ""

    assert title() == second
    world.at += SECOND
    suspend(a, first, since=None, until=world.at + SECOND, officer="officer-1")
    world.at += 2 * SECOND
    world.take("Team A", indicator(2), **STATED)  # the first agreement rests no more, and comes before the second
    assert title() == second
    suspend(a, second, since=None, until=None, officer="officer-1")
    assert title() == first
    world.sync("Team A", "Team B")
    assert {indicator(1)["id"], indicator(2)["id"]} <= held(world, "Team B")
    for node in world.nodes.values():
        assert list(examine(node)) == []
