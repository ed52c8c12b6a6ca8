"""A paper as PDF, set by typst: tagged, with its language, its marking on each page, and nothing loaded from anywhere.

What a paper says reaches the template as JSON and is set as text; the template is the only code there is, and it may read
nothing but an empty folder. The same paper gives the same bytes: it bears no date of its making.

Source: ISO 14289-1 (PDF/UA-1) for the tags; FIRST TLP 2.0 §2 for the marking on each page.
"""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from comity.adapters.documents.fonts import FOLDER, choose
from comity.adapters.documents.labels import is_draft, kind_label, labels, status_label
from comity.adapters.documents.look import marking_of, widths
from comity.adapters.documents.qr import MISSING, qr
from comity.kernel.errors import Unavailable
from comity.node.documents import Block, Document, Heading, Paragraph, Table

if TYPE_CHECKING:
    from typst import Compiler

TEMPLATE: Final = Path(__file__).parent / "paper.typ"

_ENDLESS: Final = re.compile(r"[^\s\u2e80-\u9fff]{4000,}")
"""A word beyond what anybody writes; scripts without spaces are left to the typesetter, which breaks them anywhere."""


def as_pdf(document: Document, own_fonts: Sequence[Path] = ()) -> bytes:
    """The paper as a PDF file.

    Args:
        own_fonts: Folders with fonts of the node's own.

    Raises:
        Unavailable: `document-extra` where typst or a font is missing.
    """
    try:
        import typst
    except ImportError as missing:
        raise Unavailable("document-extra", MISSING) from missing
    shape = _shape(document)
    fonts = choose(document.title, "".join(_strings(shape)), document.language, own_fonts)
    if fonts.unseen:
        shape = _without(shape, fonts.unseen)
    shape["fonts"] = list(fonts.families)
    shape["qr"] = "" if document.reference is None else (qr(document.reference, "svg") or b"").decode()
    with tempfile.TemporaryDirectory(prefix="comity-") as made:
        root, more = Path(made) / "root", Path(made) / "fonts"
        root.mkdir()
        more.mkdir()
        for n, path in enumerate(_with_bold(fonts.files)):
            (more / f"{n}{path.suffix}").symlink_to(path)
        compiler = typst.Compiler(
            root=str(root),
            font_paths=[str(FOLDER), str(more)],
            ignore_system_fonts=True,
            sys_inputs={"paper": json.dumps(shape, ensure_ascii=False)},
            package_path=str(root),
            package_cache_path=str(root),
        )
        return _compiled(compiler)


def _compiled(compiler: Compiler) -> bytes:
    """The file, as PDF/UA where what others wrote lets it be."""
    from typst import TypstError

    template = TEMPLATE.read_bytes()
    for standards in ("ua-1", None):
        try:
            made = compiler.compile(template, format="pdf", pdf_standards=standards, timestamp=0)
        except TypstError:
            continue
        if isinstance(made, bytes):
            return made
    raise Unavailable("document-extra", "This paper cannot be set as PDF here; ask for docx, txt or json.")


def _shape(document: Document) -> dict[str, Any]:
    """What the template reads, but for fonts and the code."""
    language, _, region = document.language.partition("-")
    return {
        "title": document.title,
        "language": language.lower(),
        "region": region if re.fullmatch(r"[A-Z]{2}", region) else None,
        "right_to_left": document.right_to_left,
        "cjk": language.lower() in ("zh", "ja", "ko"),
        "party": document.party,
        "marking": [{"text": text, "colour": colour} for text, colour in marking_of(document.marking)],
        "status": status_label(document.status, document.language),
        "draft": is_draft(document.status),
        "words": {**labels(document.language), "kind": kind_label(document.kind, document.language)},
        "blocks": list(_blocks(document.blocks)),
        "notes": list(document.notes),
        "reference": document.reference,
    }


def _blocks(blocks: Sequence[Block]) -> Iterator[dict[str, Any]]:
    """The blocks; no heading skips a level, which who hears a paper could not follow."""
    level = 0
    for block in blocks:
        match block:
            case Heading(_, text, wanted):
                level = max(min(wanted, level + 1, 3), 1)
                yield {"is": "heading", "text": parted(text, 60), "level": level}
            case Paragraph(_, text, lead):
                yield {"is": "paragraph", "text": parted(text, 60), "lead": lead}
            case Table(_, heads, rows):
                rows_ = [[parted(cell, 18) for cell in row] for row in rows]
                yield {"is": "table", "heads": list(heads), "rows": rows_, "widths": widths(block)}


def parted(text: str, signs: int) -> str:
    """A text in which no word is so long that setting it takes minutes: such a one has a line for each so many signs."""
    return _ENDLESS.sub(lambda word: "\n".join(re.findall(f".{{1,{signs}}}", word[0], re.DOTALL)), text)


def _strings(shape: object) -> Iterator[str]:
    match shape:
        case str():
            yield shape
        case dict():
            for one in shape.values():
                yield from _strings(one)
        case list():
            for one in shape:
                yield from _strings(one)


def _without(shape: Any, unseen: frozenset[str]) -> Any:
    """The same, with signs that no font shows as their code points."""
    table = {ord(char): f"‹U+{ord(char):04X}›" for char in unseen}
    match shape:
        case str():
            return shape.translate(table)
        case dict():
            return {key: _without(one, unseen) for key, one in shape.items()}
        case list():
            return [_without(one, unseen) for one in shape]
    return shape


def _with_bold(files: Sequence[Path]) -> list[Path]:
    """Font files with the bold faces that lie beside them."""
    beside = (path.with_name(path.name.replace("Regular", "Bold")) for path in files)
    return list(dict.fromkeys([*files, *(path for path in beside if path.is_file())]))
