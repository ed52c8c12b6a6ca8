"""What of a case was lost is asked for again, until it is here; and nobody is flooded with questions or answers."""

from __future__ import annotations

import json
from typing import Any

import pytest

from comity.kernel.errors import InputRefused
from comity.kernel.model.instants import DAY, HOUR, MINUTE
from comity.kernel.procedure.acts import claimed_act
from comity.kernel.procedure.ledger import claimed_entry
from comity.kernel.seal.canonical import canonical
from comity.kernel.store.rows import CaseContent, CaseEntry, CaseRow, ControlRow
from comity.node.casework import taking
from comity.node.casework.healing import MISSING
from comity.node.casework.keeping import case_row, keys_known, replica_of
from comity.node.casework.papers import KIND
from comity.node.deeds import deed
from comity.node.doctor import examine
from comity.node.papers import hand_over
from node.casework.test_cases import TEXT, A, B, C, do, opened, refused, state, states, tick, world
from simulators.world import World

_ = world


def loses(monkeypatch: pytest.MonkeyPatch, kind: str, what: str, *, told: bool = False) -> list[str]:
    """The next item with a paper of this kind and type of act is lost, where `told` with a refusal; gives who lost it."""
    lost: list[str] = []
    take = taking.take_case

    def losing(work: Any, peer: str, paper: bytes) -> None:
        for one in json.loads(paper)["papers"]:
            if lost or one.get("kind") != kind:
                continue
            act = claimed_entry(one["envelope"].encode()).act if kind == "entry" else one["act"].encode()
            if claimed_act(act).type == what:
                lost.append(work.node.party)
                if told:
                    raise InputRefused("case-paper", "It was lost.")
                return
        take(work, peer, paper)

    import comity.node.exchange as exchange

    monkeypatch.setattr(exchange, "take_case", losing)
    return lost


def later(world: World, minutes: int = 2) -> None:
    for _ in range(minutes):
        world.at += MINUTE
        for node in world.nodes.values():
            with deed(node):
                pass
        world.sync(A, B, C)


def questions(world: World, name: str, to: str) -> int:
    with world.nodes[name].store.read() as tx:
        rows = [row for row in tx.find(ControlRow, party=world.nodes[to].party) if row.kind == KIND]
    papers = [one for row in rows for one in json.loads(json.loads(row.body)["paper"])["papers"]]
    return sum(one["kind"] == MISSING for one in papers)


