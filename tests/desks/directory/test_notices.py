"""Notices: who is on duty is told by a number that something waits, then the substitute, until somebody acknowledges."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from comity.desks.directory.notices import tend
from comity.kernel.errors import NotFound, Unavailable
from comity.kernel.model.instants import HOUR, MINUTE
from comity.node.desk import carry_out
from comity.node.doctor import examine
from simulators.directory import DEEDS, Directory

A, B = "Team A", "Team B"


@dataclass
class Roads:
    """A road that notes what it was told; `broken` addresses fail."""

    told: list[tuple[int, str, str]] = field(default_factory=list)
    broken: set[str] = field(default_factory=set)

    def __call__(self, number: int, kind: str, to: str) -> str:
        if to in self.broken:
            raise Unavailable("notify-failed", f"{to} does not answer.")
        self.told.append((number, kind, to))
        return "test"


def watched() -> tuple[Directory, Roads]:
    """Team B has a duty officer, a substitute after 15 minutes and a head after 30 more, and roads to tell them."""
    world = Directory(A, B)
    roads = Roads()
    world.nodes[B] = replace(world.nodes[B], notify=roads)
    world.do(B, "contact add", name="Duty", office="duty", zone="UTC", channel=["mail=duty@b.example"])
    world.do(
        B,
        "contact rota",
        office="duty",
        duty=["ann=Ann;mail=ann@b.example", "ben;telephone=+2", "head;signal=+3"],
        week=["daily 00:00-24:00 ann"],
        escalate=["ben 15", "head 30"],
        retention="P9D",
        minimised=True,
    )
    world.all()
    return world, roads


def write(world: Directory, **said: Any) -> str:
    told = world.do(A, "message send", subject="Secret subject", text="Secret text", to=[B], **said)
    world.all()
    return str(told.shape["object"])


def test_officer_on_duty_is_told_a_number_and_a_kind_and_nothing_else() -> None:
    world, roads = watched()
    write(world)
    tend(world.nodes[B])
    tend(world.nodes[B])
    assert roads.told == [(1, "message", "mailto:ann@b.example")]
    assert list(examine(world.nodes[B])) == []


def test_substitute_is_told_when_nobody_acknowledged_in_the_minutes_of_the_office() -> None:
    world, roads = watched()
    write(world)
    for minutes in (0, 14, 1, 29, 1, 60, 600):
        world.at += minutes * MINUTE
        tend(world.nodes[B])
    assert [to for _, _, to in roads.told] == ["mailto:ann@b.example", "tel:+2", "signal:+3"]
    (notice,) = world.do(B, "contact notify").shape["notices"]
    assert (notice["told"], notice["next"], notice["ended"]) == (3, None, None)


def test_acknowledgement_to_the_other_party_ends_the_notice() -> None:
    world, roads = watched()
    sent = write(world)
    tend(world.nodes[B])
    world.do(B, "message acknowledge", message=sent)
    world.at += HOUR
    tend(world.nodes[B])
    assert len(roads.told) == 1
    assert world.do(B, "contact notify").shape["notices"] == []


def test_number_that_somebody_has_in_hand_is_told_to_nobody_more_and_tells_the_other_party_nothing() -> None:
    world, roads = watched()
    write(world)
    tend(world.nodes[B])
    (done,) = world.do(B, "contact notify", acknowledge=1).shape["notices"]
    assert (done["notice"], done["by"]) == (1, "officer officer-1")
    world.at += HOUR
    tend(world.nodes[B])
    world.all()
    assert len(roads.told) == 1
    assert world.do(A, "message list").shape["messages"][0]["to"][0]["state"] == "delivered"
    with pytest.raises(NotFound):
        world.do(B, "contact notify", acknowledge=99)


def test_ping_and_overdue_answer_are_told_too_each_by_its_own_number() -> None:
    world, roads = watched()
    world.do(A, "contact ping", office="Team B/duty")
    world.do(B, "message send", subject="Q", text="?", to=[A], reply_by="PT1H")
    world.all()
    tend(world.nodes[B])
    world.at += 2 * HOUR
    tend(world.nodes[B])
    assert {(number, kind) for number, kind, _ in roads.told} == {(1, "ping"), (2, "overdue")}


def test_road_that_fails_is_tried_again_and_the_substitute_does_not_wait_for_it() -> None:
    world, roads = watched()
    roads.broken = {"mailto:ann@b.example"}
    write(world)
    tend(world.nodes[B])
    (notice,) = world.do(B, "contact notify").shape["notices"]
    assert (notice["told"], notice["error"]) == (0, "mailto:ann@b.example does not answer.")
    roads.broken = set()
    world.at += 2 * MINUTE
    tend(world.nodes[B])
    assert [to for _, _, to in roads.told] == ["mailto:ann@b.example"]
    write(world)
    roads.broken = {"mailto:ann@b.example"}
    tend(world.nodes[B])
    world.at += 16 * MINUTE
    tend(world.nodes[B])
    tend(world.nodes[B])
    assert [(number, to) for number, _, to in roads.told if number == 2] == [(2, "tel:+2")]


def test_dry_run_of_the_deed_tells_nobody() -> None:
    world, roads = watched()
    write(world)
    carry_out(world.nodes[B], DEEDS["contact notify"], {}, "officer-1", dry=True)
    assert roads.told == []


def test_node_without_a_road_says_so_and_counts_what_waits() -> None:
    world, _ = watched()
    write(world)
    world.nodes[B] = replace(world.nodes[B], notify=None)
    told = world.do(B, "contact notify")
    assert told.shape == {"notices": [], "road": False}
    assert "no road for notices (notify.toml); 1 wait." in told.lines[-1]


def test_addresses_in_another_partys_word_are_never_used() -> None:
    world, roads = watched()
    world.do(B, "contact end", office="duty")
    world.do(A, "contact add", name="Trap", office="trap", party=B, channel=["mail=trap@a.example"])
    write(world, office="trap")
    assert "trap" in [one["office"] for one in world.do(B, "contact list").shape["contacts"]]
    tend(world.nodes[B])
    assert roads.told == []
    (notice,) = world.do(B, "contact notify").shape["notices"]
    assert "no office of ours" in notice["error"]


def test_office_that_a_message_names_is_told_and_without_a_rota_the_office_itself() -> None:
    world, roads = watched()
    world.do(B, "contact add", name="Desk", office="desk", channel=["mail=desk@b.example"])
    write(world, office="desk")
    tend(world.nodes[B])
    assert [to for _, _, to in roads.told] == ["mailto:desk@b.example"]
