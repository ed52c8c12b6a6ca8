"""A dossier as it stands here: everything said of it, by whose word, what is a draft, what others claim of it, and every dissent."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec

from comity.desks.attribution.dossiers import part_rows, short
from comity.desks.attribution.facts import article, grade, norm, parts
from comity.desks.attribution.judging import on_dossier
from comity.desks.attribution.kinds import BODY, DOSSIER, EVIDENCE, FINDING, HYPOTHESIS, PART, SHOWING, SOURCE
from comity.desks.attribution.stating import THE_DOSSIER
from comity.desks.attribution.words import about, all_of, dissents, is_draft, one
from comity.kernel.model.instants import format
from comity.kernel.store.ports import Reading
from comity.node.context import Node
from comity.node.desk import DeskDeed, Lines, Told
from comity.node.parties import name_of
from comity.node.saying import Said


class Show(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Show a dossier: its parts, evidence and hypotheses, what is concluded from it, every dissent, and what others claim of it."""

    dossier: Annotated[str, THE_DOSSIER]


def show(node: Node, asked: Show, officer: str) -> Told:
    """One dossier."""
    with node.store.read() as tx:
        dossier = one(tx, node.party, asked.dossier, DOSSIER)
        shape = as_json(node, tx, dossier)
        lines = _lines(dossier, shape)
    return Told(shape, lines)


def as_json(node: Node, tx: Reading, dossier: Said) -> dict[str, Any]:
    """A dossier for a program.

    {id, title, by, name, at, tlp, state, incidents, parts, evidence, hypotheses, assessments, findings, dissents, dissent_sentences,
    others, defects, norm}; in `others` stands what another party claims to be a part of it: it is none.
    """
    us = node.party
    words = about(tx, us, dossier.id)
    by = dossier.by
    body = () if by is None else words.of(*BODY, SOURCE, by=by)
    rests: dict[str, list[str]] = {}
    for said in body:
        if said.type == SOURCE.name and said.says.evidence_ref is not None:
            rests.setdefault(said.says.evidence_ref, []).extend(said.says.object_refs)
    counted = {(said.id, said.by) for said in body}
    others = [said for said in words.of(*BODY, SOURCE) if (said.id, said.by) not in counted]
    strange = [said for said in body if said.type == PART.name and said.says.part not in parts()]
    return {
        "id": dossier.id,
        "title": dossier.says.name,
        "by": by,
        "name": dossier.named(tx),
        "at": format(dossier.at),
        "tlp": dossier.tlp,
        "state": dossier.says.state,
        "incidents": list(dossier.says.incident_refs),
        "parts": part_rows(tx, us, dossier),
        "evidence": [
            {
                "id": said.id,
                "class": said.says.sharing,
                "source": said.says.source,
                "information": said.says.information,
                "grade": grade(said.says.source, said.says.information),
                "text": said.says.text,
                "objects": list(said.says.object_refs),
                "rests_on": rests.get(said.id, []),
                "shown": [_shown(tx, one) for one in words.of(SHOWING, by=by) if one.says.evidence_ref == said.id],
                "draft": is_draft(said, us) and said.says.sharing != "withheld",
            }
            for said in body
            if said.type == EVIDENCE.name
        ],
        "hypotheses": [
            {"id": said.id, "name": said.says.name, "text": said.says.text, "draft": is_draft(said, us)}
            for said in body
            if said.type == HYPOTHESIS.name
        ],
        "assessments": on_dossier(node, tx, dossier.id),
        "findings": [_finding(tx, us, said) for said in words.of(FINDING)],
        "dissents": [found.as_json(tx) for found in dissents(tx, us, dossier)],
        "dissent_sentences": [found.sentence(tx) for found in dissents(tx, us, dossier)],
        "others": [said.as_json(tx) for said in (*others, *strange)],
        "defects": [defect.as_json(tx) for defect in words.defects],
        "norm": norm().as_json(),
    }


def _shown(tx: Reading, said: Said) -> dict[str, Any]:
    says = said.says
    to = name_of(tx, says.shown_to) if says.shown_to.startswith("identity--") else says.shown_to
    return {"id": said.id, "to": to, "at": says.shown_at, "where": says.where}


