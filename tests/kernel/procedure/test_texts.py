"""Texts: brackets, positions and what can be accepted; written as diplomats write it and read back."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any, get_args
from unicodedata import normalize

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from comity.kernel.errors import ComityError, InputRefused
from comity.kernel.model.names import flaw_of_text
from comity.kernel.procedure.brackets import parse, render
from comity.kernel.procedure.texts import (
    Alternative,
    Blocked,
    Change,
    Choice,
    Clean,
    Comment,
    Kind,
    Operation,
    Paragraph,
    Position,
    Text,
    Tie,
    acceptable,
    apply,
    as_json,
    changes,
    digest,
    draft,
    operation_json,
    read_operation,
    read_text,
    silences,
    standing,
    without,
)

XA, XB, XC = PARTIES = ("XA", "XB", "XC")
START = draft(("en", "fr"), PARTIES, XA, [("p1", ("one", "un")), ("p2", ("two", "deux"))])


def op(text: Text, kind: Any, by: str, paragraph: str = "p1", **more: Any) -> Operation:
    """An operation made against `text` as it is; `of` names an alternative by its English words."""
    if "of" in more:
        words = more.pop("of")
        more["alternative"] = next(
            one.id for one in text.paragraph(paragraph).alternatives if (one.words[0] if one.words else None) == words
        )
    if kind != "insert":
        more.setdefault("wording", text.paragraph(paragraph).wording)
    return Operation(kind, by, paragraph, digest(text), **more)


def after(text: Text, *deeds: tuple[Any, ...]) -> Text:
    """The text after deeds (kind, by, paragraph, {more}), each made against what the one before left."""
    for kind, by, paragraph, more in deeds:
        text = apply(text, op(text, kind, by, paragraph, **more))
    return text


def refused(code: str, call: Any) -> ComityError:
    with pytest.raises(ComityError) as caught:
        call()
    assert caught.value.code == code, caught.value.sentence
    return caught.value


def agreed(text: Text = START, paragraph: str = "p1") -> Text:
    of = text.paragraph(paragraph).alternatives[0].words
    assert of is not None
    return after(text, *(("accept", by, paragraph, {"of": of[0]}) for by in (XB, XC)))


# ---------------------------------------------------------------- brackets


def test_a_draft_is_its_authors_proposal_and_nothing_in_it_is_agreed() -> None:
    assert all(one.alternatives[0].proponents == (XA,) and not one.agreed for one in START.paragraphs)


def test_brackets_fall_when_all_accept() -> None:
    one = after(START, ("accept", XB, "p1", {"of": "one"}))
    assert not one.paragraph("p1").agreed
    two = after(one, ("accept", XC, "p1", {"of": "one"}))
    assert two.paragraph("p1") == Paragraph("p1", (Alternative(("one", "un")),), True)
    assert not two.paragraph("p2").agreed


def test_brackets_stand_while_a_party_accepts_ad_referendum_only() -> None:
    text = after(START, ("accept", XB, "p1", {"of": "one"}), ("ad-referendum", XC, "p1", {"of": "one"}))
    assert not text.paragraph("p1").agreed
    assert after(text, ("accept", XC, "p1", {"of": "one"})).paragraph("p1").agreed


@pytest.mark.parametrize(
    ("kind", "more", "stance"),
    [
        ("reject", {"of": "one", "reason": "too weak"}, "objects"),
        ("reserve", {"of": "one", "reason": "scrutiny"}, "reserves"),
        ("ad-referendum", {"of": "one"}, "ad-referendum"),
        ("bracket", {}, "reserves"),
        ("replace", {"words": ("uno", "une")}, None),
        ("delete", {}, None),
    ],
)
def test_what_opens_agreed_words_leaves_the_others_accepting_in_their_name(
    kind: str, more: dict[str, Any], stance: str | None
) -> None:
    text = after(agreed(), (kind, XB, "p1", more))
    paragraph = text.paragraph("p1")
    assert not paragraph.agreed
    first = paragraph.alternatives[0]
    assert [first.stance(one) for one in PARTIES] == ["accepts", stance, "accepts"]
    assert after(text, ("accept", XB, "p1", {"of": "one"})).paragraph("p1").agreed is (len(paragraph.alternatives) == 1)


def test_accepting_or_proposing_agreed_words_changes_nothing() -> None:
    text = agreed()
    assert after(text, ("accept", XB, "p1", {"of": "one"})) == text
    assert after(text, ("replace", XB, "p1", {"words": ("one", "un")})) == text


def test_a_proposal_stands_beside_what_it_would_replace() -> None:
    text = after(START, ("replace", XB, "p1", {"words": ("uno", "une")}), ("delete", XC, "p1", {}))
    assert text.paragraph("p1").alternatives == (
        Alternative(("one", "un"), (XA,)),
        Alternative(("uno", "une"), (XB,)),
        Alternative(None, (XC,)),
    )


def test_the_same_words_proposed_twice_are_one_alternative_of_two() -> None:
    text = after(
        START,
        ("replace", XB, "p1", {"words": ("uno", "une")}),
        ("reject", XC, "p1", {"of": "uno"}),
        ("replace", XC, "p1", {"words": ("uno", "une")}),
    )
    assert text.paragraph("p1").alternatives[1] == Alternative(("uno", "une"), (XB, XC))


def test_nobodys_acceptance_passes_to_other_words() -> None:
    text = after(START, ("accept", XB, "p1", {"of": "one"}))
    text = after(text, ("replace", XA, "p1", {"of": "one", "words": ("one!", "un!")}))
    assert [one.words for one in text.paragraph("p1").alternatives] == [("one", "un"), ("one!", "un!")]
    assert text.paragraph("p1").alternatives == (Alternative(("one", "un"), (XB,)), Alternative(("one!", "un!"), (XA,)))
    alone = after(START, ("reject", XB, "p1", {"of": "one"}), ("replace", XA, "p1", {"of": "one", "words": ("1", "1")}))
    assert alone.paragraph("p1").alternatives == (Alternative(("1", "1"), (XA,)),)


def test_one_language_changed_is_another_wording() -> None:
    text = after(START, ("replace", XB, "p1", {"words": ("one", "une")}))
    assert len(text.paragraph("p1").alternatives) == 2


def test_words_missing_in_a_language_are_refused() -> None:
    refused("text-language", lambda: after(START, ("replace", XB, "p1", {"words": ("uno",)})))
    refused("text-language", lambda: after(START, ("insert", XB, "p3", {})))


def test_withdrawn_words_go_unless_others_hold_them() -> None:
    both = after(START, ("replace", XB, "p1", {"words": ("uno", "une")}))
    assert after(both, ("withdraw", XB, "p1", {"of": "uno"})) == START
    taken = after(both, ("ad-referendum", XC, "p1", {"of": "uno"}), ("withdraw", XB, "p1", {"of": "uno"}))
    assert taken.paragraph("p1").alternatives[1] == Alternative(("uno", "une"), (XC,), (Position(XC, "ad-referendum"),))
    none = after(START, ("withdraw", XA, "p1", {"of": "one"}))
    assert none.paragraph("p1").alternatives == ()
    refused("text-paragraph", lambda: after(none, ("insert", XB, "p1", {"words": ("a", "b")})))
    again = after(none, ("replace", XB, "p1", {"words": ("a", "b")}))
    assert again.paragraph("p1").alternatives == (Alternative(("a", "b"), (XB,)),)


def test_what_is_anothers_cannot_be_withdrawn_and_ones_own_not_rejected() -> None:
    refused("text-own", lambda: after(START, ("withdraw", XB, "p1", {"of": "one"})))
    refused("text-own", lambda: after(START, ("replace", XB, "p1", {"of": "one", "words": ("a", "b")})))
    refused("text-own", lambda: after(START, ("reject", XA, "p1", {"of": "one"})))
    refused("text-own", lambda: after(START, ("reserve", XA, "p1", {"of": "one"})))
    refused("text-own", lambda: after(agreed(), ("withdraw", XA, "p1", {"of": "one"})))


def test_who_proposes_may_do_it_ad_referendum() -> None:
    text = after(START, ("ad-referendum", XA, "p1", {"of": "one", "reason": "cabinet"}))
    assert text.paragraph("p1").alternatives[0].positions == (Position(XA, "ad-referendum", "cabinet"),)
    assert after(text, ("accept", XA, "p1", {"of": "one"})) == START


def test_bracketing_takes_back_acceptance_and_keeps_objections() -> None:
    text = after(
        START,
        ("replace", XB, "p1", {"words": ("uno", "une")}),
        ("reject", XC, "p1", {"of": "uno"}),
        ("accept", XC, "p1", {"of": "one"}),
        ("bracket", XC, "p1", {"reason": "wait"}),
    )
    one, two = text.paragraph("p1").alternatives
    assert (one.stance(XC), two.stance(XC)) == ("reserves", "objects")


def test_an_insertion_stands_after_its_predecessor_the_later_nearer() -> None:
    text = after(
        START,
        ("insert", XB, "p1a", {"words": ("a", "a"), "after": "p1"}),
        ("insert", XC, "p1b", {"words": ("b", "b"), "after": "p1"}),
        ("insert", XC, "p0", {"words": ("c", "c")}),
    )
    assert [one.id for one in text.paragraphs] == ["p0", "p1", "p1b", "p1a", "p2"]
    refused("text-paragraph", lambda: after(START, ("insert", XB, "p9", {"words": ("a", "a"), "after": "p8"})))


def test_a_comment_changes_no_words() -> None:
    text = after(START, ("comment", XB, "p1", {"reason": "see the mandate"}))
    assert text.paragraph("p1").comments == (Comment(XB, "see the mandate"),)
    assert text.paragraph("p1").wording == START.paragraph("p1").wording
    refused("text-form", lambda: after(START, ("comment", XB, "p1", {})))


def test_who_does_not_negotiate_the_text_cannot_touch_it() -> None:
    refused("text-party", lambda: after(START, ("accept", "XD", "p1", {"of": "one"})))


def test_a_party_that_leaves_takes_what_was_its_own() -> None:
    text = after(
        START,
        ("replace", XB, "p1", {"words": ("uno", "une")}),
        ("accept", XC, "p1", {"of": "one"}),
        ("reject", XB, "p1", {"of": "one"}),
        ("comment", XB, "p2", {"reason": "no"}),
    )
    left = without(text, XB)
    assert left.parties == (XA, XC)
    assert left.paragraph("p1") == Paragraph("p1", (Alternative(("one", "un")),), True)
    assert left.paragraph("p2") == START.paragraph("p2")
    refused("text-party", lambda: without(text, "XD"))


# ---------------------------------------------------------------- concurrency


def test_an_operation_on_words_that_changed_is_refused() -> None:
    late = op(START, "accept", XC, "p1", of="one")
    now = after(START, ("replace", XA, "p1", {"of": "one", "words": ("1", "1")}))
    assert standing(now, late) == "stale"
    stale = refused("text-stale", lambda: apply(now, late))
    assert stale.detail == {"paragraph": "p1", "wording": now.paragraph("p1").wording}


def test_an_operation_is_rebased_over_other_paragraphs_and_over_positions() -> None:
    late = op(START, "accept", XC, "p1", of="one")
    assert standing(START, late) == "current"
    now = after(
        START,
        ("replace", XB, "p2", {"words": ("2", "2")}),
        ("reject", XB, "p1", {"of": "one"}),
        ("comment", XA, "p1", {"reason": "please"}),
    )
    assert standing(now, late) == "rebased"
    assert apply(now, late).paragraph("p1").alternatives[0].stance(XC) == "accepts"


def test_an_insertion_is_stale_when_its_predecessor_is_unknown() -> None:
    here = op(START, "insert", XB, "p3", words=("a", "a"), after="p2")
    assert standing(START, here) == "current"
    assert standing(draft(("en", "fr"), PARTIES, XA, [("p1", ("one", "un"))]), here) == "stale"
    assert standing(after(START, ("accept", XB, "p1", {"of": "one"})), here) == "rebased"


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_operations_on_different_paragraphs_give_the_same_text_in_any_order(data: st.DataObject) -> None:
    text = data.draw(texts())
    ids = [one.id for one in text.paragraphs]
    one, two = (data.draw(operations(text, only=id)) for id in (ids[0], ids[-1]))
    if ids[0] == ids[-1]:
        return
    assert apply(apply(text, one), two) == apply(apply(text, two), one)


# ---------------------------------------------------------------- what can be accepted


def test_the_words_all_accept_are_found_and_their_terms_told() -> None:
    text = after(
        START,
        ("replace", XB, "p1", {"words": ("uno", "une")}),
        ("ad-referendum", XA, "p1", {"of": "uno"}),
        ("accept", XC, "p1", {"of": "uno"}),
        ("reserve", XC, "p1", {"of": "one"}),
        ("accept", XC, "p2", {"of": "two"}),
    )
    found = acceptable(text, PARTIES, silent=[XB])
    uno, two = text.paragraph("p1").alternatives[1].id, text.paragraph("p2").alternatives[0].id
    assert found.choices == (Choice("p1", uno, (XA,), ()), Choice("p2", two, (), (XB,)))
    assert found.words == Clean(("en", "fr"), (("p1", ("uno", "une")), ("p2", ("two", "deux"))))
    without_silence = acceptable(text, PARTIES)
    assert without_silence.words is None
    assert without_silence.blocked == (Blocked("p2", ((two, XB, "silent"),)),)
    assert acceptable(text, [XA, XC]).words == found.words


def test_who_blocks_is_named_with_what_it_says() -> None:
    text = after(
        START,
        ("replace", XB, "p1", {"words": ("uno", "une")}),
        ("reject", XB, "p1", {"of": "one"}),
        ("reserve", XC, "p1", {"of": "uno"}),
    )
    one, two = (alternative.id for alternative in text.paragraph("p1").alternatives)
    (blocked, _) = acceptable(text, PARTIES, silent=PARTIES[:1]).blocked
    assert blocked == Blocked(
        "p1", ((one, XB, "objects"), (one, XC, "silent"), (two, XA, "silent"), (two, XC, "reserves"))
    )


def test_a_tie_is_reported_and_somebody_chooses() -> None:
    text = after(
        START,
        ("replace", XB, "p1", {"words": ("uno", "une")}),
        ("accept", XA, "p1", {"of": "uno"}),
        ("accept", XB, "p1", {"of": "one"}),
    )
    one, two = (alternative.id for alternative in text.paragraph("p1").alternatives)
    found = acceptable(text, [XA, XB], silent=[XB])
    assert (found.words, found.ties) == (None, (Tie("p1", (one, two)),))
    chosen = acceptable(text, [XA, XB], silent=[XB], prefer={"p1": two})
    assert chosen.words is not None
    assert chosen.words.paragraphs[0] == ("p1", ("uno", "une"))
    assert acceptable(text, [XA, XB], silent=[XB], prefer={"p1": "x"}).words is None


def test_silence_counts_only_where_it_can_mean_one_thing() -> None:
    text = after(START, ("replace", XB, "p1", {"words": ("uno", "une")}))
    assert silences(text, XC) == ("p2",)
    assert silences(text, XA) == ()
    assert acceptable(text, [XC], silent=[XC]).blocked[0].paragraph == "p1"
    spoken = after(START, ("reject", XC, "p2", {"of": "two"}))
    assert silences(spoken, XC) == ("p1",)
    assert acceptable(spoken, [XC], silent=[XC]).blocked[0].by[0][1:] == (XC, "objects")


def test_an_omission_that_all_accept_leaves_the_paragraph_out() -> None:
    text = after(
        START, ("delete", XB, "p1", {}), ("accept", XA, "p1", {"of": None}), ("accept", XC, "p1", {"of": None})
    )
    found = acceptable(text, PARTIES, silent=[XB, XC])
    assert found.words == Clean(("en", "fr"), (("p2", ("two", "deux")),))


def test_a_preference_never_overrides_an_objection() -> None:
    text = after(START, ("reject", XB, "p1", {"of": "one"}))
    one = text.paragraph("p1").alternatives[0].id
    assert acceptable(text, [XB], prefer={"p1": one}).words is None


def test_a_party_that_is_not_at_the_table_cannot_be_asked() -> None:
    refused("text-party", lambda: acceptable(START, ["XD"]))
    refused("text-party", lambda: acceptable(START, []))


def all_texts(text: Text) -> Iterable[tuple[tuple[Paragraph, Alternative], ...]]:
    """Every way to choose one alternative in every paragraph that has any."""
    with_words = [one for one in text.paragraphs if one.alternatives]
    yield from product(*([(paragraph, one) for one in paragraph.alternatives] for paragraph in with_words))


def says_yes(paragraph: Paragraph, one: Alternative, party: str, silent: set[str]) -> bool:
    said = {position.party: position.stance for position in one.positions}
    if paragraph.agreed or party in one.proponents or said.get(party) in ("accepts", "ad-referendum"):
        return True
    quiet = not any(party in a.proponents or party in [p.party for p in a.positions] for a in paragraph.alternatives)
    return party in silent and quiet and len(paragraph.alternatives) == 1


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_what_is_acceptable_is_what_brute_force_finds(data: st.DataObject) -> None:
    text = data.draw(texts())
    parties = data.draw(st.lists(st.sampled_from(PARTIES), min_size=1, unique=True))
    silent = set(data.draw(st.lists(st.sampled_from(PARTIES), unique=True)))
    found = acceptable(text, parties, silent=silent)
    fit = [
        whole
        for whole in all_texts(text)
        if all(says_yes(paragraph, one, party, silent) for paragraph, one in whole for party in parties)
    ]
    if len(fit) == 1:
        said = tuple((paragraph.id, one.words) for paragraph, one in fit[0] if one.words is not None)
        assert found.words == Clean(text.languages, said)
        assert not found.ties
        assert not found.blocked
    else:
        assert found.words is None
    if fit:
        assert not found.blocked
        ways = 1
        for tie in found.ties:
            ways *= len(tie.alternatives)
        assert ways == len(fit)
        prefer = {paragraph.id: one.id for paragraph, one in fit[-1]}
        chosen = acceptable(text, parties, silent=silent, prefer=prefer).words
        assert chosen is not None
        assert chosen.paragraphs == tuple(
            (paragraph.id, one.words) for paragraph, one in fit[-1] if one.words is not None
        )
    else:
        assert found.blocked
    for blocked in found.blocked:
        paragraph = text.paragraph(blocked.paragraph)
        expected = {
            (one.id, party)
            for one in paragraph.alternatives
            for party in parties
            if not says_yes(paragraph, one, party, silent)
        }
        assert {(id, party) for id, party, _ in blocked.by} == expected


# ---------------------------------------------------------------- what changed


def test_what_changed_is_told_deed_by_deed() -> None:
    now = after(
        START,
        ("replace", XB, "p1", {"words": ("uno", "une")}),
        ("reject", XC, "p1", {"of": "one", "reason": "weak"}),
        ("comment", XC, "p2", {"reason": "fine"}),
        ("insert", XC, "p3", {"words": ("three", "trois"), "after": "p2"}),
    )
    one, two = (alternative.id for alternative in now.paragraph("p1").alternatives)
    assert changes(START, now) == (
        Change("position", "p1", one, XC, "", "objects: weak"),
        Change("alternative-added", "p1", two),
        Change("proposed", "p1", two, XB),
        Change("comment", "p2", party=XC, after="fine"),
        Change("paragraph-added", "p3"),
    )
    assert Change("agreed", "p1") in changes(START, agreed())
    reopened = after(agreed(), ("reject", XB, "p1", {"of": "one"}))
    assert changes(agreed(), reopened) == (
        Change("reopened", "p1"),
        Change("position", "p1", one, XB, "accepts", "objects"),
    )
    assert changes(now, without(now, XC))[0] == Change("party-left", "", party=XC)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_no_change_is_told_where_there_is_none_and_some_where_there_is(data: st.DataObject) -> None:
    text = data.draw(texts())
    assert changes(text, text) == ()
    now = apply(text, data.draw(operations(text)))
    assert (changes(text, now) == ()) is (digest(text) == digest(now))


# ---------------------------------------------------------------- written and read back


def test_a_text_is_written_as_diplomats_write_it() -> None:
    text = after(
        START,
        ("replace", XB, "p1", {"words": ("uno", "une")}),
        ("replace", XC, "p1", {"words": ("uno", "une")}),
        ("reserve", XA, "p1", {"of": "uno", "reason": "pending the capital"}),
        ("delete", XC, "p1", {}),
        ("comment", XB, "p1", {"reason": "as in the minutes"}),
        ("accept", XB, "p2", {"of": "two"}),
        ("accept", XC, "p2", {"of": "two"}),
    )
    assert render(text) == (
        "Comity text 1\n"
        "Languages: en, fr\n"
        "Parties: XA, XB, XC\n"
        "\n"
        "(p1)\n"
        "en: [XA: one / XB, XC: uno {1} / XC: omit]\n"
        "fr: [XA: un / XB, XC: une {1} / XC: omit]\n"
        "{1} XA reserves on 2: pending the capital\n"
        "# XB: as in the minutes\n"
        "\n"
        "(p2)\n"
        "en: two\n"
        "fr: deux\n"
    )
    names = {XA: "Xanadu", XB: "Brobdingnag", XC: "Côte-d.Azur"}
    assert "[Xanadu: one / Brobdingnag, Côte-d.Azur: uno {1} / " in render(text, names)
    assert parse(render(text, names), names) == text


awkward = st.sampled_from(
    [
        "omit",
        "\\omit",
        "[",
        "]",
        "a / b",
        "/",
        "a /",
        "/ a",
        "{1}",
        "a {1}",
        "\\",
        "a\\",
        ": ",
        "XB: x",
        "a] / [b",
        "- : x",
    ]
).map(str.strip)
letters = st.characters(codec="utf-8", categories=["L", "N", "P", "S", "Zs"], max_codepoint=0x2FFF)
words = awkward | st.text(letters, min_size=1, max_size=12).map(
    lambda said: normalize("NFC", "x".join(said.split()))
).filter(lambda said: flaw_of_text(said) is None)


@st.composite
def operations(draw: Any, text: Text, only: str | None = None) -> Operation:
    """An operation that can be applied to `text`."""
    paragraph = text.paragraph(only or draw(st.sampled_from([one.id for one in text.paragraphs])))
    by = draw(st.sampled_from(text.parties))
    both = st.tuples(*(words for _ in text.languages))
    kinds = ["replace", "delete", "bracket", "comment"]
    if only is None:
        kinds.append("insert")
    own = [one.id for one in paragraph.alternatives if by in one.proponents]
    others = [one.id for one in paragraph.alternatives if by not in one.proponents]
    if own:
        kinds += ["withdraw", "amend"]
    if paragraph.alternatives:
        kinds += ["accept", "ad-referendum"] * 3
    if others:
        kinds += ["reserve", "reject"]
    kind = draw(st.sampled_from(kinds))
    more: dict[str, Any] = {"wording": paragraph.wording}
    if kind == "insert":
        new = "n" + draw(st.text("abcdefgh", min_size=6, max_size=6))
        if any(one.id == new for one in text.paragraphs):
            kind = "comment"
        else:
            return Operation(
                "insert", by, new, digest(text), words=draw(both), after=draw(st.sampled_from(["", paragraph.id]))
            )
    if kind in ("replace", "amend"):
        more["words"] = draw(both)
    if kind in ("withdraw", "amend"):
        more["alternative"] = draw(st.sampled_from(own))
    if kind in ("accept", "ad-referendum"):
        more["alternative"] = draw(st.sampled_from(own + others))
    if kind in ("reserve", "reject"):
        more["alternative"] = draw(st.sampled_from(others))
    if kind in ("reserve", "reject", "ad-referendum", "bracket"):
        more["reason"] = draw(st.just("") | words)
    if kind == "comment":
        more["reason"] = draw(words)
    return Operation("replace" if kind == "amend" else kind, by, paragraph.id, digest(text), **more)


@st.composite
def texts(draw: Any) -> Text:
    """A text after some rounds of negotiation."""
    languages = draw(st.sampled_from([("en",), ("en", "ar")]))
    size = draw(st.integers(1, 3))
    first = [(f"p{n}", draw(st.tuples(*(words for _ in languages)))) for n in range(size)]
    text = draft(languages, PARTIES, draw(st.sampled_from(PARTIES)), first)
    for _ in range(draw(st.integers(0, 8))):
        text = apply(text, draw(operations(text)))
    return text


@settings(max_examples=200, deadline=None)
@given(texts())
def test_what_is_written_reads_back_as_the_same_text(text: Text) -> None:
    written = render(text)
    assert parse(written) == text
    assert render(parse(written)) == written
    assert read_text(json.loads(json.dumps(as_json(text)))) == text
    assert digest(read_text(as_json(text))) == digest(text)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_an_operation_travels_as_json(data: st.DataObject) -> None:
    operation = data.draw(operations(data.draw(texts())))
    assert read_operation(json.loads(json.dumps(operation_json(operation)))) == operation


@settings(max_examples=100, deadline=None)
@given(texts(), st.data())
def test_a_written_text_with_a_letter_changed_is_another_text_or_refused_with_a_code(
    text: Text, data: st.DataObject
) -> None:
    written = render(text)
    at = data.draw(st.integers(0, len(written) - 1))
    changed = written[:at] + data.draw(st.sampled_from([*"[]{}/\\:#x1-\n ", ""])) + written[at + 1 :]
    if changed == written:
        return
    try:
        read = parse(changed)
    except InputRefused as caught:
        code = caught.code
    else:
        code = "read"
        assert render(read) == changed
    assert code in ("read", "text-form", "text-words")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("Comity text 1", "Comity text 2"),
        ("(p1)", "(P1)"),
        ("(p2)", "(p1)"),
        ("[XA: one]", "[XD: one]"),
        ("[XA: one]", "[XB, XA: one]"),
        ("[XA: one]", "[XA: one {1}]"),
        ("[XA: one]", "[XA: one / XA: one]"),
        ("[XA: one]", "[XA: one"),
        ("fr: [XA: un]", "de: [XA: un]"),
        ("fr: [XA: un]\n", ""),
        ("fr: [XA: un]\n", "fr: [XA: un]\n{1} XB reserves on 1 ad referendum\n"),
        ("fr: [XA: un]\n", "fr: [XA: un]\n{1} XB objects to 2\n"),
        ("XA, XB, XC", "XA, XB, XB"),
    ],
)
def test_a_text_in_another_spelling_is_refused(old: str, new: str) -> None:
    written = render(START)
    assert old in written
    refused("text-form", lambda: parse(written.replace(old, new, 1)))


def test_every_state_reached_by_operations_keeps_its_rules() -> None:
    """What all accept never stands in brackets: written so by hand it is refused."""
    form = as_json(START)
    form["paragraphs"][0]["alternatives"][0]["proponents"] = list(PARTIES)
    refused("text-form", lambda: read_text(form))


@pytest.mark.parametrize(
    "change",
    [
        {"form": 2},
        {"languages": []},
        {"languages": ["en", "en"]},
        {"languages": ["English"]},
        {"parties": []},
        {"parties": ["X A"]},
        {"paragraphs": None},
        {"more": 1},
    ],
)
def test_a_form_that_is_no_text_is_refused(change: dict[str, Any]) -> None:
    assert read_text(as_json(START)) == START
    refused("text-form", lambda: read_text(as_json(START) | change))


@pytest.mark.parametrize("form", [None, 5, [], {}, {"form": 1, "kind": "burn"}])
def test_what_is_no_operation_is_refused(form: Any) -> None:
    refused("text-form", lambda: read_operation(form))


@pytest.mark.parametrize("said", ["", " a", "a\nb", "a\u202eb", "a\u200bb", "e\u0301", "x" * 20_001])
def test_words_that_deceive_the_eye_or_are_none_are_refused(said: str) -> None:
    refused("text-words", lambda: after(START, ("replace", XB, "p1", {"words": (said, "b")})))


@pytest.mark.parametrize(
    "change",
    [
        {"words": ("a", "b")},
        {"reason": "because"},
        {"kind": "burn"},
        {"after": "p1"},
        {"kind": "bracket"},
        {"kind": "insert", "paragraph": "p3", "words": ("a", "b"), "alternative": ""},
    ],
)
def test_an_operation_that_says_too_much_is_refused(change: dict[str, Any]) -> None:
    good = op(START, "accept", XB, "p1", of="one")
    apply(START, good)
    refused("text-form", lambda: apply(START, replace(good, **change)))


def test_the_digest_of_an_adoption_is_of_the_words_alone() -> None:
    """Two parties reach the same words by different roads: one digest. Other words in one language: another."""
    one = acceptable(agreed(agreed(), "p2"), PARTIES).words
    other = acceptable(START, [XA]).words
    assert one is not None
    assert other is not None
    assert digest(one) == digest(other)
    assert digest(one) != digest(START)
    french = after(agreed(agreed(), "p2"), ("replace", XA, "p2", {"words": ("two", "trois")}))
    third = acceptable(french, [XA], prefer={"p2": french.paragraph("p2").alternatives[1].id}).words
    assert third is not None
    assert digest(third) != digest(one)


PAGE = Path(__file__).resolve().parents[3] / "docs" / "formats" / "texts.md"


def example(name: str) -> str:
    found = re.findall(rf"^```\w+ {name}\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.M | re.S)
    assert len(found) == 1
    return str(found[0])


def test_the_examples_of_the_page_are_read_as_they_stand() -> None:
    text = parse(example("written"))
    assert render(text) == example("written")
    assert as_json(text)["paragraphs"][1] == json.loads(example("paragraph"))
    operation = read_operation(json.loads(example("operation")))
    assert standing(text, operation) == "current"
    now = apply(text, operation)
    assert changes(text, now) == (Change("position", "p2", operation.alternative, XB, "ad-referendum", "accepts"),)


def test_the_table_of_operations_names_every_kind() -> None:
    part = PAGE.read_text(encoding="utf-8").split("## Operations", 1)[1].split("**Concurrency.**", 1)[0]
    rows = re.findall(r"^\| (`[^|]+`) \|", part, re.M)
    assert {kind for row in rows for kind in re.findall(r"`([a-z-]+)`", row)} == set(get_args(Kind))
