"""Positions: nobody reads early, nothing is changed or copied, m trustees open what its author refuses, liars are named."""

from __future__ import annotations

import json
from base64 import b64decode
from collections.abc import Iterable
from dataclasses import replace
from hashlib import sha256, shake_256
from itertools import combinations
from typing import Any

import orjson
import pytest
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from hypothesis import given, settings
from hypothesis import strategies as st

from comity.kernel.errors import ComityError, InputRefused, NotAllowed, SealBroken, Usage
from comity.kernel.model.ids import party_id
from comity.kernel.model.instants import HOUR, MINUTE, parse
from comity.kernel.procedure import positions, shamir
from comity.kernel.procedure.positions import (
    BUCKETS,
    MOST_POSITION,
    Committed,
    Dealing,
    Evidence,
    Opened,
    Round,
    Share,
    acknowledge,
    combine,
    commit,
    open_position,
    randomness_needed,
    read_evidence,
    read_round,
    receive_share,
    release_share,
    table,
    verify_commitment,
    verify_evidence,
    verify_holding,
    verify_opening,
    verify_share,
)
from comity.kernel.seal import dsse
from comity.kernel.seal.canonical import canonical
from comity.kernel.seal.keys import SigningKey

SIGN = {party_id(key.public.spki): key for key in (SigningKey.from_seed(bytes([n]) * 32) for n in range(1, 7))}
A, B, C, D, E, F = SIGN
KEYS = {party: {key.public.keyid: key.public} for party, key in SIGN.items()}
CLOSES = parse("2021-07-12T12:00:00Z")
BEFORE, FORCED = CLOSES - HOUR, CLOSES + 2 * HOUR
ROUND = Round("procedure--1", 1, (A, B, C), (A, B, C, D, E), 3, CLOSES, FORCED)
SAID = {"claim": 6, "confidence": "high", "reasons": ["infrastructure", "victims"]}


def drawn(seed: Any, needed: int) -> bytes:
    return shake_256(repr(seed).encode()).digest(needed)


def made(author: str = A, said: Any = SAID, seed: Any = 0, round: Round = ROUND) -> Dealing:
    return commit(round, author, said, drawn((author, seed), randomness_needed(round.threshold)), SIGN[author])


def taken(dealing: Dealing, round: Round = ROUND) -> Committed:
    return verify_commitment(round, dealing.commitment, KEYS, arrived=BEFORE)


def released(dealing: Dealing, who: Iterable[str], round: Round = ROUND) -> list[Share]:
    """What each of these trustees would release and everybody verify."""
    committed, deals = taken(dealing, round), dict(dealing.deals)
    out = []
    for one in who:
        share = receive_share(round, committed, deals[one], KEYS)
        envelope = release_share(round, committed, share, SIGN[one], at=FORCED)
        out.append(verify_share(round, committed, envelope, KEYS, at=FORCED))
    return out


def refused(code: str, call: Any) -> ComityError:
    with pytest.raises(ComityError) as caught:
        call()
    assert caught.value.code == code, caught.value.sentence
    return caught.value


def body_of(envelope: bytes) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(b64decode(json.loads(envelope)["payload"]))
    return body


# ---------------------------------------------------------------- the honest way


def test_a_position_is_opened_by_its_author_when_all_are_in() -> None:
    dealing = made()
    committed = taken(dealing)
    opening = open_position(ROUND, committed, dealing.secret, SIGN[A])
    opened = verify_opening(ROUND, committed, opening, KEYS, in_hand=[A, B, C], at=BEFORE)
    assert opened == Opened(A, committed.id, SAID, dealing.secret.salt)


