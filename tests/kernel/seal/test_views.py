"""Views: what is cut stays valid STIX, still verifies, and protects what it must."""

from __future__ import annotations

import copy
import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from stix2validator import ValidationOptions, validate_instance

from comity.kernel.errors import InputRefused
from comity.kernel.model.properties import OBJECTS, OBSERVABLES
from comity.kernel.model.validate import check
from comity.kernel.seal.commitment import VIEW_EXTENSION, commit, digest_of, disclosure, paths, reopen, strip
from comity.kernel.seal.keys import SigningKey
from comity.kernel.seal.seals import seal, verify_seal
from comity.kernel.seal.views import FIXED, FULL, INDICATOR, Redacted, View, Withheld, narrower, redact

SEED = bytes(range(32))
AMBER = "marking-definition--f88d31f6-486f-44da-b317-01333bde0b82"
RED = "marking-definition--5e57c739-391a-4eb3-b6be-7d15ca92d5ed"
WITHOUT_VICTIM = View(
    "without-victim",
    frozenset(
        ["name", "description", "labels", "external_references", "x_victim", "where_sighted_refs", "observed_data_refs"]
    ),
)
IDS = [f"indicator--d81f86b9-975b-4c0b-875e-810c5ad45a4{n}" for n in range(10)]
EXTENSION = "extension-definition--0b1e5a5f-0c0c-4c0c-8c0c-0c0c0c0c0c0c"
COMMON: dict[str, Any] = {
    "spec_version": "2.1",
    "created": "2021-03-02T17:00:00.000Z",
    "modified": "2021-03-02T17:00:00.000Z",
    "created_by_ref": "identity--f431f809-377b-45e0-aa1c-6a4751cae5ff",
    "object_marking_refs": [AMBER],
}
INDICATOR_OBJECT: dict[str, Any] = COMMON | {
    "type": "indicator",
    "id": IDS[0],
    "name": "Web shell at Ministry X",
    "description": "Found at Ministry X",
    "pattern": "[file:name = 'shell.aspx']",
    "pattern_type": "stix",
    "valid_from": "2021-03-02T00:00:00Z",
    "labels": ["exchange", "hafnium"],
    "external_references": [{"source_name": "msrc", "url": "https://msrc.example/a"}],
    "x_victim": {"name": "Ministry X"},
}
REPORT: dict[str, Any] = COMMON | {
    "type": "report",
    "id": "report--84e4d88f-44ea-4bcd-bbf3-b2c1c320bcb3",
    "name": "Exchange",
    "description": "Seen at Ministry X",
    "published": "2021-03-02T17:00:00Z",
    "object_refs": IDS[:5],
    "labels": ["a", "b"],
}


def _cut(data: dict[str, Any], view: View = FULL, **more: Any) -> Redacted:
    before = copy.deepcopy(data)
    cut = redact(data, view, **more)
    assert isinstance(cut, Redacted), cut
    assert data == before
    _verifies(data, cut)
    return cut


def _verifies(data: dict[str, Any], cut: Redacted) -> None:
    commitment = commit(data, SEED)
    disclosed = disclosure(commitment, cut.shown)
    assert digest_of(cut.data, disclosed) == commitment.digest
    if cut.removed:
        said = cut.data["extensions"][VIEW_EXTENSION]
        lengths = {entry.path for entry in commitment.entries if entry.path and entry.path[-1] == "#"} - cut.shown
        assert said["removed"] == reopen(cut.data, disclosed).hidden - len(lengths)


def _is_valid_stix(data: dict[str, Any]) -> bool:
    check(data)
    outcome = validate_instance(json.loads(json.dumps(data)), ValidationOptions(version="2.1"))
    assert outcome.is_valid, [str(error) for error in outcome.errors]
    return True


def test_victim_is_cut_from_an_indicator_and_the_rest_still_verifies() -> None:
    cut = _cut(INDICATOR_OBJECT, WITHOUT_VICTIM, clause="agreement--1#2")
    assert "Ministry" not in json.dumps(cut.data)
    assert cut.removed == ("description", "external_references", "labels", "name", "x_victim")
    assert cut.data["extensions"][VIEW_EXTENSION] == {
        "extension_type": "property-extension",
        "view": "without-victim",
        "removed": 6,
        "clause": "agreement--1#2",
    }
    assert _is_valid_stix(cut.data)


