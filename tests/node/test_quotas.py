"""A peer that floods: it is told so and tries again later; nobody else notices, and nothing is lost."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from comity.adapters.sql import open_store
from comity.kernel.errors import NotAllowed, NotFound, Unavailable, Usage
from comity.kernel.model.instants import DAY, format
from comity.kernel.store.ports import Store
from comity.kernel.store.rows import Audit, Holding, Reader, StreamRow, Submission
from comity.node import exchange
from comity.node.contact import contact, outbox, take_turn, turns_for
from comity.node.doctor import examine
from comity.node.quotas import QUOTAS, limits, set_limits, used
from comity.node.submissions import submit
from comity.node.taxii import INBOX
from comity.node.telling import due, peers
from simulators.world import Direct, World, indicator

A, B, C = "Team A", "Team B", "Team C"
STATED = {"tlp": "green", "basis": ["agreement"], "purpose": ["protect-networks"], "caveats": []}


def made(world: World) -> World:
    """Team A exchanges with B and with C; a page holds two rows."""
    for name, country in ((A, "XA"), (B, "XB"), (C, "XC")):
        world.node(name, country=country)
    world.introduce(A, B)
    world.introduce(A, C)
    world.bilateral(A, B)
    world.bilateral(A, C)
    world.at = (world.at // DAY + 1) * DAY  # what was sent so far was sent yesterday
    return world


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setattr(exchange, "PAGE_ROWS", 2)
    return made(World())


def held(world: World, name: str = A) -> set[str]:
    with world.nodes[name].store.read() as tx:
        return {row.object for row in tx.find(Holding, ended=None)}


def let(world: World, **most: int) -> None:
    """Set what Team B may send Team A in a day."""
    set_limits(world.nodes[A], B, most, officer="officer-1")


def names(*numbers: int) -> set[str]:
    return {str(indicator(number)["id"]) for number in numbers}


def test_a_peer_that_floods_is_refused_while_another_gets_through_and_goes_on_the_next_day(world: World) -> None:
    let(world, rows=3)
    world.take(B, *(indicator(n) for n in range(1, 8)), **STATED)
    world.take(C, *(indicator(n) for n in range(11, 18)), **STATED)
    with pytest.raises(Unavailable) as told:
        world.contact(B, A)
    assert told.value.code == "peer-quota"
    assert "3 rows of deliveries a day" in told.value.sentence and format(world.at + DAY) in told.value.sentence
    assert held(world) == names(1, 2, 3, 4)  # the page that brings it over the limit is still taken
    world.contact(C, A)
    assert held(world) == names(1, 2, 3, 4, *range(11, 18))
    for _ in range(3):  # however often it tries
        with pytest.raises(Unavailable):
            world.contact(B, A)
    assert held(world) == names(1, 2, 3, 4, *range(11, 18))
    world.at += DAY
    world.sync(A, B)
    assert held(world) >= names(*range(1, 8))
    with world.nodes[B].store.read() as tx:
        [line] = [one for one in outbox(tx, world.nodes[B].party) if one.party == world.nodes[A].party]
    assert (line.objects, line.control) == (0, 0)
    for node in world.nodes.values():
        assert list(examine(node)) == []


def test_a_peer_that_may_send_no_more_still_gets_what_is_due_to_it(world: World) -> None:
    """A recall does not wait for the day on which its addressee may send again."""
    let(world, rows=1)
    world.take(B, *(indicator(n) for n in range(1, 6)), **STATED)
    world.take(A, indicator(21), **STATED)
    with pytest.raises(Unavailable):
        world.contact(B, A)
    world.take(A, indicator(22), indicator(23), indicator(24), **STATED)
    with pytest.raises(Unavailable) as told:
        world.contact(A, B)
    assert told.value.code == "peer-quota"
    assert held(world, B) >= names(21, 22, 23, 24)
    with world.nodes[A].store.read() as tx:
        [line] = [one for one in outbox(tx, world.nodes[A].party) if one.party == world.nodes[B].party]
    assert line.objects == 0  # receipted


def test_what_we_called_for_is_asked_for_again_by_itself(world: World) -> None:
    let(world, rows=1)
    world.take(B, *(indicator(n) for n in range(1, 6)), **STATED)
    a, b = world.nodes[A], world.nodes[B]

    class Carried(Direct):
        def proof(self, act: str) -> bytes:
            raise NotFound("no-such-act", "Not asked for here.")

        def close(self) -> None:
            """Nothing is open."""

    with pytest.raises(Unavailable):
        contact(a, b.party, lambda node, card, private: Carried(b, a.party))
    with a.store.read() as tx:
        [line] = [one for one in outbox(tx, a.party) if one.party == b.party]
    assert line.attempts == 1 and line.next > world.at and not line.dead


def test_the_same_page_twice_counts_once_and_still_has_its_receipt(world: World) -> None:
    let(world, rows=2)
    world.take(B, indicator(1), indicator(2), **STATED)
    a, b = world.nodes[A], world.nodes[B]
    page = exchange.NodeSide(b).page_after(a.party, 0)
    assert page is not None
    first = exchange.NodeSide(a).take_page(b.party, page)
    assert exchange.NodeSide(a).take_page(b.party, page) == first
    with a.store.read() as tx:
        assert used(tx, b.party, world.at)["rows"] == 2


def test_counts_survive_a_restart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exchange, "PAGE_ROWS", 2)
    opened: list[Store] = []

    def store(name: str) -> Store:
        opened.append(open_store(f"sqlite:///{tmp_path}/{name}.db"))
        return opened[-1]

    world = made(World(make_store=store))
    let(world, rows=3)
    world.take(B, *(indicator(n) for n in range(1, 8)), **STATED)
    with pytest.raises(Unavailable):
        world.contact(B, A)
    before = held(world)
    world.nodes[A].store.close()  # type: ignore[attr-defined]
    world.nodes[A] = replace(world.nodes[A], store=store(A))
    with pytest.raises(Unavailable):
        world.contact(B, A)
    assert held(world) == before == names(1, 2, 3, 4)
    world.at += DAY
    world.sync(A, B)
    assert held(world) == names(*range(1, 8))
    for one in opened:
        one.close()  # type: ignore[attr-defined]


def test_bytes_and_refused_rows_are_counted_too(world: World) -> None:
    let(world, bytes=1)
    world.take(B, *(indicator(n) for n in range(1, 5)), **STATED)
    with pytest.raises(Unavailable, match="1 bytes of objects"):
        world.contact(B, A)
    assert held(world) == names(1, 2)
    with world.nodes[A].store.read() as tx:
        sent = used(tx, world.nodes[B].party, world.at)
    assert sent["bytes"] > sum(len(str(indicator(n))) for n in (1, 2)) and sent["refused"] == 0


def test_rows_that_are_refused_are_kept_only_up_to_a_limit(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    let(world, refused=1)
    world.take(B, *(indicator(n) for n in range(1, 7)), **STATED)
    monkeypatch.setattr(exchange, "member_under", lambda *args, **more: False)  # we see no clause that gives
    with pytest.raises(Unavailable, match="1 rows that are refused"):
        world.contact(B, A)
    with world.nodes[A].store.read() as tx:
        assert used(tx, world.nodes[B].party, world.at)["refused"] == 2


def test_a_flood_of_papers_waits_and_none_is_lost(world: World) -> None:
    world.take(B, *(indicator(n) for n in range(1, 8)), **STATED)
    world.sync(A, B)
    world.at += DAY
    let(world, control=2)
    world.take(B, *(indicator(n) for n in range(1, 8)), **{**STATED, "tlp": "red"})  # each is taken back by a paper
    with pytest.raises(Unavailable, match="2 control items a day"):
        world.contact(B, A)
    assert 0 < len(held(world)) < 7  # some were taken back, the papers of the others wait
    world.at += DAY
    let(world, control=0)
    world.sync(A, B)
    assert held(world) == set()


def test_what_is_handed_in_over_taxii_has_a_limit_for_each_party(world: World) -> None:
    let(world, submissions=2)
    b, c = (Reader(str(n) * 64, world.nodes[name].party, "tool", world.at, None) for n, name in ((1, B), (2, C)))
    raw = [
        b'{"type": "url", "spec_version": "2.1", "id": "url--%s", "value": "https://example.com/"}' % one
        for one in _ids
    ]
    a = world.nodes[A]
    assert submit(a, b, INBOX, raw[:1])["success_count"] == 1
    assert submit(a, b, INBOX, [b"{}"])["failure_count"] == 1  # what fails is counted as well
    with pytest.raises(Unavailable, match="2 objects handed in over TAXII a day"):
        submit(a, b, INBOX, raw[1:])
    assert submit(a, c, INBOX, raw)["success_count"] == 2
    world.at += DAY
    assert submit(a, b, INBOX, raw[1:])["success_count"] == 1
    with a.store.read() as tx:
        assert tx.count(Submission, party=world.nodes[B].party) == 2


_ids = (b"d1f8dd9e-3f0b-4a5e-8d5c-3b3f0f1d1a01", b"d1f8dd9e-3f0b-4a5e-8d5c-3b3f0f1d1a02")


def test_packs_have_a_limit_and_one_that_was_begun_goes_on(world: World) -> None:
    let(world, packs=1)
    world.take(B, *(indicator(n) for n in range(1, 6)), **STATED)
    a, b = world.nodes[A], world.nodes[B]
    turns = list(turns_for(b, a.party))
    assert len(turns) == 3
    take_turn(a, b.party, turns[0], pack="1" * 32)
    with pytest.raises(Unavailable, match="1 packs a day"):
        take_turn(a, b.party, turns[0], pack="2" * 32)
    for turn in turns[1:]:
        take_turn(a, b.party, turn, pack="1" * 32)
    assert held(world) == names(*range(1, 6))
    world.at += DAY
    take_turn(a, b.party, turns[0], pack="2" * 32)


def test_an_officer_sees_who_is_held_up_and_sets_the_limit(world: World) -> None:
    let(world, rows=2)
    world.take(B, *(indicator(n) for n in range(1, 6)), **STATED)
    with pytest.raises(Unavailable):
        world.contact(B, A)
    a = world.nodes[A]
    with a.store.read() as tx:
        told = {row["name"]: row["quota"] for row in peers(tx, a.party)}
        also = {row["name"]: row["quota"] for row in due(tx, a.party, world.at)}
    assert told == also and told[C] is None and "2 rows of deliveries a day" in told[B]
    let(world, rows=0)  # as is usual
    world.sync(A, B)
    assert held(world) == names(*range(1, 6))
    with a.store.read() as tx:
        assert limits(tx, world.nodes[B].party) == {name: quota.most for name, quota in QUOTAS.items()}
        assert [row.officer for row in tx.find(Audit) if row.deed == "peer-limit"] == ["officer-1"] * 2
        assert tx.count(StreamRow, party=world.nodes[B].party) == 0
    with pytest.raises(Usage, match="say one of rows, bytes"):
        let(world, letters=1)
    with pytest.raises(Usage):
        let(world, rows=-1)
    with pytest.raises(NotAllowed):
        set_limits(a, A, {"rows": 1}, officer="officer-1")


def test_a_first_sync_of_a_million_objects_is_within_what_is_usual() -> None:
    objects, bytes_of_one = 1_000_000, 8_192
    assert QUOTAS["rows"].most > objects and QUOTAS["bytes"].most > objects * bytes_of_one
    assert QUOTAS["control"].most > objects  # and it may take all of them back
