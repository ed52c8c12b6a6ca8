"""A file goes from one node to another over TLS, by commands: added, fetched when asked for, written out, disposed of."""

from __future__ import annotations

import os
from pathlib import Path

from simulators.served import free_port, served
from simulators.shell import found, introduce

SAID = ("--tlp", "green", "--no-caveats", "--basis", "agreement", "--purpose", "protect-networks")


def test_a_file_is_added_fetched_over_tls_written_out_and_disposed_of(tmp_path: Path) -> None:
    port = free_port()
    alpha = found(tmp_path / "alpha", "Alpha", "csirt", "XA", "--tick", "0.2", "--url", f"https://127.0.0.1:{port}")
    beta = found(tmp_path / "beta", "Beta", "csirt", "XB")
    introduce(alpha, beta)
    draft = tmp_path / "d.toml"
    parties = ("--party", "a=Alpha", "--party", "b=Beta")
    alpha.do("agreement", "draft", "--template", "bilateral", *parties, "--output", str(draft))
    wider = draft.read_text().replace('"url", "file"]', '"url", "file", "artifact", "x-comity-custody"]')
    draft.write_text(wider)
    digest = alpha.do("agreement", "receive", str(draft))["digest"]
    alpha.do("agreement", "send", digest, officer="Ann")
    alpha.do("agreement", "sign", digest, officer="Ann")
    image = tmp_path / "disk.img"
    image.write_bytes(os.urandom(600_001))

    bare = alpha.try_("attachment", "add", str(image))
    assert (bare.status, bare.json["code"]) == (2, "handling")
    made = alpha.do("attachment", "add", str(image), *SAID, "--place", "room 2", officer="Ann")
    object = made["object"]
    assert (made["size"], made["chunks"], made["name"]) == (600_001, 3, "disk.img")
    spooled = alpha.do("attachment", "add", "-", *SAID, stdin=b"from a pipe", officer="Ann")
    assert (spooled["size"], spooled["name"]) == (11, None)

    with served(alpha, port):
        beta.do("sync", "Alpha")
        beta.do("agreement", "sign", digest, officer="Ann")
        beta.do("sync", "Alpha")
        beta.do("sync", "Alpha")
        rows = {one["object"]: one["state"] for one in beta.do("attachment", "list")["attachments"]}
        assert rows == {object: "not fetched", spooled["object"]: "not fetched"}
        early = beta.try_("attachment", "open", object, "--output", str(tmp_path / "no"))
        assert (early.status, early.json["code"]) == (1, "attachment-not-here")
        assert not (tmp_path / "no").exists()
        got = beta.do("attachment", "fetch", object, officer="Ann")
        assert (got["from"], got["size"]) == (alpha.id, 600_001)

    out = tmp_path / "evidence.bin"
    beta.do("attachment", "open", object, "--output", str(out), officer="Ann")
    assert out.read_bytes() == image.read_bytes()
    assert out.stat().st_mode & 0o111 == 0
    assert beta.do("attachment", "verify", object)["whole"] is True
    copy = ("--before", got["sha256"], "--after", got["sha256"], "--means", "USB stick 4711")
    beta.do("attachment", "record", object, "copied", *copy, officer="Ann")
    wrong = beta.try_("attachment", "record", object, "burnt", *copy, officer="Ann")
    assert (wrong.status, wrong.json["code"]) == (2, "custody-entry")
    chain = beta.do("attachment", "custody", object)
    assert [one["act"] for one in chain["entries"]] == ["collected", "transferred", "opened", "copied"]
    assert chain["gaps"] == []
    assert beta.try_("attachment", "forget", object, "--reason", "x").status == 1  # nobody's word
    assert beta.do("attachment", "forget", object, "--reason", "closed", officer="Ann")["erased"] == 600_001
    assert beta.do("attachment", "show", object)["state"].endswith(": closed")
    given = [one for one in alpha.do("account", "--party", "Beta")["given"] if one["file"] is not None]
    assert [(one["object"], one["file"]["chunks"]) for one in given] == [(object, 3)]

    alpha.do("backup", str(tmp_path / "kept"))
    alpha.folder = tmp_path / "again"
    alpha.do("restore", str(tmp_path / "kept"))
    assert alpha.do("attachment", "verify", object)["sha256"] == got["sha256"]
    for party in (alpha, beta):
        assert party.do("doctor")["findings"] == []
