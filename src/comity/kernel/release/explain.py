"""Why: one plain sentence for a decision, and the same as JSON.

The sentence names agreement and clause, what failed, and what would help. An officer of the holder is told
everything. The party that asked is told of a release what it can read in its own agreement, and of all else one
constant sentence, the same whether the object exists or not (design, promise 1).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Final

from comity.kernel.model.instants import format as written
from comity.kernel.release.decision import Decision, Failed, Refer, Release, Withhold
from comity.kernel.release.predicates import BY_ID, Predicate, Stage

NOTHING: Final = "There is nothing of that name for you here."
"""What the asking party is told of everything that is not released to it, existing or not."""

_TOLD: Final = 3
"""How many clauses a refusal tells of: those that came closest."""

_HELP: Final = {
    "not-prohibited": "A prohibition wins over every permit; only the parties can change it.",
    "markings-read": "Take in the definition of its marking, or ask its author what it means.",
    "card-verified": "Compare the fingerprint with the receiver and verify its card.",
    "own-title": "Ask the party it came from.",
    "holder-still-receiver": "Ask the party it came from.",
    "onward-covers": "Ask the party it came from whether it may go on.",
    "tlp-onward": "Ask the party it came from whether it may go on.",
    "clause-between": "An agreement with this party would be needed.",
    "lease-fresh": "Fetch the newest renewal from the depositary.",
    "office-in-card": "Ask the receiver to name that office in its card.",
    "source-hidden": "A clause that hides the source would be needed.",
    "exercise-apart": "Release it under a clause for exercises.",
}
_UPPER: Final = frozenset(("tlp", "pap"))


def sentence(
    decision: Decision,
    *,
    thing: str,
    to: str,
    party: Callable[[str], str],
    agreement: Callable[[str], str],
    to_recipient: bool = False,
    nearest: str = "",
) -> str:
    """Say a decision in plain English.

    Args:
        decision: What `decide`, `of_object` or `approved` gave.
        thing: How the object is called, e.g. ``the indicator "mail server exploit"``.
        to: Party id of the receiver.
        party: Gives the name of a party id.
        agreement: Gives the title of an agreement digest.
        to_recipient: Whether the reader is the receiver itself.
        nearest: Where the agreement stands that came nearest to letting it go, a sentence; told where no clause in force does.
    """
    name = party(to)
    if isinstance(decision, Release):
        where = _clause(decision.title, agreement)
        if to_recipient:
            return f"{_capital(thing)} goes to you under {where}, in the view {decision.view.name}."
        also = ""
        if decision.conflicts:
            others = _and(f"{_clause(one.dropped, agreement)} ({one.rule})" for one in decision.conflicts)
            also = f"; it was preferred to {others}"
        return f"{_capital(thing)} goes to {name} under {where}, in the view {decision.view.name}{also}."
    if to_recipient:
        return NOTHING
    if isinstance(decision, Refer):
        count = "one officer approves" if decision.officers == 1 else f"{decision.officers} officers approve"
        because = "".join(f" {_capital(_told(one))}." for one in decision.failed)
        return (
            f"{_capital(thing)} goes to {name} only if {count}, under {_clause(decision.title, agreement)}, "
            f"in the view {decision.view.name}.{because} The question: {decision.question}"
        )
    told = _refusal(decision, thing, name, agreement)
    first = decision.failed[0].predicate if decision.failed else ""
    if not nearest or first == "not-prohibited":
        return told
    return f"{told.removesuffix(_HELP['clause-between']).rstrip()} {nearest}"


def as_json(decision: Decision) -> dict[str, Any]:
    """A decision for a machine: ``decision`` is release, withhold or refer; titles are ``<agreement
    digest>#<clause>``.
    """
    if isinstance(decision, Withhold):
        return {
            "decision": "withhold",
            "prohibited_by": decision.prohibited_by,
            "failed": [_failed_json(one) for one in decision.failed],
        }
    shape: dict[str, Any] = {
        "decision": "release" if isinstance(decision, Release) else "refer",
        "title": decision.title,
        "agreement": decision.title.partition("#")[0],
        "clause": decision.clause.number,
        "view": decision.view.name,
        "conflicts": [{"kept": one.kept, "dropped": one.dropped, "rule": one.rule} for one in decision.conflicts],
    }
    if isinstance(decision, Refer):
        shape["officers"] = decision.officers
        shape["question"] = decision.question
        shape["failed"] = [_failed_json(one) for one in decision.failed]
    return shape


def _failed_json(one: Failed) -> dict[str, Any]:
    return {
        "predicate": one.predicate,
        "title": one.title,
        "wanted": one.wanted,
        "found": one.found,
        "told": _told(one),
    }


def _refusal(decision: Withhold, thing: str, name: str, agreement: Callable[[str], str]) -> str:
    start = f"{_capital(thing)} does not go to {name}"
    if not decision.failed:
        return f"{start}."
    first = decision.failed[0]
    stage = BY_ID[first.predicate].stage if first.predicate in BY_ID else Stage.CLAUSE
    if first.predicate == "clause-between":
        return f"{start}: {_told(first)}. {_HELP[first.predicate]}"
    if stage in (Stage.CLAUSE, Stage.OBJECT):
        where = "" if stage is Stage.OBJECT or first.title is None else f"under {_clause(first.title, agreement)} "
        return f"{start}: {where}{_told(first)}. {_help(decision.failed[:1])}".rstrip()
    if stage is Stage.FLOOR:
        return f"{start}: {_and(_told(one) for one in decision.failed)}. {_help(decision.failed)}".rstrip()
    by_title: dict[str | None, list[Failed]] = {}
    for one in decision.failed:
        by_title.setdefault(one.title, []).append(one)
    nearest = sorted(by_title.items(), key=lambda pair: len(pair[1]))[:_TOLD]
    told = "; ".join(
        f"{_clause(title, agreement)} does not, for {_and(_told(one) for one in failed)}" for title, failed in nearest
    )
    more = len(by_title) - len(nearest)
    rest = "" if not more else f"; {more} more clause{'s' if more > 1 else ''} came less close"
    return f"No clause permits {thing} to {name}: {told}{rest}. {_help(nearest[0][1])}".rstrip()


def _told(one: Failed) -> str:
    """What a failed predicate says, its values in."""
    row = BY_ID.get(one.predicate)
    if one.predicate == "source-not-hideable":
        return f"its source is to be hidden and cannot be: {one.found}"
    if row is None:
        return f"the predicate {one.predicate} did not hold"
    if isinstance(one.wanted, dict) and isinstance(one.found, dict):
        named = [f"{_facet(facet)} {_value(row, facet, words)}" for facet, words in one.wanted.items()]
        has = [f"{_facet(facet)} {_value(row, facet, words)}" for facet, words in one.found.items()]
        return row.sentence.format(
            wanted=f"it names {_and(named)}" if named else "the two meet", found=_and(has) or "they do"
        )
    facet = row.facet or ""
    return row.sentence.format(
        wanted=_value(row, row.facet or row.key or "", one.wanted), found=_value(row, facet, one.found)
    )


def _value(row: Predicate, facet: str, value: Any) -> str:
    if value is None:
        return "not stated"
    if row.key in ("since", "until", "not_before", "not_after", "embargo", "expiry") and isinstance(value, int):
        return written(value)
    mark = facet in _UPPER
    if isinstance(value, list | tuple):
        words = [_word(mark, word) for word in value if word != "*"]
        if "*" in value:
            words.append("unknown")
        return _and(words) if words else "none"
    return _word(mark, str(value))


def _word(upper: bool, word: str) -> str:
    return word.upper() if upper else word


def _facet(facet: str) -> str:
    return {"tlp": "TLP", "pap": "PAP", "basis": "legal basis"}.get(facet, facet)


def _help(failed: Iterable[Failed]) -> str:
    """What would help: first what only has to be stated, then what the predicate's own line says."""
    open_facets: list[str] = []
    lines: list[str] = []
    for one in failed:
        row = BY_ID.get(one.predicate)
        if row is None:
            continue
        if isinstance(one.found, dict):
            open_facets.extend(_facet(facet) for facet, value in one.found.items() if value is None)
        elif row.stage is Stage.MATCH and row.facet is not None and one.found is None:
            open_facets.append(_facet(row.facet))
        if one.predicate in _HELP:
            lines.append(_HELP[one.predicate])
    if open_facets:
        lines.insert(0, f"An officer can state what is not stated: {_and(dict.fromkeys(open_facets))}.")
    return " ".join(dict.fromkeys(lines))


def _clause(title: str | None, agreement: Callable[[str], str]) -> str:
    if title is None:
        return "no clause"
    digest, _, number = title.partition("#")
    return f"clause {number} of “{agreement(digest)}”"


def _and(parts: Iterable[str]) -> str:
    known = list(parts)
    return known[0] if len(known) == 1 else f"{', '.join(known[:-1])} and {known[-1]}" if known else ""


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
