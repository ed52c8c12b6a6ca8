"""Measures under an agreement as the template for a response writes it, with nothing added."""

from __future__ import annotations

from comity.kernel.release.templates import response
from simulators.measuresroom import GREEN, Room

A, B = "Alpha", "Beta"


def test_parties_under_the_template_of_a_response_decide_on_a_measure_that_both_were_given() -> None:
    room = Room()
    for name in (A, B):
        room.node(name, kind="ministry")
    room.introduce(A, B)
    room.agree(response(room.parties(A, B), enters_into_force=room.at), A, B)
    room.incident(A)
    room.sync(A, B)
    measure = room.propose(A, **GREEN)
    room.sync(A, B)
    case = room.decide(A, measure, "unanimity", B)
    for one in (A, B):
        room.tell(one, "measure vote", case=case, for_=True)
        room.sync(A, B)
    assert room.shown(B, measure)["state"] == "adopted"
