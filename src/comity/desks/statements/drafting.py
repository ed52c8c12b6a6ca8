"""Drafting a statement: its claim, its texts, and who is shown it before it goes out.

A draft is addressed to our own party alone, so no clause lets it go to anybody, and nobody can tell that there is one. `share` shows it to
those it names, where a clause permits it, and to nobody else. What goes out to everybody is another version (`joint`, `alone`).
"""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from msgspec import Meta

from comity.desks.statements.kinds import PROPOSAL, REPLY, STATEMENT, Recorded, Road, Statement, Status, Tone
from comity.desks.statements.stating import (
    Language,
    Reason,
    StatementId,
    TextFile,
    checked,
    handling_like,
    keep,
    minted,
    with_cases,
    words_in,
)
from comity.desks.statements.words import Said, claim, held, one
from comity.kernel.errors import NotAllowed, NotFound, Usage
from comity.kernel.model.ids import type_of
from comity.kernel.model.instants import format
from comity.kernel.model.names import legible
from comity.kernel.store.ports import Reading
from comity.kernel.store.rows import Version
from comity.node.carrying import how_far, may_go
from comity.node.context import Node
from comity.node.deeds import deed
from comity.node.desk import PLACED, DeskDeed, Lines, Shared, Told
from comity.node.minting import newest, next_version, our_own
from comity.node.parties import name_of, resolve_party
from comity.node.publishing import OPEN, publications
from comity.node.scales import SCALES, canonical_scale, level_of, likelihood_of
from comity.node.stating import country_code, instant


class Claimed(Shared, kw_only=True, forbid_unknown_fields=True):
    """What a statement claims: each part by itself, in the words in which it was said."""

    accused: Annotated[str | None, Meta(description="Whom it names: words, or a party by name or id.")] = None
    claim_level: Annotated[
        str, Meta(description="Step of the claim ladder: no-position, solidarity, acknowledges and so on.")
    ] = "no-position"
    likelihood: Annotated[
        str | None, Meta(description="The word of likelihood as it is said, such as 'highly likely'.")
    ] = None
    scale: Annotated[str | None, Meta(description="The scale of that word: uk-phia, icd-203, or another.")] = None
    confidence: Annotated[str | None, Meta(description="How sure the party is of its judgement, such as high.")] = None
    confidence_scale: Annotated[
        str | None, Meta(description="The scale of that word; else that of the likelihood.")
    ] = None
    tone: Annotated[Tone, Meta(description="What it says of the law.")] = "none"
    incident: Annotated[tuple[str, ...], Meta(description="An incident it is about, by id; once for each.")] = ()
    dossier: Annotated[str | None, Meta(description="The dossier it rests on, by id.")] = None
    title: Annotated[str, Meta(description="Its title.", extra=PLACED)]


class Draft(Claimed, kw_only=True, forbid_unknown_fields=True):
    """Draft a statement of ours; it stays at home until it is shared or goes out."""

    language: Language
    text: TextFile
    status: Annotated[Status, Meta(description="What the text is: authentic, certified or draft.")] = "authentic"


def draft(node: Node, asked: Draft, officer: str) -> Told:
    """Mint a draft."""
    with deed(node, officer) as work:
        says = claimed(work.tx, asked, texts=(words_in(asked.language, asked.text, asked.status, None),))
        says = msgspec.structs.replace(says, addressed_to=(node.party,))
        made = minted(work, STATEMENT, says)
        keep(work, "statement draft", [made], with_cases(asked.handling(work.at), *asked.incident))
    return Told(
        {"id": made["id"]},
        [
            f"The draft stands as {made['id']}; it goes to nobody before comity statement share or comity statement join."
        ],
    )


def _need_likelihood(word: str | None, scale: str | None) -> None:
    if (word is None) != (scale is None):
        raise Usage("desk-asked", "A word of likelihood is said with its scale: give both --likelihood and --scale.")
    if word is not None and scale is not None and canonical_scale(scale) in SCALES:
        likelihood_of(word, scale)


