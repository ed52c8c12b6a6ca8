"""The life of our own card: other entries, a new key; the next card goes to everybody we have agreements with.

A rotation signs the next card with the present identity key (a new identity key signs too), sets an end to the old key,
and keeps what was signed before valid. The new key signs nothing until the card that lists it is kept. A new log key goes on with
the same log: a fork is two histories of one origin, whichever of its keys signed them (docs/formats/log.md, Keys).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final, cast

from comity.kernel.errors import NotAllowed
from comity.kernel.model.instants import HOUR, Instant
from comity.kernel.seal.cards import Card, CardKey, Use, make_card
from comity.kernel.seal.keys import SigningKey
from comity.node.agreements import receivers
from comity.node.context import Deed, Node
from comity.node.deeds import deed
from comity.node.papers import send_cards
from comity.node.parties import card_of, clients_of, keep_own_card, need_card, next_card
from comity.node.streams import resettle

ROTATED: Final = ("node", "identity", "log")
"""The uses of keys that can be rotated."""

OVERLAP: Final = HOUR
"""How long an old key stays good beside the new one, so that a node that runs can be started again with it."""


def change_card(node: Node, changes: Mapping[str, Any], *, officer: str) -> tuple[Card, list[str]]:
    """Sign our next card with these members changed; gives it and the parties it goes to.

    Raises:
        NotAllowed: `identity-offline`. SealBroken: `card-malformed` for what a card cannot say.
    """
    with deed(node, officer) as work:
        former = clients_of(work.tx, node.party)
        card = next_card(work, **changes)
        resettle(work, sorted(former.symmetric_difference(card.clients)))
        told = _tell(work)
        work.audit("card-set", {"serial": card.serial, "changed": sorted(changes)})
    return card, told


def rotate(node: Node, use: str, key: SigningKey, *, begins: Instant | None, officer: str) -> tuple[Card, list[str]]:
    """Put a new key of a use into our next card and end the one in use.

    Args:
        use: One of `ROTATED`.
        begins: From when the new key signs, so that the card can be everywhere by then; the old one stays good for `OVERLAP`
            longer. None: at once, for a key that was exposed; then nobody believes the new one before it has the card.

    Raises:
        NotAllowed: `identity-offline`.
    """
    if node.keys.identity is None:
        raise NotAllowed(
            "identity-offline", "The identity key is not in this folder; the card has to be signed where it is."
        )
    with deed(node, officer) as work:
        former = need_card(work.tx, node.party)
        since = work.at if begins is None else max(begins, work.at)
        end = since if begins is None else since + OVERLAP
        keys = tuple(replace(one, until=end) if one.use == use and one.until is None else one for one in former.keys)
        card = replace(
            former,
            keys=(*keys, CardKey(key.public, cast(Use, use), since)),
            serial=former.serial + 1,
            previous=former.digest,
            at=work.at,
            digest="",
            retired=(),
        )
        signers = [node.keys.identity, key] if use == "identity" else [node.keys.identity]
        card = keep_own_card(work, make_card(card, signers))
        told = _tell(work)
        work.audit("card-rotate", {"serial": card.serial, "use": use, "keyid": key.public.keyid, "since": since})
    return card, told


def _tell(work: Deed) -> list[str]:
    told = [one for one in receivers(work.tx, work.node.party) if card_of(work.tx, one) is not None]
    for party in told:
        send_cards(work, work.node.party, party)
    return told
