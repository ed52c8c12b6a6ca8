"""Seals: one signature over the commitment to one version of one object, and what role the sealer had.

`origin`: the sealer says it (and its card must list the object's `created_by_ref`, which is for the caller to
check); `custody`: it came unsealed; `anonymous`: a source that the sealer does not name stands behind it. Where it
came from is a salted commitment in every seal, also in an origin one, whose commitment is to nothing: only the salt
tells. The salt comes from the signing key, not from the seed, because the seed goes out with a full view.

The body is {form, role, party, id, version, digest, at, markings, source} (docs/formats/seal.md). `markings` counts
the elements of `object_marking_refs`, so that a relay cannot drop a marking and call it redaction.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, cast

from comity.kernel.errors import InputRefused, SealBroken, Usage
from comity.kernel.model.ids import type_of
from comity.kernel.model.instants import Instant, format, parse
from comity.kernel.seal.commitment import Commitment, commit, digest_of, reopen
from comity.kernel.seal.dsse import open_envelope, sign, unverified_body
from comity.kernel.seal.keys import PublicKey, SigningKey
from comity.kernel.seal.secrecy import bind, check_opening

Role = Literal["origin", "custody", "anonymous"]
ROLES: Final = frozenset({"origin", "custody", "anonymous"})
FORM: Final = 1

_SOURCE: Final = "comity/source/1"
_HASH: Final = re.compile(r"[0-9a-f]{64}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Sealed:
    """A new seal: its envelope, the commitment to keep (its seed opens every leaf), the 16-byte salt that opens the
    source."""

    envelope: bytes
    commitment: Commitment
    source_salt: bytes


@dataclass(frozen=True, slots=True)
class VerifiedSeal:
    """A seal that held for a view: who, as what, which object and version (None: it has none), and how many leaves
    are hidden."""

    party: str
    role: Role
    id: str
    version: str | None
    digest: bytes
    at: Instant
    removed: int
    signer: str
    source: bytes


def version_of(data: Mapping[str, Any]) -> str | None:
    """`modified`, else `created`, as it is written in the object; None for a cyber-observable object, which has
    neither."""
    version = data.get("modified", data.get("created"))
    return version if isinstance(version, str) else None


def seal(
    data: Mapping[str, Any],
    *,
    seed: bytes,
    role: Role,
    party: str,
    key: SigningKey,
    at: Instant,
    source: str | None = None,
) -> Sealed:
    """Seal one version of an object with the party's node key.

    Args:
        data: The object, as decoded from its bytes; a view's own extension in it is not sealed.
        seed: 32 random bytes, fresh for each seal.
        role: What the sealer is to the object.
        party: The sealer's party id.
        at: The instant of sealing.
        source: For `custody` from whom it came, for `anonymous` the id of the original; None for `origin`, or where
            unknown.

    Raises:
        Usage: `seal-call` for an unknown role, a source of an origin seal, or an anonymous seal without original;
        `seed-size`. InputRefused: `not-canonical`, `not-sealable`.
    """
    if role not in ROLES or (role == "origin" and source is not None) or (role == "anonymous" and source is None):
        raise Usage("seal-call", f"A seal of role {role!r} cannot be made with source {source!r}.")
    stix_id = data.get("id")
    if not isinstance(stix_id, str):
        raise InputRefused("not-sealable", "The object has no id, so a seal could not name it.", clause="STIX 2.1 §2.9")
    commitment = commit(data, seed)
    salt = key.derive(b"source", seed)[:16]
    body = {
        "form": FORM,
        "role": role,
        "party": party,
        "id": stix_id,
        "version": version_of(data),
        "digest": commitment.digest.hex(),
        "at": format(at),
        "markings": _markings(data),
        "source": bind(salt, _SOURCE, source).hex(),
    }
    return Sealed(sign("seal", body, (key,)), commitment, salt)


def claimed_party(envelope: bytes) -> str:
    """The party a seal claims to be by, before it is verified: whose card to look up.

    Raises:
        SealBroken: `envelope-malformed`, `wrong-type`, `envelope-not-canonical`, `seal-malformed`.
    """
    body, _ = unverified_body(envelope, "seal")
    return _text(body, "party")


def claimed_role(envelope: bytes) -> str:
    """The role in which a seal claims to be made, before it is verified.

    Raises:
        SealBroken: as `claimed_party`.
    """
    body, _ = unverified_body(envelope, "seal")
    return _text(body, "role")


def claimed(envelope: bytes) -> tuple[str, Instant]:
    """The party and the instant a seal claims, before it is verified: whose keys, valid when, it is verified with.

    Raises:
        SealBroken: as `claimed_party`.
    """
    body, _ = unverified_body(envelope, "seal")
    return _text(body, "party"), _instant(body)


def verify_seal(
    envelope: bytes, view_data: Mapping[str, Any], disclosed: Sequence[Mapping[str, Any]], keys: Mapping[str, PublicKey]
) -> VerifiedSeal:
    """Verify that this view is of what its sealer sealed: nothing added, changed or moved, no marking gone.

    Args:
        keys: The node keys of the party the seal claims that were valid when it claims (`claimed`); this function
            does not know whose they are.

    Raises:
        SealBroken: whatever does not hold, with its code; never another exception, whatever the view and disclosure
        are.
    """
    opened = open_envelope(envelope, "seal", keys)
    body = opened.body
    role, claimed, form = _text(body, "role"), _text(body, "digest"), body.get("form")
    if type(form) is not int or form != FORM or role not in ROLES or _HASH.fullmatch(claimed) is None:
        raise SealBroken(
            "seal-malformed", "The seal has a form, role or digest that this node does not know; ask for a newer node."
        )
    party, stix_id, version, at = _text(body, "party"), _text(body, "id"), body.get("version"), _instant(body)
    source = _text(body, "source")
    if (
        type_of(party) != "identity"
        or not (version is None or isinstance(version, str))
        or _HASH.fullmatch(source) is None
    ):
        raise SealBroken(
            "seal-malformed", "The seal has a party, version or source of the wrong form; ask its party to seal again."
        )
    if not isinstance(view_data, dict):
        raise SealBroken("view-not-opened", "The view is not a JSON object; ask the sender for it again.")
    removed = 0
    if isinstance(disclosed, list | tuple) and len(disclosed) == 1:
        digest = digest_of(view_data, disclosed)
    else:
        known = reopen(view_data, disclosed)
        digest, removed = known.digest, known.hidden
        if "object_marking_refs" in view_data and all(
            entry.here != ("object_marking_refs", "#") for entry in known.entries
        ):
            raise SealBroken(
                "marking-removed",
                "The view shows only some of the object's markings; refuse it and ask the sender why.",
            )
    if digest.hex() != claimed:
        raise SealBroken(
            "commitment-broken",
            f"What is shown of {stix_id} is not what was sealed; do not rely on it.",
            id=stix_id,
            signer=party,
        )
    if view_data.get("id") != stix_id or version_of(view_data) != version:
        raise SealBroken(
            "seal-other-object",
            f"The seal names {stix_id} in version {version}, which is not what is shown.",
            id=stix_id,
        )
    if "markings" in body and body["markings"] != _markings(view_data):
        raise SealBroken(
            "marking-removed",
            "The view lacks markings that the object carried when sealed; refuse it and ask the sender why.",
        )
    return VerifiedSeal(
        party, cast(Role, role), stix_id, version, digest, at, removed, opened.signers[0], bytes.fromhex(source)
    )


def check_source(verified: VerifiedSeal, source: str | None, salt: bytes) -> None:
    """Return if a seal's source, opened to an auditor, is what was committed to.

    Raises:
        SealBroken: `opening-refused`.
    """
    check_opening(verified.source, salt, _SOURCE, source)


def _markings(data: Mapping[str, Any]) -> int:
    refs = data.get("object_marking_refs")
    return len(refs) if isinstance(refs, list | tuple) else 0


def _text(body: Mapping[str, Any], name: str) -> str:
    value = body.get(name)
    if not isinstance(value, str):
        raise SealBroken("seal-malformed", f"The seal has no {name}; ask its party to seal the object again.")
    return value


def _instant(body: Mapping[str, Any]) -> Instant:
    try:
        return parse(_text(body, "at"))
    except InputRefused as broken:
        raise SealBroken(
            "seal-malformed", "The seal names no real instant; ask its party to seal the object again."
        ) from broken
