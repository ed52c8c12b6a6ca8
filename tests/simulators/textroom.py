"""A room of nodes that negotiate texts: the community template with a clause for them, and the deeds of the desk."""

from __future__ import annotations

from typing import Any, Final

from simulators.deskroom import DeskRoom, clause

STATED: Final = {"tlp": "green", "purpose": ("diplomatic-response",), "basis": ("agreement",)}


class Room(DeskRoom):
    """A world whose nodes are members of one agreement."""

    KIND = "ministry"
    CLAUSE = clause(("x-comity-negotiated-text", "x-comity-text-word"), "diplomatic-response")
    STATED = STATED
    GROUP = "text"

    def opened(self, name: str, *parties: str, words: str = "One.\n\nTwo.", **said: Any) -> str:
        """A text of a node, as those who negotiate it then have it."""
        more = {"language": ("en",), **STATED, **said}
        id = self.tell(name, "open", title="Declaration", text=words.encode(), party=parties, **more)["id"]
        self.sync(name, *parties)
        return str(id)

    def shown(self, name: str, id: str) -> dict[str, Any]:
        """A text as a node shows it."""
        return self.tell(name, "show", text=id)

    def written(self, name: str, id: str) -> str:
        """The same, as people read it, without its head."""
        return str(self.shown(name, id)["written"]).split("\n\n", 1)[1]


__all__ = ["STATED", "Room"]
