"""How a paper looks in any format: its marking in pieces, the widths of its columns, the shapes of its characters."""

from __future__ import annotations

import re
from typing import Final

from comity.node.documents import Table

TLP: Final = re.compile(r"TLP:(?:RED|AMBER\+STRICT|AMBER|GREEN|CLEAR)\b")
COLOURS: Final = {
    "RED": "#FF2B2B",
    "AMBER+STRICT": "#FFC000",
    "AMBER": "#FFC000",
    "GREEN": "#33FF00",
    "CLEAR": "#FFFFFF",
}
"""Of the labels of TLP 2.0, on black."""
WIDEST: Final = 6.0
"""How many times as long as another's a column's text counts."""
CJK: Final = {"zh": "SC", "zh-hant": "TC", "zh-tw": "TC", "zh-hk": "HK", "ja": "JP", "ko": "KR"}
"""The variant of Noto Sans CJK by language; characters differ in shape between them."""


def marking_of(said: str) -> list[tuple[str, str | None]]:
    """A marking in pieces: each TLP label with its colour on black, what else stands there with None."""
    out: list[tuple[str, str | None]] = []
    at = 0
    for found in TLP.finditer(said):
        out += [(said[at : found.start()].strip(), None)]
        out += [(found[0], COLOURS[found[0].removeprefix("TLP:")])]
        at = found.end()
    out += [(said[at:].strip(), None)]
    return [piece for piece in out if piece[0]]


def widths(table: Table) -> list[float]:
    """How wide each column is beside the others, by what stands in it."""
    most = [
        max(len(head), *(len(row[n]) for row in table.rows[:500])) if table.rows else len(head)
        for n, head in enumerate(table.heads)
    ]
    least = max(max(most, default=1) / WIDEST, 1.0)
    return [round(max(one, least) ** 0.6, 2) for one in most]


def cjk_of(language: str) -> str:
    """The family of Noto Sans CJK for a language, BCP 47."""
    said = language.lower()
    variant = CJK.get(said) or CJK.get("-".join(said.split("-")[:2])) or CJK.get(said.partition("-")[0], "SC")
    return f"Noto Sans CJK {variant}"
