"""Acts: the signed, logged deeds between parties.

An act is a DSSE envelope of kind ``act`` by the node key of the party that does the deed, over {form, kind, id, by,
to, at, origin, title, epoch, seq, previous, body, officers}. Rules:

- one addressee: an instrument to five parties is five acts; ``to`` is null where a deed concerns the party's own
  node, and in a ``publish`` act, which is for everybody;
- ``seq`` counts from 1 for each addressee (``publish`` acts by themselves, since everybody sees their numbers), and
  ``previous`` is the digest of the act before it, so a dropped act shows;
- ``origin`` is the log of the party that acts; the act stands there as a leaf (`comity.kernel.tlog.ticks.act_leaf`);
- officers, mandate and reason stay at home: the act has a salted commitment to them, which can be opened to an auditor;
- members of a later version are kept, since the envelope is kept; kinds are a closed list.

The digest of an act is the SHA-256 of its envelope: envelopes have one spelling (`comity.kernel.seal.dsse`).
Source: docs/formats/log.md, Acts.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final

from comity.kernel.errors import ComityError, InputRefused
from comity.kernel.model import instants
from comity.kernel.model.ids import type_of
from comity.kernel.model.instants import Instant
from comity.kernel.seal import dsse
from comity.kernel.seal.keys import PublicKey, SigningKey
from comity.kernel.seal.secrecy import bind
from comity.kernel.tlog import strict
from comity.kernel.tlog.checkpoint import parse_origin

FORM: Final = 1
DSSE_KIND: Final = "act"
OFFICERS: Final = "officers"
"""The label of the commitment to who acted."""

KINDS: Final[Mapping[str, str]] = {
    "deliver": "Hands a page of objects to one party, each under its title.",
    "receive": "Says what of a delivery was taken, and what was refused with code and sentence.",
    "instrument": "Hands an instrument (card, agreement, signature, epoch, receipt) to one party.",
    "card": "Publishes a new card of the own party, with its keys.",
    "sign": "Signs an agreement for the own party.",
    "accede": "Joins an agreement that is already in force.",
    "suspend": "Suspends an agreement for the own party from an instant on.",
    "withdraw": "Leaves an agreement for the own party from an instant on.",
    "epoch": "States the members of an agreement from an instant on.",
    "renew": "Says that an epoch still stands, until an instant.",
    "grant": "Makes a class of objects releasable to one party under a clause, from an instant on.",
    "approve": "Releases a referred object to one party by the word of an officer, until an instant.",
    "handle": "States the handling (markings, purpose, basis, case) of what was taken in.",
    "tombstone": "Takes one delivered row back.",
    "hand": "Hands the bytes of a file to one party, under the title of the artifact that refers to it.",
    "custody": "States what was done with evidence: collected, copied, transferred, opened, returned.",
    "dispose": "Says that the bytes of a file were erased here, and why.",
    "publish": "Publishes an object of the own party, naming the instant that was appointed for it.",
    "mandate": "Gives, confirms or ends a mandate of an officer of the own party.",
    "restore": "Opens the next incarnation of the log after a backup, naming the last checkpoint and the gap.",
}
"""Every deed an act can say, with its sentence."""

_HEX32 = re.compile(r"[0-9a-f]{64}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Act:
    """One deed.

    Args:
        kind: A key of `KINDS`.
        id: ``comity-act--`` and a random UUID.
        by: The party that acts, ``identity--<uuid>``.
        to: The one party it is addressed to; None where it concerns the own node.
        at: When, microseconds.
        origin: The log it stands in: one of the acting party.
        seq: Its place among the acts to this addressee, from 1.
        previous: The digest of the act before it to this addressee (64 hex); None for the first.
        body: What is done, by kind; JSON.
        title: Agreement digest, ``#`` and clause; None where no clause is applied.
        epoch: The digest of the epoch it was done under (64 hex), or None.
        officers: The commitment to officers and reason (64 hex, `officers_commitment`), or None where no officer
        acted.

    Raises:
        InputRefused: `act` for what cannot be.
    """

    kind: str
    id: str
    by: str
    to: str | None
    at: Instant
    origin: str
    seq: int
    previous: str | None
    body: Mapping[str, Any]
    title: str | None = None
    epoch: str | None = None
    officers: str | None = None

    def __post_init__(self) -> None:
        _check(self.kind in KINDS, f"{self.kind[:40]!r} is not a kind of act that is known here.")
        _check(type_of(self.id) == "comity-act", "The id of an act is comity-act-- and a UUID.")
        _check(type_of(self.by) == "identity", "The acting party is named by its identity id.")
        _check(self.to is None or type_of(self.to) == "identity", "The addressee is named by its identity id.")
        _check(parse_origin(self.origin)[0] == self.by, "An act stands in a log of the party that acts.")
        _check(0 < self.seq < 1 << 53, "The acts to one addressee are counted from 1.")
        _check((self.previous is None) == (self.seq == 1), "Every act but the first names the one before it.")
        for name, digest in (("previous", self.previous), ("epoch", self.epoch), ("officers", self.officers)):
            _check(digest is None or bool(_HEX32.fullmatch(digest)), f"{name!r} of an act is a SHA-256 in hexadecimal.")

    def as_json(self) -> dict[str, Any]:
        """The body that is signed."""
        return {
            "form": FORM,
            "kind": self.kind,
            "id": self.id,
            "by": self.by,
            "to": self.to,
            "at": instants.format(self.at),
            "origin": self.origin,
            "title": self.title,
            "epoch": self.epoch,
            "seq": self.seq,
            "previous": self.previous,
            "body": dict(self.body),
            "officers": self.officers,
        }


def make_act(act: Act, key: SigningKey) -> bytes:
    """The envelope of an act, signed by the node key; its bytes are what is logged.

    Raises:
        InputRefused: `not-canonical` for a body JSON cannot say.
    """
    return dsse.sign(DSSE_KIND, act.as_json(), [key])


def open_act(envelope: bytes, keys: Mapping[str, PublicKey]) -> Act:
    """The act in an envelope that one of the keys signed.

    Args:
        envelope: The bytes as received.
        keys: The node keys, by key id, of the party that is said to act.

    Raises:
        InputRefused: `act`, `log-origin`.
        SealBroken: as `dsse.open_envelope`.
    """
    return read_act(dsse.open_envelope(envelope, DSSE_KIND, keys).body)


def read_act(body: Mapping[str, Any]) -> Act:
    """The act that a signed body says; nothing is verified here.

    Raises:
        InputRefused: `act`, `log-origin`.
    """
    what = "An act"
    if body.get("form") != FORM or isinstance(body.get("form"), bool):
        raise InputRefused("act", "The act has a form that is not known here; a newer version may read it.")
    inner = body.get("body")
    if not isinstance(inner, dict):
        raise InputRefused("act", "An act has a body.")
    try:
        at = instants.parse(strict.text(body, "at", "act", what))
    except ComityError as broken:
        raise InputRefused("act", "The instant of an act is a STIX timestamp.", clause="STIX 2.1 §2.17") from broken
    return Act(
        kind=strict.text(body, "kind", "act", what),
        id=strict.text(body, "id", "act", what),
        by=strict.text(body, "by", "act", what),
        to=_optional(body, "to"),
        at=at,
        origin=strict.text(body, "origin", "act", what),
        seq=strict.number(body, "seq", "act", what),
        previous=_optional(body, "previous"),
        body=inner,
        title=_optional(body, "title"),
        epoch=_optional(body, "epoch"),
        officers=_optional(body, "officers"),
    )


def act_digest(envelope: bytes) -> str:
    """The digest of an act: SHA-256 of its envelope, 64 hexadecimal digits."""
    return sha256(envelope).hexdigest()


def officers_commitment(salt: bytes, officers: Sequence[str], reason: str, mandate: str | None = None) -> str:
    """What an act says of the officers behind it, 64 hexadecimal digits.

    It is `secrecy.bind` under the label ``officers`` of `officers_body`; `secrecy.check_opening` opens it.

    Args:
        salt: 16 random bytes, kept at home with the rest.
        officers: Who acted, in order.
        reason: Why, in their words.
        mandate: The digest of the mandate they acted under (64 hex), or None where there was none.

    Raises:
        Usage: `seed-size` for a salt that is not of 16 bytes.
    """
    return bind(salt, OFFICERS, officers_body(officers, reason, mandate)).hex()


def officers_body(officers: Sequence[str], reason: str, mandate: str | None) -> dict[str, Any]:
    """What is committed to: {officers, reason}, and {mandate} where one was acted under."""
    return {"officers": list(officers), "reason": reason, **({} if mandate is None else {"mandate": mandate})}


def _optional(body: Mapping[str, Any], name: str) -> str | None:
    return None if body.get(name) is None else strict.text(body, name, "act", "An act")


def _check(holds: bool, sentence: str) -> None:
    if not holds:
        raise InputRefused("act", sentence)
