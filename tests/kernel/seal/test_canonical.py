"""Canonical bytes: the fast way and the standard's way give the same bytes."""

from __future__ import annotations

from typing import Any

import pytest
import rfc8785
from hypothesis import example, given, settings
from hypothesis import strategies as st

from comity.kernel.errors import InputRefused
from comity.kernel.seal import canonical as module
from comity.kernel.seal.canonical import canonical

_TEXT = st.text(max_size=8) | st.sampled_from(["1.5", ":1.5", "00:00.000Z", '":1e5', "\U0001f600", "￿", "\x7f\x1f"])
_NUMBERS = (
    st.integers(-(2**53) + 1, 2**53 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from([1e21, -0.0, 1.0, 9007199254740991, 1e-7])
)
_VALUES: st.SearchStrategy[Any] = st.recursive(
    _TEXT | _NUMBERS | st.booleans() | st.none(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_TEXT, inner, max_size=4),
    max_leaves=12,
)


@settings(max_examples=400, deadline=None)
@given(_VALUES)
@example([1, 1.0])
@example({"a": [1e22], "b": -1.5})
@example([[2**53 - 1, 0.1]])
def test_fast_bytes_are_the_standards_bytes(value: Any) -> None:
    try:
        expected = rfc8785.dumps(value)
    except rfc8785.CanonicalizationError:
        with pytest.raises(InputRefused):
            canonical(value)
    else:
        assert canonical(value) == expected


@pytest.mark.parametrize(
    "value", [2**53, [float("nan")], {"a": float("inf")}, "\ud800", {"\ud800": 1}, {1: 1}, {"a": object()}]
)
def test_value_that_other_readers_would_change_is_refused(value: Any) -> None:
    with pytest.raises(InputRefused) as refused:
        canonical(value)
    assert refused.value.code == "not-canonical"


def test_timestamps_and_addresses_in_text_go_the_fast_way() -> None:
    assert not module._doubtful(
        canonical({"created": "2021-03-02T17:00:00.000Z", "pattern": "[ipv4-addr:value = '192.0.2.1']"})
    )
