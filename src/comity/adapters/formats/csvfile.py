"""Tables of indicators: each row becomes an indicator with a STIX pattern, or a vulnerability for a CVE.

Rules (docs/formats/intake.md):

- The first row that is no comment names the columns, in spellings that vendors use, or as a mapping says. Without a
  column that holds values the table is refused: no column is guessed.
- Quoting as in RFC 4180; the delimiter is the one of ``, ; tab |`` that gives the header most known names.
- Several hash columns of one row are one file: one indicator whose pattern any of them matches.
- Dates with a day and a month that could be swapped are not read; a time without a zone is read as UTC and said so.
- A marking that is not understood refuses the row. Columns without STIX form stay in an extension of ours.
- Memory: one row. A row beyond the limits is refused and passed over without being held; a quote that nobody closes
  costs its own line.
"""

from __future__ import annotations

import csv
import io
import re
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, BinaryIO, Final

from comity.adapters.formats import minting, observable
from comity.adapters.formats.items import KEPT_OF_REFUSED, Item, Refusal, Results
from comity.adapters.formats.observable import NotAValue, Value
from comity.adapters.formats.reader import Input
from comity.kernel.errors import InputRefused
from comity.kernel.model import instants
from comity.kernel.model.ids import minted
from comity.kernel.model.instants import Instant
from comity.kernel.release.vocabulary import PAP, TLP
from comity.kernel.seal.canonical import canonical

ROW_BYTES: Final = 256 * 1024
COLUMNS: Final = 512
DELIMITERS: Final = (",", ";", "\t", "|")

MEANINGS: Final[dict[str, tuple[str, ...]]] = {
    "value": ("value", "indicator", "ioc", "observable", "indicatorvalue", "iocvalue", "artifact", "artefact"),
    "type": ("type", "indicatortype", "ioctype", "observabletype", "kind", "datatype", "valuetype"),
    "name": ("name", "title", "malware", "malwarefamily", "family", "threat", "threatname", "signature", "detection"),
    "description": ("description", "notes", "note", "comment", "comments", "context", "details", "desc", "remarks"),
    "source": ("source", "feed", "provider", "reference", "reportedby", "reporter"),
    "created": (
        "created",
        "dateadded",
        "date",
        "added",
        "createdat",
        "creationdate",
        "published",
        "publishdate",
        "reported",
        "timestamp",
    ),
    "modified": ("modified", "updated", "lastupdated", "lastmodified", "updatedat", "dateupdated"),
    "first_seen": ("firstseen", "firstseenutc", "firstobserved", "validfrom", "seen", "observed"),
    "valid_until": ("validuntil", "expires", "expiration", "expirationdate", "expiry", "expiredate"),
    "tlp": ("tlp", "tlpcolor", "tlpcolour", "tlplevel", "marking", "trafficlight"),
    "pap": ("pap", "permissibleactions"),
    "confidence": ("confidence", "confidencelevel"),
    "labels": ("tags", "tag", "labels", "label", "categories", "category"),
}
"""What a column can mean, with the spellings that name it (lower case, letters and digits only). A column may also be
named after a kind of value (``sha256``, ``ip``): its cells are then values of that kind."""

_MEANING: Final = {spelling: meaning for meaning, spellings in MEANINGS.items() for spelling in spellings}
_MAPPED: Final = frozenset(MEANINGS) | {"ignore"} | set(observable.KINDS.values())


@dataclass(frozen=True, slots=True)
class Header:
    """How the columns of a table are read: `columns` gives per column its name and meaning, None where it has none."""

    delimiter: str
    columns: tuple[tuple[str, str | None], ...]
    row: int
    fixed: Mapping[str, str] = field(default_factory=dict)

    @property
    def useful(self) -> bool:
        """Whether some column holds values."""
        return any(meaning == "value" or meaning in _VALUE_KINDS for _, meaning in self.columns)


_VALUE_KINDS: Final = frozenset(observable.KINDS.values()) - {"unsupported"}


def meaning_of(column: str) -> str | None:
    """What a column name means, or the kind of value it names, or None."""
    plain = re.sub(r"[^a-z0-9]", "", column.lower())
    return _MEANING.get(plain) or (observable.KINDS.get(plain) if plain in observable.KINDS else None)


