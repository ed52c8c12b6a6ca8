"""`comity peer`: other nodes and their addresses, readers without a node, and TAXII 2.1 servers of others."""

from __future__ import annotations

import os
import time
from typing import Annotated, Any

from cyclopts import Parameter

from comity.faces.cli.context import Context, Ctx, table
from comity.faces.cli.words import Stated
from comity.kernel.errors import Usage
from comity.node.stating import country_code, one_of


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
    from comity.node.contact import call_peer

    assert party is not None
    with ctx.open() as home:
        shape = call_peer(home.node, party, url, officer=ctx.by)
    return ctx.done(
        shape,
        f"{shape['name']} is called under {shape['url'] or 'no address: carry packs by hand'}.",
        *([] if shape["verified"] else ["Its card is not verified yet: comity card verify."]),
    )


def _add_reader(ctx: Context, name: str, kind: str, country: str | None) -> int:
    from comity.kernel.release.vocabulary import KINDS
    from comity.node.readers import add_plain_reader, never

    one_of(kind, KINDS, "--kind")
    if country is None:
        raise Usage("command-line", "--country says where the party is, such as EE.")
    country_code(country, "--country")
    with ctx.open() as home:
        row, token = add_plain_reader(home.node, name, kind=kind, country=country, officer=ctx.by)
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
        with home.node.store.read() as tx:
            row = resolve_party(tx, party)
        given = add_reader(home.node, row.id, name, by=ctx.by)
    return ctx.done({"party": row.id, "name": name, "token": given}, f"Token  {given}", "It is shown this once.")


def list_(*, ctx: Ctx) -> int:
    """Show how each party is reached and how far we are with it."""
    from comity.node.telling import peers

    with ctx.open() as home, home.node.store.read() as tx:
        rows = peers(tx, home.node.party)
    lines = table(
        ("party", "address", "last seen", "rows taken", "papers taken", "rows receipted", "last error"),
        [
            (
                row["name"],
                row["url"] or ("by hand" if row["node"] else "reads over TAXII"),
                row["seen"],
                row["taken"],
                row["papers"],
                row["receipted"],
                row["quota"] or row["error"],
            )
            for row in rows
        ],
    )
    return ctx.done({"peers": rows}, *(lines or ["No other party is known here."]))


Most = Annotated[int | None, Parameter(help="Most of it in a day; 0 goes back to what is usual.")]


def limit(
    party: Annotated[str, Parameter(help="Name or id.")],
    /,
    *,
    rows: Most = None,
    bytes: Most = None,
    refused: Most = None,
    control: Most = None,
    submissions: Most = None,
    packs: Most = None,
    failed: Most = None,
    ctx: Ctx,
) -> int:
    """Show how much a party may send us in a day and has sent today, and set it."""
    from comity.node.quotas import QUOTAS, set_limits

    said = {
        "rows": rows,
        "bytes": bytes,
        "refused": refused,
        "control": control,
        "submissions": submissions,
        "packs": packs,
        "failed": failed,
    }
    with ctx.open() as home:
        shape = set_limits(home.node, party, {name: n for name, n in said.items() if n is not None}, officer=ctx.by)
    most, today = shape["limits"], shape["today"]
    lines = table(("a day", "may send", "sent today"), [(QUOTAS[name].what, most[name], today[name]) for name in most])
    return ctx.done(shape, *lines)


def resume(
    party: Annotated[str, Parameter(help="Name or id.")],
    /,
    *,
    rows: Annotated[int, Parameter(help="Rows it has taken from us, as comity peer list shows there.")],
    items: Annotated[int, Parameter(help="Papers it has taken from us, as comity peer list shows there.")],
    ctx: Ctx,
) -> int:
    """After a restore, go on with a party from which nothing comes back, by the word of its officer how far it is."""
    from comity.node.restoring import resume as go_on

    with ctx.open() as home:
        shape = go_on(home.node, party, items=items, rows=rows, officer=ctx.by)
    return ctx.done(shape, f"{shape['name']} is served again behind row {rows} and paper {items}.")


def ping(party: Annotated[str, Parameter(help="Name or id.")], /, *, ctx: Ctx) -> int:
    """Ask a peer for its card and checkpoint; nothing is exchanged."""
    from comity.node.contact import ping as ask

    with ctx.open() as home:
        found = ask(home.node, party, ctx.wiring.connect, time.monotonic)
    return ctx.done(
        {name: value for name, value in found.items() if name != "newer"},
        f"{found['name']} answers at {found['url']} in {found['milliseconds']:,.0f} ms; its log has {found['log']:,} ticks.",
        *(["It has a newer card, which comes with the next sync."] if found["newer"] else []),
    )


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
    from comity.node.intake import OUTCOMES
    from comity.node.servers import pull as take

    def told(done: int) -> None:
        ctx.kept = f"{done:,} objects are dealt with and kept; the same command goes on from there."

    with ctx.open() as home:
        handling = stated.handling(home.node.clock())
        client = _taxii(ctx, url, scheme, user, secret, allow_private, pin)
        try:
            shape, title = take(
                home.node,
                client,
                collection,
                opened=ctx.wiring.open_source,
                handling=handling,
                officer=ctx.by,
                again=again,
                told=told,
            )
        finally:
            client.close()
    if "sentence" in shape:
        ctx.note(f"comity: {shape['sentence']}")
    counted = ", ".join(f"{shape[word]:,} {word}" for word in OUTCOMES if shape[word]) or "nothing new"
    return ctx.done(shape, f"{title}: {counted}.", status=1 if "code" in shape else 0)


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
    from comity.node.servers import plain_party
    from comity.node.servers import push as post

    def told(done: int) -> None:
        ctx.kept = f"{done:,} objects were posted; the same command goes on from there."

    with ctx.open() as home:
        row = plain_party(home.node, to)
        client = _taxii(ctx, url, scheme, user, secret, allow_private, pin)
        try:
            shape, title = post(home.node, client, row.id, collection, wait=pause, again=again, told=told)
        finally:
            client.close()
    lines = [f"{shape['posted']:,} objects posted to {title}, {shape['refused']:,} refused there."]
    lines += [f"  {one['object']}: {one['sentence']}" for one in shape["failures"]]
    return ctx.done(shape, *lines, status=1 if shape["refused"] else 0)


def pause(number: int) -> None:
    """Wait before a server is asked again, longer each time, five seconds at most."""
    time.sleep(min(0.1 * 2**number, 5.0))


def _taxii(
    ctx: Context, url: str, scheme: str, user: str, secret: str | None, allow_private: bool, pin: str | None
) -> Any:
    one_of(scheme, ("Bearer", "Token", "Basic"), "--scheme")
    given = secret or os.environ.get("COMITY_SECRET", "")
    return ctx.wiring.taxii(url, "Basic" if user else scheme, given, user, allow_private, pin)
