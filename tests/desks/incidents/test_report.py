"""The situation report: what each party said, in the languages of the United Nations, under the strictest marking of all of it."""

from __future__ import annotations

import io
import json
import unicodedata
import zipfile
from typing import Any, get_args, get_type_hints

import pypdf
import pytest

from comity.desks.incidents.report import _WORDS, Report, document
from comity.kernel.errors import NotFound
from comity.node.desk import carry_out
from simulators.incidentroom import AMBER, DEEDS, GREEN, Room

A, B, C = "Team A", "Team B", "Team C"
LANGUAGES = ("ar", "en", "es", "fr", "ru", "zh")


@pytest.fixture
def room() -> Room:
    return Room().open(A, B, C)


def paper(room: Room, incident: str, name: str = A, **said: Any) -> bytes:
    told = carry_out(room.nodes[name], DEEDS["incident document"], {"incident": incident, **said}, "officer-1")
    assert told.file is not None
    return told.file


def data(room: Room, incident: str, name: str = A) -> dict[str, Any]:
    return dict(json.loads(paper(room, incident, name, format="json")))


def told(room: Room) -> str:
    incident = room.new()
    room.tell(A, "incident status", incident=incident, affected=True, scope="two of nine servers")
    room.sync(A, B, C)
    room.tell(B, "incident status", incident=incident, not_affected=True, scope="all mail servers")
    room.sync(A, B, C)
    return incident


def test_report_tells_each_party_s_word_and_silence_as_silence(room: Room) -> None:
    incident = told(room)
    (table,) = [block for block in data(room, incident)["blocks"] if block["id"] == "parties-table"]
    assert [(row[0], row[1], row[3]) for row in table["rows"]] == [
        (A, "affected", "two of nine servers"),
        (B, "not-affected", "all mail servers"),
        (C, "silent (receipted)", ""),
    ]
    assert any("has not said that it is unaffected" in note for note in data(room, incident)["notes"])


def test_report_is_marked_as_strictly_as_the_strictest_word_in_it(room: Room) -> None:
    incident = told(room)
    assert data(room, incident)["marking"] == "TLP:GREEN"
    room.tell(A, "incident event add", incident=incident, name="Web shell found", **AMBER)
    assert data(room, incident)["marking"] == "TLP:AMBER"
    assert paper(room, incident, format="txt").decode().count("TLP:AMBER") == 2


def test_report_shows_a_party_nothing_that_it_was_not_given(room: Room) -> None:
    incident = told(room)
    room.tell(A, "incident event add", incident=incident, name="Kept to ourselves", **{**AMBER, "tlp": "amber+strict"})
    room.sync(A, B, C)
    assert "Kept to ourselves" in paper(room, incident, format="txt").decode()
    assert "Kept to ourselves" not in paper(room, incident, B, format="txt").decode()
    assert data(room, incident, B)["marking"] == "TLP:GREEN"


def test_deadlines_of_law_stand_with_source_day_and_whether_they_were_checked(room: Room) -> None:
    incident = told(room)
    for clock in ("nis2-early-warning", "cra-notification"):
        room.tell(A, "incident clock start", incident=incident, clock=clock, evidence="ticket 4711", tlp="amber")
    made = data(room, incident)
    (table,) = [block for block in made["blocks"] if block["id"] == "clocks-table"]
    marks = {row[0]: row[5] for row in table["rows"]}
    assert marks["nis2-early-warning"].startswith("checked; ")
    assert marks["cra-notification"].startswith("unconfirmed; no source; 20")
    assert any("https://" in note for note in made["notes"])


@pytest.mark.parametrize("language", LANGUAGES)
def test_report_has_every_heading_in_every_language(room: Room, language: str) -> None:
    incident = told(room)
    with room.nodes[A].store.read() as tx:
        made = document(tx, room.nodes[A], incident, language)
    assert made.language == language
    assert made.title.endswith("Mail servers")
    assert len(_WORDS[language]) == len(_WORDS["en"])
    assert all(
        words.count("{}") == english.count("{}") for words, english in zip(_WORDS[language], _WORDS["en"], strict=True)
    )
    with zipfile.ZipFile(io.BytesIO(paper(room, incident, format="docx", language=language))) as package:
        assert _WORDS[language][2] in package.read("word/document.xml").decode()
    if language != "zh":  # needs a font of the machine
        text = pypdf.PdfReader(io.BytesIO(paper(room, incident, language=language))).pages[0].extract_text()
        heading = "".join(_WORDS[language][2].split()[-1])
        assert heading in unicodedata.normalize("NFKC", text)


def test_every_language_that_can_be_asked_for_has_its_words() -> None:
    hints = get_type_hints(Report)
    assert set(get_args(hints["language"])) == set(_WORDS) == set(LANGUAGES)


def test_words_of_another_party_stay_words_in_the_report(room: Room) -> None:
    incident = told(room)
    room.tell(B, "incident event add", incident=incident, name='#read("/etc/passwd") \u202eevil', **GREEN)
    room.sync(A, B, C)
    text = pypdf.PdfReader(io.BytesIO(paper(room, incident))).pages[0].extract_text()
    assert '#read("/etc/passwd")' in text
    assert "‹U+202E›evil" in text
    assert "root:" not in text


def test_report_of_an_incident_that_is_not_here_is_refused(room: Room) -> None:
    with pytest.raises(NotFound):
        paper(room, "incident--00000000-0000-4000-8000-000000000000")
