"""Objects of the desk's kinds that somebody made to do harm: shown with what is wrong, and everything else goes on."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from comity.desks.directory.kinds import ACKNOWLEDGEMENT, CONTACT, MESSAGE, PING, ROTA
from comity.kernel.model.instants import DAY
from comity.kernel.release.handling import Handling
from comity.node.deeds import deed
from comity.node.doctor import examine
from comity.node.minting import Kind, mint
from simulators.directory import Directory

A, B = "Team A", "Team B"
GOOD = Handling(
    tlp="green", basis=frozenset({"agreement"}), purpose=frozenset({"incident-response"}), caveats=frozenset(), own=True
)


def throw(world: Directory, kind: Kind, number: int, /, who: str = B, **says: Any) -> str:
    """Let Team B, or another, mint an object as it likes, whatever its desk would say to it."""
    node = world.nodes[who]
    id = f"{kind.name}--00000000-0000-4000-8000-{number:012x}"
    made = {
        "type": kind.name,
        "spec_version": "2.1",
        "id": id,
        "created_by_ref": node.party,
        "created": "2021-03-05T12:00:00.000Z",
        "modified": "2021-03-05T12:00:00.000Z",
        **says,
        "extensions": {kind.extension: {"extension_type": "new-sdo"}},
    }
    with deed(node, "officer-1") as work:
        mint(work, [made], replace(GOOD), name="hostile", kinds=[kind])
    return id


def shared() -> Directory:
    world = Directory(A, B)
    world.do(A, "contact add", name="Ours", office="ours", zone="UTC", hours=["24/7"], channel=["telephone=+1555"])
    return world


CONTACTS: dict[str, dict[str, Any]] = {
    "hours without end": {"hours": [{"days": ["mo"], "opens": "09:00", "closes": "17:00"}] * 100_000},
    "closures without end": {"closures": [{"first": "2021-01-01"}] * 50_000},
    "a name of another kind": {"name": {"$ne": ""}},
    "an unknown member": {"command": "rm -rf"},
    "a party that is none": {"party": "everybody"},
    "a language list of numbers": {"languages": [1, 2]},
    "a state nobody knows": {"state": "victorious"},
    "a name without end": {"name": "x" * 1_000_000},
}
DEFECTS: dict[str, tuple[dict[str, Any], str]] = {
    "zone unknown": (
        {"zone": "Mars/Olympus", "hours": [{"days": ["mo"], "opens": "09:00", "closes": "17:00"}]},
        "Mars/Olympus",
    ),
    "zone that is a path": ({"zone": "../../../etc/passwd"}, "etc/passwd"),
    "bidi in the name": ({"name": "Duty \u202eofficer"}, "U+202E"),
    "letters of two scripts": ({"name": "Dutу officer"}, "mixes"),
    "hour 25": ({"zone": "UTC", "hours": [{"days": ["fr"], "opens": "25:00", "closes": "99:99"}]}, "25:00"),
    "hours and no zone": ({"hours": [{"days": ["fr"], "opens": "09:00", "closes": "17:00"}]}, "no time zone"),
    "a closure of no day": ({"closures": [{"first": "2021-02-31"}]}, "2021-02-31"),
    "an end that is no instant": ({"until": "soon"}, "until"),
    "a language that is none": ({"languages": ["<script>"]}, "<script>"),
    "a road that reverses": ({"channels": [{"by": "mail", "value": "a\u2066@b.example"}]}, "U+2066"),
    "closures in great number": ({"closures": [{"first": f"bad{n}"} for n in range(399)]}, "and more of the kind"),
}


@pytest.mark.parametrize("name", CONTACTS)
def test_contact_without_the_form_of_its_kind_is_a_defect_and_breaks_nothing(name: str) -> None:
    world = shared()
    says = {"party": world.nodes[B].party, "office": "duty", "name": "Duty", **CONTACTS[name]}
    id = throw(world, CONTACT, 1, **says)
    world.all()
    told = world.do(A, "contact list")
    assert [one["office"] for one in told.shape["contacts"]] == ["ours"]
    assert [one["object"] for one in told.shape["defects"]] == [id]
    assert "docs/formats/directory.md" in told.shape["defects"][0]["sentence"]
    assert max(map(len, told.lines)) < 1_000
    assert world.do(A, "contact reach").shape["reachable"][0]["office"] == "ours"
    assert list(examine(world.nodes[A])) == []


@pytest.mark.parametrize("name", DEFECTS)
def test_contact_that_makes_no_sense_is_shown_with_its_defects(name: str) -> None:
    world = shared()
    more, told = DEFECTS[name]
    throw(world, CONTACT, 2, **{"party": world.nodes[B].party, "office": "duty", "name": "Duty", **more})
    world.all()
    found = next(one for one in world.do(A, "contact list").shape["contacts"] if one["office"] == "duty")
    assert told in " ".join(found["defects"])
    assert len(found["defects"]) <= 11
    reach = world.do(A, "contact reach")
    assert "ours" in [one["office"] for one in reach.shape["reachable"]]
    assert world.do(A, "contact show", office="Team B/duty").shape["defects"]


def test_rota_of_a_hostile_party_costs_no_more_than_its_form_allows() -> None:
    world = shared()
    party = world.nodes[B].party
    throw(world, CONTACT, 3, party=party, office="duty", name="Duty")
    weekly = [{"days": ["mo", "tu", "we", "th", "fr", "sa", "su"], "start": "00:00", "end": "00:01", "duty": "x"}] * 200
    throw(world, ROTA, 4, party=party, office="duty", zone="Nowhere/Here", duties=[{"word": "y"}], weekly=weekly)
    world.all()
    told = world.do(A, "contact show", office="Team B/duty")
    assert any("Nowhere/Here" in line for line in told.lines)
    assert any("whom it does not name" in line for line in told.lines)
    assert told.shape["on_duty"] == []
    throw(world, ROTA, 5, party=party, office="duty", zone="UTC", duties=[{"word": "y"}], weekly=weekly * 50)
    world.all()
    assert world.do(A, "contact show", office="Team B/duty").shape["rota"]["object"].endswith("4")


def test_party_cannot_speak_for_another_by_naming_it_as_the_author() -> None:
    world = shared()
    world.do(A, "contact add", name="Real", office="duty", channel=["telephone=+3225550100"])
    world.all()
    forged = {"party": world.nodes[A].party, "office": "duty", "name": "Forged", "created_by_ref": world.nodes[A].party}
    throw(world, CONTACT, 6, **forged, channels=[{"by": "telephone", "value": "+4915550666"}])
    world.all()
    found = next(one for one in world.do(A, "contact list").shape["contacts"] if one["office"] == "duty")
    assert (found["own_word"], found["says"]["name"]) == (True, "Real")
    assert all(one["own_word"] is False for one in found["others"])


def test_acknowledgement_of_a_ping_that_another_party_was_asked_counts_for_nothing() -> None:
    world = Directory(A, B, "Team C")
    world.do(A, "contact add", name="Duty", office="duty")
    world.all()
    ping = world.do(B, "contact ping", office="Team A/duty").shape["object"]
    world.all()
    throw(world, ACKNOWLEDGEMENT, 20, who="Team C", of_ref=ping, addressed_to=[world.nodes[B].party])
    throw(world, ACKNOWLEDGEMENT, 21, who=B, of_ref=ping, addressed_to=[world.nodes[B].party])
    world.all()
    assert world.do(B, "contact pings").shape["ours"][0]["state"] == "delivered"


def test_message_and_ping_addressed_in_no_proper_way_go_to_nobody() -> None:
    world = shared()
    throw(world, MESSAGE, 7, form="question", subject="To all", body="x", addressed_to="everybody")
    throw(
        world,
        PING,
        9,
        party=world.nodes[A].party,
        office="ours",
        answer_by="never",
        addressed_to=[world.nodes[A].party],
    )
    world.all()
    assert world.do(A, "message list").shape["messages"] == []
    (ping,) = world.do(A, "contact pings").shape["to_us"]
    assert (ping["answer_by"], ping["overdue"]) == ("never", False)
    world.do(A, "contact answer", ping=ping["object"])


def test_message_whose_text_reverses_is_shown_with_a_warning() -> None:
    world = shared()
    party = world.nodes[A].party
    id = throw(world, MESSAGE, 10, form="question", subject="Pay \u202e001", body="line\x1b[2J", addressed_to=[party])
    world.all()
    told = world.do(A, "message read", message=id)
    assert sum("Beware" in line for line in told.lines) == 2


def test_contact_of_the_far_future_or_past_is_not_there_now() -> None:
    world = shared()
    party = world.nodes[B].party
    throw(world, CONTACT, 11, party=party, office="later", name="Later", since="9999-01-01T00:00:00Z")
    throw(world, CONTACT, 12, party=party, office="gone", name="Gone", until="0001-01-01T00:00:00Z")
    world.all()
    assert [one["office"] for one in world.do(A, "contact list").shape["contacts"]] == ["ours"]
    world.at += DAY
    assert {one["office"] for one in world.do(A, "contact list", ended=True).shape["contacts"]} == {
        "ours",
        "later",
        "gone",
    }
