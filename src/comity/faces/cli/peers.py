"""`comity peer`: other nodes and their addresses, readers without a node, and TAXII 2.1 servers of others."""

from __future__ import annotations

import io
import os
import time
from collections.abc import Iterator
from hashlib import sha256
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from comity.faces.cli.context import Context, Ctx, table
from comity.faces.cli.words import Stated, one_of
from comity.kernel.errors import NotAllowed, NotFound, RequestRefused, Usage

if TYPE_CHECKING:
    from comity.faces.wiring import Home, PeerLike
    from comity.node.context import Node

PAGE = 1_000
"""Objects of one push."""


def add(
    party: Annotated[
        str | None, Parameter(help="Name or id of a party whose card is known here; not with --taxii.")
    ] = None,
    /,
    *,
    url: Annotated[str | None, Parameter(help="Call it under this address instead of the one in its card.")] = None,
    taxii: Annotated[str | None, Parameter(help="The name of a party that runs no node and reads over TAXII.")] = None,
    kind: Annotated[str, Parameter(help="With --taxii: its kind, as in a card.")] = "other",
    country: Annotated[str | None, Parameter(help="With --taxii: its country, ISO 3166-1.")] = None,
    ctx: Ctx,
) -> int:
    """Note how a peer is called from here, or give a party without a node a token to read with."""
    if (party is None) == (taxii is None):
        raise Usage(
            "command-line", "Name a party whose card is known here, or say --taxii NAME for one without a node."
        )
    if taxii is not None:
        return _add_reader(ctx, taxii, kind, country)
    from comity.node.contact import note_url
    from comity.node.parties import need_card, resolve_party

    assert party is not None
    if url is not None and url != "" and not url.startswith(("https://", "http://")):
        raise Usage("peer-url", f"{url!r} is no address; write it as https://cert.example:8443.")
    with ctx.open() as home:
        officer = ctx.officer(home.node, "admin")
        with home.node.store.read() as tx:
            row = resolve_party(tx, party)
            card = need_card(tx, row.id)
        if url is not None:
            note_url(home.node, row.id, url, officer=officer)
    address = url or (card.endpoints[0].url if card.endpoints else None)
    return ctx.done(
        {"party": row.id, "name": row.name, "url": address, "verified": row.verified is not None},
        f"{row.name} is called under {address or 'no address: carry packs by hand'}.",
        *([] if row.verified is not None else ["Its card is not verified yet: comity card verify."]),
    )


def _add_reader(ctx: Context, name: str, kind: str, country: str | None) -> int:
    from comity.kernel.release.vocabulary import KINDS
    from comity.node.readers import add_plain_reader, never

    one_of(kind, KINDS, "--kind")
    if country is None:
        raise Usage("command-line", "--country says where the party is, such as EE.")
    with ctx.open() as home:
        row, token = add_plain_reader(
            home.node, name, kind=kind, country=country, officer=ctx.officer(home.node, "admin")
        )
        shut = never(home.node)
    lines = [
        f"{row.name} is {row.id} and reads over TAXII 2.1 at /taxii2/.",
        "",
        f"Token  {token}",
        "It is shown this once.",
    ]
    lines += [
        f"It can never receive under clause {one['clause']} of {one['agreement']}: {one['because']}" for one in shut
    ]
    return ctx.done({"party": row.id, "name": row.name, "token": token, "never": shut}, *lines)


def token(
    party: Annotated[str, Parameter(help="Name or id; our own for a tool of ours.")],
    /,
    *,
    name: Annotated[str, Parameter(help="What the token is for.")],
    ctx: Ctx,
) -> int:
    """Give a party, or a tool of ours, a token to read with over TAXII and REST; it is shown this once."""
    from comity.node.officers import add_reader
    from comity.node.parties import resolve_party

    with ctx.open() as home:
        officer = ctx.officer(home.node, "admin")
        with home.node.store.read() as tx:
            row = resolve_party(tx, party)
        given = add_reader(home.node, row.id, name, by=officer)
    return ctx.done({"party": row.id, "name": name, "token": given}, f"Token  {given}", "It is shown this once.")


