"""Positions committed first and opened together; openable by m of n trustees when an author refuses.

A party states its position in a round of a procedure (an assessment, a vote, a text) without seeing the others' and
without showing its own. What it signs then, its commitment, goes to all:

    digest   bind(salt16, "comity/position/1", {author, position, procedure, round})          kernel/seal/secrecy.py
    sealed   ChaCha20-Poly1305 (RFC 8439) of salt ‖ u32 length ‖ JCS(position) ‖ zeros up to a bucket, under a key of
             32 bytes that is used once, nonce of twelve zero bytes, bound to procedure, round and author as well
    key      SHA-256(0x00 ‖ "comity/position-key/1" ‖ JCS([procedure, round, author]) ‖ key)
    shares   a hash of each trustee's share of that key
    rules    the SHA-256 of the round: who is due, who the trustees are, the threshold, the instants

Because author, procedure and round stand in all of these, a commitment that another party copies can be opened by
nobody as that party's, and one that is moved to another round is refused. A copy is not refused when it comes: who
copied whom cannot be told, and a copy sent first would shut out the original. The cipher alone does not commit to a key
(two keys may open one ciphertext to two texts); `key` and `digest` do.

The key is divided by Shamir's scheme (1979) byte by byte over GF(256): with fewer than m shares every key remains
possible. Trustee number x of the round, from 1, holds the value at x. The author itself holds no share of its own key.
Each share is given to its trustee in a paper that the author signed (`position-deal`); encrypting that paper to the
trustee is the transport's business, and everything below fails if the transport shows it to others.

Why a hash for each share, and not Feldman's or Pedersen's commitments: hashes need no group arithmetic of our own
(`cryptography` offers none), stay good against a quantum computer, and a reader checks them with SHA-256 alone. They
show at once that a share is not the one that was dealt, and whose word that is. What they do not show before the opening
is that the dealt shares lie on one polynomial. That shows when shares are combined, and then it convicts the author by
papers that anybody can check (`bad-dealing`). Where more than m shares are released, other sets of m are tried, so one
false share among good ones does not stop the opening.

Said plainly, what this does not protect from: m trustees who collude read early, and nobody sees it; a trustee that
stays silent is named but not convicted, since silence proves nothing; that m trustees hold good shares is known only
from their signed word (`acknowledge`), so a procedure should count a commitment as openable from then on; whoever gets
the bytes of author's secret reads it. Secrecy of the shares rests on SHA-256 too, since their hashes are public. Python
takes no constant time; keep attackers off the machine that deals.

A false word is shown by `Evidence`, which anybody who knows the round and the parties' keys can check. Nothing is ever
guessed: a position that was not opened is shown as that.

Source: design.md section 5, Procedure; trust.md section 5 and threat 21; docs/formats/positions.md; ADR 0012.
"""

from __future__ import annotations

import hmac
from binascii import Error as Base64Error
from binascii import a2b_base64, b2a_base64
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from itertools import combinations, islice
from typing import Any, Final, Literal, get_args

import orjson
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from comity.kernel.errors import ComityError, InputRefused, NotAllowed, SealBroken, Usage
from comity.kernel.model import instants
from comity.kernel.model.instants import Instant
from comity.kernel.procedure.shamir import interpolate, value_at
from comity.kernel.seal import dsse
from comity.kernel.seal.canonical import canonical
from comity.kernel.seal.keys import PublicKey, SigningKey
from comity.kernel.seal.secrecy import bind

FORM: Final = 1
BUCKETS: Final = (1 << 10, 1 << 12, 1 << 14, 1 << 16, 1 << 18)
"""What is encrypted has one of these lengths in bytes; a reader learns the bucket and no more of the length."""
MOST_POSITION: Final = BUCKETS[-1] - 20
"""The longest position: bytes of its RFC 8785 form. Salt and length take the other twenty."""
MOST_TRUSTEES: Final = 255
MOST_SETS: Final = 1024
"""So many sets of m shares are tried at most when an author dealt false ones, in the order of the trustees."""

_POSITION: Final = "comity/position/1"
_KEY: Final = b"\x00comity/position-key/1"
_SHARE: Final = b"\x00comity/position-share/1"
_SEALED: Final = b"comity/position-sealed/1"
_NONCE: Final = bytes(12)  # RFC 8439 §2.8 asks for one nonce a key once; each key is used once

