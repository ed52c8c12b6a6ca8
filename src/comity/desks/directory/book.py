"""The directory as it stands here: each office with every word there is on it, the party's own word first.

What a party says of its own office is its own word; what another says of it is that other's word, shown as such, and it never
takes the place of the party's own. An object that does not have the form of its kind is a defect, beside the rest.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import msgspec

from comity.desks.directory.defects import defects_of_contact, defects_of_rota
from comity.desks.directory.duty import instant_or
from comity.desks.directory.kinds import CONTACT, ROTA, VOUCH, Contact, Rota, Vouch, digest_of
from comity.kernel.errors import InputRefused, NotFound, Usage
from comity.kernel.model.instants import Instant, parse
from comity.kernel.store.ports import Reading
from comity.kernel.store.rows import Party
from comity.node.minting import Kind, Seen, newest
from comity.node.parties import name_of, resolve_party


@dataclass(frozen=True, slots=True)
class Word:
    """What somebody says, and who: `by` is the party whose word it is, None where nobody is known to stand behind it.

    Args:
        own: It is the word of the party that it is about.
        since: When it was last said (`modified`).
    """

    seen: Seen
    says: Any
    by: str | None
    own: bool
    since: Instant
    defects: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Office:
    """An office: what counts of it, and what others say of it.

    Args:
        word: The party's own word where there is one, else the youngest word of another.
        others: Every other word on it, the party's own before others', the youngest first.
        rota: The duty rota by the same rule; None where none is known.
    """

    party: str
    office: str
    word: Word
    others: tuple[Word, ...]
    rota: Word | None
    vouches: tuple[Word, ...]

    @property
    def contact(self) -> Contact:
        """What the word that counts says."""
        said: Contact = self.word.says
        return said


@dataclass(slots=True)
class Book:
    """All offices known here, and the objects that could not be read: (id, from whom it came, why)."""

    offices: list[Office] = field(default_factory=list)
    broken: list[tuple[str, str, str]] = field(default_factory=list)


def author(seen: Seen, us: str) -> str | None:
    """Whose word an object is: the party of its uncontested seal of origin, our own for what we made; None: unattributed."""
    if seen.custodian == us:
        return us if seen.data.get("created_by_ref") == us else seen.originator
    return seen.originator


def words(
    tx: Reading,
    us: str,
    kind: Kind,
    broken: list[tuple[str, str, str]],
    defects: Callable[[Any], list[str]] | None = None,
) -> Iterator[Word]:
    """Every object of a kind here that has its form; what has not goes to `broken`."""
    for seen in newest(tx, us, kind.name):
        try:
            says = kind.read(seen.data)
        except InputRefused as refused:
            broken.append((seen.id, seen.custodian, refused.sentence))
            continue
        by = author(seen, us)
        about = getattr(says, "party", by)
        found = () if defects is None else tuple(defects(says))
        yield Word(seen, says, by, by is not None and by == about, parse(str(seen.data["modified"])), found)


def read_book(tx: Reading, us: str, at: Instant) -> Book:
    """The directory at an instant. Contacts that are over by their own word are in it; `stands` tells."""
    book = Book()
    by_office: dict[tuple[str, str], list[Word]] = {}
    for word in words(tx, us, CONTACT, book.broken, defects_of_contact):
        by_office.setdefault((word.says.party, word.says.office), []).append(word)
    rotas: dict[tuple[str, str], list[Word]] = {}
    for word in words(tx, us, ROTA, book.broken, defects_of_rota):
        rotas.setdefault((word.says.party, word.says.office), []).append(word)
    vouches: dict[str, list[Word]] = {}
    for word in words(tx, us, VOUCH, book.broken):
        vouch: Vouch = word.says
        if vouch.contact_digest is not None and not word.own and instant_or(vouch.until, 1 << 62) > at:
            vouches.setdefault(vouch.contact_digest, []).append(word)
    for key, found in sorted(by_office.items()):
        ranked = sorted(found, key=_rank)
        first = ranked[0]
        standing = tuple(
            one for one in vouches.get(digest_of(first.seen.data), ()) if not one.says.withdrawn and one.by is not None
        )
        rota = min(rotas.get(key, ()), key=_rank, default=None)
        if rota is not None and first.own and not rota.own:
            rota = None  # another's word on who is on duty does not stand beside the party's own on its office
        book.offices.append(Office(*key, first, tuple(ranked[1:]), rota, standing))
    return book


def _rank(word: Word) -> tuple[bool, bool, int]:
    return not word.own, word.by is None, -word.since


def stands(contact: Contact, at: Instant) -> bool:
    """Whether an office is there to be reached at an instant, by its own dates and state."""
    return (
        contact.state in ("active", "nominated")
        and instant_or(contact.since, 0) <= at
        and at < instant_or(contact.until, 1 << 62)
    )


def of_party(book: Book, party: str) -> Book:
    """Only one party's offices."""
    return replace(book, offices=[one for one in book.offices if one.party == party])


