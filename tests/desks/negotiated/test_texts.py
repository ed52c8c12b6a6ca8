"""Three parties negotiate one text by objects of their own; every node makes the same text of the same words."""

from __future__ import annotations

from typing import Any

import pytest

from comity.desks.negotiated.folding import Step, fold
from comity.desks.negotiated.folding import one as fold_of
from comity.kernel.errors import ComityError
from comity.kernel.model.instants import HOUR, MINUTE
from comity.kernel.procedure import texts
from simulators.textroom import STATED, Room

A, B, C, D = "Alpha", "Beta", "Gamma", "Delta"
ALL = (A, B, C)


@pytest.fixture
def room() -> Room:
    made = Room()
    made.agreed(*ALL)
    return made


def alike(room: Room, id: str) -> str:
    room.sync(*ALL)
    seen = {(room.shown(name, id)["digest"], room.written(name, id)) for name in ALL}
    assert len(seen) == 1
    return seen.pop()[1]


def test_what_one_proposes_and_two_take_positions_on_stands_the_same_at_every_node(room: Room) -> None:
    id = room.opened(A, B, C)
    assert alike(room, id) == "(p1)\nen: [Alpha: One.]\n\n(p2)\nen: [Alpha: Two.]\n"
    room.tell(B, "propose", text=id, paragraph="p2", words=("Two and a half.",))
    room.sync(*ALL)
    room.tell(C, "position", text=id, paragraph="p2", alternative="2", ad_referendum=True, reason="The capital sleeps.")
    room.tell(A, "position", text=id, paragraph="p2", alternative="2", reject=True, reason="Too much.")
    room.tell(B, "position", text=id, paragraph="p1", alternative="1", accept=True)
    room.tell(C, "position", text=id, paragraph="p1", alternative="1", accept=True)
    assert alike(room, id) == (
        "(p1)\nen: One.\n\n(p2)\nen: [Alpha: Two. / Beta: Two and a half. {1} {2}]\n"
        "{1} Alpha objects to 2: Too much.\n{2} Gamma accepts 2 ad referendum: The capital sleeps.\n"
    )
    shown = room.shown(B, id)
    assert (shown["open"], shown["defects"]) == (["p2"], [])
    assert [item["words"] for item in shown["parties"]] == [1, 2, 2]


def test_what_a_set_of_parties_can_all_accept_is_told_for_each_pair(room: Room) -> None:
    id = room.opened(A, B, C, words="Two.")
    room.tell(B, "propose", text=id, paragraph="p1", words=("Two and a half.",))
    room.sync(*ALL)
    room.tell(C, "position", text=id, paragraph="p1", alternative="2", ad_referendum=True)
    room.sync(*ALL)
    both = room.tell(A, "acceptable", text=id, party=(B, C))
    assert both["words"]["paragraphs"] == [{"id": "p1", "words": ["Two and a half."]}]
    assert both["choices"][0]["ad_referendum"] == [room.id(C)]
    none = room.tell(A, "acceptable", text=id, party=(A, B))
    assert none["words"] is None
    assert {(item["party"], item["why"]) for item in none["blocked"][0]["by"]} == {
        (room.id(A), "silent"), (room.id(B), "silent")
    }  # fmt: skip
    lines = room.text(A, "acceptable", text=id)
    assert "no whole text that Alpha, Beta, Gamma can all accept" in lines
    assert "1: Gamma has said nothing." in lines
    room.tell(C, "position", text=id, paragraph="p1", alternative="1", accept=True)
    room.tell(B, "position", text=id, paragraph="p1", alternative="1", accept=True)
    room.sync(*ALL)
    assert room.tell(C, "acceptable", text=id, party=(B, C))["ties"][0]["paragraph"] == "p1"
    assert room.tell(C, "acceptable", text=id, party=(A, B))["words"]["paragraphs"][0]["words"] == ["Two."]


