"""Mandates: each in its canonical form, given, confirmed and ended as the audit and an act of ours say, by who may."""

from __future__ import annotations

from collections.abc import Iterator

from comity.kernel.release.mandates import read_mandate
from comity.kernel.store.rows import ActRow, MandateRow, Officer
from comity.node.examining.look import Finding, Look, missing, same_json


def mandates(look: Look) -> Iterator[Finding]:
    """`mandate`: numbered without gaps; the body is what its digest names; who gave, confirmed and ended it is noted so."""
    officers = {row.id: row for row in look.tx.find(Officer)}

    def check(row: MandateRow) -> Iterator[str]:
        says = read_mandate(same_json(row.body))
        if (says.id, says.digest) != (row.id, row.digest):
            yield f"{row.id} is not the mandate that was given under this id."
        named = [officers.get(one) for one in (*says.officers, says.by)]
        if None in named or not _admin(officers, says.by) or says.at > look.now:
            yield f"{row.id} names an officer who is not known here, or was given by one without the role admin."
        steps = [("give", says.at, says.by)]
        if row.confirmed is not None or row.second is not None:
            steps.append(("confirm", row.confirmed or 0, row.second or ""))
        if row.ended is not None or row.ender is not None:
            steps.append(("end", row.ended or 0, row.ender or ""))
        for what, at, by in steps:
            if not _noted(look, row, what, at, by):
                yield f"{row.id} is said to stand otherwise than the audit and our acts say ({what})."

    def number(row: MandateRow) -> int:
        return int(row.id.rpartition("-")[2])

    rows = list(look.tx.find(MandateRow))
    yield from look.each(rows, lambda row: row.id, lambda row: f"The mandate {row.id}", check)
    yield from missing(
        sorted((row for row in rows if row.id.rpartition("-")[2].isdecimal()), key=number), number, "mandate"
    )


def _admin(officers: dict[str, Officer], id: str) -> bool:
    row = officers.get(id)
    return row is not None and "admin" in row.roles.split()


def _noted(look: Look, row: MandateRow, what: str, at: int, by: str) -> bool:
    """Whether the audit tells it so, and an act of ours commits to it."""
    for one in look.noted(at, "mandate"):
        if (one["mandate"], one["digest"], one["what"], one["by"]) == (row.id, row.digest, what, by):
            act = look.tx.get(ActRow, one["act"])
            if act is not None:
                body = look.act(act.envelope, look.node.party).body
                return (body["mandate"], body["digest"], body["what"]) == (row.id, row.digest, what)
    return False
