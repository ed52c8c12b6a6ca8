"""Commitments: equal to a second implementation, and no view but the opened one comes through."""

from __future__ import annotations

import contextlib
import copy
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from comity.kernel.errors import InputRefused, SealBroken, Usage
from comity.kernel.seal.commitment import (
    EVERYTHING,
    VIEW_EXTENSION,
    commit,
    digest_of,
    disclosure,
    paths,
    reopen,
    strip,
)

SEED = bytes(range(32))
REPORT: dict[str, Any] = {
    "type": "report",
    "spec_version": "2.1",
    "id": "report--84e4d88f-44ea-4bcd-bbf3-b2c1c320bcb3",
    "created": "2021-03-02T17:00:00.000Z",
    "modified": "2021-03-02T17:00:00.000Z",
    "name": "Exchange",
    "description": "Seen at a ministry",
    "published": "2021-03-02T17:00:00Z",
    "labels": ["exchange", "hafnium", "webshell"],
    "object_refs": [f"indicator--d81f86b9-975b-4c0b-875e-810c5ad45a4{n}" for n in "0123456789ab"],
    "object_marking_refs": ["marking-definition--34098fce-860f-48ae-8e50-ebd3cc5e41da"],
    "granular_markings": [
        {
            "marking_ref": "marking-definition--f88d31f6-486f-44da-b317-01333bde0b82",
            "selectors": ["description", "name"],
        },
        {"lang": "en", "selectors": ["name"]},
    ],
    "extensions": {
        "extension-definition--0b1e5a5f-0000-4000-8000-000000000001": {"extension_type": "property-extension", "a": 1}
    },
}
ALL = set(paths(REPORT))


def _without(*hidden: tuple[str | int, ...]) -> list[dict[str, Any]]:
    assert set(hidden) <= ALL
    return disclosure(commit(REPORT, SEED), ALL - set(hidden))


def _refused(view: Any, disclosed: Any) -> str:
    with pytest.raises(SealBroken) as refused:
        if digest_of(view, disclosed) != commit(REPORT, SEED).digest:
            raise SealBroken("commitment-broken", "another digest")
    return refused.value.code


# An object in the shape STIX objects have, with every container, empty ones, odd values and odd names.
_WORDS = st.text(max_size=5)
_SMALL = st.recursive(
    _WORDS | st.integers(-5, 5) | st.booleans() | st.none() | st.floats(-2, 2, allow_nan=False),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(_WORDS, inner, max_size=2),
    max_leaves=4,
)
_ENTRY = st.fixed_dictionaries(
    {"selectors": st.lists(_WORDS, max_size=3)}, optional={"marking_ref": _WORDS, "lang": _WORDS, "selector": _WORDS}
)
OBJECTS = st.builds(
    lambda plain, odd: {**odd, **plain},
    st.fixed_dictionaries(
        {"id": st.just("x-thing--1")},
        optional={
            "labels": st.lists(_WORDS, max_size=12) | _WORDS,
            "object_refs": st.lists(_SMALL, max_size=3),
            "x_odd_refs": _SMALL,
            "external_references": st.lists(st.dictionaries(_WORDS, _SMALL, max_size=2), max_size=3),
            "kill_chain_phases": st.lists(_SMALL, max_size=2),
            "extensions": st.dictionaries(
                _WORDS.filter(lambda key: key != "#") | st.just(VIEW_EXTENSION), _SMALL, max_size=3
            ),
            "granular_markings": st.lists(_ENTRY | _SMALL, max_size=3),
        },
    ),
    st.dictionaries(_WORDS, _SMALL, max_size=5),
)


