"""The charter: what a procedure is opened with, the public part of its first act.

It names the state table by digest, the convener's log, who takes part, the keys of the seats where acts are done under seats,
the stretches of time and the calendar that the agreement sets, and by how much an author's clock may be ahead. The id of the
procedure follows from the signed act, so nobody opens another procedure under the same id. Source: docs/formats/procedure.md, Charter.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, NoReturn

from comity.kernel.errors import ComityError, InputRefused
from comity.kernel.model.ids import minted, type_of
from comity.kernel.model.instants import Instant
from comity.kernel.procedure.acts import Act
from comity.kernel.procedure.calendar import UTC, Calendar, after, calendar_json, check_stretches, read_calendar
from comity.kernel.procedure.tables import Table
from comity.kernel.seal.keys import PublicKey
from comity.kernel.tlog.checkpoint import parse_origin

CONVENE: Final = "convene"
"""The type of the first act; no table has it."""

MOST_PARTICIPANTS: Final = 1000

_NAMES: Final = {"table", "origin", "participants", "seats", "settings", "calendar", "skew"}


@dataclass(frozen=True, slots=True)
class Charter:
    """What a procedure is opened with.

    Args:
        table: The digest of the state table.
        origin: The convener's log.
        participants: Party ids, sorted, each once; the convener may be one of them.
        seats: The keys of the seats, in an order that says nothing of who holds which; seat 1 is the first. Empty where
            the table has no act under a seat, else one for each participant.
        settings: The stretches of time the table asks for, by name.
        calendar: Where they are counted.
        skew: By how much an author's clock may be ahead of the convener's.
    """

    table: str
    origin: str
    participants: tuple[str, ...]
    settings: Mapping[str, str]
    seats: tuple[PublicKey, ...] = ()
    calendar: Calendar = UTC
    skew: str = "PT5M"

    def as_json(self) -> dict[str, Any]:
        """The public part of the first act."""
        return {
            "table": self.table,
            "origin": self.origin,
            "participants": list(self.participants),
            "seats": [key.spki.hex() for key in self.seats],
            "settings": dict(self.settings),
            "calendar": calendar_json(self.calendar),
            "skew": self.skew,
        }

    @property
    def convener(self) -> str:
        """The party id of the convener."""
        return parse_origin(self.origin)[0]

    def ahead(self, at: Instant) -> Instant:
        """The latest instant an author may name in an act that is entered at `at`."""
        return after(at, self.skew, UTC)


def procedure_id(first: Act) -> str:
    """The id of the procedure that an act opens."""
    return minted("comity-procedure", first.digest)


def read_charter(first: Act, table: Table) -> Charter:
    """The charter in the first act, checked against the table it names.

    Raises:
        InputRefused: `procedure-charter`.
    """
    said = first.open
    if first.type != CONVENE or first.procedure is not None or first.n != 1 or set(said) != _NAMES:
        _refuse("The first act of a procedure convenes it, with a charter as docs/formats/procedure.md shows.")
    if said["table"] != table.digest:
        _refuse("The charter names another state table than the one at hand; get that table.")
    listed, seats, settings = said["participants"], said["seats"], said["settings"]
    if not isinstance(listed, list) or not 2 <= len(listed) <= MOST_PARTICIPANTS:
        _refuse(f"A procedure has from 2 to {MOST_PARTICIPANTS} participants.")
    if any(not isinstance(one, str) or type_of(one) != "identity" for one in listed) or listed != sorted(set(listed)):
        _refuse("The participants are party ids, sorted, each once.")
    if not isinstance(settings, dict) or set(settings) != table.settings:
        _refuse(f"The charter sets exactly these stretches of time: {', '.join(sorted(table.settings))}.")
    try:
        if not isinstance(seats, list) or not all(isinstance(said[name], str) for name in ("origin", "skew")):
            raise ValueError
        keys = tuple(PublicKey(bytes.fromhex(one)) for one in seats)
        parse_origin(said["origin"])
        check_stretches({**settings, "skew": said["skew"]})
        calendar = read_calendar(said["calendar"])
    except (ComityError, TypeError, ValueError) as broken:
        told = broken.sentence if isinstance(broken, ComityError) else "a key or a text has the wrong form."
        raise InputRefused("procedure-charter", f"The charter cannot be read: {told}") from broken
    wanted = len(listed) if any(act.seat for act in table.acts.values()) else 0
    if len({key.keyid for key in keys}) != wanted or len(keys) != wanted:
        _refuse(f"This table asks for {wanted} seats, each with a key of its own.")
    charter = Charter(table.digest, said["origin"], tuple(listed), dict(settings), keys, calendar, said["skew"])
    if charter.as_json() != said:
        _refuse("The charter is not written in its one spelling.")
    if charter.convener != first.by:
        _refuse("A procedure is convened by the party whose log it stands in.")
    return charter


def _refuse(sentence: str) -> NoReturn:
    raise InputRefused("procedure-charter", sentence)
