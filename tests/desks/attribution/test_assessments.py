"""Assessments: claim, likelihood, confidence and tone apart, each in its author's own words; committed first and opened together."""

from __future__ import annotations

from typing import Any

import pytest

from comity.desks.attribution.facts import tone_of
from comity.desks.attribution.kinds import ASSESSMENT
from comity.kernel.errors import ComityError, NotAllowed, NotFound, Usage
from comity.node.casework.committing import commit_position
from comity.node.casework.keeping import case_row
from comity.node.deeds import deed
from comity.node.scales import ladder, level_of, likelihood, likelihood_of, words_of
from desks.attribution.ministries import NAMES, A, B, C, Ministries, X, Y
from desks.attribution.test_dossiers import other, put

UK, US = "uk-phia", "us-icd-203"
HELD = {"accused": "Nordmark", "claim_level": "state-organ", "tone": "none", "say": "As we see it."}


@pytest.fixture
def room() -> Ministries:
    return Ministries().open(*NAMES)


@pytest.fixture
def small() -> Ministries:
    return Ministries().open(*NAMES[:2])


@pytest.fixture
def three() -> Ministries:
    return Ministries().open(*NAMES[:3])


def table(room: Ministries, name: str, about: str) -> dict[str, dict[str, Any]]:
    return {one["party_name"]: one for one in room.tell(name, "assessments", about=about)["assessments"]}


@pytest.mark.parametrize(
    ("word", "scale"),
    [
        ("highly likely", US),
        ("very likely", UK),
        ("realistic possibility", US),
        ("definitely", UK),
        ("", US),
        ("95 %", US),
        ("likely\u200b", US),
    ],
)
def test_word_of_another_scale_is_refused_with_the_words_of_the_one_named(
    small: Ministries, word: str, scale: str
) -> None:
    dossier = small.dossier()
    with pytest.raises(Usage) as refused:
        small.tell(X, "assess", dossier=dossier, likelihood=word, scale=scale, **HELD)
    assert refused.value.code == "desk-asked"
    assert all(one.replace("-", " ") in refused.value.sentence for one in words_of(scale))
    assert small.tell(X, "assessments", about=dossier)["assessments"] == []


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({"likelihood": "likely"}, "desk-asked"),
        ({"scale": US}, "desk-asked"),
        ({"likelihood": "likely", "scale": "nato"}, "desk-asked"),
        ({"claim_level": "8"}, "desk-asked"),
        ({"claim_level": "state"}, "desk-asked"),
        ({"tone": "angry"}, "desk-asked"),
        ({"confidence": "medium"}, "desk-asked"),
        ({"confidence": "high", "confidence_scale": UK}, "desk-asked"),
        ({"confidence_scale": US}, "desk-asked"),
        ({"dissent": True}, "desk-asked"),
        ({"reason": "no dissent"}, "desk-asked"),
        ({"hypothesis": "x-comity-hypothesis--00000000-0000-4000-8000-000000000000"}, "no-such-object"),
        ({"accused": "intrusion-set--00000000-0000-4000-8000-000000000000"}, "no-such-object"),
        ({"accused": " "}, "desk-asked"),
        ({"say": ""}, "desk-asked"),
    ],
)
def test_word_that_says_nothing_exact_is_refused_and_nothing_is_kept(
    small: Ministries, asked: dict[str, Any], code: str
) -> None:
    dossier = small.dossier()
    with pytest.raises(ComityError) as refused:
        small.tell(X, "assess", dossier=dossier, **{**HELD, **asked})
    assert refused.value.code == code
    assert refused.value.sentence.endswith(".")
    assert small.tell(X, "assessments", about=dossier)["assessments"] == []


def test_ladder_is_said_by_number_or_word_and_the_scales_keep_their_own_ranges() -> None:
    assert [level_of(str(one.n)) for one in ladder()] == [level_of(one.id) for one in ladder()]
    assert tone_of("breach-of-law") == tone_of("breach-of-international-law") == "breach-of-international-law"
    uk, us = likelihood_of("Likely", UK), likelihood_of("probable", US)
    assert ((uk.low, uk.high), (us.low, us.high)) == ((55, 75), (55, 80))
    assert likelihood_of("Nearly Certain", US).word == "almost-certain"
    assert likelihood("likely", "martian") is None
    assert (uk.fact.verified, us.fact.verified) == (False, True)


