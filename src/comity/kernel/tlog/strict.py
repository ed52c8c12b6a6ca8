"""Reading the JSON files of the record: canonical bytes in, plain values out, nothing else accepted.

A file of the record (fork evidence, proof bundle) is written as RFC 8785 bytes, so two spellings of one file do not
exist: duplicate names, spare spaces, other number forms and escapes are all refused by comparing bytes. Small typed
readers follow; each refuses with the code and the words of its caller.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from comity.kernel.errors import InputRefused
from comity.kernel.model.strictjson import Limits, read
from comity.kernel.seal.canonical import canonical

_HEX = re.compile(r"(?:[0-9a-f]{2})*", re.ASCII)


def read_object(data: bytes, code: str, what: str, limit: int) -> dict[str, Any]:
    """The members of a canonical JSON object.

    Raises:
        InputRefused: `code` for more than `limit` bytes, no JSON, no object, or bytes that are not canonical.
    """
    try:
        value = read(data, limits=Limits(size=limit))
        same = canonical(value) == data
    except InputRefused as broken:
        raise InputRefused(code, f"{what} cannot be read: {broken.sentence}") from broken
    if not isinstance(value, dict):
        raise InputRefused(code, f"{what} is a JSON object.")
    if not same:
        raise InputRefused(
            code, f"{what} is not in canonical form; its bytes were changed on the way.", clause="RFC 8785"
        )
    return value


def text(members: Mapping[str, Any], name: str, code: str, what: str) -> str:
    """The text member `name`."""
    value = members.get(name)
    if not isinstance(value, str):
        raise InputRefused(code, f"{what} needs the text {name!r}.")
    return value


def number(members: Mapping[str, Any], name: str, code: str, what: str, *, below: int = 1 << 53) -> int:
    """The whole number `name`, at least 0 and below `below`."""
    value = members.get(name)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < below:
        raise InputRefused(code, f"{what} needs the number {name!r}, from 0 and below {below}.")
    return value


def octets(members: Mapping[str, Any], name: str, code: str, what: str, *, length: int | None = None) -> bytes:
    """The bytes of the lower-case hexadecimal member `name`."""
    return unhex(members.get(name), code, f"{name!r} of {what}", length=length)


def unhex(value: Any, code: str, what: str, *, length: int | None = None) -> bytes:
    """The bytes of lower-case hexadecimal text."""
    if not isinstance(value, str) or not _HEX.fullmatch(value) or (length is not None and len(value) != 2 * length):
        raise InputRefused(code, f"{what} is lower-case hexadecimal{'' if length is None else f' of {length} bytes'}.")
    return bytes.fromhex(value)


def hashes(members: Mapping[str, Any], name: str, code: str, what: str) -> tuple[bytes, ...]:
    """The list `name` of at most 64 hashes in hexadecimal."""
    value = members.get(name)
    if not isinstance(value, list) or len(value) > 64:
        raise InputRefused(code, f"{what} needs {name!r}, a list of at most 64 hashes.")
    return tuple(unhex(one, code, f"{name!r} of {what}", length=32) for one in value)
