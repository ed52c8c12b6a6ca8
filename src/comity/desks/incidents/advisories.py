"""Vulnerability notices and advisories: drafted, and published under an embargo that nobody gets past.

A draft has no recipient, so no clause and no officer's word lets it go. What is published is a later version under the embargo that is
stated, or under none; from its instant on it goes to whom it may go. Until then no reader can tell that there is one. UN norm 13(j).
"""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import Meta

from comity.desks.incidents.facts import norm
from comity.desks.incidents.kinds import ADVISORY, INCIDENT, VULNERABILITY, Advisory
from comity.desks.incidents.stating import keep, minted, stated
from comity.desks.incidents.words import Said, all_of, one
from comity.kernel.errors import NotAllowed
from comity.kernel.model.instants import Instant, format
from comity.kernel.store.rows import Holding
from comity.node.context import Node
from comity.node.deeds import deed
from comity.node.desk import PLACED, DeskDeed, Like, Lines, Shared, Told
from comity.node.minting import next_version, our_own

NOBODY: Final[frozenset[str]] = frozenset()
"""The recipients of a draft: a holding that leaves no recipient goes to nobody (docs/decision.md, `recipient-left`)."""


class Draft(Shared, kw_only=True, forbid_unknown_fields=True):
    """Draft a vulnerability notice or an advisory; it goes to nobody before it is published."""

    name: Annotated[str, Meta(description="Its title.", extra=PLACED)]
    kind: Annotated[Literal["notice", "advisory"], Meta(description="notice or advisory.")] = "advisory"
    text: Annotated[str | None, Meta(description="What it says.")] = None
    incident: Annotated[str | None, Meta(description="The incident it belongs to.")] = None
    vulnerability: Annotated[
        tuple[str, ...], Meta(description="The id of a vulnerability it is about; once for each.")
    ] = ()
    product: Annotated[tuple[str, ...], Meta(description="A product it is about; once for each.")] = ()
    remedy: Annotated[str | None, Meta(description="What is to be done.")] = None


def draft(node: Node, asked: Draft, officer: str) -> Told:
    """Mint a draft."""
    kind = ADVISORY if asked.kind == "advisory" else VULNERABILITY
    with deed(node, officer) as work:
        cases = []
        if asked.incident is not None:
            one(work.tx, node.party, asked.incident, INCIDENT)
            cases = [asked.incident]
        says = Advisory(
            incident_ref=asked.incident,
            state="draft",
            name=asked.name,
            text=asked.text,
            products=asked.product,
            remedy=asked.remedy,
            vulnerability_refs=asked.vulnerability,
        )
        made = minted(work, kind, says)
        keep(work, "advisory draft", [made], replace(stated(work, asked, None, *cases), recipients=NOBODY))
    return Told(
        {"object": made["id"], "norm": norm("13j")},
        [
            f"The draft stands as {made['id']}; it goes to nobody before comity advisory publish.",
            norm("13j")["sentence"],
        ],
    )


class Publish(Like, kw_only=True, forbid_unknown_fields=True):
    """Publish a draft of ours: from its embargo on it goes to whom it may go."""

    advisory: Annotated[str, Meta(description="The draft's id.", extra=PLACED)]
    text: Annotated[str | None, Meta(description="What it says, instead of what the draft says.")] = None
    remedy: Annotated[str | None, Meta(description="What is to be done.")] = None


def publish(node: Node, asked: Publish, officer: str) -> Told:
    """A later version of a draft, under the embargo that is stated, or under none."""
    with deed(node, officer) as work:
        said = one(work.tx, node.party, asked.advisory, ADVISORY, VULNERABILITY)
        before = our_own(work.tx, node.party, asked.advisory)
        if said.says.state == "published":
            raise NotAllowed("already-done", f"{asked.advisory} is published; draft a new one that says what changed.")
        cases = [ref for ref in (said.says.incident_ref,) if ref is not None]
        handling = stated(work, asked, before, *cases)
        handling = replace(handling, recipients=asked.handling(work.at).recipients)  # those of the draft were nobody
        embargo = None if handling.embargo is None else format(handling.embargo)
        says: dict[str, Any] = {"state": "published", "embargo": embargo}
        says |= {key: getattr(asked, key) for key in ("text", "remedy") if getattr(asked, key) is not None}
        made = next_version(before.data, says, work.at)
        keep(work, "advisory publish", [made], handling)
    until = f"from {embargo} on" if embargo is not None else "now"
    return Told({"object": asked.advisory, "embargo": embargo}, [f"{asked.advisory} goes to whom it may go {until}."])


class List(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """List notices and advisories with their state and their embargo."""


def list_(node: Node, asked: List, officer: str) -> Told:
    """The advisories; ours with their drafts."""
    now = node.clock()
    with node.store.read() as tx:
        words = all_of(tx, node.party, ADVISORY, VULNERABILITY)
        lines = []
        for said in words.said:
            holding = next((row for row in tx.find(Holding, version=said.seen.version, ended=None)), None)
            embargo = None if holding is None else holding.embargo
            lines.append({**said.as_json(tx), "state": _state(said, embargo, now)})
        rows = [
            (
                said.type.removeprefix("x-comity-"),
                said.says.name,
                line["state"],
                said.says.embargo,
                said.named(tx),
                said.id,
            )
            for said, line in zip(words.said, lines, strict=True)
        ]
        defects = [defect.as_json(tx) for defect in words.defects]
    table = Lines().table(("what", "title", "state", "embargo", "by", "object"), rows)
    table.add(*(f"Defect, from {defect['name']}: {defect['sentence']}" for defect in defects))
    return Told({"advisories": lines, "defects": defects}, table.found or ["There is no advisory."])


def _state(said: Said, embargo: Instant | None, now: Instant) -> str:
    if said.says.state == "draft":
        return "draft"
    return "under embargo" if embargo is not None and now < embargo else "published"


DEEDS = (
    DeskDeed("advisory draft", "take in", Draft, draft),
    DeskDeed("advisory publish", "take in", Publish, publish),
    DeskDeed("advisory list", "read", List, list_),
)
