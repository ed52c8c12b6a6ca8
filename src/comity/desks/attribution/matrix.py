"""The matrix of competing hypotheses: what speaks against each, which evidence tells them apart, and which carries the conclusion.

Hypotheses are compared by what speaks against them, not by what speaks for them. The score of a hypothesis is the sum of the weights of
the evidence that is inconsistent with it, low 1, medium 2, high 3; it is no probability, and the Admiralty grade is not in it. The
hypotheses with the least score lead. A piece carries the conclusion if without it others lead, or others lead with them. A hypothesis
against which nothing was weighed leads nowhere: silence speaks for nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Final

import msgspec

from comity.desks.attribution.facts import grade
from comity.desks.attribution.kinds import DOSSIER, EVIDENCE, HYPOTHESIS, WEIGHING
from comity.desks.attribution.stating import THE_DOSSIER
from comity.desks.attribution.words import about, one
from comity.kernel.model.ids import type_of
from comity.kernel.store.ports import Reading
from comity.node.context import Node
from comity.node.desk import DeskDeed, Lines, Told
from comity.node.minting import newest
from comity.node.saying import Said

WEIGHTS: Final = {"low": 1, "medium": 2, "high": 3}

Cell = tuple[str, str]
"""A value and a weight."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a matrix comes to.

    Args:
        scores: What speaks against each hypothesis against which something was weighed.
        leads: Those with the least score, where at least two are compared; all of them where they stand level.
        without: Who leads without each piece.
        tells: How far each piece tells the hypotheses apart: the most it adds to one less the least it adds to another.
        empty: How many cells say nothing.
    """

    scores: Mapping[str, int]
    leads: frozenset[str]
    without: Mapping[str, frozenset[str]]
    tells: Mapping[str, int]
    empty: int

    @property
    def carried_by(self) -> tuple[str, ...]:
        """The pieces without which others lead."""
        return tuple(piece for piece, leads in self.without.items() if leads != self.leads)


def weigh_up(hypotheses: Sequence[str], cells: Mapping[str, Mapping[str, Cell]]) -> Outcome:
    """What a matrix comes to; `cells` has what each piece says of each hypothesis it says something of."""
    against = {
        piece: {h: _adds(row[h]) for h in hypotheses if h in row and _counts(row[h])} for piece, row in cells.items()
    }
    said = {h: sum(1 for row in against.values() if h in row) for h in hypotheses}
    scores = {h: sum(row.get(h, 0) for row in against.values()) for h in hypotheses}
    without = {
        piece: _least({h: scores[h] - row.get(h, 0) for h in hypotheses if said[h] > (1 if h in row else 0)})
        for piece, row in against.items()
    }
    return Outcome(
        {h: scores[h] for h in hypotheses if said[h]},
        _least({h: scores[h] for h in hypotheses if said[h]}),
        without,
        {piece: max(row.values()) - min(row.values()) if len(row) > 1 else 0 for piece, row in against.items()},
        sum(1 for row in cells.values() for h in hypotheses if h not in row),
    )


def _counts(cell: Cell) -> bool:
    return cell[0] != "not-applicable"


def _adds(cell: Cell) -> int:
    return WEIGHTS[cell[1]] if cell[0] == "inconsistent" else 0


def _least(scores: Mapping[str, int]) -> frozenset[str]:
    if len(scores) < 2:
        return frozenset()
    least = min(scores.values())
    return frozenset(h for h, score in scores.items() if score == least)


@dataclass(frozen=True, slots=True)
class Matrix:
    """The matrix of a dossier as its author has it here.

    Args:
        pieces: The evidence; what is withheld last, so that the others are numbered as a reader has them.
        labels: ``E1``, ``H1`` and so on, by id.
    """

    dossier: Said
    hypotheses: tuple[Said, ...]
    pieces: tuple[Said, ...]
    cells: Mapping[str, Mapping[str, Cell]]
    labels: Mapping[str, str]

    @property
    def outcome(self) -> Outcome:
        """What it comes to, with everything in it."""
        return weigh_up([one.id for one in self.hypotheses], self.cells)

    def only(self, *sharing: str) -> Outcome:
        """What it comes to with the evidence of some classes alone."""
        kept = {one.id for one in self.pieces if one.says.sharing in sharing}
        return weigh_up([one.id for one in self.hypotheses], {id: row for id, row in self.cells.items() if id in kept})

    def called(self, id: str) -> str:
        """A piece or a hypothesis for a person."""
        said = next(one for one in (*self.hypotheses, *self.pieces) if one.id == id)
        if said.type == HYPOTHESIS.name:
            return f"{self.labels[id]} ({said.says.name})"
        return f"{self.labels[id]} ({said.says.sharing}, {said.says.source}{said.says.information})"

    def listed(self, ids: Sequence[str] | frozenset[str]) -> str:
        """Several of them, in their order."""
        return ", ".join(self.called(one.id) for one in (*self.hypotheses, *self.pieces) if one.id in ids)


def matrix_of(tx: Reading, us: str, dossier: Said, *, leaving: bool = False) -> Matrix:
    """The matrix of a dossier; only the author's own evidence, hypotheses and weighings are in it.

    Args:
        leaving: Without what is withheld: as it goes to others.
    """
    words = about(tx, us, dossier.id)
    by = dossier.by
    if by is None:
        return Matrix(dossier, (), (), {}, {})
    hypotheses = sorted(words.of(HYPOTHESIS, by=by), key=_made)
    pieces = sorted(words.of(EVIDENCE, by=by), key=lambda said: (said.says.sharing == "withheld", *_made(said)))
    if leaving:
        pieces = [said for said in pieces if said.says.sharing != "withheld"]
    cells: dict[str, dict[str, Cell]] = {said.id: {} for said in pieces}
    known = {said.id for said in hypotheses}
    for said in words.of(WEIGHING, by=by):
        if said.says.evidence_ref in cells and said.says.hypothesis_ref in known:
            cells[said.says.evidence_ref][said.says.hypothesis_ref] = (said.says.value, said.says.weight)
    labels = {said.id: f"H{n}" for n, said in enumerate(hypotheses, 1)}
    labels |= {said.id: f"E{n}" for n, said in enumerate(pieces, 1)}
    return Matrix(dossier, tuple(hypotheses), tuple(pieces), cells, labels)


def _made(said: Said) -> tuple[str, str]:
    return str(said.seen.data.get("created", "")), said.id


def sentences(matrix: Matrix) -> list[str]:
    """What the matrix says, plainly: who leads, what it rests on, what tells nothing, what a reader cannot follow."""
    out = matrix.outcome
    if len(out.scores) < 2:
        return ["Fewer than two hypotheses were weighed, so nothing is compared."]
    told = []
    order = sorted(matrix.hypotheses, key=lambda one: (out.scores.get(one.id, 0), matrix.labels[one.id]))
    scores = "; ".join(f"{matrix.called(one.id)}: {out.scores[one.id]}" for one in order if one.id in out.scores)
    if len(out.leads) == 1:
        told.append(f"Least speaks against {matrix.listed(out.leads)}. Against each: {scores}.")
    else:
        told.append(f"{matrix.listed(out.leads)} stand level; the matrix prefers none. Against each: {scores}.")
    carried = out.carried_by
    if len(out.leads) == 1 and carried:
        told.append(f"The conclusion rests on {matrix.listed(carried)}: without any one of them it does not hold.")
    elif len(out.leads) == 1:
        told.append("No single piece carries the conclusion: it holds without any one of them.")
    for id in carried:
        said = next(one for one in matrix.pieces if one.id == id)
        if said.says.source in "EF" or said.says.information in "56":
            told.append(
                f"{matrix.called(id)} carries it and is graded {grade(said.says.source, said.says.information)}."
            )
    idle = [id for id, apart in out.tells.items() if not apart]
    if idle:
        told.append(f"Does not tell the hypotheses apart: {matrix.listed(idle)}.")
    unweighed = [said.id for said in matrix.hypotheses if said.id not in out.scores]
    if unweighed:
        told.append(f"Nothing was weighed against {matrix.listed(unweighed)}; that speaks for nothing.")
    if out.empty:
        told.append(f"{out.empty} cells of the matrix are empty; an empty cell counts for nothing.")
    return [*told, *_followed(matrix, out)]


def _followed(matrix: Matrix, out: Outcome) -> list[str]:
    """What a reader cannot see of it, and whether a reader comes to the same."""
    told = []
    kept = [one.id for one in matrix.pieces if one.says.sharing == "withheld"]
    if kept:
        readers = matrix.only("shared", "shown", "described")
        same = "come to the same" if readers.leads == out.leads else "do not come to this"
        told.append(f"Stays here, and no reader learns of it: {matrix.listed(kept)}. Readers {same} without it.")
    words = [one.id for one in matrix.pieces if one.says.sharing in ("shown", "described")]
    if words:
        told.append(f"Readers have words and not the objects of {matrix.listed(words)}.")
        shared = matrix.only("shared")
        if out.leads and shared.leads != out.leads:
            told.append("With the shared objects alone the matrix does not come to this.")
    return told


class Show(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Show the matrix of competing hypotheses of a dossier, and which evidence carries its conclusion."""

    dossier: Annotated[str, THE_DOSSIER]


