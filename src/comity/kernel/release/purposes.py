"""Purposes and legal bases: whether a word is on the list or is a URI, and the nearest word where it is neither.

Source: docs/agreement-language.md, Words; the lists are data (lists.py).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from difflib import get_close_matches
from typing import Final

from comity.kernel.release.lists import BASES, PURPOSES, Listed

_URI: Final = re.compile(r"[a-z][a-z0-9+.-]{1,31}:[A-Za-z0-9._~:/?#\[\]@!$&'()*+=%-]{1,480}", re.ASCII)
_PURPOSES: Final = {entry.id: entry for entry in PURPOSES}
_BASES: Final = {entry.id: entry for entry in BASES}


def purpose(word: str) -> Listed | None:
    """The listed purpose of that name, or None (a URI, or no purpose at all)."""
    return _PURPOSES.get(word)


def basis(word: str) -> Listed | None:
    """The listed legal basis of that name, or None (a URI, or no basis at all)."""
    return _BASES.get(word)


def is_uri(word: str) -> bool:
    """Whether the word is an absolute URI (RFC 3986 §4.3) in ASCII, without comma, semicolon or space, at most 512
    characters.
    """
    return _URI.fullmatch(word) is not None


def known_purpose(word: str) -> bool:
    """Whether a clause or a handling may name this purpose."""
    return word in _PURPOSES or is_uri(word)


def known_basis(word: str) -> bool:
    """Whether a clause or a handling may name this legal basis."""
    return word in _BASES or is_uri(word)


def nearest(word: str, choices: Iterable[str]) -> str | None:
    """The choice most like a mistyped word, or None where none is like it; the first 64 characters are compared."""
    known = {choice.lower(): choice for choice in choices}
    found = get_close_matches(word[:64].lower(), known, n=1, cutoff=0.5)
    return known[found[0]] if found else None
