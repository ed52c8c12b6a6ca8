"""The reference store: dictionaries and sorted lists, with all promises of the port except durability.

Rules (ports.py; docs/store.md):
- One writer at a time. What a block did is undone from its journal when the block raises.
- A reader sees the state of the instant it was opened, whatever is written later, and nothing of an open write
  transaction. A table is copied only when somebody writes to it while a reader is open, or reads while a writer has
  changed it.
- A transaction in which an operation failed is over: the error comes again from every later operation and at its end.

Single-threaded: the kernel has no threads. Give `lock` (a reentrant lock, used as a context manager around each block)
to use one store from several threads; readers then wait for the writer too.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Collection, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from itertools import islice
from typing import Any, Final, TypeVar

from comity.kernel.errors import ComityError, NodeDamaged
from comity.kernel.store.rows import TABLES
from comity.kernel.store.shape import check, column, columns, values_of

R = TypeVar("R")
Key = tuple[Any, ...]


class _Top:
    """Greater than every value a column can hold."""

    __slots__ = ()

    def __lt__(self, other: object) -> bool:
        return False

    def __gt__(self, other: object) -> bool:
        return True


TOP: Final = _Top()


class _Index:
    """Rows in the order of some columns and then the key; None stands before every value."""

    __slots__ = ("columns", "entries", "key", "nullable")

    def __init__(self, kind: type[Any], names: tuple[str, ...]) -> None:
        key = TABLES[kind].key
        self.columns = names + tuple(name for name in key if name not in names)
        self.nullable = frozenset(name for name in names if column(kind, name).nullable)
        self.key = tuple(self.columns.index(name) for name in key)
        self.entries: list[tuple[Any, ...]] = []

    def copy(self) -> _Index:
        twin = object.__new__(_Index)
        twin.columns, twin.key, twin.nullable = self.columns, self.key, self.nullable
        twin.entries = self.entries.copy()
        return twin

    def sortable(self, name: str, value: Any) -> Any:
        """The value as it is compared: None first."""
        return (value is not None, value) if name in self.nullable else value

    def entry(self, row: Any) -> tuple[Any, ...]:
        return tuple(self.sortable(name, getattr(row, name)) for name in self.columns)

    def add(self, row: Any) -> None:
        entry = self.entry(row)
        if not self.entries or entry > self.entries[-1]:
            self.entries.append(entry)
        else:
            insort(self.entries, entry)

    def remove(self, row: Any) -> None:
        del self.entries[bisect_left(self.entries, self.entry(row))]


class _Rows:
    """One table: rows by key, keys by unique values, and the indexes; the first index is over the key."""

    __slots__ = ("by_key", "indexes", "kind", "unique")

    def __init__(self, kind: type[Any]) -> None:
        table = TABLES[kind]
        columns(kind)  # refuses a row type that no store could keep
        self.kind = kind
        self.by_key: dict[Key, Any] = {}
        self.unique: dict[tuple[str, ...], dict[Key, Key]] = {names: {} for names in table.unique}
        self.indexes = [_Index(kind, names) for names in (table.key, *table.indexes, *table.unique)]

    def copy(self) -> _Rows:
        twin = object.__new__(_Rows)
        twin.kind = self.kind
        twin.by_key = self.by_key.copy()
        twin.unique = {names: taken.copy() for names, taken in self.unique.items()}
        twin.indexes = [index.copy() for index in self.indexes]
        return twin

    def key_of(self, row: Any) -> Key:
        return values_of(self.kind, TABLES[self.kind].key)(row)

    def set(self, row: Any) -> None:
        """Put a row whose key and unique values are free."""
        key = self.key_of(row)
        self.by_key[key] = row
        for names, taken in self.unique.items():
            taken[values_of(self.kind, names)(row)] = key
        for index in self.indexes:
            index.add(row)

    def drop(self, key: Key) -> None:
        row = self.by_key.pop(key)
        for names, taken in self.unique.items():
            del taken[values_of(self.kind, names)(row)]
        for index in self.indexes:
            index.remove(row)

    def clash(self, row: Any, key: Key) -> tuple[str, ...] | None:
        """The unique columns whose values another row than the one with this key has."""
        for names, taken in self.unique.items():
            if taken.get(values_of(self.kind, names)(row), key) != key:
                return names
        return None

    def matching(
        self,
        equal: dict[str, Any],
        order: tuple[str, ...],
        after: tuple[Any, ...] | None = None,
        limit: int | None = None,
        reverse: bool = False,
    ) -> list[Any]:
        """Rows with these values in this order, from the index that fits best; see `Reading.find`."""
        free = tuple(name for name in order if name not in equal)
        if after is not None and len(after) != len(free):
            raise TypeError(f"after must have a value for each of {free}")
        wanted = free + tuple(name for name in TABLES[self.kind].key if name not in equal and name not in free)

        best, led, ordered = self.indexes[0], -1, False
        for index in self.indexes:
            leading = 0
            while leading < len(index.columns) and index.columns[leading] in equal:
                leading += 1
            follows = index.columns[leading : leading + len(wanted)] == wanted
            if (leading, follows) > (led, ordered):
                best, led, ordered = index, leading, follows

        prefix = tuple(best.sortable(name, equal[name]) for name in best.columns[:led])
        first, end = prefix, (*prefix, TOP)
        if ordered and after is not None:
            bound = prefix + tuple(best.sortable(name, value) for name, value in zip(free, after, strict=True))
            first, end = (first, bound) if reverse else ((*bound, TOP), end)
        low, high = bisect_left(best.entries, first), bisect_left(best.entries, end)
        places = range(high - 1, low - 1, -1) if reverse else range(low, high)
        rest = [(name, value) for name, value in equal.items() if name not in best.columns[:led]]
        key = best.key
        rows = (self.by_key[tuple([entry[at] for at in key])] for entry in map(best.entries.__getitem__, places))
        if rest:
            rows = (row for row in rows if all(getattr(row, name) == value for name, value in rest))
        if ordered:
            return list(islice(rows, limit))

        def rank(row: Any) -> tuple[Any, ...]:
            return tuple([(value is not None, value) for value in values_of(self.kind, wanted)(row)])

        found = sorted(rows, key=rank, reverse=reverse)
        if after is not None:
            bound = tuple((value is not None, value) for value in after)
            width = len(bound)
            found = [row for row in found if (rank(row)[:width] < bound if reverse else rank(row)[:width] > bound)]
        return found[:limit]


class _Reading:
    """A consistent view: the tables as they stood when it was opened."""

    def __init__(self, tables: dict[type[Any], _Rows]) -> None:
        self._tables = tables
        self._over: BaseException | None = None

    def _table(self, kind: type[Any]) -> _Rows:
        if self._over is not None:
            raise self._over
        table = self._tables.get(kind)
        return table if table is not None else _Rows(kind)

    def get(self, kind: type[R], /, *key: Any) -> R | None:
        """The row with this key, or None."""
        table = self._table(kind)
        names = TABLES[kind].key
        if len(key) != len(names):
            raise TypeError(f"the key of {kind.__name__} is {names}")
        for name, value in zip(names, key, strict=True):
            check(kind, name, value)
        row: R | None = table.by_key.get(key)
        return row

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
        order = TABLES[kind].key if order is None else order
        for name in order:
            column(kind, name)
        possible = _checked(kind, equal)
        for name, value in zip((name for name in order if name not in equal), after or (), strict=False):
            if value is not None:
                check(kind, name, value)
        table = self._table(kind)
        if limit is not None and limit < 0:
            raise TypeError("limit must not be negative")
        return iter(table.matching(equal, order, after, limit, reverse) if possible else ())

    def find_in(self, kind: type[R], column: str, values: Collection[Any], /, **equal: Any) -> Iterator[R]:
        """Rows whose column is one of the values, in no promised order."""
        table = self._table(kind)
        possible = _checked(kind, equal)
        for value in values:
            check(kind, column, value)
        found: list[R] = []
        wanted = [value for value in dict.fromkeys(values) if equal.get(column, value) == value] if possible else []
        for value in wanted:
            found += table.matching({**equal, column: value}, TABLES[kind].key)
        return iter(found)

    def last(self, kind: type[R], column: str, /, **equal: Any) -> Any:
        """The greatest value of a column among matching rows, or None where there are none."""
        for row in self.find(kind, order=(column,), reverse=True, limit=1, **equal):
            return getattr(row, column)
        return None

    def count(self, kind: type[Any], /, **equal: Any) -> int:
        """How many rows match."""
        if not equal:
            return len(self._table(kind).by_key)
        return sum(1 for _ in self.find(kind, **equal))


def _checked(kind: type[Any], equal: dict[str, Any]) -> bool:
    """Whether rows with these values can exist; None asked of a column that is never None matches nothing."""
    possible = True
    for name, value in equal.items():
        if value is None:
            possible = column(kind, name).nullable and possible
        else:
            check(kind, name, value)
    return possible


class _Writing(_Reading):
    """A write transaction: changes the live tables and keeps what undoes it."""

    def __init__(self, store: MemoryStore) -> None:
        super().__init__(store._tables)
        self._store = store
        self.journal: list[tuple[type[Any], Key, Any]] = []
        self.forked: set[type[Any]] = set()

    def _own(self, kind: type[Any]) -> _Rows:
        """The live table; copied first where an open reader still looks at it."""
        table = self._table(kind)
        if kind not in self._tables:
            self._tables[kind] = table
        elif self._store._readers and kind not in self.forked:
            table = self._tables[kind] = table.copy()
        self.forked.add(kind)
        return table

    def _fail(self, error: ComityError) -> ComityError:
        self._over = error
        return error

    def _checked(self, row: Any) -> type[Any]:
        kind = type(row)
        if kind not in TABLES:
            raise TypeError(f"{kind.__name__} is not a row type of the store")
        try:
            for stands in columns(kind):
                check(kind, stands.name, getattr(row, stands.name))
        except ComityError as error:
            raise self._fail(error) from None
        return kind

    def add(self, rows: Iterable[Any]) -> None:
        """Insert rows (of one or several kinds) whose keys are new; see `ports.Writing.add`."""
        try:
            for row in rows:
                self._insert(row)
        except BaseException as error:
            self._over = error
            raise

    def _insert(self, row: Any) -> None:
        kind = self._checked(row)
        table = self._own(kind)
        key = table.key_of(row)
        taken = TABLES[kind].key if key in table.by_key else table.clash(row, key)
        if taken is not None:
            raise exists(kind, taken)
        table.set(row)
        self.journal.append((kind, key, None))

    def put(self, *rows: Any) -> None:
        """Insert rows, or replace those with the same keys; see `ports.Writing.put`."""
        for row in rows:
            self._put(row)

    def _put(self, row: Any) -> None:
        kind = self._checked(row)
        table = self._own(kind)
        key = table.key_of(row)
        taken = table.clash(row, key)
        if taken is not None:
            raise self._fail(exists(kind, taken))
        before = table.by_key.get(key)
        if before is not None:
            table.drop(key)
        table.set(row)
        self.journal.append((kind, key, before))

    def remove(self, kind: type[Any], /, *key: Any) -> None:
        """Take out the row with this key, if it is there."""
        before = self.get(kind, *key)
        if before is not None:
            self._own(kind).drop(key)
            self.journal.append((kind, key, before))

    def undo(self, tables: dict[type[Any], _Rows]) -> None:
        """Bring the tables back to what they were when the transaction began."""
        for kind, key, before in reversed(self.journal):
            if key in tables[kind].by_key:
                tables[kind].drop(key)
            if before is not None:
                tables[kind].set(before)


def exists(kind: type[Any], names: tuple[str, ...]) -> NodeDamaged:
    """The error for a key or unique value that is taken."""
    table = TABLES[kind].name
    return NodeDamaged(
        "row-exists",
        f"A row of {table!r} with this {' and '.join(names)} is already kept; nothing was changed.",
        kind=table,
        columns=list(names),
    )


class MemoryStore:
    """A store in memory; see the module's rules.

    Args:
        lock: A reentrant lock held around each read and write block, where several threads use the store.
    """

    def __init__(self, lock: AbstractContextManager[Any] | None = None) -> None:
        self._lock: AbstractContextManager[Any] = lock if lock is not None else nullcontext()
        self._tables: dict[type[Any], _Rows] = {}
        self._readers = 0
        self._writer: _Writing | None = None

    @contextmanager
    def read(self) -> Iterator[_Reading]:
        """A snapshot for reading; many at once."""
        with self._lock:
            reading = _Reading(self._snapshot())
            self._readers += 1
            try:
                yield reading
            finally:
                self._readers -= 1
                reading._over = RuntimeError("this reader is closed")

    def _snapshot(self) -> dict[type[Any], _Rows]:
        tables = self._tables.copy()
        if self._writer is not None:
            for kind in self._writer.forked:
                tables[kind] = tables[kind].copy()
            self._writer.undo(tables)
        return tables

    @contextmanager
    def write(self) -> Iterator[_Writing]:
        """The one write transaction; nothing of it has happened when the block raises."""
        with self._lock:
            if self._writer is not None:
                raise RuntimeError("a write transaction is already open here; a deed is one transaction")
            writing = self._writer = _Writing(self)
            try:
                yield writing
                if writing._over is not None:
                    raise writing._over
            except BaseException:
                writing.undo(self._tables)
                raise
            finally:
                self._writer = None
                writing._over = RuntimeError("this write transaction is over")

    def close(self) -> None:
        """Nothing to give back; the rows go with the store."""
