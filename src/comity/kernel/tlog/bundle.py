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

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final, TypedDict

from comity.kernel.errors import ComityError, InputRefused, SealBroken
from comity.kernel.model import strictjson
from comity.kernel.seal.canonical import canonical
from comity.kernel.seal.cards import Card, verify_chain
from comity.kernel.seal.commitment import VIEW_EXTENSION
from comity.kernel.seal.dsse import unverified_body
from comity.kernel.seal.seals import VerifiedSeal, claimed, verify_seal
from comity.kernel.tlog import strict
from comity.kernel.tlog.acts import DSSE_KIND, Act, act_digest, open_act, read_act
from comity.kernel.tlog.blind import climb, well_formed
from comity.kernel.tlog.checkpoint import Checkpoint, raw_key
from comity.kernel.tlog.promises import open_promise
from comity.kernel.tlog.proof import LogProof
from comity.kernel.tlog.rows import Row, verify_row
from comity.kernel.tlog.ticks import HEIGHT, act_leaf, record_hash

FORM: Final = 1
TYPE: Final = "comity-proof"
MAX_BUNDLE: Final = 64 * 1024 * 1024
MAX_CARDS: Final = 10_000
"""More cards in one bundle than a party makes in a lifetime are refused before any is verified."""

_MEMBERS: Final = frozenset(
    {"form", "type", "object", "seal", "disclosure", "cards", "act", "row", "promise", "log", "agreement", "sum"}
)
_CODE: Final = "proof-bundle"
_NOBODY: Final = "consistent, but nobody vouches for the signer"

Anchor = str | Collection[str]
"""What is known of a party from outside: the fingerprint as read aloud, or key ids of its first identity key."""


class Signer(TypedDict):
    """One party whose signature a bundle rests on."""

    party: str
    fingerprint: str
    anchored: bool


