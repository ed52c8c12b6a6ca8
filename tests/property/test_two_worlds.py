"""Promise 1: for any reader, every answer is the same whether or not objects that it may not see exist.

The same history is played twice: once whole, once without every copy of every object that the reader may not see at any time
(what is said of such an object goes with it). Every answer of every route is then compared byte for byte, after each hash,
signature, nonce and random id was replaced by the number of its first appearance. `ROUTES` is the table of all there is to ask;
a route of the application, or a message of the conversation, that has no row fails the first tests.
"""

from __future__ import annotations

from collections.abc import Callable

from hypothesis import given, settings

from property.histories import B, History, Played, histories, play
from property.normal import Normal
from property.seen import Watch

Route = Callable[[Played], list[bytes]]


def conversation(played: Played) -> list[bytes]:
    """Every turn, control item, page, receipt, checkpoint and refusal that the reader got."""
    return played.heard[B]


ROUTES: dict[str, Route] = {
    "conversation": conversation,
}


def answers(played: Played) -> dict[str, list[str]]:
    """Every answer of every route, as it is compared."""
    normal = Normal()
    return {name: [normal(answer) for answer in route(played)] for name, route in ROUTES.items()}


def both(history: History) -> tuple[Played, Played, int]:
    """The history whole and without what the reader may not see; and how many things that were."""
    watch = Watch(B)
    whole = play(history, after=watch)
    left_out = [
        (number, j)
        for number, event in enumerate(history.events)
        for j in range(len(getattr(event, "things", ())))
        if not watch.of(whole, event, j)
    ]
    poorer = play(history, kept=lambda number, j: (number, j) not in left_out, spoken=watch.words)
    return whole, poorer, len(left_out)


@settings(settings.get_profile("histories"), max_examples=60)
@given(histories(lossy=(B,)))
def test_a_reader_cannot_tell_whether_what_it_may_not_see_exists(history: History) -> None:
    whole, poorer, _ = both(history)
    assert answers(whole) == answers(poorer)
