"""The OASIS client reads and writes at a node that runs as a process of its own, over TLS with the node's own certificate."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from requests import HTTPError
from taxii2client.common import TokenAuth
from taxii2client.exceptions import AccessError
from taxii2client.v21 import ApiRoot, Collection, Server, as_pages

from interop.nodes import STATED, Node, agree, agreement, found, introduce, permit, served

OLD = {
    "type": "malware",
    "spec_version": "2.1",
    "id": "malware--0d7a3b7e-8f0b-4a52-9e5a-4b7e0d9f1c11",
    "created": "2021-03-02T10:00:00.000Z",
    "modified": "2021-03-02T10:00:00.000Z",
    "name": "China Chopper",
    "is_family": True,
}
NEW = {**OLD, "modified": "2021-03-05T10:00:00.000Z", "description": "A web shell of one line."}
HIDDEN = {**OLD, "id": "malware--9f6f2a0c-5ab4-4c1e-8d0e-0f3ad2c7be22", "name": "Kept by ourselves"}
MINE = {**OLD, "id": "malware--c2a4e1d8-7b1f-4f5e-9a36-6f1d2b8e3c33", "name": "What the reader saw"}


@dataclass(frozen=True)
class Open:
    """A node that is served, and two readers' tokens: of Team B, and of a tool of our own."""

    node: Node
    url: str
    token: str
    own: str
    values: int

    def server(self, **credentials: Any) -> Server:
        return Server(f"{self.url}/taxii2/", verify=str(self.node.certificate), **credentials)

    def root(self, token: str = "") -> ApiRoot:
        return self.server(auth=TokenAuth(token or self.token)).default

    def collection(self, alias: str, token: str = "") -> Collection:
        (chosen,) = [one for one in self.root(token).collections if one.alias == alias]
        return chosen


@pytest.fixture(scope="module")
def opened(place: Path, exchange: Path) -> Iterator[Open]:
    a, b = found(place / "a", "Team A", "XA", tls=True), found(place / "b", "Team B", "XB")
    introduce(a, b)
    agree(agreement({"a": a, "b": b}, permit(1, "a", "b", ["indicator", "malware"])), a, b)
    table = exchange / "volexity-exchange-marauder-indicators.csv"
    values = a.call("import", str(table), "--tlp", "green", *STATED)["new"]
    for number, (one, tlp) in enumerate([(OLD, "green"), (NEW, "green"), (HIDDEN, "red")]):
        path = place / f"{number}.json"
        path.write_text(json.dumps(one))
        a.call("import", str(path), "--tlp", tlp, *STATED)
    token = a.call("peer", "token", b.party, "--name", "taxii2-client")["token"]
    own = a.call("peer", "token", a.party, "--name", "our own tool")["token"]
    with served(a) as url:
        yield Open(a, url, token, own, values)


def ids(answer: Any) -> list[str]:
    return [one["id"] for one in answer.get("objects", [])]


def test_the_client_discovers_the_root_and_lists_the_collections(opened: Open) -> None:
    server = opened.server(auth=TokenAuth(opened.token))
    assert "Team A" in server.title
    assert len(server.api_roots) == 1
    assert server.default is server.api_roots[0]
    assert server.default.versions == ["application/taxii+json;version=2.1"]
    assert server.default.max_content_length > 1 << 20
    listed = [(one.alias, one.can_read, one.can_write) for one in server.default.collections]
    assert listed == [("outbox", True, False), ("inbox", True, True)]


def test_a_token_as_the_password_of_basic_opens_the_same(opened: Open) -> None:
    by_name = opened.server(user="anything", password=opened.token).default.collections[0]
    assert ids(by_name.get_objects()) == ids(opened.collection("outbox").get_objects())
    for wrong in ({"user": "anything", "password": "guess"}, {"auth": TokenAuth("guess")}, {}):
        with pytest.raises(HTTPError) as refused:
            _ = opened.server(**wrong).title
        assert refused.value.response.status_code == 401


def test_the_client_pages_through_by_limit_and_gets_everything_once(opened: Open) -> None:
    outbox = opened.collection("outbox")
    whole = ids(outbox.get_objects())
    assert len(whole) == len(set(whole)) == opened.values + 2  # and the definition they use
    assert HIDDEN["id"] not in whole
    for limit in (1, 5, len(whole)):
        pages = list(as_pages(outbox.get_objects, per_request=limit))
        assert [one for page in pages for one in ids(page)] == whole
        assert all(len(ids(page)) == limit for page in pages[:-1])
    manifests = list(as_pages(outbox.get_manifest, per_request=4))
    assert [one for page in manifests for one in ids(page)] == whole
    assert {one["media_type"] for page in manifests for one in page["objects"]} == {"application/stix+json;version=2.1"}