@pytest.mark.parametrize("who", list(combinations((B, C, D, E), 3)))
def test_any_three_of_the_four_trustees_open_what_its_author_refuses(who: tuple[str, ...]) -> None:
    dealing = made()
    opened = combine(ROUND, taken(dealing), released(dealing, who))
    assert (opened.position, opened.by, opened.evidence) == (SAID, who, ())


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_any_m_of_n_shares_give_the_key(data: st.DataObject) -> None:
    n = data.draw(st.integers(2, 30) | st.just(255))
    m = data.draw(st.integers(2, min(n, 12)))
    key, *coefficients = data.draw(st.lists(st.binary(min_size=32, max_size=32), min_size=m, max_size=m))
    chosen = data.draw(st.lists(st.integers(1, n), min_size=m, max_size=m, unique=True))
    points = [(place, shamir.value_at(place, key, coefficients)) for place in chosen]
    assert shamir.interpolate(points, 0) == key
    other = data.draw(st.integers(1, n))
    assert shamir.interpolate(points, other) == shamir.value_at(other, key, coefficients)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_with_one_share_too_few_every_key_remains_possible(data: st.DataObject) -> None:
    """For any other key there is exactly one way to deal it that gives these very shares: they tell nothing."""
    m = data.draw(st.integers(2, 8))
    word = st.binary(min_size=32, max_size=32)
    key, other, *coefficients = data.draw(st.lists(word, min_size=m + 1, max_size=m + 1))
    chosen = data.draw(st.lists(st.integers(1, 255), min_size=m - 1, max_size=m - 1, unique=True))
    known = [(place, shamir.value_at(place, key, coefficients)) for place in chosen]
    # Dealing `other`: its polynomial is fixed by (0, other) and the known shares; read its coefficients off it.
    points = [(0, other), *known]
    solved = solve(points)
    assert solved[0] == other
    assert [(place, shamir.value_at(place, other, solved[1:])) for place in chosen] == known


def solve(points: list[tuple[int, bytes]]) -> list[bytes]:
    """The coefficients of the polynomial through these points: Gauss over GF(256), apart from the code under test."""

    def times(one: int, two: int) -> int:
        out = 0
        while two:
            out ^= one if two & 1 else 0
            one = (one << 1) ^ (0x11B if one & 0x80 else 0)
            two >>= 1
        return out

    def inverse(one: int) -> int:
        return next(x for x in range(1, 256) if times(one, x) == 1)

    rows: list[tuple[list[int], list[int]]] = []
    for place, value in points:
        left, power = [], 1
        for _ in points:
            left.append(power)
            power = times(power, place)
        rows.append((left, list(value)))
    for column in range(len(rows)):
        pivot = next(at for at in range(column, len(rows)) if rows[at][0][column])
        rows[column], rows[pivot] = rows[pivot], rows[column]
        scale = inverse(rows[column][0][column])
        rows[column] = ([times(x, scale) for x in rows[column][0]], [times(x, scale) for x in rows[column][1]])
        for at, (left, right) in enumerate(rows):
            factor = left[column]
            if at != column and factor:
                rows[at] = (
                    [x ^ times(y, factor) for x, y in zip(left, rows[column][0], strict=True)],
                    [x ^ times(y, factor) for x, y in zip(right, rows[column][1], strict=True)],
                )
    return [bytes(right) for _, right in rows]


def test_the_field_is_that_of_fips_197() -> None:
    assert shamir._times(0x57, 0x83) == 0xC1  # FIPS 197 §4.2
    assert all(shamir._times(shamir._over(x, y), y) == x for x in range(256) for y in range(1, 256))


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)


@settings(max_examples=40, deadline=None)
@given(json_values, st.integers(0, 2**32))
def test_whatever_is_committed_opens_to_itself_both_ways(said: Any, seed: int) -> None:
    dealing = made(said=said, seed=seed)
    committed = taken(dealing)
    opening = open_position(ROUND, committed, dealing.secret, SIGN[A])
    by_author = verify_opening(ROUND, committed, opening, KEYS, in_hand=(), at=CLOSES)
    by_trustees = combine(ROUND, committed, released(dealing, (C, D, E)))
    assert by_author.position == by_trustees.position == said
    assert by_author.salt == by_trustees.salt


# ---------------------------------------------------------------- nobody reads early, nothing is measured


def test_a_commitment_shows_neither_words_nor_length() -> None:
    short, long = made(said="no"), made(said="yes, " * 100)
    assert len(short.commitment) == len(long.commitment)
    assert [len(deal) for _, deal in short.deals] == [len(deal) for _, deal in long.deals]
    assert b"victims" not in b64decode(json.loads(made().commitment)["payload"])


def test_the_same_position_of_two_parties_looks_different() -> None:
    one, other = taken(made(A)), taken(made(B))
    assert one.digest != other.digest
    assert not {one.sealed, one.key} & {other.sealed, other.key}


