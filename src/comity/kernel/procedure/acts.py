"""Acts of a procedure: what a party does, signed by it, and the content it commits to.

The act is public to everybody who takes part: its type, its public part (`open`), and a salted commitment to its content. So
nobody, the convener included, can say that it was of another type or by another party; the content (reasons, positions, texts)
goes to those it concerns, with the salt:

    leaf = SHA-256(0x00 ‖ "comity/bind/1" ‖ salt16 ‖ JCS(["procedure-content", content]))

An act under a *seat* is signed by a key made for this procedure alone. The list of seat keys is public, who holds which is not, so
heads can be counted and nobody can invent one. Acts of one head are counted: the second says ``n`` 2 and cannot be put before the
first. The digest of an act is that of its signed body, so one more signature on the envelope makes no second act.

Source: docs/formats/procedure.md, Acts.
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

_WORD: Final = re.compile(r"[a-z][a-z0-9]*(?:-[a-z0-9]+)*", re.ASCII)
_SEAT: Final = re.compile(r"seat-[1-9]\d{0,3}", re.ASCII)
_HEX32: Final = re.compile(r"[0-9a-f]{64}", re.ASCII)


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

    def __post_init__(self) -> None:
        procedure = self.procedure is None or type_of(self.procedure) == "comity-procedure"
        head = type_of(self.by) == "identity" or _SEAT.fullmatch(self.by) is not None
        digests = _HEX32.fullmatch(self.leaf) and (self.officers is None or _HEX32.fullmatch(self.officers))
        if not (procedure and head and digests and 0 < self.n < 1 << 31 and _WORD.fullmatch(self.type)):
            raise InputRefused(
                "procedure-act",
                "An act names its procedure, who acts, a number from 1, its type, and commitments in hexadecimal.",
            )

    def as_json(self) -> dict[str, Any]:
        """The body that is signed."""
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
    if set(body) != names or body["form"] != FORM or isinstance(body["form"], bool):
        raise InputRefused(code, "The act has a form that is not known here; a newer version may read it.")
    public = body["open"]
    if not isinstance(public, dict):
        raise InputRefused(code, "The public part of an act is a JSON object.")
    try:
        at = instants.parse(strict.text(body, "at", code, what))
    except ComityError as broken:
        raise InputRefused(code, "The instant of an act is a STIX timestamp.", clause="STIX 2.1 §2.17") from broken
    if instants.format(at) != body["at"]:
        raise InputRefused(code, "The instant of an act has one spelling, with three or six digits of a second.")
    return Act(
        None if body["procedure"] is None else strict.text(body, "procedure", code, what),
        strict.text(body, "by", code, what),
        strict.number(body, "n", code, what),
        strict.text(body, "type", code, what),
        public,
        strict.text(body, "leaf", code, what),
        None if body["officers"] is None else strict.text(body, "officers", code, what),
        at,
    )
