"""What is stated about an object the desk mints: what the officer says, and for what is left unsaid, as the incident is held."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import msgspec

from comity.desks.incidents.kinds import KINDS, PART
from comity.kernel.errors import Usage
from comity.kernel.model.instants import Instant
from comity.kernel.release.handling import Handling
from comity.kernel.store.ports import Reading
from comity.node import saying
from comity.node.context import Deed
from comity.node.desk import Shared
from comity.node.minting import Kind, Seen
from comity.node.parties import resolve_party
from comity.node.saying import as_held, keep_and_note
from comity.node.stating import instant_or_none


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
        said = as_held(work.tx, work.node.party, said, incident)
    if said.tlp is None:
        raise Usage("handling", "Say --tlp: nothing here says how this may be shared.")
    return replace(said, cases=cases)


def minted(work: Deed, kind: Kind, says: msgspec.Struct, *, part: dict[str, Any] | None = None) -> dict[str, Any]:
    """A new object of a kind of this desk, with our extension where it is a part of something."""
    made = saying.minted(work, kind, says)
    if part is not None:
        made["extensions"][PART.extension] = {"extension_type": PART.form, **{k: v for k, v in part.items() if v}}
    return made


def keep(work: Deed, name: str, objects: list[dict[str, Any]], handling: Handling) -> list[str]:
    """Mint objects of this desk and write the audit row; gives their ids."""
    return keep_and_note(work, name, objects, handling, KINDS)


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
