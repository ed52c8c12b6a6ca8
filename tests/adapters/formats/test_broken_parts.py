"""A broken part of a file is refused by itself: nothing before or behind it is lost, and nothing is counted twice."""

from __future__ import annotations

import gzip
import io
import json
import zlib
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from comity.adapters.formats.source import Item, Refusal, open_source
from comity.kernel.errors import CODES, InputRefused
from comity.kernel.model import bundle, objects

PARTY = "identity--6c2b2b0e-6f2e-5a0c-9a3b-0d2c1b3a4f5e"
AT = 1_640_995_200_000_000
RELAXED = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

BUNDLES = (
    "oasis-apt1.json",
    "oasis-poisonivy.json",
    "oasis-sighting-of-observed-data.json",
    "oasis21-infrastructure.json",
)

UNCLOSED = b'{"a":{"b":{"c":1}'
BROKEN = (
    UNCLOSED,
    b'"a text, with ] and }"',
    b"null",
    b"true",
    b"17",
    b"-1e999",
    b"9" * 6_000,
    b"NaN",
    b"hello",
    b"",
    b"[]",
    b'[{"type":"malware"},{"type":"tool"}]',
    b'{"type":"bundle","id":"bundle--5f3cb5a2-9dd6-4a8b-a9cf-6d5b9cf07c1c","objects":[{"type":"tool"},{}]}',
    b"{}",
    b'{"type":"indicator","confidence":99999999999999999999}',
    b'{"type":"indicator","type":"indicator"}',
    b'{"type":"indicator",}',
    b'{"type":}',
    b'{"a":1}{"b":2}',
    b'{"a":1}}',
    b'{"a":[1}',
    b'{"a":"\xff\xfe"}',
    b'{"a":"\\ud800"}',
    b'{"a":"\x00\n"}',
    b"[" * 5_000 + b"]" * 5_000,
)

PLAN = st.dictionaries(st.integers(0, 200), st.sampled_from(BROKEN), min_size=1, max_size=12)


@cache
def real(path: Path) -> tuple[bytes, ...]:
    return tuple(found.raw for found in bundle.walk(io.BytesIO(path.read_bytes()).read))


def taken(data: bytes) -> tuple[list[Item], list[Refusal], InputRefused | None]:
    """What a file gives: objects that are valid, refusals (those of validation too), and with what it broke off."""
    good: list[Item] = []
    bad: list[Refusal] = []
    try:
        for result in open_source("the file", io.BytesIO(data), party=PARTY, at=AT):
            if isinstance(result, Refusal):
                bad.append(result)
                continue
            try:
                objects.read_object(result.raw)
                good.append(result)
            except InputRefused as refused:
                bad.append(Refusal.of(result.place, refused, result.raw))
    except InputRefused as broken:
        return good, bad, broken
    return good, bad, None


def bundled(parts: list[bytes], gap: bytes) -> bytes:
    return b'{"type":"bundle","id":"bundle--5f3cb5a2-9dd6-4a8b-a9cf-6d5b9cf07c1c","objects":[' + gap.join(parts) + b"]}"


@RELAXED
@given(st.sampled_from(BUNDLES), PLAN, st.sampled_from([b",", b",\n", b" ,\n    "]), st.booleans())
@example("oasis-apt1.json", {0: b"null", 1: b'{"a":{"b":{"c":1}', 40: b'"x"', 75: b""}, b",", False)
def test_every_unbroken_object_of_a_bundle_is_taken_and_every_broken_one_refused(
    test_data: Path, name: str, plan: dict[int, bytes], gap: bytes, packed: bool
) -> None:
    parts = list(real(test_data / "stix" / name))
    plan = {at % len(parts): broken for at, broken in plan.items()}
    if len(plan) == len(parts):
        plan.popitem()
    # what is not closed ends where the next object begins: where the next one is broken too, they are one part
    for at in [at for at, broken in plan.items() if broken == UNCLOSED]:
        plan.pop(at + 1, None)
    whole = [raw for at, raw in enumerate(parts) if at not in plan]
    for at, broken in plan.items():
        parts[at] = broken
    data = bundled(parts, gap)
    good, bad, fault = taken(gzip.compress(data) if packed else data)
    assert fault is None
    assert [item.raw for item in good] == whole
    assert [one.place for one in bad] == [f"object {at + 1}" for at in sorted(plan)]
    assert len(good) + len(bad) == len(parts)
    for one in bad:
        assert one.code in CODES
        assert one.sentence.endswith(".")
        assert one.raw == plan[int(one.place.removeprefix("object ")) - 1][:65536]