def list_(*, ctx: Ctx) -> int:
    """Show how each party is reached and how far we are with it."""
    from comity.kernel.model.instants import format
    from comity.kernel.store.rows import Party, Reader
    from comity.node.exchange import peer_row
    from comity.node.parties import card_of

    with ctx.open() as home, home.node.store.read() as tx:
        rows = []
        for party in tx.find(Party):
            if party.id == home.node.party:
                continue
            card, peer = card_of(tx, party.id), peer_row(tx, party.id)
            readers = sum(row.ended is None for row in tx.find(Reader, party=party.id))
            rows.append(
                {
                    "party": party.id,
                    "name": party.name,
                    "url": peer.url or (card.endpoints[0].url if card is not None and card.endpoints else None),
                    "node": card is not None,
                    "tokens": readers,
                    "taken": peer.objects,
                    "receipted": peer.receipted,
                    "seen": format(peer.seen) if peer.seen else None,
                    "error": peer.error,
                }
            )
    lines = table(
        ("party", "address", "last seen", "rows taken", "rows receipted", "last error"),
        [
            (
                row["name"],
                row["url"] or ("by hand" if row["node"] else "reads over TAXII"),
                row["seen"],
                row["taken"],
                row["receipted"],
                row["error"],
            )
            for row in rows
        ],
    )
    return ctx.done({"peers": rows}, *(lines or ["No other party is known here."]))


def ping(party: Annotated[str, Parameter(help="Name or id.")], /, *, ctx: Ctx) -> int:
    """Ask a peer for its card and checkpoint; nothing is exchanged."""
    from comity.kernel.seal.cards import verify_chain
    from comity.node.contact import peer_card
    from comity.node.parties import read_card_file, resolve_party

    with ctx.open() as home:
        with home.node.store.read() as tx:
            row = resolve_party(tx, party)
            card = peer_card(tx, row.id)
        client = ctx.wiring.connect(home.node, card, True)
        try:
            begun = time.monotonic()
            theirs = verify_chain(read_card_file(client.card()))
            took = time.monotonic() - begun
            size = _log_size(client)
        finally:
            client.close()
    if theirs.party != row.id:
        raise RequestRefused("request-addressee", f"{theirs.name} answers there, not {row.name}; check the address.")
    newer = theirs.serial > card.serial
    return ctx.done(
        {
            "party": row.id,
            "name": row.name,
            "url": card.endpoints[0].url,
            "milliseconds": round(took * 1000, 1),
            "serial": theirs.serial,
            "log": size,
        },
        f"{row.name} answers at {card.endpoints[0].url} in {took * 1000:,.0f} ms; its log has {size:,} ticks.",
        *(["It has a newer card, which comes with the next sync."] if newer else []),
    )


def _log_size(client: PeerLike) -> int:
    """How many ticks the peer's log has; a log whose first tick is not over has no checkpoint yet."""
    from comity.kernel.tlog.checkpoint import read_checkpoint

    try:
        return read_checkpoint(client.checkpoint()).size
    except NotFound:
        return 0


Scheme = Annotated[str, Parameter(help="Bearer, Token or Basic.")]
User = Annotated[str, Parameter(help="User name, for Basic.")]
Secret = Annotated[
    str | None, Parameter(help="Token or password; COMITY_SECRET keeps it out of the list of processes.")
]
Private = Annotated[bool, Parameter(help="The server is on this machine or a private network.")]
Pin = Annotated[
    str | None, Parameter(help="SHA-256 of the server's key (SPKI), hex, where no authority vouches for it.")
]


def pull(
    url: Annotated[str, Parameter(help="The server.")],
    /,
    *,
    collection: Annotated[
        str | None, Parameter(help="Id or title; without it, the one that can be read, if there is one.")
    ] = None,
    scheme: Scheme = "Bearer",
    user: User = "",
    secret: Secret = None,
    allow_private: Private = False,
    pin: Pin = None,
    again: Annotated[bool, Parameter(help="From the beginning, not from where the last pull ended.")] = False,
    stated: Stated = Stated(),
    ctx: Ctx,
) -> int:
    """Take in what any TAXII 2.1 server has, from where the last pull ended."""
    from comity.faces.cli.intake import OUTCOMES, take_file

    totals: dict[str, int] = dict.fromkeys((*OUTCOMES, "unmarked", "objects"), 0)
    pages = 0
    fault = None
    with ctx.open() as home:
        officer = ctx.anybody(home.node)
        handling = stated.handling(home.node.clock())
        client = _taxii(ctx, url, scheme, user, secret, allow_private, pin)
        try:
            _, place = _collection(client, collection, "can_read")
            mark = f"taxii/{sha256(place.url.encode()).hexdigest()[:32]}"
            start = "" if again else _cursor(home.node, mark)
            for page in client.pull(place.url, client.cursor(start)):
                data = b'{"objects":[' + b",".join(page.objects) + b"]}"
                _, counts, fault = take_file(
                    ctx,
                    home,
                    io.BytesIO(data),
                    name=place.url,
                    digest=sha256(
                        f"{place.url} {page.cursor.text()} {officer}".encode() + sha256(data).digest()
                    ).hexdigest(),
                    handling=handling,
                    mapping=None,
                    officer=officer,
                )
                if fault is not None:
                    break
                _keep_cursor(home.node, mark, page.cursor.text())
                pages += 1
                for word in totals:
                    totals[word] += getattr(counts, word)
                ctx.kept = (
                    f"{totals['objects']:,} objects are dealt with and kept; the same command goes on from there."
                )
        finally:
            client.close()
    shape: dict[str, Any] = {"url": place.url, "collection": place.id, "pages": pages, **totals}
    if fault is not None:
        ctx.note(f"comity: {fault.sentence}")
        shape |= {"code": fault.code, "sentence": fault.sentence}
    counted = ", ".join(f"{totals[word]:,} {word}" for word in OUTCOMES if totals[word]) or "nothing new"
    return ctx.done(shape, f"{place.title or place.id}: {counted}.", status=0 if fault is None else 1)


