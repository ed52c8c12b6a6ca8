"""Signed requests and answers: a small, strict profile of RFC 9421 with Ed25519 keys.

TLS ends at proxies, and a signed request is evidence, so each request is signed by the party's node key and each
answer by the other's. One signature, labelled ``comity``:

- a request covers ``@method``, ``@target-uri``, ``@authority``, ``content-digest`` and ``comity-to`` (the addressee's
  party id), with ``created``, ``expires`` (at most 60 s later), ``nonce`` (used once), ``keyid`` and
  ``tag="comity-1"``;
- an answer covers ``@status``, ``content-digest`` and ``comity-to`` (the party that asked), with the nonce of the
  request: it fits one question of one party and no other.

Written here and not taken from http-message-signatures 3.0.0, which reads the machine's clock itself, and leaves open
what must be covered; it is the oracle of the tests. What may be covered besides: other header fields and nothing with
parameters.

Source: RFC 9421 §2, §3, Appendix B.2.6; RFC 9530 §2; docs/formats/exchange.md, Signed requests.
"""

from __future__ import annotations

import hmac
import re
from base64 import b64encode
from binascii import Error as Base64Error
from binascii import a2b_base64
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Final
from urllib.parse import urlsplit

from comity.kernel.errors import RequestRefused, SealBroken
from comity.kernel.model.instants import SECOND, Instant
from comity.kernel.model.instants import format as write_instant
from comity.kernel.seal.keys import PublicKey, SigningKey

TAG: Final = "comity-1"
LABEL: Final = "comity"
LIFETIME: Final = 60
"""Seconds from `created` to `expires`, at most."""

SKEW: Final = 30 * SECOND
"""How far two clocks may differ."""

REQUEST: Final = ("@method", "@target-uri", "@authority", "content-digest", "comity-to")
RESPONSE: Final = ("@status", "content-digest", "comity-to")

_DERIVED: Final = frozenset({"@method", "@target-uri", "@authority", "@status"})
_MEMBER: Final = re.compile(
    r'(?:^|,)[ \t]*comity=(\(((?:"[^"\\]*"(?: +(?="))?)*)\)((?:;[a-z]+=(?:-?[0-9]{1,15}|"[^"\\]*"))*))[ \t]*(?=,|$)',
    re.ASCII,
)
_PARAMETER: Final = re.compile(r';([a-z]+)=(?:(-?[0-9]{1,15})|"([^"\\]*)")', re.ASCII)
_SIGNATURE: Final = re.compile(r"(?:^|,)[ \t]*comity=:([A-Za-z0-9+/]{86}==):[ \t]*(?=,|$)", re.ASCII)
_DIGEST: Final = re.compile(r"(?:^|,)[ \t]*sha-256=:([A-Za-z0-9+/]{43}=):[ \t]*(?=,|$)", re.ASCII)
_FIELD: Final = re.compile(r"[a-z][a-z0-9-]*", re.ASCII)
_NONCE: Final = re.compile(r"[A-Za-z0-9_\-+/=.]{16,128}", re.ASCII)
_KEYID: Final = re.compile(r"[0-9a-f]{64}", re.ASCII)
_MOST_HEADER: Final = 4_096

Used = Callable[[str, str, Instant], bool]
"""``used(keyid, nonce, until)``: note the nonce durably until the instant; True if it was noted before."""


@dataclass(frozen=True, slots=True)
class Signer:
    """Who signed a request: key, nonce, from when to when, and the party it is for."""

    keyid: str
    nonce: str
    created: Instant
    expires: Instant
    to: str


