"""The deeds of the desk over the command line, as an officer types them."""

from __future__ import annotations

from pathlib import Path

import pytest

from comity.__main__ import tend_desks
from comity.desks.statements import DESK
from comity.desks.statements.kinds import KINDS
from comity.kernel.errors import CODES
from comity.kernel.model.instants import HOUR, MINUTE, format
from comity.node.deeds import deed
from comity.node.procedures import shipped_tables
from simulators.shell import Party, call, found, introduce, now

ROOT = Path(__file__).resolve().parents[3]
STATED = ("--tlp", "amber", "--purpose", "diplomatic-response", "--basis", "task-in-public-interest")


@pytest.fixture
def pair(tmp_path: Path) -> tuple[Party, Party]:
    made = tuple(
        found(tmp_path / name, name, "ministry", code, "--tick", "60")
        for name, code in (("xanadu", "XA"), ("almara", "XB"))
    )
    introduce(*made)
    return made[0], made[1]


def file(folder: Path, text: str) -> str:
    path = folder / f"{abs(hash(text))}.txt"
    path.write_text(text, encoding="utf-8")
    return str(path)


def test_the_words_of_the_story_are_commands(pair: tuple[Party, Party], tmp_path: Path) -> None:
    one, other = pair
    text = file(tmp_path, "Xanadu assesses that it was a service of Nordmark.")
    statement = one.do(
        "statement", "draft", "Statement of Xanadu", "--language", "en", "--text", text, "--accused", "Nordmark",
        "--claim-level", "state-organ", "--likelihood", "highly likely", "--scale", "uk-phia", "--confidence", "high",
        "--tone", "contrary-to-expectations", *STATED,
    )["id"]  # fmt: skip
    one.do("statement", "text", statement, "fr", "--text", file(tmp_path, "Xanadu estime."), "--status", "certified")
    at = now() + HOUR
    words = ("statement", "convene", "One day", "--party", other.id, "--at", format(at))
    case = one.do(*words, officer="Ann")["case"]
    one.do("statement", "join", case, statement, officer="Ann")
    one.do("statement", "go", case, officer="Ann")
    one.do("statement", "hold", case, "--reason", "A word with the capital.", officer="Ann")
    one.do("statement", "go", case, officer="Ann")
    stands = one.do("statement", "standing", case)
    assert stands["own"]["ready"] is True
    assert 3_000 < stands["seconds_left"] < 3_600
    assert "Our node is ready." in call(one.wired, "--home", str(one.folder), "statement", "standing", case).text
    one.ahead = HOUR
    _timer(one)
    published = one.do("log", "show", "--kind", "publish")["acts"]
    assert len(published) == 1
    one.ahead += 2 * MINUTE
    _timer(one)
    told = one.do("statement", "public", case, "--output", str(tmp_path / "public.json"))
    assert [item["object"] for item in told["items"]] == [statement]
    verdict = one.do("verify", str(tmp_path / "public.json"), "--fingerprint", one.fingerprint)
    assert verdict["verified"] is True
    compared = one.do("statement", "compare", case)
    assert [line["claim_level"] for line in compared["statements"]] == ["state-organ"]
    note = one.do(
        "statement", "record", "Statement of Farland", "--for", "Farland", "--country", "XK", "--road", "note-verbale",
        "--reference", "FL/214/2021", "--received", "2021-07-19T12:00:00Z", "--language", "en", "--text", text,
        "--claim-level", "solidarity", *STATED, officer="Ann",
    )  # fmt: skip
    assert "not signed" in one.do("statement", "show", note["id"])["sentence"]
    reply = other.do(
        "statement", "reply", statement, note["id"], "--language", "en", "--text", text, *STATED, officer="Ann"
    )
    assert reply["replies_to"] == [statement, note["id"]]
    paper = tmp_path / "paper.txt"
    one.do(
        "statement",
        "document",
        statement,
        "--language",
        "fr",
        "--format",
        "txt",
        "--as",
        "demarche",
        "--output",
        str(paper),
    )
    assert "Xanadu estime." in paper.read_text(encoding="utf-8")
    word = tmp_path / "paper.docx"
    one.do("statement", "document", note["id"], "--language", "en", "--format", "docx", "--output", str(word))
    refused = one.try_("statement", "import", str(word), note["id"], "--from", other.id)
    assert refused.status == 1


def _timer(one: Party) -> None:
    """What the timer of a node that is served does."""
    home = one.wired.open_home(one.folder, None)
    try:
        with deed(home.node):
            pass
        tend_desks(home.node)
    finally:
        home.close()


def test_the_pages_of_the_desk_name_every_kind_property_deed_and_code() -> None:
    page = (ROOT / "docs/formats/statements.md").read_text(encoding="utf-8")
    used = (ROOT / "docs/desks/statements.md").read_text(encoding="utf-8")
    for kind in KINDS:
        assert f"`{kind.name}`" in page
        assert kind.extension in page
        for name in kind.says.__struct_fields__:
            assert f"`{name}`" in page, f"{kind.name} has {name}, which the page does not tell"
    for item in DESK.deeds:
        assert f"`comity {item.name}`" in used, item.name
    for code in ("statement-case", "statement-texts", "not-public", "publication-moved"):
        assert code in CODES
        assert f"`{code}`" in used
    assert shipped_tables()["joint-statements"].digest in (ROOT / "docs/procedures.md").read_text(encoding="utf-8")
