"""The time of a case comes from the agreement: taken from it, only lengthened, and held against a convener that says less."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from comity.desks.cases import DESK
from comity.kernel.errors import ComityError, NotAllowed, Usage
from comity.kernel.model.instants import DAY, HOUR, parse
from comity.kernel.procedure.calendar import Calendar
from comity.kernel.procedure.charter import Charter
from comity.kernel.release.templates import community
from comity.kernel.seal.canonical import canonical
from comity.kernel.store.rows import CaseEntry
from comity.node.casework import acting
from comity.node.casework.acting import open_case
from comity.node.casework.agreed import ZONE_FOR
from comity.node.casework.keeping import case_row, state_of_case
from comity.node.deeds import deed
from comity.node.desk import Told, carry_out
from comity.node.procedures import shipped_tables, zone
from comity.node.record import log_facts
from simulators.world import World

A, B, C = "Team A", "Team B", "Team C"
DEEDS = {one.name: one for one in DESK.deeds}
SECTION = """
[[procedure]]
table    = "silence"
times    = {silence = "3 working days", minimum = "PT24H", case = "P30D", convener-gone = "P2D"}
zone     = "Europe/Tallinn"
working  = ["monday", "tuesday", "wednesday", "thursday", "friday"]
holidays = ["2021-03-09"]
closes   = "17:00"
"""


@pytest.fixture
def world() -> World:
    made = World()
    for name in (A, B, C):
        made.node(name)
    made.introduce(A, B, C)
    return made


def agreed(world: World, section: str = SECTION, *names: str) -> str:
    who = names or (A, B, C)
    return world.agree(community(world.parties(*who), enters_into_force=world.at) + section, *who)


def said(world: World, name: str, words: str, **more: Any) -> Told:
    return carry_out(world.nodes[name], DEEDS[words], more, "officer-1")


def opened(world: World, **more: Any) -> Told:
    made = said(world, A, "case open", procedure="silence", title="Text", party=[B, C], **more)
    world.sync(A, B, C)
    return made


def charter(world: World, name: str) -> Charter:
    with world.nodes[name].store.read() as tx:
        return state_of_case(tx, case_row(tx, "Text")).charter


def lines(world: World, name: str) -> str:
    return "\n".join(said(world, name, "case show", case="Text").lines)


def test_three_working_days_of_the_agreement_are_counted_on_its_calendar(world: World) -> None:
    digest = agreed(world)
    world.at = parse("2021-03-05T12:00:00Z") + HOUR  # a Friday
    opened(world, agreement=digest)
    found = charter(world, C)
    assert found.agreement == digest and found.calendar.zone.name == "Europe/Tallinn"
    assert found.settings == {"case": "P30D", "convener-gone": "P2D", "minimum": "PT24H", "silence": "3 working days"}
    said(world, A, "case put", case="Text", text=b"One sentence.")
    world.sync(A, B, C)
    clocks = said(world, B, "case show", case="Text").shape["state"]["clocks"]
    # Monday and Wednesday and Thursday: Tuesday is a holiday of the agreement; the day closes at 17:00 in Tallinn.
    assert clocks["silence"]["due"] == "2021-03-11T15:00:00.000Z"
    said(world, B, "case act", case="Text", type="receipt")


def test_set_and_holiday_only_lengthen(world: World) -> None:
    digest = agreed(world)
    opened(world, agreement=digest[:12], set=("silence=5 working days", "minimum=PT48H"), holiday=("2021-03-10",))
    found = charter(world, B)
    assert found.settings["silence"] == "5 working days" and found.settings["minimum"] == "PT48H"
    assert len(found.calendar.holidays) == 2
    said(world, A, "case put", case="Text", text=b"One sentence.")
    for shorter in ("silence=2 working days", "silence=P9D", "minimum=PT23H", "case=PT720H", "convener-gone=P3D"):
        with pytest.raises(NotAllowed) as refused:
            said(world, A, "case open", procedure="silence", title="X", party=[B, C], agreement=digest, set=(shorter,))
        assert refused.value.code == "case-agreement"
        assert shorter.partition("=")[0] in refused.value.sentence
    with pytest.raises(Usage):
        said(world, A, "case open", procedure="silence", title="X", party=[B], agreement=digest, zone="UTC")
    with pytest.raises(ComityError, match="says nothing of the procedure"):
        said(world, A, "case open", procedure="committed-round", title="X", party=[B], agreement=digest)


def test_a_convener_cannot_open_a_shorter_case_by_not_naming_the_agreement(world: World) -> None:
    agreed(world)
    times = ("silence=PT1H", "minimum=PT1H", "case=P30D", "convener-gone=P2D")
    with pytest.raises(NotAllowed) as refused:
        said(world, A, "case open", procedure="silence", title="X", party=[B, C], set=times)
    assert refused.value.code == "case-agreement"


def lying(world: World, monkeypatch: pytest.MonkeyPatch, change: dict[str, Any]) -> None:
    """A convener whose own node does not hold it to the agreement opens a case and puts a text."""
    table = shipped_tables()["silence"]
    data = dict(table.data)
    with monkeypatch.context() as patch:
        patch.setattr(acting, "_as_agreed", lambda *args: None)
        with deed(world.nodes[A], "officer-1") as work:
            known = zone("Europe/Tallinn", work.at, work.at + ZONE_FOR)
            calendar = Calendar(known, frozenset(range(1, 6)), frozenset({18_695}), 17 * 60)  # 2021-03-09
            made = Charter(
                table.digest,
                log_facts(work.tx).origin,
                tuple(sorted(world.nodes[name].party for name in (A, B, C))),
                {"silence": "3 working days", "minimum": "PT24H", "case": "P30D", "convener-gone": "P2D"},
                calendar=calendar,
            )
            open_case(work, canonical(data), title="Text", charter=replace(made, **change), officer="officer-1")
        said(world, A, "case put", case="Text", text=b"One sentence.")
    world.sync(A, B, C)


KNOWN = zone("Europe/Tallinn", parse("2021-03-05T00:00:00Z"), parse("2021-03-05T00:00:00Z") + ZONE_FOR)
SHIFTED = replace(KNOWN, changes=tuple((at, offset + 3600) for at, offset in KNOWN.changes))
TIMES = {"silence": "3 working days", "minimum": "PT24H", "case": "P30D", "convener-gone": "P2D"}
WEEK, FREE = frozenset(range(1, 6)), frozenset({18_695})


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"settings": {**TIMES, "silence": "1 working day"}}, "silence is 1 working day"),
        ({"settings": {**TIMES, "minimum": "PT1S"}}, "minimum is PT1S"),
        ({"settings": {**TIMES, "convener-gone": "P999D"}}, "neither more nor less"),
        ({"settings": {**TIMES, "convener-gone": "PT1H"}}, "neither more nor less"),
        ({"calendar": Calendar(KNOWN, frozenset(range(1, 8)), FREE, 17 * 60)}, "counts saturday, sunday as worked"),
        ({"calendar": Calendar(KNOWN, WEEK, frozenset(), 17 * 60)}, "2021-03-09"),
        ({"calendar": Calendar(KNOWN, WEEK, FREE, 60)}, "working days end before 17:00"),
        ({"calendar": Calendar(replace(KNOWN, name="UTC"), WEEK, FREE, 17 * 60)}, "by the clock of UTC"),
        ({"calendar": Calendar(SHIFTED, WEEK, FREE, 17 * 60)}, "shows another hour"),
        ({"agreement": "ab" * 32}, "says nothing of this procedure that is in force"),
    ],
)
def test_a_charter_that_says_less_than_the_agreement_is_shown_and_nobody_of_ours_acts_in_it(
    world: World, monkeypatch: pytest.MonkeyPatch, change: dict[str, Any], told: str
) -> None:
    agreed(world)
    lying(world, monkeypatch, change)
    for name in (B, C):
        assert told in lines(world, name), name
        with pytest.raises(NotAllowed) as refused:
            said(world, name, "case act", case="Text", type="receipt")
        assert refused.value.code == "case-agreement"
    world.at += 40 * DAY
    for node in world.nodes.values():
        with deed(node):
            pass
    world.sync(A, B, C)
    assert said(world, C, "case show", case="Text").shape["state"]["state"] == "silence"  # and never adopted


def test_an_honest_charter_that_names_no_agreement_is_taken_part_in(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    agreed(world)
    lying(world, monkeypatch, {})
    said(world, B, "case act", case="Text", type="receipt")


def test_an_agreement_that_ended_or_that_the_convener_never_signed_holds_nobody(world: World) -> None:
    agreed(world, SECTION, B, C)
    times = ("silence=PT2H", "minimum=PT1H", "case=P30D", "convener-gone=P2D")
    opened(world, set=times)
    said(world, A, "case put", case="Text", text=b"One sentence.")
    world.sync(A, B, C)
    said(world, B, "case act", case="Text", type="receipt")
    with world.nodes[B].store.read() as tx:
        assert tx.count(CaseEntry) == 2
