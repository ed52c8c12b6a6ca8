"""The record: acts and their chains, every leaf and tile of every life of the log, all checkpoints, promises and evidence.

A leaf is made again from the acts of its tick and the log's secret, an upper tile from the tiles below it, the root of each
checkpoint from the leaves before it; one pass over each life, a tile at a time.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from itertools import groupby
from typing import Any, Final

from comity.kernel.errors import ComityError
from comity.kernel.store.rows import ActRow, CheckpointRow, Evidence, Nonce, Party, PromiseRow, Setting, TickRow, Tile
from comity.kernel.tlog.acts import act_digest, officers_commitment
from comity.kernel.tlog.checkpoint import origin, parse_origin, raw_key, read_checkpoint, verify_fork
from comity.kernel.tlog.promises import Promise, open_promise, verify_two_promises
from comity.kernel.tlog.ticks import PLACES, act_leaf, inner_root, record_hash, tick_of
from comity.kernel.tlog.tiles import HEIGHT, WIDTH, width_at
from comity.kernel.tlog.tree import HASH_BYTES, Frontier, root_of
from comity.node.context import read_setting
from comity.node.examining.look import BROKEN, Finding, Look, same_json, short
from comity.node.proofs import check_kept, verify_broken_promise
from comity.node.record import LogFacts, addressee, closed_level, log_facts, log_secret

_END: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class Life:
    """One life of our log: its facts, how many ticks of it are over, whether it goes on."""

    facts: LogFacts
    size: int
    open: bool

    @property
    def level(self) -> int:
        """Under which level its lowest tiles stand."""
        return 0 if self.open else closed_level(0, self.facts.incarnation)


def lives(look: Look) -> dict[int, Life]:
    """Every life of our log by its number: the open one, and those that a restore ended."""
    facts, us = log_facts(look.tx), look.node.party
    found = {facts.incarnation: Life(facts, read_setting(look.tx, "log-size", 0), open=True)}
    for row in look.tx.find(Setting, order=("name",), after=("closed/",)):
        if not row.name.startswith("closed/"):
            break
        try:
            said = same_json(row.value)
            life = parse_origin(row.name.removeprefix("closed/"))[1]
            ended = LogFacts(origin(us, life), said["origin_at"], said["period"], life)
            found.setdefault(life, Life(ended, said["size"], open=False))
        except BROKEN:
            continue  # told where settings are
    return found


# --- acts


def acts(look: Look) -> Iterator[Finding]:
    """`act`: signed by a node key of ours, as it is filed; each names the one before it; its officers are those it commits to."""
    known = lives(look)
    chain = _Chain()

    def check(row: ActRow) -> Iterator[str]:
        said = f"The act {short(row.digest)}"
        if act_digest(row.envelope) != row.digest:
            yield f"{said} is not the one that was recorded."
        act = look.act(row.envelope, look.node.party)
        if (act.kind, addressee(act), act.at, act.seq) != (row.kind, row.to, row.at, abs(row.seq)):
            yield f"{said} is filed as another kind, to another party, at another instant or in another place than it says."
        life, tick = _stands(known, row)
        if act.by != look.node.party or act.origin != life.facts.origin or (row.seq > 0) != life.open:
            yield f"{said} stands in another log than it says."
        elif not _in_time(look, life, row, tick):
            yield f"{said} stands in another tick than that of its instant."
        if not 0 <= row.place < PLACES or len(row.salt) != 16:
            yield f"{said} stands at a place that no tick has."
        opened = same_json(row.officers)
        who = opened["officers"]
        committed = _committed(opened) if who else None
        if committed != act.officers:
            yield f"{said} does not commit to the officers that are noted."
        fault = chain.follow(row.to, life.facts.incarnation, row.seq, row.digest, act.previous)
        if fault:
            yield f"{said} {fault}"

    rows = look.tx.find(ActRow, order=("to", "seq"))
    yield from look.each(rows, lambda row: row.digest, lambda row: f"The act {short(row.digest)}", check)
    yield from chain.begins()


def _committed(opened: dict[str, Any]) -> str:
    salt, mandate = bytes.fromhex(opened["salt"]), opened.get("mandate")
    return officers_commitment(salt, opened["officers"], opened["reason"], mandate)


def _stands(known: dict[int, Life], row: ActRow) -> tuple[Life, int]:
    """The life an act stands in, and its tick there."""
    if row.tick >= 0:
        return next(life for life in known.values() if life.open), row.tick
    number, tick = divmod(-1 - row.tick, 1 << 32)
    return known[number], tick


def _in_time(look: Look, life: Life, row: ActRow, tick: int) -> bool:
    began = tick_of(row.at, life.facts.origin_at, life.facts.period)
    if tick == began:
        return True
    step = 1 if life.open else -1
    return tick > began and look.tx.count(ActRow, tick=row.tick - step) == PLACES  # the tick before was full


@dataclass(slots=True)
class _Chain:
    """The acts to each party in order; those of ended lives come last first."""

    to: str = ""
    open: tuple[int, str] | None = None
    ended: dict[int, tuple[int, str | None, str]] = field(default_factory=dict)
    faults: list[Finding] = field(default_factory=list)

    def follow(self, to: str, life: int, seq: int, digest: str, previous: str | None) -> str | None:
        """What is wrong with the place of the next act; None where it follows."""
        if to != self.to:
            self._close()
            self.to, self.open = to, None
        if seq < 0:
            later = self.ended.get(life)
            self.ended[life] = -seq, previous, digest
            if later is not None and (later[0], later[1]) != (-seq + 1, digest):
                return "is not the one that the act after it names; one may be missing."
            return None
        before, self.open = self.open, (seq, digest)
        if (seq, previous) != ((1, None) if before is None else (before[0] + 1, before[1])):
            return "does not name the one before it; one may be missing."
        return None

    def _close(self) -> None:
        for seq, _, digest in self.ended.values():
            if seq != 1:
                self.faults.append(
                    Finding(digest, f"The act {short(digest)} is not the first, and the one before it is gone.")
                )
        self.ended.clear()

    def begins(self) -> list[Finding]:
        """Chains of ended lives that lack their beginning."""
        self._close()
        return self.faults


# --- the log


def log(look: Look) -> Iterator[Finding]:
    """`tile`: every leaf, every tile against the tiles below; the root of every checkpoint of ours from the leaves before it."""
    kept = 0
    for life in lives(look).values():
        try:
            yield from _leaves(look, life)
            level = 0
            while life.size >> HEIGHT * level:
                kept += -(-(life.size >> HEIGHT * level) // WIDTH)
                yield from _tiles(look, life, level)
                level += 1
        except ComityError as broken:
            yield Finding("log", f"The log can no longer be read: {broken.sentence}")
    if look.tx.count(Tile) > kept:
        yield from _strays(look)


def _tile(look: Look, life: Life, level: int, index: int) -> bytes | None:
    """A tile as wide as it must be, None where it is not."""
    row = look.tx.get(Tile, life.level + level, index)
    width = width_at(life.size, level, index)
    return None if row is None or len(row.hashes) != width * HASH_BYTES else row.hashes


def _cut(data: bytes) -> list[bytes]:
    return [data[start : start + HASH_BYTES] for start in range(0, len(data), HASH_BYTES)]


def _leaves(look: Look, life: Life) -> Iterator[Finding]:
    """Each leaf against the acts of its tick, and each checkpoint against the leaves before it."""
    secret = log_secret(look.node, life.facts)
    told = _by_tick(look, life)
    tick_acts = next(told, None)
    notes = look.tx.find(CheckpointRow, origin=life.facts.origin)
    note = next(notes, None)
    frontier = Frontier()
    for index in range(-(-life.size // WIDTH)):
        data = _tile(look, life, 0, index)
        if data is None:
            what = f"tile {life.level}/{index}"
            yield Finding(what, f"The log can no longer be read: {what} has not the hashes it must have.")
            return
        pending: list[bytes] = []
        for place, leaf in enumerate(_cut(data)):
            tick = index * WIDTH + place
            look.step()
            mine: dict[int, bytes] = {}
            while tick_acts is not None and tick_acts[0] <= tick:
                mine = tick_acts[1] if tick_acts[0] == tick else mine
                tick_acts = next(told, None)
            if record_hash(inner_root(mine, secret, tick)) != leaf:
                yield Finding(f"tick {tick}", f"The acts of tick {tick} are not those its leaf in the log commits to.")
            pending.append(leaf)
            while note is not None and note.size <= tick + 1:
                frontier, pending = frontier.extend(pending), []
                yield from _agrees(note, frontier, life)
                note = next(notes, None)
        frontier = frontier.extend(pending)
    while note is not None:
        yield Finding(
            f"checkpoint {note.size}", f"A checkpoint of {note.size} entries is kept of a log of {life.size}."
        )
        note = next(notes, None)


def _agrees(note: CheckpointRow, frontier: Frontier, life: Life) -> Iterator[Finding]:
    what = f"checkpoint {note.size}"
    try:
        shown = read_checkpoint(note.note)
    except ComityError:
        return  # told where checkpoints are
    if shown.size != note.size or frontier.size != shown.size or frontier.root() != shown.root:
        yield Finding(what, f"The checkpoint of {note.size} entries is not that of a log with these leaves.")
    if note.size != (note.seen - life.facts.origin_at) // life.facts.period:
        yield Finding(what, f"The checkpoint of {note.size} entries was not due when it is said to have been signed.")


def _by_tick(look: Look, life: Life) -> Iterator[tuple[int, dict[int, bytes]]]:
    """The leaves of the acts of each tick that has any, by place, in order of ticks."""
    if life.open:
        rows = look.tx.find(ActRow, order=("tick", "place"), after=(-1, _END))
    else:
        first = -(life.facts.incarnation << 32)
        rows = look.tx.find(ActRow, order=("tick", "place"), after=(first, -1), reverse=True)
    for stands, some in groupby(rows, key=lambda row: row.tick):
        number, tick = (life.facts.incarnation, stands) if life.open else divmod(-1 - stands, 1 << 32)
        if number != life.facts.incarnation:
            return
        yield (
            tick,
            {
                row.place: act_leaf(row.salt, row.envelope)
                for row in some
                if len(row.salt) == 16 and 0 <= row.place < PLACES  # others are told where acts are
            },
        )


def _tiles(look: Look, life: Life, level: int) -> Iterator[Finding]:
    """The full tiles of a level, each against the hash the tile above has for it."""
    above: tuple[int, bytes | None] = (-1, None)
    for index in range(-(-(life.size >> HEIGHT * level) // WIDTH)):
        look.step()
        data = _tile(look, life, level, index)
        what = f"tile {life.level + level}/{index}"
        if data is None:
            if level:  # of the leaves it is told already
                yield Finding(what, f"The log can no longer be read: {what} has not the hashes it must have.")
            return
        if len(data) < WIDTH * HASH_BYTES:
            continue  # its hashes stand in no tile above yet
        parent, place = divmod(index, WIDTH)
        if above[0] != parent:
            above = parent, _tile(look, life, level + 1, parent)
        if above[1] is not None and above[1][place * HASH_BYTES : (place + 1) * HASH_BYTES] != root_of(_cut(data)):
            yield Finding(
                what, f"The hashes of {what} are not those that tile {life.level + level + 1}/{parent} has for it."
            )


def _strays(look: Look) -> Iterator[Finding]:
    known = {life.level: life for life in lives(look).values()}
    for row in look.tx.find(Tile):
        level = row.level & 255
        life = known.get(row.level - level)
        if life is None or not width_at(life.size, level, row.index):
            yield Finding(
                f"tile {row.level}/{row.index}", f"Tile {row.level}/{row.index} belongs to no log of this node."
            )


def ticks(look: Look) -> Iterator[Finding]:
    """`tick`: no release writes it; a row that is there must be the leaf of its tick."""
    life = next(life for life in lives(look).values() if life.open)

    def check(row: TickRow) -> Iterator[str]:
        index, place = divmod(row.tick, WIDTH)
        data = _tile(look, life, 0, index) if 0 <= row.tick < life.size else None
        if data is None or data[place * HASH_BYTES :][:HASH_BYTES] != record_hash(row.root):
            yield f"The root noted of tick {row.tick} is not that of its leaf in the log."

    yield from look.each(look.tx.find(TickRow), lambda row: f"tick {row.tick}", lambda row: f"Tick {row.tick}", check)


def checkpoints(look: Look) -> Iterator[Finding]:
    """`checkpoint`: signed by a log key of the party whose log it is of, and filed under its origin and size."""
    known = {life.facts.origin for life in lives(look).values()}
    shown: dict[str, bool] = {}

    def listed(row: CheckpointRow) -> bool:
        """Whether the lives known of a party's log name this one."""
        if row.origin not in shown:
            kept = look.tx.get(Setting, f"origins/{row.party}")
            shown[row.origin] = kept is not None and row.origin in same_json(kept.value)
        return shown[row.origin]

    def check(row: CheckpointRow) -> Iterator[str]:
        said = f"The checkpoint of {row.origin} with {row.size} entries"
        found = look.checkpoint(row.note, row.origin)
        if found.size != row.size or parse_origin(row.origin)[0] != row.party:
            yield f"{said} is filed under another log or size than it says."
        if not (row.origin in known if row.party == look.node.party else listed(row)) or row.seen > look.now:
            yield f"{said} is of a log that is not known here, or was seen after all that was done here."

    yield from look.each(
        look.tx.find(CheckpointRow),
        lambda row: f"checkpoint {row.size}" if row.party == look.node.party else row.party,
        lambda row: f"The checkpoint of {row.origin} with {row.size} entries",
        check,
    )


