"""The messages two nodes exchange: what either side says in one step, as values and as bytes.

A `Turn` is the one message of the wire: a greeting, and what is due of control, objects and receipts. It is JSON in
UTF-8. Whatever somebody signed, or must stay as it came (objects, envelopes, notes, disclosures), stands in it as text
and comes out byte for byte; hashes and salts are lower-case hexadecimal. Rules:

- `form` is 1; another form is refused, a newer feature level is not (`common` finds what both understand);
- members that are not known are kept in `extra` and written again; a known member of the wrong kind is refused;
- n is gapless inside a page; a page has 1 to 1,024 rows; counts and sizes are bounded by `Limits`;
- the constructors refuse what cannot be, so a decoded message and one of ours obey the same rules.

Source: docs/formats/exchange.md.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal, TypeAlias, TypeVar, cast

import orjson

from comity.kernel.errors import InputRefused, RequestRefused
from comity.kernel.model import strictjson
from comity.kernel.model.ids import type_of
from comity.kernel.model.instants import Instant
from comity.kernel.model.instants import format as write_instant
from comity.kernel.model.instants import parse as read_instant
from comity.kernel.tlog.rows import ROWS, Row

FORM: Final = 1
"""The form of these messages; another number is another language."""

MEDIA_TYPE: Final = "application/vnd.comity.exchange.v1+json"

_KIND: Final = re.compile(r"[a-z][a-z0-9]*(?:-[a-z0-9]+)*", re.ASCII)
_HEX: Final = re.compile(r"(?:[0-9a-f]{2})+", re.ASCII)
_WORD: Final = 128
_SENTENCE: Final = 2_000
_NO_DEPTH: Final = 1 << 62


@dataclass(frozen=True, slots=True)
class Limits:
    """How much one message may hold; what is beyond is refused before anything is taken in.

    Args:
        message: Bytes of a whole message.
        text: Bytes of one envelope, note, disclosure or control body.
        raw: Bytes of one object.
        control: Control items in a page.
        rows: Rows of a delivery page, never more than 1,024.
        receipts: Receipts in a turn.
        seen: Checkpoints shown in a greeting.
        depth: Nesting of terms and of members that are not known.
    """

    message: int = 64 << 20
    text: int = 4 << 20
    raw: int = 16 << 20
    control: int = 1_024
    rows: int = ROWS
    receipts: int = 64
    seen: int = 256
    depth: int = 24


LIMITS: Final = Limits()


@dataclass(frozen=True, slots=True)
class Feature:
    """What a feature level understands beyond the form, asked by name and never by number.

    Args:
        level: The number both sides say.
        gossips: Shows the checkpoints it holds of other parties' logs.
        replaces_rows: Knows rows of the kind ``replaced``.
    """

    level: int
    gossips: bool
    replaces_rows: bool


LEVELS: Final[Mapping[int, Feature]] = {1: Feature(1, gossips=True, replaces_rows=True)}
NEWEST: Final = LEVELS[max(LEVELS)]


def common(theirs: int) -> Feature:
    """The feature level that we and a peer of level `theirs` both understand."""
    return LEVELS[min(theirs, NEWEST.level)]


Extra: TypeAlias = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Consistency:
    """Proof that the sender's log of `size` entries begins the log its checkpoint shows (RFC 9162 §2.1.4)."""

    size: int
    hashes: tuple[bytes, ...]

    def __post_init__(self) -> None:
        _check(
            self.size >= 0 and len(self.hashes) <= 128,
            "a consistency proof starts at a size and has at most 128 hashes",
        )
        _check(all(len(one) == 32 for one in self.hashes), "a hash of a consistency proof has 32 bytes")


