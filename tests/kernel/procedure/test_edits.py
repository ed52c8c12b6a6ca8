"""Papers that come back: what was changed in them becomes proposals of one party, and what cannot be placed is told."""

from __future__ import annotations

import pytest

from comity.kernel.errors import InputRefused, NotAllowed
from comity.kernel.procedure.brackets import render
from comity.kernel.procedure.edits import Changes, Edited, Remark, Run, Unplaced, anchor, place, places, propose
from comity.kernel.procedure.texts import Operation, Text, apply, digest, draft

P1, P2 = "The parties condemn the intrusion.", "Measures follow."


def text(*languages: str) -> Text:
    said = languages or ("en",)
    return draft(said, ("XA", "XB", "XC"), "XA", [("p1", [P1] * len(said)), ("p2", [P2] * len(said))])


def at(one: Text, id: str, n: int = 1) -> str:
    return anchor(place(one.paragraph(id), n))


def kept(one: Text, language: str = "en", *changed: Edited) -> Changes:
    """A paper with every paragraph as it stands, but for those given."""
    index = one.languages.index(language)
    new = {edited.id: edited for edited in changed}
    same = [
        new.get(anchor(id), Edited(anchor(id), (Run("kept", alternative.words[index]),)))
        for id, _, alternative in places(one)
        if alternative.words is not None
    ]
    return Changes(language, tuple(same))


def edit(id: str, before: str, old: str, new: str, after: str, *remarks: Remark) -> Edited:
    runs = (
        Run("kept", before),
        Run("deleted", old, "Ana", "2021"),
        Run("inserted", new, "Ana", "2021"),
        Run("kept", after),
    )
    return Edited(id, tuple(run for run in runs if run.words), remarks)


def test_changed_words_become_brackets_of_the_party_in_whose_name_they_are_read() -> None:
    one = text()
    paper = kept(
        one,
        "en",
        edit(at(one, "p1"), "The parties ", "condemn", "deplore", " the intrusion.", Remark("Too strong?", "Ana")),
    )
    found = propose(one, [paper], "XB")
    assert [made.kind for made in found.operations] == ["replace", "comment"]
    assert "[XA: The parties condemn the intrusion. / XB: The parties deplore the intrusion.]" in render(found.text)
    assert "# XB: Too strong?" in render(found.text)
    assert "Ana" not in render(found.text)
    assert found.unplaced == ()
    again = one
    for made in found.operations:
        again = apply(again, made)
    assert again == found.text


def test_paper_that_was_not_touched_proposes_nothing() -> None:
    one = text()
    found = propose(one, [kept(one)], "XB")
    assert (found.operations, found.text, found.unplaced, found.untracked) == ((), one, (), ())


def test_party_s_own_words_give_way_to_its_new_ones() -> None:
    one = text()
    found = propose(
        one, [kept(one, "en", edit(at(one, "p1"), "The parties ", "condemn", "deplore", " the intrusion."))], "XA"
    )
    (alternative,) = found.text.paragraph("p1").alternatives
    assert alternative.words == ("The parties deplore the intrusion.",)


def test_emptied_paragraph_becomes_a_proposal_to_omit_it() -> None:
    one = text()
    found = propose(one, [kept(one, "en", Edited(at(one, "p2"), (Run("deleted", P2),)))], "XC")
    assert [made.kind for made in found.operations] == ["delete"]
    assert "[XA: Measures follow. / XC: omit]" in render(found.text)


def test_change_of_words_that_have_changed_since_is_told_and_not_proposed() -> None:
    one = text()
    paper = kept(one, "en", edit(at(one, "p1"), "The parties ", "condemn", "deplore", " the intrusion."))
    paragraph = one.paragraph("p1")
    now = apply(one, Operation("replace", "XC", "p1", digest(one), paragraph.wording, words=("Other words.",)))
    found = propose(now, [paper], "XB")
    assert found.operations == ()
    assert [(left.why, left.words) for left in found.unplaced] == [("stale", "The parties deplore the intrusion.")]


