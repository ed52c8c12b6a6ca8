"""SQL by shape: each kind of question is compiled once from SQLAlchemy expressions and kept as a string.

A shape is what changes the text of a statement (the row type, the columns pinned, the order, which values are None);
values are always bound. What is written here is read by SQLite and PostgreSQL alike; the two dialects differ only in
what SQLAlchemy renders. NULL stands before every value in an order, on every store.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, Final, ParamSpec, TypeVar, cast

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Executable,
    Integer,
    Table,
    and_,
    bindparam,
    delete,
    func,
    insert,
    literal_column,
    or_,
    select,
    tuple_,
)
from sqlalchemy.dialects import sqlite
from sqlalchemy.engine import Dialect

from comity.kernel.store.rows import TABLES
from comity.kernel.store.shape import column, columns

P = ParamSpec("P")
T = TypeVar("T")

WIDTHS: Final = (1, 8, 64, 512)
"""How many values one `find_in` statement asks for at once; shorter lists repeat their last value."""

Equal = tuple[tuple[str, bool], ...]
"""Names of pinned columns, in the order of their values, and whether the value is None (which is not bound)."""


def _kept(make: Callable[P, T]) -> Callable[P, T]:
    return cast(Callable[P, T], lru_cache(maxsize=2048)(make))


class Statements:
    """The statements of one database; safe to share between threads."""

    def __init__(self, tables: dict[type[Any], Table], dialect: Dialect) -> None:
        self.tables = tables
        self.dialect = dialect
        self.get = _kept(self._get)
        self.insert = _kept(self._insert)
        self.put = _kept(self._put)
        self.remove = _kept(self._remove)
        self.find = _kept(self._find)
        self.find_in = _kept(self._find_in)
        self.last = _kept(self._last)
        self.count = _kept(self._count)

    def text(self, statement: Executable, names: Sequence[str]) -> str:
        """The statement as the driver takes it, its parameters in the order of `names`."""
        compiled = statement.compile(dialect=self.dialect)  # type: ignore[attr-defined]
        if list(compiled.positiontup or ()) != list(names):
            raise AssertionError(f"parameters came out as {compiled.positiontup}, wanted {list(names)}")
        return str(compiled)

    def _pinned(self, table: Table, equal: Equal, names: list[str]) -> list[ColumnElement[bool]]:
        conditions: list[ColumnElement[bool]] = []
        for name, is_none in equal:
            if is_none:
                conditions.append(table.c[name].is_(None))
            else:
                conditions.append(table.c[name] == _bound(names))
        return conditions

    def _get(self, kind: type[Any]) -> str:
        table, names = self.tables[kind], list[str]()
        conditions = self._pinned(table, tuple((name, False) for name in TABLES[kind].key), names)
        return self.text(select(table).where(*conditions), names)

    def _insert(self, kind: type[Any]) -> str:
        table = self.tables[kind]
        return self.text(insert(table), [stands.name for stands in columns(kind)])

    def _put(self, kind: type[Any]) -> str:
        table, key = self.tables[kind], TABLES[kind].key
        start = sqlite.insert(table)  # PostgreSQL has the same clause under its own dialect
        rest = {stands.name: start.excluded[stands.name] for stands in columns(kind) if stands.name not in key}
        statement = (
            start.on_conflict_do_update(index_elements=list(key), set_=rest)
            if rest
            else start.on_conflict_do_nothing(index_elements=list(key))
        )
        return self.text(statement, [stands.name for stands in columns(kind)])

    def _remove(self, kind: type[Any]) -> str:
        table, names = self.tables[kind], list[str]()
        conditions = self._pinned(table, tuple((name, False) for name in TABLES[kind].key), names)
        return self.text(delete(table).where(*conditions), names)

    def _find(
        self,
        kind: type[Any],
        equal: Equal,
        order: tuple[str, ...],
        after: tuple[bool, ...] | None,
        limited: bool,
        reverse: bool,
    ) -> tuple[str, tuple[int, ...]]:
        """The statement, and the places of `after` whose values it binds, in order.

        `after` tells which of its values are None. Values are bound in this order: equal, after, limit.
        """
        table, names = self.tables[kind], list[str]()
        conditions = self._pinned(table, equal, names)
        pinned = {name for name, _ in equal}
        free = [name for name in order if name not in pinned]
        ties = [name for name in TABLES[kind].key if name not in pinned and name not in free]
        places: list[int] = []
        if after is not None:
            beyond, places = _beyond(kind, table, free, after, reverse, names)
            conditions.append(beyond)
        statement = select(table).where(*conditions)
        ordering = [table.c[name] for name in (*free, *ties)]
        statement = statement.order_by(*(place.desc() for place in ordering) if reverse else ordering)
        if limited:
            statement = statement.limit(_bound(names, Integer())).offset(literal_column("0"))
        return self.text(statement, names), tuple(places)

    def _find_in(self, kind: type[Any], name: str, width: int, equal: Equal) -> str:
        """Values are bound in this order: equal, then `width` values of the column."""
        table, names = self.tables[kind], list[str]()
        conditions = self._pinned(table, equal, names)
        conditions.append(table.c[name].in_([_bound(names) for _ in range(width)]))
        return self.text(select(table).where(*conditions), names)

    def _last(self, kind: type[Any], name: str, equal: Equal) -> str:
        table, names = self.tables[kind], list[str]()
        return self.text(select(func.max(table.c[name])).where(*self._pinned(table, equal, names)), names)

    def _count(self, kind: type[Any], equal: Equal) -> str:
        table, names = self.tables[kind], list[str]()
        return self.text(select(func.count()).select_from(table).where(*self._pinned(table, equal, names)), names)


def _bound(names: list[str], type_: Any = None) -> BindParameter[Any]:
    names.append(f"v{len(names)}")
    return bindparam(names[-1], type_=type_)


def _beyond(
    kind: type[Any], table: Table, free: list[str], after: tuple[bool, ...], reverse: bool, names: list[str]
) -> tuple[ColumnElement[bool], list[int]]:
    """Strictly beyond `after`, NULL before every value; and which of its values are bound, in order."""
    if not any(after) and not (reverse and any(column(kind, name).nullable for name in free)):
        bounds = [_bound(names) for _ in free]
        here = tuple_(*(table.c[name] for name in free))
        there = tuple_(*bounds)
        if len(free) == 1:
            only = table.c[free[0]]
            return (only < bounds[0] if reverse else only > bounds[0]), [0]
        return (here < there if reverse else here > there), list(range(len(free)))
    ways: list[ColumnElement[bool]] = []
    places: list[int] = []
    for last in range(len(free)):
        if reverse and after[last]:
            continue  # nothing stands before NULL
        way: list[ColumnElement[bool]] = []
        for place, name in enumerate(free[: last + 1]):
            value = table.c[name]
            if after[place]:
                way.append(value.is_(None) if place < last else value.is_not(None))
                continue
            places.append(place)
            bound = _bound(names)
            if place < last:
                way.append(value == bound)
            elif not reverse:
                way.append(value > bound)
            else:
                way.append(or_(value < bound, value.is_(None)) if column(kind, name).nullable else value < bound)
        ways.append(and_(*way))
    return (or_(*ways) if ways else literal_column("0") == literal_column("1")), places
