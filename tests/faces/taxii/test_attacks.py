"""What a curious, careless or hostile reader tries over TAXII, and gets nothing by."""

from __future__ import annotations

import gzip
from base64 import urlsafe_b64decode, urlsafe_b64encode
from urllib.parse import quote

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from comity.node.officers import add_officer, end_officer
from simulators.asked import TAXII, Asker
from simulators.teams import INBOX, OBJECTS, OWN, Teams, envelope, ids
from simulators.world import SECOND, indicator

STRANGER = "identity--00000000-0000-5000-8000-000000000001"


def name(number: int) -> str:
    return str(indicator(number)["id"])


def test_nothing_is_open_without_a_token_but_that_the_process_answers(teams: Teams) -> None:
    nobody = Asker(teams.app, accept="*/*")
    assert nobody.get("/health").json() == {"status": "ok"}
    for route in teams.app.routes:
        path = (
            route.path.replace("{name:str}", "outbox").replace("{object_id:str}", name(1)).replace("{path:path}", "0")
        )
        path = path.replace("{act:str}", "0" * 64).replace("{party:str}", "us")
        for method in sorted(set(getattr(route, "methods", ())) | {"HEAD", "OPTIONS"}):
            answer = nobody.ask(method, path + ("/" if path.startswith("/taxii2") else ""))
            if path == "/comity/1/public" and method == "GET":  # what is public; here nothing is
                assert (answer.status_code, answer.json()["items"]) == (200, [])
                continue
            assert path == "/health" or answer.status_code in (401, 404, 405), (method, path, answer.text)
            assert path == "/health" or b"indicator" not in answer.content


@pytest.mark.parametrize("token", ["cmt_unknown", "", "x" * 5_000, "ü".encode().decode("latin-1")])
def test_every_bad_token_gets_the_same_answer(teams: Teams, token: str) -> None:
    none = Asker(teams.app).get(OBJECTS)
    bad = Asker(teams.app, token).get(OBJECTS)
    assert (bad.status_code, bad.content) == (401, none.content)


def test_a_token_of_another_party_sees_nothing_of_ours(teams: Teams) -> None:
    teams.take(indicator(1))
    page = teams.b.get(OBJECTS, params={"limit": "1"})
    assert ids(page.content) == [name(1)]
    stranger = teams.reader(STRANGER)
    assert stranger.get(OBJECTS).json() == {}
    assert stranger.get(f"{OBJECTS}{name(1)}/").content == stranger.get(f"{OBJECTS}{name(2)}/").content
    assert stranger.get(OWN).status_code == 404
    assert stranger.post(OWN, envelope(indicator(5))).status_code == 404


def test_a_cursor_is_good_for_its_party_and_its_query_alone(teams: Teams) -> None:
    teams.take(*[indicator(number) for number in range(1, 5)])
    cursor = teams.b.get(OBJECTS, params={"limit": "2"}).json()["next"]
    assert ids(teams.b.get(OBJECTS, params={"next": cursor}).content) == [name(3), name(4)]
    tries = [
        teams.reader(STRANGER).get(OBJECTS, params={"next": cursor}),
        teams.b.get(OBJECTS, params={"next": cursor, "match[type]": "indicator"}),
        teams.b.get("/taxii2/api/collections/outbox/manifest/", params={"next": cursor}),
        teams.b.get(INBOX, params={"next": cursor}),
    ]
    assert {(one.status_code, one.json()["error_code"]) for one in tries} == {(400, "taxii-cursor")}


def test_a_forged_cursor_is_refused_wherever_it_is_changed(teams: Teams) -> None:
    teams.take(*[indicator(number) for number in range(1, 5)])
    cursor = teams.b.get(OBJECTS, params={"limit": "2"}).json()["next"]
    data = urlsafe_b64decode(cursor)
    for place in range(len(data)):
        forged = data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]
        answer = teams.b.get(OBJECTS, params={"next": urlsafe_b64encode(forged).decode()})
        assert answer.json()["error_code"] == "taxii-cursor"
    for text in ("", "AAAA", "../../etc/passwd", "é", cursor[:-1], cursor * 2):
        assert teams.b.get(OBJECTS, params={"next": text}).status_code == 400


