"""Salted commitments to one small thing: officers and reasons of an act, where a sealed object came from.

bind = SHA-256(0x00 ‖ "comity/bind/1" ‖ salt16 ‖ JCS([label, body])). The label keeps a commitment made for one
purpose from being opened for another; the salt keeps it from being guessed. The salt is kept until the commitment
may be opened.
"""

from __future__ import annotations

import hmac
from hashlib import sha256
from typing import Any, Final

from comity.kernel.errors import SealBroken, Usage
from comity.kernel.seal.canonical import canonical

_DOMAIN: Final = b"\x00comity/bind/1"


def bind(salt: bytes, label: str, body: Any) -> bytes:
    """The 32-byte commitment to a JSON value under 16 random bytes.

    Raises:
        Usage: `seed-size` when the salt is not 16 bytes.
        InputRefused: `not-canonical`.
    """
    if len(salt) != 16:
        raise Usage("seed-size", "A commitment needs a salt of 16 random bytes.")
    return sha256(_DOMAIN + salt + canonical([label, body])).digest()


def check_opening(commitment: bytes, salt: bytes, label: str, body: Any) -> None:
    """Return if `salt` and `body` are what was committed to under `label`.

    Raises:
        SealBroken: `opening-refused`.
        InputRefused: `not-canonical`.
    """
    if len(salt) != 16 or not hmac.compare_digest(bind(salt, label, body), commitment):
        raise SealBroken(
            "opening-refused", f"What was opened as {label} is not what was committed to; do not rely on it."
        )
