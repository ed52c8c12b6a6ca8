"""Nothing of a MISP event is lost, and its markings reach every object made of it."""

from __future__ import annotations

import gzip
import io
import json
from pathlib import Path
from typing import Any

import pytest

from comity.adapters.formats import minting
from comity.adapters.formats.mispvalues import attribute_pattern, object_pattern
from comity.adapters.formats.source import Item, Refusal, open_source
from comity.adapters.formats.write import write_misp
from comity.kernel.model import objects
from comity.kernel.release.markings import TLP_OF

PARTY = "identity--6c2b2b0e-6f2e-5a0c-9a3b-0d2c1b3a4f5e"
EVENTS = (
    "event-eset-backdoordiplomacy.json",
    "event-eset-dukes-operation-ghost.json",
    "event-eset-turla-lightneuron.json",
    "event-misp-test.json",
    "event-training-kobalos.json.gz",
)


def read(data: bytes) -> list[Item | Refusal]:
    return list(open_source("event.json", io.BytesIO(data), party=PARTY, at=0))


def shapes_of(results: list[Item | Refusal]) -> list[dict[str, Any]]:
    return [json.loads(result.raw) for result in results if isinstance(result, Item)]


def event(**over: Any) -> dict[str, Any]:
    return {
        "uuid": "5f3c1f6e-0000-4000-8000-000000000001",
        "info": "Test",
        "date": "2021-03-02",
        "timestamp": "1614700000",
        "published": True,
        "publish_timestamp": "1614700100",
        "Orgc": {"name": "Org", "uuid": "55f6ea5e-2c60-40e5-964f-47a8950d210f"},
        "Attribute": [],
        **over,
    }


def attribute(kind: str, value: str, *, to_ids: bool = True, number: int = 1, **over: Any) -> dict[str, Any]:
    return {
        "uuid": f"5f3c1f6e-0000-4000-8000-0000000001{number:02d}",
        "type": kind,
        "category": "Other",
        "value": value,
        "to_ids": to_ids,
        "timestamp": "1614600000",
        "comment": "why",
        **over,
    }


def one(part: dict[str, Any], **over: Any) -> list[dict[str, Any]]:
    """The objects of an event with this one attribute, less the organisation and the report."""
    return shapes_of(read(json.dumps({"Event": event(Attribute=[part], **over)}).encode()))[1:-1]


def words(value: Any) -> list[Any]:
    """Every dict anywhere in a value."""
    if isinstance(value, dict):
        return [value, *(found for inner in value.values() for found in words(inner))]
    return [found for inner in value for found in words(inner)] if isinstance(value, list) else []


@pytest.mark.parametrize("name", EVENTS)
def test_every_attribute_object_tag_and_field_of_a_real_event_is_still_there(test_data: Path, name: str) -> None:
    raw = (test_data / "misp" / name).read_bytes()
    raw = gzip.decompress(raw) if raw[:2] == b"\x1f\x8b" else raw
    data = json.loads(raw)
    source = data["response"][0]["Event"] if "response" in data else data["Event"]
    results = read(raw)
    shapes = shapes_of(results)
    kept = [found for shape in shapes for found in words(shape.get("extensions", {}))]
    payloads = {shape["payload_bin"] for shape in shapes if shape["type"] == "artifact"}
    attributes = source["Attribute"] + [inner for part in source.get("Object", []) for inner in part["Attribute"]]
    assert attributes
    for part in attributes:
        bare = {name: value for name, value in part.items() if name != "data" or not value}
        assert bare in kept or part in kept, part["uuid"]
        if part.get("data"):
            assert part["data"].replace("\n", "") in payloads
    report = shapes[-1]
    said = report["extensions"][minting.MISP_EXTENSION]
    for name, value in source.items():
        if name not in (
            "Attribute",
            "Object",
            "Galaxy",
            "Tag",
            "EventReport",
            "RelatedEvent",
            "ShadowAttribute",
            "CryptographicKey",
        ):
            assert said["event"][name] == value
    assert said.get("tags", []) == source["Tag"]
    for part in source.get("EventReport", []):
        assert part["content"] in {shape.get("content") for shape in shapes}
    last = results[-1]
    assert isinstance(last, Item)
    assert last.original is not None
    assert json.loads(last.original) in (source, {"Event": source})
    assert set(report["object_refs"]) == {
        shape["id"] for shape in shapes[:-1] if shape["id"] != report["created_by_ref"]
    }
    ids = {shape["id"] for shape in shapes}
    for shape in shapes:
        for key, value in shape.items():
            if key.endswith("_ref"):
                assert value in ids
            elif key.endswith("_refs") and key != "object_marking_refs":
                assert set(value) <= ids


