"""Calling again: soon, then seldom, then not at all until an officer says so."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from comity.kernel.errors import SealBroken, Unavailable
from comity.kernel.exchange.retry import RETRY, Attempts, Retry

DOWN = Unavailable("peer-unreachable", "The peer does not answer.")


@given(st.lists(st.floats(0, 1, exclude_max=True), min_size=1, max_size=60))
@settings(max_examples=60, deadline=None)
def test_silent_peer_is_called_ever_more_seldom_and_then_shown_as_dead(random: list[float]) -> None:
    at, state = 0, Attempts()
    for n, draw in enumerate(random, 1):
        if state.dead:
            break
        assert state.due(at)
        state = state.failed(DOWN, at, draw)
        whole = min(RETRY.longest, RETRY.first * 2 ** (n - 1))
        if n < RETRY.attempts:
            assert whole // 2 <= state.next - at <= whole
            assert not state.due(state.next - 1)
        at = state.next
    assert state.dead == (len(random) >= RETRY.attempts)


def test_two_peers_that_failed_together_are_not_called_together() -> None:
    assert Attempts().failed(DOWN, 0, 0.1).next != Attempts().failed(DOWN, 0, 0.9).next


def test_fault_of_a_peer_is_not_tried_again_until_an_officer_retries() -> None:
    state = Attempts().failed(SealBroken("row-proof", "The row is not in the page."), 5, 0.5)
    assert state.dead
    assert not state.due(10**18)
    assert state.error == "row-proof: The row is not in the page."
    again = state.retried(7)
    assert again.due(7)
    assert again.error == state.error


def test_good_contact_forgets_the_failures() -> None:
    state = Attempts().failed(DOWN, 0, 0.5).failed(DOWN, 9, 0.5)
    assert state.succeeded(20) == Attempts(next=20)


def test_budget_of_one_attempt_ends_at_the_first_failure() -> None:
    assert Attempts().failed(DOWN, 0, 0.0, Retry(attempts=1)).dead
