"""The bytes of files: kept once, in chunks, while an artifact that refers to them is held; erased when none is any more.

Chunks come in order and each transaction keeps a few, so a file that was cut off goes on where it stopped, whatever its size, and the
memory it takes does not grow with it. What no artifact needs is taken out again from its end, also in small transactions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Any, Final

import msgspec

from comity.kernel.errors import ComityError, InputRefused, NodeDamaged, NotFound, Usage
from comity.kernel.exchange.attachments import Described, chunk_leaf, described
from comity.kernel.model.ids import type_of
from comity.kernel.model.instants import DAY, Instant
from comity.kernel.seal.canonical import canonical
from comity.kernel.store.ports import Reading
from comity.kernel.store.rows import Attachment, Chunk, FileRow, Handed, Holding, Version
from comity.kernel.tlog.acts import act_digest
from comity.node.context import Deed, Node
from comity.node.deeds import deed
from comity.node.minting import Seen, newest
from comity.node.papers import hand_over
from comity.node.parties import card_of, resolve_party
from comity.node.record import record

LOT: Final = 16
"""Chunks kept or read at a time: 4 MiB."""

ERASED_AT_ONCE: Final = 64
"""Chunks taken out in one transaction."""

STANDSTILL: Final = DAY
"""How long chunks stay of a file that was being added and was never finished."""

Told = Callable[[int], None]
"""Told how many bytes are dealt with."""


@dataclass(frozen=True, slots=True)
class Subject:
    """An artifact as one source has it here, and the file it refers to."""

    seen: Seen
    file: Described

    @property
    def id(self) -> str:
        """The artifact's id."""
        return self.seen.id


def subjects(tx: Reading, us: str, object: str | None = None) -> list[Subject]:
    """The artifacts here that refer to a file, one for each source; ours first. One whose description is broken is left out."""
    found = []
    for seen in newest(tx, us, "artifact", id=object):
        try:
            file = described(seen.data)
        except ComityError:
            continue
        if file is not None:
            found.append(Subject(seen, file))
    return found


def subject(tx: Reading, us: str, object: str, of: str | None = None) -> Subject:
    """An artifact that refers to a file.

    Args:
        of: Only as this party (id or name) gave it.

    Raises:
        NotFound: `no-such-object`, `attachment-none`, `no-such-party`. Usage: `attachment-which` where sources have different files.
    """
    if type_of(object) != "artifact" or next(iter(tx.find(Version, id=object, limit=1)), None) is None:
        raise NotFound(
            "no-such-object", f"No artifact {object} is held here; comity attachment list shows those that are."
        )
    found = subjects(tx, us, object)
    if of is not None:
        party = resolve_party(tx, of).id
        found = [one for one in found if one.seen.custodian == party]
    if not found:
        raise NotFound(
            "attachment-none",
            f"{object} refers to no file that could be had: it has no description of one, was taken back, or came in a view without it.",
        )
    if len({one.file.root for one in found}) > 1:
        raise Usage(
            "attachment-which", f"Several parties give different files as {object}; say which party's with --from."
        )
    return found[0]


def held(tx: Reading, us: str, object: str, file: str, at: Instant) -> list[Holding]:
    """The holdings under which the bytes of a file may be kept for an artifact: not taken back, and within the retention of what another
    party gave."""
    found: list[Holding] = []
    for version in tx.find(Version, id=object):
        try:
            says = described(msgspec.json.decode(version.raw))
        except ComityError:
            continue
        if says is not None and says.root == file:
            found += [
                one
                for one in tx.find(Holding, version=version.n, ended=None)
                if one.custodian == us or one.expiry is None or at < one.expiry
            ]
    return found


def attached(tx: Reading, us: str, object: str, file: str, at: Instant) -> Attachment | None:
    """The attachment that stands for an artifact and a file; None where there is none, or its artifact may no longer be held."""
    row = tx.get(Attachment, object, file)
    return row if row is not None and row.ended is None and held(tx, us, object, file, at) else None


def came(row: Attachment, us: str) -> bool:
    """Whether the bytes of a file came for this artifact: it is ours, or its giver handed them over.

    Who only names a file, whose bytes another party gave for an artifact of its own, opens nothing with that.
    """
    return row.giver == us or bool(row.hand)


def need_whole(tx: Reading, us: str, one: Subject, at: Instant) -> FileRow:
    """The file of an artifact, all of it here.

    Raises:
        NotFound: `attachment-not-here`.
    """
    row, kept_for = tx.get(FileRow, one.file.root), attached(tx, us, one.id, one.file.root, at)
    if row is None or not row.whole or kept_for is None or not came(kept_for, us):
        raise NotFound(
            "attachment-not-here",
            f"The bytes of {one.id} are not here; comity attachment fetch asks its giver for them.",
        )
    return row


def have(row: FileRow | None) -> int:
    """How many chunks of a file are here."""
    return 0 if row is None else len(row.leaves) // 32


# --- bytes in


def keep_chunks(work: Deed, file: str, size: int, first: int, chunks: Sequence[bytes]) -> int:
    """Keep chunks that follow those that are here; gives how many are here then. Those that are here already are passed over.

    The caller has shown each to be of the file.
    """
    row = work.tx.get(FileRow, file) or FileRow(file, "", size, b"", 0, work.at, None)
    here = have(row)
    fresh = chunks[here - first :] if first <= here else ()
    work.tx.add(Chunk(file, here + n, data) for n, data in enumerate(fresh))
    leaves = row.leaves + b"".join(map(chunk_leaf, fresh))
    work.tx.put(replace(row, leaves=leaves, touched=work.at, erased=None))
    return len(leaves) // 32


