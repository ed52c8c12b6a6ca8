"""Nodes of interoperability tests: real folders made through the command line, and real server processes on loopback.

Every process is started here with its own group, waited for within bounds, and ended with the test that needed it.
"""

from __future__ import annotations

import io
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout, suppress
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

from comity.__main__ import wiring
from comity.adapters.keys.tls import CERTIFICATE
from comity.faces.cli.main import run

PATIENCE = 60.0
"""Seconds a process may take until it answers, on a machine that does other things besides."""

STATED = ("--basis", "agreement", "--purpose", "protect-networks", "--no-caveats")


@dataclass
class Node:
    """A party's node: its folder, its port, its officer's token."""

    folder: Path
    name: str
    port: int
    party: str = ""
    fingerprint: str = ""
    token: str = ""

    def call(self, *words: str, status: int = 0) -> dict[str, Any]:
        """One command as its officer types it; gives the JSON answer."""
        out, err = io.StringIO(), io.StringIO()
        token = ("--token", self.token) if self.token else ()
        with redirect_stdout(out), redirect_stderr(err):
            code = run(wiring(), ["--home", str(self.folder), "--json", *token, *words])
        assert code == status, f"{self.name}: comity {' '.join(words)} ended with {code}: {err.getvalue()}"
        found: dict[str, Any] = json.loads(out.getvalue().strip().rpartition("\n")[2])
        return found

    @property
    def certificate(self) -> Path:
        """The certificate the node made for itself."""
        return self.folder / "keys" / CERTIFICATE

    def bundle(self, *words: str) -> bytes:
        """The STIX bundle the node writes."""
        path = self.folder / "export.json"
        self.call("export", "--output", str(path), *words)
        written = path.read_bytes()
        path.unlink()
        return written

    def export(self, *words: str) -> list[dict[str, Any]]:
        """The objects of a STIX bundle the node writes."""
        objects: list[dict[str, Any]] = json.loads(self.bundle(*words)).get("objects", [])
        return objects


def found(folder: Path, name: str, country: str, *, kind: str = "csirt", tls: bool = False) -> Node:
    """A party with a node and one officer who may do everything."""
    node = Node(folder, name, free_port())
    scheme = "https" if tls else "http"
    made = node.call(
        "init", "--party", name, "--kind", kind, "--country", country, "--tick", "0.05",
        "--url", f"{scheme}://127.0.0.1:{node.port}",
    )  # fmt: skip
    node.party, node.fingerprint = made["party"], made["fingerprint"]
    roles = [word for role in ("admin", "sign", "release", "audit") for word in ("--role", role)]
    node.token = node.call("officer", "add", "Ann", *roles)["token"]
    return node


def introduce(*nodes: Node) -> None:
    """Each has the card of each other, and has compared fingerprints."""
    for one in nodes:
        meet(one, *(other for other in nodes if other is not one))


def meet(one: Node, *others: Node) -> None:
    """One node has the cards of others, and has compared fingerprints."""
    for other in others:
        card = other.folder / "for-others.card"
        other.call("card", "show", "--output", str(card))
        one.call("card", "add", str(card))
        one.call("card", "verify", other.party, "--fingerprint", other.fingerprint, "--method", "telephone")


def agree(text: str, first: Node, *others: Node) -> str:
    """All sign an agreement; the first, its depositary, gets every signature, and those who know it get its own."""
    path = first.folder / "agreement.toml"
    path.write_text(text, encoding="utf-8")
    digest = ""
    for node in (first, *others):
        digest = node.call("agreement", "receive", str(path))["digest"]
        node.call("agreement", "sign", digest, "--output", str(node.folder / "signature.json"))
    for other in others:
        first.call("agreement", "receive", str(other.folder / "signature.json"))
        if any(row["id"] == first.party for row in other.call("card", "list")["parties"]):
            other.call("agreement", "receive", str(first.folder / "signature.json"))
    return digest


def agreement(parties: Mapping[str, Node], clauses: str, *, views: str = "") -> str:
    """The text of an agreement in force since 2021; the first party is its depositary."""
    refs = list(parties)
    listed = "\n".join(
        f'[[party]]\nref = "{ref}"\nname = "{node.name}"\nid = "{node.party}"\n' for ref, node in parties.items()
    )
    return f"""
form     = 1
title    = {{en = "Arrangement for tests with other software"}}
language = ["en"]
phrases  = "comity-phrases/1"

{listed}
[life]
enters_into_force = 2021-03-05T12:00:00Z
signatures        = "all"
threshold         = "all"
withdrawal_notice = "PT0S"
after_end         = "keep under the same conditions"
depositary        = "{refs[0]}"
succession        = {json.dumps(refs[1:])}
lease             = "PT24H"
silence           = {{rule = "refusal", except = ["reservation"]}}
law               = {{en = "No obligation under international law is intended."}}
{views}
{clauses}
"""


def permit(
    number: int, giver: str, taker: str, types: Sequence[str], *, view: str = "full", onward: str = "none"
) -> str:
    """A clause that gives without duties, so that it also holds for who has no node."""
    return f"""
[[clause]]
number     = "{number}"
says       = "permit"
from       = ["{giver}"]
to         = ["{taker}"]
types      = {json.dumps(list(types))}
tlp        = ["clear", "green", "amber"]
view       = "{view}"
with_names = true
purpose    = ["protect-networks"]
basis      = ["agreement"]
onward     = "{onward}"
retention  = "P1Y"
"""


# --- processes


def free_port() -> int:
    """A port nobody listens on now."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def listens(port: int) -> bool:
    """Whether somebody takes connections there."""
    with socket.socket() as one:
        one.settimeout(0.5)
        return one.connect_ex(("127.0.0.1", port)) == 0


def answers(port: int, path: str) -> bool:
    """Whether something answers an HTTP request there, whatever it says."""
    connection = HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", path)
        connection.getresponse().read()
    except OSError:
        return False
    finally:
        connection.close()
    return True


@contextmanager
def process(words: Sequence[str], log: Path, ready: Callable[[], bool]) -> Iterator[subprocess.Popen[bytes]]:
    """A server as a process of its own, from when it is ready to the end of the block."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("COMITY_")}
    with log.open("ab") as kept:
        started = subprocess.Popen(
            words, stdin=subprocess.DEVNULL, stdout=kept, stderr=kept, env=environment, start_new_session=True
        )
    try:
        end = time.monotonic() + PATIENCE
        while not ready():
            assert started.poll() is None, f"{words[0]} ended at once: {log.read_text(errors='replace')[-2000:]}"
            assert time.monotonic() < end, f"{words[0]} does not answer: {log.read_text(errors='replace')[-2000:]}"
            time.sleep(0.05)
        yield started
    finally:
        started.terminate()
        with suppress(subprocess.TimeoutExpired):
            started.wait(timeout=15)
        with suppress(ProcessLookupError):
            os.killpg(started.pid, signal.SIGKILL)
        started.wait(timeout=15)


@contextmanager
def served(node: Node) -> Iterator[str]:
    """The node as a process; gives its address."""
    words = [
        sys.executable,
        "-m",
        "comity",
        "--home",
        str(node.folder),
        "serve",
        "--port",
        str(node.port),
        "--every",
        "0.5",
    ]
    secured = node.certificate.is_file()
    with process(words, node.folder / "serve.log", lambda: listens(node.port)):
        yield f"{'https' if secured else 'http'}://127.0.0.1:{node.port}"
