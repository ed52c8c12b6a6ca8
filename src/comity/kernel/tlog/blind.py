"""Blind trees: Merkle trees of a fixed size whose unused part cannot be told from the used part.

A tick has 2^12 leaves and a delivery page 2^10, whatever is in them. Nodes are as in RFC 9162 §2.1.1. The hash of a
subtree without a single used leaf is not computed from leaves: it is derived from a secret,

    fill(secret, height, place) = SHA-256("comity/fill/1" ‖ secret32 ‖ u8 height ‖ u16 place)        (big-endian)

so an empty tree costs one hash and k used leaves cost k times the height, not 2^12. To who has not the secret, a fill
and the hash of a used subtree are both 32 random bytes: a used leaf is salted, and a proof shows siblings only. To
whom the secret is opened (an auditor), every unused place is shown to be unused: nobody finds a leaf or a node under
a fill.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from comity.kernel.tlog.tree import HASH_BYTES, node_hash

_FILL: Final = b"comity/fill/1"


def fill(secret: bytes, height: int, place: int) -> bytes:
    """The hash of the unused subtree of this height (0 for a leaf) numbered `place` (from the left), 32 bytes."""
    return sha256(_FILL + secret + bytes((height,)) + place.to_bytes(2, "big")).digest()


@dataclass(frozen=True, slots=True)
class BlindTree:
    """A tree of ``2 ** height`` leaves, some of them used.

    Args:
        secret: 32 bytes nobody outside learns.
        levels: The known hashes of each level, leaves first; the last has the root alone.
    """

    secret: bytes
    levels: tuple[Mapping[int, bytes], ...]

    @classmethod
    def build(cls, leaves: Mapping[int, bytes], secret: bytes, height: int) -> BlindTree:
        """The tree over used leaves by place; the places are the caller's to check."""
        if not leaves:
            return cls(secret, ({},) * (height + 1))
        levels: list[Mapping[int, bytes]] = [leaves]
        for below in range(height):
            known, above = levels[-1], {}
            for parent in {place >> 1 for place in known}:
                left, right = known.get(2 * parent), known.get(2 * parent + 1)
                above[parent] = node_hash(
                    fill(secret, below, 2 * parent) if left is None else left,
                    fill(secret, below, 2 * parent + 1) if right is None else right,
                )
            levels.append(above)
        return cls(secret, tuple(levels))

    def _at(self, height: int, place: int) -> bytes:
        known = self.levels[height].get(place)
        return fill(self.secret, height, place) if known is None else known

    def root(self) -> bytes:
        """The root, 32 bytes."""
        return self._at(len(self.levels) - 1, 0)

    def path(self, place: int) -> tuple[bytes, ...]:
        """The siblings from the leaf up to the root, ``height`` hashes."""
        return tuple(self._at(height, (place >> height) ^ 1) for height in range(len(self.levels) - 1))


def climb(leaf: bytes, place: int, path: Sequence[bytes]) -> bytes:
    """The root that a leaf at `place` and its siblings lead to."""
    node = leaf
    for sibling in path:
        node = node_hash(sibling, node) if place & 1 else node_hash(node, sibling)
        place >>= 1
    return node


def well_formed(path: Sequence[bytes], height: int) -> bool:
    """True if the path has as many hashes of 32 bytes as a tree of that height needs."""
    return len(path) == height and all(isinstance(one, bytes) and len(one) == HASH_BYTES for one in path)
