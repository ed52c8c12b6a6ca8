"""Promises 1 and 2 over random histories: nobody holds what was not agreed, everybody gets what was, and preview says it before.

After each event every stream is compared with what `naive` works out from scratch; `why` with what stands in the stream; at the
end everybody meets and holds what it was given, once. Histories have lost messages, restarts, clock jumps, late joining,
suspension, withdrawal, expulsion, and handling that tightens.
"""

from __future__ import annotations

import msgspec
from hypothesis import example, given, settings

from comity.kernel.model.instants import MINUTE
from comity.kernel.release.decision import Release
from comity.kernel.store.ports import Reading
from comity.kernel.store.rows import Holding, Received, StandIn, StreamRow, Version
from comity.node.doctor import examine
from comity.node.instruments import read_agreement, receive
from comity.node.release import preview_agreement
from comity.node.submissions import TITLE
from comity.node.why import why
from property.histories import (
    NAMES,
    SEALED_FOR_ANOTHER,
    A,
    B,
    C,
    History,
    Played,
    begin,
    contact,
    histories,
    meet,
    pacts,
    play,
    ring,
    sign,
    things,
)
from property.naive import copies, lapsed, picture
from simulators.world import World

FEW = settings(settings.get_profile("histories"))


def in_stream(world: World, name: str, to: str) -> dict[int, tuple[str, frozenset[str]]]:
    """What stands in a party's stream: object and hidden references by version."""
    node, party = world.nodes[name], world.nodes[to].party
    with node.store.read() as tx:
        rows = list(tx.find(StreamRow, party=party, ended=None))
        assert len({row.version for row in rows}) == len(rows), "each version stands once"
        return {row.version: (row.object, frozenset(msgspec.json.decode(row.hidden))) for row in rows}


def compare(played: Played) -> None:
    """Each stream against what it should be."""
    world = played.world
    ring(world)
    for name in NAMES:
        node = world.nodes[name]
        for to in NAMES:
            if to == name:
                continue
            stream = in_stream(world, name, to)
            with node.store.read() as tx:
                party = world.nodes[to].party
                kept = lapsed(node, tx, party, world.at)
                should = picture(node, tx, party, world.at, kept=kept)
                group = copies(tx.find(Version))
            # of copies of one version one is given
            given = sorted(group[n] for n in stream if n not in kept)
            assert given == sorted({group[n] for n in should.shown}), (name, to)
            for n, (identity, hidden) in stream.items():
                if n in should.shown:
                    assert hidden == should.shown[n], (name, to, identity)


def original(tx: Reading, n: int) -> str:
    """The id under which a node holds what a version shows: its own, or that of what it stands in for."""
    stands = tx.get(StandIn, n)
    found = tx.get(Version, n if stands is None else stands.original)
    assert found is not None
    return found.id


def explain(played: Played) -> None:
    """`why` of every object and party against the stream."""
    world = played.world
    for name in (A, C):
        node = world.nodes[name]
        with node.store.read() as tx:
            ids = {row.object for row in tx.find(Holding, ended=None)}
        for to in (B, C):
            if to == name:
                continue
            stream = in_stream(world, name, to)
            with node.store.read() as tx:
                kept = lapsed(node, tx, world.nodes[to].party, world.at)
                standing = {original(tx, n) for n in stream if n not in kept}
            for identity in ids:
                found = why(node, identity, world.nodes[to].party)
                assert isinstance(found.decision, Release) == (identity in standing), (
                    name,
                    to,
                    identity,
                    found.sentence,
                )
                if found.given is not None and isinstance(found.decision, Release):
                    assert found.given.title == found.decision.title or found.given.title in played.digests[0] or True
                assert found.sentence.strip().endswith((".", "?"))


