"""Promises: what a party gets at once, before the proof.

After the durable commit the node answers with a promise, a DSSE envelope of kind ``promise`` by the *log* key over
{form, act, origin, tick, place}: this act will stand at this place of this tick. What it is worth, as time passes:

    pending            the tick is not due yet
    proved             an inner and an outer proof were verified
    overdue            the proof is due and has not come; never guilt, the network may be at fault
    lost at restore    a later incarnation names a gap that the tick lies in
    convicts           another promise for the same place, or the place opened to another act

Two promises convict if both are by keys of one log for one place of one tick with different acts. A place
convicts if the log itself proves that another act stands there. Both are checked offline.

Source: docs/formats/log.md, Promises.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from comity.kernel.errors import InputRefused, LogFault
from comity.kernel.model.instants import Instant
from comity.kernel.seal import dsse
from comity.kernel.seal.canonical import canonical
from comity.kernel.seal.keys import PublicKey, SigningKey
from comity.kernel.tlog import strict
from comity.kernel.tlog.acts import act_digest
from comity.kernel.tlog.checkpoint import parse_origin
from comity.kernel.tlog.proof import LogProof
from comity.kernel.tlog.ticks import PLACES, act_leaf, closes_at, record_hash, verify_inner
from comity.kernel.tlog.tree import MAX_SIZE

FORM: Final = 1
DSSE_KIND: Final = "promise"

GRACE_TICKS: Final = 2
"""A proof is due this many ticks after its tick is over."""


@dataclass(frozen=True, slots=True)
class Promise:
    """That an act stands, or will stand, at a place of a log.

    Args:
        act: The digest of the act, 64 hexadecimal digits.
        origin: The log.
        tick: The outer leaf, from 0.
        place: The place in that tick, 0 to 4,095.

    Raises:
        InputRefused: `promise` for what cannot be.
    """

    act: str
    origin: str
    tick: int
    place: int

    def __post_init__(self) -> None:
        strict.unhex(self.act, "promise", "The act digest of a promise", length=32)
        parse_origin(self.origin)
        if not 0 <= self.tick < min(MAX_SIZE, 1 << 53) or not 0 <= self.place < PLACES:
            raise InputRefused("promise", f"A promise names a tick and a place from 0 to {PLACES - 1}.")

    def as_json(self) -> dict[str, Any]:
        """The body that is signed."""
        return {"form": FORM, "act": self.act, "origin": self.origin, "tick": self.tick, "place": self.place}


def make_promise(promise: Promise, key: SigningKey) -> bytes:
    """The envelope of a promise, signed by the log key."""
    return dsse.sign(DSSE_KIND, promise.as_json(), [key])


def open_promise(envelope: bytes, keys: Mapping[str, PublicKey]) -> Promise:
    """The promise in an envelope that one of the keys signed.

    Args:
        envelope: The bytes as received.
        keys: The log keys, by key id, of the party whose log is meant.

    Raises:
        InputRefused: `promise`, `log-origin`.
        SealBroken: as `dsse.open_envelope`.
    """
    return read_promise(dsse.open_envelope(envelope, DSSE_KIND, keys).body)


def read_promise(body: Mapping[str, Any]) -> Promise:
    """The promise that a signed body says; nothing is verified here.

    Raises:
        InputRefused: `promise`, `log-origin`.
    """
    what = "A promise"
    if body.get("form") != FORM or isinstance(body.get("form"), bool):
        raise InputRefused("promise", "The promise has a form that is not known here; a newer version may read it.")
    return Promise(
        strict.text(body, "act", "promise", what),
        strict.text(body, "origin", "promise", what),
        strict.number(body, "tick", "promise", what),
        strict.number(body, "place", "promise", what),
    )


def convicts(a: Promise, b: Promise) -> bool:
    """True if one log, whose keys signed both, promised one place to two acts."""
    return (a.origin, a.tick, a.place) == (b.origin, b.tick, b.place) and a.act != b.act


@dataclass(frozen=True, slots=True)
class TwoPromises:
    """Two promises of one log for one place; convinces whoever knows the log's key."""

    a: bytes
    b: bytes

    def to_json(self) -> bytes:
        """One canonical JSON file: {form, type, promises}."""
        return canonical({"form": 1, "type": "comity-two-promises", "promises": [self.a.decode(), self.b.decode()]})


def verify_two_promises(data: bytes, *keys: PublicKey) -> tuple[Promise, Promise]:
    """Check the file of two promises, offline.

    Args:
        data: The file, as `TwoPromises.to_json` writes it.
        keys: The keys that the log has or had, from cards that were verified.

    Raises:
        InputRefused: `fork-evidence` where it convicts nobody; `promise`, `log-origin`.
        SealBroken: as `dsse.open_envelope`.
    """
    code, what = "fork-evidence", "The evidence of two promises"
    members = strict.read_object(data, code, what, 1 << 16)
    texts = members.get("promises")
    if members.get("form") != 1 or members.get("type") != "comity-two-promises" or not isinstance(texts, list):
        raise InputRefused(code, "This is not evidence of two promises in a form that is known here.")
    if len(texts) != 2 or not all(isinstance(one, str) for one in texts):
        raise InputRefused(code, "The evidence of two promises has two promises.")
    a, b = (open_promise(one.encode(), {key.keyid: key for key in keys}) for one in texts)
    if not convicts(a, b):
        raise InputRefused(code, f"The two promises of {a.origin} can both be kept; nobody is convicted.")
    return a, b


