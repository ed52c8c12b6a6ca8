"""A file of STIX objects as the exact bytes of each object, in memory bounded by the largest one.

Understood (STIX 2.1 §8, TAXII 2.1 §3.7): a bundle, a TAXII envelope, a bare JSON array of objects, one object. The
slices are bytes of the file: nothing is decoded and written again. What stands around the objects must be JSON too; a
second ``objects`` key, a file that ends early and anything after the value are refused. A UTF-8 byte order mark
before the value is stepped over and belongs to no slice.

How it is fast: msgspec cuts many objects of a window at once. Where the last object of a window ends is guessed from
the bytes that stood between the first two. The guess is safe: the walk stands at the start of an element, so a piece
that reads as whole elements and a closing bracket is exactly these elements; a wrong guess does not read, and the
slow reader, one element at a time, takes its place. The window is read as Latin-1 there, so a position in the text is
a position in the bytes.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from comity.kernel.errors import InputRefused
from comity.kernel.model.strictjson import LIMITS, Limits

WINDOW: Final = 1024 * 1024
"""Bytes asked for at a time."""

TRIES: Final = 8
"""How many places to cut a window are tried before its objects are read one by one."""


@dataclass(frozen=True, slots=True)
class Slice:
    """One object of the file: `offset` in bytes from the start of the file, and its bytes."""

    offset: int
    raw: bytes


_SPACE: Final = re.compile(rb"[ \t\r\n]*")
_NEXT: Final = re.compile(rb"[ \t\r\n]*,[ \t\r\n]*(?=\{)")
_FIRST_KEY: Final = re.compile(rb'\{[ \t\r\n]*"[a-z_]{1,40}"')
_RAWS: Final = msgspec.json.Decoder(list[msgspec.Raw])
_JSON: Final = json.JSONDecoder()
_ENVELOPE: Final = frozenset({"more", "next", "objects"})


def walk(read: Callable[[int], bytes], *, start: int = 0, limits: Limits = LIMITS) -> Iterator[Slice]:
    """Yield the exact bytes of each object of a bundle, envelope, array or single object.

    An envelope without ``objects`` gives nothing. A single object is one whose ``type`` is not ``bundle`` or that has
    no list ``objects``.

    Args:
        read: Gives at most so many bytes of the file; empty bytes at its end.
        start: How many objects to step over (a walk that was interrupted continues with the count it had).
        limits: `size` bounds one object and all that stands before the first.

    Raises:
        InputRefused: `bundle`, `bundle-truncated`, `json-size`, `json-depth` or `json-encoding`; at the place of the
        fault,
            after the objects before it.
    """
    for index, found in enumerate(_Walker(read, limits).objects()):
        if index >= start:
            yield Slice(*found)


class _Walker:
    """A window on the file: `data` are the bytes from `base` on, `at` the place in them."""

    __slots__ = ("at", "base", "data", "ended", "limits", "read")

    def __init__(self, read: Callable[[int], bytes], limits: Limits) -> None:
        self.read = read
        self.limits = limits
        self.data = b""
        self.base = 0
        self.at = 0
        self.ended = False

    # -- the window

    def more(self) -> bool:
        """Read on; False at the end of the file."""
        if self.ended:
            return False
        piece = self.read(max(WINDOW, len(self.data) - self.at))
        if not piece:
            self.ended = True
            return False
        self.data += piece
        return True

    def forget(self) -> None:
        """Drop the bytes before the place."""
        if self.at:
            self.data = self.data[self.at :]
            self.base += self.at
            self.at = 0

    def peek(self) -> int:
        """The next byte that is no whitespace, or -1 at the end of the file."""
        while True:
            match = _SPACE.match(self.data, self.at)
            self.at = match.end() if match else self.at
            if self.at < len(self.data):
                return self.data[self.at]
            if not self.more():
                return -1

    def bad(self, what: str) -> InputRefused:
        place = self.base + self.at
        if self.ended and self.at >= len(self.data):
            return InputRefused("bundle-truncated", f"The file ends at byte {place} where {what}.", offset=place)
        return InputRefused("bundle", f"At byte {place} {what}.", clause="RFC 8259 §2", offset=place)

    def expect(self, byte: bytes, what: str) -> None:
        if self.peek() != byte[0]:
            raise self.bad(what)
        self.at += 1

    def value(self) -> Any:
        """Step over one JSON value and return it; its text is Latin-1, only good where it is ASCII."""
        if self.peek() == -1:
            raise self.bad("a JSON value is missing")
        window = 4096
        while True:
            text = self.data[self.at : self.at + window].decode("latin-1")
            whole = self.at + window >= len(self.data)
            try:
                value, end = _JSON.raw_decode(text)
            except RecursionError:
                raise InputRefused(
                    "json-depth",
                    f"Lists and objects are nested too deeply after byte {self.base + self.at}.",
                    offset=self.base + self.at,
                ) from None
            except ValueError as broken:
                if len(text) >= self.limits.size:
                    raise self.too_large() from None
                if whole and not self.more():
                    place = self.base + self.at
                    if _open_at_end(text, broken):
                        raise InputRefused(
                            "bundle-truncated",
                            f"The file ends in the middle of the value at byte {place}.",
                            offset=place,
                        ) from None
                    raise InputRefused(
                        "bundle", f"What starts at byte {place} is not JSON.", clause="RFC 8259 §2", offset=place
                    ) from None
                window *= 4
                continue
            if end == len(text) and text[-1] not in '"}]' and (not whole or self.more()):
                window *= 4  # a number may go on behind the window
                continue
            if end > self.limits.size:
                raise self.too_large()
            self.at += end
            return value

    def too_large(self) -> InputRefused:
        place = self.base + self.at
        return InputRefused(
            "json-size", f"The value at byte {place} is larger than {self.limits.size} bytes.", offset=place
        )

    # -- the shapes

    def objects(self) -> Iterator[tuple[int, bytes]]:
        self.more()
        if self.data[:2] in (b"\xff\xfe", b"\xfe\xff") or b"\x00" in self.data[:4]:
            raise InputRefused(
                "json-encoding", "The file is UTF-16 or UTF-32; save it as UTF-8.", clause="RFC 8259 §8.1"
            )
        if self.data[:3] == b"\xef\xbb\xbf":
            self.at = 3
        first = self.peek()
        if first == 0x5B:
            yield from self.array()
        elif first == 0x7B:
            yield from self.mapping()
        elif first == -1:
            raise InputRefused("bundle", "The file is empty; send a STIX bundle, a TAXII envelope or an object.")
        else:
            raise self.bad("neither an object nor a list starts; send a STIX bundle, a TAXII envelope or an object")
        if self.peek() != -1:
            raise self.bad("something follows the JSON value")

    def mapping(self) -> Iterator[tuple[int, bytes]]:
        """A bundle, an envelope, or one object that is yielded whole."""
        begin = self.at
        self.at += 1
        seen: dict[str, Any] = {}
        listed = False
        if self.peek() == 0x7D:
            self.at += 1
            return
        while True:
            if self.peek() != 0x22:
                raise self.bad("a key is missing")
            key = self.value()
            self.expect(b":", "a colon is missing")
            if key in seen or (key == "objects" and listed):
                raise self.bad(f"the key {key[:40]!r} of the file stands twice")
            enclosing = seen.get("type", "bundle") == "bundle"
            if key == "objects" and enclosing and self.peek() == 0x5B:
                listed = True
                yield from self.array()
            else:
                value = self.value()
                seen[key] = value if key in ("type", "objects") and isinstance(value, str) else None
                if listed:
                    if key == "type" and value != "bundle":
                        raise self.bad("the type is not bundle, so the list objects is no list of STIX objects")
                    self.forget()
                elif self.at - begin > self.limits.size:
                    raise self.too_large()
            after = self.peek()
            self.at += 1
            if after == 0x7D:
                break
            if after != 0x2C:
                self.at -= 1
                raise self.bad("a comma or a closing brace is missing")
        if not listed and not seen.keys() <= _ENVELOPE:
            if seen.get("type") == "bundle":
                return
            yield self.base + begin, self.data[begin : self.at]

    def array(self) -> Iterator[tuple[int, bytes]]:
        """The elements of a list, the place standing at its bracket."""
        self.at += 1
        if self.peek() == 0x5D:
            self.at += 1
            return
        number = 0
        between = b""
        slowly_to = 0  # up to here the quick way found no place to cut
        while True:
            if self.at >= WINDOW // 2:
                self.forget()
            if self.peek() != 0x7B:
                raise self.bad(f"element {number + 1} of the list is not an object")
            if between and self.base + self.at >= slowly_to:
                before = self.base + self.at
                for found in self.many(between):
                    number += 1
                    yield found
                if self.base + self.at == before:
                    slowly_to = self.base + len(self.data)
            begin = self.at
            self.value()
            yield self.base + begin, self.data[begin : self.at]
            number += 1
            end = self.at
            after = self.peek()
            self.at += 1
            if after == 0x5D:
                return
            if after != 0x2C:
                self.at -= 1
                raise self.bad("a comma or a closing bracket is missing between objects")
            if not between and self.peek() == 0x7B:
                key = _FIRST_KEY.match(self.data, self.at)
                between = self.data[end - 1 : key.end() if key else self.at + 1]

    def many(self, between: bytes) -> Iterator[tuple[int, bytes]]:
        """The elements of the window up to the last place that looks like the gap between two; the place then stands
        at the
        next element. Nothing where the guess does not read."""
        if len(self.data) - self.at < WINDOW // 2:
            self.more()
        guess = len(self.data)
        for _ in range(TRIES):
            guess = self.data.rfind(between, self.at, guess)
            if guess < 0:
                return
            piece = self.data[self.at : guess + 1]
            try:
                raws = _RAWS.decode(b"[" + piece + b"]")
                break
            except (msgspec.MsgspecError, RecursionError):
                continue
        else:
            return
        place = 0
        size = self.limits.size
        for raw in raws:
            found = bytes(raw)
            if len(found) > size or found[0] != 0x7B:
                self.at += place
                return
            yield self.base + self.at + place, found
            place += len(found)
            gap = _NEXT.match(piece, place)
            if gap is not None:
                place = gap.end()
        self.at += place
        gap = _NEXT.match(self.data, self.at)
        if gap is not None:
            self.at = gap.end()


def _open_at_end(text: str, broken: ValueError) -> bool:
    """Whether a value that does not read is one that was cut off: the fault is at the end, or in an unclosed string."""
    if not isinstance(broken, json.JSONDecodeError):
        return False
    rest = text[broken.pos :].strip(" \t\r\n")
    return (
        not rest
        or broken.msg.startswith("Unterminated string")
        or ("escape" in broken.msg and len(rest) < 7)
        or any(word.startswith(rest) for word in ("true", "false", "null", "-"))
    )
