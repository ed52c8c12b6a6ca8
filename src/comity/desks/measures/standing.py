"""How a measure stands: its decisions, who joined, what each party did with it, its effects, and when it is due for review.

The state is worked out, and never written into the measure. A decision counts where the measure's own author convened it and put it on
the table; a joining, a step or an effect counts for the party whose word it is. Where a party says more than the record here shows, both
are shown. Time is this node's clock.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Any, Final

import msgspec

from comity.desks.measures.kinds import EFFECT, JOINING, LISTING, MEASURE, STEP, Measure
from comity.desks.measures.words import about, one
from comity.kernel.errors import NotFound
from comity.kernel.model.instants import Instant, format, parse
from comity.kernel.procedure.acts import claimed_act
from comity.kernel.procedure.judging import State, decision
from comity.kernel.procedure.ledger import claimed_entry
from comity.kernel.procedure.rules import Decision
from comity.kernel.seal.canonical import canonical
from comity.kernel.store.ports import Reading
from comity.kernel.store.rows import CaseEntry, CaseRow
from comity.node.casework.keeping import content_of, keys_known, state_of_case, table_of
from comity.node.parties import name_of
from comity.node.saying import Said

RULES: Final = {
    "unanimity": "measure-unanimity",
    "silence": "silence",
    "opt-in": "measure-opt-in",
    "majority": "measure-majority",
}
"""The state table for each rule of decision."""

SHOWN: Final = {"silence": "silence-procedure", "broken": "drafting", "lapsed": "abandoned"}
"""The states of the table `silence` in the words of toolbox.yaml `measure_states`; the other tables use these words."""

_REFS: Final = ("about_refs", "claim_refs")

ENDED: Final = ("lifted", "expired", "abandoned")
"""The states in which no review is due."""


@dataclass(frozen=True, slots=True)
class Deciding:
    """A case in which a measure is decided."""

    case: CaseRow
    rule: str
    state: State
    decision: Decision | None
    wording: dict[str, Any]

    @property
    def adopted(self) -> bool:
        """Whether the case ended with the measure adopted."""
        return self.state.outcome == "adopted"

    @property
    def shown(self) -> str:
        """Its state, in the words of the toolbox."""
        return SHOWN.get(self.state.name, self.state.name)


@dataclass(frozen=True, slots=True)
class Joined:
    """One party that joined: by an object of its own, or by its vote in a case whose rule is opt-in.

    Args:
        how: The id of the object, or the vote in words.
        does: The last step that it took itself, such as ``executed`` or ``lifted``; joining is not unmade by it.
    """

    party: str
    since: Instant
    how: str
    reservation: str | None = None
    does: str | None = None


@dataclass(frozen=True, slots=True)
class Standing:
    """How a measure stands here, at an instant.

    Args:
        state: Of toolbox.yaml `measure_states`.
        deciding: The decisions that count, in order; `apart` those that others convened on it, which do not.
        adopted: ``ledger`` where a case here shows it, ``word`` where only its author says so by a step, None: not known here.
        joined: Who joined, each once.
        steps: What each party did, in order; what nobody vouches for is in `strange`.
        review_on, ends: When it is to be looked at, and when it ends; None: nobody said.
        doubts: What does not agree, in sentences.
    """

    measure: Said
    state: str
    deciding: tuple[Deciding, ...]
    apart: tuple[Deciding, ...]
    adopted: str | None
    joined: tuple[Joined, ...]
    steps: tuple[Said, ...]
    effects: tuple[Said, ...]
    listings: tuple[Said, ...]
    strange: tuple[Said, ...]
    review_on: Instant | None
    ends: Instant | None
    doubts: tuple[str, ...]

    def overdue(self, now: Instant) -> bool:
        """Whether its review was due before `now`."""
        return self.review_on is not None and self.review_on < now and self.state not in ENDED


def standing(tx: Reading, us: str, id: str, now: Instant) -> Standing:
    """How a measure stands.

    Raises:
        NotFound: `no-such-object`. InputRefused: `desk-object`.
    """
    measure = one(tx, us, id, MEASURE)
    words = about(tx, us, id)
    known = [said for said in words.said if said.by is not None]
    strange = tuple(said for said in words.said if said.by is None)
    every = tuple(_deciding(tx, id, now))
    own = tuple(item for item in every if measure.by is not None and item.state.charter.convener == measure.by)
    apart = tuple(item for item in every if item not in own)
    steps = tuple(said for said in known if said.type == STEP.name)
    by_author = [said for said in steps if said.by == measure.by]
    adopted = "ledger" if any(item.adopted for item in own) else "word" if by_author else None
    doubts = [one.sentence for one in words.defects]
    if adopted == "word" and own:
        doubts.append(
            f"{measure.named(tx)} says the measure is {by_author[-1].says.says}, and no case here adopted it."
        )
    for item in own:
        if _without_refs(item.wording.get("says")) != worded(measure.says):
            doubts.append(f"The case {item.case.title} decides on other words than the measure has here.")
    for said in words.of(JOINING):
        if said.by is None:
            doubts.append(f"A joining in the name of {_named(tx, said)} is vouched for by nobody; it does not count.")
    return Standing(
        measure,
        _state(own, by_author, measure, now, adopted),
        own,
        apart,
        adopted,
        tuple(_joined(known, own)),
        steps,
        tuple(said for said in known if said.type == EFFECT.name),
        tuple(said for said in known if said.type == LISTING.name),
        strange,
        _review(by_author, measure),
        _ends(by_author, measure),
        tuple(doubts),
    )


def worded(says: Measure) -> dict[str, Any]:
    """What a measure says, as it stands on the table of a case: without the objects it names, which not everybody who decides is shown."""
    return {name: value for name, value in msgspec.to_builtins(says).items() if name not in _REFS}


def _without_refs(says: Any) -> Any:
    return {name: value for name, value in says.items() if name not in _REFS} if isinstance(says, dict) else says


def deciding_of(tx: Reading, row: CaseRow, now: Instant) -> Deciding | None:
    """What a case decides on, where it is a measure; None where it is none, or has not come whole."""
    rule = next((word for word, table in RULES.items() if table == table_of(row.table).id), None)
    if rule is None:
        return None
    try:
        state = state_of_case(tx, row, keys_known(tx))
    except NotFound:
        return None
    wording = _wording(tx, row, state)
    if wording is None:
        return None
    return Deciding(row, rule, state, state.decision or decision(table_of(row.table), state, now), wording)


def _deciding(tx: Reading, id: str, now: Instant) -> Iterator[Deciding]:
    rows = sorted(tx.find(CaseRow), key=lambda row: (_opened(tx, row), row.id))
    for row in rows:
        found = deciding_of(tx, row, now)
        if found is not None and found.wording.get("id") == id:
            yield found


def _opened(tx: Reading, row: CaseRow) -> Instant:
    """When a case was convened, by its convener's clock."""
    first = tx.get(CaseEntry, row.id, 0)
    return 0 if first is None else claimed_entry(first.envelope).at


