"""Names that would lead out of a folder, artifacts that say what cannot be, requests that are none."""

from __future__ import annotations

import msgspec
import pytest

from comity.kernel.errors import ComityError, InputRefused, NotFound, Usage
from comity.kernel.exchange.attachments import (
    CHUNK,
    EXTENSION,
    LARGEST,
    Described,
    artifact,
    decode_ask,
    described,
    ni_url,
)
from comity.kernel.model.objects import from_data
from comity.kernel.store.rows import Attachment, Chunk, FileRow, Version
from comity.node.attachments.keeping import sweep
from comity.node.attachments.opening import forget, listed, verify_file
from simulators.files import A, B, content, fetched, opened, put_in, teams

ID = "artifact--00000000-0000-4000-8000-000000000001"
NAMES = [
    "../../x",
    "a/b",
    "a\\b",
    "x\x00y",
    "x" * 10_000,
    "..",
    ".",
    "",
    "abc\u202etxt.exe",
    "new\nline",
    "\u200bx",
    "\x1b[2J",
]


@pytest.mark.parametrize("name", NAMES)
def test_a_name_that_is_a_path_or_moves_the_cursor_is_refused_when_it_is_ours(name: str) -> None:
    world = teams()
    with pytest.raises(Usage) as refused:
        put_in(world, A, b"x", name=name)
    assert refused.value.code == "attachment-name"


@pytest.mark.parametrize("name", NAMES)
def test_a_name_that_is_a_path_is_not_shown_when_it_comes_from_elsewhere(name: str) -> None:
    world = teams()
    data = artifact(Described("ab" * 32, 5, "cd" * 32), ID)
    data["extensions"][EXTENSION]["name"] = name
    world.take(A, data, tlp="green", basis=["agreement"], purpose=["protect-networks"], caveats=[])
    world.sync(A, B)
    [row] = listed(world.nodes[B])
    assert row["name"] is None


def test_the_artifact_names_bytes_and_no_place_that_could_be_called() -> None:
    world = teams()
    put_in(world, A, b"Hello World!")
    with world.nodes[A].store.read() as tx:
        data = msgspec.json.decode(next(row.raw for row in tx.find(Version) if row.type == "artifact"))
    assert data["url"] == "ni:///sha-256;f4OxZX_x_FO5LcGBSKHWXfwtSx-j1ncoSt3SABJtkGk"  # RFC 6920 §8.1
    assert not {"payload_bin", "encryption_algorithm", "decryption_key"} & set(data)
    assert from_data(data).id == data["id"]
    assert ni_url(data["hashes"]["SHA-256"]) == data["url"]


@pytest.mark.parametrize(
    "says",
    [
        {"size": -1},
        {"size": LARGEST + 1},
        {"size": True},
        {"size": "5"},
        {"size": 0},
        {"root": "xyz"},
        {"root": "CD" * 32},
        {"form": 2},
    ],
)
def test_an_artifact_that_says_what_cannot_be_is_no_attachment(says: dict[str, object]) -> None:
    data = artifact(Described("ab" * 32, 5, "cd" * 32), ID)
    data["extensions"][EXTENSION] |= says
    with pytest.raises(InputRefused) as refused:
        described(data)
    assert refused.value.code == "attachment-form"
    world = teams()
    world.take(A, data, tlp="green", caveats=[])
    assert listed(world.nodes[A]) == []


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{}",
        b'{"form":1}',
        b"x" * 10_000,
        b'{"form":1,"object":"indicator--00000000-0000-4000-8000-000000000001","digest":"'
        + b"ab" * 32 + b'","root":"' + b"ab" * 32 + b'","first":0,"count":1}',
        b'{"form":1,"object":"' + ID.encode() + b'","digest":"' + b"ab" * 32 + b'","root":"' + b"ab" * 32
        + b'","first":-1,"count":1}',
        b'{"form":1,"object":"' + ID.encode() + b'","digest":"' + b"ab" * 32 + b'","root":"' + b"ab" * 32
        + b'","first":0,"count":17}',
        b'{"form":1,"object":"' + ID.encode() + b'","digest":"' + b"ab" * 32 + b'","root":"' + b"ab" * 32
        + b'","first":true,"count":1}',
    ],
)  # fmt: skip
def test_a_request_that_is_none_is_refused_with_one_sentence(body: bytes) -> None:
    with pytest.raises(InputRefused) as refused:
        decode_ask(body)
    assert refused.value.code == "attachment-ask"


def test_a_chunk_changed_on_the_disk_is_found_before_the_file_is_written_out() -> None:
    world = teams()
    object = put_in(world, A, content(3))
    with world.nodes[A].store.write() as tx:
        chunk = next(iter(tx.find(Chunk)))
        tx.put(Chunk(chunk.file, chunk.n, b"x" + chunk.data[1:]))
    for deed in (lambda: opened(world, A, object), lambda: verify_file(world.nodes[A], object)):
        with pytest.raises(ComityError) as broken:
            deed()
        assert broken.value.code == "attachment-damaged"
        assert "Chunk 1 of file" in broken.value.sentence


def test_bytes_stay_while_another_artifact_needs_them_and_digest_and_record_stay_always() -> None:
    world, data = teams(), content(2)
    one, other = put_in(world, A, data), put_in(world, A, data)
    assert forget(world.nodes[A], one, reason="twice the same", officer="officer-1")["erased"] == 0
    assert opened(world, A, other) == data
    with pytest.raises(NotFound):
        opened(world, A, one)
    assert forget(world.nodes[A], other, reason="the case is closed", officer="officer-1")["erased"] == 2 * CHUNK
    with world.nodes[A].store.read() as tx:
        [file] = tx.find(FileRow)
        assert tx.count(Chunk) == 0
        assert {row.why for row in tx.find(Attachment)} == {"twice the same", "the case is closed"}
    assert file.sha256
    with pytest.raises(Usage):
        forget(world.nodes[A], other, reason=" ", officer="officer-1")


def test_a_file_that_was_disposed_of_can_be_fetched_again() -> None:
    world, data = teams(), content(2)
    object = put_in(world, A, data)
    world.sync(A, B)
    fetched(world, B, object, A)
    forget(world.nodes[B], object, reason="no room", officer="officer-1")
    fetched(world, B, object, A)
    assert opened(world, B, object) == data
    assert sweep(world.nodes[B]) == 0
