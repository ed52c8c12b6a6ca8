"""What REST does outside of the node: peers called, packs carried, servers of others, keys made; on real folders."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import orjson

from comity.__main__ import wiring
from comity.adapters.http import signing
from comity.faces.http.app import create_app
from comity.faces.http.config import AppConfig
from simulators.asked import Asker
from simulators.served import free_port, pin_of, served
from simulators.shell import Party, call, found, introduce

SAID = ("--tlp", "green", "--no-caveats", "--basis", "agreement", "--purpose", "protect-networks")


@contextmanager
def asked(party: Party) -> Iterator[Asker]:
    """Ann before the application of a party's node, as `comity serve` makes it."""
    home = party.open_home(party.folder, None)
    outside = wiring()
    config = AppConfig(
        open_source=outside.open_source, carrier=signing, writers=outside.writers, home=home, outside=outside
    )
    try:
        yield Asker(create_app(home.node, config), party.tokens["Ann"], accept="application/json")
    finally:
        home.close()


def say(ann: Asker, path: str, **said: Any) -> Any:
    answer = ann.post(f"/api/v1/{path}", orjson.dumps(said), content_type="application/json")
    assert answer.status_code == 200, answer.text
    return answer.json()


def agreed(tmp_path: Path, *more: str) -> tuple[Party, Party, str]:
    alpha = found(tmp_path / "alpha", "Alpha", "csirt", "XA", "--tick", "0.2", *more)
    beta = found(tmp_path / "beta", "Beta", "csirt", "XB", "--tick", "0.2")
    introduce(alpha, beta)
    draft = tmp_path / "d.toml"
    parties = ("--party", "a=Alpha", "--party", "b=Beta")
    alpha.do("agreement", "draft", "--template", "bilateral", *parties, "--output", str(draft))
    digest = alpha.do("agreement", "receive", str(draft))["digest"]
    beta.do("agreement", "receive", str(draft))
    signature = tmp_path / "signature"
    for one, other in ((alpha, beta), (beta, alpha)):
        one.do("agreement", "sign", digest, "--output", str(signature), officer="Ann")
        other.do("agreement", "receive", str(signature))
    alpha.do("import", "-", *SAID, stdin=b"192.0.2.1\n")
    return alpha, beta, alpha.do("search", "192.0.2.1")["found"][0]["object"]


def test_a_pack_is_fetched_from_one_node_and_posted_to_the_other(tmp_path: Path) -> None:
    alpha, beta, one = agreed(tmp_path)
    with asked(alpha) as ann:
        answer = ann.post("/api/v1/packs", orjson.dumps({"to": "Beta"}), content_type="application/json")
        assert answer.status_code == 200, answer.text
        mine = ann.post("/api/v1/packs/taken", answer.content, content_type="application/octet-stream")
        assert (mine.status_code, mine.json()["code"]) == (422, "pack-addressee")
    with asked(beta) as ann:
        taken = ann.post("/api/v1/packs/taken", answer.content, content_type="application/octet-stream").json()
        assert (taken["from"], taken["turns"] > 0, taken["rows"] > 0) == (alpha.id, True, True)
        again = ann.post("/api/v1/packs/taken", answer.content, content_type="application/octet-stream").json()
        assert again == {"turns": 0, "rows": 0, "from": None}
        assert ann.get(f"/api/v1/handling?object={one}").json()["holdings"][0]["name"] == "Alpha"
        assert ann.get("/api/v1/doctor").json() == {"whole": True, "findings": []}


def test_a_peer_is_pinged_called_and_asked_for_its_proofs(tmp_path: Path) -> None:
    port = free_port()
    alpha, beta, one = agreed(tmp_path, "--url", f"https://127.0.0.1:{port}")
    gamma = alpha.do("peer", "add", "--taxii", "Gamma", "--kind", "ngo", "--country", "XC", officer="Ann")
    with asked(beta) as ann, served(alpha, port):
        assert say(ann, "peers/Alpha/ping")["url"] == f"https://127.0.0.1:{port}"
        assert say(ann, "sync", party="Alpha")["failed"] == []
        assert ann.get("/api/v1/peers").json()["peers"][0]["taken"] > 0
        for _ in range(50):
            proof = ann.get(f"/api/v1/log/deliveries/{one}?party=Alpha")
            if proof.status_code == 200:
                break
            time.sleep(0.2)
        file = tmp_path / "received.proof.json"
        file.write_bytes(proof.content)
        known = call(wiring(), "verify", str(file), "--fingerprint", alpha.fingerprint, "--json")
        assert (known.status, known.json["object"]) == (0, one)
        assert say(ann, "log/promises/Alpha/proofs")["party"] == alpha.id
        assert "proved" in {row["state"] for row in ann.get("/api/v1/log/promises").json()["promises"]}
        road = {
            "url": f"https://127.0.0.1:{port}",
            "allow_private": True,
            "pin": pin_of(alpha),
            "secret": gamma["token"],
        }
        pulled = say(ann, "peers/pull", **road, collection="Objects released to you", tlp="amber")
        assert (pulled["objects"], pulled["pages"]) == (0, 0)  # no agreement: Gamma gets nothing
        answer = ann.post("/api/v1/peers/push", orjson.dumps({**road, "to": "Alpha"}), content_type="application/json")
        assert (answer.status_code, answer.json()["code"]) == (403, "not-plain")


def test_our_next_card_and_a_new_key_are_signed_and_the_node_goes_on(tmp_path: Path) -> None:
    alpha, _, _ = agreed(tmp_path)
    with asked(alpha) as ann:
        assert say(ann, "cards/ours", office=["duty-officer"])["serial"] == 2
        assert ann.get("/api/v1/cards/Alpha").json()["offices"] == ["duty-officer"]
        assert say(ann, "cards/ours/rotation", use="node", at_once=True)["serial"] == 3
        answer = ann.post(
            "/api/v1/cards/ours/rotation", orjson.dumps({"use": "secret"}), content_type="application/json"
        )
        assert (answer.status_code, answer.json()["code"]) == (400, "key-use")
    assert sum(key["use"] == "node" for key in alpha.do("card", "show")["keys"]) == 2
    assert alpha.do("doctor")["whole"] is True


def test_an_application_without_a_folder_says_so(tmp_path: Path) -> None:
    alpha, _, _ = agreed(tmp_path)
    home = alpha.open_home(alpha.folder, None)
    ann = Asker(create_app(home.node, AppConfig()), alpha.tokens["Ann"], accept="application/json")
    answer = ann.post("/api/v1/peers/Beta/ping", b"")
    assert (answer.status_code, answer.json()["code"]) == (404, "not-built")
    home.close()
