"""A dossier as a paper for people. What is withheld, and what a piece that is not shared rests on, stands in no paper."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from comity.desks.attribution.facts import grade, norm
from comity.desks.attribution.judging import differences, on_dossier
from comity.desks.attribution.judging import table_of as assessments_table
from comity.desks.attribution.kinds import DOSSIER
from comity.desks.attribution.matrix import matrix_of, sentences, table_of
from comity.desks.attribution.showing import article_told, as_json
from comity.desks.attribution.stating import THE_DOSSIER
from comity.desks.attribution.words import about, one
from comity.kernel.release.vocabulary import TLP, strictest
from comity.kernel.store.ports import Reading
from comity.node.context import Node
from comity.node.desk import DeskDeed, Told
from comity.node.documents import Block, Document, Format, Heading, Paragraph, Table, render
from comity.node.saying import Said


class Paper(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Set a dossier as a document. Its headings are in the language asked for; what parties said stands in their own words."""

    dossier: Annotated[str, THE_DOSSIER]
    format: Annotated[Format, Meta(description="pdf, docx, txt or json.")] = "pdf"
    language: Annotated[Literal["en"], Meta(description="en.")] = "en"


def paper(node: Node, asked: Paper, officer: str) -> Told:
    """The document."""
    with node.store.read() as tx:
        dossier = one(tx, node.party, asked.dossier, DOSSIER)
        made = document(node, tx, dossier, asked.language)
    file, media_type = render(node.typesetting, made, asked.format)
    lines = [f"The dossier as {asked.format}; what is withheld does not stand in it."]
    return Told({"id": dossier.id, "format": asked.format}, lines, file, media_type)


def document(node: Node, tx: Reading, dossier: Said, language: str) -> Document:
    """A dossier block by block; each keeps its id when the dossier is set again."""
    shape = as_json(node, tx, dossier)
    leaving = matrix_of(tx, node.party, dossier, leaving=True)
    rows = on_dossier(node, tx, dossier.id)
    blocks: list[Block] = [
        Paragraph("norm", f"Norm 13(b): {norm().says['asks']} ({norm().mark}.)"),
        Heading("parts", "What norm 13(b) asks for"),
    ]
    for row in shape["parts"]:
        text = row["text"] or (f"Waived: {row['waived']}" if row["waived"] else "Missing.")
        blocks += [Heading(f"part-{row['part']}", _title(row["part"]), 2), Paragraph(f"part-{row['part']}-text", text)]
    if leaving.pieces:
        blocks.append(Heading("evidence", "Evidence"))
        pieces = tuple(
            (
                leaving.labels[said.id],
                said.says.sharing,
                grade(said.says.source, said.says.information),
                said.says.text or "",
            )
            for said in leaving.pieces
        )
        blocks.append(Table("evidence-table", ("", "class", "grade", "what it shows"), pieces))
    if leaving.hypotheses:
        blocks.append(Heading("hypotheses", "Competing hypotheses"))
        blocks += [
            Paragraph(
                f"hypothesis-{said.id}", f"{leaving.labels[said.id]}: {said.says.name}. {said.says.text or ''}".strip()
            )
            for said in leaving.hypotheses
        ]
        if leaving.pieces:
            heads, cells = table_of(leaving)
            blocks.append(Table("matrix", heads, tuple(cells)))
        blocks += [Paragraph(f"matrix-{n}", text) for n, text in enumerate(sentences(leaving), 1)]
    if rows:
        heads, cells = assessments_table(rows)
        blocks += [Heading("assessments", "Assessments, side by side"), Table("assessments-table", heads, tuple(cells))]
        told = [*differences(rows), *(f"{row['party_name']}: {note}" for row in rows for note in row["notes"])]
        blocks += [Paragraph(f"assessments-{n}", text) for n, text in enumerate(told, 1)]
    blocks += _findings(shape)
    if shape["dissents"]:
        blocks.append(Heading("dissents", "Dissent from the dossier"))
        blocks += [
            Paragraph(f"dissent-{one['id']}", text)
            for one, text in zip(shape["dissents"], shape["dissent_sentences"], strict=True)
        ]
    level = strictest(TLP, tuple(said.tlp for said in (dossier, *about(tx, node.party, dossier.id).said)))
    return Document(
        kind="dossier",
        title=dossier.says.name,
        language=language,
        blocks=tuple(blocks),
        marking="unmarked: ask its author" if level is None else f"TLP:{level.upper()}",
        party=shape["name"],
        status="draft" if dossier.says.state == "draft" else None,
        reference=f"{dossier.id}, version of {shape['at']}",
        notes=(
            "Assessments are those of the parties named, each by its own scale; no two were put together. Those opened in a case "
            "are for who took part in it.",
            "What reference data says stands with its sources, its day and whether it was checked; unconfirmed is not checked.",
        ),
    )


def _findings(shape: dict[str, Any]) -> list[Block]:
    blocks: list[Block] = []
    for row in shape["findings"]:
        says, id = row["says"], row["id"]
        blocks += [
            Heading(f"finding-{id}", f"{_title(says['role'])} finding of {row['name']}", 1),
            Paragraph(f"finding-{id}-facts", f"Facts relied on: {says['facts_relied_on']}"),
            *(Paragraph(f"finding-{id}-{word}", article_told(word)) for word in says.get("articles", ())),
            *(
                Paragraph(f"finding-{id}-{name}", f"{_title(name)}: {says[name]}")
                for name in ("obligation_breached", "circumstances_precluding", "claimed_consequence", "reviewed_by")
                if says.get(name)
            ),
            Paragraph(f"finding-{id}-concludes", f"Concludes: {says['concludes']}"),
            *(Paragraph(f"finding-{id}-dissent-{n}", text) for n, text in enumerate(row["sentences"], 1)),
        ]
    return blocks


def _title(word: str) -> str:
    return word.replace("-", " ").replace("_", " ").capitalize()


DEEDS = (DeskDeed("attribution document", "read", Paper, paper),)
