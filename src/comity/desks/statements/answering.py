"""Later words: a statement that aligns with what others published, and the reply of a party that was accused.

Each is an act of its own by its own party. It names statements by id and changes nothing of them; a reply may name statements that were
never given to whoever replies, since what is public may have been read anywhere.
"""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from comity.desks.statements.drafting import own_draft
from comity.desks.statements.joint import fit_to_publish
from comity.desks.statements.kinds import KINDS, REPLY, STATEMENT, Recorded, Reply, Road, Statement, Status
from comity.desks.statements.stating import (
    Language,
    Reason,
    StatementId,
    TextFile,
    checked,
    keep,
    minted,
    public_handling,
    words_in,
)
from comity.desks.statements.words import one
from comity.kernel.errors import InputRefused, NotAllowed, Usage
from comity.kernel.model.ids import type_of
from comity.kernel.model.instants import format
from comity.kernel.model.names import legible
from comity.node import publishing
from comity.node.context import Node
from comity.node.deeds import deed
from comity.node.desk import PLACED, DeskDeed, Shared, Told
from comity.node.minting import next_version
from comity.node.scales import level_of
from comity.node.stating import country_code, instant

Named = Annotated[tuple[str, ...], Meta(description="The statements, by id.", extra=PLACED)]


class Align(Shared, kw_only=True, forbid_unknown_fields=True):
    """Say that we align with statements others published: a later word of our own, which changes none of theirs."""

    statement: Named
    language: Language
    text: TextFile
    title: Annotated[str | None, Meta(description="Its title.")] = None
    claim_level: Annotated[str, Meta(description="Step of the claim ladder: solidarity, acknowledges and so on.")] = (
        "solidarity"
    )
    status: Annotated[Status, Meta(description="What the text is: authentic, certified or draft.")] = "authentic"


def align(node: Node, asked: Align, officer: str) -> Told:
    """Mint the alignment."""
    with deed(node, officer) as work:
        named = [one(work.tx, node.party, text) for text in dict.fromkeys(asked.statement)]
        if not named:
            raise Usage("desk-asked", "Say with which statements, by id.")
        for said in named:
            if said.by == node.party and said.says.recorded_from is None:
                raise Usage("desk-asked", f"{said.id} is our own; a party aligns with the word of others.")
            if said.by is None:
                raise NotAllowed("not-public", said.sentence(work.tx))
            if not said.out and said.says.recorded_from is None:
                raise NotAllowed(
                    "not-public", f"{said.id} is not public, so naming it would show others that it is there."
                )
        who = ", ".join(dict.fromkeys(said.named(work.tx) for said in named))
        says = Statement(
            title=asked.title or f"Alignment with {who}"[:300],
            claim_level=level_of(asked.claim_level).id,
            texts=(words_in(asked.language, asked.text, asked.status, None),),
            aligns_with=tuple(dict.fromkeys(said.id for said in named)),
        )
        made = minted(work, STATEMENT, checked(says, "statement"))
        keep(work, "statement align", [made], asked.handling(work.at))
    return Told({"id": made["id"], "aligns_with": list(says.aligns_with)}, [f"We align with {who}: {made['id']}."])


class ReplyTo(Shared, kw_only=True, forbid_unknown_fields=True):
    """Reply to statements that accuse us; or, with --for, record the reply of a party without a node."""

    statement: Named
    language: Language
    text: TextFile
    title: Annotated[str | None, Meta(description="Its title.")] = None
    status: Annotated[Status, Meta(description="What the text is: authentic, certified or draft.")] = "authentic"
    for_: Annotated[str | None, Meta(description="Whose word it is, by name, where we only record it.")] = (
        msgspec.field(name="for", default=None)
    )
    country: Annotated[str | None, Meta(description="Its country, two letters of ISO 3166-1.")] = None
    road: Annotated[Road | None, Meta(description="How it came: note-verbale, mail or telephone.")] = None
    reference: Annotated[
        str | None, Meta(description="By which it is found again, such as the number of the note.")
    ] = None
    received: Annotated[str | None, Meta(description="When it came, an instant.")] = None


def reply(node: Node, asked: ReplyTo, officer: str) -> Told:
    """Mint the reply."""
    for name in asked.statement:
        if type_of(name) != STATEMENT.name:
            raise InputRefused(
                "desk-object", f"{name[:100]!r} is no id of a statement; it begins with {STATEMENT.name}--."
            )
    if not asked.statement:
        raise Usage("desk-asked", "Say to which statements, by id.")
    with deed(node, officer) as work:
        note = None
        if asked.for_ is not None:
            if asked.road is None or asked.reference is None or asked.received is None:
                raise Usage("desk-asked", "What is recorded has --road, --reference and --received.")
            received = instant(asked.received, "--received")
            if received > work.at:
                raise Usage("desk-asked", "It cannot have been received in the future; look at --received.")
            country = None if asked.country is None else country_code(asked.country, "--country", "desk-asked")
            note = Recorded(
                name=asked.for_, road=asked.road, reference=asked.reference, received=format(received), country=country
            )
        says = Reply(
            title=asked.title or "Reply",
            replies_to=tuple(dict.fromkeys(asked.statement)),
            texts=(words_in(asked.language, asked.text, asked.status, None),),
            recorded_from=note,
        )
        made = minted(work, REPLY, checked(says, "reply"))
        keep(work, "statement reply", [made], asked.handling(work.at))
        told = one(work.tx, node.party, made["id"], REPLY).sentence(work.tx)
    return Told({"id": made["id"], "replies_to": list(says.replies_to), "sentence": told}, [told, made["id"]])


class Publish(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Publish a statement, an alignment or a reply of ours by itself, now or at an instant: for everybody, and not to be taken back."""

    statement: StatementId
    at: Annotated[str | None, Meta(description="The instant; without it, now.")] = None
    reason: Reason = ""


def publish(node: Node, asked: Publish, officer: str) -> Told:
    """Appoint its publication and say go."""
    with deed(node, officer) as work:
        said = own_draft(work.tx, node, asked.statement)
        if any(
            row.id == said.id and row.case and row.standing in publishing.OPEN
            for row in publishing.publications(work.tx)
        ):
            raise NotAllowed("statement-case", f"{said.id} goes out with a case; withdraw it there first.")
        at = work.at if asked.at is None else instant(asked.at, "--at")
        says = msgspec.to_builtins(fit_to_publish(work.tx, node.party, said, at))
        gone = {name: None for name in msgspec.to_builtins(said.says) if name not in says}
        data = next_version(said.seen.data, {**gone, **says}, at)
        row = publishing.schedule(work, data, at, handling=public_handling(work.tx, said.seen), kinds=KINDS)
        row = publishing.go(work, said.id, row.due, digest=row.digest)
        work.audit("statement-publish", {"object": said.id, "at": format(at), "reason": asked.reason})
    title = legible(said.says.title or said.id)
    line = (
        f"“{title}” is public since {format(row.at or at)}."
        if row.standing in publishing.OUT
        else f"“{title}” goes out at {format(row.due)}; comity public hold works until then."
    )
    return Told({"id": said.id, "at": format(row.due), "stands": row.standing, "act": row.act}, [line])


DEEDS = (
    DeskDeed("statement align", "sign", Align, align),
    DeskDeed("statement reply", "sign", ReplyTo, reply),
    DeskDeed("statement publish", "release", Publish, publish),
)
