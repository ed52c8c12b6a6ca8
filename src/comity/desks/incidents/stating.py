"""What is stated about an object the desk mints: what the officer says, and for what is left unsaid, as the incident is held."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta

from comity.desks.incidents.kinds import KINDS, PART
from comity.desks.incidents.words import author
from comity.kernel.errors import Usage
from comity.kernel.model.instants import Instant
from comity.kernel.release.handling import Handling
from comity.kernel.store.ports import Reading
from comity.kernel.store.rows import Holding, Version
from comity.node.context import Deed
from comity.node.desk import Shared
from comity.node.minting import Kind, Seen, mint, new_object
from comity.node.objects import class_facets
from comity.node.parties import resolve_party
from comity.node.stating import instant_or_none

_ALIKE: Final = ("tlp", "pap", "basis", "purpose")


class Like(Shared, kw_only=True, forbid_unknown_fields=True):
    """What an officer states; what is left unsaid is as the incident itself is held here."""

    tlp: Annotated[str | None, Meta(description="TLP 2.0: clear, green, amber, amber+strict, red; else the incident's.")] = None  # type: ignore[assignment]  # fmt: skip


def stated(work: Deed, asked: Shared, incident: Seen | None, *ids: str) -> Handling:
    """The handling of what is minted about an incident: the case is set to it.

    What another party's incident is held under gives TLP, PAP, basis and purpose; our own gives its caveats, its recipients, its
    embargo and its end too, since what we add to it is to go no further than it does.

    Args:
        ids: The incident's id, and other cases.

    Raises:
        Usage: `handling` where no TLP is said and the incident has none.
    """
    said = asked.handling(work.at)
    cases = (said.cases or frozenset()) | frozenset(ids)
    if incident is not None:
        said = _like(work.tx, said, asked, incident, work.node.party)
    if said.tlp is None:
        raise Usage("handling", "Say --tlp: nothing here says how this may be shared.")
    return replace(said, cases=cases)


def _like(tx: Reading, said: Handling, asked: Shared, incident: Seen, us: str) -> Handling:
    holding = next(
        one for one in tx.find(Holding, version=incident.version, ended=None) if one.custodian == incident.custodian
    )
    facets = class_facets(tx, holding.cls)
    more: dict[str, Any] = {name: getattr(facets, name) for name in _ALIKE if getattr(said, name) is None}
    if not asked.caveat and facets.caveats is not None:
        more["caveats"] = facets.caveats
    if author(incident, us) == us:
        if said.recipients is None:
            more["recipients"] = facets.recipients
        if said.retention is None:
            more["retention"] = holding.expiry
        if said.embargo is None:
            more["embargo"] = holding.embargo
    return replace(said, **more)


def minted(work: Deed, kind: Kind, says: msgspec.Struct, *, part: dict[str, Any] | None = None) -> dict[str, Any]:
    """A new object of a kind of this desk, with our extension where it is a part of something."""
    count = (work.tx.last(Version, "n") or 0, work.at)
    made = new_object(work.node, kind, says, work.at, draw=f"incidents/{kind.name}/{count}/{says!r}")
    if part is not None:
        made["extensions"][PART.extension] = {"extension_type": PART.form, **{k: v for k, v in part.items() if v}}
    return made


def keep(work: Deed, name: str, objects: list[dict[str, Any]], handling: Handling) -> list[str]:
    """Mint objects of this desk and write the audit row; gives their ids."""
    kinds = [kind for kind in KINDS if any(kind.extension in (one.get("extensions") or {}) for one in objects)]
    made = mint(work, objects, handling, name=name, kinds=kinds)
    ids = [one.id for one in made]
    work.audit(name.replace(" ", "-"), {"objects": ids})
    return ids


def when(text: str | None, option: str) -> Instant | None:
    """An instant an officer wrote; None where none was said.

    Raises:
        Usage: `timestamp`.
    """
    return instant_or_none(text, option)


def addressees(tx: Reading, named: tuple[str, ...]) -> tuple[str, ...]:
    """The parties somebody named, by id; none where nobody was.

    Raises:
        NotFound: `no-such-party`. Usage: `ambiguous-name`.
    """
    return tuple(dict.fromkeys(resolve_party(tx, text).id for text in named))
