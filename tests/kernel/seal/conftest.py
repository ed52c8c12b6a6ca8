"""Shared by the tests of seals and views. Which to pick:

- `reference`: a second implementation of the commitment, written straight from docs/formats/seal.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from typing import Any

import pytest
import rfc8785


class Reference:
    """The commitment as another implementer would write it from the page, slowly and plainly."""

    def leaves(self, data: Mapping[str, Any], view_extension: str) -> list[tuple[list[Any], Any]]:
        out: list[tuple[list[Any], Any]] = []
        for name, value in data.items():
            listed = name in (
                "labels",
                "external_references",
                "kill_chain_phases",
                "granular_markings",
            ) or name.endswith("_refs")
            if listed and isinstance(value, list):
                out.append(([name, "#"], len(value)))
                for i, element in enumerate(value):
                    if name == "granular_markings" and self._splits(element):
                        for j, selector in enumerate(element["selectors"]):
                            rest = {key: part for key, part in element.items() if key != "selectors"}
                            out.append(([name, i, j], {**rest, "selector": selector}))
                    else:
                        out.append(([name, i], element))
            elif name == "extensions" and isinstance(value, dict):
                others = {key: part for key, part in value.items() if key != view_extension}
                if others or view_extension not in value:
                    out.append(([name, "#"], len(others)))
                out.extend(([name, key], part) for key, part in others.items())
            else:
                out.append(([name], value))
        return sorted(out, key=lambda leaf: rfc8785.dumps(leaf[0]))

    def digest(self, data: Mapping[str, Any], seed: bytes, view_extension: str) -> bytes:
        leaves = self.leaves(data, view_extension)
        joined = b"".join(
            sha256(b"\x00" + b"comity/leaf/1" + self.salt(seed, place) + rfc8785.dumps([path, value])).digest()
            for place, (path, value) in enumerate(leaves)
        )
        return sha256(b"\x01" + b"comity/object/1" + len(leaves).to_bytes(4, "big") + joined).digest()

    def salt(self, seed: bytes, place: int) -> bytes:
        return sha256(b"comity/salt/1" + seed + place.to_bytes(4, "big")).digest()[:16]

    def _splits(self, element: Any) -> bool:
        if not isinstance(element, dict) or "selector" in element:
            return False
        selectors = element.get("selectors")
        return isinstance(selectors, list) and len(selectors) > 0


@pytest.fixture(scope="session")
def reference() -> Reference:
    return Reference()
