"""Lists of one value a line (hashes, addresses, domains): each line becomes an indicator.

Lines that are empty or start with ``#``, ``;`` or ``//`` are passed over. The kind of each value is detected alone; a
line whose kind cannot be told is refused, the rest goes on.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from comity.adapters.formats import minting, observable
from comity.adapters.formats.csvfile import Row
from comity.adapters.formats.items import KEPT_OF_REFUSED, Refusal, Results
from comity.adapters.formats.observable import NotAValue
from comity.adapters.formats.reader import Input
from comity.kernel.errors import InputRefused

LINE_BYTES: Final = 64 * 1024
_COMMENT: Final = ("#", ";", "//")


def looks_like_values(head: bytes, kind: str | None = None) -> bool:
    """Whether the first lines are values: at least one is, and no more than one in four is not."""
    good = bad = 0
    for line in head.split(b"\n")[:50]:
        text = line.decode("utf-8", "replace").strip()
        if not text or text.startswith(_COMMENT) or len(text) > observable.LENGTH:
            continue
        try:
            observable.read(text, kind)
            good += 1
        except NotAValue as why:
            bad += "name its type" not in str(why) or " " in text or "known here" in str(why)
    return good > 0 and bad * 3 <= good


def read_values(source: Input, maker: minting.Maker, fixed: Mapping[str, str]) -> Results:
    """Read a list of values, line by line.

    Args:
        source: The file.
        maker: Who takes the file in.
        fixed: What is stated for all lines: ``type``, ``date``, ``tlp``, ``pap``, ``source``, ``name``.
    """
    number = 0
    while line := source.stream.readline(LINE_BYTES + 1):
        number += 1
        place = f"line {number}"
        if len(line) > LINE_BYTES:
            kept = line[:KEPT_OF_REFUSED]
            while line and not line.endswith(b"\n"):
                line = source.stream.readline(LINE_BYTES)
            yield Refusal(place, "csv-row", f"Line {number} has more than {LINE_BYTES} bytes; it is no value.", kept)
            continue
        try:
            text = line.decode("utf-8").removeprefix("\ufeff").strip()  # where files were joined
        except UnicodeDecodeError as broken:
            sentence = f"Line {number} is not UTF-8 at its byte {broken.start}; save the file as UTF-8."
            yield Refusal(place, "wrong-encoding", sentence, line)
            continue
        if not text or text.startswith(_COMMENT):
            continue
        try:
            yield from Row(maker, place, line).items({**fixed, "value": text}, [], {})
        except InputRefused as refused:
            yield Refusal.of(place, refused, line)
