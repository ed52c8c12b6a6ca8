"""State tables: what a procedure is, as data. The kernel checks the data and executes them; it knows no procedure by name.

A table has states, clocks, kinds of acts and rows. A row says: in this state, an act of this kind, if these guards hold, leads to
that state and has these effects. Rows of one act in one state are tried in their order; the first whose guards hold applies, and
where none does the act is refused with the guard that failed. `check` searches what a case can go through and refuses a table

- with a row that no case can ever come to, or that an earlier row always takes the place of;
- with a state from which no terminal one is reached while any one party is silent for ever: such a state would trap a case.

A convener that is silent is replaced by the others (`elect`), so what only a convener can do counts as possible in each state
that lets them. Source: design, section 5, Procedure; docs/formats/procedure.md, State tables; docs/procedures.md shows each table.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, Final, NoReturn

from comity.kernel.errors import InputRefused
from comity.kernel.procedure.acts import ROADS
from comity.kernel.procedure.rules import RECEIPT, VOTES, Rule
from comity.kernel.seal.canonical import canonical

FORM: Final = 1

BY: Final[Mapping[str, str]] = {
    "convener": "the convener",
    "participant": "a participant",
    "author": "the party whose text it is",
    "any": "a participant or the convener",
}
"""Who may do an act."""

OPEN_KINDS: Final[Mapping[str, str]] = {
    "digest": "64 hexadecimal digits",
    "instant": "a STIX timestamp",
    "party": "a party id",
    "origin": "the origin of a convener's log",
    "key": "an Ed25519 key in hexadecimal",
    "word": "one lower-case word",
}
"""What the public part of an act can hold. With ``?`` behind it, it may be absent."""

RECORDED: Final[Mapping[str, str]] = {
    "counts": "counts as if the party had acted itself",
    "shown": "is entered and shown, and changes nothing",
}
"""What becomes of an act that is recorded for a party without a node. Where a kind of act says neither, it is refused."""

GUARDS: Final[Mapping[str, tuple[str, str]]] = {
    "running": ("clock", "the clock {0} runs and is not over"),
    "over": ("clock", "the clock {0} is over"),
    "adopted": ("", "the rule of decision says adopted"),
    "rejected": ("", "the rule of decision says rejected"),
    "all": ("mark", "every participant is marked {0}"),
    "some": ("mark", "some participant is marked {0}"),
    "each": ("marks", "every party that is marked {0} is marked {1} too"),
    "marked": ("mark", "the party is marked {0}"),
    "unmarked": ("mark", "the party is not marked {0} yet"),
    "other-marked": ("mark", "the party that is named is marked {0}"),
    "other-unmarked": ("mark", "the party that is named is not marked {0} yet"),
    "others": ("", "more than half of the participants it does not concern have signed it"),
    "accepted": ("", "the new convener has signed it"),
    "gone": ("", "the convener has been silent for as long as the agreement says"),
    "newcomer": ("", "the party that is named takes no part yet"),
    "taking-part": ("", "the party that is named takes part"),
}
"""Every guard: what its argument is, and its sentence."""

EFFECTS: Final[Mapping[str, tuple[str, str, str]]] = {
    "text": ("", "text", "puts the text on the table; votes and receipts of an earlier one end"),
    "start": ("clock", "", "starts the clock {0}"),
    "stop": ("clock", "", "stops the clock {0}"),
    "extend": ("clock", "until", "moves the end of the clock {0}"),
    "open-vote": ("", "", "opens the vote"),
    "vote": ("vote", "", "counts as the vote {0}"),
    "mark": ("mark", "", "marks the author {0}"),
    "mark-other": ("mark", "party", "marks the party that is named {0}"),
    "adopt": ("", "", "adopts what is on the table"),
    "close": ("", "", "closes the case"),
    "admit": ("", "party", "lets the party take part"),
    "remove": ("", "party", "ends the party's part"),
    "hand-over": ("", "origin", "makes the named party the convener"),
    "elect": ("", "origin", "makes the named party the convener in place of one that is gone"),
}
"""Every effect: what its argument is, which member the public part of the act needs, and its sentence."""

MOST_NODES: Final = 4_096
"""So many combinations of a state and the clocks that were started are searched; a table comes from another party too."""

EVERYWHERE: Final = "*"
SAME: Final = "="

_WORD: Final = re.compile(r"[a-z][a-z0-9]*(?:-[a-z0-9]+)*", re.ASCII)


@dataclass(frozen=True, slots=True)
class Step:
    """One guard or effect: a word and its argument, written ``word`` or ``word:argument``."""

    word: str
    argument: str | None

    def __str__(self) -> str:
        return self.word if self.argument is None else f"{self.word}:{self.argument}"

    @property
    def sentence(self) -> str:
        """What it asks or does, in words."""
        told = GUARDS[self.word][1] if self.word in GUARDS else EFFECTS[self.word][2]
        return told.format(*(self.argument or "").split("/"))


@dataclass(frozen=True, slots=True)
class StateKind:
    """One state: its sentence, and whether a case ends there."""

    name: str
    sentence: str
    terminal: bool


@dataclass(frozen=True, slots=True)
class ClockKind:
    """One clock of a table.

    Args:
        name: Its name.
        sentence: What it measures.
        window: The setting that says how long it runs, unless the act that starts it names the instant (`until`).
        minimum: The setting that says how long it runs at least, or None.
    """

    name: str
    sentence: str
    window: str
    minimum: str | None


@dataclass(frozen=True, slots=True)
class ActKind:
    """One kind of act.

    Args:
        name: Its name.
        sentence: What it says.
        by: A key of `BY`.
        officer: Whether an officer must stand behind it.
        seat: Whether it is done under a seat, so that others do not learn the party.
        content: Who gets the content: ``all`` or ``concerned``.
        open: The members of its public part, with their kinds.
        recorded: For each road by which the word of a party without a node may be recorded, a key of `RECORDED`.
    """

    name: str
    sentence: str
    by: str
    officer: bool
    seat: bool
    content: str
    open: Mapping[str, str]
    recorded: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Row:
    """One row, for one state."""

    id: str
    state: str
    act: str
    when: tuple[Step, ...]
    to: str
    effects: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """A state table that was read and checked; make it with `read_table`.

    `digest` is the SHA-256 of its RFC 8785 bytes: the table a case runs under is named by it.
    """

    id: str
    title: str
    start: str
    rule: Rule | None
    gone_after: str
    states: Mapping[str, StateKind]
    clocks: Mapping[str, ClockKind]
    acts: Mapping[str, ActKind]
    rows: tuple[Row, ...]
    digest: str
    data: Mapping[str, Any] = field(repr=False, compare=False)

    def rows_of(self, state: str, act: str) -> tuple[Row, ...]:
        """The rows of an act in a state, in their order."""
        return tuple(row for row in self.rows if row.state == state and row.act == act)

    def acts_in(self, state: str) -> tuple[str, ...]:
        """The kinds of acts that a state has rows for, in the order of the rows."""
        return tuple(dict.fromkeys(row.act for row in self.rows if row.state == state))

    @property
    def settings(self) -> frozenset[str]:
        """The stretches of time that the agreement must set."""
        named = {clock.window for clock in self.clocks.values()} | {self.gone_after}
        return frozenset(named | {clock.minimum for clock in self.clocks.values() if clock.minimum})


def read_table(data: Any) -> Table:
    """The table in JSON-able data, checked whole.

    Raises:
        InputRefused: `procedure-table`, naming the row, act, clock or state that is wrong.
    """
    members = _members(
        data,
        "The table",
        {"form", "id", "title", "start", "states", "clocks", "acts", "rows", "gone_after"},
        {"rule", "source"},
    )
    if members["form"] != FORM:
        _refuse("The table has a form that is not known here; a newer version may read it.")
    states = {name: _state(name, said) for name, said in _named(members["states"], "states")}
    clocks = {name: _clock(name, said) for name, said in _named(members["clocks"], "clocks")}
    acts = {name: _act(name, said) for name, said in _named(members["acts"], "acts")}
    rule = None if members.get("rule") is None else _rule(members["rule"])
    listed = members["rows"]
    if not isinstance(listed, list) or len(listed) > 500:
        _refuse("The rows of a table are a list of at most 500.")
    rows = tuple(row for said in listed for row in _rows(said, states))
    table = Table(
        _text(members, "id", "The table", word=True),
        _text(members, "title", "The table"),
        _text(members, "start", "The table", word=True),
        rule,
        _text(members, "gone_after", "The table", word=True),
        states,
        clocks,
        acts,
        rows,
        sha256(canonical(data)).hexdigest(),
        data,
    )
    _consistent(table)
    check(table)
    return table


# ---------------------------------------------------------------- reading


def _refuse(sentence: str) -> NoReturn:
    raise InputRefused("procedure-table", sentence)


def _members(said: Any, what: str, needed: set[str], may: set[str] = frozenset()) -> dict[str, Any]:  # type: ignore[assignment]
    if not isinstance(said, dict):
        _refuse(f"{what} is a table of keys and values.")
    missing, unknown = sorted(needed - set(said)), sorted(str(key) for key in set(said) - needed - may)
    if missing or unknown:
        _refuse(f"{what} lacks {', '.join(missing)}." if missing else f"{what} has the unknown key {unknown[0]!r}.")
    return said


def _text(said: Mapping[str, Any], name: str, what: str, *, word: bool = False) -> str:
    value = said.get(name)
    if not isinstance(value, str) or not value or (word and _WORD.fullmatch(value) is None):
        _refuse(f"{name!r} of {what[:1].lower()}{what[1:]} is {'one lower-case word' if word else 'a text'}.")
    return value


def _named(said: Any, what: str) -> Iterator[tuple[str, Any]]:
    if not isinstance(said, dict):
        _refuse(f"The {what} of a table are named.")
    for name, value in said.items():
        if not isinstance(name, str) or _WORD.fullmatch(name) is None:
            _refuse(f"{name!r} is no name for one of the {what}; write a lower-case word.")
        yield name, value


def _state(name: str, said: Any) -> StateKind:
    what = f"The state {name}"
    members = _members(said, what, {"sentence"}, {"terminal"})
    if members.get("terminal", False) not in (True, False):
        _refuse(f"'terminal' of the state {name} is true or false.")
    return StateKind(name, _text(members, "sentence", what), bool(members.get("terminal", False)))


def _clock(name: str, said: Any) -> ClockKind:
    what = f"The clock {name}"
    members = _members(said, what, {"sentence", "window"}, {"minimum"})
    minimum = _text(members, "minimum", what, word=True) if "minimum" in members else None
    return ClockKind(name, _text(members, "sentence", what), _text(members, "window", what, word=True), minimum)


def _act(name: str, said: Any) -> ActKind:
    what = f"The act {name}"
    members = _members(said, what, {"sentence", "by"}, {"officer", "seat", "content", "open", "recorded"})
    by, content, public = members["by"], members.get("content", "all"), members.get("open", {})
    officer, seat = members.get("officer", True), members.get("seat", False)
    if by not in BY or content not in ("all", "concerned") or officer not in (True, False) or seat not in (True, False):
        _refuse(f"{what} names who acts ({', '.join(BY)}), and whose the content is (all, concerned).")
    if seat and by != "participant":
        _refuse(f"{what} is done under a seat, so it is done by a participant.")
    for member, form in _named(public, f"public members of the act {name}"):
        if not isinstance(form, str) or form.removesuffix("?") not in OPEN_KINDS:
            _refuse(
                f"The member {member} of the act {name} is one of {', '.join(OPEN_KINDS)}, with ? where it may be absent."
            )
    recorded = _recorded(members.get("recorded", {}), what)
    if recorded and (by not in ("participant", "any") or not officer or seat):
        _refuse(
            f"{what} can be recorded for another only where a participant does it, an officer, and not under a seat."
        )
    return ActKind(name, _text(members, "sentence", what), by, officer, seat, content, dict(public), recorded)


def _recorded(said: Any, what: str) -> dict[str, str]:
    """What becomes of a recorded act, by road; one word stands for every road."""
    found = dict.fromkeys(ROADS, said) if isinstance(said, str) else said
    if not isinstance(found, dict) or not all(
        road in ROADS and isinstance(word, str) and word in RECORDED for road, word in found.items()
    ):
        _refuse(
            f"'recorded' of {what[:1].lower()}{what[1:]} is {' or '.join(RECORDED)}, or one of them by road: {', '.join(ROADS)}."
        )
    return dict(found)


def _rule(said: Any) -> Rule:
    fields = set(Rule.__dataclass_fields__)
    members = _members(said, "The rule of decision", {"kind"}, fields)
    for name, value in members.items():
        wanted = {"numerator": int, "denominator": int, "least": int, "more_than": bool}.get(name, str)
        if type(value) is not wanted:
            _refuse(f"{name!r} of the rule of decision has the wrong type.")
    return Rule(**members)


def _rows(said: Any, states: Mapping[str, StateKind]) -> Iterator[Row]:
    name = said.get("id") if isinstance(said, dict) else None
    what = f"The row {name}"
    members = _members(said, what, {"id", "from", "act", "to"}, {"when", "effects"})
    sources = members["from"] if isinstance(members["from"], list) else [members["from"]]
    if sources == [EVERYWHERE]:
        sources = [state.name for state in states.values() if not state.terminal]
    when = tuple(_step(step, what) for step in _list(members.get("when", []), what))
    effects = tuple(_step(step, what) for step in _list(members.get("effects", []), what))
    for source in sources:
        to = source if members["to"] == SAME else members["to"]
        yield Row(
            _text(members, "id", what, word=True), source, _text(members, "act", what, word=True), when, to, effects
        )


def _list(said: Any, what: str) -> list[Any]:
    if not isinstance(said, list):
        _refuse(f"{what} lists its guards and effects.")
    return said


def _step(said: Any, what: str) -> Step:
    word, colon, argument = said.partition(":") if isinstance(said, str) else ("", "", "")
    if not _WORD.fullmatch(word) or (colon and not all(map(_WORD.fullmatch, argument.split("/")))):
        _refuse(f"{what} has {said!r}, which is no guard or effect; write word or word:argument.")
    return Step(word, argument if colon else None)


# ---------------------------------------------------------------- one part against the other


def _consistent(table: Table) -> None:
    if table.start not in table.states or table.states[table.start].terminal:
        _refuse(f"The table begins in {table.start}, which is no state to begin in.")
    if table.rule is not None and table.rule.clock is not None and table.rule.clock not in table.clocks:
        _refuse(f"The rule of decision names the clock {table.rule.clock}, which the table does not have.")
    ids: dict[str, Row] = {}
    for row in table.rows:
        known = ids.setdefault(row.id, row)
        if (known.act, known.when, known.effects) != (row.act, row.when, row.effects):
            _refuse(f"Two rows are called {row.id}; give one of them another name.")
        _row_stands(table, row)
    voting = {table.acts[row.act].seat for row in table.rows if any(one.word == "vote" for one in row.effects)}
    if len(voting) > 1:
        _refuse("Votes are cast by parties or under seats, not both: nobody could tell whether a party voted twice.")
    for act in table.acts:
        if all(row.act != act for row in table.rows):
            _refuse(f"The act {act} has no row, so nobody could ever do it.")


def _row_stands(table: Table, row: Row) -> None:
    what = f"The row {row.id}"
    if row.state not in table.states or row.to not in table.states:
        _refuse(f"{what} leads from {row.state} to {row.to}, and the table does not have both states.")
    if table.states[row.state].terminal:
        _refuse(f"{what} leads out of {row.state}, which is terminal.")
    if row.act not in table.acts:
        _refuse(f"{what} is for the act {row.act}, which the table does not have.")
    act = table.acts[row.act]
    for guard in row.when:
        if guard.word not in GUARDS:
            _refuse(f"{what} has the guard {guard}, which is not known.")
        _argument(table, row, guard, GUARDS[guard.word][0])
        if guard.word in ("adopted", "rejected") and table.rule is None:
            _refuse(f"{what} asks what the rule of decision says, and the table has none.")
        if guard.word in ("accepted",) and "origin" not in act.open:
            _refuse(f"{what} needs the new convener, so the act {act.name} has 'origin' in its public part.")
        if guard.word in ("newcomer", "taking-part", "other-marked", "other-unmarked") and "party" not in act.open:
            _refuse(f"{what} speaks of a named party, so the act {act.name} has 'party' in its public part.")
    for effect in row.effects:
        if effect.word not in EFFECTS:
            _refuse(f"{what} has the effect {effect}, which is not known.")
        kind, member, _ = EFFECTS[effect.word]
        _argument(table, row, effect, kind)
        if member and member not in act.open:
            _refuse(f"{what} has the effect {effect}, so the act {act.name} has {member!r} in its public part.")
        if effect.word == "mark" and act.seat:
            _refuse(f"{what} marks a party, so the act {act.name} is not done under a seat.")
        if effect.word == "elect" and not {"others", "gone"} <= {guard.word for guard in row.when}:
            _refuse(f"{what} elects a convener, so it has the guards others and gone.")
        if effect.word == "hand-over" and "accepted" not in {guard.word for guard in row.when}:
            _refuse(f"{what} hands the ledger over, so it has the guard accepted.")
    words = {effect.word for effect in row.effects}
    if (words & {"adopt", "close"}) and not table.states[row.to].terminal:
        _refuse(f"{what} ends the case and leads to {row.to}, which is not terminal.")
    if table.states[row.to].terminal and not words & {"adopt", "close"}:
        _refuse(f"{what} leads to the terminal state {row.to}, so it adopts or closes.")
    if "adopt" in words and table.rule is not None and "adopted" not in {guard.word for guard in row.when}:
        _refuse(f"{what} adopts, so it has the guard adopted.")


def _argument(table: Table, row: Row, step: Step, kind: str) -> None:
    if (step.argument is None) != (not kind):
        _refuse(f"The row {row.id} has {step}: {step.word} {'needs a' if kind else 'takes no'} {kind or 'argument'}.")
    if (kind == "marks") != ("/" in (step.argument or "")) or (step.argument or "").count("/") > 1:
        _refuse(f"The row {row.id} has {step}; two marks are written mark/mark, one alone.")
    if kind == "clock" and step.argument not in table.clocks:
        _refuse(f"The row {row.id} has {step}, and the table has no such clock.")
    if kind == "vote" and step.argument not in VOTES:
        _refuse(f"The row {row.id} has {step}; a vote is one of {', '.join(VOTES)}.")


# ---------------------------------------------------------------- the search


@dataclass(frozen=True, slots=True)
class Reach:
    """What a case can go through: pairs of a state and the clocks that were started and not stopped, and the rows that applied."""

    nodes: frozenset[tuple[str, frozenset[str]]]
    rows: frozenset[tuple[str, str]]


def reach(table: Table) -> Reach:
    """Everything a case can come to.

    Clocks are followed exactly. Votes and marks are taken as possible as soon as some row that was reached gives them,
    so what is not reached here is never reached.
    """
    by_state = _by_state(table)
    given: frozenset[str] = frozenset()
    while True:
        nodes, rows, edges = {(table.start, frozenset[str]())}, set(), [(table.start, frozenset[str]())]
        while edges:
            state, clocks = edges.pop()
            for row in by_state[state]:
                if not _possible(table, row, clocks, given):
                    continue
                rows.add((row.id, row.state))
                node = (row.to, _clocks(row, clocks))
                if node not in nodes:
                    nodes.add(node)
                    edges.append(node)
                    if len(nodes) > MOST_NODES:
                        _refuse(
                            f"The table has more than {MOST_NODES:,} combinations of states and clocks; make two of it."
                        )
        gives = frozenset(
            str(effect).removeprefix("mark-other:").removeprefix("mark:")
            for row in table.rows
            if (row.id, row.state) in rows
            for effect in row.effects
            if effect.word in ("mark", "mark-other", "vote")
        )
        if gives <= given:
            return Reach(frozenset(nodes), frozenset(rows))
        given |= gives


def traps(table: Table) -> tuple[str, ...]:
    """The states, sorted, that some case can come to and never leave towards an end while any one party stays silent."""
    nodes, by_state = reach(table).nodes, _by_state(table)
    back: dict[tuple[str, frozenset[str]], list[tuple[str, frozenset[str]]]] = {}
    for node in nodes:
        for row in by_state[node[0]]:
            if _free(table, row, node[1]):
                back.setdefault((row.to, _clocks(row, node[1])), []).append(node)
    good = {node for node in nodes if table.states[node[0]].terminal}
    todo = list(good)
    while todo:
        for node in back.get(todo.pop(), ()):
            if node not in good:
                good.add(node)
                todo.append(node)
    return tuple(sorted({state for state, _ in nodes - good}))


def _by_state(table: Table) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = {state: [] for state in table.states}
    for row in table.rows:
        found[row.state].append(row)
    return found


def check(table: Table) -> None:
    """Return if no row is idle and no state traps a case.

    Raises:
        InputRefused: `procedure-table`, naming the row or the state.
    """
    found = reach(table)
    for row in table.rows:
        if (row.id, row.state) not in found.rows:
            _refuse(f"The row {row.id} in the state {row.state} can never apply; take it out, or lead to it.")
        for earlier in table.rows_of(row.state, row.act):
            if earlier.id == row.id:
                break
            if set(earlier.when) <= set(row.when):
                _refuse(f"The row {row.id} in the state {row.state} never applies: {earlier.id} always comes first.")
    reached = {state for state, _ in found.nodes}
    for state in table.states:
        if state not in reached:
            _refuse(f"No case can ever come to the state {state}; take it out, or lead to it.")
    trapped = traps(table)
    if trapped:
        _refuse(
            f"The state {trapped[0]} traps a case: from there no end is reached while one party stays silent; "
            "add a row that a clock, or any other party, can take."
        )


def _possible(table: Table, row: Row, clocks: frozenset[str], given: frozenset[str]) -> bool:
    for guard in row.when:
        if guard.word in ("running", "over") and guard.argument not in clocks:
            return False
        if guard.word in ("all", "some", "marked", "other-marked") and guard.argument not in given:
            return False
        if guard.word == "each" and not given.issuperset((guard.argument or "").split("/")):
            return False
        if guard.word in ("adopted", "rejected") and not _decidable(table, guard.word, clocks, given):
            return False
    return True


def _decidable(table: Table, word: str, clocks: frozenset[str], given: frozenset[str]) -> bool:
    rule = table.rule
    if rule is None:
        return False
    closes = rule.clock is not None and rule.clock in clocks
    match rule.kind, word:
        case "silence", "adopted":
            return closes and RECEIPT in given
        case "silence", _:
            return "vote:object" in given
        case "opt-in", "adopted":
            return closes and "vote:join" in given
        case "opt-in", _:
            return closes
        case _, "adopted":
            return "vote:consent" in given
        case _:
            return "vote:object" in given or closes


def _clocks(row: Row, clocks: frozenset[str]) -> frozenset[str]:
    for effect in row.effects:
        if effect.argument is not None and effect.word == "start":
            clocks |= {effect.argument}
        if effect.argument is not None and effect.word == "stop":
            clocks -= {effect.argument}
    return clocks


def _free(table: Table, row: Row, clocks: frozenset[str]) -> bool:
    """Whether a row can be taken sooner or later, whichever one party is silent and whatever the others said before."""
    by = table.acts[row.act].by
    if by == "author":
        return False
    if by == "convener" and not any(
        effect.word == "elect" for other in table.rows if other.state == row.state for effect in other.effects
    ):
        return False
    # Time alone meets `over`; every other guard waits for somebody, or can be missed for ever.
    return all(guard.word == "over" and guard.argument in clocks for guard in row.when)
