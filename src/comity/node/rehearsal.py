"""Rehearsal: a deed carried out to its end in one write transaction, what each party would get of it told, and nothing kept.

It is the deed itself, so what is told and what happens cannot differ. The transaction holds the one writer while it lasts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import msgspec

from comity.kernel.store.ports import Reading, Writing
from comity.kernel.store.rows import ActRow, ControlRow, Party, Publication, StreamRow
from comity.node.context import Node
from comity.node.parties import name_of
from comity.node.record import EVERYBODY

R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Effect:
    """What one party would get: rows given (id, title, view), rows taken back (ids), and papers (kinds), in order.

    What would be published is given to the party ``*``, everybody, under no title.
    """

    party: str
    name: str
    shown: tuple[tuple[str, str, str], ...]
    withdrawn: tuple[str, ...]
    papers: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """{party, name, shown, withdrawn, papers}."""
        return {
            "party": self.party,
            "name": self.name,
            "shown": [{"object": one, "title": title, "view": view} for one, title, view in self.shown],
            "withdrawn": list(self.withdrawn),
            "papers": list(self.papers),
        }

    @property
    def sentence(self) -> str:
        """The same for a person."""
        said = []
        if self.shown:
            said.append(f"gets {', '.join(f'{one} ({view})' for one, _, view in self.shown)}")
        if self.withdrawn:
            said.append(f"loses {', '.join(self.withdrawn)}")
        if self.papers:
            said.append(f"is handed {', '.join(self.papers)}")
        return f"{self.name} {'; '.join(said)}."


class _Over(Exception):
    """Ends a rehearsal: its transaction is taken back."""


def rehearse(node: Node, does: Callable[[Node], R]) -> tuple[R, tuple[Effect, ...]]:
    """What a deed answers and what each party would get of it.

    Args:
        does: The deed; it is given a node whose transactions are all one, which is taken back at the end, and which tells nobody.

    Raises:
        Whatever the deed raises; nothing is kept then either.
    """
    found: list[tuple[R, tuple[Effect, ...]]] = []
    try:
        with node.store.write() as tx:
            before, out = _heads(tx), _public(tx)
            answer = does(replace(node, store=_Stage(tx), notify=None))
            found.append((answer, (*_to_everybody(tx, out), *_effects(tx, before))))
            raise _Over
    except _Over:
        return found[0]


@dataclass(frozen=True, slots=True)
class _Stage:
    """A store whose transactions are all the one that is open."""

    tx: Writing

    @contextmanager
    def read(self) -> Iterator[Reading]:
        """The open transaction."""
        yield self.tx

    @contextmanager
    def write(self) -> Iterator[Writing]:
        """The open transaction."""
        yield self.tx

    def close(self) -> None:
        """Nothing to give back."""


def _heads(tx: Reading) -> dict[str, tuple[int, int]]:
    return {
        row.id: (tx.last(StreamRow, "n", party=row.id) or 0, tx.last(ControlRow, "n", party=row.id) or 0)
        for row in tx.find(Party)
    }


def _public(tx: Reading) -> frozenset[str]:
    return frozenset(row.digest for row in tx.find(ActRow, to=EVERYBODY))


def _to_everybody(tx: Reading, before: frozenset[str]) -> tuple[Effect, ...]:
    """What everybody could read from then on: it has no stream, so no party's rows show it."""
    shown = tuple((row.id, "", "full") for row in tx.find(Publication) if row.act in _public(tx) - before)
    return (Effect(EVERYBODY, "Everybody", shown, (), ()),) if shown else ()


def _effects(tx: Reading, before: dict[str, tuple[int, int]]) -> tuple[Effect, ...]:
    found: list[Effect] = []
    for row in tx.find(Party):
        stream, control = before.get(row.id, (0, 0))
        rows = list(tx.find(StreamRow, party=row.id, order=("n",), after=(stream,)))
        items = list(tx.find(ControlRow, party=row.id, order=("n",), after=(control,)))
        shown = tuple((one.object, one.title, one.view) for one in rows if one.ended is None)
        withdrawn: list[str] = []
        for item in items:
            if item.kind == "tombstone":
                gone = tx.get(StreamRow, row.id, msgspec.json.decode(item.body)["n"])
                withdrawn += [] if gone is None else [gone.object]
        papers = tuple(item.kind for item in items if item.kind != "tombstone")
        if shown or withdrawn or papers:
            found.append(Effect(row.id, name_of(tx, row.id), shown, tuple(withdrawn), papers))
    return tuple(found)
