"""Evidence against a convener or an author: files that convince a third party offline, who has only the keys and the tables.

    fork             two papers by one log's convener that name two digests for one place
    two-promises     two promises that leave one and the same place to two acts
    promise-broken   a promise, and the whole stretch of entries it speaks of, without the act
    promise-changed  a promise, and the entry of its act at another place or with another instant
    back-dated       a paper of a later instant, and an entry after its head with an earlier one
    not-following    a ledger whose last entry does not follow: wrong effect, state, refusal, order, or an act its author did not sign
    false-standing   a standing that shows another state than its entries fold to
    two-acts         two acts of one author under one number
    two-elections    two elections for one place; accused is who signed both

An accuser can choose what to show, so each check asks for what an honest party could never have signed. An origin names one
life of a log: a convener that lost the end of its ledger goes on under another origin and is convicted of nothing.

Give *all* node keys that the card chain of a party lists, ended ones too: an act by a key left out would look unsigned.
Source: docs/formats/procedure.md, Evidence.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NoReturn

from comity.kernel.errors import InputRefused
from comity.kernel.model.instants import Instant
from comity.kernel.procedure.acts import claimed_act, open_act
from comity.kernel.procedure.fold import fold, follow
from comity.kernel.procedure.ledger import (
    ENTRY,
    PROMISE,
    Entry,
    Keys,
    Promise,
    Standing,
    open_entry,
    open_promise,
    open_standing,
)
from comity.kernel.procedure.tables import Table
from comity.kernel.seal.canonical import canonical
from comity.kernel.tlog import strict
from comity.kernel.tlog.checkpoint import parse_origin

FORM: Final = 1
TYPE: Final = "comity-ledger-evidence"
LIMIT: Final = 64 * 1024 * 1024
CODE: Final = "ledger-evidence"

FAULTS: Final[Mapping[str, str]] = {
    "fork": "signed two different entries for one place",
    "two-promises": "promised one place to two acts",
    "promise-broken": "did not enter an act it had promised to enter",
    "promise-changed": "entered an act at another place or instant than it had promised",
    "back-dated": "entered an act with an instant before one it had already signed for",
    "not-following": "signed an entry that the state table does not give",
    "false-standing": "stated another state than its ledger has",
    "two-acts": "signed two acts under one number",
    "two-elections": "signed two elections for one place",
}
"""Every fault, as what the accused did."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a file of evidence shows.

    Args:
        fault: A key of `FAULTS`.
        procedure: The case.
        accused: Party ids, or the seat of a two-acts fault.
        sentence: One sentence for people.
    """

    fault: str
    procedure: str
    accused: frozenset[str]
    sentence: str


@dataclass(frozen=True, slots=True)
class Claims:
    """What a paper signed by a convener says: whose log, and which digest stands at which place."""

    procedure: str
    origin: str
    at: Instant
    head: int
    places: Mapping[int, str]


def evidence(fault: str, papers: Sequence[bytes]) -> bytes:
    """The file: canonical JSON {form, type, fault, papers}; the papers are envelopes, in the order the fault asks for."""
    return canonical({"form": FORM, "type": TYPE, "fault": fault, "papers": [paper.decode() for paper in papers]})


def verify_evidence(data: bytes, keys: Keys, tables: Mapping[str, Table]) -> Verdict:
    """Check a file of evidence, offline.

    Args:
        data: The file.
        keys: All node keys of every party that signed any of it; the key of a seat stands under the name of the seat.
        tables: State tables by digest; needed for what is folded.

    Raises:
        InputRefused: `ledger-evidence` where it convicts nobody, and the codes of the papers.
        SealBroken: where a paper is not signed as it must be.
    """
    members = strict.read_object(data, CODE, "The evidence", LIMIT)
    fault, papers = members.get("fault"), members.get("papers")
    if set(members) != {"form", "type", "fault", "papers"} or members["form"] != FORM or members["type"] != TYPE:
        _nobody("This is not evidence in a form that is known here.")
    if not isinstance(fault, str) or fault not in FAULTS:
        _nobody("The evidence names no fault that is known here.")
    least = 1 if fault == "not-following" else 2
    if not isinstance(papers, list) or len(papers) < least or not all(isinstance(one, str) for one in papers):
        _nobody("The evidence has the papers that its fault asks for.")
    procedure, accused = _CHECKS[fault]([paper.encode() for paper in papers], keys, tables)
    return Verdict(fault, procedure, accused, f"{', '.join(sorted(accused))} {FAULTS[fault]}.")


def claims(paper: bytes, keys: Keys) -> Claims:
    """What an entry, promise or standing claims of the places of its ledger, verified.

    Raises:
        InputRefused, SealBroken: as `open_entry`, `open_promise`, `open_standing`.
    """
    said = _convener_paper(paper, keys)
    if isinstance(said, Entry):
        before = {} if said.previous is None else {said.seq - 1: said.previous}
        return Claims(said.procedure, said.origin, said.at, said.seq, {**before, said.seq: said.digest})
    return Claims(said.procedure, said.origin, said.at, said.head_seq, {said.head_seq: said.head})


def contradict(a: Claims, b: Claims) -> bool:
    """Whether one log's convener signed both and they cannot both be true."""
    same = (a.procedure, a.origin) == (b.procedure, b.origin)
    return same and any(b.places.get(place, digest) != digest for place, digest in a.places.items())


