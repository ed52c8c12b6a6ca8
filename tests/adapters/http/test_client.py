"""Calls to a peer over real sockets: pinned, signed at both ends, limited, and never to the wrong place."""

from __future__ import annotations

import datetime
import gzip
import importlib.util
import itertools
import json
import ssl
import sys
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from comity.adapters.http.client import PeerClient
from comity.adapters.http.outgoing import check_url
from comity.adapters.http.pinned import spki_pin
from comity.adapters.http.signing import sign_response, verify_request
from comity.kernel.errors import ComityError, NotAllowed, NotFound, RequestRefused, SealBroken, Unavailable, Usage
from comity.kernel.exchange.messages import decode, encode
from comity.kernel.exchange.session import Session, Stop, answer
from comity.kernel.model.ids import minted
from comity.kernel.model.instants import HOUR
from comity.kernel.seal.keys import PublicKey, SigningKey

_NAME = "comity_simulated_peer"
if _NAME not in sys.modules:
    _SPEC = importlib.util.spec_from_file_location(_NAME, Path(__file__).parents[2] / "simulators" / "peer.py")
    assert _SPEC is not None
    assert _SPEC.loader is not None
    sys.modules[_NAME] = importlib.util.module_from_spec(_SPEC)
    _SPEC.loader.exec_module(sys.modules[_NAME])
simulated: Any = sys.modules[_NAME]

OURS = SigningKey.from_seed(bytes(range(32)))
THEIRS = SigningKey.from_seed(bytes(range(1, 33)))
A, B = minted("identity", "a"), minted("identity", "b")
NOW = 1_614_686_400_000_000
NONCES = itertools.count()


def our_keys(keyid: str) -> PublicKey | None:
    return OURS.public if keyid == OURS.public.keyid else None


Reply = tuple[int, dict[str, str], bytes]


def their_keys(keyid: str) -> PublicKey | None:
    return THEIRS.public if keyid == THEIRS.public.keyid else None


class Peer:
    """The other node: verifies requests and signs answers; `answer` may be replaced to make it lie."""

    def __init__(self, scheme: str) -> None:
        self.scheme = scheme
        self.now = NOW
        self.used: set[tuple[str, str]] = set()
        self.asked: list[tuple[str, str, bytes]] = []
        self.answer: Callable[[dict[str, str], bytes], Reply] = self.honest
        self.port = 0

    @property
    def url(self) -> str:
        return f"{self.scheme}://127.0.0.1:{self.port}"

    def signed(self, status: int, body: bytes, nonce: str) -> Reply:
        return status, sign_response(THEIRS, status, body, to=A, nonce=nonce, now=self.now), body

    def honest(self, headers: dict[str, str], body: bytes) -> Reply:
        method, path, _ = self.asked[-1]
        try:
            signer = verify_request(
                method, self.url + path, headers, body, our_keys,
                now=self.now, used=self.note, our_party=B,
            )  # fmt: skip
        except ComityError as fault:
            nonce = headers["signature-input"].split('nonce="')[1].split('"')[0]
            return self.signed(401, json.dumps(fault.as_json()).encode(), nonce)
        if "absent" in path or path.endswith("f" * 64):
            return self.signed(404, b'{"code":"x","sentence":"Nothing here."}', signer.nonce)
        return self.signed(200, b"answer to " + path.encode() + b" " + body, signer.nonce)

    def note(self, keyid: str, nonce: str, until: int) -> bool:
        seen = (keyid, nonce) in self.used
        self.used.add((keyid, nonce))
        return seen


