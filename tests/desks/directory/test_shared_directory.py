"""Three parties share one directory under an agreement; each sees who says what, and only what is for it."""

from __future__ import annotations

from typing import Any

import pytest

from comity.kernel.errors import ComityError, NotAllowed, Usage
from comity.kernel.model.instants import DAY, HOUR, parse
from comity.kernel.release.templates import directory
from comity.node.doctor import examine
from comity.node.instruments import accede, admit, withdraw
from comity.node.why import why
from simulators.directory import Directory

A, B, C = "Team A", "Team B", "Team C"
DUTY: dict[str, Any] = {
    "name": "Duty officer",
    "office": "duty",
    "language": ["en", "fr-BE"],
    "zone": "Europe/Brussels",
    "hours": ["mo-fr 09:00-17:00"],
    "channel": ["mail=duty@a.example;priority=60", "telephone=+3225550100"],
}


def offices(world: Directory, name: str, /, **said: object) -> dict[str, dict[str, Any]]:
    """Offices by PARTY/OFFICE, as a party's list tells them."""
    told = world.do(name, "contact list", **said)
    return {f"{one['party_name']}/{one['office']}": one for one in told.shape["contacts"]}


def reached(world: Directory, name: str, /, **said: object) -> list[str]:
    told = world.do(name, "contact reach", **said)
    return [f"{one['party_name']}/{one['office']}" for one in told.shape["reachable"]]


def test_office_that_one_party_adds_is_in_the_directory_of_the_others() -> None:
    world = Directory()
    world.do(A, "contact add", **DUTY)
    world.all()
    for name in (B, C):
        found = offices(world, name)["Team A/duty"]
        assert found["own_word"] is True
        assert found["by_name"] == A
        assert found["says"]["zone"] == "Europe/Brussels"
    soon = world.do(C, "contact reach", within="PT1H", language="fr")
    way = soon.shape["reachable"][0]["ways"][0]
    assert "Open until" in way["sentence"]
    assert [one["by"] for one in way["channels"]] == ["telephone", "mail"]
    assert "its own word" in soon.lines[0]
    assert "never pinged" in soon.lines[0]
    for node in world.nodes.values():
        assert list(examine(node)) == []


def test_reach_follows_the_clock_the_language_and_the_role() -> None:
    world = Directory()
    world.do(A, "contact add", **DUTY)
    world.do(
        B,
        "contact add",
        name="Ministry",
        office="desk",
        role="diplomatic",
        language=["en"],
        zone="Asia/Tokyo",
        hours=["mo-fr 09:00-18:00"],
        channel=["telephone=+81355550100", "signal=+81905550100;always"],
    )
    world.all()
    assert reached(world, C) == ["Team A/duty", "Team B/desk"]  # Friday noon: Brussels open, Tokyo by Signal
    assert reached(world, C, language="fr") == ["Team A/duty"]
    assert reached(world, C, role="diplomatic") == ["Team B/desk"]
    assert reached(world, C, role="diplomatic", language="fr") == []
    world.at = parse("2021-03-05T22:00:00Z")
    told = world.do(C, "contact reach", language="fr")
    assert told.status == 1
    assert "opens Mon 08 Mar 09:00 (Europe/Brussels)" in " ".join(told.lines)
    assert reached(world, C, language="fr", within="P3D") == ["Team A/duty"]


def test_duty_officer_is_reached_outside_the_hours_and_the_next_one_is_named() -> None:
    world = Directory()
    world.do(A, "contact add", **DUTY)
    world.do(
        A,
        "contact rota",
        office="duty",
        duty=["ann=Ann;telephone=+3225550101;lang=fr", "ben=Ben;telephone=+3225550102;lang=nl"],
        week=["daily 17:00-09:00 ann"],
        escalate=["ben 15"],
        retention="P90D",
        minimised=True,
    )
    world.all()
    world.at = parse("2021-03-05T22:00:00Z")
    told = world.do(C, "contact reach", language="fr", within="PT1H")
    way = told.shape["reachable"][0]["ways"][0]
    assert (way["why"], way["who"], way["then"]) == ("on-duty", "Ann", [{"who": "Ben", "minutes": 15}])
    assert [one["value"] for one in way["channels"]] == ["+3225550101"]
    assert reached(world, C, language="nl") == []
    world.do(
        A,
        "contact rota",
        office="duty",
        duty=["ben=Ben;lang=nl"],
        week=["daily 00:00-24:00 ben"],
        retention="P9D",
        minimised=True,
    )
    world.all()
    assert reached(world, C, language="nl") == ["Team A/duty"]
    assert reached(world, C, language="fr") == []


