"""The life of a measure after its decision: who joins, what each party does, what it brings about, and when it is looked at again.

Each is a word of the party that says it, about itself. The author's steps are the measure's; another party's are its part in it.
"""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from msgspec import Meta

from comity.desks.measures.kinds import EFFECT, JOINING, LISTING, MEASURE, STEP, Effect, Joining, Step, Word
from comity.desks.measures.listings import listing_json, listing_lines
from comity.desks.measures.standing import Standing, deciding_json, standing, standing_json
from comity.desks.measures.stating import keep, moment, stated
from comity.desks.measures.toolbox import COUNTERMEASURE, checklist, option
from comity.desks.measures.words import all_of, one
from comity.kernel.errors import ComityError, NotAllowed, Usage
from comity.kernel.model.ids import type_of
from comity.kernel.model.instants import Instant, format
from comity.kernel.store.ports import Reading
from comity.node.context import Deed, Node
from comity.node.deeds import deed
from comity.node.desk import PLACED, DeskDeed, Like, Lines, Told
from comity.node.parties import name_of
from comity.node.saying import minted

THE_MEASURE = Meta(description="The measure's id.", extra=PLACED)
REASON = Meta(description="Why, told to all who may see it.")


def _keep(
    work: Deed, asked: Like, found: Standing, name: str, kind: Any, says: msgspec.Struct, told: dict[str, Any]
) -> dict[str, Any]:
    made = minted(work, kind, says)
    keep(work, name, [made], stated(work, asked, found.measure.seen, found.measure.id))
    return {"id": made["id"], "measure": found.measure.id, **told}


class Join(Like, kw_only=True, forbid_unknown_fields=True):
    """Join a measure that was adopted, from a day on, with a reservation where there is one."""

    measure: Annotated[str, THE_MEASURE]
    from_: Annotated[str | None, Meta(description="From when: a day or an instant; without it, now.")] = msgspec.field(
        name="from", default=None
    )
    reservation: Annotated[str | None, Meta(description="With which reservation.")] = None


def join(node: Node, asked: Join, officer: str) -> Told:
    """Mint a joining."""
    with deed(node, officer) as work:
        found = standing(work.tx, node.party, asked.measure, work.at)
        if found.adopted is None:
            raise NotAllowed(
                "measure-state",
                f"{asked.measure} is {found.state}; a measure is joined once it is known here to be adopted.",
            )
        since = moment(asked.from_, "--from", work.at)
        says = Joining(
            measure_ref=asked.measure,
            starts=format(work.at if since is None else since),
            reservation=asked.reservation,
        )
        shape = _keep(work, asked, found, "measure join", JOINING, says, {"from": says.starts})
    return Told(shape, [f"We join {found.measure.says.name} from {says.starts}."])


class Execute(Like, kw_only=True, forbid_unknown_fields=True):
    """Say that a measure, or our part in it, is carried out, from when and until when."""

    measure: Annotated[str, THE_MEASURE]
    reason: Annotated[str, REASON]
    on: Annotated[str | None, Meta(description="From when; in the future it is scheduled. Without it, now.")] = None
    until: Annotated[str | None, Meta(description="Until when: a day, an instant, or P1Y from now.")] = None


class Review(Like, kw_only=True, forbid_unknown_fields=True):
    """Say that a measure, or our part in it, is under review, and when the next review is due."""

    measure: Annotated[str, THE_MEASURE]
    reason: Annotated[str, REASON]
    until: Annotated[str | None, Meta(description="When the next review is due: a day, an instant, or P6M.")] = None


class Renew(Like, kw_only=True, forbid_unknown_fields=True):
    """Renew a measure, or our part in it, until a day, when it is to be reviewed again."""

    measure: Annotated[str, THE_MEASURE]
    reason: Annotated[str, REASON]
    until: Annotated[str, Meta(description="Until when: a day, an instant, or P1Y from now.")]


class Lift(Like, kw_only=True, forbid_unknown_fields=True):
    """Lift a measure, or our part in it; what was done stays on the record."""

    measure: Annotated[str, THE_MEASURE]
    reason: Annotated[str, REASON]
    on: Annotated[str | None, Meta(description="From when; without it, now.")] = None


def execute(node: Node, asked: Execute, officer: str) -> Told:
    """Mint the step `executed`."""
    return _step(node, asked, officer, "executed", asked.on, asked.until)


def review(node: Node, asked: Review, officer: str) -> Told:
    """Mint the step `under-review`."""
    return _step(node, asked, officer, "under-review", None, asked.until)


def renew(node: Node, asked: Renew, officer: str) -> Told:
    """Mint the step `renewed`."""
    return _step(node, asked, officer, "renewed", None, asked.until)


def lift(node: Node, asked: Lift, officer: str) -> Told:
    """Mint the step `lifted`."""
    return _step(node, asked, officer, "lifted", asked.on, None)


