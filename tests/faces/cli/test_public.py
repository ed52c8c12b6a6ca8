"""Publication over the command line and between served processes: the word, the instant, the file, and who may say what."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from comity.__main__ import now, wiring
from comity.kernel.model.instants import format
from comity.kernel.store.rows import ActRow, Publication
from comity.node.deeds import deed
from comity.node.doctor import examine
from comity.node.publishing import go, schedule
from simulators.publicity import FREE, STATEMENT, TEXT, statement
from simulators.served import free_port, served
from simulators.shell import Party, call, found, introduce

SECOND = 1_000_000


def appoint(party: Party, due: int, *, say_go: bool = False, text: str = TEXT) -> str:
    """Schedule a statement in the node's folder, as a desk does."""
    home = party.open_home(party.folder, None)
    try:
        with deed(home.node, "officer-1") as work:
            data = statement(home.node, work.at, text)
            row = schedule(work, data, due, handling=FREE, kinds=[STATEMENT])
            if say_go:
                go(work, row.id)
        return row.id
    finally:
        home.close()


def rows(party: Party) -> tuple[list[Publication], list[ActRow]]:
    home = party.open_home(party.folder, None)
    try:
        with home.node.store.read() as tx:
            return list(tx.find(Publication)), [row for row in tx.find(ActRow) if row.kind == "publish"]
    finally:
        home.close()


@pytest.fixture
def alpha(tmp_path: Path) -> Party:
    return found(tmp_path / "alpha", "Alpha", "csirt", "XA")


def test_the_word_is_given_for_what_was_shown_and_the_file_verifies_offline(alpha: Party, tmp_path: Path) -> None:
    alpha.ahead = 10 * SECOND
    due = now() + 3600 * SECOND
    id = appoint(alpha, due)
    [shown] = alpha.do("public", "list")["publications"]
    assert (shown["object"], shown["standing"], shown["appointed"], shown["late"]) == (
        id,
        "waiting",
        format(due),
        False,
    )
    said = ("--at", shown["appointed"], "--digest", shown["digest"][:16])
    assert alpha.do("public", "go", id, *said, officer="Ann")["standing"] == "go"
    assert alpha.do("public", "hold", id, "--reason", "wait", officer="Ann")["standing"] == "hold"
    other = format(now() + 20 * SECOND)
    assert alpha.do("public", "move", id, "--at", other, officer="Ann")["appointed"] == other
    refused = alpha.try_("public", "go", id, *said, officer="Ann")
    assert (refused.status, refused.json["code"]) == (1, "publication-changed")
    alpha.do("public", "go", id, "--at", other, officer="Ann")
    assert alpha.try_("public", "file", id, "--output", str(tmp_path / "x")).json["code"] == "no-publication"

    alpha.ahead += 300 * SECOND
    alpha.do("public", "list")
    alpha.do("log", "checkpoint")
    time.sleep(0.2)
    alpha.do("log", "checkpoint")
    file = tmp_path / "record.json"
    alpha.do("public", "file", "--output", str(file))
    one = call(wiring(), "verify", str(file), "--fingerprint", alpha.fingerprint, "--json")
    assert one.status == 0, one.err
    assert one.json["verified"]
    [item] = one.json["items"]
    assert (item["object"], item["name"], item["appointed"], item["early"]) == (id, "Alpha", other, False)
    assert any("still to come by the clock here" in remark for remark in item["remarks"])  # it ran five minutes ahead
    unknown = call(wiring(), "verify", str(file), "--json")
    assert (unknown.status, unknown.json["why"]) == (1, "consistent, but nobody vouches for the signer")
    assert "NOT VERIFIED" in call(wiring(), "verify", str(file)).text
    file.write_bytes(file.read_bytes().replace(b"Quietwater", b"Firewater!"))
    assert "was damaged on the way" in call(wiring(), "verify", str(file), "--json").json["why"]
    assert alpha.do("doctor")["whole"]


