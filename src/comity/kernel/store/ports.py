"""The port of the store: one writer at a time, typed rows, and nothing a second database could not do.

A write transaction sees and holds the newest state (SQLite: BEGIN IMMEDIATE), so heads are read inside it; it is durable when
the block ends, and has not happened when the block raises. Every implementation passes the same contract tests.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from contextlib import AbstractContextManager
from typing import Any, Protocol, TypeVar

R = TypeVar("R")


class Reading(Protocol):
    """A consistent view of the store."""

    def get(self, kind: type[R], /, *key: Any) -> R | None:
        """The row with this key, or None."""

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
        """Rows whose columns equal the given values, ordered by `order` (default: the key), strictly after `after`.

        `after` is a tuple over the columns of `order` that are not pinned by `equal`; with `reverse`, strictly before it.
        A value of None matches rows where the column is None.
        """

    def find_in(self, kind: type[R], column: str, values: Collection[Any], /, **equal: Any) -> Iterator[R]:
        """Rows whose column is one of the values, in no promised order."""

    def last(self, kind: type[R], column: str, /, **equal: Any) -> Any:
        """The greatest value of an integer column among matching rows, or None where there are none."""

    def count(self, kind: type[Any], /, **equal: Any) -> int:
        """How many rows match."""


class Writing(Reading, Protocol):
    """A write transaction."""

    def add(self, rows: Iterable[Any]) -> None:
        """Insert rows (of one or several kinds) whose keys are new.

        Raises:
            NodeDamaged: `row-exists` where a key or unique value is taken.
        """

    def put(self, *rows: Any) -> None:
        """Insert rows (of one or several kinds), or replace those with the same keys; of two with one key the later counts."""

    def remove(self, kind: type[Any], /, *key: Any) -> None:
        """Take out the row with this key, if it is there."""


class Store(Protocol):
    """Where a node keeps what it keeps."""

    def read(self) -> AbstractContextManager[Reading]:
        """A snapshot for reading; many at once."""

    def write(self) -> AbstractContextManager[Writing]:
        """The one write transaction; waits for the other writer, and raises Unavailable `store-busy` after a while."""

    def close(self) -> None:
        """Give back files and connections."""