def authority(url: str) -> str:
    """``@authority`` of an absolute URL: host in lower case, port only where it is not the scheme's (RFC 9421 §2.2.3).

    Raises:
        RequestRefused: `request-signature` for what is no such URL.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError as broken:
        raise _unsigned("the target is not an absolute URL") from broken
    if not host or parts.scheme not in ("http", "https"):
        raise _unsigned("the target is not an absolute URL")
    host = f"[{host}]" if ":" in host else host
    return host if port in (None, {"http": 80, "https": 443}[parts.scheme]) else f"{host}:{port}"


def content_digest(body: bytes) -> str:
    """The ``Content-Digest`` field of a body (RFC 9530 §2)."""
    return f"sha-256=:{b64encode(sha256(body).digest()).decode()}:"


def sign_request(
    key: SigningKey, method: str, url: str, body: bytes, *, to: str, nonce: str, now: Instant, lifetime: int = LIFETIME
) -> dict[str, str]:
    """The header fields that sign a request.

    Args:
        key: The sender's node key.
        method: ``GET`` or ``POST``.
        url: The absolute URL as it is asked for.
        body: The bytes of the body, empty where there is none.
        to: Party id of the addressee.
        nonce: 16 to 128 characters that were never used with this key.
        now: The clock, microseconds.
        lifetime: Seconds, at most 60.
    """
    headers = {"content-digest": content_digest(body), "comity-to": to}
    derived = {"@method": method, "@target-uri": url, "@authority": authority(url)}
    return headers | _sign(key, REQUEST, derived | headers, nonce, now // SECOND, lifetime)


def verify_request(
    method: str,
    url: str,
    headers: Mapping[str, str],
    body: bytes,
    keys: Callable[[str], PublicKey | None],
    *,
    now: Instant,
    used: Used,
    our_party: str,
) -> Signer:
    """Return who signed a request that may be acted on. The nonce is noted last, when all else holds.

    Args:
        method, url: As the sender called them; `url` is absolute, as the sender sees this node.
        headers: Header fields, names in any case.
        body: The bytes of the body.
        keys: Gives the node key of a known party by keyid.
        now: The clock, microseconds.
        used: Notes a nonce; outlives a restart.
        our_party: The party this node belongs to.

    Raises:
        RequestRefused: `request-signature`, `request-key`, `request-digest`, `request-addressee`, `clock` (with the
            server's instant in `at`), `request-replayed`.
    """
    fields = {name.lower(): value for name, value in headers.items()}
    signed = _read(fields, REQUEST)
    key = keys(signed.keyid)
    if key is None or key.keyid != signed.keyid:
        raise RequestRefused(
            "request-key",
            f"No card we know lists the key {signed.keyid[:16]}…; exchange cards first.",
            keyid=signed.keyid,
        )
    derived = {"@method": method, "@target-uri": url, "@authority": authority(url)}
    signed.verify(key, derived | fields)
    _check_digest(fields, body)
    to = fields["comity-to"]
    if to != our_party:
        raise RequestRefused(
            "request-addressee",
            f"The request is for {to[:80]}, this node belongs to {our_party}; check the peer's address.",
            to=to[:80],
        )
    if signed.created > now + SKEW or signed.expires + SKEW < now:
        raise _clock(now)
    if used(signed.keyid, signed.nonce, signed.expires + SKEW):
        raise RequestRefused(
            "request-replayed", "This request came before and was answered then; it is not done again."
        )
    return Signer(signed.keyid, signed.nonce, signed.created, signed.expires, to)


def nonce_of(headers: Mapping[str, str]) -> str | None:
    """The nonce a request names, so that a refusal can be signed for it; None where it names none. Nothing is
    verified.
    """
    try:
        return _read({name.lower(): value for name, value in headers.items()}, ()).nonce
    except RequestRefused:
        return None


def sign_response(key: SigningKey, status: int, body: bytes, *, to: str, nonce: str, now: Instant) -> dict[str, str]:
    """The header fields that sign an answer.

    Args:
        key: Our node key.
        status: The HTTP status.
        body: The bytes of the body.
        to: Party id of who asked (or its keyid, where no card is known for it).
        nonce: The nonce of the request.
        now: The clock, microseconds.
    """
    headers = {"content-digest": content_digest(body), "comity-to": to}
    return headers | _sign(key, RESPONSE, {"@status": str(status)} | headers, nonce, now // SECOND, LIFETIME)


def verify_response(
    status: int,
    headers: Mapping[str, str],
    body: bytes,
    keys: Callable[[str], PublicKey | None],
    *,
    nonce: str,
    our_party: str,
) -> str:
    """Return the keyid that signed the answer to our request with this nonce.

    The time is not looked at: the nonce says that the answer is newer than the question.

    Raises:
        SealBroken: `response-signature`.
        RequestRefused: `request-digest`.
    """
    fields = {name.lower(): value for name, value in headers.items()}
    try:
        signed = _read(fields, RESPONSE)
        key = keys(signed.keyid)
        if key is None or key.keyid != signed.keyid:
            raise SealBroken(
                "response-signature", f"The answer is signed by {signed.keyid[:16]}…, which is no key of the peer."
            )
        if not hmac.compare_digest(signed.nonce, nonce) or fields["comity-to"] != our_party:
            raise SealBroken("response-signature", "The answer was made for another question; it is not believed.")
        signed.verify(key, {"@status": str(status)} | fields)
    except RequestRefused as broken:
        raise SealBroken("response-signature", f"The answer is not signed as it must be: {broken.sentence}") from broken
    _check_digest(fields, body)
    return signed.keyid


# --- the parts


@dataclass(frozen=True, slots=True)
class _Signed:
    """A signature as it was read: what it covers, its parameters, and the text they stood in."""

    covered: tuple[str, ...]
    parameters: str
    signature: bytes
    keyid: str
    nonce: str
    created: Instant
    expires: Instant

    def verify(self, key: PublicKey, values: Mapping[str, str]) -> None:
        try:
            key.verify(self.signature, _base(self.covered, values, self.parameters))
        except SealBroken as broken:
            raise _unsigned("the signature does not fit what came") from broken


def _base(covered: Sequence[str], values: Mapping[str, str], parameters: str) -> bytes:
    """RFC 9421 §2.5: one line a component, the parameters last."""
    lines = []
    for name in covered:
        value = values.get(name)
        if value is None:
            raise _unsigned(f"{name} is covered and absent")
        value = value.strip(" \t")
        if not value.isascii() or not value.replace("\t", " ").isprintable():
            raise _unsigned(f"{name} holds characters a header cannot")
        lines.append(f'"{name}": {value}\n')
    return ("".join(lines) + f'"@signature-params": {parameters}').encode()


def _sign(
    key: SigningKey, covered: Sequence[str], values: Mapping[str, str], nonce: str, created: int, lifetime: int
) -> dict[str, str]:
    if _NONCE.fullmatch(nonce) is None or not 0 < lifetime <= LIFETIME:
        raise RequestRefused(
            "request-signature", "A nonce has 16 to 128 plain characters and a request lives 60 seconds at most."
        )
    names = " ".join(f'"{name}"' for name in covered)
    times = f"created={created};expires={created + lifetime}"
    parameters = f'({names});{times};nonce="{nonce}";keyid="{key.public.keyid}";tag="{TAG}"'
    signature = b64encode(key.sign(_base(covered, values, parameters))).decode()
    return {"signature-input": f"{LABEL}={parameters}", "signature": f"{LABEL}=:{signature}:"}


def _read(fields: Mapping[str, str], required: Sequence[str]) -> _Signed:
    outer, inner = fields.get("signature-input", ""), fields.get("signature", "")
    if len(outer) > _MOST_HEADER or len(inner) > _MOST_HEADER:
        raise _unsigned("its signature fields are too long")
    members, signatures = _MEMBER.findall(outer), _SIGNATURE.findall(inner)
    if len(members) != 1 or len(signatures) != 1:
        raise _unsigned('it carries no signature, or more than one, with the label "comity"')
    parameters, names, rest = members[0]
    covered = tuple(re.findall(r'"([^"]*)"', names))
    pairs = _PARAMETER.findall(rest)
    values = {name: number or text for name, number, text in pairs}
    numbers = {name: int(number) for name, number, _ in pairs if number}
    if len(values) != len(pairs) or len(set(covered)) != len(covered):
        raise _unsigned("a component or parameter stands twice")
    if not set(required) <= set(covered):
        raise _unsigned(f"it does not cover {', '.join(sorted(set(required) - set(covered)))}")
    if any(_FIELD.fullmatch(name) is None for name in covered if name not in _DERIVED):
        raise _unsigned("it covers what is not a plain header field")
    if values.get("tag") != TAG or values.get("alg", "ed25519") != "ed25519":
        raise _unsigned(f'its tag is not "{TAG}" or its algorithm not ed25519')
    if not set(values) <= {"created", "expires", "nonce", "keyid", "tag", "alg"} or set(numbers) != {
        "created",
        "expires",
    }:
        raise _unsigned("its parameters are not created, expires, nonce, keyid and tag")
    keyid, nonce = values.get("keyid", ""), values.get("nonce", "")
    if _KEYID.fullmatch(keyid) is None or _NONCE.fullmatch(nonce) is None:
        raise _unsigned("its keyid or nonce is malformed")
    if not 0 < numbers["expires"] - numbers["created"] <= LIFETIME:
        raise _unsigned(f"it is good for longer than {LIFETIME} seconds")
    return _Signed(
        covered,
        parameters,
        a2b_base64(signatures[0]),
        keyid,
        nonce,
        numbers["created"] * SECOND,
        numbers["expires"] * SECOND,
    )


def _check_digest(fields: Mapping[str, str], body: bytes) -> None:
    found = _DIGEST.findall(fields.get("content-digest", ""))
    try:
        same = len(found) == 1 and hmac.compare_digest(a2b_base64(found[0]), sha256(body).digest())
    except (Base64Error, ValueError):
        same = False
    if not same:
        raise RequestRefused(
            "request-digest", "The body is not the one that was signed; send it again.", clause="RFC 9530 §2"
        )


def _clock(now: Instant) -> RequestRefused:
    at = write_instant(now)
    return RequestRefused(
        "clock", f"The request is outside its time; this node's clock says {at}, compare the clocks.", at=at
    )


def _unsigned(why: str) -> RequestRefused:
    return RequestRefused(
        "request-signature", f"The message is not signed as it must be: {why}.", clause="RFC 9421 §3.2"
    )
