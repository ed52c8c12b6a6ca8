"""Who is a member, what is in force, and who may say so: events in the life of an agreement of three."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from comity.kernel.errors import ComityError, InputRefused, SealBroken
from comity.kernel.model.instants import DAY, HOUR, MINUTE, parse
from comity.kernel.release import instruments, jsonform, life, tomlform
from comity.kernel.release.agreement import Agreement, Reservation
from comity.kernel.release.instruments import Accession, Epoch, Renewal, Signature, Suspension, Withdrawal
from comity.kernel.release.life import AgreementState
from comity.kernel.seal import dsse
from comity.kernel.seal.keys import SigningKey

BEGIN = parse("2021-03-05T12:00:00Z")
KEYS = {
    name: SigningKey.from_seed(bytes([place]) * 32)
    for place, name in enumerate(("teamA", "teamB", "acme", "new", "thief"), 1)
}
LEASE = DAY


def party(agreement: Agreement, ref: str) -> str:
    return next(party.id for party in agreement.parties if party.ref == ref)


NEW = "identity--4b0e6d0e-6f2b-5c4e-9a53-2f6f9f3f7aff"


@pytest.fixture(scope="module")
def a(example: Agreement) -> str:
    return party(example, "teamA")


@pytest.fixture(scope="module")
def b(example: Agreement) -> str:
    return party(example, "teamB")


@pytest.fixture(scope="module")
def acme(example: Agreement) -> str:
    return party(example, "acme")


@pytest.fixture(scope="module")
def keys(a: str, b: str, acme: str) -> dict[str, Any]:
    held = {a: "teamA", b: "teamB", acme: "acme", NEW: "new"}
    return {who: {KEYS[name].public.keyid: KEYS[name].public} for who, name in held.items()}


@pytest.fixture(scope="module")
def signed(example: Agreement) -> AgreementState:
    digest = jsonform.digest(example)
    return AgreementState(example, digest, tuple((one.id, BEGIN - HOUR) for one in example.parties))


def renewed(state: AgreementState, by: str, at: int, until: int | None = None) -> AgreementState:
    epoch = life.present_epoch(state, at)
    return life.check_renewal(state, Renewal(epoch.digest, at, at + LEASE if until is None else until, by))


def live(state: AgreementState, at: int, holder: str) -> set[str]:
    """Numbers of the permits and refers that may release for a holder."""
    return {
        item.clause.number
        for item in life.in_force(state, at, holder=holder)
        if item.clause.says != "prohibit" and (item.until is None or at < item.until)
    }


# ---------------------------------------------------------------- entry into force


def test_agreement_waits_for_its_instant_and_for_the_last_signature(
    example: Agreement, signed: AgreementState, a: str
) -> None:
    draft = replace(signed, signatures=())
    assert life.status(draft, BEGIN).word == "draft"
    waiting = replace(signed, signatures=signed.signatures[:2])
    assert life.status(waiting, BEGIN).word == "proposed"
    assert "Acme Mail Hosting" in life.status(waiting, BEGIN).sentence
    assert life.in_force(waiting, BEGIN + DAY, holder=a) == ()
    assert life.entered_into_force(signed) == BEGIN
    assert life.status(signed, BEGIN - 1).word == "signed"
    assert life.in_force(signed, BEGIN - 1, holder=a) == ()
    late = replace(signed, signatures=(*signed.signatures[:2], (signed.signatures[2][0], BEGIN + 3 * DAY)))
    assert life.entered_into_force(late) == BEGIN + 3 * DAY
    assert life.in_force(late, BEGIN + DAY, holder=a) == ()
    assert life.in_force(late, BEGIN + 3 * DAY, holder=a) != ()


def test_ended_agreement_releases_nothing_more(example: Agreement, signed: AgreementState, a: str) -> None:
    end = parse("2022-03-05T12:00:00Z")
    assert live(signed, end - 1, a)
    assert life.in_force(signed, end, holder=a) == ()
    assert life.status(signed, end).word == "ended"
    stopped = replace(signed, terminated=BEGIN + DAY)
    assert life.in_force(stopped, BEGIN + DAY, holder=a) == ()
    assert life.status(stopped, BEGIN + DAY).word == "ended"


# ---------------------------------------------------------------- the lease


def test_silent_depositary_stops_everyone_after_one_lease(signed: AgreementState, a: str, b: str) -> None:
    state = renewed(signed, a, BEGIN)
    assert live(state, BEGIN + LEASE - 1, b)
    assert not live(state, BEGIN + LEASE, b)
    assert life.status(state, BEGIN + LEASE, holder=b).word == "expired"
    assert life.status(state, BEGIN + LEASE, holder=a).word == "in-force"
    assert life.expiries(state, BEGIN) == parse("2021-03-06T12:00:00Z")


def test_without_any_renewal_only_the_depositary_releases(signed: AgreementState, a: str, b: str) -> None:
    assert live(signed, BEGIN, a)
    assert not live(signed, BEGIN, b)


def test_prohibit_outlives_the_lease(signed: AgreementState, a: str, b: str) -> None:
    standing = life.in_force(renewed(signed, a, BEGIN), BEGIN + 9 * DAY, holder=b)
    assert [item.clause.number for item in standing if item.clause.says == "prohibit"] == ["3"]
    assert all(item.until is not None and item.until <= BEGIN + 9 * DAY for item in standing)


def test_clock_of_the_depositary_an_hour_fast_gives_nothing_early_and_nothing_longer(
    signed: AgreementState, a: str, b: str
) -> None:
    state = renewed(signed, a, BEGIN + HOUR)
    assert not live(state, BEGIN + HOUR - 1, b)
    assert live(state, BEGIN + HOUR, b)
    assert not live(state, BEGIN + HOUR + LEASE, b)


def test_clock_of_the_depositary_an_hour_slow_only_shortens_the_lease(signed: AgreementState, a: str, b: str) -> None:
    state = renewed(signed, a, BEGIN + 2 * DAY - HOUR)
    assert life.lease_end(state, BEGIN + 2 * DAY, b) == BEGIN + 3 * DAY - HOUR


def test_renewal_longer_than_the_lease_is_refused(signed: AgreementState, a: str) -> None:
    for until in (BEGIN + LEASE + 1, BEGIN, BEGIN - 1):
        with pytest.raises(InputRefused) as refused:
            renewed(signed, a, BEGIN, until)
        assert refused.value.code == "renewal-term"


def test_renewal_by_a_party_that_is_not_the_depositary_is_refused(
    signed: AgreementState, a: str, b: str, acme: str
) -> None:
    state = renewed(signed, a, BEGIN)
    for by in (acme, NEW):
        with pytest.raises(InputRefused) as refused:
            renewed(state, by, BEGIN + 9 * DAY)
        assert refused.value.code == "renewal-signer"
    with pytest.raises(InputRefused) as refused:
        renewed(state, b, BEGIN + LEASE - 1)
    assert refused.value.code == "renewal-signer"


def test_forged_renewal_slipped_into_the_papers_still_does_not_count(
    signed: AgreementState, a: str, b: str, acme: str
) -> None:
    state = renewed(signed, a, BEGIN)
    epoch = life.present_epoch(state, BEGIN).digest
    forged = replace(state, renewals=(*state.renewals, Renewal(epoch, BEGIN + 20 * HOUR, BEGIN + 40 * HOUR, acme)))
    assert life.lease_end(forged, BEGIN + 30 * HOUR, b) == BEGIN + LEASE
    long = replace(state, renewals=(Renewal(epoch, BEGIN, BEGIN + 900 * DAY, a),))
    assert life.lease_end(long, BEGIN, b) == BEGIN + LEASE


def test_successor_renews_after_one_lease_of_silence(signed: AgreementState, a: str, b: str, acme: str) -> None:
    state = renewed(renewed(signed, a, BEGIN), b, BEGIN + LEASE)
    assert live(state, BEGIN + LEASE, acme)
    assert not live(state, BEGIN + 2 * LEASE, a), "a depositary that was succeeded needs a renewal like everybody"
    back = renewed(state, a, BEGIN + 3 * LEASE)
    assert live(back, BEGIN + 9 * LEASE, a)


def test_renewal_for_an_epoch_nobody_knows_is_refused_and_ends_the_lease(
    signed: AgreementState, a: str, b: str
) -> None:
    state = renewed(signed, a, BEGIN)
    unknown = Renewal("ff" * 32, BEGIN + HOUR, BEGIN + HOUR + LEASE, a)
    with pytest.raises(InputRefused) as refused:
        life.check_renewal(state, unknown)
    assert refused.value.code == "renewal-term"
    stale = replace(state, renewals=(*state.renewals, unknown))
    assert live(stale, BEGIN + HOUR - 1, b)
    assert not live(stale, BEGIN + HOUR, b)


@settings(max_examples=60, deadline=None)
@given(
    gaps=st.lists(st.integers(0, 2 * LEASE), max_size=6),
    moments=st.lists(st.integers(0, 20 * DAY), min_size=1, max_size=6).map(sorted),
)
def test_releases_need_a_young_renewal_and_never_come_back_without_one(
    signed: AgreementState, a: str, b: str, gaps: list[int], moments: list[int]
) -> None:
    state, at = signed, BEGIN
    for gap in gaps:
        at += gap
        state = renewed(state, a, at)
    for moment in moments:
        now = BEGIN + moment
        young = any(renewal.at <= now < renewal.at + LEASE for renewal in state.renewals)
        assert bool(live(state, now, b)) == young
    last = max([BEGIN, *(renewal.at for renewal in state.renewals)])
    assert not any(live(state, last + LEASE + later, b) for later in moments)


@settings(max_examples=60, deadline=None)
@given(gaps=st.lists(st.integers(0, 2 * LEASE), max_size=4), offset=st.integers(-2 * DAY, 400 * DAY))
def test_nothing_changes_between_two_instants_that_are_told(
    signed: AgreementState, a: str, b: str, gaps: list[int], offset: int
) -> None:
    state, at = signed, BEGIN
    for gap in gaps:
        at += gap
        state = renewed(state, a, at)
    state = replace(state, suspensions=(Suspension(state.digest, a, BEGIN, BEGIN + DAY, BEGIN + 2 * DAY),))
    now = BEGIN + offset
    then = life.expiries(state, now)
    for holder in (a, b):
        before = live(state, now, holder)
        for later in (now + MINUTE, now + DAY, now + 30 * DAY, (then or now) - 1):
            if then is None or now <= later < then:
                assert live(state, later, holder) == before


# ---------------------------------------------------------------- membership


def test_expelled_party_is_out_at_the_instant_of_the_epoch(signed: AgreementState, a: str, b: str, acme: str) -> None:
    epoch = life.next_epoch(signed, [a, b], BEGIN + DAY)
    state = life.check_epoch(signed, epoch, [a, b])
    assert acme in life.members(state, BEGIN + DAY - 1)
    assert acme not in life.members(state, BEGIN + DAY)
    assert live(state, BEGIN + DAY, a)
    assert all(acme not in item.receivers for item in life.in_force(state, BEGIN + DAY, holder=a))
    assert life.in_force(state, BEGIN + DAY, holder=acme) == ()
    assert life.status(state, BEGIN + DAY, holder=acme).word == "withdrawn"


def test_epoch_with_a_skipped_number_is_refused(signed: AgreementState, a: str, b: str) -> None:
    epoch = life.next_epoch(signed, [a, b], BEGIN)
    for wrong in (
        replace(epoch, number=3),
        replace(epoch, number=1),
        replace(epoch, previous="00" * 32),
        replace(epoch, previous=None),
        replace(epoch, agreement="00" * 32),
        replace(epoch, effective=BEGIN - 1),
    ):
        with pytest.raises(InputRefused) as refused:
            life.check_epoch(signed, wrong, [a, b])
        assert refused.value.code == "epoch-order"
        with pytest.raises(InputRefused):
            AgreementState(signed.agreement, signed.digest, signed.signatures, (wrong,))


def test_second_epoch_of_the_same_number_is_refused(signed: AgreementState, a: str, b: str, acme: str) -> None:
    state = life.check_epoch(signed, life.next_epoch(signed, [a, b], BEGIN), [a, b])
    with pytest.raises(InputRefused) as refused:
        life.check_epoch(state, life.next_epoch(signed, [a, acme], BEGIN), [a, acme])
    assert refused.value.code == "epoch-order"


@pytest.mark.parametrize("signers", [["a"], ["b"], ["acme"], ["b", "acme"], []])
def test_epoch_without_the_depositary_or_enough_members_is_refused(
    signed: AgreementState, a: str, b: str, acme: str, signers: list[str]
) -> None:
    who = {"a": a, "b": b, "acme": acme}
    with pytest.raises(InputRefused) as refused:
        life.check_epoch(signed, life.next_epoch(signed, [a, b], BEGIN), [who[name] for name in signers])
    assert refused.value.code == "epoch-signatures"


def test_depositary_alone_cannot_expel_everybody_at_once(signed: AgreementState, a: str) -> None:
    with pytest.raises(InputRefused) as refused:
        life.check_epoch(signed, life.next_epoch(signed, [a], BEGIN), [a])
    assert refused.value.code == "epoch-signatures"


def test_members_may_expel_the_depositary_and_its_successor_orders(
    signed: AgreementState, a: str, b: str, acme: str
) -> None:
    state = life.check_epoch(signed, life.next_epoch(signed, [b, acme], BEGIN), [b, acme])
    assert live(state, BEGIN + HOUR, b), "the successor is the depositary now"
    assert life.in_force(state, BEGIN + HOUR, holder=a) == ()
    with pytest.raises(InputRefused):
        renewed(state, a, BEGIN + HOUR)


def test_either_of_two_may_end_new_releases_alone(example_text: str) -> None:
    text = example_text.replace('["teamB"]                  ', '["teamB"]')
    two = tomlform.read(text)
    parties = tuple(one for one in two.parties if one.ref != "acme")
    clauses = tuple(one for one in two.clauses if "acme" not in (*one.sender, *one.to))
    two = replace(two, parties=parties, clauses=clauses, reservations=())
    state = AgreementState(two, jsonform.digest(two), tuple((one.id, BEGIN) for one in parties))
    one, other = (entry.id for entry in parties)
    assert live(state, BEGIN, one)
    for signer, left in ((other, [one]), (other, [other]), (one, []), (one, [other])):
        ended = life.check_epoch(state, life.next_epoch(state, left, BEGIN + HOUR), [signer])
        assert not live(ended, BEGIN + HOUR, one)
        assert not live(ended, BEGIN + HOUR, other)
    with pytest.raises(InputRefused):
        life.check_epoch(state, life.next_epoch(state, [one], BEGIN + HOUR), [NEW])
    alone = life.check_epoch(state, life.next_epoch(state, [one], BEGIN + HOUR), [other])
    with pytest.raises(InputRefused):
        life.check_epoch(alone, life.next_epoch(alone, [one, other], BEGIN + 2 * HOUR), [one])


def test_acceding_party_joins_the_group_that_grows(signed: AgreementState, a: str, b: str, acme: str) -> None:
    epoch = life.next_epoch(signed, [a, b, acme, NEW], BEGIN + DAY)
    state = life.check_epoch(signed, epoch, [a, b, acme], acceding={NEW: "csirt"})
    first = next(item for item in life.in_force(state, BEGIN + DAY, holder=a) if item.clause.number == "1")
    assert first.receivers == {a, b, NEW}
    seventh = next(item for item in life.in_force(state, BEGIN + DAY, holder=a) if item.clause.number == "7")
    assert seventh.receivers == {acme}
    for acceding in ({}, {NEW: "company"}):
        with pytest.raises(InputRefused) as refused:
            life.check_epoch(signed, epoch, [a, b, acme], acceding=acceding)
        assert refused.value.code == "epoch-member"
    with pytest.raises(InputRefused) as refused:
        life.check_epoch(signed, epoch, [a, b], acceding={NEW: "csirt"})
    assert refused.value.code == "epoch-signatures"


def test_withdrawn_party_gets_nothing_after_its_notice(signed: AgreementState, a: str, b: str) -> None:
    with pytest.raises(InputRefused) as refused:
        life.check_withdrawal(signed, Withdrawal(signed.digest, b, BEGIN, BEGIN + 29 * DAY))
    assert refused.value.code == "withdrawal-notice"
    out = BEGIN + 30 * DAY
    state = life.check_withdrawal(signed, Withdrawal(signed.digest, b, BEGIN, out))
    assert any(b in item.receivers for item in life.in_force(state, out - 1, holder=a))
    assert not any(b in item.receivers | item.senders for item in life.in_force(state, out, holder=a))
    assert life.expiries(state, BEGIN + 29 * DAY) == out


def test_withdrawn_party_does_not_come_back_by_an_epoch_signed_before_its_notice_was_known(
    signed: AgreementState, a: str, b: str, acme: str
) -> None:
    unaware = life.next_epoch(signed, [a, b, acme, NEW], BEGIN + 40 * DAY)
    state = life.check_epoch(signed, unaware, [a, b, acme], acceding={NEW: "csirt"})
    state = life.check_withdrawal(state, Withdrawal(state.digest, b, BEGIN, BEGIN + 30 * DAY))
    assert b not in life.members(state, BEGIN + 41 * DAY)
    with pytest.raises(InputRefused) as refused:
        life.check_epoch(state, life.next_epoch(state, [a, b, acme], BEGIN + 50 * DAY), [a, b, acme, NEW])
    assert refused.value.code == "epoch-member"
    dropped = life.check_epoch(state, life.next_epoch(state, [a, acme, NEW], BEGIN + 50 * DAY), [a, acme, NEW])
    again = life.next_epoch(dropped, [a, b, acme, NEW], BEGIN + 60 * DAY)
    with pytest.raises(InputRefused):
        life.check_epoch(dropped, again, [a, acme, NEW])
    returned = life.check_epoch(dropped, again, [a, acme, NEW, b])
    assert b in life.members(returned, BEGIN + 60 * DAY)


def test_suspension_stops_releases_to_and_from_and_leaves_the_prohibit(
    signed: AgreementState, a: str, b: str, acme: str
) -> None:
    state = life.check_suspension(signed, Suspension(signed.digest, acme, BEGIN, BEGIN + DAY, None))
    at = BEGIN + DAY
    permits = [item for item in life.in_force(state, at, holder=a) if item.clause.says != "prohibit"]
    assert permits
    assert all(acme not in item.receivers | item.senders for item in permits)
    assert any(item.clause.number == "3" and acme in item.receivers for item in life.in_force(state, at, holder=a))
    assert life.status(state, at, holder=acme).word == "suspended"
    lifted = life.check_suspension(state, Suspension(signed.digest, acme, at, BEGIN + DAY, BEGIN + 2 * DAY))
    assert life.status(
        replace(lifted, renewals=renewed(lifted, a, BEGIN + 2 * DAY).renewals), BEGIN + 2 * DAY, holder=acme
    ).word == ("in-force")


# ---------------------------------------------------------------- reservations


def test_reservation_shortens_retention_for_its_maker_only(signed: AgreementState, a: str, b: str, acme: str) -> None:
    state = renewed(signed, a, BEGIN)
    second = [item for item in life.in_force(state, BEGIN, holder=acme) if item.clause.number == "2"]
    assert {(item.receivers, item.clause.retention) for item in second} == {
        (frozenset({a}), "P180D"),
        (frozenset({b}), "P90D"),
    }


@settings(max_examples=80, deadline=None)
@given(data=st.data())
def test_reservations_only_tighten_and_cut_no_pair_in_two(example: Agreement, data: st.DataObject) -> None:
    refs = [one.ref for one in example.parties]
    effects = st.fixed_dictionaries(
        {},
        optional={
            "retention": st.sampled_from(["P1D", "P90D", "P180D"]),
            "onward": st.sampled_from(["none", "with-consent", "clients"]),
            "min_confidence": st.sampled_from(["med", "high"]),
        },
    )
    made = [Reservation(ref, "2", {"en": "x"}, data.draw(effects), "P1D") for ref in data.draw(st.permutations(refs))]
    agreement = replace(example, reservations=tuple(made))
    assert tomlform.read(tomlform.write(agreement)) == agreement
    state = AgreementState(agreement, "ab" * 32, tuple((one.id, BEGIN) for one in agreement.parties))
    written = next(clause for clause in agreement.clauses if clause.number == "2")
    pairs: dict[tuple[str, str], Any] = {}
    for item in life.in_force(state, BEGIN, holder=party(agreement, "teamA")):
        if item.clause.number != "2":
            continue
        assert (
            life.tighter({"retention": item.clause.retention or "", "onward": item.clause.onward or ""}, written)
            is None
        )
        for giver in item.senders:
            for taker in item.receivers:
                assert (giver, taker) not in pairs
                pairs[giver, taker] = item.clause
    acme = party(agreement, "acme")
    assert set(pairs) == {(acme, party(agreement, "teamA")), (acme, party(agreement, "teamB"))}
    for (giver, taker), clause in pairs.items():
        for one in made:
            if party(agreement, one.by) in (giver, taker) and one.effect.get("onward") == "none":
                assert clause.onward == "none"


# ---------------------------------------------------------------- signed papers


def test_each_paper_reads_back_as_it_was_signed(signed: AgreementState, keys: Any, a: str, b: str) -> None:
    digest = signed.digest
    papers = [
        Signature(digest, a, BEGIN),
        Accession(digest, a, "csirt", BEGIN),
        Suspension(digest, a, BEGIN, BEGIN + 1, None),
        Suspension(digest, a, BEGIN, BEGIN, BEGIN + DAY),
        Withdrawal(digest, a, BEGIN, BEGIN + DAY),
        Renewal("ab" * 32, BEGIN, BEGIN + DAY, a),
    ]
    for paper in papers:
        envelope = instruments.sign(paper, [KEYS["teamA"]])
        assert instruments.OPENERS[paper.KIND](envelope, keys) == paper
    epoch = life.next_epoch(signed, [a, b], BEGIN)
    envelope = dsse.countersign(instruments.sign(epoch, [KEYS["teamA"]]), "epoch", KEYS["teamB"])
    assert instruments.open_epoch(envelope, keys) == (epoch, frozenset({a, b}))


def test_paper_signed_by_another_partys_key_is_refused(signed: AgreementState, keys: Any, a: str) -> None:
    for paper in (Signature(signed.digest, a, BEGIN), Withdrawal(signed.digest, a, BEGIN, BEGIN + 30 * DAY)):
        for thief in ("teamB", "thief"):
            with pytest.raises(SealBroken):
                instruments.OPENERS[paper.KIND](instruments.sign(paper, [KEYS[thief]]), keys)
    with pytest.raises(SealBroken):
        instruments.open_renewal(instruments.sign(Renewal("ab" * 32, BEGIN, BEGIN + 1, a), [KEYS["thief"]]), keys)


def test_renewal_signed_by_a_stranger_to_the_depositary_role_names_that_signer(
    signed: AgreementState, keys: Any, acme: str
) -> None:
    epoch = life.present_epoch(signed, BEGIN).digest
    opened = instruments.open_renewal(
        instruments.sign(Renewal(epoch, BEGIN, BEGIN + HOUR, "ignored"), [KEYS["acme"]]), keys
    )
    assert opened.by == acme
    with pytest.raises(InputRefused) as refused:
        life.check_renewal(signed, opened)
    assert refused.value.code == "renewal-signer"


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-5, 5)
    | st.text(max_size=8)
    | st.just("2021-03-05T12:00:00Z")
    | st.just("ab" * 32),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_malformed_paper_under_a_good_signature_is_refused(
    signed: AgreementState, keys: Any, a: str, data: st.DataObject
) -> None:
    papers = [
        Signature(signed.digest, a, BEGIN),
        Epoch(signed.digest, 2, "ab" * 32, (a,), BEGIN),
        Renewal("ab" * 32, BEGIN, BEGIN + DAY, a),
        Accession(signed.digest, a, "csirt", BEGIN),
        Suspension(signed.digest, a, BEGIN, BEGIN + 1, None),
        Withdrawal(signed.digest, a, BEGIN, BEGIN + DAY),
    ]
    paper = data.draw(st.sampled_from(papers))
    body = paper.body()
    key = data.draw(st.sampled_from([*body, "more"]))
    if data.draw(st.booleans()) and key in body:
        del body[key]
    else:
        body[key] = data.draw(JSON)
    envelope = dsse.sign(paper.KIND, body, [KEYS["teamA"]])
    code = None
    try:
        instruments.OPENERS[paper.KIND](envelope, keys)
    except ComityError as refused:
        code = refused.code
    assert code in {None, "membership-malformed", "unknown-signer"}
    assert code is not None or set(body) == set(paper.body())


def test_shuffled_members_make_no_second_epoch_of_the_same_meaning(
    signed: AgreementState, keys: Any, a: str, b: str
) -> None:
    body = life.next_epoch(signed, [a, b], BEGIN).body()
    body["members"].reverse()
    with pytest.raises(InputRefused) as refused:
        instruments.open_epoch(dsse.sign("epoch", body, [KEYS["teamA"]]), keys)
    assert refused.value.code == "membership-malformed"
