"""A party without a node takes part by note verbale, mail, telephone: what another records for it, and what nobody may record."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from comity.kernel.errors import InputRefused
from comity.kernel.model.instants import HOUR
from comity.kernel.procedure import convener, replica
from comity.kernel.procedure.acts import Recorded, claimed_act, make_act
from comity.kernel.procedure.evidence import verify_evidence
from comity.kernel.procedure.fold import fold
from comity.kernel.procedure.judging import decision
from comity.kernel.procedure.ledger import Entry, claimed_entry, sign_entry
from comity.kernel.procedure.tables import read_table
from comity.node.procedures import shipped_tables
from simulators.casework import HELD, KEYS, PARTY, Case, text

TABLES = shipped_tables()
T = text("the statement")
THREE = ("anna", "boris", "chloe")


def silence(by: tuple[str, ...] = ("anna", "boris")) -> Case:
    """Anna, Boris and Chloe have nodes; Zoe has none, and `by` may record what it says."""
    case = Case(TABLES["silence"], THREE, represented={"zoe": by})
    case.do("anna", "put", text=T)
    return case


def note(case: Case, road: str = "note-verbale", reference: str = "No 12/2021", **change: Any) -> Recorded:
    return replace(Recorded(PARTY["zoe"], road, reference, case.now), **change)


def refusal(entry: Entry) -> str | None:
    return None if entry.refused is None else entry.refused[0]


def test_an_objection_by_note_verbale_breaks_the_silence_and_is_nobodys_signature() -> None:
    case = silence()
    entry = case.do("boris", "break", text=T, recorded=note(case))
    assert entry.refused is None and case.name == "broken"
    assert ("vote", "object", PARTY["zoe"]) in entry.effect
    act = claimed_act(entry.act)
    assert act.by == PARTY["boris"] and act.as_json()["recorded_from"]["road"] == "note-verbale"
    said = decision(case.table, case.ledger.state, case.now)
    assert said is not None
    told = next(one for one in said.reasons if one.head == PARTY["zoe"])
    assert told.counted == "against"
    assert told.sentence.endswith(f"{PARTY['boris']} recorded it from note verbale No 12/2021.")
    others = next(one for one in said.reasons if one.head == PARTY["boris"])
    assert "recorded" not in others.sentence


def test_silence_of_a_party_without_a_node_consents_only_after_its_receipt_was_recorded_in_writing() -> None:
    case = silence()
    for name in THREE:
        case.do(name, "receipt", text=T)
    by_telephone = case.do("boris", "receipt", text=T, recorded=note(case, "telephone", "duty officer, 14:05"))
    assert by_telephone.effect == (("shown", "receipt", PARTY["zoe"]),)
    case.wait(100)
    assert refusal(case.do("anna", "conclude", text=T)) == "step-guard"
    case.do("boris", "receipt", text=T, recorded=note(case))
    case.wait(23)
    assert (
        refusal(case.do("anna", "conclude", text=T)) == "step-guard"
    )  # the window runs from the entry, not from the note
    case.wait(1)
    assert refusal(case.do("anna", "conclude", text=T)) is None
    assert case.name == "adopted"


def test_a_consent_by_telephone_is_shown_and_does_not_count() -> None:
    case = silence()
    entry = case.do("anna", "consent", text=T, recorded=note(case, "telephone"))
    assert entry.refused is None and case.ledger.state.votes == {}
    assert [one.counts for one in case.ledger.state.recorded] == [False]
    case.do("anna", "consent", text=T, recorded=note(case, reference="No 13/2021"))
    assert case.ledger.state.votes[PARTY["zoe"]].word == "consent"


@pytest.mark.parametrize(
    ("who", "kind", "change"),
    [
        ("chloe", "break", {}),
        ("boris", "break", {"party": PARTY["chloe"]}),
        ("boris", "break", {"party": PARTY["boris"]}),
        ("boris", "break", {"party": "identity--0b3b2bd5-7d1c-4b4f-9d0c-6f7e0f0c9b1a"}),
        ("boris", "lapse", {}),
    ],
    ids=["not named as recorder", "for a party with a node", "for itself", "for who takes no part", "not recordable"],
)
def test_what_the_charter_and_the_table_do_not_let_be_recorded_is_refused_with_an_entry(
    who: str, kind: str, change: dict[str, Any]
) -> None:
    case = silence()
    case.wait(24 * 31)
    public = {} if kind == "lapse" else {"text": T}
    entry = case.do(who, kind, recorded=note(case, **change), **public)
    assert refusal(entry) in ("step-recorded", "step-who")
    assert case.name == "silence" and case.ledger.state.recorded == ()


def test_a_note_from_the_future_or_from_before_the_text_is_refused() -> None:
    case = silence()
    case.wait(2)
    ahead = case.do("boris", "break", text=T, recorded=note(case, received=case.now + HOUR))
    assert refusal(ahead) == "step-future"
    before = case.do("boris", "break", text=T, recorded=note(case, received=case.now - 3 * HOUR))
    assert refusal(before) == "step-recorded"


def test_one_note_is_recorded_once_however_its_reference_is_spelled_and_whoever_records_it() -> None:
    case = silence()
    case.do("boris", "consent", text=T, recorded=note(case, document="cd" * 32))
    for recorded in (
        note(case),
        note(case, "mail"),
        note(case, reference="NO. 12 / 2021"),
        note(case, reference="our ref. 7", document="cd" * 32),
    ):
        assert refusal(case.do("anna", "consent", text=T, recorded=recorded)) == "step-recorded"


def test_an_older_word_does_not_replace_a_newer_one_and_two_recorders_that_differ_are_told() -> None:
    case = Case(read_table(majority()), THREE, represented={"zoe": ("anna", "boris")})
    case.do("anna", "put", text=T)
    case.wait(5)
    case.do("anna", "against", text=T, recorded=note(case))
    older = note(case, reference="No 11/2021", received=case.now - HOUR)
    assert refusal(case.do("boris", "for", text=T, recorded=older)) == "step-recorded"
    assert case.ledger.state.votes[PARTY["zoe"]].word == "object"
    case.do("boris", "for", text=T, recorded=note(case, reference="No 14/2021"))
    assert case.ledger.state.votes[PARTY["zoe"]].word == "consent"
    doubts = replica.doubts(case.copies["chloe"])
    assert [one.word for one in doubts] == ["recorded"] and "differ" in doubts[0].sentence


def majority() -> dict[str, Any]:
    """A vote by heads, made of the silence table's own acts, to have two words that can replace each other."""
    table = {**TABLES["silence"].data}
    acts = {name: table["acts"][name] for name in ("put", "conclude", "lapse", "hand-over", "elect")}
    vote = {"sentence": "Votes.", "by": "participant", "open": {"text": "digest"}, "recorded": "counts"}
    keep = ("put-first", "adopt", "lapse", "hand-over", "elect")
    rows = [{**one, "from": "silence"} if one["id"] == "lapse" else one for one in table["rows"] if one["id"] in keep]
    rows += [
        {"id": name, "from": "silence", "act": name, "to": "=", "effects": [f"vote:{word}"]}
        for name, word in (("for", "consent"), ("against", "object"))
    ]
    states = {name: one for name, one in table["states"].items() if name != "broken"}
    return {
        **table,
        "states": states,
        "acts": {**acts, "for": vote, "against": vote},
        "rule": {"kind": "majority", "clock": "silence"},
        "rows": rows,
    }