@RELAXED
@given(st.sampled_from(BUNDLES), st.floats(0, 1), st.sampled_from([b",", b",\n  "]))
def test_every_whole_object_before_the_cut_is_taken_and_the_break_is_told(
    test_data: Path, name: str, part: float, gap: bytes
) -> None:
    parts = list(real(test_data / "stix" / name))
    data = bundled(parts, gap)
    begun = data.index(b"[") + 1
    cut = begun + int((len(data) - begun - 2) * part)
    ends = [begun + len(gap.join(parts[: n + 1])) for n in range(len(parts))]
    good, bad, fault = taken(data[:cut])
    assert [item.raw for item in good] == [raw for raw, end in zip(parts, ends, strict=True) if end <= cut]
    assert bad == []
    assert fault is not None
    assert fault.code == "bundle-truncated"
    assert "The file ends" in fault.sentence


EVENTS = ("event-eset-backdoordiplomacy.json", "event-misp-test.json", "event-eset-turla-lightneuron.json")
NO_EVENTS = (
    *(one for one in BROKEN if one not in (b"", UNCLOSED)),
    b'{"Event":{"uuid":"x"}}',
    b'{"Event":[]}',
    b'{"Event":{"info":7}}',
)


@cache
def event(path: Path) -> bytes:
    data = json.loads(path.read_bytes())
    return json.dumps(data["response"][0] if "response" in data else data, indent=1).encode()


@RELAXED
@given(st.lists(st.sampled_from((*EVENTS, *NO_EVENTS)), min_size=1, max_size=6), st.booleans())
def test_every_unbroken_event_of_a_list_is_taken_and_every_broken_one_refused(
    test_data: Path, more: list[str | bytes], wrapped: bool
) -> None:
    plan = [EVENTS[1], *more]  # by its first event a list is told to be MISP
    parts = [one if isinstance(one, bytes) else event(test_data / "misp" / one) for one in plan]
    joined = b",\n".join(parts)
    good, bad, fault = taken(b'{"response":[' + joined + b"]}" if wrapped else b"[" + joined + b"]")
    assert fault is None
    events = {f"event {number}" for number, one in enumerate(plan, 1) if isinstance(one, str)}
    assert {item.place for item in good if item.place.count(",") == 0} == events
    assert [one.place for one in bad] == [f"event {n}" for n, one in enumerate(plan, 1) if isinstance(one, bytes)]
    assert all(one.code in CODES for one in bad)


def test_what_is_no_attribute_is_refused_by_itself_and_the_event_is_taken() -> None:
    attribute = {
        "type": "ip-dst",
        "value": "198.51.100.7",
        "to_ids": True,
        "uuid": "5f3c1f6e-0000-4000-8000-000000000001",
    }
    inner = {"name": "file", "Attribute": [{"type": "md5", "value": "a" * 32}, None]}
    shape: dict[str, Any] = {
        "info": "x",
        "date": "2021-03-02",
        "Orgc": {"name": "O"},
        "Attribute": [None, attribute, "text", 7],
        "Object": ["x", inner],
        "EventReport": {"name": "no list"},
    }
    good, bad, fault = taken(json.dumps({"Event": shape}).encode())
    assert fault is None
    assert [item.place for item in good if "attribute" in item.place] == ["event 1, attribute 2"]
    assert good[-1].place == "event 1"
    assert [(one.place, one.code) for one in bad] == [
        (f"event 1, {place}", "misp-event")
        for place in ("attribute 1", "attribute 3", "attribute 4", "object 1", "object 2")
    ]
    shape["Attribute"] = shape["Object"] = []
    assert [item.place for item in taken(json.dumps({"Event": shape}).encode())[0]] == [
        "event 1, Orgc",
        "event 1, report 1",
        "event 1",
    ]


