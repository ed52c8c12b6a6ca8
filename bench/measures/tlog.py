"""The log: appending to the stored tree, proving from it; the floor is the hashing alone."""

from __future__ import annotations

import random
import shutil
import statistics
import time
from hashlib import sha256
from pathlib import Path
from typing import Any

CHUNK = 1_000
PROOFS = 200


def log(n: int, folder: str) -> dict[str, Any]:
    """Append n entries in durable commits of 1,000, then prove some of them, each from tiles read afresh."""
    from comity.adapters.sql.store import open_store
    from comity.kernel.store.rows import Tile
    from comity.kernel.tlog.tiles import TileWriter, tile_hashes
    from comity.kernel.tlog.tree import inclusion_proof, leaf_hash, verify_inclusion
    from comity.node.record import StoredTiles

    shutil.rmtree(folder, ignore_errors=True)
    Path(folder).mkdir(parents=True)
    store = open_store(f"sqlite:///{Path(folder) / 'log.db'}")
    entries = [i.to_bytes(32, "big") for i in range(n)]
    writer = TileWriter()
    began = time.perf_counter()
    for start in range(0, n, CHUNK):
        writer, rows = writer.append([leaf_hash(entry) for entry in entries[start : start + CHUNK]])
        with store.write() as tx:
            for row in rows:
                tx.put(Tile(row.level, row.index, row.data))
    appending = n / (time.perf_counter() - began)
    root = writer.frontier.root()
    draw = random.Random(1)
    spans, sizes = [], []
    for _ in range(PROOFS):
        index = draw.randrange(n)
        began = time.perf_counter()
        with store.read() as tx:
            proof = inclusion_proof(index, n, tile_hashes(StoredTiles(tx), n))
        spans.append(time.perf_counter() - began)
        verify_inclusion(leaf_hash(entries[index]), index, n, proof, root)
        sizes.append(32 * len(proof))
    store.close()
    shutil.rmtree(folder, ignore_errors=True)
    return {"n": n, "append": appending, "prove": statistics.median(spans) * 1e3, "proof_bytes": max(sizes)}


def hashing(n: int) -> dict[str, Any]:
    """The hashes of a tree of n leaves, one after the other."""
    entries = [i.to_bytes(32, "big") for i in range(n)]
    began = time.perf_counter()
    for entry in entries:
        sha256(b"\x00" + entry).digest()
    for entry in entries[1:]:
        sha256(b"\x01" + entry + entry).digest()
    return {"n": n, "append": n / (time.perf_counter() - began)}
