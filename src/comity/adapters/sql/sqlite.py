"""What is SQLite's own: how a file is opened, checked and copied.

Rules, with their reasons (docs/store.md):
- WAL: readers and the one writer do not stop each other (sqlite.org/wal.html).
- synchronous=FULL: in WAL mode only FULL syncs the log at every commit. With NORMAL a power cut may take back a commit,
  and an act or promise that a peer already holds would then be denied by our own log.
- secure_delete: bytes taken out are overwritten, so that disposal is disposal.
- The file is readable by its owner alone; its -wal and -shm files inherit that.
"""

from __future__ import annotations

import os
import sqlite3
import stat
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Final

from comity.adapters.sql.faults import CAUGHT, translated
from comity.kernel.errors import LocalFault, NotAllowed, Usage

APPLICATION: Final = 0x434F4D59
"""``COMY`` in the file's header (sqlite.org/pragma.html#pragma_application_id)."""

PAGE: Final = 4096


def path_of(database: str | None) -> Path:
    """The file a URL names.

    Raises:
        Usage: `database-url`: a database in memory; each connection would see its own.
    """
    if not database or database == ":memory:" or database.startswith("file:"):
        raise Usage("database-url", "The database URL names no file; write sqlite:///PATH.")
    return Path(database).absolute()


def private_file(path: Path) -> None:
    """Make the file if it is not there, and let its owner alone read it; a stranger's file is left as it is.

    Raises:
        LocalFault: `store-unusable`: the folder is missing, or the file is not ours to open.
    """
    try:
        number = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            head = os.pread(number, 72, 0)
            ours = not head or head[68:] == APPLICATION.to_bytes(4, "big")  # sqlite.org/fileformat.html, 1.3
            if ours and stat.S_IMODE(os.fstat(number).st_mode) & 0o077:
                os.fchmod(number, 0o600)
        finally:
            os.close(number)
    except OSError as error:
        raise LocalFault(
            "store-unusable",
            f"The database {path} cannot be opened ({error.strerror}); check the path and who may read it.",
        ) from error


def prepare(connection: sqlite3.Connection, *, pages: int | None) -> None:
    """Settings of one connection; `pages` bounds the file, in pages of `PAGE` bytes."""
    for setting in (
        "synchronous=FULL",
        "fullfsync=ON",
        "secure_delete=ON",
        "foreign_keys=OFF",
        "trusted_schema=OFF",
        "temp_store=MEMORY",
        "cache_size=-16384",
        "wal_autocheckpoint=4000",
        "journal_size_limit=67108864",
    ):
        connection.execute(f"PRAGMA {setting}")
    if pages is not None:
        connection.execute(f"PRAGMA max_page_count={pages}")


def refuse_strangers(connection: sqlite3.Connection) -> None:
    """Refuse a database of another program.

    Raises:
        LocalFault: `store-unusable`.
    """
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    (tables,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    if application != APPLICATION and tables:
        raise LocalFault(
            "store-unusable", "The file is a database of another program; name a new file or a Comity database."
        )


def switch_to_wal(connection: sqlite3.Connection, seconds: float) -> None:
    """Put the file into WAL mode, which it then keeps.

    Another process may be doing the same, and SQLite does not wait for it here.

    Raises:
        LocalFault: `store-unusable`: the file system has no shared memory.
    """
    until = time.monotonic() + seconds
    while True:
        try:
            (mode,) = connection.execute("PRAGMA journal_mode=WAL").fetchone()
            break
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() >= until:
                raise
            time.sleep(0.01)
    if mode != "wal":
        raise LocalFault("store-unusable", f"The file system of the database allows no write-ahead log (mode {mode}).")


def planned_for(connection: sqlite3.Connection, statistics: list[tuple[str, str, str]]) -> bool:
    """Whether the planner has these statistics; damage is left for `integrity` to tell, so that a doctor gets in."""
    if not connection.execute("SELECT count(*) FROM sqlite_master WHERE name = 'sqlite_stat1'").fetchone()[0]:
        return False
    try:
        return sorted(connection.execute("SELECT tbl, idx, stat FROM sqlite_stat1")) == sorted(statistics)
    except sqlite3.DatabaseError as error:
        if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_CORRUPT:
            raise
        return True


def plan_for(connection: sqlite3.Connection, statistics: list[tuple[str, str, str]]) -> None:
    """Write the planner's statistics; connections opened later plan by them."""
    if not planned_for(connection, statistics):
        if not connection.execute("SELECT count(*) FROM sqlite_master WHERE name = 'sqlite_stat1'").fetchone()[0]:
            connection.execute("ANALYZE")  # makes the table; costs nothing in a database without rows
        connection.execute("DELETE FROM sqlite_stat1")
        connection.executemany("INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES (?, ?, ?)", statistics)
        connection.execute("ANALYZE sqlite_master")  # reads them in


def integrity(connection: sqlite3.Connection) -> list[str]:
    """What is wrong with the file, a sentence each; empty where nothing is (PRAGMA integrity_check)."""
    try:
        found = [str(row[0]) for row in connection.execute("PRAGMA integrity_check(100)")]
    except sqlite3.DatabaseError as error:
        return [f"The database file cannot be read through: {error}."]
    return [] if found == ["ok"] else [f"The database file is damaged: {line}." for line in found]


def copy(source: sqlite3.Connection, to: Path) -> None:
    """Write a consistent copy of the database to a new file, while others read and write (sqlite.org/backup.html).

    The copy appears under its name only when it is whole and on the disk.

    Raises:
        NotAllowed: `store-exists`: there is such a file already.
        Unavailable: `store-full`.
    """
    if to.exists():
        raise NotAllowed("store-exists", f"There is already a file {to}; nothing is overwritten, choose another name.")
    part = to.with_name(to.name + ".part")
    with suppress(FileNotFoundError):
        part.unlink()
    private_file(part)
    try:
        with closing(sqlite3.connect(part, isolation_level=None)) as target:
            target.execute("PRAGMA synchronous=OFF")
            source.backup(target)
        _sync(part)
        os.link(part, to)  # unlike rename it never replaces a file that came meanwhile
    except FileExistsError:
        raise NotAllowed("store-exists", f"There is already a file {to}; nothing is overwritten.") from None
    except CAUGHT as error:
        raise translated(error) from error
    finally:
        part.unlink(missing_ok=True)
    _sync(to.parent)


def _sync(path: Path) -> None:
    with _descriptor(path) as number:
        os.fsync(number)


@contextmanager
def _descriptor(path: Path) -> Iterator[int]:
    number = os.open(path, os.O_RDONLY)
    try:
        yield number
    finally:
        os.close(number)
