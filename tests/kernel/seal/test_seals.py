"""Seals: what a recipient can rely on, and what a lying relay tries."""

from __future__ import annotations

import copy
import json
from base64 import b64decode, b64encode
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from comity.kernel.errors import InputRefused, SealBroken, Usage
from comity.kernel.model.ids import party_id
from comity.kernel.model.instants import parse
from comity.kernel.seal.commitment import EVERYTHING, disclosure, paths
from comity.kernel.seal.dsse import sign, unverified_body
from comity.kernel.seal.keys import SigningKey
from comity.kernel.seal.seals import (
    Sealed,
    check_source,
    claimed,
    claimed_party,
    seal,
    verify_seal,
    version_of,
)

SEED = bytes(range(32))
AT = parse("2021-03-05T12:00:00.000001Z")
NODE, OTHER = SigningKey.from_seed(b"n" * 32), SigningKey.from_seed(b"o" * 32)
PARTY = party_id(SigningKey.from_seed(b"i" * 32).public.spki)
KEYS = {NODE.public.keyid: NODE.public}
AMBER = "marking-definition--f88d31f6-486f-44da-b317-01333bde0b82"
GREEN = "marking-definition--34098fce-860f-48ae-8e50-ebd3cc5e41da"
INDICATOR: dict[str, Any] = {
    "type": "indicator",
    "spec_version": "2.1",
    "id": "indicator--d81f86b9-975b-4c0b-875e-810c5ad45a4f",
    "created": "2021-03-02T17:00:00.000Z",
    "modified": "2021-03-03T17:00:00.000Z",
    "name": "Web shell",
    "description": "Found at Ministry X",
    "pattern": "[file:name = 'shell.aspx']",
    "pattern_type": "stix",
    "valid_from": "2021-03-02T00:00:00Z",
    "labels": ["exchange", "hafnium"],
    "object_marking_refs": [AMBER, GREEN],
}


def _sealed(data: dict[str, Any] = INDICATOR, **more: Any) -> Sealed:
    return seal(data, **{"seed": SEED, "role": "origin", "party": PARTY, "key": NODE, "at": AT, **more})


def _hiding(sealed: Sealed, *hidden: tuple[str | int, ...]) -> list[dict[str, Any]]:
    return disclosure(sealed.commitment, {entry.here for entry in sealed.commitment.entries} - set(hidden))


def _refused(sealed: Sealed, view: Any, disclosed: Any) -> str:
    with pytest.raises(SealBroken) as refused:
        verify_seal(sealed.envelope, view, disclosed, KEYS)
    return refused.value.code


def test_whole_object_verifies_and_names_its_sealer() -> None:
    sealed = _sealed()
    held = verify_seal(sealed.envelope, INDICATOR, disclosure(sealed.commitment, EVERYTHING), KEYS)
    assert (held.party, held.role, held.id, held.version) == (PARTY, "origin", INDICATOR["id"], INDICATOR["modified"])
    assert (held.at, held.removed, held.signer) == (AT, 0, NODE.public.keyid)
    assert held.digest == sealed.commitment.digest


def test_redacted_view_verifies_and_tells_how_much_is_hidden() -> None:
    sealed = _sealed()
    view = {name: value for name, value in INDICATOR.items() if name != "description"} | {"labels": ["hafnium"]}
    held = verify_seal(sealed.envelope, view, _hiding(sealed, ("description",), ("labels", 0), ("labels", "#")), KEYS)
    assert held.removed == 3


def test_seal_says_nothing_of_what_is_hidden() -> None:
    body, _ = unverified_body(_sealed().envelope, "seal")
    assert set(body) == {"form", "role", "party", "id", "version", "digest", "at", "markings", "source"}
    assert "Ministry" not in json.dumps(body)


def test_two_seals_of_one_object_do_not_show_that_it_is_one() -> None:
    one, other = _sealed(), _sealed(seed=b"2" * 32)
    first, second = (unverified_body(sealed.envelope, "seal")[0] for sealed in (one, other))
    assert first["digest"] != second["digest"]
    assert first["source"] != second["source"]


def test_seal_put_on_another_object_is_refused() -> None:
    sealed, other = _sealed(), INDICATOR | {"id": "indicator--00000000-975b-4c0b-875e-810c5ad45a4f"}
    assert _refused(sealed, other, disclosure(sealed.commitment, EVERYTHING)) == "commitment-broken"
    assert _refused(sealed, other, disclosure(_sealed(other).commitment, EVERYTHING)) == "commitment-broken"


@pytest.mark.parametrize("lie", [{"id": "indicator--00000000-975b-4c0b-875e-810c5ad45a4f"}, {"version": None}])
def test_sealer_that_names_another_object_or_version_than_it_seals_is_refused(lie: dict[str, Any]) -> None:
    sealed = _sealed()
    body, _ = unverified_body(sealed.envelope, "seal")
    forged = Sealed(sign("seal", body | lie, [NODE]), sealed.commitment, sealed.source_salt)
    assert _refused(forged, INDICATOR, disclosure(sealed.commitment, EVERYTHING)) == "seal-other-object"


def test_seal_by_a_key_that_is_not_the_partys_is_refused() -> None:
    sealed = _sealed(key=OTHER)
    assert _refused(sealed, INDICATOR, disclosure(sealed.commitment, EVERYTHING)) == "unknown-signer"


def test_marking_dropped_by_a_relay_is_refused() -> None:
    sealed = _sealed()
    # one of two
    view = INDICATOR | {"object_marking_refs": [GREEN]}
    hidden: list[tuple[str | int, ...]] = [("object_marking_refs", "#"), ("object_marking_refs", 0)]
    assert _refused(sealed, view, _hiding(sealed, *hidden)) == "marking-removed"
    # all of them, as if the object had never carried any
    view = {name: value for name, value in INDICATOR.items() if name != "object_marking_refs"}
    assert _refused(sealed, view, _hiding(sealed, *hidden, ("object_marking_refs", 1))) == "marking-removed"


