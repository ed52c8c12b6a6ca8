"""A room of nodes that share what a desk brings: the community template with a clause more, and the deeds as every face calls them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Final

from comity.desks import desks
from comity.kernel.release.templates import community
from comity.node.desk import Told, carry_out
from simulators.world import World

DEEDS: Final = {item.name: item for desk in desks() for item in desk.deeds}


def clause(
    types: Sequence[str], purpose: str, *, basis: str = "agreement", onward: str = "members", retention: str = "P10Y"
) -> str:
    """A clause by which members give each other objects of these types, up to amber."""
    return f"""
[[clause]]
number     = "3"
says       = "permit"
from       = ["members"]
to         = ["members"]
types      = [{", ".join(f'"{one}"' for one in types)}]
tlp        = ["clear", "green", "amber"]
view       = "full"
purpose    = ["{purpose}"]
basis      = ["{basis}"]
onward     = "{onward}"
retention  = "{retention}"
"""


class DeskRoom(World):
    """A world whose nodes are members of one agreement; `agreement` is its digest.

    What a room of one desk says of itself: the kind of its parties, its clause, what it states of an object by default, and the group
    of commands, where its deeds are called without it.
    """

    KIND: ClassVar[str] = "csirt"
    CLAUSE: ClassVar[str]
    STATED: ClassVar[Mapping[str, Any]]
    GROUP: ClassVar[str] = ""
    agreement: str = ""

    def agreed(self, *names: str, clauses: str | None = None) -> None:
        """Found the nodes, introduce them, let them agree."""
        for number, name in enumerate(names):
            self.node(name, kind=self.KIND, country=f"X{chr(ord('A') + number)}")
        self.introduce(*names)
        text = community(self.parties(*names), enters_into_force=self.at) + (clauses or self.CLAUSE)
        self.agreement = self.agree(text, *names)

    def told(self, name: str, deed: str, /, *, dry: bool = False, **said: Any) -> Told:
        """One deed of a desk at a node, as every face calls it; what is a word of Python is said with a line behind, ``for_``."""
        item = DEEDS[f"{self.GROUP} {deed}".strip()]
        words = {key.removesuffix("_"): value for key, value in said.items()}
        return carry_out(self.nodes[name], item, words, "officer-1", dry=dry)

    def tell(self, name: str, deed: str, /, *, dry: bool = False, **said: Any) -> dict[str, Any]:
        """Its shape."""
        return dict(self.told(name, deed, dry=dry, **said).shape)

    def lines(self, name: str, deed: str, /, **said: Any) -> list[str]:
        """What a person sees of it."""
        return list(self.told(name, deed, **said).lines)

    def text(self, name: str, deed: str, /, **said: Any) -> str:
        """The same as one text."""
        return "\n".join(self.lines(name, deed, **said))

    def id(self, name: str) -> str:
        """The party id of a node."""
        return self.nodes[name].party

    def put(self, name: str, *objects: Mapping[str, Any], **stated: Any) -> None:
        """Objects as some other program made them, at a node."""
        said = {**self.STATED, **stated}
        more = {key: list(value) if isinstance(value, tuple) else value for key, value in said.items()}
        self.take(name, *(dict(one) for one in objects), **{"caveats": [], **more})
