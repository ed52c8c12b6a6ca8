"""What an agreement says that its drafters may not have meant: clauses that never give, clauses that compete, and
changes.

`lint` looks at the text alone; what it would do to the objects in a node is `preview`. Nothing here refuses: each
finding is a sentence for the drafters. `compare` puts two drafts side by side, clause by clause, in the words of the
readable text. The order of precedence is that of decide.py (docs/decision.md).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations
from typing import Final

from comity.kernel.model import instants
from comity.kernel.model.names import scripts_of
from comity.kernel.release import phrasebook, purposes, vocabulary
from comity.kernel.release.agreement import Agreement, Clause
from comity.kernel.release.agreementdata import FACET_KEYS
from comity.kernel.release.life import view_of
from comity.kernel.seal.views import narrower

FINDINGS: Final = {
    "nobody": "A clause has an empty list of parties.",
    "nothing": "A clause has an empty list of values.",
    "only-itself": "The only giver of a clause is its only receiver.",
    "never-open": "The window of a clause ends before it begins, or lies outside the life of the agreement.",
    "prohibited-throughout": "A prohibit covers all a permit or refer could give.",
    "overshadowed": "Another permit gives all that this one gives, in a fuller view, or the same view before it.",
    "overlap": "Two permits can meet on one object with different terms.",
    "referred-first": "A refer stops objects that a permit would give.",
    "unmarked-caveats": "A prohibit on caveats also stops every object whose caveats nobody stated.",
    "consent-unbuilt": "Onward release with consent releases nothing yet.",
    "red-permitted": "A permit lists TLP:RED, which goes by an officer's decision only.",
    "tlp-clients": "A clause lets pass on to clients what the TLP does not.",
    "view-unused": "A view is defined and not used.",
    "view-empty": "A view leaves out nothing and equals the full view.",
    "group-unused": "A group is defined and not used.",
    "party-silent": "A party neither gives nor receives under any permit or refer.",
    "basis-unconfirmed": "The instrument of a legal basis has not been checked.",
    "duty-late": "A duty falls due after the retention has ended.",
    "lease-short": "The lease is shorter than the time between two contacts.",
    "lease-long": "The lease is so long that expulsion through a relay takes more than a week to end.",
    "no-successor": "Nobody succeeds a silent depositary.",
    "holidays-end": "The holidays of a procedure are named for a part of the agreement's life only.",
    "odd-letters": "A name is written in letters of another script than Latin; look at it closely.",
}
"""Every code of a finding, with its meaning."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Something to look at again: a key of `FINDINGS`, one sentence, the clauses concerned."""

    code: str
    sentence: str
    clauses: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Change:
    """A part of the text that differs: `what` is added, removed or changed; `where` names the part; the two
    wordings.
    """

    what: str
    where: str
    old: str | None
    new: str | None


class _Resolver:
    """The refs of the parties that refs of parties and groups mean, as the agreement stands at signature."""

    def __init__(self, agreement: Agreement) -> None:
        self._groups = {group.ref: group.members for group in agreement.groups}
        self._known: dict[tuple[str, ...], frozenset[str]] = {}

    def __call__(self, refs: tuple[str, ...]) -> frozenset[str]:
        found = self._known.get(refs)
        if found is None:
            found = frozenset(member for ref in refs for member in self._groups.get(ref, (ref,)))
            self._known[refs] = found
        return found


def lint(agreement: Agreement, *, interval: int | None = None) -> tuple[Finding, ...]:
    """Every finding, whole-agreement ones first, then by clause.

    Args:
        agreement: As read.
        interval: Microseconds between two contacts of the slowest carrier among the parties, if known.
    """
    resolve = _Resolver(agreement)
    found = [*_whole(agreement, interval, resolve)]
    for clause in agreement.clauses:
        found += _single(agreement, clause, resolve)
    for first, second in combinations(agreement.clauses, 2):
        found += _pair(agreement, first, second, resolve)
    return tuple(found)


