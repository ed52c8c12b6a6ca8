"""SQL and Python decide alike: the predicates rendered over tables, and the order of precedence as joins."""

from __future__ import annotations

from collections import Counter
from dataclasses import fields, replace
from random import Random
from typing import Any

import pytest
from hypothesis import given as worlds
from hypothesis import settings
from hypothesis import strategies as st

from comity.adapters.sql.decide import given
from comity.adapters.sql.render import Render, uses
from comity.kernel.release.agreement import Clause
from comity.kernel.release.decide import decide
from comity.kernel.release.decision import ClauseInForce, Receiver, Refer, Release
from comity.kernel.release.facets import Facets
from comity.kernel.release.predicates import AllShown, Begun, Stage, stage
from comity.kernel.release.vocabulary import CAVEATS, CONFIDENCE, PAP, TLP
from comity.kernel.seal.views import FULL, INDICATOR, View

US, THEM, THIRD, CLIENT, FAR = PARTIES = tuple(f"identity--{n}0000000-0000-5000-8000-000000000000" for n in "12345")
NOW = 1_000
VIEWS = (
    FULL,
    INDICATOR,
    View("no-name", frozenset({"name"})),
    View("no-text", frozenset({"name", "description"})),
    View("no-label", frozenset({"labels"})),
)
WORDS: dict[str, tuple[str, ...]] = {
    "types": ("indicator", "malware", "report"),
    "tlp": TLP,
    "pap": PAP,
    "sectors": ("energy", "health", ""),
    "countries": ("XA", "XB"),
    "caveats": CAVEATS,
    "recipients": ("duty-officer", "head"),
    "cases": ("exchange-2021", "o'hare"),
    "basis": ("consent", "agreement"),
    "purpose": ("protect-networks", "exercise"),
}


class World:
    """Random classes, clauses and receivers from one number; lists are often full, so that much is released."""

    def __init__(self, seed: int) -> None:
        self.dice = Random(seed)
        self.in_force = [self.clause() for _ in range(self.dice.randrange(1, 9))]
        if self.dice.random() < 0.5:  # a reservation: one title stands twice, for different parties
            twin, other = self.dice.choice(self.in_force), self.clause()
            clause = replace(other.clause, number=twin.clause.number, says=twin.clause.says)
            self.in_force.append(
                replace(other, agreement=twin.agreement, since=twin.since, view=twin.view, clause=clause)
            )
        self.clients = frozenset(self.dice.sample(PARTIES, self.dice.randrange(3)))
        self.parties = [
            Receiver(party, "csirt", frozenset(self.some(("duty-officer", "head"))), self.dice.random() < 0.9)
            for party in PARTIES
        ]
        self.classes = {number: self.facets() for number in range(self.dice.randrange(1, 9))}

    def some(self, words: tuple[str, ...]) -> list[str]:
        return self.dice.sample(words, self.dice.randint(0, len(words)))

    def stated(self, key: str, unknown: float = 0.35) -> frozenset[str] | None:
        if self.dice.random() < unknown:
            return None
        return frozenset(self.dice.sample(WORDS[key], self.dice.randrange(min(3, len(WORDS[key]) + 1))))

    def listed(self, key: str, needed: bool) -> tuple[str, ...] | None:
        chance = self.dice.random()
        if needed and chance < 0.9:
            return (*WORDS[key], "*")
        if not needed and chance < 0.88:
            return None
        return tuple(self.some((*WORDS[key], "*")))

    def facets(self) -> Facets:
        dice = self.dice
        title = (
            dice.choice([item.title for item in self.in_force] + ["ff" * 32 + "#1"]) if dice.random() < 0.5 else None
        )
        of = Facets(
            type=dice.choice(WORDS["types"]),
            tlp=dice.choice((None, "clear", "clear", "green", "green", "amber", *TLP)),
            pap=dice.choice((None, *PAP)),
            originator=dice.choice((None, *PARTIES)),
            custodian=US if title is None else dice.choice(PARTIES[1:]),
            title=title,
            sectors=self.stated("sectors"),
            countries=self.stated("countries"),
            confidence=dice.choice((None, *CONFIDENCE, "strange")),
            caveats=self.stated("caveats", 0.75),
            recipients=self.stated("recipients", 0.8),
            basis=self.stated("basis", 0.1),
            purpose=self.stated("purpose", 0.6),
            cases=self.stated("cases"),
            retention=dice.random() < 0.6,
            minimised=dice.random() < 0.6,
            unread=dice.random() < 0.05,
            claimants=dice.choice((frozenset(), frozenset(), frozenset(dice.sample(PARTIES, 2)))),
        )
        if of.tlp is None or dice.random() < 0.75:
            return of
        parts = {"": of.tlp, "name": dice.choice(TLP), "labels": dice.choice(TLP)}
        pap = of.pap or "-"
        return replace(
            of,
            tlp=max(parts.values(), key=TLP.index),
            parts=frozenset(f"{name} {tlp} {pap}" for name, tlp in parts.items()),
        )

    def clause(self) -> ClauseInForce:
        dice = self.dice
        says = dice.choice(("permit",) * 9 + ("refer", "refer", "prohibit"))
        give = says == "permit"
        written: dict[str, Any] = {
            key: self.listed(key, give and key in ("types", "tlp", "basis")) for key in WORDS if key != "purpose"
        }
        written["purpose"] = (
            dice.choice((("exercise",), ("exercise", "protect-networks"), ())) if give or dice.random() < 0.2 else None
        )
        clause = Clause(
            number=dice.choice(("1", "2", "10", "2a")),
            says=says,
            sender=(),
            to=(),
            min_confidence=dice.choice((None,) * 12 + CONFIDENCE),
            source=dice.choice(("named", "hidden")),
            onward=dice.choice(("none", "clients", "clients", "members", "members", "with-consent", None)),
            retention=dice.choice(("P1Y",) * 12 + (None,)),
            not_before=dice.choice((None,) * 20 + (NOW - 1, NOW, NOW + 1)),
            not_after=dice.choice((None,) * 20 + (NOW - 1, NOW, NOW + 1)),
            **written,
        )
        return ClauseInForce(
            agreement=dice.choice(("aa", "bb")) * 32,
            clause=clause,
            senders=frozenset(dice.sample(PARTIES, dice.randint(1, 5))),
            receivers=frozenset(dice.sample(PARTIES, dice.randint(2, 5))),
            since=dice.choice((0, 0, 0, 5, 5, NOW, NOW + 1)),
            until=dice.choice((None,) * 20 + (NOW - 1, NOW, NOW + 1)),
            view=None if says == "prohibit" else dice.choice((*VIEWS, *VIEWS, *VIEWS, None)),
        )

    def in_python(self) -> dict[tuple[int, str], tuple[str, str]]:
        found = {}
        for key, facets in self.classes.items():
            for to in self.parties:
                decision = decide(facets, US, to, self.in_force, at=NOW, clients=self.clients)
                if isinstance(decision, Release):
                    found[key, to.id] = ("release", decision.title)
                elif isinstance(decision, Refer):
                    found[key, to.id] = ("refer", decision.title)
        return found

    def in_sql(self) -> dict[tuple[int, str], tuple[str, str]]:
        rows = given(self.classes, US, self.parties, self.in_force, at=NOW, clients=self.clients)
        return {(row.key, row.party): (row.kind, row.title) for row in rows}


