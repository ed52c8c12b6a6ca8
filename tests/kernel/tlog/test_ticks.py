"""The log's minute: size by time alone, acts at random places, proofs of 12 hashes."""

from __future__ import annotations

from hashlib import sha256

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from comity.kernel.errors import NotAllowed, SealBroken
from comity.kernel.model.instants import DAY, MINUTE, SECOND
from comity.kernel.tlog.blind import fill
from comity.kernel.tlog.ticks import (
    PLACES,
    act_leaf,
    due,
    free_place,
    inner_proof,
    inner_root,
    record_hash,
    tick_of,
    tick_secret,
    tick_tree,
    verify_inner,
)
from comity.kernel.tlog.tree import Frontier, node_hash, root_of

SECRET = bytes(range(32))
ORIGIN_AT = 1_614_556_800 * SECOND

acts = st.dictionaries(st.integers(0, PLACES - 1), st.binary(min_size=32, max_size=32), max_size=12)


def brute(used: dict[int, bytes], secret: bytes, tick: int) -> bytes:
    """The definition: a subtree with nothing in it is a fill, any other the node of its halves."""
    mine = tick_secret(secret, tick)

    def node(height: int, place: int) -> bytes:
        if not any(place << height <= at < (place + 1) << height for at in used):
            return fill(mine, height, place)
        return used[place] if height == 0 else node_hash(node(height - 1, 2 * place), node(height - 1, 2 * place + 1))

    return node(12, 0)


@settings(max_examples=30, deadline=None)
@given(acts, st.integers(0, 1 << 40))
def test_a_tick_has_the_root_its_definition_says_and_each_act_is_proved_in_it(
    used: dict[int, bytes], tick: int
) -> None:
    root = inner_root(used, SECRET, tick)
    assert root == brute(used, SECRET, tick)
    for place, leaf in used.items():
        proof = inner_proof(used, SECRET, tick, place)
        assert len(proof) == 12
        verify_inner(leaf, place, proof, root)


def test_a_full_tick_is_the_rfc_tree_of_its_4096_acts() -> None:
    used = {place: act_leaf(bytes(16), place.to_bytes(2, "big")) for place in range(PLACES)}
    assert inner_root(used, SECRET, 7) == root_of([used[place] for place in range(PLACES)])


@settings(max_examples=30, deadline=None)
@given(acts.filter(bool), st.data())
def test_any_flipped_bit_place_or_act_of_a_tick_proof_is_refused(used: dict[int, bytes], data: st.DataObject) -> None:
    place = data.draw(st.sampled_from(sorted(used)))
    root = inner_root(used, SECRET, 3)
    proof = inner_proof(used, SECRET, 3, place)
    at, bit = data.draw(st.integers(0, 11)), data.draw(st.integers(0, 255))
    changed = (int.from_bytes(proof[at], "big") ^ 1 << bit).to_bytes(32, "big")
    for leaf, where, path, top in (
        (used[place], place, [*proof[:at], changed, *proof[at + 1 :]], root),
        (used[place], place ^ 1 << at, proof, root),
        (sha256(used[place]).digest(), place, proof, root),
        (used[place], place, proof, inner_root(used, SECRET, 4)),
        (used[place], place, proof[:-1], root),
        (used[place], place, [*proof, proof[0]], root),
        (used[place], place + PLACES, proof, root),
        (used[place], place - PLACES, proof, root),
        (used[place], place, [proof[0][:31], *proof[1:]], root),
    ):
        with pytest.raises(SealBroken) as refused:
            verify_inner(leaf, where, path, top)
        assert refused.value.code == "tick-proof"


def test_a_node_of_the_tick_cannot_be_passed_off_as_an_act() -> None:
    used = {0: act_leaf(bytes(16), b"a"), 1: act_leaf(bytes(16), b"b")}
    proof = inner_proof(used, SECRET, 0, 0)
    with pytest.raises(SealBroken):
        verify_inner(node_hash(used[0], used[1]), 0, proof[1:], inner_root(used, SECRET, 0))


def test_the_same_act_with_another_salt_is_another_leaf_and_a_short_salt_is_refused() -> None:
    assert act_leaf(bytes(16), b"act") != act_leaf(b"\x01" + bytes(15), b"act")
    assert act_leaf(bytes(16), b"act") == sha256(b"\x00comity/act/1" + bytes(16) + b"act").digest()
    for salt in (b"", bytes(15), bytes(17)):
        with pytest.raises(SealBroken):
            act_leaf(salt, b"act")


def test_an_auditor_with_the_secret_of_one_tick_rebuilds_it_and_no_other() -> None:
    used = {17: act_leaf(bytes(16), b"act")}
    opened = tick_secret(SECRET, 5)
    assert tick_tree(used, opened).root() == inner_root(used, SECRET, 5)
    assert tick_tree({}, opened).root() != inner_root({}, SECRET, 6)
    assert tick_tree({}, opened).root() != inner_root(used, SECRET, 5)


