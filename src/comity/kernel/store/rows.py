"""What a node keeps, as frozen rows; the memory store holds them as they are, the SQL adapter makes its tables from them.

A row type says its key and its indexes by `table`. Columns are int, str or bytes, or one of these or None; instants are
integer microseconds, JSON is canonical bytes. Nothing that decided is updated in place: validity is kept in columns such as
`since` and `ended`, each written once. Adding a kind of thing to the store means adding a class here, and nothing else.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, TypeVar

R = TypeVar("R")

SCHEMA: Final = 1
"""Version of this schema; `OLDEST_READER` is the oldest release that can still read it."""
OLDEST_READER: Final = 1


@dataclass(frozen=True, slots=True)
class Table:
    """How a row type is kept: its name, key columns in order, and further indexes; `unique` ones hold each value once."""

    name: str
    key: tuple[str, ...]
    indexes: tuple[tuple[str, ...], ...] = ()
    unique: tuple[tuple[str, ...], ...] = ()


TABLES: Final[dict[type[Any], Table]] = {}


def table(
    name: str,
    *,
    key: tuple[str, ...],
    indexes: tuple[tuple[str, ...], ...] = (),
    unique: tuple[tuple[str, ...], ...] = (),
) -> Callable[[type[R]], type[R]]:
    """Register a row type (a frozen slotted dataclass) with its key and indexes."""

    def register(row: type[R]) -> type[R]:
        TABLES[row] = Table(name, key, indexes, unique)
        return row

    return register


# --- the node itself


@table("setting", key=("name",))
@dataclass(frozen=True, slots=True)
class Setting:
    """A fact of the node: party id, incarnation, schema, the log's origin instant, heads. `value` is JSON."""

    name: str
    value: bytes


@table("officer", key=("id",), unique=(("token",),))
@dataclass(frozen=True, slots=True)
class Officer:
    """A person acting for the party. `token` is the SHA-256 of the token, hex; `roles` are space-separated words."""

    id: str
    name: str
    roles: str
    token: str
    since: int
    ended: int | None


@table("mandate", key=("id",))
@dataclass(frozen=True, slots=True)
class MandateRow:
    """A mandate of an officer of ours. `body` is its canonical form, whose SHA-256, `digest` (hex), acts commit to.

    `second` is who confirmed it and `confirmed` when, where a second officer had to; until then it gives nothing. `ended` is when
    it was ended before its time and `ender` by whom. What the body says of officer, time and giver stands there alone.
    """

    id: str
    body: bytes
    digest: str
    second: str | None
    confirmed: int | None
    ended: int | None
    ender: str | None


@table("reader", key=("token",), indexes=(("party",),))
@dataclass(frozen=True, slots=True)
class Reader:
    """A token with which another party (or a tool of ours, `party` our own id) reads over TAXII or REST."""

    token: str
    party: str
    name: str
    since: int
    ended: int | None


@table("audit", key=("n",), indexes=(("at",),))
@dataclass(frozen=True, slots=True)
class Audit:
    """One row a deed or batch: who did what when. `detail` is JSON."""

    n: int
    at: int
    officer: str
    deed: str
    detail: bytes


# --- objects


@table("version", key=("n",), indexes=(("id", "modified"), ("type", "n"), ("digest",)))
@dataclass(frozen=True, slots=True)
class Version:
    """One copy of one version of an object, as it came.

    `raw` are the received bytes, `sha256` of them; `same` is SHA-256 of the RFC 8785 bytes and never leaves the node.
    `modified` is the version instant, or -1 for an object without one. `digest`, `seal` and `disclosure` are those it came
    under or was sealed with at first release. `original` is what `raw` was made from, where it was converted.
    """

    n: int
    id: str
    type: str
    modified: int
    raw: bytes
    sha256: bytes
    same: bytes
    digest: bytes | None
    seal: bytes | None
    disclosure: bytes | None
    original: bytes | None


