"""`comity release` and `comity why`: what would go to whom, the officers' word where a clause asks for it, and every reason."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter

from comity.faces.cli.agreements import line_told
from comity.faces.cli.context import Ctx, table
from comity.kernel.errors import Usage
from comity.node.stating import instant_or_none


def preview(
    party: Annotated[str, Parameter(help="Name or id.")],
    /,
    *,
    objects: Annotated[bool, Parameter(help="Name the objects, not only their number.")] = False,
    ctx: Ctx,
) -> int:
    """Show what stands for a party now, by clause, and why the rest is withheld."""
    from comity.node.telling import standing

    with ctx.open() as home:
        line, titles = standing(home.node, party)
    told = [f"{line['name']} has been given {line['standing']:,} objects that stand."]
    for title, count in line["standing_by_clause"].items():
        digest, _, number = title.partition("#")
        told.append(f"  clause {number} of {titles.get(digest, digest[:12])}: {count:,}")
    if objects:
        told += [f"  stands: {one}" for one in line["objects"]["standing"]]
    return ctx.done(line, *told, *line_told(line, titles, would=False, objects=objects))


def list_(party: Annotated[str, Parameter(help="Name or id.")], /, *, ctx: Ctx) -> int:
    """Show the objects that wait for an officer's word to go to a party, with the question."""
    from comity.node.release import requests

    with ctx.open() as home:
        waiting = requests(home.node, party)
    lines = table(
        ("object", "words", "question"),
        [(one["object"], f"{len(one['words'])} of {one['officers']}", one["question"]) for one in waiting],
    )
    return ctx.done({"party": party, "waiting": waiting}, *(lines or ["Nothing waits for an officer's word."]))


def approve(
    object_id: Annotated[str, Parameter(help="The object.")],
    /,
    *,
    to: Annotated[str, Parameter(help="The party that is to have it, name or id.")],
    reason: Annotated[str, Parameter(help="Why; kept here, and committed to in the record.")],
    until: Annotated[str | None, Parameter(help="Instant at which the word ends.")] = None,
    ctx: Ctx,
) -> int:
    """Give one officer's word that an object may go to a party, which a clause leaves to officers."""
    from comity.node.release import approve as word

    if not reason.strip():
        raise Usage("command-line", "--reason says why the object may go; it is kept for who asks later.")
    with ctx.open() as home:
        end = instant_or_none(until, "--until")
        if end is not None and end <= home.node.clock():
            raise Usage("timestamp", "--until is over already; name an instant that is to come.")
        done = word(home.node, object_id, to, officer=ctx.by, reason=reason, until=end)
    told = (
        "it is released"
        if done["released"]
        else f"{done['officers'] - done['words']} more officers have to give theirs"
    )
    return ctx.done(done, f"The word is given for {object_id}: {told}.")


def why(
    object_id: Annotated[str, Parameter(help="The object.")],
    party: Annotated[str, Parameter(help="Name or id.")],
    /,
    *,
    at: Annotated[str | None, Parameter(help="Decide as of this instant; without it, now.")] = None,
    ctx: Ctx,
) -> int:
    """Say whether an object goes to a party, under which clause, or what stands in the way."""
    from comity.node.why import why as ask

    if "--" in party and not party.startswith("identity--") and "--" not in object_id:
        raise Usage("command-line", "The object stands first and then the party: comity why OBJECT PARTY.")
    with ctx.open() as home:
        found = ask(home.node, object_id, party, at=instant_or_none(at, "--at"))
    return ctx.done(found.as_json(), found.sentence)
