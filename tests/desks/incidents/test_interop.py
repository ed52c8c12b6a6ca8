"""What the desk mints passes the OASIS validator and parses in the OASIS library, and real records of incidents go through it whole."""

from __future__ import annotations

import csv
import gzip
import io
import json
from pathlib import Path
from typing import Any

import stix2
from stix2.registry import STIX2_OBJ_MAPS
from stix2validator import ValidationOptions, validate_instance

from comity.desks.incidents.kinds import CORE, KINDS, SUITE
from comity.node.doctor import examine
from comity.node.export import given_objects, own_objects
from simulators.incidentroom import AMBER, Room
from simulators.world import indicator

A, B, C = "Team A", "Team B", "Team C"
OPTIONS = ValidationOptions(version="2.1")
STANDARD = {*STIX2_OBJ_MAPS["2.1"]["objects"], *STIX2_OBJ_MAPS["2.1"]["observables"]}


def everything() -> Room:
    """A room in which each deed that mints was done once."""
    room = Room().open(A, B, C)
    incident = room.new(description="Web shells", kind=("ransomware",), detected_by=("human-review",))
    room.put(A, indicator(1))
    room.sync(A, B, C)
    room.tell(
        A,
        "incident event add",
        incident=incident,
        name="Found",
        start="2021-03-03T10:00:00Z",
        kind=("x",),
        source="log",
    )
    room.tell(
        A,
        "incident task add",
        incident=incident,
        name="Patch",
        due="2021-03-06T00:00:00Z",
        kind=("recovery",),
        priority=5,
    )
    room.tell(A, "incident impact add", incident=incident, category="economic", variety="response-costs", currency="EUR",
              least=0.5, most=2, source="invoice", count=("organizations=12",))  # fmt: skip
    room.tell(A, "incident impact add", incident=incident, category="availability", availability=80, source="monitor")
    room.tell(A, "incident plan use", incident=incident, sector="energy")
    room.tell(A, "incident told", incident=incident, how="telephone", party=(C,), name=("the ministry",))
    room.tell(A, "incident clock start", incident=incident, clock="nis2-final", evidence="x", zone="Europe/Tallinn")
    room.tell(B, "incident status", incident=incident, not_affected=True, scope="mail")
    room.tell(B, "incident severity say", incident=incident, scheme="nis-impact", level="red", reason="r")
    room.tell(B, "incident sighting add", incident=incident, of=str(indicator(1)["id"]), not_seen=True)
    asked = room.tell(A, "assist ask", incident=incident, need="Forensics", language=("en",), severity="us-nciss:high")[
        "object"
    ]
    notice = room.tell(A, "territory notify", incident=incident, to=B, territory="XB", facts="A server")["object"]
    for kind in ("notice", "advisory"):
        made = room.tell(
            A, "advisory draft", name="Exchange", kind=kind, text="t", product=("Exchange 2019",), **AMBER
        )["object"]
        room.tell(A, "advisory publish", advisory=made)
    room.sync(A, B, C)
    room.tell(B, "assist offer", about=asked, offers="Analysts", conditions="on site", until="2021-04-01T00:00:00Z")
    room.tell(B, "assist decline", about=asked, reason="no staff", ground="capacity")
    room.tell(B, "territory concur", notice=notice, reason="we saw it", steps="taken down")
    room.tell(A, "incident close", incident=incident, determination="confirmed")
    room.sync(A, B, C)
    return room


def faults(one: dict[str, Any]) -> list[str]:
    found = validate_instance(one, OPTIONS)
    return [f"{one['id']}: {getattr(error, 'message', error)}" for error in found.errors or []]


def test_every_object_of_the_desk_passes_the_validator_and_parses_in_the_library() -> None:
    room = everything()
    texts: set[bytes] = set()
    for name, reader in ((A, B), (B, A)):
        with room.nodes[name].store.read() as tx:
            texts |= {*own_objects(tx, newest=False), *given_objects(tx, room.id(reader))}
    objects = [json.loads(text) for text in texts]
    types = {one["type"] for one in objects}
    assert {kind.name for kind in KINDS if kind.form == "new-sdo"} <= types
    assert [fault for one in objects for fault in faults(one)] == []
    for text in texts:
        one = json.loads(text)
        parsed = stix2.parse(text.decode(), allow_custom=True, version="2.1")
        assert parsed["id"] == one["id"]
        assert isinstance(parsed, dict) == (one["type"] not in STANDARD)
    for node in room.nodes.values():
        assert list(examine(node)) == []


