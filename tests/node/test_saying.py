"""Whose word an object is, each word once, and what is added to an object held as that object is."""

from __future__ import annotations

import pytest

from comity.kernel.errors import NotFound, Usage
from comity.kernel.release.handling import Handling
from comity.node.minting import Seen, newest
from comity.node.saying import Said, as_held, author, held, once
from comity.node.scales import level_of, likelihood, likelihood_of
from simulators.world import World, indicator

US, THEM, OTHER = "identity--us", "identity--them", "identity--other"


def said(by: str | None, via: str, at: int, text: str = "x") -> Said:
    data = {"id": "x--1", "type": "x", "text": text}
    return Said("x--1", "x", by, via, at, None, None, Seen(data, at, by, via, None, None, at))


def test_word_that_came_by_several_ways_stands_once_as_its_author_said_it_last() -> None:
    words = [said(THEM, OTHER, 1), said(THEM, THEM, 2), said(THEM, OTHER, 2)]
    assert [(one.via, one.at) for one in once(words, US)] == [(THEM, 2)]


def test_two_texts_of_one_author_and_one_instant_both_stand() -> None:
    words = [said(THEM, THEM, 1, "yes"), said(THEM, OTHER, 1, "no")]
    assert len(once(words, US)) == 2


def test_what_nobody_vouches_for_takes_nobodys_place_and_stands_by_the_way_it_came() -> None:
    words = [said(THEM, THEM, 1), said(None, OTHER, 9), said(None, US, 9)]
    assert sorted((one.by or "", one.via) for one in once(words, US)) == [("", OTHER), ("", US), (THEM, THEM)]


def test_our_own_word_that_came_back_is_what_we_keep_of_it_ourselves() -> None:
    words = [said(US, US, 1, "whole"), said(US, THEM, 1, "a part")]
    assert [one.via for one in once(words, US)] == [US]


def test_object_that_only_says_it_is_ours_is_not_our_word() -> None:
    named = {"id": "x--1", "type": "x", "created_by_ref": US}
    assert author(Seen(named, 1, None, THEM, None, None, 1), US) is None
    assert author(Seen(named, 1, None, US, "a file", None, 1), US) is None
    assert author(Seen(named, 1, None, US, None, None, 1), US) == US
    assert author(Seen(named, 1, THEM, OTHER, None, None, 1), US) == THEM


def test_what_is_added_to_an_object_of_ours_goes_no_further_and_keeps_its_caveats() -> None:
    world = World()
    node = world.node("A")
    stated = {"tlp": "amber", "purpose": ["incident-response"], "recipients": ["duty-officer"]}
    world.take("A", indicator(1), caveats=["use-condition"], **stated)
    with node.store.read() as tx:
        [seen] = newest(tx, node.party, "indicator")
        found = as_held(tx, node.party, Handling(caveats=frozenset({"not-evidence"})), seen)
        strange = as_held(tx, "identity--else", Handling(tlp="red"), seen)
    assert (found.tlp, found.purpose) == ("amber", frozenset({"incident-response"}))
    assert found.recipients == frozenset({"duty-officer"})
    assert found.caveats == {"use-condition", "not-evidence"}
    assert (strange.tlp, strange.recipients, strange.caveats) == ("red", None, {"use-condition"})


def test_object_that_is_not_held_is_not_found_whatever_its_id() -> None:
    node = World().node("A")
    with node.store.read() as tx:
        for id in ("x", "", "indicator--00000000-0000-4000-8000-000000000001"):
            with pytest.raises(NotFound):
                held(tx, node.party, id)


def test_word_of_likelihood_is_read_on_its_own_scale_under_either_name_of_it() -> None:
    assert likelihood("very likely", "icd-203") == likelihood("Very_Likely", "us-icd-203") is not None
    assert likelihood("very likely", "uk-phia") is None
    assert likelihood("very likely", "a scale of their own") is None
    with pytest.raises(Usage):
        likelihood_of("very likely", "uk-phia")
    assert level_of("0") == level_of(" no-position ")
    with pytest.raises(Usage):
        level_of("8")
