"""The bytes of a file as it is taken in: inflated, bounded, with its first part to look at.

Rules: gzip is told by its magic and inflated as it is read (RFC 1952, several members allowed); what inflates too far
is refused; a UTF-8 byte order mark is passed over (RFC 8259 §8.1, RFC 3629 §6); every other encoding is refused by
name; lines of text that end with carriage returns alone end with line feeds instead. Memory: one chunk of the file and
one chunk of what it inflates to.
"""

from __future__ import annotations

import io
import zlib
from dataclasses import dataclass
from typing import BinaryIO, Final

from comity.kernel.errors import InputRefused

CHUNK: Final = 256 * 1024
PEEK: Final = 256 * 1024
"""Bytes of the file that are looked at to tell its format."""


@dataclass(frozen=True, slots=True)
class Inflation:
    """How far a compressed file may inflate.

    Args:
        ratio: Inflated bytes to compressed bytes, looked at once `grace` bytes are out (DEFLATE itself ends at 1032).
        grace: Inflated bytes below which no ratio is asked.
        total: Inflated bytes at most.
    """

    ratio: int = 200
    grace: int = 16 * 1024 * 1024
    total: int = 64 * 1024 * 1024 * 1024


INFLATION: Final = Inflation()


class _Inflated(io.RawIOBase):
    """The inflated bytes of a gzip stream, whose compressed bytes come from `read`."""

    def __init__(self, name: str, stream: BinaryIO, limits: Inflation) -> None:
        self._name = name
        self._stream = stream
        self._limits = limits
        self._inflate = zlib.decompressobj(wbits=31)
        self._tail = b""  # compressed bytes not used yet
        self._taken = 0
        self._given = 0
        self._members = 0
        self._ended = False
        self._damaged = False

    def readable(self) -> bool:
        return True

    def readinto(self, target: bytearray | memoryview) -> int:  # type: ignore[override]
        room = memoryview(target).cast("B")
        while not self._ended:
            if not self._tail:
                self._tail = self._stream.read(CHUNK)
                self._taken += len(self._tail)
            if self._inflate.eof:
                # RFC 1952 §2.2: members follow one another; zero bytes behind the last one are padding
                self._tail = self._tail.lstrip(b"\0")
                if not self._tail:
                    more = self._stream.read(CHUNK)
                    self._taken += len(more)
                    if not more:
                        self._ended = True
                        break
                    self._tail = more
                    continue
                self._members += 1
                self._inflate = zlib.decompressobj(wbits=31)
            if not self._tail:
                raise InputRefused(
                    "gzip-broken",
                    f"{self._name} is a gzip file that ends too early; fetch it again.",
                    clause="RFC 1952 §2.3",
                )
            size = 1 if self._damaged else len(self._tail)
            before = self._inflate if self._damaged else self._inflate.copy()
            try:
                out = self._inflate.decompress(self._tail[:size], len(room))
            except zlib.error as broken:
                if not self._damaged:  # byte by byte, so that what stands before the damage is given
                    self._damaged, self._inflate = True, before
                    continue
                raise InputRefused(
                    "gzip-broken", f"{self._name} is a damaged gzip file ({broken}); fetch it again.", clause="RFC 1952"
                ) from broken
            left = self._inflate.unused_data if self._inflate.eof else self._inflate.unconsumed_tail
            self._tail = left + self._tail[size:]
            if out:
                self._given += len(out)
                self._guard()
                room[: len(out)] = out
                return len(out)
        return 0

    def _guard(self) -> None:
        limits = self._limits
        used = self._taken - len(self._tail)
        if self._given > limits.total or (self._given > limits.grace and self._given > limits.ratio * max(used, 1)):
            raise InputRefused(
                "bomb",
                f"{self._name} inflates from {used} to more than {self._given} bytes, which no real file does; "
                "it is refused as a compression bomb.",
                compressed=used,
                inflated=self._given,
            )


