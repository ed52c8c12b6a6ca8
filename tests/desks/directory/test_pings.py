"""Pings: sent, delivered, answered in time or late, overdue, failed; and the report on who can be reached."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from comity.desks.directory.checks import CADENCE, CADENCE_SOURCE
from comity.kernel.errors import NotAllowed, NotFound, Usage
from comity.kernel.model.instants import DAY, HOUR, MINUTE, duration
from comity.node.doctor import examine
from simulators.directory import Directory

A, B, C = "Team A", "Team B", "Team C"
OFFICE = {"name": "Duty officer", "office": "duty", "channel": ["telephone=+3225550100"]}


def asked() -> tuple[Directory, str]:
    """Team A has an office; Team B asks it for an answer within a day."""
    world = Directory()
    world.do(A, "contact add", **OFFICE)
    world.all()
    return world, world.do(B, "contact ping", office="Team A/duty", answer_by="P1D").shape["object"]


def state(world: Directory) -> str:
    (one,) = world.do(B, "contact pings").shape["ours"]
    return str(one["state"])


def test_ping_is_sent_delivered_and_answered_in_time() -> None:
    world, ping = asked()
    assert state(world) == "sent"
    world.all()
    assert state(world) == "delivered"
    (waiting,) = world.do(A, "contact pings", waiting=True).shape["to_us"]
    assert (waiting["object"], waiting["overdue"]) == (ping, False)
    world.at += 90 * MINUTE
    world.do(A, "contact answer", ping=ping[:24], note="here")
    world.all()
    (one,) = world.do(B, "contact pings").shape["ours"]
    assert (one["state"], one["note"]) == ("answered", "here")
    assert world.do(A, "contact pings", waiting=True).shape["to_us"] == []
    (row,) = world.do(B, "contact report").shape["offices"]
    assert (row["verdict"], row["answered_in_time"], row["typical_minutes"]) == ("reachable", 1, 90)
    assert (world.do(C, "contact pings").shape["ours"], world.do(C, "contact pings").shape["to_us"]) == ([], [])
    for node in world.nodes.values():
        assert list(examine(node)) == []


def test_answer_after_the_time_is_late_and_none_is_overdue() -> None:
    world, ping = asked()
    world.all()
    world.at += 2 * DAY
    assert state(world) == "overdue"
    assert world.do(B, "contact report").status == 1
    world.all()
    assert world.do(A, "contact answer", ping=ping).shape["late"] is True
    world.all()
    assert state(world) == "answered-late"
    assert world.do(B, "contact report").shape["offices"][0]["verdict"] == "late"


def test_answer_of_another_party_counts_for_nothing() -> None:
    world, ping = asked()
    world.all()
    with pytest.raises(NotFound):
        world.do(C, "contact answer", ping=ping)
    assert state(world) == "delivered"


def test_ping_that_no_clause_carries_is_not_kept() -> None:
    world, _ = asked()
    world.node("Team D", country="XD")
    world.introduce(B, "Team D")
    world.do(B, "contact add", **{**OFFICE, "party": "Team D"})
    with pytest.raises(NotAllowed) as refused:
        world.do(B, "contact ping", office="Team D/duty")
    assert refused.value.code == "not-carried"
    assert "No clause" in refused.value.sentence or "no clause" in refused.value.sentence
    assert len(world.do(B, "contact pings").shape["ours"]) == 1


def test_call_by_telephone_is_recorded_with_what_came_of_it_and_goes_to_nobody() -> None:
    world, _ = asked()
    world.do(B, "contact ping", office="Team A/duty", by="telephone", outcome="failed", note="rang for two minutes")
    world.all()
    states = {one["by"]: one["state"] for one in world.do(B, "contact pings").shape["ours"]}
    assert states == {"exchange": "delivered", "telephone": "failed"}
    assert world.do(B, "contact report").shape["offices"][0]["verdict"] == "unreachable"
    assert len(world.do(A, "contact pings").shape["to_us"]) == 1
    with pytest.raises(Usage):
        world.do(B, "contact ping", office="Team A/duty", by="telephone")
    with pytest.raises(Usage):
        world.do(B, "contact ping", office="Team A/duty", outcome="answered")


def test_office_that_was_pinged_is_due_again_after_its_cadence() -> None:
    world, _ = asked()
    assert world.do(B, "contact pings").shape["due"] == []
    assert [one["office"] for one in world.do(C, "contact pings").shape["due"]] == ["duty"], "never pinged by Team C"
    world.at += CADENCE + HOUR
    assert [one["office"] for one in world.do(B, "contact pings").shape["due"]] == ["duty"]
    world.do(B, "contact ping", office="Team A/duty", cadence="P7D")
    assert world.do(B, "contact pings").shape["due"] == []
    world.at += 8 * DAY
    assert [one["office"] for one in world.do(B, "contact pings").shape["due"]] == ["duty"]


def test_ping_is_answered_once() -> None:
    world, ping = asked()
    world.all()
    world.do(A, "contact answer", ping=ping)
    with pytest.raises(NotAllowed) as refused:
        world.do(A, "contact answer", ping=ping)
    assert refused.value.code == "already-done"


def test_cadence_is_the_one_of_the_reference_and_says_that_it_is_not_confirmed() -> None:
    path = Path(__file__).parents[3] / "src" / "comity" / "data" / "reference" / "clocks.yaml"
    rows: list[dict[str, Any]] = [
        one
        for part in yaml.safe_load(path.read_text(encoding="utf-8")).values()
        if isinstance(part, list)
        for one in part
        if isinstance(one, dict) and one.get("id") == "un-poc-ping"
    ]
    assert len(rows) == 1
    assert CADENCE_SOURCE[0] == f"clocks.yaml, {rows[0]['id']}: cadence {rows[0]['cadence']}"
    assert CADENCE_SOURCE[1] is rows[0]["verified"]
    assert abs(duration(rows[0]["cadence"]) - CADENCE) <= 2 * DAY  # half a year, where a month counts as 30 days
