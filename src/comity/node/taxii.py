"""What a reader sees over TAXII 2.1: the collections it has, and the objects in them page by page.

Every collection is an own list of the asker, in the order of `date_added`, which rises strictly for it; so nothing can be
counted, paged or guessed that the asker was not given. Rules (TAXII 2.1 §3.4, §5; docs/formats/taxii.md):

- `outbox`: the rows of the asker's objects stream that stand, whose title holds at this instant, and whose holding has not
  passed its end; what fell due since the last deed counts here already, so a sleeping timer never releases anything;
- `inbox` and `own`: what the asker itself put there, and for our own tools all that is held first hand;
- the version of an object is its `modified`, else its `created`, else its `date_added`; without ``match[version]`` the
  newest that the asker has, rivals of the same version side by side;
- a page is filled to its limit, and says `more` only when the next one will not be empty.
"""

from __future__ import annotations

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as Base64Error
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from hashlib import sha256
from itertools import takewhile
from typing import Final, Protocol
from uuid import uuid5

from comity.kernel.errors import NotAllowed, NotFound, Usage
from comity.kernel.model.ids import COMITY
from comity.kernel.model.instants import Instant, format
from comity.kernel.model.strictjson import read as read_json
from comity.kernel.release.life import in_force
from comity.kernel.seal.canonical import canonical
from comity.kernel.seal.views import Withheld
from comity.kernel.store.ports import Reading
from comity.kernel.store.rows import AgreementRow, Approval, Holding, StreamRow, Submission, Version
from comity.node.agreements import gives, read_form, state_of, superseded
from comity.node.context import Node, read_setting
from comity.node.deeds import CLOCK_SLACK
from comity.node.parties import clients_of
from comity.node.streams import operative
from comity.node.views import show, view_of

OUTBOX: Final = "outbox"
INBOX: Final = "inbox"
OWN: Final = "own"

PAGE_BYTES: Final = 32 << 20
"""A page ends early rather than hold more bytes of objects than this."""

READ_AT_ONCE: Final = 1_024
"""Rows whose objects are in memory at once, at most."""

SCANNED_AT_ONCE: Final = 4_096
"""Rows looked at in one go where a filter leaves most of them out."""

FULL_VIEW: Final = "full"


@dataclass(frozen=True, slots=True)
class TaxiiCollection:
    """A collection as one reader sees it; `alias` may stand for `id` in a URL."""

    id: str
    alias: str
    title: str
    description: str
    can_read: bool
    can_write: bool


@dataclass(frozen=True, slots=True)
class Query:
    """What of a collection is asked for.

    Args:
        added_after: Only what was added later than this instant.
        ids, types: STIX ids and types; None: all.
        versions: Words ``first``, ``last``, ``all`` and instants.
        known_spec: Whether STIX 2.1, the one specification kept here, is among those asked for.
    """

    added_after: Instant | None = None
    ids: frozenset[str] | None = None
    types: frozenset[str] | None = None
    versions: frozenset[str | Instant] = frozenset({"last"})
    known_spec: bool = True

    def scope(self) -> list[object]:
        """The query as a cursor is bound to it."""
        return [
            self.added_after,
            None if self.ids is None else sorted(self.ids),
            None if self.types is None else sorted(self.types),
            sorted(map(str, self.versions)),
            self.known_spec,
        ]


@dataclass(frozen=True, slots=True)
class Entry:
    """One version in a page: its id, its version and `date_added` as instants, its bytes."""

    object: str
    version: Instant
    added: Instant
    raw: bytes


@dataclass(frozen=True, slots=True)
class Entries:
    """A page, and whether there is at least one more entry after it."""

    entries: tuple[Entry, ...]
    more: bool


class _Row(Protocol):
    """What stream rows and submissions have in common."""

    @property
    def object(self) -> str: ...
    @property
    def version(self) -> int: ...
    @property
    def added(self) -> int: ...


class _List(Protocol):
    """The list behind a collection, as one reader has it."""

    def after(self, added: Instant, limit: int) -> Sequence[_Row]:
        """At most so many rows that were added later, in order."""

    def about(self, ids: Collection[str]) -> Iterable[_Row]:
        """All rows about these objects."""

    def holds(self, row: _Row) -> bool:
        """Whether the row is to be shown at this instant."""

    def raw(self, row: _Row, version: Version) -> bytes | None:
        """The bytes the reader gets, None where nothing of it can be shown."""


# --- collections


@lru_cache(maxsize=256)
def collections_of(us: str, party: str) -> tuple[TaxiiCollection, ...]:
    """The collections of a reader: `own` for a tool of our own party, `outbox` and `inbox` for everybody else."""
    named = {
        OUTBOX: (
            "Objects released to you",
            "What was released to your party under its agreements, as it stands now.",
            False,
        ),
        INBOX: ("Objects from you", "Hand objects in here; you see your own submissions and nobody else's.", True),
        OWN: ("Our own objects", "What our party took in first hand; for our own tools.", True),
    }
    names = (OWN,) if party == us else (OUTBOX, INBOX)
    return tuple(
        TaxiiCollection(
            str(uuid5(COMITY, f"taxii/{name}/{us}")), name, named[name][0], named[name][1], True, named[name][2]
        )
        for name in names
    )


