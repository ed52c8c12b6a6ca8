"""A room of nodes that share incidents: the community template with one clause more, and the deeds of the desks as a face calls them."""

from __future__ import annotations

from typing import Any, Final

from comity.node.agreements import need_agreement
from comity.node.instruments import accede, admit, receive
from simulators.deskroom import DEEDS, DeskRoom, clause
from simulators.world import SECOND

TYPES: Final = (
    *("incident", "event", "task", "impact", "sighting", "indicator", "vulnerability"),
    *("x-comity-status", "x-comity-severity", "x-comity-clock-mark", "x-comity-told-list"),
    *("x-comity-assistance-request", "x-comity-assistance-offer", "x-comity-assistance-answer"),
    *("x-comity-territory-notice", "x-comity-territory-answer"),
    *("x-comity-vulnerability-notice", "x-comity-advisory"),
)
AMBER: Final = {"tlp": "amber", "purpose": ("incident-response",), "basis": ("agreement",)}
GREEN: Final = {**AMBER, "tlp": "green"}
"""The incident itself is green, so that every member may name it to every other; its parts may be amber."""
KEPT: Final = {"tlp": "amber+strict", "purpose": ("incident-response",), "basis": ("agreement",)}
"""Stated so, an object goes to nobody in the room."""


class Room(DeskRoom):
    """A world whose nodes are members of one agreement on incidents; `agreement` is its digest."""

    CLAUSE = clause(TYPES, "incident-response", retention="P1Y")
    STATED = AMBER

    def open(self, *names: str) -> Room:
        """Found the nodes, introduce them, let them agree."""
        self.agreed(*names)
        return self

    def join(self, name: str, *members: str) -> None:
        """A late joiner: introduced, acceding, admitted by all members."""
        self.node(name, country="XZ")
        self.introduce(name, *members)
        with self.nodes[members[0]].store.read() as tx:
            form = need_agreement(tx, self.agreement).form
        receive(self.nodes[name], form)
        accede(self.nodes[name], self.agreement, officer="officer-1")
        self.sync(name, *members)
        for member in members:
            admit(self.nodes[member], self.agreement, self.nodes[name].party, officer="officer-1")
            self.sync(*members)
        self.at += SECOND
        self.sync(name, *members)

    def new(self, name: str = "Team A", title: str = "Mail servers", **said: Any) -> str:
        """An incident of a node, given to all."""
        made = self.tell(name, "incident open", name=title, **{**GREEN, **said})
        return str(made["object"])

    def picture(self, name: str, incident: str) -> dict[str, Any]:
        """The picture as one node sees it."""
        return self.tell(name, "incident picture", incident=incident)

    def says(self, name: str, incident: str) -> dict[str, str]:
        """What each party says in the picture a node sees, by its name."""
        return {line["name"]: line["says"] for line in self.picture(name, incident)["parties"]}


__all__ = ["AMBER", "DEEDS", "GREEN", "KEPT", "Room"]
