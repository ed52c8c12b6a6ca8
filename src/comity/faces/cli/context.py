"""What every command runs with: where the node is, how to answer, whose token it is, and how far a long deed has come.

Answers go to stdout, everything else to stderr. With ``--json`` the last line of stdout is exactly one JSON object and nothing
else is written there. What came from others is shown with control and reversing characters made visible, so that no name or
value in an object can move the cursor, rename a window or read backwards.
"""

from __future__ import annotations

import json
import os
import re
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, BinaryIO, Final

from cyclopts import Parameter

from comity.kernel.errors import InputRefused, NotAllowed, NotFound

if TYPE_CHECKING:
    from comity.faces.wiring import Home, Wiring
    from comity.node.context import Node

STDIN: Final = "<stdin>"
"""What stands for a lone ``-`` among the words of a command: standard input, or standard output after ``--output``."""

_EVERY: Final = 5.0
"""Seconds between two lines of progress where stderr is no terminal."""

_HIDDEN: Final = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]"
)


def visible(text: str) -> str:
    """The text with every character that a terminal would obey or hide written as its code."""
    return _HIDDEN.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


@dataclass(slots=True)
class Context:
    """One call of the command line.

    Args:
        wiring: The outside world.
        home: The node's folder.
        database: A database URL, or None for the one in the folder.
        json: Whether the answer is one JSON object.
        token: The officer's token, if one was given.
        kept: What Ctrl-C has to say: what stays although the command was stopped.
        deed: The kind of deed the command is (`comity.node.officers.RULES`).
        words: The words of the command, ``agreement sign``; empty for one of a desk, which says its own (`comity.node.desk.carry_out`).
        by: Id of the officer whose token was given, once the node is open; empty without one.
    """

    wiring: Wiring
    home: Path
    database: str | None
    json: bool
    token: str | None
    kept: str = "Nothing was changed."
    deed: str = "read"
    words: str = ""
    by: str = ""
    _answered: bool = field(default=False)

    # --- the node

    @contextmanager
    def open(self) -> Iterator[Home]:
        """The node, given back at the end, for who may do what the command does.

        Raises:
            NotFound: `no-node`. NotAllowed: `token-needed`, `token-unknown`, `role-missing`, `mandate-missing`, `mandate-over`.
        """
        from comity.node.mandates import MANDATED, acting

        home = self.wiring.open_home(self.home, self.database)
        try:
            self.by = self._who(home.node)
            if self.words and self.deed in MANDATED:
                home = replace(home, node=acting(home.node, self.words, self.deed, self.by))
            yield home
        finally:
            home.close()

    def _who(self, node: Node) -> str:
        """The officer whose token was given; asks for a token where one is needed and a person sits there."""
        from comity.node.officers import RULES, authorise, owner_may

        with node.store.read() as tx:
            if not self.token and owner_may(tx, self.deed):
                return ""
        if not self.token and not self.json and sys.stdin is not None and sys.stdin.isatty():
            from getpass import getpass

            self.token = getpass(f"Token of an officer with the role {' or '.join(RULES[self.deed])}: ").strip()
        with node.store.read() as tx:
            return authorise(tx, self.token, self.deed).id

    # --- answers

    def say(self, *lines: str) -> None:
        """Lines of the answer for people; with ``--json`` nothing."""
        if not self.json:
            for line in lines:
                print(visible(line))

    def note(self, line: str) -> None:
        """A line beside the answer, on stderr."""
        print(visible(line), file=sys.stderr, flush=True)

    def done(self, shape: Mapping[str, Any], *lines: str, status: int = 0) -> int:
        """End with an answer: the lines for people, or the shape as the one JSON object; gives the exit status."""
        self.say(*lines)
        if self.json:
            print(json.dumps(shape, separators=(",", ":")), flush=True)
        self._answered = True
        return status

    # --- files

    def read(self, name: str, limit: int = 64 << 20) -> bytes:
        """The bytes of a small file, ``-`` for standard input.

        Raises:
            InputRefused: `file-size`. OSError: where it cannot be read.
        """
        if name == STDIN:
            data = standard_input().read(limit + 1)
        else:
            with open_file(name) as stream:
                data = stream.read(limit + 1)
        if len(data) > limit:
            raise InputRefused(
                "file-size",
                f"{name} is larger than {limit >> 20} MiB, which no such file is; check which file was meant.",
            )
        return data

    def write(self, output: str | None, pieces: Iterable[bytes]) -> int:
        """Write bytes to a file, beside its name first and then under it, or to stdout where no file is named; gives their number.

        Raises:
            NotAllowed: `output-needed` for bytes on stdout together with ``--json``.
        """
        if output is None or output == STDIN:
            if self.json:
                raise NotAllowed(
                    "output-needed", "With --json the answer stands on stdout alone; say --output FILE for the data."
                )
            if sys.stdout is None:
                raise NotAllowed("output-needed", "There is no standard output to write to; say --output FILE.")
            sys.stdout.flush()
            stream = sys.stdout.buffer
            size = sum(stream.write(piece) for piece in pieces)
            stream.flush()
            return size
        target = Path(output)
        if target.is_dir():
            raise NotFound("file-unreadable", f"{output} is a folder; name the file to write in it.")
        if target.exists() and not target.is_file():
            return _copy(pieces, target)  # a device or a pipe cannot be renamed over
        if not target.parent.is_dir():
            raise NotFound("file-unreadable", f"There is no folder {target.parent}; make it, or write elsewhere.")
        part = target.with_name(target.name + ".part")
        try:
            with part.open("wb") as stream:
                size = sum(stream.write(piece) for piece in pieces)
                stream.flush()
                os.fsync(stream.fileno())
            part.replace(target)
        finally:
            part.unlink(missing_ok=True)
        return size

    # --- progress

    @contextmanager
    def progress(self, what: str, unit: str = "objects") -> Iterator[Progress]:
        """How far a long deed has come, on stderr: a bar for people, a line now and then for a log."""
        if sys.stderr.isatty():
            from comity.faces.cli.bars import Bar

            with Bar(visible(what), unit) as bar:
                yield bar
        else:
            yield Lines(self, what, unit)


