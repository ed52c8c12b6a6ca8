"""What a node makes of files that are no STIX: whose it is, what it is dated, and that a second import is the same."""

from __future__ import annotations

import io
import json
from hashlib import sha256
from pathlib import Path
from typing import Any

from comity.adapters.formats import minting
from comity.adapters.formats.source import open_source
from comity.adapters.formats.write import write_csv
from comity.kernel.model.instants import format
from comity.kernel.release.handling import Handling
from comity.kernel.seal.dsse import unverified_body
from comity.kernel.store.rows import Holding, Version
from comity.node.context import Node
from comity.node.export import own_objects
from comity.node.handling import set_handling
from comity.node.intake import Counts, refusals, take_in
from comity.node.objects import class_facets
from simulators.world import HOUR, World

VENDOR = b"value,type,notes\nbad.example,domain,by a vendor\n198.51.100.7,ip,\n"
VERSIONED = b"value,type,notes,modified\nbad.example,domain,%s,%s\n"
ORG = "5f3c1f6e-0000-4000-8000-00000000000a"
ATTRIBUTE = {"type": "ip-dst", "value": "198.51.100.7", "to_ids": True, "uuid": "5f3c1f6e-0000-4000-8000-000000000001"}
BOTH = {"type": "domain|ip", "value": "bad.example|198.51.100.9", "uuid": "5f3c1f6e-0000-4000-8000-000000000004"}
SEEN = {"type": "domain", "value": "bad.example", "uuid": "5f3c1f6e-0000-4000-8000-000000000002"}


def event(**more: Any) -> bytes:
    shape = {"info": "x", "uuid": "5f3c1f6e-0000-4000-8000-000000000009", "Attribute": [ATTRIBUTE, SEEN], **more}
    return json.dumps({"Event": shape}).encode()


def take(world: World, name: str, data: bytes, *, tlp: str | None = "green", own: bool = False) -> Counts:
    """Import a file at a node as the command line does."""
    node = world.nodes[name]
    world.imports += 1
    source = open_source("the file", io.BytesIO(data), party=node.party, at=node.clock(), own=own)
    handling = Handling(
        tlp=tlp,
        basis=frozenset({"agreement"}),
        purpose=frozenset({"protect-networks"}),
        caveats=frozenset(),
        own=True if own else None,
    )
    _, counts = take_in(
        node,
        source,
        name="the file",
        format=source.format,
        digest=sha256(str(world.imports).encode()).hexdigest(),
        handling=handling,
        minted=True,
    )
    return counts


def shapes(node: Node, *types: str) -> list[dict[str, Any]]:
    with node.store.read() as tx:
        found = [json.loads(raw) for raw in own_objects(tx, newest=False)]
    return [shape for shape in found if not types or shape["type"] in types]


def roles(node: Node) -> dict[str, str]:
    """The role each sealed object was sealed with, by its id."""
    with node.store.read() as tx:
        sealed = [row for row in tx.find(Version) if row.seal is not None]
        return {row.id: unverified_body(row.seal or b"", "seal")[0]["role"] for row in sealed}


def originators(node: Node, *ids: str) -> set[str | None]:
    with node.store.read() as tx:
        return {class_facets(tx, row.cls).originator for row in tx.find(Holding, ended=None) if row.object in ids}


def two() -> World:
    world = World()
    world.node("Team A", country="XA")
    world.node("Team B", country="XB")
    world.introduce("Team A", "Team B")
    world.bilateral("Team A", "Team B")
    return world


def test_rows_of_a_vendor_go_on_in_custody_and_claim_no_author() -> None:
    world = two()
    a, b = world.nodes["Team A"], world.nodes["Team B"]
    take(world, "Team A", VENDOR)
    take(world, "Team A", event(date="2021-03-02"))
    take(
        world,
        "Team A",
        b'{"catalogVersion":"1","vulnerabilities":[{"cveID":"CVE-2021-26855","dateAdded":"2021-11-03"}]}',
    )
    take(world, "Team A", b"203.0.113.9\n203.0.113.10\n")
    take(
        world,
        "Team A",
        b'{"type":"threat-actor","values":[{"value":"X","uuid":"5f3c1f6e-0000-4000-8000-000000000003"}]}',
    )
    made = shapes(a)
    assert len(made) == 9
    assert not [shape for shape in made if "created_by_ref" in shape]
    world.sync("Team A", "Team B")
    given = roles(a)
    assert len(given) == 6  # the template speaks of these types
    assert set(given.values()) == {"custody"}
    assert originators(b, *given) == {None}


