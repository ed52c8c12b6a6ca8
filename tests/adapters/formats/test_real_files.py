"""Every real file of the test data is taken in, or refused with a right reason, as docs/formats/intake.md says."""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import stix2
from stix2validator import ValidationOptions, validate_instance

from comity.adapters.formats import minting
from comity.adapters.formats.source import Item, Refusal, open_source
from comity.kernel.errors import InputRefused
from comity.kernel.model import objects, strictjson
from comity.kernel.release.markings import TLP_OF

PARTY = "identity--6c2b2b0e-6f2e-5a0c-9a3b-0d2c1b3a4f5e"
AT = 1_640_995_200_000_000  # 2022-01-01T00:00:00Z
FOLDERS = ("attack", "incident-exchange-2021", "kev", "misp", "stix")
PAGE = Path(__file__).resolve().parents[3] / "docs" / "formats" / "intake.md"
ROW = re.compile(r"^\| `([a-z0-9-]+/[^`]+)` \| ([^|]+) \| (\d+) \| (\d+) \|$", re.MULTILINE)


def stated() -> dict[str, tuple[str, int, int]]:
    """The table of the docs: file to format (or the refusal), objects, refused parts."""
    return {
        name: (said, int(given), int(refused)) for name, said, given, refused in ROW.findall(PAGE.read_text("utf-8"))
    }


def taken(path: Path, *, party: str = PARTY) -> list[Item]:
    with path.open("rb") as stream:
        results = list(open_source(path.name, stream, party=party, at=AT))
    assert not [result for result in results if isinstance(result, Refusal)]
    return [result for result in results if isinstance(result, Item)]


def parsed(items: list[Item]) -> list[dict[str, Any]]:
    return [json.loads(item.raw) for item in items]


def test_every_real_file_is_taken_in_or_refused_as_the_page_says(test_data: Path) -> None:
    table = stated()
    found: dict[str, tuple[str, int, int]] = {}
    for folder in FOLDERS:
        for path in sorted((test_data / folder).iterdir()):
            name = f"{folder}/{path.name}"
            try:
                with path.open("rb") as stream:
                    source = open_source(path.name, stream, party=PARTY, at=AT)
                    for result in source:
                        # ATT&CK whole is validated by the tests of the model
                        if isinstance(result, Item) and "full" not in name:
                            objects.read_object(result.raw)
                found[name] = (source.format, source.objects, source.refused)
            except InputRefused as refused:
                found[name] = (f"refused: {refused.detail.get('seen', refused.code)}", 0, 0)
    assert found == table
    assert len(table) == 39


def test_slices_of_a_stix_21_file_are_its_own_bytes(test_data: Path) -> None:
    path = test_data / "stix" / "oasis-apt1.json"
    whole = path.read_bytes()
    items = taken(path)
    assert all(item.raw in whole and item.original is None and not item.changes for item in items)
    assert parsed(items) == json.loads(whole)["objects"]


@pytest.mark.parametrize(
    "name",
    [
        "incident-exchange-2021/mstic-exchange-iocs-2021-03.csv",
        "incident-exchange-2021/volexity-exchange-marauder-indicators.csv",
        "incident-exchange-2021/eset-exchange-exploitation-samples.sha1",
        "incident-exchange-2021/unit42-dearcry-playbook.stix2.json",
        "attack/attack-enterprise-hafnium-stix20.json.gz",
        "kev/known_exploited_vulnerabilities.json.gz",
        "misp/event-eset-dukes-operation-ghost.json",
        "misp/event-training-kobalos.json.gz",
        "misp/event-misp-test.json",
        "misp/galaxy-threat-actor.json.gz",
        "misp/galaxy-microsoft-activity-group.json",
        "misp/galaxy-target-information.json",
        "misp/galaxy-sector.json",
    ],
)
def test_converted_objects_pass_the_oasis_validator_and_parser(test_data: Path, name: str) -> None:
    seen: Counter[str] = Counter()
    options = ValidationOptions(version="2.1")
    for shape in parsed(taken(test_data / name)):
        seen[shape["type"]] += 1
        if seen[shape["type"]] > 4:
            continue
        result = validate_instance(shape, options)
        assert result.is_valid, (shape["id"], [str(error) for error in result.errors])
        stix2.parse(shape, allow_custom=True, version="2.1")


def test_our_own_definitions_are_valid() -> None:
    for stix_id, raw in minting.DEFINITIONS.items():
        assert objects.read_object(raw).id == stix_id
        assert validate_instance(json.loads(raw), ValidationOptions(version="2.1")).is_valid