@dataclass(frozen=True, slots=True)
class Greeting:
    """Who speaks to whom, how far the sender is, and what it knows of logs.

    Args:
        feature: The sender's feature level, at least 1.
        sender, to: Party ids.
        at: The sender's clock, microseconds.
        have_control, have_objects: The n up to which the sender has taken the addressee's streams.
        receipted: The n up to which the sender holds the addressee's receipts for its own objects stream.
        checkpoint: The sender's newest published checkpoint (C2SP note), None before the first tick.
        consistency: From a size the addressee knows to that checkpoint; None where it knows none or the same.
        seen: Checkpoints (C2SP notes) the sender holds of the addressee's log and of others.
        incarnation: Which life of its log the sender is in, from 1.
    """

    feature: int
    sender: str
    to: str
    at: Instant
    have_control: int
    have_objects: int
    receipted: int
    checkpoint: bytes | None
    consistency: Consistency | None
    seen: tuple[bytes, ...]
    incarnation: int
    extra: Extra = field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        if self.feature < 1:
            raise RequestRefused("message-version", f"Feature level {self.feature} does not exist; the first is 1.")
        for party in (self.sender, self.to):
            _check(type_of(party) == "identity", "sender and addressee are party ids (identity--…)")
        _check(self.sender != self.to, "a node does not greet itself")
        _check(
            min(self.have_control, self.have_objects, self.receipted) >= 0 and self.incarnation >= 1,
            "cursors count from 0 and incarnations from 1",
        )


@dataclass(frozen=True, slots=True)
class ControlItem:
    """One row of the control stream: its n (from 1), a kind, and its message as JSON text."""

    n: int
    kind: str
    body: bytes
    extra: Extra = field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        _check(self.n >= 1, "a stream begins at n = 1")
        _check(
            _KIND.fullmatch(self.kind) is not None and len(self.kind) <= _WORD, "the kind of a control item is a word"
        )


@dataclass(frozen=True, slots=True)
class ControlPage:
    """Rows of the control stream without a gap; `more` when there are further ones."""

    items: tuple[ControlItem, ...]
    more: bool
    extra: Extra = field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        _gapless([item.n for item in self.items], "control")
        _check(bool(self.items) or not self.more, "a control page that says there is more holds at least one item")


ItemKind: TypeAlias = Literal["object", "withdrawn", "replaced"]
KINDS: Final = ("object", "withdrawn", "replaced")


@dataclass(frozen=True, slots=True)
class ObjectItem:
    """One row of the objects stream.

    Args:
        n: Its place in the addressee's stream, from 1.
        kind: ``object`` gives a version; ``replaced`` gives it in another view than an earlier row; ``withdrawn`` takes
            it back.
        object: The STIX id.
        digest: The digest of the seal, 64 hex characters; None where there is none.
        view: The name of the view.
        title: Agreement digest, ``#``, clause.
        terms: What the receiver's handling starts from (JSON).
        raw: The exact bytes of the object or view; None exactly for ``withdrawn``.
        seal: The DSSE envelope of the seal.
        disclosure: The openings and hashes that belong to the view (JSON text).
        hidden: How many references the view leaves out.
    """

    n: int
    kind: ItemKind
    object: str
    digest: str | None
    view: str
    title: str
    terms: Mapping[str, Any] = field(hash=False)
    raw: bytes | None
    seal: bytes | None
    disclosure: bytes | None
    hidden: int
    extra: Extra = field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise RequestRefused(
                "message", f"Row {self.n} is of the kind {str(self.kind)[:40]!r}, which this release does not know."
            )
        _check(self.n >= 1 and self.hidden >= 0, "a stream begins at n = 1 and hides no fewer than 0 references")
        _check(type_of(self.object) is not None, f"row {self.n} does not name a STIX object")
        _check(
            self.digest is None or len(self.digest) == 64, f"the digest of row {self.n} has 64 hexadecimal characters"
        )
        if self.kind == "withdrawn":
            _check(
                self.raw is None and self.seal is None and self.disclosure is None,
                f"row {self.n} withdraws an object and cannot carry one",
            )
        else:
            _check(self.raw is not None, f"row {self.n} gives an object and carries none")

    def row(self) -> Row:
        """The row that the delivery act commits to; a row without a seal has the empty digest."""
        return Row(self.n, self.digest or "", self.view, self.title, self.terms)