def claimed(tx: Reading, asked: Claimed, **more: Any) -> Statement:
    """A statement with the claim that was asked for.

    Raises:
        Usage: `desk-asked` for a step, a word or a text that cannot be. NotFound: `no-such-object` for what it rests on.
    """
    _need_likelihood(asked.likelihood, asked.scale)
    for ref in (*asked.incident, *filter(None, (asked.dossier,))):
        if next(iter(tx.find(Version, id=ref, limit=1)), None) is None:
            raise NotFound("no-such-object", f"No object {ref[:100]} is held here, so a statement cannot rest on it.")
    party = _accused(tx, asked.accused)
    says = Statement(
        title=asked.title,
        claim_level=level_of(asked.claim_level).id,
        accused=name_of(tx, party) if party is not None else asked.accused,
        accused_party=party,
        likelihood=asked.likelihood,
        likelihood_scale=asked.scale,
        confidence_level=asked.confidence,
        confidence_scale=None if asked.confidence is None else asked.confidence_scale or asked.scale,
        legal_tone=asked.tone,
        incident_refs=asked.incident,
        dossier_ref=asked.dossier,
        **more,
    )
    made: Statement = checked(says, "statement")
    return made


def _accused(tx: Reading, said: str | None) -> str | None:
    """The party that is named by its id, or by the very name of its card; None for other words: nobody is accused by a likeness."""
    if said is None:
        return None
    try:
        party = resolve_party(tx, said)
    except (NotFound, Usage):
        return None
    return party.id if said in (party.id, party.name) else None


