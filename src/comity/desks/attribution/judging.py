"""Assessments: what a party claims, how likely, how sure, in which legal tone, each apart; said openly, or committed and opened together.

A committed assessment is the position of a round of a case (`comity.node.casework.rounds`): nobody reads it before all are in or the
time is over, and it can be changed by nobody. Side by side each party stands with its own words on its own scale. Nothing is averaged.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from comity.desks.attribution.dossiers import made_or_later
from comity.desks.attribution.facts import confidence_of, tone_of, tones
from comity.desks.attribution.kinds import ASSESSMENT, DOSSIER, HYPOTHESIS, Assessment, plain
from comity.desks.attribution.stating import INSTEAD, SAY, THE_DOSSIER, keep, not_empty, stated
from comity.desks.attribution.words import about, dissents, is_draft, one
from comity.kernel.errors import InputRefused, NotFound, Usage
from comity.kernel.model.ids import type_of
from comity.kernel.model.instants import format
from comity.kernel.procedure.positions import Shown
from comity.kernel.store.ports import Reading
from comity.kernel.store.rows import CaseRow
from comity.node.casework.committing import commit_position, open_position
from comity.node.casework.keeping import case_row, keys_known, state_of_case
from comity.node.casework.rounds import positions_of
from comity.node.context import Node
from comity.node.deeds import deed
from comity.node.desk import PLACED, DeskDeed, Like, Lines, Told
from comity.node.mandates import needs
from comity.node.minting import newest
from comity.node.parties import name_of
from comity.node.saying import Said, held
from comity.node.scales import canonical_scale, level, level_of, likelihood, likelihood_of, scale_of

THE_CASE = Meta(description="The case: its id or title, or the beginning of one.", extra=PLACED)


class Assess(Like, kw_only=True, forbid_unknown_fields=True):
    """Assess a dossier, ours or another's, in a word of our own; with --commit, as a position nobody can read before it is opened."""

    dossier: Annotated[str, THE_DOSSIER]
    accused: Annotated[str | None, Meta(description="Who is held to be behind it: words, or the id of an object.")] = (
        None
    )
    claim_level: Annotated[str, Meta(description="What is claimed: 0 to 7 of the claim ladder, or its word.")]
    tone: Annotated[
        str, Meta(description="none, norm-inconsistent, contrary-to-expectations or breach-of-international-law.")
    ] = "none"
    likelihood: Annotated[
        str | None, Meta(description="How likely, in a word of the scale; it is kept as written.")
    ] = None
    scale: Annotated[str | None, Meta(description="The scale of that word: uk-phia or us-icd-203.")] = None
    confidence: Annotated[
        str | None, Meta(description="Confidence in the judgement, apart from the likelihood: low, moderate or high.")
    ] = None
    confidence_scale: Annotated[str | None, Meta(description="The scale of that word: us-icd-203.")] = None
    hypothesis: Annotated[str | None, Meta(description="The id of the hypothesis it settles on.")] = None
    say: Annotated[str, SAY]
    dissent: Annotated[bool, Meta(description="It departs from what the others are known to hold; say why.")] = False
    reason: Annotated[str | None, Meta(description="Of a dissent: why.")] = None
    commit: Annotated[str | None, Meta(description="The case in whose round it is committed to.")] = None
    instead: Annotated[str | None, INSTEAD] = None


