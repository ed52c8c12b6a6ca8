"""Clocks and calendars: working days, months, changes of the clock, and every clock of the reference data."""

from __future__ import annotations

from datetime import UTC as PY_UTC
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from comity.kernel.errors import InputRefused
from comity.kernel.model.instants import DAY, HOUR, SECOND, format, parse
from comity.kernel.procedure.calendar import UTC, Calendar, Zone, after, calendar_json, executable, read_calendar
from comity.kernel.procedure.clocks import ClockState, Happening, read_clocks, reading, running
from comity.node.procedures import shipped_clocks, zone

TALLINN = zone("Europe/Tallinn", parse("2021-01-01T00:00:00Z"), parse("2022-12-31T00:00:00Z"))
OFFICE = read_calendar(
    {
        "zone": {"name": "Europe/Tallinn", "changes": [[format(at), offset] for at, offset in TALLINN.changes]},
        "working": [1, 2, 3, 4, 5],
        "holidays": ["2021-04-02", "2021-12-24"],
        "closes": "17:00",
    }
)
CLOCKS = {rule.id: rule for rule in shipped_clocks()}
AT = parse("2021-03-02T08:30:00Z")


@pytest.mark.parametrize(
    ("start", "stretch", "due"),
    [
        ("2021-03-02T08:30:00.000Z", "PT24H", "2021-03-03T08:30:00.000Z"),
        ("2021-01-31T10:00:00.000Z", "P1M", "2021-02-28T10:00:00.000Z"),
        ("2020-02-29T10:00:00.000Z", "P1Y", "2021-02-28T10:00:00.000Z"),
        ("2021-03-27T10:00:00.000Z", "P1D", "2021-03-28T09:00:00.000Z"),  # the local hour stays, the day has 23
        ("2021-03-27T10:00:00.000Z", "PT24H", "2021-03-28T10:00:00.000Z"),
        ("2021-03-27T01:30:00.000Z", "P1D", "2021-03-28T01:30:00.000Z"),  # 03:30 is skipped and reads 04:30
        ("2021-10-30T00:30:00.000Z", "P1D", "2021-10-31T01:30:00.000Z"),  # 03:30 comes twice: the later one
        ("2021-03-04T20:00:00.000Z", "1 working day", "2021-03-05T15:00:00.000Z"),
        ("2021-03-05T08:00:00.000Z", "1 working day", "2021-03-08T15:00:00.000Z"),  # Friday to Monday
        ("2021-03-04T23:30:00.000Z", "1 working day", "2021-03-08T15:00:00.000Z"),  # is Friday in Tallinn already
        ("2021-04-01T08:00:00.000Z", "2 working days", "2021-04-06T14:00:00.000Z"),  # Good Friday, summer time
    ],
)
def test_a_stretch_of_time_ends_when_the_agreed_calendar_says(start: str, stretch: str, due: str) -> None:
    assert format(after(parse(start), stretch, OFFICE)) == due


@settings(max_examples=120, deadline=None)
@given(st.integers(0, 600 * 24 * 60))
def test_local_time_is_that_of_the_zone_data_and_reads_back(minutes: int) -> None:
    at = parse("2021-01-02T00:00:00Z") + minutes * 60 * SECOND
    day, micro = TALLINN.local(at)
    local = (datetime(1970, 1, 1, tzinfo=PY_UTC) + timedelta(microseconds=at)).astimezone(ZoneInfo("Europe/Tallinn"))
    assert (day, micro) == (
        local.date().toordinal() - datetime(1970, 1, 1).toordinal(),
        (local.hour * 60 + local.minute) * 60 * SECOND,
    )
    assert TALLINN.instant(day, micro) in (at, at + HOUR)
    assert TALLINN.instant(day, micro) == at or local.fold == 0


@settings(max_examples=120, deadline=None)
@given(
    st.integers(0, 500 * 24 * 60),
    st.integers(0, 60 * 24),
    st.sampled_from(["PT1H", "P1D", "P3D", "P1W", "1 working day", "3 working days"]),
)
def test_who_starts_later_is_never_due_earlier(minutes: int, more: int, stretch: str) -> None:
    at = parse("2021-01-02T00:00:00Z") + minutes * 60 * SECOND
    assert at < after(at, stretch, OFFICE)
    late = after(at + more * 60 * SECOND, stretch, OFFICE)
    # Within the hour that the autumn change repeats, the local clock itself goes back.
    assert late >= after(at, stretch, OFFICE) - HOUR


@pytest.mark.parametrize(
    "stretch",
    [
        "",
        "P",
        "PT",
        "P1DT",
        "3 days",
        "0 working days",
        "on-request",
        "configurable",
        "P-1D",
        "P200Y",
        "9999 working days",
        "PT99999999999H",
    ],
)
def test_what_is_no_stretch_of_time_is_refused_and_not_counted(stretch: str) -> None:
    assert not executable(stretch)
    with pytest.raises(InputRefused) as refused:
        after(AT, stretch, UTC)
    assert refused.value.code == "procedure-calendar"


