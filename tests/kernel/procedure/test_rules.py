"""Rules of decision: each says why, head by head; what cannot be changed any more is decided, and nothing before."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from comity.kernel.errors import InputRefused
from comity.kernel.procedure.rules import KINDS, Outcome, Rule, decide

HEADS = ("a", "b", "c", "d", "e")
VOTES = st.dictionaries(st.sampled_from(HEADS), st.sampled_from(("consent", "object", "abstain")))
SHARES = st.sampled_from([(1, 2, True), (2, 3, False), (3, 4, False), (1, 1, False)])
RULES = {
    "unanimity": Rule("unanimity"),
    "silence": Rule("silence", clock="silence"),
    "opt-in": Rule("opt-in", clock="vote", least=2),
    "majority": Rule("majority"),
}


def test_each_rule_gives_one_reason_a_head() -> None:
    assert set(RULES) == set(KINDS)
    for rule in RULES.values():
        said = decide(rule, HEADS, {"a": "object"}, over=True)
        assert [one.head for one in said.reasons] == list(HEADS)
        assert all(one.sentence.endswith(".") for one in said.reasons)
        assert said.sentence.endswith(".")


@settings(max_examples=150, deadline=None)
@given(
    VOTES,
    st.dictionaries(st.sampled_from(HEADS), st.integers(0, 10)),
    st.integers(0, 20),
    st.sampled_from(["block", "report"]),
)
def test_a_head_that_never_received_the_text_never_consents_by_silence(
    votes: dict[str, str], until: dict[str, int], at: int, unheard: str
) -> None:
    rule = Rule("silence", clock="silence", unheard=unheard)  # type: ignore[arg-type]
    said = decide(rule, HEADS, votes, silent_until=until, at=at)
    for head in said.counted("for"):
        assert votes.get(head) == "consent" or (head in until and until[head] <= at)
    if said.outcome is Outcome.ADOPTED:
        assert "object" not in votes.values()
        assert not said.counted("waiting")
        assert unheard == "report" or not said.counted("unheard")
    if "object" in votes.values():
        assert said.outcome is Outcome.REJECTED


def test_who_was_not_heard_is_named_where_the_table_says_so() -> None:
    rule = Rule("silence", clock="silence", unheard="report")
    said = decide(rule, HEADS, {}, silent_until={"a": 1, "b": 1}, at=2)
    assert said.outcome is Outcome.ADOPTED
    assert said.counted("unheard") == ("c", "d", "e")
    assert decide(rule, HEADS, {}, at=2).outcome is Outcome.OPEN


@settings(max_examples=100, deadline=None)
@given(VOTES, SHARES, st.sampled_from(["members", "cast"]), st.sampled_from(["set-aside", "against"]))
def test_a_majority_is_open_exactly_as_long_as_those_missing_could_change_it(
    votes: dict[str, str], share: tuple[int, int, bool], of: str, abstentions: str
) -> None:
    numerator, denominator, more = share
    rule = Rule(
        "majority", of=of, abstentions=abstentions, numerator=numerator, denominator=denominator, more_than=more
    )  # type: ignore[arg-type]
    missing = [head for head in HEADS if head not in votes]
    ends = set()
    for rest in product(("consent", "object"), repeat=len(missing)):
        ends.add(decide(rule, HEADS, {**votes, **dict(zip(missing, rest, strict=True))}, over=True).outcome)
    assert Outcome.OPEN not in ends
    now = decide(rule, HEADS, votes).outcome
    assert now is (Outcome.OPEN if len(ends) == 2 else ends.pop())


def test_a_qualified_majority_counts_abstentions_as_its_rule_says() -> None:
    votes = {"a": "consent", "b": "consent", "c": "abstain", "d": "abstain", "e": "object"}
    two_thirds = {"of": "cast", "numerator": 2, "denominator": 3, "more_than": False}
    aside = decide(Rule("majority", **two_thirds), HEADS, votes)  # type: ignore[arg-type]
    against = decide(Rule("majority", abstentions="against", **two_thirds), HEADS, votes)  # type: ignore[arg-type]
    assert (aside.outcome, against.outcome) == (Outcome.ADOPTED, Outcome.REJECTED)
    assert "2 for, 1 against, 2 set aside" in aside.sentence


def test_half_is_no_majority() -> None:
    votes = {"a": "consent", "b": "consent", "c": "object", "d": "object"}
    assert decide(Rule("majority"), HEADS[:4], votes).outcome is Outcome.REJECTED


def test_unanimity_needs_everybody_and_is_not_stopped_by_an_abstention_that_is_set_aside() -> None:
    votes = dict.fromkeys(HEADS[:4], "consent")
    assert decide(RULES["unanimity"], HEADS, votes).outcome is Outcome.OPEN
    assert decide(RULES["unanimity"], HEADS, {**votes, "e": "abstain"}).outcome is Outcome.ADOPTED
    assert (
        decide(Rule("unanimity", abstentions="against"), HEADS, {**votes, "e": "abstain"}).outcome is Outcome.REJECTED
    )
    assert decide(RULES["unanimity"], HEADS, dict.fromkeys(HEADS, "abstain")).outcome is Outcome.REJECTED
    assert decide(RULES["unanimity"], (), {}).outcome is Outcome.OPEN


def test_a_coalition_is_those_who_joined_and_an_objection_stops_nobody() -> None:
    votes = {"a": "join", "b": "join", "c": "object"}
    assert decide(RULES["opt-in"], HEADS, votes).outcome is Outcome.OPEN
    said = decide(RULES["opt-in"], HEADS, votes, over=True)
    assert (said.outcome, said.counted("for")) == (Outcome.ADOPTED, ("a", "b"))
    assert decide(RULES["opt-in"], HEADS, {"a": "join"}, over=True).outcome is Outcome.REJECTED


@pytest.mark.parametrize(
    "wrong",
    [
        {"kind": "lottery"},
        {"kind": "silence"},
        {"kind": "opt-in"},
        {"kind": "majority", "of": "moon"},
        {"kind": "majority", "abstentions": "for"},
        {"kind": "majority", "numerator": 0},
        {"kind": "majority", "numerator": 3, "denominator": 2},
        {"kind": "majority", "numerator": 2, "denominator": 2},
        {"kind": "opt-in", "clock": "vote", "least": 0},
    ],
)
def test_a_rule_that_cannot_work_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(InputRefused):
        Rule(**wrong)  # type: ignore[arg-type]