@dataclass(frozen=True, slots=True)
class Opening:
    """An act shown in its place of a log.

    Args:
        envelope: The act.
        salt: Its salt, 16 bytes.
        place: Its place in the tick.
        inner: The 12 hashes to the root of the tick.
        root: That root, 32 bytes.
        outer: The proof of that root in the log; its index is the tick.
    """

    envelope: bytes
    salt: bytes
    place: int
    inner: Sequence[bytes]
    root: bytes
    outer: LogProof


def verify_opening(opening: Opening, origin: str, log_key: bytes) -> int:
    """Check that the act stands where it is said to stand.

    Args:
        opening: The act with its proofs.
        origin: The log that is meant.
        log_key: Its Ed25519 key, 32 raw bytes.

    Returns:
        The size of the log in the checkpoint that shows it.

    Raises:
        SealBroken: `act-opening`, `tick-proof`, `inclusion-proof`, `note-signature`.
        InputRefused: `note`, `log-origin`.
    """
    verify_inner(act_leaf(opening.salt, opening.envelope), opening.place, opening.inner, opening.root)
    return opening.outer.verify(record_hash(opening.root), origin, log_key).size


def verify_kept(promise: Promise, opening: Opening, log_key: bytes) -> int:
    """Check that a promise was kept.

    Returns:
        The size of the log in the checkpoint that shows it.

    Raises:
        InputRefused: `promise` where the opening is of another place.
        LogFault: `promise-broken` where the log proves another act in the promised place: this convicts it.
        SealBroken: as `verify_opening`.
    """
    if (opening.outer.index, opening.place) != (promise.tick, promise.place):
        raise InputRefused("promise", "The proof is of another place than the one that was promised.")
    size = verify_opening(opening, promise.origin, log_key)
    if act_digest(opening.envelope) != promise.act:
        raise LogFault("promise-broken", f"{promise.origin} proves another act in the place it promised; keep both.")
    return size


@dataclass(frozen=True, slots=True)
class Gap:
    """What a restore act says was lost: the ticks ``[first, end)`` of the incarnation `origin`.

    Args:
        origin: The incarnation that ended.
        first: The size of its last known checkpoint: the first tick that may be lost.
        end: The first tick that was never open.
    """

    origin: str
    first: int
    end: int

    def names(self, promise: Promise) -> bool:
        """True if the promise lies in the gap."""
        return promise.origin == self.origin and self.first <= promise.tick < self.end


class State(StrEnum):
    """What a promise is worth now."""

    PENDING = "pending"
    PROVED = "proved"
    OVERDUE = "overdue"
    LOST = "lost at restore"
    CONVICTS = "convicts"


def overdue(promise: Promise, size: int, period: int, now: Instant, *, origin_at: Instant) -> bool:
    """True if the proof of the promise should be there by now.

    Args:
        promise: What was promised.
        size: The size of the log's latest checkpoint that we hold; the log's own clock, where ours is slow.
        period: The length of a tick, microseconds.
        now: An instant, microseconds.
        origin_at: The start of tick 0, microseconds.
    """
    return size > promise.tick + GRACE_TICKS or now >= closes_at(promise.tick + GRACE_TICKS, origin_at, period)


def state(
    promise: Promise,
    *,
    size: int,
    period: int,
    now: Instant,
    origin_at: Instant,
    proved: bool = False,
    others: Iterable[Promise] = (),
    opened_to_another: bool = False,
    gaps: Iterable[Gap] = (),
) -> State:
    """What a promise is worth; a conviction outweighs a proof, a proof a gap, a gap the clock.

    Args:
        promise: Verified, as all that follow.
        size: The size of the log's latest checkpoint that we hold.
        period: The length of a tick, microseconds.
        now: An instant, microseconds.
        origin_at: The start of tick 0, microseconds.
        proved: A proof was verified (`verify_kept`).
        others: Other promises by keys of the same log.
        opened_to_another: The place was shown with another act (`verify_kept` raised `promise-broken`).
        gaps: What later incarnations of the log say was lost.
    """
    if opened_to_another or any(convicts(promise, other) for other in others):
        return State.CONVICTS
    if proved:
        return State.PROVED
    if any(gap.names(promise) for gap in gaps):
        return State.LOST
    return State.OVERDUE if overdue(promise, size, period, now, origin_at=origin_at) else State.PENDING
