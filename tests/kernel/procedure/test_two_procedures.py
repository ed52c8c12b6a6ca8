"""Two small procedures, whole: a text adopted by silence, and positions committed first and opened together."""

from __future__ import annotations

import pytest

from comity.kernel.errors import InputRefused, NotAllowed, SealBroken
from comity.kernel.model import instants
from comity.kernel.model.instants import HOUR
from comity.kernel.procedure import convener, replica
from comity.kernel.procedure.acts import check_content, claimed_act, make_act
from comity.kernel.procedure.judging import decision, possible
from comity.kernel.procedure.ledger import claimed_entry
from comity.kernel.tlog.checkpoint import origin
from comity.node.procedures import shipped_tables
from simulators.casework import HELD, KEYS, NAMES, PARTY, SALT, START, Case, text

TABLES = shipped_tables()
T = text("the statement")


def silence(**settings: str) -> Case:
    case = Case(TABLES["silence"], **settings)
    case.do("anna", "put", text=T)
    return case


def received(case: Case, *names: str) -> Case:
    for name in names:
        case.do(name, "receipt", text=T)
    return case


def test_a_text_everybody_received_and_nobody_broke_is_adopted_when_the_time_is_over() -> None:
    case = received(silence(), *NAMES)
    case.wait(71)
    early = case.do("boris", "conclude", text=T)
    assert early.refused is not None
    assert early.refused[0] == "step-guard"
    case.wait(1)
    case.do("boris", "conclude", text=T)
    assert case.name == "adopted"
    state = case.ledger.state
    assert state.outcome == "adopted"
    assert state.decision is not None
    assert state.decision.counted("for") == tuple(sorted(PARTY[name] for name in NAMES))
    assert all("was silent until" in reason.sentence for reason in state.decision.reasons)


def test_who_never_received_the_text_never_consents_however_long_it_is_silent() -> None:
    case = received(silence(), "anna", "boris", "chloe")
    case.wait(24 * 29)
    entry = case.do("anna", "conclude", text=T)
    assert entry.refused is not None
    assert case.name == "silence"
    said = decision(case.table, case.ledger.state, case.now)
    assert said is not None
    assert said.counted("unheard") == (PARTY["dawit"],)
    case.wait(24 * 2)
    case.do("chloe", "lapse")
    assert case.name == "lapsed"


def test_a_receipt_no_officer_signed_is_refused_and_starts_nothing() -> None:
    case = received(silence(), "anna", "boris", "chloe")
    envelope = case.act("dawit", "receipt", officer=False, text=T)
    entry = case.enter(envelope)
    assert entry.refused is not None
    assert entry.refused[0] == "step-officer"
    case.wait(24 * 20)
    case.do("anna", "conclude", text=T)
    assert case.name == "silence"


def test_a_late_receipt_still_has_the_minimum_window() -> None:
    case = received(silence(), "anna", "boris", "chloe")
    case.wait(71)
    received(case, "dawit")
    case.wait(2)
    case.do("anna", "conclude", text=T)
    assert case.name == "silence"
    case.wait(22)
    case.do("anna", "conclude", text=T)
    assert case.name == "adopted"


def test_one_objection_breaks_the_silence_and_a_new_text_begins_again_without_old_receipts() -> None:
    case = received(silence(), *NAMES)
    case.do("dawit", "break", text=T)
    assert case.name == "broken"
    case.wait(100)
    assert case.do("anna", "conclude", text=T).refused is not None
    second = text("a second wording")
    case.do("anna", "put", text=second)
    assert case.ledger.state.votes == {}
    case.wait(100)
    assert case.do("boris", "conclude", text=second).refused is not None
    stale = case.do("boris", "consent", text=T)
    assert stale.refused is not None
    assert stale.refused[0] == "step-text"


def test_extending_moves_the_end_for_everybody_and_never_back() -> None:
    case = received(silence(), *NAMES)
    later = instants.format(START + 100 * HOUR)
    case.do("anna", "extend", text=T, until=later)
    back = case.do("anna", "extend", text=T, until=instants.format(START + 80 * HOUR))
    assert back.refused is not None
    assert back.refused[0] == "step-window"
    case.wait(99)
    assert case.do("boris", "conclude", text=T).refused is not None
    case.wait(1)
    case.do("boris", "conclude", text=T)
    assert case.name == "adopted"
    assert case.ledger.state.clocks["silence"].extended_by == (6,)


def test_a_window_shorter_than_the_agreement_allows_is_refused() -> None:
    case = Case(TABLES["silence"])
    entry = case.do("anna", "put", text=T, until=instants.format(START + 23 * HOUR))
    assert entry.refused is not None
    assert entry.refused[0] == "step-window"
    case.do("anna", "put", text=T, until=instants.format(START + 24 * HOUR))
    assert case.name == "silence"


