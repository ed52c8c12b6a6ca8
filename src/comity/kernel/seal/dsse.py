"""Signed envelopes: DSSE v1 with a payload type per kind of thing and as many signatures as it takes.

The payload is the RFC 8785 form of a JSON object, and the envelope itself stands in RFC 8785 form with no other
member than DSSE names: an envelope has one spelling, so its hash can be referred to. What is signed is
PAE(payloadType, payload) (DSSE protocol, "Signature Definition").
"""

from __future__ import annotations

import re
from binascii import Error as Base64Error
from binascii import a2b_base64, b2a_base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

import orjson

from comity.kernel.errors import InputRefused, SealBroken, Usage
from comity.kernel.seal.canonical import canonical
from comity.kernel.seal.keys import PublicKey, SigningKey

MOST_SIGNATURES: Final = 256
"""More signatures than this in one envelope are refused before any is verified."""

_KIND: Final = re.compile(r"[a-z][a-z0-9]*(?:-[a-z0-9]+)*", re.ASCII)
_KEYID: Final = re.compile(r"[0-9a-f]{64}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Opened:
    """An envelope whose signatures held: the body, who signed (each once, in the order met), the payload bytes."""

    body: dict[str, Any]
    signers: tuple[str, ...]
    payload: bytes


@lru_cache(maxsize=256)
def payload_type(kind: str) -> str:
    """``application/vnd.comity.<kind>.v1+json``.

    Raises:
        Usage: `envelope-kind` when the kind is not a lower-case word with hyphens.
    """
    if _KIND.fullmatch(kind) is None:
        raise Usage("envelope-kind", f"{kind!r} is no kind of envelope; write a lower-case word such as seal or card.")
    return f"application/vnd.comity.{kind}.v1+json"


def pae(kind_type: str, payload: bytes) -> bytes:
    """The pre-authentication encoding: what is really signed. Lengths are in bytes."""
    named = kind_type.encode()
    return b"DSSEv1 %d %b %d %b" % (len(named), named, len(payload), payload)


def sign(kind: str, body: Mapping[str, Any], keys: Sequence[SigningKey]) -> bytes:
    """The envelope of `body` signed by each of `keys`, in RFC 8785 form.

    Raises:
        InputRefused: `not-canonical` when the body has no RFC 8785 form.
        Usage: `envelope-kind`; `no-signer` when there is no key.
    """
    if not keys:
        raise Usage("no-signer", "An envelope needs at least one signing key.")
    named = payload_type(kind)
    payload = canonical(body if type(body) is dict else dict(body))
    signed = pae(named, payload)
    signatures = {key.public.keyid: key for key in keys}
    return _written(payload, named, [(keyid, key.sign(signed)) for keyid, key in signatures.items()])


def countersign(envelope: bytes, kind: str, key: SigningKey) -> bytes:
    """The same envelope with one more signature at its end; unchanged if this key has signed already.

    The other signatures are not verified here.

    Raises:
        SealBroken: as `unverified_body`.
    """
    payload, signatures = _read(envelope, kind)
    _body(payload)
    if key.public.keyid in dict(signatures):
        return envelope
    named = payload_type(kind)
    return _written(payload, named, [*signatures, (key.public.keyid, key.sign(pae(named, payload)))])


def open_envelope(envelope: bytes, kind: str, keys: Mapping[str, PublicKey], *, threshold: int = 1) -> Opened:
    """Verify an envelope: of this kind, in canonical form, signed by at least `threshold` of `keys`.

    Signatures by keys that are not given are passed over; one by a given key must hold. A signer counts once.

    Raises:
        SealBroken: `envelope-malformed`, `wrong-type`, `bad-signature`, `envelope-not-canonical`, `unknown-signer`
        when no
            given key signed, `below-threshold` when fewer signed than are needed.
    """
    payload, signatures = _read(envelope, kind)
    signed = pae(payload_type(kind), payload)
    signers: dict[str, None] = {}
    for keyid, signature in signatures:
        key = keys.get(keyid)
        if key is not None:
            key.verify(signature, signed)
            signers[keyid] = None
    if not signers:
        raise SealBroken(
            "unknown-signer",
            f"This {kind} is not signed by any key we hold for its party; get the party's present card.",
            keyids=[keyid for keyid, _ in signatures],
        )
    if len(signers) < threshold:
        raise SealBroken(
            "below-threshold",
            f"This {kind} carries {len(signers)} of the {threshold} signatures it needs; wait for the others to sign.",
            signed=len(signers),
            needed=threshold,
        )
    return Opened(_body(payload), tuple(signers), payload)


def unverified_body(envelope: bytes, kind: str) -> tuple[dict[str, Any], tuple[str, ...]]:
    """What an envelope claims, before anybody has verified it: (body, keyids). Use it to find the card to verify with.

    Raises:
        SealBroken: `envelope-malformed`, `wrong-type`, `envelope-not-canonical`.
    """
    payload, signatures = _read(envelope, kind)
    return _body(payload), tuple(dict(signatures))


def _written(payload: bytes, named: str, signatures: Sequence[tuple[str, bytes]]) -> bytes:
    return b'{"payload":"%b","payloadType":"%b","signatures":[%b]}' % (
        b2a_base64(payload, newline=False),
        named.encode(),
        b",".join(
            b'{"keyid":"%b","sig":"%b"}' % (keyid.encode(), b2a_base64(signature, newline=False))
            for keyid, signature in signatures
        ),
    )


def _read(envelope: bytes, kind: str) -> tuple[bytes, list[tuple[str, bytes]]]:
    named = payload_type(kind)
    try:
        outer = orjson.loads(envelope)
        found, text, listed = outer["payloadType"], outer["payload"], outer["signatures"]
        if type(found) is not str:
            raise TypeError
        if found != named:
            raise SealBroken(
                "wrong-type", f"This envelope is of type {found[:80]!r} where {named} is expected.", clause="DSSE v1"
            )
        if not 1 <= len(listed) <= MOST_SIGNATURES:
            raise ValueError
        payload = a2b_base64(text)
        signatures = [(entry["keyid"], a2b_base64(entry["sig"])) for entry in listed]
        if any(_KEYID.fullmatch(keyid) is None for keyid, _ in signatures):
            raise ValueError
    except (ValueError, TypeError, KeyError, RecursionError, Base64Error) as broken:
        raise SealBroken(
            "envelope-malformed",
            f"This is not a signed envelope of kind {kind}; ask the sender for it again.",
            clause="DSSE v1",
        ) from broken
    # Writing it again must give the same bytes: no second spelling, no doubled or unknown member, no slack base64.
    if _written(payload, named, signatures) != envelope:
        raise SealBroken(
            "envelope-malformed",
            f"This envelope of kind {kind} is not in canonical form; ask the sender for it again.",
            clause="RFC 8785 §3.2",
        )
    return payload, signatures


def _body(payload: bytes) -> dict[str, Any]:
    try:
        body = orjson.loads(payload)
        if type(body) is dict and canonical(body) == payload:
            return body
    except (ValueError, RecursionError, InputRefused):
        pass
    raise SealBroken(
        "envelope-not-canonical",
        "What this envelope signs is not one JSON object in canonical form; ask the sender to sign it again.",
        clause="RFC 8785 §3.2",
    )
