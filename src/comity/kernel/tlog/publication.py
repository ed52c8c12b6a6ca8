"""The public record: one file by which anybody verifies offline what parties published, when it was appointed and when it went out.

A ``comity-publication`` bundle shows one object whole, under its author's own seal, and the ``publish`` act of that party in its
log: {form, type, object, seal, disclosure, cards, act, promise, log, sum}. A ``comity-public-record`` is a list of them. Its chain:

    object bytes -- disclosure -- seal          role origin, nothing hidden, TLP:CLEAR in the bytes
    seal digest  -- act                         the publish act names object, version and digest, and the instant that was appointed
    act -- salt -- inner leaf -- tick -- log    as in a proof of a delivery
    act -- promise, keys -- cards -- anchors    as there

What went out before its appointed instant is told, not refused. An act that says a later instant than the tick it stands in allows,
by the calendar that the party's card gives its log, is refused: who publishes early cannot say that it was later.

Source: docs/formats/public.md.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final, TypedDict

from comity.kernel.errors import ComityError, InputRefused, SealBroken
from comity.kernel.model import instants, strictjson
from comity.kernel.model.instants import MINUTE, Instant
from comity.kernel.model.vocabularies import TLP_1, TLP_2
from comity.kernel.seal.canonical import canonical
from comity.kernel.seal.cards import Card
from comity.kernel.tlog import strict
from comity.kernel.tlog.acts import Act
from comity.kernel.tlog.checkpoint import parse_origin
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
    members_of,
    read_members,
    role_of,
    signer_of,
)
from comity.kernel.tlog.ticks import closes_at

FORM: Final = 1
TYPE: Final = "comity-publication"
RECORD: Final = "comity-public-record"
MAX_ITEM: Final = 16 * 1024 * 1024
MAX_RECORD: Final = 64 * 1024 * 1024
MAX_ITEMS: Final = 1_000

AHEAD: Final = MINUTE
"""How far the clock of a publisher may be ahead of that of the verifier before it is told, microseconds."""

_MEMBERS: Final = frozenset({"form", "type", "object", "seal", "disclosure", "cards", "act", "promise", "log", "sum"})


class Item(TypedDict):
    """What is established of one publication; each None where it could not be.

    `appointed` and `published` are STIX timestamps, `apart` the microseconds from the first to the second (negative: earlier),
    `recorded` the instant at which the tick was over, by the calendar of the log. `early` says that it went out before it was
    appointed; `remarks` are sentences about what a reader should know. `why` is None where everything holds and the signer is
    anchored.
    """

    verified: bool
    object: str | None
    version: str | None
    party: str | None
    name: str | None
    appointed: str | None
    published: str | None
    apart: int | None
    early: bool | None
    recorded: str | None
    signer: Signer | None
    log: Logged | None
    remarks: list[str]
    why: str | None


class RecordReport(TypedDict):
    """What `verify_record` says. `verified` is True only if there is an item and each is verified; `why` is None then."""

    verified: bool
    items: list[Item]
    why: str | None


@dataclass(frozen=True, slots=True)
class PublicBundle:
    """One publication; the members are those of `bundle.ProofBundle`, less what belongs to a delivery."""

    object: bytes
    seal: bytes
    disclosure: Sequence[Mapping[str, Any]]
    cards: Mapping[str, Sequence[bytes]]
    act: bytes
    salt: bytes
    promise: bytes
    place: int
    inner: tuple[bytes, ...]
    outer: LogProof
    extra: tuple[tuple[str, Any], ...] = ()

    def as_json(self) -> dict[str, Any]:
        """The members, with the sum.

        Raises:
            InputRefused: `proof-bundle`, `not-canonical`.
        """
        members = {**dict(self.extra), "form": FORM, "type": TYPE, **members_of(self, self.cards)}
        return {**members, "sum": sha256(canonical(members)).hexdigest()}

    def to_json(self) -> bytes:
        """The file of this one publication. Errors as `as_json`."""
        return canonical(self.as_json())

    @classmethod
    def from_json(cls, data: bytes) -> PublicBundle:
        """Read such a file; nothing but its sum is verified.

        Raises:
            InputRefused: `proof-bundle`, `note`.
        """
        return cls.of(strict.read_object(data, CODE, "A publication", MAX_ITEM))

    @classmethod
    def of(cls, members: Mapping[str, Any]) -> PublicBundle:
        """The publication that decoded members say. Errors as `from_json`."""
        if members.get("type") != TYPE or members.get("form") != FORM or members.get("form") is True:
            raise InputRefused(CODE, "This is not a publication in a form that is known here.")
        said = {name: value for name, value in members.items() if name != "sum"}
        if members.get("sum") != sha256(canonical(said)).hexdigest():
            raise InputRefused(CODE, "The publication was damaged on the way: its sum does not fit; ask for it again.")
        extra = tuple((name, value) for name, value in said.items() if name not in _MEMBERS)
        return cls(**read_members(said, "A publication"), extra=extra)


@dataclass(frozen=True, slots=True)
class Verified:
    """A publication whose every signature and proof holds; whether anybody vouches for the signer is not asked yet.

    Args:
        version: As the object writes it (`modified`).
        author: Its `created_by_ref`.
        appointed, published: The instants the act names, microseconds.
        recorded: When the tick of the act was over by the calendar of the log, None where its card gives none.
        digest: The SHA-256 of the object's bytes, 32 bytes.
    """

    object: str
    version: str
    author: str
    card: Card
    act: Act
    appointed: Instant
    published: Instant
    recorded: Instant | None
    log: Logged
    digest: bytes

    @property
    def early(self) -> bool:
        """Whether it went out before its appointed instant, by its own act, which its tick does not contradict."""
        return self.published < self.appointed


def check_publication(bundle: PublicBundle) -> Verified:
    """Verify one publication, offline.

    Raises:
        InputRefused, SealBroken: what is wrong, one sentence; `public-record` for what is special to publications.
    """
    cards = {party: card_of(party, chain) for party, chain in bundle.cards.items()}
    seal, view = check_seal(bundle, cards)
    act = check_act(bundle, cards, "publish", "only a publication makes an object public")
    if act.by != seal.party:
        raise SealBroken(
            "public-record", f"{act.by} publishes what {seal.party} sealed; a party publishes its own word only."
        )
    if cards.keys() != {seal.party}:
        raise InputRefused(CODE, "The publication has cards of parties that signed nothing in it.")
    card = cards[act.by]
    if role_of(seal, view, cards) != "origin":
        raise SealBroken(
            "public-record",
            f"{card.name} publishes {seal.id}, which is not its own word: the author it names or the seal over it says otherwise.",
        )
    if seal.removed:
        raise SealBroken(
            "public-record", f"{seal.removed} parts of {seal.id} are hidden; what is public is shown whole."
        )
    _clear(seal.id, view)
    version, appointed = _named(act)
    if (act.body.get("object"), version, act.body.get("digest")) != (seal.id, seal.version, seal.digest.hex()):
        raise SealBroken(
            "public-record", f"The act of {card.name} publishes another object or version than the one shown."
        )
    checkpoint = check_log(bundle, act, card)
    recorded = _over(card, act.origin, bundle.outer.index)
    if recorded is not None and recorded <= act.at:
        raise SealBroken(
            "public-record",
            f"{card.name} says that {seal.id} went out at {instants.format(act.at)}, and its log recorded it in a tick that was "
            f"over at {instants.format(recorded)}; one of the two is not true.",
        )
    return Verified(
        object=seal.id,
        version=version,
        author=str(view["created_by_ref"]),
        card=card,
        act=act,
        appointed=appointed,
        published=act.at,
        recorded=recorded,
        log=Logged(origin=act.origin, index=bundle.outer.index, size=checkpoint.size),
        digest=sha256(bundle.object).digest(),
    )


def make_record(items: Sequence[bytes]) -> bytes:
    """A public record of publications.

    Args:
        items: Files as `PublicBundle.to_json` gives them, at most `MAX_ITEMS`.

    Raises:
        InputRefused: `public-record` for too many; `proof-bundle`.
    """
    if len(items) > MAX_ITEMS:
        raise InputRefused("public-record", f"A public record has at most {MAX_ITEMS:,} publications; make several.")
    members = {"form": FORM, "type": RECORD, "items": [PublicBundle.from_json(one).as_json() for one in items]}
    return canonical({**members, "sum": sha256(canonical(members)).hexdigest()})


def is_public(data: bytes) -> bool:
    """Whether a file says that it is a public record or a publication; nothing of it is verified."""
    try:
        members = strictjson.read(data, limits=strictjson.Limits(size=MAX_RECORD))
    except ComityError:
        return False
    return isinstance(members, dict) and members.get("type") in (RECORD, TYPE)


def parties_of(data: bytes) -> list[str]:
    """The parties whose cards a record shows, as it says; nothing is verified.

    Raises:
        InputRefused: `public-record`.
    """
    found = [one.get("cards") for one in _items(data) if isinstance(one, dict)]
    return list(dict.fromkeys(party for cards in found if isinstance(cards, dict) for party in cards))


def verify_record(data: bytes, anchors: Mapping[str, Anchor], now: Instant | None = None) -> RecordReport:
    """Verify a public record, or a single publication, offline.

    Args:
        anchors: What is known from outside, by party id: a fingerprint as read aloud, or key ids of first identity keys.
        now: What the verifier's own clock says, microseconds: a publication after it is told. None: nothing is said of that.

    Returns:
        The report, item by item; whatever is wrong is said in `why`, never raised.
    """
    try:
        items = _items(data)
    except ComityError as broken:
        return RecordReport(verified=False, items=[], why=broken.sentence)
    checked: list[Verified | str] = []
    for one in items:
        try:
            checked.append(check_publication(PublicBundle.of(one)))
        except ComityError as broken:
            checked.append(broken.sentence)
    contested = _contested([one for one in checked if isinstance(one, Verified)])
    found = [
        _refused(one) if isinstance(one, str) else _told(one, anchors, now, contested.get((one.object, one.version)))
        for one in checked
    ]
    why = next((one["why"] for one in found if one["why"] is not None), None)
    if not found:
        why = "The record holds no publication."
    return RecordReport(verified=why is None, items=found, why=why)


# --- within


def _items(data: bytes) -> list[Any]:
    members = strict.read_object(data, "public-record", "A public record", MAX_RECORD)
    if members.get("type") == TYPE:
        return [members]
    if members.get("type") != RECORD or members.get("form") != FORM or members.get("form") is True:
        raise InputRefused("public-record", "This is not a public record in a form that is known here.")
    total = members.pop("sum", None)
    if total != sha256(canonical(members)).hexdigest():
        raise InputRefused(
            "public-record", "The public record was damaged on the way: its sum does not fit; ask for it again."
        )
    items = members.get("items")
    if not isinstance(items, list) or len(items) > MAX_ITEMS or not all(isinstance(one, dict) for one in items):
        raise InputRefused("public-record", f"A public record has a list of at most {MAX_ITEMS:,} publications.")
    return items


def _clear(stix_id: str, view: Mapping[str, Any]) -> None:
    refs = view.get("object_marking_refs")
    known = {**TLP_1, **TLP_2}
    said = {known.get(ref) for ref in refs} - {None} if isinstance(refs, list) else set()
    if said != {"clear"} or "granular_markings" in view:
        raise SealBroken("public-record", f"{stix_id} is not marked TLP:CLEAR as a whole, so it is not public.")


def _named(act: Act) -> tuple[str, Instant]:
    """The version and the appointed instant that a publish act names."""
    what = "A publish act"
    version = strict.text(act.body, "version", "public-record", what)
    try:
        return version, instants.parse(strict.text(act.body, "appointed", "public-record", what))
    except ComityError as broken:
        raise InputRefused("public-record", "The appointed instant of a publish act is a STIX timestamp.") from broken


def _over(card: Card, origin: str, tick: int) -> Instant | None:
    """When a tick was over, where the card tells the calendar of the log: it does so for the first life of a log."""
    log = dict(card.extra).get("log")
    if not isinstance(log, dict) or parse_origin(origin)[1] != 1:
        return None
    begun, period = _whole(log.get("origin_at")), _whole(log.get("period"))
    if begun is None or period is None:
        return None
    return _whole(closes_at(tick, begun, period))


def _whole(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 < value < 1 << 53 else None


def _contested(found: Sequence[Verified]) -> dict[tuple[str, str], str]:
    """Objects and versions of which the record shows more than one text, or more than one party as their author, with the sentence."""
    wrong: dict[tuple[str, str], str] = {}
    texts: dict[tuple[str, str], set[bytes]] = {}
    for one in found:
        texts.setdefault((one.object, one.version), set()).add(one.digest)
        claim = claimant(one, [other.card for other in found])
        if claim is not None:
            wrong[one.object, one.version] = (
                f"{one.card.name} and {claim.name} both say that {one.author}, who speaks there, is theirs."
            )
        elif len(texts[one.object, one.version]) > 1:
            wrong[one.object, one.version] = (
                f"{one.card.name} published two different texts as {one.object} of {one.version}."
            )
    return wrong


def claimant(one: Verified, cards: Iterable[Card]) -> Card | None:
    """Another party that says it speaks for the author of a publication; None where nobody else does.

    A party's own id is its own, by the key it is made from, so nobody else can claim it.
    """
    if one.author == one.card.party:
        return None
    return next(
        (card for card in cards if card.party != one.card.party and one.author in (card.party, *card.identities)), None
    )


def _refused(why: str) -> Item:
    return Item(
        verified=False,
        object=None,
        version=None,
        party=None,
        name=None,
        appointed=None,
        published=None,
        apart=None,
        early=None,
        recorded=None,
        signer=None,
        log=None,
        remarks=[],
        why=why,
    )


def _told(one: Verified, anchors: Mapping[str, Anchor], now: Instant | None, contested: str | None) -> Item:
    signer = signer_of(one.card, anchors)
    why = contested or (None if signer["anchored"] else NOBODY)
    return Item(
        verified=why is None,
        object=one.object,
        version=one.version,
        party=one.card.party,
        name=one.card.name,
        appointed=instants.format(one.appointed),
        published=instants.format(one.published),
        apart=one.published - one.appointed,
        early=one.early,
        recorded=None if one.recorded is None else instants.format(one.recorded),
        signer=signer,
        log=one.log,
        remarks=remarks(one, now),
        why=why,
    )


def remarks(one: Verified, now: Instant | None) -> list[str]:
    """What a reader should know of a publication that holds, sentences.

    Args:
        now: As in `verify_record`.
    """
    said = []
    if one.early:
        said.append(
            f"{one.card.name} published it at {instants.format(one.published)}, before the appointed "
            f"{instants.format(one.appointed)}."
        )
    if now is not None and one.published > now + AHEAD:
        said.append(
            f"{one.card.name} says that it went out at {instants.format(one.published)}, which is still to come by the clock here "
            f"({instants.format(now)}): its clock is ahead, or this one is behind."
        )
    return said
