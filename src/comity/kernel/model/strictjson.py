"""Strict JSON: one value, read so that no two readers can disagree about it.

Rules, each refused with its own code:

- UTF-8 without byte order mark (RFC 8259 §8.1), no lone surrogate, raw or escaped (RFC 7493 §2.1);
- every key once (RFC 7493 §2.3);
- integers within ±(2^53-1), no NaN, no Infinity, no number beyond a double (RFC 7493 §2.2);
- one value and nothing after it; bounded depth and size.

How it is fast: orjson refuses everything here but repeated keys, long integers and depths between 64 and 1024.
Writing the value again shows whether one of these is there. Equal bytes: none is. Else the colons are counted:
without a ``\\u00`` escape every key has one colon and every text as many in the input as in the output, so an input
with more colons lost a key on the way; and an integer beyond 64 bits, which orjson turns into a double, shows as a
run of digits. Only what looks doubtful is read once more by the slow strict reader.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any, Final, NoReturn

import orjson

from comity.kernel.errors import InputRefused

INTEGER_MAX: Final = 2**53 - 1


@dataclass(frozen=True, slots=True)
class Limits:
    """How large one JSON value may be: `size` in bytes, `depth` in nested lists and objects (``[]`` is 1)."""

    size: int = 16 * 1024 * 1024
    depth: int = 64


LIMITS: Final = Limits()

_DIGITS: Final = bytes(0x30 if 0x30 <= code <= 0x39 else 0x20 for code in range(256))
_LONG: Final = b"0" * 19
_SURROGATE: Final = re.compile(rb"\\u[dD][89a-fA-F][0-9a-fA-F]{2}|\xed[\xa0-\xbf]")
_NUMBER: Final = re.compile(rb"NaN|Infinity|[0-9][eE]|[0-9]{300}")


def read(data: bytes, *, limits: Limits = LIMITS) -> Any:
    """Read one JSON value: dict, list, str, int, float, bool or None.

    Args:
        data: The bytes of one JSON value, whitespace around it allowed.
        limits: Bounds of size (bytes) and depth.

    Raises:
        InputRefused: `json-size`, `json-encoding`, `json-syntax`, `json-trailing`, `json-duplicate-key`, `json-number`,
            `json-surrogate` or `json-depth`; RFC 8259 and RFC 7493 (I-JSON).
    """
    if len(data) > limits.size:
        raise InputRefused(
            "json-size", f"One JSON value has {len(data)} bytes, the limit is {limits.size}; split it.", size=len(data)
        )
    try:
        value = orjson.loads(data)
    except orjson.JSONDecodeError as broken:
        _refuse(data, broken, limits)
    try:
        written = orjson.dumps(value, option=orjson.OPT_STRICT_INTEGER)
    except orjson.JSONEncodeError:  # an integer beyond 2^53-1, or a depth beyond what orjson writes
        return _slow(data, limits)
    if written != data and (
        data.count(b":") != written.count(b":")
        or _LONG in data.translate(_DIGITS)
        or (b"\\" in data and b"\\u00" in data)
    ):
        return _slow(data, limits)
    if data.count(b"[") + data.count(b"{") > limits.depth:
        _check_depth(data, limits)
    return value


def _slow(data: bytes, limits: Limits) -> Any:
    """Read with every rule checked; `data` is known to be JSON in UTF-8 of a depth orjson accepts."""
    _check_depth(data, limits)
    try:
        return json.loads(
            data.decode("utf-8"),
            object_pairs_hook=_object,
            parse_int=_integer,
            parse_constant=_constant,
            parse_float=_double,
        )
    except InputRefused:
        raise
    except (ValueError, RecursionError) as broken:
        raise InputRefused("json-syntax", f"This is not JSON: {broken}.", clause="RFC 8259 §2") from broken


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                raise InputRefused(
                    "json-duplicate-key",
                    f"The key {key[:80]!r} stands twice in one JSON object; readers would disagree which value holds.",
                    clause="RFC 7493 §2.3",
                    key=key[:250],
                )
            seen.add(key)
    return result


def _integer(text: str) -> int:
    if len(text) <= 17:
        number = int(text)
        if -INTEGER_MAX <= number <= INTEGER_MAX:
            return number
    raise InputRefused(
        "json-number",
        f"The integer {text[:40]} is beyond 2^53-1 and not every reader holds it exactly.",
        clause="RFC 7493 §2.2",
    )


def _double(text: str) -> float:
    number = float(text)
    if number in (float("inf"), float("-inf")):
        raise InputRefused("json-number", f"The number {text[:40]} is beyond a double.", clause="RFC 7493 §2.2")
    return number


def _constant(text: str) -> NoReturn:
    raise InputRefused("json-number", f"{text} is not a JSON number.", clause="RFC 8259 §6")


_DEPTH_TOKEN: Final = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"|([\[{])|([\]}])', re.DOTALL)


def _check_depth(data: bytes, limits: Limits) -> None:
    """Walk brackets outside of strings, linear in the bytes."""
    if data.count(b"[") + data.count(b"{") <= limits.depth:
        return
    depth = 0
    for token in _DEPTH_TOKEN.finditer(data):
        kind = token.lastindex
        if kind == 1:
            depth += 1
            if depth > limits.depth:
                raise InputRefused(
                    "json-depth",
                    f"Lists and objects are nested more than {limits.depth} deep at byte {token.start()}.",
                    offset=token.start(),
                )
        elif kind == 2:
            depth -= 1


def _refuse(data: bytes, broken: orjson.JSONDecodeError, limits: Limits) -> NoReturn:
    """Say why orjson refused `data`: the kind of fault decides the code."""
    if data[:3] == b"\xef\xbb\xbf" or data[:2] in (b"\xff\xfe", b"\xfe\xff") or data[:2].find(b"\x00") >= 0:
        raise InputRefused(
            "json-encoding",
            "The bytes start with a byte order mark or are UTF-16; JSON is exchanged as UTF-8 without one.",
            clause="RFC 8259 §8.1",
        ) from broken
    surrogate = _SURROGATE.search(data)
    message = str(broken)
    if surrogate is not None and ("surrogate" in message or "UTF-8" in message):
        raise InputRefused(
            "json-surrogate",
            f"Half of a surrogate pair stands near byte {surrogate.start()}; it is no Unicode text.",
            clause="RFC 7493 §2.1",
        ) from broken
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as encoding:
        raise InputRefused(
            "json-encoding", f"Byte {encoding.start} is not UTF-8; save the file as UTF-8.", clause="RFC 8259 §8.1"
        ) from broken
    _check_depth(data, limits)
    if _NUMBER.search(data) is not None:
        try:
            json.loads(text, parse_constant=_constant, parse_float=_double, parse_int=_integer)
        except InputRefused:
            raise
        except (ValueError, RecursionError):
            pass
    code = "json-trailing" if "after document" in message else "json-syntax"
    raise InputRefused(code, f"This is not one JSON value: {message}.", clause="RFC 8259 §2") from broken
