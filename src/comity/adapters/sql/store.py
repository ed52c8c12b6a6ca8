"""The store of the port on an SQL database.

Each transaction has a connection of its own from a pool; a transaction belongs to one thread, the store to all. Reads
see the state of the instant they were opened. A write takes the lock of this process and then the database's own (BEGIN
IMMEDIATE), so two threads queue in order and two processes are safe. A transaction in which an operation failed is
over: the error comes again from every later operation and at its end, and nothing of it has happened.

Rows go straight between dataclasses and the driver's cursor; SQL text is compiled once a shape (statements.py).
"""

from __future__ import annotations

import sqlite3
import threading
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from itertools import islice, starmap
from pathlib import Path
from typing import Any, Final, TypeVar

from sqlalchemy import create_engine, make_url
from sqlalchemy.engine import Engine
from sqlalchemy.exc import ArgumentError
from sqlalchemy.pool import QueuePool

from comity.adapters.sql import schema, sqlite
from comity.adapters.sql.faults import CAUGHT, translated
from comity.adapters.sql.statements import WIDTHS, Equal, Statements
from comity.kernel.errors import LocalFault, NodeDamaged, Unavailable, Usage
from comity.kernel.store.rows import OLDEST_READER, SCHEMA, TABLES
from comity.kernel.store.shape import column, columns, unkeepable, values_of

R = TypeVar("R")

CHUNK: Final = 1024
"""Rows fetched from the driver at once."""

BATCH: Final = 8192
"""Rows handed to the driver at once."""

CONNECTIONS: Final = 64
"""Transactions open at once in one process; what is beyond waits, and is told `store-busy` after a while."""


class _Reading:
    """A snapshot on one connection; see `comity.kernel.store.ports.Reading`."""

    def __init__(self, connection: sqlite3.Connection, statements: Statements) -> None:
        self._connection = connection
        self._statements = statements
        self._cursor = connection.cursor()
        self._open: set[sqlite3.Cursor] = set()
        self._over: BaseException | None = None

    def _fail(self, error: BaseException, kind: type[Any]) -> BaseException:
        return translated(error, kind)

    def _one(self, kind: type[Any], sql: str, values: Any) -> Any:
        if self._over is not None:
            raise self._over
        try:
            return self._cursor.execute(sql, values).fetchone()
        except CAUGHT as error:
            raise self._fail(error, kind) from error

    def _all(self, kind: type[Any], sql: str, values: Any) -> list[tuple[Any, ...]]:
        if self._over is not None:
            raise self._over
        try:
            return self._cursor.execute(sql, values).fetchall()
        except CAUGHT as error:
            raise self._fail(error, kind) from error

    def _rows(self, kind: type[R], sql: str, values: Any) -> Iterator[R]:
        """Rows as they come, in chunks, while the snapshot is open."""
        cursor = self._connection.cursor()
        if self._over is not None:
            raise self._over
        try:
            cursor.execute(sql, values)
            chunk = cursor.fetchmany(CHUNK)
        except CAUGHT as error:
            cursor.close()
            raise self._fail(error, kind) from error
        if len(chunk) < CHUNK:
            cursor.close()
            return starmap(kind, chunk)
        self._open.add(cursor)
        return self._more(kind, cursor, chunk)

    def _more(self, kind: type[R], cursor: sqlite3.Cursor, chunk: list[Any]) -> Iterator[R]:
        try:
            while chunk:
                yield from starmap(kind, chunk)
                if self._over is not None:
                    raise self._over
                chunk = cursor.fetchmany(CHUNK)
        except CAUGHT as error:
            raise self._fail(error, kind) from error
        finally:
            if cursor in self._open:  # else the snapshot ended before its reader did, and took the cursor with it
                self._open.discard(cursor)
                cursor.close()

    def get(self, kind: type[R], /, *key: Any) -> R | None:
        """The row with this key, or None."""
        found = self._one(kind, self._statements.get(kind), key)
        return None if found is None else kind(*found)

    def find(
        self,
        kind: type[R],
        /,
        *,
        order: tuple[str, ...] | None = None,
        after: tuple[Any, ...] | None = None,
        limit: int | None = None,
        reverse: bool = False,
        **equal: Any,
    ) -> Iterator[R]:
        """Rows whose columns equal the given values, in order; see `ports.Reading.find`."""
        if order is None:
            order = TABLES[kind].key
        shape, values = _pinned(kind, equal)
        nulls: tuple[bool, ...] | None = None
        if after is not None:
            free = [name for name in order if name not in equal]
            if len(after) != len(free):
                raise TypeError(f"after must have a value for each of {tuple(free)}")
            if not free:
                return iter(())
            nulls = tuple([value is None for value in after])
        if limit is not None and limit < 0:
            raise TypeError("limit must not be negative")
        sql, places = self._statements.find(kind, shape, order, nulls, limit is not None, reverse)
        if after is not None:
            values += [after[place] for place in places]
        if limit is not None:
            values.append(limit)
        return self._rows(kind, sql, values)

    def find_in(self, kind: type[R], column: str, values: Collection[Any], /, **equal: Any) -> Iterator[R]:
        """Rows whose column is one of the values, in no promised order."""
        shape, pinned = _pinned(kind, equal)
        wanted = list(dict.fromkeys(values))
        if any(value is None for value in wanted):
            raise unkeepable(kind, f"{column} is looked for among values, and None is none")
        found: list[R] = []
        for start in range(0, len(wanted), WIDTHS[-1]):
            part = wanted[start : start + WIDTHS[-1]]
            width = next(width for width in WIDTHS if width >= len(part))
            part += [part[-1]] * (width - len(part))
            found += starmap(kind, self._all(kind, self._statements.find_in(kind, column, width, shape), pinned + part))
        return iter(found)

    def last(self, kind: type[R], column: str, /, **equal: Any) -> Any:
        """The greatest value of a column among matching rows, or None where there are none."""
        shape, values = _pinned(kind, equal)
        return self._one(kind, self._statements.last(kind, column, shape), values)[0]

    def count(self, kind: type[Any], /, **equal: Any) -> int:
        """How many rows match."""
        shape, values = _pinned(kind, equal)
        found: int = self._one(kind, self._statements.count(kind, shape), values)[0]
        return found

    def _end(self, reason: str) -> None:
        for cursor in (*self._open, self._cursor):
            cursor.close()
        self._open.clear()
        self._over = RuntimeError(reason)