@pytest.mark.parametrize(
    ("length", "bucket"),
    [(0, 0), (BUCKETS[0] - 22, 0), (BUCKETS[0] - 21, 1), (BUCKETS[3] - 21, 4), (MOST_POSITION - 2, 4)],
)
def test_each_length_goes_into_the_smallest_bucket_that_holds_it(length: int, bucket: int) -> None:
    dealing = made(said="x" * length)
    assert len(taken(dealing).sealed) == BUCKETS[bucket] + 16
    assert combine(ROUND, taken(dealing), released(dealing, (B, C, D))).position == "x" * length


def test_a_position_beyond_the_largest_bucket_is_refused() -> None:
    refused("position-size", lambda: made(said="x" * (MOST_POSITION - 1)))


def test_an_opening_before_all_are_in_does_not_count_until_the_round_has_closed() -> None:
    dealing = made()
    committed = taken(dealing)
    opening = open_position(ROUND, committed, dealing.secret, SIGN[A])
    early = refused(
        "position-early",
        lambda: verify_opening(ROUND, committed, opening, KEYS, in_hand=[A, B], at=CLOSES - 1),
    )
    assert early.detail["missing"] == [C]
    assert verify_opening(ROUND, committed, opening, KEYS, in_hand=[A, B], at=CLOSES).position == SAID


def test_two_shares_do_not_open() -> None:
    dealing = made()
    short = refused("position-shares", lambda: combine(ROUND, taken(dealing), released(dealing, (B, D))))
    assert short.detail["missing"] == [C, E]


def test_the_same_share_twice_is_one_share() -> None:
    dealing = made()
    two = released(dealing, (B, C))
    refused("position-shares", lambda: combine(ROUND, taken(dealing), [*two, two[0]]))


def test_a_trustee_cannot_sign_a_share_before_its_instant_and_one_that_came_early_does_not_count() -> None:
    dealing = made()
    committed = taken(dealing)
    share = receive_share(ROUND, committed, dict(dealing.deals)[B], KEYS)
    refused("position-early", lambda: release_share(ROUND, committed, share, SIGN[B], at=FORCED - 1))
    envelope = release_share(ROUND, committed, share, SIGN[B], at=FORCED)
    refused("position-early", lambda: verify_share(ROUND, committed, envelope, KEYS, at=FORCED - 1))


def test_the_author_holds_no_share_of_its_own_key() -> None:
    assert [one for one, _ in made(A).deals] == [B, C, D, E]
    assert [one for one, _ in made(C).deals] == [A, B, D, E]


@pytest.mark.parametrize(
    "change",
    [
        {"threshold": 1},
        {"threshold": 5},
        {"trustees": (A, B, B)},
        {"due": ()},
        {"due": (A, A)},
        {"number": 0},
        {"shares_from": CLOSES - 1},
        {"trustees": tuple(f"identity--{n}" for n in range(256))},
    ],
)
def test_a_round_that_cannot_work_is_not_begun(change: dict[str, Any]) -> None:
    fields: dict[str, Any] = {
        "procedure": "procedure--1",
        "number": 1,
        "due": (A, B),
        "trustees": (A, B, C, D, E),
        "threshold": 3,
        "closes": CLOSES,
        "shares_from": FORCED,
    }
    Round(**fields)
    with pytest.raises(Usage):
        Round(**fields | change)


def test_a_round_travels_as_json_and_a_changed_one_is_another() -> None:
    assert read_round(json.loads(json.dumps(ROUND.form()))) == ROUND
    assert read_round(ROUND.form() | {"threshold": 2}).digest != ROUND.digest
    for form in (
        None,
        {},
        ROUND.form() | {"form": 2},
        ROUND.form() | {"closes": "soon"},
        ROUND.form() | {"number": "1"},
    ):
        refused("position-malformed", lambda form=form: read_round(form))


# ---------------------------------------------------------------- late, changed, copied, moved


def test_a_late_commitment_is_refused_whatever_its_author_says() -> None:
    envelope = made().commitment
    verify_commitment(ROUND, envelope, KEYS, arrived=CLOSES - 1)
    refused("position-late", lambda: verify_commitment(ROUND, envelope, KEYS, arrived=CLOSES))


