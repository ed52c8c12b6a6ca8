"""Facts that ship say where they come from and how sure they are, and nothing makes one surer than its file."""

from __future__ import annotations

from typing import Any

import pytest

from comity.kernel.errors import NotFound
from comity.node.facts import Fact, fact, facts, lists, whole

LISTS = lists()
EVERY = [one for name in LISTS for one in facts(name)]


def flags(value: Any) -> int:
    """How many mappings of a list say of themselves that they were not checked."""
    if isinstance(value, dict):
        return (value.get("verified") is False) + sum(map(flags, value.values()))
    return sum(map(flags, value)) if isinstance(value, list) else 0


def test_all_lists_of_the_reference_ship() -> None:
    assert set(LISTS) == {
        *("bases", "capacity", "cases", "cbms", "clocks", "legal", "multistakeholder", "norms", "purposes"),
        *("taxonomies", "toolbox"),
    }
    assert len(EVERY) > 500


@pytest.mark.parametrize("name", LISTS)
def test_every_fact_shown_carries_its_sources_its_version_and_whether_it_was_checked(name: str) -> None:
    known = whole(name).get("sources") or {}
    for one in facts(name):
        shape = one.as_json()
        assert shape["version"] == str(whole(name)["as_of"])
        assert shape["verified"] in (True, False, "partly")
        assert isinstance(shape["sources"], list)
        assert all(source["title"] for source in shape["sources"])
        assert all(source["url"] for source in shape["sources"] if source["id"] in known)
        assert shape["mark"].startswith(("checked;", "checked in part;", "unconfirmed;"))
        assert shape["text"].strip()


@pytest.mark.parametrize("name", LISTS)
def test_fact_that_its_file_calls_unconfirmed_is_never_shown_as_checked(name: str) -> None:
    own = [one for one in facts(name) if one.says.get("verified") is False]
    assert all(one.verified is False for one in own)
    assert len(own) == flags(whole(name)), "each of them is a fact of its own"


def test_what_is_checked_says_so_itself_or_stands_in_an_entry_that_does() -> None:
    by_path = {(one.list, one.path): one for one in EVERY}
    for one in EVERY:
        if one.verified is not True:
            continue
        words = one.path.split(".")
        around = [by_path.get((one.list, ".".join(words[:n]))) for n in range(1, len(words) + 1)]
        said = [item.says["verified"] for item in around if item is not None and "verified" in item.says]
        assert (said and said[-1] is True) or one.path.endswith("_verified"), one.path


@pytest.mark.parametrize(
    ("name", "id", "verified", "sources"),
    [
        ("toolbox", "P3", True, ["eurepoc-2"]),
        ("toolbox", "P1", False, []),
        ("toolbox", "sanctions_regime.scope", "partly", ["dec-797-art1", "ext-2025"]),
        ("toolbox", "sanctions_regime.significant_effect_factors.list.a", False, []),
        ("legal", "BC-29", True, ["bc-29", "bc-60"]),
        ("legal", "BC-16.deadline", False, []),
        ("legal", "ARSIWA-49", "partly", ["arsiwa-cm"]),
        ("cases", "exchange-2021.statements.NATO", False, []),
        ("cases", "exchange-2021.statements.United-Kingdom", "partly", ["ltc"]),
        ("cases", "exchange-2021.cves.CVE-2021-26855", True, ["safeguard", "sophos"]),
        ("taxonomies", "claim_ladder.levels.state-organ", False, []),
        ("taxonomies", "state_involvement_spectrum", "partly", ["misp-tax", "healey"]),
    ],
)
def test_what_an_entry_does_not_say_of_itself_is_as_the_entry_around_it_says(
    name: str, id: str, verified: bool | str, sources: list[str]
) -> None:
    found = fact(name, id.replace("exchange-2021.cves", "exchange-2021.technical.cves"))
    assert (found.verified, [one.id for one in found.sources]) == (verified, sources)


def test_no_two_facts_of_a_list_have_one_path() -> None:
    assert len({(one.list, one.path) for one in EVERY}) == len(EVERY)


@pytest.mark.parametrize(
    ("name", "id", "told"),
    [
        ("toolbocks", "P3", "toolbox"),
        ("toolbox", "P9", "no 'P9'"),
        ("taxonomies", "red", "say more of the path"),
        ("../toolbox", "P3", "no reference list"),
        ("toolbox", "", "no ''"),
    ],
)
def test_name_that_is_none_or_several_is_refused_with_what_there_is(name: str, id: str, told: str) -> None:
    with pytest.raises(NotFound) as refused:
        fact(name, id)
    assert refused.value.code == "no-such-fact"
    assert told in refused.value.sentence


def test_days_are_text_so_that_every_fact_can_be_said_in_json() -> None:
    def plain(value: Any) -> bool:
        if isinstance(value, dict):
            return all(isinstance(key, str) and plain(item) for key, item in value.items())
        return (
            all(map(plain, value)) if isinstance(value, list) else value is None or isinstance(value, str | int | float)
        )

    assert all(plain(one.as_json()) for one in EVERY)
    assert isinstance(EVERY[0], Fact)