def _pinned(kind: type[Any], equal: dict[str, Any]) -> tuple[Equal, list[Any]]:
    for name in equal:
        column(kind, name)
    return (
        tuple([(name, value is None) for name, value in equal.items()]),
        [value for value in equal.values() if value is not None],
    )


class _Writing(_Reading):
    """The write transaction; see `comity.kernel.store.ports.Writing`.

    What it finds is fetched whole before it is given.
    """

    def _fail(self, error: BaseException, kind: type[Any]) -> BaseException:
        self._over = error  # whatever happens to the translation, this transaction is over
        self._over = translated(error, kind)
        return self._over

    def _rows(self, kind: type[R], sql: str, values: Any) -> Iterator[R]:
        return starmap(kind, self._all(kind, sql, values))

    def add(self, rows: Iterable[Any]) -> None:
        """Insert rows (of one or several kinds) whose keys are new; see `ports.Writing.add`."""
        source = iter(rows)
        try:
            while batch := list(islice(source, BATCH)):
                for kind, part in _by_kind(batch):
                    self._keep(kind, self._statements.insert, part)
        except BaseException as error:
            self._over = self._over or error
            raise

    def put(self, *rows: Any) -> None:
        """Insert rows, or replace those with the same keys; see `ports.Writing.put`."""
        for kind, part in _by_kind(rows):
            self._keep(kind, self._statements.put, part)

    def _keep(self, kind: type[Any], statement: Callable[[type[Any]], str], rows: Sequence[Any]) -> None:
        if self._over is not None:
            raise self._over
        if kind not in TABLES:
            raise TypeError(f"{kind.__name__} is not a row type of the store")
        values = map(values_of(kind, _names(kind)), rows)
        try:
            if len(rows) == 1:
                self._cursor.execute(statement(kind), next(values))
            else:
                self._cursor.executemany(statement(kind), values)
        except CAUGHT as error:
            raise self._fail(error, kind) from error

    def remove(self, kind: type[Any], /, *key: Any) -> None:
        """Take out the row with this key, if it is there."""
        if self._over is not None:
            raise self._over
        try:
            self._cursor.execute(self._statements.remove(kind), key)
        except CAUGHT as error:
            raise self._fail(error, kind) from error


def _by_kind(rows: Sequence[Any]) -> Iterable[tuple[type[Any], Sequence[Any]]]:
    """Rows kind by kind, those of a kind in their order."""
    kinds = set(map(type, rows))
    if len(kinds) == 1:
        return [(kinds.pop(), rows)]
    by_kind: defaultdict[type[Any], list[Any]] = defaultdict(list)
    for row in rows:
        by_kind[type(row)].append(row)
    return by_kind.items()


_NAMES: dict[type[Any], tuple[str, ...]] = {}


def _names(kind: type[Any]) -> tuple[str, ...]:
    names = _NAMES.get(kind)
    if names is None:
        names = _NAMES[kind] = tuple(stands.name for stands in columns(kind))
    return names


