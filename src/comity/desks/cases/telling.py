"""Where a case stands, in words: states, acts, clocks, the decision head by head, and what looks wrong."""

from __future__ import annotations

from typing import Any

import msgspec

from comity.kernel.model.instants import format
from comity.kernel.procedure.acts import claimed_act
from comity.kernel.procedure.judging import State, decision, possible
from comity.kernel.procedure.replica import Replica, doubts
from comity.kernel.store.ports import Reading
from comity.kernel.store.rows import CasePaper, CaseRow
from comity.node.casework.keeping import content_of, keys_known, replica_of, state_of_case, table_of
from comity.node.casework.signing import drafts_of
from comity.node.context import Node
from comity.node.desk import Lines, Told
from comity.node.parties import name_of


def told_of(node: Node, tx: Reading, row: CaseRow) -> Told:
    """One case, for people and for programs."""
    keys, now = keys_known(tx), node.clock()
    state = state_of_case(tx, row, keys)
    replica, table = replica_of(tx, row, keys), table_of(row.table)
    said = decision(table, state, now)
    waiting = drafts_of(tx, row, keys)
    faults = tx.count(CasePaper, case=row.id, kind="fault")

    def name(head: str) -> str:
        return name_of(tx, head) if head.startswith("identity--") else head

    lines = Lines().add(
        f"{row.title} ({row.id})",
        f"{table.title}, convened by {name(state.convener)}; {len(state.participants)} take part.",
        f"State: {state.name}. {table.states[state.name].sentence}",
    )
    if said is not None:
        lines.add(said.sentence)
        lines.table(("party", "counts", "why"), [(name(one.head), one.counted, one.sentence) for one in said.reasons])
    clocks = [
        (which, format(one.due), "stopped" if one.stopped_at is not None else "over" if one.over(now) else "runs")
        for which, one in state.clocks.items()
    ]
    lines.table(("clock", "due", ""), clocks)
    lines.table(
        ("place", "at", "who", "act", "state after", ""),
        [_line(tx, row, place, replica, name) for place in range(len(replica.placed))],
    )
    acts = [] if state.outcome else [(act, by, wants or "") for act, by, wants in possible(table, state, now)]
    lines.table(("can be done", "by", "waits for"), acts)
    for entry, _, signers in waiting:
        lines.add(
            f"Waits for signatures: {claimed_act(entry.act).type} by {name(claimed_act(entry.act).by)}, signed by "
            f"{', '.join(sorted(name(one) for one in signers))} ({entry.digest[:12]})."
        )
    wrong = [one.sentence for one in doubts(replica)]
    lines.add(*wrong)
    if faults:
        lines.add(f"{faults} things in this case convict somebody: comity case evidence.")
    return Told(_shape(tx, row, state, replica, said, acts, wrong, faults, now), lines.found)


def _line(tx: Reading, row: CaseRow, place: int, replica: Replica, name: Any) -> tuple[object, ...]:
    placed = replica.placed[place]
    act = claimed_act(placed.entry.act)
    content = content_of(tx, row, act.digest)
    words = content.get("said", "") if isinstance(content, dict) else ""
    note = f"refused: {placed.entry.refused[1]}" if placed.entry.refused else words
    return place, format(placed.entry.at), name(act.by), act.type, placed.state.name, str(note)[:80]


def _shape(
    tx: Reading,
    row: CaseRow,
    state: State,
    replica: Replica,
    said: Any,
    acts: list[tuple[str, str, str]],
    wrong: list[str],
    faults: int,
    now: int,
) -> dict[str, Any]:
    entries = []
    for placed in replica.placed:
        act = claimed_act(placed.entry.act)
        entries.append(
            {
                "seq": placed.entry.seq,
                "at": format(placed.entry.at),
                "by": act.by,
                "type": act.type,
                "open": dict(act.open),
                "effect": [list(op) for op in placed.entry.effect],
                "state": placed.state.name,
                "refused": None if placed.entry.refused is None else list(placed.entry.refused),
                "content": content_of(tx, row, act.digest),
            }
        )
    return {
        "case": row.id,
        "title": row.title,
        "role": row.role,
        "now": format(now),
        "state": msgspec.to_builtins(state.as_json()),
        "decision": None if said is None else said.as_json(),
        "entries": entries,
        "possible": [{"act": act, "by": by, "waits_for": wants or None} for act, by, wants in acts],
        "doubts": wrong,
        "faults": faults,
    }
