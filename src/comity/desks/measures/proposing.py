"""What could be done, and what a party proposes to do: the catalogue, the options for a case, and a measure proposed.

The catalogue and the options tell what the reference data say, each with its source and whether it was checked. They are in the data's
order, leave nothing out, recommend nothing and decide nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from comity.desks.measures.kinds import MEASURE, Measure
from comity.desks.measures.stating import keep, moment, stated
from comity.desks.measures.toolbox import (
    COUNTERMEASURE,
    FACTORS,
    NEEDED,
    READING,
    Option,
    checklist,
    option,
    options,
    pairs,
    principles,
    step_of,
)
from comity.kernel.errors import NotAllowed, Usage
from comity.kernel.model.ids import type_of
from comity.kernel.model.instants import format
from comity.kernel.release.vocabulary import TLP, strictest
from comity.kernel.store.ports import Reading
from comity.kernel.store.rows import Reference, Version
from comity.node.context import Node
from comity.node.deeds import deed
from comity.node.desk import PLACED, DeskDeed, Lines, Shared, Told
from comity.node.facts import Fact, fact
from comity.node.minting import newest
from comity.node.parties import name_of
from comity.node.saying import author, held, minted
from comity.node.scales import level_of

LEVEL = Meta(description="How far the claim goes that is there: 0 to 7, or the step's name (claim ladder).")


class Catalogue(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """List the measures of the toolbox, each with what it needs, its source, and whether it was checked."""

    category: Annotated[str | None, Meta(description="Only those of this category, such as restrictive.")] = None


def catalogue(node: Node, asked: Catalogue, officer: str) -> Told:
    """The toolbox."""
    every = options()
    categories = list(dict.fromkeys(one.category.id for one in every))
    if asked.category is not None and asked.category not in categories:
        raise Usage(
            "desk-asked",
            f"The toolbox has no category {asked.category[:40]!r}; there are {', '.join(categories)}.",
        )
    found = [one for one in every if asked.category in (None, one.category.id)]
    lines = Lines().table(
        ("option", "measure", "category", "attribution", "how sure"),
        [(one.id, one.about.text, one.category.text, one.needs, one.about.mark) for one in found],
    )
    return Told({"options": [one.as_json() for one in found], "reading": READING}, lines.found)


@dataclass(frozen=True, slots=True)
class Claim:
    """How far a statement or an assessment goes, and whose it is; None: nobody vouches for it.

    Args:
        tlp: Its TLP here; None: unmarked.
        named: Whether it is for named parties alone, as a draft is for its author.
    """

    object: str
    level: int
    by: str | None
    tlp: str | None
    named: bool

    def told_with(self, tlp: str | None) -> bool:
        """Whether its level may be told with what goes out under a TLP: it goes as far itself."""
        return not self.named and tlp is not None and self.tlp is not None and strictest(TLP, (self.tlp, tlp)) == tlp

    def as_json(self, tx: Reading) -> dict[str, Any]:
        """{object, claim_level, by, name}."""
        name = "unattributed" if self.by is None else name_of(tx, self.by)
        return {"object": self.object, "claim_level": self.level, "by": self.by, "name": name}


def claims(tx: Reading, us: str, ids: tuple[str, ...]) -> tuple[Claim, ...]:
    """The claims that these objects make, and those of what refers to them, as far as they are held here.

    A claim is any object with a step of the claim ladder in ``claim_level``, whichever desk or program made it.
    """
    every = dict.fromkeys(ids)
    for id in ids:
        for ref in tx.find(Reference, target=id):
            row = tx.get(Version, ref.version)
            if row is not None:
                every[row.id] = None
    found: dict[tuple[str, str | None], tuple[str, Claim]] = {}
    for id in every:
        for seen in newest(tx, us, str(type_of(id)), id=id):
            level, by, at = step_of(seen.data.get("claim_level")), author(seen, us), str(seen.data.get("modified", ""))
            if level is not None and (
                (id, by) not in found or found[id, by][0] < at
            ):  # a longer way brings older words
                found[id, by] = at, Claim(id, level, by, seen.tlp, bool(seen.data.get("addressed_to")))
    return tuple(claim for _, claim in found.values())


class Options(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Show what the toolbox offers for an incident or a dossier: conditions, basis, attribution; it recommends nothing."""

    incident: Annotated[tuple[str, ...], Meta(description="Incident it answers; once for each.")] = ()
    dossier: Annotated[tuple[str, ...], Meta(description="Attribution dossier it rests on; once for each.")] = ()
    statement: Annotated[tuple[str, ...], Meta(description="Statement it follows; once for each.")] = ()
    claim_level: Annotated[str | None, LEVEL] = None