def test_rows_stated_to_be_our_own_name_us_and_are_sealed_as_origin() -> None:
    world = two()
    a, b = world.nodes["Team A"], world.nodes["Team B"]
    take(world, "Team A", VENDOR, own=True)
    take(world, "Team A", event(date="2021-03-02"), own=True)
    made = shapes(a)
    assert {shape.get("created_by_ref", a.party) for shape in made} == {a.party}
    assert {shape["created_by_ref"] for shape in made if shape["type"] == "indicator"} == {a.party}
    world.sync("Team A", "Team B")
    given = roles(a)
    assert len(given) == 4
    assert set(given.values()) == {"origin"}
    assert originators(b, *(shape["id"] for shape in made if "created_by_ref" in shape)) == {a.party}


def test_rows_stated_to_be_our_own_later_are_sealed_as_origin() -> None:
    world = two()
    a = world.nodes["Team A"]
    take(world, "Team A", VENDOR)
    with a.store.read() as tx:
        batch = tx.last(Holding, "batch")
    set_handling(a, str(batch), Handling(own=True), officer="officer-1")
    world.sync("Team A", "Team B")
    assert set(roles(a).values()) == {"origin"}


def test_an_event_that_names_its_organisation_stays_that_organisations_even_where_it_is_called_our_own() -> None:
    world = two()
    a = world.nodes["Team A"]
    said = event(date="2021-03-02", Orgc={"name": "Vendor", "uuid": ORG})
    take(world, "Team A", said)
    before = {shape["id"]: shape for shape in shapes(a)}
    assert {shape.get("created_by_ref") for shape in before.values()} == {None, f"identity--{ORG}"}
    counts = take(world, "Team A", said, own=True)
    assert (counts.new, counts.known) == (0, len(before))
    world.sync("Team A", "Team B")
    assert {role for stix_id, role in roles(a).items() if "created_by_ref" in before[stix_id]} == {"custody"}


def test_one_id_never_stands_for_two_contents_whoever_imports_and_whatever_is_stated(test_data: Path) -> None:
    vendor = {"name": "Vendor", "uuid": ORG}
    files = [
        VENDOR,
        VERSIONED % (b"x", b"2021-03-03"),
        event(date="2021-03-02", timestamp="1614700000"),
        event(date="2021-03-02", timestamp="1614700000", Orgc=vendor),
        event(date="2021-03-02", timestamp="1614700009", Orgc=vendor, Tag=[{"name": "tlp:red"}]),
        event(date="2021-03-02", uuid="5f3c1f6e-0000-4000-8000-000000000005", Attribute=[BOTH]),
        (test_data / "misp" / "event-misp-test.json").read_bytes(),
    ]
    of: dict[str, dict[str, set[bytes]]] = {}
    for name, tlp in (("Team A", "green"), ("Team B", "amber"), ("Team C", None)):
        world = World(seed=name.encode())
        node = world.node(name)
        for own in (False, True):
            for data in (*files, *files):
                world.at += HOUR
                assert take(world, name, data, tlp=tlp, own=own).rivals == 0
                assert take(world, name, data, tlp="red", own=own).rivals == 0
        with node.store.read() as tx:
            found = of.setdefault(name, {})
            for row in tx.find(Version):
                if next(iter(tx.find(Holding, version=row.n)), None) is not None:
                    found.setdefault(f"{row.id} {row.modified}", set()).add(row.raw)
        assert {len(raws) for raws in found.values()} == {1}
    shared = of["Team A"].keys() & of["Team B"].keys()
    assert {name.partition(" ")[0] for name in shared} >= {f"identity--{ORG}"}
    assert all(of["Team A"][name] == of["Team B"][name] == of["Team C"][name] for name in shared)
    assert {name.partition("--")[0] for name in shared} == {"identity"}


