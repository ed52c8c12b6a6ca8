"""Names and free text as people read them: what could deceive the eye is refused before anybody signs.

Refused in all text: control, bidirectional and invisible characters, unassigned and private-use ones, text that is not
in normal form C. Refused where a text is quoted: what closes the quotation. Refused in names of an agreement also:
letters of two scripts in one word, letters that only look like others (full-width, mathematical). Two names of one
agreement that look alike are refused together; two parties known here whose names look alike are told apart by their
ids. Source: UTS #39 §4 (confusables; the table here holds the Cyrillic and Greek twins of Latin letters) and §5 (mixed
scripts); UAX #9 §2 (bidirectional controls).
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

MAX_NAME: Final = 200
MAX_TEXT: Final = 4000

_REFUSED: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_INVISIBLE: Final = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u3164\uffa0") | frozenset(map(chr, range(0xFE00, 0xFE10)))
_MOST_MARKS: Final = 8
_JOINERS: Final = frozenset("\u200c\u200d")
_JOINING_SCRIPTS: Final = frozenset(
    {
        "ARABIC",
        "SYRIAC",
        "DEVANAGARI",
        "BENGALI",
        "GURMUKHI",
        "GUJARATI",
        "ORIYA",
        "TAMIL",
        "TELUGU",
        "KANNADA",
        "MALAYALAM",
    }
    | {"SINHALA", "KHMER", "MYANMAR", "MONGOLIAN"}
)
_TOGETHER: Final = frozenset({"CJK", "HIRAGANA", "KATAKANA", "KATAKANA-HIRAGANA", "HANGUL", "BOPOMOFO", "IDEOGRAPHIC"})
_QUOTES: Final = re.compile("[\"“”„‟«»″‶〝〞〟＂ʺ˝ˮ]|['‘’‚‛′‵`´]{2}")
_TWINS: Final = str.maketrans(
    "авекмнорстухіјѕԛԝһӏԁցɡαβεηικνορτυχ01|",
    "abekmhopctyxijsqwhldgg" + "abenikvoptux" + "oll",
)


def flaw_of_text(text: str, limit: int = MAX_TEXT) -> str | None:
    """What is wrong with a piece of free text, as the end of a sentence, or None."""
    if not text or text != text.strip():
        return "is empty or has a space at its ends"
    if len(text) > limit:
        return f"has {len(text)} characters, more than {limit}"
    before = ""
    for char in text:
        category = unicodedata.category(char)
        if category in _REFUSED or char in _INVISIBLE:
            if char in _JOINERS and _script(before) in _JOINING_SCRIPTS:
                continue
            return f"holds the {_kind(category)} character U+{ord(char):04X}, which a reader cannot see"
        before = char
    if unicodedata.normalize("NFC", text) != text:
        return "is not in Unicode normal form C"
    return None


def legible(text: str, keep: str = "") -> str:
    """Text of others as it can be shown: each character that a reader cannot see stands as ``‹U+202E›``.

    So does each mark beyond the eighth on one letter, which would grow over what stands above and below.

    Args:
        keep: Characters that are left as they are, such as a line feed where lines may break.
    """
    out: list[str] = []
    before, marks = "", 0
    for char in text:
        category = unicodedata.category(char)
        marks = marks + 1 if category in ("Mn", "Me") else 0
        unseen = category in _REFUSED or char in _INVISIBLE or marks > _MOST_MARKS
        joins = char in _JOINERS and _script(before) in _JOINING_SCRIPTS
        out.append(f"‹U+{ord(char):04X}›" if unseen and not joins and char not in keep else char)
        before = char
    return "".join(out)


def flaw_of_quoted(text: str) -> str | None:
    """What is wrong with free text that is shown between double quotation marks, as the end of a sentence, or None.

    A reader who saw such a mark inside could not tell where the quoted words end and the text goes on.
    """
    found = _QUOTES.search(text)
    if found is None:
        return None
    return f"holds the quotation mark {found[0]}, which would end it where it is quoted; write ‘ and ’ inside"


def flaw_of_name(name: str) -> str | None:
    """What is wrong with the name of a party, as the end of a sentence, or None."""
    flaw = flaw_of_text(name, MAX_NAME)
    if flaw is not None:
        return flaw
    for word in re.findall(r"[^\W\d_]+", name):
        for char in word:
            if unicodedata.normalize("NFKC", char) != char:
                return f"holds U+{ord(char):04X} {unicodedata.name(char, '')}, which only looks like another letter"
        scripts = scripts_of(word)
        if len(scripts) > 1 and not set(scripts) <= _TOGETHER:
            return f"mixes {' and '.join(scripts)} letters in the word {word!r}"
    return None


def scripts_of(text: str) -> tuple[str, ...]:
    """The scripts of the letters in a text, sorted: ``LATIN``, ``CYRILLIC`` ..."""
    return tuple(sorted({_script(char) for char in text if char.isalpha()}))


def looks_like(name: str) -> str:
    """A key that two names share when a hasty reader would take them for the same."""
    folded = unicodedata.normalize("NFKC", name).casefold().replace("l", "|").replace("i", "|").translate(_TWINS)
    return "".join(folded.replace("i", "l").split())


def _script(char: str) -> str:
    return unicodedata.name(char, "?").split()[0] if char else ""


def _kind(category: str) -> str:
    return {"Cf": "formatting or direction", "Cc": "control", "Co": "private-use", "Cn": "unassigned"}.get(
        category, "invisible"
    )