def header_of(line: str, row: int, mapping: Mapping[str, str] | None = None) -> Header:
    """Read the header line of a table.

    Args:
        line: The header, one line.
        row: Its number in the file, from 1.
        mapping: Column name to meaning; ``@type``, ``@date``, ``@tlp``, ``@pap``, ``@source`` and ``@name`` state a
            value for all rows.

    Raises:
        InputRefused: `csv-mapping` where the mapping names a column that is not there or a meaning nobody knows.
    """
    fixed = {key[1:]: value for key, value in (mapping or {}).items() if key.startswith("@")}
    named = {key: value for key, value in (mapping or {}).items() if not key.startswith("@")}
    for key in fixed:
        if key not in ("type", "date", "tlp", "pap", "source", "name"):
            raise InputRefused("csv-mapping", f"'@{key}' is not known; use @type, @date, @tlp, @pap, @source or @name.")
    for column, meaning in named.items():
        if meaning not in _MAPPED:
            raise InputRefused(
                "csv-mapping",
                f"The mapping gives column {column!r} the meaning {meaning!r}; "
                f"use one of {', '.join(sorted(_MAPPED))}.",
            )
    best: Header | None = None
    most = -1
    for delimiter in DELIMITERS:
        found = cells_of(line, delimiter)
        columns = tuple((cell.strip(), named.get(cell.strip(), meaning_of(cell))) for cell in found)
        known = sum(meaning is not None for _, meaning in columns)
        if (known, len(found)) > (most, len(best.columns) if best else 0):
            best, most = Header(delimiter, columns, row, fixed), known
    assert best is not None
    missing = set(named) - {name for name, _ in best.columns}
    if missing:
        raise InputRefused(
            "csv-mapping",
            f"The mapping names the column {min(missing)!r}, the table has "
            f"{', '.join(name for name, _ in best.columns)[:300]}.",
        )
    return best


def cells_of(line: str, delimiter: str) -> list[str]:
    """The cells of one line of a table; none where it cannot be read."""
    try:
        return next(csv.reader([line], delimiter=delimiter), [])
    except csv.Error:
        return []


@dataclass(frozen=True, slots=True)
class _Record:
    """One row as it stands in the file: its first line, its bytes, and why it is no row where it is none."""

    line: int
    raw: bytes
    fault: tuple[str, str] | None = None


