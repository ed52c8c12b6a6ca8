"""The convener's side: acts in, entries and promises out. A value with functions over it; the node keeps it and sends what comes out.

An act that is the next of its author is promised and entered at once, or entered as refused with its reason. One that came too
early waits until those before it have come. An act of a stranger is not taken at all: nobody could be answered.

Where an entry needs more signatures than the convener's (a removal, a handing over, an election), `draft` gives the entry, the
others countersign its envelope, and `append` takes it once enough have signed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from comity.kernel.errors import InputRefused, NotAllowed
from comity.kernel.model.instants import Instant
from comity.kernel.procedure.acts import Act, claimed_act, open_act
from comity.kernel.procedure.charter import procedure_id
from comity.kernel.procedure.fold import fold, follow
from comity.kernel.procedure.judging import SEAT, Refused, State, judge
from comity.kernel.procedure.ledger import (
    Entry,
    Keys,
    Promise,
    Standing,
    claimed_entry,
    sign_entry,
    sign_promise,
    sign_standing,
)
from comity.kernel.procedure.tables import Table
from comity.kernel.seal.keys import PublicKey, SigningKey

MOST_WAITING: Final = 64
"""So many acts of one author may wait; more are refused until those before them have come."""


@dataclass(frozen=True, slots=True)
class Ledger:
    """A ledger as its convener holds it.

    Args:
        table: The state table.
        entries: Every entry, from place 0.
        state: What they fold to.
        said: The latest instant this convener signed anything for; it never signs for an earlier one.
        waiting: Acts that came before the one they follow, by author and number.
    """

    table: Table
    entries: tuple[bytes, ...]
    state: State
    said: Instant
    waiting: Mapping[str, Mapping[int, bytes]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Taken:
    """What came of an act: the ledger after it, and what to send to everybody, in order. Both are empty while it waits."""

    ledger: Ledger
    promises: tuple[bytes, ...]
    entries: tuple[bytes, ...]


def convene(table: Table, act: bytes, at: Instant, key: SigningKey, keys: Keys) -> Ledger:
    """A new ledger from the act that convenes the procedure, signed by the convener's node key.

    Raises:
        InputRefused: `procedure-charter`, `procedure-act`, `ledger-follow`.
        SealBroken: where the act is not signed by the convener.
    """
    first = claimed_act(act)
    entry = Entry(procedure_id(first), str(first.open.get("origin")), 0, None, at, act, (), table.start)
    envelope = sign_entry(entry, [key])
    return Ledger(table, (envelope,), fold(table, [envelope], keys), at)


def resume(table: Table, entries: tuple[bytes, ...], keys: Keys, *, said: Instant = 0) -> Ledger:
    """The ledger as its present convener takes it over: after a restart, a handing over, an election.

    Raises:
        InputRefused, SealBroken: as `fold.fold`.
    """
    state = fold(table, entries, keys)
    return Ledger(table, tuple(entries), state, max(said, state.at))


def take(ledger: Ledger, envelope: bytes, at: Instant, key: SigningKey, keys: Keys) -> Taken:
    """Take an act: enter it, refuse it with an entry, or let it wait. The same act again gives nothing new.

    Args:
        ledger: As it stands.
        envelope: The act as its author signed it.
        at: Now, by the convener's clock.
        key: The convener's node key.
        keys: The node keys of all who take part.

    Raises:
        NotAllowed: `clock-back` where `at` lies before what was signed already.
        InputRefused: `procedure-act` where the act is of another procedure, of nobody who takes part, is another one
            with a number that is taken, or where too many wait.
        SealBroken: where its author did not sign it.
    """
    if at < ledger.said:
        raise NotAllowed("clock-back", "The clock stands before what was entered already; set it right.")
    act = _author_signed(ledger.state, envelope, keys)
    entered = ledger.state.counts.get(act.by, 0)
    if act.n <= entered:
        _same_as_entered(ledger, act)
        return Taken(ledger, (), ())
    waiting = dict(ledger.waiting.get(act.by, {}))
    if act.n in waiting and claimed_act(waiting[act.n]).digest != act.digest:
        raise InputRefused("procedure-act", f"Another act number {act.n} of {act.by} is here already.")
    if len(waiting) >= MOST_WAITING and act.n != entered + 1:
        raise InputRefused(
            "procedure-act", f"Too many acts of {act.by} wait for its act number {entered + 1}; send it."
        )
    waiting[act.n] = envelope
    promises, entries = [], []
    while (ready := waiting.pop(ledger.state.counts.get(act.by, 0) + 1, None)) is not None:
        promise, entry = _entered(ledger, ready, at, key)
        state = follow(ledger.table, ledger.state, entry, keys)
        ledger = replace(ledger, entries=(*ledger.entries, entry), state=state, said=at)
        promises.append(promise)
        entries.append(entry)
    left = {**ledger.waiting, act.by: waiting}
    if not waiting:
        del left[act.by]
    return Taken(replace(ledger, waiting=left), tuple(promises), tuple(entries))


def draft(
    table: Table, state: State, act: bytes, at: Instant, signers: frozenset[str], *, origin: str | None = None
) -> Entry:
    """The entry an act would have next, for others to sign with.

    Args:
        table: The state table.
        state: The state it follows.
        act: The act as its author signed it.
        at: Its instant.
        signers: The parties that will sign it; what needs their signatures is judged as if they had.
        origin: The log of who signs as the convener; None for the present one.
    """
    claimed = claimed_act(act)
    judged = judge(table, state, claimed, at, signers)
    refused = (judged.code, judged.sentence) if isinstance(judged, Refused) else None
    return Entry(
        state.procedure,
        state.origin if origin is None else origin,
        state.seq + 1,
        state.head,
        at,
        act,
        () if isinstance(judged, Refused) else judged.effect,
        state.name if isinstance(judged, Refused) else judged.after.name,
        refused,
    )


def append(ledger: Ledger, envelope: bytes, keys: Keys) -> Ledger:
    """The ledger with an entry that others signed too.

    Raises:
        InputRefused: `ledger-follow` where it is not the next one, or too few signed it.
        SealBroken: where a signature does not hold.
    """
    state = follow(ledger.table, ledger.state, envelope, keys)
    return replace(ledger, entries=(*ledger.entries, envelope), state=state, said=max(ledger.said, state.at))


def standing(ledger: Ledger, at: Instant, key: SigningKey) -> tuple[Ledger, bytes]:
    """Where the ledger stands at an instant, signed; with all entries it is what a late joiner is sent.

    Raises:
        NotAllowed: `clock-back`.
    """
    if at < ledger.said:
        raise NotAllowed("clock-back", "The clock stands before what was entered already; set it right.")
    state = ledger.state
    said = Standing(state.procedure, state.origin, state.seq, state.head, state.as_json(), at)
    return replace(ledger, said=at), sign_standing(said, key)


def _entered(ledger: Ledger, act: bytes, at: Instant, key: SigningKey) -> tuple[bytes, bytes]:
    state = ledger.state
    entry = draft(ledger.table, state, act, at, frozenset({state.convener}))
    digest = claimed_act(act).digest
    promise = Promise(state.procedure, state.origin, digest, state.seq, state.head, entry.seq, at)
    return sign_promise(promise, key), sign_entry(entry, [key])


def _author_signed(state: State, envelope: bytes, keys: Keys) -> Act:
    claimed = claimed_act(envelope)
    if claimed.procedure != state.procedure:
        raise InputRefused("procedure-act", "The act is of another procedure; send it to the convener of that one.")
    held: Mapping[str, PublicKey] = {}
    if claimed.by.startswith(SEAT):
        place = int(claimed.by.removeprefix(SEAT))
        seat = state.seats[place - 1] if place <= len(state.seats) else None
        held = {} if seat is None else {seat.keyid: seat}
    elif claimed.by in state.participants or claimed.by == state.convener:
        held = keys.get(claimed.by, {})
    if not held:
        raise InputRefused("procedure-act", "The act is by nobody who takes part in this procedure.")
    return open_act(envelope, held)


def _same_as_entered(ledger: Ledger, act: Act) -> None:
    for envelope in ledger.entries:
        entered = claimed_act(claimed_entry(envelope).act)
        if (entered.by, entered.n) == (act.by, act.n) and entered.digest != act.digest:
            raise InputRefused("procedure-act", f"Another act number {act.n} of {act.by} is entered already.")
