"""What becomes of a measure among several nodes: options, decisions by each rule, who joins, what each does, and its reviews."""

from __future__ import annotations

from typing import Any

import pytest

from comity.desks.measures.toolbox import FACTORS, NEEDED, options
from comity.kernel.errors import ComityError, NotAllowed, Usage
from comity.kernel.store.rows import CaseRow
from comity.node.facts import fact
from simulators.measuresroom import DAY, GREEN, HOUR, INCIDENT, KEPT, MINUTE, SECOND, VOTE, Room

A, B, C = "Alpha", "Beta", "Gamma"


@pytest.fixture
def room() -> Room:
    return Room().open(A, B, C)


def vote(room: Room, name: str, case: str, **said: Any) -> None:
    room.tell(name, "measure vote", case=case, **said)
    room.sync(A, B, C)


def code(raised: pytest.ExceptionInfo[ComityError]) -> str:
    assert raised.value.sentence.endswith(".")
    return raised.value.code


def joined(room: Room, name: str, measure: str) -> set[str]:
    return {one["name"] for one in room.shown(name, measure)["joined"]}


# --- options


def test_options_tell_all_of_the_toolbox_in_its_order_and_recommend_none(room: Room) -> None:
    told = room.tell(B, "measure options", incident=(INCIDENT,))
    assert [one["id"] for one in told["options"]] == [one.id for one in options()]
    assert len(told["options"]) == 17
    for one in told["options"]:
        for part in (one, *one["legal_basis"], *one["conditions"]):
            assert part["verified"] in (True, False, "partly")
            assert part["version"]
            assert isinstance(part["sources"], list)
        assert not {"recommended", "score", "rank"} & one.keys()
    asset = next(one for one in told["options"] if one["id"] == "R2")
    assert (asset["needs_attribution"], asset["attribution"]["there"]) == ("responsible-person", False)
    text = room.text(B, "measure options", incident=(INCIDENT,))
    assert "recommends nothing and decides nothing" in text
    assert text.count("unconfirmed") > 10


def test_checklist_before_a_countermeasure_is_shown_with_its_articles_and_stops_nothing(room: Room) -> None:
    told = room.tell(A, "measure options", incident=(INCIDENT,), claim_level="7")
    own = next(one for one in told["options"] if one["id"] == "L1")
    assert [one["id"] for one in own["checklist"]["articles"]] == [f"ARSIWA-{n}" for n in range(49, 54)]
    assert {one["verified"] for one in own["checklist"]["articles"]} == {False, "partly"}
    points = [one["id"] for one in own["checklist"]["points"]]
    assert len(points) == 8
    with_none = room.propose(A, "L1", claim_level="7")
    with_one = room.propose(A, "L1", claim_level="7", check=(f"{points[2]}=Note verbale of 3 March",))
    for measure, answers in ((with_none, {}), (with_one, {points[2]: "Note verbale of 3 March"})):
        shown = room.shown(A, measure)
        assert (shown["state"], shown["checklist"]["answers"]) == ("proposed", answers)
    text = room.text(A, "measure show", id=with_one)
    assert "call made: Note verbale of 3 March" in text
    assert text.count("not answered") == 7
    assert "decides nothing" in text


def test_factors_are_the_words_of_the_principle_of_the_toolbox() -> None:
    text = fact("toolbox", "principles.proportionate").text
    assert all(word in text for word in FACTORS)
    assert {one.needs for one in options()} == set(NEEDED)


# --- attribution


def claim(room: Room, by: str, number: int, level: object, **more: Any) -> dict[str, Any]:
    return {
        "type": "report",
        "spec_version": "2.1",
        "id": f"report--00000000-0000-4000-8000-{number:012x}",
        "created_by_ref": room.id(by),
        "created": "2021-03-04T00:00:00.000Z",
        "modified": "2021-03-04T00:00:00.000Z",
        "name": "Statement",
        "published": "2021-03-04T00:00:00Z",
        "object_refs": [INCIDENT],
        "claim_level": level,
        **more,
    }


