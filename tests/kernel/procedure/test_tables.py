"""State tables: what is refused and named, and the search for traps and idle rows."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from comity.kernel.errors import ComityError, InputRefused
from comity.kernel.procedure.acts import Act, claimed_act, make_act
from comity.kernel.procedure.drawing import diagram
from comity.kernel.procedure.evidence import verify_evidence
from comity.kernel.procedure.judging import decision
from comity.kernel.procedure.ledger import claimed_entry
from comity.kernel.procedure.tables import reach, read_table, traps
from comity.node.procedures import read_yaml, shipped_tables
from simulators.casework import KEYS, PARTY, SEATS, Case, text

TABLES = shipped_tables()
T = text("the question")

BALLOT = """
form: 1
id: ballot
title: A vote by heads under seats
start: voting
gone_after: convener-gone
rule: {kind: majority, clock: vote, of: cast, numerator: 1, denominator: 2, more_than: true}
clocks:
  vote: {sentence: Time to vote, window: vote}
states:
  voting: {sentence: The question is put.}
  counting: {sentence: The vote runs.}
  adopted: {sentence: Adopted., terminal: true}
  rejected: {sentence: Rejected., terminal: true}
acts:
  ask: {sentence: Puts the question., by: any, open: {text: digest}}
  drop: {sentence: Drops the question., by: any}
  vote-for: {sentence: For., by: participant, seat: true, content: concerned, open: {text: digest}}
  vote-against: {sentence: Against., by: participant, seat: true, content: concerned, open: {text: digest}}
  count: {sentence: Counts., by: any, officer: false}
rows:
  - {id: ask, from: voting, act: ask, to: counting, effects: [text, open-vote, "start:vote"]}
  - {id: drop, from: voting, act: drop, to: rejected, effects: [close]}
  - {id: aye, from: counting, act: vote-for, to: "=", when: ["running:vote"], effects: ["vote:consent"]}
  - {id: nay, from: counting, act: vote-against, to: "=", when: ["running:vote"], effects: ["vote:object"]}
  - {id: adopt, from: counting, act: count, to: adopted, when: [adopted], effects: [adopt]}
  - {id: reject, from: counting, act: count, to: rejected, when: ["over:vote"], effects: [close]}
