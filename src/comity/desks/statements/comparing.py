"""What each party claims, side by side, and the differences in plain sentences.

Each word stays as it was said, on its own scale. Ranges of two scales are laid beside each other and never made into one figure; what
is not said is told as not said. A difference is no fault of anybody: each party speaks for itself.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from comity.desks.statements.joint import own_part
from comity.desks.statements.kinds import STATEMENT, Statement
from comity.desks.statements.words import Said, case_or_none, claim, held, one
from comity.kernel.errors import Usage
from comity.kernel.model.names import legible
from comity.kernel.store.ports import Reading
from comity.kernel.store.rows import CaseRow
from comity.node.context import Node
from comity.node.desk import PLACED, DeskDeed, Lines, Told
from comity.node.scales import Likelihood, ladder, level, likelihood


class Compare(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Compare what parties claim: level, likelihood on its own scale, confidence, legal tone, whom they name."""

    what: Annotated[tuple[str, ...], Meta(description="A case of joint statements, or statements by id.", extra=PLACED)]


def compare(node: Node, asked: Compare, officer: str) -> Told:
    """The table and the differences."""
    with node.store.read() as tx:
        found = chosen(tx, node.party, asked.what)
        if not found:
            raise Usage(
                "desk-asked",
                "Nothing of that has come here yet; before the instant only our own statement can be shown.",
            )
        rows = [_row(said, tx) for said in found]
        names = [row["name"] for row in rows]
        says = [said.says for said in found]
        differences = _differences(names, says)
        shape = {"statements": rows, "differences": differences, "ladder": ladder()[0].mark}
    table = Lines().table(
        ("party", "claim", "accused", "likelihood", "range", "confidence", "legal tone"),
        [
            (
                row["name"],
                row["claim"],
                row["accused"] or "nobody",
                _spoken(row["likelihood"], row["scale"]),
                "" if row["range"] is None else f"{row['range'][0]} to {row['range'][1]} % ({row['range_mark']})",
                _spoken(row["confidence"], row["confidence_scale"]),
                row["tone"],
            )
            for row in rows
        ],
    )
    return Told(shape, table.add(*differences, f"The claim ladder: {ladder()[0].mark}.").found)


def chosen(tx: Reading, us: str, words: Sequence[str]) -> list[Said]:
    """The statements that were asked for: those of cases as far as they are here, and those that are named.

    Raises:
        As `words.one`. Usage: `desk-asked` where nothing was asked for.
    """
    if not words:
        raise Usage("desk-asked", "Say a case, or the statements by id.")
    found: dict[tuple[str, str | None], Said] = {}
    for word in words:
        row = case_or_none(tx, word)
        for said in [one(tx, us, word)] if row is None else of_case(tx, us, row):
            found[said.id, said.by] = said
    return list(found.values())


def of_case(tx: Reading, us: str, row: CaseRow) -> list[Said]:
    """The statements of a case that somebody vouches for: those that are public, and our own draft of what we joined with."""
    every = held(tx, us, STATEMENT).said
    found = [said for said in every if said.says.joint == row.id and said.out and said.by is not None]
    own = own_part(tx, row)
    if own is not None and all(said.id != own.statement for said in found):
        found += [said for said in every if said.id == own.statement and said.by == us]
    return found


def _row(said: Said, tx: Reading) -> dict[str, Any]:
    says: Statement = said.says
    spot, step = likelihood(says.likelihood, says.likelihood_scale), level(says.claim_level)
    return {
        "id": said.id,
        "party": said.by,
        "name": said.named(tx),
        "public": said.out,
        "recorded": says.recorded_from is not None,
        "level": None if step is None else step.n,
        "claim_level": says.claim_level,
        "claim": claim(says),
        "accused": says.accused,
        "likelihood": says.likelihood,
        "scale": says.likelihood_scale,
        "range": None if spot is None else [spot.low, spot.high],
        "range_mark": None if spot is None else spot.fact.mark,
        "confidence": says.confidence_level,
        "confidence_scale": says.confidence_scale,
        "tone": says.legal_tone,
    }


def _spoken(word: str | None, scale: str | None) -> str:
    if word is None:
        return "not said"
    return legible(word) if scale is None else f"{legible(word)} ({legible(scale)})"


def _differences(names: Sequence[str], says: Sequence[Statement]) -> list[str]:
    if len(says) < 2:
        return []
    told = [
        *_apart(names, says, "They do not claim the same", claim, lambda one: one.claim_level),
        *_apart(names, says, "They do not name the same", lambda one: legible(one.accused or "nobody"), _accused),
        *_likelihoods(names, says),
        *_apart(
            names, says, "They are not equally sure", lambda one: _spoken(one.confidence_level, one.confidence_scale)
        ),
        *_apart(names, says, "They do not say the same of the law", lambda one: one.legal_tone),
    ]
    return told or ["They claim the same, in the same words."]


def _accused(says: Statement) -> str:
    return says.accused_party or (says.accused or "").casefold()


def _apart(
    names: Sequence[str],
    says: Sequence[Statement],
    opening: str,
    words: Callable[[Statement], str],
    key: Callable[[Statement], str] | None = None,
) -> list[str]:
    groups: dict[str, tuple[str, list[str]]] = {}
    for name, one_ in zip(names, says, strict=True):
        groups.setdefault((key or words)(one_), (words(one_), []))[1].append(name)
    if len(groups) < 2:
        return []
    return [f"{opening}: {'; '.join(f'{text}: {_and(who)}' for text, who in groups.values())}."]


def _likelihoods(names: Sequence[str], says: Sequence[Statement]) -> list[str]:
    told = _apart(
        names, says, "They do not speak alike of likelihood", lambda one: _spoken(one.likelihood, one.likelihood_scale)
    )
    bands: Mapping[str, Likelihood | None] = {
        name: likelihood(one.likelihood, one.likelihood_scale) for name, one in zip(names, says, strict=True)
    }
    known = [(name, spot) for name, spot in bands.items() if spot is not None]
    for place, (name, spot) in enumerate(known):
        for other, second in known[place + 1 :]:
            if spot.high < second.low or second.high < spot.low:
                told.append(
                    f"The ranges of {name} ({spot.low} to {spot.high} %) and of {other} ({second.low} to {second.high} %) have nothing in "
                    "common; the ranges are those of the reference data."
                )
    return told


def _and(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


DEEDS = (DeskDeed("statement compare", "read", Compare, compare),)