COMMITMENT_KIND: Final = "position-commitment"
OPENING_KIND: Final = "position-opening"
DEAL_KIND: Final = "position-deal"
HOLDING_KIND: Final = "position-holding"
SHARE_KIND: Final = "position-share"

Keys = Mapping[str, Mapping[str, PublicKey]]
"""Party id to the keys (by keyid) with which that party may sign in this procedure; the caller knows their validity."""

Misdeed = Literal["rival-commitments", "false-opening", "false-deal", "bad-dealing", "false-share", "early-share"]
MISDEEDS: Final[Mapping[Misdeed, str]] = {
    "rival-commitments": "signed two different commitments for one round",
    "false-opening": "signed an opening that is not what it committed to",
    "false-deal": "gave a trustee another share than the one it committed to",
    "bad-dealing": "committed to shares that do not give what it committed to",
    "false-share": "signed another share than the one it was given",
    "early-share": "signed a share before its instant",
}
"""What a party can be convicted of, as the end of a sentence about it."""

State = Literal["awaited", "not-committed", "committed", "not-opened", "opened", "opened-by-trustees", "badly-dealt"]


# ---------------------------------------------------------------- the round


@dataclass(frozen=True, slots=True)
class Round:
    """One round of positions, as the procedure's rules fix it; every commitment names its digest.

    Args:
        procedure: The id of the procedure.
        number: From 1.
        due: The parties that have to commit, each once.
        trustees: Who gets shares, each once, at most 255; they may be the parties themselves. The place is the number.
        threshold: How many shares open: at least 2 (one would let each trustee read at once), and no more than there
            are trustees beside any author.
        closes: From this instant on commitments are late.
        shares_from: From this instant on trustees release shares of what its author has not opened; not before
        `closes`.

    Raises:
        Usage: `position-round`.
    """

    procedure: str
    number: int
    due: tuple[str, ...]
    trustees: tuple[str, ...]
    threshold: int
    closes: Instant
    shares_from: Instant
    digest: str = field(init=False)

    def __post_init__(self) -> None:
        fault = self._fault()
        if fault:
            raise Usage("position-round", f"This round of positions cannot be held: {fault}.")
        object.__setattr__(self, "digest", sha256(canonical(self.form())).hexdigest())

    def form(self) -> dict[str, Any]:
        """The round as JSON; its RFC 8785 bytes are what `digest` is the SHA-256 of."""
        return {
            "form": FORM,
            "procedure": self.procedure,
            "number": self.number,
            "due": list(self.due),
            "trustees": list(self.trustees),
            "threshold": self.threshold,
            "closes": instants.format(self.closes),
            "shares_from": instants.format(self.shares_from),
        }

    def trustees_of(self, author: str) -> tuple[str, ...]:
        """Who gets a share of this author's key: all trustees but itself."""
        return tuple(one for one in self.trustees if one != author)

    def place(self, trustee: str) -> int:
        """The number of a trustee, from 1: where the polynomial is evaluated for it."""
        return self.trustees.index(trustee) + 1

    def may_open(self, committed: Collection[str], at: Instant) -> bool:
        """Whether openings count: `committed` holds all who are due, or the round has closed by `at`."""
        return at >= self.closes or set(self.due) <= set(committed)

    def _fault(self) -> str | None:
        if not self.procedure or self.number < 1:
            return "it needs the id of its procedure and a number from 1"
        if not self.due or len(set(self.due)) != len(self.due):
            return "those who have to commit must be named, each once"
        if len(set(self.trustees)) != len(self.trustees) or len(self.trustees) > MOST_TRUSTEES:
            return f"its trustees must be named, each once, at most {MOST_TRUSTEES}"
        if self.threshold < 2:
            return "one trustee alone could read; ask for at least two shares"
        if self.threshold > min(len(self.trustees_of(author)) for author in self.due):
            return "an author would have fewer trustees beside itself than the threshold"
        if self.shares_from < self.closes:
            return "shares may not be released before it closes"
        return None


def read_round(form: object) -> Round:
    """A round from its JSON form, as the procedure's record carries it.

    Raises:
        InputRefused: `position-malformed`.
        Usage: `position-round`.
    """
    read: Any = form
    try:
        round = Round(
            read["procedure"],
            read["number"],
            tuple(read["due"]),
            tuple(read["trustees"]),
            read["threshold"],
            instants.parse(read["closes"]),
            instants.parse(read["shares_from"]),
        )
        if canonical(round.form()) == canonical(read):
            return round
    except (TypeError, KeyError, AttributeError, InputRefused):
        pass
    raise InputRefused("position-malformed", "This is no round of positions; ask who convened it for its form.")