def test_full_view_is_the_object_as_it_is() -> None:
    cut = _cut(INDICATOR_OBJECT)
    assert cut.data == INDICATOR_OBJECT
    assert cut.shown == set(paths(INDICATOR_OBJECT))
    assert redact(INDICATOR_OBJECT, View("other", frozenset({"x_absent"}))) == cut


def test_indicator_view_keeps_what_a_sensor_needs() -> None:
    cut = _cut(INDICATOR_OBJECT | {"confidence": 80, "revoked": True, "lang": "en"}, INDICATOR)
    assert set(cut.data) == {
        *("type", "id", "spec_version", "created", "modified", "created_by_ref", "revoked", "object_marking_refs"),
        *("pattern", "pattern_type", "valid_from", "confidence", "extensions"),
    }
    assert _is_valid_stix(cut.data)


def test_indicator_view_of_an_observable_keeps_its_value() -> None:
    address = {
        "type": "ipv4-addr",
        "spec_version": "2.1",
        "id": "ipv4-addr--ff26c055-6336-5bc5-b98d-13d6226742dd",
        "value": "192.0.2[.]1",
        "defanged": True,
        "resolves_to_refs": ["mac-addr--65cfcf98-8a6e-5a1b-8f61-379ac4f92d00"],
    }
    cut = redact(address, INDICATOR)
    assert isinstance(cut, Redacted)
    assert cut.removed == ("resolves_to_refs",)
    assert (cut.data["value"], cut.data["defanged"]) == ("192.0.2[.]1", True)


def test_view_that_would_remove_what_stix_requires_withholds() -> None:
    assert redact(REPORT, WITHOUT_VICTIM) == Withheld("view-impossible", ("name",))
    assert redact(INDICATOR_OBJECT, View("v", frozenset({"pattern"}))) == Withheld("view-impossible", ("pattern",))


def test_last_of_an_at_least_one_of_is_not_removed() -> None:
    file: dict[str, Any] = {"type": "file", "id": "file--ff26c055-6336-5bc5-b98d-13d6226742dd", "name": "shell.aspx"}
    view = View("v", frozenset({"name"}))
    assert redact(file, view) == Withheld("view-impossible", ("name",))
    assert _cut(file | {"hashes": {"MD5": "d41d8cd98f00b204e9800998ecf8427e"}}, view).removed == ("name",)


def test_name_of_a_malware_family_is_not_removed() -> None:
    malware = COMMON | {
        "type": "malware",
        "id": "malware--d81f86b9-975b-4c0b-875e-810c5ad45a4f",
        "is_family": True,
        "name": "X",
    }
    assert isinstance(redact(malware, View("v", frozenset({"name"}))), Withheld)
    assert "name" in redact(malware | {"description": "d"}, INDICATOR).data  # type: ignore[union-attr]
    assert "name" not in redact(malware | {"is_family": False}, INDICATOR).data  # type: ignore[union-attr]


def test_latitude_takes_longitude_with_it() -> None:
    place = COMMON | {
        "type": "location",
        "id": "location--d81f86b9-975b-4c0b-875e-810c5ad45a4f",
        "country": "EE",
        "latitude": 59.4,
        "longitude": 24.7,
        "precision": 10.0,
    }
    cut = _cut(place, View("v", frozenset({"latitude"})))
    assert cut.removed == ("latitude", "longitude", "precision")
    assert _is_valid_stix(cut.data)


@pytest.mark.parametrize("name", sorted(FIXED))
def test_view_may_not_name_markings_creator_or_version(name: str) -> None:
    with pytest.raises(InputRefused) as refused:
        View("bad", frozenset({name, "description"}))
    assert refused.value.code == "view-fixed"


