"""What a reader sees of a version: the bytes of the view its row names, and the disclosure by which the view still verifies."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import msgspec

from comity.kernel.model.references import references
from comity.kernel.model.strictjson import read as read_json
from comity.kernel.seal.canonical import canonical
from comity.kernel.seal.commitment import EVERYTHING, Commitment, commit, disclosure, reopen
from comity.kernel.seal.seals import Role, seal
from comity.kernel.seal.views import BUILT_IN, FULL, View, Withheld, redact
from comity.kernel.store.ports import Reading
from comity.kernel.store.rows import Sealing, StandIn, StreamRow, Version
from comity.node.agreements import view_named
from comity.node.context import Deed
from comity.node.parties import need_card


@dataclass(frozen=True, slots=True)
class Shown:
    """A version as one reader sees it: its bytes, the leaves that stay, how many references are hidden."""

    raw: bytes
    shown: frozenset[Any] | None
    hidden: int


def view_of(tx: Reading, title: str, name: str) -> View:
    """The view of that name: a built-in one, or the one the agreement of the title defines."""
    found = BUILT_IN.get(name)
    return found if found is not None else view_named(tx, title.partition("#")[0], name)


def show(version: Version, view: View, hidden: frozenset[str], clause: str) -> Shown | Withheld:
    """Cut a version down to a view in which the references to `hidden` ids do not stand.

    Returns:
        The bytes as received where nothing is taken out, else the canonical bytes of the view; or why it cannot be shown.
    """
    if view == FULL and not hidden:
        return Shown(version.raw, None, 0)
    data = read_json(version.raw)
    places: dict[Any, int] = {}
    for ref in references(data):
        if ref.kind == "object" and ref.target in hidden:
            place = _place(data, ref.property, ref.path)
            places[place] = places.get(place, 0) + 1
    cut = redact(data, view, hide_refs=places, clause=clause)
    if isinstance(cut, Withheld):
        return cut
    if not cut.removed:
        return Shown(version.raw, None, 0)
    return Shown(canonical(cut.data), cut.shown, cut.hidden_refs)


def _place(data: dict[str, Any], name: str, path: str) -> Any:
    """Where `redact` finds a reference: the property, (list property, index) or ("extensions", key)."""
    rest = path[len(name) :].lstrip(".")
    if name == "extensions":
        key = next((key for key in data[name] if rest == key or rest.startswith(f"{key}.")), rest)
        return (name, key)
    if rest.startswith("[") and isinstance(data.get(name), list):
        return (name, int(rest[1 : rest.index("]")]))
    return name


def show_row(tx: Reading, row: StreamRow, version: Version | None = None) -> Shown | Withheld:
    """What a row of a stream shows; `version` is the row's, where it is at hand."""
    version = tx.get(Version, row.version) if version is None else version
    assert version is not None, "a row names a version that exists"
    hidden: list[str] = msgspec.json.decode(row.hidden)
    return show(version, view_of(tx, row.title, row.view), frozenset(hidden), row.title)


def sealed(deed: Deed, version: Version, *, own: Callable[[], bool], source: str | None) -> Version:
    """The version with a seal over it; made by us when it is first released, if it did not come with one.

    Args:
        own: Tells whether an officer stated that it is our own work (for what has no `created_by_ref`).
        source: From whom it came unsealed, where that is known.
    """
    if version.seal is not None:
        return version
    node = deed.node
    data = read_json(version.raw)
    seed = node.random(32, f"seal/{version.id}/{version.modified}")
    stands = deed.tx.get(StandIn, version.n)
    original = None if stands is None else deed.tx.get(Version, stands.original)
    role: Role = "anonymous" if original is not None else _role(deed, data, own)
    source = source if original is None else original.id
    made = seal(
        data,
        seed=seed,
        role=role,
        party=node.party,
        key=node.keys.node,
        at=deed.at,
        source=source if role != "origin" else None,
    )
    version = replace(
        version,
        digest=made.commitment.digest,
        seal=made.envelope,
        disclosure=canonical(disclosure(made.commitment, EVERYTHING)),
    )
    deed.tx.put(version)
    deed.tx.add([Sealing(version.n, seed, canonical({"salt": made.source_salt.hex(), "source": source}))])
    return version


def _role(deed: Deed, data: dict[str, Any], own: Callable[[], bool]) -> Role:
    creator = data.get("created_by_ref")
    if creator is None:
        return "origin" if own() else "custody"
    return "origin" if creator in need_card(deed.tx, deed.node.party).identities else "custody"


def disclosed(tx: Reading, version: Version, shown: Shown) -> bytes:
    """The disclosure that belongs to what is shown of a sealed version, JSON."""
    assert version.disclosure is not None, "a sealed version has its disclosure"
    if shown.shown is None:
        return version.disclosure
    return canonical(disclosure(_commitment(tx, version), shown.shown))


def _commitment(tx: Reading, version: Version) -> Commitment:
    data = read_json(version.raw)
    sealing = tx.get(Sealing, version.n)
    if sealing is not None:
        return commit(data, sealing.seed)
    return reopen(data, msgspec.json.decode(version.disclosure or b"[]"))
