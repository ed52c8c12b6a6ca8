"""What is public is given to everybody, and of what is not nobody learns that it is there."""

from __future__ import annotations

from typing import Any

import pytest

from comity.kernel.errors import NotFound
from comity.kernel.store.rows import TABLES
from comity.kernel.tlog.publication import verify_record
from comity.node.contact import outbox
from comity.node.deeds import deed
from comity.node.publishing import hold
from comity.node.record import newest_checkpoint
from simulators.asked import Asker
from simulators.publicity import TEXT, appoint
from simulators.teams import STATED, Teams
from simulators.world import HOUR, SECOND, indicator

MINUTE = 60 * SECOND
LIST = "/comity/1/public"
NOWHERE = "x-comity-test-statement--00000000-0000-4000-8000-000000000001"


@pytest.fixture
def teams() -> Teams:
    return Teams()


def stranger(teams: Teams) -> Asker:
    """Somebody without a token, a key or a card."""
    return Asker(teams.app, None, accept=None)


def tick(teams: Teams) -> None:
    with deed(teams.a):
        pass


def publish(teams: Teams) -> str:
    due = teams.world.at + HOUR
    row = appoint(teams.a, due)
    for later in (0, 2 * MINUTE):
        teams.world.at = due + later
        tick(teams)
    return row.id


def test_a_stranger_gets_what_is_public_and_can_verify_it(teams: Teams) -> None:
    id = publish(teams)
    listed = stranger(teams).get(LIST)
    assert listed.status_code == 200
    assert listed.headers["content-type"] == "application/json"
    [entry] = listed.json()["items"]
    assert (entry["object"], entry["proved"]) == (id, True)
    answer = stranger(teams).get(f"{LIST}/{id}")
    assert TEXT in answer.text
    [item] = verify_record(answer.content, {})["items"]
    assert (item["object"], item["party"], item["why"]) == (
        id,
        teams.a.party,
        "consistent, but nobody vouches for the signer",
    )


def test_a_copy_that_is_still_good_is_not_sent_again(teams: Teams) -> None:
    id = publish(teams)
    for path in (LIST, f"{LIST}/{id}"):
        first = stranger(teams).get(path)
        assert first.headers["cache-control"] == "public, max-age=60"
        again = stranger(teams).get(path, headers={"if-none-match": first.headers["etag"]})
        assert (again.status_code, again.content) == (304, b"")
        other = stranger(teams).get(path, headers={"if-none-match": '"other"'})
        assert other.content == first.content


def everything(teams: Teams, *paths: str) -> list[tuple[Any, ...]]:
    """What every face answers to a stranger and to the other party."""
    told = []
    for asker in (stranger(teams), teams.b):
        for path in (
            *(LIST, f"{LIST}?skip=1", f"{LIST}/{NOWHERE}", "/comity/1/checkpoint", "/taxii2/api/collections/outbox/objects/"),
            *("/taxii2/api/collections/outbox/manifest/", "/health", "/api/v1/public", "/api/v1/openapi.json"),
            *paths,
        ):  # fmt: skip
            answer = asker.get(path)
            told.append((path, answer.status_code, sorted(answer.headers.items()), answer.content))
    with teams.a.store.read() as tx:
        newest = newest_checkpoint(tx)
        told.append(("log", newest and newest.note, [one.control for one in outbox(tx, teams.a.party)]))
    teams.world.contact("Team A", "Team B")
    with teams.world.nodes["Team B"].store.read() as tx:
        told.append(("kept by the other", {t.name: [repr(r) for r in tx.find(k)] for k, t in TABLES.items()}))
    return told


@pytest.mark.parametrize("word", ["waiting", "go", "hold"])
def test_an_object_that_waits_for_its_instant_changes_no_answer_of_any_face(word: str) -> None:
    """Two worlds, one with a scheduled publication: byte for byte the same to everybody else, its id included."""
    told: list[list[tuple[Any, ...]]] = []
    ids: list[str] = []
    for with_it in (True, False):
        teams = Teams()
        teams.take(indicator(1), **STATED)
        if with_it:
            row = appoint(teams.a, teams.world.at + HOUR, say_go=word != "waiting")
            ids.append(row.id)
            if word == "hold":
                with deed(teams.a, "officer-1") as work:
                    hold(work, row.id)
        else:
            tick(teams)
        for _ in range(3):
            teams.world.at += 5 * MINUTE
            tick(teams)
        told.append(everything(teams, f"{LIST}/{ids[0]}"))
    assert told[0] == told[1]
    unknown = next(one for one in told[0] if one[0] == f"{LIST}/{NOWHERE}")
    assert next(one for one in told[0] if one[0] == f"{LIST}/{ids[0]}")[1:] == unknown[1:]
    assert unknown[1] == 404


def test_a_page_that_cannot_be_is_refused(teams: Teams) -> None:
    for skip in ("-1", str(1 << 40), "all"):
        assert stranger(teams).get(f"{LIST}?skip={skip}").status_code == 400
    assert stranger(teams).ask("POST", LIST, content=b"{}").status_code == 405
    assert stranger(teams).get(f"{LIST}/..%2f..%2fetc").status_code == 404


def test_nothing_is_written_for_a_stranger(teams: Teams) -> None:
    id = publish(teams)
    teams.world.at += HOUR

    def write() -> None:
        raise NotFound("no-such-page", "A stranger made the node write.")

    writes, teams.a.store.write = teams.a.store.write, write  # type: ignore[method-assign]
    try:
        assert stranger(teams).get(LIST).status_code == 200
        assert stranger(teams).get(f"{LIST}/{id}").status_code == 200
        assert stranger(teams).get(f"{LIST}/{NOWHERE}").status_code == 404
    finally:
        teams.a.store.write = writes  # type: ignore[method-assign]