def need_collection(us: str, party: str, text: str) -> TaxiiCollection:
    """The reader's collection of this id or alias.

    Raises:
        NotFound: `no-such-collection`, also for one that only others have.
    """
    for one in collections_of(us, party):
        if text in (one.id, one.alias):
            return one
    raise NotFound("no-such-collection", "There is no such collection here for this token.")


def reading_instant(node: Node, tx: Reading) -> Instant:
    """Now, for a read that is no deed.

    Raises:
        NotAllowed: `clock-back` when the clock stands before what this node has already acted on.
    """
    now, last = node.clock(), int(read_setting(tx, "clock", 0))
    if now < last - CLOCK_SLACK:
        raise NotAllowed(
            "clock-back", f"The clock says {format(now)}, before the node's last deed; nothing is released."
        )
    return max(now, last)


# --- pages


def page(
    node: Node, tx: Reading, party: str, name: str, query: Query, *, limit: int, after: Instant | None = None
) -> Entries:
    """A page of a reader's collection.

    Args:
        name: `OUTBOX`, `INBOX` or `OWN`.
        limit: Most entries, at least 1.
        after: `date_added` of the last entry of the page before; None for the first page.
    """
    if not query.known_spec:
        return Entries((), more=False)
    source = _source(node, tx, party, name)
    found: list[Entry] = []
    size = 0
    for entry in _entries(tx, source, query, limit, max(query.added_after or 0, after or 0)):
        size += len(entry.raw)
        if len(found) == limit or (found and size > PAGE_BYTES):
            return Entries(tuple(found), more=True)
        found.append(entry)
    return Entries(tuple(found), more=False)


def need_object(node: Node, tx: Reading, party: str, name: str, object_id: str) -> None:
    """Return if the reader's collection has any version of this object.

    Raises:
        NotFound: `no-such-object`, the same for what does not exist, what is withheld and what was taken back.
    """
    every = Query(ids=frozenset({object_id}), versions=frozenset({"all"}))
    if not page(node, tx, party, name, every, limit=1).entries:
        raise NotFound("no-such-object", "There is no such object in this collection.")


def _source(node: Node, tx: Reading, party: str, name: str) -> _List:
    if name == OUTBOX:
        return _Outbox(tx, node.party, party, reading_instant(node, tx))
    return _Submitted(tx, party, name)


def _entries(tx: Reading, source: _List, query: Query, limit: int, start: Instant) -> Iterator[Entry]:
    for rows in _lots(source, query, limit, start):
        rows = [row for row in rows if _wanted(query, row) and source.holds(row)]
        if not rows:
            continue
        versions = {row.n: row for row in tx.find_in(Version, "n", {row.version for row in rows})}
        if "all" not in query.versions:
            rows = _of_versions(tx, source, query, rows, versions)
        for row in rows:
            version = versions[row.version]
            raw = source.raw(row, version)
            if raw is not None:
                yield Entry(row.object, _version(row, version), row.added, raw)


