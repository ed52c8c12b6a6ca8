"""The doctor: does what the node holds agree with itself? Every object is read again, every seal, act and tile checked.

Nothing is repaired: what is wrong is named, so that an officer can restore it from a backup or ask its sender again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from hashlib import sha256

import msgspec

from comity.kernel.errors import ComityError
from comity.kernel.model.strictjson import read as read_json
from comity.kernel.seal.canonical import canonical
from comity.kernel.seal.commitment import digest_of
from comity.kernel.store.ports import Reading
from comity.kernel.store.rows import ActRow, CardRow, CheckpointRow, Delivery, Holding, Party, StreamRow, Version
from comity.kernel.tlog.acts import act_digest
from comity.kernel.tlog.checkpoint import open_checkpoint, raw_key
from comity.kernel.tlog.ticks import act_leaf, inner_root, record_hash
from comity.kernel.tlog.tiles import tile_hashes
from comity.kernel.tlog.tree import root_at
from comity.node.context import Node, read_setting
from comity.node.parties import card_of
from comity.node.record import Standing, StoredTiles, log_facts, log_secret, standing_of


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that does not agree: what is named (an object id, an act, a party), and what is wrong with it."""

    what: str
    sentence: str


def examine(node: Node, progress: Callable[[int], None] | None = None) -> Iterator[Finding]:
    """Check everything that can be checked without asking anybody."""
    with node.store.read() as tx:
        yield from _objects(tx, progress)
        yield from _cards(tx)
        yield from _streams(tx)
        yield from _log(node, tx)


def _objects(tx: Reading, progress: Callable[[int], None] | None) -> Iterator[Finding]:
    for row in tx.find(Version):
        if progress is not None and row.n % 1000 == 0:
            progress(row.n)
        if sha256(row.raw).digest() != row.sha256:
            yield Finding(row.id, f"The bytes of {row.id} (version {row.n}) are not those that were taken in.")
            continue
        try:
            data = read_json(row.raw)
            if data.get("id") != row.id or sha256(canonical(data)).digest() != row.same:
                yield Finding(row.id, f"What is noted about {row.id} (version {row.n}) does not fit its bytes.")
            elif row.disclosure is not None and digest_of(data, msgspec.json.decode(row.disclosure)) != row.digest:
                yield Finding(row.id, f"The seal of {row.id} (version {row.n}) no longer fits its bytes.")
        except ComityError as broken:
            yield Finding(row.id, f"{row.id} (version {row.n}) can no longer be read: {broken.sentence}")


def _cards(tx: Reading) -> Iterator[Finding]:
    for row in tx.find(Party):
        try:
            card = card_of(tx, row.id)
        except ComityError as broken:
            yield Finding(row.id, f"The cards kept of {row.name} no longer form a chain: {broken.sentence}")
            continue
        if card is not None and (card.fingerprint != row.fingerprint or card.serial != row.serial):
            yield Finding(row.id, f"What is noted about {row.name} is not what its newest card says.")
    for one in tx.find(CardRow):
        if tx.get(Party, one.party) is None:
            yield Finding(one.party, f"A card of {one.party} is kept, but the party is not known.")


def _streams(tx: Reading) -> Iterator[Finding]:
    for party in tx.find(Party):
        last = 0
        for row in tx.find(StreamRow, party=party.id):
            if row.n != last + 1:
                yield Finding(party.id, f"The stream of {party.name} jumps from row {last} to row {row.n}.")
            last = row.n
            if row.kind == "withdrawn":
                continue  # stands for a row that was lost at a restore
            if tx.get(Version, row.version) is None or tx.get(Holding, row.holding) is None:
                yield Finding(row.object, f"Row {row.n} of the stream of {party.name} names what is not kept.")
        for made in tx.find(Delivery, party=party.id):
            if tx.get(ActRow, made.act) is None:
                yield Finding(party.id, f"The delivery of rows {made.first} to {made.last} to {party.name} has no act.")


def _log(node: Node, tx: Reading) -> Iterator[Finding]:
    lives: dict[str, tuple[Standing, dict[int, dict[int, bytes]]]] = {}
    open_life = log_facts(tx)
    lives[open_life.origin] = Standing(open_life, 0, read_setting(tx, "log-size", 0), open=True), {}
    for row in tx.find(ActRow):
        if act_digest(row.envelope) != row.digest:
            yield Finding(row.digest, f"The act {row.digest[:16]}… is not the one that was recorded.")
        stands = standing_of(tx, row)
        _, acts = lives.setdefault(stands.facts.origin, (stands, {}))
        acts.setdefault(stands.tick, {})[row.place] = act_leaf(row.salt, row.envelope)
    for stands, acts in lives.values():
        if stands.size:
            yield from _life(node, tx, stands, acts)


def _life(node: Node, tx: Reading, stands: Standing, acts: dict[int, dict[int, bytes]]) -> Iterator[Finding]:
    """One life of the log: its tiles, the acts they commit to, its newest checkpoint."""
    facts, size = stands.facts, stands.size
    read_hash = tile_hashes(StoredTiles(tx, 0 if stands.open else facts.incarnation), size)
    secret = log_secret(node, facts)
    try:
        for tick, places in acts.items():
            if tick < size and read_hash(0, tick) != record_hash(inner_root(places, secret, tick)):
                yield Finding(f"tick {tick}", f"The acts of tick {tick} are not those its leaf in the log commits to.")
        root = root_at(size, read_hash)
    except ComityError as broken:
        yield Finding("log", f"The log can no longer be read: {broken.sentence}")
        return
    for note in tx.find(CheckpointRow, origin=facts.origin, reverse=True, limit=1):
        try:
            shown = open_checkpoint(note.note, facts.origin, _key_of(node, tx, note.note, facts.origin))
        except ComityError as broken:
            yield Finding("log", f"The newest checkpoint does not verify: {broken.sentence}")
            return
        if shown.size != size or shown.root != root:
            yield Finding("log", f"The newest checkpoint is not that of a log of {size} entries with these tiles.")


def _key_of(node: Node, tx: Reading, note: bytes, origin: str) -> bytes:
    """Our log key that signed a checkpoint: the present one, or in a closed life one that was retired."""
    card = card_of(tx, node.party)
    kept = () if card is None else (*card.keys, *card.retired)
    for key in (one.key for one in kept if one.use == "log"):
        try:
            open_checkpoint(note, origin, raw_key(key.spki))
        except ComityError:
            continue
        return raw_key(key.spki)
    return raw_key(node.keys.log.public.spki)
