"""Deeds that take contacts from files and write them to files."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import Meta

from comity.desks.directory.book import Office, find_office, find_party, of_party, read_book, stands
from comity.desks.directory.contacts import checked, incomplete, personal, restate
from comity.desks.directory.files import rfc2350, securitytxt, table, vcard
from comity.desks.directory.files.shape import Entry, Refusal
from comity.desks.directory.kinds import CONTACT, Contact
from comity.kernel.errors import NotFound, Usage
from comity.kernel.model.ids import minted
from comity.kernel.model.instants import format
from comity.kernel.release.handling import Handling
from comity.kernel.release.vocabulary import TLP, strictest
from comity.node.carrying import drawn
from comity.node.context import Deed, Node
from comity.node.deeds import deed
from comity.node.desk import PLACED, Shared, Told
from comity.node.minting import MILLISECOND, Seen, mint, new_object, newest
from comity.node.parties import name_of

Form = Literal["csv", "vcard", "security.txt", "rfc2350"]
_OFFICE: Final = {"security.txt": "security", "rfc2350": "team"}
_MEDIA: Final = {"csv": "text/csv", "vcard": "text/vcard", "security.txt": "text/plain", "rfc2350": "text/plain"}
_TOLD: Final = 20


class Import(Shared, kw_only=True, forbid_unknown_fields=True):
    """Take offices from a file: a table, vCards, a security.txt, an RFC 2350 document. What stands already becomes a later version."""

    file: Annotated[bytes, Meta(description="What to take.", extra=PLACED)]
    form: Annotated[Form, Meta(description="csv, vcard (4.0), security.txt or rfc2350.")]
    party: Annotated[str | None, Meta(description="Whose offices, where the file does not say; without it, ours.")] = (
        None
    )
    office: Annotated[str | None, Meta(description="The word for the office, where the file does not say.")] = None
    map: Annotated[
        tuple[str, ...],
        Meta(description="COLUMN=MEANING of a table, such as team=name or website=ignore; once for each."),
    ] = ()
    new_parties: Annotated[
        bool, Meta(description="Name a party that is not known here by an identity object of ours; it has no card.")
    ] = False


@dataclass(slots=True)
class _Taken:
    """What is minted of a file, offices with a person apart, and what was told on the way."""

    plain: list[Mapping[str, Any]] = field(default_factory=list)
    persons: list[Mapping[str, Any]] = field(default_factory=list)
    parties: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    new: int = 0
    changed: int = 0
    same: int = 0
    refused: list[Refusal] = field(default_factory=list)
    beware: list[str] = field(default_factory=list)


def import_(node: Node, asked: Import, officer: str) -> Told:
    """Read a file and mint what it says; status 1 where a part of it was refused."""
    found = _read(asked)
    with deed(node, officer) as work:
        taken = _Taken()
        standing = {
            (one.data.get("party"), one.data.get("office")): one
            for one in newest(work.tx, node.party, CONTACT.name)
            if one.custodian == node.party and one.data.get("created_by_ref") == node.party
        }
        for entry in found:
            if isinstance(entry, Refusal):
                taken.refused.append(entry)
                continue
            try:
                _take(work, asked, entry, standing, taken)
            except (Usage, NotFound) as broken:
                taken.refused.append(Refusal(entry.place, broken.sentence))
        handling = asked.handling(work.at)
        warned: list[str] = []
        for objects, stated in (
            ([*taken.parties.values(), *taken.plain], handling),
            (taken.persons, handling.merge(Handling(caveats=frozenset(personal("somebody"))))),
        ):
            if objects:
                mint(work, objects, stated, name=f"contact import {asked.form}", kinds=[CONTACT])
                warned += incomplete(stated)
        counts = {"new": taken.new, "changed": taken.changed, "same": taken.same, "refused": len(taken.refused)}
        work.audit("contact-import", {"form": asked.form, **counts})
    lines = [
        f"{taken.new} offices are new, {taken.changed} changed, {taken.same} as before, {len(taken.refused)} refused."
    ]
    lines += [f"Refused, {one.place}: {one.sentence}" for one in taken.refused[:_TOLD]]
    lines += [f"And {len(taken.refused) - _TOLD} more."] if len(taken.refused) > _TOLD else []
    shape = {
        **counts,
        "objects": [str(one["id"]) for one in (*taken.plain, *taken.persons)],
        "parties": list(taken.parties),
        "refusals": [{"place": one.place, "sentence": one.sentence} for one in taken.refused],
        "beware": taken.beware,
    }
    return Told(shape, [*lines, *taken.beware, *warned], status=1 if taken.refused else 0)


def _read(asked: Import) -> Sequence[Entry | Refusal]:
    if asked.map and asked.form != "csv":
        raise Usage("desk-asked", "Only a table has columns to map; leave out --map.")
    if asked.form == "csv":
        mapping = {}
        for one in asked.map:
            column, equals, meaning = one.rpartition("=")
            if not equals or not column:
                raise Usage("desk-asked", f"{one!r} is no COLUMN=MEANING, such as team=name.")
            mapping[column] = meaning
        return table.read(asked.file, mapping)
    if asked.form == "vcard":
        return vcard.read(asked.file)
    if asked.form == "security.txt":
        return securitytxt.read(asked.file)
    return rfc2350.read(asked.file)


def _take(work: Deed, asked: Import, entry: Entry, standing: dict[tuple[Any, Any], Seen], taken: _Taken) -> None:
    node = work.node
    named = entry.party or asked.party
    if named is None and asked.new_parties and asked.form == "csv":
        named = str(entry.says.get("name"))  # a table of teams: each row is a party with one office
    party = node.party if named is None else _party(work, asked, named, taken)
    name = entry.says.get("name") or f"Security contact of {name_of(work.tx, party)}"
    office = entry.says.get("office") or asked.office or _OFFICE.get(asked.form) or word_for(name)
    says = checked({**entry.says, "party": party, "office": office, "name": name})
    taken.beware += [f"{entry.place}: {one}" for one in entry.beware]
    before = standing.get((party, office))
    if before is None:
        made: Mapping[str, Any] = new_object(
            node,
            CONTACT,
            says,
            work.at,
            draw=drawn(work, f"contact/{party}/{office}/{len(taken.plain) + len(taken.persons)}"),
        )
        taken.new += 1
    else:
        former: Contact = CONTACT.read(before.data)
        says.addressed_to = former.addressed_to
        if says == former:
            taken.same += 1
            return
        made = restate(before, says, work.at)
        taken.changed += 1
    standing[party, office] = Seen(made, 0, node.party, node.party, None, None, work.at)
    pile = taken.plain if says.person is None else taken.persons
    known = [n for n, one in enumerate(pile) if one["id"] == made["id"]]
    if known:
        raise Usage("desk-asked", f"The office {office} stands twice in the file; name them apart.")
    pile.append(made)


def word_for(name: str) -> str:
    """One word for an office that a file only names: its letters and digits in small ASCII, ``contact`` where there are none."""
    return "-".join(re.findall(r"[a-z0-9]+", name.lower()))[:100] or "contact"


def _party(work: Deed, asked: Import, named: str, taken: _Taken) -> str:
    try:
        return find_party(work.tx, work.node.party, named)
    except NotFound:
        if not asked.new_parties:
            raise NotFound(
                "no-such-party", f"No party here is called {named!r}; add its card, or say --new-parties."
            ) from None
    id = minted("identity", f"directory/{named.casefold()}")
    at = format(work.at - work.at % MILLISECOND)
    taken.parties.setdefault(
        id,
        {
            "type": "identity",
            "spec_version": "2.1",
            "id": id,
            "created_by_ref": work.node.party,
            "created": at,
            "modified": at,
            "name": named,
            "identity_class": "organization",
        },
    )
    return id


class Export(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Write offices to a file, as the word that counts says them; a security.txt or an RFC 2350 document is of one office."""

    form: Annotated[Form, Meta(description="csv, vcard (4.0), security.txt or rfc2350.")]
    office: Annotated[tuple[str, ...], Meta(description="This office, PARTY/OFFICE or id; once for each.")] = ()
    party: Annotated[str | None, Meta(description="Only this party's offices, name or id.")] = None
    ended: Annotated[bool, Meta(description="Also those that are over.")] = False