# ---------------------------------------------------------------- values


@dataclass(frozen=True, slots=True)
class Secret:
    """What an author keeps until the opening: the position, the salt (16 bytes) and the key (32 bytes)."""

    position: Any = field(repr=False)
    salt: bytes = field(repr=False)
    key: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Dealing:
    """What `commit` makes: the envelope for all, the secret for nobody, and one signed paper for each trustee alone."""

    commitment: bytes
    secret: Secret = field(repr=False)
    deals: tuple[tuple[str, bytes], ...] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Committed:
    """A commitment whose signature and form held. `id` is the SHA-256 of what was signed, in hex."""

    author: str
    id: str
    digest: bytes
    key: bytes
    shares: tuple[tuple[str, bytes], ...]
    sealed: bytes = field(repr=False)
    envelope: bytes = field(repr=False)

    def share_of(self, trustee: str) -> bytes:
        """The 32-byte hash of this trustee's share.

        Raises:
            NotAllowed: `position-not-named`.
        """
        found = dict(self.shares).get(trustee)
        if found is None:
            raise NotAllowed("position-not-named", f"{trustee} holds no share of the position of {self.author}.")
        return found


@dataclass(frozen=True, slots=True)
class Share:
    """A share that is the committed one: 32 bytes, with the envelope it stands in; `at` only where it was released."""

    author: str
    trustee: str
    share: bytes = field(repr=False)
    envelope: bytes = field(repr=False)
    at: Instant | None = None


@dataclass(frozen=True, slots=True)
class Opened:
    """A position that is what was committed to. `by` is empty when its author opened it, else the trustees whose
    shares did. `evidence` convicts an author that dealt other trustees false shares."""

    author: str
    commitment: str
    position: Any
    salt: bytes
    by: tuple[str, ...] = ()
    evidence: tuple[Evidence, ...] = ()


@dataclass(frozen=True, slots=True)
class Evidence:
    """Papers that convict one party of one misdeed: the commitment concerned, and the other envelopes."""

    kind: Misdeed
    commitment: bytes
    papers: tuple[bytes, ...]

    def as_json(self) -> dict[str, Any]:
        """{form, kind, commitment, papers}; envelopes as text."""
        papers = [paper.decode() for paper in self.papers]
        return {"form": FORM, "kind": self.kind, "commitment": self.commitment.decode(), "papers": papers}


@dataclass(frozen=True, slots=True)
class Conviction:
    """What evidence shows: which party did what."""

    party: str
    kind: Misdeed
    sentence: str


@dataclass(frozen=True, slots=True)
class Shown:
    """One author's line in the table of a round. `position` is None unless the state is one of the two opened ones.

    `held` and `released` are the trustees that acknowledged a share, and that released it.
    """

    author: str
    state: State
    opened: Opened | None
    held: tuple[str, ...]
    released: tuple[str, ...]


# ---------------------------------------------------------------- committing


def randomness_needed(threshold: int) -> int:
    """How many random bytes `commit` takes: key 32, salt 16, and 32 for each further coefficient."""
    return 48 + 32 * (threshold - 1)


def commit(round: Round, author: str, position: Any, randomness: bytes, key: SigningKey) -> Dealing:
    """Commit to a position, and deal the key of its sealed copy to the round's trustees.

    Args:
        round: The round it is for.
        author: The committing party.
        position: Any JSON value; its RFC 8785 form has at most `MOST_POSITION` bytes.
        randomness: `randomness_needed(round.threshold)` bytes, fresh for every commitment and never used again.
        key: One of the author's signing keys.

    Raises:
        NotAllowed: `position-not-named` when the author is not due in this round.
        Usage: `seed-size`.
        InputRefused: `position-size`, `not-canonical`.
    """
    _check_due(round, author)
    if len(randomness) != randomness_needed(round.threshold):
        raise Usage("seed-size", f"A commitment in this round needs {randomness_needed(round.threshold)} random bytes.")
    secret = Secret(position, randomness[32:48], randomness[:32])
    coefficients = [randomness[at : at + 32] for at in range(48, len(randomness), 32)]
    dealt = [(one, value_at(round.place(one), secret.key, coefficients)) for one in round.trustees_of(author)]
    body = _head(round, author) | {
        "rules": round.digest,
        "digest": bind(secret.salt, _POSITION, _bound(round, author, position)).hex(),
        "sealed": b2a_base64(_seal(round, author, secret), newline=False).decode(),
        "key": _key_digest(round, author, secret.key).hex(),
        "shares": [{"trustee": one, "digest": _share_digest(round, author, one, v).hex()} for one, v in dealt],
    }
    name = sha256(canonical(body)).hexdigest()
    return Dealing(
        dsse.sign(COMMITMENT_KIND, body, [key]),
        secret,
        tuple(
            (
                one,
                dsse.sign(
                    DEAL_KIND,
                    _head(round, author) | {"commitment": name, "trustee": one, "share": share.hex()},
                    [key],
                ),
            )
            for one, share in dealt
        ),
    )


