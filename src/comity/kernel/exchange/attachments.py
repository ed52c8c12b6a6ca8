"""Attachments: how a STIX ``artifact`` commits to the bytes of a file, and how those bytes are asked for and given, chunk by chunk.

The artifact carries the SHA-256 of the file and, in our property extension, its size and the root of a Merkle tree over its chunks.
Each chunk that is given comes with the hashes that lead to that root, so a wrong one is found before the next is asked for.

- A chunk has 256 KiB, the last one what is left. Its leaf is the record hash of ``comity/chunk/1`` and the bytes; the tree is that
  of RFC 9162 (`comity.kernel.tlog.tree`). So the root follows from the bytes alone, and one file has one root at every node.
- What is asked for names the object, the digest of its seal and the root: who was not shown the artifact cannot name it.
- An answer is four bytes of length, a JSON head, and the chunks one after another; it holds exactly what was asked for.

Source: docs/formats/attachments.md; STIX 2.1 §6.1 (artifact); RFC 6920 §3 (``ni`` names); RFC 9162 §2.1.
"""

from __future__ import annotations

import re
from base64 import urlsafe_b64encode
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from comity.kernel.errors import ComityError, InputRefused, SealBroken
from comity.kernel.model import strictjson
from comity.kernel.model.ids import minted, type_of
from comity.kernel.seal.canonical import canonical
from comity.kernel.tlog.tree import EMPTY_ROOT, inclusion_proof, leaf_hash, pair_up, root_of, verify_inclusion

FORM: Final = 1
MEDIA_TYPE: Final = "application/vnd.comity.attachment.v1"
CHUNK: Final = 256 << 10
"""Bytes of a chunk; the last one may have fewer."""

AT_ONCE: Final = 16
"""Chunks in one answer, at most."""

LARGEST: Final = CHUNK << 20
"""Bytes of the largest file: 256 GiB."""

NAME: Final = 255
"""Characters of a file's name, at most."""

EXTENSION_NAME: Final = "x-comity-attachment"
EXTENSION: Final = minted("extension-definition", EXTENSION_NAME)