def test_a_second_commitment_is_refused_and_both_convict() -> None:
    first, second = made(seed=1), made(said="something else", seed=2)
    standing = taken(first)
    assert verify_commitment(ROUND, first.commitment, KEYS, arrived=CLOSES, already=[standing]) is standing
    refused(
        "position-rival",
        lambda: verify_commitment(ROUND, second.commitment, KEYS, arrived=BEFORE, already=[standing]),
    )
    told = verify_evidence(ROUND, Evidence("rival-commitments", first.commitment, (second.commitment,)), KEYS)
    assert (told.party, told.kind) == (A, "rival-commitments")


def copy_of(dealing: Dealing, by: str) -> bytes:
    """What B would sign to pass off A's position as its own, without knowing it."""
    body = body_of(dealing.commitment) | {"author": by}
    digests = {one: f"{n:064x}" for n, one in enumerate(ROUND.trustees_of(by))}
    body["shares"] = [{"trustee": one, "digest": digest} for one, digest in digests.items()]
    return dsse.sign(positions.COMMITMENT_KIND, body, [SIGN[by]])


def test_a_copied_commitment_can_be_opened_by_nobody_and_does_not_shut_the_original_out() -> None:
    dealing = made()
    alone = verify_commitment(ROUND, copy_of(dealing, B), KEYS, arrived=BEFORE)
    verify_commitment(ROUND, dealing.commitment, KEYS, arrived=BEFORE, already=[alone])
    refused("position-secret", lambda: open_position(ROUND, alone, dealing.secret, SIGN[B]))
    body = {"form": 1, "procedure": ROUND.procedure, "round": 1, "author": B, "commitment": alone.id}
    body |= {"position": SAID, "salt": dealing.secret.salt.hex(), "key": dealing.secret.key.hex()}
    opening = dsse.sign(positions.OPENING_KIND, body, [SIGN[B]])
    refused("position-opening", lambda: verify_opening(ROUND, alone, opening, KEYS, in_hand=[A, B, C], at=BEFORE))


@pytest.mark.parametrize("change", [{"number": 2}, {"procedure": "procedure--2"}, {"threshold": 2}, {"due": (A, B)}])
def test_a_commitment_moved_to_another_round_or_other_rules_is_refused(change: dict[str, Any]) -> None:
    dealing = made()
    other = Round(
        change.get("procedure", "procedure--1"),
        change.get("number", 1),
        change.get("due", ROUND.due),
        ROUND.trustees,
        change.get("threshold", 3),
        CLOSES,
        FORCED,
    )
    refused("position-other", lambda: verify_commitment(other, dealing.commitment, KEYS, arrived=BEFORE))


def test_a_commitment_in_anothers_name_is_refused() -> None:
    body = body_of(made().commitment)
    forged = dsse.sign(positions.COMMITMENT_KIND, body, [SIGN[B]])
    refused("unknown-signer", lambda: verify_commitment(ROUND, forged, KEYS, arrived=BEFORE))


def test_who_is_not_due_cannot_commit() -> None:
    refused("position-not-named", lambda: made(D))
    stray = lied(positions.COMMITMENT_KIND, made(A).commitment, D, author=D)
    refused("position-not-named", lambda: verify_commitment(ROUND, stray, KEYS, arrived=BEFORE))


@pytest.mark.parametrize("change", [{"round": 2}, {"procedure": "procedure--2"}, {"author": B}])
def test_a_paper_that_names_another_round_than_its_commitment_does_not_count(change: dict[str, Any]) -> None:
    dealing = made()
    committed = taken(dealing)
    moved = lied(positions.SHARE_KIND, released(dealing, (B,))[0].envelope, B, **change)
    refused("position-other", lambda: verify_share(ROUND, committed, moved, KEYS, at=FORCED))


def test_an_opening_for_one_commitment_does_not_open_another() -> None:
    first, second = made(A), made(B)
    opening = open_position(ROUND, taken(first), first.secret, SIGN[A])
    refused(
        "position-other",
        lambda: verify_opening(ROUND, taken(second), opening, KEYS, in_hand=[A, B, C], at=BEFORE),
    )


def flips(envelope: bytes) -> Iterable[bytes]:
    for at in range(len(envelope)):
        yield envelope[:at] + bytes([envelope[at] ^ 1]) + envelope[at + 1 :]