@pytest.mark.parametrize(
    ("level", "enough"), [("no-position", False), ("territory", False), ("actor-named", True), (7, True)]
)
def test_measure_that_needs_a_responsible_person_is_refused_below_the_claim_it_needs(
    room: Room, level: object, enough: bool
) -> None:
    said = claim(room, B, 1, level)
    room.put(B, said)
    room.sync(A, B, C)
    told = room.tell(A, "measure options", statement=(said["id"],))
    assert next(one for one in told["options"] if one["id"] == "R1")["attribution"]["there"] is enough
    assert [(one["object"], one["by"]) for one in told["claims"]] == [(said["id"], room.id(B))]
    if enough:
        assert room.shown(A, room.propose(A, "R1", statement=(said["id"],)))["state"] == "proposed"
        return
    with pytest.raises(NotAllowed) as refused:
        room.propose(A, "R1", statement=(said["id"],))
    assert code(refused) == "measure-attribution"
    assert room.tell(A, "measure list")["measures"] == []
    waived = room.propose(A, "R1", statement=(said["id"],), waive_attribution="The persons were convicted.")
    assert room.shown(A, waived)["measure"]["says"]["waived"] == "The persons were convicted."
    assert "waived: the persons were convicted" in room.text(A, "measure show", id=waived).lower()


def test_claim_in_another_partys_name_is_no_attribution(room: Room) -> None:
    forged = claim(room, C, 1, "state-responsible")
    room.put(B, forged)
    room.sync(A, B, C)
    told = room.tell(A, "measure options", incident=(INCIDENT,))
    assert [(one["claim_level"], one["by"]) for one in told["claims"]] == [(7, None)]
    assert told["claim_level"] is None
    with pytest.raises(NotAllowed) as refused:
        room.propose(A, "L1", statement=(forged["id"],))
    assert code(refused) == "measure-attribution"


@pytest.mark.parametrize("level", [True, 8, -1, "7.0", ["state-responsible"], {"n": 7}, "state-responsible\u202e"])
def test_claim_of_no_known_step_counts_for_nothing(room: Room, level: object) -> None:
    room.put(B, claim(room, B, 1, level))
    room.sync(A, B, C)
    assert room.tell(A, "measure options", incident=(INCIDENT,))["claims"] == []


@pytest.mark.parametrize(
    ("said", "word"),
    [
        ({"option": "R9"}, "R9"),
        ({"proportionality": ("scoop=x",)}, "scope"),
        ({"proportionality": ("scope",)}, "scope=TEXT"),
        ({"proportionality": ("scope=a", "scope=b")}, "once"),
        ({"check": ("call-made=x",)}, "L1"),
        ({"incident": ()}, "--incident"),
        ({"incident": ("incident--00000000-0000-4000-8000-00000000dead",)}, "held here"),
        ({"review": "soon"}, "--review"),
        ({"claim_level": "certain"}, "state-organ"),
        ({"title": " "}, "title"),
    ],
)
def test_what_cannot_be_proposed_is_refused_with_what_to_say_instead(
    room: Room, said: dict[str, Any], word: str
) -> None:
    with pytest.raises(ComityError) as refused:
        room.propose(A, **said)
    assert word in refused.value.sentence
    assert room.tell(A, "measure list")["measures"] == []


# --- decisions


def test_silence_adopts_once_every_officer_received_it_and_nobody_objected(room: Room) -> None:
    measure = room.propose(A)
    room.sync(A, B, C)
    case = room.decide(A, measure, "silence", B, C)
    for name in (A, B):
        room.tell(name, "measure receipt", case=case)
        room.sync(A, B, C)
    room.wait(2 * DAY, A, B, C)
    assert {room.shown(name, measure)["state"] for name in (A, B, C)} == {"silence-procedure"}
    room.tell(C, "measure receipt", case=case)
    room.sync(A, B, C)
    room.wait(13 * HOUR, A, B, C)
    for name in (A, B, C):
        shown = room.shown(name, measure)
        assert (shown["state"], shown["adopted"], shown["decisions"][0]["rule"]) == ("adopted", "ledger", "silence")
        assert shown["doubts"] == []


