"""Messages: to whom they name and to nobody else, with running clocks, acknowledged, answered, recorded."""

from __future__ import annotations

from typing import Any

import pytest

from comity.kernel.errors import InputRefused, NotAllowed, NotFound, Usage
from comity.kernel.model.instants import DAY, HOUR, format
from comity.node.desk import carry_out
from comity.node.doctor import examine
from comity.node.release import approve
from simulators.directory import DEEDS, STATED, Directory

A, B, C = "Team A", "Team B", "Team C"
QUESTION: dict[str, Any] = {"subject": "Traffic from AS64500", "text": "Do you see it too?", "reply_by": "PT6H"}


def listed(world: Directory, name: str, /, **said: object) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = world.do(name, "message list", **said).shape["messages"]
    return found


def test_question_reaches_the_party_it_is_for_and_nobody_else() -> None:
    world = Directory()
    sent = world.do(A, "message send", **QUESTION, to=[B]).shape["object"]
    world.all()
    assert [one["object"] for one in listed(world, B)] == [sent]
    assert listed(world, C) == []
    (ours,) = listed(world, A)
    assert (ours["to"][0]["state"], ours["clock"], ours["overdue"]) == ("delivered", "due in 6 h", False)
    told = world.do(B, "message read", message=sent[:26])
    assert told.lines[-1] == "Do you see it too?"
    assert (told.shape["from_name"], told.shape["clock"], told.shape["waits"]) == (A, "due in 6 h", True)
    world.all()
    assert listed(world, A)[0]["to"][0]["state"] == "delivered", "reading tells nobody"
    for node in world.nodes.values():
        assert list(examine(node)) == []


def test_message_is_acknowledged_then_answered_and_the_clock_stops() -> None:
    world = Directory()
    sent = world.do(A, "message send", **QUESTION, to=[B]).shape["object"]
    world.all()
    world.at += HOUR
    world.do(B, "message acknowledge", message=sent)
    world.all()
    (ours,) = listed(world, A)
    assert (ours["to"][0]["state"], ours["clock"], ours["waits"]) == ("acknowledged", "due in 5 h", True)
    world.do(B, "message answer", message=sent, text="Since Tuesday.")
    world.all()
    ours = next(one for one in listed(world, A) if one["object"] == sent)
    assert (ours["to"][0]["state"], ours["clock"], ours["waits"]) == ("answered", "answered", False)
    answer = next(one for one in listed(world, A) if one["object"] != sent)
    assert (answer["subject"], answer["in_reply_to"], answer["from_name"]) == ("Re: Traffic from AS64500", sent, B)
    assert listed(world, C) == []
    with pytest.raises(NotAllowed):
        world.do(B, "message acknowledge", message=sent)


def test_message_that_nobody_answered_in_time_is_overdue_on_both_sides() -> None:
    world = Directory()
    world.do(A, "message send", **QUESTION, to=[B])
    world.all()
    world.at += 7 * HOUR
    for name in (A, B):
        (one,) = listed(world, name, overdue=True)
        assert (one["overdue"], one["clock"]) == (True, "overdue for 1 h")
    assert listed(world, C, overdue=True) == []


def test_answer_of_one_of_two_leaves_the_clock_of_the_other_running() -> None:
    world = Directory()
    sent = world.do(A, "message send", **QUESTION, to=[B, C]).shape["object"]
    world.all()
    world.do(C, "message answer", message=sent, text="No.")
    world.all()
    ours = next(one for one in listed(world, A) if one["object"] == sent)
    assert {one["state"] for one in ours["to"]} == {"delivered", "answered"}
    assert ours["waits"] is True
    theirs = next(one for one in listed(world, C) if one["object"] == sent)
    assert theirs["waits"] is False
    assert [one["object"] for one in listed(world, B)] == [sent], "the answer is for who asked"


