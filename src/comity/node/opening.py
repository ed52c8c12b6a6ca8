"""Opening an act of ours to an auditor: who stood behind it, under which mandate, and why."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from comity.kernel.errors import NotFound, Usage
from comity.kernel.procedure.acts import claimed_act
from comity.kernel.procedure.ledger import claimed_entry
from comity.kernel.release.opening import Opening
from comity.kernel.store.ports import Reading
from comity.kernel.store.rows import ActRow, CardRow, CaseContent, CaseEntry, CasePaper, Officer
from comity.node.casework.keeping import HEARD
from comity.node.context import Node
from comity.node.deeds import deed
from comity.node.mandates import mandate_of
from comity.node.record import officers_of


def open_act_for(node: Node, digest: str, *, officer: str) -> Opening:
    """The opening of an act of ours, of the log or of a procedure; that it was opened is noted in the audit.

    Args:
        digest: Of the act, or its unambiguous beginning, at least 8 hexadecimal digits.
        officer: The id of the auditor.

    Raises:
        NotFound: `no-such-act` where no act of ours with officers has that digest. Usage: `ambiguous-name`.
    """
    with deed(node, officer) as work:
        found = _in_log(work.tx, digest) | _in_cases(work.tx, digest)
        if not found:
            raise NotFound("no-such-act", "No act of ours that an officer stands behind has this digest.")
        if len(found) > 1:
            raise Usage("ambiguous-name", f"{digest} fits {len(found)} acts; write more of it.")
        ((full, (envelope, said)),) = found.items()
        names = {row.id: row.name for row in work.tx.find(Officer)}
        mandate = said.get("mandate")
        work.audit("log-open", {"act": full})
        return Opening(
            act=envelope,
            cards=tuple(row.envelope for row in work.tx.find(CardRow, party=node.party)),
            salt=bytes.fromhex(said["salt"]),
            officers=tuple(said["officers"]),
            names={one: names[one] for one in said["officers"] if one in names},
            reason=said["reason"],
            mandate=None if mandate is None else mandate_of(work.tx, mandate),
        )


def _in_log(tx: Reading, digest: str) -> dict[str, tuple[bytes, Mapping[str, Any]]]:
    row = tx.get(ActRow, digest)
    rows = [row] if row is not None else tx.find(ActRow) if len(digest) >= 8 else []
    return {
        one.digest: (one.envelope, said)
        for one in rows
        if one.digest.startswith(digest) and (said := officers_of(one))["officers"]
    }


def _in_cases(tx: Reading, digest: str) -> dict[str, tuple[bytes, Mapping[str, Any]]]:
    found: dict[str, tuple[bytes, Mapping[str, Any]]] = {}
    for row in tx.find(CaseContent) if len(digest) >= 8 else ():
        if row.act.startswith(digest) and row.behind:
            acts = [claimed_entry(one.envelope).act for one in tx.find(CaseEntry, case=row.case)]
            acts += [one.envelope for one in tx.find(CasePaper, case=row.case, kind=HEARD)]
            for envelope in acts:
                if claimed_act(envelope).digest == row.act:
                    found[row.act] = envelope, msgspec.json.decode(row.behind)
    return found
