"""One situation picture of several parties: what each says, side by side, by whose word, and who says nothing."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from comity.kernel.errors import NotAllowed, NotFound
from comity.kernel.store.rows import Batch, StreamRow, Version
from comity.node.doctor import examine
from comity.node.instruments import withdraw
from simulators.incidentroom import AMBER, KEPT, Room
from simulators.world import DAY

A, B, C, D = "Team A", "Team B", "Team C", "Team D"


@pytest.fixture
def room() -> Room:
    return Room().open(A, B, C)


def held(room: Room, name: str) -> set[str]:
    with room.nodes[name].store.read() as tx:
        return {row.id for row in tx.find(Version)}


def test_three_nodes_see_one_picture_with_every_word_by_its_author(room: Room) -> None:
    incident = room.new()
    room.tell(A, "incident status", incident=incident, affected=True)
    room.sync(A, B, C)
    room.tell(B, "incident status", incident=incident, not_affected=True, scope="all mail servers")
    room.tell(C, "incident status", incident=incident, checking=True)
    room.sync(A, B, C)
    for name in (A, B, C):
        assert room.says(name, incident) == {A: "affected", B: "not-affected", C: "checking"}
        (line,) = [one for one in room.picture(name, incident)["parties"] if one["name"] == B]
        assert line["status"]["says"]["scope"] == "all mail servers"
        assert line["status"]["by"] == room.id(B)
    for node in room.nodes.values():
        assert list(examine(node)) == []


def test_party_that_says_nothing_is_silent_and_not_unaffected(room: Room) -> None:
    incident = room.new()
    room.sync(A, B, C)
    room.tell(B, "incident status", incident=incident, not_affected=True)
    room.sync(A, B, C)
    assert room.says(A, incident) == {A: "no-status", B: "not-affected", C: "silent"}
    shown = {line.split("  ")[0]: line for line in room.lines(A, "incident picture", incident=incident)}
    assert "silent (receipted)" in shown[C]
    assert "silent" not in shown[B]


def test_words_of_two_parties_on_one_thing_are_never_made_one(room: Room) -> None:
    incident = room.new()
    room.sync(A, B, C)
    for name, start in ((A, "2021-02-27T00:00:00Z"), (B, "2021-03-01T00:00:00Z")):
        room.tell(name, "incident event add", incident=incident, name="First exploitation", start=start)
        room.tell(
            name, "incident severity say", incident=incident, scheme="us-nciss", level="low" if name == A else "high"
        )
    room.sync(A, B, C)
    picture = room.picture(C, incident)
    assert [(one["name"], one["says"]["start_time"]) for one in picture["timeline"]] == [
        (A, "2021-02-27T00:00:00.000Z"),
        (B, "2021-03-01T00:00:00.000Z"),
    ]
    levels = {line["name"]: [one["says"]["level"] for one in line["severity"]] for line in picture["parties"]}
    assert levels == {A: ["low"], B: ["high"], C: []}


def test_late_joiner_sees_what_was_said_before_it_came(room: Room) -> None:
    incident = room.new()
    room.sync(A, B, C)
    room.tell(B, "incident status", incident=incident, affected=True)
    room.tell(A, "incident event add", incident=incident, name="Web shell found")
    room.sync(A, B, C)
    room.join(D, A, B, C)
    assert {k: v for k, v in room.says(D, incident).items() if v != "silent"} == {
        A: "no-status",
        B: "affected",
        D: "no-status",
    }
    assert [one["name"] for one in room.picture(D, incident)["timeline"]] == [A]


def test_party_that_withdrew_gets_nothing_more_and_its_words_stay(room: Room) -> None:
    incident = room.new()
    room.sync(A, B, C)
    room.tell(C, "incident status", incident=incident, affected=True)
    room.sync(A, B, C)
    _, over = withdraw(room.nodes[C], room.agreement, effective=None, officer="officer-1")
    room.sync(A, B, C)
    while room.at <= over:
        room.at += DAY // 2  # the members renew by contacts, as the lease asks
        room.sync(A, B, C)
    later = room.tell(A, "incident event add", incident=incident, name="Ransom note")["object"]
    room.sync(A, B, C)
    assert later in held(room, B)
    assert later not in held(room, C)
    assert room.says(A, incident)[C] == "affected"


def test_part_that_is_kept_back_hides_nothing_of_the_incident(room: Room) -> None:
    incident = room.new()
    secret = room.tell(A, "incident task add", incident=incident, name="Source at the provider", **KEPT)["object"]
    room.tell(A, "incident task add", incident=incident, name="Patch", **AMBER)
    room.sync(A, B, C)
    picture = room.picture(B, incident)
    assert [one["says"]["name"] for one in picture["tasks"]] == ["Patch"]
    assert picture["words"][0]["core"]["determination"] == "suspected"
    assert secret not in held(room, B)
    assert secret not in str(picture)


def test_word_on_an_incident_that_may_not_go_on_reaches_a_third_party_without_the_incident(room: Room) -> None:
    incident = room.new(**AMBER)
    room.sync(A, B, C)
    made = room.tell(B, "incident status", incident=incident, affected=True)["object"]
    room.sync(A, B, C)
    assert room.says(A, incident)[B] == "affected"
    assert B not in room.says(C, incident)
    with room.nodes[B].store.read() as tx:
        (row,) = tx.find(StreamRow, party=room.id(C), object=made)
    assert incident.encode() in row.hidden


def test_rehearsal_says_who_would_get_it_and_keeps_nothing(room: Room) -> None:
    incident = room.new()
    before = held(room, A)
    told = room.tell(A, "incident event add", dry=True, incident=incident, name="Web shell found")
    assert {one["name"] for one in told["effects"]} == {B, C}
    assert held(room, A) == before
    kept = room.tell(A, "incident event add", dry=True, incident=incident, name="Web shell found", **KEPT)
    assert kept["effects"] == []


def test_incident_of_another_party_is_not_changed_here(room: Room) -> None:
    incident = room.new()
    room.sync(A, B, C)
    with pytest.raises(NotAllowed) as refused:
        room.tell(B, "incident close", incident=incident)
    assert refused.value.code == "not-ours"
    with pytest.raises(NotFound):
        room.tell(B, "incident status", incident="incident--00000000-0000-4000-8000-000000000000", affected=True)


def test_closed_incident_leaves_the_list_and_keeps_its_picture(room: Room) -> None:
    incident = room.new()
    room.tell(A, "incident change", incident=incident, determination="confirmed", kind=("ransomware",))
    room.tell(A, "incident close", incident=incident)
    room.sync(A, B, C)
    assert room.tell(B, "incident list")["incidents"] == []
    (one,) = room.tell(B, "incident list", all=True)["incidents"]
    core: dict[str, Any] = one["core"]
    assert (core["determination"], core["investigation_status"], list(core["incident_types"])) == (
        "confirmed",
        "closed",
        ["ransomware"],
    )


def test_who_knows_tells_given_receipted_told_and_looked_apart(room: Room) -> None:
    incident = room.new()
    queued = {line["name"]: line["word"] for line in room.tell(A, "incident who", incident=incident)["parties"]}
    assert queued == {A: "ours", B: "queued", C: "queued"}
    room.sync(A, B)
    room.tell(B, "incident status", incident=incident, checking=True)
    room.tell(A, "incident told", incident=incident, how="telephone", party=(C,), name=("the ministry",))
    room.contact(B, A)
    found = room.tell(A, "incident who", incident=incident)
    lines = {line["name"]: line for line in found["parties"]}
    assert (lines[B]["word"], lines[B]["looked"], lines[B]["receipted"]) == ("answered", True, True)
    assert (lines[C]["word"], lines[C]["looked"], lines[C]["told"][0]["how"]) == ("queued", False, "telephone")
    assert [one["name"] for one in found["others"]] == ["the ministry"]


@pytest.mark.parametrize("change", [{"taken": 0}, {"officer": "officer-9"}, {"done": 0}])
def test_batch_that_was_minted_and_changed_by_hand_is_named(room: Room, change: dict[str, Any]) -> None:
    room.new()
    with room.nodes[A].store.write() as tx:
        batch = next(row for row in tx.find(Batch) if row.name == "incident open")
        assert list(examine(room.nodes[A])) == []
        tx.put(replace(batch, **change))
    assert any(one.what == f"batch:{batch.b}" for one in examine(room.nodes[A]))
