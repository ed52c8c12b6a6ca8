"""Introductions: taking in a party's card, and recording that an officer compared its fingerprint out of band."""

from __future__ import annotations

from dataclasses import replace

from comity.kernel.errors import NotAllowed
from comity.kernel.seal.canonical import canonical
from comity.kernel.seal.cards import Card
from comity.kernel.store.rows import Party
from comity.node.context import Node
from comity.node.deeds import deed
from comity.node.parties import read_card_file, resolve_party
from comity.node.streams import heed_cards, resettle


def add_card(node: Node, data: bytes, *, by: str = "") -> Card:
    """Keep a party's card from a file; it counts for nothing until it is verified.

    Raises:
        InputRefused: `card-file`. SealBroken: as `take_cards`.
    """
    with deed(node, by) as work:
        return heed_cards(work, read_card_file(data))


def verify_card(node: Node, party: str, *, fingerprint: str, method: str, officer: str) -> Party:
    """Record that an officer compared the fingerprint with the party itself, by a means that is named.

    Args:
        fingerprint: Six groups of five digits as read by the other side; spaces and dashes do not matter.

    Raises:
        NotAllowed: `fingerprint-differs`.
    """
    with deed(node, officer) as work:
        row = resolve_party(work.tx, party)
        said, ours = (("".join(c for c in text if c.isdigit())) for text in (fingerprint, row.fingerprint))
        if said != ours:
            raise NotAllowed(
                "fingerprint-differs",
                f"The fingerprint you were told is not that of the card of {row.name}; do not trust this card and ask again.",
                party=row.id,
            )
        how = canonical({"method": method, "officer": officer, "at": work.at})
        row = replace(row, verified=how)
        work.tx.put(row)
        work.audit("card-verify", {"party": row.id, "method": method})
        resettle(work, [row.id])
    return row
