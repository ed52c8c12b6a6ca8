"""The record: every deed towards another party becomes a signed act with a reserved place in the log.

The act, its place and the rows it speaks of commit together. A tick is closed by whichever deed first comes after its end, so
a node that was down appends what it missed, with the acts reserved for it (docs/formats/log.md).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final
from uuid import UUID

import msgspec

from comity.kernel.errors import NotFound
from comity.kernel.model.instants import SECOND, Instant
from comity.kernel.seal.canonical import canonical
from comity.kernel.store.ports import Reading
from comity.kernel.store.rows import ActRow, CheckpointRow, Tile
from comity.kernel.tlog.acts import Act, act_digest, make_act, officers_body, officers_commitment
from comity.kernel.tlog.checkpoint import Checkpoint, origin, parse_origin, read_checkpoint, sign_checkpoint
from comity.kernel.tlog.promises import Promise, make_promise
from comity.kernel.tlog.proof import LogProof
from comity.kernel.tlog.ticks import act_leaf, due, free_place, inner_proof, inner_root, record_hash, tick_of
from comity.kernel.tlog.tiles import TileWriter, tile_hashes
from comity.kernel.tlog.tree import consistency_proof, inclusion_proof
from comity.node.context import Deed, Node, need_setting, put_setting, read_setting

PERIOD: Final = 60 * SECOND
"""The length of a tick unless the node was made with another."""

EVERYBODY: Final = "*"
"""The addressee under which acts are filed that concern nobody in particular and that anybody may see: publications. They count
by themselves, so that their numbers tell nothing of what else was done."""

MISSED_AT_ONCE: Final = 100_000
"""Leaves appended in one go when a node was down; the rest follows in the same deed, tile by tile."""


@dataclass(frozen=True, slots=True)
class LogFacts:
    """Which log this is: its origin line, when tick 0 began, how long a tick lasts (microseconds), which life it is."""

    origin: str
    origin_at: Instant
    period: int
    incarnation: int


def log_facts(tx: Reading) -> LogFacts:
    """The facts of our log as they were set at `init` or by the last restore."""
    return LogFacts(**need_setting(tx, "log"))


def open_log(deed: Deed, *, period: int, incarnation: int) -> LogFacts:
    """Begin a life of the log at this instant: size 0, an empty checkpoint is never signed."""
    facts = LogFacts(origin(deed.node.party, incarnation), deed.at, period, incarnation)
    put_setting(
        deed.tx,
        "log",
        {"origin": facts.origin, "origin_at": facts.origin_at, "period": period, "incarnation": incarnation},
    )
    put_setting(deed.tx, "log-size", 0)
    return facts


@dataclass(frozen=True, slots=True)
class StoredTiles:
    """Tiles as the store holds them; a partial tile is kept under its index and grows in place.

    Those of a life of the log that was closed stand under levels of their own (`closed_level`).
    """

    tx: Reading
    life: int = 0

    def read_tile(self, level: int, index: int, width: int) -> bytes:
        """The first `width` hashes of a tile.

        Raises:
            NotFound: `log-tile` when the tile or that many hashes are not there.
        """
        row = self.tx.get(Tile, closed_level(level, self.life), index)
        if row is None or len(row.hashes) < width * 32:
            raise NotFound("log-tile", f"The log has no tile {level}/{index} of {width} hashes.")
        return row.hashes[: width * 32]


def closed_level(level: int, life: int) -> int:
    """Under which level the tiles of a closed life of the log are kept; those of the open one (0) under their own."""
    return level + (life << 8)


def closed_tick(tick: int, life: int) -> int:
    """What stands in an act's row for its tick once that life of the log is closed: a number below 0."""
    return -1 - tick - (life << 32)


@dataclass(frozen=True, slots=True)
class Standing:
    """Where an act stands: in which life of the log, in which tick of it, how many ticks that life has, and whether it goes on."""

    facts: LogFacts
    tick: int
    size: int
    open: bool


def standing_of(tx: Reading, row: ActRow) -> Standing:
    """Where an act of ours stands; in a closed life, ticks from `size` on were lost."""
    if row.tick >= 0:
        return Standing(log_facts(tx), row.tick, read_setting(tx, "log-size", 0), open=True)
    life, tick = divmod(-1 - row.tick, 1 << 32)
    party = parse_origin(log_facts(tx).origin)[0]
    closed = need_setting(tx, f"closed/{origin(party, life)}")
    facts = LogFacts(origin(party, life), closed["origin_at"], closed["period"], life)
    return Standing(facts, tick, closed["size"], open=False)


