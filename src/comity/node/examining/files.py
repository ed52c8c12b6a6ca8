"""Files: their chunks are those their tree commits to, they are kept for artifacts that are here, and handed over by acts of ours."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256
from typing import Any

import msgspec

from comity.kernel.errors import ComityError
from comity.kernel.exchange.attachments import CHUNK, Described, chunk_leaf, chunks_root, described
from comity.kernel.store.rows import ActRow, Attachment, Chunk, FileRow, Handed, Holding, PromiseRow, StreamRow, Version
from comity.kernel.tlog.acts import act_digest
from comity.node.examining.look import Finding, Look, same_json, short


def files(look: Look) -> Iterator[Finding]:
    """`file` and `chunk`: every chunk against its leaf, a whole file against root, size and SHA-256; nothing is kept of an erased one."""
    counted = 0

    def check(row: FileRow) -> Iterator[str]:
        nonlocal counted
        said = f"The file {short(row.root)}"
        hashing, size, here = sha256(), 0, len(row.leaves) // 32
        found = 0
        while (chunk := look.tx.get(Chunk, row.root, found)) is not None:
            n, found = found, found + 1
            counted += 1
            size += len(chunk.data)
            hashing.update(chunk.data)
            if row.leaves[n * 32 : n * 32 + 32] != chunk_leaf(chunk.data):
                yield f"Chunk {n} of {said.lower()} is not the one that was kept."
        if found != here or len(row.leaves) % 32:
            yield f"{said} has {found} chunks and leaves of {here}."
        leaves = [row.leaves[at : at + 32] for at in range(0, len(row.leaves), 32)]
        if row.whole not in (0, 1) or (row.whole and chunks_root(leaves) != row.root):
            yield f"{said} is kept under another root than that of its chunks."
        if row.whole and (hashing.hexdigest(), size) != (row.sha256, row.size):
            yield f"{said} has another SHA-256 or another size than is noted."
        if not 0 <= here <= -(-row.size // CHUNK) or row.touched > look.now:
            yield f"{said} has more chunks than its size, or was touched after all that was done here."
        yield from _erased(look, row, here, said)
        yield from _kept_for(look, row, said)

    yield from look.each(look.tx.find(FileRow), lambda row: row.root, lambda row: f"The file {short(row.root)}", check)
    if look.tx.count(Chunk) != counted:
        yield Finding("chunks", "Chunks are kept of a file that is not here, or beyond a gap in one.")


def _erased(look: Look, row: FileRow, here: int, said: str) -> Iterator[str]:
    if row.erased is None:
        return
    noted = any(one["file"] == row.root for one in look.noted(row.erased, "attachment-erased"))
    if not noted or here or row.whole:
        yield f"{said} was erased at another instant than is noted, or is still here."


def _kept_for(look: Look, row: FileRow, said: str) -> Iterator[str]:
    """What artifacts say of the file that is kept for them."""
    kept_for = list(look.tx.find(Attachment, file=row.root))
    if row.whole and not kept_for:
        yield f"{said} is kept for no artifact."
    if not kept_for and not row.whole and row.sha256:
        yield f"{said} was never whole, and a SHA-256 is noted."
    for one in kept_for:
        for file in _said(look, one.object, row.root):
            if file.size != row.size or (row.sha256 and row.sha256 != file.sha256):
                yield f"{said} is not the one that {one.object} names."


def _said(look: Look, object: str, root: str) -> Iterator[Described]:
    for version in look.tx.find(Version, id=object):
        try:
            file = described(msgspec.json.decode(version.raw))
        except (ComityError, msgspec.DecodeError):
            continue  # told where objects are
        if file is not None and file.root == root:
            yield file


def attachments(look: Look) -> Iterator[Finding]:
    """`attachment`: for an artifact that is here and names the file, from whom it came, since and until when the audit says; the giver's
    act hands that file to us."""

    def check(row: Attachment) -> Iterator[str]:
        said = f"What is kept for {row.object}"
        if look.tx.get(FileRow, row.file) is None or not any(_said(look, row.object, row.file)):
            yield f"{said} is a file that is not here, or that it does not name."
        begun = [*look.noted(row.at, "attachment-add"), *look.noted(row.at, "attachment-fetch")]
        if not any((one["object"], one["file"]) == (row.object, row.file) for one in begun):
            yield f"{said} is kept since another instant than is noted."
        if row.ended is not None:
            told = {"object": row.object, "file": row.file, "why": row.why}
            if not any({**told, "by": one["by"]} == one for one in look.noted(row.ended, "attachment-ended")):
                yield f"{said} ended at another instant, or for another reason, than is noted."
        elif row.why:
            yield f"{said} has not ended, and a reason is noted."
        if not any(one.custodian == row.giver for one in look.tx.find(Holding, object=row.object)):
            yield f"{said} is noted as of a party that did not give the artifact."
        yield from _hand(look, row, said)

    yield from look.each(
        look.tx.find(Attachment), lambda row: row.object, lambda row: f"What is kept for {row.object}", check
    )


def _hand(look: Look, row: Attachment, said: str) -> Iterator[str]:
    ours = row.giver == look.node.party
    file = look.tx.get(FileRow, row.file)
    if ours != (not row.hand) and (ours or (file is not None and file.whole and row.ended is None)):
        yield f"{said} has no act that hands it over, or one that nobody needed."
    if row.hand and not ours:
        act = look.act(row.hand, row.giver)
        if (act.kind, act.to, act.body.get("object"), act.body.get("root")) != (
            "hand",
            look.node.party,
            row.object,
            row.file,
        ):
            yield f"{said} came under an act that hands over something else."


def handed(look: Look) -> Iterator[Finding]:
    """`handed`: under a row of the party's stream, by the act that is kept; the party's word that it disposed of it is signed by it."""

    def check(row: Handed) -> Iterator[str]:
        said = f"What was handed to {row.party} for {row.object}"
        stream, kept = look.tx.get(StreamRow, row.party, row.n), look.tx.get(ActRow, row.act)
        if stream is None or stream.object != row.object:
            yield f"{said} stands under a row of another object."
        act = None if kept is None else look.act(kept.envelope, look.node.party)
        body: dict[str, Any] = {} if act is None else dict(act.body)
        told = (row.party, row.object, row.file, row.n, row.at)
        if act is None or (act.to, body.get("object"), body.get("root"), body.get("n"), act.at) != told:
            yield f"{said} is not what its act says."
        if not 0 <= row.upto <= -(-int(body.get("size", 0)) // CHUNK):
            yield f"{said} has fewer chunks than it asked for."
        if row.disposal is not None:
            yield from _disposal(look, row, said)

    yield from look.each(
        look.tx.find(Handed), lambda row: row.party, lambda row: f"A file handed to {row.party}", check
    )
    for act in look.tx.find(ActRow):
        if act.kind == "hand" and next(iter(look.tx.find(Handed, act=act.digest)), None) is None:
            yield Finding(act.to, f"An act of ours hands a file to {act.to}, and nothing is noted of it.")


def _disposal(look: Look, row: Handed, said: str) -> Iterator[str]:
    body = same_json(row.disposal or b"")
    act = look.act(body["act"].encode(), row.party)
    paper = body["paper"].encode()
    says = msgspec.json.decode(paper)
    if (
        act.kind != "dispose"
        or act.body.get("paper") != sha256(paper).hexdigest()
        or (says["hand"], says["object"], says["file"]) != (row.act, row.object, row.file)
        or act_digest(body["act"].encode()) not in {one.act for one in _promised(look, body)}
    ):
        yield f"{said} is said to be disposed of by a word that speaks of something else."


def _promised(look: Look, body: dict[str, Any]) -> Iterator[PromiseRow]:
    """The promise that came with a party's word, as it was kept."""
    yield from look.tx.find(PromiseRow, act=act_digest(body["act"].encode()))
