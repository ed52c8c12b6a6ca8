"""Files as an officer sees them: listed, shown, verified, written out, disposed of. Nothing here reads what is in a file."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from comity.kernel.errors import NodeDamaged, NotFound, Usage
from comity.kernel.model.instants import format
from comity.kernel.store.ports import Reading
from comity.kernel.store.rows import Attachment, FileRow, Handed
from comity.node.attachments.custody import chain, note
from comity.node.attachments.keeping import (
    Subject,
    Told,
    came,
    digest_of,
    end,
    have,
    held,
    need_whole,
    pieces,
    subject,
    subjects,
    sweep,
)
from comity.node.context import Node
from comity.node.deeds import deed
from comity.node.parties import name_of


@dataclass(frozen=True, slots=True)
class Opened:
    """A file that is being written out: what is told of it, and its bytes piece by piece."""

    told: dict[str, Any]
    pieces: Iterator[bytes]


def open_file(node: Node, object: str, *, officer: str, means: str | None = None, told: Told | None = None) -> Opened:
    """Give the bytes of a file to the officer who asks, after they were compared with their digest; an entry `opened` is written first.

    Raises:
        NotFound: `attachment-not-here`, and as `comity.node.attachments.keeping.subject`. NodeDamaged: `attachment-damaged`.
    """
    sweep(node)
    with node.store.read() as tx:
        one = subject(tx, node.party, object)
        need_whole(tx, node.party, one, node.clock())
    found = _compared(node, one, told)
    with deed(node, officer) as work:
        need_whole(work.tx, node.party, one, work.at)
        entry = note(work, one, "opened", before=found, after=found, means=means or "written out of this node")
        work.audit("attachment-open", {"object": object, "file": one.file.root})
    shape = {"object": object, "sha256": found, "size": one.file.size, "entry": entry}
    return Opened(shape, pieces(node, one.file.root))


def _compared(node: Node, one: Subject, told: Told | None) -> str:
    found = digest_of(node, one.file.root, told)
    if found != one.file.sha256:
        raise NodeDamaged(
            "attachment-damaged",
            f"The bytes kept for {one.id} are not those it names; forget the file and fetch it again.",
        )
    return found


def verify_file(node: Node, object: str, *, told: Told | None = None) -> dict[str, Any]:
    """Read all bytes of a file again and compare them with what its artifact says; gives {object, sha256, size, whole}.

    Raises:
        NotFound: `attachment-not-here`. NodeDamaged: `attachment-damaged`.
    """
    with node.store.read() as tx:
        one = subject(tx, node.party, object)
        need_whole(tx, node.party, one, node.clock())
    return {"object": object, "sha256": _compared(node, one, told), "size": one.file.size, "whole": True}


def forget(node: Node, object: str, *, reason: str, officer: str) -> dict[str, Any]:
    """Dispose of the bytes that are kept for an artifact: its giver is handed our signed word; digest, acts and entries stay.

    Returns:
        {object, ended, erased}: what was kept for it, and how many bytes were taken out; none where another artifact needs them.

    Raises:
        Usage: `attachment-reason`. NotFound: `attachment-not-here`.
    """
    if not reason.strip():
        raise Usage("attachment-reason", "Say with --reason why the bytes are disposed of; it stands in the record.")
    with deed(node, officer) as work:
        rows = [row for row in work.tx.find(Attachment, object=object) if row.ended is None]
        if not rows:
            raise NotFound(
                "attachment-not-here", f"No bytes are kept here for {object}; comity attachment list shows for what."
            )
        for row in rows:
            end(work, row, reason.strip(), officer=officer)
    return {"object": object, "ended": [row.file for row in rows], "erased": sweep(node)}


def listed(node: Node) -> list[dict[str, Any]]:
    """Every artifact here that refers to a file: which file, from whom, and whether its bytes are here."""
    with node.store.read() as tx:
        now = node.clock()
        return [_line(node, tx, one, now) for one in subjects(tx, node.party)]


def _line(node: Node, tx: Reading, one: Subject, now: int) -> dict[str, Any]:
    row = tx.get(Attachment, one.id, one.file.root)
    kept = tx.get(FileRow, one.file.root)
    return {
        "object": one.id,
        "name": one.file.name,
        "mime_type": one.file.mime,
        "size": one.file.size,
        "sha256": one.file.sha256,
        "tlp": one.seen.tlp,
        "from": one.seen.custodian,
        "from_name": name_of(tx, one.seen.custodian),
        "state": _state(node, tx, one, row, kept, now),
    }


def _state(node: Node, tx: Reading, one: Subject, row: Attachment | None, kept: FileRow | None, now: int) -> str:
    if row is None:
        return "not fetched"
    if row.ended is not None:
        return f"disposed of {format(row.ended)}: {row.why}"
    if not held(tx, node.party, one.id, one.file.root, now):
        return "may no longer be kept"
    if not came(row, node.party):
        return "not given yet"
    if kept is not None and kept.whole:
        return "here"
    return f"{have(kept)} of {one.file.chunks} chunks are here"


def shown(node: Node, object: str, of: str | None = None) -> dict[str, Any]:
    """One file: what its artifact says, how it stands here, to whom it was given, its chain of custody. Its content is not looked at.

    Raises:
        As `comity.node.attachments.keeping.subject`.
    """
    with node.store.read() as tx:
        one = subject(tx, node.party, object, of)
        return {
            **_line(node, tx, one, node.clock()),
            "root": one.file.root,
            "chunks": one.file.chunks,
            "given": [given_json(tx, row) for row in tx.find(Handed) if row.object == object],
            "custody": chain(tx, node.party, one),
        }


def given_json(tx: Reading, row: Handed) -> dict[str, Any]:
    """What a party was handed: {party, name, object, row, file, act, chunks, at, disposed}."""
    return {
        "party": row.party,
        "name": name_of(tx, row.party),
        "object": row.object,
        "row": row.n,
        "file": row.file,
        "act": row.act,
        "chunks": row.upto,
        "at": format(row.at),
        "disposed": row.disposal is not None,
    }
