"""The TAXII client against servers as they are: correct, and broken in the ways that are known."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from comity.adapters.http.taxii import MEDIA_TYPE, Auth, Cursor, TaxiiClient
from comity.kernel.errors import ComityError, NotAllowed, PeerFault, RequestRefused, Unavailable, Usage

# the spelling of a server that is not ours: it must come out as it is
OBJECTS = [
    b'{ "type":"indicator", "id": "indicator--00000000-0000-4000-8000-%012d", "x": 1.0, "t": "\\u00e9]}," }' % n
    for n in range(25)
]


class Server:
    """A TAXII server with habits: `paging` is next, both, header, header-only-last, nothing, loop, empty or used-up."""

    def __init__(self, paging: str = "both") -> None:
        self.paging = paging
        self.page = 10
        self.asked: list[tuple[str, str, dict[str, str]]] = []
        self.posted: list[bytes] = []
        self.port = 0
        self.special: Callable[[str], tuple[int, dict[str, str], bytes] | None] = lambda path: None
        self.polls = 2
        self.left: list[int] | None = None

    def get(self, path: str, query: dict[str, list[str]]) -> tuple[int, dict[str, str], bytes]:
        if path == "/taxii2/":
            roots = ["/api1/", "http://internal.example:9/api2", "api3"]
            return (
                200,
                {},
                json.dumps({"title": "x", "default": "http://internal.example:9/api1/", "api_roots": roots}).encode(),
            )
        if path == "/api1/collections/":
            listed = [{"id": "c1", "title": "One", "can_read": True, "can_write": False}, {"id": "c/2"}, "nonsense"]
            return 200, {}, json.dumps({"collections": listed}).encode()
        if path.startswith("/api1/status/"):
            self.polls -= 1
            done = self.polls <= 0
            body = {"id": "s1", "status": "complete" if done else "pending", "success_count": 1, "failure_count": 1,
                    "failures": [{"id": "x", "message": "bad"}]}  # fmt: skip
            return 200, {}, json.dumps(body).encode()
        if path != "/api1/collections/c1/objects/":
            return 404, {}, b'{"title":"Not found"}'
        if self.paging == "used-up":
            return self.used_up(query)
        if self.paging == "next-alone" and "next" in query and "added_after" in query:
            return 400, {}, b'{"title":"next and added_after"}'
        start = int(query["next"][0]) if "next" in query else int(query.get("added_after", ["0"])[0].lstrip("t") or 0)
        found = OBJECTS[start : start + self.page]
        more = start + self.page < len(OBJECTS)
        headers = {}
        members = [b'"more": ' + (b"true" if more else b"false")]
        if more and self.paging in ("both", "next", "next-alone"):
            members.append(b'"next": "%d"' % (start + self.page))
        if found and self.paging in ("both", "header", "next-alone"):
            headers["X-TAXII-Date-Added-Last"] = f"t{start + len(found)}"
        if self.paging == "loop":
            members = [b'"more": true', b'"next": "0"']
        if self.paging == "empty":
            return (
                200,
                {},
                b'{"more": true, "next": "0"}' if "next" in query else b'{"more": true, "next": "0", "objects": []}',
            )
        return 200, headers, b'{"objects": [' + b" ,\n".join(found) + b"], " + b", ".join(members) + b"}"

    def used_up(self, query: dict[str, list[str]]) -> tuple[int, dict[str, str], bytes]:
        """As medallion does it: one ``next`` for all pages of a list that is kept here and given out once."""
        added = [f"2021-04-01T00:00:{n:02}.000Z" for n in range(len(OBJECTS))]
        if "next" not in query:
            self.left = [n for n, at in enumerate(added) if at > query.get("added_after", [""])[0]]
        if self.left is None:
            return 400, {}, b'{"title":"next not valid"}'
        found, self.left = self.left[: self.page], self.left[self.page :] or None
        tail = b'"more": true, "next": "the same"' if self.left else b'"more": false'
        headers = {"X-TAXII-Date-Added-Last": added[found[-1]]} if found else {}
        return 200, headers, b'{"objects": [' + b",".join(OBJECTS[n] for n in found) + b"], " + tail + b"}"


@pytest.fixture
def server() -> Iterator[Server]:
    one = Server()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            headers = {name.lower(): value for name, value in self.headers.items()}
            one.asked.append((self.command, self.path, headers))
            body = self.rfile.read(int(headers.get("content-length") or 0))
            if self.command == "POST":
                one.posted.append(body)
            status, extra, answer = one.special(parts.path) or (
                (202, {}, b'{"id":"s1","status":"pending","total_count":2}')
                if body
                else one.get(parts.path, parse_qs(parts.query))
            )
            self.send_response(status)
            for name, value in {"content-type": "text/json", **extra}.items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        do_POST = do_GET

        def log_message(self, *args: Any) -> None: ...

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    one.port = http.server_address[1]
    thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield one
    http.shutdown()
    thread.join()
    http.server_close()


def client(server: Server, **changes: Any) -> TaxiiClient:
    return TaxiiClient(**({"base_url": f"http://127.0.0.1:{server.port}", "allow_private": True} | changes))


def test_roots_and_collections_are_found_and_stay_on_the_host_we_were_given(server: Server) -> None:
    with client(server) as one:
        base = f"http://127.0.0.1:{server.port}"
        assert one.discover() == (f"{base}/api1/", f"{base}/api2/", f"{base}/api3/")
        first, second = one.collections("/api1")
    assert (first.url, first.can_read, first.can_write) == (f"{base}/api1/collections/c1/", True, False)
    assert second.url == f"{base}/api1/collections/c%2F2/"
    assert all(headers["accept"] == MEDIA_TYPE for _, _, headers in server.asked)


@pytest.mark.parametrize("paging", ["both", "next", "header", "next-alone", "used-up"])
def test_every_object_comes_once_with_its_exact_bytes_however_the_server_pages(server: Server, paging: str) -> None:
    server.paging = paging
    with client(server) as one:
        pages = list(one.pull("/api1/collections/c1", Cursor("t0") if paging == "next-alone" else Cursor()))
    assert [raw for page in pages for raw in page.objects] == OBJECTS


@pytest.mark.parametrize("paging", ["both", "next", "header"])
def test_pull_goes_on_from_a_stored_cursor(server: Server, paging: str) -> None:
    server.paging = paging
    with client(server) as one:
        first = next(one.pull("/api1/collections/c1/"))
        rest = list(one.pull("/api1/collections/c1/", Cursor.parse(first.cursor.text())))
    assert list(first.objects) + [raw for page in rest for raw in page.objects] == OBJECTS
    if paging != "next":
        with client(server) as one:
            assert list(one.pull("/api1/collections/c1/", rest[-1].cursor)) == []


@pytest.mark.parametrize("lost", ["nothing", "a page", "its place"])
def test_pull_that_was_cut_off_loses_nothing_at_a_server_that_gives_a_page_once(server: Server, lost: str) -> None:
    server.paging = "used-up"
    with client(server) as one:
        pull = one.pull("/api1/collections/c1/")
        first = next(pull)
        if lost == "a page":
            next(pull)
        if lost == "its place":
            server.left = None
        rest = list(one.pull("/api1/collections/c1/", Cursor.parse(first.cursor.text())))
    assert list(dict.fromkeys([*first.objects, *(raw for page in rest for raw in page.objects)])) == OBJECTS


def test_place_that_the_server_forgot_is_found_again_from_the_last_instant(server: Server) -> None:
    server.paging = "used-up"
    with client(server) as one:
        pages = list(one.pull("/api1/collections/c1/", Cursor("2021-04-01T00:00:11.000Z", "forgotten")))
    assert [raw for page in pages for raw in page.objects] == OBJECTS[12:]


def test_server_that_says_more_but_not_how_is_an_error_and_not_a_gap(server: Server) -> None:
    server.paging = "nothing"
    got: list[bytes] = []
    with client(server) as one, pytest.raises(RequestRefused) as refused:
        for page in one.pull("/api1/collections/c1/"):
            got.extend(page.objects)
    assert refused.value.code == "taxii-answer"
    assert got == OBJECTS[:10]


@pytest.mark.parametrize("paging", ["loop", "empty"])
def test_server_that_pages_for_ever_is_left(server: Server, paging: str) -> None:
    server.paging = paging
    with client(server) as one:
        try:
            pages = list(one.pull("/api1/collections/c1/"))
        except RequestRefused as refused:
            pages = []
            assert "not complete" in refused.sentence  # noqa: PT017
    assert len(pages) <= 2
    assert len(server.asked) <= 3


@pytest.mark.parametrize(
    ("auth", "header"),
    [
        (Auth("Bearer", "t0ken"), "Bearer t0ken"),
        (Auth("Token", "t0ken"), "Token t0ken"),
        (Auth("Basic", "pw", "u"), "Basic dTpwdw=="),
    ],
)
def test_credentials_go_out_in_the_form_the_server_wants(server: Server, auth: Auth, header: str) -> None:
    with client(server, auth=auth) as one:
        one.discover()
    assert server.asked[0][2]["authorization"] == header


def test_credentials_that_are_none_are_refused() -> None:
    for auth in (Auth("Digest", "x"), Auth("Bearer", "a\r\nb")):
        with pytest.raises(Usage):
            TaxiiClient("https://t.example", auth=auth)


def test_push_sends_the_exact_bytes_and_asks_until_it_is_done(server: Server) -> None:
    waited: list[int] = []
    with client(server) as one:
        done = one.push_and_wait("/api1/", "/api1/collections/c1/", OBJECTS[:2], wait=waited.append)
    assert server.posted == [b'{"objects":[' + OBJECTS[0] + b"," + OBJECTS[1] + b"]}"]
    assert (done.status, done.success, done.failures) == ("complete", 1, (("x", "bad"),))
    assert waited == [0, 1]


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (401, b"", RequestRefused),
        (404, b'{"title":[1]}', RequestRefused),
        (500, b"<html>", RequestRefused),
        (503, b"{}", Unavailable),
        (429, b"{}", Unavailable),
        (200, b"<html>", PeerFault),
        (200, b"[]", PeerFault),
        (200, b'{"more":true,"more":false}', PeerFault),
        (200, b'{"objects":[{"a":1}', PeerFault),
        (200, b"[" * 100_000, PeerFault),
        (302, b"", RequestRefused),
    ],
)
def test_answer_that_cannot_be_used_is_one_sentence(
    server: Server, status: int, body: bytes, error: type[ComityError]
) -> None:
    server.special = lambda path: (status, {"location": "http://127.0.0.1:1/"} if status == 302 else {}, body)
    with client(server) as one:
        if body != b"[]":
            with pytest.raises(error):
                list(one.pull("/api1/collections/c1/"))
        if not body.startswith(b'{"objects'):
            with pytest.raises(error):
                one.discover()


def test_what_is_no_object_among_the_objects_of_a_server_is_handed_on_to_be_refused_by_itself(server: Server) -> None:
    body = b'{"objects":[1,' + OBJECTS[0] + b',"x"]}'
    server.special = lambda path: (200, {}, body)
    with client(server) as one:
        assert [page.objects for page in one.pull("/api1/collections/c1/")] == [(b"1", OBJECTS[0], b'"x"')]


def test_empty_answer_is_an_empty_page(server: Server) -> None:
    with client(server) as one:
        for body in (b"{}", b"", b'{"more":false}', b'{"objects":[]}'):
            server.special = lambda path, body=body: (200, {}, body)  # type: ignore[misc]
            assert list(one.pull("/api1/collections/c1/")) == []


def test_server_on_a_private_address_is_not_called_unless_allowed(server: Server) -> None:
    with client(server, allow_private=False) as one, pytest.raises(NotAllowed):
        one.discover()
    assert server.asked == []
