"""Search over ids and values: exact, or by the beginning of either; each answer says from how many sources it comes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Final

from comity.kernel.model.instants import format
from comity.kernel.store.ports import Reading
from comity.kernel.store.rows import Holding, StreamRow, Value, Version
from comity.node.objects import class_facets
from comity.node.parties import name_of

MOST: Final = 200
_END: Final = "\U0010ffff"


@dataclass(frozen=True, slots=True)
class Found:
    """One thing that matches: a value as one type of object, the ids it stands under, and all it came from, the earliest first.

    Several parties may say the same of one value under ids of their own; that is one thing with several origins. Nothing is merged:
    every object stays as it came.
    """

    object: str
    type: str
    versions: int
    value: str
    origins: tuple[dict[str, Any], ...]
    objects: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """All of it by name."""
        return {
            "object": self.object,
            "type": self.type,
            "versions": self.versions,
            "value": self.value,
            "origins": list(self.origins),
            "objects": list(self.objects or (self.object,)),
        }


def search(tx: Reading, text: str, *, us: str, for_party: str | None = None, limit: int = MOST) -> list[Found]:
    """Objects whose id or one of whose values is the text, else begins with it.

    Args:
        us: Our party id.
        for_party: Search only what this party was given, and say nothing else.
    """
    wanted = refang(text.strip()).lower()
    if not wanted:
        return []
    matches: dict[str, tuple[str, set[int]]] = {}
    for version, value in _versions(tx, wanted):
        matches.setdefault(version.id, (value, set()))[1].add(version.n)
        if len(matches) >= limit:
            break
    found = []
    for object_id, (value, versions) in matches.items():
        one = _given(tx, object_id, value, for_party) if for_party else _own(tx, object_id, value, versions, us)
        if one is not None:
            found.append(one)
    return _together(found)


def _together(found: list[Found]) -> list[Found]:
    """What several ids say of one value, as one."""
    grouped: dict[tuple[str, str], Found] = {}
    for one in found:
        key = (one.type, one.value)
        before = grouped.get(key)
        if before is None:
            grouped[key] = replace(one, objects=(one.object,))
            continue
        origins = {(origin["from"], origin["originator"]): origin for origin in (*one.origins, *before.origins)}
        grouped[key] = replace(
            before,
            versions=before.versions + one.versions,
            origins=tuple(sorted(origins.values(), key=lambda origin: str(origin["at"]))),
            objects=(*before.objects, one.object),
        )
    return list(grouped.values())


def refang(text: str) -> str:
    """A defanged value as it is written in objects: ``hxxp`` to ``http``, ``[.]`` and ``(.)`` to ``.``, ``[at]`` to ``@``."""
    for short, plain in (
        ("[.]", "."),
        ("(.)", "."),
        ("[:]", ":"),
        ("[at]", "@"),
        ("(at)", "@"),
        ("[dot]", "."),
        ("(dot)", "."),
    ):
        text = text.replace(short, plain)
    return "http" + text[4:] if text[:4].lower() == "hxxp" else text


def _versions(tx: Reading, wanted: str) -> list[tuple[Version, str]]:
    exact = list(tx.find(Value, value=wanted))
    rows = exact or [
        row
        for row in tx.find(Value, order=("value", "version"), after=(wanted, 0), limit=MOST * 4)
        if row.value.startswith(wanted)
    ]
    by_version = {row.version: row.value for row in rows}
    named = [(version, by_version[version.n]) for version in tx.find_in(Version, "n", list(by_version))]
    named.extend((version, version.id) for version in tx.find(Version, id=wanted))
    if not named and "--" in wanted:
        named.extend(
            (version, version.id)
            for version in tx.find(Version, order=("id", "modified"), after=(wanted, -2), limit=MOST)
            if version.id.startswith(wanted)
        )
    return sorted(named, key=lambda pair: pair[0].n)


def _own(tx: Reading, object_id: str, value: str, versions: set[int], us: str) -> Found | None:
    origins: dict[tuple[str, str | None], dict[str, Any]] = {}
    count = 0
    for version in tx.find(Version, id=object_id):
        holdings = list(tx.find(Holding, version=version.n, ended=None))
        count += bool(holdings)
        for holding in holdings:
            facets = class_facets(tx, holding.cls)
            key = (holding.custodian, facets.originator)
            said = "unattributed, via " + name_of(tx, holding.custodian)
            if holding.custodian == us and facets.originator is None:
                said = "taken in by us"
            elif facets.originator is not None:
                said = name_of(tx, facets.originator)
            origins.setdefault(
                key,
                {
                    "from": holding.custodian,
                    "originator": facets.originator,
                    "said": said,
                    "at": format(holding.at),
                    "tlp": facets.tlp,
                    "title": holding.title,
                },
            )
    if not count:
        return None
    return Found(object_id, object_id.partition("--")[0], count, value, tuple(origins.values()))


def _given(tx: Reading, object_id: str, value: str, party: str) -> Found | None:
    rows = [row for row in tx.find(StreamRow, party=party, object=object_id) if row.ended is None]
    if not rows:
        return None
    return Found(object_id, object_id.partition("--")[0], len(rows), value, ())