def test_id_hidden_by_a_relay_is_refused() -> None:
    sealed = _sealed()
    view = {name: value for name, value in INDICATOR.items() if name != "id"}
    assert _refused(sealed, view, _hiding(sealed, ("id",))) == "seal-other-object"


def test_observable_without_versions_is_sealed_under_none() -> None:
    address = {"type": "ipv4-addr", "id": "ipv4-addr--ff26c055-6336-5bc5-b98d-13d6226742dd", "value": "192.0.2.1"}
    sealed = _sealed(address)
    assert version_of(address) is None
    assert verify_seal(sealed.envelope, address, disclosure(sealed.commitment, EVERYTHING), KEYS).version is None


def test_source_of_a_custody_seal_opens_to_an_auditor_and_to_no_guesser() -> None:
    sealed = _sealed(role="custody", source="taxii:misp.example")
    full = disclosure(sealed.commitment, EVERYTHING)
    held = verify_seal(sealed.envelope, INDICATOR, full, KEYS)
    check_source(held, "taxii:misp.example", sealed.source_salt)
    with pytest.raises(SealBroken):
        check_source(held, "taxii:other.example", sealed.source_salt)
    # the salt is not among what a full view gives away
    assert sealed.source_salt.hex() not in json.dumps(full)
    assert all(entry.salt != sealed.source_salt for entry in sealed.commitment.entries)


def test_origin_seal_looks_the_same_whatever_is_committed_to() -> None:
    bodies = [
        unverified_body(_sealed(role="origin").envelope, "seal")[0],
        unverified_body(_sealed(role="custody", source="x").envelope, "seal")[0],
        unverified_body(_sealed(role="custody").envelope, "seal")[0],
        unverified_body(_sealed(role="anonymous", source=INDICATOR["id"]).envelope, "seal")[0],
    ]
    assert {tuple(sorted(body)) for body in bodies} == {tuple(sorted(bodies[0]))}
    assert len({body["source"] for body in bodies}) == 3  # none, x, none, the original: same salt here, since one seed
    assert {len(body["source"]) for body in bodies} == {64}


def test_seal_that_makes_no_sense_is_not_made() -> None:
    for more in ({"role": "owner"}, {"role": "anonymous"}, {"role": "origin", "source": "x"}):
        with pytest.raises(Usage):
            _sealed(**more)
    with pytest.raises(InputRefused):
        _sealed({"type": "indicator"})


@pytest.mark.parametrize(
    "lie",
    [
        {"form": 2},
        {"form": True},
        {"role": "owner"},
        {"role": ["origin"]},
        {"party": "indicator--d81f86b9-975b-4c0b-875e-810c5ad45a4f"},
        {"party": None},
        {"id": 5},
        {"version": 5},
        {"digest": "AB" * 32},
        {"digest": None},
        {"at": "yesterday"},
        {"at": None},
        {"source": "x"},
        {"markings": 1},
        {"markings": "2"},
    ],
)
def test_seal_with_a_senseless_member_is_refused(lie: dict[str, Any]) -> None:
    sealed = _sealed()
    body, _ = unverified_body(sealed.envelope, "seal")
    forged = Sealed(sign("seal", body | lie, [NODE]), sealed.commitment, sealed.source_salt)
    assert _refused(forged, INDICATOR, disclosure(sealed.commitment, EVERYTHING)) in {
        "seal-malformed",
        "marking-removed",
    }


def test_seal_with_members_of_a_later_form_is_still_read() -> None:
    sealed = _sealed()
    body, _ = unverified_body(sealed.envelope, "seal")
    later = sign("seal", body | {"x_new": [1]}, [NODE])
    assert verify_seal(later, INDICATOR, disclosure(sealed.commitment, EVERYTHING), KEYS).id == INDICATOR["id"]


def test_claims_are_read_without_being_believed() -> None:
    envelope = _sealed(key=OTHER).envelope
    assert claimed_party(envelope) == PARTY
    assert claimed(envelope)[1] == AT
    for body in ({}, {"party": 1, "at": 2}):
        with pytest.raises(SealBroken):
            claimed_party(sign("seal", body, [OTHER]))
        with pytest.raises(SealBroken):
            claimed(sign("seal", body, [OTHER]))


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_any_changed_byte_of_what_was_signed_is_refused(data: st.DataObject) -> None:
    sealed = _sealed()
    outer = json.loads(sealed.envelope)
    payload = bytearray(b64decode(outer["payload"]))
    place = data.draw(st.integers(0, len(payload) - 1))
    payload[place] ^= data.draw(st.integers(1, 255))
    with pytest.raises(SealBroken):
        verify_seal(
            sealed.envelope.replace(outer["payload"].encode(), b64encode(payload)),
            INDICATOR,
            disclosure(sealed.commitment, EVERYTHING),
            KEYS,
        )


def test_view_that_is_no_object_is_refused() -> None:
    sealed = _sealed()
    for view in (None, [], "x", 5, {"id": float("nan")}, {5: 5}, {"a": 2**70}):
        assert _refused(sealed, view, disclosure(sealed.commitment, EVERYTHING)) == "view-not-opened"
        assert _refused(sealed, view, _hiding(sealed, ("name",))) == "view-not-opened"


def test_sealing_changes_nothing_in_the_object() -> None:
    before = copy.deepcopy(INDICATOR)
    _sealed()
    assert before == INDICATOR
    assert len(paths(INDICATOR)) == len(_sealed().commitment.entries)
