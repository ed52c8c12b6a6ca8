"""The conversation: whatever is lost, doubled, late or a lie, each row is taken once and only what was sent is
believed.
"""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from comity.kernel.errors import PeerFault, RequestRefused, SealBroken, Unavailable
from comity.kernel.exchange.messages import Turn, decode, encode
from comity.kernel.exchange.session import Session, Stop, absorb, answer, outbound

_NAME = "comity_simulated_peer"
if _NAME not in sys.modules:
    _SPEC = importlib.util.spec_from_file_location(_NAME, Path(__file__).parents[2] / "simulators" / "peer.py")
    assert _SPEC is not None
    assert _SPEC.loader is not None
    sys.modules[_NAME] = importlib.util.module_from_spec(_SPEC)
    _SPEC.loader.exec_module(sys.modules[_NAME])
peer_: Any = sys.modules[_NAME]


def raw(n: int) -> bytes:
    return b'{ "type": "indicator", "n": %d, "name": "caf\xc3\xa9" }' % n


def two(
    ours: Any = None, theirs: Any = None, *, rows: tuple[int, int] = (9, 6), control: tuple[int, int] = (3, 2)
) -> Any:
    """Two nodes with something for each other."""
    directory: dict[str, Any] = {}
    a = (ours or peer_.Node)("A", directory)
    b = (theirs or peer_.Node)("B", directory)
    for one, other, objects, items in ((a, b, rows[0], control[0]), (b, a, rows[1], control[1])):
        for n in range(objects):
            one.release(other.party, raw(n))
        for _ in range(items):
            one.instrument(other.party)
    return a, b


def carried(turn: Turn) -> Turn:
    """Over the wire and back."""
    return decode(encode(turn))


def contact(a: Any, b: Any, fault: Callable[[int, str], str] = lambda at, way: "", **limits: int) -> Session:
    """One contact from `a` to `b`; `fault(step, way)` says lose, double or late for the turn and for the answer."""
    session = Session(a, b.party, **limits)
    step = 0
    late: list[Turn] = []
    while (turn := session.next()) is not None:
        assert step < 200, "the contact does not end"
        sent = carried(turn)
        out, back = fault(step, "turn"), fault(step, "answer")
        step += 1
        if out == "lose":
            continue
        if out == "late":
            late.append(sent)
            continue
        try:
            reply = answer(b, a.party, sent)
            if out == "double":
                reply = answer(b, a.party, sent)
            for old in late:
                answer(b, a.party, old)
            late.clear()
            if back == "lose":
                continue
            session.take(carried(reply))
            if back == "double":
                session.take(carried(reply))
        except Unavailable:
            continue
    return session


def converged(a: Any, b: Any) -> None:
    """Every row and item stands exactly once on the other side, in order, and is receipted."""
    for one, other in ((a, b), (b, a)):
        out, taken = one.accounts[other.party], other.accounts[one.party]
        assert taken.received == out.objects_out
        assert taken.control_in == out.control_out
        assert out.receipted == len(out.objects_out)


def test_one_contact_serves_both_directions() -> None:
    a, b = two()
    assert contact(a, b).stop is Stop.EMPTY
    converged(a, b)


def test_contact_with_nothing_to_say_takes_one_turn() -> None:
    a, b = two(rows=(0, 0), control=(0, 0))
    session = Session(a, b.party)
    first = session.next()
    assert first is not None
    session.take(answer(b, a.party, first))
    assert session.next() is None
    assert session.stop is Stop.EMPTY


def test_control_comes_before_objects() -> None:
    a, b = two(rows=(2, 2), control=(5, 5))
    order: list[str] = []
    for node in (a, b):
        take_control, take_page = node.take_control, node.take_page

        def spy_control(peer: str, page: Any, *, deed: Any = take_control, who: Any = node) -> int:
            order.extend(f"{who.party} control" for _ in page.items)
            return int(deed(peer, page))

        def spy_page(peer: str, page: Any, *, deed: Any = take_page, who: Any = node) -> Any:
            order.append(f"{who.party} objects")
            return deed(peer, page)

        node.take_control, node.take_page = spy_control, spy_page
    contact(a, b, control_items=2)
    for node in (a, b):
        mine = [what.split()[-1] for what in order if what.startswith(node.party)]
        assert mine == ["control"] * 5 + ["objects"]
    converged(a, b)


@pytest.mark.parametrize("kind", ["lose", "double", "late"])
@pytest.mark.parametrize("way", ["turn", "answer"])
def test_a_fault_at_any_position_still_delivers_each_row_once(kind: str, way: str) -> None:
    for position in range(12):
        a, b = two()
        contact(a, b, lambda at, where, p=position: kind if (at, where) == (p, way) else "")  # type: ignore[misc]
        contact(a, b)
        converged(a, b)


@given(
    st.lists(st.sampled_from(["", "", "lose", "double", "late"]), min_size=40, max_size=40),
    st.integers(0, 12),
    st.integers(0, 9),
)
@settings(max_examples=60, deadline=None)
def test_any_run_of_losses_repeats_and_delays_converges(faults: list[str], mine: int, theirs: int) -> None:
    a, b = two(rows=(mine, theirs))
    plan = iter(faults)
    for caller, called in ((a, b), (b, a), (a, b)):
        contact(caller, called, lambda at, way: next(plan, ""))
    contact(a, b)
    converged(a, b)


