"""The Merkle tree of the log: hashes, the frontier that grows, inclusion and consistency proofs.

RFC 9162 §2.1 with SHA-256: a leaf is ``SHA-256(0x00 ‖ entry)``, a node ``SHA-256(0x01 ‖ left ‖ right)``, the empty
tree ``SHA-256("")``. Everything is said of record hashes (the leaf hashes), 32 bytes each; nothing here sees an
entry.

A stored tree is asked through `ReadHash`: ``read_hash(level, index)`` is the root of the complete subtree over the
leaves ``[index << level, (index + 1) << level)``; `comity.kernel.tlog.tiles` answers it from tiles. Verifying needs
no tree. Rules:

- sizes and indexes are below 2^63; a proof has at most 63 hashes (64 for the explicit form), and never one too many;
- a check that fails raises; nothing here returns False;
- a consistency proof that fails convicts nobody by itself, since proofs are not signed. The *explicit* form
  (`consistency_proof` with ``explicit=True``) states the root of the prefix also where RFC 9162 leaves it out, so
  `contradicts` can tell a fork from a damaged proof.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from comity.kernel.errors import InputRefused, LogFault, NotFound, SealBroken

HASH_BYTES: Final = 32
MAX_SIZE: Final = 1 << 63
"""Trees are smaller than this (tlog-tiles has levels 0 to 63; Go's and SQL's integers are signed)."""

EMPTY_ROOT: Final = sha256(b"").digest()
"""RFC 9162 §2.1.1: the hash of the empty tree."""

ReadHash = Callable[[int, int], bytes]
"""``(level, index)`` to the 32-byte root of that complete subtree."""

Node = tuple[int, int]


def leaf_hash(entry: bytes) -> bytes:
    """The record hash of an entry: ``SHA-256(0x00 ‖ entry)``, 32 bytes (RFC 9162 §2.1.1)."""
    return sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of a node: ``SHA-256(0x01 ‖ left ‖ right)``, 32 bytes (RFC 9162 §2.1.1)."""
    return sha256(b"\x01" + left + right).digest()


def pair_up(hashes: Sequence[bytes]) -> list[bytes]:
    """The next level up: each two neighbours as one node; a last one without a neighbour is left out."""
    lefts = iter(hashes)
    return [sha256(b"\x01" + left + right).digest() for left, right in zip(lefts, lefts, strict=False)]


def fold(hashes: Sequence[bytes]) -> bytes:
    """The root over complete subtrees, the largest (left) first; none give the empty root."""
    if not hashes:
        return EMPTY_ROOT
    root = hashes[-1]
    for left in reversed(hashes[:-1]):
        root = node_hash(left, root)
    return root


@dataclass(frozen=True, slots=True)
class Frontier:
    """All that is needed of a tree to append to it and to tell its root (a compact range from 0).

    Args:
        size: How many leaves the tree has.
        nodes: The roots of its maximal complete subtrees, largest (left) first: one for each bit set in `size`.
    """

    size: int = 0
    nodes: tuple[bytes, ...] = ()

    def __post_init__(self) -> None:
        if not 0 <= self.size < MAX_SIZE or len(self.nodes) != self.size.bit_count():
            raise InputRefused("log-frontier", f"{len(self.nodes)} subtrees do not make a tree of {self.size} leaves.")

    def extend(self, leaves: Iterable[bytes]) -> Frontier:
        """The frontier after appending record hashes (32 bytes each), in order; made for batches of thousands."""
        return self.extended(leaves, None)

    def extended(self, leaves: Iterable[bytes], completed: Callable[[int, list[bytes]], None] | None) -> Frontier:
        """As `extend`, and tell `completed(level, hashes)` the newly complete subtrees of each level, left to right."""
        new = leaves if isinstance(leaves, list) else list(leaves)
        size, count = self.size, len(new)
        waiting = list(self.nodes)  # smallest last
        nodes: list[bytes] = []
        level = 0
        while new or waiting:
            if completed is not None and new:
                completed(level, new)
            if size >> level & 1:
                new = [waiting.pop(), *new]
            if len(new) & 1:
                nodes.append(new[-1])
            new = pair_up(new)
            level += 1
        return Frontier(size + count, tuple(reversed(nodes)))

    def root(self) -> bytes:
        """The root of the tree, 32 bytes."""
        return fold(self.nodes)


