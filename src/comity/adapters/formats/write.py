"""Writes objects out for others: a STIX bundle of the bytes as kept, a table of indicators, a MISP event.

Rules:

- `write_stix` changes no byte of an object; the bundle's id is UUIDv5 over them and stands last, so that it can be
  streamed.
- `write_csv` puts an apostrophe before a cell that a spreadsheet would calculate, and can defang values.
- `write_misp` writes what maps back to MISP attributes; what came from MISP goes back word for word. All else is
  reported.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final
from uuid import uuid5

from comity.adapters.formats import minting, observable
from comity.adapters.formats.observable import HASHES, Value
from comity.kernel.errors import InputRefused
from comity.kernel.model import instants
from comity.kernel.model.ids import COMITY
from comity.kernel.model.instants import Instant
from comity.kernel.release.markings import TLP_OF
from comity.kernel.seal.canonical import canonical

COLUMNS: Final = (
    "type",
    "value",
    "name",
    "description",
    "first_seen",
    "valid_until",
    "created",
    "modified",
    "confidence",
    "tlp",
    "labels",
    "created_by_ref",
    "id",
    "pattern",
)
"""Columns of a table written; taken in again, they are known by these names."""

_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20", "|", "%")


def write_stix(raws: Iterable[bytes]) -> Iterator[bytes]:
    """A STIX 2.1 bundle of objects as their bytes are kept (STIX 2.1 §8).

    Args:
        raws: The bytes of each object, unchanged.

    Yields:
        The bundle, piece by piece; without objects it has no `objects`, as the standard wants.
    """
    seen = sha256()
    first = True
    yield b'{"type":"bundle",'
    for raw in raws:
        seen.update(len(raw).to_bytes(8, "big") + raw)
        yield (b'"objects":[' if first else b",\n") + raw
        first = False
    end = f'"id":"bundle--{uuid5(COMITY, "bundle/" + seen.hexdigest())}"}}\n'.encode()
    yield end if first else b"]," + end


def write_csv(
    objects: Iterable[Mapping[str, Any]], *, defang: bool = False, unmapped: list[str] | None = None
) -> Iterator[bytes]:
    """A table of indicators and observables (RFC 4180, UTF-8), a row for each value.

    Args:
        objects: STIX objects as parsed.
        defang: Write values so that nobody follows them by accident.
        unmapped: Gets the id of each object that is no row.
    """
    yield _line(COLUMNS)
    for shape in objects:
        rows = list(_rows(shape, defang))
        if not rows and unmapped is not None:
            unmapped.append(str(shape.get("id")))
        for row in rows:
            yield _line([row.get(column, "") for column in COLUMNS])


def _line(cells: Iterable[str]) -> bytes:
    out = io.StringIO(newline="")
    csv.writer(out, lineterminator="\r\n").writerow([guarded(cell) for cell in cells])
    return out.getvalue().encode("utf-8", "replace")


def guarded(cell: str) -> str:
    """A cell that no spreadsheet calculates (OWASP, CSV injection)."""
    return "'" + cell if cell.lstrip(" ").startswith(_FORMULA) or cell.startswith("'") else cell


def _rows(shape: Mapping[str, Any], defang: bool) -> Iterator[dict[str, str]]:
    values, pattern = values_of(shape)
    unstated = minting.unstated(shape)
    common = {
        "name": _text(shape, "name"),
        "description": _text(shape, "description"),
        "first_seen": _first_seen(shape),
        "valid_until": _text(shape, "valid_until"),
        **{name: "" if name in unstated else _text(shape, name) for name in ("created", "modified")},
        "confidence": str(shape["confidence"]) if isinstance(shape.get("confidence"), int) else "",
        "tlp": tlp_of(shape) or "",
        "labels": ";".join(one for one in shape.get("labels", ()) if isinstance(one, str)),
        "created_by_ref": _text(shape, "created_by_ref"),
        "id": _text(shape, "id"),
        "pattern": pattern if pattern and not values else "",
    }
    if values and common["name"] == values[0].text:
        common["name"] = ""
    for value in values:
        text = value.text.replace(" ", ":") if value.kind.endswith("-port") else value.text
        live = value.kind in ("ipv4", "ipv6", "domain", "url", "email") or value.kind.endswith(("-port", "-range"))
        yield {
            **common,
            "type": _TABLE_KIND.get(value.kind, value.kind),
            "value": observable.defang(text) if defang and live else text,
        }
    if not values and pattern:
        yield {**common, "type": "pattern"}


def _first_seen(shape: Mapping[str, Any]) -> str:
    """When the values were first seen, as far as the object says it.

    STIX requires `valid_from`; where it only repeats `created`, or no date was known, it tells nothing of that.
    """
    start = _text(shape, "valid_from")
    told = _kept(shape, "attribute") or _kept(shape, "object")
    if told is not None and not told.get("first_seen"):
        return ""
    unknown = "valid_from" in minting.unstated(shape) or start == _text(shape, "created")
    return "" if unknown else start


_TABLE_KIND: Final = {"ipv4-range": "ip", "ipv6-range": "ip", "ipv4-port": "ip-port", "ipv6-port": "ip-port"}


def tlp_of(shape: Mapping[str, Any]) -> str | None:
    """The TLP 2.0 level that the object's own marking references say, the strictest of several."""
    refs = shape.get("object_marking_refs")
    found = [word for word, ref in TLP_OF.items() if isinstance(refs, list) and ref in refs]
    return found[-1] if found else None


