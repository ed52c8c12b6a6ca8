"""Fetching the bytes of a file from the party that gave its artifact: only when an officer asks, chunk by chunk, each one checked.

What came is kept chunk by chunk, so a fetch that was cut off goes on from there. It stops when the artifact is taken back meanwhile. The
giver's act is kept: it shows who gave which bytes under which title.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Protocol

from comity.kernel.errors import LogFault, NotAllowed, NotFound, SealBroken, Unavailable
from comity.kernel.exchange.attachments import AT_ONCE, CHUNK, Ask, Portion, decode_portion, encode_ask
from comity.kernel.model.instants import parse
from comity.kernel.seal.cards import Card
from comity.kernel.seal.dsse import unverified_body
from comity.kernel.store.rows import Attachment, FileRow, Version
from comity.kernel.tlog.acts import act_digest, open_act
from comity.kernel.tlog.promises import open_promise
from comity.node.attachments.custody import note
from comity.node.attachments.keeping import (
    Subject,
    Told,
    attached,
    digest_of,
    end,
    have,
    keep_chunks,
    seal_whole,
    subject,
    sweep,
)
from comity.node.contact import peer_card
from comity.node.context import Deed, Node
from comity.node.deeds import deed
from comity.node.gossip import keep_promise
from comity.node.parties import need_card, node_keys


class Giver(Protocol):
    """A peer as it is asked for files."""

    def attachment(self, ask: bytes) -> bytes: ...
    def close(self) -> None: ...


def fetch(
    node: Node,
    object: str,
    connect: Callable[[Node, Card, bool], Giver],
    *,
    officer: str,
    of: str | None = None,
    told: Told | None = None,
) -> dict[str, Any]:
    """Fetch the bytes that an artifact refers to from the party that gave it; what is here already is not asked for again.

    Args:
        of: Which party, where several gave it: its id or name.
        told: Told how many bytes are here.

    Returns:
        {object, from, sha256, size, root, entry}; `entry` is None where all was here before.

    Raises:
        NotFound: as `comity.node.attachments.keeping.subject`; `attachment-gone` where it is taken back meanwhile; `peer-refused`.
        NotAllowed: `attachment-ours`. SealBroken: `attachment-chunk`, `attachment-digest`, `attachment-act`.
        InputRefused: `attachment-answer`. Unavailable: the peer does not answer.
    """
    sweep(node)
    with deed(node, officer) as work:
        one = subject(work.tx, node.party, object, of)
        giver = one.seen.custodian
        if giver == node.party:
            raise NotAllowed("attachment-ours", f"{object} is of our own; nobody else is asked for its bytes.")
        version = work.tx.get(Version, one.seen.version)
        assert version is not None and version.digest is not None, "what came from a peer came sealed"
        digest = version.digest.hex()
        before = work.tx.get(Attachment, object, one.file.root)
        done = before is not None and before.ended is None and _whole(work.tx.get(FileRow, one.file.root), one)
        if done and before is not None and before.hand:
            return _answer(one, giver, None)
        if before is None or before.ended is not None:
            work.tx.put(Attachment(object, one.file.root, work.at, None, "", giver, b""))
            work.audit("attachment-fetch", {"object": object, "file": one.file.root, "party": giver})
        here = keep_chunks(work, one.file.root, one.file.size, 0, ())
        proven = before is not None and before.ended is None and bool(before.hand)
        first = here if proven or here < one.file.chunks else _some(node, one, work.at)
        card = peer_card(work.tx, giver)
    client = connect(node, card, True)
    try:
        count = AT_ONCE
        while True:
            ask = Ask(object, digest, one.file.root, first, min(count, one.file.chunks - first))
            try:
                answer = client.attachment(encode_ask(ask))
            except Unavailable as slow:
                if slow.code != "peer-unreachable" or count == 1:
                    raise
                count = 1  # a narrow road: less at a time
                continue
            here = first = _take(node, one, ask, decode_portion(answer, ask, one.file))
            count = min(AT_ONCE, count * 2)
            if told is not None:
                told(min(here * CHUNK, one.file.size))
            if here >= one.file.chunks:
                break
    finally:
        client.close()
    return _finish(node, one, officer)


def _some(node: Node, one: Subject, at: int) -> int:
    """From where chunks are asked for of a file that is here for another artifact: its giver shows that it has the bytes, too.

    Else whoever was shown what a file is called could have it kept, and given on, under a title of its own.
    """
    if one.file.chunks <= AT_ONCE:
        return 0
    drawn = int.from_bytes(node.random(8, f"attachment/{one.id}/{one.file.root}/{at}"), "big")
    return drawn % (one.file.chunks - AT_ONCE + 1)


def _whole(row: FileRow | None, one: Subject) -> bool:
    return row is not None and bool(row.whole) and row.sha256 == one.file.sha256


def _answer(one: Subject, giver: str, entry: str | None) -> dict[str, Any]:
    return {
        "object": one.id,
        "from": giver,
        "sha256": one.file.sha256,
        "size": one.file.size,
        "root": one.file.root,
        "entry": entry,
    }


def _stands(work: Deed, one: Subject) -> Attachment:
    row = attached(work.tx, work.node.party, one.id, one.file.root, work.at)
    if row is None:
        raise NotFound(
            "attachment-gone",
            f"{one.id} was taken back or forgotten while its bytes were fetched; nothing more was asked for.",
        )
    return row


def _take(node: Node, one: Subject, ask: Ask, portion: Portion) -> int:
    fault: LogFault | None = None
    with deed(node) as work:
        row = _stands(work, one)
        if row.hand != portion.act:
            fault = _believe(work, row.giver, ask, portion)
            work.tx.put(replace(row, hand=portion.act))
        here = keep_chunks(work, one.file.root, one.file.size, ask.first, portion.chunks)
    if fault is not None:
        raise fault
    return here


def _believe(work: Deed, giver: str, ask: Ask, portion: Portion) -> LogFault | None:
    """Keep the promise of the act that hands the file over; the fault where it convicts the giver.

    Raises:
        SealBroken: `attachment-act`.
    """
    body, _ = unverified_body(portion.act, "act")
    at = parse(str(body.get("at")))
    act = open_act(portion.act, node_keys(work.tx, giver, at))
    said = tuple(act.body.get(name) for name in ("object", "digest", "root"))
    if (act.kind, act.by, act.to) != ("hand", giver, work.node.party) or said != (ask.object, ask.digest, ask.root):
        raise SealBroken(
            "attachment-act", "The act that came with the file does not hand this file to us; nothing was kept."
        )
    keys = need_card(work.tx, giver).keys_since("log", at)
    return keep_promise(work, giver, open_promise(portion.promise, keys), portion.promise, act_digest(portion.act))


def _finish(node: Node, one: Subject, officer: str) -> dict[str, Any]:
    found = digest_of(node, one.file.root)
    if found != one.file.sha256:
        with deed(node, officer) as work:
            row = work.tx.get(Attachment, one.id, one.file.root)
            if row is not None and row.ended is None:
                end(work, row, "its bytes are not what the artifact says", officer=officer)
        sweep(node)
        raise SealBroken(
            "attachment-digest",
            f"All chunks of {one.id} came, and their SHA-256 is not the one it names: its author contradicts itself; "
            "the bytes were erased.",
        )
    with deed(node, officer) as work:
        row = _stands(work, one)
        if have(work.tx.get(FileRow, one.file.root)) != one.file.chunks:
            raise NotFound("attachment-gone", f"The bytes of {one.id} were erased meanwhile; fetch it again.")
        seal_whole(work, one.file.root, found)
        entry = note(
            work,
            one,
            "transferred",
            before=one.file.sha256,
            after=found,
            means="over the exchange of the two nodes",
            giver=row.giver,
            taker=node.party,
        )
        work.audit("attachment-fetched", {"object": one.id, "file": one.file.root})
    return _answer(one, row.giver, entry)
