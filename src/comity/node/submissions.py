"""What readers hand in over TAXII: kept, answered with a status, and never passed on by itself.

Rules (docs/formats/taxii.md, inbox and own; threat rows 15 to 17):

- A submission to `inbox` is held second-hand from its party under the built-in title ``submission``. No clause has that title,
  so nothing handed in goes to anybody until one of our officers takes it in as first hand.
- The status of an object depends only on its bytes and on what the same party handed in before: never on what is held here.
- A marking definition decides how other objects are handled, so a reader cannot bring one; those of the standards are fixed.
- `own` is for our own tools: an import like any other. Taking out of a collection erases nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import Any, Final
from uuid import UUID

import msgspec

from comity.kernel.errors import ComityError, InputRefused, NotFound
from comity.kernel.model.instants import Instant, format
from comity.kernel.model.objects import StixObject, read_object
from comity.kernel.model.strictjson import read as read_json
from comity.kernel.release.handling import Handling
from comity.kernel.release.markings import KNOWN
from comity.kernel.seal.canonical import canonical
from comity.kernel.store.ports import Reading
from comity.kernel.store.rows import Batch, Holding, Reader, Status, Submission, Version
from comity.node.context import Deed, Node, put_setting, read_setting
from comity.node.deeds import deed
from comity.node.intake import refusals, take_in
from comity.node.objects import Incoming, keep
from comity.node.quotas import spend
from comity.node.streams import settle
from comity.node.taxii import INBOX, OWN

TITLE: Final = "submission"
"""The title submissions stand under. It names no clause, so nothing goes on under it."""

ENROLLED_AT_ONCE: Final = 10_000


@dataclass(frozen=True, slots=True)
class _Piece:
    """An object of an envelope, as `take_in` wants it."""

    raw: bytes
    place: str
    original: bytes | None = None
    changes: tuple[str, ...] = ()
    handling: dict[str, Any] = field(default_factory=dict)


class _Named(msgspec.Struct):
    id: str = ""
    modified: str = ""
    created: str = ""


def submit(node: Node, reader: Reader, collection: str, raws: Sequence[bytes]) -> dict[str, Any]:
    """Take what a reader posts into a collection, and give the TAXII status of it, which is complete.

    Args:
        raws: The exact bytes of each object of the envelope.

    Raises:
        Unavailable: `store-busy`, `store-full`, `peer-quota`; then nothing of it was taken.
    """
    with node.store.read() as tx:
        before = tx.last(Status, "added", party=reader.party) or 0
    label = f"status/{reader.party}/{before}/{sha256(b''.join(raws)).hexdigest()}"
    name = str(UUID(bytes=node.random(16, label), version=4))
    return _import(node, reader, name, raws) if collection == OWN else _hand_in(node, reader, name, raws)


def status_of(tx: Reading, party: str, name: str) -> bytes:
    """The status resource of a post, JSON.

    Raises:
        NotFound: `no-such-status`, also for another party's.
    """
    row = tx.get(Status, name)
    if row is None or row.party != party:
        raise NotFound("no-such-status", "There is no such status here for this token.")
    return row.body


def remove(node: Node, party: str, collection: str, object_id: str, versions: frozenset[str | Instant]) -> int:
    """Take an object out of a reader's own collection; nothing is erased. Gives how many versions went.

    Args:
        versions: Words ``first``, ``last``, ``all`` and instants.

    Raises:
        NotFound: `no-such-object`.
    """
    if collection == OWN:
        enrol(node)
    with deed(node) as work:
        rows = list(work.tx.find_in(Submission, "object", [object_id], party=party, collection=collection, ended=None))
        if not rows:
            raise NotFound("no-such-object", "There is no such object in this collection.")
        kept = {row.n: row for row in work.tx.find_in(Version, "n", {row.version for row in rows})}
        at = {
            row.version: row.added if kept[row.version].modified == -1 else kept[row.version].modified for row in rows
        }
        ends = {"first": min(at.values()), "last": max(at.values())}
        gone = [
            row
            for row in rows
            if "all" in versions
            or any(at[row.version] == (ends[one] if isinstance(one, str) else one) for one in versions)
        ]
        for row in gone:
            work.tx.put(replace(row, ended=work.at))
        work.audit("taxii-remove", {"party": party, "object": object_id, "versions": len(gone)})
    return len(gone)


# --- inbox


def _hand_in(node: Node, reader: Reader, name: str, raws: Sequence[bytes]) -> dict[str, Any]:
    with deed(node) as work:
        spend(work, reader.party, submissions=max(1, len(raws)), bytes=sum(map(len, raws)))
        objects: list[StixObject] = []
        failures: list[dict[str, Any]] = []
        for n, raw in enumerate(raws, 1):
            try:
                objects.append(_read(raw))
            except ComityError as broken:
                failures.append(_failure(raw, n, broken.sentence, work.at))
        b = (work.tx.last(Batch, "b") or 0) + 1
        batch = Batch(b, f"submission of {reader.party}", "taxii", name, "", work.at, len(raws), 1, b"{}", work.at)
        work.tx.add([batch])
        incoming = [Incoming(one) for one in objects]
        kept = keep(work, incoming, batch=batch, custodian=reader.party, title=TITLE, handlings=())
        settle(work, versions=[*kept.versions, *kept.moved])
        held = {row.h: row.version for row in work.tx.find_in(Holding, "h", set(kept.holdings))}
        numbers = [held[h] for h in kept.holdings]
        added = _enter(work, reader.party, INBOX, [(one.id, n) for one, n in zip(objects, numbers, strict=True)])
        successes = [
            {"id": one.id, "version": format(added[n] if one.version is None else one.version)}
            for one, n in zip(objects, numbers, strict=True)
        ]
        body = _status(work, reader.party, name, successes, failures)
        work.audit("taxii-submission", {"party": reader.party, "taken": len(successes), "refused": len(failures)})
    return body


def _read(raw: bytes) -> StixObject:
    found = read_object(raw)
    if found.type == "marking-definition" and found.id not in KNOWN:
        raise InputRefused(
            "submission-definition",
            f"{found.id} would decide how other objects are handled; ask an officer of this node to take it in.",
        )
    return found


def _enter(work: Deed, party: str, collection: str, items: Sequence[tuple[str, int]]) -> dict[int, Instant]:
    """Put versions into a party's collection, once each; gives when each was added."""
    present = {
        row.version: row
        for row in work.tx.find_in(Submission, "object", {identity for identity, _ in items}, party=party)
    }
    last = work.tx.last(Submission, "added", party=party) or 0
    fresh: dict[int, Submission] = {}
    for identity, version in items:
        row = present.get(version)
        if version in fresh or (row is not None and row.ended is None):
            continue
        last = max(work.at, last + 1)
        fresh[version] = Submission(party, identity, version, collection, last, None)
        if row is not None:
            work.tx.put(fresh[version])
    work.tx.add([row for row in fresh.values() if row.version not in present])
    return {version: (fresh.get(version) or present[version]).added for _, version in items}


