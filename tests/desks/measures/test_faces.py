"""The deeds of the desk over the command line and over REST, as an officer types them; and its pages."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import orjson

from comity.node.officers import add_officer
from simulators.asked import Asker
from simulators.shell import found
from simulators.teams import Teams

ROOT = Path(__file__).resolve().parents[3]
STATED = ("--tlp", "green", "--purpose", "diplomatic-response", "--basis", "agreement")
INCIDENT = {
    "type": "incident",
    "spec_version": "2.1",
    "id": "incident--00000000-0000-4000-8000-000000000001",
    "created": "2021-03-03T00:00:00.000Z",
    "modified": "2021-03-03T00:00:00.000Z",
    "name": "Mail servers",
}
TEST = ("attack=a", "without-right=b", "external-threat=c", "target=d", "b=many", "responsible=e")


def test_measure_and_listing_are_worked_on_from_the_command_line(tmp_path: Path) -> None:
    alone = found(tmp_path / "alpha", "Alpha", "ministry", "XA")
    file = tmp_path / "incident.json"
    file.write_text(json.dumps(INCIDENT), encoding="utf-8")
    alone.do("import", str(file), "--tlp", "green", "--no-caveats")
    incident = INCIDENT["id"]
    assert len(alone.do("measure", "catalogue", "--category", "restrictive")["options"]) == 4
    assert alone.do("measure", "options", "--incident", incident, "--claim-level", "5")["claim_level"] == 5
    words = ("measure", "propose", "Freeze", "--option", "R2", "--incident", incident, "--review", "P1Y", *STATED)
    assert alone.try_(*words).json["code"] == "token-needed"
    refused = alone.try_(*words, officer="Ann")
    assert (refused.status, refused.json["code"]) == (1, "measure-attribution")
    measure = alone.do(
        *("measure", "propose", "Freeze", "--option", "R2", "--incident", incident, "--claim-level", "state-linked"),
        *(
            "--conditions-met",
            "Met.",
            "--proportionality",
            "scope=Wide.",
            "--basis-text",
            "National law",
            "--review",
            "P1Y",
        ),
        *STATED,
        officer="Ann",
    )["id"]
    who, why = tmp_path / "who.json", tmp_path / "why.txt"
    who.write_text('{"schema": "Organization", "name": "Invented \\u202eLtd\\u001b[2J"}', encoding="utf-8")
    why.write_text("It paid for the servers.", encoding="utf-8")
    said = [word for text in TEST for word in ("--criterion", text)]
    listing = alone.do(
        "measure", "listing", measure, "--subject", str(who), "--reasons", str(why), *said, officer="Ann"
    )["id"]
    told = alone.try_("measure", "show", listing)
    assert told.status == 0
    assert b"\x1b" not in told.out
    assert "\u202e" not in told.text
    for format in ("txt", "json"):
        paper = tmp_path / f"listing.{format}"
        alone.do("measure", "document", listing, "--format", format, "--output", str(paper))
        assert "It paid for the servers." in paper.read_text(encoding="utf-8")
        assert "unconfirmed" in paper.read_text(encoding="utf-8")
    rehearsed = alone.try_("measure", "effect", measure, "--say", "Nothing yet.", "--dry-run")
    assert rehearsed.json["dry_run"] is True
    assert alone.do("measure", "show", measure)["effects"] == []
    assert [one["title"] for one in alone.do("measure", "list")["measures"]] == ["Freeze"]


def test_deeds_answer_over_rest_and_who_only_audits_changes_nothing() -> None:
    teams = Teams()
    askers = {}
    for role in ("sign", "audit"):
        _, token = add_officer(teams.a, f"Ada {role}", [role])
        askers[role] = Asker(teams.app, token, accept="application/json")

    def say(role: str, path: str, **said: Any) -> Any:
        answer = askers[role].post(f"/api/v1/{path}", orjson.dumps(said), content_type="application/json")
        return answer.status_code, answer.json()

    assert len(say("audit", "measure/catalogue")[1]["options"]) == 17
    assert say("audit", "measure/list") == (200, {"measures": [], "defects": []})
    status, refused = say("audit", "measure/join", measure="x-comity-measure--1")
    assert (status, refused["code"]) == (403, "role-missing")
    status, refused = say("sign", "measure/join", measure="x-comity-measure--00000000-0000-4000-8000-000000000001")
    assert (status, refused["code"]) == (404, "no-such-object")
