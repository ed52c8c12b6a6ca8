"""Papers as Word files: well formed, the same each time, marked on each page, in the direction of their language."""

from __future__ import annotations

import io
import re
import zipfile
from xml.etree.ElementTree import fromstring

import pytest

from adapters.documents.papers import REFERENCE, SAID, statement
from adapters.documents.tracked import w
from comity.adapters.documents import Papers
from comity.adapters.documents.marks import mark, marked
from comity.kernel.procedure.edits import anchor
from comity.node.documents import Document, Paragraph, render


def parts(document: Document) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(render(Papers(), document, "docx")[0])) as package:
        assert package.testzip() is None
        return {name: package.read(name) for name in package.namelist()}


def words(part: bytes) -> str:
    return "".join(one.text or "" for one in fromstring(part).iter(w("t")))


@pytest.mark.parametrize("language", list(SAID))
def test_word_file_says_what_the_paper_says_in_every_language(language: str) -> None:
    found = parts(statement(language))
    for name, data in found.items():
        if not name.endswith(".png"):
            fromstring(data)
    title, said, draft = SAID[language]
    body = words(found["word/document.xml"]).replace("\u200e", "")
    assert title in body
    assert said in body
    assert REFERENCE.replace("\n", "") in body
    assert draft in words(found["word/header.xml"])
    styles = found["word/styles.xml"].decode()
    assert ("<w:bidi/>" in styles) == (language == "ar")
    assert (b"<w:rtl/>" in found["word/document.xml"]) == (language == "ar")
    assert f">{language}<".encode() in found["docProps/custom.xml"]


def test_header_and_footer_of_a_word_file_carry_the_marking() -> None:
    found = parts(statement(marking="TLP:AMBER+STRICT PAP:RED"))
    for part in ("word/header.xml", "word/footer.xml"):
        assert "TLP:AMBER+STRICT" in words(found[part])
        assert "PAP:RED" in words(found[part])
    assert b"NUMPAGES" in found["word/footer.xml"]
    document = found["word/document.xml"].decode()
    for reference in ("headerReference", "footerReference"):
        assert f'<w:{reference} w:type="default"' in document


def test_every_relationship_of_a_word_file_has_its_part_and_leads_nowhere_else() -> None:
    found = parts(statement())
    related = re.findall(r'Target="([^"]+)"', found["word/_rels/document.xml.rels"].decode())
    assert {f"word/{one}" for one in related} <= set(found)
    assert not any(b"TargetMode" in data for data in found.values())
    assert all(
        f'"/{name}"'.encode() in found["[Content_Types].xml"] for name in found if re.match(r"word/\w+\.xml", name)
    )


def test_same_paper_gives_the_same_word_file_and_tracks_from_the_first_edit_on() -> None:
    assert render(Papers(), statement("ar"), "docx") == render(Papers(), statement("ar"), "docx")
    assert b"<w:trackRevisions/>" in parts(statement())["word/settings.xml"]


def test_words_that_look_like_xml_stay_words() -> None:
    hostile = "</w:t></w:r><w:ins/> & ]]> <!DOCTYPE x> \x00\ufffe"
    said = words(parts(statement("en", Paragraph("p1", hostile)))["word/document.xml"])
    assert "</w:t></w:r><w:ins/> & ]]> <!DOCTYPE x> ‹U+0000›‹U+FFFE›" in said


def test_two_paragraphs_of_one_id_leave_one_bookmark() -> None:
    document = parts(statement("en", Paragraph("p1", "a"), Paragraph("p1", "b")))["word/document.xml"].decode()
    names = re.findall(r'w:name="(_[^"]+)"', document)
    assert len(names) == len(set(names)) == 1


@pytest.mark.parametrize("id", ["p1", "p2:14075502d177:1", "a.b-c_d:e", "x" * 33, "Ä", "", "incident--" + "0" * 36])
def test_id_of_any_shape_comes_back_from_its_bookmark(id: str) -> None:
    assert len(mark(id)) <= 40
    assert re.fullmatch(r"_\w+", mark(id), re.ASCII)
    assert marked(mark(id)) == anchor(id)
    assert marked("_Toc1234") is None