def commitment_id(envelope: bytes) -> str:
    """The id of a commitment, SHA-256 of what was signed, in hex; nothing is verified.

    Raises:
        SealBroken: as `dsse.unverified_body`.
    """
    return sha256(canonical(dsse.unverified_body(envelope, COMMITMENT_KIND)[0])).hexdigest()


def verify_commitment(
    round: Round, envelope: bytes, keys: Keys, *, arrived: Instant, already: Iterable[Committed] = ()
) -> Committed:
    """Take a commitment into a round.

    Args:
        round: The round it must be for.
        envelope: As it came.
        keys: Of the parties.
        arrived: When it came to whoever orders the procedure: not what its author says.
        already: The commitments that stand. The same one again is no fault.

    Raises:
        SealBroken: as `dsse.open_envelope`.
        InputRefused: `position-malformed`, `position-other`, `position-rival`.
        NotAllowed: `position-not-named`, `position-late`.
    """
    made = _committed(round, envelope, keys)
    for other in already:
        if other.author == made.author:
            if other.id == made.id:
                return other
            raise InputRefused(
                "position-rival",
                f"{made.author} has committed in this round already, and a commitment cannot be changed; "
                "keep both, they convict it.",
                party=made.author,
            )
    if arrived >= round.closes:
        raise NotAllowed(
            "position-late",
            f"The round closed at {instants.format(round.closes)}; this commitment came later and does not count.",
            party=made.author,
        )
    return made


def receive_share(round: Round, committed: Committed, deal: bytes, keys: Keys) -> Share:
    """What a trustee does with the paper an author sent it: check that the share is the committed one.

    Raises:
        SealBroken: as `dsse.open_envelope`; `position-share` names the author, which `false-deal` then convicts.
        InputRefused: `position-malformed`, `position-other`.
        NotAllowed: `position-not-named`.
    """
    body = _opened(round, deal, DEAL_KIND, keys, "author", committed)
    trustee, share = body["trustee"], _hex(body, "share", 32)
    if not _is_share(round, committed, trustee, share):
        raise SealBroken(
            "position-share",
            f"{committed.author} gave {trustee} another share than the one it committed to; keep both papers.",
            party=committed.author,
            misdeed="false-deal",
        )
    return Share(committed.author, trustee, share, deal)


def acknowledge(round: Round, committed: Committed, share: Share, key: SigningKey) -> bytes:
    """A trustee's signed word that it holds the committed share of this author's key."""
    return dsse.sign(
        HOLDING_KIND, _head(round, committed.author) | {"commitment": committed.id, "trustee": share.trustee}, [key]
    )


def verify_holding(round: Round, committed: Committed, envelope: bytes, keys: Keys) -> str:
    """The trustee that says it holds a share of this commitment.

    Raises:
        SealBroken, InputRefused, NotAllowed: as `receive_share`.
    """
    trustee: str = _opened(round, envelope, HOLDING_KIND, keys, "trustee", committed)["trustee"]
    committed.share_of(trustee)
    return trustee


# ---------------------------------------------------------------- opening


def open_position(round: Round, committed: Committed, secret: Secret, key: SigningKey) -> bytes:
    """The author's signed opening. Send it when the round `may_open`, not before: it shows all.

    Raises:
        Usage: `position-secret` when the secret is not of this commitment; signing it would convict the author.
    """
    body = _head(round, committed.author) | {
        "commitment": committed.id,
        "position": secret.position,
        "salt": secret.salt.hex(),
        "key": secret.key.hex(),
    }
    if not _fits(round, committed, body["position"], secret.salt, secret.key):
        raise Usage("position-secret", "This secret does not open this commitment; nothing was signed.")
    return dsse.sign(OPENING_KIND, body, [key])


