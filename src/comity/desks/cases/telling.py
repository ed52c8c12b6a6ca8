"""Where a case stands, in words: states, acts, clocks, the decision head by head, and what looks wrong."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from comity.kernel.model.instants import format
from comity.kernel.procedure.acts import claimed_act
from comity.kernel.procedure.judging import State, decision, possible
from comity.kernel.procedure.ledger import claimed_entry
from comity.kernel.procedure.replica import Replica, doubts
from comity.kernel.store.ports import Reading
from comity.kernel.store.rows import CaseEntry, CasePaper, CaseRow, Party
from comity.node.casework.agreed import less_than_agreed
from comity.node.casework.keeping import content_of, has_node, keys_known, replica_of, state_of_case, table_of
from comity.node.casework.signing import drafts_of
from comity.node.context import Node
from comity.node.desk import Lines, Told
from comity.node.parties import name_of
from comity.node.procedures import shipped_tables


def told_of(node: Node, tx: Reading, row: CaseRow) -> Told:
    """One case, for people and for programs."""
    keys, now = keys_known(tx), node.clock()
    state = state_of_case(tx, row, keys)
    replica, table = replica_of(tx, row, keys), table_of(row.table)
    said = decision(table, state, now)
    waiting = drafts_of(tx, row, keys)
    faults = tx.count(CasePaper, case=row.id, kind="fault")

    name = namer(tx, row)
    lines = Lines().add(
        f"{row.title} ({row.id})",
        f"{table.title}, convened by {name(state.convener)}; {len(state.participants)} take part.",
        f"State: {state.name}. {table.states[state.name].sentence}",
    )
    for party, by in state.charter.represented.items():
        if party in state.represented:
            lines.add(f"{name(party)} has no node; {', '.join(map(name, by))} may record what it says.")
    if said is not None:
        lines.add(_named(said.sentence, state, name))
        lines.table(
            ("party", "counts", "why"),
            [(name(one.head), one.counted, _named(one.sentence, state, name)) for one in said.reasons],
        )
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
    wrong = [_named(one.sentence, state, name) for one in doubts(replica)]
    ours = shipped_tables().get(table.id)
    if ours is not None and ours.digest != table.digest:
        wrong.append(
            f"Its state table calls itself {table.id} and is not the one that comes with this release; read it."
        )
    wrong += less_than_agreed(tx, node.party, state.charter, table, row.at)
    for party in sorted(state.represented):
        if party == node.party:
            wrong.append("Others may record here what we say, until we act ourselves for the first time.")
        elif has_node(tx, party):
            wrong.append(f"The card of {name(party)} names a node; ask it before you believe what is recorded for it.")
    lines.add(*wrong)
    if faults:
        lines.add(f"{faults} things in this case convict somebody: comity case evidence.")
    return Told(_shape(tx, row, state, replica, said, acts, wrong, faults, now), lines.found)


def namer(tx: Reading, row: CaseRow) -> Callable[[str], str]:
    """What to call a head in this case: its name here; what the convener calls one without a card, with its id; a seat as it is."""
    first = next(iter(tx.find(CaseEntry, case=row.id, order=("seq",), limit=1)), None)
    content = None if first is None else content_of(tx, row, claimed_act(claimed_entry(first.envelope).act).digest)
    names = content.get("names") if isinstance(content, dict) else None

    def name(head: str) -> str:
        told = names.get(head) if isinstance(names, dict) else None
        if isinstance(told, str) and tx.get(Party, head) is None:
            return f"{told[:200]} ({head.partition('--')[2][:8]})"
        return name_of(tx, head) if head.startswith("identity--") else head

    return name


def _named(sentence: str, state: State, name: Callable[[str], str]) -> str:
    """A sentence of the kernel with names in place of ids."""
    for party in {*state.participants, *state.charter.participants, state.convener}:
        sentence = sentence.replace(party, name(party))
    return sentence


def _line(tx: Reading, row: CaseRow, place: int, replica: Replica, name: Any) -> tuple[object, ...]:
    placed = replica.placed[place]
    act = claimed_act(placed.entry.act)
    content = content_of(tx, row, act.digest)
    words = content.get("said", "") if isinstance(content, dict) else ""
    note = (
        f"refused: {_named(placed.entry.refused[1], placed.state, name)}" if placed.entry.refused else str(words)[:80]
    )
    if act.recorded is not None:
        shown = "" if not any(op[0] == "shown" for op in placed.entry.effect) else ", shown only"
        source = (
            f"recorded by {name(act.by)} from {act.recorded.source}, received {format(act.recorded.received)}{shown}"
        )
        note = f"{source}; {note}" if note else source
    return place, format(placed.entry.at), name(act.head), act.type, placed.state.name, note


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
                "recorded_from": None if act.recorded is None else act.recorded.as_json(),
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