def options_(node: Node, asked: Options, officer: str) -> Told:
    """The options."""
    ids = (*asked.incident, *asked.dossier, *asked.statement)
    if not ids:
        raise Usage("desk-asked", "Say what the measure is to answer: --incident, --dossier or --statement.")
    with node.store.read() as tx:
        for id in ids:
            held(tx, node.party, id)
        known = claims(tx, node.party, ids)
        told = [one.as_json(tx) for one in known]
    level, word = _level(asked.claim_level, known)
    every = options()
    shape = {
        "about": list(ids),
        "claim_level": level,
        "claim_level_from": word,
        "claims": told,
        "options": [
            {
                **one.as_json(level),
                "conditions": [part.as_json() for part in _conditions(one)],
                "proportionality": {"factors": list(FACTORS), **_sure(fact("toolbox", "principles.proportionate"))},
                **({"checklist": checklist()} if one.id == COUNTERMEASURE else {}),
            }
            for one in every
        ],
        "principles": [one.as_json() for one in principles()],
        "note": "What the data say, in their order. Nothing here recommends or decides.",
    }
    lines = Lines().add(
        f"Claim level: {'none is there' if level is None else level} ({word}).",
        f"To be stated for each measure, how it fits: {', '.join(FACTORS)}.",
    )
    lines.table(
        ("option", "measure", "attribution", "is it there", "how sure"),
        [(one.id, one.about.text, one.needs, _there(one, level), one.about.mark) for one in every],
    )
    for part in dict.fromkeys((*principles(), *(part for one in every for part in (*one.basis, *_conditions(one))))):
        lines.add(f"{part.list} {part.path}: {part.text} ({part.mark})")
    lines.add(f"Before a countermeasure ({COUNTERMEASURE}), a checklist that decides nothing (unconfirmed):")
    lines.add(*(f"  - {point['text']}" for point in checklist()["points"]))
    lines.add(f"Which claim is enough is {READING}. This recommends nothing and decides nothing.")
    return Told(shape, lines.found)


def _conditions(one: Option) -> tuple[Fact, ...]:
    """What the data name as conditions of an option, beside the principles that every option stands under."""
    if one.category.id == "restrictive":
        return (fact("toolbox", "sanctions_regime.scope"), fact("toolbox", "sanctions_regime.who_can_be_listed"))
    return ()


def _level(said: str | None, known: tuple[Claim, ...]) -> tuple[int | None, str]:
    """The claim level to go by, and where it comes from: the officer's word, else the highest that somebody vouches for."""
    if said is not None:
        return level_of(said).n, "as you say"
    vouched = [one for one in known if one.by is not None]
    if not vouched:
        return None, "no object held here claims one"
    highest = max(vouched, key=lambda one: one.level)
    return highest.level, f"the highest of {len(vouched)} that are held here, {highest.object}"


def _there(one: Option, level: int | None) -> str:
    return {True: "yes", False: "no", None: "not needed" if NEEDED[one.needs][0] == 0 else "cannot be said here"}[
        one.enough(level)
    ]


def _sure(one: Fact) -> dict[str, Any]:
    return {
        "text": one.text,
        "sources": [source.as_json() for source in one.sources],
        "version": one.as_of,
        "verified": one.verified,
    }


class Propose(Shared, kw_only=True, forbid_unknown_fields=True):
    """Propose a measure: an option of the toolbox, what it answers, on which conditions, and when it is to be reviewed."""

    title: Annotated[str, Meta(description="What the measure is called.", extra=PLACED)]
    option: Annotated[str, Meta(description="The option of the toolbox, such as S3.")]
    review: Annotated[str, Meta(description="When it is to be reviewed: a day, an instant, or P6M from now.")]
    incident: Annotated[tuple[str, ...], Meta(description="Incident it answers; once for each.")] = ()
    dossier: Annotated[tuple[str, ...], Meta(description="Attribution dossier it rests on; once for each.")] = ()
    statement: Annotated[tuple[str, ...], Meta(description="Statement it follows; once for each.")] = ()
    conditions_met: Annotated[str | None, Meta(description="Which conditions are met, and by what.")] = None
    proportionality: Annotated[
        tuple[str, ...], Meta(description="FACTOR=TEXT: how it fits the activity; once for each factor.")
    ] = ()
    basis_text: Annotated[tuple[str, ...], Meta(description="On which law it stands, in words; once for each.")] = ()
    claim_level: Annotated[str | None, LEVEL] = None
    waive_attribution: Annotated[
        str | None, Meta(description="Why it is proposed though the attribution it needs is not there.")
    ] = None
    check: Annotated[
        tuple[str, ...], Meta(description="POINT=TEXT of the checklist before a countermeasure; once for each.")
    ] = ()
    aim: Annotated[str | None, Meta(description="What it is to bring about.")] = None
    target: Annotated[str | None, Meta(description="Whom it addresses.")] = None
    escalation_risk: Annotated[str | None, Meta(description="What it may lead to.")] = None
    human_rights: Annotated[str | None, Meta(description="What it means for human rights.")] = None
    ends: Annotated[str | None, Meta(description="When it ends by itself: a day, an instant, or P1Y from now.")] = None


