"""Ministries that share dossiers under one agreement, with the real indicators of March 2021 at the first; the deeds of the desk.

Nothing of another desk is used: the incident is a STIX object that was taken in, a case is opened as the node opens it.
"""

from __future__ import annotations

from hashlib import sha256
from importlib.resources import as_file, files
from typing import Any, Final

import orjson

from comity.adapters.formats.source import Item, open_source
from comity.desks.attribution import DESK
from comity.kernel.procedure.calendar import after
from comity.kernel.procedure.charter import Charter
from comity.kernel.procedure.positions import Round
from comity.kernel.seal.canonical import canonical
from comity.kernel.store.rows import TABLES, Version
from comity.node.casework.acting import act, open_case
from comity.node.casework.keeping import case_row, state_of_case
from comity.node.deeds import deed
from comity.node.procedures import shipped_tables
from comity.node.record import log_facts
from simulators.deskroom import DeskRoom, clause
from simulators.world import SECOND

NAMES: Final = ("Xanadu", "Ypsilon", "Almara", "Belvia", "Cordia")
X, Y, A, B, C = NAMES
AMBER: Final = {"tlp": "amber", "purpose": ("attribution",), "basis": ("task-in-public-interest",)}
PARTS: Final = (
    *("technical-attributes", "scope-scale-impact", "wider-context"),
    *("consequences", "consultations-held", "alternative-hypotheses"),
)
"""As the norm lists them in the reference data; a test holds them equal."""

TYPES: Final = ("incident", *(kind.name for kind in DESK.kinds))
INCIDENT: Final = {
    "type": "incident",
    "spec_version": "2.1",
    "id": "incident--00000000-0000-4000-8000-000000000001",
    "created": "2021-03-02T00:00:00.000Z",
    "modified": "2021-03-02T00:00:00.000Z",
    "name": "Exploitation of mail servers",
}
STRETCHES: Final = {"commit": "PT48H", "open": "PT24H", "minimum": "PT24H", "case": "P30D", "convener-gone": "PT48H"}


class Ministries(DeskRoom):
    """A world of ministries; `incident` is held by the first, and so are the objects in `indicators`."""

    KIND = "ministry"
    STATED = AMBER
    GROUP = "attribution"
    incident: str = str(INCIDENT["id"])
    indicators: list[str]

    def open(self, *names: str, also: str = "identity") -> Ministries:
        """Found the nodes, introduce them, let them agree; the first takes in the incident and the real indicators.

        Args:
            also: One type more that they give each other.
        """
        shared = clause((also, *TYPES), "attribution", basis="task-in-public-interest")
        self.agreed(*names, clauses=shared)
        objects = exchange()
        self.put(names[0], INCIDENT, *objects)
        self.indicators = [str(one["id"]) for one in objects]
        return self

    def status(self, name: str, verb: str, /, **said: Any) -> int:
        """Its status."""
        return self.told(name, verb, **said).status

    def settle(self) -> None:
        """Some time, and everybody has everything."""
        self.at += 2 * SECOND
        self.sync(*self.nodes)

    def dossier(self, name: str = X, title: str = "Who exploited the mail servers") -> str:
        """A dossier of a node, a draft."""
        return str(self.tell(name, "open", title=title, incident=(self.incident,), **AMBER)["id"])

    def evidence(self, dossier: str, place: int, class_: str = "shared", say: str = "", **said: Any) -> str:
        """A piece of evidence at the first, resting on a real indicator."""
        asked = {"source": "B", "information": "2", "say": say or f"Evidence {place}.", **said}
        object = self.indicators[place]
        return str(self.tell(X, "evidence", dossier=dossier, object=object, class_=class_, **asked)["id"])

    def fill(self, dossier: str, *but: str) -> None:
        """Say every part but some."""
        for part in PARTS:
            if part not in but:
                self.tell(X, "part", dossier=dossier, part=part, say=f"{part} as we see it")

    def released(self, **stated: Any) -> str:
        """A dossier of the first that is ready and with everybody."""
        made = self.dossier()
        self.fill(made)
        self.tell(X, "ready", dossier=made, **stated)
        self.settle()
        return made

    def everything(self, name: str) -> bytes:
        """Every row of every table of a node's store, as bytes."""
        with self.nodes[name].store.read() as tx:
            return b"\n".join(_flat(row) for kind in TABLES for row in tx.find(kind))

    def count(self, name: str, id: str) -> int:
        """How many versions of an object a node holds."""
        with self.nodes[name].store.read() as tx:
            return tx.count(Version, id=id)

    def convene(self, shares: int = 3) -> str:
        """A round of positions of all, asked for by the first; so many shares open what its author does not. Its case."""
        table = shipped_tables()["committed-round"]
        with deed(self.nodes[X], "officer-1") as work:
            parties = tuple(sorted(node.party for node in self.nodes.values()))
            settings = {name: STRETCHES[name] for name in table.settings}
            charter = Charter(table.digest, log_facts(work.tx).origin, parties, settings)
            row = open_case(work, canonical(table.data), title="Who did it", charter=charter, officer="officer-1")
        self.settle()
        with deed(self.nodes[X], "officer-1") as work:
            row = case_row(work.tx, row.id)
            state = state_of_case(work.tx, row)
            due, calendar = state.participants, state.charter.calendar
            closes = after(work.at, STRETCHES["commit"], calendar)
            round = Round(row.id, 1, due, due, shares, closes, after(closes, STRETCHES["open"], calendar))
            content = {"question": "Who did it?", "round": round.form()}
            public = {"text": sha256(canonical(content)).hexdigest()}
            act(work, row, "ask", public, content, officer="officer-1")
        self.tick()
        return row.id

    def tick(self) -> None:
        """Every node does what it does by itself, and everybody has everything."""
        for _ in range(2):
            self.at += 2 * SECOND
            for node in self.nodes.values():
                with deed(node):
                    pass
            self.sync(*self.nodes)


def exchange() -> list[dict[str, Any]]:
    """The first of the real indicators of March 2021 that ship."""
    table = files("comity") / "data" / "exchange-2021" / "volexity-exchange-marauder-indicators.csv"
    with as_file(table) as path, path.open("rb") as stream:
        source = open_source(path.name, stream, party="identity--6c2b2b0e-6f2e-5a0c-9a3b-0d2c1b3a4f5e", at=0)
        items = [item for item in source if isinstance(item, Item)]
    return [orjson.loads(item.raw) for item in items[:8]]


def _flat(row: Any) -> bytes:
    fields = (getattr(row, name) for name in row.__dataclass_fields__)
    return b"|".join(one if isinstance(one, bytes) else str(one).encode() for one in fields)
