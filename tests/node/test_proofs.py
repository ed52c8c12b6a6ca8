"""Promises are proved, withheld, lost or broken: what each reads, and what is kept of it."""

from __future__ import annotations

from dataclasses import dataclass, replace

import msgspec
import pytest

from comity.kernel.errors import InputRefused, LogFault, NotFound, Unavailable
from comity.kernel.model.instants import parse
from comity.kernel.seal.canonical import canonical
from comity.kernel.store.rows import ActRow, CheckpointRow, Evidence, Peer, PromiseRow
from comity.node.contact import Client, contact
from comity.node.context import Node, put_setting
from comity.node.deeds import deed
from comity.node.exchange import NodeSide
from comity.node.parties import need_card
from comity.node.proofs import ASKED_AT_ONCE, collect, open_promises, promises, verify_broken_promise, worth
from comity.node.record import log_facts, proof_of, record
from simulators.world import SECOND, Direct, World, indicator

STATED = {"tlp": "green", "basis": ["agreement"], "purpose": ["protect-networks"], "caveats": []}
MINUTE = 60 * SECOND


@pytest.fixture
def world() -> World:
    """A gave B an object, and both kept exchanging until the ticks were over."""
    made = World()
    made.node("Team A", country="XA")
    made.node("Team B", country="XB")
    made.introduce("Team A", "Team B")
    made.bilateral("Team A", "Team B")
    made.take("Team A", indicator(1), **STATED)
    made.sync("Team A", "Team B")
    return made


def pair(world: World) -> tuple[Node, Node]:
    return world.nodes["Team A"], world.nodes["Team B"]


def states(world: World, name: str, of: str) -> set[str]:
    with world.nodes[name].store.read() as tx:
        return {row["state"] for row in promises(tx, world.at, world.nodes[of].party)}


def test_promises_of_a_contact_are_proved_at_the_next_one(world: World) -> None:
    a, b = pair(world)
    assert states(world, "Team B", "Team A") == {"pending"}
    world.at += 2 * MINUTE
    contact(b, a.party, lambda *_: Direct(a, b.party))
    assert states(world, "Team B", "Team A") == {"proved"}
    with b.store.read() as tx:
        assert open_promises(tx, world.at) == []
        assert worth(tx, world.at)[a.party] == {"proved": tx.count(PromiseRow)}


def test_a_proof_is_not_asked_for_before_its_tick_is_over(world: World) -> None:
    a, b = pair(world)
    asked: list[str] = []

    def fetch(act: str) -> bytes:
        asked.append(act)
        return Direct(a, b.party).proof(act)

    assert collect(b, a.party, fetch).kept == 0
    assert asked == []


@dataclass
class Withholding(Direct):
    """Exchanges well and answers no question for a proof."""

    def proof(self, act: str) -> bytes:
        raise NotFound("peer-refused", "The peer has no such thing.")


def test_what_is_withheld_reads_overdue_and_is_no_guilt(world: World) -> None:
    a, b = pair(world)
    world.at += 2 * MINUTE + SECOND
    contact(b, a.party, lambda *_: Withholding(a, b.party))
    assert states(world, "Team B", "Team A") <= {"pending", "overdue"}
    world.at += 10 * MINUTE
    contact(b, a.party, lambda *_: Withholding(a, b.party))
    assert states(world, "Team B", "Team A") == {"overdue"}
    with b.store.read() as tx:
        assert list(tx.find(Evidence)) == []
        peer = tx.get(Peer, a.party)
        assert peer is not None and (peer.attempts, peer.dead) == (0, 0)
        first = open_promises(tx, world.at, a.party)[0]
        assert 0 < parse(first["due"]) - parse(first["at"]) <= MINUTE
    contact(b, a.party, lambda *_: Direct(a, b.party))
    assert states(world, "Team B", "Team A") == {"proved"}


def test_a_peer_that_hangs_up_is_asked_no_further(world: World) -> None:
    a, b = pair(world)
    world.at += 5 * MINUTE
    asked: list[str] = []

    def fetch(act: str) -> bytes:
        asked.append(act)
        raise Unavailable("peer-unreachable", "No answer.")

    collect(b, a.party, fetch)
    assert len(asked) == 1


@pytest.mark.parametrize("answer", [b"", b"{}", b"[]", b"null", b'{"due":1}', b"\xff", b"[" * 5000, b'{"tick":1e999}'])
def test_rubbish_instead_of_a_proof_is_passed_over(world: World, answer: bytes) -> None:
    a, b = pair(world)
    world.at += 5 * MINUTE
    assert collect(b, a.party, lambda act: answer).kept == 0
    assert states(world, "Team B", "Team A") == {"overdue"}