def test_an_undated_row_bears_the_instant_of_its_first_import_and_the_second_import_is_the_same() -> None:
    world = two()
    a = world.nodes["Team A"]
    first = format(world.at)
    assert take(world, "Team A", VENDOR).new == 2
    made = shapes(a)
    assert {shape[name] for shape in made for name in ("created", "modified", "valid_from")} == {first}
    world.at += 30 * HOUR
    again = take(world, "Team A", VENDOR, tlp="amber")
    assert (again.known, again.new, again.rivals) == (2, 0, 0)
    assert shapes(a) == made
    world.sync("Team A", "Team B")
    assert "1970" not in json.dumps([shape for shape in made if shape["type"] != "identity"])


def test_what_nobody_dated_is_told_to_nobody_as_a_date(test_data: Path) -> None:
    world = two()
    a = world.nodes["Team A"]
    take(world, "Team A", VENDOR)
    take(world, "Team A", b"value,type,created\ndated.example,domain,2021-03-10\n")
    take(world, "Team A", b"value,type,created,first seen\nseen.example,domain,2021-03-10,2021-03-05\n")
    take(world, "Team A", event(date="2021-03-02", timestamp="1614700000"))
    found = shapes(a, "indicator", "vulnerability")
    written = b"".join(write_csv(found)).decode().splitlines()
    columns = written[0].split(",")
    rows = [dict(zip(columns, line.split(","), strict=True)) for line in written[1:]]
    assert [(row["first_seen"], row["created"], row["modified"]) for row in rows] == [
        ("", "", ""),
        ("", "", ""),
        ("", "2021-03-10T00:00:00.000Z", "2021-03-10T00:00:00.000Z"),
        ("2021-03-05T00:00:00.000Z", "2021-03-10T00:00:00.000Z", "2021-03-10T00:00:00.000Z"),
        ("", "2021-03-02T00:00:00.000Z", "2021-03-02T15:46:40.000Z"),
    ]
    other = World(seed=b"other")
    other.node("Team A")
    take(other, "Team A", "\n".join(written[:3]).encode() + b"\n")
    told = shapes(other.nodes["Team A"])
    assert [minting.unstated(shape) for shape in told] == [("created", "modified", "valid_from")] * 2


def test_a_later_version_of_an_undated_row_keeps_the_day_it_was_created() -> None:
    world = two()
    a = world.nodes["Team A"]
    take(world, "Team A", VERSIONED % (b"x", b"2021-03-03"))
    counts = take(world, "Team A", VERSIONED % (b"y", b"2021-03-05") + b"bad.example,domain,z,2021-03-09\n")
    assert counts.newer == 2
    made = shapes(a)
    assert len({shape["id"] for shape in made}) == 1
    assert {shape["created"] for shape in made} == {"2021-03-03T00:00:00.000Z"}
    assert [shape["modified"][:10] for shape in made] == ["2021-03-03", "2021-03-05", "2021-03-09"]


def test_one_row_twice_in_a_file_under_two_markings_is_one_object_under_the_stricter() -> None:
    world = two()
    rows = b"value,type,tlp,modified\nbad.example,domain,green,2021-03-03\nbad.example,domain,red,2021-03-03\n"
    counts = take(world, "Team A", rows, tlp=None)
    assert (counts.new, counts.known, counts.rivals) == (1, 1, 0)
    with world.nodes["Team A"].store.read() as tx:
        assert {class_facets(tx, row.cls).tlp for row in tx.find(Holding, ended=None) if row.object[:5] == "indic"} == {
            "red"
        }


def test_what_is_broken_in_a_bundle_is_kept_with_its_place_and_the_rest_is_taken() -> None:
    world = two()
    a = world.nodes["Team A"]
    take(world, "Team A", VENDOR)
    good = [json.dumps(shape).encode() for shape in shapes(a)]
    parts = [good[0], b"null", b'"text"', b"9" * 5_000, b'{"type":"bundle","objects":[{}]}', b'{"a":}', good[1]]
    source = open_source("x", io.BytesIO(b'{"objects":[' + b",".join(parts) + b"]}"), party=a.party, at=a.clock())
    batch, counts = take_in(a, source, name="x", format="stix-2.1", digest="x", handling=Handling(), minted=False)
    assert (counts.known, counts.refused, counts.objects) == (2, 5, 7)
    with a.store.read() as tx:
        kept = {row.place: (row.code, row.raw) for row in refusals(tx, batch.b)}
    codes = ("stix-object", "stix-object", "json-number", "stix-object", "json-syntax")
    assert kept == {f"object {n}": (code, raw) for n, code, raw in zip(range(2, 7), codes, parts[1:6], strict=True)}
