"""docs/formats/seal.md, card.md and view.md say what the code does: examples verify, tables are complete."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from comity.kernel.model.instants import parse
from comity.kernel.seal.cards import KINDS, USES, read_card
from comity.kernel.seal.commitment import VIEW_EXTENSION
from comity.kernel.seal.dsse import MOST_SIGNATURES, unverified_body
from comity.kernel.seal.keys import PublicKey
from comity.kernel.seal.seals import ROLES, verify_seal
from comity.kernel.seal.views import FIXED, Redacted, View, redact

ROOT = Path(__file__).resolve().parents[3]
PAGES = {
    name: (ROOT / "docs" / "formats" / f"{name}.md").read_text(encoding="utf-8") for name in ("seal", "card", "view")
}


def example(page: str, label: str) -> Any:
    found = re.findall(rf"^```json {label}\n(.*?)^```$", PAGES[page], re.MULTILINE | re.DOTALL)
    assert len(found) == 1
    return json.loads(found[0])


def envelope(page: str) -> bytes:
    found = re.findall(r"^```json envelope\n(.*?)\n```$", PAGES[page], re.MULTILINE | re.DOTALL)
    assert len(found) == 1
    return str(found[0]).encode()


def members(page: str, heading: str) -> set[str]:
    """The names in the first column of the table under a heading."""
    section = PAGES[page].split(f"## {heading}\n", 1)[1].split("\n## ", 1)[0]
    rows = re.findall(r"^\| (`.*?`) \|", section, re.MULTILINE)
    return {name for row in rows for name in re.findall(r"`([^`]+)`", row)}


def test_example_seal_holds_for_the_example_view_under_the_key_of_the_example_card() -> None:
    card = read_card(envelope("card"))
    body, _ = unverified_body(envelope("seal"), "seal")
    assert body == example("seal", "body")
    keys = card.keys_at("node", parse(body["at"]))
    held = verify_seal(envelope("seal"), example("view", "view"), example("seal", "disclosure"), keys)
    assert (held.party, held.removed) == (card.party, sum("hash" in one for one in example("seal", "disclosure")))


def test_example_card_is_read_and_its_fingerprint_stands_on_the_page() -> None:
    card = read_card(envelope("card"))
    assert unverified_body(envelope("card"), "card")[0] == example("card", "body")
    assert f"`{card.fingerprint}`" in PAGES["card"]
    assert PublicKey(card.keys[0].key.spki).keyid == card.keys[0].key.keyid


def test_example_view_is_what_redaction_gives() -> None:
    view = View("without-victim", frozenset({"name", "description", "labels"}))
    cut = redact(example("view", "object"), view, clause="agreement--1#2")
    assert isinstance(cut, Redacted)
    assert cut.data == example("view", "view")
    assert members("view", "What the view says") - {"references_hidden"} == set(cut.data["extensions"][VIEW_EXTENSION])


def test_hidden_source_example_names_no_source() -> None:
    hidden = json.dumps(example("view", "hidden"))
    assert example("view", "object")["id"] not in hidden
    assert example("view", "object")["created_by_ref"] not in hidden
    assert "Ministry" not in hidden


def test_tables_name_every_member_and_no_other() -> None:
    assert members("seal", "Body") == set(example("seal", "body"))
    assert members("card", "Members") == set(example("card", "body"))
    assert members("seal", "Envelope") == {"payload", "payloadType", "signatures"}
    assert f"1 to {MOST_SIGNATURES} of" in PAGES["seal"]


@pytest.mark.parametrize(("page", "words"), [("seal", ROLES), ("card", KINDS | USES), ("view", FIXED)])
def test_closed_lists_stand_on_the_page(page: str, words: frozenset[str]) -> None:
    assert {word for word in words if f"`{word}`" not in PAGES[page]} == set()
