"""The node as its deeds see it: a store, keys, a clock and a source of random bytes, and the transaction each deed runs in.

Every deed opens `deed(node)`: it takes the one write transaction, refuses a clock that went back, and first applies all that
fell due since the last deed (`advance`), so that no deed sees a world in which a due instant has not happened yet.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from comity.kernel.errors import NodeDamaged, NotAllowed
from comity.kernel.model.instants import SECOND, Instant, format
from comity.kernel.seal.canonical import canonical
from comity.kernel.seal.keys import SigningKey
from comity.kernel.store.ports import Reading, Store, Writing
from comity.kernel.store.rows import Audit, Setting

CLOCK_SLACK: Final = 2 * SECOND
"""How far a clock may be set back by its own daemon without anybody noticing; deeds then use the last instant."""


@dataclass(frozen=True, slots=True)
class Keyring:
    """The private keys at hand. `identity` may live off line; `node` signs acts and seals, `log` checkpoints."""

    node: SigningKey
    log: SigningKey
    identity: SigningKey | None = None


@dataclass(frozen=True, slots=True)
class Node:
    """One party's node. No module of it holds state; several nodes can live in one process.

    Args:
        random: ``random(n, label)`` gives n fresh bytes; the label says what for, so that tests can key it.
        secret: 32 bytes only this node knows; tick fillers and page salts come from it.
    """

    store: Store
    keys: Keyring
    party: str
    clock: Callable[[], Instant]
    random: Callable[[int, str], bytes]
    secret: bytes


@dataclass(slots=True)
class Deed:
    """A running deed: its transaction, its instant, and the node it happens in."""

    node: Node
    tx: Writing
    at: Instant
    officer: str = ""
    notes: dict[str, Any] | None = None

    def audit(self, deed: str, detail: Any) -> None:
        """Write the one audit row of this deed."""
        n = (self.tx.last(Audit, "n") or 0) + 1
        self.tx.add([Audit(n=n, at=self.at, officer=self.officer, deed=deed, detail=canonical(detail))])


@contextmanager
def deed(node: Node, officer: str = "") -> Iterator[Deed]:
    """Run a deed: the write transaction, the checked clock, and everything that fell due before it.

    Raises:
        NotAllowed: `clock-back` when the clock stands before what this node has already acted on.
        Unavailable: `store-busy`.
    """
    from comity.node.advance import advance  # the one cycle of this layer: advancing is a deed too

    with node.store.write() as tx:
        yield_deed = Deed(node, tx, _checked(node, tx), officer)
        advance(yield_deed)
        yield yield_deed


def _checked(node: Node, tx: Writing) -> Instant:
    now = node.clock()
    last: Instant = read_setting(tx, "clock", 0)
    if now < last - CLOCK_SLACK:
        raise NotAllowed(
            "clock-back",
            f"The clock says {format(now)}, but this node has already acted at {format(last)}; nothing is released until "
            "the clock is right.",
            now=now,
            last=last,
        )
    now = max(now, last)
    put_setting(tx, "clock", now)
    return now


def read_setting(tx: Reading, name: str, default: Any = None) -> Any:
    """A fact of the node, or the default where it was never written."""
    row = tx.get(Setting, name)
    return default if row is None else msgspec.json.decode(row.value)


def need_setting(tx: Reading, name: str) -> Any:
    """A fact every node has.

    Raises:
        NodeDamaged: `node-damaged` when it is missing.
    """
    row = tx.get(Setting, name)
    if row is None:
        raise NodeDamaged("node-damaged", f"This node's folder lacks the setting {name!r}; restore it from a backup.")
    return msgspec.json.decode(row.value)


def put_setting(tx: Writing, name: str, value: Any) -> None:
    """Write a fact of the node."""
    tx.put(Setting(name, canonical(value)))
