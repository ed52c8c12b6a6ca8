"""Writes the vectors of this folder: `python vectors/attachments/make.py`. A test holds the file equal to what this writes.

A file of `size` bytes is the beginning of SHA-256(u64 0) ‖ SHA-256(u64 1) ‖ ..., so it need not stand here. Digests are made here a second
time, by the plainest reading of docs/formats/attachments.md; acts and promises in the answers are words that stand for envelopes.
"""

from __future__ import annotations

import json
from base64 import b64encode
from hashlib import sha256
from pathlib import Path
from typing import Any

from comity.kernel.errors import ComityError
from comity.kernel.exchange.attachments import (
    CHUNK,
    Ask,
    Described,
    Portion,
    Tree,
    artifact,
    chunk_leaf,
    decode_portion,
    encode_ask,
    encode_portion,
    ni_url,
)

SIZES = (0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, 5 * CHUNK + 7)
ID = "artifact--00000000-0000-4000-8000-000000000001"


def content(size: int) -> bytes:
    """The bytes of a file."""
    parts = b"".join(sha256(n.to_bytes(8, "big")).digest() for n in range(size // 32 + 1))
    return parts[:size]


def plain_root(leaves: list[bytes]) -> bytes:
    """RFC 9162 §2.1.1, as it is written there."""
    if not leaves:
        return sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return sha256(b"\x01" + plain_root(leaves[:split]) + plain_root(leaves[split:])).digest()


def described(data: bytes) -> Described:
    """What an artifact says of a file."""
    leaves = [sha256(b"\x00comity/chunk/1" + data[at : at + CHUNK]).digest() for at in range(0, len(data), CHUNK)]
    return Described(sha256(data).hexdigest(), len(data), plain_root(leaves).hex())


def files() -> list[dict[str, Any]]:
    """Files with their roots."""
    found = []
    for size in SIZES:
        file = described(content(size))
        found.append(
            {
                "size": size,
                "sha256": file.sha256,
                "root": file.root,
                "url": ni_url(file.sha256),
                "artifact": artifact(file, ID),
            }
        )
    return found


def answers() -> list[dict[str, Any]]:
    """Answers to one question, good and broken, each with the code it is refused with, or None."""
    data = content(2 * CHUNK + 5)
    file = described(data)
    parts = [data[at : at + CHUNK] for at in range(0, len(data), CHUNK)]
    tree = Tree.over(b"".join(map(chunk_leaf, parts)))
    ask = Ask(ID, "ab" * 32, file.root, 2, 1)
    right = encode_portion(Portion(b"act", b"s" * 16, b"promise", (parts[2],), (tree.proof(2),)))
    head = int.from_bytes(right[:4], "big")
    other = encode_portion(Portion(b"act", b"s" * 16, b"promise", (parts[2],), (tree.proof(1),)))
    cases = {
        "as it should be": right,
        "one bit of the chunk": right[:-1] + bytes([right[-1] ^ 1]),
        "the proof of another chunk": other,
        "a byte too many": right + b"x",
        "a byte too few": right[:-1],
        "no head": right[:3],
        "a head that is longer than the answer": b"\x00\x00\xff\xff" + right[4:],
        "a head that is no JSON": right[:4] + b"x" * head + right[4 + head :],
    }
    found = []
    for name, body in cases.items():
        code = None
        try:
            decode_portion(body, ask, file)
        except ComityError as refused:
            code = refused.code
        found.append({"name": name, "body": b64encode(body).decode(), "code": code})
    return [{"file": {"size": file.size, "root": file.root}, "ask": encode_ask(ask).decode(), "answers": found}]


def made() -> str:
    """The file."""
    return json.dumps({"chunk": CHUNK, "files": files(), "answers": answers()}, indent=1) + "\n"


if __name__ == "__main__":
    Path(__file__).with_name("files.json").write_text(made(), encoding="utf-8")