def log_secret(node: Node, facts: LogFacts) -> bytes:
    """The secret from which what fills the ticks of this life of the log is derived, 32 bytes."""
    return sha256(b"comity/log-secret/1" + node.secret + facts.incarnation.to_bytes(8, "big")).digest()


def close_ticks(deed: Deed) -> int:
    """Append the leaf of every tick that is over, and sign one checkpoint where there was any; gives the log's size."""
    facts = log_facts(deed.tx)
    size: int = read_setting(deed.tx, "log-size", 0)
    ticks = due(size - 1, deed.at, facts.origin_at, facts.period)
    if not ticks:
        return size
    secret = log_secret(deed.node, facts)
    acts: dict[int, dict[int, bytes]] = {}
    for row in deed.tx.find(ActRow, order=("tick", "place"), after=(size - 1, 1 << 20)):
        if row.tick >= ticks.stop:
            break
        acts.setdefault(row.tick, {})[row.place] = act_leaf(row.salt, row.envelope)
    writer = TileWriter.resume(size, StoredTiles(deed.tx))
    for start in range(ticks.start, ticks.stop, MISSED_AT_ONCE):
        stop = min(start + MISSED_AT_ONCE, ticks.stop)
        writer, tiles = writer.append(
            record_hash(inner_root(acts.get(tick, {}), secret, tick)) for tick in range(start, stop)
        )
        for tile in tiles:
            deed.tx.put(Tile(tile.level, tile.index, tile.data))
    put_setting(deed.tx, "log-size", writer.size)
    checkpoint = Checkpoint(facts.origin, writer.size, writer.frontier.root())
    note = sign_checkpoint(checkpoint, deed.node.keys.log)
    deed.tx.put(CheckpointRow(facts.origin, writer.size, deed.node.party, note, deed.at))
    return writer.size


def record(
    deed: Deed,
    kind: str,
    to: str,
    body: Mapping[str, Any],
    *,
    title: str | None = None,
    epoch: str | None = None,
    officers: Sequence[str] = (),
    reason: str = "",
) -> ActRow:
    """Sign an act towards one party and reserve its place; it is in the log when its tick closes.

    Args:
        kind: One of the closed list of `comity.kernel.tlog.acts`.
        to: The one addressee; empty for a deed that concerns our own node; `EVERYBODY` for one that anybody may see.
        title: ``<agreement digest>#<clause>`` it was done under.
        officers: Ids of the officers who decided; only a salted commitment to them, the mandate they acted under and the reason
            goes out.
    """
    node, tx = deed.node, deed.tx
    facts = log_facts(tx)
    seq = max(0, tx.last(ActRow, "seq", to=to) or 0) + 1
    previous = next((row.digest for row in tx.find(ActRow, to=to, seq=seq - 1)), None) if seq > 1 else None
    salt = node.random(16, f"officers/{kind}/{to}/{seq}")
    who = sorted(officers)
    mandate = deed.mandate(who)
    act = Act(
        kind=kind,
        id=f"comity-act--{UUID(bytes=node.random(16, f'id/{kind}/{to}/{seq}'), version=4)}",
        by=node.party,
        to=None if to == EVERYBODY else to or None,
        at=deed.at,
        origin=facts.origin,
        seq=seq,
        previous=previous,
        body=body,
        title=title,
        epoch=epoch,
        officers=officers_commitment(salt, who, reason, mandate) if who else None,
    )
    envelope = make_act(act, node.keys.node)
    tick, place = _reserve(deed, facts)
    row = ActRow(
        digest=act_digest(envelope),
        kind=kind,
        to=to,
        seq=seq,
        at=deed.at,
        tick=tick,
        place=place,
        salt=node.random(16, f"act/{kind}/{to}/{seq}"),
        envelope=envelope,
        officers=canonical({**officers_body(who, reason, mandate), "salt": salt.hex()}),
    )
    tx.add([row])
    return row


def _reserve(deed: Deed, facts: LogFacts) -> tuple[int, int]:
    tick = max(tick_of(deed.at, facts.origin_at, facts.period), read_setting(deed.tx, "log-size", 0))
    while True:
        taken = {row.place for row in deed.tx.find(ActRow, order=("tick", "place"), tick=tick)}
        place = free_place(deed.node.random(16, f"place/{tick}/{len(taken)}"), taken)
        if place is not None:
            return tick, place
        tick += 1


