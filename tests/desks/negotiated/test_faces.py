"""The deeds of the desk over the command line and over REST, as an officer types them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson

from comity.node.officers import add_officer
from simulators.asked import Asker
from simulators.shell import found
from simulators.teams import Teams

STATED = ("--tlp", "green", "--purpose", "diplomatic-response", "--basis", "agreement")


def test_text_is_worked_on_from_the_command_line(tmp_path: Path) -> None:
    alone = found(tmp_path / "alpha", "Alpha", "ministry", "XA")
    file = tmp_path / "text.txt"
    file.write_text("The first\nparagraph.\n\nThe second.\n", encoding="utf-8")
    words = ("text", "open", "Declaration", "--language", "en", "--text", str(file), *STATED)
    assert alone.try_(*words).json["code"] == "token-needed"
    id = alone.do(*words, officer="Ann")["id"]
    alone.do("text", "propose", id, "p2a", "--words", "New.", "--after", "p2", officer="Ann")
    alone.do("text", "propose", id, "p1", "--delete", officer="Ann")
    alone.do("text", "position", id, "p1", "1", "--ad-referendum", "--reason", "Late.", officer="Ann")
    assert alone.try_("text", "position", id, "p1", "7", "--accept", officer="Ann").json["code"] == "text-alternative"
    shown = alone.do("text", "show", id)
    # one party alone agrees with itself at once; what was agreed is opened again without names
    assert shown["written"].split("\n\n", 1)[1] == (
        "(p1)\nen: [-: The first paragraph. {1} / Alpha: omit]\n{1} Alpha accepts 1 ad referendum: Late.\n\n"
        "(p2)\nen: The second.\n\n(p2a)\nen: New.\n"
    )
    assert alone.do("text", "acceptable", id)["ties"][0]["paragraph"] == "p1"
    assert [row["open"] for row in alone.do("text", "list")["texts"]] == [1]


def test_deeds_answer_over_rest_and_who_may_not_sign_says_nothing() -> None:
    teams = Teams()
    askers = {}
    for role in ("sign", "release"):
        _, token = add_officer(teams.a, f"Ada {role}", [role])
        askers[role] = Asker(teams.app, token, accept="application/json")

    def say(role: str, path: str, **said: Any) -> Any:
        answer = askers[role].post(f"/api/v1/{path}", orjson.dumps(said), content_type="application/json")
        return answer.status_code, answer.json()

    none = "x-comity-negotiated-text--00000000-0000-4000-8000-000000000001"
    assert say("release", "text/list") == (200, {"texts": [], "defects": []})
    for deed, said in (("propose", {"words": ["x"]}), ("position", {"alternative": "1", "accept": True})):
        status, refused = say("release", f"text/{deed}", text=none, paragraph="p1", **said)
        assert (status, refused["code"]) == (403, "role-missing")
        status, refused = say("sign", f"text/{deed}", text=none, paragraph="p1", **said)
        assert (status, refused["code"]) == (404, "no-such-object")
