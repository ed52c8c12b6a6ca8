"""`comity agreement accede|admit|expel|suspend|withdraw`: who is bound from when to when."""

from __future__ import annotations

from typing import Annotated, Any

from cyclopts import Parameter

from comity.faces.cli.context import Context, Ctx
from comity.kernel.model.instants import format
from comity.node.stating import instant_or_none

Reason = Annotated[str, Parameter(help="Why; kept here, and committed to in the record.")]
Output = Annotated[str | None, Parameter(help="Write the paper to this file, to be carried.")]


def accede(
    agreement: Annotated[str, Parameter(help="Digest or title.")],
    /,
    *,
    reason: Reason = "",
    output: Output = None,
    ctx: Ctx,
) -> int:
    """Ask to join; we are a member once an epoch signed by the members names us."""
    from comity.node.instruments import accede as deed

    with ctx.open() as home:
        row = deed(home.node, agreement, officer=ctx.by, reason=reason)
        return _paper(ctx, home.node, row, "accession", output, f"We ask to join {row.title}; its members admit us.")


def admit(
    agreement: Annotated[str, Parameter(help="Digest or title.")],
    party: Annotated[str, Parameter(help="Name or id of the party that acceded.")],
    /,
    *,
    reason: Reason = "",
    ctx: Ctx,
) -> int:
    """Sign the epoch that makes a party a member."""
    from comity.node.instruments import admit as deed

    return _epoch(ctx, deed, agreement, party, reason, "is a member")


def expel(
    agreement: Annotated[str, Parameter(help="Digest or title.")],
    party: Annotated[str, Parameter(help="Name or id of the member.")],
    /,
    *,
    reason: Reason = "",
    ctx: Ctx,
) -> int:
    """Sign the epoch that leaves a party out; it receives nothing more from it on."""
    from comity.node.instruments import expel as deed

    return _epoch(ctx, deed, agreement, party, reason, "is no member any more")


def suspend(
    agreement: Annotated[str, Parameter(help="Digest or title.")],
    /,
    *,
    since: Annotated[str | None, Parameter(help="From this instant on; without it, now.")] = None,
    until: Annotated[str | None, Parameter(help="Until this instant; without it, without end.")] = None,
    reason: Reason = "",
    output: Output = None,
    ctx: Ctx,
) -> int:
    """Suspend for our party; given again with --until it ends."""
    from comity.node.instruments import suspend as deed

    with ctx.open() as home:
        row = deed(
            home.node,
            agreement,
            since=instant_or_none(since, "--since"),
            until=instant_or_none(until, "--until"),
            officer=ctx.by,
            reason=reason,
        )
        return _paper(ctx, home.node, row, "suspension", output, f"{row.title} is suspended between us and the others.")


def withdraw(
    agreement: Annotated[str, Parameter(help="Digest or title.")],
    /,
    *,
    at: Annotated[
        str | None, Parameter(help="From this instant on; without it, as soon as the period of notice is over.")
    ] = None,
    reason: Reason = "",
    output: Output = None,
    ctx: Ctx,
) -> int:
    """Leave, after the period of notice."""
    from comity.node.instruments import withdraw as deed

    with ctx.open() as home:
        row, effective = deed(
            home.node, agreement, effective=instant_or_none(at, "--at"), officer=ctx.by, reason=reason
        )
        told = f"We leave {row.title} from {format(effective)} on."
        return _paper(ctx, home.node, row, "withdrawal", output, told, effective=format(effective))


def _paper(ctx: Context, node: Any, row: Any, kind: str, output: str | None, told: str, **also: Any) -> int:
    from comity.node.instruments import paper_file

    if output is not None:
        with node.store.read() as tx:
            ctx.write(output, [paper_file(tx, row.digest, kind, node.party)])
    return ctx.done({"digest": row.digest, "title": row.title, "kind": kind, "file": output, **also}, told)


def _epoch(ctx: Context, deed: Any, agreement: str, party: str, reason: str, told: str) -> int:
    from comity.node.parties import name_of, resolve_party

    with ctx.open() as home:
        with home.node.store.read() as tx:
            row = resolve_party(tx, party)
            name = name_of(tx, row.id)
        epoch, complete = deed(home.node, agreement, row.id, officer=ctx.by, reason=reason)
    return ctx.done(
        {
            "epoch": epoch.number,
            "digest": epoch.digest,
            "members": list(epoch.members),
            "effective": format(epoch.effective),
            "complete": complete,
        },
        f"Epoch {epoch.number}: {name} {told} from {format(epoch.effective)} on."
        if complete
        else f"Epoch {epoch.number} is signed by us and waits for the signatures of other members.",
    )
