"""What several sign: a removal, an admission, a handing over, an election. A draft goes round until enough have signed it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from comity.kernel.errors import ComityError, InputRefused, NotAllowed, NotFound
from comity.kernel.procedure import convener
from comity.kernel.procedure import replica as copies
from comity.kernel.procedure.fold import follow
from comity.kernel.procedure.judging import State
from comity.kernel.procedure.ledger import ENTRY, Entry, Keys, open_entry, sign_entry
from comity.kernel.seal import dsse
from comity.kernel.seal.canonical import canonical
from comity.kernel.store.ports import Reading
from comity.kernel.store.rows import CasePaper, CaseRow
from comity.node.casework.keeping import (
    DRAFT,
    keep_papers,
    keep_replica,
    keys_known,
    replica_of,
    table_of,
)
from comity.node.casework.ordering import note
from comity.node.casework.papers import keep_content, others, send, signed, state_here
from comity.node.context import Deed
from comity.node.record import log_facts, record


def check_draft(state: State | None, envelope: bytes, keys: Keys) -> Entry:
    """The entry that somebody asks us to sign too, if it would be the next one.

    Raises:
        InputRefused: `case-draft`. SealBroken: as `open_entry`.
    """
    entry, _ = open_entry(envelope, keys)
    if state is None or (entry.procedure, entry.seq, entry.previous) != (state.procedure, state.seq + 1, state.head):
        raise InputRefused("case-draft", "The draft does not follow what stands here; sync, and ask for a new one.")
    return entry


def propose(work: Deed, row: CaseRow, kind: str, public: Mapping[str, Any], *, officer: str, reason: str = "") -> bytes:
    """Draft the entry of an act that others have to sign too, sign it, and ask them.

    Raises:
        NotAllowed: the code ``step-...`` with which it would be refused even with everybody's signature.
    """
    keys = keys_known(work.tx)
    state, table, us = state_here(work, row, keys), table_of(row.table), work.node.party
    made = signed(work, row.id, state.counts.get(us, 0) + 1, kind, public, {}, officer, reason)
    everybody = frozenset({*state.participants, state.convener, us})
    elects = any(step.word == "elect" for one in table.rows_of(state.name, kind) for step in one.effects)
    entry = convener.draft(
        table, state, made.act, work.at, everybody, origin=log_facts(work.tx).origin if elects else None
    )
    if entry.refused is not None:
        raise NotAllowed(*entry.refused)
    keep_content(work, row, made)
    envelope = sign_entry(entry, [work.node.keys.node])
    keep_papers(work, row, DRAFT, [envelope], work.at)
    for party in others(work, state):
        send(work, row, party, [made.paper(), {"kind": DRAFT, "envelope": envelope.decode()}])
    return envelope


def drafts_of(tx: Reading, row: CaseRow, keys: Keys) -> list[tuple[Entry, bytes, frozenset[str]]]:
    """The drafts that would be the next entry, each once with every signature that came: entry, envelope, signers."""
    state = replica_of(tx, row, keys).state
    found: dict[str, bytes] = {}
    for paper in tx.find(CasePaper, case=row.id, kind=DRAFT, order=("n",)):
        try:
            entry = check_draft(state, paper.envelope, keys)
        except ComityError:
            continue
        found[entry.digest] = _together(found.get(entry.digest), paper.envelope)
    return [(entry, one, signers) for one in found.values() for entry, signers in [open_entry(one, keys)]]


def _together(one: bytes | None, other: bytes) -> bytes:
    if one is None:
        return other
    first, second = msgspec.json.decode(one), msgspec.json.decode(other)
    held = {signature["keyid"] for signature in first["signatures"]}
    first["signatures"] += [signature for signature in second["signatures"] if signature["keyid"] not in held]
    return canonical(first)


def support(work: Deed, row: CaseRow, digest: str, *, officer: str, reason: str = "") -> bytes:
    """Sign a draft too, and send it on; whoever orders the ledger enters it once enough have signed.

    Raises:
        NotFound: `case-draft` where no draft of this digest would be the next entry.
    """
    keys = keys_known(work.tx)
    for entry, envelope, _ in drafts_of(work.tx, row, keys):
        if entry.digest.startswith(digest):
            signed = dsse.countersign(envelope, ENTRY, work.node.keys.node)
            keep_papers(work, row, DRAFT, [signed], work.at)
            for party in others(work, state_here(work, row, keys)):
                send(work, row, party, [{"kind": DRAFT, "envelope": signed.decode()}])
            record(work, "handle", "", {"target": row.id, "supports": entry.digest}, officers=[officer], reason=reason)
            enter_drafts(work, row, keys)
            return signed
    raise NotFound("case-draft", "There is no such draft, or what stands in the case has changed since; look again.")


def enter_drafts(work: Deed, row: CaseRow, keys: Keys) -> bool:
    """Enter a draft that enough have signed, where it is ours to enter: as the convener, or as who is elected."""
    us = work.node.party
    for entry, envelope, _ in drafts_of(work.tx, row, keys):
        if entry.convener != us:
            continue
        before = replica_of(work.tx, row, keys)
        assert before.state is not None, "a draft follows something"
        try:
            follow(before.table, before.state, envelope, keys)
        except ComityError:
            continue  # not enough have signed yet
        after = copies.take_entry(before, envelope, work.at, keys)
        keep_replica(work, row, before, after)
        assert after.state is not None, "it follows"
        for party in sorted({*others(work, before.state), *others(work, after.state)}):
            send(work, row, party, [{"kind": "entry", "envelope": envelope.decode()}])
        note(work, row, after.state)
        return True
    return False
