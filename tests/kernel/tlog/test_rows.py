"""Delivery pages: one row is proved, the page is not shown."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from comity.kernel.errors import InputRefused, SealBroken
from comity.kernel.tlog.rows import ROWS, Page, Row, page_root, row_leaf, row_proof, row_salt, verify_row
from comity.kernel.tlog.tree import root_of

SECRET = bytes(range(32))


def row(n: int) -> Row:
    return Row(n, f"{n:064x}", "indicator", "ab" * 32 + "#4", {"tlp": "amber", "purpose": ["defence"], "caveats": []})


@pytest.mark.parametrize("count", [0, 1, 2, 3, 500, 1023, 1024])
def test_each_row_of_a_page_is_proved_with_ten_hashes(count: int) -> None:
    rows = [row(n) for n in range(1, count + 1)]
    page = Page.of(rows, SECRET)
    root = page_root(rows, SECRET)
    assert page.tree.root() == root
    for place in {0, 1, count // 2, count - 1} if count else ():
        if place < count:
            proof = row_proof(page, place)
            assert len(proof) == 10
            verify_row(rows[place], row_salt(SECRET, place), place, proof, root)
    with pytest.raises(InputRefused):
        row_proof(page, count)


def test_a_full_page_is_the_rfc_tree_of_its_1024_rows() -> None:
    rows = [row(n) for n in range(ROWS)]
    assert page_root(rows, SECRET) == root_of(row_leaf(one, row_salt(SECRET, at)) for at, one in enumerate(rows))


def test_pages_and_proofs_have_one_size_whatever_they_hold() -> None:
    shapes = set()
    for count in (1, 7, 1024):
        page = Page.of([row(n) for n in range(count)], SECRET)
        shapes.add((len(page.tree.root()), tuple(len(one) for one in row_proof(page, 0))))
    assert shapes == {(32, (32,) * 10)}


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 40), st.data())
def test_any_other_row_salt_place_or_hash_is_refused(count: int, data: st.DataObject) -> None:
    rows = [row(n) for n in range(count)]
    page, place = Page.of(rows, SECRET), data.draw(st.integers(0, count - 1))
    proof, root, salt = row_proof(page, place), page.tree.root(), row_salt(SECRET, place)
    at, bit = data.draw(st.integers(0, 9)), data.draw(st.integers(0, 255))
    changed = (int.from_bytes(proof[at], "big") ^ 1 << bit).to_bytes(32, "big")
    mine = rows[place]
    for shown, opened, where, path in (
        (replace(mine, n=mine.n + 1), salt, place, proof),
        (replace(mine, digest="0" * 63 + "f" * 2), salt, place, proof),
        (replace(mine, view="full"), salt, place, proof),
        (replace(mine, title="ab" * 32 + "#5"), salt, place, proof),
        (replace(mine, terms={**mine.terms, "tlp": "clear"}), salt, place, proof),
        (mine, bytes(16), place, proof),
        (mine, salt, place ^ 1 << at, proof),
        (mine, salt, place + ROWS, proof),
        (mine, salt, -1, proof),
        (mine, salt, place, [*proof[:at], changed, *proof[at + 1 :]]),
        (mine, salt, place, proof[:-1]),
        (mine, salt, place, [*proof, proof[0]]),
    ):
        with pytest.raises(SealBroken) as refused:
            verify_row(shown, opened, where, path, root)
        assert refused.value.code == "row-proof"


def test_a_page_that_is_too_long_or_without_a_secret_is_refused() -> None:
    for rows, secret in (([row(1)] * 1025, SECRET), ([row(1)], b""), ([row(1)], bytes(31))):
        with pytest.raises(InputRefused):
            page_root(rows, secret)
    with pytest.raises(InputRefused):
        row_leaf(row(1), bytes(15))
    with pytest.raises(InputRefused):
        row_leaf(replace(row(1), terms={"retention": 1 << 60}), bytes(16))
