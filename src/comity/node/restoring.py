"""Restoring: a node that comes back from a backup opens the next incarnation of its log and says so, instead of forking.

What it did after the backup it does not know; others may. So nothing goes to a party before it has said how far it is (`align`):
our streams towards it go on behind what it has, what stands between is filled with rows that say ``withdrawn`` and items that say
``lost``, and what was appended meanwhile moves behind them. Promises made inside the gap read `lost at restore` elsewhere and
convict nobody (`note_restore`). Acts of the ended life keep their tiles, so all that was in its last checkpoint stays provable.

What was appointed to be published waits for an officer's word again: whether it went out after the backup is not known here.

Lost for good: what was taken in, decided, signed and released after the backup, as far as no peer sends it again (what peers
delivered to us, they deliver again); the account of it; the proofs of acts whose tick was not over at the backup
(docs/formats/log.md, Restore).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from comity.kernel.errors import InputRefused, LogFault, NotAllowed, RequestRefused, SealBroken, Usage
from comity.kernel.exchange.messages import Greeting
from comity.kernel.model.instants import MINUTE, format, parse
from comity.kernel.seal.canonical import canonical
from comity.kernel.store.ports import Reading
from comity.kernel.store.rows import ActRow, CardRow, ControlRow, Delivery, Party, Peer, Setting, StreamRow, Tile
from comity.kernel.tlog.checkpoint import open_by_any, parse_origin, raw_key, read_checkpoint
from comity.node.agreements import receivers
from comity.node.context import Deed, Node, put_setting, read_setting
from comity.node.deeds import deed
from comity.node.gossip import note_checkpoint
from comity.node.papers import append_control, hand_over
from comity.node.parties import name_of, need_card, resolve_party
from comity.node.publishing import fall_back
from comity.node.record import (
    LogFacts,
    closed_level,
    closed_tick,
    log_facts,
    newest_checkpoint,
    open_log,
    standing_of,
)
from comity.node.streams import delivered_to

FILLED_AT_MOST: Final = 1 << 20
"""Rows a peer may say it has beyond what the backup knows; more is not believed without an officer's look."""

MOST_INCARNATIONS: Final = 999_999_999