def test_silence_that_is_broken_adopts_nothing_and_knows_no_abstention(room: Room) -> None:
    measure = room.propose(A)
    room.sync(A, B, C)
    case = room.decide(A, measure, "silence", B, C)
    with pytest.raises(NotAllowed) as refused:
        room.tell(B, "measure vote", case=case, abstain=True)
    assert code(refused) == "measure-state"
    vote(room, B, case, against=True, reason="The text goes further than the facts.")
    room.wait(2 * DAY, A, B, C)
    assert room.shown(C, measure)["state"] == "drafting"
    with pytest.raises(NotAllowed) as refused:
        room.tell(C, "measure join", measure=measure)
    assert code(refused) == "measure-state"


def test_majority_adopts_and_the_dissent_stands_in_the_record_with_its_reason(room: Room) -> None:
    measure = room.propose(A)
    room.sync(A, B, C)
    case = room.decide(A, measure, "majority", B, C)
    vote(room, C, case, against=True, reason="Dialogue first.")
    assert room.shown(B, measure)["state"] == "under-consideration"
    vote(room, A, case, for_=True)
    vote(room, B, case, for_=True, reason="It fits.")
    room.wait(MINUTE, A, B, C)
    for name in (A, B, C):
        shown = room.shown(name, measure)
        assert shown["state"] == "adopted"
        said = {one["name"]: (one["counted"], one.get("said")) for one in shown["decisions"][0]["decision"]["reasons"]}
        assert said == {A: ("for", ""), B: ("for", "It fits."), C: ("against", "Dialogue first.")}
    assert "Dialogue first." in room.text(B, "measure show", id=measure)
    assert joined(room, A, measure) == set(), "a vote under majority joins nobody"


def test_unanimity_is_ended_by_one_objection_and_by_no_silence(room: Room) -> None:
    measure = room.propose(A)
    room.sync(A, B, C)
    case = room.decide(A, measure, "unanimity", B, C)
    vote(room, A, case, for_=True)
    vote(room, B, case, for_=True)
    room.wait(20 * DAY, A, B, C)
    assert room.shown(A, measure)["state"] == "under-consideration"
    vote(room, C, case, against=True)
    room.wait(MINUTE, A, B, C)
    assert room.shown(A, measure)["state"] == "abandoned"
    again = room.decide(A, measure, "unanimity", B, C)
    assert room.shown(C, measure)["state"] == "under-consideration"
    for name in (A, B, C):
        vote(room, name, again, for_=True)
    room.wait(MINUTE, A, B, C)
    assert [one["state"] for one in room.shown(C, measure)["decisions"]] == ["abandoned", "adopted"]
    assert room.shown(C, measure)["state"] == "adopted"


def test_opt_in_binds_those_who_join_and_nobody_else(room: Room) -> None:
    measure = room.propose(A)
    room.sync(A, B, C)
    case = room.decide(A, measure, "opt-in", B, C)
    vote(room, A, case, for_=True)
    vote(room, C, case, against=True, reason="Not in our name.")
    assert room.shown(B, measure)["state"] == "under-consideration"
    vote(room, B, case, for_=True)
    room.wait(MINUTE, A, B, C)
    assert room.shown(C, measure)["state"] == "adopted"
    assert joined(room, C, measure) == {A, B}


