"""Packs: turns carried by hand, as files encrypted to one party and signed by another.

A pack is one or more files. Each begins with a header that can be printed, goes on with the sender's signature over
it, and then holds a piece of the encrypted body:

    comity-pack/1
    pack 5f0c…                    32 hex characters, the pack's own
    from identity--…
    to identity--…
    box 9f…                       keyid of the key it is encrypted to
    created 2021-03-05T12:00:00.000Z
    ephemeral 1c…                 X25519 key of this pack alone
    turns 12
    bytes 123456                  of all turns, without their lengths
    part 1 of 3
    size 1440000                  of the body in this file
    sha256 ab…                    of the body in this file
    all cd…                       SHA-256 over the sha256 of all parts, in order

    — 9f… base64(Ed25519 signature over the lines above the empty one)
    body

The body of all parts together is a row of chunks ChaCha20-Poly1305(key, nonce, chunk), each of 16,384 bytes but the
last, with key = HKDF-SHA256(X25519(ephemeral, box), salt = ephemeral ‖ box, info = "comity/pack/1" ‖ pack ‖ from ‖
NUL ‖ to), nonce = u88 chunk number ‖ 01 for the last chunk, else 00 (the STREAM construction: no chunk can be
dropped, moved or cut off). The plain bytes are turns, each after its length as u32. A part is believed before it is
opened: signature, size and digest are checked first.

Rules: a pack is read by its addressee only; it can be read as far as its parts are there, and goes on later; a pack
that was taken in whole is refused the second time.

Source: docs/formats/pack.md; Hoang, Reyhanitabar, Rogaway, Vizár, Online Authenticated-Encryption, 2015 (STREAM); RFC
7748, RFC 5869, RFC 8439.
"""

from __future__ import annotations

import os
import re
from base64 import b64encode
from binascii import Error as Base64Error
from binascii import a2b_base64
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path
from typing import Any, BinaryIO, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from comity.kernel.errors import InputRefused, SealBroken, Usage
from comity.kernel.model.ids import type_of
from comity.kernel.model.instants import Instant
from comity.kernel.model.instants import format as write_instant
from comity.kernel.model.instants import parse as read_instant
from comity.kernel.seal.keys import PublicKey, SigningKey

CHUNK: Final = 16_384
TAG_BYTES: Final = 16
HEADER_ROOM: Final = 2_048
"""More than any header has."""
LEAST_SPLIT: Final = 32 << 10
MOST_TURN: Final = 64 << 20
_SPKI_PREFIX: Final = bytes.fromhex("302a300506032b656e032100")
"""RFC 8410 §4: the DER of an X25519 SubjectPublicKeyInfo up to the 32 raw bytes."""


@dataclass(frozen=True, slots=True)
class BoxKey:
    """The private X25519 key packs are encrypted to; the card lists its SPKI under the use ``box``."""

    spki: bytes
    keyid: str
    _key: X25519PrivateKey = field(repr=False, compare=False)

    @classmethod
    def from_seed(cls, seed: bytes) -> BoxKey:
        """The key of 32 secret bytes.

        Raises:
            Usage: `seed-size`.
        """
        if len(seed) != 32:
            raise Usage("seed-size", "A box key needs a seed of 32 bytes.")
        key = X25519PrivateKey.from_private_bytes(seed)
        spki = _SPKI_PREFIX + _raw(key.public_key())
        return cls(spki, sha256(spki).hexdigest(), key)

    def exchange(self, ephemeral: bytes) -> bytes:
        """The secret shared with the holder of the ephemeral key (32 raw bytes)."""
        return self._key.exchange(X25519PublicKey.from_public_bytes(ephemeral))


@dataclass(frozen=True, slots=True)
class Manifest:
    """What the header of one file says; see the module. `keyid` is who signed it."""

    pack: str
    sender: str
    to: str
    box: str
    created: Instant
    ephemeral: bytes
    turns: int
    length: int
    part: int
    parts: int
    size: int
    sha256: str
    all: str
    keyid: str

    def text(self) -> str:
        """The printable header, as it is signed."""
        return (
            f"comity-pack/1\npack {self.pack}\nfrom {self.sender}\nto {self.to}\nbox {self.box}\n"
            f"created {write_instant(self.created)}\nephemeral {self.ephemeral.hex()}\n"
            f"turns {self.turns}\nbytes {self.length}\n"
            f"part {self.part} of {self.parts}\nsize {self.size}\nsha256 {self.sha256}\nall {self.all}\n"
        )