def test_no_byte_of_any_paper_can_be_changed() -> None:
    dealing = made(said=1)
    committed = taken(dealing)
    share = receive_share(ROUND, committed, dict(dealing.deals)[B], KEYS)
    opening = open_position(ROUND, committed, dealing.secret, SIGN[A])
    holding = acknowledge(ROUND, committed, share, SIGN[B])
    out = release_share(ROUND, committed, share, SIGN[B], at=FORCED)
    papers: list[tuple[bytes, Any]] = [
        (dealing.commitment, lambda one: verify_commitment(ROUND, one, KEYS, arrived=BEFORE)),
        (opening, lambda one: verify_opening(ROUND, committed, one, KEYS, in_hand=(), at=CLOSES)),
        (dict(dealing.deals)[B], lambda one: receive_share(ROUND, committed, one, KEYS)),
        (holding, lambda one: verify_holding(ROUND, committed, one, KEYS)),
        (out, lambda one: verify_share(ROUND, committed, one, KEYS, at=FORCED)),
    ]
    for paper, verify in papers:
        verify(paper)
        for changed in flips(paper):
            with pytest.raises((SealBroken, InputRefused)):
                verify(changed)


# ---------------------------------------------------------------- liars are named


def lied(kind: str, envelope: bytes, signer: str, **change: Any) -> bytes:
    """The paper with other words in it, honestly signed by the liar."""
    return dsse.sign(kind, body_of(envelope) | change, [SIGN[signer]])


@given(st.integers(0, 31), st.integers(1, 255))
@settings(max_examples=40, deadline=None)
def test_a_share_with_any_byte_changed_names_the_trustee(at: int, by: int) -> None:
    dealing = made()
    committed = taken(dealing)
    share = receive_share(ROUND, committed, dict(dealing.deals)[D], KEYS)
    false = bytearray(share.share)
    false[at] ^= by
    honest = release_share(ROUND, committed, share, SIGN[D], at=FORCED)
    envelope = lied(positions.SHARE_KIND, honest, D, share=bytes(false).hex())
    caught = refused("position-share", lambda: verify_share(ROUND, committed, envelope, KEYS, at=FORCED))
    assert caught.detail == {"party": D, "misdeed": "false-share"}
    told = verify_evidence(ROUND, Evidence("false-share", dealing.commitment, (envelope,)), KEYS)
    assert (told.party, told.kind) == (D, "false-share")
    assert told.sentence == f"{D} signed another share than the one it was given."
    refused(
        "position-share",
        lambda: release_share(ROUND, committed, replace(share, share=bytes(false)), SIGN[D], at=FORCED),
    )


def test_a_false_share_does_not_keep_three_good_ones_from_opening() -> None:
    dealing = made()
    shares = released(dealing, (B, C, E))
    false = replace(shares[0], trustee=D, share=bytes(32))
    assert combine(ROUND, taken(dealing), [false, *shares]).by == (B, C, E)


@given(st.integers(0, 31), st.integers(1, 255))
@settings(max_examples=20, deadline=None)
def test_a_false_paper_to_a_trustee_names_the_author(at: int, by: int) -> None:
    dealing = made()
    committed = taken(dealing)
    deal = dict(dealing.deals)[E]
    false = bytearray(bytes.fromhex(body_of(deal)["share"]))
    false[at] ^= by
    envelope = lied(positions.DEAL_KIND, deal, A, share=bytes(false).hex())
    caught = refused("position-share", lambda: receive_share(ROUND, committed, envelope, KEYS))
    assert caught.detail == {"party": A, "misdeed": "false-deal"}
    assert verify_evidence(ROUND, Evidence("false-deal", dealing.commitment, (envelope,)), KEYS).party == A


