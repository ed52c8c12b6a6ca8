"""Cases between nodes: a text adopted by silence, what each of them sees, and what a convener cannot do unseen."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from comity.kernel.errors import NotAllowed
from comity.kernel.procedure.charter import Charter
from comity.kernel.procedure.replica import unanswered
from comity.kernel.seal.canonical import canonical
from comity.kernel.store.rows import TABLES, Audit, CaseContent, CaseEntry, CasePaper, CaseRow
from comity.node.casework import taking
from comity.node.casework.acting import act, open_case
from comity.node.casework.keeping import case_row, keys_known, replica_of, state_of_case
from comity.node.deeds import deed
from comity.node.doctor import examine
from comity.node.procedures import shipped_tables
from comity.node.record import log_facts
from simulators.world import HOUR, SECOND, World

A, B, C = "Team A", "Team B", "Team C"
SETTINGS = {"silence": "PT72H", "minimum": "PT24H", "case": "P30D", "convener-gone": "PT48H"}
TEXT = "ab" * 32


@pytest.fixture
def world() -> World:
    made = World()
    for name in (A, B, C):
        made.node(name)
    made.introduce(A, B)
    made.introduce(A, C)  # B and C have never met
    return made


def opened(world: World, table: str = "silence", by: str = A, **settings: str) -> str:
    found = shipped_tables()[table]
    with deed(world.nodes[by], "officer-1") as work:
        charter = Charter(
            found.digest,
            log_facts(work.tx).origin,
            tuple(sorted(world.nodes[name].party for name in (A, B, C))),
            {name: {**SETTINGS, **settings}[name] for name in found.settings},
        )
        row = open_case(work, canonical(found.data), title="A joint text", charter=charter, officer="officer-1")
    world.sync(A, B, C)
    return row.id


def do(world: World, name: str, case: str, kind: str, officer: str = "officer-1", **public: str) -> None:
    with deed(world.nodes[name], officer) as work:
        act(work, case_row(work.tx, case), kind, public, {"said": f"{kind} by {name}"}, officer=officer)


def state(world: World, name: str, case: str) -> str:
    with world.nodes[name].store.read() as tx:
        return state_of_case(tx, case_row(tx, case)).name


def states(world: World, case: str) -> set[str]:
    return {state(world, name, case) for name in (A, B, C)}


def tick(world: World, hours: float = 0) -> None:
    world.at += int(hours * HOUR)
    for node in world.nodes.values():
        with deed(node):
            pass
    world.sync(A, B, C)


def refused(world: World) -> list[bytes]:
    found = []
    for node in world.nodes.values():
        with node.store.read() as tx:
            found += [row.detail for row in tx.find(Audit) if row.deed == "control-refused"]
    return found


def test_a_text_is_adopted_by_silence_once_every_officer_received_it_and_the_time_is_over(world: World) -> None:
    case = opened(world)
    assert states(world, case) == {"drafting"}
    do(world, A, case, "put", text=TEXT)
    tick(world)
    assert states(world, case) == {"silence"}
    for name in (A, B):
        do(world, name, case, "receipt", text=TEXT)
    tick(world, 100)
    assert states(world, case) == {"silence"}  # C's daemon has it; no officer of C has read it
    do(world, C, case, "receipt", text=TEXT)
    tick(world)
    tick(world, 23)
    assert states(world, case) == {"silence"}
    tick(world, 2)
    assert states(world, case) == {"adopted"}
    assert refused(world) == []
    for node in world.nodes.values():
        with node.store.read() as tx:
            assert tx.count(CasePaper, case=case, kind="fault") == 0
            assert tx.find(CaseRow, id=case) is not None
            assert next(tx.find(CaseRow)).outcome == "adopted"


def test_parties_that_never_met_see_the_same_and_only_those_concerned_see_why_it_was_broken(world: World) -> None:
    case = opened(world)
    do(world, A, case, "put", text=TEXT)
    tick(world)
    do(world, C, case, "break", text=TEXT)
    tick(world)
    assert states(world, case) == {"broken"}
    shown = {}
    for name in (A, B, C):
        with world.nodes[name].store.read() as tx:
            contents = [row.content for row in tx.find(CaseContent, case=case)]
            shown[name] = b'{"said":"break by Team C"}' in contents
    assert shown == {A: True, B: False, C: True}
    assert refused(world) == []


def test_an_act_that_does_not_count_is_refused_before_it_is_sent(world: World) -> None:
    case = opened(world)
    with pytest.raises(NotAllowed) as broken:
        do(world, B, case, "put", text=TEXT)
    assert broken.value.code == "step-who"
    with pytest.raises(NotAllowed) as broken:
        do(world, B, case, "receipt", officer="", text=TEXT)
    assert broken.value.code == "step-state"


def test_a_convener_that_leaves_an_objection_out_is_seen_by_the_others(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = opened(world)
    do(world, A, case, "put", text=TEXT)
    tick(world)
    monkeypatch.setattr(taking, "enter", lambda *args: None)
    do(world, C, case, "break", text=TEXT)
    tick(world)
    for name in (B, C):
        with world.nodes[name].store.read() as tx:
            copy = replica_of(tx, case_row(tx, case), keys_known(tx))
            assert [one.act.type for one in unanswered(copy)] == ["break"], name


def test_cases_that_one_convener_floods_us_with_do_not_keep_anothers_out(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(taking, "MOST_CASES", 1)
    first = opened(world)
    world.at += HOUR
    more = opened(world)  # A opens one too many with B and with C
    with world.nodes[B].store.read() as tx:
        assert {row.id for row in tx.find(CaseRow)} == {first}
    assert len(refused(world)) == 2
    world.introduce(B, C)
    other = opened(world, by=B)
    for name in (A, C):
        with world.nodes[name].store.read() as tx:
            assert tx.get(CaseRow, other) is not None and (tx.get(CaseRow, more) is not None) == (name == A)


def test_the_doctor_finds_nothing_in_a_case_and_names_what_somebody_changed_in_it(world: World) -> None:
    case = opened(world)
    do(world, A, case, "put", text=TEXT)
    tick(world)
    do(world, B, case, "receipt", text=TEXT)
    tick(world, 1)
    for node in world.nodes.values():
        assert list(examine(node)) == []
    store = world.nodes[B].store
    with store.read() as tx:
        row, entries = case_row(tx, case), list(tx.find(CaseEntry, case=case))
        papers = sorted(tx.find(CasePaper, case=case), key=lambda one: one.n)
        contents = list(tx.find(CaseContent, case=case))
    own = next(one for one in contents if one.behind)
    damage: list[tuple[Any, Any]] = [
        (row, replace(row, role="convener")),
        (row, replace(row, outcome="adopted")),
        (row, replace(row, table=row.table.replace(b"silence", b"violence"))),
        (entries[1], replace(entries[1], envelope=entries[2].envelope)),
        (entries[1], None),
        (papers[0], replace(papers[0], envelope=papers[0].envelope + b" ")),
        (papers[0], None),
        (contents[0], replace(contents[0], content=b'{"said":"another"}')),
        (contents[0], replace(contents[0], salt=bytes(16))),
        (own, replace(own, behind=own.behind.replace(b"officer-1", b"officer-2"))),
    ]
    for right, wrong in damage:
        key = [getattr(right, name) for name in TABLES[type(right)].key]
        with store.write() as tx:
            tx.put(wrong) if wrong is not None else tx.remove(type(right), *key)
        assert any(case in one.what for one in examine(world.nodes[B])), wrong
        with store.write() as tx:
            tx.put(right)
    assert list(examine(world.nodes[B])) == []


def test_a_clock_that_ran_out_is_looked_at_at_once_and_not_at_the_next_round_minute(world: World) -> None:
    case = opened(world, silence="PT30S", minimum="PT5S")
    do(world, A, case, "put", text=TEXT)
    tick(world)
    for name in (A, B, C):
        do(world, name, case, "receipt", text=TEXT)
    tick(world)
    world.at += 31 * SECOND
    with deed(world.nodes[A]):
        pass
    assert state(world, A, case) == "adopted"
