"""A Word file that comes back: tracked changes as Word writes them become brackets, and what cannot be placed is told."""

from __future__ import annotations

from xml.etree.ElementTree import SubElement

import pytest

from adapters.documents.tracked import WHEN, Tracked, run, w
from comity.adapters.documents import Papers
from comity.adapters.documents.changes import read_changes
from comity.kernel.procedure.brackets import render as written
from comity.kernel.procedure.edits import Edited, anchor, place, propose
from comity.kernel.procedure.texts import Operation, Text, apply, digest, draft
from comity.node.documents import Document, Heading, Table, blocks_of, render
from comity.node.documents import read_changes as read_by_port

P1 = "The parties condemn the intrusion of 2 March 2021 into mail servers."
P2 = "It was the work of a state organ."
P3 = "Measures follow."
ARABIC = "تدين الأطراف الاقتحام الذي وقع في 2021-03-02 واستهدف Microsoft Exchange (8 خوادم)."


@pytest.fixture
def text() -> Text:
    made = draft(("en",), ("XA", "XB", "XC"), "XA", [("p1", [P1]), ("p2", [P2]), ("p3", [P3])])
    paragraph = made.paragraph("p2")
    other = Operation("replace", "XC", "p2", digest(made), paragraph.wording, words=("It came from a territory.",))
    return apply(made, other)


def paper(text: Text, language: str = "en") -> bytes:
    blocks = (Heading("h1", "Findings"), *blocks_of(text, language), Table("t1", ("Party", "Says"), (("XA", "yes"),)))
    made = Document(
        "statement", "Joint statement", language, blocks, "TLP:AMBER", "Xanadu", "draft", "reference", ("A note.",)
    )
    return render(Papers(), made, "docx")[0]


def at(text: Text, id: str, n: int = 1) -> str:
    return place(text.paragraph(id), n)


def of(file: bytes, id: str) -> Edited:
    (found,) = [one for one in read_changes(file).paragraphs if one.id == anchor(id)]
    return found


def left(file: bytes) -> list[tuple[str, str]]:
    return [(one.why, one.words) for one in read_changes(file).unplaced]


def test_word_file_edited_with_tracked_changes_comes_back_as_brackets(text: Text) -> None:
    edited = (
        Tracked(paper(text))
        .replace(at(text, "p1"), "condemn", "deplore")
        .replace(at(text, "p2", 2), "a territory", "our territory")
    )
    file = edited.comment(at(text, "p1"), "Too strong?\nAsk the capital.", on="intrusion").saved()
    found = propose(text, [read_by_port(Papers(), file)], "XB")
    assert found.unplaced == found.untracked == ()
    said = written(found.text)
    assert "[XA: The parties condemn the intrusion of 2 March 2021 into mail servers." in said
    assert "/ XB: The parties deplore the intrusion of 2 March 2021 into mail servers.]" in said
    assert "/ XC: It came from a territory. / XB: It came from our territory.]" in said
    assert "# XB: Too strong? Ask the capital." in said


def test_who_changed_what_and_when_is_told_as_the_file_says_it(text: Text) -> None:
    file = (
        Tracked(paper(text), "Ana Ferreira")
        .replace(at(text, "p1"), "condemn", "deplore")
        .comment(at(text, "p1"), "Why?", on="mail")
    )
    edited = of(file.saved(), at(text, "p1"))
    changed = [one for one in edited.runs if one.kind != "kept"]
    assert [(one.kind, one.words, one.by, one.at) for one in changed] == [
        ("deleted", "condemn", "Ana Ferreira", WHEN),
        ("inserted", "deplore", "Ana Ferreira", WHEN),
    ]
    assert edited.original == P1
    assert edited.result == P1.replace("condemn", "deplore")
    (remark,) = edited.remarks
    assert (remark.words, remark.by, remark.on) == ("Why?", "Ana Ferreira", "mail")


def test_file_that_was_only_opened_and_saved_changes_nothing(text: Text) -> None:
    found = propose(text, [read_changes(Tracked(paper(text)).saved())], "XB")
    assert (found.operations, found.unplaced, found.untracked) == ((), (), ())


