"""What an agreement says of the time that procedures give: read, rendered, refused where it says nothing that can be counted."""

from __future__ import annotations

from typing import Any

import pytest

from comity.kernel.errors import InputRefused
from comity.kernel.release import jsonform, lint, phrasebook, tomlform
from comity.kernel.release.agreement import AgreedProcedure, Agreement

SECTION = """
[[procedure]]
table    = "silence"
times    = {silence = "3 working days", minimum = "PT24H", case = "P30D", convener-gone = "P2D"}
zone     = "Europe/Tallinn"
working  = ["monday", "tuesday", "wednesday", "thursday", "friday"]
holidays = ["2021-04-02", "2021-12-24"]
closes   = "17:00"
"""


@pytest.fixture
def agreed(example_text: str) -> Agreement:
    return tomlform.read(example_text + SECTION)


def test_an_agreement_says_in_words_how_long_silence_lasts_and_on_whose_calendar(agreed: Agreement) -> None:
    text = phrasebook.render(agreed)
    wanted = [
        "In the procedure “silence” nobody has less time than this, which is counted on the calendar named here:",
        "“silence” lasts at least 3 working days;",
        "“minimum” lasts at least 24 hours (PT24H);",
        "days begin and end by the clock of Europe/Tallinn;",
        "the days of the week that are worked are Monday, Tuesday, Wednesday, Thursday and Friday;",
        "no work is done on 2021-04-02 and 2021-12-24;",
        "a working day is over at 17:00.",
    ]
    assert [line for line in wanted if line not in text] == []
    assert phrasebook.parse(text) == agreed
    assert tomlform.read(tomlform.write(agreed)) == agreed
    assert jsonform.read(jsonform.form(agreed)) == agreed
    (said,) = agreed.procedures
    assert said == AgreedProcedure(
        "silence",
        {"case": "P30D", "convener-gone": "P2D", "minimum": "PT24H", "silence": "3 working days"},
        "Europe/Tallinn",
        ("monday", "tuesday", "wednesday", "thursday", "friday"),
        ("2021-04-02", "2021-12-24"),
        "17:00",
    )


def test_a_text_that_says_two_days_where_three_were_signed_is_another_agreement(agreed: Agreement) -> None:
    text = phrasebook.render(agreed).replace("3 working days", "2 working days")
    assert jsonform.digest(phrasebook.parse(text)) != jsonform.digest(agreed)
    with pytest.raises(InputRefused) as refused:
        phrasebook.parse(phrasebook.render(agreed).replace("3 working days", "03 working days"))
    assert refused.value.code in ("agreement-text", "agreement-value")


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ('"3 working days"', '"3 working day"', "agreement-value"),
        ('"3 working days"', '"0 working days"', "agreement-value"),
        ('"3 working days"', '"soon"', "agreement-value"),
        ('"3 working days"', "3", "agreement-kind"),
        (
            '{silence = "3 working days", minimum = "PT24H", case = "P30D", convener-gone = "P2D"}',
            "{}",
            "agreement-kind",
        ),
        ('silence = "3', 'Silence = "3', "agreement-value"),
        ('"2021-04-02"', '"2021-02-30"', "agreement-value"),
        ('"2021-04-02"', '"2 April"', "agreement-value"),
        ('"2021-04-02", ', '"2021-12-24", ', "agreement-duplicate"),
        ('["monday", "tuesday", "wednesday", "thursday", "friday"]', "[]", "agreement-rule"),
        ('"monday"', '"Monday"', "agreement-unknown-word"),
        ('"17:00"', '"25:00"', "agreement-value"),
        ('"17:00"', '"00:00"', "agreement-value"),
        ('"Europe/Tallinn"', '"../etc/passwd"', "agreement-value"),
        ("closes ", "shuts ", "agreement-unknown-key"),
        ('table    = "silence"\n', "", "agreement-missing-key"),
        ('table    = "silence"', 'table    = "Silence!"', "agreement-value"),
    ],
)
def test_what_cannot_be_counted_is_refused_with_its_line(example_text: str, old: str, new: str, code: str) -> None:
    assert SECTION.count(old) == 1
    with pytest.raises(InputRefused) as refused:
        tomlform.read(example_text + SECTION.replace(old, new))
    assert refused.value.code == code
    assert refused.value.detail["line"] > example_text.count("\n")


def test_one_procedure_is_agreed_once(example_text: str) -> None:
    with pytest.raises(InputRefused, match="already a procedure 'silence'"):
        tomlform.read(example_text + SECTION + SECTION)


def test_holidays_that_end_before_the_agreement_does_are_told(agreed: Agreement) -> None:
    found: dict[str, Any] = {one.code: one.sentence for one in lint.lint(agreed)}
    assert "2021-12-24" in found["holidays-end"]
