"""Takes in a file of any format we know: tells what it is and gives its objects one by one, or refuses with the reason.

    with open("feed.csv", "rb") as stream:
        for result in open_source("feed.csv", stream, party=party, at=at):
            if isinstance(result, Item): ...      # result.raw is to be validated by the caller
            else: ...                             # a Refusal: place, code, sentence, bytes

Rules: memory is bounded by one part of the file, whatever its size; the same file gives the same results in the same
order, so a reading that was interrupted goes on with `skip`; a file that gives no object is an error; a part that is
no object is a `Refusal` and the rest goes on; a file that breaks off gives what stands before the break and then the
error.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, BinaryIO, Final

from comity.adapters.formats.csvfile import read_csv
from comity.adapters.formats.galaxy import read_galaxy
from comity.adapters.formats.items import Item, Refusal, Results
from comity.adapters.formats.kev import read_kev
from comity.adapters.formats.misp import read_misp
from comity.adapters.formats.reader import INFLATION, Inflation, Input
from comity.adapters.formats.sniff import Seen, see
from comity.adapters.formats.stix20 import is_stix20, upgrade
from comity.adapters.formats.values import read_values
from comity.kernel.errors import InputRefused
from comity.kernel.model import bundle, strictjson
from comity.kernel.model.instants import Instant
from comity.kernel.seal.canonical import canonical

__all__ = ["Item", "Refusal", "Source", "open_source"]

_MAYBE_20: Final = b'"spec_version"'


class Source:
    """A file being taken in; iterate over it once.

    Args:
        source: Its bytes.
        seen: What it is.
        party: Id of the party that takes it in.
        at: The instant of import.
        mapping: As for tables.
        skip: Results that were already taken.

    Attributes:
        format: ``stix-2.1``, ``stix-2.0``, ``misp``, ``misp-galaxy``, ``csv``, ``values`` or ``kev``. A STIX file is
            told by its first object, others in it are still told apart one by one.
        results: Results given so far, those stepped over included: the `skip` that goes on here.
        objects, refused: How many of them were items and refusals.
    """

    def __init__(
        self, source: Input, seen: Seen, *, party: str, at: Instant, mapping: Mapping[str, str] | None, skip: int
    ) -> None:
        self._source = source
        self._seen = seen
        self._party = party
        self._at = at
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
        if seen.format == "stix":
            return _read_stix(self._source)
        if seen.format == "misp":
            return read_misp(self._source, self._party, seen.key)
        if seen.format == "misp-galaxy" and seen.galaxy is not None:
            return read_galaxy(self._source, self._party, seen.galaxy)
        if seen.format == "kev":
            return read_kev(self._source, self._party)
        if seen.format == "csv" and seen.header is not None:
            return read_csv(self._source, seen.header, self._party, self._at)
        return read_values(self._source, self._party, self._at, self._fixed)


def open_source(
    name: str,
    stream: BinaryIO,
    *,
    mapping: Mapping[str, str] | None = None,
    party: str,
    at: Instant,
    skip: int = 0,
    inflation: Inflation = INFLATION,
) -> Source:
    """Open a file to take in.

    Args:
        name: What the officer calls the file, for sentences; it decides nothing.
        stream: Its bytes, from where the stream stands; read once, never sought, never closed.
        mapping: For tables: column name to meaning (`csvfile.MEANINGS`, or a kind of value), and ``@type``, ``@date``,
            ``@tlp``, ``@pap``, ``@source``, ``@name`` for what holds for all rows.
        party: Id of the party that takes it in; converted objects are made in its name.
        at: The instant of import; never written into an object.
        skip: Results (items and refusals together) that were already taken, to go on after an interruption.
        inflation: How far gzip may inflate.

    Raises:
        InputRefused: `not-taken`, `wrong-encoding`, `no-object`, `csv-header`, `csv-mapping`, `gzip-broken`, `bomb`:
        the file
            as a whole is not taken in.
    """
    source = Input(name, stream, inflation)
    seen = see(name, source.peek, mapping)
    return Source(source, seen, party=party, at=at, mapping=mapping, skip=skip)


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
            data = strictjson.read(found.raw)
            return "stix-2.0" if isinstance(data, dict) and is_stix20(data) else "stix-2.1"
    except InputRefused:
        pass
    return "stix-2.1"


def _read_stix(source: Input) -> Results:
    for number, found in enumerate(bundle.walk(source.stream.read), 1):
        place = f"object {number}"
        raw = found.raw
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
