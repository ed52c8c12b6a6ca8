"""Signed requests: replayed, altered, misaddressed, late and half-signed ones are refused."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from http_message_signatures import HTTPMessageSigner, HTTPMessageVerifier, HTTPSignatureKeyResolver, algorithms
from hypothesis import given, settings
from hypothesis import strategies as st

from comity.adapters.http.signing import (
    SKEW,
    authority,
    content_digest,
    nonce_of,
    sign_request,
    sign_response,
    verify_request,
    verify_response,
)
from comity.kernel.errors import PeerFault, RequestRefused, SealBroken
from comity.kernel.model.ids import minted
from comity.kernel.model.instants import HOUR, SECOND
from comity.kernel.seal.keys import PublicKey, SigningKey

SEED = bytes(range(32))
KEY = SigningKey.from_seed(SEED)
OTHER = SigningKey.from_seed(bytes(32))
A, B = minted("identity", "a"), minted("identity", "b")
NOW = 1_614_686_400 * SECOND
URL = "https://node.example:8443/comity/1/objects"
BODY = b'{"turn":1}'
NONCE = "nonce-0123456789"


class Nonces:
    """The durable list of used nonces, as a file that outlives the process."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def __call__(self, keyid: str, nonce: str, until: int) -> bool:
        lines = self.file.read_text().splitlines() if self.file.exists() else []
        if f"{keyid} {nonce}" in lines:
            return True
        self.file.write_text("\n".join([*lines, f"{keyid} {nonce}"]))
        return False


def fresh(keyid: str, nonce: str, until: int) -> bool:
    return False


def keys(keyid: str) -> PublicKey | None:
    return KEY.public if keyid == KEY.public.keyid else None


def signed(**changes: Any) -> dict[str, str]:
    values: dict[str, Any] = {"to": B, "nonce": NONCE, "now": NOW} | changes
    return sign_request(KEY, "POST", URL, BODY, **values)


def check(headers: dict[str, str], **changes: Any) -> Any:
    values: dict[str, Any] = {"method": "POST", "url": URL, "headers": headers, "body": BODY, "keys": keys}
    return verify_request(**({"now": NOW, "used": fresh, "our_party": B} | values | changes))


def refused(headers: dict[str, str], **changes: Any) -> str:
    with pytest.raises(RequestRefused) as fault:
        check(headers, **changes)
    return fault.value.code


def test_signed_request_tells_who_signed_it() -> None:
    signer = check({name.title(): value for name, value in signed().items()})
    assert (signer.keyid, signer.nonce, signer.to) == (KEY.public.keyid, NONCE, B)
    assert signer.expires - signer.created == 60 * SECOND


def test_replayed_request_is_refused_also_after_a_restart(tmp_path: Path) -> None:
    headers = signed()
    check(headers, used=Nonces(tmp_path / "nonces"))
    assert refused(headers, used=Nonces(tmp_path / "nonces")) == "request-replayed"


def test_refused_request_does_not_use_up_its_nonce(tmp_path: Path) -> None:
    used = Nonces(tmp_path / "nonces")
    assert refused(signed(), body=b"other", used=used) == "request-digest"
    assert refused(signed(), our_party=A, used=used) == "request-addressee"
    check(signed(), used=used)


def test_nonce_is_kept_until_the_request_would_be_refused_for_its_time() -> None:
    kept: list[int] = []
    check(signed(), used=lambda keyid, nonce, until: bool(kept.append(until)))
    check(signed(), now=kept[0])
    assert refused(signed(), now=kept[0] + 1) == "clock"


def test_request_for_another_party_is_refused() -> None:
    assert refused(signed(to=A)) == "request-addressee"


@pytest.mark.parametrize("now", [NOW + HOUR, NOW - HOUR, NOW + 91 * SECOND, NOW - SKEW - 1])
def test_request_of_a_wrong_clock_is_refused_with_the_servers_instant(now: int) -> None:
    with pytest.raises(RequestRefused) as fault:
        check(signed(), now=now)
    assert fault.value.code == "clock"
    assert fault.value.detail["at"].endswith("Z")


def test_clocks_may_differ_a_little() -> None:
    check(signed(), now=NOW - SKEW)
    check(signed(), now=NOW + 60 * SECOND + SKEW)


def test_request_by_an_unknown_key_is_refused() -> None:
    headers = sign_request(OTHER, "POST", URL, BODY, to=B, nonce=NONCE, now=NOW)
    assert refused(headers) == "request-key"
    assert refused(headers, keys=lambda keyid: KEY.public) == "request-key"


@pytest.mark.parametrize(
    "changes",
    [
        {"method": "GET"},
        {"url": "https://node.example:8443/comity/1/control"},
        {"url": "https://node.example/comity/1/objects"},
        {"url": "http://node.example:8443/comity/1/objects"},
        {"url": URL + "?x=1"},
    ],
)
def test_request_moved_to_another_target_is_refused(changes: dict[str, str]) -> None:
    assert refused(signed(), **changes) == "request-signature"


