"""A dossier goes to nobody before every part norm 13(b) asks for is said or waived, and what is withheld goes to nobody ever."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from comity.desks.attribution.facts import parts
from comity.desks.attribution.kinds import DOSSIER, EVIDENCE, PART, SOURCE, WEIGHING, Kind
from comity.kernel.errors import ComityError, NotAllowed, NotFound, Usage
from comity.kernel.release.handling import Handling
from comity.kernel.store.rows import Version
from comity.node.doctor import examine
from comity.node.handling import set_handling
from desks.attribution.ministries import AMBER, NAMES, PARTS, A, Ministries, X, Y


@pytest.fixture
def room() -> Ministries:
    return Ministries().open(*NAMES)


def other(kind: Kind, number: int, by: str, **says: Any) -> dict[str, Any]:
    """An object of a kind as some other program writes it."""
    return {
        "type": kind.name,
        "spec_version": "2.1",
        "id": f"{kind.name}--{UUID(int=number, version=4)}",
        "created_by_ref": by,
        "created": "2021-03-05T10:00:00.000Z",
        "modified": "2021-03-05T10:00:00.000Z",
        "extensions": {kind.extension: {"extension_type": "new-sdo"}},
        **says,
    }


def put(room: Ministries, name: str, *objects: dict[str, Any]) -> None:
    stated = {key: list(value) if isinstance(value, tuple) else value for key, value in AMBER.items()}
    room.take(name, *objects, caveats=[], **stated)
    room.settle()


def test_the_parts_of_these_tests_are_those_the_norm_lists() -> None:
    assert parts() == PARTS


def test_missing_part_blocks_release_and_is_named(room: Ministries) -> None:
    dossier = room.dossier()
    room.fill(dossier, "consequences", "wider-context")
    assert room.status(X, "check", dossier=dossier) == 1
    assert room.tell(X, "check", dossier=dossier)["missing"] == ["wider-context", "consequences"]
    with pytest.raises(NotAllowed) as refused:
        room.tell(X, "ready", dossier=dossier, **AMBER)
    assert refused.value.code == "dossier-incomplete"
    assert "wider-context, consequences" in refused.value.sentence
    room.settle()
    assert [room.count(name, dossier) for name in NAMES] == [1, 0, 0, 0, 0]


def test_waived_part_lets_the_dossier_go_and_every_reader_is_shown_the_reason(room: Ministries) -> None:
    dossier = room.dossier()
    room.fill(dossier, "consultations-held")
    room.tell(X, "waive", dossier=dossier, part="consultations-held", reason="Partners are asked on the day.")
    assert room.status(X, "check", dossier=dossier) == 0
    room.tell(X, "ready", dossier=dossier)
    room.settle()
    told = {row["part"]: row for row in room.tell(Y, "show", dossier=dossier)["parts"]}
    assert (told["consultations-held"]["state"], told["consultations-held"]["waived"]) == (
        "waived",
        "Partners are asked on the day.",
    )
    assert told["consequences"]["state"] == "said"
    assert room.status(Y, "check", dossier=dossier) == 0


def test_part_that_is_said_after_it_was_waived_is_waived_no_more(room: Ministries) -> None:
    dossier = room.dossier()
    first = room.tell(X, "waive", dossier=dossier, part="consequences", reason="later")["id"]
    assert room.tell(X, "part", dossier=dossier, part="consequences", say="Nine servers.")["id"] == first
    told = {row["part"]: row for row in room.tell(X, "show", dossier=dossier)["parts"]}["consequences"]
    assert (told["state"], told["text"], told["waived"]) == ("said", "Nine servers.", None)


@pytest.mark.parametrize(
    "word",
    ["", "wider context", "WIDER-CONTEXT", "consequences\n", "../consequences", "\u202econsequences", "x" * 9_999],
)
def test_part_that_norm_13b_does_not_ask_for_is_refused_with_those_it_asks_for(room: Ministries, word: str) -> None:
    dossier = room.dossier()
    for verb, said in (("part", {"say": "x"}), ("waive", {"reason": "x"})):
        with pytest.raises(Usage) as refused:
            room.tell(X, verb, dossier=dossier, part=word, **said)
        assert refused.value.code == "desk-asked"
        assert all(part in refused.value.sentence for part in PARTS)
    assert room.tell(X, "check", dossier=dossier)["missing"] == list(PARTS)


@pytest.mark.parametrize("text", ["", " ", "\n\t"])
def test_part_that_says_nothing_is_refused(room: Ministries, text: str) -> None:
    dossier = room.dossier()
    for verb, said in (("part", {"say": text}), ("waive", {"reason": text}), ("part", {"text": text.encode()})):
        with pytest.raises(Usage) as refused:
            room.tell(X, verb, dossier=dossier, part="consequences", **said)
        assert refused.value.code == "desk-asked"
    assert "consequences" in room.tell(X, "check", dossier=dossier)["missing"]


def test_nothing_of_a_draft_stands_in_anybody_elses_store(room: Ministries) -> None:
    dossier = room.dossier(title="DRAFT-TITLE")
    room.fill(dossier)
    piece = room.evidence(dossier, 0, say="DRAFT-EVIDENCE")
    hypothesis = room.tell(X, "hypothesis", dossier=dossier, name="DRAFT-HYPOTHESIS", say="x")["id"]
    room.tell(X, "weigh", dossier=dossier, evidence=piece, hypothesis=hypothesis, value="neutral")
    room.tell(X, "assess", dossier=dossier, claim_level="3", say="DRAFT-ASSESSMENT")
    room.tell(X, "finding", dossier=dossier, role="technical", facts="DRAFT-FACTS", concludes="x")
    room.tell(X, "dissent", about=dossier, say="DRAFT-DISSENT")
    room.settle()
    assert b"DRAFT-EVIDENCE" in room.everything(X)
    for name in NAMES[1:]:
        held = room.everything(name)
        assert b"DRAFT-" not in held and dossier.encode() not in held and piece.encode() not in held
    room.tell(X, "ready", dossier=dossier)
    room.settle()
    for word in (b"TITLE", b"EVIDENCE", b"HYPOTHESIS", b"ASSESSMENT", b"FACTS", b"DISSENT"):
        assert b"DRAFT-" + word in room.everything(Y)


def test_withheld_piece_and_what_described_ones_rest_on_stand_in_nobody_elses_store(room: Ministries) -> None:
    dossier = room.dossier()
    room.fill(dossier)
    shared = room.evidence(dossier, 0, "shared", say="WORDS-SHARED")
    described = room.evidence(dossier, 1, "described", say="WORDS-DESCRIBED")
    withheld = room.evidence(dossier, 2, "withheld", say="WORDS-WITHHELD")
    hypothesis = room.tell(X, "hypothesis", dossier=dossier, name="A service", say="x")["id"]
    weighings = [
        room.tell(X, "weigh", dossier=dossier, evidence=piece, hypothesis=hypothesis, value="consistent")["id"]
        for piece in (shared, described, withheld)
    ]
    released = room.tell(X, "ready", dossier=dossier)["released"]
    assert withheld not in released
    room.settle()
    home = room.everything(X)
    never = [b"WORDS-WITHHELD", withheld.encode(), weighings[2].encode(), b"x-comity-evidence-source--"]
    never += [room.indicators[1].encode(), room.indicators[2].encode()]
    assert all(one in home for one in never)
    for name in NAMES[1:]:
        held = room.everything(name)
        assert [one for one in never if one in held] == []
        assert b"WORDS-SHARED" in held and b"WORDS-DESCRIBED" in held and weighings[1].encode() in held
        told = room.tell(name, "show", dossier=dossier)
        assert [(one["class"], one["text"]) for one in told["evidence"]].count(("described", "WORDS-DESCRIBED")) == 1
        assert len(told["evidence"]) == len(room.tell(name, "matrix", dossier=dossier)["evidence"]) == 2
    for format in ("txt", "json"):
        file = _paper(room, X, dossier, format)
        assert b"WORDS-DESCRIBED" in file
        assert [one for one in never if one in file] == []


def test_described_piece_does_not_say_on_which_object_it_rests_to_who_has_that_object_too() -> None:
    room = Ministries().open(*NAMES[:2], also="indicator")
    dossier = room.dossier()
    room.fill(dossier)
    for place, class_ in enumerate(("shared", "described", "withheld")):
        room.evidence(dossier, place, class_)
    room.evidence(dossier, 3, "shown", shown_to=(Y,), shown_at="2021-03-04T10:00:00Z")
    room.tell(X, "ready", dossier=dossier)
    room.settle()
    assert all(room.count(Y, id) for id in room.indicators)
    told = room.tell(Y, "show", dossier=dossier)["evidence"]
    assert {one["class"]: one["objects"] for one in told} == {
        "shared": [room.indicators[0]],
        "described": [],
        "shown": [],
    }
    with room.nodes[Y].store.read() as tx:
        assert b"".join(row.raw for row in tx.find(Version, type=EVIDENCE.name)).count(b"indicator--") == 1
        assert tx.count(Version, type=SOURCE.name) == 0


def _paper(room: Ministries, name: str, dossier: str, format: str) -> bytes:
    from comity.node.desk import carry_out
    from simulators.deskroom import DEEDS

    said = {"dossier": dossier, "format": format}
    file = carry_out(room.nodes[name], DEEDS["attribution document"], said, "officer-1").file
    assert file is not None
    return file


def test_what_was_shown_in_a_meeting_is_told_to_whom_it_was_shown_and_to_nobody_else(room: Ministries) -> None:
    dossier = room.dossier()
    room.fill(dossier)
    with pytest.raises(Usage):
        room.evidence(dossier, 0, "shown", say="no word to whom")
    with pytest.raises(Usage):
        room.evidence(dossier, 0, "shared", say="x", shown_to=(Y,), shown_at="2021-03-04T10:00:00Z")
    room.evidence(
        dossier, 0, "shown", say="WORDS", shown_to=(Y, "a visitor"), shown_at="2021-03-04T10:00:00Z", shown_where="HALL"
    )
    room.tell(X, "ready", dossier=dossier)
    room.settle()
    (seen,) = room.tell(Y, "show", dossier=dossier)["evidence"]
    assert [(one["to"], one["where"]) for one in seen["shown"]] == [(Y, "HALL")]
    (unseen,) = room.tell(A, "show", dossier=dossier)["evidence"]
    assert (unseen["text"], unseen["shown"], unseen["objects"]) == ("WORDS", [], [])
    assert b"HALL" not in room.everything(A)
    assert b"a visitor" not in room.everything(Y)
    assert room.indicators[0].encode() not in room.everything(Y)
    assert {one["to"] for one in room.tell(X, "show", dossier=dossier)["evidence"][0]["shown"]} == {Y, "a visitor"}


def test_piece_that_was_given_does_not_become_narrower_and_one_that_was_not_does(room: Ministries) -> None:
    dossier = room.dossier()
    room.fill(dossier)
    piece = room.evidence(dossier, 0, "shared")
    assert room.evidence(dossier, 0, "withheld", say="SECOND-THOUGHTS") == piece
    assert room.evidence(dossier, 0, "described") == piece
    room.tell(X, "ready", dossier=dossier)
    room.settle()
    assert b"SECOND-THOUGHTS" not in room.everything(Y)
    with pytest.raises(NotAllowed) as refused:
        room.evidence(dossier, 0, "withheld")
    assert refused.value.code == "evidence-given"
    assert Y in refused.value.sentence
    assert room.evidence(dossier, 0, "shared", source="A") == piece
    set_handling(room.nodes[X], piece, Handling(tlp="red"), officer="officer-1")
    room.settle()
    assert room.tell(Y, "show", dossier=dossier)["evidence"] == []
    assert room.evidence(dossier, 0, "withheld") == piece


def test_withheld_piece_that_is_described_later_goes_with_the_next_ready(room: Ministries) -> None:
    dossier = room.dossier()
    room.fill(dossier)
    piece = room.evidence(dossier, 0, "withheld", say="FIRST-WORDS")
    room.tell(X, "ready", dossier=dossier)
    room.settle()
    room.evidence(dossier, 0, "described", say="SECOND-WORDS")
    room.settle()
    assert piece.encode() not in room.everything(Y)
    room.tell(X, "ready", dossier=dossier)
    room.settle()
    held = room.everything(Y)
    assert piece.encode() in held and b"SECOND-WORDS" in held and b"FIRST-WORDS" not in held
    assert room.indicators[0].encode() not in held


def test_what_is_changed_after_the_release_stays_here_until_it_is_ready_again(room: Ministries) -> None:
    dossier = room.released()
    room.tell(X, "part", dossier=dossier, part="consequences", say="LATER-WORDS")
    room.settle()
    assert b"LATER-WORDS" not in room.everything(Y)
    before = {row["part"]: row["text"] for row in room.tell(Y, "show", dossier=dossier)["parts"]}
    assert before["consequences"] == "consequences as we see it"
    ours = {row["part"]: row["draft"] for row in room.tell(X, "show", dossier=dossier)["parts"]}
    assert ours == dict.fromkeys(PARTS, False) | {"consequences": True}
    room.tell(X, "ready", dossier=dossier)
    room.settle()
    after = {row["part"]: row["text"] for row in room.tell(Y, "show", dossier=dossier)["parts"]}
    assert after["consequences"] == "LATER-WORDS"


def test_rehearsal_of_a_release_tells_what_then_goes_and_keeps_nothing(room: Ministries) -> None:
    dossier = room.dossier()
    room.fill(dossier)
    withheld = room.evidence(dossier, 0, "withheld")
    rehearsed = room.tell(X, "ready", dry=True, dossier=dossier)
    room.settle()
    assert room.count(Y, dossier) == 0
    shown = {one["name"]: {row["object"] for row in one["shown"]} for one in rehearsed["effects"]}
    assert set(shown) == set(NAMES[1:])
    room.tell(X, "ready", dossier=dossier)
    room.settle()
    assert withheld not in shown[Y]
    assert all(room.count(Y, id) for id in shown[Y])


def forged_parts(room: Ministries, dossier: str) -> list[dict[str, Any]]:
    us, them = room.nodes[X].party, room.nodes[Y].party
    forged = [
        other(PART, 1, us, dossier_ref=dossier, part="consequences", text="FORGED in your name"),
        other(PART, 2, them, dossier_ref=dossier, part="consequences", text="FORGED in ours"),
        other(PART, 3, them, dossier_ref=dossier, part="no-such-part", text="FORGED again"),
        other(EVIDENCE, 4, us, dossier_ref=dossier, sharing="shared", source="A", information="1", text="FORGED"),
    ]
    return [{**one, "modified": "2021-03-07T10:00:00.000Z"} for one in forged]


def test_object_of_another_that_claims_to_be_a_part_of_our_dossier_changes_nothing(room: Ministries) -> None:
    dossier = room.dossier()
    room.fill(dossier, "consequences")
    room.tell(X, "waive", dossier=dossier, part="consequences", reason="not yet known")
    room.tell(X, "ready", dossier=dossier)
    room.settle()
    forged = forged_parts(room, dossier)
    put(room, Y, *forged)
    assert all(room.count(X, str(one["id"])) for one in forged)
    told = room.tell(X, "show", dossier=dossier)
    assert {one["id"] for one in told["others"]} == {one["id"] for one in forged}
    assert {one["by"] for one in told["others"]} == {None, room.nodes[Y].party}
    assert "FORGED" not in str((told["parts"], told["evidence"]))
    assert {row["part"]: row["state"] for row in told["parts"]}["consequences"] == "waived"
    assert sum("No part of it" in line for line in room.lines(X, "show", dossier=dossier)) == len(forged)
    assert b"FORGED" not in _paper(room, X, dossier, "txt")
    again = room.tell(X, "ready", dossier=dossier)["released"]
    assert not {str(one["id"]) for one in forged} & set(again)


def test_part_by_another_that_an_officer_of_ours_takes_in_fills_no_draft(room: Ministries) -> None:
    dossier = room.dossier()
    room.fill(dossier, "consequences")
    put(room, X, *(one for one in forged_parts(room, dossier) if one["created_by_ref"] != room.nodes[X].party))
    assert room.tell(X, "check", dossier=dossier)["missing"] == ["consequences"]
    with pytest.raises(NotAllowed) as refused:
        room.tell(X, "ready", dossier=dossier)
    assert refused.value.code == "dossier-incomplete"


def test_newer_version_of_our_dossier_from_another_party_changes_nothing(room: Ministries) -> None:
    dossier = room.released()
    part = room.tell(X, "show", dossier=dossier)["parts"][3]["id"]
    us = room.nodes[X].party
    later = {"modified": "2021-03-06T10:00:00.000Z"}
    put(
        room,
        Y,
        {**other(DOSSIER, 1, us, name="FORGED", state="draft"), "id": dossier, **later},
        {**other(PART, 2, us, dossier_ref=dossier, part="consequences", text="FORGED"), "id": part, **later},
    )
    for name in (X, A):
        told = room.tell(name, "show", dossier=dossier)
        assert (told["title"], told["by"], told["state"]) == ("Who exploited the mail servers", us, "ready")
        assert "FORGED" not in str(told["parts"])
    room.tell(X, "ready", dossier=dossier)


def test_another_partys_dossier_is_added_to_by_nobody_but_its_author(room: Ministries) -> None:
    dossier = room.released()
    for verb, said in (
        ("part", {"part": "consequences", "say": "x"}),
        ("waive", {"part": "consequences", "reason": "x"}),
        ("ready", {}),
        ("hypothesis", {"name": "x", "say": "x"}),
        ("evidence", {"object": dossier, "class_": "shared", "source": "A", "information": "1", "say": "x"}),
    ):
        with pytest.raises(NotAllowed) as refused:
            room.tell(Y, verb, dossier=dossier, **said)
        assert refused.value.code == "not-ours"
        assert X in refused.value.sentence


def test_dossier_of_which_nobody_knows_whose_word_it_is_has_no_part(room: Ministries) -> None:
    strange = other(DOSSIER, 1, room.nodes[A].party, name="In the name of Almara", state="ready")
    put(room, Y, strange, other(PART, 2, room.nodes[A].party, dossier_ref=strange["id"], part="consequences", text="x"))
    told = room.tell(X, "show", dossier=str(strange["id"]))
    assert told["by"] is None and told["name"].startswith("unattributed, by way of")
    assert {row["state"] for row in told["parts"]} == {"missing"}
    assert len(told["others"]) == 1


def test_broken_objects_are_defects_with_their_sender_and_every_reading_deed_answers(room: Ministries) -> None:
    dossier = room.released()
    them = room.nodes[Y].party
    hostile: list[dict[str, Any]] = [
        other(PART, 10, them, dossier_ref=dossier, part={"a": 1}),
        other(PART, 11, them, dossier_ref=dossier, part="x" * 5_000),
        other(EVIDENCE, 12, them, dossier_ref=dossier, sharing="secret", source="A", information="1"),
        other(EVIDENCE, 13, them, dossier_ref=dossier, sharing="shared", source="G", information="7"),
        other(WEIGHING, 14, them, dossier_ref=dossier, value="consistent", weight="infinite"),
        other(WEIGHING, 15, them, dossier_ref=dossier, value=9e99),
    ]
    put(room, Y, *hostile)
    told = room.tell(X, "show", dossier=dossier)
    assert {one["id"] for one in told["defects"]} == {one["id"] for one in hostile}
    assert {one["name"] for one in told["defects"]} == {Y}
    for verb in ("check", "matrix", "show"):
        assert room.lines(X, verb, dossier=dossier)
    assert room.lines(X, "list") and room.lines(X, "assessments", about=dossier)
    assert _paper(room, X, dossier, "txt")


def test_object_that_is_not_held_is_no_evidence_and_no_incident(room: Ministries) -> None:
    dossier = room.dossier()
    absent = "indicator--00000000-0000-4000-8000-0000000000ff"
    for object in (absent, "indicator", "", "x-comity-dossier--1"):
        with pytest.raises(NotFound) as refused:
            said = {"class_": "shared", "source": "A", "information": "1", "say": "x"}
            room.tell(X, "evidence", dossier=dossier, object=object, **said)
        assert refused.value.code == "no-such-object"
    with pytest.raises(NotFound):
        room.tell(X, "open", title="x", incident=(absent,), **AMBER)


@pytest.mark.parametrize(("source", "information"), [("G", "1"), ("A", "7"), ("a", "1"), ("A", "0"), ("", "1")])
def test_grade_that_is_none_of_the_admiralty_code_is_refused(room: Ministries, source: str, information: str) -> None:
    with pytest.raises(ComityError) as refused:
        room.evidence(room.dossier(), 0, source=source, information=information)
    assert refused.value.code == "desk-asked"


def test_clock_an_hour_off_at_the_author_loses_no_version(room: Ministries) -> None:
    dossier = room.released()
    room.shift[X] = -1_000_000  # within what a clock may be set back by its own daemon
    room.tell(X, "part", dossier=dossier, part="consequences", say="LATER-WORDS")
    room.shift[Y] = 3_600_000_000
    room.tell(X, "ready", dossier=dossier)
    room.settle()
    told = {row["part"]: row["text"] for row in room.tell(Y, "show", dossier=dossier)["parts"]}
    assert told["consequences"] == "LATER-WORDS"


def test_node_with_a_dossier_is_found_sound_by_its_doctor(room: Ministries) -> None:
    dossier = room.released()
    room.evidence(dossier, 0, "withheld")
    for name in (X, Y):
        assert list(examine(room.nodes[name])) == []


def test_release_that_is_stated_too_strict_for_every_clause_goes_to_nobody(room: Ministries) -> None:
    dossier = room.dossier()
    room.fill(dossier)
    room.tell(X, "ready", dossier=dossier, tlp="amber+strict")
    room.settle()
    assert room.count(Y, dossier) == 0
