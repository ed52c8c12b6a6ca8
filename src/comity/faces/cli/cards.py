"""`comity card`: our own card and those of others, and the fingerprint compared by another road."""

from __future__ import annotations

from typing import Annotated, Any

from cyclopts import Parameter

from comity.faces.cli.context import Ctx, table
from comity.kernel.errors import Usage
from comity.node.stating import one_of, span


def show(
    party: Annotated[str | None, Parameter(help="Name or id; without it, our own.")] = None,
    /,
    *,
    output: Annotated[str | None, Parameter(help="Write the card to this file, to be carried.")] = None,
    ctx: Ctx,
) -> int:
    """Show a card, or write it to a file to hand over."""
    from comity.node.parties import card_file, describe, need_card, resolve_party

    with ctx.open() as home, home.node.store.read() as tx:
        row = resolve_party(tx, home.node.party if party is None else party)
        shape = describe(tx, row)
        if output is not None:
            need_card(tx, row.id)
            ctx.write(output, [card_file(tx, row.id)])
    if output is not None:
        return ctx.done(
            {**shape, "file": output},
            f"The card of {row.name} is in {output}.",
            f"Fingerprint  {row.fingerprint}",
        )
    return ctx.done(shape, *_lines(shape))


def add(file: Annotated[str, Parameter(help="The card file.")], /, *, ctx: Ctx) -> int:
    """Keep the card of another party; it counts for nothing until it is verified."""
    from comity.node.cards import add_card
    from comity.node.parties import alike

    data = ctx.read(file)
    with ctx.open() as home:
        card = add_card(home.node, data, by=ctx.by)
        with home.node.store.read() as tx:
            twins = [one.id for one in alike(tx, card.party)]
        ours = card.party == home.node.party
    return ctx.done(
        {
            "party": card.party,
            "name": card.name,
            "fingerprint": card.fingerprint,
            "serial": card.serial,
            "alike": twins,
        },
        *(
            f"Its name looks like that of {one}, another party that is known here: take care which one is meant."
            for one in twins
        ),
        f"The card of {card.name} ({card.party}) is kept.",
        f"Fingerprint  {card.fingerprint}",
        "It is our own: give it to others, and read them the fingerprint."
        if ours
        else f"Have them read their fingerprint to you, then: comity card verify {card.party} --fingerprint '...' --method telephone",
    )


def verify(
    party: Annotated[str, Parameter(help="Name or id.")],
    /,
    *,
    fingerprint: Annotated[str, Parameter(help="The six groups of five digits as the other side reads them.")],
    method: Annotated[str, Parameter(help="How it was compared: telephone, in person, ...")],
    ctx: Ctx,
) -> int:
    """Record that an officer compared a fingerprint with the party itself."""
    from comity.faces.cli.record import fingerprint_of
    from comity.node.cards import verify_card
    from comity.node.parties import name_of

    if not method.strip():
        raise Usage("command-line", "--method says how the fingerprint was compared, such as telephone.")
    fingerprint_of(fingerprint)
    with ctx.open() as home:
        row = verify_card(home.node, party, fingerprint=fingerprint, method=method, officer=ctx.by)
        with home.node.store.read() as tx:
            name = name_of(tx, row.id)
    return ctx.done(
        {"party": row.id, "name": row.name, "verified": True, "method": method, "officer": ctx.by},
        f"The card of {name} is verified ({method}).",
    )


def list_(*, ctx: Ctx) -> int:
    """Show the parties that are known here."""
    from comity.kernel.store.rows import Party
    from comity.node.parties import describe

    with ctx.open() as home, home.node.store.read() as tx:
        rows = [{**describe(tx, row), "ours": row.id == home.node.party} for row in tx.find(Party)]
    lines = table(
        ("name", "kind", "country", "verified", "fingerprint", "id"),
        [
            (
                row["name"] + (" (we)" if row["ours"] else ""),
                row["kind"],
                row["country"],
                "no" if row["verified"] is None else row["verified"]["method"],
                row["fingerprint"],
                row["id"],
            )
            for row in rows
        ],
    )
    return ctx.done({"parties": rows}, *lines)