def test_markings_stay_under_every_view() -> None:
    for view in (FULL, INDICATOR, WITHOUT_VICTIM):
        cut = _cut(INDICATOR_OBJECT, view)
        assert cut.data["object_marking_refs"] == [AMBER]
        assert ("object_marking_refs", "#") in cut.shown


def test_one_hidden_reference_leaves_the_others() -> None:
    cut = _cut(REPORT, hide_refs=[("object_refs", 1), ("object_refs", 3)], clause="c")
    assert cut.data["object_refs"] == [IDS[0], IDS[2], IDS[4]]
    assert (cut.hidden_refs, cut.removed) == (2, ("object_refs.[1]", "object_refs.[3]"))
    assert cut.data["extensions"][VIEW_EXTENSION]["references_hidden"] == 2
    assert _is_valid_stix(cut.data)


def test_required_list_with_no_shown_element_withholds() -> None:
    hidden = [("object_refs", n) for n in range(5)]
    assert redact(REPORT, FULL, hide_refs=hidden) == Withheld("reference-shown", ("object_refs",))


def test_optional_list_with_no_shown_element_is_dropped_and_counted() -> None:
    sighting = COMMON | {
        "type": "sighting",
        "id": "sighting--d81f86b9-975b-4c0b-875e-810c5ad45a4f",
        "sighting_of_ref": IDS[0],
        "where_sighted_refs": ["identity--f431f809-377b-45e0-aa1c-6a4751cae5f0"],
    }
    cut = _cut(sighting, hide_refs=[("where_sighted_refs", 0)])
    assert (cut.removed, cut.hidden_refs) == (("where_sighted_refs",), 1)
    assert "where_sighted_refs" not in cut.data
    assert redact(sighting, FULL, hide_refs=["sighting_of_ref"]) == Withheld("reference-shown", ("sighting_of_ref",))


def test_reference_deep_in_an_extension_takes_the_extension_along() -> None:
    data = INDICATOR_OBJECT | {
        "extensions": {EXTENSION: {"extension_type": "property-extension", "task": {"of_ref": IDS[1]}}}
    }
    cut = _cut(data, hide_refs={("extensions", EXTENSION): 3})
    assert (cut.removed, cut.hidden_refs) == ((f"extensions.{EXTENSION}",), 3) or cut.removed == ("extensions",)
    assert IDS[1] not in json.dumps(cut.data)


def test_creator_and_markings_are_never_taken_for_hidden_references() -> None:
    for place in ("created_by_ref", ("object_marking_refs", 0), "granular_markings"):
        data = INDICATOR_OBJECT | {"granular_markings": [{"marking_ref": RED, "selectors": ["name"]}]}
        assert isinstance(redact(data, FULL, hide_refs=[place]), Withheld)  # type: ignore[list-item]


def test_reference_that_is_not_there_or_already_cut_changes_nothing() -> None:
    places: list[Any] = [
        "x_absent_ref",
        ("object_refs", 99),
        ("object_refs", -1),
        ("object_refs", "#"),
        ("labels", "x"),
    ]
    assert _cut(REPORT, hide_refs=places).data == REPORT
    assert _cut(INDICATOR_OBJECT, WITHOUT_VICTIM, hide_refs=["x_victim"]).hidden_refs == 0


GRANULAR = REPORT | {
    "granular_markings": [
        {"marking_ref": RED, "selectors": ["description", "labels"]},
        {"marking_ref": AMBER, "selectors": ["description"]},
        {"lang": "en", "selectors": ["name", "description"]},
    ]
}


def test_granular_marking_falls_with_its_target_and_only_with_it() -> None:
    cut = _cut(GRANULAR, View("v", frozenset({"description"})))
    assert cut.data["granular_markings"] == [
        {"marking_ref": RED, "selectors": ["labels"]},
        {"lang": "en", "selectors": ["name"]},
    ]
    check(cut.data)  # stix2-validator wants a marking_ref beside lang, which STIX 2.1 §7.2.3 does not


def test_last_granular_marking_takes_the_property_along() -> None:
    data = REPORT | {"granular_markings": [{"marking_ref": RED, "selectors": ["description"]}]}
    cut = _cut(data, View("v", frozenset({"description"})))
    assert "granular_markings" not in cut.data


