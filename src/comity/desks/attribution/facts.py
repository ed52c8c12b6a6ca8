"""What the desk takes from the reference data: the parts norm 13(b) asks for, tones, words of confidence, the articles.

Nothing of it stands in the code. A word that is not of its list is refused with the words that are, and each fact carries its
sources, its day, and whether somebody checked it.
"""

from __future__ import annotations

from typing import Any, Final

from comity.node.facts import Fact, fact, whole
from comity.node.scales import canonical_scale, fact_group
from comity.node.stating import one_of

NORM: Final = "13b"
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


def confidence_of(said: str, scale: str | None) -> str:
    """A word of confidence, on its scale where one is named.

    Raises:
        Usage: `desk-asked`.
    """
    if scale is not None:
        one_of(canonical_scale(scale) or "", ["us-icd-203"], "--confidence-scale", "desk-asked")
    return one_of(said.strip(), fact("taxonomies", "icd_203").says["confidence"], "--confidence", "desk-asked")


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


def _claims() -> dict[str, Any]:
    said: dict[str, Any] = whole("taxonomies")["claim_ladder"]
    return said