_HEADER: Final = re.compile(
    rb"comity-pack/1\npack ([0-9a-f]{32})\nfrom ([!-~]{1,100})\nto ([!-~]{1,100})\nbox ([0-9a-f]{64})\n"
    rb"created ([0-9TZ:.-]{20,27})\nephemeral ([0-9a-f]{64})\nturns ([0-9]{1,10})\nbytes ([0-9]{1,15})\n"
    rb"part ([0-9]{1,6}) of ([0-9]{1,6})\nsize ([0-9]{1,15})\n"
    rb"sha256 ([0-9a-f]{64})\nall ([0-9a-f]{64})\n\n\xe2\x80\x94 ([0-9a-f]{64}) ([A-Za-z0-9+/]{86}==)\nbody\n"
)


# --- writing


def write_pack(
    turns: Iterable[bytes],
    path: Path,
    *,
    key: SigningKey,
    sender: str,
    to: str,
    box: bytes,
    now: Instant,
    random: Callable[[int], bytes],
    split: int | None = None,
) -> tuple[Path, ...]:
    """Write encoded turns as a pack; nothing stands under a final name before all is written and synced.

    Args:
        turns: Encoded turns, in order.
        path: The file to write; with more than one part, ``NAME.1``, ``NAME.2`` and so on.
        key: Our node key.
        sender, to: Party ids.
        box: The addressee's box key (44-byte X25519 SPKI) from its card.
        now: The clock, microseconds.
        random: Gives so many random bytes.
        split: Most bytes of one file, at least 32 KiB; None for one file.

    Raises:
        Usage: `pack-split`; `pack-addressee` for a box key that is none.
    """
    if split is not None and split < LEAST_SPLIT:
        raise Usage("pack-split", f"A pack is split at {LEAST_SPLIT} bytes or more, not at {split}.")
    pack = random(16).hex()
    ephemeral = X25519PrivateKey.from_private_bytes(random(32))
    public = _raw(ephemeral.public_key())
    try:
        if len(box) != 44 or not box.startswith(_SPKI_PREFIX):
            raise ValueError
        shared = ephemeral.exchange(X25519PublicKey.from_public_bytes(box[12:]))
    except ValueError as broken:
        raise Usage(
            "pack-addressee", "The addressee's card lists no key to encrypt to; ask for its newest card."
        ) from broken
    cipher = ChaCha20Poly1305(_derive(shared, public, box[12:], pack, sender, to))
    count = _Counted()
    room = None if split is None else split - HEADER_ROOM
    pieces = _spool(_sealed(count.framed(turns), cipher, bytes.fromhex(pack)), path, room)
    try:
        digests = [digest for _, _, digest in pieces]
        common = Manifest(
            pack, sender, to, sha256(box).hexdigest(), now, public, count.turns, count.length, 1, len(pieces), 0, "",
            sha256(b"".join(map(bytes.fromhex, digests))).hexdigest(), key.public.keyid,
        )  # fmt: skip
        written = []
        for number, (body, size, digest) in enumerate(pieces, 1):
            name = path if len(pieces) == 1 else path.with_name(f"{path.name}.{number}")
            _assemble(body, name, replace(common, part=number, size=size, sha256=digest), key)
            written.append(name)
        return tuple(written)
    finally:
        for body, _, _ in pieces:
            body.unlink(missing_ok=True)


class _Counted:
    """Puts its length before each turn and counts."""

    turns = 0
    length = 0

    def framed(self, turns: Iterable[bytes]) -> Iterator[bytes]:
        for turn in turns:
            if len(turn) > MOST_TURN:
                raise Usage("pack", f"A turn of {len(turn)} bytes is more than a pack carries; make smaller pages.")
            self.turns += 1
            self.length += len(turn)
            yield len(turn).to_bytes(4, "big")
            yield turn


def _sealed(plain: Iterable[bytes], cipher: ChaCha20Poly1305, pack: bytes) -> Iterator[bytes]:
    """The chunks of the body, the last one marked; an empty body is one empty chunk."""
    buffer = bytearray()
    number = 0
    for piece in plain:
        buffer += piece
        done = 0
        while len(buffer) - done > CHUNK:
            yield cipher.encrypt(_nonce(number, False), bytes(buffer[done : done + CHUNK]), pack)
            number += 1
            done += CHUNK
        del buffer[:done]
    yield cipher.encrypt(_nonce(number, True), bytes(buffer), pack)


