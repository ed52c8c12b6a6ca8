"""A statement that is to be public: objects of a type of our own, scheduled at nodes of a `World`."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec

from comity.kernel.release.handling import Handling
from comity.kernel.store.rows import Publication
from comity.node.context import Node
from comity.node.deeds import deed
from comity.node.minting import Kind, new_object
from comity.node.publishing import go, schedule

TEXT = "Responsibility lies with the operators called Quietwater, and we say so together."
FREE = Handling(basis=frozenset({"agreement"}), purpose=frozenset({"situational-awareness"}))


class Says(msgspec.Struct, omit_defaults=True):
    """What a statement of these tests says."""

    text: Annotated[str, msgspec.Meta(min_length=1)]
    joint: str | None = None


STATEMENT = Kind("x-comity-test-statement", "A statement, for tests.", Says, "docs/formats/public.md")


def statement(node: Node, at: int, text: str = TEXT, joint: str | None = None) -> dict[str, Any]:
    """A finished statement of a node's party."""
    return new_object(node, STATEMENT, Says(text, joint), at, draw=f"statement/{text}")


def appoint(
    node: Node, due: int, *, say_go: bool = True, officer: str = "officer-1", text: str = TEXT, **more: Any
) -> Publication:
    """Schedule a statement, and say go."""
    with deed(node, officer) as work:
        joint = more.pop("joint", None)
        data = statement(node, work.at, text, joint)
        row = schedule(work, data, due, handling=FREE, kinds=[STATEMENT], **more)
        return go(work, row.id, due, digest=row.digest) if say_go else row