def test_body_that_was_changed_is_refused_also_with_a_new_digest() -> None:
    assert refused(signed(), body=b'{"turn":2}') == "request-digest"
    headers = signed() | {"content-digest": content_digest(b'{"turn":2}')}
    assert refused(headers, body=b'{"turn":2}') == "request-signature"
    assert refused(signed() | {"comity-to": A}, our_party=A) == "request-signature"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"content-digest" ', ""),
        ('"@target-uri" ', ""),
        (' "comity-to"', ""),
        ('"@method"', '"@method" "@method"'),
        ('"@method"', '"@method";req'),
        ('"@method"', '"@method" "@query-param";name="a"'),
        ('"@method"', '"@path" "@method"'),
        ('tag="comity-1"', 'tag="other"'),
        (';tag="comity-1"', ""),
        (f';nonce="{NONCE}"', ""),
        (f';nonce="{NONCE}"', ';nonce="short"'),
        (f';nonce="{NONCE}"', f';nonce="{NONCE}";nonce="{NONCE}x"'),
        ("expires=1614686460", "expires=1614690000"),
        ("expires=1614686460", "expires=1614686399"),
        (";expires=1614686460", ""),
        ("created=1614686400", 'created="1614686400"'),
        ("comity=(", "other=("),
        ("comity=(", "comity=(),comity=("),
        (';tag="comity-1"', ';tag="comity-1";alg="rsa-v1_5-sha256"'),
        (';tag="comity-1"', ';tag="comity-1";unknown="x"'),
    ],
)
def test_half_signed_request_is_refused_even_where_its_signature_would_hold(old: str, new: str) -> None:
    headers = signed()
    assert old in headers["signature-input"]
    headers["signature-input"] = headers["signature-input"].replace(old, new)
    assert refused(headers) == "request-signature"


@given(
    st.sampled_from(["signature-input", "signature", "content-digest", "comity-to"]),
    st.one_of(st.text(max_size=200), st.integers(0, 150)),
    st.characters(),
)
@settings(max_examples=300, deadline=None)
def test_any_change_to_a_signed_field_is_refused_with_a_code(field: str, change: str | int, letter: str) -> None:
    headers = signed()
    old = headers[field]
    if isinstance(change, int):
        headers[field] = old[:change] + letter + old[change + 1 :]
    else:
        headers[field] = change
    if headers[field].strip(" \t") == old:
        return
    try:
        check(headers)
    except PeerFault:
        return
    assert headers["signature-input"] == signed()["signature-input"], "a changed signature was believed"
    assert field in ("signature", "content-digest")  # a further label beside ours, not looked at


def test_missing_fields_are_refused_one_by_one() -> None:
    assert refused({}) == "request-signature"
    for name in signed():
        headers = signed()
        del headers[name]
        assert refused(headers) in ("request-signature", "request-digest")


def test_further_signature_and_covered_fields_of_a_proxy_do_no_harm() -> None:
    headers = signed()
    headers["signature-input"] = 'proxy=("@method");created=1;keyid="x", ' + headers["signature-input"]
    headers["signature"] = "proxy=:AAAA:, " + headers["signature"]
    check(headers)


def test_answer_fits_one_question_of_one_party() -> None:
    headers = sign_response(KEY, 200, BODY, to=A, nonce=NONCE, now=NOW)
    assert verify_response(200, headers, BODY, keys, nonce=NONCE, our_party=A) == KEY.public.keyid
    cases: list[dict[str, Any]] = [
        {"nonce": "nonce-9999999999"}, {"our_party": B}, {"status": 404}, {"keys": lambda keyid: None}, {"headers": {}},
    ]  # fmt: skip
    for changed in cases:
        values: dict[str, Any] = {
            "status": 200,
            "headers": headers,
            "body": BODY,
            "keys": keys,
            "nonce": NONCE,
            "our_party": A,
        }
        with pytest.raises(SealBroken) as fault:
            verify_response(**(values | changed))
        assert fault.value.code == "response-signature"
    with pytest.raises(RequestRefused):
        verify_response(200, headers, b"other", keys, nonce=NONCE, our_party=A)


def test_refusal_can_be_signed_for_a_request_that_did_not_hold() -> None:
    assert nonce_of(signed()) == NONCE
    assert nonce_of({"signature-input": "nonsense"}) is None


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://NODE.example/x", "node.example"),
        ("https://node.example:443/", "node.example"),
        ("http://node.example:443/", "node.example:443"),
        ("http://127.0.0.1:8080", "127.0.0.1:8080"),
        ("https://[2a00::1]:8443/", "[2a00::1]:8443"),
    ],
)
def test_authority_is_normalised_as_the_standard_says(url: str, expected: str) -> None:
    assert authority(url) == expected


class Resolver(HTTPSignatureKeyResolver):
    def resolve_public_key(self, key_id: str) -> Any:
        return Ed25519PrivateKey.from_private_bytes(SEED).public_key()

    def resolve_private_key(self, key_id: str) -> Any:
        return Ed25519PrivateKey.from_private_bytes(SEED)


class Message:
    def __init__(self, headers: dict[str, str]) -> None:
        self.method, self.url, self.headers = "POST", URL, headers


def _now() -> int:
    return int(datetime.datetime.now(datetime.UTC).timestamp()) * SECOND


def test_library_of_the_standard_verifies_our_signature() -> None:
    message = Message(signed(now=_now()))
    verifier = HTTPMessageVerifier(signature_algorithm=algorithms.ED25519, key_resolver=Resolver())
    found = verifier.verify(message, expect_tag="comity-1", require_components=("@method", "content-digest"), body=BODY)
    assert [one.nonce for one in found] == [NONCE]


def test_we_verify_a_signature_of_the_library_of_the_standard() -> None:
    at = _now()
    created = datetime.datetime.fromtimestamp(at // SECOND, datetime.UTC)
    message = Message({"comity-to": B, "content-digest": content_digest(BODY), "content-type": "x/y"})
    HTTPMessageSigner(signature_algorithm=algorithms.ED25519, key_resolver=Resolver()).sign(
        message,
        key_id=KEY.public.keyid,
        created=created,
        expires=created + datetime.timedelta(seconds=60),
        nonce=NONCE,
        label="comity",
        tag="comity-1",
        use_existing_digest=True,
        covered_component_ids=("content-type", "@method", "@authority", "@target-uri", "content-digest", "comity-to"),
    )
    assert check(message.headers, now=at).keyid == KEY.public.keyid