def test_list_addressed_by_index_goes_whole() -> None:
    data = REPORT | {
        "x_more_refs": IDS[5:8],
        "granular_markings": [{"marking_ref": RED, "selectors": ["x_more_refs.[2]", "name"]}],
    }
    cut = _cut(data, hide_refs=[("x_more_refs", 0)])
    assert "x_more_refs" not in cut.data
    assert cut.hidden_refs == 3
    assert cut.data["granular_markings"] == [{"marking_ref": RED, "selectors": ["name"]}]
    stays = _cut(data, hide_refs=[("object_refs", 0)])
    assert stays.data["x_more_refs"] == IDS[5:8]
    addressed = REPORT | {"granular_markings": [{"marking_ref": RED, "selectors": ["object_refs.[2]"]}]}
    assert redact(addressed, FULL, hide_refs=[("object_refs", 0)]) == Withheld("reference-shown", ("object_refs",))


def test_marking_of_a_cut_extension_falls_with_it() -> None:
    other = EXTENSION[:-1] + "d"
    data = REPORT | {
        "extensions": {key: {"extension_type": "property-extension", "of_ref": IDS[9]} for key in (EXTENSION, other)},
        "granular_markings": [
            {"marking_ref": RED, "selectors": [f"extensions.{EXTENSION}.of_ref", f"extensions.{other}"]}
        ],
    }
    cut = _cut(data, hide_refs=[("extensions", EXTENSION)])
    assert cut.data["granular_markings"] == [{"marking_ref": RED, "selectors": [f"extensions.{other}"]}]
    assert set(cut.data["extensions"]) == {other, VIEW_EXTENSION}


def test_extension_that_says_what_type_this_is_stays() -> None:
    data = COMMON | {
        "type": "comity-thing",
        "id": "comity-thing--d81f86b9-975b-4c0b-875e-810c5ad45a4f",
        "extensions": {EXTENSION: {"extension_type": "new-sdo"}},
        "text": "x",
    }
    for view in (INDICATOR, View("v", frozenset({"extensions", "text"}))):
        cut = _cut(data, view)
        assert set(cut.data["extensions"]) == {EXTENSION, VIEW_EXTENSION}
        assert "text" not in cut.data
    talkative = data | {"extensions": {EXTENSION: {"extension_type": "new-sdo", "secret": 1}}}
    assert isinstance(redact(talkative, INDICATOR), Withheld)


def test_marking_definition_is_never_cut() -> None:
    marking = {
        "type": "marking-definition",
        "spec_version": "2.1",
        "id": RED,
        "created": "2017-01-20T00:00:00.000Z",
        "name": "TLP:RED",
    }
    assert _cut(marking, WITHOUT_VICTIM).data == marking
    assert _cut(marking, INDICATOR).data == marking


def test_translation_of_what_is_cut_is_withheld() -> None:
    translation = COMMON | {
        "type": "language-content",
        "id": "language-content--d81f86b9-975b-4c0b-875e-810c5ad45a4f",
        "object_ref": IDS[0],
        "contents": {"et": {"description": "Leitud ministeeriumist X"}},
    }
    assert redact(translation, WITHOUT_VICTIM) == Withheld("view-impossible", ("contents.description",))
    assert isinstance(redact(translation, View("v", frozenset({"labels"}))), Redacted)


def test_relay_cuts_a_view_further_and_it_still_verifies() -> None:
    key = SigningKey.from_seed(b"k" * 32)
    party = "identity--f431f809-377b-45e0-aa1c-6a4751cae5ff"
    sealed = seal(REPORT, seed=SEED, role="origin", party=party, key=key, at=0)
    keys = {key.public.keyid: key.public}
    first = _cut(REPORT, hide_refs=[("object_refs", 1)], clause="a#1")
    came = disclosure(sealed.commitment, first.shown)
    second = redact(first.data, View("v", frozenset({"description"})), hide_refs=[("object_refs", 2)], clause="b#7")
    assert isinstance(second, Redacted)
    onward = disclosure(reopen(first.data, came), second.shown)
    held = verify_seal(sealed.envelope, second.data, onward, keys)
    assert second.data["object_refs"] == [IDS[0], IDS[2], IDS[4]]
    said = second.data["extensions"][VIEW_EXTENSION]
    # the description and two references; hidden is also the length of the list
    assert (said["removed"], held.removed, said["references_hidden"]) == (3, 4, 2)
    assert (said["view"], said["clause"]) == ("v", "b#7")
    assert _is_valid_stix(second.data)
    # passed on whole, it keeps what it said
    assert redact(first.data, FULL).data == first.data  # type: ignore[union-attr]


