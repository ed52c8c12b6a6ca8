"""The claim ladder, and the scales of likelihood with the ranges of their words, as the reference data has them.

A word is kept as it was said, on the scale on which it was said. Two words are compared by their ranges, and that is told as a
comparison; nothing is put from one scale onto another. What the reference data does not confirm is told as unconfirmed.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Final

from comity.kernel.errors import Usage
from comity.node.facts import Fact, facts
from comity.node.stating import one_of

SCALES: Final = {"uk-phia": "uk_phia_yardstick", "us-icd-203": "icd_203"}
"""The scales of likelihood of which the ranges ship, by the word for them, and where they stand in the reference data."""

_OTHER: Final = {"icd-203": "us-icd-203", "uk-phia-yardstick": "uk-phia"}


@dataclass(frozen=True, slots=True)
class Level:
    """A step of the claim ladder: its number, its word, what it commits to, and how sure the reference data is of it."""

    n: int
    id: str
    label: str
    mark: str

    def as_json(self) -> dict[str, Any]:
        """{n, id, label, mark}."""
        return {"n": self.n, "id": self.id, "label": self.label, "mark": self.mark}


def ladder() -> tuple[Level, ...]:
    """The claim ladder, from saying nothing to holding the state responsible."""
    found = fact_group("claim_ladder.levels")
    return tuple(Level(int(one.says["n"]), one.id, str(one.says["label"]), one.mark) for one in found)


def level(word: object) -> Level | None:
    """A step by its word; None where the ladder has none of that word."""
    return next((one for one in ladder() if one.id == word), None)


def level_of(said: str, option: str = "--claim-level") -> Level:
    """A step by its number or its word.

    Raises:
        Usage: `desk-asked`, naming the nearest word.
    """
    by_word = {one.id: one for one in ladder()} | {str(one.n): one for one in ladder()}
    return by_word[one_of(said.strip(), by_word, option, "desk-asked")]


@dataclass(frozen=True, slots=True)
class Likelihood:
    """A word of a scale: its range in percent, and how sure the reference data is of it."""

    word: str
    low: int
    high: int
    fact: Fact


def canonical_scale(said: str | None) -> str | None:
    """The word for a scale that another word was used for."""
    return None if said is None else _OTHER.get(said.strip(), said.strip())


def scale_of(said: str) -> str:
    """A scale of likelihood by its word.

    Raises:
        Usage: `desk-asked`.
    """
    return one_of(canonical_scale(said) or "", SCALES, "--scale", "desk-asked")


def words_of(scale: str) -> tuple[str, ...]:
    """The words of a scale, the least likely first."""
    return tuple(one.word for one in _scale(scale))


def likelihood(said: str | None, scale: str | None) -> Likelihood | None:
    """A word on its scale; None where the scale, or on it the word, is not known here."""
    scale = canonical_scale(scale)
    if said is None or scale is None or scale not in SCALES:
        return None
    looked = _folded(said)
    return next((one for one in _scale(scale) if looked in _spellings(one)), None)


def likelihood_of(said: str, scale: str) -> Likelihood:
    """A word on its scale.

    Raises:
        Usage: `desk-asked`, naming the words of the scale.
    """
    found = likelihood(said, scale)
    if found is None:
        listed = ", ".join(one.replace("-", " ") for one in words_of(scale_of(scale)))
        raise Usage("desk-asked", f"{said[:80]!r} is no word of the scale {scale}; its words are: {listed}.")
    return found


def fact_group(path: str, name: str = "taxonomies") -> tuple[Fact, ...]:
    """The facts that stand directly under a path of a list, in order."""
    depth = path.count(".") + 1
    return tuple(one for one in facts(name) if one.path.startswith(f"{path}.") and one.path.count(".") == depth)


def _scale(scale: str) -> tuple[Likelihood, ...]:
    return tuple(
        Likelihood(one.id, int(one.says["pct"][0]), int(one.says["pct"][1]), one)
        for one in fact_group(f"{SCALES[scale]}.likelihood")
    )


def _spellings(one: Likelihood) -> frozenset[str]:
    """The word itself, the others the scale has for it, and each half of one that joins two by `or`."""
    said = [one.word, *(one.fact.says.get("also") or ())]
    said += [half for word in said if "-or-" in word for half in word.split("-or-")]
    return frozenset(map(_folded, said))


def _folded(word: str) -> str:
    return " ".join(re.split(r"[\s_-]+", word.strip().casefold()))
