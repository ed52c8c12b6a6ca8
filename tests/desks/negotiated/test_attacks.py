"""What others make of somebody's word, or send in its place, changes nothing of a text and is told."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from comity.desks.negotiated.kinds import TEXT, WORD
from comity.kernel.errors import ComityError
from comity.kernel.model.instants import MINUTE
from comity.kernel.procedure import texts
from comity.kernel.procedure.texts import Operation, Text
from comity.node.minting import Kind
from simulators.textroom import Room

A, B, C = ALL = ("Alpha", "Beta", "Gamma")


def made(kind: Kind, number: int, by: str, **says: Any) -> dict[str, Any]:
    return {
        "type": kind.name,
        "spec_version": "2.1",
        "id": f"{kind.name}--{UUID(int=number, version=4)}",
        "created_by_ref": by,
        "created": "2021-03-05T10:00:00.000Z",
        "modified": "2021-03-05T10:00:00.000Z",
        "extensions": {kind.extension: {"extension_type": kind.form}},
        **says,
    }


@pytest.fixture
def room() -> Room:
    one = Room()
    one.agreed(*ALL)
    return one


def the_text(room: Room, id: str) -> Text:
    return texts.read_text(room.shown(A, id)["text"])


def accepts(text: Text, by: str) -> dict[str, Any]:
    (paragraph,) = text.paragraphs
    return texts.operation_json(
        Operation(
            "accept", by, paragraph.id, texts.digest(text), paragraph.wording, paragraph.alternatives[0].id
        )
    )  # fmt: skip


def word(room: Room, id: str, number: int, author: str, by: str) -> dict[str, Any]:
    text = the_text(room, id)
    operations = [accepts(text, room.id(by))]
    return made(WORD, number, room.id(author), text_ref=id, opening=texts.digest(text), operations=operations)


def test_acceptance_that_another_wrote_in_a_partys_name_is_nobodys(room: Room) -> None:
    id = room.opened(A, B, C, words="Two.")
    before = room.shown(A, id)["digest"]
    room.put(C, word(room, id, 1, B, B), word(room, id, 2, C, B))
    room.sync(*ALL)
    for name in ALL:
        shown = room.shown(name, id)
        assert shown["digest"] == before
        why = {item["id"][-1]: item["sentence"] for item in shown["defects"]}
        assert why["1"] == "Nobody vouches for it, so it is nobody's word here."
        assert why["2"] == "Operation 1 is in the name of another party than the one whose word it is."
        assert "accepts" not in shown["written"]
    room.put(B, word(room, id, 3, B, B))
    room.sync(*ALL)
    assert room.shown(A, id)["written"].endswith("{1} Beta accepts 1\n")


def test_word_of_ours_that_comes_from_another_does_not_speak_for_us(room: Room) -> None:
    id = room.opened(A, B, C, words="Two.")
    room.put(C, word(room, id, 1, A, A), word(room, id, 2, A, B))
    room.sync(*ALL)
    shown = room.shown(A, id)
    assert len({item["id"] for item in shown["defects"]}) == 2
    assert shown["parties"][0]["words"] == 0
    assert the_text(room, id) == texts.draft(("en",), [room.id(name) for name in ALL], room.id(A), [("p1", ["Two."])])


def test_text_that_another_opens_under_the_same_id_does_not_take_its_place(room: Room) -> None:
    id = room.opened(A, B, C, words="Two.")
    parties = [room.id(name) for name in ALL]
    other = made(
        TEXT, 9, room.id(C), name="Other", languages=["en"], parties=parties, paragraphs=[{"id": "p1", "words": ["War."]}]
    )  # fmt: skip
    room.at += MINUTE
    room.put(C, {**other, "id": id})
    room.sync(*ALL)
    for name in (A, B):
        assert "War" not in room.shown(name, id)["written"]
    # said to the other words, it does not count here
    text = texts.draft(("en",), parties, room.id(C), [("p1", ["War."])])
    said = made(
        WORD, 4, room.id(B), text_ref=id, opening=texts.digest(text), operations=[accepts(text, room.id(B))]
    )  # fmt: skip
    room.put(B, said)
    room.sync(*ALL)
    assert any("other words than those" in item["sentence"] for item in room.shown(A, id)["defects"])


def test_text_that_nobody_vouches_for_or_that_is_none_cannot_be_worked_on_and_is_told(room: Room) -> None:
    pieces = [{"id": "p1", "words": ["x"]}]
    good = {"name": "T", "languages": ["en"], "parties": [room.id(name) for name in ALL], "paragraphs": pieces}
    hostile = [
        {**good, "parties": [room.id(A), room.id(B)]},
        {**good, "parties": ["two words"]},
        {**good, "languages": ["english please"]},
        {**good, "paragraphs": pieces * 2},
        {**good, "paragraphs": [{"id": "p1", "words": ["\u202ex"]}]},
        {**good, "paragraphs": "p1"},
        {**good, "agreed": True},
    ]
    room.put(C, *(made(TEXT, n, room.id(C), **says) for n, says in enumerate(hostile, 1)))
    room.put(C, made(TEXT, 50, room.id(B), **good))
    room.sync(*ALL)
    found = room.tell(A, "list")
    assert found["texts"] == []
    assert len({item["id"] for item in found["defects"]}) == len(hostile) + 1
    assert room.text(A, "list")
    for item in found["defects"]:
        with pytest.raises(ComityError):
            room.tell(A, "show", text=item["id"])


def test_hostile_words_are_told_and_the_text_stands(room: Room) -> None:
    id = room.opened(A, B, C, words="Two.")
    text = the_text(room, id)
    good, base = accepts(text, room.id(C)), {"text_ref": id, "opening": texts.digest(text)}
    operations: list[Any] = [
        "accept",
        [["accept"]],
        [{}],
        [{**good, "kind": ["accept"]}],
        [{**good, "kind": "adopt"}],
        [{**good, "alternative": 5}],
        [{**good, "alternative": "0" * 64}],
        [{**good, "words": ["x"]}],
        [{**good, "paragraph": "p9"}],
        [{**good, "form": 2}],
        [{**good, "kind": "comment", "alternative": "", "reason": "\u202ex"}],
        [{**good, "kind": "replace", "alternative": "", "words": ["x" * 30_000]}],
        [good] * 201,
    ]
    room.put(C, *(made(WORD, n, room.id(C), **base, operations=each) for n, each in enumerate(operations, 1)))
    room.put(C, made(WORD, 80, room.id(C), text_ref=id, operations=[good]))
    room.sync(*ALL)
    shown = room.shown(A, id)
    assert shown["digest"] == texts.digest(text)
    assert len({item["id"] for item in shown["defects"]}) == len(operations) + 1
    assert room.text(A, "show", text=id)
    assert room.text(A, "acceptable", text=id)


def test_party_that_says_six_hundred_things_to_a_paragraph_is_heard_a_hundred_times_and_others_still(
    room: Room,
) -> None:
    id = room.opened(A, B, C, words="Two.")
    text = the_text(room, id)
    remark = {**accepts(text, room.id(C)), "kind": "comment", "alternative": "", "reason": "x"}
    base = {"text_ref": id, "opening": texts.digest(text)}
    room.put(C, *(made(WORD, n, room.id(C), **base, operations=[remark] * 200) for n in range(1, 4)))
    room.sync(*ALL)
    room.tell(B, "position", text=id, paragraph="p1", alternative="1", accept=True)
    room.sync(*ALL)
    shown = room.shown(A, id)
    assert len(shown["text"]["paragraphs"][0]["comments"]) == 100
    assert "Beta accepts 1" in shown["written"]
    assert len(shown["defects"]) > 0
