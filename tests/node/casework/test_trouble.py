"""What goes wrong between nodes in a case, on purpose or not: who is removed, lost, cut off, an hour off, or lies."""

from __future__ import annotations

from typing import Any

import pytest

from comity.kernel.errors import ComityError, NotAllowed
from comity.kernel.model.instants import HOUR
from comity.kernel.procedure import convener
from comity.kernel.procedure import replica as copies
from comity.kernel.procedure.acts import claimed_act
from comity.kernel.procedure.evidence import verify_evidence
from comity.kernel.procedure.replica import doubts
from comity.kernel.store.rows import TABLES, CasePaper, CaseSecret
from comity.node.casework import taking
from comity.node.casework.acting import act
from comity.node.casework.keeping import (
    case_row,
    content_of,
    keep_replica,
    keys_known,
    ledger_of,
    replica_of,
    state_of_case,
)
from comity.node.casework.papers import others, send, signed
from comity.node.casework.signing import propose, support
from comity.node.deeds import deed
from comity.node.doctor import examine
from comity.node.procedures import shipped_tables
from comity.node.record import log_facts
from node.casework.test_cases import TEXT, A, B, C, do, opened, refused, state, states, tick, world
from node.casework.test_rounds import ask, commit, found, positions
from simulators.world import World

_ = world


def words(world: World, name: str, case: str) -> list[str]:
    with world.nodes[name].store.read() as tx:
        return [one.word for one in doubts(replica_of(tx, case_row(tx, case), keys_known(tx)))]


def faults(world: World, name: str, case: str) -> list[bytes]:
    with world.nodes[name].store.read() as tx:
        return [one.envelope for one in tx.find(CasePaper, case=case, kind="fault")]


def drafted(world: World, name: str, case: str, kind: str, **public: str) -> None:
    with deed(world.nodes[name], "officer-1") as work:
        propose(work, case_row(work.tx, case), kind, public, officer="officer-1")


def supported(world: World, name: str, case: str) -> None:
    with deed(world.nodes[name], "officer-1") as work:
        support(work, case_row(work.tx, case), "", officer="officer-1")


def convened_by(world: World, name: str, case: str) -> str:
    with world.nodes[name].store.read() as tx:
        return state_of_case(tx, case_row(tx, case)).convener


def under_silence(world: World, *received: str) -> str:
    case = opened(world)
    do(world, A, case, "put", text=TEXT)
    tick(world)
    for name in received:
        do(world, name, case, "receipt", text=TEXT)
    tick(world)
    return case


def test_a_participant_removed_in_the_middle_acts_no_more_and_its_silence_counts_for_nothing(world: World) -> None:
    case = under_silence(world, A, B)
    drafted(world, A, case, "remove", party=world.nodes[C].party)
    tick(world)
    supported(world, B, case)
    tick(world)
    tick(world)
    with pytest.raises(NotAllowed) as broken:
        do(world, C, case, "break", text=TEXT)
    assert broken.value.code == "step-who"
    tick(world, 100)
    tick(world)
    assert states(world, case) == {"adopted"}  # C sees what became of the case it was removed from
    with world.nodes[B].store.read() as tx:
        decision = state_of_case(tx, case_row(tx, case)).decision
    assert decision is not None and world.nodes[C].party not in [one.head for one in decision.reasons]


def test_a_party_cannot_be_removed_by_the_convener_alone(world: World) -> None:
    case = under_silence(world, A, B)
    world.node("Team D")
    drafted(world, A, case, "remove", party=world.nodes[C].party)
    for _ in range(3):
        tick(world)
    do(world, C, case, "break", text=TEXT)
    tick(world)
    assert states(world, case) == {"broken"}


def test_a_convener_hands_over_and_the_case_goes_on_in_the_new_ones_log(world: World) -> None:
    case = under_silence(world, A, B)
    world.introduce(B, C)
    with world.nodes[B].store.read() as tx:
        origin = log_facts(tx).origin
    drafted(world, A, case, "hand-over", origin=origin)
    tick(world)
    supported(world, B, case)
    tick(world)
    tick(world)
    assert {convened_by(world, name, case) for name in (A, B, C)} == {world.nodes[B].party}
    do(world, C, case, "break", text=TEXT)
    world.sync(B, C)
    world.sync(A, B)
    world.sync(A, C)
    assert states(world, case) == {"broken"}
    assert all(faults(world, name, case) == [] for name in (A, B, C))


