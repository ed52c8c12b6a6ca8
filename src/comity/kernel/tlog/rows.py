"""Delivery pages: what one deliver act hands over, row by row, so that each delivery can be proved alone.

A row is ``SHA-256(0x00 ‖ "comity/row/1" ‖ salt16 ‖ JCS([n, digest, view, title, terms]))``. A page is always a tree
of 1,024 leaves, nodes as in RFC 9162; row i stands at place i, the rest is derived from the page's secret
(`comity.kernel.tlog.blind`), so neither the root nor a proof tells how many rows a page has. The salts come from the
same secret,

    salt(secret, place) = SHA-256("comity/row-salt/1" ‖ secret32 ‖ u16 place)[:16]

so who receives a page needs its secret and nothing else to check the root; who is shown one row gets its salt and
path only.

Source: docs/formats/log.md, Rows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final

from comity.kernel.errors import InputRefused, SealBroken
from comity.kernel.seal.canonical import canonical
from comity.kernel.tlog.blind import BlindTree, climb, well_formed
from comity.kernel.tlog.tree import HASH_BYTES

HEIGHT: Final = 10
ROWS: Final = 1 << HEIGHT
"""Leaves of one page."""

SALT_BYTES: Final = 16


@dataclass(frozen=True, slots=True)
class Row:
    """One version delivered to one party.

    Args:
        n: Its place in the addressee's stream.
        digest: The digest of the seal, hexadecimal.
        view: The name of the view.
        title: Agreement digest, ``#`` and clause.
        terms: Effective TLP, PAP, caveats, recipients, purpose, basis and retention, as JSON.
    """

    n: int
    digest: str
    view: str
    title: str
    terms: Mapping[str, Any]


def row_salt(secret: bytes, place: int) -> bytes:
    """The salt of the row at `place`, 16 bytes."""
    return sha256(b"comity/row-salt/1" + secret + place.to_bytes(2, "big")).digest()[:SALT_BYTES]


def row_leaf(row: Row, salt: bytes) -> bytes:
    """The leaf of a row, 32 bytes.

    Raises:
        InputRefused: `page` for a salt that is not of 16 bytes; `not-canonical` for a row JSON cannot say.
    """
    if len(salt) != SALT_BYTES:
        raise InputRefused("page", f"The salt of a row has {len(salt)} bytes instead of 16.")
    return sha256(
        b"\x00comity/row/1" + salt + canonical([row.n, row.digest, row.view, row.title, dict(row.terms)])
    ).digest()


@dataclass(frozen=True, slots=True)
class Page:
    """The rows of one delivery with their tree, built once for any number of proofs.

    Args:
        rows: At most 1,024.
        secret: 32 random bytes, the page's own; the receiver gets it, nobody else.
        tree: Follows from the two.
    """

    rows: tuple[Row, ...]
    secret: bytes
    tree: BlindTree

    @classmethod
    def of(cls, rows: Sequence[Row], secret: bytes) -> Page:
        """Lay out a page.

        Raises:
            InputRefused: `page` for more than 1,024 rows or a secret that is not of 32 bytes; `not-canonical`.
        """
        if len(rows) > ROWS or len(secret) != HASH_BYTES:
            raise InputRefused("page", f"A page has at most {ROWS} rows and a secret of 32 bytes.")
        leaves = {place: row_leaf(row, row_salt(secret, place)) for place, row in enumerate(rows)}
        return cls(tuple(rows), secret, BlindTree.build(leaves, secret, HEIGHT))


def page_root(rows: Sequence[Row], secret: bytes) -> bytes:
    """The root of a page, 32 bytes: what the deliver act commits to.

    Raises:
        InputRefused: `page`, `not-canonical`.
    """
    return Page.of(rows, secret).tree.root()


def row_proof(page: Page, i: int) -> tuple[bytes, ...]:
    """The 10 hashes from row `i` to the root of its page; show them with the row, `i` and ``row_salt(page.secret, i)``.

    Raises:
        InputRefused: `page` where the page has no such row.
    """
    if not 0 <= i < len(page.rows):
        raise InputRefused("page", f"The page has {len(page.rows)} rows and no row {i}.")
    return page.tree.path(i)


def verify_row(row: Row, salt: bytes, place: int, proof: Sequence[bytes], root: bytes) -> None:
    """Check that the page with this root has the row at `place`.

    Raises:
        SealBroken: `row-proof`.
        InputRefused: `page`, `not-canonical` for a row or salt that cannot be.
    """
    if not 0 <= place < ROWS or not well_formed(proof, HEIGHT):
        raise SealBroken("row-proof", "The proof inside a page has 10 hashes of 32 bytes and a place from 0 to 1,023.")
    if climb(row_leaf(row, salt), place, proof) != root:
        raise SealBroken("row-proof", f"The row is not at place {place} of the page with this root.")
