"""Rules of decision: whether a text is adopted, and for each head why it counts as it does.

    unanimity   everybody consents; one objection rejects
    silence     who received the text, by its officer, and did not object until its own time was over, consents;
                who never received it never does
    opt-in      those who join are the coalition; nobody is bound by others and nobody can block
    majority    by heads, of the members or of the votes cast; an abstention is set aside or counts against, as the rule says

A *head* is whoever counts as one: a party, or a seat where votes are cast under seats. A decision is `open` as long as what
is missing could still change it. Source: the rules named in reference/toolbox.yaml, `decision_rules`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, Literal

from comity.kernel.errors import InputRefused
from comity.kernel.model import instants
from comity.kernel.model.instants import Instant

Kind = Literal["unanimity", "silence", "opt-in", "majority"]

KINDS: Final[Mapping[str, str]] = {
    "unanimity": "adopted when every party consents; one objection rejects it",
    "silence": "adopted when no party that received it objects before its time is over",
    "opt-in": "binds those who join it, and nobody else",
    "majority": "adopted when enough heads are for it",
}
"""Every rule, with the sentence a state table is shown with."""

VOTES: Final = ("consent", "object", "abstain", "join")
"""What a head can say; its last word counts."""

RECEIPT: Final = "receipt"
"""The mark of a party whose officer signed that it received the text; silence runs from it and from nothing else."""


class Outcome(StrEnum):
    """What a rule says now."""

    ADOPTED = "adopted"
    REJECTED = "rejected"
    OPEN = "open"


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule of decision.

    Args:
        kind: A key of `KINDS`.
        clock: The clock whose end closes the vote; None where it has none.
        unheard: Silence only: ``block``, who never received the text keeps it open; ``report``, it is adopted by the
            others and who was not heard is named.
        abstentions: ``set-aside`` or ``against``.
        of: Majority only: of the ``members`` or of the votes ``cast``.
        numerator, denominator: Majority only: the share that is needed.
        more_than: Whether the share must be exceeded (more than half) or reached (two thirds).
        least: Opt-in only: how many make a coalition.

    Raises:
        InputRefused: `procedure-table`.
    """

    kind: Kind
    clock: str | None = None
    unheard: Literal["block", "report"] = "block"
    abstentions: Literal["set-aside", "against"] = "set-aside"
    of: Literal["members", "cast"] = "members"
    numerator: int = 1
    denominator: int = 2
    more_than: bool = True
    least: int = 1

    def __post_init__(self) -> None:
        closed = {
            "kind": KINDS,
            "unheard": ("block", "report"),
            "abstentions": ("set-aside", "against"),
            "of": ("members", "cast"),
        }
        for name, words in closed.items():
            if getattr(self, name) not in words:
                raise InputRefused("procedure-table", f"{name!r} of a rule of decision is one of {', '.join(words)}.")
        if (
            not 0 < self.numerator <= self.denominator
            or self.least < 1
            or (self.more_than and self.numerator == self.denominator)
        ):
            raise InputRefused("procedure-table", "The share a majority needs lies above nothing and can be reached.")
        if self.clock is None and self.kind in ("silence", "opt-in"):
            raise InputRefused("procedure-table", f"The rule {self.kind} needs a clock whose end closes it.")


@dataclass(frozen=True, slots=True)
class Reason:
    """How one head counts: `counted` is for, against, set-aside, waiting or unheard."""

    head: str
    counted: str
    sentence: str


@dataclass(frozen=True, slots=True)
class Decision:
    """What a rule says, with its reasons, one a head, in the order of the heads."""

    outcome: Outcome
    sentence: str
    reasons: tuple[Reason, ...]

    def counted(self, word: str) -> tuple[str, ...]:
        """The heads that count in this way."""
        return tuple(reason.head for reason in self.reasons if reason.counted == word)

    def as_json(self) -> dict[str, Any]:
        """{outcome, sentence, reasons: [{head, counted, sentence}]}."""
        return {
            "outcome": self.outcome.value,
            "sentence": self.sentence,
            "reasons": [{"head": one.head, "counted": one.counted, "sentence": one.sentence} for one in self.reasons],
        }


def decide(
    rule: Rule,
    heads: Sequence[str],
    votes: Mapping[str, str],
    *,
    silent_until: Mapping[str, Instant] | None = None,
    over: bool = False,
    at: Instant = 0,
) -> Decision:
    """Decide what the votes amount to at an instant.

    Args:
        rule: The rule.
        heads: Who counts, each once. Votes of others count only as objections under the rule of silence, where they
            come from seats.
        votes: The last word of each head, of `VOTES`.
        silent_until: Silence only: for each head whose officer received the text, when its time to object is over.
        over: Whether the clock that closes the vote has run out.
        at: Now.

    Returns:
        The decision. It is a pure function of what is given: who never received a text has no entry in `silent_until`
        and is never counted as consenting, however late it is.
    """
    match rule.kind:
        case "silence":
            return _silence(rule, heads, votes, silent_until or {}, at)
        case "unanimity":
            return _unanimity(rule, heads, votes)
        case "opt-in":
            return _opt_in(rule, heads, votes, over)
        case "majority":
            return _majority(rule, heads, votes, over)


