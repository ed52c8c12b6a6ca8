"""Takes in a file of any format we know: tells what it is and gives its objects one by one, or refuses with the reason.

    with open("feed.csv", "rb") as stream:
        for result in open_source("feed.csv", stream, party=party, at=at):
            if isinstance(result, Item): ...      # result.raw is to be validated by the caller
            else: ...                             # a Refusal: place, code, sentence, bytes

Rules: memory is bounded by one part of the file, whatever its size; the same file gives the same results in the same
order, so a reading that was interrupted goes on with `skip`; a file that gives no object is an error; a part that is
no object is a `Refusal` and the rest goes on; a file that breaks off gives what stands before the break and then the
error. JSON Lines (a STIX object, bundle or envelope a line, or a MISP event a line) are read line by line.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from io import BytesIO
from typing import Any, BinaryIO, Final

from comity.adapters.formats.csvfile import read_csv
from comity.adapters.formats.galaxy import read_galaxy
from comity.adapters.formats.items import KEPT_OF_REFUSED, Item, Refusal, Results
from comity.adapters.formats.kev import read_kev
from comity.adapters.formats.minting import Maker
from comity.adapters.formats.misp import EVENT_BYTES, read_misp
from comity.adapters.formats.reader import INFLATION, Inflation, Input
from comity.adapters.formats.sniff import Seen, see
from comity.adapters.formats.stix20 import is_stix20, upgrade
from comity.adapters.formats.values import read_values
from comity.kernel.errors import InputRefused
from comity.kernel.model import bundle, strictjson
from comity.kernel.model.instants import Instant
from comity.kernel.seal.canonical import canonical
from comity.kernel.seal.sealed import LARGEST, read_sealed

__all__ = ["Item", "Refusal", "Source", "open_source"]

_MAYBE_20: Final = b'"spec_version"'

_KINDS: Final = {b'"': "a text", b"[": "a list", b"t": "true", b"f": "false", b"n": "null"}
"""What an element is that is no object, by its first byte; else a number, or no JSON at all."""


class Source:
    """A file being taken in; iterate over it once.

    Args:
        source: Its bytes.
        seen: What it is.
        maker: Who takes it in.
        mapping: As for tables.
        skip: Results that were already taken.

    Attributes:
        format: ``stix-2.1``, ``stix-2.0``, ``sealed``, ``misp``, ``misp-galaxy``, ``csv``, ``values`` or ``kev``. A STIX file is
            told by its first object, others in it are still told apart one by one.
        results: Results given so far, those stepped over included: the `skip` that goes on here.
        objects, refused: How many of them were items and refusals.
    """

    def __init__(
        self, source: Input, seen: Seen, *, maker: Maker, mapping: Mapping[str, str] | None, skip: int
    ) -> None:
        self._source = source
        self._seen = seen
        self._maker = maker
        self._fixed = {key[1:]: value for key, value in (mapping or {}).items() if key.startswith("@")}
        self._skip = skip
        self.name = source.name
        self.format = seen.format if seen.format != "stix" else _stix_version(source.peek)
        self.results = 0
        self.objects = 0
        self.refused = 0

    def __iter__(self) -> Iterator[Item | Refusal]:
        """The results from `skip` on.

        Raises:
            InputRefused: `no-object` at the end where there was no item; the codes of the formats where the file
            breaks off.
        """
        for result in self._read():
            self.results += 1
            if isinstance(result, Item):
                self.objects += 1
            else:
                self.refused += 1
            if self.results > self._skip:
                yield result
        if self.objects == 0:
            what = f"all {self.refused} parts of it were refused" if self.refused else "there is none in it"
            raise InputRefused("no-object", f"{self.name} gave no object: {what}.", refused=self.refused)

    def _read(self) -> Results:
        seen = self._seen
        if seen.lines:
            return self._lines()
        if seen.format == "stix":
            return _read_stix(self._source.stream.read1)
        if seen.format == "sealed":
            return _read_sealed(self._source.stream.read(LARGEST + 1))
        if seen.format == "misp":
            return read_misp(self._source, self._maker, seen.key)
        if seen.format == "misp-galaxy" and seen.galaxy is not None:
            return read_galaxy(self._source, self._maker, seen.galaxy)
        if seen.format == "kev":
            return read_kev(self._source, self._maker)
        if seen.format == "csv" and seen.header is not None:
            return read_csv(self._source, seen.header, self._maker)
        return read_values(self._source, self._maker, self._fixed)

    def _lines(self) -> Results:
        """The results of each line by itself; one that breaks off ends no other."""
        stream = self._source.stream
        number = 0
        while line := stream.readline(EVENT_BYTES):
            number += 1
            kept = line[:KEPT_OF_REFUSED]
            if len(line) == EVENT_BYTES and not line.endswith(b"\n"):
                while line and not line.endswith(b"\n"):
                    line = stream.readline(EVENT_BYTES)
                yield Refusal(f"line {number}", "json-size", f"Line {number} has more than {EVENT_BYTES} bytes.", kept)
                continue
            if not line.strip():
                continue
            try:
                for result in self._line(line):
                    yield replace(result, place=f"line {number}, {result.place}")
            except InputRefused as refused:
                yield Refusal.of(f"line {number}", refused, kept)

    def _line(self, line: bytes) -> Results:
        if self._seen.format == "misp":
            return read_misp(Input(self.name, BytesIO(line)), self._maker, self._seen.key)
        return _read_stix(BytesIO(line).read)


def open_source(
    name: str,
    stream: BinaryIO,
    *,
    mapping: Mapping[str, str] | None = None,
    party: str,
    at: Instant,
    own: bool = False,
    skip: int = 0,
    inflation: Inflation = INFLATION,
) -> Source:
    """Open a file to take in.

    Args:
        name: What the officer calls the file, for sentences; it decides nothing.
        stream: Its bytes, from where the stream stands; read once, never sought, never closed.
        mapping: For tables: column name to meaning (`csvfile.MEANINGS`, or a kind of value), and ``@type``, ``@date``,
            ``@tlp``, ``@pap``, ``@source``, ``@name`` for what holds for all rows.
        party: Id of the party that takes it in; it is in the ids of what is converted.
        at: The instant of import; stands only in dates that STIX requires and the file does not state.
        own: Whether an officer states that it is the party's own work; only then converted objects name it as creator.
        skip: Results (items and refusals together) that were already taken, to go on after an interruption.
        inflation: How far gzip may inflate.

    Raises:
        InputRefused: `not-taken`, `wrong-encoding`, `no-object`, `csv-header`, `csv-mapping`, `gzip-broken`, `bomb`:
        the file
            as a whole is not taken in.
    """
    source = Input(name, stream, inflation)
    try:
        seen = see(name, source.peek, mapping)
    except InputRefused as refused:
        raise source.fault or refused from refused  # of a file that breaks off too early nobody can tell what it is
    return Source(source, seen, maker=Maker(party, at, own), mapping=mapping, skip=skip)


def _no_object(place: str, raw: bytes) -> InputRefused:
    try:
        strictjson.read(raw)
    except InputRefused as refused:
        return refused
    kind = _KINDS.get(raw[:1], "a number")
    return InputRefused("stix-object", f"{place.capitalize()} of the file is {kind} and no STIX object.")


def _stix_version(peek: bytes) -> str:
    """The version of the first object, for the summary; each object is still told apart when it is read."""
    at = 0

    def some(size: int) -> bytes:
        nonlocal at
        piece = peek[at : at + size]
        at += len(piece)
        return piece

    try:
        for found in bundle.walk(some):
            with suppress(InputRefused):
                data = strictjson.read(found.raw)
                if isinstance(data, dict) and isinstance(data.get("type"), str):
                    return "stix-2.0" if is_stix20(data) else "stix-2.1"
    except InputRefused:
        pass
    return "stix-2.1"


def _read_sealed(data: bytes) -> Results:
    for number, one in enumerate(read_sealed(data), 1):
        yield Item(one.raw, place=f"object {number}", seal=one.seal, opens=one.disclosure)


def _read_stix(read: Callable[[int], bytes]) -> Results:
    for number, found in enumerate(bundle.walk(read), 1):
        place = f"object {number}"
        raw = found.raw
        if found.fault is not None:
            yield Refusal.of(place, found.fault, raw)
            continue
        if raw[:1] != b"{":
            yield Refusal.of(place, _no_object(place, raw), raw)
            continue
        if _MAYBE_20 in raw and b'"2.0"' not in raw:
            yield Item(raw, None, (), place, {})  # says a version that is not 2.0: its validation does the rest
            continue
        try:
            data = strictjson.read(raw)
        except InputRefused as refused:
            yield Refusal.of(place, refused, raw)
            continue
        if not isinstance(data, dict) or not is_stix20(data):
            yield Item(raw, None, (), place, {})
            continue
        try:
            made, changes = upgrade(data)
            results: list[tuple[dict[str, Any], tuple[str, ...]]] = [(shape, ()) for shape in made[:-1]]
            results.append((made[-1], changes))
            items = [Item(canonical(shape), raw, told, place, {}) for shape, told in results]
        except InputRefused as refused:
            yield Refusal.of(place, refused, raw)
            continue
        yield from items
