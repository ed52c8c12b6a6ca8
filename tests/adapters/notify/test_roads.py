"""The roads to a person: a real program and a real mail relay on this machine are told a number and a kind, and nothing else."""

from __future__ import annotations

import asyncio
import os
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from comity.adapters.notify.mail import Mail
from comity.adapters.notify.program import Program
from comity.adapters.notify.roads import FILE, read_roads
from comity.kernel.errors import NotAllowed, Unavailable


@dataclass
class Relay:
    """A mail relay that keeps what it is handed; `refuses` is its answer to DATA, where it has one."""

    refuses: str = ""
    port: int = 0
    mails: list[tuple[str, list[str], str]] = field(default_factory=list)

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        sender, to = "", []

        async def say(line: str) -> None:
            writer.write(f"{line}\r\n".encode())
            await writer.drain()

        await say("220 relay.example ESMTP")
        while line := (await reader.readline()).decode().strip():
            word = line.upper()
            if word.startswith("MAIL FROM:"):
                sender = line.partition(":")[2].split()[0].strip("<>")
            elif word.startswith("RCPT TO:"):
                to.append(line.partition(":")[2].strip("<>"))
            elif word == "DATA":
                if self.refuses:
                    await say(self.refuses)
                    continue
                await say("354 go on")
                body = await reader.readuntil(b"\r\n.\r\n")
                self.mails.append((sender, to, body.decode()))
            elif word == "QUIT":
                await say("221 bye")
                break
            await say("250 OK")
        writer.close()


@pytest.fixture
def relay() -> Iterator[Relay]:
    """A relay on loopback."""
    sink = Relay()
    loop = asyncio.new_event_loop()
    server = loop.run_until_complete(asyncio.start_server(sink.talk, "127.0.0.1", 0))
    sink.port = server.sockets[0].getsockname()[1]
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    yield sink

    async def end() -> None:
        server.close()
        await server.wait_closed()

    asyncio.run_coroutine_threadsafe(end(), loop).result(10)
    loop.call_soon_threadsafe(loop.stop)
    thread.join(10)
    loop.close()


def configured(folder: Path, text: str) -> Path:
    path = folder / FILE
    path.write_text(text, encoding="utf-8")
    path.chmod(0o600)
    return folder


def script(folder: Path, body: str) -> Path:
    path = folder / "page.py"
    path.write_text(body, encoding="utf-8")
    return path


KEEPS = "import json, os, sys; open({out!r}, 'a').write(json.dumps([sys.argv[1:], sorted(os.environ), sys.stdin.read()]) + chr(10))"


def test_mail_says_a_number_and_a_kind_and_is_marked_as_made_by_a_machine(tmp_path: Path, relay: Relay) -> None:
    roads = read_roads(
        configured(
            tmp_path, f'[mail]\nhost = "127.0.0.1"\nport = {relay.port}\nfrom = "comity@a.example"\ntls = "none"\n'
        )
    )
    assert roads(17, "message", "mailto:ann@a.example") == "mail"
    ((sender, to, mail),) = relay.mails
    assert (sender, to) == ("comity@a.example", ["ann@a.example"])
    heads, _, body = mail.partition("\r\n\r\n")
    assert "Subject: Comity: notice 17" in heads
    assert "Auto-Submitted: auto-generated" in heads
    assert (
        body.replace("\r\n.\r\n", "").strip()
        == "Notice 17 (message) waits. Look it up on the node: comity contact notify"
    )


def test_relay_that_refuses_or_is_not_there_is_a_failed_road(relay: Relay) -> None:
    relay.refuses = "451 later"
    mail = Mail(host="127.0.0.1", port=relay.port, sender="c@a.example", tls="none", timeout=5)
    with pytest.raises(Unavailable) as refused:
        mail.tell(1, "ping", "ann@a.example")
    assert refused.value.code == "notify-failed"
    for to in ("ann@a.example\r\nBcc: eve@a.example", "no address at all\n"):
        with pytest.raises(Unavailable):
            mail.tell(1, "ping", to)
    assert relay.mails == []
    with pytest.raises(Unavailable):
        Mail(host="127.0.0.1", port=1, sender="c@a.example", tls="none", timeout=5).tell(1, "ping", "a@b.example")