def verify_opening(
    round: Round, committed: Committed, envelope: bytes, keys: Keys, *, in_hand: Collection[str], at: Instant
) -> Opened:
    """What an author opened, if it is what it committed to and the round may be opened.

    Args:
        round: The round.
        committed: This author's commitment, as it was taken in.
        envelope: The opening.
        keys: Of the parties.
        in_hand: The authors whose commitments we hold ourselves; not those that somebody says are in.
        at: When the opening came, by the clock of whoever orders the procedure.

    Raises:
        NotAllowed: `position-early`; the opening may come again later.
        SealBroken: as `dsse.open_envelope`; `position-opening`, which `false-opening` makes a conviction.
        InputRefused: `position-malformed`, `position-other`.
    """
    if not round.may_open(in_hand, at):
        raise NotAllowed(
            "position-early",
            f"Not all commitments are in, and the round closes at {instants.format(round.closes)}; "
            "openings count from then on.",
            missing=sorted(set(round.due) - set(in_hand)),
        )
    body = _opened(round, envelope, OPENING_KIND, keys, "author", committed)
    salt, key = _hex(body, "salt", 16), _hex(body, "key", 32)
    if "position" not in body:
        raise _malformed(OPENING_KIND)
    if not _fits(round, committed, body["position"], salt, key):
        raise SealBroken(
            "position-opening",
            f"What {committed.author} opened is not what it committed to; keep both papers, they convict it.",
            party=committed.author,
            misdeed="false-opening",
        )
    return Opened(committed.author, committed.id, body["position"], salt)


def release_share(round: Round, committed: Committed, share: Share, key: SigningKey, *, at: Instant) -> bytes:
    """A trustee's share, signed and shown to all, of a position whose author has not opened it.

    Raises:
        NotAllowed: `position-early` before the round's `shares_from`.
        SealBroken: `position-share` when the share is not the committed one; nothing was signed.
    """
    _check_due_share(round, at)
    if not _is_share(round, committed, share.trustee, share.share):
        raise SealBroken("position-share", "This is not the share that was committed to; nothing was signed.")
    body = _head(round, committed.author) | {
        "commitment": committed.id,
        "trustee": share.trustee,
        "share": share.share.hex(),
        "at": instants.format(at),
    }
    return dsse.sign(SHARE_KIND, body, [key])


def verify_share(round: Round, committed: Committed, envelope: bytes, keys: Keys, *, at: Instant) -> Share:
    """A share as its trustee released it; `at` is when it came.

    Raises:
        NotAllowed: `position-early` when it came, or was signed, before `shares_from`; `position-not-named`.
        SealBroken: as `dsse.open_envelope`; `position-share` names the trustee, which `false-share` then convicts.
        InputRefused: `position-malformed`, `position-other`.
    """
    share = _released(round, committed, envelope, keys)
    _check_due_share(round, min(at, share.at if share.at is not None else at))
    if not _is_share(round, committed, share.trustee, share.share):
        raise SealBroken(
            "position-share",
            f"{share.trustee} released another share of the position of {committed.author} than the committed one; "
            "keep both papers, they convict it.",
            party=share.trustee,
            misdeed="false-share",
        )
    return share


def combine(round: Round, committed: Committed, shares: Iterable[Share]) -> Opened:
    """Open a position with released shares, each verified by `verify_share`.

    Raises:
        NotAllowed: `position-shares` when there are fewer than the threshold.
        SealBroken: `position-dealing` when no set of shares opens it; the author dealt them so. Any m of them are
            the evidence `bad-dealing`.
    """
    given = {one.trustee: one for one in shares if _is_share(round, committed, one.trustee, one.share)}
    ordered = [given[one] for one in round.trustees if one in given]
    if len(ordered) < round.threshold:
        raise NotAllowed(
            "position-shares",
            f"{len(ordered)} of the {round.threshold} shares needed to open the position of {committed.author} are "
            "released; it stays closed until the others are.",
            missing=[one for one, _ in committed.shares if one not in given],
        )
    for chosen in islice(combinations(ordered, round.threshold), MOST_SETS):
        points = [(round.place(one.trustee), one.share) for one in chosen]
        secret = _unseal(round, committed, interpolate(points, 0))
        if secret is not None:
            off = [
                one
                for one in ordered
                if one not in chosen and interpolate(points, round.place(one.trustee)) != one.share
            ]
            evidence = tuple(
                Evidence("bad-dealing", committed.envelope, tuple(s.envelope for s in (*chosen[:-1], one)))
                for one in off
            )
            by = tuple(one.trustee for one in chosen)
            return Opened(committed.author, committed.id, secret.position, secret.salt, by, evidence)
    raise SealBroken(
        "position-dealing",
        f"The shares that {committed.author} dealt are those it committed to and do not open what it committed to; "
        "they convict it, and its position stays unknown.",
        party=committed.author,
        misdeed="bad-dealing",
    )


