"""A phrasebook as data: the sentences, words and joints a readable text is written with, in one language.

Another language of equal authenticity is another value of this type; render and parse (phrasebook.py) work by it
unchanged. A template holds slots ``{name}`` or, for lists, ``{name|style}`` where the style is a key of `lists`. Each
slot and its kind is given by `phrasebook.SLOTS`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Phrasebook:
    """The sentences of one language.

    Args:
        id: Name and number; every language of one phrasebook shares it, e.g. ``comity-phrases/1``.
        language: The language tag.
        sentences: Templates by key; the keys are those of `phrasebook.SLOTS`.
        words: For each closed list, the words a reader sees.
        lists: For each style, (what stands between two, what stands before the last).
        nobody: An empty list of parties.
        nothing: Any other empty list.
        unknown: ``*`` in a list.
        group: Template of a group among parties, with the slot ``{ref}``.
        units: For each part of a duration (Y, M, W, D, H, MIN, S) and for working days (WD), (one, several).
        months: Twelve names.
        instant: Template with ``{day} {month} {year} {time} {code}``.
        duration: Template with ``{words} {code}``.
        meaning: How the text is read, a paragraph each; part of what is signed.
    """

    id: str
    language: str
    sentences: Mapping[str, str]
    words: Mapping[str, Mapping[str, str]]
    lists: Mapping[str, tuple[str, str]]
    nobody: str
    nothing: str
    unknown: str
    group: str
    units: Mapping[str, tuple[str, str]]
    months: tuple[str, ...]
    instant: str
    duration: str
    meaning: tuple[str, ...]
