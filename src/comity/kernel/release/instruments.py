"""The signed papers of an agreement's life: signature, epoch, renewal, accession, suspension, withdrawal.

Each is a DSSE envelope over a small JSON object with ``form`` 1; instants stand as STIX timestamps. Identity keys sign
all but the renewal, which a node key signs, since it is due several times a day. Who may sign what, and when it
counts, is life.py. Source: wire.md "Conversation of two nodes"; docs/formats/membership.md.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from typing import Any, Final

from comity.kernel.errors import InputRefused
from comity.kernel.model import instants
from comity.kernel.model.ids import type_of
from comity.kernel.model.instants import Instant
from comity.kernel.release.vocabulary import KINDS
from comity.kernel.seal import dsse
from comity.kernel.seal.canonical import canonical
from comity.kernel.seal.keys import PublicKey, SigningKey

FORM: Final = 1
MOST_MEMBERS: Final = 1000

Keys = Mapping[str, Mapping[str, PublicKey]]
"""For each party id, the keys that may sign here, by keyid."""

_DIGEST: Final = re.compile(r"[0-9a-f]{64}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Signature:
    """That a party signs an agreement: `agreement` is the digest of its signed form."""

    agreement: str
    party: str
    at: Instant

    KIND = "signature"

    def body(self) -> dict[str, Any]:
        """{form, agreement, party, at}."""
        return {"form": FORM, "agreement": self.agreement, "party": self.party, "at": instants.format(self.at)}


@dataclass(frozen=True, slots=True)
class Epoch:
    """A membership: which parties are members from an instant on, until the next epoch. Members are sorted party
    ids.
    """

    agreement: str
    number: int
    previous: str | None
    members: tuple[str, ...]
    effective: Instant

    KIND = "epoch"

    def body(self) -> dict[str, Any]:
        """{form, agreement, number, previous, members, effective}."""
        return {
            "form": FORM,
            "agreement": self.agreement,
            "number": self.number,
            "previous": self.previous,
            "members": list(self.members),
            "effective": instants.format(self.effective),
        }

    @property
    def digest(self) -> str:
        """SHA-256 of the canonical body, hex; further signatures do not change it."""
        return _epoch_digest(self)


@lru_cache(maxsize=4096)
def _epoch_digest(epoch: Epoch) -> str:
    return sha256(canonical(epoch.body())).hexdigest()


@dataclass(frozen=True, slots=True)
class Renewal:
    """The short-lived word that an epoch still stands; `by` is the party whose node key signed it."""

    epoch: str
    at: Instant
    until: Instant
    by: str

    KIND = "renewal"

    def body(self) -> dict[str, Any]:
        """{form, epoch, at, until}; who signed shows by its key."""
        return {"form": FORM, "epoch": self.epoch, "at": instants.format(self.at), "until": instants.format(self.until)}


@dataclass(frozen=True, slots=True)
class Accession:
    """That a party asks to join, accepting the agreement as it stands; `kind` as its card states."""

    agreement: str
    party: str
    kind: str
    at: Instant

    KIND = "accession"

    def body(self) -> dict[str, Any]:
        """{form, agreement, party, kind, at}."""
        return {
            "form": FORM,
            "agreement": self.agreement,
            "party": self.party,
            "kind": self.kind,
            "at": instants.format(self.at),
        }


@dataclass(frozen=True, slots=True)
class Suspension:
    """That a party suspends the agreement for itself, from an instant, until one or without end.

    The newest statement of a party counts: stating one again with `until` ends it.
    """

    agreement: str
    party: str
    at: Instant
    since: Instant
    until: Instant | None

    KIND = "suspension"

    def body(self) -> dict[str, Any]:
        """{form, agreement, party, at, since, until}; ``until`` null: no end."""
        return {
            "form": FORM,
            "agreement": self.agreement,
            "party": self.party,
            "at": instants.format(self.at),
            "since": instants.format(self.since),
            "until": None if self.until is None else instants.format(self.until),
        }


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """That a party leaves: notice given at `at`, out from `effective` on."""

    agreement: str
    party: str
    at: Instant
    effective: Instant

    KIND = "withdrawal"

    def body(self) -> dict[str, Any]:
        """{form, agreement, party, at, effective}."""
        return {
            "form": FORM,
            "agreement": self.agreement,
            "party": self.party,
            "at": instants.format(self.at),
            "effective": instants.format(self.effective),
        }


Instrument = Signature | Epoch | Renewal | Accession | Suspension | Withdrawal


def sign(instrument: Instrument, keys: Sequence[SigningKey]) -> bytes:
    """The instrument as an envelope; others add theirs with `dsse.countersign(envelope, instrument.KIND, key)`."""
    return dsse.sign(instrument.KIND, instrument.body(), keys)


def open_signature(envelope: bytes, keys: Keys) -> Signature:
    """A verified signature, by an identity key of the party it names.

    Raises:
        SealBroken: where the envelope or the signature does not hold, or another party signed (`unknown-signer`).
        InputRefused: `membership-malformed`.
    """
    body = _opened_by_party(envelope, Signature.KIND, keys)
    return Signature(_digest(body, "agreement"), _party(body), _at(body, "at"))


def open_epoch(envelope: bytes, keys: Keys) -> tuple[Epoch, frozenset[str]]:
    """A verified epoch and the parties whose identity keys signed it; whether they suffice says `life.check_epoch`.

    Raises:
        SealBroken, InputRefused: as `open_signature`.
    """
    opened = dsse.open_envelope(envelope, Epoch.KIND, _flat(keys))
    body = _checked(opened.body, {"form", "agreement", "number", "previous", "members", "effective"}, Epoch.KIND)
    number, members, previous = body["number"], body["members"], body["previous"]
    if type(number) is not int or not 1 <= number <= 1_000_000:
        _malformed(Epoch.KIND, "its number is no whole number from 1 on")
    if not isinstance(members, list) or len(members) > MOST_MEMBERS or any(not _is_party(member) for member in members):
        _malformed(Epoch.KIND, "its members are no list of party ids")
    if members != sorted(set(members)):
        _malformed(Epoch.KIND, "its members are not sorted, each once")
    if previous is not None:
        _digest(body, "previous")
    epoch = Epoch(_digest(body, "agreement"), number, previous, tuple(members), _at(body, "effective"))
    return epoch, _parties(opened.signers, keys)


def open_renewal(envelope: bytes, keys: Keys) -> Renewal:
    """A verified renewal; `keys` are the node keys of the parties. Whether it counts says `life.check_renewal`.

    Raises:
        SealBroken, InputRefused: as `open_signature`.
    """
    opened = dsse.open_envelope(envelope, Renewal.KIND, _flat(keys))
    body = _checked(opened.body, {"form", "epoch", "at", "until"}, Renewal.KIND)
    signers = _parties(opened.signers, keys)
    if len(signers) != 1:
        _malformed(Renewal.KIND, "more than one party signed it")
    return Renewal(_digest(body, "epoch"), _at(body, "at"), _at(body, "until"), next(iter(signers)))


def open_accession(envelope: bytes, keys: Keys) -> Accession:
    """A verified accession, by an identity key of the party that accedes.

    Raises:
        SealBroken, InputRefused: as `open_signature`.
    """
    body = _opened_by_party(envelope, Accession.KIND, keys, {"kind"})
    if body["kind"] not in KINDS:
        _malformed(Accession.KIND, "it names no kind of party")
    return Accession(_digest(body, "agreement"), _party(body), body["kind"], _at(body, "at"))


def open_suspension(envelope: bytes, keys: Keys) -> Suspension:
    """A verified suspension, by an identity key of the party that suspends.

    Raises:
        SealBroken, InputRefused: as `open_signature`.
    """
    body = _opened_by_party(envelope, Suspension.KIND, keys, {"since", "until"})
    until = None if body["until"] is None else _at(body, "until")
    return Suspension(_digest(body, "agreement"), _party(body), _at(body, "at"), _at(body, "since"), until)


def open_withdrawal(envelope: bytes, keys: Keys) -> Withdrawal:
    """A verified withdrawal, by an identity key of the party that leaves.

    Raises:
        SealBroken, InputRefused: as `open_signature`.
    """
    body = _opened_by_party(envelope, Withdrawal.KIND, keys, {"effective"})
    return Withdrawal(_digest(body, "agreement"), _party(body), _at(body, "at"), _at(body, "effective"))


OPENERS: Final[Mapping[str, Callable[[bytes, Keys], Any]]] = {
    Signature.KIND: open_signature,
    Epoch.KIND: open_epoch,
    Renewal.KIND: open_renewal,
    Accession.KIND: open_accession,
    Suspension.KIND: open_suspension,
    Withdrawal.KIND: open_withdrawal,
}
"""By kind of envelope."""


def _opened_by_party(envelope: bytes, kind: str, keys: Keys, more: Iterable[str] = ()) -> dict[str, Any]:
    """The body of an instrument that a party signs for itself: only that party's own keys are tried."""
    claimed, _ = dsse.unverified_body(envelope, kind)
    party = claimed.get("party")
    own = keys.get(party, {}) if isinstance(party, str) else {}
    opened = dsse.open_envelope(envelope, kind, own)
    return _checked(opened.body, {"form", "agreement", "party", "at", *more}, kind)


