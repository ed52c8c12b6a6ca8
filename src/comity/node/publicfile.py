"""The public file: what we published and what others did, as one record that anybody verifies offline.

Everybody may ask a node what it published (``GET /comity/1/public``), without a signature. What is not public yet is answered as what
is not there, and the list tells nothing but publications. What comes from others is believed only as far as it proves itself: a
party that shows another's object, an altered text, an act of another log or one that is not in its log is refused by name.

Source: docs/formats/public.md.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from itertools import islice
from typing import Any, Final, Protocol

from comity.kernel.errors import ComityError, InputRefused, NotFound, PeerFault, SealBroken
from comity.kernel.model.ids import type_of
from comity.kernel.model.instants import Instant, format
from comity.kernel.model.strictjson import read as read_json
from comity.kernel.seal.canonical import canonical
from comity.kernel.seal.cards import Card
from comity.kernel.seal.dsse import unverified_body
from comity.kernel.store.ports import Reading
from comity.kernel.store.rows import ActRow, CheckpointRow, Holding, Party, Publication, Version
from comity.kernel.tlog.acts import DSSE_KIND
from comity.kernel.tlog.publication import (
    MAX_ITEMS,
    PublicBundle,
    Verified,
    check_publication,
    claimant,
    make_record,
    remarks,
)
from comity.node import publishing
from comity.node.casework.keeping import case_row
from comity.node.contact import peer_card
from comity.node.context import Node
from comity.node.deeds import deed
from comity.node.gossip import note_checkpoint
from comity.node.parties import card_of, resolve_party
from comity.node.publishing import OUT, PROVED, publications
from comity.node.record import EVERYBODY, standing_of

PAGE: Final = 100
"""Publications of one page of the list."""

TYPE: Final = "comity-public-list"


class PublicClient(Protocol):
    """A party as everybody reaches it."""

    def public(self, skip: int) -> bytes: ...
    def publication(self, id: str) -> bytes: ...
    def close(self) -> None: ...


Connect = Callable[[Node, Card, bool], PublicClient]


# --- ours


def public_list(tx: Reading, us: str, skip: int = 0) -> bytes:
    """A page of what we published, in the order in which it went out, canonical JSON.

    ``{form, type, party, items: [{object, version, appointed, published, proved}], next}``; `next` is null on the last page, else
    the `skip` of the next one. An act that a restore lost is left out.
    """
    rows = list(islice(tx.find(ActRow, to=EVERYBODY, order=("at", "digest")), skip, skip + PAGE + 1))
    items = []
    for row in rows[:PAGE]:
        stands = standing_of(tx, row)
        if not stands.open and stands.tick >= stands.size:
            continue
        body = unverified_body(row.envelope, DSSE_KIND)[0]["body"]
        items.append(
            {
                "object": body["object"],
                "version": body["version"],
                "appointed": body["appointed"],
                "published": format(row.at),
                "proved": stands.tick < stands.size,
            }
        )
    more = skip + PAGE if len(rows) > PAGE else None
    return canonical({"form": 1, "type": TYPE, "party": us, "items": items, "next": more})


def publication(tx: Reading, id: str) -> bytes:
    """The public proof of the newest version of an object that we published.

    Raises:
        NotFound: `no-such-page`, alike for what is not public, not proved yet and not there.
    """
    rows = [row for row in tx.find(Publication, id=id) if row.standing == PROVED]
    newest = max(rows, key=lambda row: row.version, default=None)
    if newest is None or newest.record is None:
        raise NotFound("no-such-page", "There is nothing at this address.")
    return newest.record


def told(tx: Reading, at: Instant, case: str | None = None) -> list[dict[str, Any]]:
    """Our publications for an officer, those that wait too.

    Args:
        at: Now; what is late and still waits is said so.
        case: The id of a case, or None.
    """
    return [
        {
            "object": row.id,
            "version": format(row.version),
            "digest": row.digest,
            "case": row.case,
            "appointed": format(row.due),
            "until": None if row.until is None else format(row.until),
            "standing": row.standing,
            "by": row.officer or None,
            "since": format(row.since),
            "note": row.note or None,
            "published": None if row.at is None else format(row.at),
            "late": row.standing not in OUT and row.due < at and row.standing != "withdrawn",
            "act": row.act,
        }
        for row in publications(tx, case)
    ]


def file_of(tx: Reading, ids: Sequence[str] = (), case: str | None = None) -> bytes:
    """The public record of what we published: of these objects, or of all.

    Args:
        case: The id of a case, or None.

    Raises:
        NotFound: `no-publication` where one of them is not proved to be public yet, or where there is none.
        InputRefused: `public-record` for more than a record holds.
    """
    rows = [row for row in publications(tx, case) if row.record is not None and (not ids or row.id in ids)]
    lacking = [one for one in ids if one not in {row.id for row in rows}]
    if lacking or not rows:
        what = lacking[0] if lacking else "what you named"
        raise NotFound(
            "no-publication",
            f"No public proof of {what} is here: it did not go out, or the tick of its act is not over yet.",
        )
    return make_record([row.record for row in rows if row.record is not None])


def say(
    node: Node,
    word: str,
    id: str,
    *,
    officer: str,
    at: Instant | None = None,
    until: Instant | None = None,
    digest: str | None = None,
    reason: str = "",
) -> dict[str, Any]:
    """An officer's word on a publication of ours, as a deed; gives {object, standing, appointed, published, sentence}.

    Args:
        word: ``go``, ``hold``, ``withdraw`` or ``move``.
        at: For ``go`` the instant the officer was shown, for ``move`` the new one.
        digest: For ``go`` the digest the officer was shown, or its beginning of at least 16 hex digits.

    Raises:
        NotFound, NotAllowed, Usage: as `comity.node.publishing`.
    """
    with deed(node, officer) as work:
        if word == "go":
            row = publishing.go(work, id, at, digest=digest)
        elif word == "hold":
            row = publishing.hold(work, id, reason)
        elif word == "withdraw":
            row = publishing.withdraw(work, id, reason)
        else:
            assert at is not None, "the face asks for the instant"
            row = publishing.reschedule(work, id, at, until=until)
    sentences = {
        "go": f"{id} goes out at {format(row.due)}, as it stands now.",
        "hold": f"{id} does not go out until go is said.",
        "withdrawn": f"{id} is withdrawn.",
        "waiting": f"{id} is appointed for {format(row.due)} and waits for go.",
        "published": f"The instant was over, so {id} went out now.",
    }
    return {
        "object": id,
        "standing": row.standing,
        "appointed": format(row.due),
        "published": None if row.at is None else format(row.at),
        "sentence": row.note or sentences[row.standing],
    }


# --- others'


@dataclass(slots=True)
class Gathered:
    """What came of asking parties: the publications that hold, those that were refused, and what should be known of them."""

    items: list[bytes] = field(default_factory=list)
    found: list[dict[str, Any]] = field(default_factory=list)
    failed: list[dict[str, Any]] = field(default_factory=list)

    def record(self) -> bytes:
        """The public record of what holds.

        Raises:
            NotFound: `no-publication` where nothing does. InputRefused: `public-record` for two texts of one version.
        """
        if not self.items:
            raise NotFound("no-publication", "None of these parties showed a publication that holds.")
        return make_record(self.items)

    def as_json(self) -> dict[str, Any]:
        """{publications, failed}, with the code and sentence of the first failure beside them where there is one."""
        shape: dict[str, Any] = {"publications": self.found, "failed": self.failed}
        if self.failed:
            shape |= {"code": self.failed[0]["code"], "sentence": self.failed[0]["sentence"]}
        return shape


def collect(
    node: Node, parties: Sequence[str], connect: Connect, *, ids: Sequence[str] = (), case: str | None = None
) -> Gathered:
    """Ask parties what they published and check it; what one of them cannot show keeps nobody else's from the record.

    Args:
        parties: Ids or names; our own among them gives what we published.
        ids: Only these objects. Without any, all that a party lists.
        case: Only objects that name this case, by its id or title.

    Raises:
        NotFound: `no-such-party`, `no-such-case`.
    """
    with node.store.read() as tx:
        named = None if case is None else case_row(tx, case).id
        rows = [resolve_party(tx, one) for one in dict.fromkeys(parties)]
        ours = {row.id: row.record for row in publications(tx) if row.record is not None}
    gathered = Gathered()
    for row in rows:
        try:
            if row.id == node.party:
                shown: Mapping[str, bytes] = {one: data for one, data in ours.items() if not ids or one in ids}
                for one, data in shown.items():
                    _take(node, row, one, data, named, gathered)
            else:
                _ask(node, row, connect, ids, named, gathered)
        except ComityError as fault:
            gathered.failed.append({"party": row.id, "name": row.name, "object": None, **fault.as_json()})
    return gathered


def _ask(node: Node, row: Party, connect: Connect, ids: Sequence[str], case: str | None, gathered: Gathered) -> None:
    with node.store.read() as tx:
        card = peer_card(tx, row.id)
    client = connect(node, card, True)
    try:
        for one in ids or list(_listed(client, row)):
            try:
                _take(node, row, one, client.publication(one), case, gathered)
            except NotFound:
                if ids:  # who asks for an object of several parties asks each of them; most have no such object
                    continue
                raise
            except PeerFault as fault:
                gathered.failed.append({"party": row.id, "name": row.name, "object": one, **fault.as_json()})
    finally:
        client.close()


def _listed(client: PublicClient, row: Party) -> Iterator[str]:
    """The objects a party lists, each once.

    Raises:
        InputRefused: `public-record` for a list without form or end.
    """
    skip: int | None = 0
    asked, seen = 0, set[str]()
    while skip is not None:
        items, after = _page(client.public(skip), skip, row)
        for one in items:
            if one["proved"] and one["object"] not in seen:
                seen.add(one["object"])
                yield one["object"]
        asked += 1
        if len(seen) > MAX_ITEMS or (after is not None and asked >= MAX_ITEMS // PAGE):
            raise InputRefused(
                "public-record",
                f"{row.name} lists more than {MAX_ITEMS:,} publications; ask for single ones with --id.",
            )
        skip = after


def _page(data: bytes, skip: int, row: Party) -> tuple[list[dict[str, Any]], int | None]:
    """The entries of a page of a party's list, and where the next one begins."""
    shape = read_json(data)
    if isinstance(shape, dict) and shape.get("type") == TYPE:
        items, after = shape.get("items"), shape.get("next")
        going = after is None or (isinstance(after, int) and not isinstance(after, bool) and after > skip)
        if going and isinstance(items, list) and len(items) <= PAGE and all(_entry(one) for one in items):
            return items, after
    raise InputRefused("public-record", f"What {row.name} says it published is not a list in its form.")


