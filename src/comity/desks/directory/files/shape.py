"""What every file format gives and takes: entries with their place in the file, or a refusal with a sentence."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from comity.kernel.errors import InputRefused

MOST: Final = 10_000
"""Contacts of one file; more is no directory of offices."""

LONGEST: Final = 200_000
"""Characters of one entry."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One contact as a file says it.

    Args:
        place: Where it stands, such as ``line 3``.
        says: Members of `kinds.Contact` as JSON values; `party` and `office` where the file says them.
        party: Whose office, as the file calls it; None where it does not say.
        beware: What an officer should know of it, sentences.
    """

    place: str
    says: dict[str, Any]
    party: str | None = None
    beware: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Refusal:
    """An entry that cannot be taken, and why."""

    place: str
    sentence: str


def text_of(data: bytes) -> str:
    """The text of a file, UTF-8, with or without a byte order mark.

    Raises:
        InputRefused: `wrong-encoding`.
    """
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as broken:
        raise InputRefused("wrong-encoding", "The file is not UTF-8; save it as UTF-8.") from broken


def kept(form: str, rest: list[tuple[str, str]]) -> dict[str, Any]:
    """What a file said that has no member of its own."""
    return {"source": {"form": form, "rest": [list(one) for one in rest]}} if rest else {}
