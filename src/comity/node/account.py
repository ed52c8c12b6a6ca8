"""The account: all that was given to whom in a period, under which title, with the act and the receipt; complete by construction,
because the streams are what was delivered and each is numbered without gaps."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from comity.kernel.model.instants import Instant, format
from comity.kernel.store.ports import Reading
from comity.kernel.store.rows import Batch, Delivery, Handed, Party, PromiseRow, Received, StandIn, StreamRow, Version
from comity.kernel.tlog.acts import act_digest
from comity.node.agreements import title_sentence
from comity.node.attachments.opening import given_json
from comity.node.parties import name_of


def given(
    tx: Reading,
    *,
    start: Instant | None = None,
    end: Instant | None = None,
    party: str | None = None,
    clause: str | None = None,
) -> Iterator[dict[str, Any]]:
    """Each row of each stream in [start, end): {party, n, object, view, title, at, delivered, receipted, ended, file}.

    `file` says which bytes were handed over under the row, by which act, or is None.

    Args:
        party: Only this party id.
        clause: Only this title (``<digest>#<number>``) or clause number.
    """
    parties = [party] if party is not None else sorted({row.id for row in tx.find(Party)})
    for one in parties:
        deliveries = list(tx.find(Delivery, party=one, order=("last",)))
        name = name_of(tx, one)
        for row in tx.find(StreamRow, party=one):
            if (start is not None and row.at < start) or (end is not None and row.at >= end):
                continue
            if clause is not None and clause not in (row.title, row.title.partition("#")[2]):
                continue
            made = next((page for page in deliveries if page.first <= row.n <= page.last), None)
            digest, _, number = row.title.partition("#")
            yield {
                "party": one,
                "name": name,
                "n": row.n,
                "object": row.object,
                "stands_for": _original(tx, row),
                "view": row.view,
                "agreement": title_sentence(tx, digest),
                "clause": number,
                "title": row.title,
                "hidden": len(msgspec.json.decode(row.hidden)),
                "at": format(row.at),
                "act": None if made is None else made.act,
                "delivered": None if made is None else format(made.at),
                "receipt": None if made is None or made.receipt is None else act_digest(made.receipt),
                "state": _state(row),
                "file": _file(tx, row),
            }


def _file(tx: Reading, row: StreamRow) -> dict[str, Any] | None:
    handed = tx.get(Handed, row.party, row.n)
    return None if handed is None else given_json(tx, handed)


def _original(tx: Reading, row: StreamRow) -> str | None:
    """The object a row stands in for, where a clause hides its source."""
    stands = tx.get(StandIn, row.version)
    version = None if stands is None else tx.get(Version, stands.original)
    return None if version is None else version.id


def _state(row: StreamRow) -> str:
    if row.kind == "withdrawn":
        return "lost at restore"
    if row.ended is None:
        return "stands"
    return "withdrawn" if row.ended == row.n else f"replaced by row {row.ended}"


def taken(tx: Reading, *, party: str | None = None) -> Iterator[dict[str, Any]]:
    """Each row received from others: {party, n, object, code, sentence}, with what was refused and why."""
    names: dict[str, str] = {}
    for row in tx.find(Received) if party is None else tx.find(Received, party=party):
        if row.party not in names:
            names[row.party] = name_of(tx, row.party)
        yield {
            "party": row.party,
            "name": names[row.party],
            "n": row.n,
            "holding": row.holding,
            "code": row.code,
            "sentence": row.sentence,
        }


def imports(tx: Reading) -> Iterator[dict[str, Any]]:
    """Each batch taken in by our officers: {batch, name, format, at, done, counts}."""
    for row in tx.find(Batch):
        if row.format != "exchange":
            yield {
                "batch": row.b,
                "name": row.name,
                "format": row.format,
                "at": format(row.at),
                "done": bool(row.done),
                **msgspec.json.decode(row.counts),
            }


def promises_open(tx: Reading) -> int:
    """How many promises of others are not yet proved here."""
    return tx.count(PromiseRow, proof=None)


def totals(tx: Reading) -> dict[str, int]:
    """Sizes of what is kept: {objects, versions, parties, given, received}."""
    return {
        "versions": tx.count(Version),
        "parties": tx.count(Party),
        "given": tx.count(StreamRow),
        "received": tx.count(Received),
    }