def _entry(one: Any) -> bool:
    return (
        isinstance(one, dict)
        and isinstance(one.get("object"), str)
        and type_of(one["object"]) is not None
        and isinstance(one.get("proved"), bool)
    )


def _take(node: Node, row: Party, id: str, data: bytes, case: str | None, gathered: Gathered) -> None:
    """Check what a party shows as its publication of an object, and add it.

    Raises:
        PeerFault: what is wrong with it.
    """
    bundle = PublicBundle.from_json(data)
    one = check_publication(bundle)
    if one.card.party != row.id:
        raise SealBroken(
            "public-record", f"{row.name} shows as its own what {one.card.name} ({one.card.party}) published."
        )
    if one.object != id:
        raise SealBroken("public-record", f"{row.name} was asked for {id} and shows {one.object}.")
    with node.store.read() as tx:
        # a card that nobody compared claims nothing
        known = [party.id for party in tx.find(Party) if party.verified is not None or party.id == node.party]
        cards = [card for party in known if (card := card_of(tx, party)) is not None]
    other = claimant(one, cards)
    if other is not None:
        raise SealBroken(
            "public-record",
            f"{row.name} publishes {id} as the word of {one.author}, for whom {other.name} says that it speaks.",
        )
    view = read_json(bundle.object)
    if case is not None and not _names(view, case):
        return
    with deed(node) as work:
        said = [*remarks(one, work.at), *_witnessed(work.tx, one)]
        _same_as_given(work.tx, row, one, view)
        fault = None
        if row.id != node.party:
            fault = note_checkpoint(work, None, bundle.outer.note, 0, ())
        verified = row.id == node.party or row.verified is not None
    if fault is not None:
        raise fault
    gathered.items.append(data)
    gathered.found.append(
        {
            "object": one.object,
            "version": one.version,
            "party": row.id,
            "name": row.name,
            "anchored": verified,
            "appointed": format(one.appointed),
            "published": format(one.published),
            "apart": one.published - one.appointed,
            "early": one.early,
            "remarks": said,
        }
    )


