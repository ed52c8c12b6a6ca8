"""A copy of a case that is folded piece by piece is the copy that is folded anew, whatever came and in whichever order."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from comity.kernel.errors import ComityError
from comity.kernel.model.instants import DAY, HOUR
from comity.kernel.procedure import convener
from comity.kernel.procedure import replica as copies
from comity.kernel.procedure.evidence import verify_evidence
from comity.kernel.procedure.ledger import claimed_entry, sign_entry
from comity.kernel.procedure.replica import Replica, doubts, unanswered
from comity.kernel.seal.canonical import canonical
from comity.kernel.store.rows import Audit, CaseEntry, CasePaper, CaseRow
from comity.node.casework import keeping
from comity.node.casework.keeping import forget_folded, keep_replica, replica_of
from comity.node.deeds import deed
from comity.node.doctor import examine
from comity.node.procedures import shipped_tables
from simulators.casework import HELD, KEYS, NAMES, PARTY, Case, text
from simulators.world import World

T, U = text("first"), text("second")
TABLES = shipped_tables()
BY_DIGEST = {one.digest: one for one in TABLES.values()}
ACTS = st.tuples(
    st.sampled_from(NAMES), st.sampled_from(("receipt", "consent", "break", "put")), st.sampled_from([T, U])
)


def told(copy: Replica) -> dict[str, Any]:
    """All that a copy says. Whom its papers convict is the same in any order; which two of them are laid side by side is not."""
    verdicts = [verify_evidence(one, HELD, BY_DIGEST) for one in copy.faults]
    return {
        "entries": copy.entries,
        "state": None if copy.state is None else copy.state.as_json(),
        "waiting": {seq: frozenset(some) for seq, some in copy.waiting.items() if seq >= len(copy.placed)},
        "promises": {paper for paper, _ in copy.promises},
        "standings": {paper for paper, _ in copy.standings},
        "heard": {one.act.digest for one in copy.heard},
        "rivals": set(copy.rivals),
        "convicted": {one.accused for one in verdicts},
        "unanswered": {one.act.digest for one in unanswered(copy)},
        "doubts": {one.word for one in doubts(copy)},
    }


def papers(script: list[tuple[str, str, str]], lie: bool) -> tuple[Case, list[tuple[str, bytes]]]:
    """Everything a participant may be sent of a case, and where its convener lies, another history from the middle on."""
    case, found = Case(TABLES["silence"]), []
    for name, kind, about in [("anna", "put", T), *script]:
        envelope = case.act(name, kind, text=about)
        found.append(("hear", envelope))
        taken = convener.take(case.ledger, envelope, case.now, KEYS["anna"], HELD)
        case.ledger = taken.ledger
        found += [("promise", one) for one in taken.promises]
    found.append(("standing", case.standing()))
    found += [("entry", one) for one in case.ledger.entries]
    if lie:
        last = claimed_entry(case.ledger.entries[-1])
        found.append(("entry", sign_entry(replace(last, at=last.at + HOUR), [KEYS["anna"]])))
        found.append(("entry", sign_entry(replace(last, seq=last.seq + 1, previous="00" * 32), [KEYS["anna"]])))
    return case, found


def taken(copy: Replica, kind: str, paper: bytes, at: int) -> Replica:
    match kind:
        case "hear":
            return copies.hear(copy, paper, at, HELD)
        case "promise":
            return copies.take_promise(copy, paper, HELD)
        case "standing":
            return copies.take_standing(copy, paper, HELD)
        case _:
            return copies.take_entry(copy, paper, at, HELD)


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(script=st.lists(ACTS, max_size=8), lie=st.booleans(), data=st.data())
def test_a_copy_folded_piece_by_piece_is_the_one_folded_anew(script: Any, lie: bool, data: st.DataObject) -> None:
    case, every = papers(script, lie)
    assert case.procedure is not None
    order = data.draw(st.permutations(every))
    world = World()
    node = world.node("Team A")
    row = CaseRow(
        case.procedure, "Case", canonical(dict(case.table.data)), "participant", world.at, world.at + 10 * DAY, None
    )
    forget_folded()
    with deed(node) as work:
        work.tx.add([row])
    for kind, paper in order:
        with deed(node) as work:
            before = replica_of(work.tx, row, HELD)
            try:
                after = taken(before, kind, paper, work.at)
            except ComityError:
                continue  # an act of a case of which not even the beginning is here
            keep_replica(work, row, before, after)
        with node.store.read() as tx:
            copy = replica_of(tx, row, HELD)
            assert set(copy.faults) <= {one.envelope for one in tx.find(CasePaper, case=row.id, kind="fault")}
            piece_by_piece = told(copy)
            kept = keeping._remembered.copy()
            forget_folded()
            anew = told(replica_of(tx, row, HELD))
            keeping._remembered.update(kept)
        assert piece_by_piece == anew


def counted(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """Every entry that is folded from now on."""
    found: list[bytes] = []
    take = copies.take_entry

    def counting(copy: Replica, envelope: bytes, at: int, keys: Any) -> Replica:
        found.append(envelope)
        return take(copy, envelope, at, keys)

    monkeypatch.setattr(copies, "take_entry", counting)
    return found


def kept(size: int) -> tuple[World, CaseRow, Case]:
    case, world = Case(TABLES["silence"]), World()
    case.do("anna", "put", text=T)
    for _ in range(size):
        case.do("boris", "consent", text=T)
    assert case.procedure is not None
    row = CaseRow(
        case.procedure, "Case", canonical(dict(case.table.data)), "participant", world.at, world.at + 10 * DAY, None
    )
    with deed(world.node("Team A")) as work:
        work.tx.add([row, *(CaseEntry(row.id, n, one, work.at) for n, one in enumerate(case.ledger.entries))])
    return world, row, case


def test_one_more_entry_is_the_only_one_that_is_folded(monkeypatch: pytest.MonkeyPatch) -> None:
    world, row, case = kept(20)
    forget_folded()
    found = counted(monkeypatch)
    with world.nodes["Team A"].store.read() as tx:
        replica_of(tx, row, HELD)
        assert len(found) == 22
        replica_of(tx, row, HELD)
        assert len(found) == 22
    case.do("chloe", "receipt", text=T)
    found.clear()
    with deed(world.nodes["Team A"]) as work:
        work.tx.add([CaseEntry(row.id, 22, case.ledger.entries[-1], work.at)])
        assert replica_of(work.tx, row, HELD).state == case.ledger.state
    assert found == [case.ledger.entries[-1]]


def test_what_somebody_changed_on_the_disk_is_not_hidden_by_what_is_remembered() -> None:
    world, row, case = kept(5)
    store = world.nodes["Team A"].store
    with store.read() as tx:
        whole = replica_of(tx, row, HELD)
    for seq in (1, 3, 6):
        with store.write() as tx:
            tx.put(CaseEntry(row.id, seq, case.ledger.entries[seq - 1], world.at))
        with store.read() as tx:
            assert len(replica_of(tx, row, HELD).placed) == seq
        with store.write() as tx:
            tx.put(CaseEntry(row.id, seq, case.ledger.entries[seq], world.at))
    with store.read() as tx:
        assert replica_of(tx, row, HELD).state == whole.state
    fewer = {party: held for party, held in HELD.items() if party != PARTY["boris"]}
    with store.read() as tx, pytest.raises(ComityError):
        replica_of(tx, row, fewer)  # under other keys nothing is taken for checked


def test_a_case_that_is_damaged_on_the_disk_stops_no_other_deed_and_is_named() -> None:
    world, row, _ = kept(2)
    node = world.nodes["Team A"]
    with node.store.write() as tx:
        tx.put(CaseEntry(row.id, 2, b"{}", world.at))
        tx.put(replace(row, due=world.at))
    for _ in range(3):
        world.at += HOUR
        with deed(node) as work:
            work.audit("something-else", {})
    with node.store.read() as tx:
        assert [one.deed for one in tx.find(Audit) if one.deed == "case-stuck"] == ["case-stuck"]
        assert sum(one.deed == "something-else" for one in tx.find(Audit)) == 3
    assert any(row.id in one.what for one in examine(node))


def test_what_a_rehearsal_folded_is_not_taken_for_what_was_done() -> None:
    world, row, case = kept(2)
    node = world.nodes["Team A"]
    rehearsed = case.act("dawit", "break", text=T)
    done = case.act("dawit", "consent", n=1, text=T)
    forget_folded()
    for envelope, stays in ((rehearsed, False), (done, True)):
        entry = convener.take(case.ledger, envelope, case.now, KEYS["anna"], HELD).entries[0]
        try:
            with deed(node) as work:
                work.tx.add(
                    [CaseEntry(row.id, 4, entry, work.at), CasePaper(row.id, "00" * 32, "heard", 1, envelope, 0)]
                )
                assert replica_of(work.tx, row, HELD).entries[-1] == entry
                if not stays:
                    raise LookupError
        except LookupError:
            continue
    with node.store.read() as tx:
        state = replica_of(tx, row, HELD).state
    assert state is not None and state.name == "silence" and PARTY["dawit"] in state.votes
