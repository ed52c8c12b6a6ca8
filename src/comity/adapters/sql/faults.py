"""What the database reports, as the errors of the port: the table from SQLite's result codes to ours.

Source: sqlite.org/rescode.html. Extended codes are looked up first, then the primary code (the low byte).
"""

from __future__ import annotations

import sqlite3
from typing import Any

from sqlalchemy.exc import TimeoutError as PoolTimeout

from comity.kernel.errors import ComityError, LocalFault, NodeDamaged, Unavailable
from comity.kernel.store.rows import TABLES
from comity.kernel.store.shape import unkeepable

BUSY = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_PROTOCOL})
FULL = frozenset({sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_READONLY})
DAMAGED = frozenset({sqlite3.SQLITE_CORRUPT})
UNUSABLE = frozenset({sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_PERM, sqlite3.SQLITE_AUTH})
TAKEN = frozenset(
    {sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY, sqlite3.SQLITE_CONSTRAINT_ROWID, sqlite3.SQLITE_CONSTRAINT_UNIQUE}
)

CAUGHT = (sqlite3.Error, OverflowError, UnicodeEncodeError, PoolTimeout)
"""What a call into the driver can raise that `translated` understands."""


def translated(error: BaseException, kind: type[Any] | None = None) -> ComityError:
    """The error of the port for one of `CAUGHT`; `kind` is the row type that was worked on.

    Raises:
        BaseException: The error itself where it is a fault of this program (bad SQL), not of the world.
    """
    if isinstance(error, PoolTimeout):
        return Unavailable("store-busy", "Too many transactions are open at once; try again in a moment.")
    if kind is not None:
        if isinstance(error, OverflowError):
            return unkeepable(kind, "an integer is beyond 64 bits")
        if isinstance(error, UnicodeEncodeError):
            return unkeepable(kind, "text holds half of a surrogate pair and is no Unicode text")
        if isinstance(error, sqlite3.ProgrammingError | sqlite3.InterfaceError) and "binding parameter" in str(error):
            return unkeepable(kind, str(error).lower())
    code = getattr(error, "sqlite_errorcode", None)
    if code is None:
        raise error
    if kind is not None and code & 0xFF == sqlite3.SQLITE_CONSTRAINT:
        if code in TAKEN:
            name = TABLES[kind].name
            which = str(error).rpartition(": ")[2].replace(f"{name}.", "")
            return NodeDamaged(
                "row-exists",
                f"A row of {name!r} with this {which.replace(', ', ' and ')} is already kept; nothing was changed.",
                kind=name,
                columns=which.split(", "),
            )
        return unkeepable(kind, str(error))
    if kind is not None and code & 0xFF == sqlite3.SQLITE_TOOBIG:
        return unkeepable(kind, "a value is larger than a thousand million bytes")
    return _of_the_world(code & 0xFF, error)


def _of_the_world(primary: int, error: BaseException) -> ComityError:
    if primary in BUSY:
        return Unavailable("store-busy", "Another writer holds the store; try again in a moment.")
    if primary in FULL:
        return Unavailable(
            "store-full",
            f"The disk is full or not writable ({error}); nothing was acknowledged. Make room and try again.",
        )
    if primary in DAMAGED:
        return NodeDamaged(
            "store-damaged", f"The database file is damaged ({error}); run `comity doctor`, and restore a backup."
        )
    if primary in UNUSABLE:
        return LocalFault(
            "store-unusable", f"The database cannot be opened ({error}); check the path and who may read it."
        )
    raise error
