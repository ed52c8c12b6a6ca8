"""Hours by the wall clock of a zone: public holidays, nights, the hours that a change of summer time takes or gives."""

from __future__ import annotations

import sys
from zoneinfo import ZoneInfo, reset_tzpath

import pytest

from comity.desks.directory.hours import joined, minutes_of, open_spans, zone_of
from comity.desks.directory.kinds import DAYS, Closure, Hours
from comity.kernel.model.instants import DAY, HOUR, format, parse

BRUSSELS = ZoneInfo("Europe/Brussels")
WEEK = Hours(days=("mo", "tu", "we", "th", "fr"), opens="09:00", closes="17:00")
NIGHT = Hours(days=DAYS, opens="22:00", closes="06:00")
ALWAYS = Hours(days=DAYS, opens="00:00", closes="24:00")


def spans(hours: list[Hours], start: str, days: int = 1, closures: tuple[Closure, ...] = ()) -> list[tuple[str, str]]:
    at = parse(start)
    return [
        (format(one)[:16], format(other)[:16])
        for one, other in open_spans(hours, closures, BRUSSELS, at, at + days * DAY)
    ]


def test_office_opens_by_the_clock_of_its_zone_in_winter_and_in_summer() -> None:
    assert spans([WEEK], "2026-01-05T00:00:00Z") == [("2026-01-05T08:00", "2026-01-05T16:00")]
    assert spans([WEEK], "2026-07-06T00:00:00Z") == [("2026-07-06T07:00", "2026-07-06T15:00")]


def test_office_is_closed_at_the_weekend_and_on_its_holidays() -> None:
    assert spans([WEEK], "2026-01-03T00:00:00Z", 2) == []
    easter = Closure(first="2026-04-03", last="2026-04-06", name="Easter")
    assert spans([WEEK], "2026-04-02T00:00:00Z", 6, (easter,)) == [
        ("2026-04-02T07:00", "2026-04-02T15:00"),
        ("2026-04-07T07:00", "2026-04-07T15:00"),
    ]
    labour = Closure(first="2020-05-01", yearly=True)
    assert spans([WEEK], "2026-05-01T00:00:00Z", 1, (labour,)) == []
    turn = Closure(first="2020-12-24", last="2021-01-01", yearly=True)
    assert spans([WEEK], "2026-12-23T00:00:00Z", 13, (turn,)) == [
        ("2026-12-23T08:00", "2026-12-23T16:00"),
        ("2027-01-04T08:00", "2027-01-04T16:00"),
    ]


def test_night_shift_runs_into_the_holiday_after_it_and_none_begins_on_it() -> None:
    feast = Closure(first="2026-01-06")
    found = spans([NIGHT], "2026-01-05T12:00:00Z", 2, (feast,))
    assert found == [("2026-01-05T21:00", "2026-01-06T05:00")]


def test_spring_night_is_an_hour_shorter_and_autumn_night_an_hour_longer() -> None:
    for start, hours in (("2026-03-28T12:00:00Z", 7), ("2026-10-24T12:00:00Z", 9), ("2026-06-06T12:00:00Z", 8)):
        at = parse(start)
        found = open_spans([NIGHT], (), BRUSSELS, at, at + DAY)
        assert [one[1] - one[0] for one in found] == [hours * HOUR], start


def test_hour_that_does_not_exist_opens_nothing_and_one_that_comes_twice_is_open_twice() -> None:
    small = Hours(days=DAYS, opens="02:00", closes="03:00")
    assert spans([small], "2026-03-28T23:00:00Z") == []
    assert spans([small], "2026-10-24T22:00:00Z") == [("2026-10-25T00:00", "2026-10-25T02:00")]


def test_office_that_is_always_open_has_one_span_across_changes_of_time() -> None:
    for start in ("2026-03-28T00:00:00Z", "2026-10-24T00:00:00Z"):
        at = parse(start)
        assert open_spans([ALWAYS], (), BRUSSELS, at, at + 3 * DAY) == [(at, at + 3 * DAY)]


def test_zone_on_the_other_side_of_the_date_line_is_open_on_its_own_day() -> None:
    at = parse("2026-01-04T19:00:00Z")  # Sunday in Brussels, Monday in Kiritimati
    zone = zone_of("Pacific/Kiritimati")
    assert zone is not None
    assert open_spans([WEEK], (), zone, at, at + HOUR) == [(at, at + HOUR)]
    assert open_spans([WEEK], (), BRUSSELS, at, at + HOUR) == []


@pytest.mark.parametrize(
    "name",
    [
        "Europe/Atlantis",
        "../../etc/passwd",
        "/etc/passwd",
        "Europe",
        "",
        "Europe/Brussels\x00",
        "posixrules/",
        "A" * 5000,
    ],
)
def test_zone_that_nobody_knows_is_none(name: str) -> None:
    assert zone_of(name) is None


def test_machine_without_time_zones_knows_none_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    zone_of.cache_clear()
    for module in ("tzdata", "tzdata.zoneinfo", "tzdata.zoneinfo.Europe"):
        monkeypatch.setitem(sys.modules, module, None)
    ZoneInfo.clear_cache()
    reset_tzpath(to=[])
    try:
        assert zone_of("Europe/Brussels") is None
    finally:
        reset_tzpath()
        zone_of.cache_clear()
    assert zone_of("Europe/Brussels") is not None


def test_what_is_no_clock_opens_nothing() -> None:
    assert [minutes_of(one) for one in ("24:00", "00:00", "9:00", "25:00", "12:60", "٠٩:٠٠")] == [
        1440,
        0,
        None,
        None,
        None,
        None,
    ]
    assert spans([Hours(days=DAYS, opens="24:00", closes="24:00")], "2026-01-05T00:00:00Z") == []


def test_spans_that_meet_are_one() -> None:
    assert joined([(5, 9), (1, 3), (3, 5), (20, 30), (22, 25)]) == [(1, 9), (20, 30)]