def test_relay_that_does_not_offer_tls_is_handed_nothing(relay: Relay) -> None:
    with pytest.raises(Unavailable):
        Mail(host="127.0.0.1", port=relay.port, sender="c@a.example", tls="starttls", timeout=5).tell(
            1, "ping", "a@b.example"
        )
    assert relay.mails == []


def test_program_is_given_its_words_as_they_stand_without_a_shell_and_without_our_token(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import json

    monkeypatch.setenv("COMITY_TOKEN", "cmt_secret")
    out = tmp_path / "told"
    page = script(tmp_path, KEEPS.format(out=str(out)))
    words = json.dumps([sys.executable, str(page), "{number}", "{kind}", "{to}", "; touch owned"])
    roads = read_roads(configured(tmp_path, f"[exec]\nargv = {words}\n"))
    assert roads(3, "overdue", "tel:+1 $(touch owned) 'x'") == "exec"
    ((said, environment, given),) = [json.loads(line) for line in out.read_text().splitlines()]
    assert said == ["3", "overdue", "tel:+1 $(touch owned) 'x'", "; touch owned"]
    assert "COMITY_TOKEN" not in environment
    assert given == ""
    assert not (tmp_path / "owned").exists()


def test_program_that_fails_hangs_or_is_not_there_is_a_failed_road(tmp_path: Path) -> None:
    for argv, timeout, told in (
        ((sys.executable, "-c", "raise SystemExit(3)"), 20, "status 3"),
        ((sys.executable, "-c", "import time; time.sleep(60)"), 0.2, "longer than 0.2 seconds"),
        ((str(tmp_path / "nothing"),), 20, "could not tell"),
        ((sys.executable, "nul\x00l"), 20, "cannot be passed on"),
    ):
        with pytest.raises(Unavailable) as refused:
            Program(argv=argv, timeout=timeout).tell(1, "message", "tel:+1")
        assert told in refused.value.sentence


def test_kinds_of_addresses_find_their_road(tmp_path: Path, relay: Relay) -> None:
    out = tmp_path / "told"
    page = script(tmp_path, KEEPS.format(out=str(out)))
    text = f'[exec]\nargv = ["{sys.executable}", "{page}", "{{to}}"]\nfor = ["tel"]\n'
    text += f'[mail]\nhost = "localhost"\nport = {relay.port}\nfrom = "c@a.example"\ntls = "none"\n'
    roads = read_roads(configured(tmp_path, text))
    assert (roads(1, "ping", "tel:+1"), roads(2, "ping", "mailto:a@b.example")) == ("exec", "mail")
    with pytest.raises(Unavailable):
        roads(3, "ping", "signal:+1")


@pytest.mark.parametrize(
    "text",
    [
        "[exec]\nargv = 'page {number}'\n",
        "[exec]\nargv = []\n",
        "[exec]\nargv = ['x']\ntimeout = 0\n",
        "[exec]\nargv = ['x']\nshell = true\n",
        "[mail]\nhost = 'relay.example'\nfrom = 'c@a.example'\ntls = 'none'\n",
        "[mail]\nhost = '127.0.0.1'\n",
        "[mail]\nhost = '127.0.0.1'\nfrom = 'nobody'\n",
        "[mail]\nhost = '127.0.0.1'\nfrom = 'c@a.example'\nport = 'smtp'\n",
        "[pigeon]\nname = 'Ann'\n",
        "exec = 'x'\n",
        "not toml",
    ],
)
def test_file_that_cannot_be_used_is_refused_with_a_sentence(tmp_path: Path, text: str) -> None:
    with pytest.raises(NotAllowed) as refused:
        read_roads(configured(tmp_path, text))
    assert refused.value.code == "notify-config"
    assert refused.value.sentence.endswith(".")


def test_file_that_others_may_write_runs_nothing(tmp_path: Path) -> None:
    folder = configured(tmp_path, "[exec]\nargv = ['x']\n")
    (folder / FILE).chmod(0o666)
    with pytest.raises(NotAllowed) as refused:
        read_roads(folder)
    assert "Others may write" in refused.value.sentence
    assert os.access(folder / FILE, os.W_OK)
