"""What the desk tells of norms: each fact with its source, the day it stands for, and whether somebody checked it.

A norm is said to be relevant to something, never to be broken: that is a finding of a named party.
"""

from __future__ import annotations

from typing import Any

from comity.node.facts import Fact, fact, whole, within


def norm(name: str) -> dict[str, Any]:
    """A norm: {norm, instrument, says, sources, version, verified, further, sentence}.

    Args:
        name: ``13c``, ``13h``, ``13j``.
    """
    found = fact("norms", name)
    further = within(found)
    paragraph = f"A/70/174, paragraph {name[:-1]}({name[-1]}); {whole('norms')['instrument']['nature']}"
    asks = str(found.says["asks"]).rstrip(".")
    told = [f"Relevant to norm {name}: {asks} ({paragraph}; {found.mark}).", *map(_also, further)]
    return {
        "norm": name,
        "instrument": paragraph,
        "says": asks,
        "sources": [one.as_json() for one in found.sources],
        "version": found.as_of,
        "verified": found.verified,
        "further": [
            {"says": one.text, "sources": [source.as_json() for source in one.sources], "verified": one.verified}
            for one in further
        ],
        "sentence": " ".join(told),
    }


def _also(one: Fact) -> str:
    return f"Also: {one.text} ({one.mark})."