def _wording(tx: Reading, row: CaseRow, state: State) -> dict[str, Any] | None:
    """The measure in the text on the table, as it was put there by who convened the case."""
    if state.text is None or state.text_by != state.charter.convener:
        return None
    for stored in tx.find(CaseEntry, case=row.id, order=("seq",), reverse=True):
        act = claimed_act(claimed_entry(stored.envelope).act)
        if act.open.get("text") != state.text:
            continue
        content = content_of(tx, row, act.digest)
        if isinstance(content, dict) and sha256(canonical(content)).hexdigest() == state.text:
            measure = content.get("measure")
            return measure if isinstance(measure, dict) else None
    return None


def _state(own: tuple[Deciding, ...], steps: list[Said], measure: Said, now: Instant, adopted: str | None) -> str:
    ends = _ends(steps, measure)
    if steps:
        last = steps[-1].says
        if last.says == "lifted":
            return "lifted" if parse(last.starts) <= now else "scheduled"
        if ends is not None and ends <= now:
            return "expired"
        return "scheduled" if last.says == "executed" and parse(last.starts) > now else str(last.says)
    if adopted:
        return "expired" if ends is not None and ends <= now else "adopted"
    return own[-1].shown if own else "proposed"


def _ends(steps: list[Said], measure: Said) -> Instant | None:
    said = [measure.says.ends, *(one.says.until for one in steps if one.says.says in ("executed", "renewed"))]
    found = [text for text in said if text is not None]
    return parse(found[-1]) if found else None


