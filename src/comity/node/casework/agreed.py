"""What the agreements in force here say of a procedure, and what a case gives less of than they do.

A charter that says less than an agreement between us and its convener is shown as that, and none of our officers acts in the case: without
a receipt of ours our silence is never consent. A charter that names one agreement is held to that one; which of several holds is then the
choice of who opens the case, and everybody sees it. One that names none is held to each that is in force between us and its convener.
"""

from __future__ import annotations

from typing import Final

from comity.kernel.errors import ComityError
from comity.kernel.model.instants import DAY, Instant
from comity.kernel.procedure.agreed import falls_short
from comity.kernel.procedure.charter import Charter
from comity.kernel.procedure.tables import Table
from comity.kernel.release.agreement import AgreedProcedure
from comity.kernel.release.life import AgreementState, entered_into_force, members
from comity.kernel.store.ports import Reading
from comity.node.agreements import states, superseded_by
from comity.node.reference import zone

ZONE_FOR: Final = 3 * 366 * DAY
"""For so long from its opening a charter says the offsets of its zone."""


def agreed_between(tx: Reading, us: str, convener: str, table: str, at: Instant) -> list[tuple[str, AgreedProcedure]]:
    """For each agreement in force at an instant of which both are members: its digest and what it says of a procedure."""
    replaced = superseded_by(tx, at)
    return [
        (state.digest, said)
        for state in states(tx)
        if state.digest not in replaced and _in_force(state, at) and {us, convener} <= members(state, at)
        for said in state.agreement.procedures
        if said.table == table
    ]


def _in_force(state: AgreementState, at: Instant) -> bool:
    entered, ends = entered_into_force(state), (state.agreement.life.ends, state.terminated)
    return entered is not None and entered <= at and not any(end is not None and end <= at for end in ends)


def less_than_agreed(tx: Reading, us: str, charter: Charter, table: Table, at: Instant) -> tuple[str, ...]:
    """What a case gives less of than was agreed with us, a sentence each; nothing where it gives as much.

    Args:
        at: When the case was opened here.
    """
    held = agreed_between(tx, us, charter.convener, table.id, at)
    named = [(digest, said) for digest, said in held if digest == charter.agreement]
    told = []
    if charter.agreement is not None and not named:
        told.append(
            f"The case names the agreement {charter.agreement[:12]}, which says nothing of this procedure that is in force "
            "between its convener and us."
        )
    for digest, said in named or held:
        try:
            known = zone(said.zone, at, at + ZONE_FOR)
        except ComityError as broken:
            told.append(broken.sentence)
            continue
        told += [f"{one} (agreement {digest[:12]})" for one in falls_short(charter, table, said, known)]
    return tuple(told)
