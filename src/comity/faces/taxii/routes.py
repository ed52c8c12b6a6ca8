"""TAXII 2.1 under ``/taxii2/``: discovery, one API root, the collections of the asker (TAXII 2.1 §4, §5).

Each handler asks in the same order who asks (401), how (404 for an address without its last slash, 406, 415), for what (404), and
whether it may (403). What a reader sees is said by `comity.node.taxii`; here it is only put into envelopes, bytes as they stand.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, Final

import msgspec
from litestar import Request, Response, Router, delete, get, post
from litestar.params import FromPath, RawBody

from comity.faces.http.config import AppConfig
from comity.faces.http.tokens import reader
from comity.faces.taxii.media import MEDIA_TYPE, STIX, check_accept, check_content_type
from comity.faces.taxii.query import parameters, read_limit, read_query
from comity.kernel.errors import InputRefused, NotAllowed, NotFound, RequestRefused
from comity.kernel.model import bundle
from comity.kernel.model.instants import format
from comity.kernel.store.ports import Reading
from comity.kernel.store.rows import Reader
from comity.node.context import Node
from comity.node.parties import name_of
from comity.node.submissions import enrol, remove, status_of, submit
from comity.node.taxii import (
    OWN,
    Entries,
    Query,
    TaxiiCollection,
    collections_of,
    need_collection,
    need_object,
    page,
    read_cursor,
    write_cursor,
)

ROOT: Final = "/taxii2/api/"
PAGED: Final = ("added_after", "limit", "next")
FILTERS: Final = (*PAGED, "match[id]", "match[type]", "match[version]", "match[spec_version]")
OF_OBJECT: Final = (*PAGED, "match[version]", "match[spec_version]")
OF_VERSIONS: Final = (*PAGED, "match[spec_version]")
OF_DELETE: Final = ("match[version]", "match[spec_version]")

Asked = Request[Any, Any, Any]


class _Envelope(msgspec.Struct):
    objects: list[msgspec.Raw] = msgspec.field(default_factory=list)
    type: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET


def taxii_router(node: Node, config: AppConfig) -> Router:
    """The routes of one node."""
    face = _Face(node, config)

    @get("/", sync_to_thread=True, include_in_schema=False)
    def discovery(request: Asked) -> Response[bytes]:
        return face.discovery(request)

    @get("/api", sync_to_thread=True, include_in_schema=False)
    def api_root(request: Asked) -> Response[bytes]:
        return face.api_root(request)

    @get("/api/status/{name:str}", sync_to_thread=True, include_in_schema=False)
    def status(request: Asked, name: FromPath[str]) -> Response[bytes]:
        return face.status(request, name)

    @get("/api/collections", sync_to_thread=True, include_in_schema=False)
    def collections(request: Asked) -> Response[bytes]:
        return face.collections(request)

    @get("/api/collections/{name:str}", sync_to_thread=True, include_in_schema=False)
    def collection(request: Asked, name: FromPath[str]) -> Response[bytes]:
        return face.collection(request, name)

    @get("/api/collections/{name:str}/manifest", sync_to_thread=True, include_in_schema=False)
    def manifest(request: Asked, name: FromPath[str]) -> Response[bytes]:
        return face.manifest(request, name)

    @get("/api/collections/{name:str}/objects", sync_to_thread=True, include_in_schema=False)
    def objects(request: Asked, name: FromPath[str]) -> Response[bytes]:
        return face.objects(request, name)

    @post("/api/collections/{name:str}/objects", status_code=202, sync_to_thread=True, include_in_schema=False)
    def add(request: Asked, name: FromPath[str], body: RawBody) -> Response[bytes]:
        return face.add(request, name, body)

    @get("/api/collections/{name:str}/objects/{object_id:str}", sync_to_thread=True, include_in_schema=False)
    def one(request: Asked, name: FromPath[str], object_id: FromPath[str]) -> Response[bytes]:
        return face.one(request, name, object_id)

    @delete(
        "/api/collections/{name:str}/objects/{object_id:str}",
        status_code=200,
        sync_to_thread=True,
        include_in_schema=False,
    )
    def take_out(request: Asked, name: FromPath[str], object_id: FromPath[str]) -> Response[bytes]:
        return face.take_out(request, name, object_id)

    @get("/api/collections/{name:str}/objects/{object_id:str}/versions", sync_to_thread=True, include_in_schema=False)
    def versions(request: Asked, name: FromPath[str], object_id: FromPath[str]) -> Response[bytes]:
        return face.versions(request, name, object_id)

    handlers = [discovery, api_root, status, collections, collection, manifest, objects, add, one, take_out, versions]
    return Router("/taxii2", route_handlers=handlers)


class _Face:
    """What the routes of one node do."""

    def __init__(self, node: Node, config: AppConfig) -> None:
        self.node = node
        self.config = config

    # --- who asks, and for what

    def _enter(self, tx: Reading, request: Asked) -> Reader:
        asker = reader(tx, request)
        path = request.scope.get("raw_path") or request.scope["path"].encode()
        if not path.endswith(b"/") or b"//" in path:
            raise NotFound("no-such-page", "There is nothing at this address.", clause="TAXII 2.1 §1.6.3")
        check_accept(request.headers.get("accept"))
        return asker

    def _collection(self, asker: Reader, name: str) -> TaxiiCollection:
        return need_collection(self.node.party, asker.party, name)

    def _page(
        self, tx: Reading, asker: Reader, alias: str, query: Query, found: dict[str, str], kind: str
    ) -> tuple[Entries, str | None]:
        """A page and the cursor behind it."""
        scope = [alias, kind, *query.scope()]
        after = read_cursor(self.node, asker.party, scope, found["next"]) if "next" in found else None
        entries = page(self.node, tx, asker.party, alias, query, limit=read_limit(found), after=after)
        behind = entries.entries[-1].added if entries.more else None
        return entries, None if behind is None else write_cursor(self.node, asker.party, scope, behind)

    @contextmanager
    def _reading(self, request: Asked, name: str) -> Iterator[tuple[Reading, Reader, str]]:
        """A snapshot, who asks, and the alias of the collection; `own` is first brought up to date."""
        with self.node.store.read() as tx:
            asker = self._enter(tx, request)
            alias = self._collection(asker, name).alias
            if alias != OWN:
                yield tx, asker, alias
                return
        enrol(self.node)
        with self.node.store.read() as tx:
            yield tx, asker, alias

    # --- server and API root

    def discovery(self, request: Asked) -> Response[bytes]:
        with self.node.store.read() as tx:
            self._enter(tx, request)
            name = name_of(tx, self.node.party, apart=False)
        root = self.config.base_url + ROOT
        about = "What is given here follows from agreements; every object is decided for every reader."
        return _json({"title": f"Comity node of {name}", "description": about, "default": root, "api_roots": [root]})

    def api_root(self, request: Asked) -> Response[bytes]:
        with self.node.store.read() as tx:
            self._enter(tx, request)
        return _json({"title": "Comity", "versions": [MEDIA_TYPE], "max_content_length": self.config.max_body})

    def status(self, request: Asked, name: str) -> Response[bytes]:
        with self.node.store.read() as tx:
            return _response(status_of(tx, self._enter(tx, request).party, name))

    def collections(self, request: Asked) -> Response[bytes]:
        with self.node.store.read() as tx:
            asker = self._enter(tx, request)
        return _json({"collections": [_described(one) for one in collections_of(self.node.party, asker.party)]})

    def collection(self, request: Asked, name: str) -> Response[bytes]:
        with self.node.store.read() as tx:
            return _json(_described(self._collection(self._enter(tx, request), name)))

    # --- objects

    def objects(self, request: Asked, name: str) -> Response[bytes]:
        with self._reading(request, name) as (tx, asker, alias):
            found = parameters(request, FILTERS)
            entries, behind = self._page(tx, asker, alias, read_query(found), found, "objects")
        return _envelope(entries, behind)

    def manifest(self, request: Asked, name: str) -> Response[bytes]:
        with self._reading(request, name) as (tx, asker, alias):
            found = parameters(request, FILTERS)
            entries, behind = self._page(tx, asker, alias, read_query(found), found, "manifest")
        records = [
            {"id": one.object, "date_added": format(one.added), "version": format(one.version), "media_type": STIX}
            for one in entries.entries
        ]
        return _listed("objects", records, entries, behind)

    def one(self, request: Asked, name: str, object_id: str) -> Response[bytes]:
        with self._reading(request, name) as (tx, asker, alias):
            found = parameters(request, OF_OBJECT)
            query = replace(read_query(found), ids=frozenset({object_id}))
            entries, behind = self._page(tx, asker, alias, query, found, "object")
            if not entries.entries:
                need_object(self.node, tx, asker.party, alias, object_id)
        return _envelope(entries, behind)

    def versions(self, request: Asked, name: str, object_id: str) -> Response[bytes]:
        with self._reading(request, name) as (tx, asker, alias):
            found = parameters(request, OF_VERSIONS)
            need_object(self.node, tx, asker.party, alias, object_id)
            query = replace(read_query(found, versions="all"), ids=frozenset({object_id}))
            entries, behind = self._page(tx, asker, alias, query, found, "versions")
        return _listed("versions", list(dict.fromkeys(format(one.version) for one in entries.entries)), entries, behind)

    def add(self, request: Asked, name: str, body: bytes) -> Response[bytes]:
        with self.node.store.read() as tx:
            asker = self._enter(tx, request)
            check_content_type(request.headers.get("content-type"))
            chosen = self._collection(asker, name)
        _need_writing(chosen)
        return _json(submit(self.node, asker, chosen.alias, _objects(body)), status=202)

    def take_out(self, request: Asked, name: str, object_id: str) -> Response[bytes]:
        with self.node.store.read() as tx:
            asker = self._enter(tx, request)
            chosen = self._collection(asker, name)
            query = read_query(parameters(request, OF_DELETE), versions="all")
        _need_writing(chosen)
        versions = query.versions if query.known_spec else frozenset[Any]()
        remove(self.node, asker.party, chosen.alias, object_id, versions)
        return _response(b"{}")


def _need_writing(chosen: TaxiiCollection) -> None:
    if not chosen.can_write:
        raise NotAllowed("collection-read-only", "Nothing can be put into or taken out of this collection; use inbox.")


def _objects(body: bytes) -> Sequence[bytes]:
    """The exact bytes of each object of an envelope (TAXII 2.1 §3.7).

    Raises:
        RequestRefused: `taxii-envelope`.
    """
    try:
        head = msgspec.json.decode(body, type=_Envelope)
        slices = list(bundle.walk(io.BytesIO(body).read))
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, InputRefused) as broken:
        raise _no_envelope() from broken
    if head.type is not msgspec.UNSET or not slices or len(slices) != len(head.objects):
        raise _no_envelope()
    if any(one.fault is not None or one.raw[:1] != b"{" for one in slices):
        raise _no_envelope()
    return [one.raw for one in slices]


def _no_envelope() -> RequestRefused:
    return RequestRefused(
        "taxii-envelope", 'Send a TAXII envelope: {"objects": [...]} with one or more objects.', clause="TAXII 2.1 §3.7"
    )


# --- answers


def _described(one: TaxiiCollection) -> dict[str, Any]:
    return {
        "id": one.id,
        "title": one.title,
        "description": one.description,
        "alias": one.alias,
        "can_read": one.can_read,
        "can_write": one.can_write,
        "media_types": [STIX],
    }


def _envelope(entries: Entries, behind: str | None) -> Response[bytes]:
    """An envelope around the bytes of the objects; nothing is decoded and written again."""
    if not entries.entries:
        return _response(b"{}")
    tail = b"" if behind is None else b'"more":true,"next":"' + behind.encode() + b'",'
    content = b"".join((b"{", tail, b'"objects":[', b",".join([one.raw for one in entries.entries]), b"]}"))
    return _response(content, headers=_added(entries))


def _listed(name: str, records: list[Any], entries: Entries, behind: str | None) -> Response[bytes]:
    if not records:
        return _response(b"{}")
    shape: dict[str, Any] = {} if behind is None else {"more": True, "next": behind}
    return _response(msgspec.json.encode({**shape, name: records}), headers=_added(entries))


def _added(entries: Entries) -> dict[str, str]:
    """TAXII 2.1 §3.5: when the first and the last of the page were added."""
    first, last = entries.entries[0].added, entries.entries[-1].added
    return {"X-TAXII-Date-Added-First": format(first), "X-TAXII-Date-Added-Last": format(last)}


def _json(shape: Any, *, status: int = 200) -> Response[bytes]:
    return _response(msgspec.json.encode(shape), status=status)


def _response(content: bytes, *, status: int = 200, headers: dict[str, str] | None = None) -> Response[bytes]:
    return Response(content, status_code=status, media_type=MEDIA_TYPE, headers=headers or {})
