"""Asks everything a reader can ask of Team A's node: over its conversation, over every route of the real application, and of the
functions behind `search`, `export --to` and `why`.

`ROUTES` has one row for each route of the application, `SAID` one for each part of the conversation's messages, `CALLS` one for
each function that answers for a party. Each is asked by whoever may try: with the reader's token, with its node's signature, with
nothing at all; for ids that exist, that are hidden, and that are nowhere.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import quote

import httpx
import msgspec
from litestar import Litestar

from comity.adapters.http.signing import sign_request
from comity.desks import desks
from comity.faces.http.app import create_app
from comity.kernel.errors import ComityError
from comity.kernel.exchange import attachments
from comity.kernel.exchange.attachments import encode_ask
from comity.kernel.exchange.messages import MEDIA_TYPE, decode, encode
from comity.kernel.exchange.session import Session
from comity.kernel.release.explain import as_json, sentence
from comity.kernel.tlog.acts import act_digest
from comity.node.exchange import NodeSide
from comity.node.export import given_objects
from comity.node.officers import add_reader
from comity.node.search import search
from comity.node.why import why
from property.histories import NAMES, A, B, History, Played, Take
from simulators.teams import config

TAXII = "application/taxii+json;version=2.1"
BASE = "http://127.0.0.1:8450"


@dataclass(frozen=True)
class Ask:
    """One request: by a token, by a signature of the reader's node, or by nobody."""

    path: str
    who: str = "token"
    body: bytes = b""
    content_type: str = ""
    accept: str = ""


@dataclass
class Probe:
    """What the reader knows to ask for; the same for both worlds, but for what it learnt itself."""

    ids: list[str]
    raws: list[bytes]
    agreements: list[str]
    parties: list[str]
    acts: list[str]
    turn: bytes
    statuses: list[str] = field(default_factory=list)


Row = Callable[[Probe], list[Ask]]


def _as(*paths: str, signed: bool = False, accept: str = "") -> Row:
    """Ask these paths: with the reader's right and with none."""
    who = ("signature", "nobody") if signed else ("token", "nobody")
    return lambda probe: [Ask(path, one, accept=accept) for path in paths for one in who]


def _each(
    template: str, names: Callable[[Probe], list[str]], *, signed: bool = False, query: str = "", accept: str = ""
) -> Row:
    """Ask a path for each of some names."""

    def asks(probe: Probe) -> list[Ask]:
        who = ("signature", "nobody") if signed else ("token", "nobody")
        paths = [template.replace("{}", quote(name, safe="")) + query for name in names(probe)]
        return [Ask(path, one, accept=accept) for path in paths for one in who]

    return asks


def _posted(*paths: str) -> Row:
    """A deed that is none of a reader's: tried with a body that would do it."""
    return lambda probe: [
        Ask(path, who, json.dumps({"object": one, "party": B}).encode(), "application/json")
        for path in paths
        for one in probe.ids[:2]
        for who in ("token", "nobody")
    ]


def _each_posted(template: str) -> Row:
    """A deed at the address of an object."""
    return lambda probe: [
        Ask(template.replace("{}", quote(one)), who, b"{}", "application/json")
        for one in _ids(probe)
        for who in ("token", "nobody")
    ]


def _ids(probe: Probe) -> list[str]:
    return [*probe.ids, "indicator--00000000-0000-4000-8000-0000000000ff", "indicator--x"]


def _collections(probe: Probe) -> list[str]:
    return ["outbox", "inbox", "own", "nowhere"]


def _in_collections(tail: str, *queries: str) -> Row:
    def asks(probe: Probe) -> list[Ask]:
        many = [*queries, f"?match[id]={','.join(probe.ids)}&match[version]=all"] if queries else [""]
        return [
            Ask(f"/taxii2/api/collections/{name}{tail}{query}", who, accept=TAXII)
            for name in _collections(probe)
            for query in many
            for who in (("token", "nobody") if not query else ("token",))
        ]

    return asks


def _objects_in_collections(tail: str = "") -> Row:
    return lambda probe: [
        Ask(f"/taxii2/api/collections/{name}/objects/{one}/{tail}", accept=TAXII)
        for name in ("outbox", "inbox", "own")
        for one in _ids(probe)
    ]