def test_acts_out_of_order_wait_and_are_entered_in_the_order_of_their_author() -> None:
    case = silence()
    first, second = case.act("boris", "receipt", text=T), case.act("boris", "break", text=T)
    case.hear(first)
    case.hear(second)
    before = len(case.ledger.entries)
    case.enter(second)
    assert len(case.ledger.entries) == before
    assert [one.act.type for one in replica.unanswered(case.copies["chloe"])] == ["receipt", "break"]
    case.enter(first)
    types = [claimed_act(claimed_entry(one).act).type for one in case.ledger.entries[before:]]
    assert types == ["receipt", "break"]
    assert case.name == "broken"
    assert replica.doubts(case.copies["chloe"]) == ()


def test_the_same_act_again_gives_nothing_new_and_another_under_its_number_is_refused() -> None:
    case = silence()
    envelope = case.act("boris", "receipt", text=T)
    case.enter(envelope)
    size = len(case.ledger.entries)
    case.enter(envelope)
    assert len(case.ledger.entries) == size
    with pytest.raises(InputRefused, match="is entered already"):
        case.enter(case.act("boris", "break", n=1, text=T))


def test_an_act_of_a_stranger_or_with_a_foreign_signature_is_not_taken() -> None:
    case = silence()
    with pytest.raises(InputRefused):
        case.enter(case.act("zoe", "break", text=T))
    theirs = claimed_act(case.act("boris", "break", text=T))
    with pytest.raises(SealBroken):
        case.enter(make_act(theirs, KEYS["chloe"]))


def test_a_convener_whose_clock_went_back_enters_nothing() -> None:
    case = silence()
    case.standing()
    case.wait(-1)
    with pytest.raises(NotAllowed):
        case.do("boris", "receipt", text=T)


def test_the_content_opens_for_whom_it_is_sent_to_and_for_nothing_else() -> None:
    case = silence()
    act = claimed_act(case.act("boris", "break", text=T))
    check_content(act, SALT, {"reason": "boris break"})
    with pytest.raises(SealBroken):
        check_content(act, SALT, {"reason": "something else"})


def test_a_late_joiner_gets_all_entries_with_a_standing_and_comes_to_the_same_state() -> None:
    case = received(silence(), *NAMES)
    copy = replica.join(case.table, case.standing(), case.ledger.entries, case.now, HELD)
    assert copy.state == case.ledger.state
    with pytest.raises(InputRefused, match="does not show"):
        replica.join(case.table, case.standing(), case.ledger.entries[:-1], case.now, HELD)


def test_a_party_is_let_in_and_removed_by_more_than_half_of_the_others() -> None:
    case = Case(TABLES["silence"])
    few = case.co_signed("anna", "admit", ("anna", "boris"), party=PARTY["zoe"])
    assert claimed_entry(few).refused is not None
    case.counts[PARTY["anna"]] -= 1
    case.append(case.co_signed("anna", "admit", ("anna", "boris", "chloe"), party=PARTY["zoe"]))
    assert PARTY["zoe"] in case.ledger.state.participants
    case.do("anna", "put", text=T)
    received(case, *NAMES)
    case.do("zoe", "receipt", text=T)
    case.append(case.co_signed("anna", "remove", ("anna", "boris", "chloe"), party=PARTY["dawit"]))
    case.wait(72)
    case.do("anna", "conclude", text=T)
    assert case.name == "adopted"
    assert case.ledger.state.decision is not None
    assert PARTY["dawit"] not in case.ledger.state.decision.counted("for")


def test_the_convener_hands_over_by_an_entry_that_both_sign() -> None:
    case = received(silence(), "anna", "boris")
    new = origin(PARTY["boris"], 1)
    alone = case.co_signed("anna", "hand-over", ("anna",), origin=new)
    assert claimed_entry(alone).refused is not None
    case.counts[PARTY["anna"]] -= 1
    case.append(case.co_signed("anna", "hand-over", ("anna", "boris"), origin=new))
    case.chair = "boris"
    case.ledger = convener.resume(case.table, case.ledger.entries, HELD)
    received(case, "chloe", "dawit")
    assert claimed_entry(case.ledger.entries[-1]).origin == new
    case.wait(72)
    case.do("anna", "conclude", text=T)
    assert case.name == "adopted"


