"""What every bundle of the record rests on: an object under its seal, an act, its place in a log, and the cards of who signed.

Bundles differ in what their act does: a delivery hands a row to one party (`bundle`), a publication hands an object to everybody
(`publication`). The links that are the same in all are checked here, each raising what is wrong with it.

Source: docs/formats/log.md, What a verifier checks, 2 to 6 and 8.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final, Protocol, TypedDict

from comity.kernel.errors import ComityError, InputRefused, SealBroken
from comity.kernel.model import strictjson
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
from comity.kernel.tlog.ticks import HEIGHT, act_leaf, record_hash

MAX_CARDS: Final = 10_000
"""More cards in one bundle than a party makes in a lifetime are refused before any is verified."""

NOBODY: Final = "consistent, but nobody vouches for the signer"

CODE: Final = "proof-bundle"

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


class Recorded(Protocol):
    """What a bundle shows, whatever its act does; the members are those of `bundle.ProofBundle`."""

    @property
    def object(self) -> bytes:
        """The view, bytes."""

    @property
    def seal(self) -> bytes:
        """The envelope of its seal."""

    @property
    def disclosure(self) -> Sequence[Mapping[str, Any]]:
        """What opens it."""

    @property
    def act(self) -> bytes:
        """The envelope of the act."""

    @property
    def salt(self) -> bytes:
        """The salt of the act's leaf, 16 bytes."""

    @property
    def promise(self) -> bytes:
        """The envelope of the promise."""

    @property
    def place(self) -> int:
        """The place of the act in its tick."""

    @property
    def inner(self) -> tuple[bytes, ...]:
        """The 12 hashes to the root of the tick."""

    @property
    def outer(self) -> LogProof:
        """The proof of that root."""


# --- what is checked


def card_of(party: str, chain: Sequence[bytes]) -> Card:
    """The newest card of a party, by the chain from its first one.

    Raises:
        SealBroken: `card-party`, and as `verify_chain`.
    """
    card = verify_chain(chain)
    if card.party != party:
        raise SealBroken("card-party", f"The cards shown for {party} are of {card.party}.")
    return card


def check_seal(bundle: Recorded, cards: Mapping[str, Card]) -> tuple[VerifiedSeal, Mapping[str, Any]]:
    """What the seal says and the view it holds for.

    Raises:
        InputRefused, SealBroken: as `verify_seal`; `proof-bundle`.
    """
    try:
        view = strictjson.read(bundle.object)
    except InputRefused as broken:
        raise InputRefused(CODE, f"The object in the bundle cannot be read: {broken.sentence}") from broken
    sealer, at = claimed(bundle.seal)
    keys = _known(cards, sealer).keys_at("node", at)
    held = verify_seal(bundle.seal, view, bundle.disclosure, keys)
    extensions = view.get("extensions")
    said = extensions.get(VIEW_EXTENSION) if isinstance(extensions, dict) else None
    if isinstance(said, dict) and said.get("removed", held.removed) != held.removed:
        raise SealBroken(CODE, f"The view says that {said['removed']} parts are removed, and {held.removed} are.")
    return held, view


def check_act(bundle: Recorded, cards: Mapping[str, Card], kind: str, does: str) -> Act:
    """The act, by a node key of the party it names, good when it acted.

    Args:
        kind: What it must be; `does` says why, for the sentence: ``only a delivery hands an object over``.

    Raises:
        InputRefused: `proof-bundle` for another kind; `act`. SealBroken: as `open_act`.
    """
    said = read_act(unverified_body(bundle.act, DSSE_KIND)[0])
    act = open_act(bundle.act, _known(cards, said.by).keys_at("node", said.at))
    if act.kind != kind:
        raise InputRefused(CODE, f"The act in the bundle is of kind {act.kind}, and {does}.")
    return act


def check_log(bundle: Recorded, act: Act, card: Card) -> Checkpoint:
    """The checkpoint of the log in which the act stands where it was promised.

    Raises:
        SealBroken: `promise`, `tick-proof`, `inclusion-proof`, `note-signature`.
    """
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