def false_dealer(*, bad: tuple[str, ...] = (), sealed: bytes | None = None, key: str | None = None) -> Dealing:
    """An author that commits honestly to dishonest shares, or to a sealed copy of something else."""
    dealing = made()
    body = body_of(dealing.commitment)
    shares = {one: bytes.fromhex(body_of(deal)["share"]) for one, deal in dealing.deals}
    shares |= {one: sha256(one.encode()).digest() for one in bad}
    body["shares"] = [
        {"trustee": one, "digest": positions._share_digest(ROUND, A, one, share).hex()} for one, share in shares.items()
    ]
    if sealed is not None:
        body["sealed"] = positions.b2a_base64(sealed, newline=False).decode()
    if key is not None:
        body["key"] = key
    name = sha256(canonical(body)).hexdigest()
    deals = tuple(
        (one, lied(positions.DEAL_KIND, deal, A, share=shares[one].hex(), commitment=name))
        for one, deal in dealing.deals
    )
    return Dealing(dsse.sign(positions.COMMITMENT_KIND, body, [SIGN[A]]), dealing.secret, deals)


def sealed_copy(text: bytes, salt: bytes = bytes(16), tail: bytes = b"") -> bytes:
    """A ciphertext under the key of `made()` that holds this text."""
    framed = (salt + len(text).to_bytes(4, "big") + text + tail).ljust(BUCKETS[0], b"\x00")
    where = canonical([ROUND.procedure, ROUND.number, A])
    return ChaCha20Poly1305(made().secret.key).encrypt(bytes(12), framed, b"comity/position-sealed/1" + where)


def test_a_dealer_of_garbage_is_convicted_by_the_shares_it_dealt() -> None:
    dealing = false_dealer(bad=(B, C, D, E))
    shares = released(dealing, (B, C, D))
    caught = refused("position-dealing", lambda: combine(ROUND, taken(dealing), shares))
    assert caught.detail == {"party": A, "misdeed": "bad-dealing"}
    evidence = Evidence("bad-dealing", dealing.commitment, tuple(one.envelope for one in shares))
    assert verify_evidence(ROUND, evidence, KEYS).party == A


@pytest.mark.parametrize(
    "sealed",
    [
        sealed_copy(b'"something else"', made().secret.salt),
        sealed_copy(canonical(SAID)),
        sealed_copy(canonical(SAID), made().secret.salt, b"\x01"),
        sealed_copy(orjson.dumps(SAID, option=orjson.OPT_INDENT_2), made().secret.salt),
        sealed_copy(b"{", made().secret.salt),
        sealed_copy(b"[" * 900, made().secret.salt),
        sealed_copy(b'"\xff"', made().secret.salt),
        made().secret.salt + bytes(BUCKETS[0]),
        made(B).commitment.ljust(BUCKETS[1] + 16)[: BUCKETS[1] + 16],
    ],
)
def test_a_dealer_whose_sealed_copy_is_something_else_is_convicted_and_its_own_opening_convicts_it_too(
    sealed: bytes,
) -> None:
    dealing = false_dealer(sealed=sealed)
    committed = taken(dealing)
    shares = released(dealing, (B, D, E))
    refused("position-dealing", lambda: combine(ROUND, committed, shares))
    evidence = Evidence("bad-dealing", dealing.commitment, tuple(one.envelope for one in shares))
    assert verify_evidence(ROUND, evidence, KEYS).party == A
    refused("position-secret", lambda: open_position(ROUND, committed, dealing.secret, SIGN[A]))
    honest = made()
    opening = lied(
        positions.OPENING_KIND,
        open_position(ROUND, taken(honest), honest.secret, SIGN[A]),
        A,
        commitment=committed.id,
    )
    refused("position-opening", lambda: verify_opening(ROUND, committed, opening, KEYS, in_hand=(), at=CLOSES))
    assert verify_evidence(ROUND, Evidence("false-opening", dealing.commitment, (opening,)), KEYS).party == A


def test_a_dealer_that_committed_to_another_key_is_convicted() -> None:
    """Two keys can open one ciphertext, so the key itself is committed to, and a dealt one that is not it counts for nothing."""
    dealing = false_dealer(key="11" * 32)
    committed = taken(dealing)
    shares = released(dealing, (B, C, D))
    refused("position-dealing", lambda: combine(ROUND, committed, shares))
    refused("position-secret", lambda: open_position(ROUND, committed, dealing.secret, SIGN[A]))
    evidence = Evidence("bad-dealing", dealing.commitment, tuple(one.envelope for one in shares))
    assert verify_evidence(ROUND, evidence, KEYS).party == A


