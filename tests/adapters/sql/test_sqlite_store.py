"""The store on SQLite under what happens to a node: kill -9, other processes, a full disk, a newer release, damage."""

from __future__ import annotations

import os
import signal
import sqlite3
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from comity.adapters.sql import SQLStore, open_store
from comity.adapters.sql.schema import CLUSTERED, FEW
from comity.kernel.errors import ComityError, LocalFault, NodeDamaged, NotAllowed, Unavailable, Usage
from comity.kernel.store.rows import TABLES, Grant, Setting, StreamRow, Value, Version
from comity.kernel.store.shape import columns


def url(path: Path) -> str:
    return f"sqlite:///{path}"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "node.db"


@pytest.fixture
def store(path: Path) -> Iterator[SQLStore]:
    kept = open_store(url(path))
    yield kept
    kept.close()


def version(n: int, size: int = 1000) -> Version:
    raw = n.to_bytes(8, "big") + bytes(size)
    return Version(n, f"indicator--{n}", "indicator", n, raw, b"s" * 32, b"t" * 32, None, None, None, None)


def stream(n: int, party: str = "identity--a", thing: str = "indicator--1") -> StreamRow:
    return StreamRow(party, n, "row", thing, n, n, "title#1", "full", b"[]", b"{}", 1, n * 10, None, None)


def program(text: str, *arguments: object) -> subprocess.Popen[str]:
    return subprocess.Popen([sys.executable, "-c", text, *map(str, arguments)], stdout=subprocess.PIPE, text=True)


# --- kill -9

WRITER = """
import signal, sys
from comity.adapters.sql import open_store
from comity.kernel.store.rows import Setting, Version
store = open_store(sys.argv[1])
def version(n):
    raw = n.to_bytes(8, "big") + bytes(1000)
    return Version(n, f"indicator--{n}", "indicator", n, raw, b"s" * 32, b"t" * 32, None, None, None, None)
with store.write() as writing:
    writing.add(version(n) for n in range(100))
print("acknowledged", flush=True)
with store.write() as writing:
    writing.put(Setting("half", b"1"))
    writing.add(version(n) for n in range(100, 60_000))  # more than the page cache: it spills into the log
    print("half way", flush=True)
    signal.pause()
"""


def test_a_writer_killed_half_way_leaves_what_it_acknowledged_and_nothing_else(path: Path) -> None:
    writer = program(WRITER, url(path))
    assert writer.stdout is not None
    assert writer.stdout.readline() == "acknowledged\n"
    assert writer.stdout.readline() == "half way\n"
    assert path.with_name("node.db-wal").stat().st_size > 10_000_000
    writer.send_signal(signal.SIGKILL)
    assert writer.wait() == -signal.SIGKILL
    writer.stdout.close()
    after = open_store(url(path))
    with after.read() as reading:
        assert [row.n for row in reading.find(Version)] == list(range(100))
        assert all(row == version(row.n) for row in reading.find(Version))
        assert reading.get(Setting, "half") is None
    assert after.integrity() == []
    with after.write() as writing:
        writing.add([version(100)])
    after.close()


COUNTER = """
import sys
from comity.adapters.sql import open_store
from comity.kernel.store.rows import Setting, Value
store = open_store(sys.argv[1], busy_seconds=60)
for n in range(200):
    with store.write() as writing:
        row = writing.get(Setting, "counter")
        writing.put(Setting("counter", str(int(row.value) + 1 if row else 1).encode()))
        writing.add([Value(sys.argv[2], n)])
store.close()
"""


def test_two_processes_count_together_and_no_step_is_lost(path: Path) -> None:
    counters = [program(COUNTER, url(path), name) for name in ("one", "two")]  # they also make the file together
    for counter in counters:
        assert counter.wait(timeout=120) == 0
        assert counter.stdout is not None
        counter.stdout.close()
    store = open_store(url(path))
    with store.read() as reading:
        assert reading.get(Setting, "counter") == Setting("counter", b"400")
        assert reading.count(Value, value="one") == reading.count(Value, value="two") == 200
    store.close()


HOLDER = """
import sys
from comity.adapters.sql import open_store
store = open_store(sys.argv[1])
with store.write():
    print("held", flush=True)
    sys.stdin.read()
"""