@lru_cache(maxsize=4)
def _statements(kinds: tuple[type[Any], ...], dialect: str) -> Statements:
    """The tables and statements of these rows in a dialect: the same for every database, so they are made once a process."""
    return Statements(schema.build(), make_url(f"{dialect}://").get_dialect()())


class SQLStore:
    """A store in an SQL database; made by `open_store`, safe to share between threads."""

    def __init__(self, engine: Engine, path: Path, busy_seconds: float) -> None:
        self._engine = engine
        self._path = path
        self._busy_seconds = busy_seconds
        self._turn = threading.Lock()
        self._holder: int | None = None
        self._closed = False
        self._newer = False
        self._statements = _statements(tuple(TABLES), engine.dialect.name)

    @contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection]:
        if self._closed:
            raise RuntimeError("this store is closed")
        try:
            pooled = self._engine.raw_connection()
        except CAUGHT as error:
            raise translated(error) from error
        try:
            connection = pooled.driver_connection
            assert isinstance(connection, sqlite3.Connection)
            yield connection
        finally:
            pooled.close()

    @contextmanager
    def read(self) -> Iterator[_Reading]:
        """A snapshot for reading; many at once. A snapshot held long keeps the write-ahead log from shrinking."""
        with self._connection() as connection:
            try:
                connection.execute("BEGIN")
                connection.execute(schema.SNAPSHOT).fetchone()  # the snapshot starts here
            except CAUGHT as error:
                _roll_back(connection)
                raise translated(error) from error
            reading = _Reading(connection, self._statements)
            try:
                yield reading
            finally:
                reading._end("this reader is closed")
                _roll_back(connection)

    @contextmanager
    def write(self) -> Iterator[_Writing]:
        """The one write transaction; durable when the block ends, not happened when it raises.

        Raises:
            Unavailable: `store-busy`: another writer for `busy_seconds`; `store-full`.
            LocalFault: `store-newer`: a newer release wrote this database, which this one may only read.
            RuntimeError: This thread is in a write transaction already.
        """
        if self._newer:
            raise LocalFault(
                "store-newer", "A newer release wrote this database; this one can read it and must not write to it."
            )
        with self._my_turn(), self._connection() as connection:
            try:
                connection.execute("BEGIN IMMEDIATE")
            except CAUGHT as error:
                raise translated(error) from error
            writing = _Writing(connection, self._statements)
            try:
                yield writing
                if writing._over is not None:
                    raise writing._over
                writing._end("this write transaction is over")
                try:
                    connection.execute("COMMIT")
                except CAUGHT as error:
                    raise translated(error) from error
            finally:
                writing._end("this write transaction is over")
                _roll_back(connection)

    @contextmanager
    def _my_turn(self) -> Iterator[None]:
        me = threading.get_ident()
        if self._holder == me:
            raise RuntimeError("a write transaction is already open here; a deed is one transaction")
        if not self._turn.acquire(timeout=self._busy_seconds):
            raise Unavailable("store-busy", "Another writer holds the store; try again in a moment.")
        self._holder = me
        try:
            yield
        finally:
            self._holder = None
            self._turn.release()

    def _found(self) -> None:
        """Refuse what this release must not touch, and make what is missing; writes nothing where all is there."""
        with self._connection() as connection:
            try:
                sqlite.refuse_strangers(connection)
                if self._lacking(connection):
                    sqlite.switch_to_wal(connection, self._busy_seconds)
                    connection.execute("BEGIN IMMEDIATE")
                    if self._lacking(connection):  # another process may have made it meanwhile
                        self._make(connection)
                    connection.execute("COMMIT")
            except CAUGHT as error:
                raise translated(error) from error
            finally:
                _roll_back(connection)

    def _lacking(self, connection: sqlite3.Connection) -> bool:
        """Whether tables, indexes or statistics are to be made.

        Raises:
            LocalFault: `store-newer`, `store-older`.
        """
        there = {str(row[0]) for row in connection.execute("SELECT name FROM sqlite_master")}
        if schema.VERSION_TABLE not in there:
            return True
        version, oldest = connection.execute(schema.READ_VERSION).fetchone()
        if oldest > SCHEMA:
            raise LocalFault(
                "store-newer",
                f"This database has schema {version}, which needs a release that reads schema {oldest}; this one reads "
                f"{SCHEMA}. Use that release or restore a backup.",
                schema=version,
                oldest_reader=oldest,
            )
        if version < SCHEMA:
            raise LocalFault(
                "store-older",
                f"This database has schema {version} and this release writes {SCHEMA}; make a backup, then run "
                "the release that wrote it.",
                schema=version,
            )
        self._newer = version > SCHEMA
        wanted = {name for kind in TABLES for name, _, _ in schema.indexes(kind)} | {
            table.name for table in self._statements.tables.values()
        }
        statistics = schema.statistics(self._statements.tables)
        return not self._newer and (not wanted <= there or not sqlite.planned_for(connection, statistics))

    def _make(self, connection: sqlite3.Connection) -> None:
        connection.execute(f"PRAGMA application_id={sqlite.APPLICATION}")
        connection.execute(schema.MAKE_VERSION)
        if connection.execute(schema.READ_VERSION).fetchone() is None:
            connection.execute(schema.WRITE_VERSION, (SCHEMA, OLDEST_READER))
        definitions = schema.definitions(self._statements.tables, self._engine.dialect)
        for statements in definitions.values():
            for statement in statements:
                connection.execute(statement)
        sqlite.plan_for(connection, schema.statistics(self._statements.tables))

    def close(self) -> None:
        """Give back files and connections; the last one to close a SQLite file folds its write-ahead log in."""
        self._closed = True
        self._engine.dispose()

    def backup(self, path: str | Path) -> None:
        """Write a consistent copy to a new file, while others read and write; it is a whole database by itself.

        Raises:
            NotAllowed: `store-exists`.
            Unavailable: `store-full`.
        """
        with self._connection() as connection:
            sqlite.copy(connection, Path(path).absolute())

    def integrity(self) -> list[str]:
        """What is wrong with the file and its tables, a sentence each; empty where nothing is."""
        with self._connection() as connection:
            found = sqlite.integrity(connection)
            for kind, table in self._statements.tables.items():
                wanted = [(column.name, not column.nullable) for column in columns(kind)]
                try:
                    there = [
                        (str(row[1]), bool(row[3])) for row in connection.execute(f"PRAGMA table_info('{table.name}')")
                    ]
                except sqlite3.DatabaseError as error:
                    found.append(f"Table {table.name!r} cannot be read: {error}.")
                    continue
                if [name for name, _ in there] != [name for name, _ in wanted]:
                    found.append(f"Table {table.name!r} has not the columns this release writes.")
            return found

    def size(self) -> int:
        """Bytes on disk, the write-ahead log included."""
        files = (self._path, self._path.with_name(self._path.name + "-wal"))
        return sum(file.stat().st_size for file in files if file.exists())