def test_stripping_gives_back_the_object_without_extensions() -> None:
    cut = _cut(REPORT, View("v", frozenset({"description"})))
    assert strip(cut.data) == {name: value for name, value in REPORT.items() if name != "description"}


def test_narrower_is_a_strict_order() -> None:
    less = View("less", (WITHOUT_VICTIM.remove or frozenset()) | {"confidence"})
    assert narrower(less, WITHOUT_VICTIM)
    assert narrower(WITHOUT_VICTIM, FULL)
    assert narrower(INDICATOR, FULL)
    assert narrower(INDICATOR, View("v", frozenset({"description"})))
    # what is removed there is shown here, for types whose name is required
    assert not narrower(INDICATOR, WITHOUT_VICTIM)
    assert narrower(INDICATOR, WITHOUT_VICTIM, "indicator")
    for view in (FULL, INDICATOR, WITHOUT_VICTIM):
        assert not narrower(view, view)
        assert not narrower(FULL, view)
    assert not narrower(WITHOUT_VICTIM, INDICATOR)
    # the name of a view says nothing
    assert not narrower(View("a", frozenset({"x"})), View("b", frozenset({"x"})))


# --- properties over random objects

_REMOVABLE = sorted((set(REPORT) | set(INDICATOR_OBJECT) | {"x_list", "extensions", "x_more_refs"}) - FIXED)
_SELECTORS = st.sampled_from(
    [
        "name",
        "description",
        "labels",
        "labels.[1]",
        "object_refs",
        "object_refs.[0]",
        "x_more_refs.[1]",
        "extensions",
        "pattern",
        f"extensions.{EXTENSION}",
        f"extensions.{EXTENSION}.a",
        "external_references.[0].url",
        "created_by_ref",
    ]
)
OBJECTS_AT_RANDOM = st.builds(
    lambda base, more, dropped: {name: value for name, value in (base | more).items() if name not in dropped},
    st.sampled_from([INDICATOR_OBJECT, REPORT]),
    st.fixed_dictionaries(
        {},
        optional={
            "labels": st.lists(st.text(max_size=3), max_size=4),
            "x_more_refs": st.lists(st.sampled_from(IDS), max_size=4),
            "x_list": st.lists(st.integers(0, 9), max_size=3),
            "object_refs": st.lists(st.sampled_from(IDS), max_size=12),
            "extensions": st.dictionaries(
                st.sampled_from([EXTENSION, EXTENSION[:-1] + "d", "archive-ext"]),
                st.sampled_from(
                    [{"extension_type": "property-extension", "a": 1}, {"extension_type": "new-sdo"}, {"b": [1]}]
                ),
                max_size=3,
            ),
            "granular_markings": st.lists(
                st.fixed_dictionaries(
                    {
                        "marking_ref": st.sampled_from([AMBER, RED]),
                        "selectors": st.lists(_SELECTORS, min_size=1, max_size=4),
                    }
                ),
                max_size=3,
            ),
        },
    ),
    st.sets(st.sampled_from(["created_by_ref", "object_marking_refs", "description", "labels"])),
)
VIEWS_AT_RANDOM = st.just(INDICATOR) | st.builds(
    lambda names: View("random", frozenset(names)), st.sets(st.sampled_from(_REMOVABLE), max_size=4)
)
HIDDEN_AT_RANDOM = st.lists(
    st.sampled_from(["x_victim", "x_list", "x_more_refs", ("extensions", EXTENSION)])
    | st.tuples(st.sampled_from(["object_refs", "x_more_refs", "labels"]), st.integers(0, 12)),
    max_size=4,
)


