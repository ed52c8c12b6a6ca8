"""Taking in: a batch of objects from a file, chunk by chunk, each chunk one durable transaction.

What is acknowledged is on disk; an import that was cut off goes on where it stopped, and one that is run again finds all its
objects known. Nothing goes to anybody before the import ended, so that where its chunks end shows in nobody's stream; one that
stands still for an hour counts as ended. Refused objects stand in the store with place, code and sentence until they are written
out for the officer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any, BinaryIO, Final, Protocol

import msgspec

from comity.kernel.errors import ComityError, InputRefused
from comity.kernel.model.instants import Instant, parse
from comity.kernel.model.objects import StixObject, from_data, read_object
from comity.kernel.release.decision import Terms
from comity.kernel.release.handling import Handling
from comity.kernel.release.markings import marked
from comity.kernel.release.vocabulary import TLP, strictest
from comity.kernel.seal.canonical import canonical
from comity.kernel.seal.dsse import unverified_body
from comity.kernel.store.ports import Reading
from comity.kernel.store.rows import Batch, HandlingRow, Holding, Refused, Version
from comity.node.attributed import under_seal
from comity.node.batches import new_batch
from comity.node.catchup import finish
from comity.node.context import Deed, Node
from comity.node.deeds import deed
from comity.node.objects import Incoming, Kept, keep

CHUNK: Final = 1_000
CHUNK_BYTES: Final = 4 << 20
MINTED: Final = frozenset({"csv", "values", "kev", "misp", "misp-galaxy"})
"""Formats whose objects we make ourselves; a TLP that is stated then stands in their bytes."""

OUTCOMES: Final = ("new", "known", "newer", "older", "rivals", "refused")
"""What can become of an object; every one of a file is exactly one of these."""


class Taken(Protocol):
    """An object of a source: STIX 2.1 bytes, what they were made from, what was changed, what the file said of it.

    `undated` and `shared` are asked only of objects we made: dates the file did not state, and whether the id is not ours.
    """

    raw: bytes
    original: bytes | None
    changes: tuple[str, ...]
    place: str
    handling: Mapping[str, Any]
    undated: tuple[str, ...]
    shared: bool


class NotTaken(Protocol):
    """Something in a source that could not be made an object."""

    place: str
    code: str
    sentence: str
    raw: bytes


@dataclass(frozen=True, slots=True)
class Counts:
    """What became of the objects of a batch; the six outcomes add up to `objects`, `unmarked` and `changed` count within them."""

    objects: int = 0
    new: int = 0
    known: int = 0
    newer: int = 0
    older: int = 0
    rivals: int = 0
    refused: int = 0
    unmarked: int = 0
    changed: int = 0

    def plus(self, kept: Kept, refused: int, changed: int) -> Counts:
        """The counts after one more chunk."""
        done = kept.new + kept.known + kept.newer + kept.older + kept.rivals
        return Counts(
            self.objects + done + refused,
            self.new + kept.new,
            self.known + kept.known,
            self.newer + kept.newer,
            self.older + kept.older,
            self.rivals + kept.rivals,
            self.refused + refused,
            self.unmarked + kept.unmarked,
            self.changed + changed,
        )

    def as_json(self) -> dict[str, int]:
        """All nine numbers by name."""
        return {name: getattr(self, name) for name in self.__slots__}


class Guarded:
    """The results of a source; where it breaks off they end, and the reason is kept, so that what came before is taken."""

    def __init__(self, source: Iterable[Any]) -> None:
        self._source = source
        self.fault: ComityError | None = None

    def __iter__(self) -> Iterator[Any]:
        try:
            yield from self._source
        except ComityError as fault:
            if fault.code != "no-object" or not fault.detail.get("refused"):
                self.fault = fault


def begun(tx: Reading, digest: str) -> Batch | None:
    """The unfinished batch of the same input and handling, or None."""
    return next(iter(tx.find(Batch, digest=digest, done=0)), None)


def take_in(
    node: Node,
    items: Iterable[Any],
    *,
    name: str,
    format: str,
    digest: str,
    handling: Handling,
    minted: bool,
    officer: str = "",
    progress: Callable[[Counts], None] | None = None,
) -> tuple[Batch, Counts]:
    """Take in all items of a source; each is a `Taken` or a `NotTaken`, and those of a batch begun before are already skipped.

    Args:
        digest: Names input and handling, so that the same import continues.
        minted: Whether we made the objects, from rows: then the TLP stated stands in their bytes too, and dates that nobody
            stated are those of the first import.

    Raises:
        Unavailable: `store-busy`, `store-full`; what was acknowledged before stays.
    """
    batch = _begin(node, name, format, digest, handling, officer)
    counts = Counts(**msgspec.json.decode(batch.counts))
    for chunk in _chunks(items):
        with deed(node, officer) as work:
            batch = _open(work, batch, handling)
            incoming, refused, changed = _read_chunk(work, chunk, batch.b, handling, minted=minted)
            kept = keep(work, incoming, batch=batch, custodian=node.party, title=None, handlings=(handling,))
            work.tx.add(refused)
            counts = counts.plus(kept, len(refused), changed)
            moved = sorted({*msgspec.json.decode(batch.moved), *kept.moved})
            batch = replace(
                batch,
                taken=batch.taken + len(chunk),
                counts=canonical(counts.as_json()),
                touched=work.at,
                moved=canonical(moved),
            )
            work.tx.put(batch)
        if progress is not None:
            progress(counts)
    with deed(node, officer) as work:
        batch = finish(work, batch)
        work.audit("import", {"batch": batch.b, "name": name, **counts.as_json()})
    return batch, counts


def _begin(node: Node, name: str, format: str, digest: str, handling: Handling, officer: str) -> Batch:
    with deed(node, officer) as work:
        batch = begun(work.tx, digest)
        if batch is None:
            counts = canonical(Counts().as_json())
            batch = new_batch(work, Batch(0, name, format, digest, officer, work.at, 0, 0, counts, work.at), handling)
    return batch


def _open(work: Deed, batch: Batch, handling: Handling) -> Batch:
    """The batch to go on with: where this one stood still and was ended meanwhile, another one that counts on."""
    now = work.tx.get(Batch, batch.b)
    if now is None or not now.done:
        return batch
    return new_batch(work, replace(batch, at=work.at, touched=work.at, moved=b"[]"), handling)


def _chunks(items: Iterable[Any]) -> Iterator[list[Any]]:
    """Chunks of a source; where it breaks off, what came before is a chunk too, and then the reason is raised."""
    source = iter(items)
    fault: ComityError | None = None
    while fault is None:
        chunk: list[Any] = []
        size = 0
        try:
            for item in islice(source, CHUNK):
                chunk.append(item)
                size += len(item.raw)
                if size >= CHUNK_BYTES:
                    break
        except ComityError as broken:
            fault = broken
        if chunk:
            yield chunk
        elif fault is None:
            return
    raise fault


def _read_chunk(
    work: Deed, chunk: list[Any], batch: int, stated: Handling, *, minted: bool
) -> tuple[list[Incoming], list[Refused], int]:
    incoming: list[Incoming] = []
    refused: list[Refused] = []
    changed = 0
    made: dict[str, StixObject] = {}
    for item in chunk:
        if not hasattr(item, "handling"):
            refused.append(Refused(batch, item.place, "", item.code, item.sentence, item.raw))
            continue
        try:
            said = Handling(**item.handling) if item.handling else None
            found = read_object(item.raw)
            if minted:
                tlp = None if item.shared else strictest(TLP, (stated.tlp, said.tlp if said else None))
                former = [*filter(None, [made.get(found.id)]), *_before(work.tx, work.node.party, found.id)]
                found = made[found.id] = _minted(found, former, frozenset(item.undated), tlp)
            # what the file says of one object is kept with it, so that it still counts when the object is looked at again
            terms = None if said is None else Terms(said.tlp, said.pap, None, None, None, None, None)
            more = {"original": item.original, "handling": said, "terms": terms}
            seal = getattr(item, "seal", None)
            if seal is None:
                incoming.append(Incoming(found, **more))
            else:
                incoming.append(under_seal(work.tx, found, seal, item.opens, own=bool(stated.own), **more))
            changed += bool(item.changes)
        except ComityError as broken:
            named = broken.detail.get("id") or _id_in(item.raw)
            refused.append(Refused(batch, item.place, named, broken.code, broken.sentence, item.raw))
    return incoming, _apart(work.tx, refused), changed


def _apart(tx: Reading, refused: list[Refused]) -> list[Refused]:
    """Refusals at places of their own: one part of a file can give several objects."""
    places: set[str] = set()
    apart: list[Refused] = []
    for row in refused:
        place, more = row.place, 1
        while place in places or tx.get(Refused, row.batch, place) is not None:
            more += 1
            place = f"{row.place} ({more})"
        places.add(place)
        apart.append(replace(row, place=place))
    return apart


def _before(tx: Reading, us: str, identity: str) -> Iterator[StixObject]:
    """What we made under an id before; another party's copy decides nothing about ours."""
    for row in tx.find(Version, id=identity):
        if next(iter(tx.find(Holding, version=row.n, custodian=us)), None) is not None:
            yield read_object(row.raw)


