"""Handling and terms: the stricter counts, and along any chain of hops nothing loosens."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from comity.kernel.errors import InputRefused
from comity.kernel.model.instants import DAY
from comity.kernel.release.agreement import Clause
from comity.kernel.release.decision import Terms
from comity.kernel.release.handling import Effective, Handling, confidence, effective, merged, terms_of
from comity.kernel.release.markings import Markings, read_markings
from comity.kernel.release.vocabulary import CAVEATS, PAP, TLP
from comity.kernel.seal.canonical import canonical
from comity.kernel.seal.views import FULL, View

US, THEM = (f"identity--{n}0000000-0000-5000-8000-000000000000" for n in "12")
RED = "marking-definition--5e57c739-391a-4eb3-b6be-7d15ca92d5ed"
WORDS = ("a", "b", "c")


def words(pool: tuple[str, ...] = WORDS) -> st.SearchStrategy[frozenset[str] | None]:
    return st.none() | st.frozensets(st.sampled_from(pool), max_size=3)


handlings = st.builds(
    Handling,
    tlp=st.none() | st.sampled_from(TLP),
    pap=st.none() | st.sampled_from(PAP),
    sectors=words(),
    countries=words(),
    caveats=words(CAVEATS),
    recipients=words(),
    basis=words(),
    purpose=words(),
    cases=words(),
    embargo=st.none() | st.integers(0, 9),
    retention=st.none() | st.integers(0, 9),
    own=st.none() | st.booleans(),
    minimised=st.none() | st.booleans(),
    by=st.sampled_from(("o1", "o2")),
    at=st.integers(0, 3),
)
few = settings(max_examples=120, deadline=None)


def held(
    data: dict[str, Any], *stated: Handling, terms: Terms | None = None, markings: Markings | None = None
) -> Effective:
    return effective(
        data,
        markings or read_markings(data, lambda _: None),
        stated,
        terms,
        custodian=US,
        originator=None,
        title=None if terms is None else "aa#1",
    )


@few
@given(handlings, handlings, handlings)
def test_statements_merge_alike_in_any_order_and_any_number_of_times(a: Handling, b: Handling, c: Handling) -> None:
    assert a.merge(b) == b.merge(a)
    assert a.merge(b).merge(c) == a.merge(b.merge(c))
    assert a.merge(a) == a
    assert merged([a, b, c, a]) == merged([c, b, a])


@few
@given(handlings)
def test_a_handling_comes_back_from_its_body(one: Handling) -> None:
    canonical(one.as_json())
    assert Handling.from_json(one.as_json()) == one


@pytest.mark.parametrize(
    "body",
    [
        None,
        [],
        {},
        {"form": 2},
        {"form": 1, "tlp": "mauve"},
        {"form": 1, "tlp": 3},
        {"form": 1, "caveats": ["secret"]},
        {"form": 1, "caveats": "exercise"},
        {"form": 1, "sectors": [1]},
        {"form": 1, "embargo": True},
        {"form": 1, "embargo": "2021-03-09"},
        {"form": 1, "own": 1},
        {"form": 1, "tpl": "red"},
    ],
)
def test_a_body_that_is_no_handling_is_refused(body: Any) -> None:
    with pytest.raises(InputRefused) as refused:
        Handling.from_json(body)
    assert refused.value.code == "handling"


def test_handling_gives_a_tlp_to_what_has_none_and_never_loosens_one() -> None:
    assert held({"type": "indicator"}, Handling(tlp="green")).facets.tlp == "green"
    red = {"type": "indicator", "object_marking_refs": [RED]}
    assert held(red, Handling(tlp="clear")).facets.tlp == "red"
    assert held({"type": "indicator", "labels": ["tlp:green"]}, Handling(tlp="amber")).facets.tlp == "amber"


def test_facets_are_read_from_the_object_and_wrong_shapes_count_as_not_stated() -> None:
    assert held(
        {"type": "identity", "sectors": ["energy"]}, Handling(sectors=frozenset({"health"}))
    ).facets.sectors == frozenset({"energy", "health"})
    assert held({"type": "identity", "sectors": "energy"}).facets.sectors is None
    assert held({"type": "location", "country": "xa"}).facets.countries == frozenset({"XA"})
    assert held({"type": "location", "country": "Xanadu"}).facets.countries is None
    assert held({"type": "indicator", "country": "xa"}).facets.countries is None
    assert held({"type": 7}).facets.type == ""
    assert held({"type": "indicator", "confidence": True}).facets.confidence is None
    assert held({"type": "indicator", "object_marking_refs": [{}]}).facets.unread


@pytest.mark.parametrize(
    ("value", "band"),
    [
        (0, "none"),
        (1, "low"),
        (29, "low"),
        (30, "med"),
        (69, "med"),
        (70, "high"),
        (100, "high"),
        (101, None),
        (-1, None),
    ],
)
def test_confidence_bands_are_those_of_stix_appendix_a(value: int, band: str | None) -> None:
    assert confidence(value) == band


def test_granular_markings_stand_in_the_facets_and_fall_with_a_view() -> None:
    data = {
        "type": "indicator",
        "labels": ["tlp:green"],
        "granular_markings": [{"marking_ref": RED, "selectors": ["name"]}],
    }
    seen = held(data, Handling(pap="amber"))
    assert (seen.facets.tlp, seen.facets.parts) == ("red", frozenset({" green amber", "name red -"}))
    hides = View("no-name", frozenset({"name"}))
    assert (seen.facets.under(hides).tlp, seen.facets.under(FULL).tlp) == ("green", "red")
    clause = Clause(number="1", says="permit", sender=(), to=(), retention="P1D")
    assert terms_of(seen, clause, 0, hides).tlp == "green"
    assert terms_of(seen, clause, 0).tlp == "red"


def test_terms_are_the_stricter_of_holding_and_clause() -> None:
    stated = Handling(
        tlp="green",
        recipients=frozenset({"duty-officer", "head"}),
        purpose=frozenset({"research", "oversight"}),
        retention=5 * DAY,
    )
    clause = Clause(
        number="1",
        says="permit",
        sender=(),
        to=(),
        recipients=("duty-officer", "*"),
        purpose=("research",),
        basis=("consent",),
        retention="P1Y",
    )
    terms = terms_of(held({"type": "indicator"}, stated), clause, DAY)
    assert terms == Terms("green", None, None, ("duty-officer",), ("research",), ("consent",), 5 * DAY)
    assert terms_of(held({"type": "indicator"}), clause, DAY).retention == 366 * DAY
    broken = Clause(number="1", says="permit", sender=(), to=(), retention="P" + "9" * 5000 + "D")
    assert terms_of(held({"type": "indicator"}), broken, DAY).retention == DAY


def test_terms_with_a_level_or_caveat_nobody_knows_are_unread() -> None:
    for terms in (
        Terms("ultraviolet", None, None, None, None, None, None),
        Terms(None, "blue", None, None, None, None, None),
        Terms(None, None, ("eyes-only",), None, None, None, None),
    ):
        assert held({"type": "indicator"}, terms=terms).facets.unread


def stricter(after: Terms, before: Terms) -> bool:
    def scale(a: str | None, b: str | None, of: tuple[str, ...]) -> bool:
        return b is None or (a is not None and of.index(a) >= of.index(b))

    def within(a: tuple[str, ...] | None, b: tuple[str, ...] | None) -> bool:
        return b is None or (a is not None and set(a) <= set(b))

    return (
        scale(after.tlp, before.tlp, TLP)
        and scale(after.pap, before.pap, PAP)
        and within(before.caveats or (), after.caveats or ())
        and (before.caveats is None or after.caveats is not None)
        and within(before.basis or (), after.basis or ())
        and within(after.recipients, before.recipients)
        and within(after.purpose, before.purpose)
        and (before.retention is None or (after.retention is not None and after.retention <= before.retention))
    )


@few
@given(handlings, st.integers(0, 2**32), st.data())
def test_along_any_chain_of_hops_terms_only_become_stricter(first: Handling, seed: int, data: st.DataObject) -> None:
    dice = Random(seed)
    here = held({"type": "indicator"}, first)
    before: Terms | None = None
    for hop in range(4):
        clause = Clause(
            number="1",
            says="permit",
            sender=(),
            to=(),
            recipients=dice.choice((None, ("a",), ("a", "b", "*"))),
            purpose=dice.choice((("a",), ("a", "b"), ())),
            basis=dice.choice((("a",), ("b", "c"))),
            retention=dice.choice(("P1D", "P1Y", None)),
        )
        terms = terms_of(here, clause, hop)
        assert before is None or stricter(terms, before)
        before = terms
        here = held({"type": "indicator"}, data.draw(handlings), terms=terms)
        assert not here.facets.unread
