"""One contract, every store. Which fixture to pick:

- `store`: an empty store, once in memory and once on SQLite; every promise of the port is tested through it.
- `both`: an empty one of each, for tests that hold them equal.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from comity.adapters.sql import open_store
from comity.kernel.store.memory import MemoryStore
from comity.kernel.store.ports import Store


@pytest.fixture(params=["memory", "sqlite"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """An empty store of each kind."""
    kept: Store = MemoryStore() if request.param == "memory" else open_store(f"sqlite:///{tmp_path}/node.db")
    yield kept
    kept.close()


@pytest.fixture
def both(tmp_path: Path) -> Iterator[tuple[Store, Store]]:
    """An empty store in memory and an empty one on SQLite."""
    kept = MemoryStore(), open_store(f"sqlite:///{tmp_path}/node.db")
    yield kept
    kept[1].close()