def show(node: Node, asked: Show, officer: str) -> Told:
    """The matrix."""
    with node.store.read() as tx:
        dossier = one(tx, node.party, asked.dossier, DOSSIER)
        matrix = matrix_of(tx, node.party, dossier)
        shape = as_json(tx, node.party, matrix)
        lines = Lines().add(f"{dossier.says.name}, by {dossier.named(tx)}")
    lines.table(*table_of(matrix))
    lines.add(*(f"{matrix.labels[said.id]}: {said.says.name}" for said in matrix.hypotheses))
    return Told(shape, lines.add(*shape["sentences"]).found)


def table_of(matrix: Matrix) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """The matrix as a table: heads and rows."""
    out = matrix.outcome
    heads = (
        "evidence",
        "class",
        "grade",
        *(matrix.labels[one.id] for one in matrix.hypotheses),
        "tells apart",
        "carries",
    )
    rows = [
        (
            matrix.labels[said.id],
            said.says.sharing,
            f"{said.says.source}{said.says.information}",
            *(_cell(matrix.cells[said.id].get(one.id)) for one in matrix.hypotheses),
            str(out.tells.get(said.id, 0)),
            "yes" if said.id in out.carried_by else "no",
        )
        for said in matrix.pieces
    ]
    return heads, rows


