"""The log goes on under a new key: proofs from before and after, a fork across the rotation, a pack on its way, a restore."""

from __future__ import annotations

from dataclasses import replace

import msgspec
import pytest

from comity.kernel.errors import LogFault, SealBroken
from comity.kernel.seal.keys import SigningKey
from comity.kernel.store.memory import MemoryStore
from comity.kernel.store.rows import TABLES, ActRow, CheckpointRow, Evidence, PromiseRow
from comity.kernel.tlog.bundle import verify_bundle
from comity.kernel.tlog.checkpoint import Checkpoint, open_checkpoint, origin, raw_key, sign_checkpoint, verify_fork
from comity.kernel.tlog.promises import Promise, make_promise, verify_two_promises
from comity.node.cardlife import OVERLAP, rotate
from comity.node.contact import take_turn, turns_for
from comity.node.deeds import deed
from comity.node.doctor import examine
from comity.node.exchange import NodeSide
from comity.node.gossip import keep_promise
from comity.node.parties import need_card
from comity.node.proofs import collect, promises
from comity.node.proving import bundle_given, bundle_received, received_from
from comity.node.restoring import reopen
from simulators.world import SECOND, Direct, World, indicator

STATED = {"tlp": "green", "basis": ["agreement"], "purpose": ["protect-networks"], "caveats": []}
MINUTE = 60 * SECOND
A, B, C = "Team A", "Team B", "Team C"


def three() -> World:
    """A gave B an object; C knows both; some ticks of all logs are over, and known."""
    world = World()
    for name in (A, B, C):
        world.node(name)
    world.introduce(A, B, C)
    world.bilateral(A, B)
    world.bilateral(A, C)
    world.bilateral(B, C)
    world.take(A, indicator(1), **STATED)
    later(world)
    return world


def later(world: World, minutes: int = 5) -> None:
    world.sync(A, B, C)
    world.at += minutes * MINUTE
    world.sync(A, B, C)


def turn(world: World, *, over: bool = True) -> SigningKey:
    """A's log gets another key, which signs from a while later on; gives the old one, which has ended then if `over`."""
    a = world.nodes[A]
    key = SigningKey.from_seed(b"\x07" * 32)
    rotate(a, "log", key, begins=world.at + 10 * MINUTE, officer="officer-1")
    world.sync(A, B, C)
    world.at += 11 * MINUTE
    world.nodes[A] = replace(a, keys=replace(a.keys, log=key))
    if over:
        world.at += OVERLAP
    return a.keys.log


def evidence(world: World, name: str) -> list[Evidence]:
    with world.nodes[name].store.read() as tx:
        return list(tx.find(Evidence))


def newest(world: World, keeper: str, of: str = A) -> CheckpointRow:
    with world.nodes[keeper].store.read() as tx:
        return next(iter(tx.find(CheckpointRow, origin=origin(world.nodes[of].party, 1), reverse=True, limit=1)))


def healthy(world: World) -> None:
    for name, node in world.nodes.items():
        assert evidence(world, name) == []
        assert list(examine(node)) == [], name


def signed(world: World, size: int, key: SigningKey) -> bytes:
    """Another history of A's log, signed."""
    return sign_checkpoint(Checkpoint(origin(world.nodes[A].party, 1), size, b"\x66" * 32), key)


def states(world: World, keeper: str, of: str = A) -> set[str]:
    with world.nodes[keeper].store.read() as tx:
        return {row["state"] for row in promises(tx, world.at, world.nodes[of].party)}


def test_a_peer_proves_what_was_promised_before_the_rotation_and_after_it() -> None:
    world = three()
    old = turn(world)
    world.take(A, indicator(2), **STATED)
    later(world)
    a, b = world.nodes[A], world.nodes[B]
    open_checkpoint(newest(world, B).note, origin(a.party, 1), raw_key(a.keys.log.public.spki))
    with pytest.raises(SealBroken):
        open_checkpoint(newest(world, B).note, origin(a.party, 1), raw_key(old.public.spki))
    for _ in range(3):
        collect(b, a.party, Direct(a, b.party).proof)
    assert states(world, B) == {"proved"}
    with b.store.read() as tx:
        known = [need_card(tx, a.party).fingerprint]
    for number in (1, 2):
        object_id = str(indicator(number)["id"])
        came = received_from(b, object_id, a.party)
        assert came is not None
        for bundle in (bundle_given(a, object_id, b.party), bundle_received(b, *came)):
            assert verify_bundle(bundle, {a.party: known})["verified"] is True
    healthy(world)


def test_a_proof_made_before_the_rotation_verifies_offline_with_the_card_that_came_after() -> None:
    world = three()
    before = bundle_given(world.nodes[A], str(indicator(1)["id"]), world.nodes[B].party)
    turn(world)
    later(world)
    with world.nodes[B].store.read() as tx:
        card = need_card(tx, world.nodes[A].party)
    assert card.serial == 2
    assert verify_bundle(before, {card.party: [card.fingerprint]})["verified"] is True