_QUERIES = (
    "",
    "?limit=1",
    "?match[version]=all",
    "?match[version]=first",
    "?match[type]=malware,report",
    "?added_after=2021-03-05T13:00:00Z",
)


def _inbox(probe: Probe) -> list[Ask]:
    envelope = b'{"objects": [' + b", ".join(probe.raws) + b"]}"
    return [
        Ask("/taxii2/api/collections/inbox/objects/", "token", envelope, TAXII, TAXII),
        Ask("/taxii2/api/collections/outbox/objects/", "token", envelope, TAXII, TAXII),
        Ask("/taxii2/api/collections/own/objects/", "token", envelope, TAXII, TAXII),
        Ask("/taxii2/api/collections/inbox/objects/", "nobody", envelope, TAXII, TAXII),
        Ask("/taxii2/api/collections/inbox/objects/", "token", b'{"objects": [{}]}', TAXII, TAXII),
    ]


def _turns(path: str) -> Row:
    return lambda probe: [
        Ask(path, "signature", probe.turn, MEDIA_TYPE),
        Ask(path, "signature", b"{}", MEDIA_TYPE),
        Ask(path, "nobody", probe.turn, MEDIA_TYPE),
    ]


def _files(path: str) -> Row:
    """Bytes of a file, asked for by the id of an artifact, or of what is none."""

    def asks(probe: Probe) -> list[Ask]:
        named = [f"artifact--{one.partition('--')[2]}" for one in probe.ids]
        bodies = [encode_ask(attachments.Ask(one, "0" * 64, "1" * 64, 0, 1)) for one in named]
        return [
            Ask(path, who, body, attachments.MEDIA_TYPE) for body in (*bodies, b"{}") for who in ("signature", "nobody")
        ]

    return asks


