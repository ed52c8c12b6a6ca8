"""Findings on responsibility, each by its role on named articles and facts, and dissent, which nobody takes out but who said it.

A technical, a political and a legal finding are three findings: one names no article for another. A dissent is an object of its author.
Whoever makes a later version of what it is about names it there, and what leaves it out is shown as that; its author's own withdrawal
is a later version of it, which is shown as withdrawn.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta

from comity.desks.attribution.dossiers import made_or_later
from comity.desks.attribution.facts import article_of
from comity.desks.attribution.kinds import ASSESSMENT, DISSENT, DOSSIER, FINDING, JUDGED, Dissent, Finding, Role
from comity.desks.attribution.stating import INSTEAD, SAY, THE_DOSSIER, keep, not_empty, stated
from comity.desks.attribution.words import is_draft, one, ours
from comity.kernel.errors import NotAllowed, Usage
from comity.node.context import Node
from comity.node.deeds import deed
from comity.node.desk import PLACED, DeskDeed, Like, Told
from comity.node.minting import next_version, our_own
from comity.node.saying import minted


class Find(Like, kw_only=True, forbid_unknown_fields=True):
    """Make a finding on responsibility: technical, political or legal, on named articles and the facts relied on."""

    dossier: Annotated[str, THE_DOSSIER]
    role: Annotated[Role, Meta(description="Whose finding it is: technical, political or legal.")]
    article: Annotated[
        tuple[str, ...],
        Meta(description="An article on state responsibility it rests on, such as ARSIWA-4; once for each."),
    ] = ()
    facts: Annotated[str, Meta(description="The facts relied on.")]
    concludes: Annotated[str, Meta(description="What it concludes.")]
    obligation: Annotated[str | None, Meta(description="The obligation that was breached.")] = None
    precluding: Annotated[str | None, Meta(description="Circumstances that preclude wrongfulness, and why not.")] = None
    consequence: Annotated[str | None, Meta(description="The consequence that is claimed.")] = None
    reviewed_by: Annotated[str | None, Meta(description="Who reviewed it.")] = None
    instead: Annotated[str | None, INSTEAD] = None


def find(node: Node, asked: Find, officer: str) -> Told:
    """Mint a finding."""
    articles = tuple(dict.fromkeys(article_of(word).id for word in asked.article))
    if asked.role == "legal" and not articles:
        raise Usage("desk-asked", "A legal finding names the articles it rests on: --article, such as ARSIWA-4.")
    with deed(node, officer) as work:
        dossier = one(work.tx, node.party, asked.dossier, DOSSIER)
        draft = dossier.by == node.party and is_draft(dossier, node.party)
        says = Finding(
            dossier_ref=dossier.id,
            addressed_to=(node.party,) if draft else (),
            role=asked.role,
            articles=articles,
            facts_relied_on=not_empty(asked.facts, "--facts"),
            concludes=not_empty(asked.concludes, "--concludes"),
            obligation_breached=asked.obligation,
            circumstances_precluding=asked.precluding,
            claimed_consequence=asked.consequence,
            reviewed_by=asked.reviewed_by,
        )
        made = made_or_later(work, FINDING, says, asked.instead)
        keep(work, "attribution finding", [made], stated(work, asked, dossier, dossier.id))
    return Told(
        {"id": made["id"], "draft": draft, "articles": [article_of(word).as_json() for word in articles]},
        [
            f"The {asked.role} finding stands as {made['id']}.",
            *(f"{fact.id}: {fact.text} ({fact.mark})." for fact in map(article_of, articles)),
        ],
    )


_WHAT: Final[Mapping[str, Literal["dossier", "assessment", "finding"]]] = {
    DOSSIER.name: "dossier",
    ASSESSMENT.name: "assessment",
    FINDING.name: "finding",
}


class Differ(Like, kw_only=True, forbid_unknown_fields=True):
    """Dissent from a dossier, an assessment or a finding, ours or another's; what is said stays."""

    about: Annotated[str, Meta(description="The id of the dossier, the assessment or the finding.", extra=PLACED)]
    say: Annotated[str, SAY]
    who: Annotated[str | None, Meta(description="Who within our party dissents, such as the legal service.")] = None


def differ(node: Node, asked: Differ, officer: str) -> Told:
    """Mint a dissent."""
    with deed(node, officer) as work:
        about = one(work.tx, node.party, asked.about, *JUDGED)
        dossier = about.id if about.type == DOSSIER.name else about.says.dossier_ref
        draft = about.by == node.party and is_draft(about, node.party)
        says = Dissent(
            dossier_ref=dossier,
            about=_WHAT[about.type],
            about_ref=about.id,
            addressed_to=(node.party,) if draft else (),
            text=not_empty(asked.say, "--say"),
            who=asked.who,
        )
        made = minted(work, DISSENT, says)
        cases = [] if dossier is None else [dossier]
        keep(work, "attribution dissent", [made], stated(work, asked, about, *cases))
    return Told(
        {"id": made["id"], "draft": draft},
        [f"The dissent stands as {made['id']}; it is shown with {about.id} each time."],
    )


class Withdraw(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Withdraw a dissent of ours; it goes on being shown, as withdrawn, with the reason."""

    dissent: Annotated[str, Meta(description="The id of the dissent.", extra=PLACED)]
    reason: Annotated[str, Meta(description="Why it is withdrawn.")]


def withdraw(node: Node, asked: Withdraw, officer: str) -> Told:
    """A later version of a dissent that is withdrawn."""
    with deed(node, officer) as work:
        said = ours(work.tx, node.party, asked.dissent, DISSENT)
        if said.says.withdrawn is not None:
            raise NotAllowed(
                "already-done", f"{asked.dissent} is withdrawn already; a new dissent says something else."
            )
        before = our_own(work.tx, node.party, asked.dissent)
        made = next_version(before.data, {"withdrawn": not_empty(asked.reason, "--reason")}, work.at)
        cases = [] if said.says.dossier_ref is None else [said.says.dossier_ref]
        keep(work, "attribution withdraw", [made], stated(work, None, said, *cases))
    return Told({"id": asked.dissent}, [f"{asked.dissent} is withdrawn, and is shown as that."])


DEEDS = (
    DeskDeed("attribution finding", "sign", Find, find),
    DeskDeed("attribution dissent", "sign", Differ, differ),
    DeskDeed("attribution withdraw", "sign", Withdraw, withdraw),
)
