"""Objects that name whom they are for: nobody else is given them, whatever a clause permits."""

from __future__ import annotations

from typing import Any

import pytest

from comity.kernel.release.addressed import addressees, may_be_addressed

A, B = "identity--00000000-0000-4000-8000-00000000000a", "identity--00000000-0000-4000-8000-00000000000b"


@pytest.mark.parametrize(
    ("said", "found"),
    [
        ({}, None),
        ({"addressed_to": [A, B]}, {A, B}),
        ({"addressed_to": []}, set()),
        ({"addressed_to": "everybody"}, set()),
        ({"addressed_to": {"all": True}}, set()),
        ({"addressed_to": None}, set()),
        ({"addressed_to": [A, 7, None]}, {A}),
    ],
)
def test_what_is_no_list_of_parties_is_for_nobody(said: dict[str, Any], found: set[str] | None) -> None:
    assert addressees(said) == found


def test_only_types_of_ours_name_whom_they_are_for() -> None:
    assert [may_be_addressed(one) for one in ("x-comity-message", "indicator", "x-acme-comity")] == [True, False, False]
