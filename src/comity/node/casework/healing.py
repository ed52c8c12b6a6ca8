"""Healing: what of a case did not come, or could not be taken, is asked for again until it is here.

A paper can be lost on the way to being taken: the card of its author came later, the limit of cases was reached, a node was
restored. Whoever sees a gap asks the party that has it, and who is asked answers with what the asker may have. Nobody has to
believe an answer: it is made of papers that prove themselves.

    who sees                                              asks           for
    an entry that waits for one before it                 the convener   the entries from the gap on
    a promise whose entry has not come                    the convener   the entries from the gap on
    an entry whose content is for us and is not here      the convener   the contents; the convener asks the author
    a paper of a case that is not here                    who sent it    the whole case
    a paper that could not be taken                       who sent it    the entries from the gap on, and the cards
    an act of ours that is neither entered nor promised   -              it is sent to the convener again

A convener that gives no answer twice may be gone: then the other participants are asked in turn. One question goes out at a time, and
the next one after a minute, two, four, up to a day, so that a gap nobody can fill costs little.
Nobody is answered more than once a minute. Source: docs/formats/procedure.md, How a case travels.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from comity.kernel.model.instants import DAY
from comity.kernel.procedure.acts import claimed_act
from comity.kernel.procedure.ledger import Keys
from comity.kernel.procedure.replica import Replica, unanswered
from comity.kernel.seal.canonical import canonical
from comity.kernel.store.rows import CaseContent, CaseEntry, CasePaper, CaseRow
from comity.node.casework.keeping import PROMISE, ledger_of
from comity.node.casework.ordering import invite
from comity.node.casework.papers import EVERY, KIND, content_paper, is_for, others, send, shown
from comity.node.context import Deed, put_setting, read_setting
from comity.node.papers import hand_over, send_cards

MISSING: Final = "missing"
"""The kind of paper that asks."""

ASKED: Final = "case-asked"
"""The setting that says when we last asked or answered whom about which case, and how often: ``{"case party": [at, times]}``."""

PATIENCE: Final = 2
"""So often the convener alone is asked."""

MOST_NOTED: Final = 4_096
MOST_CONTENTS: Final = 256
"""So many contents are asked for at once."""


def heal(work: Deed, row: CaseRow, replica: Replica, keys: Keys) -> None:
    """Ask for what is missing in a case, and send again what of ours was not answered."""
    state = replica.state
    if state is None:
        return
    us = work.node.party
    gap, contents = _gap(work, replica), _contents_missing(work, row, replica)
    if state.convener == us:
        for author in sorted({by for _, by in contents} & set(others(work, state))):
            if _due(work, row.id, author):
                send(work, row, author, [_question(len(replica.placed), [one for one in contents if one[1] == author])])
        return
    overdue = [one for one in unanswered(replica) if one.act.by == us and one.came + EVERY <= work.at]
    again = [content_paper(work.tx, row, one.envelope) or shown(one.envelope) for one in overdue]
    asks = [_question(len(replica.placed), contents)] if gap or contents else []
    if not (again or asks):
        _settled(work, row.id)
        return
    times = _times(work, row.id)
    if not _due(work, row.id, ""):
        return
    ring = [one for one in others(work, state) if one != state.convener]
    whom = ring[times % len(ring)] if times >= PATIENCE and ring else state.convener
    if again or whom == state.convener:
        send(work, row, state.convener, [*again, *(asks if whom == state.convener else [])])
    if asks and whom != state.convener:
        send(work, row, whom, asks)


def ask_for_case(work: Deed, party: str, case: str, *, cards: bool) -> None:
    """Ask a party for a case, or the end of one, of which it sent something that could not be taken.

    Args:
        cards: Whether the cards of all who take part are wanted too.
    """
    if not _due(work, case, party):
        return
    row = work.tx.get(CaseRow, case)
    start = 0 if row is None else work.tx.count(CaseEntry, case=case)
    asks = {**_question(start, ()), "cards": cards}
    hand_over(work, party, KIND, "", canonical({"case": case, "papers": [asks]}))


def answer(work: Deed, row: CaseRow, peer: str, asked: Mapping[str, Any], replica: Replica, keys: Keys) -> None:
    """Send a party what it asks for of a case, where it takes part: entries, promises, and the contents that are for it."""
    state = replica.state
    if state is None or peer not in others(work, state) or not _due(work, f"{row.id}<", peer, slower=False):
        return
    start = asked.get("from")
    start = start if type(start) is int and start >= 0 else 0
    if asked.get("cards") or not start:
        for about in (work.node.party, *state.participants):
            if about != peer:
                send_cards(work, about, peer)
    if not start:
        invite(work, row, ledger_of(work.tx, row, keys), peer)
        return
    papers: list[dict[str, Any]] = []
    for paper in work.tx.find(CasePaper, case=row.id, kind=PROMISE, order=("n",)):
        papers.append({"kind": PROMISE, "envelope": paper.envelope.decode()})
    papers = papers[-len(replica.placed[start:]) - 1 :]
    papers += [{"kind": "entry", "envelope": one.envelope.decode()} for one in replica.placed[start:]]
    wanted = asked.get("contents")
    digests = {one for one in wanted[:MOST_CONTENTS] if isinstance(one, str)} if isinstance(wanted, list) else set()
    for one in replica.placed:
        act = claimed_act(one.entry.act)
        if (one.act in digests or one.entry.seq >= start) and is_for(replica.table, state, act, peer):
            found = content_paper(work.tx, row, one.entry.act)
            papers += [] if found is None else [found]
    if papers:
        send(work, row, peer, papers)


def _question(start: int, contents: Sequence[tuple[str, str]]) -> dict[str, Any]:
    return {"kind": MISSING, "from": start, "contents": [digest for digest, _ in contents[:MOST_CONTENTS]]}


def _gap(work: Deed, replica: Replica) -> bool:
    """Whether an entry is known to be and is not here: one that stands behind it came, or it was promised a while ago."""
    place = len(replica.placed)
    if any(seq > place for seq in replica.waiting):
        return True
    return any(promise.last >= place and promise.at + EVERY <= work.at for _, promise in replica.promises)


def _contents_missing(work: Deed, row: CaseRow, replica: Replica) -> list[tuple[str, str]]:
    """Acts that were entered a while ago, whose content is for us and is not here, each with its author."""
    held = {one.act for one in work.tx.find(CaseContent, case=row.id)}
    state, us = replica.state, work.node.party
    assert state is not None, "there are entries"
    return [
        (one.act, act.by)
        for one in replica.placed
        if one.act not in held and one.came + EVERY <= work.at
        for act in (claimed_act(one.entry.act),)
        if act.by != us and is_for(replica.table, state, act, us)
    ]


def _due(work: Deed, case: str, party: str, *, slower: bool = True) -> bool:
    """Whether it is time to ask (again); then it is noted that we did."""
    noted: dict[str, list[int]] = read_setting(work.tx, ASKED, {})
    key = f"{case} {party}"
    at, times = noted.pop(key, [0, 0])
    if at and work.at < at + min(EVERY << min(times - 1, 20), DAY):
        return False
    noted[key] = [work.at, times + 1 if slower else 1]
    newest = sorted(noted.items(), key=lambda one: one[1][0])[-MOST_NOTED:]
    put_setting(work.tx, ASKED, dict(newest))
    return True


def _times(work: Deed, case: str) -> int:
    return int(read_setting(work.tx, ASKED, {}).get(f"{case} ", [0, 0])[1])


def _settled(work: Deed, case: str) -> None:
    noted: dict[str, list[int]] = read_setting(work.tx, ASKED, {})
    if noted.pop(f"{case} ", None) is not None:
        put_setting(work.tx, ASKED, noted)
