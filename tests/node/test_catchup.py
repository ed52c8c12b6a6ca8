"""Streams brought up to date in small transactions: cut off, disturbed, left standing, and the same in the end."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from hashlib import sha256
from itertools import pairwise
from typing import Any

import pytest

from comity.kernel.model.objects import from_data
from comity.kernel.release.handling import Handling
from comity.kernel.release.templates import company_to_team
from comity.kernel.store.ports import Reading, Store, Writing
from comity.kernel.store.rows import Batch, Job, Setting, StandIn, StreamRow, Version
from comity.node import catchup, intake, streams
from comity.node.context import Deed
from comity.node.deeds import deed
from comity.node.instruments import suspend
from comity.node.intake import take_in
from comity.node.streams import issue, plan, world_for
from comity.node.why import why
from simulators.world import HOUR, SECOND, Raw, World, indicator, malware, relationship

A, B = "Team A", "Team B"
FREE = Handling(tlp="green", caveats=frozenset(), basis=frozenset(["agreement"]), own=True)


class Killed(BaseException):
    """The process ends here."""


@dataclass
class Watched:
    """A store before each of whose write transactions something happens."""

    store: Store
    before_write: Callable[[], None]

    def read(self) -> AbstractContextManager[Reading]:
        return self.store.read()

    def write(self) -> AbstractContextManager[Writing]:
        self.before_write()
        return self.store.write()

    def close(self) -> None:
        self.store.close()


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(intake, "CHUNK", 4)
    monkeypatch.setattr(catchup, "ROWS", 3)
    monkeypatch.setattr(streams, "MANY", 5)


@pytest.fixture
def world() -> World:
    made = World()
    for name in (A, B):
        made.node(name)
    made.introduce(A, B)
    return made


OBJECTS = [
    *(relationship(n, indicator(n)["id"], malware(n)["id"]) for n in range(6)),
    *(malware(n) for n in range(6)),
    *(indicator(n) for n in range(6)),
]


def items() -> Iterator[Raw]:
    """The objects as a file gives them."""
    for data in OBJECTS:
        yield Raw(from_data(data).raw)


def run(world: World, source: Any, digest: str = "one") -> None:
    name = sha256(digest.encode()).hexdigest()
    take_in(world.nodes[A], source, name="file", format="stix-2.1", digest=name, handling=FREE, minted=False)


def given(world: World) -> list[str]:
    """The ids in B's stream at A, as they stand, in order."""
    with world.nodes[A].store.read() as tx:
        party = world.nodes[B].party
        rows = sorted((row for row in tx.find(StreamRow, party=party) if row.ended is None), key=lambda row: row.n)
        assert [row.n for row in tx.find(StreamRow, party=party)] == list(
            range(1, tx.count(StreamRow, party=party) + 1)
        )
        return [row.object for row in rows]


def jobs(world: World) -> int:
    with world.nodes[A].store.read() as tx:
        return tx.count(Job)


def everything() -> set[str]:
    return {str(data["id"]) for data in OBJECTS}


def test_what_refers_to_a_later_chunk_comes_once_and_after_it(world: World) -> None:
    world.bilateral(A, B)
    run(world, items())
    found = given(world)
    assert set(found) == everything() and len(found) == len(OBJECTS)
    for n in range(6):
        place = {identity: number for number, identity in enumerate(found)}
        link = str(relationship(n, "", "")["id"])
        assert place[link] > max(place[str(indicator(n)["id"])], place[str(malware(n)["id"])])
    with world.nodes[A].store.read() as tx:
        assert not any(row.replaces for row in tx.find(StreamRow, party=world.nodes[B].party))


def test_nothing_goes_while_an_import_is_not_ended(world: World) -> None:
    world.bilateral(A, B)

    def cut() -> Iterator[Raw]:
        for number, item in enumerate(items()):
            if number == 9:
                raise Killed
            yield item

    with pytest.raises(Killed):
        run(world, cut())
    with world.nodes[A].store.read() as tx:
        held = tx.count(Version)
        assert tx.count(Batch, done=0) == 1
    assert held >= 8 and given(world) == []
    world.at += SECOND
    with deed(world.nodes[A]):
        pass
    assert given(world) == []
    rest = list(items())[8:]
    run(world, iter(rest))
    assert set(given(world)) == everything()


def test_an_import_that_stands_still_for_an_hour_counts_as_ended_and_goes_on_as_another(world: World) -> None:
    world.bilateral(A, B)
    seen: list[int] = []

    def slow() -> Iterator[Raw]:
        for number, item in enumerate(items()):
            if number == 8:
                world.at += HOUR + SECOND
                with deed(world.nodes[A]):
                    pass
                seen.append(len(given(world)))
            yield item

    run(world, slow())
    with world.nodes[A].store.read() as tx:
        batches = list(tx.find(Batch, format="stix-2.1"))
    assert [row.done for row in batches] == [1, 1] and batches[-1].taken == len(OBJECTS)
    assert seen[0] > 0
    assert set(given(world)) == everything()


