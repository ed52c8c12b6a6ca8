"""Signing keys and public keys: Ed25519 (RFC 8032), named by the SHA-256 of their DER SubjectPublicKeyInfo.

A keyid is lower-case hex. A party's fingerprint is what two officers read to each other aloud: six groups of five
digits over its first identity key. Keys of small order are refused: with one, its owner could later say that
anybody signed.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass, field
from functools import lru_cache
from hashlib import sha256
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from comity.kernel.errors import SealBroken, Usage

SPKI_PREFIX: Final = bytes.fromhex("302a300506032b6570032100")
"""RFC 8410 §4: the DER of an Ed25519 SubjectPublicKeyInfo up to the 32 raw bytes."""

# The encodings of the eight points of order 1, 2, 4 and 8, and those a lenient decoder takes for them; a test
# computes them.
_SMALL_ORDER: Final = frozenset(
    bytes.fromhex(head) + bytes.fromhex(fill) * (31 - len(head) // 2) + bytes([last | sign])
    for head, fill, last in (
        ("00", "00", 0x00),
        ("01", "00", 0x00),
        ("ec", "ff", 0x7F),
        ("ed", "ff", 0x7F),
        ("ee", "ff", 0x7F),
        ("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc", "00", 0x05),
        ("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03", "00", 0x7A),
    )
    for sign in (0x00, 0x80)
)


@lru_cache(maxsize=4096)
def _loaded(spki: bytes) -> Ed25519PublicKey:
    return Ed25519PublicKey.from_public_bytes(spki[12:])


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A public key by its DER SubjectPublicKeyInfo (44 bytes for Ed25519).

    Raises:
        SealBroken: `bad-key` when the bytes are no Ed25519 key, or one of small order.
    """

    spki: bytes
    keyid: str = field(init=False)

    def __post_init__(self) -> None:
        if not isinstance(self.spki, bytes) or len(self.spki) != 44 or not self.spki.startswith(SPKI_PREFIX):
            raise SealBroken(
                "bad-key",
                "This is not an Ed25519 key in SubjectPublicKeyInfo form; ask its owner for the key again.",
                clause="RFC 8410 §4",
            )
        if self.spki[12:] in _SMALL_ORDER:
            raise SealBroken(
                "bad-key",
                "This key lets anybody sign in its owner's name; ask its owner for another.",
                clause="RFC 8032 §5.1",
            )
        object.__setattr__(self, "keyid", sha256(self.spki).hexdigest())

    def verify(self, signature: bytes, data: bytes) -> None:
        """Return if the 64-byte `signature` over `data` is by this key.

        Raises:
            SealBroken: `bad-signature`.
        """
        try:
            _loaded(self.spki).verify(signature, data)
        except (InvalidSignature, ValueError, TypeError) as broken:
            raise SealBroken(
                "bad-signature",
                f"The signature is not by the key {self.keyid[:16]}…, or what it signed was changed.",
                keyid=self.keyid,
            ) from broken


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A private key in memory; its repr shows the keyid only. Make it with `from_seed`."""

    public: PublicKey
    _key: Ed25519PrivateKey = field(repr=False, compare=False)
    _seed: bytes = field(repr=False, compare=False)

    @classmethod
    def from_seed(cls, seed: bytes) -> SigningKey:
        """The key of 32 secret bytes (RFC 8032 §5.1.5); the same seed gives the same key.

        Raises:
            Usage: `seed-size` when these are not 32 bytes.
        """
        if len(seed) != 32:
            raise Usage("seed-size", "A signing key needs a seed of 32 bytes.")
        key = Ed25519PrivateKey.from_private_bytes(seed)
        spki = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        return cls(PublicKey(spki), key, bytes(seed))

    def sign(self, data: bytes) -> bytes:
        """The 64-byte signature over `data`; always under a payload type or a label, never over a bare hash."""
        return self._key.sign(data)

    def derive(self, label: bytes, context: bytes) -> bytes:
        """32 bytes that only the holder of this key can compute (HMAC-SHA-256 over label, a zero byte, context)."""
        return hmac.digest(self._seed, b"comity/derive/1" + label + b"\x00" + context, "sha256")


def fingerprint(spki: bytes) -> str:
    """Six groups of five digits to read aloud; give it the party's first identity key.

    Group i is bytes 5i to 5i+4 of the SHA-256 of the SPKI, big-endian, modulo 100,000 (docs/formats/card.md).
    """
    digest = sha256(spki).digest()
    return " ".join(f"{int.from_bytes(digest[5 * i : 5 * i + 5], 'big') % 100_000:05d}" for i in range(6))