@dataclass(frozen=True, slots=True)
class Page:
    """One delivery: rows `first` to `last` of the objects stream under one signed act.

    Args:
        act: The deliver act, a DSSE envelope; it commits to the rows (`comity.kernel.tlog.rows.page_root`).
        act_salt: The 16 bytes that open the act's leaf in the sender's log.
        promise: The sender's promise for the act, a DSSE envelope.
        secret: The page's 32 bytes, from which the salts of its rows follow.
        first, last: n of the first and last row, both included.
        more: There are further rows.
    """

    act: bytes
    act_salt: bytes
    promise: bytes
    secret: bytes
    first: int
    last: int
    items: tuple[ObjectItem, ...]
    more: bool
    extra: Extra = field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        _check(1 <= len(self.items) <= ROWS, f"a page has 1 to {ROWS} rows")
        _gapless([item.n for item in self.items], "objects")
        _check(
            self.items[0].n == self.first and self.items[-1].n == self.last,
            "a page names its first and last row as they are",
        )
        _check(len(self.act_salt) == 16 and len(self.secret) == 32, "a page has a salt of 16 and a secret of 32 bytes")

    def rows(self) -> tuple[Row, ...]:
        """The rows as the deliver act commits to them, in order."""
        return tuple(item.row() for item in self.items)


@dataclass(frozen=True, slots=True)
class Refusal:
    """A row that was not taken: its n, a code, a sentence for the sender's officer."""

    n: int
    code: str
    sentence: str

    def __post_init__(self) -> None:
        _check(self.n >= 1, "a refusal names a row")
        _check(_KIND.fullmatch(self.code) is not None and len(self.code) <= _WORD, "a refusal has a code")
        _check(len(self.sentence) <= _SENTENCE, f"the sentence of a refusal has at most {_SENTENCE} characters")


@dataclass(frozen=True, slots=True)
class Receipt:
    """The receiver's signed answer to one delivery.

    Args:
        delivery: SHA-256 of the deliver act's envelope, hex.
        taken: The n up to which the rows were handled, taken or refused.
        refused: The rows that were refused, by rising n.
        act: The receipt act, a DSSE envelope.
        salt: The 16 bytes that open its leaf in the receiver's log.
        promise: The receiver's promise for it, a DSSE envelope.
    """

    delivery: str
    taken: int
    refused: tuple[Refusal, ...]
    act: bytes
    salt: bytes
    promise: bytes
    extra: Extra = field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        _check(len(self.delivery) == 64, "a receipt names the delivery by 64 hexadecimal characters")
        _check(len(self.salt) == 16 and self.taken >= 1, "a receipt has a salt of 16 bytes and a row it reaches to")
        numbers = [one.n for one in self.refused]
        _check(
            numbers == sorted(set(numbers)) and len(numbers) <= ROWS, "a receipt lists each refused row once, in order"
        )
        _check(not numbers or numbers[-1] <= self.taken, "a receipt refuses only rows it reaches to")


@dataclass(frozen=True, slots=True)
class Turn:
    """What either side sends in one step."""

    greeting: Greeting
    control: ControlPage | None = None
    page: Page | None = None
    receipts: tuple[Receipt, ...] = ()
    extra: Extra = field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        if self.page is not None and self.control is not None and self.control.more:
            raise RequestRefused(
                "stream-order", "Objects come only after the last control item; send the rest of control first."
            )


Message: TypeAlias = Turn | Greeting | ControlPage | Page | Receipt
M = TypeVar("M", Turn, Greeting, ControlPage, Page, Receipt)


# --- what follows what


def next_rows(page: Page, have: int) -> tuple[ObjectItem, ...]:
    """The rows of a page that come after row `have`, none for a page that was taken already.

    Raises:
        RequestRefused: `stream-gap` where rows are missing between `have` and the page.
    """
    if page.first > have + 1:
        raise RequestRefused(
            "stream-gap",
            f"The page begins at row {page.first}, but row {have + 1} is next; send that first.",
            next=have + 1,
        )
    return page.items[have + 1 - page.first :] if page.last > have else ()


