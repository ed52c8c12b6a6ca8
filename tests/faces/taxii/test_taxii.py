"""TAXII 2.1 as a reader meets it: discovery, pages, filters, versions, submissions, our own tools."""

from __future__ import annotations

from base64 import b64encode

import orjson
import pytest

from comity.faces.http.app import create_app
from comity.kernel.model.instants import format
from comity.kernel.release.handling import Handling
from comity.kernel.store.rows import AgreementRow, Holding, StreamRow, Version
from comity.node.handling import set_handling
from comity.node.instruments import suspend
from comity.node.officers import add_reader
from simulators.asked import TAXII, Asker
from simulators.teams import INBOX, OBJECTS, OWN, STATED, Teams, config, envelope, ids, pages
from simulators.world import DAY, SECOND, indicator, malware, relationship

MANIFEST = "/taxii2/api/collections/outbox/manifest/"


def name(number: int) -> str:
    return str(indicator(number)["id"])


def test_a_reader_discovers_its_two_collections_and_our_own_tool_its_one(teams: Teams) -> None:
    discovery = teams.b.get("/taxii2/").json()
    assert discovery["api_roots"] == ["/taxii2/api/"]
    assert teams.b.get("/taxii2/api/").json()["versions"] == [TAXII]
    listed = teams.b.get("/taxii2/api/collections/").json()["collections"]
    assert [(one["alias"], one["can_read"], one["can_write"]) for one in listed] == [
        ("outbox", True, False),
        ("inbox", True, True),
    ]
    for one in listed:
        assert teams.b.get(f"/taxii2/api/collections/{one['id']}/").json() == one
    own = teams.own.get("/taxii2/api/collections/").json()["collections"]
    assert [one["alias"] for one in own] == ["own"]
    assert teams.b.get(f"/taxii2/api/collections/{own[0]['id']}/").status_code == 404


def test_every_answer_says_its_media_type(teams: Teams) -> None:
    teams.take(indicator(1))
    for path in ("/taxii2/", "/taxii2/api/", OBJECTS, MANIFEST, f"{OBJECTS}{name(9)}/"):
        assert teams.b.get(path).headers["content-type"] == TAXII


def test_the_bytes_of_an_object_come_as_they_were_taken_in(teams: Teams) -> None:
    teams.take(indicator(1))
    with teams.a.store.read() as tx:
        kept = tx.get(Version, next(iter(tx.find(StreamRow))).version)
    assert kept is not None
    assert teams.b.get(OBJECTS).content == b'{"objects":[' + kept.raw + b"]}"


def test_pages_are_filled_in_order_and_the_last_one_says_no_more(teams: Teams) -> None:
    teams.take(*[indicator(number) for number in range(1, 8)])
    found = pages(teams.b, OBJECTS, limit=3)
    assert [len(ids(one.content)) for one in found] == [3, 3, 1]
    assert [one for page in found for one in ids(page.content)] == [name(number) for number in range(1, 8)]
    assert "more" not in found[-1].json()
    exact = pages(teams.b, OBJECTS, limit=7)
    assert len(exact) == 1
    assert "more" not in exact[0].json()


def test_an_empty_collection_is_an_empty_envelope_without_headers(teams: Teams) -> None:
    answer = teams.b.get(OBJECTS)
    assert answer.json() == {}
    assert "x-taxii-date-added-first" not in answer.headers


def test_date_added_rises_strictly_and_added_after_goes_on_where_a_page_ended(teams: Teams) -> None:
    teams.take(*[indicator(number) for number in range(1, 6)])
    entries = teams.b.get(MANIFEST).json()["objects"]
    added = [one["date_added"] for one in entries]
    assert sorted(set(added), key=lambda text: (len(text), text)) == sorted(added, key=lambda text: (len(text), text))
    page = teams.b.get(OBJECTS, params={"limit": "2"})
    last = page.headers["x-taxii-date-added-last"]
    assert [page.headers["x-taxii-date-added-first"], last] == added[:2]
    assert ids(teams.b.get(OBJECTS, params={"added_after": last}).content) == [name(3), name(4), name(5)]