def _spool(chunks: Iterable[bytes], path: Path, room: int | None) -> list[tuple[Path, int, str]]:
    """Write the chunks beside the final place, in pieces of at most `room` bytes: (file, size, SHA-256) each."""
    done: list[tuple[Path, int, str]] = []
    opened: list[Path] = []
    file: BinaryIO | None = None
    size, digest = 0, sha256()
    try:
        for chunk in chunks:
            if file is not None and room is not None and size + len(chunk) > room:
                file.close()
                done.append((opened[-1], size, digest.hexdigest()))
                file = None
            if file is None:
                opened.append(path.with_name(f"{path.name}.body{len(opened) + 1}~"))
                file = opened[-1].open("xb")
                size, digest = 0, sha256()
            file.write(chunk)
            digest.update(chunk)
            size += len(chunk)
    except BaseException:
        if file is not None:
            file.close()
        for one in opened:
            one.unlink(missing_ok=True)
        raise
    if file is not None:
        file.close()
        done.append((opened[-1], size, digest.hexdigest()))
    return done


def _assemble(body: Path, name: Path, manifest: Manifest, key: SigningKey) -> None:
    text = manifest.text()
    signature = b64encode(key.sign(text.encode())).decode()
    draft = name.with_name(name.name + "~")
    with draft.open("wb") as out, body.open("rb") as source:
        out.write(f"{text}\n— {key.public.keyid} {signature}\nbody\n".encode())
        while piece := source.read(1 << 20):
            out.write(piece)
        out.flush()
        os.fsync(out.fileno())
    draft.replace(name)


# --- reading


def manifest(path: Path) -> Manifest:
    """What the header of a file says. Nothing is verified: it is for printing and for finding the sender's card.

    Raises:
        InputRefused: `pack`.
    """
    with _opened(path) as file:
        return _header(file, path)[0]


def read_pack(
    files: Sequence[Path],
    *,
    box: BoxKey,
    our_party: str,
    keys: Callable[[str, str], PublicKey | None],
    taken: Callable[[str], int],
) -> Iterator[bytes]:
    """The encoded turns of a pack that were not taken yet, in order.

    The caller takes each turn and then notes durably that one more of this pack (`Manifest.pack`) was taken; read
    again, the pack goes on behind it. Each file is verified whole before a turn of it is given out.

    Args:
        files: The parts that are at hand, in any order.
        box: Our box key.
        our_party: The party this node belongs to.
        keys: ``keys(party, keyid)`` gives the node key of a known party.
        taken: How many turns of a pack were taken before, 0 for a new one.

    Raises: InputRefused: `pack` for what is no pack; `pack-addressee`; `pack-part` where the next part is missing
        (after the
            turns that stand before it) or a file is of another pack; `pack-replayed`.
        SealBroken: `pack-altered` for a file that was cut or changed, or is not signed by a node key of its sender.
    """
    found: dict[int, tuple[Path, Manifest]] = {}
    first: Manifest | None = None
    for path in files:
        with _opened(path) as file:
            one = _verified(file, path, box, our_party, keys)
        if first is not None and _shared(one) != _shared(first):
            raise InputRefused(
                "pack-part", f"{path.name} belongs to another pack than the first file; read them apart.", pack=one.pack
            )
        first = first or one
        if one.part in found and found[one.part][1] != one:
            raise InputRefused("pack-part", f"{path.name} is another part {one.part} of the same pack.", pack=one.pack)
        found[one.part] = (path, one)
    if first is None:
        raise InputRefused("pack-part", "No file of a pack was given.")
    done = taken(first.pack)
    if done >= first.turns and first.turns > 0:
        raise InputRefused("pack-replayed", f"This pack of {first.turns} turns was taken in before.", pack=first.pack)
    if len(found) == first.parts:
        digests = b"".join(bytes.fromhex(found[number][1].sha256) for number in range(1, first.parts + 1))
        if sha256(digests).hexdigest() != first.all:
            raise _altered("The parts of the pack do not belong together")
    number = 0
    for turn in _turns(_plain(found, first, box)):
        number += 1
        if number > done:
            yield turn
    if number != first.turns:
        raise _altered(f"The pack holds {number} turns and says {first.turns}")


def _shared(one: Manifest) -> Manifest:
    return replace(one, part=1, size=0, sha256="")


def _opened(path: Path) -> BinaryIO:
    try:
        return path.open("rb")
    except OSError as broken:
        raise InputRefused("pack-part", f"{path.name} cannot be read: {broken.strerror}.") from broken


