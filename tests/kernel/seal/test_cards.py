"""Cards: who may say what of a party, and what a rotation changes."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from stix2validator import ValidationOptions, validate_instance

from comity.kernel.errors import NotAllowed, SealBroken
from comity.kernel.model.ids import party_id
from comity.kernel.model.instants import DAY, HOUR, parse
from comity.kernel.seal.cards import Card, CardKey, Endpoint, as_identity, follow, make_card, read_card, verify_chain
from comity.kernel.seal.dsse import sign, unverified_body
from comity.kernel.seal.keys import SigningKey, fingerprint

IDENTITY, SECOND, THIEF = (SigningKey.from_seed(letter * 32) for letter in (b"i", b"j", b"t"))
NODE, NEW_NODE, LOG = (SigningKey.from_seed(letter * 32) for letter in (b"n", b"m", b"l"))
T0 = parse("2021-03-01T00:00:00Z")
T1, T2, T3 = T0 + DAY, T0 + 2 * DAY, T0 + 3 * DAY
FIRST = Card(
    party=party_id(IDENTITY.public.spki),
    name="National response team of Xanadu",
    kind="csirt",
    country="XA",
    keys=(
        CardKey(IDENTITY.public, "identity", T0),
        CardKey(NODE.public, "node", T0),
        CardKey(LOG.public, "log", T0),
    ),
    serial=1,
    previous=None,
    at=T0,
    endpoints=(
        Endpoint("https://node.xanadu.example/comity/1/", NODE.public.spki),
        Endpoint("http://127.0.0.1:8080/", None),
    ),
    contacts=({"role": "duty officer", "email": "duty@xanadu.example"},),
    clients=(party_id(THIEF.public.spki),),
    offices=("duty-officer",),
    identities=("identity--f431f809-377b-45e0-aa1c-6a4751cae5ff",),
    languages=("en", "pt-BR"),
    extra=(("x_new", {"kept": [1]}),),
)
FIRST_BYTES = make_card(FIRST, [IDENTITY])


def _next(former: bytes, signers: list[SigningKey], **changes: Any) -> bytes:
    card = _loose(former)
    return make_card(
        replace(card, **{"serial": card.serial + 1, "previous": card.digest, "at": T1, **changes}), signers
    )


def _loose(envelope: bytes) -> Card:
    """A card read for the purpose of forging the next one, whoever signed it."""
    from comity.kernel.seal import cards

    return cards._opened(envelope)


def _keys(*keys: tuple[SigningKey, str, int, int | None]) -> tuple[CardKey, ...]:
    return tuple(CardKey(key.public, use, since, until) for key, use, since, until in keys)  # type: ignore[arg-type]


ROTATED = _keys(
    (IDENTITY, "identity", T0, T1), (SECOND, "identity", T1, None), (NODE, "node", T0, None), (LOG, "log", T0, None)
)


def _code(read: Any, *given: Any) -> str:
    with pytest.raises(SealBroken) as refused:
        read(*given)
    return refused.value.code


def test_card_that_was_made_is_the_card_that_is_read() -> None:
    card = read_card(FIRST_BYTES)
    assert replace(card, digest="") == FIRST
    assert card.fingerprint == fingerprint(IDENTITY.public.spki)
    assert len(card.digest) == 64


def test_members_of_a_later_form_survive() -> None:
    body, _ = unverified_body(FIRST_BYTES, "card")
    assert body["x_new"] == {"kept": [1]}
    assert dict(read_card(FIRST_BYTES).extra) == {"x_new": {"kept": [1]}}


def test_card_in_the_name_of_another_party_is_refused() -> None:
    body, _ = unverified_body(FIRST_BYTES, "card")
    stolen = body | {"keys": [body["keys"][0] | {"spki": _spki(THIEF)}, *body["keys"][1:]]}
    assert _code(read_card, sign("card", stolen, [THIEF])) == "card-party"


def _spki(key: SigningKey) -> str:
    from base64 import b64encode

    return b64encode(key.public.spki).decode()


def test_card_that_lists_the_victims_first_key_but_is_signed_by_the_thief_is_refused() -> None:
    body, _ = unverified_body(FIRST_BYTES, "card")
    own = {"spki": _spki(THIEF), "use": "identity", "from": body["at"], "until": None}
    forged = sign("card", body | {"keys": [*body["keys"], own]}, [THIEF])
    assert _code(read_card, forged) == "card-needs-chain"
    assert _code(verify_chain, [forged]) == "card-needs-chain"


def test_card_signed_with_the_node_key_is_refused() -> None:
    body, _ = unverified_body(FIRST_BYTES, "card")
    assert _code(read_card, sign("card", body, [NODE])) == "card-needs-chain"
    with pytest.raises(NotAllowed):
        make_card(FIRST, [NODE])
    with pytest.raises(NotAllowed):
        make_card(FIRST, [])


def test_rotated_identity_key_takes_over_and_the_old_signatures_stay_valid() -> None:
    second = _next(FIRST_BYTES, [IDENTITY, SECOND], keys=ROTATED)
    third = _next(second, [SECOND], at=T2, name="Xanadu CERT")
    card = verify_chain([FIRST_BYTES, second, third])
    assert (card.serial, card.name, card.party) == (3, "Xanadu CERT", FIRST.party)
    assert card.key_at(IDENTITY.public.keyid, T1 - 1) == IDENTITY.public
    assert _code(card.key_at, IDENTITY.public.keyid, T1) == "key-not-valid"
    assert card.key_at(SECOND.public.keyid, T1, "identity") == SECOND.public
    assert _code(card.key_at, SECOND.public.keyid, T1 - 1) == "key-not-valid"
    assert _code(card.key_at, SECOND.public.keyid, T1, "node") == "unknown-signer"
    assert set(card.keys_at("identity", T0)) == {IDENTITY.public.keyid}
    assert card.fingerprint == read_card(FIRST_BYTES).fingerprint


def test_rotation_signed_by_the_new_key_alone_is_refused() -> None:
    assert _code(verify_chain, [FIRST_BYTES, _next(FIRST_BYTES, [SECOND], keys=ROTATED)]) == "unknown-signer"


def test_rotation_not_signed_by_the_new_key_is_refused() -> None:
    # nobody may list a key that he does not hold as his own
    assert _code(verify_chain, [FIRST_BYTES, _next(FIRST_BYTES, [IDENTITY], keys=ROTATED)]) == "unknown-signer"


def test_rotation_that_adds_two_keys_needs_both() -> None:
    keys = (*ROTATED, CardKey(THIEF.public, "identity", T1))
    assert _code(verify_chain, [FIRST_BYTES, _next(FIRST_BYTES, [IDENTITY, SECOND], keys=keys)]) == "below-threshold"
    assert verify_chain([FIRST_BYTES, _next(FIRST_BYTES, [IDENTITY, SECOND, THIEF], keys=keys)]).serial == 2


def test_card_signed_by_the_retired_identity_key_is_refused() -> None:
    second = _next(FIRST_BYTES, [IDENTITY, SECOND], keys=ROTATED)
    third = _next(second, [SECOND], at=T2)
    body, _ = unverified_body(third, "card")
    assert _code(verify_chain, [FIRST_BYTES, second, sign("card", body, [IDENTITY])]) == "unknown-signer"
    assert _code(read_card, third) == "card-needs-chain"


def test_node_key_that_was_dropped_is_refused_for_later_instants_only() -> None:
    keys = _keys((IDENTITY, "identity", T0, None), (NEW_NODE, "node", T1, None), (LOG, "log", T0, None))
    second = _next(FIRST_BYTES, [IDENTITY], keys=keys)
    for chain in ([FIRST_BYTES, second], [FIRST_BYTES, second, _next(second, [IDENTITY], at=T2)]):
        card = verify_chain(chain)
        assert card.key_at(NODE.public.keyid, T1 - 1) == NODE.public
        assert _code(card.key_at, NODE.public.keyid, T1) == "key-not-valid"
        assert set(card.keys_at("node", T1)) == {NEW_NODE.public.keyid}
        assert set(card.keys_at("node", T0)) == {NODE.public.keyid}


def test_dropped_key_cannot_come_back() -> None:
    second = _next(FIRST_BYTES, [IDENTITY], keys=_keys((IDENTITY, "identity", T0, None)))
    third = _next(second, [IDENTITY], at=T2, keys=FIRST.keys)
    assert _code(verify_chain, [FIRST_BYTES, second, third]) == "card-rewrites-keys"


@pytest.mark.parametrize(
    "node",
    [
        (NODE, "node", T0 + HOUR, None),  # began later than it did
        (NODE, "node", T0, T1 - 1),  # ended before the card that ends it
        (NODE, "log", T0, None),  # was for something else
        (NEW_NODE, "node", T0 - 1, None),  # a new key that claims a past
    ],
)
def test_card_that_changes_the_past_of_a_key_is_refused(node: tuple[SigningKey, str, int, int | None]) -> None:
    second = _next(FIRST_BYTES, [IDENTITY], keys=_keys((IDENTITY, "identity", T0, None), node))
    assert _code(verify_chain, [FIRST_BYTES, second]) == "card-rewrites-keys"


def test_end_of_a_key_may_be_moved_while_it_lies_ahead() -> None:
    ends = _keys((IDENTITY, "identity", T0, None), (NODE, "node", T0, T3))
    second = _next(FIRST_BYTES, [IDENTITY], keys=ends)
    third = _next(second, [IDENTITY], at=T2, keys=_keys((IDENTITY, "identity", T0, None), (NODE, "node", T0, T2)))
    assert verify_chain([FIRST_BYTES, second, third]).keys[1].until == T2
    fourth = _next(third, [IDENTITY], at=T3, keys=FIRST.keys)
    assert _code(verify_chain, [FIRST_BYTES, second, third, fourth]) == "card-rewrites-keys"


def test_card_left_out_of_the_chain_is_noticed() -> None:
    second = _next(FIRST_BYTES, [IDENTITY])
    third = _next(second, [IDENTITY], at=T2)
    assert _code(verify_chain, [FIRST_BYTES, third]) == "card-chain"
    assert _code(verify_chain, [second, third]) == "card-chain"
    assert _code(verify_chain, []) == "card-chain"
    assert _code(verify_chain, [FIRST_BYTES, FIRST_BYTES]) == "card-chain"


def test_two_second_cards_are_told_apart_by_the_third() -> None:
    one, other = _next(FIRST_BYTES, [IDENTITY], name="One"), _next(FIRST_BYTES, [IDENTITY], name="Other")
    third = _next(one, [IDENTITY], at=T2)
    assert verify_chain([FIRST_BYTES, one, third]).serial == 3
    assert _code(verify_chain, [FIRST_BYTES, other, third]) == "card-chain"


def test_card_dated_before_the_former_is_refused() -> None:
    second = _next(FIRST_BYTES, [IDENTITY], at=T2)
    assert _code(verify_chain, [FIRST_BYTES, second, _next(second, [IDENTITY], at=T1)]) == "card-chain"


def test_card_of_another_party_in_the_chain_is_refused() -> None:
    theirs = replace(
        FIRST, party=party_id(THIEF.public.spki), keys=_keys((THIEF, "identity", T0, None)), serial=2, previous="0" * 64
    )
    assert _code(follow, read_card(FIRST_BYTES), make_card(theirs, [THIEF])) == "card-party"


@pytest.mark.parametrize(
    "lie",
    [
        {"form": 2},
        {"form": True},
        {"party": "identity--x"},
        {"party": 5},
        {"name": ""},
        {"name": " "},
        {"name": None},
        {"kind": "hacker"},
        {"kind": []},
        {"country": "xa"},
        {"country": "X"},
        {"keys": []},
        {"keys": {}},
        {"keys": [1]},
        {"keys": None},
        {"endpoints": [{"url": "ftp://x/", "tls_spki": None}]},
        {"endpoints": [{"url": "https://x/", "tls_spki": None}]},
        {"endpoints": [{"url": "https://x/", "tls_spki": "!"}]},
        {"endpoints": [{"url": "https://x/ y", "tls_spki": "QUFBQUFBQUFBQUFBQUFBQQ=="}]},
        {"contacts": ["x"]},
        {"contacts": [{}] * 1001},
        {"clients": ["indicator--d81f86b9-975b-4c0b-875e-810c5ad45a4f"]},
        {"identities": ["x"]},
        {"offices": [""]},
        {"languages": ["english language"]},
        {"feature": 0},
        {"serial": 0},
        {"serial": True},
        {"serial": 2},
        {"serial": 1, "previous": "0" * 64},
        {"previous": 5},
        {"at": "soon"},
        {"at": 5},
    ],
)
def test_senseless_card_is_refused(lie: dict[str, Any]) -> None:
    body, _ = unverified_body(FIRST_BYTES, "card")
    assert _code(read_card, sign("card", body | lie, [IDENTITY])) == "card-malformed"


@pytest.mark.parametrize(
    ("name", "seen"),
    [
        ("Team \u202eB", "U+202E"),
        ("Team\u200b B", "U+200B"),
        ("Team\nB", "U+000A"),
        ("Team B\u2066", "U+2066"),
        ("Team \u3164B", "U+3164"),
        ("E\u0301quipe", "normal form C"),
        ("T" * 201, "201 characters"),
    ],
)
def test_card_whose_name_hides_characters_is_neither_made_nor_read(name: str, seen: str) -> None:
    assert _code(make_card, replace(FIRST, name=name), [IDENTITY]) == "card-name"
    body, _ = unverified_body(FIRST_BYTES, "card")
    with pytest.raises(SealBroken) as refused:
        read_card(sign("card", body | {"name": name}, [IDENTITY]))
    assert refused.value.code == "card-name"
    assert seen in refused.value.sentence


def test_card_may_be_named_in_any_script() -> None:
    for name in ("Équipe nationale", "Команда Б", "国家应急中心 (CN)", "دفترِ اطلاع\u200cرسانی"):
        assert read_card(make_card(replace(FIRST, name=name), [IDENTITY])).name == name


@pytest.mark.parametrize("missing", sorted(set(unverified_body(FIRST_BYTES, "card")[0]) - {"x_new"}))
def test_card_without_a_member_is_refused(missing: str) -> None:
    body, _ = unverified_body(FIRST_BYTES, "card")
    del body[missing]
    assert _code(read_card, sign("card", body, [IDENTITY])) == "card-malformed"


@pytest.mark.parametrize(
    "lie",
    [
        {"use": "tls"},
        {"use": "node"},
        {"from": None},
        {"until": 5},
        {"until": "2020-01-01T00:00:00.000Z"},
        {"spki": 5},
        {"spki": "AA"},
    ],
)
def test_card_with_a_senseless_first_key_is_refused(lie: dict[str, Any]) -> None:
    body, _ = unverified_body(FIRST_BYTES, "card")
    body["keys"][0] |= lie
    assert _code(read_card, sign("card", body, [IDENTITY])) in {"card-malformed", "bad-key"}


def test_one_key_in_two_places_is_refused() -> None:
    body, _ = unverified_body(FIRST_BYTES, "card")
    body["keys"].append(body["keys"][0] | {"use": "node"})
    assert _code(read_card, sign("card", body, [IDENTITY])) == "card-malformed"


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_any_changed_byte_of_a_card_is_refused(data: st.DataObject) -> None:
    envelope = bytearray(FIRST_BYTES)
    envelope[data.draw(st.integers(0, len(envelope) - 1))] ^= data.draw(st.integers(1, 255))
    with pytest.raises(SealBroken):
        read_card(bytes(envelope))


def test_party_reads_as_a_valid_stix_identity() -> None:
    card = verify_chain([FIRST_BYTES, _next(FIRST_BYTES, [IDENTITY], name="Xanadu CERT")])
    identity = as_identity(card)
    assert (identity["created"], identity["modified"]) == ("2021-03-01T00:00:00.000Z", "2021-03-02T00:00:00.000Z")
    assert identity["contact_information"] == "email: duty@xanadu.example; role: duty officer"
    outcome = validate_instance(json.loads(json.dumps(identity)), ValidationOptions(version="2.1"))
    assert outcome.is_valid, outcome.errors
