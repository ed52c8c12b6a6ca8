"""A rehearsal tells what the deed then does, and leaves nothing behind."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from comity.adapters.sql import open_store
from comity.kernel.errors import NotAllowed
from comity.kernel.release.handling import Handling
from comity.kernel.store.rows import TABLES, AgreementRow, Holding
from comity.node.context import Node
from comity.node.deeds import deed
from comity.node.instruments import suspend
from comity.node.minting import mint as minted
from comity.node.rehearsal import Effect, rehearse
from simulators.world import SECOND, World, indicator, malware, relationship

A, B, C = "Team A", "Team B", "Team C"
FREE = Handling(
    tlp="green", caveats=frozenset(), basis=frozenset(["agreement"]), purpose=frozenset(["protect-networks"])
)


@pytest.fixture(params=["memory", "sqlite"])
def world(request: pytest.FixtureRequest, tmp_path: Path) -> World:
    made = World()
    if request.param == "sqlite":
        made = World(make_store=lambda name: open_store(f"sqlite:///{tmp_path}/{name}.db"))
    for name in (A, B, C):
        made.node(name)
    made.introduce(A, B, C)
    made.community(A, B, C)
    made.at += SECOND
    return made


def everything(node: Node) -> dict[str, list[Any]]:
    with node.store.read() as tx:
        return {table.name: list(tx.find(kind)) for kind, table in TABLES.items()}


def mint(node: Node) -> list[str]:
    link = relationship(1, str(indicator(1)["id"]), str(malware(1)["id"]))
    objects = [{**one, "created_by_ref": node.party} for one in (link, indicator(1), malware(1))]
    with deed(node, "officer-1") as work:
        return [one.id for one in minted(work, objects, FREE, name="contact add")]


def test_what_is_told_is_what_then_happens_and_until_then_nothing_does(world: World) -> None:
    node = world.nodes[A]
    before = everything(node)
    told, effects = rehearse(node, mint)
    assert everything(node) == before
    assert {one.name for one in effects} == {B, C}
    assert all(sorted(shown for shown, _, _ in one.shown) == sorted(told) for one in effects)
    assert mint(node) == told
    world.sync(A, B, C)
    for name in (B, C):
        with world.nodes[name].store.read() as tx:
            assert {row.object for row in tx.find(Holding, custodian=node.party, ended=None)} == set(told)


def test_who_loses_something_and_who_is_handed_a_paper_is_told(world: World) -> None:
    node = world.nodes[A]
    mint(node)
    world.sync(A, B, C)
    with node.store.read() as tx:
        digest = next(tx.find(AgreementRow)).digest
    before = everything(node)
    _, effects = rehearse(node, lambda stage: suspend(stage, digest, since=None, until=None, officer="officer-1"))
    assert everything(node) == before
    assert {(one.name, one.papers, one.shown) for one in effects} == {
        (B, ("suspension",), ()),
        (C, ("suspension",), ()),
    }
    assert "is handed suspension" in effects[0].sentence


def test_a_deed_that_fails_in_rehearsal_says_why_and_leaves_nothing(world: World) -> None:
    node = world.nodes[A]
    before = everything(node)

    def fails(stage: Node) -> None:
        mint(stage)
        raise NotAllowed("not-ours", "It is not ours.")

    with pytest.raises(NotAllowed):
        rehearse(node, fails)
    assert everything(node) == before
    with deed(node):
        pass  # the one writer is free again


def test_an_effect_without_anything_is_no_effect(world: World) -> None:
    _, effects = rehearse(world.nodes[A], lambda stage: None)
    assert effects == ()
    assert Effect("x", "X", (), ("y",), ()).sentence == "X loses y."