def seal_whole(work: Deed, file: str, digest: str) -> None:
    """Note that all of a file is here, and its SHA-256 over all bytes."""
    row = work.tx.get(FileRow, file)
    assert row is not None, "a file has its row before its last chunk"
    work.tx.put(replace(row, sha256=digest, whole=1, erased=None))


def pieces(node: Node, file: str, told: Told | None = None) -> Iterator[bytes]:
    """The chunks of a file in order, each compared with the leaf that is noted of it.

    Raises:
        NodeDamaged: `attachment-damaged`. NotFound: `attachment-not-here` where it was erased meanwhile.
    """
    n = done = 0
    while True:
        with node.store.read() as tx:
            row = tx.get(FileRow, file)
            if row is None or row.erased is not None:
                raise NotFound(
                    "attachment-not-here", "The file was erased while it was read; nothing more of it is here."
                )
            lot = [tx.get(Chunk, file, place) for place in range(n, min(n + LOT, have(row)))]
        if not lot:
            return
        for place, chunk in enumerate(lot, n):
            if chunk is None or chunk_leaf(chunk.data) != row.leaves[place * 32 : place * 32 + 32]:
                raise NodeDamaged(
                    "attachment-damaged",
                    f"Chunk {place + 1} of file {file[:16]}… is not as it was kept; forget the file and fetch it again.",
                )
            yield chunk.data
            done += len(chunk.data)
        n += len(lot)
        if told is not None:
            told(done)


def digest_of(node: Node, file: str, told: Told | None = None) -> str:
    """The SHA-256 over the bytes of a file as they are here now, hex. Errors as `pieces`."""
    hashing = sha256()
    for piece in pieces(node, file, told):
        hashing.update(piece)
    return hashing.hexdigest()


# --- bytes out for good


def end(work: Deed, row: Attachment, why: str, *, officer: str = "") -> None:
    """Keep a file for an artifact no longer: logged, and the party that gave it is handed our signed word.

    The word is about what was kept under its title: whether the same bytes are here under another one is nobody else's business.
    """
    work.tx.put(replace(row, ended=work.at, why=why))
    paper = {"object": row.object, "file": row.file, "why": why, "hand": act_digest(row.hand) if row.hand else None}
    if row.giver == work.node.party or not row.hand or card_of(work.tx, row.giver) is None:
        who = [officer] if officer else ()
        record(work, "dispose", "", paper, officers=who, reason=why)
    else:
        hand_over(work, row.giver, "disposal", "", canonical(paper), officer=officer, reason=why)
    work.audit("attachment-ended", {"object": row.object, "file": row.file, "why": why})


def end_unheld(work: Deed) -> None:
    """End what is kept for artifacts that were taken back, or whose retention is over."""
    for row in list(work.tx.find(Attachment)):
        if row.ended is None and not held(work.tx, work.node.party, row.object, row.file, work.at):
            taken_back = not any(True for one in work.tx.find(Holding, object=row.object, ended=None))
            end(work, row, "taken back by who gave it" if taken_back else "its retention is over")


def take_disposal(work: Deed, peer: str, body: dict[str, Any]) -> None:
    """Keep a party's signed word that it keeps a file under our title no longer.

    Raises:
        InputRefused: `attachment-disposal` where we never handed it such a file.
    """
    paper = msgspec.json.decode(str(body["paper"]))
    rows = list(work.tx.find(Handed, act=str(paper.get("hand")), party=peer))
    if not rows or (rows[0].object, rows[0].file) != (paper.get("object"), paper.get("file")):
        raise InputRefused(
            "attachment-disposal", "A party says that it disposed of a file that was never handed to it; it was noted."
        )
    work.tx.put(replace(rows[0], disposal=canonical(body)))


def sweep(node: Node) -> int:
    """End what may be kept no longer and erase the files that nothing needs; gives how many bytes were taken out.

    Called on the node's timer, after each contact, and by the deeds about files; it writes only where there is something to do.
    """
    with node.store.read() as tx:
        now = node.clock()
        unheld = any(
            row.ended is None and not held(tx, node.party, row.object, row.file, now) for row in tx.find(Attachment)
        )
        unneeded = [row.root for row in tx.find(FileRow) if _unneeded(tx, row, now)]
    if unheld:
        with deed(node) as work:
            end_unheld(work)
        with node.store.read() as tx:
            unneeded = [row.root for row in tx.find(FileRow) if _unneeded(tx, row, now)]
    return sum(_erase(node, file) for file in unneeded)


def _unneeded(tx: Reading, row: FileRow, now: Instant) -> bool:
    if row.erased is not None:
        return False
    kept_for = list(tx.find(Attachment, file=row.root))
    if any(one.ended is None for one in kept_for):
        return False
    return any(one.ended >= row.touched for one in kept_for if one.ended is not None) or row.touched + STANDSTILL <= now


def _erase(node: Node, file: str) -> int:
    """Take out the chunks of a file from its end; one that is needed again meanwhile stays."""
    gone = 0
    while True:
        with deed(node) as work:
            row = work.tx.get(FileRow, file)
            if row is None or not _unneeded(work.tx, row, work.at):
                return gone
            here = have(row)
            least = max(0, here - ERASED_AT_ONCE)
            for place in range(least, here):
                chunk = work.tx.get(Chunk, file, place)
                gone += 0 if chunk is None else len(chunk.data)
                work.tx.remove(Chunk, file, place)
            erased = None if least else work.at
            work.tx.put(replace(row, leaves=row.leaves[: least * 32], whole=0, erased=erased))
            if not least:
                work.audit("attachment-erased", {"file": file, "bytes": row.size})
                return gone