class Logged(TypedDict):
    """Where the act stands."""

    origin: str
    index: int
    size: int


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
            "object": _spelled(self.object),
            "seal": _spelled(self.seal),
            "disclosure": [dict(one) for one in self.disclosure],
            "cards": {party: [_spelled(one) for one in chain] for party, chain in self.cards.items()},
            "act": {"envelope": _spelled(self.act), "salt": self.salt.hex()},
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
            "promise": _spelled(self.promise),
            "log": {
                "place": self.place,
                "inner": [one.hex() for one in self.inner],
                "proof": _spelled(self.outer.to_text()),
            },
        }
        if self.agreement is not None:
            members["agreement"] = {
                "text": _spelled(self.agreement),
                "signatures": [_spelled(one) for one in self.signatures],
            }
        return canonical({**members, "sum": sha256(canonical(members)).hexdigest()})

    @classmethod
    def from_json(cls, data: bytes) -> ProofBundle:
        """Read the file; nothing but its sum is verified.

        Raises:
            InputRefused: `proof-bundle`, `note`.
        """
        what = "A proof bundle"
        members = strict.read_object(data, _CODE, what, MAX_BUNDLE)
        if members.get("type") != TYPE or members.get("form") != FORM or members.get("form") is True:
            raise InputRefused(_CODE, "This is not a proof bundle in a form that is known here.")
        if members.pop("sum", None) != sha256(canonical(members)).hexdigest():
            raise InputRefused(_CODE, "The bundle was damaged on the way: its sum does not fit; ask for it again.")
        act, row, log = (_member(members, name, dict) for name in ("act", "row", "log"))
        cards = _member(members, "cards", dict)
        if sum(len(chain) for chain in cards.values() if isinstance(chain, list)) > MAX_CARDS:
            raise InputRefused(_CODE, f"A proof bundle has at most {MAX_CARDS} cards.")
        outer = LogProof.from_text(_text(log, "proof"))
        if outer.extra is not None:
            raise InputRefused(_CODE, "The log proof in a bundle has no extra line.")
        agreement = members.get("agreement")
        shown = None if agreement is None else _member(members, "agreement", dict)
        return cls(
            object=_text(members, "object"),
            seal=_text(members, "seal"),
            disclosure=_member(members, "disclosure", list),
            cards={party: _texts(cards, party) for party in cards},
            act=_text(act, "envelope"),
            salt=strict.octets(act, "salt", _CODE, what, length=16),
            row=Row(
                strict.number(row, "n", _CODE, what),
                strict.text(row, "digest", _CODE, what),
                strict.text(row, "view", _CODE, what),
                strict.text(row, "title", _CODE, what),
                _member(row, "terms", dict),
            ),
            row_salt=strict.octets(row, "salt", _CODE, what, length=16),
            row_place=strict.number(row, "place", _CODE, what),
            row_path=strict.hashes(row, "path", _CODE, what),
            promise=_text(members, "promise"),
            place=strict.number(log, "place", _CODE, what),
            inner=strict.hashes(log, "inner", _CODE, what),
            outer=outer,
            agreement=None if shown is None else _text(shown, "text"),
            signatures=() if shown is None else _texts(shown, "signatures"),
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
    report["why"] = None if report["verified"] else _NOBODY
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
    cards = {party: _card(party, chain) for party, chain in bundle.cards.items()}
    seal, view = _sealed(bundle, cards)
    act = _acted(bundle, cards)
    needed = dict.fromkeys((seal.party, act.by))
    if cards.keys() - needed:
        raise InputRefused(_CODE, "The bundle has cards of parties that signed nothing in it.")
    checkpoint = _logged(bundle, act, cards[act.by])
    _delivered(bundle, act, seal)
    role = _role(seal, view, cards)
    found = _report(why=None)
    found["object"] = seal.id
    found["role"] = role
    found["originator"] = seal.party if role == "origin" else None
    found["view"] = bundle.row.view
    found["removed"] = seal.removed
    found["signers"] = [
        Signer(party=party, fingerprint=cards[party].fingerprint, anchored=_anchored(cards[party], anchors.get(party)))
        for party in needed
    ]
    found["log"] = Logged(origin=act.origin, index=bundle.outer.index, size=checkpoint.size)
    return found


def _card(party: str, chain: Sequence[bytes]) -> Card:
    card = verify_chain(chain)
    if card.party != party:
        raise SealBroken("card-party", f"The cards shown for {party} are of {card.party}.")
    return card


def _known(cards: Mapping[str, Card], party: str) -> Card:
    if party not in cards:
        raise InputRefused(_CODE, f"The bundle has no card of {party}, who signed in it.")
    return cards[party]


def _sealed(bundle: ProofBundle, cards: Mapping[str, Card]) -> tuple[VerifiedSeal, Mapping[str, Any]]:
    """The seal holds for the bytes that are shown."""
    try:
        view = strictjson.read(bundle.object)
    except InputRefused as broken:
        raise InputRefused(_CODE, f"The object in the bundle cannot be read: {broken.sentence}") from broken
    sealer, at = claimed(bundle.seal)
    keys = _known(cards, sealer).keys_at("node", at)
    held = verify_seal(bundle.seal, view, bundle.disclosure, keys)
    extensions = view.get("extensions")
    said = extensions.get(VIEW_EXTENSION) if isinstance(extensions, dict) else None
    if isinstance(said, dict) and said.get("removed", held.removed) != held.removed:
        raise SealBroken(_CODE, f"The view says that {said['removed']} parts are removed, and {held.removed} are.")
    return held, view


def _acted(bundle: ProofBundle, cards: Mapping[str, Card]) -> Act:
    """The act is by a node key of the party it names, good when it acted."""
    said = read_act(unverified_body(bundle.act, DSSE_KIND)[0])
    act = open_act(bundle.act, _known(cards, said.by).keys_at("node", said.at))
    if act.kind != "deliver":
        raise InputRefused(
            _CODE, f"The act in the bundle is of kind {act.kind}, and only a delivery hands an object over."
        )
    return act


def _logged(bundle: ProofBundle, act: Act, card: Card) -> Checkpoint:
    """The act stands in its log where it was promised."""
    keys = card.keys_since("log", act.at)  # the checkpoint may come after a rotation
    promise = open_promise(bundle.promise, keys)
    if (promise.act, promise.origin) != (act_digest(bundle.act), act.origin):
        raise SealBroken("promise", "The promise in the bundle is for another act.")
    if (promise.tick, promise.place) != (bundle.outer.index, bundle.place):
        raise SealBroken("promise", "The promise in the bundle names another place than the proof.")
    if not well_formed(bundle.inner, HEIGHT):
        raise SealBroken("tick-proof", f"The proof inside a tick has {HEIGHT} hashes of 32 bytes.")
    root = climb(act_leaf(bundle.salt, bundle.act), bundle.place, bundle.inner)
    refused: ComityError | None = None
    for key in keys.values():
        try:
            return bundle.outer.verify(record_hash(root), act.origin, raw_key(key.spki))
        except SealBroken as broken:
            if refused is None or broken.code != "note-signature":
                refused = broken
    raise refused or SealBroken("note-signature", f"The card of {card.name} lists no log key for the time of the act.")


def _delivered(bundle: ProofBundle, act: Act, seal: VerifiedSeal) -> None:
    """The row is of this seal, in the page of this act, under the agreement that is shown."""
    root = strict.unhex(act.body.get("page"), _CODE, "The page root of a delivery", length=32)
    verify_row(bundle.row, bundle.row_salt, bundle.row_place, bundle.row_path, root)
    if bundle.row.digest != seal.digest.hex():
        raise SealBroken("row-proof", "The row in the bundle is of another seal than the one that is shown.")
    if bundle.agreement is not None:
        agreement, _, clause = bundle.row.title.partition("#")
        if not clause or sha256(bundle.agreement).hexdigest() != agreement:
            raise SealBroken(_CODE, "The agreement in the bundle is not the one that the title of the row names.")


def _role(seal: VerifiedSeal, view: Mapping[str, Any], cards: Mapping[str, Card]) -> str:
    """The role; an origin seal is believed only where its card alone lists the object's `created_by_ref`."""
    author = view.get("created_by_ref")
    if seal.role != "origin" or author is None:
        return seal.role
    speaking = {party for party, card in cards.items() if author == party or author in card.identities}
    return "origin" if speaking == {seal.party} else "origin-contested"


def _anchored(card: Card, anchor: Anchor | None) -> bool:
    if anchor is None:
        return False
    known = (anchor,) if isinstance(anchor, str) else tuple(anchor)
    first = card.keys[0].key.keyid
    return any(" ".join(one.split()) == card.fingerprint or one.strip() == first for one in known)


def _spelled(data: bytes) -> str:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as broken:
        raise InputRefused(_CODE, "What goes into a proof bundle is UTF-8 text.") from broken


def _text(members: Mapping[str, Any], name: str) -> bytes:
    return strict.text(members, name, _CODE, "A proof bundle").encode()


def _texts(members: Mapping[str, Any], name: str) -> tuple[bytes, ...]:
    value = _member(members, name, list)
    if not all(isinstance(one, str) for one in value):
        raise InputRefused(_CODE, f"In a proof bundle {name[:80]!r} is a list of texts.")
    return tuple(one.encode() for one in value)


def _member(members: Mapping[str, Any], name: str, kind: type) -> Any:
    value = members.get(name)
    if not isinstance(value, kind):
        raise InputRefused(_CODE, f"A proof bundle needs {name[:80]!r}.")
    return value
