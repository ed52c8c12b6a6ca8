"""A mandate as it is told: who holds it, for what, how high, how long, and how it stands."""

from __future__ import annotations

from typing import Any

from comity.kernel.model.instants import Instant, format
from comity.kernel.store.ports import Reading
from comity.kernel.store.rows import Officer
from comity.node.mandates import Given


def shape_of(tx: Reading, given: Given, at: Instant) -> dict[str, Any]:
    """A mandate for programs: its canonical form, the digest, the names, how it stands, who confirmed and who ended it."""
    row = given.row
    return {
        **given.says.as_json(),
        "digest": row.digest,
        "names": {one: name_of(tx, one) for one in (*given.says.officers, given.says.by)},
        "stands": stands(tx, given, at),
        "confirmed": None if row.confirmed is None else {"by": row.second, "at": format(row.confirmed)},
        "ended": None if row.ended is None else {"by": row.ender, "at": format(row.ended)},
    }


def lines_of(tx: Reading, given: Given, at: Instant) -> list[str]:
    """A mandate for people."""
    says, row = given.says, given.row
    until = "until it is ended" if says.until is None else f"until {format(says.until)}"
    lines = [
        f"{says.id}: {name_of(tx, says.officer)} ({says.officer}), {stands(tx, given, at)}",
        f"  for      {', '.join(says.deeds)}",
        f"  up to    {', '.join(f'{word} {value}' for word, value in says.ceilings) or 'no ceiling is stated'}",
        f"  time     from {format(given.since)} {until}",
    ]
    if says.substitutes:
        lines.append(f"  stand in {', '.join(f'{name_of(tx, one)} ({one})' for one in says.substitutes)}")
    lines.append(f"  given    by {name_of(tx, says.by)} at {format(says.at)}: {says.reason}")
    if row.confirmed is not None and row.second is not None:
        lines.append(f"  also by  {name_of(tx, row.second)} at {format(row.confirmed)}")
    if row.ended is not None and row.ender is not None:
        lines.append(f"  ended    by {name_of(tx, row.ender)} at {format(row.ended)}")
    return lines


def stands(tx: Reading, given: Given, at: Instant) -> str:
    """How it stands at an instant: waiting, to come, in force, ended or over."""
    return given.stands(at, tx.get(Officer, given.says.officer))


def name_of(tx: Reading, officer: str) -> str:
    """What an officer is called."""
    row = tx.get(Officer, officer)
    return officer if row is None else row.name