@table("sealing", key=("version",))
@dataclass(frozen=True, slots=True)
class Sealing:
    """What our own seal over a version was made with: the seed stays here; `source` opens the salted commitment of origin."""

    version: int
    seed: bytes
    source: bytes


@table("anonymous", key=("object", "title"), unique=(("id",),))
@dataclass(frozen=True, slots=True)
class Anonymous:
    """The id under which an object goes where a clause hides its source: one for each object and title. `created` is its own."""

    object: str
    title: str
    id: str
    created: int


@table("stand_in", key=("version",), indexes=(("original",),))
@dataclass(frozen=True, slots=True)
class StandIn:
    """A version of ours that stands in for another one, the `original`, under a title that hides its source."""

    version: int
    original: int
    title: str


@table(
    "holding",
    key=("h",),
    indexes=(("object",), ("version",), ("cls", "h"), ("batch",), ("custodian", "h"), ("embargo",), ("expiry",)),
)
@dataclass(frozen=True, slots=True)
class Holding:
    """One version as it came: from whom, under which title and terms, in which class.

    `title` None and `custodian` our own id: first hand. `embargo` and `expiry` are instants: not before, not at or after.
    `terms` is JSON of what travelled with it. `ended` is when it was recalled or superseded by a re-classed holding.
    """

    h: int
    object: str
    version: int
    custodian: str
    title: str | None
    batch: int
    cls: int
    embargo: int | None
    expiry: int | None
    terms: bytes | None
    view: str
    at: int
    ended: int | None


@table("class", key=("c",), unique=(("key",),))
@dataclass(frozen=True, slots=True)
class Class:
    """All holdings with equal facets; `facets` is JSON."""

    c: int
    key: bytes
    facets: bytes


@table("reference", key=("version", "path", "target"), indexes=(("target",),))
@dataclass(frozen=True, slots=True)
class Reference:
    """A reference in a version: its path, the top-level property it stands in, whether STIX requires it. `kind` as the model says."""

    version: int
    path: str
    target: str
    property: str
    kind: str
    required: int


@table("value", key=("value", "version"), indexes=(("version",),))
@dataclass(frozen=True, slots=True)
class Value:
    """A searchable value of a version, lower case."""

    value: str
    version: int


@table("batch", key=("b",), indexes=(("digest",), ("done", "touched")))
@dataclass(frozen=True, slots=True)
class Batch:
    """One import or one delivery taken in: where it came from and how far it got, so that an interrupted one continues.

    `digest` names the input (SHA-256 of its bytes, or of its name where it cannot be read twice) with its handling.
    `touched` is when it last took something in. While `done` is 0 nothing that it brought goes to anybody.
    `moved` is a JSON list of versions of other batches whose class changed by what this one brought.
    """

    b: int
    name: str
    format: str
    digest: str
    officer: str
    at: int
    taken: int
    done: int
    counts: bytes
    touched: int
    moved: bytes = b"[]"


@table("refused", key=("batch", "place"))
@dataclass(frozen=True, slots=True)
class Refused:
    """An object of a batch that was not taken in: where it stood, its id as far as it could be read, and why."""

    batch: int
    place: str
    object: str
    code: str
    sentence: str
    raw: bytes


@table("handling", key=("s",), indexes=(("target",),))
@dataclass(frozen=True, slots=True)
class HandlingRow:
    """What an officer stated for a batch (``batch:7``) or an object id; `envelope` is the signed statement."""

    s: int
    target: str
    envelope: bytes
    at: int


# --- files that objects refer to


@table("file", key=("root",), indexes=(("touched",),))
@dataclass(frozen=True, slots=True)
class FileRow:
    """A file whose bytes are kept in chunks, or were: `root` is that of the tree over its chunks, hex, `size` in bytes.

    `leaves` are the leaves of the chunks that are here, 32 bytes each, in order; `whole` is 1 once all are and fit `sha256`. `touched` is
    when a chunk last came; `erased` when its bytes were taken out for good: then digest, size and root stay.
    """

    root: str
    sha256: str
    size: int
    leaves: bytes
    whole: int
    touched: int
    erased: int | None


