"""A room of nodes that share incidents and measures: the community template with a clause for measures, and the deeds of the desks."""

from __future__ import annotations

from typing import Any, Final

from comity.kernel.model.instants import DAY, HOUR, MINUTE, SECOND
from comity.node.stating import instant
from simulators.deskroom import DeskRoom, clause

TYPES: Final = (
    *("incident", "grouping", "indicator", "report", "x-comity-measure", "x-comity-measure-step", "x-comity-joining"),
    *("x-comity-measure-effect", "x-comity-listing-proposal", "x-comity-listing-step"),
)
GREEN: Final = {"tlp": "green", "purpose": ("diplomatic-response",), "basis": ("agreement",)}
KEPT: Final = {**GREEN, "tlp": "amber+strict"}
"""Stated so, an object goes to nobody in the room."""

INCIDENT: Final = "incident--00000000-0000-4000-8000-000000000001"

VOTE: Final = ("vote=PT48H", "case=P30D", "convener-gone=P7D")
SILENCE: Final = ("silence=PT24H", "minimum=PT12H", "case=P30D", "convener-gone=P7D")


class Room(DeskRoom):
    """A world whose nodes are members of one agreement, with one incident that all of them have."""

    KIND = "ministry"
    CLAUSE = clause(TYPES, "diplomatic-response")
    STATED = GREEN

    def open(self, *names: str) -> Room:
        """Found the nodes, introduce them, let them agree; the first one gives the incident to all."""
        self.agreed(*names)
        self.incident(names[0])
        self.sync(*names)
        return self

    def incident(self, name: str) -> None:
        """An incident of a node, as another program made it."""
        made = {
            "type": "incident",
            "spec_version": "2.1",
            "id": INCIDENT,
            "created": "2021-03-03T00:00:00.000Z",
            "modified": "2021-03-03T00:00:00.000Z",
            "created_by_ref": self.id(name),
            "name": "Mail servers",
        }
        self.put(name, made)

    def propose(self, name: str, option: str = "S3", **said: Any) -> str:
        """A measure of a node, given to all by the next sync."""
        words = {"title": "Joint demarche", "incident": (INCIDENT,), "review": "2021-06-01", **GREEN, **said}
        return str(self.tell(name, "measure propose", option=option, **words)["id"])

    def decide(self, name: str, measure: str, rule: str, *parties: str) -> str:
        """A decision convened by a node, as all of them then have it."""
        stretches = {"silence": SILENCE, "unanimity": VOTE[1:]}.get(rule, VOTE)
        case = self.tell(name, "measure decide", measure=measure, rule=rule, party=parties, set=stretches)["case"]
        self.sync(name, *parties)
        return str(case)

    def adopted(self, name: str, *parties: str, option: str = "S3", **said: Any) -> str:
        """A measure that all of these adopted by unanimity."""
        measure = self.propose(name, option, **said)
        self.sync(name, *parties)
        case = self.decide(name, measure, "unanimity", *parties)
        for one in (name, *parties):
            self.tell(one, "measure vote", case=case, for_=True)
            self.sync(name, *parties)
        self.wait(MINUTE, name, *parties)
        return measure

    def wait(self, time: int, *names: str) -> None:
        """Let time pass, and what falls due be done."""
        self.at += time
        self.sync(*names)
        self.at += SECOND
        self.sync(*names)

    def until(self, text: str) -> None:
        """Go to an instant."""
        self.at = instant(text, "until")

    def shown(self, name: str, id: str) -> dict[str, Any]:
        """A measure or a listing as a node shows it."""
        return self.tell(name, "measure show", id=id)


__all__ = ["DAY", "GREEN", "HOUR", "INCIDENT", "KEPT", "MINUTE", "SECOND", "Room"]
