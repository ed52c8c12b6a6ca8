"""Logs that are rolled back or forked, promises that are broken, evidence that travels (threat rows 4 and 5)."""

from __future__ import annotations

from dataclasses import replace

import msgspec
import pytest

from attack.liars import STATED, evidence, from_others, held, teams, told
from comity.kernel.errors import LogFault
from comity.kernel.exchange.messages import ControlPage, Greeting
from comity.kernel.seal.canonical import canonical
from comity.kernel.store.rows import CheckpointRow, Instrument, PromiseRow
from comity.kernel.tlog.acts import act_digest
from comity.kernel.tlog.checkpoint import Checkpoint, origin, raw_key, read_checkpoint, sign_checkpoint, verify_fork
from comity.kernel.tlog.promises import Promise, make_promise, verify_two_promises
from comity.node.exchange import NodeSide
from comity.node.instruments import suspend
from simulators.world import HOUR, SECOND, World, indicator

A, B, C = "Team A", "Team B", "Team C"


@pytest.fixture
def world() -> World:
    made = teams(A, B, C)
    made.bilateral(A, B)
    made.bilateral(B, C)
    made.take(A, indicator(1), **STATED)
    made.sync(A, B)
    made.at += HOUR
    made.sync(A, B, C)
    return made


def greeting(world: World, name: str, to: str, **changes: object) -> Greeting:
    """What a team says, with lies in it."""
    return replace(NodeSide(world.nodes[name]).greeting(world.nodes[to].party), **changes)  # type: ignore[arg-type]


def other_history(world: World, name: str, size: int) -> bytes:
    """A checkpoint of that size over another history, signed with the log's own key."""
    return sign_checkpoint(
        Checkpoint(origin(world.nodes[name].party, 1), size, b"\x66" * 32), world.nodes[name].keys.log
    )


def newest(world: World, keeper: str, of: str) -> CheckpointRow:
    """The newest checkpoint of a log that a team keeps."""
    with world.nodes[keeper].store.read() as tx:
        return next(iter(tx.find(CheckpointRow, origin=origin(world.nodes[of].party, 1), reverse=True, limit=1)))


def test_a_fork_shown_to_us_is_kept_as_evidence_that_convinces_others(world: World) -> None:
    size = newest(world, B, A).size
    with pytest.raises(LogFault) as caught:
        NodeSide(world.nodes[B]).take_greeting(
            world.nodes[A].party, greeting(world, A, B, checkpoint=other_history(world, A, size), consistency=None)
        )
    assert caught.value.code == "log-fork"
    (proof,) = evidence(world, B)  # it stands although the greeting was refused
    one, other = verify_fork(proof.body, raw_key(world.nodes[A].keys.log.public.spki))
    assert (one.size, one.root) != (other.size, other.root)
    assert one.size == other.size == size


def test_a_longer_log_whose_proof_does_not_lead_from_what_we_hold_is_a_fork_or_not_believed(world: World) -> None:
    before = newest(world, B, A)
    world.at += HOUR
    honest = greeting(world, A, B)
    assert honest.consistency is not None
    with pytest.raises(LogFault):
        NodeSide(world.nodes[B]).take_greeting(
            world.nodes[A].party,
            replace(honest, checkpoint=other_history(world, A, before.size), consistency=None),
        )
    lie = replace(honest, checkpoint=other_history(world, A, read_checkpoint(honest.checkpoint or b"").size))
    NodeSide(world.nodes[B]).take_greeting(world.nodes[A].party, lie)
    assert newest(world, B, A).size == before.size, "an unproved checkpoint replaces nothing"


def test_a_peer_that_rolled_its_log_back_is_stopped_and_not_convicted(world: World) -> None:
    older = newest(world, B, A).note
    world.at += HOUR
    world.sync(A, B)
    with pytest.raises(LogFault) as caught:
        NodeSide(world.nodes[B]).take_greeting(
            world.nodes[A].party, greeting(world, A, B, checkpoint=older, consistency=None)
        )
    assert caught.value.code == "log-rolled-back"
    assert evidence(world, B) == []


def test_evidence_against_a_third_party_is_kept_and_stops_nothing_with_who_showed_it(world: World) -> None:
    """B was shown one history by A, C another; when B and C meet the fork is found, and they go on with each other."""
    size = newest(world, B, A).size
    forked = other_history(world, A, size)
    heard = greeting(world, C, B)
    NodeSide(world.nodes[B]).take_greeting(world.nodes[C].party, replace(heard, seen=(forked, *heard.seen)))
    (proof,) = evidence(world, B)
    assert proof.party == world.nodes[A].party
    verify_fork(proof.body, raw_key(world.nodes[A].keys.log.public.spki))
    world.take(C, indicator(2), **STATED)
    world.contact(B, C)
    assert indicator(2)["id"] in held(world, B)


def test_an_invented_fork_of_a_third_partys_log_convicts_nobody(world: World) -> None:
    """Signed by the liar's own key, it says nothing about A."""
    size = newest(world, B, A).size
    invented = sign_checkpoint(Checkpoint(origin(world.nodes[A].party, 1), size, b"\x66" * 32), world.nodes[C].keys.log)
    heard = greeting(world, C, B)
    NodeSide(world.nodes[B]).take_greeting(
        world.nodes[C].party, replace(heard, seen=(invented, b"nonsense", *heard.seen))
    )
    assert evidence(world, B) == []


def test_a_promise_broken_in_the_control_stream_convicts_too(world: World) -> None:
    with world.nodes[A].store.read() as tx:
        digest = next(iter(tx.find(Instrument))).agreement
    suspend(world.nodes[A], digest, since=None, until=None, officer="officer-1")
    side = NodeSide(world.nodes[A])
    page = side.control_after(world.nodes[B].party, told(world, A, B), 100)
    item = page.items[-1]
    body = msgspec.json.decode(item.body)
    with world.nodes[B].store.read() as tx:
        earlier = next(row for row in tx.find(PromiseRow) if world.nodes[A].party.partition("--")[2] in row.origin)
    body["promise"] = make_promise(
        Promise(act_digest(body["act"].encode()), earlier.origin, earlier.tick, earlier.place), world.nodes[A].keys.log
    ).decode()
    lie = ControlPage((*page.items[:-1], replace(item, body=canonical(body))), more=False)
    with pytest.raises(LogFault):
        NodeSide(world.nodes[B]).take_control(world.nodes[A].party, lie)
    (proof,) = evidence(world, B)
    verify_two_promises(proof.body, world.nodes[A].keys.log.public)
    assert told(world, A, B) == item.n, "what convicts is passed over, and does not come again"


def test_honest_nodes_convict_nobody_in_a_month_of_syncs(world: World) -> None:
    for day in range(30):
        world.at += 24 * HOUR + day * SECOND
        if day % 7 == 0:
            world.take(A, indicator(10 + day), **STATED)
        world.sync(A, B)
        world.sync(B, C)
    for name in (A, B, C):
        assert evidence(world, name) == []
    assert len(from_others(world, B)) == 6
