"""Giving the bytes of a file to another party: decided at each request by the row of its stream, and logged.

A party is given the chunks of a file only where the artifact that refers to it stands in its stream now, under a clause that gives to it
at this instant, in a view that shows which file it is. Everything else gets one answer, the same whether such an artifact, such a file
or such a party's right ever existed: guessing a digest tells nothing.
"""

from __future__ import annotations

from dataclasses import replace

from comity.kernel.errors import ComityError, NotFound
from comity.kernel.exchange.attachments import Ask, Described, Portion, Tree, decode_ask, described, encode_portion
from comity.kernel.model.strictjson import read as read_json
from comity.kernel.seal.views import Withheld
from comity.kernel.store.rows import ActRow, Chunk, FileRow, Handed, StandIn, StreamRow, Version
from comity.node.attachments.keeping import attached, came
from comity.node.context import Deed, Node
from comity.node.deeds import deed
from comity.node.exchange import titles_able
from comity.node.quotas import spend
from comity.node.record import promise, record
from comity.node.restoring import waits
from comity.node.views import show_row


def give(node: Node, party: str, body: bytes) -> bytes:
    """Answer a request for chunks.

    Args:
        party: Who signed the request.
        body: As `comity.kernel.exchange.attachments.encode_ask` writes it.

    Returns:
        As `comity.kernel.exchange.attachments.encode_portion` writes it.

    Raises:
        InputRefused: `attachment-ask`. NotFound: `attachment-unknown`; `attachment-not-here` where the artifact is released to the party
            and its bytes are not here. Unavailable: `peer-quota`.
    """
    ask = decode_ask(body)
    with deed(node) as work:
        row, file = _decided(work, party, ask)
        kept_for = attached(work.tx, node.party, ask.object, ask.root, work.at)
        if kept_for is None or not came(kept_for, node.party):
            raise _not_here()
        kept = work.tx.get(FileRow, ask.root)
        if kept is None or not kept.whole or kept.sha256 != file.sha256:
            raise _not_here()
        places = range(ask.first, min(ask.first + ask.count, file.chunks))
        chunks = [work.tx.get(Chunk, ask.root, place) for place in places]
        data = tuple(one.data for one in chunks if one is not None)
        if len(data) != len(chunks):
            raise _not_here()
        spend(work, party, given=sum(map(len, data)))
        act = _hand(work, row, ask, file, places.stop if data else 0)
        tree = Tree.over(kept.leaves)
        return encode_portion(
            Portion(
                act.envelope,
                act.salt,
                promise(node, work.tx, act),
                data,
                tuple(tree.proof(place) for place in places),
            )
        )


def _decided(work: Deed, party: str, ask: Ask) -> tuple[StreamRow, Described]:
    """The row under which a party may have a file now.

    Raises:
        NotFound: `attachment-unknown`.
    """
    able = frozenset() if waits(work.tx, party) else titles_able(work, party)
    for row in work.tx.find(StreamRow, party=party, object=ask.object):
        if row.ended is not None or row.kind == "withdrawn" or row.title not in able:
            continue
        version = work.tx.get(Version, row.version)
        if version is None or version.digest is None or version.digest.hex() != ask.digest:
            continue
        if work.tx.get(StandIn, row.version) is not None:  # what a file says of its source no rule of ours can hide
            continue
        shown = show_row(work.tx, row, version)
        if isinstance(shown, Withheld):
            continue
        try:
            file = described(read_json(shown.raw))
        except ComityError:
            continue
        if file is not None and file.root == ask.root:
            return row, file
    raise NotFound(
        "attachment-unknown",
        "No file is given to you under this object now; what was given to you before is told by the rows you hold.",
    )


def _not_here() -> NotFound:
    return NotFound(
        "attachment-not-here", "The object is given to you, and its bytes are not kept here; ask who gave them first."
    )


def _hand(work: Deed, row: StreamRow, ask: Ask, file: Described, upto: int) -> ActRow:
    """The act that hands the file over: one for each row, made when it is first asked for."""
    before = work.tx.get(Handed, row.party, row.n)
    if before is not None:
        act = work.tx.get(ActRow, before.act)
        assert act is not None, "what was handed over names its act"
        work.tx.put(replace(before, upto=max(before.upto, upto)))
        return act
    act = record(
        work,
        "hand",
        row.party,
        {
            "object": ask.object,
            "digest": ask.digest,
            "root": ask.root,
            "sha256": file.sha256,
            "size": file.size,
            "n": row.n,
        },
        title=row.title,
    )
    work.tx.add([Handed(row.party, row.n, ask.object, ask.root, act.digest, upto, work.at, None)])
    return act