def test_the_others_elect_a_convener_when_theirs_is_gone_and_go_on() -> None:
    case = received(silence(), *NAMES)
    new = origin(PARTY["chloe"], 1)
    early = case.co_signed("chloe", "elect", ("chloe", "boris"), by=new, origin=new)
    assert claimed_entry(early).refused is not None
    case.counts[PARTY["chloe"]] -= 1
    case.wait(48)
    few = case.co_signed("chloe", "elect", ("chloe",), by=new, origin=new)
    assert claimed_entry(few).refused is not None
    case.counts[PARTY["chloe"]] -= 1
    case.append(case.co_signed("chloe", "elect", ("chloe", "boris"), by=new, origin=new))
    case.chair = "chloe"
    case.wait(24)
    case.do("dawit", "conclude", text=T)
    assert case.name == "adopted"
    assert all(copy.faults == () for copy in case.copies.values())


def test_two_conveners_claiming_one_case_are_told_apart_and_the_elected_one_is_followed() -> None:
    case = received(silence(), *NAMES)
    new = origin(PARTY["chloe"], 1)
    case.wait(48)
    old = case.ledger
    stray = convener.take(old, case.act("dawit", "break", text=T), case.now, KEYS["anna"], HELD).entries[0]
    case.append(case.co_signed("chloe", "elect", ("chloe", "boris"), by=new, origin=new))
    case.send(stray)
    for copy in case.copies.values():
        assert copy.faults == ()
        assert [one.word for one in replica.doubts(copy)] == ["rival"]
        assert copy.state is not None
        assert copy.state.convener == PARTY["chloe"]


def test_clocks_an_hour_apart_are_seen_and_convict_nobody() -> None:
    case = silence()
    case.now += HOUR
    taken = convener.take(case.ledger, case.act("boris", "receipt", text=T), case.now, KEYS["anna"], HELD)
    case.now -= HOUR
    case.send(taken.entries[0])
    copy = case.copies["chloe"]
    assert [one.word for one in replica.doubts(copy)] == ["ahead-of-us"]
    assert copy.faults == ()


# ---------------------------------------------------------------- positions


def committing() -> Case:
    case = Case(TABLES["committed-round"])
    case.do("anna", "ask", text=T)
    return case


def commit(case: Case, *names: str) -> Case:
    for name in names:
        case.do(name, "commit", text=T, commitment=text(f"position of {name}"))
    return case


def test_positions_are_opened_only_after_all_are_committed_and_none_is_changed_after() -> None:
    case = commit(committing(), "anna", "boris", "chloe")
    early = case.do("anna", "open", text=T)
    assert early.refused is not None
    assert early.refused[0] == "step-state"
    assert case.do("boris", "close", text=T).refused is not None
    again = case.do("boris", "commit", text=T, commitment=text("changed"))
    assert again.refused is not None
    commit(case, "dawit")
    case.do("boris", "close", text=T)
    assert case.name == "opening"
    assert case.do("chloe", "commit", text=T, commitment=text("late")).refused is not None
    for name in NAMES:
        case.do(name, "open", text=T)
    case.do("dawit", "conclude", text=T)
    assert case.name == "opened"


def test_the_position_of_a_party_that_refuses_to_open_is_opened_by_the_others() -> None:
    case = commit(committing(), *NAMES)
    case.do("anna", "close", text=T)
    for name in ("anna", "boris", "chloe"):
        case.do(name, "open", text=T)
    assert case.do("anna", "conclude", text=T).refused is not None
    assert case.do("boris", "open-other", text=T, party=PARTY["dawit"]).refused is not None
    case.wait(24)
    case.do("boris", "open-other", text=T, party=PARTY["dawit"])
    case.do("anna", "conclude", text=T)
    assert case.name == "opened"


def test_who_did_not_commit_in_time_is_left_out_and_cannot_open() -> None:
    case = commit(committing(), "anna", "boris")
    case.wait(48)
    late = case.do("chloe", "commit", text=T, commitment=text("late"))
    assert late.refused is not None
    case.do("anna", "close", text=T)
    assert case.do("chloe", "open", text=T).refused is not None
    case.do("anna", "open", text=T)
    case.do("boris", "open", text=T)
    case.do("chloe", "conclude", text=T)
    assert case.name == "opened"


def test_a_silent_party_traps_neither_procedure() -> None:
    for case in (silence(), committing()):
        case.wait(24 * 30)
        case.do("dawit", "lapse")
        assert case.name == "lapsed"


def test_what_can_be_done_now_is_told_with_what_it_waits_for() -> None:
    case = silence()
    told = {name: (by, waits) for name, by, waits in possible(case.table, case.ledger.state, case.now)}
    assert told["receipt"] == ("participant", None)
    assert told["conclude"] == ("any", "the rule of decision says adopted")
    assert told["lapse"] == ("any", "the clock case is over")
