"""A file of JSON objects as the exact bytes of each object, in memory bounded by the largest one.

Understood (STIX 2.1 §8, TAXII 2.1 §3.7): a bundle, a TAXII envelope, a bare JSON array of objects, one object; and for
other formats the list under one key (`parts`). The slices are bytes of the file: nothing is decoded and written again.
A UTF-8 byte order mark before the value is stepped over and belongs to no slice.

An element is what stands between the commas of the list, whatever it is: a slice that is no object, or no JSON, is for
its reader to refuse, and the elements behind it are given all the same. Where an element ends is told by quotes and
brackets alone. Brackets that do not match end no file: a closing one closes what was left open inside, and an object
in whose place a key should stand begins the next element. A quote that nobody closes does end it. What stands around
the list must be JSON; a second list, a file that ends early and anything after the value are refused.

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


NEAR: Final = 16 * 1024
"""Bytes from its beginning in which an element is looked for as a whole, before its marks are."""

HEAD: Final = 64 * 1024
"""Bytes that are kept of an element beyond the limit."""


@dataclass(frozen=True, slots=True)
class Slice:
    """One element of the file: `offset` in bytes from the start of the file, and its bytes.

    `fault` says why there is no more of it: it is larger than the limit (`json-size`; `raw` is its beginning), or
    nothing stands between two commas (`bundle`).
    """

    offset: int
    raw: bytes
    fault: InputRefused | None = None


_SPACE: Final = re.compile(rb"[ \t\r\n]*")
_GAP: Final = re.compile(rb"[ \t\r\n]*,[ \t\r\n]*")
_MARK: Final = re.compile(rb'["{}\[\],]')
_INSIDE: Final = re.compile(rb'[^"\\]*(?:\\.[^"\\]*)*', re.DOTALL)
_FIRST_KEY: Final = re.compile(rb'\{[ \t\r\n]*"[a-z_]{1,40}"')
_RAWS: Final = msgspec.json.Decoder(list[msgspec.Raw])
# numbers are stepped over, so that one too long to hold breaks nothing
_JSON: Final = json.JSONDecoder(parse_int=str, parse_float=str)
_ENVELOPE: Final = frozenset({"more", "next", "objects"})


def walk(read: Callable[[int], bytes], *, start: int = 0, limits: Limits = LIMITS) -> Iterator[Slice]:
    """Yield the exact bytes of each element of a bundle, envelope or array, or of a single object.

    An envelope without ``objects`` gives nothing. A single object is one whose ``type`` is not ``bundle`` or that has
    no list ``objects``.

    Args:
        read: Gives at most so many bytes of the file; empty bytes at its end.
        start: How many elements to step over (a walk that was interrupted continues with the count it had).
        limits: `size` bounds one element and all that stands before the first.

    Raises:
        InputRefused: `bundle`, `bundle-truncated`, `json-size`, `json-depth` or `json-encoding`; at the place of the
            fault, after the elements before it.
    """
    for index, found in enumerate(_Walker(read, limits).objects()):
        if index >= start:
            yield found


def parts(read: Callable[[int], bytes], key: str | None, *, limits: Limits = LIMITS) -> Iterator[Slice]:
    """Yield the exact bytes of each element of the list under `key` of the top object, or of the top list (None).

    Where the value of `key` is one object, that is the one element. Everything else is stepped over unread.

    Args:
        read: Gives at most so many bytes of the file; empty bytes at its end.
        key: A key of the top object.
        limits: `size` bounds one element.

    Raises:
        InputRefused: `bundle`, `bundle-truncated` or `json-size`; at the place of the fault, after the elements before
            it.
    """
    yield from _Walker(read, limits).under(key)


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

    def too_large(self, place: int | None = None) -> InputRefused:
        place = self.base + self.at if place is None else place
        return InputRefused(
            "json-size", f"The value at byte {place} is larger than {self.limits.size} bytes.", offset=place
        )

    # -- the shapes

    def objects(self) -> Iterator[Slice]:
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
            raise self.bad("something follows the JSON value; send one value a file, or one a line")

    def mapping(self) -> Iterator[Slice]:
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
            yield Slice(self.base + begin, self.data[begin : self.at])

    def under(self, key: str | None) -> Iterator[Slice]:
        """The elements under a key of the top object, or of the top list."""
        if key is None:
            self.peek()
            self.expect(b"[", "no list starts")
            self.at -= 1
            yield from self.array()
        else:
            self.expect(b"{", "no object starts")
            yield from self.members(key)
        if self.peek() != -1:
            raise self.bad("something follows the JSON value")

    def members(self, key: str) -> Iterator[Slice]:
        """The elements under a key, the place standing behind the opening brace; it ends behind the closing one."""
        while self.peek() != 0x7D:
            if self.peek() != 0x22:
                raise self.bad("a key is missing")
            found = self.value()
            self.expect(b":", "a colon is missing")
            kind = self.peek()
            if found == key and kind == 0x5B:
                yield from self.array()
            elif found == key and kind == 0x7B:
                yield self.element(0x7D)
            else:
                self.element(0x7D, hold=False)
            if self.peek() != 0x7D:
                self.expect(b",", "a comma or a closing brace is missing")
        self.at += 1

    def array(self) -> Iterator[Slice]:
        """The elements of a list, the place standing at its bracket."""
        self.at += 1
        if self.peek() == 0x5D:
            self.at += 1
            return
        between = b""
        slowly_to = 0  # up to here the quick way found no place to cut
        while True:
            if self.at >= WINDOW // 2:
                self.forget()
            if self.peek() == 0x7B and between and self.base + self.at >= slowly_to:
                before = self.base + self.at
                yield from self.many(between)
                if self.base + self.at == before:
                    slowly_to = self.base + len(self.data)
            found = self.element(0x5D)
            yield found
            if self.peek() == 0x5D:
                self.at += 1
                return
            self.expect(b",", "a comma or a closing bracket is missing behind an object")
            if not between and found.fault is None and found.raw[0] == 0x7B and self.peek() == 0x7B:
                key = _FIRST_KEY.match(self.data, self.at)
                last = found.offset - self.base + len(found.raw) - 1
                between = self.data[last : key.end() if key else self.at + 1]

    def element(self, end: int, *, hold: bool = True) -> Slice:
        """Step over one element, up to the comma or the bracket `end` behind it.

        Beyond the limit, or where it is not to be held, its bytes are let go as they are read.
        """
        if self.peek() == -1:
            raise self.bad("a JSON value is missing")
        offset = self.base + self.at
        whole = self.whole(end)
        if whole:
            return self.cut(offset, whole, None)
        head = None if hold else b""  # how an element begins whose bytes are let go
        scan = self.at
        comma = -1  # where the comma stands, if it was the mark before and a key must follow
        inside = False  # in a text
        open_ = bytearray()
        while True:
            mark = None
            if inside:
                text = _INSIDE.match(self.data, scan)
                scan = text.end() if text else scan
                if self.data[scan : scan + 1] == b'"':
                    inside = False
                    scan += 1
                    continue
            else:
                mark = _MARK.search(self.data, scan)
            if mark is None:
                scan = scan if inside else len(self.data)
                if head is None and scan - self.at > self.limits.size:
                    head = self.data[self.at : self.at + HEAD]
                if head is not None:
                    self.at, scan, comma = scan, 0, -1
                    self.forget()
                if not self.more():
                    if not inside and not open_ and self.data[self.at : self.at + 1] == b"{":
                        return self.cut(offset, scan, head)  # whole; what must follow is missing
                    raise InputRefused(
                        "bundle-truncated", f"The file ends in the middle of the value at byte {offset}.", offset=offset
                    )
                continue
            at = mark.start()
            scan = at + 1
            token = self.data[at]
            if token == 0x22:
                inside, comma = True, -1
            elif token == 0x2C:
                if not open_:
                    return self.cut(offset, at, head)
                comma = at if open_[-1] == 0x7B else -1
            elif token in b"{[":
                if token == 0x7B and comma >= 0 and not self.data[comma + 1 : at].strip():
                    return self.cut(offset, comma, head)  # no key: what was open was never closed
                comma = -1
                open_.append(token)
                if len(open_) > self.limits.size:
                    raise InputRefused("json-depth", f"Lists and objects are nested too deeply after byte {offset}.")
            else:
                begun = open_.rfind(0x7B if token == 0x7D else 0x5B)
                if begun >= 0:
                    del open_[begun:]
                elif token == end:
                    return self.cut(offset, at, head)
                comma = -1

    def whole(self, end: int) -> int:
        """Where the element ends if it reads as JSON and stands in the window near its beginning; else 0."""
        try:
            _, length = _JSON.raw_decode(self.data[self.at : self.at + NEAR].decode("latin-1"))
        except (ValueError, RecursionError):
            return 0
        behind = _SPACE.match(self.data, self.at + length)
        at = behind.end() if behind else 0
        return at if at < len(self.data) and self.data[at] in (0x2C, end) else 0

    def cut(self, offset: int, to: int, head: bytes | None) -> Slice:
        """The element that ends before `to`, where the place stands then; `head` is what is left of one let go."""
        raw = self.data[self.at : to].rstrip(b" \t\r\n") if head is None else head
        self.at = to
        if head is not None or len(raw) > self.limits.size:
            return Slice(offset, raw[:HEAD], self.too_large(offset))
        if not raw:
            return Slice(offset, raw, InputRefused("bundle", f"Nothing stands in the list at byte {offset}."))
        return Slice(offset, raw)

    def many(self, between: bytes) -> Iterator[Slice]:
        """The elements of the window up to the last place that looks like the gap between two.

        The place then stands at the next element. Nothing where the guess does not read.
        """
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
        for raw in raws:
            found = bytes(raw)
            if len(found) > self.limits.size:
                self.at += place
                return
            yield Slice(self.base + self.at + place, found)
            place += len(found)
            gap = _GAP.match(piece, place)
            if gap is not None:
                place = gap.end()
        self.at += place
        gap = _GAP.match(self.data, self.at)
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
