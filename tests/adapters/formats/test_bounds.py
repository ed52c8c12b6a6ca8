"""Reading goes on where it was interrupted, and memory does not grow with the file."""

from __future__ import annotations

import io
import itertools
import json
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import pytest

from comity.adapters.formats.source import open_source

PARTY = "identity--6c2b2b0e-6f2e-5a0c-9a3b-0d2c1b3a4f5e"


class Generated(io.RawIOBase):
    """A file made while it is read: `parts` one after the other."""

    def __init__(self, parts: Iterator[bytes]) -> None:
        self.parts = parts
        self.rest = b""
        self.size = 0

    def readable(self) -> bool:
        return True

    def readinto(self, target: bytearray | memoryview) -> int:  # type: ignore[override]
        room = memoryview(target).cast("B")
        if not self.rest:
            self.rest = next(self.parts, b"")
        count = min(len(room), len(self.rest))
        room[:count] = self.rest[:count]
        self.rest = self.rest[count:]
        self.size += count
        return count


def peak_of(parts: Iterator[bytes]) -> tuple[int, int, int]:
    """(objects, bytes of the file, peak bytes of memory) of taking in a generated file."""
    raw = Generated(parts)
    tracemalloc.start()
    count = sum(1 for _ in open_source("generated", io.BufferedReader(raw, 1 << 20), party=PARTY, at=0))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return count, raw.size, peak


def test_a_table_of_a_hundred_megabytes_needs_few(record_property: pytest.RecordProperty) -> None:
    notes = b"n" * 20_000
    rows = (b"198.51.%d.%d,ip,%s\n" % (number >> 8, number & 255, notes) for number in range(5_000))
    count, size, peak = peak_of(itertools.chain([b"value,type,notes\n"], rows))
    record_property("peak", peak)
    assert count == 5_000
    assert size > 100_000_000
    assert peak < 24 * 1024 * 1024


def test_a_bundle_of_a_hundred_megabytes_needs_few() -> None:
    shape = {
        "type": "note",
        "spec_version": "2.1",
        "created": "2021-03-02T00:00:00.000Z",
        "modified": "2021-03-02T00:00:00.000Z",
        "content": "n" * 40_000,
        "object_refs": ["identity--6c2b2b0e-6f2e-5a0c-9a3b-0d2c1b3a4f5e"],
    }
    one = json.dumps(shape).encode()[1:]
    parts = (
        b'%s{"id":"note--00000000-0000-4000-8000-%012d",' % (b"," if number else b"", number) + one
        for number in range(2_500)
    )
    count, size, peak = peak_of(itertools.chain([b'{"type":"bundle","objects":['], parts, [b"]}"]))
    assert count == 2_500
    assert size > 100_000_000
    assert peak < 24 * 1024 * 1024


def test_a_feed_of_many_misp_events_needs_no_more_than_one_of_few() -> None:
    event = {"info": "n" * 200_000, "Orgc": {"name": "O"}, "uuid": "5f3c1f6e-0000-4000-8000-000000000001"}
    one = json.dumps({"Event": event}).encode()

    def feed(events: int) -> tuple[int, int, int]:
        parts = ((b"," if number else b"") + one for number in range(events))
        return peak_of(itertools.chain([b'{"response":['], parts, [b"]}"]))

    (few, _, least), (many, size, most) = feed(6), feed(24)
    assert (few, many) == (12, 48)
    assert size > 4_000_000
    assert most < least * 1.2


@pytest.mark.parametrize(
    "name",
    [
        "incident-exchange-2021/mstic-exchange-iocs-2021-03.csv",
        "incident-exchange-2021/eset-exchange-exploitation-samples.md5",
        "incident-exchange-2021/unit42-dearcry-playbook.stix2.json",
        "attack/attack-enterprise-hafnium-stix21.json.gz",
        "misp/event-training-kobalos.json.gz",
        "misp/galaxy-country.json",
        "kev/known_exploited_vulnerabilities.json.gz",
    ],
)
def test_an_interrupted_reading_goes_on_exactly_where_it_stopped(test_data: Path, name: str) -> None:
    data = (test_data / name).read_bytes()

    def results(skip: int) -> list[object]:
        return list(open_source(name, io.BytesIO(data), party=PARTY, at=0, skip=skip))

    whole = results(0)
    for skip in (1, len(whole) // 2, len(whole) - 1, len(whole)):
        assert results(skip) == whole[skip:]
    source = open_source(name, io.BytesIO(data), party=PARTY, at=0)
    taken = list(itertools.islice(source, 5))
    assert taken + results(source.results) == whole


def test_a_stream_that_gives_a_byte_at_a_time_gives_the_same(test_data: Path) -> None:
    path = test_data / "misp" / "event-misp-test.json"
    data = path.read_bytes()

    class Slow(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            return super().read(min(7, size) if size and size > 0 else size)

    assert list(open_source("x", Slow(data), party=PARTY, at=0)) == list(
        open_source("x", io.BytesIO(data), party=PARTY, at=0)
    )