def _cell(cell: Cell | None) -> str:
    return "" if cell is None else f"{cell[0]} ({cell[1]})"


def as_json(tx: Reading, us: str, matrix: Matrix) -> dict[str, Any]:
    """The matrix for a program.

    {id, by, hypotheses: [{id, label, name, score, leads}], evidence: [{id, label, class, source, information, text, objects, held,
    values, tells_apart, carries}], leads, carried_by, sentences}; `held` says of which named objects a copy is here.
    """
    out = matrix.outcome
    return {
        "id": matrix.dossier.id,
        "by": matrix.dossier.by,
        "name": matrix.dossier.named(tx),
        "hypotheses": [
            {
                "id": said.id,
                "label": matrix.labels[said.id],
                "name": said.says.name,
                "text": said.says.text,
                "score": out.scores.get(said.id),
                "leads": said.id in out.leads,
            }
            for said in matrix.hypotheses
        ],
        "evidence": [
            {
                "id": said.id,
                "label": matrix.labels[said.id],
                "class": said.says.sharing,
                "source": said.says.source,
                "information": said.says.information,
                "text": said.says.text,
                "objects": list(said.says.object_refs),
                "held": [ref for ref in said.says.object_refs if newest(tx, us, str(type_of(ref)), id=ref)],
                "values": {
                    h: {"value": value, "weight": weight} for h, (value, weight) in matrix.cells[said.id].items()
                },
                "tells_apart": out.tells.get(said.id, 0),
                "carries": said.id in out.carried_by,
            }
            for said in matrix.pieces
        ],
        "leads": sorted(out.leads),
        "carried_by": list(out.carried_by),
        "empty": out.empty,
        "sentences": sentences(matrix),
    }


DEEDS = (DeskDeed("attribution matrix", "read", Show, show),)