@pytest.mark.parametrize("name", EVENTS)
def test_a_real_event_written_back_has_each_type_value_and_comment(test_data: Path, name: str) -> None:
    raw = (test_data / "misp" / name).read_bytes()
    raw = gzip.decompress(raw) if raw[:2] == b"\x1f\x8b" else raw
    data = json.loads(raw)
    source = data["response"][0]["Event"] if "response" in data else data["Event"]
    back = json.loads(b"".join(write_misp(shapes_of(read(raw)))))["Event"]

    def triples(owner: dict[str, Any]) -> set[tuple[str, str, str, str, bool]]:
        return {
            (part["uuid"], part["type"], part["value"], part["comment"], part["to_ids"]) for part in owner["Attribute"]
        }

    assert triples(back) == triples(source)
    assert {part["uuid"]: triples(part) for part in back["Object"]} == {
        part["uuid"]: triples(part) for part in source.get("Object", [])
    }


@pytest.mark.parametrize(
    ("kind", "value", "pattern"),
    [
        ("ip-dst", "198.51.100.7", "[ipv4-addr:value = '198.51.100.7']"),
        ("ip-dst", "198.51.100.0/24", "[ipv4-addr:value ISSUBSET '198.51.100.0/24']"),
        ("filename|md5", "it's.exe|" + "a" * 32, f"[file:name = 'it\\'s.exe' AND file:hashes.MD5 = '{'a' * 32}']"),
        (
            "domain|ip",
            "bad.example|2001:db8::1",
            "[domain-name:value = 'bad.example' AND domain-name:resolves_to_refs[*].value = '2001:db8::1']",
        ),
        (
            "ip-dst|port",
            "198.51.100.7|443",
            "[network-traffic:dst_ref.type = 'ipv4-addr' AND network-traffic:dst_ref.value = '198.51.100.7' "
            "AND network-traffic:dst_port = 443]",
        ),
        ("regkey", "HKLM\\Software\\Bad", "[windows-registry-key:key = 'HKEY_LOCAL_MACHINE\\\\Software\\\\Bad']"),
        ("email-subject", "Pay 'now'", "[email-message:subject = 'Pay \\'now\\'']"),
        ("AS", "AS64500", "[autonomous-system:number = 64500]"),
        ("imphash", "b" * 32, f"[file:extensions.'windows-pebinary-ext'.imphash = '{'b' * 32}']"),
    ],
)
def test_a_detection_attribute_becomes_the_right_pattern(kind: str, value: str, pattern: str) -> None:
    assert attribute_pattern(kind, value) == pattern
    (shape,) = one(attribute(kind, value))
    assert shape["type"] == "indicator"
    objects.check(shape)


@pytest.mark.parametrize("kind", ["yara", "snort", "sigma", "suricata"])
def test_rules_keep_their_own_language(kind: str) -> None:
    (shape,) = one(attribute(kind, "rule x { condition: true }", to_ids=False))
    assert (shape["type"], shape["pattern_type"], shape["pattern"]) == ("indicator", kind, "rule x { condition: true }")


def test_a_value_that_is_not_of_its_type_is_kept_and_said() -> None:
    results = read(json.dumps({"Event": event(Attribute=[attribute("md5", "not a hash")])}).encode())
    item = results[1]
    assert isinstance(item, Item)
    shape = json.loads(item.raw)
    assert shape["type"] == minting.MISP_OBJECT_TYPE
    assert "32 hexadecimal digits" in item.changes[0]
    objects.check(shape)