@pytest.mark.parametrize("word", ["go", "hold", "withdraw", "move"])
def test_an_officer_without_the_role_says_nothing_of_a_publication(alpha: Party, word: str) -> None:
    id = appoint(alpha, now() + 3600 * SECOND)
    alpha.tokens["Sid"] = alpha.do("officer", "add", "Sid", "--role", "sign", "--role", "audit", officer="Ann")["token"]
    at = ("--at", format(now() + 7200 * SECOND)) if word in ("go", "move") else ()
    for officer, code in (("Sid", "role-missing"), (None, "token-needed")):
        refused = alpha.try_("public", word, id, *at, officer=officer)
        assert (refused.status, refused.json["code"]) == (1, code)
    [row] = rows(alpha)[0]
    assert row.standing == "waiting"


def test_served_nodes_publish_at_the_instant_by_themselves_and_a_third_collects_one_file(tmp_path: Path) -> None:
    ports = [free_port(), free_port()]
    pair = [
        found(tmp_path / name, name, "ministry", country, "--tick", "0.2", "--url", f"https://127.0.0.1:{port}")
        for name, country, port in (("Alpha", "XA", ports[0]), ("Beta", "XB", ports[1]))
    ]
    gamma = found(tmp_path / "Gamma", "Gamma", "ngo", "XC")
    introduce(gamma, *pair)
    file = tmp_path / "public.json"
    with served(pair[0], ports[0]), served(pair[1], ports[1]):
        due = now() + 3 * SECOND
        ids = [appoint(party, due, say_go=True, text=f"We say so, says {party.name}.") for party in pair]
        empty = gamma.do("public", "collect", "--from", "Alpha", "--from", "Beta")
        assert empty == {"publications": [], "failed": []}
        for _ in range(100):
            time.sleep(0.2)
            shape = gamma.do("public", "collect", "--from", "Alpha", "--from", "Beta")
            if len(shape["publications"]) == 2:
                break
        gamma.do("public", "collect", "--from", "Alpha", "--from", "Beta", "--output", str(file))
    assert {one["object"] for one in shape["publications"]} == set(ids)
    known = [word for party in pair for word in ("--fingerprint", party.fingerprint)]
    answer = call(wiring(), "verify", str(file), *known, "--json")
    assert answer.status == 0, answer.err
    for item in answer.json["items"]:
        assert not item["early"]
        assert item["remarks"] == []
    for party in pair:
        [act] = rows(party)[1]
        assert act.at >= due


SCRIPT = """
import sys, time
from pathlib import Path
from comity.__main__ import open_home
from comity.node.deeds import deed
home = open_home(Path(sys.argv[1]), None)
print("ready", flush=True)
while True:
    with deed(home.node):
        pass
    time.sleep(0.0005)
"""


def test_a_node_killed_again_and_again_around_the_instant_publishes_exactly_once(alpha: Party) -> None:
    due, apart = now() + 3 * SECOND, SECOND // 4
    ids = {appoint(alpha, due + n * apart, say_go=True, text=f"Statement {n}.") for n in range(12)}
    killed = 0
    while now() < due + 13 * apart:
        work = subprocess.Popen([sys.executable, "-c", SCRIPT, str(alpha.folder)], stdout=subprocess.PIPE)
        assert work.stdout is not None
        assert work.stdout.readline() == b"ready\n"
        time.sleep(max(0.0, (due - now()) / SECOND) + 0.03 + (killed % 7) * 0.009)
        os.kill(work.pid, signal.SIGKILL)
        work.wait(10)
        work.stdout.close()
        killed += 1
    assert killed > 1
    home = alpha.open_home(alpha.folder, None)
    try:
        with deed(home.node):
            pass
        kept, acts = rows(alpha)
        assert {row.standing for row in kept} <= {"published", "proved"}
        said = [json.dumps(row.act) for row in kept]
        assert len(said) == len(set(said)) == len(acts) == len(ids)
        assert {row.act for row in kept} == {row.digest for row in acts}
        assert list(examine(home.node)) == []
    finally:
        home.close()