# --- own


def enrol(node: Node) -> None:
    """Bring `own` up to date with what is held first hand, in the order it came."""
    while _behind(node):
        with deed(node) as work:
            last: int = read_setting(work.tx, "own-enrolled", 0)
            rows = list(
                work.tx.find(Holding, custodian=node.party, order=("h",), after=(last,), limit=ENROLLED_AT_ONCE)
            )
            if not rows:
                return
            ids = {row.object for row in rows}
            known = {row.version for row in work.tx.find_in(Submission, "object", ids, party=node.party)}
            fresh = [(row.object, row.version) for row in rows if row.version not in known]
            _enter(work, node.party, OWN, fresh)
            put_setting(work.tx, "own-enrolled", rows[-1].h)


def _behind(node: Node) -> bool:
    with node.store.read() as tx:
        return bool((tx.last(Holding, "h", custodian=node.party) or 0) > int(read_setting(tx, "own-enrolled", 0)))


def _import(node: Node, reader: Reader, name: str, raws: Sequence[bytes]) -> dict[str, Any]:
    pieces = [_Piece(raw, str(n)) for n, raw in enumerate(raws, 1)]
    batch, _ = take_in(
        node, pieces, name=f"TAXII, {reader.name}", format="taxii", digest=name, handling=Handling(), minted=False
    )
    enrol(node)
    with deed(node) as work:
        refused = {row.place: row.sentence for row in refusals(work.tx, batch.b)}
        taken = [piece for piece in pieces if piece.place not in refused]
        named = [msgspec.json.decode(piece.raw, type=_Named) for piece in taken]
        _bring_back(work, taken, named)
        versions = _versions_named(work.tx, node.party, named, work.at)
        successes = [{"id": one.id, "version": version} for one, version in zip(named, versions, strict=True)]
        failures = [
            _failure(piece.raw, int(piece.place), refused[piece.place], work.at)
            for piece in pieces
            if piece.place in refused
        ]
        return _status(work, node.party, name, successes, failures)


def _bring_back(work: Deed, taken: Sequence[_Piece], named: Sequence[_Named]) -> None:
    """What was taken out of `own` and is posted again stands there again."""
    out = [
        row
        for row in work.tx.find_in(Submission, "object", {one.id for one in named}, party=work.node.party)
        if row.ended is not None
    ]
    if not out:
        return
    same = {sha256(canonical(read_json(piece.raw))).digest() for piece in taken}
    again = {row.n: row for row in work.tx.find_in(Version, "n", {row.version for row in out}) if row.same in same}
    _enter(work, work.node.party, OWN, [(row.id, n) for n, row in again.items()])


def _versions_named(tx: Reading, party: str, named: Sequence[_Named], at: Instant) -> Iterator[str]:
    """The version of each object as TAXII names it: its own timestamp, else when it was added."""
    bare = {one.id for one in named if not one.modified and not one.created}
    added = {row.object: row.added for row in tx.find_in(Submission, "object", bare, party=party)}
    for one in named:
        yield one.modified or one.created or format(added.get(one.id, at))


# --- status


def _failure(raw: bytes, n: int, sentence: str, at: Instant) -> dict[str, Any]:
    try:
        said = msgspec.json.decode(raw, type=_Named)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        said = _Named()
    return {
        "id": said.id[:200] or f"object {n} of the envelope",
        "version": (said.modified or said.created)[:64] or format(at),
        "message": sentence,
    }


def _status(
    work: Deed, party: str, name: str, successes: Sequence[Any], failures: Iterable[dict[str, Any]]
) -> dict[str, Any]:
    bad = list(failures)
    added = max(work.at, (work.tx.last(Status, "added", party=party) or 0) + 1)
    body: dict[str, Any] = {
        "id": name,
        "status": "complete",
        "request_timestamp": format(added),
        "total_count": len(successes) + len(bad),
        "success_count": len(successes),
        "failure_count": len(bad),
        "pending_count": 0,
    }
    if successes:
        body["successes"] = list(successes)
    if bad:
        body["failures"] = bad
    work.tx.add([Status(name, party, added, msgspec.json.encode(body))])
    return body
