"""Objects: their bytes, seals, references, values and classes, and the batches and statements they came with.

What is derived is made again from the bytes by the same functions that made it, and compared.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import lru_cache, partial
from hashlib import sha256
from typing import Any

import msgspec

from comity.kernel.errors import CODES
from comity.kernel.model.instants import parse
from comity.kernel.model.objects import version_of
from comity.kernel.model.strictjson import read as read_json
from comity.kernel.release.facets import Facets
from comity.kernel.release.handling import Effective, Handling
from comity.kernel.seal.canonical import canonical
from comity.kernel.seal.dsse import open_envelope, unverified_body
from comity.kernel.seal.seals import VerifiedSeal, check_source, claimed_party, verify_seal
from comity.kernel.store.rows import (
    ActRow,
    AgreementRow,
    Anonymous,
    Batch,
    Class,
    HandlingRow,
    Holding,
    Reader,
    Received,
    Reference,
    Refused,
    Sealing,
    StandIn,
    Status,
    Submission,
    Value,
    Version,
)
from comity.node.agreements import read_form
from comity.node.context import read_setting
from comity.node.examining.look import BROKEN, Finding, Look, lots, missing, reason, same_json
from comity.node.intake import Counts
from comity.node.objects import counting, derived, read_terms
from comity.node.submissions import TITLE
from comity.node.taxii import INBOX, OWN


def objects(look: Look) -> Iterator[Finding]:
    """`version`, with `reference`, `value`, `sealing` and the holdings of each version."""
    counted = {Reference: 0, Value: 0, Sealing: 0, Holding: 0}
    classes = _Classes(look)
    for lot in lots(look.tx.find(Version)):
        yield from _lot(look, lot, classes, counted)
    for kind, count in counted.items():
        if look.tx.count(kind) != count:
            yield from _orphans(look, kind)


def _lot(look: Look, lot: list[Version], classes: _Classes, counted: dict[Any, int]) -> Iterator[Finding]:
    tx = look.tx
    numbers = [row.n for row in lot]
    beside: dict[Any, dict[int, list[Any]]] = {}
    for kind in counted:
        found: dict[int, list[Any]] = {n: [] for n in numbers}
        for row in tx.find_in(kind, "version", numbers):
            found[row.version].append(row)
            counted[kind] += 1
        beside[kind] = found
    made = {row.version for row in tx.find_in(StandIn, "version", numbers)}
    read: dict[int, tuple[str, dict[str, Any]]] = {}
    for version in lot:
        look.step()
        said = f"{version.id} (version {version.n})"
        if sha256(version.raw).digest() != version.sha256:
            yield Finding(version.id, f"The bytes of {said} are not those that were taken in.")
            continue
        try:
            data = read_json(version.raw)
            if _noted(version, data):
                yield Finding(version.id, f"What is noted about {said} does not fit its bytes.")
                continue
        except BROKEN as broken:
            yield Finding(version.id, f"{said} can no longer be read: {reason(broken)}")
            continue
        read[version.n] = version.id, data
        own = any(row.custodian == look.node.party for row in beside[Holding][version.n])
        ours = own or version.n in made
        yield from look.one(
            version, version.id, f"The seal of {said}", partial(_seal, look, data, beside[Sealing][version.n], ours)
        )
        yield from _derived(version, data, (*beside[Reference][version.n], *beside[Value][version.n]))
        every = beside[Holding][version.n]
        for holding in every:
            check = partial(_holding, look, version, every, classes)
            yield from look.one(holding, version.id, f"Holding {holding.h} of {said}", check)
    yield from _present(look, read, classes)


def _noted(version: Version, data: Any) -> bool:
    stated = version_of(data)
    return (
        data["id"] != version.id
        or data["type"] != version.type
        or (-1 if stated is None else stated) != version.modified
        or sha256(canonical(data)).digest() != version.same
    )


def _seal(look: Look, data: dict[str, Any], sealing: list[Sealing], ours: bool, row: Version) -> Iterator[str]:
    """What is wrong with a seal; `ours`: it is over what we hold first hand, or made, and so not one that came back to us."""
    said = f"{row.id} (version {row.n})"
    claimed = {} if row.seal is None else unverified_body(row.seal, "seal")[0]
    sealer = claimed.get("party")
    if sealer == look.node.party and not sealing and ours:
        yield f"The seed that our seal of {said} was made with is not kept."
    if row.seal is None or sealer is None or row.disclosure is None or row.digest is None:
        if not row.seal is row.disclosure is row.digest is None or sealing:
            yield f"The seal of {said} is not whole."
        return
    disclosed = msgspec.json.decode(row.disclosure)
    card = look.card(sealer)
    keys = {} if card is None else card.keys_at("node", parse(claimed["at"]))
    verified = verify_seal(row.seal, data, disclosed, keys)
    if verified.digest != row.digest:
        yield f"The seal of {said} no longer fits its bytes."
    for made in sealing:
        yield from _opening(row, made, verified, disclosed)


def _opening(row: Version, made: Sealing, verified: VerifiedSeal, disclosed: Any) -> Iterator[str]:
    if disclosed != [{"seed": made.seed.hex()}]:
        yield f"The seed kept for the seal of {row.id} (version {row.n}) is another one than it was made with."
    opening = same_json(made.source)
    source = opening["source"] if verified.role != "origin" else None
    check_source(verified, source, bytes.fromhex(opening["salt"]))


def _derived(version: Version, data: dict[str, Any], kept: Iterable[Reference | Value]) -> Iterator[Finding]:
    should, stands = set(derived(version.n, version.type, data)), set(kept)
    for kind, word in ((Reference, "references"), (Value, "searchable values")):
        if {row for row in should if isinstance(row, kind)} != {row for row in stands if isinstance(row, kind)}:
            yield Finding(
                version.id, f"The {word} noted of {version.id} (version {version.n}) are not those in its bytes."
            )


def _holding(look: Look, version: Version, every: list[Holding], classes: _Classes, row: Holding) -> Iterator[str]:
    said, us = f"Holding {row.h} of {version.id}", look.node.party
    if row.object != version.id:
        yield f"{said} names another object than its version."
    if (row.custodian == us) != (row.title is None) or not look.knows(row.custodian):
        yield f"{said} came from nobody who is known, or without a title."
    if row.title is not None and row.title != TITLE and not classes.clause(row.title):
        yield f"{said} came under a clause that no agreement here has."
    alike = [one for one in every if (one.custodian, one.title) == (row.custodian, row.title)]
    if any(one.view != row.view for one in alike) or (row.title in (None, TITLE) and row.view != "full"):
        yield f"{said} is said to be another view than it came in."
    facets = classes.facets(row.cls)
    if (facets.type, facets.custodian, facets.title) != (version.type, row.custodian, row.title):
        yield f"{said} stands in the class of other objects."
    if facets.originator is not None and (version.seal is None or claimed_party(version.seal) != facets.originator):
        yield f"{said} stands in the class of an originator who did not seal it."
    if row.terms is not None:
        read_terms(same_json(row.terms))
    if row.title is not None and row.title != TITLE and row.terms is None:
        yield f"{said} came from a peer, and the terms it came under are not kept."
    exchanged, begun = classes.batch(row.batch)
    if exchanged != (row.title not in (None, TITLE)) or row.at < begun:
        yield f"{said} does not belong to the batch it names."
    if row.ended is not None and not _ended(look, row, alike):
        yield f"{said} is said to have ended at an instant at which nothing took its place and nobody took it back."


def _ended(look: Look, row: Holding, alike: list[Holding]) -> bool:
    """Whether something that is kept tells why a holding ended when it did; `alike` are those of one version, source and title."""
    assert row.ended is not None, "asked of what has ended"
    if any(one.h > row.h and one.at == row.ended for one in alike):
        return True
    if row.custodian == look.node.party or not row.at <= row.ended <= look.now:
        return False
    if any(act.kind == "receive" and act.to == row.custodian for act in look.tx.find(ActRow, at=row.ended)):
        return True  # a delivery brought what stands for it
    return any(
        came.code == "taken-back"
        for one in alike
        for came in look.tx.find(Received, holding=one.h, party=row.custodian)
    )


def _clause_exists(look: Look, title: str) -> bool:
    digest, _, number = title.partition("#")
    row = look.tx.get(AgreementRow, digest)
    return row is not None and any(clause.number == number for clause in read_form(row.form).clauses)


def _present(look: Look, read: Mapping[int, tuple[str, dict[str, Any]]], classes: _Classes) -> Iterator[Finding]:
    """Whether each live holding stands in the class, with the embargo and the end, that count for it now."""
    try:
        for holding, facts in counting(look.tx, look.node.party, read, classes.facets):
            if not classes.same(holding.cls, facts) or (facts.embargo, facts.expiry) != (
                holding.embargo,
                holding.expiry,
            ):
                yield Finding(
                    holding.object,
                    f"Holding {holding.h} of {holding.object} stands in another class, or with another embargo or end, than its "
                    "markings, its handling and its terms give.",
                )
    except BROKEN as broken:
        if len(read) > 1:  # one of them is damaged: the others are looked at alone
            for n, one in read.items():
                yield from _present(look, {n: one}, classes)
        else:
            for identity, _ in read.values():
                yield Finding(identity, f"What counts for {identity} cannot be worked out: {reason(broken)}")


def _orphans(look: Look, kind: type[Any]) -> Iterator[Finding]:
    word = {Reference: "reference", Value: "searchable value", Sealing: "seed of a seal", Holding: "holding"}[kind]
    for lot in lots(look.tx.find(kind)):
        there = {row.n for row in look.tx.find_in(Version, "n", {row.version for row in lot})}
        for row in lot:
            if row.version not in there:
                yield Finding(
                    f"version {row.version}", f"A {word} is kept of version {row.version}, which is not there."
                )


class _Classes:
    """What many holdings have in common, the last some thousand of each: classes, batches, clauses."""

    def __init__(self, look: Look) -> None:
        @lru_cache(maxsize=4096)
        def row_of(number: int) -> tuple[bytes, Facets]:
            row = look.tx.get(Class, number)
            if row is None:
                raise LookupError(f"there is no class {number}")
            return row.key, Facets.from_json(msgspec.json.decode(row.facets))

        @lru_cache(maxsize=4096)
        def batch_of(number: int) -> tuple[bool, int]:
            row = look.tx.get(Batch, number)
            if row is None:
                raise LookupError(f"there is no batch {number}")
            return row.format == "exchange", row.at

        @lru_cache(maxsize=4096)
        def clause(title: str) -> bool:
            return _clause_exists(look, title)

        self._row = row_of
        self.batch: Callable[[int], tuple[bool, int]] = batch_of
        self.clause: Callable[[str], bool] = clause

    def facets(self, number: int) -> Facets:
        """The facets of a class."""
        return self._row(number)[1]

    def same(self, number: int, facts: Effective) -> bool:
        """Whether a class is that of these facts."""
        return self._row(number)[1] == facts.facets


def classes(look: Look) -> Iterator[Finding]:
    """`class`: the key is that of the facets, which stand in their one form."""

    def check(row: Class) -> Iterator[str]:
        if Facets.from_json(same_json(row.facets)).key != row.key:
            yield f"Class {row.c} does not have the facets its key is made of."

    yield from look.each(look.tx.find(Class), lambda row: f"class {row.c}", lambda row: f"Class {row.c}", check)


def holdings_in_order(look: Look) -> Iterator[Finding]:
    """`holding`: numbers and instants rise together, since each was the last one when it was written."""
    last = 0
    for row in look.tx.find(Holding):
        if not last <= row.at <= look.now:
            yield Finding(row.object, f"Holding {row.h} of {row.object} is dated out of its order.")
        last = max(last, min(row.at, look.now))
    yield from missing(look.tx.find(Holding), lambda row: row.h, "holding")


def batches(look: Look) -> Iterator[Finding]:
    """`batch`: its numbers add up and are those the audit has; it has the officer's statement, or the delivery it came from."""

    def check(row: Batch) -> Iterator[str]:
        said = f"Batch {row.b}"
        if row.done not in (0, 1) or not row.at <= row.touched <= look.now:
            yield f"{said} is neither begun nor ended, or dated out of its order."
        moved = same_json(row.moved)
        if moved and sorted(set(moved)) != moved:
            yield f"{said} names the versions it moved in disorder."
        for lot in lots(moved):
            if sum(1 for _ in look.tx.find_in(Version, "n", lot)) != len(lot):
                yield f"{said} moved versions that are not here."
        if row.format == "exchange":
            yield from _delivered(look, row)
        elif row.format == "desk":
            yield from _minted(look, row)
        elif row.counts == b"{}":
            yield from _handed_in(look, row)
        else:
            yield from _imported(look, row)

    yield from look.each(look.tx.find(Batch), lambda row: f"batch:{row.b}", lambda row: f"Batch {row.b}", check)
    yield from missing(look.tx.find(Batch), lambda row: row.b, "batch")


