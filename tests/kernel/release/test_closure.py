"""References: the incremental closure equals the whole recomputation, on graphs with cycles and dangling ends."""

from __future__ import annotations

import gzip
import json
from collections import Counter
from collections.abc import Collection, Iterable
from pathlib import Path
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from comity.kernel.release.closure import Change, Reissue, Show, Withdraw, close, missing


class Net:
    """One party's view: holdings by number, two references kinds, and what it has been shown."""

    def __init__(self) -> None:
        self.ids: dict[int, str] = {}
        self.needs: dict[int, tuple[str, ...]] = {}
        self.wants: dict[int, tuple[str, ...]] = {}
        self.may: set[int] = set()
        self.shown: dict[int, frozenset[str]] = {}
        self.gifts: set[str] = set()
        self.by_id: dict[str, list[int]] = {}
        self.back: dict[str, list[int]] = {}

    def add(
        self, holding: int, identity: str, needs: Iterable[str] = (), wants: Iterable[str] = (), may: bool = True
    ) -> None:
        self.ids[holding] = identity
        self.needs[holding], self.wants[holding] = tuple(needs), tuple(wants)
        self.by_id.setdefault(identity, []).append(holding)
        for ref in {*self.needs[holding], *self.wants[holding]}:
            self.back.setdefault(ref, []).append(holding)
        if may:
            self.may.add(holding)

    def identity(self, holding: int) -> str:
        return self.ids[holding]

    def required(self, holding: int) -> Collection[str]:
        return self.needs[holding]

    def optional(self, holding: int) -> Collection[str]:
        return self.wants[holding]

    def holdings_of(self, identity: str) -> Collection[int]:
        return self.by_id.get(identity, ())

    def referrers(self, identity: str) -> Collection[int]:
        return self.back.get(identity, ())

    def base(self, holding: int) -> bool:
        return holding in self.may

    def standing(self, holding: int) -> frozenset[str] | None:
        return self.shown.get(holding)

    def given(self, identity: str) -> bool:
        return identity in self.gifts

    def apply(self, changes: Iterable[Change[int]]) -> None:
        for change in changes:
            if isinstance(change, Withdraw):
                assert change.holding in self.shown
                del self.shown[change.holding]
            else:
                assert (change.holding in self.shown) is isinstance(change, Reissue)
                self.shown[change.holding] = frozenset(change.hidden)

    def run(self, changed: Iterable[int]) -> tuple[Change[int], ...]:
        changes = close(self, changed)
        self.apply(changes)
        return changes

    def whole(self) -> dict[int, frozenset[str]]:
        """Everything from scratch: start with all that may go and take away until nothing misses what it requires."""
        left = set(self.may)
        while True:
            there = {self.ids[holding] for holding in left} | self.gifts
            fewer = {holding for holding in left if set(self.needs[holding]) <= there}
            if fewer == left:
                return {holding: frozenset(self.wants[holding]) - there for holding in left}
            left = fewer


def relation(net: Net, number: int, source: str, target: str) -> None:
    net.add(number, f"relationship--{number}", needs=(source, target))


def test_a_relationship_waits_for_both_ends_and_comes_with_the_second() -> None:
    net = Net()
    net.add(1, "malware--1")
    net.add(2, "tool--2", may=False)
    relation(net, 3, "malware--1", "tool--2")
    assert net.run([1, 2, 3]) == (Show(1, ()),)
    assert missing(net, 3) == ("tool--2",)
    net.may.add(2)
    assert net.run([2]) == (Show(2, ()), Show(3, ()))


def test_a_withdrawn_end_takes_the_relationship_along_referrer_first() -> None:
    net = Net()
    net.add(1, "malware--1")
    net.add(2, "tool--2")
    relation(net, 3, "malware--1", "tool--2")
    net.run([1, 2, 3])
    net.may.discard(2)
    assert net.run([2]) == (Withdraw(3), Withdraw(2))


def test_an_optional_reference_is_hidden_then_reissued_richer_then_poorer() -> None:
    net = Net()
    net.add(1, "report--1", wants=("tool--2", "nowhere--9"))
    net.add(2, "tool--2", may=False)
    assert net.run([1, 2]) == (Show(1, ("nowhere--9", "tool--2")),)
    net.may.add(2)
    assert net.run([2]) == (Show(2, ()), Reissue(1, ("nowhere--9",)))
    net.may.discard(2)
    assert net.run([2]) == (Reissue(1, ("nowhere--9", "tool--2")), Withdraw(2))


def test_whether_a_target_not_shown_exists_makes_no_difference() -> None:
    with_it, without = Net(), Net()
    for net in (with_it, without):
        net.add(5, "report--1", wants=("tool--2",))
        relation(net, 6, "report--1", "tool--2")
    with_it.add(2, "tool--2", may=False)
    relation(with_it, 3, "tool--2", "report--1")
    with_it.may.discard(3)
    assert with_it.run([2, 3, 5, 6]) == without.run([5, 6]) == (Show(5, ("tool--2",)),)