def test_a_party_that_acts_itself_is_recorded_for_by_nobody_from_then_on() -> None:
    case = silence()
    case.do("boris", "consent", text=T, recorded=note(case))
    case.do("zoe", "break", text=T)
    assert case.name == "broken"
    assert case.ledger.state.votes[PARTY["zoe"]].word == "object"
    case.do("anna", "put", text=T)
    assert refusal(case.do("boris", "consent", text=T, recorded=note(case, reference="No 15"))) == "step-recorded"


def test_a_recorder_that_was_removed_records_no_more() -> None:
    case = silence()
    case.append(case.co_signed("anna", "remove", ("anna", "chloe"), party=PARTY["boris"]))
    envelope = case.act("boris", "break", text=T, recorded=note(case))
    with pytest.raises(InputRefused, match="nobody who takes part"):
        case.enter(envelope)
    # A convener that enters it all the same can enter it as refused only; any other entry does not follow.
    forced = convener.draft(case.table, case.ledger.state, envelope, case.now, frozenset({PARTY["anna"]}))
    assert refusal(forced) == "step-recorded"


def test_who_has_no_node_is_not_among_those_whose_signatures_are_needed() -> None:
    case = Case(TABLES["silence"], ("anna", "boris"), represented={"zoe": ("anna",), "dawit": ("boris",)})
    case.append(case.co_signed("anna", "admit", ("anna", "boris"), party=PARTY["chloe"]))
    assert PARTY["chloe"] in case.ledger.state.participants


