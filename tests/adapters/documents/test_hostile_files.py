"""Word files that would do harm are refused with one sentence: bombs, entities, macros, links that load, nonsense."""

from __future__ import annotations

import io
import random
import zipfile
from collections.abc import Callable

import pytest

from adapters.documents.papers import statement
from adapters.documents.tracked import Tracked
from comity.adapters.documents import Papers
from comity.adapters.documents.changes import read_changes
from comity.kernel.errors import InputRefused
from comity.node.documents import render

REL = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"


def good() -> bytes:
    return render(Papers(), statement(), "docx")[0]


def document(change: Callable[[str], str]) -> bytes:
    edited = Tracked(good())
    said = edited.parts["word/document.xml"].decode()
    return zipped({**edited.parts, "word/document.xml": change(said).encode()})


def zipped(parts: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as package:
        for name, data in parts.items():
            package.writestr(name, data)
    return out.getvalue()


def entity(said: str) -> str:
    head, _, rest = said.partition("?>")
    return f'{head}?><!DOCTYPE w:document [<!ENTITY a SYSTEM "file:///etc/passwd">]>{rest.replace("condemn", "&a;")}'


def encrypted() -> bytes:
    data = bytearray(good())
    at = data.index(b"PK\x01\x02")
    data[at + 8] |= 1
    return bytes(data)


FILES: dict[str, tuple[Callable[[], bytes], str]] = {
    "no file": (lambda: b"", "no .docx file"),
    "a text": (lambda: b"hello" * 100, "no .docx file"),
    "a zip of others": (lambda: zipped({"a.txt": b"a"}), "no .docx file"),
    "cut off": (lambda: good()[:-200], "no .docx file"),
    "too large": (lambda: b"PK" + bytes(21 << 20), "20 MiB"),
    "a bomb": (lambda: zipped({**Tracked(good()).parts, "word/document.xml": b" " * (40 << 20)}), "32 MiB"),
    "many parts": (lambda: zipped({f"{n}.xml": b"" for n in range(1_001)}), "too many parts"),
    "encrypted": (encrypted, "encrypted"),
    "macros": (lambda: Tracked(good()).part("word/vbaProject.bin", b"x").saved(), "macros"),
    "an embedded object": (lambda: Tracked(good()).part("word/embeddings/oleObject1.bin", b"x").saved(), "embedded"),
    "a template from elsewhere": (
        lambda: Tracked(good()).relation(f"{REL}/attachedTemplate", "https://evil.example/t.dotm", external=True).saved(),
        "load something from elsewhere (attachedTemplate)",
    ),
    "a picture from elsewhere": (
        lambda: Tracked(good()).relation(f"{REL}/image", "file://evil.example/a.png", external=True).saved(),
        "load something from elsewhere (image)",
    ),
    "an entity": (lambda: document(entity), "document type"),
    "UTF-16": (lambda: zipped({**Tracked(good()).parts, "word/document.xml": "<a/>".encode("utf-16")}), "UTF-8"),
    "broken XML": (lambda: document(lambda said: said[:-20]), "no XML"),
    "nested without end": (lambda: document(lambda said: said.replace("<w:body>", "<w:body>" + "<w:ins>" * 5_000)), "nested"),
    "no body": (lambda: zipped({**Tracked(good()).parts, "_rels/.rels": b"<Relationships/>"}), "no body"),
    "no ids": (lambda: document(lambda said: said.replace("_comity_", "_other_")), "none of its paragraphs has an id"),
}  # fmt: skip


@pytest.mark.parametrize("name", list(FILES))
def test_file_that_is_not_what_it_should_be_is_refused_with_one_sentence(name: str) -> None:
    made, why = FILES[name]
    with pytest.raises(InputRefused) as refused:
        read_changes(made())
    assert refused.value.code == "document-file"
    assert why in refused.value.sentence
    assert refused.value.sentence.endswith(".")


def test_plain_link_in_a_file_is_left_as_it_is() -> None:
    file = Tracked(good()).relation(f"{REL}/hyperlink", "https://evil.example/", external=True).saved()
    assert read_changes(file).paragraphs == read_changes(good()).paragraphs


def test_damaged_bytes_never_end_in_anything_but_a_refusal() -> None:
    chance, whole = random.Random(7), good()
    refused = 0
    for _ in range(300):
        data = bytearray(whole)
        for _ in range(chance.randint(1, 4)):
            data[chance.randrange(len(data))] = chance.randrange(256)
        try:
            read_changes(bytes(data))
        except InputRefused as broken:
            refused += broken.code == "document-file"
    assert refused > 50


def test_many_comments_on_one_paragraph_cost_no_more_than_each_by_itself() -> None:
    starts = "".join(f'<w:commentRangeStart w:id="{n}"/>' for n in range(20_000))
    runs = "<w:r><w:t>x</w:t></w:r>" * 20_000
    file = document(lambda said: said.replace("<w:r>", f"{starts}{runs}<w:r>", 1))
    assert [one.id for one in read_changes(file).paragraphs] == [one.id for one in read_changes(good()).paragraphs]