@pytest.mark.parametrize(
    "accept",
    [None, "*/*", "text/html", "application/json", "application/taxii+json;version=2.0", "application/taxii+json;q=0"],
)
def test_who_does_not_ask_for_taxii_gets_no_objects(teams: Teams, accept: str | None) -> None:
    answer = teams.b.get(OBJECTS, headers={"accept": accept})
    assert (answer.status_code, answer.json()["error_code"]) == (406, "accept")


@pytest.mark.parametrize(
    "accept",
    [
        TAXII,
        "application/taxii+json",
        "application/taxii+json; version=2.1",
        "text/html, application/TAXII+json;version=2.1;q=0.5",
    ],
)
def test_taxii_is_recognised_however_it_is_written(teams: Teams, accept: str) -> None:
    assert teams.b.get(OBJECTS, headers={"accept": accept}).status_code == 200


@pytest.mark.parametrize(
    "kind", ["application/json", "application/stix+json", "application/taxii+json;version=2.0", ""]
)
def test_another_content_type_is_refused(teams: Teams, kind: str) -> None:
    answer = teams.b.post(INBOX, envelope(indicator(1)), content_type=kind)
    assert (answer.status_code, answer.json()["error_code"]) == (415, "content-type")


def test_a_compressed_body_is_refused_and_not_inflated(teams: Teams) -> None:
    body = gzip.compress(envelope(indicator(1)) + b" " * 10_000_000)
    answer = teams.b.post(INBOX, body, headers={"content-encoding": "gzip"})
    assert (answer.status_code, answer.json()["error_code"]) == (415, "content-encoding")
    assert teams.b.get(INBOX).json() == {}


def test_a_body_beyond_the_limit_is_refused() -> None:
    teams = Teams(settings={"max_body": 10_000})
    assert teams.b.get("/taxii2/api/").json()["max_content_length"] == 10_000
    answer = teams.b.post(INBOX, envelope(indicator(1, description="x" * 20_000)))
    assert (answer.status_code, answer.json()["error_code"]) == (413, "body-size")
    assert teams.b.post(INBOX, envelope(indicator(1))).status_code == 202


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b'"objects"',
        b"{}",
        b'{"objects": []}',
        b'{"objects": {}}',
        b'{"objects": [1]}',
        b'{"objects": [{}], "objects": [{}]}',
        b'{"type": "bundle", "id": "bundle--1", "objects": [{}]}',
        b'{"objects": [{}',
        b'{"objects": [{}]} trailing',
        b"\xff\xfe{}",
        b"[" * 100_000,
        b'{"objects": [' + b'{"a":' * 5_000 + b"1" + b"}" * 5_000 + b"]}",
        b'{"objects": [{"type": NaN}]}',
        b'{"objects": [{"type": "\\ud800"}]}',
    ],
)
def test_what_is_no_envelope_is_refused_with_one_sentence(teams: Teams, body: bytes) -> None:
    answer = teams.b.post(INBOX, body)
    told = answer.json()
    if answer.status_code == 202:
        assert told["success_count"] == 0
        assert told["failure_count"] == told["total_count"] > 0
    else:
        assert (answer.status_code, told["error_code"]) == (400, "taxii-envelope")
    assert teams.b.get(INBOX).json() == {}


@pytest.mark.parametrize(
    "object_",
    [
        b'{"type":"indicator","type":"malware"}',
        orjson.dumps(indicator(1)).replace(b'"name":', b'"name":"a","name":'),
        orjson.dumps(indicator(1)).replace(b'"Web shell 1"', b"1e400"),
        orjson.dumps(indicator(1)).replace(b'"Web shell 1"', b"9007199254740993"),
        orjson.dumps(indicator(1)).replace(b'"Web shell 1"', b"[" * 200 + b"]" * 200),
        orjson.dumps(indicator(1)).replace(b"198.51.100.1'", b"198.51.100.1"),
        orjson.dumps(indicator(1)).replace(b"2021-03-02T00:00:00Z", b"2021-02-30T00:00:00Z"),
    ],
)
def test_a_hostile_object_is_refused_alone(teams: Teams, object_: bytes) -> None:
    told = teams.b.post(INBOX, b'{"objects": [' + object_ + b"," + orjson.dumps(indicator(2)) + b"]}").json()
    assert (told["success_count"], told["failure_count"]) == (1, 1)
    assert ids(teams.b.get(INBOX).content) == [name(2)]


