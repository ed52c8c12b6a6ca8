"""Validation: real files, one object of every type, and thousands of broken ones judged beside the OASIS validator."""

from __future__ import annotations

import copy
import gzip
import io
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from stix2validator import ValidationOptions, validate_instance

from comity.kernel.errors import CODES, InputRefused
from comity.kernel.model import bundle, instants, kinds
from comity.kernel.model.objects import check, from_data, read_object
from comity.kernel.seal.canonical import canonical

EVERY_TYPE: Final[list[dict[str, Any]]] = json.loads((Path(__file__).parent / "every_type.json").read_text())
RED: Final = "marking-definition--5e57c739-391a-4eb3-b6be-7d15ca92d5ed"

# --- where we differ from stix2-validator 3.2.0, and why: (what the stricter side says, reason)

WE_REFUSE: Final = [
    (
        r"must name |at least one cyber-observable",
        "the text of STIX names the types a reference must have; its schemas mostly do not",
    ),
    (
        r"must be an identifier|id must be",
        "references of observables and ids of custom types are identifiers too (§2.9, §3.2)",
    ),
    (r"longer than 250", "§11.1: its expression for names is not anchored at the end"),
    (r"points at", "§7.2.3.1: it lets an index point into a text"),
    (r"contents\.", "§7.1: empty or null translations"),
    (r"must have created_by_ref", "§7.3: required of an extension definition"),
    (r"extension_properties\[0\] must be", "§7.3: these are property names"),
    (r"^marking-definition.*(name|reserves|x_y_bin|x_y_hex|x_foo_bar)", "§11.1 holds for marking definitions as well"),
    (r"four TLP markings|TLP 2\.0", "§7.2.1.4: the published markings are fixed"),
    (
        r"(byte_count|packets) must be an integer of at least 0|gid must be an integer",
        "§6.12, §6.16: counts and integers",
    ),
    (r"must be an integer", "§2.8: 3.0 is no integer"),
]
WE_ACCEPT: Final = [
    (r"second must be in 0\.\.59", "§2.16: RFC 3339 has leap seconds"),
    (r"'marking_ref' is a required property", "§7.2.3: a granular marking may have lang instead"),
    (r"not a valid RFC 5646", "its list of language tags is short; every well-formed tag counts here"),
    (
        r"does not match any of the regexes: '\^extension-definition",
        "a predefined -ext key on a marking definition is odd, not forbidden",
    ),
    (r"must be an IANA registered", "registries grow; only the form is checked"),
]


def judged(data: Any) -> str:
    """What we say of an object: "" if it is valid."""
    try:
        check(data)
    except InputRefused as refused:
        return (
            refused.sentence if refused.code in CODES and refused.clause else f"no code or clause: {refused.sentence}"
        )
    return ""


def oracle(data: dict[str, Any]) -> str:
    """What stix2-validator 3.2.0 says: "" if it is valid."""
    try:
        result = validate_instance(copy.deepcopy(data), ValidationOptions())
    except Exception as broken:  # it raises on much that is not STIX at all
        return f"raised {broken!r}"
    return "; ".join(str(error) for error in result.errors)