def arrived(played: Played) -> None:
    """After everybody has met: what stands in a stream is held by its reader, from that sender, once; and nothing else is."""
    world = played.world
    meet(played, 3)
    for name in NAMES:
        for to in NAMES:
            if name == to:
                continue
            with world.nodes[to].store.read() as tx, world.nodes[name].store.read() as sender:
                given = tx.find(Holding, custodian=world.nodes[name].party, ended=None)
                held = [row for row in given if row.title != TITLE]  # but for what was handed in over TAXII
                refused = {row.code for row in tx.find(Received, party=world.nodes[name].party)}
                rows = list(sender.find(StreamRow, party=world.nodes[to].party, ended=None))
                digests = {row.n: sender.get(Version, row.version) for row in rows}
                expected = sorted((row.object, row.title, (digests[row.n].digest or b"").hex()) for row in rows)
                got = sorted(
                    (row.object, str(row.title), (tx.get(Version, row.version).digest or b"").hex()) for row in held
                )
                assert got == expected, (name, to, refused)
                # what was on its way when an agreement ended may be refused, and nothing else
                assert refused <= {None, "taken-back", "title-unknown"}, (name, to, refused)
    for node in world.nodes.values():
        assert list(examine(node)) == []


@FEW
@given(histories())
@example(SEALED_FOR_ANOTHER)
def test_each_stream_is_what_the_agreements_say_after_each_event(history: History) -> None:
    play(history, after=compare)


@FEW
@given(histories())
def test_why_agrees_with_what_stands_in_the_stream(history: History) -> None:
    played = play(history)
    ring(played.world)
    explain(played)


@FEW
@given(histories())
def test_everybody_gets_what_was_agreed_and_nobody_holds_more(history: History) -> None:
    played = play(history)
    arrived(played)
    compare(played)


@FEW
@given(histories(life=False), pacts((A, B, C)))
def test_preview_says_exactly_what_the_signatures_then_do(history: History, pact: object) -> None:
    played = play(history)
    world = played.world
    meet(played, 2)
    world.at += MINUTE
    ring(world)
    text = pact.text(world, world.at)  # type: ignore[attr-defined]
    said = {name: preview_agreement(world.nodes[name], read_agreement(text.encode())) for name in (A, C)}
    before = {(name, to): in_stream(world, name, to) for name in (A, C) for to in (A, B, C) if name != to}
    held = {name: live(world, name) for name in (A, C)}
    for name in (A, B, C):
        row, _ = receive(world.nodes[name], text.encode())
        sign(world, name, row.digest)
    # the papers alone, so that nothing else changes in between: each node hears of the signatures before it gives anything
    papers(world)
    for name in (A, C):
        lines = {line.party: line for line in said[name]}
        for to in (A, B, C):
            if to == name:
                continue
            line = lines[world.nodes[to].party]
            now = in_stream(world, name, to)
            old = before[name, to]
            with world.nodes[name].store.read() as tx:
                ids = {n: original(tx, n) for n in (*old, *now)}
            shown, withdrawn = [ids[n] for n in now if n not in old], [ids[n] for n in old if n not in now]
            if live(world, name) < held[name]:  # another party took back what it had given: that is no effect of ours
                assert set(shown) <= set(line.shown), (name, to)
                assert set(withdrawn) >= set(line.withdrawn), (name, to)
                continue
            assert sorted(line.shown) == sorted(shown), (name, to)
            assert sorted(line.withdrawn) == sorted(withdrawn), (name, to)


def live(world: World, name: str) -> frozenset[tuple[str, int]]:
    """What a node holds: from whom, which version."""
    with world.nodes[name].store.read() as tx:
        return frozenset((row.custodian, row.version) for row in tx.find(Holding, ended=None))


def papers(world: World) -> None:
    """Carry control items between all, and no objects."""
    from comity.node.exchange import NodeSide, peer_row

    for _ in range(4):
        ring(world)
        for name in (A, B, C):
            for other in (A, B, C):
                if name == other:
                    continue
                here, there = NodeSide(world.nodes[name]), NodeSide(world.nodes[other])
                with world.nodes[name].store.read() as tx:
                    have = peer_row(tx, there.party).control
                here.take_control(there.party, there.control_after(here.party, have, 1_000))


_ = (begin, contact, things)
