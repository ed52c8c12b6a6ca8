"""Papers as PDF: words that can be taken out again in six languages, markings on each page, and hostile words that stay words."""

from __future__ import annotations

import builtins
import hashlib
import io
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pypdf
import pytest

from adapters.documents.papers import REFERENCE, SAID, need_chinese, pages, statement
from comity.adapters.documents import Papers
from comity.adapters.documents.fonts import FOLDER, choose, covered
from comity.adapters.documents.pdf import parted
from comity.kernel.errors import Unavailable
from comity.node.documents import Document, Paragraph, Table, render

LANGUAGES = list(SAID)


def pdf(document: Document) -> bytes:
    return render(Papers(), document, "pdf")[0]


def plain(words: str) -> str:
    return "".join(words.split())


@pytest.mark.parametrize("language", LANGUAGES)
def test_words_come_out_of_a_pdf_as_they_were_put_in(language: str) -> None:
    if language.startswith("zh"):
        need_chinese()
    title, words, draft = SAID[language]
    file = pdf(statement(language))
    (page,) = pages(file)
    if language != "ar":  # pypdf gives the words of a line from left to right
        assert plain(words) in page
    for word in re.findall(r"[^\W\d_]{3,}", f"{title} {words} {draft}"):
        assert word in page, word
    reader = pypdf.PdfReader(io.BytesIO(file))
    assert reader.metadata is not None
    assert reader.metadata.title == title
    root: Any = reader.trailer["/Root"]
    assert root["/Lang"] == language.partition("-")[0]
    assert root["/MarkInfo"]["/Marked"]


def test_every_page_carries_marking_party_status_and_its_number() -> None:
    found = pages(pdf(statement("en", *(Paragraph(f"p{n}", "Words. " * 40) for n in range(60)))))
    assert len(found) > 3
    for number, page in enumerate(found, 1):
        assert page.count("TLP:AMBER") == 2
        assert "Xanadu" in page
        assert "DRAFT" in page
        assert f"Page{number}of{len(found)}" in page
    assert plain(REFERENCE) in found[-1]
    assert plain(REFERENCE) not in found[0]


def test_paper_that_is_no_draft_says_nothing_of_drafts() -> None:
    (page,) = pages(pdf(statement(status=None)))
    assert "DRAFT" not in page
    (page,) = pages(pdf(statement(status="certified")))
    assert "certified" in page


def test_same_paper_gives_the_same_bytes() -> None:
    assert pdf(statement("ar")) == pdf(statement("ar"))
    assert pdf(statement("en")) != pdf(statement("en", marking="TLP:RED"))


def test_markup_of_the_typesetter_stays_words() -> None:
    hostile = (
        '#read("/etc/passwd")', '#import "@preview/x:0.1.0"', "#eval(\"1+1\")", "$x^2$ *b* _i_ = h @ref <label>", '"); panic("x',
        "\\u{202e} // not a comment /* nor this */", "#sys.inputs.paper", "https://evil.example/?q=1",
    )  # fmt: skip
    blocks = (*(Paragraph(f"p{n}", one) for n, one in enumerate(hostile)), Table("t", (hostile[2],), ((hostile[3],),)))
    made = Document(hostile[0], hostile[1], "en", blocks, *hostile[4:8], hostile)
    said = "".join(pages(pdf(made)))
    for one in hostile:
        assert plain(one) in said, one
    assert "root:" not in said


def test_no_link_in_a_pdf_leads_out_of_it() -> None:
    reader = pypdf.PdfReader(
        io.BytesIO(pdf(statement("en", Paragraph("p", "See https://evil.example/ and mailto:x@y.example"))))
    )
    assert not [one for page in reader.pages for one in page.get("/Annots", [])]


def test_what_a_reader_cannot_see_is_shown_as_its_code_point() -> None:
    (page,) = pages(pdf(statement("en", Paragraph("p1", "pay \u202eevil\u202c zero\u200bwidth\x07 \U000e0041"))))
    for code in ("202E", "202C", "200B", "0007", "E0041"):
        assert f"‹U+{code}›" in page


