"""The officer's word on a publication over REST: the same role and the same mandate as on the command line."""

from __future__ import annotations

import orjson
import pytest

from comity.faces.cli.main import COMMANDS
from comity.node import mandates, publishing
from comity.node.deeds import deed
from comity.node.officers import add_officer
from simulators.asked import Asker
from simulators.publicity import appoint
from simulators.teams import Teams
from simulators.world import HOUR


@pytest.mark.parametrize("word", ["go", "hold", "withdraw", "move"])
def test_an_officer_with_the_role_and_without_a_mandate_says_nothing_of_a_publication_over_rest(word: str) -> None:
    teams = Teams()
    row = appoint(teams.a, teams.world.at + HOUR, say_go=False)
    add_officer(teams.a, "Ada", ["admin"])
    add_officer(teams.a, "Ben", ["release"])
    _, token = add_officer(teams.a, "Cleo", ["release"])
    with deed(teams.a, "officer-1") as work:
        mandates.give(work, "Ben", ["release"], reason="asked", ceilings={"tlp": "red"})
    at = row.due + (HOUR if word == "move" else 0)
    said = {"at": publishing.format(at)} if word in ("go", "move") else {}
    answer = Asker(teams.app, token, accept="application/json").post(
        f"/api/v1/public/{row.id}/{word}", orjson.dumps(said), content_type="application/json"
    )
    assert (answer.status_code, answer.json()["code"]) == (403, "mandate-missing")
    with teams.a.store.read() as tx:
        assert publishing.publications(tx) == [row]


def test_every_command_that_needs_a_mandate_can_be_named_in_one() -> None:
    asked = {name: kind for name, (_, kind) in COMMANDS.items() if kind in mandates.MANDATED}
    assert asked == dict(mandates.DEEDS)
