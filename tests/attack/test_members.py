"""Who is in, who is out, and who may pass on: the faults of other systems, played through (MISP #10899, #4200, #1720, #4784)."""

from __future__ import annotations

from contextlib import suppress

import pytest

from attack.liars import STATED, evidence, form_of, held, teams
from comity.kernel.errors import ComityError, NotAllowed
from comity.kernel.model.instants import MINUTE
from comity.kernel.release.decision import Refer, Release, Withhold
from comity.kernel.release.templates import community as template
from comity.kernel.store.rows import StreamRow
from comity.node.deeds import deed
from comity.node.instruments import accede, admit, change_members, expel, receive
from comity.node.release import approve, requests
from comity.node.why import why
from simulators.world import DAY, HOUR, World, indicator, malware

A, B, C, D = "Team A", "Team B", "Team C", "Team D"
ONWARD = 'onward     = "none"'


def community(world: World, *names: str, onward: bool = True) -> str:
    """A community whose members may pass on to members."""
    text = template(world.parties(*names), enters_into_force=world.at)
    return world.agree(text.replace(ONWARD, 'onward     = "members"') if onward else text, *names)


def meet(world: World, *pairs: tuple[str, str]) -> None:
    """Contacts in this order."""
    for caller, called in pairs:
        world.contact(caller, called)


def test_an_expelled_member_gets_nothing_more_through_a_relay() -> None:
    """A shares with B and C; C is expelled; B, which may pass on to members, gives C nothing more of A's (MISP #10899)."""
    world = teams(A, B, C)
    digest = community(world, A, B, C)
    world.take(A, indicator(1), **STATED)
    world.sync(A, B, C)
    assert held(world, C) == {indicator(1)["id"]}
    for name in (A, B):
        expel(world.nodes[name], digest, world.nodes[C].party, officer="officer-1")
        meet(world, (A, B), (B, A))
    world.at += MINUTE
    world.take(A, indicator(2), **STATED)
    meet(world, (A, B), (B, C), (C, B), (A, C), (C, A), (B, C))
    assert held(world, B) == {indicator(1)["id"], indicator(2)["id"]}
    assert held(world, C) == {indicator(1)["id"]}
    assert isinstance(why(world.nodes[B], str(indicator(2)["id"]), C).decision, Withhold)


def test_a_relay_that_has_not_heard_of_an_expulsion_gives_nothing_after_its_lease() -> None:
    world = teams(A, B, C)
    digest = community(world, A, B, C)
    world.sync(A, B, C)
    world.take(A, indicator(1), **STATED)
    meet(world, (A, B))
    for name in (A, B):  # B signs by hand and then hears nothing any more
        _, complete = expel(world.nodes[name], digest, world.nodes[C].party, officer="officer-1")
        if name == A:
            assert not complete
            meet(world, (A, B))
    world.at += 25 * HOUR  # the lease is a day
    with deed(world.nodes[B]):
        pass
    meet(world, (B, C))
    assert held(world, C) == set()


def test_a_member_cannot_pass_on_what_came_under_another_agreement() -> None:
    world = teams(A, B, C)
    world.bilateral(A, B)
    world.bilateral(B, C)
    world.take(A, indicator(1), **STATED)
    world.sync(A, B)
    world.sync(B, C)
    assert held(world, B) == {indicator(1)["id"]}
    assert held(world, C) == set()
    found = why(world.nodes[B], str(indicator(1)["id"]), C)
    assert isinstance(found.decision, Withhold)


def test_an_import_of_what_was_received_does_not_free_the_received_copy() -> None:
    world = teams(A, B, C)
    world.bilateral(A, B)
    world.bilateral(B, C)
    world.take(A, indicator(1), malware(1), **STATED)
    world.sync(A, B)
    world.take(B, indicator(1), **STATED)  # the officer of B has it from elsewhere too, and answers for that
    world.sync(B, C)
    assert held(world, C) == {indicator(1)["id"]}
    with world.nodes[B].store.read() as tx:
        (row,) = tx.find(StreamRow, party=world.nodes[C].party, ended=None)
    assert row.title.partition("#")[0] not in {one.title.partition("#")[0] for one in _streamed(world, A, B)}, (
        "it goes under the agreement of B and C, not under that of A and B"
    )


def _streamed(world: World, name: str, to: str) -> list[StreamRow]:
    with world.nodes[name].store.read() as tx:
        return list(tx.find(StreamRow, party=world.nodes[to].party, ended=None))


@pytest.mark.parametrize(
    ("says", "empty"),
    [('to         = ["members"]', "to         = []"), ('members  = ["team-a", "team-b"]', "members  = []")],
)
def test_shared_with_an_empty_group_is_shared_with_nobody(says: str, empty: str) -> None:
    """MISP #4200: shared with an empty group, everybody got it."""
    world = teams(A, B)
    text = template(world.parties(A, B), enters_into_force=world.at)
    assert says in text
    world.agree(text.replace(says, empty), A, B)
    world.take(A, indicator(1), **STATED)
    world.sync(A, B)
    assert held(world, B) == set()
    assert isinstance(why(world.nodes[A], str(indicator(1)["id"]), B).decision, Withhold)


