"""The doctor: does what the node holds agree with itself? Everything that is kept is read again, and what is derived is made again.

Nothing is repaired: what is wrong is named, so that an officer can restore it from a backup or ask its sender again. What is
examined, table by table (docs/tables.md says what each holds):

    setting     each name is one that is written; its value agrees with the rows, the cards and the checkpoints it speaks of
    officer     added and ended as the audit says; known roles
    mandate     the body is that of its digest; given, confirmed and ended as the audit and an act of ours say, by an administrator
    reader      added as the audit says
    audit       numbered without gaps, dated in order, canonical; what a deed left behind is there
    version     the bytes against their SHA-256, and what is noted of them against the bytes; the seal's signature by a key its
                party had then, and its commitment against the bytes
    sealing     the seed and the source open our own seal
    anonymous   what stands in under the id was first made when it says
    stand_in    the id is that of its original and title, and so is the original that the seal commits to
    holding     of its version, from a known party under a clause that is here; a live one in the class, with the embargo and end,
                that markings, handlings and terms give now; one that ended has what took its place
    class       its key is that of its facets
    reference   made again from the bytes
    value       made again from the bytes
    file        a whole one has the root, size and SHA-256 of its chunks; an erased one has none, since the audit says so
    chunk       against the leaf its file notes of it, none missing
    attachment  of an artifact that is here and names the file; kept and ended when the audit says, under the giver's act
    handed      under a row of the party's stream, as the act of ours says; the party's word of disposal is its own
    batch       its counts add up and are those of the audit; the officer's statement, the delivery or the status it came with
    refused     of a batch, for a known reason, no more than the batch counted
    handling    signed by a node key of ours, about the target it is filed under, when it says
    party       as its newest card says; verified as the audit says
    card        each party's cards form a chain, kept when the audit says
    agreement   the digest is that of the form, texts and data agree, the papers of its life can be read
    instrument  signed by its party, as it is filed; an epoch that counts has the signatures it needs
    grant       what stands is what is decided now; none twice at a time
    job         for a party, a batch and classes that are here
    approval    as an act of ours says, with the officer and reason the act commits to
    stream      numbered without gaps, replaced in order, of holdings that are here; what stands is what the plan of now gives
    control     numbered without gaps; each paper under the act that commits to it, with its salt and promise
    delivery    the rows are those the act commits to, under the seals that are kept; the receipt is the receiver's
    received    each row became what our answer says, from that party, under its title
    answer      as our act says
    peer        how far we are is what deliveries, receipts and answers say
    status      its counts add up; of what that party handed in
    submission  held from the party that handed it in; taken out when the audit says
    act         signed by us, chained, in the tick of its instant; committed to by the leaf of its tick; its officers open
    tick        nothing writes it; a row that is there is the leaf of its tick
    tile        every leaf made again, every full tile against the hash above it, none too many
    checkpoint  signed by the log key of its party; those of our own log against the leaves before them
    promise     signed by the log key of its party, as it is filed; a proof that is kept still proves it
    evidence    still convicts, kept when the audit says
    nonce       of a node key of a known party
    publication as the audit says it was put; its bytes; what is public against its act, seal and proof
    case        its entries are folded anew and lead to what is noted
    case_entry  of a case that is here, none missing; signed, and following each other
    case_paper  of a case that is here, none missing; the bytes are those that came
    case_content
                opens what an act that is here commits to; whom it says stood behind an act of ours is whom the act commits to
    case_secret of a case that is here

Columns of which nothing else that is kept could tell a change stand in `UNTOLD`, tables that are looked at as a whole in
`UNEXAMINED`, each with the reason. Whoever can write to the folder
can also use its keys: what the doctor shows is damage and clumsy hands; what peers hold of our log shows the rest.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from comity.kernel.errors import Unavailable
from comity.kernel.store.rows import (
    ActRow,
    Audit,
    Batch,
    CardRow,
    CaseContent,
    CaseEntry,
    CasePaper,
    CaseRow,
    CaseSecret,
    CheckpointRow,
    ControlRow,
    FileRow,
    Grant,
    Handed,
    Holding,
    Instrument,
    Job,
    Nonce,
    Officer,
    Party,
    Peer,
    PromiseRow,
    Reader,
    Received,
    Refused,
    Setting,
    Status,
    Submission,
    Version,
)
from comity.node.context import Node
from comity.node.examining import cases, files, given, mandates, objects, parties, publications, record
from comity.node.examining.look import BROKEN, Finding, Look, reason

__all__ = ["UNEXAMINED", "UNTOLD", "Finding", "examine"]

_OURS: Final = "our clock when it came; nothing else notes that instant, which only has to lie in its order"

UNTOLD: Final[Mapping[type[Any], Mapping[str, str]]] = {
    Officer: {"token": "the hash of a token that only the officer has"},
    Reader: {"token": "the hash of a token that only the reader has"},
    Audit: {
        "deed": "of deeds that leave nothing behind, the audit alone says what they were",
        "officer": "of deeds that leave nothing signed, the audit alone says who did them",
        "detail": "of deeds that leave nothing behind, the audit alone says what they were",
        "at": _OURS,
    },
    Version: {"original": "what the bytes were made from is kept without a digest"},
    Holding: {
        "batch": "where two batches said the same of one object, either could stand there",
        "embargo": "of a holding that ended, what counted then is not worked out again",
        "expiry": "of a holding that ended, what counted then is not worked out again",
        "at": _OURS,
    },
    Batch: {
        "name": "of what was handed in or is not finished, the batch alone has the name",
        "format": "the batch alone says which reader was used",
        "digest": "the input itself is not kept",
        "touched": _OURS,
        "moved": "which versions moved shows in no row of theirs",
    },
    Refused: {
        "place": "what was refused is kept as the file had it, with no digest",
        "object": "what was refused is kept as the file had it, with no digest",
        "sentence": "what was refused is kept as the file had it, with no digest",
        "code": "another known code could stand there",
        "raw": "what was refused is kept as the file had it, with no digest",
    },
    Party: {
        "kind": "of a party without a card, the officer's word alone",
        "country": "of a party without a card, the officer's word alone",
    },
    ActRow: {"officers": "an act that no officer decided commits to none, and to no reason"},
    Setting: {"value": "of cursors and of what peers said of themselves, nothing else is kept"},
    Status: {"body": "what it says of single objects is kept nowhere else"},
    CardRow: {"at": "cards that came together are told apart by nothing else"},
    Instrument: {"at": _OURS},
    FileRow: {"touched": _OURS},
    Handed: {"upto": "how far a party asked for a file, it alone knows besides"},
    Grant: {
        "cls": "what was decided before is kept, and not decided again",
        "since": "what was decided before is kept, and not decided again",
        "ended": "what was decided before is kept, and not decided again",
        "outcome": "what was decided before is kept, and not decided again",
    },
    Job: {"j": "a number in a queue from which rows are taken", "at": _OURS},
    ControlRow: {"at": "of a tombstone, no act notes the instant"},
    Peer: {
        "url": "the address an officer noted; a wrong one is not answered by the party's key",
        "control": "what we took of a peer's control stream is not kept as it came",
        "receipted": "one too low is asked for again, and does no harm",
        "acknowledged": "the peer's word at its last contact",
        "seen": _OURS,
        "attempts": "how calling it went lately",
        "next": "how calling it went lately",
        "error": "how calling it went lately",
        "dead": "how calling it went lately",
    },
    Received: {"code": "of a row taken back later, the peer's item is not kept", "sentence": "as its code"},
    Submission: {"added": "a date of our own for one reader; it only has to be later than the one before"},
    CheckpointRow: {"seen": _OURS},
    PromiseRow: {"at": _OURS},
    Nonce: {"nonce": "the sender alone knows which it used", "expires": "the sender alone knows what it wrote"},
}
"""Columns of which, in some or all rows, nothing else that is kept could tell a small change, and why."""

_FOLDED: Final = (
    "a case is folded as a whole: what is wrong in one of its rows names the case, and not the row and column"
)

UNEXAMINED: Final[Mapping[type[Any], str]] = {
    CaseRow: _FOLDED,
    CaseEntry: _FOLDED,
    CasePaper: _FOLDED,
    CaseContent: _FOLDED,
    CaseSecret: "a key or a salt that only this node knows",
}
"""Tables of which the doctor does not name row and column, and why."""

SECTIONS: Final[tuple[tuple[str, Callable[[Look], Iterator[Finding]]], ...]] = (
    ("settings", parties.settings),
    ("officers", parties.officers),
    ("mandates", mandates.mandates),
    ("readers", parties.readers),
    ("cards", parties.cards),
    ("parties", parties.parties),
    ("agreements", parties.agreements),
    ("instruments", parties.instruments),
    ("classes", objects.classes),
    ("objects", objects.objects),
    ("holdings", objects.holdings_in_order),
    ("batches", objects.batches),
    ("refusals", objects.refusals),
    ("handlings", objects.handlings),
    ("stand-ins", objects.stand_ins),
    ("submissions", objects.submissions),
    ("files", files.files),
    ("attachments", files.attachments),
    ("handed", files.handed),
    ("statuses", given.statuses),
    ("acts", record.acts),
    ("log", record.log),
    ("ticks", record.ticks),
    ("checkpoints", record.checkpoints),
    ("promises", record.promises),
    ("evidence", record.evidence),
    ("nonces", record.nonces),
    ("approvals", given.approvals),
    ("grants", given.grants),
    ("jobs", given.jobs),
    ("streams", given.streams),
    ("control", given.control),
    ("deliveries", given.deliveries),
    ("received", given.received),
    ("answers", given.answers),
    ("peers", given.peers),
    ("publications", publications.publications),
    ("cases", cases.cases),
    ("audit", parties.audit),
    ("decisions", given.decided),
)
"""What is examined, in order; each part goes on where another cannot."""


def examine(node: Node, progress: Callable[[int], None] | None = None) -> Iterator[Finding]:
    """Check everything that can be checked without asking anybody; memory stays bounded, whatever is kept.

    Args:
        progress: Told from time to time how many rows were looked at.

    Raises:
        Unavailable: the store cannot be read now.
    """
    with node.store.read() as tx:
        look = Look.over(node, tx, progress)
        for name, section in SECTIONS:
            try:
                yield from section(look)
            except Unavailable:
                raise
            except BROKEN as broken:
                yield Finding(name, f"The {name} cannot be examined to the end: {reason(broken)}")
