"""REST over other nodes: how they are reached, contacts, packs carried by hand, TAXII servers of others."""

from __future__ import annotations

import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import msgspec
from litestar import Response, get, post
from litestar.params import FromPath, JSONBody, RawBody

from comity.faces.api.desk import FILE, Asked, Desk, answers_with
from comity.kernel.errors import ComityError
from comity.kernel.release.vocabulary import KINDS
from comity.node.contact import call_peer, contact, ping, reachable, take_pack, taken_of_pack, turns_for
from comity.node.parties import need_card, resolve_party
from comity.node.quotas import set_limits
from comity.node.readers import add_plain_reader, never
from comity.node.restoring import resume
from comity.node.servers import plain_party, pull, push
from comity.node.stating import country_code, handling_of, one_of
from comity.node.telling import peers


class Address(msgspec.Struct, forbid_unknown_fields=True):
    """A party, and the address under which it is called from here; an empty one goes back to its card."""

    party: str
    url: str | None = None


class PlainParty(msgspec.Struct, forbid_unknown_fields=True):
    """A party that runs no node and reads over TAXII."""

    name: str
    country: str
    kind: str = "other"


class Reached(msgspec.Struct, forbid_unknown_fields=True):
    """How far a party is with what we sent, as `comity peer list` shows there: rows and papers it has taken."""

    rows: int
    items: int


class Whom(msgspec.Struct, forbid_unknown_fields=True):
    """A party; None where all are meant that can be called."""

    party: str | None = None


class Carried(msgspec.Struct, forbid_unknown_fields=True):
    """The party a pack is for."""

    to: str