@settings(max_examples=300, deadline=None)
@given(OBJECTS_AT_RANDOM, VIEWS_AT_RANDOM, HIDDEN_AT_RANDOM)
def test_whatever_is_cut_verifies_and_shows_nothing_that_was_to_be_hidden(
    data: dict[str, Any], view: View, hidden: list[Any]
) -> None:
    cut = redact(data, view, hide_refs=hidden)
    if isinstance(cut, Withheld):
        assert cut.properties
        return
    _verifies(data, cut)
    assert not set(strip(cut.data)) & (view.remove or set()) - {"extensions"}
    for name in FIXED - {"granular_markings"}:
        assert cut.data.get(name) == data.get(name)
    for place in hidden:
        if isinstance(place, str):
            assert place not in cut.data
        elif place[0] in cut.data and isinstance(place[1], int) and place[1] < len(data[place[0]]):
            assert len(cut.data[place[0]]) < len(data[place[0]])
    for entry in cut.data.get("granular_markings", []):
        for selector in entry["selectors"]:
            assert selector.split(".")[0] in cut.data or selector.split(".")[0] not in data
            name, _, index = selector.partition(".[")
            if index and name in cut.data:
                assert cut.data[name] == data[name]


@settings(max_examples=100, deadline=None)
@given(OBJECTS_AT_RANDOM, VIEWS_AT_RANDOM, VIEWS_AT_RANDOM, HIDDEN_AT_RANDOM)
def test_cutting_twice_verifies_too(data: dict[str, Any], one: View, other: View, hidden: list[Any]) -> None:
    commitment = commit(data, SEED)
    first = redact(data, one, hide_refs=hidden)
    if isinstance(first, Withheld):
        return
    second = redact(first.data, other, hide_refs=hidden)
    if isinstance(second, Withheld):
        return
    known = reopen(first.data, disclosure(commitment, first.shown))
    onward = disclosure(known, second.shown)
    assert digest_of(second.data, onward) == commitment.digest
    if first.removed or second.removed:
        hidden_lengths = sum(entry.path is not None and entry.path[-1] == "#" for entry in commitment.entries)
        hidden_lengths -= sum(entry["path"][-1] == "#" for entry in onward if "path" in entry)
        assert (
            second.data["extensions"][VIEW_EXTENSION]["removed"] == reopen(second.data, onward).hidden - hidden_lengths
        )


# --- real objects


def _real(folder: Path) -> list[dict[str, Any]]:
    objects: list[dict[str, Any]] = []
    for path in sorted((folder / "stix").glob("oasis21-*.json")):
        bundle = json.loads(path.read_bytes())
        objects += bundle.get("objects", [bundle])
    objects += json.loads(
        gzip.decompress((folder / "attack" / "attack-enterprise-hafnium-stix21.json.gz").read_bytes())
    )["objects"]
    return objects


@pytest.mark.parametrize(
    "view", [INDICATOR, View("v", frozenset({"description", "external_references", "labels", "x_mitre_version"}))]
)
def test_views_of_real_objects_are_valid_and_verify(test_data: Path, view: View) -> None:
    types = set()
    for data in _real(test_data):
        cut = redact(data, view)
        if isinstance(cut, Withheld):
            assert cut.reason == "view-impossible"
            continue
        _verifies(data, cut)
        check(cut.data)
        if data["type"] not in types:
            types.add(data["type"])
            assert _is_valid_stix(cut.data)
    assert len(types) >= 10


def test_every_type_of_the_standard_survives_the_indicator_view() -> None:
    """What `INDICATOR` keeps exists, so that no word in its table is a slip of the pen."""
    shapes = {**OBJECTS, **OBSERVABLES}
    for kind, name in INDICATOR.keep or ():
        assert kind == "*" or name in shapes[kind].kinds
    for stix_type, shape in shapes.items():
        for group in shape.any_of:
            kept = {name for name in group if INDICATOR.shows(name, stix_type)}
            assert kept, (stix_type, group)
