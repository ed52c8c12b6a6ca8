"""Every TAXII answer to a reader is byte for byte the same whether or not objects it may not see exist."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

import pytest

from simulators.teams import INBOX, OBJECTS, Teams, envelope
from simulators.world import SECOND, indicator, malware, relationship

MANIFEST = "/taxii2/api/collections/outbox/manifest/"


def _answers(secrets: bool, seed: int) -> Sequence[tuple[int, bytes, dict[str, str]]]:
    """A random history; with `secrets`, objects that Team B may not see are taken in all along."""
    rnd = random.Random(seed)
    teams = Teams()
    plan: list[tuple[bool, dict[str, Any]]] = []
    for number in range(1, 25):
        hidden = rnd.random() < 0.5
        kind = rnd.choice([indicator, malware])
        plan.append((hidden, kind(number)))
        if rnd.random() < 0.3:
            plan.append((hidden, kind(number, modified="2021-03-04T00:00:00.000Z", name="later")))
        if rnd.random() < 0.4 and number > 2:
            ends = rnd.sample([one["id"] for _, one in plan if one["type"] != "relationship"], 2)
            shut = any(not_seen for not_seen, one in plan if one["id"] in ends)
            plan.append((hidden or shut, relationship(number, *ends)))
    for hidden, one in plan:
        teams.world.at += SECOND
        if hidden and not secrets:
            continue
        teams.take(one, tlp="red" if hidden else "green")
    teams.world.at += SECOND
    ask = teams.b
    ask.get("/taxii2/")
    ask.get("/taxii2/api/collections/")
    for path in (OBJECTS, MANIFEST):
        more: dict[str, str] = {}
        while True:
            answer = ask.get(path, params={"limit": "3", **more})
            if not answer.json().get("more"):
                break
            more = {"next": answer.json()["next"]}
        for query in (
            {"match[version]": "all"},
            {"match[version]": "first"},
            {"match[type]": "relationship"},
            {"match[type]": "malware", "limit": "1"},
            {"added_after": "2021-03-05T12:00:10Z"},
            {"match[id]": ",".join(sorted({one["id"] for _, one in plan}))},
        ):
            ask.get(path, params=query)
    for _, one in plan:
        ask.get(f"{OBJECTS}{one['id']}/")
        ask.get(f"{OBJECTS}{one['id']}/versions/")
        ask.ask("DELETE", f"{OBJECTS}{one['id']}/")
    ask.post(INBOX, envelope(*[one for _, one in plan]))
    ask.get(INBOX)
    ask.get(INBOX, params={"match[version]": "all"})
    return [(one.status_code, one.content, dict(one.headers)) for one in ask.answers]


@pytest.mark.parametrize("seed", range(6))
def test_a_reader_cannot_tell_two_worlds_apart(seed: int) -> None:
    """The worlds differ in objects withheld from the reader and in nothing else."""
    without, with_secrets = _answers(False, seed), _answers(True, seed)
    assert len(without) == len(with_secrets)
    for one, other in zip(without, with_secrets, strict=True):
        assert one == other


def test_the_comparison_would_notice_one_object_more() -> None:
    """A leak turns the test red: a released object makes the answers differ."""
    answers = []
    for more in (False, True):
        teams = Teams()
        teams.take(indicator(1))
        if more:
            teams.take(indicator(2))
        answers.append(teams.b.get(OBJECTS).content)
    assert answers[0] != answers[1]