class Server(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """A TAXII 2.1 server, how it is entered, and which of its collections is meant."""

    url: str
    collection: str | None = None
    scheme: str = "Bearer"
    user: str = ""
    secret: str = ""
    allow_private: bool = False
    pin: str | None = None
    again: bool = False


class Pulling(Server, forbid_unknown_fields=True, kw_only=True):
    """A server to take in from, and what is stated of what it has."""

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


class Pushing(Server, forbid_unknown_fields=True, kw_only=True):
    """A server to post to, and the party whose server it is."""

    to: str


def peer_handlers(desk: Desk) -> list[Any]:
    """The handlers of one node."""
    return [*_known(desk), *_exchange(desk), *_servers(desk)]


def _known(desk: Desk) -> list[Any]:
    node = desk.node

    @get("/peers", sync_to_thread=True, summary="How each party is reached", tags=["peers"])
    def listed(request: Asked) -> dict[str, Any]:
        """And how far we are with it."""
        with desk.reading(request) as tx:
            return {"peers": peers(tx, node.party)}

    @post("/peers", status_code=200, sync_to_thread=True, summary="Note how a peer is called", tags=["peers"])
    def called(request: Asked, data: JSONBody[Address]) -> dict[str, Any]:
        """In place of the address in its card; the TLS key of the card stays."""
        return call_peer(node, data.party, data.url, officer=desk.by(request, "administer"))

    @post("/peers/plain", status_code=200, sync_to_thread=True, summary="A party without a node", tags=["peers"])
    def plain(request: Asked, data: JSONBody[PlainParty]) -> dict[str, Any]:
        """It reads over TAXII; the token stands in this answer and nowhere else."""
        by = desk.by(request, "administer")
        one_of(data.kind, KINDS, "kind", "request-parameter")
        country_code(data.country, "country")
        row, token = add_plain_reader(node, data.name, kind=data.kind, country=data.country, officer=by)
        return {"party": row.id, "name": row.name, "token": token, "never": never(node)}

    @post("/peers/{party:str}/limits", status_code=200, sync_to_thread=True, summary="What it may send", tags=["peers"])
    def limited(request: Asked, party: FromPath[str], data: JSONBody[dict[str, int]]) -> dict[str, Any]:
        """In a day, by the name of each quota, and what it sent today; what is left out stays, 0 goes back to what is usual."""
        return set_limits(node, party, data, officer=desk.by(request, "administer"))

    @post(
        "/peers/{party:str}/resume",
        status_code=200,
        sync_to_thread=True,
        summary="Go on with it after a restore",
        tags=["peers"],
    )
    def resumed(request: Asked, party: FromPath[str], data: JSONBody[Reached]) -> dict[str, Any]:
        """By the word of its officer how far it is, where nothing comes back from it."""
        by = desk.by(request, "administer")
        return resume(node, party, items=data.items, rows=data.rows, officer=by)

    @post("/peers/{party:str}/ping", status_code=200, sync_to_thread=True, summary="Ask a peer", tags=["peers"])
    def asked(request: Asked, party: FromPath[str]) -> dict[str, Any]:
        """For its card and checkpoint; nothing is exchanged."""
        desk.by(request)
        return ping(node, party, desk.outside().connect, time.monotonic)

    return [listed, called, plain, limited, resumed, asked]


def _exchange(desk: Desk) -> list[Any]:
    node = desk.node

    @post("/sync", status_code=200, sync_to_thread=True, summary="Exchange now", tags=["peers"])
    def synced(request: Asked, data: JSONBody[Whom]) -> dict[str, Any]:
        """With one peer or all that can be called, in both directions; what fails with one delays no other."""
        desk.by(request, "take in")
        done: list[dict[str, Any]] = []
        failed: list[dict[str, Any]] = []
        for party, _ in reachable(node, data.party):
            try:
                done.append(contact(node, party, desk.outside().connect).as_json())
            except ComityError as fault:
                failed.append({"party": party, **fault.as_json()})
        return {
            "contacts": done,
            "delivered": sum(one["delivered"] for one in done),
            "taken": sum(one["taken"] for one in done),
            "failed": failed,
        }

    @post(
        "/packs",
        status_code=200,
        sync_to_thread=True,
        summary="All that is due to a party as a file",
        tags=["peers"],
        responses=answers_with(bytes, "application/octet-stream"),
    )
    def packed(request: Asked, data: JSONBody[Carried]) -> Response[bytes]:
        """Only that party can read it; nothing counts as delivered until its answer is back."""
        desk.by(request, "take in")
        with node.store.read() as tx:
            card = need_card(tx, resolve_party(tx, data.to).id)
        with TemporaryDirectory() as folder:
            written = desk.outside().write_pack(
                desk.home(), card, turns_for(node, card.party), Path(folder) / "pack", None
            )
            return Response(written[0].read_bytes(), media_type="application/octet-stream")

    @post(
        "/packs/taken",
        status_code=200,
        sync_to_thread=True,
        opt=FILE,
        summary="Take in a pack that was carried by hand",
        tags=["peers"],
    )
    def unpacked(request: Asked, body: RawBody) -> dict[str, Any]:
        """The body is the file, of a pack that was not split. What was taken before is passed over."""
        desk.by(request, "take in")
        with TemporaryDirectory() as folder:
            file = Path(folder) / "pack"
            file.write_bytes(body)
            read = desk.outside().read_pack(desk.home(), [file], lambda pack: taken_of_pack(node, pack))
            return take_pack(node, read, lambda done: None)

    return [synced, packed, unpacked]


def _servers(desk: Desk) -> list[Any]:
    node = desk.node

    def client(data: Server) -> Any:
        one_of(data.scheme, ("Bearer", "Token", "Basic"), "scheme", "request-parameter")
        scheme = "Basic" if data.user else data.scheme
        return desk.outside().taxii(data.url, scheme, data.secret, data.user, data.allow_private, data.pin)

    @post("/peers/pull", status_code=200, sync_to_thread=True, summary="Take in from a TAXII server", tags=["peers"])
    def pulled(request: Asked, data: JSONBody[Pulling]) -> dict[str, Any]:
        """From where the last pull ended; where it breaks off, code and sentence stand beside the counts."""
        by = desk.by(request, "take in")
        said = {name: value for name, value in msgspec.structs.asdict(data).items() if name not in _OF_SERVER}
        handling = handling_of(said, node.clock())
        server = client(data)
        try:
            return pull(
                node,
                server,
                data.collection,
                opened=desk.outside().open_source,
                handling=handling,
                officer=by,
                again=data.again,
            )[0]
        finally:
            server.close()

    @post("/peers/push", status_code=200, sync_to_thread=True, summary="Post to a party's TAXII server", tags=["peers"])
    def pushed(request: Asked, data: JSONBody[Pushing]) -> dict[str, Any]:
        """Exactly what a party without a node was given, in its views."""
        acts, _ = desk.acting(request, "peer push")
        row = plain_party(node, data.to)
        server = client(data)
        try:
            return push(acts, server, row.id, data.collection, wait=_pause, again=data.again)[0]
        finally:
            server.close()

    return [pulled, pushed]


_OF_SERVER = frozenset(Server.__struct_fields__)


def _pause(number: int) -> None:
    time.sleep(min(0.1 * 2**number, 5.0))