def test_a_writer_that_waits_too_long_is_told_busy_and_readers_are_not_stopped(path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, url(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        store = open_store_beside(path)
        with pytest.raises(Unavailable) as refused, store.write():
            raise AssertionError("never reached")
        assert refused.value.code == "store-busy"
        with store.read() as reading:
            assert reading.count(Setting) == 0
        holder.communicate("")
    with store.write() as writing:
        writing.put(Setting("a", b"1"))
    store.close()


def open_store_beside(path: Path) -> SQLStore:
    """Opening writes nothing where all is there, so another writer does not stop it."""
    return open_store(url(path), busy_seconds=0.2)


# --- threads


def test_threads_count_together_and_no_step_is_lost(store: SQLStore) -> None:
    def count() -> None:
        for _ in range(25):
            with store.write() as writing:
                row = writing.get(Setting, "counter")
                writing.put(Setting("counter", str(int(row.value) + 1 if row else 1).encode()))
            with store.read() as reading:
                assert reading.get(Setting, "counter") is not None

    threads = [threading.Thread(target=count) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with store.read() as reading:
        assert reading.get(Setting, "counter") == Setting("counter", b"200")


def test_a_thread_that_waits_too_long_is_told_busy(path: Path) -> None:
    store = open_store(url(path), busy_seconds=0.1)
    told: list[str] = []

    def write() -> None:
        try:
            with store.write():
                told.append("wrote")
        except Unavailable as error:
            told.append(error.code)

    with store.write():
        thread = threading.Thread(target=write)
        thread.start()
        thread.join()
    assert told == ["store-busy"]
    store.close()


def test_a_walk_left_half_way_does_not_hold_its_snapshot(store: SQLStore, path: Path) -> None:
    with store.write() as writing:
        writing.add(Value(f"{n:05}", n) for n in range(5000))
    with store.read() as reading:
        walk = reading.find(Value)
        next(walk)
    with pytest.raises(RuntimeError, match="closed"):
        list(walk)
    with store.write() as writing:
        writing.add([Value("new", 1)])
    with store.read() as reading:
        assert reading.count(Value) == 5001
    connection = sqlite3.connect(path)
    busy, _, _ = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    connection.close()
    assert busy == 0


# --- full disk


def test_a_full_disk_is_told_and_takes_nothing_away(path: Path) -> None:
    store = open_store(url(path), limit_bytes=2_000_000)
    with store.write() as writing:
        writing.add(version(n) for n in range(100))
    with pytest.raises(Unavailable) as refused, store.write() as writing:
        writing.put(Setting("half", b"1"))
        writing.add(version(n) for n in range(100, 5000))
    assert refused.value.code == "store-full"
    with store.read() as reading:
        assert reading.count(Version) == 100
        assert reading.get(Setting, "half") is None
    assert store.integrity() == []
    with store.write() as writing:
        writing.put(Setting("small", b"1"))
    store.close()


def test_a_deed_that_swallows_the_full_disk_does_not_happen(path: Path) -> None:
    store = open_store(url(path), limit_bytes=2_000_000)
    with pytest.raises(Unavailable), store.write() as writing:
        writing.put(Setting("before", b"1"))
        with pytest.raises(Unavailable):
            writing.add(version(n) for n in range(5000))
        with pytest.raises(Unavailable):
            writing.put(Setting("after", b"1"))  # SQLite has rolled back: this must not be committed by itself
    with store.read() as reading:
        assert reading.count(Setting) == reading.count(Version) == 0
    store.close()


def test_a_folder_that_may_not_be_written_is_told(store: SQLStore, path: Path, tmp_path: Path) -> None:
    for wrong in (tmp_path / "nowhere" / "node.db", tmp_path):
        with pytest.raises(LocalFault) as refused:
            open_store(url(wrong))
        assert refused.value.code == "store-unusable"


# --- versions of the schema


@pytest.mark.parametrize(
    ("schema", "oldest", "code"), [(99, 99, "store-newer"), (2, 2, "store-newer"), (0, 0, "store-older")]
)
def test_a_database_of_another_release_is_refused_and_not_touched(
    path: Path, schema: int, oldest: int, code: str
) -> None:
    open_store(url(path)).close()
    connection = sqlite3.connect(path)
    connection.execute("UPDATE comity_schema SET version = ?, oldest_reader = ?", (schema, oldest))
    connection.commit()
    connection.close()
    before = path.read_bytes()
    with pytest.raises(LocalFault) as refused:
        open_store(url(path))
    assert refused.value.code == code
    assert path.read_bytes() == before


def test_a_newer_database_that_we_can_read_is_read_and_never_written(path: Path) -> None:
    store = open_store(url(path))
    with store.write() as writing:
        writing.put(Setting("a", b"1"))
    store.close()
    connection = sqlite3.connect(path)
    connection.execute("UPDATE comity_schema SET version = 2, oldest_reader = 1")
    connection.commit()
    connection.close()
    store = open_store(url(path))
    with store.read() as reading:
        assert reading.get(Setting, "a") == Setting("a", b"1")
    with pytest.raises(LocalFault) as refused, store.write():
        raise AssertionError("never reached")
    assert refused.value.code == "store-newer"
    store.close()


def test_a_table_added_by_this_release_is_made_in_an_older_file(path: Path) -> None:
    store = open_store(url(path))
    with store.write() as writing:
        writing.put(Setting("a", b"1"))
    store.close()
    connection = sqlite3.connect(path)
    connection.execute("DROP TABLE value")
    connection.execute("DROP INDEX version_by_digest")
    connection.commit()
    connection.close()
    store = open_store(url(path))
    assert store.integrity() == []
    with store.write() as writing:
        writing.add([Value("x", 1)])
        assert writing.get(Setting, "a") is not None
    store.close()


# --- files


def test_the_file_is_for_its_owner_alone(path: Path) -> None:
    before = os.umask(0)
    try:
        store = open_store(url(path))
        with store.write() as writing:
            writing.put(Setting("a", b"1"))
        modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()}
    finally:
        os.umask(before)
    assert modes == {"node.db": 0o600, "node.db-wal": 0o600, "node.db-shm": 0o600}
    store.close()
    path.chmod(0o644)
    open_store(url(path)).close()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_database_of_another_program_is_refused_and_not_touched(path: Path) -> None:
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE bookmarks (url TEXT)")
    connection.close()
    before = path.read_bytes()
    with pytest.raises(LocalFault) as refused:
        open_store(url(path))
    assert refused.value.code == "store-unusable"
    assert path.read_bytes() == before


def test_a_file_that_is_no_database_is_refused(path: Path) -> None:
    path.write_bytes(b"From: nobody\n" * 500)
    with pytest.raises(LocalFault) as refused:
        open_store(url(path))
    assert refused.value.code == "store-unusable"


@pytest.mark.parametrize(
    "text", ["", "node.db", "sqlite://", "sqlite:///:memory:", "postgresql://localhost/x", "sqlite:///file:x?mode=ro"]
)
def test_a_url_that_names_no_sqlite_file_is_refused(text: str) -> None:
    with pytest.raises(Usage) as refused:
        open_store(text)
    assert refused.value.code == "database-url"


def test_damage_to_the_file_is_named(path: Path) -> None:
    open_store(url(path)).close()
    behind = path.stat().st_size  # the schema and the roots of the tables
    store = open_store(url(path))
    with store.write() as writing:
        writing.add(version(n) for n in range(2000))
    store.close()
    content = bytearray(path.read_bytes())
    for place in range(behind, len(content), 4096 * 2):
        content[place : place + 64] = b"\xa5" * 64
    path.write_bytes(content)
    store = open_store(url(path))
    found = store.integrity()
    assert found
    assert all(line.startswith(("The database file", "Table ")) for line in found)
    with pytest.raises(NodeDamaged) as refused, store.read() as reading:
        list(reading.find(Version))
    assert refused.value.code == "store-damaged"
    store.close()


def test_what_is_taken_out_leaves_no_bytes_in_the_file(path: Path) -> None:
    secret = b"the salt that was disposed of"
    store = open_store(url(path))
    with store.write() as writing:
        writing.add([replace(version(1), raw=secret), version(2)])
    with store.write() as writing:
        writing.remove(Version, 1)
    store.close()
    assert secret not in path.read_bytes()
    assert not path.with_name("node.db-wal").exists()


# --- backup


def test_a_backup_taken_while_a_writer_writes_is_whole(store: SQLStore, path: Path, tmp_path: Path) -> None:
    with store.write() as writing:
        writing.add(version(n) for n in range(3000))
    stop = threading.Event()

    def keep_writing() -> None:
        n = 3000
        while not stop.is_set():
            with store.write() as writing:
                writing.add([version(n), Value("pair", n)])
            n += 1

    thread = threading.Thread(target=keep_writing)
    thread.start()
    try:
        for number in range(3):
            store.backup(tmp_path / f"copy{number}.db")
    finally:
        stop.set()
        thread.join()
    for number in range(3):
        copy = open_store(url(tmp_path / f"copy{number}.db"))
        assert copy.integrity() == []
        with copy.read() as reading:
            assert reading.count(Version) == 3000 + reading.count(Value, value="pair")
        copy.close()
        assert stat.S_IMODE((tmp_path / f"copy{number}.db").stat().st_mode) == 0o600


def test_a_backup_overwrites_nothing(store: SQLStore, tmp_path: Path) -> None:
    (tmp_path / "copy.db").write_text("precious")
    with pytest.raises(NotAllowed) as refused:
        store.backup(tmp_path / "copy.db")
    assert refused.value.code == "store-exists"
    assert (tmp_path / "copy.db").read_text() == "precious"
    with pytest.raises(ComityError) as refused_too:
        store.backup(tmp_path / "nowhere" / "copy.db")
    assert refused_too.value.code == "store-unusable"
    assert sorted(file.name for file in tmp_path.iterdir() if not file.name.startswith("node.db")) == ["copy.db"]


def test_the_size_is_what_the_disk_holds(store: SQLStore, path: Path) -> None:
    before = store.size()
    with store.write() as writing:
        writing.add(version(n) for n in range(2000))
    assert store.size() > before + 2_000_000


# --- shape of the tables


def plan(store: SQLStore, sql: str, values: int) -> str:
    with store._connection() as connection:
        rows = connection.execute(f"EXPLAIN QUERY PLAN {sql}", (0,) * values).fetchall()
    return " / ".join(str(row[3]) for row in rows)


@pytest.mark.parametrize("kind", TABLES, ids=lambda kind: TABLES[kind].name)
def test_every_index_serves_the_question_it_was_made_for(path: Path, kind: type) -> None:
    store = open_store(url(path))
    table = TABLES[kind]
    for names in (table.key, *table.indexes, *table.unique):
        for depth in range(1, len(names) + 1):
            pinned = tuple((name, False) for name in names[:depth])
            rest = names[depth:]
            if rest:
                sql, places = store._statements.find(kind, pinned, names, (False,) * len(rest), True, False)
                shown = plan(store, sql, depth + len(places) + 1)
            else:
                shown = plan(store, store._statements.find(kind, pinned, table.key, None, True, False)[0], depth + 1)
            assert "SCAN" not in shown, (names, depth, shown)
            if rest:
                assert "TEMP B-TREE" not in shown, (names, depth, shown)
    store.close()


def test_one_look_up_in_a_long_stream_reads_few_rows(store: SQLStore) -> None:
    sql, _ = store._statements.find(StreamRow, (("party", False), ("object", False)), ("n",), None, True, True)
    assert "stream_by_party_object_n (party=? AND object=?)" in plan(store, sql, 3)
    sql, _ = store._statements.find(Grant, (("party", False), ("cls", False)), ("since",), None, True, True)
    assert "party=? AND cls=?" in plan(store, sql, 3) or "cls=? AND party=?" in plan(store, sql, 3)


def test_every_table_is_strict_and_named_sets_exist(store: SQLStore, path: Path) -> None:
    connection = sqlite3.connect(path)
    made = dict(connection.execute("SELECT name, sql FROM sqlite_master WHERE type = 'table'").fetchall())
    connection.close()
    names = {table.name for table in TABLES.values()}
    assert names | {"comity_schema", "sqlite_stat1"} == set(made)
    assert all("STRICT" in made[name] for name in names)
    assert names >= CLUSTERED
    assert {column.name for kind in TABLES for column in columns(kind)} >= FEW
