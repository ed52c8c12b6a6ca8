"""Three parties that share one directory: an agreement over the desk's kinds, and the desk's deeds by the words of their commands."""

from __future__ import annotations

from typing import Any

from comity.desks.directory import DESK
from comity.kernel.release.templates import directory
from comity.node.desk import Told, carry_out
from simulators.world import World

STATED: dict[str, Any] = {"tlp": "green", "basis": ["agreement"], "purpose": ["incident-response"]}
"""What an officer states about contacts that the agreement lets go."""

DEEDS = {one.name: one for one in DESK.deeds}


class Directory(World):
    """Team A, Team B and Team C under the directory template, Friday 5 March 2021, noon."""

    def __init__(self, *names: str, **more: Any) -> None:
        super().__init__(**more)
        self.names = names or ("Team A", "Team B", "Team C")
        for number, name in enumerate(self.names):
            self.node(name, country=f"X{'ABCDEFG'[number]}")
        self.introduce(*self.names)
        self.agreement = self.agree(directory(self.parties(*self.names), enters_into_force=self.at), *self.names)

    def do(self, name: str, words: str, /, **said: Any) -> Told:
        """One deed of a party's desk, with what is stated about contacts where the deed asks for it."""
        item = DEEDS[words]
        if "tlp" in item.asks.__struct_fields__:
            said = {**STATED, **said}
        return carry_out(self.nodes[name], item, said, "officer-1")

    def all(self) -> None:
        """Everybody exchanges with everybody."""
        self.sync(*self.names)