class Input:
    """A file to take in: `peek` looks at its first bytes without consuming them, `stream` reads all of them.

    `fault` is what it broke off with, where that was among the first bytes; it is also raised in its place.

    Args:
        name: What the officer calls the file; used in sentences.
        stream: The bytes, read once from where it stands; never closed and never sought.
        limits: How far gzip may inflate.

    Raises:
        InputRefused: `no-object` (empty), `gzip-broken`, `bomb`, `wrong-encoding`.
    """

    def __init__(self, name: str, stream: BinaryIO, limits: Inflation = INFLATION) -> None:
        self.name = name
        self.compressed = False
        head, source, self.fault = _peek(stream, 2)
        if head == b"\x1f\x8b":
            self.compressed = True
            inflated = io.BufferedReader(_Inflated(name, source, limits), CHUNK)
            head, source, self.fault = _peek(inflated, 2)
            if head == b"\x1f\x8b":
                raise InputRefused(
                    "bomb", f"{name} is a gzip file inside a gzip file; unpack it by hand and look at it."
                )
        self.peek, source, self.fault = _peek(source, PEEK)
        if self.peek[:3] == b"\xef\xbb\xbf":
            source.read(3)
            self.peek = self.peek[3:]
        if b"\r" in self.peek and b"\n" not in self.peek and self.peek.lstrip()[:1] not in (b"{", b"["):
            self.peek = self.peek.replace(b"\r", b"\n")
            source = io.BufferedReader(_Returns(source), CHUNK)
        if not self.peek:
            raise InputRefused("no-object", f"{name} is empty.")
        self.whole = len(self.peek) < PEEK - 3
        self.stream = source


class _Returns(io.RawIOBase):
    """Text whose lines end with carriage returns alone, as old spreadsheets write them, with line feeds instead."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream

    def readable(self) -> bool:
        return True

    def readinto(self, target: bytearray | memoryview) -> int:  # type: ignore[override]
        room = memoryview(target).cast("B")
        piece = _some(self._stream, len(room)).replace(b"\r", b"\n")
        room[: len(piece)] = piece
        return len(piece)


class _Joined(io.RawIOBase):
    """Bytes already read, then the rest of the stream, or what it broke off with."""

    def __init__(self, head: bytes, rest: BinaryIO, fault: InputRefused | None) -> None:
        self._head = memoryview(head)
        self._rest = rest
        self._fault = fault

    def readable(self) -> bool:
        return True

    def readinto(self, target: bytearray | memoryview) -> int:  # type: ignore[override]
        room = memoryview(target).cast("B")
        if self._head:
            count = min(len(room), len(self._head))
            room[:count] = self._head[:count]
            self._head = self._head[count:]
            return count
        if self._fault is not None:
            raise self._fault
        piece = _some(self._rest, len(room))
        room[: len(piece)] = piece
        return len(piece)


def _some(stream: BinaryIO, size: int) -> bytes:
    """At most so many bytes, none at the end. A buffer is asked once, for it drops what it has where a second one breaks."""
    return stream.read1(size) if isinstance(stream, io.BufferedReader) else stream.read(size)


def _peek(stream: BinaryIO, size: int) -> tuple[bytes, io.BufferedReader, InputRefused | None]:
    """The first `size` bytes (fewer only where the stream ends or breaks off), and a stream that still has them.

    With them comes what the stream broke off with, which is raised behind the last byte.

    Raises:
        InputRefused: Of the stream, where it breaks off with its first byte; later ones are raised in their place.
    """
    parts: list[bytes] = []
    have = 0
    fault: InputRefused | None = None
    while have < size:
        try:
            piece = _some(stream, size - have)
        except InputRefused as broken:
            fault = broken
            break
        if not piece:
            break
        parts.append(piece)
        have += len(piece)
    if fault is not None and not parts:
        raise fault
    head = b"".join(parts)
    return head, io.BufferedReader(_Joined(head, stream, fault), CHUNK), fault
