"""The deeds of the desk over the command line and over REST, as an officer types them, and its part of the server's timer."""

from __future__ import annotations

import base64
import json
import re
import sys
from pathlib import Path

import orjson
import pytest

from comity.__main__ import tend_desks, wiring
from comity.desks.directory import DESK
from comity.desks.directory.kinds import KINDS
from comity.faces.cli.main import make_app
from comity.kernel.model.objects import read_object
from comity.node.officers import add_officer
from simulators.asked import Asker
from simulators.shell import Party, carry, found, introduce
from simulators.teams import Teams

ROOT = Path(__file__).resolve().parents[3]
STATED = ("--tlp", "green", "--purpose", "incident-response", "--basis", "agreement")


def two(tmp_path: Path) -> tuple[Party, Party]:
    """Two parties on real folders under the directory template."""
    alpha, beta = found(tmp_path / "alpha", "Alpha", "csirt", "XA"), found(tmp_path / "beta", "Beta", "csirt", "XB")
    introduce(alpha, beta)
    draft = tmp_path / "draft.toml"
    words = ("--template", "directory", "--party", "alpha=Alpha", "--party", "beta=Beta", "--output", str(draft))
    alpha.do("agreement", "draft", *words)
    for party in (alpha, beta):
        digest = party.do("agreement", "receive", str(draft))["digest"]
        party.do("agreement", "sign", digest, officer="Ann")
    for _ in range(3):
        carry(alpha, beta)
        carry(beta, alpha)
    return alpha, beta


def test_officer_finds_and_writes_to_another_partys_duty_officer(tmp_path: Path) -> None:
    alpha, beta = two(tmp_path)
    beta.do(
        *("contact", "add", "Duty officer", "duty", "--language", "en", "--language", "fr", "--zone", "Europe/Tallinn"),
        *("--hours", "24/7", "--channel", "telephone=+3725550100", *STATED),
    )
    carry(beta, alpha)
    (reached,) = alpha.do("contact", "reach", "--within", "PT1H", "--language", "fr")["reachable"]
    assert reached["ways"][0]["channels"] == [{"by": "telephone", "value": "+3725550100"}]
    rehearsed = alpha.do(
        "message", "send", "Hello", "--to", "Beta", "--text", "Hi", "--dry-run", *STATED, officer="Ann"
    )
    assert [one["name"] for one in rehearsed["effects"]] == ["Beta"]
    refused = alpha.try_("message", "send", "Hello", "--to", "Beta", "--text", "Hi", *STATED)
    assert (refused.status, refused.json["code"]) == (1, "token-needed")
    sent = alpha.do(
        "message", "send", "Hello", "--to", "Beta", "--text", "Hi", "--reply-by", "PT2H", *STATED, officer="Ann"
    )
    alpha.do("contact", "ping", "Beta/duty", *STATED)
    carry(alpha, beta)
    assert beta.do("message", "read", sent["object"])["body"] == "Hi"
    beta.do("message", "answer", sent["object"], "--text", "Hi too", *STATED, officer="Ann")
    (asked,) = beta.do("contact", "pings", "--waiting")["to_us"]
    beta.do("contact", "answer", asked["object"], *STATED)
    carry(beta, alpha)
    assert alpha.do("contact", "report")["offices"][0]["verdict"] == "reachable"
    assert {one["clock"] for one in alpha.do("message", "list")["messages"]} == {"answered", ""}
    assert alpha.do("doctor")["findings"] == []


def test_officer_on_duty_is_told_by_a_real_program_on_the_timer_and_by_the_command(tmp_path: Path) -> None:
    alpha, beta = two(tmp_path)
    beta.do("contact", "add", "Duty", "duty", "--channel", "telephone=+3725550100", *STATED)
    told = tmp_path / "told"
    page = tmp_path / "page.py"
    page.write_text(f"import sys; open({str(told)!r}, 'a').write(' '.join(sys.argv[1:]) + chr(10))\n")
    words = json.dumps([sys.executable, str(page), "{number}", "{kind}", "{to}"])
    for subject in ("First", "Second"):
        alpha.do("message", "send", subject, "--to", "Beta", "--text", "Hi", *STATED, officer="Ann")
    carry(alpha, beta)
    assert beta.do("contact", "notify")["road"] is False
    (beta.folder / "notify.toml").write_text(f"[exec]\nargv = {words}\n")
    (beta.folder / "notify.toml").chmod(0o600)
    home = wiring().open_home(beta.folder, None)
    try:
        tend_desks(home.node)
        tend_desks(home.node)
    finally:
        home.close()
    assert told.read_text().splitlines() == ["1 message tel:+3725550100", "2 message tel:+3725550100"]
    assert [one["notice"] for one in beta.do("contact", "notify", "--acknowledge", "1")["notices"]] == [1, 2]
    assert [one["notice"] for one in beta.do("contact", "notify")["notices"]] == [2]
    assert beta.do("doctor")["findings"] == []