def _delivered(look: Look, row: Batch) -> Iterator[str]:
    party, _, title = row.name.partition(" ")
    if (row.officer, row.taken, row.done, row.counts) != ("", 0, 1, b"{}") or row.touched != row.at:
        yield f"Batch {row.b} came by a delivery, and says what no delivery says."
    received = next(iter(look.tx.find(Holding, batch=row.b, limit=1)), None)
    if received is not None and (received.custodian, received.title) != (party, title):
        yield f"Batch {row.b} names another party or another title than what came with it."
    if not look.knows(party) or not any(
        act.kind == "receive" and look.act(act.envelope, look.node.party).body["delivery"] == row.digest
        for act in look.tx.find(ActRow, at=row.at)
    ):
        yield f"Batch {row.b} names a delivery that was not answered when it came."


def _handed_in(look: Look, row: Batch) -> Iterator[str]:
    status = look.tx.get(Status, row.digest)
    if status is None or row.name != f"submission of {status.party}" or row.format != "taxii":
        yield f"Batch {row.b} names no status of what was handed in over TAXII."
    elif msgspec.json.decode(status.body)["total_count"] != row.taken or (row.officer, row.done) != ("", 1):
        yield f"Batch {row.b} says another number of objects than its status."
    if row.touched != row.at:
        yield f"Batch {row.b} was handed in at once, and is dated twice."


