"""Hidden source: what goes to a party under a clause that hides it is a new object of ours, which stands in for the original.

The original itself never goes under such a clause; references to it resolve to nothing for whoever gets the stand-in. Rules:

- one new random id for each original and title, whoever gets it; each version of the original gets a version of it, and one older
  than what stands in already gets none, since it would read as newer;
- a stand-in is a version without holdings of its own: it goes, ends, is re-issued and withdrawn as the holdings of its original say;
- it is sealed by us with role `anonymous`; the seal commits to the original's id, and only we can open that (docs/formats/seal.md);
- it cannot be made where we are the source ourselves, where nobody knows whom to hide, or where what must stay names the source.

Preview makes the same rows, lays them over the store (`Overlay`) and throws them away.
Source: docs/formats/view.md, Hidden source; `comity.kernel.seal.anonymous`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Any, TypeVar
from uuid import UUID

from comity.kernel.errors import ComityError
from comity.kernel.model.instants import Instant
from comity.kernel.model.objects import StixObject, from_data
from comity.kernel.model.references import references, required_references
from comity.kernel.model.strictjson import read as read_json
from comity.kernel.model.values import values
from comity.kernel.release.decision import Terms
from comity.kernel.seal.anonymous import anonymise
from comity.kernel.seal.canonical import canonical
from comity.kernel.seal.seals import claimed_party, claimed_role
from comity.kernel.store.ports import Reading
from comity.kernel.store.rows import TABLES, Anonymous, Holding, Party, Reference, StandIn, Value, Version
from comity.node.parties import card_of

R = TypeVar("R")

MILLISECOND = 1_000

Draw = Callable[[int, str], bytes]
"""``(n, label)`` gives n random bytes; as `Node.random`."""


@dataclass(frozen=True, slots=True)
class Hiding:
    """Whom to hide: the id of the source, and every text that names it."""

    source: str
    names: frozenset[str]


def hiding(tx: Reading, us: str, version: Version, holding: Holding, originator: str | None) -> Hiding:
    """Whom a holding's source is: who gave it, who sealed it, who made it. Where nobody is known but us, we are the source.

    That we sealed something in custody, for it went to somebody under a clause that names its source, does not make it ours.
    """
    creator = read_json(version.raw).get("created_by_ref")
    sealer = None if version.seal is None else claimed_party(version.seal)
    parties = {one for one in (holding.custodian, originator, sealer) if one is not None and one != us}
    ours = version.seal is not None and sealer == us and claimed_role(version.seal) != "custody"
    if ours or originator == us:
        source = us
    elif holding.custodian != us:
        source = holding.custodian
    else:
        source = str(creator) if isinstance(creator, str) else us
    names = {*parties, source, *([creator] if isinstance(creator, str) else ())}
    for party in sorted(parties):
        row, card = tx.get(Party, party), card_of(tx, party)
        names |= {row.name} if row is not None else set()
        names |= {card.name, *card.identities} if card is not None else set()
    for identity in sorted(one for one in names if one.startswith("identity--")):
        for known in tx.find(Version, id=identity):
            name = read_json(known.raw).get("name")
            names |= {name} if isinstance(name, str) else set()
    return Hiding(source, frozenset(name for name in names if name.strip()))


def own_identities(tx: Reading, us: str) -> frozenset[str]:
    """Our id and the identities we speak for."""
    card = card_of(tx, us)
    return frozenset({us, *(() if card is None else card.identities)})


def without_source(terms: Terms, names: Collection[str]) -> Terms:
    """Terms that travel with a stand-in: the recipients it names are others than its source."""
    if terms.recipients is None:
        return terms
    return replace(terms, recipients=tuple(one for one in terms.recipients if one not in names))


def refusal(tx: Reading, us: str, version: Version, hide: Hiding, at: Instant) -> str | None:
    """Why the source of a version cannot be hidden; None where it can.

    What came with its source hidden is not hidden again: each party that passed it on would make another object of it, and who
    made the first could not know its own in what comes back, so that new objects went round without end.
    """
    if version.seal is not None and claimed_party(version.seal) != us and claimed_role(version.seal) == "anonymous":
        return "it came with its source hidden, and is not hidden again"
    try:
        _made(tx, us, version, hide, _placeholder(version.id, ""), at, None)
    except ComityError as broken:
        return broken.sentence.removeprefix("The source cannot be hidden here: ").rstrip(".")
    return None


def _made(
    tx: Reading, us: str, version: Version, hide: Hiding, new_id: str, at: Instant, created: Instant | None
) -> StixObject:
    return from_data(
        anonymise(
            read_json(version.raw),
            new_id=new_id,
            at=at,
            own=own_identities(tx, us),
            source=hide.source,
            created=created,
            hide=hide.names,
        )
    )


def _placeholder(object_id: str, title: str) -> str:
    """An id for a stand-in that is only looked at: in a preview."""
    return _id_of(object_id, sha256(f"{object_id}\0{title}".encode()).digest()[:16])


def _id_of(object_id: str, data: bytes) -> str:
    return f"{object_id.partition('--')[0]}--{UUID(bytes=data, version=4)}"


def stand_in(tx: Reading, originals: Iterable[int], title: str) -> StandIn | None:
    """What stands in for one of these versions, copies of one another, under a title."""
    return next((row for row in tx.find_in(StandIn, "original", sorted(originals)) if row.title == title), None)


def make(
    tx: Reading,
    us: str,
    version: Version,
    hide: Hiding,
    title: str,
    at: Instant,
    n: int,
    draw: Draw | None,
    fresh: Sequence[Any] = (),
) -> list[Any]:
    """The rows of a new stand-in, to be added to the store or laid over it; none where a later version went already.

    Args:
        n: The number the new version gets.
        draw: Random bytes for a new id; None in a preview.
        fresh: Rows made before in the same go.
    """
    known = tx.get(Anonymous, version.id, title) or next(
        (row for row in fresh if isinstance(row, Anonymous) and (row.object, row.title) == (version.id, title)), None
    )
    rows: list[Any] = []
    if known is None:
        new_id = (
            _placeholder(version.id, title)
            if draw is None
            else _id_of(version.id, draw(16, f"anonymous/{version.id}/{title}"))
        )
        known = Anonymous(version.id, title, new_id, at // MILLISECOND * MILLISECOND)
        rows.append(known)
    else:
        before = [
            *tx.find(Version, id=known.id),
            *(row for row in fresh if isinstance(row, Version) and row.id == known.id),
        ]
        if any(_original_of(tx, fresh, row.n) > version.modified for row in before):
            return []
        at = max([at, *(row.modified + MILLISECOND for row in before)])
    made = _made(tx, us, version, hide, known.id, at // MILLISECOND * MILLISECOND, known.created)
    rows.append(
        Version(
            n=n,
            id=made.id,
            type=made.type,
            modified=-1 if made.version is None else made.version,
            raw=made.raw,
            sha256=sha256(made.raw).digest(),
            same=sha256(canonical(made.data)).digest(),
            digest=None,
            seal=None,
            disclosure=None,
            original=None,
        )
    )
    rows.append(StandIn(n, version.n, title))
    required = required_references(made.type)
    for ref in {(found.path, found.target): found for found in references(made.data)}.values():
        needed = int(ref.property in required and not ref.property.endswith("_refs"))
        rows.append(Reference(n, ref.path, ref.target, ref.property, ref.kind, needed))
    rows.extend(Value(value, n) for value in dict.fromkeys(text.lower() for text in values(made.data)))
    return rows


def _original_of(tx: Reading, fresh: Sequence[Any], n: int) -> int:
    """The `modified` of the version that a stand-in stands in for."""
    row = tx.get(StandIn, n) or next((one for one in fresh if isinstance(one, StandIn) and one.version == n), None)
    original = None if row is None else tx.get(Version, row.original)
    return -1 if original is None else original.modified


class Overlay:
    """A reading in which some rows stand that are not in the store: what a preview supposes."""

    def __init__(self, tx: Reading, rows: Iterable[Any]) -> None:
        self._tx = tx
        self._rows: dict[type[Any], list[Any]] = {}
        for row in rows:
            self._rows.setdefault(type(row), []).append(row)

    def made(self, kind: type[R]) -> list[R]:
        """The rows of a kind that are laid over the store, as they were given."""
        return list(self._rows.get(kind, ()))

    def _fits(self, kind: type[R], equal: dict[str, Any]) -> list[R]:
        return [row for row in self._rows.get(kind, ()) if all(getattr(row, k) == v for k, v in equal.items())]

    def get(self, kind: type[R], /, *key: Any) -> R | None:
        """As `Reading.get`."""
        found = self._fits(kind, dict(zip(TABLES[kind].key, key, strict=True))) if kind in self._rows else []
        return found[0] if found else self._tx.get(kind, *key)

    def find(
        self,
        kind: type[R],
        /,
        *,
        order: tuple[str, ...] | None = None,
        after: tuple[Any, ...] | None = None,
        limit: int | None = None,
        reverse: bool = False,
        **equal: Any,
    ) -> Iterator[R]:
        """As `Reading.find`."""
        extra = self._fits(kind, equal)
        if not extra:
            yield from self._tx.find(kind, order=order, after=after, limit=limit, reverse=reverse, **equal)
            return
        columns = [one for one in (order or TABLES[kind].key) if one not in equal]

        def place(row: R) -> tuple[Any, ...]:
            return tuple(getattr(row, column) for column in columns)

        if after is not None:
            extra = [row for row in extra if (place(row) < after if reverse else place(row) > after)]
        rows = [*self._tx.find(kind, order=order, after=after, limit=limit, reverse=reverse, **equal), *extra]
        rows.sort(key=place, reverse=reverse)
        yield from rows if limit is None else rows[:limit]

    def find_in(self, kind: type[R], column: str, values: Collection[Any], /, **equal: Any) -> Iterator[R]:
        """As `Reading.find_in`."""
        yield from self._tx.find_in(kind, column, values, **equal)
        yield from (row for row in self._fits(kind, equal) if getattr(row, column) in values)

    def last(self, kind: type[R], column: str, /, **equal: Any) -> Any:
        """As `Reading.last`."""
        found = [getattr(row, column) for row in self._fits(kind, equal)]
        kept = self._tx.last(kind, column, **equal)
        return max([*found, *([] if kept is None else [kept])], default=None)

    def count(self, kind: type[Any], /, **equal: Any) -> int:
        """As `Reading.count`."""
        return self._tx.count(kind, **equal) + len(self._fits(kind, equal))
