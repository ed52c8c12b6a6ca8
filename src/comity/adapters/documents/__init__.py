"""Documents as PDF and Word, and Word files that come back with their changes tracked (docs/documents.md)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from comity.kernel.procedure.edits import Changes
from comity.node.documents import Document


@dataclass(frozen=True, slots=True)
class Papers:
    """The port `comity.node.documents.Typesetting`, as a node has it.

    Args:
        fonts: Folders with fonts of the node's own.
    """

    fonts: Sequence[Path] = ()

    def set(self, document: Document, format: Literal["pdf", "docx"]) -> bytes:
        """The file; the same document gives the same bytes.

        Raises:
            Unavailable: `document-extra` where the library or a font that is needed is not installed.
        """
        if format == "pdf":
            from comity.adapters.documents.pdf import as_pdf

            return as_pdf(document, self.fonts)
        from comity.adapters.documents.word import as_word

        return as_word(document)

    def read_changes(self, file: bytes) -> Changes:
        """What was changed in a Word file that was set here.

        Raises:
            InputRefused: `document-file`.
        """
        from comity.adapters.documents.changes import read_changes

        return read_changes(file)