def test_a_proof_of_another_act_at_another_place_proves_nothing_and_convicts_nobody(world: World) -> None:
    a, b = pair(world)
    world.at += 5 * MINUTE
    contact(b, a.party, lambda *_: Withholding(a, b.party))
    with a.store.read() as tx:
        some = next(row.digest for row in tx.find(ActRow, to=b.party, kind="deliver"))
    honest = Direct(a, b.party)
    collect(b, a.party, lambda act: honest.proof(some))
    with b.store.read() as tx:
        proved = [row["act"] for row in promises(tx, world.at, a.party) if row["state"] == "proved"]
        assert proved == [some]
        assert list(tx.find(Evidence)) == []


@pytest.mark.parametrize("name", ["salt", "inner", "outer", "root", "checkpoint", "act", "place", "tick"])
def test_a_damaged_proof_is_not_kept(world: World, name: str) -> None:
    a, b = pair(world)
    world.at += 5 * MINUTE
    contact(b, a.party, lambda *_: Withholding(a, b.party))

    def fetch(act: str) -> bytes:
        shape = msgspec.json.decode(Direct(a, b.party).proof(act))
        value = shape[name]
        if isinstance(value, int):
            shape[name] = value + 1
        elif isinstance(value, list):
            shape[name] = ["00" * 32, *value[1:]]
        else:
            shape[name] = value.replace("1", "2")
        return canonical(shape)

    assert collect(b, a.party, fetch).kept == 0
    with b.store.read() as tx:
        assert list(tx.find(Evidence)) == []


def broken(world: World) -> tuple[str, str]:
    """A promises a place to the delivery of an object, and lets another act stand there; gives both digests."""
    a, b = pair(world)
    world.at += MINUTE
    world.take("Team A", indicator(2), **STATED)
    page = NodeSide(a).page_after(b.party, 1)
    assert page is not None
    NodeSide(a).take_receipt(b.party, NodeSide(b).take_page(a.party, page))
    with deed(a) as work:
        other = record(work, "handle", "", {"statement": "none"})
        real = next(row for row in work.tx.find(ActRow, to=b.party, kind="deliver") if row.envelope == page.act)
        work.tx.remove(ActRow, real.digest)
        work.tx.put(replace(other, tick=real.tick, place=real.place))
    world.at += 5 * MINUTE
    with deed(a):
        pass  # its log goes on
    return real.digest, other.digest


@dataclass
class Cheating(Direct):
    """Shows for one act the proof of another, which stands where the first was promised to stand."""

    promised: str = ""
    shown: str = ""

    def proof(self, act: str) -> bytes:
        return super().proof(self.shown if act == self.promised else act)


def test_a_place_opened_to_another_act_convicts_and_the_evidence_stays(world: World) -> None:
    promised, shown = broken(world)
    a, b = pair(world)
    cheat = Cheating(a, b.party, promised, shown)
    with pytest.raises(LogFault) as fault:
        contact(b, a.party, lambda *_: cheat)
    assert fault.value.code == "promise-broken"
    with b.store.read() as tx:
        evidence = list(tx.find(Evidence))
        assert [(row.party, row.kind) for row in evidence] == [(a.party, "promise-broken")]
        state = {row["act"]: row["state"] for row in promises(tx, world.at, a.party)}
        assert state[promised] == "convicts"
        card = need_card(tx, a.party)
        assert verify_broken_promise(evidence[0].body, card).act == promised
        with pytest.raises(InputRefused):  # what was kept convicts nobody
            act = next(row for row in tx.find(PromiseRow) if row.act != promised and row.proof is not None)
            assert act.proof is not None
            proof = msgspec.json.decode(act.proof)
            verify_broken_promise(canonical({"form": 1, "promise": act.envelope.decode(), "proof": proof}), card)
    again = contact(b, a.party, lambda *_: cheat)  # convicted once; it is not asked for that act any more
    assert again.stop
    with b.store.read() as tx:
        assert tx.count(Evidence) == 1


