"""Nonces of signed requests: each is good once, and what was used is on disk before the request is acted on.

A nonce is kept until the request would be refused for its time anyway; so a replay finds it after kill -9 too
(docs/formats/exchange.md, Signed requests).
"""

from __future__ import annotations

from itertools import takewhile
from typing import Final

from comity.kernel.model.instants import Instant
from comity.kernel.store.rows import Nonce
from comity.node.context import Node

FORGOTTEN_AT_ONCE: Final = 256
"""Nonces whose time is over that one request clears away; so the table stays about as large as a minute's traffic."""


def use_nonce(node: Node, keyid: str, nonce: str, until: Instant) -> bool:
    """Note a nonce durably until an instant; True if it was noted before, and then nothing changes.

    Raises:
        Unavailable: `store-busy`, `store-full`.
    """
    with node.store.write() as tx:
        if tx.get(Nonce, keyid, nonce) is not None:
            return True
        now = node.clock()
        oldest = list(tx.find(Nonce, order=("expires",), limit=FORGOTTEN_AT_ONCE))
        for row in takewhile(lambda row: row.expires < now, oldest):
            tx.remove(Nonce, row.keyid, row.nonce)
        tx.add([Nonce(keyid, nonce, until)])
    return False
