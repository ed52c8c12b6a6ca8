"""A statement as a paper, and a Word file that comes back: tracked changes become proposals in brackets, and nothing else changes.

Each paragraph of the paper keeps the place it has in the text, so a change is placed where it was made. What came back is kept as an
object of ours: a proposal in the name of the party whose paper it is, by our own word that it said so. The draft changes only
when an officer puts another text (`comity statement text`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import Meta

from comity.desks.statements.drafting import own_draft
from comity.desks.statements.kinds import PROPOSAL, REPLY, STATEMENT, Proposal, Statement, Words
from comity.desks.statements.stating import Reason, StatementId, handling_like, keep, minted
from comity.desks.statements.words import Said, claim, one, text_in
from comity.kernel.errors import NotFound
from comity.kernel.model.instants import format
from comity.kernel.procedure import brackets, texts
from comity.kernel.procedure.edits import propose
from comity.kernel.procedure.texts import Text
from comity.kernel.store.ports import Reading
from comity.kernel.store.rows import Version
from comity.node.context import Node
from comity.node.deeds import deed
from comity.node.desk import PLACED, DeskDeed, Lines, Told
from comity.node.documents import Block, Document, Format, Table, blocks_of, read_changes, render
from comity.node.parties import name_of, resolve_party
from comity.node.scales import ladder, likelihood


class Paper(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Make the paper of a statement or a reply in one language."""

    statement: StatementId
    language: Annotated[str, Meta(description="The language, such as en or ar.")]
    format: Annotated[Format, Meta(description="pdf, docx, txt or json.")] = "pdf"
    as_: Annotated[Literal["statement", "demarche"], Meta(description="statement, or demarche: to be handed over.")] = (
        msgspec.field(name="as", default="statement")
    )


def paper(node: Node, asked: Paper, officer: str) -> Told:
    """The file."""
    with node.store.read() as tx:
        said = one(tx, node.party, asked.statement, STATEMENT, REPLY)
        words = _need_text(said, asked.language)
        made = _document(tx, said, words, asked.as_)
    file, media_type = render(node.typesetting, made, asked.format)
    shape = {"id": said.id, "language": words.language, "status": words.status, "format": asked.format}
    return Told(shape, [f"{made.title}, {words.language}, {words.status}."], file, media_type)


def _document(tx: Reading, said: Said, words: Words, kind: str) -> Document:
    text = negotiated(words, said.by or said.via)
    blocks: list[Block] = [*blocks_of(text, words.language)]
    notes = []
    if said.says.recorded_from is not None or said.by is None:
        notes.append(said.sentence(tx))
    if isinstance(said.says, Statement) and kind == "statement":
        blocks.append(_claim_table(said.says, words.language))
        spot = likelihood(said.says.likelihood, said.says.likelihood_scale)
        notes.append(f"Claim ladder: {ladder()[0].mark}.")
        if spot is not None:
            notes.append(f"“{said.says.likelihood}” is read as {spot.low} to {spot.high} %: {spot.fact.mark}.")
    digest = next((row.sha256.hex() for row in tx.find(Version, id=said.id) if row.n == said.seen.version), "")
    where = f"{said.id}, version of {format(said.at)}, SHA-256 {digest}"
    act = None if said.public is None else said.public.act
    return Document(
        kind=kind,
        title=words.title or said.says.title or said.id,
        language=words.language,
        blocks=tuple(blocks),
        marking=f"TLP:{(said.tlp or 'unmarked').upper()}",
        party=said.named(tx),
        status=words.status,
        reference=where if act is None else f"{where}, published by act {act}",
        notes=tuple(notes),
    )


