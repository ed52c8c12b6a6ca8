"""The deed of vouching: we stand by another party's contact, in the version that stands, or by its card; and may take it back."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from comity.desks.directory.book import find_office, words
from comity.desks.directory.contacts import Note, restate
from comity.desks.directory.defects import capital, readable
from comity.desks.directory.kinds import VOUCH, Vouch, digest_of
from comity.kernel.errors import NotFound, Usage
from comity.kernel.model.instants import format
from comity.kernel.store.rows import Version
from comity.node.carrying import drawn
from comity.node.context import Node
from comity.node.deeds import deed
from comity.node.desk import PLACED, Shared, Told
from comity.node.minting import mint, new_object
from comity.node.parties import name_of, need_card, resolve_party
from comity.node.stating import span_or_instant


class Say(Shared, kw_only=True, forbid_unknown_fields=True):
    """Stand by what another party says: by an office of it as it stands now, or, with --card, by its card."""

    about: Annotated[str, Meta(description="PARTY/OFFICE or an id; with --card a party.", extra=PLACED)]
    method: Annotated[
        str, Meta(description="How we know, such as 'called back on a number we had' or 'met in person'.")
    ]
    card: Annotated[bool, Meta(description="Stand by the card: its fingerprint as we compared it.")] = False
    until: Annotated[str | None, Meta(description="Until when: an instant, or a duration from now.")] = None
    withdraw: Annotated[bool, Meta(description="Take back what we said before.")] = False
    note: Note = None


def vouch(node: Node, asked: Say, officer: str) -> Told:
    """Mint a vouch, or a later version of the one we said before."""
    with deed(node, officer) as work:
        former: set[str] = set()
        if asked.card:
            row = resolve_party(work.tx, asked.about)
            if row.verified is None or row.id == node.party:
                raise Usage(
                    "desk-asked", f"We have not compared the fingerprint of {row.name}; comity card verify comes first."
                )
            party, target = row.id, {"fingerprint": need_card(work.tx, row.id).fingerprint}
        else:
            office = find_office(work.tx, node.party, work.at, asked.about)
            if office.party == node.party or not office.word.own:
                raise Usage(
                    "desk-asked", "We stand by what another party says of its own office; this is no such word."
                )
            seen = office.word.seen
            party, target = office.party, {"contact_digest": digest_of(seen.data)}
            former |= {digest_of(msgspec.json.decode(row.raw)) for row in work.tx.find(Version, id=seen.id)}
        until = None if asked.until is None else format(span_or_instant(asked.until, "--until", work.at))
        says = Vouch(party=party, method=asked.method, note=asked.note, until=until, withdrawn=asked.withdraw, **target)
        if flaws := readable(says):
            raise Usage("desk-asked", f"{capital(flaws[0])}; write it plainly.")
        before = next(
            (
                one
                for one in words(work.tx, node.party, VOUCH, [])
                if one.by == node.party
                and one.says.party == party
                and (one.says.contact_digest in former if former else one.says.fingerprint is not None)
            ),
            None,
        )
        if before is None and asked.withdraw:
            raise NotFound("no-such-object", "We did not vouch for this, so there is nothing to take back.")
        made = (
            new_object(node, VOUCH, says, work.at, draw=drawn(work, f"vouch/{party}/{asked.about}"))
            if before is None
            else restate(before.seen, says, work.at)
        )
        mint(work, [made], asked.handling(work.at), name="contact vouch", kinds=[VOUCH])
        work.audit("contact-vouch", {"object": made["id"], "party": party, "withdrawn": asked.withdraw})
        name = name_of(work.tx, party)
    told = f"Our word for {name} is taken back." if asked.withdraw else f"We stand by what {name} says: {made['id']}."
    return Told({"object": made["id"], "withdrawn": asked.withdraw}, [told])
