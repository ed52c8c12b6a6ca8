"""What a case gives less of than the agreement says: stretches of time, and the calendar they are counted on.

The agreement is the least (`release.agreement.AgreedProcedure`). A case may give more time, more days off, a later hour at which a working
day is over; it may not change the zone, and not how long a convener must be silent before it is replaced: longer would keep one
that is gone, shorter would overthrow one that is asleep. Where two stretches cannot be compared on every calendar (hours with days,
days with working days) the case says it in the agreement's own unit. Source: docs/formats/procedure.md, Charter.
"""

from __future__ import annotations

from datetime import date
from typing import Final

from comity.kernel.model import instants
from comity.kernel.model.instants import DAY
from comity.kernel.model.stretches import no_shorter
from comity.kernel.procedure.calendar import EPOCH_DAY, Calendar, Zone
from comity.kernel.procedure.charter import Charter
from comity.kernel.procedure.tables import Table
from comity.kernel.release.agreement import AgreedProcedure
from comity.kernel.release.vocabulary import WEEKDAYS

A_YEAR: Final = 366 * DAY
"""For so long after a case was opened the clocks of its zone are compared; changes of law beyond may be known to one node only."""


def calendar_of(agreed: AgreedProcedure, zone: Zone, *, holidays: frozenset[int] = frozenset()) -> Calendar:
    """The calendar of an agreement.

    Args:
        zone: The zone it names, as known here.
        holidays: Further dates that are not worked, in days since 1970-01-01.
    """
    hours, _, minutes = agreed.closes.partition(":")
    dated = frozenset(date.fromisoformat(one).toordinal() - EPOCH_DAY for one in agreed.holidays)
    working = frozenset(WEEKDAYS.index(day) + 1 for day in agreed.working)
    return Calendar(zone, working, dated | holidays, int(hours) * 60 + int(minutes))


def falls_short(charter: Charter, table: Table, agreed: AgreedProcedure, zone: Zone) -> tuple[str, ...]:
    """What a case gives less of than was agreed, a sentence each; nothing where it gives as much or more.

    Args:
        charter, table: Of the case.
        agreed: What the agreement says of this table.
        zone: The zone it names, as known here, from the opening of the case on.
    """
    settings, theirs = charter.settings, charter.calendar
    told = []
    for name, least in sorted(agreed.times.items()):
        said = settings.get(name, "")
        if name not in table.settings:
            told.append(f"Its state table knows no {name}, and the agreement says {least}.")
        elif name == table.gone_after and said != least:
            told.append(f"{name} is {said or 'not said'} and the agreement says {least}, neither more nor less.")
        elif name != table.gone_after and not no_shorter(said, least):
            told.append(f"{name} is {said or 'not said'} and the agreement says at least {least}.")
    ours = calendar_of(agreed, zone)
    begins = zone.changes[0][0]
    instants_of_change = {at for at, _ in (*theirs.zone.changes, *zone.changes) if begins <= at < begins + A_YEAR}
    off = next((at for at in sorted(instants_of_change) if theirs.zone.offset(at) != zone.offset(at)), None)
    if theirs.zone.name != agreed.zone:
        told.append(f"Days are counted by the clock of {theirs.zone.name} and the agreement says {agreed.zone}.")
    elif off is not None:
        told.append(f"The clock of {agreed.zone} shows another hour at {instants.format(off)} than it does here.")
    if not theirs.working <= ours.working:
        days = ", ".join(WEEKDAYS[day - 1] for day in sorted(theirs.working - ours.working))
        told.append(f"It counts {days} as worked, and the agreement does not.")
    if not theirs.holidays >= ours.holidays:
        days = ", ".join(
            date.fromordinal(EPOCH_DAY + day).isoformat() for day in sorted(ours.holidays - theirs.holidays)[:5]
        )
        told.append(f"It counts days as worked that are holidays of the agreement: {days}.")
    if theirs.closes < ours.closes:
        told.append(f"Its working days end before {agreed.closes}, when the agreement ends them.")
    return tuple(told)
