"""The public record: what anybody verifies offline, and everything a forger may change in it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from comity.kernel.errors import InputRefused
from comity.kernel.seal.canonical import canonical
from comity.kernel.tlog.acts import KINDS, read_act
from comity.kernel.tlog.publication import (
    MAX_ITEMS,
    Item,
    PublicBundle,
    is_public,
    make_record,
    parties_of,
    verify_record,
)
from kernel.tlog.test_bundle import WORLD, resealed

ROOT = Path(__file__).resolve().parents[3]
CASES = json.loads((ROOT / "vectors" / "tlog" / "publications.json").read_text(encoding="utf-8"))["cases"]
PAGE = (ROOT / "docs" / "formats" / "public.md").read_text(encoding="utf-8")
GOOD: PublicBundle = WORLD.publication()
OTHER: PublicBundle = WORLD.publication(1)
HEARD: dict[str, str] = WORLD.anchors()


def why(*items: PublicBundle, now: int | None = None) -> str:
    report = verify_record(make_record([one.to_json() for one in items]), HEARD, now)
    assert report["verified"] is False
    assert report["why"]
    return report["why"]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_vector(case: dict[str, Any]) -> None:
    assert verify_record(case["record"].encode(), case["anchors"], case["now"]) == case["report"]


def test_the_example_of_the_page_is_the_act_and_the_report_of_the_vector() -> None:
    found = {
        name: json.loads(re.findall(rf"^```json {name}\n(.*?)^```", PAGE, re.M | re.S)[0])
        for name in ("publish", "report")
    }
    assert found["report"] == CASES[0]["report"]
    assert list(found["report"]["items"][0]) == list(Item.__annotations__)
    act = read_act(found["publish"])
    assert act.as_json() == found["publish"]
    shown = json.loads(CASES[0]["record"])["items"][0]
    assert json.loads(json.dumps(read_act(found["publish"]).body))["object"] == json.loads(shown["object"])["id"]
    assert set(shown) == set(re.findall(r"^\| `(\w+)` \| ", PAGE.split("### A publication")[1].split("###")[0], re.M))
    assert "publish" in KINDS


def test_one_publication_is_a_file_too() -> None:
    data = GOOD.to_json()
    assert is_public(data)
    assert verify_record(data, HEARD)["verified"]
    assert parties_of(data) == [WORLD.PARTIES[0]]
    assert PublicBundle.from_json(data).to_json() == data


def test_members_of_a_later_version_are_kept() -> None:
    later = resealed({**json.loads(GOOD.to_json()), "witnesses": []})
    assert PublicBundle.from_json(later).to_json() == later
    assert verify_record(later, HEARD)["verified"]


FORGED: list[tuple[str, Callable[[], PublicBundle], str]] = [
    (
        "the text",
        lambda: replace(GOOD, object=GOOD.object.replace(b"Quietwater", b"Firewater!")),
        "not what was sealed",
    ),
    ("another's act", lambda: replace(GOOD, act=OTHER.act), "has no card of"),
    (
        "an act with its cards",
        lambda: replace(GOOD, act=OTHER.act, cards={**GOOD.cards, **OTHER.cards}),
        "own word only",
    ),
    (
        "another's promise",
        lambda: replace(GOOD, promise=OTHER.promise),
        "not signed by any key",
    ),
    ("another salt", lambda: replace(GOOD, salt=bytes(16)), "does not lead to the root"),
    ("another place", lambda: replace(GOOD, place=0), "names another place"),
    ("another tick", lambda: replace(GOOD, outer=replace(GOOD.outer, index=9)), "names another place"),
    (
        "a delivery",
        lambda: replace(GOOD, act=WORLD.bundle(relay=False).act),
        "only a publication makes an object public",
    ),
    ("a card too many", lambda: replace(GOOD, cards={**GOOD.cards, **OTHER.cards}), "signed nothing in it"),
]


@pytest.mark.parametrize(
    ("made", "says"), [(made, says) for _, made, says in FORGED], ids=[name for name, *_ in FORGED]
)
def test_whoever_changes_one_part_of_a_publication_is_found_out(made: Callable[[], PublicBundle], says: str) -> None:
    assert re.search(says, why(made()))


def test_a_false_item_does_not_spoil_what_is_said_of_a_true_one() -> None:
    false = replace(GOOD, object=GOOD.object.replace(b"Quietwater", b"Firewater!"))
    report = verify_record(make_record([false.to_json(), OTHER.to_json()]), HEARD)
    assert [one["verified"] for one in report["items"]] == [False, True]
    assert report["verified"] is False


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_no_change_of_bytes_is_verified_or_a_crash(data: st.DataObject) -> None:
    whole = bytearray(make_record([GOOD.to_json()]))
    place = data.draw(st.integers(0, len(whole) - 1))
    whole[place] ^= data.draw(st.integers(1, 255))
    assert verify_record(bytes(whole), HEARD)["verified"] is False


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[]",
        b"{}",
        b'{"form":1,"items":[],"type":"comity-public-record"}',
        resealed({"form": True, "type": "comity-public-record", "items": []}),
        resealed({"form": 2, "type": "comity-public-record", "items": []}),
        resealed({"form": 1, "type": "comity-public-record", "items": {}}),
        resealed({"form": 1, "type": "comity-public-record", "items": [1]}),
        resealed({"form": 1, "type": "comity-public-record", "items": [{}] * (MAX_ITEMS + 1)}),
        resealed({"form": 1, "type": "comity-public-record", "items": [{}]}),
        resealed({"form": 1, "type": "comity-proof"}),
    ],
)
def test_what_is_no_record_is_refused_with_a_sentence(data: bytes) -> None:
    report = verify_record(data, HEARD)
    assert not report["verified"]
    assert report["why"]
    assert report["why"].endswith(".")


def test_more_publications_than_a_file_holds_are_refused_when_it_is_made() -> None:
    with pytest.raises(InputRefused) as refused:
        make_record([GOOD.to_json()] * (MAX_ITEMS + 1))
    assert refused.value.code == "public-record"


NO_CALENDAR = [None, 5, {}, *({"origin_at": one, "period": two} for one, two in (("x", 1), (1, 0), (True, 1)))]


@pytest.mark.parametrize("log", NO_CALENDAR)
def test_a_card_without_a_calendar_of_its_log_bounds_nothing(log: Any) -> None:
    extra = () if log is None else (("log", log),)
    cards = {WORLD.PARTIES[0]: [WORLD.card(0, extra=extra, identities=(WORLD.PARTIES[0],))]}
    late = WORLD.publication(appointed=30 * WORLD.MINUTE, at=30 * WORLD.MINUTE)
    [item] = verify_record(replace(late, cards=cards).to_json(), HEARD)["items"]
    assert (item["verified"], item["recorded"]) == (True, None)


def test_a_file_without_a_publication_is_not_verified() -> None:
    assert why() == "The record holds no publication."
    assert canonical(json.loads(make_record([]))) == make_record([])
