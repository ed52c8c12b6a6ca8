"""Publication at an appointed instant: a finished object of ours goes out by our own party's standing word, convener or not.

Until then the object stands in one row and nowhere else (`Publication`): it is no version, in no class, no stream and no search, so
nothing that anybody can ask shows that it is there. Rules:

- ``go`` is the word for exactly these bytes and this instant; a change of either, and a restore, take it back to ``waiting``;
- ``hold`` and ``withdraw`` work until the instant; what was published is not taken back, a later version corrects it;
- at the instant, by our own clock and never before it, the object is kept as our own, sealed as its origin, and an act of kind
  ``publish`` names the instant that was appointed beside the one at which it happened; clauses let it go to partners as ever;
- an instant that passed while the node was down, or on hold, is made up for where ``go`` stands then, and read as late; not after
  `until`, where an officer set one;
- when the tick of the act is over, its proof is kept: with it anybody can verify the publication offline (docs/formats/public.md).

    waiting --go--> go --the instant--> published --the tick is over--> proved
    waiting, go <--hold, go--> hold;    waiting, go, hold --withdraw--> withdrawn
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from hashlib import sha256
from typing import Any, Final

import msgspec

from comity.kernel.errors import ComityError, InputRefused, NotAllowed, NotFound, Usage
from comity.kernel.model.instants import Instant, format
from comity.kernel.model.objects import StixObject, from_data, read_object
from comity.kernel.release.handling import Handling
from comity.kernel.release.markings import marked
from comity.kernel.seal.canonical import canonical
from comity.kernel.seal.commitment import commit
from comity.kernel.seal.seals import claimed_party
from comity.kernel.store.ports import Reading
from comity.kernel.store.rows import Publication, Version
from comity.node.casework.appointing import counts_for
from comity.node.context import Deed
from comity.node.hidden import own_identities
from comity.node.mandates import needs, noted
from comity.node.minting import Kind, mint
from comity.node.publicproof import proved
from comity.node.record import EVERYBODY, record
from comity.node.scales import level
from comity.node.views import seal_own

WAITING: Final = "waiting"
GO: Final = "go"
HOLD: Final = "hold"
WITHDRAWN: Final = "withdrawn"
PUBLISHED: Final = "published"
PROVED: Final = "proved"

OPEN: Final = (WAITING, GO, HOLD)
"""Standings in which something can still be said of the publication."""

OUT: Final = (PUBLISHED, PROVED)
"""Standings of what is public."""

MOST: Final = 4 << 20
"""Bytes of an object that is to be published at most; what is longer belongs into a file it refers to."""


# --- the word


def schedule(
    work: Deed,
    data: Mapping[str, Any],
    at: Instant,
    *,
    handling: Handling,
    kinds: Iterable[Kind] = (),
    case: str | None = None,
    until: Instant | None = None,
) -> Publication:
    """Keep a finished object for publication at an instant; it goes only once an officer says `go`.

    The same object again (same id) takes the place of what was waiting under its id: its standing falls back to ``waiting``, unless
    nothing at all differs.

    Args:
        data: As `minting.new_object` and `minting.next_version` give it; TLP:CLEAR is put into its bytes here.
        at: The appointed instant, microseconds; not before now.
        handling: What is stated of it once it is public: TLP clear (or none, which becomes clear), no embargo, no recipients.
        kinds: Kinds whose extension definitions it needs.
        case: The case it belongs to.
        until: The last instant at which it goes by itself, where the node could not at the appointed one; None: whenever it can.

    Raises:
        InputRefused: `publication` for an object or a handling that cannot be public, and as the validation of STIX says.
        NotAllowed: `not-ours` for an object that does not name us. `publication-over` where this version, or a later one, is held here
            already. Usage: `publication-instant` for an instant that is over, or an `until` before it.
    """
    made = from_data(marked(data, "clear"))
    _fit(work, made, at, until)
    stated = _public(handling)
    shape = [
        {"name": kind.name, "about": kind.about, "page": kind.page, "form": kind.form}
        for kind in kinds
        if kind.published is None
    ]
    row = Publication(
        id=made.id,
        version=made.version or 0,
        raw=made.raw,
        digest=sha256(made.raw).hexdigest(),
        handling=canonical(stated.as_json()),
        kinds=canonical(shape),
        case=case,
        due=at,
        until=until,
        standing=WAITING,
        officer=work.officer,
        since=work.at,
        note="",
        act=None,
        at=None,
        record=None,
    )
    before = [one for one in work.tx.find(Publication, id=made.id) if one.standing not in OUT]
    for one in before:
        if one.standing in OPEN and _what(one) == _what(row):
            return one
        work.tx.remove(Publication, one.id, one.version)
    if any(one.standing == GO for one in before):
        row = replace(row, note="It was changed after go; say go again.")
    work.tx.put(row)
    work.audit("publication", audited(row, WAITING))
    return row


def reschedule(work: Deed, id: str, at: Instant, *, until: Instant | None = None) -> Publication:
    """Appoint another instant; the standing falls back to ``waiting``.

    Args:
        until: As in `schedule`; None: whenever it can.

    Raises:
        NotFound: `no-publication`. NotAllowed: `publication-over`. Usage: `publication-instant`.
    """
    row = _open(work.tx, id)
    _instants(work, at, until)
    if (row.due, row.until) == (at, until):
        return row
    note = "The instant was changed after go; say go again." if row.standing == GO else ""
    return _stand(work, replace(row, due=at, until=until), WAITING, note)


def go(work: Deed, id: str, at: Instant | None = None, *, digest: str | None = None) -> Publication:
    """Say that it goes out: exactly the bytes and the instant that stand now. Where the instant is over, it goes at once.

    Args:
        at: The instant the officer was shown; refused where another stands.
        digest: The SHA-256 of the bytes the officer was shown, or its beginning of at least 16 hex digits; refused where others stand.

    Raises:
        NotFound: `no-publication`. NotAllowed: `publication-over`; `publication-changed` where something else stands than was shown;
            `publication-late` after its `until`; `token-needed` where no officer says it; `mandate-ceiling` where the mandate does not
            reach the claim that goes out, or states no TLP.
    """
    row = _open(work.tx, id)
    if not work.officer:
        raise NotAllowed("token-needed", "An officer says that something is published; nobody is named here.")
    other = digest is not None and (len(digest) < 16 or not row.digest.startswith(digest.lower()))
    if other or (at is not None and at != row.due):
        raise NotAllowed(
            "publication-changed",
            f"{id} stands for {format(row.due)} with the digest {row.digest[:16]}…, which is not what was shown to you; look again.",
            due=format(row.due),
            digest=row.digest,
        )
    if row.until is not None and work.at > row.until:
        raise NotAllowed(
            "publication-late",
            f"{id} was to go out by {format(row.until)} at the latest, and it is {format(work.at)}; appoint another instant.",
        )
    _reached(work, row)
    row = _stand(work, row, GO, "")
    return _publish(work, row) if row.due <= work.at else row


def _reached(work: Deed, row: Publication) -> None:
    """Return if the officer's mandate reaches what goes out: to everybody, and the claim it makes.

    Raises:
        NotAllowed: `mandate-ceiling`, `mandate-missing`, `mandate-over`.
    """
    if work.acting is not None and work.acting.kind == "release":
        needs(work, work.officer, "tlp", "clear")
    step = level(msgspec.json.decode(row.raw).get("claim_level"))
    if step is not None:
        needs(work, work.officer, "claim-level", step.n)


def hold(work: Deed, id: str, reason: str = "") -> Publication:
    """Let it not go out until `go` is said again; after the instant it then goes late, or not at all where `until` is over.

    Raises:
        NotFound: `no-publication`. NotAllowed: `publication-over` where it is public already.
    """
    return _stand(work, _open(work.tx, id), HOLD, reason)


def withdraw(work: Deed, id: str, reason: str = "") -> Publication:
    """Take it back for good before its instant; the bytes are removed, and only that there was something stays, here.

    Raises:
        NotFound: `no-publication`. NotAllowed: `publication-over` where it is public already.
    """
    row = replace(_open(work.tx, id), raw=b"", handling=b"{}", kinds=b"[]")
    return _stand(work, row, WITHDRAWN, reason)


def fall_back(work: Deed) -> int:
    """After a restore: what the backup says of publications is old, so each waits for an officer's word; gives how many do.

    What went out after the backup this node does not know any more, and what was withdrawn neither. What had gone out, with its act
    in the part of the log that was lost, waits too: with `go` it is recorded again.
    """
    note = "This node was restored from a backup: look whether it went out, or was withdrawn, after the backup; then say go."
    rows = [row for standing in (*OPEN, PUBLISHED) for row in work.tx.find(Publication, standing=standing)]
    rows = [row for row in rows if row.standing != PUBLISHED or _proved(work, row) is None]
    for row in rows:
        _stand(work, replace(row, act=None, at=None), WAITING, note, officer="")
    return len(rows)


# --- the instant


def publish_due(work: Deed) -> list[Publication]:
    """Publish what is due at the deed's instant and has its `go`, in order of the appointed instants, within the deed.

    What cannot go out waits for an officer, with the reason; it stops nothing else.
    """
    due = []
    for row in work.tx.find(Publication, standing=GO, order=("due", "id", "version")):
        if row.due > work.at:
            break
        due.append(row)
    return [_publish(work, row) for row in due]


def keep_proofs(work: Deed) -> None:
    """Keep the public proof of what was published, once the tick of its act is over."""
    for row in list(work.tx.find(Publication, standing=PUBLISHED)):
        kept = _proved(work, row)
        if kept is not None:
            work.tx.put(replace(row, standing=PROVED, record=kept))


def _proved(work: Deed, row: Publication) -> bytes | None:
    """The proof, where there is one; a folder that was damaged since must not keep the node from its other deeds."""
    try:
        return proved(work, row)
    except ComityError:
        return None  # comity doctor tells what is wrong


def _publish(work: Deed, row: Publication) -> Publication:
    by = Deed(work.node, work.tx, work.at, row.officer, under=noted(work.tx, row.officer, row.since))
    try:
        made = _ready(by, row)
    except ComityError as fault:
        return _stand(work, row, WAITING, f"It did not go out: {fault.sentence}", officer="")
    version = _kept(by, row, made)
    if version.seal is None:
        version, sealing = seal_own(by, version)
        work.tx.put(version)
        work.tx.add([sealing])
    assert version.digest is not None, "what was sealed has its digest"
    body = {
        "object": row.id,
        "version": made.data["modified"],
        "digest": version.digest.hex(),
        "appointed": format(row.due),
    }
    act = record(by, "publish", EVERYBODY, body, officers=[row.officer])
    row = replace(row, standing=PUBLISHED, note="", act=act.digest, at=work.at)
    work.tx.put(row)
    by.audit("publish", {"object": row.id, "version": row.version, "act": act.digest, "due": row.due})
    return row


def _ready(by: Deed, row: Publication) -> StixObject:
    """The object, where nothing stands in the way; nothing is written here.

    Raises:
        ComityError: what stands in the way.
    """
    if row.until is not None and by.at > row.until:
        raise NotAllowed(
            "publication-late", f"The instant {format(row.until)}, after which it does not go by itself, is over."
        )
    if row.case is not None and not counts_for(by.tx, row.case, row.due, row.since, by.at):
        raise NotAllowed(
            "publication-moved",
            f"{format(row.due)} is not appointed any more in its case; say go for the instant that is.",
        )
    if sha256(row.raw).hexdigest() != row.digest:
        raise InputRefused("publication", "The bytes are not those that go was said for; run comity doctor.")
    made = read_object(row.raw)
    _unmatched(by, made)
    found = _same(by, made)
    if found is not None and found.seal is not None and claimed_party(found.seal) != by.node.party:
        raise NotAllowed("publication", f"{row.id} is held here under another party's seal; make a later version.")
    return made


def _kept(by: Deed, row: Publication, made: StixObject) -> Version:
    """The version of what goes out; where a restore brought it back it is here already."""
    found = _same(by, made)
    if found is None:
        kinds = [
            Kind(one["name"], one["about"], msgspec.Struct, one["page"], form=one["form"])
            for one in msgspec.json.decode(row.kinds)
        ]
        mint(by, [made.data], Handling.from_json(msgspec.json.decode(row.handling)), name="publication", kinds=kinds)
        found = _same(by, made)
    assert found is not None, "what was minted is here"
    return found


def _same(by: Deed, made: StixObject) -> Version | None:
    return next((one for one in by.tx.find(Version, id=made.id) if one.raw == made.raw), None)


# --- reading


def publications(tx: Reading, case: str | None = None) -> list[Publication]:
    """Every publication, or those of a case, in order of the appointed instants."""
    rows = tx.find(Publication) if case is None else tx.find(Publication, case=case)
    return sorted(rows, key=lambda row: (row.due, row.id, row.version))


def published(tx: Reading, id: str) -> Publication | None:
    """The newest version of an object that is public, None where none is."""
    rows = [row for row in tx.find(Publication, id=id) if row.standing in OUT]
    return max(rows, key=lambda row: row.version, default=None)


def audited(row: Publication, standing: str) -> dict[str, Any]:
    """What the audit notes when a publication is put into a standing."""
    return {
        "object": row.id,
        "version": row.version,
        "standing": standing,
        "digest": row.digest,
        "stated": sha256(canonical([row.handling.decode(), row.kinds.decode(), row.case])).hexdigest(),
        "due": row.due,
        "until": row.until,
        "whose": row.officer,
        "note": row.note,
    }


def next_due(tx: Reading) -> Instant | None:
    """The next appointed instant at which something goes out by itself, None where nothing does."""
    row = next(iter(tx.find(Publication, standing=GO, order=("due",), limit=1)), None)
    return None if row is None else row.due


# --- within


def _what(row: Publication) -> tuple[Any, ...]:
    return row.version, row.digest, row.handling, row.kinds, row.case, row.due, row.until


def _fit(work: Deed, made: StixObject, at: Instant, until: Instant | None) -> None:
    """Return if an object can be published at an instant.

    Raises:
        As `schedule`.
    """
    _instants(work, at, until)
    if made.data.get("created_by_ref") not in own_identities(work.tx, work.node.party):
        raise NotAllowed("not-ours", f"{made.id} does not name us as its author; a party publishes its own word only.")
    if made.version is None or not isinstance(made.data.get("modified"), str):
        raise InputRefused("publication", f"{made.id} is of a type without versions, which cannot be published.")
    if len(made.raw) > MOST:
        raise InputRefused("publication", f"{made.id} has {len(made.raw):,} bytes; at most {MOST:,} are published.")
    if "granular_markings" in made.data:
        raise InputRefused(
            "publication", f"Parts of {made.id} are marked by themselves; what is public is so as a whole."
        )
    commit(made.data, bytes(32))  # what cannot be sealed is refused now and not at the instant
    _unmatched(work, made)


def _unmatched(work: Deed, made: StixObject) -> None:
    """Return if no other version as late as this one is held here."""
    for row in work.tx.find(Version, id=made.id):
        if row.raw != made.raw and row.modified >= (made.version or 0):
            raise NotAllowed(
                "publication-over", f"A version of {made.id} that is as late is held here already; make a later one."
            )
    for one in work.tx.find(Publication, id=made.id):
        if one.standing in OUT and one.version >= (made.version or 0):
            raise NotAllowed(
                "publication-over", f"A version of {made.id} that is as late is public already; make a later one."
            )


def _instants(work: Deed, at: Instant, until: Instant | None) -> None:
    if at < work.at:
        raise Usage("publication-instant", f"The instant {format(at)} is over; appoint one that is to come.")
    if until is not None and until < at:
        raise Usage(
            "publication-instant",
            f"It cannot go out by {format(until)} at the latest where {format(at)} is the instant; name a later one.",
        )


def _public(handling: Handling) -> Handling:
    """The handling of what is public.

    Raises:
        InputRefused: `publication`.
    """
    wrong = (
        "a TLP other than clear" if handling.tlp not in (None, "clear") else
        "a PAP other than clear" if handling.pap not in (None, "clear") else
        "an embargo" if handling.embargo is not None else
        "recipients" if handling.recipients is not None else
        "an end of retention" if handling.retention is not None else
        None
    )  # fmt: skip
    if wrong is not None:
        raise InputRefused("publication", f"What is published is for everybody, and the handling states {wrong}.")
    return replace(handling, tlp="clear", caveats=handling.caveats or frozenset(), by="", at=0)


def _open(tx: Reading, id: str) -> Publication:
    rows = list(tx.find(Publication, id=id))
    if not rows:
        raise NotFound("no-publication", f"No publication of {id} is appointed here.")
    row = next((one for one in rows if one.standing in OPEN), None)
    if row is None:
        last = max(rows, key=lambda one: one.version)
        what = (
            "was withdrawn; schedule it again" if last.standing == WITHDRAWN else "is public; publish a later version"
        )
        raise NotAllowed("publication-over", f"{id} {what}.")
    return row


def _stand(work: Deed, row: Publication, standing: str, note: str, *, officer: str | None = None) -> Publication:
    row = replace(
        row, standing=standing, note=note, officer=work.officer if officer is None else officer, since=work.at
    )
    work.tx.put(row)
    work.audit("publication", audited(row, standing))
    return row
