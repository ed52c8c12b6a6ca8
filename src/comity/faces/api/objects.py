"""REST over objects: what is held, taking in, what is stated, export, search."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from hashlib import sha256
from typing import Any, Final, Literal

import msgspec
from litestar import Response, get, post
from litestar.params import FromPath, FromQuery, JSONBody, RawBody

from comity.faces.api.desk import FILE, Asked, Desk, answers_with, instant_of, limit_of
from comity.faces.cli.words import Stated
from comity.kernel.errors import NotFound, Usage
from comity.kernel.model.instants import format
from comity.kernel.store.ports import Reading
from comity.kernel.store.rows import Holding, Version
from comity.node.export import given_objects, own_objects
from comity.node.handling import set_handling
from comity.node.intake import need_objects, refusals, take_stream
from comity.node.objects import class_facets
from comity.node.parties import name_of, resolve_party
from comity.node.search import search
from comity.node.stating import mapping_of
from comity.node.telling import handling_of

MOST: Final = 1_000
SHOWN_REFUSALS: Final = 100

_LISTS: Final = ("sector", "country", "basis", "purpose", "case", "caveat", "recipient")
_WORDS: Final = ("tlp", "pap", "embargo", "retention")
_TRUTHS: Final = ("no_caveats", "own", "minimised")


class HandlingBody(msgspec.Struct, forbid_unknown_fields=True):
    """What an officer states: for an object id, or ``batch:7``."""

    target: str
    tlp: str | None = None
    pap: str | None = None
    sector: tuple[str, ...] = ()
    country: tuple[str, ...] = ()
    basis: tuple[str, ...] = ()
    purpose: tuple[str, ...] = ()
    case: tuple[str, ...] = ()
    caveat: tuple[str, ...] = ()
    recipient: tuple[str, ...] = ()
    embargo: str | None = None
    retention: str | None = None
    no_caveats: bool = False
    own: bool = False
    minimised: bool = False

    def stated(self) -> Stated:
        """The same as the command line has it."""
        return Stated(**{name: getattr(self, name) for name in (*_WORDS, *_LISTS, *_TRUTHS)})


def object_handlers(desk: Desk) -> list[Any]:
    """The handlers of one node."""

    @get("/objects", sync_to_thread=True, summary="What is held, version by version", tags=["objects"])
    def listed(request: Asked, after: FromQuery[int] = 0, limit: FromQuery[int] = MOST) -> dict[str, Any]:
        """`after` is the `n` of the last entry of the page before."""
        with desk.reading(request) as tx:
            rows = list(tx.find(Version, order=("n",), after=(after,), limit=limit_of(limit, MOST) + 1))
            shown = [_line(row) for row in rows[:limit]]
        return {"objects": shown, "more": len(rows) > limit}

    @get("/objects/{object_id:str}", sync_to_thread=True, summary="An object with its holdings", tags=["objects"])
    def shown(request: Asked, object_id: FromPath[str]) -> dict[str, Any]:
        """Each version as it came, and from whom, under which title, with which facets."""
        with desk.reading(request) as tx:
            versions = [_version(tx, row) for row in tx.find(Version, id=object_id)]
        if not versions:
            raise NotFound("no-such-object", "No object with this id is held here.")
        return {"object": object_id, "versions": versions}

    @post(
        "/objects",
        status_code=200,
        sync_to_thread=True,
        opt=FILE,
        summary="Take in a file of any format known",
        tags=["objects"],
    )
    def taken(request: Asked, body: RawBody) -> dict[str, Any]:
        """The body is the file. What is stated about it stands in the query: tlp, pap, sector, basis, purpose ..."""
        by = desk.by(request, "take in")
        query = request.query_params
        stated = stated_of([pair for pair in query.multi_items() if pair[0] != "map"])
        mapping = mapping_of(query.getall("map", []))
        return _take(desk, body, query.get("name", "posted file"), stated, mapping, by)

    @post(
        "/handling",
        status_code=200,
        sync_to_thread=True,
        summary="State how an object or batch is handled",
        tags=["objects"],
    )
    def handled(request: Asked, data: JSONBody[HandlingBody]) -> dict[str, Any]:
        """The stricter of all statements counts; none loosens another."""
        by = desk.by(request, "take in")
        moved = set_handling(desk.node, data.target, data.stated().handling(desk.node.clock()), officer=by)
        return {"target": data.target, "moved": moved}

    @get("/handling", sync_to_thread=True, summary="What counts for an object", tags=["objects"])
    def counts(request: Asked, object: FromQuery[str]) -> dict[str, Any]:
        """Holding by holding, and who stated what."""
        with desk.reading(request) as tx:
            return handling_of(tx, object)

    @get(
        "/export",
        sync_to_thread=True,
        summary="Objects as a file",
        tags=["objects"],
        responses=answers_with(dict[str, Any]),
    )
    def exported(
        request: Asked,
        format: FromQuery[str] = "stix",
        type: FromQuery[list[str] | None] = None,
        id: FromQuery[list[str] | None] = None,
        since: FromQuery[str | None] = None,
        case: FromQuery[str | None] = None,
        all_versions: FromQuery[bool] = False,
        to: FromQuery[str | None] = None,
    ) -> Response[bytes]:
        """With `to`, exactly what that party was given, in its views."""
        wanted: dict[str, Any] = {
            "types": frozenset(type) if type else None,
            "ids": frozenset(id) if id else None,
            "since": instant_of(since, "since"),
        }
        with desk.reading(request) as tx:
            raws = (
                own_objects(tx, case=case, newest=not all_versions, **wanted)
                if to is None
                else _given(tx, to, case is not None or all_versions, wanted)
            )
            content = b"".join(_writer(desk, format)(raws))
        return Response(content, media_type="application/octet-stream" if format != "stix" else "application/json")

    @get("/search", sync_to_thread=True, summary="Objects by id or value", tags=["objects"])
    def searched(request: Asked, text: FromQuery[str], limit: FromQuery[int] = 200) -> dict[str, Any]:
        """Exact, else by the beginning; defanged values are understood."""
        with desk.reading(request) as tx:
            found = search(tx, text, us=desk.node.party, limit=limit_of(limit, MOST))
        return {"found": [one.as_json() for one in found]}

    return [listed, shown, taken, handled, counts, exported, searched]


def _line(row: Version) -> dict[str, Any]:
    return {"n": row.n, "id": row.id, "type": row.type, "version": None if row.modified == -1 else format(row.modified)}


def _version(tx: Reading, row: Version) -> dict[str, Any]:
    holdings = [
        {
            "from": one.custodian,
            "name": name_of(tx, one.custodian),
            "title": one.title,
            "batch": one.batch,
            "view": one.view,
            "at": format(one.at),
            "ended": None if one.ended is None else format(one.ended),
            "facets": class_facets(tx, one.cls).as_json(),
        }
        for one in tx.find(Holding, version=row.n)
    ]
    return {**_line(row), "sealed": row.seal is not None, "holdings": holdings, "raw": row.raw.decode()}


def stated_of(pairs: Sequence[tuple[str, str]]) -> Stated:
    """What the query of an import states.

    Raises:
        Usage: `request-parameter`.
    """
    said: dict[str, Any] = {}
    for name, value in pairs:
        if name in _LISTS:
            said[name] = (*said.get(name, ()), value)
        elif name in (*_WORDS, *_TRUTHS) and name not in said:
            said[name] = value if name in _WORDS else _truth(name, value)
        elif name != "name":
            raise Usage("request-parameter", f"{name[:80]} stands twice, or is nothing that can be stated of a file.")
    return Stated(**said)


def _truth(name: str, value: str) -> bool:
    if value not in ("true", "false"):
        raise Usage("request-parameter", f"{name} is true or false.")
    return value == "true"


def _take(
    desk: Desk, body: bytes, name: str, stated: Stated, mapping: dict[str, str] | None, by: str
) -> dict[str, Any]:
    """Take in a posted file: the counts, and the first of what was refused."""
    if desk.config.open_source is None:
        raise Usage("request-parameter", "This server takes no files; use comity import.")
    node = desk.node
    digest = sha256(b"rest" + node.random(16, f"rest/{sha256(body).hexdigest()}")).hexdigest()
    batch, counts, fault = take_stream(
        node,
        desk.config.open_source,
        io.BytesIO(body),
        name=name[:200],
        digest=digest,
        handling=stated.handling(node.clock()),
        officer=by,
        mapping=mapping,
    )
    if fault is not None and counts.objects == counts.refused:
        raise fault
    need_objects(counts)
    assert batch is not None, "a file that gave objects is a batch"
    with node.store.read() as tx:
        refused = [
            {"place": row.place, "object": row.object, "code": row.code, "sentence": row.sentence}
            for _, row in zip(range(SHOWN_REFUSALS), refusals(tx, batch.b), strict=False)
        ]
    broken = {} if fault is None else {"broken": fault.as_json()}
    return {"batch": batch.b, "format": batch.format, **counts.as_json(), "refusals": refused, **broken}


def _given(tx: Reading, to: str, of_ours: bool, wanted: dict[str, Any]) -> Iterator[bytes]:
    if of_ours:
        raise Usage("request-parameter", "case and all_versions are about what we hold; leave them out with to.")
    return given_objects(tx, resolve_party(tx, to).id, **wanted)


def _writer(desk: Desk, name: str | Literal["stix"]) -> Any:
    found = desk.config.writers.get(name)
    if found is None:
        known = ", ".join(sorted(desk.config.writers)) or "none"
        raise Usage("request-parameter", f"{name[:40]!r} is no format of an export here; there are: {known}.")
    return found