CLAIM: Final[Mapping[str, tuple[str, ...]]] = {
    "en": ("what", "says", "claim", "accused", "likelihood", "confidence", "legal tone", "not said", "nobody"),
    "fr": (
        "quoi",
        "dit",
        "affirmation",
        "mis en cause",
        "probabilité",
        "confiance",
        "ton juridique",
        "non dit",
        "personne",
    ),
    "es": ("qué", "dice", "afirmación", "acusado", "probabilidad", "confianza", "tono jurídico", "no se dice", "nadie"),
    "ru": (
        "что",
        "сказано",
        "утверждение",
        "обвиняемый",
        "вероятность",
        "уверенность",
        "правовой тон",
        "не сказано",
        "никто",
    ),
    "zh": ("事项", "表述", "主张", "被指控方", "可能性", "信心", "法律措辞", "未说明", "无"),
    "ar": ("البند", "النص", "الادعاء", "المتهم", "الاحتمال", "الثقة", "النبرة القانونية", "لم يذكر", "لا أحد"),
}
"""What the table of a claim says itself, by ISO 639-1 code; a word of a party, and of a scale, stands as it was said."""


def _claim_table(says: Statement, language: str) -> Table:
    what, said, *names, unsaid, nobody = CLAIM.get(language.partition("-")[0].lower(), CLAIM["en"])
    likely = f"{says.likelihood} ({says.likelihood_scale})" if says.likelihood else unsaid
    values = (claim(says), says.accused or nobody, likely, says.confidence_level or unsaid, says.legal_tone)
    return Table("claim", (what, said), tuple(zip(names, values, strict=True)))


def _need_text(said: Said, language: str) -> Words:
    found = text_in(said.says, language)
    if found is None:
        listed = ", ".join(one.language for one in said.says.texts) or "none"
        raise NotFound("no-text", f"{said.id} has no text in {language[:40]}; it has {listed}.")
    return found


def negotiated(words: Words, *parties: str) -> Text:
    """A text in one language as something that can be negotiated: each paragraph agreed as it stands, ``p1``, ``p2`` and so on."""
    pieces = [" ".join(piece.split("\n")) for piece in words.text.split("\n\n")]
    paragraphs = [texts.Paragraph(f"p{n}", (texts.Alternative((piece.strip(),)),), agreed=True)
                  for n, piece in enumerate((piece for piece in pieces if piece.strip()), 1)]  # fmt: skip
    return Text((words.language,), tuple(dict.fromkeys(parties)), tuple(paragraphs))


class Import(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Take back a Word file of a draft of ours: what a party changed in it becomes its proposals, in brackets."""

    file: Annotated[bytes, Meta(description="The Word file with tracked changes.", extra=PLACED)]
    statement: StatementId
    from_: Annotated[str, Meta(description="The party whose changes these are, name or id.")] = msgspec.field(
        name="from"
    )
    reason: Reason = ""


def import_(node: Node, asked: Import, officer: str) -> Told:
    """Keep the proposals."""
    changes = read_changes(node.typesetting, asked.file)
    with deed(node, officer) as work:
        said = own_draft(work.tx, node, asked.statement)
        party = resolve_party(work.tx, asked.from_).id
        words = _need_text(said, changes.language)
        before = negotiated(words, node.party, party)
        found = propose(before, [changes], party)
        unplaced = [{"why": item.why, "sentence": item.sentence, "words": item.words} for item in found.unplaced]
        written = brackets.render(found.text)
        made: dict[str, Any] = {}
        if found.operations:
            says = Proposal(
                about_ref=said.id,
                proposed_by=party,
                language=words.language,
                written=written,
                operations=tuple(texts.operation_json(item) for item in found.operations),
                addressed_to=(node.party,),
            )
            made = minted(work, PROPOSAL, says)
            keep(work, "statement import", [made], handling_like(work.tx, said.seen), reason=asked.reason)
        name = name_of(work.tx, party)
    lines = Lines().add(f"{name} proposes {len(found.operations)} changes to {said.id}; the draft is as it was.")
    lines.add(*(f"Changed without tracking: {item}." for item in found.untracked))
    lines.add(*(f"Not placed: {item['sentence']} {item['words']}".rstrip() for item in unplaced))
    lines.add("", *written.splitlines())
    shape = {
        "id": made.get("id"),
        "statement": said.id,
        "party": party,
        "language": words.language,
        "operations": [texts.operation_json(item) for item in found.operations],
        "text": written,
        "untracked": list(found.untracked),
        "unplaced": unplaced,
    }
    return Told(shape, lines.found)


DEEDS = (
    DeskDeed("statement document", "read", Paper, paper),
    DeskDeed("statement import", "take in", Import, import_),
)