def test_tower_of_marks_does_not_grow_over_the_marking() -> None:
    (page,) = pages(pdf(statement("en", Paragraph("p1", "a" + "\u0301" * 40))))
    assert page.count("‹U+0301›") == 32


def test_reference_too_long_for_a_code_stands_as_text() -> None:
    found = "".join(pages(pdf(replace(statement(), reference="R" * 4000))))
    assert found.count("R") > 4000


def test_letters_no_font_shows_do_not_stop_a_paper_of_ours() -> None:
    (page,) = pages(pdf(statement("en", Paragraph("p1", "They wrote \U00012000\U00012001 to us."))))
    assert "‹U+12000›‹U+12001›" in page


def test_paper_in_a_script_without_a_font_is_refused_with_what_to_install() -> None:
    with pytest.raises(Unavailable) as refused:
        choose("\U00012000\U00012001", "\U00012000\U00012001", "akk", ())
    assert refused.value.code == "document-extra"
    assert "install Noto Sans" in refused.value.sentence


def test_long_words_and_ten_thousand_paragraphs_stay_on_the_paper() -> None:
    blocks = (Paragraph("long", "A" * 2000), Table("t", ("a", "b"), (("B" * 500, "c"),)))
    (page, *_) = pages(pdf(statement("en", *blocks)))
    assert page.count("A") >= 2000
    lines = pypdf.PdfReader(io.BytesIO(pdf(statement("en", *blocks)))).pages[0].extract_text().splitlines()
    assert max(len(line.replace(" ", "")) for line in lines if "AAA" in line) < 120
    many = statement("en", *(Paragraph(f"p{n}", f"Paragraph {n}.") for n in range(10_000)))
    assert "Paragraph9999." in "".join(pages(pdf(many))[-3:])


def test_endless_words_of_another_party_are_parted_into_lines_and_lose_no_sign() -> None:
    assert [len(line) for line in parted("A" * 9000, 60).split("\n")] == [60] * 150
    usual = f"{'A' * 2000} {'中' * 9000}"
    assert parted(usual, 60) == usual
    blocks = (Paragraph("long", "A" * 9000), Table("t", ("a", "b"), (("B" * 5000, "c"),)))
    words = "".join(pages(pdf(statement("en", *blocks))))
    assert words.count("A") >= 9000
    assert words.count("B") >= 5000
    reader = pypdf.PdfReader(io.BytesIO(pdf(statement("en", *blocks))))
    lines = [line for page in reader.pages for line in page.extract_text().splitlines()]
    assert {len(line.replace(" ", "")) for line in lines if "AAA" in line} == {60}


def test_node_without_the_libraries_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def without(name: str, *rest: Any) -> Any:
        if name in ("typst", "segno"):
            raise ImportError(name)
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without)
    for format in ("pdf", "docx"):
        with pytest.raises(Unavailable, match=r"pip install comity\[documents\]") as refused:
            render(Papers(), statement(), format)  # type: ignore[arg-type]
        assert refused.value.code == "document-extra"
    assert b"condemn" in render(Papers(), statement(), "txt")[0]


def test_fonts_that_ship_are_those_of_their_notice() -> None:
    notice = (FOLDER / "NOTICE.md").read_text(encoding="utf-8")
    fonts = sorted(FOLDER.glob("*.ttf"))
    assert len(fonts) == 4
    for font in fonts:
        assert f"| `{font.name}` |" in notice
        assert hashlib.sha256(font.read_bytes()).hexdigest() in notice
    assert {ord(one) for one in "AzÉñЖяΩ"} <= covered(FOLDER / "NotoSans-Regular.ttf", 0)
    assert {ord(one) for one in "ابتثپچگ"} <= covered(FOLDER / "Amiri-Regular.ttf", 0)
    assert covered(Path(__file__), 0) == frozenset()
