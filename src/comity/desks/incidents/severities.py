"""Severity of an incident: each party in its own scheme, and beside its word what the data map it to; never instead of it."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from msgspec import Meta

from comity.desks.incidents.kinds import INCIDENT, SEVERITY, Severity
from comity.desks.incidents.opening import THE_INCIDENT
from comity.desks.incidents.schemes import mapped, schemes
from comity.desks.incidents.stating import keep, minted, stated
from comity.desks.incidents.words import Said, about, one
from comity.kernel.errors import Usage
from comity.kernel.model.instants import format
from comity.node.context import Node
from comity.node.deeds import deed
from comity.node.desk import DeskDeed, Like, Lines, Told
from comity.node.minting import next_version


class Say(Like, kw_only=True, forbid_unknown_fields=True):
    """Say how severe an incident is to us, in our own scheme."""

    incident: Annotated[str, THE_INCIDENT]
    scheme: Annotated[str, Meta(description="The scheme, such as us-nciss, or the address of one of your own.")]
    level: Annotated[str, Meta(description="The level, in the scheme's own word.")]
    reason: Annotated[str | None, Meta(description="Why.")] = None


def say(node: Node, asked: Say, officer: str) -> Told:
    """Mint a level, or a later version of ours in this scheme."""
    known = schemes().get(asked.scheme)
    if known is None and ":" not in asked.scheme:
        raise Usage(
            "desk-asked",
            f"{asked.scheme!r} is no scheme that is known here ({', '.join(schemes())}); one of your own is named by its "
            "address, such as https://cert.example/levels.",
        )
    if known is not None and asked.level not in known.levels:
        raise Usage(
            "desk-asked",
            f"{asked.level!r} is no level of {asked.scheme}; its levels are {', '.join(known.levels)}.",
        )
    with deed(node, officer) as work:
        incident = one(work.tx, node.party, asked.incident, INCIDENT)
        says = Severity(incident_ref=asked.incident, scheme=asked.scheme, level=asked.level, reason=asked.reason)
        before = [
            said
            for said in about(work.tx, node.party, asked.incident).of(SEVERITY)
            if said.by == node.party and said.says.scheme == asked.scheme
        ]
        made = minted(work, SEVERITY, says)
        if before:
            changed = {"level": asked.level, "reason": asked.reason}
            made = next_version(before[-1].seen.data, changed, work.at)
        keep(work, "incident severity", [made], stated(work, asked, incident.seen, asked.incident))
    found = [one.as_json() for one in mapped(asked.scheme, asked.level)]
    lines = [f"{asked.scheme}: {asked.level}.", *(one.words for one in mapped(asked.scheme, asked.level))]
    return Told({"object": made["id"], "mapped": found}, lines)


class List(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """List how severe each party says an incident is, in its own word, and what that maps to."""

    incident: Annotated[str, THE_INCIDENT]


def list_(node: Node, asked: List, officer: str) -> Told:
    """The levels."""
    with node.store.read() as tx:
        one(tx, node.party, asked.incident, INCIDENT)
        words = about(tx, node.party, asked.incident)
        found = words.of(SEVERITY)
        rows = [
            (
                said.named(tx),
                said.says.scheme,
                said.says.level,
                format(said.at),
                "; ".join(item.words for item in mapped(said.says.scheme, said.says.level)) or "no mapping is known",
            )
            for said in found
        ]
        shape = {
            "severity": [level_json(said, tx) for said in found],
            "defects": [defect.as_json(tx) for defect in words.defects],
        }
    lines = Lines().table(("by", "scheme", "level", "said at", "maps to"), rows).found
    return Told(shape, lines or ["Nobody said how severe it is."])


def level_json(said: Said, tx: Any) -> dict[str, Any]:
    """A party's own level, what the data say of its scheme, and what it maps to."""
    scheme = schemes().get(said.says.scheme)
    return {
        **said.as_json(tx),
        "scheme": None
        if scheme is None
        else {"title": scheme.title, "sources": list(scheme.sources), "verified": scheme.verified},
        "mapped": [one.as_json() for one in mapped(said.says.scheme, said.says.level)],
    }


DEEDS = (
    DeskDeed("incident severity say", "take in", Say, say),
    DeskDeed("incident severity list", "read", List, list_),
)