ROUTES: dict[str, Row] = {
    "GET /health": _as("/health"),
    "GET /taxii2": _as("/taxii2/", accept=TAXII),
    "GET /taxii2/api": _as("/taxii2/api/", accept=TAXII),
    "GET /taxii2/api/collections": _as("/taxii2/api/collections/", accept=TAXII),
    "GET /taxii2/api/collections/{name:str}": _in_collections("/"),
    "GET /taxii2/api/collections/{name:str}/manifest": _in_collections("/manifest/", *_QUERIES),
    "GET /taxii2/api/collections/{name:str}/objects": _in_collections("/objects/", *_QUERIES),
    "GET /taxii2/api/collections/{name:str}/objects/{object_id:str}": _objects_in_collections(),
    "GET /taxii2/api/collections/{name:str}/objects/{object_id:str}/versions": _objects_in_collections("versions/"),
    "DELETE /taxii2/api/collections/{name:str}/objects/{object_id:str}": _objects_in_collections(),
    "GET /comity/1/card": _as("/comity/1/card", signed=True),
    "GET /comity/1/checkpoint": _as("/comity/1/checkpoint", signed=True),
    "POST /comity/1/control": _turns("/comity/1/control"),
    "POST /comity/1/objects": _turns("/comity/1/objects"),
    "POST /comity/1/attachment": _files("/comity/1/attachment"),
    "GET /comity/1/public": _as("/comity/1/public", "/comity/1/public?after=x", signed=True),
    "GET /comity/1/public/{object_id:str}": _each("/comity/1/public/{}", _ids, signed=True),
    "GET /comity/1/proof/{act:str}": _each("/comity/1/proof/{}", lambda probe: [*probe.acts, "0" * 64], signed=True),
    "GET /comity/1/tile/{path:path}": _each(
        "/comity/1/tile/{}", lambda probe: ["0/000.p/1", "0/000.p/3", "0/000", "1/000", "x"], signed=True
    ),
    "GET /api/v1/openapi.json": _as("/api/v1/openapi.json"),
    "GET /api/v1/status": _as("/api/v1/status"),
    "GET /api/v1/objects": _as("/api/v1/objects", "/api/v1/objects?limit=1"),
    "POST /api/v1/objects": _posted("/api/v1/objects"),
    "GET /api/v1/objects/{object_id:str}": _each("/api/v1/objects/{}", _ids),
    "GET /api/v1/search": _as("/api/v1/search?text=198.51.100", "/api/v1/search?text=indicator--"),
    "GET /api/v1/export": _as("/api/v1/export", f"/api/v1/export?to={quote(B)}"),
    "GET /api/v1/handling": _each("/api/v1/handling?object={}", _ids),
    "POST /api/v1/handling": _posted("/api/v1/handling"),
    "GET /api/v1/why": _each("/api/v1/why?object={}", _ids, query=f"&party={quote(B)}"),
    "GET /api/v1/release/preview": _as(f"/api/v1/release/preview?party={quote(B)}"),
    "GET /api/v1/release/requests": _as(f"/api/v1/release/requests?party={quote(B)}"),
    "POST /api/v1/release/approve": _posted("/api/v1/release/approve"),
    "GET /api/v1/outbox": _as("/api/v1/outbox"),
    "POST /api/v1/outbox/{party:str}/retry": _posted(f"/api/v1/outbox/{quote(B)}/retry"),
    "GET /api/v1/account": _as("/api/v1/account"),
    "GET /api/v1/account/imports": _as("/api/v1/account/imports"),
    "GET /api/v1/account/received": _as("/api/v1/account/received"),
    "GET /api/v1/doctor": _as("/api/v1/doctor"),
    "GET /api/v1/log": _as("/api/v1/log"),
    "GET /api/v1/log/promises": _as("/api/v1/log/promises"),
    "POST /api/v1/log/promises/{party:str}/proofs": _posted(f"/api/v1/log/promises/{quote(B)}/proofs"),
    "GET /api/v1/log/deliveries/{object_id:str}": _each("/api/v1/log/deliveries/{}", _ids, query=f"?party={quote(B)}"),
    "POST /api/v1/log/openings/{act:str}": _posted(f"/api/v1/log/openings/{'0' * 64}"),
    "GET /api/v1/log/checkpoint": _as("/api/v1/log/checkpoint"),
    "GET /api/v1/log/proof/{act:str}": _each("/api/v1/log/proof/{}", lambda probe: [*probe.acts[:2], "0" * 64]),
    "GET /api/v1/agreements": _as("/api/v1/agreements"),
    "POST /api/v1/agreements": _posted("/api/v1/agreements"),
    "POST /api/v1/agreements/draft": _posted("/api/v1/agreements/draft"),
    "POST /api/v1/agreements/preview": _posted("/api/v1/agreements/preview"),
    "POST /api/v1/agreements/lint": _posted("/api/v1/agreements/lint"),
    "POST /api/v1/agreements/diff": _posted("/api/v1/agreements/diff"),
    "GET /api/v1/agreements/{name:str}/lint": _each("/api/v1/agreements/{}/lint", lambda probe: probe.agreements),
    "GET /api/v1/agreements/{name:str}": _each("/api/v1/agreements/{}", lambda probe: probe.agreements),
    "GET /api/v1/agreements/{name:str}/text": _each("/api/v1/agreements/{}/text", lambda probe: probe.agreements),
    "GET /api/v1/agreements/{name:str}/preview": _each("/api/v1/agreements/{}/preview", lambda probe: probe.agreements),
    **{
        f"POST /api/v1/agreements/{{name:str}}/{word}": _posted(f"/api/v1/agreements/pact/{word}")
        for word in ("accede", "admit", "expel", "send", "sign", "suspend", "withdraw")
    },
    "GET /api/v1/cards": _as("/api/v1/cards"),
    "POST /api/v1/cards": _posted("/api/v1/cards"),
    "GET /api/v1/cards/{party:str}": _each("/api/v1/cards/{}", lambda probe: probe.parties),
    "GET /api/v1/cards/{party:str}/file": _each("/api/v1/cards/{}/file", lambda probe: probe.parties),
    "POST /api/v1/cards/{party:str}/verification": _posted(f"/api/v1/cards/{quote(B)}/verification"),
    "POST /api/v1/cards/ours": _posted("/api/v1/cards/ours"),
    "POST /api/v1/cards/ours/rotation": _posted("/api/v1/cards/ours/rotation"),
    "GET /api/v1/peers": _as("/api/v1/peers"),
    **{
        f"POST /api/v1/{path}": _posted(f"/api/v1/{path}")
        for path in ("peers", "peers/plain", "peers/pull", "peers/push", "sync", "packs", "packs/taken")
    },
    "POST /api/v1/peers/{party:str}/limits": _posted(f"/api/v1/peers/{quote(B)}/limits"),
    "POST /api/v1/peers/{party:str}/resume": _posted(f"/api/v1/peers/{quote(B)}/resume"),
    "POST /api/v1/peers/{party:str}/ping": _posted(f"/api/v1/peers/{quote(B)}/ping"),
    # the deeds of the desks are an officer's, each at the address that its name makes
    **{
        f"POST /api/v1/{path}": _posted(f"/api/v1/{path}")
        for desk in desks()
        for path in (item.name.replace(" ", "/") for item in desk.deeds)
    },
    "GET /api/v1/attachments": _as("/api/v1/attachments"),
    "POST /api/v1/attachments": _posted("/api/v1/attachments?name=x&tlp=green"),
    "GET /api/v1/attachments/{artifact:str}": _each("/api/v1/attachments/{}", _ids),
    "GET /api/v1/attachments/{artifact:str}/custody": _each("/api/v1/attachments/{}/custody", _ids),
    **{
        f"POST /api/v1/attachments/{{artifact:str}}/{word}": _each_posted("/api/v1/attachments/{}/" + word)
        for word in ("custody", "disposal", "fetch", "open", "verification")
    },
    "GET /api/v1/public": _as("/api/v1/public"),
    "GET /api/v1/public/record": _each("/api/v1/public/record?object={}", _ids),
    "POST /api/v1/public/collect": _posted("/api/v1/public/collect"),
    **{
        f"POST /api/v1/public/{{object_id:str}}/{word}": _each_posted("/api/v1/public/{}/" + word)
        for word in ("go", "hold", "move", "withdraw")
    },
    "GET /api/v1/officers": _as("/api/v1/officers"),
    "POST /api/v1/officers": _posted("/api/v1/officers"),
    "DELETE /api/v1/officers/{name:str}": _each("/api/v1/officers/{}", lambda probe: ["officer-1"]),
    "POST /api/v1/readers": _posted("/api/v1/readers"),
    # what is handed in may bring more to light (a reference to what came from the reader is shown), so it comes last
    "POST /taxii2/api/collections/{name:str}/objects": _inbox,
    "GET /taxii2/api/status/{name:str}": _each(
        "/taxii2/api/status/{}/", lambda probe: [*probe.statuses, "nothing"], accept=TAXII
    ),
}
"""What is asked of each route of the application, in this order."""