def _roll_back(connection: sqlite3.Connection) -> None:
    if connection.in_transaction:
        try:
            connection.execute("ROLLBACK")
        except sqlite3.Error as error:
            raise NodeDamaged(
                "store-damaged", f"The database could not undo a transaction ({error}); run `comity doctor`."
            ) from error


def open_store(url: str, *, busy_seconds: float = 10, limit_bytes: int | None = None) -> SQLStore:
    """Open the node's database, making it if it is not there.

    Args:
        url: An SQLAlchemy URL; ``sqlite:///PATH`` (four slashes for an absolute path).
        busy_seconds: How long a writer waits for another one before `store-busy`: once for this process, once for
            others.
        limit_bytes: The file never grows beyond this, and says `store-full` instead; None: as the disk has room.

    Raises:
        Usage: `database-url`.
        LocalFault: `store-newer`, `store-older`, `store-unusable`.
        NodeDamaged: `store-damaged`.
        Unavailable: `store-busy`, `store-full`.
    """
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise Usage("database-url", "The database URL cannot be read; write sqlite:///PATH.") from None
    if parsed.drivername not in {"sqlite", "sqlite+pysqlite"}:
        raise Usage(
            "database-url", f"This release keeps its store in SQLite, not in {parsed.drivername}; write sqlite:///PATH."
        )
    path = sqlite.path_of(parsed.database)
    sqlite.private_file(path)
    pages = None if limit_bytes is None else max(1, limit_bytes // sqlite.PAGE)

    def connect() -> sqlite3.Connection:
        connection = sqlite3.connect(
            path, timeout=busy_seconds, isolation_level=None, check_same_thread=False, cached_statements=512
        )
        try:
            sqlite.prepare(connection, pages=pages)
        except BaseException:
            connection.close()
            raise
        return connection

    engine = create_engine(
        "sqlite://",
        creator=connect,
        poolclass=QueuePool,
        pool_size=8,
        max_overflow=CONNECTIONS - 8,
        pool_timeout=busy_seconds,
        pool_use_lifo=True,
        pool_reset_on_return=None,
    )
    store = SQLStore(engine, path, busy_seconds)
    try:
        store._found()
    except BaseException:
        store.close()
        raise
    return store