@table("chunk", key=("file", "n"))
@dataclass(frozen=True, slots=True)
class Chunk:
    """One chunk of a file; `n` counts from 0."""

    file: str
    n: int
    data: bytes


@table("attachment", key=("object", "file"), indexes=(("file",),))
@dataclass(frozen=True, slots=True)
class Attachment:
    """That the bytes of a file are kept, or being fetched, for an artifact: since when, until when (None: still), and why no longer.

    Bytes are kept once however many artifacts refer to them; each artifact is decided, opened and disposed of by itself. `giver` is
    the party that gives them (our own id for a file of ours), `hand` its act that hands them over, empty before it came.
    """

    object: str
    file: str
    at: int
    ended: int | None
    why: str
    giver: str
    hand: bytes


@table("handed", key=("party", "n"), indexes=(("act",),))
@dataclass(frozen=True, slots=True)
class Handed:
    """A file handed to a party under row `n` of its objects stream: the act that says so, and how many chunks it asked for so far.

    `disposal` is JSON: the party's signed word that it keeps it under this title no longer; None while it has said no such thing.
    """

    party: str
    n: int
    object: str
    file: str
    act: str
    upto: int
    at: int
    disposal: bytes | None


# --- parties and agreements


@table("party", key=("id",), indexes=(("name",),))
@dataclass(frozen=True, slots=True)
class Party:
    """A party we know: the newest card we accept, and how its fingerprint was verified (None: not yet)."""

    id: str
    name: str
    kind: str
    country: str
    card: bytes
    serial: int
    fingerprint: str
    verified: bytes | None


@table("card", key=("party", "serial"))
@dataclass(frozen=True, slots=True)
class CardRow:
    """Each card of a party, in order: the chain."""

    party: str
    serial: int
    envelope: bytes
    at: int


@table("agreement", key=("digest",))
@dataclass(frozen=True, slots=True)
class AgreementRow:
    """An agreement we know of: its signed form (canonical JSON) and a title to show."""

    digest: str
    title: str
    form: bytes
    at: int


@table("instrument", key=("digest",), indexes=(("agreement", "kind"),))
@dataclass(frozen=True, slots=True)
class Instrument:
    """A signed paper of an agreement's life: signature, epoch, renewal, accession, suspension, withdrawal."""

    digest: str
    kind: str
    agreement: str
    party: str
    number: int
    at: int
    envelope: bytes


# --- decisions and streams


@table("grant", key=("cls", "party", "since"), indexes=(("party", "cls"),))
@dataclass(frozen=True, slots=True)
class Grant:
    """What was decided for a class and a party, from `since` until `ended` (None: it stands). `outcome` is JSON."""

    cls: int
    party: str
    since: int
    ended: int | None
    outcome: bytes


@table("job", key=("j",))
@dataclass(frozen=True, slots=True)
class Job:
    """A party's stream that is yet to be brought up to date, in small transactions; the row goes when that is done.

    `what` is JSON: ``{"batch": b}`` for what an import brought, ``{"classes": [c, ...]}`` for classes that became releasable.
    """

    j: int
    party: str
    what: bytes
    at: int


@table("approval", key=("a",), indexes=(("object", "party"), ("until",)))
@dataclass(frozen=True, slots=True)
class Approval:
    """One officer's word that one version may go to one party under one title, until an instant."""

    a: int
    object: str
    version: int
    party: str
    title: str
    view: str
    officer: str
    reason: str
    at: int
    until: int | None
    ended: int | None


