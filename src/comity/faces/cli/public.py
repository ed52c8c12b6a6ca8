"""`comity public`: what is to be published at an instant, the officer's word on it, and the file by which anybody verifies it."""

from __future__ import annotations

from typing import Annotated, Any

from cyclopts import Parameter

from comity.faces.cli.context import Ctx, table
from comity.kernel.errors import Usage
from comity.node.stating import instant_or_none

WHAT = Parameter(help="The id of the object.")
WHY = Parameter(help="Why; kept here.")


def list_(
    *,
    case: Annotated[str | None, Parameter(help="Only what belongs to this case: its id or title.")] = None,
    ctx: Ctx,
) -> int:
    """Show what is appointed to be published, by whose word, and what went out when."""
    from comity.node.casework.keeping import case_row
    from comity.node.publicfile import told

    with ctx.open() as home, home.node.store.read() as tx:
        rows = told(tx, home.node.clock(), None if case is None else case_row(tx, case).id)
    lines = table(
        ("object", "appointed", "standing", "by", "published", "digest", "note"),
        [
            (
                one["object"],
                one["appointed"],
                f"{one['standing']}, late" if one["late"] else one["standing"],
                one["by"],
                one["published"],
                one["digest"][:16],
                one["note"],
            )
            for one in rows
        ],
    )
    return ctx.done({"publications": rows}, *(lines or ["Nothing is appointed to be published."]))


def go(
    object: Annotated[str, WHAT],
    /,
    *,
    at: Annotated[str, Parameter(help="The instant that was shown to you; another one that stands is refused.")],
    digest: Annotated[
        str | None, Parameter(help="The digest that was shown to you, or its beginning of at least 16 hex digits.")
    ] = None,
    ctx: Ctx,
) -> int:
    """Say that an object goes out at its instant, as it stands now; any change of either takes the word back."""
    from comity.node.publicfile import say

    with ctx.open() as home:
        shape = say(home.node, "go", object, officer=ctx.by, at=instant_or_none(at, "--at"), digest=digest)
    return ctx.done(shape, shape["sentence"])


def hold(object: Annotated[str, WHAT], /, *, reason: Annotated[str, WHY] = "", ctx: Ctx) -> int:
    """Let an object not go out until go is said again."""
    from comity.node.publicfile import say

    with ctx.open() as home:
        shape = say(home.node, "hold", object, officer=ctx.by, reason=reason)
    return ctx.done(shape, shape["sentence"])


def withdraw(object: Annotated[str, WHAT], /, *, reason: Annotated[str, WHY] = "", ctx: Ctx) -> int:
    """Take an object back for good before its instant."""
    from comity.node.publicfile import say

    with ctx.open() as home:
        shape = say(home.node, "withdraw", object, officer=ctx.by, reason=reason)
    return ctx.done(shape, shape["sentence"])


def move(
    object: Annotated[str, WHAT],
    /,
    *,
    at: Annotated[str, Parameter(help="The new instant.")],
    until: Annotated[
        str | None,
        Parameter(help="The last instant at which it goes by itself, where the node could not at the other."),
    ] = None,
    ctx: Ctx,
) -> int:
    """Appoint another instant; go must be said again."""
    from comity.node.publicfile import say

    with ctx.open() as home:
        shape = say(
            home.node,
            "move",
            object,
            officer=ctx.by,
            at=instant_or_none(at, "--at"),
            until=instant_or_none(until, "--until"),
        )
    return ctx.done(shape, shape["sentence"])


def file(
    *objects: Annotated[str, Parameter(help="Ids of objects; without any, all that is public.")],
    case: Annotated[str | None, Parameter(help="Only what belongs to this case: its id or title.")] = None,
    output: Annotated[str | None, Parameter(help="The file to write; without it, standard output.")] = None,
    ctx: Ctx,
) -> int:
    """Write the public record of what we published, which anybody verifies offline."""
    from comity.node.casework.keeping import case_row
    from comity.node.publicfile import file_of

    with ctx.open() as home, home.node.store.read() as tx:
        data = file_of(tx, objects, None if case is None else case_row(tx, case).id)
        size = ctx.write(output, [data])
    if output is None:
        return 0
    return ctx.done({"file": output, "bytes": size}, f"The public record is in {output}, {size:,} bytes.")


def collect(
    *,
    from_: Annotated[
        tuple[str, ...], Parameter(name="--from", help="A party to ask, name or id; once for each. Ours is one too.")
    ] = (),
    id: Annotated[tuple[str, ...], Parameter(help="Only this object; once for each.")] = (),
    case: Annotated[str | None, Parameter(help="Only objects that name this case: its id or title.")] = None,
    output: Annotated[str | None, Parameter(help="The file to write; without it, only what was found is told.")] = None,
    ctx: Ctx,
) -> int:
    """Ask parties what they published, check it, and write one public record of it."""
    from comity.node.publicfile import collect as gather

    if not from_:
        raise Usage("command-line", "Say --from PARTY, once for each party that is to be asked.")
    with ctx.open() as home:
        found = gather(home.node, from_, ctx.wiring.connect, ids=id, case=case)
    shape: dict[str, Any] = found.as_json()
    for one in found.failed:
        ctx.note(f"comity: {one['name']}: {one['sentence']}")
    lines = table(
        ("by", "object", "appointed", "published", "anchored"),
        [
            (one["name"], one["object"], one["appointed"], one["published"], "yes" if one["anchored"] else "no")
            for one in found.found
        ],
    )
    lines += [remark for one in found.found for remark in one["remarks"]]
    if output is not None and output != "-":
        shape |= {"file": output, "bytes": ctx.write(output, [found.record()])}
        lines.append(f"The public record is in {output}, {shape['bytes']:,} bytes.")
    return ctx.done(shape, *(lines or ["Nothing of that is public."]), status=1 if found.failed else 0)
