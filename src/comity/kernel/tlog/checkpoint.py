"""Checkpoints: what a log says of itself at one size, signed; and what two of them say about the log.

Source: C2SP tlog-checkpoint over signed-note, unchanged. The text is the origin, the size, the root in base64, one a
line.

    comity/5f3cb5a2-9dd6-5a8b-a9cf-6d5b9cf07c1c/1
    20852163
    CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=

Origin = ``comity/<uuid of the party id>/<incarnation>``, and the key's name is the origin. An incarnation is one life
of the log, counted from 1: a node that restored a backup opens the next one by a signed act and never signs two
histories of one.

`judge` compares the checkpoint a peer holds with one that came later. A fork needs one origin; its two notes may be signed by
two keys of that log, one of which followed the other:

- equal size, other root: the two notes convict;
- larger size and a proof whose hashes lead to the new root but to another old root: notes and proof convict;
- a proof that leads nowhere, or none: `Unproved`. Proofs are not signed, so a damaged one convicts nobody; ask for
  the explicit form (`tree.consistency_proof`), which a log's tiles always give;
- smaller size, or a lower incarnation: rolled back, refused, and no proof of guilt, since anybody can replay it;
- a higher incarnation: a restore, not a fork.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Protocol

from comity.kernel.errors import InputRefused, LogFault, SealBroken
from comity.kernel.seal.canonical import canonical
from comity.kernel.seal.keys import SPKI_PREFIX
from comity.kernel.tlog import strict
from comity.kernel.tlog.note import MAX_NOTE, base64_exact, open_note, sign_note, split_note
from comity.kernel.tlog.tree import EMPTY_ROOT, HASH_BYTES, MAX_SIZE, contradicts, verify_consistency

_ORIGIN = re.compile(
    r"comity/([0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12})/([1-9]\d{0,8})", re.ASCII
)
_SIZE = re.compile(r"0|[1-9]\d{0,18}", re.ASCII)


class Spki(Protocol):
    """A public key that tells its DER SubjectPublicKeyInfo."""

    @property
    def spki(self) -> bytes:
        """DER SubjectPublicKeyInfo."""
        ...


class LogKey(Protocol):
    """A log's Ed25519 key pair, as `comity.kernel.seal.keys.SigningKey` is one."""

    @property
    def public(self) -> Spki:
        """The public half."""
        ...

    def sign(self, data: bytes, /) -> bytes:
        """The signature of exactly these bytes, 64 bytes."""
        ...


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A log at one size.

    Args:
        origin: Which log, e.g. ``comity/<uuid>/1``.
        size: How many leaves.
        root: The root over them, 32 bytes.
        extensions: Further lines of the text, opaque; we write none.
    """

    origin: str
    size: int
    root: bytes
    extensions: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        lines = (self.origin, *self.extensions)
        if "" in lines or any("\n" in line for line in lines) or not 0 <= self.size < MAX_SIZE or len(self.root) != 32:
            raise InputRefused("note", "A checkpoint has an origin, a size, a root of 32 bytes and no empty lines.")
        if self.size == 0 and self.root != EMPTY_ROOT:
            raise InputRefused("note", "An empty log has the root of the empty tree.", clause="RFC 9162 §2.1.1")

    def text(self) -> str:
        """The signed text, ending with a newline."""
        lines = (self.origin, str(self.size), b64encode(self.root).decode(), *self.extensions)
        return "".join(f"{line}\n" for line in lines)


def origin(party: str, incarnation: int) -> str:
    """The origin of a party's log: ``comity/<uuid of the party id>/<incarnation>``.

    Args:
        party: The party id, ``identity--<uuid>``.
        incarnation: Which life of the log, from 1.

    Raises:
        InputRefused: `log-origin`.
    """
    text = f"comity/{party.removeprefix('identity--')}/{incarnation}"
    if not party.startswith("identity--") or not _ORIGIN.fullmatch(text):
        raise InputRefused("log-origin", f"{party!r} with incarnation {incarnation} names no log.")
    return text


def parse_origin(text: str) -> tuple[str, int]:
    """The party id and the incarnation an origin names.

    Raises:
        InputRefused: `log-origin`.
    """
    match = _ORIGIN.fullmatch(text)
    if match is None:
        raise InputRefused("log-origin", f"{text[:80]!r} is no origin; write comity/<uuid>/<incarnation>.")
    return f"identity--{match[1]}", int(match[2])


def raw_key(spki: bytes) -> bytes:
    """The 32 raw bytes of an Ed25519 key from its DER SubjectPublicKeyInfo (RFC 8410 §4).

    Raises:
        InputRefused: `note` for any other key.
    """
    if len(spki) != len(SPKI_PREFIX) + 32 or not spki.startswith(SPKI_PREFIX):
        raise InputRefused("note", "A log signs with an Ed25519 key.", clause="RFC 8410 §4")
    return spki[len(SPKI_PREFIX) :]


def sign_checkpoint(checkpoint: Checkpoint, key: LogKey) -> bytes:
    """The signed note of a checkpoint; the key's name is the origin.

    Raises:
        InputRefused: `note` for an origin that cannot name a key.
    """
    return sign_note(checkpoint.text(), checkpoint.origin, raw_key(key.public.spki), key)


def open_checkpoint(note: bytes, origin: str, public_key: bytes) -> Checkpoint:
    """The checkpoint in a note that the log's key signed.

    Args:
        note: The signed note, as received.
        origin: The log that is meant.
        public_key: Its Ed25519 key, 32 raw bytes.

    Raises:
        InputRefused: `note` for a text that is no checkpoint; `log-origin` for the checkpoint of another log.
        SealBroken: `note-signature`.
    """
    checkpoint = read_checkpoint(note)
    if checkpoint.origin != origin:
        raise InputRefused("log-origin", f"The checkpoint is of the log {checkpoint.origin[:80]!r}, not of {origin!r}.")
    open_note(note, origin, public_key)
    return checkpoint


def open_by_any(note: bytes, origin: str, keys: Sequence[bytes]) -> Checkpoint:
    """The checkpoint in a note that one of a log's keys signed, as `open_checkpoint`.

    Raises:
        InputRefused: `note`, `log-origin`. SealBroken: `note-signature` where none of them did.
    """
    fault: SealBroken | None = None
    for key in keys:
        try:
            return open_checkpoint(note, origin, key)
        except SealBroken as broken:
            fault = broken
    raise fault or SealBroken(
        "note-signature", f"No key of the log {origin} is known here; ask its party for its card."
    )


def read_checkpoint(note: bytes) -> Checkpoint:
    """The checkpoint in a note, *not verified*: only to learn which log it claims to be of.

    Raises:
        InputRefused: `note`.
    """
    text, _ = split_note(note)
    lines = text[:-1].split("\n")
    root = base64_exact(lines[2]) if len(lines) >= 3 else None
    if root is None or len(root) != HASH_BYTES or not _SIZE.fullmatch(lines[1]) or int(lines[1]) >= MAX_SIZE:
        raise InputRefused(
            "note", "A checkpoint is origin, size and root, one a line.", clause="C2SP tlog-checkpoint, Note text"
        )
    return Checkpoint(lines[0], int(lines[1]), root, tuple(lines[3:]))


@dataclass(frozen=True, slots=True)
class ForkEvidence:
    """Two signed checkpoints of one log that cannot both be true; convinces whoever knows the log's key.

    Args:
        older: The signed note with the smaller or equal size.
        newer: The other one.
        proof: Empty where the sizes are equal; else an explicit consistency proof that leads to the newer root and to
            another older root.
    """

    older: bytes
    newer: bytes
    proof: tuple[bytes, ...] = ()

    def to_json(self) -> bytes:
        """One canonical JSON file: {form, type, older, newer, proof (hex)}."""
        return canonical(
            {
                "form": 1,
                "type": "comity-fork",
                "older": self.older.decode(),
                "newer": self.newer.decode(),
                "proof": [one.hex() for one in self.proof],
            }
        )

    @classmethod
    def from_json(cls, data: bytes) -> ForkEvidence:
        """Read the file; nothing is verified.

        Raises:
            InputRefused: `fork-evidence`.
        """
        code, what = "fork-evidence", "The evidence of a fork"
        members = strict.read_object(data, code, what, 4 * MAX_NOTE)
        if members.get("form") != 1 or members.get("type") != "comity-fork":
            raise InputRefused(code, "This is not evidence of a fork in a form that is known here.")
        older, newer = (strict.text(members, name, code, what).encode() for name in ("older", "newer"))
        return cls(older, newer, strict.hashes(members, "proof", code, what))


def verify_fork(evidence: ForkEvidence | bytes, *keys: bytes) -> tuple[Checkpoint, Checkpoint]:
    """Check evidence of a fork, offline.

    Args:
        evidence: The evidence or its file.
        keys: The Ed25519 keys that the log has or had, 32 raw bytes each, from cards that were verified.

    Returns:
        The two checkpoints that cannot both be true.

    Raises:
        InputRefused: `fork-evidence` where it shows none; `note`, `log-origin`.
        SealBroken: `note-signature`.
    """
    if isinstance(evidence, bytes):
        evidence = ForkEvidence.from_json(evidence)
    log = read_checkpoint(evidence.older).origin
    older = open_by_any(evidence.older, log, keys)
    newer = open_by_any(evidence.newer, log, keys)
    if older.size == newer.size:
        shown = older.root != newer.root and not evidence.proof
    else:
        shown = contradicts(older.size, newer.size, older.root, newer.root, evidence.proof)
    if not shown:
        raise InputRefused("fork-evidence", f"The two checkpoints of {log} can both be true; nobody is convicted.")
    return older, newer


@dataclass(frozen=True, slots=True)
class Same:
    """Both checkpoints say the same."""

    kind: ClassVar[str] = "same"
    at: Checkpoint


@dataclass(frozen=True, slots=True)
class Grown:
    """The log grew, and what was there stayed."""

    kind: ClassVar[str] = "grown"
    old: Checkpoint
    new: Checkpoint


@dataclass(frozen=True, slots=True)
class Unproved:
    """The log says it grew; it is not shown yet that what was there stayed. Keep the old checkpoint and ask again."""

    kind: ClassVar[str] = "unproved"
    old: Checkpoint
    new: Checkpoint
    why: str


@dataclass(frozen=True, slots=True)
class RolledBack:
    """An earlier state is presented as the present one: refused. Keep the old checkpoint."""

    kind: ClassVar[str] = "rolled back"
    old: Checkpoint
    new: Checkpoint


@dataclass(frozen=True, slots=True)
class Restored:
    """A later incarnation of the same party's log; its restore act must name the last checkpoint and the gap."""

    kind: ClassVar[str] = "restored"
    old: Checkpoint
    new: Checkpoint