NUL = b"2021-03-10,\0,x,sha256\n"
ODD = b'2021-03-10,"odd,7,nothing\n'
ROWS = {
    ODD: "csv-row",
    b'2021-03-10,2021-03-05,"a"" ,sha256\n': "csv-row",
    NUL: "csv-row",
    b"2021-03-10,caf\xe9,x,sha256\n": "wrong-encoding",
    b"x" * 300_000 + b"\n": "csv-row",
    b"1," * 10_000 + b"\n": "csv-row",
    b"2021-03-10,2021-03-05,nothing,sha256,green,,,,\n": "csv-value",
    b"-\n": "csv-value",
}


@RELAXED
@given(st.lists(st.tuples(st.integers(1, 61), st.sampled_from(list(ROWS))), min_size=1, max_size=12), st.booleans())
@example([(1, ODD), (1, ODD), (2, ODD), (61, ODD)], True)
@example([(at, NUL) for at in range(1, 13)], False)
def test_every_unbroken_row_of_a_table_is_taken_and_every_broken_one_refused(
    test_data: Path, plan: list[tuple[int, bytes]], quoted: bool
) -> None:
    path = test_data / "incident-exchange-2021" / "mstic-exchange-iocs-2021-03.csv"
    lines = path.read_bytes().replace(b"\r\n", b"\n").splitlines(keepends=True)
    if quoted:
        lines = [lines[0], *(b'"' + line.replace(b",", b'","').replace(b"\n", b'"\n') for line in lines[1:])]
    whole = [item.original for item in taken(b"".join(lines))[0]]
    assert len(whole) == 61
    for at, row in sorted(plan, reverse=True):
        lines.insert(at, row)
    good, bad, fault = taken(b"".join(lines))
    assert fault is None
    assert [item.original for item in good] == whole
    assert [one.raw[:60] for one in bad] == [line[:60] for line in lines if line in ROWS]
    assert [one.place for one in bad] == [f"row {n}" for n, line in enumerate(lines, 1) if line in ROWS]


@pytest.mark.parametrize("end", [b"\r", b"\n", b"\r\n"])
def test_lines_may_end_as_any_system_ends_them(end: bytes) -> None:
    for text in (b"value,type\n198.51.100.1,ip\n198.51.100.2,ip\n", b"198.51.100.1\n198.51.100.2\n"):
        good, bad, fault = taken(text.replace(b"\n", end))
        assert ([json.loads(item.raw)["name"] for item in good], bad, fault) == (
            ["198.51.100.1", "198.51.100.2"],
            [],
            None,
        )
    large = b"value" + end + b"".join(b"host%d.example%s" % (n, end) for n in range(60_000))
    assert len(taken(b"value,type" + end + large.replace(end, b",domain" + end))[0]) == 60_000