def test_a_filter_by_type_fills_its_pages_too(teams: Teams) -> None:
    teams.take(*[one for number in range(1, 7) for one in (indicator(number), malware(number))])
    found = pages(teams.b, OBJECTS, limit=4, **{"match[type]": "malware"})
    assert [len(ids(one.content)) for one in found] == [4, 2]
    assert all(one.startswith("malware--") for page in found for one in ids(page.content))
    both = teams.b.get(OBJECTS, params={"match[type]": "malware,indicator", "match[id]": f"{name(1)},{name(2)}"})
    assert ids(both.content) == [name(1), name(2)]


def test_the_newest_version_is_given_unless_others_are_asked_for(teams: Teams) -> None:
    second = indicator(1, modified="2021-03-03T00:00:00.000Z", name="again")
    third = indicator(1, modified="2021-03-04T00:00:00.000Z", name="once more")
    teams.take(indicator(1))
    teams.take(indicator(2), second)
    teams.take(third)

    def names(**query: str) -> list[str]:
        content = teams.b.get(OBJECTS, params=query).content
        return [one["name"] for one in orjson.loads(content).get("objects", [])]

    assert names() == ["Web shell 2", "once more"]
    assert names(**{"match[version]": "first"}) == ["Web shell 1", "Web shell 2"]
    assert names(**{"match[version]": "all"}) == ["Web shell 1", "Web shell 2", "again", "once more"]
    assert names(**{"match[version]": "first,last", "match[id]": name(1)}) == ["Web shell 1", "once more"]
    assert names(**{"match[version]": "2021-03-03T00:00:00Z"}) == ["again"]
    assert names(**{"match[version]": "2021-03-03T00:00:01Z"}) == []
    assert [len(ids(one.content)) for one in pages(teams.b, OBJECTS, limit=1)] == [1, 1]
    versions = teams.b.get(f"{OBJECTS}{name(1)}/versions/").json()["versions"]
    assert versions == [f"2021-03-0{day}T00:00:00.000Z" for day in (2, 3, 4)]
    one = teams.b.get(f"{OBJECTS}{name(1)}/", params={"match[version]": "all", "limit": "2"})
    assert len(ids(one.content)) == 2
    assert one.json()["more"] is True


def test_another_specification_version_gives_nothing(teams: Teams) -> None:
    teams.take(indicator(1))
    assert teams.b.get(OBJECTS, params={"match[spec_version]": "2.0"}).json() == {}
    assert ids(teams.b.get(OBJECTS, params={"match[spec_version]": "2.0,2.1"}).content) == [name(1)]
    assert teams.b.get(f"{OBJECTS}{name(1)}/", params={"match[spec_version]": "2.0"}).json() == {}


def test_an_observable_without_modified_has_its_date_added_as_version(teams: Teams) -> None:
    address = {
        "type": "ipv4-addr",
        "spec_version": "2.1",
        "id": "ipv4-addr--ff26c055-6336-5bc5-b98d-13d6226742dd",
        "value": "198.51.100.3",
    }
    teams.take(address)
    entry = teams.b.get(MANIFEST).json()["objects"][0]
    assert entry["version"] == entry["date_added"]
    assert teams.b.get(f"{OBJECTS}{address['id']}/versions/").json()["versions"] == [entry["date_added"]]
    asked = teams.b.get(OBJECTS, params={"match[version]": entry["date_added"]})
    assert ids(asked.content) == [address["id"]]


def test_a_recalled_object_is_gone_from_every_address_alike(teams: Teams) -> None:
    teams.take(indicator(1), indicator(2))
    set_handling(teams.a, name(1), Handling(tlp="red"), officer="officer-1")
    assert ids(teams.b.get(OBJECTS).content) == [name(2)]
    gone = teams.b.get(f"{OBJECTS}{name(1)}/")
    never = teams.b.get(f"{OBJECTS}{name(77)}/")
    assert (gone.status_code, gone.content, dict(gone.headers)) == (404, never.content, dict(never.headers))


