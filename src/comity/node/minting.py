"""Minting: objects of our own, made by a desk, kept as an officer's own work, and read back with who says what.

A kind is a STIX 2.1 object type of ours, declared by an extension definition of type ``new-sdo`` with a JSON Schema, so any STIX tool
keeps it. What we mint names us in `created_by_ref`, carries its TLP in its bytes and stands under a handling; a later version
has the same id and a later `modified`. Source: STIX 2.1 §7.3 (extension definitions), §3.6 (versioning).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Any, Final
from uuid import UUID

import msgspec

from comity.kernel.errors import InputRefused, NotAllowed, NotFound
from comity.kernel.model.definitions import extension
from comity.kernel.model.ids import minted, type_of
from comity.kernel.model.instants import Instant, format
from comity.kernel.model.objects import StixObject, from_data, read_object
from comity.kernel.release.handling import Handling
from comity.kernel.release.markings import marked
from comity.kernel.release.vocabulary import TLP
from comity.kernel.seal.canonical import canonical
from comity.kernel.store.ports import Reading
from comity.kernel.store.rows import Batch, Holding, StandIn, Version
from comity.node.batches import new_batch
from comity.node.catchup import finish
from comity.node.context import Deed, Node
from comity.node.mandates import needs
from comity.node.objects import Incoming, class_facets, keep

MILLISECOND: Final = 1_000
"""In microseconds; STIX compares versions by it."""

_STIX: Final = frozenset(
    {
        *(
            "type",
            "spec_version",
            "id",
            "created_by_ref",
            "created",
            "modified",
            "revoked",
            "labels",
            "confidence",
            "lang",
        ),
        *("external_references", "object_marking_refs", "granular_markings", "extensions"),
    }
)
"""The common properties of STIX 2.1 §3.2."""


@dataclass(frozen=True, slots=True)
class Kind:
    """An object type of ours.

    Args:
        name: The STIX type, ``x-comity-...``.
        about: What it is, one sentence.
        says: Its own properties, beside the common ones of STIX: a Struct that forbids unknown fields and leaves out defaults.
        page: Where the format is told.
        published: The id of the extension definition where somebody else published it: the type is theirs, so is its definition,
            and we mint none.
        form: ``new-sdo``, or ``property-extension`` for properties of ours on objects of any type.
    """

    name: str
    about: str
    says: type[msgspec.Struct]
    page: str
    published: str | None = None
    form: str = "new-sdo"

    @property
    def extension(self) -> str:
        """The id of the extension definition that declares it."""
        return self.published or minted("extension-definition", self.name)

    def definition(self) -> bytes:
        """The extension definition, canonical JSON."""
        return canonical(extension(self.name, self.form, self.about, self.page))

    def read(self, data: Mapping[str, Any]) -> Any:
        """What an object of this kind says.

        Raises:
            InputRefused: `desk-object` where it does not have the form of its kind; the object stays as it came.
        """
        said = {name: value for name, value in data.items() if name not in _STIX}
        if "type" in data and self.form == "new-sdo" and not isinstance(data.get("modified"), str):
            raise InputRefused(
                "desk-object", f"{data.get('id')} is no {self.name} as {self.page} shows it: it has no modified."
            )
        try:
            return msgspec.convert(said, self.says)
        except msgspec.ValidationError as broken:
            raise InputRefused(
                "desk-object", f"{data.get('id')} is no {self.name} as {self.page} shows it: {broken}."
            ) from broken


@dataclass(frozen=True, slots=True)
class Seen:
    """The newest version of an object as one source has it here.

    Args:
        originator: Whose word it is (an uncontested seal of origin, or our own); None: unattributed.
        custodian: From whom it came; our own id for what we took in.
        tlp: Its effective TLP; None: unmarked.
    """

    data: Mapping[str, Any]
    version: int
    originator: str | None
    custodian: str
    title: str | None
    tlp: str | None
    at: Instant

    @property
    def id(self) -> str:
        """The object's id."""
        return str(self.data["id"])


def new_object(node: Node, kind: Kind, says: msgspec.Struct, at: Instant, *, draw: str) -> dict[str, Any]:
    """A new object of a kind: the common properties, and what it says.

    Args:
        draw: What the random id is drawn for (`Node.random`).
    """
    return {
        "type": kind.name,
        "spec_version": "2.1",
        "id": f"{kind.name}--{UUID(bytes=node.random(16, draw), version=4)}",
        "created_by_ref": node.party,
        "created": format(at - at % MILLISECOND),
        "modified": format(at - at % MILLISECOND),
        **msgspec.to_builtins(says),
        "extensions": {kind.extension: {"extension_type": kind.form}},
    }


