"""Every class against every party at once: the table a node releases by, and what a preview compares.

The answers are `decide`'s own. Before it is asked, each clause is read once against each distinct value of each
facet, as sets of classes kept in the bits of an integer, which leaves the few pairs that can be anything but withheld
(trust.md, section 1.2: the saving is the join, not the engine). Refusals are decided when they are asked for.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Final, Generic, TypeVar

from comity.kernel.model.instants import Instant
from comity.kernel.release.decide import decide
from comity.kernel.release.decision import ClauseInForce, Decision, Receiver, Withhold
from comity.kernel.release.facets import Facets
from comity.kernel.release.predicates import Predicate, Stage, Subject, Truth, stage

K = TypeVar("K", bound=Hashable)

_MATCH: Final = stage(Stage.MATCH)
_BY_FACET: Final = tuple(row for row in _MATCH if row.facet is not None)
_BY_TIME: Final = tuple(row for row in _MATCH if row.facet is None)
_NOBODY: Final = Receiver("", "other")


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
    keys = list(classes)
    index = _Index([classes[key] for key in keys])
    speaking = {place: index.speaking(item, holder, at) for place, item in enumerate(in_force)}
    by_party: dict[str, list[int]] = {}
    for place, item in enumerate(in_force):
        for party in item.receivers:
            by_party.setdefault(party, []).append(place)
    titles: dict[str, list[int]] = {}
    for place, item in enumerate(in_force):
        titles.setdefault(item.title, []).append(place)
    agreements: dict[str, list[int]] = {}
    for place, item in enumerate(in_force):
        agreements.setdefault(item.agreement, []).append(place)

    given: dict[tuple[K, str], Decision] = {}
    for to in parties:
        clauses = by_party.get(to.id, [])
        first, second, stopped = 0, 0, 0
        for place in clauses:
            item = in_force[place]
            sure, could = speaking[place]
            if item.clause.says not in ("permit", "refer"):
                if holder in item.senders:
                    stopped |= could
            elif holder in item.senders:
                first |= (sure | index.parted) & index.first_hand
        for title, mask in index.titles.items():
            if to.id not in clients and not any(to.id in in_force[place].receivers for place in titles.get(title, ())):
                continue
            for place in titles.get(title, ()):
                second |= mask & (speaking[place][0] | index.parted)
        for number in _bits((first | second) & ~stopped):
            facets = index.facets[number]
            bit = 1 << number
            under = facets.title
            places = [
                place
                for place in clauses
                if (speaking[place][1] | index.parted) & bit
                and (under is not None or holder in in_force[place].senders)
            ]
            if under is not None:  # members of the title's agreement count, and a client is no receiver
                places = sorted({*places, *agreements[under.partition("#")[0]]})
            narrow = [in_force[place] for place in places]
            decision = decide(facets, holder, to, narrow, at=at, clients=clients)
            if not isinstance(decision, Withhold):
                given[keys[number], to.id] = decision
    return Table(classes, holder, {to.id: to for to in parties}, tuple(in_force), at, clients, given)


class _Index:
    """The classes by facet value, each set of classes an integer with one bit a class."""

    def __init__(self, facets: Sequence[Facets]) -> None:
        self.facets = facets
        self.all = (1 << len(facets)) - 1
        self.values: dict[str, list[tuple[Facets, int]]] = {}
        self.titles: dict[str, int] = {}
        self.first_hand = 0
        self.parted = _mask([number for number, one in enumerate(facets) if one.parts], len(facets))
        for field in fields(Facets):
            members: dict[object, list[int]] = {}
            for number, one in enumerate(facets):
                members.setdefault(getattr(one, field.name), []).append(number)
            masks = [(facets[numbers[0]], _mask(numbers, len(facets))) for numbers in members.values()]
            self.values[field.name] = masks
            if field.name == "title":
                for example, mask in masks:
                    if example.title is None:
                        self.first_hand = mask
                    else:
                        self.titles[example.title] = mask
        self.cache: dict[tuple[str, str, object], tuple[int, int]] = {}

    def speaking(self, item: ClauseInForce, holder: str, at: Instant) -> tuple[int, int]:
        """The classes a clause surely speaks of, and those it could."""
        if self.facets:
            subject = Subject(self.facets[0], holder, _NOBODY, at, item)
            if any(row.truth(subject) is Truth.NO for row in _BY_TIME):
                return 0, 0
        sure = could = self.all
        for row in _BY_FACET:
            if row.key is None or getattr(item.clause, row.key) is None:
                continue
            yes, maybe = self.read(row, item, holder, at)
            sure, could = sure & yes, could & maybe
            if not could:
                break
        return sure, could

    def read(self, row: Predicate, item: ClauseInForce, holder: str, at: Instant) -> tuple[int, int]:
        kind = "permit" if item.clause.says == "permit" else "other"
        name = (row.id, kind, getattr(item.clause, row.key or ""))
        if name not in self.cache:
            yes = maybe = 0
            for example, mask in self.values[row.facet or ""]:
                truth = row.truth(Subject(example, holder, _NOBODY, at, item))
                if truth is not Truth.NO:
                    maybe |= mask
                    yes |= mask if truth is Truth.YES else 0
            self.cache[name] = (yes, maybe)
        return self.cache[name]


def _mask(numbers: Sequence[int], length: int) -> int:
    octets = bytearray(length // 8 + 1)
    for number in numbers:
        octets[number >> 3] |= 1 << (number & 7)
    return int.from_bytes(octets, "little")


def _bits(mask: int) -> Iterator[int]:
    """The places of the bits that are set, ascending."""
    octets = mask.to_bytes((mask.bit_length() + 7) // 8, "little")
    for place, octet in enumerate(octets):
        while octet:
            low = octet & -octet
            yield place * 8 + low.bit_length() - 1
            octet ^= low
