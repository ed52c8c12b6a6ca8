"""A node comes back from a backup, and a partner to whom only packs go, from whom nothing comes, is served again."""

from __future__ import annotations

import pytest

from comity.kernel.errors import NotAllowed, RequestRefused, Usage
from comity.kernel.release.handling import Handling
from comity.kernel.store.rows import Holding
from comity.node.contact import take_turn, turns_for
from comity.node.handling import set_handling
from comity.node.restoring import resume
from comity.node.telling import peers
from node.test_restoring import STATED, copied, healthy, held, ids, later, restore, two
from simulators.world import World, indicator


def carry(world: World, sender: str, to: str, name: str) -> None:
    """A pack from the one to the other; nothing comes back."""
    turns = list(turns_for(world.nodes[sender], world.nodes[to].party))
    for number, turn in enumerate(turns):
        take_turn(world.nodes[to], world.nodes[sender].party, turn, pack=f"{name}/{number}")


def lost() -> World:
    world = two()
    world.take("Team A", indicator(1), **STATED)
    carry(world, "Team A", "Team B", "first")
    later(world)
    backup = copied(world, "Team A")
    world.take("Team A", indicator(2), **STATED)
    carry(world, "Team A", "Team B", "second")
    later(world)
    restore(world, "Team A", backup)
    return world


def reached(world: World) -> tuple[int, int]:
    """What Team B's officer reads there: papers and rows it has taken from Team A."""
    b = world.nodes["Team B"]
    with b.store.read() as tx:
        (row,) = peers(tx, b.party)
    return row["papers"], row["taken"]


@pytest.mark.parametrize("beyond", [0, 7])
def test_a_party_that_only_takes_packs_is_served_again_by_the_word_of_its_officer(beyond: int) -> None:
    world = lost()
    world.take("Team A", indicator(3), **STATED)
    carry(world, "Team A", "Team B", "silent")
    assert held(world, "Team B") == ids(1, 2)  # nothing goes to who may be further than we know
    items, rows = reached(world)
    assert rows == 2
    resume(world.nodes["Team A"], "Team B", items=items + beyond, rows=rows + beyond, officer="officer-1")
    carry(world, "Team A", "Team B", "third")
    assert held(world, "Team B") == ids(1, 2, 3)
    world.take("Team A", indicator(4), **STATED)
    carry(world, "Team A", "Team B", "fourth")
    assert held(world, "Team B") == ids(1, 2, 3, 4)
    set_handling(world.nodes["Team A"], str(indicator(3)["id"]), Handling(tlp="red"), officer="officer-1")
    carry(world, "Team A", "Team B", "fifth")
    assert held(world, "Team B") == ids(1, 2, 4)
    healthy(world)
    later(world)
    world.sync("Team A", "Team B")  # and when they meet after all
    assert held(world, "Team B") == ids(1, 2, 4)
    later(world)
    world.sync("Team A", "Team B")
    healthy(world)


def test_a_word_is_taken_only_where_one_is_waited_for_and_only_one_that_can_be() -> None:
    world = lost()
    a = world.nodes["Team A"]
    with pytest.raises(Usage):
        resume(a, "Team B", items=-1, rows=0, officer="officer-1")
    with pytest.raises(RequestRefused):
        resume(a, "Team B", items=0, rows=1 << 30, officer="officer-1")
    items, rows = reached(world)
    resume(a, "Team B", items=items, rows=rows, officer="officer-1")
    with pytest.raises(NotAllowed):
        resume(a, "Team B", items=items, rows=rows, officer="officer-1")
    with pytest.raises(NotAllowed):
        resume(world.nodes["Team B"], "Team A", items=0, rows=0, officer="officer-1")


def test_what_a_node_gave_after_its_backup_and_gives_again_stands_twice_and_the_first_cannot_be_taken_back() -> None:
    """A limit that docs/threat-model.md names: the seal was lost with the rest, so what goes again is another version."""
    world = lost()
    items, rows = reached(world)
    resume(world.nodes["Team A"], "Team B", items=items, rows=rows, officer="officer-1")
    world.take("Team A", indicator(2), **STATED)
    carry(world, "Team A", "Team B", "again")
    assert standing(world) == 2
    set_handling(world.nodes["Team A"], str(indicator(2)["id"]), Handling(tlp="red"), officer="officer-1")
    carry(world, "Team A", "Team B", "back")
    assert standing(world) == 1
    healthy(world)


def standing(world: World) -> int:
    """Holdings of the second object at Team B, each of a version of its own."""
    with world.nodes["Team B"].store.read() as tx:
        found = [row for row in tx.find(Holding, object=str(indicator(2)["id"])) if row.ended is None]
    assert len({row.version for row in found}) == len(found)
    return len(found)