def test_an_entry_that_was_lost_is_asked_for_again_and_the_case_goes_on(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = opened(world)
    lost = loses(monkeypatch, "entry", "put")
    do(world, A, case, "put", text=TEXT)
    tick(world)
    assert lost and len(states(world, case)) == 2
    (other,) = [name for name in (B, C) if world.nodes[name].party not in lost]
    do(world, other, case, "receipt", text=TEXT)
    tick(world)
    assert len(states(world, case)) == 2  # the next entry waits for the one that is not here
    later(world, 3)
    assert states(world, case) == {"silence"}
    for node in world.nodes.values():
        assert list(examine(node)) == []


def test_the_last_item_of_a_case_is_asked_for_again_at_once_where_it_could_not_be_taken(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = opened(world)
    lost = loses(monkeypatch, "entry", "put", told=True)
    do(world, A, case, "put", text=TEXT)
    tick(world)
    tick(world)
    assert lost and states(world, case) == {"silence"}


def test_a_promise_without_its_entry_is_enough_to_ask(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    case = opened(world)
    with world.nodes[B].store.read() as tx:
        before = tx.count(CaseEntry, case=case)
    do(world, A, case, "put", text=TEXT)
    with world.nodes[A].store.read() as tx:
        rows = [row for row in tx.find(ControlRow, party=world.nodes[B].party) if row.kind == KIND]
    last = rows[-1]  # promise and entry go in one item; the entry is taken out of it here
    body = json.loads(last.body)
    paper = json.loads(body["paper"])
    assert [one["kind"] for one in paper["papers"]] == ["promise", "entry"]
    with deed(world.nodes[B]) as work:
        only = canonical({**paper, "papers": paper["papers"][:1]})
        taking.take_case(work, world.nodes[A].party, only)
    with world.nodes[B].store.read() as tx:
        assert tx.count(CaseEntry, case=case) == before
    world.at += 2 * MINUTE
    with deed(world.nodes[B]):
        pass
    assert questions(world, B, A) == 1


def test_a_content_that_was_lost_is_asked_for_from_the_convener(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    case = opened(world)
    lost = loses(monkeypatch, "content", "put")
    do(world, A, case, "put", text=TEXT)
    tick(world)
    (who,) = [name for name in (B, C) if world.nodes[name].party in lost]
    with world.nodes[who].store.read() as tx:
        before = tx.count(CaseContent, case=case)
    later(world, 3)
    with world.nodes[who].store.read() as tx:
        assert tx.count(CaseContent, case=case) == before + 1
    assert states(world, case) == {"silence"}


def test_an_objection_that_the_convener_lost_is_sent_again_by_its_author(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = opened(world)
    do(world, A, case, "put", text=TEXT)
    tick(world)
    lost = loses(monkeypatch, "content", "break")
    do(world, C, case, "break", text=TEXT)
    tick(world)
    assert lost == [world.nodes[A].party] and states(world, case) == {"silence"}
    later(world, 3)
    assert states(world, case) == {"broken"}
    with world.nodes[A].store.read() as tx:
        assert b'{"said":"break by Team C"}' in [row.content for row in tx.find(CaseContent, case=case)]


def test_a_case_whose_beginning_was_not_taken_comes_whole_later(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(taking, "MOST_CASES", 0)
    case = opened(world)
    for name in (B, C):
        with world.nodes[name].store.read() as tx:
            assert tx.get(CaseRow, case) is None
    monkeypatch.setattr(taking, "MOST_CASES", 10)
    do(world, A, case, "put", text=TEXT)
    tick(world)
    tick(world)
    assert states(world, case) == {"silence"}


def test_a_convener_that_gives_no_answer_is_passed_over_and_another_participant_is_asked(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = opened(world)
    world.introduce(B, C)
    lost = loses(monkeypatch, "entry", "put")
    do(world, A, case, "put", text=TEXT)
    tick(world)
    (who,) = [name for name in (B, C) if world.nodes[name].party in lost]
    (other,) = [name for name in (B, C) if name != who]
    do(world, other, case, "receipt", text=TEXT)
    world.sync(other, A)
    world.contact(A, who)
    world.sync(other, A)
    for _ in range(12):  # A is gone; the other participant alone can be reached
        world.at += MINUTE
        for name in (B, C):
            with deed(world.nodes[name]):
                pass
        world.sync(B, C)
    assert state(world, who, case) == "silence"


def test_a_gap_that_nobody_fills_is_asked_for_less_and_less_often(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = opened(world)
    lost = loses(monkeypatch, "entry", "put")
    do(world, A, case, "put", text=TEXT)
    tick(world)
    (who,) = [name for name in (B, C) if world.nodes[name].party in lost]
    do(world, C if who == B else B, case, "receipt", text=TEXT)
    world.sync(C if who == B else B, A)
    world.contact(A, who)
    for _ in range(3 * 24 * 6):
        world.at += 10 * MINUTE
        with deed(world.nodes[who]):
            pass
    assert 3 <= questions(world, who, A) + questions(world, who, C if who == B else B) <= 20
    assert list(examine(world.nodes[who])) == []


def ask(world: World, name: str, to: str, **paper: Any) -> None:
    with deed(world.nodes[name]) as work:
        hand_over(work, world.nodes[to].party, KIND, "", canonical(paper))
    world.contact(name, to)


def told(world: World, name: str, to: str) -> int:
    with world.nodes[name].store.read() as tx:
        return sum(row.kind == KIND for row in tx.find(ControlRow, party=world.nodes[to].party))


def test_who_asks_and_asks_is_answered_once_a_minute_and_a_stranger_never(world: World) -> None:
    case = opened(world)
    world.at += HOUR
    before = told(world, A, B)
    for _ in range(20):
        ask(world, B, A, case=case, papers=[{"kind": MISSING, "from": 0, "contents": []}])
    assert told(world, A, B) == before + 1
    world.node("Team D")
    world.introduce(A, "Team D")
    before = told(world, A, "Team D")
    ask(world, "Team D", A, case=case, papers=[{"kind": MISSING, "from": 0, "contents": ["x"]}])
    assert told(world, A, "Team D") == before


def test_what_is_no_question_is_answered_as_if_all_was_asked_or_not_at_all(world: World) -> None:
    case = opened(world)
    for start, contents in ((-1, None), ("x", {}), (1 << 52, [None, 7, []]), (None, ["ab"] * 10_000), (True, "ab")):
        world.at += HOUR
        ask(world, B, A, case=case, papers=[{"kind": MISSING, "from": start, "contents": contents}])
    assert refused(world) == []
    assert list(examine(world.nodes[A])) == []
    assert states(world, case) == {"drafting"}


def test_two_nodes_that_both_lack_a_case_do_not_ask_each_other_for_ever(world: World) -> None:
    world.introduce(B, C)
    case = "comity-procedure--fe2c663d-1e5b-58a8-ad0e-70d1f7db23d0"
    ask(world, B, C, case=case, papers=[{"kind": MISSING, "from": 0, "contents": []}])
    for _ in range(5):
        world.at += DAY
        world.sync(B, C)
    assert questions(world, C, B) == 0
    ask(world, B, C, case=case, papers=[{"kind": "entry", "envelope": "{}"}])
    for _ in range(5):
        world.at += DAY
        world.sync(B, C)
    assert questions(world, C, B) == 1 and questions(world, B, C) == 1


def test_what_was_asked_for_again_twice_is_taken_once(world: World) -> None:
    case = opened(world)
    do(world, A, case, "put", text=TEXT)
    tick(world)
    shapes = []
    for _ in range(3):
        world.at += HOUR
        ask(world, B, A, case=case, papers=[{"kind": MISSING, "from": 0, "contents": []}])
        world.sync(A, B)
        with world.nodes[B].store.read() as tx:
            copy = replica_of(tx, case_row(tx, case), keys_known(tx))
            shapes.append((copy.entries, len(copy.promises), len(copy.heard), copy.faults, copy.rivals))
    assert shapes[0] == shapes[1] == shapes[2] and not shapes[0][3]
