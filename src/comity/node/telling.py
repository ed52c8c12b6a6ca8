"""How things stand, as every face tells it: peers, what is due, the record, what was stated, what a party was given."""

from __future__ import annotations

from collections import Counter
from typing import Any

from comity.kernel.errors import NotFound
from comity.kernel.model.instants import SECOND, Instant, format
from comity.kernel.release.agreement import Agreement
from comity.kernel.release.handling import Handling
from comity.kernel.release.jsonform import digest
from comity.kernel.release.lint import compare, lint
from comity.kernel.seal.dsse import unverified_body
from comity.kernel.store.ports import Reading
from comity.kernel.store.rows import ActRow, AgreementRow, Evidence, HandlingRow, Holding, Party, Reader, StreamRow
from comity.node.contact import outbox
from comity.node.context import Node, read_setting
from comity.node.exchange import peer_row
from comity.node.objects import class_facets
from comity.node.parties import card_of, name_of
from comity.node.proofs import worth
from comity.node.quotas import held_up
from comity.node.record import EVERYBODY, log_facts, newest_checkpoint
from comity.node.release import compare_agreements, preview_standing


def peers(tx: Reading, us: str) -> list[dict[str, Any]]:
    """How each other party is reached, and how far we are with it."""
    rows = []
    for party in tx.find(Party):
        if party.id == us:
            continue
        card, peer = card_of(tx, party.id), peer_row(tx, party.id)
        rows.append(
            {
                "party": party.id,
                "name": name_of(tx, party.id),
                "url": peer.url or (card.endpoints[0].url if card is not None and card.endpoints else None),
                "node": card is not None,
                "tokens": sum(row.ended is None for row in tx.find(Reader, party=party.id)),
                "taken": peer.objects,
                "papers": peer.control,
                "receipted": peer.receipted,
                "seen": format(peer.seen) if peer.seen else None,
                "error": peer.error,
                "quota": held_up(tx, party.id),
            }
        )
    return rows


def due(tx: Reading, us: str, at: Instant) -> list[dict[str, Any]]:
    """What is due to each party, what went wrong, and what its promises are worth."""
    promised = worth(tx, at)
    return [
        {
            "party": one.party,
            "name": one.name,
            "control": one.control,
            "objects": one.objects,
            "attempts": one.attempts,
            "next": format(one.next) if one.next else None,
            "error": one.error,
            "dead": one.dead,
            "quota": one.quota,
            "promises": promised.get(one.party, {}),
        }
        for one in outbox(tx, us)
    ]


def acts(
    tx: Reading, *, to: str | None = None, kind: str | None = None, since: Instant | None = None, limit: int = 100
) -> dict[str, Any]:
    """Our log and the newest of our acts, the oldest of them first, with where each stands; evidence against others.

    Args:
        to, kind: Only acts towards this party, of this kind.
        since: Only acts from this instant on.
        limit: Most acts.
    """
    found: list[ActRow] = []
    for row in tx.find(ActRow, order=("at",), reverse=True):
        if (since is not None and row.at < since) or len(found) == limit:
            break
        if (to is None or row.to == to) and (kind is None or row.kind == kind):
            found.append(row)
    facts = log_facts(tx)
    size: int = read_setting(tx, "log-size", 0)
    newest = newest_checkpoint(tx)
    return {
        "origin": facts.origin,
        "size": size,
        "period": facts.period / SECOND,
        "incarnation": facts.incarnation,
        "checkpoint": None if newest is None else newest.note.decode(),
        "acts": [_act(tx, row, size) for row in reversed(found)],
        "evidence": [
            {
                "digest": row.digest,
                "party": row.party,
                "name": name_of(tx, row.party),
                "kind": row.kind,
                "at": format(row.at),
            }
            for row in tx.find(Evidence)
        ],
    }


def _act(tx: Reading, row: ActRow, size: int) -> dict[str, Any]:
    state = "in a life of the log that was closed" if row.tick < 0 else "in the log" if row.tick < size else "promised"
    return {
        "act": row.digest,
        "kind": row.kind,
        "to": None if row.to == EVERYBODY else row.to or None,
        "name": "everybody" if row.to == EVERYBODY else name_of(tx, row.to) if row.to else None,
        "at": format(row.at),
        "tick": row.tick,
        "place": row.place,
        "state": state,
    }


def handling_of(tx: Reading, object_id: str) -> dict[str, Any]:
    """What counts for an object, holding by holding, and who stated what.

    Raises:
        NotFound: `no-such-object`.
    """
    standing = [row for row in tx.find(Holding, object=object_id) if row.ended is None]
    if not standing:
        raise NotFound("no-such-object", f"No object {object_id} is held here.")
    holdings = [
        {
            "from": row.custodian,
            "name": name_of(tx, row.custodian),
            "title": row.title,
            "batch": row.batch,
            "embargo": None if row.embargo is None else format(row.embargo),
            "expiry": None if row.expiry is None else format(row.expiry),
            "facets": class_facets(tx, row.cls).as_json(),
        }
        for row in standing
    ]
    stated = [
        {
            "target": row.target,
            "at": format(row.at),
            **readable(Handling.from_json(unverified_body(row.envelope, "handling")[0]["handling"])),
        }
        for one in dict.fromkeys((object_id, *(f"batch:{row.batch}" for row in standing)))
        for row in tx.find(HandlingRow, target=one)
    ]
    return {"object": object_id, "holdings": holdings, "stated": stated}


def readable(handling: Handling) -> dict[str, Any]:
    """What a statement says, with its instants as text."""
    shape = {name: value for name, value in handling.as_json().items() if name not in ("form", "at")}
    return {
        name: format(value) if name in ("embargo", "retention") else value
        for name, value in shape.items()
        if value != ""
    }


def standing(node: Node, party: str) -> tuple[dict[str, Any], dict[str, str]]:
    """What stands for a party, by clause, and why the rest is withheld; and the titles of the agreements that it names.

    Raises:
        NotFound: `no-such-party`.
    """
    line = preview_standing(node, party).as_json()
    with node.store.read() as tx:
        titles = {row.digest: row.title for row in tx.find(AgreementRow)}
        rows = [row for row in tx.find(StreamRow, party=line["party"]) if row.ended is None]
    line["standing"] = len(rows)
    line["standing_by_clause"] = dict(sorted(Counter(row.title for row in rows).items()))
    line["objects"]["standing"] = [row.object for row in rows]
    return line, titles


def findings(said: Agreement, interval: int | None = None) -> list[dict[str, Any]]:
    """Clauses of an agreement that contradict, overshadow or never apply.

    Args:
        interval: Time between two contacts of the slowest road, microseconds.
    """
    return [
        {"code": one.code, "sentence": one.sentence, "clauses": list(one.clauses)}
        for one in lint(said, interval=interval)
    ]


def differences(node: Node, old: Agreement, new: Agreement) -> dict[str, Any]:
    """What differs between two drafts, in words and in the objects that are held here."""
    return {
        "old": digest(old),
        "new": digest(new),
        "words": [{"what": one.what, "where": one.where, "old": one.old, "new": one.new} for one in compare(old, new)],
        "objects": compare_agreements(node, old, new),
    }
