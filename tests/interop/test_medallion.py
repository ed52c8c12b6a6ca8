"""Our client and the OASIS reference server, medallion 3.0.0, as a process in an environment of its own.

`make test` builds that environment, ``medallion`` beside the one the tests run in.
"""

from __future__ import annotations

import gzip
import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from requests.auth import HTTPBasicAuth
from taxii2client.v21 import Collection, as_pages

from comity.__main__ import wiring
from comity.adapters.http.taxii import Auth, Cursor, TaxiiClient
from comity.kernel.store.rows import Holding, Version
from interop.nodes import STATED, Node, agree, agreement, answers, found, free_port, introduce, permit, process

FEED = "472c94ae-3113-4e3e-a4dd-a9f4ac7471d4"
DROP = "365fed99-08fa-fdcd-a1b3-fb247eb41d01"
MEDIA = "application/stix+json;version=2.1"
USER, PASSWORD = "reader", "not-a-secret"
PAGE = 40
WORDS = ("--user", USER, "--secret", PASSWORD, "--allow-private")
TYPES = ["attack-pattern", "course-of-action", "identity", "indicator", "intrusion-set", "malware", "relationship",
         "tool", "campaign", "x-mitre-tactic", "x-mitre-data-source", "x-mitre-data-component", "x-mitre-matrix",
         "x-mitre-collection", "x-mitre-analytic", "x-mitre-detection-strategy", "x-mitre-asset"]  # fmt: skip
FRESH = {
    "type": "indicator",
    "spec_version": "2.1",
    "id": "indicator--3f1c6f0a-8f43-4a4e-9e8a-1b7c5d2e9f55",
    "created": "2021-03-06T08:00:00.000Z",
    "modified": "2021-03-06T08:00:00.000Z",
    "name": "Came later",
    "pattern": "[domain-name:value = 'later.example']",
    "pattern_type": "stix",
    "valid_from": "2021-03-06T08:00:00Z",
}


@dataclass
class Medallion:
    """A medallion with a feed to read and a drop to write, and what it holds when it starts."""

    folder: Path
    feed: list[dict[str, Any]]
    port: int = 0

    @contextmanager
    def running(self) -> Iterator[str]:
        """Start it anew; it remembers nothing of the life before. Gives its address."""
        program = Path(sys.prefix) / "medallion" / "bin" / "medallion"
        if not program.is_file():
            missing = "medallion is not there; make test builds its environment"
            if os.environ.get("COMITY_REQUIRE_TEST_DATA") == "1":
                pytest.fail(missing)
            pytest.skip(missing)
        self.port = self.port or free_port()
        config = self.folder / "medallion.json"
        config.write_text(json.dumps(self._config()))
        words = [str(program), "--port", str(self.port), str(config)]
        with process(words, self.folder / "medallion.log", lambda: answers(self.port, "/taxii2/")):
            yield f"http://127.0.0.1:{self.port}"

    def _config(self) -> dict[str, Any]:
        data = self.folder / "data.json"
        data.write_text(json.dumps(self._data()))
        backend = "medallion.backends.memory_backend"
        return {
            "backend": {"module": backend, "module_class": "MemoryBackend", "filename": str(data)},
            "users": {USER: PASSWORD},
            "taxii": {"max_page_size": PAGE},
        }

    def _data(self) -> dict[str, Any]:
        root = f"http://127.0.0.1:{self.port}/api1/"
        shared = {"description": "", "media_types": [MEDIA]}
        entries = [
            {
                "id": one["id"],
                "date_added": f"2021-04-01T{n // 3600:02}:{n // 60 % 60:02}:{n % 60:02}.000Z",
                "version": one.get("modified") or one["created"],
                "media_type": MEDIA,
            }
            for n, one in enumerate(self.feed)
        ]
        feed = {
            "id": FEED,
            "title": "Feed",
            "can_read": True,
            "can_write": False,
            "objects": self.feed,
            "manifest": entries,
        }
        drop = {"id": DROP, "title": "Drop", "can_read": True, "can_write": True, "objects": [], "manifest": []}
        about = {"title": "Files", "versions": ["application/taxii+json;version=2.1"], "max_content_length": 99_999_999}
        return {
            "/discovery": {"title": "Another server", "default": root, "api_roots": [root]},
            "api1": {"information": about, "status": [], "collections": [{**feed, **shared}, {**drop, **shared}]},
        }

    def collection(self, name: str) -> Collection:
        """A collection as the OASIS client sees it."""
        return Collection(f"http://127.0.0.1:{self.port}/api1/collections/{name}/", auth=HTTPBasicAuth(USER, PASSWORD))

    def objects(self, name: str) -> list[dict[str, Any]]:
        """Everything in a collection, read with the OASIS client."""
        pages = as_pages(self.collection(name).get_objects, per_request=PAGE)
        return [one for page in pages for one in page.get("objects", [])]


