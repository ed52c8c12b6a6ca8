"""Envelopes: published PAE, signers, thresholds, and every way to spell an envelope twice."""

from __future__ import annotations

import json
from base64 import b64encode
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from comity.kernel.errors import SealBroken, Usage
from comity.kernel.seal.canonical import canonical
from comity.kernel.seal.dsse import (
    MOST_SIGNATURES,
    countersign,
    open_envelope,
    pae,
    payload_type,
    sign,
    unverified_body,
)
from comity.kernel.seal.keys import PublicKey, SigningKey

ALICE, BOB, CAROL = (SigningKey.from_seed(letter * 32) for letter in (b"a", b"b", b"c"))
BODY: dict[str, Any] = {"form": 1, "says": "é", "list": [1, 2.5, None, True]}


def _known(*keys: SigningKey) -> dict[str, PublicKey]:
    return {key.public.keyid: key.public for key in keys}


def _code(envelope: bytes, kind: str = "act", keys: dict[str, PublicKey] | None = None, threshold: int = 1) -> str:
    with pytest.raises(SealBroken) as refused:
        open_envelope(envelope, kind, _known(ALICE) if keys is None else keys, threshold=threshold)
    return refused.value.code


def _resigned(payload: bytes, named: str = "application/vnd.comity.act.v1+json", key: SigningKey = ALICE) -> bytes:
    """An envelope with an honest signature over whatever payload and type."""
    signature = {"keyid": key.public.keyid, "sig": b64encode(key.sign(pae(named, payload))).decode()}
    return canonical({"payload": b64encode(payload).decode(), "payloadType": named, "signatures": [signature]})


def test_published_pre_authentication_encoding_comes_out() -> None:
    # DSSE v1 protocol, "Test Vectors"
    assert (
        pae("http://example.com/HelloWorld", b"hello world")
        == b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
    )


def test_what_was_signed_is_what_is_opened() -> None:
    opened = open_envelope(sign("act", BODY, [ALICE]), "act", _known(ALICE, BOB))
    assert opened.body == BODY
    assert opened.signers == (ALICE.public.keyid,)
    assert opened.payload == canonical(BODY)


def test_envelope_is_plain_dsse_for_other_readers() -> None:
    envelope = json.loads(sign("act", BODY, [ALICE, BOB]))
    assert envelope["payloadType"] == "application/vnd.comity.act.v1+json"
    assert [entry["keyid"] for entry in envelope["signatures"]] == [ALICE.public.keyid, BOB.public.keyid]
    assert sign("act", BODY, [ALICE, BOB]) == canonical(envelope)


def test_two_of_three_signatures_reach_a_threshold_of_two() -> None:
    envelope = countersign(sign("act", BODY, [ALICE]), "act", CAROL)
    assert open_envelope(envelope, "act", _known(ALICE, BOB, CAROL), threshold=2).signers == (
        ALICE.public.keyid,
        CAROL.public.keyid,
    )
    assert envelope == sign("act", BODY, [ALICE, CAROL])


def test_one_signer_signing_twice_counts_once() -> None:
    assert countersign(sign("act", BODY, [ALICE]), "act", ALICE) == sign("act", BODY, [ALICE, ALICE])
    doubled = json.loads(sign("act", BODY, [ALICE]))
    doubled["signatures"] *= 2
    envelope = canonical(doubled)
    assert open_envelope(envelope, "act", _known(ALICE)).signers == (ALICE.public.keyid,)
    assert _code(envelope, threshold=2) == "below-threshold"


def test_signature_of_a_stranger_is_refused() -> None:
    assert _code(sign("act", BODY, [BOB])) == "unknown-signer"


def test_signature_of_a_stranger_beside_a_known_one_changes_nothing() -> None:
    assert open_envelope(sign("act", BODY, [BOB, ALICE]), "act", _known(ALICE)).signers == (ALICE.public.keyid,)


def test_keyid_put_on_another_keys_signature_is_refused() -> None:
    swapped = json.loads(sign("act", BODY, [BOB]))
    swapped["signatures"][0]["keyid"] = ALICE.public.keyid
    assert _code(canonical(swapped)) == "bad-signature"


def test_envelope_of_one_kind_is_refused_as_another() -> None:
    assert _code(sign("seal", BODY, [ALICE])) == "wrong-type"