def set_(
    *,
    url: Annotated[
        tuple[str, ...], Parameter(help="An address of this node; once for each, the first is called first.")
    ] = (),
    office: Annotated[tuple[str, ...], Parameter(help="An office that releases may name; once for each.")] = (),
    client: Annotated[tuple[str, ...], Parameter(help="A party we serve: TLP:AMBER goes as far; once for each.")] = (),
    identity: Annotated[
        tuple[str, ...], Parameter(help="A STIX identity we use as created_by_ref; once for each.")
    ] = (),
    no_clients: Annotated[bool, Parameter(help="We serve nobody any more.")] = False,
    ctx: Ctx,
) -> int:
    """Sign our next card with these entries in place of the present ones, and send it to those we have agreements with."""
    from comity.node.cardlife import change_card
    from comity.node.parties import resolve_party

    if client and no_clients:
        raise Usage("command-line", "--client and --no-clients contradict each other; say one of them.")
    with ctx.open() as home:
        changes: dict[str, Any] = {}
        if url:
            changes["endpoints"] = ctx.wiring.endpoints(home, url)
        if office:
            changes["offices"] = office
        if client or no_clients:
            with home.node.store.read() as tx:
                changes["clients"] = tuple(resolve_party(tx, one).id for one in client)
        if identity:
            changes["identities"] = tuple(dict.fromkeys((home.node.party, *identity)))
        if not changes:
            raise Usage("command-line", "Nothing is said to change; say --url, --office, --client or --identity.")
        card, told = change_card(home.node, changes, officer=ctx.by)
    return ctx.done(
        {"party": card.party, "serial": card.serial, "changed": sorted(changes), "sent": told},
        f"Our card number {card.serial} is signed; it goes to {len(told)} parties at the next contact.",
    )


def rotate(
    use: Annotated[str, Parameter(help="node, identity or log.")],
    /,
    *,
    after: Annotated[
        str, Parameter(help="When the new key begins to sign, so that the card is everywhere by then.")
    ] = "P1D",
    at_once: Annotated[
        bool, Parameter(help="Now, because the old key was exposed; hand the card over by file.")
    ] = False,
    ctx: Ctx,
) -> int:
    """Make a new key, end the old one, and sign our next card; what was signed before stays valid."""
    from comity.kernel.model.instants import format
    from comity.node.cardlife import ROTATED
    from comity.node.cardlife import rotate as turn

    one_of(use, ROTATED, "the key to rotate", "key-use")
    wait = span(after, "--after")
    with ctx.open() as home:
        begins = None if at_once else home.node.clock() + wait
        card, told = turn(home.node, use, ctx.wiring.new_key(home, use), begins=begins, officer=ctx.by)
    since = card.at if begins is None else begins
    then = (
        "Start the node again now, and hand the card to every partner by file: comity card show --output FILE."
        if at_once
        else f"Start the node again between {format(since)} and an hour later."
    )
    return ctx.done(
        {
            "party": card.party,
            "serial": card.serial,
            "rotated": use,
            "since": format(since),
            "fingerprint": card.fingerprint,
            "sent": told,
        },
        f"The new {use} key signs from {format(since)} on, by card number {card.serial}; the fingerprint stays.",
        then,
    )


def _lines(shape: dict[str, Any]) -> list[str]:
    how = shape["verified"]
    told = "not verified: compare the fingerprint" if how is None else f"{how['method']}, {how['at']}"
    lines = [
        f"Name         {shape['name']}",
        f"Party id     {shape['id']}",
        f"Kind         {shape['kind']}, {shape['country']}",
        f"Fingerprint  {shape['fingerprint'] or 'none: this party runs no node'}",
        f"Verified     {told}",
    ]
    lines += [f"Address      {one}" for one in shape["endpoints"]]
    lines += [f"Office       {one}" for one in shape["offices"]]
    lines += [f"Client       {one}" for one in shape["clients"]]
    lines += [
        f"Key          {one['use']} {one['keyid'][:16]} since {one['from']}{_until(one)}" for one in shape["keys"]
    ]
    return lines


def _until(key: dict[str, Any]) -> str:
    return "" if key["until"] is None else f" until {key['until']}"