def test_the_mstic_table_is_taken_in_wholly(test_data: Path) -> None:
    items = taken(test_data / "incident-exchange-2021" / "mstic-exchange-iocs-2021-03.csv")
    shapes = parsed(items)
    assert len(shapes) == 61
    assert {item.handling["tlp"] for item in items} == {"clear"}
    assert all(shape["object_marking_refs"] == [TLP_OF["clear"]] for shape in shapes)
    assert Counter("hashes" in shape["pattern"] for shape in shapes) == {True: 14, False: 47}
    first = shapes[0]
    assert first["created"] == first["modified"] == "2021-03-10T00:00:00.000Z"
    assert first["valid_from"] == "2021-03-05T10:07:29.042123Z"
    assert "created_by_ref" not in first
    path = next(shape for shape in shapes if shape["name"].endswith("Current\\google.log"))
    assert path["pattern"] == (
        "[file:name = 'google.log' AND file:parent_directory_ref.path = "
        r"'C:\\Program Files\\Microsoft\\Exchange Server\\V15\\FrontEnd\\HttpProxy\\owa\\auth\\Current']"
    )
    assert items[0].original is not None
    assert items[0].original.startswith(b"2021-03-10,2021-03-05T10:07:29.0421232Z,8e90ed")


def test_the_same_file_gives_the_same_bytes_again_and_another_party_other_ids(test_data: Path) -> None:
    for name in ("incident-exchange-2021/volexity-exchange-marauder-indicators.csv", "misp/event-misp-test.json"):
        once, again = taken(test_data / name), taken(test_data / name)
        assert [item.raw for item in once] == [item.raw for item in again]
        other = taken(test_data / name, party="identity--00000000-0000-5000-8000-000000000001")
        ids = {shape["id"] for shape in parsed(once) if shape["type"] != "identity"}
        assert not ids & {shape["id"] for shape in parsed(other)}
        assert len({item.raw for item in once}) == len({shape["id"] for shape in parsed(once)})


def test_three_publishers_name_one_file_in_three_objects_with_one_pattern(test_data: Path) -> None:
    folder = test_data / "incident-exchange-2021"
    values = {
        shape["pattern"]
        for name in ("eset-exchange-exploitation-samples.sha256", "mstic-exchange-iocs-2021-03.csv")
        for shape in parsed(taken(folder / name))
    }
    for shape in parsed(taken(folder / "unit42-exchange-zero-day-playbook.stix2.json")):
        if shape["type"] == "indicator" and "SHA-256" in shape["pattern"]:
            values.add(shape["pattern"])
    assert "[ipv4-addr:value = '108.61.246.56']" in {
        shape["pattern"] for shape in parsed(taken(folder / "volexity-exchange-marauder-indicators.csv"))
    }
    assert len(values) > 80


def test_upgraded_objects_keep_ids_instants_and_unknown_properties(test_data: Path) -> None:
    path = test_data / "incident-exchange-2021" / "unit42-exchange-zero-day-playbook.stix2.json"
    before = {shape["id"]: shape for shape in json.loads(path.read_bytes())["objects"]}
    for item in taken(path):
        shape = json.loads(item.raw)
        old = before[shape["id"]]
        assert item.changes[0] == "STIX 2.0 was written as STIX 2.1."
        assert item.original is not None
        assert json.loads(item.original) == old
        for name, value in old.items():
            if name != "labels":
                assert shape[name] == value
        said = [one for name, value in shape.items() if name == "labels" or name.endswith("_types") for one in value]
        assert sorted(said) == sorted(old.get("labels", []))


def test_kev_entries_stay_word_for_word(test_data: Path) -> None:
    items = taken(test_data / "kev" / "known_exploited_vulnerabilities.json.gz")
    shape = json.loads(items[0].raw)
    entry = shape["extensions"][minting.KEV_EXTENSION]["entry"]
    assert items[0].original is not None
    assert entry == strictjson.read(items[0].original)
    assert shape["name"] == entry["cveID"]
    assert shape["created"] == f"{entry['dateAdded']}T00:00:00.000Z"
    assert {"source_name": "cve", "external_id": entry["cveID"]} in shape["external_references"]


@pytest.mark.parametrize(
    "name", ["map/countries-110m.json", "warninglists/rfc1918.json", "incidents/eurepoc-2023-12-04-responses.csv.gz"]
)
def test_other_real_files_are_refused_by_what_they_are(test_data: Path, name: str) -> None:
    with pytest.raises(InputRefused) as refused, (test_data / name).open("rb") as stream:
        open_source(name, stream, party=PARTY, at=AT)
    words = {"map": "TopoJSON", "warninglists": "warning list", "incidents": "table without indicators"}
    assert words[name.split("/")[0]] in refused.value.sentence