def table(
    round: Round,
    committed: Mapping[str, Committed],
    *,
    opened: Mapping[str, Opened] | None = None,
    held: Mapping[str, Collection[str]] | None = None,
    released: Mapping[str, Sequence[Share]] | None = None,
    at: Instant,
) -> tuple[Shown, ...]:
    """Every author that is due, in the order of the round, with what is known and nothing that is guessed.

    Args:
        round: The round.
        committed: By author, as `verify_commitment` took them in.
        opened: By author, what `verify_opening` gave.
        held: By author, the trustees whose word `verify_holding` gave.
        released: By author, what `verify_share` gave; combined here where they are enough.
        at: Now, by the clock of whoever orders the procedure.
    """
    lines: list[Shown] = []
    for author in round.due:
        made = committed.get(author)
        shares = tuple((released or {}).get(author, ()))
        state: State
        found = (opened or {}).get(author)
        if made is None:
            state = "not-committed" if at >= round.closes else "awaited"
        elif found is not None:
            state = "opened"
        else:
            state = "not-opened" if round.may_open(committed.keys(), at) else "committed"
            try:
                found = combine(round, made, shares)
                state = "opened-by-trustees"
            except SealBroken:
                state = "badly-dealt"
            except NotAllowed:
                pass
        holders = tuple(one for one in round.trustees if one in (held or {}).get(author, ()))
        gave = {one.trustee for one in shares}
        lines.append(Shown(author, state, found, holders, tuple(one for one in round.trustees if one in gave)))
    return tuple(lines)


# ---------------------------------------------------------------- evidence


def verify_evidence(round: Round, evidence: Evidence, keys: Keys) -> Conviction:
    """Who is convicted of what. It needs the round and the parties' keys and nothing of the procedure's record.

    Raises:
        SealBroken: as `dsse.open_envelope`; `position-evidence` when the papers convict nobody.
        InputRefused: `position-malformed`, `position-other`.
        NotAllowed: `position-not-named`.
    """
    made = _committed(round, evidence.commitment, keys)
    judge = {
        "rival-commitments": _rivals,
        "false-opening": _false_opening,
        "false-deal": _false_deal,
        "bad-dealing": _bad_dealing,
        "false-share": _false_share,
        "early-share": _early_share,
    }.get(evidence.kind)
    party = judge(round, made, evidence.papers, keys) if judge is not None else None
    if party is None:
        raise SealBroken(
            "position-evidence", f"These papers do not show the misdeed {evidence.kind}; nobody is convicted by them."
        )
    return Conviction(party, evidence.kind, f"{party} {MISDEEDS[evidence.kind]}.")


def read_evidence(form: object) -> Evidence:
    """Evidence from its JSON form; nothing is verified yet.

    Raises:
        InputRefused: `position-malformed`.
    """
    try:
        kind, commitment, papers = form["kind"], form["commitment"], form["papers"]  # type: ignore[index]
        if form["form"] == FORM and kind in get_args(Misdeed) and type(papers) is list:  # type: ignore[index]
            return Evidence(kind, commitment.encode(), tuple(paper.encode() for paper in papers))
    except (KeyError, TypeError, AttributeError, UnicodeEncodeError):
        pass
    raise InputRefused("position-malformed", "This is no evidence about a round of positions; ask for it again.")


def _one(papers: Sequence[bytes]) -> bytes:
    if len(papers) != 1:
        raise SealBroken("position-evidence", "This evidence needs one paper beside the commitment; give that one.")
    return papers[0]


