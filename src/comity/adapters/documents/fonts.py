"""Which fonts set a paper: those that ship, and for other scripts the Noto Sans fonts of the machine or of the node's own folder.

Noto Sans (Latin, Greek, Cyrillic) and Amiri (Arabic) ship (`fonts/NOTICE.md`). Amiri, because the dots of the Noto fonts for Arabic
are glyphs of their own: that looks well, and what is copied or read aloud out of the file is no Arabic any more. Chinese, Japanese
and Korean have tens of thousands of characters and are taken from the machine. What no font can show is never set as an empty box.

Source: OpenType 1.9, `cmap` (formats 4 and 12) and the collection header.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Final

from comity.adapters.documents.look import cjk_of
from comity.kernel.errors import Unavailable

if TYPE_CHECKING:
    from typst import FontInfo

FOLDER: Final = Path(__file__).parent / "fonts"
SHIPPED: Final = {
    "Noto Sans": FOLDER / "NotoSans-Regular.ttf",
    "Amiri": FOLDER / "Amiri-Regular.ttf",
}
"""The families that ship, with the file that tells what they can show."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """The fonts of one paper: families in the order in which they are asked, files beside those that ship, and what none can show."""

    families: tuple[str, ...]
    files: tuple[Path, ...]
    unseen: frozenset[str]


def choose(title: str, said: str, language: str, own: Sequence[Path]) -> Chosen:
    """Fonts for all that a paper says.

    Words of others stand in papers, so one strange letter keeps no paper from being made: it is `unseen`, and is shown as its
    code point. A paper whose own script has no font is not made at all.

    Args:
        title: Its title, which is in its own language.
        said: Every character of it.
        language: BCP 47.
        own: Folders with fonts of the node's own, asked before those of the machine.

    Raises:
        Unavailable: `document-extra` where the title or most of the letters would stay unreadable, naming what to install.
    """
    left = {char for char in said if not char.isspace()}
    families = list(SHIPPED)
    for path in SHIPPED.values():
        left -= {char for char in left if ord(char) in covered(path, 0)}
    files: list[Path] = []
    for font in _candidates(language, own) if left else ():
        shown = {char for char in left if ord(char) in covered(Path(font.path or ""), font.index)}
        if shown:
            left -= shown
            families.append(font.family)
            files.append(Path(font.path or ""))
        if not left:
            break
    unread = [char for char in title if char in left and char.isalpha()]
    letters = [char for char in said if char.isalpha()]
    lost = [char for char in letters if char in left]
    if unread or 2 * len(lost) > len(letters):
        one = (unread or lost)[0]
        raise Unavailable(
            "document-extra",
            f"No font of this machine shows the letter {one} (U+{ord(one):04X}) of this paper; "
            "install Noto Sans for its script (for Chinese the package fonts-noto-cjk), or ask for docx, txt or json.",
        )
    return Chosen(tuple(families), tuple(files), frozenset(left))


def _candidates(language: str, own: Sequence[Path]) -> Iterable[FontInfo]:
    """Regular faces that may be used, the most fitting first."""
    import typst

    found = [
        font
        for mine in (True, False)
        for font in sorted(
            typst.Fonts(
                include_system_fonts=not mine,
                include_embedded_fonts=False,
                font_paths=[str(one) for one in own if one.is_dir()] if mine else [],
            ).fonts(),
            key=lambda font: (font.family != cjk_of(language), font.family, font.path or ""),
        )
        if font.path and font.weight == 400 and font.style == "normal" and (mine or _fits(font.family))
    ]
    return {font.family: font for font in reversed(found)}.values().__reversed__()


def _fits(family: str) -> bool:
    return family.startswith("Noto Sans") and "Mono" not in family


@lru_cache(maxsize=64)
def covered(path: Path, index: int) -> frozenset[int]:
    """The code points that a font file shows; none where it cannot be read."""
    try:
        with path.open("rb") as file:
            return frozenset(_cmap(file, index))
    except (OSError, struct.error):
        return frozenset()


def _cmap(file: BinaryIO, index: int) -> Iterable[int]:
    start = 0
    if file.read(4) == b"ttcf":
        file.seek(12 + 4 * index)
        (start,) = struct.unpack(">I", file.read(4))
    file.seek(start + 4)
    (tables,) = struct.unpack(">H6x", file.read(8))
    for _ in range(tables):
        tag, offset = struct.unpack(">4s4xI4x", file.read(16))
        if tag == b"cmap":
            break
    else:
        return
    file.seek(offset)
    (count,) = struct.unpack(">2xH", file.read(4))
    places = {struct.unpack(">4xI", file.read(8))[0] for _ in range(count)}
    for place in places:
        file.seek(offset + place)
        (form,) = struct.unpack(">H", file.read(2))
        if form == 4:
            yield from _segments(file)
        elif form == 12:
            (groups,) = struct.unpack(">10xI", file.read(14))
            for first, last, _ in struct.iter_unpack(">III", file.read(12 * groups)):
                yield from range(first, min(last, 0x10FFFF) + 1)


def _segments(file: BinaryIO) -> Iterable[int]:
    (twice,) = struct.unpack(">4xH6x", file.read(12))
    ends = struct.unpack(f">{twice // 2}H", file.read(twice))
    file.read(2)
    starts = struct.unpack(f">{twice // 2}H", file.read(twice))
    for first, last in zip(starts, ends, strict=True):
        if first != 0xFFFF:
            yield from range(first, last + 1)
