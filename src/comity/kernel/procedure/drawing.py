"""A state table drawn from its data: a Mermaid diagram, and the rows as a Markdown table.

What can be done in every state that is not terminal is told once under the diagram and not drawn: it would hide the rest.
Source: docs/procedures.md is written from here.
"""

from __future__ import annotations

from comity.kernel.procedure.acts import ROADS
from comity.kernel.procedure.rules import KINDS
from comity.kernel.procedure.tables import BY, RECORDED, ActKind, Row, Table


def diagram(table: Table) -> str:
    """The states and what leads from one to the other, as a Mermaid state diagram."""
    lines = ["stateDiagram-v2", f"    [*] --> {_id(table.start)}"]
    everywhere = _everywhere(table)
    edges: dict[tuple[str, str], list[str]] = {}
    for row in table.rows:
        if row.id not in everywhere:
            edges.setdefault((row.state, row.to), []).append(row.act)
    lines += [
        f"    {_id(source)} --> {_id(to)}: {', '.join(dict.fromkeys(acts))}" for (source, to), acts in edges.items()
    ]
    lines += [f"    {_id(state.name)} --> [*]" for state in table.states.values() if state.terminal]
    lines += [f"    {_id(name)}: {name}" for name in table.states if _id(name) != name]
    return "\n".join(lines)


def section(table: Table) -> str:
    """The whole table for a page: title, diagram, states, clocks, rows."""
    rule = (
        "No rule of decision."
        if table.rule is None
        else f"Rule of decision: {table.rule.kind}, {KINDS[table.rule.kind]}."
    )
    lines = [f"## {table.title}", "", f"`{table.id}`. {rule} The digest of the table is `{table.digest}`.", ""]
    lines += ["```mermaid", diagram(table), "```", "", "| state | what it is |", "| --- | --- |"]
    lines += [
        f"| `{state.name}` | {state.sentence}{' The case ends.' if state.terminal else ''} |"
        for state in table.states.values()
    ]
    lines += ["", "| clock | measures | the agreement sets |", "| --- | --- | --- |"]
    for clock in table.clocks.values():
        sets = f"`{clock.window}`" + ("" if clock.minimum is None else f", at least `{clock.minimum}`")
        lines.append(f"| `{clock.name}` | {clock.sentence} | {sets} |")
    lines += ["", "| act | by | in | if | then |", "| --- | --- | --- | --- | --- |"]
    everywhere, told = _everywhere(table), set()
    for row in table.rows:
        states = "every state that does not end it" if row.id in everywhere else _states(table, row)
        if row.id in told:
            continue
        told.add(row.id)
        act = table.acts[row.act]
        by = BY[act.by] + (", an officer" if act.officer else "") + (", under a seat" if act.seat else "")
        by += "".join(f"; recorded for a party without a node, {told}" for told in _recorded(act))
        when = "; ".join(step.sentence for step in row.when) or "always"
        then = "; ".join(step.sentence for step in row.effects)
        leads = "" if _stays(table, row) else f"; leads to `{row.to}`"
        lines.append(f"| `{row.act}`: {act.sentence} | {by} | {states} | {when} | {then}{leads} |")
    return "\n".join(lines) + "\n"


def _recorded(act: ActKind) -> list[str]:
    """What becomes of the act where it is recorded for another, road by road; nothing where it is refused."""
    by_word: dict[str, list[str]] = {}
    for road, word in act.recorded.items():
        by_word.setdefault(word, []).append(ROADS[road])
    return [f"from {', '.join(roads)}, it {RECORDED[word]}" for word, roads in by_word.items()]


def _everywhere(table: Table) -> frozenset[str]:
    living = {name for name, state in table.states.items() if not state.terminal}
    found: dict[str, set[str]] = {}
    for row in table.rows:
        found.setdefault(row.id, set()).add(row.state)
    return frozenset(name for name, states in found.items() if states == living and len(living) > 1)


def _states(table: Table, row: Row) -> str:
    return ", ".join(f"`{one.state}`" for one in table.rows if one.id == row.id)


def _stays(table: Table, row: Row) -> bool:
    return all(one.state == one.to for one in table.rows if one.id == row.id)


def _id(name: str) -> str:
    return name.replace("-", "_")
