"""Clients of a member: parties without a node to whom a clause with ``onward = "clients"`` lets it pass on what it was given."""

from __future__ import annotations

from comity.kernel.release.templates import bilateral
from comity.node.cardlife import change_card
from comity.node.readers import add_plain_reader, standing_after
from comity.node.why import why
from simulators.world import World, indicator

CLEAR = {"tlp": "clear", "basis": ["agreement"], "purpose": ["protect-networks"], "caveats": []}


def relay() -> tuple[World, str]:
    """Team A gives to Team B, which may pass on to its clients; Acme reads at Team B."""
    world = World()
    world.node("Team A")
    world.node("Team B", country="XB")
    world.introduce("Team A", "Team B")
    text = bilateral(world.parties("Team A", "Team B"), enters_into_force=world.at)
    duty = '[[clause.duty]]\ndo     = "receipt"\nwithin = "PT24H"\n'
    assert duty in text
    world.agree(text.replace(duty, "").replace('onward     = "none"', 'onward     = "clients"'), "Team A", "Team B")
    row, _ = add_plain_reader(world.nodes["Team B"], "Acme", kind="company", country="XB", officer="officer-1")
    return world, row.id


def reads(world: World, client: str) -> int:
    with world.nodes["Team B"].store.read() as tx:
        return len(standing_after(tx, client, 0, 1_000)[1])


def serve(world: World, *clients: str) -> None:
    change_card(world.nodes["Team B"], {"clients": clients}, officer="officer-1")


def test_a_client_gets_what_came_before_and_after_it_was_listed_and_nothing_before_that() -> None:
    world, acme = relay()
    world.take("Team A", indicator(1), indicator(2), **CLEAR)
    world.sync("Team A", "Team B")
    assert reads(world, acme) == 0
    serve(world, acme)
    assert reads(world, acme) == 2
    world.take("Team A", indicator(3), **CLEAR)
    world.sync("Team A", "Team B")
    assert reads(world, acme) == 3
    for number in (1, 2, 3):
        assert "goes to Acme" in why(world.nodes["Team B"], str(indicator(number)["id"]), "Acme").sentence


def test_a_client_that_is_listed_no_more_gets_nothing_more() -> None:
    world, acme = relay()
    serve(world, acme)
    world.take("Team A", indicator(1), **CLEAR)
    world.sync("Team A", "Team B")
    assert reads(world, acme) == 1
    serve(world)
    world.take("Team A", indicator(2), **CLEAR)
    world.sync("Team A", "Team B")
    assert reads(world, acme) == 0


def test_what_we_took_in_ourselves_does_not_go_to_a_client_without_a_clause() -> None:
    world, acme = relay()
    serve(world, acme)
    world.take("Team B", indicator(1), **CLEAR)
    assert reads(world, acme) == 0