def test_the_client_filters_by_what_was_added_after_an_instant(opened: Open) -> None:
    outbox = opened.collection("outbox")
    entries = outbox.get_manifest()["objects"]
    middle = entries[len(entries) // 2]["date_added"]
    expected = [one["id"] for one in entries[len(entries) // 2 + 1 :]]
    assert ids(outbox.get_objects(added_after=middle)) == expected
    assert outbox.get_objects(added_after=entries[-1]["date_added"]) == {}


def test_the_client_filters_by_id_type_version_and_specification(opened: Open) -> None:
    outbox = opened.collection("outbox")
    assert ids(outbox.get_objects(id=OLD["id"])) == [OLD["id"]]
    assert ids(outbox.get_objects(id=HIDDEN["id"])) == []
    assert ids(outbox.get_objects(type="malware")) == [OLD["id"]]
    assert len(ids(outbox.get_objects(type="indicator"))) == opened.values
    assert len(ids(outbox.get_objects(type=["indicator", "malware"]))) == opened.values + 1
    newest = outbox.get_objects(id=OLD["id"], version="last")["objects"]
    assert newest == [NEW]
    assert outbox.get_objects(id=OLD["id"], version="first")["objects"] == [OLD]
    assert outbox.get_objects(id=OLD["id"], version=OLD["modified"])["objects"] == [OLD]
    assert outbox.get_objects(id=OLD["id"], version="all")["objects"] == [OLD, NEW]
    assert len(ids(outbox.get_objects(spec_version="2.1"))) == opened.values + 2  # and the definition they use
    assert outbox.get_objects(spec_version="2.0") == {}


def test_the_client_gets_one_object_its_versions_and_a_404_for_what_it_may_not_see(opened: Open) -> None:
    outbox = opened.collection("outbox")
    assert outbox.get_object(OLD["id"])["objects"] == [NEW]
    assert outbox.get_object(OLD["id"], version="first")["objects"] == [OLD]
    assert sorted(outbox.object_versions(OLD["id"])["versions"]) == [OLD["modified"], NEW["modified"]]
    absent = "malware--00000000-0000-4000-8000-000000000000"
    told = []
    for one in (HIDDEN["id"], absent):
        with pytest.raises(HTTPError) as refused:
            outbox.get_object(one)
        assert refused.value.response.status_code == 404
        told.append(refused.value.response.text.replace(str(one), "ID"))
    assert told[0] == told[1]


def test_what_the_client_posts_gets_a_status_and_comes_back_to_it_alone(opened: Open) -> None:
    inbox = opened.collection("inbox")
    status = inbox.add_objects({"objects": [MINE, {**MINE, "id": "malware--no-uuid"}]})
    assert (status.status, status.success_count, status.failure_count) == ("complete", 1, 1)
    assert status.successes[0]["id"] == MINE["id"]
    assert status.failures[0]["id"] == "malware--no-uuid"
    assert status.failures[0]["message"]
    status.refresh()
    assert opened.root().get_status(status.id).success_count == 1
    assert inbox.get_object(MINE["id"])["objects"] == [MINE]
    again = inbox.add_objects(json.dumps({"objects": [MINE]}))
    assert again.success_count == 1
    assert ids(inbox.get_objects()) == [MINE["id"]]
    assert ids(opened.collection("outbox").get_objects(id=MINE["id"])) == []
    with pytest.raises(HTTPError) as refused:
        opened.root(opened.own).get_status(status.id)
    assert refused.value.response.status_code == 404
    outbox = opened.collection("outbox")
    with pytest.raises(AccessError):
        outbox.add_objects({"objects": [MINE]})
    outbox._can_write = True  # the client refuses by itself; what the node says to one that does not
    with pytest.raises(HTTPError) as closed:
        outbox.add_objects({"objects": [MINE]})
    assert closed.value.response.status_code == 403


def test_a_tool_of_ours_posts_reads_and_takes_out_of_our_own_collection(opened: Open) -> None:
    own = opened.collection("own", opened.own)
    before = {one for page in as_pages(own.get_objects, per_request=6) for one in ids(page)}
    assert HIDDEN["id"] in before
    fresh = {**OLD, "id": "malware--5e0c3d7a-1f94-4f43-8e22-7a9d6b5c4d44", "name": "Found by a tool"}
    assert own.add_objects({"objects": [fresh]}).success_count == 1
    assert own.get_object(fresh["id"])["objects"] == [fresh]
    own.delete_object(fresh["id"])
    with pytest.raises(HTTPError) as gone:
        own.get_object(fresh["id"])
    assert gone.value.response.status_code == 404
    assert {one for page in as_pages(own.get_objects, per_request=6) for one in ids(page)} == before
    assert [one["id"] for one in opened.node.export("--id", str(fresh["id"]))] == [fresh["id"]]
