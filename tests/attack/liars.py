"""A peer that lies: it owns its keys, so whatever it changes it signs again; only what others signed it cannot make."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from comity.kernel.exchange.messages import ControlItem, ControlPage, ObjectItem, Page
from comity.kernel.seal.canonical import canonical
from comity.kernel.seal.commitment import EVERYTHING, disclosure
from comity.kernel.seal.dsse import unverified_body
from comity.kernel.seal.seals import seal
from comity.kernel.store.rows import AgreementRow, Audit, Evidence, Holding, Received
from comity.kernel.tlog.acts import act_digest, make_act, read_act
from comity.kernel.tlog.promises import Promise, make_promise, read_promise
from comity.kernel.tlog.rows import page_root
from comity.node.context import Node
from comity.node.exchange import NodeSide, peer_row
from simulators.world import World, indicator

STATED = {"tlp": "green", "basis": ["agreement"], "purpose": ["protect-networks"], "caveats": []}


def teams(*names: str) -> World:
    """Teams that have compared their cards."""
    world = World()
    for name, country in zip(names, ("XA", "XB", "XC", "XD"), strict=False):
        world.node(name, country=country)
    world.introduce(*names)
    return world


def page_of(world: World, sender: str, to: str, after: int = 0) -> Page:
    """The page a team has for another."""
    page = NodeSide(world.nodes[sender]).page_after(world.nodes[to].party, after)
    assert page is not None
    return page


def signed_again(node: Node, page: Page, items: tuple[ObjectItem, ...], *, place: int | None = None) -> Page:
    """A page with other rows, under an act and a promise that the liar signs anew."""
    changed = replace(page, items=items, first=items[0].n, last=items[-1].n)
    act = read_act(unverified_body(page.act, "act")[0])
    envelope = make_act(replace(act, body={"page": page_root(changed.rows(), page.secret).hex()}), node.keys.node)
    promised = read_promise(unverified_body(page.promise, "promise")[0])
    there = (promised.place + 1) % 4096 if place is None else place
    promise = make_promise(Promise(act_digest(envelope), promised.origin, promised.tick, there), node.keys.log)
    return replace(changed, act=envelope, promise=promise)


def place_of(page: Page) -> Promise:
    """What a page's promise says."""
    return read_promise(unverified_body(page.promise, "promise")[0])


def sealed_by(node: Node, data: Mapping[str, Any], *, role: str = "origin", at: int = 0) -> tuple[str, bytes, bytes]:
    """(digest, envelope, disclosure) of a seal the liar makes over anything, in any role."""
    made = seal(data, seed=b"\x07" * 32, role=role, party=node.party, key=node.keys.node, at=at or node.clock())  # type: ignore[arg-type]
    return made.commitment.digest.hex(), made.envelope, canonical(disclosure(made.commitment, EVERYTHING))


def carrying(item: ObjectItem, data: Mapping[str, Any], sealing: tuple[str, bytes, bytes]) -> ObjectItem:
    """A row that carries this object under this seal."""
    digest, envelope, opened = sealing
    return replace(item, object=str(data["id"]), digest=digest, raw=canonical(data), seal=envelope, disclosure=opened)


def held(world: World, name: str) -> set[str]:
    """Ids of what a team holds."""
    with world.nodes[name].store.read() as tx:
        return {row.object for row in tx.find(Holding) if row.ended is None}


def from_others(world: World, name: str) -> list[Holding]:
    """What a team holds that came from others."""
    with world.nodes[name].store.read() as tx:
        return [row for row in tx.find(Holding, ended=None) if row.custodian != world.nodes[name].party]


def refusals(world: World, name: str) -> dict[int, str | None]:
    """Codes of the rows a team took or refused, by n."""
    with world.nodes[name].store.read() as tx:
        return {row.n: row.code for row in tx.find(Received)}


def evidence(world: World, name: str) -> list[Evidence]:
    """What convicts somebody at a team."""
    with world.nodes[name].store.read() as tx:
        return list(tx.find(Evidence))


def noted(world: World, name: str, deed: str) -> list[dict[str, Any]]:
    """Details of audit rows of a deed."""
    with world.nodes[name].store.read() as tx:
        return [json.loads(row.detail) for row in tx.find(Audit) if row.deed == deed]


def form_of(world: World, name: str, digest: str) -> bytes:
    """The signed form of an agreement."""
    with world.nodes[name].store.read() as tx:
        row = tx.get(AgreementRow, digest)
    assert row is not None
    return row.form


def control(*items: tuple[int, str, bytes]) -> ControlPage:
    """A page of control items."""
    return ControlPage(tuple(ControlItem(n, kind, body) for n, kind, body in items), more=False)


def told(world: World, sender: str, to: str) -> int:
    """How many items of the sender's control stream a team has taken."""
    with world.nodes[to].store.read() as tx:
        return peer_row(tx, world.nodes[sender].party).control


__all__ = ["indicator"]