def _minted(found: StixObject, former: Iterable[StixObject], undated: frozenset[str], tlp: str | None) -> StixObject:
    """An object we made carries its TLP in its bytes, and where the file states no date, that of the import.

    One that we made before keeps the bytes it has: neither a marking nor such a date makes another object of it. A later version
    keeps the `created` of the one before, as STIX 2.1 §3.2 wants it.
    """
    free = {"object_marking_refs", *undated}
    bare = {name: value for name, value in found.data.items() if name not in free}
    created: str = found.data.get("created", "")
    for one in former:
        if {name: value for name, value in one.data.items() if name not in free} == bare:
            return one
        if "created" in undated and parse(one.data["created"]) < parse(created):
            created = one.data["created"]
    shape = {**found.data, "created": created} if "created" in undated else found.data
    if tlp is not None and found.type not in ("marking-definition", "extension-definition"):
        shape = marked(shape, tlp)
    return found if shape == found.data else from_data(dict(shape))


def _id_in(raw: bytes) -> str:
    with suppress(Exception):
        found = msgspec.json.decode(raw)
        if isinstance(found, dict) and isinstance(found.get("id"), str):
            return str(found["id"])[:200]
    return ""


def refusals(tx: Reading, batch: int) -> Iterator[Refused]:
    """The refused objects of a batch, in the order of their places."""
    return tx.find(Refused, batch=batch)


