"""The vectors of ``vectors/procedure-positions`` and the examples of the page, against this implementation."""

from __future__ import annotations

import importlib.util
import json
import re
from base64 import b64decode, b64encode
from hashlib import sha256
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from comity.kernel.errors import ComityError
from comity.kernel.model.instants import parse
from comity.kernel.procedure import shamir
from comity.kernel.procedure.positions import (
    COMMITMENT_KIND,
    Committed,
    combine,
    commit,
    read_evidence,
    read_round,
    verify_commitment,
    verify_evidence,
    verify_opening,
    verify_share,
)
from comity.kernel.seal import dsse
from comity.kernel.seal.canonical import canonical
from comity.kernel.seal.keys import PublicKey, SigningKey

ROOT = Path(__file__).resolve().parents[3]
FOLDER = ROOT / "vectors" / "procedure-positions"
PAGE = ROOT / "docs" / "formats" / "positions.md"
NAMES = ("shamir", "sealed", "commitments", "openings", "shares", "evidence")


def _cases(name: str) -> list[dict[str, Any]]:
    cases: list[dict[str, Any]] = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))["cases"]
    assert all(set(case) == {"name", "clause", "origin", "input", "expected"} for case in cases)
    return cases


def _keys(given: dict[str, Any]) -> dict[str, dict[str, PublicKey]]:
    read = {party: [PublicKey(bytes.fromhex(one)) for one in spki] for party, spki in given["keys"].items()}
    return {party: {key.keyid: key for key in keys} for party, keys in read.items()}


def _made(given: dict[str, Any], envelope: str) -> Committed:
    round = read_round(given["round"])
    return verify_commitment(round, envelope.encode(), _keys(given), arrived=round.closes - 1)


def _shamir(given: dict[str, Any]) -> Any:
    if "shares" in given:
        points = [(int(place), bytes.fromhex(share)) for place, share in given["shares"].items()]
        return {"key": shamir.interpolate(points, 0).hex()}
    coefficients = [bytes.fromhex(one) for one in given["coefficients"]]
    key = bytes.fromhex(given["key"])
    return {"shares": {str(place): shamir.value_at(place, key, coefficients).hex() for place in given["places"]}}


def _sealed(given: dict[str, Any]) -> Any:
    """Written from the page alone, as another implementer would."""
    key, framed = bytes.fromhex(given["key"]), bytes.fromhex(given["framed"])
    where = canonical([given["procedure"], given["round"], given["author"]])
    bound = b"comity/position-sealed/1" + where
    sealed = ChaCha20Poly1305(key).encrypt(bytes(12), framed.ljust(given["bucket"], b"\0"), bound)
    position = json.loads(framed[20:])
    body = {name: given[name] for name in ("author", "procedure", "round")} | {"position": position}
    bind = sha256(b"\0comity/bind/1" + framed[:16] + canonical(["comity/position/1", body])).hexdigest()
    key_digest = sha256(b"\0comity/position-key/1" + where + key).hexdigest()
    return {"sealed": b64encode(sealed).decode(), "key_digest": key_digest, "digest": bind}


def _commitment(given: dict[str, Any]) -> Any:
    round = read_round(given["round"])
    if "randomness" in given:
        key = SigningKey.from_seed(bytes.fromhex(given["seed"]))
        made = commit(round, given["author"], given["position"], bytes.fromhex(given["randomness"]), key)
        keys = {given["author"]: {key.public.keyid: key.public}}
        return {
            "rules": round.digest,
            "id": verify_commitment(round, made.commitment, keys, arrived=round.closes - 1).id,
            "commitment": made.commitment.decode(),
            "deals": {one: deal.decode() for one, deal in made.deals},
        }
    already = [_made(given, one) for one in given["already"]]
    at = parse(given["arrived"])
    return {"id": verify_commitment(round, given["envelope"].encode(), _keys(given), arrived=at, already=already).id}


def _opening(given: dict[str, Any]) -> Any:
    round, made = read_round(given["round"]), _made(given, given["commitment"])
    opening, at = given["opening"].encode(), parse(given["at"])
    opened = verify_opening(round, made, opening, _keys(given), in_hand=given["in_hand"], at=at)
    return {"position": opened.position, "salt": opened.salt.hex()}


def _shares(given: dict[str, Any]) -> Any:
    round, made, at = read_round(given["round"]), _made(given, given["commitment"]), parse(given["at"])
    shares = [verify_share(round, made, one.encode(), _keys(given), at=at) for one in given["shares"]]
    opened = combine(round, made, shares)
    evidence = [one.as_json() for one in opened.evidence]
    return {"position": opened.position, "salt": opened.salt.hex(), "by": list(opened.by), "evidence": evidence}


def _evidence(given: dict[str, Any]) -> Any:
    told = verify_evidence(read_round(given["round"]), read_evidence(given["evidence"]), _keys(given))
    return {"party": told.party, "kind": told.kind}


_READ: dict[str, Any] = {
    "shamir": _shamir,
    "sealed": _sealed,
    "commitments": _commitment,
    "openings": _opening,
    "shares": _shares,
    "evidence": _evidence,
}


@pytest.mark.parametrize(
    ("name", "case"),
    [pytest.param(name, case, id=f"{name}: {case['name']}") for name in NAMES for case in _cases(name)],
)
def test_position_vector_holds(name: str, case: dict[str, Any]) -> None:
    try:
        result = _READ[name](case["input"])
    except ComityError as refused:
        result = {"refused": refused.code}
    assert result == case["expected"]


def test_every_position_vector_file_is_run() -> None:
    assert sorted(path.stem for path in FOLDER.glob("*.json")) == sorted(NAMES) == sorted(_READ)


@pytest.mark.parametrize("name", NAMES)
def test_position_vector_file_is_what_its_generator_writes(name: str) -> None:
    spec = importlib.util.spec_from_file_location("position_vectors", FOLDER / "make.py")
    assert spec is not None
    assert spec.loader is not None
    module: ModuleType = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert module.written(f"{name}.json") == (FOLDER / f"{name}.json").read_text(encoding="utf-8")


def _example(name: str) -> Any:
    found = re.findall(rf"^```json {name}\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.M | re.S)
    assert len(found) == 1
    return json.loads(found[0])


def test_the_examples_of_the_page_are_what_the_first_vector_signs() -> None:
    given, expected = _cases("commitments")[0]["input"], _cases("commitments")[0]["expected"]
    round = read_round(_example("round"))
    assert round.form() == given["round"]
    assert round.digest == expected["rules"] == _example("commitment")["rules"]
    key = SigningKey.from_seed(bytes.fromhex(given["seed"]))
    assert dsse.sign(COMMITMENT_KIND, _example("commitment"), [key]).decode() == expected["commitment"]
    opening = json.loads(_cases("openings")[0]["input"]["opening"])
    assert json.loads(b64decode(opening["payload"])) == _example("opening")
