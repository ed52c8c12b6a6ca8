"""What a peer writes into our control stream: replayed, out of order, garbage, hostile JSON; nothing of it holds up what follows."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from attack.liars import STATED, control, evidence, held, noted, teams, told
from comity.adapters.sql import open_store
from comity.kernel.errors import ComityError, RequestRefused, SealBroken
from comity.kernel.exchange.messages import Turn, decode, encode
from comity.kernel.exchange.session import answer
from comity.kernel.seal.canonical import canonical
from comity.kernel.seal.cards import make_card
from comity.kernel.seal.dsse import sign, unverified_body
from comity.kernel.store.memory import MemoryStore
from comity.kernel.store.ports import Store
from comity.kernel.store.rows import AgreementRow, CardRow, Holding, Instrument, Party
from comity.node.cards import add_card
from comity.node.deeds import deed
from comity.node.doctor import examine
from comity.node.exchange import NodeSide
from comity.node.instruments import suspend, withdraw
from comity.node.parties import card_file, need_card, next_card, read_card_file
from simulators.world import SECOND, World, indicator

A, B, C = "Team A", "Team B", "Team C"

HOSTILE = [
    b"",
    b"null",
    b"7",
    b'"text"',
    b"[]",
    b"{}",
    b"{",
    b"\xff\xfe",
    b'{"n": 1e400}',
    b'{"n": "1"}',
    b'{"n": null}',
    b'{"n": -1}',
    b'{"n": 99999999999999999999999999}',
    b'{"n": [1]}',
    b'{"n": true}',
    b'{"paper": 7}',
    b'{"paper": null, "act": {}, "promise": []}',
    b'{"paper": "\\ud800"}',
    b'{"paper": "[]", "act": "{}", "promise": "{}"}',
    b'{"paper": "[null]"}',
    b'{"paper": "[\\"{}\\"]"}',
    b'{"paper": "' + b"[" * 400 + b'"}',
    b'{"paper": "' + b"x" * 100_000 + b'"}',
    b"[" * 5_000,
    b'{"a":' * 3_000 + b"1" + b"}" * 3_000,
    b'{"paper": "a", "paper": "b"}',
]
KINDS = [
    "tombstone",
    "card",
    "agreement",
    "signature",
    "epoch",
    "renewal",
    "accession",
    "suspension",
    "withdrawal",
    "restore",
    "case",
    "never-heard-of",
]


@pytest.fixture(params=["memory", "sqlite"])
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    made: list[Store] = []

    def store(name: str) -> Store:
        made.append(MemoryStore() if request.param == "memory" else open_store(f"sqlite:///{tmp_path}/{name}.db"))
        return made[-1]

    world = World(make_store=store)
    for name, country in ((A, "XA"), (B, "XB"), (C, "XC")):
        world.node(name, country=country)
    world.introduce(A, B, C)
    world.bilateral(A, B)
    yield world
    for one in made:
        one.close()


def test_hostile_bodies_are_noted_and_hold_up_nothing(world: World) -> None:
    side, peer = NodeSide(world.nodes[B]), world.nodes[A].party
    n = told(world, A, B)
    items = [(kind, body) for kind in KINDS for body in HOSTILE]
    for start in range(0, len(items), 50):
        some = items[start : start + 50]
        have = side.take_control(peer, control(*[(n + k, *item) for k, item in enumerate(some, 1)]))
        assert have == n + len(some)
        n = have
    assert len(noted(world, B, "control-refused")) >= len(items) - len(HOSTILE), "all but lawful tombstones"
    assert list(examine(world.nodes[B])) == []
    assert evidence(world, B) == []
    world.take(B, indicator(1), **STATED)  # and we still work
    side.page_after(peer, 0)


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(kind=st.sampled_from(KINDS), change=st.integers(0, 10**9), byte=st.integers(0, 255))
def test_one_changed_byte_of_a_real_paper_is_refused_or_changes_nothing(kind: str, change: int, byte: int) -> None:
    world = _papers()
    side, peer = NodeSide(world.nodes[B]), world.nodes[A].party
    n = told(world, A, B)
    page = NodeSide(world.nodes[A]).control_after(world.nodes[B].party, 0, 100)
    same = [item for item in page.items if item.kind == kind] or list(page.items)
    body = bytearray(same[change % len(same)].body)
    body[change % len(body)] = byte
    before = _state(world)
    side.take_control(peer, control((n + 1, same[change % len(same)].kind, bytes(body))))
    assert _state(world) == before


_WORLDS: list[World] = []


def _papers() -> World:
    if not _WORLDS:
        world = teams(A, B, C)
        digest = world.bilateral(A, B)
        world.take(A, indicator(1), **STATED)
        world.sync(A, B)
        suspend(world.nodes[A], digest, since=None, until=world.at + SECOND, officer="officer-1")
        withdraw(world.nodes[A], digest, effective=None, officer="officer-1")
        world.sync(A, B)
        _WORLDS.append(world)
    return _WORLDS[0]


def _state(world: World) -> tuple[object, ...]:
    with world.nodes[B].store.read() as tx:
        kinds = (Instrument, AgreementRow, CardRow, Party, Holding)
        return tuple(tuple(tx.find(kind)) for kind in kinds)


def test_replayed_items_change_nothing_and_a_gap_is_refused(world: World) -> None:
    side, peer = NodeSide(world.nodes[B]), world.nodes[A].party
    page = NodeSide(world.nodes[A]).control_after(world.nodes[B].party, 0, 100)
    before = _state(world)
    have = told(world, A, B)
    assert side.take_control(peer, page) == have
    again = control(*[(have + k, item.kind, item.body) for k, item in enumerate(page.items, 1)])
    side.take_control(peer, again)
    assert _state(world) == before
    with pytest.raises(RequestRefused):
        side.take_control(peer, control((have + 1_000, "tombstone", b'{"n": 1}')))


def test_papers_of_one_party_do_not_count_when_another_brings_them_as_its_own(world: World) -> None:
    world.bilateral(B, C)
    page = NodeSide(world.nodes[A]).control_after(world.nodes[B].party, 0, 100)
    before = _state(world)
    n = told(world, C, B)
    items = [(n + k, item.kind, item.body) for k, item in enumerate(page.items, 1)]
    NodeSide(world.nodes[B]).take_control(world.nodes[C].party, control(*items))
    assert _state(world) == before


def test_a_card_of_another_with_a_serial_that_is_kept_and_other_bytes_is_refused(world: World) -> None:
    with deed(world.nodes[C]) as work:
        first = need_card(work.tx, work.node.party)
    node = world.nodes[C]
    assert node.keys.identity is not None
    other = make_card(replace(first, name="Team C, the real one", digest="", retired=()), [node.keys.identity])
    side = NodeSide(world.nodes[B])
    n = told(world, A, B)
    before = _state(world)
    side.take_control(
        world.nodes[A].party, control((n + 1, "card", canonical({"paper": canonical([other.decode()]).decode()})))
    )
    assert _state(world) == before
    assert noted(world, B, "control-refused")[-1]["code"] == "card-conflict"
    with pytest.raises(SealBroken):
        add_card(world.nodes[B], other)


def test_a_card_that_another_signed_is_refused(world: World) -> None:
    with deed(world.nodes[C]) as work:
        next_card(work, clients=(world.nodes[A].party,))
        with_clients = card_file(work.tx, work.node.party)
    newest = read_card_file(with_clients)[-1]
    thief = world.nodes[A].keys.identity
    assert thief is not None
    forged = sign("card", unverified_body(newest, "card")[0], [thief])
    before = _state(world)
    with pytest.raises(ComityError):
        add_card(world.nodes[B], forged)
    assert _state(world) == before
    assert add_card(world.nodes[B], with_clients).serial == 2


def test_a_card_that_a_peer_brings_makes_nobody_verified(world: World) -> None:
    stranger = world.node("Team D", country="XD")
    with stranger.store.read() as tx:
        cards = [row.envelope.decode() for row in tx.find(CardRow)]
    n = told(world, A, B)
    NodeSide(world.nodes[B]).take_control(
        world.nodes[A].party, control((n + 1, "card", canonical({"paper": canonical(cards).decode()})))
    )
    with world.nodes[B].store.read() as tx:
        row = tx.get(Party, stranger.party)
    assert row is not None
    assert row.verified is None


@settings(max_examples=200, deadline=None)
@given(change=st.integers(0, 10**9), byte=st.integers(0, 255), cut=st.booleans())
def test_a_damaged_turn_is_refused_with_a_sentence(change: int, byte: int, cut: bool) -> None:
    world = _papers()
    side = NodeSide(world.nodes[A])
    turn = bytearray(
        encode(
            Turn(
                side.greeting(world.nodes[B].party),
                side.control_after(world.nodes[B].party, 0, 100),
                side.page_after(world.nodes[B].party, 0),
            )
        )
    )
    if cut:
        del turn[change % len(turn) :]
    else:
        turn[change % len(turn)] = byte
    with suppress(ComityError):  # anything else would be a fault of ours
        answer(NodeSide(world.nodes[B]), side.party, decode(bytes(turn)))
    assert held(world, B) == {indicator(1)["id"]}
    assert evidence(world, B) == []
