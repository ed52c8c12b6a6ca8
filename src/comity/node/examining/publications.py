"""Publications: each stands as the audit says it was put, its bytes are those that were meant, and what is public is proved."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256

from comity.kernel.model.objects import read_object
from comity.kernel.seal.dsse import unverified_body
from comity.kernel.store.rows import ActRow, Publication, Version
from comity.kernel.tlog.acts import DSSE_KIND, act_digest
from comity.kernel.tlog.publication import PublicBundle, check_publication
from comity.node.examining.look import Finding, Look
from comity.node.publishing import GO, OUT, PROVED, WITHDRAWN, audited


def publications(look: Look) -> Iterator[Finding]:
    """`publication`: as the audit says; the bytes against their digest; what is public against its act, its seal and its proof."""

    def check(row: Publication) -> Iterator[str]:
        said = f"The publication of {row.id}"
        told = [one for one in look.noted(row.since, "publication") if one["object"] == row.id]
        told = [one for one in told if one["version"] == row.version]
        put = audited(row, GO if row.standing in OUT else row.standing)
        if not told or {name: told[-1].get(name) for name in put} != put:
            yield f"{said} does not stand as the audit says that it was put."
        if row.standing == WITHDRAWN:
            if row.raw:
                yield f"{said} is withdrawn, and its bytes are still here."
        elif sha256(row.raw).hexdigest() != row.digest or (read_object(row.raw).id, read_object(row.raw).version) != (
            row.id,
            row.version,
        ):
            yield f"{said} has other bytes than those that were meant."
        if {row.act is not None, row.at is not None} != {row.standing in OUT}:
            yield f"{said} names an act and an instant where it is not public, or none where it is."
        if (row.standing == PROVED) != (row.record is not None):
            yield f"{said} has a proof where it should have none, or none where it should have one."
        if row.act is not None:
            yield from _acted(look, row, said)
        if row.record is not None:
            bundle = PublicBundle.from_json(row.record)
            check_publication(bundle)
            if act_digest(bundle.act) != row.act or bundle.object != row.raw:
                yield f"{said} has the proof of another publication."

    yield from look.each(
        look.tx.find(Publication), lambda row: row.id, lambda row: f"The publication of {row.id}", check
    )


def _acted(look: Look, row: Publication, said: str) -> Iterator[str]:
    act = look.tx.get(ActRow, row.act)
    version = next((one for one in look.tx.find(Version, id=row.id) if one.raw == row.raw), None)
    if act is None or version is None or version.digest is None:
        yield f"{said} went out, and the act or the object is no longer here."
        return
    body = unverified_body(act.envelope, DSSE_KIND)[0]["body"]
    if (act.kind, act.at, body["object"], body["digest"]) != ("publish", row.at, row.id, version.digest.hex()):
        yield f"{said} names another act than the one by which it went out."