def certificate(folder: Path, name: str) -> tuple[Path, str]:
    """A self-signed certificate with its key in one file, and its pin."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    start = datetime.datetime(2021, 1, 1)
    built = (
        x509.CertificateBuilder().subject_name(subject).issuer_name(subject).public_key(key.public_key())
        .serial_number(1).not_valid_before(start).not_valid_after(start + datetime.timedelta(days=36_500))
        .sign(key, SHA256())
    )  # fmt: skip
    file = folder / name
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    file.write_bytes(private + built.public_bytes(Encoding.PEM))
    return file, spki_pin(built.public_bytes(Encoding.DER))


class Serving:
    """A peer behind a socket on loopback."""

    def __init__(self, peer: Peer, file: Path | None = None, newest: ssl.TLSVersion | None = None) -> None:
        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length") or 0))
                peer.asked.append((self.command, self.path, body))
                try:
                    status, headers, answer = peer.answer({k.lower(): v for k, v in self.headers.items()}, body)
                except ConnectionAbortedError:
                    self.close_connection = True
                    return
                self.send_response(status)
                for key, value in headers.items():
                    self.send_header(key, value)
                if "transfer-encoding" not in headers:
                    self.send_header("content-length", str(len(answer)))
                self.end_headers()
                try:
                    self.wfile.write(answer)
                except OSError:
                    self.close_connection = True

            do_GET = do_POST

            def log_message(self, *args: Any) -> None: ...

        class Server(ThreadingHTTPServer):
            def handle_error(self, request: Any, client_address: Any) -> None: ...

        self.server = Server(("127.0.0.1", 0), Handler)
        peer.port = self.server.server_address[1]
        if file is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(file)
            if newest is not None:
                context.maximum_version = newest
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01})
        self.thread.start()

    def close(self) -> None:
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


@pytest.fixture
def peer() -> Iterator[Peer]:
    one = Peer("http")
    serving = Serving(one)
    yield one
    serving.close()


def client(peer: Peer, **changes: Any) -> PeerClient:
    values: dict[str, Any] = {
        "pin": None, "key": OURS, "our_party": A, "their_party": B, "their_keys": their_keys, "clock": lambda: NOW,
        "nonce": lambda: f"nonce-{next(NONCES):012d}", "allow_private": True, "timeout": 5.0,
    }  # fmt: skip
    return PeerClient(**({"base_url": peer.url} | values | changes))


def test_turn_goes_out_signed_and_the_signed_answer_comes_back(peer: Peer) -> None:
    with client(peer) as one:
        assert one.turn(b"{}", objects=True) == b"answer to /comity/1/objects {}"
        assert one.turn(b"{}", objects=False) == b"answer to /comity/1/control {}"
        assert one.card() == b"answer to /comity/1/card "
        assert one.checkpoint() == b"answer to /comity/1/checkpoint "
        assert one.proof("ab" * 32).startswith(b"answer")
        assert one.tile("0/x001/067").startswith(b"answer")
        with pytest.raises(NotFound):
            one.proof("f" * 64)
        with pytest.raises(Usage):
            one.tile("../../card")
        with pytest.raises(Usage):
            one.proof("../card")


def test_pinned_key_is_believed_and_any_other_is_refused_before_a_byte_is_sent(tmp_path: Path) -> None:
    one = Peer("https")
    file, pin = certificate(tmp_path, "right.pem")
    _, other = certificate(tmp_path, "other.pem")
    serving = Serving(one, file)
    try:
        with client(one, pin=pin) as good:
            assert good.turn(b"{}", objects=True).startswith(b"answer")
        with client(one, pin=other) as bad, pytest.raises(SealBroken) as refused:
            bad.turn(b"{}", objects=True)
        assert refused.value.code == "tls-pin"
        assert len(one.asked) == 1
        with pytest.raises(Usage):
            client(one, pin=None)
        with pytest.raises(Usage):
            client(one, pin="AB" * 32)
    finally:
        serving.close()


def test_server_without_tls_1_3_is_not_talked_to(tmp_path: Path) -> None:
    one = Peer("https")
    file, pin = certificate(tmp_path, "right.pem")
    serving = Serving(one, file, ssl.TLSVersion.TLSv1_2)
    try:
        with client(one, pin=pin) as old, pytest.raises(Unavailable):
            old.turn(b"{}", objects=True)
        assert one.asked == []
    finally:
        serving.close()


def test_private_address_is_not_called_unless_the_officer_allows_it(peer: Peer) -> None:
    with client(peer, allow_private=False) as one, pytest.raises(NotAllowed):
        one.turn(b"{}", objects=True)
    assert peer.asked == []


def test_clock_an_hour_off_is_refused_with_the_servers_instant(peer: Peer) -> None:
    with client(peer, clock=lambda: NOW + HOUR) as one, pytest.raises(RequestRefused) as refused:
        one.turn(b"{}", objects=True)
    assert refused.value.code == "clock"
    assert refused.value.detail["at"] == "2021-03-02T12:00:00.000Z"


def test_same_nonce_twice_is_refused_by_the_peer(peer: Peer) -> None:
    with client(peer, nonce=lambda: "nonce-0000000000") as one:
        one.turn(b"{}", objects=True)
        with pytest.raises(RequestRefused) as refused:
            one.turn(b"{}", objects=True)
    assert refused.value.detail["peer"]["code"] == "request-replayed"


def nonce_in(headers: dict[str, str]) -> str:
    return headers["signature-input"].split('nonce="')[1].split('"')[0]


LIES: dict[str, Callable[[Peer, dict[str, str], bytes], Reply]] = {
    "unsigned": lambda peer, headers, body: (200, {}, b"{}"),
    "other question": lambda peer, headers, body: peer.signed(200, b"{}", "nonce-another-one"),
    "other body": lambda peer, headers, body: (*peer.signed(200, b"{}", nonce_in(headers))[:2], b"[]"),
    "other status": lambda peer, headers, body: (200, peer.signed(404, b"{}", nonce_in(headers))[1], b"{}"),
    "other party": lambda peer, headers, body: (
        200, sign_response(THEIRS, 200, b"{}", to=B, nonce=nonce_in(headers), now=NOW), b"{}",
    ),
    "other key": lambda peer, headers, body: (
        200, sign_response(OURS, 200, b"{}", to=A, nonce=nonce_in(headers), now=NOW), b"{}",
    ),
}  # fmt: skip


@pytest.mark.parametrize("lie", LIES)
def test_answer_that_is_not_signed_for_this_question_is_not_believed(peer: Peer, lie: str) -> None:
    peer.answer = lambda headers, body: LIES[lie](peer, headers, body)
    with client(peer) as one, pytest.raises((SealBroken, RequestRefused)) as refused:
        one.turn(b"{}", objects=True)
    assert refused.value.code in ("response-signature", "request-digest")


@pytest.mark.parametrize("status", [400, 404, 500, 502, 503])
def test_unsigned_refusal_counts_as_no_answer(peer: Peer, status: int) -> None:
    peer.answer = lambda headers, body: (status, {}, b"<html>Bad gateway</html>")
    with client(peer) as one, pytest.raises(Unavailable):
        one.turn(b"{}", objects=True)


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{", b'{"code":1,"sentence":[]}', b'{"a":' * 9999, b'{"code":"clock","detail":{"at":{}}}']
)
def test_malformed_refusal_is_still_one_sentence(peer: Peer, body: bytes) -> None:
    peer.answer = lambda headers, got: peer.signed(400, body, nonce_in(headers))
    with client(peer) as one, pytest.raises(RequestRefused) as refused:
        one.turn(b"{}", objects=True)
    assert refused.value.code in ("peer-refused", "clock")


def test_busy_peer_is_tried_again(peer: Peer) -> None:
    peer.answer = lambda headers, got: peer.signed(503, b'{"code":"store-busy","sentence":"Busy."}', nonce_in(headers))
    with client(peer) as one, pytest.raises(Unavailable) as refused:
        one.turn(b"{}", objects=True)
    assert refused.value.code == "peer-busy"


def test_answer_larger_than_the_limit_is_cut_off(peer: Peer) -> None:
    peer.answer = lambda headers, got: peer.signed(200, bytes(5_000_000), nonce_in(headers))
    with client(peer, max_bytes=100_000) as one, pytest.raises(RequestRefused) as refused:
        one.turn(b"{}", objects=True)
    assert refused.value.code == "peer-answer"


def test_redirect_and_compression_are_not_followed(peer: Peer) -> None:
    peer.answer = lambda headers, got: (307, {"location": f"{peer.url}/comity/1/card"}, b"")
    with client(peer) as one, pytest.raises(RequestRefused):
        one.turn(b"{}", objects=True)
    assert len(peer.asked) == 1
    bomb = gzip.compress(bytes(10_000_000))
    peer.answer = lambda headers, got: (200, {"content-encoding": "gzip"}, bomb)
    with client(peer) as one, pytest.raises(RequestRefused):
        one.turn(b"{}", objects=True)


def test_peer_that_hangs_up_or_is_gone_is_tried_again(peer: Peer) -> None:
    def hang_up(headers: dict[str, str], body: bytes) -> Reply:
        raise ConnectionAbortedError

    peer.answer = hang_up
    with client(peer) as one, pytest.raises(Unavailable):
        one.turn(b"{}", objects=True)
    gone = Peer("http")
    Serving(gone).close()
    with client(gone) as one, pytest.raises(Unavailable):
        one.turn(b"{}", objects=True)


def test_peer_that_dribbles_is_left_after_a_while(peer: Peer) -> None:
    stop = threading.Event()

    def silent(headers: dict[str, str], body: bytes) -> Reply:
        stop.wait(5)
        raise ConnectionAbortedError

    peer.answer = silent
    with client(peer, timeout=0.3) as one, pytest.raises(Unavailable):
        one.turn(b"{}", objects=True)
    stop.set()


@pytest.mark.parametrize(
    "url",
    [
        "http://node.example", "ftp://node.example", "https://", "https://user:pw@node.example", "https://node.example/?x=1",
        "https://node.example/#a", "https://[::1", "https://node.example:99999",
        "http://127.0.0.1.example.org", "file:///etc/passwd", "",
    ],
)  # fmt: skip
def test_address_that_is_no_node_is_not_called(url: str) -> None:
    with pytest.raises(Usage):
        check_url(url)


def test_two_nodes_converge_over_sockets() -> None:
    directory: dict[str, PublicKey] = {}
    a, b = simulated.Node("A", directory), simulated.Node("B", directory)
    for n in range(9):
        a.release(b.party, b'{"n": %d}' % n)
        b.release(a.party, b'{"m": %d}' % n)
        a.instrument(b.party)
    peer = Peer("http")

    def serve(headers: dict[str, str], body: bytes) -> Reply:
        method, path, _ = peer.asked[-1]
        signer = verify_request(
            method, peer.url + path, headers, body, lambda keyid: a.key.public if keyid == a.key.public.keyid else None,
            now=NOW, used=peer.note, our_party=b.party,
        )  # fmt: skip
        turn = decode(body)
        assert (turn.page is not None) == path.endswith("/objects")
        told = encode(answer(b, a.party, turn))
        return 200, sign_response(b.key, 200, told, to=a.party, nonce=signer.nonce, now=NOW), told

    peer.answer = serve
    serving = Serving(peer)
    try:
        with client(peer, key=a.key, our_party=a.party, their_party=b.party, their_keys=lambda _: b.key.public) as wire:
            session = Session(a, b.party)
            while (turn := session.next()) is not None:
                session.take(decode(wire.turn(encode(turn), objects=turn.page is not None)))
    finally:
        serving.close()
    assert session.stop is Stop.EMPTY
    for one, other in ((a, b), (b, a)):
        assert other.accounts[one.party].received == one.accounts[other.party].objects_out
        assert one.accounts[other.party].receipted == 9
