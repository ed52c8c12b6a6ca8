"""Papers for people: what a desk says as a document, and the port that sets it as PDF or Word.

A desk says what stands in a document, block by block, each with an id of its own; how it looks is an adapter's. Plain text and JSON are
made here, since they need nothing. The marking stands on each page, and so does where the record of it is found.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, Protocol

from comity.kernel.errors import Unavailable
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
    """A paragraph of running text; `id` stays with it when the document is edited and comes back."""

    id: str
    text: str


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
    """Sets a document: ``pdf`` or ``docx``."""

    def __call__(self, document: Document, format: Format) -> bytes:
        """The file.

        Raises:
            Unavailable: `document-extra` where the library or a font that is needed is not installed.
        """


def render(typesetting: Typesetting | None, document: Document, format: Format) -> tuple[bytes, str]:
    """A document as a file, with its media type.

    Raises:
        Unavailable: `document-extra` where this node cannot set it.
    """
    if format == "txt":
        return as_text(document).encode(), MEDIA_TYPES[format]
    if format == "json":
        return canonical(as_json(document)), MEDIA_TYPES[format]
    if typesetting is None:
        raise Unavailable("document-extra", f"This node cannot make {format}; ask for txt or json.")
    return typesetting(document, format), MEDIA_TYPES[format]


def as_json(document: Document) -> dict[str, Any]:
    """A document as data."""
    blocks: list[dict[str, Any]] = []
    for block in document.blocks:
        match block:
            case Heading(id, text, level):
                blocks.append({"id": id, "heading": text, "level": level})
            case Paragraph(id, text):
                blocks.append({"id": id, "paragraph": text})
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
            case Paragraph(_, text):
                lines += [text, ""]
            case Table(_, heads, rows):
                lines += [*_cells((heads, *rows)), ""]
    lines += [*(f"Note: {note}" for note in document.notes), *([document.reference] if document.reference else [])]
    return "\n".join([*lines, document.marking, ""])


def _cells(rows: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(len(row[n]) for row in rows) for n in range(len(rows[0]))]
    return ["  ".join(cell.ljust(widths[n]) for n, cell in enumerate(row)).rstrip() for row in rows]
