"""The short words for hours, roads and so on: what is written is read back the same, what is none is refused with a sentence."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comity.desks.directory import words
from comity.desks.directory.kinds import CHANNELS, DAYS, USES, Channel, Closure, Hours, Key
from comity.kernel.errors import Usage

CLOCK = st.tuples(st.integers(0, 23), st.integers(0, 59)).map(lambda one: f"{one[0]:02d}:{one[1]:02d}")
WEEKDAYS = st.sets(st.sampled_from(DAYS), min_size=1).map(lambda one: tuple(sorted(one, key=DAYS.index)))
TEXT = st.text(st.characters(exclude_categories=("C", "Z")), min_size=1, max_size=20)
HOURS: st.SearchStrategy[Any] = st.builds(Hours, days=WEEKDAYS, opens=CLOCK, closes=CLOCK)
DATES = st.dates().map(lambda one: one.isoformat())
CLOSURES = st.builds(Closure, first=DATES, last=st.none() | DATES, name=st.none() | TEXT, yearly=st.booleans())
ROADS = st.builds(
    Channel,
    by=st.sampled_from(CHANNELS),
    value=TEXT,
    priority=st.integers(1, 100),
    always=st.booleans(),
    note=st.none() | TEXT,
)
KEYS = st.builds(
    Key,
    use=st.sampled_from(USES),
    fingerprint=TEXT.filter(lambda one: ":" not in one),
    uri=st.none() | TEXT.map("x:{}".format),
)


@given(HOURS)
def test_hours_are_read_back(one: Hours) -> None:
    assert words.read_hours(words.write_hours(one)) == one


@given(CLOSURES)
def test_closures_are_read_back(one: Closure) -> None:
    assert words.read_closure(words.write_closure(one)) == one


@given(ROADS)
def test_roads_are_read_back(one: Channel) -> None:
    assert words.read_channel(words.write_channel(one)) == one


@given(KEYS)
def test_keys_are_read_back(one: Key) -> None:
    assert words.read_key(words.write_key(one)) == one


@given(st.lists(st.text(max_size=10), min_size=1), st.sampled_from((";", "\n")))
def test_parts_are_split_as_they_were_joined(parts: list[str], mark: str) -> None:
    assert words.split(words.joined(parts, mark), mark) == parts


def test_days_are_said_short() -> None:
    assert words.read_hours("mo-fr 09:00-17:00").days == ("mo", "tu", "we", "th", "fr")
    assert words.read_hours("sa-mo,we 09:00-17:00").days == ("mo", "we", "sa", "su")
    assert words.write_days(("su", "mo", "tu", "th")) == "mo,tu,th,su"
    assert words.write_hours(words.read_hours("24/7")) == "24/7"


@pytest.mark.parametrize(
    ("read", "text"),
    [
        (words.read_hours, "mon-fri 09:00-17:00"),
        (words.read_hours, "mo-fr 9-17"),
        (words.read_hours, "mo-fr 24:00-17:00"),
        (words.read_hours, "24/7 09:00-17:00"),
        (words.read_hours, ""),
        (words.read_closure, "2026-02-30 Feast"),
        (words.read_closure, "Christmas"),
        (words.read_channel, "telegram=@x"),
        (words.read_channel, "telephone="),
        (words.read_channel, "telephone=1;priority=0"),
        (words.read_channel, "telephone=1;priority=" + "9" * 5000),
        (words.read_key, "pgp=1"),
        (words.read_duty, "ann example=x"),
        (words.read_weekly, "mo-fr ann"),
        (words.read_shift, "2026-01-01T00:00:00Z/2025-01-01T00:00:00Z ben"),
        (words.read_shift, "2026-01-01/2026-01-02 ben"),
        (words.read_step, "ben"),
        (words.read_step, "ben 0"),
        (words.read_language, "English"),
        (words.read_zone, "CEST"),
    ],
)
def test_what_is_none_is_refused_with_an_example(read: Callable[[str], object], text: str) -> None:
    with pytest.raises(Usage) as refused:
        read(text)
    assert refused.value.code == "desk-asked"
    assert "such as" in refused.value.sentence
