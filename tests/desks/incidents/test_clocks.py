"""Clocks of an incident: the duties a party says it owes, counted to the instant where they can be, shown with words where not."""

from __future__ import annotations

from typing import Any

import pytest

from comity.kernel.errors import NotFound, Usage
from comity.kernel.model.instants import parse
from simulators.incidentroom import Room
from simulators.world import DAY, HOUR, SECOND

A, B = "Team A", "Team B"


@pytest.fixture
def room() -> Room:
    return Room().open(A, B)


def at(room: Room, text: str) -> None:
    """Move the clock of the world forward to an instant."""
    assert parse(text) >= room.at
    room.at = parse(text)


def line(room: Room, clock: str, name: str = A) -> dict[str, Any]:
    """One clock as a node shows it."""
    (found,) = [one for one in room.tell(name, "incident clock list")["clocks"] if one["clock"] == clock]
    return dict(found)


def start(room: Room, incident: str, clock: str, **more: Any) -> dict[str, Any]:
    told = room.tell(A, "incident clock start", incident=incident, clock=clock, evidence="ticket 4711", **more)
    return dict(told["reading"])


def test_clock_is_running_then_missed_to_the_microsecond_then_met_late(room: Room) -> None:
    incident = room.new()
    found = start(room, incident, "nis2-early-warning")
    assert (found["state"], found["due"], found["evidence"]) == ("running", "2021-03-06T12:00:00.000Z", "ticket 4711")
    at(room, "2021-03-06T12:00:00Z")
    assert (line(room, "nis2-early-warning")["state"], line(room, "nis2-early-warning")["left"]) == ("running", 0)
    room.at += 1
    assert line(room, "nis2-early-warning")["state"] == "missed"
    room.at += HOUR
    room.tell(A, "incident clock stop", incident=incident, clock="nis2-early-warning", evidence="mail 7")
    found = line(room, "nis2-early-warning")
    assert (found["state"], found["ended_by"]) == ("met-late", "mail 7")


def test_clock_that_is_stopped_in_time_is_met_and_starts_the_next_of_its_duty(room: Room) -> None:
    incident = room.new()
    start(room, incident, "nis2-notification")
    assert line(room, "nis2-final")["state"] == "not-started"
    room.at += DAY
    room.tell(A, "incident clock stop", incident=incident, clock="nis2-notification", evidence="form 3")
    assert line(room, "nis2-notification")["state"] == "met"
    final = line(room, "nis2-final")
    assert (final["state"], final["due"], final["evidence"]) == ("running", "2021-04-06T12:00:00.000Z", "form 3")


def test_month_that_is_shorter_ends_on_its_last_day(room: Room) -> None:
    at(room, "2022-01-31T22:30:00Z")
    incident = room.new()
    start(room, incident, "nis2-notification", at="2022-01-31T21:00:00Z")
    room.tell(A, "incident clock stop", incident=incident, clock="nis2-notification", evidence="form 3")
    assert line(room, "nis2-final")["due"] == "2022-02-28T22:30:00.000Z"


def test_month_is_counted_on_the_wall_clock_of_the_zone_over_a_change_of_the_clock(room: Room) -> None:
    at(room, "2022-02-28T22:30:00Z")  # 1 March, 00:30 in Tallinn
    incident = room.new()
    start(room, incident, "nis2-notification", at="2022-02-28T21:00:00Z", zone="Europe/Tallinn")
    room.tell(A, "incident clock stop", incident=incident, clock="nis2-notification", evidence="form 3")
    final = line(room, "nis2-final")
    assert (final["due"], final["zone"]) == (
        "2022-03-31T21:30:00.000Z",
        "Europe/Tallinn",
    )  # 1 April, 00:30, summer time
    early = start(room, incident, "nis2-early-warning", at="2022-02-28T21:00:00Z", zone="Europe/Tallinn")
    assert early["due"] == "2022-03-01T21:00:00.000Z"


def test_hours_are_exact_over_a_change_of_the_clock(room: Room) -> None:
    at(room, "2022-03-26T20:00:00Z")
    incident = room.new()
    assert start(room, incident, "nis2-early-warning", zone="Europe/Tallinn")["due"] == "2022-03-27T20:00:00.000Z"


def test_zone_travels_as_data_so_that_two_nodes_count_alike(room: Room) -> None:
    at(room, "2022-02-28T22:30:00Z")
    incident = room.new()
    start(room, incident, "nis2-notification", zone="Europe/Tallinn")
    room.tell(A, "incident clock stop", incident=incident, clock="nis2-notification", evidence="form 3")
    room.sync(A, B)
    ours, theirs = line(room, "nis2-final"), line(room, "nis2-final", B)
    assert (theirs["due"], theirs["name"]) == (ours["due"], A)