"""


def ballot() -> dict[str, Any]:
    data = read_yaml(BALLOT)
    assert isinstance(data, dict)
    return data


def change(data: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    made = copy.deepcopy(data)
    at: Any = made
    *steps, last = path.split("/")
    for step in steps:
        at = at[int(step)] if isinstance(at, list) else at[step]
    if value is None:
        del at[int(last) if isinstance(at, list) else last]
    elif isinstance(at, list):
        at[int(last) : int(last) + 1] = [value]
    else:
        at[last] = value
    return made


@pytest.mark.parametrize("name", sorted(TABLES))
def test_no_state_of_a_shipped_table_traps_a_case_and_no_row_is_idle(name: str) -> None:
    table = TABLES[name]
    assert traps(table) == ()
    found = reach(table)
    assert {row for row, _ in found.rows} == {row.id for row in table.rows}
    assert {state for state, _ in found.nodes} == set(table.states)


@pytest.mark.parametrize("name", sorted(TABLES))
def test_every_row_of_a_shipped_table_stands_in_its_drawing(name: str) -> None:
    table, drawn = TABLES[name], diagram(TABLES[name])
    living = {state.name for state in table.states.values() if not state.terminal}
    states = {row.id: {one.state for one in table.rows if one.id == row.id} for row in table.rows}
    everywhere = {name for name, found in states.items() if found == living}  # told under the diagram, not in it
    assert {row.act for row in table.rows if row.id in everywhere} <= {
        "remove",
        "hand-over",
        "elect",
        "withdraw",
        "admit",
    }
    for row in table.rows:
        if row.id not in everywhere:
            assert any(
                line.strip().startswith(f"{row.state} --> {row.to}".replace("-", "_").replace("__>", "-->"))
                and row.act in line
                for line in drawn.splitlines()
            ), row.id


BROKEN = [
    ("form", 2, "a form that is not known"),
    ("start", "nowhere", "begins in nowhere"),
    ("start", "adopted", "begins in adopted"),
    ("states/lost", {"sentence": "Lost."}, "ever come to the state lost"),
    ("acts/idle", {"sentence": "Idle.", "by": "any"}, "The act idle has no row"),
    ("acts/ask/by", "king", "The act ask names who acts"),
    ("acts/ask/open", {"text": "poem"}, "The member text of the act ask"),
    ("acts/vote-for/seat", False, "not both"),
    ("acts/count/seat", True, "The act count is done under a seat"),
    ("rule/clock", "sundial", "names the clock sundial"),
    ("rule/kind", "oracle", "'kind' of a rule"),
    ("rule/numerator", "1", "'numerator' of the rule"),
    ("rule/numerator", 3, "The share a majority needs"),
    ("rows/0/to", "nowhere", "The row ask leads from voting to nowhere"),
    ("rows/0/act", "sing", "The row ask is for the act sing"),
    ("rows/0/effects", ["text", "start:sundial"], "The row ask has start:sundial"),
    ("rows/0/effects", ["text", "dance"], "The row ask has the effect dance"),
    ("rows/0/effects", ["start:vote", "extend:vote"], "has 'until' in its public part"),
    ("rows/0/effects", ["text:again"], "takes no argument"),
    ("rows/2/when", ["moonlight"], "The row aye has the guard moonlight"),
    ("rows/2/when", ["running"], "needs a clock"),
    ("rows/2/effects", ["vote:shout"], "a vote is one of"),
    ("rows/2/effects", ["mark:voted"], "is not done under a seat"),
    ("rows/2/id", "nay", "Two rows are called nay"),
    ("rows/4/when", [], "The row adopt adopts, so it has the guard adopted"),
    ("rows/4/effects", [], "so it adopts or closes"),
    ("rows/1/to", "voting", "which is not terminal"),
    ("rows/1/from", "adopted", "leads out of adopted"),
    ("rows/5/when", ["rejected"], "The state counting traps a case"),
    ("rows/5/when", ["running:vote"], "The state counting traps a case"),
    ("rows/5/when", ["some:seen"], "The row reject in the state counting can never apply"),
    ("rows/1/when", ["over:vote"], "The row drop in the state voting can never apply"),
    ("acts/count/by", "author", "The state counting traps a case"),
    ("title", None, "lacks title"),
    ("colour", "red", "unknown key 'colour'"),
    ("rows/0/colour", "red", "unknown key 'colour'"),
]


@pytest.mark.parametrize(("path", "value", "said"), BROKEN, ids=[f"{path}={value}" for path, value, _ in BROKEN])
def test_a_broken_table_is_refused_and_the_row_is_named(path: str, value: Any, said: str) -> None:
    read_table(ballot())
    with pytest.raises(InputRefused) as refused:
        read_table(change(ballot(), path, value))
    assert refused.value.code == "procedure-table"
    assert said in refused.value.sentence


def test_a_state_that_only_a_convener_can_leave_traps_a_case_unless_another_can_be_elected() -> None:
    data = change(change(ballot(), "acts/drop/by", "convener"), "acts/ask/by", "convener")
    with pytest.raises(InputRefused, match="The state voting traps a case"):
        read_table(data)
    data["acts"]["elect"] = {"sentence": "Elects.", "by": "participant", "open": {"origin": "origin"}}
    elect = {
        "id": "elect",
        "from": "voting",
        "act": "elect",
        "to": "=",
        "when": ["gone", "others"],
        "effects": ["elect"],
    }
    assert read_table({**data, "rows": [*data["rows"], elect]}).id == "ballot"


def test_a_row_behind_one_that_always_applies_is_refused() -> None:
    data = ballot()
    data["rows"].append(
        {
            "id": "late",
            "from": "counting",
            "act": "count",
            "to": "rejected",
            "when": ["over:vote"],
            "effects": ["close"],
        }
    )
    with pytest.raises(
        InputRefused, match="The row late in the state counting never applies: reject always comes first"
    ):
        read_table(data)


@pytest.mark.parametrize("text", ["a: [", "2021-03-02", "- 1", "!!python/object:os.system {}", "a: 2021-03-02"])
def test_a_file_that_is_no_table_is_refused(text: str) -> None:
    with pytest.raises(InputRefused):
        read_table(read_yaml(text))


def test_votes_under_seats_are_counted_and_nobody_learns_from_the_ledger_whose_they_are() -> None:
    case = Case(read_table(ballot()))
    case.do("anna", "ask", text=T)
    for name in ("anna", "boris"):
        case.do(name, "vote-for", text=T)
    case.do("chloe", "vote-against", text=T)
    assert case.do("dawit", "count").refused is not None
    seats = set(case.ledger.state.votes)
    assert len(seats) == 3
    assert all(head.startswith("seat-") for head in seats)
    told = [str(claimed_entry(entry).as_json()) for entry in case.ledger.entries[2:5]]
    assert not any(PARTY[name] in one for one in told for name in ("boris", "chloe"))
    case.wait(48)
    case.do("dawit", "count")
    assert case.name == "adopted"
    assert decision(case.table, case.ledger.state, case.now) is not None
    assert all(copy.faults == () for copy in case.copies.values())


def test_a_seat_that_votes_twice_under_one_number_is_convicted_without_its_party() -> None:
    case = Case(read_table(ballot()))
    case.do("anna", "ask", text=T)
    case.hear(case.act("boris", "vote-for", n=1, text=T))
    second = case.act("boris", "vote-against", n=1, text=T)
    case.hear(second)
    (fault,) = case.copies["dawit"].faults
    seat, key = claimed_act(second).by, SEATS["boris"].public
    assert verify_evidence(fault, {seat: {key.keyid: key}}, {}).accused == frozenset({seat})


def test_a_seat_of_another_cannot_be_used_and_a_party_does_not_vote_in_its_own_name() -> None:
    case = Case(read_table(ballot()))
    case.do("anna", "ask", text=T)
    mine = claimed_act(case.act("boris", "vote-for", text=T))
    theirs = next(f"seat-{n}" for n in range(1, 5) if f"seat-{n}" != mine.by)
    with pytest.raises(ComityError):
        case.enter(
            make_act(
                Act(mine.procedure, theirs, 1, mine.type, mine.open, mine.leaf, mine.officers, mine.at), SEATS["boris"]
            )
        )
    named = Act(mine.procedure, PARTY["boris"], 1, mine.type, mine.open, mine.leaf, mine.officers, mine.at)
    entry = case.enter(make_act(named, KEYS["boris"]))
    assert entry.refused is not None
    assert entry.refused[0] == "step-who"


def test_a_table_with_too_many_clocks_to_search_is_refused_and_not_searched_for_ever() -> None:
    data: dict[str, Any] = copy.deepcopy(dict(TABLES["silence"].data))
    names = [f"c{n}" for n in range(40)]
    data["clocks"] |= {name: {"sentence": "A clock", "window": "case"} for name in names}
    for name in names:
        data["acts"][f"start-{name}"] = {"sentence": "Starts it.", "by": "any"}
        data["rows"].append(
            {"id": f"start-{name}", "from": "drafting", "act": f"start-{name}", "to": "=", "effects": [f"start:{name}"]}
        )
    with pytest.raises(InputRefused, match="combinations"):
        read_table(data)