def test_of_two_conveners_that_claim_one_case_the_elected_one_is_followed_and_nobody_is_convicted(world: World) -> None:
    case = under_silence(world, A, B, C)
    world.introduce(B, C)
    world.at += 50 * HOUR
    with world.nodes[B].store.read() as tx:
        origin = log_facts(tx).origin
    drafted(world, B, case, "elect", origin=origin)
    world.sync(B, C)
    supported(world, C, case)
    world.sync(B, C)
    assert convened_by(world, C, case) == world.nodes[B].party
    do(world, A, case, "consent", text=TEXT)  # A was away, has not heard, and enters an act as the convener
    tick(world)
    tick(world)
    for name in (B, C):
        assert convened_by(world, name, case) == world.nodes[B].party
        assert "rival" in words(world, name, case) and faults(world, name, case) == []
    do(world, C, case, "break", text=TEXT)
    world.sync(B, C)
    assert (state(world, B, case), state(world, C, case)) == ("broken", "broken")


def test_clocks_an_hour_apart_stop_acts_from_the_future_and_convict_nobody(world: World) -> None:
    case = opened(world)
    do(world, A, case, "put", text=TEXT)
    tick(world)
    world.shift[C] = int(HOUR)
    do(world, C, case, "receipt", text=TEXT)  # C's clock is an hour ahead of the convener's
    tick(world)
    with world.nodes[B].store.read() as tx:
        entry = replica_of(tx, case_row(tx, case), keys_known(tx)).placed[-1].entry
    assert entry.refused is not None and entry.refused[0] == "step-future"
    world.shift[C] = 0
    tick(world, 2)
    do(world, C, case, "receipt", text=TEXT)
    tick(world)
    world.shift[A] = int(HOUR)
    do(world, B, case, "receipt", text=TEXT)  # now the convener's is: the others see it, and it proves nothing
    tick(world)
    for name in (B, C):
        assert words(world, name, case) == ["ahead-of-us"] and faults(world, name, case) == []


def test_a_convener_an_hour_slow_takes_no_rightly_dated_receipt_and_nobody_consents_meanwhile(world: World) -> None:
    case = opened(world)
    world.shift[A] = -int(HOUR)
    with pytest.raises(ComityError):
        do(world, A, case, "put", text=TEXT)  # its own clock went back: it signs nothing before what it signed
    world.at += 2 * HOUR
    do(world, A, case, "put", text=TEXT)
    tick(world)
    for name in (B, C):
        do(world, name, case, "receipt", text=TEXT)
    tick(world, 0.1)
    for _ in range(5):
        tick(world, 24)
    assert states(world, case) == {"silence"}
    world.shift[A] = 0
    with world.nodes[B].store.read() as tx:
        assert state_of_case(tx, case_row(tx, case)).marks == {}
    for name in (A, B, C):
        do(world, name, case, "receipt", text=TEXT)
    tick(world, 0.1)
    tick(world, 25)
    tick(world)
    assert states(world, case) == {"adopted"}
    assert all(faults(world, name, case) == [] for name in (A, B, C))


def test_an_objection_made_in_time_and_cut_off_from_the_convener_is_seen_by_everybody_as_late(world: World) -> None:
    case = under_silence(world, A, B, C)
    world.introduce(B, C)
    world.at += 70 * HOUR
    do(world, C, case, "break", text=TEXT)
    world.sync(B, C)  # the road to the convener is cut; B has heard the objection
    assert words(world, B, case) == ["unanswered"]
    world.at += 10 * HOUR
    with deed(world.nodes[A]):
        pass
    assert state(world, A, case) == "adopted"
    tick(world)
    tick(world)
    for name in (B, C):
        assert states(world, case) == {"adopted"}
        assert "late" in words(world, name, case), name