@pytest.mark.parametrize("lines", [False, True])
def test_a_gzip_file_that_breaks_off_gives_all_that_stands_before_the_break(test_data: Path, lines: bool) -> None:
    raws = [
        found.raw
        for found in bundle.walk(
            io.BytesIO(
                gzip.decompress((test_data / "attack" / "attack-enterprise-hafnium-stix21.json.gz").read_bytes())
            ).read
        )
    ]
    values = [b"%s.example" % sha256(b"%d" % n).hexdigest()[:40].encode() for n in range(20_000)]
    whole = b"\n".join(values) + b"\n" if lines else bundled(raws, b",")
    for packed, more in (
        (gzip.compress(whole)[:-9], b""),
        (gzip.compress(whole)[: len(gzip.compress(whole)) // 2], b""),
        (gzip.compress(whole), b"x"),
        (gzip.compress(whole)[:-8] + bytes(8), b""),
    ):
        there = zlib.decompressobj(wbits=-15).decompress(packed[10:])  # as RFC 1951 says, without the check of gzip
        good, bad, fault = taken(packed + more)
        assert fault is not None
        assert fault.code == "gzip-broken"
        assert bad == []
        if lines:
            assert [item.original for item in good] == [one + b"\n" for one in there.split(b"\n")[:-1]]
        else:
            ends = [len(b",".join(raws[: n + 1])) + whole.index(b"[") + 1 for n in range(len(raws))]
            assert len(good) == sum(end <= len(there) for end in ends)
            assert len(good) > 70


def test_a_small_gzip_file_that_breaks_off_is_told_by_what_stands_before_the_break() -> None:
    values = [b"%s.example\n" % sha256(b"%d" % n).hexdigest()[:40].encode() for n in range(500)]
    packed = gzip.compress(b"".join(values))
    for cut, least in ((packed[:-9], 499), (packed[: len(packed) // 2], 100), (packed[:-8] + bytes(8), 500)):
        good, bad, fault = taken(cut)
        assert [item.original for item in good] == values[: len(good)]
        assert len(good) >= least
        assert (bad, fault and fault.code) == ([], "gzip-broken")
    assert [one and one.code for one in (taken(packed[:12])[2], taken(packed[:2])[2])] == ["gzip-broken"] * 2


def test_files_that_were_joined_are_read_as_one() -> None:
    first, second = b"\xef\xbb\xbfvalue,type\na.example,domain\n", b"\xef\xbb\xbfb.example,domain\n"
    for data in (first + second, gzip.compress(first) + gzip.compress(second)):
        good, bad, fault = taken(data)
        assert [json.loads(item.raw)["name"] for item in good] == ["a.example", "b.example"]
        assert (bad, fault) == ([], None)


def test_a_quoted_cell_over_several_lines_is_one_row_and_the_next_rows_are_counted_on() -> None:
    good, bad, fault = taken(
        b'value,type,notes\nbad.example,domain,"one\ntwo, ""x""\n"\n\nx,ip,\nworse.example,domain,y\n'
    )
    assert [item.place for item in good] == ["row 2", "row 7"]
    assert json.loads(good[0].raw)["description"] == 'one\ntwo, "x"'
    assert ([one.place for one in bad], fault) == (["row 6"], None)


def test_json_lines_are_read_line_by_line(test_data: Path) -> None:
    raws = [json.dumps(json.loads(raw)).encode() for raw in real(test_data / "stix" / "oasis-apt1.json")]
    lines = [*raws[:30], b"", b"null", b'{"a":', bundled(raws[30:40], b","), *raws[40:]]
    good, bad, fault = taken(b"\n".join(lines))
    assert fault is None
    assert [item.raw for item in good] == raws
    assert [(one.place, one.code) for one in bad] == [("line 32", "bundle"), ("line 33", "bundle-truncated")]
    assert good[30].place == "line 34, object 1"
    one = json.dumps(json.loads(event(test_data / "misp" / "event-misp-test.json"))).encode()
    places = [item.place for item in taken(one + b"\n" + one)[0] if item.place.endswith("event 1")]
    assert places == ["line 1, event 1", "line 2, event 1"]


def test_a_taxii_envelope_saved_to_a_file_gives_its_objects(test_data: Path) -> None:
    raws = real(test_data / "stix" / "oasis-apt1.json")
    for frame in (b'{"objects":[%s]}', b'{"more":true,"next":"x","objects":[%s]}', b'{"objects":[%s],"more":false}'):
        good, bad, fault = taken(frame.replace(b"%s", b",".join(raws)))
        assert ([item.raw for item in good], bad, fault) == (list(raws), [], None)


def test_one_field_of_fifty_megabytes_costs_its_row_only() -> None:
    field = b"x" * 50_000_000
    good, bad, fault = taken(b'value,type,notes\na.example,domain,"' + field + b'"\nb.example,domain,\n')
    assert ([item.place for item in good], [one.place for one in bad], fault) == (["row 3"], ["row 2"], None)
    real_one = b'{"type":"url","spec_version":"2.1","id":"url--5f3cb5a2-9dd6-5a8b-a9cf-6d5b9cf07c1c","value":"http://a.example"}'
    good, bad, fault = taken(b'[{"type":"url","value":"' + field + b'"},' + real_one + b"]")
    assert ([item.raw for item in good], [one.code for one in bad], fault) == ([real_one], ["json-size"], None)
    assert len(bad[0].raw) == 65536
