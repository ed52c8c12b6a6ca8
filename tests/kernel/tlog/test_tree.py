"""The Merkle tree against a brute-force reading of RFC 9162 §2.1, and what a dishonest prover may try."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from comity.kernel.errors import LogFault, NotFound, SealBroken
from comity.kernel.tlog.tree import (
    EMPTY_ROOT,
    Frontier,
    consistency_proof,
    contradicts,
    frontier_at,
    inclusion_proof,
    leaf_hash,
    node_hash,
    root_at,
    root_of,
    verify_consistency,
    verify_inclusion,
)

MOST = 300
LEAVES = [leaf_hash(index.to_bytes(4, "big")) for index in range(2048)]


@cache
def mth(start: int, end: int) -> bytes:
    """RFC 9162 §2.1.1, as it is written there."""
    if start == end:
        return EMPTY_ROOT
    if end - start == 1:
        return LEAVES[start]
    k = 1
    while 2 * k < end - start:
        k *= 2
    return node_hash(mth(start, start + k), mth(start + k, end))


def path(m: int, start: int, end: int) -> list[bytes]:
    """RFC 9162 §2.1.3.1, as it is written there."""
    if end - start == 1:
        return []
    k = 1
    while 2 * k < end - start:
        k *= 2
    if m < k:
        return [*path(m, start, start + k), mth(start + k, end)]
    return [*path(m - k, start + k, end), mth(start, start + k)]


def subproof(m: int, start: int, end: int, whole: bool) -> list[bytes]:
    """RFC 9162 §2.1.4.1, as it is written there."""
    if m == end - start:
        return [] if whole else [mth(start, end)]
    k = 1
    while 2 * k < end - start:
        k *= 2
    if m <= k:
        return [*subproof(m, start, start + k, whole), mth(start + k, end)]
    return [*subproof(m - k, start + k, end, False), mth(start, start + k)]


def read(level: int, index: int) -> bytes:
    return mth(index << level, (index + 1) << level)


def flipped(data: bytes, bit: int) -> bytes:
    bit %= 8 * len(data)
    changed = bytearray(data)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)


def test_every_root_up_to_300_leaves_is_the_one_of_the_rfc() -> None:
    grown = Frontier()
    for size in range(MOST + 1):
        assert grown.root() == mth(0, size) == root_of(LEAVES[:size]) == root_at(size, read)
        assert grown == frontier_at(size, read)
        grown = grown.extend([LEAVES[size]])


def test_every_inclusion_proof_up_to_300_leaves_is_the_one_of_the_rfc_and_holds() -> None:
    for size in range(1, MOST + 1, 1):
        for index in {0, 1, size // 3, size // 2, size - 2, size - 1} if size > 70 else range(size):
            if 0 <= index < size:
                proof = inclusion_proof(index, size, read)
                assert list(proof) == path(index, 0, size)
                verify_inclusion(LEAVES[index], index, size, proof, mth(0, size))


def test_every_prefix_has_a_consistency_proof() -> None:
    for size in [*range(70), *range(70, MOST + 1, 23), MOST]:
        for old in range(size + 1):
            proof = consistency_proof(old, size, read)
            assert list(proof) == ([] if old == 0 else subproof(old, 0, size, True))
            verify_consistency(old, size, mth(0, old), mth(0, size), proof)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 300), max_size=6))
def test_a_log_appended_in_any_batches_is_the_same_log(batches: Sequence[int]) -> None:
    grown = Frontier()
    for count in batches:
        grown = grown.extend(LEAVES[grown.size : grown.size + count])
    assert grown == Frontier().extend(LEAVES[: sum(batches)])


@settings(max_examples=60, deadline=None)
@given(st.integers(2, 2048), st.data())
def test_any_flipped_bit_of_an_inclusion_proof_is_refused(size: int, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, size - 1))
    proof = list(inclusion_proof(index, size, read))
    place, bit = data.draw(st.integers(0, len(proof) - 1)), data.draw(st.integers(0, 255))
    proof[place] = flipped(proof[place], bit)
    with pytest.raises(SealBroken, match="does not lead"):
        verify_inclusion(LEAVES[index], index, size, proof, mth(0, size))


@settings(max_examples=60, deadline=None)
@given(st.integers(2, 2048), st.data())
def test_any_flipped_bit_of_a_consistency_proof_is_refused(size: int, data: st.DataObject) -> None:
    old = data.draw(st.integers(1, size - 1))
    proof = list(consistency_proof(old, size, read))
    place, bit = data.draw(st.integers(0, len(proof) - 1)), data.draw(st.integers(0, 255))
    proof[place] = flipped(proof[place], bit)
    with pytest.raises(LogFault) as refused:
        verify_consistency(old, size, mth(0, old), mth(0, size), proof)
    assert refused.value.code == "consistency-proof"


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 2048), st.data())
def test_a_leaf_proved_at_another_index_or_in_another_tree_is_refused(size: int, data: st.DataObject) -> None:
    index, elsewhere = data.draw(st.integers(0, size - 1)), data.draw(st.integers(0, 2 * size))
    other = data.draw(st.integers(1, 2048))
    proof = inclusion_proof(index, size, read)
    if elsewhere != index:
        with pytest.raises(SealBroken):
            verify_inclusion(LEAVES[index], elsewhere, size, proof, mth(0, size))
    if other != size:
        with pytest.raises(SealBroken):
            verify_inclusion(LEAVES[index], index, size, proof, mth(0, other))


@pytest.mark.parametrize("size", [1, 2, 3, 7, 8, 255, 256, 257])
def test_a_proof_with_a_hash_too_many_or_too_few_is_refused(size: int) -> None:
    proof = inclusion_proof(size - 1, size, read)
    for wrong in ((*proof, proof[-1] if proof else EMPTY_ROOT), proof[:-1] if proof else (EMPTY_ROOT,)):
        with pytest.raises(SealBroken):
            verify_inclusion(LEAVES[size - 1], size - 1, size, wrong, mth(0, size))
    if size > 1:
        grown = consistency_proof(size - 1, size, read)
        for wrong in ((*grown, grown[-1]), grown[:-1], ()):
            with pytest.raises(LogFault):
                verify_consistency(size - 1, size, mth(0, size - 1), mth(0, size), wrong)


def test_an_oversized_proof_is_refused_before_it_is_hashed() -> None:
    with pytest.raises(SealBroken, match="too many hashes"):
        verify_inclusion(LEAVES[0], 0, 2, [EMPTY_ROOT] * 1_000_000, mth(0, 2))
    with pytest.raises(LogFault, match="too many hashes"):
        verify_consistency(1, 2, mth(0, 1), mth(0, 2), [EMPTY_ROOT] * 1_000_000)
    with pytest.raises(SealBroken, match="not of 32 bytes"):
        verify_inclusion(LEAVES[0], 0, 2, [LEAVES[1] + b"\x00"], mth(0, 2))


def test_a_node_presented_as_a_leaf_of_a_smaller_log_is_refused() -> None:
    # second preimage: the two leaves' node would be "the only leaf" of a log of one, but for the size in the checkpoint
    assert leaf_hash(LEAVES[0] + LEAVES[1]) != mth(0, 2)
    with pytest.raises(SealBroken):
        verify_inclusion(mth(0, 2), 0, 4, [mth(2, 4)], mth(0, 4))


def test_a_log_that_claims_to_shrink_or_starts_from_another_empty_log_is_refused() -> None:
    with pytest.raises(LogFault, match="cannot begin"):
        verify_consistency(5, 3, mth(0, 5), mth(0, 3), ())
    with pytest.raises(LogFault, match="different roots"):
        verify_consistency(0, 3, mth(0, 1), mth(0, 3), ())
    with pytest.raises(LogFault, match="different roots"):
        verify_consistency(3, 3, mth(0, 3), mth(0, 4), ())
    with pytest.raises(LogFault, match="where none are needed"):
        verify_consistency(3, 3, mth(0, 3), mth(0, 3), [EMPTY_ROOT])


def test_asking_for_what_is_not_in_the_log_is_answered_with_not_found() -> None:
    for wrong in (-1, 8, 1 << 70):
        with pytest.raises(NotFound):
            inclusion_proof(wrong, 8, read)
        with pytest.raises(NotFound):
            consistency_proof(9, 8, read)


@settings(max_examples=40, deadline=None)
@given(st.integers(2, 600), st.data())
def test_an_explicit_proof_convicts_a_rewritten_prefix_and_no_honest_log(size: int, data: st.DataObject) -> None:
    old = data.draw(st.integers(1, size - 1))
    changed = data.draw(st.integers(0, old - 1))
    forked = [*LEAVES[:changed], leaf_hash(b"another deed"), *LEAVES[changed + 1 : size]]
    fork_root = root_of(forked)

    def read_fork(level: int, index: int) -> bytes:
        return root_of(forked[index << level : (index + 1) << level])

    proof = consistency_proof(old, size, read_fork, explicit=True)
    assert contradicts(old, size, mth(0, old), fork_root, proof)
    honest = consistency_proof(old, size, read, explicit=True)
    assert not contradicts(old, size, mth(0, old), mth(0, size), honest)
    place = data.draw(st.integers(0, len(honest) - 1))
    damaged = [flipped(one, 9) if at == place else one for at, one in enumerate(honest)]
    assert not contradicts(old, size, mth(0, old), mth(0, size), damaged)