def test_a_calendar_is_read_and_written_alike() -> None:
    assert read_calendar(calendar_json(OFFICE)) == OFFICE
    assert read_calendar(calendar_json(UTC)) == UTC


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("zone", {"name": "X", "changes": []}),
        ("zone", {"name": "X", "changes": [["2021-01-01T00:00:00Z", 0], ["2020-01-01T00:00:00Z", 0]]}),
        ("zone", {"name": "X", "changes": [["2021-01-01T00:00:00Z", 90_000]]}),
        ("working", []),
        ("working", [0]),
        ("holidays", ["24.12.2021"]),
        ("holidays", ["2021-02-30"]),
        ("closes", "25"),
        ("closes", "00:00"),
        ("closes", "24:01"),
        ("more", 1),
    ],
)
def test_a_calendar_that_cannot_be_counted_is_refused(member: str, value: Any) -> None:
    with pytest.raises(InputRefused) as refused:
        read_calendar({**calendar_json(UTC), member: value})
    assert refused.value.code == "procedure-calendar"


def test_a_calendar_of_holidays_only_ends_with_a_sentence() -> None:
    endless = Calendar(Zone("UTC", ((0, 0),)), frozenset({1}), frozenset(range(18_000, 60_000)))
    with pytest.raises(InputRefused, match="too few working days"):
        after(AT, "1 working day", endless)


@pytest.mark.parametrize("start", ["9999-12-01T00:00:00Z", "9999-12-31T23:59:59Z"])
@pytest.mark.parametrize("stretch", ["PT960H", "P40D", "P2M", "P1Y", "40 working days"])
def test_a_stretch_that_leaves_the_calendar_is_refused_with_a_sentence(start: str, stretch: str) -> None:
    for calendar in (UTC, OFFICE):
        with pytest.raises(InputRefused, match="leaves the calendar"):
            after(parse(start), stretch, calendar)
    west = Calendar(Zone("west", ((0, -43_200),)))
    with pytest.raises(InputRefused, match="leaves the calendar"):
        after(parse("0001-01-01T00:00:00Z"), "P1M", west)


def test_a_zone_nobody_knows_is_refused() -> None:
    for name in ("Europe/Atlantis", "../../etc/passwd", ""):
        with pytest.raises(InputRefused):
            zone(name, AT, AT + DAY)


# ---------------------------------------------------------------- clocks of the reference data


def test_every_clock_of_the_reference_has_event_ids_and_those_without_a_due_are_only_shown() -> None:
    assert len(CLOCKS) == 26
    assert all(rule.start and rule.stop for rule in CLOCKS.values())
    assert {name for name, rule in CLOCKS.items() if not rule.counted} == {"nis2-intermediate", "un-poc-ping"}
    asked = [Happening("status-update-asked", AT, "object-1")]
    assert reading(CLOCKS["nis2-intermediate"], asked, UTC, AT + DAY).state is ClockState.SHOWN
    assert CLOCKS["gdpr-breach"].verified is False


def test_a_clock_starts_with_its_evidence_and_is_met_late_or_missed() -> None:
    rule = CLOCKS["nis2-early-warning"]
    assert reading(rule, [], UTC, AT).state is ClockState.NOT_STARTED
    known = [
        Happening("significant-incident-known", AT, "incident-1"),
        Happening("significant-incident-known", AT + HOUR, "incident-1b"),
    ]
    now = reading(rule, known, UTC, AT + 2 * HOUR)
    assert (now.state, now.evidence, now.due, now.left) == (ClockState.RUNNING, "incident-1", AT + DAY, 22 * HOUR)
    assert reading(rule, known, UTC, AT + DAY).state is ClockState.RUNNING
    assert reading(rule, known, UTC, AT + DAY + 1).state is ClockState.MISSED
    sent = Happening("early-warning-sent", AT + DAY + HOUR, "report-1")
    late = reading(rule, [*known, sent], UTC, AT + 9 * DAY)
    assert (late.state, late.ended_at, late.ended_by) == (ClockState.MET_LATE, AT + DAY + HOUR, "report-1")
    assert reading(rule, [*known, sent], UTC, AT + DAY + 1).state is ClockState.MISSED, "not known yet"
    in_time = Happening("early-warning-sent", AT + DAY, "report-1")
    assert reading(rule, [in_time, *known], UTC, AT + 9 * DAY).state is ClockState.MET


def test_preservation_is_held_for_its_sixty_days_and_never_missed() -> None:
    rule = CLOCKS["bc29-preservation"]
    known = [Happening("preservation-in-effect", AT, "request-1")]
    assert reading(rule, known, UTC, AT + 59 * DAY).state is ClockState.HOLDING
    assert reading(rule, known, UTC, AT + 61 * DAY).state is ClockState.ELAPSED
    asked = Happening("access-request-received", AT + 61 * DAY, "request-2")
    assert reading(rule, [*known, asked], UTC, AT + 62 * DAY).state is ClockState.MET


def test_a_review_begins_anew_with_each_renewal() -> None:
    rule = CLOCKS["eu-listing-review"]
    known = [Happening("listing-renewed", AT, "act-1"), Happening("listing-renewed", AT + 300 * DAY, "act-2")]
    assert format(reading(rule, known, UTC, AT + DAY).due or 0) == "2022-03-02T08:30:00.000Z"
    assert reading(rule, known, UTC, AT + 301 * DAY).evidence == "act-2"