def _flat(keys: Keys) -> dict[str, PublicKey]:
    return {keyid: key for own in keys.values() for keyid, key in own.items()}


def _parties(signers: Iterable[str], keys: Keys) -> frozenset[str]:
    signed = set(signers)
    return frozenset(party for party, own in keys.items() if signed & own.keys())


def _malformed(kind: str, what: str) -> Any:
    raise InputRefused(
        "membership-malformed", f"This {kind} cannot be used: {what}; ask its signer for it again.", kind=kind
    )


def _checked(body: dict[str, Any], needed: set[str], kind: str) -> dict[str, Any]:
    missing = needed - body.keys()
    if missing:
        _malformed(kind, f"it does not say {', '.join(sorted(missing))}")
    if body["form"] != FORM or type(body["form"]) is not int:
        _malformed(kind, f"its form is not {FORM}")
    if set(body) - needed:
        _malformed(kind, f"form {FORM} has no {', '.join(sorted(set(body) - needed))[:80]}")
    return body


def _digest(body: dict[str, Any], key: str) -> str:
    value = body[key]
    if not isinstance(value, str) or _DIGEST.fullmatch(value) is None:
        _malformed("instrument", f"its {key} is no digest")
    return str(value)


def _is_party(value: Any) -> bool:
    return isinstance(value, str) and type_of(value) == "identity"


def _party(body: dict[str, Any]) -> str:
    if not _is_party(body["party"]):
        _malformed("instrument", "it names no party")
    return str(body["party"])


def _at(body: dict[str, Any], key: str) -> Instant:
    value = body[key]
    try:
        if isinstance(value, str) and instants.format(at := instants.parse(value)) == value and at >= 0:
            return at
    except (InputRefused, OverflowError):
        pass
    _malformed("instrument", f"its {key} is no instant in the one form 2021-03-05T12:00:00.000Z")
    raise AssertionError