def test_message_that_no_clause_carries_is_refused_and_not_kept() -> None:
    world = Directory()
    with pytest.raises(NotAllowed) as refused:
        world.do(A, "message send", **QUESTION, to=[B], purpose=["research"])
    assert refused.value.code == "not-carried"
    assert "Team B" in refused.value.sentence and "Nothing was kept." in refused.value.sentence
    assert listed(world, A) == []


def test_red_message_waits_for_the_officers_that_its_clause_asks_for() -> None:
    world = Directory(A, B)
    world.bilateral(A, B)
    told = world.do(
        A, "message send", **QUESTION, to=[B], tlp="red", purpose=["situational-awareness"], recipient=["duty-officer"]
    )
    assert len(told.shape["waits"]) == 1
    assert "release approve" in told.lines[-1]
    world.all()
    assert listed(world, B) == []
    for officer in ("officer-1", "officer-2"):
        approve(world.nodes[A], told.shape["object"], B, officer=officer, reason="asked")
    world.all()
    assert [one["tlp"] for one in listed(world, B)] == ["red"]


def test_dry_run_says_who_will_see_a_message() -> None:
    world = Directory()
    told = carry_out(world.nodes[A], DEEDS["message send"], {**STATED, **QUESTION, "to": [B]}, "officer-1", dry=True)
    assert [one["name"] for one in told.shape["effects"]] == [B]
    assert listed(world, A) == []


def test_note_verbale_received_by_other_means_is_our_word_and_goes_to_nobody() -> None:
    world = Directory()
    told = world.do(
        A,
        "message send",
        subject="Protest",
        text="The Embassy presents its compliments ...",
        form="note-verbale",
        number="12/2021",
        received="handed over at the ministry",
        received_from=B,
        received_at=format(world.at - DAY),
    )
    world.all()
    (one,) = listed(world, A)
    assert (one["from_name"], one["recorded_by"], one["overdue"]) == (B, world.nodes[A].party, False)
    lines = " ".join(world.do(A, "message read", message=told.shape["object"]).lines)
    assert "Recorded by Team A as received from Team B by other means (handed over at the ministry" in lines
    assert "nobody else signed it" in lines
    assert listed(world, B) == listed(world, C) == []
    with pytest.raises(NotAllowed):
        world.do(A, "message acknowledge", message=told.shape["object"])


@pytest.mark.parametrize(
    "said",
    [
        {"to": []},
        {"to": [A]},
        {"to": [B], "received": "by mail", "received_from": B},
        {"received": "by mail"},
        {"to": [B], "received_from": B},
        {"received": "by mail", "received_from": B, "received_at": "2030-01-01T00:00:00Z"},
        {"to": [B], "text": None},
        {"to": [B], "file": b"twice"},
        {"to": [B], "subject": "Invoice \u202etxt.exe"},
        {"to": [B], "office": "two words"},
        {"to": [B], "language": "French"},
    ],
)
def test_message_that_cannot_be_sent_so_is_refused_with_a_sentence(said: dict[str, Any]) -> None:
    world = Directory()
    with pytest.raises(Usage):
        world.do(A, "message send", **{**QUESTION, **said})
    assert listed(world, A) == []


def test_text_from_a_file_is_taken_as_it_is_and_refused_where_it_is_no_text() -> None:
    world = Directory()
    sent = world.do(A, "message send", subject="Note", file="Première ligne\nSeconde\n".encode(), to=[B], language="fr")
    world.all()
    assert world.do(B, "message read", message=sent.shape["object"]).shape["body"] == "Première ligne\nSeconde\n"
    with pytest.raises(InputRefused) as refused:
        world.do(A, "message send", subject="Note", file=b"\xff\xfe", to=[B])
    assert refused.value.code == "wrong-encoding"


def test_message_that_is_not_held_is_not_found() -> None:
    with pytest.raises(NotFound):
        Directory(A, B).do(A, "message read", message="x-comity-message--0")
