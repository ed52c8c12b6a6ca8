"""Sealing, verifying, redacting; the floor is one raw Ed25519 operation an object."""

from __future__ import annotations

import os
import statistics
import time
from typing import Any

AT = 1_614_945_600_000_000


def objects(path: str, n: int) -> list[dict[str, Any]]:
    """The first objects of a bundle, decoded."""
    import orjson

    with open(path, "rb") as stream:
        found: list[dict[str, Any]] = orjson.loads(stream.read())["objects"][:n]
    return found


def sealing(path: str, n: int) -> dict[str, Any]:
    """Commit to each object and sign, verify each whole, redact and verify one view each."""
    from comity.kernel.model.ids import party_id
    from comity.kernel.seal.commitment import Everything, commit, disclosure
    from comity.kernel.seal.keys import SigningKey
    from comity.kernel.seal.seals import seal, verify_seal
    from comity.kernel.seal.views import INDICATOR, Redacted, redact

    key = SigningKey.from_seed(bytes(32))
    party = party_id(key.public.spki)
    keys = {key.public.keyid: key.public}
    found = objects(path, n)
    seeds = [os.urandom(32) for _ in found]

    began = time.perf_counter()
    sealed = [
        seal(data, seed=seed, role="custody", party=party, key=key, at=AT)
        for data, seed in zip(found, seeds, strict=True)
    ]
    signing = len(found) / (time.perf_counter() - began)

    whole = [disclosure(one.commitment, Everything()) for one in sealed]
    began = time.perf_counter()
    for one, data, shown in zip(sealed, found, whole, strict=True):
        verify_seal(one.envelope, data, shown, keys)
    verifying = len(found) / (time.perf_counter() - began)

    cutting: list[float] = []
    checking: list[float] = []
    for one, data, seed in zip(sealed, found, seeds, strict=True):
        began = time.perf_counter()
        view = redact(data, INDICATOR, clause="bench#1")
        if not isinstance(view, Redacted):
            continue
        shown = disclosure(commit(data, seed), view.shown)
        cutting.append(time.perf_counter() - began)
        began = time.perf_counter()
        verify_seal(one.envelope, view.data, shown, keys)
        checking.append(time.perf_counter() - began)
    if not cutting:
        raise RuntimeError("no object could be shown under the view")
    return {
        "n": len(found),
        "sign": signing,
        "verify": verifying,
        "redact": statistics.median(cutting) * 1e3,
        "verify_view": statistics.median(checking) * 1e3,
    }


def ed25519(path: str, n: int) -> dict[str, Any]:
    """Sign and verify the bytes of each object, and nothing else."""
    import orjson
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    key = Ed25519PrivateKey.generate()
    public = key.public_key()
    bodies = [orjson.dumps(one) for one in objects(path, n)]
    began = time.perf_counter()
    signatures = [key.sign(body) for body in bodies]
    signing = len(bodies) / (time.perf_counter() - began)
    began = time.perf_counter()
    for signature, body in zip(signatures, bodies, strict=True):
        public.verify(signature, body)
    verifying = len(bodies) / (time.perf_counter() - began)
    return {"n": len(bodies), "sign": signing, "verify": verifying, "verify_view": 1e3 / verifying}
