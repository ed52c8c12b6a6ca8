"""Restoring: a node that comes back from a backup opens the next incarnation of its log and says so, instead of forking.

Its signed act names the last checkpoint the backup knows and the gap; promises made inside it read `lost at restore` elsewhere,
and convict nobody.
"""

from __future__ import annotations

from dataclasses import replace

from comity.kernel.model.instants import format
from comity.kernel.seal.canonical import canonical
from comity.kernel.store.rows import ActRow, Tile
from comity.node.agreements import receivers
from comity.node.context import Deed, Node, put_setting, read_setting
from comity.node.papers import hand_over
from comity.node.record import LogFacts, log_facts, newest_checkpoint, open_log


def reopen(node: Node) -> LogFacts:
    """Open the next incarnation: a fresh log, and word of the gap to every party we exchange with."""
    with node.store.write() as tx:
        at = max(node.clock(), read_setting(tx, "clock", 0))
        work = Deed(node, tx, at)
        put_setting(tx, "clock", at)
        old = log_facts(tx)
        last = newest_checkpoint(tx)
        size: int = read_setting(tx, "log-size", 0)
        put_setting(tx, f"closed/{old.origin}", {"size": size, "at": at})
        for tile in list(tx.find(Tile)):
            tx.remove(Tile, tile.level, tile.index)
        _keep_acts_apart(work, old)
        facts = open_log(work, period=old.period, incarnation=old.incarnation + 1)
        gap = {
            "origin": old.origin,
            "first": size,
            "end": max(size, (at - old.origin_at) // old.period + 1),
            "checkpoint": None if last is None else last.note.decode(),
            "at": format(at),
            "next": facts.origin,
        }
        for party in receivers(tx, node.party):
            hand_over(work, party, "restore", "", canonical(gap))
        work.audit("restore", gap)
    return facts


def _keep_acts_apart(work: Deed, old: LogFacts) -> None:
    """Acts of the ended life keep their envelopes; their places belonged to a log that is closed."""
    for row in list(work.tx.find(ActRow)):
        work.tx.put(replace(row, tick=-1 - row.tick - (old.incarnation << 32)))