_DOMAIN: Final = b"comity/chunk/1"
_HEX32: Final = re.compile(r"[0-9a-f]{64}", re.ASCII)
_MOST_HEAD: Final = 256 << 10
_UNFIT: Final = re.compile("[/\\\\\x00-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Described:
    """The file an artifact refers to.

    Args:
        sha256: Of all its bytes, 64 hexadecimal characters.
        size: Bytes.
        root: Of the tree over its chunks, 64 hexadecimal characters.
        name: What it is called; nothing is ever written under it. None where nothing, or nothing fit to be shown, is said.
        mime: Its media type, as its originator says.
    """

    sha256: str
    size: int
    root: str
    name: str | None = None
    mime: str | None = None

    @property
    def chunks(self) -> int:
        """How many chunks it has."""
        return -(-self.size // CHUNK)


def fit_name(name: str) -> bool:
    """Whether a name is one word for a file: no part of a path, no control or reversing characters, at most 255 characters."""
    return 0 < len(name) <= NAME and name not in (".", "..") and _UNFIT.search(name) is None


def chunk_leaf(data: bytes) -> bytes:
    """The leaf of a chunk: ``SHA-256(0x00 ‖ "comity/chunk/1" ‖ bytes)``, 32 bytes."""
    return leaf_hash(_DOMAIN + data)


def chunks_root(leaves: Iterable[bytes]) -> str:
    """The root over the leaves of all chunks, hexadecimal."""
    return root_of(leaves).hex()


def ni_url(sha256: str) -> str:
    """The name of a file by its hash, with no authority: it says which bytes are meant and nothing that could be called.

    Source: RFC 6920 §3.
    """
    return f"ni:///sha-256;{urlsafe_b64encode(bytes.fromhex(sha256)).decode().rstrip('=')}"


def artifact(described: Described, id: str) -> dict[str, Any]:
    """The STIX artifact that refers to a file; it holds neither its bytes nor a place where they could be had."""
    says: dict[str, Any] = {
        "extension_type": "property-extension",
        "form": FORM,
        "size": described.size,
        "root": described.root,
    }
    if described.name is not None:
        says["name"] = described.name
    return {
        "type": "artifact",
        "spec_version": "2.1",
        "id": id,
        **({} if described.mime is None else {"mime_type": described.mime}),
        "url": ni_url(described.sha256),
        "hashes": {"SHA-256": described.sha256},
        "extensions": {EXTENSION: says},
    }


def described(data: Mapping[str, Any]) -> Described | None:
    """What an artifact says of its file; None where it does not carry our extension, or the view does not show it.

    Raises:
        InputRefused: `attachment-form` where it says what cannot be.
    """
    extensions = data.get("extensions")
    says = extensions.get(EXTENSION) if isinstance(extensions, dict) else None
    hashes = data.get("hashes")
    if data.get("type") != "artifact" or not isinstance(says, dict) or not isinstance(hashes, dict):
        return None
    digest, size, root, name = hashes.get("SHA-256"), says.get("size"), says.get("root"), says.get("name")
    if (
        says.get("form") == FORM
        and isinstance(digest, str)
        and isinstance(root, str)
        and isinstance(size, int)
        and not isinstance(size, bool)
        and 0 <= size <= LARGEST
        and _HEX32.fullmatch(digest.lower()) is not None
        and _HEX32.fullmatch(root) is not None
        and (size > 0 or root == EMPTY_ROOT.hex())
    ):
        mime = data.get("mime_type")
        return Described(
            digest.lower(),
            size,
            root,
            name if isinstance(name, str) and fit_name(name) else None,
            mime if isinstance(mime, str) else None,
        )
    raise InputRefused(
        "attachment-form",
        f"{data.get('id')} does not say which file it refers to as docs/formats/attachments.md has it.",
    )


@dataclass(frozen=True, slots=True)
class Tree:
    """The tree over all leaves of a file, to prove chunks by.

    Args:
        leaves: 32 bytes for each chunk, in order.
    """

    levels: tuple[Sequence[bytes], ...]

    @classmethod
    def over(cls, leaves: bytes) -> Tree:
        """The tree over leaves that stand one after another."""
        return _tree(leaves)

    def proof(self, index: int) -> tuple[bytes, ...]:
        """The hashes that lead from a chunk to the root.

        Raises:
            NotFound: `log-position` where there is no such chunk.
        """
        return inclusion_proof(index, len(self.levels[0]), lambda level, place: self.levels[level][place])


@lru_cache(maxsize=4)
def _tree(leaves: bytes) -> Tree:
    level: Sequence[bytes] = [leaves[at : at + 32] for at in range(0, len(leaves), 32)]
    levels = [level]
    while len(level) > 1:
        level = pair_up(level)
        levels.append(level)
    return Tree(tuple(levels))


# --- what is asked for


@dataclass(frozen=True, slots=True)
class Ask:
    """Chunks that are asked for.

    Args:
        object: The artifact's id, as the asker was shown it.
        digest: The digest of its seal, 64 hexadecimal characters.
        root: The root the artifact commits to.
        first: The first chunk, from 0 on.
        count: How many, 0 to 16; with 0 only the act that hands the file over is asked for.
    """

    object: str
    digest: str
    root: str
    first: int
    count: int

    def __post_init__(self) -> None:
        right = (
            type_of(self.object) == "artifact"
            and _HEX32.fullmatch(self.digest) is not None
            and _HEX32.fullmatch(self.root) is not None
            and 0 <= self.first <= LARGEST // CHUNK
            and 0 <= self.count <= AT_ONCE
        )
        if not right:
            raise InputRefused(
                "attachment-ask", "What is asked for is no range of a file as docs/formats/attachments.md has it."
            )


def encode_ask(ask: Ask) -> bytes:
    """The body of a request."""
    return canonical(
        {
            "form": FORM,
            "object": ask.object,
            "digest": ask.digest,
            "root": ask.root,
            "first": ask.first,
            "count": ask.count,
        }
    )


def decode_ask(body: bytes) -> Ask:
    """The inverse of `encode_ask`; members that are not known are passed over.

    Raises:
        InputRefused: `attachment-ask`.
    """
    try:
        said = strictjson.read(body, limits=strictjson.Limits(size=4_096, depth=4))
        if type(said) is dict and said.get("form") == FORM:
            words, numbers = ("object", "digest", "root"), ("first", "count")
            if all(type(said.get(one)) is str for one in words) and all(type(said.get(one)) is int for one in numbers):
                return Ask(*(said[one] for one in (*words, *numbers)))
    except ComityError as broken:
        raise _no_ask() from broken
    raise _no_ask()


def _no_ask() -> InputRefused:
    return InputRefused(
        "attachment-ask", "What is asked for is no range of a file as docs/formats/attachments.md has it."
    )


# --- what is given


@dataclass(frozen=True, slots=True)
class Portion:
    """Chunks that are given, under the act that hands the file over.

    Args:
        act, salt, promise: The giver's act, the salt of its leaf, and the promise of its place in the log.
        chunks: The bytes of each, in order.
        proofs: For each the hashes that lead to the root.
    """

    act: bytes
    salt: bytes
    promise: bytes
    chunks: tuple[bytes, ...]
    proofs: tuple[tuple[bytes, ...], ...]


def encode_portion(portion: Portion) -> bytes:
    """The body of an answer."""
    head = canonical(
        {
            "form": FORM,
            "act": portion.act.decode(),
            "salt": portion.salt.hex(),
            "promise": portion.promise.decode(),
            "sizes": [len(one) for one in portion.chunks],
            "proofs": [b"".join(one).hex() for one in portion.proofs],
        }
    )
    return b"".join((len(head).to_bytes(4, "big"), head, *portion.chunks))


def decode_portion(body: bytes, ask: Ask, file: Described) -> Portion:
    """An answer, each of its chunks shown to be the one of the file that was asked for.

    Raises:
        InputRefused: `attachment-answer` for more, less or something else than was asked for.
        SealBroken: `attachment-chunk`, the first chunk that is not of the file.
    """
    head_size = int.from_bytes(body[:4], "big")
    if not 2 <= head_size <= _MOST_HEAD or len(body) < 4 + head_size:
        raise _no_answer("it has no head")
    try:
        said = strictjson.read(body[4 : 4 + head_size], limits=strictjson.Limits(size=_MOST_HEAD, depth=4))
        act, salt, promise = (str(said[one]) for one in ("act", "salt", "promise"))
        sizes, proofs = list(said["sizes"]), [bytes.fromhex(one) for one in said["proofs"]]
        portion_salt = bytes.fromhex(salt)
        form = said["form"]
    except (ComityError, KeyError, TypeError, ValueError) as broken:
        raise _no_answer("its head cannot be read") from broken
    wanted = range(ask.first, min(ask.first + ask.count, file.chunks))
    due = [min(CHUNK, file.size - place * CHUNK) for place in wanted]
    if form != FORM or len(portion_salt) != 16:
        raise _no_answer("its head cannot be read")
    if sizes != due or len(proofs) != len(due) or len(body) != 4 + head_size + sum(due):
        raise _no_answer("it gives more or fewer bytes than were asked for")
    chunks: list[bytes] = []
    paths: list[tuple[bytes, ...]] = []
    at, root = 4 + head_size, bytes.fromhex(file.root)
    for place, size, proof in zip(wanted, due, proofs, strict=True):
        chunk, path = body[at : at + size], tuple(proof[n : n + 32] for n in range(0, len(proof), 32))
        try:
            verify_inclusion(chunk_leaf(chunk), place, file.chunks, path, root)
        except ComityError as broken:
            raise SealBroken(
                "attachment-chunk",
                f"Chunk {place + 1} of {file.chunks} is not of the file the artifact names; it was not kept, "
                "and nothing more was asked for.",
                chunk=place,
            ) from broken
        chunks.append(chunk)
        paths.append(path)
        at += size
    return Portion(act.encode(), portion_salt, promise.encode(), tuple(chunks), tuple(paths))


def _no_answer(why: str) -> InputRefused:
    return InputRefused("attachment-answer", f"The answer is not what was asked for: {why}; nothing of it was kept.")
