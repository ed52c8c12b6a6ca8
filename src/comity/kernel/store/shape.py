"""The columns of a row type, read from its annotations, and which values they can keep on every store.

A column is int, str or bytes, or one of these or None: nothing a second database could not do. Integers have 64 bits,
text is Unicode (no lone surrogate), so that a value one store takes is taken by the other.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from operator import attrgetter
from types import NoneType
from typing import Any, Final, get_args, get_type_hints

from comity.kernel.errors import InputRefused
from comity.kernel.store.rows import TABLES

LEAST: Final = -(2**63)
GREATEST: Final = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its name, int, str or bytes, and whether it may be None."""

    name: str
    kind: type[int] | type[str] | type[bytes]
    nullable: bool


_COLUMNS: Final[dict[type[Any], tuple[Column, ...]]] = {}
_VALUES: Final[dict[tuple[type[Any], tuple[str, ...]], Callable[[Any], tuple[Any, ...]]]] = {}


def columns(kind: type[Any]) -> tuple[Column, ...]:
    """The columns of a registered row type, in the order of its constructor.

    Raises:
        TypeError: An annotation is not one of the five forms, or a key column may be None: a fault in rows.py.
    """
    known = _COLUMNS.get(kind)
    if known is None:
        known = _COLUMNS[kind] = _read(kind)
    return known


def _read(kind: type[Any]) -> tuple[Column, ...]:
    hints = get_type_hints(kind)
    found: list[Column] = []
    for field in fields(kind):
        hint = hints[field.name]
        parts = set(get_args(hint)) or {hint}
        nullable = NoneType in parts
        parts.discard(NoneType)
        if len(parts) != 1 or not parts <= {int, str, bytes}:
            raise TypeError(f"{kind.__name__}.{field.name}: a column is int, str or bytes, or one of these or None")
        found.append(Column(field.name, parts.pop(), nullable))
    table = TABLES[kind]
    by_name = {column.name: column for column in found}
    for name in (*table.key, *(name for index in (*table.indexes, *table.unique) for name in index)):
        if name not in by_name:
            raise TypeError(f"{kind.__name__} has an index over {name}, which is no column of it")
    for name in table.key:
        if by_name[name].nullable:
            raise TypeError(f"{kind.__name__}.{name} is of the key and may be None")
    return tuple(found)


def column(kind: type[Any], name: str) -> Column:
    """The column of that name.

    Raises:
        TypeError: There is none: a fault of the caller, never of what came in.
    """
    for candidate in columns(kind):
        if candidate.name == name:
            return candidate
    raise TypeError(f"{kind.__name__} has no column {name!r}")


def values_of(kind: type[Any], names: tuple[str, ...]) -> Callable[[Any], tuple[Any, ...]]:
    """A function from a row to the tuple of these columns."""
    known = _VALUES.get((kind, names))
    if known is None:
        if len(names) == 1:
            only = attrgetter(names[0])
            known = lambda row: (only(row),)  # noqa: E731
        else:
            known = attrgetter(*names)
        _VALUES[kind, names] = known
    return known


def unkeepable(kind: type[Any], reason: str) -> InputRefused:
    """The error for a value no store can keep."""
    return InputRefused(
        "row-value",
        f"A value for {TABLES[kind].name!r} cannot be kept: {reason}; nothing was changed.",
        kind=TABLES[kind].name,
    )


def check(kind: type[Any], name: str, value: Any) -> None:
    """Refuse a value that the column cannot keep.

    Raises:
        InputRefused: `row-value`: wrong type, None where there must be a value, beyond 64 bits, or half a surrogate
            pair.
    """
    stands = column(kind, name)
    if value is None:
        if not stands.nullable:
            raise unkeepable(kind, f"{name} must have a value")
        return
    if not isinstance(value, stands.kind):
        raise unkeepable(kind, f"{name} must be {stands.kind.__name__}")
    if isinstance(value, int):
        if not LEAST <= value <= GREATEST:
            raise unkeepable(kind, f"{name} is beyond 64 bits")
    elif isinstance(value, str) and not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError:
            raise unkeepable(kind, f"{name} holds half of a surrogate pair and is no Unicode text") from None
