"""Checkpoints of others: kept, compared on every contact, passed on; two that cannot both be true are evidence, and are kept.

What a peer shows of its own log must be consistent with what it showed before. What it shows of other logs is compared where the
sizes are equal, which is all that can be proved without asking that log itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from typing import Final

from comity.kernel.errors import ComityError, LogFault, PeerFault, SealBroken
from comity.kernel.model.instants import Instant
from comity.kernel.store.ports import Reading
from comity.kernel.store.rows import CheckpointRow, Evidence, Party, PromiseRow
from comity.kernel.tlog.checkpoint import (
    Fork,
    RolledBack,
    Unproved,
    judge,
    open_by_any,
    parse_origin,
    raw_key,
    read_checkpoint,
)
from comity.kernel.tlog.promises import Promise, TwoPromises
from comity.kernel.tlog.tiles import tile_hashes
from comity.kernel.tlog.tree import root_at
from comity.node.context import Deed, put_setting, read_setting
from comity.node.parties import card_of, name_of

PASSED_ON: Final = 64
"""Checkpoints of third parties shown in one greeting."""


def seen_of(tx: Reading, peer: str) -> tuple[bytes, ...]:
    """What we show a peer: the newest checkpoint we hold of its own log, then of the logs of others."""
    notes: list[bytes] = []
    for party in (peer, *(row.id for row in tx.find(Party) if row.id != peer)):
        row = _newest(tx, party)
        if row is not None:
            notes.append(row.note)
        if len(notes) > PASSED_ON:
            break
    return tuple(notes)


def _newest(tx: Reading, party: str) -> CheckpointRow | None:
    found: CheckpointRow | None = None
    for origin in read_setting(tx, f"origins/{party}", []):
        found = next(iter(tx.find(CheckpointRow, origin=origin, reverse=True, limit=1)), found)
    return found


def known_size(tx: Reading, peer: str, origin: str) -> int:
    """The size of our log that a peer last showed to hold; 0 where it showed none of this life of the log."""
    known = read_setting(tx, f"known/{peer}", {})
    return int(known.get("size", 0)) if known.get("origin") == origin else 0


def note_checkpoint(
    deed: Deed,
    peer: str | None,
    note: bytes,
    start: int,
    proof: Sequence[bytes],
    *,
    at: Instant | None = None,
    vouched: bool = False,
) -> LogFault | None:
    """Compare a checkpoint with what is held and keep it; a fork or a rollback is kept as evidence and given back, not raised.

    Args:
        peer: Whose log it must be; None for a checkpoint that was passed on.
        start: The size the consistency proof begins at.
        proof: Hashes of the consistency proof; empty where none came.
        at: When the peer showed it, by its own clock. Two contacts may overlap, so a smaller log shown earlier came late and is no
            fault; a smaller one shown later was rolled back.
        vouched: Whether the party whose log it is signed, in other words, that this is its own; so is what a peer shows as its own.
            Then a key that has ended counts too. What others pass on counts only by a key that is good now, since whoever finds an
            old key could sign with it.
    """
    try:
        shown = read_checkpoint(note)
        party, _ = parse_origin(shown.origin)
        if peer is not None and party != peer:
            raise SealBroken("log-origin", "The checkpoint shown as the peer's own is of another party's log.")
        keys = _keys_for(deed, party, note, shown.origin, vouched=vouched or peer is not None)
    except PeerFault:
        if peer is not None:
            raise
        return None
    if party == deed.node.party:
        return _ours(deed, shown.origin, shown.size, shown.root, note)
    if keys is None:
        return None
    newest = _newest(deed.tx, party)
    if peer is not None and newest is not None and parse_origin(newest.origin)[1] > parse_origin(shown.origin)[1]:
        return LogFault(
            "log-rolled-back",
            f"{name_of(deed.tx, party)} shows {shown.origin} after {newest.origin}; an old copy of its node may be running.",
            party=party,
        )
    held = _held(deed.tx, shown.origin, shown.size, start)
    if held is None:
        _keep(deed, party, shown.origin, shown.size, note)
        if peer is not None and at is not None:
            _shown_before(deed, peer, shown.origin, shown.size, at)
        return None
    old, new = (held.note, note) if held.size <= shown.size else (note, held.note)
    verdict = judge(old, new, tuple(proof) if proof and start == held.size else None, keys=keys)
    if isinstance(verdict, Fork):
        return _convict(deed, party, "fork", verdict.evidence.to_json())
    if peer is not None and at is not None:
        before = _shown_before(deed, peer, shown.origin, shown.size, at)
        if before is not None:
            return LogFault(
                "log-rolled-back",
                f"{name_of(deed.tx, party)} shows a log of {shown.size} entries after one of {before}; nothing more is exchanged "
                "until it opens a new incarnation.",
            )
    if not isinstance(verdict, Unproved | RolledBack) or peer is None:
        _keep(deed, party, shown.origin, shown.size, note)
    return None


def _shown_before(deed: Deed, peer: str, origin: str, size: int, at: Instant) -> int | None:
    """Note what a peer shows of its log and when; gives the size it showed earlier, where that was greater: a rollback."""
    before = read_setting(deed.tx, f"shown/{peer}", {})
    if before.get("origin") == origin and size < before["size"]:
        return int(before["size"]) if at >= before["at"] else None
    if before.get("origin") == origin:
        at = max(at, before["at"])
    put_setting(deed.tx, f"shown/{peer}", {"origin": origin, "size": size, "at": at})
    return None


def _ours(deed: Deed, origin: str, size: int, root: bytes, note: bytes) -> LogFault | None:
    """A checkpoint of our own log that a peer holds: it tells how far the peer is, and must be one of ours."""
    from comity.node.record import StoredTiles, log_facts

    held: int = read_setting(deed.tx, "log-size", 0)
    if origin != log_facts(deed.tx).origin or not size:
        return None
    if size > held:
        return LogFault(
            "log-rolled-back",
            f"A peer holds our own log with {size} entries, and this node has {held}: it runs from an old copy. Stop it, and put "
            "that copy into a new folder with comity restore.",
            party=deed.node.party,
        )
    if root_at(size, tile_hashes(StoredTiles(deed.tx), size)) != root:
        return LogFault(
            "log-fork",
            "A peer holds another history of our own log; this node's key signed twice.",
            party=deed.node.party,
        )
    return None


def learn_known(deed: Deed, peer: str, seen: Sequence[bytes], origin: str) -> None:
    """Note the size of our own log that the peer shows to hold, so that the next proof starts there."""
    for note in seen:
        try:
            shown = read_checkpoint(note)
        except ComityError:
            continue
        if shown.origin == origin and deed.tx.get(CheckpointRow, origin, shown.size) is not None:
            put_setting(deed.tx, f"known/{peer}", {"origin": origin, "size": shown.size})
            return


def _held(tx: Reading, origin: str, size: int, start: int) -> CheckpointRow | None:
    same = tx.get(CheckpointRow, origin, size)
    if same is not None:
        return same
    if start:
        begun = tx.get(CheckpointRow, origin, start)
        if begun is not None:
            return begun
    return next(iter(tx.find(CheckpointRow, origin=origin, reverse=True, limit=1)), None)


def _keep(deed: Deed, party: str, origin: str, size: int, note: bytes) -> None:
    if deed.tx.get(CheckpointRow, origin, size) is None:
        deed.tx.add([CheckpointRow(origin, size, party, note, deed.at)])
    origins = read_setting(deed.tx, f"origins/{party}", [])
    if origin not in origins:
        put_setting(deed.tx, f"origins/{party}", sorted({*origins, origin}, key=lambda one: parse_origin(one)[1]))


def _keys_for(deed: Deed, party: str, note: bytes, origin: str, *, vouched: bool) -> list[bytes] | None:
    """The keys that the log of a party has or had, one of which signed the note; None for a party without a card here.

    Args:
        vouched: Whether a key that has ended counts too.

    Raises:
        SealBroken: `note-signature` when none of the keys that count did.
    """
    card = card_of(deed.tx, party)
    if card is None:
        return None
    good = card.keys_since("log") if vouched else card.keys_at("log", deed.at)
    if not good:
        raise SealBroken("note-signature", f"No log key of {card.name} is good now; its checkpoint is not counted.")
    open_by_any(note, origin, [raw_key(key.spki) for key in good.values()])
    return [raw_key(key.spki) for key in card.keys_since("log").values()]


def _convict(deed: Deed, party: str, kind: str, body: bytes) -> LogFault:
    digest = sha256(body).hexdigest()
    if deed.tx.get(Evidence, digest) is None:
        deed.tx.add([Evidence(digest, party, kind, body, deed.at)])
        deed.audit("evidence", {"party": party, "kind": kind, "digest": digest})
    return LogFault(
        "log-fork",
        f"{name_of(deed.tx, party)} signed two histories of its log; the evidence {digest[:16]}… is kept and convinces others.",
        party=party,
        evidence=digest,
    )


def keep_promise(deed: Deed, party: str, given: Promise, envelope: bytes, act: str) -> LogFault | None:
    """Keep what a party promised for an act of its own; a second promise for the place of another act is evidence.

    Args:
        given: What the envelope says, opened with the log keys of that party.
        act: Digest of the act it came with.

    Returns:
        The fault, with its evidence kept, where the party promised one place twice.

    Raises:
        SealBroken: `promise-other-act`; `log-origin` for a place in somebody else's log, which would convict that one.
    """
    if given.act != act:
        raise SealBroken("promise-other-act", "The promise that came is for another act.")
    if parse_origin(given.origin)[0] != party:
        raise SealBroken("log-origin", "The promise that came is for a place in another party's log.")
    for row in deed.tx.find(PromiseRow, origin=given.origin, tick=given.tick, place=given.place):
        if row.act != act:
            return _convict(deed, party, "two-promises", TwoPromises(row.envelope, envelope).to_json())
        return None
    deed.tx.add([PromiseRow(given.origin, given.tick, given.place, act, envelope, deed.at, None)])
    return None
