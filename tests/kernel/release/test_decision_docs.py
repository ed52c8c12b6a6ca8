"""The pages on facets and on the decision say what the code does."""

from __future__ import annotations

import json
import re
from dataclasses import fields
from pathlib import Path

from comity.kernel.release.agreement import Clause
from comity.kernel.release.facets import Facets
from comity.kernel.release.handling import Handling
from comity.kernel.release.markings import PAP_EXTENSION, TLP_2_EXTENSION
from comity.kernel.release.predicates import PREDICATES, clause_rows, facet_rows

DOCS = Path(__file__).parents[3] / "docs"


def table(page: str, first: str) -> list[list[str]]:
    """The rows of the table whose head begins with that cell."""
    lines = page.splitlines()
    start = next(number for number, line in enumerate(lines) if line.startswith(f"| {first} |"))
    rows = []
    for line in lines[start + 2 :]:
        if not line.startswith("|"):
            break
        rows.append([cell.strip() for cell in line.strip("|").split(" | ")])
    return rows


def test_every_facet_has_its_row_in_order() -> None:
    page = (DOCS / "formats" / "facets.md").read_text()
    rows = table(page, "facet")
    assert [row[0].strip("`") for row in rows] == [field.name for field in fields(Facets)]
    assert all(len(row) == 3 and all(row) for row in rows)
    assert TLP_2_EXTENSION in page
    assert PAP_EXTENSION in page


def test_the_examples_of_the_page_are_read() -> None:
    facets, handling = re.findall(r"```json\n(.*?)```", (DOCS / "formats" / "facets.md").read_text(), re.DOTALL)
    assert Facets.from_json(json.loads(facets)).as_json() == json.loads(facets)
    assert Handling.from_json(json.loads(handling)).as_json() == json.loads(handling)


def test_every_key_of_a_handling_has_its_row() -> None:
    rows = table((DOCS / "formats" / "facets.md").read_text(), "key")
    named = {word for row in rows for word in re.findall(r"`(\w+)`", row[0])}
    assert named == {field.name for field in fields(Handling)}


def test_every_predicate_has_its_row_with_sentence_and_expression() -> None:
    rows = table((DOCS / "decision.md").read_text(), "id")
    told = [
        [
            f"`{row.id}`",
            row.stage.value,
            row.sentence,
            f"`{row.expression!r}`",
            f"`{row.otherwise!r}`" if row.otherwise else "",
        ]
        for row in PREDICATES
    ]
    assert [[*row, ""][:5] for row in rows] == told
    assert len({row.id for row in PREDICATES}) == len(PREDICATES)


def test_rows_for_a_store_tell_unknown_from_empty() -> None:
    facets = Facets.from_json(
        json.loads(re.findall(r"```json\n(.*?)```", (DOCS / "formats" / "facets.md").read_text(), re.DOTALL)[0])
    )
    rows = set(facet_rows(facets))
    assert {("tlp", ""), ("tlp", "green"), ("caveats", ""), ("basis", "consent"), ("retention", "1")} <= rows
    assert not any(name in ("sectors", "title") for name, _ in rows)
    assert [value for name, value in rows if name == "caveats"] == [""]
    clause = Clause(number="1", says="permit", sender=(), to=(), types=(), tlp=("clear", "*"))
    assert set(clause_rows(clause)) == {
        ("types", ""),
        ("tlp", ""),
        ("tlp", "clear"),
        ("tlp", "*"),
        ("says", ""),
        ("says", "permit"),
        ("source", ""),
        ("source", "named"),
    }
