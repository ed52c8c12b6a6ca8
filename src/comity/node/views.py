"""What a reader sees of a version: the bytes of the view its row names, and the disclosure by which the view still verifies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
from comity.kernel.store.rows import HandlingRow, Holding, Sealing, StandIn, StreamRow, Version
from comity.node.agreements import view_named
from comity.node.context import Deed
from comity.node.objects import handlings_for
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


class Seals:
    """The seals over what rows of a stream give: ours, made when a version is first released, where it came without one.

    What they need to know is asked of the store once for all rows, and what was made is written at once by `keep`.

    Args:
        versions: The versions of the rows, by number.
    """

    def __init__(self, deed: Deed, rows: Sequence[StreamRow], versions: Mapping[int, Version]) -> None:
        tx, self._deed = deed.tx, deed
        bare = {row.version: row for row in rows if row.ended is None and versions[row.version].seal is None}
        stands = list(tx.find_in(StandIn, "version", bare))
        originals = {one.n: one.id for one in tx.find_in(Version, "n", {one.original for one in stands})}
        self._originals = {one.version: originals[one.original] for one in stands}
        self._batches = {one.h: one.batch for one in tx.find_in(Holding, "h", {row.holding for row in bare.values()})}
        self._spoken = {one.target for one in tx.find_in(HandlingRow, "target", {row.object for row in bare.values()})}
        self._identities = frozenset(need_card(tx, deed.node.party).identities) if bare else frozenset()
        self._own: dict[int, bool] = {}
        self._made: list[tuple[Version, Sealing]] = []

    def over(self, row: StreamRow, version: Version) -> Version:
        """The row's version with a seal over it."""
        if version.seal is not None:
            return version
        original = self._originals.get(version.n)
        if original is not None:
            role: Role = "anonymous"
        else:
            role = self._role(row, read_json(version.raw).get("created_by_ref"))
        made = _sealed(self._deed, version, role, original)
        self._made.append(made)
        return made[0]

    def keep(self) -> None:
        """Write the seals that were made."""
        self._deed.tx.put(*(version for version, _ in self._made))
        self._deed.tx.add(sealing for _, sealing in self._made)

    def _role(self, row: StreamRow, creator: str | None) -> Role:
        if creator is None:
            return "origin" if self._stated_own(self._batches[row.holding], row.object) else "custody"
        return "origin" if creator in self._identities else "custody"

    def _stated_own(self, batch: int, identity: str) -> bool:
        """Whether officers stated that a batch, or the object itself, is our own work."""
        if batch not in self._own:
            self._own[batch] = any(one.own for one in handlings_for(self._deed.tx, "", [batch]))
        return self._own[batch] or (
            identity in self._spoken and any(one.own for one in handlings_for(self._deed.tx, identity, []))
        )


def seal_own(deed: Deed, version: Version) -> tuple[Version, Sealing]:
    """A version of our own word with our seal of origin over it, and what the seal was made with; both are yet to be written."""
    return _sealed(deed, version, "origin", None)


def _sealed(deed: Deed, version: Version, role: Role, original: str | None) -> tuple[Version, Sealing]:
    node = deed.node
    seed = node.random(32, f"seal/{version.id}/{version.modified}")
    made = seal(
        read_json(version.raw),
        seed=seed,
        role=role,
        party=node.party,
        key=node.keys.node,
        at=deed.at,
        source=original,
    )
    opened = canonical(disclosure(made.commitment, EVERYTHING))
    source = canonical({"salt": made.source_salt.hex(), "source": original})
    return (
        replace(version, digest=made.commitment.digest, seal=made.envelope, disclosure=opened),
        Sealing(version.n, seed, source),
    )


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
