"""A participant's copy of a ledger: what it was sent, in any order, folded; and what it can prove against the convener.

Entries that came too early wait for those before them. Every paper is compared with every other one the participant holds:
what cannot both be true becomes a file of evidence (`evidence.py`), at once. What is only suspicious is a doubt, never guilt:
an act heard from its author that the convener neither entered nor promised, an entry dated ahead of the own clock.

A copy follows the first history it was shown; a second one is evidence and is not followed. An election by the others is
followed like any entry.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from comity.kernel.errors import ComityError, InputRefused
from comity.kernel.model import instants
from comity.kernel.model.instants import Instant
from comity.kernel.procedure.acts import Act, claimed_act, open_act
from comity.kernel.procedure.evidence import claims, evidence
from comity.kernel.procedure.fold import fold, follow
from comity.kernel.procedure.judging import SEAT, State
from comity.kernel.procedure.ledger import (
    Entry,
    Keys,
    Promise,
    Standing,
    open_entry,
    open_promise,
    open_standing,
)
from comity.kernel.procedure.tables import Table
from comity.kernel.seal.canonical import canonical

MOST_WAITING: Final = 4096
"""So many entries may wait for those before them."""


@dataclass(frozen=True, slots=True)
class Heard:
    """An act as its author showed it to us, and when it came."""

    act: Act
    envelope: bytes
    came: Instant


@dataclass(frozen=True, slots=True)
class Doubt:
    """Something that looks wrong and proves nothing: `word` is unanswered, late, ahead-of-us, rival, recorded or waiting."""

    word: str
    sentence: str


@dataclass(frozen=True, slots=True)
class Placed:
    """One entry that follows: its envelope, what it says, the digest of its act, the state after it, and when it came."""

    envelope: bytes
    entry: Entry
    act: str
    state: State
    came: Instant


@dataclass(frozen=True, slots=True)
class Replica:
    """What one participant holds of one procedure.

    Args:
        table: The state table.
        procedure: The case.
        placed: The entries that follow each other from place 0.
        waiting: Entries that came too early, by place.
        promises, standings: What the convener signed besides, with what it says.
        heard: Acts that their authors showed us, and our own.
        claimed: For each log and place the first digest its convener signed for it, and the paper.
        faults: Files of evidence, each once.
        rivals: Entries that do not belong to the history we follow and convict nobody.
    """

    table: Table
    procedure: str
    placed: tuple[Placed, ...] = ()
    waiting: Mapping[int, tuple[bytes, ...]] = field(default_factory=dict)
    promises: tuple[tuple[bytes, Promise], ...] = ()
    standings: tuple[tuple[bytes, Standing], ...] = ()
    heard: tuple[Heard, ...] = ()
    claimed: Mapping[tuple[str, int], tuple[str, bytes]] = field(default_factory=dict)
    faults: tuple[bytes, ...] = ()
    rivals: tuple[bytes, ...] = ()

    @property
    def state(self) -> State | None:
        """The state after the last entry that follows; None before the first."""
        return self.placed[-1].state if self.placed else None

    @property
    def entries(self) -> tuple[bytes, ...]:
        """The envelopes of the entries that follow, from place 0."""
        return tuple(one.envelope for one in self.placed)


def take_entry(replica: Replica, envelope: bytes, at: Instant, keys: Keys) -> Replica:
    """The copy with one more entry, and with the evidence it gives.

    Raises:
        SealBroken: where it is not signed by the convener it names.
        InputRefused: `ledger-entry` where it is malformed, of another procedure, or too many wait.
    """
    entry, signers = open_entry(envelope, keys)
    _of(replica, entry.procedure)
    if entry.seq < len(replica.placed):
        return _second(replica, entry, signers, envelope, keys)
    queue = replica.waiting.get(entry.seq, ())
    if envelope in queue:
        return replica
    if sum(map(len, replica.waiting.values())) >= MOST_WAITING:
        raise InputRefused(
            "ledger-entry", "Too many entries wait for those before them; ask for the missing ones first."
        )
    replica = replace(replica, waiting={**replica.waiting, entry.seq: (*queue, envelope)})
    return _caught_up(replica, at, keys)


def take_promise(replica: Replica, envelope: bytes, keys: Keys) -> Replica:
    """The copy with one more promise, ours or one that another party shows us.

    Raises:
        SealBroken, InputRefused: as `open_promise`; `ledger-promise` for another procedure.
    """
    promise = open_promise(envelope, keys)
    _of(replica, promise.procedure)
    if envelope in {paper for paper, _ in replica.promises}:
        return replica
    for paper, other in replica.promises:
        both = promise.exact and other.exact and promise.last == other.last and promise.origin == other.origin
        if both and promise.act != other.act:
            replica = _fault(replica, "two-promises", paper, envelope)
    replica = _compared(replica, envelope, keys)
    replica = replace(replica, promises=(*replica.promises, (envelope, promise)))
    for placed in replica.placed:
        replica = _kept(replica, envelope, promise, placed)
    return _dated(replica, envelope, promise)


def take_standing(replica: Replica, envelope: bytes, keys: Keys) -> Replica:
    """The copy with one more standing.

    Raises:
        SealBroken, InputRefused: as `open_standing`; `ledger-standing` for another procedure.
    """
    said = open_standing(envelope, keys)
    _of(replica, said.procedure)
    if envelope in {paper for paper, _ in replica.standings}:
        return replica
    replica = _compared(replica, envelope, keys)
    replica = replace(replica, standings=(*replica.standings, (envelope, said)))
    return _dated(_shown(replica, envelope, said), envelope, said)


def hear(replica: Replica, envelope: bytes, at: Instant, keys: Keys) -> Replica:
    """The copy with an act that its author showed us, so that it cannot be dropped unseen.

    Raises:
        InputRefused: `procedure-act` where it is of another procedure or of nobody who takes part.
        SealBroken: where its author did not sign it.
    """
    claimed = claimed_act(envelope)
    if claimed.procedure != replica.procedure or replica.state is None:
        raise InputRefused("procedure-act", "The act is of another procedure, or of one that is not open here yet.")
    if claimed.by.startswith(SEAT):
        place, seats = int(claimed.by.removeprefix(SEAT)), replica.state.seats
        seat = seats[place - 1] if place <= len(seats) else None
        held = {} if seat is None else {seat.keyid: seat}
    else:
        held = dict(keys.get(claimed.by, {}))
    act = open_act(envelope, held)
    known = [one for one in replica.heard if (one.act.by, one.act.n) == (act.by, act.n)]
    if any(one.act.digest == act.digest for one in known):
        return replica
    for one in known:
        replica = _fault(replica, "two-acts", one.envelope, envelope)
    return replace(replica, heard=(*replica.heard, Heard(act, envelope, at)))


def unanswered(replica: Replica) -> tuple[Heard, ...]:
    """Acts we heard of that the convener has neither entered nor promised to enter, in the order they came.

    While there is one, nothing that needs the silence of its author stands: show it to the convener and to the others.
    """
    entered = {placed.act for placed in replica.placed}
    promised = {promise.act for _, promise in replica.promises}
    return tuple(one for one in replica.heard if one.act.digest not in entered | promised)


def doubts(replica: Replica) -> tuple[Doubt, ...]:
    """What looks wrong and proves nothing."""
    told = [
        Doubt("unanswered", f"{one.act.by} did {one.act.type}, and the convener has neither entered nor promised it.")
        for one in unanswered(replica)
    ]
    came = {one.act.digest: one.came for one in replica.heard}
    for placed in replica.placed:
        state = placed.state
        # The convener dates an act when it says it got it. An objection that all heard long before, and that came to nothing
        # because the case had moved on meanwhile, was held back by somebody.
        if placed.entry.refused is not None and placed.entry.at > state.charter.ahead(
            came.get(placed.act, placed.entry.at)
        ):
            told.append(
                Doubt(
                    "late",
                    f"Entry {state.seq} refuses an act as of {instants.format(placed.entry.at)} that was heard here on "
                    f"{instants.format(came[placed.act])}; ask its author when it was sent.",
                )
            )
        if state.at > state.charter.ahead(placed.came):
            told.append(
                Doubt(
                    "ahead-of-us",
                    f"Entry {state.seq} is dated {instants.format(state.at)}, ahead of our clock; compare clocks.",
                )
            )
    told += _recorded_apart(replica)
    if replica.rivals:
        told.append(
            Doubt(
                "rival",
                "Another party enters acts in this procedure as its convener; ask the others whom they elected.",
            )
        )
    if replica.waiting:
        told.append(
            Doubt("waiting", f"Entry {len(replica.placed)} has not come; ask the convener or another participant.")
        )
    return tuple(told)


def _recorded_apart(replica: Replica) -> list[Doubt]:
    """For each party without a node, that two recorders had it say different things of one text."""
    words: dict[tuple[str, str], dict[str, str]] = {}
    for placed in replica.placed:
        act = claimed_act(placed.entry.act)
        if act.recorded is None or placed.entry.refused is not None:
            continue
        if any(step.word == "vote" for row in replica.table.rows if row.act == act.type for step in row.effects):
            words.setdefault((act.head, str(act.open.get("text"))), {}).setdefault(act.type, act.by)
    return [
        Doubt(
            "recorded",
            f"What was recorded for {party} differs: {', '.join(f'{by} recorded {one}' for one, by in said.items())}; "
            "ask the party itself.",
        )
        for (party, _), said in words.items()
        if len(set(said.values())) > 1
    ]


def join(table: Table, standing: bytes, entries: Iterable[bytes], at: Instant, keys: Keys) -> Replica:
    """A late joiner's copy, from a standing and all entries up to it: it believes the entries, and checks the standing.

    Raises:
        InputRefused: `ledger-standing` where the entries do not lead to the head or the state it shows; `ledger-follow`.
        SealBroken: where a signature does not hold.
    """
    said, papers = open_standing(standing, keys), tuple(entries)
    state = fold(table, papers, keys)
    same = (state.procedure, state.seq, state.head) == (said.procedure, said.head_seq, said.head)
    if not same or canonical(state.as_json()) != canonical(dict(said.state)):
        raise InputRefused(
            "ledger-standing",
            "The standing does not show what its entries lead to; keep both, and ask another participant.",
        )
    replica = Replica(table, said.procedure)
    for paper in papers:
        replica = take_entry(replica, paper, at, keys)
    return take_standing(replica, standing, keys)


# ---------------------------------------------------------------- comparing


def _of(replica: Replica, procedure: str) -> None:
    if procedure != replica.procedure:
        raise InputRefused("ledger-entry", "The paper is of another procedure; file it there.")


def _fault(replica: Replica, fault: str, *papers: bytes) -> Replica:
    found = evidence(fault, papers)
    if found in replica.faults:
        return replica
    # What convicts is evidence from now on, and no rival that proves nothing.
    rivals = tuple(one for one in replica.rivals if one not in papers)
    return replace(replica, faults=(*replica.faults, found), rivals=rivals)


def _second(replica: Replica, entry: Entry, signers: frozenset[str], envelope: bytes, keys: Keys) -> Replica:
    held = replica.placed[entry.seq]
    if held.entry.digest == entry.digest:
        return replica
    contradicted = _contradicted(replica, envelope, keys)
    replica = _compared(replica, envelope, keys)
    if held.entry.origin == entry.origin:
        return _fault(replica, "fork", held.envelope, envelope)
    ours, theirs = (("convener", one.origin) in one.effect for one in (held.entry, entry))
    if ours and theirs and held.entry.previous == entry.previous and signers & open_entry(held.envelope, keys)[1]:
        return _fault(replica, "two-elections", held.envelope, envelope)
    return _rival(replica, envelope, contradicted=contradicted)


def _rival(replica: Replica, envelope: bytes, *, contradicted: bool) -> Replica:
    """The copy with an entry of another history; one that convicts its convener is evidence and no rival."""
    if contradicted or envelope in replica.rivals:
        return replica
    return replace(replica, rivals=(*replica.rivals, envelope))


def _contradicted(replica: Replica, envelope: bytes, keys: Keys) -> bool:
    """Whether the convener of a paper signed another digest for one of its places before."""
    said = claims(envelope, keys)
    return any(replica.claimed.get((said.origin, at), (digest, b""))[0] != digest for at, digest in said.places.items())


def _compared(replica: Replica, envelope: bytes, keys: Keys) -> Replica:
    """The copy with what a paper claims, and with a fork where its convener claimed something else before."""
    said = claims(envelope, keys)
    claimed = dict(replica.claimed)
    for place, digest in said.places.items():
        known, paper = claimed.setdefault((said.origin, place), (digest, envelope))
        if known != digest:
            return _fault(replica, "fork", paper, envelope)
    return replace(replica, claimed=claimed)


def _caught_up(replica: Replica, at: Instant, keys: Keys) -> Replica:
    while (queue := replica.waiting.get(len(replica.placed), ())) != ():
        place = len(replica.placed)
        replica = replace(replica, waiting={seq: some for seq, some in replica.waiting.items() if seq != place})
        for envelope in queue:
            entry, signers = open_entry(envelope, keys)
            if len(replica.placed) > place:
                replica = _second(replica, entry, signers, envelope, keys)
            else:
                replica = _next(replica, entry, envelope, at, keys)
        if len(replica.placed) == place:
            break
    return replica


def _next(replica: Replica, entry: Entry, envelope: bytes, at: Instant, keys: Keys) -> Replica:
    contradicted = _contradicted(replica, envelope, keys)
    replica = _compared(replica, envelope, keys)
    if replica.state is not None and entry.previous != replica.state.head:
        return _rival(replica, envelope, contradicted=contradicted)
    try:
        state = follow(replica.table, replica.state, envelope, keys)
    except ComityError as broken:
        if broken.code not in ("ledger-follow", "procedure-charter"):
            raise
        return _fault(replica, "not-following", *replica.entries, envelope)
    placed = Placed(envelope, entry, claimed_act(entry.act).digest, state, at)
    replica = replace(replica, placed=(*replica.placed, placed))
    for paper, promise in replica.promises:
        replica = _dated(_kept(replica, paper, promise, placed), paper, promise)
    for paper, said in replica.standings:
        replica = _dated(_shown(replica, paper, said), paper, said)
    return replica


def _kept(replica: Replica, paper: bytes, promise: Promise, placed: Placed) -> Replica:
    """The copy with what an entry shows against a promise of the same convener."""
    seq = placed.entry.seq
    if placed.entry.origin != promise.origin:
        return replica
    if placed.act == promise.act:
        kept = promise.head_seq < seq <= promise.last and placed.entry.at == promise.at
        return replica if kept else _fault(replica, "promise-changed", paper, placed.envelope)
    stretch = replica.placed[promise.head_seq + 1 : promise.last + 1]
    if seq != promise.last or replica.placed[promise.head_seq].entry.digest != promise.head:
        return replica
    if any(one.act == promise.act or one.entry.origin != promise.origin for one in stretch):
        return replica
    return _fault(replica, "promise-broken", paper, *(one.envelope for one in stretch))


def _shown(replica: Replica, paper: bytes, said: Standing) -> Replica:
    if said.head_seq >= len(replica.placed) or replica.placed[said.head_seq].entry.digest != said.head:
        return replica
    if canonical(replica.placed[said.head_seq].state.as_json()) == canonical(dict(said.state)):
        return replica
    return _fault(replica, "false-standing", paper, *replica.entries[: said.head_seq + 1])


def _dated(replica: Replica, paper: bytes, said: Promise | Standing) -> Replica:
    """The copy with the entry that stands after a paper and has an earlier instant; instants rise, so the first one tells."""
    after = replica.placed[said.head_seq + 1 : said.head_seq + 2]
    if after and after[0].entry.at < said.at and after[0].entry.origin == said.origin:
        return _fault(replica, "back-dated", paper, after[0].envelope)
    return replica