def test_change_and_end_reach_those_who_have_the_office() -> None:
    world = Directory()
    world.do(A, "contact add", **DUTY)
    world.all()
    world.do(A, "contact change", office="duty", channel=["telephone=+3225550199"], note="moved", clear=["language"])
    world.all()
    says = offices(world, B)["Team A/duty"]["says"]
    assert [one["value"] for one in says["channels"]] == ["+3225550199"]
    assert (says["note"], "languages" in says, says["zone"]) == ("moved", False, "Europe/Brussels")
    world.do(A, "contact end", office="duty", state="replaced")
    world.all()
    assert offices(world, B) == {}
    assert offices(world, B, ended=True)["Team A/duty"]["says"]["state"] == "replaced"
    assert reached(world, B) == []


def test_handling_of_an_office_stays_when_it_is_changed() -> None:
    world = Directory()
    embargo = "2021-03-06T12:00:00Z"
    world.do(A, "contact add", **DUTY, tlp="amber", embargo=embargo)
    world.do(A, "contact change", office="duty", note="changed")
    world.all()
    assert offices(world, B) == {}, "an embargo does not end by a change"
    world.at += DAY
    world.all()
    found = offices(world, B)["Team A/duty"]
    assert (found["tlp"], found["says"]["note"]) == ("amber", "changed")


def test_another_partys_word_is_shown_as_such_and_never_takes_the_place_of_the_partys_own() -> None:
    world = Directory()
    world.do(B, "contact add", **{**DUTY, "party": A, "name": "What B thinks", "channel": ["telephone=+4915550666"]})
    world.all()
    found = offices(world, C)["Team A/duty"]
    assert (found["own_word"], found["by_name"], found["says"]["name"]) == (False, B, "What B thinks")
    assert "by the word of Team B" in world.do(C, "contact reach").lines[0]
    world.at += HOUR
    world.do(A, "contact add", **DUTY)
    world.all()
    world.at += HOUR
    world.do(B, "contact change", office="Team A/duty", note="later than A's word")
    world.all()
    found = offices(world, C)["Team A/duty"]
    assert (found["own_word"], found["says"]["name"]) == (True, "Duty officer")
    assert [(one["by_name"], one["own_word"]) for one in found["others"]] == [(B, False)]
    shown = " ".join(world.do(C, "contact show", office="Team A/duty").lines)
    assert "Another word: What B thinks" in shown
    reach = world.do(C, "contact reach").shape["reachable"][0]
    assert {one["value"] for way in reach["ways"] for one in way["channels"]} == {"duty@a.example", "+3225550100"}


def test_another_partys_rota_puts_nobody_on_duty_in_an_office_that_speaks_for_itself() -> None:
    world = Directory()
    world.do(A, "contact add", **DUTY)
    world.all()
    with pytest.raises(NotAllowed) as refused:
        world.do(B, "contact rota", office="Team A/duty", duty=["mal=Mallory"], week=["daily 00:00-24:00 mal"])
    assert refused.value.code == "not-ours"


def test_office_of_another_party_is_changed_by_nobody_else() -> None:
    world = Directory()
    world.do(A, "contact add", **DUTY)
    world.all()
    for deed in ("contact change", "contact end"):
        with pytest.raises(NotAllowed) as refused:
            world.do(B, deed, office="Team A/duty", note="mine now")
        assert refused.value.code == "not-ours"
    with pytest.raises(Usage) as twice:
        world.do(A, "contact add", **DUTY)
    assert twice.value.code == "already-done"


def test_office_for_one_party_only_goes_to_nobody_else_whoever_asks_or_joins() -> None:
    world = Directory()
    made = world.do(A, "contact add", **DUTY, only=[B]).shape["object"]
    world.all()
    assert set(offices(world, B)) == {"Team A/duty"}
    assert offices(world, C) == {}
    found = why(world.nodes[A], made, C)
    assert [one.predicate for one in found.decision.failed] == ["addressed-here"]  # type: ignore[union-attr]
    assert "addressed to others" in found.sentence


def test_dry_run_says_who_would_get_it_and_changes_nothing() -> None:
    from comity.node.desk import carry_out
    from simulators.directory import DEEDS, STATED

    world = Directory()
    told = carry_out(world.nodes[A], DEEDS["contact add"], {**STATED, **DUTY}, "officer-1", dry=True)
    assert {one["name"] for one in told.shape["effects"]} == {B, C}
    assert offices(world, A) == {}
    world.all()
    assert offices(world, B) == {}
    told = carry_out(world.nodes[A], DEEDS["contact add"], {**STATED, **DUTY, "only": [B]}, "officer-1", dry=True)
    assert {one["name"] for one in told.shape["effects"]} == {B}


