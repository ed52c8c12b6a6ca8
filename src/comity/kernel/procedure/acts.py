"""Acts of a procedure: what a party does, signed by it, and the content it commits to.

The act is public to everybody who takes part: its type, its public part (`open`), and a salted commitment to its content. So
nobody, the convener included, can say that it was of another type or by another party; the content (reasons, positions, texts)
goes to those it concerns, with the salt:

    leaf = SHA-256(0x00 ‖ "comity/bind/1" ‖ salt16 ‖ JCS(["procedure-content", content]))

An act under a *seat* is signed by a key made for this procedure alone. The list of seat keys is public, who holds which is not, so
heads can be counted and nobody can invent one. Acts of one head are counted: the second says ``n`` 2 and cannot be put before the
first. The digest of an act is that of its signed body, so one more signature on the envelope makes no second act.

A party without a node takes part by note verbale, mail, telephone or in a meeting. Another one that the charter names records what it
said: the act is then the recorder's, who signs it, and says from whom, by which road, under which reference and when it came
(`recorded_from`). It is never that party's signature; the vote or mark it gives is that party's (`Act.head`).

Source: docs/formats/procedure.md, Acts; Recorded acts.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final

from comity.kernel.errors import ComityError, InputRefused
from comity.kernel.model import instants
from comity.kernel.model.ids import type_of
from comity.kernel.model.instants import Instant
from comity.kernel.seal import dsse
from comity.kernel.seal.canonical import canonical
from comity.kernel.seal.keys import PublicKey, SigningKey
from comity.kernel.seal.secrecy import bind, check_opening
from comity.kernel.tlog import strict

FORM: Final = 1
DSSE_KIND: Final = "procedure-act"
CONTENT: Final = "procedure-content"

ROADS: Final[Mapping[str, str]] = {
    "note-verbale": "note verbale",
    "mail": "mail",
    "telephone": "telephone",
    "meeting": "a meeting",
}
"""By which road a party without a node says something, and its words."""

LONGEST_REFERENCE: Final = 200
"""Characters of a reference."""

_WORD: Final = re.compile(r"[a-z][a-z0-9]*(?:-[a-z0-9]+)*", re.ASCII)
_SEAT: Final = re.compile(r"seat-[1-9]\d{0,3}", re.ASCII)
_HEX32: Final = re.compile(r"[0-9a-f]{64}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Recorded:
    """Whose word an act records, and how it came.

    Args:
        party: Whose word it is: a party id, or the id of a STIX identity.
        road: A key of `ROADS`.
        reference: By which the paper or the call is found again, such as ``No 12/2021``; at most 200 characters, printable.
        received: When it came, microseconds.
        document: The SHA-256 of the paper, hexadecimal, or None.

    Raises:
        InputRefused: `procedure-act` for what cannot be.
    """

    party: str
    road: str
    reference: str
    received: Instant
    document: str | None = None

    def __post_init__(self) -> None:
        told = self.reference.strip() == self.reference and self.reference.isprintable()
        named = told and 0 < len(self.reference) <= LONGEST_REFERENCE
        paper = self.document is None or _HEX32.fullmatch(self.document) is not None
        if not (type_of(self.party) == "identity" and self.road in ROADS and named and paper):
            raise InputRefused(
                "procedure-act",
                f"What an act is recorded from names the party, a road ({', '.join(ROADS)}), a reference of 1 to "
                f"{LONGEST_REFERENCE} printable characters, and the paper's SHA-256 in hexadecimal where there is one.",
            )

    def as_json(self) -> dict[str, Any]:
        """The member `recorded_from` of an act; without `document` where there is none."""
        said = {
            "party": self.party,
            "road": self.road,
            "reference": self.reference,
            "received": instants.format(self.received),
        }
        return said if self.document is None else {**said, "document": self.document}

    @property
    def source(self) -> str:
        """Road and reference in words, ``note verbale No 12/2021``."""
        return f"{ROADS[self.road]} {self.reference}"


@dataclass(frozen=True, slots=True)
class Act:
    """One act.

    Args:
        procedure: The case, ``comity-procedure--<uuid>``; None in the act that opens one, whose id follows from it.
        by: Who acts: a party id, or ``seat-N``.
        n: Its place among the acts of that head in this procedure, from 1.
        type: A kind of act of the state table.
        open: The public part.
        leaf: The commitment to the content, 64 hexadecimal digits.
        officers: The commitment to officers and reason (`tlog.acts.officers_commitment`), or None where no officer acted.
        at: When, by the author's clock, microseconds.
        recorded: Whose word it records, or None where the author acts for itself.

    Raises:
        InputRefused: `procedure-act` for what cannot be.
    """

    procedure: str | None
    by: str
    n: int
    type: str
    open: Mapping[str, Any]
    leaf: str
    officers: str | None
    at: Instant
    recorded: Recorded | None = None

    def __post_init__(self) -> None:
        procedure = self.procedure is None or type_of(self.procedure) == "comity-procedure"
        head = type_of(self.by) == "identity" or _SEAT.fullmatch(self.by) is not None
        digests = _HEX32.fullmatch(self.leaf) and (self.officers is None or _HEX32.fullmatch(self.officers))
        if not (procedure and head and digests and 0 < self.n < 1 << 31 and _WORD.fullmatch(self.type)):
            raise InputRefused(
                "procedure-act",
                "An act names its procedure, who acts, a number from 1, its type, and commitments in hexadecimal.",
            )

    @property
    def head(self) -> str:
        """Whose vote or mark it gives: the party it is recorded for, else its author."""
        return self.by if self.recorded is None else self.recorded.party

    def as_json(self) -> dict[str, Any]:
        """The body that is signed; `recorded_from` stands in it only where another's word is recorded."""
        recorded = {} if self.recorded is None else {"recorded_from": self.recorded.as_json()}
        return {
            "form": FORM,
            "procedure": self.procedure,
            "by": self.by,
            "n": self.n,
            "type": self.type,
            "open": dict(self.open),
            "leaf": self.leaf,
            "officers": self.officers,
            "at": instants.format(self.at),
            **recorded,
        }

    @property
    def digest(self) -> str:
        """SHA-256 of the signed body, 64 hexadecimal digits."""
        return sha256(canonical(self.as_json())).hexdigest()