def test_evidence_with_a_damaged_proof_convicts_nobody(world: World) -> None:
    promised, shown = broken(world)
    a, b = pair(world)
    with pytest.raises(LogFault):
        collect(b, a.party, Cheating(a, b.party, promised, shown).proof)
    with b.store.read() as tx:
        body = next(tx.find(Evidence)).body
        card = need_card(tx, a.party)
    shape = msgspec.json.decode(body)
    for member in ("salt", "root", "checkpoint", "inner", "outer"):
        proof = dict(shape["proof"])
        proof[member] = ["11" * 32] if isinstance(proof[member], list) else proof[member].replace("0", "1")
        with pytest.raises(Exception) as refused:
            verify_broken_promise(canonical({**shape, "proof": proof}), card)
        assert refused.value.code in {"tick-proof", "note-signature", "inclusion-proof", "note", "log-origin"}  # type: ignore[attr-defined]
    for rubbish in (b"", b"[]", b'{"promise":1}', b"{}"):
        with pytest.raises(InputRefused):
            verify_broken_promise(rubbish, card)


def test_a_proof_under_a_checkpoint_that_follows_from_none_held_is_not_kept(world: World) -> None:
    a, b = pair(world)
    world.at += 3 * MINUTE
    for _ in range(2):  # in the second, B shows A what it holds of its log
        contact(b, a.party, lambda *_: Withholding(a, b.party))
    world.at += 3 * MINUTE
    with deed(a):
        pass  # A's log has grown since B looked
    honest = Direct(a, b.party)

    def without(act: str) -> bytes:
        shape = msgspec.json.decode(honest.proof(act))
        shape.pop("consistency")
        return canonical(shape)

    refused = collect(b, a.party, without)
    assert refused.kept == 0 and refused.open > 0
    done = collect(b, a.party, honest.proof)
    assert done.kept > 0 and done.open == 0
    with a.store.read() as tx, b.store.read() as other:
        size = max(row.size for row in tx.find(CheckpointRow, origin=log_facts(tx).origin))
        assert other.get(CheckpointRow, log_facts(tx).origin, size) is not None


def test_a_fork_behind_a_proof_is_kept_as_evidence(world: World) -> None:
    a, b = pair(world)
    world.at += 3 * MINUTE
    contact(b, a.party, lambda *_: Withholding(a, b.party))
    with a.store.write() as tx:  # A rewrites what stood in a tick and signs the same size again
        row = next(row for row in tx.find(ActRow) if row.to == b.party and row.kind == "deliver")
        facts = log_facts(tx)
        tx.put(replace(row, salt=bytes(16)))
        from comity.kernel.store.rows import Tile

        for tile in list(tx.find(Tile)):
            tx.remove(Tile, tile.level, tile.index)
        for note in list(tx.find(CheckpointRow, origin=facts.origin)):
            tx.remove(CheckpointRow, note.origin, note.size)
        put_setting(tx, "log-size", 0)
    with deed(a):
        pass
    with pytest.raises(LogFault) as fault:
        collect(b, a.party, Direct(a, b.party).proof)
    assert fault.value.code == "log-fork"
    with b.store.read() as other:
        assert [row.kind for row in other.find(Evidence)] == ["fork"]


def test_what_is_withheld_delays_nothing_else(world: World) -> None:
    a, b = pair(world)
    for number in range(10, 10 + 2 * ASKED_AT_ONCE):
        with deed(a) as work:
            row = record(work, "instrument", b.party, {"paper": "00", "kind": "card", "agreement": str(number)})
            from comity.node.record import promise

            given = promise(a, work.tx, row)
        with b.store.write() as tx:
            tx.put(PromiseRow(log_facts_of(a), row.tick, row.place, row.digest, given, world.at, None))
    world.at += 5 * MINUTE
    contact(b, a.party, lambda *_: Withholding(a, b.party))
    asked: list[str] = []

    def fetch(act: str) -> bytes:
        asked.append(act)
        raise NotFound("peer-refused", "The peer has no such thing.")

    for _ in range(4):
        collect(b, a.party, fetch)
    with b.store.read() as tx:
        waiting = {row["act"] for row in open_promises(tx, world.at, a.party)}
    assert len(asked) == 4 * ASKED_AT_ONCE
    assert set(asked) == waiting


def log_facts_of(node: Node) -> str:
    with node.store.read() as tx:
        return log_facts(tx).origin


def test_an_answer_that_names_an_unknown_act_is_a_plain_refusal(world: World) -> None:
    a, _ = pair(world)
    with a.store.read() as tx, pytest.raises(NotFound):
        proof_of(a, tx, "00" * 32)


def test_clients_of_the_tests_are_clients(world: World) -> None:
    a, b = pair(world)
    client: Client = Direct(a, b.party)
    assert client.proof