def _whole(agreement: Agreement, interval: int | None, resolve: _Resolver) -> Iterator[Finding]:
    lease = instants.duration(agreement.life.lease)
    if interval is not None and lease < interval:
        yield Finding(
            "lease-short",
            f"The lease {agreement.life.lease} is shorter than the time between two contacts, so releases will "
            f"stop between them.",
        )
    if lease > 7 * instants.DAY:
        yield Finding(
            "lease-long", f"With the lease {agreement.life.lease} an expelled party can be served that long by a relay."
        )
    if not agreement.life.succession and len(agreement.parties) > 2:
        yield Finding(
            "no-successor",
            f"If {agreement.life.depositary} falls silent, every release stops after {agreement.life.lease}.",
        )
    ends = "9999-12-31" if agreement.life.ends is None else instants.format(agreement.life.ends)[:10]
    for procedure in agreement.procedures:
        last = max(procedure.holidays, default="9999")
        if last < ends[:4]:
            yield Finding(
                "holidays-end",
                f"The last holiday of the procedure {procedure.table} is {last}; after {last[:4]} every day of the week "
                "that is worked counts, so name those of later years or amend in time.",
            )
    for party in agreement.parties:
        scripts = scripts_of(party.name)
        if set(scripts) - {"LATIN"}:
            codes = " ".join(f"U+{ord(char):04X}" for char in party.name if char.isalpha())[:120]
            yield Finding(
                "odd-letters",
                f"The name {party.name!r} is written in {' and '.join(scripts)} letters ({codes}); compare its id.",
            )
    used = {clause.view for clause in agreement.clauses}
    for view in agreement.views:
        if view.name not in used:
            yield Finding("view-unused", f"No clause uses the view {view.name!r}.")
        if not view.remove:
            yield Finding("view-empty", f"The view {view.name!r} leaves out nothing, so it is the full view.")
    named = {ref for clause in agreement.clauses for ref in (*clause.sender, *clause.to)}
    for group in agreement.groups:
        if group.ref not in named:
            yield Finding("group-unused", f"No clause names the group {group.ref!r}.")
    active: set[str] = set()
    for clause in agreement.clauses:
        if clause.says != "prohibit":
            active |= resolve(clause.sender) | resolve(clause.to)
    for party in agreement.parties:
        if party.ref not in active:
            yield Finding("party-silent", f"{party.name} neither gives nor receives anything.")


def _single(agreement: Agreement, clause: Clause, resolve: _Resolver) -> Iterator[Finding]:
    here = (clause.number,)

    def finding(code: str, sentence: str) -> Finding:
        return Finding(code, f"Clause {clause.number}: {sentence}", here)

    givers, receivers = resolve(clause.sender), resolve(clause.to)
    grows = any(group.grows_by and group.ref in (*clause.sender, *clause.to) for group in agreement.groups)
    if not givers or not receivers:
        yield finding("nobody", f"nobody {'gives' if not givers else 'receives'} under it.")
    elif givers == receivers and len(givers) == 1 and not grows:
        yield finding("only-itself", "its only giver is its only receiver.")
    for key in (*FACET_KEYS, "purpose", "basis"):
        if getattr(clause, key) == ():
            what = "it stops everything in that point" if clause.says != "permit" else "it gives nothing"
            yield finding("nothing", f"{key} is an empty list, so {what}.")
    yield from _window(agreement, clause)
    if clause.says == "prohibit" and clause.caveats:
        yield finding(
            "unmarked-caveats", "it also stops every object whose caveats nobody has stated; state them at import."
        )
    if clause.onward == "with-consent":
        yield finding("consent-unbuilt", "with-consent is understood but this release passes nothing on under it.")
    if clause.says == "permit" and clause.tlp and "red" in clause.tlp:
        yield finding(
            "red-permitted", "TLP:RED goes to named recipients by an officer's decision only, whatever the permit says."
        )
    if clause.onward in {"clients", "members"} and clause.tlp and not set(clause.tlp) - {"amber+strict", "red"}:
        yield finding("tlp-clients", "its TLP does not let the receiver pass anything on, so onward says nothing.")
    for word in clause.basis or ():
        entry = purposes.basis(word)
        if entry is not None and not entry.verified:
            yield finding(
                "basis-unconfirmed",
                f"{word} rests on {entry.source}, which nobody has confirmed here; check the legal text.",
            )
    for duty in clause.duties:
        if clause.retention is not None and instants.duration(duty.within) > instants.duration(clause.retention):
            yield finding(
                "duty-late",
                f"{duty.do} is due within {duty.within}, after the retention of {clause.retention} has ended.",
            )


