"""What is stated about an object the desk mints: what the officer says, and for what is left unsaid, as the measure is held."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from comity.desks.measures.kinds import KINDS
from comity.kernel.errors import Usage
from comity.kernel.model.instants import Instant
from comity.kernel.release.handling import Handling
from comity.node.context import Deed
from comity.node.desk import Shared
from comity.node.minting import Seen
from comity.node.saying import ALIKE, NO_FURTHER, as_held, keep_and_note
from comity.node.stating import span_or_instant

_DAY: Final = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)


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
        alike = ("tlp", "pap") if personal else ALIKE
        own = ("recipients", "embargo") if personal else (*NO_FURTHER, "minimised")
        said = as_held(work.tx, work.node.party, said, before, alike=alike, own=own)
    if said.tlp is None:
        raise Usage("handling", "Say --tlp: nothing here says how this may be shared.")
    return replace(said, cases=cases)


def keep(work: Deed, name: str, objects: Sequence[Mapping[str, Any]], handling: Handling, **detail: Any) -> list[str]:
    """Mint objects of this desk and write the audit row; gives their ids.

    Args:
        detail: What the audit row says beside the ids; it never leaves this node.
    """
    return keep_and_note(work, name, objects, handling, KINDS, **detail)


def moment(text: str | None, option: str, now: Instant) -> Instant | None:
    """A day, an instant with an offset, or a duration from now; a day begins at midnight UTC. None where nothing was said.

    Raises:
        Usage: `timestamp`, `duration`.
    """
    if text is None:
        return None
    return span_or_instant(f"{text}T00:00:00Z" if _DAY.fullmatch(text) else text, option, now)