@pytest.mark.parametrize(
    "words", [ARABIC, "夏那都谴责2021年3月2日的入侵行为。", "« Les parties » : l'intrusion", "Стороны осуждают."]
)
def test_words_of_every_script_come_back_unchanged(words: str) -> None:
    language = "ar" if words == ARABIC else "fr"
    text = draft((language,), ("XA", "XB"), "XA", [("p1", [words])])
    file = paper(text, language)
    assert of(file, at(text, "p1")).original == words
    assert read_changes(file).language == language
    assert propose(text, [read_changes(file)], "XB").operations == ()


def test_paragraph_deleted_with_its_end_is_a_proposal_to_omit_it(text: Text) -> None:
    found = propose(text, [read_changes(Tracked(paper(text)).delete_whole(at(text, "p1")).saved())], "XC")
    assert [one.kind for one in found.operations] == ["delete"]
    assert found.unplaced == ()


def test_paragraph_that_was_added_is_told_and_the_one_before_it_stays(text: Text) -> None:
    file = Tracked(paper(text)).add_after(at(text, "p1"), "An unwanted addition.").saved()
    assert left(file) == [("new", "An unwanted addition.")]
    assert of(file, at(text, "p1")).result == P1
    assert propose(text, [read_changes(file)], "XB").operations == ()


def test_split_joined_and_moved_paragraphs_are_told_and_propose_nothing(text: Text) -> None:
    for file, why in (
        (Tracked(paper(text)).split(at(text, "p1"), 20).saved(), "split"),
        (Tracked(paper(text)).join(at(text, "p2", 1)).saved(), "joined"),
        (Tracked(paper(text)).move(at(text, "p3"), at(text, "p1")).saved(), "moved"),
    ):
        found = propose(text, [read_changes(file)], "XB")
        assert found.operations == (), why
        assert {one.why for one in found.unplaced if one.why != "gone"} == {why}


def test_changes_of_tables_titles_headers_and_looks_are_told(text: Text) -> None:
    edited = Tracked(paper(text))
    for one in edited.root.iter(w("p")):
        said = "".join(piece.text or "" for piece in one.iter(w("t")))
        if said in ("Joint statement", "yes"):
            one.append(edited.change("ins", run(f" {said} too")))
    SubElement(SubElement(edited.paragraph(at(text, "p1")), w("r")), w("rPr")).append(edited.change("rPrChange"))
    header = edited.parts["word/header.xml"].decode()
    edited.part(
        "word/header.xml",
        header.replace("</w:p>", '<w:ins w:id="1" w:author="x"><w:r><w:t>FOR ALL</w:t></w:r></w:ins></w:p>').encode(),
    )
    assert [why for why, _ in left(edited.saved())] == ["outside", "table", "look", "notes"]


def test_words_inserted_and_deleted_again_were_never_there(text: Text) -> None:
    edited = Tracked(paper(text)).replace(at(text, "p1"), "condemn", "condemn strongly")
    insertion = next(one for one in edited.paragraph(at(text, "p1")) if one.tag == w("ins"))
    insertion.append(edited.change("del", run(" and loudly", deleted=True)))
    changed = of(edited.saved(), at(text, "p1"))
    assert changed.original == P1
    assert "loudly" not in changed.result


def test_change_made_while_tracking_was_off_is_proposed_and_named(text: Text) -> None:
    file = Tracked(paper(text)).untracked(at(text, "p3"), "follow", "do not follow").saved()
    found = propose(text, [read_changes(file)], "XB")
    assert found.untracked == ("p3",)
    assert "XB: Measures do not follow." in written(found.text)


def test_comment_on_what_is_no_paragraph_of_the_text_is_told(text: Text) -> None:
    file = Tracked(paper(text)).comment("h1", "Say conclusions.").saved()
    (edited,) = [one for one in read_changes(file).paragraphs if one.id == "h1"]
    assert [one.words for one in edited.remarks] == ["Say conclusions."]
    assert [one.why for one in propose(text, [read_changes(file)], "XB").unplaced] == ["unknown"]


def test_name_of_an_author_signs_nothing(text: Text) -> None:
    file = Tracked(paper(text), by="XA").replace(at(text, "p1"), "condemn", "welcome").saved()
    found = propose(text, [read_changes(file)], "XB")
    assert {one.by for one in found.operations} == {"XB"}
    assert "XB: The parties welcome" in written(found.text)


def test_direction_controls_that_a_word_processor_puts_in_are_not_words(text: Text) -> None:
    file = Tracked(paper(text)).untracked(at(text, "p3"), "follow", "\u200efol\u2066low\u2069").saved()
    assert of(file, at(text, "p3")).original == P3