def _window(agreement: Agreement, clause: Clause) -> Iterator[Finding]:
    life = agreement.life
    opens = max(clause.not_before or 0, life.enters_into_force)
    closes = min(end for end in (clause.not_after, life.ends, 1 << 62) if end is not None)
    if opens >= closes:
        yield Finding(
            "never-open",
            f"Clause {clause.number}: it opens on {instants.format(opens)} and is closed from "
            f"{instants.format(closes)} on.",
            (clause.number,),
        )


def _pair(agreement: Agreement, first: Clause, second: Clause, resolve: _Resolver) -> Iterator[Finding]:
    givers = resolve(first.sender) & resolve(second.sender)
    receivers = resolve(first.to) & resolve(second.to)
    if not givers or not receivers or (givers == receivers and len(givers) == 1):
        return
    if not _times_meet(first, second):
        return
    by_says = {first.says: first, second.says: second}
    if "prohibit" in by_says and first.says != second.says:
        other = next(clause for clause in (first, second) if clause.says != "prohibit")
        if _stops_all(resolve, by_says["prohibit"], other):
            yield Finding(
                "prohibited-throughout",
                f"Clause {other.number} gives nothing: clause {by_says['prohibit'].number} prohibits all of it, "
                f"and a prohibit goes first.",
                (other.number, by_says["prohibit"].number),
            )
    elif {first.says, second.says} == {"permit", "refer"}:
        if _may_meet(by_says["permit"], by_says["refer"]):
            yield Finding(
                "referred-first",
                f"Where clauses {by_says['permit'].number} and {by_says['refer'].number} both apply, officers "
                f"decide: a refer goes "
                "before a permit, also where what it names is unknown.",
                (by_says["permit"].number, by_says["refer"].number),
            )
    elif first.says == second.says == "permit" and _may_meet(first, second):
        yield from _two_permits(agreement, first, second, resolve)


def _two_permits(agreement: Agreement, first: Clause, second: Clause, resolve: _Resolver) -> Iterator[Finding]:
    differ = [
        key
        for key in ("view", "with_names", "source", "purpose", "onward", "retention", "duties")
        if _as_set(getattr(first, key)) != _as_set(getattr(second, key))
    ]
    winner, loser, rule = _winner(agreement, first, second)
    if _covers(agreement, winner, loser, resolve):
        yield Finding(
            "overshadowed",
            f"Clause {loser.number} is never used: clause {winner.number} gives the same objects to the same "
            f"parties and goes first ({rule}).",
            (loser.number, winner.number),
        )
    elif differ:
        yield Finding(
            "overlap",
            f"Clauses {first.number} and {second.number} can both apply to one object and differ in "
            f"{', '.join(differ)}; "
            f"clause {winner.number} wins ({rule}).",
            (first.number, second.number),
        )


def _winner(agreement: Agreement, first: Clause, second: Clause) -> tuple[Clause, Clause, str]:
    one, other = view_of(agreement, first.view), view_of(agreement, second.view)
    if one is not None and other is not None and narrower(other, one):
        return first, second, "the fuller view"
    if one is not None and other is not None and narrower(one, other):
        return second, first, "the fuller view"
    if _number(second.number) < _number(first.number):
        return second, first, "the lower number"
    return first, second, "the lower number"


def _number(number: str) -> list[tuple[int, int, str]]:
    pieces: list[tuple[int, int, str]] = []
    piece = ""
    for char in number + "\0":
        if piece and (char.isdigit() != piece[-1].isdigit() or char == "\0"):
            pieces.append((0, int(piece), "") if piece.isdigit() else (1, 0, piece))
            piece = ""
        piece += char
    return pieces


