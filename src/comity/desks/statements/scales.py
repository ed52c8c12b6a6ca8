"""The scales on which statements are read: the claim ladder, words of likelihood with their ranges, as the reference data has them.

A word is kept as it was said, on the scale on which it was said. Two words are compared by their ranges, and that is told as a
comparison; nothing is put from one scale onto another. What the reference data does not confirm is told as unconfirmed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from comity.kernel.errors import Usage
from comity.node.facts import Fact, fact, facts, within
from comity.node.stating import one_of

LIST: Final = "taxonomies"

SCALES: Final[Mapping[str, str]] = {
    "icd-203": "icd_203",
    "us-icd-203": "icd_203",
    "uk-phia": "uk_phia_yardstick",
}
"""The scales of which the ranges ship, by the names under which they are said."""


@dataclass(frozen=True, slots=True)
class Level:
    """One step of the claim ladder: its number, its id, and what a statement on it commits to."""

    n: int
    id: str
    label: str


@dataclass(frozen=True, slots=True)
class Band:
    """A word of likelihood: its range in percent, and how sure the reference data is of it."""

    id: str
    low: int
    high: int
    mark: str


def ladder() -> tuple[Level, ...]:
    """The claim ladder, from saying nothing to holding the state responsible."""
    steps = _entries("claim_ladder.levels.")
    return tuple(sorted((Level(int(one.says["n"]), one.id, one.text) for one in steps), key=lambda one: one.n))


def level(word: str) -> Level | None:
    """The step of this id; None for one the ladder does not have."""
    return next((one for one in ladder() if one.id == word), None)


def need_level(word: str) -> str:
    """A step an officer names.

    Raises:
        Usage: `desk-asked` with the nearest word.
    """
    return one_of(word, [one.id for one in ladder()], "--claim-level", "desk-asked")


def ladder_mark() -> str:
    """How sure the reference data is of the ladder, for a person."""
    return fact(LIST, "claim_ladder.levels.no-position").mark


def band(word: str | None, scale: str | None) -> Band | None:
    """The range of a word on a scale that ships; None where either is not known."""
    name = SCALES.get(scale or "")
    if name is None or word is None:
        return None
    wanted = _plain(word)
    for one in _bands(name):
        spoken = [_plain(one.id), *map(_plain, one.says.get("also", ())), *_plain(one.id).split(" or ")]
        if wanted in spoken:
            low, high = one.says["pct"]
            return Band(one.id, int(low), int(high), one.mark)
    return None


def need_likelihood(word: str | None, scale: str | None) -> None:
    """Return if a word of likelihood stands on its scale.

    Raises:
        Usage: `desk-asked` where only one of both is said, or a scale that ships does not have the word.
    """
    if (word is None) != (scale is None):
        raise Usage("desk-asked", "A word of likelihood is said with its scale: give both --likelihood and --scale.")
    if word is not None and scale is not None and scale in SCALES and band(word, scale) is None:
        words = [_plain(one.id) for one in _bands(SCALES[scale])]
        raise Usage("desk-asked", f"The scale {scale} has no {word[:60]!r}; its words are {', '.join(words)}.")


def _entries(prefix: str) -> list[Fact]:
    return [one for one in facts(LIST) if one.path.startswith(prefix)]


def _bands(name: str) -> tuple[Fact, ...]:
    return tuple(one for one in within(fact(LIST, name)) if "pct" in one.says)


def _plain(word: Any) -> str:
    return " ".join(str(word).replace("-", " ").casefold().split())
