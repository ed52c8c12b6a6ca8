"""Kills real processes with SIGKILL at random moments and looks at what is left. Run by test_kill.py, or by hand:

    python tests/crash/driver.py import SEED ROUNDS FOLDER
    python tests/crash/driver.py exchange SEED ROUNDS FOLDER

Every round forks a process that does the work over the SQLite store, kills it after a random time, and holds that nothing that was
acknowledged is lost and nothing is doubled. At the end the work is finished undisturbed, and the doctor and the record are asked.
"""

from __future__ import annotations

import os
import random
import signal
import socket
import struct
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from hashlib import sha256
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from comity.adapters.sql.store import open_store
from comity.kernel.errors import Unavailable
from comity.kernel.exchange.messages import decode, encode
from comity.kernel.exchange.session import answer
from comity.kernel.model.ids import party_id
from comity.kernel.model.objects import from_data
from comity.kernel.release.handling import Handling
from comity.kernel.release.templates import TemplateParty, bilateral
from comity.kernel.seal.keys import SigningKey
from comity.kernel.store.rows import Delivery, Evidence, Holding, Received, StreamRow, Version
from comity.node.cards import add_card, verify_card
from comity.node.contact import converse
from comity.node.context import Keyring, Node
from comity.node.doctor import examine
from comity.node.exchange import NodeSide
from comity.node.founding import found
from comity.node.instruments import receive, sign_agreement
from comity.node.intake import begun, take_in
from comity.node.parties import card_file
from simulators.world import indicator

OBJECTS = 4_000
STATED = Handling(
    tlp="green", basis=frozenset({"agreement"}), purpose=frozenset({"protect-networks"}), caveats=frozenset()
)


def node_at(folder: Path, name: str) -> Node:
    """The node of a name, its store opened anew; keys follow from the name."""
    keys = [SigningKey.from_seed(sha256(f"{name}/{use}".encode()).digest()) for use in ("identity", "node", "log")]
    return Node(
        store=open_store(f"sqlite:///{folder / name}.db"),
        keys=Keyring(keys[1], keys[2], keys[0]),
        party=party_id(keys[0].public.spki),
        clock=lambda: time.time_ns() // 1_000,
        random=lambda size, _label: os.urandom(size),
        secret=sha256(name.encode()).digest(),
    )


@contextmanager
def opened(folder: Path, *names: str) -> Iterator[list[Node]]:
    """The nodes of some names, closed at the end: SQLite must not be open across a fork."""
    nodes = [node_at(folder, name) for name in names]
    try:
        yield nodes
    finally:
        for node in nodes:
            node.store.close()


class Item:
    """An object as a source gives it."""

    original = None
    changes: tuple[str, ...] = ()
    handling: dict[str, str] = {}

    def __init__(self, number: int) -> None:
        self.raw = from_data(indicator(number)).raw
        self.place = f"object {number}"


def import_all(folder: Path, name: str, acknowledged: Callable[[int], None]) -> None:
    """The import, from where it stands."""
    with opened(folder, name) as [node]:
        with node.store.read() as tx:
            batch = begun(tx, "crash")
        skip = 0 if batch is None else batch.taken
        take_in(
            node,
            (Item(number) for number in range(skip, OBJECTS)),
            name="crash",
            format="stix-2.1",
            digest="crash",
            handling=STATED,
            minted=False,
            progress=lambda counts: acknowledged(counts.objects),
        )


def forked(work: Callable[[], None]) -> int:
    """The id of a process that does the work and ends."""
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            work()
            status = 0
        finally:
            os._exit(status)
    return pid


def ended(pid: int) -> bool:
    """Whether a process has ended; one that ended by a fault of its own is an error."""
    done, status = os.waitpid(pid, os.WNOHANG)
    if done and os.WIFEXITED(status) and os.WEXITSTATUS(status) != 0:
        raise AssertionError(f"a process failed by itself with {os.WEXITSTATUS(status)}")
    return done != 0


def kill(pid: int) -> None:
    """SIGKILL, and wait until it is gone."""
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)


def rounds_of_import(rng: random.Random, rounds: int, folder: Path) -> None:
    """Kill an import again and again; each round begins a new node when the import was done."""
    name, generation = "", 0
    kills = 0
    for _ in range(rounds):
        if not name:
            generation += 1
            name = f"import{generation}"
            with opened(folder, name) as [node]:
                found(node, name="Team", kind="csirt", country="XA")
        reading, writing = os.pipe()
        pid = forked(
            lambda name=name, out=writing: import_all(folder, name, lambda n: os.write(out, struct.pack("!I", n)))
        )
        os.close(writing)
        time.sleep(rng.uniform(0.0, 0.8))
        over = ended(pid)
        if not over:
            kill(pid)
            kills += 1
        said = b""
        while piece := os.read(reading, 65536):
            said += piece
        os.close(reading)
        acknowledged = max((struct.unpack_from("!I", said, at)[0] for at in range(0, len(said) - 3, 4)), default=0)
        check_import(folder, name, acknowledged)
        if over:
            name = ""
    if name:
        import_all(folder, name, lambda n: None)
    for number in range(1, generation + 1):
        check_import(folder, f"import{number}", OBJECTS)
        with opened(folder, f"import{number}") as [node]:
            assert list(examine(node)) == []
    print(f"{kills} imports killed", flush=True)


def check_import(folder: Path, name: str, acknowledged: int) -> None:
    """What was acknowledged is there, once."""
    with opened(folder, name) as [node], node.store.read() as tx:
        versions = [row.id for row in tx.find(Version)]
        holdings = tx.count(Holding)
    assert len(versions) >= acknowledged, f"{acknowledged} were acknowledged, {len(versions)} are there"
    assert len(versions) == len(set(versions)) == holdings, "something is there twice"