# ---------------------------------------------------------------- the checks

Found = tuple[str, frozenset[str]]


def _nobody(sentence: str) -> NoReturn:
    raise InputRefused(CODE, sentence)


def _convener_paper(paper: bytes, keys: Keys) -> Entry | Promise | Standing:
    if _is(paper, ENTRY):
        return open_entry(paper, keys)[0]
    return open_promise(paper, keys) if _is(paper, PROMISE) else open_standing(paper, keys)


def _is(paper: bytes, kind: str) -> bool:
    return b'"payloadType":"application/vnd.comity.' + kind.encode() + b'.v1+json"' in paper


def _fork(papers: list[bytes], keys: Keys, tables: Mapping[str, Table]) -> Found:
    a, b = (claims(paper, keys) for paper in _two(papers))
    if not contradict(a, b):
        _nobody("Both papers can be true; nobody is convicted.")
    return a.procedure, _convener(a.origin)


def _two_promises(papers: list[bytes], keys: Keys, tables: Mapping[str, Table]) -> Found:
    a, b = (open_promise(paper, keys) for paper in _two(papers))
    same = (a.procedure, a.origin, a.last) == (b.procedure, b.origin, b.last)
    if not (same and a.exact and b.exact and a.act != b.act):
        _nobody("Both promises can be kept; nobody is convicted.")
    return a.procedure, _convener(a.origin)


def _promise_broken(papers: list[bytes], keys: Keys, tables: Mapping[str, Table]) -> Found:
    promise = open_promise(papers[0], keys)
    place, head = promise.head_seq, promise.head
    for paper in papers[1:]:
        entry, _ = open_entry(paper, keys)
        if (entry.procedure, entry.origin, entry.seq) != (promise.procedure, promise.origin, place + 1):
            _nobody("The entries are not the stretch that the promise speaks of.")
        if entry.previous != head:
            _nobody("The entries do not follow each other from the head the promise names.")
        if _act_of(entry) == promise.act:
            _nobody("The act was entered as it was promised.")
        place, head = entry.seq, entry.digest
    if place < promise.last:
        _nobody("The entries end before the last place of the promise.")
    return promise.procedure, _convener(promise.origin)


def _promise_changed(papers: list[bytes], keys: Keys, tables: Mapping[str, Table]) -> Found:
    first, second = _two(papers)
    promise, (entry, _) = open_promise(first, keys), open_entry(second, keys)
    if (entry.procedure, entry.origin, _act_of(entry)) != (promise.procedure, promise.origin, promise.act):
        _nobody("Promise and entry are not of one act in one ledger.")
    if promise.head_seq < entry.seq <= promise.last and entry.at == promise.at:
        _nobody("The act was entered as it was promised.")
    return promise.procedure, _convener(promise.origin)


