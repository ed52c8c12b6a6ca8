"""The parts of a Word file that somebody sends, taken out of it safely.

A part is read only up to a size, is UTF-8 without a document type (so no entity can be declared in it), and is not nested
deeper than any real document. A file with macros, embedded objects, or a relationship that loads something from elsewhere is refused whole;
a plain link is left as it is and never followed.

Source: ISO/IEC 29500-2 (packages, relationships).
"""

from __future__ import annotations

import io
import posixpath
import zipfile
import zlib
from typing import Final
from xml.etree.ElementTree import Element, ParseError, TreeBuilder, XMLParser

from comity.kernel.errors import InputRefused

MOST_FILE: Final = 20 << 20
"""Bytes of a file."""
MOST_PART: Final = 32 << 20
"""Bytes of one part, unpacked; a text as long as texts can be, with every word changed, has a third of it."""
MOST_PARTS: Final = 1_000
MOST_NESTED: Final = 100
MOST_ELEMENTS: Final = 1_000_000
_HARMLESS: Final = ("/hyperlink",)
_FORBIDDEN: Final = ("vbaproject", "activex/", "embeddings/", "vbadata")
_RELATIONS: Final = "{http://schemas.openxmlformats.org/package/2006/relationships}Relationship"


def refused(why: str) -> InputRefused:
    """`document-file`: why the file is not read."""
    return InputRefused("document-file", f"The Word file is not read: {why}.")


class Package:
    """A Word file.

    Raises:
        InputRefused: `document-file`, here and on every reading of a part.
    """

    def __init__(self, file: bytes) -> None:
        if len(file) > MOST_FILE:
            raise refused(f"it has more than {MOST_FILE >> 20} MiB; take pictures out and save it again")
        try:
            self._zip = zipfile.ZipFile(io.BytesIO(file))
        except (zipfile.BadZipFile, ValueError, OverflowError, RuntimeError) as broken:
            raise refused("it is no .docx file; save it as one") from broken
        entries = self._zip.infolist()
        self.names = {one.filename for one in entries}
        if len(entries) > MOST_PARTS or len(self.names) != len(entries):
            raise refused("it has too many parts, or two of one name")
        if any(one.flag_bits & 0x1 for one in entries):
            raise refused("it is encrypted; save it without a password")
        for name in self.names:
            if any(word in name.lower() for word in _FORBIDDEN):
                raise refused("it holds macros or embedded objects; save it as a plain .docx without them")
        self._read = 0
        if "[Content_Types].xml" not in self.names:
            raise refused("it is no .docx file; save it as one")
        if b"macroenabled" in self._bytes("[Content_Types].xml").lower():
            raise refused("it holds macros; save it as a plain .docx")
        for name in sorted(self.names):
            if name.endswith(".rels"):
                self._check_relations(name)

    def part(self, name: str) -> Element | None:
        """A part as XML; None where the file has no such part."""
        if name not in self.names:
            return None
        data = self._bytes(name)
        try:
            text = data.decode("utf-8-sig")
        except UnicodeDecodeError as broken:
            raise refused(f"its part {_short(name)} is not UTF-8") from broken
        if "<!DOCTYPE" in text or "<!ENTITY" in text:
            raise refused(f"its part {_short(name)} declares a document type, which no Word file does")
        return _parsed(text, name)

    def main(self) -> str:
        """The name of the part with the body."""
        found = [target for kind, target in self._relations("_rels/.rels") if kind.endswith("/officeDocument")]
        if len(found) != 1 or found[0] not in self.names:
            raise refused("it has no body")
        return found[0]

    def related(self, name: str, kind: str) -> list[str]:
        """The parts to which one part has a relationship of a kind (its last word), such as ``comments``."""
        folder, file = posixpath.split(name)
        relations = posixpath.join(folder, "_rels", f"{file}.rels")
        return [target for said, target in self._relations(relations) if said.rpartition("/")[2] == kind]

    def _relations(self, name: str) -> list[tuple[str, str]]:
        root = self.part(name)
        base = posixpath.dirname(posixpath.dirname(name))
        found = [] if root is None else root.iter(_RELATIONS)
        return [
            (one.get("Type", ""), posixpath.normpath(posixpath.join("/", base, one.get("Target", ""))).lstrip("/"))
            for one in found
            if one.get("TargetMode") != "External"
        ]

    def _check_relations(self, name: str) -> None:
        root = self.part(name)
        for one in [] if root is None else root.iter(_RELATIONS):
            kind = one.get("Type", "")
            if one.get("TargetMode") == "External" and not kind.endswith(_HARMLESS):
                what = _short(kind.rpartition("/")[2])
                raise refused(f"it would load something from elsewhere ({what}); take that out and save it again")

    def _bytes(self, name: str) -> bytes:
        try:
            with self._zip.open(name) as part:
                data = part.read(MOST_PART + 1)
        except (
            zipfile.BadZipFile,
            zlib.error,
            EOFError,
            RuntimeError,
            OSError,
            ValueError,
        ) as broken:
            raise refused(f"its part {_short(name)} is damaged") from broken
        self._read += len(data)
        if len(data) > MOST_PART or self._read > 2 * MOST_PART:
            raise refused(f"unpacked it has more than {MOST_PART >> 20} MiB")
        return data


def _parsed(text: str, name: str) -> Element:
    parser: XMLParser[Element] = XMLParser(target=_Bounded(name))  # noqa: S314 - document types are refused before
    try:
        parser.feed(text)
        return parser.close()
    except (ParseError, ValueError, AssertionError) as broken:
        raise refused(f"its part {_short(name)} is no XML") from broken


class _Bounded(TreeBuilder):
    """Builds the tree of a part, and stops where no Word file goes on."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self._name = name
        self._depth = self._count = 0

    def start(self, tag: str, attrs: dict[str, str], /) -> Element:
        """An element begins."""
        self._depth += 1
        self._count += 1
        if self._depth > MOST_NESTED or self._count > MOST_ELEMENTS:
            raise refused(f"its part {_short(self._name)} is nested too deeply or too long")
        return super().start(tag, attrs)

    def end(self, tag: str, /) -> Element:
        """An element ends."""
        self._depth -= 1
        return super().end(tag)


def _short(name: str) -> str:
    """A name of theirs as it can be said in a sentence."""
    return "".join(char for char in name if char.isascii() and (char.isalnum() or char in "/._-"))[:60]