def test_new_paragraph_omission_and_withdrawal_reach_every_node(room: Room) -> None:
    id = room.opened(A, B, C)
    room.tell(B, "propose", text=id, paragraph="p1a", words=("Between.",), after="p1")
    room.tell(C, "propose", text=id, paragraph="p2", delete=True)
    room.sync(*ALL)
    assert alike(room, id) == (
        "(p1)\nen: [Alpha: One.]\n\n(p1a)\nen: [Beta: Between.]\n\n(p2)\nen: [Alpha: Two. / Gamma: omit]\n"
    )
    room.tell(B, "position", text=id, paragraph="p1a", alternative="1", withdraw=True)
    room.tell(C, "propose", text=id, paragraph="p2", words=("Zwei.",), instead="2")
    assert alike(room, id) == "(p1)\nen: [Alpha: One.]\n\n(p1a) withdrawn\n\n(p2)\nen: [Alpha: Two. / Gamma: Zwei.]\n"


def test_authentic_languages_are_proposed_together(room: Room) -> None:
    id = room.opened(A, B, C, words="One.\nUn.\n\nTwo.\nDeux.", language=("en", "fr"))
    with pytest.raises(ComityError) as refused:
        room.tell(B, "propose", text=id, paragraph="p2", words=("Three.",))
    assert refused.value.code == "text-language"
    room.tell(B, "propose", text=id, paragraph="p2", words=("Three.", "Trois."))
    assert "fr: [Alpha: Deux. / Beta: Trois.]" in alike(room, id)
    with pytest.raises(ComityError) as refused:
        room.opened(A, B, words="One.\n\nTwo.", language=("en", "fr"))
    assert refused.value.code == "desk-asked"


def test_of_two_proposals_that_cross_one_stands_and_the_other_is_told_as_stale_at_every_node(room: Room) -> None:
    id = room.opened(A, B, C, words="Two.")
    room.tell(C, "propose", text=id, paragraph="p1", words=("Of Gamma.",))
    room.at += MINUTE
    late = room.tell(B, "propose", text=id, paragraph="p1", words=("Of Beta.",))["id"]
    assert alike(room, id) == "(p1)\nen: [Alpha: Two. / Gamma: Of Gamma.]\n"
    for name in ALL:
        (defect,) = room.shown(name, id)["defects"]
        assert (defect["id"], defect["by"]) == (late, room.id(B))
        assert "read it as it stands and decide again" in defect["sentence"]
        assert late in room.text(name, "show", text=id)


def test_position_counts_though_a_proposal_that_it_did_not_see_bears_an_earlier_time(room: Room) -> None:
    id = room.opened(A, B, C, words="Two.")
    room.tell(C, "propose", text=id, paragraph="p1", words=("Said before.",))
    room.at += MINUTE
    room.tell(B, "position", text=id, paragraph="p1", alternative="1", accept=True)
    assert alike(room, id) == "(p1)\nen: [Alpha: Two. {1} / Gamma: Said before.]\n{1} Beta accepts 1\n"
    assert room.shown(A, id)["defects"] == []


def test_position_of_a_party_whose_clock_is_an_hour_behind_counts_after_the_proposal_it_is_about(room: Room) -> None:
    room.at += HOUR
    room.shift[C] = -HOUR  # its own clock never goes back: it has done nothing since
    id = room.opened(A, B, C, words="Two.")
    room.tell(B, "propose", text=id, paragraph="p1", words=("New.",))
    room.sync(*ALL)
    room.tell(C, "position", text=id, paragraph="p1", alternative="2", reserve=True)
    room.tell(C, "position", text=id, paragraph="p1", alternative="2", accept=True)
    assert alike(room, id).endswith("{1} Gamma accepts 2\n")


