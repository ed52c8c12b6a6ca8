"""Incidents themselves: opened, changed, closed by the party whose they are; shown and listed as each party says them."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from msgspec import Meta

from comity.desks.incidents.kinds import CORE, INCIDENT, Determination, Impact, Incident, Investigation
from comity.desks.incidents.stating import keep, minted, stated
from comity.desks.incidents.words import Said, Sighted, about, all_of, core_of, economic_of, of_id, one
from comity.kernel.model.instants import format
from comity.node.context import Node
from comity.node.deeds import deed
from comity.node.desk import PLACED, DeskDeed, Like, Lines, Shared, Told
from comity.node.minting import next_version, our_own

THE_INCIDENT = Meta(description="The incident's id.", extra=PLACED)


class Open(Shared, kw_only=True, forbid_unknown_fields=True):
    """Open an incident of ours."""

    name: Annotated[str, Meta(description="What it is called.", extra=PLACED)]
    description: Annotated[str | None, Meta(description="What is known of it.")] = None
    determination: Annotated[
        Determination, Meta(description="suspected, confirmed, blocked, failed-attempt or false-positive.")
    ] = "suspected"
    kind: Annotated[tuple[str, ...], Meta(description="Kind of incident, such as ransomware; once for each.")] = ()
    detected_by: Annotated[
        tuple[str, ...], Meta(description="How it was found, such as human-review; once for each.")
    ] = ()


def open_(node: Node, asked: Open, officer: str) -> Told:
    """Mint an incident."""
    with deed(node, officer) as work:
        made = minted(work, INCIDENT, Incident(name=asked.name, description=asked.description))
        made["extensions"][CORE] |= {
            "determination": asked.determination,
            "investigation_status": "new",
            **({"incident_types": list(asked.kind)} if asked.kind else {}),
            **({"detection_methods": list(asked.detected_by)} if asked.detected_by else {}),
        }
        keep(work, "incident open", [made], stated(work, asked, None, made["id"]))
    return Told({"object": made["id"]}, [f"The incident {asked.name} is open as {made['id']}."])


class Change(Like, kw_only=True, forbid_unknown_fields=True):
    """Say something else of an incident of ours; what is not said stays."""

    incident: Annotated[str, THE_INCIDENT]
    name: Annotated[str | None, Meta(description="What it is called.")] = None
    description: Annotated[str | None, Meta(description="What is known of it.")] = None
    determination: Annotated[
        Determination | None, Meta(description="suspected, confirmed, blocked, failed-attempt or false-positive.")
    ] = None
    investigation: Annotated[Investigation | None, Meta(description="new, open or closed.")] = None
    kind: Annotated[tuple[str, ...], Meta(description="Kind of incident, instead of those said; once for each.")] = ()


def change(node: Node, asked: Change, officer: str) -> Told:
    """A later version of an incident of ours."""
    return _later(node, asked, officer, "incident change", "changed")


class Close(Like, kw_only=True, forbid_unknown_fields=True):
    """Close an incident of ours: our own work on it is over; what others say of it goes on."""

    incident: Annotated[str, THE_INCIDENT]
    determination: Annotated[Determination | None, Meta(description="What it turned out to be.")] = None


def close(node: Node, asked: Close, officer: str) -> Told:
    """A later version of an incident of ours that is closed."""
    return _later(node, asked, officer, "incident close", "closed")


def _later(node: Node, asked: Change | Close, officer: str, name: str, word: str) -> Told:
    with deed(node, officer) as work:
        before = our_own(work.tx, node.party, asked.incident)
        core: dict[str, Any] = dict(before.data["extensions"].get(CORE) or {"extension_type": INCIDENT.form})
        says: dict[str, Any] = {}
        if isinstance(asked, Close):
            core["investigation_status"] = "closed"
        else:
            says = {key: getattr(asked, key) for key in ("name", "description") if getattr(asked, key) is not None}
            core["investigation_status"] = asked.investigation or _going_on(core)
            if asked.kind:
                core["incident_types"] = list(asked.kind)
        if asked.determination is not None:
            core["determination"] = asked.determination
        extensions = {**before.data["extensions"], CORE: core}
        made = next_version(before.data, {**says, "extensions": extensions}, work.at)
        keep(work, name, [made], stated(work, asked, before, asked.incident))
    return Told({"object": asked.incident, "at": made["modified"]}, [f"{asked.incident} is {word}."])


def _going_on(core: dict[str, Any]) -> str:
    """A new incident is one on which nothing was done yet (Incident Extension Suite, incident-investigation-ov)."""
    return "open" if core.get("investigation_status") in (None, "new") else str(core["investigation_status"])


class Show(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Show an incident and everything that is said about it here, each by whose word and when."""

    incident: Annotated[str, THE_INCIDENT]