def _minted(look: Look, row: Batch) -> Iterator[str]:
    if (row.counts, row.done) != (b"{}", 1) or row.touched != row.at:
        yield f"Batch {row.b} was minted at once, and says otherwise."
    if not _stated(look, row):
        yield f"Batch {row.b} lacks the statement its officer signed when it was minted."
    brought = {one.version for one in look.tx.find(Holding, batch=row.b)}
    if len(brought) > row.taken:
        yield f"Batch {row.b} brought more objects than were minted."


def _stated(look: Look, row: Batch) -> bool:
    """Whether the officer of a batch signed what it was stated under when it was begun."""
    said = (_statement(look, one)["handling"] for one in look.tx.find(HandlingRow, target=f"batch:{row.b}"))
    return any(one.get("by", "") == row.officer for one in said if one.get("at") == row.at)


def _imported(look: Look, row: Batch) -> Iterator[str]:
    counts = Counts(**same_json(row.counts))
    parts = counts.new + counts.known + counts.newer + counts.older + counts.rivals + counts.refused
    if parts != counts.objects or row.taken != counts.objects:
        yield f"The counts of batch {row.b} do not add up."
    if not row.digest:
        yield f"Batch {row.b} names no input."
    if not _stated(look, row):
        yield f"Batch {row.b} lacks the statement its officer signed when it was begun."
    if row.done:
        for said in (one for at in {row.touched} for one in look.noted(at, "import") if one["batch"] == row.b):
            if {**counts.as_json(), "name": row.name, "by": row.officer} != {
                name: value for name, value in said.items() if name != "batch"
            }:
                yield f"Batch {row.b} is not what the audit says of it."


