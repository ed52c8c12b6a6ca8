"""The deed on the duty rota: who is on duty for an office of ours, and who is asked next."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from comity.desks.directory import words
from comity.desks.directory.book import find_office
from comity.desks.directory.contacts import OfficeWord, incomplete, personal, restate
from comity.desks.directory.defects import capital, defects_of_rota, readable
from comity.desks.directory.kinds import ROTA, Rota
from comity.kernel.errors import NotAllowed, Usage
from comity.node.carrying import drawn
from comity.node.context import Node
from comity.node.deeds import deed
from comity.node.desk import Shared, Told
from comity.node.minting import mint, new_object, newest


class SetRota(Shared, kw_only=True, forbid_unknown_fields=True):
    """State who is on duty for an office of ours, and who is asked next; it takes the place of the rota before."""

    office: OfficeWord
    zone: Annotated[str | None, Meta(description="The time zone of the week; without it, the office's.")] = None
    duty: Annotated[
        tuple[str, ...],
        Meta(
            description="Somebody who may be on duty: 'ann=Ann Example;telephone=+3725550101;lang=fr'; once for each."
        ),
    ] = ()
    week: Annotated[tuple[str, ...], Meta(description="Each week: 'mo-fr 08:00-18:00 ann'; once for each.")] = ()
    shift: Annotated[
        tuple[str, ...],
        Meta(description="Once: '2026-12-24T16:00:00Z/2026-12-25T08:00:00Z ben'; it goes before the week."),
    ] = ()
    escalate: Annotated[
        tuple[str, ...],
        Meta(description="Who is asked next, and after how many minutes without an answer: 'ben 15'; in order."),
    ] = ()


def set_rota(node: Node, asked: SetRota, officer: str) -> Told:
    """Mint a rota, or a later version of the one we said before."""
    with deed(node, officer) as work:
        office = find_office(work.tx, node.party, work.at, asked.office)
        if office.party != node.party or not office.word.own:
            raise NotAllowed("not-ours", f"{office.office} is another party's office; its duty rota is for it to say.")
        zone = asked.zone or office.contact.zone
        if zone is None:
            raise Usage("desk-asked", "A rota needs a time zone; say --zone Europe/Tallinn.")
        says = Rota(
            party=node.party,
            office=office.office,
            contact_ref=office.word.seen.id,
            zone=words.read_zone(zone),
            duties=tuple(words.read_duty(one) for one in asked.duty),
            weekly=tuple(words.read_weekly(one) for one in asked.week),
            shifts=tuple(words.read_shift(one) for one in asked.shift),
            escalation=tuple(words.read_step(one) for one in asked.escalate),
            addressed_to=office.contact.addressed_to,
        )
        try:
            says = msgspec.convert(msgspec.to_builtins(says), Rota)
        except msgspec.ValidationError as broken:
            raise Usage("desk-asked", f"The rota cannot be said so: {broken}.") from broken
        wrong = [*readable(says), *defects_of_rota(says)]
        if wrong:
            raise Usage("desk-asked", f"{capital(wrong[0])}; say it otherwise.")
        person = next((one.name or one.word for one in says.duties if one.name or one.channels), None)
        handling = asked.handling(work.at, *personal(person))
        before = next(
            (
                one
                for one in newest(work.tx, node.party, ROTA.name)
                if one.custodian == node.party
                and (one.data.get("party"), one.data.get("office")) == (says.party, says.office)
            ),
            None,
        )
        made = (
            new_object(node, ROTA, says, work.at, draw=drawn(work, f"rota/{says.office}"))
            if before is None
            else restate(before, says, work.at)
        )
        mint(work, [made], handling, name="contact rota", kinds=[ROTA])
        work.audit("contact-rota", {"object": made["id"], "office": says.office})
    told = (
        f"The rota of {says.office} stands as {made['id']}: {len(says.weekly)} lines a week, {len(says.shifts)} shifts."
    )
    return Told({"object": made["id"], "office": says.office}, [told, *incomplete(handling)])
