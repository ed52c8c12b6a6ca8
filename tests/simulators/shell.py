"""A shell on real folders: each call is one call of the command line, in this process, with what it wrote and its exit status."""

from __future__ import annotations

import io
import json
import sys
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from comity.__main__ import now, wiring
from comity.faces.cli.main import run
from comity.faces.wiring import Home, Wiring


@dataclass(frozen=True)
class Answer:
    """What a call left behind."""

    status: int
    out: bytes
    err: str

    @property
    def text(self) -> str:
        return self.out.decode()

    @property
    def json(self) -> Any:
        """The last line of stdout; it must be one JSON object."""
        found = json.loads(self.text.rstrip("\n").rpartition("\n")[2])
        assert isinstance(found, dict)
        return found


def call(wired: Wiring, *words: str, stdin: bytes = b"") -> Answer:
    out, err = io.TextIOWrapper(io.BytesIO(), encoding="utf-8"), io.StringIO()
    kept, sys.stdin = sys.stdin, io.TextIOWrapper(io.BytesIO(stdin), encoding="utf-8")
    try:
        with redirect_stdout(out), redirect_stderr(err):
            status = run(wired, list(words))
    finally:
        sys.stdin = kept
    out.flush()
    return Answer(status, out.buffer.getvalue(), err.getvalue())  # type: ignore[attr-defined]


@dataclass
class Party:
    """One party: its folder, the tokens of its officers, and how far its clock is ahead of the machine's."""

    folder: Path
    name: str
    wired: Wiring
    ahead: int = 0
    tokens: dict[str, str] = field(default_factory=dict)
    id: str = ""
    fingerprint: str = ""

    def open_home(self, folder: Path, database: str | None) -> Home:
        home = wiring().open_home(folder, database)
        return Home(replace(home.node, clock=lambda: now() + self.ahead), home.folder, home.close)

    def try_(self, *words: str, officer: str | None = None, stdin: bytes = b"") -> Answer:
        token = () if officer is None else ("--token", self.tokens[officer])
        return call(self.wired, "--home", str(self.folder), *words, *token, "--json", stdin=stdin)

    def do(self, *words: str, officer: str | None = None, stdin: bytes = b"") -> Any:
        answer = self.try_(*words, officer=officer, stdin=stdin)
        assert answer.status == 0, answer.err
        return answer.json


def found(folder: Path, name: str, kind: str, country: str, *more: str) -> Party:
    """A party with a node and one officer, Ann, who may do everything."""
    party = Party(folder, name, wiring())
    party.wired = replace(party.wired, open_home=party.open_home)
    made = party.do("init", "--party", name, "--kind", kind, "--country", country, *(more or ("--tick", "0.05")))
    party.id, party.fingerprint = made["party"], made["fingerprint"]
    roles = ("--role", "admin", "--role", "sign", "--role", "release")
    party.tokens["Ann"] = party.do("officer", "add", "Ann", *roles)["token"]
    return party


def introduce(*parties: Party) -> None:
    """Each has the card of each other, and has compared fingerprints."""
    for one in parties:
        for other in parties:
            if one is not other:
                card = other.folder.parent / f"{other.folder.name}.card"
                other.do("card", "show", "--output", str(card))
                one.do("card", "add", str(card))
                words = ("--fingerprint", other.fingerprint, "--method", "telephone")
                one.do("card", "verify", other.name, *words, officer="Ann")


def carry(one: Party, other: Party) -> int:
    """A pack from the one to the other by hand; gives the rows in it."""
    pack = one.folder.parent / f"{one.folder.name}-{other.folder.name}.pack"
    pack.unlink(missing_ok=True)
    one.do("pack", "--to", other.id, str(pack))
    return int(other.do("unpack", str(pack))["rows"])