def export(node: Node, asked: Export, officer: str) -> Told:
    """The file, and what it does not say."""
    with node.store.read() as tx:
        at = node.clock()
        if asked.office:
            offices = [find_office(tx, node.party, at, one) for one in asked.office]
        else:
            book = read_book(tx, node.party, at)
            if asked.party is not None:
                book = of_party(book, find_party(tx, node.party, asked.party))
            offices = [one for one in book.offices if asked.ended or stands(one.contact, at)]
        data, lost = _written(asked.form, offices)
        tlp = strictest(TLP, tuple(one.word.seen.tlp for one in offices))
        unmarked = any(one.word.seen.tlp is None for one in offices)
    lines = [f"{len(offices)} offices, TLP {tlp}{' and some unmarked' if unmarked else ''}: treat the file so."]
    lines += [f"The file does not say: {', '.join(lost)}."] if lost else []
    shape = {"offices": len(offices), "tlp": tlp, "left_out": lost, "form": asked.form}
    return Told(shape, lines, file=data, media_type=_MEDIA[asked.form])


def _written(form: str, offices: Sequence[Office]) -> tuple[bytes, list[str]]:
    contacts = [one.contact for one in offices]
    other = [one.source.form for one in contacts if one.source is not None and one.source.form != form]
    lost = [f"what was kept from {', '.join(sorted(set(other)))} files"] if other else []
    if form == "csv":
        return table.write(contacts), lost
    if form == "vcard":
        return vcard.write(contacts), lost
    if len(contacts) != 1:
        raise Usage("desk-asked", f"A {form} file is of one office; name it with --office.")
    module = securitytxt if form == "security.txt" else rfc2350
    return module.write(contacts[0]), [*module.left_out(contacts[0]), *lost]
