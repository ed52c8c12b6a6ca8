"""Random acts in random orders fold alike for everybody; whatever a convener lies about, an honest participant can prove it."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from functools import partial
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from comity.kernel.errors import ComityError, InputRefused
from comity.kernel.model import instants
from comity.kernel.model.instants import HOUR, MINUTE
from comity.kernel.procedure import convener, replica
from comity.kernel.procedure.acts import Act, claimed_act, content_leaf, make_act
from comity.kernel.procedure.evidence import FAULTS, evidence, verify_evidence
from comity.kernel.procedure.fold import fold
from comity.kernel.procedure.ledger import (
    Entry,
    Promise,
    Standing,
    claimed_entry,
    sign_entry,
    sign_promise,
    sign_standing,
)
from comity.kernel.procedure.replica import Replica
from comity.kernel.procedure.tables import read_table
from comity.kernel.seal.canonical import canonical
from comity.kernel.tlog.checkpoint import origin
from comity.node.procedures import shipped_tables
from simulators.casework import HELD, KEYS, NAMES, PARTY, SALT, Case, text

TABLES = shipped_tables()
BY_DIGEST = {table.digest: table for table in TABLES.values()}
T, U = text("first"), text("second")
QUICK = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])

SILENCE = ("put", "receipt", "consent", "break", "extend", "conclude", "lapse", "withdraw")
ROUND = ("ask", "commit", "close", "open", "open-other", "conclude", "lapse")


@st.composite
def scripts(draw: st.DrawFn) -> tuple[str, list[tuple[str, str, str, int]]]:
    """A table, and random acts: who, what, about which text, after how many hours."""
    table = draw(st.sampled_from(["silence", "committed-round"]))
    kinds = SILENCE if table == "silence" else ROUND
    act = st.tuples(
        st.sampled_from(NAMES), st.sampled_from(kinds), st.sampled_from([T, T, T, U]), st.sampled_from([0, 0, 1, 30])
    )
    return table, draw(st.lists(act, min_size=1, max_size=14))


def public(case: Case, kind: str, about: str) -> dict[str, Any]:
    members = case.table.acts[kind].open
    given = {
        "text": about,
        "until": instants.format(case.now + 90 * HOUR),
        "commitment": text(kind + about),
        "party": PARTY["dawit"],
    }
    return {name: given[name] for name, form in members.items() if not form.endswith("?")}


def played(script: tuple[str, list[tuple[str, str, str, int]]]) -> tuple[Case, list[bytes]]:
    """The case after the script, with every promise made; the copies got nothing but the first entry."""
    table, acts = script
    case, promises = Case(TABLES[table]), []
    case.do("anna", "put" if table == "silence" else "ask", text=T)
    for name, kind, about, hours in acts:
        case.wait(hours)
        envelope = case.act(name, kind, **public(case, kind, about))
        case.hear(envelope)
        taken = convener.take(case.ledger, envelope, case.now, KEYS["anna"], HELD)
        case.ledger = taken.ledger
        promises += taken.promises
    return case, promises


@QUICK
@given(scripts(), st.data())
def test_random_acts_in_any_order_of_arrival_give_everybody_the_same_state(script: Any, data: st.DataObject) -> None:
    case, promises = played(script)
    papers: list[Callable[[Replica], Replica]] = [
        *(partial(_entry, paper, case.now) for paper in case.ledger.entries),
        *(partial(_promise, paper) for paper in promises),
        partial(_standing, case.standing()),
    ]
    for name in NAMES:
        copy = Replica(case.table, str(case.procedure))
        order = data.draw(st.permutations([*papers, *papers[:3]]))
        for take in order:
            copy = take(copy)
        assert copy.state == case.ledger.state == fold(case.table, case.ledger.entries, HELD), name
        assert copy.faults == copy.rivals == ()
        assert replica.doubts(copy) == ()


@QUICK
@given(scripts(), st.data())
def test_acts_that_reach_the_convener_in_any_order_are_all_answered_in_the_order_of_each_author(
    script: Any, data: st.DataObject
) -> None:
    table, acts = script
    case = Case(TABLES[table])
    made = [case.act(name, kind, **public(case, kind, about)) for name, kind, about, _ in acts]
    for envelope in made:
        case.hear(envelope)
    for envelope in data.draw(st.permutations(made)):
        case.enter(envelope)
    entered = [claimed_act(claimed_entry(paper).act) for paper in case.ledger.entries[1:]]
    assert sorted(act.digest for act in entered) == sorted(claimed_act(one).digest for one in made)
    for name in NAMES:
        numbers = [act.n for act in entered if act.by == PARTY[name]]
        assert numbers == sorted(numbers)
        assert replica.doubts(case.copies[name]) == ()
    assert case.name in case.table.states


@QUICK
@given(scripts())
def test_clocks_only_rise_and_silence_never_consents_for_a_party_without_receipt(script: Any) -> None:
    case, _ = played(("silence", [one for one in script[1] if one[1] in SILENCE]))
    states = []
    for size in range(1, len(case.ledger.entries) + 1):
        states.append(fold(case.table, case.ledger.entries[:size], HELD))
    for before, after in pairwise(states):
        assert after.at >= before.at
        for name, clock in before.clocks.items():
            same = after.clocks[name].started_by == clock.started_by
            assert not same or after.clocks[name].due >= clock.due
            assert not (clock.over(after.at) and after.clocks[name].running(after.at) and same)
    last = states[-1]
    if last.outcome == "adopted":
        assert last.decision is not None
        consents = {PARTY[name] for name in NAMES} & set(last.decision.counted("for"))
        receipts = {
            claimed_act(e.act).by
            for e in map(claimed_entry, case.ledger.entries)
            if claimed_act(e.act).type in ("receipt", "consent") and e.refused is None
        }
        assert consents <= receipts
        assert consents == {PARTY[name] for name in NAMES}


def _entry(paper: bytes, at: int, copy: Replica) -> Replica:
    return replica.take_entry(copy, paper, at, HELD)


def _promise(paper: bytes, copy: Replica) -> Replica:
    return replica.take_promise(copy, paper, HELD)


def _standing(paper: bytes, copy: Replica) -> Replica:
    return replica.take_standing(copy, paper, HELD)


# ---------------------------------------------------------------- lies

ANNA = KEYS["anna"]


class Lie:
    """A case whose convener, from a given entry on, signs what it likes."""

    def __init__(self, script: Any) -> None:
        self.case, self.promises = played(script)
        self.base = len(self.case.ledger.entries)
        for paper in self.case.ledger.entries[1:]:
            self.case.send(paper)

    def honest(self, name: str, kind: str, **public: Any) -> tuple[Entry, bytes]:
        """The entry an honest convener would make of an act now, and its promise; the ledger does not grow."""
        envelope = self.case.act(name, kind, **public)
        self.case.hear(envelope)
        taken = convener.take(self.case.ledger, envelope, self.case.now, ANNA, HELD)
        return claimed_entry(taken.entries[-1]), taken.promises[-1]

    def sign(self, entry: Entry, **change: Any) -> bytes:
        return sign_entry(replace(entry, **change), [ANNA])

    def faults(self) -> set[bytes]:
        return {fault for name in NAMES[1:] for fault in self.case.copies[name].faults}


def drops_what_it_promised(lie: Lie) -> None:
    _, promise = lie.honest("dawit", "receipt", text=T)
    lie.case.promise(promise, ("dawit",))
    other, _ = lie.honest("boris", "consent", text=T)
    lie.case.send(lie.sign(other))


def changes_the_order_it_promised(lie: Lie) -> None:
    first, promise = lie.honest("dawit", "break", text=T)
    second, _ = lie.honest("boris", "receipt", text=T)
    lie.case.promise(promise, ("dawit",))
    moved = replace(second, seq=first.seq)
    lie.case.send(lie.sign(moved))
    late = convener.draft(
        lie.case.table, lie.case.copies["boris"].state, first.act, lie.case.now, frozenset({PARTY["anna"]})
    )
    lie.case.send(lie.sign(late))


def promises_one_place_to_two_acts(lie: Lie) -> None:
    _, one = lie.honest("dawit", "receipt", text=T)
    _, two = lie.honest("boris", "receipt", text=T)
    lie.case.promise(one, ("dawit",))
    lie.case.promise(two, ("dawit",))


def shows_two_histories(lie: Lie) -> None:
    one, _ = lie.honest("dawit", "receipt", text=T)
    two, _ = lie.honest("boris", "receipt", text=T)
    left, right = lie.sign(one), lie.sign(two)
    lie.case.send(left, ("boris", "chloe"))
    lie.case.send(right, ("dawit",))
    lie.case.send(left, ("dawit",))  # the two compare their copies


def goes_on_from_another_history(lie: Lie) -> None:
    one, _ = lie.honest("dawit", "receipt", text=T)
    two, _ = lie.honest("boris", "receipt", text=T)
    lie.case.send(lie.sign(one))
    lie.case.send(sign_entry(replace(two, seq=two.seq + 1, previous=two.digest), [ANNA]))


def lies_about_the_effect(lie: Lie) -> None:
    entry, _ = lie.honest("dawit", "break", text=T)
    lie.case.send(lie.sign(entry, effect=(("adopt", T),) if entry.effect != (("adopt", T),) else ()))


def lies_about_the_state(lie: Lie) -> None:
    entry, _ = lie.honest("dawit", "receipt", text=T)
    lie.case.send(lie.sign(entry, state="adopted" if entry.state != "adopted" else "silence"))


def refuses_or_admits_what_it_must_not(lie: Lie) -> None:
    entry, _ = lie.honest("dawit", "break", text=T)
    refused = ("step-guard", "Not now.") if entry.refused is None else None
    lie.case.send(lie.sign(entry, refused=refused, effect=(), state=str(lie.case.ledger.state.name)))


def refuses_for_another_reason(lie: Lie) -> None:
    entry, _ = lie.honest("dawit", "put", text=T)
    lie.case.send(lie.sign(entry, refused=("step-officer", "No officer.")))


def puts_an_entry_before_its_own_word(lie: Lie) -> None:
    entry, _ = lie.honest("dawit", "receipt", text=T)
    lie.case.wait(1)
    lie.case.copies["chloe"] = replica.take_standing(lie.case.copies["chloe"], lie.case.standing(), HELD)
    lie.case.send(lie.sign(entry))


def dates_an_entry_before_the_last_one(lie: Lie) -> None:
    entry, _ = lie.honest("dawit", "receipt", text=T)
    lie.case.send(lie.sign(entry, at=lie.case.ledger.state.at - MINUTE))


def enters_with_a_later_instant_than_promised(lie: Lie) -> None:
    entry, promise = lie.honest("dawit", "receipt", text=T)
    lie.case.promise(promise, ("dawit",))
    lie.case.wait(80)
    again = convener.draft(lie.case.table, lie.case.ledger.state, entry.act, lie.case.now, frozenset({PARTY["anna"]}))
    lie.case.send(lie.sign(again))


def invents_an_act(lie: Lie) -> None:
    n = lie.case.ledger.state.counts.get(PARTY["dawit"], 0) + 1
    officers = content_leaf(SALT, "officers")
    act = Act(
        lie.case.procedure, PARTY["dawit"], n, "consent", {"text": T}, content_leaf(SALT, "x"), officers, lie.case.now
    )
    forged = make_act(act, ANNA)
    entry = convener.draft(lie.case.table, lie.case.ledger.state, forged, lie.case.now, frozenset({PARTY["anna"]}))
    lie.case.send(lie.sign(entry))


def changes_the_order_of_one_author(lie: Lie) -> None:
    lie.case.act("dawit", "receipt", text=T)
    second = lie.case.act("dawit", "break", text=T)
    entry = convener.draft(lie.case.table, lie.case.ledger.state, second, lie.case.now, frozenset({PARTY["anna"]}))
    lie.case.send(lie.sign(entry))


def states_another_state(lie: Lie) -> None:
    state = lie.case.ledger.state
    said = {
        **state.as_json(),
        "votes": {PARTY["dawit"]: {"word": "consent", "at": instants.format(state.at), "seq": 1}},
    }
    paper = sign_standing(Standing(state.procedure, state.origin, state.seq, state.head, said, lie.case.now), ANNA)
    lie.case.copies["chloe"] = replica.take_standing(lie.case.copies["chloe"], paper, HELD)


LIES = (
    (drops_what_it_promised, {"promise-broken"}),
    (changes_the_order_it_promised, {"promise-broken", "promise-changed"}),
    (promises_one_place_to_two_acts, {"two-promises"}),
    (shows_two_histories, {"fork"}),
    (goes_on_from_another_history, {"fork"}),
    (lies_about_the_effect, {"not-following"}),
    (lies_about_the_state, {"not-following"}),
    (refuses_or_admits_what_it_must_not, {"not-following"}),
    (refuses_for_another_reason, {"not-following"}),
    (puts_an_entry_before_its_own_word, {"back-dated"}),
    (dates_an_entry_before_the_last_one, {"not-following"}),
    (enters_with_a_later_instant_than_promised, {"promise-changed"}),
    (invents_an_act, {"not-following"}),
    (changes_the_order_of_one_author, {"not-following"}),
    (states_another_state, {"false-standing"}),
)


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@pytest.mark.parametrize(("tell", "shown"), LIES, ids=[tell.__name__ for tell, _ in LIES])
@given(
    st.lists(
        st.tuples(
            st.sampled_from(NAMES),
            st.sampled_from(("receipt", "consent", "extend", "break", "put", "lapse")),
            st.sampled_from([T, U]),
            st.sampled_from([0, 1, 30]),
        ),
        max_size=6,
    )
)
def test_a_lying_convener_is_convicted_by_what_an_honest_participant_holds(
    tell: Any, shown: set[str], acts: Any
) -> None:
    lie = Lie(("silence", acts))
    assert lie.faults() == set(), "it was honest so far"
    tell(lie)
    found = {verify_evidence(fault, HELD, BY_DIGEST) for fault in lie.faults()}
    assert found, "nobody noticed"
    assert {verdict.fault for verdict in found} <= shown
    assert {verdict.accused for verdict in found} == {frozenset({PARTY["anna"]})}


def test_a_party_that_enters_acts_without_being_the_convener_is_convicted() -> None:
    case = Case(TABLES["silence"])
    case.do("anna", "put", text=T)
    act, mine = case.act("boris", "receipt", text=T), origin(PARTY["chloe"], 1)
    entry = convener.draft(case.table, case.ledger.state, act, case.now, frozenset({PARTY["chloe"]}), origin=mine)
    case.send(sign_entry(entry, [KEYS["chloe"]]))
    (fault,) = case.copies["dawit"].faults
    assert verify_evidence(fault, HELD, BY_DIGEST).accused == frozenset({PARTY["chloe"]})


def test_an_election_entered_in_the_old_log_does_not_follow() -> None:
    case = Case(TABLES["silence"])
    case.do("anna", "put", text=T)
    case.wait(48)
    new = origin(PARTY["chloe"], 1)
    case.send(case.co_signed("chloe", "elect", ("anna", "chloe", "boris"), origin=new))
    (fault,) = case.copies["dawit"].faults
    assert verify_evidence(fault, HELD, BY_DIGEST).accused == frozenset({PARTY["anna"]})


def test_an_act_without_effect_cannot_be_refused_falsely_either() -> None:
    data = deepcopy(dict(TABLES["silence"].data))
    data["acts"]["note"] = {"sentence": "Says something for the record.", "by": "participant", "officer": False}
    data["rows"].append({"id": "note", "from": "silence", "act": "note", "to": "=", "effects": []})
    case = Case(read_table(data))
    case.do("anna", "put", text=T)
    state, act = case.ledger.state, case.act("boris", "note")
    entry = convener.draft(case.table, state, act, case.now, frozenset({PARTY["anna"]}))
    assert (entry.refused, entry.effect) == (None, ())
    case.send(sign_entry(replace(entry, refused=("step-guard", "Not now.")), [ANNA]))
    (fault,) = case.copies["chloe"].faults
    assert verify_evidence(fault, HELD, {case.table.digest: case.table}).fault == "not-following"


def test_an_objection_dropped_without_a_promise_is_seen_by_everybody_who_heard_it() -> None:
    case = Case(TABLES["silence"])
    case.do("anna", "put", text=T)
    for name in NAMES:
        case.do(name, "receipt", text=T)
    objection = case.act("dawit", "break", text=T)
    case.hear(objection, ("boris", "dawit"))
    case.wait(72)
    case.do("anna", "conclude", text=T)
    for name in ("boris", "dawit"):
        copy = case.copies[name]
        assert [one.word for one in replica.doubts(copy)] == ["unanswered"]
        assert copy.faults == ()
    assert replica.doubts(case.copies["chloe"]) == ()


def test_an_objection_held_back_until_the_text_was_adopted_is_seen_by_who_heard_it_in_time() -> None:
    case = Case(TABLES["silence"])
    case.do("anna", "put", text=T)
    for name in NAMES:
        case.do(name, "receipt", text=T)
    objection = case.act("dawit", "break", text=T)
    case.hear(objection, ("boris", "dawit"))
    case.wait(72)
    case.do("anna", "conclude", text=T)
    entry = case.enter(objection)
    assert entry.refused is not None
    assert case.name == "adopted"
    for name in ("boris", "dawit"):
        assert [one.word for one in replica.doubts(case.copies[name])] == ["late"]
        assert case.copies[name].faults == ()


def test_an_author_that_signs_two_acts_under_one_number_is_convicted() -> None:
    case = Case(TABLES["silence"])
    case.do("anna", "put", text=T)
    case.hear(case.act("boris", "receipt", n=1, text=T))
    case.hear(case.act("boris", "break", n=1, text=T))
    (fault,) = case.copies["chloe"].faults
    verdict = verify_evidence(fault, HELD, {})
    assert (verdict.fault, verdict.accused) == ("two-acts", frozenset({PARTY["boris"]}))
    one = case.copies["chloe"].heard[-1].envelope
    with pytest.raises(InputRefused, match="can both stand"):
        verify_evidence(evidence("two-acts", [one, one]), HELD, {})


def test_who_signs_two_elections_for_one_place_is_convicted() -> None:
    case = Case(TABLES["silence"])
    case.do("anna", "put", text=T)
    case.wait(48)
    one, two = origin(PARTY["chloe"], 1), origin(PARTY["boris"], 1)
    first = case.co_signed("chloe", "elect", ("chloe", "dawit"), by=one, origin=one)
    second = case.co_signed("boris", "elect", ("boris", "dawit"), by=two, origin=two)
    case.send(first)
    case.send(second)
    for name in NAMES:
        (fault,) = case.copies[name].faults
        verdict = verify_evidence(fault, HELD, BY_DIGEST)
        assert (verdict.fault, verdict.accused) == ("two-elections", frozenset({PARTY["dawit"]}))


def test_a_wider_promise_is_kept_by_any_place_of_its_stretch_and_broken_by_none() -> None:
    case = Case(TABLES["silence"])
    case.do("anna", "put", text=T)
    state, copy = case.ledger.state, case.copies["dawit"]
    theirs = case.act("dawit", "receipt", text=T)
    wide = Promise(
        state.procedure, state.origin, claimed_act(theirs).digest, state.seq, state.head, state.seq + 2, case.now
    )
    copy = case.copies["dawit"] = replica.take_promise(copy, sign_promise(wide, ANNA), HELD)
    case.do("boris", "receipt", text=T)
    assert case.copies["dawit"].faults == ()
    kept = case.copies["dawit"]
    with pytest.raises(InputRefused, match="end before the last place"):
        verify_evidence(evidence("promise-broken", [sign_promise(wide, ANNA), kept.entries[-1]]), HELD, {})
    case.do("chloe", "receipt", text=T)
    (fault,) = case.copies["dawit"].faults
    assert verify_evidence(fault, HELD, {}).fault == "promise-broken"
    short = convener.draft(case.table, kept.placed[-1].state, theirs, case.now, frozenset({PARTY["anna"]}))
    assert replica.take_entry(kept, sign_entry(short, [ANNA]), case.now, HELD).faults == ()


# ---------------------------------------------------------------- no framing


def honest() -> tuple[Case, list[bytes]]:
    return played(
        (
            "silence",
            [
                ("boris", "receipt", T, 0),
                ("chloe", "receipt", U, 1),
                ("dawit", "receipt", T, 1),
                ("boris", "break", T, 30),
            ],
        )
    )


def test_no_choice_of_an_honest_conveners_papers_convicts_it_of_anything() -> None:
    case, promises = honest()
    papers = [*case.ledger.entries, *promises, case.standing()]
    tried = 0
    for fault in FAULTS:
        chosen = [[a, b] for a in papers for b in papers]
        chosen += [list(case.ledger.entries[:size]) for size in range(1, len(case.ledger.entries) + 1)]
        chosen += [[promise, *case.ledger.entries[a:b]] for promise in promises for a in range(5) for b in range(a, 7)]
        chosen += [[*case.ledger.entries[:2], *case.ledger.entries[3:]], [papers[-1], *case.ledger.entries]]
        for some in chosen:
            tried += 1
            with pytest.raises(ComityError):
                verify_evidence(evidence(fault, some), HELD, BY_DIGEST)
    assert tried > 1000


def test_evidence_without_a_key_of_an_author_convicts_nobody() -> None:
    case, _ = honest()
    known = {party: keys for party, keys in HELD.items() if party != PARTY["boris"]}
    with pytest.raises(ComityError) as refused:
        verify_evidence(evidence("not-following", case.ledger.entries[:3]), known, BY_DIGEST)
    assert refused.value.code == "unknown-signer"


def test_evidence_in_another_form_is_refused() -> None:
    for shape in (
        {"form": 2},
        {"type": "other"},
        {"fault": "witchcraft"},
        {"papers": []},
        {"papers": [1, 2]},
        {"more": 1},
    ):
        made = {"form": 1, "type": "comity-ledger-evidence", "fault": "fork", "papers": ["a", "b"], **shape}
        with pytest.raises(InputRefused):
            verify_evidence(canonical(made), HELD, {})
