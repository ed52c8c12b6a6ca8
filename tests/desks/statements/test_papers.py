"""Statements as papers, and what comes back in them."""

from __future__ import annotations

import pytest

from adapters.documents.tracked import Tracked
from comity.kernel.errors import InputRefused, NotFound
from desks.statements.room import TEXTS, XANADU, YPSILON, Ministries

THREE = b"First paragraph.\n\nIt was a service of Nordmark.\n\nWe ask it to end this."


@pytest.fixture
def room() -> Ministries:
    return Ministries().open(XANADU, YPSILON)


def place(room: Ministries, statement: str, n: int) -> str:
    told = room.told(XANADU, "document", statement=statement, language="en", format="json")
    import json

    assert told.file is not None
    blocks = json.loads(told.file)["blocks"]
    return str(blocks[n]["id"])


def test_the_paper_says_the_words_the_claim_and_what_is_unconfirmed(room: Ministries) -> None:
    statement = room.draft(XANADU)
    told = room.told(XANADU, "document", statement=statement, language="en", format="txt")
    assert told.file is not None
    page = told.file.decode()
    assert page.startswith("TLP:AMBER")
    assert TEXTS[XANADU] in page
    assert "6 state-organ: names a ministry, service, unit" in page
    assert "“highly likely” is read as 80 to 90 %: unconfirmed" in page
    handed = room.told(XANADU, "document", statement=statement, language="en", format="txt", as_="demarche").file
    assert handed is not None
    assert "state-organ" not in handed.decode()
    with pytest.raises(NotFound) as refused:
        room.tell(XANADU, "document", statement=statement, language="fr", format="txt")
    assert refused.value.sentence.endswith("it has en.")


def test_an_arabic_text_is_set_from_right_to_left(room: Ministries) -> None:
    statement = room.draft(XANADU)
    arabic = "تقدّر زانادو أنه من المرجّح بدرجة عالية."
    room.tell(XANADU, "text", statement=statement, language="ar", text=arabic.encode(), status="certified")
    told = room.told(XANADU, "document", statement=statement, language="ar", format="docx")
    assert told.file is not None
    assert told.file[:2] == b"PK"
    assert told.shape["status"] == "certified"


def test_a_paper_speaks_its_own_language_but_for_the_words_that_were_said(room: Ministries) -> None:
    statement = room.draft(XANADU)
    words = {"statement": statement, "language": "fr", "text": b"Xanadu estime cela.", "status": "certified"}
    room.tell(XANADU, "text", **words, title="Déclaration de Xanadu")
    page = room.told(XANADU, "document", statement=statement, language="fr", format="txt").file
    assert page is not None
    assert "Déclaration de Xanadu" in page.decode()
    assert "affirmation" in page.decode() and "claim" not in page.decode().replace("Claim ladder", "")
    assert "highly likely" in page.decode()
    again = room.told(XANADU, "document", statement=statement, language="en", format="txt").file
    assert again is not None and "Déclaration" not in again.decode()


def test_a_paper_of_what_is_only_recorded_says_so(room: Ministries) -> None:
    made = room.tell(
        XANADU, "record", title="Note", for_="Farland", road="note-verbale", reference="7", received="2021-03-05T11:00:00Z",
        language="en", text=b"Farland concurs.", tlp="amber", purpose=("incident-response",), basis=("agreement",),
    )  # fmt: skip
    page = room.told(XANADU, "document", statement=made["id"], language="en", format="txt").file
    assert page is not None
    assert "it is not signed by Farland" in page.decode()


def test_tracked_changes_become_proposals_in_brackets_and_the_draft_stays(room: Ministries) -> None:
    statement = room.draft(XANADU, text=THREE)
    file = room.told(XANADU, "document", statement=statement, language="en", format="docx").file
    assert file is not None
    second = place(room, statement, 1)
    back = (
        Tracked(file, "Somebody Else")
        .replace(second, "a service", "a contractor")
        .add_after(second, "A new one.")
        .saved()
    )
    told = room.told(XANADU, "import", file=back, statement=statement, from_=YPSILON)
    party = room.nodes[YPSILON].party
    assert [(one["kind"], one["by"], one["words"]) for one in told.shape["operations"]] == [
        ("replace", party, ["It was a contractor of Nordmark."])
    ]
    assert "It was a contractor of Nordmark." in told.shape["text"]
    assert "It was a service of Nordmark." in told.shape["text"]
    assert [one["words"] for one in told.shape["unplaced"]] == ["A new one."]
    shown = room.tell(XANADU, "show", statement=statement)
    assert shown["says"]["texts"][0]["text"].encode() == THREE
    assert [one["proposed_by"] for one in shown["proposals"]] == [party]
    room.sync(XANADU, YPSILON)
    assert room.homes_with(b"It was a contractor of Nordmark.") == [XANADU]


def test_a_file_that_is_no_word_file_is_refused_and_nothing_is_kept(room: Ministries) -> None:
    statement = room.draft(XANADU, text=THREE)
    with pytest.raises(InputRefused):
        room.tell(XANADU, "import", file=b"PK\x03\x04 not really", statement=statement, from_=YPSILON)
    assert room.tell(XANADU, "show", statement=statement)["proposals"] == []
