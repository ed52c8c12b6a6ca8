"""The means of the story: a folder, a command line and a process for each party, and the search for what must not be there."""

from __future__ import annotations

import contextlib
import io
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Final

from comity.faces.cli.main import run
from comity.faces.wiring import Wiring
from comity.kernel.errors import NodeDamaged

WINDOW: Final = 16
"""Bytes of a window that the outsider is searched for."""


INTERRUPTED: Final = 130
"""The exit status of a command that Ctrl-C ended."""


PATIENCE: Final = 120.0
"""Seconds a step may wait for another node."""


@dataclass
class Actor:
    """A party of the story: its node's folder, its process, its officers' tokens, and every answer it was given."""

    key: str
    name: str
    kind: str
    country: str
    folder: Path
    port: int
    party: str = ""
    fingerprint: str = ""
    tokens: list[str] = field(default_factory=list)
    process: subprocess.Popen[bytes] | None = None


class Stage:
    """The story's means: a folder for each party, its command line, its server."""

    def __init__(self, wiring: Wiring, folder: Path) -> None:
        self.wiring = wiring
        self.folder = folder
        self.actors: dict[str, Actor] = {}
        self.answers: list[bytes] = []

    def actor(self, key: str, name: str, kind: str, country: str) -> Actor:
        """Found a party's node and give it two officers."""
        made = Actor(key, name, kind, country, self.folder / key, free_port())
        self.actors[key] = made
        said = self.call(
            made, "init", "--party", name, "--kind", kind, "--country", country,
            "--url", f"https://127.0.0.1:{made.port}", "--tick", "1",
        )  # fmt: skip
        made.party, made.fingerprint = said["party"], said["fingerprint"]
        for number, officer in enumerate(("Duty officer", "Head of operations")):
            roles = [word for role in ("release", "sign", "admin", "audit") for word in ("--role", role)]
            token = made.tokens[0] if number else None
            made.tokens.append(self.call(made, "officer", "add", officer, *roles, token=token)["token"])
        return made

    def call(self, actor: Actor, *words: str, token: str | None = None, status: int = 0) -> dict[str, Any]:
        """One command on the node of a party, as its officer types it; gives its JSON answer.

        Raises:
            NodeDamaged: `demo-broken` when the command did not end as the story needs.
            KeyboardInterrupt: when it was stopped; the command itself only ends then.
        """
        out, err = io.StringIO(), io.StringIO()
        with token_of(token), contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = run(self.wiring, ["--home", str(actor.folder), "--json", *words])
        lines = out.getvalue().strip().splitlines()
        answer: dict[str, Any] = json.loads(lines[-1]) if lines else {}
        if code == INTERRUPTED:
            raise KeyboardInterrupt
        if code != status:
            raise NodeDamaged(
                "demo-broken",
                f"{actor.name}: comity {' '.join(words)} ended with {code}: {err.getvalue().strip() or answer}.",
            )
        return answer

    def serve(self, *actors: Actor) -> None:
        """Start the servers and wait until they answer."""
        for actor in actors:
            words = ["--home", str(actor.folder), "serve", "--port", str(actor.port), "--every", "0.5"]
            with (actor.folder / "serve.log").open("ab") as log:
                actor.process = subprocess.Popen(
                    [sys.executable, "-m", "comity", *words], stdout=log, stderr=log, stdin=subprocess.DEVNULL
                )
        for actor in actors:
            wait(f"the node of {actor.name}", partial(serves, actor))

    def stop(self) -> None:
        """End the servers."""
        for actor in self.actors.values():
            if actor.process is not None and actor.process.poll() is None:
                actor.process.send_signal(signal.SIGTERM)
        for actor in self.actors.values():
            if actor.process is not None:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    actor.process.wait(timeout=15)
                if actor.process.poll() is None:
                    actor.process.kill()

    def introduce(self, *actors: Actor) -> None:
        """Cards are handed over as files, fingerprints compared by telephone."""
        for actor in actors:
            self.call(actor, "card", "show", "--output", str(self.folder / f"{actor.key}.card.json"))
        for actor in actors:
            for other in actors:
                if actor is other:
                    continue
                self.call(actor, "card", "add", str(self.folder / f"{other.key}.card.json"))
                self.call(
                    actor, "card", "verify", other.party, "--fingerprint", other.fingerprint, "--method", "telephone",
                    token=actor.tokens[0],
                )  # fmt: skip

    def sync(self, *actors: Actor, rounds: int = 2) -> None:
        """Let each call each other until everybody has everything."""
        for _ in range(rounds):
            for actor in actors:
                for other in actors:
                    if actor is not other:
                        self.call(actor, "sync", other.party)


def scene(text: str) -> None:
    """The heading of what comes next."""
    print(f"\n{text}", flush=True)


def say(text: str, figure: str = "") -> None:
    """One line of what came out."""
    print("  " + " ".join(part for part in (text, figure) if part), flush=True)


def agreement(stage: Stage, template: Path, ids: dict[str, str]) -> Path:
    """An agreement of the story with the real ids of the parties."""
    text = template.read_text(encoding="utf-8")
    for key, party in ids.items():
        text = text.replace("{" + key + "}", party)
    written = stage.folder / template.name
    written.write_text(text, encoding="utf-8")
    return written


def sign(stage: Stage, agreement: Path, *actors: Actor) -> str:
    """All receive and sign an agreement; gives its digest."""
    digest = ""
    for actor in actors:
        digest = stage.call(actor, "agreement", "receive", str(agreement))["digest"]
        stage.call(actor, "agreement", "sign", digest, token=actor.tokens[0])
    stage.sync(*actors, rounds=1)
    return digest


def all_bytes(folders: Iterable[Path]) -> bytes:
    """All files of some folders, one after the other."""
    return b"\x00".join(path.read_bytes() for folder in folders for path in sorted(folder.rglob("*")) if path.is_file())


def hits(secrets: Sequence[bytes], folders: Iterable[Path], answers: Iterable[bytes]) -> int:
    """How many of the secrets occur in any file of the folders or in any answer."""
    whole = b"\x00".join([all_bytes(folders), *answers])
    return sum(1 for secret in secrets if secret in whole)


@contextlib.contextmanager
def token_of(token: str | None) -> Iterator[None]:
    """The officer whose token it is gives the commands meanwhile."""
    if token is not None:
        os.environ["COMITY_TOKEN"] = token
    try:
        yield
    finally:
        os.environ.pop("COMITY_TOKEN", None)


def free_port() -> int:
    """A port nobody listens on."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def serves(actor: Actor) -> bool:
    """Whether the node of a party takes connections.

    Raises:
        NodeDamaged: `demo-broken` when its process has ended.
    """
    if actor.process is None or actor.process.poll() is not None:
        said = (actor.folder / "serve.log").read_text(encoding="utf-8", errors="replace").strip()
        raise NodeDamaged("demo-broken", f"The node of {actor.name} does not run: {said[-500:]}")
    with socket.socket() as one:
        one.settimeout(0.5)
        return one.connect_ex(("127.0.0.1", actor.port)) == 0


def wait(what: str, ready: Callable[[], bool]) -> None:
    """Wait until something is so.

    Raises:
        NodeDamaged: `demo-broken` when it took too long.
    """
    end = time.monotonic() + PATIENCE
    while not ready():
        if time.monotonic() > end:
            raise NodeDamaged("demo-broken", f"Waited {PATIENCE:.0f} seconds for {what} in vain.")
        time.sleep(0.2)