@table("stream", key=("party", "n"), indexes=(("party", "object", "n"), ("holding", "party"), ("party", "added")))
@dataclass(frozen=True, slots=True)
class StreamRow:
    """One row of a party's objects stream: what it was given under which title, or the tombstone that takes it back.

    `hidden` is JSON: references the view leaves out, by path. `ended` is the n of the row that replaced or withdrew this one.
    `added` is TAXII's date_added. `replaces` is the n of the row this one stands for instead, or None.
    """

    party: str
    n: int
    kind: str
    object: str
    version: int
    holding: int
    title: str
    view: str
    hidden: bytes
    terms: bytes
    at: int
    added: int
    replaces: int | None
    ended: int | None


@table("control", key=("party", "n"))
@dataclass(frozen=True, slots=True)
class ControlRow:
    """One row of a party's control stream: instruments, epochs, renewals, receipts, tombstones. `body` is the message, JSON."""

    party: str
    n: int
    kind: str
    body: bytes
    at: int


@table("delivery", key=("party", "act"), indexes=(("party", "last"),))
@dataclass(frozen=True, slots=True)
class Delivery:
    """A page handed over: rows `first` to `last` of the objects stream under one act; `receipt` is the receiver's signed answer."""

    party: str
    act: str
    first: int
    last: int
    page: bytes
    at: int
    receipt: bytes | None


@table("received", key=("party", "n"), indexes=(("holding",),))
@dataclass(frozen=True, slots=True)
class Received:
    """What a peer's row n became here: a holding, a tombstone carried out, or a refusal with its code."""

    party: str
    n: int
    act: str
    holding: int | None
    code: str | None
    sentence: str | None


@table("answer", key=("delivery",))
@dataclass(frozen=True, slots=True)
class Answer:
    """Our receipt for a delivery: the digest of the receive act; the same delivery is answered with the same receipt."""

    delivery: str
    party: str
    act: str
    taken: int


@table("peer", key=("party",))
@dataclass(frozen=True, slots=True)
class Peer:
    """How we reach a party and how far we are.

    `control` and `objects` are the n we took of its streams for us, `receipted` the n of our objects stream up to which we hold
    its receipts, `acknowledged` the n of our control stream it says it has. `seen` is when it last answered.
    """

    party: str
    url: str
    control: int
    objects: int
    receipted: int
    acknowledged: int
    seen: int
    attempts: int
    next: int
    error: str | None
    dead: int


@table("status", key=("id",), indexes=(("party", "added"),))
@dataclass(frozen=True, slots=True)
class Status:
    """A TAXII status resource: the answer to one POST; `body` is JSON."""

    id: str
    party: str
    added: int
    body: bytes


@table("submission", key=("party", "object", "version"), indexes=(("party", "added"),))
@dataclass(frozen=True, slots=True)
class Submission:
    """An object a reader posted into `inbox` or `own`, visible to that reader there. `version` is our version number."""

    party: str
    object: str
    version: int
    collection: str
    added: int
    ended: int | None


# --- the record


@table("act", key=("digest",), unique=(("tick", "place"),), indexes=(("to", "seq"), ("at",)))
@dataclass(frozen=True, slots=True)
class ActRow:
    """A signed deed of ours and its place in the log; `digest` is SHA-256 of the envelope, hex."""

    digest: str
    kind: str
    to: str
    seq: int
    at: int
    tick: int
    place: int
    salt: bytes
    envelope: bytes
    officers: bytes


@table("tick", key=("tick",))
@dataclass(frozen=True, slots=True)
class TickRow:
    """A closed tick: the root of its tree, which is the outer leaf."""

    tick: int
    root: bytes


@table("tile", key=("level", "index"))
@dataclass(frozen=True, slots=True)
class Tile:
    """A tile of the outer log: up to 256 hashes of 32 bytes."""

    level: int
    index: int
    hashes: bytes