def _times_meet(first: Clause, second: Clause) -> bool:
    opens = max(first.not_before or 0, second.not_before or 0)
    closes = min(end for end in (first.not_after, second.not_after, 1 << 62) if end is not None)
    return opens < closes


def _may_meet(first: Clause, second: Clause) -> bool:
    """Whether some object could satisfy both as far as lists tell; a value listed by both, or unknown allowed by
    both.
    """
    for key in ("types", "tlp", "pap"):
        one, other = getattr(first, key), getattr(second, key)
        if one is not None and other is not None and not set(one) & set(other):
            return False
    return all(
        getattr(clause, key) != () for clause in (first, second) for key in ("types", "tlp", "pap", "purpose", "basis")
    )


def _stops_all(resolve: _Resolver, prohibit: Clause, other: Clause) -> bool:
    """Whether a prohibit certainly covers everything the other clause could give."""
    if not resolve(other.sender) <= resolve(prohibit.sender):
        return False
    if not resolve(other.to) <= resolve(prohibit.to):
        return False
    if (prohibit.not_before or 0) > (other.not_before or 0) or (prohibit.not_after or 1 << 62) < (
        other.not_after or 1 << 62
    ):
        return False
    for key in (*FACET_KEYS, "purpose", "basis"):
        stopped, given = getattr(prohibit, key), getattr(other, key)
        if not stopped:
            continue
        single = key in {"types", "tlp", "pap"} and other.says == "permit"
        if not single or given is None or not set(given) - {vocabulary.UNKNOWN_TOO} <= set(stopped):
            return False
    return True


def _covers(agreement: Agreement, winner: Clause, loser: Clause, resolve: _Resolver) -> bool:
    """Whether everything the loser gives is given by the winner already."""
    if not resolve(loser.sender) <= resolve(winner.sender):
        return False
    if not resolve(loser.to) <= resolve(winner.to):
        return False
    if _growing(agreement, loser) - _growing(agreement, winner):
        return False
    if (winner.not_before or 0) > (loser.not_before or 0) or (winner.not_after or 1 << 62) < (
        loser.not_after or 1 << 62
    ):
        return False
    order = vocabulary.CONFIDENCE
    floor = -1 if winner.min_confidence is None else order.index(winner.min_confidence)
    if floor > (-1 if loser.min_confidence is None else order.index(loser.min_confidence)):
        return False
    for key in (*FACET_KEYS, "basis"):
        wide, narrow = getattr(winner, key), getattr(loser, key)
        if wide is not None and (narrow is None or not set(narrow) <= set(wide)):
            return False
    return set(winner.purpose or ()) <= set(loser.purpose or ()) and winner.recipients is None


def _growing(agreement: Agreement, clause: Clause) -> set[str]:
    return {group.ref for group in agreement.groups if group.grows_by and group.ref in (*clause.sender, *clause.to)}


def _as_set(value: object) -> object:
    return frozenset(value) if isinstance(value, tuple) else value


def compare(
    old: Agreement, new: Agreement, *, language: str | None = None, books: phrasebook.Books = phrasebook.BOOKS
) -> tuple[Change, ...]:
    """Where two drafts differ in words, in the order of the new text; what only the old one has comes last.

    Raises:
        InputRefused: `agreement-language` where they share no language; `agreement-phrases`.
    """
    shared = [tag for tag in new.languages if tag in old.languages]
    tongue = language or (shared[0] if shared else new.languages[0])
    before = {where: text for where, text in phrasebook.parts(old, tongue, books=books) if where != "heading"}
    after = {where: text for where, text in phrasebook.parts(new, tongue, books=books) if where != "heading"}
    changes = []
    for where, text in after.items():
        if where not in before:
            changes.append(Change("added", where, None, text))
        elif before[where] != text:
            changes.append(Change("changed", where, before[where], text))
    changes += [Change("removed", where, text, None) for where, text in before.items() if where not in after]
    return tuple(changes)