class Text(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Put the text of a statement of ours in a language, or put another in its place."""

    statement: StatementId
    language: Annotated[str, Meta(description="The language, BCP 47, such as en, ar or zh-Hans.", extra=PLACED)]
    text: TextFile
    status: Annotated[Status, Meta(description="What the text is: authentic, certified or draft.")] = "draft"
    by: Annotated[str | None, Meta(description="Who answers for a certified text, in words.")] = None
    title: Annotated[str | None, Meta(description="Its title in this language.")] = None
    reason: Reason = ""


def text(node: Node, asked: Text, officer: str) -> Told:
    """A later version with this text."""
    with deed(node, officer) as work:
        said = own_draft(work.tx, node, asked.statement)
        made = words_in(asked.language, asked.text, asked.status, asked.by, asked.title)
        others = [one for one in said.says.texts if one.language.lower() != asked.language.lower()]
        says = checked(msgspec.structs.replace(said.says, texts=(*others, made)), "statement")
        data = next_version(said.seen.data, {"texts": msgspec.to_builtins(says)["texts"]}, work.at)
        keep(work, "statement text", [data], handling_like(work.tx, said.seen), reason=asked.reason)
        waits = [row for row in publications(work.tx) if row.id == said.id and row.standing in OPEN]
    lines = [f"{said.id} has a text in {asked.language}, {asked.status}."]
    if waits:
        lines.append(
            "What is to go out is still what it was when you joined; to put this text into it, join again and say go again."
        )
    return Told({"id": said.id, "language": asked.language, "status": asked.status}, lines)


def own_draft(tx: Reading, node: Node, text: str) -> Said:
    """A statement or reply of our own that is not public yet, as its newest version says it.

    Raises:
        As `words.one`; NotAllowed: `not-ours` for another's word, and for what is only recorded; `already-done` for what is public.
    """
    said = one(tx, node.party, text, STATEMENT, REPLY)
    our_own(tx, node.party, said.id)
    if said.says.recorded_from is not None:
        name = legible(said.says.recorded_from.name)
        raise NotAllowed("not-ours", f"{said.id} is the word of {name}, which we only recorded.")
    if said.public is not None or said.out:
        raise NotAllowed(
            "already-done", f"{said.id} is public and stays as it is; draft another that says what changed."
        )
    return said


class Share(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Show a draft of ours to those you name and to nobody else, not even that there is one."""

    statement: StatementId
    to: Annotated[tuple[str, ...], Meta(description="Party that is shown it, name or id; once for each.")]


def share(node: Node, asked: Share, officer: str) -> Told:
    """A later version that is addressed to the named parties too."""
    if not asked.to:
        raise Usage("desk-asked", "Say to whom it is shown with --to PARTY.")
    with deed(node, officer) as work:
        said = own_draft(work.tx, node, asked.statement)
        named = [resolve_party(work.tx, name).id for name in asked.to]
        before = tuple(said.says.addressed_to)
        to = tuple(dict.fromkeys((*(before or (node.party,)), *named)))
        data = next_version(said.seen.data, {"addressed_to": list(to)}, work.at)
        made = keep(work, "statement share", [data], handling_like(work.tx, said.seen))
        title = legible(said.says.title or said.id)
        waits = may_go(work, made[0], [one for one in to if one != node.party], f"the draft “{title}”")
        names = ", ".join(name_of(work.tx, one) for one in to if one != node.party)
    return Told({"id": said.id, "to": [one for one in to if one != node.party], "waits": waits},
                [f"“{title}” is shown to {names}, and to nobody else.", *waits])  # fmt: skip


class Record(Claimed, kw_only=True, forbid_unknown_fields=True):
    """Record what a party without a node said, by note verbale, letter or telephone; it is never that party's signature."""

    for_: Annotated[str, Meta(description="Whose word it is, by name.")] = msgspec.field(name="for")
    country: Annotated[str | None, Meta(description="Its country, two letters of ISO 3166-1.")] = None
    road: Annotated[Road, Meta(description="How it came: note-verbale, mail or telephone.")]
    reference: Annotated[str, Meta(description="By which it is found again, such as the number of the note.")]
    received: Annotated[str, Meta(description="When it came, an instant.")]
    language: Language
    text: TextFile
    status: Annotated[Status, Meta(description="What the text is: authentic, certified or draft.")] = "authentic"


def record(node: Node, asked: Record, officer: str) -> Told:
    """Mint the record of another's statement, in our own name."""
    with deed(node, officer) as work:
        received = instant(asked.received, "--received")
        if received > work.at:
            raise Usage("desk-asked", "It cannot have been received in the future; look at --received.")
        country = None if asked.country is None else country_code(asked.country, "--country", "desk-asked")
        note = checked(
            Recorded(
                name=asked.for_, road=asked.road, reference=asked.reference, received=format(received), country=country
            ),
            "record",
        )
        texts = (words_in(asked.language, asked.text, asked.status, None),)
        made = minted(work, STATEMENT, claimed(work.tx, asked, texts=texts, recorded_from=note))
        keep(work, "statement record", [made], with_cases(asked.handling(work.at), *asked.incident))
        told = one(work.tx, node.party, made["id"]).sentence(work.tx)
    return Told({"id": made["id"], "sentence": told}, [told])


class Show(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Show a statement or a reply: whose word it is, what it claims, its texts, and who answered it."""

    statement: StatementId


def show(node: Node, asked: Show, officer: str) -> Told:
    """One statement, every word under its id."""
    with node.store.read() as tx:
        first = one(tx, node.party, asked.statement, STATEMENT, REPLY)
        every = held(tx, node.party, STATEMENT, REPLY)
        words = [said for said in every.said if said.id == first.id]
        answers = [said for said in every.said if first.id in _names(said)]
        defects = [item.as_json(tx) for item in every.defects if item.id == first.id]
        lines = Lines()
        for said in words:
            lines.add(said.sentence(tx), *_claim_lines(said))
            for piece in said.says.texts:
                by = f", {legible(piece.certified_by)}" if piece.certified_by else ""
                lines.add(
                    "", f"[{piece.language}, {piece.status}{by}]", *(legible(row) for row in piece.text.split("\n"))
                )
        if answers:
            lines.add("", "Later words that name it:", *(said.sentence(tx) for said in answers))
        lines.add(*(f"Defect, from {item['name']}: {item['sentence']}" for item in defects))
        shown = []
        if first.by == node.party:
            shown = [
                {"party": party, "name": name_of(tx, party), "how_far": how_far(tx, first.id, party)}
                for party in first.says.addressed_to
                if party != node.party
            ]
            lines.table(("shown to", "how far"), [(item["name"], item["how_far"]) for item in shown])
        proposals = _proposals(tx, node.party, first.id)
        lines.table(
            ("proposed by", "language", "changes", "id"),
            [(name_of(tx, one["proposed_by"]), one["language"], one["changes"], one["id"]) for one in proposals],
        )
        shape = {
            **first.as_json(tx),
            "words": [said.as_json(tx) for said in words],
            "answers": [said.as_json(tx) for said in answers],
            "shown_to": shown,
            "proposals": proposals,
            "defects": defects,
        }
    return Told(shape, lines.found)


def _proposals(tx: Reading, us: str, statement: str) -> list[dict[str, Any]]:
    """What was proposed to change in a draft, as we recorded it from papers that came back."""
    found = []
    for seen in newest(tx, us, PROPOSAL.name):
        if seen.custodian != us or seen.data.get("about_ref") != statement:
            continue
        says = PROPOSAL.read(seen.data)
        found.append(
            {
                "id": seen.id,
                "proposed_by": says.proposed_by,
                "language": says.language,
                "changes": len(says.operations),
                "text": says.written,
            }
        )
    return found


def _names(said: Said) -> tuple[str, ...]:
    return tuple(said.says.aligns_with if isinstance(said.says, Statement) else said.says.replies_to)


def _claim_lines(said: Said) -> list[str]:
    says = said.says
    if not isinstance(says, Statement):
        return [f"It answers {', '.join(says.replies_to)}."]
    likely = (
        f"{legible(says.likelihood)} ({legible(says.likelihood_scale or 'no scale')})"
        if says.likelihood
        else "not said"
    )
    return [
        f"Claim {claim(says)}. Accused: {legible(says.accused or 'nobody')}.",
        f"Likelihood: {likely}. Confidence: {legible(says.confidence_level or 'not said')}. Legal tone: {says.legal_tone}.",
    ]


class List(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """List the statements and replies held here, each by whose word."""


def list_(node: Node, asked: List, officer: str) -> Told:
    """The statements."""
    with node.store.read() as tx:
        every = held(tx, node.party, STATEMENT, REPLY)
        rows = [
            (
                "statement" if isinstance(said.says, Statement) else "reply",
                legible(said.says.title or "(not shown)"),
                said.named(tx),
                said.says.claim_level if isinstance(said.says, Statement) else "",
                ", ".join(piece.language for piece in said.says.texts),
                "public" if said.out else said.tlp,
                said.id,
            )
            for said in every.said
        ]
        shape = {
            "statements": [said.as_json(tx) for said in every.said if type_of(said.id) == STATEMENT.name],
            "replies": [said.as_json(tx) for said in every.said if type_of(said.id) == REPLY.name],
            "defects": [item.as_json(tx) for item in every.defects],
        }
        heads = ("what", "title", "by", "claim", "languages", "TLP", "id")
        lines = Lines().table(heads, rows)
        lines.add(*(f"Defect, from {item['name']}: {item['sentence']}" for item in shape["defects"]))
    return Told(shape, lines.found or ["No statement is held here."])


DEEDS = (
    DeskDeed("statement draft", "take in", Draft, draft),
    DeskDeed("statement text", "take in", Text, text),
    DeskDeed("statement share", "release", Share, share),
    DeskDeed("statement record", "sign", Record, record),
    DeskDeed("statement show", "read", Show, show),
    DeskDeed("statement list", "read", List, list_),
)
