"""TAXII 2.1 servers measured alike: each in a process of its own on loopback, asked by one client over one connection."""

from __future__ import annotations

import json
import random
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import httpx
import orjson

from bench.envs import python_of
from bench.paths import PEERS, ROOT, RUN

MEDIA: Final = "application/taxii+json;version=2.1"
POST_BY: Final = 500
GET_BY: Final = 1_000
START: Final = 60
"""Seconds a server may take to answer at first."""


@dataclass(frozen=True, slots=True)
class Served:
    """A running server: how it is reached, as whom, and its process."""

    url: str
    write: str
    read: str
    auth_write: dict[str, str]
    auth_read: dict[str, str]
    process: subprocess.Popen[bytes]


def comity(path: Path, n: int, gets: int) -> dict[str, Any]:
    """A node of ours that holds the objects and gives them to a reader under an agreement; posts go to a second, empty node."""
    folder = RUN / "taxii"
    with started([sys.executable, "-m", "bench.measures.served", "comity", folder / "full", path]) as full:
        found = {**reading(full, ids_of(path), n, gets), "peak_mb": peak_of(full.process)}
    with started([sys.executable, "-m", "bench.measures.served", "comity", folder / "empty", "-"]) as empty:
        return {"n": n, **found, **posting(empty, path)}


def floor(path: Path, n: int, gets: int) -> dict[str, Any]:
    """A bare application on the same server, with the same bytes ready in memory: no token, no decision, no store."""
    with started([sys.executable, "-m", "bench.measures.served", "floor", "-", path]) as bare:
        return {"n": n, **posting(bare, path), **reading(bare, ids_of(path), n, gets), "peak_mb": peak_of(bare.process)}


def medallion(path: Path, n: int, gets: int) -> dict[str, Any]:
    """The reference server of OASIS, in memory; it gets fewer objects, because its reads take the square of their number."""
    port = free_port()
    command: list[object] = [python_of("medallion"), PEERS / "taxii.py", port]
    basic = {"Authorization": "Basic YmVuY2g6YmVuY2g="}
    collection = "/api/collections/91a7b528-80eb-42ed-a74d-c6fbd5a26116/objects/"
    process = subprocess.Popen(
        [str(word) for word in command], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=ROOT
    )
    try:
        served = Served(f"http://127.0.0.1:{port}", collection, collection, basic, basic, process)
        wait_for(port, process)
        return {"n": n, **posting(served, path), **reading(served, ids_of(path), n, gets), "peak_mb": peak_of(process)}
    finally:
        stop(process)


@contextmanager
def started(command: Sequence[object]) -> Iterator[Served]:
    """One of our own servers; it says on its first line of stdout how it is reached."""
    port = free_port()
    process = subprocess.Popen([*map(str, command), str(port)], stdout=subprocess.PIPE, cwd=ROOT)
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        if not line:
            raise RuntimeError(f"the server {command[2:4]} did not start")
        said = json.loads(line)
        wait_for(port, process)
        headers = [{"Authorization": f"Bearer {said[name]}"} for name in ("write_token", "read_token")]
        yield Served(f"http://127.0.0.1:{port}", said["write"], said["read"], headers[0], headers[1], process)
    finally:
        stop(process)


def posting(served: Served, path: Path) -> dict[str, Any]:
    """Post all objects by 500, until each envelope is answered and done."""
    objects = orjson.loads(path.read_bytes())["objects"]
    bodies = [orjson.dumps({"objects": objects[start : start + POST_BY]}) for start in range(0, len(objects), POST_BY)]
    headers = {**served.auth_write, "Accept": MEDIA, "Content-Type": MEDIA}
    with httpx.Client(base_url=served.url, headers=headers, timeout=600) as client:
        began = time.perf_counter()
        for body in bodies:
            answer = client.post(served.write, content=body)
            if answer.status_code != 202:
                raise RuntimeError(f"POST was answered {answer.status_code}: {answer.text[:200]}")
            status = answer.json()
            if status.get("status") == "pending":
                raise RuntimeError("the submission is still pending")
            if status.get("failure_count"):
                raise RuntimeError(f"{status['failure_count']} objects were refused")
        return {"post": len(objects) / (time.perf_counter() - began)}


def reading(served: Served, ids: Sequence[str], n: int, gets: int) -> dict[str, Any]:
    """Read everything by pages of 1,000, parsing each page; then single objects drawn at random."""
    headers = {**served.auth_read, "Accept": MEDIA}
    with httpx.Client(base_url=served.url, headers=headers, timeout=600) as client:
        seen = 0
        more: dict[str, str] = {}
        began = time.perf_counter()
        while True:
            answer = client.get(served.read, params={"limit": str(GET_BY), **more})
            if answer.status_code != 200:
                raise RuntimeError(f"GET was answered {answer.status_code}: {answer.text[:200]}")
            page = orjson.loads(answer.content)
            seen += len(page.get("objects", []))
            if not page.get("more"):
                break
            more = {"next": page["next"]}
        everything = seen / (time.perf_counter() - began)
        if seen != n:
            raise RuntimeError(f"{seen} objects came instead of {n}")
        draw = random.Random(5)
        chosen = [draw.choice(ids) for _ in range(gets)]
        began = time.perf_counter()
        for one in chosen:
            answer = client.get(f"{served.read}{one}/")
            if answer.status_code != 200 or not orjson.loads(answer.content)["objects"]:
                raise RuntimeError(f"GET one was answered {answer.status_code}: {answer.text[:200]}")
        return {"get_all": everything, "get_one": gets / (time.perf_counter() - began)}


def ids_of(path: Path) -> list[str]:
    """The ids in a bundle."""
    return [one["id"] for one in orjson.loads(path.read_bytes())["objects"]]


def free_port() -> int:
    """A port nobody listens on now."""
    with socket.socket() as asked:
        asked.bind(("127.0.0.1", 0))
        return int(asked.getsockname()[1])


def wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    """Wait until something answers on the port."""
    until = time.monotonic() + START
    while time.monotonic() < until:
        if process.poll() is not None:
            raise RuntimeError(f"the server ended with status {process.returncode}")
        with socket.socket() as asked:
            if asked.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise RuntimeError("the server does not answer")


def peak_of(process: subprocess.Popen[bytes]) -> float | None:
    """The highest resident memory of a running process, MiB, where the system tells."""
    status = Path(f"/proc/{process.pid}/status")
    if not status.is_file():
        return None
    return next(
        (int(line.split()[1]) / 1024 for line in status.read_text().splitlines() if line.startswith("VmHWM:")), None
    )


def stop(process: subprocess.Popen[bytes]) -> None:
    """End a server we started."""
    process.terminate()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    if process.stdout is not None:
        process.stdout.close()
