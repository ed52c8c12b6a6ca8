"""The decision: what a party may receive of a class of holdings, and then of one object.

Order of precedence (design, section 5; docs/decision.md): prohibit; floor (law, TLP, originator control, caveats; it
always holds); refer; permit. A refer that matches, or could where a facet is unknown, stops any permit, and opens a
question only when it matches. Among permits: those whose view no other candidate's view strictly contains, then entry
into force, agreement id, clause number. That clause alone is the title.

Second-hand holdings (`Facets.title` is set) go on under their own title only. For them a prohibit or a refer also
counts where it binds the party they came from or their originator: nobody gets round a prohibition by way of a third
party. Where several parties contest who the originator is, what binds any of them counts.

A refusal is never an exception: `decide` raises nothing for any pair of party and holding.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from typing import Any, Final

from comity.kernel.model.instants import Instant
from comity.kernel.release.decision import (
    ClauseInForce,
    Conflict,
    Decision,
    Failed,
    Receiver,
    Refer,
    Release,
    Withhold,
)
from comity.kernel.release.facets import Facets
from comity.kernel.release.predicates import BY_ID, Predicate, Stage, Subject, Truth, stage
from comity.kernel.seal.views import View, narrower

_FLOOR: Final = stage(Stage.FLOOR)
_MATCH: Final = stage(Stage.MATCH)
_GATE: Final = stage(Stage.GATE)
_OFFICER: Final = stage(Stage.OFFICER)
_PIECES: Final = re.compile(r"[0-9]+|[^0-9]+")

QUESTIONS: Final = {
    "red-by-officer": "TLP:RED: which named recipients are to have it?",
    "personal-data-complete": "It holds personal data: on which basis, for what, how long, and is it cut down?",
    "classification-by-officer": "It carries a national classification: may it leave, and who has agreed?",
}
"""The built-in questions, by the predicate that puts them."""

_ASK: Final = "An officer decides whether it may go."


def decide(
    facets: Facets,
    holder: str,
    to: Receiver,
    in_force: Sequence[ClauseInForce],
    *,
    at: Instant,
    clients: frozenset[str] = frozenset(),
) -> Decision:
    """Decide what the party `to` may receive of objects held like `facets`.

    Source: TLP 2.0 (FIRST, 2022); UN norm 13(e), A/70/174; docs/decision.md.

    Args:
        facets: Facets of a class of objects and the title they are held under.
        holder: Our own party id.
        to: The receiving party: an organisation, not a person.
        in_force: Clauses in force for the holder at `at`, names resolved at the present epoch; those between other
            parties are passed over, but for the title of a second-hand holding and what binds those it came from.
        at: The instant of release.
        clients: Party ids in the holder's signed list of clients; none listed means none.

    Returns:
        ``Release(title, clause, view, conflicts)``; ``Withhold(failed)`` with every predicate that failed; ``Refer``
        when an officer has to decide.

    Raises:
        Nothing for any pair of party and holding: `at` is trusted here, `advance` refuses a clock that went back.
    """
    own = _own(facets, holder, to, in_force)
    members = _members(facets, in_force)
    bound = {holder}
    if facets.title is not None:
        bound |= {facets.custodian, *facets.claimants, *([facets.originator] if facets.originator is not None else [])}
    speaking = [item for item in in_force if to.id in item.receivers and not bound.isdisjoint(item.senders)]

    def subject(item: ClauseInForce | None) -> Subject:
        seen = facets.under(item.view) if item is not None and item.clause.says == "permit" else facets
        return Subject(seen, holder, to, at, item, clients, members)

    prohibits = [
        item
        for item in speaking
        if item.clause.says not in ("permit", "refer") and _speaks(subject(item)) is not Truth.NO
    ]
    if prohibits:
        prohibits.sort(key=precedence)
        return Withhold(tuple(_stopped("not-prohibited", subject(item)) for item in prohibits), prohibits[0].title)

    floor = _failures(_FLOOR, subject(own))
    if floor:
        return Withhold(floor)

    if facets.title is None:
        candidates = [item for item in speaking if holder in item.senders]
    else:
        candidates = [] if own is None else [own]
    if not candidates:
        return Withhold((Failed("clause-between", None),))
    permits = sorted((item for item in candidates if item.clause.says == "permit"), key=precedence)
    read = [(item, _failures(_MATCH + _GATE, subject(item))) for item in permits]
    passing = [item for item, failed in read if not failed]

    refers = [item for item in speaking if item.clause.says == "refer"]
    if own is not None and own.clause.says == "refer":
        refers = [item for item in refers if item.title != own.title] + [own]
    stopping = [(item, _speaks(subject(item))) for item in refers]
    stopping = [(item, truth) for item, truth in stopping if truth is not Truth.NO]
    if stopping:
        return _referred(stopping, candidates, passing, officers_asked(subject(None)), subject)
    if not passing:
        return Withhold(tuple(one for _, failed in read for one in failed) or (Failed("clause-between", None),))

    chosen, conflicts = _choose(passing, facets.type)
    view = chosen.view
    assert view is not None  # clause-complete
    officer = officers_asked(subject(chosen))
    if officer:
        return Refer(
            chosen.title,
            chosen.clause,
            view,
            max(1, chosen.clause.officers or 1),
            " ".join(QUESTIONS[failed.predicate] for failed in officer),
            officer,
            conflicts,
        )
    return Release(chosen.title, chosen.clause, view, conflicts)


def of_object(
    decision: Decision,
    facets: Facets,
    holder: str,
    to: Receiver,
    *,
    at: Instant,
    embargo: Instant | None = None,
    expiry: Instant | None = None,
    not_shown: Sequence[str] = (),
    addressed: frozenset[str] | None = None,
) -> Decision:
    """The second step, for one object: embargo, expiry and required references turn a release or a question into a
    refusal.

    Args:
        decision: What `decide` said of its class.
        embargo, expiry: The object's own instants (`handling.Effective`).
        not_shown: Required references whose target this party is not shown (`closure`).
        addressed: Whom the object names as those it is for (`addressed.addressees`); None: nobody.
    """
    if isinstance(decision, Withhold):
        return decision
    subject = Subject(
        facets, holder, to, at, embargo=embargo, expiry=expiry, not_shown=tuple(not_shown), addressed=addressed
    )
    failed = _failures(stage(Stage.OBJECT), subject)
    return Withhold(tuple(replace(one, title=decision.title) for one in failed)) if failed else decision


def approved(decision: Refer, officers: Collection[str]) -> Decision:
    """The release that a question becomes when enough different officers have approved it; else the question itself.

    Args:
        officers: Ids of the officers whose approvals stand for this version, party, view and clause at this instant.
    """
    if len(set(officers)) < decision.officers:
        return decision
    return Release(decision.title, decision.clause, decision.view, decision.conflicts)


def precedence(item: ClauseInForce) -> tuple[Any, ...]:
    """Sort key among clauses of equal view: entry into force, agreement id, clause number (``2`` before ``10``)."""
    pieces = tuple(
        (0, len(piece.lstrip("0")), piece.lstrip("0")) if piece[0].isascii() and piece[0].isdigit() else (1, 0, piece)
        for piece in _PIECES.findall(item.clause.number)
    )
    return item.since, item.agreement, pieces, item.clause.number


def turning_points(in_force: Iterable[ClauseInForce]) -> tuple[Instant, ...]:
    """The instants at which a decision under these clauses may change by itself, sorted: what `advance` has to
    visit.
    """
    instants = {item.since for item in in_force}
    for item in in_force:
        instants.update(
            point for point in (item.until, item.clause.not_before, item.clause.not_after) if point is not None
        )
    return tuple(sorted(instants))


def _own(facets: Facets, holder: str, to: Receiver, in_force: Sequence[ClauseInForce]) -> ClauseInForce | None:
    """The clause a second-hand holding came under, as it stands for `to`, else for the holder; with all its parties.

    Reservations make one title stand several times, each for some of the parties.
    """
    if facets.title is None:
        return None
    same = [item for item in in_force if item.title == facets.title]
    if not same:
        return None
    best = min(same, key=lambda item: (to.id not in item.receivers, holder not in item.receivers))
    return replace(
        best,
        senders=frozenset().union(*(item.senders for item in same)),
        receivers=frozenset().union(*(item.receivers for item in same)),
    )


def _members(facets: Facets, in_force: Sequence[ClauseInForce]) -> frozenset[str]:
    if facets.title is None:
        return frozenset()
    agreement = facets.title.partition("#")[0]
    return frozenset().union(*(item.senders | item.receivers for item in in_force if item.agreement == agreement))


def _speaks(subject: Subject) -> Truth:
    """Whether the clause speaks of the object: NO as soon as one predicate says so, UNKNOWN where one is open."""
    least = Truth.YES
    for row in _MATCH:
        truth = row.truth(subject)
        if truth is Truth.NO:
            return truth
        least = min(least, truth)
    return least


def _failures(rows: Sequence[Predicate], subject: Subject) -> tuple[Failed, ...]:
    return tuple(_failed(row, subject) for row in rows if row.truth(subject) is not Truth.YES)


def officers_asked(subject: Subject) -> tuple[Failed, ...]:
    """The built-in predicates that ask for a person."""
    return tuple(_failed(row, subject) for row in _OFFICER if row.truth(subject) is Truth.NO)


def _failed(row: Predicate, subject: Subject) -> Failed:
    title = None if subject.clause is None else subject.clause.title
    return Failed(row.id, title, wanted(row, subject), found(row, subject))


def wanted(row: Predicate, subject: Subject) -> Any:
    """What the predicate asks for, JSON-ready: a list of words, a word, an instant, or None."""
    if row.key is None:
        return None
    if row.key in ("embargo", "expiry"):
        return subject.embargo if row.key == "embargo" else subject.expiry
    if subject.clause is None:
        return None
    value = getattr(subject.clause if row.key in ("since", "until") else subject.clause.clause, row.key)
    return list(value) if isinstance(value, tuple) else value


def found(row: Predicate, subject: Subject) -> Any:
    """What was found instead, JSON-ready; None: nobody stated it."""
    if row.id == "reference-shown":
        return list(subject.not_shown)
    if row.id == "addressed-here":
        return sorted(subject.addressed or ())
    return None if row.facet is None else _plain(getattr(subject.facets, row.facet))


def _plain(value: Any) -> Any:
    return sorted(value) if isinstance(value, frozenset) else value


def _stopped(predicate: str, subject: Subject) -> Failed:
    """Why a prohibit or a refer stops it: what the clause names, and what the object has there."""
    named: dict[str, Any] = {}
    has: dict[str, Any] = {}
    for row in _MATCH:
        if row.facet is not None and wanted(row, subject) is not None:
            named[row.facet] = wanted(row, subject)
            has[row.facet] = found(row, subject)
    title = None if subject.clause is None else subject.clause.title
    return Failed(BY_ID[predicate].id, title, named, has)


def _choose(passing: Sequence[ClauseInForce], stix_type: str) -> tuple[ClauseInForce, tuple[Conflict, ...]]:
    """The clause that becomes the title, and what was decided silently by choosing it."""
    ordered = sorted(passing, key=precedence)
    widest = [item for item in ordered if not any(contains(other.view, item.view, stix_type) for other in ordered)]
    kept = widest[0]
    conflicts = tuple(
        Conflict(kept.title, item.title, rule(kept, item) if item in widest else "view")
        for item in ordered
        if item is not kept
    )
    return kept, conflicts


def rule(kept: ClauseInForce, dropped: ClauseInForce) -> str:
    """Which step of the order put `kept` before `dropped`."""
    if kept.since != dropped.since:
        return "entry into force"
    return "agreement id" if kept.agreement != dropped.agreement else "clause number"


def contains(wide: View | None, narrow: View | None, stix_type: str) -> bool:
    """Whether the view `wide` strictly contains the view `narrow` for objects of this type."""
    return wide is not None and narrow is not None and narrower(narrow, wide, stix_type)


def _referred(
    stopping: Sequence[tuple[ClauseInForce, Truth]],
    candidates: Sequence[ClauseInForce],
    passing: Sequence[ClauseInForce],
    officer: tuple[Failed, ...],
    subject: Any,
) -> Decision:
    """A refer stands in the way: a question where one matches and may release, else a refusal that says what is
    open.
    """
    opening = []
    failed: list[Failed] = []
    for item, truth in sorted(stopping, key=lambda pair: precedence(pair[0])):
        gates = _failures(_GATE, subject(item))
        if truth is Truth.YES and item in candidates and not gates:
            opening.append(item)
            continue
        failed.append(_stopped("not-referred", subject(item)))
        failed.extend(_failed(row, subject(item)) for row in _MATCH if row.truth(subject(item)) is Truth.UNKNOWN)
        failed.extend(gates)
    if not opening:
        return Withhold(tuple(failed))
    return question(opening, sorted(passing, key=precedence), officer)


def question(opening: Sequence[ClauseInForce], passing: Sequence[ClauseInForce], officer: tuple[Failed, ...]) -> Refer:
    """The question that these refers put, instead of what these permits would have released; both in order of
    precedence.
    """
    first = opening[0]
    view = first.view
    assert view is not None  # clause-complete
    conflicts = tuple(Conflict(first.title, item.title, rule(first, item)) for item in opening[1:])
    conflicts += tuple(Conflict(first.title, item.title, "refer before permit") for item in passing)
    questions = [_question(first), *(QUESTIONS[one.predicate] for one in officer)]
    count = max(max(1, item.clause.officers or 1) for item in opening)
    return Refer(first.title, first.clause, view, count, " ".join(questions), officer, conflicts)


def _question(item: ClauseInForce) -> str:
    texts = item.clause.question
    if not texts:
        return _ASK
    return texts["en"] if "en" in texts else texts[min(texts)]
