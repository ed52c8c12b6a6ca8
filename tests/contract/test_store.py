"""What every store promises (kernel/store/ports.py), on each of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from comity.kernel.errors import ComityError, InputRefused, NodeDamaged
from comity.kernel.store.ports import Store, Writing
from comity.kernel.store.rows import TABLES, ActRow, Holding, Instrument, Officer, Party, Setting, StreamRow, Value
from comity.kernel.store.shape import columns


def stream(n: int, party: str = "identity--a", thing: str = "indicator--1", **other: Any) -> StreamRow:
    row = StreamRow(party, n, "row", thing, n, n, "title#1", "full", b"[]", b"{}", 1, n * 10, None, None)
    return replace(row, **other)


def holding(h: int, **other: Any) -> Holding:
    empty: dict[str, Any] = {stands.name: None if stands.nullable else stands.kind() for stands in columns(Holding)}
    return Holding(**{**empty, "h": h, **other})


def filled(kind: type[Any], place: int) -> Any:
    """A row with a different value in each column, at the edges of what a column keeps."""
    samples: dict[type, Callable[[int], Any]] = {
        int: lambda number: (2**63 - 1 - number) if number % 2 else -(2**63) + number,
        str: lambda number: f"{number} Ω 证据 \U0001f600 \x00 '\"",
        bytes: lambda number: bytes(range(256)) + bytes([number]),
    }
    return kind(*(samples[stands.kind](place + i) for i, stands in enumerate(columns(kind))))


@pytest.mark.parametrize("kind", TABLES, ids=lambda kind: TABLES[kind].name)
def test_every_kind_of_row_comes_back_as_it_was_kept(store: Store, kind: type[Any]) -> None:
    row = filled(kind, 1)
    empty = replace(filled(kind, 40), **{stands.name: None for stands in columns(kind) if stands.nullable})
    with store.write() as writing:
        writing.add([row, empty])
    key = [getattr(row, name) for name in TABLES[kind].key]
    with store.read() as reading:
        assert reading.get(kind, *key) == row
        assert sorted(map(repr, reading.find(kind))) == sorted(map(repr, [row, empty]))
        for stands in columns(kind):
            wanted = {row, empty} if getattr(row, stands.name) == getattr(empty, stands.name) else {empty}
            assert set(reading.find(kind, **{stands.name: getattr(empty, stands.name)})) == wanted
    with store.write() as writing:
        writing.put(row)
        writing.remove(kind, *key)
        assert writing.get(kind, *key) is None
        assert writing.count(kind) == 1


def test_a_failed_deed_leaves_nothing_behind(store: Store) -> None:
    with store.write() as writing:
        writing.add([stream(1), stream(2), Setting("log", b"1")])
    with pytest.raises(ZeroDivisionError), store.write() as writing:
        writing.add([stream(3), Value("x", 1)])
        writing.put(stream(1, thing="indicator--changed"))
        writing.put(stream(1, thing="indicator--changed-again"))
        writing.remove(StreamRow, "identity--a", 2)
        writing.put(stream(2, thing="indicator--back"))
        writing.remove(Setting, "log")
        assert writing.count(StreamRow) == 3
        raise ZeroDivisionError
    with store.read() as reading:
        assert list(reading.find(StreamRow)) == [stream(1), stream(2)]
        assert reading.get(Setting, "log") == Setting("log", b"1")
        assert reading.count(Value) == 0
        assert list(reading.find(StreamRow, party="identity--a", object="indicator--1")) == [stream(1), stream(2)]


def test_many_rows_put_at_once_stand_as_if_each_was_put_in_its_turn(store: Store) -> None:
    with store.write() as writing:
        writing.add([stream(1), stream(2), Setting("log", b"1")])
        writing.put(stream(1, thing="indicator--x"), Setting("log", b"2"), stream(3), stream(3, thing="indicator--y"))
        writing.put()
    with pytest.raises(NodeDamaged), store.write() as writing:
        writing.put(officer("ann", "one token"), stream(2, thing="indicator--z"), officer("bob", "one token"))
    with store.read() as reading:
        assert [(row.n, row.object) for row in reading.find(StreamRow)] == [
            (1, "indicator--x"),
            (2, "indicator--1"),
            (3, "indicator--y"),
        ]
        assert reading.get(Setting, "log") == Setting("log", b"2")
        assert reading.count(Officer) == 0


def test_a_key_that_is_taken_is_refused_and_nothing_of_the_deed_stays(store: Store) -> None:
    with store.write() as writing:
        writing.add([stream(5)])
    with pytest.raises(NodeDamaged) as refused, store.write() as writing:
        writing.add([stream(4), stream(5, thing="indicator--2"), stream(6)])
    assert refused.value.code == "row-exists"
    assert refused.value.detail == {"kind": "stream", "columns": ["party", "n"]}
    with store.read() as reading:
        assert list(reading.find(StreamRow)) == [stream(5)]


def act(digest: str, tick: int, place: int) -> ActRow:
    return ActRow(digest, "deliver", "identity--b", 1, 1, tick, place, b"salt", b"{}", b"{}")


def officer(name: str, token: str) -> Officer:
    return Officer(name, name, "release", token, 1, None)


@pytest.mark.parametrize(
    "deed",
    [
        lambda writing: writing.add([act("b", 7, 9)]),
        lambda writing: writing.put(act("b", 7, 9)),
        lambda writing: writing.add([officer("eve", "token of ann")]),
        lambda writing: writing.put(officer("eve", "token of ann")),
    ],
    ids=["two acts in one place", "put into a place", "two officers with one token", "put with a token"],
)
def test_a_unique_value_that_is_taken_is_refused(store: Store, deed: Callable[[Writing], None]) -> None:
    with store.write() as writing:
        writing.add([act("a", 7, 9), officer("ann", "token of ann")])
    with pytest.raises(NodeDamaged) as refused, store.write() as writing:
        deed(writing)
    assert refused.value.code == "row-exists"
    with store.read() as reading:
        assert reading.count(ActRow) == reading.count(Officer) == 1


def test_an_officer_who_gets_a_new_token_frees_the_old_one(store: Store) -> None:
    with store.write() as writing:
        writing.add([officer("ann", "old")])
        writing.put(officer("ann", "new"))
        writing.add([officer("bob", "old")])
    with store.read() as reading:
        assert {row.id: row.token for row in reading.find(Officer)} == {"ann": "new", "bob": "old"}


def test_a_deed_that_swallows_a_refusal_still_does_not_happen(store: Store) -> None:
    with pytest.raises(NodeDamaged), store.write() as writing:
        writing.add([Setting("a", b"1")])
        with pytest.raises(NodeDamaged):
            writing.add([Setting("b", b"2"), Setting("a", b"3")])
        with pytest.raises(NodeDamaged):
            writing.put(Setting("c", b"4"))
    with store.read() as reading:
        assert reading.count(Setting) == 0


def test_a_source_of_rows_that_breaks_off_undoes_the_deed_even_if_swallowed(store: Store) -> None:
    def broken() -> Any:
        yield Setting("a", b"1")
        raise OSError("the file ended")

    with pytest.raises(OSError, match="the file ended"), store.write() as writing:
        writing.put(Setting("before", b"1"))
        with pytest.raises(OSError, match="the file ended"):
            writing.add(broken())
    with store.read() as reading:
        assert reading.count(Setting) == 0


def test_a_reader_sees_the_instant_it_was_opened(store: Store) -> None:
    with store.write() as writing:
        writing.add([stream(n) for n in range(5)])
    with store.read() as before:
        with store.write() as writing:
            writing.add([stream(9), Value("new", 1)])
            writing.put(stream(0, ended=3))
            writing.remove(StreamRow, "identity--a", 1)
            with store.read() as during:
                assert [row.n for row in during.find(StreamRow)] == [0, 1, 2, 3, 4]
                assert during.count(Value) == 0
        assert [row.n for row in before.find(StreamRow)] == [0, 1, 2, 3, 4]
        assert before.get(StreamRow, "identity--a", 0) == stream(0)
        assert [row.n for row in during_or_error(during)] == []
        with store.read() as after:
            assert [row.n for row in after.find(StreamRow)] == [0, 2, 3, 4, 9]
        assert before.count(Value) == 0


def during_or_error(reading: Any) -> list[Any]:
    """A reader whose block is over answers nothing."""
    with pytest.raises(RuntimeError, match="closed"):
        reading.count(StreamRow)
    return []


def test_a_writer_sees_its_own_rows(store: Store) -> None:
    with store.write() as writing:
        writing.add([stream(1)])
        assert writing.last(StreamRow, "n", party="identity--a") == 1
        writing.add([stream(2)])
        assert writing.last(StreamRow, "n", party="identity--a") == 2
        assert writing.last(StreamRow, "n", party="identity--nobody") is None


def test_rows_changed_while_walked_are_each_met_once(store: Store) -> None:
    with store.write() as writing:
        writing.add([stream(n) for n in range(3000)])
    with store.write() as writing:
        met = 0
        for row in writing.find(StreamRow, party="identity--a", order=("added",)):
            writing.put(replace(row, added=row.added + 1_000_000))
            met += 1
        assert met == 3000
    with store.read() as reading:
        assert reading.count(StreamRow) == 3000


def test_a_second_write_inside_a_write_is_refused_at_once(store: Store) -> None:
    with pytest.raises(RuntimeError, match="one transaction"), store.write(), store.write():
        raise AssertionError("never reached")
    with store.write() as writing:
        writing.add([Setting("a", b"1")])


def test_pages_of_a_stream_join_into_the_whole_without_gap_or_repeat(store: Store) -> None:
    with store.write() as writing:
        writing.add([stream(n, party=party) for n in range(250) for party in ("identity--a", "identity--b")])
    with store.read() as reading:
        seen: list[int] = []
        while page := list(reading.find(StreamRow, party="identity--b", after=(seen[-1] if seen else -1,), limit=37)):
            assert all(row.party == "identity--b" for row in page)
            seen += [row.n for row in page]
        assert seen == list(range(250))
        newest = [row.n for row in reading.find(StreamRow, party="identity--b", reverse=True, limit=3)]
        assert newest == [249, 248, 247]
        assert [row.n for row in reading.find(StreamRow, party="identity--b", after=(2,), reverse=True)] == [1, 0]


def test_a_long_walk_streams_every_row(store: Store) -> None:
    with store.write() as writing:
        writing.add(Value(f"{n:06}.example", n) for n in range(20_000))
    with store.read() as reading:
        walk = reading.find(Value)
        assert next(walk).version == 0
        assert reading.get(Value, "000100.example", 100) is not None
        assert sum(1 for _ in walk) == 19_999


def test_an_empty_stream_of_rows_is_no_deed(store: Store) -> None:
    with store.write() as writing:
        writing.add([])
        writing.remove(Setting, "never was")
    with store.read() as reading:
        assert list(reading.find(Setting)) == []


def test_due_instants_come_in_order_and_none_is_not_due(store: Store) -> None:
    with store.write() as writing:
        writing.add([holding(1, embargo=None), holding(2, embargo=50), holding(3, embargo=20), holding(4, embargo=20)])
    with store.read() as reading:
        due = [row.h for row in reading.find(Holding, order=("embargo",), after=(None,))]
        assert due == [3, 4, 2]
        assert [row.h for row in reading.find(Holding, order=("embargo",))] == [1, 3, 4, 2]
        assert [row.h for row in reading.find(Holding, order=("embargo",), after=(50,), reverse=True)] == [4, 3, 1]
        assert [row.h for row in reading.find(Holding, embargo=None)] == [1]


def test_a_column_named_like_an_argument_can_be_asked_for(store: Store) -> None:
    row = Instrument("d", "epoch", "a", "identity--a", 1, 1, b"{}")
    with store.write() as writing:
        writing.add([row, replace(row, digest="e", kind="signature")])
    with store.read() as reading:
        assert list(reading.find(Instrument, agreement="a", kind="epoch")) == [row]
        assert reading.count(Instrument, kind="epoch") == 1
        assert list(reading.find_in(Instrument, "agreement", ["a"], kind="epoch")) == [row]


@pytest.mark.parametrize("many", [0, 1, 7, 63, 65, 1100])
def test_looking_for_many_values_finds_each_row_once(store: Store, many: int) -> None:
    with store.write() as writing:
        writing.add([stream(n, thing=f"indicator--{n % 300}") for n in range(600)])
    with store.read() as reading:
        wanted = [f"indicator--{n}" for n in range(many)]
        found = list(reading.find_in(StreamRow, "object", wanted + wanted, party="identity--a"))
        assert len(found) == len({row.n for row in found}) == 2 * min(many, 300)
        assert list(reading.find_in(StreamRow, "object", wanted, party="identity--nobody")) == []


BAD = [
    (lambda: Setting("\ud800", b""), "half a surrogate pair"),
    (lambda: Setting(None, b""), "no key"),  # type: ignore[arg-type]
    (lambda: stream(2**63), "an integer beyond 64 bits"),
    (lambda: stream(1, thing=None), "no value where there must be one"),
    (lambda: stream(1, title=b"bytes"), "bytes for text"),
    (lambda: stream(1, added="later"), "text for a number"),
    (lambda: stream(1, hidden=["list"]), "a list"),
]


@pytest.mark.parametrize(("row", "what"), BAD, ids=[what for _, what in BAD])
def test_a_value_no_store_can_keep_is_refused_in_words(store: Store, row: Callable[[], Any], what: str) -> None:
    for deed in (lambda writing: writing.add([row()]), lambda writing: writing.put(row())):
        with pytest.raises(InputRefused) as refused, store.write() as writing:
            writing.add([Value("good", 1)])
            deed(writing)
        assert refused.value.code == "row-value"
        with store.read() as reading:
            assert reading.count(StreamRow) == reading.count(Setting) == reading.count(Value) == 0


def test_asking_for_a_value_no_store_can_keep_is_refused_in_words(store: Store) -> None:
    with store.read() as reading:
        for ask in (
            lambda: reading.get(Setting, "\ud800"),
            lambda: reading.get(StreamRow, "identity--a", 2**70),
            lambda: list(reading.find(StreamRow, party="identity--a", after=(2**70,))),
            lambda: list(reading.find(Party, name="\udfff")),
            lambda: list(reading.find_in(StreamRow, "n", [1, 2**64])),
            lambda: reading.count(StreamRow, n=-(2**64)),
        ):
            with pytest.raises(ComityError) as refused:
                ask()
            assert refused.value.code == "row-value"


def test_a_column_that_does_not_exist_is_a_fault_of_the_program(store: Store) -> None:
    with store.read() as reading:
        with pytest.raises(TypeError):
            list(reading.find(Setting, colour=1))
        with pytest.raises(TypeError):
            list(reading.find(Setting, after=("a", "b")))
    with pytest.raises(TypeError), store.write() as writing:
        writing.add([object()])


# --- the two stores are one

SMALL = st.integers(0, 4)
WORD = st.sampled_from(["a", "b", "é", "z\x00", "𝔷"])
ROW = st.one_of(
    st.builds(
        lambda h, version, custodian, title, cls, embargo, ended: replace(
            holding(h), version=version, custodian=custodian, title=title, cls=cls, embargo=embargo, ended=ended
        ),
        st.integers(0, 12),
        SMALL,
        WORD,
        st.none() | WORD,
        SMALL,
        st.none() | SMALL,
        st.none() | SMALL,
    ),
    st.builds(lambda digest, tick, place: act(digest, tick, place), WORD, SMALL, st.integers(0, 1)),
)
DEED = st.lists(st.tuples(st.sampled_from(["add", "put", "put", "remove"]), ROW), max_size=12)
NAMES = ["h", "version", "custodian", "title", "cls", "embargo", "ended"]
QUESTION = st.fixed_dictionaries(
    {
        "order": st.lists(st.sampled_from(NAMES), min_size=1, max_size=3, unique=True).map(tuple),
        "pinned": st.lists(st.sampled_from(NAMES), max_size=2, unique=True),
        "limit": st.none() | st.integers(0, 5),
        "reverse": st.booleans(),
        "from_row": st.none() | st.integers(0, 12),
    }
)


def done(store: Store, deed: list[tuple[str, Any]]) -> str:
    try:
        with store.write() as writing:
            for verb, row in deed:
                if verb == "add":
                    writing.add([row])
                elif verb == "put":
                    writing.put(row)
                else:
                    writing.remove(type(row), *(getattr(row, name) for name in TABLES[type(row)].key))
    except ComityError as error:
        return error.code
    return "done"


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(DEED, max_size=6), st.lists(QUESTION, min_size=1, max_size=8), st.data())
def test_memory_and_sqlite_answer_alike(
    both: tuple[Store, Store], deeds: list[Any], questions: list[dict[str, Any]], data: st.DataObject
) -> None:
    memory, sql = both
    for store in both:
        with store.write() as writing:
            for kind in (Holding, ActRow):
                for row in list(writing.find(kind)):
                    writing.remove(kind, *(getattr(row, name) for name in TABLES[kind].key))
    for deed in deeds:
        assert done(memory, deed) == done(sql, deed)
    with memory.read() as ours, sql.read() as theirs:
        assert list(ours.find(ActRow)) == list(theirs.find(ActRow))
        rows = list(ours.find(Holding))
        assert rows == list(theirs.find(Holding))
        for question in questions:
            order, pinned = question["order"], question["pinned"]
            equal = {name: data.draw(st.sampled_from([getattr(row, name) for row in rows])) for name in pinned if rows}
            after = None
            if question["from_row"] is not None and rows:
                start = rows[question["from_row"] % len(rows)]
                after = tuple(getattr(start, name) for name in order if name not in equal)
            asked: dict[str, Any] = {"order": order, "after": after, **equal}
            bounds = {"limit": question["limit"], "reverse": question["reverse"]}
            assert list(ours.find(Holding, **asked, **bounds)) == list(theirs.find(Holding, **asked, **bounds)), asked
            assert ours.count(Holding, **equal) == theirs.count(Holding, **equal)
            for name in ("h", "cls", "embargo", "ended"):
                assert ours.last(Holding, name, **equal) == theirs.last(Holding, name, **equal)
            values = [row.custodian for row in rows[:3]]
            assert sorted(row.h for row in ours.find_in(Holding, "custodian", values, **equal)) == sorted(
                row.h for row in theirs.find_in(Holding, "custodian", values, **equal)
            )
