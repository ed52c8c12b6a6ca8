"""What is written for others: the bytes as kept, no cell a spreadsheet calculates, and what has no place is said."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from stix2validator import ValidationOptions, validate_instance

from comity.adapters.formats.source import Item, open_source
from comity.adapters.formats.write import COLUMNS, guarded, read_pattern, write_csv, write_misp, write_stix
from comity.kernel.model import bundle

PARTY = "identity--6c2b2b0e-6f2e-5a0c-9a3b-0d2c1b3a4f5e"


def taken(data: bytes) -> list[Item]:
    return [result for result in open_source("x", io.BytesIO(data), party=PARTY, at=0) if isinstance(result, Item)]


def table(data: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(data.decode(), newline="")))


def test_a_bundle_holds_the_bytes_as_they_were_kept(test_data: Path) -> None:
    raws = [item.raw for item in taken((test_data / "stix" / "oasis-poisonivy.json").read_bytes())]
    written = b"".join(write_stix(raws))
    assert [found.raw for found in bundle.walk(io.BytesIO(written).read)] == raws
    assert json.loads(written)["type"] == "bundle"
    assert validate_instance(json.loads(written), ValidationOptions(version="2.1")).is_valid
    assert json.loads(b"".join(write_stix([]))).keys() == {"type", "id"}


def test_a_table_of_real_indicators_comes_back_with_the_same_patterns(test_data: Path) -> None:
    data = (test_data / "incident-exchange-2021" / "mstic-exchange-iocs-2021-03.csv").read_bytes()
    shapes = [json.loads(item.raw) for item in taken(data)]
    unmapped: list[str] = []
    written = b"".join(write_csv(shapes, unmapped=unmapped))
    assert not unmapped
    again = [json.loads(item.raw) for item in taken(written)]
    assert [shape["pattern"] for shape in again] == [shape["pattern"] for shape in shapes]
    assert [shape["valid_from"] for shape in again] == [shape["valid_from"] for shape in shapes]
    assert {row["tlp"] for row in table(written)} == {"clear"}


def test_defanged_values_come_back_and_stand_nowhere_live() -> None:
    data = b"value,type\nhttp://bad.example/x,url\n198.51.100.7,ip\nbad.example,domain\nevil@bad.example,email\n"
    shapes = [json.loads(item.raw) for item in taken(data)]
    written = b"".join(write_csv(shapes, defang=True))
    assert b"bad.example" not in written
    assert b"198.51.100.7" not in written
    assert [json.loads(item.raw)["pattern"] for item in taken(written)] == [shape["pattern"] for shape in shapes]


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=30))
def test_no_cell_is_calculated_by_a_spreadsheet(text: str) -> None:
    shape = {"type": "ipv4-addr", "id": "x", "value": text or "-", "name": text, "labels": [text]}
    for row in table(b"".join(write_csv([shape]))):
        assert list(row) == list(COLUMNS)
        for cell in row.values():
            assert not cell.lstrip(" ").startswith(("=", "+", "-", "@", "\t", "\r", "\n"))


def test_formulas_are_written_with_an_apostrophe() -> None:
    for cell in ("=1+1", "+1", "-1", "@SUM(A1)", "\t=1", " =1", "\uff1d1", "|calc"):
        assert guarded(cell) == "'" + cell
    assert guarded("bad.example") == "bad.example"


@pytest.mark.parametrize(
    "pattern",
    [
        "[ipv4-addr:value = '1.2.3.4'] FOLLOWEDBY [ipv4-addr:value = '1.2.3.5']",
        "[ipv4-addr:value = '1.2.3.4' AND domain-name:value = 'a']",
        "[ipv4-addr:value LIKE '1.2.%']",
        "[file:name != 'a']",
        "[file:name = 'a'] WITHIN 5 SECONDS",
        "[file:size = 5]",
        "([file:name = 'a'])",
        "",
        "[",
        "[file:name = 'a' OR ]",
    ],
)
def test_a_pattern_that_says_more_than_values_is_not_simplified(pattern: str) -> None:
    assert read_pattern(pattern) == []
    if pattern:
        shape = {"type": "indicator", "id": "x", "pattern": pattern, "pattern_type": "stix"}
        (row,) = table(b"".join(write_csv([shape])))
        assert row["value"] == ""
        assert row["pattern"].lstrip("'") == pattern


def test_a_misp_event_holds_what_maps_back_and_says_what_does_not(test_data: Path) -> None:
    data = (test_data / "incident-exchange-2021" / "unit42-exchange-zero-day-playbook.stix2.json").read_bytes()
    shapes: list[dict[str, Any]] = [json.loads(item.raw) for item in taken(data)]
    unmapped: list[str] = []
    written = b"".join(write_misp(shapes, info="Exchange", at=1_614_700_000_000_000, unmapped=unmapped))
    event = json.loads(written)["Event"]
    indicators = [shape for shape in shapes if shape["type"] == "indicator"]
    named = {stix_id for stix_id in unmapped if stix_id.startswith("indicator--")}
    assert len(event["Attribute"]) == len(indicators) - len(named)
    assert {shape["id"] for shape in shapes if shape["type"] != "indicator"} <= set(unmapped)
    back = {json.loads(item.raw).get("pattern") for item in taken(written)}
    assert {shape["pattern"] for shape in indicators if shape["id"] not in named} <= back
