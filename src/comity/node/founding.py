"""Founding a node: its party, its card, its log. Done once; a folder that holds a node is left as it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from comity.kernel.errors import NotAllowed
from comity.kernel.model.instants import Instant
from comity.kernel.seal.cards import Card, Endpoint
from comity.kernel.store.rows import Setting
from comity.node.context import Deed, Node, put_setting
from comity.node.parties import first_card
from comity.node.record import PERIOD, open_log


def found(
    node: Node,
    *,
    name: str,
    kind: str,
    country: str,
    endpoints: Sequence[Endpoint] = (),
    contacts: Sequence[Mapping[str, Any]] = (),
    offices: Sequence[str] = ("duty-officer",),
    identities: Sequence[str] = (),
    languages: Sequence[str] = ("en",),
    box: bytes | None = None,
    period: int = PERIOD,
) -> Card:
    """Write the first facts of a node: party id, card, the beginning of its log.

    Args:
        period: Length of a tick of the log, microseconds.
        box: Our X25519 public key for packs carried by hand.

    Raises:
        NotAllowed: `already-done` when the folder already holds a node.
    """
    with node.store.write() as tx:
        if tx.get(Setting, "party") is not None:
            raise NotAllowed("already-done", "This folder already holds a node; take another folder with --home.")
        at: Instant = node.clock()
        work = Deed(node, tx, at)
        put_setting(tx, "party", node.party)
        put_setting(tx, "clock", at)
        put_setting(tx, "advanced", at)
        facts = open_log(work, period=period, incarnation=1)
        card = first_card(
            work,
            name=name,
            kind=kind,
            country=country,
            endpoints=endpoints,
            contacts=contacts,
            offices=offices,
            identities=identities,
            languages=languages,
            box=box,
            log={"origin_at": facts.origin_at, "period": facts.period},
        )
        work.audit("init", {"party": card.party, "name": name, "kind": kind, "country": country})
    return card
