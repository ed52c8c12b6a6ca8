"""References and values: nothing that names another object, and nothing a search should find, is missed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

from hypothesis import given, settings
from hypothesis import strategies as st

from comity.kernel.model.references import Reference, references, required_references
from comity.kernel.model.values import values

EVERY_TYPE: Final[list[dict[str, Any]]] = json.loads((Path(__file__).parent / "every_type.json").read_text())
OBJECT: Final = {each["type"]: each for each in reversed(EVERY_TYPE)}
SECRET: Final = "malware--0f01c1d5-0c6c-4d5e-8a4a-0d0a5d2c9f11"
RED: Final = "marking-definition--5e57c739-391a-4eb3-b6be-7d15ca92d5ed"


def test_references_tell_where_they_stand_and_of_which_kind_they_are() -> None:
    extension = "extension-definition--9c59fd79-4215-4ba2-920d-3e4f320e1e62"
    identity = "identity--311b2d2d-f010-4473-83ec-1edf84858f4c"
    data = {
        "created_by_ref": identity,
        "object_refs": [SECRET, "text"],
        "object_marking_refs": [RED],
        "granular_markings": [{"selectors": ["name"], "marking_ref": RED}],
        "extensions": {extension: {"task_refs": [SECRET], "deep": [[{"who_ref": SECRET}]], "created_by_ref": identity}},
        "x_list": ["text", {"a_ref": SECRET}],
        "description": SECRET,
    }
    assert references(data) == (
        Reference("created_by_ref", "created_by_ref", identity, "creator"),
        Reference("object_refs", "object_refs.[0]", SECRET, "object"),
        Reference("object_marking_refs", "object_marking_refs.[0]", RED, "marking"),
        Reference("granular_markings", "granular_markings.[0].marking_ref", RED, "marking"),
        Reference("extensions", f"extensions.{extension}", extension, "extension"),
        Reference("extensions", f"extensions.{extension}.task_refs.[0]", SECRET, "object"),
        Reference("extensions", f"extensions.{extension}.deep.[0].[0].who_ref", SECRET, "object"),
        Reference("extensions", f"extensions.{extension}.created_by_ref", identity, "object"),
        Reference("x_list", "x_list.[1].a_ref", SECRET, "object"),
    )


def test_an_object_is_not_smuggled_past_as_a_marking() -> None:
    data = {"object_marking_refs": [SECRET], "granular_markings": [{"marking_ref": SECRET}], "x_a_ref": [[SECRET]]}
    assert [reference.kind for reference in references(data)] == ["object", "object", "object"]


INNER = st.recursive(
    st.just("text") | st.integers(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["a", "b_ref", "c_refs", "extensions", "ref"]), inner, max_size=3)
    ),
    max_leaves=6,
)


@settings(max_examples=200, deadline=None)
@given(st.dictionaries(st.sampled_from(["x_one", "x_ref", "x_refs", "extensions"]), INNER, min_size=1), st.data())
def test_an_identifier_below_a_reference_property_is_found_at_any_depth(
    data: dict[str, Any], draw: st.DataObject
) -> None:
    name = draw.draw(st.sampled_from(sorted(data)))
    place: Any = data
    step: Any = name
    while isinstance(place[step], dict | list) and place[step] and draw.draw(st.booleans()):
        place = place[step]
        step = (
            draw.draw(st.sampled_from(sorted(place)))
            if isinstance(place, dict)
            else draw.draw(st.integers(0, len(place) - 1))
        )
    place[step] = {"hidden_ref": SECRET} if draw.draw(st.booleans()) else {"hidden_refs": ["x", [SECRET]]}
    found = [reference for reference in references(data) if reference.target == SECRET]
    assert [reference.property for reference in found] == [name]
    assert found[0].path.startswith(name)


def test_references_of_real_relationships_are_those_that_stix_requires() -> None:
    found = {reference.path for reference in references(OBJECT["relationship"])}
    assert required_references("relationship") == {"source_ref", "target_ref"} <= found
    assert required_references("sighting") == {"sighting_of_ref"}
    assert required_references("note") == required_references("report") == {"object_refs"}
    assert required_references("extension-definition") == {"created_by_ref"}
    assert required_references("malware") == required_references("x-anything") == frozenset()


def test_an_object_is_found_by_what_it_is_about() -> None:
    wanted = {
        "ipv4-addr": ["198.51.100.0/24"],
        "domain-name": ["example.com"],
        "url": ["https://example.com/research/index.html?a=b%20c#d"],
        "email-addr": ["a@example.com"],
        "mutex": ["__CLEANSWEEP__"],
        "windows-registry-key": ["HKEY_LOCAL_MACHINE\\System\\Foo"],
        "file": ["n", "a" * 32, "c" * 64],
        "autonomous-system": ["64500", "AS64500"],
        "indicator": ["198.51.100.7", "a" * 64, "n", "CVE-2021-26855"],
        "malware": ["n", "a", "CVE-2021-26855"],
    }
    for type_, expected in wanted.items():
        found = values(OBJECT[type_])
        assert set(expected) <= set(found), type_
        assert len(found) == len(set(found))


def test_values_inside_of_observed_data_are_found() -> None:
    data = {"type": "observed-data", "objects": {"0": {"type": "ipv4-addr", "value": "203.0.113.9"}}}
    assert values(data) == ("203.0.113.9",)


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(EVERY_TYPE), INNER, st.data())
def test_no_object_makes_references_or_values_raise(seed: dict[str, Any], value: Any, draw: st.DataObject) -> None:
    mutant = dict(seed)
    mutant[draw.draw(st.sampled_from(sorted(mutant)))] = value
    references(mutant)
    values(mutant)
