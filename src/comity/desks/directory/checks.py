"""Pings: how each stands, worked out from what was sent and what came back; no party changes another's object for it.

    sent       given to the party's stream, no receipt yet          delivered      its node has it; no person said so yet
    answered   a person acknowledged it in time                     answered-late  after the time it named
    overdue    the time is over and nobody did                      failed         it cannot go there, or the other road led nowhere

Times are our own: a ping was answered when the answer came here. Words for the states: cbms.yaml, ping_states (unconfirmed).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from statistics import median
from typing import Any, Final

from comity.desks.directory.book import Word, words
from comity.desks.directory.duty import instant_or
from comity.desks.directory.kinds import ACKNOWLEDGEMENT, PING, Ping
from comity.kernel.model.instants import DAY, MINUTE, Instant, format, parse
from comity.kernel.store.ports import Reading
from comity.node.carrying import how_far

CADENCE: Final = 182 * DAY
"""How often an office is to be pinged where nobody says otherwise: half a year, P6M."""

CADENCE_SOURCE: Final = ("clocks.yaml, un-poc-ping: cadence P6M", False)
"""Where the cadence comes from, and whether a public source confirms it."""

OPEN: Final = ("sent", "delivered")
ANSWERED: Final = ("answered", "answered-late")


@dataclass(frozen=True, slots=True)
class Check:
    """One ping of ours and how it stands.

    Args:
        at, due: When it was sent and until when an answer was asked for.
        answered: When the answer came here, None without one.
    """

    word: Word
    state: str
    at: Instant
    due: Instant
    answered: Instant | None
    note: str | None

    @property
    def ping(self) -> Ping:
        """What the ping says."""
        said: Ping = self.word.says
        return said

    def as_json(self) -> dict[str, Any]:
        """{object, party, office, by, state, at, answer_by, answered, seconds}."""
        return {
            "object": self.word.seen.id,
            "party": self.ping.party,
            "office": self.ping.office,
            "by": self.ping.road,
            "state": self.state,
            "at": format(self.at),
            "answer_by": format(self.due),
            "answered": None if self.answered is None else format(self.answered),
            "note": self.note,
        }


def acknowledgements(tx: Reading, us: str) -> dict[str, list[Word]]:
    """What was acknowledged, by the id of the object; only words of a known party count."""
    found: dict[str, list[Word]] = {}
    for word in words(tx, us, ACKNOWLEDGEMENT, []):
        if word.by is not None:
            found.setdefault(word.says.of_ref, []).append(word)
    return found


def checks(tx: Reading, us: str, at: Instant) -> list[Check]:
    """Every ping of ours, the oldest first."""
    answers = acknowledgements(tx, us)
    return [_check(tx, word, answers.get(word.seen.id, ()), at) for word in words(tx, us, PING, []) if word.by == us]


def _check(tx: Reading, word: Word, answers: Iterable[Word], at: Instant) -> Check:
    ping: Ping = word.says
    sent = parse(str(word.seen.data["created"]))
    due = instant_or(ping.answer_by, sent)
    if ping.road != "exchange":
        good = ping.outcome == "answered"
        return Check(word, "answered" if good else "failed", sent, due, sent if good else None, ping.note)
    answer = min((one for one in answers if one.by == ping.party), key=lambda one: one.seen.at, default=None)
    if answer is not None:
        state = "answered" if answer.seen.at <= due else "answered-late"
        return Check(word, state, sent, due, answer.seen.at, answer.says.note)
    far = how_far(tx, word.seen.id, ping.party)
    state = far if far == "failed" else "overdue" if at > due else far
    return Check(word, state, sent, due, None, None)


@dataclass(frozen=True, slots=True)
class Reachability:
    """How an office answered our pings.

    Args:
        verdict: ``reachable`` (the last one that is over was answered in time), ``late``, ``unreachable``, ``untested``.
        share: Answered in time of all that are over, 0 to 1; None where none is.
        typical: The median time to an answer, microseconds.
        next: When it is to be pinged again.
    """

    verdict: str
    last: Check | None
    answered: int
    over: int
    share: float | None
    typical: int | None
    next: Instant | None

    def as_json(self) -> dict[str, Any]:
        """All of it by name."""
        return {
            "verdict": self.verdict,
            "last": None if self.last is None else self.last.as_json(),
            "pings_over": self.over,
            "answered_in_time": self.answered,
            "share": self.share,
            "typical_minutes": None if self.typical is None else self.typical // MINUTE,
            "next": None if self.next is None else format(self.next),
            "cadence": {"source": CADENCE_SOURCE[0], "verified": CADENCE_SOURCE[1]},
        }


def reachability(found: Iterable[Check]) -> Reachability:
    """What the pings of one office say together."""
    every = sorted(found, key=lambda one: one.at)
    over = [one for one in every if one.state not in OPEN]
    good = [one for one in over if one.state == "answered"]
    times = [one.answered - one.at for one in over if one.answered is not None]
    last = every[-1] if every else None
    verdict = "untested"
    if over:
        verdict = {"answered": "reachable", "answered-late": "late"}.get(over[-1].state, "unreachable")
    return Reachability(
        verdict,
        last,
        len(good),
        len(over),
        len(good) / len(over) if over else None,
        int(median(times)) if times else None,
        None if last is None else instant_or(last.ping.next, last.at + CADENCE),
    )


def by_office(found: Iterable[Check]) -> dict[tuple[str, str], list[Check]]:
    """Pings by the office they ask."""
    offices: dict[tuple[str, str], list[Check]] = {}
    for one in found:
        offices.setdefault((one.ping.party, one.ping.office), []).append(one)
    return offices