_LITERAL: Final = r"'(?:[^'\\]|\\.)*'"
_PATH: Final = rf"[a-z0-9-]+:[A-Za-z0-9_.\-\[\]*]+(?:\.?{_LITERAL}(?:\.[A-Za-z0-9_]+)*)*"
_COMPARISON: Final = re.compile(rf"\s*({_PATH})\s*(=|ISSUBSET)\s*({_LITERAL}|[0-9]+)\s*", re.DOTALL)
_JOIN: Final = re.compile(r"(OR|AND)\b")
_PATHS: Final = {
    **{path: kind for kind, path in observable.SIMPLE.items()},
    **{f"file:hashes.{name}": kind for kind, (name, _) in HASHES.items()},
    **{f"file:hashes.'{name}'": kind for kind, (name, _) in HASHES.items()},
    "autonomous-system:number": "asn",
}


@dataclass(frozen=True, slots=True)
class _Said:
    path: str
    operator: str
    text: str


def read_pattern(pattern: str) -> list[Value]:
    """The values of a pattern that only says equal values joined by OR (or a path, or an address with its port); else
    none."""
    if len(pattern) > 100_000:
        return []
    values: list[Value] = []
    at = 0
    while True:
        at = _skip(pattern, at)
        if pattern[at : at + 1] != "[":
            return []
        found, joins, at = _observation(pattern, at + 1)
        values += _values(found, joins)
        if not found or not values:
            return []
        at = _skip(pattern, at)
        if at == len(pattern):
            return list(dict.fromkeys(values))
        join = _JOIN.match(pattern, at)
        if join is None or join.group(1) != "OR":
            return []
        at = join.end()


def _skip(text: str, at: int) -> int:
    while at < len(text) and text[at].isspace():
        at += 1
    return at


def _observation(pattern: str, at: int) -> tuple[list[_Said], set[str], int]:
    found: list[_Said] = []
    joins: set[str] = set()
    while match := _COMPARISON.match(pattern, at):
        path, operator, literal = match.groups()
        text = re.sub(r"\\(.)", r"\1", literal[1:-1], flags=re.DOTALL) if literal[0] == "'" else literal
        found.append(_Said(path, operator, text))
        at = match.end()
        if pattern[at : at + 1] == "]":
            return found, joins, at + 1
        join = _JOIN.match(pattern, at)
        if join is None:
            break
        joins.add(join.group(1))
        at = join.end()
    return [], joins, at


