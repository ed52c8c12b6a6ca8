"""Schemes of severity and the mappings between them, from data: pure look-ups, each answer with its source.

A level may stand for several of another scheme, so a mapping is a relation and is read both ways: mapping there and back always holds
the level one began with. A scheme that is not in the data is nobody's mistake: its word is kept, and mapped to nothing.
Source: docs/formats/incidents.md, Severity; reference/clocks.yaml, comparison_model.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from comity.node.facts import mark
from comity.node.reference import shipped

_FILE: Final = "severity.yaml"


@dataclass(frozen=True, slots=True)
class Scheme:
    """A scheme: its levels from the least to the most severe."""

    id: str
    title: str
    levels: tuple[str, ...]
    sources: tuple[str, ...]
    verified: bool | str


@dataclass(frozen=True, slots=True)
class Mapped:
    """What a level stands for in another scheme, and by whose comparison.

    Args:
        levels: The levels it may stand for, from the least to the most severe.
    """

    scheme: str
    levels: tuple[str, ...]
    sources: tuple[str, ...]
    version: str
    verified: bool | str

    def as_json(self) -> dict[str, Any]:
        """{scheme, levels, sources, version, verified}."""
        known = _data()["sources"]
        return {
            "scheme": self.scheme,
            "levels": list(self.levels),
            "sources": [{"id": name, **known[name]} for name in self.sources],
            "version": self.version,
            "verified": self.verified,
        }

    @property
    def words(self) -> str:
        """The same for a person."""
        levels = " or ".join(self.levels)
        return f"{self.scheme}: {levels} ({mark(self.verified, self.sources, self.version)})"


def _data() -> dict[str, Any]:
    found: dict[str, Any] = shipped(__package__ or "", _FILE)
    return found


@cache
def schemes() -> dict[str, Scheme]:
    """Every scheme, by id."""
    return {
        name: Scheme(name, row["title"], tuple(row["levels"]), tuple(row["source"]), row["verified"])
        for name, row in _data()["schemes"].items()
    }


@cache
def mapped(scheme: str, level: str) -> tuple[Mapped, ...]:
    """What a level stands for in every other scheme; nothing for a word or a scheme that is not in the data."""
    data, found = _data(), []
    for row in data["mappings"]:
        if row["from"] == scheme:
            other, levels = row["to"], list(row["levels"].get(level, ()))
        elif row["to"] == scheme:
            other, levels = row["from"], [name for name, to in row["levels"].items() if level in to]
        else:
            continue
        order = schemes()[other].levels
        if levels:
            told = tuple(sorted(levels, key=order.index))
            found.append(Mapped(other, told, tuple(row["source"]), str(data["as_of"]), row["verified"]))
    return tuple(found)