def _finding(tx: Reading, us: str, said: Said) -> dict[str, Any]:
    says = said.says
    found = [article(word) for word in says.articles]
    return {
        **said.as_json(tx),
        "articles": [
            {"id": word, "known": False} if fact is None else {"known": True, **fact.as_json()}
            for word, fact in zip(says.articles, found, strict=True)
        ],
        "draft": is_draft(said, us),
        "dissents": [one.as_json(tx) for one in dissents(tx, us, said)],
        "sentences": [one.sentence(tx) for one in dissents(tx, us, said)],
    }


def article_told(word: str) -> str:
    """An article with what it says, its sources, its day and whether it was checked."""
    fact = article(word)
    return f"{word}: no article known here" if fact is None else f"{word}: {fact.text} ({fact.mark})"


def _lines(dossier: Said, shape: dict[str, Any]) -> list[str]:
    lines = Lines().add(
        f"{shape['title']} ({dossier.id})",
        f"By {shape['name']}, {shape['at']}, {shape['state']}, TLP {shape['tlp'] or 'unmarked'}.",
        f"Norm 13(b): {norm().says['asks']} ({norm().mark}.)",
    )
    lines.table(
        ("part", "state", ""),
        [
            (
                row["part"],
                f"{row['state']}{' (draft)' if row['draft'] else ''}",
                short(row["text"] or row["waived"] or ""),
            )
            for row in shape["parts"]
        ],
    )
    lines.table(
        ("evidence", "class", "grade", "says"),
        [
            (row["id"], f"{row['class']}{' (draft)' if row['draft'] else ''}", row["grade"], short(row["text"] or ""))
            for row in shape["evidence"]
        ],
    )
    for row in shape["evidence"]:
        lines.add(*(f"{row['id']} was shown to {one['to']} at {one['at']}." for one in row["shown"]))
    lines.table(("hypothesis", "name"), [(row["id"], row["name"]) for row in shape["hypotheses"]])
    for row in shape["findings"]:
        lines.add(
            f"{row['says']['role'].capitalize()} finding of {row['name']}: {row['says']['concludes']} ({row['id']})"
        )
        lines.add(*(f"  {article_told(word)}" for word in row["says"].get("articles", ())))
        lines.add(*(f"  {sentence}" for sentence in row["sentences"]))
    for row in shape["assessments"]:
        claim = row["claim_level"] or row["state"]
        lines.add(f"Assessment of {row['party_name']}: {claim} ({row['id'] or row['case']})")
        lines.add(*(f"  {note}" for note in row["notes"]))
    lines.add(*shape["dissent_sentences"])
    for row in shape["others"]:
        lines.add(f"No part of it, though {row['name']} says so: {row['type']} {row['id']}.")
    lines.add(*(f"Defect, from {row['name']}: {row['sentence']}" for row in shape["defects"]))
    return lines.found


class List(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """List the dossiers held here, each by whose word."""


def list_(node: Node, asked: List, officer: str) -> Told:
    """The dossiers."""
    with node.store.read() as tx:
        words = all_of(tx, node.party, DOSSIER)
        rows = [
            {
                "id": said.id,
                "title": said.says.name,
                "by": said.by,
                "name": said.named(tx),
                "state": said.says.state,
                "at": format(said.at),
                "tlp": said.tlp,
            }
            for said in words.said
        ]
        defects = [defect.as_json(tx) for defect in words.defects]
    table = Lines().table(
        ("dossier", "title", "by", "state", "TLP"),
        [(row["id"], row["title"], row["name"], row["state"], row["tlp"] or "unmarked") for row in rows],
    )
    table.add(*(f"Defect, from {defect['name']}: {defect['sentence']}" for defect in defects))
    return Told({"dossiers": rows, "defects": defects}, table.found or ["No dossier is held here."])


DEEDS = (
    DeskDeed("attribution show", "read", Show, show),
    DeskDeed("attribution list", "read", List, list_),
)
