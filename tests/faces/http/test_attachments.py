"""The address at which files are given: nothing for strangers, one answer for whatever is not given."""

from __future__ import annotations

from comity.kernel.exchange.attachments import Ask, encode_ask
from simulators.asked import Asker
from simulators.files import content, put_in
from simulators.teams import Teams

GUESS = encode_ask(Ask("artifact--00000000-0000-4000-8000-000000000001", "ab" * 32, "cd" * 32, 0, 1))


def test_a_stranger_cannot_tell_that_files_are_given_here(teams: Teams) -> None:
    put_in(teams.world, "Team A", content(1))
    for asker in (Asker(teams.app), teams.b):
        nowhere = asker.post("/comity/1/nothing", GUESS, content_type="application/json")
        asked = asker.post("/comity/1/attachment", GUESS, content_type="application/json")
        assert (asked.status_code, asked.content, dict(asked.headers)) == (
            nowhere.status_code,
            nowhere.content,
            dict(nowhere.headers),
        )
        assert asked.status_code == 404
