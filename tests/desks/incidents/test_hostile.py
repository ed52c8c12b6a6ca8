"""What others send in the kinds of the desk breaks nothing: it is kept as it came, shown as a defect, and nobody speaks for another."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from comity.desks.incidents.kinds import CORE, IMPACT, KINDS, MARK, PART, STATUS, TASK, Kind
from comity.kernel.errors import InputRefused
from comity.kernel.store.rows import Version
from comity.node.desk import carry_out
from simulators.incidentroom import DEEDS, GREEN, Room
from simulators.world import DAY

A, B = "Team A", "Team B"
READS = [
    name
    for name, item in DEEDS.items()
    if item.reads and name.split()[0] in ("incident", "assist", "territory", "advisory")
]


@pytest.fixture
def room() -> Room:
    return Room().open(A, B)


@pytest.fixture
def shared(room: Room) -> str:
    incident = room.new()
    room.tell(A, "incident status", incident=incident, affected=True)
    room.sync(A, B)
    return incident


def made(kind: Kind, number: int, by: str, extensions: dict[str, Any] | None = None, **says: Any) -> dict[str, Any]:
    """An object of a kind as some other program writes it."""
    return {
        "type": kind.name,
        "spec_version": "2.1",
        "id": f"{kind.name}--{UUID(int=number, version=4)}",
        "created_by_ref": by,
        "created": "2021-03-05T10:00:00.000Z",
        "modified": "2021-03-05T10:00:00.000Z",
        "extensions": {kind.extension: {"extension_type": kind.form}, **(extensions or {})},
        **says,
    }


def part(incident: str, **more: Any) -> dict[str, Any]:
    return {PART.extension: {"extension_type": PART.form, "incident_ref": incident, **more}}


def broken(incident: str, by: str) -> list[dict[str, Any]]:
    """Objects about an incident, each with one fault."""
    money = {"variety": "x", "currency": "EUR", "min_amount": 1, "max_amount": 2}
    mark = {
        "incident_ref": incident,
        "event": "significant-incident-known",
        "happened_at": "2021-03-05T10:00:00Z",
        "evidence": "e",
    }
    zone = {"zone": {"name": "X", "changes": []}, "working": [1], "holidays": [], "closes": "18:00"}
    cases: list[tuple[Kind, dict[str, Any], dict[str, Any]]] = [
        (STATUS, {}, {"incident_ref": incident, "says": "silent"}),
        (STATUS, {}, {"incident_ref": incident, "says": 5}),
        (STATUS, {}, {"incident_ref": incident, "says": ["affected"]}),
        (STATUS, {}, {"incident_ref": incident, "says": "affected", "checked_at": "yesterday"}),
        (TASK, part(incident), {"outcome": "done"}),
        (TASK, part(incident), {"outcome": "pending", "due_date": "soon"}),
        (TASK, part(incident), {"outcome": "pending", "priority": 10**9}),
        (TASK, part(incident, owner={"a": 1}), {"outcome": "pending"}),
        (IMPACT, {**part(incident), "economic-ext": {**money, "max_amount": 1e300}}, {"impact_category": "economic"}),
        (IMPACT, {**part(incident), "economic-ext": {**money, "min_amount": -1}}, {"impact_category": "economic"}),
        (IMPACT, {**part(incident), "economic-ext": {**money, "min_amount": 3}}, {"impact_category": "economic"}),
        (
            IMPACT,
            {**part(incident), "economic-ext": {**money, "currency": "\u202eEUR"}},
            {"impact_category": "economic"},
        ),
        (IMPACT, {**part(incident), "economic-ext": {**money, "currency": 7}}, {"impact_category": "economic"}),
        (MARK, {}, {**mark, "calendar": zone}),
        (MARK, {}, {**mark, "calendar": {"zone": 1}}),
        (MARK, {}, {**mark, "happened_at": "1"}),
        (MARK, {}, {**mark, "clocks": "nis2-final"}),
    ]
    return [made(kind, 100 + n, by, extensions, **says) for n, (kind, extensions, says) in enumerate(cases)]


def test_each_fault_is_a_defect_with_its_sender_and_nothing_else_is_lost(room: Room, shared: str) -> None:
    objects = broken(shared, room.id(B))
    room.put(B, *objects, **{k: v for k, v in GREEN.items() if k == "tlp"})
    room.sync(A, B)
    with room.nodes[A].store.read() as tx:
        assert {str(one["id"]) for one in objects} <= {row.id for row in tx.find(Version)}
    picture = room.picture(A, shared)
    assert {one["id"] for one in picture["defects"]} == {one["id"] for one in objects}
    assert {one["name"] for one in picture["defects"]} == {B}
    assert room.says(A, shared) == {A: "affected", B: "silent"}
    assert picture["tasks"] == picture["impacts"] == picture["clocks"] == []


def test_every_reading_deed_answers_over_hostile_objects(room: Room, shared: str) -> None:
    room.put(B, *broken(shared, room.id(B)), **{k: v for k, v in GREEN.items() if k == "tlp"})
    room.sync(A, B)
    assert len(READS) >= 14
    for name in READS:
        said = {"sector": "health"} if name == "incident plan show" else {"incident": shared}
        fields = DEEDS[name].asks.__struct_fields__
        told = carry_out(room.nodes[A], DEEDS[name], {k: v for k, v in said.items() if k in fields}, "officer-1")
        assert told.lines, name


def test_object_under_another_partys_name_is_not_its_word(room: Room, shared: str) -> None:
    forged = made(STATUS, 1, room.id(A), incident_ref=shared, says="not-affected")
    room.put(B, forged, tlp="green")
    room.sync(A, B)
    assert room.says(A, shared) == {A: "affected", B: "silent"}
    picture = room.picture(A, shared)
    (strange,) = picture["unattributed"]
    assert (strange["id"], strange["by"], strange["via"]) == (forged["id"], None, room.id(B))
    assert any("Nobody vouches" in line for line in room.lines(A, "incident picture", incident=shared))


def test_newer_version_of_our_own_word_from_another_party_changes_nothing(room: Room, shared: str) -> None:
    with room.nodes[A].store.read() as tx:
        (row,) = tx.find(Version, type="x-comity-status")
        mine = row.id
    forged = {**made(STATUS, 1, room.id(A), incident_ref=shared, says="not-affected"), "id": mine}
    forged["modified"] = "2021-03-06T10:00:00.000Z"
    room.put(B, forged, tlp="green")
    room.sync(A, B)
    assert room.says(A, shared)[A] == "affected"


def test_clock_marks_at_the_edges_of_the_calendar_are_shown_and_counted_nowhere(room: Room, shared: str) -> None:
    room.tell(A, "incident clock start", incident=shared, clock="nis2-early-warning", evidence="ticket")
    west = {
        "zone": {"name": "X", "changes": [["1970-01-01T00:00:00Z", -86399]]},
        "working": [1],
        "holidays": [],
        "closes": "18:00",
    }
    first, last = "0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z"
    marks: list[dict[str, Any]] = [
        {"event": "intermediate-report-sent", "happened_at": first, "clocks": ["dora-final"], "calendar": west},
        {"event": "incident-notification-sent", "happened_at": last, "clocks": ["nis2-final"]},
        {"event": "incident-classified-major", "happened_at": "2021-03-05T10:00:00Z", "clocks": ["dora-initial"]},
        {"event": "extend:dora-initial", "happened_at": "2021-03-05T10:00:01Z", "until": last},
        {"event": "pause:dora-initial", "happened_at": "2021-03-05T10:00:02Z"},
        {"event": "resume:dora-initial", "happened_at": "2021-03-05T11:00:00Z"},
        {"event": "nothing", "happened_at": first, "clocks": ["nobody's"]},
    ]
    for number, mark in enumerate(marks):
        room.put(B, made(MARK, number, room.id(B), incident_ref=shared, evidence="e", **mark), tlp="green")
    room.sync(A, B)
    told = room.tell(A, "incident clock list")
    ours = [one for one in told["clocks"] if one["name"] == A]
    assert [(one["clock"], one["state"]) for one in ours] == [("nis2-early-warning", "running")]
    theirs = {one["clock"]: one for one in told["clocks"] if one["name"] == B}
    assert theirs["dora-initial"]["defect"]
    assert all(one["due"] is None for one in (theirs["nobody's"], theirs["dora-initial"], theirs["nis2-final"]))
    room.at += DAY
    assert room.lines(A, "incident clock list")


def test_what_our_officers_take_in_under_another_partys_name_is_nobodys_word(room: Room, shared: str) -> None:
    room.put(A, made(STATUS, 1, room.id(B), incident_ref=shared, says="affected"), tlp="green")
    assert room.says(A, shared) == {A: "affected", B: "silent"}
    (strange,) = room.picture(A, shared)["unattributed"]
    assert (strange["by"], strange["via"]) == (None, room.id(A))


def test_incident_with_a_broken_core_is_refused_with_a_sentence_and_listed_as_a_defect(room: Room) -> None:
    wrong = made(
        KINDS[0], 5, room.id(B), {CORE: {"extension_type": "property-extension", "criticality": "high"}}, name="X"
    )
    room.put(B, wrong, tlp="green")
    room.sync(A, B)
    told = room.tell(A, "incident list")
    assert (told["incidents"], [one["id"] for one in told["defects"]]) == ([], [wrong["id"]])
    with pytest.raises(InputRefused) as refused:
        room.picture(A, str(wrong["id"]))
    assert refused.value.code == "desk-object"


def test_what_is_newer_than_this_node_is_kept_and_read_as_far_as_it_is_known(room: Room, shared: str) -> None:
    later = made(STATUS, 1, room.id(B), incident_ref=shared, says="affected", certainty="high")
    room.put(B, later, tlp="green")
    room.sync(A, B)
    assert room.says(A, shared)[B] == "affected"
    assert room.picture(A, shared)["defects"] == []
