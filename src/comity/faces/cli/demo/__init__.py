"""`comity demo`: March to July 2021, on loopback. Nodes as separate processes replay how parties act together without trusting each other.

A company and two response teams see the exploitation of mail servers; a third team joins late and one leaves; an outsider gets
nothing. Then the foreign ministries of eight states work out who did it, say so at one instant, and agree on measures. The indicators
are those four vendors published, the parties are invented. Every officer's deed goes through the command line of that officer's
node; every exchange goes over TLS between processes; nothing is shown that was not really done.

With ``--once`` it ends by itself and its last line is one JSON object; else the nodes stay up, and it says where.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import tempfile
import time
from collections.abc import Iterator
from importlib.resources import as_file, files
from pathlib import Path
from typing import Final

from comity.faces.cli.demo.sharing import share
from comity.faces.cli.demo.stage import Stage, say, scene
from comity.faces.cli.demo.together import act_together
from comity.faces.wiring import Wiring
from comity.kernel.errors import NodeDamaged

MUST: Final = {
    "outsider_bytes": 0,
    "log_verified": True,
    "records_verified": True,
    "sealed_opened": 5,
    "dissent_kept": True,
    "statements": 8,
    "embargo_leaks": 0,
    "verified_offline": True,
    "measures": 1,
}
"""What has to come out; a scene that was left out has no figure."""


def run_demo(wiring: Wiring, once: bool, folder: Path | None) -> int:
    """Play the story; 0 when everything came out as it had to.

    Raises:
        NodeDamaged: `demo-broken` with the step that did not.
    """
    began = time.monotonic()
    place = folder or Path(tempfile.mkdtemp(prefix="comity-demo-"))
    place.mkdir(parents=True, exist_ok=True)
    stage = Stage(wiring, place)
    with _environment(), _ended_in_order():
        try:
            with as_file(files("comity") / "data") as data:
                told = {**share(stage, data), **act_together(stage)}
            told["seconds"] = round(time.monotonic() - began, 1)
            if not once:
                _stay(stage)
        except NodeDamaged:
            say("What the nodes kept and logged is in", str(place))
            folder = place
            raise
        finally:
            stage.stop()
            if folder is None:
                shutil.rmtree(place, ignore_errors=True)
    good = all(told.get(name, must) == must for name, must in MUST.items())
    print(json.dumps(told, separators=(",", ":")), flush=True)
    return 0 if good else 1


@contextlib.contextmanager
def _environment() -> Iterator[None]:
    """What the environment says of the caller's own node is none of the nodes of the story."""
    before = {name: value for name, value in os.environ.items() if name.startswith("COMITY_")}
    for name in before.keys() - {"COMITY_DEBUG"}:
        del os.environ[name]
    try:
        yield
    finally:
        os.environ.update(before)


@contextlib.contextmanager
def _ended_in_order() -> Iterator[None]:
    """Being told to end is as Ctrl-C, so that no node is left running."""

    def stop(number: int, frame: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _stay(stage: Stage) -> None:
    scene("The nodes stay up. Stop them with Ctrl-C.")
    for actor in stage.actors.values():
        say(f"{actor.name}:", f"https://127.0.0.1:{actor.port}  --home {actor.folder}  token {actor.tokens[0]}")
    with contextlib.suppress(KeyboardInterrupt):
        while all(actor.process is not None and actor.process.poll() is None for actor in stage.actors.values()):
            time.sleep(1)
