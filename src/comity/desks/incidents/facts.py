"""What the desk tells of norms: each fact with its source, the day it stands for, and whether somebody checked it.

A norm is said to be relevant to something, never to be broken: that is a finding of a named party.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from comity.node.reference import shipped


def norm(name: str) -> dict[str, Any]:
    """A norm: {norm, instrument, says, sources, version, verified, further, sentence}.

    Args:
        name: ``13c``, ``13h``, ``13j``.
    """
    data = shipped(__package__ or "", "facts.yaml")
    row = data["norms"][name]
    version = str(data["as_of"])
    further = [{**one, "sources": _sources(data, one["source"])} for one in row["further"]]
    return {
        "norm": name,
        "instrument": row["instrument"],
        "says": row["says"],
        "sources": _sources(data, row["source"]),
        "version": version,
        "verified": row["verified"],
        "further": further,
        "sentence": " ".join(
            [
                f"Relevant to norm {name}: {row['says']} ({row['instrument']}; {mark(row['verified'], row['source'], version)}).",
                *(f"Also: {one['says']} ({mark(one['verified'], one['source'], version)})." for one in row["further"]),
            ]
        ),
    }


def _sources(data: dict[str, Any], names: list[str]) -> list[dict[str, Any]]:
    return [{"id": name, **data["sources"][name]} for name in names]


def mark(verified: bool | str, sources: Sequence[str], version: str) -> str:
    """What stands beside each fact of law or of diplomacy that a person is shown: whether it was checked, its sources, its day.

    Args:
        verified: True, False, or a word between, such as ``partly``.
        sources: Ids of sources.
        version: The day the data stand for.
    """
    word = verified if isinstance(verified, str) else "checked" if verified else "unconfirmed"
    return f"{word}; {', '.join(sources) or 'no source'}; {version}"
