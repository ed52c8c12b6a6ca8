"""What is measured: one function a group, each gives rows. Sides run one after the other, never at once, each in a fresh process."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, Final

from bench import inputs, taxii
from bench.envs import python_of
from bench.paths import PEERS, ROOT, RUN
from bench.rows import Row

PATIENCE: Final = 900
"""Seconds one side may take before it counts as failed."""


@dataclass(frozen=True, slots=True)
class Sizes:
    """How many of each; a peer that is slow gets fewer, and the row says how many."""

    attack: int
    indicators: int
    peer_parse: int
    peer_validate: int
    patterns: int
    peer_patterns: int
    take_in: int
    seal: int
    log: int
    peer_log: int
    classes: int
    parties: int
    clauses: int
    asking: int
    exchange: int
    taxii: int
    peer_taxii: int
    gets: int
    repeat: int

    def scaled(self, by: float) -> Sizes:
        """All of them times `by`, but for the repeats."""
        same = {"repeat"}
        return Sizes(
            **{
                one.name: getattr(self, one.name) if one.name in same else max(1, round(getattr(self, one.name) * by))
                for one in fields(self)
            }
        )


QUICK: Final = Sizes(
    attack=5_000,
    indicators=5_000,
    peer_parse=1_500,
    peer_validate=100,
    patterns=10_000,
    peer_patterns=1_500,
    take_in=5_000,
    seal=2_000,
    log=100_000,
    peer_log=50_000,
    classes=3_000,
    parties=100,
    clauses=150,
    asking=3_000,
    exchange=2_000,
    taxii=3_000,
    peer_taxii=500,
    gets=200,
    repeat=1,
)
WHOLE: Final = Sizes(
    attack=25_000,
    indicators=50_000,
    peer_parse=10_000,
    peer_validate=600,
    patterns=100_000,
    peer_patterns=10_000,
    take_in=50_000,
    seal=20_000,
    log=1_000_000,
    peer_log=200_000,
    classes=12_000,
    parties=200,
    clauses=300,
    asking=10_000,
    exchange=10_000,
    taxii=20_000,
    peer_taxii=2_000,
    gets=1_000,
    repeat=3,
)


@dataclass
class Bench:
    """One run: how large, whether with peers, and what failed on the way (a side that fails leaves its place empty)."""

    sizes: Sizes
    peers: bool = True
    failed: list[str] = field(default_factory=list)

    def ours(self, function: str, **arguments: Any) -> dict[str, Any]:
        """The median of the repeats of one of our sides or floors; it must not fail."""
        command = [sys.executable, "-m", "bench.child", function, json.dumps(arguments)]
        return median([run(command) for _ in range(self.sizes.repeat)])

    def peer(self, script: str, *arguments: object, env: str = "bench-peers") -> dict[str, Any]:
        """What a peer's script gives, or nothing where peers are left out or it failed."""
        if not self.peers:
            return {}
        try:
            return run([python_of(env), PEERS / script, *map(str, arguments)])
        except Exception as broken:
            self.failed.append(f"peer {script} {arguments[0]}: {broken}")
            return {}