def test_what_a_daemon_took_in_and_no_officer_read_is_no_consent_however_long(world: World) -> None:
    case = under_silence(world, A, B)
    with world.nodes[C].store.read() as tx:
        placed = replica_of(tx, case_row(tx, case), keys_known(tx)).placed
        assert content_of(tx, case_row(tx, case), placed[1].act) is not None  # what was put is here, on the disk of C
    for _ in range(20):
        tick(world, 24)
    assert states(world, case) == {"silence"}
    with world.nodes[C].store.read() as tx:
        assert world.nodes[C].party not in state_of_case(tx, case_row(tx, case)).marks


def test_a_convener_that_promised_an_objection_and_drops_it_is_convicted_before_an_outsider(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = under_silence(world, A, B, C)
    with monkeypatch.context() as patch:
        patch.setattr(taking, "enter", lambda *args: None)
        do(world, C, case, "break", text=TEXT)
        tick(world)
    with deed(world.nodes[A], "officer-1") as work:
        row, keys = case_row(work.tx, case), keys_known(work.tx)
        ledger = ledger_of(work.tx, row, keys)
        (objection,) = ledger.waiting[world.nodes[C].party].values()
        promise = convener.take(ledger, objection, work.at, work.node.keys.node, keys).promises[0]
        made = signed(work, case, 4, "consent", {"text": TEXT}, {}, "officer-1", "")
        entry = convener.take(ledger, made.act, work.at, work.node.keys.node, keys).entries[0]
        before = replica_of(work.tx, row, keys)
        keep_replica(work, row, before, copies.take_entry(before, entry, work.at, keys))
        for party in others(work, ledger.state):
            papers = [{"kind": "promise", "envelope": promise.decode()}, {"kind": "entry", "envelope": entry.decode()}]
            send(work, row, party, papers)
    world.sync(A, B, C)
    for name in (B, C):
        # The outsider has no node: the cards of the parties, and the table that the ledger names.
        with world.nodes[B].store.read() as tx:
            cards = keys_known(tx)
        tables = {one.digest: one for one in shipped_tables().values()}
        verdicts = [verify_evidence(one, cards, tables) for one in faults(world, name, case)]
        assert ("promise-broken", frozenset({world.nodes[A].party})) in {(one.fault, one.accused) for one in verdicts}
        assert {one.accused for one in verdicts} == {frozenset({world.nodes[A].party})}


# ---------------------------------------------------------------- positions


@pytest.fixture
def round_(world: World) -> str:
    made = opened(world, "committed-round")
    ask(world, made)
    tick(world)
    return made


def every(world: World, name: str) -> str:
    with world.nodes[name].store.read() as tx:
        return "\n".join(str(row) for kind in TABLES for row in tx.find(kind))


def test_no_table_of_any_other_node_holds_a_committed_position_the_conveners_administrator_included(
    world: World, round_: str
) -> None:
    commit(world, B, round_, {"by": "secret of B"})
    commit(world, A, round_, {"by": "secret of A"})
    tick(world)
    assert "secret of B" in every(world, B)  # it is in the clear where it was written, and there alone
    for name, hidden in ((A, "secret of B"), (C, "secret of B"), (B, "secret of A"), (C, "secret of A")):
        assert hidden not in every(world, name), (name, hidden)


def test_a_commitment_is_not_changed_and_another_partys_is_not_copied(world: World, round_: str) -> None:
    commit(world, B, round_, {"by": "B"})
    tick(world)
    with pytest.raises(ComityError) as broken:
        commit(world, B, round_, {"by": "another word of B"})
    assert broken.value.code == "position-committed"
    with world.nodes[B].store.read() as tx:
        text = state_of_case(tx, case_row(tx, round_)).text
        assert tx.count(CaseSecret, case=round_) == 1
    with world.nodes[C].store.read() as tx:
        placed = replica_of(tx, case_row(tx, round_), keys_known(tx)).placed[-1]
        theirs: Any = content_of(tx, case_row(tx, round_), placed.act)
        digest = claimed_act(placed.entry.act).open["commitment"]
    with deed(world.nodes[C], "officer-1") as work:
        row = case_row(work.tx, round_)
        act(work, row, "commit", {"text": text, "commitment": digest}, theirs, officer="officer-1")
    tick(world)
    committed = found(world, A, round_).committed
    assert set(committed) == {world.nodes[B].party}  # what C copied counts for nobody
    assert positions(world, A, round_)[C][1] is None
    assert refused(world) == []
    for node in world.nodes.values():
        assert list(examine(node)) == []
