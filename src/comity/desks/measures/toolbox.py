"""The toolbox as data: each option with what it needs, on which basis it stands, and how sure each of these is.

Nothing here recommends or decides. What the desk itself reads into the data, how far a claim must go before it is the attribution that
an option needs, is its own reading and says so.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from comity.kernel.errors import NotFound, Usage
from comity.kernel.release.purposes import nearest
from comity.node.facts import Fact, fact, facts, whole, within
from comity.node.scales import ladder

TOOLBOX: Final = "toolbox"
LEGAL: Final = "legal"
COUNTERMEASURE: Final = "L1"
"""The option by which a state responds itself: what it does may be a countermeasure."""

FACTORS: Final = ("scope", "scale", "duration", "intensity", "complexity", "sophistication", "impact")
"""What a response has to fit (toolbox, principle ``proportionate``); a test holds these to the words of the principle."""

READING: Final = "our own reading of the toolbox and of the claim ladder; unconfirmed"
"""How sure the numbers of `NEEDED` are."""

NEEDED: Final[Mapping[str, tuple[int | None, str]]] = {
    "no": (0, "It needs no attribution."),
    "optional": (0, "It may name a responsible party and need not."),
    "responsible-person": (
        4,
        "It needs a person or body that is held responsible: a claim that names the actor, or one above it.",
    ),
    "state": (7, "It needs the state itself to be held responsible; only against that state may it be taken."),
    "armed-aggression": (None, "It needs a finding of armed aggression, which no step of the claim ladder is."),
}
"""For each word of ``needs_attribution``, the lowest step of the claim ladder that is enough, and why."""


@dataclass(frozen=True, slots=True)
class Option:
    """One measure of the toolbox.

    Args:
        id: Such as ``R2``.
        needs: A key of `NEEDED`.
        basis: The facts its legal basis is told from; empty where the data name none, and who proposes it says which.
    """

    id: str
    category: Fact
    about: Fact
    needs: str
    basis: tuple[Fact, ...]

    def enough(self, level: int | None) -> bool | None:
        """Whether a claim of this level is the attribution it needs; None where the ladder cannot say, or nothing is needed."""
        least = NEEDED[self.needs][0]
        return None if least is None or least == 0 else level is not None and level >= least

    def as_json(self, level: int | None = None) -> dict[str, Any]:
        """What is told of it, each part with its sources."""
        least, sentence = NEEDED[self.needs]
        return {
            "id": self.id,
            "label": self.about.text,
            "needs_attribution": False if self.needs == "no" else self.needs,
            "category": self.category.id,
            "category_label": self.category.text,
            "verified": self.about.verified,
            "version": self.about.as_of,
            "sources": [one.as_json() for one in self.about.sources],
            "mark": self.about.mark,
            "attribution": {
                "needs": self.needs,
                "least_claim_level": least,
                "claim_level": level,
                "there": self.enough(level),
                "sentence": sentence,
                "reading": READING,
            },
            "legal_basis": [one.as_json() for one in self.basis],
        }


def options() -> tuple[Option, ...]:
    """Every option of the toolbox, in its order."""
    found = []
    for category in (one for one in facts(TOOLBOX) if re.fullmatch(r"categories\.list\.[^.]+", one.path)):
        for about in within(category):
            needs = about.says["needs_attribution"]
            word = ("optional" if needs else "no") if isinstance(needs, bool) else str(needs)
            found.append(Option(about.id, category, about, word, _basis(category.id, about.id)))
    return tuple(found)


def option(id: str) -> Option:
    """One option.

    Raises:
        NotFound: `no-such-fact`.
    """
    known = {one.id: one for one in options()}
    if id not in known:
        raise NotFound("no-such-fact", f"The toolbox has no option {id[:40]!r}; there are {', '.join(known)}.")
    return known[id]


def _basis(category: str, id: str) -> tuple[Fact, ...]:
    if category == "restrictive":
        regime = fact(TOOLBOX, "sanctions_regime")
        return (regime, fact(TOOLBOX, "sanctions_regime.scope"), fact(TOOLBOX, "sanctions_regime.adoption"))
    if id == COUNTERMEASURE:
        return countermeasure_articles()
    if category == "lawful-response-support":
        return (fact(TOOLBOX, id),)
    return ()


def countermeasure_articles() -> tuple[Fact, ...]:
    """The articles on countermeasures, ARSIWA 49 to 53."""
    return tuple(fact(LEGAL, f"ARSIWA-{number}") for number in range(49, 54))


def checklist() -> dict[str, Any]:
    """What is gone through before a countermeasure: the points, and the articles they come from. It decides nothing."""
    points = whole(LEGAL)["state_responsibility"]["model"]["checklist_before_countermeasure"]
    return {
        "points": [{"id": slug(text), "text": text} for text in points],
        "articles": [one.as_json() for one in countermeasure_articles()],
        "version": str(whole(LEGAL)["as_of"]),
        "verified": False,
        "note": "A checklist: it is shown, and decides nothing.",
    }


def slug(text: str) -> str:
    """A point of a checklist as one word."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")


def principles() -> tuple[Fact, ...]:
    """The principles of the toolbox that every option stands under."""
    return tuple(one for one in facts(TOOLBOX) if one.path.startswith("principles."))


def step_of(word: Any) -> int | None:
    """The step of the claim ladder that a word or a number in an object names; None where it names none."""
    named = (one.n for one in ladder() if word == one.id or (not isinstance(word, bool) and str(word) == str(one.n)))
    return next(named, None)


def pairs(said: tuple[str, ...], known: tuple[str, ...], option: str) -> dict[str, str]:
    """Words written ``NAME=TEXT``, each name once and of a list.

    Raises:
        Usage: `desk-asked`, with the nearest name.
    """
    found: dict[str, str] = {}
    for text in said:
        name, equals, words = text.partition("=")
        if name not in known:
            near = nearest(name, list(known))
            hint = f"did you mean {near!r}? " if near else ""
            raise Usage("desk-asked", f"{name[:60]!r} is not among {option}; {hint}There are {', '.join(known)}.")
        if not equals or not words.strip() or name in found:
            raise Usage("desk-asked", f"{option} {name} is said once, as {name}=TEXT.")
        found[name] = words.strip()
    return found