_WORDS = """
    greeting control page receipts extra
    feature sender to at have_control have_objects receipted checkpoint consistency seen incarnation
    items more n kind body
    act act_salt promise secret first last object digest view title terms raw seal disclosure hidden
    delivery taken refused salt code sentence
"""
SAID = frozenset(_WORDS.split())
"""Every member of every message; all of it is in what the reader heard, and is compared."""


def routes_of(app: Litestar) -> set[str]:
    """What the application answers to; OPTIONS is refused before any route is looked at."""
    return {
        f"{method} {route.path}"
        for route in app.routes
        for method in getattr(route, "methods", ())
        if method not in ("OPTIONS", "HEAD")
    }


# --- what answers for a party, behind the command line


def _searched(played: Played) -> list[bytes]:
    node, party = played.world.nodes[A], played.world.nodes[B].party
    wanted = [
        "198.51.100",
        "198.51.100.0",
        "198.51.100.1",
        "198.51.100.2",
        "indicator--",
        "malware--00000000",
        "indicator",
    ]
    with node.store.read() as tx:
        return [
            json.dumps(
                [one.as_json() for one in search(tx, text, us=node.party, for_party=party, limit=limit)]
            ).encode()
            for text in wanted
            for limit in (1, 200)
        ]


def _exported(played: Played) -> list[bytes]:
    node, party = played.world.nodes[A], played.world.nodes[B].party
    with node.store.read() as tx:
        return list(given_objects(tx, party)) + list(given_objects(tx, party, types=frozenset({"malware", "report"})))