def push(
    url: Annotated[str, Parameter(help="The server.")],
    /,
    *,
    to: Annotated[str, Parameter(help="The party whose server it is: exactly what it was given is pushed.")],
    collection: Annotated[
        str | None, Parameter(help="Id or title; without it, the one that can be written, if there is one.")
    ] = None,
    scheme: Scheme = "Bearer",
    user: User = "",
    secret: Secret = None,
    allow_private: Private = False,
    pin: Pin = None,
    again: Annotated[bool, Parameter(help="Everything that stands, not only what is new since the last push.")] = False,
    ctx: Ctx,
) -> int:
    """Post what a party without a node may have to its TAXII 2.1 server, in its views."""
    from comity.node.parties import card_of, resolve_party

    with ctx.open() as home:
        ctx.officer(home.node, "release")
        with home.node.store.read() as tx:
            row = resolve_party(tx, to)
            if row.id == home.node.party or card_of(tx, row.id) is not None:
                raise NotAllowed(
                    "not-plain",
                    f"{row.name} runs a node; exchange with it by comity sync, which carries terms and proofs.",
                )
        client = _taxii(ctx, url, scheme, user, secret, allow_private, pin)
        try:
            root, place = _collection(client, collection, "can_write")
            mark = f"pushed/{row.id}/{sha256(place.url.encode()).hexdigest()[:32]}"
            after = 0 if again else int(_cursor(home.node, mark) or 0)
            done = failed = 0
            failures: list[dict[str, str]] = []
            for last, raws in _pages(home, row.id, after):
                status = client.push_and_wait(
                    root, place.url, raws, wait=lambda number: time.sleep(min(0.1 * 2**number, 5.0))
                )
                done += status.success
                failed += status.failure
                failures += [{"object": one, "sentence": told} for one, told in status.failures]
                _keep_cursor(home.node, mark, str(last))
                ctx.kept = f"{done:,} objects were posted; the same command goes on from there."
        finally:
            client.close()
    lines = [f"{done:,} objects posted to {place.title or place.id}, {failed:,} refused there."]
    lines += [f"  {one['object']}: {one['sentence']}" for one in failures]
    return ctx.done(
        {"url": place.url, "to": row.id, "posted": done, "refused": failed, "failures": failures},
        *lines,
        status=1 if failed else 0,
    )


def _taxii(
    ctx: Context, url: str, scheme: str, user: str, secret: str | None, allow_private: bool, pin: str | None
) -> Any:
    one_of(scheme, ("Bearer", "Token", "Basic"), "--scheme")
    given = secret or os.environ.get("COMITY_SECRET", "")
    return ctx.wiring.taxii(url, "Basic" if user else scheme, given, user, allow_private, pin)


def _collection(client: Any, wanted: str | None, may: str) -> tuple[str, Any]:
    """The API root and collection that is meant.

    Raises:
        NotFound: `no-collection`, naming those there are.
    """
    seen = []
    for root in client.discover():
        for one in client.collections(root):
            seen.append(one)
            if wanted is None and getattr(one, may):
                others = [other for other in client.collections(root) if getattr(other, may)]
                if len(others) == 1:
                    return root, one
            elif wanted is not None and wanted in (one.id, one.title):
                return root, one
    listed = ", ".join(f"{one.title or one.id} ({one.id})" for one in seen) or "none"
    raise NotFound("no-collection", f"Say --collection; the server has {listed}.")


def _cursor(node: Node, mark: str) -> str:
    from comity.node.context import read_setting

    with node.store.read() as tx:
        return str(read_setting(tx, mark, ""))


def _keep_cursor(node: Node, mark: str, text: str) -> None:
    from comity.node.context import put_setting
    from comity.node.deeds import deed

    with deed(node) as work:
        put_setting(work.tx, mark, text)


def _pages(home: Home, party: str, after: int) -> Iterator[tuple[int, list[bytes]]]:
    """What stands in a party's stream after a row, in pages: the last row of each, and the bytes of its objects."""
    from comity.node.readers import standing_after

    while True:
        with home.node.store.read() as tx:
            last, raws = standing_after(tx, party, after, PAGE)
        if last == after:
            return
        if raws:
            yield last, raws
        after = last
