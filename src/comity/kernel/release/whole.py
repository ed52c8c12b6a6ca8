"""Every class against every party at once: the table a node releases by, and what a preview compares.

The answers are `decide`'s own, pair by pair. Each clause is read once against each distinct value of each facet, and
what it says is kept as one bit of an integer; a pair of class and party is then a few operations on such integers
(the saving is the join, not the engine). The choice among permits and the question of refers are made with `decide`'s
own rules, once for each set of clauses; titles of somebody else, granular markings and what only an officer may
release go to `decide` itself. Refusals are decided when they are asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, Generic, TypeVar

from comity.kernel.model.instants import Instant
from comity.kernel.release.decide import contains, decide, officers_asked, precedence, question, rule
from comity.kernel.release.decision import ClauseInForce, Conflict, Decision, Failed, Receiver, Refer, Release, Withhold
from comity.kernel.release.facets import Facets
from comity.kernel.release.predicates import BY_ID, Stage, Subject, Truth, stage

K = TypeVar("K", bound=Hashable)

_MATCH: Final = stage(Stage.MATCH)
_GATE: Final = stage(Stage.GATE)
_MATCH_BY_CLAUSE: Final = tuple(row for row in _MATCH if row.facet is None)
_GATE_BY_PARTY: Final = (BY_ID["office-in-card"],)
_GATE_BY_CLAUSE: Final = tuple(row for row in _GATE if row.facet is None and row not in _GATE_BY_PARTY)
_FLOOR_BY_CLASS: Final = tuple(row for row in stage(Stage.FLOOR) if row.facet in ("unread", "recipients"))
_FACETS: Final = tuple(dict.fromkeys(row.facet for row in _MATCH + _GATE if row.facet is not None))
_NOBODY: Final = Receiver("", "other")
_ANYTHING: Final = Facets("", *(None,) * 3, "", *(None,) * 9)
_ONWARD: Final = ("clear", "green", "amber")  # what TLP lets go on at all


@dataclass(frozen=True, slots=True, eq=False)
class Table(Mapping[tuple[K, str], Decision], Generic[K]):
    """Decisions by (class, party id).

    Args:
        given: The pairs that are released or referred; every other pair is withheld.
    """

    classes: Mapping[K, Facets]
    holder: str
    parties: Mapping[str, Receiver]
    in_force: tuple[ClauseInForce, ...]
    at: Instant
    clients: frozenset[str]
    given: Mapping[tuple[K, str], Decision]

    def __getitem__(self, pair: tuple[K, str]) -> Decision:
        known = self.given.get(pair)
        if known is not None:
            return known
        key, party = pair
        return decide(
            self.classes[key], self.holder, self.parties[party], self.in_force, at=self.at, clients=self.clients
        )

    def __iter__(self) -> Iterator[tuple[K, str]]:
        return ((key, party) for key in self.classes for party in self.parties)

    def __len__(self) -> int:
        return len(self.classes) * len(self.parties)


def table(
    classes: Mapping[K, Facets],
    holder: str,
    parties: Sequence[Receiver],
    in_force: Sequence[ClauseInForce],
    *,
    at: Instant,
    clients: frozenset[str] = frozenset(),
) -> Table[K]:
    """Decide all classes for all parties.

    Args:
        classes: Facets by class key.
        holder, in_force, at, clients: As for `decide`.
        parties: The receivers, each once.

    Returns:
        A mapping from (class key, party id) to `Decision`, equal in every pair to `decide` asked alone.
    """
    book = _Book(holder, in_force, at)
    readings = [(key, facets, book.read(facets)) for key, facets in classes.items()]
    given: dict[tuple[K, str], Decision] = {}
    for to in parties:
        if to.id == holder or not to.verified:
            continue
        heard, offices = book.heard(to.id), book.offices(to.offices)
        spoken = heard & book.spoken
        for key, facets, reading in readings:
            could = reading.could & spoken
            if facets.title is not None or facets.parts:
                places = book.second_hand(facets, to.id, reading, heard, clients)
                if not places:
                    continue
            elif reading.nobody or could & book.prohibits:
                continue
            else:
                sure = reading.sure & reading.gates & offices & spoken
                passing, asking = sure & book.permits, could & book.refers
                if not (sure & book.refers if asking else passing):
                    continue
                if asking:
                    given[key, to.id] = book.asked(sure & book.refers, passing, reading.officer)
                    continue
                if not reading.officer:
                    given[key, to.id] = book.chosen(passing, facets.type)
                    continue
                places = passing | asking
            decision = book.decide(facets, to, places, clients)
            if not isinstance(decision, Withhold):
                given[key, to.id] = decision
    return Table(classes, holder, {to.id: to for to in parties}, tuple(in_force), at, clients, given)


@dataclass(frozen=True, slots=True)
class _Reading:
    """What the clauses say of one class, a bit a clause.

    `sure`, `could`: it speaks of the class, surely or possibly. `gates`: nothing of the class stands in the way of a
    release under it. `nobody`: the floor lets the class go to nobody. `officer`: what it would release is referred.
    """

    sure: int
    could: int
    gates: int
    nobody: bool
    officer: tuple[Failed, ...]


class _Book:
    """The clauses in force, read as bits: bit n stands for the n-th clause in order of precedence."""

    def __init__(self, holder: str, in_force: Sequence[ClauseInForce], at: Instant) -> None:
        self.holder, self.in_force, self.at = holder, tuple(sorted(in_force, key=precedence)), at
        self.choices: dict[tuple[int, str], Release] = {}
        self.questions: dict[tuple[int, int, tuple[str, ...]], Refer] = {}
        self.wider: dict[str, list[int]] = {}
        self.conflicts: dict[tuple[int, int, bool], Conflict] = {}
        self.values: dict[tuple[str, object], tuple[int, int, int]] = {}
        self.permits = self.bits(lambda item: item.clause.says == "permit")
        self.refers = self.bits(lambda item: item.clause.says == "refer")
        self.prohibits = ~(self.permits | self.refers)
        self.onward = self.bits(lambda item: item.clause.onward in ("members", "clients"))
        self.spoken = self.bits(lambda item: holder in item.senders)
        anything = Subject(_ANYTHING, holder, _NOBODY, at)
        now = [replace(anything, clause=item) for item in self.in_force]
        self.live = self.bits_of(all(row.truth(one) is Truth.YES for row in _MATCH_BY_CLAUSE) for one in now)
        self.open = self.bits_of(all(row.truth(one) is Truth.YES for row in _GATE_BY_CLAUSE) for one in now)
        self.views = dict.fromkeys(item.view for item in self.in_force)
        self.by_receiver: dict[str, int] = {}
        self.agreements: dict[str, int] = {}
        self.titles: dict[str, int] = {}
        for place, item in enumerate(self.in_force):
            self.agreements[item.agreement] = self.agreements.get(item.agreement, 0) | 1 << place
            self.titles[item.title] = self.titles.get(item.title, 0) | 1 << place
            for party in item.receivers:
                self.by_receiver[party] = self.by_receiver.get(party, 0) | 1 << place

    def bits(self, holds: Callable[[ClauseInForce], bool]) -> int:
        return self.bits_of(holds(item) for item in self.in_force)

    @staticmethod
    def bits_of(flags: Iterable[bool]) -> int:
        return sum(1 << place for place, flag in enumerate(flags) if flag)

    def heard(self, party: str) -> int:
        """The clauses that give to this party, or stop what would go to it."""
        return self.by_receiver.get(party, 0)

    def offices(self, offices: frozenset[str]) -> int:
        """The clauses whose offices stand in a card with these offices."""
        to = replace(_NOBODY, offices=offices)
        return self.bits(
            lambda item: all(
                row.truth(Subject(_ANYTHING, self.holder, to, self.at, item)) is Truth.YES for row in _GATE_BY_PARTY
            )
        )

    def read(self, facets: Facets) -> _Reading:
        sure = could = self.live
        gates = self.open
        for name in _FACETS:
            yes, maybe, free = self.value(name, facets)
            sure, could, gates = sure & yes, could & maybe, gates & free
        alone = Subject(facets, self.holder, _NOBODY, self.at)
        return _Reading(
            sure,
            could,
            gates,
            any(row.truth(alone) is not Truth.YES for row in _FLOOR_BY_CLASS),
            officers_asked(alone),
        )

    def value(self, name: str, facets: Facets) -> tuple[int, int, int]:
        """For one value of one facet: the clauses that surely, that possibly speak of it, and whose gates it passes."""
        mark = (name, getattr(facets, name))
        if mark not in self.values:
            yes = maybe = free = 0
            for place, item in enumerate(self.in_force):
                subject = Subject(facets, self.holder, _NOBODY, self.at, item)
                least = min((row.truth(subject) for row in _MATCH if row.facet == name), default=Truth.YES)
                yes |= (least is Truth.YES) << place
                maybe |= (least is not Truth.NO) << place
                free |= all(row.truth(subject) is Truth.YES for row in _GATE if row.facet == name) << place
            self.values[mark] = (yes, maybe, free)
        return self.values[mark]

    def second_hand(self, facets: Facets, party: str, reading: _Reading, heard: int, clients: frozenset[str]) -> int:
        """The clauses that matter where bits are not enough: second-hand holdings and granular markings."""
        if facets.title is None:
            return heard
        title = self.titles.get(facets.title, 0)
        if not title & heard and party not in clients:
            return 0
        if not facets.parts and (not title & reading.sure & reading.gates & self.onward or facets.tlp not in _ONWARD):
            return 0
        return self.agreements[facets.title.partition("#")[0]] | (heard & reading.could & ~self.permits)

    def chosen(self, passing: int, stix_type: str) -> Release:
        """The release that `decide` makes of these permits."""
        known = self.choices.get((passing, stix_type))
        if known is not None:
            return known
        wider = self.wider.get(stix_type)
        if wider is None:
            by_view = {view: self.bits_of(item.view == view for item in self.in_force) for view in self.views}
            above = {
                view: sum(mask for other, mask in by_view.items() if contains(other, view, stix_type))
                for view in by_view
            }
            wider = self.wider[stix_type] = [above[item.view] for item in self.in_force]
        places = list(_bits(passing))
        widest = [place for place in places if not wider[place] & passing]
        kept = widest[0]
        item = self.in_force[kept]
        assert item.view is not None  # clause-complete
        conflicts = tuple(self.conflict(kept, place, place in widest) for place in places if place != kept)
        release = self.choices[passing, stix_type] = Release(item.title, item.clause, item.view, conflicts)
        return release

    def asked(self, opening: int, passing: int, officer: tuple[Failed, ...]) -> Refer:
        """The question that `decide` makes of these refers and permits."""
        mark = (opening, passing, tuple(one.predicate for one in officer))
        if officer or mark not in self.questions:
            refers = [self.in_force[place] for place in _bits(opening)]
            permits = [self.in_force[place] for place in _bits(passing)]
            self.questions[mark] = question(refers, permits, officer)
        return self.questions[mark]

    def conflict(self, kept: int, dropped: int, as_wide: bool) -> Conflict:
        mark = (kept, dropped, as_wide)
        if mark not in self.conflicts:
            one, other = self.in_force[kept], self.in_force[dropped]
            self.conflicts[mark] = Conflict(one.title, other.title, rule(one, other) if as_wide else "view")
        return self.conflicts[mark]

    def decide(self, facets: Facets, to: Receiver, places: int, clients: frozenset[str]) -> Decision:
        narrow = [self.in_force[place] for place in _bits(places)]
        return decide(facets, self.holder, to, narrow, at=self.at, clients=clients)


def _bits(mask: int) -> Iterator[int]:
    """The places of the bits that are set, ascending."""
    while mask:
        low = mask & -mask
        yield low.bit_length() - 1
        mask ^= low
