"""Where in a TOML text each value stands, so that a refusal can name the line; tomllib itself gives no lines.

This scanner keeps count along the grammar of TOML 1.0.0; where a text is none it still ends, in time that grows with
its length, and tomllib says what is wrong. It runs first, for tomllib takes memory that grows with the square of the
parts of a dotted key. A
path is a tuple of keys and list places, e.g. ``("clause", 2, "tlp", 0)``; the lines count from 1.
"""

from __future__ import annotations

import re
from typing import Final, NoReturn

from comity.kernel.errors import InputRefused

Path = tuple[str | int, ...]

MAX_DEPTH: Final = 8
MOST_DOTS: Final = 16
"""Parts of one dotted key."""

_SPACE: Final = re.compile(r"[ \t]*")
_GAP: Final = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_BARE: Final = re.compile(r"[A-Za-z0-9_-]+")
_SCALAR: Final = re.compile(r"[^,\]}\n#]*")
_ESCAPE: Final = re.compile(r"\\(?:u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8})|(.))", re.DOTALL)


class Lines:
    """The line of each path of a TOML text.

    Raises:
        InputRefused: `agreement-size` for lists or keys deeper than any agreement needs.
    """

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._line = 1
        self._counted = 0
        self._lines: dict[Path, int] = {(): 1}
        self._tables: dict[Path, int] = {}
        self._scan()

    def line(self, path: Path) -> int:
        """The line of a path, or of the nearest thing that holds it."""
        while path not in self._lines:
            path = path[:-1]
        return self._lines[path]

    def _scan(self) -> None:
        here: Path = ()
        end = len(self._text)
        while True:
            self._skip(_GAP)
            if self._at >= end:
                return
            if self._text.startswith("[", self._at):
                here = self._header()
            else:
                self._pair(here, 0)

    def _header(self) -> Path:
        double = self._text.startswith("[[", self._at)
        self._at += 2 if double else 1
        keys = self._keys()
        self._at += 2 if double else 1
        path: Path = ()
        for place, key in enumerate(keys):
            path = (*path, key)
            last = place == len(keys) - 1
            if last and double:
                number = self._tables.get(path, -1) + 1
                self._tables[path] = number
                if number == 0:
                    self._note(path)
                path = (*path, number)
            elif path in self._tables:
                path = (*path, self._tables[path])
        self._note(path)
        return path

    def _pair(self, here: Path, depth: int) -> None:
        line = self._now()
        path = here
        for key in self._keys():
            path = (*path, key)
            self._lines.setdefault(path, line)
        self._skip(_SPACE)
        self._at += 1  # "="
        self._skip(_SPACE)
        self._value(path, depth)

    def _keys(self) -> list[str]:
        keys = []
        while True:
            self._skip(_SPACE)
            if self._text[self._at : self._at + 1] in {'"', "'"}:
                keys.append(self._string())
            else:
                match = _BARE.match(self._text, self._at)
                keys.append(match.group() if match else "")
                self._at = match.end() if match else self._at + 1
            if len(keys) > MOST_DOTS:
                self._too_deep("a key has too many dots")
            self._skip(_SPACE)
            if not self._text.startswith(".", self._at):
                return keys
            self._at += 1

    def _value(self, path: Path, depth: int) -> None:
        first = self._text[self._at : self._at + 1]
        if first in {'"', "'"}:
            self._string()
        elif first in {"[", "{"}:
            if depth >= MAX_DEPTH:
                self._too_deep("lists stand too deep in one another")
            close = "]" if first == "[" else "}"
            self._at += 1
            number = 0
            while True:
                self._skip(_GAP)
                if self._at >= len(self._text):
                    return
                if self._text[self._at] == close:
                    self._at += 1
                    return
                if self._text[self._at] in ",]}":
                    self._at += 1
                    continue
                if first == "[":
                    item: Path = (*path, number)
                    self._note(item)
                    self._value(item, depth + 1)
                    number += 1
                else:
                    self._pair(path, depth + 1)
        else:
            match = _SCALAR.match(self._text, self._at)
            self._at = match.end() if match else self._at

    def _string(self) -> str:
        text, start = self._text, self._at
        quote = text[start]
        long = text.startswith(quote * 3, start)
        at = start + (3 if long else 1)
        begin = at
        while at < len(text):
            if text[at] == "\\" and quote == '"':
                at += 2
            elif long and text.startswith(quote * 3, at):
                while text.startswith(quote, at + 3):
                    at += 1
                break
            elif not long and text[at] == quote:
                break
            else:
                at += 1
        self._at = at + (3 if long else 1)
        raw = text[begin:at]
        return _ESCAPE.sub(_unescape, raw) if quote == '"' else raw

    def _skip(self, pattern: re.Pattern[str]) -> None:
        match = pattern.match(self._text, self._at)
        if match:
            self._at = match.end()

    def _now(self) -> int:
        self._line += self._text.count("\n", self._counted, self._at)
        self._counted = max(self._counted, self._at)
        return self._line

    def _too_deep(self, what: str) -> NoReturn:
        line = self._now()
        raise InputRefused("agreement-size", f"Line {line}: {what}; nothing in an agreement needs that.", line=line)

    def _note(self, path: Path) -> None:
        self._lines.setdefault(path, self._now())


def _unescape(match: re.Match[str]) -> str:
    short, long, char = match.groups()
    if char is not None:
        return {"b": "\b", "t": "\t", "n": "\n", "f": "\f", "r": "\r"}.get(char, char)
    code = int(short or long, 16)
    return chr(code) if code < 0x110000 else ""
