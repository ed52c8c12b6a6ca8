"""Kinds of values: one check for each, which says nothing or raises `Broken`.

STIX 2.1 §2 (common data types), §3.1 and §11.1 (names), §6 (forms of observables). Texts that come again and again
(timestamps, references, addresses of sources) are remembered in bounded tables, short texts only. `SPECIAL` names the
checks for the tables of `properties`; those with parameters are functions that make a check.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Final

from comity.kernel.errors import InputRefused
from comity.kernel.model import instants
from comity.kernel.model.instants import Instant
from comity.kernel.model.properties import RESERVED
from comity.kernel.model.vocabularies import CLOSED, LANGUAGES_639

Check = Callable[[Any], None]

SHORT: Final = 300
"""Longer texts are not remembered, so that the tables stay small whatever comes in."""


class Broken(Exception):
    """A rule is broken at `path` below the property being checked."""

    def __init__(self, code: str, rule: str, clause: str | None = None, path: str = "") -> None:
        super().__init__(rule)
        self.code = code
        self.rule = rule
        self.clause = clause
        self.path = path

    def under(self, name: str, clause: str | None = None) -> Broken:
        """The same fault, seen from one level further out."""
        self.path = name + ("." + self.path if self.path and self.path[0] != "[" else self.path)
        self.clause = self.clause or clause
        return self


_USUAL: Final = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T(?:[01][0-9]|2[0-3]):[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,6})?Z"
).fullmatch
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


@lru_cache(maxsize=16384)
def known_instant(text: str) -> Instant:
    if _USUAL(text) is not None:
        try:
            since = datetime.fromisoformat(text) - _EPOCH
        except ValueError:  # a leap second, or no real day: the full reader tells
            return instants.parse(text)
        return (since.days * 86_400 + since.seconds) * instants.SECOND + since.microseconds
    return instants.parse(text)


def instant(text: str) -> Instant:
    """`instants.parse`, quick for the usual form and remembering what comes again; a test holds the two equal."""
    return known_instant(text) if len(text) < 40 else instants.parse(text)


def wrong(value: Any, wanted: str, clause: str | None = None) -> Broken:
    shown = repr(value)
    return Broken("stix-kind", f"must be {wanted}, not {shown if len(shown) < 60 else shown[:57] + '...'}", clause)


def text_value(value: Any) -> None:
    if type(value) is not str:
        raise wrong(value, "text", "STIX 2.1 §2.15")


def _boolean(value: Any) -> None:
    if value is not True and value is not False:
        raise wrong(value, "true or false", "STIX 2.1 §2.2")


def _object(value: Any) -> None:
    if type(value) is not dict:
        raise wrong(value, "an object", "STIX 2.1 §2.3")


def integer(low: int | None, high: int | None) -> Check:
    span = (
        "an integer"
        + (f" of at least {low}" if low is not None else "")
        + (f" and at most {high}" if high is not None else "")
    )

    def run(value: Any) -> None:
        if type(value) is not int or (low is not None and value < low) or (high is not None and value > high):
            raise wrong(value, span, "STIX 2.1 §2.8")

    return run


def number(low: float | None, high: float | None) -> Check:
    span = "a number" + (f" from {low:g} to {high:g}" if low is not None and high is not None else "")

    def run(value: Any) -> None:
        if type(value) not in (int, float) or (low is not None and value < low) or (high is not None and value > high):
            raise wrong(value, span, "STIX 2.1 §2.5")

    return run


def _timestamp(value: Any) -> None:
    if type(value) is not str:
        raise wrong(value, "a timestamp", "STIX 2.1 §2.16")
    try:
        instant(value)
    except InputRefused as refused:
        said = refused.sentence.rstrip(".") if len(value) < SHORT else f"{value[:40]!r}..."
        raise Broken("timestamp", f"is no timestamp: {said}", refused.clause) from None


def _timestamp_ms(value: Any) -> None:
    if type(value) is str and len(value) == 24:
        try:
            known_instant(value)
        except InputRefused:
            _timestamp(value)
    else:
        _timestamp(value)
    if len(value) < 24 or value[19] != ".":
        raise Broken("timestamp", f"must have three digits of a second or more, not {value[:40]!r}", "STIX 2.1 §3.2")


def _timestamp_s(value: Any) -> None:
    _timestamp(value)
    if "." in value:
        raise Broken("timestamp", f"must have no fraction of a second, not {value[:40]!r}", "STIX 2.1 §6.7.6")


UUID_FORM: Final = r"[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[1-8][0-9a-fA-F]{3}-[89abAB][0-9a-fA-F]{3}-[0-9a-fA-F]{12}"
_IDENTIFIER: Final = re.compile(rf"([a-z](?:[a-z0-9]|-(?!-))*[a-z0-9])--{UUID_FORM}", re.ASCII)


@lru_cache(maxsize=32768)
def _type_of(text: str) -> str | None:
    match = _IDENTIFIER.fullmatch(text)
    return match.group(1) if match else None


def type_of(text: str) -> str | None:
    """The object type an identifier names, or None. Unlike `ids.type_of`, which is for ids we mint, a UUID in upper
    case counts:
    RFC 4122 §3 reads both, and the examples of OASIS have one. The text is never changed."""
    return _type_of(text) if len(text) < SHORT else None


def reference(allowed: frozenset[str] | None, refused: frozenset[str], names: str) -> Check:
    def run(value: Any) -> None:
        target = _type_of(value) if type(value) is str and len(value) < SHORT else None
        if target is None:
            shown = repr(value)
            raise Broken(
                "stix-id",
                f"must be an identifier, <type>--<UUID>, not {shown[:80]}",
                "STIX 2.1 §2.9",
            )
        if (allowed is not None and target not in allowed) or target in refused:
            raise Broken("stix-reference", f"must name {names}, not {target}")

    return run


def _fullmatch(pattern: str, wanted: str, clause: str, limit: int = 1 << 24) -> Check:
    match = re.compile(pattern).fullmatch

    def run(value: Any) -> None:
        if type(value) is not str or len(value) > limit or match(value) is None:
            raise wrong(value, wanted, clause)

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
    if type(value) is not str or not (_uri_known(value) if len(value) < SHORT else _URI.fullmatch(value)):
        raise wrong(value, "a URI", "RFC 3986 §3")


_NAME: Final = re.compile(r"[a-z][a-z0-9_]{2,249}")


_PLAIN: Final[tuple[str, Check | None]] = ("", None)


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
    return _PLAIN


def custom_property(name: str, value: Any) -> None:
    """A property no table knows: its name, and what holds for every value (STIX 2.1 §3.1, §11.1)."""
    if len(name) < 100 and value and _named(name) is _PLAIN:
        return
    if len(name) > 250:
        raise Broken("stix-name", "has a name longer than 250 characters", "STIX 2.1 §11.1")
    fault, suffix = _named(name)
    if fault:
        raise Broken(
            "stix-name",
            "is a name STIX reserves"
            if fault == "reserved"
            else "is not a property name: 3 to 250 of a-z, 0-9 and _, beginning with a letter",
            "STIX 2.1 §11.1",
        )
    if suffix is not None:
        suffix(value)
    elif value is None:
        raise wrong(value, "a value; leave the property out instead", "STIX 2.1 §3.1")
    elif not value and type(value) is list:
        raise empty()


def empty() -> Broken:
    return Broken("stix-empty", "is empty; leave it out instead", "STIX 2.1 §2.11")


def listed(item: Check) -> Check:
    def run(value: Any) -> None:
        if type(value) is not list:
            raise wrong(value, "a list", "STIX 2.1 §2.11")
        if not value:
            raise empty()
        index = 0
        try:
            for one in value:
                item(one)
                index += 1
        except Broken as broken:
            raise broken.under(f"[{index}]") from None

    return run


def texts(value: Any) -> None:
    if type(value) is not list:
        raise wrong(value, "a list", "STIX 2.1 §2.11")
    if not value:
        raise empty()
    for one in value:
        if type(one) is not str:
            raise wrong(one, "text", "STIX 2.1 §2.15").under(f"[{value.index(one)}]")


def enumerated(name: str) -> Check:
    words = CLOSED[name]

    def run(value: Any) -> None:
        if type(value) is not str or value not in words:
            raise Broken(
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
        raise wrong(value, "a dictionary of hashes", "STIX 2.1 §2.7")
    if not value:
        raise empty()
    for name, text in value.items():
        if _HASH_KEY.fullmatch(name) is None:
            raise Broken(
                "stix-name", f"has the key {name[:60]!r}; keys are 3 to 250 of a-z, A-Z, 0-9, - and _", "STIX 2.1 §2.7"
            )
        if type(text) is not str:
            raise wrong(text, "text", "STIX 2.1 §2.7").under(name)
        form = _HASH.get(name)
        if form is not None and form.fullmatch(text) is None:
            raise wrong(text, f"a {name} hash", "STIX 2.1 §2.7").under(name)


def dictionary(*types: type) -> Check:
    wanted = " or ".join("text" if one is str else "an integer" for one in types)

    def run(value: Any) -> None:
        if type(value) is not dict:
            raise wrong(value, "a dictionary", "STIX 2.1 §2.3")
        if not value:
            raise empty()
        for name, one in value.items():
            if _KEY.fullmatch(name) is None:
                raise Broken(
                    "stix-name",
                    f"has the key {name[:60]!r}; keys are up to 250 of a-z, A-Z, 0-9, - and _",
                    "STIX 2.1 §2.3",
                )
            if types and type(one) not in types:
                raise wrong(one, wanted, "STIX 2.1 §2.3").under(name)
            if one is None:
                raise wrong(one, "a value", "STIX 2.1 §2.3").under(name)
            if type(one) is list and not one:
                raise empty().under(name)

    return run


_any_dictionary: Final = dictionary()


def _headers(value: Any) -> None:
    _any_dictionary(value)
    for name, one in value.items():
        if type(one) is not str:
            try:
                texts(one)
            except Broken as broken:
                raise broken.under(name) from None


def _http_headers(value: Any) -> None:
    _any_dictionary(value)
    for name, one in value.items():
        try:
            texts(one)
        except Broken as broken:
            raise broken.under(name) from None


_SOCKET_OPTION: Final = re.compile(r"(?:SO|ICMP|ICMP6|IP|IPV6|MCAST|TCP|IRLMP)(?:_[A-Z0-9]+)+")


def _socket_options(value: Any) -> None:
    dictionary(int)(value)
    for name in value:
        if _SOCKET_OPTION.fullmatch(name) is None:
            raise Broken("stix-name", f"has the key {name[:60]!r}, which is no socket option", "STIX 2.1 §6.12.4")


@lru_cache(maxsize=1024)
def _ipv6_known(text: str) -> bool:
    try:
        ipaddress.IPv6Network(text, strict=False)
    except ValueError:
        return False
    return "%" not in text


def _ipv6(value: Any) -> None:
    if type(value) is not str or len(value) > 49 or not _ipv6_known(value):
        raise wrong(value, "an IPv6 address or a block in CIDR notation", "STIX 2.1 §6.9")


_LABEL: Final = re.compile(
    r"[A-Za-z0-9_\u0080-\U0010ffff](?:[A-Za-z0-9_\-\u0080-\U0010ffff]{0,61}[A-Za-z0-9_\u0080-\U0010ffff])?"
)


def _domain(value: Any) -> None:
    if (
        type(value) is not str
        or not 0 < len(value) <= 254
        or not all(map(_LABEL.fullmatch, value.removesuffix(".").split(".")))
    ):
        raise wrong(value, "a domain name", "STIX 2.1 §6.4")


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
        raise empty()
    for tag, fields in value.items():
        try:
            _language(tag)
            _object(fields)
            if not fields:
                raise empty()
            for name, text in fields.items():
                _property_name(name)
                if text is None or text == []:
                    raise wrong(text, "a value", "STIX 2.1 §7.1").under(name)
        except Broken as broken:
            raise broken.under(tag[:60], "STIX 2.1 §7.1") from None


def _language_639(value: Any) -> None:
    if type(value) is not str or not (value in LANGUAGES_639 or (len(value) == 3 and "qaa" <= value <= "qtz")):
        raise wrong(value, "a language code of ISO 639-2", "STIX 2.1 §6.14")


_ABBREVIATED: Final = re.compile(r"(?:HKLM|HKCC|HKCR|HKCU|HKU)(?:\\|$)", re.IGNORECASE)


def _registry_key(value: Any) -> None:
    text_value(value)
    if _ABBREVIATED.match(value):
        raise Broken("stix-rule", "must name its hive in full, as HKEY_LOCAL_MACHINE", "STIX 2.1 §6.17")


_SEGMENT: Final = r"(?:\[[0-9]{1,9}\]|[A-Za-z0-9_-]{1,250})"
_SELECTOR: Final = re.compile(rf"id|[A-Za-z0-9_-]{{3,250}}(?:\.{_SEGMENT})*")


def _selector(value: Any) -> None:
    if type(value) is not str or _SELECTOR.fullmatch(value) is None:
        raise Broken("stix-selector", f"is not a selector: {str(value)[:60]!r}", "STIX 2.1 §7.2.3.1")


_TYPE: Final = re.compile(r"[a-z][a-z0-9]*(?:-[a-z0-9]+)*-?")


@lru_cache(maxsize=1024)
def is_type_name(text: str) -> bool:
    return 3 <= len(text) <= 250 and _TYPE.fullmatch(text) is not None and text not in ("action", "bundle")


EXTENSION_NAME: Final = re.compile(r"[a-z][a-z0-9]*(?:-[a-z0-9]+)*-ext")


_binary: Final = _fullmatch(
    r"(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{4}|[A-Za-z0-9+/]{3}=|[A-Za-z0-9+/]{2}==)", "base64", "STIX 2.1 §2.1"
)
_hex: Final = _fullmatch(r"(?:[a-fA-F0-9]{2})+", "an even number of hexadecimal digits", "STIX 2.1 §2.6")
_OCTET: Final = r"(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])"
_CPE_PART: Final = r"""(?:(?:\?*|\*?)(?:[a-zA-Z0-9\-._]|\\[\\*?!"#$%&'()+,/:;<=>@\[\]^`{|}~])+(?:\?*|\*?)|[*\-])"""
_ATEXT: Final = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~\-\u0080-\U0010ffff]"

SPECIAL: Final[Mapping[str, Check]] = {
    "type": text_value,
    "string": text_value,
    "boolean": _boolean,
    "object": _object,
    "integer": integer(None, None),
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