def _step(
    node: Node, asked: Execute | Review | Renew | Lift, officer: str, word: Word, on: str | None, until: str | None
) -> Told:
    if not asked.reason.strip():
        raise Usage("desk-asked", "Say --reason: the others read it, and so does the next review.")
    with deed(node, officer) as work:
        found = standing(work.tx, node.party, asked.measure, work.at)
        mine = _may(found, node.party, word)
        at, end = moment(on, "--on", work.at), moment(until, "--until", work.at)
        begins = work.at if at is None else at
        if end is not None and end <= begins:
            raise Usage("desk-asked", f"--until {format(end)} lies before {format(begins)}, when it begins.")
        decided = next((item.case.id for item in reversed(found.deciding) if item.adopted), None)
        says = Step(
            measure_ref=asked.measure,
            says=word,
            starts=format(begins),
            reason=asked.reason,
            until=None if end is None else format(end),
            case=decided if mine else None,
        )
        shape = _keep(
            work,
            asked,
            found,
            f"measure {_VERB[word]}",
            STEP,
            says,
            {"says": word, "from": says.starts, "until": says.until},
        )
    what = found.measure.says.name if mine else f"our part in {found.measure.says.name}"
    return Told(shape, [f"We say of {what}: {word}{f', until {says.until}' if says.until else ''}."])


_VERB = {"executed": "execute", "under-review": "review", "renewed": "renew", "lifted": "lift"}


def _may(found: Standing, us: str, word: Word) -> bool:
    """Whether the step is the measure's own; False where it is our part in another's.

    Raises:
        NotAllowed: `measure-state`.
    """
    title, mine = found.measure.says.name, found.measure.by == us
    if mine and found.adopted is None:
        raise NotAllowed("measure-state", f"{title} is {found.state}; it is decided first (comity measure decide).")
    if not mine and all(item.party != us for item in found.joined):
        raise NotAllowed(
            "measure-state", f"We have not joined {title}, so there is no part of ours in it (comity measure join)."
        )
    did = [said.says.says for said in found.steps if said.by == us]
    if word != "executed" and not did:
        raise NotAllowed("measure-state", f"{title} was not carried out by us yet (comity measure execute).")
    if did and did[-1] == "lifted":
        raise NotAllowed("measure-state", f"{title} was lifted by us; propose a new measure.")
    return mine


class SayEffect(Like, kw_only=True, forbid_unknown_fields=True):
    """Report what a measure brought about, as we saw it."""

    measure: Annotated[str, THE_MEASURE]
    say: Annotated[str, Meta(description="What was seen.")]
    observed: Annotated[str | None, Meta(description="When it was seen; without it, now.")] = None


def effect(node: Node, asked: SayEffect, officer: str) -> Told:
    """Mint an effect."""
    if not asked.say.strip():
        raise Usage("desk-asked", "Say --say: what was seen.")
    with deed(node, officer) as work:
        found = standing(work.tx, node.party, asked.measure, work.at)
        at = moment(asked.observed, "--observed", work.at)
        says = Effect(measure_ref=asked.measure, says=asked.say, observed_at=format(work.at if at is None else at))
        shape = _keep(work, asked, found, "measure effect", EFFECT, says, {"observed_at": says.observed_at})
    return Told(shape, [f"Reported as {shape['id']}."])


