"""Ticks: the log's minute, one outer leaf each, acts or none.

The log begins at `origin_at` and has one outer leaf for each period that is over, so its size is a function of time
alone. Tick t lasts from ``origin_at + t * period`` (inclusive) to ``origin_at + (t + 1) * period`` (exclusive). Its
outer entry is the 32-byte root of an inner tree of 4,096 leaves, and the record hash the RFC 9162 leaf hash of that
entry:

    record hash = SHA-256(0x00 ‖ inner root)

An act stands at a random place of its tick as ``SHA-256(0x00 ‖ "comity/act/1" ‖ salt16 ‖ DSSE bytes)``; what is
unused comes from the secret of the tick (`comity.kernel.tlog.blind`), itself derived from the log's secret, so one
tick can be opened to an auditor without the others. A tick without acts is one derived hash. Acts beyond 4,096 wait
for the next tick.

Source: docs/formats/log.md, Ticks.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from hashlib import sha256
from typing import Final

from comity.kernel.errors import NotAllowed, SealBroken
from comity.kernel.model.instants import Instant
from comity.kernel.tlog.blind import BlindTree, climb, well_formed
from comity.kernel.tlog.tree import HASH_BYTES, MAX_SIZE, leaf_hash

HEIGHT: Final = 12
PLACES: Final = 1 << HEIGHT
"""Leaves of one tick."""

SALT_BYTES: Final = 16


def act_leaf(salt: bytes, dsse: bytes) -> bytes:
    """The inner leaf of an act: ``SHA-256(0x00 ‖ "comity/act/1" ‖ salt16 ‖ DSSE bytes)``, 32 bytes.

    Raises:
        SealBroken: `act-opening` for a salt that is not of 16 bytes.
    """
    if len(salt) != SALT_BYTES:
        raise SealBroken("act-opening", f"The salt of an act has {len(salt)} bytes instead of 16.")
    return sha256(b"\x00comity/act/1" + salt + dsse).digest()


def tick_secret(secret: bytes, tick: int) -> bytes:
    """The secret of one tick, 32 bytes: ``SHA-256("comity/tick/1" ‖ log secret32 ‖ u64 tick)``."""
    return sha256(b"comity/tick/1" + secret + tick.to_bytes(8, "big")).digest()


def tick_tree(acts: Mapping[int, bytes], tick_secret: bytes) -> BlindTree:
    """The inner tree of a tick, from the secret of that tick alone: what an auditor rebuilds.

    Args:
        acts: The act leaf (32 bytes) by place (0 to 4,095).
        tick_secret: As `tick_secret` gives, 32 bytes.

    Raises:
        NotAllowed: `tick` for a place, a leaf or a secret that cannot be.
    """
    if any(not 0 <= place < PLACES or len(leaf) != HASH_BYTES for place, leaf in acts.items()):
        raise NotAllowed("tick", "An act stands at a place from 0 to 4,095 as a leaf of 32 bytes.")
    if len(tick_secret) != HASH_BYTES:
        raise NotAllowed("tick", f"The secret of a tick has 32 bytes, not {len(tick_secret)}.")
    return BlindTree.build(acts, tick_secret, HEIGHT)


def inner_root(acts: Mapping[int, bytes], secret: bytes, tick: int) -> bytes:
    """The root of tick `tick`, 32 bytes: the entry of the outer log.

    Args:
        acts: The act leaf (32 bytes) by place (0 to 4,095); empty for a tick without acts.
        secret: The log's secret, 32 bytes.
        tick: The number of the tick, from 0.

    Raises:
        NotAllowed: `tick` for a place, a leaf, a secret or a tick that cannot be.
    """
    return _tree(acts, secret, tick).root()


def inner_proof(acts: Mapping[int, bytes], secret: bytes, tick: int, place: int) -> tuple[bytes, ...]:
    """The 12 hashes from the act at `place` to the root of its tick, the leaf's sibling first.

    Raises:
        NotAllowed: `tick` where no act stands at that place, and as `inner_root`.
    """
    if place not in acts:
        raise NotAllowed("tick", f"No act stands at place {place} of tick {tick}.")
    return _tree(acts, secret, tick).path(place)


def verify_inner(leaf: bytes, place: int, proof: Sequence[bytes], root: bytes) -> None:
    """Check that the tick with this root has `leaf` at `place`.

    Raises:
        SealBroken: `tick-proof`.
    """
    if not 0 <= place < PLACES or not well_formed(proof, HEIGHT):
        raise SealBroken("tick-proof", "The proof inside a tick has 12 hashes of 32 bytes and a place from 0 to 4,095.")
    if climb(leaf, place, proof) != root:
        raise SealBroken("tick-proof", f"The act is not at place {place} of the tick with this root.")


def record_hash(root: bytes) -> bytes:
    """The outer leaf of a tick: RFC 9162 leaf hash of its 32-byte inner root."""
    return leaf_hash(root)


def tick_of(at: Instant, origin_at: Instant, period: int) -> int:
    """The tick that `at` falls into.

    Args:
        at: An instant, microseconds.
        origin_at: The start of tick 0, microseconds.
        period: The length of a tick, microseconds, at least 1.

    Raises:
        NotAllowed: `tick` for an instant before the log began.
    """
    if period < 1 or at < origin_at or (at - origin_at) // period >= MAX_SIZE:
        raise NotAllowed("tick", "The instant lies before this log began; check the clock.")
    return (at - origin_at) // period


def due(last_closed: int, at: Instant, origin_at: Instant, period: int) -> range:
    """The ticks that are over at `at` and have no leaf yet; empty where the clock stands before that.

    Args:
        last_closed: The last tick that has a leaf, -1 where none has (the size of the log less one).
        at: Now, microseconds.
        origin_at: The start of tick 0, microseconds.
        period: The length of a tick, microseconds.
    """
    return range(last_closed + 1, max(last_closed + 1, (at - origin_at) // period))


def closes_at(tick: int, origin_at: Instant, period: int) -> Instant:
    """The instant from which the leaf of a tick may be appended."""
    return origin_at + (tick + 1) * period


def free_place(random: bytes, taken: Collection[int]) -> int | None:
    """A place of a tick that is not taken, each equally likely; None where the tick is full.

    Args:
        random: At least 16 random bytes, never used for anything else.
        taken: Places in use (0 to 4,095), each once.

    Raises:
        NotAllowed: `tick` for fewer than 16 random bytes.
    """
    if len(random) < 16:
        raise NotAllowed("tick", "A place is drawn with at least 16 random bytes.")
    free = PLACES - len(taken)
    if free <= 0:
        return None
    place = int.from_bytes(random, "big") % free
    for used in sorted(taken):
        if used > place:
            break
        place += 1
    return place


def _tree(acts: Mapping[int, bytes], secret: bytes, tick: int) -> BlindTree:
    if len(secret) != HASH_BYTES or not 0 <= tick < MAX_SIZE:
        raise NotAllowed("tick", "A tick needs the log's secret of 32 bytes and a number from 0.")
    return tick_tree(acts, tick_secret(secret, tick))
