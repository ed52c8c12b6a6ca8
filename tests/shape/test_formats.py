"""The examples on the pages of agreement, membership and object are what the code reads and writes."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, Final

import pytest

from comity.kernel.errors import InputRefused
from comity.kernel.model.objects import read_object
from comity.kernel.release import jsonform
from comity.kernel.release.instruments import OPENERS
from comity.kernel.seal import dsse
from comity.kernel.seal.canonical import canonical
from comity.kernel.seal.keys import SigningKey

PAGES: Final = Path(__file__).resolve().parents[2] / "docs" / "formats"
KEY: Final = SigningKey.from_seed(b"k" * 32)
KEYS: Final = {KEY.public.keyid: KEY.public}


def example(page: str, name: str) -> str:
    found = re.findall(rf"^```json {name}\n(.*?)^```", (PAGES / page).read_text(encoding="utf-8"), re.M | re.S)
    assert len(found) == 1
    return str(found[0])


def test_the_example_agreement_is_read_and_has_the_digest_of_the_page() -> None:
    shape = json.loads(example("agreement.md", "agreement"))
    agreement = jsonform.read(shape)
    assert canonical(jsonform.form(agreement)) == canonical(shape)
    assert f"`{jsonform.digest(agreement)}`" in (PAGES / "agreement.md").read_text(encoding="utf-8")


def test_the_example_agreement_with_one_word_widened_is_refused() -> None:
    shape = json.loads(example("agreement.md", "agreement"))
    shape["clause"][0]["tlp"].append("amber+strict")
    with pytest.raises(InputRefused) as refused:
        jsonform.read(shape)
    assert refused.value.code == "agreement-altered"


@pytest.mark.parametrize("kind", OPENERS)
def test_each_example_paper_is_read_as_it_stands(kind: str) -> None:
    body = json.loads(example("membership.md", kind))
    party = body.get("party", "identity--5f5b8f3c-0c4a-5a3c-9a55-0d6f0a2f8f11")
    opened: Any = OPENERS[kind](dsse.sign(kind, body, [KEY]), {party: KEYS})
    paper = opened[0] if kind == "epoch" else opened
    assert paper.body() == body


@pytest.mark.parametrize("kind", OPENERS)
def test_the_table_of_papers_names_every_member(kind: str) -> None:
    body = json.loads(example("membership.md", kind))
    row = re.search(rf"^\| `{kind}` \| (.*?) \|", (PAGES / "membership.md").read_text(encoding="utf-8"), re.M)
    assert row is not None
    assert re.findall(r"`(\w+)`", row[1]) == list(body)


def test_the_example_copies_are_valid_and_are_what_the_page_says() -> None:
    copies = {name: read_object(example("object.md", name).strip().encode()) for name in ("copy", "same", "rival")}
    assert len({one.raw for one in copies.values()}) == 3
    assert canonical(copies["copy"].data) == canonical(copies["same"].data) != canonical(copies["rival"].data)
    assert len({(one.id, one.version) for one in copies.values()}) == 1
