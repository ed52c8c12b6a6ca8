"""The walker over files of objects: exact slices, bounded memory, damaged and hostile files."""

from __future__ import annotations

import contextlib
import gzip
import io
import json
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from comity.kernel.errors import InputRefused
from comity.kernel.model import bundle
from comity.kernel.model.strictjson import Limits


def walk(data: bytes, **how: Any) -> list[bundle.Slice]:
    return list(bundle.walk(io.BytesIO(data).read, **how))


ONE = b'{"type":"malware","id":"malware--1"}'
TWO = '{ "type" : "tool", "name": "öä€😀 }, {\\" ]" }'.encode()


@pytest.mark.parametrize(
    "frame",
    [
        b'{"type":"bundle","id":"bundle--1","objects":[%s]}',
        b'{"objects":[%s],"id":"bundle--1","spec_version":"2.0","type":"bundle"}',
        b'{"more":true,"next":"abc","objects":[%s]}',
        b'{"objects":[%s],"more":false}',
        b"[%s]",
        b" \n[ %s\t]\r\n ",
        '{"x_note":"€😀","type":"bundle","objects":[%s]}'.encode(),
        b"\xef\xbb\xbf" + b'{"type":"bundle","objects":[%s]}',
    ],
)
@pytest.mark.parametrize("gap", [b",", b" ,\n  ", b",\n\n"])
def test_each_object_is_given_as_its_exact_bytes(frame: bytes, gap: bytes) -> None:
    objects = [ONE, TWO, b"{}", TWO, ONE, b'{"a":{"b":[{"c":1},{"c":2}]}}']
    data = frame.replace(b"%s", gap.join(objects))
    found = walk(data)
    assert [one.raw for one in found] == objects
    assert all(data[one.offset : one.offset + len(one.raw)] == one.raw for one in found)
    for start in range(len(objects) + 2):
        assert walk(data, start=start) == found[start:]


def test_a_single_object_is_given_whole() -> None:
    observed = b'{"type":"observed-data","objects":{"0":{"type":"file"}}}'
    custom = b'{"type":"x-list","objects":[{"a":1}]}'
    for data in (ONE, observed, custom):
        assert [one.raw for one in walk(b" " + data + b"\n")] == [data]


@pytest.mark.parametrize(
    "data", [b"{}", b"[]", b'{"type":"bundle","objects":[]}', b'{"more":false}', b'{"type":"bundle"}']
)
def test_a_file_without_objects_gives_none(data: bytes) -> None:
    assert walk(data) == []


@pytest.mark.parametrize(
    ("code", "data"),
    [
        ("bundle", b""),
        ("bundle", b"  \n"),
        ("bundle", b"hello"),
        ("bundle", b"PK\x03\x04"),
        ("bundle", b'"text"'),
        ("bundle", b'{"objects":[{}],"objects":[{}]}'),
        ("bundle", b'{"type":"bundle","objects":[{}],"type":"bundle"}'),
        ("bundle", b'{"objects":[{}],"type":"malware"}'),
        ("bundle", b'[{"a":1}]]'),
        ("bundle", b'[{"a":1}]{}'),
        ("bundle", b'{"objects":[{}]} trailing'),
        ("bundle", b"{1:2}"),
        ("bundle-truncated", b"["),
        ("bundle-truncated", b"[{}"),
        ("bundle-truncated", b"[{},"),
        ("bundle-truncated", b'{"objects":[{"a":"b'),
        ("bundle-truncated", b'{"objects":[{"a":1}]'),
        ("bundle-truncated", b'{"objects"'),
        ("json-encoding", '[{"a":1}]'.encode("utf-16")),
        ("json-encoding", '[{"a":1}]'.encode("utf-16-be")),
        ("bundle-truncated", b"[" + b'{"a":' * 100_000),
        ("json-depth", b'{"a":' + b"[" * 3_000_000),
    ],
)
def test_a_damaged_or_foreign_file_is_refused(code: str, data: bytes) -> None:
    with pytest.raises(InputRefused) as refused:
        walk(data)
    assert refused.value.code == code


def test_objects_before_the_fault_are_given_first() -> None:
    walker = bundle.walk(io.BytesIO(b"[" + ONE + b"," + TWO + b',{"a"').read)
    assert next(walker).raw == ONE
    assert next(walker).raw == TWO
    with pytest.raises(InputRefused, match="ends"):
        next(walker)


@pytest.mark.parametrize(
    "element",
    [
        b"1",
        b"null",
        b'"], {"',
        b"9" * 5_000,
        b"1e999",
        b"NaN",
        b"hello",
        b"",
        b'[[{"type":"tool"}]]',
        b"[" * 100_000 + b"]" * 100_000,
        b'{"type":"bundle","objects":[{"type":"tool"},{"type":"tool"}]}',
        b'{"a":}',
        b"{} {}",
        b"{a}",
        b'{"a":[1}',
        b'{"a":{"b":1,"c":{"d":2}',
        b'{"a":1}}',
        b'{"a":"\xff\x00\n"}',
    ],
)
def test_an_element_that_is_no_object_is_one_slice_and_those_around_it_are_given(element: bytes) -> None:
    for frame in (b"[%s]", b'{"type":"bundle","objects":[%s],"id":"x"}'):
        for size in (1 << 20, 3):
            data = frame.replace(b"%s", b",\n".join([ONE, element, TWO, ONE]))
            stream = io.BytesIO(data)
            found = list(bundle.walk(lambda _, stream=stream, size=size: stream.read(size)))
            assert [one.raw for one in found] == [ONE, element, TWO, ONE]
            assert [one.fault and one.fault.code for one in found] == [None, None if element else "bundle", None, None]