@settings(max_examples=200, deadline=None)
@given(OBJECTS, st.binary(min_size=32, max_size=32))
def test_digest_is_the_one_a_second_implementation_gets(reference: Any, data: dict[str, Any], seed: bytes) -> None:
    stripped = strip(data)
    commitment = commit(stripped, seed)
    assert commitment.digest == reference.digest(data, seed, VIEW_EXTENSION)
    assert [list(entry.path or ()) for entry in commitment.entries] == [
        path for path, _ in reference.leaves(data, VIEW_EXTENSION)
    ]
    assert digest_of(data, disclosure(commitment, EVERYTHING)) == commitment.digest
    opened = [{"path": list(entry.path or ()), "salt": (entry.salt or b"").hex()} for entry in commitment.entries]
    assert digest_of(data, opened) == commitment.digest
    assert digest_of(json.loads(json.dumps(data)), json.loads(json.dumps(opened))) == commitment.digest


def test_leaves_have_the_shapes_of_the_format() -> None:
    assert paths(REPORT)[:9] == (
        ("created",),
        ("description",),
        ("extensions", "#"),
        ("extensions", "extension-definition--0b1e5a5f-0000-4000-8000-000000000001"),
        ("granular_markings", "#"),
        ("granular_markings", 0, 0),
        ("granular_markings", 0, 1),
        ("granular_markings", 1, 0),
        ("id",),
    )
    # sorted by the bytes of the path: "10]" before "1]"
    assert [path[1] for path in paths(REPORT) if path[0] == "object_refs"] == [
        "#",
        0,
        10,
        11,
        1,
        2,
        3,
        4,
        5,
        6,
        7,
        8,
        9,
    ]


def test_redacted_view_gives_the_digest_of_the_whole_object() -> None:
    view = copy.deepcopy(REPORT)
    del view["description"], view["object_refs"][2]
    view["granular_markings"][0]["selectors"] = ["name"]
    view["extensions"][VIEW_EXTENSION] = {"extension_type": "property-extension", "view": "without-victim"}
    disclosed = _without(("description",), ("object_refs", "#"), ("object_refs", 2), ("granular_markings", 0, 0))
    assert digest_of(view, disclosed) == commit(REPORT, SEED).digest
    assert reopen(view, disclosed).hidden == 4


def test_seed_never_goes_out_with_a_redacted_view() -> None:
    for hidden in ALL:
        disclosed = _without(hidden)
        assert SEED.hex() not in json.dumps(disclosed)
        assert sum("hash" in entry for entry in disclosed) == 1
    assert disclosure(commit(REPORT, SEED), ALL) == [{"seed": SEED.hex()}]


def test_two_seeds_give_two_digests_of_one_object() -> None:
    one, other = commit(REPORT, bytes(32)), commit(REPORT, SEED)
    assert one.digest != other.digest
    assert not {entry.hash for entry in one.entries} & {entry.hash for entry in other.entries}


def test_value_behind_a_hidden_leaf_cannot_be_guessed_without_its_salt() -> None:
    hidden = next(entry for entry in commit(REPORT, SEED).entries if entry.path == ("description",))
    guesses = {commit(REPORT, bytes([n]) * 32).entries[1].hash for n in range(50)}
    assert hidden.hash not in guesses


def test_property_added_to_a_view_is_refused() -> None:
    for disclosed in (_without(("description",)), [{"seed": SEED.hex()}]):
        view = dict(REPORT) | {"x_added": True}
        if len(disclosed) > 1:
            del view["description"]
        assert _refused(view, disclosed) in {"view-not-opened", "commitment-broken"}


def test_hidden_property_put_back_into_the_view_is_refused() -> None:
    assert _refused(REPORT, _without(("description",))) == "view-not-opened"


def test_opened_property_missing_from_the_view_is_refused() -> None:
    view = {name: value for name, value in REPORT.items() if name != "name"}
    assert _refused(view, _without(("description",))) == "view-not-opened"


@pytest.mark.parametrize("name", ["labels", "object_refs", "granular_markings"])
def test_two_elements_that_changed_places_are_refused(name: str) -> None:
    view = copy.deepcopy(REPORT)
    del view["description"]
    view[name][0], view[name][1] = view[name][1], view[name][0]
    assert _refused(view, _without(("description",))) in {"commitment-broken", "view-not-opened"}
    whole = copy.deepcopy(REPORT) | {name: view[name]}
    assert _refused(whole, [{"seed": SEED.hex()}]) == "commitment-broken"


