"""The node as its deeds see it: a store, keys, a clock and a source of random bytes, and the transaction each deed runs in.

A deed is run by `comity.node.deeds.deed`; what is here is only what it runs with, so every module of this layer may import it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import msgspec

from comity.kernel.errors import NodeDamaged
from comity.kernel.model.instants import Instant
from comity.kernel.seal.canonical import canonical
from comity.kernel.seal.keys import SigningKey
from comity.kernel.store.ports import Reading, Store, Writing
from comity.kernel.store.rows import Audit, Setting
from comity.node.documents import Typesetting


@dataclass(frozen=True, slots=True)
class Keyring:
    """The private keys at hand. `identity` may live off line; `node` signs acts and seals, `log` checkpoints."""

    node: SigningKey
    log: SigningKey
    identity: SigningKey | None = None


class Notify(Protocol):
    """How a person of ours is told that something waits, by a road outside of the exchange: mail, a pager.

    It is free of content: what arrives is a number, to be looked up here, and what kind of thing waits.
    """

    def __call__(self, number: int, kind: str, to: str) -> str:
        """Tell whoever is behind an address (``mailto:...``, ``tel:...``, or a word the hook knows); gives the road it went.

        Raises:
            Unavailable: `notify-failed` where no road took it.
        """


@dataclass(frozen=True, slots=True)
class Acting:
    """What an officer is about to do: the name of the deed, what kind of deed it is, and the officer's id."""

    deed: str
    kind: str
    officer: str


@dataclass(frozen=True, slots=True)
class Node:
    """One party's node. No module of it holds state; several nodes can live in one process.

    Args:
        notify: How persons of ours are told that something waits; None: not at all. A rehearsed deed tells nobody.
        typesetting: Sets documents as PDF and Word; None: only text and JSON can be made here.
        random: ``random(n, label)`` gives n fresh bytes; the label says what for, so that tests can key it.
        secret: 32 bytes only this node knows; tick fillers and page salts come from it.
        acting: What an officer is doing, as a face said it (`comity.node.mandates.acting`); None: the node acts by itself.
    """

    store: Store
    keys: Keyring
    party: str
    clock: Callable[[], Instant]
    random: Callable[[int, str], bytes]
    secret: bytes
    notify: Notify | None = None
    typesetting: Typesetting | None = None
    acting: Acting | None = None


@dataclass(slots=True)
class Deed:
    """A running deed: its transaction, its instant, and the node it happens in.

    `acting` is what an officer is doing in it; None where the node acts by itself. `under` are the digests of the mandates any of
    which covers it, the one it is done under first; empty where none is needed.
    """

    node: Node
    tx: Writing
    at: Instant
    officer: str = ""
    acting: Acting | None = None
    under: tuple[str, ...] = ()

    def mandate(self, officers: Sequence[str]) -> str | None:
        """The digest of the mandate under which these officers act in this deed; None where they act under none."""
        return self.under[0] if self.under and self.officer in officers else None

    def audit(self, deed: str, detail: Any) -> None:
        """Write the one audit row of this deed; what an officer did under a mandate names it."""
        if self.under:
            detail = {**detail, "under": self.under[0]}
        n = (self.tx.last(Audit, "n") or 0) + 1
        self.tx.add([Audit(n=n, at=self.at, officer=self.officer, deed=deed, detail=canonical(detail))])


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