def assess(node: Node, asked: Assess, officer: str) -> Told:
    """Mint an assessment, or commit to one."""
    if (asked.likelihood is None) != (asked.scale is None):
        raise Usage("desk-asked", "Say --likelihood and --scale together: a word means nothing without its scale.")
    if asked.confidence_scale is not None and asked.confidence is None:
        raise Usage("desk-asked", "Say --confidence too: a scale alone says nothing.")
    if asked.commit is not None and asked.instead is not None:
        raise Usage("desk-asked", "A committed assessment takes the place of none: leave out --instead.")
    if asked.dissent != (asked.reason is not None):
        raise Usage("desk-asked", "A dissent says why: --dissent and --reason go together.")
    scale = None if asked.scale is None else scale_of(asked.scale)
    if asked.likelihood is not None:
        likelihood_of(asked.likelihood, scale or "")
    step = level_of(asked.claim_level)
    with deed(node, officer) as work:
        needs(work, officer, "claim-level", step.n)
        dossier = one(work.tx, node.party, asked.dossier, DOSSIER)
        if asked.hypothesis is not None and not any(
            said.id == asked.hypothesis for said in about(work.tx, node.party, dossier.id).of(HYPOTHESIS)
        ):
            raise NotFound("no-such-object", f"The dossier has no hypothesis {asked.hypothesis} that is held here.")
        accused = None if asked.accused is None else not_empty(asked.accused, "--accused")
        named = accused is not None and type_of(accused) is not None
        if named:
            held(work.tx, node.party, str(accused))
        draft = dossier.by == node.party and is_draft(dossier, node.party)
        says = Assessment(
            dossier_ref=dossier.id,
            addressed_to=(node.party,) if draft and asked.commit is None else (),
            accused=None if named else accused,
            accused_ref=accused if named else None,
            claim_level=step.id,
            tone=tone_of(asked.tone),
            likelihood=None if asked.likelihood is None else asked.likelihood.strip(),
            likelihood_scale=scale,
            confidence_word=None
            if asked.confidence is None
            else confidence_of(asked.confidence, asked.confidence_scale),
            confidence_scale=canonical_scale(asked.confidence_scale),
            hypothesis_ref=asked.hypothesis,
            text=not_empty(asked.say, "--say"),
            dissents=asked.dissent,
            dissent_reason=None if asked.reason is None else not_empty(asked.reason, "--reason"),
        )
        if asked.commit is not None:
            row = case_row(work.tx, asked.commit)
            position = {"type": ASSESSMENT.name, **plain(says)}
            digest, commitment = commit_position(work, row, position, officer=officer)
            work.audit("attribution-commit", {"case": row.id, "commitment": commitment})
            return Told(
                {"id": commitment, "case": row.id, "act": digest, "committed": True},
                ["The assessment is committed to: nobody reads it before it is opened, and it cannot be changed."],
            )
        made = made_or_later(work, ASSESSMENT, says, asked.instead)
        keep(work, "attribution assess", [made], stated(work, asked, dossier, dossier.id))
    lines = [f"The assessment stands as {made['id']}."]
    if named:
        lines.append(f"Who is not given {accused} is not shown who is accused.")
    return Told({"id": made["id"], "committed": False, "draft": draft}, lines)