def test_two_selectors_that_changed_places_are_refused() -> None:
    view = copy.deepcopy(REPORT)
    view["granular_markings"][0]["selectors"].reverse()
    assert _refused(view, [{"seed": SEED.hex()}]) == "commitment-broken"


def test_element_taken_from_a_list_said_to_be_whole_is_refused() -> None:
    view = copy.deepcopy(REPORT)
    del view["labels"][1]
    # the relay hides the element, but leaves the length open: it would pass for the third one being the second
    assert _refused(view, _without(("labels", 1))) == "view-not-opened"
    # ... or takes the last: the view's length is not the one committed to
    assert _refused(REPORT | {"labels": REPORT["labels"][:2]}, _without(("labels", 2))) == "commitment-broken"


def test_opened_elements_under_wrong_indexes_are_refused() -> None:
    view = copy.deepcopy(REPORT)
    del view["labels"][1]
    # shows elements 0 and 2, but opens 0 and 1
    assert _refused(view, _without(("labels", 2), ("labels", "#"))) == "commitment-broken"
    assert digest_of(view, _without(("labels", 1), ("labels", "#"))) == commit(REPORT, SEED).digest


def test_empty_list_cannot_be_slipped_in_or_lost() -> None:
    empty: dict[str, Any] = {"id": "x--1", "labels": []}
    commitment = commit(empty, SEED)
    opened = disclosure(commitment, {("id",)})
    assert digest_of({"id": "x--1"}, opened) == commitment.digest
    with pytest.raises(SealBroken, match="does not open"):
        digest_of(empty, opened)
    told = [{"path": list(entry.path or ()), "salt": (entry.salt or b"").hex()} for entry in commitment.entries]
    with pytest.raises(SealBroken, match="lacks the whole of labels"):
        digest_of({"id": "x--1"}, told)


def test_value_moved_from_one_property_to_another_is_refused() -> None:
    view = copy.deepcopy(REPORT)
    view["name"], view["description"] = view["description"], view["name"]
    assert _refused(view, [{"seed": SEED.hex()}]) == "commitment-broken"


def test_list_passed_off_as_one_value_is_refused() -> None:
    plain = commit({"id": "x--1", "labels": "a"}, SEED)
    listed = commit({"id": "x--1", "labels": ["a"]}, SEED)
    assert plain.digest != listed.digest
    told = [{"path": list(entry.path or ()), "salt": (entry.salt or b"").hex()} for entry in plain.entries]
    with pytest.raises(SealBroken):
        digest_of({"id": "x--1", "labels": ["a"]}, told)


def test_relay_can_hide_more_of_what_came_redacted() -> None:
    view = copy.deepcopy(REPORT)
    del view["labels"][0], view["description"]
    came = _without(("description",), ("labels", "#"), ("labels", 0))
    known = reopen(view, came)
    # in the view at hand "webshell" is element 1; it was committed to as element 2
    onward = disclosure(known, set(paths(view)) - {("labels", 1), ("labels", "#"), ("name",)})
    poorer = copy.deepcopy(view)
    del poorer["labels"][1], poorer["name"]
    assert digest_of(poorer, onward) == commit(REPORT, SEED).digest
    assert reopen(poorer, onward).hidden == 5


def test_length_that_came_hidden_stays_hidden_though_the_relay_shows_all_it_has() -> None:
    view = copy.deepcopy(REPORT)
    del view["labels"][2]
    came = _without(("labels", "#"), ("labels", 2))
    assert disclosure(reopen(view, came), EVERYTHING) == came


