"""Foreign ministries that speak on one day: nodes under one arrangement, and the deeds of the desk as a face calls them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from comity.desks.statements import DESK
from comity.kernel.model.instants import HOUR, MINUTE, SECOND, Instant, format
from comity.kernel.store.memory import MemoryStore
from comity.kernel.store.rows import TABLES, Publication
from comity.node import publishing
from comity.node.deeds import deed
from simulators.deskroom import DeskRoom, clause

XANADU, YPSILON, ALMARA, BELVIA = NAMES = ("Xanadu", "Ypsilon", "Almara", "Belvia")
TYPES: Final = ("x-comity-statement", "x-comity-reply")
STATED: Final = {"tlp": "amber", "purpose": ("incident-response",), "basis": ("agreement",)}
TEXTS: Final = {
    XANADU: "Xanadu assesses that it is highly likely that a service of Nordmark did this.",
    YPSILON: "Ypsilon holds a ministry of Nordmark responsible, with high confidence.",
    ALMARA: "The activity was undertaken from the territory of Nordmark.",
    BELVIA: "Belvia stands with those who were affected.",
}
CLAIMS: Final[dict[str, dict[str, Any]]] = {
    XANADU: {"claim_level": "state-organ", "likelihood": "highly likely", "scale": "uk-phia", "confidence": "high"},
    YPSILON: {
        "claim_level": "state-organ",
        "likelihood": "almost certain",
        "scale": "us-icd-203",
        "confidence": "high",
    },
    ALMARA: {"claim_level": "territory", "likelihood": "likely", "scale": "icd-203", "confidence": "moderate"},
    BELVIA: {"claim_level": "solidarity"},
}


class Ministries(DeskRoom):
    """A world of ministries; `case`, `instant` and `statements` are those of the joint case that `together` makes."""

    KIND = "ministry"
    CLAUSE = clause(TYPES, "incident-response", onward="none")
    STATED = STATED
    GROUP = "statement"
    case: str = ""
    instant: Instant = 0
    statements: dict[str, str]

    def open(self, *names: str) -> Ministries:
        """Found the nodes, introduce them, let them agree."""
        self.agreed(*names)
        self.statements = {}
        return self

    def draft(self, name: str, **said: Any) -> str:
        """A draft of a party with the text and the claim of the story."""
        asked = {"title": f"Statement of {name}", "accused": "Nordmark", "language": "en", **CLAIMS[name], **STATED}
        made = self.tell(name, "draft", **{**asked, "text": TEXTS[name].encode(), **said})
        self.statements[name] = str(made["id"])
        return self.statements[name]

    def together(self, *names: str, hours: float = 1, by: str = XANADU, go: bool = True) -> str:
        """Drafts, a case convened by one, everybody joined and, unless `go` is False, everybody's go; gives the case."""
        for name in names:
            self.draft(name)
        self.instant = self.at + int(hours * HOUR)
        others = tuple(self.nodes[name].party for name in names if name != by)
        self.case = str(self.tell(by, "convene", title="One day", party=others, at=format(self.instant))["case"])
        self.sync(*names)
        for name in names:
            self.tell(name, "join", case=self.case, statement=self.statements[name])
            if go:
                self.tell(name, "go", case=self.case)
        self.sync(*names)
        return self.case

    def stands(self, seen_by: str) -> dict[str, str]:
        """How each party stands, by its name, as one sees it."""
        return {one["name"]: one["stands"] for one in self.tell(seen_by, "standing", case=self.case)["parties"]}

    def row(self, seen_by: str, party: str) -> dict[str, Any]:
        """What one sees of a party."""
        found = self.tell(seen_by, "standing", case=self.case)["parties"]
        return next(one for one in found if one["name"] == party)

    def tick(self, *names: str) -> None:
        """Each node does what its timer does: what fell due, and what the desk does by itself."""
        for name in names:
            with deed(self.nodes[name]):
                pass
            assert DESK.tends is not None
            DESK.tends(self.nodes[name])

    def pass_instant(self, *names: str) -> None:
        """To the instant, where every node's timer fires; then past the tick of the log, the reports, and what they set off."""
        self.at = max(self.at, self.instant)
        self.tick(*names)
        for _ in range(2):
            self.at += 2 * MINUTE
            self.tick(*names)
            self.sync(*names)

    def out(self, name: str) -> Publication | None:
        """What a party published of its statement, None where it did not."""
        with self.nodes[name].store.read() as tx:
            return publishing.published(tx, self.statements[name])

    def homes_with(self, words: bytes) -> list[str]:
        """The parties in whose store these bytes stand, in any column of any row."""
        return [name for name, node in self.nodes.items() if any(words in one for one in _everything(node.store))]


def _everything(store: Any) -> Iterator[bytes]:
    assert isinstance(store, MemoryStore)
    with store.read() as tx:
        for table in TABLES:
            for row in tx.find(table):
                for column in row.__dataclass_fields__:
                    value = getattr(row, column)
                    yield value if isinstance(value, bytes) else str(value).encode()


__all__ = [
    "ALMARA",
    "BELVIA",
    "HOUR",
    "MINUTE",
    "NAMES",
    "SECOND",
    "STATED",
    "TEXTS",
    "XANADU",
    "YPSILON",
    "Ministries",
]
