"""Who is on duty, and who is asked next."""

from __future__ import annotations

from comity.desks.directory.duty import on_duty, order, without
from comity.desks.directory.kinds import DAYS, Duty, Rota, Shift, Step, Weekly
from comity.kernel.model.instants import HOUR, MINUTE, parse

PARTY = "identity--00000000-0000-4000-8000-000000000001"
ROTA = Rota(
    party=PARTY,
    office="duty",
    zone="Europe/Tallinn",
    duties=(Duty(word="ann", name="Ann"), Duty(word="ben"), Duty(word="head")),
    weekly=(
        Weekly(days=("mo", "tu", "we", "th", "fr"), start="08:00", end="20:00", duty="ann"),
        Weekly(days=DAYS, start="20:00", end="08:00", duty="ben"),
    ),
    shifts=(Shift(start="2026-01-07T10:00:00Z", end="2026-01-07T12:00:00Z", duty="head"),),
    escalation=(Step(duty="ben", minutes=15), Step(duty="head", minutes=30)),
)


def names(start: str, hours: int = 1) -> list[tuple[str, bool]]:
    at = parse(start)
    return [(one.duty.word, one.dated) for one in on_duty(ROTA, at, at + hours * HOUR)]


def test_week_says_who_is_on_duty_by_the_clock_of_the_office() -> None:
    assert names("2026-01-06T06:30:00Z") == [("ann", False)]  # 08:30 in Tallinn
    assert names("2026-01-06T05:30:00Z") == [("ben", False), ("ann", False)]  # from 07:30, across 08:00
    assert names("2026-01-06T23:30:00Z") == [("ben", False)]
    assert names("2026-01-10T10:00:00Z") == []  # Saturday by day


def test_dated_shift_goes_before_the_week_and_the_week_goes_on_after_it() -> None:
    at = parse("2026-01-07T09:00:00Z")
    found = on_duty(ROTA, at, at + 4 * HOUR)
    assert [(one.duty.word, (one.span[1] - one.span[0]) // HOUR) for one in found] == [
        ("ann", 1),
        ("head", 2),
        ("ann", 1),
    ]


def test_next_ones_are_asked_after_their_minutes_and_nobody_twice() -> None:
    asked = order(ROTA, parse("2026-01-06T12:00:00Z"))
    assert [(one.duty.word, one.after // MINUTE) for one in asked] == [("ann", 0), ("ben", 15), ("head", 45)]
    night = order(ROTA, parse("2026-01-06T22:00:00Z"))
    assert [(one.duty.word, one.after // MINUTE) for one in night] == [("ben", 0), ("head", 45)]


def test_with_nobody_on_duty_the_first_step_is_asked_at_once() -> None:
    asked = order(ROTA, parse("2026-01-10T10:00:00Z"))
    assert [(one.duty.word, one.after // MINUTE) for one in asked] == [("ben", 0), ("head", 30)]


def test_rota_that_is_over_puts_nobody_on_duty() -> None:
    import msgspec

    over = msgspec.structs.replace(ROTA, until="2026-01-01T00:00:00Z")
    at = parse("2026-01-06T12:00:00Z")
    assert on_duty(over, at, at + HOUR) == []
    assert [one.duty.word for one in order(over, at)] == ["ben", "head"]


def test_what_is_cut_out_of_a_span_leaves_the_rest() -> None:
    assert list(without((0, 10), [(2, 4), (3, 5), (8, 12)])) == [(0, 2), (5, 8)]
    assert list(without((0, 10), [(0, 10)])) == []
