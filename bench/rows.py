"""One line of the result, and the table of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

LESS_IS_BETTER: Final = frozenset({"ms", "s", "MB"})


@dataclass(slots=True)
class Row:
    """A measure: ours, the peer's and the floor's value in one unit, each with the n it was measured at.

    Args:
        ratio, floor_ratio: Above 1 we are better, whichever way the unit runs; None where there is nothing to compare with.
        peak_mb: Highest resident memory of our process, MiB.
    """

    name: str
    n: int
    unit: str
    ours: float
    peer: str | None = None
    peer_n: int | None = None
    peer_value: float | None = None
    ratio: float | None = None
    floor: str | None = None
    floor_value: float | None = None
    floor_ratio: float | None = None
    peak_mb: float | None = None

    def better_than(self, other: float | None) -> float | None:
        """Our value against another, above 1 where ours is better."""
        if other is None or not other or not self.ours:
            return None
        return other / self.ours if self.unit in LESS_IS_BETTER else self.ours / other

    def as_json(self) -> dict[str, Any]:
        """The row by the names of bench/latest.json, figures to four digits."""
        return {name: figure(value) if isinstance(value, float) else value for name, value in asdict(self).items()}


def figure(value: float) -> float:
    """Four significant digits."""
    return float(f"{value:.4g}")


def finish(rows: Sequence[Row]) -> None:
    """Fill in the ratios."""
    for row in rows:
        row.ratio = row.better_than(row.peer_value)
        row.floor_ratio = row.better_than(row.floor_value)


def show(rows: Sequence[Row]) -> str:
    """The table, one line a row."""
    head = (
        "measure",
        "n",
        "ours",
        "unit",
        "peer",
        "its n",
        "its value",
        "ratio",
        "floor",
        "floor value",
        "ratio",
        "MB",
    )
    lines = [head, *(cells(row) for row in rows)]
    widths = [max(len(line[at]) for line in lines) for at in range(len(head))]
    left = {0, 3, 4, 8}
    return "\n".join(
        "  ".join(
            cell.ljust(width) if at in left else cell.rjust(width)
            for at, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    )


def cells(row: Row) -> tuple[str, ...]:
    """A row as text."""

    def said(value: float | None) -> str:
        if value is None:
            return "-"
        return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"

    return (
        row.name,
        f"{row.n:,}",
        said(row.ours),
        row.unit,
        row.peer or "-",
        "-" if row.peer_n is None else f"{row.peer_n:,}",
        said(row.peer_value),
        said(row.ratio),
        row.floor or "-",
        said(row.floor_value),
        said(row.floor_ratio),
        said(row.peak_mb),
    )