def propose(node: Node, asked: Propose, officer: str) -> Told:
    """Mint a measure."""
    ids = tuple(dict.fromkeys((*asked.incident, *asked.dossier, *asked.statement)))
    if not ids:
        raise Usage("desk-asked", "Say what the measure answers: --incident, --dossier or --statement.")
    if not asked.title.strip():
        raise Usage("desk-asked", "A measure has a title.")
    chosen = option(asked.option)
    factors = pairs(asked.proportionality, FACTORS, "--proportionality")
    points = checklist()["points"]
    if asked.check and chosen.id != COUNTERMEASURE:
        raise Usage("desk-asked", f"The checklist is for {COUNTERMEASURE}, a response under state responsibility.")
    checked = pairs(asked.check, tuple(point["id"] for point in points), "--check")
    with deed(node, officer) as work:
        for id in ids:
            held(work.tx, node.party, id)
        handling = stated(work, asked, None)
        every = claims(work.tx, node.party, ids)
        known = tuple(one for one in every if one.told_with(handling.tlp))
        level, word = _level(asked.claim_level, known)
        lacks = chosen.enough(level) is False
        if lacks and not (asked.waive_attribution or "").strip():
            least, why = NEEDED[chosen.needs]
            there = "none is there" if level is None else f"the one that is there is {level}"
            if len(known) < len(every):
                there += "; one that goes less far than this measure is told with it only where you say --claim-level"
            raise NotAllowed(
                "measure-attribution",
                f"{chosen.id} needs a claim of level {least} or above, and {there} ({word}). {why} Name the --statement or "
                "--dossier, say --claim-level, or --waive-attribution with a reason.",
            )
        review, ends = moment(asked.review, "--review", work.at), moment(asked.ends, "--ends", work.at)
        says = Measure(
            name=asked.title,
            option=chosen.id,
            category=chosen.category.id,
            about_refs=ids,
            aim=asked.aim,
            target=asked.target,
            conditions=asked.conditions_met,
            needs_attribution=chosen.needs,
            claim_level=level,
            claim_refs=tuple(one.object for one in known if one.by is not None and one.object not in ids),
            waived=asked.waive_attribution if lacks else None,
            proportionality=factors,
            legal_basis=asked.basis_text,
            checklist=checked,
            escalation_risk=asked.escalation_risk,
            human_rights=asked.human_rights,
            review_on=None if review is None else format(review),
            ends=None if ends is None else format(ends),
        )
        made = minted(work, MEASURE, says)
        keep(work, "measure propose", [made], stated(work, asked, None, *ids, str(made["id"])))
    unstated = [factor for factor in FACTORS if factor not in factors]
    unchecked = [point["text"] for point in points if point["id"] not in checked] if chosen.id == COUNTERMEASURE else []
    lines = Lines().add(f"Proposed as {made['id']}: {chosen.id}, {chosen.about.text} ({chosen.about.mark}).")
    if unstated:
        lines.add(f"Not stated of proportionality: {', '.join(unstated)}.")
    if unchecked:
        lines.add("The checklist decides nothing; not answered of it:", *(f"  - {text}" for text in unchecked))
    if lacks:
        lines.add(f"The attribution it needs is not there; waived: {asked.waive_attribution}")
    return Told(
        {
            "id": made["id"],
            "option": chosen.as_json(level),
            "not_stated": unstated,
            "not_checked": unchecked,
            "attribution_waived": lacks,
        },
        lines.found,
    )


DEEDS = (
    DeskDeed("measure catalogue", "read", Catalogue, catalogue),
    DeskDeed("measure options", "read", Options, options_),
    DeskDeed("measure propose", "sign", Propose, propose),
)
