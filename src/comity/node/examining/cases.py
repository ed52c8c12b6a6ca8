"""Cases: that their parts belong together. What the papers say is folded anew, and so verified, by whatever uses a case."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256
from typing import Any

import msgspec

from comity.kernel.store.rows import CaseContent, CaseEntry, CasePaper, CaseRow, CaseSecret
from comity.node.examining.look import Finding, Look


def cases(look: Look) -> Iterator[Finding]:
    """`case` and its tables: each part of a case that is here, papers as they came, entries and papers without gaps."""

    def check(row: CaseRow) -> Iterator[str]:
        msgspec.json.decode(row.table)
        if row.role not in ("convener", "participant") or row.at > look.now:
            yield f"The case {row.id} is convened by nobody, or dated after all that was done here."

    def paper(row: CasePaper) -> Iterator[str]:
        if sha256(row.envelope).hexdigest() != row.digest:
            yield f"A paper of the case {row.case} is not the one that came."

    def content(row: CaseContent) -> Iterator[str]:
        msgspec.json.decode(row.content)
        if row.behind:
            msgspec.json.decode(row.behind)
        yield from ()

    yield from look.each(look.tx.find(CaseRow), lambda row: row.id, lambda row: f"The case {row.id}", check)
    yield from look.each(look.tx.find(CasePaper), lambda row: row.case, lambda row: f"A paper of {row.case}", paper)
    yield from look.each(look.tx.find(CaseContent), lambda row: row.case, lambda row: f"An act of {row.case}", content)
    yield from _whole(look)


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