def test_original_word_its_scale_and_range_are_kept_and_the_unconfirmed_scale_is_marked(small: Ministries) -> None:
    dossier = small.released(tlp="green")
    small.tell(X, "assess", dossier=dossier, likelihood="Highly Likely", scale=UK, confidence="moderate", **HELD)
    small.settle()
    one = table(small, Y, dossier)[X]
    assert (one["likelihood"], one["scale"], one["range"]) == ("Highly Likely", UK, [80, 90])
    assert one["range_mark"].startswith("unconfirmed")
    assert (one["confidence"], one["claim_level"], one["claim"]["n"], one["tone"]) == (
        "moderate",
        "state-organ",
        6,
        "none",
    )
    assert any("unconfirmed" in line for line in small.lines(Y, "assessments", about=dossier))


def test_differences_are_said_one_sentence_each_and_nothing_is_averaged(small: Ministries) -> None:
    dossier = small.released(tlp="green")
    small.tell(X, "assess", dossier=dossier, likelihood="highly likely", scale=UK, confidence="high", **HELD)
    said = {**HELD, "claim_level": "4", "tone": "norm-inconsistent"}
    small.settle()
    small.tell(Y, "assess", dossier=dossier, likelihood="likely", scale=US, confidence="low", **said)
    small.settle()
    told = small.tell(X, "assessments", about=dossier)
    assert [one.partition(".")[0] for one in told["differences"]] == [
        "They differ in claim level",
        "They differ in likelihood",
        "Their words touch at 80 %, each by its own scale",
        "They differ in confidence",
        "They differ in legal tone",
    ]
    assert "'highly likely' on uk-phia" in told["differences"][1]
    assert "Xanadu: high; Ypsilon: low" in told["differences"][3]
    assert "average" not in str(told) and "mean" not in str(told)


def test_words_with_nothing_in_common_and_words_that_agree_are_told_as_that(small: Ministries) -> None:
    dossier = small.released(tlp="green")
    small.tell(X, "assess", dossier=dossier, likelihood="almost certain", scale=UK, **HELD)
    small.settle()
    assert small.tell(Y, "assessments", about=dossier)["differences"] == []
    small.tell(Y, "assess", dossier=dossier, likelihood="likely", scale=US, **HELD)
    small.settle()
    told = small.tell(X, "assessments", about=dossier)["differences"]
    assert "Their words have no percentage in common, each by its own scale." in told


def test_nobody_reads_an_assessment_before_it_is_opened_and_then_five_stand_side_by_side(room: Ministries) -> None:
    dossier = room.released()
    case = room.convene()
    for place, name in enumerate(NAMES):
        dissents = name == C
        said = {
            **HELD,
            "say": f"SEALED-{name}",
            "claim_level": "actor-named" if dissents else "6",
            "likelihood": "likely" if dissents or place % 2 else "highly likely",
            "scale": UK if place % 2 == 0 else US,
            "confidence": "low" if dissents else "high",
            **({"dissent": True, "reason": "Direction is not shown."} if dissents else {}),
        }
        made = room.tell(name, "assess", dossier=dossier, commit=case, **said)
        assert made["committed"] is True and made["case"] == case
        if place < 4:
            room.tick()
            for one in NAMES:
                others = [f"SEALED-{who}".encode() for who in NAMES if who != one]
                held = room.everything(one)
                assert [word for word in others if word in held] == []
            assert {line["state"] for line in table(room, X, case).values()} == {"committed", "awaited"}
            assert all(line["claim_level"] is None for line in table(room, X, case).values())
    room.tick()
    with pytest.raises(NotAllowed):
        room.tell(X, "assess", dossier=dossier, commit=case, **HELD)
    for name in (X, Y, A, C):
        room.tell(name, "reveal", case=case)
    room.tick()
    there = table(room, B, case)
    assert {name: line["state"] for name, line in there.items()} == dict.fromkeys((X, Y, A, C), "opened") | {
        B: "not-opened"
    }
    assert (there[B]["claim_level"], there[B]["text"], there[B]["likelihood"]) == (None, None, None)
    assert any("Nothing is guessed" in line for line in room.lines(X, "assessments", about=case))
    room.tell(B, "reveal", case=case)
    room.tick()
    for name in NAMES:
        told = room.tell(name, "assessments", about=case)
        lines = {one["party_name"]: one for one in told["assessments"]}
        assert {one["state"] for one in lines.values()} == {"opened"}
        assert [who for who, one in lines.items() if one["dissent"]] == [C]
        assert lines[C]["dissent_reason"] == "Direction is not shown."
        assert any(said == "Cordia dissents: Direction is not shown." for said in told["differences"])
        assert (lines[X]["scale"], lines[Y]["scale"]) == (UK, US)
    on_dossier = room.tell(X, "assessments", about=dossier)["assessments"]
    assert {one["party_name"] for one in on_dossier} == set(NAMES)