def test_extension_named_like_a_length_is_never_sealed() -> None:
    with pytest.raises(InputRefused) as refused:
        commit({"id": "x--1", "extensions": {"#": 1}}, SEED)
    assert refused.value.code == "not-sealable"
    with pytest.raises(SealBroken):
        digest_of({"id": "x--1", "extensions": {"#": 1}}, [{"seed": SEED.hex()}])


def test_short_seed_is_not_used() -> None:
    with pytest.raises(Usage):
        commit(REPORT, b"short")


def test_disclosure_out_of_order_or_doubled_is_refused() -> None:
    told = _without(("description",))
    assert _refused(strip(REPORT), [told[3], *told[:3], *told[4:]]) in {"disclosure-malformed", "view-not-opened"}
    view = {name: value for name, value in REPORT.items() if name != "description"}
    assert _refused(view, told[::-1]) == "disclosure-malformed"
    assert _refused(view, [*told, told[-1]]) == "disclosure-malformed"


@pytest.mark.parametrize(
    "entry",
    [
        {},
        {"path": ["name"]},
        {"path": ["name"], "salt": "00" * 16, "hash": "00" * 32},
        {"path": [], "salt": "00" * 16},
        {"path": ["labels", True], "salt": "00" * 16},
        {"path": ["labels", 1.0], "salt": "00" * 16},
        {"path": ["labels", -1], "salt": "00" * 16},
        {"path": ["labels", 10**30], "salt": "00" * 16},
        {"path": ["\ud800"], "salt": "00" * 16},
        {"path": ["#"], "salt": "00" * 16},
        {"path": ["name", "#"], "salt": "00" * 16},
        {"path": ["granular_markings", "#", 1], "salt": "00" * 16},
        {"path": ["name"], "salt": "00" * 15},
        {"path": ["name"], "salt": "AA" * 16},
        {"path": ["name"], "salt": "00 " * 16},
        {"path": ["name"], "salt": None},
        {"path": "name", "salt": "00" * 16},
        {"hash": "00" * 31},
        {"hash": 5},
        {"seed": "00" * 32},
        {"seed": "00" * 32, "path": ["name"]},
        [],
        None,
        "hash",
    ],
)
def test_entry_of_another_shape_is_refused(entry: Any) -> None:
    for disclosed in ([entry], [entry, entry], [*_without(("name",)), entry], entry):
        _refused(REPORT, disclosed)


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_any_changed_byte_of_view_or_disclosure_is_refused(data: st.DataObject) -> None:
    view = {name: value for name, value in REPORT.items() if name not in ("description", "extensions")}
    view["labels"] = REPORT["labels"][1:]
    whole = {**REPORT, "extensions": {}}
    commitment = commit(whole, SEED)
    shown = set(paths(whole)) - {("description",), ("labels", 0), ("labels", "#"), ("extensions", "#")}
    parts = [view, disclosure(commitment, shown)]
    assert digest_of(parts[0], parts[1]) == commitment.digest  # type: ignore[arg-type]
    which = data.draw(st.integers(0, 1))
    text = bytearray(json.dumps(parts[which]).encode())
    place = data.draw(st.integers(0, len(text) - 1))
    text[place] = data.draw(st.integers(32, 126).filter(lambda byte: byte != text[place]))
    try:
        changed = json.loads(text)
    except ValueError:
        return
    if changed == parts[which] and json.dumps(changed) == json.dumps(parts[which]):
        return  # white space
    parts[which] = changed
    with contextlib.suppress(SealBroken):
        assert digest_of(parts[0], parts[1]) != commitment.digest  # type: ignore[arg-type]


@settings(max_examples=150, deadline=None)
@given(
    _SMALL | OBJECTS,
    st.lists(st.dictionaries(st.sampled_from(["path", "salt", "hash", "seed"]), _SMALL), max_size=3) | _SMALL,
)
def test_noise_is_refused_with_the_right_error(view: Any, disclosed: Any) -> None:
    if not isinstance(view, dict):
        view = {"id": view}
    with pytest.raises(SealBroken):
        digest_of(view, disclosed)
