"""How an incident stands at each party, by its own word: affected, checked and not affected, checking. Silence is none of these."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from comity.desks.incidents.kinds import INCIDENT, STATUS, Status
from comity.desks.incidents.opening import THE_INCIDENT
from comity.desks.incidents.stating import keep, minted, stated, when
from comity.desks.incidents.words import Said, about, one
from comity.kernel.errors import Usage
from comity.kernel.model.instants import format
from comity.node.context import Node
from comity.node.deeds import deed
from comity.node.desk import DeskDeed, Like, Told
from comity.node.minting import next_version
from comity.node.saying import Words


class Say(Like, kw_only=True, forbid_unknown_fields=True):
    """Say how an incident stands with us: affected, checked and not affected, or checking."""

    incident: Annotated[str, THE_INCIDENT]
    affected: Annotated[bool, Meta(description="We are affected.")] = False
    not_affected: Annotated[bool, Meta(description="We checked, and are not affected.")] = False
    checking: Annotated[bool, Meta(description="We are checking.")] = False
    scope: Annotated[str | None, Meta(description="What was looked at, such as: all mail servers.")] = None
    checked_at: Annotated[str | None, Meta(description="When it was looked at; without it, now.")] = None
    note: Annotated[str | None, Meta(description="A word to it.")] = None


def say(node: Node, asked: Say, officer: str) -> Told:
    """Mint a status, or a later version of ours."""
    words = {"affected": asked.affected, "not-affected": asked.not_affected, "checking": asked.checking}
    chosen = [word for word, said in words.items() if said]
    if len(chosen) != 1:
        raise Usage("desk-asked", "comity incident status: say one of --affected, --not-affected and --checking.")
    with deed(node, officer) as work:
        incident = one(work.tx, node.party, asked.incident, INCIDENT)
        at = when(asked.checked_at, "--checked-at")
        says = Status(
            incident_ref=asked.incident,
            says=chosen[0],  # type: ignore[arg-type]
            scope=asked.scope,
            checked_at=format(work.at if at is None else at),
            note=asked.note,
        )
        before = status_of(about(work.tx, node.party, asked.incident), node.party)
        made = minted(work, STATUS, says)
        if before is not None:
            changed = {name: made.get(name) for name in Status.__struct_fields__}
            made = next_version(before.seen.data, changed, work.at)
        keep(work, "incident status", [made], stated(work, asked, incident.seen, asked.incident))
    return Told({"object": made["id"], "says": chosen[0]}, [f"We say of {asked.incident}: {chosen[0]}."])


def status_of(words: Words[Said], party: str) -> Said | None:
    """The newest status a party gave of itself; None where it said nothing."""
    found = [said for said in words.of(STATUS) if said.by == party]
    return found[-1] if found else None


DEEDS = (DeskDeed("incident status", "take in", Say, say),)