def next_items(page: ControlPage, have: int) -> tuple[ControlItem, ...]:
    """The control items that come after item `have`, none where all were taken already.

    Raises:
        RequestRefused: `stream-gap`.
    """
    if page.items and page.items[0].n > have + 1:
        raise RequestRefused(
            "stream-gap",
            f"Control begins at item {page.items[0].n}, but item {have + 1} is next; send that first.",
            next=have + 1,
        )
    return tuple(item for item in page.items if item.n > have)


def check_receipt(receipt: Receipt, delivery: str, first: int, last: int) -> None:
    """Return if the receipt answers the delivery of rows `first` to `last` whose act has the digest `delivery` (hex).

    Raises:
        RequestRefused: `receipt-unknown`.
    """
    if (
        receipt.delivery != delivery
        or receipt.taken != last
        or any(not first <= one.n <= last for one in receipt.refused)
    ):
        raise RequestRefused(
            "receipt-unknown",
            f"The receipt does not fit what was sent, rows {first} to {last}; it is not counted.",
            delivery=delivery,
        )


# --- writing


def encode(message: Message) -> bytes:
    """The bytes of a message, the same for equal messages.

    Raises:
        InputRefused: `not-canonical` for terms or kept members that JSON cannot say.
    """
    try:
        return orjson.dumps(_WRITERS[type(message)](message), option=orjson.OPT_STRICT_INTEGER)
    except (orjson.JSONEncodeError, UnicodeDecodeError, RecursionError) as broken:
        raise InputRefused("not-canonical", f"This message cannot be written as JSON: {broken}.") from broken


def _write_greeting(one: Greeting) -> dict[str, Any]:
    known: dict[str, Any] = {
        "form": FORM,
        "feature": one.feature,
        "sender": one.sender,
        "to": one.to,
        "at": write_instant(one.at),
        "have_control": one.have_control,
        "have_objects": one.have_objects,
        "receipted": one.receipted,
        "incarnation": one.incarnation,
    }
    if one.checkpoint is not None:
        known["checkpoint"] = one.checkpoint.decode()
    if one.consistency is not None:
        known["consistency"] = {"size": one.consistency.size, "hashes": [part.hex() for part in one.consistency.hashes]}
    if one.seen:
        known["seen"] = [note.decode() for note in one.seen]
    return {**known, **one.extra}


def _write_control(page: ControlPage) -> dict[str, Any]:
    items = [{"n": one.n, "kind": one.kind, "body": one.body.decode(), **one.extra} for one in page.items]
    return {"items": items, "more": page.more, **page.extra}


def _write_item(one: ObjectItem) -> dict[str, Any]:
    known: dict[str, Any] = {"n": one.n, "kind": one.kind, "object": one.object, "view": one.view, "title": one.title}
    known["terms"] = one.terms if type(one.terms) is dict else dict(one.terms)
    if one.digest is not None:
        known["digest"] = one.digest
    if one.raw is not None:
        known["raw"] = one.raw.decode()
    if one.seal is not None:
        known["seal"] = one.seal.decode()
    if one.disclosure is not None:
        known["disclosure"] = one.disclosure.decode()
    if one.hidden:
        known["hidden"] = one.hidden
    if one.extra:
        known.update(one.extra)
    return known


def _write_page(page: Page) -> dict[str, Any]:
    return {
        "act": page.act.decode(),
        "act_salt": page.act_salt.hex(),
        "promise": page.promise.decode(),
        "secret": page.secret.hex(),
        "first": page.first,
        "last": page.last,
        "items": [_write_item(one) for one in page.items],
        "more": page.more,
        **page.extra,
    }


def _write_receipt(one: Receipt) -> dict[str, Any]:
    return {
        "delivery": one.delivery,
        "taken": one.taken,
        "refused": [{"n": row.n, "code": row.code, "sentence": row.sentence} for row in one.refused],
        "act": one.act.decode(),
        "salt": one.salt.hex(),
        "promise": one.promise.decode(),
        **one.extra,
    }


def _write_turn(turn: Turn) -> dict[str, Any]:
    known: dict[str, Any] = {"greeting": _write_greeting(turn.greeting)}
    if turn.control is not None:
        known["control"] = _write_control(turn.control)
    if turn.page is not None:
        known["page"] = _write_page(turn.page)
    if turn.receipts:
        known["receipts"] = [_write_receipt(one) for one in turn.receipts]
    return {**known, **turn.extra}


