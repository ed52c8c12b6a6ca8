"""A directory as CSV (RFC 4180): a row an office; columns of our own names, of names in common use, or as a mapping says.

In a cell with several values each stands on a line of its own; a backslash before a line end or a backslash keeps it. A cell that
a spreadsheet would compute (it begins with = + - @) is written with an apostrophe before it, and read without.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import msgspec

from comity.desks.directory import words
from comity.desks.directory.files.shape import LONGEST, MOST, Entry, Refusal, kept, text_of
from comity.desks.directory.kinds import Contact
from comity.kernel.errors import InputRefused, Usage

COLUMNS: Final = (
    *("party", "office", "name", "role", "person", "languages", "zone", "hours", "closures", "channels", "keys"),
    *("state", "since", "until", "nominated_by", "instrument", "note"),
)
"""Our own columns, in the order they are written."""

ALIASES: Final[Mapping[str, str]] = {
    "team": "name",
    "short_name": "office",
    "organisation": "party",
    "organization": "party",
    "email": "mail",
    "e-mail": "mail",
    "main_email": "mail",
    "phone": "telephone",
    "tel": "telephone",
    "website": "web",
    "url": "web",
    "language": "languages",
    "timezone": "zone",
    "time_zone": "zone",
}
"""Names in common use, in small letters."""

ROADS: Final = ("telephone", "mail", "signal", "matrix", "xmpp", "fax", "web", "post")
"""Columns that hold one road each."""

_LISTS: Final[Mapping[str, tuple[Callable[[str], Any], Callable[[Any], str]]]] = {
    "hours": (words.read_hours, words.write_hours),
    "closures": (words.read_closure, words.write_closure),
    "channels": (words.read_channel, words.write_channel),
    "keys": (words.read_key, words.write_key),
}
_COMPUTED: Final = ("=", "+", "-", "@", "'", "\t", "\r")


def read(data: bytes, mapping: Mapping[str, str]) -> list[Entry | Refusal]:
    """The offices of a table.

    Raises:
        InputRefused: `csv-header`, `csv-mapping`, `csv-row`, `wrong-encoding`.
    """
    rows = csv.reader(io.StringIO(text_of(data), newline=""), strict=True)
    found: list[Entry | Refusal] = []
    try:
        heads = next(rows, None)
        if heads is None:
            raise InputRefused("csv-header", "The table is empty; its first line names the columns.")
        meanings = _meanings(heads, mapping)
        for row in rows:
            if not any(row):
                continue
            if len(found) >= MOST:
                raise InputRefused(
                    "csv-row", f"The table has more than {MOST:,} rows, which no directory of offices has."
                )
            found.append(_entry(f"line {rows.line_num}", heads, meanings, row))
    except csv.Error as broken:
        raise InputRefused("csv-row", f"Line {rows.line_num} of the table cannot be read: {broken}.") from broken
    return found


def _meanings(heads: Sequence[str], mapping: Mapping[str, str]) -> list[str | None]:
    known = {*COLUMNS, *ROADS, "ignore"}
    for column, meaning in mapping.items():
        if column not in heads:
            raise InputRefused(
                "csv-mapping", f"The table has no column {column!r}; its columns are {', '.join(heads)}."
            )
        if meaning not in known:
            raise InputRefused("csv-mapping", f"{meaning!r} is no meaning; use one of {', '.join(sorted(known))}.")
    if len(set(heads)) < len(heads):
        raise InputRefused("csv-header", "Two columns of the table have the same name; name them apart.")
    found = []
    for head in heads:
        low = head.strip().lower()
        meaning = mapping.get(head) or ALIASES.get(low, low)
        found.append(meaning if meaning in known and meaning != "ignore" else None)
    for one in found:
        if one is not None and found.count(one) > 1:
            raise InputRefused("csv-mapping", f"Two columns of the table mean {one!r}; map one of them to ignore.")
    if "name" not in found:
        raise InputRefused("csv-header", "No column of the table is the name of an office; map one, such as team=name.")
    return found


def _entry(place: str, heads: Sequence[str], meanings: Sequence[str | None], row: Sequence[str]) -> Entry | Refusal:
    if len(row) != len(heads):
        return Refusal(place, f"It has {len(row)} cells, and the table {len(heads)} columns.")
    if sum(map(len, row)) > LONGEST:
        return Refusal(place, f"It is longer than {LONGEST:,} characters.")
    says: dict[str, Any] = {}
    rest: list[tuple[str, str]] = []
    roads: list[Any] = []
    party = None
    try:
        for head, meaning, raw in zip(heads, meanings, row, strict=True):
            cell = raw[1:] if raw[:1] == "'" and raw[1:2] in _COMPUTED else raw
            if meaning is None:
                rest += [(head, cell)] if cell else []
            elif not cell.strip():
                continue
            elif meaning == "party":
                party = cell.strip()
            elif meaning in ROADS:
                roads.append(msgspec.to_builtins(words.read_channel(words.joined([f"{meaning}={cell.strip()}"]))))
            elif meaning == "languages":
                says[meaning] = [words.read_language(one) for one in cell.split()]
            elif meaning in _LISTS:
                says[meaning] = [msgspec.to_builtins(_LISTS[meaning][0](one)) for one in words.split(cell, "\n")]
            else:
                says[meaning] = cell.strip()
    except Usage as broken:
        return Refusal(place, broken.sentence)
    if roads:
        says["channels"] = [*says.get("channels", ()), *roads]
    return Entry(place, {**says, **kept("csv", rest)}, party)


def write(contacts: Sequence[Contact]) -> bytes:
    """A table of contacts; what a table before said beside our columns stands in columns after them."""
    more: dict[str, None] = {}
    for one in contacts:
        if one.source is not None and one.source.form == "csv":
            more |= dict.fromkeys(name for name, _ in one.source.rest)
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow([_cell(one) for one in (*COLUMNS, *more)])
    for one in contacts:
        rest = dict(one.source.rest) if one.source is not None and one.source.form == "csv" else {}
        writer.writerow([_cell(_column(one, name)) for name in COLUMNS] + [_cell(rest.get(name, "")) for name in more])
    return out.getvalue().encode()


def _column(contact: Contact, name: str) -> str:
    value = getattr(contact, name)
    if value is None:
        return ""
    if name == "languages":
        return " ".join(value)
    if name in _LISTS:
        return words.joined([_LISTS[name][1](one) for one in value], "\n")
    return str(value)


def _cell(text: str) -> str:
    return f"'{text}" if text[:1] in _COMPUTED else text