def run(command: Sequence[object]) -> dict[str, Any]:
    """Run one side; its last line of stdout is its result."""
    RUN.mkdir(parents=True, exist_ok=True)
    done = subprocess.run(
        [str(word) for word in command],
        cwd=ROOT,
        env={**os.environ, "PYTHONHASHSEED": "0"},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    if done.returncode:
        raise RuntimeError((done.stderr or done.stdout).strip().splitlines()[-1:] or done.returncode)
    found: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return found


def median(results: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Each figure's median."""
    return {name: statistics.median(one[name] for one in results) for name in results[0]}


def row(
    name: str,
    unit: str,
    ours: dict[str, Any],
    key: str,
    *,
    peer: tuple[str, dict[str, Any]] | None = None,
    peer_key: str | None = None,
    floor: tuple[str, dict[str, Any]] | None = None,
) -> Row:
    """A row from what the sides gave; a side that gave nothing leaves null."""
    made = Row(name=name, n=int(ours["n"]), unit=unit, ours=float(ours[key]), peak_mb=ours.get("peak_mb"))
    if peer is not None:
        made.peer = peer[0]
        if peer[1]:
            made.peer_n, made.peer_value = int(peer[1]["n"]), float(peer[1][peer_key or key])
    if floor is not None and floor[1]:
        made.floor, made.floor_value = floor[0], float(floor[1][key])
    return made


def memory(
    name: str, ours: dict[str, Any], peer: tuple[str, dict[str, Any]] | None, floor: tuple[str, dict[str, Any]] | None
) -> Row:
    """Peak memory of a measure, beside those of the others; each process whole, interpreter and libraries included."""
    return row(f"memory: {name}", "MB", ours, "peak_mb", peer=peer, floor=floor)


def parse(bench: Bench) -> list[Row]:
    """Parse and fully validate."""
    rows = []
    sizes = bench.sizes
    for name, (path, n) in (
        ("ATT&CK", inputs.attack(sizes.attack)),
        ("indicators", inputs.indicators(sizes.indicators)),
    ):
        ours = bench.ours("model:validate", path=str(path))
        floor = ("orjson.loads", bench.ours("model:json_only", path=str(path)))
        parser = ("stix2 3.0.2", bench.peer("stix.py", "parse", path, min(n, sizes.peer_parse)))
        checker = ("stix2-validator 3.2.0", bench.peer("stix.py", "validate", path, min(n, sizes.peer_validate)))
        rows += [
            row(f"parse and validate, {name}", "objects/s", ours, "rate", peer=parser, floor=floor),
            row(
                f"parse and validate, {name}, beside the validator",
                "objects/s",
                ours,
                "rate",
                peer=checker,
                floor=floor,
            ),
            memory(f"parse and validate, {name}", ours, parser, floor),
        ]
    return rows


def patterns(bench: Bench) -> list[Row]:
    """Parse patterns."""
    path, _ = inputs.indicators(bench.sizes.patterns)
    ours = bench.ours("model:patterns", path=str(path))
    peer = ("stix2-patterns 2.1.2", bench.peer("stix.py", "patterns", path, bench.sizes.peer_patterns))
    return [row("parse patterns", "patterns/s", ours, "rate", peer=peer), memory("parse patterns", ours, peer, None)]


def take_in(bench: Bench) -> list[Row]:
    """Import into the durable store."""
    rows = []
    for name, (path, _) in (
        ("indicators", inputs.indicators(bench.sizes.take_in)),
        ("ATT&CK", inputs.attack(min(bench.sizes.take_in, bench.sizes.attack))),
    ):
        ours = bench.ours("store:take_in", path=str(path), folder=str(RUN / "take-in"))
        floor = ("SQLite executemany", bench.ours("store:executemany", path=str(path), folder=str(RUN / "floor")))
        rows += [
            row(f"import into SQLite, {name}", "objects/s", ours, "rate", floor=floor),
            memory(f"import into SQLite, {name}", ours, None, floor),
        ]
    return rows


def seal(bench: Bench) -> list[Row]:
    """Seal, verify, redact."""
    path, n = inputs.indicators(bench.sizes.seal)
    ours = bench.ours("seal:sealing", path=str(path), n=n)
    floor = ("Ed25519 alone", bench.ours("seal:ed25519", path=str(path), n=n))
    return [
        row("commit and seal", "objects/s", ours, "sign", floor=floor),
        row("verify a seal", "objects/s", ours, "verify", floor=floor),
        row("redact and open a view", "ms", ours, "redact"),
        row("verify a redacted view", "ms", ours, "verify_view", floor=floor),
    ]


def log(bench: Bench) -> list[Row]:
    """Append to the log and prove from it."""
    sizes = bench.sizes
    ours = bench.ours("tlog:log", n=sizes.log, folder=str(RUN / "log"))
    (RUN / "merkle.db").unlink(missing_ok=True)
    peer = ("pymerkle 7.0.0", bench.peer("merkle.py", RUN / "merkle.db", sizes.peer_log))
    floor = ("SHA-256 alone", bench.ours("tlog:hashing", n=sizes.log))
    return [
        row("log: append", "leaves/s", ours, "append", peer=peer, floor=floor),
        row("log: inclusion proof", "ms", ours, "prove", peer=peer),
        memory("log", ours, peer, floor),
    ]


def decide(bench: Bench) -> list[Row]:
    """Decisions, alone and at a node."""
    sizes = bench.sizes
    table = bench.ours("release:decisions", classes=sizes.classes, parties=sizes.parties, clauses=sizes.clauses)
    single = {**table, "n": sizes.clauses}
    path, _ = inputs.indicators(sizes.asking)
    node = bench.ours("release:asking", path=str(path), folder=str(RUN / "asking"))
    return [
        row("decide every class for every party", "pairs/s", table, "rate"),
        row("decide every class for every party, the table", "s", table, "seconds"),
        row("decide every class for every party, in SQL", "s", table, "sql"),
        row("decide one pair", "ms", single, "one"),
        row("why, at a node", "ms", node, "why"),
        row("preview one more agreement", "ms", node, "preview"),
    ]


def exchange(bench: Bench) -> list[Row]:
    """Node to node."""
    path, _ = inputs.indicators(bench.sizes.exchange)
    ours = bench.ours("exchange:node_to_node", path=str(path), folder=str(RUN / "exchange"))
    return [row("node to node, verified and receipted", "objects/s", ours, "rate")]


def serve(bench: Bench) -> list[Row]:
    """TAXII 2.1 over loopback."""
    sizes = bench.sizes
    path, n = inputs.indicators(sizes.taxii)
    small, few = inputs.indicators(sizes.peer_taxii)
    ours = taxii.comity(path, n, sizes.gets)
    floor = ("bare granian", taxii.floor(path, n, sizes.gets))
    peer: tuple[str, dict[str, Any]] = ("medallion 3.0.0", {})
    if bench.peers:
        try:
            peer = (peer[0], taxii.medallion(small, few, max(sizes.gets // 20, 5)))
        except Exception as broken:
            bench.failed.append(f"peer medallion: {broken}")
    return [
        row("TAXII POST by 500", "objects/s", ours, "post", peer=peer, floor=floor),
        row("TAXII GET all by 1,000", "objects/s", ours, "get_all", peer=peer, floor=floor),
        row("TAXII GET one", "requests/s", ours, "get_one", peer=peer, floor=floor),
        memory("TAXII server", ours, peer, floor),
    ]


GROUPS: Final[dict[str, Callable[[Bench], list[Row]]]] = {
    "parse": parse,
    "patterns": patterns,
    "import": take_in,
    "seal": seal,
    "log": log,
    "decide": decide,
    "exchange": exchange,
    "taxii": serve,
}
