"""Mandates: which officer may do which deeds of a party, up to which ceilings, from when to when, and who stands in.

A mandate has one canonical form; its digest is what an act commits to beside its officers. What a mandate does not state it does not
give: a deed that asks for a ceiling is not covered by a mandate without it. Source: docs/formats/log.md, Mandates.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final

from comity.kernel.errors import ComityError, InputRefused
from comity.kernel.model import instants
from comity.kernel.model.instants import Instant
from comity.kernel.release.vocabulary import PAP, TLP
from comity.kernel.seal.canonical import canonical
from comity.kernel.tlog import strict

FORM: Final = 1
CODE: Final = "mandate-form"

SCALES: Final[Mapping[str, tuple[str, ...]]] = {"tlp": TLP, "pap": PAP}
"""Ceilings that are words of a closed list, from the lowest on; every other one is a whole number."""

HIGHEST: Final[Mapping[str, int]] = {"claim-level": 7}
"""The highest number of a ceiling, where there is one: levels of a claim go from 0 to 7."""

LONGEST: Final = 2_000
"""Characters of a reason."""

MOST: Final = 100
"""Deeds, ceilings or substitutes of one mandate."""

_MEMBERS: Final = frozenset(
    {"form", "id", "officer", "deeds", "ceilings", "substitutes", "from", "until", "by", "at", "reason"}
)
_DEEDS: Final = re.compile(r"[a-z][a-z-]*(?: [a-z][a-z-]*){0,3}(?: \*)?", re.ASCII)
_WORD: Final = re.compile(r"[a-z][a-z0-9-]{0,39}", re.ASCII)
_ID: Final = re.compile(r"mandate-[1-9]\d{0,8}", re.ASCII)
_OFFICER: Final = re.compile(r"officer-[1-9]\d{0,8}", re.ASCII)

Level = int | str
"""How high something is: a whole number, or a word of its scale (`SCALES`)."""


@dataclass(frozen=True, slots=True)
class Mandate:
    """One mandate.

    Args:
        id: ``mandate-`` and a number; of this node.
        officer: The id of who holds it, ``officer-3``.
        deeds: What it is for: the name of a deed (``agreement sign``), all of a group (``statement *``), or a kind of deed
            (``sign``); sorted.
        ceilings: How high it reaches, by the word of what is limited; sorted by word.
        substitutes: Ids of officers who may do the same under it; sorted.
        since, until: From when on, and up to but not including when; None: until it is ended. Microseconds.
        by: The id of the officer who gave it.
        at: When it was given, microseconds.
        reason: Why.

    Raises:
        InputRefused: `mandate-form` for what cannot be.
    """

    id: str
    officer: str
    deeds: tuple[str, ...]
    ceilings: tuple[tuple[str, Level], ...]
    substitutes: tuple[str, ...]
    since: Instant
    until: Instant | None
    by: str
    at: Instant
    reason: str

    def __post_init__(self) -> None:
        every = (self.officer, self.by, *self.substitutes)
        _check(bool(_ID.fullmatch(self.id)), "A mandate has an id such as mandate-1.")
        _check(all(_OFFICER.fullmatch(one) for one in every), "A mandate names officers by their ids.")
        _check(self.officer not in self.substitutes, "Nobody stands in for himself.")
        _check(0 < len(self.deeds) <= MOST, f"A mandate is for 1 to {MOST} deeds.")
        for one in self.deeds:
            _check(
                bool(_DEEDS.fullmatch(one)), f"{one[:60]!r} is no deed, group of deeds (statement *) or kind of deed."
            )
        for ours in (self.deeds, self.substitutes, tuple(word for word, _ in self.ceilings)):
            _check(ours == tuple(sorted(set(ours))) and len(ours) <= MOST, "What a mandate lists is sorted, each once.")
        for word, value in self.ceilings:
            check_level(word, value)
        _check(self.at <= self.since, "A mandate begins when it is given, or later.")
        _check(self.until is None or self.since < self.until, "A mandate ends after it begins.")
        told = self.reason.strip()
        _check(bool(told) and len(self.reason) <= LONGEST, f"A mandate has a reason of at most {LONGEST} characters.")

    def as_json(self) -> dict[str, Any]:
        """Its canonical form as JSON."""
        return {
            "form": FORM,
            "id": self.id,
            "officer": self.officer,
            "deeds": list(self.deeds),
            "ceilings": dict(self.ceilings),
            "substitutes": list(self.substitutes),
            "from": instants.format(self.since),
            "until": None if self.until is None else instants.format(self.until),
            "by": self.by,
            "at": instants.format(self.at),
            "reason": self.reason,
        }

    @property
    def body(self) -> bytes:
        """Its canonical form, RFC 8785."""
        return canonical(self.as_json())

    @property
    def digest(self) -> str:
        """SHA-256 of `body`, 64 hexadecimal digits: what acts under it commit to."""
        return sha256(self.body).hexdigest()

    @property
    def officers(self) -> tuple[str, ...]:
        """Who may act under it: the holder, then the substitutes."""
        return (self.officer, *self.substitutes)

    def covers(self, deed: str, kind: str) -> bool:
        """Whether it is for a deed of this name and kind."""
        groups = {one.removesuffix("*") for one in self.deeds if one.endswith(" *")}
        return deed in self.deeds or kind in self.deeds or any(deed.startswith(group) for group in groups)

    def lasts(self, at: Instant) -> bool:
        """Whether an instant lies within its time."""
        return self.since <= at and (self.until is None or at < self.until)

    def reaches(self, word: str, value: Level) -> bool:
        """Whether it reaches as high; without a ceiling of that word it does not.

        Raises:
            InputRefused: `mandate-form` where the value is none of that word.
        """
        check_level(word, value)
        ceiling = dict(self.ceilings).get(word)
        return ceiling is not None and _height(word, value) <= _height(word, ceiling)


def check_level(word: str, value: Level) -> None:
    """Return if something can be limited so: a word of the scale of its name, else a whole number.

    Raises:
        InputRefused: `mandate-form`.
    """
    _check(bool(_WORD.fullmatch(word)), f"{word[:40]!r} is no word for a ceiling, such as tlp or claim-level.")
    scale = SCALES.get(word)
    if scale is not None:
        _check(value in scale, f"The ceiling {word} is one of {', '.join(scale)}; {str(value)[:40]!r} is none.")
        return
    top = HIGHEST.get(word, (1 << 53) - 1)
    _check(
        isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= top,
        f"The ceiling {word} is a whole number from 0 to {top}; {str(value)[:40]!r} is none.",
    )


def read_mandate(said: Any) -> Mandate:
    """The mandate that a canonical form says.

    Raises:
        InputRefused: `mandate-form`.
    """
    what = "A mandate"
    if not isinstance(said, dict) or set(said) != _MEMBERS or said["form"] != FORM or isinstance(said["form"], bool):
        raise InputRefused(CODE, "The mandate has a form that is not known here; a newer version may read it.")
    lists = {name: said[name] for name in ("deeds", "substitutes")}
    for name, value in lists.items():
        if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
            raise InputRefused(CODE, f"{what} needs {name!r}, a list of texts.")
    if not isinstance(said["ceilings"], dict):
        raise InputRefused(CODE, f"{what} needs 'ceilings', an object.")
    return Mandate(
        id=strict.text(said, "id", CODE, what),
        officer=strict.text(said, "officer", CODE, what),
        deeds=tuple(lists["deeds"]),
        ceilings=tuple(sorted(said["ceilings"].items())),
        substitutes=tuple(lists["substitutes"]),
        since=_instant(said, "from"),
        until=None if said["until"] is None else _instant(said, "until"),
        by=strict.text(said, "by", CODE, what),
        at=_instant(said, "at"),
        reason=strict.text(said, "reason", CODE, what),
    )


def _instant(said: Mapping[str, Any], name: str) -> Instant:
    text = strict.text(said, name, CODE, "A mandate")
    try:
        at = instants.parse(text)
    except ComityError as broken:
        raise InputRefused(CODE, f"{name!r} of a mandate is a STIX timestamp.", clause="STIX 2.1 §2.17") from broken
    _check(instants.format(at) == text, "An instant of a mandate has one spelling.")
    return at


def _height(word: str, value: Level) -> int:
    return SCALES[word].index(str(value)) if word in SCALES else int(value)


def _check(holds: bool, sentence: str) -> None:
    if not holds:
        raise InputRefused(CODE, sentence)