def test_a_fork_with_the_old_key_under_one_history_and_the_new_under_the_other_convicts() -> None:
    world = three()
    old = turn(world)
    kept = newest(world, B)
    a, b = world.nodes[A], world.nodes[B]
    lie = replace(NodeSide(a).greeting(b.party), checkpoint=signed(world, kept.size, a.keys.log), consistency=None)
    with pytest.raises(LogFault) as caught:
        NodeSide(b).take_greeting(a.party, lie)
    assert caught.value.code == "log-fork"
    (proof,) = evidence(world, B)
    keys = [raw_key(key.public.spki) for key in (old, a.keys.log)]
    verify_fork(proof.body, *keys)
    for key in keys:
        with pytest.raises(SealBroken):
            verify_fork(proof.body, key)
    assert list(examine(b)) == []


def test_a_fork_that_a_third_party_was_shown_after_the_rotation_convicts_when_it_is_passed_on() -> None:
    world = three()
    turn(world)
    b, c = world.nodes[B], world.nodes[C]
    shown = signed(world, newest(world, B).size, world.nodes[A].keys.log)
    heard = NodeSide(c).greeting(b.party)
    NodeSide(b).take_greeting(c.party, replace(heard, seen=(shown, *heard.seen)))
    assert [one.party for one in evidence(world, B)] == [world.nodes[A].party]


def test_who_found_the_old_key_convicts_nobody_with_what_it_passes_on() -> None:
    world = three()
    old = turn(world)
    later(world)
    b, c = world.nodes[B], world.nodes[C]
    heard = NodeSide(c).greeting(b.party)
    forged = signed(world, newest(world, B).size, old)
    NodeSide(b).take_greeting(c.party, replace(heard, seen=(forged, *heard.seen)))
    healthy(world)


def test_one_place_promised_twice_by_the_old_key_and_the_new_convicts() -> None:
    world = three()
    old = turn(world)
    a, b = world.nodes[A], world.nodes[B]
    with b.store.read() as tx:
        held = next(row for row in tx.find(PromiseRow) if row.origin == origin(a.party, 1))
    second = Promise("0" * 64, held.origin, held.tick, held.place)
    with deed(b) as work:
        assert keep_promise(work, a.party, second, make_promise(second, a.keys.log), second.act) is not None
    (proof,) = evidence(world, B)
    verify_two_promises(proof.body, old.public, a.keys.log.public)
    assert list(examine(b)) == []


def test_a_pack_made_before_the_old_key_ended_is_taken_after_it() -> None:
    world = three()
    world.take(A, indicator(3), **STATED)
    a, b = world.nodes[A], world.nodes[B]
    carried = list(turns_for(a, b.party))
    turn(world)
    for number, data in enumerate(carried):
        take_turn(b, a.party, data, pack=f"pack-{number}")
    with b.store.read() as tx:
        assert any(row.act for row in tx.find(PromiseRow))
    later(world)
    healthy(world)


def test_a_checkpoint_by_the_old_key_is_shown_until_the_next_tick_is_over_and_the_peer_takes_it() -> None:
    """The old key was exposed and ended at once; a tick lasts longer than it takes to start the node again."""
    world = three()
    a = world.nodes[A]
    key = SigningKey.from_seed(b"\x08" * 32)
    rotate(a, "log", key, begins=None, officer="officer-1")
    world.nodes[A] = replace(a, keys=replace(a.keys, log=key))
    world.sync(A, B)
    world.at += 1
    world.sync(A, B)
    later(world)
    healthy(world)


def test_a_node_restored_after_the_rotation_names_the_checkpoint_that_the_old_key_signed() -> None:
    world = three()
    a, b = world.nodes[A], world.nodes[B]
    key = SigningKey.from_seed(b"\x07" * 32)
    rotate(a, "log", key, begins=world.at + 10 * MINUTE, officer="officer-1")
    world.sync(A, B, C)
    backup = MemoryStore()
    with a.store.read() as tx, backup.write() as to:
        for kind in TABLES:
            to.add(list(tx.find(kind)))
    world.take(A, indicator(2), **STATED)
    later(world)
    world.at += 11 * MINUTE + OVERLAP
    world.nodes[A] = a = replace(a, store=backup, keys=replace(a.keys, log=key))
    world.seed += b"/restored"
    reopen(a)
    later(world)
    world.take(A, indicator(4), **STATED)
    later(world)
    for _ in range(4):
        collect(b, a.party, Direct(a, b.party).proof)
    assert states(world, B) == {"proved", "lost at restore"}
    assert newest(world, B).size > 0
    with b.store.read() as tx:
        ended = next(iter(tx.find(CheckpointRow, origin=origin(a.party, 1), reverse=True, limit=1)))
    open_checkpoint(ended.note, origin(a.party, 1), raw_key(three().nodes[A].keys.log.public.spki))
    with a.store.read() as tx:
        kept = [row for row in tx.find(ActRow, to=b.party) if row.tick < 0]
    assert kept
    healthy(world)


def test_a_last_checkpoint_by_the_old_key_that_contradicts_what_is_held_convicts_a_restored_node() -> None:
    world = three()
    old = turn(world)
    kept = newest(world, B)
    a, b = world.nodes[A], world.nodes[B]
    from comity.node.restoring import note_restore

    gap = {
        "origin": origin(a.party, 1),
        "first": kept.size,
        "end": kept.size + 5,
        "checkpoint": signed(world, kept.size, old).decode(),
        "next": origin(a.party, 7),
        "origin_at": "2021-03-06T12:00:00Z",
        "period": MINUTE,
    }
    with deed(b) as work:
        fault = note_restore(work, a.party, msgspec.json.decode(msgspec.json.encode(gap)), origin(a.party, 7))
    assert fault is not None and fault.code == "log-fork"
