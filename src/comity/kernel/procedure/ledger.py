"""The papers of a convener's ledger: entries, sequence promises, and statements of where it stands.

An **entry** puts one act in its place. It is bound to the convener's log (`origin`) and to the entry before it (`previous`), and
says what follows: the effect, and the state after. Since the act in it is signed by its author and names its type and public
part, whoever has the entries folds them to the same state, whether or not it was given the contents (`fold.py`). A refusal is an
entry too: it has the act, a code and a sentence, and changes nothing.

A **promise** answers an act at once: it will stand at a place from after the ledger's present head to `last`. The instant it
was promised at is the instant of the entry, so it cannot be entered late with a later date.

A **standing** says: at this instant the ledger had this head, and this was the state. It is what a late joiner verifies the
entries against, and what keeps the convener from putting something before it afterwards.

All three are signed by the convener's node key. Source: docs/formats/procedure.md, Ledger.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final

from comity.kernel.errors import ComityError, InputRefused, SealBroken
from comity.kernel.model import instants
from comity.kernel.model.ids import type_of
from comity.kernel.model.instants import Instant
from comity.kernel.seal import dsse
from comity.kernel.seal.canonical import canonical
from comity.kernel.seal.keys import PublicKey, SigningKey
from comity.kernel.tlog import strict
from comity.kernel.tlog.checkpoint import parse_origin

FORM: Final = 1
ENTRY: Final = "ledger-entry"
PROMISE: Final = "ledger-promise"
STANDING: Final = "ledger-standing"

Keys = Mapping[str, Mapping[str, PublicKey]]
"""For each party id its node keys, by key id."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One place of a ledger.

    Args:
        procedure: The case.
        origin: The convener's log, ``comity/<uuid>/<incarnation>``.
        seq: The place, from 0.
        previous: The digest of the entry before it; None at place 0.
        at: When the convener got the act, microseconds; never before the entry before it.
        act: The envelope of the act, as its author signed it.
        effect: What follows, a list of [word, argument ...]; empty for a refusal.
        state: The name of the state after it.
        refused: None, or (code, sentence).

    Raises:
        InputRefused: `ledger-entry`, `log-origin`.
    """

    procedure: str
    origin: str
    seq: int
    previous: str | None
    at: Instant
    act: bytes
    effect: tuple[tuple[Any, ...], ...]
    state: str
    refused: tuple[str, str] | None = None

    def __post_init__(self) -> None:
        parse_origin(self.origin)
        if type_of(self.procedure) != "comity-procedure" or not 0 <= self.seq < 1 << 31:
            raise InputRefused("ledger-entry", "An entry names its procedure and its place, from 0.")
        if (self.previous is None) != (self.seq == 0):
            raise InputRefused("ledger-entry", "Every entry but the first names the one before it.")
        if self.previous is not None:
            strict.unhex(self.previous, "ledger-entry", "'previous' of an entry", length=32)

    @property
    def convener(self) -> str:
        """The party id of the convener that the origin names."""
        return parse_origin(self.origin)[0]

    def as_json(self) -> dict[str, Any]:
        """The body that is signed."""
        refused = None if self.refused is None else {"code": self.refused[0], "sentence": self.refused[1]}
        return {
            "form": FORM,
            "procedure": self.procedure,
            "origin": self.origin,
            "seq": self.seq,
            "previous": self.previous,
            "at": instants.format(self.at),
            "act": self.act.decode(),
            "effect": [list(one) for one in self.effect],
            "state": self.state,
            "refused": refused,
        }

    @property
    def digest(self) -> str:
        """SHA-256 of the signed body; further signatures do not change it."""
        return sha256(canonical(self.as_json())).hexdigest()


@dataclass(frozen=True, slots=True)
class Promise:
    """That an act will stand in the ledger.

    Args:
        procedure, origin: Which ledger, and whose.
        act: The digest of the act.
        head_seq, head: Place and digest of the last entry when it was promised.
        last: The act stands at a place from ``head_seq + 1`` to this one.
        at: The instant its entry will have.

    Raises:
        InputRefused: `ledger-promise`, `log-origin`.
    """

    procedure: str
    origin: str
    act: str
    head_seq: int
    head: str
    last: int
    at: Instant

    def __post_init__(self) -> None:
        parse_origin(self.origin)
        for digest in (self.act, self.head):
            strict.unhex(digest, "ledger-promise", "A digest of a promise", length=32)
        if type_of(self.procedure) != "comity-procedure" or not 0 <= self.head_seq < self.last < 1 << 31:
            raise InputRefused("ledger-promise", "A promise names its procedure, and a place after the present head.")

    @property
    def exact(self) -> bool:
        """Whether it leaves one place only."""
        return self.last == self.head_seq + 1

    def as_json(self) -> dict[str, Any]:
        """The body that is signed."""
        return {
            "form": FORM,
            "procedure": self.procedure,
            "origin": self.origin,
            "act": self.act,
            "head": {"seq": self.head_seq, "digest": self.head},
            "last": self.last,
            "at": instants.format(self.at),
        }


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a ledger stood at an instant: its head, and the folded state (`fold.State.as_json`)."""

    procedure: str
    origin: str
    head_seq: int
    head: str
    state: Mapping[str, Any]
    at: Instant

    def as_json(self) -> dict[str, Any]:
        """The body that is signed."""
        return {
            "form": FORM,
            "procedure": self.procedure,
            "origin": self.origin,
            "head": {"seq": self.head_seq, "digest": self.head},
            "state": dict(self.state),
            "at": instants.format(self.at),
        }


