"""The opening of an act: who stood behind it, under which mandate and why, shown to an auditor and to nobody else.

An act towards another party carries a salted commitment to its officers. The opening is a file with the act, the cards of the party, and
what opens the commitment; whoever has the party's fingerprint from elsewhere verifies it offline. It opens one act: of others, also
those of the same officer, it tells nothing.

Source: docs/formats/log.md, Openings.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final

from comity.kernel.errors import ComityError, InputRefused, SealBroken
from comity.kernel.model import instants
from comity.kernel.release.mandates import Mandate, read_mandate
from comity.kernel.seal.canonical import canonical
from comity.kernel.seal.cards import verify_chain
from comity.kernel.seal.dsse import open_envelope, unverified_body
from comity.kernel.seal.secrecy import check_opening
from comity.kernel.tlog import strict
from comity.kernel.tlog.acts import DSSE_KIND, OFFICERS, act_digest, officers_body

FORM: Final = "comity-opening/1"
CODE: Final = "opening"
LARGEST: Final = 16 << 20
"""Bytes."""

ACTS: Final = (DSSE_KIND, "procedure-act")
"""Kinds of envelope that commit to officers: acts of the log, and acts of a procedure."""

_MEMBERS: Final = frozenset({"form", "act", "cards", "salt", "officers", "names", "reason", "mandate"})


@dataclass(frozen=True, slots=True)
class Opening:
    """What opens one act.

    Args:
        act: The envelope of the act, bytes.
        cards: The cards of the party that acted, envelopes from the first on.
        salt: The salt of its commitment, 16 bytes.
        officers: Ids of who acted, in order.
        names: What the party calls them, by id; told, not committed to.
        reason: Why, in their words.
        mandate: The mandate they acted under, None where there was none.
    """

    act: bytes
    cards: tuple[bytes, ...]
    salt: bytes
    officers: tuple[str, ...]
    names: Mapping[str, str]
    reason: str
    mandate: Mandate | None

    def to_json(self) -> bytes:
        """The file, RFC 8785."""
        return canonical(
            {
                "form": FORM,
                "act": self.act.decode(),
                "cards": [one.decode() for one in self.cards],
                "salt": self.salt.hex(),
                "officers": list(self.officers),
                "names": dict(self.names),
                "reason": self.reason,
                "mandate": None if self.mandate is None else self.mandate.as_json(),
            }
        )


@dataclass(frozen=True, slots=True)
class Opened:
    """What an opening shows once it held.

    Args:
        party, name, fingerprint: Who acted.
        act: The digest of the act, 64 hex; at: when it says it was done, microseconds; kind: what it does.
        remarks: What an auditor should ask about, as sentences.
    """

    opening: Opening
    party: str
    name: str
    fingerprint: str
    act: str
    at: int
    kind: str
    remarks: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """{party, name, fingerprint, act, kind, at, officers, reason, mandate, remarks}."""
        mandate = self.opening.mandate
        return {
            "party": self.party,
            "name": self.name,
            "fingerprint": self.fingerprint,
            "act": self.act,
            "kind": self.kind,
            "at": instants.format(self.at),
            "officers": [{"id": one, "name": self.opening.names.get(one)} for one in self.opening.officers],
            "reason": self.opening.reason,
            "mandate": None if mandate is None else {**mandate.as_json(), "digest": mandate.digest},
            "remarks": list(self.remarks),
        }


def is_opening(data: bytes) -> bool:
    """Whether bytes say that they are an opening."""
    return data[:LARGEST].find(b'"form":"' + FORM.encode() + b'"') >= 0


def read_opening(data: bytes) -> Opening:
    """The opening in a file; nothing is verified here.

    Raises:
        InputRefused: `opening`, `mandate-form`.
    """
    what = "An opening"
    said = strict.read_object(data, CODE, what, LARGEST)
    if set(said) != _MEMBERS or said["form"] != FORM:
        raise InputRefused(CODE, "This is not an opening in a form that is known here.")
    names = said["names"]
    if not isinstance(names, dict) or not all(isinstance(one, str) for one in names.values()):
        raise InputRefused(CODE, "An opening needs 'names', texts by officer.")
    return Opening(
        act=strict.text(said, "act", CODE, what).encode(),
        cards=tuple(one.encode() for one in _texts(said, "cards")),
        salt=strict.octets(said, "salt", CODE, what, length=16),
        officers=_texts(said, "officers"),
        names=names,
        reason=strict.text(said, "reason", CODE, what),
        mandate=None if said["mandate"] is None else read_mandate(said["mandate"]),
    )


def verify_opening(opening: Opening) -> Opened:
    """Verify that the act is the party's and commits to exactly what is opened.

    Whether the party is who it says is for the auditor: compare `Opened.fingerprint`.

    Raises:
        SealBroken: `opening`, `opening-refused`, and what cards and envelopes raise.
    """
    card = verify_chain(opening.cards)
    kind, body = _body(opening.act)
    try:
        at = instants.parse(strict.text(body, "at", CODE, "The act"))
    except ComityError as broken:
        raise SealBroken(CODE, "The act names no real instant.") from broken
    if body.get("by") != card.party:
        raise SealBroken(CODE, "The act is not by the party whose cards are shown.")
    signed = open_envelope(opening.act, kind, card.keys_at("node", at))
    committed = body.get("officers")
    if not isinstance(committed, str) or len(committed) != 64:
        raise SealBroken(CODE, "The act commits to no officer, so there is nothing to open.")
    mandate = opening.mandate
    said = officers_body(opening.officers, opening.reason, None if mandate is None else mandate.digest)
    check_opening(strict.unhex(committed, CODE, "The commitment", length=32), opening.salt, OFFICERS, said)
    remarks: tuple[str, ...] = ()
    if mandate is not None:
        remarks = tuple(_remarks(opening.officers, mandate, at))
    does = body.get("kind" if kind == DSSE_KIND else "type")
    # an act of a procedure is named by its signed body, so that a further signature makes no second act of it
    digest = act_digest(opening.act) if kind == DSSE_KIND else sha256(signed.payload).hexdigest()
    return Opened(opening, card.party, card.name, card.fingerprint, digest, at, str(does), remarks)


def _remarks(officers: Sequence[str], mandate: Mandate, at: int) -> list[str]:
    found = []
    if not set(officers) & set(mandate.officers):
        found.append(f"None of the officers is named in {mandate.id}, neither as its holder nor as a substitute.")
    elif mandate.officer not in officers:
        found.append(f"A substitute acted: {mandate.id} is held by {mandate.officer}.")
    if at < mandate.at:
        found.append(f"{mandate.id} was given only after the act, at {instants.format(mandate.at)}.")
    if mandate.by in mandate.officers:
        found.append(
            f"{mandate.id} names {mandate.by}, who gave it; ask for the act by which another officer confirmed it."
        )
    return found


def _body(envelope: bytes) -> tuple[str, dict[str, Any]]:
    for kind in ACTS:
        try:
            return kind, unverified_body(envelope, kind)[0]
        except SealBroken as broken:
            if broken.code != "wrong-type":
                raise
    raise SealBroken(CODE, "What is opened is no act of a log and no act of a procedure.")


def _texts(said: Mapping[str, Any], name: str) -> tuple[str, ...]:
    value = said[name]
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value) or len(value) > 10_000:
        raise InputRefused(CODE, f"An opening needs {name!r}, a list of texts.")
    return tuple(value)
