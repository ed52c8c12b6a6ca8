"""Acts and promises: what is signed, what convicts, and what never may."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from comity.kernel.errors import ComityError, InputRefused, LogFault, SealBroken
from comity.kernel.model.instants import MINUTE, SECOND
from comity.kernel.seal import dsse
from comity.kernel.seal.canonical import canonical
from comity.kernel.seal.keys import SigningKey
from comity.kernel.tlog.acts import KINDS, Act, act_digest, make_act, officers_commitment, open_act
from comity.kernel.tlog.checkpoint import Checkpoint, origin, raw_key, sign_checkpoint
from comity.kernel.tlog.promises import (
    Gap,
    Opening,
    Promise,
    State,
    TwoPromises,
    convicts,
    make_promise,
    open_promise,
    overdue,
    state,
    verify_kept,
    verify_two_promises,
)
from comity.kernel.tlog.proof import LogProof
from comity.kernel.tlog.ticks import act_leaf, inner_proof, inner_root, record_hash
from comity.kernel.tlog.tree import inclusion_proof, root_of

BY = "identity--5f3cb5a2-9dd6-5a8b-a9cf-6d5b9cf07c1c"
TO = "identity--1c4a1d2e-0f6a-5b7c-8d9e-2f3a4b5c6d7e"
LOG = origin(BY, 1)
NODE = SigningKey.from_seed(b"\x01" * 32)
LOGKEY = SigningKey.from_seed(b"\x02" * 32)
NODE_KEYS = {NODE.public.keyid: NODE.public}
LOG_KEYS = {LOGKEY.public.keyid: LOGKEY.public}
RAW = raw_key(LOGKEY.public.spki)
AT = 1_614_686_400 * SECOND
SECRET = b"\x03" * 32

ACT = Act(
    kind="deliver",
    id="comity-act--3b0e3b0e-7c1d-4f5a-9a1b-000000000001",
    by=BY,
    to=TO,
    at=AT,
    origin=LOG,
    seq=1,
    previous=None,
    body={"page": "00" * 32},
    title="ab" * 32 + "#4",
    epoch="cd" * 32,
    officers=officers_commitment(bytes(16), ["officer one"], "agreed on the telephone"),
)


def test_an_act_signed_and_opened_is_the_same_act() -> None:
    envelope = make_act(ACT, NODE)
    assert open_act(envelope, NODE_KEYS) == ACT
    assert make_act(ACT, NODE) == envelope
    for kind, sentence in KINDS.items():
        assert open_act(make_act(replace(ACT, kind=kind), NODE), NODE_KEYS).kind == kind
        assert sentence.endswith(".")


@settings(max_examples=120, deadline=None)
@given(st.data())
def test_every_changed_byte_of_an_act_is_refused(data: st.DataObject) -> None:
    envelope = bytearray(make_act(ACT, NODE))
    at, value = data.draw(st.integers(0, len(envelope) - 1)), data.draw(st.integers(1, 255))
    envelope[at] ^= value
    with pytest.raises((SealBroken, InputRefused)):
        open_act(bytes(envelope), NODE_KEYS)


def test_an_act_by_a_key_of_nobody_we_know_is_refused() -> None:
    with pytest.raises(SealBroken):
        open_act(make_act(ACT, LOGKEY), NODE_KEYS)


def test_a_promise_cannot_be_passed_off_as_an_act() -> None:
    promise = make_promise(Promise(act_digest(b""), LOG, 1, 1), NODE)
    with pytest.raises(SealBroken):
        open_act(promise, NODE_KEYS)


@pytest.mark.parametrize(
    "change",
    [
        {"form": 2},
        {"form": True},
        {"kind": "hack-back"},
        {"kind": 1},
        {"id": "comity-act--nothing"},
        {"id": "identity--3b0e3b0e-7c1d-4f5a-9a1b-000000000001"},
        {"by": TO},
        {"by": None},
        {"to": "everybody"},
        {"to": [TO]},
        {"at": "yesterday"},
        {"at": 5},
        {"origin": "example.com/log"},
        {"origin": origin(TO, 1)},
        {"seq": 0},
        {"seq": 1.5},
        {"seq": True},
        {"seq": 2},
        {"previous": "00" * 32},
        {"previous": "zz"},
        {"epoch": "AB" * 32},
        {"officers": "x"},
        {"title": 7},
        {"body": None},
        {"body": []},
    ],
)
def test_a_signed_act_that_says_what_no_act_can_say_is_refused(change: dict[str, Any]) -> None:
    body = ACT.as_json() | change
    with pytest.raises(InputRefused) as refused:
        open_act(dsse.sign("act", body, [NODE]), NODE_KEYS)
    assert refused.value.code in {"act", "log-origin"}


@pytest.mark.parametrize("name", sorted(set(ACT.as_json()) - {"to", "title", "epoch", "previous", "officers"}))
def test_an_act_that_leaves_out_what_every_act_says_is_refused(name: str) -> None:
    body = {key: value for key, value in ACT.as_json().items() if key != name}
    with pytest.raises(InputRefused):
        open_act(dsse.sign("act", body, [NODE]), NODE_KEYS)


def test_members_of_a_later_version_do_not_stop_an_act() -> None:
    assert open_act(dsse.sign("act", ACT.as_json() | {"mandate": "later"}, [NODE]), NODE_KEYS) == ACT


def test_the_officers_behind_an_act_cannot_be_guessed_without_the_salt() -> None:
    one = officers_commitment(bytes(16), ["officer one"], "")
    assert one != officers_commitment(b"\x01" * 16, ["officer one"], "")
    assert one != officers_commitment(bytes(16), ["officer two"], "")
    assert one != officers_commitment(bytes(16), ["officer one"], "because")


PROMISE = Promise(act_digest(make_act(ACT, NODE)), LOG, 10, 77)


def test_a_promise_signed_and_opened_is_the_same_promise() -> None:
    assert open_promise(make_promise(PROMISE, LOGKEY), LOG_KEYS) == PROMISE
    with pytest.raises(SealBroken):
        open_promise(make_promise(PROMISE, NODE), LOG_KEYS)


@pytest.mark.parametrize(
    "change",
    [{"act": "x"}, {"act": "AB" * 32}, {"tick": -1}, {"tick": 1 << 60}, {"place": 4096}, {"place": -1}, {"place": "1"},
     {"origin": "x"}, {"form": 2}, {"tick": None}],
)  # fmt: skip
def test_a_signed_promise_that_says_what_none_can_say_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(InputRefused):
        open_promise(dsse.sign("promise", PROMISE.as_json() | change, [LOGKEY]), LOG_KEYS)


def test_two_promises_for_one_place_convict_and_the_file_convinces_a_third() -> None:
    other = replace(PROMISE, act="00" * 32)
    assert convicts(PROMISE, other)
    data = TwoPromises(make_promise(PROMISE, LOGKEY), make_promise(other, LOGKEY)).to_json()
    assert verify_two_promises(data, LOGKEY.public) == (PROMISE, other)


def test_promises_that_can_both_be_kept_convict_nobody() -> None:
    for other in (
        PROMISE,
        replace(PROMISE, act="00" * 32, place=78),
        replace(PROMISE, act="00" * 32, tick=11),
        replace(PROMISE, act="00" * 32, origin=origin(BY, 2)),
    ):
        assert not convicts(PROMISE, other)
        data = TwoPromises(make_promise(PROMISE, LOGKEY), make_promise(other, LOGKEY)).to_json()
        with pytest.raises(InputRefused, match="nobody is convicted"):
            verify_two_promises(data, LOGKEY.public)


def test_a_second_promise_forged_by_somebody_else_convicts_nobody() -> None:
    forged = TwoPromises(make_promise(PROMISE, LOGKEY), make_promise(replace(PROMISE, act="00" * 32), NODE)).to_json()
    with pytest.raises(SealBroken):
        verify_two_promises(forged, LOGKEY.public)


@settings(max_examples=80, deadline=None)
@given(st.data())
def test_every_changed_byte_of_the_evidence_of_two_promises_is_refused(data: st.DataObject) -> None:
    other = replace(PROMISE, act="00" * 32)
    blob = bytearray(TwoPromises(make_promise(PROMISE, LOGKEY), make_promise(other, LOGKEY)).to_json())
    at, value = data.draw(st.integers(0, len(blob) - 1)), data.draw(st.integers(1, 255))
    blob[at] ^= value
    with pytest.raises(ComityError):
        verify_two_promises(bytes(blob), LOGKEY.public)


def test_evidence_of_another_shape_is_refused() -> None:
    for value in ({}, {"form": 1, "type": "comity-two-promises", "promises": [1, 2]}, [], {"form": 1, "promises": 1}):
        with pytest.raises(InputRefused):
            verify_two_promises(canonical(value), LOGKEY.public)


def world(envelope: bytes, *, tick: int = 10, place: int = 77, size: int = 20) -> Opening:
    """A log of `size` ticks with one act in it, and the act opened."""
    salt = b"\x05" * 16
    acts = {place: act_leaf(salt, envelope)}
    roots = [inner_root(acts if number == tick else {}, SECRET, number) for number in range(size)]
    leaves = [record_hash(root) for root in roots]
    note = sign_checkpoint(Checkpoint(LOG, size, root_of(leaves)), LOGKEY)
    path = inclusion_proof(tick, size, lambda level, index: root_of(leaves[index << level : (index + 1) << level]))
    return Opening(
        envelope, salt, place, inner_proof(acts, SECRET, tick, place), roots[tick], LogProof(tick, path, note)
    )


def test_a_kept_promise_is_proved_by_twelve_hashes_and_the_outer_proof() -> None:
    assert verify_kept(PROMISE, world(make_act(ACT, NODE)), RAW) == 20


def test_a_place_opened_to_another_act_convicts() -> None:
    another = make_act(replace(ACT, body={"page": "11" * 32}), NODE)
    with pytest.raises(LogFault) as convicted:
        verify_kept(PROMISE, world(another), RAW)
    assert convicted.value.code == "promise-broken"


def test_a_broken_proof_of_another_act_convicts_nobody() -> None:
    another = make_act(replace(ACT, body={}), NODE)
    honest = world(make_act(ACT, NODE))
    for opening in (
        replace(honest, envelope=another),
        replace(honest, envelope=another, salt=b"\x06" * 16),
        replace(world(another), outer=honest.outer),
        replace(world(another), root=honest.root),
        replace(honest, inner=world(another).inner[:-1]),
        replace(world(another), outer=replace(world(another).outer, note=honest.outer.note)),
    ):
        with pytest.raises(SealBroken):
            verify_kept(PROMISE, opening, RAW)


def test_a_proof_of_another_place_says_nothing_about_the_promise() -> None:
    for opening in (world(make_act(ACT, NODE), place=78), world(make_act(ACT, NODE), tick=11)):
        with pytest.raises(InputRefused, match="another place"):
            verify_kept(PROMISE, opening, RAW)


def test_a_proof_that_does_not_come_reads_overdue_and_never_guilt() -> None:
    origin_at = AT
    ends = origin_at + 11 * MINUTE

    def seen(now: int, size: int = 0, **more: Any) -> State:
        return state(PROMISE, size=size, period=MINUTE, now=now, origin_at=origin_at, **more)

    assert seen(ends - 1) is State.PENDING
    assert seen(ends + 2 * MINUTE - 1) is State.PENDING
    assert seen(ends + 2 * MINUTE) is State.OVERDUE
    assert seen(0, size=12) is State.PENDING
    assert seen(0, size=13) is State.OVERDUE, "the log's own size tells that it is late, though our clock is slow"
    assert seen(ends + 99 * MINUTE, size=200) is State.OVERDUE
    assert seen(ends + 99 * MINUTE, proved=True) is State.PROVED


def test_a_promise_in_a_gap_that_a_restore_names_is_lost_and_no_guilt() -> None:
    gap = Gap(LOG, 8, 12)

    def seen(promise: Promise, **more: Any) -> State:
        return state(promise, size=99, period=MINUTE, now=AT, origin_at=AT, gaps=[gap], **more)

    assert seen(PROMISE) is State.LOST
    assert seen(replace(PROMISE, tick=7)) is State.OVERDUE
    assert seen(replace(PROMISE, tick=12)) is State.OVERDUE
    assert seen(replace(PROMISE, origin=origin(BY, 2))) is State.OVERDUE
    assert seen(PROMISE, proved=True) is State.PROVED


def test_a_conviction_outweighs_proof_and_gap() -> None:
    double = replace(PROMISE, act="00" * 32)
    for more in ({"others": [double]}, {"opened_to_another": True}):
        found = state(PROMISE, size=0, period=MINUTE, now=AT, origin_at=AT, proved=True, gaps=[Gap(LOG, 0, 99)], **more)
        assert found is State.CONVICTS


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 1 << 40), st.integers(0, 1 << 20), st.sampled_from([SECOND, MINUTE]))
def test_a_promise_once_overdue_stays_so_as_time_passes(later: int, size: int, period: int) -> None:
    now = AT + later
    if overdue(PROMISE, size, period, now, origin_at=AT):
        assert overdue(PROMISE, size + 1, period, now, origin_at=AT)
        assert overdue(PROMISE, size, period, now + period, origin_at=AT)
