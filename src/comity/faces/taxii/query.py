"""The parameters of TAXII requests: ``added_after``, ``limit``, ``next`` and ``match[...]`` (TAXII 2.1 §3.4).

A parameter twice, a value of another form or a match this server does not know is refused: ignoring a filter would give more
than was asked for.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Final

from litestar import Request

from comity.kernel.errors import InputRefused, Usage
from comity.kernel.model.instants import Instant, parse
from comity.node.taxii import Query

DEFAULT_LIMIT: Final = 1_000
MAX_LIMIT: Final = 10_000
"""A larger ``limit`` is taken as this; §3.4: the server may give fewer."""

MOST_VALUES: Final = 1_000
"""Values in one match filter."""

_WORDS: Final = frozenset({"first", "last", "all"})


def parameters(request: Request[Any, Any, Any], known: Collection[str]) -> dict[str, str]:
    """The parameters of a request, each once; of the match filters only `known` ones.

    Raises:
        Usage: `taxii-query`.
    """
    found: dict[str, str] = {}
    for name, value in request.query_params.multi_items():
        if name in found:
            raise Usage("taxii-query", f"{name[:80]} stands twice; several values go into one, with commas.")
        if name.startswith("match[") and name not in known:
            raise Usage(
                "taxii-query", f"This address knows no filter {name[:80]}; it knows {', '.join(sorted(known))}."
            )
        found[name] = value
    return {name: value for name, value in found.items() if name in known}


def read_query(found: dict[str, str], *, versions: str = "last") -> Query:
    """The query that parameters say.

    Args:
        versions: What no ``match[version]`` means at this address.

    Raises:
        Usage: `taxii-query`.
    """
    specs = _values(found, "match[spec_version]")
    return Query(
        added_after=_instant(found["added_after"]) if "added_after" in found else None,
        ids=_values(found, "match[id]"),
        types=_values(found, "match[type]"),
        versions=frozenset(_version(one) for one in _values(found, "match[version]") or {versions}),
        known_spec=specs is None or "2.1" in specs,
    )


def read_limit(found: dict[str, str]) -> int:
    """How many entries are asked for at most.

    Raises:
        Usage: `taxii-query` for what is no whole number above 0.
    """
    text = found.get("limit")
    if text is None:
        return DEFAULT_LIMIT
    if not (text.isascii() and text.isdigit() and len(text) <= 9 and int(text) > 0):
        raise Usage("taxii-query", "limit is a whole number above 0.", clause="TAXII 2.1 §3.4")
    return min(int(text), MAX_LIMIT)


def _values(found: dict[str, str], name: str) -> frozenset[str] | None:
    if name not in found:
        return None
    values = frozenset(found[name].split(","))
    if "" in values or len(values) > MOST_VALUES:
        raise Usage("taxii-query", f"{name} is a list of 1 to {MOST_VALUES} values with commas between them.")
    return values


def _version(text: str) -> str | Instant:
    return text if text in _WORDS else _instant(text)


def _instant(text: str) -> Instant:
    try:
        return parse(text)
    except InputRefused as broken:
        raise Usage("taxii-query", f"{text[:80]!r} is no timestamp; write it as 2021-03-02T12:00:00.000Z.") from broken