def _lots(source: _List, query: Query, limit: int, start: Instant) -> Iterator[Sequence[_Row]]:
    if query.ids is not None:
        yield sorted((row for row in source.about(query.ids) if row.added > start), key=lambda row: row.added)
        return
    size = min(limit + 1, READ_AT_ONCE) if query.types is None else SCANNED_AT_ONCE
    while rows := source.after(start, size):
        yield rows
        if len(rows) < size:
            return
        start, size = rows[-1].added, max(size, READ_AT_ONCE // 4)


def _wanted(query: Query, row: _Row) -> bool:
    return (query.types is None or row.object.partition("--")[0] in query.types) and (
        query.ids is None or row.object in query.ids
    )


def _version(row: _Row, version: Version) -> Instant:
    return row.added if version.modified == -1 else version.modified


def _of_versions(
    tx: Reading, source: _List, query: Query, rows: Sequence[_Row], versions: dict[int, Version]
) -> list[_Row]:
    """Those rows whose version is asked for, among all versions of their objects that the reader has."""
    ids = {row.object for row in rows}
    every_row = list(source.about(ids))
    if len(every_row) == len(ids) and query.versions <= {"first", "last"}:
        return list(rows)  # one version each
    kin: dict[str, list[_Row]] = {}
    for row in every_row:
        kin.setdefault(row.object, []).append(row)
    missing = {one.version for some in kin.values() if len(some) > 1 for one in some} - versions.keys()
    beside = {**versions, **{row.n: row for row in tx.find_in(Version, "n", missing)}} if missing else versions
    chosen: list[_Row] = []
    for row in rows:
        mine = _version(row, beside[row.version])
        some = kin[row.object]
        every = [_version(one, beside[one.version]) for one in some if source.holds(one)] if len(some) > 1 else [mine]
        ends = {"first": min(every), "last": max(every)}
        if any(mine == (ends[word] if isinstance(word, str) else word) for word in query.versions):
            chosen.append(row)
    return chosen


# --- the lists


@dataclass(slots=True)
class _Outbox:
    """The rows of a party's objects stream that stand and whose release still holds at an instant."""

    tx: Reading
    us: str
    party: str
    at: Instant
    _titles: dict[str, bool] = field(default_factory=dict)
    _over: frozenset[int] | None = None
    _words: frozenset[tuple[int, str]] = frozenset()

    def after(self, added: Instant, limit: int) -> list[StreamRow]:
        return list(
            self.tx.find(StreamRow, party=self.party, ended=None, order=("added",), after=(added,), limit=limit)
        )

    def about(self, ids: Collection[str]) -> Iterator[StreamRow]:
        return self.tx.find_in(StreamRow, "object", ids, party=self.party, ended=None)

    def holds(self, row: _Row) -> bool:
        assert isinstance(row, StreamRow)
        if self._over is None:
            self._read_due()
        assert self._over is not None
        if row.holding in self._over or (row.version, row.title) in self._words:
            return False
        if row.title not in self._titles:
            self._titles[row.title] = self._title_holds(row.title)
        return self._titles[row.title]

    def raw(self, row: _Row, version: Version) -> bytes | None:
        assert isinstance(row, StreamRow)
        if row.view == FULL_VIEW and row.hidden == b"[]":
            return version.raw
        hidden = frozenset(map(str, read_json(row.hidden)))
        shown = show(version, view_of(self.tx, row.title, row.view), hidden, row.title)
        return None if isinstance(shown, Withheld) else shown.raw

    def _read_due(self) -> None:
        """What fell due since the last deed and is not carried out yet: ends of holdings and of officers' words."""
        done = int(read_setting(self.tx, "advanced", 0))
        ends = self.tx.find(Holding, order=("expiry",), after=(done,))
        self._over = frozenset(row.h for row in takewhile(lambda row: (row.expiry or 0) <= self.at, ends))
        words = self.tx.find(Approval, order=("until",), after=(done,))
        self._words = frozenset(
            (row.version, row.title)
            for row in takewhile(lambda row: (row.until or 0) <= self.at, words)
            if row.party == self.party
        )

    def _title_holds(self, title: str) -> bool:
        row = self.tx.get(AgreementRow, title.partition("#")[0])
        if row is None or self._amended(row):
            return False
        clients = clients_of(self.tx, self.us)
        return any(
            one.title == title
            and operative(one, self.at)
            and gives(one, sender=self.us, receiver=self.party, clients=clients)
            for one in in_force(state_of(self.tx, row), self.at, holder=self.us)
        )

    def _amended(self, row: AgreementRow) -> bool:
        amended = any(read_form(one.form).previous == row.digest for one in self.tx.find(AgreementRow))
        return amended and superseded(self.tx, row.digest, self.at)


@dataclass(frozen=True, slots=True)
class _Submitted:
    """What a reader put into a collection; for `own` everything held first hand."""

    tx: Reading
    party: str
    name: str

    def after(self, added: Instant, limit: int) -> list[Submission]:
        return list(
            self.tx.find(
                Submission,
                party=self.party,
                collection=self.name,
                ended=None,
                order=("added",),
                after=(added,),
                limit=limit,
            )
        )

    def about(self, ids: Collection[str]) -> Iterator[Submission]:
        return self.tx.find_in(Submission, "object", ids, party=self.party, collection=self.name, ended=None)

    def holds(self, row: _Row) -> bool:
        return True

    def raw(self, row: _Row, version: Version) -> bytes | None:
        # the bytes kept may be those another party sent first: what comes back to a submitter is the one canonical form
        return version.raw if self.name == OWN else canonical(read_json(version.raw))


# --- cursors


def write_cursor(node: Node, party: str, scope: object, added: Instant) -> str:
    """A place in a reader's list as an opaque word, good for this party and this query alone."""
    place = added.to_bytes(8, "big", signed=True)
    return urlsafe_b64encode(place + _mac(node, party, scope, place)).decode().rstrip("=")


def read_cursor(node: Node, party: str, scope: object, text: str) -> Instant:
    """The place a cursor names.

    Raises:
        Usage: `taxii-cursor` for one that this node did not give for this party and query.
    """
    try:
        data = urlsafe_b64decode((text + "=" * (-len(text) % 4)).encode("ascii"))
    except (Base64Error, ValueError):
        data = b""
    if len(data) != 24 or not hmac.compare_digest(_mac(node, party, scope, data[:8]), data[8:]):
        raise Usage(
            "taxii-cursor", "This value of next was not given here for this token and query; begin again without it."
        )
    return int.from_bytes(data[:8], "big", signed=True)


def _mac(node: Node, party: str, scope: object, place: bytes) -> bytes:
    key = sha256(b"comity/taxii-cursor/1" + node.secret).digest()
    return hmac.digest(key, canonical([party, scope]) + place, "sha256")[:16]