def test_opt_in_of_one_is_no_coalition(room: Room) -> None:
    measure = room.propose(A)
    room.sync(A, B, C)
    case = room.decide(A, measure, "opt-in", B, C)
    vote(room, A, case, for_=True)
    room.wait(49 * HOUR, A, B, C)
    shown = room.shown(B, measure)
    assert (shown["state"], shown["joined"]) == ("abandoned", [])


def test_party_that_was_not_given_the_measure_is_not_asked_and_learns_nothing_of_it(room: Room) -> None:
    measure = room.propose(A, **KEPT)
    room.sync(A, B, C)
    with pytest.raises(NotAllowed) as refused:
        room.tell(A, "measure decide", measure=measure, rule="majority", party=(B,), set=VOTE)
    assert code(refused) == "measure-not-given"
    room.sync(A, B, C)
    with room.nodes[B].store.read() as tx:
        assert list(tx.find(CaseRow)) == []
    assert room.tell(B, "measure list")["measures"] == []


def test_only_its_author_convenes_the_decision_that_counts(room: Room) -> None:
    measure = room.propose(A)
    room.sync(A, B, C)
    with pytest.raises(NotAllowed) as refused:
        room.tell(B, "measure decide", measure=measure, rule="majority", party=(C,), set=VOTE)
    assert code(refused) == "not-ours"