def content_leaf(salt: bytes, content: Any) -> str:
    """The commitment to a content under 16 random bytes, 64 hexadecimal digits.

    Raises:
        Usage: `seed-size` for a salt that is not of 16 bytes.
    """
    return bind(salt, CONTENT, content).hex()


def check_content(act: Act, salt: bytes, content: Any) -> None:
    """Return if this is the content the act commits to.

    Raises:
        SealBroken: `opening-refused`.
    """
    check_opening(bytes.fromhex(act.leaf), salt, CONTENT, content)


def make_act(act: Act, key: SigningKey) -> bytes:
    """The envelope of an act, signed by the party's node key or by the key of the seat."""
    return dsse.sign(DSSE_KIND, act.as_json(), [key])


def open_act(envelope: bytes, keys: Mapping[str, PublicKey]) -> Act:
    """The act in an envelope that one of the keys signed.

    Args:
        envelope: The bytes as received.
        keys: The node keys of the party, or the key of the seat, that is said to act, by key id.

    Raises:
        InputRefused: `procedure-act`.
        SealBroken: as `dsse.open_envelope`.
    """
    return _read(dsse.open_envelope(envelope, DSSE_KIND, keys).body)


def claimed_act(envelope: bytes) -> Act:
    """The act an envelope claims to hold, before anybody verified it; use it to find whose keys to verify with.

    Raises:
        InputRefused: `procedure-act`.
        SealBroken: as `dsse.unverified_body`.
    """
    return _read(dsse.unverified_body(envelope, DSSE_KIND)[0])


def _read(body: Mapping[str, Any]) -> Act:
    code, what = "procedure-act", "An act of a procedure"
    names = {"form", "procedure", "by", "n", "type", "open", "leaf", "officers", "at"}
    if set(body) - {"recorded_from"} != names or body["form"] != FORM or isinstance(body["form"], bool):
        raise InputRefused(code, "The act has a form that is not known here; a newer version may read it.")
    public = body["open"]
    if not isinstance(public, dict):
        raise InputRefused(code, "The public part of an act is a JSON object.")
    at = _instant(body, "at")
    return Act(
        None if body["procedure"] is None else strict.text(body, "procedure", code, what),
        strict.text(body, "by", code, what),
        strict.number(body, "n", code, what),
        strict.text(body, "type", code, what),
        public,
        strict.text(body, "leaf", code, what),
        None if body["officers"] is None else strict.text(body, "officers", code, what),
        at,
        _recorded(body["recorded_from"]) if "recorded_from" in body else None,
    )


def _recorded(said: Any) -> Recorded:
    code, what = "procedure-act", "What an act is recorded from"
    if not isinstance(said, dict) or set(said) - {"document"} != {"party", "road", "reference", "received"}:
        raise InputRefused(
            code, "What an act is recorded from has party, road, reference, received, and a document or not."
        )
    return Recorded(
        strict.text(said, "party", code, what),
        strict.text(said, "road", code, what),
        strict.text(said, "reference", code, what),
        _instant(said, "received"),
        strict.text(said, "document", code, what) if "document" in said else None,
    )


def _instant(said: Mapping[str, Any], name: str) -> Instant:
    code = "procedure-act"
    try:
        at = instants.parse(strict.text(said, name, code, "An act of a procedure"))
    except ComityError as broken:
        raise InputRefused(code, "The instant of an act is a STIX timestamp.", clause="STIX 2.1 §2.17") from broken
    if instants.format(at) != said[name]:
        raise InputRefused(code, "The instant of an act has one spelling, with three or six digits of a second.")
    return at