def test_change_without_tracking_is_proposed_and_told() -> None:
    one = text()
    found = propose(
        one, [kept(one, "en", Edited(at(one, "p1"), (Run("kept", "The parties welcome the intrusion."),)))], "XB"
    )
    assert found.untracked == ("p1",)
    assert len(found.operations) == 1


def test_paragraph_that_left_the_paper_without_tracking_is_told() -> None:
    one = text()
    paper = kept(one)
    found = propose(one, [Changes("en", paper.paragraphs[:1])], "XB")
    assert [(left.why, left.id) for left in found.unplaced] == [("gone", at(one, "p2"))]
    assert found.operations == ()


def test_paragraph_of_another_text_is_told() -> None:
    one = text()
    paper = kept(one)
    strange = edit("p9:000000000000:1", "a ", "b", "c", "")
    found = propose(one, [Changes("en", (*paper.paragraphs, strange))], "XB")
    assert [(left.why, left.by) for left in found.unplaced] == [("unknown", "Ana")]


def test_words_of_languages_no_paper_changed_are_named() -> None:
    one = text("en", "fr")
    changed = edit(at(one, "p1"), "The parties ", "condemn", "deplore", " the intrusion.")
    found = propose(one, [kept(one, "en", changed)], "XB")
    assert found.untranslated == (("p1", "fr"),)
    both = propose(one, [kept(one, "en", changed), kept(one, "fr", changed)], "XB")
    assert both.untranslated == ()
    assert len(both.operations) == 1


def test_paragraph_emptied_in_one_language_only_is_told() -> None:
    one = text("en", "fr")
    gone = Edited(at(one, "p1"), (Run("deleted", P1),))
    found = propose(one, [kept(one, "en", gone), kept(one, "fr")], "XB")
    assert found.operations == ()
    assert [left.why for left in found.unplaced] == ["refused"]


def test_two_alternatives_of_one_paragraph_can_be_changed_in_one_paper() -> None:
    one = text()
    one = apply(
        one, Operation("replace", "XB", "p1", digest(one), one.paragraph("p1").wording, words=("Second words.",))
    )
    first = Edited(at(one, "p1", 1), (Run("kept", P1), Run("inserted", " First.")))
    second = Edited(at(one, "p1", 2), (Run("kept", "Second words."), Run("inserted", " Second.")))
    found = propose(one, [kept(one, "en", first, second)], "XC")
    said = [alternative.words for alternative in found.text.paragraph("p1").alternatives]
    assert said == [(P1,), ("Second words.",), (f"{P1} First.",), ("Second words. Second.",)]


@pytest.mark.parametrize("words", ["evil \u202e words", "x" * 20_001, "zero\u200bwidth"])
def test_words_a_text_cannot_hold_are_told_with_the_reason(words: str) -> None:
    one = text()
    found = propose(one, [kept(one, "en", Edited(at(one, "p1"), (Run("deleted", P1), Run("inserted", words))))], "XB")
    assert found.operations == ()
    assert [left.why for left in found.unplaced] == ["refused"]


def test_what_the_reader_of_the_paper_left_stays_told() -> None:
    one = text()
    left = Unplaced("new", "A paragraph was added.", "", "New words.")
    found = propose(one, [Changes("en", kept(one).paragraphs, (left,))], "XB")
    assert found.unplaced == (left,)


def test_paper_in_a_language_that_is_not_the_text_s_is_refused() -> None:
    with pytest.raises(InputRefused, match="the text is in en"):
        propose(text(), [Changes("fr", ())], "XB")
    with pytest.raises(InputRefused, match="in one language"):
        propose(text(), [kept(text()), kept(text())], "XB")


def test_party_that_is_not_at_the_table_proposes_nothing() -> None:
    with pytest.raises(NotAllowed) as refused:
        propose(text(), [kept(text())], "XZ")
    assert refused.value.code == "text-party"


def test_place_of_a_paragraph_with_the_longest_id_is_found_again() -> None:
    one = draft(("en",), ("XA", "XB"), "XA", [("p" * 40, ["Words."])])
    id = at(one, "p" * 40)
    assert id.startswith("#")
    found = propose(one, [kept(one, "en", edit(id, "", "Words.", "Others.", ""))], "XB")
    assert len(found.operations) == 1
