"""Whether an object is STIX 2.1: every MUST that one object alone can keep or break.

`check` takes a decoded object and says nothing, or refuses it with its id, the property, the rule and the section. The tables
of `properties` are compiled once into closures, one dictionary look-up and one call a property. Texts that come again and
again (timestamps, references, addresses of sources) are remembered in bounded tables, short texts only.

What is not checked, because it is SHOULD in the standard: open vocabularies, names that start with ``x_``, deterministic
identifiers. What needs other objects (does a reference resolve) is not a rule of the object. Unknown types and properties
survive: only names, empty lists and the common properties are checked there.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Final

from comity.kernel.errors import InputRefused
from comity.kernel.model import instants, patterns
from comity.kernel.model.instants import Instant
from comity.kernel.model.properties import (
    CUSTOM_OBJECT,
    CUSTOM_OBSERVABLE,
    EXTENSIONS,
    OBJECTS,
    OBSERVABLES,
    RESERVED,
    STRUCTS,
    Shape,
)
from comity.kernel.model.vocabularies import (
    CLOSED,
    LANGUAGES_639,
    TLP_1,
    TLP_1_CREATED,
    TLP_2,
    TLP_2_CREATED,
    TLP_2_EXTENSION,
)

Check = Callable[[Any], None]
Rule = Callable[[dict[str, Any]], None]

_SHORT: Final = 300
"""Longer texts are not remembered, so that the tables stay small whatever comes in."""


class _Broken(Exception):
    """A rule is broken at `path` below the property being checked."""

    def __init__(self, code: str, rule: str, clause: str | None = None, path: str = "") -> None:
        super().__init__(rule)
        self.code = code
        self.rule = rule
        self.clause = clause
        self.path = path

    def under(self, name: str, clause: str | None = None) -> _Broken:
        """The same fault, seen from one level further out."""
        self.path = name + ("." + self.path if self.path and self.path[0] != "[" else self.path)
        self.clause = self.clause or clause
        return self


def check(data: Any) -> None:
    """Refuse what is not a STIX 2.1 object.

    Args:
        data: A decoded JSON value as `strictjson.read` gives it; it is not changed.

    Raises:
        InputRefused: `stix-2.0`, `stix-object`, `stix-required`, `stix-kind`, `stix-id`, `stix-empty`, `stix-name`,
            `stix-vocabulary`, `stix-order`, `stix-rule`, `stix-reference`, `stix-selector`, `stix-marking`,
            `stix-extension`, `timestamp` or `pattern`; `clause` is the section of STIX 2.1, `detail` has id and property.
    """
    if type(data) is not dict:
        raise InputRefused(
            "stix-object", "A STIX object is a JSON object; this is something else.", clause="STIX 2.1 §3.1"
        )
    type_ = data.get("type")
    shape_check = _CHECKS.get(type_) if type(type_) is str else None
    if shape_check is None:
        shape_check = _for_unknown(data, type_)
    try:
        shape_check(data)
    except _Broken as broken:
        _refuse(data, broken)


_USUAL: Final = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T(?:[01][0-9]|2[0-3]):[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,6})?Z"
).fullmatch
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


@lru_cache(maxsize=16384)
def _instant(text: str) -> Instant:
    if _USUAL(text) is not None:
        try:
            since = datetime.fromisoformat(text) - _EPOCH
        except ValueError:  # a leap second, or no real day: the full reader tells
            return instants.parse(text)
        return (since.days * 86_400 + since.seconds) * instants.SECOND + since.microseconds
    return instants.parse(text)


def instant(text: str) -> Instant:
    """`instants.parse`, remembering what comes again and quick for the usual form; a property test holds the two equal."""
    return _instant(text) if len(text) < 40 else instants.parse(text)


def _refuse(data: dict[str, Any], broken: _Broken) -> None:
    identifier = data.get("id")
    named = identifier[:_SHORT] if isinstance(identifier, str) else None
    of = named or (f"a {data['type'][:_SHORT]}" if isinstance(data.get("type"), str) else "an object")
    where = broken.path[:_SHORT]
    sentence = f"{of}: {where + ' ' if where else 'it '}{broken.rule}."
    raise InputRefused(broken.code, sentence, clause=broken.clause, id=named, property=where or None) from None


# --- kinds


def _kind(value: Any, wanted: str, clause: str | None = None) -> _Broken:
    shown = repr(value)
    return _Broken("stix-kind", f"must be {wanted}, not {shown if len(shown) < 60 else shown[:57] + '...'}", clause)


def _string(value: Any) -> None:
    if type(value) is not str:
        raise _kind(value, "text", "STIX 2.1 §2.15")


def _boolean(value: Any) -> None:
    if value is not True and value is not False:
        raise _kind(value, "true or false", "STIX 2.1 §2.2")


def _object(value: Any) -> None:
    if type(value) is not dict:
        raise _kind(value, "an object", "STIX 2.1 §2.3")


def _integer(low: int | None, high: int | None) -> Check:
    span = (
        "an integer"
        + (f" of at least {low}" if low is not None else "")
        + (f" and at most {high}" if high is not None else "")
    )

    def run(value: Any) -> None:
        if type(value) is not int or (low is not None and value < low) or (high is not None and value > high):
            raise _kind(value, span, "STIX 2.1 §2.8")

    return run


def _float(low: float | None, high: float | None) -> Check:
    span = "a number" + (f" from {low:g} to {high:g}" if low is not None and high is not None else "")

    def run(value: Any) -> None:
        if type(value) not in (int, float) or (low is not None and value < low) or (high is not None and value > high):
            raise _kind(value, span, "STIX 2.1 §2.5")

    return run


def _timestamp(value: Any) -> None:
    if type(value) is not str:
        raise _kind(value, "a timestamp", "STIX 2.1 §2.16")
    try:
        _instant(value) if len(value) < 40 else instants.parse(value)
    except InputRefused as refused:
        raise _Broken("timestamp", f"is no timestamp: {refused.sentence.rstrip('.')}", refused.clause) from None


def _timestamp_ms(value: Any) -> None:
    _timestamp(value)
    if len(value) < 24 or value[19] != ".":
        raise _Broken("timestamp", f"must have three digits of a second or more, not {value[:40]!r}", "STIX 2.1 §3.2")


def _timestamp_s(value: Any) -> None:
    _timestamp(value)
    if "." in value:
        raise _Broken("timestamp", f"must have no fraction of a second, not {value[:40]!r}", "STIX 2.1 §6.7.6")


_UUID: Final = r"[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[1-8][0-9a-fA-F]{3}-[89abAB][0-9a-fA-F]{3}-[0-9a-fA-F]{12}"
_IDENTIFIER: Final = re.compile(rf"([a-z](?:[a-z0-9]|-(?!-))*[a-z0-9])--{_UUID}", re.ASCII)


@lru_cache(maxsize=32768)
def _type_of(text: str) -> str | None:
    match = _IDENTIFIER.fullmatch(text)
    return match.group(1) if match else None


def type_of(text: str) -> str | None:
    """The object type an identifier names, or None. Unlike `ids.type_of`, which is for ids we mint, a UUID in upper case counts:
    RFC 4122 §3 reads both, and the examples of OASIS have one. The text is never changed."""
    return _type_of(text) if len(text) < _SHORT else None


def _reference(allowed: frozenset[str] | None, refused: frozenset[str], names: str) -> Check:
    def run(value: Any) -> None:
        target = _type_of(value) if type(value) is str and len(value) < _SHORT else None
        if target is None:
            shown = repr(value)
            raise _Broken(
                "stix-id",
                f"must be an identifier, <type>--<UUID>, not {shown[:80]}",
                "STIX 2.1 §2.9",
            )
        if (allowed is not None and target not in allowed) or target in refused:
            raise _Broken("stix-reference", f"must name {names}, not {target}")

    return run


def _fullmatch(pattern: str, wanted: str, clause: str, limit: int = 1 << 24) -> Check:
    match = re.compile(pattern).fullmatch

    def run(value: Any) -> None:
        if type(value) is not str or len(value) > limit or match(value) is None:
            raise _kind(value, wanted, clause)

    return run


_PCHAR: Final = r"(?:[A-Za-z0-9\-._~!$&'()*+,;=:@]|%[0-9A-Fa-f]{2})"
_URI: Final = re.compile(
    r"[A-Za-z][A-Za-z0-9+.\-]*:"
    r"(?://(?:(?:[A-Za-z0-9\-._~!$&'()*+,;=:]|%[0-9A-Fa-f]{2})*@)?"
    r"(?:\[[0-9A-Fa-f:.]{2,45}\]|(?:[A-Za-z0-9\-._~!$&'()*+,;=]|%[0-9A-Fa-f]{2})*)(?::[0-9]*)?(?:/" + _PCHAR + r"*)*"
    r"|/?(?:" + _PCHAR + r"+(?:/" + _PCHAR + r"*)*)?)"
    r"(?:\?(?:" + _PCHAR + r"|[/?])*)?(?:\#(?:" + _PCHAR + r"|[/?])*)?"
)


@lru_cache(maxsize=8192)
def _uri_known(text: str) -> bool:
    return _URI.fullmatch(text) is not None


def _uri(value: Any) -> None:
    if type(value) is not str or not (_uri_known(value) if len(value) < _SHORT else _URI.fullmatch(value)):
        raise _kind(value, "a URI", "RFC 3986 §3")


_NAME: Final = re.compile(r"[a-z][a-z0-9_]{2,249}")


@lru_cache(maxsize=4096)
def _named(name: str) -> tuple[str, Check | None]:
    """(code of what is wrong with a custom property name or "", check its suffix asks for)."""
    if name in RESERVED:
        return "reserved", None
    if _NAME.fullmatch(name) is None and name != "id":
        return "form", None
    if name.endswith("_bin"):
        return "", _binary
    if name.endswith("_hex"):
        return "", _hex
    return "", None


def _custom(name: str, value: Any) -> None:
    """A property no table knows: its name, and what holds for every value (STIX 2.1 §3.1, §11.1)."""
    if len(name) > 250:
        raise _Broken("stix-name", "has a name longer than 250 characters", "STIX 2.1 §11.1")
    fault, suffix = _named(name)
    if fault:
        raise _Broken(
            "stix-name",
            "is a name STIX reserves"
            if fault == "reserved"
            else "is not a property name: 3 to 250 of a-z, 0-9 and _, beginning with a letter",
            "STIX 2.1 §11.1",
        )
    if suffix is not None:
        suffix(value)
    elif value is None:
        raise _kind(value, "a value; leave the property out instead", "STIX 2.1 §3.1")
    elif not value and type(value) is list:
        raise _empty()


def _empty() -> _Broken:
    return _Broken("stix-empty", "is empty; leave it out instead", "STIX 2.1 §2.11")


def _listed(item: Check) -> Check:
    def run(value: Any) -> None:
        if type(value) is not list:
            raise _kind(value, "a list", "STIX 2.1 §2.11")
        if not value:
            raise _empty()
        index = 0
        try:
            for one in value:
                item(one)
                index += 1
        except _Broken as broken:
            raise broken.under(f"[{index}]") from None

    return run


def _strings(value: Any) -> None:
    if type(value) is not list:
        raise _kind(value, "a list", "STIX 2.1 §2.11")
    if not value:
        raise _empty()
    for one in value:
        if type(one) is not str:
            raise _kind(one, "text", "STIX 2.1 §2.15").under(f"[{value.index(one)}]")


def _enumerated(name: str) -> Check:
    words = CLOSED[name]

    def run(value: Any) -> None:
        if type(value) is not str or value not in words:
            raise _Broken(
                "stix-vocabulary", f"must be one of {', '.join(sorted(words))}, not {str(value)[:60]!r}", "STIX 2.1 §10"
            )

    return run


_KEY: Final = re.compile(r"[a-zA-Z0-9_-]{1,250}")
_HASH_KEY: Final = re.compile(r"[a-zA-Z0-9_-]{3,250}")
_HEX_OF: Final = {"MD5": 32, "SHA-1": 40, "SHA-256": 64, "SHA-512": 128, "SHA3-256": 64, "SHA3-512": 128}
_HASH: Final = {name: re.compile(f"[a-fA-F0-9]{{{length}}}") for name, length in _HEX_OF.items()} | {
    "SSDEEP": re.compile(r"[a-zA-Z0-9/+:.]{1,128}"),
    "TLSH": re.compile(r"[a-zA-Z0-9]{70}"),
}


def _hashes(value: Any) -> None:
    if type(value) is not dict:
        raise _kind(value, "a dictionary of hashes", "STIX 2.1 §2.7")
    if not value:
        raise _empty()
    for name, text in value.items():
        if _HASH_KEY.fullmatch(name) is None:
            raise _Broken(
                "stix-name", f"has the key {name[:60]!r}; keys are 3 to 250 of a-z, A-Z, 0-9, - and _", "STIX 2.1 §2.7"
            )
        if type(text) is not str:
            raise _kind(text, "text", "STIX 2.1 §2.7").under(name)
        form = _HASH.get(name)
        if form is not None and form.fullmatch(text) is None:
            raise _kind(text, f"a {name} hash", "STIX 2.1 §2.7").under(name)


def _dictionary(*types: type) -> Check:
    wanted = " or ".join("text" if one is str else "an integer" for one in types)

    def run(value: Any) -> None:
        if type(value) is not dict:
            raise _kind(value, "a dictionary", "STIX 2.1 §2.3")
        if not value:
            raise _empty()
        for name, one in value.items():
            if _KEY.fullmatch(name) is None:
                raise _Broken(
                    "stix-name",
                    f"has the key {name[:60]!r}; keys are up to 250 of a-z, A-Z, 0-9, - and _",
                    "STIX 2.1 §2.3",
                )
            if types and type(one) not in types:
                raise _kind(one, wanted, "STIX 2.1 §2.3").under(name)
            if one is None:
                raise _kind(one, "a value", "STIX 2.1 §2.3").under(name)
            if type(one) is list and not one:
                raise _empty().under(name)

    return run


_any_dictionary: Final = _dictionary()


def _headers(value: Any) -> None:
    _any_dictionary(value)
    for name, one in value.items():
        if type(one) is not str:
            try:
                _strings(one)
            except _Broken as broken:
                raise broken.under(name) from None


def _http_headers(value: Any) -> None:
    _any_dictionary(value)
    for name, one in value.items():
        try:
            _strings(one)
        except _Broken as broken:
            raise broken.under(name) from None


_SOCKET_OPTION: Final = re.compile(r"(?:SO|ICMP|ICMP6|IP|IPV6|MCAST|TCP|IRLMP)(?:_[A-Z0-9]+)+")


def _socket_options(value: Any) -> None:
    _dictionary(int)(value)
    for name in value:
        if _SOCKET_OPTION.fullmatch(name) is None:
            raise _Broken("stix-name", f"has the key {name[:60]!r}, which is no socket option", "STIX 2.1 §6.12.4")


@lru_cache(maxsize=1024)
def _ipv6_known(text: str) -> bool:
    try:
        ipaddress.IPv6Network(text, strict=False)
    except ValueError:
        return False
    return "%" not in text


def _ipv6(value: Any) -> None:
    if type(value) is not str or len(value) > 49 or not _ipv6_known(value):
        raise _kind(value, "an IPv6 address or a block in CIDR notation", "STIX 2.1 §6.9")


_LABEL: Final = re.compile(
    r"[A-Za-z0-9_\u0080-\U0010ffff](?:[A-Za-z0-9_\-\u0080-\U0010ffff]{0,61}[A-Za-z0-9_\u0080-\U0010ffff])?"
)


def _domain(value: Any) -> None:
    if (
        type(value) is not str
        or not 0 < len(value) <= 254
        or not all(map(_LABEL.fullmatch, value.removesuffix(".").split(".")))
    ):
        raise _kind(value, "a domain name", "STIX 2.1 §6.4")


_LANGUAGE: Final = (
    r"(?:[A-Za-z]{2,3}(?:-[A-Za-z]{3}){0,3}|[A-Za-z]{4,8})(?:-[A-Za-z]{4})?(?:-(?:[A-Za-z]{2}|[0-9]{3}))?"
    r"(?:-(?:[A-Za-z0-9]{5,8}|[0-9][A-Za-z0-9]{3}))*(?:-[0-9A-WY-Za-wy-z](?:-[A-Za-z0-9]{2,8})+)*"
    r"(?:-[xX](?:-[A-Za-z0-9]{1,8})+)?|[xX](?:-[A-Za-z0-9]{1,8})+"
)
_language: Final = _fullmatch(_LANGUAGE, "a language tag of RFC 5646", "RFC 5646 §2.1", 100)
_property_name: Final = _fullmatch(
    _NAME.pattern, "a property name: 3 to 250 of a-z, 0-9 and _, beginning with a letter", "STIX 2.1 §11.1", 250
)


def _language_contents(value: Any) -> None:
    _object(value)
    if not value:
        raise _empty()
    for tag, fields in value.items():
        try:
            _language(tag)
            _object(fields)
            if not fields:
                raise _empty()
            for name, text in fields.items():
                _property_name(name)
                if text is None or text == []:
                    raise _kind(text, "a value", "STIX 2.1 §7.1").under(name)
        except _Broken as broken:
            raise broken.under(tag[:60], "STIX 2.1 §7.1") from None


def _language_639(value: Any) -> None:
    if type(value) is not str or not (value in LANGUAGES_639 or (len(value) == 3 and "qaa" <= value <= "qtz")):
        raise _kind(value, "a language code of ISO 639-2", "STIX 2.1 §6.14")


_ABBREVIATED: Final = re.compile(r"(?:HKLM|HKCC|HKCR|HKCU|HKU)(?:\\|$)", re.IGNORECASE)


def _registry_key(value: Any) -> None:
    _string(value)
    if _ABBREVIATED.match(value):
        raise _Broken("stix-rule", "must name its hive in full, as HKEY_LOCAL_MACHINE", "STIX 2.1 §6.17")


_SEGMENT: Final = r"(?:\[[0-9]{1,9}\]|[A-Za-z0-9_-]{1,250})"
_SELECTOR: Final = re.compile(rf"id|[A-Za-z0-9_-]{{3,250}}(?:\.{_SEGMENT})*")


def _selector(value: Any) -> None:
    if type(value) is not str or _SELECTOR.fullmatch(value) is None:
        raise _Broken("stix-selector", f"is not a selector: {str(value)[:60]!r}", "STIX 2.1 §7.2.3.1")


_TYPE: Final = re.compile(r"[a-z][a-z0-9]*(?:-[a-z0-9]+)*-?")


@lru_cache(maxsize=1024)
def _type_named(text: str) -> bool:
    return 3 <= len(text) <= 250 and _TYPE.fullmatch(text) is not None and text not in ("action", "bundle")


_EXTENSION: Final = re.compile(r"[a-z][a-z0-9]*(?:-[a-z0-9]+)*-ext")


def _extensions(of: str | None, contained: bool) -> Check:
    known = {name: _compile(shape, contained=contained) for name, shape in EXTENSIONS.get(of or "", {}).items()}
    types = CLOSED["extension-type"]

    def run(value: Any) -> None:
        if type(value) is not dict:
            raise _kind(value, "a dictionary", "STIX 2.1 §3.2")
        if not value:
            raise _empty()
        for key, body in value.items():
            try:
                if type(body) is not dict:
                    raise _kind(body, "an object", "STIX 2.1 §7.3")
                if not body:
                    raise _empty()
                shape = known.get(key)
                if shape is not None:
                    shape(body)
                elif key.startswith("extension-definition--"):
                    if type_of(key) != "extension-definition":
                        raise _Broken("stix-id", "is not the id of an extension definition", "STIX 2.1 §7.3")
                    kind = body.get("extension_type")
                    if type(kind) is not str or kind not in types:
                        raise _Broken(
                            "stix-extension",
                            f"must have an extension_type, one of {', '.join(sorted(types))}",
                            "STIX 2.1 §7.3",
                        )
                elif len(key) > 250 or _EXTENSION.fullmatch(key) is None:
                    raise _Broken(
                        "stix-extension",
                        "is neither the id of an extension definition nor a name that ends with -ext",
                        "STIX 2.1 §7.3",
                    )
                if shape is None:
                    for name, one in body.items():
                        try:
                            _custom(name, one)
                        except _Broken as broken:
                            raise broken.under(name) from None
            except _Broken as broken:
                raise broken.under(key[:_SHORT]) from None

    return run


_binary: Final = _fullmatch(
    r"(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{4}|[A-Za-z0-9+/]{3}=|[A-Za-z0-9+/]{2}==)", "base64", "STIX 2.1 §2.1"
)
_hex: Final = _fullmatch(r"(?:[a-fA-F0-9]{2})+", "an even number of hexadecimal digits", "STIX 2.1 §2.6")
_OCTET: Final = r"(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])"
_CPE_PART: Final = r"""(?:(?:\?*|\*?)(?:[a-zA-Z0-9\-._]|\\[\\*?!"#$%&'()+,/:;<=>@\[\]^`{|}~])+(?:\?*|\*?)|[*\-])"""
_ATEXT: Final = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~\-\u0080-\U0010ffff]"

SPECIAL: Final[Mapping[str, Check]] = {
    "type": _string,
    "string": _string,
    "boolean": _boolean,
    "object": _object,
    "integer": _integer(None, None),
    "timestamp": _timestamp,
    "timestamp-ms": _timestamp_ms,
    "timestamp-s": _timestamp_s,
    "uri": _uri,
    "hex": _hex,
    "binary": _binary,
    "hashes": _hashes,
    "headers": _headers,
    "http-headers": _http_headers,
    "socket-options": _socket_options,
    "language": _language,
    "language-639": _language_639,
    "language-contents": _language_contents,
    "property-name": _property_name,
    "registry-key": _registry_key,
    "selector": _selector,
    "domain": _domain,
    "ipv4": _fullmatch(
        rf"(?:{_OCTET}\.){{3}}{_OCTET}(?:/(?:3[0-2]|[12]?[0-9]))?",
        "an IPv4 address or a block in CIDR notation",
        "STIX 2.1 §6.8",
        18,
    ),
    "ipv6": _ipv6,
    "mac": _fullmatch(
        r"(?:[0-9a-f]{2}:){5}[0-9a-f]{2}", "a MAC address in lower case with colons", "STIX 2.1 §6.10", 17
    ),
    "email": _fullmatch(
        rf'(?:{_ATEXT}+(?:\.{_ATEXT}+)*|"(?:[^"\\\r\n]|\\.)*")@(?:[A-Za-z0-9\-_.\u0080-\U0010ffff]+|\[[A-Za-z0-9:.]+\])',
        "an email address",
        "STIX 2.1 §6.5",
        1000,
    ),
    "mime": _fullmatch(
        r"(?:application|audio|font|image|message|model|multipart|text|video)/[a-zA-Z0-9.+_-]+.*",
        "a media type",
        "STIX 2.1 §6.1",
        1000,
    ),
    "charset": _fullmatch(r"[a-zA-Z0-9/.+_:()-]{2,250}", "a character set of the IANA registry", "STIX 2.1 §6.7", 250),
    "cpe": _fullmatch(
        rf"cpe:2\.3:[aho*\-](?::{_CPE_PART}){{5}}(?::(?:[a-zA-Z]{{2,3}}(?:-(?:[a-zA-Z]{{2}}|[0-9]{{3}}))?|[*\-]))(?::{_CPE_PART}){{4}}",
        "a CPE 2.3 name",
        "STIX 2.1 §6.14",
        2048,
    ),
    "relationship-type": _fullmatch(r"[a-z0-9-]+", "a relationship type of a-z, 0-9 and -", "STIX 2.1 §5.1", 1000),
}
"""Kinds that are one word; `_checker` reads the others."""


def _spec_version(value: Any) -> None:
    if value != "2.1":
        if value == "2.0":
            raise _two_zero()
        raise _kind(value, 'the text "2.1"', "STIX 2.1 §3.2")


def _two_zero() -> _Broken:
    return _Broken(
        "stix-2.0", "says it is STIX 2.0 (spec_version is not 2.1); import the file, which upgrades it", "STIX 2.1 §3.2"
    )


def _own_id(type_: str | None) -> Check:
    if type_ is None:

        def any_id(value: Any) -> None:
            if type(value) is not str or type_of(value) is None:
                raise _Broken("stix-id", f"must be <type>--<UUID>, not {str(value)[:80]!r}", "STIX 2.1 §2.9")

        return any_id
    match = re.compile(rf"{re.escape(type_)}--{_UUID}").fullmatch

    def run(value: Any) -> None:
        if type(value) is not str or match(value) is None:
            raise _Broken("stix-id", f"must be {type_}--<UUID>, not {str(value)[:80]!r}", "STIX 2.1 §2.9")

    return run


def _bound(text: str) -> int | None:
    return None if text == "*" else int(text)


def _checker(kind: str, *, type_: str | None = None, contained: bool = False) -> Check:
    """Compile one kind of `properties`."""
    simple = SPECIAL.get(kind)
    if simple is not None:
        return simple
    head, _, rest = kind.partition(" ")
    words = rest.split()
    match head:
        case "list" if rest == "string":
            return _strings
        case "list":
            return _listed(_checker(rest, type_=type_, contained=contained))
        case "struct":
            return _struct(STRUCTS[rest], _STRUCT_RULES.get(rest), contained=contained)
        case "ref" if contained:
            return _string
        case "ref" if not words:
            return _reference(None, frozenset(), "an object")
        case "ref" if words[0] == "@sco":
            return _reference(None, frozenset(OBJECTS), "a cyber-observable object")
        case "ref" if words[0].startswith("!"):
            none = frozenset(word.lstrip("!") for word in words)
            return _reference(None, none, "none of " + ", ".join(sorted(none)))
        case "ref":
            return _reference(frozenset(words), frozenset(), " or ".join(words))
        case "enum":
            return _enumerated(rest)
        case "integer":
            return _integer(_bound(words[0]), _bound(words[1]))
        case "float":
            return _float(_bound(words[0]), _bound(words[1]))
        case "dictionary":
            return _dictionary(*({"string": str, "integer": int}[word] for word in words))
        case "own-id":
            return _own_id(type_)
        case "spec-version":
            return _spec_version
        case "extensions":
            return _extensions(rest or None, contained)
        case "observables":
            return _observables
    raise AssertionError(f"no kind {kind!r}")


def _compile(
    shape: Shape,
    rule: Rule | None = None,
    *,
    type_: str | None = None,
    contained: bool = False,
    top: bool = False,
) -> Rule:
    """Turn a shape into one function over the object."""
    get = {name: _checker(kind, type_=type_, contained=contained) for name, kind in shape.kinds.items()}.get
    required, any_of, order, clause = shape.required, shape.any_of, shape.order, shape.clause
    closed = not shape.open

    def run(data: dict[str, Any]) -> None:
        name = ""
        try:
            for name, value in data.items():
                one = get(name)
                if one is not None:
                    one(value)
                elif top:
                    _custom(name, value)
                elif closed:
                    raise _Broken("stix-name", "is not a property of this object")
        except _Broken as broken:
            raise broken.under(name[:_SHORT], clause) from None
        if not data.keys() >= required:
            _missing(data, shape)
        for group in any_of:
            if group.isdisjoint(data):
                names = sorted(group)
                raise _Broken("stix-required", f"must have at least one of {', '.join(names)}", clause)
        for later, earlier, strictly in order:
            if later in data and earlier in data:
                second, first = instant(data[later]), instant(data[earlier])
                if second < first or (strictly and second == first):
                    than = "later than" if strictly else "later than or equal to"
                    raise _Broken("stix-order", f"must be {than} {earlier} ({data[earlier]})", clause, later)
        if rule is not None:
            rule(data)

    return run


def _missing(data: dict[str, Any], shape: Shape) -> None:
    absent = sorted(shape.required - data.keys())
    if absent == ["spec_version"] or ("spec_version" in absent and "created" in data):
        raise _two_zero()
    raise _Broken("stix-required", f"must have {' and '.join(absent)}", shape.clause)


def _struct(shape: Shape, rule: Rule | None, *, contained: bool) -> Check:
    run_shape = _compile(shape, rule, contained=contained)

    def run(value: Any) -> None:
        if type(value) is not dict:
            raise _kind(value, "an object", shape.clause)
        run_shape(value)

    return run


# --- rules between properties


_CVE: Final = re.compile(r"CVE-[0-9]{4}-(?:0[0-9]{3}|[1-9][0-9]{3,})")
_CAPEC: Final = re.compile(r"CAPEC-[0-9]+")


def _external_reference(data: dict[str, Any]) -> None:
    source = data["source_name"]
    external = data.get("external_id")
    if source == "cve" or source == "capec":
        if external is None or (_CVE if source == "cve" else _CAPEC).fullmatch(external) is None:
            form = "CVE-YYYY-NNNN" if source == "cve" else "CAPEC-NNN"
            raise _Broken(
                "stix-rule", f"must have an external_id of the form {form}, its source being {source}", "STIX 2.1 §2.5"
            )
    elif external is not None and external[:1] == "C" and (_CVE.fullmatch(external) or _CAPEC.fullmatch(external)):
        word = "cve" if external.startswith("CVE") else "capec"
        raise _Broken("stix-rule", f"must have the source_name {word} for {external}", "STIX 2.1 §2.5")


def _mime_part(data: dict[str, Any]) -> None:
    if "body" in data and "body_raw_ref" in data:
        raise _Broken("stix-rule", "must have one of body and body_raw_ref, not both", "STIX 2.1 §6.6.2")


_STRUCT_RULES: Final[Mapping[str, Rule]] = {"external-reference": _external_reference, "mime-part": _mime_part}


def _indicator(data: dict[str, Any]) -> None:
    if data["pattern_type"] != "stix":
        return
    try:
        patterns.check(data["pattern"])
    except InputRefused as refused:
        raise _Broken(
            "pattern", f"is no STIX pattern: {refused.sentence.rstrip('.')}", refused.clause, "pattern"
        ) from None


def _location(data: dict[str, Any]) -> None:
    if ("latitude" in data) != ("longitude" in data):
        raise _Broken("stix-rule", "must have both latitude and longitude, or neither", "STIX 2.1 §4.10")
    if "precision" in data and "latitude" not in data:
        raise _Broken("stix-rule", "has a precision and must then have latitude and longitude", "STIX 2.1 §4.10")


def _malware(data: dict[str, Any]) -> None:
    if data["is_family"] and "name" not in data:
        raise _Broken("stix-required", "must have a name, being a family", "STIX 2.1 §4.11")


def _observed_data(data: dict[str, Any]) -> None:
    if "objects" in data:
        if "object_refs" in data:
            raise _Broken("stix-rule", "must have one of objects and object_refs, not both", "STIX 2.1 §4.14")
    elif all(type_of(ref) in OBJECTS for ref in data["object_refs"]):
        raise _Broken("stix-rule", "must name at least one cyber-observable object", "STIX 2.1 §4.14", "object_refs")


def _extension_definition(data: dict[str, Any]) -> None:
    if "extension_properties" in data and "toplevel-property-extension" not in data["extension_types"]:
        raise _Broken(
            "stix-extension",
            "is only for extensions of type toplevel-property-extension",
            "STIX 2.1 §7.3",
            "extension_properties",
        )


_TLP_1_PROPERTIES: Final = frozenset({"type", "spec_version", "id", "created", "definition_type", "name", "definition"})


def _marking_definition(data: dict[str, Any]) -> None:
    clause = "STIX 2.1 §7.2.1"
    own = data["id"]
    if own in data.get("object_marking_refs", ()) or any(
        marking.get("marking_ref") == own for marking in data.get("granular_markings", ())
    ):
        raise _Broken("stix-marking", "must not mark itself", "STIX 2.1 §7.2.2")
    kind = data.get("definition_type")
    definition = data.get("definition")
    if "extensions" not in data and (kind is None or definition is None):
        raise _Broken("stix-required", "must have definition_type and definition, or extensions", clause)
    if kind == "statement" and (definition is None or type(definition.get("statement")) is not str):
        raise _Broken("stix-marking", "must have the text statement in its definition", "STIX 2.1 §7.2.1.3")
    if kind == "tlp" or own in TLP_1:
        colour = TLP_1.get(own, "")
        if (
            not colour
            or kind != "tlp"
            or definition != {"tlp": colour}
            or data["created"] != TLP_1_CREATED
            or data.get("name") != f"TLP:{colour.upper()}"
            or not data.keys() <= _TLP_1_PROPERTIES
        ):
            raise _Broken(
                "stix-marking", "must be exactly one of the four TLP markings of the standard", "STIX 2.1 §7.2.1.4"
            )
    if own in TLP_2:
        label = TLP_2[own]
        extension = data.get("extensions", {}).get(TLP_2_EXTENSION, {})
        if (
            extension.get("tlp_2_0") != label
            or instant(data["created"]) != instant(TLP_2_CREATED)
            or data.get("name") != f"TLP:{label.upper()}"
            or kind is not None
        ):
            raise _Broken(
                "stix-marking", f"must be exactly the published marking TLP:{label.upper()} of TLP 2.0", clause
            )


def _version_4(data: dict[str, Any], *contributing: str) -> None:
    if not any(name in data for name in contributing) and data["id"][-22] != "4":
        raise _Broken(
            "stix-id", "must be a UUID of version 4, because no property contributes to its id", "STIX 2.1 §2.9", "id"
        )


def _artifact(data: dict[str, Any]) -> None:
    if "payload_bin" in data and "url" in data:
        raise _Broken("stix-rule", "must have one of payload_bin and url, not both", "STIX 2.1 §6.1")
    if "url" in data and "hashes" not in data:
        raise _Broken("stix-required", "must have hashes beside url", "STIX 2.1 §6.1")
    if "decryption_key" in data and "encryption_algorithm" not in data:
        raise _Broken("stix-rule", "must not have a decryption_key without encryption_algorithm", "STIX 2.1 §6.1")
    _version_4(data, "hashes", "payload_bin")


def _email_message(data: dict[str, Any]) -> None:
    if data["is_multipart"] and "body" in data:
        raise _Broken("stix-rule", "must not have a body, being multipart", "STIX 2.1 §6.6")
    if not data["is_multipart"] and "body_multipart" in data:
        raise _Broken("stix-rule", "must not have body_multipart, not being multipart", "STIX 2.1 §6.6")
    _version_4(data, "from_ref", "subject", "body")


def _network_traffic(data: dict[str, Any]) -> None:
    if data.get("is_active") and "end" in data:
        raise _Broken("stix-rule", "must not have an end while is_active is true", "STIX 2.1 §6.12")


_RULES: Final[Mapping[str, Rule]] = {
    "indicator": _indicator,
    "location": _location,
    "malware": _malware,
    "observed-data": _observed_data,
    "extension-definition": _extension_definition,
    "marking-definition": _marking_definition,
    "artifact": _artifact,
    "email-message": _email_message,
    "network-traffic": _network_traffic,
    "process": _version_4,
    "user-account": lambda data: _version_4(data, "account_type", "user_id", "account_login"),
    "windows-registry-key": lambda data: _version_4(data, "key", "values"),
    "x509-certificate": lambda data: _version_4(data, "hashes", "serial_number"),
}


def _resolve_selectors(data: dict[str, Any]) -> None:
    """Each selector points at something that is there (STIX 2.1 §7.2.3.1)."""
    for number, marking in enumerate(data["granular_markings"]):
        for selector in marking["selectors"]:
            place: Any = data
            for segment in selector.split("."):
                if segment[0] == "[":
                    index = int(segment[1:-1])
                    found = type(place) is list and index < len(place)
                    place = place[index] if found else None
                else:
                    found = type(place) is dict and segment in place
                    place = place[segment] if found else None
                if not found:
                    raise _Broken(
                        "stix-selector",
                        f"points at {selector[:80]}, which is not in the object",
                        "STIX 2.1 §7.2.3.1",
                        f"granular_markings[{number}].selectors",
                    )


def _whole(shape_check: Rule) -> Rule:
    def run(data: dict[str, Any]) -> None:
        shape_check(data)
        if "granular_markings" in data:
            _resolve_selectors(data)

    return run


# --- objects inside observed-data (deprecated, STIX 2.1 §4.14)


def _observables(value: Any) -> None:
    if type(value) is not dict:
        raise _kind(value, "a dictionary of cyber-observable objects", "STIX 2.1 §4.14")
    if not value:
        raise _empty()
    for key, inner in value.items():
        try:
            if type(inner) is not dict:
                raise _kind(inner, "an object", "STIX 2.1 §4.14")
            type_ = inner.get("type")
            if type(type_) is not str or type_ in OBJECTS or not _type_named(type_):
                raise _Broken("stix-object", "must have the type of a cyber-observable object", "STIX 2.1 §4.14")
            _CONTAINED.get(type_, _contained_custom)(inner)
            if type_of(inner["id"]) != type_:
                raise _Broken("stix-id", f"must be {type_}--<UUID>", "STIX 2.1 §2.9", "id")
            shape = OBSERVABLES.get(type_)
            if shape is not None:
                _resolve_contained(inner, shape, value)
        except _Broken as broken:
            raise broken.under(key[:60]) from None


def _resolve_contained(inner: dict[str, Any], shape: Shape, objects: dict[str, Any]) -> None:
    for name, kind in shape.kinds.items():
        words = kind.removeprefix("list ").split()
        if words[0] != "ref" or name not in inner or name == "object_marking_refs":
            continue
        targets = inner[name] if kind.startswith("list") else [inner[name]]
        for target in targets:
            beside = objects.get(target)
            target_type = beside.get("type") if type(beside) is dict else type_of(target)
            if target_type is None:
                raise _Broken(
                    "stix-reference",
                    f"names {target[:80]!r}, which is neither a key beside it nor an id",
                    shape.clause,
                    name,
                )
            if len(words) > 1 and target_type not in words[1:]:
                raise _Broken(
                    "stix-reference",
                    f"must name {' or '.join(words[1:])}, not {str(target_type)[:60]}",
                    shape.clause,
                    name,
                )


# --- dispatch


def _for_unknown(data: dict[str, Any], type_: Any) -> Rule:
    """Types the standard does not define: the common properties of what the object looks like (STIX 2.1 §7.3, §11.2)."""
    if type(type_) is not str:
        raise InputRefused(
            "stix-object", "The object has no text type, so it is no STIX object.", clause="STIX 2.1 §3.2"
        )
    if len(type_) > 250 or not _type_named(type_):
        why = "a bundle inside of another file is no object" if type_ == "bundle" else "is no object type"
        raise InputRefused(
            "stix-object", f"{type_[:60]!r} {why}; types are 3 to 250 of a-z, 0-9 and -.", clause="STIX 2.1 §3.4"
        )
    identifier = data.get("id")
    if type(identifier) is str and type_of(identifier) != type_:
        _refuse(data, _Broken("stix-id", f"must be {type_[:60]}--<UUID>", "STIX 2.1 §2.9", "id"))
    extensions = data.get("extensions")
    kinds: set[Any] = set()
    if type(extensions) is dict:
        kinds = {
            body.get("extension_type")
            for body in extensions.values()
            if type(body) is dict and type(body.get("extension_type")) is str
        }
    if "new-sco" in kinds:
        return _custom_observable
    if "new-sdo" in kinds or "new-sro" in kinds or "created" in data or "modified" in data:
        return _custom_object
    return _custom_observable


_contained_custom: Final = _whole(_compile(CUSTOM_OBSERVABLE, contained=True, top=True))
_CONTAINED: Final[Mapping[str, Rule]] = {
    name: _whole(_compile(shape, _RULES.get(name), contained=True, top=True)) for name, shape in OBSERVABLES.items()
}
_custom_object: Final = _whole(_compile(CUSTOM_OBJECT, top=True))
_custom_observable: Final = _whole(_compile(CUSTOM_OBSERVABLE, top=True))
_CHECKS: Final[Mapping[str, Rule]] = {
    name: _whole(_compile(shape, _RULES.get(name), type_=name, top=True))
    for name, shape in (*OBJECTS.items(), *OBSERVABLES.items())
}
