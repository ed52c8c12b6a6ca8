"""Two teams that share files, and a third that is in no agreement with the first; what each of them does with a file."""

from __future__ import annotations

import io
from collections.abc import Callable
from hashlib import sha256
from typing import Any

from comity.kernel.exchange.attachments import CHUNK
from comity.kernel.release.handling import Handling
from comity.kernel.release.templates import bilateral
from comity.kernel.seal.cards import Card
from comity.node.attachments.adding import add
from comity.node.attachments.fetching import fetch
from comity.node.attachments.opening import open_file
from comity.node.context import Node
from simulators.world import Direct, World

A, B, C = "Team A", "Team B", "Team C"
STATED = Handling(
    tlp="green", basis=frozenset({"agreement"}), purpose=frozenset({"protect-networks"}), caveats=frozenset()
)
RED = Handling(tlp="red", caveats=frozenset())


def teams(**more: Any) -> World:
    """A and B under the bilateral template, B and C under another; A and C know each other and share nothing."""
    world = World(**more)
    for name, country in ((A, "XA"), (B, "XB"), (C, "XC")):
        world.node(name, country=country)
    world.introduce(A, B, C)
    for one, other in ((A, B), (B, C)):
        world.agree(files_between(world, one, other), one, other)
    return world


def files_between(world: World, one: str, other: str) -> str:
    """The bilateral template, which also lets artifacts go and the entries of their chains of custody."""
    text = bilateral(world.parties(one, other), enters_into_force=world.at, title="Arrangement on the sharing of files")
    return text.replace('"url", "file"]', '"url", "file", "artifact", "x-comity-custody"]')


def content(chunks: int, more: int = 0, seed: bytes = b"x") -> bytes:
    """A file of so many whole chunks and a few bytes, none like another."""
    lines = b"".join(sha256(seed + n.to_bytes(4, "big")).digest() for n in range((chunks * CHUNK + more) // 32 + 1))
    return lines[: chunks * CHUNK + more]


def put_in(world: World, team: str, data: bytes, handling: Handling = STATED, **said: Any) -> str:
    """A team adds a file; gives the id of the artifact."""
    said = {"name": "disk image.bin", "officer": "officer-1", **said}
    return str(add(world.nodes[team], io.BytesIO(data), handling=handling, **said)["object"])


def road(world: World, to: str, carrier: Callable[[Node, str], Any] = Direct) -> Callable[[Node, Card, bool], Any]:
    """How a team is called for files."""
    return lambda node, card, private: carrier(world.nodes[to], node.party)


def fetched(world: World, name: str, object: str, giver: str, carrier: Callable[[Node, str], Any] = Direct) -> Any:
    """A team fetches a file."""
    return fetch(world.nodes[name], object, road(world, giver, carrier), officer="officer-1")


def opened(world: World, name: str, object: str) -> bytes:
    """The bytes of a file as a team has them."""
    return b"".join(open_file(world.nodes[name], object, officer="officer-1").pieces)
