"""Tells from the first bytes of a file what it is, and names what is not taken in.

Nothing is guessed: a file is taken in where its own marks say what it is; else it is refused with what was seen.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from comity.adapters.formats.csvfile import DELIMITERS, Header, cells_of, find_header
from comity.adapters.formats.galaxy import FORMS
from comity.adapters.formats.jsonparts import Outline, outline
from comity.adapters.formats.observable import kind_named
from comity.adapters.formats.values import looks_like_values
from comity.kernel.errors import InputRefused

_LINES: Final = re.compile(rb"\{[^\n]*\}[ \t\r]*\n\s*\{")
"""One object on the first line and the next one begins behind it, which no single JSON text does."""

TAKEN: Final = (
    "STIX 2.1, STIX 2.0, sealed objects, MISP events and galaxies, tables of indicators (CSV), lists of one value a "
    "line and CISA KEV"
)

_MAGIC: Final[tuple[tuple[bytes, str], ...]] = (
    (b"%PDF", "a PDF document"),
    (b"PK\x03\x04", "a ZIP archive (or an office document)"),
    (b"PK\x05\x06", "an empty ZIP archive"),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive"),
    (b"Rar!", "a RAR archive"),
    (b"BZh", "a bzip2 file"),
    (b"\xfd7zXZ", "an xz file"),
    (b"\x28\xb5\x2f\xfd", "a Zstandard file"),
    (b"\x1f\x9d", "a compress file"),
    (b"SQLite format 3", "an SQLite database"),
    (b"\x89PNG", "a PNG picture"),
    (b"\xff\xd8\xff", "a JPEG picture"),
    (b"GIF8", "a GIF picture"),
    (b"\x7fELF", "a program (ELF)"),
    (b"MZ", "a program (Windows)"),
    (b"\xd0\xcf\x11\xe0", "an old office document or Outlook message"),
    (b"\xd4\xc3\xb2\xa1", "a network capture (pcap)"),
    (b"\x0a\x0d\x0d\x0a", "a network capture (pcapng)"),
    (b"{\\rtf", "an RTF document"),
    (b"-----BEGIN PGP", "a PGP message"),
    (b"-----BEGIN", "a PEM file"),
)
_BOMS: Final = (
    (b"\xff\xfe\x00\x00", "UTF-32"),
    (b"\x00\x00\xfe\xff", "UTF-32"),
    (b"\xff\xfe", "UTF-16"),
    (b"\xfe\xff", "UTF-16"),
)


@dataclass(frozen=True, slots=True)
class Seen:
    """What a file is: `format` in our words, and what reading it needs; `lines` where it is JSON Lines."""

    format: str
    key: str | None = None
    lines: bool = False
    galaxy: str | None = None
    header: Header | None = None


def refused(name: str, what: str, why: str = "") -> InputRefused:
    """The refusal of a file of a kind that is not taken in."""
    return InputRefused("not-taken", f"{name} is {what}{', ' + why if why else ''}; taken in are {TAKEN}.", seen=what)


def see(name: str, head: bytes, mapping: Mapping[str, str] | None = None) -> Seen:
    """Tell what a file is.

    Args:
        name: What the officer calls it.
        head: Its first bytes, inflated, without a byte order mark.
        mapping: As for tables (`csvfile.header_of`).

    Raises:
        InputRefused: `not-taken`, `wrong-encoding`, `csv-header`, `csv-mapping`, `no-object`; the sentence names what
        was seen.
    """
    for bom, encoding in _BOMS:
        if head.startswith(bom):
            raise _encoding(name, encoding)
    for magic, what in _MAGIC:
        if head.startswith(magic) and not (magic in (b"MZ", b"BZh") and b"\0" not in head[:512]):
            raise refused(name, what)
    if head[4:8] == b"ustar"[:4] or head[257:262] == b"ustar":
        raise refused(name, "a tar archive")
    if head.count(b"\0", 0, 4096) * 50 > min(len(head), 4096):  # fewer cost their own lines
        even, odd = head[0:4096:2].count(0), head[1:4096:2].count(0)
        if max(even, odd) * 3 > min(len(head), 4096) and min(even, odd) * 8 < max(even, odd):
            raise _encoding(name, "UTF-16 without a byte order mark")
        raise refused(name, "a binary file", "it has NUL bytes")
    start = head.lstrip()
    if not start:
        raise InputRefused("no-object", f"{name} holds nothing but white space.")
    if start[:1] in b"{[":
        seen = _json(name, outline(start), start)
        lines = seen.format in ("stix", "misp") and _LINES.match(start) is not None
        return replace(seen, lines=lines)
    broken = _broken_lines(head)
    if broken is not None:
        raise _encoding(name, _guess(head, broken))
    if start[:1] == b"<":
        raise refused(name, _markup(start))
    return _text(name, head, mapping)


def _broken_lines(head: bytes) -> int | None:
    """Where the first byte stands that is not UTF-8, if more than one line in five is not; fewer are refused alone."""
    lines = head[: head.rfind(b"\n") + 1 or len(head)].splitlines(keepends=True)
    first, bad, at = None, 0, 0
    for line in lines:
        try:
            line.decode("utf-8")
        except UnicodeDecodeError as broken:
            bad += 1
            first = at + broken.start if first is None else first
        at += len(line)
    return first if bad * 5 > len(lines) else None


def _guess(head: bytes, at: int) -> str:
    controls = sum(byte < 9 or 13 < byte < 32 for byte in head[:4096])
    if controls * 20 > min(len(head), 4096):
        return "a binary file"
    return f"an older encoding such as Windows-1252 (byte {head[at]:#x} at {at} is not UTF-8)"


def _encoding(name: str, encoding: str) -> InputRefused:
    if encoding == "a binary file":
        return refused(name, encoding)
    return InputRefused("wrong-encoding", f"{name} is in {encoding}; save it as UTF-8.", seen=encoding)


def _markup(start: bytes) -> str:
    head = start[:4096].lower()
    if b"stix_package" in head or b"stix.mitre.org" in head:
        return "STIX 1 in XML"
    if b"<html" in head or b"<!doctype html" in head:
        return "an HTML page"
    if b"openioc" in head or b"<ioc" in head:
        return "OpenIOC in XML"
    return "XML"


def _json(name: str, seen: Outline, start: bytes) -> Seen:
    keys = set(seen.keys)
    inner = {key: set(found) for key, found in seen.inner.items()}
    kind = seen.texts.get("type", "")
    if not keys:
        if re.match(rb"\{\s*\}|\[\s*\]", start):
            raise InputRefused("no-object", f"{name} holds no object: it is empty JSON.")
        if start[:1] == b"{" and not re.match(rb'\{\s*"', start):
            raise refused(name, "text that starts with a brace and is not JSON")
        return Seen("stix")  # the walk over its objects says what is wrong with it
    if "Event" in keys:
        return Seen("misp", None if seen.top == "[" else "Event")
    if "response" in keys and seen.top == "{":
        return Seen("misp", "response")
    if seen.top == "[" and {"info", "Attribute"} <= keys:
        return Seen("misp", None)
    if {"exercise", "injects"} <= keys or {"exercise", "inject_flow"} <= keys:
        raise refused(
            name,
            "an exercise scenario (common exercise format)",
            "a script for players whose indicators are invented; it says nothing of a real incident and holds no event",
        )
    if "vulnerabilities" in keys and ("catalogVersion" in keys or "cveID" in inner.get("vulnerabilities", ())):
        return Seen("kev")
    if "$schema" in keys and kind not in ("bundle",):
        raise refused(name, "a JSON Schema", "it describes a format and holds no object")
    if "values" in keys and ("value" in inner.get("values", ()) or "galaxy" in kind):
        galaxy = seen.texts.get("type", "")
        if galaxy in FORMS:
            return Seen("misp-galaxy", galaxy=galaxy)
        raise refused(name, f"the MISP galaxy {galaxy[:60]!r}", "whose clusters have no STIX form here")
    if {"list", "matching_attributes"} <= keys or ("list" in keys and "name" in keys and "version" in keys):
        raise refused(name, "a MISP warning list", "it names what is no indicator")
    if "namespace" in keys and ("predicates" in keys or "icon" in keys):
        raise refused(name, "a MISP taxonomy or galaxy definition", "it holds words and no objects")
    if kind == "Topology":
        raise refused(name, "TopoJSON", "a map")
    if kind in ("FeatureCollection", "Feature"):
        raise refused(name, "GeoJSON", "a map")
    if {"schema", "properties", "id"} <= keys and "caption" in keys:
        raise refused(name, "FollowTheMoney entities")
    if kind == "playbook" or str(seen.texts.get("spec_version", "")).startswith("cacao"):
        raise refused(name, "a CACAO playbook")
    if "document" in keys and ("vulnerabilities" in keys or "product_tree" in keys):
        raise refused(name, "a CSAF advisory")
    if seen.texts.get("form", "").startswith("comity-sealed/") and "objects" in keys:
        return Seen("sealed")
    if kind == "bundle" or "objects" in keys or {"type", "id"} <= keys or "more" in keys:
        return Seen("stix")
    if kind:
        return Seen("stix")  # an object without id: refused by its validation, which says so
    raise refused(
        name, f"JSON with the keys {', '.join(seen.keys[:8])[:200]}", "which no format that is known here has"
    )


_MARKS: Final = (
    (re.compile(r"^(?:= \S|:toc:|\|===)", re.MULTILINE), "AsciiDoc text"),
    (re.compile(r"^\s*(?:private |global )*rule \w+\s*(?::[\w ]+)?\s*\{?\s*$", re.MULTILINE), "YARA rules"),
    (
        re.compile(r"^(?:alert|drop|reject|pass) (?:tcp|udp|ip|icmp|http|dns|tls)\b.*\(", re.MULTILINE),
        "Snort or Suricata rules",
    ),
    (re.compile(r"^(?:Received|Return-Path|MIME-Version|Delivered-To): ", re.MULTILINE), "an e-mail message"),
    (re.compile(r"\A(?:title|logsource|detection):", re.MULTILINE), "a Sigma rule (YAML)"),
    (re.compile(r"\A---\s*$", re.MULTILINE), "YAML"),
    (re.compile(r"\A\[[A-Za-z_.-]+\]\s*$", re.MULTILINE), "a settings file (TOML or INI)"),
    (re.compile(r"^#{1,6} \S.*\n\n", re.MULTILINE), "Markdown text"),
)


def _text(name: str, head: bytes, mapping: Mapping[str, str] | None) -> Seen:
    text = head.decode("utf-8", "replace")
    header = find_header(head, mapping)
    if header is not None and header.useful:
        return Seen("csv", header=header)
    fixed = {key[1:]: value for key, value in (mapping or {}).items() if key.startswith("@")}
    stated = kind_named(fixed["type"]) if "type" in fixed else None
    if looks_like_values(head, stated):
        return Seen("values")
    for form, what in _MARKS:
        if form.search(text[:65536]):
            raise refused(name, what)
    lines = [line.strip() for line in text.splitlines()[:200] if line.strip() and not line.startswith("#")]
    first, second = (*lines, "", "")[:2]
    mark = next((mark for mark in DELIMITERS if len(cells_of(first, mark)) == len(cells_of(second, mark)) > 1), None)
    if mark is not None:
        columns = cells_of(first, mark)
        shown = ", ".join(column.strip() for column in columns)[:200]
        raise InputRefused(
            "csv-header",
            f"{name} is a table without indicators: no column of {shown} is known to hold values; "
            "name one by a mapping if it does.",
            seen=shown,
        )
    raise refused(name, "plain text", f"its first line is {first[:60]!r}")