def test_the_suites_own_types_carry_the_suites_own_extension_ids() -> None:
    room = everything()
    with room.nodes[A].store.read() as tx:
        objects = [json.loads(text) for text in own_objects(tx)]
    for one in objects:
        if one["type"] in SUITE:
            assert one["extensions"][SUITE[one["type"]]] == {"extension_type": "new-sdo"}
        if one["type"] == "incident":
            core = one["extensions"][CORE]
            assert core["extension_type"] == "property-extension"
            assert {"determination", "investigation_status"} <= set(core)
    published = {*SUITE.values(), CORE}
    assert not published & {one["id"] for one in objects}, "definitions of others are theirs to publish"


def test_the_case_of_every_object_is_the_incident() -> None:
    room = everything()
    with room.nodes[A].store.read() as tx:
        (incident,) = [json.loads(text)["id"] for text in own_objects(tx, types=frozenset(("incident",)))]
        of_case = {json.loads(text)["type"] for text in own_objects(tx, case=incident)}
    assert {"incident", "event", "task", "impact", "x-comity-told-list", "x-comity-clock-mark"} <= of_case


def _start(row: dict[str, str]) -> dict[str, str]:
    """When it began; many records do not say."""
    return {"start": f"{row['start_date']}T00:00:00Z"} if row["start_date"] else {}


def test_real_records_of_incidents_go_through_the_desk_whole(test_data: Path) -> None:
    room = Room().open(A, B)
    path = test_data / "incidents" / "eurepoc-2023-12-04-incident_types.csv.gz"
    rows = list(csv.DictReader(io.StringIO(gzip.decompress(path.read_bytes()).decode())))
    every = [rows[n] for n in range(0, len(rows), len(rows) // 25)]
    assert len({row["incident_type"] for row in rows}) > 3
    for row in every:
        incident = room.new(A, f"{row['receiver_country']} {row['ID']}", kind=(row["incident_type"],))
        room.tell(A, "incident event add", incident=incident, name=row["incident_type"], **_start(row),
                  source=f"EuRepoC {row['ID']}")  # fmt: skip
    room.sync(A, B)
    listed = room.tell(B, "incident list")
    assert listed["defects"] == []
    assert [one["core"]["incident_types"] for one in listed["incidents"]].count(()) == 0
    assert sorted(one["says"]["name"] for one in listed["incidents"]) == sorted(
        f"{row['receiver_country']} {row['ID']}" for row in every
    )
    for one in listed["incidents"]:
        (event,) = room.picture(B, one["id"])["timeline"]
        assert event["part"]["source"].startswith("EuRepoC")


def test_incident_another_tool_wrote_with_the_suites_own_lists_shows_its_parts() -> None:
    room = Room().open(A, B)
    common = {
        "spec_version": "2.1",
        "created_by_ref": room.id(B),
        "created": "2021-03-05T10:00:00.000Z",
        "modified": "2021-03-05T10:00:00.000Z",
    }
    parts = {
        "event": ("event--00000000-0000-4000-8000-000000000001", {"status": "occurred", "name": "Found"}),
        "task": ("task--00000000-0000-4000-8000-000000000002", {"outcome": "pending", "name": "Patch"}),
        "impact": ("impact--00000000-0000-4000-8000-000000000003", {"impact_category": "monetary"}),
    }
    core = {f"{name}_refs": [id] for name, (id, _) in parts.items()}
    incident = {
        "type": "incident",
        "id": "incident--00000000-0000-4000-8000-000000000004",
        "name": "Expo",
        **common,
        "extensions": {
            CORE: {
                "extension_type": "property-extension",
                "determination": "successful-attempt",  # a word of the older core extension, kept as it stands
                "investigation_status": "open",
                **core,
            }
        },
    }
    made = [
        {"type": name, "id": id, **common, **says, "extensions": {SUITE[name]: {"extension_type": "new-sdo"}}}
        for name, (id, says) in parts.items()
    ]
    room.put(B, *made, incident, tlp="green")
    room.sync(A, B)
    picture = room.picture(A, str(incident["id"]))
    assert picture["words"][0]["core"]["determination"] == "successful-attempt"
    assert [len(picture[name]) for name in ("timeline", "tasks", "impacts", "defects")] == [1, 1, 1, 0]
    assert picture["timeline"][0]["name"] == B