def test_an_object_with_a_marking_nobody_can_read_goes_to_nobody() -> None:
    world = teams(A, B)
    world.bilateral(A, B)
    strange = indicator(1, object_marking_refs=["marking-definition--00000000-0000-4000-8000-00000000beef"])
    world.take(A, strange, indicator(2), **STATED)
    world.sync(A, B)
    assert held(world, B) == {indicator(2)["id"]}


def test_red_waits_for_two_different_officers_and_one_of_them_twice_is_not_two() -> None:
    world = teams(A, B)
    world.bilateral(A, B)
    world.take(A, indicator(1), tlp="red", basis=["agreement"], purpose=["situational-awareness"], caveats=[])
    world.sync(A, B)
    assert held(world, B) == set()
    assert [one["officers"] for one in requests(world.nodes[A], B)] == [2]
    approve(world.nodes[A], str(indicator(1)["id"]), B, officer="officer-1", reason="asked")
    with pytest.raises(NotAllowed) as refused:
        approve(world.nodes[A], str(indicator(1)["id"]), B, officer="officer-1", reason="asked again")
    assert refused.value.code == "second-officer"
    world.sync(A, B)
    assert held(world, B) == set()
    assert isinstance(why(world.nodes[A], str(indicator(1)["id"]), B).decision, Refer)


def test_words_that_ran_out_do_not_count_with_later_ones() -> None:
    world = teams(A, B)
    world.bilateral(A, B)
    world.take(A, indicator(1), tlp="red", basis=["agreement"], purpose=["situational-awareness"], caveats=[])
    approve(world.nodes[A], str(indicator(1)["id"]), B, officer="officer-1", reason="asked", until=world.at + HOUR)
    world.at += 2 * HOUR
    done = approve(world.nodes[A], str(indicator(1)["id"]), B, officer="officer-2", reason="asked")
    assert isinstance(why(world.nodes[A], str(indicator(1)["id"]), B).decision, Refer)
    world.sync(A, B)
    assert held(world, B) == set()
    assert not done["released"], "one word that stands is not two"


def test_an_acceded_member_is_no_member_before_all_have_signed() -> None:
    world = teams(A, B, C)
    digest = community(world, A, B, onward=False)
    world.take(A, indicator(1), **STATED)
    world.sync(A, B)
    receive(world.nodes[C], form_of(world, A, digest))
    accede(world.nodes[C], digest, officer="officer-1")
    world.sync(A, B, C)
    admit(world.nodes[A], digest, world.nodes[C].party, officer="officer-1")
    world.sync(A, C)
    assert held(world, C) == set()


def test_a_clock_that_goes_back_an_hour_stops_every_deed_with_a_sentence() -> None:
    world = teams(A, B)
    world.bilateral(A, B)
    world.take(A, indicator(1), **STATED)
    world.at += HOUR
    world.sync(A, B)
    world.shift[A] = -HOUR
    with pytest.raises(NotAllowed) as refused:
        world.take(A, indicator(2), **STATED)
    assert refused.value.code == "clock-back"
    with pytest.raises(ComityError):
        world.contact(B, A)
    world.shift[A] = 0
    world.take(A, indicator(2), **STATED)
    world.sync(A, B)
    assert held(world, B) == {indicator(1)["id"], indicator(2)["id"]}


@pytest.mark.parametrize("minutes", [1, 59])
def test_a_peer_whose_clock_is_ahead_loses_nothing(minutes: int) -> None:
    """What holds by its clock and not yet by ours waits; it is not refused for good."""
    world = teams(A, B)
    world.at += DAY
    world.shift[A] = minutes * MINUTE
    world.take(A, indicator(1), **STATED)
    with suppress(ComityError):  # it may have to wait
        world.bilateral(A, B)
        world.sync(A, B)
    world.at += 61 * MINUTE
    world.sync(A, B)
    assert held(world, B) == {indicator(1)["id"]}
    assert evidence(world, A) == evidence(world, B) == []


def test_an_epoch_that_begins_later_admits_nobody_before() -> None:
    world = teams(A, B, C)
    digest = community(world, A, B, onward=False)
    world.take(A, indicator(1), **STATED)
    world.sync(A, B)
    receive(world.nodes[C], form_of(world, A, digest))
    accede(world.nodes[C], digest, officer="officer-1")
    world.sync(A, B, C)
    everybody = [world.nodes[name].party for name in (A, B, C)]
    change_members(world.nodes[A], digest, everybody, officer="officer-1", effective=world.at + 2 * DAY)
    world.sync(A, B)
    _, complete = change_members(world.nodes[B], digest, everybody, officer="officer-1")
    assert complete
    world.sync(A, B, C)
    assert held(world, C) == set()
    for _ in range(5):
        world.at += 12 * HOUR
        world.sync(A, B, C)
    assert held(world, C) == {indicator(1)["id"]}


def test_what_is_released_under_one_clause_is_not_released_by_its_marking() -> None:
    """CLEAR without a clause goes to nobody."""
    world = teams(A, B)
    world.take(A, indicator(1), tlp="clear", basis=["agreement"], caveats=[])
    world.sync(A, B)
    assert held(world, B) == set()
    assert not isinstance(why(world.nodes[A], str(indicator(1)["id"]), B).decision, Release)
