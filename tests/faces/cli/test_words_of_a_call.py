"""The words of a call: global options anywhere, one JSON object, one sentence for each fault, exit statuses."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from comity.__main__ import wiring
from comity.faces.cli.context import visible
from comity.faces.cli.desks import desk_commands, desk_groups
from comity.faces.cli.main import COMMANDS, GROUPS, default_home, make_app, read_globals
from simulators.shell import Answer, Party, call


def test_global_options_may_stand_before_or_after_the_command(alone: Party, shell: Callable[..., Answer]) -> None:
    home = str(alone.folder)
    answers = [
        shell("--home", home, "--json", "card", "list"),
        shell("card", "list", "--home", home, "--json"),
        shell("card", f"--home={home}", "list", "--json"),
    ]
    assert [one.status for one in answers] == [0, 0, 0]
    assert answers[0].json == answers[1].json == answers[2].json
    assert [row["name"] for row in answers[0].json["parties"]] == ["Alpha"]


def test_environment_names_the_folder_and_the_token(
    alone: Party, shell: Callable[..., Answer], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COMITY_HOME", str(alone.folder))
    monkeypatch.setenv("COMITY_TOKEN", alone.tokens["Ann"])
    assert shell("officer", "add", "Bob", "--role", "audit", "--json").json["roles"] == ["audit"]


def test_folder_without_a_node_is_named(shell: Callable[..., Answer], tmp_path: Path) -> None:
    answer = shell("--home", str(tmp_path / "nobody"), "card", "list", "--json")
    assert (answer.status, answer.json["code"]) == (1, "no-node")
    assert answer.err == f"comity: {answer.json['sentence']}\n"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["agrement", "list"], "agreement"),
        (["agreement", "lst"], "list"),
        (["import", "x", "--tpl", "green"], "--tlp"),
        (["officer", "add"], "NAME"),
        (["serve", "--port", "x"], "port"),
        (["--home"], "--home"),
        (["export", "--format", "stx"], "'stix'"),
        (["agreement", "draft", "--template", "bilaterl", "--party", "a=b"], "'bilateral'"),
        (["init", "--party", "A", "--kind", "cisrt", "--country", "XA"], "'csirt'"),
        (["account", "--from", "2021-03-02"], "2021-03-02T00:00:00Z"),
    ],
)
def test_wrong_words_end_with_two_and_a_sentence_that_helps(words: list[str], said: str, alone: Party) -> None:
    answer = alone.try_(*words)
    assert answer.status == 2
    assert said in answer.json["sentence"]
    assert answer.err.count("\n") == 1


def test_text_answers_and_json_answers_stand_apart(alone: Party, shell: Callable[..., Answer]) -> None:
    told = shell("--home", str(alone.folder), "card", "show")
    assert alone.fingerprint in told.text
    assert "{" not in told.text
    assert alone.try_("card", "show").text.count("\n") == 1


def test_every_command_explains_itself(shell: Callable[..., Answer]) -> None:
    for words in [*(name.split() for name in COMMANDS), *([name] for name in GROUPS), []]:
        answer = shell(*words, "--help")
        assert answer.status == 0
        assert f"comity {' '.join(words)}".strip() in answer.text


def test_every_list_of_commands_says_what_each_does(shell: Callable[..., Answer]) -> None:
    app = make_app(load=True)
    groups, commands = {**GROUPS, **desk_groups()}, {*COMMANDS, *desk_commands()}
    for group in ("", *groups):
        page = shell(*group.split(), "--help").text
        rows = re.findall(r"^│ (?=\S)(\S+) +(.*?) *│$", page, re.MULTILINE)
        listed = {name: begin for name, begin in rows if not name.startswith("-")}
        known = {words for words in (*commands, *groups) if words.rpartition(" ")[0] == group}
        assert set(listed) == {words.rpartition(" ")[2] for words in known}
        for words in known:
            found: Any = app
            for word in words.split():
                found = found[word]
            begin = listed[words.rpartition(" ")[2]]
            assert begin
            assert found.help.strip().startswith(begin.split(" ")[0])


def test_every_option_and_argument_says_what_it_is_for(shell: Callable[..., Answer]) -> None:
    app = make_app(load=True)
    for words in (*COMMANDS, *desk_commands()):
        found: Any = app
        for word in words.split():
            found = found[word]
        for one in found.assemble_argument_collection():
            assert not (one.parse and one.show) or (one.parameter.help or "").strip(), (words, one.names)


def test_name_with_terminal_escapes_is_shown_as_codes(
    alone: Party, tmp_path: Path, shell: Callable[..., Answer]
) -> None:
    name = "\x1b]0;owned\x07\u202egnp.exe\u009b2J"
    tool = {
        "type": "tool",
        "spec_version": "2.1",
        "id": "tool--5f3cb5a2-9dd6-4a8b-a9cf-6d5b9cf07c1c",
        "created": "2021-03-02T00:00:00.000Z",
        "modified": "2021-03-02T00:00:00.000Z",
        "name": name,
    }
    file = tmp_path / "hostile.json"
    file.write_text(
        json.dumps({"type": "bundle", "id": "bundle--5f3cb5a2-9dd6-4a8b-a9cf-6d5b9cf07c1c", "objects": [tool]})
    )
    assert alone.do("import", str(file))["new"] == 1
    answer = shell("--home", str(alone.folder), "search", tool["id"])
    assert tool["id"] in answer.text
    for character in name:
        if not character.isprintable():
            assert character not in answer.text


@given(st.text())
@settings(max_examples=200, deadline=None)
def test_nothing_shown_can_move_the_cursor_or_read_backwards(text: str) -> None:
    shown = visible(text)
    assert not any(ord(one) < 32 and one not in "\t\n" for one in shown)
    assert not any(one in "\x7f\x9b\u202e\u2066\u200b" for one in shown)


@given(st.lists(st.sampled_from(["--json", "--home", "--home=x", "card", "--", "-", "--token", "y"]), max_size=8))
@settings(max_examples=200, deadline=None)
def test_words_behind_a_lone_double_dash_are_left_alone(words: list[str]) -> None:
    try:
        said = read_globals(["--home", "a", *words, "--", "--json", "--home"])
    except Exception as fault:
        assert getattr(fault, "code", None) == "command-line"  # noqa: PT017
        return
    assert said.rest[-2:] == ("--json", "--home") or "--" in words


def test_default_folder_is_the_platforms(tmp_path: Path) -> None:
    assert default_home({"XDG_DATA_HOME": str(tmp_path)}).name == "comity"


def test_damaged_database_is_a_sentence_and_no_traceback(alone: Party) -> None:
    (alone.folder / "comity.db").write_bytes(b"this is not a database" * 1000)
    for leftover in alone.folder.glob("comity.db-*"):
        leftover.unlink()
    answer = alone.try_("card", "list")
    assert answer.status == 1
    assert answer.json["code"] in ("store-damaged", "store-unusable")
    assert "Traceback" not in answer.err


def test_file_that_is_not_there_is_named(alone: Party) -> None:
    answer = alone.try_("card", "add", "/nowhere/card.json")
    assert (answer.status, answer.json["code"]) == (1, "file-unreadable")
    assert "/nowhere/card.json" in answer.err


def test_second_init_leaves_the_node_as_it_is(alone: Party) -> None:
    answer = alone.try_("init", "--party", "Other", "--kind", "csirt", "--country", "XB")
    assert (answer.status, answer.json["code"]) == (1, "already-done")
    assert alone.do("card", "show")["name"] == "Alpha"
    assert call(wiring(), "--home", str(alone.folder), "doctor").status == 0
