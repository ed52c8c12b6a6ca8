"""A participant, or a stranger with a card, writes what it likes into the papers of a case."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from comity.kernel.seal.canonical import canonical
from comity.kernel.store.rows import Audit, CaseEntry, CaseRow, ControlRow
from comity.node.casework.keeping import case_row, state_of_case
from comity.node.casework.papers import KIND
from comity.node.context import Node
from comity.node.deeds import deed
from comity.node.doctor import examine
from comity.node.papers import hand_over
from node.casework.test_cases import A, B, C, do, opened, states, tick, world
from simulators.world import World

_ = world
TEXT = "ab" * 32
WRONG: list[Any] = [None, 7, True, "x", [], {}, [[]], "\x00", -1, 1 << 40, {"kind": "entry"}, ["a"] * 500]


def send(world: World, name: str, to: str, body: Any) -> None:
    with deed(world.nodes[name]) as work:
        hand_over(work, world.nodes[to].party, KIND, "", canonical(body))


def refusals(node: Node) -> int:
    with node.store.read() as tx:
        return sum(1 for row in tx.find(Audit) if row.deed == "control-refused")


def papers(world: World, name: str, to: str) -> list[dict[str, Any]]:
    """The papers of cases that one party has handed another."""
    with world.nodes[name].store.read() as tx:
        rows = list(tx.find(ControlRow, party=world.nodes[to].party))
    return [json.loads(json.loads(row.body)["paper"]) for row in rows if row.kind == KIND]


def test_papers_of_every_wrong_shape_are_noted_and_the_case_goes_on(world: World) -> None:
    case = opened(world)
    whole = papers(world, A, B)[-1]
    bodies: list[Any] = [*WRONG, *({**whole, name: wrong} for name in whole for wrong in WRONG)]
    for member in ("kind", "envelope"):
        bodies += [{**whole, "papers": [{**whole["papers"][0], member: wrong}]} for wrong in WRONG]
    content = next(one for paper in [whole] for one in paper["papers"] if one["kind"] == "content")
    for member in content:
        bodies += [{**whole, "papers": [{**content, member: wrong}]} for wrong in WRONG]
    for kind in ("deal", "holding", "share", "draft", "standing", "promise", "act"):
        bodies += [{**whole, "papers": [{"kind": kind, "envelope": "{}"}]}]
    for body in bodies:
        send(world, A, B, body)
    tick(world)
    assert states(world, case) == {"drafting"}
    do(world, A, case, "put", text=TEXT)
    tick(world)
    assert states(world, case) == {"silence"}
    assert refusals(world.nodes[B]) > len(WRONG)
    assert list(examine(world.nodes[B])) == []


def test_a_stranger_cannot_open_a_case_in_anothers_name_nor_replay_one_into_a_node_that_takes_no_part(
    world: World,
) -> None:
    case = opened(world)
    begun = papers(world, A, B)[-1]
    world.node("Team D")
    world.introduce(C, "Team D")
    send(world, C, "Team D", begun)
    tick_all(world, C, "Team D")
    with world.nodes["Team D"].store.read() as tx:
        assert tx.count(CaseRow) == 0
    assert refusals(world.nodes["Team D"]) == 1
    assert states(world, case) == {"drafting"}


def tick_all(world: World, *names: str) -> None:
    world.sync(*names)


def test_another_participant_replays_enters_or_withdraws_nothing(world: World) -> None:
    case = opened(world)
    world.introduce(B, C)
    do(world, A, case, "put", text=TEXT)
    tick(world)
    with world.nodes[B].store.read() as tx:
        before = tx.count(CaseEntry, case=case)
    for paper in papers(world, A, C):  # C hands B what the convener handed C: all of it is true, and known
        send(world, C, B, paper)
    tick(world)
    with world.nodes[B].store.read() as tx:
        assert tx.count(CaseEntry, case=case) == before
        assert state_of_case(tx, case_row(tx, case)).name == "silence"
    assert list(examine(world.nodes[B])) == []


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_one_changed_character_of_a_true_paper_changes_nothing(data: st.DataObject) -> None:
    made, every = _case()
    paper = data.draw(st.sampled_from(every))
    index = data.draw(st.integers(0, len(paper["papers"]) - 1))
    one = dict(paper["papers"][index])
    member = "envelope" if "envelope" in one else data.draw(st.sampled_from(["act", "salt"]))
    text = one[member]
    place = data.draw(st.integers(0, len(text) - 1))
    changed = text[:place] + data.draw(st.sampled_from('0aZ"{ ')) + text[place + 1 :]
    one[member] = changed
    send(made, A, B, {**paper, "papers": [one]})
    with made.nodes[B].store.read() as tx:
        before = state_of_case(tx, case_row(tx, paper["case"])).as_json()
    made.contact(B, A)
    with made.nodes[B].store.read() as tx:
        assert state_of_case(tx, case_row(tx, paper["case"])).as_json() == before


_made: list[tuple[World, list[dict[str, Any]]]] = []


def _case() -> tuple[World, list[dict[str, Any]]]:
    if not _made:
        made = World()
        for name in (A, B, C):
            made.node(name)
        made.introduce(A, B, C)
        case = opened(made)
        do(made, A, case, "put", text=TEXT)
        tick(made)
        do(made, B, case, "receipt", text=TEXT)
        tick(made)
        _made.append((made, papers(made, A, B)))
    return _made[0]
