"""Taking what another party sends of a case."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from comity.kernel.errors import InputRefused
from comity.kernel.model.ids import type_of
from comity.kernel.procedure import replica as copies
from comity.kernel.procedure.acts import check_content, claimed_act, open_act
from comity.kernel.procedure.charter import CONVENE, procedure_id, read_charter
from comity.kernel.procedure.ledger import Keys, claimed_entry
from comity.kernel.procedure.replica import Replica
from comity.kernel.seal.canonical import canonical
from comity.kernel.store.ports import Reading
from comity.kernel.store.rows import CaseEntry, CaseRow
from comity.node.casework.healing import MISSING, answer, ask_for_case
from comity.node.casework.keeping import (
    DRAFT,
    PARTICIPANT,
    keep_papers,
    keep_replica,
    keys_known,
    replica_of,
    table_of,
)
from comity.node.casework.ordering import enter, note
from comity.node.casework.papers import EVERY, Content, keep_content
from comity.node.casework.signing import check_draft, enter_drafts
from comity.node.casework.tending import by_itself
from comity.node.context import Deed

ASKS: Final = frozenset({"no-such-case", "unknown-signer", "no-such-party"})
"""Codes that say that something is missing here, so that a case may begin here that is not known yet."""

MOST_CASES: Final = 1_000
"""So many cases that run one party may open with us; what others open does not count against it."""


def take_case(work: Deed, peer: str, paper: bytes) -> None:
    """Take what another party sends of a case.

    Raises:
        InputRefused: `case-paper` for what has no form; `no-such-case` where it does not begin at its beginning; what the papers
            themselves raise. SealBroken: where one is not signed by whom it names.
    """
    try:
        body = msgspec.json.decode(paper)
        case, papers = str(body["case"]), list(body["papers"])
    except (msgspec.DecodeError, KeyError, TypeError) as broken:
        raise InputRefused("case-paper", "This is no paper of a case.") from broken
    keys = keys_known(work.tx)
    row = work.tx.get(CaseRow, case) or _new(work, peer, case, body, keys)
    before = replica = replica_of(work.tx, row, keys)
    for one in papers:
        if one.get("kind") == MISSING:
            answer(work, row, peer, one, replica, keys)
            continue
        replica = _take(work, row, replica, one, keys)
    keep_replica(work, row, before, replica)
    if replica.state is not None:
        note(work, row, replica.state)
        row = work.tx.get(CaseRow, row.id) or row
        if replica.state.convener == work.node.party:
            enter(work, row, keys)
        enter_drafts(work, row, keys)
        by_itself(work, work.tx.get(CaseRow, row.id) or row)


def ask_again(work: Deed, peer: str, item: bytes, code: str) -> None:
    """Ask for what is missing after a paper of a case could not be taken, where what is missing may be the reason.

    Args:
        item: The control item as it came; whatever it holds, this raises nothing for it.
        code: Why it could not be taken.
    """
    try:
        body = msgspec.json.decode(str(msgspec.json.decode(item)["paper"]))
        case, kinds = str(body["case"]), [one["kind"] for one in body["papers"]]
    except (msgspec.DecodeError, KeyError, TypeError, ValueError, RecursionError):
        return
    lacks = code in ASKS or work.tx.get(CaseRow, case) is not None
    if lacks and type_of(case) == "comity-procedure" and any(kind != MISSING for kind in kinds):
        ask_for_case(work, peer, case, cards=code != "no-such-case")


def _new(work: Deed, peer: str, case: str, body: Mapping[str, Any], keys: Keys) -> CaseRow:
    if "table" not in body:
        raise InputRefused(
            "no-such-case", "The paper belongs to a case that is not known here; ask its convener for the beginning."
        )
    table = canonical(body["table"])
    first = next((str(one["envelope"]).encode() for one in body["papers"] if one.get("kind") == "entry"), b"")
    opened = claimed_entry(first)
    act = open_act(opened.act, dict(keys.get(opened.convener, {})))
    charter = read_charter(act, table_of(table))
    ours = work.node.party in charter.participants and peer == charter.convener
    if procedure_id(act) != case or not (ours or _admits(body["papers"], work.node.party)):
        raise InputRefused("case-paper", "This case is not one that its convener opened with us.")
    running = [row.id for row in work.tx.find(CaseRow, outcome=None) if row.role == PARTICIPANT]
    if len(running) >= MOST_CASES and sum(_convener(work.tx, one) == opened.convener for one in running) >= MOST_CASES:
        raise InputRefused("case-paper", f"{MOST_CASES} cases of this convener run here; end some of them first.")
    title = body.get("title")
    row = CaseRow(case, str(title)[:200] if title else case, table, PARTICIPANT, work.at, work.at + EVERY, None)
    work.tx.add([row])
    return row


def _convener(tx: Reading, case: str) -> str | None:
    """Who opened a case that is kept here."""
    first = next(iter(tx.find(CaseEntry, case=case, order=("seq",), limit=1)), None)
    return None if first is None else claimed_entry(first.envelope).convener


def _admits(papers: Sequence[Mapping[str, Any]], party: str) -> bool:
    """Whether an entry among these lets a party take part; that it follows is checked when it is taken."""
    entries = (claimed_entry(str(one["envelope"]).encode()) for one in papers if one.get("kind") == "entry")
    return any(["admit", party] == list(op)[:2] for one in entries for op in one.effect)


def _take(work: Deed, row: CaseRow, replica: Replica, one: Mapping[str, Any], keys: Keys) -> Replica:
    kind = one.get("kind")
    if kind == "content":
        envelope = str(one["act"]).encode()
        found = claimed_act(envelope)
        salt = bytes.fromhex(str(one["salt"]))
        check_content(found, salt, one.get("content"))
        keep_content(work, row, Content(envelope, salt, one.get("content")))
        return replica if found.type == CONVENE else copies.hear(replica, envelope, work.at, keys)
    envelope = str(one.get("envelope")).encode()
    match kind:
        case "act":
            return copies.hear(replica, envelope, work.at, keys)
        case "entry":
            return copies.take_entry(replica, envelope, work.at, keys)
        case "promise":
            return copies.take_promise(replica, envelope, keys)
        case "standing":
            return copies.take_standing(replica, envelope, keys)
        case "deal" | "holding" | "share":
            keep_papers(work, row, str(kind), [envelope], work.at)
            return replica
        case "draft":
            check_draft(replica.state, envelope, keys)
            keep_papers(work, row, DRAFT, [envelope], work.at)
            return replica
        case _:
            raise InputRefused("case-paper", f"A case has no paper of the kind {str(kind)[:40]!r}.")
