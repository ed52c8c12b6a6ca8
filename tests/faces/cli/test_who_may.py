"""One rule says which officer may do what: the page, the commands and the addresses of REST are held to it, role by role."""

from __future__ import annotations

import re
from pathlib import Path

from comity.faces.api import desk
from comity.faces.cli.main import COMMANDS
from comity.faces.cli.reference import WITHOUT
from comity.node.mandates import DEEDS, MANDATED
from comity.node.officers import ROLES, RULES, owner_may
from simulators.shell import Party

DOCS = Path(__file__).parents[3] / "docs"

WORDS = {
    "export": ("--output", "{tmp}/x"),
    "import": ("-",),
    "handling set": ("1", "--tlp", "green"),
    "attachment add": ("-", "--tlp", "green"),
    "attachment open": ("nobody", "--output", "{tmp}/x"),
    "attachment forget": ("nobody", "--reason", "x"),
    "attachment record": ("nobody", "copied"),
    "card set": ("--office", "x"),
    "card verify": ("x", "--fingerprint", "12345 " * 6, "--method", "telephone"),
    "card rotate": ("node",),
    "officer add": ("Eve", "--role", "audit"),
    "officer end": ("nobody",),
    "peer token": ("x", "--name", "y"),
    "peer resume": ("x", "--rows", "1", "--items", "1"),
    "peer pull": ("http://127.0.0.1:9/",),
    "peer push": ("http://127.0.0.1:9/", "--to", "x"),
    "agreement draft": ("--template", "bilateral", "--party", "a=x"),
    "agreement diff": ("x", "y"),
    "agreement admit": ("x", "y"),
    "agreement expel": ("x", "y"),
    "release approve": ("x", "--to", "y", "--reason", "z"),
    "public collect": ("--from", "x"),
    "public go": ("x", "--at", "2030-01-01T00:00:00Z", "--digest", "0" * 64),
    "public move": ("x", "--at", "2030-01-01T00:00:00Z"),
    "why": ("x", "y"),
    "pack": ("{tmp}/pack", "--to", "x"),
    "backup": ("{tmp}/copy-{role}",),
    "log prove": ("00000000",),
    "log open": ("00000000", "--output", "{tmp}/opening"),
}
"""The words each command needs beside its name, where they are more than one name that nobody has."""

ALONE = {
    *(
        "attachment list",
        "public list",
        "card list",
        "card show",
        "peer list",
        "agreement list",
        "outbox list",
        "officer list",
        "account",
        "doctor",
        "sync",
    ),
    *("log show", "log promises", "log checkpoint"),
}
"""Commands that need no further word."""


def told(page: str) -> dict[str, tuple[str, ...]]:
    """The roles each command has in docs/cli.md."""
    table = page.partition("| commands | roles")[2].partition("\n\n")[0]
    found = {}
    for line in table.splitlines()[2:]:
        _, commands, roles, _, _ = line.split("|")
        for words in re.findall(r"`([a-z ]+)`", commands):
            found[words] = tuple(role for role in ROLES if role in roles)
    return found


def test_page_names_the_roles_of_every_command() -> None:
    assert set(told((DOCS / "cli.md").read_text())) == set(COMMANDS)
    assert {kind for _, kind in COMMANDS.values()} - {""} == set(RULES) == set(WITHOUT) - {""}


def test_each_command_is_refused_to_the_roles_that_the_page_does_not_name(alone: Party, tmp_path: Path) -> None:
    page = told((DOCS / "cli.md").read_text())
    for role in ROLES:
        alone.tokens[role] = alone.do("officer", "add", f"Only {role}", "--role", role, officer="Ann")["token"]
    for words, (_, kind) in COMMANDS.items():
        if not kind or words == "serve":
            continue
        more = WORDS.get(words, () if words in ALONE else ("nobody",))
        if words == "unpack" or words in ("agreement receive", "card add"):
            (tmp_path / "file").write_bytes(b"{}")
            more = (str(tmp_path / "file"),)
        for role in ROLES:
            said = [word.format(tmp=tmp_path, role=role) for word in more]
            answer = alone.try_(*words.split(), *said, officer=role, stdin=b"192.0.2.1\n")
            refused = answer.status == 1 and b"role-missing" in answer.out
            assert answer.status != 2, (words, answer.err)
            assert refused == (role not in page[words]), (words, role, answer.err)


def test_without_a_token_only_who_owns_the_folder_does_what_the_page_says(alone: Party, tmp_path: Path) -> None:
    with alone.wired.open_home(alone.folder, None).node.store.read() as tx:
        assert {kind for kind in RULES if owner_may(tx, kind)} == {"read", "read officers", "take in"}
    for words in ("card set", "officer end", "release approve", "officer add"):
        answer = alone.try_(*words.split(), *WORDS[words])
        assert (words, answer.status, answer.json["code"]) == (words, 1, "token-needed")
    assert alone.do("import", "-", stdin=b"192.0.2.9\n")["new"] >= 1


def test_officer_who_only_audits_takes_nothing_in_and_states_nothing(alone: Party) -> None:
    alone.do("import", "-", stdin=b"192.0.2.1\n")
    alone.tokens["Aud"] = alone.do("officer", "add", "Aud", "--role", "audit", officer="Ann")["token"]
    for words in (("import", "-"), ("handling", "set", "1", "--tlp", "red")):
        answer = alone.try_(*words, officer="Aud", stdin=b"192.0.2.2\n")
        assert (answer.status, answer.json["code"]) == (1, "role-missing")
        assert "'release', 'sign' or 'admin'" in answer.json["sentence"]
    assert alone.do("search", "192.0.2.2")["count"] == 0
    assert alone.do("search", "192.0.2.1", officer="Aud")["count"] > 0


def test_every_command_of_the_node_that_releases_or_signs_can_be_mandated() -> None:
    assert {words: kind for words, (_, kind) in COMMANDS.items() if kind in MANDATED} == dict(DEEDS)


def test_no_address_that_releases_or_signs_is_answered_without_asking_for_the_mandate() -> None:
    api = Path(desk.__file__).parent
    told = {kind for path in api.glob("*.py") for kind in re.findall(r'\.by\(request, "([a-z ]+)"', path.read_text())}
    assert told and not told & set(MANDATED), "say desk.acting(request, DEED)"
