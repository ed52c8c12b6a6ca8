"""Folding a ledger: the entries, in their order, to the state of the case.

`follow` takes one entry: it is signed by the convener, stands in the next place, carries an act that its author signed and
that is the next of that author, and says exactly the effect and the state that the table gives. If anything differs the entry
does not follow, and the chain up to it is the evidence. `fold` takes them all. Nothing of it needs a content, so every
participant comes to the same state.

Source: docs/formats/procedure.md, Folding.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import NoReturn

from comity.kernel.errors import ComityError, InputRefused, SealBroken
from comity.kernel.procedure.acts import Act, claimed_act, open_act
from comity.kernel.procedure.charter import CONVENE, procedure_id, read_charter
from comity.kernel.procedure.judging import SEAT, Refused, State, judge
from comity.kernel.procedure.ledger import Entry, Keys, open_entry
from comity.kernel.procedure.tables import Table


def fold(table: Table, entries: Iterable[bytes], keys: Keys) -> State:
    """The state after all entries, from place 0 on.

    Args:
        table: The table the charter names.
        entries: Envelopes, in order, without gaps.
        keys: The node keys of every party that acted or signed.

    Raises:
        InputRefused: `ledger-follow`, with ``seq`` in its detail; `ledger-entry`.
        SealBroken: where the signature of an entry does not hold.
    """
    state: State | None = None
    for envelope in entries:
        state = follow(table, state, envelope, keys)
    if state is None:
        raise InputRefused("ledger-follow", "A ledger has at least the entry that convenes the procedure.")
    return state


def follow(table: Table, state: State | None, envelope: bytes, keys: Keys) -> State:
    """The state after one more entry; `state` is None before the first.

    Raises:
        InputRefused, SealBroken: as `fold`.
    """
    entry, signers = open_entry(envelope, keys)
    if state is None:
        return _begun(table, entry, keys)
    _stands_next(state, entry)
    act = _signed_act(state, entry, keys)
    if act.procedure != state.procedure:
        _not(entry, "its act is of another procedure")
    if act.n != state.counts.get(act.by, 0) + 1:
        _not(entry, f"its act is number {act.n} of its author, and {state.counts.get(act.by, 0)} are entered")
    judged = judge(table, state, act, entry.at, signers)
    counts = {**state.counts, act.by: act.n}
    if isinstance(judged, Refused):
        if entry.refused is None:
            _not(entry, f"its act does not count: {judged.sentence}")
        if entry.refused[0] != judged.code or entry.effect or entry.state != state.name:
            _not(entry, f"its act is refused for another reason: {judged.sentence}")
        judged_state = state
    else:
        if entry.refused is not None:
            _not(entry, f"its act is not to be refused: the row {judged.row.id} applies")
        if entry.effect != judged.effect or entry.state != judged.after.name:
            _not(entry, f"what it says follows is not what the row {judged.row.id} says")
        judged_state = judged.after
    elects = not isinstance(judged, Refused) and any(step.word == "elect" for step in judged.row.effects)
    # An election is entered by who is elected; every other entry, a handing over too, by the convener of the state before it.
    if entry.origin != (judged_state.origin if elects else state.origin):
        _not(entry, "it is not by the convener of this ledger")
    return _placed(judged_state, entry, counts)


def _begun(table: Table, entry: Entry, keys: Keys) -> State:
    if entry.seq != 0 or entry.refused is not None or entry.effect or entry.state != table.start:
        _not(entry, "a ledger begins with the entry that convenes the procedure")
    act = _verified(entry, keys, claimed_act(entry.act))
    charter = read_charter(act, table)
    if procedure_id(act) != entry.procedure or charter.origin != entry.origin:
        _not(entry, "the procedure it names is not the one that its act convenes")
    if act.at > charter.ahead(entry.at):
        _not(entry, "its act names an instant that has not come yet")
    return State(
        entry.procedure,
        charter,
        entry.origin,
        0,
        entry.digest,
        entry.at,
        table.start,
        charter.participants,
        charter.seats,
        {act.by: 1},
    )


def _stands_next(state: State, entry: Entry) -> None:
    if entry.procedure != state.procedure:
        _not(entry, "it is of another procedure")
    if entry.seq != state.seq + 1 or entry.previous != state.head:
        _not(entry, f"it does not stand after entry {state.seq}")
    if entry.at < state.at:
        _not(entry, "its instant lies before that of the entry before it")


def _signed_act(state: State, entry: Entry, keys: Keys) -> Act:
    try:
        claimed = claimed_act(entry.act)
    except ComityError as broken:
        _not(entry, broken.sentence, broken)
    if claimed.type == CONVENE:
        _not(entry, "a procedure is convened once")
    if not claimed.by.startswith(SEAT):
        return _verified(entry, keys, claimed)
    place = int(claimed.by.removeprefix(SEAT))
    seat = state.seats[place - 1] if place <= len(state.seats) else None
    if seat is None:
        _not(entry, "its act is done under a seat that nobody holds")
    return _verified(entry, {claimed.by: {seat.keyid: seat}}, claimed)


def _verified(entry: Entry, keys: Keys, claimed: Act) -> Act:
    held = keys.get(claimed.by)
    if not held:
        raise SealBroken(
            "unknown-signer", f"No key of {claimed.by} is held here, so its act cannot be checked; get its card first."
        )
    try:
        return open_act(entry.act, held)
    except ComityError as broken:
        _not(entry, "its act is not signed by the party it names", broken)


def _placed(state: State, entry: Entry, counts: dict[str, int]) -> State:
    return replace(state, seq=entry.seq, head=entry.digest, at=entry.at, counts=counts)


def _not(entry: Entry, why: str, broken: Exception | None = None) -> NoReturn:
    raise InputRefused(
        "ledger-follow", f"Entry {entry.seq} does not follow: {why.rstrip('.')}.", seq=entry.seq
    ) from broken
