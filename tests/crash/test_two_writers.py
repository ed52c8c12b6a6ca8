"""Two processes that write into one SQLite store at once: neither loses what was acknowledged, nothing is doubled."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

from comity.adapters.sql import open_store
from comity.kernel.store.rows import ActRow, Batch, Holding, Version
from comity.node.context import Keyring, Node
from comity.node.doctor import examine
from comity.node.founding import found
from simulators.world import World

TESTS = Path(__file__).resolve().parents[1]

WRITER = """
import sys
sys.path.insert(0, sys.argv[1])
from hashlib import sha256
from comity.adapters.sql import open_store
from comity.kernel.release.handling import Handling
from comity.kernel.model.objects import from_data
from comity.node.intake import take_in
from comity.node.handling import set_handling
from crash.test_two_writers import node_at
from simulators.world import Raw, indicator

path, name, first, last = sys.argv[2], sys.argv[3], int(sys.argv[4]), int(sys.argv[5])
node = node_at(path)
for start in range(first, last, 25):
    items = [Raw(from_data(indicator(n)).raw, place=f"object {n}") for n in range(start, start + 25)]
    _, counts = take_in(node, items, name=name, format="test", digest=sha256(f"{name}/{start}".encode()).hexdigest(),
                        handling=Handling(tlp="green", caveats=frozenset()), minted=False)
    print(start, counts.new, counts.known, flush=True)
    set_handling(node, str(indicator(start)["id"]), Handling(sectors=frozenset([name])), officer="officer-1")
node.store.close()
"""


def node_at(path: str) -> Node:
    """The node in a database; its keys follow from the seed of the world."""
    world = World(seed=b"two writers")
    made = world.node("Team A")
    keys = made.keys
    return Node(
        open_store(f"sqlite:///{path}"),
        Keyring(keys.node, keys.log, keys.identity),
        made.party,
        lambda: time.time_ns() // 1_000,
        lambda size, label: os.urandom(size),
        made.secret,
    )


def test_two_imports_at_once_keep_everything_once(tmp_path: Path) -> None:
    path = str(tmp_path / "node.db")
    node = node_at(path)
    found(node, name="Team A", kind="csirt", country="XA")
    node.store.close()
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", WRITER, str(TESTS), path, name, first, last],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for name, first, last in (("one", "0", "100"), ("other", "50", "150"))
    ]
    said = []
    for one in writers:
        out, complaint = one.communicate(timeout=120)
        assert one.returncode == 0, complaint[-3000:]
        said += [tuple(map(int, line.split())) for line in out.splitlines()]
    assert sum(new for _, new, _ in said) == 150, "each object was new once"
    assert sum(known for _, _, known in said) == 50
    node = node_at(path)
    with node.store.read() as tx:
        assert tx.count(Version) == 150
        ids = [row.object for row in tx.find(Holding) if row.ended is None]
        assert len(ids) == len(set(ids)) == 150
        assert all(row.done for row in tx.find(Batch))
        numbers = sorted(row.seq for row in tx.find(ActRow, to=""))
        assert numbers == list(range(1, len(numbers) + 1)), "the acts of both stand in one order"
    assert list(examine(node)) == []
    node.store.close()
