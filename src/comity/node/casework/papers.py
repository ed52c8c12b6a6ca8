"""What a case's papers are made of and how they go out: an act with its content, to whom, in one control item each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final

import msgspec

from comity.kernel.model.instants import MINUTE, SECOND
from comity.kernel.procedure.acts import Act, Recorded, claimed_act, content_leaf, make_act
from comity.kernel.procedure.judging import State
from comity.kernel.procedure.ledger import Keys
from comity.kernel.procedure.tables import Table
from comity.kernel.seal.canonical import canonical
from comity.kernel.store.ports import Reading
from comity.kernel.store.rows import CaseContent, CasePaper, CaseRow, Party
from comity.kernel.tlog.acts import officers_body, officers_commitment
from comity.node.casework.keeping import (
    HEARD,
    replica_of,
)
from comity.node.context import Deed
from comity.node.papers import hand_over

KIND: Final = "case"
"""The kind of control item."""

EVERY: Final = MINUTE
"""How often a node looks at a case of which no clock runs out before."""

SOON: Final = 10 * SECOND
"""How often it looks once a clock ran out and something waits for it."""


@dataclass(frozen=True, slots=True)
class Content:
    """What an act says to those it concerns, with the salt that opens its commitment; `behind` opens who stood behind it."""

    act: bytes
    salt: bytes
    content: Any
    behind: bytes = b""

    def paper(self) -> dict[str, Any]:
        """The paper that shows it."""
        return {
            "kind": "content",
            "act": self.act.decode(),
            "salt": self.salt.hex(),
            "content": self.content,
        }


def signed(
    work: Deed,
    case: str | None,
    n: int,
    kind: str,
    public: Mapping[str, Any],
    content: Any,
    officer: str,
    reason: str,
    recorded: Recorded | None = None,
) -> Content:
    node = work.node
    about = f"case/{case or sha256(canonical(dict(public))).hexdigest()}/{n}"
    salt, behind = node.random(16, f"{about}/content"), b""
    officers = None
    if officer:
        hidden = node.random(16, f"{about}/officers")
        mandate = work.mandate([officer])
        officers = officers_commitment(hidden, [officer], reason, mandate)
        behind = canonical({**officers_body([officer], reason, mandate), "salt": hidden.hex()})
    made = Act(case, node.party, n, kind, dict(public), content_leaf(salt, content), officers, work.at, recorded)
    return Content(make_act(made, node.keys.node), salt, content, behind)


def shown(envelope: bytes) -> dict[str, Any]:
    return {"kind": "act", "envelope": envelope.decode()}


def keep_content(work: Deed, row: CaseRow, made: Content) -> None:
    digest = claimed_act(made.act).digest
    if work.tx.get(CaseContent, row.id, digest) is None:
        work.tx.add([CaseContent(row.id, digest, made.salt, canonical(made.content), made.behind)])


def content_paper(tx: Reading, row: CaseRow, envelope: bytes) -> dict[str, Any] | None:
    """The paper that shows the content of an act, where it is here."""
    stored = tx.get(CaseContent, row.id, claimed_act(envelope).digest)
    return None if stored is None else Content(envelope, stored.salt, msgspec.json.decode(stored.content)).paper()


def send(work: Deed, row: CaseRow, party: str, papers: Sequence[Mapping[str, Any]], *, opened: bool = False) -> None:
    body: dict[str, Any] = {"case": row.id, "papers": list(papers)}
    if opened:
        body |= {"title": row.title, "table": msgspec.json.decode(row.table)}
    hand_over(work, party, KIND, "", canonical(body))


def state_here(work: Deed, row: CaseRow, keys: Keys) -> State:
    state = replica_of(work.tx, row, keys).state
    assert state is not None, "a case is kept from its first entry on"
    return state


def own_waiting(work: Deed, row: CaseRow, state: State) -> int:
    """How many acts of ours the convener has not entered yet."""
    by, entered = work.node.party, state.counts.get(work.node.party, 0)
    heard = (claimed_act(one.envelope) for one in work.tx.find(CasePaper, case=row.id, kind=HEARD))
    return sum(one.by == by and one.n > entered for one in heard)


def others(work: Deed, state: State) -> list[str]:
    """Everybody who is sent what happens: who takes part, who did from the beginning, and the convener; but not us."""
    every = {*state.participants, *state.charter.participants, state.convener} - {work.node.party}
    return [row.id for row in work.tx.find(Party) if row.id in every]


def is_for(table: Table, state: State, act: Act, party: str) -> bool:
    """Whether the content of an act is for a party: everybody's, or of those whom it concerns."""
    kind = table.acts.get(act.type)
    if kind is None or kind.content == "all":
        return True
    return party in {act.by, act.head, state.convener, state.text_by, act.open.get("party")}
