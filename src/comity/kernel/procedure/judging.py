"""What an act amounts to: the row of the state table that applies, its effect and the state after, or why it is refused.

`judge` is the one function that decides this: the convener calls it before it enters an act, every participant calls it on the
entry, and the evidence against a convener calls it again. It uses only what is public: the type and public part of the act, who
acts, the state before, the instant of the entry and who signed it.

Source: docs/formats/procedure.md, Folding.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final, NoReturn

from comity.kernel.errors import ComityError
from comity.kernel.model import instants
from comity.kernel.model.ids import type_of
from comity.kernel.model.instants import Instant
from comity.kernel.procedure.acts import ROADS, Act, Recorded
from comity.kernel.procedure.calendar import after
from comity.kernel.procedure.charter import Charter
from comity.kernel.procedure.rules import RECEIPT, Decision, Outcome, Reason, decide
from comity.kernel.procedure.tables import ActKind, Row, Step, Table
from comity.kernel.seal.keys import PublicKey
from comity.kernel.tlog.checkpoint import parse_origin
from comity.kernel.tlog.strict import unhex

Op = tuple[Any, ...]

SEAT: Final = "seat-"


@dataclass(frozen=True, slots=True)
class Said:
    """One vote or mark: the word, when it was entered, and where."""

    word: str
    at: Instant
    seq: int


@dataclass(frozen=True, slots=True)
class Note:
    """One recorded act that was entered: whose word, what, by whom recorded, where, and whether it counted or is shown only."""

    said: Recorded
    type: str
    by: str
    seq: int
    counts: bool

    def as_json(self) -> dict[str, Any]:
        """The members of `Recorded`, with type, by, seq and counts."""
        return {**self.said.as_json(), "type": self.type, "by": self.by, "seq": self.seq, "counts": self.counts}


@dataclass(frozen=True, slots=True)
class Clock:
    """One clock of a case: instants in microseconds, and the entries that are the evidence.

    `stopped_at` is None while nothing stopped it; then it is over from `due` on.
    """

    started_at: Instant
    started_by: int
    due: Instant
    extended_by: tuple[int, ...] = ()
    stopped_at: Instant | None = None
    stopped_by: int | None = None

    def running(self, at: Instant) -> bool:
        """Whether it runs and is not over."""
        return self.stopped_at is None and at < self.due

    def over(self, at: Instant) -> bool:
        """Whether it has run out."""
        return self.stopped_at is None and at >= self.due


@dataclass(frozen=True, slots=True)
class State:
    """A case after an entry; every participant that has the entries has this state.

    Args:
        procedure, charter: The case and what it was opened with.
        origin: The present convener's log.
        seq, head, at: Place, digest and instant of the last entry.
        name: The state of the table.
        participants: Who takes part now.
        seats: The keys of the seats; None where one was given up.
        counts: How many acts each head has made.
        text, text_by, text_seq, text_at: The text on the table (a digest), whose it is, where and when it was put.
        clocks, votes, marks: By clock; by head; by head and word.
        outcome: None while the case runs, then ``adopted`` or ``closed``.
        decision: What the rule said when it ended.
        recorded: What was recorded for parties without a node, in order.
    """

    procedure: str
    charter: Charter
    origin: str
    seq: int
    head: str
    at: Instant
    name: str
    participants: tuple[str, ...]
    seats: tuple[PublicKey | None, ...]
    counts: Mapping[str, int]
    text: str | None = None
    text_by: str | None = None
    text_seq: int | None = None
    text_at: Instant | None = None
    clocks: Mapping[str, Clock] = field(default_factory=dict)
    votes: Mapping[str, Said] = field(default_factory=dict)
    marks: Mapping[str, Mapping[str, Said]] = field(default_factory=dict)
    outcome: str | None = None
    decision: Decision | None = None
    recorded: tuple[Note, ...] = ()

    @property
    def convener(self) -> str:
        """The party id of the present convener."""
        return parse_origin(self.origin)[0]

    @property
    def represented(self) -> frozenset[str]:
        """Who takes part by what others record: named so in the charter, and has not acted itself."""
        return frozenset(
            party for party in self.charter.represented if party in self.participants and not self.counts.get(party)
        )

    def as_json(self) -> dict[str, Any]:
        """The whole state as JSON; two states are the same where this is."""

        def said(one: Said) -> dict[str, Any]:
            return {"word": one.word, "at": instants.format(one.at), "seq": one.seq}

        def clock(one: Clock) -> dict[str, Any]:
            return {
                "started": {"at": instants.format(one.started_at), "seq": one.started_by},
                "due": instants.format(one.due),
                "extended": list(one.extended_by),
                "stopped": None
                if one.stopped_at is None
                else {"at": instants.format(one.stopped_at), "seq": one.stopped_by},
            }

        return {
            "procedure": self.procedure,
            "table": self.charter.table,
            "origin": self.origin,
            "seq": self.seq,
            "head": self.head,
            "at": instants.format(self.at),
            "state": self.name,
            "participants": list(self.participants),
            "seats": [None if key is None else key.spki.hex() for key in self.seats],
            "counts": dict(self.counts),
            "text": None if self.text is None else {"digest": self.text, "by": self.text_by, "seq": self.text_seq},
            "clocks": {name: clock(one) for name, one in self.clocks.items()},
            "votes": {head: said(one) for head, one in self.votes.items()},
            "marks": {head: {word: said(one) for word, one in marks.items()} for head, marks in self.marks.items()},
            "outcome": self.outcome,
            "decision": None if self.decision is None else self.decision.as_json(),
            **({"recorded": [one.as_json() for one in self.recorded]} if self.recorded else {}),
        }


@dataclass(frozen=True, slots=True)
class Applied:
    """The act is entered: the row, its effect as it stands in the entry, and the state after it."""

    row: Row
    effect: tuple[Op, ...]
    after: State


@dataclass(frozen=True, slots=True)
class Refused:
    """The act does not count; code and sentence stand in the entry, and nothing changes."""

    code: str
    sentence: str


class _No(Exception):
    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.refused = Refused(code, sentence)


def judge(table: Table, state: State, act: Act, at: Instant, signers: frozenset[str]) -> Applied | Refused:
    """What an act amounts to if it is entered next.

    Args:
        table: The table of the case.
        state: The state before.
        act: The act; that its author signed it, and that it is the next of that author, is the caller's to check.
        at: The instant of the entry.
        signers: The parties that signed the entry.

    Returns:
        `Applied` or `Refused` with one of the codes ``step-...``. It never raises for an act that could be read.
    """
    try:
        return _judged(table, state, act, at, signers)
    except _No as no:
        return no.refused
    except ComityError as broken:  # a stretch of time that leaves the calendar
        return Refused("step-window", broken.sentence)


def decision(table: Table, state: State, at: Instant) -> Decision | None:
    """What the rule of decision says at an instant, head by head; None where the table has no rule.

    The reason of a head whose word was recorded by another says so, and from what.
    """
    said = _decision(table, state, at)
    if said is None or not state.recorded:
        return said
    return replace(said, reasons=tuple(_with_source(state, one) for one in said.reasons))


def _with_source(state: State, reason: Reason) -> Reason:
    vote, receipt = state.votes.get(reason.head), state.marks.get(reason.head, {}).get(RECEIPT)
    spoke = vote or receipt
    note = None if spoke is None else next((one for one in state.recorded if one.seq == spoke.seq), None)
    if note is None:
        return reason
    return replace(reason, sentence=f"{reason.sentence} {note.by} recorded it from {note.said.source}.")


def _decision(table: Table, state: State, at: Instant) -> Decision | None:
    rule = table.rule
    if rule is None:
        return None
    clock = None if rule.clock is None else state.clocks.get(rule.clock)
    votes = {head: said.word for head, said in state.votes.items()}
    if rule.kind != "silence":
        seated = any(act.seat for act in table.acts.values() if _votes(table, act))
        heads = (
            tuple(f"{SEAT}{place}" for place, key in enumerate(state.seats, 1) if key is not None)
            if seated
            else state.participants
        )
        return decide(rule, heads, votes, over=clock is not None and clock.over(at), at=at)
    until: dict[str, Instant] = {}
    if clock is not None and rule.clock is not None:
        minimum = table.clocks[rule.clock].minimum
        for party in state.participants:
            receipt = state.marks.get(party, {}).get(RECEIPT)
            if receipt is not None:
                # Nobody has less time than the minimum window from its own officer's receipt.
                own = receipt.at if minimum is None else _after(state, receipt.at, minimum)
                until[party] = max(clock.due, own)
    return decide(rule, state.participants, votes, silent_until=until, at=at)


def possible(table: Table, state: State, at: Instant) -> tuple[tuple[str, str, str | None], ...]:
    """Every act the state has rows for: (type, who may do it, what it still waits for or None), for people to look at."""
    told = []
    for name in table.acts_in(state.name):
        waits = [_missing(table, state, row, None, at, frozenset()) for row in table.rows_of(state.name, name)]
        told.append((name, table.acts[name].by, None if None in waits else waits[0]))
    return tuple(told)


# ---------------------------------------------------------------- judging


def _judged(table: Table, state: State, act: Act, at: Instant, signers: frozenset[str]) -> Applied:
    if state.outcome is not None:
        raise _No("step-state", f"The case ended in the state {state.name}.")
    kind = table.acts.get(act.type)
    rows = table.rows_of(state.name, act.type)
    if kind is None or not rows:
        raise _No("step-state", f"The act {act.type} is not among those of the state {state.name}.")
    _who(state, act, kind)
    _public(act, kind)
    if kind.officer and act.officers is None:
        raise _No("step-officer", f"The act {act.type} needs an officer, and none stands behind this one.")
    if act.at > state.charter.ahead(at):
        raise _No("step-future", "The act names an instant that has not come yet.")
    word = None if act.recorded is None else _recordable(table, state, act, kind, act.recorded, at)
    failed = None
    for row in rows:
        missing = _missing(table, state, row, act, at, signers)
        if missing is None:
            return _shown(state, row, act) if word == "shown" else _applied(table, state, row, act, at)
        failed = failed or missing
    raise _No("step-guard", f"The act {act.type} needs that {failed}.")


def _who(state: State, act: Act, kind: ActKind) -> None:
    if act.by.startswith(SEAT):
        place = int(act.by.removeprefix(SEAT))
        if not kind.seat or place > len(state.seats) or state.seats[place - 1] is None:
            raise _No("step-who", f"The act {act.type} is not done under this seat.")
        return
    may = {
        "convener": act.head == state.convener,
        "participant": act.head in state.participants,
        "author": act.head == state.text_by,
        "any": act.head in state.participants or act.head == state.convener,
    }
    if kind.seat or not may[kind.by]:
        raise _No("step-who", f"The act {act.type} is not for this party.")


def _recordable(table: Table, state: State, act: Act, kind: ActKind, said: Recorded, at: Instant) -> str:
    """What becomes of a recorded act: a key of `tables.RECORDED`."""
    word = kind.recorded.get(said.road)
    if act.by not in state.charter.represented.get(said.party, ()):
        _unrecorded(f"{act.by} is not named in the charter as who records for {said.party}")
    if act.by not in state.participants and act.by != state.convener:
        _unrecorded(f"{act.by} takes part no more, so it records for nobody")
    if said.party not in state.represented:
        _unrecorded(f"{said.party} acts itself here, so nobody records for it")
    if word is None:
        _unrecorded(f"the procedure does not let the act {act.type} be recorded from {ROADS[said.road]}")
    if said.received > act.at:
        raise _No("step-future", "The act records what was received at an instant that has not come yet.")
    text_at = state.text_at
    # Nobody answers a text before there is one: an old note under a new text says nothing of it.
    if "text" in act.open and text_at is not None and state.charter.ahead(said.received) < text_at:
        _unrecorded(f"what was received on {instants.format(said.received)} came before the text was put")
    for note in state.recorded:
        if (note.said.party, note.type) != (said.party, act.type):
            continue
        if _key(note.said.reference) == _key(said.reference) or (note.said.document or "") == said.document:
            _unrecorded(f"{said.source} is recorded already, at place {note.seq}")
    vote = state.votes.get(said.party)
    stands = None if vote is None else next((one for one in state.recorded if one.seq == vote.seq), None)
    votes = any(effect.word == "vote" for row in table.rows_of(state.name, act.type) for effect in row.effects)
    if votes and stands is not None and stands.said.received > said.received:
        _unrecorded(f"a later word of {said.party} is recorded at place {stands.seq}")
    return word


def _key(reference: str) -> str:
    """What two spellings of one reference have in common: letters and digits."""
    return "".join(one for one in reference.casefold() if one.isalnum())


def _unrecorded(why: str) -> NoReturn:
    raise _No("step-recorded", f"It cannot be recorded: {why}.")


def _public(act: Act, kind: ActKind) -> None:
    needed = {name for name, form in kind.open.items() if not form.endswith("?")}
    allowed = {name: form.removesuffix("?") for name, form in kind.open.items()}
    if not needed <= set(act.open) <= set(allowed):
        raise _No(
            "step-open", f"The public part of the act {act.type} has {', '.join(sorted(allowed)) or 'no members'}."
        )
    for name, value in act.open.items():
        if not isinstance(value, str) or not _fits(allowed[name], value):
            raise _No("step-open", f"{name!r} of the act {act.type} has not the form of its kind, {allowed[name]}.")


def _fits(kind: str, value: str) -> bool:
    try:
        match kind:
            case "digest":
                unhex(value, "procedure-act", "A digest", length=32)
            case "instant":
                return instants.format(instants.parse(value)) == value
            case "party":
                return type_of(value) == "identity"
            case "origin":
                parse_origin(value)
            case "key":
                PublicKey(unhex(value, "procedure-act", "A key", length=44))
            case _:
                return value.replace("-", "").isalnum() and value.islower() and value.isascii() and len(value) <= 64
    except ComityError:
        return False
    return True


def _missing(table: Table, state: State, row: Row, act: Act | None, at: Instant, signers: frozenset[str]) -> str | None:
    for guard in row.when:
        if not _holds(table, state, row, guard, act, at, signers):
            return guard.sentence
    return None


def _holds(
    table: Table, state: State, row: Row, guard: Step, act: Act | None, at: Instant, signers: frozenset[str]
) -> bool:
    word, about = guard.word, guard.argument or ""
    marked = {head for head, marks in state.marks.items() if about in marks}
    named = "" if act is None else str(act.open.get("party", ""))
    match word:
        case "running" | "over":
            clock = state.clocks.get(about)
            return clock is not None and (clock.running(at) if word == "running" else clock.over(at))
        case "adopted" | "rejected":
            said = decision(table, state, at)
            return said is not None and said.outcome is (Outcome.ADOPTED if word == "adopted" else Outcome.REJECTED)
        case "all":
            return set(state.participants) <= marked
        case "some":
            return bool(set(state.participants) & marked)
        case "each":
            first, second = about.split("/")
            return all(second in marks for marks in state.marks.values() if first in marks)
        case "marked" | "unmarked":
            return act is None or (act.head in marked) == (word == "marked")
        case "other-marked" | "other-unmarked":
            return act is None or (named in marked) == (word == "other-marked")
        case "newcomer":
            return named not in state.participants
        case "taking-part":
            return named in state.participants
        case "gone":
            return at >= _after(state, state.at, table.gone_after)
        case "accepted":
            return act is not None and parse_origin(str(act.open["origin"]))[0] in signers
        case _:
            elects = any(effect.word == "elect" for effect in row.effects)
            concerned = {named} | ({state.convener} if elects else set())
            # Who has no node signs nothing; it is not counted among those who could.
            others = set(state.participants) - concerned - state.represented
            return 2 * len(others & signers) > len(others)


# ---------------------------------------------------------------- effects


def _shown(state: State, row: Row, act: Act) -> Applied:
    _about(state, act)
    return Applied(row, (("shown", act.type, act.head),), replace(state, recorded=_noted(state, act, counts=False)))


def _noted(state: State, act: Act, *, counts: bool) -> tuple[Note, ...]:
    if act.recorded is None:
        return state.recorded
    return (*state.recorded, Note(act.recorded, act.type, act.by, state.seq + 1, counts))


def _about(state: State, act: Act) -> None:
    if "text" in act.open and act.open["text"] != state.text:
        raise _No("step-text", "The act is about another text than the one on the table.")


def _applied(table: Table, state: State, row: Row, act: Act, at: Instant) -> Applied:
    words = {effect.word for effect in row.effects}
    if "text" not in words:
        _about(state, act)
    if "elect" in words and parse_origin(str(act.open["origin"]))[0] != act.by:
        raise _No("step-who", "Who is elected makes the act itself.")
    ops: list[Op] = []
    for effect in row.effects:
        ops += _ops(table, state, effect, act, at)
    said = decision(table, state, at) if words & {"adopt", "close"} else None
    grown = replace(state, name=row.to, decision=said, recorded=_noted(state, act, counts=True))
    for op in ops:
        grown = _apply(grown, op, act, at)
    return Applied(row, tuple(ops), grown)


def _ops(table: Table, state: State, effect: Step, act: Act, at: Instant) -> list[Op]:
    word, about, public = effect.word, effect.argument or "", act.open
    clock = state.clocks.get(about)
    match word:
        case "text":
            return [(word, public["text"])]
        case "start":
            return [(word, about, instants.format(_due(table, state, about, public.get("until"), at)))]
        case "stop":
            return [] if clock is None or clock.stopped_at is not None else [(word, about)]
        case "extend":
            until = instants.parse(public["until"])
            if clock is None or not clock.running(at) or until <= clock.due:
                raise _No(
                    "step-window", f"The clock {about} is moved to a later instant while it runs, and never back."
                )
            return [(word, about, public["until"])]
        case "vote" | "mark":
            return [(word, about, act.head)]
        case "mark-other":
            return [("mark", about, public["party"])]
        case "adopt":
            return [(word, state.text)]
        case "admit":
            if bool(state.seats) != ("key" in public):
                raise _No("step-open", "Who joins brings a key for its seat, where there are seats.")
            if any(key is not None and key.spki.hex() == public.get("key") for key in state.seats):
                raise _No("step-open", "Another seat has this key.")
            return [(word, public["party"], public.get("key"))]
        case "remove":
            held = {key.spki.hex() for key in state.seats if key is not None}
            if bool(state.seats) != ("key" in public) or (state.seats and public["key"] not in held):
                raise _No("step-open", "The key of the seat that is given up is named, where there are seats.")
            return [(word, public["party"], public.get("key"))]
        case "hand-over" | "elect":
            return [("convener", public["origin"])]
        case _:
            return [(word,)]


def _due(table: Table, state: State, name: str, until: str | None, at: Instant) -> Instant:
    kind = table.clocks[name]
    due = _after(state, at, kind.window) if until is None else instants.parse(until)
    least = at if kind.minimum is None else _after(state, at, kind.minimum)
    if due < least or due <= at:
        raise _No("step-window", f"The clock {name} runs at least until {instants.format(least)}.")
    return due


def _after(state: State, at: Instant, setting: str) -> Instant:
    return after(at, state.charter.settings[setting], state.charter.calendar)


def _apply(state: State, op: Op, act: Act, at: Instant) -> State:
    word, *rest = op
    seq = state.seq + 1
    clocks, votes, marks = dict(state.clocks), dict(state.votes), dict(state.marks)
    match word:
        case "text":
            kept = {head: {one: said for one, said in held.items() if one != RECEIPT} for head, held in marks.items()}
            return replace(state, text=rest[0], text_by=act.by, text_seq=seq, text_at=at, votes={}, marks=kept)
        case "start":
            clocks[rest[0]] = Clock(at, seq, instants.parse(rest[1]))
        case "stop":
            clocks[rest[0]] = replace(clocks[rest[0]], stopped_at=at, stopped_by=seq)
        case "extend":
            clock = clocks[rest[0]]
            clocks[rest[0]] = replace(clock, due=instants.parse(rest[1]), extended_by=(*clock.extended_by, seq))
        case "open-vote":
            votes = {}
        case "vote":
            votes[rest[1]] = Said(rest[0], at, seq)
        case "mark":
            marks[rest[1]] = {**marks.get(rest[1], {}), rest[0]: Said(rest[0], at, seq)}
        case "adopt" | "close":
            return replace(state, outcome="adopted" if word == "adopt" else "closed")
        case "admit":
            seats = state.seats if rest[1] is None else (*state.seats, PublicKey(bytes.fromhex(rest[1])))
            return replace(state, participants=tuple(sorted((*state.participants, rest[0]))), seats=seats)
        case "remove":
            return _removed(state, rest[0], rest[1])
        case _:
            return replace(state, origin=rest[0])
    return replace(state, clocks=clocks, votes=votes, marks=marks)


def _removed(state: State, party: str, key: str | None) -> State:
    gone = {party}
    seats: list[PublicKey | None] = []
    for place, seat in enumerate(state.seats, 1):
        given_up = seat is not None and seat.spki.hex() == key
        gone |= {f"{SEAT}{place}"} if given_up else set()
        seats.append(None if given_up else seat)
    return replace(
        state,
        participants=tuple(one for one in state.participants if one != party),
        seats=tuple(seats),
        votes={head: said for head, said in state.votes.items() if head not in gone},
        marks={head: said for head, said in state.marks.items() if head not in gone},
    )


def _votes(table: Table, kind: ActKind) -> bool:
    return any(row.act == kind.name and any(effect.word == "vote" for effect in row.effects) for row in table.rows)
