"""A node comes back from a backup: what it says, what others make of it, and that nobody is convicted."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from comity.adapters.sql.store import open_store
from comity.kernel.errors import LogFault, NotAllowed, RequestRefused, SealBroken
from comity.kernel.release.handling import Handling
from comity.kernel.store.memory import MemoryStore
from comity.kernel.store.ports import Store
from comity.kernel.store.rows import ActRow, ControlRow, Delivery, Evidence, Holding, Peer, StreamRow
from comity.kernel.tlog.acts import act_digest
from comity.node.contact import take_turn, turns_for
from comity.node.context import read_setting
from comity.node.deeds import deed
from comity.node.doctor import examine
from comity.node.exchange import NodeSide
from comity.node.handling import set_handling
from comity.node.proofs import promises
from comity.node.proving import bundle_given
from comity.node.record import log_facts, proof_of
from comity.node.restoring import note_restore, reopen
from simulators.world import SECOND, World, indicator

STATED = {"tlp": "green", "basis": ["agreement"], "purpose": ["protect-networks"], "caveats": []}
MINUTE = 60 * SECOND


def two() -> World:
    world = World()
    world.node("Team A", country="XA")
    world.node("Team B", country="XB")
    world.introduce("Team A", "Team B")
    world.bilateral("Team A", "Team B")
    return world


def copied(world: World, name: str) -> MemoryStore:
    """A backup: a store with the same rows."""
    made = MemoryStore()
    with world.nodes[name].store.read() as tx, made.write() as to:
        from comity.kernel.store.rows import TABLES

        for kind in TABLES:
            to.add(list(tx.find(kind)))
    return made


def restore(world: World, name: str, backup: Store) -> None:
    """The node is gone; the backup comes back under its name."""
    world.nodes[name] = replace(world.nodes[name], store=backup)
    world.seed += b"/restored"  # what was random before does not come again
    reopen(world.nodes[name])


def held(world: World, name: str) -> set[str]:
    with world.nodes[name].store.read() as tx:
        return {row.object for row in tx.find(Holding) if row.ended is None}


def ids(*numbers: int) -> set[str]:
    return {str(indicator(number)["id"]) for number in numbers}


def healthy(world: World) -> None:
    """Nobody is convicted, and every node agrees with itself."""
    for node in world.nodes.values():
        with node.store.read() as tx:
            assert list(tx.find(Evidence)) == []
        assert list(examine(node)) == []


def later(world: World, minutes: int = 3) -> None:
    world.at += minutes * MINUTE


@pytest.fixture
def lost() -> World:
    """A backs up after object 1; objects 2 (to B) and 11 (from B) and their receipts are exchanged after that, then A is lost."""
    world = two()
    world.take("Team A", indicator(1), **STATED)
    world.sync("Team A", "Team B")
    later(world)
    world.sync("Team A", "Team B")
    backup = copied(world, "Team A")
    world.take("Team A", indicator(2), indicator(3), **STATED)
    world.take("Team B", indicator(11), **STATED)
    world.sync("Team A", "Team B")
    later(world)
    world.sync("Team A", "Team B")
    restore(world, "Team A", backup)
    return world


def test_a_restored_node_gets_again_what_it_lost_and_gives_on(lost: World) -> None:
    assert held(lost, "Team A") == ids(1)
    lost.sync("Team A", "Team B")
    assert held(lost, "Team A") == ids(1, 11)
    lost.take("Team A", indicator(4), **STATED)
    lost.take("Team B", indicator(12), **STATED)
    lost.sync("Team A", "Team B")
    assert held(lost, "Team A") == ids(1, 4, 11, 12)
    assert held(lost, "Team B") == ids(1, 2, 3, 4, 11, 12)
    later(lost)
    lost.sync("Team A", "Team B")
    healthy(lost)
    a, b = (lost.nodes[name] for name in ("Team A", "Team B"))
    with a.store.read() as tx:
        rows = list(tx.find(StreamRow, party=b.party))
        assert [(row.n, row.kind) for row in rows] == [
            (1, "object"), (2, "withdrawn"), (3, "withdrawn"), (4, "object")
        ]  # fmt: skip
        cursors = tx.get(Peer, b.party)
        assert cursors is not None and cursors.receipted == 4
    with b.store.read() as tx:
        assert tx.last(ControlRow, "n", party=a.party) is not None
        assert read_setting(tx, f"life/{a.party}") == log_facts_of(lost, "Team A").incarnation > 1


def log_facts_of(world: World, name: str):  # type: ignore[no-untyped-def]
    with world.nodes[name].store.read() as tx:
        return log_facts(tx)


def test_promises_in_the_gap_read_lost_and_those_before_it_can_still_be_proved(lost: World) -> None:
    a, b = (lost.nodes[name] for name in ("Team A", "Team B"))
    with b.store.read() as tx:
        before = {row["act"]: row["state"] for row in promises(tx, lost.at, a.party)}
    assert set(before.values()) == {"overdue"}
    lost.sync("Team A", "Team B")
    with b.store.read() as tx:
        after = promises(tx, lost.at, a.party)
    states = {row["act"]: row["state"] for row in after}
    gone = {act for act, state in states.items() if state == "lost at restore"}
    assert gone and gone < set(before)
    with a.store.read() as tx:
        kept = [row for row in tx.find(ActRow, to=b.party) if row.tick < 0]
        assert kept
        for row in kept:  # what the last checkpoint of the ended life covers is proved as ever
            assert "inner" in proof_of(a, tx, row.digest)
        assert not gone & {row.digest for row in kept}
        delivered = {made.act for made in tx.find(Delivery, party=b.party)}
    assert delivered and delivered.isdisjoint(gone)
    assert bundle_given(a, str(indicator(1)["id"]), b.party)


def test_the_chain_of_acts_begins_anew_in_the_new_life(lost: World) -> None:
    a, b = (lost.nodes[name] for name in ("Team A", "Team B"))
    with a.store.read() as tx:
        acts = sorted((row for row in tx.find(ActRow, to=b.party) if row.tick >= 0), key=lambda row: row.seq)
    assert [row.seq for row in acts] == list(range(1, len(acts) + 1))
    assert acts[0].kind == "restore"


def test_what_was_appended_before_the_first_contact_is_not_lost(lost: World) -> None:
    lost.take("Team A", indicator(5), indicator(6), **STATED)
    set_handling(lost.nodes["Team A"], str(indicator(5)["id"]), Handling(tlp="red"), officer="officer-1")
    lost.contact("Team B", "Team A")  # this time it is B that calls
    lost.sync("Team A", "Team B")
    assert held(lost, "Team B") == ids(1, 2, 3, 6, 11)
    healthy(lost)


def test_a_row_delivered_after_the_backup_can_still_be_taken_back() -> None:
    world = two()
    world.take("Team A", indicator(1), **STATED)
    backup = copied(world, "Team A")  # in the stream, not handed over yet
    world.sync("Team A", "Team B")
    restore(world, "Team A", backup)
    set_handling(world.nodes["Team A"], str(indicator(1)["id"]), Handling(tlp="red"), officer="officer-1")
    world.sync("Team A", "Team B")
    assert held(world, "Team B") == set()
    healthy(world)


def test_a_page_that_never_came_goes_again_under_an_act_of_the_new_life() -> None:
    world = two()
    world.take("Team A", indicator(1), **STATED)
    a, b = (world.nodes[name] for name in ("Team A", "Team B"))
    page = NodeSide(a).page_after(b.party, 0)
    assert page is not None
    restore(world, "Team A", copied(world, "Team A"))
    a = world.nodes["Team A"]
    world.sync("Team A", "Team B")
    assert held(world, "Team B") == ids(1)
    with a.store.read() as tx:
        made = list(tx.find(Delivery, party=b.party))
        assert [one.act == act_digest(page.act) for one in made] == [False]
    later(world)
    world.sync("Team A", "Team B")
    assert bundle_given(a, str(indicator(1)["id"]), b.party)
    healthy(world)


def test_the_other_side_can_be_restored_too(lost: World) -> None:
    backup = copied(lost, "Team B")
    lost.sync("Team A", "Team B")
    lost.take("Team A", indicator(4), **STATED)
    lost.sync("Team A", "Team B")
    later(lost)
    restore(lost, "Team B", backup)
    lost.take("Team B", indicator(13), **STATED)
    lost.sync("Team A", "Team B")
    assert held(lost, "Team A") == ids(1, 4, 11, 13)
    assert held(lost, "Team B") == ids(1, 2, 3, 4, 11, 13)
    later(lost)
    lost.sync("Team A", "Team B")
    healthy(lost)


def test_both_restored_before_they_meet_again_go_on() -> None:
    world = two()
    world.take("Team A", indicator(1), **STATED)
    world.sync("Team A", "Team B")
    backups = {name: copied(world, name) for name in ("Team A", "Team B")}
    world.take("Team A", indicator(2), **STATED)
    world.take("Team B", indicator(12), **STATED)
    world.sync("Team A", "Team B")
    later(world)
    for name, backup in backups.items():
        restore(world, name, backup)
    world.take("Team A", indicator(3), **STATED)
    world.sync("Team A", "Team B")
    assert held(world, "Team A") == held(world, "Team B") == ids(1, 3)
    later(world)
    world.sync("Team A", "Team B")
    healthy(world)


def test_one_backup_restored_twice_opens_two_lives() -> None:
    world = two()
    world.sync("Team A", "Team B")
    first, second = copied(world, "Team A"), copied(world, "Team A")
    later(world, 2)
    restore(world, "Team A", first)
    one = log_facts_of(world, "Team A").incarnation
    later(world)
    world.sync("Team A", "Team B")
    later(world)
    restore(world, "Team A", second)
    assert log_facts_of(world, "Team A").incarnation > one > 1
    world.take("Team A", indicator(1), **STATED)
    world.sync("Team A", "Team B")
    later(world)
    world.sync("Team A", "Team B")
    assert held(world, "Team B") == ids(1)
    healthy(world)


def test_an_old_copy_started_without_restore_is_stopped_and_convicts_nobody() -> None:
    world = two()
    later(world)
    world.sync("Team A", "Team B")
    copy = copied(world, "Team A")
    later(world)
    world.sync("Team A", "Team B")
    world.nodes["Team A"] = replace(world.nodes["Team A"], store=copy)
    a, b = NodeSide(world.nodes["Team A"]), NodeSide(world.nodes["Team B"])
    greeting = b.greeting(a.party)
    world.shift["Team A"] = (
        -2 * MINUTE
    )  # its clock stands near where the copy was made: it knows fewer ticks than B has seen
    with pytest.raises(LogFault) as fault:
        a.take_greeting(b.party, greeting)
    assert fault.value.code == "log-rolled-back"


def test_a_life_that_ended_is_not_listened_to_any_more(lost: World) -> None:
    a, b = (lost.nodes[name] for name in ("Team A", "Team B"))
    lost.sync("Team A", "Team B")
    now = NodeSide(a).greeting(b.party)
    with pytest.raises(LogFault) as fault:
        NodeSide(b).take_greeting(a.party, replace(now, incarnation=1, checkpoint=None, consistency=None))
    assert fault.value.code == "log-rolled-back"


def test_a_peer_that_boasts_of_a_million_rows_is_asked_to_explain(lost: World) -> None:
    a, b = (lost.nodes[name] for name in ("Team A", "Team B"))
    greeting = NodeSide(b).greeting(a.party)
    with pytest.raises(RequestRefused) as fault:
        NodeSide(a).take_greeting(b.party, replace(greeting, have_objects=1 << 30))
    assert fault.value.code == "stream-cursor"
    lost.sync("Team A", "Team B")
    healthy(lost)


def test_a_node_that_was_not_restored_believes_no_cursor_beyond_its_own() -> None:
    world = two()
    a, b = (world.nodes[name] for name in ("Team A", "Team B"))
    greeting = NodeSide(b).greeting(a.party)
    with pytest.raises(RequestRefused) as fault:
        NodeSide(a).take_greeting(b.party, replace(greeting, have_objects=5))
    assert fault.value.code == "stream-cursor"


def test_a_gap_in_somebody_elses_log_is_not_believed(lost: World) -> None:
    a, b = (lost.nodes[name] for name in ("Team A", "Team B"))
    with a.store.read() as tx:
        row = tx.last(ControlRow, "n", party=b.party)
        item = tx.get(ControlRow, b.party, row)
        assert item is not None and item.kind == "restore"
    import msgspec

    gap = msgspec.json.decode(msgspec.json.decode(item.body)["paper"])
    for change in (
        {"origin": log_facts_of(lost, "Team B").origin},
        {"next": gap["origin"]},
        {"first": gap["first"] + 1},
        {"first": gap["end"] + 5},
        {"checkpoint": None},
        {"period": 0},
    ):
        with pytest.raises(SealBroken), deed(b) as work:
            note_restore(work, a.party, {**gap, **change}, gap["next"])
    with pytest.raises(SealBroken), deed(b) as work:
        note_restore(work, a.party, gap, gap["origin"])


def test_packs_carry_nothing_until_the_other_side_said_how_far_it_is(lost: World) -> None:
    a, b = (lost.nodes[name] for name in ("Team A", "Team B"))
    lost.take("Team A", indicator(4), **STATED)
    for number, data in enumerate(list(turns_for(a, b.party))):
        take_turn(b, a.party, data, pack=f"first-{number}")
    assert held(lost, "Team B") == ids(1, 2, 3, 11)
    for number, data in enumerate(list(turns_for(b, a.party))):
        take_turn(a, b.party, data, pack=f"second-{number}")
    assert held(lost, "Team A") == ids(1, 4, 11)
    for number, data in enumerate(list(turns_for(a, b.party))):
        take_turn(b, a.party, data, pack=f"third-{number}")
    assert held(lost, "Team B") == ids(1, 2, 3, 4, 11)
    healthy(lost)


def test_a_backup_of_a_restored_node_restores_again(lost: World) -> None:
    lost.sync("Team A", "Team B")
    lost.take("Team A", indicator(4), **STATED)
    lost.sync("Team A", "Team B")
    later(lost)
    lost.sync("Team A", "Team B")
    backup = copied(lost, "Team A")
    lost.take("Team A", indicator(5), **STATED)
    lost.sync("Team A", "Team B")
    later(lost)
    restore(lost, "Team A", backup)
    lost.take("Team A", indicator(6), **STATED)
    lost.sync("Team A", "Team B")
    assert held(lost, "Team B") == ids(1, 2, 3, 4, 5, 6, 11)
    a, b = (lost.nodes[name] for name in ("Team A", "Team B"))
    assert bundle_given(a, str(indicator(1)["id"]), b.party)
    assert bundle_given(a, str(indicator(4)["id"]), b.party)
    healthy(lost)


def test_a_restore_that_was_cut_off_leaves_no_node_that_runs(tmp_path: Path) -> None:
    from comity.adapters.folder import finish_restore, need_whole, restore_home

    backup, folder = tmp_path / "backup", tmp_path / "home"
    (backup / "keys").mkdir(parents=True)
    (backup / "comity.db").touch()
    restore_home(backup, folder)
    with pytest.raises(NotAllowed) as refused:
        need_whole(folder)
    assert refused.value.code == "restore-unfinished"
    finish_restore(folder)
    need_whole(folder)


def test_a_file_of_a_database_restores_as_well(tmp_path: Path) -> None:
    world = World(make_store=lambda name: open_store(f"sqlite:///{tmp_path / name.replace(' ', '-')}.db"))
    for name, country in (("Team A", "XA"), ("Team B", "XB")):
        world.node(name, country=country)
    world.introduce("Team A", "Team B")
    world.bilateral("Team A", "Team B")
    world.take("Team A", indicator(1), **STATED)
    world.sync("Team A", "Team B")
    later(world)
    world.sync("Team A", "Team B")
    backup = tmp_path / "backup.db"
    world.nodes["Team A"].store.backup(backup)  # type: ignore[attr-defined]
    world.take("Team A", indicator(2), **STATED)
    world.take("Team B", indicator(11), **STATED)
    world.sync("Team A", "Team B")
    later(world)
    restore(world, "Team A", open_store(f"sqlite:///{backup}"))
    world.take("Team A", indicator(3), **STATED)
    world.sync("Team A", "Team B")
    later(world)
    world.sync("Team A", "Team B")
    assert held(world, "Team A") == ids(1, 3, 11)
    assert held(world, "Team B") == ids(1, 2, 3, 11)
    a, b = (world.nodes[name] for name in ("Team A", "Team B"))
    assert bundle_given(a, str(indicator(1)["id"]), b.party)
    healthy(world)
    for node in world.nodes.values():
        node.store.close()