def _values(found: list[_Said], joins: set[str]) -> list[Value]:
    if joins == {"AND"}:
        said = {one.path: one.text for one in found}
        if set(said) == {"file:name", "file:parent_directory_ref.path"}:
            directory = said["file:parent_directory_ref.path"]
            slash = "/" if "/" in directory and "\\" not in directory else "\\"
            joined = f"{directory.rstrip(slash)}{slash}{said['file:name']}"
            return [Value("filepath", joined)]
        if set(said) == {"network-traffic:dst_ref.type", "network-traffic:dst_ref.value", "network-traffic:dst_port"}:
            kind = said["network-traffic:dst_ref.type"].removesuffix("-addr")
            text = f"{said['network-traffic:dst_ref.value']} {said['network-traffic:dst_port']}"
            return [Value(f"{kind}-port", text)] if kind in ("ipv4", "ipv6") else []
        return []
    if len(joins) > 1:
        return []
    values = []
    for one in found:
        word = _PATHS.get(one.path)
        if word is None or (one.operator == "ISSUBSET" and word not in ("ipv4", "ipv6")):
            return []
        values.append(Value(f"{word}-range" if one.operator == "ISSUBSET" else word, one.text))
    return values


def values_of(shape: Mapping[str, Any]) -> tuple[list[Value], str]:
    """The values an object says, and its pattern where it has one."""
    kind = shape.get("type")
    if kind == "indicator":
        pattern = _text(shape, "pattern")
        return (read_pattern(pattern) if shape.get("pattern_type") == "stix" else []), pattern
    if kind == "vulnerability":
        for reference in shape.get("external_references", ()):
            if isinstance(reference, dict) and reference.get("source_name") == "cve":
                return [Value("cve", str(reference.get("external_id")))], ""
        return [], ""
    if kind == "file":
        hashes = shape.get("hashes")
        named = {name: word for word, (name, _) in HASHES.items()}
        found = (
            [Value(named[name], str(text)) for name, text in hashes.items() if name in named]
            if isinstance(hashes, dict)
            else []
        )
        return found or ([Value("filename", _text(shape, "name"))] if _text(shape, "name") else []), ""
    if isinstance(kind, str) and kind in _OBSERVED and isinstance(shape.get(_OBSERVED[kind][1]), str | int):
        word, name = _OBSERVED[kind]
        return [Value(word, str(shape[name]))], ""
    return [], ""


_OBSERVED: Final = {
    "ipv4-addr": ("ipv4", "value"),
    "ipv6-addr": ("ipv6", "value"),
    "domain-name": ("domain", "value"),
    "url": ("url", "value"),
    "email-addr": ("email", "value"),
    "mac-addr": ("mac", "value"),
    "mutex": ("mutex", "name"),
    "directory": ("directory", "path"),
    "windows-registry-key": ("regkey", "key"),
    "autonomous-system": ("asn", "number"),
}

_MISP_TYPES: Final = {
    **{kind: (kind, "Payload delivery") for kind in HASHES},
    **dict.fromkeys(("ipv4", "ipv6", "ipv4-range", "ipv6-range"), ("ip-dst", "Network activity")),
    **dict.fromkeys(("ipv4-port", "ipv6-port"), ("ip-dst|port", "Network activity")),
    "domain": ("domain", "Network activity"),
    "url": ("url", "Network activity"),
    "email": ("email", "Payload delivery"),
    "filename": ("filename", "Payload delivery"),
    "filepath": ("filename", "Payload delivery"),
    "regkey": ("regkey", "Artifacts dropped"),
    "mutex": ("mutex", "Artifacts dropped"),
    "user-agent": ("user-agent", "Network activity"),
    "asn": ("AS", "Network activity"),
    "mac": ("mac-address", "Network activity"),
    "cve": ("vulnerability", "External analysis"),
}
_RULES: Final = frozenset({"yara", "snort", "sigma", "suricata", "zeek"})
_LOCAL: Final = frozenset(
    {"id", "event_id", "object_id", "sharing_group_id", "distribution", "RelatedAttribute", "SharingGroup"}
)


