"""`comity officer`: persons who act for the party; a token is shown once and kept nowhere."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from comity.faces.cli.context import Ctx, table

if TYPE_CHECKING:
    from comity.kernel.store.rows import Officer


def add(
    name: Annotated[str, Parameter(help="Who it is.")],
    /,
    *,
    role: Annotated[tuple[str, ...], Parameter(help="release, sign, admin or audit; once for each.")],
    ctx: Ctx,
) -> int:
    """Give an officer a token; it is shown this once."""
    from comity.node.officers import ROLES, add_officer

    with ctx.open() as home:
        row, token = add_officer(home.node, name, role, by=ctx.by)
    duties = [f"  {word}: {ROLES[word]}" for word in row.roles.split()]
    return ctx.done(
        {**_describe(row), "token": token},
        f"{row.name} is {row.id} and",
        *duties,
        "",
        f"Token  {token}",
        "It is shown this once; say it with COMITY_TOKEN or --token.",
    )


def list_(*, ctx: Ctx) -> int:
    """Show the officers."""
    from comity.kernel.store.rows import Officer

    with ctx.open() as home, home.node.store.read() as tx:
        rows = [_describe(row) for row in tx.find(Officer)]
    lines = table(
        ("officer", "name", "roles", "since", "ended"),
        [(row["officer"], row["name"], " ".join(row["roles"]), row["since"], row["ended"]) for row in rows],
    )
    return ctx.done(
        {"officers": rows},
        *(lines or ["There is no officer yet; comity officer add NAME --role admin makes the first."]),
    )


def end(name: Annotated[str, Parameter(help="Name or id of the officer.")], /, *, ctx: Ctx) -> int:
    """End an officer's token; what was done with it stays."""
    from comity.node.officers import end_officer

    with ctx.open() as home:
        row = end_officer(home.node, name, by=ctx.by)
    return ctx.done(_describe(row), f"The token of {row.name} has ended.")


def _describe(row: Officer) -> dict[str, Any]:
    from comity.kernel.model.instants import format

    return {
        "officer": row.id,
        "name": row.name,
        "roles": row.roles.split(),
        "since": format(row.since),
        "ended": None if row.ended is None else format(row.ended),
    }
