"""Finds the parts of a large JSON file without reading it whole: its outline, and the elements of one list.

Nothing here validates: each part that is cut out is read strictly afterwards (`kernel.model.strictjson`). RFC 8259.
Memory: one element (bounded by the caller) and one chunk.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from comity.kernel.errors import InputRefused

_TOKEN: Final = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"|[{}\[\]:,]|[^\s{}\[\]:,"]+', re.DOTALL)
_CHUNK: Final = 256 * 1024


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


_STOP: Final = re.compile(rb'["{}\[\]:]')
_STRING_END: Final = re.compile(rb'[^"\\]*(?:\\.[^"\\]*)*"', re.DOTALL)
_DEEP: Final = 10_000


class _Scan:
    """Structural characters of a JSON text that is read piece by piece; strings are passed over as one token."""

    def __init__(self, read: Callable[[int], bytes], limit: int) -> None:
        self._read = read
        self._limit = limit
        self._buffer = b""
        self._at = 0
        self._mark = -1  # bytes from here on are kept
        self.text = b""

    def mark(self) -> None:
        """Keep the bytes from the last token on."""
        self._mark = self._at - 1

    def cut(self) -> bytes:
        """The bytes from the mark up to the last token, which are then let go."""
        piece = self._buffer[self._mark : self._at]
        self._mark = -1
        return piece

    def next(self) -> int:
        """The next structural byte, ``"`` for a whole string (kept in `text`), 0 at the end."""
        while True:
            match = _STOP.search(self._buffer, self._at)
            if match is None:
                self._at = len(self._buffer)
                if not self._more(self._at):
                    return 0
                continue
            found = match.group()[0]
            if found != 0x22:
                self._at = match.end()
                return found
            end = _STRING_END.match(self._buffer, match.end())
            if end is not None:
                self.text = self._buffer[match.end() : min(end.end() - 1, match.end() + 257)]
                self._at = end.end()
                return 0x22
            self._at = match.start()
            if not self._more(self._at):
                raise InputRefused("json-syntax", "The JSON text ends inside a string.", clause="RFC 8259 §7")

    def _more(self, keep: int) -> bool:
        keep = keep if self._mark < 0 else min(keep, self._mark)
        held = self._buffer[keep:]
        if len(held) > self._limit:
            raise InputRefused("json-size", f"One part of the JSON text has more than {self._limit} bytes; split it.")
        more = self._read(max(_CHUNK, len(held)))  # doubling: a long string is looked at a few times, not many
        self._buffer = held + more
        self._at -= keep
        if self._mark >= 0:
            self._mark -= keep
        return bool(more)


def elements(read: Callable[[int], bytes], key: str | None, limit: int) -> Iterator[bytes]:
    """Cut out the objects of the list under `key` of the top object, or of the top list itself (`key` None), one by
    one.

    Args:
        read: Gives up to n bytes, none at the end.
        key: A key of the top object whose value is a list of objects (or one object, which is then the one element).
        limit: Bytes one element may have.

    Yields:
        The exact bytes of each object in that list; other values in it are passed over.

    Raises:
        InputRefused: `json-size` for an element beyond the limit, `json-depth`, `json-syntax` where the text ends too
        early.
    """
    scan = _Scan(read, limit)
    wanted = key.encode() if key is not None else None
    stack = bytearray()
    current = b""
    inside = -1  # depth of the list whose objects are wanted
    element = -1  # depth at which the element being read stands
    while token := scan.next():
        depth = len(stack)
        if token == 0x3A:
            if depth == 1:
                current = scan.text
        elif token in b"{[":
            if depth >= _DEEP:
                raise InputRefused(
                    "json-depth", f"Lists and objects are nested more than {_DEEP} deep.", clause="RFC 8259 §9"
                )
            stack.append(token)
            if element >= 0:
                continue
            asked = (depth == 0 and wanted is None) or (depth == 1 and stack[0] == 0x7B and wanted == current)
            if token == 0x7B and (depth == inside or (asked and depth == 1)):
                element = depth
                scan.mark()
            elif token == 0x5B and asked:
                inside = depth + 1
        elif token in b"}]":
            if not stack or (stack[-1] == 0x7B) != (token == 0x7D):
                raise InputRefused("json-syntax", "Brackets of the JSON text do not match.", clause="RFC 8259 §4")
            stack.pop()
            if len(stack) == element:
                element = -1
                piece = scan.cut()
                if len(piece) > limit:
                    raise InputRefused(
                        "json-size", f"One part of the JSON text has {len(piece)} bytes, the limit is {limit}."
                    )
                yield piece
            elif len(stack) == inside - 1:
                inside = -1
    if stack:
        raise InputRefused("json-syntax", "The JSON text ends before its brackets are closed.", clause="RFC 8259 §4")