def _silence(
    rule: Rule, heads: Sequence[str], votes: Mapping[str, str], silent_until: Mapping[str, Instant], at: Instant
) -> Decision:
    reasons = []
    for head in heads:
        vote, until = votes.get(head), silent_until.get(head)
        if vote == "object":
            reasons.append(Reason(head, "against", "It broke the silence."))
        elif vote == "consent":
            reasons.append(Reason(head, "for", "It consented in so many words."))
        elif until is None:
            reasons.append(
                Reason(
                    head, "unheard", "No officer of it has signed a receipt of the text, so its silence says nothing."
                )
            )
        elif at < until:
            reasons.append(Reason(head, "waiting", f"It has until {instants.format(until)} to object."))
        else:
            reasons.append(
                Reason(head, "for", f"Its officer received the text and it was silent until {instants.format(until)}.")
            )
    elsewhere = sorted(head for head, vote in votes.items() if vote == "object" and head not in heads)
    reasons += [Reason(head, "against", "It broke the silence.") for head in elsewhere]
    decision = Decision(Outcome.OPEN, "", tuple(reasons))
    broken, waiting, unheard = (decision.counted(word) for word in ("against", "waiting", "unheard"))
    if broken:
        return _said(Outcome.REJECTED, f"The silence was broken by {_count(broken)}.", reasons)
    if waiting:
        return _said(Outcome.OPEN, f"The time to object is not over for {_count(waiting)}.", reasons)
    if unheard and (rule.unheard == "block" or not decision.counted("for")):
        return _said(
            Outcome.OPEN,
            f"The text was not received by an officer of {_count(unheard)}, so nothing is adopted.",
            reasons,
        )
    if unheard:
        return _said(Outcome.ADOPTED, f"It is adopted by the others; {_count(unheard)} was not heard.", reasons)
    return _said(Outcome.ADOPTED, "Everybody received it and nobody objected in time.", reasons)


def _unanimity(rule: Rule, heads: Sequence[str], votes: Mapping[str, str]) -> Decision:
    reasons = _spoken(rule, heads, votes)
    against, missing = _of(reasons, "against"), _of(reasons, "waiting")
    if against:
        return _said(Outcome.REJECTED, f"It needs everybody, and {_count(against)} is against it.", reasons)
    if missing or not heads:
        return _said(Outcome.OPEN, f"It needs everybody, and {_count(missing)} has not spoken.", reasons)
    if not _of(reasons, "for"):
        return _said(Outcome.REJECTED, "Everybody abstained.", reasons)
    return _said(Outcome.ADOPTED, "Nobody is against it and everybody has spoken.", reasons)


def _opt_in(rule: Rule, heads: Sequence[str], votes: Mapping[str, str], over: bool) -> Decision:
    reasons = []
    for head in heads:
        if votes.get(head) == "join":
            reasons.append(Reason(head, "for", "It joins."))
        elif head in votes:
            reasons.append(Reason(head, "set-aside", "It does not join; that binds nobody else."))
        elif over:
            reasons.append(Reason(head, "set-aside", "It did not join in time."))
        else:
            reasons.append(Reason(head, "waiting", "It may still join."))
    joined = _of(reasons, "for")
    if not over and _of(reasons, "waiting"):
        return _said(Outcome.OPEN, f"{len(joined)} joined so far; others still may.", reasons)
    if len(joined) >= rule.least:
        return _said(
            Outcome.ADOPTED, f"It is adopted by the {len(joined)} that joined, and binds nobody else.", reasons
        )
    return _said(Outcome.REJECTED, f"{len(joined)} joined, and a coalition needs {rule.least}.", reasons)


def _majority(rule: Rule, heads: Sequence[str], votes: Mapping[str, str], over: bool) -> Decision:
    reasons = _spoken(rule, heads, votes, over)
    yes, no, waiting = (len(_of(reasons, word)) for word in ("for", "against", "waiting"))
    share = f"{'more than' if rule.more_than else 'at least'} {rule.numerator}/{rule.denominator} of the {rule.of}"
    told = f"{yes} for, {no} against, {len(_of(reasons, 'set-aside'))} set aside, of {len(heads)}"

    def reached(ayes: int, cast: int) -> bool:
        base = len(heads) if rule.of == "members" else cast
        have, need = ayes * rule.denominator, base * rule.numerator
        return ayes > 0 and (have > need if rule.more_than else have >= need)

    # What is missing may still go either way; it is decided only when neither way changes it.
    if reached(yes, yes + no + waiting):
        return _said(Outcome.ADOPTED, f"It has {share}: {told}.", reasons)
    if waiting and reached(yes + waiting, yes + no + waiting):
        return _said(Outcome.OPEN, f"It needs {share}: {told}, and {waiting} can still speak.", reasons)
    return _said(Outcome.REJECTED, f"It does not have {share}: {told}.", reasons)


def _spoken(rule: Rule, heads: Sequence[str], votes: Mapping[str, str], over: bool = False) -> list[Reason]:
    reasons = []
    for head in heads:
        match votes.get(head):
            case "consent" | "join":
                reasons.append(Reason(head, "for", "It is for it."))
            case "object":
                reasons.append(Reason(head, "against", "It is against it."))
            case "abstain":
                against = rule.abstentions == "against"
                told = "It abstained, which counts against." if against else "It abstained, which is set aside."
                reasons.append(Reason(head, "against" if against else "set-aside", told))
            case _ if over:
                reasons.append(Reason(head, "set-aside", "It did not speak in time."))
            case _:
                reasons.append(Reason(head, "waiting", "It has not spoken."))
    return reasons


def _of(reasons: Iterable[Reason], word: str) -> tuple[str, ...]:
    return tuple(reason.head for reason in reasons if reason.counted == word)


def _count(heads: Sequence[str]) -> str:
    if not heads:
        return "nobody"
    return heads[0] if len(heads) == 1 else f"{len(heads)} of them"


def _said(outcome: Outcome, sentence: str, reasons: Sequence[Reason]) -> Decision:
    return Decision(outcome, sentence, tuple(reasons))
