"""The deeds of the desk over the command line and over REST, as an officer types them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import pytest

from comity.node.officers import add_officer
from simulators.asked import Asker
from simulators.shell import Party, found
from simulators.teams import Teams

ROOT = Path(__file__).resolve().parents[3]
STATED = ("--tlp", "green", "--purpose", "incident-response", "--basis", "agreement")


@pytest.fixture
def alone(tmp_path: Path) -> Party:
    return found(tmp_path / "alpha", "Alpha", "csirt", "XA")


def test_incident_is_worked_on_from_the_command_line(alone: Party, tmp_path: Path) -> None:
    incident = alone.do("incident", "open", "Mail servers", "--kind", "ransomware", *STATED)["object"]
    alone.do("incident", "status", incident, "--not-affected", "--scope", "mail")
    alone.do("incident", "event", "add", incident, "Web shell", "--start", "2021-03-03T10:00:00Z")
    task = alone.do("incident", "task", "add", incident, "Patch", "--priority", "90")["object"]
    alone.do("incident", "task", "set", task, "ongoing")
    alone.do(
        *("incident", "impact", "add", incident, "economic", "--variety", "costs", "--currency", "EUR"),
        *("--least", "10", "--most", "20.5", "--source", "invoice"),
    )
    alone.do("incident", "clock", "start", "nis2-early-warning", incident, "--evidence", "ticket")
    told: Any = alone.do("incident", "picture", incident)
    assert [one["says"] for one in told["parties"]] == ["not-affected"]
    assert [one["says"]["outcome"] for one in told["tasks"]] == ["ongoing"]
    assert alone.do("incident", "impact", "sum", incident)["sums"][0]["most"] == 20.5
    plan = tmp_path / "plan.yaml"
    plan.write_bytes((ROOT / "src/comity/desks/incidents/plans/energy.yaml").read_bytes())
    assert len(alone.do("incident", "plan", "use", incident, "--file", str(plan))["tasks"]) == 9
    rehearsed = alone.do("incident", "close", incident, "--dry-run")
    assert rehearsed["dry_run"] is True
    assert len(alone.do("incident", "list")["incidents"]) == 1


def test_wrong_words_are_answered_with_a_sentence_and_change_nothing(alone: Party) -> None:
    incident = alone.do("incident", "open", "Mail servers", *STATED)["object"]
    for words, code in (
        (("incident", "status", incident), "desk-asked"),
        (("incident", "status", incident, "--affected", "--checking"), "desk-asked"),
        (("incident", "clock", "strat"), "command-line"),
        (("incident", "clokc"), "command-line"),
        (("incident", "open", "X"), "command-line"),
        (("incident", "task", "add", incident, "X", "--priority", "900"), "desk-asked"),
        (("incident", "clock", "start", "nis2-early-warnin", incident, "--evidence", "x"), "desk-asked"),
        (("territory", "notify", incident, "Alpha", "--territory", "Mars", "--facts", "x"), "desk-asked"),
    ):
        answer = alone.try_(*words)
        assert (answer.status in (1, 2), answer.json["code"]) == (True, code), (words, answer.err)
        assert answer.json["sentence"].endswith(".")
    assert alone.do("incident", "show", incident)["about"] == []


def test_deeds_answer_over_rest_with_a_rehearsal_and_refuse_who_only_audits() -> None:
    teams = Teams()
    askers = {}
    for role in ("release", "audit"):
        _, token = add_officer(teams.a, f"Ada {role}", [role])
        askers[role] = Asker(teams.app, token, accept="application/json")

    def say(role: str, path: str, **said: Any) -> Any:
        answer = askers[role].post(f"/api/v1/{path}", orjson.dumps(said), content_type="application/json")
        return answer.status_code, answer.json()

    stated = {"tlp": "green", "purpose": ["protect-networks"], "basis": ["agreement"]}
    status, opened = say("release", "incident/open", name="Mail servers", **stated)
    assert status == 200
    incident = opened["object"]
    mark = {"clock": "nis2-early-warning", "incident": incident, "evidence": "ticket"}
    status, told = say("release", "incident/clock/start?dry_run=true", **mark)
    assert (status, told["dry_run"], told["would"]["reading"]["state"]) == (200, True, "running")
    assert say("audit", "incident/clock/list", incident=incident)[1]["clocks"] == []
    status, refused = say("audit", "incident/clock/start", **mark)
    assert (status, refused["code"]) == (403, "role-missing")
    status, told = say("release", "incident/clock/start", **mark)
    assert (status, told["reading"]["state"]) == (200, "running")
    assert say("audit", "incident/clock/list", incident=incident)[1]["clocks"][0]["verified"] is True


def test_what_a_peer_wrote_sends_no_command_to_a_terminal(alone: Party) -> None:
    incident = alone.do("incident", "open", "Mail\x1b[2Jservers\nTeam B: affected", *STATED)["object"]
    answer = alone.try_("incident", "picture", incident)
    assert answer.status == 0
    plain = alone.try_("incident", "list")
    for line in (answer, plain):
        assert b"\x1b" not in line.out
