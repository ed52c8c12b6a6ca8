"""What a MISP attribute or object says as a STIX pattern or as observables.

Rules: a value that is not of its type has no pattern (`NotAValue`, with the reason); an address with its port counts as
one; any detection value of an object matches alone, as it does in MISP's own exports. Source: MISP core format,
types of MISP 2.5.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from comity.adapters.formats import observable
from comity.adapters.formats.observable import NotAValue, Value

KINDS: Final[dict[str, str]] = {
    **dict.fromkeys(("ip-src", "ip-dst"), "ip"),
    **dict.fromkeys(("domain", "hostname"), "domain"),
    **dict.fromkeys(("url", "uri"), "url"),
    **dict.fromkeys(("email", "email-src", "email-dst", "email-reply-to", "target-email"), "email"),
    **{
        name: name
        for name in ("md5", "sha1", "sha224", "sha256", "sha384", "sha512", "ssdeep", "tlsh", "mutex", "filename")
    },
    "sha3-256": "sha3-256",
    "sha3-512": "sha3-512",
    "regkey": "regkey",
    "user-agent": "user-agent",
    "AS": "asn",
    "mac-address": "mac",
    "process-name": "process-name",
    "windows-service-name": "service",
}
"""MISP attribute type to kind of value."""

_PATTERNS: Final = {
    "email-subject": "email-message:subject",
    "email-body": "email-message:body",
    "email-message-id": "email-message:message_id",
    "email-attachment": "email-message:body_multipart[*].body_raw_ref.name",
    "email-x-mailer": "email-message:additional_header_fields.'X-Mailer'",
    "x509-fingerprint-sha1": "x509-certificate:hashes.'SHA-1'",
    "x509-fingerprint-sha256": "x509-certificate:hashes.'SHA-256'",
    "x509-fingerprint-md5": "x509-certificate:hashes.MD5",
    "imphash": "file:extensions.'windows-pebinary-ext'.imphash",
    "size-in-bytes": "",
}
"""Types whose pattern is one comparison with text and that no other part of the project needs as a kind of value."""


def for_detection(attribute: Mapping[str, Any]) -> bool:
    return attribute.get("to_ids") in (True, "1", 1)


def text_of(part: Mapping[str, Any], name: str) -> str:
    value = part.get(name)
    return value if isinstance(value, str) else ""


def attribute_pattern(kind: str, value: str) -> str:
    """The STIX pattern of one attribute for detection.

    Raises:
        NotAValue: there is none, or the value is not of its type.
    """
    expressions = [f"[{one}]" for one in _comparisons(kind, value)]
    return " OR ".join(expressions)


def _comparisons(kind: str, value: str) -> list[str]:
    if kind in KINDS:
        return [observable.comparison(observable.read(value, _path_kind(KINDS[kind], value)))]
    if _PATTERNS.get(kind):
        if not value or len(value) > observable.LENGTH:
            raise NotAValue("the value is empty or too long")
        return [f"{_PATTERNS[kind]} = {observable.quoted(value)}"]
    if kind == "port" and value.isascii() and value.isdigit():
        return [f"network-traffic:dst_port = {int(value)}"]
    left, bar, right = value.partition("|")
    if kind.startswith("filename|") and bar:
        inner = kind.removeprefix("filename|")
        pair = [*_comparisons("filename", left), *_comparisons(inner, right)]
        return [" AND ".join(pair)]
    if kind in ("domain|ip",) and bar:
        address = observable.read(right, "ip")
        return [
            f"domain-name:value = {observable.quoted(observable.read(left, 'domain').text)} "
            f"AND domain-name:resolves_to_refs[*].value = {observable.quoted(address.text)}"
        ]
    if kind in ("ip-src|port", "ip-dst|port", "hostname|port") and bar and right.isascii() and right.isdigit():
        end = "src" if kind.startswith("ip-src") else "dst"
        return [_traffic(end, observable.read(left, "domain" if kind.startswith("host") else "ip"), int(right))]
    if kind == "regkey|value" and bar:
        key = observable.read(left, "regkey").text
        return [
            f"windows-registry-key:key = {observable.quoted(key)} "
            f"AND windows-registry-key:values[*].data = {observable.quoted(right)}"
        ]
    if kind == "malware-sample" and bar:
        return _comparisons("filename|md5", value)
    raise NotAValue(f"a {kind} has none here")


def _traffic(end: str, value: Value, port: int) -> str:
    kind = {"ipv4": "ipv4-addr", "ipv6": "ipv6-addr", "domain": "domain-name"}.get(value.kind)
    if kind is None or not 0 < port < 65536:
        raise NotAValue("it is no address with a port")
    return (
        f"network-traffic:{end}_ref.type = '{kind}' "
        f"AND network-traffic:{end}_ref.value = {observable.quoted(value.text)} AND network-traffic:{end}_port = {port}"
    )


def _path_kind(kind: str, value: str) -> str:
    """MISP says `filename` also for a path."""
    return "filepath" if kind == "filename" and re.match(r"(?:[A-Za-z]:\\|\\\\|/|%\w+%\\).", value) else kind


def attribute_observables(kind: str, value: str) -> list[dict[str, Any]]:
    """The observables that one attribute says, the main one last; none where STIX has none.

    Raises:
        NotAValue: the value is not of its type.
    """
    if kind in KINDS:
        return observable.objects(observable.read(value, _path_kind(KINDS[kind], value)))
    left, bar, right = value.partition("|")
    if kind == "malware-sample":
        kind = "filename|md5"
    if kind.startswith("filename|") and bar:
        found = observable.read(right, KINDS.get(kind.removeprefix("filename|"), "unsupported"))
        if found.kind in observable.HASHES:
            return [observable.observable("file", name=left, hashes={observable.HASHES[found.kind][0]: found.text})]
    if kind == "attachment" and value.strip():
        return [observable.observable("file", name=value)]
    if kind == "domain|ip" and bar:
        (end,) = observable.objects(observable.read(right, "ip"))
        domain = observable.read(left, "domain")
        return [end, observable.observable("domain-name", value=domain.text, resolves_to_refs=[end["id"]])]
    if kind in ("ip-src|port", "ip-dst|port") and bar and right.isascii() and right.isdigit():
        return _traffic_objects(kind[3:6], observable.read(left, "ip"), int(right))
    return []


def _traffic_objects(end: str, value: Value, port: int) -> list[dict[str, Any]]:
    if value.kind not in ("ipv4", "ipv6") or not 0 < port < 65536:
        raise NotAValue("it is no address with a port")
    (address,) = observable.objects(value)
    said: dict[str, Any] = {f"{end}_ref": address["id"], f"{end}_port": port, "protocols": [value.kind]}
    return [address, observable.observable("network-traffic", **said)]


def object_pattern(attributes: list[dict[str, Any]]) -> tuple[str, list[str]]:
    """The pattern that any detection value of a MISP object matches, and the types of those that have none."""
    wanted = [one for one in attributes if for_detection(one)]
    left: list[str] = []
    hashes: list[str] = []
    rest: list[str] = []
    ports = [text_of(one, "value") for one in wanted if text_of(one, "type") == "port"]
    ports = [port for port in ports if port.isascii() and port.isdigit() and 0 < int(port) < 65536]
    used_ports = False
    for one in wanted:
        kind, value = text_of(one, "type"), text_of(one, "value")
        try:
            if kind == "port":
                continue
            if ports and kind in ("ip-dst", "ip-src", "hostname", "domain"):
                host = observable.read(value, KINDS[kind])
                end = "src" if kind == "ip-src" else "dst"
                rest += [f"[{_traffic(end, host, int(port))}]" for port in ports]
                used_ports = True
            elif kind in observable.HASHES:
                hashes += _comparisons(kind, value)
            else:
                rest += [f"[{found}]" for found in _comparisons(kind, value)]
        except NotAValue:
            left.append(f"{kind} {value[:80]!r}")
    if ports and not used_ports:
        left += [f"port {port!r}" for port in ports]
    found = ([f"[{' OR '.join(dict.fromkeys(hashes))}]"] if hashes else []) + list(dict.fromkeys(rest))
    return " OR ".join(found), left


def object_observables(name: str, attributes: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The observables of a MISP object without detection values, the main one last; none where there is no plain
    reading."""
    try:
        if name == "file":
            said: dict[str, Any] = {}
            hashes: dict[str, str] = {}
            for one in attributes:
                kind, value = text_of(one, "type"), text_of(one, "value")
                if kind in observable.HASHES:
                    hashes.setdefault(observable.HASHES[kind][0], observable.read(value, kind).text)
                elif one.get("object_relation") == "filename":
                    said.setdefault("name", value)
                elif one.get("object_relation") == "size-in-bytes" and value.isascii() and value.isdigit():
                    said.setdefault("size", int(value))
            if hashes:
                said["hashes"] = hashes
            return [observable.observable("file", **said)] if "name" in said or hashes else []
        if name in ("ip-port", "domain-ip"):
            hosts = [one for one in attributes if text_of(one, "type") in ("ip-dst", "ip-src")]
            ports = [text_of(one, "value") for one in attributes if text_of(one, "type") == "port"]
            domains = [text_of(one, "value") for one in attributes if text_of(one, "type") in ("domain", "hostname")]
            if name == "ip-port" and len(hosts) == 1 and len(ports) == 1 and ports[0].isascii() and ports[0].isdigit():
                end = "src" if text_of(hosts[0], "type") == "ip-src" else "dst"
                return _traffic_objects(end, observable.read(text_of(hosts[0], "value"), "ip"), int(ports[0]))
            if name == "domain-ip" and len(domains) == 1 and hosts:
                ends = [observable.objects(observable.read(text_of(one, "value"), "ip"))[-1] for one in hosts]
                refs = [one["id"] for one in ends]
                domain = observable.read(domains[0], "domain")
                return [*ends, observable.observable("domain-name", value=domain.text, resolves_to_refs=refs)]
        if name == "url":
            urls = [text_of(one, "value") for one in attributes if text_of(one, "type") == "url"]
            return observable.objects(observable.read(urls[0], "url")) if len(urls) == 1 else []
    except NotAValue:
        pass
    return []