@pytest.fixture
def medallion(tmp_path: Path, hafnium: Path) -> Medallion:
    with gzip.open(hafnium) as stream:
        objects = json.load(stream)["objects"][: 4 * PAGE - 10]
    return Medallion(tmp_path, objects)


def held(node: Node) -> list[bytes]:
    """The bytes of every version a node holds, in the order they came; its own definitions stand first."""
    home = wiring().open_home(node.folder, None)
    try:
        with home.node.store.read() as tx:
            return [row.raw for row in tx.find(Version) if next(iter(tx.find(Holding, version=row.n)), None)]
    finally:
        home.close()


def test_a_node_pulls_everything_with_its_exact_bytes_and_goes_on_where_it_ended(
    tmp_path: Path, medallion: Medallion
) -> None:
    a = found(tmp_path / "a", "Team A", "XA")
    own = len(held(a))
    with medallion.running() as url:
        first = a.call("peer", "pull", url, "--collection", "Feed", *WORDS, "--tlp", "clear", *STATED)
        assert (first["new"], first["refused"]) == (len(medallion.feed), 0)
        assert first["pages"] == -(-len(medallion.feed) // PAGE) > 2
        sent = b"".join(_bodies(url))
        kept = held(a)[own:]
        assert len(kept) == len(medallion.feed)
        assert all(raw in sent for raw in kept)
        assert [json.loads(raw) for raw in kept] == medallion.feed

        second = a.call("peer", "pull", url, "--collection", FEED, *WORDS, "--tlp", "clear", *STATED)
        assert (second["pages"], second["objects"]) == (0, 0)
        drop = ("peer", "pull", url, "--collection", "Drop", *WORDS, "--tlp", "clear", *STATED)
        assert a.call(*drop)["objects"] == 0
        medallion.collection(DROP).add_objects({"objects": [medallion.feed[0], FRESH]})
        third = a.call(*drop)
        assert (third["new"], third["known"]) == (1, 1)
        again = a.call("peer", "pull", url, "--collection", "Feed", "--again", *WORDS, "--tlp", "clear", *STATED)
        assert (again["known"], again["new"], again["rivals"]) == (len(medallion.feed), 0, 0)
    assert len(held(a)) == own + len(medallion.feed) + 1


def _bodies(url: str) -> Iterator[bytes]:
    """What medallion sends for its feed, page by page, as it stands on the wire."""
    import requests

    more: dict[str, str] = {}
    while True:
        answer = requests.get(
            f"{url}/api1/collections/{FEED}/objects/",
            params={"limit": "1000", **more},
            auth=(USER, PASSWORD),
            headers={"Accept": "application/taxii+json;version=2.1"},
            timeout=30,
        )
        yield answer.content
        if not answer.json().get("more"):
            return
        more = {"next": answer.json()["next"]}


@pytest.mark.parametrize("cut", ["after a page", "with a page on the way", "and the server started anew"])
def test_a_pull_that_was_cut_off_goes_on_and_loses_nothing(medallion: Medallion, cut: str) -> None:
    del medallion.feed[2 * PAGE + PAGE // 2 :]

    def pages(url: str, cursor: str) -> Iterator[tuple[list[str], str]]:
        with TaxiiClient(url, auth=Auth("Basic", PASSWORD, USER), allow_private=True) as one:
            for page in one.pull(f"{url}/api1/collections/{FEED}/", Cursor.parse(cursor)):
                yield [json.loads(raw)["id"] for raw in page.objects], page.cursor.text()

    with medallion.running() as url:
        pull = pages(url, "")
        before, cursor = next(pull)
        assert len(before) == PAGE
        if cut == "with a page on the way":
            assert len(next(pull)[0]) == PAGE  # medallion gives a page of its list once
        if cut != "and the server started anew":
            after = [one for ids, _ in pages(url, cursor) for one in ids]
    if cut == "and the server started anew":
        with medallion.running() as url:
            after = [one for ids, _ in pages(url, cursor) for one in ids]
    assert list(dict.fromkeys(before + after)) == [one["id"] for one in medallion.feed]
    assert len(before + after) - len(medallion.feed) <= 1, "only what shares the last instant comes twice"


def test_one_node_pushes_what_its_client_may_have_and_another_pulls_it(
    tmp_path: Path, medallion: Medallion, exchange: Path, hafnium: Path
) -> None:
    giver, a = found(tmp_path / "g", "Team G", "XG"), found(tmp_path / "a", "Team A", "XA")
    b = found(tmp_path / "b", "Team B", "XB")
    own = len(held(b))
    introduce(giver, a)
    agree(agreement({"g": giver, "a": a}, permit(1, "g", "a", TYPES, onward="clients")), giver, a)
    volexity = exchange / "volexity-exchange-marauder-indicators.csv"
    giver.call("import", str(hafnium), "--tlp", "clear", *STATED)
    values = giver.call("import", str(volexity), "--tlp", "amber", *STATED)["new"]
    giver.call("import", str(exchange / "eset-exchange-exploitation-samples.md5"), "--tlp", "green", *STATED)
    pack = tmp_path / "carried.pack"
    giver.call("pack", "--to", a.party, str(pack))
    assert a.call("unpack", str(pack))["rows"] > values
    a.call("peer", "add", "--taxii", "A client", "--kind", "company", "--country", "XA")
    a.call("card", "set", "--client", "A client")

    with medallion.running() as url:
        pulled = a.call("peer", "pull", url, "--collection", "Feed", *WORDS, "--tlp", "clear", *STATED)
        assert pulled["new"] == 0, "all of it is held from Team G"
        given = {one["id"]: one for one in a.export("--to", "A client")}
        due = {id: one for id, one in given.items() if one["type"] != "extension-definition"}
        assert sum(one.startswith("indicator--") for one in due) == values
        pushed = a.call("peer", "push", url, "--to", "A client", *WORDS)
        assert (pushed["posted"], pushed["refused"], pushed["left_out"]) == (len(due), 0, len(given) - len(due))
        there = {one["id"]: one for one in medallion.objects(DROP)}
        assert there == due
        assert a.call("peer", "push", url, "--to", "A client", *WORDS)["posted"] == 0

        took = b.call("peer", "pull", url, "--collection", "Drop", *WORDS, *STATED)
        assert (took["new"], took["refused"]) == (len(due), 0)
        assert {json.loads(raw)["id"] for raw in held(b)[own:]} == set(due)
        twice = b.call("peer", "pull", url, "--collection", "Feed", *WORDS, *STATED)
        assert (twice["new"], twice["known"]) == (len(medallion.feed) - _both(medallion, due), _both(medallion, due))
        back = a.call("peer", "pull", url, "--collection", "Drop", *WORDS, *STATED)
        assert (back["new"], back["known"]) == (0, len(due)), "what came back is known"


def _both(medallion: Medallion, due: dict[str, Any]) -> int:
    return sum(one["id"] in due for one in medallion.feed)