def root_of(leaves: Iterable[bytes]) -> bytes:
    """The root over record hashes."""
    return Frontier().extend(leaves).root()


def cover(start: int, end: int) -> list[Node]:
    """The complete subtrees, left to right, whose leaves are ``[start, end)``; each as (level, index)."""
    found: list[Node] = []
    while start < end:
        level = (end - start).bit_length() - 1
        if start:
            level = min(level, (start & -start).bit_length() - 1)
        found.append((level, start >> level))
        start += 1 << level
    return found


def _subtree(start: int, end: int, read_hash: ReadHash) -> bytes:
    """The RFC 9162 hash of the leaves ``[start, end)`` of a subtree."""
    return fold([read_hash(level, index) for level, index in cover(start, end)])


def root_at(size: int, read_hash: ReadHash) -> bytes:
    """The root of the tree's first `size` leaves.

    Raises:
        NotFound: `log-position` for a size that cannot be.
    """
    _in_range(0 <= size < MAX_SIZE, f"There is no tree of {size} leaves.")
    return _subtree(0, size, read_hash)


def frontier_at(size: int, read_hash: ReadHash) -> Frontier:
    """The frontier of the tree's first `size` leaves.

    Raises:
        NotFound: `log-position` for a size that cannot be.
    """
    _in_range(0 <= size < MAX_SIZE, f"There is no tree of {size} leaves.")
    return Frontier(size, tuple(read_hash(level, index) for level, index in cover(0, size)))


def inclusion_proof(index: int, size: int, read_hash: ReadHash) -> tuple[bytes, ...]:
    """The hashes that lead from leaf `index` to the root of the first `size` leaves, the leaf's sibling first.

    Source: RFC 9162 §2.1.3.1.

    Raises:
        NotFound: `log-position` unless ``0 <= index < size``.
    """
    _in_range(0 <= index < size < MAX_SIZE, f"A log of {size} leaves has no leaf {index}; wait for a later checkpoint.")
    path: list[bytes] = []
    start, end = 0, size
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            path.append(_subtree(middle, end, read_hash))
            end = middle
        else:
            path.append(_subtree(start, middle, read_hash))
            start = middle
    return tuple(reversed(path))


def consistency_proof(old: int, new: int, read_hash: ReadHash, *, explicit: bool = False) -> tuple[bytes, ...]:
    """The hashes that show the first `old` leaves to be a prefix of the first `new` ones.

    Source: RFC 9162 §2.1.4.1. Empty where `old` is 0 or equals `new`.

    Args:
        old: The smaller size.
        new: The larger size.
        read_hash: The tree of at least `new` leaves.
        explicit: State the prefix's root first also where `old` is a power of two, for `contradicts`.

    Raises:
        NotFound: `log-position` unless ``0 <= old <= new``.
    """
    _in_range(0 <= old <= new < MAX_SIZE, f"There is no consistency proof from {old} to {new} leaves.")
    if old in (0, new):
        return ()
    path: list[bytes] = []
    start, end, whole = 0, new, True
    while old != end:
        middle = start + _split(end - start)
        if old <= middle:
            path.append(_subtree(middle, end, read_hash))
            end = middle
        else:
            path.append(_subtree(start, middle, read_hash))
            start, whole = middle, False
    if not whole or explicit:
        path.append(_subtree(start, end, read_hash))
    return tuple(reversed(path))