@given(st.frozensets(st.integers(1, 60), max_size=12), st.frozensets(st.integers(1, 60), max_size=12))
@settings(max_examples=40, deadline=None)
def test_a_busy_store_at_any_step_loses_nothing(mine: frozenset[int], theirs: frozenset[int]) -> None:
    a, b = two(peer_.Late, peer_.Late)
    a.busy, b.busy = mine, theirs
    for _ in range(40):
        try:
            if contact(a, b).stop is Stop.EMPTY:
                break
        except Unavailable:
            continue
    converged(a, b)


def test_connection_cut_after_each_turn_continues_where_it_was() -> None:
    a, b = two()
    for cut in range(1, 8):
        contact(a, b, turns=cut)
    contact(a, b)
    converged(a, b)


def test_contact_never_takes_more_turns_than_it_may() -> None:
    a, b = two(rows=(40, 40))
    session = contact(a, b, turns=3)
    assert session.stop is Stop.TURNS
    for _ in range(20):
        session = contact(a, b, turns=3)
    assert session.stop is Stop.EMPTY
    converged(a, b)


def test_lost_receipt_is_given_again_and_the_rows_are_not_doubled() -> None:
    a, b = two(rows=(4, 0), control=(0, 0))
    page = a.page_after(b.party, 0)
    first = b.take_page(a.party, page)  # the answer never arrives
    assert contact(a, b).stop is Stop.EMPTY
    assert list(a.accounts[b.party].receipts.values()) == [first]
    converged(a, b)


def test_peer_that_never_acknowledges_is_given_up_after_some_rounds() -> None:
    a, b = two(None, peer_.Mute, rows=(4, 4), control=(0, 0))
    session = Session(a, b.party)
    turns = 0
    while (turn := session.next()) is not None:
        turns += 1
        assert turns < 20
        session.take(answer(b, a.party, turn))
    assert session.stop is Stop.STALLED


def test_refused_row_is_named_in_the_receipt_and_the_rest_arrives() -> None:
    a, b = two(rows=(5, 0))
    bad = a.accounts[b.party].objects_out[2].object
    b.refuse[bad] = ("withdrawn-before", "This object was withdrawn before it came.")
    contact(a, b)
    assert [item.n for item in b.accounts[a.party].received] == [1, 2, 4, 5]
    refused = [row for receipt in a.accounts[b.party].receipts.values() for row in receipt.refused]
    assert [(row.n, row.code) for row in refused] == [(3, "withdrawn-before")]


def test_expelled_party_gets_control_and_no_objects() -> None:
    a, b = two(peer_.Expelled, None)
    a.gone = frozenset({b.party})
    contact(b, a)
    assert b.accounts[a.party].received == []
    assert len(b.accounts[a.party].control_in) == 3
    assert a.accounts[b.party].received == b.accounts[a.party].objects_out


@pytest.mark.parametrize("caller_is_honest", [True, False])
@pytest.mark.parametrize(
    ("liar", "error", "code"),
    [
        ("Skipping", RequestRefused, "stream-gap"),
        ("Rewriting", SealBroken, "row-proof"),
        ("Acknowledging", RequestRefused, "receipt-unknown"),
        ("Boasting", RequestRefused, "stream-cursor"),
    ],
)
def test_lying_peer_is_refused_and_nothing_false_is_kept(
    liar: str, error: type[PeerFault], code: str, caller_is_honest: bool
) -> None:
    honest, lying = two(None, getattr(peer_, liar))
    calls = (honest, lying) if caller_is_honest else (lying, honest)
    with pytest.raises(error) as refused:
        contact(*calls)
    assert refused.value.code == code
    out = lying.accounts[honest.party].objects_out
    assert all(item in out for item in honest.accounts[lying.party].received)
    if liar == "Acknowledging":
        assert honest.accounts[lying.party].receipted == 0


def test_peer_that_speaks_as_another_party_is_refused() -> None:
    a, b = two(None, peer_.Impostor)
    b.speaks_as = peer_.Node("C", {}).party
    with pytest.raises(RequestRefused) as refused:
        contact(a, b)
    assert refused.value.code == "message-party"
    with pytest.raises(RequestRefused):
        contact(b, a)


def test_turn_for_another_party_is_refused() -> None:
    a, b = two()
    c = peer_.Node("C", {})
    turn = Session(a, c.party).next()
    assert turn is not None
    with pytest.raises(RequestRefused) as refused:
        answer(b, a.party, turn)
    assert refused.value.code == "message-party"


def test_turns_carried_one_way_are_taken_and_receipted_on_the_way_back() -> None:
    a, b = two(rows=(10, 5))
    owed = [
        r
        for turn in outbound(a, b.party, control=0, objects=0, control_items=2)
        for r in absorb(b, a.party, carried(turn))
    ]
    back = outbound(b, a.party, control=0, objects=0, receipts=tuple(owed))
    owed = [receipt for turn in back for receipt in absorb(a, b.party, carried(turn))]
    for turn in outbound(a, b.party, control=3, objects=10, receipts=tuple(owed)):
        absorb(b, a.party, turn)
    converged(a, b)


def test_carried_twice_and_out_of_order_is_refused_or_harmless() -> None:
    a, b = two(rows=(12, 0), control=(0, 0))
    turns = list(outbound(a, b.party, control=0, objects=0))
    with pytest.raises(RequestRefused) as refused:
        absorb(b, a.party, turns[1])
    assert refused.value.code == "stream-gap"
    for turn in (turns[0], turns[0], turns[1], turns[0], turns[2], turns[1]):
        absorb(b, a.party, turn)
    assert b.accounts[a.party].received == a.accounts[b.party].objects_out