_WRITERS: Final[dict[type[Any], Callable[[Any], dict[str, Any]]]] = {
    Turn: _write_turn,
    Greeting: _write_greeting,
    ControlPage: _write_control,
    Page: _write_page,
    Receipt: _write_receipt,
}


# --- reading


def decode(data: bytes, limits: Limits = LIMITS) -> Turn:
    """Read a turn.

    Args:
        data: The bytes as they came.
        limits: Bounds of sizes and counts.

    Raises:
        RequestRefused: `message-size`, `message-limit`, `message-version`, `message`, `stream-gap`, `stream-order`.
        InputRefused: a ``json-…`` code for bytes that are not I-JSON.
    """
    return decode_as(Turn, data, limits)


def decode_as(kind: type[M], data: bytes, limits: Limits = LIMITS) -> M:
    """Read a message of the given kind (a stored page or receipt).

    Raises:
        RequestRefused, InputRefused: as `decode`.
    """
    if len(data) > limits.message:
        raise RequestRefused(
            "message-size",
            f"The message has {len(data)} bytes, the limit is {limits.message}; send smaller pages.",
            size=len(data),
        )
    value = strictjson.read(data, limits=strictjson.Limits(size=limits.message, depth=_NO_DEPTH))
    return cast(M, _READERS[kind](_Members(value, kind.__name__.lower(), limits)))


_ITEM: Final = frozenset(
    ("n", "kind", "object", "digest", "view", "title", "terms", "raw", "seal", "disclosure", "hidden")
)
_ABSENT: Final = object()


class _Members:
    """The members of one JSON object: each is taken once with its kind checked, the rest is kept."""

    __slots__ = ("left", "limits", "where")

    def __init__(self, value: Any, where: str, limits: Limits) -> None:
        if type(value) is not dict:
            raise RequestRefused("message", f"In the message, {where} is not a JSON object.")
        self.left: dict[str, Any] = value
        self.where = where
        self.limits = limits

    def bad(self, name: str, wanted: str) -> RequestRefused:
        return RequestRefused(
            "message", f"In the message, {name} of {self.where} is not {wanted}.", member=f"{self.where}.{name}"
        )

    def _take(self, name: str, kind: type[Any], wanted: str, optional: bool) -> Any:
        value = self.left.pop(name, _ABSENT)
        if type(value) is kind or (optional and (value is _ABSENT or value is None)):
            return None if value is _ABSENT else value
        raise self.bad(name, wanted)

    def integer(self, name: str, default: int | None = None) -> int:
        value = self._take(name, int, "a whole number", default is not None)
        if value is None:
            return cast(int, default)
        if abs(value) > strictjson.INTEGER_MAX:
            raise self.bad(name, "a whole number up to 2^53-1")
        return cast(int, value)

    def truth(self, name: str) -> bool:
        return cast(bool, self._take(name, bool, "true or false", False))

    def word(self, name: str, most: int = _WORD) -> str:
        value = self._take(name, str, "text", False)
        if len(value) > most:
            raise self.bad(name, f"text of at most {most} characters")
        return cast(str, value)

    def text(self, name: str, most: int) -> bytes:
        data = self.optional_text(name, most)
        if data is None:
            raise self.bad(name, "text")
        return data

    def optional_text(self, name: str, most: int) -> bytes | None:
        value = self._take(name, str, "text", True)
        return None if value is None else self._sized(value, name, most)

    def _sized(self, value: str, name: str, most: int) -> bytes:
        data = value.encode()
        if len(data) > most:
            raise RequestRefused(
                "message-limit",
                f"In the message, {name} of {self.where} has {len(data)} bytes, the limit is {most}.",
                limit=most,
            )
        return data

    def hexadecimal(self, name: str, size: int) -> bytes:
        value = self._take(name, str, f"{2 * size} hexadecimal characters", False)
        if len(value) != 2 * size or _HEX.fullmatch(value) is None:
            raise self.bad(name, f"{2 * size} hexadecimal characters")
        return bytes.fromhex(value)

    def members(self, name: str) -> _Members | None:
        value = self._take(name, dict, "a JSON object", True)
        return None if value is None else _Members(value, name, self.limits)

    def free(self, name: str) -> dict[str, Any]:
        value = self._take(name, dict, "a JSON object", False)
        _shallow(value, self.limits.depth)
        return cast("dict[str, Any]", value)

    def listed(self, name: str, most: int) -> list[Any]:
        value = self._take(name, list, "a list", True)
        if value is None:
            return []
        if len(value) > most:
            raise RequestRefused(
                "message-limit",
                f"In the message, {name} of {self.where} has {len(value)} entries, the limit is {most}.",
                limit=most,
            )
        return cast("list[Any]", value)

    def texts(self, name: str, most: int, size: int) -> tuple[bytes, ...]:
        found = self.listed(name, most)
        if any(type(one) is not str for one in found):
            raise self.bad(name, "a list of texts")
        return tuple(self._sized(one, name, size) for one in found)

    def rest(self) -> dict[str, Any]:
        if self.left:
            _shallow(self.left, self.limits.depth)
        return self.left