def test_decision_that_two_others_take_on_a_measure_does_not_adopt_it(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    from comity.desks.measures import deciding

    measure = room.propose(A)
    room.sync(A, B, C)
    # Beta's program does not ask whose the measure is, nor what it gave to whom.
    held = deciding.one
    monkeypatch.setattr(deciding, "our_own", lambda tx, us, id: held(tx, us, id, deciding.MEASURE).seen)
    monkeypatch.setattr(deciding, "given", lambda *any: True)
    case = room.tell(B, "measure decide", measure=measure, rule="unanimity", party=(A, C), set=VOTE[1:], apart=True)[
        "case"
    ]
    room.sync(A, B, C)
    for name in (A, C):
        vote(room, name, case, for_=True)
    room.wait(MINUTE, A, B, C)
    shown = room.shown(C, measure)
    assert (shown["state"], shown["adopted"], shown["decisions"]) == ("proposed", None, [])
    assert [(one["name"], one["adopted"]) for one in shown["decisions_by_others"]] == [(B, True)]
    assert "does not count" in room.text(C, "measure show", id=measure)


def test_measure_that_was_altered_after_the_vote_is_told(room: Room) -> None:
    measure = room.adopted(A, B, C)
    from comity.desks.measures.stating import keep, stated
    from comity.node.deeds import deed
    from comity.node.desk import Shared
    from comity.node.minting import next_version, our_own

    with deed(room.nodes[A], "officer-1") as work:
        before = our_own(work.tx, room.id(A), measure)
        altered = next_version(before.data, {"name": "Expulsion"}, work.at)
        keep(work, "other program", [altered], stated(work, Shared(**GREEN), None))
    room.sync(A, B, C)
    shown = room.shown(B, measure)
    assert shown["title"] == "Expulsion"
    assert any("other words" in one for one in shown["doubts"])
    assert "Joint demarche" in room.text(B, "measure show", id=measure)


def test_vote_says_one_thing_in_a_case_on_a_measure(room: Room) -> None:
    measure = room.propose(A)
    room.sync(A, B, C)
    case = room.decide(A, measure, "majority", B, C)
    for said in ({}, {"for_": True, "against": True}):
        with pytest.raises(Usage):
            room.tell(B, "measure vote", case=case, **said)
    with pytest.raises(ComityError) as refused:
        room.tell(B, "measure receipt", case=case)
    assert code(refused) == "no-such-case"


# --- joining, steps, effects, reviews


def test_who_joined_when_with_which_reservation_and_with_what_effect_is_the_same_everywhere(room: Room) -> None:
    measure = room.adopted(A, B, C)
    room.tell(B, "measure join", measure=measure, from_="2021-04-01")
    room.tell(C, "measure join", measure=measure, reservation="Not in the overseas territories.")
    room.tell(B, "measure effect", measure=measure, say="The servers went quiet.")
    room.sync(A, B, C)
    for name in (A, B, C):
        shown = room.shown(name, measure)
        told = {one["name"]: (one["from"], one["reservation"]) for one in shown["joined"]}
        assert told[B] == ("2021-04-01T00:00:00.000Z", None)
        assert told[C][1] == "Not in the overseas territories."
        assert [(one["name"], one["says"]["says"]) for one in shown["effects"]] == [(B, "The servers went quiet.")]


def test_joining_forged_for_a_third_party_is_shown_and_not_counted(room: Room) -> None:
    measure = room.adopted(A, B, C)
    room.tell(B, "measure join", measure=measure)
    with room.nodes[B].store.read() as tx:
        from comity.desks.measures.kinds import JOINING
        from comity.node.minting import newest

        (own,) = newest(tx, room.id(B), JOINING.name)
    forged = {**own.data, "id": f"{JOINING.name}--00000000-0000-4000-8000-000000000001", "created_by_ref": room.id(C)}
    room.put(B, forged)
    room.sync(A, B, C)
    shown = room.shown(A, measure)
    assert {one["name"] for one in shown["joined"]} == {B}
    assert {one["id"] for one in shown["unattributed"]} == {forged["id"]}
    assert any(C in one and "does not count" in one for one in shown["doubts"])


def test_step_of_another_party_does_not_change_the_measure(room: Room) -> None:
    measure = room.adopted(A, B, C)
    room.tell(A, "measure execute", measure=measure, reason="Delivered.", until="2022-05-18")
    room.at += MINUTE
    room.tell(B, "measure join", measure=measure)
    room.tell(B, "measure execute", measure=measure, reason="Delivered too.")
    room.tell(B, "measure lift", measure=measure, reason="A change of government.")
    room.sync(A, B, C)
    for name in (A, B, C):
        shown = room.shown(name, measure)
        assert (shown["state"], shown["ends"]) == ("executed", "2022-05-18T00:00:00.000Z")
        assert [(one["name"], one["does"]) for one in shown["joined"]] == [(B, "lifted")]


def test_steps_come_in_their_order_and_only_of_those_who_have_a_part(room: Room) -> None:
    measure = room.propose(A)
    room.sync(A, B, C)
    for name, deed in ((A, "execute"), (A, "lift"), (B, "execute")):
        with pytest.raises(NotAllowed) as refused:
            room.tell(name, f"measure {deed}", measure=measure, reason="x")
        assert code(refused) == "measure-state"
    adopted = room.adopted(A, B, C)
    with pytest.raises(NotAllowed) as refused:
        room.tell(A, "measure renew", measure=adopted, reason="x", until="2022-01-01")
    assert code(refused) == "measure-state"
    room.tell(A, "measure execute", measure=adopted, reason="x")
    with pytest.raises(Usage):
        room.tell(A, "measure renew", measure=adopted, reason="x", until="2020-01-01")
    with pytest.raises(Usage):
        room.tell(A, "measure lift", measure=adopted, reason=" ")
    room.tell(A, "measure lift", measure=adopted, reason="Compliance.")
    with pytest.raises(NotAllowed) as refused:
        room.tell(A, "measure renew", measure=adopted, reason="x", until="2022-01-01")
    assert code(refused) == "measure-state"
    assert [one["says"]["says"] for one in room.shown(A, adopted)["steps"]] == ["executed", "lifted"]


def test_review_that_is_overdue_comes_first_and_is_over_when_it_is_done(room: Room) -> None:
    late, later = room.adopted(A, B, C), room.adopted(A, B, C, review="2021-03-20", title="Second")
    room.tell(A, "measure execute", measure=late, reason="Delivered.")
    room.tell(A, "measure execute", measure=later, reason="Delivered.")
    room.sync(A, B, C)
    assert [one["overdue"] for one in room.tell(B, "measure list")["measures"]] == [False, False]
    room.until("2021-03-21T00:00:00Z")
    told = room.tell(B, "measure list")["measures"]
    assert [(one["id"], one["overdue"]) for one in told] == [(later, True), (late, False)]
    assert "OVERDUE" in room.text(B, "measure list").splitlines()[1]
    assert [one["id"] for one in room.tell(B, "measure list", overdue=True)["measures"]] == [later]
    room.tell(A, "measure review", measure=later, reason="Looked at.", until="2021-09-01")
    room.sync(A, B, C)
    shown = room.shown(B, later)
    assert (shown["state"], shown["review"], shown["overdue"]) == ("under-review", "2021-09-01T00:00:00.000Z", False)


def test_what_was_to_end_has_expired_and_what_was_renewed_goes_on(room: Room) -> None:
    measure = room.adopted(A, B, C)
    room.tell(A, "measure execute", measure=measure, reason="Delivered.", on="2021-03-08", until="2021-04-01")
    room.sync(A, B, C)
    assert room.shown(B, measure)["state"] == "scheduled"
    room.until("2021-03-09T00:00:00Z")
    assert room.shown(B, measure)["state"] == "executed"
    room.until("2021-04-02T00:00:00Z")
    assert room.shown(B, measure)["state"] == "expired"
    room.tell(A, "measure renew", measure=measure, reason="Goes on.", until="2022-04-01")
    room.sync(A, B, C)
    shown = room.shown(B, measure)
    assert (shown["state"], shown["ends"], shown["review"]) == ("renewed",) + ("2022-04-01T00:00:00.000Z",) * 2


def test_party_outside_of_the_case_reads_the_adoption_from_its_authors_step(room: Room) -> None:
    measure = room.adopted(A, B)
    room.sync(A, B, C)
    assert room.shown(C, measure)["adopted"] is None
    with pytest.raises(NotAllowed):
        room.tell(C, "measure join", measure=measure)
    room.tell(A, "measure execute", measure=measure, reason="Delivered.")
    room.sync(A, B, C)
    assert (room.shown(C, measure)["adopted"], room.shown(C, measure)["state"]) == ("word", "executed")
    room.tell(C, "measure join", measure=measure)
    room.sync(A, B, C)
    assert joined(room, A, measure) == {C}


def test_author_that_carries_out_what_its_case_did_not_adopt_is_told(room: Room) -> None:
    from comity.desks.measures.kinds import STEP, Step
    from comity.desks.measures.stating import keep, stated
    from comity.node.deeds import deed
    from comity.node.desk import Shared
    from comity.node.saying import minted

    measure = room.propose(A)
    room.sync(A, B, C)
    case = room.decide(A, measure, "unanimity", B, C)
    vote(room, B, case, against=True)
    room.wait(MINUTE, A, B, C)
    with deed(room.nodes[A], "officer-1") as work:
        says = Step(measure_ref=measure, says="executed", starts="2021-03-05T12:00:00Z", reason="Anyway.")
        keep(work, "other program", [minted(work, STEP, says)], stated(work, Shared(**GREEN), None))
    room.sync(A, B, C)
    shown = room.shown(C, measure)
    assert (shown["state"], shown["adopted"]) == ("executed", "word")
    assert any("no case here adopted it" in one for one in shown["doubts"])


def test_clock_that_is_an_hour_ahead_schedules_its_step_for_the_others(room: Room) -> None:
    measure = room.adopted(A, B, C)
    room.shift[A] = HOUR - 10 * SECOND
    room.tell(A, "measure execute", measure=measure, reason="Delivered.")
    room.sync(A, B, C)
    assert (room.shown(A, measure)["state"], room.shown(C, measure)["state"]) == ("executed", "scheduled")
    room.at += HOUR
    assert room.shown(C, measure)["state"] == "executed"
