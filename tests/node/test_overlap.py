"""Contacts overlap, and papers come in any order: no contact fails for it, and everybody gets what was agreed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from comity.kernel.exchange.messages import ControlPage, Turn, decode, encode
from comity.kernel.exchange.session import Session, answer, outbound
from comity.kernel.release.templates import community
from comity.kernel.store.rows import ActRow, AgreementRow, Holding, Received
from comity.node.contact import outbox
from comity.node.context import Node
from comity.node.doctor import examine
from comity.node.exchange import NodeSide
from comity.node.instruments import accede, admit, receive, sign_agreement
from simulators.world import SECOND, Direct, World, indicator

A, B, C = "Team A", "Team B", "Team C"
STATED = {"tlp": "green", "basis": ["agreement"], "purpose": ["protect-networks"], "caveats": []}


def three() -> World:
    world = World()
    for name, country in ((A, "XA"), (B, "XB"), (C, "XC")):
        world.node(name, country=country)
    world.introduce(A, B, C)
    return world


def put_down(world: World, *names: str) -> str:
    """Each has the agreement as a file and has signed it; nobody has called anybody."""
    text = community(world.parties(*names), enters_into_force=world.at)
    digest = ""
    for name in names:
        digest = receive(world.nodes[name], text.encode())[0].digest
    for name in names:
        sign_agreement(world.nodes[name], digest, officer="officer-1")
    return digest


def held(world: World, name: str) -> set[str]:
    with world.nodes[name].store.read() as tx:
        return {row.object for row in tx.find(Holding) if row.ended is None}


def refused(world: World, name: str) -> set[str | None]:
    with world.nodes[name].store.read() as tx:
        return {row.code for row in tx.find(Received)} - {None}


def ids(*numbers: int) -> set[object]:
    return {indicator(number)["id"] for number in numbers}


def test_a_giver_that_heard_the_last_signature_first_shows_it_before_its_objects() -> None:
    world = three()
    world.take(A, indicator(1), **STATED)
    world.take(B, indicator(2), **STATED)
    put_down(world, A, B, C)
    world.contact(A, B)
    world.contact(C, A)  # now A knows of all three, and C has not called B yet
    world.contact(A, B)
    assert held(world, B) == ids(1, 2)
    assert held(world, A) == ids(1, 2)
    assert not refused(world, A) | refused(world, B)


def test_a_party_called_before_the_last_signature_reached_it_is_given_that_by_who_calls() -> None:
    world = three()
    world.take(B, indicator(2), **STATED)
    put_down(world, A, B, C)
    world.contact(A, B)
    world.contact(C, B)
    world.contact(A, B)  # A calls, and B answers with objects under what A has not heard from C
    assert held(world, A) == ids(2)


def test_who_signs_last_passes_the_other_signatures_on() -> None:
    world = three()
    digest = ""
    text = community(world.parties(A, B, C), enters_into_force=world.at)
    for name in (A, B, C):
        digest = receive(world.nodes[name], text.encode())[0].digest
    sign_agreement(world.nodes[A], digest, officer="officer-1")
    sign_agreement(world.nodes[B], digest, officer="officer-1")
    world.contact(A, C)
    world.contact(B, C)
    world.take(C, indicator(3), **STATED)
    sign_agreement(world.nodes[C], digest, officer="officer-1")
    world.contact(C, A)  # A and B never met
    world.contact(C, B)
    assert held(world, A) == held(world, B) == ids(3)
    with world.nodes[C].store.read() as tx:
        assert tx.count(ActRow, kind="sign") == 2  # one to each; what it passed on it did not sign


def test_a_signature_that_is_faster_than_the_file_it_signs_is_not_lost() -> None:
    world = three()
    text = community(world.parties(A, B), enters_into_force=world.at)
    digest = receive(world.nodes[A], text.encode())[0].digest
    sign_agreement(world.nodes[A], digest, officer="officer-1")
    world.contact(A, B)
    receive(world.nodes[B], text.encode())
    sign_agreement(world.nodes[B], digest, officer="officer-1")
    world.take(B, indicator(4), **STATED)
    world.contact(B, A)
    assert held(world, A) == ids(4)


def test_what_a_new_member_gives_comes_after_the_epoch_that_made_it_one() -> None:
    world = three()
    digest = world.community(A, B)
    with world.nodes[A].store.read() as tx:
        row = tx.get(AgreementRow, digest)
        assert row is not None
    receive(world.nodes[C], row.form)
    accede(world.nodes[C], digest, officer="officer-1")
    world.take(C, indicator(5), **STATED)
    world.contact(C, A)  # B has not heard of the accession
    admit(world.nodes[A], digest, world.nodes[C].party, officer="officer-1")
    world.contact(A, B)
    _, complete = admit(world.nodes[B], digest, world.nodes[C].party, officer="officer-1")
    assert complete
    world.at += SECOND
    world.contact(B, C)
    world.contact(C, A)  # B has not told A yet that it signed too
    assert held(world, A) == ids(5)
    assert not refused(world, A)


@dataclass(frozen=True, slots=True)
class Interrupted(NodeSide):
    """A side in whose node something else happens between two steps of a turn."""

    happens: Callable[[], None]

    def control_after(self, peer: str, n: int, limit: int) -> ControlPage:
        page = NodeSide.control_after(self, peer, n, limit)
        self.happens()
        return page


@pytest.mark.parametrize("carrier", ["answer", "pack"])
def test_papers_that_come_up_while_a_turn_is_made_go_before_its_objects(carrier: str) -> None:
    world = three()
    world.take(A, indicator(1), **STATED)
    put_down(world, A, B, C)
    world.contact(A, B)
    a, b = world.nodes[A], world.nodes[B]
    happened: list[object] = []

    def call() -> None:
        if not happened:
            happened.append(world.contact(C, A))

    side = Interrupted(a, call)
    if carrier == "answer":
        turn = answer(side, b.party, Turn(NodeSide(b).greeting(a.party)))
    else:
        begun = NodeSide(b).greeting(a.party)
        turn = next(outbound(side, b.party, control=begun.have_control, objects=begun.have_objects))
    assert happened
    assert turn.page is not None
    Session(NodeSide(b), a.party).take(decode(encode(turn)))
    assert held(world, B) == ids(1)


def steps(caller: Node, called: Node) -> Iterator[None]:
    """One contact, with a halt wherever another one may come between."""
    session, road = Session(NodeSide(caller), called.party), Direct(called, caller.party)
    while (turn := session.next()) is not None:
        yield
        reply = decode(road.turn(encode(turn), objects=turn.page is not None))
        yield
        session.take(reply)


@settings(max_examples=25, deadline=None)
@given(st.data())
def test_contacts_that_overlap_in_any_order_all_end_well(data: st.DataObject) -> None:
    world = three()
    names = (A, B, C)
    for number, name in enumerate(names, 1):
        world.take(name, indicator(number), **STATED)
    put_down(world, *names)
    every = [(one, other) for one in names for other in names if one != other]
    pairs = data.draw(st.lists(st.sampled_from(every), min_size=2, max_size=5), label="who calls whom")
    running = [steps(world.nodes[one], world.nodes[other]) for one, other in pairs]
    while running:
        chosen = data.draw(st.sampled_from(running), label="goes on")
        if next(chosen, "over") == "over":
            running.remove(chosen)
    world.sync(*names)
    for name in names:
        assert held(world, name) == ids(1, 2, 3)
        assert not refused(world, name)
        with world.nodes[name].store.read() as tx:
            assert [(one.control, one.objects) for one in outbox(tx, world.nodes[name].party)] == [(0, 0), (0, 0)]
        assert list(examine(world.nodes[name])) == []