def _statement(look: Look, row: HandlingRow) -> dict[str, Any]:
    return open_envelope(row.envelope, "handling", look.ever(look.node.party, "node")).body


def handlings(look: Look) -> Iterator[Finding]:
    """`handling`: signed by a node key of ours, about the target it is filed under, when and by whom it says."""

    def check(row: HandlingRow) -> Iterator[str]:
        said = f"The statement {row.s} about {row.target}"
        body = _statement(look, row)
        stated = Handling.from_json(body["handling"])
        if body["target"] != row.target or stated.at != row.at:
            yield f"{said} is about something else, or of another instant, than is noted."
        number = row.target.removeprefix("batch:")
        if row.target.startswith("batch:"):
            there = look.tx.get(Batch, int(number)) is not None
        else:
            there = next(iter(look.tx.find(Version, id=row.target, limit=1)), None) is not None
        if not there:
            yield f"{said} is about something that is not here."

    rows = look.tx.find(HandlingRow)
    yield from look.each(rows, lambda row: row.target, lambda row: f"The statement {row.s} about {row.target}", check)
    yield from missing(look.tx.find(HandlingRow), lambda row: row.s, "statement")


def refusals(look: Look) -> Iterator[Finding]:
    """`refused`: of a batch that is here, for a reason that is known."""

    def check(row: Refused) -> Iterator[str]:
        if look.tx.get(Batch, row.batch) is None or not row.place:
            yield f"What was refused of batch {row.batch} ({row.place}) belongs to no batch."
        if row.code not in CODES or not row.sentence:
            yield f"What was refused of batch {row.batch} ({row.place}) was refused for no reason that is known."

    def said(row: Refused) -> str:
        return f"What was refused of batch {row.batch} ({row.place})"

    yield from look.each(look.tx.find(Refused), lambda row: f"batch:{row.batch} {row.place}", said, check)
    for batch in look.tx.find(Batch):
        try:
            refused = msgspec.json.decode(batch.counts).get("refused", 0)
        except BROKEN:
            continue
        here = look.tx.count(Refused, batch=batch.b)
        if here > refused:
            yield Finding(f"batch:{batch.b}", f"Batch {batch.b} has {here} refusals where its counts say {refused}.")


