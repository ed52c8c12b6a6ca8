"""One node served by a real process over TLS, the other called by commands: contact, proof from the other's log, TAXII both ways."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from comity.__main__ import wiring
from simulators.served import free_port, pin_of, served
from simulators.shell import call, found, introduce

SAID = ("--tlp", "green", "--no-caveats", "--basis", "agreement", "--purpose", "protect-networks")


def test_contact_proof_and_taxii_with_a_served_node(tmp_path: Path) -> None:
    port = free_port()
    url = f"https://127.0.0.1:{port}"
    alpha = found(tmp_path / "alpha", "Alpha", "csirt", "XA", "--tick", "0.2", "--url", url)
    beta = found(tmp_path / "beta", "Beta", "csirt", "XB")
    introduce(alpha, beta)
    draft = tmp_path / "d.toml"
    parties = ("--party", "a=Alpha", "--party", "b=Beta")
    alpha.do("agreement", "draft", "--template", "bilateral", *parties, "--output", str(draft))
    digest = alpha.do("agreement", "receive", str(draft))["digest"]
    alpha.do("agreement", "send", digest, officer="Ann")
    alpha.do("agreement", "sign", digest, officer="Ann")
    alpha.do("import", "-", *SAID, stdin=b"192.0.2.1\n")
    one = alpha.do("search", "192.0.2.1")["found"][0]["object"]
    gamma = alpha.do("peer", "add", "--taxii", "Gamma", "--kind", "ngo", "--country", "XC", officer="Ann")

    answer = beta.try_("sync", "Alpha")
    assert (answer.status, answer.json["code"]) == (1, "peer-unreachable")
    assert beta.do("outbox", "list")["outbox"][0]["attempts"] == 1

    with served(alpha, port):
        assert beta.do("peer", "ping", "Alpha")["url"] == url
        beta.do("sync", "Alpha")
        beta.do("agreement", "sign", digest, officer="Ann")
        assert beta.do("sync")["failed"] == []
        for _ in range(20):
            if beta.do("search", "192.0.2.1")["count"]:
                break
            time.sleep(0.2)
            beta.do("sync", "Alpha")
        assert beta.do("search", "192.0.2.1")["found"][0]["object"] == one
        assert beta.do("peer", "list")["peers"][0]["error"] is None

        proof = tmp_path / "received.proof.json"
        for _ in range(20):
            answer = beta.try_("log", "prove", one, "Alpha", "--output", str(proof))
            if answer.status == 0:
                break
            assert answer.json["code"] == "proof-not-due"
            time.sleep(0.2)
        known = call(wiring(), "verify", str(proof), "--fingerprint", alpha.fingerprint, "--json")
        assert (known.status, known.json["object"]) == (0, one)
        assert beta.do("log", "promises", "Alpha", "--fetch")["states"]["proved"] >= 1

        road = ("--allow-private", "--pin", pin_of(alpha), "--secret", gamma["token"], "--collection")
        pulled = beta.do("peer", "pull", url, *road, "Objects released to you", "--tlp", "amber")
        assert (pulled["objects"], pulled["pages"]) == (0, 0)  # no agreement: Gamma gets nothing
        wrong = ("--allow-private", "--pin", "0" * 64, "--secret", gamma["token"], "--collection", "x")
        assert beta.try_("peer", "pull", url, *wrong).json["code"] == "tls-pin"
        refused = ("--allow-private", "--pin", pin_of(alpha), "--secret", "cmt_nobody", "--collection", "x")
        assert beta.try_("peer", "pull", url, *refused).json["code"] == "taxii-refused"
        assert beta.try_("peer", "pull", url, *road, "elsewhere").json["code"] == "no-collection"
        answer = beta.try_("peer", "push", url, "--to", "Alpha", *road, "inbox", officer="Ann")
        assert (answer.status, answer.json["code"]) == (1, "not-plain")

    assert alpha.do("account", "--party", "Beta")["given"][0]["receipt"]
    assert alpha.do("doctor")["whole"] is True


def test_address_noted_by_an_officer_is_called_instead_of_the_cards(tmp_path: Path) -> None:
    port = free_port()
    alpha = found(tmp_path / "alpha", "Alpha", "csirt", "XA", "--url", "https://127.0.0.1:9")
    beta = found(tmp_path / "beta", "Beta", "csirt", "XB")
    introduce(alpha, beta)
    with served(alpha, port):
        assert beta.try_("peer", "ping", "Alpha").json["code"] == "peer-unreachable"
        told = beta.do("peer", "add", "Alpha", "--url", f"https://127.0.0.1:{port}", officer="Ann")
        assert told["url"] == f"https://127.0.0.1:{port}"
        assert beta.do("peer", "ping", "Alpha")["serial"] == 1


def test_watching_ends_with_130_and_says_what_is_kept(tmp_path: Path) -> None:
    alpha = found(tmp_path / "alpha", "Alpha", "csirt", "XA", "--url", "https://127.0.0.1:9")
    beta = found(tmp_path / "beta", "Beta", "csirt", "XB")
    introduce(alpha, beta)
    work = subprocess.Popen(
        [sys.executable, "-m", "comity", "--home", str(beta.folder), "--json", "sync", "--watch"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=os.environ,
    )
    assert work.stderr is not None
    assert b"Alpha" in work.stderr.readline()  # the first contact was tried and failed
    work.send_signal(signal.SIGINT)
    out, err = work.communicate(timeout=30)
    assert (work.returncode, json.loads(out)["code"]) == (130, "stopped")
    assert b"Traceback" not in err