@pytest.mark.parametrize("clock", ["nis2-intermediate", "un-poc-ping"])
def test_clock_without_an_executable_due_is_shown_with_its_words_and_never_counted(room: Room, clock: str) -> None:
    incident = room.new()
    found = start(room, incident, clock)
    assert (found["state"], found["due"], found["left"]) == ("shown", None, None)
    assert found["started_at"] == "2021-03-05T12:00:00.000Z"
    shown = [text for text in room.lines(A, "incident clock list") if text.startswith(clock)]
    assert found["due_words"] in shown[0]
    room.at += 3000 * DAY
    assert line(room, clock)["state"] == "shown"


def test_waived_clock_keeps_its_reason_and_its_evidence(room: Room) -> None:
    incident = room.new()
    start(room, incident, "gdpr-breach")
    with pytest.raises(Usage):
        room.tell(A, "incident clock stop", incident=incident, clock="gdpr-breach", evidence="mail", waived=True)
    room.tell(
        A,
        "incident clock stop",
        incident=incident,
        clock="gdpr-breach",
        evidence="mail 9",
        waived=True,
        reason="no data",
    )
    found = line(room, "gdpr-breach")
    assert (found["state"], found["ended_by"], found["reasons"]) == ("waived", "mail 9", ["no data"])


def test_extension_and_pause_move_the_end_and_keep_their_evidence(room: Room) -> None:
    incident = room.new()
    start(room, incident, "dora-initial")
    room.tell(
        A,
        "incident clock move",
        incident=incident,
        clock="dora-initial",
        evidence="letter",
        until="2021-03-06T00:00:00Z",
    )
    assert (line(room, "dora-initial")["due"], line(room, "dora-initial")["extended_by"]) == (
        "2021-03-06T00:00:00.000Z",
        ["letter"],
    )
    room.at += HOUR
    room.tell(A, "incident clock move", incident=incident, clock="dora-initial", evidence="call", pause=True)
    assert line(room, "dora-initial")["state"] == "paused"
    room.at += 2 * HOUR
    room.tell(A, "incident clock move", incident=incident, clock="dora-initial", evidence="call", resume=True)
    assert line(room, "dora-initial")["due"] == "2021-03-06T02:00:00.000Z"


def test_each_clock_shows_its_source_its_day_and_whether_it_was_checked(room: Room) -> None:
    known = {one["clock"]: one for one in room.tell(A, "incident clock list", known=True)["clocks"]}
    assert len(known) == 26
    assert known["nis2-early-warning"]["sources"][0]["url"].startswith("https://")
    for one in known.values():
        assert one["version"] == "2026-11-21"
        assert one["verified"] is False or one["sources"], one["clock"]
    incident = room.new()
    start(room, incident, "gdpr-breach")
    (text,) = [text for text in room.lines(A, "incident clock list") if text.startswith("gdpr-breach")]
    assert "unconfirmed; no source; 2026-11-21" in text


def test_clocks_that_nobody_said_are_owed_are_named_and_not_counted(room: Room) -> None:
    incident = room.new()
    start(room, incident, "nis2-early-warning")
    told = room.tell(A, "incident clock list")
    assert {one["clock"] for one in told["clocks"]} == {"nis2-early-warning"}
    assert {one["clock"] for one in told["may_apply"]} == {"nis2-notification", "nis2-trust-services"}


def test_two_parties_owe_each_its_own_clock(room: Room) -> None:
    incident = room.new()
    room.sync(A, B)
    start(room, incident, "nis2-early-warning")
    room.at += HOUR
    room.tell(B, "incident clock start", incident=incident, clock="nis2-early-warning", evidence="log")
    room.tell(A, "incident clock stop", incident=incident, clock="nis2-early-warning", evidence="mail")
    room.sync(A, B)
    found = {one["name"]: (one["state"], one["due"]) for one in room.tell(B, "incident clock list")["clocks"]}
    assert found == {A: ("met", "2021-03-06T12:00:00.000Z"), B: ("running", "2021-03-06T13:00:00.000Z")}


def test_what_has_not_happened_starts_no_clock_and_what_does_not_run_is_not_stopped(room: Room) -> None:
    incident = room.new()
    with pytest.raises(Usage) as refused:
        start(room, incident, "nis2-early-warning", at="2021-03-05T12:00:01Z")
    assert refused.value.code == "desk-asked"
    with pytest.raises(NotFound) as missing:
        room.tell(A, "incident clock stop", incident=incident, clock="nis2-early-warning", evidence="mail")
    assert missing.value.code == "desk-asked"
    with pytest.raises(NotFound) as unknown:
        start(room, incident, "nis2-early-warnin")
    assert "nis2-early-warning" in unknown.value.sentence
    room.at += SECOND
    assert start(room, incident, "nis2-early-warning", at="2021-03-05T12:00:01Z")["state"] == "running"
