"""References: which of the holdings a party may have can be shown without pointing at what it may not see.

A reference is shown only if its target is shown to the same party (some holding of that id), or was `given`: it came
from that party. Whether a target that is not shown exists makes no difference. A holding whose required reference is
not shown is withheld; an optional one is hidden, and how many are hidden is told. What is shown is the greatest set
with these properties (design, section 5), so a cycle of required references that may all go stays together.

`close` takes the holdings whose base decision (class, embargo, approvals), life or `given` targets changed, and gives
the changes that follow, all of them: a target released later re-issues what hid it or releases what required it; one
withdrawn re-issues poorer or withdraws what required it. The answer depends only on what the party is shown before
and after, never on what it is not.

`Graph.required` and `Graph.optional` leave out `created_by_ref` and references to marking and extension definitions:
these are always shown. A property named ``*_ref`` or ``*_refs`` counts at any depth; which properties fall with a
hidden reference is the view's business (comity.kernel.seal).
"""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterable
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

H = TypeVar("H", bound=Hashable)
"""A holding's name: hashable, and sortable among its like (a row number), since it breaks ties of order."""


class Graph(Protocol[H]):
    """What `close` asks about one party's view of the store. All answers are of one instant, with the change applied,
    but for `standing`, which tells what the party was shown before it."""

    def identity(self, holding: H) -> str:
        """The object id of a holding."""
        ...

    def required(self, holding: H) -> Collection[str]:
        """Ids in properties without which the object cannot stand (STIX required properties)."""
        ...

    def optional(self, holding: H) -> Collection[str]:
        """All other ids it refers to."""
        ...

    def holdings_of(self, identity: str) -> Collection[H]:
        """Holdings of that object id, those no longer live included while they stand shown."""
        ...

    def referrers(self, identity: str) -> Collection[H]:
        """Holdings that refer to that object id, required or optional."""
        ...

    def base(self, holding: H) -> bool:
        """Whether it is live and may go to the party, references apart."""
        ...

    def standing(self, holding: H) -> frozenset[str] | None:
        """The references hidden in it as the party was last shown it; None: it is not shown."""
        ...

    def given(self, identity: str) -> bool:
        """Whether an object of that id came from the party itself."""
        ...


@dataclass(frozen=True, slots=True)
class Show(Generic[H]):
    """Show it for the first time, with these references hidden (sorted)."""

    holding: H
    hidden: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Reissue(Generic[H]):
    """It stands shown; show it again, with these references hidden (sorted)."""

    holding: H
    hidden: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Withdraw(Generic[H]):
    """It stands shown and may no longer be: take it back."""

    holding: H


Change = Show[H] | Reissue[H] | Withdraw[H]


def close(graph: Graph[H], changed: Iterable[H]) -> tuple[Change[H], ...]:
    """The changes to what one party is shown that follow from `changed`.

    Args:
        graph: The store as this party sees it.
        changed: Holdings whose `base` changed either way, that came or went, or that refer to an id whose `given`
            changed.

    Returns:
        First Show and Reissue, each after the targets it refers to where that is possible (a cycle begins at its
        smallest member), ties by the holding's own order; then Withdraw, each before the targets it refers to. So at
        every point of the sequence a new reference points at something already shown.
    """
    return _Closing(graph, tuple(dict.fromkeys(changed))).changes()


def missing(graph: Graph[H], holding: H) -> tuple[str, ...]:
    """The required references of a holding that the party is not shown as things stand: what `why` names, sorted."""
    return tuple(
        sorted(
            ref
            for ref in set(graph.required(holding))
            if not graph.given(ref) and all(graph.standing(target) is None for target in graph.holdings_of(ref))
        )
    )