def test_one_bad_share_among_good_ones_stops_nothing_and_convicts_its_dealer() -> None:
    dealing = false_dealer(bad=(B,))
    opened = combine(ROUND, taken(dealing), released(dealing, (B, C, D, E)))
    assert (opened.position, opened.by) == (SAID, (C, D, E))
    (evidence,) = opened.evidence
    assert verify_evidence(ROUND, evidence, KEYS).party == A
    assert read_evidence(json.loads(json.dumps(evidence.as_json()))) == evidence


def test_an_opening_of_something_else_names_the_author() -> None:
    dealing = made()
    committed = taken(dealing)
    opening = open_position(ROUND, committed, dealing.secret, SIGN[A])
    for change in (
        {"position": SAID | {"claim": 2}},
        {"salt": bytes(16).hex()},
        {"key": bytes(32).hex()},
    ):
        false = lied(positions.OPENING_KIND, opening, A, **change)
        caught = refused(
            "position-opening",
            lambda false=false: verify_opening(ROUND, committed, false, KEYS, in_hand=(), at=CLOSES),
        )
        assert caught.detail == {"party": A, "misdeed": "false-opening"}
        assert verify_evidence(ROUND, Evidence("false-opening", dealing.commitment, (false,)), KEYS).party == A


def test_a_share_signed_before_its_instant_convicts_its_trustee() -> None:
    dealing = made()
    committed = taken(dealing)
    share = receive_share(ROUND, committed, dict(dealing.deals)[B], KEYS)
    honest = release_share(ROUND, committed, share, SIGN[B], at=FORCED)
    early = lied(positions.SHARE_KIND, honest, B, at="2021-07-12T11:00:00.000Z")
    refused("position-early", lambda: verify_share(ROUND, committed, early, KEYS, at=FORCED))
    told = verify_evidence(ROUND, Evidence("early-share", dealing.commitment, (early,)), KEYS)
    assert (told.party, told.kind) == (B, "early-share")


def test_honest_papers_convict_nobody() -> None:
    dealing = made()
    committed = taken(dealing)
    deals = dict(dealing.deals)
    shares = tuple(one.envelope for one in released(dealing, (B, C, D)))
    opening = open_position(ROUND, committed, dealing.secret, SIGN[A])
    for kind, papers in (
        ("rival-commitments", (dealing.commitment,)),
        ("rival-commitments", (made(B).commitment,)),
        ("rival-commitments", ()),
        ("false-opening", (opening,)),
        ("false-deal", (deals[B],)),
        ("bad-dealing", shares),
        ("bad-dealing", shares[:2]),
        ("bad-dealing", (*shares[:2], shares[0])),
        ("false-share", shares[:1]),
        ("early-share", shares[:1]),
    ):
        refused(
            "position-evidence",
            lambda kind=kind, papers=papers: verify_evidence(ROUND, Evidence(kind, dealing.commitment, papers), KEYS),
        )


def test_a_false_share_convicts_its_trustee_and_never_the_dealer() -> None:
    dealing = made()
    good = released(dealing, (B, C, D))
    false = lied(positions.SHARE_KIND, good[0].envelope, B, share=bytes(32).hex())
    papers = (false, good[1].envelope, good[2].envelope)
    refused(
        "position-evidence",
        lambda: verify_evidence(ROUND, Evidence("bad-dealing", dealing.commitment, papers), KEYS),
    )


def test_evidence_signed_by_somebody_else_convicts_nobody() -> None:
    dealing = made()
    good = released(dealing, (B,))[0].envelope
    forged = lied(positions.SHARE_KIND, good, C, share=bytes(32).hex())
    refused(
        "unknown-signer",
        lambda: verify_evidence(ROUND, Evidence("false-share", dealing.commitment, (forged,)), KEYS),
    )


@pytest.mark.parametrize("form", [None, [], {}, {"form": 1, "kind": "x", "commitment": "", "papers": []}, 5, "x"])
def test_what_is_no_evidence_is_refused(form: Any) -> None:
    refused("position-malformed", lambda: read_evidence(form))


# ---------------------------------------------------------------- hostile papers


