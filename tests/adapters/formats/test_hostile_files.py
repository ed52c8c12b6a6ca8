"""What a hostile or broken file can do: be refused with one sentence, and cost little."""

from __future__ import annotations

import contextlib
import gzip
import io
import json
import tracemalloc
import zlib
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from comity.adapters.formats.items import KEPT_OF_REFUSED
from comity.adapters.formats.reader import Inflation
from comity.adapters.formats.source import Item, Refusal, open_source
from comity.kernel.errors import CODES, ComityError, InputRefused
from comity.kernel.model import bundle, strictjson

PARTY = "identity--6c2b2b0e-6f2e-5a0c-9a3b-0d2c1b3a4f5e"


class Pieces(io.RawIOBase):
    """A file that comes piece by piece and was never whole in memory."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self.pieces, self.rest = pieces, b""

    def readable(self) -> bool:
        return True

    def readinto(self, target: bytearray | memoryview) -> int:  # type: ignore[override]
        self.rest = self.rest or next(self.pieces, b"")
        count = min(len(target), len(self.rest))
        target[:count] = self.rest[:count]
        self.rest = self.rest[count:]
        return count


def take(data: bytes, **more: object) -> list[Item | Refusal]:
    return list(open_source("the file", io.BytesIO(data), party=PARTY, at=0, **more))  # type: ignore[arg-type]


def code_of(data: bytes) -> tuple[str, str]:
    with pytest.raises(InputRefused) as refused:
        take(data)
    return refused.value.code, refused.value.sentence


@pytest.mark.parametrize(
    ("data", "code", "word"),
    [
        (b"", "no-object", "empty"),
        (b"  \n\t ", "no-object", "white space"),
        (b"\xef\xbb\xbf", "no-object", "empty"),
        (b"{}", "no-object", "empty JSON"),
        (b"[]", "no-object", "empty JSON"),
        (b"%PDF-1.7 x", "not-taken", "PDF"),
        (b"PK\x03\x04 x", "not-taken", "ZIP"),
        (b"BZh91AY\x00", "not-taken", "bzip2"),
        (b"<!DOCTYPE html><html>", "not-taken", "HTML"),
        (b'<stix:STIX_Package xmlns:stix="http://stix.mitre.org/stix-1">', "not-taken", "STIX 1"),
        (b"= Title\n\n:toc:\n", "not-taken", "AsciiDoc"),
        (b'rule Bad : apt {\n strings:\n $a = "x"\n}', "not-taken", "YARA"),
        (b'alert tcp any any -> any any (msg:"x"; sid:1;)', "not-taken", "Snort"),
        (b"Dear all, please find attached.\nRegards", "not-taken", "plain text"),
        (b"Return-Path: <a@b.example>\nReceived: from x\n\nhi", "not-taken", "e-mail"),
        (b'{"type": "Topology", "arcs": []}', "not-taken", "TopoJSON"),
        (b'{"document": {}, "vulnerabilities": []}', "not-taken", "CSAF"),
        (b'{"foo": 1, "bar": 2}', "not-taken", "foo, bar"),
        (b'{"type": "galaxy-of-mine", "values": [{"value": "x"}]}', "not-taken", "galaxy-of-mine"),
        ("indicator,type\n1.2.3.4,ip\n".encode("utf-16"), "wrong-encoding", "UTF-16"),
        ("indicator,type\n1.2.3.4,ip\n".encode("utf-16-le"), "wrong-encoding", "UTF-16"),
        (b"\xff\xfe\x00\x00{\x00\x00\x00", "wrong-encoding", "UTF-32"),
        ("value,type,note\n1.2.3.4,ip,café\n".encode("cp1252"), "wrong-encoding", "Windows-1252"),
        (bytes(range(256)) * 20, "not-taken", "binary"),
        (b"a,b,c\n1,2,3\n", "csv-header", "a, b, c"),
        (b'{"type":"bundle","objects":[{"a":1}', "bundle-truncated", ""),
        (b'{"Event":{"info":"x"', "bundle-truncated", "ends"),
        (b'{"response":[{"Event":{"info":"\\', "bundle-truncated", "in the middle of the value at byte 13"),
        (b'{"response":[}]', "bundle-truncated", "closing brace"),
        (b'{"response":[{"Event":{}}]} {}', "bundle", "something follows"),
        (b",".join([b"value"] * 10_000) + b"\n", "csv-header", "10000 columns, the limit is 512"),
    ],
)
def test_what_is_no_file_of_ours_is_named(data: bytes, code: str, word: str) -> None:
    found, sentence = code_of(data)
    assert found == code
    assert word in sentence
    assert code in CODES
    assert sentence.endswith(".")


def test_a_compression_bomb_is_refused_early_and_in_little_memory() -> None:
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    zeros = b"0" * (1 << 20)
    bomb = b"".join(packer.compress(zeros) for _ in range(100)) + packer.flush()
    tracemalloc.start()
    with pytest.raises(InputRefused) as refused:
        take(b"" + bomb)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert refused.value.code in ("bomb", "not-taken")
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    head = packer.compress(b"value,type\n198.51.100.1,ip\n")
    bomb = head + b"".join(packer.compress(zeros) for _ in range(100)) + packer.flush()
    tracemalloc.start()
    with pytest.raises(InputRefused, match="compression bomb"):
        take(bomb)
    peak = max(peak, tracemalloc.get_traced_memory()[1])
    tracemalloc.stop()
    assert peak < 16 * 1024 * 1024


def test_gzip_in_gzip_cut_gzip_and_damaged_gzip_are_refused() -> None:
    table = b"value,type\n" + b"".join(b"198.51.100.%d,ip\n" % number for number in range(200)) * 40
    packed = gzip.compress(table)
    assert code_of(gzip.compress(packed))[0] == "bomb"
    assert code_of(packed[: len(packed) // 2])[0] == "gzip-broken"
    assert code_of(packed[:-8] + b"\0" * 8)[0] == "gzip-broken"
    assert code_of(b"\x1f\x8b\x08")[0] == "gzip-broken"
    assert code_of(gzip.compress(b""))[0] == "no-object"
    assert len(take(packed + gzip.compress(b"203.0.113.9,ip\n") + b"\0" * 512)) == 8001


def test_a_total_of_inflated_bytes_is_kept() -> None:
    table = b"value,type\n" + b"".join(b"host%d.example,domain\n" % number for number in range(50_000))
    with pytest.raises(InputRefused) as refused:
        take(gzip.compress(table), inflation=Inflation(total=600_000))
    assert refused.value.code == "bomb"


def test_rows_that_are_none_are_refused_and_the_rest_is_taken() -> None:
    rows = [
        b"value,type,tlp",
        b"198.51.100.1,ip,green",
        b"198.51.100.2,ip,purple",  # a marking nobody knows
        b"198.51.100.3,ip,green,and,more",
        b"999.51.100.4,ip,",
        b"198.51.100.5,thing,",
        b"\x00198.51.100.6,ip,",
        b"caf\xe9.example,domain,",
        b"x" * 400_000 + b",domain,",
        b",".join([b"1"] * 100_000),
        b"198.51.100.9,ip,",
        b"setup.zip,,",
        b'"198.51.100.10,ip,',
    ]
    results = take(b"\n".join(rows))
    assert [result.place for result in results if isinstance(result, Item)] == ["row 2", "row 11"]
    refused = [(result.place, result.code) for result in results if isinstance(result, Refusal)]
    assert refused == [
        ("row 3", "marking-unknown"),
        ("row 4", "csv-row"),
        ("row 5", "csv-value"),
        ("row 6", "csv-value"),
        ("row 7", "csv-row"),
        ("row 8", "wrong-encoding"),
        ("row 9", "csv-row"),
        ("row 10", "csv-row"),
        ("row 12", "csv-value"),
        ("row 13", "csv-row"),
    ]
    assert all(len(result.raw) <= KEPT_OF_REFUSED for result in results if isinstance(result, Refusal))


def test_a_quote_nobody_closes_does_not_swallow_a_large_table() -> None:
    rows = [b"value,type,notes", b'198.51.100.1,ip,"open'] + [b"198.51.100.2,ip,x"] * 40_000
    results = take(b"\n".join(rows) + b"\n")
    assert [(result.place, result.code) for result in results if isinstance(result, Refusal)] == [("row 2", "csv-row")]
    assert len([result for result in results if isinstance(result, Item)]) == 40_000


def test_a_table_of_which_no_row_can_be_taken_is_an_error() -> None:
    assert code_of(b"value,type\nx,ip\ny,ip\n") == (
        "no-object",
        "the file gave no object: all 2 parts of it were refused.",
    )


def test_deeply_nested_json_is_refused_without_recursion() -> None:
    deep = b'{"response":[' + b'{"Event":' * 50_000
    assert code_of(deep)[0] == "bundle-truncated"
    nested = b'{"info":"x","Attribute":[' + b"[" * 200 + b"]" * 200 + b"]}"
    assert code_of(b'{"response":[' + nested + b"]}")[0] == "no-object"
    assert code_of(b'{"type":"bundle","objects":[' + b'{"a":' * 100_000)[0] in (
        "json-depth",
        "bundle",
        "bundle-truncated",
    )


def test_duplicate_keys_and_numbers_beyond_i_json_refuse_the_part() -> None:
    for bad in (b'"a":1,"a":2', b'"a":1e999', b'"a":NaN', b'"a":99999999999999999999', b'"a":"\\ud800"'):
        data = (
            b'{"catalogVersion":"1","vulnerabilities":[{"cveID":"CVE-2021-26855",'
            + bad
            + b'},{"cveID":"CVE-2021-26857"}]}'
        )
        results = take(data)
        assert [type(result) for result in results] == [Refusal, Item]


def test_a_misp_event_beyond_the_limit_is_refused_alone_and_let_go_as_it_is_read() -> None:
    large = (b'{"Event":{"info":"', *(b"x" * 1_000_000 for _ in range(40)), b'"}}')
    pieces = iter((b'{"response":[', *large, b",", b'{"Event":{"info":"y"}}]}'))
    stream = io.BufferedReader(Pieces(pieces), 1 << 20)
    tracemalloc.start()
    found = list(bundle.parts(stream.read, "response", limits=strictjson.Limits(size=1_000_000)))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert [one.fault and one.fault.code for one in found] == ["json-size", None]
    assert len(found[0].raw) == bundle.HEAD
    assert found[1].raw == b'{"Event":{"info":"y"}}'
    assert peak < 16 * 1024 * 1024


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=300))
def test_no_bytes_give_another_error_than_ours(data: bytes) -> None:
    with contextlib.suppress(ComityError):
        take(data)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-10, 2**54) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["value", "meta", "uuid", "type", "Tag", "name"]), inner)
    ),
    max_leaves=8,
)
MISP = st.fixed_dictionaries(
    {"info": st.text(max_size=5)},
    optional={
        "uuid": JSON,
        "date": st.sampled_from(["2021-02-30", "2021-03-02", "x"]),
        "timestamp": JSON | st.just("1614700000"),
        "published": JSON,
        "Orgc": JSON | st.just({"name": "O"}),
        "Tag": JSON | st.lists(st.fixed_dictionaries({"name": JSON}), max_size=2),
        "Galaxy": JSON
        | st.lists(
            st.fixed_dictionaries({"type": st.just("sector"), "GalaxyCluster": JSON | st.lists(JSON)}), max_size=2
        ),
        "EventReport": JSON | st.lists(st.dictionaries(st.sampled_from(["name", "content", "uuid"]), JSON), max_size=2),
        "Object": JSON
        | st.lists(
            st.fixed_dictionaries(
                {
                    "name": st.sampled_from(["file", "ip-port", "vulnerability"]) | JSON,
                    "Attribute": JSON
                    | st.lists(
                        st.fixed_dictionaries(
                            {"type": st.sampled_from(["ip-dst", "port", "md5"]), "value": JSON, "to_ids": JSON}
                        ),
                        max_size=2,
                    ),
                }
            ),
            max_size=2,
        ),
        "Attribute": st.lists(
            st.fixed_dictionaries(
                {
                    "type": st.sampled_from(
                        ["ip-dst", "md5", "filename|md5", "text", "link", "malware-sample", "regkey|value", "port", "x"]
                    )
                    | JSON,
                    "value": JSON | st.sampled_from(["1.2.3.4", "a|b", "|", "http://x", "HKLM\\a|b"]),
                    "to_ids": st.booleans() | JSON,
                },
                optional={
                    "data": JSON | st.just("AAAA"),
                    "Tag": JSON,
                    "first_seen": JSON,
                    "last_seen": JSON,
                    "deleted": st.booleans(),
                },
            ),
            max_size=3,
        ),
    },
)


@settings(max_examples=300, deadline=None)
@given(
    st.one_of(
        MISP.map(lambda event: {"Event": event}), JSON.map(lambda cluster: {"type": "sector", "values": [cluster]})
    )
)
def test_no_shape_of_an_event_or_galaxy_gives_another_error_than_ours(data: object) -> None:
    with contextlib.suppress(ComityError):
        take(json.dumps(data).encode())


STIX20 = st.fixed_dictionaries(
    {"type": st.sampled_from(["indicator", "malware", "observed-data", "report", "tool"]) | st.text(max_size=3)},
    optional={
        "id": st.text(max_size=4),
        "labels": JSON | st.lists(st.sampled_from(["backdoor", "x", "malicious-activity"])),
        "pattern": JSON | st.just("[a:b = 'START '] START '2020-01-01T00:00:00Z' STOP '2021-01-01T00:00:00Z'"),
        "objects": JSON
        | st.dictionaries(
            st.sampled_from(["0", "1", "2"]),
            st.fixed_dictionaries(
                {"type": st.sampled_from(["file", "directory", "ipv4-addr", "x-y"])},
                optional={
                    "parent_directory_ref": st.sampled_from(["0", "1", "2"]) | JSON,
                    "contains_refs": st.lists(st.sampled_from(["0", "1", "2"])),
                    "extensions": st.just({"archive-ext": {"contains_refs": ["0", "1"]}}),
                    "created": st.just("2020-01-01T00:00:00Z"),
                    "value": st.just("1.2.3.4"),
                },
            ),
        ),
    },
)


@settings(max_examples=300, deadline=None)
@given(STIX20)
def test_no_shape_of_a_stix_20_object_gives_another_error_than_ours(data: object) -> None:
    with contextlib.suppress(ComityError):
        for result in take(json.dumps({"type": "bundle", "spec_version": "2.0", "objects": [data]}).encode()):
            assert isinstance(result, Refusal) or b'"spec_version":"2.1"' in result.raw
