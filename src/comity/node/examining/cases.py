"""Cases: their parts belong together, the entries are folded anew to the state that is noted, and contents open what acts commit to."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256
from itertools import chain
from typing import Any

import msgspec

from comity.kernel.procedure.acts import Act, check_content, claimed_act
from comity.kernel.procedure.ledger import claimed_entry
from comity.kernel.store.rows import CaseContent, CaseEntry, CasePaper, CaseRow, CaseSecret
from comity.kernel.tlog.acts import officers_commitment
from comity.node.casework.keeping import CONVENER, HEARD, PARTICIPANT, keys_known, replica_of
from comity.node.examining.look import Finding, Look


def cases(look: Look) -> Iterator[Finding]:
    """`case` and its tables: each part of a case that is here, papers as they came, entries and papers without gaps."""

    def check(row: CaseRow) -> Iterator[str]:
        if row.at > look.now:
            yield f"The case {row.id} is dated after all that was done here."
        replica = replica_of(look.tx, row, keys)
        if replica.state is None or len(replica.placed) != look.tx.count(CaseEntry, case=row.id):
            yield f"The entries of the case {row.id} do not follow each other."
        elif (row.role, row.outcome) != (
            CONVENER if replica.state.convener == look.node.party else PARTICIPANT,
            replica.state.outcome,
        ):
            yield f"What is noted of the case {row.id} is not what its entries lead to."

    def paper(row: CasePaper) -> Iterator[str]:
        if sha256(row.envelope).hexdigest() != row.digest:
            yield f"A paper of the case {row.case} is not the one that came."

    def content(row: CaseContent) -> Iterator[str]:
        act = _act(look, row)
        if act is None:
            yield f"A content is kept in the case {row.case} of an act that is not here."
            return
        check_content(act, row.salt, msgspec.json.decode(row.content))
        if row.behind:
            said = msgspec.json.decode(row.behind)
            salt, mandate = bytes.fromhex(said["salt"]), said.get("mandate")
            if act.officers != officers_commitment(salt, said["officers"], said["reason"], mandate):
                yield f"Who stood behind an act of ours in the case {row.case} is not whom the act commits to."

    keys = keys_known(look.tx)
    yield from look.each(look.tx.find(CaseRow), lambda row: row.id, lambda row: f"The case {row.id}", check)
    yield from look.each(look.tx.find(CasePaper), lambda row: row.case, lambda row: f"A paper of {row.case}", paper)
    yield from look.each(look.tx.find(CaseContent), lambda row: row.case, lambda row: f"An act of {row.case}", content)
    yield from _whole(look)


def _act(look: Look, row: CaseContent) -> Act | None:
    """The act a content belongs to: of an entry, or one that was heard of."""
    entered = (claimed_entry(one.envelope).act for one in look.tx.find(CaseEntry, case=row.case))
    heard = (one.envelope for one in look.tx.find(CasePaper, case=row.case, kind=HEARD))
    return next((act for one in chain(entered, heard) if (act := claimed_act(one)).digest == row.act), None)


def _whole(look: Look) -> Iterator[Finding]:
    kinds: tuple[type[Any], ...] = (CaseEntry, CasePaper, CaseContent, CaseSecret)
    for kind in kinds:
        here = 0
        for case in look.tx.find(CaseRow):
            here += look.tx.count(kind, case=case.id)
        if here != look.tx.count(kind):
            for row in look.tx.find(kind):
                if look.tx.get(CaseRow, row.case) is None:
                    yield Finding(row.case, f"Something is kept of the case {row.case}, which is not here.")
                    break
    for case in look.tx.find(CaseRow):
        entries = [row.seq for row in look.tx.find(CaseEntry, case=case.id)]
        papers = sorted(row.n for row in look.tx.find(CasePaper, case=case.id))
        if entries != list(range(entries[0], entries[0] + len(entries)) if entries else ()) or papers != list(
            range(1, len(papers) + 1)
        ):
            yield Finding(case.id, f"An entry or a paper of the case {case.id} is missing.")
