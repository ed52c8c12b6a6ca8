"""Writes the vectors of this folder: `python vectors/procedure-positions/make.py`. A test holds the files equal to what
this writes.

Signatures are Ed25519 (RFC 8032) and the cipher is RFC 8439, so any implementation makes the same bytes. Keys, salts
and coefficients are counted, never drawn: do not use them.
"""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from collections.abc import Iterable
from hashlib import sha256
from pathlib import Path
from typing import Any

from comity.kernel.errors import ComityError
from comity.kernel.model.ids import party_id
from comity.kernel.model.instants import HOUR, format, parse
from comity.kernel.procedure import positions, shamir
from comity.kernel.procedure.positions import (
    Committed,
    Dealing,
    Evidence,
    Round,
    combine,
    commit,
    open_position,
    randomness_needed,
    receive_share,
    release_share,
    verify_commitment,
    verify_evidence,
    verify_opening,
    verify_share,
)
from comity.kernel.seal import dsse
from comity.kernel.seal.canonical import canonical
from comity.kernel.seal.keys import SigningKey

SIGN = {party_id(key.public.spki): key for key in (SigningKey.from_seed(bytes([n]) * 32) for n in range(1, 6))}
A, B, C, D, E = SIGN
KEYS = {party: {key.public.keyid: key.public} for party, key in SIGN.items()}
SPKI = {party: [key.public.spki.hex()] for party, key in SIGN.items()}
CLOSES = parse("2021-07-12T12:00:00Z")
FORCED = CLOSES + 2 * HOUR
ROUND = Round("procedure--6d1a5b0e-64b0-4b5a-9c34-0c6e4d2f7a11", 1, (A, B), (A, B, C, D, E), 3, CLOSES, FORCED)
SAID = {"claim": "state-responsible", "confidence": "high", "likelihood": "almost-certain"}


def counted(first: int, threshold: int = 3) -> bytes:
    return bytes((first + n) % 256 for n in range(randomness_needed(threshold)))


DEALING = commit(ROUND, A, SAID, counted(0), SIGN[A])
OTHER = commit(ROUND, A, SAID | {"confidence": "low"}, counted(7), SIGN[A])
OF_B = commit(ROUND, B, SAID, counted(11), SIGN[B])


def _case(name: str, given: Any, expected: Any, clause: str, origin: str = "make.py") -> dict[str, Any]:
    return {"name": name, "clause": f"positions.md, {clause}", "origin": origin, "input": given, "expected": expected}


def _outcome(read: Any) -> Any:
    try:
        return read()
    except ComityError as refused:
        return {"refused": refused.code}


def _taken(dealing: Dealing) -> Committed:
    return verify_commitment(ROUND, dealing.commitment, KEYS, arrived=CLOSES - HOUR)


def _lied(kind: str, envelope: bytes, signer: str, **change: Any) -> bytes:
    """The paper with other words in it, honestly signed by the liar."""
    body = json.loads(b64decode(json.loads(envelope)["payload"]))
    return dsse.sign(kind, body | change, [SIGN[signer]])


def _released(dealing: Dealing, who: Iterable[str]) -> list[bytes]:
    made, deals = _taken(dealing), dict(dealing.deals)
    return [
        release_share(ROUND, made, receive_share(ROUND, made, deals[one], KEYS), SIGN[one], at=FORCED) for one in who
    ]


def _false_dealing() -> Dealing:
    """A commits honestly to a share for B that is not on the polynomial."""
    body = json.loads(b64decode(json.loads(DEALING.commitment)["payload"]))
    shares = {one: json.loads(b64decode(json.loads(deal)["payload"]))["share"] for one, deal in DEALING.deals}
    shares[B] = "55" * 32
    where = [ROUND.procedure, ROUND.number, A]
    body["shares"] = [
        {
            "trustee": one,
            "digest": sha256(b"\x00comity/position-share/1" + canonical([*where, one]) + bytes.fromhex(s)).hexdigest(),
        }
        for one, s in shares.items()
    ]
    name = sha256(canonical(body)).hexdigest()
    deals = tuple(
        (one, _lied(positions.DEAL_KIND, deal, A, commitment=name, share=shares[one])) for one, deal in DEALING.deals
    )
    return Dealing(dsse.sign(positions.COMMITMENT_KIND, body, [SIGN[A]]), DEALING.secret, deals)


def division() -> list[dict[str, Any]]:
    cases = []
    for threshold, places in ((2, (1, 2, 255)), (3, (1, 2, 3, 4, 5)), (5, (9, 8, 7, 6, 5, 4))):
        words = counted(threshold, threshold)
        key, coefficients = words[:32], [words[at : at + 32] for at in range(48, len(words), 32)]
        shares = {str(place): shamir.value_at(place, key, coefficients).hex() for place in places}
        given = {"key": key.hex(), "coefficients": [one.hex() for one in coefficients], "places": list(places)}
        cases.append(_case(f"key divided {threshold} of {len(places)}", given, {"shares": shares}, "Shares"))
        first = dict(list(shares.items())[-threshold:])
        cases.append(_case(f"key from {threshold} shares", {"shares": first}, {"key": key.hex()}, "Shares"))
    return cases


