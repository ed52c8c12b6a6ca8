"""Strict JSON against hostile bytes, and the quick reader against the slow one."""

from __future__ import annotations

import json
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from comity.kernel.errors import InputRefused
from comity.kernel.model import strictjson
from comity.kernel.model.strictjson import Limits, read

HOSTILE: list[tuple[str, bytes]] = [
    ("json-duplicate-key", b'{"a":1,"a":2}'),
    ("json-duplicate-key", b'{"a":1,"a":1}'),
    ("json-duplicate-key", b'[{"b":{"a":1,"\\u0061":2}}]'),
    ("json-duplicate-key", b'{"a":1,"a":2,"c":"\\u0022:"}'),
    ("json-duplicate-key", b'{"a":1,"a":2,"c":"\\u003a"}'),
    ("json-duplicate-key", b'{"a" :1,\n"a"\t:2,"c":"x"}'),
    ("json-duplicate-key", b'{"a":{"x":"::"},"a":0,"b":":"}'),
    ("json-number", b'{"a":NaN}'),
    ("json-number", b"[Infinity]"),
    ("json-number", b"[-Infinity]"),
    ("json-number", b"9007199254740992"),
    ("json-number", b"[-9007199254740992]"),
    ("json-number", b"[18446744073709551616]"),
    ("json-number", b'{"a" : 100000000000000000000000000000000}'),
    ("json-number", b"[1" + b"0" * 5000 + b"]"),
    ("json-number", b"[1e400]"),
    ("json-number", b"[-1E+999]"),
    ("json-surrogate", b'"\\ud800"'),
    ("json-surrogate", b'{"\\udfff":1}'),
    ("json-surrogate", b'"\\ud800\\ud800"'),
    ("json-surrogate", b'"\xed\xa0\x80"'),
    ("json-encoding", b"\xef\xbb\xbf{}"),
    ("json-encoding", '{"a":1}'.encode("utf-16")),
    ("json-encoding", '{"a":1}'.encode("utf-16-le")),
    ("json-encoding", '{"a":1}'.encode("utf-32")),
    ("json-encoding", b'"\xff"'),
    ("json-encoding", b'"\xc0\xaf"'),
    ("json-trailing", b"{}{}"),
    ("json-trailing", b"{} x"),
    ("json-trailing", b"1 2"),
    ("json-depth", b"[" * 65 + b"]" * 65),
    ("json-depth", b'{"a":' * 65 + b"1" + b"}" * 65),
    ("json-depth", b"[" * 500 + b"]" * 500),
    ("json-depth", b"[" * 2_000_000),
    ("json-depth", b'{"a":' * 300_000),
    ("json-syntax", b""),
    ("json-syntax", b" "),
    ("json-syntax", b"{"),
    ("json-syntax", b"[1,]"),
    ("json-syntax", b"{'a':1}"),
    ("json-syntax", b"01"),
    ("json-syntax", b'"\x01"'),
    ("json-syntax", b'{"a":1} // note'.replace(b"}", b",}")),
]


@pytest.mark.parametrize(("code", "data"), HOSTILE, ids=lambda value: str(value[:24]))
def test_hostile_json_is_refused_with_its_code(code: str, data: bytes) -> None:
    with pytest.raises(InputRefused) as refused:
        read(data)
    assert refused.value.code == code


def test_json_larger_than_the_limit_is_refused_before_it_is_read() -> None:
    with pytest.raises(InputRefused) as refused:
        read(b"[" + b"1," * 100 + b"1]", limits=Limits(size=100))
    assert refused.value.code == "json-size"


def test_depth_of_exactly_the_limit_is_read_and_brackets_in_text_do_not_count() -> None:
    assert read(b"[" * 64 + b"]" * 64)
    assert read(orjson.dumps({"text": '["' * 500, "list": [[] for _ in range(200)]}))["text"] == '["' * 500


@pytest.mark.parametrize("number", [2**53 - 1, -(2**53) + 1, 0, 0.5, 1e308, -0.0, 1e16])
def test_numbers_every_reader_holds_are_read(number: float) -> None:
    assert read(json.dumps([number]).encode()) == [number]


TEXT = st.one_of(st.text(), st.text(alphabet='":\\{}[], \n\t0123456789\u00e9'))
VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=20,
)


@settings(max_examples=200, deadline=None)
@given(
    VALUES, st.sampled_from([None, 0, 1, 4]), st.booleans(), st.sampled_from([(",", ":"), (", ", ": "), (" ,", " :")])
)
def test_whatever_was_written_is_read_back(
    value: Any, indent: int | None, ascii_: bool, signs: tuple[str, str]
) -> None:
    data = json.dumps(value, indent=indent, ensure_ascii=ascii_, separators=signs).encode()
    assert read(data) == value


_PIECES = (
    r""" "a" "b" "\u0061" ":" "\":" "\u0022:" : , { } [ ] 1 9007199254740993 99999999999999999999999 1.5 1e400 null """
    r""" "\ud83d\ude00" "\ud83d" NaN - """
)
PIECES = st.lists(st.sampled_from([*_PIECES.split(), " :", "\t:", " ", "\n"]), max_size=14)


@settings(max_examples=700, deadline=None)
@given(PIECES)
def test_quick_and_slow_reader_give_the_same_value_or_both_refuse(pieces: list[str]) -> None:
    data = "".join(pieces).encode()
    assert _outcome(data, quick=True) == _outcome(data, quick=False)


@settings(max_examples=150, deadline=None)
@given(st.dictionaries(st.sampled_from(["a", "b", ":", '"', '":', "é"]), VALUES, min_size=1), st.data())
def test_a_repeated_key_is_found_wherever_it_stands(value: dict[str, Any], data: st.DataObject) -> None:
    key = data.draw(st.sampled_from(sorted(value)))
    colon = data.draw(st.sampled_from([":", " :", ": ", "\n:"]))
    twin = data.draw(st.sampled_from([json.dumps(key), json.dumps(key, ensure_ascii=False)]))
    inner = json.dumps(value, ensure_ascii=data.draw(st.booleans()), separators=(",", ":"))[:-1]
    text = inner + "," + twin + colon + data.draw(st.sampled_from(["1", '":"', "{}"])) + "}"
    with pytest.raises(InputRefused) as refused:
        read(data.draw(st.sampled_from(["%s", "[%s]", '{"z":%s}'])).replace("%s", text).encode())
    assert refused.value.code == "json-duplicate-key"


def _outcome(data: bytes, *, quick: bool) -> Any:
    try:
        value = read(data) if quick else strictjson._slow(data, strictjson.LIMITS)
        json.dumps(value, ensure_ascii=False).encode()  # a lone surrogate, which the slow reader leaves to orjson
    except (InputRefused, UnicodeEncodeError):
        return "refused"
    return repr(value)
