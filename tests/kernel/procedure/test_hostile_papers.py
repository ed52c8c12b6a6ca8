"""Papers that a convener or author signed and that are not what they should be: refused with a code, or evidence, never a crash."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest

from comity.kernel.errors import ComityError
from comity.kernel.procedure import convener, replica
from comity.kernel.procedure.acts import DSSE_KIND
from comity.kernel.procedure.ledger import ENTRY, PROMISE, STANDING, claimed_entry
from comity.kernel.procedure.replica import Replica
from comity.kernel.seal import dsse
from comity.node.procedures import shipped_tables
from simulators.casework import HELD, KEYS, Case, text

TABLE = shipped_tables()["silence"]
T = text("the statement")
VALUES: tuple[Any, ...] = (
    None, True, 0, -1, 1 << 52, 1.5, "", "x", [], [[]], [["text"]], {}, {"seq": 1}, "9999-12-31T23:59:59.999Z",
    "0001-01-01T00:00:00.000Z", "00" * 32, "seat-1", "comity/x/1", [1, [2]], {"code": 1, "sentence": []},
)  # fmt: skip


def case() -> tuple[Case, list[tuple[str, bytes]]]:
    made = Case(TABLE)
    made.do("anna", "put", text=T)
    envelope = made.act("boris", "receipt", text=T)
    taken = convener.take(made.ledger, envelope, made.now, KEYS["anna"], HELD)
    _, standing = convener.standing(taken.ledger, made.now, KEYS["anna"])
    return made, [(ENTRY, taken.entries[0]), (PROMISE, taken.promises[0]), (STANDING, standing), (DSSE_KIND, envelope)]


def give(copy: Replica, kind: str, paper: bytes, at: int) -> Replica:
    if kind == ENTRY:
        return replica.take_entry(copy, paper, at, HELD)
    if kind == PROMISE:
        return replica.take_promise(copy, paper, HELD)
    if kind == STANDING:
        return replica.take_standing(copy, paper, HELD)
    return replica.hear(copy, paper, at, HELD)


@pytest.mark.parametrize("which", range(4))
def test_a_signed_paper_with_any_member_changed_is_refused_or_is_evidence(which: int) -> None:
    made, papers = case()
    kind, paper = papers[which]
    copy = made.copies["chloe"]
    assert give(copy, kind, paper, made.now) != copy
    body, _ = dsse.unverified_body(paper, kind)
    signer = KEYS["boris"] if kind == DSSE_KIND else KEYS["anna"]
    refused = 0
    for name in body:
        for value in VALUES:
            if value == body[name] and type(value) is type(body[name]):
                continue
            changed = dsse.sign(kind, {**body, name: value}, [signer])
            with suppress(ComityError):
                after = give(copy, kind, changed, made.now)
                doubtful = (
                    after.faults or after.rivals or after.waiting or after.promises or after.heard or after.standings
                )
                assert doubtful or after.placed == copy.placed
                continue
            refused += 1
        changed = dsse.sign(kind, {one: value for one, value in body.items() if one != name}, [signer])
        with pytest.raises(ComityError):
            give(copy, kind, changed, made.now)
    assert refused > 5 * len(body)


def test_an_act_with_any_public_part_is_entered_or_refused_and_never_stops_the_convener() -> None:
    made = Case(TABLE)
    made.do("anna", "put", text=T)
    for name in TABLE.acts:
        for value in VALUES:
            for public in (
                {"text": value},
                {"text": T, "until": value},
                {"party": value},
                {"origin": value},
                {"more": value},
            ):
                who = "anna" if TABLE.acts[name].by == "convener" else "boris"
                act = made.act(who, name, **public)
                made.ledger = convener.take(made.ledger, act, made.now, KEYS["anna"], HELD).ledger
                if made.ledger.state.outcome is not None:
                    made = Case(TABLE)
                    made.do("anna", "put", text=T)
                    continue
                assert claimed_entry(made.ledger.entries[-1]).act == act


def test_a_charter_with_any_member_changed_opens_nothing() -> None:
    made = Case(TABLE)
    charter = made.charter.as_json()
    for name in charter:
        for value in VALUES:
            made.procedure, public = None, {**charter, name: value}
            if public == charter:
                continue
            with pytest.raises(ComityError):
                convener.convene(TABLE, made.act("anna", "convene", n=1, **public), made.now, KEYS["anna"], HELD)
    assert convener.convene(TABLE, made.act("anna", "convene", n=1, **charter), made.now, KEYS["anna"], HELD)
