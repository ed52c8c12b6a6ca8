"""What a node does in a case by itself: an act that needs no officer, a trustee's word and share, once a clock ran out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from comity.kernel.errors import ComityError, NotFound, Unavailable
from comity.kernel.model.instants import DAY
from comity.kernel.procedure.acts import Act
from comity.kernel.procedure.judging import Refused, State, judge
from comity.kernel.procedure.ledger import Keys
from comity.kernel.store.rows import CaseRow
from comity.node.casework.acting import act
from comity.node.casework.healing import heal
from comity.node.casework.keeping import (
    keep_papers,
    keys_known,
    replica_of,
    table_of,
)
from comity.node.casework.ordering import note
from comity.node.casework.papers import others, send
from comity.node.casework.rounds import HOLDING, SHARE, holdings_to_tell, positions_of, shares_to_release
from comity.node.context import Deed

OPEN_OTHER: Final = "open-other"
"""The act that opens a position in its author's place; a table that has it is one of committed positions."""

MOST_BY_ITSELF: Final = 1_000
"""So many acts a node does by itself in one go."""


def tend(work: Deed) -> None:
    """Look at every case whose time has come, and do what the state table leaves to a node by itself."""
    keys = keys_known(work.tx)
    for row in [row for row in work.tx.find(CaseRow, outcome=None, order=("due",)) if row.due <= work.at]:
        try:
            by_itself(work, row)
            heal(work, row, replica_of(work.tx, row, keys), keys)
        except Unavailable:
            raise
        except ComityError as broken:  # a case that is damaged here must not stop every other deed; the doctor names it
            work.audit("case-stuck", {"case": row.id, "code": broken.code})
            work.tx.put(replace(row, due=work.at + DAY))


def by_itself(work: Deed, row: CaseRow) -> None:
    """Do what needs no officer for as long as something counts: a trustee's word and share, and where we convene, acts."""
    keys = keys_known(work.tx)
    for _ in range(MOST_BY_ITSELF):
        state = replica_of(work.tx, row, keys).state
        if state is None:
            return
        did = state.outcome is None and (
            _positions_by_itself(work, row, state, keys)
            or (state.convener == work.node.party and _one_by_itself(work, row, state))
        )
        if not did:
            note(work, row, state)
            return


def _positions_by_itself(work: Deed, row: CaseRow, state: State, keys: Keys) -> bool:
    """Say which shares we hold, release those that are due, and where we convene open what enough of them open."""
    if OPEN_OTHER not in table_of(row.table).acts:
        return False
    try:
        found = positions_of(work.tx, row, state, keys, work.at)
    except NotFound:
        return False
    told = [(HOLDING, one) for one in holdings_to_tell(work, row, found, keys)]
    told += [(SHARE, one) for one in shares_to_release(work, row, found, keys)]
    for kind, paper in told:
        keep_papers(work, row, kind, [paper], work.at)
    if told:
        papers = [{"kind": kind, "envelope": paper.decode()} for kind, paper in told]
        for party in others(work, state):
            send(work, row, party, papers)
        found = positions_of(work.tx, row, state, keys, work.at)
    if state.convener != work.node.party:
        return False
    for shown in found.table(work.at):
        if shown.state == "opened-by-trustees" and shown.opened is not None:
            public = {"text": state.text, "party": shown.author}
            wanted = _wanted(work, row, state, OPEN_OTHER, public)
            if not isinstance(judge(table_of(row.table), state, wanted, work.at, frozenset({state.convener})), Refused):
                content = {"position": shown.opened.position, "by": list(shown.opened.by)}
                act(work, row, OPEN_OTHER, public, content, officer="")
                return True
    return False


def _wanted(work: Deed, row: CaseRow, state: State, name: str, public: Mapping[str, Any]) -> Act:
    """An act of ours that needs no officer, as it would be, to see whether it counts."""
    n = state.counts.get(work.node.party, 0) + 1
    return Act(row.id, work.node.party, n, name, public, "0" * 64, None, work.at)


def _one_by_itself(work: Deed, row: CaseRow, state: State) -> bool:
    table = table_of(row.table)
    for name in table.acts_in(state.name):
        kind = table.acts[name]
        needed = {word for word, form in kind.open.items() if not form.endswith("?")}
        if kind.officer or kind.seat or kind.by not in ("any", "convener") or not needed <= {"text"}:
            continue
        public = {"text": state.text} if "text" in needed else {}
        if "text" in needed and state.text is None:
            continue
        wanted = _wanted(work, row, state, name, public)
        if not isinstance(judge(table, state, wanted, work.at, frozenset({state.convener})), Refused):
            act(work, row, name, public, {}, officer="")
            return True
    return False
