"""Node to node, the network left out: sealed, encoded, decoded, verified, kept and receipted on both sides."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any


def node_to_node(path: str, folder: str) -> dict[str, Any]:
    """One node gives another all it holds under one agreement."""
    from bench.measures.nodes import STATED, Place

    place = Place(Path(folder))
    place.node("A")
    place.node("B")
    place.introduce("A", "B")
    place.agree("A", "B")
    place.take("A", path, STATED)
    began = time.perf_counter()
    delivered, _ = place.contact("A", "B")
    seconds = time.perf_counter() - began
    again, _ = place.contact("A", "B")
    place.close()
    if not delivered or again:
        raise RuntimeError(f"{delivered} rows were delivered at first, {again} afterwards")
    return {"n": delivered, "rate": delivered / seconds}