def test_a_cycle_of_required_references_that_may_all_go_stays_together() -> None:
    net = Net()
    net.add(1, "a--1", needs=("b--2",))
    net.add(2, "b--2", needs=("a--1",))
    assert net.run([1, 2]) == (Show(2, ()), Show(1, ()))
    net.may.discard(1)
    assert set(net.run([1])) == {Withdraw(1), Withdraw(2)}
    net.may.add(1)
    assert set(net.run([1])) == {Show(1, ()), Show(2, ())}


def test_what_came_from_the_party_itself_may_be_pointed_at() -> None:
    net = Net()
    relation(net, 3, "malware--1", "tool--2")
    net.gifts = {"malware--1"}
    assert net.run([3]) == ()
    net.gifts.add("tool--2")
    assert net.run([3]) == (Show(3, ()),)
    net.gifts.clear()
    assert net.run([3]) == (Withdraw(3),)


def test_a_second_holding_of_the_target_keeps_the_reference_standing() -> None:
    net = Net()
    net.add(1, "tool--2")
    net.add(2, "tool--2")
    net.add(3, "report--1", needs=("tool--2",))
    net.run([1, 2, 3])
    net.may.discard(1)
    assert net.run([1]) == (Withdraw(1),)
    net.may.discard(2)
    assert net.run([2]) == (Withdraw(3), Withdraw(2))


IDS = tuple(f"thing--{number}" for number in range(7))


@settings(max_examples=600, deadline=None)
@given(st.integers(0, 2**48))
def test_every_sequence_of_changes_ends_where_the_whole_recomputation_does(seed: int) -> None:
    dice = Random(seed)
    net = Net()
    count = dice.randint(1, 12)
    for holding in range(count):
        refs = (*IDS, "nowhere--1")
        net.add(
            holding,
            dice.choice(IDS),
            dice.sample(refs, dice.choice((0, 0, 1, 2))),
            dice.sample(refs, dice.choice((0, 1, 2))),
            may=False,
        )
    for _ in range(8):
        flipped = dice.sample(range(count), dice.randint(1, count))
        changed = list(flipped)
        for holding in flipped:
            net.may.symmetric_difference_update({holding})
        if dice.random() < 0.2:
            gift = dice.choice(IDS)
            net.gifts.symmetric_difference_update({gift})
            changed.extend(net.referrers(gift))
        before = dict(net.shown)
        changes = net.run(changed)
        assert net.shown == net.whole()
        assert sum(1 for change in changes if isinstance(change, Withdraw)) == len(before.keys() - net.shown.keys())
        assert all(before.get(change.holding) != net.shown.get(change.holding) for change in changes)
        if not cyclic(net):
            follows(net, before, changes)
    assert net.run(range(count)) == ()


def cyclic(net: Net) -> bool:
    """Whether references of shown holdings turn in a circle; then no order suits."""
    left = set(net.ids)
    while True:
        loose = {one for one in left if not any(two in left for ref in refs(net, one) for two in net.holdings_of(ref))}
        if not loose:
            return bool(left)
        left -= loose


def refs(net: Net, holding: int) -> set[str]:
    return {*net.needs[holding], *net.wants[holding]}


def follows(net: Net, before: dict[int, frozenset[str]], changes: tuple[Change[int], ...]) -> None:
    """At every point of the sequence, what is shown anew points at nothing that is not shown."""
    there = Counter(net.ids[holding] for holding in before)
    there.update(net.gifts)
    shown = set(before)
    for change in changes:
        identity = net.ids[change.holding]
        if isinstance(change, Withdraw):
            there[identity] -= 1
            continue
        there[identity] += change.holding not in shown
        shown.add(change.holding)
        assert all(there[ref] > 0 for ref in refs(net, change.holding) - frozenset(change.hidden))


def test_attack_is_shown_whole_and_a_missing_group_takes_only_its_relationships_along(
    test_data: Path,
) -> None:
    with gzip.open(test_data / "attack" / "attack-enterprise-full-stix21.json.gz") as file:
        objects = json.load(file)["objects"]
    net = Net()
    for number, data in enumerate(objects):
        if data["type"] in ("marking-definition", "extension-definition"):
            continue
        needs = [data[key] for key in ("source_ref", "target_ref") if key in data]
        wants = [ref for key in data if key.endswith("_refs") and key != "object_marking_refs" for ref in data[key]]
        wants += [data[key] for key in ("x_mitre_modified_by_ref",) if key in data]
        net.add(number, data["id"], needs, wants)
    changes = net.run(net.ids)
    assert all(isinstance(change, Show) for change in changes)
    assert net.shown == net.whole()
    follows(net, {}, changes)
    hafnium = next(
        n for n, data in enumerate(objects) if data.get("name") == "HAFNIUM" and data["type"] == "intrusion-set"
    )
    held = sum(1 for n in net.ids if net.ids[hafnium] in net.needs[n] and n in net.shown)
    net.may.discard(hafnium)
    gone = net.run([hafnium])
    assert held > 10
    assert sum(isinstance(change, Withdraw) for change in gone) == held + 1
    assert net.shown == net.whole()
