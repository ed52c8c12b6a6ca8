"""The chain of custody of a file: what was done with it, by whom, when, where, and with which digest before and after.

Each entry is an act in its author's log and an object of its author's that refers to the artifact; it is released as every other object.
The chain is put together from what is held here, and what does not follow is told: an earlier entry that is not here, a digest that
changed between two entries, an instant before that of the entry it follows, an entry whose author is not shown by a seal.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from comity.kernel.errors import ComityError, InputRefused, Usage
from comity.kernel.model.instants import HOUR, format, parse
from comity.kernel.release.handling import Handling
from comity.kernel.seal.secrecy import bind, check_opening
from comity.kernel.store.ports import Reading
from comity.kernel.store.rows import ActRow, Holding, Version
from comity.kernel.tlog.acts import open_act
from comity.node.attachments.keeping import Subject, subject
from comity.node.attachments.kinds import CUSTODY, Custody, CustodyAct, Entry, Record, said
from comity.node.context import Deed, Node
from comity.node.deeds import deed
from comity.node.minting import Seen, mint, new_object, newest
from comity.node.objects import class_facets
from comity.node.parties import name_of, need_card, resolve_party
from comity.node.record import record

LABEL: Final = "custody"

_NEEDS: Final[Mapping[str, tuple[str, ...]]] = {
    "collected": ("after",),
    "copied": ("before", "after"),
    "transferred": ("before", "after"),
    "opened": ("before", "after"),
    "returned": ("before",),
}
"""The digests an entry of each kind has to say."""


@dataclass(frozen=True, slots=True)
class Link:
    """One entry as it is held here."""

    seen: Seen
    says: Custody


def like(tx: Reading, seen: Seen) -> Handling:
    """What is stated about an entry: what the artifact is held under, so that it goes no further than the artifact does."""
    holding = next(one for one in tx.find(Holding, version=seen.version, ended=None) if one.custodian == seen.custodian)
    facets = class_facets(tx, holding.cls)
    return Handling(
        tlp=facets.tlp,
        pap=facets.pap,
        caveats=facets.caveats,
        recipients=facets.recipients,
        basis=facets.basis,
        purpose=facets.purpose,
        cases=facets.cases,
        embargo=holding.embargo,
    )


def note(
    work: Deed,
    one: Subject,
    act: CustodyAct,
    *,
    before: str | None = None,
    after: str | None = None,
    place: str | None = None,
    means: str | None = None,
    giver: str | None = None,
    taker: str | None = None,
    at: str | None = None,
    handling: Handling | None = None,
) -> str:
    """Write an entry within a deed: signed and logged, minted, and let go where it may; gives its id.

    Raises:
        Usage: `custody-entry` where what is said does not fit the act.
    """
    try:
        entry = msgspec.convert(
            {
                "artifact_ref": one.id,
                "act": act,
                "at": at or format(work.at),
                **{
                    name: value
                    for name, value in (
                        ("before", before),
                        ("after", after),
                        ("place", place),
                        ("means", means),
                        ("giver", giver),
                        ("taker", taker),
                    )
                    if value is not None
                },
            },
            Entry,
        )
    except msgspec.ValidationError as broken:
        raise Usage("custody-entry", f"The entry cannot be written as it is: {broken}.") from broken
    lacking = [name for name in _NEEDS[act] if getattr(entry, name) is None]
    if lacking:
        raise Usage(
            "custody-entry", f"An entry {act!r} says the SHA-256 {' and '.join(lacking)} it; add --{lacking[0]}."
        )
    if parse(entry.at) > work.at:
        raise Usage("custody-entry", f"{entry.at} is still to come; an entry says what was done.")
    count = work.tx.last(Version, "n") or 0
    draw = f"custody/{one.id}/{act}/{count}/{work.at}"
    salt = work.node.random(16, f"{draw}/salt")
    made = new_object(work.node, CUSTODY, Custody(entry=entry), work.at, draw=draw)
    logged = record(
        work,
        "custody",
        "",
        {"custody": made["id"], "commits": bind(salt, LABEL, said(entry)).hex()},
        officers=[work.officer] if work.officer else (),
    )
    officer = open_act(logged.envelope, {work.node.keys.node.public.keyid: work.node.keys.node.public}).officers
    made["record"] = msgspec.to_builtins(Record(act=logged.digest, salt=salt.hex(), officer=officer))
    tip = _tip([link for link in links(work.tx, work.node.party, one.id) if _believed(work, link)])
    if tip is not None:
        made["previous_ref"] = tip.seen.id
    mint(work, [made], handling or like(work.tx, one.seen), name=f"custody {act}", kinds=(CUSTODY,))
    return str(made["id"])


def enter(
    node: Node,
    object: str,
    act: CustodyAct,
    *,
    officer: str,
    before: str | None = None,
    after: str | None = None,
    place: str | None = None,
    means: str | None = None,
    giver: str | None = None,
    taker: str | None = None,
    at: str | None = None,
) -> dict[str, Any]:
    """Write down what a person did with a file outside of this node; gives {object, entry}.

    Args:
        giver, taker: Parties by name or id.

    Raises:
        Usage: `custody-entry`. NotFound: as `comity.node.attachments.keeping.subject`, `no-such-party`.
    """
    with deed(node, officer) as work:
        one = subject(work.tx, node.party, object)
        made = note(
            work,
            one,
            act,
            before=before,
            after=after,
            place=place,
            means=means,
            giver=None if giver is None else resolve_party(work.tx, giver).id,
            taker=None if taker is None else resolve_party(work.tx, taker).id,
            at=at,
        )
        work.audit("custody", {"object": object, "entry": made, "act": act})
    return {"object": object, "entry": made}


def links(tx: Reading, us: str, object: str) -> list[Link]:
    """The entries held here that speak of an artifact; one that cannot be read is left out, and `chain` counts it."""
    return [one for one in _all(tx, us) if one.says.entry is not None and one.says.entry.artifact_ref == object]


def _all(tx: Reading, us: str) -> list[Link]:
    found: dict[str, Link] = {}
    for seen in newest(tx, us, CUSTODY.name):
        try:
            link = Link(seen, CUSTODY.read(seen.data))
        except InputRefused:
            continue
        before = found.get(seen.id)
        if before is None or (author(before.seen, us) is None and author(seen, us) is not None):
            found[seen.id] = link
    return list(found.values())


def _believed(work: Deed, one: Link) -> bool:
    """Whether an entry of ours may follow it: somebody vouches for it, and it is not from the future.

    Else anybody who was given the artifact could make every later entry of ours follow a word that nobody said.
    """
    return author(one.seen, work.node.party) is not None and _when(one)[0] <= work.at


def _tip(every: Sequence[Link]) -> Link | None:
    """The last entry of a chain: one that no other follows, the latest of these."""
    followed = {one.says.previous_ref for one in every}
    ends = [one for one in every if one.seen.id not in followed]
    return max(ends or every, key=_when, default=None)


def _when(one: Link) -> tuple[int, str]:
    assert one.says.entry is not None, "only what has an entry is in a chain"
    return parse(one.says.entry.at), one.seen.id


def ordered(every: Sequence[Link]) -> list[Link]:
    """The entries so that each follows the one it names; among those that could stand next, the earliest. A circle ends where it began."""
    here = {one.seen.id for one in every}
    placed: list[Link] = []
    done: set[str] = set()
    rest = sorted(every, key=_when)
    while rest:
        ready = [one for one in rest if one.says.previous_ref not in here or one.says.previous_ref in done]
        following = [one for one in ready if placed and one.says.previous_ref == placed[-1].seen.id]
        taken = (following or ready or rest)[0]
        rest.remove(taken)
        placed.append(taken)
        done.add(taken.seen.id)
    return placed


def author(seen: Seen, us: str) -> str | None:
    """Whose word an entry is: shown by an uncontested seal of origin, or our own; None where nothing shows it."""
    ours = seen.custodian == us and seen.data.get("created_by_ref") == us
    return us if ours else seen.originator


def chain(tx: Reading, us: str, one: Subject) -> dict[str, Any]:
    """The chain of custody of an artifact: {object, sha256, entries, gaps}, each gap a sentence; none means that all follows."""
    every = ordered(links(tx, us, one.id))
    by_id = {link.seen.id: link for link in every}
    gaps: list[str] = []
    entries: list[dict[str, Any]] = []
    followed: dict[str, int] = {}
    for number, link in enumerate(every, 1):
        entry = link.says.entry
        assert entry is not None, "only what has an entry is in a chain"
        before, by = by_id.get(link.says.previous_ref or ""), author(link.seen, us)
        gaps += _gaps(tx, us, one, number, link, before, _number(every, before))
        if before is not None:
            followed[before.seen.id] = followed.get(before.seen.id, 0) + 1
        entries.append(
            {
                "number": number,
                "id": link.seen.id,
                "by": by,
                "name": None if by is None else name_of(tx, by),
                "via": link.seen.custodian,
                **said(entry),
                "officer": None if link.says.record is None else link.says.record.officer,
                "log": None if link.says.record is None else link.says.record.act,
                "follows": link.says.previous_ref,
            }
        )
    if not every:
        gaps.append("No entry is held here: nothing says how the file was collected, or through whose hands it went.")
    for id, times in followed.items():
        if times > 1:
            gaps.append(
                f"{times} entries follow entry {_number(every, by_id[id])}: from there on there are several chains."
            )
    return {"object": one.id, "sha256": one.file.sha256, "entries": entries, "gaps": gaps}


def _number(every: Sequence[Link], link: Link | None) -> int:
    return 0 if link is None else every.index(link) + 1


def _gaps(tx: Reading, us: str, one: Subject, number: int, link: Link, before: Link | None, follows: int) -> list[str]:
    entry, name = link.says.entry, f"Entry {number}"
    assert entry is not None, "only what has an entry is in a chain"
    found: list[str] = []
    if author(link.seen, us) is None:
        via = name_of(tx, link.seen.custodian)
        found.append(f"{name} came via {via} and nothing shows whose word it is.")
    if link.says.record is None or link.says.record.officer is None:
        found.append(f"{name} names no officer.")
    if author(link.seen, us) == us:
        found += _logged(tx, us, name, link, entry)
    if link.says.previous_ref is None and entry.act != "collected":
        found.append(f"{name} ({entry.act}) follows nothing: how the file came there is not said, or not shown to us.")
    elif link.says.previous_ref is not None and before is None:
        found.append(f"{name} follows {link.says.previous_ref}, which is not here.")
    if before is not None and before.says.entry is not None:
        left, at = before.says.entry.after or before.says.entry.before, before.says.entry.at
        if entry.before is not None and left is not None and entry.before != left:
            found.append(
                f"The file changed between entry {follows} and entry {number}: SHA-256 {left} became {entry.before}."
            )
        if parse(entry.at) < parse(at):
            late = (parse(at) - parse(entry.at)) // HOUR
            found.append(
                f"{name} is dated {entry.at}, before entry {follows} that it follows"
                + (f", by {late} hours or more; compare the clocks." if late else "; compare the clocks.")
            )
    if entry.before is not None and entry.after is not None and entry.before != entry.after:
        found.append(
            f"The file was changed by entry {number} ({entry.act}): SHA-256 {entry.before} became {entry.after}."
        )
    if entry.act in ("collected", "opened") and entry.after is not None and entry.after != one.file.sha256:
        found.append(f"{name} speaks of another file than the artifact names: SHA-256 {entry.after}.")
    return found


def _logged(tx: Reading, us: str, name: str, link: Link, entry: Entry) -> list[str]:
    """Whether an entry of ours is the one our log commits to."""
    told = link.says.record
    row = None if told is None else tx.get(ActRow, told.act)
    if told is None or row is None:
        return [f"{name} is ours and is not the one our log commits to."]
    try:
        card = need_card(tx, us)
        keys = {one.key.keyid: one.key for one in (*card.keys, *card.retired) if one.use == "node"}
        act = open_act(row.envelope, keys)
        check_opening(bytes.fromhex(str(act.body["commits"])), bytes.fromhex(told.salt), LABEL, said(entry))
        right = act.kind == "custody" and act.body.get("custody") == link.seen.id
    except (ComityError, KeyError, ValueError):
        right = False
    return [] if right else [f"{name} is ours and is not the one our log commits to."]


def chain_of(node: Node, object: str) -> dict[str, Any]:
    """`chain` over what is held now. Errors as `comity.node.attachments.keeping.subject`."""
    with node.store.read() as tx:
        return chain(tx, node.party, subject(tx, node.party, object))
