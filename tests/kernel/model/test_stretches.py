"""Which of two stretches of time is the longer, wherever they are counted."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from comity.kernel.model.stretches import counted, no_shorter
from comity.kernel.procedure.calendar import Calendar, Zone, after

ISO = st.builds(
    lambda *parts: "P" + "".join(f"{n}{unit}" for n, unit in zip(parts[:3], "YMD", strict=True)) + f"T{parts[3]}H",
    st.integers(0, 2),
    st.integers(0, 14),
    st.integers(0, 40),
    st.integers(0, 80),
)
WORKING = st.integers(1, 30).map(lambda n: f"{n} working days")
STRETCH = st.one_of(ISO, WORKING)
STARTS = st.integers(0, 3 * 10**15)
DAY = 24 * 3_600_000_000
ZONE = Zone("Odd/Place", ((0, 7200), (1_000_000 * 1_000_000_000, 10_800), (1_010_000 * 1_000_000_000, -3_600)))


@given(STRETCH, STRETCH, STARTS, st.frozensets(st.integers(1, 7), min_size=1))
def test_a_stretch_that_is_no_shorter_never_ends_earlier_on_any_calendar(
    one: str, other: str, start: int, working: frozenset[int]
) -> None:
    calendar = Calendar(ZONE, working, frozenset({3_000, 3_001}), 17 * 60)
    if no_shorter(one, other):
        # A month has from 28 to 31 days: what begins on the 31st may end where what begins on the 30th does, not before.
        assert after(start, one, calendar) >= after(start, other, calendar)


@given(STRETCH)
def test_every_stretch_is_no_shorter_than_itself_and_what_is_none_compares_with_nothing(one: str) -> None:
    assert no_shorter(one, one)
    assert not no_shorter(one, "soon") and not no_shorter("soon", one)


def test_hours_never_stand_for_days_nor_days_for_working_days() -> None:
    assert no_shorter("P1Y", "P12M") and no_shorter("PT48H", "PT24H") and no_shorter("P1DT1H", "PT1H")
    assert not no_shorter("PT48H", "P1D") and not no_shorter("P9D", "1 working day") and not no_shorter("P4D", "PT1H")
    assert counted("P") is None and counted("0 working days") is None and counted("2001 working days") is None
