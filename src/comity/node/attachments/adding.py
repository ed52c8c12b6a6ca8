"""Adding a file of ours: its bytes kept in chunks, an artifact minted that refers to them, the first entry of its chain of custody.

The file is read twice: once for its hashes, once to keep it. An add that was cut off goes on where it stopped when the same file is added
again; chunks that nobody comes back for are erased after a day.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, BinaryIO, Final
from uuid import UUID

from comity.kernel.errors import InputRefused, NotFound, Usage
from comity.kernel.exchange.attachments import (
    CHUNK,
    LARGEST,
    NAME,
    Described,
    artifact,
    chunk_leaf,
    chunks_root,
    fit_name,
)
from comity.kernel.model.instants import format
from comity.kernel.release.handling import Handling
from comity.kernel.store.rows import Attachment, FileRow, Version
from comity.node.attachments.custody import note
from comity.node.attachments.keeping import LOT, Told, have, keep_chunks, seal_whole, subject, sweep
from comity.node.attachments.kinds import ATTACHMENT
from comity.node.context import Deed, Node
from comity.node.deeds import deed
from comity.node.minting import MILLISECOND, mint

NAME_RULE: Final = f"a name has 1 to {NAME} characters and no slash, backslash, control or reversing character"


@dataclass(frozen=True, slots=True)
class Measured:
    """A file as it was read: SHA-256 (hex), bytes, and the leaf of each chunk."""

    sha256: str
    size: int
    leaves: tuple[bytes, ...]

    @property
    def root(self) -> str:
        """The root over its chunks, hex."""
        return chunks_root(self.leaves)


def chunks_of(stream: BinaryIO) -> Iterator[bytes]:
    """The chunks of a stream; a read that gives less than was asked for is no end yet."""
    while True:
        parts, lacking = [], CHUNK
        while lacking and (part := stream.read(lacking)):
            parts.append(part)
            lacking -= len(part)
        if parts:
            yield b"".join(parts)
        if lacking:
            return


def measure(stream: BinaryIO) -> Measured:
    """Read a stream from where it stands to its end.

    Raises:
        InputRefused: `attachment-size` beyond 256 GiB.
    """
    hashing, size, leaves = sha256(), 0, []
    for chunk in chunks_of(stream):
        hashing.update(chunk)
        size += len(chunk)
        leaves.append(chunk_leaf(chunk))
        if size > LARGEST:
            raise InputRefused("attachment-size", f"The file has more than {LARGEST >> 30} GiB; split it.")
    return Measured(hashing.hexdigest(), size, tuple(leaves))


def add(
    node: Node,
    stream: BinaryIO,
    *,
    name: str | None,
    handling: Handling,
    officer: str,
    mime: str | None = None,
    about: Sequence[str] = (),
    place: str | None = None,
    means: str | None = None,
    told: Told | None = None,
) -> dict[str, Any]:
    """Keep a file and mint the artifact that refers to it.

    Args:
        stream: The file; it can be read from its beginning a second time.
        name: What it is called; None says nothing of it.
        handling: What the officer states; its TLP has to be said.
        about: Ids of objects held here that it belongs to; each is named in a relationship ``related-to``.
        place, means: Where and how it was collected.

    Returns:
        {object, sha256, size, root, name, chunks, entry, relationships}.

    Raises:
        Usage: `handling`, `attachment-name`. NotFound: `no-such-object`. InputRefused: `attachment-size`, `attachment-changed`,
            and what the validation of STIX says of `mime`.
    """
    if handling.tlp is None:
        raise Usage("handling", "Say --tlp: nothing else says how the file may be shared.")
    if name is not None and not fit_name(name):
        raise Usage(
            "attachment-name", f"{name[:80]!r} cannot be the name of a file: {NAME_RULE}; say another with --name."
        )
    with node.store.read() as tx:
        for one in about:
            if next(iter(tx.find(Version, id=one, limit=1)), None) is None:
                raise NotFound("no-such-object", f"No object {one} is held here; --about names objects that are.")
    found = measure(stream)
    file = Described(found.sha256, found.size, found.root, name, mime)
    _keep(node, stream, found, told)
    with deed(node, officer) as work:
        if have(work.tx.get(FileRow, file.root)) != len(found.leaves):
            raise InputRefused("attachment-changed", "The file was erased while it was added; add it again.")
        seal_whole(work, file.root, file.sha256)
        made = artifact(file, _id(work, "artifact", file.root))
        related = [_relationship(work, made["id"], one, place) for place, one in enumerate(about)]
        mint(work, [made, *related], handling, name="attachment add", kinds=(ATTACHMENT,))
        work.tx.put(Attachment(made["id"], file.root, work.at, None, "", node.party, b""))
        entry = note(
            work,
            subject(work.tx, node.party, made["id"]),
            "collected",
            after=file.sha256,
            place=place,
            means=means,
            handling=handling,
        )
        work.audit("attachment-add", {"object": made["id"], "file": file.root})
    sweep(node)
    return {
        "object": made["id"],
        "sha256": file.sha256,
        "size": file.size,
        "root": file.root,
        "name": name,
        "chunks": file.chunks,
        "entry": entry,
        "relationships": [one["id"] for one in related],
    }


def _keep(node: Node, stream: BinaryIO, found: Measured, told: Told | None) -> None:
    root = found.root
    with deed(node) as work:
        here = keep_chunks(work, root, found.size, 0, ())
    while here < len(found.leaves):
        stream.seek(here * CHUNK)
        lot = []
        for n, chunk in enumerate(chunks_of(stream), here):
            if n >= len(found.leaves) or chunk_leaf(chunk) != found.leaves[n]:
                raise InputRefused(
                    "attachment-changed", "The file changed while it was read; add it again when nobody writes to it."
                )
            lot.append(chunk)
            if len(lot) == LOT:
                break
        if not lot:
            raise InputRefused("attachment-changed", "The file became shorter while it was read; add it again.")
        with deed(node) as work:
            here = keep_chunks(work, root, found.size, here, lot)
        if told is not None:
            told(min(here * CHUNK, found.size))


def add_bytes(node: Node, data: bytes, **said: Any) -> dict[str, Any]:
    """`add` of bytes that are at hand."""
    return add(node, io.BytesIO(data), **said)


def _id(work: Deed, kind: str, file: str) -> str:
    label = f"{kind}/{file}/{work.tx.last(Version, 'n') or 0}/{work.at}"
    return f"{kind}--{UUID(bytes=work.node.random(16, label), version=4)}"


def _relationship(work: Deed, artifact: str, about: str, place: int) -> dict[str, Any]:
    at = format(work.at - work.at % MILLISECOND)
    return {
        "type": "relationship",
        "spec_version": "2.1",
        "id": _id(work, "relationship", f"{artifact}/{place}"),
        "created_by_ref": work.node.party,
        "created": at,
        "modified": at,
        "relationship_type": "related-to",
        "source_ref": artifact,
        "target_ref": about,
    }