def test_a_process_killed_between_two_transactions_is_taken_over_once_its_lease_ran_out(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.bilateral(A, B)
    true, calls = catchup.issue, []

    def once(*args: Any) -> None:
        calls.append(1)
        if len(calls) == 3:
            raise Killed
        true(*args)

    monkeypatch.setattr(catchup, "issue", once)
    with pytest.raises(Killed):
        run(world, items())
    monkeypatch.setattr(catchup, "issue", true)
    assert len(given(world)) == 6 and jobs(world) == 1
    other = replace(world.nodes[A], random=lambda size, label: bytes(size))
    with deed(other):
        pass
    assert len(given(world)) == 6  # the one that was killed may be at it still
    world.at += 3 * SECOND
    with deed(other):
        pass
    assert set(given(world)) == everything() and jobs(world) == 0


def test_what_stands_in_for_a_hidden_source_is_made_in_small_transactions_too(world: World) -> None:
    draft = company_to_team(world.parties(A, B), enters_into_force=world.at)
    draft = draft.replace('source     = "named"', 'source     = "hidden"')
    world.agree(draft.replace('view       = "without-customer"', 'view       = "full"'), A, B)
    node = world.nodes[A]
    made: list[int] = []

    def count() -> None:
        with node.store.read() as tx:
            made.append(tx.count(StandIn))

    world.nodes[A] = replace(node, store=Watched(node.store, count))
    vendor = "identity--99999999-0000-4000-8000-00000000000a"
    stated = {"tlp": "green", "basis": ["legitimate-interest"], "purpose": ["protect-networks"], "caveats": []}
    world.take(A, *(indicator(n, created_by_ref=vendor) for n in range(8)), **stated)
    count()
    assert made[-1] == 8 == len(given(world))
    assert max(after - before for before, after in pairwise(made)) == catchup.ROWS


def test_a_suspension_between_two_transactions_stops_the_rest(world: World) -> None:
    digest = world.bilateral(A, B)
    node = world.nodes[A]

    def intrude() -> None:
        with node.store.read() as tx:
            rows = tx.last(StreamRow, "n", party=world.nodes[B].party) or 0
        if rows == 6 and not done:
            done.append(1)
            other = replace(node, random=lambda size, label: bytes(size))
            suspend(other, digest, since=None, until=None, officer="officer-1")

    done: list[int] = []
    world.nodes[A] = replace(node, store=Watched(node.store, intrude))
    run(world, items())
    assert done and jobs(world) == 0
    assert given(world) == []  # six rows were there, not delivered: they do not go either


def test_a_new_agreement_gives_what_is_held_row_by_row_and_a_busy_node_gets_there_too(world: World) -> None:
    run(world, items())
    assert given(world) == []
    node = world.nodes[A]
    busy = [0]

    def intrude() -> None:
        if jobs(world) and busy[0] < 40:
            busy[0] += 1
            with node.store.write() as tx:
                tx.put(Setting("turn", b"%d" % (1_000 + busy[0])))

    world.nodes[A] = replace(node, store=Watched(node.store, intrude))
    world.bilateral(A, B)
    with deed(world.nodes[A]):
        pass
    assert busy[0] and jobs(world) == 0
    assert set(given(world)) == everything()
    assert why(world.nodes[A], str(OBJECTS[0]["id"]), world.nodes[B].party).given is not None


def test_what_another_deed_gives_between_two_transactions_is_not_given_again(world: World) -> None:
    world.bilateral(A, B)
    node, party = world.nodes[A], world.nodes[B].party

    def intrude() -> None:
        with node.store.read() as tx:
            rows = tx.last(StreamRow, "n", party=party) or 0
            last = tx.last(Version, "n") or 0
        if rows == 6 and not done:
            done.append(1)
            other = replace(node, random=lambda size, label: bytes(size))
            with node.store.write() as tx:  # as an officer's `outbox retry` does
                view = world_for(tx, node.party, party, world.at)
                issue(Deed(other, tx, world.at), view, plan(view, [last]))

    done: list[int] = []
    world.nodes[A] = replace(node, store=Watched(node.store, intrude))
    run(world, items())
    found = given(world)
    assert done and len(found) == len(set(found)) == len(OBJECTS)
    with node.store.read() as tx:
        assert tx.count(StreamRow, party=party) == len(OBJECTS)
