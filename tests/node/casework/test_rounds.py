"""Committed positions between nodes: opened together, and opened by the trustees' nodes where an author refuses."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

import pytest

from comity.kernel.procedure.calendar import after
from comity.kernel.procedure.positions import Round, commitment_id
from comity.kernel.seal.canonical import canonical
from comity.kernel.store.rows import TABLES, CaseContent, CasePaper, CaseSecret
from comity.node.casework.acting import act
from comity.node.casework.keeping import case_row, keys_known, state_of_case
from comity.node.casework.rounds import Positions, make_commitment, make_opening, positions_of
from comity.node.casework.signing import propose, support
from comity.node.deeds import deed
from comity.node.record import log_facts
from node.casework.test_cases import SETTINGS, A, B, C, do, opened, refused, states, tick, world
from simulators.world import World

_ = world
TIMES = {"commit": "PT48H", "open": "PT24H", "minimum": "PT24H", "case": "P30D", "convener-gone": "PT48H"}
SETTINGS.update(TIMES)
NAMES = (A, B, C)


def ask(world: World, case: str) -> None:
    with deed(world.nodes[A], "officer-1") as work:
        row = case_row(work.tx, case)
        state = state_of_case(work.tx, row)
        closes = after(work.at, "PT48H", state.charter.calendar)
        due = state.participants
        round = Round(case, 1, due, due, 2, closes, after(closes, "PT24H", state.charter.calendar))
        content = {"question": "Who did it?", "round": round.form()}
        text = sha256(canonical(content)).hexdigest()
        act(work, row, "ask", {"text": text}, content, officer="officer-1")


def found(world: World, name: str, case: str) -> Positions:
    with world.nodes[name].store.read() as tx:
        row = case_row(tx, case)
        keys = keys_known(tx)
        return positions_of(tx, row, state_of_case(tx, row, keys), keys, world.at)


def commit(world: World, name: str, case: str, position: Any) -> None:
    round = found(world, name, case)
    with deed(world.nodes[name], "officer-1") as work:
        row = case_row(work.tx, case)
        text = state_of_case(work.tx, row).text
        made = make_commitment(work, row, round, position)
        private = {one: [{"kind": "deal", "envelope": paper.decode()}] for one, paper in made.deals}
        body = {"commitment": made.commitment.decode()}
        digest = commitment_id(made.commitment)
        act(
            work,
            row,
            "commit",
            {"text": text, "commitment": digest},
            body,
            officer="officer-1",
            private=private,
        )


def open_own(world: World, name: str, case: str) -> None:
    round = found(world, name, case)
    with deed(world.nodes[name], "officer-1") as work:
        row = case_row(work.tx, case)
        opening = make_opening(work, row, round)
        text = state_of_case(work.tx, row).text
        act(work, row, "open", {"text": text}, {"opening": opening.decode()}, officer="officer-1")


def positions(world: World, name: str, case: str) -> dict[str, tuple[str, Any]]:
    by = {node.party: name for name, node in world.nodes.items()}
    return {
        by[one.author]: (one.state, None if one.opened is None else one.opened.position)
        for one in found(world, name, case).table(world.at)
    }


@pytest.fixture
def case(world: World) -> str:
    made = opened(world, "committed-round")
    ask(world, made)
    tick(world)
    assert refused(world) == []
    return made


def test_nobody_reads_a_position_before_all_are_in_and_then_all_read_all(world: World, case: str) -> None:
    commit(world, A, case, {"likelihood": "likely", "by": "secret of A"})
    commit(world, B, case, {"likelihood": "unlikely", "by": "secret of B"})
    tick(world)
    for name in NAMES:
        with world.nodes[name].store.read() as tx:
            every = b"".join(
                [
                    *(row.content for row in tx.find(CaseContent, case=case)),
                    *(row.envelope for row in tx.find(CasePaper)),
                ]
            )
            assert b"secret of" not in every
    assert states(world, case) == {"collecting"}
    commit(world, C, case, {"likelihood": "likely", "by": "secret of C"})
    tick(world)
    assert states(world, case) == {"opening"}
    for name in NAMES:
        open_own(world, name, case)
    tick(world)
    tick(world)
    assert states(world, case) == {"opened"}
    for name in NAMES:
        assert {who: said[0] for who, said in positions(world, name, case).items()} == dict.fromkeys(NAMES, "opened")
        assert positions(world, name, case)[B][1]["likelihood"] == "unlikely"
    assert refused(world) == []


def test_what_its_author_refuses_to_open_is_opened_by_the_trustees_nodes(world: World, case: str) -> None:
    for name in NAMES:
        commit(world, name, case, {"of": name})
    tick(world)
    tick(world)
    for name in (A, B):
        open_own(world, name, case)
    tick(world)
    assert states(world, case) == {"opening"}
    tick(world, 47)
    assert positions(world, A, case)[C] == ("not-opened", None)
    tick(world, 26)
    tick(world)
    tick(world)
    assert positions(world, A, case)[C][1] == {"of": C}
    assert states(world, case) == {"opened"}
    assert refused(world) == []
    with world.nodes[A].store.read() as tx:
        assert tx.count(CasePaper, case=case, kind="fault") == 0


def test_a_convener_that_is_gone_is_replaced_by_more_than_half_of_the_others(world: World) -> None:
    made = opened(world)
    do(world, A, made, "put", text="ab" * 32)
    tick(world)
    world.introduce(B, C)
    world.at += 50 * 3_600_000_000
    with deed(world.nodes[B], "officer-1") as work:
        draft = propose(work, case_row(work.tx, made), "elect", {"origin": log_facts(work.tx).origin}, officer="o")
    assert draft
    world.sync(B, C)
    with deed(world.nodes[C], "officer-1") as work:
        support(work, case_row(work.tx, made), "", officer="o")
    world.sync(B, C)
    for name in (B, C):
        with world.nodes[name].store.read() as tx:
            assert state_of_case(tx, case_row(tx, made)).convener == world.nodes[B].party
    do(world, C, made, "receipt", text="ab" * 32)
    world.sync(B, C)
    with world.nodes[B].store.read() as tx:
        assert world.nodes[C].party in state_of_case(tx, case_row(tx, made)).marks


def test_what_opens_our_own_position_never_leaves_the_node(world: World, case: str) -> None:
    commit(world, B, case, {"by": "secret of B"})
    tick(world)
    with world.nodes[B].store.read() as tx:
        secret = next(tx.find(CaseSecret, case=case)).secret
    key = secret.split(b'"key":"')[1][:64]
    for name in (A, C):
        with world.nodes[name].store.read() as tx:
            for kind in TABLES:
                for row in tx.find(kind):
                    assert key.decode() not in str(row)