# --- promises, evidence, nonces


def promises(look: Look) -> Iterator[Finding]:
    """`promise`: signed by the log key of the party that gave it, as it is filed; a proof that is kept still proves it."""

    def check(row: PromiseRow) -> Iterator[str]:
        said = f"The promise for the act {short(row.act)}"
        party = parse_origin(row.origin)[0]
        given = open_promise(row.envelope, look.ever(party, "log"))
        if given != Promise(row.act, row.origin, row.tick, row.place):
            yield f"{said} is filed under another act or place than it says."
        if row.proof is not None:
            card = look.card(party)
            assert card is not None, "a promise that was opened has a card"
            check_kept(row, card)
        if row.at > look.now:
            yield f"{said} came after all that was done here."

    yield from look.each(
        look.tx.find(PromiseRow), lambda row: row.act, lambda row: f"The promise for the act {short(row.act)}", check
    )


def evidence(look: Look) -> Iterator[Finding]:
    """`evidence`: it still convicts the party it is filed under, and was kept when the audit says so."""

    def check(row: Evidence) -> Iterator[str]:
        said = f"The evidence {short(row.digest)}"
        if sha256(row.body).hexdigest() != row.digest:
            yield f"{said} is not what was kept."
        if parse_origin(_convicted(look, row))[0] != row.party:
            yield f"{said} convicts another party than it is filed under."
        noted = {"party": row.party, "kind": row.kind, "digest": row.digest}
        if not any({name: one.get(name) for name in noted} == noted for one in look.noted(row.at, "evidence")):
            yield f"{said} was kept at another instant than is noted."

    yield from look.each(
        look.tx.find(Evidence), lambda row: row.digest, lambda row: f"The evidence {short(row.digest)}", check
    )


def _convicted(look: Look, row: Evidence) -> str:
    """The log that evidence convicts.

    Raises:
        ComityError: where it convicts none.
    """
    if row.kind == "promise-broken":
        card = look.card(row.party)
        if card is None:
            raise ValueError(f"there is no card of {row.party}")
        return verify_broken_promise(row.body, card).origin
    keys = look.ever(row.party, "log").values()
    if row.kind == "two-promises":
        return verify_two_promises(row.body, *keys)[0].origin
    return verify_fork(row.body, *(raw_key(key.spki) for key in keys))[0].origin


def nonces(look: Look) -> Iterator[Finding]:
    """`nonce`: of a node key of a party that is known."""
    keys = {keyid for row in look.tx.find(Party) for keyid in look.ever(row.id, "node")}

    def check(row: Nonce) -> Iterator[str]:
        if row.keyid not in keys or not row.nonce or row.expires <= 0:
            yield f"A nonce is kept of the key {short(row.keyid)}, which is no key of a party that is known."

    yield from look.each(
        look.tx.find(Nonce), lambda row: row.keyid, lambda row: f"A nonce of {short(row.keyid)}", check
    )