def _rivals(round: Round, made: Committed, papers: Sequence[bytes], keys: Keys) -> str | None:
    other = _committed(round, _one(papers), keys)
    return made.author if other.author == made.author and other.id != made.id else None


def _false_opening(round: Round, made: Committed, papers: Sequence[bytes], keys: Keys) -> str | None:
    body = _opened(round, _one(papers), OPENING_KIND, keys, "author", made)
    holds = "position" in body and _fits(round, made, body["position"], _hex(body, "salt", 16), _hex(body, "key", 32))
    return None if holds else made.author


def _false_deal(round: Round, made: Committed, papers: Sequence[bytes], keys: Keys) -> str | None:
    body = _opened(round, _one(papers), DEAL_KIND, keys, "author", made)
    return None if _is_share(round, made, body["trustee"], _hex(body, "share", 32)) else made.author


def _bad_dealing(round: Round, made: Committed, papers: Sequence[bytes], keys: Keys) -> str | None:
    shares = {one.trustee: one for one in (_released(round, made, paper, keys) for paper in papers)}
    if len(shares) != round.threshold or len(papers) != round.threshold:
        return None
    if not all(_is_share(round, made, one.trustee, one.share) for one in shares.values()):
        return None
    points = [(round.place(one.trustee), one.share) for one in shares.values()]
    return made.author if _unseal(round, made, interpolate(points, 0)) is None else None


def _false_share(round: Round, made: Committed, papers: Sequence[bytes], keys: Keys) -> str | None:
    share = _released(round, made, _one(papers), keys)
    return None if _is_share(round, made, share.trustee, share.share) else share.trustee


def _early_share(round: Round, made: Committed, papers: Sequence[bytes], keys: Keys) -> str | None:
    share = _released(round, made, _one(papers), keys)
    return share.trustee if share.at is not None and share.at < round.shares_from else None


# ---------------------------------------------------------------- reading papers


def _head(round: Round, author: str) -> dict[str, Any]:
    return {"form": FORM, "procedure": round.procedure, "round": round.number, "author": author}


def _bound(round: Round, author: str, position: Any) -> dict[str, Any]:
    return {"author": author, "position": position, "procedure": round.procedure, "round": round.number}


def _check_due(round: Round, author: str) -> None:
    if author not in round.due:
        raise NotAllowed("position-not-named", f"{author} has no position to give in this round.", party=author)


def _check_due_share(round: Round, at: Instant) -> None:
    if at < round.shares_from:
        raise NotAllowed(
            "position-early",
            f"Shares may be released from {instants.format(round.shares_from)} on; keep it until then.",
        )


def _read(round: Round, envelope: bytes, kind: str, keys: Keys, signer: str) -> tuple[dict[str, Any], bytes]:
    """The body, signed by the party that its member `signer` names, of this procedure and round."""
    claimed, _ = dsse.unverified_body(envelope, kind)
    party = claimed.get(signer)
    if type(party) is not str or claimed.get("form") != FORM or type(claimed.get("author")) is not str:
        raise _malformed(kind)
    opened = dsse.open_envelope(envelope, kind, keys.get(party, {}))
    if claimed.get("procedure") != round.procedure or claimed.get("round") != round.number:
        raise InputRefused(
            "position-other",
            f"This {kind} is for round {claimed.get('round')} of another procedure or another round; it counts there.",
        )
    return opened.body, opened.payload


def _opened(round: Round, envelope: bytes, kind: str, keys: Keys, signer: str, committed: Committed) -> dict[str, Any]:
    """The body of a paper about one commitment."""
    body, _ = _read(round, envelope, kind, keys, signer)
    if body["author"] != committed.author or body.get("commitment") != committed.id:
        raise InputRefused("position-other", f"This {kind} is about another commitment; give the one it names.")
    if kind != OPENING_KIND and type(body.get("trustee")) is not str:
        raise _malformed(kind)
    return body


def _released(round: Round, committed: Committed, envelope: bytes, keys: Keys) -> Share:
    body = _opened(round, envelope, SHARE_KIND, keys, "trustee", committed)
    committed.share_of(body["trustee"])
    said = body.get("at")
    try:
        at = instants.parse(said) if type(said) is str else None
    except ComityError:
        at = None
    if at is None:
        raise _malformed(SHARE_KIND)
    return Share(committed.author, body["trustee"], _hex(body, "share", 32), envelope, at)