def find_office(tx: Reading, us: str, at: Instant, text: str) -> Office:
    """The office of an object id, ``PARTY/OFFICE``, or, alone, an office's word that only one party has (or that is ours).

    Raises:
        NotFound: `no-such-office`. Usage: `ambiguous-name`.
    """
    offices = read_book(tx, us, at).offices
    for one in offices:
        if text in {word.seen.id for word in (one.word, *one.others)}:
            return one
    named, slash, office = text.rpartition("/")
    if slash:
        party = find_party(tx, us, named)
        fits = [one for one in offices if one.party == party and one.office == office]
    else:
        fits = [one for one in offices if one.office == text]
        fits = [one for one in fits if one.party == us] or fits
    if not fits:
        raise NotFound("no-such-office", f"No office {text!r} is known here; comity contact list shows those that are.")
    if len(fits) > 1:
        named = ", ".join(f"{called(tx, us, one.party)}/{one.office}" for one in fits)
        raise Usage("ambiguous-name", f"{text!r} fits {named}; write the party too.")
    return fits[0]


def as_json(tx: Reading, us: str, office: Office) -> dict[str, Any]:
    """An office for a program: what counts, by whose word, and the other words."""
    return {
        "party": office.party,
        "party_name": called(tx, us, office.party),
        "office": office.office,
        **word_json(tx, office.word),
        "others": [word_json(tx, one) for one in office.others],
        "rota": None if office.rota is None else word_json(tx, office.rota),
        "vouched_by": [name_of(tx, str(one.by)) for one in office.vouches],
    }


def word_json(tx: Reading, word: Word) -> dict[str, Any]:
    """One word for a program: the object, who says it, since when, what it says, what is wrong with it."""
    return {
        "object": word.seen.id,
        "by": word.by,
        "by_name": None if word.by is None else name_of(tx, word.by),
        "own_word": word.own,
        "modified": word.seen.data["modified"],
        "tlp": word.seen.tlp,
        "says": msgspec.to_builtins(word.says),
        "defects": list(word.defects),
    }


def called(tx: Reading, us: str, party: str) -> str:
    """What to call a party: as `name_of`; one whose card nobody has, as the identity object says that we or another made of it."""
    if tx.get(Party, party) is not None:
        return name_of(tx, party)
    seen = newest(tx, us, "identity", id=party)
    name = seen[0].data.get("name") if seen else None
    return f"{name} (no card)" if isinstance(name, str) and name else party


def find_party(tx: Reading, us: str, text: str) -> str:
    """The party of a name or id; also one without a card that an identity object here names.

    Raises:
        NotFound: `no-such-party`. Usage: `ambiguous-name`.
    """
    try:
        return resolve_party(tx, text).id
    except NotFound:
        low = text.casefold()
        fits = {
            one.id
            for one in newest(tx, us, "identity")
            if low in (one.id, str(one.data.get("name")).casefold()) and tx.get(Party, one.id) is None
        }
        if len(fits) == 1:
            return fits.pop()
        if fits:
            raise Usage("ambiguous-name", f"{text!r} fits {', '.join(sorted(fits))}; write the id.") from None
        raise


def whose(tx: Reading, word: Word) -> str:
    """By whose word, in words."""
    if word.own:
        return "its own word"
    return "nobody's known word" if word.by is None else f"by the word of {name_of(tx, word.by)}"


def of_rota(word: Word | None) -> Rota | None:
    """The rota of a word."""
    return None if word is None else word.says