def mutations(seed: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Objects with one thing changed."""
    swaps: list[Any] = [7.5, "?", None, [], {}, True, {"a": {"b": 1}}, ["?"]]

    def put(*path: Any, value: Any) -> dict[str, Any]:
        whole = copy.deepcopy(seed)
        place: Any = whole
        for step in path[:-1]:
            place = place[step]
        place[path[-1]] = value
        return whole

    def drop(*path: Any) -> dict[str, Any]:
        whole = copy.deepcopy(seed)
        place: Any = whole
        for step in path[:-1]:
            place = place[step]
        del place[path[-1]]
        return whole

    for name, value in seed.items():
        yield drop(name)
        for swap in swaps:
            yield put(name, value=swap)
        if isinstance(value, list):
            yield put(name, value=[*value, None])
        if isinstance(value, str) and "--" in value:
            for text in ("campaign--" + value.split("--")[1], value[:-1] + "g", value[:-1]):
                yield put(name, value=text)
        if name.endswith("_refs"):
            yield put(name, value=["vulnerability--" + value[0].split("--")[1]])
        if type(value) is int:
            yield put(name, value=-1)
            yield put(name, value=10**10)
        if isinstance(value, str) and re.match(r"\d{4}-\d\d-\d\dT", value):
            for text in ("2021-02-30T00:00:00.000Z", "2021-02-20T00:00:00.000+00:00", "1999-01-01T00:00:00.000Z"):
                yield put(name, value=text)
            for text in ("2999-01-01T00:00:00.000Z", "2016-12-31T23:59:60.000Z", "2021-03-02T12:00:00Z"):
                yield put(name, value=text)
        if isinstance(value, dict):
            for key, inner in value.items():
                yield drop(name, key)
                for swap in swaps:
                    yield put(name, key, value=swap)
                if isinstance(inner, dict):
                    for deep in inner:
                        yield drop(name, key, deep)
                        for swap in swaps[:5]:
                            yield put(name, key, deep, value=swap)
        if isinstance(value, list) and value and isinstance(value[0], dict):
            for key in value[0]:
                yield drop(name, 0, key)
                for swap in swaps[:5]:
                    yield put(name, 0, key, value=swap)
    for name in (
        "ab",
        "Abc",
        "a-b",
        "1bc",
        "a" * 251,
        "severity",
        "username",
        "phone_numbers",
        "action",
        "x_y_bin",
        "x_y_hex",
    ):
        yield put(name, value="?")
    for extensions in (
        {"foo": {"a": 1}},
        {"foo-ext": {"abc": 1}},
        {"foo-ext": {}},
        {"extension-definition--x": {"a": 1}},
    ):
        yield put("extensions", value=extensions)
    for selector in ("nothing", "labels.[9]", "labels.foo", "id", "name", "", "a b", "type.[0]"):
        yield put("granular_markings", value=[{"selectors": [selector], "marking_ref": RED}])
    yield put("granular_markings", value=[{"selectors": ["id"], "lang": "en"}])
    for reference in (
        {"source_name": "cve"},
        {"source_name": "cve", "external_id": "x"},
        {"source_name": "capec", "external_id": "CAPEC-1"},
        {"source_name": "NVD", "external_id": "CVE-2021-26855"},
        {"source_name": "a"},
        {"source_name": "a", "url": "not a url"},
    ):
        yield put("external_references", value=[reference])
    if "hashes" in seed:
        for hashes in (
            {"MD5": "x"},
            {"a": "b"},
            {"SHA-256": "a" * 63},
            {"FOO": "x"},
            {"SHA-256": 5},
            {"TLSH": "a" * 70},
        ):
            yield put("hashes", value=hashes)
    for name, text in (
        ("type", "Malware"),
        ("type", "x-foo"),
        ("spec_version", "2.0"),
        ("spec_version", "3"),
        ("lang", "e n"),
    ):
        yield put(name, value=text)


@pytest.mark.parametrize("seed", EVERY_TYPE, ids=lambda seed: seed["type"])
def test_an_object_with_every_property_is_valid_here_and_there(seed: dict[str, Any]) -> None:
    assert judged(seed) == ""
    assert oracle(seed) == ""


@pytest.mark.parametrize("turn", range(3))
def test_broken_objects_are_judged_as_the_oasis_validator_judges_them(turn: int) -> None:
    """Every difference must stand in the tables above."""
    differences = []
    count = 0
    corpus = (mutant for seed in EVERY_TYPE for mutant in mutations(seed))
    for number, mutant in enumerate(corpus):
        if number % 39 != turn * 13:
            continue
        count += 1
        ours, theirs = judged(mutant), oracle(mutant)
        assert not ours.startswith("no code")
        if bool(ours) == bool(theirs):
            continue
        table = WE_REFUSE if ours else WE_ACCEPT
        if not any(re.search(pattern, ours or theirs) for pattern, _ in table):
            differences.append((mutant["type"], ours, theirs))
    assert count > 300
    assert differences == []


# --- rules one by one, with their code

OBJECT: Final = {each["type"]: each for each in reversed(EVERY_TYPE)}


def changed(type_: str, **values: Any) -> dict[str, Any]:
    """The full object of a type with properties changed, or dropped where the value is ``...``."""
    return {name: value for name, value in (OBJECT[type_] | values).items() if value is not ...}


BROKEN: Final = [
    ("stix-order", changed("malware", modified="2021-03-02T11:59:59.999Z")),
    ("stix-order", changed("malware", last_seen="2021-02-28T00:00:00Z")),
    ("stix-order", changed("indicator", valid_until="2021-03-02T00:00:00.000Z")),
    ("stix-order", changed("relationship", stop_time="2021-03-02T00:00:00.0Z")),
    ("stix-order", changed("sighting", last_seen="2021-02-28T00:00:00Z")),
    ("stix-order", changed("observed-data", last_observed="2021-03-01T23:59:59Z")),
    ("stix-order", changed("network-traffic", end="2021-03-01T23:59:59Z")),
    ("stix-2.0", changed("malware", spec_version=...)),
    ("stix-2.0", changed("malware", spec_version="2.0")),
    ("stix-2.0", changed("comity-card", spec_version=...)),
    (
        "stix-2.0",
        {"type": "x-acme", "id": OBJECT["comity-card"]["id"].replace("comity-card", "x-acme"), "created": "x"},
    ),
    ("stix-required", changed("malware", name=...)),
    ("stix-required", changed("location", region=..., country=..., latitude=..., longitude=..., precision=...)),
    ("stix-rule", changed("location", longitude=...)),
    ("stix-rule", changed("location", latitude=..., longitude=...)),
    ("stix-rule", changed("artifact", payload_bin="QUJD")),
    ("stix-required", changed("artifact", hashes=...)),
    ("stix-rule", changed("artifact", encryption_algorithm=...)),
    ("stix-rule", changed("email-message", is_multipart=False)),
    ("stix-rule", changed("email-message", body="x")),
    ("stix-rule", changed("network-traffic", is_active=True)),
    ("stix-required", changed("network-traffic", src_ref=..., dst_ref=...)),
    ("stix-required", changed("file", hashes=..., name=...)),
    ("stix-rule", changed("observed-data", objects={"0": {"type": "mutex", "id": OBJECT["mutex"]["id"], "name": "x"}})),
    ("stix-rule", changed("windows-registry-key", key="HKLM\\Software")),
    ("stix-id", changed("process", id="process--" + OBJECT["mutex"]["id"][7:])),
    ("stix-id", changed("malware", id=OBJECT["tool"]["id"])),
    ("stix-id", changed("malware", id="malware--not-a-uuid")),
    ("stix-reference", changed("relationship", source_ref=RED)),
    ("stix-reference", changed("sighting", where_sighted_refs=[OBJECT["tool"]["id"]])),
    ("stix-reference", changed("malware", created_by_ref=OBJECT["tool"]["id"])),
    ("stix-vocabulary", changed("opinion", opinion="maybe")),
    ("stix-empty", changed("malware", labels=[])),
    ("stix-empty", changed("malware", x_custom_list=[])),
    ("stix-name", changed("malware", X_upper=1)),
    ("stix-name", changed("malware", severity="high")),
    ("stix-extension", changed("malware", extensions={"nonsense": {"abc": 1}})),
    ("stix-selector", changed("malware", granular_markings=[{"selectors": ["labels.[1]"], "marking_ref": RED}])),
    (
        "stix-selector",
        changed("malware", granular_markings=[{"selectors": ["labels.[99999999999999]"], "marking_ref": RED}]),
    ),
    ("stix-marking", changed("marking-definition", object_marking_refs=[OBJECT["marking-definition"]["id"]])),
    ("stix-marking", changed("marking-definition", id=RED)),
    ("timestamp", changed("malware", modified="2021-02-30T00:00:00.000Z")),
    ("timestamp", changed("malware", created="2021-03-02T12:00:00Z")),
    ("pattern", changed("indicator", pattern="[ipv4-addr:value = 198.51.100.7]")),
    ("stix-kind", changed("malware", is_family="yes")),
    ("stix-kind", changed("malware", confidence=True)),
    ("stix-kind", changed("malware", external_references=[{"source_name": "x", "url": "no url"}])),
    ("stix-object", {"type": "bundle", "id": "bundle--1", "objects": []}),
    ("stix-object", {"id": "x"}),
    ("stix-object", {"type": 5}),
    ("stix-object", []),
    ("stix-object", None),
    ("stix-object", {"type": "a" * 100_000, "id": "x"}),
]


@pytest.mark.parametrize(("code", "data"), BROKEN, ids=lambda value: value if isinstance(value, str) else "")
def test_a_broken_rule_is_refused_with_its_code_property_and_clause(code: str, data: Any) -> None:
    with pytest.raises(InputRefused) as refused:
        check(data)
    assert refused.value.code == code, refused.value.sentence
    assert refused.value.clause
    assert len(refused.value.sentence) < 1500
    assert refused.value.sentence.endswith(".")


def test_the_published_tlp_markings_are_accepted_and_forged_ones_are_not() -> None:
    labels = {
        "94868c89-83c2-464b-929b-a1a8aa3c8487": "clear",
        "e828b379-4e03-4974-9ac4-e53a884c97c1": "red",
    }
    for uuid, label in labels.items():
        marking: dict[str, Any] = {
            "type": "marking-definition",
            "spec_version": "2.1",
            "id": f"marking-definition--{uuid}",
            "created": "2022-10-01T00:00:00.000Z",
            "name": f"TLP:{label.upper()}",
            "extensions": {
                "extension-definition--60a3c5c5-0d10-413e-aab3-9e08dde9e88d": {
                    "extension_type": "property-extension",
                    "tlp_2_0": label,
                }
            },
        }
        assert judged(marking) == ""
        forged = json.loads(json.dumps(marking).replace(f'"tlp_2_0": "{label}"', '"tlp_2_0": "green"'))
        assert "published marking" in judged(forged)


def test_observed_data_of_the_old_form_resolves_its_inner_references() -> None:
    objects = {
        "0": {"type": "ipv4-addr", "id": OBJECT["ipv4-addr"]["id"], "value": "198.51.100.7"},
        "1": {"type": "network-traffic", "id": OBJECT["network-traffic"]["id"], "src_ref": "0", "protocols": ["tcp"]},
    }
    good = changed("observed-data", object_refs=..., objects=objects)
    assert judged(good) == ""
    assert oracle(good) == ""
    for target in ("7", "1"):
        objects["1"]["src_ref"] = target
        assert "src_ref" in judged(good)
        assert oracle(good)


def test_unknown_types_and_properties_survive() -> None:
    data = changed("comity-card", x_anything={"deep": [{"er": None}]}, tactic_refs=["not an id"])
    found = from_data(data)
    assert found.data == data
    assert found.raw == canonical(data)
    assert read_object(found.raw) == found
    assert found.version == instants.parse(data["modified"])


def test_an_observable_has_no_version_and_a_marking_has_its_creation() -> None:
    assert from_data(OBJECT["file"]).version is None
    assert from_data(OBJECT["marking-definition"]).version == instants.parse("2021-03-02T12:00:00.000Z")


def test_bytes_of_an_object_stay_as_they_came() -> None:
    raw = json.dumps(OBJECT["malware"], indent=3).encode() + b"\n"
    assert read_object(raw).raw is raw


@settings(max_examples=400, deadline=None)
@given(
    st.builds(
        lambda date, hour, rest: f"{date}T{hour}:{rest}",
        st.dates().map(str) | st.sampled_from(["2021-02-29", "2020-02-29", "0000-01-01", "2021-13-01", "20210101"]),
        st.sampled_from(["00", "23", "24", "7"]),
        st.sampled_from(
            ["00:00Z", "59:60Z", "59:59.9Z", "00:00.1234567Z", "60:00Z", "00:00.Z", "00:00,5Z", "00:00+00:00"]
        ),
    )
)
def test_the_quick_clock_agrees_with_the_full_one(text: str) -> None:
    def told(read: Any) -> Any:
        try:
            return read(text)
        except InputRefused as refused:
            return refused.code

    assert told(kinds.instant) == told(instants.parse)


ANY = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-5, 5)
    | st.floats(allow_nan=False)
    | st.text(max_size=5)
    | st.just("2021-03-02T12:00:00.000Z"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=400, deadline=None)
@given(st.sampled_from(EVERY_TYPE), st.data())
def test_no_value_anywhere_raises_anything_but_a_refusal(seed: dict[str, Any], data: st.DataObject) -> None:
    mutant = copy.deepcopy(seed)
    place: Any = mutant
    for _ in range(data.draw(st.integers(0, 3))):
        steps = sorted(place) if isinstance(place, dict) else list(range(len(place)))
        step = data.draw(st.sampled_from(steps))
        if not isinstance(place[step], dict | list) or not place[step]:
            break
        place = place[step]
    step = data.draw(st.sampled_from(sorted(place) if isinstance(place, dict) else list(range(len(place)))))
    place[step] = data.draw(ANY)
    assert not judged(mutant).startswith("no code")


def test_every_object_of_the_real_files_is_valid(test_data: Path) -> None:
    count = 0
    for path in [
        *sorted((test_data / "attack").glob("*stix21.json.gz")),
        *sorted((test_data / "stix").glob("oasis*.json")),
    ]:
        data = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
        for found in bundle.walk(io.BytesIO(data).read):
            assert read_object(found.raw).raw == data[found.offset : found.offset + len(found.raw)]
            count += 1
    assert count > 27_000


def test_real_stix_2_0_is_named_as_such(test_data: Path) -> None:
    data = (test_data / "stix" / "unit42-hermeticwiper.stix2.json").read_bytes()
    for found in bundle.walk(io.BytesIO(data).read):
        with pytest.raises(InputRefused) as refused:
            read_object(found.raw)
        assert refused.value.code == "stix-2.0"


def test_real_objects_are_judged_as_the_oasis_validator_judges_them(test_data: Path) -> None:
    data = gzip.decompress((test_data / "attack" / "attack-enterprise-hafnium-stix21.json.gz").read_bytes())
    sample = list(bundle.walk(io.BytesIO(data).read))[::2]
    for path in sorted((test_data / "stix").glob("oasis*.json")):
        sample += list(bundle.walk(io.BytesIO(path.read_bytes()).read))[::2]
    for found in sample:
        value = json.loads(found.raw)
        assert (judged(value), oracle(value)) == ("", "")
