"""Salted commitments: they open to one thing under one label, and to nothing else."""

from __future__ import annotations

from hashlib import sha256

import pytest
import rfc8785

from comity.kernel.errors import SealBroken, Usage
from comity.kernel.seal.secrecy import bind, check_opening

SALT = bytes(range(16))
OFFICERS = {"officers": ["Officer One"], "reason": "consented by telephone"}


def test_commitment_is_what_the_format_page_says() -> None:
    expected = sha256(b"\x00comity/bind/1" + SALT + rfc8785.dumps(["officers", OFFICERS])).digest()
    assert bind(SALT, "officers", OFFICERS) == expected
    check_opening(expected, SALT, "officers", OFFICERS)


@pytest.mark.parametrize(
    ("salt", "label", "body"),
    [
        (bytes(16), "officers", OFFICERS),
        (SALT, "source", OFFICERS),
        (SALT, "officers", {**OFFICERS, "reason": "asked by nobody"}),
        (SALT[:15], "officers", OFFICERS),
    ],
)
def test_other_salt_label_or_body_does_not_open_it(salt: bytes, label: str, body: object) -> None:
    with pytest.raises(SealBroken) as refused:
        check_opening(bind(SALT, "officers", OFFICERS), salt, label, body)
    assert refused.value.code == "opening-refused"


def test_short_salt_is_not_used() -> None:
    with pytest.raises(Usage):
        bind(b"", "officers", OFFICERS)
