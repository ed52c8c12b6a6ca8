"""Tiles: the tree as it is stored and served, 256 hashes a piece.

Source: C2SP tlog-tiles (paths, widths, which hashes a tile has), height 8. Tile (level, index) has the roots of the
complete subtrees of height ``8 * level`` numbered ``256 * index`` and on, 32 bytes each. A tile is only ever appended
to: the tile of a smaller tree is the beginning of the tile of a larger one, so a store keeps one row for (level,
index) and cuts it to the width that is asked for. A partial tile is never hashed into the level above.

    writer, rows = TileWriter().append([leaf_hash(b"first"), leaf_hash(b"second")])
    rows                      # (TileRow(level=0, index=0, data=<64 bytes>),)
    tile_path(0, 0, 2)        # 'tile/0/000.p/2'
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final, NamedTuple, Protocol

from comity.kernel.errors import InputRefused, LogFault, NotFound
from comity.kernel.tlog.tree import HASH_BYTES, MAX_SIZE, Frontier, ReadHash, cover, pair_up

HEIGHT: Final = 8
WIDTH: Final = 1 << HEIGHT
"""Hashes in a full tile."""


class TileReader(Protocol):
    """Where tiles are kept."""

    def read_tile(self, level: int, index: int, width: int) -> bytes:
        """The first `width` hashes (1 to 256) of the tile, ``32 * width`` bytes.

        Raises:
            NotFound: `log-tile` where the store has no such tile, or not that many hashes of it.
        """
        ...


class TileRow(NamedTuple):
    """One tile to store; it replaces an earlier row of the same level and index, which it begins with."""

    level: int
    index: int  # type: ignore[assignment]
    data: bytes


def tile_path(level: int, index: int, width: int = WIDTH) -> str:
    """The path of a tile below a log's prefix, e.g. ``tile/0/x001/067`` or ``tile/0/x001/067.p/5``.

    Raises:
        NotFound: `log-tile` for a level outside 0 to 63, a negative index or a width outside 1 to 256.
    """
    if not 0 <= level <= 63 or not 0 <= index < MAX_SIZE or not 1 <= width <= WIDTH:
        raise NotFound("log-tile", f"There is no tile {index} of width {width} at level {level}.")
    parts = [f"{index % 1000:03d}"]
    while index >= 1000:
        index //= 1000
        parts.append(f"x{index % 1000:03d}")
    path = f"tile/{level}/" + "/".join(reversed(parts))
    return path if width == WIDTH else f"{path}.p/{width}"


_PATH = re.compile(r"tile/(0|[1-9]\d?)/((?:x\d{3}/){0,6}\d{3})(?:\.p/([1-9]\d{0,2}))?", re.ASCII)


def parse_tile_path(path: str) -> tuple[int, int, int]:
    """Level, index and width of a tile path; the only spelling accepted is the one `tile_path` writes.

    Raises:
        NotFound: `log-tile` for any other text.
    """
    match = _PATH.fullmatch(path)
    if match is not None:
        level, index = int(match[1]), int(match[2].replace("/", "").replace("x", ""))
        width = int(match[3]) if match[3] else WIDTH
        if level <= 63 and index < MAX_SIZE and width <= WIDTH and tile_path(level, index, width) == path:
            return level, index, width
    raise NotFound("log-tile", "This is not the path of a tile; write it as tile/0/x001/067 or tile/0/x001/067.p/5.")


def width_at(size: int, level: int, index: int) -> int:
    """How many hashes (0 to 256) tile (level, index) has in a tree of `size` leaves."""
    return min(max((size >> (HEIGHT * level)) - index * WIDTH, 0), WIDTH)


def tiles_of(size: int) -> list[tuple[int, int, int]]:
    """The rightmost tile of each level of a tree of `size` leaves where it is partial, as (level, index, width)."""
    found = []
    level = 0
    while size >> (HEIGHT * level):
        index, width = divmod(size >> (HEIGHT * level), WIDTH)
        if width:
            found.append((level, index, width))
        level += 1
    return found


@dataclass(frozen=True, slots=True)
class TileWriter:
    """The growing edge of a stored tree; appending gives the next edge and the rows to store, in one go.

    A value, not a connection: when the transaction that stores the rows is rolled back, the old writer still stands.

    Args:
        frontier: The frontier of the tree so far.
        edge: The partial tile of each level that has one: (level, bytes), lowest level first.
    """

    frontier: Frontier = field(default_factory=Frontier)
    edge: tuple[tuple[int, bytes], ...] = ()

    @classmethod
    def resume(cls, size: int, reader: TileReader) -> TileWriter:
        """The writer of a stored tree of `size` leaves.

        Raises:
            LogFault: `log-tile-damaged` where a tile has not the bytes it must have.
            NotFound: `log-tile` as the reader says.
        """
        edge: list[tuple[int, bytes]] = []
        nodes: list[bytes] = []
        for level, index, width in tiles_of(size):
            data = _read(reader, level, index, width)
            edge.append((level, data))
            nodes[:0] = (_inside(data, depth, place) for depth, place in cover(0, width))
        return cls(Frontier(size, tuple(nodes)), tuple(edge))

    @property
    def size(self) -> int:
        """How many leaves the tree has."""
        return self.frontier.size

    def append(self, leaves: Iterable[bytes]) -> tuple[TileWriter, tuple[TileRow, ...]]:
        """Append record hashes (32 bytes each), in order.

        Returns:
            The writer after it, and every new or changed tile, full ones once, partial ones at their new width.
        """
        size = self.size
        edge = dict(self.edge)
        rows: list[TileRow] = []

        def completed(level: int, hashes: list[bytes]) -> None:
            if level % HEIGHT:
                return
            tile_level = level // HEIGHT
            index = size >> level + HEIGHT
            data = edge.pop(tile_level, b"") + b"".join(hashes)
            if len(data) % HASH_BYTES:
                raise InputRefused("log-frontier", "A record hash is not of 32 bytes.")
            step = WIDTH * HASH_BYTES
            for start in range(0, len(data), step):
                rows.append(TileRow(tile_level, index + start // step, data[start : start + step]))
            if len(rows[-1].data) < step:
                edge[tile_level] = rows[-1].data

        frontier = self.frontier.extended(leaves, completed)
        return TileWriter(frontier, tuple(sorted(edge.items()))), tuple(rows)


def tile_hashes(reader: TileReader, size: int) -> ReadHash:
    """Answer `ReadHash` from the tiles of a tree of `size` leaves; each tile is read once.

    The function is made for one proof: it keeps every tile it read.

    Raises:
        LogFault: `log-tile-damaged` where a tile has not the bytes it must have (by the function that is returned).
        NotFound: `log-tile` as the reader says (by the function that is returned).
    """
    kept: dict[tuple[int, int], bytes] = {}

    def read_hash(level: int, index: int) -> bytes:
        # within a tile the levels between are hashed again (tlog-tiles, Merkle Tree)
        tile_level, depth = divmod(level, HEIGHT)
        tile, place = divmod(index << depth, WIDTH)
        width = width_at(size, tile_level, tile)
        if place + (1 << depth) > width:
            raise NotFound("log-position", f"A log of {size} leaves has no complete subtree {index} at level {level}.")
        data = kept.get((tile_level, tile))
        if data is None:
            data = kept[tile_level, tile] = _read(reader, tile_level, tile, width)
        return _inside(data, depth, place >> depth)

    return read_hash


def _inside(data: bytes, depth: int, place: int) -> bytes:
    """The root of the subtree of height `depth` numbered `place` within a tile's bytes."""
    start = (place << depth) * HASH_BYTES
    hashes = [data[at : at + HASH_BYTES] for at in range(start, start + (HASH_BYTES << depth), HASH_BYTES)]
    while len(hashes) > 1:
        hashes = pair_up(hashes)
    return hashes[0]


def _read(reader: TileReader, level: int, index: int, width: int) -> bytes:
    data = reader.read_tile(level, index, width)
    if len(data) != width * HASH_BYTES:
        raise LogFault(
            "log-tile-damaged",
            f"Tile {tile_path(level, index, width)} has {len(data)} bytes instead of {width * HASH_BYTES}.",
        )
    return data
