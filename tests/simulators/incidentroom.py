"""A room of nodes that share incidents: the community template with one clause more, and the deeds of the desks as a face calls them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from comity.desks import desks
from comity.kernel.release.templates import community
from comity.node.agreements import need_agreement
from comity.node.desk import carry_out
from comity.node.instruments import accede, admit, receive
from simulators.world import SECOND, World

TYPES: Final = (
    *("incident", "event", "task", "impact", "sighting", "indicator", "vulnerability"),
    *("x-comity-status", "x-comity-severity", "x-comity-clock-mark", "x-comity-told-list"),
    *("x-comity-assistance-request", "x-comity-assistance-offer", "x-comity-assistance-answer"),
    *("x-comity-territory-notice", "x-comity-territory-answer"),
    *("x-comity-vulnerability-notice", "x-comity-advisory"),
)
CLAUSE: Final = f"""
[[clause]]
number     = "3"
says       = "permit"
from       = ["members"]
to         = ["members"]
types      = [{", ".join(f'"{one}"' for one in TYPES)}]
tlp        = ["clear", "green", "amber"]
view       = "full"
purpose    = ["incident-response"]
basis      = ["agreement"]
onward     = "members"
retention  = "P1Y"
"""
AMBER: Final = {"tlp": "amber", "purpose": ("incident-response",), "basis": ("agreement",)}
GREEN: Final = {**AMBER, "tlp": "green"}
"""The incident itself is green, so that every member may name it to every other; its parts may be amber."""
KEPT: Final = {"tlp": "amber+strict", "purpose": ("incident-response",), "basis": ("agreement",)}
"""Stated so, an object goes to nobody in the room."""

DEEDS: Final = {item.name: item for desk in desks() for item in desk.deeds}


class Room(World):
    """A world whose nodes are members of one agreement on incidents; `agreement` is its digest."""

    agreement: str = ""

    def open(self, *names: str) -> Room:
        """Found the nodes, introduce them, let them agree."""
        for number, name in enumerate(names):
            self.node(name, country=f"X{chr(ord('A') + number)}")
        self.introduce(*names)
        text = community(self.parties(*names), enters_into_force=self.at) + CLAUSE
        self.agreement = self.agree(text, *names)
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

    def tell(self, name: str, deed: str, /, *, dry: bool = False, **said: Any) -> dict[str, Any]:
        """One deed of a desk at a node, as every face calls it; gives its shape."""
        return dict(carry_out(self.nodes[name], DEEDS[deed], said, "officer-1", dry=dry).shape)

    def lines(self, name: str, deed: str, /, **said: Any) -> list[str]:
        """What a person sees of it."""
        return list(carry_out(self.nodes[name], DEEDS[deed], said, "officer-1").lines)

    def id(self, name: str) -> str:
        """The party id of a node."""
        return self.nodes[name].party

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

    def put(self, name: str, *objects: Mapping[str, Any], **stated: Any) -> None:
        """Objects as some other program made them, at a node."""
        more = {**{key: list(value) if isinstance(value, tuple) else value for key, value in AMBER.items()}, **stated}
        self.take(name, *(dict(one) for one in objects), caveats=[], **more)