def sign_entry(entry: Entry, keys: Sequence[SigningKey]) -> bytes:
    """The envelope of an entry; others add theirs with `dsse.countersign(envelope, ENTRY, key)`."""
    return dsse.sign(ENTRY, entry.as_json(), keys)


def sign_promise(promise: Promise, key: SigningKey) -> bytes:
    """The envelope of a promise, signed by the convener's node key."""
    return dsse.sign(PROMISE, promise.as_json(), [key])


def sign_standing(standing: Standing, key: SigningKey) -> bytes:
    """The envelope of a standing, signed by the convener's node key."""
    return dsse.sign(STANDING, standing.as_json(), [key])


def open_entry(envelope: bytes, keys: Keys) -> tuple[Entry, frozenset[str]]:
    """A verified entry and the parties that signed it; one of them is the convener its origin names.

    Raises:
        SealBroken: as `dsse.open_envelope`; `unknown-signer` where that convener did not sign.
        InputRefused: `ledger-entry`, `log-origin`.
    """
    body, signers = _opened(envelope, ENTRY, keys)
    entry = _entry(body)
    return entry, _with_convener(entry.convener, signers)


def claimed_entry(envelope: bytes) -> Entry:
    """The entry an envelope claims to hold, not verified here: for one that was verified when it was taken in.

    Raises:
        SealBroken: as `dsse.unverified_body`.
        InputRefused: `ledger-entry`, `log-origin`.
    """
    return _entry(dsse.unverified_body(envelope, ENTRY)[0])


def _entry(body: Mapping[str, Any]) -> Entry:
    code = "ledger-entry"
    _exactly(body, {"form", "procedure", "origin", "seq", "previous", "at", "act", "effect", "state", "refused"}, code)
    effect, refused = body["effect"], body["refused"]
    if not isinstance(effect, list) or not all(isinstance(one, list) and one for one in effect):
        raise InputRefused(code, "The effect of an entry is a list of lists.")
    if refused is not None:
        _exactly({"form": FORM, **refused} if isinstance(refused, dict) else {}, {"form", "code", "sentence"}, code)
        refused = (strict.text(refused, "code", code, "A refusal"), strict.text(refused, "sentence", code, "A refusal"))
    return Entry(
        strict.text(body, "procedure", code, "An entry"),
        strict.text(body, "origin", code, "An entry"),
        strict.number(body, "seq", code, "An entry"),
        None if body["previous"] is None else strict.text(body, "previous", code, "An entry"),
        _instant(body, code),
        strict.text(body, "act", code, "An entry").encode(),
        tuple(tuple(one) for one in effect),
        strict.text(body, "state", code, "An entry"),
        refused,
    )


