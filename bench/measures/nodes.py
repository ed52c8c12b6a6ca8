"""Nodes for measuring: real stores on disk, real keys, and no network between them."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

from comity.adapters.formats.source import open_source
from comity.adapters.sql.store import open_store
from comity.kernel.exchange.messages import decode, encode
from comity.kernel.exchange.session import answer
from comity.kernel.model.ids import party_id
from comity.kernel.model.instants import SECOND
from comity.kernel.release.handling import Handling
from comity.kernel.release.templates import TemplateParty, bilateral
from comity.kernel.seal.keys import SigningKey
from comity.node.cards import add_card, verify_card
from comity.node.contact import converse
from comity.node.context import Keyring, Node
from comity.node.exchange import NodeSide
from comity.node.founding import found
from comity.node.instruments import receive, sign_agreement
from comity.node.intake import Counts, take_in
from comity.node.parties import card_file

STATED = Handling(
    tlp="green",
    basis=frozenset({"agreement"}),
    purpose=frozenset({"protect-networks"}),
    caveats=frozenset(),
)
"""What lets indicators go under the first clause of the bilateral template."""


@dataclass
class Place:
    """A folder with nodes in it; `nodes` by name."""

    folder: Path
    nodes: dict[str, Node] = field(default_factory=dict)

    def __post_init__(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)

    def node(self, name: str) -> Node:
        """Found a node on SQLite, as durable as a served one."""
        keys = [SigningKey.from_seed(os.urandom(32)) for _ in range(3)]
        made = Node(
            store=open_store(f"sqlite:///{self.folder / (name + '.db')}"),
            keys=Keyring(keys[1], keys[2], keys[0]),
            party=party_id(keys[0].public.spki),
            clock=lambda: time.time_ns() // 1_000,
            random=lambda size, label: os.urandom(size),
            secret=os.urandom(32),
        )
        found(made, name=name, kind="csirt", country="XA", period=60 * SECOND)
        self.nodes[name] = made
        return made

    def introduce(self, one: str, other: str) -> None:
        """Let both add and verify each other's card."""
        for knows, known in ((one, other), (other, one)):
            with self.nodes[known].store.read() as tx:
                file = card_file(tx, self.nodes[known].party)
            card = add_card(self.nodes[knows], file)
            verify_card(self.nodes[knows], card.party, fingerprint=card.fingerprint, method="bench", officer="officer")

    def draft(self, one: str, other: str) -> str:
        """The bilateral template between two nodes."""
        parties = [TemplateParty(name.lower(), name, self.nodes[name].party) for name in (one, other)]
        return bilateral(parties, enters_into_force=self.nodes[one].clock())

    def agree(self, one: str, other: str) -> None:
        """Sign the draft on both sides and carry the papers."""
        text = self.draft(one, other).encode()
        for name in (one, other):
            row, _ = receive(self.nodes[name], text)
            sign_agreement(self.nodes[name], row.digest, officer="officer")
        for caller, called in ((one, other), (other, one)) * 2:
            self.contact(caller, called)

    def contact(self, caller: str, called: str) -> tuple[int, int]:
        """One conversation, encoded and decoded as on the wire: rows delivered, rows taken."""
        us, them = self.nodes[caller], self.nodes[called]
        done = converse(us, them.party, Direct(them, us.party))
        return done.delivered, done.taken

    def take(self, name: str, path: str, handling: Handling = STATED) -> Counts:
        """Take a file in, as `comity import` does."""
        node = self.nodes[name]
        with open(path, "rb") as stream:
            source = open_source(Path(path).name, stream, party=node.party, at=node.clock())
            _, counts = take_in(
                node,
                source,
                name=Path(path).name,
                format=source.format,
                digest=sha256(path.encode()).hexdigest(),
                handling=handling,
                minted=False,
                officer="officer",
            )
        return counts

    def close(self) -> None:
        """Give back the files."""
        for node in self.nodes.values():
            node.store.close()
        shutil.rmtree(self.folder, ignore_errors=True)


@dataclass
class Direct:
    """A carrier that calls the other side in this process."""

    node: Node
    caller: str

    def turn(self, turn: bytes, *, objects: bool) -> bytes:
        """The answer to a turn."""
        return encode(answer(NodeSide(self.node), self.caller, decode(turn)))

    def close(self) -> None:
        """Nothing is open."""


def raws(path: str) -> Iterator[bytes]:
    """The exact bytes of each object in a bundle."""
    from comity.kernel.model.bundle import walk

    with open(path, "rb") as stream:
        for part in walk(stream.read):
            yield part.raw
