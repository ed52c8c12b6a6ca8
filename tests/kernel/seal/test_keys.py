"""Keys: RFC 8032 vectors, small order points, fingerprints."""

from __future__ import annotations

from hashlib import sha256

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from comity.kernel.errors import SealBroken, Usage
from comity.kernel.seal import keys
from comity.kernel.seal.keys import SPKI_PREFIX, PublicKey, SigningKey, fingerprint

# RFC 8032 §7.1, TEST 1 and TEST 2: seed, public key, message, signature
RFC8032 = [
    (
        "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155"
        "5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
    ),
    (
        "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
        "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
    ),
]

# Curve arithmetic of RFC 8032 §5.1, written out here to find the points of small order without the module under test.
P = 2**255 - 19
D = -121665 * pow(121666, P - 2, P) % P
ROOT = pow(2, (P - 1) // 4, P)


def _add(a: tuple[int, int], b: tuple[int, int]) -> tuple[int, int]:
    (x1, y1), (x2, y2) = a, b
    k = D * x1 * x2 * y1 * y2 % P
    return (x1 * y2 + x2 * y1) * pow(1 + k, P - 2, P) % P, (y1 * y2 + x1 * x2) * pow(1 - k, P - 2, P) % P


def _decoded(encoded: bytes) -> tuple[int, int] | None:
    number = int.from_bytes(encoded, "little")
    y, sign = (number & (2**255 - 1)) % P, number >> 255
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(square, (P + 3) // 8, P)
    if x * x % P != square:
        x = x * ROOT % P
    if x * x % P != square:
        return None
    return (P - x if x & 1 != sign else x) % P, y


def _times_eight(point: tuple[int, int]) -> tuple[int, int]:
    for _ in range(3):
        point = _add(point, point)
    return point


@pytest.mark.parametrize(("seed", "public", "message", "signature"), RFC8032)
def test_published_key_and_signature_come_out(seed: str, public: str, message: str, signature: str) -> None:
    key = SigningKey.from_seed(bytes.fromhex(seed))
    assert key.public.spki == SPKI_PREFIX + bytes.fromhex(public)
    assert key.sign(bytes.fromhex(message)).hex() == signature
    key.public.verify(bytes.fromhex(signature), bytes.fromhex(message))


def test_every_point_of_small_order_is_refused_as_a_key() -> None:
    small = keys._SMALL_ORDER
    assert len(small) == 14
    for encoded in small:
        point = _decoded(encoded)
        assert point is not None
        assert _times_eight(point) == (0, 1)
        with pytest.raises(SealBroken) as refused:
            PublicKey(SPKI_PREFIX + encoded)
        assert refused.value.code == "bad-key"
    # ... and all eight of them are there, whatever their spelling
    assert len({_decoded(encoded) for encoded in small}) == 8


@pytest.mark.parametrize("spki", [b"", b"x" * 44, SPKI_PREFIX + b"x" * 31, SPKI_PREFIX + b"x" * 33, SPKI_PREFIX])
def test_bytes_that_are_no_key_are_refused(spki: bytes) -> None:
    with pytest.raises(SealBroken, match="not an Ed25519 key"):
        PublicKey(spki)


@settings(max_examples=60, deadline=None)
@given(st.binary(min_size=32, max_size=32), st.binary(max_size=40), st.integers(0, 511))
def test_signature_with_one_flipped_bit_is_refused(seed: bytes, data: bytes, bit: int) -> None:
    key = SigningKey.from_seed(seed)
    signature = bytearray(key.sign(data))
    key.public.verify(bytes(signature), data)
    signature[bit // 8] ^= 1 << bit % 8
    with pytest.raises(SealBroken) as refused:
        key.public.verify(bytes(signature), data)
    assert refused.value.code == "bad-signature"


def test_short_signature_is_refused_not_a_crash() -> None:
    with pytest.raises(SealBroken):
        SigningKey.from_seed(b"s" * 32).public.verify(b"", b"data")


def test_fingerprint_is_six_groups_of_five_digits() -> None:
    spki = SigningKey.from_seed(b"s" * 32).public.spki
    digest = sha256(spki).digest()
    groups = fingerprint(spki).split(" ")
    assert [len(group) for group in groups] == [5] * 6
    assert int(groups[0]) == int.from_bytes(digest[0:5], "big") % 100_000
    assert int(groups[5]) == int.from_bytes(digest[25:30], "big") % 100_000


def test_printed_key_shows_no_secret() -> None:
    seed = bytes(range(32))
    key = SigningKey.from_seed(seed)
    assert seed.hex() not in repr(key)
    assert repr(seed) not in repr(key)


def test_derived_secret_depends_on_key_label_and_context() -> None:
    one, other = SigningKey.from_seed(b"1" * 32), SigningKey.from_seed(b"2" * 32)
    made = [one.derive(b"a", b"c"), one.derive(b"b", b"c"), one.derive(b"a", b"d"), other.derive(b"a", b"c")]
    assert len(set(made)) == 4
    assert one.derive(b"a", b"c") == made[0]


def test_seed_of_wrong_length_is_refused() -> None:
    with pytest.raises(Usage):
        SigningKey.from_seed(b"short")