def _review(steps: list[Said], measure: Said) -> Instant | None:
    said = [measure.says.review_on, *(one.says.until for one in steps if one.says.says in ("under-review", "renewed"))]
    found = [text for text in said if text is not None]
    return parse(found[-1]) if found else None


def _joined(known: list[Said], own: tuple[Deciding, ...]) -> Iterator[Joined]:
    found: dict[str, Joined] = {}
    for item in own:
        if item.rule == "opt-in" and item.adopted:
            for head, vote in item.state.votes.items():
                if vote.word == "join":
                    found[head] = Joined(head, vote.at, f"vote in {item.case.title}")
    for said in known:
        if said.type == JOINING.name and said.by is not None:
            found[said.by] = Joined(said.by, parse(said.says.starts), said.id, said.says.reservation)
    does = {said.by: str(said.says.says) for said in known if said.type == STEP.name}
    yield from (replace(item, does=does.get(item.party)) for item in found.values())


def _named(tx: Reading, said: Said) -> str:
    return name_of(tx, str(said.seen.data.get("created_by_ref") or said.via))


def deciding_json(tx: Reading, item: Deciding) -> dict[str, Any]:
    """A decision: {case, title, rule, convener, state, adopted, decision, said}; `said` has the word of each head that gave one."""
    said: dict[str, Any] = {}
    for stored in tx.find(CaseEntry, case=item.case.id, order=("seq",)):
        entry = claimed_entry(stored.envelope)
        act = claimed_act(entry.act)
        content = content_of(tx, item.case, act.digest)
        if entry.refused is not None or act.head not in item.state.votes or not isinstance(content, dict):
            continue
        said[act.head] = {"act": act.type, "said": str(content.get("said") or "")}
        if act.recorded is not None:
            said[act.head]["recorded"] = f"recorded by {name_of(tx, act.by)} from {act.recorded.source}"
    shape = None if item.decision is None else item.decision.as_json()
    for reason in [] if shape is None else shape["reasons"]:
        reason["name"] = name_of(tx, reason["head"])
        reason |= said.get(reason["head"], {})
    convener = item.state.charter.convener
    return {
        "case": item.case.id,
        "title": item.case.title,
        "rule": item.rule,
        "convener": convener,
        "name": name_of(tx, convener),
        "state": item.shown,
        "adopted": item.adopted,
        "decision": shape,
    }


def standing_json(tx: Reading, found: Standing, now: Instant) -> dict[str, Any]:
    """All of it, for programs."""
    return {
        "id": found.measure.id,
        "title": found.measure.says.name,
        "measure": found.measure.as_json(tx),
        "state": found.state,
        "adopted": found.adopted,
        "decisions": [deciding_json(tx, item) for item in found.deciding],
        "decisions_by_others": [deciding_json(tx, item) for item in found.apart],
        "joined": [
            {
                "party": item.party,
                "name": name_of(tx, item.party),
                "from": format(item.since),
                "how": item.how,
                "reservation": item.reservation,
                "does": item.does,
            }
            for item in found.joined
        ],
        "steps": [said.as_json(tx) for said in found.steps],
        "effects": [said.as_json(tx) for said in found.effects],
        "listings": [said.id for said in found.listings],
        "unattributed": [said.as_json(tx) for said in found.strange],
        "review": None if found.review_on is None else format(found.review_on),
        "ends": None if found.ends is None else format(found.ends),
        "overdue": found.overdue(now),
        "doubts": list(found.doubts),
    }
