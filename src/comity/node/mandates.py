"""Mandates as this node keeps them, and the one rule that asks for them.

A node at which no mandate was ever in force works by roles alone. From the first on, each deed of a kind in `MANDATED` needs the role
and a mandate in force that covers it. Rules:

- a mandate is given and ended by an officer with the role ``admin``; one that names its giver, as holder or as substitute, gives nothing
  until another such officer has confirmed it;
- it is never changed: another is given, this one is ended. It ends with its time, when it is ended, or with the token of its holder;
- the rule is asked twice by the same words: before anything of the deed is begun (`acting`), and inside its transaction
  (`comity.node.deeds.deed`), so that a mandate that ended meanwhile covers nothing;
- a deed that has a height (the TLP of what is released, the level of a claim) says it by `needs`;
- what the node does by itself, by agreements or at an appointed instant, asks for none: the officer's word was given before.

To end the last mandate does not bring the time of roles alone back.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import msgspec

from comity.kernel.errors import NotAllowed, NotFound, Usage
from comity.kernel.model.instants import Instant, format
from comity.kernel.release.mandates import Level, Mandate, read_mandate
from comity.kernel.store.ports import Reading
from comity.kernel.store.rows import Audit, MandateRow, Officer
from comity.node.context import Acting, Deed, Node, put_setting, read_setting
from comity.node.record import record

MANDATED: Final = ("release", "sign")
"""Kinds of deed that need a mandate, once there are any."""

DEEDS: Final[Mapping[str, str]] = {
    "agreement send": "sign",
    "agreement sign": "sign",
    "agreement accede": "sign",
    "agreement admit": "sign",
    "agreement expel": "sign",
    "agreement suspend": "sign",
    "agreement withdraw": "sign",
    "card set": "sign",
    "peer push": "release",
    "public go": "release",
    "public hold": "release",
    "public move": "release",
    "public withdraw": "release",
    "release approve": "release",
}
"""The deeds of the node itself that need one, with their kinds; those of the desks stand with their desks."""


@dataclass(frozen=True, slots=True)
class Given:
    """A mandate as it was given, and what became of it."""

    row: MandateRow
    says: Mandate

    @property
    def waits(self) -> bool:
        """Whether another officer with the role admin has still to confirm it."""
        return self.says.by in self.says.officers and self.row.confirmed is None

    @property
    def since(self) -> Instant:
        """From when on it can be in force."""
        return max(self.says.since, self.row.confirmed or 0)

    def began(self, at: Instant) -> bool:
        """Whether it was in force at an instant or before."""
        ends = [end for end in (self.says.until, self.row.ended) if end is not None]
        return not self.waits and self.since <= at and all(self.since < end for end in ends)

    def stands(self, at: Instant, holder: Officer | None) -> str:
        """How it stands at an instant: ``waiting``, ``to come``, ``in force``, ``ended`` or ``over``."""
        gone = (self.row.ended, None if holder is None else holder.ended)
        if any(ended is not None and ended <= at for ended in gone):
            return "ended"
        if self.says.until is not None and self.says.until <= at:
            return "over"
        if self.waits:
            return "waiting"
        return "in force" if self.since <= at else "to come"


def mandates(tx: Reading) -> list[Given]:
    """Every mandate that was ever given here, in order."""
    found = [Given(row, read_mandate(msgspec.json.decode(row.body))) for row in tx.find(MandateRow)]
    return sorted(found, key=lambda one: int(one.row.id.partition("-")[2]))


def need_mandate(tx: Reading, id: str) -> Given:
    """The mandate of this id.

    Raises:
        NotFound: `no-such-mandate`.
    """
    row = tx.get(MandateRow, id)
    if row is None:
        raise NotFound("no-such-mandate", f"There is no mandate {id!r} here.")
    return Given(row, read_mandate(msgspec.json.decode(row.body)))


def mandate_of(tx: Reading, digest: str) -> Mandate | None:
    """The mandate of this digest, None where none of ours has it."""
    return next((one.says for one in mandates(tx) if one.row.digest == digest), None)


def required(tx: Reading, at: Instant) -> bool:
    """Whether mandates are asked for at an instant: one is or was in force, or an officer set that they are."""
    since: Instant | None = read_setting(tx, "mandates-since")
    if since is not None and since <= at:
        return True
    return any(one.began(at) for one in mandates(tx))


# --- the rule


def acting(node: Node, deed: str, kind: str, officer: str) -> Node:
    """The node in the hands of an officer who does this deed, where a mandate covers it or none is needed.

    Args:
        deed: The words of its command, ``agreement sign``; kind: what kind of deed it is (`comity.node.officers.RULES`).
        officer: The officer's id, whose role for it was looked at before.

    Raises:
        NotAllowed: `mandate-missing`, `mandate-over`.
    """
    said = Acting(deed, kind, officer)
    with node.store.read() as tx:
        covering(tx, said, max(node.clock(), read_setting(tx, "clock", 0)))
    return replace(node, acting=said)


def covering(tx: Reading, said: Acting | None, at: Instant) -> tuple[str, ...]:
    """The digests of the mandates that cover a deed, the officer's own before those the officer stands in for; none where none is needed.

    Raises:
        NotAllowed: `mandate-missing`, `mandate-over`.
    """
    if said is None or said.kind not in MANDATED or not required(tx, at):
        return ()
    return tuple(one.row.digest for one in _covering(tx, said, at))


def needs(work: Deed, officer: str, word: str, value: Level) -> None:
    """Ask that an officer's mandate reaches as high as this deed goes; nothing is asked where no mandate is required.

    Called inside the deed, before anything is kept. What the deed is done under is from then on a mandate that reaches so high.

    Args:
        officer: The id of who acts; word: what is limited, such as ``claim-level``; value: how high this deed goes.

    Raises:
        NotAllowed: `mandate-ceiling` where no mandate that covers the deed reaches it; `mandate-missing`, `mandate-over`.
        InputRefused: `mandate-form` for a value that is none of that word.
    """
    if not required(work.tx, work.at):
        return
    said = work.acting or Acting("", "", officer)
    found = {one.row.digest: one for one in _covering(work.tx, replace(said, officer=officer), work.at)}
    fits = [
        digest for digest in (work.under or tuple(found)) if digest in found and found[digest].says.reaches(word, value)
    ]
    if not fits:
        one = next(iter(found.values()))
        ceiling = dict(one.says.ceilings).get(word)
        reaches = f"states no ceiling {word}" if ceiling is None else f"reaches up to {word} {ceiling}"
        others = [
            other
            for other in in_force(work.tx, work.at)
            if _covers(other.says, said) and other.says.reaches(word, value) and officer not in other.says.officers
        ]
        raise NotAllowed(
            "mandate-ceiling",
            f"{one.says.id} of {_name(work.tx, one.says.officer)} {reaches}, and this needs {word} {value}; "
            f"{_holders(work.tx, others)}.",
            mandate=one.says.id,
            needs={word: value},
        )
    work.under = tuple(fits)


def _covering(tx: Reading, said: Acting, at: Instant) -> list[Given]:
    """The mandates in force that cover a deed, at least one.

    Raises:
        NotAllowed: `mandate-missing`, `mandate-over`.
    """
    live = in_force(tx, at)
    found = [one for one in live if _covers(one.says, said) and said.officer in one.says.officers]
    if found:
        return sorted(found, key=lambda one: one.says.officer != said.officer)
    what = f"comity {said.deed}" if said.deed else "this deed"
    others = _holders(tx, [one for one in live if _covers(one.says, said)])
    name = _name(tx, said.officer)
    former = [one for one in mandates(tx) if _covers(one.says, said) and said.officer in one.says.officers]
    if former:
        one = former[-1]
        raise NotAllowed(
            "mandate-over",
            f"{one.says.id}, under which {name} could do {what}, {_why_not(tx, one, at)}; {others}.",
            mandate=one.says.id,
        )
    raise NotAllowed("mandate-missing", f"{name} has no mandate for {what}; {others}.", deed=said.deed)


def _covers(says: Mandate, said: Acting) -> bool:
    return says.covers(said.deed, said.kind) if said.deed else True


def in_force(tx: Reading, at: Instant) -> list[Given]:
    """The mandates in force: by their own time, and with a holder who still has a token."""
    officers = {row.id: row for row in tx.find(Officer)}
    return [one for one in mandates(tx) if one.stands(at, officers.get(one.says.officer)) == "in force"]


def _why_not(tx: Reading, one: Given, at: Instant) -> str:
    holder = tx.get(Officer, one.says.officer)
    stands = one.stands(at, holder)
    if stands == "waiting":
        return "still waits for another officer with the role 'admin' to confirm it"
    if stands == "to come":
        return f"begins only at {format(one.since)}"
    if stands == "over":
        return f"ended at {format(one.says.until or at)}"
    if one.row.ended is not None:
        return f"was ended at {format(one.row.ended)}"
    return f"ended with the token of {_name(tx, one.says.officer)}"


def _holders(tx: Reading, found: Iterable[Given]) -> str:
    held = [f"{_name(tx, one.says.officer)} holds {one.says.id} for it" for one in found]
    return ", ".join(held) if held else "nobody holds one for it, and an officer with the role 'admin' can give it"


def _name(tx: Reading, officer: str) -> str:
    row = tx.get(Officer, officer)
    return officer if row is None else row.name


# --- giving and ending


def give(
    work: Deed,
    officer: str,
    deeds: Sequence[str],
    *,
    reason: str,
    ceilings: Mapping[str, Level] | None = None,
    substitutes: Sequence[str] = (),
    since: Instant | None = None,
    until: Instant | None = None,
) -> Given:
    """Give an officer a mandate, within a deed of an officer with the role admin.

    Args:
        officer, substitutes: Names or ids of active officers.
        deeds: As `Mandate.deeds`.
        since: When it begins; None: now. An instant before now is refused.

    Raises:
        NotFound: `no-such-officer`. NotAllowed: `token-needed` where nobody is named who gives it. InputRefused: `mandate-form`.
    """
    _need_giver(work)
    says = Mandate(
        id=f"mandate-{work.tx.count(MandateRow) + 1}",
        officer=_active(work.tx, officer).id,
        deeds=tuple(sorted(set(deeds))),
        ceilings=tuple(sorted((ceilings or {}).items())),
        substitutes=tuple(sorted({_active(work.tx, one).id for one in substitutes})),
        since=work.at if since is None else since,
        until=until,
        by=work.officer,
        at=work.at,
        reason=reason,
    )
    row = MandateRow(says.id, says.body, says.digest, None, None, None, None)
    work.tx.add([row])
    _note(work, "give", row, reason)
    return Given(row, says)


def confirm(work: Deed, id: str, *, reason: str = "") -> Given:
    """Confirm a mandate that names its giver, as another officer with the role admin; it is in force from then on.

    Raises:
        NotFound: `no-such-mandate`. NotAllowed: `mandate-alone`, `token-needed`. Usage: `already-done`.
    """
    _need_giver(work)
    given = need_mandate(work.tx, id)
    if not given.waits or given.row.ended is not None:
        raise Usage("already-done", f"{id} does not wait for anybody's word; nothing was changed.")
    if work.officer == given.says.by:
        raise NotAllowed(
            "mandate-alone",
            f"{id} names {_name(work.tx, given.says.by)}, who gave it; another officer with the role 'admin' has to confirm it.",
        )
    if given.says.until is not None and given.says.until <= work.at:
        raise Usage("already-done", f"The time of {id} is over; give another.")
    row = replace(given.row, second=work.officer, confirmed=work.at)
    work.tx.put(row)
    _note(work, "confirm", row, reason)
    return Given(row, given.says)


def end(work: Deed, id: str, *, reason: str) -> Given:
    """End a mandate from now on; what was done under it stays.

    Raises:
        NotFound: `no-such-mandate`. NotAllowed: `token-needed`. Usage: `already-done`.
    """
    _need_giver(work)
    given = need_mandate(work.tx, id)
    if given.row.ended is not None:
        raise Usage("already-done", f"{id} was ended at {format(given.row.ended)}; nothing was changed.")
    row = replace(given.row, ended=work.at, ender=work.officer)
    work.tx.put(row)
    _note(work, "end", row, reason)
    return Given(row, given.says)


def require(work: Deed) -> None:
    """Ask for mandates from now on, also before the first is in force; there is no way back."""
    if read_setting(work.tx, "mandates-since") is None:
        put_setting(work.tx, "mandates-since", work.at)
        work.audit("mandates-required", {"since": work.at})


def noted(tx: Reading, officer: str, at: Instant) -> tuple[str, ...]:
    """The mandate under which an officer did something at an instant, as the audit has it: one digest or none.

    For a word that takes effect later, such as a publication's: the act is then done under what the word was given under.
    """
    for row in tx.find(Audit, at=at):
        if row.officer == officer:
            detail = msgspec.json.decode(row.detail)
            if isinstance(detail, dict) and isinstance(detail.get("under"), str):
                return (detail["under"],)
    return ()


def _note(work: Deed, what: str, row: MandateRow, reason: str) -> None:
    body = {"mandate": row.id, "digest": row.digest, "what": what}
    act = record(work, "mandate", "", body, officers=[work.officer], reason=reason)
    work.audit("mandate", {**body, "act": act.digest})


def _need_giver(work: Deed) -> None:
    row = work.tx.get(Officer, work.officer)
    if row is None or row.ended is not None or "admin" not in row.roles.split():
        raise NotAllowed("token-needed", "Mandates are given and ended by an active officer with the role 'admin'.")


def _active(tx: Reading, text: str) -> Officer:
    row = next((row for row in tx.find(Officer) if text in (row.id, row.name) and row.ended is None), None)
    if row is None:
        raise NotFound("no-such-officer", f"No active officer is named {text!r}.")
    return row