@table("checkpoint", key=("origin", "size"))
@dataclass(frozen=True, slots=True)
class CheckpointRow:
    """A checkpoint of ours or of a peer, as it was signed; `party` is whose log, `seen` when we first held it."""

    origin: str
    size: int
    party: str
    note: bytes
    seen: int


@table("promise", key=("origin", "tick", "place", "act"), indexes=(("act",),))
@dataclass(frozen=True, slots=True)
class PromiseRow:
    """A promise a peer made us for an act; `proof` once it was kept."""

    origin: str
    tick: int
    place: int
    act: str
    envelope: bytes
    at: int
    proof: bytes | None


@table("evidence", key=("digest",))
@dataclass(frozen=True, slots=True)
class Evidence:
    """Proof that a party broke the record: a fork, two promises for one place. JSON, verifiable by others."""

    digest: str
    party: str
    kind: str
    body: bytes
    at: int


@table("nonce", key=("keyid", "nonce"), indexes=(("expires",),))
@dataclass(frozen=True, slots=True)
class Nonce:
    """A nonce a peer has used; it outlives kill -9, until the request would have expired."""

    keyid: str
    nonce: str
    expires: int


# --- publications


@table("publication", key=("id", "version"), indexes=(("standing", "due"),))
@dataclass(frozen=True, slots=True)
class Publication:
    """An object of ours that is to be public from an instant on. Until then it stands in no other row.

    `raw` is the finished object, `version` its version instant, `digest` the SHA-256 of `raw`, hex. `handling` and `kinds` are JSON:
    what is stated of it, and the extension definitions it needs. `due` is the appointed instant, `until` the last at which it goes by
    itself. `standing` is ``waiting``, ``go``, ``hold``, ``withdrawn``, ``published`` or ``proved``; `officer`, `since` and `note` say
    whose word that is, since when and why. `act` is the digest of the act and `at` its instant; `record` is the public proof.
    """

    id: str
    version: int
    raw: bytes
    digest: str
    handling: bytes
    kinds: bytes
    case: str | None
    due: int
    until: int | None
    standing: str
    officer: str
    since: int
    note: str
    act: str | None
    at: int | None
    record: bytes | None


# --- cases: procedures several parties run together


@table("case", key=("id",), indexes=(("outcome", "due"),))
@dataclass(frozen=True, slots=True)
class CaseRow:
    """A procedure we convene or take part in. `table` is its state table, JSON; `due` is when the node looks at it again by itself.

    `outcome` is None while it runs. `role` is ``convener`` or ``participant``.
    """

    id: str
    title: str
    table: bytes
    role: str
    at: int
    due: int
    outcome: str | None


@table("case_entry", key=("case", "seq"))
@dataclass(frozen=True, slots=True)
class CaseEntry:
    """One entry of a case's ledger that follows the one before it, and when it came here."""

    case: str
    seq: int
    envelope: bytes
    came: int


@table("case_paper", key=("case", "digest"), indexes=(("case", "kind", "n"),))
@dataclass(frozen=True, slots=True)
class CasePaper:
    """Another paper of a case: a promise, a standing, an act heard of, an entry that waits, a draft to be signed, a share,
    evidence. `digest` is the SHA-256 of the bytes, hex; `n` counts the papers of a case."""

    case: str
    digest: str
    kind: str
    n: int
    envelope: bytes
    came: int


@table("case_content", key=("case", "act"))
@dataclass(frozen=True, slots=True)
class CaseContent:
    """The content of an act as we made it or were shown it: with the salt it opens the commitment in the act (`act`: its digest).

    `behind` is JSON and ours alone: the salt, officers and reason behind an act of ours; empty for another party's.
    """

    case: str
    act: str
    salt: bytes
    content: bytes
    behind: bytes


@table("case_secret", key=("case", "name"))
@dataclass(frozen=True, slots=True)
class CaseSecret:
    """What of a case stays with us until it is opened: the key of our seat, what opens our own position. Never leaves the node."""

    case: str
    name: str
    secret: bytes