def test_extending_pausing_and_waiving_are_happenings_with_their_own_evidence() -> None:
    rule = CLOCKS["gdpr-breach"]
    known = [Happening("personal-data-breach-known", AT, "incident-1")]
    longer = Happening("extend:gdpr-breach", AT + DAY, "act-1", AT + 5 * DAY)
    shorter = Happening("extend:gdpr-breach", AT + DAY, "act-2", AT + DAY)
    told = reading(rule, [*known, longer, shorter], UTC, AT + 4 * DAY)
    assert (told.state, told.due, told.extended_by) == (ClockState.RUNNING, AT + 5 * DAY, ("act-1",))
    pause, resume = Happening("pause:gdpr-breach", AT + DAY, "p"), Happening("resume:gdpr-breach", AT + 4 * DAY, "r")
    assert reading(rule, [*known, pause], UTC, AT + 9 * DAY).state is ClockState.PAUSED
    assert reading(rule, [*known, pause, resume], UTC, AT + 4 * DAY).due == AT + 6 * DAY
    for word, state in (("waive", ClockState.WAIVED), ("supersede", ClockState.SUPERSEDED)):
        ended = Happening(f"{word}:gdpr-breach", AT + 9 * DAY, "act-3")
        assert reading(rule, [*known, ended], UTC, AT + 9 * DAY).state is state
    other = Happening("waive:nis2-final", AT + DAY, "act-4")
    assert reading(rule, [*known, other], UTC, AT + 2 * DAY).state is ClockState.RUNNING


HAPPENINGS = st.lists(
    st.builds(
        Happening,
        st.sampled_from(
            [
                "personal-data-breach-known",
                "breach-notification-sent",
                "pause:gdpr-breach",
                "resume:gdpr-breach",
                "extend:gdpr-breach",
                "waive:gdpr-breach",
                "ransom-paid",
            ]
        ),
        st.integers(AT, AT + 6 * DAY),
        st.sampled_from(["x", "y"]),
        st.integers(AT, AT + 9 * DAY),
    ),
    max_size=8,
)


@settings(max_examples=150, deadline=None)
@given(HAPPENINGS, st.integers(AT - DAY, AT + 12 * DAY), st.integers(0, 3 * DAY), st.randoms(use_true_random=False))
def test_a_clock_never_runs_back_and_does_not_depend_on_the_order_in_which_it_is_told(
    happenings: list[Happening], at: int, later: int, order: Any
) -> None:
    rule = CLOCKS["gdpr-breach"]
    before = reading(rule, happenings, UTC, at)
    shuffled = list(happenings)
    order.shuffle(shuffled)
    assert reading(rule, shuffled, UTC, at) == before
    after_it = reading(rule, happenings, UTC, at + later)
    final = (ClockState.MET, ClockState.MET_LATE, ClockState.WAIVED, ClockState.SUPERSEDED)
    if before.state in final:
        assert after_it == before
    if before.state is not ClockState.NOT_STARTED:
        assert after_it.started_at == before.started_at
    if before.state is ClockState.MISSED:
        assert after_it.state is not ClockState.RUNNING or len(after_it.extended_by) > len(before.extended_by)
    if before.due is not None and after_it.due is not None:
        assert after_it.due >= before.due


def test_what_runs_is_listed_with_the_earliest_due_first() -> None:
    known = [
        Happening("significant-incident-known", AT, "i"),
        Happening("ransom-paid", AT - HOUR, "j"),
        Happening("preservation-in-effect", AT, "k"),
    ]
    told = running(shipped_clocks(), known, UTC, AT + HOUR)
    assert [one.clock for one in told][:2] == ["circia-ransom", "nis2-early-warning"]
    assert [one.due for one in told] == sorted(one.due or 0 for one in told)
    assert not any(one.state is ClockState.SHOWN for one in told)


@pytest.mark.parametrize(
    ("reference", "events", "said"),
    [
        ({}, {"clocks": {}}, "not in the form"),
        ({"clocks": [{"id": "x"}]}, {"clocks": {}}, "'x' has no text 'regime'"),
        ({"clocks": []}, {"clocks": {"x": {}}}, "clock x, which is none"),
    ],
)
def test_clock_data_that_are_not_well_formed_are_refused_and_the_clock_is_named(
    reference: Any, events: Any, said: str
) -> None:
    with pytest.raises(InputRefused) as refused:
        read_clocks(reference, events)
    assert said in refused.value.sentence


@pytest.mark.parametrize("events", [{"start": 1}, {"start": "a", "stop": "a"}, {"starts": "never"}, {"more": 1}])
def test_event_ids_that_cannot_be_are_refused(events: dict[str, Any]) -> None:
    row = dict(CLOCKS["gdpr-breach"].data)
    with pytest.raises(InputRefused, match="gdpr-breach"):
        read_clocks({"clocks": [row]}, {"clocks": {"gdpr-breach": events}})