class _Closing(Generic[H]):
    """One run: an over-approximation of what is shown, shrunk to the greatest set that holds."""

    def __init__(self, graph: Graph[H], changed: tuple[H, ...]) -> None:
        self.graph = graph
        self.changed = changed
        self.stands: dict[H, frozenset[str] | None] = {}  # as before
        self.now: dict[H, bool] = {}  # overlay: what differs from before, or may
        self.count: dict[str, int] = {}  # holdings shown now, by id
        self.before: dict[str, bool] = {}  # whether the id was shown before
        self.free: dict[str, bool] = {}

    def standing(self, holding: H) -> frozenset[str] | None:
        if holding not in self.stands:
            self.stands[holding] = self.graph.standing(holding)
        return self.stands[holding]

    def shown(self, holding: H) -> bool:
        known = self.now.get(holding)
        return self.standing(holding) is not None if known is None else known

    def counted(self, identity: str) -> int:
        count = self.count.get(identity)
        if count is None:
            count, before = 0, False
            for holding in self.graph.holdings_of(identity):
                stood = self.standing(holding) is not None
                before = before or stood
                count += self.now.get(holding, stood)
            self.count[identity], self.before[identity] = count, before
        return count

    def visible(self, identity: str) -> bool:
        free = self.free.get(identity)
        if free is None:
            free = self.free[identity] = self.graph.given(identity)
        return free or self.counted(identity) > 0

    def turn(self, holding: H, identity: str, shown: bool) -> None:
        """Take a holding in that is not shown, or out that is."""
        count = self.counted(identity)
        self.count[identity] = count + 1 if shown else count - 1
        self.now[holding] = shown

    def stands_alone(self, holding: H) -> bool:
        return all(self.visible(ref) for ref in self.graph.required(holding))

    def changes(self) -> tuple[Change[H], ...]:
        doubtful = self.assume()
        self.shrink(doubtful)
        issued: dict[H, tuple[str, ...]] = {}
        for holding in self.touched():
            if not self.shown(holding):
                continue
            hidden = frozenset(ref for ref in self.graph.optional(holding) if not self.visible(ref))
            if self.standing(holding) != hidden:
                issued[holding] = tuple(sorted(hidden))
        order = self.targets_first(issued)
        result: list[Change[H]] = [
            Show(holding, issued[holding]) if self.standing(holding) is None else Reissue(holding, issued[holding])
            for holding in order
        ]
        gone = [holding for holding, shown in self.now.items() if not shown and self.standing(holding) is not None]
        result.extend(Withdraw(holding) for holding in reversed(self.targets_first(gone)))
        return tuple(result)

    def assume(self) -> list[H]:
        """Drop what may no longer go, take in everything that might now, and say which holdings have to be looked
        at.
        """
        doubtful: list[H] = []
        todo: list[H] = []
        for holding in self.changed:
            base = self.graph.base(holding)
            if not base:
                if self.shown(holding):
                    identity = self.graph.identity(holding)
                    self.turn(holding, identity, False)
                    doubtful.extend(self.graph.referrers(identity))
            elif self.shown(holding):
                doubtful.append(holding)  # what was given to it may have changed
            else:
                todo.append(holding)
        while todo:
            holding = todo.pop()
            if self.shown(holding):
                continue
            identity = self.graph.identity(holding)
            self.turn(holding, identity, True)
            doubtful.append(holding)
            for referrer in self.graph.referrers(identity):
                if not self.shown(referrer) and identity in self.graph.required(referrer) and self.graph.base(referrer):
                    todo.append(referrer)
        return doubtful

    def shrink(self, doubtful: list[H]) -> None:
        """Take away what misses a required reference, until nothing does."""
        while doubtful:
            holding = doubtful.pop()
            if not self.shown(holding) or self.stands_alone(holding):
                continue
            identity = self.graph.identity(holding)
            self.turn(holding, identity, False)
            if not self.visible(identity):
                doubtful.extend(self.graph.referrers(identity))

    def touched(self) -> Iterable[H]:
        """Holdings whose hidden references may differ: the newly shown, the changed, and referrers of ids that
        came or went.
        """
        touched = dict.fromkeys(holding for holding, shown in self.now.items() if shown)
        touched.update(dict.fromkeys(self.changed))
        for identity in list(self.count):
            if self.before[identity] is not (self.count[identity] > 0):
                touched.update(dict.fromkeys(self.graph.referrers(identity)))
        return touched

    def targets_first(self, chosen: Collection[H]) -> list[H]:
        """The chosen holdings, each after those it refers to; depth first, without recursion."""
        some: list[Any] = list(chosen)
        places = {holding: place for place, holding in enumerate(sorted(some))}
        by_id: dict[str, list[H]] = {}
        for holding in places:
            by_id.setdefault(self.graph.identity(holding), []).append(holding)
        order: list[H] = []
        seen: set[H] = set()
        for start in places:
            stack: list[tuple[H, bool]] = [(start, False)]
            while stack:
                holding, leaving = stack.pop()
                if leaving:
                    order.append(holding)
                    continue
                if holding in seen:
                    continue
                seen.add(holding)
                stack.append((holding, True))
                targets = [
                    target
                    for refs in (self.graph.required(holding), self.graph.optional(holding))
                    for ref in refs
                    for target in by_id.get(ref, ())
                    if target not in seen
                ]
                if len(targets) > 1:
                    targets.sort(key=places.__getitem__, reverse=True)
                stack.extend([(target, False) for target in targets])
        return order
