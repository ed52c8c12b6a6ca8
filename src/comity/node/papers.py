"""Handing papers over: an instrument goes to exactly the parties it names, each by an act of its own and a control item.

The act commits to the paper; its envelope, salt and promise travel with the item, so the receiver holds the proof.
"""

from __future__ import annotations

from hashlib import sha256
from typing import Any, Final

from comity.kernel.seal.canonical import canonical
from comity.kernel.store.rows import CardRow, ControlRow
from comity.node.context import Deed
from comity.node.record import promise, record

ACT_OF: Final = {
    "signature": "sign",
    "accession": "accede",
    "suspension": "suspend",
    "withdrawal": "withdraw",
    "epoch": "epoch",
    "renewal": "renew",
    "restore": "restore",
    "disposal": "dispose",
}
"""The kind of act under which each kind of paper goes; all others go as ``instrument``."""


def hand_over(
    deed: Deed,
    party: str,
    kind: str,
    agreement: str,
    paper: bytes,
    *,
    officer: str = "",
    reason: str = "",
    passed_on: bool = False,
) -> None:
    """Record the act towards one party and append the paper to its control stream.

    Args:
        kind: Kind of paper; also the kind of the control item.
        agreement: Digest of the agreement it belongs to; empty for a card.
        passed_on: The paper says what was done before, by us or by others; the act is then only that it was handed over.
    """
    act = record(
        deed,
        "instrument" if passed_on else ACT_OF.get(kind, "instrument"),
        party,
        {"paper": sha256(paper).hexdigest(), "kind": kind, "agreement": agreement},
        officers=[officer] if officer else (),
        reason=reason,
    )
    body = {
        "agreement": agreement,
        "paper": paper.decode(),
        "act": act.envelope.decode(),
        "salt": act.salt.hex(),
        "promise": promise(deed.node, deed.tx, act).decode(),
    }
    append_control(deed, party, kind, body)


def append_control(deed: Deed, party: str, kind: str, body: Any) -> int:
    """Append a message to a party's control stream; gives its n."""
    n = (deed.tx.last(ControlRow, "n", party=party) or 0) + 1
    deed.tx.add([ControlRow(party, n, kind, canonical(body), deed.at)])
    return n


def send_cards(deed: Deed, about: str, to: str) -> None:
    """Hand the cards of one party to another, as an instrument."""
    cards = [row.envelope.decode() for row in deed.tx.find(CardRow, party=about)]
    if cards:
        hand_over(deed, to, "card", "", canonical(cards))
