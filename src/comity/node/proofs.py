"""Promises of others and their proofs: what each is worth, asking for what is due, and keeping what convicts.

A party promises each act a place in its log before the tick is over. Afterwards its node answers ``proof/<act>``; what comes is
checked against the promise, and its checkpoint against those that are held, before it is kept. Rules:

- what does not come, or cannot be believed, leaves the promise open: after two ticks it reads `overdue`, which is never guilt;
- a proof that shows another act in the promised place convicts: promise and proof are kept as evidence, in a transaction that
  stays, and then the fault is raised;
- a promise in a gap that a restore named is `lost at restore`, and nobody is asked for it;
- a contact asks for a bounded number, each time after those it asked for last, so that what is withheld delays nothing else.

Source: docs/formats/log.md, Promises.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Any, Final

import msgspec

from comity.kernel.errors import ComityError, InputRefused, LogFault, NotFound, PeerFault, Unavailable
from comity.kernel.model.instants import Instant, format
from comity.kernel.seal.canonical import canonical
from comity.kernel.seal.cards import Card
from comity.kernel.seal.dsse import unverified_body
from comity.kernel.store.ports import Reading
from comity.kernel.store.rows import CheckpointRow, Evidence, PromiseRow
from comity.kernel.tlog.checkpoint import origin, parse_origin, raw_key, read_checkpoint
from comity.kernel.tlog.promises import Gap, Opening, Promise, State, open_promise, read_promise, state, verify_kept
from comity.kernel.tlog.ticks import closes_at
from comity.node.context import Deed, Node, put_setting, read_setting
from comity.node.deeds import deed
from comity.node.gossip import note_checkpoint
from comity.node.parties import name_of, need_card
from comity.node.record import outer_of

OPEN: Final = frozenset({State.PENDING.value, State.OVERDUE.value})
"""States in which asking for the proof makes sense."""

ASKED_AT_ONCE: Final = 64
"""Proofs asked for in one contact."""

PERIOD: Final = 60_000_000
"""The length of a tick where a card does not say, microseconds."""

EVIDENCE: Final = "promise-broken"

Fetch = Callable[[str], bytes]
"""Asks a party's node for ``proof/<act digest>``."""


@dataclass(frozen=True, slots=True)
class Collected:
    """What came of asking: proofs kept, acts whose proof did not come or was not believed."""

    kept: int
    open: int


# --- what promises are worth


@dataclass(slots=True)
class _Logs:
    """What is known here of the logs that promises speak of; read once."""

    tx: Reading
    at: Instant
    _known: dict[str, tuple[str, str, Instant | None, int, int, tuple[Gap, ...]]]
    _guilty: frozenset[tuple[str, int, int]] | None = None

    def facts(self, log: str) -> tuple[str, str, Instant | None, int, int, tuple[Gap, ...]]:
        """(party, its name, when tick 0 began or None, period, newest size held, gaps)."""
        if log not in self._known:
            party, life = parse_origin(log)
            said = read_setting(self.tx, f"log/{log}")
            if said is None and life == 1:
                said = dict(need_card(self.tx, party).extra).get("log")
            said = said if isinstance(said, dict) else {}
            newest = next(iter(self.tx.find(CheckpointRow, origin=log, reverse=True, limit=1)), None)
            gap = read_setting(self.tx, f"gap/{log}")
            self._known[log] = (
                party,
                name_of(self.tx, party),
                _number(said.get("origin_at")),
                _number(said.get("period")) or PERIOD,
                0 if newest is None else newest.size,
                () if gap is None else (Gap(log, int(gap["first"]), int(gap["end"])),),
            )
        return self._known[log]

    def state(self, row: PromiseRow) -> State:
        """What a promise is worth now."""
        _, _, origin_at, period, size, gaps = self.facts(row.origin)
        return state(
            _read(row),
            size=size,
            period=period,
            now=self.at,
            # without the beginning of that life only the size of the log tells that a proof is due
            origin_at=self.at if origin_at is None else origin_at,
            proved=row.proof is not None,
            opened_to_another=(row.origin, row.tick, row.place) in self._convicted(),
            gaps=gaps,
        )

    def over(self, row: PromiseRow) -> bool:
        """Whether the tick of a promise is over, by our clock or by the log's own size."""
        _, _, origin_at, period, size, _ = self.facts(row.origin)
        return size > row.tick or (origin_at is not None and self.at >= closes_at(row.tick, origin_at, period))

    def _convicted(self) -> frozenset[tuple[str, int, int]]:
        if self._guilty is None:
            self._guilty = frozenset(_places(self.tx))
        return self._guilty