def promise(node: Node, tx: Reading, row: ActRow) -> bytes:
    """The signed promise that an act stands at its place; the same bytes whenever it is asked for."""
    stands = standing_of(tx, row)
    given = Promise(act=row.digest, origin=stands.facts.origin, tick=stands.tick, place=row.place)
    return make_promise(given, node.keys.log)


def newest_checkpoint(tx: Reading, origin: str | None = None) -> CheckpointRow | None:
    """The newest checkpoint of a log we hold (default: our own), or None before its first tick is over."""
    wanted = log_facts(tx).origin if origin is None else origin
    return next(iter(tx.find(CheckpointRow, origin=wanted, reverse=True, limit=1)), None)


def stands_in(tx: Reading, what: str, at: str) -> str:
    """Where what a paper says stands in our record: the object and its instant, and our log as its newest checkpoint has it.

    Args:
        what: The object's id.
        at: Its version, or the instant of what the paper shows.
    """
    row = newest_checkpoint(tx)
    if row is None:
        return f"{what}\n{at}\n{log_facts(tx).origin}, before its first checkpoint"
    one = read_checkpoint(row.note)
    return f"{what}\n{at}\n{one.origin}, {one.size} leaves, root {one.root.hex()}"


def consistency(tx: Reading, old: int, new: int) -> tuple[bytes, ...]:
    """The RFC 9162 consistency proof between two sizes of our log, hashes of 32 bytes."""
    return consistency_proof(old, new, tile_hashes(StoredTiles(tx), new))


def proof_of(node: Node, tx: Reading, digest: str, known: int = 0) -> dict[str, Any]:
    """What proves that an act is in the log: {act, salt, promise, tick, place, inner, outer, checkpoint}, or instead of the
    last three {due}, the instant its tick is over, or {lost}, the origin of the life of the log that was lost with it.

    With `known`, a size of our log that the asker holds, {consistency} leads from there to the checkpoint.
    Whoever shows the digest of an act was shown the act; to all others the answer is that there is no such act.

    Raises:
        NotFound: `no-such-act`.
    """
    row = tx.get(ActRow, digest)
    if row is None:
        raise NotFound("no-such-act", "This log has no act of that digest.")
    stands = standing_of(tx, row)
    facts, tick, size = stands.facts, stands.tick, stands.size
    shape: dict[str, Any] = {
        "act": row.envelope.decode(),
        "salt": row.salt.hex(),
        "promise": promise(node, tx, row).decode(),
        "tick": tick,
        "place": row.place,
        "origin": facts.origin,
    }
    if tick >= size:
        return shape | ({"due": facts.origin_at + (tick + 1) * facts.period} if stands.open else {"lost": facts.origin})
    checkpoint = newest_checkpoint(tx, facts.origin)
    assert checkpoint is not None, "a closed tick has a checkpoint"
    acts = {
        other.place: act_leaf(other.salt, other.envelope)
        for other in tx.find(ActRow, order=("tick", "place"), tick=row.tick)
    }
    secret = log_secret(node, facts)
    tiles = tile_hashes(StoredTiles(tx, 0 if stands.open else facts.incarnation), size)
    if stands.open and 0 < known < size:
        shape["consistency"] = {"size": known, "hashes": [item.hex() for item in consistency(tx, known, size)]}
    return {
        **shape,
        "root": inner_root(acts, secret, tick).hex(),
        "inner": [item.hex() for item in inner_proof(acts, secret, tick, row.place)],
        "outer": [item.hex() for item in inclusion_proof(tick, size, tiles)],
        "size": size,
        "checkpoint": checkpoint.note.decode(),
    }


def outer_of(proof: Mapping[str, Any]) -> LogProof:
    """The proof of the tick in the log, from what `proof_of` gives."""
    return LogProof(
        int(proof["tick"]), tuple(bytes.fromhex(one) for one in proof["outer"]), str(proof["checkpoint"]).encode()
    )


def addressee(act: Act) -> str:
    """Under which addressee an act is filed."""
    return EVERYBODY if act.kind == "publish" else act.to or ""


def officers_of(row: ActRow) -> dict[str, Any]:
    """What the act's commitment binds: {officers, reason, salt, mandate?}; for an auditor, never for a peer."""
    opened: dict[str, Any] = msgspec.json.decode(row.officers)
    return opened