class Pipe:
    """A carrier over a socket: length and bytes; a peer that is gone is Unavailable."""

    def __init__(self, one: socket.socket) -> None:
        self.socket = one

    def send(self, data: bytes) -> None:
        try:
            self.socket.sendall(struct.pack("!I", len(data)) + data)
        except OSError as gone:
            raise Unavailable("peer-unreachable", "The other side is gone.") from gone

    def receive(self) -> bytes:
        return self._exactly(struct.unpack("!I", self._exactly(4))[0])

    def _exactly(self, size: int) -> bytes:
        data = b""
        while len(data) < size:
            try:
                piece = self.socket.recv(size - len(data))
            except OSError as gone:
                raise Unavailable("peer-unreachable", "The other side is gone.") from gone
            if not piece:
                raise Unavailable("peer-unreachable", "The other side is gone.")
            data += piece
        return data

    def turn(self, turn: bytes, *, objects: bool) -> bytes:
        self.send(turn)
        return self.receive()

    def close(self) -> None:
        self.socket.close()


def call(folder: Path, ours: str, theirs: str, pipe: Pipe) -> None:
    """The side that calls."""
    with opened(folder, ours, theirs) as [us, them], suppress(Unavailable):
        converse(us, them.party, pipe)


def serve(folder: Path, ours: str, theirs: str, pipe: Pipe) -> None:
    """The side that answers."""
    with opened(folder, ours, theirs) as [us, them], suppress(Unavailable):
        while True:
            pipe.send(encode(answer(NodeSide(us), them.party, decode(pipe.receive()))))


def agreed(nodes: dict[str, Node]) -> None:
    """Cards verified, one agreement signed by both."""
    for name, node in nodes.items():
        found(node, name=f"Team {name}", kind="csirt", country="XA")
    for name, node in nodes.items():
        other = nodes["b" if name == "a" else "a"]
        with other.store.read() as tx:
            cards = card_file(tx, other.party)
        card = add_card(node, cards)
        verify_card(node, card.party, fingerprint=card.fingerprint, method="in person", officer="officer-1")
    parties = [TemplateParty(name, f"Team {name}", node.party) for name, node in nodes.items()]
    text = bilateral(parties, enters_into_force=nodes["a"].clock()).encode()
    for node in nodes.values():
        row, _ = receive(node, text)
        sign_agreement(node, row.digest, officer="officer-1")


def introduced(folder: Path) -> None:
    """Two parties with an agreement, the one with objects for the other."""
    with opened(folder, "a", "b") as made:
        agreed(dict(zip("ab", made, strict=True)))
    import_all(folder, "a", lambda n: None)


def rounds_of_exchange(rng: random.Random, rounds: int, folder: Path) -> None:
    """Kill either side, or both, of a running exchange, again and again."""
    introduced(folder)
    kills = 0
    for _ in range(rounds):
        near, far = socket.socketpair()
        caller, called = ("a", "b") if rng.random() < 0.5 else ("b", "a")
        first = forked(lambda: (far.close(), call(folder, caller, called, Pipe(near)))[0])  # noqa: B023
        second = forked(lambda: (near.close(), serve(folder, called, caller, Pipe(far)))[0])  # noqa: B023
        near.close()
        far.close()
        time.sleep(rng.uniform(0.05, 1.0))
        victims = rng.choice([[first], [second], [first, second]])
        left = [pid for pid in (first, second) if pid not in victims]
        for pid in victims:
            if not ended(pid):
                kill(pid)
                kills += 1
        for pid in left:
            deadline = time.monotonic() + 20
            while not ended(pid):
                assert time.monotonic() < deadline, "the side that was left does not end"
                time.sleep(0.01)
        check_exchange(folder)
    near, far = socket.socketpair()
    last = forked(lambda: (near.close(), serve(folder, "b", "a", Pipe(far)))[0])
    far.close()
    call(folder, "a", "b", Pipe(near))
    near.close()
    os.waitpid(last, 0)
    check_exchange(folder)
    with opened(folder, "a", "b") as nodes:
        with nodes[1].store.read() as tx:
            assert tx.count(Version) == OBJECTS, "not everything arrived"
        for node in nodes:
            assert list(examine(node)) == []
    print(f"{kills} sides killed", flush=True)


def check_exchange(folder: Path) -> None:
    """A receipt stands for rows that are there; nothing came twice; nobody is convicted."""
    with opened(folder, "a", "b") as [a, b], a.store.read() as ours, b.store.read() as theirs:
        received = {row.n: row for row in theirs.find(Received, party=a.party)}
        for made in ours.find(Delivery, party=b.party):
            if made.receipt is not None:
                assert all(n in received for n in range(made.first, made.last + 1)), "a receipted row is not there"
        rows = [row.n for row in ours.find(StreamRow, party=b.party)]
        assert rows == list(range(1, len(rows) + 1)), "the stream has a gap"
        ids = [row.object for row in theirs.find(Holding) if row.ended is None]
        assert len(ids) == len(set(ids)), "an object came twice"
        assert not list(ours.find(Evidence)), "an honest node is convicted"
        assert not list(theirs.find(Evidence)), "an honest node is convicted"


def main(words: list[str]) -> None:
    """The command."""
    what, seed, rounds, folder = words[0], int(words[1]), int(words[2]), Path(words[3])
    print(f"seed {seed}, {rounds} rounds of {what}", flush=True)
    deeds: dict[str, Any] = {"import": rounds_of_import, "exchange": rounds_of_exchange}
    deeds[what](random.Random(seed), rounds, folder)


if __name__ == "__main__":
    main(sys.argv[1:])
