"""The tree over the chunks of a file, and answers that hold exactly what was asked for, against the published vectors."""

from __future__ import annotations

import importlib.util
import json
import re
from base64 import b64decode
from pathlib import Path
from types import ModuleType
from typing import Any, Final

import pytest

from comity.kernel.errors import ComityError
from comity.kernel.exchange.attachments import (
    AT_ONCE,
    CHUNK,
    Described,
    Tree,
    chunk_leaf,
    chunks_root,
    decode_ask,
    decode_portion,
    described,
    encode_ask,
    ni_url,
)
from comity.kernel.model.objects import from_data
from comity.kernel.tlog.tree import verify_inclusion

ROOT: Final = Path(__file__).resolve().parents[3]
FOLDER: Final = ROOT / "vectors" / "attachments"
SHAPE: Final[dict[str, Any]] = json.loads((FOLDER / "files.json").read_text(encoding="utf-8"))
PAGE: Final = (ROOT / "docs" / "formats" / "attachments.md").read_text(encoding="utf-8")


def maker() -> ModuleType:
    spec = importlib.util.spec_from_file_location("make_attachments", FOLDER / "make.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_vectors_are_what_their_maker_writes() -> None:
    assert (FOLDER / "files.json").read_text(encoding="utf-8") == maker().made()


@pytest.mark.parametrize("file", SHAPE["files"], ids=lambda one: str(one["size"]))
def test_a_file_has_the_root_of_the_vectors_and_every_chunk_its_proof(file: dict[str, Any]) -> None:
    data = maker().content(file["size"])
    parts = [data[at : at + CHUNK] for at in range(0, len(data), CHUNK)]
    leaves = [chunk_leaf(part) for part in parts]
    assert chunks_root(leaves) == file["root"]
    said = described(from_data(file["artifact"]).data)
    assert said == Described(file["sha256"], file["size"], file["root"])
    assert said is not None
    assert said.chunks == len(parts)
    assert ni_url(file["sha256"]) == file["url"] == file["artifact"]["url"]
    tree = Tree.over(b"".join(leaves))
    for n, leaf in enumerate(leaves):
        verify_inclusion(leaf, n, len(leaves), tree.proof(n), bytes.fromhex(file["root"]))


@pytest.mark.parametrize("answer", SHAPE["answers"][0]["answers"], ids=lambda one: str(one["name"]))
def test_an_answer_is_taken_or_refused_as_the_vectors_say(answer: dict[str, Any]) -> None:
    group = SHAPE["answers"][0]
    ask = decode_ask(group["ask"].encode())
    assert encode_ask(ask).decode() == group["ask"]
    file = Described("00" * 32, group["file"]["size"], group["file"]["root"])
    code = None
    try:
        decode_portion(b64decode(answer["body"]), ask, file)
    except ComityError as refused:
        code = refused.code
    assert code == answer["code"]


def test_the_examples_of_the_page_are_read_as_they_stand() -> None:
    [shown] = re.findall(r"^```json artifact\n(.*?)^```", PAGE, re.M | re.S)
    said = described(from_data(json.loads(shown)).data)
    assert said is not None
    assert (said.size, said.name) == (12, "hello.txt")
    assert said.root == chunks_root([chunk_leaf(b"Hello World!")])
    [asked] = re.findall(r"^```json ask\n(.*?)^```", PAGE, re.M | re.S)
    assert decode_ask(asked.encode()).root == said.root
    assert f"{CHUNK >> 10} KiB" in PAGE
    assert f"0 to {AT_ONCE}" in PAGE