def _header(file: BinaryIO, path: Path) -> tuple[Manifest, bytes, bytes]:
    """The manifest, the signed bytes and the signature; the file then stands at the body."""
    match = _HEADER.match(file.read(HEADER_ROOM))
    if match is None:
        raise InputRefused("pack", f"{path.name} is not a Comity pack, or its header is damaged.")
    file.seek(match.end())
    part = match.groups()
    try:
        created = read_instant(part[4].decode())
        signature = a2b_base64(part[14])
    except (InputRefused, Base64Error) as broken:
        raise InputRefused("pack", f"{path.name} has a damaged header.") from broken
    words = [one.decode() for one in part]
    one = Manifest(
        pack=words[0],
        sender=words[1],
        to=words[2],
        box=words[3],
        created=created,
        ephemeral=bytes.fromhex(words[5]),
        turns=int(words[6]),
        length=int(words[7]),
        part=int(words[8]),
        parts=int(words[9]),
        size=int(words[10]),
        sha256=words[11],
        all=words[12],
        keyid=words[13],
    )
    signed = one.text().encode()
    good = 1 <= one.part <= one.parts and type_of(one.sender) == "identity" and type_of(one.to) == "identity"
    if not good or not match.group().startswith(signed + b"\n"):
        raise InputRefused("pack", f"{path.name} has a header no node writes.")
    return one, signed, signature


def _verified(
    file: BinaryIO, path: Path, box: BoxKey, our_party: str, keys: Callable[[str, str], PublicKey | None]
) -> Manifest:
    one, signed, signature = _header(file, path)
    if one.to != our_party:
        raise InputRefused(
            "pack-addressee", f"{path.name} is for {one.to}, this node belongs to {our_party}.", to=one.to
        )
    key = keys(one.sender, one.keyid)
    if key is None or key.keyid != one.keyid:
        raise _altered(f"{path.name} is not signed by a key that a card of {one.sender} lists")
    try:
        key.verify(signature, signed)
    except SealBroken as broken:
        raise _altered(f"{path.name} has a header that was changed") from broken
    if one.box != box.keyid:
        raise InputRefused(
            "pack-addressee",
            f"{path.name} is encrypted to a key this node does not use now; give the sender your newest card.",
            box=one.box,
        )
    size, digest = 0, sha256()
    while piece := file.read(1 << 20):
        size += len(piece)
        digest.update(piece)
    if size != one.size:
        raise _altered(f"{path.name} has {size} of {one.size} bytes")
    if digest.hexdigest() != one.sha256:
        raise _altered(f"{path.name} was changed")
    return one


def _plain(found: dict[int, tuple[Path, Manifest]], first: Manifest, box: BoxKey) -> Iterator[bytes]:
    """The opened chunks in order, as far as the parts are there."""
    try:
        shared = box.exchange(first.ephemeral)
    except ValueError as broken:
        raise _altered("The pack was made with a key that is none") from broken
    cipher = ChaCha20Poly1305(_derive(shared, first.ephemeral, box.spki[12:], first.pack, first.sender, first.to))
    number = 0
    for part in range(1, first.parts + 1):
        if part not in found:
            missing = ", ".join(str(one) for one in range(part, first.parts + 1) if one not in found)
            raise InputRefused(
                "pack-part",
                f"Part {missing} of {first.parts} is missing; what stands before it was given out.",
                missing=missing,
            )
        path, one = found[part]
        with _opened(path) as file:
            _header(file, path)
            left = one.size
            while left:
                sealed = file.read(min(CHUNK + TAG_BYTES, left))
                left -= len(sealed)
                if not sealed:
                    raise _altered(f"{path.name} was cut short")
                last = left == 0 and part == first.parts
                try:
                    yield cipher.decrypt(_nonce(number, last), sealed, bytes.fromhex(first.pack))
                except InvalidTag as broken:
                    raise _altered(f"{path.name} cannot be opened with this node's key") from broken
                number += 1


def _turns(plain: Iterable[bytes]) -> Iterator[bytes]:
    buffer = bytearray()
    for piece in plain:
        buffer += piece
        while len(buffer) >= 4:
            size = int.from_bytes(buffer[:4], "big")
            if size > MOST_TURN:
                raise _altered("A turn of the pack is larger than a turn can be")
            if len(buffer) < 4 + size:
                break
            turn = bytes(buffer[4 : 4 + size])
            del buffer[: 4 + size]
            yield turn
    if buffer:
        raise _altered("The last turn of the pack is cut short")


def _nonce(number: int, last: bool) -> bytes:
    return number.to_bytes(11, "big") + (b"\x01" if last else b"\x00")


def _derive(shared: bytes, ephemeral: bytes, box: bytes, pack: str, sender: str, to: str) -> bytes:
    info = b"comity/pack/1" + bytes.fromhex(pack) + sender.encode() + b"\x00" + to.encode()
    return HKDF(SHA256(), 32, ephemeral + box, info).derive(shared)


def _raw(key: Any) -> bytes:
    return bytes(key.public_bytes(Encoding.Raw, PublicFormat.Raw))


def _altered(why: str) -> SealBroken:
    return SealBroken("pack-altered", f"{why}; ask the sender for the pack again.")
