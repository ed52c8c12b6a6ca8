"""Taking a file into the durable store; the floor is SQLite with the same bytes and nothing else."""

from __future__ import annotations

import shutil
import sqlite3
import time
from pathlib import Path
from typing import Any

CHUNK = 1_000


def take_in(path: str, folder: str) -> dict[str, Any]:
    """Read, validate, class and keep a file, as `comity import` does, durable after every chunk."""
    from bench.measures.nodes import STATED, Place

    place = Place(Path(folder))
    place.node("A")
    began = time.perf_counter()
    counts = place.take("A", path, STATED)
    seconds = time.perf_counter() - began
    place.close()
    if counts.objects == 0 or counts.refused:
        raise RuntimeError(f"the import did not go as it must: {counts}")
    return {"n": counts.objects, "rate": counts.objects / seconds}


def executemany(path: str, folder: str) -> dict[str, Any]:
    """Insert the same bytes under their ids, as durable, in commits of as many."""
    import orjson

    from bench.measures.nodes import raws

    rows = [(orjson.loads(raw)["id"], raw) for raw in raws(path)]
    shutil.rmtree(folder, ignore_errors=True)
    Path(folder).mkdir(parents=True)
    database = sqlite3.connect(Path(folder) / "floor.db", isolation_level=None)
    database.execute("PRAGMA journal_mode=WAL")
    database.execute("PRAGMA synchronous=FULL")
    database.execute("CREATE TABLE object (id TEXT NOT NULL, raw BLOB NOT NULL) STRICT")
    database.execute("CREATE INDEX by_id ON object (id)")
    began = time.perf_counter()
    for start in range(0, len(rows), CHUNK):
        database.execute("BEGIN IMMEDIATE")
        database.executemany("INSERT INTO object VALUES (?, ?)", rows[start : start + CHUNK])
        database.execute("COMMIT")
    seconds = time.perf_counter() - began
    database.close()
    shutil.rmtree(folder, ignore_errors=True)
    return {"n": len(rows), "rate": len(rows) / seconds}