def reopen(node: Node) -> LogFacts:
    """Open the next incarnation: a fresh log, and word of the gap to every party we know.

    The number grows by one and by the minutes the ended life has lasted: whoever restores one backup twice, or an older one after
    a younger one, opens another life each time and cannot sign two histories of one.
    """
    with node.store.write() as tx:
        at = max(node.clock(), read_setting(tx, "clock", 0))
        work = Deed(node, tx, at)
        put_setting(tx, "clock", at)
        old = log_facts(tx)
        last = newest_checkpoint(tx)
        size: int = read_setting(tx, "log-size", 0)
        put_setting(
            tx, f"closed/{old.origin}", {"size": size, "at": at, "origin_at": old.origin_at, "period": old.period}
        )
        _close_life(work, old)
        incarnation = min(old.incarnation + 1 + (at - old.origin_at) // MINUTE, MOST_INCARNATIONS)
        facts = open_log(work, period=old.period, incarnation=incarnation)
        gap = {
            "form": 1,
            "origin": old.origin,
            "first": size,
            "end": max(size, (at - old.origin_at) // old.period + 1),
            "checkpoint": None if last is None else last.note.decode(),
            "at": format(at),
            "next": facts.origin,
            "origin_at": format(facts.origin_at),
            "period": facts.period,
        }
        for party in _partners(tx, node.party):
            if read_setting(tx, f"unaligned/{party}") is None:
                control, objects = _ends(tx, party)
                put_setting(tx, f"unaligned/{party}", {"control": control, "objects": objects})
            hand_over(work, party, "restore", "", canonical(gap))
        fall_back(work)
        work.audit("restore", gap)
    return facts


def _partners(tx: Reading, us: str) -> list[str]:
    """Every party that may hold rows or items of ours: those of our agreements, those with a card, those we spoke with."""
    with_card = {row.party for row in tx.find(CardRow)}
    found = {*receivers(tx, us), *(row.party for row in tx.find(Peer)), *with_card}
    return sorted(row.id for row in tx.find(Party) if row.id in found and row.id in with_card and row.id != us)


def _ends(tx: Reading, party: str) -> tuple[int, int]:
    return tx.last(ControlRow, "n", party=party) or 0, tx.last(StreamRow, "n", party=party) or 0


def _close_life(work: Deed, old: LogFacts) -> None:
    """Acts and tiles of the ended life stay, under ticks and levels of their own; the next life counts from 0 and 1."""
    for tile in [one for one in work.tx.find(Tile) if one.level < closed_level(0, 1)]:
        work.tx.remove(Tile, tile.level, tile.index)
        work.tx.put(replace(tile, level=closed_level(tile.level, old.incarnation)))
    for row in [one for one in work.tx.find(ActRow) if one.tick >= 0]:
        work.tx.put(replace(row, tick=closed_tick(row.tick, old.incarnation), seq=-row.seq))


# --- our streams after a restore of ours


def waits(tx: Reading, peer: str) -> bool:
    """Whether the peer has to say first how far it is: since our restore it has not."""
    return read_setting(tx, f"unaligned/{peer}") is not None


def begin_stream(work: Deed, peer: str) -> None:
    """Note that a party which the backup did not know gets our streams of this life from their beginning (a pack by hand)."""
    facts = log_facts(work.tx)
    if facts.incarnation > 1 and not waits(work.tx, peer):
        put_setting(work.tx, f"aligned/{peer}", facts.origin)


def resume(node: Node, text: str, *, items: int, rows: int, officer: str) -> dict[str, Any]:
    """Once after a restore: go on with a party from which nothing comes back, by an officer's word of how far it is.

    Its own officer reads both numbers from `comity peer list` there and says them by another road. More than it has does no harm, it
    is told that the rows between were withdrawn; of what is less, it passes over the next ones as known, in silence.

    Args:
        text: The party, id or name.
        items, rows: How many items of our control stream and rows of our objects stream it has taken.

    Returns:
        {party, name, items, rows}.

    Raises:
        NotAllowed: `already-done` where nothing waits for its word. NotFound: `no-such-party`. RequestRefused: `stream-cursor`.
        Usage: `request-parameter` for a number below 0.
    """
    if min(items, rows) < 0:
        raise Usage("request-parameter", "The numbers of items and rows that a party has taken are 0 or more.")
    with deed(node, officer) as work:
        row = resolve_party(work.tx, text)
        if not waits(work.tx, row.id):
            raise NotAllowed(
                "already-done", f"We know how far {row.name} is; what is due to it goes with the next contact or pack."
            )
        before = work.tx.get(Peer, row.id)
        align(work, row.id, items, rows)
        if before is not None:  # what goes next begins where it would have: a word that is too high leaves no gap
            work.tx.put(before)
        work.audit("peer-resume", {"party": row.id, "items": items, "rows": rows})
    return {"party": row.id, "name": row.name, "items": items, "rows": rows}


def align(work: Deed, peer: str, have_control: int, have_objects: int) -> None:
    """Once after a restore: let our streams towards a peer go on behind what it has of the life that ended.

    Args:
        have_control, have_objects: The n up to which the peer says it has our streams.

    Raises:
        RequestRefused: `stream-cursor` where it says it has more than can be believed.
    """
    tx, facts = work.tx, log_facts(work.tx)
    if facts.incarnation == 1:
        return
    base = read_setting(tx, f"unaligned/{peer}")
    if base is None:
        if read_setting(tx, f"aligned/{peer}") == facts.origin:
            return
        base = {"control": 0, "objects": 0}  # met after the backup, or never before
    lost_control, lost_objects = have_control - base["control"], have_objects - base["objects"]
    if max(lost_control, lost_objects) > FILLED_AT_MOST:
        raise RequestRefused(
            "stream-cursor",
            f"The peer says it has row {have_objects} and item {have_control}, which is more than {FILLED_AT_MOST:,} beyond "
            "our backup; ask its officer, or restore a younger backup.",
        )
    delivered = delivered_to(tx, peer)
    if lost_control > 0:
        _move_control(work, peer, base["control"], lost_control)
    if lost_objects > 0:
        _move_objects(work, peer, base["objects"], lost_objects)
    _forget_undelivered(work, peer, have_objects)
    put_setting(tx, f"reached/{peer}", have_objects)
    for row in list(tx.find(StreamRow, party=peer, order=("n",), after=(delivered,))):
        if row.n > min(base["objects"], have_objects):
            break
        if row.ended == row.n:  # taken back here as not yet delivered; it was
            append_control(work, peer, "tombstone", {"n": row.n})
    cursors = tx.get(Peer, peer)
    if cursors is not None and lost_objects > 0 and cursors.receipted >= base["objects"]:
        tx.put(replace(cursors, receipted=have_objects))
    tx.remove(Setting, f"unaligned/{peer}")
    put_setting(tx, f"aligned/{peer}", facts.origin)
    if lost_control > 0 or lost_objects > 0:
        work.audit("align", {"party": peer, "control": max(0, lost_control), "objects": max(0, lost_objects)})


def _move_control(work: Deed, peer: str, base: int, lost: int) -> None:
    """Put the items after `base` behind `lost` items that the peer had of the ended life."""
    for row in reversed(list(work.tx.find(ControlRow, party=peer, order=("n",), after=(base,)))):
        work.tx.put(replace(row, n=row.n + lost))
    for n in range(base + 1, base + lost + 1):
        work.tx.put(ControlRow(peer, n, "lost", canonical({}), work.at))


def _move_objects(work: Deed, peer: str, base: int, lost: int) -> None:
    """Put the rows after `base` behind `lost` rows that the peer had of the ended life; nothing of them was handed over yet."""

    def moved(n: int | None) -> int | None:
        return n if n is None or n <= base else n + lost

    for row in reversed(list(work.tx.find(StreamRow, party=peer))):
        after = replace(row, n=moved(row.n) or 0, ended=moved(row.ended), replaces=moved(row.replaces))
        if after != row:
            work.tx.put(after)
    for n in range(base + 1, base + lost + 1):
        work.tx.put(
            StreamRow(peer, n, "withdrawn", peer, 0, 0, "", "full", b"[]", b"{}", work.at, work.at, None, ended=n)
        )


def _forget_undelivered(work: Deed, peer: str, have: int) -> None:
    """Pages that never came, under acts that no log has: they go again under acts of this life."""
    for made in list(work.tx.find(Delivery, party=peer)):
        act = work.tx.get(ActRow, made.act)
        if made.receipt is None and made.first > have and act is not None:
            stands = standing_of(work.tx, act)
            if not stands.open and stands.tick >= stands.size:
                work.tx.remove(Delivery, peer, made.act)


# --- a peer that was restored


def note_life(work: Deed, row: Peer, greeting: Greeting) -> Peer:
    """What a greeting's incarnation says: in a new life the peer has what it says and no more, whatever it had before.

    Raises:
        LogFault: `log-rolled-back` for a life that a later one has ended.
    """
    known: int = read_setting(work.tx, f"life/{row.party}", 1)
    if greeting.incarnation < known:
        raise LogFault(
            "log-rolled-back",
            f"{name_of(work.tx, row.party)} speaks from incarnation {greeting.incarnation} of its log after {known}; an old "
            "copy of its node may be running.",
            party=row.party,
        )
    if greeting.incarnation > known:
        put_setting(work.tx, f"life/{row.party}", greeting.incarnation)
        row = replace(row, acknowledged=greeting.have_control, receipted=min(row.receipted, greeting.have_objects))
    return row


def note_restore(work: Deed, peer: str, gap: Mapping[str, Any], origin: str) -> LogFault | None:
    """Take the word of a peer that it was restored: which ticks of which life were lost, and when the next one began.

    Args:
        gap: The paper: {origin, first, end, checkpoint, next, origin_at, period}.
        origin: The log in which the act stands under which it came.

    Returns:
        The fault where its last checkpoint contradicts one that is held; then the evidence is kept.

    Raises:
        SealBroken: `log-origin`, `note-signature` where the paper does not fit the log, its checkpoint or its act.
    """
    try:
        ended, following, first, end = str(gap["origin"]), str(gap["next"]), int(gap["first"]), int(gap["end"])
        checkpoint, begins, period = gap["checkpoint"], parse(str(gap["origin_at"])), int(gap["period"])
    except (KeyError, TypeError, ValueError) as broken:
        raise InputRefused("message", "The word of a restore lacks what it has to say.") from broken
    (party, life), (other, next_life) = parse_origin(ended), parse_origin(following)
    if (party, other, origin) != (peer, peer, following) or next_life <= life or not 0 <= first <= end or period < 1:
        raise SealBroken("log-origin", "A party speaks of a gap in a log that is not its own, or of none that can be.")
    if checkpoint is None and first != 0:
        raise SealBroken("log-origin", "The word of a restore names a gap, and not the checkpoint before it.")
    fault = None
    if checkpoint is not None:
        _check_last(work, peer, str(checkpoint).encode(), ended, first)
        fault = note_checkpoint(work, None, str(checkpoint).encode(), 0, (), vouched=True)
    kept = read_setting(work.tx, f"gap/{ended}", {"first": first, "end": end})
    put_setting(work.tx, f"gap/{ended}", {"first": min(first, kept["first"]), "end": max(end, kept["end"])})
    put_setting(work.tx, f"log/{following}", {"origin_at": begins, "period": period})
    put_setting(work.tx, f"life/{peer}", max(next_life, read_setting(work.tx, f"life/{peer}", 1)))
    work.audit("peer-restored", {"party": peer, "ended": ended, "first": first, "end": end, "next": following})
    return fault


def _check_last(work: Deed, peer: str, note: bytes, origin: str, size: int) -> None:
    card = need_card(work.tx, peer)
    if read_checkpoint(note).size != size:
        raise SealBroken("log-origin", "The gap does not begin where the checkpoint before it ends.")
    open_by_any(note, origin, [raw_key(key.spki) for key in card.keys_since("log").values()])
