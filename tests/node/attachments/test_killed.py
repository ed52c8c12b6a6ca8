"""kill -9 in the middle of an add or a fetch: what was kept stays, the same deed goes on from there, and no rubbish is left."""

from __future__ import annotations

import io
import os
import signal
import tracemalloc
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from comity.adapters.sql.store import open_store
from comity.kernel.errors import InputRefused
from comity.kernel.exchange.attachments import CHUNK
from comity.kernel.store.rows import Attachment, Chunk, FileRow, Version
from comity.node.attachments.adding import add, chunks_of
from comity.node.attachments.keeping import sweep
from comity.node.doctor import examine
from simulators.files import STATED, A, B, content, fetched, opened, put_in, teams
from simulators.world import DAY, Direct, World


def on_disk(folder: Path) -> tuple[World, Callable[[], None], Callable[[], None]]:
    """The teams over SQLite, and how their stores are closed and opened again."""

    def store(name: str) -> Any:
        return open_store(f"sqlite:///{folder / name.replace(' ', '')}.db")

    world = teams(make_store=store)

    def shut() -> None:
        for node in world.nodes.values():
            node.store.close()

    def reopen() -> None:
        for name, node in list(world.nodes.items()):
            world.nodes[name] = replace(node, store=store(name))

    return world, shut, reopen


def killed(shut: Callable[[], None], reopen: Callable[[], None], work: Callable[[], object]) -> None:
    """Do something in a process of its own that is killed in the middle of it."""
    shut()
    child = os.fork()
    if child == 0:
        try:
            reopen()
            work()
        finally:
            os._exit(0)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status), "the work ended before it was killed"
    reopen()


def count(world: World, name: str, kind: type[Any]) -> int:
    with world.nodes[name].store.read() as tx:
        return tx.count(kind)


def dies_after(n: int) -> Callable[[int], None]:
    left = [n]

    def told(done: int) -> None:
        left[0] -= 1
        if not left[0]:
            os.kill(os.getpid(), signal.SIGKILL)

    return told


def test_an_add_that_was_killed_goes_on_where_it_stopped(tmp_path: Path) -> None:
    world, shut, reopen = on_disk(tmp_path)
    data = content(40, 5)
    killed(shut, reopen, lambda: put_in(world, A, data, told=dies_after(2)))
    assert (count(world, A, Chunk), count(world, A, Attachment)) == (32, 0)
    seen: list[int] = []
    object = put_in(world, A, data, told=seen.append)
    assert seen == [len(data)]  # the first 32 chunks were not written again
    assert opened(world, A, object) == data
    assert list(examine(world.nodes[A])) == []
    shut()


def test_chunks_nobody_comes_back_for_are_erased_after_a_day(tmp_path: Path) -> None:
    world, shut, reopen = on_disk(tmp_path)
    killed(shut, reopen, lambda: put_in(world, A, content(40), told=dies_after(1)))
    assert sweep(world.nodes[A]) == 0
    world.at += DAY
    assert sweep(world.nodes[A]) == 16 * CHUNK
    assert count(world, A, Chunk) == 0
    assert list(examine(world.nodes[A])) == []
    shut()


def test_a_fetch_that_was_killed_goes_on_where_it_stopped(tmp_path: Path) -> None:
    world, shut, reopen = on_disk(tmp_path)
    data = content(40, 5)
    object = put_in(world, A, data)
    world.sync(A, B)
    asked: list[int] = []

    class Counted(Direct):
        def attachment(self, ask: bytes) -> bytes:
            asked.append(len(asked))
            if len(asked) == 3 and os.getpid() != parent:
                os.kill(os.getpid(), signal.SIGKILL)
            return super().attachment(ask)

    parent = os.getpid()
    killed(shut, reopen, lambda: fetched(world, B, object, A, Counted))
    assert count(world, B, Chunk) == 32
    fetched(world, B, object, A, Counted)
    assert len(asked) == 1  # here; the chunks that came before the end were not asked for again
    assert opened(world, B, object) == data
    assert [found for node in world.nodes.values() for found in examine(node)] == []
    shut()


def test_erasing_that_was_cut_off_is_done_to_its_end(tmp_path: Path) -> None:
    world, shut, _ = on_disk(tmp_path)
    object = put_in(world, A, content(200))
    with world.nodes[A].store.write() as tx:  # as if it was killed after the first of four transactions
        [row] = tx.find(FileRow)
        [kept] = tx.find(Attachment)
        for n in range(136, 200):
            tx.remove(Chunk, row.root, n)
        tx.put(replace(row, leaves=row.leaves[: 136 * 32], whole=0), replace(kept, ended=world.at, why="cut off"))
    assert sweep(world.nodes[A]) == 136 * CHUNK
    assert count(world, A, Chunk) == 0
    assert count(world, A, Version) > 0, object
    shut()


class Endless(io.RawIOBase):
    """A large file that takes no room; each chunk is another."""

    def __init__(self, size: int) -> None:
        self.size, self.at = size, 0

    def seek(self, offset: int, whence: int = 0) -> int:
        self.at = offset
        return offset

    def read(self, size: int = -1) -> bytes:
        size = min(size, self.size - self.at, 1000)  # and never as much as was asked for
        begun, self.at = self.at, self.at + size
        return bytes([(begun // CHUNK) % 251]) * size


def test_memory_does_not_grow_with_the_size_of_a_file(tmp_path: Path) -> None:
    world, shut, _ = on_disk(tmp_path)
    peaks = []
    for chunks in (40, 160):
        tracemalloc.start()
        add(world.nodes[A], Endless(chunks * CHUNK), name=None, handling=STATED, officer="")  # type: ignore[arg-type]
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < peaks[0] + 16 * CHUNK
    shut()


def test_a_file_that_changes_while_it_is_read_is_refused() -> None:
    world = teams()

    class Changing(io.BytesIO):
        def seek(self, *place: int) -> int:
            self.getbuffer()[3] ^= 1
            return super().seek(*place)

    with pytest.raises(InputRefused) as refused:
        add(world.nodes[A], Changing(content(2)), name=None, handling=STATED, officer="")
    assert refused.value.code == "attachment-changed"
    assert count(world, A, Version) == 0
    assert [len(one) for one in chunks_of(io.BytesIO(b"x" * (CHUNK + 1)))] == [CHUNK, 1]
