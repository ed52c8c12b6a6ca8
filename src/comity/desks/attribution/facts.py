"""What the desk takes from the reference data: the parts norm 13(b) asks for, the ladder, the scales, the articles.

Nothing of it stands in the code. A word that is not of its list is refused with the words that are, and each fact carries its
sources, its day, and whether somebody checked it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Final

from comity.kernel.errors import Usage
from comity.node.facts import Fact, fact, facts, whole
from comity.node.stating import one_of

NORM: Final = "13b"
SCALES: Final = {"uk-phia": "uk_phia_yardstick", "us-icd-203": "icd_203"}
"""The scales of likelihood, by the word for them, and where they stand in the reference data."""

_OTHER: Final = {"icd-203": "us-icd-203", "uk-phia-yardstick": "uk-phia"}
_TONES: Final = {"breach-of-law": "breach-of-international-law"}


def norm() -> Fact:
    """Norm 13(b)."""
    return fact("norms", NORM)


def parts() -> tuple[str, ...]:
    """The parts of a dossier that norm 13(b) asks for, in order."""
    return tuple(norm().says["model"]["required_dossier_parts"])


def part_of(word: str) -> str:
    """A part by its word.

    Raises:
        Usage: `desk-asked`.
    """
    return one_of(word, parts(), "PART", "desk-asked")


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
    """The claim ladder, the least claim first."""
    found = fact_group("claim_ladder.levels")
    return tuple(Level(int(one.says["n"]), one.id, str(one.says["label"]), one.mark) for one in found)


def level(word: str) -> Level | None:
    """A step by its word; None where the ladder has none of that word."""
    return next((one for one in ladder() if one.id == word), None)


def level_of(said: str) -> Level:
    """A step by its number or its word.

    Raises:
        Usage: `desk-asked`.
    """
    by_word = {**{str(one.n): one for one in ladder()}, **{one.id: one for one in ladder()}}
    return by_word[one_of(said.strip(), by_word, "--claim-level", "desk-asked")]


def tone_of(said: str) -> str:
    """A legal tone by its word.

    Raises:
        Usage: `desk-asked`.
    """
    word = said.strip()
    return one_of(_TONES.get(word, word), tones(), "--tone", "desk-asked")


def tones() -> tuple[str, ...]:
    """The words for the legal tone, the weakest first."""
    return tuple(_claims()["legal_tone"])


def scale_of(said: str) -> str:
    """A scale of likelihood by its word.

    Raises:
        Usage: `desk-asked`.
    """
    word = said.strip()
    return one_of(_OTHER.get(word, word), SCALES, "--scale", "desk-asked")


@dataclass(frozen=True, slots=True)
class Likelihood:
    """A word of a scale: its range in percent, and how sure the reference data is of it."""

    word: str
    low: int
    high: int
    fact: Fact


def words_of(scale: str) -> tuple[str, ...]:
    """The words of a scale, the least likely first."""
    return tuple(one.word for one in _scale(scale))


def likelihood(said: str, scale: str) -> Likelihood | None:
    """A word on its scale; None where the scale, or on it the word, is not known here."""
    if scale not in SCALES:
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
        listed = ", ".join(one.replace("-", " ") for one in words_of(scale))
        raise Usage("desk-asked", f"{said[:80]!r} is no word of the scale {scale}; its words are: {listed}.")
    return found


def confidence_of(said: str, scale: str | None) -> str:
    """A word of confidence, on its scale where one is named.

    Raises:
        Usage: `desk-asked`.
    """
    if scale is not None:
        one_of(_OTHER.get(scale, scale), ["us-icd-203"], "--confidence-scale", "desk-asked")
    return one_of(said.strip(), fact("taxonomies", "icd_203").says["confidence"], "--confidence", "desk-asked")


def canonical_scale(said: str | None) -> str | None:
    """The word for a scale that another word was used for."""
    return None if said is None else _OTHER.get(said.strip(), said.strip())


def articles() -> tuple[Fact, ...]:
    """The articles on state responsibility."""
    return fact_group("state_responsibility.articles", "legal")


def article(word: str) -> Fact | None:
    """An article by its word; None where there is none."""
    return next((one for one in articles() if one.id == word), None)


def article_of(said: str) -> Fact:
    """An article by its word.

    Raises:
        Usage: `desk-asked`.
    """
    by_word = {one.id: one for one in articles()}
    return by_word[one_of(said.strip(), by_word, "--article", "desk-asked")]


def grade(source: str, information: str) -> str:
    """An Admiralty grade in words."""
    return f"{source}{information}: source {_graded('reliability', source)}, information {_graded('credibility', information)}"


def _graded(which: str, word: str) -> str:
    return next((str(one.says["label"]) for one in fact_group(f"admiralty.{which}") if one.id == word), "not known")


def fact_group(path: str, name: str = "taxonomies") -> tuple[Fact, ...]:
    """The facts that stand directly under a path of a list, in order."""
    depth = path.count(".") + 1
    return tuple(one for one in facts(name) if one.path.startswith(f"{path}.") and one.path.count(".") == depth)


def _claims() -> dict[str, Any]:
    said: dict[str, Any] = whole("taxonomies")["claim_ladder"]
    return said


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
