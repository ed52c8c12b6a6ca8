"""Keeping objects: versions and holdings as they came, in their classes, with their references and values.

Received bytes are never changed and ids never rewritten. Two copies are the same version when they stand under the same
digest, or are both complete and equal in canonical form; all else stands side by side (docs/formats/object.md).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from hashlib import sha256
from typing import Any, Final, Literal

import msgspec

from comity.kernel.errors import InputRefused
from comity.kernel.model.instants import Instant
from comity.kernel.model.objects import StixObject
from comity.kernel.model.references import references, required_references
from comity.kernel.model.strictjson import read as read_json
from comity.kernel.model.values import values
from comity.kernel.release.decision import Terms
from comity.kernel.release.facets import Facets
from comity.kernel.release.handling import Effective, Handling, effective
from comity.kernel.release.markings import Markings, read_markings
from comity.kernel.release.vocabulary import CAVEATS, PAP, TLP, strictest
from comity.kernel.seal.canonical import canonical
from comity.kernel.seal.dsse import unverified_body
from comity.kernel.store.ports import Reading
from comity.kernel.store.rows import Batch, Class, HandlingRow, Holding, Reference, Value, Version
from comity.node.context import Deed


@dataclass(frozen=True, slots=True)
class Incoming:
    """One object to be kept, checked already: how it came and what came with it.

    Args:
        digest, seal, disclosure: What it came sealed under; None for what came unsealed.
        originator: Party id under an uncontested origin seal, or our own id; None: unattributed.
        claimants: Where several claim its creator: all of them.
        handling: What the file itself said of this object (its row's TLP), beside what the batch says.
    """

    object: StixObject
    original: bytes | None = None
    digest: bytes | None = None
    seal: bytes | None = None
    disclosure: bytes | None = None
    originator: str | None = None
    claimants: frozenset[str] = frozenset()
    view: str = "full"
    terms: Terms | None = None
    handling: Handling | None = None


@dataclass(slots=True)
class Kept:
    """What became of a chunk: counts, version numbers to be decided, and the holding each object stands in, in order.

    `moved` are versions of other chunks that a marking definition in this one put into another class.
    """

    new: int = 0
    known: int = 0
    newer: int = 0
    older: int = 0
    rivals: int = 0
    unmarked: int = 0
    versions: list[int] = field(default_factory=list)
    holdings: list[int] = field(default_factory=list)
    moved: list[int] = field(default_factory=list)


def keep(
    deed: Deed,
    items: Sequence[Incoming],
    *,
    batch: Batch,
    custodian: str,
    title: str | None,
    handlings: Sequence[Handling],
) -> Kept:
    """Keep a chunk of objects under one batch; decisions follow in `streams.settle` with what this returns.

    Args:
        custodian: Party it came from; our own id for what our officers take in.
        title: The title it came under; None for first hand.
        handlings: What the importing officer stated for the batch.
    """
    tx, kept = deed.tx, Kept()
    ids = {item.object.id for item in items}
    present: dict[str, list[Version]] = {}
    for row in tx.find_in(Version, "id", ids):
        present.setdefault(row.id, []).append(row)
    spoken = {row.target for row in tx.find_in(HandlingRow, "target", ids)}
    classes = Classes(deed)
    known: dict[Any, tuple[Effective, int]] = {}
    markings = MarkingReader(
        deed.tx,
        (deed.node.party, custodian),
        {i.object.id: i.object.data for i in items if i.object.type == "marking-definition"},
    )
    n, h = tx.last(Version, "n") or 0, tx.last(Holding, "h") or 0
    versions: list[Version] = []
    holdings: list[Holding] = []
    trailing: list[Reference | Value] = []
    fresh: dict[int, Holding] = {}
    for item in items:
        same = sha256(canonical(item.object.data)).digest()
        modified = -1 if item.object.version is None else item.object.version
        beside = present.setdefault(item.object.id, [])
        version = _kept_as(deed, beside, item, same, custodian, title, fresh)
        stated = (*handlings, item.handling) if item.handling else tuple(handlings)
        if item.object.id in spoken:  # what an officer stated of an object holds for what comes of it later too
            stated = (*stated, *handlings_for(tx, item.object.id, ()))
        if version is not None:
            kept.known += 1
            holding = fresh.get(version.n) or _holding_from(deed, version.n, custodian, title)
            if holding is not None:
                merged = _again(deed, item, version, holding, stated, classes, markings)
                if (
                    merged is not holding and version.n in fresh
                ):  # it came before in this chunk: one holding, both statements
                    holdings[holdings.index(holding)] = fresh[version.n] = merged
                elif merged is not holding:
                    h += 1
                    merged = replace(merged, h=h, batch=batch.b, at=deed.at)
                    tx.put(replace(holding, ended=deed.at))
                    holdings.append(merged)
                    fresh[version.n] = merged
                    kept.versions.append(version.n)
                kept.holdings.append(merged.h)
                continue
        else:
            n += 1
            version = Version(
                n=n,
                id=item.object.id,
                type=item.object.type,
                modified=modified,
                raw=item.object.raw,
                sha256=sha256(item.object.raw).digest(),
                same=same,
                digest=item.digest,
                seal=item.seal,
                disclosure=item.disclosure,
                original=item.original,
            )
            _count(kept, beside, modified, same)
            beside.append(version)
            versions.append(version)
            trailing.extend(derived(version.n, item.object.type, item.object.data))
        h += 1
        alike = None if item.object.id in spoken else _alike(item)
        found = known.get(alike) if alike is not None else None
        if found is None:
            facts = effective(
                item.object.data,
                markings.read(item.object.data),
                stated,
                item.terms,
                custodian=custodian,
                originator=item.originator,
                claimants=item.claimants,
                title=title,
            )
            found = facts, classes.number(facts.facets)
            if alike is not None:
                known[alike] = found
        facts, cls = found
        if facts.facets.tlp is None:
            kept.unmarked += 1
        holding = _holding(h, version.n, batch.b, custodian, title, item, facts, cls, deed.at)
        holdings.append(holding)
        fresh[version.n] = holding
        kept.versions.append(version.n)
        kept.holdings.append(h)
    tx.add(versions)
    tx.add(holdings)
    tx.add(trailing)
    _reread_markings(deed, versions, classes, kept)
    return kept


_READ_BY_HANDLING: Final = ("object_marking_refs", "labels", "sectors")


def _alike(item: Incoming) -> Any:
    """What decides the class of an object within a chunk; None for one that has to be looked at by itself."""
    data = item.object.data
    if "granular_markings" in data or item.handling is not None:
        return None
    lists = tuple(tuple(map(str, data[name])) if name in data else None for name in _READ_BY_HANDLING)
    return (
        item.object.type,
        item.originator,
        item.claimants,
        data.get("confidence"),
        data.get("country"),
        lists,
        item.terms,
    )


def _same(row: Version, item: Incoming, same: bytes) -> bool:
    if item.digest is not None and row.digest is not None:
        return row.digest == item.digest and row.same == same
    return row.same == same and (row.digest is None or item.digest is None) and item.view == "full"


def _kept_as(
    deed: Deed,
    beside: Sequence[Version],
    item: Incoming,
    same: bytes,
    custodian: str,
    title: str | None,
    fresh: Mapping[int, Holding],
) -> Version | None:
    """The version a copy is kept as, None where it becomes a version row of its own.

    What another source gave lends a copy neither its bytes nor its seal: a reader of the one could tell that there is the other.
    """
    alike = [row for row in beside if _same(row, item, same)]
    for row in alike:
        if row.n in fresh or _holding_from(deed, row.n, custodian, title) is not None:
            return row
    return next((row for row in alike if row.raw == item.object.raw and row.digest == item.digest), None)


def _count(kept: Kept, beside: Sequence[Version], modified: int, same: bytes) -> None:
    if not beside:
        kept.new += 1
    elif any(row.same == same for row in beside):
        kept.known += 1
    elif all(row.modified < modified for row in beside):
        kept.newer += 1
    elif any(row.modified == modified for row in beside):
        kept.rivals += 1
    else:
        kept.older += 1


def derived(n: int, stix_type: str, data: dict[str, Any]) -> Iterable[Reference | Value]:
    """The rows that are made from the bytes of version `n`, so that it is found: its references and its values."""
    required = required_references(stix_type)
    for ref in {(found.path, found.target): found for found in references(data)}.values():
        yield Reference(
            n,
            ref.path,
            ref.target,
            ref.property,
            ref.kind,
            int(ref.property in required and not ref.property.endswith("_refs")),
        )
    for value in dict.fromkeys(text.lower() for text in values(data)):
        yield Value(value, n)


def _holding(
    h: int,
    version: int,
    batch: int,
    custodian: str,
    title: str | None,
    item: Incoming,
    facts: Effective,
    cls: int,
    at: Instant,
) -> Holding:
    return Holding(
        h=h,
        object=item.object.id,
        version=version,
        custodian=custodian,
        title=title,
        batch=batch,
        cls=cls,
        embargo=facts.embargo,
        expiry=facts.expiry,
        terms=None if item.terms is None else kept_terms(item.terms),
        view=item.view,
        at=at,
        ended=None,
    )


def _holding_from(deed: Deed, version: int, custodian: str, title: str | None) -> Holding | None:
    found = [
        row for row in deed.tx.find(Holding, version=version, custodian=custodian, ended=None) if row.title == title
    ]
    return found[-1] if found else None


def _again(
    deed: Deed,
    item: Incoming,
    version: Version,
    holding: Holding,
    stated: Sequence[Handling],
    classes: Classes,
    markings: MarkingReader,
) -> Holding:
    """The holding as it stands after the same version came again with another statement: the stricter counts."""
    before = handlings_for(deed.tx, version.id, batches_of(deed.tx, holding))
    terms = _stricter(terms_from(holding.terms), item.terms)
    facts = effective(
        item.object.data,
        markings.read(item.object.data),
        (*before, *stated),
        terms,
        custodian=holding.custodian,
        originator=classes.facets(holding.cls).originator or item.originator,
        claimants=classes.facets(holding.cls).claimants | item.claimants,
        title=holding.title,
    )
    cls = classes.number(facts.facets)
    if cls == holding.cls and facts.embargo == holding.embargo and facts.expiry == holding.expiry:
        return holding
    kept = None if terms is None else kept_terms(terms)
    return replace(holding, cls=cls, embargo=facts.embargo, expiry=facts.expiry, terms=kept)


def _stricter(one: Terms | None, other: Terms | None) -> Terms | None:
    """The terms of two rows about one holding together: they are tightened by the later one and never loosened."""
    if one is None or other is None:
        return one or other

    def union(name: str) -> tuple[str, ...] | None:
        lists = [words for words in (getattr(one, name), getattr(other, name)) if words is not None]
        return tuple(sorted({word for words in lists for word in words})) if lists else None

    def common(name: str) -> tuple[str, ...] | None:
        lists = [set(words) for words in (getattr(one, name), getattr(other, name)) if words is not None]
        return tuple(sorted(set.intersection(*lists))) if lists else None

    return Terms(
        tlp=strictest(TLP, (one.tlp, other.tlp)),
        pap=strictest(PAP, (one.pap, other.pap)),
        caveats=union("caveats"),
        recipients=common("recipients"),
        purpose=common("purpose"),
        basis=union("basis"),
        retention=min((end for end in (one.retention, other.retention) if end is not None), default=None),
    )


def reclass_all(deed: Deed, versions: Iterable[Version], classes: Classes | None = None) -> list[int]:
    """Put the live holdings of versions into the classes their present handlings and markings give; the numbers of those that moved."""
    tx, classes = deed.tx, classes or Classes(deed)
    read = {version.n: (version.id, read_json(version.raw)) for version in versions}
    h = tx.last(Holding, "h") or 0
    moved: list[int] = []
    fresh: list[Holding] = []
    for holding, facts in counting(tx, deed.node.party, read, classes.facets):
        cls = classes.number(facts.facets)
        if (cls, facts.embargo, facts.expiry) == (holding.cls, holding.embargo, holding.expiry):
            continue
        tx.put(replace(holding, ended=deed.at))
        h += 1
        fresh.append(replace(holding, h=h, cls=cls, embargo=facts.embargo, expiry=facts.expiry, at=deed.at))
        moved.append(holding.version)
    tx.add(fresh)
    return list(dict.fromkeys(moved))


def counting(
    tx: Reading, us: str, read: Mapping[int, tuple[str, dict[str, Any]]], facets: Callable[[int], Facets]
) -> Iterator[tuple[Holding, Effective]]:
    """What counts for each live holding of these versions by the present handlings and markings, in order of version.

    Args:
        read: Object id and decoded object of each version, by its number.
        facets: The facets of a class; who originated a holding was found out when it came and stays.
    """
    holdings: dict[int, list[Holding]] = {}
    for holding in tx.find_in(Holding, "version", list(read)):
        holdings.setdefault(holding.version, []).append(holding)
    stated = {
        row.target for row in tx.find_in(HandlingRow, "target", list({identity for identity, _ in read.values()}))
    }
    readers: dict[str, MarkingReader] = {}
    said: dict[frozenset[int], tuple[Handling, ...]] = {}
    for n, (identity, data) in sorted(read.items()):
        every = sorted(holdings.get(n, ()), key=lambda one: one.h)
        for holding in [one for one in every if one.ended is None]:
            source = (holding.custodian, holding.title)
            batches = frozenset(one.batch for one in every if (one.custodian, one.title) == source)
            if batches not in said:
                said[batches] = handlings_for(tx, "", batches)
            if holding.custodian not in readers:
                readers[holding.custodian] = MarkingReader(tx, (us, holding.custodian), {})
            yield (
                holding,
                effective(
                    data,
                    readers[holding.custodian].read(data),
                    (*said[batches], *(handlings_for(tx, identity, ()) if identity in stated else ())),
                    terms_from(holding.terms),
                    custodian=holding.custodian,
                    originator=facets(holding.cls).originator,
                    claimants=facets(holding.cls).claimants,
                    title=holding.title,
                ),
            )


def _reread_markings(deed: Deed, versions: Sequence[Version], classes: Classes, kept: Kept) -> None:
    """A marking definition that comes after the objects that use it makes them readable: put them where they belong."""
    here = {version.n for version in versions}
    for definition in versions:
        if definition.type != "marking-definition":
            continue
        users = list({row.version for row in deed.tx.find(Reference, target=definition.id)} - here)
        for start in range(0, len(users), REREAD_AT_ONCE):
            some = deed.tx.find_in(Version, "n", users[start : start + REREAD_AT_ONCE])
            kept.moved.extend(reclass_all(deed, list(some), classes))


REREAD_AT_ONCE: Final = 1_000
"""Versions read anew at a time, so that memory stays bounded."""


class MarkingReader:
    """Reads what markings say, looking definitions up in the store and in the chunk at hand; remembers what it read.

    A definition counts for what came from the same source, and ours for everything: no party can decide by a definition of
    its own how what another gave is handled.

    Args:
        sources: Our own party id, then the one the objects came from.
        chunk: Definitions that come with the objects.
    """

    def __init__(self, tx: Reading, sources: Sequence[str], chunk: Mapping[str, Mapping[str, Any]]) -> None:
        self._tx, self._sources, self._chunk = tx, tuple(dict.fromkeys(sources)), chunk
        self._known: dict[str, Mapping[str, Any]] = {}
        self._missing: set[str] = set()

    def resolve(self, marking: str) -> Mapping[str, Any] | None:
        """The newest definition of this id that we hold, else the newest from the source; None where there is none, or rivals."""
        if marking in self._known:
            return self._known[marking]
        if marking in self._missing:
            return None
        rows: list[Version] = []
        for source in self._sources:
            here = {row.version for row in self._tx.find(Holding, object=marking, custodian=source)}
            rows = list(self._tx.find_in(Version, "n", here))
            if source == self._sources[-1] and marking in self._chunk:
                self._known[marking] = self._chunk[marking]
                return self._known[marking]
            if rows:
                break
        newest = [row for row in rows if row.modified == max(other.modified for other in rows)]
        if len({row.same for row in newest}) != 1:  # absent, or rivals that say different things
            self._missing.add(marking)
            return None
        self._known[marking] = read_json(newest[0].raw)
        return self._known[marking]

    def read(self, data: Mapping[str, Any]) -> Markings:
        """The markings of an object, as far as they can be read here."""
        return read_markings(data, self.resolve)


class Classes:
    """Class numbers by facets, for one deed."""

    def __init__(self, deed: Deed) -> None:
        self._deed = deed
        self._numbers: dict[Facets, int] = {}
        self._facets: dict[int, Facets] = {}

    def number(self, facets: Facets) -> int:
        """The number of the class with these facets, made if it is new."""
        found = self._numbers.get(facets)
        if found is not None:
            return found
        tx, key = self._deed.tx, facets.key
        row = next(iter(tx.find(Class, key=key)), None)
        if row is None:
            row = Class((tx.last(Class, "c") or 0) + 1, key, canonical(facets.as_json()))
            tx.add([row])
        self._numbers[facets], self._facets[row.c] = row.c, facets
        return row.c

    def facets(self, number: int) -> Facets:
        """The facets of a class."""
        found = self._facets.get(number)
        if found is None:
            found = self._facets[number] = class_facets(self._deed.tx, number)
        return found


def class_facets(tx: Reading, number: int) -> Facets:
    """The facets of a class, read from the store."""
    row = tx.get(Class, number)
    assert row is not None, "a holding names a class that exists"
    return Facets.from_json(msgspec.json.decode(row.facets))


def batches_of(tx: Reading, holding: Holding) -> set[int]:
    """Every batch in which this version came from this source under this title: what was stated for one of them still counts."""
    rows = tx.find(Holding, version=holding.version, custodian=holding.custodian)
    return {row.batch for row in rows if row.title == holding.title}


def handlings_for(tx: Reading, object_id: str, batches: Iterable[int]) -> tuple[Handling, ...]:
    """Everything officers stated for an object: for its batches, then for itself."""
    targets = [*(f"batch:{b}" for b in sorted(batches)), object_id]
    found: list[Handling] = []
    for target in targets:
        found.extend(Handling.from_json(statement_of(row)) for row in tx.find(HandlingRow, target=target))
    return tuple(found)


def statement_of(row: HandlingRow) -> dict[str, Any]:
    """The body of a signed handling of ours; the store is ours, `doctor` checks the signature."""
    body, _ = unverified_body(row.envelope, "handling")
    shape: dict[str, Any] = body["handling"]
    return shape


def terms_from(raw: bytes | None) -> Terms | None:
    """The terms that travelled with a holding, or None for what did not come from a peer."""
    return None if raw is None else read_terms(msgspec.json.decode(raw))


@lru_cache(maxsize=1024)
def kept_terms(terms: Terms) -> bytes:
    """Terms as a row keeps them, JSON; what comes or goes together mostly has the same."""
    return canonical(terms.as_json())


def read_terms(shape: Any) -> Terms:
    """The terms that travelled with a row.

    Raises:
        InputRefused: `terms` for what terms cannot be.
    """
    try:
        return msgspec.convert(shape, _Terms).terms()
    except msgspec.ValidationError as broken:
        raise InputRefused(
            "terms", f"The terms of this row are not in the form that is known here: {broken}."
        ) from broken


class _Terms(msgspec.Struct, forbid_unknown_fields=True):
    tlp: Literal["clear", "green", "amber", "amber+strict", "red"] | None
    pap: Literal["clear", "green", "amber", "red"] | None
    caveats: tuple[str, ...] | None
    recipients: tuple[str, ...] | None
    purpose: tuple[str, ...] | None
    basis: tuple[str, ...] | None
    retention: int | None

    def terms(self) -> Terms:
        for word in self.caveats or ():
            if word not in CAVEATS:
                raise InputRefused("terms", f"{word[:40]!r} is no caveat that is known here.")
        return Terms(self.tlp, self.pap, self.caveats, self.recipients, self.purpose, self.basis, self.retention)
