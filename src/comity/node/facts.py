"""Facts of law and diplomacy as they ship: each with its sources, the day it stands for, and whether somebody checked it.

A reference list is a YAML file in ``data/reference``. A fact is one entry of it, named by where it stands:
``categories.list.preventive.measures.P3``, or its last words where those are enough, ``P3``. What an entry does not say of itself,
its source and whether it was checked, is as the entry around it says; where none says that it was checked, it was not. An entry
that says of a part of it that this part was not checked is checked in part only. Nothing here makes a fact more certain than its file.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from importlib.resources import files
from typing import Any, Final

from comity.kernel.errors import NotFound
from comity.kernel.release.purposes import nearest
from comity.node.reference import shipped

PACKAGE: Final = "comity.data"
FOLDER: Final = "reference"

MARKS: Final[Mapping[bool | str, str]] = {True: "checked", "partly": "checked in part", False: "unconfirmed"}
"""How each `verified` is said to a person."""

Verified = bool | str
"""True, ``partly`` or False."""

_APART: Final = frozenset({"sources", "schema", "as_of"})
_BESIDE: Final = frozenset({"id", "n", "verified", "source"})
"""Told beside the text of a fact, so not in it."""

_NAMES: Final = ("id", "n", "party", "date", "pap", "rules", "what")
"""What names an entry of a list, the first that it has."""


def mark(verified: Verified, sources: Sequence[str], version: str) -> str:
    """What stands beside each fact of law or of diplomacy that a person is shown.

    Args:
        verified: True, False, or a word between, such as ``partly``.
        sources: Ids of sources.
        version: The day the data stand for.
    """
    return f"{MARKS.get(verified, verified)}; {', '.join(sources) or 'no source'}; {version}"


@dataclass(frozen=True, slots=True)
class Source:
    """Where a fact was read: the title, and the address where there is one."""

    id: str
    title: str
    url: str | None = None

    def as_json(self) -> dict[str, Any]:
        """{id, title, url}."""
        return {"id": self.id, "title": self.title, "url": self.url}


@dataclass(frozen=True, slots=True)
class Fact:
    """One entry of a reference list.

    Args:
        list: The list, by the name of its file.
        path: Where it stands, unique in the list.
        says: Its own members as JSON has them; entries within it that are facts of their own are left out.
        sources: What confirms it; empty where nothing is named.
        as_of: The day the list stands for, ISO 8601.
        verified: True, ``partly`` or False.
        parts: The paths of the facts within it, in their order.
    """

    list: str
    path: str
    says: Mapping[str, Any] = field(hash=False)
    sources: tuple[Source, ...]
    as_of: str
    verified: Verified
    parts: tuple[str, ...] = ()

    @property
    def id(self) -> str:
        """The last word of its path."""
        return str(self.says.get("id", self.path.rpartition(".")[2]))

    @property
    def text(self) -> str:
        """What it says, in one line."""
        for name in ("label", "title", "what", "sentence", "says", "asks", "role", "out", "use", "kind"):
            if isinstance(self.says.get(name), str):
                return str(self.says[name])
        told = [f"{name}: {_line(value)}" for name, value in self.says.items() if name not in _BESIDE]
        return "; ".join(told) or self.id

    @property
    def mark(self) -> str:
        """What stands beside it wherever a person is shown it: whether it was checked, its sources, its day."""
        return mark(self.verified, [one.id for one in self.sources], self.as_of)

    def as_json(self) -> dict[str, Any]:
        """{list, path, id, says, text, sources, version, verified, mark, parts}."""
        return {
            "list": self.list,
            "path": self.path,
            "id": self.id,
            "says": dict(self.says),
            "text": self.text,
            "sources": [one.as_json() for one in self.sources],
            "version": self.as_of,
            "verified": self.verified,
            "mark": self.mark,
            "parts": list(self.parts),
        }


@cache
def lists() -> tuple[str, ...]:
    """The names of the reference lists that ship."""
    found = (one.name for one in files(PACKAGE).joinpath(FOLDER).iterdir() if one.name.endswith(".yaml"))
    return tuple(sorted(name.removesuffix(".yaml") for name in found))


def whole(name: str) -> Mapping[str, Any]:
    """A list as it ships, its days as text; not to be changed by anybody.

    Raises:
        NotFound: `no-such-fact`.
    """
    if name not in lists():
        near = nearest(name, lists())
        hint = f"did you mean {near!r}? " if near else ""
        raise NotFound(
            "no-such-fact", f"There is no reference list {name[:80]!r}; {hint}There are {', '.join(lists())}."
        )
    data: Mapping[str, Any] = _whole(name)
    return data


@cache
def _whole(name: str) -> Any:
    return _plain(shipped(PACKAGE, FOLDER, f"{name}.yaml"))


@cache
def facts(name: str) -> tuple[Fact, ...]:
    """Every fact of a list, each before those within it.

    Raises:
        NotFound: `no-such-fact`.
    """
    data = whole(name)
    known = {key: Source(key, str(said["title"]), said.get("url")) for key, said in (data.get("sources") or {}).items()}
    around = _Around(name, str(data["as_of"]), known)
    return tuple(one for key, value in data.items() if key not in _APART for one in around.read(value, (key,)))


def fact(name: str, id: str) -> Fact:
    """One fact, by its path or by the end of it.

    Raises:
        NotFound: `no-such-fact` where there is none, or where several end so; they are named.
    """
    every = facts(name)
    found = [one for one in every if one.path == id] or [one for one in every if one.path.endswith(f".{id}")]
    if len(found) > 1:
        paths = ", ".join(one.path for one in found[:8])
        raise NotFound(
            "no-such-fact", f"{id!r} stands in {len(found)} places of {name}: {paths}; say more of the path."
        )
    if not found:
        near = nearest(id, [one.id for one in every])
        hint = f"did you mean {near!r}? " if near else ""
        raise NotFound(
            "no-such-fact", f"{name} has no {id[:80]!r}; {hint}comity reference show {name} lists what it has."
        )
    return found[0]


def within(one: Fact) -> tuple[Fact, ...]:
    """The facts within a fact, in their order."""
    return tuple(fact(one.list, path) for path in one.parts)


@dataclass(frozen=True, slots=True)
class _Around:
    """What the entries around an entry say of it."""

    list: str
    as_of: str
    known: Mapping[str, Source]
    sources: tuple[Source, ...] = ()
    verified: Verified = False

    def read(self, value: Any, path: tuple[str, ...]) -> Iterator[Fact]:
        """The facts of a value that stands at a path."""
        if isinstance(value, list):
            for segment, item in _named(value):
                if isinstance(item, dict):
                    yield from self._fact(item, (*path, segment))
        elif isinstance(value, dict) and _is_fact(value):
            yield from self._fact(value, path)
        elif isinstance(value, dict):
            for key, item in value.items():
                yield from self.read(item, (*path, str(key)))

    def _fact(self, said: Mapping[str, Any], path: tuple[str, ...]) -> Iterator[Fact]:
        confirmed = path[-1].endswith("_verified")  # the entry says itself that something was checked
        verified, sources = _flag(said, confirmed or self.verified), self.sources
        if said.get("verified") is False:
            sources = ()  # what confirms the entry around it does not confirm this one
        if "source" in said:
            named = said["source"] if isinstance(said["source"], list) else [said["source"]]
            sources = tuple(self.known.get(str(one), Source(str(one), str(one))) for one in named)
        own: dict[str, Any] = {}
        inner: list[Fact] = []
        for key, value in said.items():
            # what is said of one member alone counts for what stands in it
            flag = said.get(f"{key}_verified")
            beside = _Around(
                self.list,
                self.as_of,
                self.known,
                sources,
                verified if flag is None else _flag({"verified": flag}, False),
            )
            found = list(beside.read(value, (*path, str(key))))
            if found:
                inner += found
            else:
                own[str(key)] = value
        name = ".".join(path)
        direct = tuple(one.path for one in inner if not any(one.path.startswith(f"{two.path}.") for two in inner))
        yield Fact(self.list, name, own, sources, self.as_of, _in_part(said, verified), direct)
        yield from inner


def _is_fact(said: Mapping[str, Any]) -> bool:
    return any(name in said for name in ("verified", "source", "id"))


def _flag(said: Mapping[str, Any], otherwise: Verified) -> Verified:
    flag = said.get("verified", otherwise)
    return flag if isinstance(flag, bool) else "partly"


def _in_part(said: Mapping[str, Any], verified: Verified) -> Verified:
    """Checked in part where the entry says so of a part of it."""
    doubts = "partly" in said or any(
        str(key).endswith("_verified") and value is not True and not isinstance(value, dict)
        for key, value in said.items()
    )
    return "partly" if verified is True and doubts else verified


def _named(items: Sequence[Any]) -> Iterator[tuple[str, Any]]:
    used: dict[str, int] = {}
    for place, item in enumerate(items):
        name = next((str(item[key]) for key in _NAMES if item.get(key)), "") if isinstance(item, dict) else ""
        segment = re.sub(r"[^A-Za-z0-9+_-]+", "-", name).strip("-")[:60].rstrip("-") or str(place + 1)
        used[segment] = used.get(segment, 0) + 1
        yield segment if used[segment] == 1 else f"{segment}-{used[segment]}", item


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _plain(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_plain(one) for one in value]
    return value.isoformat() if isinstance(value, date) else value


def _line(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key} {_line(one)}" for key, one in value.items())
    return ", ".join(_line(one) for one in value) if isinstance(value, list) else str(value)
