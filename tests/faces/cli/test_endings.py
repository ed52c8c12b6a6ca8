"""How a call ends when something outside it ends first: a reader who is gone, Ctrl-C, a full disk; and what an init leaves."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from comity.__main__ import wiring
from comity.adapters.folder import FOUNDING
from comity.faces.cli.main import COMMANDS, make_app
from simulators.shell import Answer, Party, call

COMITY = (sys.executable, "-m", "comity")
INIT = ("init", "--party", "Alpha", "--kind", "csirt")


def piped(folder: Path, *words: str) -> subprocess.CompletedProcess[bytes]:
    """A call whose reader has gone before anything is written."""
    gone, ours = os.pipe()
    os.close(gone)
    try:
        return subprocess.run(
            [*COMITY, "--home", str(folder), *words], stdout=ours, stderr=subprocess.PIPE, timeout=120, check=False
        )
    finally:
        os.close(ours)


@pytest.mark.parametrize(
    "words",
    [
        ("export",),
        ("export", "--format", "csv"),
        ("export", "--format", "misp"),
        ("log", "show", "--json"),
        ("card", "list"),
        ("--help",),
    ],
)
def test_reader_who_is_gone_ends_the_call_quietly(alone: Party, words: tuple[str, ...]) -> None:
    alone.do("import", "-", "--tlp", "green", stdin=b"".join(b"evil%d.example.org\n" % n for n in range(1500)))
    ended = piped(alone.folder, *words)
    assert (ended.returncode, ended.stderr) == (141, b"")


def test_reader_who_takes_a_little_ends_the_call_quietly(alone: Party) -> None:
    alone.do("import", "-", "--tlp", "green", stdin=b"".join(b"evil%d.example.org\n" % n for n in range(1500)))
    call_ = subprocess.Popen(
        [*COMITY, "--home", str(alone.folder), "export"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert call_.stdout is not None
    assert call_.stderr is not None
    assert call_.stdout.read(100).startswith(b'{"type":"bundle"')
    call_.stdout.close()
    said = call_.stderr.read()
    call_.stderr.close()
    assert (call_.wait(120), said) == (141, b"")


def test_closed_streams_are_named(alone: Party) -> None:
    for words, closed in ((("export",), ">&-"), (("import", "-"), "<&-")):
        line = f'"$@" {closed}'
        ended = subprocess.run(
            ["/bin/sh", "-c", line, "sh", *COMITY, "--home", str(alone.folder), *words],
            stderr=subprocess.PIPE,
            timeout=120,
            check=False,
        )
        assert ended.returncode == 1
        assert b"There is no standard" in ended.stderr
        assert b"mistake" not in ended.stderr


def stopped(*_: Any) -> Any:
    raise KeyboardInterrupt


def test_ctrl_c_on_any_command_is_one_sentence(alone: Party, tmp_path: Path) -> None:
    more = {
        "export": (),
        "agreement draft": ("--template", "bilateral", "--party", "a=x"),
        "agreement text": ("nobody",),
        "agreement lint": ("nobody",),
        "import": ("-",),
        "peer add": ("nobody",),
        "public collect": ("--from", "nobody"),
        "card verify": ("nobody", "--fingerprint", " ".join(["12345"] * 6), "--method", "telephone"),
    }
    wired = replace(alone.wired, open_home=stopped)
    for words, (_, kind) in COMMANDS.items():
        needed = more[words] if words in more else arguments(words, tmp_path)
        if not kind:
            continue
        answer = call(wired, "--home", str(alone.folder), *words.split(), *needed, "--json")
        assert (words, answer.status, answer.json["code"]) == (words, 130, "stopped"), answer.err
        assert answer.err.count("\n") == 1
        assert answer.json["sentence"].startswith("Stopped. ")


def arguments(words: str, folder: Path) -> list[str]:
    """What a command cannot be called without."""
    found: Any = make_app(load=True)
    for word in words.split():
        found = found[word]
    file = folder / "file"
    file.write_bytes(b"{}")
    plain = {
        "role": "audit",
        "use": "node",
        "reason": "because",
        "url": "http://127.0.0.1:9/",
        "rows": "1",
        "items": "1",
        "act": "opened",
        "at": "2030-01-01T00:00:00Z",
    }
    said: list[str] = []
    for one in found.assemble_argument_collection():
        name = str(one.names[0]).lstrip("-").lower()
        several = one.field_info.kind is one.field_info.VAR_POSITIONAL
        if not (one.parse and (one.required or several)):
            continue
        value = plain.get(name, str(file))
        said += [value] if one.index is not None else [str(one.names[0]), value]
    return (
        said
        + (["--tlp", "green"] if words == "handling set" else [])
        + (["--office", "x"] if words == "card set" else [])
    )


def test_ctrl_c_while_the_process_begins_is_one_sentence() -> None:
    code = (
        "import sys, comity.__main__ as m\ndef gone(*_): raise KeyboardInterrupt\nm.wiring = gone\nsys.exit(m.main())\n"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, timeout=120, check=False)
    assert (ended.returncode, ended.stderr) == (130, b"comity: Stopped.\n")


def test_ctrl_c_in_an_import_keeps_what_is_dealt_with(alone: Party, tmp_path: Path) -> None:
    fifo = tmp_path / "feed"
    os.mkfifo(fifo)
    import_ = subprocess.Popen(
        [*COMITY, "--home", str(alone.folder), "import", str(fifo), "--tlp", "green"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    with fifo.open("wb") as feed:
        feed.write(b"evil.example.org\n")
        feed.flush()
        import_.send_signal(signal.SIGINT)
    out, err = import_.communicate(timeout=120)
    assert (import_.returncode, out) == (130, b"")
    assert err.startswith(b"comity: Stopped. ")
    assert err.count(b"\n") == 1
    assert alone.do("doctor")["whole"] is True


# --- init


def tree(folder: Path) -> dict[str, bytes]:
    """Everything under a folder."""
    return {
        str(one.relative_to(folder)): one.read_bytes() if one.is_file() else b"" for one in sorted(folder.rglob("*"))
    }


@pytest.mark.parametrize(
    "words",
    [
        ("--country", "xx"),
        ("--country", "Estonia"),
        ("--country", "XA", "--url", "cert.example"),
        ("--country", "XA", "--url", "https://"),
        ("--country", "XA", "--language", "English please"),
        ("--country", "XA", "--identity", "Alpha"),
        ("--country", "XA", "--office", " "),
        ("--country", "XA", "--database", "postgresql://localhost/x"),
        ("--country", "XA", "--name", "Al\u202epha"),
        ("--country", "XA", "--name", "Al\u200bpha"),
    ],
)
def test_init_that_is_refused_leaves_nothing(
    shell: Callable[..., Answer], tmp_path: Path, words: tuple[str, ...]
) -> None:
    said = [*INIT, *words]
    if "--name" in said:
        said[2] = said.pop()
        said.remove("--name")
    answer = shell("--home", str(tmp_path / "new" / "folder"), *said, "--json")
    assert answer.status in (1, 2), answer.text
    assert answer.json["code"] not in ("internal", "stopped")
    assert tree(tmp_path) == {}


@pytest.mark.parametrize("broken", [OSError(28, "No space left on device"), KeyboardInterrupt()])
@pytest.mark.parametrize("step", ["_define", "found", "now"])
def test_init_that_is_cut_off_leaves_what_stood_there(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, step: str, broken: BaseException
) -> None:
    (tmp_path / "letters").mkdir()
    (tmp_path / "letters" / "one.txt").write_text("mine")
    stood = tree(tmp_path)

    def fails(*_: Any, **__: Any) -> Any:
        raise broken

    if step == "found":
        monkeypatch.setattr("comity.node.founding.found", fails)
    else:
        monkeypatch.setattr(f"comity.__main__.{step}", fails)
    answer = call(wiring(), "--home", str(tmp_path), *INIT, "--country", "XA")
    assert answer.status in (1, 130)
    assert tree(tmp_path) == stood
    monkeypatch.undo()
    assert call(wiring(), "--home", str(tmp_path), *INIT, "--country", "XA").status == 0


def test_init_that_was_killed_goes_on_and_nothing_else_opens_the_folder(tmp_path: Path) -> None:
    for when in ("comity.node.founding.found", "comity.__main__._define"):
        home = tmp_path / when.rpartition(".")[2]
        module, _, name = when.rpartition(".")
        code = (
            f"import os, sys, {module} as m\n"
            f"m.{name} = lambda *a, **k: os._exit(9)\n"
            "import comity.__main__ as c\n"
            f"c.{name} = m.{name}\n"
            "sys.exit(c.main())\n"
        )
        words = ("--home", str(home), *INIT, "--country", "XA")
        killed = subprocess.run([sys.executable, "-c", code, *words], capture_output=True, timeout=120, check=False)
        assert killed.returncode == 9
        assert (home / FOUNDING).exists()
        answer = call(wiring(), "--home", str(home), "card", "show", "--json")
        assert (answer.status, answer.json["code"]) == (1, "no-node")
        assert "comity init" in answer.json["sentence"]
        keys = tree(home / "keys")
        assert call(wiring(), *words).status == 0
        assert tree(home / "keys") == keys
        assert not (home / FOUNDING).exists()
        assert call(wiring(), "--home", str(home), "card", "show").status == 0


def test_init_never_founds_a_second_node_on_the_keys_of_the_first(alone: Party) -> None:
    (alone.folder / "comity.db").rename(alone.folder.parent / "elsewhere.db")
    for other in alone.folder.glob("comity.db-*"):
        other.unlink()
    before = tree(alone.folder)
    answer = call(wiring(), "--home", str(alone.folder), *INIT, "--country", "XB", "--json")
    assert (answer.status, answer.json["code"]) == (1, "already-done")
    assert "--database" in answer.json["sentence"]
    assert tree(alone.folder) == before