def need_objects(counts: Counts) -> None:
    """A file that gives no object is an error, not a success with nothing in it.

    Raises:
        InputRefused: `no-object`.
    """
    if counts.objects == 0:
        raise InputRefused("no-object", "The file gave no object at all; check that it is what you meant to import.")


class Source(Protocol):
    """A file being taken in: its format, and its items and refusals one by one."""

    format: str

    def __iter__(self) -> Iterator[Any]: ...


OpenSource = Callable[[str, BinaryIO, Mapping[str, str] | None, str, Instant, bool, int], Source]
"""``(name, stream, mapping, party, at, own, skip)``: open a file of any format known."""


def take_stream(
    node: Node,
    opened: OpenSource,
    stream: BinaryIO,
    *,
    name: str,
    digest: str,
    handling: Handling,
    officer: str,
    mapping: Mapping[str, str] | None = None,
    progress: Callable[[Counts], None] | None = None,
) -> tuple[Batch | None, Counts, ComityError | None]:
    """Take in a stream; one that was begun under this digest goes on where it stopped, under what was stated then.

    Returns:
        Its batch (None where the file as a whole was refused), the counts, and what it broke off with.

    Raises:
        ComityError: as `take_in`.
    """
    with node.store.read() as tx:
        former = begun(tx, digest)
        if former is not None:
            handling = _stated_before(tx, former, handling)
    counts = Counts()
    try:
        source = opened(
            name, stream, mapping, node.party, node.clock(), bool(handling.own), 0 if former is None else former.taken
        )
    except ComityError as fault:
        return None, counts, fault
    items = Guarded(source)
    batch, counts = take_in(
        node,
        items,
        name=name,
        format=source.format,
        digest=digest,
        handling=handling,
        minted=source.format in MINTED,
        officer=officer,
        progress=progress,
    )
    return batch, counts, items.fault


def _stated_before(tx: Reading, batch: Batch, handling: Handling) -> Handling:
    """What was signed when the import began: an import that goes on keeps its instants."""
    for row in tx.find(HandlingRow, target=f"batch:{batch.b}"):
        return Handling.from_json(unverified_body(row.envelope, "handling")[0]["handling"])
    return handling