def _names(value: Any, case: str) -> bool:
    """Whether a case is named anywhere in an object."""
    if isinstance(value, dict):
        return any(_names(one, case) for one in value.values())
    if isinstance(value, list):
        return any(_names(one, case) for one in value)
    return bool(value == case)


def _witnessed(tx: Reading, one: Verified) -> list[str]:
    """What the checkpoints kept here say of when the publication stood in the log: whoever's clock was ahead is convicted by its own."""
    rows = tx.find(CheckpointRow, origin=one.log["origin"], order=("size",), after=(one.log["index"],))
    first = min(rows, key=lambda row: row.seen, default=None)
    if first is None or first.seen >= one.appointed:
        return []
    return [
        f"{one.card.name} showed us at {format(first.seen)} by our clock a signed checkpoint of its log of {first.size:,} ticks, in which "
        f"this publication stands at {one.log['index']:,}: it went out before the appointed {format(one.appointed)}."
    ]


def _same_as_given(tx: Reading, row: Party, one: Verified, view: Mapping[str, Any]) -> None:
    """Return if the party gave us nothing else as this version.

    Raises:
        SealBroken: `public-record`.
    """
    same = sha256(canonical(dict(view))).digest()
    for version in tx.find(Version, id=one.object):
        if read_json(version.raw).get("modified") != one.version or version.same == same:
            continue
        if any(
            held.custodian == row.id and held.view == "full" and held.ended is None
            for held in tx.find(Holding, version=version.n)
        ):
            raise SealBroken(
                "public-record",
                f"{row.name} gave us another text as {one.object} of {one.version} than the one it publishes.",
            )
