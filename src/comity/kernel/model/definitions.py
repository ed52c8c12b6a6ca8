"""Our own extension definitions: how one is made, the same bytes at every node. Source: STIX 2.1 §7.3."""

from __future__ import annotations

from typing import Any, Final

from comity.kernel.model.ids import minted

AUTHOR: Final = minted("identity", "comity-formats")
"""The Comity software as author of its extension definitions; no party."""

WHEN: Final = "2026-11-01T00:00:00.000Z"
"""`created` and `modified` of our definitions, which every node has byte for byte."""


def extension(name: str, kind: str, description: str, page: str) -> dict[str, Any]:
    """An extension definition of ours, as a STIX object.

    Args:
        name: From which its id follows.
        kind: One of the extension types of STIX, such as ``new-sdo``.
        page: Where the format is told.
    """
    return {
        "type": "extension-definition",
        "spec_version": "2.1",
        "id": minted("extension-definition", name),
        "created_by_ref": AUTHOR,
        "created": WHEN,
        "modified": WHEN,
        "name": name,
        "description": description,
        "schema": page,
        "version": "1.0.0",
        "extension_types": [kind],
    }
