"""Papers for people: what a desk says as a document, and the port that sets it as PDF or Word.

A desk says what stands in a document, block by block, each with an id of its own; how it looks is an adapter's. Plain text and JSON are
made here, since they need nothing. The marking stands on each page, and where the record of it is found stands at its end. A Word
file comes back with the ids of its paragraphs, and what was inserted, deleted and remarked there (`read_changes`).

Words of others stand in documents: what a reader cannot see in them is shown as its code point, except in JSON, which is exact.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Literal, Protocol

from comity.kernel.errors import Unavailable
from comity.kernel.model.names import legible
from comity.kernel.procedure.edits import Changes, place
from comity.kernel.procedure.texts import Text
from comity.kernel.seal.canonical import canonical

Format = Literal["pdf", "docx", "txt", "json"]
MEDIA_TYPES: Final[dict[str, str]] = {
    "pdf": "application/pdf",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "txt": "text/plain; charset=utf-8",
    "json": "application/json",
}
RIGHT_TO_LEFT: Final = frozenset({"ar", "fa", "he", "ps", "ur"})
"""Languages written from right to left, ISO 639-1."""


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading. `level` 1 is the highest below the title."""

    id: str
    text: str
    level: int = 1


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A paragraph of running text; `id` stays with it when the document is edited and comes back.

    Args:
        id: One id for each block of a document.
        text: What it says; a line feed breaks the line.
        lead: What stands above it in smaller letters and is no part of it, such as who proposes these words.
    """

    id: str
    text: str
    lead: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """A table: as many cells in each row as there are heads."""

    id: str
    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


Block = Heading | Paragraph | Table


@dataclass(frozen=True, slots=True)
class Document:
    """A paper for people.

    Args:
        kind: What it is, one word: statement, demarche, situation-report, dossier, listing.
        title: Its title, in its language.
        language: BCP 47, such as ``ar`` or ``zh-Hans``.
        blocks: What it says.
        marking: As it stands on each page, such as ``TLP:AMBER``.
        party: Whose paper it is, by name.
        status: Draft, certified or authentic; None where that says nothing.
        reference: Where it stands in the record: the object's id and digest, the log and place; printed as text and as a QR code.
        notes: What a reader must know, such as which of its facts are unconfirmed, with their sources.
    """

    kind: str
    title: str
    language: str
    blocks: tuple[Block, ...]
    marking: str
    party: str
    status: str | None = None
    reference: str | None = None
    notes: tuple[str, ...] = ()

    @property
    def right_to_left(self) -> bool:
        """Whether its language is written from right to left."""
        return self.language.partition("-")[0].lower() in RIGHT_TO_LEFT


class Typesetting(Protocol):
    """Sets documents, and reads what was changed in one."""

    def set(self, document: Document, format: Literal["pdf", "docx"]) -> bytes:
        """The file; the same document gives the same bytes.

        Raises:
            Unavailable: `document-extra` where the library or a font that is needed is not installed.
        """

    def read_changes(self, file: bytes) -> Changes:
        """What was changed in a Word file that was set here.

        Raises:
            InputRefused: `document-file` where it is no such file, or holds what one must not: macros, links that load, entities, too much.
        """


def render(typesetting: Typesetting | None, document: Document, format: Format) -> tuple[bytes, str]:
    """A document as a file, with its media type.

    Raises:
        Unavailable: `document-extra` where this node cannot set it.
    """
    if format == "txt":
        return as_text(_legible(document)).encode(), MEDIA_TYPES[format]
    if format == "json":
        return canonical(as_json(document)), MEDIA_TYPES[format]
    if typesetting is None:
        raise Unavailable("document-extra", f"This node cannot make {format}; ask for txt or json.")
    return typesetting.set(_legible(document), format), MEDIA_TYPES[format]


def read_changes(typesetting: Typesetting | None, file: bytes) -> Changes:
    """What was inserted, deleted and remarked in a Word file that a node made: paragraph by paragraph, by whom and when.

    `comity.kernel.procedure.edits.propose` turns it into the proposals of one party.

    Raises:
        InputRefused: `document-file`. Unavailable: `document-extra` where this node reads no such files.
    """
    if typesetting is None:
        raise Unavailable("document-extra", "This node reads no Word files; give the changes by hand.")
    return typesetting.read_changes(file)


def blocks_of(text: Text, language: str, names: Mapping[str, str] | None = None) -> Iterator[Paragraph]:
    """A text under negotiation as blocks, in one of its languages: each alternative a paragraph under who proposes it; what is agreed
    stands without that line.

    Their ids are the places by which changes come back (`comity.kernel.procedure.edits`).

    Args:
        names: What each party is called; without it, its id.
    """
    at = text.languages.index(language)
    for paragraph in text.paragraphs:
        several = len(paragraph.alternatives) > 1
        for n, one in enumerate(paragraph.alternatives, 1):
            who = ", ".join((names or {}).get(party, party) for party in one.proponents) or "-"
            which = f" {n}/{len(paragraph.alternatives)}" if several else ""
            lead = "" if paragraph.agreed else f"({paragraph.id}{which}) [{who}]"
            yield Paragraph(place(paragraph, n), "∅" if one.words is None else one.words[at], lead)


def as_json(document: Document) -> dict[str, Any]:
    """A document as data."""
    blocks: list[dict[str, Any]] = []
    for block in document.blocks:
        match block:
            case Heading(id, text, level):
                blocks.append({"id": id, "heading": text, "level": level})
            case Paragraph(id, text, lead):
                blocks.append({"id": id, "paragraph": text} | ({"lead": lead} if lead else {}))
            case Table(id, heads, rows):
                blocks.append({"id": id, "heads": list(heads), "rows": [list(row) for row in rows]})
    return {
        "kind": document.kind,
        "title": document.title,
        "language": document.language,
        "marking": document.marking,
        "party": document.party,
        "status": document.status,
        "reference": document.reference,
        "notes": list(document.notes),
        "blocks": blocks,
    }


def as_text(document: Document) -> str:
    """A document as plain text, its marking first and last."""
    head = f"{document.marking}  {document.party}"
    lines = [head, "", document.title, *([f"[{document.status}]"] if document.status else []), ""]
    for block in document.blocks:
        match block:
            case Heading(_, text, level):
                lines += [f"{'#' * level} {text}", ""]
            case Paragraph(_, text, lead):
                lines += [*([lead] if lead else []), text, ""]
            case Table(_, heads, rows):
                lines += [*_cells((heads, *rows)), ""]
    lines += [*(f"Note: {note}" for note in document.notes), *([document.reference] if document.reference else [])]
    return "\n".join([*lines, document.marking, ""])


def _legible(document: Document) -> Document:
    """The document with nothing in it that a reader cannot see; lines break at line feeds."""

    def seen(text: str) -> str:
        return legible(text.replace("\r\n", "\n").replace("\t", " "), keep="\n")

    blocks: list[Block] = []
    for block in document.blocks:
        match block:
            case Heading():
                blocks.append(replace(block, text=seen(block.text)))
            case Paragraph():
                blocks.append(replace(block, text=seen(block.text), lead=seen(block.lead)))
            case Table():
                rows = tuple(tuple(map(seen, row)) for row in block.rows)
                blocks.append(replace(block, heads=tuple(map(seen, block.heads)), rows=rows))
    return replace(
        document,
        title=seen(document.title),
        blocks=tuple(blocks),
        marking=seen(document.marking),
        party=seen(document.party),
        status=None if document.status is None else seen(document.status),
        reference=None if document.reference is None else seen(document.reference),
        notes=tuple(map(seen, document.notes)),
    )


def _cells(rows: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(len(row[n]) for row in rows) for n in range(len(rows[0]))]
    return ["  ".join(cell.ljust(widths[n]) for n, cell in enumerate(row)).rstrip() for row in rows]