@dataclass(frozen=True, slots=True)
class Fork:
    """The log signed two histories."""

    kind: ClassVar[str] = "fork"
    old: Checkpoint
    new: Checkpoint
    evidence: ForkEvidence = field(repr=False)


Verdict = Same | Grown | Unproved | RolledBack | Restored | Fork


def judge(
    old: bytes,
    new: bytes,
    proof: Sequence[bytes] | None,
    *,
    keys: Sequence[bytes],
) -> Verdict:
    """What a later checkpoint says about a log of which an earlier one is kept.

    Args:
        old: The signed note that is kept.
        new: The signed note that came.
        proof: A consistency proof from the old to the new size, RFC 9162 or explicit; None where none was given.
        keys: The Ed25519 keys that the log has or had, 32 raw bytes each.

    Raises:
        InputRefused: `note`; `log-origin` where the two are of different parties.
        SealBroken: `note-signature`; nothing is said about a log by a note that its key did not sign.
    """
    was, now = read_checkpoint(old), read_checkpoint(new)
    party, life = parse_origin(was.origin)
    new_party, new_life = parse_origin(now.origin)
    if party != new_party:
        raise InputRefused("log-origin", f"The checkpoints are of two parties' logs, {was.origin} and {now.origin}.")
    open_by_any(old, was.origin, keys)
    open_by_any(new, now.origin, keys)
    if new_life > life:
        return Restored(was, now)
    if new_life < life or now.size < was.size:
        return RolledBack(was, now)
    if now.size == was.size:
        return Same(now) if now.root == was.root else Fork(was, now, ForkEvidence(old, new))
    if proof is None and was.size:
        return Unproved(was, now, "no consistency proof came with the checkpoint")
    return _grown(old, new, was, now, tuple(proof or ()))


def _grown(old: bytes, new: bytes, was: Checkpoint, now: Checkpoint, proof: tuple[bytes, ...]) -> Verdict:
    explicit = was.size.bit_count() == 1 and proof[:1] == (was.root,)
    try:
        verify_consistency(was.size, now.size, was.root, now.root, proof[1:] if explicit else proof)
    except LogFault as broken:
        if contradicts(was.size, now.size, was.root, now.root, proof):
            return Fork(was, now, ForkEvidence(old, new, proof))
        return Unproved(was, now, broken.sentence)
    return Grown(was, now)