def write_misp(
    objects: Iterable[Mapping[str, Any]],
    *,
    info: str = "Comity export",
    at: Instant = 0,
    unmapped: list[str] | None = None,
) -> Iterator[bytes]:
    """A MISP event of the indicators and observables that map back (MISP core format).

    Args:
        objects: STIX objects as parsed.
        info: The event's title.
        at: The instant of writing, for the event's date.
        unmapped: Gets the id of each object that has no place in the event.

    Yields:
        The event's JSON, attribute by attribute; MISP objects are held until the end.
    """
    event = {
        "uuid": str(uuid5(COMITY, f"misp-event/{info}/{at}")),
        "info": info,
        "date": instants.format(at)[:10],
        "timestamp": str(at // instants.SECOND),
        "analysis": "2",
        "threat_level_id": "4",
        "distribution": "0",
        "published": False,
    }
    yield b'{"Event":' + canonical(event)[:-1] + b',"Attribute":['
    parts: dict[str, bytes] = {}
    seen: set[str] = set()
    first = True
    for shape in objects:
        whole = _misp_object(shape)
        if whole is not None:
            parts.setdefault(str(whole.get("uuid")), canonical(whole))
            continue
        attributes = _misp_attributes(shape)
        if not attributes and unmapped is not None:
            unmapped.append(str(shape.get("id")))
        for attribute in attributes:
            if attribute["uuid"] not in seen:
                seen.add(attribute["uuid"])
                yield (b"" if first else b",\n") + canonical(attribute)
                first = False
    yield b'],"Object":[' + b",\n".join(parts.values()) + b"]}}\n"


def _kept(shape: Mapping[str, Any], name: str) -> dict[str, Any] | None:
    extensions = shape.get("extensions")
    found = extensions.get(minting.MISP_EXTENSION) if isinstance(extensions, dict) else None
    part = found.get(name) if isinstance(found, dict) else None
    return part if isinstance(part, dict) else None


def _misp_object(shape: Mapping[str, Any]) -> dict[str, Any] | None:
    part = _kept(shape, "object")
    if part is None:
        return None
    inner = [_bare(one) for one in part.get("Attribute", ()) if isinstance(one, dict)]
    return {**_bare(part), "Attribute": inner}


def _bare(part: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in part.items() if name not in _LOCAL}


def _misp_attributes(shape: Mapping[str, Any]) -> list[dict[str, Any]]:
    part = _kept(shape, "attribute")
    stix_id = str(shape.get("id"))
    if part is not None and part.get("type") and part.get("uuid"):
        return [_bare(part)]
    extensions = shape.get("extensions")
    links = extensions.get(minting.MISP_EXTENSION) if isinstance(extensions, dict) else None
    if isinstance(links, dict) and isinstance(links.get("links"), list):
        return [_bare(one) for one in links["links"] if isinstance(one, dict) and one.get("uuid")]
    values, pattern = values_of(shape)
    detect = shape.get("type") == "indicator"
    found: list[tuple[str, str, str]] = []
    if detect and shape.get("pattern_type") in _RULES:
        found.append((str(shape["pattern_type"]), pattern, "Payload delivery"))
    for value in values:
        if value.kind in _MISP_TYPES:
            kind, category = _MISP_TYPES[value.kind]
            found.append((kind, value.text.replace(" ", "|") if value.kind.endswith("-port") else value.text, category))
    tlp = tlp_of(shape)
    made = []
    for number, (kind, text, category) in enumerate(found):
        attribute: dict[str, Any] = {
            "uuid": str(uuid5(COMITY, f"misp-attribute/{stix_id}/{number}")),
            "type": kind,
            "category": category,
            "value": text,
            "to_ids": detect,
            "comment": _text(shape, "description"),
            "timestamp": _seconds(_text(shape, "modified") or _text(shape, "created")),
        }
        if tlp is not None:
            attribute["Tag"] = [{"name": f"tlp:{tlp}"}]
        made.append(attribute)
    return made


def _seconds(text: str) -> str:
    try:
        return str(max(instants.parse(text), 0) // instants.SECOND)
    except InputRefused:
        return "0"


def _text(shape: Mapping[str, Any], name: str) -> str:
    value = shape.get(name)
    return value if isinstance(value, str) else ""
