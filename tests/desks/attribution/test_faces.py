"""The deeds of the desk over the command line and over REST, as an officer types them, and the pages of the desk."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import pytest

from comity.node.officers import add_officer
from desks.attribution.ministries import INCIDENT, PARTS
from simulators.asked import Asker
from simulators.shell import Party, found
from simulators.teams import Teams

ROOT = Path(__file__).resolve().parents[3]
STATED = ("--tlp", "amber", "--purpose", "attribution", "--basis", "task-in-public-interest")


@pytest.fixture
def alone(tmp_path: Path) -> Party:
    party = found(tmp_path / "alpha", "Alpha", "ministry", "XA")
    file = tmp_path / "incident.json"
    file.write_bytes(orjson.dumps(INCIDENT))
    party.do("import", str(file), *STATED, "--no-caveats")
    return party


def test_dossier_goes_from_its_opening_to_its_paper_on_the_command_line(alone: Party, tmp_path: Path) -> None:
    def do(*words: str, officer: str | None = None) -> Any:
        return alone.do("attribution", *words, officer=officer)

    incident = str(INCIDENT["id"])
    dossier = do("open", "Who exploited the mail servers", "--incident", incident, *STATED)["id"]
    piece = do(
        *("evidence", dossier, incident, "--class", "withheld", "--source", "B", "--information", "2"),
        *("--say", "KEPT-AT-HOME"),
    )["id"]
    service, criminals = (do("hypothesis", dossier, name, "--say", "x")["id"] for name in ("A service", "Criminals"))
    do("weigh", dossier, piece, service, "--value", "consistent")
    do("weigh", dossier, piece, criminals, "--value", "inconsistent", "--weight", "high")
    assert do("matrix", dossier)["carried_by"] == [piece]
    checked = alone.try_("attribution", "check", dossier)
    assert (checked.status, checked.json["missing"]) == (1, list(PARTS))
    refused = alone.try_("attribution", "ready", dossier, *STATED, officer="Ann")
    assert (refused.status, refused.json["code"]) == (1, "dossier-incomplete")
    text = tmp_path / "part.txt"
    text.write_text("Nine servers.", encoding="utf-8")
    for part in PARTS[:-1]:
        do("part", dossier, part, "--text", str(text), "--about", incident)
    do("waive", dossier, PARTS[-1], "--reason", "said in the matrix", officer="Ann")
    assert do("check", dossier)["missing"] == []
    assert do("ready", dossier, *STATED, officer="Ann")["released"][0] == dossier
    said = ("--claim-level", "6", "--likelihood", "very likely", "--scale", "icd-203", "--confidence", "high")
    assessed = do(
        "assess", dossier, "--accused", "Nordmark", *said, "--tone", "none", "--say", "As we see it.", officer="Ann"
    )
    (line,) = do("assessments", dossier)["assessments"]
    assert (line["id"], line["claim_level"], line["likelihood"], line["range"]) == (
        assessed["id"],
        "state-organ",
        "very likely",
        [80, 95],
    )
    finding = do(
        "finding",
        dossier,
        "--role",
        "legal",
        "--article",
        "ARSIWA-8",
        "--facts",
        "f",
        "--concludes",
        "c",
        officer="Ann",
    )["id"]
    dissent = do("dissent", finding, "--say", "Control is not shown.", "--who", "The legal service", officer="Ann")[
        "id"
    ]
    do("withdraw", dissent, "--reason", "It was shown.", officer="Ann")
    shown = do("show", dossier)
    assert [one["state"] for one in shown["findings"][0]["dissents"]] == ["withdrawn"]
    for format in ("txt", "json", "pdf", "docx"):
        path = tmp_path / f"dossier.{format}"
        do("document", dossier, "--format", format, "--output", str(path))
        assert path.stat().st_size > 1_000
        if format in ("txt", "json"):
            assert b"Nine servers." in path.read_bytes() and b"KEPT-AT-HOME" not in path.read_bytes()
    assert [one["id"] for one in do("list")["dossiers"]] == [dossier]


def test_wrong_words_are_answered_with_a_sentence_and_change_nothing(alone: Party) -> None:
    dossier = alone.do("attribution", "open", "Who", *STATED)["id"]
    assess = ("assess", dossier, "--say", "x", "--claim-level")
    for words in (
        ("open", "Who"),
        ("part", dossier, "everything", "--say", "x"),
        ("part", dossier, "consequences"),
        ("evidence", dossier, dossier, "--class", "secret", "--source", "A", "--information", "1", "--say", "x"),
        (*assess, "9"),
        (*assess, "6", "--likelihood", "very likely", "--scale", "uk-phia"),
        ("finding", dossier, "--role", "legal", "--facts", "f", "--concludes", "c"),
        ("document", dossier, "--language", "xx"),
    ):
        answer = alone.try_("attribution", *words, officer="Ann")
        assert answer.status in (1, 2), words
        assert answer.json["sentence"].endswith("."), words
    shown = alone.do("attribution", "show", dossier)
    assert (shown["assessments"], shown["findings"], shown["evidence"]) == ([], [], [])


def test_deeds_answer_over_rest_and_only_who_may_release_releases() -> None:
    teams = Teams()
    askers = {}
    for role in ("release", "sign", "audit"):
        _, token = add_officer(teams.a, f"Ada {role}", [role])
        askers[role] = Asker(teams.app, token, accept="application/json")

    def say(role: str, path: str, **said: Any) -> Any:
        answer = askers[role].post(f"/api/v1/attribution/{path}", orjson.dumps(said), content_type="application/json")
        return answer.status_code, answer.json()

    stated = {"tlp": "amber", "purpose": ["attribution"], "basis": ["task-in-public-interest"]}
    status, opened = say("sign", "open", title="Who", **stated)
    assert status == 200
    dossier = opened["id"]
    assert say("audit", "part", dossier=dossier, part="consequences", say="x")[1]["code"] == "role-missing"
    assert say("sign", "ready", dossier=dossier)[1]["code"] == "role-missing"
    status, refused = say("release", "ready", dossier=dossier)
    assert (refused["code"], refused["detail"]["missing"]) == ("dossier-incomplete", list(PARTS))
    assert say("audit", "check", dossier=dossier)[1]["missing"] == list(PARTS)
    status, paper = say("audit", "document", dossier=dossier, format="txt")
    assert (status, paper["file"]["media_type"]) == (200, "text/plain; charset=utf-8")


def test_what_a_dossier_says_sends_no_command_to_a_terminal(alone: Party) -> None:
    dossier = alone.do("attribution", "open", "Who\x1b[2J\nNothing is missing", *STATED)["id"]
    alone.do("attribution", "part", dossier, "consequences", "--say", "a\x1b[31mb")
    for words in (("show", dossier), ("check", dossier), ("list",), ("matrix", dossier)):
        assert b"\x1b" not in alone.try_("attribution", *words).out