def _committed(round: Round, envelope: bytes, keys: Keys) -> Committed:
    body, payload = _read(round, envelope, COMMITMENT_KIND, keys, "author")
    author = body["author"]
    _check_due(round, author)
    if body.get("rules") != round.digest:
        raise InputRefused(
            "position-other",
            f"{author} committed under other rules of this round than those known here; compare who is due, "
            "the trustees, the threshold and the instants.",
            party=author,
        )
    try:
        sealed = a2b_base64(body["sealed"])
        shares = tuple((one["trustee"], _hex(one, "digest", 32)) for one in body["shares"])
        spelt = b2a_base64(sealed, newline=False).decode() == body["sealed"]
    except (KeyError, TypeError, ValueError, Base64Error) as broken:
        raise _malformed(COMMITMENT_KIND) from broken
    if not spelt or len(sealed) - 16 not in BUCKETS or tuple(one for one, _ in shares) != round.trustees_of(author):
        raise _malformed(COMMITMENT_KIND)
    return Committed(
        author,
        sha256(payload).hexdigest(),
        _hex(body, "digest", 32),
        _hex(body, "key", 32),
        shares,
        sealed,
        envelope,
    )


def _hex(body: Mapping[str, Any], name: str, size: int) -> bytes:
    text = body.get(name)
    try:
        raw = bytes.fromhex(text) if type(text) is str else b""
    except ValueError:
        raw = b""
    if len(raw) != size or raw.hex() != text:
        raise InputRefused("position-malformed", f"The member {name} is not {size} bytes in lower-case hex.")
    return raw


def _malformed(kind: str) -> InputRefused:
    return InputRefused(
        "position-malformed",
        f"This {kind} lacks a member or has one of the wrong form; ask for it again.",
        clause="docs/formats/positions.md",
    )


# ---------------------------------------------------------------- the sealed copy


def _where(round: Round, author: str) -> bytes:
    return canonical([round.procedure, round.number, author])


def _key_digest(round: Round, author: str, key: bytes) -> bytes:
    return sha256(_KEY + _where(round, author) + key).digest()


def _share_digest(round: Round, author: str, trustee: str, share: bytes) -> bytes:
    place = canonical([round.procedure, round.number, author, trustee])
    return sha256(_SHARE + place + share).digest()


def _is_share(round: Round, committed: Committed, trustee: str, share: bytes) -> bool:
    return hmac.compare_digest(_share_digest(round, committed.author, trustee, share), committed.share_of(trustee))


def _seal(round: Round, author: str, secret: Secret) -> bytes:
    text = canonical(secret.position)
    if len(text) > MOST_POSITION:
        raise InputRefused(
            "position-size",
            f"This position has {len(text)} bytes and a position may have {MOST_POSITION}; "
            "refer to long papers by their digest.",
            limit=MOST_POSITION,
        )
    framed = secret.salt + len(text).to_bytes(4, "big") + text
    bucket = next(size for size in BUCKETS if size >= len(framed))
    return ChaCha20Poly1305(secret.key).encrypt(_NONCE, framed.ljust(bucket, b"\x00"), _SEALED + _where(round, author))


def _unseal(round: Round, committed: Committed, key: bytes) -> Secret | None:
    """What the sealed copy holds, if this is the committed key and it holds what was committed to."""
    if not hmac.compare_digest(_key_digest(round, committed.author, key), committed.key):
        return None
    try:
        framed = ChaCha20Poly1305(key).decrypt(_NONCE, committed.sealed, _SEALED + _where(round, committed.author))
        salt, size, rest = framed[:16], int.from_bytes(framed[16:20], "big"), framed[20:]
        text = rest[:size]
        if size > len(rest) or rest[size:].strip(b"\x00"):
            return None
        position = orjson.loads(text)
        if canonical(position) != text:
            return None
    except (InvalidTag, ValueError, RecursionError, InputRefused):
        return None
    if bind(salt, _POSITION, _bound(round, committed.author, position)) != committed.digest:
        return None
    return Secret(position, salt, key)


def _fits(round: Round, committed: Committed, position: Any, salt: bytes, key: bytes) -> bool:
    """Whether an opening holds, and the sealed copy holds the same: else m trustees could not have opened it."""
    held = _unseal(round, committed, key)
    return held is not None and held.salt == salt and canonical(held.position) == canonical(position)