def test_free_text_a_cve_a_link_and_a_time_span() -> None:
    (note,) = one(attribute("comment", "seen at a bank", to_ids=False))
    assert (note["type"], note["content"]) == ("note", "seen at a bank")
    (vulnerability,) = one(attribute("vulnerability", "CVE-2021-26855", to_ids=False))
    assert vulnerability["external_references"][0]["external_id"] == "CVE-2021-26855"
    address, observed = one(
        attribute(
            "ip-src",
            "198.51.100.9",
            to_ids=False,
            first_seen="2021-03-01T00:00:00+00:00",
            last_seen="2021-03-02T10:00:00+01:00",
        )
    )
    assert observed["object_refs"] == [address["id"]]
    assert observed["last_observed"] == "2021-03-02T09:00:00.000Z"
    whole = shapes_of(
        read(
            json.dumps({"Event": event(Attribute=[attribute("link", "https://example.org/r", to_ids=False)])}).encode()
        )
    )
    assert {"source_name": "misp-link", "url": "https://example.org/r", "description": "why"} in whole[-1][
        "external_references"
    ]


def test_red_tag_marks_every_object_and_a_stricter_attribute_counts() -> None:
    parts = [
        attribute("domain", "a.example", Tag=[{"name": "tlp:red"}]),
        attribute("domain", "b.example", number=2, Tag=[{"name": "tlp:green"}, {"name": "PAP:AMBER"}]),
        attribute("domain", "c.example", number=3, to_ids=False),
    ]
    results = read(json.dumps({"Event": event(Attribute=parts, Tag=[{"name": "tlp:amber"}])}).encode())
    handled = [dict(result.handling) for result in results if isinstance(result, Item)]
    assert handled == [
        {"tlp": "amber"},
        {"tlp": "red"},
        {"tlp": "amber", "pap": "amber"},
        {"tlp": "amber"},
        {"tlp": "amber"},
    ]
    marked = [shape.get("object_marking_refs") for shape in shapes_of(results)[1:]]
    assert marked[0] == [TLP_OF["red"]]
    assert marked[1] == [TLP_OF["amber"], minting.PAP_REFS["amber"]]
    assert marked[2] == marked[3] == [TLP_OF["amber"]]


def test_a_narrowed_event_gives_newer_versions_of_what_it_marks() -> None:
    part = attribute("domain", "a.example")
    before = one(part)[0]
    after = one(part, Tag=[{"name": "tlp:red"}], timestamp="1614800000")[0]
    assert (before["id"], before["created"]) == (after["id"], after["created"])
    assert before["modified"] < after["modified"]


def test_a_marking_that_names_no_level_refuses_the_event() -> None:
    results: list[Item | Refusal] = []
    with pytest.raises(Exception, match="gave no object"):
        for result in open_source(
            "e", io.BytesIO(json.dumps({"Event": event(Tag=[{"name": "tlp:mauve"}])}).encode()), party=PARTY, at=0
        ):
            results.append(result)
    assert [result.code for result in results if isinstance(result, Refusal)] == ["marking-unknown"]


def test_a_deleted_attribute_becomes_a_revoked_object() -> None:
    (shape,) = one(attribute("domain", "a.example", deleted=True))
    assert shape["revoked"] is True
    objects.check(shape)


def test_a_port_alone_is_not_for_detection_where_its_address_stands_beside_it() -> None:
    pattern, left = object_pattern(
        [attribute("ip-dst", "198.51.100.7"), attribute("port", "443", number=2), attribute("hex", "00", number=3)]
    )
    assert pattern.count("[") == 1
    assert "dst_port = 443" in pattern
    assert left == ["hex '00'"]


def test_a_large_event_is_divided_and_still_refers_to_all() -> None:
    parts = [
        {**attribute("domain", f"d{number}.example"), "uuid": f"5f3c1f6e-0000-4000-8000-{number:012d}"}
        for number in range(5_001)
    ]
    shapes = shapes_of(read(json.dumps({"Event": event(Attribute=parts)}).encode()))
    report = shapes[-1]
    divided = [shape for shape in shapes if shape["type"] == "grouping"]
    assert report["object_refs"] == [shape["id"] for shape in divided]
    assert sum(len(shape["object_refs"]) for shape in divided) == 5_001


def test_an_unpublished_event_is_a_grouping_and_a_list_of_events_gives_each() -> None:
    data = json.dumps(
        [
            {"Event": event(published=False, Attribute=[attribute("domain", "a.example")])},
            {"Event": event(info="Second")},
        ]
    )
    types = [shape["type"] for shape in shapes_of(read(data.encode()))]
    assert types == ["identity", "indicator", "grouping", "identity", "report"]


def test_an_event_with_nothing_in_it_is_no_object() -> None:
    with pytest.raises(Exception, match="gave no object"):
        read(json.dumps({"Event": {"info": "x", "Attribute": []}}).encode())
