"""The proof bundle: one file that shows offline who said what to whom, under which title, and that it was recorded.

A ``.proof.json`` is one canonical JSON object (RFC 8785): {form, type, object, seal, disclosure, cards, act, row,
promise, log, agreement?, sum}. Its chain, each link checked against the next:

    object bytes -- disclosure -- seal          by the sealer's node key, good when it sealed
    seal digest  -- row -- page root            the row under the root that the deliver act commits to
    page root    -- act                         by the releasing party's node key, good when it acted
    act -- salt -- inner leaf -- tick -- log    12 hashes, the C2SP proof, the checkpoint by the log key
    act -- promise                              by the log key, same tick and place
    keys -- cards                               the chain of cards of each signer, from the first one on
    cards -- anchors                            what the verifier knows from outside: a fingerprint or a key id

A bundle that holds together but whose signers nobody outside vouches for is `consistent`, not verified. Texts
(object, envelopes, proof) are JSON strings of exactly the bytes that were signed or hashed. ``sum`` is the SHA-256 of
the canonical bytes without it: it finds damage also in members that a newer version added, and proves nothing. The
agreement is checked by its digest in the title; its signatures and whether the clause allowed the release are for
`comity.kernel.release`.

Source: docs/formats/log.md, Proof bundle.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final, TypedDict

from comity.kernel.errors import ComityError, InputRefused, SealBroken
from comity.kernel.seal.canonical import canonical
from comity.kernel.seal.seals import VerifiedSeal
from comity.kernel.tlog import strict
from comity.kernel.tlog.acts import Act
from comity.kernel.tlog.proof import LogProof
from comity.kernel.tlog.recorded import (
    CODE,
    NOBODY,
    Anchor,
    Logged,
    Signer,
    card_of,
    check_act,
    check_log,
    check_seal,
    member,
    members_of,
    read_members,
    role_of,
    signer_of,
    spelled,
    text,
    texts,
)
from comity.kernel.tlog.rows import Row, verify_row

FORM: Final = 1
TYPE: Final = "comity-proof"
MAX_BUNDLE: Final = 64 * 1024 * 1024

_MEMBERS: Final = frozenset(
    {"form", "type", "object", "seal", "disclosure", "cards", "act", "row", "promise", "log", "agreement", "sum"}
)


class Report(TypedDict):
    """What `verify_bundle` says; each None where it could not be established.

    `verified` is True only if everything holds and every signer is anchored; `why` is None then, and one sentence
    otherwise. `role` is ``origin``, ``custody``, ``anonymous`` or ``origin-contested``; `originator` is None unless
    it is ``origin``.
    """

    verified: bool
    object: str | None
    originator: str | None
    role: str | None
    view: str | None
    removed: int | None
    signers: list[Signer]
    log: Logged | None
    why: str | None


@dataclass(frozen=True, slots=True)
class ProofBundle:
    """The members of a bundle.

    Args:
        object: The view as it was delivered, bytes.
        seal: The envelope of its seal.
        disclosure: The disclosure that opens it, JSON.
        cards: For each signer's party id the envelopes of its cards, from the first one on.
        act: The envelope of the deliver act; its body has the page root as ``page``, hexadecimal.
        salt: The salt of the act's leaf, 16 bytes.
        row: What was delivered.
        row_salt: Its salt, 16 bytes.
        row_place: Its place in the page.
        row_path: The 10 hashes to the page root.
        promise: The envelope of the promise.
        place: The place of the act in its tick.
        inner: The 12 hashes to the root of the tick.
        outer: The C2SP proof of that root; its index is the tick; its note is the checkpoint.
        agreement: The signed text (RFC 8785 bytes) of the agreement that the title names, where it is shown.
        signatures: The envelopes of its signatures.
        extra: Members of a later version: kept, and not looked at.
    """

    object: bytes
    seal: bytes
    disclosure: Sequence[Mapping[str, Any]]
    cards: Mapping[str, Sequence[bytes]]
    act: bytes
    salt: bytes
    row: Row
    row_salt: bytes
    row_place: int
    row_path: tuple[bytes, ...]
    promise: bytes
    place: int
    inner: tuple[bytes, ...]
    outer: LogProof
    agreement: bytes | None = None
    signatures: tuple[bytes, ...] = ()
    extra: tuple[tuple[str, Any], ...] = ()

    def to_json(self) -> bytes:
        """The file.

        Raises:
            InputRefused: `proof-bundle` for bytes that are not UTF-8 text; `not-canonical`.
        """
        row = self.row
        members: dict[str, Any] = {
            **dict(self.extra),
            "form": FORM,
            "type": TYPE,
            **members_of(self, self.cards),
            "row": {
                "n": row.n,
                "digest": row.digest,
                "view": row.view,
                "title": row.title,
                "terms": dict(row.terms),
                "salt": self.row_salt.hex(),
                "place": self.row_place,
                "path": [one.hex() for one in self.row_path],
            },
        }
        if self.agreement is not None:
            members["agreement"] = {
                "text": spelled(self.agreement),
                "signatures": [spelled(one) for one in self.signatures],
            }
        return canonical({**members, "sum": sha256(canonical(members)).hexdigest()})

    @classmethod
    def from_json(cls, data: bytes) -> ProofBundle:
        """Read the file; nothing but its sum is verified.

        Raises:
            InputRefused: `proof-bundle`, `note`.
        """
        what = "A proof bundle"
        members = strict.read_object(data, CODE, what, MAX_BUNDLE)
        if members.get("type") != TYPE or members.get("form") != FORM or members.get("form") is True:
            raise InputRefused(CODE, "This is not a proof bundle in a form that is known here.")
        if members.pop("sum", None) != sha256(canonical(members)).hexdigest():
            raise InputRefused(CODE, "The bundle was damaged on the way: its sum does not fit; ask for it again.")
        row = member(members, "row", dict)
        agreement = members.get("agreement")
        shown = None if agreement is None else member(members, "agreement", dict)
        return cls(
            **read_members(members, what),
            row=Row(
                strict.number(row, "n", CODE, what),
                strict.text(row, "digest", CODE, what),
                strict.text(row, "view", CODE, what),
                strict.text(row, "title", CODE, what),
                member(row, "terms", dict),
            ),
            row_salt=strict.octets(row, "salt", CODE, what, length=16),
            row_place=strict.number(row, "place", CODE, what),
            row_path=strict.hashes(row, "path", CODE, what),
            agreement=None if shown is None else text(shown, "text"),
            signatures=() if shown is None else texts(shown, "signatures"),
            extra=tuple((name, value) for name, value in members.items() if name not in _MEMBERS),
        )


def verify_bundle(data: bytes, anchors: Mapping[str, Anchor]) -> Report:
    """Verify a proof bundle, offline.

    Args:
        data: The file.
        anchors: What is known from outside, by party id: a fingerprint as read aloud, or key ids of first identity
        keys.

    Returns:
        The report; whatever is wrong with the file is said in `why`, never raised.
    """
    try:
        report = _verify(ProofBundle.from_json(data), anchors)
    except ComityError as broken:
        return _report(why=broken.sentence)
    report["verified"] = all(signer["anchored"] for signer in report["signers"])
    report["why"] = None if report["verified"] else NOBODY
    return report


def _report(*, why: str | None) -> Report:
    return Report(
        verified=False,
        object=None,
        originator=None,
        role=None,
        view=None,
        removed=None,
        signers=[],
        log=None,
        why=why,
    )


def _verify(bundle: ProofBundle, anchors: Mapping[str, Anchor]) -> Report:
    cards = {party: card_of(party, chain) for party, chain in bundle.cards.items()}
    seal, view = check_seal(bundle, cards)
    act = check_act(bundle, cards, "deliver", "only a delivery hands an object over")
    needed = dict.fromkeys((seal.party, act.by))
    if cards.keys() - needed:
        raise InputRefused(CODE, "The bundle has cards of parties that signed nothing in it.")
    checkpoint = check_log(bundle, act, cards[act.by])
    _delivered(bundle, act, seal)
    role = role_of(seal, view, cards)
    found = _report(why=None)
    found["object"] = seal.id
    found["role"] = role
    found["originator"] = seal.party if role == "origin" else None
    found["view"] = bundle.row.view
    found["removed"] = seal.removed
    found["signers"] = [signer_of(cards[party], anchors) for party in needed]
    found["log"] = Logged(origin=act.origin, index=bundle.outer.index, size=checkpoint.size)
    return found


def _delivered(bundle: ProofBundle, act: Act, seal: VerifiedSeal) -> None:
    """The row is of this seal, in the page of this act, under the agreement that is shown."""
    root = strict.unhex(act.body.get("page"), CODE, "The page root of a delivery", length=32)
    verify_row(bundle.row, bundle.row_salt, bundle.row_place, bundle.row_path, root)
    if bundle.row.digest != seal.digest.hex():
        raise SealBroken("row-proof", "The row in the bundle is of another seal than the one that is shown.")
    if bundle.agreement is not None:
        agreement, _, clause = bundle.row.title.partition("#")
        if not clause or sha256(bundle.agreement).hexdigest() != agreement:
            raise SealBroken(CODE, "The agreement in the bundle is not the one that the title of the row names.")
