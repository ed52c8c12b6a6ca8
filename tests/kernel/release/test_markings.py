"""Markings as the standards, MISP and OpenCTI write them; what is not understood is unread."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import stix2  # type: ignore[import-untyped]
from hypothesis import given, settings
from hypothesis import strategies as st

from comity.kernel.release.markings import KNOWN, PAP_EXTENSION, TLP_2_EXTENSION, Part, levels, read_markings, words
from comity.kernel.release.vocabulary import TLP

RED, GREEN = (
    "marking-definition--5e57c739-391a-4eb3-b6be-7d15ca92d5ed",
    "marking-definition--34098fce-860f-48ae-8e50-ebd3cc5e41da",
)
OWN = "marking-definition--11111111-1111-4111-8111-111111111111"


def nothing(_: str) -> None:
    return None


def defined(**shape: Any) -> Any:
    return {OWN: {"type": "marking-definition", "id": OWN, **shape}}.get


def marked(*refs: str, **more: Any) -> Mapping[str, Any]:
    return {"type": "indicator", "object_marking_refs": list(refs), **more}


def test_the_four_markings_of_stix_are_those_the_oasis_library_has() -> None:
    for ours, theirs in {
        "clear": stix2.TLP_WHITE,
        "green": stix2.TLP_GREEN,
        "amber": stix2.TLP_AMBER,
        "red": stix2.TLP_RED,
    }.items():
        assert KNOWN[theirs.id] == ("tlp", ours)
        assert words(json.loads(theirs.serialize()))[0] == ours


@pytest.mark.parametrize(("ref", "said"), KNOWN.items())
def test_a_standard_definition_is_known_by_id_whatever_a_file_claims_under_it(ref: str, said: tuple[str, str]) -> None:
    lie = {"type": "marking-definition", "id": ref, "definition_type": said[0], "definition": {said[0]: "clear"}}
    read = read_markings(marked(ref), lambda _: lie)
    assert (read.tlp if said[0] == "tlp" else read.pap) == said[1]
    assert read.unread == ()


@pytest.mark.parametrize(
    ("shape", "tlp", "pap"),
    [
        (
            {"extensions": {TLP_2_EXTENSION: {"extension_type": "property-extension", "tlp_2_0": "amber+strict"}}},
            "amber+strict",
            None,
        ),
        ({"name": "PAP:RED", "extensions": {PAP_EXTENSION: {"pap": "red"}}}, None, "red"),
        ({"definition_type": "tlp", "definition": {"tlp": "white"}}, "clear", None),
        ({"definition_type": "TLP", "definition": {"TLP": "TLP:AMBER"}}, "amber", None),
        ({"definition_type": "PAP", "definition": {"pap": "PAP:AMBER"}}, None, "amber"),
        (
            {
                "definition_type": "statement",
                "definition": {"statement": "custom"},
                "x_opencti_definition_type": "TLP",
                "x_opencti_definition": "TLP:AMBER+STRICT",
            },
            "amber+strict",
            None,
        ),
        ({"definition_type": "statement", "definition": {"statement": "TLP:RED"}}, "red", None),
        ({"name": "TLP:RED", "definition_type": "tlp", "definition": {"tlp": "green"}}, "red", None),
    ],
)
def test_a_definition_is_read_in_every_form_found_in_the_wild(
    shape: dict[str, Any], tlp: str | None, pap: str | None
) -> None:
    read = read_markings(marked(OWN), defined(**shape))
    assert (read.tlp, read.pap, read.unread) == (tlp, pap, ())


@pytest.mark.parametrize(
    "shape",
    [
        {},
        {"definition_type": "tlp", "definition": {"tlp": "mauve"}},
        {"definition_type": "tlp", "definition": {}},
        {"definition_type": "iep", "definition": {"id": 1}},
        {"extensions": {"extension-definition--3a65884d-005a-4290-8335-cb2d778a83ce": {"identifier": "isa:guide"}}},
        {
            "definition_type": "statement",
            "definition": {"statement": "free"},
            "extensions": {"extension-definition--x": {}},
        },
        {"type": "identity"},
    ],
)
def test_a_definition_that_is_not_understood_makes_the_object_unread(shape: dict[str, Any]) -> None:
    read = read_markings(marked(OWN, GREEN), defined(**shape))
    assert read.unread == (OWN,)
    assert read.tlp == "green"


def test_a_definition_nobody_has_makes_the_object_unread() -> None:
    assert read_markings(marked(OWN), nothing).unread == (OWN,)


def test_a_statement_is_kept_and_grants_nothing() -> None:
    read = read_markings(
        marked(OWN), defined(definition_type="statement", definition={"statement": "Copyright 2021, MITRE"})
    )
    assert (read.tlp, read.pap, read.unread, read.statements) == (None, None, (), ("Copyright 2021, MITRE",))


def test_the_strictest_of_refs_labels_and_parts_counts() -> None:
    data = marked(
        GREEN,
        labels=["tlp:amber", "PAP:GREEN", "phishing"],
        granular_markings=[
            {"marking_ref": RED, "selectors": ["description", "external_references.[0].url"]},
            {"lang": "en", "selectors": ["name"]},
        ],
    )
    read = read_markings(data, nothing)
    assert (read.tlp, read.pap, read.whole) == ("red", "green", ("amber", "green"))
    assert read.parts == (Part("description", "red", None), Part("external_references.[0].url", "red", None))
    assert read.without({"description"}).tlp == "red"
    assert read.without({"description", "external_references"}).tlp == "amber"
    assert next(levels(read)) == ("", "amber", "green")


@pytest.mark.parametrize("label", ["tlp:ex:chr", "TLP:unclear", "pap:blue"])
def test_a_marking_label_that_is_not_understood_is_unread(label: str) -> None:
    assert read_markings({"labels": [label]}, nothing).unread == (label,)


def test_the_oasis_examples_are_read(test_data: Path) -> None:
    def load(name: str) -> list[dict[str, Any]]:
        data = json.loads((test_data / "stix" / name).read_text())
        return data["objects"] if data["type"] == "bundle" else [data]

    granular = load("oasis-using-granular-markings.json")
    by_id = {data["id"]: data for data in granular}
    strict = [read_markings(data, by_id.get) for data in granular if "granular_markings" in data]
    assert strict
    assert all(read.tlp == "red" and read.parts and not read.unread for read in strict)
    interop = load("oasis21-interop-objectmarking-test.json")[0]
    read = read_markings(interop, nothing)
    assert read.tlp == "red"
    assert read.unread == ("marking-definition--5e57c739-391a-4eb3-b6be-7d15ca92d5ec",)
    using = load("oasis-using-marking-definitions.json")
    every = [read_markings(data, {d["id"]: d for d in using}.get) for data in using if "object_marking_refs" in data]
    assert [(read.tlp, len(read.statements), read.unread) for read in every] == [("amber", 1, ())]


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.sampled_from((RED, OWN, "tlp:red", "tlp:")),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(("marking_ref", "selectors", "tlp", "definition", "statement")), inner, max_size=3
        )
    ),
    max_leaves=8,
)


@settings(max_examples=300, deadline=None)
@given(json_values, json_values, json_values, json_values)
def test_no_shape_of_markings_raises_or_loosens(refs: Any, granular: Any, labels: Any, definition: Any) -> None:
    data = {"object_marking_refs": refs, "granular_markings": granular, "labels": labels}
    read = read_markings(data, defined(definition_type="tlp", definition=definition, extensions=definition))
    assert read.tlp is None or read.tlp in TLP
    if isinstance(refs, list):
        more = read_markings({**data, "object_marking_refs": [*refs, RED]}, nothing)
        assert more.tlp == "red"
    elif refs is not None:
        assert read.unread