def test_positions_stay_when_proposals_are_withdrawn_and_the_paragraph_is_worded_as_before(room: Room) -> None:
    id = room.opened(A, B, C, words="Two.")

    def say(name: str, deed: str, **said: Any) -> None:
        room.at += MINUTE
        room.tell(name, deed, text=id, paragraph="p1", **said)
        room.sync(*ALL)

    say(B, "propose", words=("Of Beta.",))
    say(C, "propose", words=("Of Gamma.",))
    say(B, "position", alternative="1", reserve=True, reason="Not yet.")
    say(B, "position", alternative="2", withdraw=True)
    say(C, "position", alternative="2", withdraw=True)
    say(C, "position", alternative="1", ad_referendum=True)
    assert alike(room, id) == (
        "(p1)\nen: [Alpha: Two. {1} {2}]\n{1} Beta reserves on 1: Not yet.\n{2} Gamma accepts 1 ad referendum\n"
    )
    assert room.shown(A, id)["defects"] == []


def test_words_give_the_same_text_in_whatever_order_they_came(room: Room) -> None:
    id = room.opened(A, B, C, words="Two.")
    for name, words in ((B, "B."), (C, "C."), (B, "B again.")):
        room.tell(name, "propose", text=id, paragraph="p1", words=(words,))
        room.sync(*ALL)
    room.tell(A, "position", text=id, paragraph="p1", alternative="3", accept=True)
    with room.nodes[A].store.read() as tx:
        folded = fold_of(tx, room.id(A), id)
    steps = list(folded.said)
    assert len(steps) == 4
    turned: list[list[Step]] = [steps, steps[::-1], steps[2:] + steps[:2], [*steps[1::2], *steps[::2]]]
    assert {texts.digest(fold(folded.opening, each)[0]) for each in turned} == {texts.digest(folded.text)}


def test_text_goes_to_its_parties_alone_and_who_is_not_shown_it_can_say_nothing() -> None:
    room = Room()
    room.agreed(*ALL, D)
    id = room.opened(A, B, C)
    room.tell(B, "propose", text=id, paragraph="p1", words=("Other.",))
    room.sync(*ALL, D)
    assert "Other." in room.written(C, id)
    for deed, said in (("show", {}), ("propose", {"paragraph": "p1", "words": ("x",)})):
        with pytest.raises(ComityError) as refused:
            room.tell(D, deed, text=id, **said)
        assert refused.value.code == "no-such-object"
    assert room.tell(D, "list") == {"texts": [], "defects": []}
    assert [(row["id"], row["open"]) for row in room.tell(C, "list")["texts"]] == [(id, 2)]


@pytest.mark.parametrize(
    ("deed", "said", "code"),
    [
        ("propose", {"paragraph": "p9", "words": ("x",)}, "text-paragraph"),
        ("propose", {"paragraph": "p1"}, "desk-asked"),
        ("propose", {"paragraph": "p1", "words": ("x",), "delete": True}, "desk-asked"),
        ("propose", {"paragraph": "p1", "words": ("x",), "after": "p1"}, "text-paragraph"),
        ("propose", {"paragraph": "p1", "words": ("x",), "instead": "1"}, "text-own"),
        ("position", {"paragraph": "p1", "alternative": "2", "accept": True}, "text-alternative"),
        ("position", {"paragraph": "p1", "alternative": "1"}, "desk-asked"),
        ("position", {"paragraph": "p1", "alternative": "1", "accept": True, "reason": "x"}, "text-form"),
    ],
)
def test_what_the_text_does_not_allow_is_refused_and_nothing_is_kept(
    room: Room, deed: str, said: dict[str, Any], code: str
) -> None:
    id = room.opened(A, B, C)
    with pytest.raises(ComityError) as refused:
        room.tell(B, deed, text=id, **said)
    assert refused.value.code == code
    assert room.shown(B, id)["parties"][1]["words"] == 0


def test_rehearsal_tells_who_would_get_it_and_keeps_nothing(room: Room) -> None:
    told = room.told(A, "open", title="T", language=("en",), text=b"One.", party=(B,), dry=True, **STATED)
    assert "Beta" in "\n".join(told.lines)
    assert room.tell(A, "list")["texts"] == []