def _shallow(value: Any, depth: int) -> None:
    level: Sequence[Any] = (value,)
    for _ in range(depth):
        level = [
            part
            for one in level
            if type(one) in (dict, list)
            for part in (one.values() if type(one) is dict else one)
            if type(part) in (dict, list)
        ]
        if not level:
            return
    raise RequestRefused(
        "message-limit", f"Terms or unknown members of the message are nested more than {depth} deep.", limit=depth
    )


def _read_greeting(got: _Members) -> Greeting:
    form = got.integer("form")
    if form != FORM:
        raise RequestRefused(
            "message-version",
            f"The peer speaks form {form} of the exchange, this release form {FORM}; one of the two must be updated.",
        )
    try:
        at = read_instant(got.word("at"))
    except InputRefused as broken:
        raise got.bad("at", "an instant such as 2021-03-02T12:00:00.000Z") from broken
    proof = got.members("consistency")
    consistency = None
    if proof is not None:
        consistency = Consistency(proof.integer("size"), tuple(_hashes(proof)))
    return Greeting(
        feature=got.integer("feature"),
        sender=got.word("sender"),
        to=got.word("to"),
        at=at,
        have_control=got.integer("have_control"),
        have_objects=got.integer("have_objects"),
        receipted=got.integer("receipted"),
        checkpoint=got.optional_text("checkpoint", got.limits.text),
        consistency=consistency,
        seen=got.texts("seen", got.limits.seen, got.limits.text),
        incarnation=got.integer("incarnation"),
        extra=got.rest(),
    )


def _hashes(proof: _Members) -> list[bytes]:
    found = proof.listed("hashes", 128)
    if any(type(one) is not str or len(one) != 64 or _HEX.fullmatch(one) is None for one in found):
        raise proof.bad("hashes", "a list of hashes of 64 hexadecimal characters")
    return [bytes.fromhex(one) for one in found]


def _read_control(got: _Members) -> ControlPage:
    items = []
    for value in got.listed("items", got.limits.control):
        one = _Members(value, "control item", got.limits)
        items.append(ControlItem(one.integer("n"), one.word("kind"), one.text("body", got.limits.text), one.rest()))
    return ControlPage(tuple(items), got.truth("more"), got.rest())