def test_a_closing_bracket_closes_what_was_left_open_inside() -> None:
    parts = [b'{"a":[1}', b"null", b'{"a":{"b":[1,2}}', b"2", ONE]
    assert [one.raw for one in walk(b"[" + b",".join(parts) + b"]")] == parts


def test_an_object_beyond_the_limit_is_refused_and_the_next_is_given() -> None:
    large = b'{"a":"' + b"x" * 3_000_000 + b'"}'
    for data in (b"[" + large + b"," + ONE + b"]", b'{"objects":[{"a":"' + b"x" * 3000 + b'"},' + ONE + b"]}"):
        first, second = walk(data, limits=Limits(size=2000))
        assert first.fault is not None
        assert (first.fault.code, len(first.raw) <= bundle.HEAD, first.offset) == (
            "json-size",
            True,
            data.index(b'{"a"'),
        )
        assert (second.fault, second.raw) == (None, ONE)
    with pytest.raises(InputRefused) as refused:
        walk(large, limits=Limits(size=2000))
    assert refused.value.code == "json-size"
    with pytest.raises(InputRefused) as refused:
        walk(b"[" + large[:-2], limits=Limits(size=2000))
    assert refused.value.code == "bundle-truncated"


def test_a_whole_object_before_the_end_of_a_cut_file_is_given() -> None:
    walker = bundle.walk(io.BytesIO(b'{"objects":[' + ONE).read)
    assert next(walker).raw == ONE
    with pytest.raises(InputRefused) as refused:
        next(walker)
    assert refused.value.code == "bundle-truncated"


def test_parts_are_found_under_a_key_and_all_else_is_stepped_over() -> None:
    data = b'{"a":{"list":[{"no":1}]},"list":[{"x":1},2],"b":[3,{"list":[4]}],"n":' + b"9" * 9_000 + b"}"
    for size in (1 << 20, 1):
        stream = io.BytesIO(data)
        found = list(bundle.parts(lambda _, stream=stream, size=size: stream.read(size), "list"))
        assert [one.raw for one in found] == [b'{"x":1}', b"2"]
    assert [one.raw for one in bundle.parts(io.BytesIO(b'{"list": {"x":1} }').read, "list")] == [b'{"x":1}']
    assert [one.raw for one in bundle.parts(io.BytesIO(b'[{"x":1}]').read, None)] == [b'{"x":1}']
    assert list(bundle.parts(io.BytesIO(b"{}").read, "list")) == []
    for broken in (b'{"list":[{"x":1}],', b'{"list":[{"x":1}]', b'{"list"', b'{"list":[1]} 2', b"[1]", b""):
        with pytest.raises(InputRefused):
            list(bundle.parts(io.BytesIO(broken).read, "list"))


def test_memory_is_bounded_by_the_window_and_not_by_the_file() -> None:
    large = b'{"type":"malware","x_note":"' + b"x" * 1000 + b'"}'
    piece = b",".join([large] * 1000)

    def source() -> Iterator[bytes]:
        yield b'{"objects":['
        for _ in range(40):
            yield piece + b","
        yield ONE + b"]}"

    parts = source()
    rest = bytearray()

    def read(size: int) -> bytes:
        while len(rest) < size:
            more = next(parts, b"")
            if not more:
                break
            rest.extend(more)
        taken = bytes(rest[:size])
        del rest[:size]
        return taken

    tracemalloc.start()
    count = sum(1 for _ in bundle.walk(read))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert count == 40_001
    assert peak < 12 * bundle.WINDOW < count * len(large)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(alphabet='ab"\\{}[],: é😀\n', max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.dictionaries(st.text(max_size=3), JSON, max_size=3), max_size=12),
    st.sampled_from([None, 1, 4]),
    st.booleans(),
    st.integers(1, 64),
)
def test_any_objects_in_any_layout_read_in_any_pieces_are_found(
    objects: list[dict[str, Any]], indent: int | None, ascii_: bool, piece: int
) -> None:
    data = json.dumps({"type": "bundle", "objects": objects}, indent=indent, ensure_ascii=ascii_).encode()
    stream = io.BytesIO(data)
    found = list(bundle.walk(lambda _: stream.read(piece)))
    assert [json.loads(one.raw) for one in found] == objects
    assert all(data[one.offset : one.offset + len(one.raw)] == one.raw for one in found)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=60) | st.text(alphabet='{}[]",:ab1 objects', max_size=60).map(str.encode))
def test_no_bytes_raise_anything_but_a_refusal(data: bytes) -> None:
    with contextlib.suppress(InputRefused):
        walk(data)


def test_real_files_are_cut_into_the_objects_they_hold(test_data: Path) -> None:
    for path in sorted((test_data / "attack").glob("*.json.gz")):
        data = gzip.decompress(path.read_bytes())
        found = walk(data)
        assert [json.loads(one.raw) for one in found] == json.loads(data)["objects"]
        assert all(data[one.offset : one.offset + len(one.raw)] == one.raw for one in found)
        assert walk(data, start=len(found) - 3) == found[-3:]