def commitments() -> list[dict[str, Any]]:
    cases = []
    for name, author, position, first in (
        ("a position", A, SAID, 0),
        ("the shortest position", A, None, 1),
        ("text in another script", B, {"\u0628\u064a\u0627\u0646": "\u58f0\u660e"}, 2),
        ("a position that fills its bucket", B, "x" * (1024 - 22), 3),
        ("a position one byte longer", B, "x" * (1024 - 21), 3),
    ):
        made = commit(ROUND, author, position, counted(first), SIGN[author])
        given = {"round": ROUND.form(), "author": author, "position": position, "randomness": counted(first).hex()}
        expected = {
            "rules": ROUND.digest,
            "id": _taken(made).id,
            "commitment": made.commitment.decode(),
            "deals": {one: deal.decode() for one, deal in made.deals},
        }
        seed = bytes([list(SIGN).index(author) + 1]) * 32
        cases.append(_case(name, given | {"seed": seed.hex()}, expected, "Commitment"))
    moved = Round(ROUND.procedure, 2, ROUND.due, ROUND.trustees, 3, CLOSES, FORCED)
    ruled = Round(ROUND.procedure, 1, ROUND.due, ROUND.trustees, 2, CLOSES, FORCED)
    body = json.loads(b64decode(json.loads(DEALING.commitment)["payload"]))
    copied = body | {"author": B, "shares": [{"trustee": one, "digest": "00" * 32} for one in (A, C, D, E)]}
    for name, round, envelope, at, already in (
        ("as it should be", ROUND, DEALING.commitment, CLOSES - 1, []),
        ("the same again", ROUND, DEALING.commitment, CLOSES, [DEALING.commitment]),
        ("late", ROUND, DEALING.commitment, CLOSES, []),
        ("moved to another round", moved, DEALING.commitment, CLOSES - 1, []),
        ("under other rules", ruled, DEALING.commitment, CLOSES - 1, []),
        ("changed", ROUND, OTHER.commitment, CLOSES - 1, [DEALING.commitment]),
        (
            "copied by another party",
            ROUND,
            dsse.sign(positions.COMMITMENT_KIND, copied, [SIGN[B]]),
            CLOSES - 1,
            [DEALING.commitment],
        ),
        (
            "in another's name",
            ROUND,
            dsse.sign(positions.COMMITMENT_KIND, body, [SIGN[B]]),
            CLOSES - 1,
            [],
        ),
        ("of no bucket", ROUND, _lied(positions.COMMITMENT_KIND, DEALING.commitment, A, sealed="AAAA"), CLOSES - 1, []),
    ):
        given = {"round": round.form(), "envelope": envelope.decode(), "arrived": format(at), "keys": SPKI}
        given["already"] = [one.decode() for one in already]
        stand = [verify_commitment(ROUND, one, KEYS, arrived=CLOSES - 1) for one in already]
        said = _outcome(
            lambda r=round, e=envelope, t=at, s=stand: {"id": verify_commitment(r, e, KEYS, arrived=t, already=s).id}
        )
        cases.append(_case(name, given, said, "What a verifier checks"))
    return cases


def openings() -> list[dict[str, Any]]:
    made = _taken(DEALING)
    good = open_position(ROUND, made, DEALING.secret, SIGN[A])
    cases = []
    for name, envelope, in_hand, at in (
        ("by its author, all in", good, [A, B], CLOSES - HOUR),
        ("by its author, round closed", good, [A], CLOSES),
        ("before all are in", good, [A], CLOSES - 1),
        ("another position", _lied(positions.OPENING_KIND, good, A, position="no"), [A, B], CLOSES),
        ("another salt", _lied(positions.OPENING_KIND, good, A, salt="00" * 16), [A, B], CLOSES),
        ("another key", _lied(positions.OPENING_KIND, good, A, key="00" * 32), [A, B], CLOSES),
        ("of another commitment", _lied(positions.OPENING_KIND, good, A, commitment="00" * 32), [A, B], CLOSES),
    ):
        given = {"round": ROUND.form(), "commitment": DEALING.commitment.decode(), "opening": envelope.decode()}
        given |= {"in_hand": in_hand, "at": format(at), "keys": SPKI}

        def read(envelope: bytes = envelope, in_hand: list[str] = in_hand, at: int = at) -> dict[str, Any]:
            opened = verify_opening(ROUND, made, envelope, KEYS, in_hand=in_hand, at=at)
            return {"position": opened.position, "salt": opened.salt.hex()}

        cases.append(_case(name, given, _outcome(read), "Opening"))
    return cases