class List(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """List measures: how each stands, who joined, when the next review is due; overdue reviews come first."""

    overdue: Annotated[bool, Meta(description="Only those whose review is overdue.")] = False


def list_(node: Node, asked: List, officer: str) -> Told:
    """The measures."""
    now, us = node.clock(), node.party
    with node.store.read() as tx:
        words = all_of(tx, us, MEASURE)
        found = [standing(tx, us, id, now) for id in dict.fromkeys(said.id for said in words.said)]
        found = [item for item in found if item.overdue(now) or not asked.overdue]
        found.sort(key=lambda item: (not item.overdue(now), _due(item), item.measure.id))
        shape = [standing_json(tx, item, now) for item in found]
        defects = [one.as_json(tx) for one in words.defects]
        rows = [
            (
                item.measure.says.name,
                item.measure.says.option,
                item.measure.named(tx),
                item.state,
                ", ".join(name_of(tx, one.party) for one in item.joined) or "nobody",
                _told(item, now),
                item.measure.id,
            )
            for item in found
        ]
    lines = Lines().table(("measure", "option", "by", "state", "joined", "next review", "id"), rows)
    lines.add(*(f"Defect: {one.sentence}" for one in words.defects))
    return Told({"measures": shape, "defects": defects}, lines.found or ["There is no measure."])


def _due(item: Standing) -> Instant:
    return 1 << 62 if item.review_on is None else item.review_on


def _told(item: Standing, now: Instant) -> str:
    if item.review_on is None:
        return "none said"
    return f"{format(item.review_on)}{' OVERDUE' if item.overdue(now) else ''}"


class Show(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Show a measure or a listing proposal: what was decided by whom, who joined when, what was done, with what effect."""

    id: Annotated[str, Meta(description="The id of a measure or of a listing proposal.", extra=PLACED)]


def show(node: Node, asked: Show, officer: str) -> Told:
    """One measure, or one listing."""
    now, us = node.clock(), node.party
    with node.store.read() as tx:
        if type_of(asked.id) == LISTING.name:
            listing = one(tx, us, asked.id, LISTING)
            return Told(listing_json(tx, us, listing, now), listing_lines(tx, us, listing, now))
        found = standing(tx, us, asked.id, now)
        shape = standing_json(tx, found, now)
        shape["option"] = _option(found)
        if found.measure.says.option == COUNTERMEASURE:
            shape["checklist"] = {**checklist(), "answers": dict(found.measure.says.checklist)}
        return Told(shape, _lines(tx, found, shape, now).found)


def _option(found: Standing) -> dict[str, Any] | None:
    """What the toolbox that ships here says of its option; None where it has none of that name."""
    try:
        return option(found.measure.says.option).as_json(found.measure.says.claim_level)
    except ComityError:
        return None


def _lines(tx: Reading, found: Standing, shape: dict[str, Any], now: Instant) -> Lines:
    says, told = found.measure.says, shape["option"]
    lines = Lines().add(
        f"{says.name} ({found.measure.id}), by {found.measure.named(tx)}, {found.measure.tlp or 'unmarked'}",
        f"State: {found.state}. Next review: {_told(found, now)}. Ends: {shape['ends'] or 'not said'}.",
        f"Option {says.option}: {'not in the toolbox here' if told is None else told['label'] + ' (' + told['mark'] + ')'}.",
        f"About: {', '.join(says.about_refs) or 'not shown'}.",
    )
    for name in ("aim", "target", "conditions", "escalation_risk", "human_rights", "waived"):
        if getattr(says, name):
            lines.add(f"{name.replace('_', ' ').capitalize()}: {getattr(says, name)}")
    lines.add(*(f"Legal basis: {text}" for text in says.legal_basis))
    lines.add(*(f"Proportionality, {factor}: {text}" for factor, text in says.proportionality.items()))
    if "checklist" in shape:
        lines.add("Checklist before a countermeasure; it decides nothing (unconfirmed):")
        lines.add(
            *(f"  {p['text']}: {says.checklist.get(p['id'], 'not answered')}" for p in shape["checklist"]["points"])
        )
        lines.add(*(f"  {one['id']}: {one['text']} ({one['mark']})" for one in shape["checklist"]["articles"]))
    for item in (*found.deciding, *found.apart):
        decided = deciding_json(tx, item)
        apart = " It is not its author's, and does not count." if item in found.apart else ""
        lines.add(
            f"Decision by {item.rule}, convened by {decided['name']}: {decided['state']} ({item.case.id}).{apart}"
        )
        if decided["decision"] is not None:
            lines.add(decided["decision"]["sentence"])
            lines.table(
                ("party", "counts", "why", "in its own words"),
                [
                    (
                        one["name"],
                        one["counted"],
                        one["sentence"],
                        "; ".join(filter(None, (one.get("said"), one.get("recorded")))),
                    )
                    for one in decided["decision"]["reasons"]
                ],
            )
    lines.table(
        ("joined", "from", "reservation", "does", "by"),
        [(one["name"], one["from"], one["reservation"], one["does"], one["how"]) for one in shape["joined"]],
    )
    lines.table(
        ("step", "by", "at", "until", "reason"),
        [(one.says.says, one.named(tx), one.says.starts, one.says.until, one.says.reason) for one in found.steps],
    )
    lines.table(
        ("effect", "reported by", "seen at", "reported at"),
        [(one.says.says, one.named(tx), one.says.observed_at, format(one.at)) for one in found.effects],
    )
    lines.add(*(f"Listing proposed: {one.id}, by {one.named(tx)}." for one in found.listings))
    lines.add(*(f"Nobody vouches for {one.type} {one.id}: {one.named(tx)}." for one in found.strange))
    return lines.add(*found.doubts)


DEEDS = (
    DeskDeed("measure join", "sign", Join, join),
    DeskDeed("measure execute", "sign", Execute, execute),
    DeskDeed("measure review", "sign", Review, review),
    DeskDeed("measure renew", "sign", Renew, renew),
    DeskDeed("measure lift", "sign", Lift, lift),
    DeskDeed("measure effect", "take in", SayEffect, effect),
    DeskDeed("measure show", "read", Show, show),
    DeskDeed("measure list", "read", List, list_),
)
