"""Tasks and plans, help, territory, advisories, severity, money, sightings: each deed through three nodes under a real agreement."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest

from comity.desks.incidents.planning import plans, read_plan
from comity.desks.incidents.schemes import mapped, schemes
from comity.kernel.errors import InputRefused, NotAllowed, Usage
from comity.kernel.model.instants import parse
from comity.kernel.procedure.calendar import executable
from comity.kernel.store.rows import Version
from simulators.incidentroom import AMBER, Room
from simulators.world import DAY, HOUR, indicator

A, B, C = "Team A", "Team B", "Team C"


@pytest.fixture
def room() -> Room:
    return Room().open(A, B, C)


@pytest.fixture
def shared(room: Room) -> str:
    """An incident of Team A that all three hold."""
    incident = room.new()
    room.sync(A, B, C)
    return incident


def held(room: Room, name: str, type: str) -> set[str]:
    with room.nodes[name].store.read() as tx:
        return {row.id for row in tx.find(Version, type=type)}


# --- tasks and plans


@pytest.mark.parametrize("sector", ["banking", "energy", "health", "transport"])
def test_plan_of_a_sector_becomes_tasks_with_owners_and_instants(room: Room, shared: str, sector: str) -> None:
    plan = plans()[sector]
    office = plan.steps[0].office
    told = room.tell(A, "incident plan use", incident=shared, sector=sector, owner=(f"{office}=Team B",))
    assert len(told["tasks"]) == len(plan.steps) >= 9
    room.sync(A, B, C)
    tasks = room.tell(B, "incident task list", incident=shared)["tasks"]
    assert {one["part"]["plan"] for one in tasks} == {f"{sector}@1#{step.id}" for step in plan.steps}
    for one in tasks:
        assert parse(one["says"]["due_date"]) > room.at
        assert one["owner_name"] == (B if one["part"]["office"] == office else A)
    assert not told["verified"] and "no authority" in told["source"]
    with pytest.raises(NotAllowed):
        room.tell(A, "incident plan use", incident=shared, sector=sector)


def test_every_step_of_every_plan_has_an_office_and_a_stretch_of_time() -> None:
    assert sorted(plans()) == ["banking", "energy", "health", "transport"]
    for plan in plans().values():
        assert all(step.office and executable(step.due) for step in plan.steps)


@pytest.mark.parametrize(
    "change",
    [("due: PT1H", "due: soon"), ("schema: plan/1", "schema: plan/9"), ("steps:", "stages:"), ('id: "2"', 'id: "1"')],
)
def test_plan_with_a_fault_is_refused_whole(room: Room, shared: str, change: tuple[str, str]) -> None:
    from importlib.resources import files

    text = files("comity.desks.incidents").joinpath("plans/health.yaml").read_text()
    assert read_plan(text).sector == "health"
    with pytest.raises(InputRefused):
        room.tell(A, "incident plan use", incident=shared, file=text.replace(*change, 1).encode())
    assert held(room, A, "task") == set()


def test_task_is_done_by_its_own_party_and_late_where_its_time_is_over(room: Room, shared: str) -> None:
    task = room.tell(A, "incident task add", incident=shared, name="Patch", due="2021-03-06T00:00:00Z", owner=B)[
        "object"
    ]
    room.sync(A, B, C)
    with pytest.raises(NotAllowed):
        room.tell(B, "incident task set", task=task, outcome="successful")
    assert [one["late"] for one in room.tell(B, "incident task list", incident=shared)["tasks"]] == [False]
    room.at += DAY
    assert [one["late"] for one in room.tell(B, "incident task list", incident=shared)["tasks"]] == [True]
    room.tell(A, "incident task set", task=task, outcome="successful")
    room.sync(A, B, C)
    (one,) = room.tell(B, "incident task list", incident=shared)["tasks"]
    assert (one["says"]["outcome"], one["late"], one["part"]["owner"]) == ("successful", True, room.id(B))


# --- help


def test_request_addressed_to_one_is_answered_to_the_one_who_asked(room: Room, shared: str) -> None:
    asked = room.tell(A, "assist ask", incident=shared, need="Forensics", to=(B,), reply_by="2021-03-06T00:00:00Z")
    room.sync(A, B, C)
    assert room.tell(C, "assist list")["assistance"] == []
    room.tell(B, "assist accept", about=asked["object"], part="two analysts")
    room.sync(A, B, C)
    (line,) = room.tell(A, "assist list")["assistance"]
    assert [(one["name"], one["says"]["says"], one["says"]["reason"]) for one in line["answers"]] == [
        (B, "part", "two analysts")
    ]
    assert held(room, C, "x-comity-assistance-request") | held(room, C, "x-comity-assistance-answer") == set()


def test_request_that_nobody_answers_is_overdue_and_no_refusal(room: Room, shared: str) -> None:
    room.tell(A, "assist ask", incident=shared, need="Forensics", reply_by="2021-03-06T00:00:00Z")
    assert [one["overdue"] for one in room.tell(A, "assist list")["assistance"]] == [False]
    room.at += DAY
    (line,) = room.tell(A, "assist list")["assistance"]
    assert (line["overdue"], line["answers"]) == (True, [])


def test_decline_needs_a_reason_and_may_name_another_helper(room: Room, shared: str) -> None:
    asked = room.tell(A, "assist ask", incident=shared, need="Forensics")["object"]
    room.sync(A, B, C)
    with pytest.raises(Usage):
        room.tell(B, "assist decline", about=asked, reason=" ")
    room.tell(B, "assist decline", about=asked, reason="no staff", ground="capacity", refer_to=C)
    room.sync(A, B, C)
    (line,) = room.tell(C, "assist list")["assistance"]
    (answer,) = line["answers"]
    assert (answer["says"]["says"], answer["says"]["ground"], answer["says"]["refer_to"]) == (
        "refer",
        "capacity",
        room.id(C),
    )


def test_offer_is_accepted_and_nobody_answers_itself(room: Room, shared: str) -> None:
    offered = room.tell(B, "assist offer", about=shared, offers="Log analysis", conditions="on site")["object"]
    room.sync(A, B, C)
    room.tell(A, "assist accept", about=offered)
    room.sync(A, B, C)
    (line,) = room.tell(B, "assist list")["assistance"]
    assert [(one["name"], one["says"]["says"]) for one in line["answers"]] == [(A, "accept")]
    with pytest.raises(NotAllowed) as refused:
        room.tell(B, "assist accept", about=offered)
    assert refused.value.code == "desk-asked"


# --- territory


def test_acknowledging_a_notice_is_not_agreeing_with_it(room: Room, shared: str) -> None:
    notice = room.tell(A, "territory notify", incident=shared, to=C, territory="XC", facts="A server there")["object"]
    room.sync(A, B, C)
    room.tell(C, "territory acknowledge", notice=notice)
    room.sync(A, B, C)
    (line,) = room.tell(A, "territory list")["notices"]
    assert ([one["name"] for one in line["acknowledged"]], line["concurs"]) == ([C], [])
    room.tell(C, "territory concur", notice=notice, disagree=True, reason="the server was leased")
    room.sync(A, B, C)
    (line,) = room.tell(A, "territory list")["notices"]
    assert [one["says"]["says"] for one in line["concurs"]] == ["does-not-concur"]
    assert held(room, B, "x-comity-territory-notice") | held(room, B, "x-comity-territory-answer") == set()


def test_agreeing_with_a_notice_does_not_acknowledge_it(room: Room, shared: str) -> None:
    notice = room.tell(A, "territory notify", incident=shared, to=C, territory="XC", facts="A server there")["object"]
    room.sync(A, C)
    room.tell(C, "territory concur", notice=notice)
    room.sync(A, C)
    (line,) = room.tell(A, "territory list")["notices"]
    assert (line["acknowledged"], [one["name"] for one in line["concurs"]]) == ([], [C])


def test_norm_is_shown_with_source_version_and_what_nobody_confirmed(room: Room, shared: str) -> None:
    told = room.tell(A, "territory notify", incident=shared, to=C, territory="XC", facts="A server there")["norm"]
    assert (told["verified"], told["version"], told["further"][0]["verified"]) == (True, "2026-11-21", False)
    assert all(one["url"].startswith("https://") for one in told["sources"])
    assert "unconfirmed; gge2021" in told["sentence"]


# --- advisories


def test_draft_goes_to_nobody_whatever_the_agreement_permits(room: Room, shared: str) -> None:
    made = room.tell(A, "advisory draft", name="Exchange", text="Patch now", incident=shared, **AMBER)["object"]
    room.at += 400 * DAY
    room.sync(A, B, C)
    assert room.tell(B, "advisory list")["advisories"] == []
    assert held(room, B, "x-comity-advisory") == set()
    assert made in held(room, A, "x-comity-advisory")


def test_embargo_holds_to_the_microsecond_and_ends_by_itself(room: Room, shared: str) -> None:
    made = room.tell(A, "advisory draft", name="Exchange", kind="notice", incident=shared, **AMBER)["object"]
    room.tell(A, "advisory publish", advisory=made, text="Patch now", embargo="2021-03-05T18:00:00Z")
    assert [one["state"] for one in room.tell(A, "advisory list")["advisories"]] == ["under embargo"]
    room.at = parse("2021-03-05T18:00:00Z") - 1
    room.sync(A, B, C)
    for name in (B, C):
        with room.nodes[name].store.read() as tx:
            assert not [row for row in tx.find(Version) if b"Patch now" in row.raw or made.encode() in row.raw]
    room.at += 1
    room.sync(A, B, C)
    for name in (B, C):
        (one,) = room.tell(name, "advisory list")["advisories"]
        assert (one["says"]["text"], one["state"], one["says"]["embargo"]) == (
            "Patch now",
            "published",
            "2021-03-05T18:00:00.000Z",
        )
    with room.nodes[B].store.read() as tx:
        assert [row for row in tx.find(Version, id=made) if b'"draft"' in row.raw] == []


def test_embargo_of_the_draft_holds_for_what_is_published(room: Room, shared: str) -> None:
    made = room.tell(A, "advisory draft", name="Exchange", embargo="2021-03-05T18:00:00Z", **AMBER)["object"]
    assert room.tell(A, "advisory publish", advisory=made)["embargo"] == "2021-03-05T18:00:00.000Z"
    room.sync(A, B, C)
    assert held(room, B, "x-comity-advisory") == set()
    room.at = parse("2021-03-05T18:00:00Z")
    room.sync(A, B, C)
    assert held(room, B, "x-comity-advisory") == {made}


def test_advisory_without_an_embargo_goes_at_once_and_is_published_once(room: Room, shared: str) -> None:
    made = room.tell(A, "advisory draft", name="Exchange", **AMBER)["object"]
    rehearsed = room.tell(A, "advisory publish", dry=True, advisory=made)
    assert {one["name"] for one in rehearsed["effects"]} == {B, C}
    room.tell(A, "advisory publish", advisory=made)
    room.sync(A, B, C)
    assert held(room, C, "x-comity-advisory") == {made}
    with pytest.raises(NotAllowed):
        room.tell(A, "advisory publish", advisory=made)


# --- severity


@pytest.mark.parametrize("scheme", sorted(schemes()))
def test_mapping_there_and_back_always_holds_the_word_one_began_with(scheme: str) -> None:
    for level in schemes()[scheme].levels:
        there = mapped(scheme, level)
        assert len(there) == len(schemes()) - 1
        for other in there:
            assert other.levels and other.sources and other.version
            for word in other.levels:
                back = next(one for one in mapped(other.scheme, word) if one.scheme == scheme)
                assert level in back.levels


@pytest.mark.parametrize("scheme", sorted(schemes()))
def test_more_severe_never_maps_to_less_severe(scheme: str) -> None:
    for other in schemes():
        if other != scheme:
            order = schemes()[other].levels
            reached = [
                [order.index(word) for one in mapped(scheme, level) if one.scheme == other for word in one.levels]
                for level in schemes()[scheme].levels
            ]
            assert all(max(one) <= max(two) and min(one) <= min(two) for one, two in pairwise(reached))


def test_own_word_is_kept_and_what_it_maps_to_names_its_source(room: Room, shared: str) -> None:
    room.tell(B, "incident severity say", incident=shared, scheme="us-nciss", level="severe")
    room.tell(C, "incident severity say", incident=shared, scheme="https://cert.example/levels", level="orange")
    room.sync(A, B, C)
    found = {one["name"]: one for one in room.tell(A, "incident severity list", incident=shared)["severity"]}
    assert (found[B]["says"]["scheme"], found[B]["says"]["level"]) == ("us-nciss", "severe")
    assert [(one["scheme"], one["levels"], one["verified"]) for one in found[B]["mapped"]] == [
        ("eu-blueprint-0-4", ["3"], False),
        ("nis-impact", ["red"], False),
    ]
    assert found[B]["mapped"][0]["sources"][0]["id"] == "comity"
    assert (found[C]["says"]["level"], found[C]["mapped"], found[C]["scheme"]) == ("orange", [], None)


def test_level_that_its_scheme_does_not_have_is_refused(room: Room, shared: str) -> None:
    for scheme, level in (("us-nciss", "orange"), ("nciss", "high")):
        with pytest.raises(Usage) as refused:
            room.tell(A, "incident severity say", incident=shared, scheme=scheme, level=level)
        assert refused.value.code == "desk-asked"


# --- money


def money(room: Room, name: str, incident: str, least: float, most: float, currency: str = "EUR", **more: Any) -> str:
    told = room.tell(
        name,
        "incident impact add",
        incident=incident,
        category="economic",
        variety="response-costs",
        currency=currency,
        least=least,
        most=most,
        source="invoices",
        **more,
    )
    return str(told["object"])


def test_sum_stays_within_a_party_and_a_currency_and_says_who_sees_its_parts(room: Room, shared: str) -> None:
    money(room, A, shared, 0.1, 0.2)
    money(room, A, shared, 0.2, 0.5, tlp="amber+strict")
    money(room, A, shared, 10, 20, "USD")
    money(room, B, shared, 1000, 2000)
    room.sync(A, B, C)
    sums = room.tell(A, "incident impact sum", incident=shared)["sums"]
    found = {(one["name"], one["currency"]): one for one in sums}
    assert {key: (one["least"], one["most"]) for key, one in found.items()} == {
        (A, "EUR"): (0.3, 0.7),
        (A, "USD"): (10, 20),
        (B, "EUR"): (1000, 2000),
    }
    assert {one["name"] for one in found[A, "EUR"]["all_parts_seen_by"]} == {A}
    assert {one["name"] for one in found[A, "USD"]["all_parts_seen_by"]} == {A, B, C}
    (theirs,) = [
        one
        for one in room.tell(C, "incident impact sum", incident=shared)["sums"]
        if one["name"] == A and one["currency"] == "EUR"
    ]
    assert (theirs["least"], theirs["most"], len(theirs["parts"])) == (0.1, 0.2, 1)


def test_superseded_impact_is_counted_once(room: Room, shared: str) -> None:
    old, new = money(room, A, shared, 1, 100), money(room, A, shared, 40, 50)
    room.tell(A, "incident impact supersede", old=old, new=new)
    (line,) = room.tell(A, "incident impact sum", incident=shared)["sums"]
    assert (line["least"], line["most"]) == (40, 50)


def test_money_without_a_range_a_currency_or_a_source_is_refused(room: Room, shared: str) -> None:
    whole: dict[str, Any] = {"variety": "x", "currency": "EUR", "least": 1.0, "most": 2.0, "source": "s"}
    for change in ({"least": 3.0}, {"source": None}, {"currency": None}, {"currency": "euro!"}, {"most": None}):
        with pytest.raises(Usage) as refused:
            room.tell(A, "incident impact add", incident=shared, category="economic", **{**whole, **change})
        assert refused.value.code == "desk-asked"


# --- sightings


def test_sighting_answers_seen_or_looked_for_and_not_seen(room: Room, shared: str) -> None:
    room.put(A, indicator(1))
    room.sync(A, B, C)
    of = str(indicator(1)["id"])
    room.tell(B, "incident sighting add", incident=shared, of=of, count=3, last="2021-03-05T11:00:00Z")
    room.tell(C, "incident sighting add", incident=shared, of=of, not_seen=True, note="proxy logs of 90 days")
    room.at += HOUR
    room.sync(A, B, C)
    found = room.tell(A, "incident sighting list", incident=shared)["sightings"]
    assert {one["name"]: (one["seen"], one["says"]["count"]) for one in found} == {B: (True, 3), C: (False, 0)}
    with pytest.raises(Usage):
        room.tell(B, "incident sighting add", incident=shared, of=of, count=3, not_seen=True)
