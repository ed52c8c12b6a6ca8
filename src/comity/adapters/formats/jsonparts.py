"""Tells from the first bytes of a JSON file what it holds: its outline. Nothing here validates. RFC 8259."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

_TOKEN: Final = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"|[{}\[\]:,]|[^\s{}\[\]:,"]+', re.DOTALL)


@dataclass(frozen=True, slots=True)
class Outline:
    """What the first bytes of a JSON text show.

    Args:
        top: ``{`` or ``[``.
        keys: Keys of the top object, or of the first object in a top list, in order.
        inner: Keys of the first object inside each list or object that stands directly in those, by its key.
        texts: Short text values of those keys.
    """

    top: str
    keys: tuple[str, ...]
    inner: dict[str, tuple[str, ...]]
    texts: dict[str, str]


def outline(head: bytes) -> Outline:
    """The outline of a JSON text from its first bytes; what is cut off at the end does not matter."""
    base = 1 if head.lstrip()[:1] == b"{" else 2
    keys: list[str] = []
    inner: dict[str, dict[str, None]] = {}
    texts: dict[str, str] = {}
    stack: list[bytes] = []
    path: list[str] = []
    text: bytes | None = None
    key = ""
    first = True  # still in the first object of a top list
    value = False  # right behind a colon
    for match in _TOKEN.finditer(head):
        token = match.group()
        lead = token[:1]
        if lead in b"{[":
            stack.append(lead)
            path.append(key)
            if len(stack) > 64:
                break
            text = None
        elif lead in b"}]":
            if stack:
                stack.pop()
                path.pop()
            if base == 2 and len(stack) < 2 and keys:
                first = False
        elif lead == b":":
            if text is not None and stack and stack[-1] == b"{" and first:
                key = _text(text)
                if len(stack) == base:
                    keys.append(key)
                elif len(stack) in (base + 1, base + 2) and len(path) > base:
                    inner.setdefault(path[base], {})[key] = None
            text = None
            value = True
            continue
        elif lead == b'"':
            if value and len(stack) == base and keys and len(token) < 300:
                texts.setdefault(keys[-1], _text(token))
            text = token
        else:
            text = None
        value = False
        if not first or len(keys) > 256:
            break
    return Outline(
        "{" if base == 1 else "[",
        tuple(dict.fromkeys(keys)),
        {name: tuple(found) for name, found in inner.items()},
        texts,
    )


def _text(token: bytes) -> str:
    return token[1:-1].decode("utf-8", "replace")