def shares() -> list[dict[str, Any]]:
    bad = _false_dealing()
    good = _released(DEALING, (B, C, D, E))
    cases = []
    for name, dealing, envelopes, at in (
        ("three of four", DEALING, good[:3], FORCED),
        ("another three", DEALING, good[1:], FORCED),
        ("two", DEALING, good[:2], FORCED),
        ("one of them twice", DEALING, [good[0], good[1], good[0]], FORCED),
        ("too early", DEALING, good[:3], FORCED - 1),
        (
            "a false share",
            DEALING,
            [_lied(positions.SHARE_KIND, good[0], B, share="00" * 32), *good[1:3]],
            FORCED,
        ),
        ("a false dealer, its bad share among three", bad, _released(bad, (B, C, D)), FORCED),
        ("a false dealer, three good shares beside", bad, _released(bad, (B, C, D, E)), FORCED),
    ):
        given = {"round": ROUND.form(), "commitment": dealing.commitment.decode(), "keys": SPKI, "at": format(at)}
        given["shares"] = [one.decode() for one in envelopes]

        def read(dealing: Dealing = dealing, envelopes: list[bytes] = envelopes, at: int = at) -> dict[str, Any]:
            made = _taken(dealing)
            opened = combine(ROUND, made, [verify_share(ROUND, made, one, KEYS, at=at) for one in envelopes])
            convicts = [one.as_json() for one in opened.evidence]
            return {"position": opened.position, "salt": opened.salt.hex(), "by": list(opened.by), "evidence": convicts}

        cases.append(_case(name, given, _outcome(read), "Shares"))
    return cases


def evidence() -> list[dict[str, Any]]:
    made = _taken(DEALING)
    bad = _false_dealing()
    good = _released(DEALING, (B, C, D))
    opening = open_position(ROUND, made, DEALING.secret, SIGN[A])
    deals = dict(DEALING.deals)
    false_share = _lied(positions.SHARE_KIND, good[0], B, share="00" * 32)
    inputs: list[tuple[str, Evidence]] = [
        ("two commitments", Evidence("rival-commitments", DEALING.commitment, (OTHER.commitment,))),
        ("one commitment twice", Evidence("rival-commitments", DEALING.commitment, (DEALING.commitment,))),
        ("two parties' commitments", Evidence("rival-commitments", DEALING.commitment, (OF_B.commitment,))),
        (
            "a false opening",
            Evidence("false-opening", DEALING.commitment, (_lied(positions.OPENING_KIND, opening, A, position="no"),)),
        ),
        ("a true opening", Evidence("false-opening", DEALING.commitment, (opening,))),
        (
            "a false deal",
            Evidence("false-deal", DEALING.commitment, (_lied(positions.DEAL_KIND, deals[B], A, share="00" * 32),)),
        ),
        ("a true deal", Evidence("false-deal", DEALING.commitment, (deals[B],))),
        ("bad dealing", Evidence("bad-dealing", bad.commitment, tuple(_released(bad, (B, C, D))))),
        ("good dealing", Evidence("bad-dealing", DEALING.commitment, tuple(good))),
        ("a false share said to be bad dealing", Evidence("bad-dealing", DEALING.commitment, (false_share, *good[1:]))),
        ("a false share", Evidence("false-share", DEALING.commitment, (false_share,))),
        ("a true share", Evidence("false-share", DEALING.commitment, (good[0],))),
        (
            "an early share",
            Evidence(
                "early-share",
                DEALING.commitment,
                (_lied(positions.SHARE_KIND, good[0], B, at="2021-07-12T12:30:00.000Z"),),
            ),
        ),
        ("a share in time", Evidence("early-share", DEALING.commitment, (good[0],))),
        (
            "a false share signed by another",
            Evidence("false-share", DEALING.commitment, (_lied(positions.SHARE_KIND, good[0], C, share="00" * 32),)),
        ),
    ]
    cases = []
    for name, one in inputs:

        def read(one: Evidence = one) -> dict[str, Any]:
            told = verify_evidence(ROUND, one, KEYS)
            return {"party": told.party, "kind": told.kind}

        given = {"round": ROUND.form(), "evidence": one.as_json(), "keys": SPKI}
        cases.append(_case(name, given, _outcome(read), "Evidence"))
    return cases


def sealed() -> list[dict[str, Any]]:
    made = _taken(DEALING)
    framed = DEALING.secret.salt + len(canonical(SAID)).to_bytes(4, "big") + canonical(SAID)
    given = {"key": DEALING.secret.key.hex(), "procedure": ROUND.procedure, "round": 1, "author": A}
    given |= {"framed": framed.hex(), "bucket": 1024}
    expected = {
        "sealed": b64encode(made.sealed).decode(),
        "key_digest": made.key.hex(),
        "digest": made.digest.hex(),
    }
    return [_case("the sealed copy", given, expected, "Sealed copy")]


FILES = {
    "shamir.json": division,
    "sealed.json": sealed,
    "commitments.json": commitments,
    "openings.json": openings,
    "shares.json": shares,
    "evidence.json": evidence,
}


def written(name: str) -> str:
    """The text of one vector file."""
    return (
        json.dumps({"source": "docs/formats/positions.md", "cases": FILES[name]()}, indent=1, ensure_ascii=True) + "\n"
    )


if __name__ == "__main__":
    folder = Path(__file__).resolve().parent
    for file in FILES:
        (folder / file).write_text(written(file), encoding="utf-8")