def test_type_changed_after_signing_is_refused() -> None:
    envelope = sign("seal", BODY, [ALICE]).replace(b"comity.seal", b"comity.act")
    assert _code(envelope) == "bad-signature"


@pytest.mark.parametrize(
    "payload",
    [
        b'{"b":1,"a":2}',
        b'{"a": 1}',
        b'{"a":1.0}',
        b'{"a":1,"a":1}',
        b"[]",
        b"1",
        b"",
        b'{"a":"\\u0041"}',
        b"{" * 5000,
        b"\xff",
    ],
)
def test_signed_payload_that_is_not_canonical_is_refused(payload: bytes) -> None:
    assert _code(_resigned(payload)) == "envelope-not-canonical"


def test_second_spelling_of_an_envelope_is_refused() -> None:
    envelope = sign("act", BODY, [ALICE])
    outer = json.loads(envelope)
    slack = dict(outer, payload=outer["payload"][:-2] + "==") if outer["payload"].endswith("=") else outer
    spellings = [
        json.dumps(outer).encode(),
        envelope + b"\n",
        canonical(outer | {"note": "unsigned"}),
        envelope.replace(b'{"payload":', b'{"payload":"e30=","payload":', 1),
        envelope.replace(b'"signatures":[{', b'"signatures":[{"extra":1,'),
        canonical(outer | {"payload": outer["payload"].replace("=", "") + "\n"}),
    ]
    for spelling in spellings:
        assert _code(spelling) == "envelope-malformed"
    del slack


def test_base64_with_slack_bits_is_refused() -> None:
    outer = json.loads(sign("act", BODY, [ALICE]))
    text = outer["signatures"][0]["sig"]
    assert text.endswith("==")
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    outer["signatures"][0]["sig"] = text[:-3] + alphabet[alphabet.index(text[-3]) | 1] + "=="
    assert outer["signatures"][0]["sig"] != text
    assert _code(canonical(outer)) == "envelope-malformed"


@pytest.mark.parametrize(
    "envelope",
    [
        b"",
        b"null",
        b"[]",
        b"{}",
        b'{"payload":1,"payloadType":"application/vnd.comity.act.v1+json","signatures":[]}',
        b'{"payload":"","payloadType":1,"signatures":[]}',
        b'{"payload":"","payloadType":"application/vnd.comity.act.v1+json","signatures":{"a":1}}',
        b'{"payload":"","payloadType":"application/vnd.comity.act.v1+json","signatures":[1]}',
        b'{"payload":"","payloadType":"application/vnd.comity.act.v1+json","signatures":[{"keyid":1,"sig":""}]}',
        b'{"payload":"","payloadType":"application/vnd.comity.act.v1+json","signatures":"a"}',
        b"[" * 100_000,
        b"\xff\xfe",
    ],
)
def test_bytes_that_are_no_envelope_are_refused(envelope: bytes) -> None:
    assert _code(envelope) == "envelope-malformed"


def test_envelope_with_a_flood_of_signatures_is_refused_unverified() -> None:
    outer = json.loads(sign("act", BODY, [ALICE]))
    outer["signatures"] *= MOST_SIGNATURES + 1
    assert _code(canonical(outer)) == "envelope-malformed"


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_any_changed_byte_of_an_envelope_is_refused(data: st.DataObject) -> None:
    envelope = bytearray(sign("act", BODY, [ALICE]))
    place = data.draw(st.integers(0, len(envelope) - 1))
    envelope[place] = data.draw(st.integers(0, 255).filter(lambda byte: byte != envelope[place]))
    with pytest.raises(SealBroken):
        open_envelope(bytes(envelope), "act", _known(ALICE))


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=200))
def test_noise_is_refused_with_the_right_error(noise: bytes) -> None:
    for read in (lambda: open_envelope(noise, "act", {}), lambda: unverified_body(noise, "act")):
        with pytest.raises(SealBroken):
            read()


def test_unverified_body_tells_whom_to_ask_for() -> None:
    assert unverified_body(sign("act", BODY, [ALICE, BOB]), "act") == (BODY, (ALICE.public.keyid, BOB.public.keyid))


def test_envelope_without_signer_or_with_a_foreign_kind_is_not_made() -> None:
    with pytest.raises(Usage):
        sign("act", BODY, [])
    for kind in ("Act", "a b", "", "act/../seal", "act\n"):
        with pytest.raises(Usage):
            payload_type(kind)