def show(node: Node, asked: Show, officer: str) -> Told:
    """An incident with its parts."""
    with node.store.read() as tx:
        one(tx, node.party, asked.incident, INCIDENT)
        held, words = of_id(tx, node.party, asked.incident), about(tx, node.party, asked.incident)
        found = held.said
        defects = [defect.as_json(tx) for defect in (*held.defects, *words.defects)]
        shape = {
            "incident": asked.incident,
            "words": [incident_json(said, tx) for said in found],
            "about": [said.as_json(tx) for said in words.said],
            "defects": defects,
        }
        lines = Lines()
        for said in found:
            lines.add(headline(said, said.named(tx)))
        lines.table(
            ("what", "says", "by", "at", "object"),
            [(said.type, brief(said), said.named(tx), format(said.at), said.id) for said in words.said],
        )
        lines.add(*(f"Defect, from {defect['name']}: {defect['sentence']}" for defect in defects))
    return Told(shape, lines.found)


class List(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """List the incidents held here, each by whose word."""

    all: Annotated[bool, Meta(description="The closed ones too.")] = False


def list_(node: Node, asked: List, officer: str) -> Told:
    """The incidents."""
    with node.store.read() as tx:
        words = all_of(tx, node.party, INCIDENT)
        found = [said for said in words.said if asked.all or core_of(said.seen.data).investigation_status != "closed"]
        rows = [
            (
                said.id,
                said.says.name or "(name not shown)",
                core_of(said.seen.data).determination,
                core_of(said.seen.data).investigation_status,
                said.named(tx),
                said.tlp,
            )
            for said in found
        ]
        shape = {
            "incidents": [incident_json(said, tx) for said in found],
            "defects": [defect.as_json(tx) for defect in words.defects],
        }
    lines = Lines().table(("incident", "name", "determination", "investigation", "by", "TLP"), rows).found
    return Told(shape, lines or ["No incident is open here."])


def incident_json(said: Said, tx: Any) -> dict[str, Any]:
    """What one party says of the incident itself, its core extension with it."""
    return {**said.as_json(tx), "core": msgspec.to_builtins(core_of(said.seen.data))}


def headline(said: Said, by: str) -> str:
    """One line on an incident, as one party says it."""
    core = core_of(said.seen.data)
    return (
        f"{said.says.name or '(name not shown)'}: {core.determination or 'determination not shown'}, "
        f"{core.investigation_status or 'investigation not shown'}, by {by}, {format(said.at)}, TLP {said.tlp or 'unmarked'}"
    )


def brief(said: Said) -> str:
    """The word of an object in a few words."""
    says = said.says
    if isinstance(says, Impact):
        return _short(_impact(said))
    if isinstance(says, Sighted):
        return f"{seen_word(says.count)}: {says.sighting_of_ref}"
    for name in ("says", "level", "event", "outcome", "status", "need", "offers", "count"):
        value = getattr(says, name, None)
        if value is not None:
            title = getattr(says, "name", None) or getattr(says, "scheme", None)
            return _short(f"{value} ({title})" if title else str(value))
    return ""


def _impact(said: Said) -> str:
    money = economic_of(said.seen.data)
    if money is None or money.currency is None:
        return str(said.says.impact_category)
    source = f", source: {said.part.source}" if said.part.source else ", no source is given"
    return f"{money.variety}: {money.min_amount:,} to {money.max_amount:,} {money.currency}{source}"


def seen_word(count: int | None) -> str:
    """What the count of a sighting says; 0 is looked for and not seen."""
    if count == 0:
        return "looked for, not seen"
    return "seen" if count is None else f"seen {count:,} times"


def _short(text: str) -> str:
    return text if len(text) <= 100 else text[:97] + "..."


DEEDS = (
    DeskDeed("incident open", "take in", Open, open_),
    DeskDeed("incident change", "take in", Change, change),
    DeskDeed("incident close", "take in", Close, close),
    DeskDeed("incident show", "read", Show, show),
    DeskDeed("incident list", "read", List, list_),
)
