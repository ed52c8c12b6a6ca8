"""The form of a mandate: one spelling, one digest; what cannot be is refused whatever it is."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from comity.kernel.errors import InputRefused
from comity.kernel.release.mandates import Mandate, read_mandate
from comity.kernel.seal.canonical import canonical
from comity.kernel.tlog.acts import officers_commitment

PAGE = (Path(__file__).resolve().parents[3] / "docs" / "formats" / "log.md").read_text(encoding="utf-8")


def example() -> dict[str, Any]:
    [found] = re.findall(r"^```json mandate\n(.*?)^```", PAGE, re.M | re.S)
    shape = json.loads(found)
    assert isinstance(shape, dict)
    return shape


def mandate() -> Mandate:
    return read_mandate(example())


def test_example_of_the_page_reads_and_writes_as_it_stands() -> None:
    assert mandate().body == canonical(example())
    assert read_mandate(json.loads(mandate().body)) == mandate()


def test_table_of_the_page_names_every_member() -> None:
    part = PAGE.partition("### Mandates")[2].partition("Its digest is")[0]
    named = {word for row in re.findall(r"^\| (`.*?) \|", part, re.M) for word in re.findall(r"`(\w+)`", row)}
    assert named == set(example())


WRONG: dict[str, dict[str, Any]] = {
    "another form": {"form": 2},
    "form that is a truth": {"form": True},
    "no deed": {"deeds": []},
    "deeds out of order": {"deeds": ["release approve", "agreement *"]},
    "a deed twice": {"deeds": ["sign", "sign"]},
    "every deed": {"deeds": ["*"]},
    "deeds that are no list": {"deeds": "sign"},
    "a deed that is no text": {"deeds": [1]},
    "tlp that is none": {"ceilings": {"tlp": "purple"}},
    "tlp that is a number": {"ceilings": {"tlp": 3}},
    "level above all": {"ceilings": {"claim-level": 8}},
    "level that is a truth": {"ceilings": {"claim-level": True}},
    "level below all": {"ceilings": {"claim-level": -1}},
    "level that is a fraction": {"ceilings": {"claim-level": 1.5}},
    "ceilings that are a list": {"ceilings": []},
    "its own substitute": {"substitutes": ["officer-3"]},
    "an officer by name": {"officer": "Cleo"},
    "an id of another kind": {"id": "officer-1"},
    "beginning before it was given": {"at": "2021-03-06T12:00:00.000Z"},
    "end before the beginning": {"until": "2021-03-05T12:00:00.000Z"},
    "instant with another spelling": {"from": "2021-03-05T12:00:00Z"},
    "instant that is none": {"until": "tomorrow"},
    "no reason": {"reason": " "},
    "reason that is a book": {"reason": "x" * 2_001},
}


@pytest.mark.parametrize("name", WRONG)
def test_what_cannot_be_is_no_mandate(name: str) -> None:
    with pytest.raises(InputRefused) as broken:
        read_mandate({**example(), **WRONG[name]})
    assert broken.value.code == "mandate-form"


@pytest.mark.parametrize("name", sorted(example()))
def test_mandate_that_lacks_a_member_or_has_another_is_refused(name: str) -> None:
    for shape in ({one: value for one, value in example().items() if one != name}, {**example(), f"{name}-too": 1}):
        with pytest.raises(InputRefused):
            read_mandate(shape)


@pytest.mark.parametrize("value", [None, [], "mandate", 1, {}])
def test_anything_else_is_no_mandate(value: Any) -> None:
    with pytest.raises(InputRefused):
        read_mandate(value)


def test_two_mandates_that_differ_in_anything_have_two_digests() -> None:
    one = mandate()
    others = [
        replace(one, officer="officer-9"),
        replace(one, deeds=("sign",)),
        replace(one, ceilings=()),
        replace(one, until=None),
        replace(one, substitutes=()),
        replace(one, reason="other"),
    ]
    assert len({one.digest, *(other.digest for other in others)}) == len(others) + 1


def test_commitment_without_a_mandate_is_what_it_was_and_with_one_it_is_another() -> None:
    without = officers_commitment(bytes(16), ["officer-3"], "why")
    assert without == officers_commitment(bytes(16), ["officer-3"], "why", None)
    assert without != officers_commitment(bytes(16), ["officer-3"], "why", mandate().digest)


@pytest.mark.parametrize(
    ("word", "value", "reached"),
    [
        ("tlp", "clear", True),
        ("tlp", "amber", True),
        ("tlp", "amber+strict", False),
        ("tlp", "red", False),
        ("claim-level", 6, True),
        ("claim-level", 7, False),
        ("money", 0, False),
    ],
)
def test_mandate_reaches_to_its_ceiling_and_has_none_it_does_not_state(
    word: str, value: int | str, reached: bool
) -> None:
    assert mandate().reaches(word, value) == reached