@settings(max_examples=400, deadline=None)
@worlds(st.integers(0, 2**48))
def test_sql_and_python_decide_every_pair_alike(seed: int) -> None:
    world = World(seed)
    assert world.in_sql() == world.in_python()


def test_random_worlds_release_refer_and_withhold_first_hand_and_second_hand() -> None:
    seen: Counter[tuple[str, bool]] = Counter()
    for seed in range(400):
        world = World(seed)
        outcome = world.in_python()
        for key, facets in world.classes.items():
            for to in world.parties:
                seen[outcome.get((key, to.id), ("withhold", ""))[0], facets.title is None] += 1
    assert min(seen[kind, first] for kind in ("release", "refer", "withhold") for first in (True, False)) >= 5, seen


def test_nothing_is_given_where_there_is_nothing_to_decide() -> None:
    world = World(1)
    to = Receiver(THEM, "csirt")
    assert list(given({}, US, [to], world.in_force, at=NOW)) == []
    assert list(given(world.classes, US, [], world.in_force, at=NOW)) == []
    assert list(given(world.classes, US, [to], [], at=NOW)) == []


def test_every_predicate_of_a_class_has_sql_and_those_of_an_object_have_none() -> None:
    render = Render("1", "1", "'p'")
    for of in (Stage.CLAUSE, Stage.FLOOR, Stage.MATCH, Stage.GATE, Stage.OFFICER):
        for row in stage(of):
            for expression in (row.expression, row.otherwise or row.expression):
                assert "SELECT" in render.sql(expression) or ":holder" in render.sql(expression)
    for expression in (AllShown(), Begun("embargo")):
        with pytest.raises(TypeError):
            render.sql(expression)


def test_every_facet_a_predicate_names_is_a_facet() -> None:
    names = {field.name for field in fields(Facets)}
    for of in Stage:
        for row in stage(of):
            assert uses(row.expression).facets <= names


def test_a_prohibition_that_binds_the_originator_is_heard_through_a_third_party() -> None:
    open_to_all = Clause(
        number="1",
        says="permit",
        sender=(),
        to=(),
        types=("indicator",),
        tlp=("clear",),
        purpose=("exercise",),
        basis=("consent",),
        onward="members",
        retention="P1Y",
    )
    title = ClauseInForce("aa" * 32, open_to_all, frozenset({THIRD}), frozenset({US, THEM}), 0, None, FULL)
    stop = Clause(number="2", says="prohibit", sender=(), to=())
    forbidden = ClauseInForce("bb" * 32, stop, frozenset({FAR}), frozenset({THEM}), 0, None, None)
    nothing = {field.name: None for field in fields(Facets) if field.default is not False}
    stated: dict[str, Any] = {"type": "indicator", "tlp": "clear", "custodian": THIRD, "title": title.title}
    of = Facets(
        **{
            **nothing,
            **stated,
            "originator": FAR,
            "basis": frozenset({"consent"}),
            "parts": frozenset(),
            "claimants": frozenset(),
        }
    )
    to = [Receiver(THEM, "csirt")]
    assert [row.party for row in given({1: of}, US, to, [title], at=NOW)] == [THEM]
    assert list(given({1: of}, US, to, [title, forbidden], at=NOW)) == []
    contested = replace(of, originator=None, claimants=frozenset({FAR, CLIENT}))
    assert list(given({1: contested}, US, to, [title, forbidden], at=NOW)) == []
    assert [row.party for row in given({1: replace(of, originator=CLIENT)}, US, to, [title, forbidden], at=NOW)] == [
        THEM
    ]
