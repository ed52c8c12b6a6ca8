"""The proof file: one text that shows, offline, that an entry is in a log.

Source: C2SP tlog-proof, unchanged: a first line, an optional opaque extra, the index, the inclusion proof in base64,
an empty line, the checkpoint.

    c2sp.org/tlog-proof@v1
    index 73894
    gSKyXoYZUgZ6jduWYrkDOARinOMGJveXjgMkBTcdPlQ=

    comity/5f3cb5a2-9dd6-5a8b-a9cf-6d5b9cf07c1c/1
    109482
    sFodV/vSp5O8n9a8QpW6PRY97tfOSW5bsc2Xl/EQi08=

    — comity/5f3cb5a2-9dd6-5a8b-a9cf-6d5b9cf07c1c/1 hI2DJw...
"""

from __future__ import annotations

import re
from base64 import b64encode
from dataclasses import dataclass, field
from typing import Final

from comity.kernel.errors import InputRefused
from comity.kernel.tlog.checkpoint import Checkpoint, open_checkpoint
from comity.kernel.tlog.note import MAX_NOTE, base64_exact
from comity.kernel.tlog.tree import HASH_BYTES, MAX_SIZE, verify_inclusion

FIRST_LINE: Final = "c2sp.org/tlog-proof@v1"
_INDEX = re.compile(r"index (0|[1-9]\d{0,18})", re.ASCII)
_MAX_EXTRA: Final = 1 << 16


@dataclass(frozen=True, slots=True)
class LogProof:
    """That the leaf at `index` is in the log of the checkpoint.

    Args:
        index: The place of the leaf, from 0.
        path: The inclusion proof, the leaf's sibling first.
        note: The signed note of the checkpoint, verbatim.
        extra: Opaque bytes, not authenticated; None where there are none.
    """

    index: int
    path: tuple[bytes, ...]
    note: bytes = field(repr=False)
    extra: bytes | None = None

    def to_text(self) -> bytes:
        """The file."""
        lines = [FIRST_LINE]
        if self.extra is not None:
            lines.append(f"extra {b64encode(self.extra).decode()}")
        lines.append(f"index {self.index}")
        lines.extend(b64encode(one).decode() for one in self.path)
        return "\n".join(lines).encode() + b"\n\n" + self.note

    @classmethod
    def from_text(cls, data: bytes) -> LogProof:
        """Read the file; nothing is verified.

        Raises:
            InputRefused: `note` for a text that is no tlog-proof.
        """
        head, gap, note = data[: MAX_NOTE + 2 * _MAX_EXTRA].partition(b"\n\n")
        try:
            lines = head.decode("ascii").split("\n")
        except UnicodeDecodeError:
            lines = []
        if len(data) > MAX_NOTE + _MAX_EXTRA or not gap or lines[:1] != [FIRST_LINE]:
            raise InputRefused(
                "note",
                f"A proof begins with the line {FIRST_LINE} and ends with a checkpoint.",
                clause="C2SP tlog-proof",
            )
        rest = lines[1:]
        extra = None
        if rest and rest[0].startswith("extra "):
            extra = base64_exact(rest.pop(0).removeprefix("extra "))
            if extra is None:
                raise InputRefused("note", "The extra line of a proof is base64.", clause="C2SP tlog-proof, Format")
        match = _INDEX.fullmatch(rest[0]) if rest else None
        path = [base64_exact(line) for line in rest[1:65]]
        if match is None or int(match[1]) >= MAX_SIZE or len(rest) > 65:
            raise InputRefused(
                "note", "A proof has an index line and at most 64 hashes.", clause="C2SP tlog-proof, Format"
            )
        found = tuple(one for one in path if one is not None and len(one) == HASH_BYTES)
        if len(found) != len(path):
            raise InputRefused("note", "A hash of a proof is base64 of 32 bytes.", clause="C2SP tlog-proof, Format")
        return cls(int(match[1]), found, note, extra)

    def verify(self, leaf: bytes, origin: str, public_key: bytes) -> Checkpoint:
        """Check that the record hash `leaf` is in the log.

        Args:
            leaf: The record hash, 32 bytes.
            origin: The log that is meant.
            public_key: Its Ed25519 key, 32 raw bytes.

        Returns:
            The checkpoint.

        Raises:
            InputRefused: `note`, `log-origin`.
            SealBroken: `note-signature`, `inclusion-proof`.
        """
        checkpoint = open_checkpoint(self.note, origin, public_key)
        verify_inclusion(leaf, self.index, checkpoint.size, self.path, checkpoint.root)
        return checkpoint
