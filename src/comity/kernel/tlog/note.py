"""Signed notes: text with signature lines, as checkpoints are signed.

Source: C2SP signed-note. A note is UTF-8 without control characters but newline: the text, ending with a newline; an
empty line; signature lines ``— name base64(key id ‖ signature)``. An Ed25519 key has the id ``SHA-256(name ‖ 0x0A ‖
0x01 ‖ public key32)[:4]``. Lines by unknown keys are ignored; a line by a known key must hold, and one must be there.
"""

from __future__ import annotations

import re
from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from hashlib import sha256
from typing import Final, Protocol

from comity.kernel.errors import InputRefused, SealBroken
from comity.kernel.seal.keys import SPKI_PREFIX, PublicKey

ED25519: Final = b"\x01"
"""signed-note, Signature types."""

MAX_NOTE: Final = 1 << 17
MAX_SIGNATURES: Final = 64
"""signed-note asks verifiers for a limit of at least 16 signatures."""

_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f]")
_NAME = re.compile(r"[^\s+]+")
_SIGNATURE = re.compile(r"— ([^\s+]+) ([A-Za-z0-9+/]+={0,2})")


class Signer(Protocol):
    """Whatever makes Ed25519 signatures (RFC 8032) of 64 bytes."""

    def sign(self, data: bytes, /) -> bytes:
        """The signature of exactly these bytes."""
        ...


def key_id(name: str, public_key: bytes) -> bytes:
    """The 4-byte id of an Ed25519 key (32 raw bytes) under this name."""
    return sha256(name.encode() + b"\n" + ED25519 + public_key).digest()[:4]


def sign_note(text: str, name: str, public_key: bytes, signer: Signer) -> bytes:
    """The text with one signature line.

    Args:
        text: What is signed; ends with a newline.
        name: The key's name: not empty, no spaces, no plus.
        public_key: The signer's Ed25519 public key, 32 raw bytes.
        signer: Holds the private key.

    Raises:
        InputRefused: `note` for a text or a name that a note cannot have.
    """
    if not text.endswith("\n") or _CONTROL.search(text) or not _NAME.fullmatch(name):
        raise InputRefused("note", "A note ends with a newline, has no control characters and a plain key name.")
    data = text.encode()
    return data + f"\n— {name} {b64encode(key_id(name, public_key) + signer.sign(data)).decode()}\n".encode()


def open_note(note: bytes, name: str, public_key: bytes) -> str:
    """The text of a note that the named key signed.

    Raises:
        InputRefused: `note` for bytes that are no signed note.
        SealBroken: `note-signature` where no line is by that key, or one that is does not hold.
    """
    text, lines = split_note(note)
    verifier = _public_key(public_key)
    known = key_id(name, public_key)
    signed = False
    for signer, blob in lines:
        if signer != name or blob[:4] != known:
            continue
        try:
            verifier.verify(blob[4:], text.encode())
        except SealBroken as broken:
            raise SealBroken("note-signature", f"The signature of {name} does not fit the text.") from broken
        signed = True
    if not signed:
        raise SealBroken("note-signature", f"The note is not signed by the known key of {name}.")
    return text


def split_note(note: bytes) -> tuple[str, list[tuple[str, bytes]]]:
    """The text and the signature lines (name, key id ‖ signature) of a note; nothing is verified.

    Raises:
        InputRefused: `note`.
    """
    if len(note) > MAX_NOTE:
        raise InputRefused("note", f"A note of {len(note)} bytes is more than the {MAX_NOTE} that are read.")
    try:
        whole = note.decode("utf-8")
    except UnicodeDecodeError as broken:
        raise InputRefused("note", "A note is UTF-8 text.", clause="C2SP signed-note, Format") from broken
    head, gap, tail = whole.rpartition("\n\n")
    if not gap or not head or not tail.endswith("\n") or _CONTROL.search(whole):
        raise InputRefused(
            "note", "A note is text, an empty line and signature lines.", clause="C2SP signed-note, Format"
        )
    found = []
    for line in tail[:-1].split("\n"):
        match = _SIGNATURE.fullmatch(line)
        blob = base64_exact(match[2]) if match else None
        if match is None or blob is None or len(blob) < 5:
            raise InputRefused(
                "note", "A signature line is an em dash, a name and base64.", clause="C2SP signed-note, Format"
            )
        found.append((match[1], blob))
    if len(found) > MAX_SIGNATURES:
        raise InputRefused("note", f"A note with more than {MAX_SIGNATURES} signatures is not read.")
    return head + "\n", found


def base64_exact(text: str) -> bytes | None:
    """The bytes of standard base64 with padding (RFC 4648 §4), None for any other spelling of them."""
    try:
        data = b64decode(text, validate=True)
    except (Base64Error, ValueError):
        return None
    return data if b64encode(data).decode() == text else None


def _public_key(raw: bytes) -> PublicKey:
    try:
        return PublicKey(SPKI_PREFIX + raw)
    except SealBroken as broken:
        raise SealBroken("note-signature", "The log's public key is not an Ed25519 key of 32 bytes.") from broken
