"""One examination: the snapshot it looks at, what it has found out of keys and cards, and how a finding is told.

A row that was changed by hand can break whatever reads it. So each row is examined by itself, and what goes wrong while it is read
is a finding about that row, never the end of the examination.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Final, TypeVar

import msgspec

from comity.kernel.errors import ComityError, Unavailable
from comity.kernel.model.instants import Instant
from comity.kernel.seal.canonical import canonical
from comity.kernel.seal.cards import Card, CardKey
from comity.kernel.seal.keys import PublicKey
from comity.kernel.store.ports import Reading
from comity.kernel.store.rows import Audit, Party
from comity.kernel.tlog.acts import Act, open_act
from comity.kernel.tlog.checkpoint import Checkpoint, open_checkpoint, parse_origin, raw_key
from comity.node.context import Node, read_setting
from comity.node.parties import card_of

R = TypeVar("R")

LOT: Final = 500
"""Rows looked at together, so that memory stays bounded."""

TOLD: Final = 1_000
"""Rows between two words of progress."""

BROKEN: Final = (
    ComityError,
    msgspec.MsgspecError,
    AssertionError,
    AttributeError,
    LookupError,
    OverflowError,
    RecursionError,
    TypeError,
    ValueError,
)
"""What reading a row that was changed by hand may end in."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that does not agree: what is named (an object id, an act, a party), and what is wrong with it."""

    what: str
    sentence: str


@dataclass(slots=True)
class Look:
    """An examination over one snapshot.

    Args:
        at: The instant up to which the node has done what fell due; what is decided is decided anew for this instant.
        now: The last instant the node acted at; nothing kept here is later.
    """

    node: Node
    tx: Reading
    at: Instant
    now: Instant
    progress: Callable[[int], None] | None = None
    seen: int = 0
    _cards: dict[str, Card | None] = field(default_factory=dict)
    _parties: dict[str, bool] = field(default_factory=dict)

    @classmethod
    def over(cls, node: Node, tx: Reading, progress: Callable[[int], None] | None = None) -> Look:
        """Begin over a snapshot."""
        return cls(node, tx, _instant(tx, "advanced"), _instant(tx, "clock"), progress)

    # --- rows, one by one

    def each(
        self, rows: Iterable[R], name: Callable[[R], str], said: Callable[[R], str], check: Callable[[R], Iterator[str]]
    ) -> Iterator[Finding]:
        """Examine each row by itself.

        Args:
            name: What a finding about the row names.
            said: The row in a sentence, for one that cannot be read.
            check: The sentences that are to be said of it; none where it agrees.
        """
        for row in rows:
            yield from self.one(row, name(row), said(row), check)

    def one(self, row: R, name: str, said: str, check: Callable[[R], Iterator[str]]) -> Iterator[Finding]:
        """Examine one row; as `each`."""
        self.step()
        try:
            for sentence in check(row):
                yield Finding(name, sentence)
        except Unavailable:
            raise
        except BROKEN as broken:
            yield Finding(name, f"{said} does not hold: {reason(broken)}")

    def step(self, rows: int = 1) -> None:
        """Count rows that were looked at, and say so from time to time."""
        before, self.seen = self.seen, self.seen + rows
        if self.progress is not None and before // TOLD != self.seen // TOLD:
            self.progress(self.seen)

    # --- who signs

    def card(self, party: str) -> Card | None:
        """The newest card of a party, None where there is none or its cards form no chain (which is told where cards are)."""
        if party not in self._cards:
            try:
                self._cards[party] = card_of(self.tx, party)
            except ComityError:
                self._cards[party] = None
        return self._cards[party]

    def knows(self, party: str) -> bool:
        """Whether a party is known here."""
        if party not in self._parties:
            self._parties[party] = self.tx.get(Party, party) is not None
        return self._parties[party]

    def ever(self, party: str, use: str) -> dict[str, PublicKey]:
        """The keys of a party for a use, present and former, by keyid."""
        return {one.key.keyid: one.key for one in _keys(self.card(party)) if one.use == use}

    def act(self, envelope: bytes, by: str) -> Act:
        """An act of a party, by a node key it has or had.

        Raises:
            ComityError: where it is not.
        """
        return open_act(envelope, self.ever(by, "node"))

    def checkpoint(self, note: bytes, origin: str) -> Checkpoint:
        """A checkpoint of a log, by a log key its party has or had.

        Raises:
            ComityError: where it is not.
        """
        fault: ComityError | None = None
        party, _ = parse_origin(origin)
        for key in self.ever(party, "log").values():
            try:
                return open_checkpoint(note, origin, raw_key(key.spki))
            except ComityError as broken:
                fault = broken
        if fault is None:
            raise ValueError(f"no log key of {party} is known here")
        raise fault

    # --- what was noted beside

    def noted(self, at: Instant, deed: str) -> list[dict[str, Any]]:
        """What the audit says of deeds of a kind at an instant, with the officer under ``by``."""
        return [
            {**msgspec.json.decode(row.detail), "by": row.officer}
            for row in self.tx.find(Audit, at=at)
            if row.deed == deed
        ]


def missing(rows: Iterable[R], number: Callable[[R], int], word: str) -> Iterator[Finding]:
    """Numbers that lack their row, where rows are numbered from 1 on and none is ever taken out."""
    last = 0
    for row in rows:
        if number(row) != last + 1:
            yield Finding(f"{word} {last + 1}", f"There is no {word} {last + 1}, and there are later ones.")
        last = number(row)


def reason(broken: BaseException) -> str:
    """Why a row could not be read, as a clause that ends a sentence."""
    if isinstance(broken, ComityError):
        return broken.sentence
    text = str(broken).strip() or type(broken).__name__
    return f"{text[:200]}{'' if text.endswith('.') else '.'}"


def lots(rows: Iterable[R], size: int = LOT) -> Iterator[list[R]]:
    """Rows in lots, as they come."""
    source = iter(rows)
    while lot := list(islice(source, size)):
        yield lot


def same_json(raw: bytes) -> Any:
    """What a column of canonical JSON says.

    Raises:
        ValueError: where it is not in its one form.
    """
    value = msgspec.json.decode(raw)
    if canonical(value) != raw:
        raise ValueError("it is not in canonical form")
    return value


def short(digest: str) -> str:
    """A digest in a sentence."""
    return f"{digest[:16]}…"


def _keys(card: Card | None) -> Sequence[CardKey]:
    return () if card is None else (*card.keys, *card.retired)


def _instant(tx: Reading, name: str) -> Instant:
    try:
        value = read_setting(tx, name, 0)
    except BROKEN:
        return 0
    return value if isinstance(value, int) else 0
