"""Two nodes over the real application: signed requests in, signed answers out, and nothing for strangers."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import httpx
import msgspec
import pytest

from comity.adapters.http.client import PeerClient
from comity.adapters.http.signing import sign_request
from comity.faces.http.app import create_app
from comity.kernel.errors import NotFound, RequestRefused, Unavailable
from comity.kernel.exchange.messages import MEDIA_TYPE
from comity.kernel.seal.keys import PublicKey, SigningKey
from comity.kernel.store.rows import ActRow, Holding, Nonce
from comity.kernel.tlog.checkpoint import read_checkpoint
from comity.node.contact import converse
from comity.node.nonces import use_nonce
from comity.node.parties import node_keys, read_card_file
from comity.node.quotas import set_limits, used
from simulators.asked import Asker
from simulators.teams import INBOX, STATED, Teams, config, envelope
from simulators.world import DAY, SECOND, indicator

BASE = "http://127.0.0.1:8450"


@dataclass
class Bridge(httpx.BaseTransport):
    """Carries a request into an application; what went by is kept."""

    app: Any
    sent: list[httpx.Request] = field(default_factory=list)
    came: list[httpx.Response] = field(default_factory=list)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        request.read()
        self.sent.append(request)

        async def carry() -> httpx.Response:
            copy = httpx.Request(request.method, request.url, headers=request.headers, content=request.content)
            answer = await httpx.ASGITransport(app=self.app).handle_async_request(copy)
            return httpx.Response(answer.status_code, headers=answer.headers, content=await answer.aread())

        came = asyncio.run(carry())
        self.came.append(came)
        return httpx.Response(came.status_code, headers=came.headers, stream=httpx.ByteStream(came.content))


def client(
    teams: Teams, bridge: Bridge, *, key: SigningKey | None = None, now: Callable[[], int] | None = None
) -> PeerClient:
    """Team B as it calls Team A."""
    b = teams.world.nodes["Team B"]
    numbers = iter(range(10_000))

    def theirs(keyid: str) -> PublicKey | None:
        with b.store.read() as tx:
            return node_keys(tx, teams.a.party, b.clock()).get(keyid)

    return PeerClient(
        BASE,
        pin=None,
        key=key or b.keys.node,
        our_party=b.party,
        their_party=teams.a.party,
        their_keys=theirs,
        clock=now or b.clock,
        nonce=lambda: f"nonce-{id(bridge)}-{next(numbers):08d}",
        transport=bridge,
    )


def held(teams: Teams) -> set[str]:
    with teams.world.nodes["Team B"].store.read() as tx:
        return {row.object for row in tx.find(Holding) if row.ended is None}


def test_a_contact_over_http_brings_what_was_agreed(teams: Teams) -> None:
    teams.take(indicator(1), indicator(2))
    bridge = Bridge(teams.app)
    done = converse(teams.world.nodes["Team B"], teams.a.party, client(teams, bridge))
    assert held(teams) == {indicator(1)["id"], indicator(2)["id"]}
    assert {answer.status_code for answer in bridge.came} == {200}
    assert done is not None


def test_objects_travel_the_other_way_in_the_same_contact(teams: Teams) -> None:
    teams.world.take("Team B", indicator(3), **STATED)
    bridge = Bridge(teams.app)
    converse(teams.world.nodes["Team B"], teams.a.party, client(teams, bridge))
    with teams.a.store.read() as tx:
        assert {row.object for row in tx.find(Holding)} == {indicator(3)["id"]}
    assert any(request.url.path.endswith("/objects") for request in bridge.sent)


def test_a_known_party_gets_card_checkpoint_proof_and_tile(teams: Teams) -> None:
    teams.take(indicator(1))
    bridge = Bridge(teams.app)
    asked = client(teams, bridge)
    with pytest.raises(NotFound):
        asked.checkpoint()
    converse(teams.world.nodes["Team B"], teams.a.party, asked)
    teams.world.at += 61 * SECOND
    teams.take(indicator(2))
    assert len(read_card_file(asked.card())) == 1
    assert read_checkpoint(asked.checkpoint()).size == 1
    assert len(asked.tile("0/000.p/1")) == 32
    with teams.a.store.read() as tx:
        act = next(row for row in tx.find(ActRow) if row.kind == "deliver")
    shown = msgspec.json.decode(asked.proof(act.digest))
    assert shown["act"] == act.envelope.decode()
    assert "checkpoint" in shown
    for missing in (lambda: asked.proof("0" * 64), lambda: asked.tile("0/001"), lambda: asked.tile("63/000.p/7")):
        with pytest.raises(NotFound):
            missing()


def test_a_stranger_gets_the_answer_of_an_address_that_does_not_exist(teams: Teams) -> None:
    nowhere = Asker(teams.app).get("/comity/1/nothing")
    assert nowhere.status_code == 404
    for path in ("card", "checkpoint", "proof/" + "0" * 64, "tile/0/000"):
        unsigned = Asker(teams.app).get(f"/comity/1/{path}")
        assert (unsigned.status_code, unsigned.content, dict(unsigned.headers)) == (
            nowhere.status_code,
            nowhere.content,
            dict(nowhere.headers),
        )
    bridge = Bridge(teams.app)
    with pytest.raises(Unavailable):
        client(teams, bridge, key=SigningKey.from_seed(b"s" * 32)).card()
    assert (bridge.came[0].status_code, bridge.came[0].content) == (nowhere.status_code, nowhere.content)
    with pytest.raises(Unavailable):
        client(teams, bridge, key=SigningKey.from_seed(b"s" * 32)).turn(b"{}", objects=False)
    assert bridge.came[1].content == nowhere.content


def test_our_own_key_is_no_party_that_calls_us(teams: Teams) -> None:
    bridge = Bridge(teams.app)
    with pytest.raises(Unavailable):
        client(teams, bridge, key=teams.a.keys.node).card()


def test_a_replayed_request_is_refused_and_signed_and_survives_a_restart(teams: Teams) -> None:
    bridge = Bridge(teams.app)
    client(teams, bridge).card()
    bridge.handle_request(bridge.sent[0])
    again = bridge.came[-1]
    assert (again.status_code, again.json()["code"]) == (409, "request-replayed")
    assert "signature" in again.headers
    bridge.app = create_app(teams.a, config())
    bridge.handle_request(bridge.sent[0])
    assert bridge.came[-1].json()["code"] == "request-replayed"


def test_a_request_whose_clock_is_wrong_is_told_ours(teams: Teams) -> None:
    bridge = Bridge(teams.app)
    with pytest.raises(RequestRefused) as refused:
        client(teams, bridge, now=lambda: teams.world.at - 600 * SECOND).card()
    assert refused.value.code == "clock"
    assert bridge.came[0].json()["detail"]["at"] == "2021-03-05T12:00:00.000Z"


@pytest.mark.parametrize("change", ["body", "path", "host", "method", "party"])
def test_a_request_changed_on_its_way_does_nothing(teams: Teams, change: str) -> None:
    b = teams.world.nodes["Team B"]
    body = b"{}"
    signed = sign_request(
        b.keys.node,
        "POST",
        f"{BASE}/comity/1/control",
        body,
        to=teams.a.party if change != "party" else b.party,
        nonce="0123456789abcdef",
        now=b.clock(),
    )
    url = f"{BASE}/comity/1/control"
    url = url.replace("control", "objects") if change == "path" else url
    headers = {**signed, "content-type": MEDIA_TYPE}
    if change == "host":
        headers["host"] = "other.example"
    method = "GET" if change == "method" else "POST"
    bridge = Bridge(teams.app)
    bridge.handle_request(httpx.Request(method, url, headers=headers, content=b"{ }" if change == "body" else body))
    told = bridge.came[0].json()["code"]
    expected = {"body": "request-digest", "party": "request-addressee", "method": "method"}
    assert told == expected.get(change, "no-such-page")
    with teams.a.store.read() as tx:
        assert list(tx.find(Nonce)) == []


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "json-syntax"),
        (b"{}", "message"),
        (b"[" * 500 + b"]" * 500, "message"),
        (b"\xff", "json-encoding"),
        (b"null", "message"),
    ],
)
def test_a_turn_that_is_none_is_refused_and_signed(teams: Teams, body: bytes, code: str) -> None:
    bridge = Bridge(teams.app)
    with pytest.raises(RequestRefused):
        client(teams, bridge).turn(body or b" ", objects=False)
    assert 400 <= bridge.came[0].status_code < 500
    assert bridge.came[0].json()["code"] == code
    assert "signature" in bridge.came[0].headers


def test_a_party_whose_requests_keep_failing_is_told_to_wait_and_another_is_not(teams: Teams) -> None:
    b = teams.world.nodes["Team B"]
    set_limits(teams.a, b.party, {"failed": 2}, officer="officer-1")
    bridge = Bridge(teams.app)
    asked = client(teams, bridge)
    for _ in range(2):
        with pytest.raises(RequestRefused):
            asked.turn(b"{}", objects=False)
    with pytest.raises(Unavailable, match="2 requests that fail a day") as told:
        asked.card()
    assert told.value.code == "peer-busy" and bridge.came[-1].status_code == 429
    assert "signature" in bridge.came[-1].headers
    assert teams.b.get("/taxii2/").status_code == 200  # what it may read it may read
    teams.world.at += DAY
    assert len(read_card_file(asked.card())) == 1


def test_requests_that_somebody_forged_or_replayed_do_not_count_against_a_party(teams: Teams) -> None:
    b = teams.world.nodes["Team B"]
    set_limits(teams.a, b.party, {"failed": 1}, officer="officer-1")
    bridge = Bridge(teams.app)
    asked = client(teams, bridge)
    asked.card()
    for _ in range(3):
        bridge.handle_request(bridge.sent[0])
        assert bridge.came[-1].status_code == 409
        forged = httpx.Request(
            "GET", bridge.sent[0].url, headers={**bridge.sent[0].headers, "signature": "comity=:AAAA:"}
        )
        bridge.handle_request(forged)
        assert bridge.came[-1].status_code == 404
    with teams.a.store.read() as tx:
        assert used(tx, b.party, teams.world.at)["failed"] == 0
    assert len(read_card_file(asked.card())) == 1


def test_who_hands_in_too_much_over_taxii_is_told_when_to_come_again(teams: Teams) -> None:
    set_limits(teams.a, teams.world.nodes["Team B"].party, {"submissions": 1}, officer="officer-1")
    taxii = {"content-type": "application/taxii+json;version=2.1", "accept": "application/taxii+json;version=2.1"}
    assert teams.b.post(INBOX, content=envelope(indicator(1)), headers=taxii).status_code == 202
    answer = teams.b.post(INBOX, content=envelope(indicator(2)), headers=taxii)
    assert (answer.status_code, answer.json()["error_code"]) == (429, "peer-quota")
    assert int(answer.headers["retry-after"]) > 0
    assert "1 objects handed in over TAXII a day" in answer.json()["title"]


def test_a_nonce_is_used_once_and_forgotten_when_its_time_is_over(teams: Teams) -> None:
    now = teams.world.at
    assert not use_nonce(teams.a, "k" * 64, "one", now + SECOND)
    assert use_nonce(teams.a, "k" * 64, "one", now + SECOND)
    assert not use_nonce(teams.a, "j" * 64, "one", now + SECOND)
    teams.world.at += 2 * SECOND
    assert not use_nonce(teams.a, "k" * 64, "two", teams.world.at + SECOND)
    with teams.a.store.read() as tx:
        assert [row.nonce for row in tx.find(Nonce)] == ["two"]