def _why(played: Played) -> list[bytes]:
    """What the reader would be told of what it was given: the sentence and the data for its eyes."""
    node, party = played.world.nodes[A], played.world.nodes[B].party
    told = []
    with node.store.read() as tx:
        ids = sorted({msgspec.json.decode(raw)["id"] for raw in given_objects(tx, party)})
    for one in ids:
        found = why(node, one, party)
        text = sentence(
            found.decision, thing=one, to=party, party=lambda name: name, agreement=lambda name: name, to_recipient=True
        )
        told.append(text.encode() + json.dumps(as_json(found.decision), default=str).encode())
    return told


CALLS: dict[str, Callable[[Played], list[bytes]]] = {"search": _searched, "export --to": _exported, "why": _why}


# --- asking


def probe_of(history: History, played: Played) -> Probe:
    """What the reader asks for."""
    things = {thing.raw(): thing.id for event in history.events if isinstance(event, Take) for thing in event.things}
    ids = list(dict.fromkeys(things.values()))[:6]
    acts: dict[str, None] = {}
    for heard in played.heard[B]:
        try:
            turn = decode(heard)
        except ComityError:
            continue
        if turn.greeting.sender == played.world.nodes[A].party:
            envelopes = [turn.page.act] if turn.page is not None else []
            envelopes += [one.act for one in turn.receipts]
            acts.update(dict.fromkeys(act_digest(one) for one in envelopes))
    us = played.world.nodes[B]
    turn = Session(NodeSide(us), played.world.nodes[A].party).next()
    assert turn is not None
    return Probe(
        ids,
        list(things)[:6],
        played.digests,
        [played.world.nodes[name].party for name in NAMES],
        list(acts)[:4],
        encode(turn),
    )


def ask(history: History, played: Played) -> dict[str, list[bytes]]:
    """Every answer, by route."""
    probe = probe_of(history, played)
    found: dict[str, list[bytes]] = {"conversation": list(played.heard[B])}
    found |= {name: call(played) for name, call in CALLS.items()}
    found |= asyncio.run(_asked(played, probe))
    return found


async def _asked(played: Played, probe: Probe) -> dict[str, list[bytes]]:
    node, reader = played.world.nodes[A], played.world.nodes[B]
    app = create_app(node, config())
    token = add_reader(node, reader.party, "tool", by="officer-1")
    found: dict[str, list[bytes]] = {}
    transport = httpx.ASGITransport(app=app)  # type: ignore[arg-type]
    async with httpx.AsyncClient(transport=transport, base_url=BASE) as client:
        for name, row in ROUTES.items():
            method = name.partition(" ")[0]
            found[name] = []
            for number, one in enumerate(row(probe)):
                headers = {"accept": one.accept or "application/json"}
                if one.content_type:
                    headers["content-type"] = one.content_type
                if one.who == "token":
                    headers["authorization"] = f"Bearer {token}"
                request = client.build_request(method, one.path, content=one.body)
                if one.who == "signature":
                    headers |= sign_request(
                        reader.keys.node,
                        method,
                        str(request.url),
                        one.body,
                        to=node.party,
                        nonce=f"{len(found):016d}{number:016d}",
                        now=node.clock(),
                    )
                request.headers.update(headers)
                answer = await client.send(request)
                if name.startswith("POST /taxii2") and answer.status_code == 202:
                    probe.statuses.append(answer.json()["id"])
                assert answer.status_code < 500, (name, one.path, answer.text)
                if "content-length" in answer.headers:  # what is compared of it is the length of what is compared
                    assert answer.headers["content-length"] == str(len(answer.content))
                fields = "\n".join(
                    f"{key}: {value}" for key, value in answer.headers.items() if key != "content-length"
                )
                found[name].append(f"{one.who} {answer.status_code}\n{fields}".encode())
                found[name].append(_in_words(name, answer))
    return found


def _in_words(name: str, answer: httpx.Response) -> bytes:
    """The body of an answer; the hashes of a tile as text, so that each is seen to be one."""
    if "/tile/" not in name or answer.status_code != 200:
        return answer.content
    return " ".join(answer.content[start : start + 32].hex() for start in range(0, len(answer.content), 32)).encode()