class _Lines:
    """The lines of a stream; lines can be given back. One beyond the limit is cut, and the rest of it let go."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._back: deque[tuple[bytes, bool]] = deque()

    def next(self) -> tuple[bytes, bool] | None:
        """A line with its end, and whether it was cut; None at the end of the stream."""
        if self._back:
            return self._back.popleft()
        line = self._stream.readline(ROW_BYTES + 1)
        if len(line) <= ROW_BYTES or line.endswith(b"\n"):
            return (line, False) if line else None
        more = line
        while more and not more.endswith(b"\n"):
            more = self._stream.readline(ROW_BYTES)
        return line[:KEPT_OF_REFUSED], True

    def give_back(self, lines: Sequence[tuple[bytes, bool]]) -> None:
        """Let these lines come next."""
        self._back.extendleft(reversed(lines))


def _records(stream: BinaryIO, delimiter: bytes) -> Iterator[_Record]:
    """Cut a table into rows; a row goes on over line ends only inside a quoted field (RFC 4180 §2.6).

    A quote that is not closed where a cell ends, within the bytes a row may have, makes a fault of its own line only:
    the lines behind it are rows again.
    """
    lines = _Lines(stream)
    number = 0
    while (found := lines.next()) is not None:
        number += 1
        line, cut = found
        if cut:
            yield _Record(number, line, ("csv-row", f"Row {number} has more than {ROW_BYTES} bytes; it is no row."))
            continue
        if b'"' not in line or line.lstrip()[:1] == b"#" or not _open(line, delimiter, False):
            yield _Record(number, line)
            continue
        parts: list[tuple[bytes, bool]] = []
        size = len(line)
        inside: bool | None = True
        while inside and size <= ROW_BYTES and (more := lines.next()) is not None:
            parts.append(more)
            size += len(more[0])
            inside = None if more[1] else _open(more[0], delimiter, True)
        if inside is False and size <= ROW_BYTES:
            yield _Record(number, b"".join((line, *(part for part, _ in parts))))
            number += len(parts)
            continue
        lines.give_back(parts)
        why = f"Row {number} opens a quote that is not closed where a cell ends; close it, or double it."
        yield _Record(number, line, ("csv-row", why))


def _open(line: bytes, delimiter: bytes, inside: bool) -> bool | None:
    """Whether a quoted field is open at the end of this line.

    None where the line begins inside of one and closes it where no cell ends, so that it was none.
    """
    at = 0
    carried = inside
    while True:
        if inside:
            at = line.find(b'"', at)
            if at < 0:
                return True
            if line[at + 1 : at + 2] == b'"':
                at += 2
                continue
            inside = False
            at += 1
            if carried and line[at : at + 1] not in (delimiter, b"\r", b"\n", b""):
                return None
            carried = False
        elif line[at : at + 1] == b'"':
            inside = True
            at += 1
            continue
        at = line.find(delimiter, at)
        if at < 0:
            return False
        at += 1


def find_header(head: bytes, mapping: Mapping[str, str] | None) -> Header | None:
    """The header in the first bytes of a file, or None where the first row names no column that holds values."""
    for number, line in enumerate(head.split(b"\n")[:200], 1):
        text = line.decode("utf-8", "replace").strip("\r")
        if text.lower().startswith("sep="):  # a line spreadsheets write before the header
            continue
        if not text.strip() or text.lstrip().startswith("#"):
            bare = text.lstrip("# \t")
            if bare == text or not mapping:
                found = header_of(bare, number) if any(mark in bare for mark in DELIMITERS) else None
                if found is None or not found.useful or sum(meaning is not None for _, meaning in found.columns) < 2:
                    continue
                return found
            continue
        found = header_of(text, number, mapping)
        if len(found.columns) > COLUMNS:
            raise InputRefused(
                "csv-header",
                f"Row {number} has {len(found.columns)} columns, the limit is {COLUMNS}; keep those that say something "
                "of the indicators.",
            )
        return found
    return None


def read_csv(source: Input, header: Header, maker: minting.Maker) -> Results:
    """Read a table whose header is known, row by row.

    Args:
        source: The file.
        header: As `find_header` gave it.
        maker: Who takes the file in.
    """
    for record in _records(source.stream, header.delimiter.encode()):
        place = f"row {record.line}"
        if record.line <= header.row:
            continue
        if record.fault is not None:
            yield Refusal(place, *record.fault, record.raw[:KEPT_OF_REFUSED])
            continue
        if not record.raw.strip() or record.raw.lstrip()[:1] == b"#":
            continue
        try:
            yield from _row(record, header, maker, place)
        except InputRefused as refused:
            yield Refusal.of(place, refused, record.raw)


def _row(record: _Record, header: Header, maker: minting.Maker, place: str) -> Results:
    if b"\0" in record.raw:
        raise InputRefused("csv-row", f"{place.capitalize()} has a NUL byte; it is no text.")
    try:
        text = record.raw.decode("utf-8").removeprefix("\ufeff")  # where files were joined
    except UnicodeDecodeError as broken:
        raise InputRefused(
            "wrong-encoding", f"{place.capitalize()} is not UTF-8 at its byte {broken.start}; save the file as UTF-8."
        ) from broken
    if '"' in text or "\r" in text[:-2]:
        try:
            cells = next(csv.reader(io.StringIO(text, newline=""), delimiter=header.delimiter), [])
        except csv.Error as broken:
            raise InputRefused("csv-row", f"{place.capitalize()} cannot be read: {broken}.") from broken
    else:
        cells = text.rstrip("\r\n").split(header.delimiter)
    if len(cells) > COLUMNS:
        raise InputRefused("csv-row", f"{place.capitalize()} has {len(cells)} columns, the limit is {COLUMNS}.")
    if len(cells) > len(header.columns) and any(cell.strip() for cell in cells[len(header.columns) :]):
        raise InputRefused(
            "csv-row",
            f"{place.capitalize()} has {len(cells)} cells, the header has {len(header.columns)} columns; "
            f"quote cells with the delimiter {header.delimiter!r}.",
        )
    said: dict[str, str] = dict(header.fixed)
    typed: list[tuple[str, str]] = []
    rest: dict[str, str] = {}
    for (name, meaning), cell in zip(header.columns, cells, strict=False):
        cell = cell.strip()
        if not cell or meaning == "ignore":
            continue
        if meaning is None:
            rest[name] = cell
        elif meaning in _VALUE_KINDS:
            typed.append((meaning, cell))
        elif meaning in said and meaning not in header.fixed:
            rest[name] = cell
        else:
            said[meaning] = cell
    yield from Row(maker, place, record.raw).items(said, typed, rest)


class Row:
    """One row whose cells are told apart; also what a list of values makes of a line.

    Args:
        maker: Who takes it in.
        place: Where it stands.
        raw: Its bytes.
    """

    def __init__(self, maker: minting.Maker, place: str, raw: bytes) -> None:
        self.maker = maker
        self.place = place
        self.raw = raw
        self.changes: list[str] = []

    def items(self, said: dict[str, str], typed: list[tuple[str, str]], rest: dict[str, str]) -> Results:
        """The objects that the row says.

        Args:
            said: Meaning to cell.
            typed: Kind and cell of columns named after a kind.
            rest: Column name to cell for columns that mean nothing here.
        """
        groups = self._values(said, typed)
        handling = self._handling(said)
        shape = self._common(said, rest, handling)
        for values in groups:
            yield self._item(dict(shape), values, said, rest, handling)

    def _refuse(self, why: str) -> InputRefused:
        return InputRefused("csv-value", f"{self.place.capitalize()}: {why}.")

    def _values(self, said: dict[str, str], typed: list[tuple[str, str]]) -> list[list[Value]]:
        groups: list[list[Value]] = []
        try:
            if "value" in said:
                kind = None
                if "type" in said:
                    kind = observable.kind_named(said["type"])
                    if kind is None:
                        raise NotAValue(
                            f"the type {said['type'][:80]!r} is not known; name it as a kind of value or map it"
                        )
                self._plain(said["value"])
                groups.append([observable.read(said["value"], kind)])
            hashes: list[Value] = []
            for kind, cell in typed:
                self._plain(cell)
                value = observable.read(cell, kind)
                if value.kind in observable.HASHES:
                    hashes.append(value)
                else:
                    groups.append([value])
            if hashes:
                groups.append(hashes)
        except NotAValue as broken:
            raise self._refuse(str(broken)) from broken
        if not groups:
            raise self._refuse("no cell holds a value")
        return groups

    def _plain(self, cell: str) -> None:
        if observable.refang(cell) != cell:
            self.changes.append("A defanged value was read as the value it stands for.")

    def _handling(self, said: dict[str, str]) -> dict[str, str]:
        handling: dict[str, str] = {}
        for name, scale in (("tlp", TLP), ("pap", PAP)):
            if name not in said:
                continue
            word = marking_word(said[name], name)
            if word not in scale:
                raise InputRefused(
                    "marking-unknown",
                    f"{self.place.capitalize()}: the marking {said[name][:40]!r} is not understood; "
                    f"write {', '.join(scale)}.",
                )
            handling[name] = word
        return handling

    def _common(self, said: dict[str, str], rest: dict[str, str], handling: Mapping[str, str]) -> dict[str, Any]:
        dates = {
            name: self._date(said[name], name, rest)
            for name in ("created", "modified", "first_seen", "valid_until", "date")
            if name in said
        }
        created = dates.get("created") or dates.get("date") or dates.get("first_seen")
        modified = dates.get("modified")
        start = dates.get("first_seen") or created or modified
        if created is not None and modified is not None and modified < created:
            self.changes.append(
                "The row was changed before it was made by its own dates; the earlier one stands for both."
            )
            created = modified
        shape: dict[str, Any] = {}
        if created is None:
            shape["unstated"] = ["created"] if modified is not None else ["created", "modified", "valid_from"]
        if created is None and modified is None:
            self.changes.append("The row bears no date; the object is dated by its first import.")
            modified = self.maker.at
        made = created if created is not None else modified
        for name, date in (("created", made), ("modified", modified), ("valid_from", start)):
            shape[name] = instants.format(date if date is not None else made or 0)
        end = dates.get("valid_until")
        if end is not None:
            if start is not None and end > start:
                shape["valid_until"] = instants.format(end)
            else:
                rest["valid_until"] = said["valid_until"]
                self.changes.append("The end of validity is not after its start; it is kept as a column only.")
        if any(date is not None and date > self.maker.at + instants.DAY for date in dates.values() if date is not end):
            self.changes.append("A date of the row lies in the future.")
        if "confidence" in said:
            number = said["confidence"].removesuffix("%")
            if number.isascii() and number.isdigit() and len(number) < 4 and int(number) <= 100:
                shape["confidence"] = int(number)
            else:
                rest["confidence"] = said["confidence"]
                self.changes.append("The confidence is no number from 0 to 100; it is kept as a column only.")
        if "labels" in said:
            found = [label.strip() for label in re.split(r"[,;|]", said["labels"])]
            shape["labels"] = list(dict.fromkeys(label for label in found if label))
            if not shape["labels"]:
                del shape["labels"]
        refs = minting.markings(handling)
        if refs:
            shape["object_marking_refs"] = refs
        if dates.get("modified") is not None:
            shape["versioned"] = True
        return shape

    def _date(self, text: str, name: str, rest: dict[str, str]) -> Instant | None:
        found = read_date(text)
        if found is None:
            rest[name] = text
            self.changes.append(
                f"The date {text[:40]!r} is not written as year, month, day; it is kept as a column only."
            )
            return None
        at, note = found
        if note:
            self.changes.append(note)
        return at

    def _item(
        self,
        shape: dict[str, Any],
        values: list[Value],
        said: dict[str, str],
        rest: dict[str, str],
        handling: Mapping[str, str],
    ) -> Item:
        versioned = shape.pop("versioned", False)
        unstated = shape.pop("unstated", [])
        source = said.get("source", "")
        kept = dict(rest)
        first = values[0]
        made: dict[str, Any]
        if first.kind == "cve":
            for name in ("valid_from", "valid_until"):
                if name in shape:
                    shape.pop(name)
                    if name == "valid_until":
                        kept[name] = said["valid_until"]
            if "first_seen" in said:
                kept.setdefault("first_seen", said["first_seen"])
            made = {"type": "vulnerability", **shape, "name": first.text}
            made["external_references"] = [{"source_name": "cve", "external_id": first.text}]
            if "name" in said:
                kept["name"] = said["name"]
        else:
            try:
                text = observable.pattern(*values)
            except NotAValue as broken:
                raise self._refuse(str(broken)) from broken
            made = {"type": "indicator", **shape, "name": said.get("name") or _named(first)}
            made.update(pattern=text, pattern_type="stix", pattern_version="2.1")
        if "description" in said:
            made["description"] = said["description"]
        if source:
            if minting.is_web_address(source):
                made.setdefault("external_references", []).append({"source_name": "source", "url": source})
            else:
                made.setdefault("external_references", []).append(
                    {"source_name": source, "description": "Named as the source by the row."}
                )
        made["spec_version"] = "2.1"
        if self.maker.author is not None:
            made["created_by_ref"] = self.maker.author
        said_apart: dict[str, Any] = {"columns": kept} if kept else {}
        if unstated:
            said_apart[minting.UNSTATED] = [name for name in unstated if name in made]
        if said_apart:
            made["extensions"] = {minting.ROW_EXTENSION: {"extension_type": "property-extension", **said_apart}}
        key = ("row", source, *(f"{value.kind}:{value.text}" for value in values))
        if versioned:
            made["id"] = minted(made["type"], self.maker.name(self.maker.author, *key))
        else:
            made = minting.statement(made, self.maker.party, key)
        changes = tuple(dict.fromkeys(self.changes))
        return Item(canonical(made), self.raw, changes, self.place, dict(handling), minting.unstated(made))


def _named(value: Value) -> str:
    return value.text.replace(" ", ":") if value.kind.endswith("-port") else value.text


def marking_word(text: str, scheme: str) -> str:
    """``TLP:WHITE``, ``White``, ``amber strict`` as a word of the scale; TLP 1's white is TLP 2.0's clear (FIRST,
    2022)."""
    word = text.strip().lower().removeprefix(f"{scheme}:").strip()
    return {
        "white": "clear",
        "amber strict": "amber+strict",
        "amber-strict": "amber+strict",
        "amberstrict": "amber+strict",
    }.get(word, word)


_DATE: Final = re.compile(
    r"(\d{4})[-/](\d\d)[-/](\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(\.\d+)?)?\s*(Z|UTC|GMT|[+-]\d\d:?\d\d)?)?",
    re.ASCII | re.IGNORECASE,
)


def read_date(text: str) -> tuple[Instant, str] | None:
    """A date as tables write it, with what had to be assumed (empty: nothing); None where it could mean two days."""
    text = text.strip()
    if text.isascii() and text.isdigit() and len(text) in (10, 13):
        return int(text) * (instants.SECOND if len(text) == 10 else 1000), ""
    match = _DATE.fullmatch(text)
    if match is None:
        return None
    year, month, day, hour, minute, second, fraction, zone = match.groups()
    note = ""
    if hour is None:
        hour, minute, zone = "00", "00", "Z"
    elif zone is None:
        note = f"The time {text[:40]!r} names no zone and was read as UTC."
    zone = "Z" if zone is None or zone.upper() in ("Z", "UTC", "GMT") else f"{zone[:3]}:{zone[-2:]}"
    try:
        return instants.parse_offset(
            f"{year}-{month}-{day}T{hour}:{minute}:{second or '00'}{fraction or ''}{zone}"
        ), note
    except InputRefused:
        return None
