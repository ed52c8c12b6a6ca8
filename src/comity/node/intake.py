"""Taking in: a batch of objects from a file, chunk by chunk, each chunk one durable transaction.

What is acknowledged is on disk; an import that was cut off goes on where it stopped, and one that is run again finds all its
objects known. Refused objects stand in the store with place, code and sentence until they are written out for the officer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any, Final, Protocol

import msgspec

from comity.kernel.errors import ComityError, InputRefused
from comity.kernel.model.objects import StixObject, from_data, read_object
from comity.kernel.release.decision import Terms
from comity.kernel.release.handling import Handling
from comity.kernel.release.markings import KNOWN
from comity.kernel.release.vocabulary import TLP, strictest
from comity.kernel.seal.canonical import canonical
from comity.kernel.seal.dsse import sign
from comity.kernel.store.ports import Reading
from comity.kernel.store.rows import Batch, HandlingRow, Holding, Refused, Version
from comity.node.context import Deed, Node
from comity.node.deeds import deed
from comity.node.objects import Incoming, Kept, keep
from comity.node.streams import settle

CHUNK: Final = 1_000
CHUNK_BYTES: Final = 4 << 20


class Taken(Protocol):
    """An object of a source: STIX 2.1 bytes, what they were made from, what was changed, what the file said of it."""

    raw: bytes
    original: bytes | None
    changes: tuple[str, ...]
    place: str
    handling: Mapping[str, Any]


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
        minted: Whether the objects are ours, made from rows: then the TLP stated stands in their bytes too.

    Raises:
        Unavailable: `store-busy`, `store-full`; what was acknowledged before stays.
    """
    batch = _begin(node, name, format, digest, handling, officer)
    counts = Counts(**msgspec.json.decode(batch.counts))
    for chunk in _chunks(items):
        with deed(node, officer) as work:
            incoming, refused, changed = _read_chunk(work, chunk, batch.b, handling if minted else None)
            kept = keep(work, incoming, batch=batch, custodian=node.party, title=None, handlings=(handling,))
            work.tx.add(refused)
            settle(work, versions=kept.versions)
            counts = counts.plus(kept, len(refused), changed)
            batch = replace(batch, taken=batch.taken + len(chunk), counts=canonical(counts.as_json()))
            work.tx.put(batch)
        if progress is not None:
            progress(counts)
    with deed(node, officer) as work:
        batch = replace(batch, done=1)
        work.tx.put(batch)
        work.audit("import", {"batch": batch.b, "name": name, **counts.as_json()})
    return batch, counts


def _begin(node: Node, name: str, format: str, digest: str, handling: Handling, officer: str) -> Batch:
    with deed(node, officer) as work:
        batch = begun(work.tx, digest)
        if batch is None:
            b = (work.tx.last(Batch, "b") or 0) + 1
            batch = Batch(b, name, format, digest, officer, work.at, 0, 0, canonical(Counts().as_json()))
            s = (work.tx.last(HandlingRow, "s") or 0) + 1
            stated = replace(handling, by=officer, at=work.at)
            envelope = sign("handling", {"target": f"batch:{b}", "handling": stated.as_json()}, [node.keys.node])
            work.tx.add([batch, HandlingRow(s, f"batch:{b}", envelope, work.at)])
    return batch


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
    work: Deed, chunk: list[Any], batch: int, ours: Handling | None
) -> tuple[list[Incoming], list[Refused], int]:
    incoming: list[Incoming] = []
    refused: list[Refused] = []
    changed = 0
    for item in chunk:
        if not hasattr(item, "handling"):
            refused.append(Refused(batch, item.place, "", item.code, item.sentence, item.raw))
            continue
        try:
            said = Handling(**item.handling) if item.handling else None
            found = read_object(item.raw)
            if ours is not None:
                found = _marked(work.tx, work.node.party, found, strictest(TLP, (ours.tlp, said.tlp if said else None)))
            # what the file says of one object is kept with it, so that it still counts when the object is looked at again
            terms = None if said is None else Terms(said.tlp, said.pap, None, None, None, None, None)
            incoming.append(Incoming(found, original=item.original, handling=said, terms=terms))
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


def _marked(tx: Reading, us: str, found: StixObject, tlp: str | None) -> StixObject:
    """An object we minted carries its TLP in its bytes; one that we minted before keeps the bytes it has."""
    bare = {name: value for name, value in found.data.items() if name != "object_marking_refs"}
    for row in tx.find(Version, id=found.id):
        if next(iter(tx.find(Holding, version=row.n, custodian=us)), None) is None:
            continue  # another party's copy decides nothing about ours
        kept = msgspec.json.decode(row.raw)
        if {name: value for name, value in kept.items() if name != "object_marking_refs"} == bare:
            return read_object(row.raw)
    if tlp is None or found.type in ("marking-definition", "extension-definition"):
        return found
    others = [ref for ref in found.data.get("object_marking_refs", ()) if KNOWN.get(ref, ("", ""))[0] != "tlp"]
    return from_data({**bare, "object_marking_refs": [*others, _MARKING_OF[tlp]]})


_MARKING_OF: Final = {
    "clear": "marking-definition--94868c89-83c2-464b-929b-a1a8aa3c8487",
    "green": "marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb",
    "amber": "marking-definition--55d920b0-5e8b-4f79-9ee9-91f868d9b421",
    "amber+strict": "marking-definition--939a9414-2ddd-4d32-a0cd-375ea402b003",
    "red": "marking-definition--e828b379-4e03-4974-9ac4-e53a884c97c1",
}
"""TLP 2.0, as OASIS published the definitions (cti-stix-common-objects)."""


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
