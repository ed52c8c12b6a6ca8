"""What is stated about an object the desk mints: what the officer says, and for what is left unsaid, as the measure is held."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta

from comity.desks.measures.kinds import KINDS
from comity.desks.measures.words import author
from comity.kernel.errors import Usage
from comity.kernel.model.instants import Instant
from comity.kernel.release.handling import Handling
from comity.kernel.store.rows import Holding, Version
from comity.node.context import Deed
from comity.node.desk import Shared
from comity.node.minting import Kind, Seen, mint, new_object
from comity.node.objects import class_facets
from comity.node.stating import span_or_instant

_DAY: Final = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)


class Like(Shared, kw_only=True, forbid_unknown_fields=True):
    """What an officer states; what is left unsaid is as the measure itself is held here."""

    tlp: Annotated[str | None, Meta(description="TLP 2.0: clear, green, amber, amber+strict, red; else the measure's.")] = None  # type: ignore[assignment]  # fmt: skip


def stated(work: Deed, asked: Shared, before: Seen | None, *ids: str, personal: bool = False) -> Handling:
    """The handling of what is minted about a measure or a listing: the cases are set to these ids.

    What another party's measure is held under gives TLP, PAP, basis and purpose; our own gives its caveats, recipients, embargo and
    end too, since what we add to it is to go no further than it does.

    Args:
        personal: It holds personal data, of which nothing else says so yet: basis, purpose, retention and minimisation are then the
            officer's own statement (UN norm 13(e)), and not taken over from what does not hold them.

    Raises:
        Usage: `handling` where no TLP is said and nothing has one.
    """
    said = asked.handling(work.at, *(("personal-data",) if personal else ()))
    cases = (said.cases or frozenset()) | frozenset(ids)
    if before is not None:
        said = _like(work, said, asked, before, personal)
    if said.tlp is None:
        raise Usage("handling", "Say --tlp: nothing here says how this may be shared.")
    return replace(said, cases=cases)


def _like(work: Deed, said: Handling, asked: Shared, before: Seen, personal: bool) -> Handling:
    holding = next(
        one
        for one in work.tx.find(Holding, version=before.version, ended=None)
        if one.custodian == before.custodian and one.title == before.title
    )
    facets = class_facets(work.tx, holding.cls)
    alike = ("tlp", "pap") if personal else ("tlp", "pap", "basis", "purpose")
    more: dict[str, Any] = {name: getattr(facets, name) for name in alike if getattr(said, name) is None}
    more["caveats"] = (said.caveats or frozenset()) | (facets.caveats or frozenset())
    if author(before, work.node.party) == work.node.party:
        if said.recipients is None:
            more["recipients"] = facets.recipients
        if said.embargo is None:
            more["embargo"] = holding.embargo
        if not personal and said.retention is None:
            more["retention"] = holding.expiry
        if not personal and facets.minimised:
            more["minimised"] = True
    return replace(said, **more)


def minted(work: Deed, kind: Kind, says: msgspec.Struct) -> dict[str, Any]:
    """A new object of a kind of this desk."""
    count = (work.tx.last(Version, "n") or 0, work.at)
    return new_object(work.node, kind, says, work.at, draw=f"measures/{kind.name}/{count}/{says!r}")


def keep(work: Deed, name: str, objects: Sequence[Mapping[str, Any]], handling: Handling, **detail: Any) -> list[str]:
    """Mint objects of this desk and write the audit row; gives their ids.

    Args:
        detail: What the audit row says beside the ids; it never leaves this node.
    """
    types = {one["type"] for one in objects}
    made = mint(work, objects, handling, name=name, kinds=[kind for kind in KINDS if kind.name in types])
    ids = [one.id for one in made]
    work.audit(name.replace(" ", "-"), {"objects": ids, **detail})
    return ids


def moment(text: str | None, option: str, now: Instant) -> Instant | None:
    """A day, an instant with an offset, or a duration from now; a day begins at midnight UTC. None where nothing was said.

    Raises:
        Usage: `timestamp`, `duration`.
    """
    if text is None:
        return None
    return span_or_instant(f"{text}T00:00:00Z" if _DAY.fullmatch(text) else text, option, now)
