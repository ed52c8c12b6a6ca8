"""Search over ids and values: exact, or by the beginning of either; each answer says from how many sources it comes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Final

from comity.kernel.model.instants import format
from comity.kernel.model.strictjson import read as read_json
from comity.kernel.model.values import values
from comity.kernel.seal.views import Withheld
from comity.kernel.store.ports import Reading
from comity.kernel.store.rows import Holding, StreamRow, Value, Version
from comity.node.objects import class_facets
from comity.node.parties import name_of
from comity.node.views import show_row

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
    if for_party is not None:
        return _together(_given(tx, wanted, for_party, limit))
    matches: dict[str, tuple[str, set[int]]] = {}
    for version, value in _versions(tx, wanted):
        matches.setdefault(version.id, (value, set()))[1].add(version.n)
        if len(matches) >= limit:
            break
    found = []
    for object_id, (value, versions) in matches.items():
        one = _own(tx, object_id, value, versions, us)
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


def _given(tx: Reading, wanted: str, party: str, limit: int) -> list[Found]:
    """What of a party's stream matches, by the ids and the values that it was shown: what else is held makes no difference."""
    matches: dict[int, tuple[StreamRow, str]] = {}
    if "--" in wanted:
        for row in tx.find(StreamRow, party=party, order=("object", "n"), after=(wanted, -1)):
            if not row.object.startswith(wanted):
                break
            if row.ended is None:
                matches[row.n] = (row, row.object)
    for lot in _lots(tx, wanted):
        ids = {version.id for version in tx.find_in(Version, "n", lot)}
        for row in tx.find_in(StreamRow, "object", ids, party=party, ended=None):
            shown = show_row(tx, row)
            said = () if isinstance(shown, Withheld) else values(read_json(shown.raw))
            begin = min((text.lower() for text in said if text.lower().startswith(wanted)), default=None)
            if begin is not None:
                matches.setdefault(row.n, (row, begin))
    exact = {n for n, (_, value) in matches.items() if value == wanted}
    found: dict[str, Found] = {}
    for n in sorted(exact or matches):
        row, value = matches[n]
        before = found.get(row.object)
        found[row.object] = Found(
            row.object, row.object.partition("--")[0], 1 if before is None else before.versions + 1, value, ()
        )
    return list(found.values())[:limit]


def _lots(tx: Reading, wanted: str) -> Iterator[list[int]]:
    """Versions with a value that begins like this, some hundred at a time."""
    lot: list[int] = []
    for row in tx.find(Value, order=("value", "version"), after=(wanted, -1)):
        if not row.value.startswith(wanted):
            break
        lot.append(row.version)
        if len(lot) == 500:
            yield lot
            lot = []
    if lot:
        yield lot