@pytest.mark.parametrize(
    "change",
    [
        {"form": 2},
        {"digest": "00"},
        {"digest": None},
        {"key": "XY" * 32},
        {"sealed": "AAAA"},
        {"sealed": 5},
        {"shares": []},
        {"shares": [1]},
        {"shares": None},
        {"sealed": "*" * 40},
    ],
)
def test_a_commitment_of_another_form_is_refused(change: dict[str, Any]) -> None:
    envelope = lied(positions.COMMITMENT_KIND, made().commitment, A, **change)
    refused("position-malformed", lambda: verify_commitment(ROUND, envelope, KEYS, arrived=BEFORE))


@pytest.mark.parametrize("change", [{"share": "00"}, {"share": 5}, {"at": "yesterday"}, {"at": None}, {"form": "1"}])
def test_a_share_of_another_form_is_refused(change: dict[str, Any]) -> None:
    dealing = made()
    envelope = lied(positions.SHARE_KIND, released(dealing, (B,))[0].envelope, B, **change)
    refused("position-malformed", lambda: verify_share(ROUND, taken(dealing), envelope, KEYS, at=FORCED))


def test_a_share_by_a_party_that_is_no_trustee_is_refused() -> None:
    dealing = made()
    honest = released(dealing, (B,))[0].envelope
    stray = lied(positions.SHARE_KIND, honest, F, trustee=F)
    refused("position-not-named", lambda: verify_share(ROUND, taken(dealing), stray, KEYS, at=FORCED))


def test_too_little_randomness_is_refused() -> None:
    refused("seed-size", lambda: commit(ROUND, A, 1, bytes(48), SIGN[A]))


# ---------------------------------------------------------------- the table


def test_what_was_not_opened_is_shown_as_that_and_never_guessed() -> None:
    first, second = made(A), made(B)
    committed = {A: taken(first), B: taken(second)}

    def states(at: int, **more: Any) -> list[str]:
        return [line.state for line in table(ROUND, committed, at=at, **more)]

    assert states(BEFORE) == ["committed", "committed", "awaited"]
    assert states(CLOSES) == ["not-opened", "not-opened", "not-committed"]
    opening = open_position(ROUND, committed[A], first.secret, SIGN[A])
    opened = {A: verify_opening(ROUND, committed[A], opening, KEYS, in_hand=[A, B], at=CLOSES + MINUTE)}
    assert states(CLOSES + MINUTE, opened=opened) == ["opened", "not-opened", "not-committed"]
    two, three = released(second, (A, D)), released(second, (A, D, E))
    lines = table(ROUND, committed, opened=opened, released={B: two}, held={B: [E, A, D]}, at=FORCED)
    assert (lines[1].state, lines[1].opened) == ("not-opened", None)
    assert (lines[1].held, lines[1].released) == ((A, D, E), (A, D))
    lines = table(ROUND, committed, opened=opened, released={B: three}, at=FORCED)
    assert lines[1].state == "opened-by-trustees"
    assert lines[1].opened is not None
    assert lines[1].opened.position == SAID


def test_a_badly_dealt_position_is_shown_as_that() -> None:
    dealing = false_dealer(bad=(B, C, D, E))
    lines = table(ROUND, {A: taken(dealing)}, released={A: released(dealing, (B, C, D))}, at=FORCED)
    assert [line.state for line in lines] == ["badly-dealt", "not-committed", "not-committed"]
    assert lines[0].opened is None


def test_who_holds_a_share_is_known_from_its_own_word_only() -> None:
    dealing = made()
    committed = taken(dealing)
    share = receive_share(ROUND, committed, dict(dealing.deals)[D], KEYS)
    assert verify_holding(ROUND, committed, acknowledge(ROUND, committed, share, SIGN[D]), KEYS) == D
    forged = acknowledge(ROUND, committed, replace(share, trustee=E), SIGN[D])
    refused("unknown-signer", lambda: verify_holding(ROUND, committed, forged, KEYS))
    stray = acknowledge(ROUND, committed, replace(share, trustee=F), SIGN[F])
    with pytest.raises(NotAllowed):
        verify_holding(ROUND, committed, stray, KEYS)


def test_values_do_not_print_secrets() -> None:
    dealing = made()
    printed = repr(dealing) + repr(taken(dealing)) + repr(released(dealing, (B,)))
    assert dealing.secret.key.hex() not in printed
    assert repr(dealing.secret.key)[2:-1] not in printed
    assert "victims" not in printed
