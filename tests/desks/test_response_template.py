"""The template for parties that answer incidents together lets go whatever the desks that are here mint."""

from __future__ import annotations

from comity.desks import desks
from comity.kernel.release import templates, tomlform
from comity.node.attachments.kinds import CUSTODY
from simulators.world import World

ELSEWHERE = {"directory"}
"""Desks whose objects go under a template of their own."""


def test_template_of_a_response_names_every_type_that_a_desk_mints_and_files_with_their_custody() -> None:
    world = World()
    for name in ("Xanadu", "Ypsilon"):
        world.node(name, kind="ministry")
    text = templates.response(world.parties("Xanadu", "Ypsilon"), enters_into_force=world.at)
    agreement = tomlform.read(text)
    named = {one for clause in agreement.clauses for one in clause.types}
    minted = {
        kind.name for desk in desks() if desk.name not in ELSEWHERE for kind in desk.kinds if kind.form == "new-sdo"
    }
    assert minted - named == set()
    assert {"artifact", CUSTODY.name} <= named
    assert [clause.purpose for clause in agreement.clauses] == [
        ("incident-response",), ("attribution",), ("diplomatic-response",), ("diplomatic-response",)
    ]  # fmt: skip