def _number(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else None


def _places(tx: Reading) -> Iterator[tuple[str, int, int]]:
    """The places of logs about which a promise was broken, by the evidence kept."""
    for row in tx.find(Evidence):
        shape = msgspec.json.decode(row.body)
        envelopes = [shape["promise"]] if row.kind == EVIDENCE else shape.get("promises", ())
        for one in envelopes:
            found = read_promise(unverified_body(str(one).encode(), "promise")[0])
            yield found.origin, found.tick, found.place


def _read(row: PromiseRow) -> Promise:
    return read_promise(unverified_body(row.envelope, "promise")[0])


def promises(tx: Reading, at: Instant, party: str | None = None) -> list[dict[str, Any]]:
    """Every promise others made us, and what it is worth now: {party, name, act, origin, tick, place, at, due, state}.

    `due` is when its tick is over, None where the beginning of that life of the log is not known.
    """
    logs = _Logs(tx, at, {})
    found = []
    for row in tx.find(PromiseRow):
        if party is not None and parse_origin(row.origin)[0] != party:
            continue
        owner, name, origin_at, period, _, _ = logs.facts(row.origin)
        found.append(
            {
                "party": owner,
                "name": name,
                "act": row.act,
                "origin": row.origin,
                "tick": row.tick,
                "place": row.place,
                "at": format(row.at),
                "due": None if origin_at is None else format(closes_at(row.tick, origin_at, period)),
                "state": logs.state(row).value,
            }
        )
    return found


def open_promises(tx: Reading, at: Instant, party: str | None = None) -> list[dict[str, Any]]:
    """Promises that are not proved: pending, overdue, lost at restore, or broken; as `promises`."""
    return [row for row in promises(tx, at, party) if row["state"] != State.PROVED.value]


def worth(tx: Reading, at: Instant) -> dict[str, dict[str, int]]:
    """How many promises of each party stand in each state: {party: {state: n}}; parties that promised nothing are left out."""
    found: dict[str, dict[str, int]] = {}
    for row in promises(tx, at):
        counts = found.setdefault(row["party"], {})
        counts[row["state"]] = counts.get(row["state"], 0) + 1
    return found


# --- asking for proofs


def collect(node: Node, peer: str, fetch: Fetch, *, limit: int = ASKED_AT_ONCE) -> Collected:
    """Ask a party for the proofs of its promises whose tick is over, and keep what holds.

    Raises:
        LogFault: where a proof convicts the party of a broken promise or its log of a fork; the evidence is kept before.
        Unavailable: the store is busy. A peer that does not answer, or not well, raises nothing.
    """
    with deed(node) as work:
        acts = _next_due(work, peer, limit)
    kept = 0
    for act in acts:
        try:
            data = fetch(act)
        except Unavailable:
            break
        except (ComityError, OSError):
            continue
        kept += take_proof(node, peer, act, data)
    return Collected(kept, len(acts) - kept)


def take_proof(node: Node, peer: str, act: str, data: bytes) -> bool:
    """Take what a party's node answered at ``proof/<act>``; gives whether the proof is here now.

    Raises:
        LogFault: as `collect`.
    """
    fault: LogFault | None = None
    with deed(node) as work:
        try:
            kept, fault = keep_proof(work, peer, act, data)
        except PeerFault as broken:
            work.audit("proof-refused", {"party": peer, "act": act, "code": broken.code})
            kept = False
    if fault is not None:
        raise fault
    return kept


def _next_due(work: Deed, peer: str, limit: int) -> list[str]:
    """Acts whose proof is due, those after the ones that were asked for last first."""
    logs = _Logs(work.tx, work.at, {})
    rows = [row for log in _origins(work.tx, peer) for row in work.tx.find(PromiseRow, origin=log, proof=None)]
    due = [row for row in rows if logs.over(row) and logs.state(row).value in OPEN]
    if not due:
        return []
    last: list[Any] = read_setting(work.tx, f"asked/{peer}", [0, 0, 0])
    place = [(parse_origin(row.origin)[1], row.tick, row.place) for row in due]
    start = next((n for n, one in enumerate(place) if one > tuple(last)), 0)
    chosen = (due[start:] + due[:start])[:limit]
    end = chosen[-1]
    if len(due) > limit:
        put_setting(work.tx, f"asked/{peer}", [parse_origin(end.origin)[1], end.tick, end.place])
    return list(dict.fromkeys(row.act for row in chosen))


def _origins(tx: Reading, peer: str) -> Sequence[str]:
    """The lives of a party's log that are known here, in order."""
    shown: list[str] = read_setting(tx, f"origins/{peer}", [])
    life: int = read_setting(tx, f"life/{peer}", 1)
    return sorted({origin(peer, 1), *shown, origin(peer, life)}, key=lambda one: parse_origin(one)[1])


# --- taking a proof


def keep_proof(work: Deed, party: str, act: str, data: bytes) -> tuple[bool, LogFault | None]:
    """Check the proof of a promise and keep it.

    Args:
        data: The answer: {act, salt, tick, place, inner, root, outer, checkpoint, consistency?}, or {due}, or {lost}.

    Returns:
        Whether the proof is here now; and the fault for which evidence was kept, to be raised after the transaction.

    Raises:
        NotFound: `no-such-act` where no promise is kept for the act.
        InputRefused: `promise` for an answer that proves nothing. SealBroken: as `verify_kept`.
    """
    row = promise_for(work.tx, party, act)
    if row is None:
        raise NotFound("no-such-act", "No promise for that act is kept here.")
    if row.proof is not None:
        return True, None
    shape, opening = _opening(data)
    if opening is None:
        return False, None
    try:
        _verify(_read(row), opening, need_card(work.tx, party))
    except LogFault as broken:
        if broken.code != EVIDENCE:
            raise
        return False, _convict(work, party, row, shape)
    believed, fault = _checkpoint_held(work, party, row.origin, shape)
    if believed and fault is None:
        work.tx.put(replace(row, proof=data))
    return believed and fault is None, fault


def promise_for(tx: Reading, party: str, act: str) -> PromiseRow | None:
    """The promise a party made for an act."""
    return next((row for row in tx.find(PromiseRow, act=act) if parse_origin(row.origin)[0] == party), None)


def _opening(data: bytes) -> tuple[dict[str, Any], Opening | None]:
    try:
        shape = msgspec.json.decode(data)
        if "due" in shape or "lost" in shape:
            return {}, None
        opening = Opening(
            str(shape["act"]).encode(),
            bytes.fromhex(shape["salt"]),
            int(shape["place"]),
            tuple(bytes.fromhex(one) for one in shape["inner"]),
            bytes.fromhex(shape["root"]),
            outer_of(shape),
        )
    except (
        msgspec.DecodeError,
        UnicodeError,
        KeyError,
        TypeError,
        ValueError,
        RecursionError,
        OverflowError,
    ) as broken:
        raise InputRefused("promise", "What came as the proof of an act is none; ask the peer again.") from broken
    return shape, opening


def _verify(promised: Promise, opening: Opening, card: Card) -> None:
    """Verify with whichever log key of the card signed the checkpoint; what the right key says counts, not what others say."""
    fault: ComityError | None = None
    for one in (*card.keys, *card.retired):
        if one.use != "log":
            continue
        try:
            verify_kept(promised, opening, raw_key(one.key.spki))
        except ComityError as broken:
            fault = broken if fault is None or broken.code != "note-signature" else fault
        else:
            return
    raise fault or NotFound("no-such-party", f"The card of {card.name} lists no log key.")


def check_kept(row: PromiseRow, card: Card) -> None:
    """Check the proof of a promise again, as it is kept.

    Args:
        card: The newest card of the party that promised, with its past keys.

    Raises:
        ComityError: as `keep_proof`; `promise` where what is kept proves nothing.
    """
    _, opening = _opening(row.proof or b"")
    if opening is None:
        raise InputRefused("promise", "What is kept as the proof of an act is none.")
    _verify(_read(row), opening, card)


def _checkpoint_held(work: Deed, party: str, log: str, shape: Mapping[str, Any]) -> tuple[bool, LogFault | None]:
    """Whether the checkpoint of a proof is one we hold, or follows from one by the consistency proof that came with it."""
    note = str(shape["checkpoint"]).encode()
    size = read_checkpoint(note).size
    same = work.tx.get(CheckpointRow, log, size)
    if same is not None:  # equal roots, or a fork
        return True, note_checkpoint(work, None, note, 0, ())
    newest = next(iter(work.tx.find(CheckpointRow, origin=log, reverse=True, limit=1)), None)
    if newest is not None and size < newest.size:
        return False, None
    start, hashes = _consistency(shape.get("consistency"))
    fault = note_checkpoint(work, party if log == _origins(work.tx, party)[-1] else None, note, start, hashes)
    return work.tx.get(CheckpointRow, log, size) is not None, fault


def _consistency(shape: Any) -> tuple[int, tuple[bytes, ...]]:
    try:
        return int(shape["size"]), tuple(bytes.fromhex(one) for one in shape["hashes"])
    except (KeyError, TypeError, ValueError, OverflowError):
        return 0, ()


# --- evidence


def _convict(work: Deed, party: str, row: PromiseRow, shape: Mapping[str, Any]) -> LogFault:
    """Keep promise and proof, which together convict."""
    names = ("act", "salt", "tick", "place", "inner", "root", "outer", "checkpoint")
    body = canonical(
        {
            "form": 1,
            "type": "comity-broken-promise",
            "promise": row.envelope.decode(),
            "proof": {name: shape[name] for name in names},
        }
    )
    digest = sha256(body).hexdigest()
    if work.tx.get(Evidence, digest) is None:
        work.tx.add([Evidence(digest, party, EVIDENCE, body, work.at)])
        work.audit("evidence", {"party": party, "kind": EVIDENCE, "digest": digest})
    return LogFault(
        EVIDENCE,
        f"{name_of(work.tx, party)} shows another act in the place it promised; the evidence {digest[:16]}… is kept and convinces "
        "others.",
        party=party,
        evidence=digest,
    )


def verify_broken_promise(body: bytes, card: Card) -> Promise:
    """Check, offline, evidence that a party broke a promise; gives the promise.

    Args:
        body: The evidence as it is kept: {form, type, promise, proof}.
        card: The newest card of the party, verified, with its past keys.

    Raises:
        InputRefused: `fork-evidence` where it convicts nobody. SealBroken: where promise or proof were not signed by its log.
    """
    try:
        shape = msgspec.json.decode(body)
        promise, proof = str(shape["promise"]).encode(), canonical(shape["proof"])
    except (msgspec.DecodeError, KeyError, TypeError, ComityError) as broken:
        raise InputRefused("fork-evidence", "This is no evidence of a broken promise.") from broken
    logs = {one.key.keyid: one.key for one in (*card.keys, *card.retired) if one.use == "log"}
    promised = open_promise(promise, logs)
    _, opening = _opening(proof)
    if opening is not None:
        try:
            _verify(promised, opening, card)
        except LogFault as broken:
            if broken.code == EVIDENCE:
                return promised
            raise
    raise InputRefused("fork-evidence", "The promise was kept, or may still be; nobody is convicted.")