def test_nothing_goes_without_an_agreement_that_names_contacts() -> None:
    from simulators.world import World

    world = Directory.__new__(Directory)
    World.__init__(world)
    world.names = (A, B)
    for name in world.names:
        world.node(name)
    world.introduce(*world.names)
    world.community(*world.names)
    world.do(A, "contact add", **DUTY)
    world.all()
    assert offices(world, B) == {}


def test_person_in_an_office_waits_for_an_officer_unless_all_is_stated() -> None:
    world = Directory()
    told = world.do(A, "contact add", **DUTY, person="Ann Example")
    assert "retention, minimised" in told.lines[-1]
    world.all()
    assert offices(world, B) == {}
    found = why(world.nodes[A], told.shape["object"], B)
    assert [one.predicate for one in found.decision.failed] == ["personal-data-complete"]  # type: ignore[union-attr]
    world.do(A, "contact end", office="duty")
    world.do(A, "contact add", **{**DUTY, "office": "duty2"}, person="Ann Example", retention="P1Y", minimised=True)
    world.all()
    assert offices(world, B)["Team A/duty2"]["says"]["person"] == "Ann Example"


def test_late_member_gets_the_directory_and_nothing_that_is_for_others() -> None:
    world = Directory(A, B)
    world.do(A, "contact add", **DUTY)
    world.do(A, "contact add", **{**DUTY, "office": "private"}, only=[B])
    world.do(A, "message send", subject="Question", text="Between us.", to=[B])
    world.all()
    world.node(C, country="XC")
    world.names = (A, B, C)
    world.introduce(*world.names)
    from comity.kernel.store.rows import AgreementRow
    from comity.node.instruments import receive

    with world.nodes[A].store.read() as tx:
        form = next(iter(tx.find(AgreementRow))).form
    receive(world.nodes[C], form)
    accede(world.nodes[C], world.agreement, officer="officer-1")
    world.all()
    for name in (A, B):
        admit(world.nodes[name], world.agreement, world.nodes[C].party, officer="officer-1")
        world.all()
    world.all()
    assert set(offices(world, C)) == {"Team A/duty"}
    assert world.do(C, "message list").shape["messages"] == []
    assert len(world.do(B, "message list").shape["messages"]) == 1


def test_member_that_withdrew_gets_nothing_more() -> None:
    world = Directory()
    world.do(A, "contact add", **DUTY)
    world.all()
    withdraw(world.nodes[C], world.agreement, effective=world.at + 31 * DAY, officer="officer-1")
    world.all()
    world.at += 32 * DAY
    world.all()
    world.do(A, "contact change", office="duty", note="after C left")
    world.do(A, "contact add", **{**DUTY, "office": "new"})
    world.all()
    assert offices(world, B)["Team A/duty"]["says"]["note"] == "after C left"
    assert set(offices(world, B)) == {"Team A/duty", "Team A/new"}
    assert "note" not in offices(world, C)["Team A/duty"]["says"]
    assert set(offices(world, C)) == {"Team A/duty"}
    with pytest.raises(ComityError) as refused:
        world.do(A, "message send", subject="Are you there?", text="?", to=[C])
    assert refused.value.code == "not-carried"


def test_vouch_stands_for_the_version_it_was_said_of_and_can_be_taken_back() -> None:
    world = Directory()
    world.do(A, "contact add", **DUTY)
    world.all()
    world.do(B, "contact vouch", about="Team A/duty", method="called back on a number we had")
    world.all()
    assert offices(world, C)["Team A/duty"]["vouched_by"] == [B]
    world.at += HOUR
    world.do(A, "contact change", office="duty", channel=["telephone=+3225550999"])
    world.all()
    assert offices(world, C)["Team A/duty"]["vouched_by"] == [], "nobody stood by the new number"
    world.do(B, "contact vouch", about="Team A/duty", method="called again")
    world.all()
    assert offices(world, C)["Team A/duty"]["vouched_by"] == [B]
    world.at += HOUR
    world.do(B, "contact vouch", about="Team A/duty", method="no more", withdraw=True)
    world.all()
    assert offices(world, C)["Team A/duty"]["vouched_by"] == []
    with pytest.raises(Usage):
        world.do(A, "contact vouch", about="duty", method="I am I")


def test_directory_template_names_the_kinds_of_the_desk() -> None:
    from comity.desks.directory.kinds import KINDS

    world = Directory(A, B)
    text = directory(world.parties(A, B), enters_into_force=world.at)
    assert all(f'"{kind.name}"' in text for kind in KINDS)