def test_a_convener_that_drops_or_changes_what_was_recorded_is_convicted() -> None:
    case = silence()
    envelope = case.act("boris", "break", text=T, recorded=note(case))
    case.hear(envelope)
    taken = convener.take(case.ledger, envelope, case.now, KEYS["anna"], HELD)
    honest = claimed_entry(taken.entries[0])
    lied = sign_entry(replace(honest, effect=(("vote", "object", PARTY["boris"]), *honest.effect[1:])), [KEYS["anna"]])
    case.promise(taken.promises[0])
    case.send(lied, ("chloe",))
    found = [verify_evidence(one, HELD, {case.table.digest: case.table}) for one in case.copies["chloe"].faults]
    assert [(one.fault, one.accused) for one in found] == [("not-following", frozenset({PARTY["anna"]}))]


def test_a_recorder_cannot_write_another_source_under_what_it_signed() -> None:
    case = silence()
    act = claimed_act(case.act("boris", "break", text=T, recorded=note(case)))
    other = replace(act, recorded=note(case, party=PARTY["chloe"]))
    assert other.digest != act.digest
    plain = claimed_act(case.act("boris", "break", text=T))
    assert "recorded_from" not in plain.as_json() and plain.digest != act.digest


@pytest.mark.parametrize(
    "change",
    [
        {"road": "rumour"},
        {"reference": ""},
        {"reference": " No 12"},
        {"reference": "No\u202e12"},
        {"reference": "x" * 201},
        {"document": "cd"},
        {"party": "seat-1"},
        {"received": "yesterday"},
        {"party": None},
        {"more": 1},
    ],
)
def test_a_source_of_another_form_is_refused(change: dict[str, Any]) -> None:
    case = silence()
    body = claimed_act(case.act("boris", "break", text=T, recorded=note(case))).as_json()

    class Written:
        def as_json(self) -> dict[str, Any]:
            return {**body, "recorded_from": {**body["recorded_from"], **change}}

    with pytest.raises(InputRefused) as refused:
        claimed_act(make_act(Written(), KEYS["boris"]))  # type: ignore[arg-type]
    assert refused.value.code == "procedure-act"


@pytest.mark.parametrize(
    "represented",
    [
        {PARTY["dawit"]: (PARTY["anna"],)},
        {PARTY["zoe"]: ()},
        {PARTY["zoe"]: (PARTY["dawit"],)},
        {PARTY["zoe"]: (PARTY["zoe"],)},
        {PARTY["zoe"]: (PARTY["chloe"],), PARTY["chloe"]: (PARTY["anna"],)},
    ],
    ids=["takes no part", "nobody records", "recorder takes no part", "records for itself", "recorder without a node"],
)
def test_a_charter_that_names_a_recorder_who_cannot_be_one_opens_nothing(represented: dict[str, Any]) -> None:
    case = silence()
    charter = replace(case.charter, represented=represented)
    case.procedure = None
    first = case.act("anna", "convene", n=1, **charter.as_json())
    with pytest.raises(InputRefused) as refused:
        convener.convene(case.table, first, case.now, KEYS["anna"], HELD)
    assert refused.value.code == "procedure-charter"


def test_nobody_is_represented_where_the_table_lets_nothing_be_recorded() -> None:
    with pytest.raises(InputRefused, match="each participant needs a node"):
        Case(TABLES["committed-round"], THREE, represented={"zoe": ("anna",)})


@pytest.mark.parametrize("change", [{"recorded": "maybe"}, {"recorded": {"pigeon": "counts"}}, {"seat": True}])
def test_a_table_whose_recording_cannot_work_is_refused(change: dict[str, Any]) -> None:
    data = {**TABLES["silence"].data}
    acts = dict(data["acts"])
    acts["break"] = {**acts["break"], **change}
    with pytest.raises(InputRefused) as refused:
        read_table({**data, "acts": acts})
    assert refused.value.code == "procedure-table"


def test_a_ledger_with_recorded_acts_folds_to_what_everybody_has() -> None:
    case = silence()
    case.do("boris", "receipt", text=T, recorded=note(case))
    case.do("anna", "consent", text=T, recorded=note(case, "meeting"))
    assert fold(case.table, case.ledger.entries, HELD) == case.ledger.state
    copy = replica.join(case.table, case.standing(), case.ledger.entries, case.now, HELD)
    assert copy.state == case.ledger.state and copy.faults == ()
