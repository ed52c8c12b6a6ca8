"""The library: reference lists and the public record are shown with sources, version and how sure each line is, on every face."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import pytest

from comity.desks.library import DESK
from comity.node.desk import carry_out
from comity.node.facts import lists, whole
from comity.node.officers import add_officer
from simulators.asked import Asker
from simulators.shell import found
from simulators.teams import Teams
from simulators.world import World

ROOT = Path(__file__).resolve().parents[3]
DEEDS = {item.name: item for item in DESK.deeds}
CASES = [one["id"] for one in whole("cases")["cases"]]


@pytest.fixture(scope="module")
def world() -> World:
    world = World()
    world.node("Alpha")
    return world


def tell(world: World, deed: str, **said: Any) -> Any:
    return carry_out(world.nodes["Alpha"], DEEDS[deed], said, "officer-1")


def sure(entry: dict[str, Any]) -> None:
    assert {"sources", "version", "verified", "mark"} <= entry.keys(), entry
    assert entry["verified"] in (True, False, "partly")
    assert entry["version"]


def test_the_six_cases_are_listed_with_how_much_of_each_is_unconfirmed(world: World) -> None:
    told = tell(world, "library list")
    assert [one["case"] for one in told.shape["cases"]] == CASES
    assert len(CASES) == 6
    exchange = told.shape["cases"][0]
    assert (exchange["days"], len(exchange["parties"]), exchange["unconfirmed"]) == (139, 9, 3)
    for one in told.shape["cases"]:
        sure(one)


@pytest.mark.parametrize("case", CASES)
def test_every_statement_of_a_case_is_shown_with_its_source_and_the_name_of_its_claim(world: World, case: str) -> None:
    told = tell(world, "library show", case=case)
    raw = next(one for one in whole("cases")["cases"] if one["id"] == case)
    assert [one["party"] for one in told.shape["statements"]] == [one["party"] for one in raw["statements"]]
    for shown, said in zip(told.shape["statements"], raw["statements"], strict=True):
        sure(shown)
        assert shown["verified"] == said["verified"]
        assert [one["id"] for one in shown["sources"]] == said["source"]
        assert shown["claim_level"]["id"] == said["claim_level"]
        assert shown["claim_level"]["label"]
        sure(shown["claim_level"])
    for one in (told.shape, *told.shape["timeline"], *told.shape["more"], told.shape["reply"] or told.shape):
        sure(one)
    text = "\n".join(told.lines)
    assert "the accused states deny them" in text
    for one in raw["statements"]:
        (line,) = [line for line in told.lines if line.startswith(one["party"] + "  ")]
        assert ("unconfirmed" in line) == (one["verified"] is False)


def test_two_scales_of_likelihood_stay_two(world: World) -> None:
    said = {one["party"]: one for one in tell(world, "library show", case="wannacry-2017").shape["statements"]}
    assert said["United Kingdom"]["likelihood_term"] == "highly likely"
    assert said["United Kingdom"]["scale"] == "uk_phia_yardstick"
    assert "likelihood_term" not in said["United States"]


@pytest.mark.parametrize("name", lists())
def test_every_fact_of_a_list_is_shown_with_how_sure_it_is(world: World, name: str) -> None:
    told = tell(world, "reference show", name=name)
    for one in told.shape["facts"]:
        sure(one)
    assert sum("unconfirmed;" in line for line in told.lines) >= sum(
        one["verified"] is False for one in told.shape["facts"]
    )


def test_one_fact_is_shown_with_the_titles_of_its_sources(world: World) -> None:
    told = tell(world, "reference show", name="toolbox", id="R2")
    (one,) = told.shape["facts"]
    assert one["sources"][0]["url"].startswith("https://")
    assert any(line.startswith("Source ext-2025: ") for line in told.lines)


def test_lists_and_cases_are_read_on_the_command_line_and_over_rest_alike(tmp_path: Path) -> None:
    alone = found(tmp_path / "alpha", "Alpha", "csirt", "XA")
    teams = Teams()
    _, token = add_officer(teams.a, "Ada", ["audit"])
    asker = Asker(teams.app, token, accept="application/json")

    def rest(path: str, **said: Any) -> Any:
        answer = asker.post(f"/api/v1/{path}", orjson.dumps(said), content_type="application/json")
        assert answer.status_code == 200
        return answer.json()

    assert alone.do("reference", "list") == rest("reference/list")
    assert alone.do("reference", "show", "toolbox", "P3") == rest("reference/show", name="toolbox", id="P3")
    assert alone.do("library", "list") == rest("library/list")
    assert alone.do("library", "show", "viasat-2022") == rest("library/show", case="viasat-2022")
    refused = alone.try_("library", "show", "viasat-2021")
    assert (refused.status, refused.json["code"]) == (1, "no-such-fact")
    assert "viasat-2022" in refused.json["sentence"]
