"""The exchange over HTTPS: signed requests of known parties under ``/comity/1/``, each answer signed for its question.

A request that is unsigned, or signed by a key no known card lists, gets the answer of an address that does not exist: a stranger
cannot tell what is served here, nor that it is refused. To a known party every answer is signed, refusals too
(docs/formats/exchange.md, Carriers, Signed requests).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

import msgspec
from litestar import Request, Response, Router, get, post
from litestar.params import FromPath, RawBody

from comity.faces.http.config import AppConfig, Carrier
from comity.faces.http.errors import JSON, LOG, shape_of, status_of
from comity.kernel.errors import ComityError, NotFound, PeerFault, RequestRefused
from comity.kernel.exchange.messages import MEDIA_TYPE, decode, encode
from comity.kernel.exchange.session import answer
from comity.kernel.seal.canonical import canonical
from comity.kernel.seal.keys import PublicKey
from comity.kernel.store.rows import Party
from comity.kernel.tlog.tiles import parse_tile_path
from comity.node.attachments.giving import give
from comity.node.context import Node
from comity.node.exchange import NodeSide
from comity.node.gossip import known_size
from comity.node.nonces import use_nonce
from comity.node.parties import card_file, node_keys
from comity.node.quotas import check_failures, count_failed
from comity.node.record import StoredTiles, log_facts, newest_checkpoint, proof_of

PREFIX: Final = "/comity/1"
STRANGE: Final = frozenset({"request-signature", "request-key"})
"""Refusals of which the asker cannot be told, because nobody knows who it is."""

Asked = Request[Any, Any, Any]
Work = Callable[[str], bytes]


def exchange_router(node: Node, config: AppConfig, carrier: Carrier) -> Router:
    """The routes of one node."""
    desk = _Desk(node, config, carrier)

    # one handler a path: a handler of two paths is wrapped for its thread twice, and answers with a coroutine
    @post("/control", status_code=200, sync_to_thread=True, include_in_schema=False)
    def control(request: Asked, body: RawBody) -> Response[bytes]:
        return desk.serve(request, body, partial(desk.turn, request.headers.get("content-type", ""), body))

    @post("/objects", status_code=200, sync_to_thread=True, include_in_schema=False)
    def objects(request: Asked, body: RawBody) -> Response[bytes]:
        return desk.serve(request, body, partial(desk.turn, request.headers.get("content-type", ""), body))

    @get("/card", sync_to_thread=True, include_in_schema=False)
    def card(request: Asked) -> Response[bytes]:
        return desk.serve(request, b"", lambda _: desk.card())

    @get("/checkpoint", sync_to_thread=True, include_in_schema=False)
    def checkpoint(request: Asked) -> Response[bytes]:
        return desk.serve(request, b"", lambda _: desk.checkpoint())

    @get("/proof/{act:str}", sync_to_thread=True, include_in_schema=False)
    def proof(request: Asked, act: FromPath[str]) -> Response[bytes]:
        return desk.serve(request, b"", lambda party: desk.proof(act, party))

    @get("/tile/{path:path}", sync_to_thread=True, include_in_schema=False)
    def tile(request: Asked, path: FromPath[str]) -> Response[bytes]:
        return desk.serve(request, b"", lambda _: desk.tile(str(path)))

    @post("/attachment", status_code=200, sync_to_thread=True, include_in_schema=False)
    def attachment(request: Asked, body: RawBody) -> Response[bytes]:
        return desk.serve(request, body, lambda party: give(node, party, body))

    return Router(PREFIX, route_handlers=[control, objects, card, checkpoint, proof, tile, attachment])


@dataclass(slots=True)
class _Keys:
    """Looks up whose key signed; remembers the party it found."""

    node: Node
    known: dict[str, str]
    party: str | None = None

    def __call__(self, keyid: str) -> PublicKey | None:
        with self.node.store.read() as tx:
            for party in dict.fromkeys([self.known.get(keyid), *(row.id for row in tx.find(Party))]):
                key = None if party is None else node_keys(tx, party, self.node.clock()).get(keyid)
                if key is not None and party is not None and party != self.node.party:
                    self.party = self.known[keyid] = party
                    return key
        return None


@dataclass(slots=True)
class _Desk:
    """What the routes of one node do. `_known` remembers which party a key is of; each use is checked anew."""

    node: Node
    config: AppConfig
    carrier: Carrier
    _known: dict[str, str] = field(default_factory=dict)

    def serve(self, request: Asked, body: bytes, work: Work) -> Response[bytes]:
        """Verify, work, sign."""
        keys, headers = _Keys(self.node, self._known), dict(request.headers.items())
        used = partial(use_nonce, self.node)
        try:
            self.carrier.verify_request(
                request.method,
                self._target(request),
                headers,
                body,
                keys,
                now=self.node.clock(),
                used=used,
                our_party=self.node.party,
            )
        except RequestRefused as refused:
            if refused.code in STRANGE or keys.party is None:
                raise NotFound("no-such-page", "There is nothing at this address.") from refused
            return self._signed(keys.party, headers, status_of(refused), msgspec.json.encode(shape_of(refused)))
        assert keys.party is not None, "a verified request has a signer"
        return self._signed(keys.party, headers, *self._done(work, keys.party))

    def _done(self, work: Work, party: str) -> tuple[int, bytes]:
        try:
            check_failures(self.node, party)
            return 200, work(party)
        except ComityError as broken:
            if isinstance(broken, PeerFault):
                count_failed(self.node, party)
            return status_of(broken), msgspec.json.encode(shape_of(broken))
        except Exception as unforeseen:
            LOG.error("unforeseen", exc_info=unforeseen)
            told = {"code": "internal", "sentence": "The node met a fault of its own; its log says what happened."}
            return 500, msgspec.json.encode(told)

    def _target(self, request: Asked) -> str:
        """The URL as the sender called it."""
        base = self.config.base_url or f"{'https' if self.config.tls else 'http'}://{request.headers.get('host', '')}"
        path = request.scope.get("raw_path") or request.scope["path"].encode()
        query = request.scope.get("query_string", b"")
        return base + path.decode("latin-1") + (f"?{query.decode('latin-1')}" if query else "")

    def _signed(self, party: str, headers: dict[str, str], status: int, content: bytes) -> Response[bytes]:
        nonce = self.carrier.nonce_of(headers) or ""
        signed = self.carrier.sign_response(
            self.node.keys.node, status, content, to=party, nonce=nonce, now=self.node.clock()
        )
        return Response(content, status_code=status, media_type=MEDIA_TYPE if status == 200 else JSON, headers=signed)

    # --- the work

    def turn(self, content_type: str, body: bytes, party: str) -> bytes:
        """Answer a turn."""
        if content_type.partition(";")[0].strip().lower() != MEDIA_TYPE:
            raise RequestRefused("content-type", f"Say Content-Type: {MEDIA_TYPE}.")
        return encode(answer(NodeSide(self.node), party, decode(body)))

    def card(self) -> bytes:
        """Our cards from the first on."""
        with self.node.store.read() as tx:
            return card_file(tx, self.node.party)

    def checkpoint(self) -> bytes:
        """Our newest checkpoint."""
        with self.node.store.read() as tx:
            newest = newest_checkpoint(tx)
        if newest is None:
            raise NotFound("no-checkpoint", "The log has no checkpoint yet; ask again when its first tick is over.")
        return newest.note

    def proof(self, act: str, party: str) -> bytes:
        """What proves an act, from the size of our log that the party holds."""
        with self.node.store.read() as tx:
            known = known_size(tx, party, log_facts(tx).origin)
            return canonical(proof_of(self.node, tx, act, known))

    def tile(self, path: str) -> bytes:
        """Hashes of a tile."""
        level, index, width = parse_tile_path(f"tile/{path.strip('/')}")
        with self.node.store.read() as tx:
            return StoredTiles(tx).read_tile(level, index, width)
