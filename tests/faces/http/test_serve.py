"""A real server process on loopback, asked by the OASIS client: ready, one process, ends in order, nothing without TLS."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from taxii2client.common import TokenAuth
from taxii2client.v21 import Server, as_pages

from comity.faces.http.serve import check_binding, is_loopback, serve
from comity.kernel.errors import NotAllowed, Unavailable
from simulators.world import indicator

TESTS = Path(__file__).resolve().parents[2]

SCRIPT = """
import json, sys
from comity.adapters.sql import open_store
from comity.faces.http import serve as module
from comity.faces.http.serve import serve
from simulators.teams import Teams
from simulators.world import indicator, malware
module.PATIENCE = 1
folder, port = sys.argv[1], int(sys.argv[2])
teams = Teams(make_store=lambda name: open_store(f"sqlite:///{folder}/{name[-1]}.db"))
teams.take(*[indicator(n) for n in range(1, 8)], malware(1))
ticks = []
def announce(url):
    print(json.dumps({"url": url, "token": teams.b.token, "own": teams.own.token}), flush=True)
serve(teams.app, "127.0.0.1", port, tick=lambda: ticks.append(1), every=0.05, announce=announce)
print(json.dumps({"ticks": len(ticks)}), flush=True)
"""


@dataclass
class Running:
    process: subprocess.Popen[str]
    url: str
    token: str
    own: str


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Running]:
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "-c", SCRIPT, str(tmp_path), str(port)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(TESTS), *os.environ.get("PYTHONPATH", "").split(":")])},
    )
    assert process.stdout is not None
    told = json.loads(process.stdout.readline())
    try:
        yield Running(process, told["url"], told["token"], told["own"])
    finally:
        process.kill()
        process.wait(10)
        for pipe in (process.stdout, process.stderr):
            assert pipe is not None
            pipe.close()


def test_the_oasis_client_discovers_lists_pages_filters_and_posts(running: Running) -> None:
    with Server(f"{running.url}/taxii2/", auth=TokenAuth(running.token)) as server:
        assert server.title == "Comity node of Team A"
        root = server.api_roots[0]
        assert root.max_content_length > 0
        outbox, inbox = root.collections
        assert (outbox.can_read, outbox.can_write, inbox.can_write) == (True, False, True)
        found = list(as_pages(outbox.get_objects, per_request=3))
        assert [len(page["objects"]) for page in found] == [3, 3, 2]
        assert [one["id"] for page in found for one in page["objects"]][:7] == [indicator(n)["id"] for n in range(1, 8)]
        filtered = outbox.get_objects(type="malware")
        assert [one["type"] for one in filtered["objects"]] == ["malware"]
        assert len(outbox.get_manifest()["objects"]) == 8
        one = outbox.get_object(indicator(1)["id"])
        assert [each["id"] for each in one["objects"]] == [indicator(1)["id"]]
        assert outbox.object_versions(indicator(1)["id"])["versions"] == ["2021-03-02T00:00:00.000Z"]
        status = inbox.add_objects({"objects": [indicator(20), {"type": "indicator"}]})
        assert (status.status, status.success_count, status.failure_count) == ("complete", 1, 1)
        status.refresh()
        assert status.total_count == 2
        assert root.get_status(status.id).success_count == 1
        inbox.delete_object(indicator(20)["id"])
        assert inbox.get_objects() == {}


def test_sigterm_ends_the_server_in_order_and_the_timer_ran(running: Running) -> None:
    time.sleep(0.3)
    with httpx.Client(base_url=running.url, trust_env=False) as client:
        assert client.get("/health").json() == {"status": "ok"}
        running.process.send_signal(signal.SIGTERM)
        assert running.process.wait(20) == 0
    assert running.process.stdout is not None
    assert json.loads(running.process.stdout.readline())["ticks"] >= 2


def test_a_request_that_never_ends_does_not_hold_up_the_end(running: Running) -> None:
    host, _, port = running.url.removeprefix("http://").partition(":")
    with socket.create_connection((host, int(port))) as half:
        half.sendall(b"POST /comity/1/control HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n{")
        time.sleep(0.3)
        running.process.send_signal(signal.SIGTERM)
        _, said = running.process.communicate(timeout=60)
        assert running.process.returncode == 0
        assert "Traceback" not in said
        assert "cut off" in said


def test_a_killed_server_leaves_no_process_that_answers(running: Running) -> None:
    children = Path(f"/proc/{running.process.pid}/task/{running.process.pid}/children")
    if children.exists():
        assert children.read_text().strip() == ""
    running.process.kill()
    running.process.wait(10)
    with pytest.raises(httpx.ConnectError), httpx.Client(trust_env=False) as client:
        client.get(f"{running.url}/health")


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "node.example.org", "10.0.0.1", "::ffff:192.0.2.1"])
def test_binding_beyond_this_machine_without_a_certificate_is_refused(host: str, tmp_path: Path) -> None:
    with pytest.raises(NotAllowed) as refused:
        serve(None, host, 0, tick=lambda: None, every=1)
    assert refused.value.code == "tls-required"
    with pytest.raises(NotAllowed):
        check_binding(host, tmp_path / "cert.pem", None)
    check_binding(host, tmp_path / "cert.pem", tmp_path / "key.pem")


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.9.1", "::1", "localhost"])
def test_loopback_needs_no_certificate(host: str) -> None:
    assert is_loopback(host)


def test_an_address_that_is_taken_is_told_in_one_sentence() -> None:
    async def app(scope: object, receive: object, send: object) -> None:
        raise AssertionError("nobody asks")

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        failed: list[BaseException] = []

        def run() -> None:
            try:
                serve(app, "127.0.0.1", taken.getsockname()[1], tick=lambda: None, every=1)
            except BaseException as error:
                failed.append(error)

        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        thread.join(20)
        assert [type(one) for one in failed] == [Unavailable]
        assert failed[0].code == "address-in-use"  # type: ignore[attr-defined]
