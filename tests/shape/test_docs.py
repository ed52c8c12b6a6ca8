"""The pages say what is so: links lead somewhere, tests, modules and commands that are named exist, made pages are up to date."""

from __future__ import annotations

import importlib.util
import re
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Final

import pytest

from comity.faces.cli.desks import desk_commands
from comity.faces.cli.main import COMMANDS
from comity.kernel.errors import CODES
from comity.kernel.store.rows import TABLES

ROOT: Final = Path(__file__).resolve().parents[2]
SRC: Final = ROOT / "src" / "comity"
PAGES: Final = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "changes").glob("*.md")])
NAMES: Final = [str(page.relative_to(ROOT)) for page in PAGES]
FENCE: Final = re.compile(r"^```.*?^```", re.M | re.S)


@cache
def text_of(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


@cache
def known_tests() -> frozenset[str]:
    found: set[str] = set()
    for path in (ROOT / "tests").rglob("test_*.py"):
        found.update(re.findall(r"^(?:async )?def (test_\w+)\(", path.read_text(encoding="utf-8"), re.M))
        found.add(path.stem)
    return frozenset(found)


def pages_tool() -> ModuleType:
    spec = importlib.util.spec_from_file_location("pages", ROOT / "tools" / "pages.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def anchor(heading: str) -> str:
    kept = re.sub(r"[^\w\- ]", "", re.sub(r"[`*]", "", heading).lower())
    return kept.replace(" ", "-")


@pytest.mark.parametrize("name", NAMES)
def test_every_link_of_a_page_leads_somewhere(name: str) -> None:
    page = ROOT / name
    text = FENCE.sub("", text_of(name))
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if re.match(r"[a-z]+:", target):
            assert target.startswith("https://"), f"{name}: {target} is no https address"
            continue
        path, _, part = target.partition("#")
        there = (page.parent / path).resolve() if path else page
        assert there.exists(), f"{name}: there is no {target}"
        assert there.is_relative_to(ROOT), f"{name}: {target} leads out of the project"
        if part:
            headings = re.findall(r"^#+ (.+)$", FENCE.sub("", there.read_text(encoding="utf-8")), re.M)
            assert part in {anchor(one) for one in headings}, f"{name}: {path} has no heading #{part}"


@pytest.mark.parametrize("name", NAMES)
def test_every_test_a_page_names_exists(name: str) -> None:
    named = set(re.findall(r"`(?:tests/[\w/]+\.py::)?(test_\w+)`", text_of(name)))
    assert named <= known_tests(), sorted(named - known_tests())


@pytest.mark.parametrize(
    "name", ["docs/map.md", "docs/standards.md", *(n for n in NAMES if n.startswith("docs/adr/0"))]
)
def test_every_module_a_page_names_exists(name: str) -> None:
    named = set(re.findall(r"`((?:kernel|node|desks|adapters|faces|data)/[\w./]*)`", text_of(name)))
    missing = sorted(one for one in named if not (SRC / one).exists())
    assert not missing


def test_every_package_stands_on_the_map() -> None:
    text = text_of("docs/map.md")
    packages = [
        path.parent.relative_to(SRC).as_posix() + "/" for path in SRC.rglob("__init__.py") if path.parent != SRC
    ]
    within = {"kernel/", "faces/", "adapters/"}  # told by the packages in them
    assert [one for one in packages if one not in within and f"`{one}`" not in text] == []


def test_every_page_stands_on_the_map() -> None:
    text = text_of("docs/map.md")
    pages = [page.name for page in (ROOT / "docs").glob("*.md") if page.name != "map.md"]
    assert [page for page in pages if f"]({page})" not in text] == []


def test_every_decision_stands_in_the_list_of_decisions() -> None:
    listed = re.findall(r"\]\((\d{4}-[\w-]+\.md)\)", text_of("docs/adr/README.md"))
    assert listed == sorted(path.name for path in (ROOT / "docs" / "adr").glob("0*.md"))
    for name in listed:
        text = text_of(f"docs/adr/{name}")
        for part in ("## Context", "## Options", "## Outcome", "## Negative consequences"):
            assert part in text, f"{name} has no {part}"


def test_pages_that_code_names_exist() -> None:
    missing: dict[str, str] = {}
    for path in sorted(SRC.rglob("*.py")):
        for page in re.findall(r"\bdocs/[\w/-]+\.md\b", path.read_text(encoding="utf-8")):
            if not (ROOT / page).is_file():
                missing[page] = path.relative_to(ROOT).as_posix()
    assert missing == {}


def test_every_kind_of_envelope_has_its_page() -> None:
    kinds = {"card", "seal"}
    for path in SRC.rglob("*.py"):
        kinds.update(
            re.findall(r'^\s*(?:DSSE_KIND|KIND)\b[^=\n]*= "([a-z-]+)"', path.read_text(encoding="utf-8"), re.M)
        )
        kinds.update(re.findall(r'\bsign\(\s*"([a-z-]+)"', path.read_text(encoding="utf-8")))
    assert {"act", "promise", "handling", "epoch", "renewal"} <= kinds
    text = "\n".join(text_of(name) for name in NAMES if name.startswith("docs/formats/"))
    assert sorted(kind for kind in kinds if not re.search(rf"`{kind}`|\bvnd\.comity\.{kind}\.v1", text)) == []


@pytest.mark.parametrize("name", ["errors.md", "tables.md", "procedures.md", "deeds.md"])
def test_a_page_made_from_code_is_what_the_code_says(name: str) -> None:
    assert pages_tool().PAGES[name]() == text_of(f"docs/{name}"), "run: python tools/pages.py"


def test_every_code_and_every_table_has_its_row() -> None:
    codes = text_of("docs/errors.md").split("\n## ", 3)[3]  # past the table of families
    assert set(re.findall(r"^\| `([^`]+)` \|", codes, re.M)) == set(CODES)
    assert set(re.findall(r"^\| `([^`]+)` \|", text_of("docs/tables.md"), re.M)) == {
        one.name for one in TABLES.values()
    }


def test_every_command_that_is_named_exists() -> None:
    known = {tuple(words.split()) for words in COMMANDS}
    known |= {tuple(words.split()[:2]) for words in desk_commands()}
    groups = {words[0] for words in known if len(words) == 2}
    wrong: list[str] = []
    texts = {name: text_of(name) for name in NAMES}
    texts |= {path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8") for path in SRC.rglob("*.py")}
    seen = 0
    for name, text in texts.items():
        said = re.findall(r"`comity +([a-z-]+)(?: +([a-z-]+))?", text)
        for fence in FENCE.findall(text) if name.endswith(".md") else []:
            said += re.findall(r"^(?:\$ +)?comity +([a-z-]+)(?: +([a-z-]+))?", fence, re.M)
        for one, two in said:
            seen += 1
            if (one,) in known or one.startswith("--") or (one in groups and (not two or (one, two) in known)):
                continue
            wrong.append(f"{name}: comity {one} {two}".strip())
    assert seen > 20
    assert wrong == []


def test_the_front_page_begins_with_commands_that_exist() -> None:
    text = text_of("README.md")
    rules = set(re.findall(r"^([a-z]+):", text_of_make(), re.M))
    named = set(re.findall(r"^(?:\$ +)?make ([a-z]+)", "\n".join(FENCE.findall(text)), re.M))
    assert "demo" in named
    for name in NAMES:
        said = re.findall(r"(?:`|^(?:\$ +)?)make ([a-z]+)", text_of(name), re.M)
        assert set(said) <= rules, f"{name}: {sorted(set(said) - rules)}"


def text_of_make() -> str:
    return (ROOT / "Makefile").read_text(encoding="utf-8")
