"""The public file: every statement of a case that is public, with the proof of each, verified offline by somebody who runs no node.

Each party reports what it published to the case, with the proof that its own log gives. A proof is checked here before it is
used, so a report is never believed: it shows what it proves, or it is left out and that is said.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from comity.desks.statements.joint import TABLE
from comity.desks.statements.kinds import REPLY, STATEMENT
from comity.desks.statements.words import case_or_none, one
from comity.kernel.errors import ComityError, NotFound, Usage
from comity.kernel.model.instants import format
from comity.kernel.procedure.acts import Act, claimed_act
from comity.kernel.store.ports import Reading
from comity.kernel.store.rows import CaseRow
from comity.kernel.tlog.acts import act_digest
from comity.kernel.tlog.publication import PublicBundle, Verified, check_publication, make_record, remarks
from comity.node.casework.keeping import content_of, keys_known, replica_of, table_of
from comity.node.context import Node
from comity.node.desk import PLACED, DeskDeed, Lines, Told
from comity.node.parties import name_of
from comity.node.publishing import publications


@dataclass(frozen=True, slots=True)
class Proof:
    """A publication whose proof is here and holds: the file of it, and what it shows."""

    file: bytes
    shows: Verified


class Public(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Write the public file: the public statements of a case, or those named, which comity verify checks without a node."""

    what: Annotated[tuple[str, ...], Meta(description="A case of joint statements, or statements by id.", extra=PLACED)]


def public(node: Node, asked: Public, officer: str) -> Told:
    """The public record."""
    if not asked.what:
        raise Usage("desk-asked", "Say a case, or the statements by id.")
    with node.store.read() as tx:
        found: dict[tuple[str, str], Proof] = {}
        missing: list[str] = []
        for word in asked.what:
            row = case_or_none(tx, word)
            proofs, lacks = _of_case(tx, node.party, row) if row is not None else _of_one(tx, node.party, word)
            found |= {(proof.shows.object, proof.shows.version): proof for proof in proofs}
            missing += lacks
        now = node.clock()
        items = [_item(tx, proof, now) for proof in found.values()]
    if not found:
        told = " ".join(missing) or "Nothing of it went out, or the tick of its act is not over yet."
        raise NotFound("not-public", f"No proof of a publication is here. {told}")
    lines = Lines().table(
        ("party", "object", "appointed", "published"),
        [(item["name"], item["object"], item["appointed"], item["published"]) for item in items],
    )
    lines.add(*(remark for item in items for remark in item["remarks"]), *missing)
    file = make_record([proof.file for proof in found.values()])
    return Told({"items": items, "missing": missing}, lines.found, file, "application/json")


def _of_case(tx: Reading, us: str, row: CaseRow) -> tuple[list[Proof], list[str]]:
    """The proofs of a case, and a sentence for each party that joined and of which none is here."""
    if table_of(row.table).id != TABLE:
        raise Usage("statement-case", f"The case {row.title!r} is no case of joint statements.")
    replica = replica_of(tx, row, keys_known(tx))
    acts = [one.act for one in replica.heard] + [claimed_act(one.entry.act) for one in replica.placed]
    found: dict[str, Proof] = {}
    for act in acts:
        proof = reported(tx, row, act)
        if proof is not None:
            found[act.by] = proof
    for mine in publications(tx, row.id):
        if mine.record is not None:
            found[us] = checked(mine.record)
    joined = dict.fromkeys(act.by for act in acts if act.type == "join")
    lacks = [
        f"{name_of(tx, party)} joined, and no proof that it published is here."
        for party in joined
        if party not in found
    ]
    return list(found.values()), lacks


def _of_one(tx: Reading, us: str, text: str) -> tuple[list[Proof], list[str]]:
    """The proof of one statement or reply: our own, or what its author reported to a case that we follow."""
    said = one(tx, us, text, STATEMENT, REPLY)
    for mine in publications(tx):
        if mine.id == said.id and mine.record is not None:
            return [checked(mine.record)], []
    joint = getattr(said.says, "joint", None)
    row = tx.get(CaseRow, joint) if joint else None
    if row is not None:
        proofs = [proof for proof in _of_case(tx, us, row)[0] if proof.shows.object == said.id]
        if proofs:
            return proofs, []
    return [], [f"No proof that {said.id} was published is here; ask its author's node with comity public collect."]


def reported(tx: Reading, row: CaseRow, act: Act) -> Proof | None:
    """What a report proves: a publication by who reports, of this case, under the act the report names; None where it proves nothing."""
    content = content_of(tx, row, act.digest) if act.type == "published" else None
    record = content.get("record") if isinstance(content, dict) else None
    if not isinstance(record, str):
        return None
    try:
        proof = checked(record.encode())
    except ComityError:
        return None
    bundle = PublicBundle.from_json(proof.file)
    told = msgspec.json.decode(bundle.object)
    honest = proof.shows.card.party == act.by and act_digest(bundle.act) == act.open.get("act")
    return proof if honest and told.get("joint") == row.id else None


def checked(record: bytes) -> Proof:
    """A proof, verified whole.

    Raises:
        ComityError: what is wrong with it.
    """
    return Proof(record, check_publication(PublicBundle.from_json(record)))


def _item(tx: Reading, proof: Proof, now: int) -> dict[str, Any]:
    shows = proof.shows
    return {
        "object": shows.object,
        "version": shows.version,
        "party": shows.card.party,
        "name": name_of(tx, shows.card.party),
        "appointed": format(shows.appointed),
        "published": format(shows.published),
        "early": shows.early,
        "remarks": remarks(shows, now),
    }


DEEDS = (DeskDeed("statement public", "read", Public, public),)