def verify_inclusion(leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> None:
    """Check that a tree of `size` leaves with this root has the record hash `leaf` at `index`.

    Source: RFC 9162 §2.1.3.2.

    Raises:
        SealBroken: `inclusion-proof`.
    """
    if not 0 <= index < size < MAX_SIZE:
        raise SealBroken("inclusion-proof", f"A log of {size} leaves has no leaf {index} to prove.")
    if not (_hashes(proof) and _hashes((leaf, root))):
        raise SealBroken("inclusion-proof", "The inclusion proof has too many hashes, or one that is not of 32 bytes.")
    at, last, node = index, size - 1, leaf
    for sibling in proof:
        if last == 0:
            raise SealBroken("inclusion-proof", "The inclusion proof is longer than a log of this size has levels.")
        if at & 1 or at == last:
            node = node_hash(sibling, node)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            node = node_hash(node, sibling)
        at, last = at >> 1, last >> 1
    if last != 0:
        raise SealBroken("inclusion-proof", "The inclusion proof is shorter than a log of this size has levels.")
    if node != root:
        raise SealBroken("inclusion-proof", f"The inclusion proof for leaf {index} does not lead to the root.")


def verify_consistency(old: int, new: int, old_root: bytes, new_root: bytes, proof: Sequence[bytes]) -> None:
    """Check that the tree of `new` leaves begins with the tree of `old` leaves.

    Source: RFC 9162 §2.1.4.2.

    Raises:
        LogFault: `consistency-proof`.
    """
    if not 0 <= old <= new < MAX_SIZE:
        raise LogFault("consistency-proof", f"A log of {new} leaves cannot begin with one of {old}.")
    if not (_hashes(proof) and _hashes((old_root, new_root))):
        raise LogFault(
            "consistency-proof", "The consistency proof has too many hashes, or one that is not of 32 bytes."
        )
    if old in (0, new):
        if proof:
            raise LogFault("consistency-proof", "The consistency proof has hashes where none are needed.")
        if old_root != (EMPTY_ROOT if old == 0 else new_root):
            raise LogFault("consistency-proof", f"Two logs of {old} leaves have different roots.")
        return
    explicit = (old_root, *proof) if _is_power(old) else tuple(proof)
    reached = _both_roots(old, new, explicit)
    if reached is None:
        raise LogFault("consistency-proof", f"A consistency proof from {old} to {new} leaves has another length.")
    if reached != (old_root, new_root):
        raise LogFault("consistency-proof", f"The log of {new} leaves is not shown to begin with that of {old} leaves.")


def contradicts(old: int, new: int, old_root: bytes, new_root: bytes, proof: Sequence[bytes]) -> bool:
    """True if an explicit proof shows that the tree of `new` leaves begins with *another* tree of `old` leaves.

    The proof reaches `new_root`, so its hashes are nodes of that tree; the prefix they give is then the only one the
    tree has. A proof that does not reach `new_root` shows nothing and gives False.
    """
    if not 0 < old < new < MAX_SIZE or not (_hashes(proof) and _hashes((old_root, new_root))):
        return False
    reached = _both_roots(old, new, proof)
    return reached is not None and reached[1] == new_root and reached[0] != old_root


def _both_roots(old: int, new: int, proof: Sequence[bytes]) -> tuple[bytes, bytes] | None:
    """The roots of the prefix and of the whole that an explicit proof leads to; None where its length is wrong."""
    if not proof:
        return None
    at, last = old - 1, new - 1
    while at & 1:
        at, last = at >> 1, last >> 1
    before = after = proof[0]
    for sibling in proof[1:]:
        if last == 0:
            return None
        if at & 1 or at == last:
            before, after = node_hash(sibling, before), node_hash(sibling, after)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            after = node_hash(after, sibling)
        at, last = at >> 1, last >> 1
    return (before, after) if last == 0 else None


def _split(count: int) -> int:
    """The largest power of two smaller than `count` (RFC 9162 §2.1.1)."""
    return 1 << ((count - 1).bit_length() - 1)


def _is_power(count: int) -> bool:
    return count.bit_count() == 1


def _hashes(hashes: Sequence[bytes]) -> bool:
    return len(hashes) <= 64 and all(isinstance(one, bytes) and len(one) == HASH_BYTES for one in hashes)


def _in_range(holds: bool, sentence: str) -> None:
    if not holds:
        raise NotFound("log-position", sentence)