@pytest.mark.parametrize(
    "path",
    [
        "/taxii2/api/collections/../../../etc/passwd/",
        "/taxii2/api/collections/..%2f..%2f/objects/",
        "/taxii2/api/collections/%2e%2e/objects/",
        f"/taxii2/api/collections/outbox/objects/..%2f{name(1)}/",
        f"/taxii2/api/collections/outbox/objects/{name(1)}%00/",
        f"/taxii2/api/collections/OUTBOX/objects/{name(1)}/",
        f"/taxii2/api/collections/outbox//objects/{name(1)}/",
        f"/taxii2/api/collections/outbox/objects/{name(1)}",
        f"/taxii2/api/collections/outbox/objects/{name(1)},{name(2)}/",
        "/taxii2",
        "/taxii2/api/status/0/",
    ],
)
def test_an_address_that_is_none_is_not_found(teams: Teams, path: str) -> None:
    teams.take(indicator(1), indicator(2))
    answer = teams.b.get(path)
    assert answer.status_code == 404, answer.text
    assert b"Web shell" not in answer.content


@pytest.mark.parametrize(
    "query",
    [
        "limit=0",
        "limit=-1",
        "limit=1.5",
        "limit=many",
        "limit=1&limit=2",
        "limit=99999999999999999999",
        "added_after=yesterday",
        "added_after=2021-03-05",
        "match[version]=newest",
        "match[version]=",
        "match[type]=,",
        "match[name]=x",
        "match[id]=" + ",".join(["a"] * 1 + [f"b{n}" for n in range(1_001)]),
    ],
)
def test_a_parameter_of_another_form_is_refused_and_not_ignored(teams: Teams, query: str) -> None:
    teams.take(indicator(1))
    answer = teams.b.get(f"{OBJECTS}?{query}")
    assert (answer.status_code, answer.json()["error_code"]) == (400, "taxii-query")


@settings(max_examples=60, deadline=None)
@given(
    path=st.text(st.characters(codec="utf-8", exclude_characters="\\?#"), max_size=30),
    query=st.dictionaries(
        st.sampled_from(["limit", "next", "added_after", "match[id]", "match[version]"]), st.text(max_size=30)
    ),
)
def test_whatever_is_asked_is_answered_in_order(path: str, query: dict[str, str]) -> None:
    teams = _served()
    for address in (OBJECTS, f"{OBJECTS}{name(1)}/", f"/taxii2/api/{quote(path, safe='')}/"):
        answer = teams.b.get(address, params=query)
        assert answer.status_code in (200, 400, 404), answer.text
        assert answer.headers["content-type"] == TAXII


_KEPT: list[Teams] = []


def _served() -> Teams:
    if not _KEPT:
        _KEPT.append(Teams())
        _KEPT[0].take(indicator(1))
    return _KEPT[0]


def test_the_outbox_takes_nothing_and_says_so_alike_for_every_object(teams: Teams) -> None:
    teams.take(indicator(1))
    assert teams.b.post(OBJECTS, envelope(indicator(1))).json()["error_code"] == "collection-read-only"
    some = [teams.b.ask("DELETE", f"{OBJECTS}{name(number)}/") for number in (1, 2)]
    assert {(one.status_code, one.content) for one in some} == {(403, some[0].content)}


def test_a_guessed_object_is_answered_like_a_fresh_one(teams: Teams) -> None:
    """Posting what we hold, or withhold, tells nothing: no status, no bytes and no order differ."""
    secret = orjson.dumps(indicator(1), option=orjson.OPT_INDENT_2)
    worlds = []
    for held in (False, True):
        other = Teams()
        if held:
            other.take(indicator(1), tlp="red")
        else:
            other.take(indicator(9), tlp="red")
        told = other.b.post(INBOX, b'{"objects": [' + secret + b"]}")
        seen = other.b.get(INBOX)
        one = other.b.get(f"{INBOX}{name(1)}/")
        worlds.append((told.content, told.headers, seen.content, seen.headers, one.content))
    assert worlds[0] == worlds[1]


def test_an_ended_token_opens_nothing_more(teams: Teams) -> None:
    _, token = add_officer(teams.a, "Ada", ["audit"], by="officer-1")
    officer = Asker(teams.app, token, accept="application/json")
    assert officer.get("/api/v1/status").status_code == 200
    teams.world.at += SECOND
    end_officer(teams.a, "Ada", by="officer-1")
    assert officer.get("/api/v1/status").status_code == 401