def test_no_two_empty_ticks_and_no_two_unused_places_look_alike() -> None:
    roots = {inner_root({}, SECRET, tick) for tick in range(500)}
    assert len(roots) == 500
    seen = {fill(SECRET, height, place) for height in range(13) for place in range(PLACES >> height)}
    assert len(seen) == 2 * PLACES - 1


@settings(max_examples=50, deadline=None)
@given(
    st.integers(0, 3 * DAY),
    st.sampled_from([SECOND, MINUTE]),
    st.lists(st.integers(0, 3 * DAY), max_size=5),
    st.integers(-1, 20),
)
def test_the_size_of_a_log_is_a_function_of_time_alone(end: int, period: int, wakes: list[int], busy: int) -> None:
    end = end if period == MINUTE else end // 60
    size = 0
    for now in sorted(wake % (end + 1) for wake in [*wakes, end]) or [end]:
        ticks = due(size - 1, ORIGIN_AT + now, ORIGIN_AT, period)
        assert ticks.start == size
        size += len(ticks)
    assert size == end // period == tick_of(ORIGIN_AT + end, ORIGIN_AT, period)


def test_a_log_with_acts_grows_exactly_as_one_without() -> None:
    quiet = busy = Frontier()
    for tick in due(-1, ORIGIN_AT + 90 * MINUTE + 5, ORIGIN_AT, MINUTE):
        quiet = quiet.extend([record_hash(inner_root({}, SECRET, tick))])
        used = {place: act_leaf(bytes(16), bytes([place])) for place in range(tick % 5)}
        busy = busy.extend([record_hash(inner_root(used, SECRET, tick))])
    assert quiet.size == busy.size == 90
    assert len(quiet.nodes) == len(busy.nodes)
    assert quiet.root() != busy.root()


def test_a_year_of_missed_ticks_is_due_at_once_and_a_clock_that_went_back_owes_none() -> None:
    year = due(-1, ORIGIN_AT + 365 * DAY, ORIGIN_AT, MINUTE)
    assert len(year) == 525_600
    assert Frontier().extend(record_hash(inner_root({}, SECRET, tick)) for tick in year[:5000]).size == 5000
    assert list(due(99, ORIGIN_AT + 50 * MINUTE, ORIGIN_AT, MINUTE)) == []
    assert list(due(-1, ORIGIN_AT - DAY, ORIGIN_AT, MINUTE)) == []
    with pytest.raises(NotAllowed):
        tick_of(ORIGIN_AT - 1, ORIGIN_AT, MINUTE)


def test_a_tick_ends_where_the_next_begins() -> None:
    assert tick_of(ORIGIN_AT + MINUTE - 1, ORIGIN_AT, MINUTE) == 0
    assert tick_of(ORIGIN_AT + MINUTE, ORIGIN_AT, MINUTE) == 1
    assert list(due(-1, ORIGIN_AT + MINUTE - 1, ORIGIN_AT, MINUTE)) == []
    assert list(due(-1, ORIGIN_AT + MINUTE, ORIGIN_AT, MINUTE)) == [0]


@settings(max_examples=60, deadline=None)
@given(st.binary(min_size=16, max_size=16), st.sets(st.integers(0, PLACES - 1), max_size=200))
def test_a_drawn_place_is_never_one_that_is_taken(random: bytes, taken: set[int]) -> None:
    place = free_place(random, taken)
    assert place is not None
    assert 0 <= place < PLACES
    assert place not in taken


def test_every_free_place_can_be_drawn_and_the_last_act_finds_the_last_place() -> None:
    taken = set(range(0, PLACES, 2))
    drawn = {free_place(number.to_bytes(16, "big"), taken) for number in range(PLACES // 2)}
    assert drawn == set(range(1, PLACES, 2))
    assert free_place(b"\xff" * 16, set(range(PLACES)) - {1234}) == 1234
    assert free_place(b"\xff" * 16, set(range(PLACES))) is None
    with pytest.raises(NotAllowed):
        free_place(b"\x00" * 8, ())


def test_a_place_leaf_or_secret_that_cannot_be_is_refused() -> None:
    for used, secret in (({PLACES: bytes(32)}, SECRET), ({-1: bytes(32)}, SECRET), ({0: b""}, SECRET), ({}, b"")):
        with pytest.raises(NotAllowed):
            inner_root(used, secret, 0)
    with pytest.raises(NotAllowed):
        inner_root({}, SECRET, -1)
    with pytest.raises(NotAllowed, match="No act stands"):
        inner_proof({1: bytes(32)}, SECRET, 0, 2)
