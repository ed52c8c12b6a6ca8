"""Notices: somebody of ours is told, by a road outside of the exchange, that something waits; and the next one where nobody answers.

What waits is a message or a ping to us that nobody acknowledged, or a message of ours whose answer is overdue. Each gets a number.
Who is on duty for the office is told first, then the steps of its rota, each after its minutes, until somebody acknowledges: the
thing itself to the other party, or the notice here. A notice holds no content, and only addresses in our own contacts are used.

    waiting -> told (1, 2, ...) -> ended       by whom: an officer, or the acknowledgement of the thing itself
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta

from comity.desks.directory.book import Office, of_rota, read_book, stands, words
from comity.desks.directory.checks import acknowledgements
from comity.desks.directory.duty import Asked, instant_or, order
from comity.desks.directory.kinds import MESSAGE, PING, Channel, Duty
from comity.desks.directory.lookup import age
from comity.desks.directory.reaching import tried
from comity.kernel.errors import NotFound, Unavailable
from comity.kernel.model.instants import MINUTE, Instant, format
from comity.kernel.store.ports import Reading
from comity.kernel.store.rows import Setting
from comity.node.context import Node, Notify, put_setting
from comity.node.deeds import deed
from comity.node.desk import Lines, Told

AGAIN: Final = MINUTE
"""How long after a road that failed it is tried again."""

CLAIM: Final = 2 * MINUTE
"""How long one process has to tell what it took upon itself, before another one may."""

_PREFIX: Final = "notice/"


class Notice(msgspec.Struct, kw_only=True, frozen=True):
    """One notice as it is kept.

    Args:
        subject: The object that waits; never told outside.
        kind: message, ping or overdue.
        told: How many persons were told, or were passed over because no road to them worked.
        next: When it is looked at again; None when all have been told.
        ended: When somebody acknowledged; `by` says how.
        error: Why the last road failed.
    """

    n: int
    subject: str
    kind: str
    office: str | None
    at: Instant
    told: int = 0
    next: Instant | None = None
    ended: Instant | None = None
    by: str | None = None
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Telling:
    """Somebody to be told now: by these addresses, the first that works; `then` is when the next one is due, None for the last."""

    notice: Notice
    who: str
    addresses: tuple[str, ...]
    then: Instant | None


def notices(tx: Reading) -> list[Notice]:
    """Every notice kept, by number."""
    rows = tx.find(Setting, order=("name",), after=(_PREFIX,))
    found = []
    for row in rows:
        if not row.name.startswith(_PREFIX):
            break
        found.append(msgspec.json.decode(row.value, type=Notice))
    return sorted(found, key=lambda one: one.n)


def waiting(tx: Reading, us: str, at: Instant) -> Iterator[tuple[str, str, str | None]]:
    """What waits for a person of ours: (object, kind, office)."""
    answered = acknowledgements(tx, us)
    messages = list(words(tx, us, MESSAGE, []))
    replied = {(one.says.in_reply_to_ref, one.by) for one in messages}
    for word in messages:
        says, id = word.says, word.seen.id
        if says.recorded is not None:
            continue
        if word.by == us:
            late = at > instant_or(says.reply_by, 1 << 62)
            if late and any((id, party) not in replied for party in says.addressed_to):
                yield id, "overdue", None
        elif us in says.addressed_to and word.by is not None:
            seen = any(one.by == us for one in answered.get(id, ())) or (id, us) in replied
            if not seen:
                yield id, "message", says.office
    for word in words(tx, us, PING, []):
        asks_us = word.by not in (None, us) and word.says.party == us
        if asks_us and not any(one.by == us for one in answered.get(word.seen.id, ())):
            yield word.seen.id, "ping", word.says.office


def our_office(tx: Reading, us: str, at: Instant, word: str | None) -> Office | None:
    """The office of ours that is told: the one named, else one with a rota, else the first."""
    ours = [
        one for one in read_book(tx, us, at).offices if one.party == us and one.word.own and stands(one.contact, at)
    ]
    named = [one for one in ours if one.office == word]
    return next(iter([*named, *(one for one in ours if one.rota is not None), *ours]), None)


def turn(office: Office, at: Instant) -> list[Asked]:
    """Who is told in turn, beginning at an instant; without a rota the office itself."""
    rota = of_rota(office.rota)
    found = [] if rota is None else order(rota, at)
    return found or [Asked(Duty(word=office.office, name=office.contact.name, channels=office.contact.channels), 0)]


def address(channel: Channel) -> str:
    """An address as the port wants it: ``mailto:``, ``tel:``, else the name of the road."""
    scheme = {"mail": "mailto", "telephone": "tel"}.get(channel.by, channel.by)
    return f"{scheme}:{channel.value}"


def tend(node: Node) -> list[Notice]:
    """Begin notices for what waits, end those of what waits no more, and tell whose turn it is; gives the notices that are open.

    The roads are taken outside of the transaction; what each did is noted after.
    """
    if node.notify is None:
        return []
    for telling in _claim(node):
        _tell(node, node.notify, telling)
    with node.store.read() as tx:
        return [one for one in notices(tx) if one.ended is None]


def _claim(node: Node) -> list[Telling]:
    with deed(node) as work:
        tx, at = work.tx, work.at
        kept = notices(tx)
        now = {subject: (kind, office) for subject, kind, office in waiting(tx, node.party, at)}
        last = kept[-1].n if kept else 0
        for one in kept:
            if one.ended is None and now.get(one.subject, ("",))[0] != one.kind:
                _keep(tx, msgspec.structs.replace(one, ended=at, next=None, by="acknowledged to the other party"))
        known = {(one.subject, one.kind) for one in kept}
        for subject, (kind, word) in now.items():
            if (subject, kind) not in known:
                last += 1
                _keep(tx, Notice(n=last, subject=subject, kind=kind, office=word, at=at, next=at))
        found = []
        for one in notices(tx):
            if one.ended is not None or one.next is None or one.next > at:
                continue
            telling = _whose_turn(tx, node.party, one, at)
            if telling is None:
                lacking = "no office of ours in the directory has anybody to be told"
                _keep(tx, msgspec.structs.replace(one, next=at + AGAIN, error=lacking))
                continue
            _keep(tx, msgspec.structs.replace(one, next=at + CLAIM))
            found.append(telling)
        return found


def _whose_turn(tx: Reading, us: str, notice: Notice, at: Instant) -> Telling | None:
    office = our_office(tx, us, at, notice.office)
    if office is None:
        return None
    asked = turn(office, notice.at)
    if notice.told >= len(asked):
        return None
    one = asked[notice.told]
    roads = tried(one.duty.channels or office.contact.channels)
    then = notice.at + asked[notice.told + 1].after if notice.told + 1 < len(asked) else None
    return Telling(notice, one.duty.name or one.duty.word, tuple(address(road) for road in roads), then)


def _tell(node: Node, notify: Notify, telling: Telling) -> None:
    error: str | None = f"{telling.who} has no address"
    for to in telling.addresses:
        try:
            notify(telling.notice.n, telling.notice.kind, to)
        except Unavailable as broken:
            error = broken.sentence
            continue
        error = None
        break
    with deed(node) as work:
        kept = next((one for one in notices(work.tx) if one.n == telling.notice.n), telling.notice)
        if kept.ended is not None:
            return
        passed = error is not None and telling.then is not None and telling.then <= work.at
        told = kept.told + (error is None or passed)
        later = telling.then if error is None else (work.at if passed else _soonest(work.at + AGAIN, telling.then))
        _keep(work.tx, msgspec.structs.replace(kept, told=told, next=later, error=error))
        work.audit("notice", {"number": kept.n, "kind": kept.kind, "told": error is None})


def _soonest(one: Instant, other: Instant | None) -> Instant:
    return one if other is None else min(one, other)


def _keep(tx: Any, notice: Notice) -> None:
    put_setting(tx, f"notice/{notice.n}", msgspec.to_builtins(notice))


class Tell(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Tell whoever is on duty what waits, and show who was told; with --acknowledge, somebody has it in hand."""

    acknowledge: Annotated[int | None, Meta(description="Number of a notice that somebody has in hand.")] = None