def test_opened_position_that_is_no_assessment_is_shown_as_that_and_compared_with_none(three: Ministries) -> None:
    dossier = three.released()
    case = three.convene(2)
    three.tell(X, "assess", dossier=dossier, commit=case, **HELD)
    hostile = {"type": "x-comity-assessment", "claim_level": ["7"], "tone": {"a": 1}, "likelihood": 7}
    with deed(three.nodes[Y], "officer-1") as work:
        commit_position(work, case_row(work.tx, case), hostile, officer="officer-1")
    three.tell(A, "assess", dossier=dossier, commit=case, **HELD)
    three.tick()
    for name in (X, Y):
        three.tell(name, "reveal", case=case)
    three.tick()
    told = three.tell(X, "assessments", about=case)
    (line,) = [one for one in told["assessments"] if one["party_name"] == Y]
    assert (line["state"], line["claim_level"]) == ("opened", None)
    assert "x-comity-assessment" in line["defect"]
    assert told["differences"] == []
    assert three.lines(X, "assessments", about=case)


def test_word_of_another_that_this_node_does_not_know_is_kept_and_has_no_range(small: Ministries) -> None:
    dossier = small.released(tlp="green")
    says = {
        "dossier_ref": dossier,
        "claim_level": "cosmic",
        "tone": "furious",
        "likelihood": "sure",
        "likelihood_scale": "own",
    }
    put(small, Y, other(ASSESSMENT, 1, small.nodes[Y].party, **says))
    one = table(small, X, dossier)[Y]
    assert (one["likelihood"], one["scale"], one["range"], one["claim"]) == ("sure", "own", None, None)
    assert len(one["notes"]) == 3
    assert any("has no range" in note for note in one["notes"])


def test_assessment_in_the_name_of_another_is_nobodys_and_is_compared_with_none(small: Ministries) -> None:
    dossier = small.released(tlp="green")
    small.tell(X, "assess", dossier=dossier, **HELD)
    forged = other(
        ASSESSMENT, 1, small.nodes[X].party, dossier_ref=dossier, claim_level="state-responsible", tone="none"
    )
    put(small, Y, forged)
    told = small.tell(X, "assessments", about=dossier)
    by_state = {one["state"]: one for one in told["assessments"]}
    assert (by_state["stated"]["party"], by_state["nobody-vouches"]["party"]) == (small.nodes[X].party, None)
    assert told["differences"] == []


def test_assessment_of_what_is_not_held_and_of_a_case_nobody_opened_is_refused(small: Ministries) -> None:
    absent = "x-comity-dossier--00000000-0000-4000-8000-000000000000"
    with pytest.raises(NotFound):
        small.tell(Y, "assess", dossier=absent, **HELD)
    dossier = small.released()
    for verb, said in (
        ("assess", {"dossier": dossier, "commit": "no such case", **HELD}),
        ("reveal", {"case": "no such case"}),
        ("assessments", {"about": "no such case"}),
        ("assessments", {"about": absent}),
    ):
        with pytest.raises(ComityError) as refused:
            small.tell(Y, verb, **said)
        assert refused.value.code in ("no-such-object", "no-such-case")


def test_later_assessment_takes_the_place_of_ones_own_and_keeps_the_dissent_from_it(small: Ministries) -> None:
    dossier = small.released(tlp="green")
    first = small.tell(X, "assess", dossier=dossier, likelihood="likely", scale=US, confidence="low", **HELD)["id"]
    small.settle()
    small.tell(Y, "dissent", about=first, say="Too sure.")
    small.settle()
    assert small.tell(X, "assess", dossier=dossier, instead=first, **{**HELD, "claim_level": "7"})["id"] == first
    small.settle()
    one = table(small, Y, dossier)[X]
    assert (one["claim_level"], one["likelihood"], one["confidence"]) == ("state-responsible", None, None)
    assert [said["text"] for said in one["dissents"]] == ["Too sure."]
    assert any(note.startswith("Dissent of Ypsilon") for note in one["notes"])