def open_promise(envelope: bytes, keys: Keys) -> Promise:
    """A promise that the convener it names signed.

    Raises:
        SealBroken: as `open_entry`.
        InputRefused: `ledger-promise`, `log-origin`.
    """
    body, signers = _opened(envelope, PROMISE, keys)
    code = "ledger-promise"
    _exactly(body, {"form", "procedure", "origin", "act", "head", "last", "at"}, code)
    seq, head = _head(body, code)
    promise = Promise(
        strict.text(body, "procedure", code, "A promise"),
        strict.text(body, "origin", code, "A promise"),
        strict.text(body, "act", code, "A promise"),
        seq,
        head,
        strict.number(body, "last", code, "A promise"),
        _instant(body, code),
    )
    _with_convener(parse_origin(promise.origin)[0], signers)
    return promise


def open_standing(envelope: bytes, keys: Keys) -> Standing:
    """A standing that the convener it names signed.

    Raises:
        SealBroken: as `open_entry`.
        InputRefused: `ledger-standing`, `log-origin`.
    """
    body, signers = _opened(envelope, STANDING, keys)
    code = "ledger-standing"
    _exactly(body, {"form", "procedure", "origin", "head", "state", "at"}, code)
    seq, head = _head(body, code)
    if not isinstance(body["state"], dict):
        raise InputRefused(code, "A standing shows the state.")
    origin = strict.text(body, "origin", code, "A standing")
    _with_convener(parse_origin(origin)[0], signers)
    procedure = strict.text(body, "procedure", code, "A standing")
    return Standing(procedure, origin, seq, head, body["state"], _instant(body, code))


def parties(signers: Iterable[str], keys: Keys) -> frozenset[str]:
    """The parties whose keys these are."""
    wanted = set(signers)
    return frozenset(party for party, held in keys.items() if wanted & set(held))


def _opened(envelope: bytes, kind: str, keys: Keys) -> tuple[dict[str, Any], frozenset[str]]:
    flat = {keyid: key for held in keys.values() for keyid, key in held.items()}
    opened = dsse.open_envelope(envelope, kind, flat)
    return opened.body, parties(opened.signers, keys)


def _with_convener(convener: str, signers: frozenset[str]) -> frozenset[str]:
    if convener not in signers:
        raise SealBroken("unknown-signer", "This paper of a ledger is not signed by the convener it names.")
    return signers


def _exactly(body: Mapping[str, Any], names: set[str], code: str) -> None:
    if set(body) != names or body["form"] != FORM or isinstance(body["form"], bool):
        raise InputRefused(
            code, "This paper of a ledger has a form that is not known here; a newer version may read it."
        )


def _instant(body: Mapping[str, Any], code: str) -> Instant:
    try:
        at = instants.parse(strict.text(body, "at", code, "A paper of a ledger"))
    except ComityError as broken:
        raise InputRefused(code, "The instant of a paper is a STIX timestamp.", clause="STIX 2.1 §2.17") from broken
    if instants.format(at) != body["at"]:
        raise InputRefused(code, "The instant of a paper has one spelling, with three or six digits of a second.")
    return at


def _head(body: Mapping[str, Any], code: str) -> tuple[int, str]:
    head = body["head"]
    if not isinstance(head, dict) or set(head) != {"seq", "digest"}:
        raise InputRefused(code, "A head has a place and a digest.")
    digest = strict.text(head, "digest", code, "A head")
    strict.unhex(digest, code, "The digest of a head", length=32)
    return strict.number(head, "seq", code, "A head"), digest
