"""A negotiated text as diplomats write it, and read back: brackets, proponents, footnotes.

    (p2)
    en: [XA: one / XB, XC: other words {1} / XC: omit]
    {1} XA reserves on 2: pending the capital
    # XB: as in the minutes

Writing and reading are inverse: a text has one spelling, and any other is refused (docs/formats/texts.md).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final

from comity.kernel.procedure.texts import (
    PARTY_NAME,
    Alternative,
    Comment,
    Paragraph,
    Stance,
    Text,
    Words,
    malformed,
    positioned,
)

_HEAD: Final = "Comity text 1"
_OMIT: Final = "omit"
_WITHDRAWN: Final = " withdrawn"
_SPOKEN: Final[Mapping[Stance, tuple[str, str]]] = {
    "accepts": ("accepts", ""),
    "ad-referendum": ("accepts", " ad referendum"),
    "reserves": ("reserves on", ""),
    "objects": ("objects to", ""),
}
_MARKS: Final = re.compile(r"(?: \{\d+\})+$")
_NOTE: Final = re.compile(r"\{\d+\} (\S+) (accepts|reserves on|objects to) ([1-9]\d{0,3})( ad referendum)?(?:: (.*))?")
_SLASH: Final = re.compile(r"(?:(?<= )|^)/(?= |$)")


def render(text: Text, names: Mapping[str, str] | None = None) -> str:
    """The text as people read it; `parse` reads it back.

    Alternatives stand in brackets, ``[XA, XB: words / XC: words]``, each after its proponents (``-`` for none); positions
    stand under the paragraph like footnotes, comments after ``#``. A backslash stands before a bracket, a brace, a
    backslash, a lone slash, and words that are just "omit".

    Args:
        text: The text.
        names: What each party is called here; without it, its id.

    Raises:
        InputRefused: `text-form` when names are missing, equal, or hold a space or punctuation.
    """
    called = _names(text.parties, names)
    lines = [_HEAD, f"Languages: {', '.join(text.languages)}"]
    lines.append(f"Parties: {', '.join(called[one] for one in text.parties)}")
    for paragraph in text.paragraphs:
        lines += ["", f"({paragraph.id}){'' if paragraph.alternatives else _WITHDRAWN}"]
        notes = [(place, position) for place, one in enumerate(paragraph.alternatives, 1) for position in one.positions]
        for at, language in enumerate(text.languages):
            if paragraph.agreed:
                lines.append(f"{language}: {_written(paragraph.alternatives[0].words, at)}")
            elif paragraph.alternatives:
                parts = []
                for place, one in enumerate(paragraph.alternatives, 1):
                    marks = "".join(f" {{{n}}}" for n, (where, _) in enumerate(notes, 1) if where == place)
                    who = ", ".join(called[party] for party in one.proponents) or "-"
                    parts.append(f"{who}: {_written(one.words, at)}{marks}")
                lines.append(f"{language}: [{' / '.join(parts)}]")
        for n, (place, position) in enumerate(notes, 1):
            verb, more = _SPOKEN[position.stance]
            reason = f": {position.reason}" if position.reason else ""
            lines.append(f"{{{n}}} {called[position.party]} {verb} {place}{more}{reason}")
        lines += [f"# {called[one.party]}: {one.words}" for one in paragraph.comments]
    return "\n".join(lines) + "\n"


def parse(rendered: str, names: Mapping[str, str] | None = None) -> Text:
    """The text that `render` wrote, exactly; any other spelling is refused.

    Args:
        rendered: What `render` gave.
        names: As it was given to `render`: party id to name.

    Raises:
        InputRefused: `text-form`, `text-words`.
    """
    blocks = rendered.removesuffix("\n").split("\n\n")
    ids = {name: party for party, name in (names or {}).items()}
    try:
        head, languages, parties = blocks[0].split("\n")
        if head != _HEAD:
            raise ValueError(head)
        spoken = languages.removeprefix("Languages: ").split(", ")
        called = parties.removeprefix("Parties: ").split(", ")
        known = {name: ids.get(name, name) for name in called}
        paragraphs = tuple(_read_block(block.split("\n"), len(spoken), known) for block in blocks[1:])
        text = Text(tuple(spoken), tuple(known.values()), paragraphs)
        again = render(text, names)
    except (ValueError, KeyError, IndexError) as broken:
        raise malformed("it is not written as a text is") from broken
    if again != rendered:
        raise malformed("it is not in the one spelling a text has")
    return text


def _read_block(lines: Sequence[str], languages: int, known: Mapping[str, str]) -> Paragraph:
    id = lines[0].removeprefix("(").removesuffix(_WITHDRAWN).removesuffix(")")
    rest = list(lines[1:])
    gone = lines[0].endswith(_WITHDRAWN)
    spoken = [] if gone else [line.split(": ", 1)[1] for line in rest[:languages]]
    rest = rest if gone else rest[languages:]
    alternatives: list[Alternative] = []
    agreed = bool(spoken) and not spoken[0].startswith("[")
    if agreed:
        alternatives = [Alternative(_gathered(spoken))]
    elif spoken:
        columns = [[part.split(": ", 1) for part in line[1:-1].split(" / ")] for line in spoken]
        for parts in zip(*columns, strict=True):
            words = _gathered([_MARKS.sub("", said) for _, said in parts])
            who = () if parts[0][0] == "-" else tuple(sorted(known[name] for name in parts[0][0].split(", ")))
            alternatives.append(Alternative(words, who))
    comments: list[Comment] = []
    for line in rest:
        if line.startswith("# "):
            name, said = line[2:].split(": ", 1)
            comments.append(Comment(known[name], said))
            continue
        match = _NOTE.fullmatch(line)
        if match is None:
            raise ValueError(line)
        name, verb, place, more, reason = match.groups()
        stance = {said: word for word, said in _SPOKEN.items()}[verb, more or ""]
        at = int(place) - 1
        alternatives[at] = positioned(alternatives[at], known[name], stance, reason or "")
    return Paragraph(id, tuple(alternatives), agreed, tuple(comments))


def _written(words: Words | None, at: int) -> str:
    if words is None:
        return _OMIT
    if words[at] == _OMIT:
        return "\\" + _OMIT
    return _SLASH.sub(r"\\/", re.sub(r"[\\\[\]{}]", r"\\\g<0>", words[at]))


def _gathered(spoken: Sequence[str]) -> Words | None:
    if all(one == _OMIT for one in spoken):
        return None
    return tuple(re.sub(r"\\(.)", r"\1", one) for one in spoken)


def _names(parties: Sequence[str], names: Mapping[str, str] | None) -> dict[str, str]:
    called = {one: (names or {}).get(one, one) for one in parties}
    if len(set(called.values())) != len(parties) or not all(PARTY_NAME.fullmatch(one) for one in called.values()):
        raise malformed("its parties need names that differ, in one word each")
    return called