def notify(node: Node, asked: Tell, officer: str) -> Told:
    """The notices; a number that is acknowledged is told to nobody more."""
    if asked.acknowledge is not None:
        with deed(node, officer) as work:
            one = next((one for one in notices(work.tx) if one.n == asked.acknowledge), None)
            if one is None:
                raise NotFound(
                    "no-such-object", f"There is no notice {asked.acknowledge}; comity contact notify shows them."
                )
            if one.ended is None:
                by = f"officer {officer}" if officer else "whoever owns the folder"
                _keep(work.tx, msgspec.structs.replace(one, ended=work.at, next=None, by=by))
                work.audit("notice-acknowledge", {"number": one.n})
    tend(node)
    with node.store.read() as tx:
        at = node.clock()
        found = [one for one in notices(tx) if one.ended is None or one.n == asked.acknowledge]
        lines = (
            Lines().table(("notice", "kind", "since", "told", "next", "object"), [_row(one, at) for one in found]).found
        )
        lines += [f"Notice {one.n}: {one.error}" for one in found if one.error is not None and one.ended is None]
        if node.notify is None:
            waits = sum(1 for _ in waiting(tx, node.party, at))
            lines.append(f"Nobody is told: this node has no road for notices (notify.toml); {waits} wait.")
        shape = {
            "notices": [_shape(one) for one in found],
            "road": node.notify is not None,
        }
        return Told(shape, lines or ["Nothing waits."])


def _row(one: Notice, at: Instant) -> Sequence[object]:
    then = (
        "ended"
        if one.ended is not None
        else "all were told"
        if one.next is None
        else f"in {age(max(one.next - at, 0))}"
    )
    return one.n, one.kind, f"{age(at - one.at)} ago", one.told, then, one.subject


def _shape(one: Notice) -> dict[str, Any]:
    return {
        "notice": one.n,
        "kind": one.kind,
        "object": one.subject,
        "since": format(one.at),
        "told": one.told,
        "next": None if one.next is None else format(one.next),
        "ended": None if one.ended is None else format(one.ended),
        "by": one.by,
        "error": one.error,
    }
