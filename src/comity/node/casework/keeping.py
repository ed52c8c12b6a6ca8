"""What the node keeps of a case, and the kernel's values made from it.

A case is kept as the papers it consists of, each as it came, so nothing that decides is stored twice. The convener's ledger and a
participant's copy are folded from them. What was folded last is remembered beside the rows it was folded from: a deed that finds
those rows again, byte for byte and under the same keys, folds only what is new; where one of them is another, or is gone, it
folds anew.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import lru_cache
from hashlib import sha256
from threading import Lock
from typing import Final

import msgspec

from comity.kernel.errors import NotFound, Usage
from comity.kernel.model.instants import Instant
from comity.kernel.procedure import replica as copies
from comity.kernel.procedure.acts import claimed_act
from comity.kernel.procedure.convener import Ledger
from comity.kernel.procedure.judging import State
from comity.kernel.procedure.ledger import Keys
from comity.kernel.procedure.replica import Replica
from comity.kernel.procedure.tables import Table, read_table
from comity.kernel.seal.keys import PublicKey
from comity.kernel.store.ports import Reading
from comity.kernel.store.rows import CaseContent, CaseEntry, CasePaper, CaseRow, Party
from comity.node.context import Deed
from comity.node.parties import card_of

CONVENER: Final = "convener"
PARTICIPANT: Final = "participant"

HEARD: Final = "heard"
EARLY: Final = "early"
PROMISE: Final = "promise"
STANDING: Final = "standing"
FAULT: Final = "fault"
RIVAL: Final = "rival"
DRAFT: Final = "draft"


@lru_cache(maxsize=64)
def table_of(data: bytes) -> Table:
    """The state table in the bytes of a case, checked once."""
    return read_table(msgspec.json.decode(data))


def case_row(tx: Reading, text: str) -> CaseRow:
    """The case of this id, title, or unambiguous beginning of either.

    Raises:
        NotFound: `no-such-case`. Usage: `ambiguous-name`.
    """
    exact = tx.get(CaseRow, text)
    if exact is not None:
        return exact
    bare = f"comity-procedure--{text}"
    found = [row for row in tx.find(CaseRow) if row.title == text]
    found = found or [
        row for row in tx.find(CaseRow) if row.id.startswith((text, bare)) or row.title.lower().startswith(text.lower())
    ]
    if not found or not text:
        raise NotFound("no-such-case", f"There is no case {text!r} here; comity case list shows them.")
    if len(found) > 1:
        raise Usage("ambiguous-name", f"{text!r} is the beginning of {len(found)} cases; say more of its id.")
    return found[0]


def keys_known(tx: Reading) -> Keys:
    """The node keys, past and present, of every party whose card is here: an entry was signed when it was signed."""
    found: dict[str, dict[str, PublicKey]] = {}
    for row in tx.find(Party):
        card = card_of(tx, row.id)
        if card is not None:
            found[row.id] = {one.key.keyid: one.key for one in (*card.keys, *card.retired) if one.use == "node"}
    return found


def has_node(tx: Reading, party: str) -> bool:
    """Whether the card of a party that is here names where its node is reached."""
    card = card_of(tx, party)
    return card is not None and bool(card.endpoints)


def ledger_of(tx: Reading, row: CaseRow, keys: Keys) -> Ledger:
    """The ledger of a case that we convene."""
    replica = replica_of(tx, row, keys)
    if replica.state is None:
        raise NotFound("no-such-case", f"The case {row.title!r} has not come here whole yet; sync again.")
    ledger = Ledger(replica.table, replica.entries, replica.state, replica.state.at)
    waiting: dict[str, dict[int, bytes]] = {}
    for paper in tx.find(CasePaper, case=row.id, kind=HEARD, order=("n",)):
        act = claimed_act(paper.envelope)
        if act.n > ledger.state.counts.get(act.by, 0):
            waiting.setdefault(act.by, {})[act.n] = paper.envelope
    return replace(ledger, waiting=waiting)


@dataclass(frozen=True, slots=True)
class _Folded:
    """A copy, and exactly what it was folded from."""

    table: bytes
    entries: tuple[CaseEntry, ...]
    papers: frozenset[CasePaper]
    keys: Keys
    replica: Replica

    def begins(self, table: bytes, entries: tuple[CaseEntry, ...], papers: frozenset[CasePaper], keys: Keys) -> bool:
        """Whether all it was folded from is still there, in the same place and under the same keys."""
        same = (self.table, self.keys, self.entries) == (table, keys, entries[: len(self.entries)])
        return same and self.papers <= papers


MOST_REMEMBERED: Final = 64
"""So many folded copies are remembered, of the cases that were looked at last."""

_remembered: OrderedDict[str, tuple[_Folded, ...]] = OrderedDict()
_lock = Lock()


def replica_of(tx: Reading, row: CaseRow, keys: Keys) -> Replica:
    """Our copy of a case."""
    entries = tuple(tx.find(CaseEntry, case=row.id, order=("seq",)))
    rows = tuple(tx.find(CasePaper, case=row.id, order=("kind", "n")))
    papers = frozenset(rows)
    known = [one for one in _remembered.get(row.id, ()) if one.begins(row.table, entries, papers, keys)]
    before = max(known, key=lambda one: len(one.entries) + len(one.papers), default=None)
    if before is not None and (len(before.entries), len(before.papers)) == (len(entries), len(papers)):
        return before.replica
    if before is None:
        replica = _folded(Replica(table_of(row.table), row.id), entries, rows, keys)
    else:
        new = [one for one in rows if one not in before.papers]
        replica = _folded(before.replica, entries[len(before.entries) :], new, keys)
    _remember(row.id, _Folded(row.table, entries, papers, keys, replica), before)
    return replica


def _remember(case: str, folded: _Folded, before: _Folded | None) -> None:
    with _lock:
        # Several nodes of one process, or a rehearsal beside the deed, hold different copies of one case.
        others = tuple(one for one in _remembered.get(case, ()) if one is not before)[-3:]
        _remembered[case] = (*others, folded)
        _remembered.move_to_end(case)
        while len(_remembered) > MOST_REMEMBERED:
            _remembered.popitem(last=False)


def forget_folded() -> None:
    """Forget every copy that was folded; the next look at a case folds it anew from its papers."""
    with _lock:
        _remembered.clear()


def _folded(replica: Replica, entries: Iterable[CaseEntry], papers: Iterable[CasePaper], keys: Keys) -> Replica:
    for entry in entries:
        replica = copies.take_entry(replica, entry.envelope, entry.came, keys)
    for paper in papers:
        match paper.kind:
            case "promise":
                replica = copies.take_promise(replica, paper.envelope, keys)
            case "standing":
                replica = copies.take_standing(replica, paper.envelope, keys)
            case "heard":
                replica = copies.hear(replica, paper.envelope, paper.came, keys)
            case "early" | "rival":
                replica = copies.take_entry(replica, paper.envelope, paper.came, keys)
            case _:
                pass
    return replica


def keep_replica(work: Deed, row: CaseRow, before: Replica, after: Replica) -> None:
    """Keep what a copy has that it did not have before."""
    known = len(before.placed)
    work.tx.add(CaseEntry(row.id, known + n, one.envelope, one.came) for n, one in enumerate(after.placed[known:]))
    keep_papers(work, row, PROMISE, (paper for paper, _ in after.promises), work.at)
    keep_papers(work, row, STANDING, (paper for paper, _ in after.standings), work.at)
    for one in after.heard:
        keep_papers(work, row, HEARD, [one.envelope], one.came)
    keep_papers(work, row, FAULT, after.faults, work.at)
    keep_papers(work, row, RIVAL, after.rivals, work.at)
    keep_papers(work, row, EARLY, (one for queue in after.waiting.values() for one in queue), work.at)


def keep_papers(work: Deed, row: CaseRow, kind: str, envelopes: Iterable[bytes], came: Instant) -> None:
    """Keep papers that are not kept yet."""
    for envelope in envelopes:
        digest = sha256(envelope).hexdigest()
        if work.tx.get(CasePaper, row.id, digest) is None:
            n = work.tx.count(CasePaper, case=row.id) + 1
            work.tx.add([CasePaper(row.id, digest, kind, n, envelope, came)])


def state_of_case(tx: Reading, row: CaseRow, keys: Keys | None = None) -> State:
    """The state after the last entry that is here.

    Raises:
        NotFound: `no-such-case` where not even the first entry is here yet.
    """
    replica = replica_of(tx, row, keys_known(tx) if keys is None else keys)
    if replica.state is None:
        raise NotFound("no-such-case", f"The case {row.title!r} has not come here whole yet; sync again.")
    return replica.state


def content_of(tx: Reading, row: CaseRow, act: str) -> object | None:
    """The content of an act, where it was shown to us."""
    found = tx.get(CaseContent, row.id, act)
    return None if found is None else msgspec.json.decode(found.content)
