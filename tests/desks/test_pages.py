"""Every desk stands on its pages: its deeds with help, its kinds with their extensions and properties, examples that can be read."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Final

import pytest

from comity.desks import desks
from comity.faces.cli.main import make_app
from comity.kernel.model.objects import read_object
from comity.node.desk import Desk, asked_of

ROOT: Final = Path(__file__).resolve().parents[2]
DESKS: Final = {desk.name: desk for desk in desks()}
WITH_KINDS: Final = [name for name, desk in DESKS.items() if desk.kinds]


def page_of(folder: str, desk: Desk) -> str:
    return (ROOT / "docs" / folder / f"{desk.name}.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", DESKS)
def test_every_deed_stands_on_the_page_of_the_desk_and_asks_nothing_without_help(name: str) -> None:
    desk = DESKS[name]
    page = page_of("desks", desk)
    assert [item.name for item in desk.deeds if not re.search(rf"\bcomity {item.name}(?![\w-])", page)] == []
    app = make_app()
    for item in desk.deeds:
        found: Any = app
        for word in item.name.split():
            found = found[word]
        for one in found.assemble_argument_collection():
            if one.parse and one.show:
                assert (one.parameter.help or "").strip(), (item.name, one.names)


def test_what_is_asked_has_the_same_name_in_json_as_on_the_command_line() -> None:
    asked = {one.name for desk in DESKS.values() for item in desk.deeds for one in asked_of(item.asks)}
    assert {name for name in asked if name.endswith("_")} == set()


@pytest.mark.parametrize("name", WITH_KINDS)
def test_the_examples_of_the_page_of_its_format_are_read_as_they_stand(name: str) -> None:
    desk = DESKS[name]
    kinds = {kind.name: kind for kind in desk.kinds}
    texts = re.findall(r"^```json[^\n]*\n(\{.*?)^```", page_of("formats", desk), re.M | re.S)
    read = [read_object(text.encode()) for text in texts if '"spec_version"' in text]
    assert read
    for one in read:
        assert kinds[one.type].read(one.data) is not None
        assert kinds[one.type].extension in one.data["extensions"]


@pytest.mark.parametrize("name", WITH_KINDS)
def test_every_kind_stands_on_the_page_of_its_format(name: str) -> None:
    desk = DESKS[name]
    page = page_of("formats", desk)
    for kind in desk.kinds:
        assert f"`{kind.name}`" in page, kind.name
        assert kind.extension in page, kind.name
        for member in kind.says.__struct_fields__:
            assert f"`{member}`" in page, (kind.name, member)