def stand_ins(look: Look) -> Iterator[Finding]:
    """`stand_in` and `anonymous`: each stand-in has the id of its original and title, and its first instant; its seal names nobody."""
    used: set[tuple[str, str]] = set()

    def check(row: StandIn) -> Iterator[str]:
        version, original = look.tx.get(Version, row.version), look.tx.get(Version, row.original)
        if version is None or original is None or not _clause_exists(look, row.title):
            yield f"What stands in as version {row.version} names a version or a clause that is not here."
            return
        known = look.tx.get(Anonymous, original.id, row.title)
        if known is None or known.id != version.id or version.type != original.type:
            yield f"{version.id} stands in for another object than its id was drawn for."
            return
        used.add((known.object, known.title))
        created = read_json(version.raw).get("created")
        if created is not None and parse(created) != known.created:
            yield f"{version.id} was first made at another instant than is noted."
        sealing = look.tx.get(Sealing, row.version)
        if sealing is not None and msgspec.json.decode(sealing.source)["source"] != original.id:
            yield f"The seal of {version.id} was made for another original than is noted."
        if next(iter(look.tx.find(Holding, version=row.version, limit=1)), None) is not None:
            yield f"{version.id} stands in for something, and is said to have come from somebody."

    yield from look.each(
        look.tx.find(StandIn),
        lambda row: f"version {row.version}",
        lambda row: f"What stands in as version {row.version}",
        check,
    )
    for row in look.tx.find(Anonymous):
        if (row.object, row.title) not in used:
            yield Finding(row.id, f"{row.id} was drawn for {row.object}, and nothing stands in under it.")


def _not_entered(look: Look) -> Iterator[Finding]:
    """What was handed in, or stands in `own`, and is in no collection."""
    tx, us = look.tx, look.node.party
    until = read_setting(tx, "own-enrolled", 0)
    for party in sorted({us, *(row.party for row in tx.find(Reader))}):
        for lot in lots(tx.find(Holding, custodian=party, order=("h",))):
            wanted = [row for row in lot if (row.h <= until if party == us else row.title == TITLE)]
            entered = {
                row.version for row in tx.find_in(Submission, "object", {one.object for one in wanted}, party=party)
            }
            for row in wanted:
                if row.version not in entered:
                    yield Finding(row.object, f"{row.object} came from {party}, and stands in none of its collections.")


def submissions(look: Look) -> Iterator[Finding]:
    """`submission`: what a reader posted is held from that reader; each was added at its own instant."""
    last = ("", 0)
    yield from _not_entered(look)

    def check(row: Submission) -> Iterator[str]:
        said = f"What {row.party} handed in as {row.object}"
        held = [one for one in look.tx.find(Holding, version=row.version) if one.custodian == row.party]
        if not held or any(one.object != row.object for one in held):
            yield f"{said} is not held from that party."
        elif row.collection != (OWN if row.party == look.node.party else INBOX):
            yield f"{said} stands in a collection of somebody else."
        nonlocal last
        if (row.party, row.added) == last:
            yield f"{said} was added at the instant of something else."
        last = row.party, row.added
        if held and row.added < min(one.at for one in held):
            yield f"{said} was added before it came."
        if row.ended is not None and not any(
            (said["party"], said["object"]) == (row.party, row.object) for said in look.noted(row.ended, "taxii-remove")
        ):
            yield f"{said} is said to have been taken out when nobody did."

    yield from look.each(
        look.tx.find(Submission, order=("party", "added")),
        lambda row: row.object,
        lambda row: f"What {row.party} handed in as {row.object}",
        check,
    )
