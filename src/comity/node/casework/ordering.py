"""Ordering, where we convene: acts are entered in the order they came, and everybody is told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import msgspec

from comity.kernel.errors import InputRefused
from comity.kernel.model.instants import Instant
from comity.kernel.procedure import convener
from comity.kernel.procedure.acts import claimed_act
from comity.kernel.procedure.convener import Ledger
from comity.kernel.procedure.judging import State
from comity.kernel.procedure.ledger import Keys, claimed_entry
from comity.kernel.store.rows import CaseContent, CaseEntry, CasePaper, CaseRow
from comity.node.casework.keeping import (
    CONVENER,
    HEARD,
    PARTICIPANT,
    PROMISE,
    keep_papers,
    ledger_of,
    replica_of,
)
from comity.node.casework.papers import EVERY, SOON, Content, is_for, others, send
from comity.node.context import Deed
from comity.node.papers import send_cards


def enter(work: Deed, row: CaseRow, keys: Keys) -> None:
    """Enter every act that was heard and can be entered, and tell everybody."""
    ledger = ledger_of(work.tx, row, keys)
    heard = [one.envelope for one in work.tx.find(CasePaper, case=row.id, kind=HEARD, order=("n",))]
    entered = {one.act for one in replica_of(work.tx, row, keys).placed}
    ledger = replace(ledger, waiting={})
    for envelope in heard:
        if claimed_act(envelope).digest in entered:
            continue
        try:
            taken = convener.take(ledger, envelope, work.at, work.node.keys.node, keys)
        except InputRefused:
            continue  # another act with a number that is taken: its author's own copy shows both
        _publish(work, row, ledger, taken)
        ledger = taken.ledger
    note(work, row, ledger.state)


def _publish(work: Deed, row: CaseRow, before: Ledger, taken: convener.Taken) -> None:
    if not taken.entries:
        return
    participants = before.state.participants
    for new in sorted(before.state.represented - taken.ledger.state.represented):
        # It acts itself for the first time: who has not its card yet could not check its signature.
        for party in others(work, taken.ledger.state):
            if party != new:
                send_cards(work, new, party)
    known = len(before.entries)
    work.tx.add(CaseEntry(row.id, known + n, one, work.at) for n, one in enumerate(taken.entries))
    keep_papers(work, row, PROMISE, taken.promises, work.at)
    papers = [{"kind": "promise", "envelope": one.decode()} for one in taken.promises]
    papers += [{"kind": "entry", "envelope": one.decode()} for one in taken.entries]
    state = taken.ledger.state
    for party in others(work, state):
        if party in participants or party == state.convener or party not in state.participants:
            send(work, row, party, papers)
        else:  # who was admitted by one of these gets all of it
            for about in (work.node.party, *state.participants):
                if about != party:
                    send_cards(work, about, party)
            invite(work, row, taken.ledger, party)


def note(work: Deed, row: CaseRow, state: State) -> None:
    role = CONVENER if state.convener == work.node.party else PARTICIPANT
    work.tx.put(replace(row, role=role, due=_due(state, work.at), outcome=state.outcome))


def _due(state: State, at: Instant) -> Instant:
    """When to look at a case again: when its next clock runs out, and soon where one has and something waits for it."""
    running = [clock.due for clock in state.clocks.values() if clock.stopped_at is None]
    step = SOON if any(due <= at for due in running) else EVERY
    return min([at + step, *(due for due in running if due > at)])


def invite(work: Deed, row: CaseRow, ledger: Ledger, party: str) -> None:
    """Everything a participant needs to follow a case from its beginning."""
    papers: list[dict[str, Any]] = [{"kind": "entry", "envelope": one.decode()} for one in ledger.entries]
    for stored in work.tx.find(CaseContent, case=row.id):
        act = _act_envelope(ledger.entries, stored.act)
        if act is not None and is_for(ledger.table, ledger.state, claimed_act(act), party):
            papers.append(Content(act, stored.salt, msgspec.json.decode(stored.content)).paper())
    send(work, row, party, papers, opened=True)


def _act_envelope(entries: Sequence[bytes], digest: str) -> bytes | None:
    return next((act for one in entries if claimed_act(act := claimed_entry(one).act).digest == digest), None)