def _read_item(value: Any, limits: Limits) -> ObjectItem:
    """One row: quickly where it is as it must be, else member by member, which says what is wrong."""
    if type(value) is dict and value.keys() <= _ITEM:
        get = value.get
        n, digest, terms, raw, seal = get("n"), get("digest"), get("terms"), get("raw"), get("seal")
        disclosure, hidden = get("disclosure"), get("hidden", 0)
        words = (get("kind"), get("object"), get("view"), get("title"))
        if (
            type(n) is type(hidden) is int
            and n <= strictjson.INTEGER_MAX >= hidden
            and type(terms) is dict
            and not any(type(part) is dict for part in terms.values())
            and all(type(word) is str and len(word) <= _WORD for word in words)
            and all(part is None or (type(part) is str and 4 * len(part) <= limits.text) for part in (seal, disclosure))
            and (raw is None or (type(raw) is str and 4 * len(raw) <= limits.raw))
            and (digest is None or (type(digest) is str and _HEX.fullmatch(digest) is not None))
        ):
            _shallow(terms, limits.depth)
            return ObjectItem(
                n,
                *cast("tuple[ItemKind, str]", words[:2]),
                digest,
                *cast("tuple[str, str]", words[2:]),
                terms,
                None if raw is None else raw.encode(),
                None if seal is None else seal.encode(),
                None if disclosure is None else disclosure.encode(),
                hidden,
            )
    return _read_item_slowly(value, limits)


def _read_item_slowly(value: Any, limits: Limits) -> ObjectItem:
    one = _Members(value, "row", limits)
    digest = one.left.pop("digest", None)
    if digest is not None and (type(digest) is not str or _HEX.fullmatch(digest) is None):
        raise one.bad("digest", "64 hexadecimal characters")
    return ObjectItem(
        n=one.integer("n"),
        kind=cast(ItemKind, one.word("kind")),
        object=one.word("object", 512),
        digest=digest,
        view=one.word("view"),
        title=one.word("title", 512),
        terms=one.free("terms"),
        raw=one.optional_text("raw", limits.raw),
        seal=one.optional_text("seal", limits.text),
        disclosure=one.optional_text("disclosure", limits.text),
        hidden=one.integer("hidden", 0),
        extra=one.rest(),
    )


def _read_page(got: _Members) -> Page:
    limits = got.limits
    return Page(
        act=got.text("act", limits.text),
        act_salt=got.hexadecimal("act_salt", 16),
        promise=got.text("promise", limits.text),
        secret=got.hexadecimal("secret", 32),
        first=got.integer("first"),
        last=got.integer("last"),
        items=tuple([_read_item(value, limits) for value in got.listed("items", min(limits.rows, ROWS))]),
        more=got.truth("more"),
        extra=got.rest(),
    )


def _read_receipt(got: _Members) -> Receipt:
    refused = []
    for value in got.listed("refused", ROWS):
        one = _Members(value, "refusal", got.limits)
        refused.append(Refusal(one.integer("n"), one.word("code"), one.word("sentence", _SENTENCE)))
    return Receipt(
        delivery=got.hexadecimal("delivery", 32).hex(),
        taken=got.integer("taken"),
        refused=tuple(refused),
        act=got.text("act", got.limits.text),
        salt=got.hexadecimal("salt", 16),
        promise=got.text("promise", got.limits.text),
        extra=got.rest(),
    )


def _read_turn(got: _Members) -> Turn:
    greeting, control, page = got.members("greeting"), got.members("control"), got.members("page")
    if greeting is None:
        raise got.bad("greeting", "a JSON object")
    receipts = [_Members(value, "receipt", got.limits) for value in got.listed("receipts", got.limits.receipts)]
    return Turn(
        greeting=_read_greeting(greeting),
        control=None if control is None else _read_control(control),
        page=None if page is None else _read_page(page),
        receipts=tuple([_read_receipt(one) for one in receipts]),
        extra=got.rest(),
    )


_READERS: Final[dict[type[Any], Callable[[_Members], Any]]] = {
    Turn: _read_turn,
    Greeting: _read_greeting,
    ControlPage: _read_control,
    Page: _read_page,
    Receipt: _read_receipt,
}


def _check(holds: bool, rule: str) -> None:
    if not holds:
        raise RequestRefused("message", f"The message breaks a rule: {rule}.", clause="docs/formats/exchange.md")


def _gapless(numbers: Sequence[int], stream: str) -> None:
    if numbers and list(numbers) != list(range(numbers[0], numbers[0] + len(numbers))):
        raise RequestRefused(
            "stream-gap", f"The rows of this page of {stream} are not numbered without a gap; send it again whole."
        )