def _copy(pieces: Iterable[bytes], target: Path) -> int:
    with target.open("wb") as stream:
        return sum(stream.write(piece) for piece in pieces)


class Progress(ABC):
    """Told how many are done."""

    @abstractmethod
    def at(self, done: int, said: str = "") -> None:
        """So many are done now; `said` is shown behind."""


class Lines(Progress):
    """A line every few seconds, for a stderr that is no terminal."""

    def __init__(self, ctx: Context, what: str, unit: str) -> None:
        self._ctx, self._what, self._unit = ctx, what, unit
        self._begun = self._told = time.monotonic()

    def at(self, done: int, said: str = "") -> None:
        """Write a line if the last one is a while ago."""
        now = time.monotonic()
        if now - self._told >= _EVERY:
            self._told = now
            rate = done / max(now - self._begun, 1e-6)
            self._ctx.note(f"{self._what}: {done:,} {self._unit}, {rate:,.0f}/s {said}".rstrip())


def table(headings: Sequence[str], rows: Iterable[Sequence[Any]]) -> list[str]:
    """Rows under headings as aligned lines; nothing is cut, so a line may be longer than the screen."""
    cells = [tuple(headings), *(tuple("" if cell is None else visible(str(cell)) for cell in row) for row in rows)]
    if len(cells) == 1:
        return []
    widths = [max(len(row[i]) for row in cells) for i in range(len(headings))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in cells]
    return [lines[0], "  ".join("-" * width for width in widths), *lines[1:]]


def standard_input() -> BinaryIO:
    """The bytes of standard input.

    Raises:
        NotFound: `file-unreadable` where the caller closed it.
    """
    if sys.stdin is None:
        raise NotFound("file-unreadable", "There is no standard input to read; name a file.")
    return sys.stdin.buffer


def open_file(name: str) -> BinaryIO:
    """A file to read.

    Raises:
        OSError: where it cannot be read. NotFound: `file-unreadable` for a folder.
    """
    path = Path(name)
    if path.is_dir():
        raise NotFound("file-unreadable", f"{name} is a folder; name the files in it.")
    return path.open("rb")


Ctx = Annotated[Context, Parameter(parse=False)]
"""The context as a command takes it: handed over by `run`, never read from the command line."""
