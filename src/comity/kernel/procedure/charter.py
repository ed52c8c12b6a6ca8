"""The charter: what a procedure is opened with, the public part of its first act.

It names the state table by digest, the convener's log, who takes part, who of them has no node and who records for it, the keys of
the seats where acts are done under seats,
the stretches of time and the calendar that the agreement sets, and by how much an author's clock may be ahead. The id of the
procedure follows from the signed act, so nobody opens another procedure under the same id. Source: docs/formats/procedure.md, Charter.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, NoReturn

from comity.kernel.errors import ComityError, InputRefused
from comity.kernel.model.ids import minted, type_of
from comity.kernel.model.instants import Instant
from comity.kernel.procedure.acts import Act
from comity.kernel.procedure.calendar import UTC, Calendar, after, calendar_json, check_stretches, read_calendar
from comity.kernel.procedure.tables import Table
from comity.kernel.seal.keys import PublicKey
from comity.kernel.tlog.checkpoint import parse_origin
from comity.kernel.tlog.strict import unhex

CONVENE: Final = "convene"
"""The type of the first act; no table has it."""

MOST_PARTICIPANTS: Final = 1000

_NAMES: Final = {"table", "origin", "participants", "seats", "settings", "calendar", "skew"}
_MAY: Final = {"represented", "agreement"}


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
        represented: For each participant without a node, who may record what it says: other participants or the convener,
            sorted. It may be a party whose card is known, or a STIX identity.
        agreement: The digest of the agreement that says what nobody has less of, 64 hexadecimal digits, or None.
    """

    table: str
    origin: str
    participants: tuple[str, ...]
    settings: Mapping[str, str]
    seats: tuple[PublicKey, ...] = ()
    calendar: Calendar = UTC
    skew: str = "PT5M"
    represented: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    agreement: str | None = None

    def as_json(self) -> dict[str, Any]:
        """The public part of the first act; `represented` and `agreement` stand in it only where there are any."""
        listed = [{"party": party, "by": list(by)} for party, by in sorted(self.represented.items())]
        return {
            "table": self.table,
            "origin": self.origin,
            "participants": list(self.participants),
            "seats": [key.spki.hex() for key in self.seats],
            "settings": dict(self.settings),
            "calendar": calendar_json(self.calendar),
            "skew": self.skew,
            **({"represented": listed} if listed else {}),
            **({} if self.agreement is None else {"agreement": self.agreement}),
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
    named = set(said) - _MAY == _NAMES and first.recorded is None
    if first.type != CONVENE or first.procedure is not None or first.n != 1 or not named:
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
        agreement = said.get("agreement")
        if agreement is not None:
            unhex(agreement, "procedure-charter", "The agreement of a charter", length=32)
    except (ComityError, TypeError, ValueError) as broken:
        told = broken.sentence if isinstance(broken, ComityError) else "a key or a text has the wrong form."
        raise InputRefused("procedure-charter", f"The charter cannot be read: {told}") from broken
    wanted = len(listed) if any(act.seat for act in table.acts.values()) else 0
    if len({key.keyid for key in keys}) != wanted or len(keys) != wanted:
        _refuse(f"This table asks for {wanted} seats, each with a key of its own.")
    represented = _represented(said, table, [*listed, first.by])
    charter = Charter(
        table.digest,
        said["origin"],
        tuple(listed),
        dict(settings),
        keys,
        calendar,
        said["skew"],
        represented,
        agreement,
    )
    if charter.as_json() != said:
        _refuse("The charter is not written in its one spelling.")
    if charter.convener != first.by:
        _refuse("A procedure is convened by the party whose log it stands in.")
    return charter


def _represented(said: Mapping[str, Any], table: Table, known: list[str]) -> dict[str, tuple[str, ...]]:
    """For each participant without a node, who may record for it; `known` are all who take part, and the convener."""
    listed = said.get("represented", [])
    if not isinstance(listed, list):
        _refuse("'represented' is a list.")
    found: dict[str, tuple[str, ...]] = {}
    for one in listed:
        if not isinstance(one, dict) or set(one) != {"party", "by"} or not isinstance(one["by"], list):
            _refuse("Each that is represented has 'party' and 'by', who may record for it.")
        if not all(isinstance(name, str) for name in (one["party"], *one["by"])):
            _refuse("Who is represented, and who records, are party ids.")
        found[one["party"]] = tuple(one["by"])
    for party, by in found.items():
        if party not in said["participants"]:
            _refuse(f"{party} is represented and takes no part; name it among the participants.")
        if not by or list(by) != sorted(set(by)) or not set(by) <= set(known) - set(found):
            _refuse(
                f"Who records for {party} takes part with a node of its own or convenes; name one at least, sorted."
            )
    if found and not any(act.recorded for act in table.acts.values()):
        _refuse("This table lets nothing be recorded for another, so each participant needs a node.")
    return found


def _refuse(sentence: str) -> NoReturn:
    raise InputRefused("procedure-charter", sentence)
