"""What a node gives passes the OASIS validator and parses in the OASIS library: whole, redacted, as a bundle and over TAXII.

stix2-validator 3.2.0 is asked for what the standard demands (not for its own suggestions). No fault of it had to be excused.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import stix2
from stix2.registry import STIX2_OBJ_MAPS
from stix2validator import ValidationOptions, validate_instance
from taxii2client.common import TokenAuth
from taxii2client.v21 import Server, as_pages

from comity.kernel.seal.commitment import VIEW_EXTENSION
from interop.nodes import STATED, Node, agree, agreement, found, meet, permit, served

STANDARD = {*STIX2_OBJ_MAPS["2.1"]["objects"], *STIX2_OBJ_MAPS["2.1"]["observables"]}
OPTIONS = ValidationOptions(version="2.1")
VIEW = """
[[view]]
name   = "without-names"
remove = ["name", "description", "labels", "external_references", "aliases", "hashes", "kill_chain_phases"]
"""


@dataclass(frozen=True)
class Given:
    """A node that took files in, and three readers: of everything, without names, and of what is usable only."""

    node: Node
    readers: dict[str, Node]

    def bundles(self) -> dict[str, bytes]:
        """What each reader was given, and all that the node holds."""
        told = {name: self.node.bundle("--to", reader.party) for name, reader in self.readers.items()}
        return {"held": self.node.bundle("--all-versions"), **told}


@pytest.fixture(scope="module", params=["shipped", "wider"])
def given(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, exchange: Path, hafnium: Path
) -> Given:
    place = tmp_path_factory.mktemp(request.param)
    files = [
        hafnium,
        *sorted(exchange.glob("*.json")),
        *sorted(exchange.glob("*.csv")),
        *sorted(exchange.glob("*.sha256")),
    ]
    if request.param == "wider":
        data: Path = request.getfixturevalue("test_data")
        events = [one for one in sorted((data / "misp").glob("event-*")) if "exercise" not in one.name]
        files = [*sorted((data / "stix").glob("*.json")), *events]
    node = found(place / "node", "Team N", "XA")
    names = ("full", "without-names", "indicator")
    readers = {
        name: found(place / name, f"Reader {name}", f"X{letter}") for name, letter in zip(names, "BCD", strict=True)
    }
    meet(node, *readers.values())
    for file in files:
        assert node.call("import", str(file), "--tlp", "green", *STATED)["new"] > 0
    types = sorted({str(one["type"]) for one in node.export()})
    refs = {"n": node, **{f"r{n}": reader for n, reader in enumerate(readers.values())}}
    clauses = [permit(n + 1, "n", f"r{n}", types, view=name) for n, name in enumerate(names)]
    agree(agreement(refs, "".join(clauses), views=VIEW), *refs.values())
    return Given(node, readers)


def distinct(bundles: dict[str, bytes]) -> dict[str, dict[str, Any]]:
    """Every object once, by its text."""
    every = (one for bundle in bundles.values() for one in json.loads(bundle)["objects"])
    return {json.dumps(one, sort_keys=True): one for one in every}


def faults(one: dict[str, Any]) -> list[str]:
    """What the OASIS validator finds wrong."""
    found = validate_instance(one, OPTIONS)
    return [f"{one['id']}: {getattr(error, 'message', error)}" for error in found.errors or []]


@pytest.mark.slow
def test_everything_given_passes_the_validator_and_parses_in_the_library(given: Given) -> None:
    bundles = given.bundles()
    objects = distinct(bundles)
    redacted = [one for one in objects.values() if VIEW_EXTENSION in one.get("extensions", {})]
    assert len(objects) > 500
    assert len(redacted) > 50
    assert [fault for one in objects.values() for fault in faults(one)] == []
    for text, one in objects.items():
        parsed = stix2.parse(text, allow_custom=True, version="2.1")
        assert parsed["id"] == one["id"]
        assert isinstance(parsed, dict) == (one["type"] not in STANDARD), one["type"]
    for bundle in bundles.values():
        count = len(json.loads(bundle)["objects"])
        assert len(stix2.parse(bundle.decode(), allow_custom=True, version="2.1").objects) == count


def test_the_validator_and_the_library_do_find_what_is_wrong() -> None:
    wrong = {"type": "indicator", "spec_version": "2.1", "id": "indicator--3f1c6f0a-8f43-4a4e-9e8a-1b7c5d2e9f55",
             "created": "2021-03-06T08:00:00Z", "modified": "2021-03-06T08:00:00Z", "pattern_type": "stix"}  # fmt: skip
    assert faults(wrong)
    with pytest.raises(stix2.exceptions.STIXError):
        stix2.parse(wrong, allow_custom=True, version="2.1")


def test_the_envelopes_of_taxii_hold_what_the_bundle_holds(given: Given) -> None:
    tokens = {
        name: given.node.call("peer", "token", reader.party, "--name", "reader")["token"]
        for name, reader in given.readers.items()
    }
    bundles = given.bundles()
    with served(given.node) as url:
        for name, token in tokens.items():
            (outbox, _) = Server(f"{url}/taxii2/", auth=TokenAuth(token)).default.collections
            over_taxii = {"taxii": json.dumps({"objects": list(_all(outbox))}).encode()}
            assert distinct(over_taxii).keys() == distinct({name: bundles[name]}).keys()


def _all(outbox: Any) -> Iterator[dict[str, Any]]:
    for page in as_pages(outbox.get_objects, per_request=400, version="all"):
        yield from page["objects"]