def test_file_for_notices_that_cannot_be_used_stops_nothing_but_notices(tmp_path: Path) -> None:
    alpha = found(tmp_path / "alpha", "Alpha", "csirt", "XA")
    (alpha.folder / "notify.toml").write_text("nonsense")
    assert alpha.do("contact", "list")["contacts"] == []
    home = wiring().open_home(alpha.folder, None)
    tend_desks(home.node)
    home.close()


def test_directory_goes_out_to_a_file_and_comes_in_from_one(tmp_path: Path) -> None:
    alpha = found(tmp_path / "alpha", "Alpha", "csirt", "XA")
    table = tmp_path / "offices.csv"
    table.write_text("office,name,phone\nduty,Duty officer,+1\n")
    assert alpha.do("contact", "import", str(table), "--form", "csv", *STATED)["new"] == 1
    out = tmp_path / "offices.vcf"
    assert alpha.do("contact", "export", "--form", "vcard", "--output", str(out))["offices"] == 1
    assert out.read_bytes().startswith(b"BEGIN:VCARD\r\nVERSION:4.0\r\n")
    bad = alpha.try_("contact", "import", str(table), "--form", "vcard", *STATED)
    assert (bad.status, bad.json["code"]) == (1, "directory-file")


def test_wrong_words_are_answered_with_a_sentence(tmp_path: Path) -> None:
    alpha = found(tmp_path / "alpha", "Alpha", "csirt", "XA")
    for words, code in (
        (("contact", "add", "Duty", "duty", "--hours", "always", *STATED), "desk-asked"),
        (("contact", "add", "Duty", "duty", "--hours", "24/7", *STATED), "desk-asked"),
        (("contact", "show", "nobody"), "no-such-office"),
        (("contact", "add", "Duty", "duty", "--tlp", "purple"), "handling"),
        (("contact", "add", "Duty"), "command-line"),
        (("message", "read", "x"), "no-such-object"),
    ):
        answer = alpha.try_(*words)
        assert (answer.status in (1, 2), answer.json["code"]) == (True, code), words
        assert answer.json["sentence"].endswith(".")
    assert alpha.do("contact", "list")["contacts"] == []


def test_the_same_deeds_are_there_over_rest(teams: Teams) -> None:
    token = add_officer(teams.a, "Ann", ["release", "sign", "admin"])[1]
    asker = Asker(teams.app, token, accept="application/json")
    heads = {"headers": {"content-type": "application/json"}}

    def do(path: str, **body: object) -> tuple[int, dict[str, object]]:
        answer = asker.ask("POST", f"/api/v1/{path}", content=orjson.dumps(body), **heads)
        return answer.status_code, answer.json()

    said = {"name": "Duty", "office": "duty", "tlp": "green", "channel": ["mail=a@b.example"]}
    assert do("contact/add?dry_run=true", **said)[1]["dry_run"] is True
    assert do("contact/list")[1]["contacts"] == []
    assert do("contact/add", **said)[0] == 200
    status, told = do("contact/export", form="csv")
    assert status == 200
    file = told["file"]
    assert isinstance(file, dict)
    assert b"mail=a@b.example" in base64.b64decode(file["base64"])
    assert do("contact/add", office="x")[0] == 400
    assert do("contact/show", office="nobody")[0] == 404
    given = base64.b64encode(b"office,name\nlegal,Legal desk\n").decode()
    assert do("contact/import", file=given, form="csv", tlp="green")[1]["new"] == 1


@pytest.fixture
def teams() -> Teams:
    return Teams()


def test_every_deed_of_the_desk_is_told_on_its_page() -> None:
    page = (ROOT / "docs" / "desks" / "directory.md").read_text(encoding="utf-8")
    assert [one.name for one in DESK.deeds if f"comity {one.name}" not in page] == []


def test_every_kind_has_an_example_on_the_page_of_the_format_that_is_valid_and_read() -> None:
    page = (ROOT / "docs" / "formats" / "directory.md").read_text(encoding="utf-8")
    for kind in KINDS:
        short = kind.name.removeprefix("x-comity-")
        (text,) = re.findall(rf"^```json {short}\n(.*?)^```", page, re.M | re.S)
        made = read_object(text.strip().encode())
        assert made.data["type"] == kind.name
        assert kind.extension in made.data["extensions"]
        assert kind.extension in page
        kind.read(made.data)
        for name in kind.says.__struct_fields__:
            assert re.search(rf"^\|[^|]*`{name}`", page, re.M), (kind.name, name)


def test_every_deed_has_a_sentence_that_the_command_line_shows() -> None:
    app = make_app(load=True)
    for one in DESK.deeds:
        group, verb = one.name.split()
        assert app[group][verb].help.startswith(one.help[:30])
