"""What a search by value should find an object by: addresses, names, hashes, what a pattern asks for, external ids.

The values stand as they are written in the object; folding case or defanging is the searcher's. Order is that of the
object, each value once.
"""

from __future__ import annotations

from collections.abc import Iterator
from types import MappingProxyType
from typing import Any, Final

from comity.kernel.errors import InputRefused
from comity.kernel.model import patterns

_OF_TYPE: Final = MappingProxyType(
    {
        "artifact": ("url", "hashes"),
        "autonomous-system": ("number", "name"),
        "directory": ("path",),
        "domain-name": ("value",),
        "email-addr": ("value", "display_name"),
        "email-message": ("message_id", "subject"),
        "file": ("name", "hashes"),
        "ipv4-addr": ("value",),
        "ipv6-addr": ("value",),
        "mac-addr": ("value",),
        "mutex": ("name",),
        "process": ("command_line", "cwd"),
        "software": ("name", "cpe"),
        "url": ("value",),
        "user-account": ("user_id", "account_login", "display_name"),
        "windows-registry-key": ("key",),
        "x509-certificate": ("serial_number", "subject", "issuer", "hashes"),
    }
)
"""Observable type -> the properties whose values identify it (STIX 2.1 §6, and §2.9 for what contributes to ids)."""


def values(data: dict[str, Any]) -> tuple[str, ...]:
    """The texts to find an object by.

    Args:
        data: A decoded, valid STIX object.

    Returns:
        Values of an observable (also of those inside observed-data); constants of ``=`` and ``IN`` in the STIX
        pattern of an indicator; name and aliases; external ids (``CVE-2021-26855``, ``T1190``). No value twice, none
        empty.

    Raises:
        Nothing.
    """
    return tuple(dict.fromkeys(value for value in _values(data) if value))


def _values(data: dict[str, Any]) -> Iterator[str]:
    type_ = data.get("type")
    if isinstance(type_, str) and type_ in _OF_TYPE:
        yield from _observable(data, type_)
    else:
        yield from _texts(data.get("name"))
        if "value" in data:  # a custom observable
            yield from _texts(data["value"])
    for key, value in data.items():
        if key == "aliases" or key.endswith("_aliases"):
            yield from _texts(value)
    if type_ == "indicator" and data.get("pattern_type") == "stix":
        yield from _pattern(data.get("pattern"))
    if type_ == "observed-data":
        contained = data.get("objects")
        if isinstance(contained, dict):
            for inner in contained.values():
                if isinstance(inner, dict) and inner.get("type") in _OF_TYPE:
                    yield from _observable(inner, inner["type"])
    external = data.get("external_references")
    if isinstance(external, list):
        for reference in external:
            if isinstance(reference, dict):
                yield from _texts(reference.get("external_id"))


def _observable(data: dict[str, Any], type_: str) -> Iterator[str]:
    for name in _OF_TYPE[type_]:
        value = data.get(name)
        if isinstance(value, dict):
            yield from _texts(list(value.values()))
        else:
            yield from _texts(value)
            if name == "number" and type(value) is int:
                yield f"AS{value}"


def _pattern(text: Any) -> Iterator[str]:
    if isinstance(text, str):
        try:
            pattern = patterns.parse(text)
        except InputRefused:
            return
        for _, value in pattern.equalities():
            yield value


def _texts(value: Any) -> Iterator[str]:
    if type(value) is str:
        yield value
    elif type(value) is int:
        yield str(value)
    elif type(value) is list:
        for item in value:
            if type(item) is str:
                yield item
