"""Acting in a case: opening one, and doing an act.

Whoever acts shows its act to every participant and to the convener at once, so that it cannot be dropped unseen; the content goes to
those the state table names. The convener answers with a promise and an entry, both to everybody. All of it travels as control
items, each under an act of the log towards one party.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from comity.kernel.errors import NotAllowed
from comity.kernel.model.instants import Instant
from comity.kernel.procedure import convener
from comity.kernel.procedure.acts import Recorded, claimed_act
from comity.kernel.procedure.charter import CONVENE, Charter
from comity.kernel.procedure.judging import Refused, judge
from comity.kernel.procedure.tables import Table
from comity.kernel.store.rows import CaseEntry, CaseRow
from comity.node.casework.agreed import less_than_agreed
from comity.node.casework.keeping import (
    CONVENER,
    HEARD,
    has_node,
    keep_papers,
    keys_known,
    table_of,
)
from comity.node.casework.ordering import enter, invite
from comity.node.casework.papers import (
    EVERY,
    is_for,
    keep_content,
    others,
    own_waiting,
    send,
    shown,
    signed,
    state_here,
)
from comity.node.context import Deed
from comity.node.papers import send_cards


def open_case(
    work: Deed,
    table: bytes,
    *,
    title: str,
    charter: Charter,
    officer: str,
    reason: str = "",
    names: Mapping[str, str] | None = None,
) -> CaseRow:
    """Convene a procedure: its first act, its ledger, and the papers to everybody who is to take part.

    Args:
        table: The state table, canonical JSON.
        charter: What it is opened with; its origin is our log.
        names: What to call those who are represented and have no card, by id.

    Raises:
        InputRefused: `procedure-charter`. NotAllowed: `case-party` where the card of a participant with a node is not here, or
            the card of one that is to be represented names a node; `case-agreement` where it gives less than was agreed.
    """
    keys = keys_known(work.tx)
    _as_agreed(work, charter, table_of(table), work.at)
    for party in charter.represented:
        if has_node(work.tx, party):
            raise NotAllowed(
                "case-party", f"The card of {party} names a node, so it takes part itself; nobody records for it."
            )
    unknown = [party for party in charter.participants if party not in keys and party not in charter.represented]
    if unknown:
        raise NotAllowed("case-party", f"No card of {unknown[0]} is here, so it cannot take part; get its card first.")
    content = {"title": title, **({"names": dict(names)} if names else {})}
    made = signed(work, None, 1, CONVENE, charter.as_json(), content, officer, reason)
    ledger = convener.convene(table_of(table), made.act, work.at, work.node.keys.node, keys)
    row = CaseRow(ledger.state.procedure, title, table, CONVENER, work.at, work.at + EVERY, None)
    work.tx.add([row, CaseEntry(row.id, 0, ledger.entries[0], work.at)])
    keep_content(work, row, made)
    for party in others(work, ledger.state):
        for about in (work.node.party, *ledger.state.participants):
            if about != party:
                send_cards(work, about, party)
        invite(work, row, ledger, party)
    return row


def act(
    work: Deed,
    row: CaseRow,
    kind: str,
    public: Mapping[str, Any],
    content: Any,
    *,
    officer: str,
    reason: str = "",
    private: Mapping[str, Sequence[Mapping[str, Any]]] | None = None,
    recorded: Recorded | None = None,
) -> bytes:
    """Do an act: sign it, keep its content, show it to everybody, and enter it where we convene; gives its envelope.

    Args:
        private: Further papers for one party alone, such as its share of a sealed position.
        recorded: Whose word it records, where a party without a node said it by note verbale, mail, telephone or in a meeting.

    Raises:
        NotAllowed: the code ``step-...`` with which the act would be refused as things stand here; `case-agreement` where the
            case gives less than an agreement that is in force between its convener and us.
    """
    keys = keys_known(work.tx)
    state = state_here(work, row, keys)
    waiting = own_waiting(work, row, state)
    table = table_of(row.table)
    if officer:
        _as_agreed(work, state.charter, table, row.at)
    by = work.node.party
    made = signed(work, row.id, state.counts.get(by, 0) + waiting + 1, kind, public, content, officer, reason, recorded)
    envelope = made.act
    if not waiting:
        judged = judge(table, state, claimed_act(envelope), work.at, frozenset({state.convener}))
        if isinstance(judged, Refused):
            raise NotAllowed(judged.code, judged.sentence)
    keep_content(work, row, made)
    keep_papers(work, row, HEARD, [envelope], work.at)
    for party in others(work, state):
        papers = [made.paper()] if is_for(table, state, claimed_act(envelope), party) else [shown(envelope)]
        send(work, row, party, [*papers, *((private or {}).get(party, ()))])
    if state.convener == by:
        enter(work, row, keys)
    return envelope


def _as_agreed(work: Deed, charter: Charter, table: Table, at: Instant) -> None:
    short = less_than_agreed(work.tx, work.node.party, charter, table, at)
    if short:
        raise NotAllowed(
            "case-agreement", f"The case gives less than was agreed, so nobody acts in it here: {' '.join(short)}"
        )