def _back_dated(papers: list[bytes], keys: Keys, tables: Mapping[str, Table]) -> Found:
    first, second = _two(papers)
    later, (entry, _) = claims(first, keys), open_entry(second, keys)
    if (entry.procedure, entry.origin) != (later.procedure, later.origin):
        _nobody("The papers are not of one ledger.")
    if not (entry.seq > later.head and entry.at < later.at):
        _nobody("The entry has no instant before that of the paper.")
    return later.procedure, _convener(later.origin)


def _not_following(papers: list[bytes], keys: Keys, tables: Mapping[str, Table]) -> Found:
    entry, _ = open_entry(papers[-1], keys)
    table = _table(papers[0], keys, tables)
    state = fold(table, papers[:-1], keys) if len(papers) > 1 else None
    place = (-1, None, entry.procedure) if state is None else (state.seq, state.head, state.procedure)
    if (entry.seq - 1, entry.previous, entry.procedure) != place:
        _nobody("The last entry does not claim to stand after the others.")
    try:
        follow(table, state, papers[-1], keys)
    except InputRefused as broken:
        if broken.code not in ("ledger-follow", "procedure-charter"):
            raise
        return entry.procedure, _convener(entry.origin)
    _nobody("The last entry follows; nobody is convicted.")


def _false_standing(papers: list[bytes], keys: Keys, tables: Mapping[str, Table]) -> Found:
    said = open_standing(papers[0], keys)
    state = fold(_table(papers[1], keys, tables), papers[1:], keys)
    if (state.procedure, state.seq, state.head) != (said.procedure, said.head_seq, said.head):
        _nobody("The entries do not end at the head that the standing names.")
    if canonical(state.as_json()) == canonical(dict(said.state)):
        _nobody("The standing shows the state that the entries fold to.")
    return said.procedure, _convener(said.origin)


def _two_acts(papers: list[bytes], keys: Keys, tables: Mapping[str, Table]) -> Found:
    a, b = (claimed_act(paper) for paper in _two(papers))
    if (a.procedure, a.by, a.n) != (b.procedure, b.by, b.n) or a.digest == b.digest or a.procedure is None:
        _nobody("The two acts can both stand; nobody is convicted.")
    for paper in papers:
        open_act(paper, keys.get(a.by, {}))
    return a.procedure, frozenset({a.by})


def _two_elections(papers: list[bytes], keys: Keys, tables: Mapping[str, Table]) -> Found:
    (a, first), (b, second) = (open_entry(paper, keys) for paper in _two(papers))
    # A handing over names another log than the one it stands in; an election names its own.
    elects = all(("convener", entry.origin) in entry.effect for entry in (a, b))
    if not elects or (a.procedure, a.seq, a.previous) != (b.procedure, b.seq, b.previous) or a.origin == b.origin:
        _nobody("These are not two elections for one place.")
    if not first & second:
        _nobody("Nobody signed both elections.")
    return a.procedure, first & second


def _two(papers: list[bytes]) -> tuple[bytes, bytes]:
    if len(papers) != 2:
        _nobody("This fault is shown by two papers.")
    return papers[0], papers[1]


def _act_of(entry: Entry) -> str:
    return claimed_act(entry.act).digest


def _convener(origin: str) -> frozenset[str]:
    return frozenset({parse_origin(origin)[0]})


def _table(first: bytes, keys: Keys, tables: Mapping[str, Table]) -> Table:
    entry, _ = open_entry(first, keys)
    table = tables.get(str(claimed_act(entry.act).open.get("table")))
    if table is None:
        _nobody("The state table of this ledger is not at hand; get it and check again.")
    return table


_CHECKS: Final[Mapping[str, Callable[[list[bytes], Keys, Mapping[str, Table]], Found]]] = {
    "fork": _fork,
    "two-promises": _two_promises,
    "promise-broken": _promise_broken,
    "promise-changed": _promise_changed,
    "back-dated": _back_dated,
    "not-following": _not_following,
    "false-standing": _false_standing,
    "two-acts": _two_acts,
    "two-elections": _two_elections,
}
