"""Export: objects as bytes, our own view of them or exactly what another party is given."""

from __future__ import annotations

from collections.abc import Iterator

from comity.kernel.model.instants import Instant
from comity.kernel.seal.views import Withheld
from comity.kernel.store.ports import Reading
from comity.kernel.store.rows import Holding, StreamRow, Version
from comity.node.objects import class_facets
from comity.node.views import show_row


def own_objects(
    tx: Reading,
    *,
    types: frozenset[str] | None = None,
    ids: frozenset[str] | None = None,
    since: Instant | None = None,
    case: str | None = None,
    newest: bool = True,
) -> Iterator[bytes]:
    """The bytes of what we hold, as they came, in the order they came.

    Args:
        types, ids: Only these; None: all.
        since: Only what was taken in at or after this instant.
        case: Only what was stated to belong to this case.
        newest: Of several versions of an object, only the newest (rivals all).
    """
    for version in tx.find(Version):
        if (types is not None and version.type not in types) or (ids is not None and version.id not in ids):
            continue
        holdings = list(tx.find(Holding, version=version.n, ended=None))
        if not holdings or (since is not None and all(one.at < since for one in holdings)):
            continue
        if case is not None and not any(case in (class_facets(tx, one.cls).cases or ()) for one in holdings):
            continue
        if (newest and _outdated(tx, version)) or _told(tx, version):
            continue
        yield version.raw


def _outdated(tx: Reading, version: Version) -> bool:
    return any(
        other.modified > version.modified
        and next(iter(tx.find(Holding, version=other.n, ended=None)), None) is not None
        for other in tx.find(Version, id=version.id)
    )


def _told(tx: Reading, version: Version) -> bool:
    """Whether an equal copy of this version, from another source, comes before it."""
    return any(
        other.n < version.n
        and other.same == version.same
        and next(iter(tx.find(Holding, version=other.n, ended=None)), None) is not None
        for other in tx.find(Version, id=version.id)
    )


def given_objects(
    tx: Reading,
    party: str,
    *,
    types: frozenset[str] | None = None,
    ids: frozenset[str] | None = None,
    since: Instant | None = None,
) -> Iterator[bytes]:
    """The bytes a party was given, in its views, as its stream stands now."""
    for row in tx.find(StreamRow, party=party):
        if row.ended is not None or (ids is not None and row.object not in ids):
            continue
        if (types is not None and row.object.partition("--")[0] not in types) or (since is not None and row.at < since):
            continue
        shown = show_row(tx, row)
        if not isinstance(shown, Withheld):
            yield shown.raw
