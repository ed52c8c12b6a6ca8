"""Two teams under the bilateral template, one of them served over HTTP to the readers it gave tokens to."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson
from litestar import Litestar

from comity.adapters.formats.source import open_source
from comity.adapters.http import signing
from comity.faces.http.app import create_app
from comity.faces.http.config import AppConfig
from comity.kernel.store.memory import MemoryStore
from comity.kernel.store.ports import Store
from comity.node.context import Node
from comity.node.officers import add_reader
from simulators.asked import Asker
from simulators.world import World

STATED = {"tlp": "green", "basis": ["agreement"], "purpose": ["protect-networks"], "caveats": []}
OBJECTS = "/taxii2/api/collections/outbox/objects/"
OWN = "/taxii2/api/collections/own/objects/"
INBOX = "/taxii2/api/collections/inbox/objects/"


def memory(name: str) -> Store:
    """A store in memory for several threads."""
    return MemoryStore(threading.RLock())


def config(**more: Any) -> AppConfig:
    """What `comity.__main__` hands to the application."""

    def opened(name: str, stream: Any, mapping: Any, party: str, at: int, own: bool, skip: int) -> Any:
        return open_source(name, stream, mapping=mapping, party=party, at=at, own=own, skip=skip)

    return AppConfig(**{"carrier": signing, "open_source": opened, **more})


@dataclass
class Teams:
    """The world, Team A's application, and askers: `b` is Team B, `own` a tool of Team A."""

    make_store: Callable[[str], Store] = memory
    settings: dict[str, Any] = field(default_factory=dict)
    world: World = field(init=False)
    app: Litestar = field(init=False)
    b: Asker = field(init=False)
    own: Asker = field(init=False)

    def __post_init__(self) -> None:
        self.world = World(make_store=self.make_store)
        self.world.node("Team A")
        self.world.node("Team B", country="XB")
        self.world.introduce("Team A", "Team B")
        self.world.bilateral("Team A", "Team B")
        self.app = create_app(self.a, config(**self.settings))
        self.b = self.reader(self.world.nodes["Team B"].party)
        self.own = self.reader(self.a.party)

    @property
    def a(self) -> Node:
        """Team A's node, which is served."""
        return self.world.nodes["Team A"]

    def reader(self, party: str, name: str = "tool") -> Asker:
        """Somebody with a fresh reading token of Team A."""
        return Asker(self.app, add_reader(self.a, party, name, by="officer-1"))

    def take(self, *objects: dict[str, object], **stated: object) -> None:
        """Let Team A take objects in; stated as the bilateral template's first clause wants it, unless said otherwise."""
        self.world.take("Team A", *objects, **{**STATED, **stated})


def envelope(*objects: Any) -> bytes:
    """A TAXII envelope around objects."""
    return orjson.dumps({"objects": list(objects)})


def ids(content: bytes) -> list[str]:
    """The ids in an envelope or manifest, in order."""
    return [one["id"] for one in orjson.loads(content).get("objects", [])]


def pages(asker: Asker, path: str, *, limit: int, **query: str) -> Sequence[Any]:
    """Every page of a collection by its cursors."""
    found = []
    more: dict[str, str] = {}
    while True:
        answer = asker.get(path, params={**query, **more, "limit": str(limit)})
        assert answer.status_code == 200, answer.text
        found.append(answer)
        if not answer.json().get("more"):
            return found
        more = {"next": answer.json()["next"]}