def next_version(before: Mapping[str, Any], says: Mapping[str, Any], at: Instant) -> dict[str, Any]:
    """A later version of an object: these properties instead, None takes one out; `modified` rises."""
    last = read_object(canonical(dict(before))).version or 0
    data = {**before, **says, "modified": _after(at, last)}
    return {name: value for name, value in data.items() if value is not None}


def _after(at: Instant, last: Instant) -> str:
    return format(max(at - at % MILLISECOND, last - last % MILLISECOND + MILLISECOND))


def mint(
    work: Deed, objects: Sequence[Mapping[str, Any]], handling: Handling, *, name: str, kinds: Iterable[Kind] = ()
) -> list[StixObject]:
    """Keep objects of our own within a deed, with the definitions of their kinds, and let them go where they may.

    Args:
        objects: As `new_object` and `next_version` give them, or standard STIX objects; the TLP of the handling is put into their
            bytes.
        handling: What the officer states; `own` is added.
        name: The name of the batch.

    Raises:
        InputRefused: as the validation of STIX says; nothing is kept then. NotAllowed: `mandate-ceiling` where an officer releases
        what is above the mandate.
    """
    own = replace(handling, own=True, by=work.officer, at=work.at)
    if work.acting is not None and work.acting.kind == "release":
        needs(work, work.officer, "tlp", own.tlp or TLP[-1])
    made = [from_data(marked(data, own.tlp)) for data in objects]
    ours = [kind for kind in kinds if kind.published is None]
    present = {row.id for row in work.tx.find_in(Version, "id", [kind.extension for kind in ours])}
    lacking = [kind.definition() for kind in ours if kind.extension not in present]
    if lacking:
        free = Handling(tlp="clear", caveats=frozenset())
        _keep(work, [read_object(raw) for raw in lacking], free, name="extension definitions")
    _keep(work, made, own, name=name)
    return made


def _keep(work: Deed, objects: Sequence[StixObject], handling: Handling, *, name: str) -> None:
    digest = sha256(canonical([one.id for one in objects]) + str(work.at).encode()).hexdigest()
    batch = new_batch(
        work, Batch(0, name, "desk", digest, work.officer, work.at, len(objects), 0, b"{}", work.at), handling
    )
    kept = keep(
        work,
        [Incoming(one) for one in objects],
        batch=batch,
        custodian=work.node.party,
        title=None,
        handlings=(handling,),
    )
    finish(work, replace(batch, moved=canonical(sorted(kept.moved))))


def newest(tx: Reading, us: str, kind: str, *, id: str | None = None) -> list[Seen]:
    """The newest version of each object of a type here, one for each source it came from; ours first, then as they came.

    An object that somebody took back is not there any more. What stands in for another to hide its source is left out.
    """
    found: dict[tuple[str, str], tuple[int, Seen]] = {}
    versions = tx.find(Version, id=id) if id is not None else tx.find(Version, type=kind, order=("n",))
    for row in versions:
        if row.type != kind or tx.get(StandIn, row.n) is not None:
            continue
        for holding in tx.find(Holding, version=row.n, ended=None):
            facets = class_facets(tx, holding.cls)
            seen = Seen(
                msgspec.json.decode(row.raw),
                row.n,
                facets.originator,
                holding.custodian,
                holding.title,
                facets.tlp,
                holding.at,
            )
            key = row.id, holding.custodian
            before = found.get(key)
            if before is None or (before[0], before[1].version) < (row.modified, row.n):
                found[key] = row.modified, seen
    return sorted((seen for _, seen in found.values()), key=lambda one: (one.custodian != us, one.version))


def our_own(tx: Reading, us: str, id: str) -> Seen:
    """The newest version of an object of ours, to be changed.

    Raises:
        NotFound: `no-such-object`. NotAllowed: `not-ours`.
    """
    kind = type_of(id)
    seen = [] if kind is None else newest(tx, us, kind, id=id)
    if not seen:
        raise NotFound("no-such-object", f"No object {id} is held here.")
    own = next((one for one in seen if one.custodian == us and one.data.get("created_by_ref") == us), None)
    if own is None:
        raise NotAllowed(
            "not-ours", f"{id} is another party's word; say what you think of it in an object of your own."
        )
    return own
