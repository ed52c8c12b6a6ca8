"""Tiles as C2SP tlog-tiles has them: paths, widths, growth, and proofs read back out of them."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from comity.kernel.errors import LogFault, NotFound
from comity.kernel.tlog.tiles import TileWriter, parse_tile_path, tile_hashes, tile_path, tiles_of, width_at
from comity.kernel.tlog.tree import (
    Frontier,
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    root_of,
    verify_consistency,
    verify_inclusion,
)

LEAVES = [leaf_hash(index.to_bytes(4, "big")) for index in range(70_000)]


class Shelf:
    """Tiles in memory, kept as a store keeps them: one row for a level and an index."""

    def __init__(self) -> None:
        self.rows: dict[tuple[int, int], bytes] = {}

    def keep(self, level: int, index: int, data: bytes) -> None:
        assert data.startswith(self.rows.get((level, index), b"")), "a tile is only ever appended to"
        self.rows[level, index] = data

    def read_tile(self, level: int, index: int, width: int) -> bytes:
        data = self.rows.get((level, index), b"")[: 32 * width]
        if len(data) < 32 * width:
            raise NotFound("log-tile", "no such tile")
        return data


def grown(batches: list[int]) -> tuple[TileWriter, Shelf]:
    writer, shelf = TileWriter(), Shelf()
    for count in batches:
        writer, rows = writer.append(LEAVES[writer.size : writer.size + count])
        for row in rows:
            shelf.keep(*row)
    return writer, shelf


def test_the_70_000_leaf_example_of_the_standard_has_its_tiles() -> None:
    writer, shelf = grown([70_000])
    assert tiles_of(70_000) == [(0, 273, 112), (1, 1, 17), (2, 0, 1)]
    level0 = [len(data) // 32 for (level, _), data in sorted(shelf.rows.items()) if level == 0]
    assert level0 == [256] * 273 + [112]
    assert [len(data) // 32 for (level, _), data in sorted(shelf.rows.items()) if level == 1] == [256, 17]
    assert shelf.rows[1, 0][:32] == root_of(LEAVES[:256])
    assert shelf.rows[2, 0] == root_of(LEAVES[:65_536])
    assert writer.frontier == Frontier().extend(LEAVES)


def test_a_log_of_256_leaves_has_a_full_tile_and_one_hash_above() -> None:
    _, shelf = grown([256])
    assert {key: len(data) // 32 for key, data in shelf.rows.items()} == {(0, 0): 256, (1, 0): 1}


@pytest.mark.parametrize(
    ("level", "index", "width", "path"),
    [
        (0, 0, 256, "tile/0/000"),
        (0, 1_067, 256, "tile/0/x001/067"),
        (3, 1_234_067, 256, "tile/3/x001/x234/067"),
        (0, 273, 112, "tile/0/273.p/112"),
        (63, 999, 1, "tile/63/999.p/1"),
    ],
)
def test_a_tile_has_one_path(level: int, index: int, width: int, path: str) -> None:
    assert tile_path(level, index, width) == path
    assert parse_tile_path(path) == (level, index, width)


@pytest.mark.parametrize(
    "path",
    [
        "tile/0/0",
        "tile/00/000",
        "tile/64/000",
        "tile/0/x000/001",
        "tile/0/001/067",
        "tile/0/x001/x067",
        "tile/0/000.p/0",
        "tile/0/000.p/256",
        "tile/0/000.p/01",
        "tile/0/000.p/999",
        "tile/-1/000",
        "tile/0/../000",
        "tile/entries/000",
        "tile/0/000\n",
        "tile/0/٠٠٠",
        "/tile/0/000",
        "",
        "tile/0/" + "x999/" * 6 + "999",
    ],
)
def test_a_tile_path_of_another_spelling_is_not_found(path: str) -> None:
    with pytest.raises(NotFound):
        parse_tile_path(path)


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 63), st.integers(0, (1 << 60) - 1), st.integers(1, 256))
def test_a_tile_path_written_and_read_is_the_same_tile(level: int, index: int, width: int) -> None:
    assert parse_tile_path(tile_path(level, index, width)) == (level, index, width)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.sampled_from([0, 1, 2, 100, 255, 256, 257, 600]), max_size=6), st.data())
def test_a_log_read_back_from_its_tiles_proves_every_leaf_and_prefix(batches: list[int], data: st.DataObject) -> None:
    writer, shelf = grown(batches)
    size = writer.size
    assert TileWriter.resume(size, shelf) == writer
    assert all(len(row) // 32 == width_at(size, *key) for key, row in shelf.rows.items())
    if size:
        root = writer.frontier.root()
        index, old = data.draw(st.integers(0, size - 1)), data.draw(st.integers(0, size))
        verify_inclusion(LEAVES[index], index, size, inclusion_proof(index, size, tile_hashes(shelf, size)), root)
        proof = consistency_proof(old, size, tile_hashes(shelf, size))
        verify_consistency(old, size, root_of(LEAVES[:old]), root, proof)
        # the tiles of today serve the smaller log of yesterday
        assert old == 0 or TileWriter.resume(old, shelf).frontier.root() == root_of(LEAVES[:old])


def test_a_rolled_back_transaction_leaves_the_writer_where_it_was() -> None:
    writer, shelf = grown([300])
    writer.append(LEAVES[300:900])  # the rows are never stored
    again, rows = writer.append(LEAVES[300:301])
    for row in rows:
        shelf.keep(*row)
    assert again.frontier.root() == root_of(LEAVES[:301])
    assert TileWriter.resume(301, shelf) == again


def test_a_tile_cut_short_in_the_store_is_named() -> None:
    class Short(Shelf):
        def read_tile(self, level: int, index: int, width: int) -> bytes:
            return super().read_tile(level, index, width)[:-1]

    writer, shelf = grown([300])
    short = Short()
    short.rows = shelf.rows
    with pytest.raises(LogFault, match=r"tile/0/001\.p/44 has 1407 bytes instead of 1408"):
        TileWriter.resume(writer.size, short)


def test_a_subtree_that_is_not_complete_yet_is_not_answered() -> None:
    _, shelf = grown([300])
    answer = tile_hashes(shelf, 300)
    assert answer(8, 0) == root_of(LEAVES[:256])
    assert answer(0, 299) == LEAVES[299]
    for level, index in ((8, 1), (0, 300), (9, 0), (2, 75)):
        with pytest.raises(NotFound):
            answer(level, index)