def test_what_ends_between_two_deeds_is_not_given_even_when_no_timer_runs(teams: Teams) -> None:
    teams.take(indicator(1), retention=teams.world.at + 10 * SECOND)
    teams.take(indicator(2))
    assert ids(teams.b.get(OBJECTS).content) == [name(1), name(2)]
    teams.world.at += 10 * SECOND
    assert ids(teams.b.get(OBJECTS).content) == [name(2)]
    with teams.a.store.read() as tx:
        assert sum(row.ended is None for row in tx.find(StreamRow)) == 2, "no deed has run in between"


def test_nothing_is_given_after_the_lease_even_when_no_timer_runs(teams: Teams) -> None:
    b = teams.world.nodes["Team B"]
    asker = Asker(create_app(b, config()), add_reader(b, teams.a.party, "tool", by="officer-1"))
    teams.world.take("Team B", indicator(1), **STATED)
    teams.world.at += DAY - SECOND
    assert ids(asker.get(OBJECTS).content) == [name(1)]
    teams.world.at += SECOND
    assert asker.get(OBJECTS).json() == {}, "the depositary, Team A, has been silent for the lease of a day"


def test_a_suspended_agreement_gives_nothing_over_taxii(teams: Teams) -> None:
    teams.take(indicator(1))
    with teams.a.store.read() as tx:
        agreement = next(iter(tx.find(AgreementRow))).digest
    suspend(teams.a, agreement, since=None, until=None, officer="officer-1")
    assert teams.b.get(OBJECTS).json() == {}


def test_a_clock_that_went_back_stops_releases_with_a_sentence(teams: Teams) -> None:
    teams.take(indicator(1))
    teams.world.at -= DAY
    answer = teams.b.get(OBJECTS)
    assert (answer.status_code, answer.json()["error_code"]) == (503, "clock-back")


def test_a_relationship_goes_when_one_of_its_ends_is_taken_back(teams: Teams) -> None:
    teams.take(indicator(1), indicator(2), relationship(1, name(1), name(2)))
    assert len(ids(teams.b.get(OBJECTS).content)) == 3
    set_handling(teams.a, name(2), Handling(tlp="red"), officer="officer-1")
    assert ids(teams.b.get(OBJECTS).content) == [name(1)], "a relationship without one of its ends is not given"


# --- handing in


def test_a_submission_is_seen_by_its_submitter_and_by_nobody_else(teams: Teams) -> None:
    other = teams.reader("identity--00000000-0000-5000-8000-000000000001")
    status = teams.b.post(INBOX, envelope(indicator(1), {"type": "indicator", "id": "bad"}))
    assert status.status_code == 202
    told = status.json()
    assert (told["status"], told["total_count"], told["success_count"], told["failure_count"]) == ("complete", 2, 1, 1)
    assert told["successes"] == [{"id": name(1), "version": "2021-03-02T00:00:00.000Z"}]
    assert told["failures"][0]["id"] == "bad"
    assert told["failures"][0]["message"].endswith(".")
    assert teams.b.get(f"/taxii2/api/status/{told['id']}/").json() == told
    assert ids(teams.b.get(INBOX).content) == [name(1)]
    assert other.get(f"/taxii2/api/status/{told['id']}/").status_code == 404
    assert other.get(INBOX).json() == {}
    assert ids(teams.own.get(OWN).content) == []


def test_a_submission_is_held_second_hand_and_goes_to_nobody(teams: Teams) -> None:
    teams.b.post(INBOX, envelope(indicator(1)))
    with teams.a.store.read() as tx:
        held = list(tx.find(Holding))
        assert [(row.custodian, row.title) for row in held] == [(teams.world.nodes["Team B"].party, "submission")]
        assert list(tx.find(StreamRow)) == []


def test_the_same_submission_again_is_the_same_success_and_stands_once(teams: Teams) -> None:
    first, second = (teams.b.post(INBOX, envelope(indicator(1))).json() for _ in range(2))
    assert first["successes"] == second["successes"]
    assert first["id"] != second["id"]
    assert ids(teams.b.get(INBOX).content) == [name(1)]