class Reveal(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Open our committed assessment, once all are in or the time to commit is over."""

    case: Annotated[str, THE_CASE]
    reason: Annotated[str, Meta(description="Why; kept here, and committed to in the act.")] = ""


def reveal(node: Node, asked: Reveal, officer: str) -> Told:
    """Open."""
    with deed(node, officer) as work:
        row = case_row(work.tx, asked.case)
        open_position(work, row, officer=officer, reason=asked.reason)
        work.audit("attribution-reveal", {"case": row.id})
    return Told({"id": row.id, "case": row.id}, ["Our assessment is open to all who take part."])


class Assessments(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Show assessments side by side, of a round or on a dossier: each party's own words; what is not open is shown as that."""

    about: Annotated[str, Meta(description="The case, its id or title, or the id of a dossier.", extra=PLACED)]


def assessments(node: Node, asked: Assessments, officer: str) -> Told:
    """The table, and where the parties differ."""
    with node.store.read() as tx:
        if type_of(asked.about) == DOSSIER.name:
            one(tx, node.party, asked.about, DOSSIER)
            id, rows, faults = asked.about, on_dossier(node, tx, asked.about), list[str]()
        else:
            row = case_row(tx, asked.about)
            id, (rows, faults) = row.id, _of_case(node, tx, row)
    lines = Lines().table(*table_of(rows))
    told = differences(rows)
    for line in rows:
        lines.add(*(f"{line['party_name']}: {sentence}" for sentence in line["notes"]))
    lines.add(*told, *faults)
    return Told(
        {"id": id, "assessments": rows, "differences": told, "faults": faults},
        lines.found or ["Nothing is assessed here yet."],
    )


def on_dossier(node: Node, tx: Reading, dossier: str) -> list[dict[str, Any]]:
    """Every assessment of a dossier that is held here, said or opened in a round."""
    rows = [_said(tx, node.party, said) for said in about(tx, node.party, dossier).of(ASSESSMENT)]
    for row in tx.find(CaseRow):
        try:
            found = _of_case(node, tx, row)[0]
        except NotFound:
            continue
        rows += [line for line in found if line["dossier"] == dossier]
    return rows


def _of_case(node: Node, tx: Reading, row: CaseRow) -> tuple[list[dict[str, Any]], list[str]]:
    keys, now = keys_known(tx), node.clock()
    found = positions_of(tx, row, state_of_case(tx, row, keys), keys, now)
    rows = [_position(tx, node.party, row, shown) for shown in found.table(now)]
    if not rows:
        raise NotFound("no-position-round", "Nobody is due in this round.")
    return rows, list(found.faults)


def _position(tx: Reading, us: str, row: CaseRow, shown: Shown) -> dict[str, Any]:
    says, defect = None, None
    if shown.opened is not None:
        says, defect = read_position(shown.opened.position)
    line = _line(tx, us, shown.author, says)
    notes = [defect] if defect else []
    if says is None and not defect:
        notes.append(f"Nothing is open: {shown.state}. Nothing is guessed.")
    return {
        **line,
        "id": None,
        "case": row.id,
        "state": shown.state,
        "at": None,
        "defect": defect,
        "notes": [*notes, *line["notes"]],
    }


def read_position(position: Any) -> tuple[Assessment | None, str | None]:
    """The assessment of an opened position, or what is wrong with it: a position may be anything its author wrote."""
    if not isinstance(position, Mapping) or position.get("type") != ASSESSMENT.name:
        return None, "What was opened is no assessment; comity case positions shows it."
    said = {name: value for name, value in position.items() if name != "type"}
    try:
        return ASSESSMENT.read({"id": "the position", **said}), None
    except InputRefused as broken:
        return None, broken.sentence


def _said(tx: Reading, us: str, said: Said) -> dict[str, Any]:
    line = _line(tx, us, said.by, said.says)
    found = dissents(tx, us, said)
    notes = [*line["notes"], *(one.sentence(tx) for one in found)]
    draft = is_draft(said, us)
    return {
        **line,
        "party_name": said.named(tx),
        "id": said.id,
        "case": None,
        "state": "draft" if draft else "stated" if said.by is not None else "nobody-vouches",
        "at": format(said.at),
        "defect": None,
        "dissents": [one.as_json(tx) for one in found],
        "notes": notes,
    }


def _line(tx: Reading, us: str, party: str | None, says: Assessment | None) -> dict[str, Any]:
    """What one party holds, each property of its own; {party, party_name, dossier, accused, claim_level, claim, likelihood, scale,
    range, range_mark, confidence, confidence_scale, tone, hypothesis, text, dissent, dissent_reason, notes}; None is: it says nothing.
    """
    line: dict[str, Any] = {
        "party": party,
        "party_name": "nobody vouches" if party is None else name_of(tx, party),
        "dossier": None,
        "accused": None,
        "claim_level": None,
        "claim": None,
        "likelihood": None,
        "scale": None,
        "range": None,
        "range_mark": None,
        "confidence": None,
        "confidence_scale": None,
        "tone": None,
        "hypothesis": None,
        "text": None,
        "dissent": False,
        "dissent_reason": None,
        "dissents": [],
        "notes": [],
    }
    if says is None:
        return line
    step, notes = level(says.claim_level), []
    if step is None:
        notes.append(f"{says.claim_level!r} is no step of the claim ladder known here.")
    if says.tone not in tones():
        notes.append(f"{says.tone!r} is no legal tone known here.")
    word = None if says.likelihood is None else likelihood(says.likelihood, says.likelihood_scale or "")
    if says.likelihood is not None and word is None:
        notes.append(f"{says.likelihood!r} is no word of a scale known here, so it has no range.")
    if says.dissents:
        notes.append(f"It dissents: {says.dissent_reason or 'no reason is given.'}")
    return line | {
        "dossier": says.dossier_ref,
        "accused": says.accused or _called(tx, us, says.accused_ref),
        "claim_level": says.claim_level,
        "claim": None if step is None else step.as_json(),
        "likelihood": says.likelihood,
        "scale": says.likelihood_scale,
        "range": None if word is None else [word.low, word.high],
        "range_mark": None if word is None else word.fact.mark,
        "confidence": says.confidence_word,
        "confidence_scale": says.confidence_scale,
        "tone": says.tone,
        "hypothesis": says.hypothesis_ref,
        "text": says.text,
        "dissent": says.dissents,
        "dissent_reason": says.dissent_reason,
        "notes": notes,
    }


def _called(tx: Reading, us: str, ref: str | None) -> str | None:
    if ref is None:
        return None
    seen = newest(tx, us, str(type_of(ref)), id=ref)
    name = seen[0].data.get("name") if seen else None
    return f"{name} ({ref})" if isinstance(name, str) and name else ref


def table_of(rows: Sequence[Mapping[str, Any]]) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """Assessments as a table: heads and rows. What a party does not say is a dash."""
    heads = (
        "party",
        "state",
        "claims",
        "accused",
        "likelihood",
        "scale",
        "its range",
        "confidence",
        "tone",
        "dissents",
    )
    return heads, [
        (
            line["party_name"],
            line["state"],
            _claimed(line),
            line["accused"] or "-",
            line["likelihood"] or "-",
            line["scale"] or "-",
            _percent(line),
            line["confidence"] or "-",
            line["tone"] or "-",
            "yes" if line["dissent"] else "-" if line["claim_level"] is None else "no",
        )
        for line in rows
    ]


def _claimed(line: Mapping[str, Any]) -> str:
    if line["claim"] is None:
        return line["claim_level"] or "-"
    return f"{line['claim']['n']} {line['claim']['id']}"


def _percent(line: Mapping[str, Any]) -> str:
    if line["range"] is None:
        return "-"
    return f"{line['range'][0]} to {line['range'][1]} % ({line['range_mark']})"


def differences(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Where those who speak differ, one sentence for each thing; nothing where fewer than two are open."""
    speaking = [line for line in rows if line["claim_level"] is not None and line["party"] is not None]
    if len(speaking) < 2:
        return []
    told = [
        *_apart(speaking, "claim level", _claimed),
        *_apart(speaking, "accused", lambda line: line["accused"] or "nobody named"),
        *_apart(speaking, "likelihood", _worded),
        *_ranges(speaking),
        *_apart(speaking, "confidence", lambda line: line["confidence"] or "none stated"),
        *_apart(speaking, "legal tone", lambda line: line["tone"]),
    ]
    against = [line for line in speaking if line["dissent"]]
    told += [f"{line['party_name']} dissents: {line['dissent_reason'] or 'no reason is given'}" for line in against]
    return told or ["They say the same in each of these."]


def _worded(line: Mapping[str, Any]) -> str:
    return "none stated" if line["likelihood"] is None else f"{line['likelihood']!r} on {line['scale'] or 'no scale'}"


def _apart(rows: Sequence[Mapping[str, Any]], what: str, said: Callable[[Mapping[str, Any]], str]) -> list[str]:
    by_word: dict[str, list[str]] = {}
    for line in rows:
        by_word.setdefault(said(line), []).append(str(line["party_name"]))
    if len(by_word) < 2:
        return []
    listed = "; ".join(f"{', '.join(names)}: {word}" for word, names in by_word.items())
    return [f"They differ in {what}. {listed}."]


def _ranges(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Whether the ranges of different words meet; words of different scales are compared by nothing else."""
    stated_ = [line for line in rows if line["range"] is not None]
    if len({(line["scale"], tuple(line["range"])) for line in stated_}) < 2:
        return []
    low, high = max(line["range"][0] for line in stated_), min(line["range"][1] for line in stated_)
    if low < high:
        return [f"Their words have {low} to {high} % in common, each by its own scale."]
    if low == high:
        return [f"Their words touch at {low} %, each by its own scale."]
    return ["Their words have no percentage in common, each by its own scale."]


DEEDS = (
    DeskDeed("attribution assess", "sign", Assess, assess),
    DeskDeed("attribution reveal", "sign", Reveal, reveal),
    DeskDeed("attribution assessments", "read", Assessments, assessments),
)
