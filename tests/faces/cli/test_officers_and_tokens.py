"""Officers: the first needs no token, every later deed of weight does, and an ended token does nothing more."""

from __future__ import annotations

from simulators.shell import Party


def test_second_officer_needs_the_token_of_an_administrator(alone: Party) -> None:
    answer = alone.try_("officer", "add", "Bob", "--role", "admin")
    assert (answer.status, answer.json["code"]) == (1, "token-needed")
    alone.tokens["Bob"] = alone.do("officer", "add", "Bob", "--role", "audit", officer="Ann")["token"]
    answer = alone.try_("officer", "add", "Eve", "--role", "admin", officer="Bob")
    assert (answer.status, answer.json["code"]) == (1, "role-missing")
    assert [row["name"] for row in alone.do("officer", "list")["officers"]] == ["Ann", "Bob"]


def test_token_is_shown_once_and_kept_nowhere_in_the_folder(alone: Party) -> None:
    token = alone.tokens["Ann"].encode()
    assert all(token not in file.read_bytes() for file in alone.folder.rglob("*") if file.is_file())
    assert "token" not in alone.do("officer", "list")["officers"][0]


def test_ended_token_does_nothing_more(alone: Party) -> None:
    alone.tokens["Bob"] = alone.do("officer", "add", "Bob", "--role", "admin", officer="Ann")["token"]
    alone.do("officer", "end", "Bob", officer="Ann")
    for words in (["officer", "end", "Ann"], ["import", "-"]):
        answer = alone.try_(*words, officer="Bob", stdin=b"192.0.2.1\n")
        assert (answer.status, answer.json["code"]) == (1, "token-unknown")


def test_unknown_role_is_refused_before_anything_is_written(alone: Party) -> None:
    answer = alone.try_("officer", "add", "Bob", "--role", "king", officer="Ann")
    assert (answer.status, answer.json["code"]) == (2, "role-missing")
    assert len(alone.do("officer", "list")["officers"]) == 1