def test_a_submitter_takes_its_own_submission_out_again(teams: Teams) -> None:
    newer = indicator(1, modified="2021-03-03T00:00:00.000Z")
    teams.b.post(INBOX, envelope(indicator(1), newer, indicator(2)))
    gone = teams.b.ask("DELETE", f"{INBOX}{name(1)}/", params={"match[version]": "first"})
    assert gone.status_code == 200
    assert teams.b.get(f"{INBOX}{name(1)}/versions/").json()["versions"] == ["2021-03-03T00:00:00.000Z"]
    assert teams.b.ask("DELETE", f"{INBOX}{name(1)}/").status_code == 200
    assert ids(teams.b.get(INBOX).content) == [name(2)]
    assert teams.b.ask("DELETE", f"{INBOX}{name(1)}/").status_code == 404


def test_a_marking_definition_of_a_reader_decides_nothing_here(teams: Teams) -> None:
    definition = {
        "type": "marking-definition",
        "spec_version": "2.1",
        "id": "marking-definition--00000000-0000-4000-8000-000000000001",
        "created": "2021-03-02T00:00:00.000Z",
        "definition_type": "statement",
        "definition": {"statement": "Nothing special"},
    }
    teams.take(indicator(1, object_marking_refs=[definition["id"]]))
    assert teams.b.get(OBJECTS).json() == {}, "a marking nobody can read withholds"
    told = teams.b.post(INBOX, envelope(definition)).json()
    assert told["failure_count"] == 1
    assert teams.b.get(OBJECTS).json() == {}


# --- our own tools


def test_our_own_tool_imports_and_sees_all_that_is_held_first_hand(teams: Teams) -> None:
    teams.take(indicator(1))
    told = teams.own.post(OWN, envelope(indicator(2), {"type": "nothing"})).json()
    assert (told["success_count"], told["failure_count"]) == (1, 1)
    found = teams.own.get(OWN)
    assert ids(found.content) == [name(1), name(2)]
    assert teams.own.get(f"/taxii2/api/status/{told['id']}/").json() == told
    assert [len(ids(one.content)) for one in pages(teams.own, OWN, limit=1)] == [1, 1]


def test_taking_out_of_own_erases_nothing_and_posting_again_brings_it_back(teams: Teams) -> None:
    teams.own.post(OWN, envelope(indicator(1), indicator(2)))
    assert teams.own.ask("DELETE", f"{OWN}{name(1)}/").status_code == 200
    assert ids(teams.own.get(OWN).content) == [name(2)]
    with teams.a.store.read() as tx:
        assert {row.object for row in tx.find(Holding) if row.ended is None} == {name(1), name(2)}
    teams.own.post(OWN, envelope(indicator(1)))
    assert ids(teams.own.get(OWN).content) == [name(2), name(1)]


def test_what_was_imported_over_taxii_is_decided_like_any_import(teams: Teams) -> None:
    teams.own.post(OWN, envelope(indicator(1)))
    assert teams.b.get(OBJECTS).json() == {}, "it carries no TLP"
    set_handling(
        teams.a,
        name(1),
        Handling(
            tlp="green",
            basis=frozenset({"agreement"}),
            purpose=frozenset({"protect-networks"}),
            caveats=frozenset(),
        ),
        officer="officer-1",
    )
    assert ids(teams.b.get(OBJECTS).content) == [name(1)]


@pytest.mark.parametrize("scheme", ["Bearer", "Token", "bearer"])
def test_a_token_is_taken_under_each_scheme(teams: Teams, scheme: str) -> None:
    assert Asker(teams.app, teams.b.token, scheme).get("/taxii2/").status_code == 200


def test_a_token_is_taken_as_the_password_of_basic(teams: Teams) -> None:
    basic = b64encode(f"anybody:{teams.b.token}".encode()).decode()
    assert Asker(teams.app, basic, "Basic").get("/taxii2/").status_code == 200
    wrong = Asker(teams.app, b64encode(b"anybody:cmt_wrong").decode(), "Basic").get("/taxii2/")
    assert wrong.status_code == 401
    assert "www-authenticate" in wrong.headers


def test_timestamps_in_headers_are_those_of_the_standard(teams: Teams) -> None:
    teams.take(indicator(1))
    assert teams.b.get(OBJECTS).headers["x-taxii-date-added-first"] == format(teams.world.at)
