"""A small world of nodes in one process: their clock, their keys and randomness are given, their carrier is a function call.

The parts are the real ones; only the network is left out. `World.contact(a, b)` is one conversation, encoded and decoded as on the
wire; `World.introduce` lets parties add and verify each other's cards.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import sha256

from comity.adapters.documents import Papers
from comity.kernel.exchange.messages import decode, encode
from comity.kernel.exchange.session import answer
from comity.kernel.model.ids import party_id
from comity.kernel.model.instants import DAY, HOUR, SECOND, Instant, parse
from comity.kernel.model.objects import from_data
from comity.kernel.release.handling import Handling
from comity.kernel.release.templates import TemplateParty, bilateral, community
from comity.kernel.seal.canonical import canonical
from comity.kernel.seal.keys import SigningKey
from comity.kernel.store.memory import MemoryStore
from comity.kernel.store.ports import Store
from comity.node.attachments.giving import give
from comity.node.cards import add_card, verify_card
from comity.node.contact import Contact, converse
from comity.node.context import Keyring, Node
from comity.node.exchange import NodeSide
from comity.node.founding import found
from comity.node.gossip import known_size
from comity.node.instruments import receive, sign_agreement
from comity.node.intake import Counts, take_in
from comity.node.parties import card_file, resolve_party
from comity.node.record import log_facts, proof_of

START = parse("2021-03-05T12:00:00Z")


@dataclass
class Raw:
    """An object as a source gives it."""

    raw: bytes
    original: bytes | None = None
    changes: tuple[str, ...] = ()
    place: str = "object 1"
    handling: dict[str, str] = field(default_factory=dict)


@dataclass
class World:
    """Nodes by name under one clock (microseconds); `seed` decides all randomness, keyed by what it is for."""

    seed: bytes = b"world"
    at: Instant = START
    make_store: Callable[[str], Store] = lambda name: MemoryStore()
    nodes: dict[str, Node] = field(default_factory=dict)
    shift: dict[str, int] = field(default_factory=dict)
    imports: int = 0

    def node(self, name: str, kind: str = "csirt", country: str = "XA", period: int = 60 * SECOND) -> Node:
        """Found a node."""
        keys = [SigningKey.from_seed(self._bytes(32, f"{name}/key/{use}")) for use in ("identity", "node", "log")]
        made = Node(
            store=self.make_store(name),
            keys=Keyring(keys[1], keys[2], keys[0]),
            party=party_id(keys[0].public.spki),
            clock=lambda: self.at + self.shift.get(name, 0),
            random=lambda size, label: self._bytes(size, f"{name}/{label}"),
            secret=self._bytes(32, f"{name}/secret"),
            typesetting=Papers(),
        )
        found(made, name=name, kind=kind, country=country, period=period)
        self.nodes[name] = made
        return made

    def _bytes(self, size: int, label: str) -> bytes:
        out = b""
        while len(out) < size:
            out += hmac.digest(self.seed, f"{label}/{len(out)}".encode(), "sha256")
        return out[:size]

    def introduce(self, *names: str) -> None:
        """Let each add and verify the cards of the others."""
        for one in names:
            for other in names:
                if one != other:
                    with self.nodes[other].store.read() as tx:
                        card = card_file(tx, self.nodes[other].party)
                    known = add_card(self.nodes[one], card)
                    verify_card(
                        self.nodes[one],
                        known.party,
                        fingerprint=known.fingerprint,
                        method="in person",
                        officer="officer-1",
                    )

    def agree(self, text: str, *names: str) -> str:
        """Let each receive and sign an agreement, and carry the signatures; gives its digest."""
        digest = ""
        for name in names:
            row, _ = receive(self.nodes[name], text.encode())
            digest = row.digest
            sign_agreement(self.nodes[name], digest, officer="officer-1")
        self.sync(*names)
        return digest

    def bilateral(self, one: str, other: str) -> str:
        """The bilateral template between two nodes, signed."""
        return self.agree(bilateral(self.parties(one, other), enters_into_force=self.at), one, other)

    def community(self, *names: str) -> str:
        """The community template, signed."""
        return self.agree(community(self.parties(*names), enters_into_force=self.at), *names)

    def parties(self, *names: str) -> list[TemplateParty]:
        """Nodes as a template wants them."""
        return [TemplateParty(name.lower().replace(" ", "-"), name, self.nodes[name].party) for name in names]

    def take(self, name: str, *objects: dict[str, object], **stated: object) -> Counts:
        """Import objects at a node under a handling."""
        self.imports += 1
        for key in ("basis", "purpose", "caveats", "sectors", "countries", "cases", "recipients"):
            if key in stated:
                stated[key] = frozenset(stated[key])  # type: ignore[call-overload]
        handling = Handling(**stated)  # type: ignore[arg-type]
        _, counts = take_in(
            self.nodes[name],
            [Raw(from_data(data).raw) for data in objects],
            name="test",
            format="stix-2.1",
            digest=sha256(str(self.imports).encode()).hexdigest(),
            handling=handling,
            minted=False,
        )
        return counts

    def contact(self, caller: str, called: str) -> Contact:
        """One conversation between two nodes."""
        us, them = self.nodes[caller], self.nodes[called]
        return converse(us, them.party, Direct(them, us.party))

    def sync(self, *names: str) -> None:
        """Contacts between all, until everybody has everything."""
        for _ in range(2):
            for one in names:
                for other in names:
                    if one != other:
                        self.contact(one, other)

    def party(self, name: str, seen_by: str) -> str:
        """The id of a party as another node resolves its name."""
        with self.nodes[seen_by].store.read() as tx:
            return resolve_party(tx, name).id


@dataclass
class Direct:
    """A carrier that calls the other side in this process."""

    node: Node
    caller: str

    def turn(self, turn: bytes, *, objects: bool) -> bytes:
        return encode(answer(NodeSide(self.node), self.caller, decode(turn)))

    def proof(self, act: str) -> bytes:
        with self.node.store.read() as tx:
            known = known_size(tx, self.caller, log_facts(tx).origin)
            return canonical(proof_of(self.node, tx, act, known))

    def attachment(self, ask: bytes) -> bytes:
        return give(self.node, self.caller, ask)

    def close(self) -> None:
        pass


def indicator(number: int, **more: object) -> dict[str, object]:
    """A valid indicator; the same number gives the same object."""
    return {
        "type": "indicator",
        "spec_version": "2.1",
        "id": f"indicator--00000000-0000-4000-8000-{number:012x}",
        "created": "2021-03-02T00:00:00.000Z",
        "modified": "2021-03-02T00:00:00.000Z",
        "name": f"Web shell {number}",
        "pattern": f"[ipv4-addr:value = '198.51.100.{number % 250}']",
        "pattern_type": "stix",
        "valid_from": "2021-03-02T00:00:00Z",
        "indicator_types": ["malicious-activity"],
        **more,
    }


def malware(number: int, **more: object) -> dict[str, object]:
    """A valid malware object."""
    return {
        "type": "malware",
        "spec_version": "2.1",
        "id": f"malware--00000000-0000-4000-8000-{number:012x}",
        "created": "2021-03-02T00:00:00.000Z",
        "modified": "2021-03-02T00:00:00.000Z",
        "name": f"Family {number}",
        "is_family": True,
        **more,
    }


def relationship(number: int, source: str, target: str, **more: object) -> dict[str, object]:
    """A relationship between two objects."""
    return {
        "type": "relationship",
        "spec_version": "2.1",
        "id": f"relationship--00000000-0000-4000-8000-{number:012x}",
        "created": "2021-03-02T00:00:00.000Z",
        "modified": "2021-03-02T00:00:00.000Z",
        "relationship_type": "indicates",
        "source_ref": source,
        "target_ref": target,
        **more,
    }


__all__ = ["DAY", "HOUR", "SECOND", "World", "indicator", "malware", "relationship"]