def role_of(seal: VerifiedSeal, view: Mapping[str, Any], cards: Mapping[str, Card]) -> str:
    """The role; an origin seal is believed only where its card alone lists the object's `created_by_ref`."""
    author = view.get("created_by_ref")
    if seal.role != "origin" or author is None:
        return seal.role
    speaking = {party for party, card in cards.items() if author == party or author in card.identities}
    return "origin" if speaking == {seal.party} else "origin-contested"


def signer_of(card: Card, anchors: Mapping[str, Anchor]) -> Signer:
    """A party that signed, and whether somebody outside vouches for it."""
    return Signer(party=card.party, fingerprint=card.fingerprint, anchored=_anchored(card, anchors.get(card.party)))


def _known(cards: Mapping[str, Card], party: str) -> Card:
    if party not in cards:
        raise InputRefused(CODE, f"The bundle has no card of {party}, who signed in it.")
    return cards[party]


def _anchored(card: Card, anchor: Anchor | None) -> bool:
    if anchor is None:
        return False
    known = (anchor,) if isinstance(anchor, str) else tuple(anchor)
    first = card.keys[0].key.keyid
    return any(" ".join(one.split()) == card.fingerprint or one.strip() == first for one in known)


# --- reading and writing the members


def members_of(bundle: Recorded, cards: Mapping[str, Sequence[bytes]]) -> dict[str, Any]:
    """The members that every bundle has, JSON-ready.

    Raises:
        InputRefused: `proof-bundle` for bytes that are not UTF-8 text.
    """
    return {
        "object": spelled(bundle.object),
        "seal": spelled(bundle.seal),
        "disclosure": [dict(one) for one in bundle.disclosure],
        "cards": {party: [spelled(one) for one in chain] for party, chain in cards.items()},
        "act": {"envelope": spelled(bundle.act), "salt": bundle.salt.hex()},
        "promise": spelled(bundle.promise),
        "log": {
            "place": bundle.place,
            "inner": [one.hex() for one in bundle.inner],
            "proof": spelled(bundle.outer.to_text()),
        },
    }


def read_members(members: Mapping[str, Any], what: str) -> dict[str, Any]:
    """The inverse of `members_of`, with ``cards``, by the names of `Recorded`.

    Raises:
        InputRefused: `proof-bundle`, `note`.
    """
    act, log = member(members, "act", dict), member(members, "log", dict)
    cards = member(members, "cards", dict)
    if sum(len(chain) for chain in cards.values() if isinstance(chain, list)) > MAX_CARDS:
        raise InputRefused(CODE, f"A proof bundle has at most {MAX_CARDS} cards.")
    outer = LogProof.from_text(text(log, "proof"))
    if outer.extra is not None:
        raise InputRefused(CODE, "The log proof in a bundle has no extra line.")
    return {
        "object": text(members, "object"),
        "seal": text(members, "seal"),
        "disclosure": member(members, "disclosure", list),
        "cards": {party: texts(cards, party) for party in cards},
        "act": text(act, "envelope"),
        "salt": strict.octets(act, "salt", CODE, what, length=16),
        "promise": text(members, "promise"),
        "place": strict.number(log, "place", CODE, what),
        "inner": strict.hashes(log, "inner", CODE, what),
        "outer": outer,
    }


def spelled(data: bytes) -> str:
    """Bytes that were signed or hashed as text, as a JSON string of exactly that text.

    Raises:
        InputRefused: `proof-bundle`.
    """
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as broken:
        raise InputRefused(CODE, "What goes into a proof bundle is UTF-8 text.") from broken


def text(members: Mapping[str, Any], name: str) -> bytes:
    """The bytes of a member that is a text."""
    return strict.text(members, name, CODE, "A proof bundle").encode()


def texts(members: Mapping[str, Any], name: str) -> tuple[bytes, ...]:
    """The bytes of a member that is a list of texts."""
    value = member(members, name, list)
    if not all(isinstance(one, str) for one in value):
        raise InputRefused(CODE, f"In a proof bundle {name[:80]!r} is a list of texts.")
    return tuple(one.encode() for one in value)


def member(members: Mapping[str, Any], name: str, kind: type) -> Any:
    """A member of a kind."""
    value = members.get(name)
    if not isinstance(value, kind):
        raise InputRefused(CODE, f"A proof bundle needs {name[:80]!r}.")
    return value
