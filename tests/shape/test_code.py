"""The code keeps its own rules: layers, codes, words of explanation, and nothing that names one machine."""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Final

import comity.kernel.errors as errors
from comity.kernel.errors import CODES, ComityError

ROOT: Final = Path(__file__).resolve().parents[2]
SRC: Final = ROOT / "src" / "comity"
FAMILIES: Final = {
    name for name, kind in vars(errors).items() if isinstance(kind, type) and issubclass(kind, ComityError)
}

SAID_BY_THE_MODULE: Final = {"kernel/model/kinds.py"}
"""Modules whose functions are one kind each, with one signature: the module says what they do."""

APART: Final = {".git", ".venv", ".hypothesis", ".mypy_cache", ".ruff_cache", ".pytest_cache", ".import_linter_cache"}


@cache
def trees() -> dict[str, ast.Module]:
    return {
        path.relative_to(SRC).as_posix(): ast.parse(path.read_text(encoding="utf-8"))
        for path in sorted(SRC.rglob("*.py"))
    }


def name_of(call: ast.Call) -> str:
    return call.func.id if isinstance(call.func, ast.Name) else getattr(call.func, "attr", "")


def test_layers_are_kept() -> None:
    tool = Path(sys.executable).with_name("lint-imports")
    found = subprocess.run([tool, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stdout + found.stderr


def test_every_code_that_is_raised_is_on_the_list() -> None:
    wrong: list[str] = []
    for name, tree in trees().items():
        for node in ast.walk(tree):
            if not isinstance(node, ast.Call) or name_of(node) not in FAMILIES or not node.args:
                continue
            code = node.args[0]
            if isinstance(code, ast.Constant) and code.value not in CODES:
                wrong.append(f"{name}:{node.lineno}: {code.value}")
            if isinstance(code, ast.IfExp):
                wrong += [
                    f"{name}:{node.lineno}: {one.value}"
                    for one in (code.body, code.orelse)
                    if isinstance(one, ast.Constant) and one.value not in CODES
                ]
    assert wrong == []


def test_every_code_on_the_list_is_raised_somewhere() -> None:
    said: set[str] = set()
    for name, tree in trees().items():
        if name == "kernel/errors.py":
            continue
        docs = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
        said |= {
            node.value
            for node in ast.walk(tree)
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docs
        }
    assert sorted(set(CODES) - said - reserved()) == []


def codes_of_desks() -> dict[str, set[str]]:
    """The codes that one desk alone raises, by the headings of the list."""
    found: dict[str, set[str]] = {}
    heading = ""
    for line in (SRC / "kernel" / "errors.py").read_text(encoding="utf-8").splitlines():
        word = line.strip()
        if word.startswith("# --- "):
            heading = word.removeprefix("# --- ")
        elif heading.startswith("desk ") and (code := re.match(r'"([^"]+)": ', word)):
            found.setdefault(heading.removeprefix("desk "), set()).add(code[1])
    return found


def reserved() -> set[str]:
    """The codes of desks that are not here: a code is stable, so it stays on the list."""
    return {code for desk, codes in codes_of_desks().items() if not (SRC / "desks" / desk).is_dir() for code in codes}


def test_a_code_under_the_heading_of_a_desk_is_raised_there_alone() -> None:
    wrong: list[str] = []
    for desk, codes in codes_of_desks().items():
        for name, tree in trees().items():
            if name.startswith(f"desks/{desk}/"):
                continue
            wrong += [
                f"{name}:{node.lineno}: {node.args[0].value} of {desk}"
                for node in ast.walk(tree)
                if isinstance(node, ast.Call)
                and name_of(node) in FAMILIES
                and node.args
                and isinstance(node.args[0], ast.Constant)
                and node.args[0].value in codes
            ]
    assert wrong == []
    assert {"attribution", "cases", "directory", "measures", "statements"} <= set(codes_of_desks())


def test_every_code_is_a_word_with_a_sentence() -> None:
    for code, meaning in CODES.items():
        assert re.fullmatch(r"[a-z0-9]+([.-][a-z0-9]+)*", code), code
        assert meaning[0].isupper(), code
        assert meaning[-1] in ".}", f"{code}: a sentence ends with a full stop"


def test_every_module_says_what_it_is_for() -> None:
    assert [name for name, tree in trees().items() if tree.body and not ast.get_docstring(tree)] == []


def test_every_public_name_of_the_kernel_says_what_it_is() -> None:
    silent: list[str] = []
    for name, tree in trees().items():
        if not name.startswith("kernel/") or name in SAID_BY_THE_MODULE:
            continue
        told = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) and ast.get_docstring(node)}
        for where, node in public(tree.body):
            if not ast.get_docstring(node) and not (
                "." in where and node.name in told
            ):  # told by the port it implements
                silent.append(f"{name}: {where}")
    assert silent == []


def public(body: list[ast.stmt], within: str = "") -> Iterator[tuple[str, ast.FunctionDef | ast.ClassDef]]:
    for node in body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_"):
            yield within + node.name, node
            if isinstance(node, ast.ClassDef):
                yield from public(node.body, f"{within}{node.name}.")


def test_no_file_names_one_machine_or_an_index_of_packages() -> None:
    place = re.compile(r"(?<![\w.~*<>/$}-])/(?:home|root|work|Users|mnt|srv)/[\w.-]")
    index = re.compile(
        r"(?:extra-)?index-url[ =]+\S*:|//[\w.-]*(?:pypi|pythonhosted)\.org/(?:simple|packages)|find[-]links"
    )
    wrong: list[str] = []
    for path in files():
        if path.is_relative_to(SRC / "data"):  # published by others, kept word for word
            continue
        for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), 1):
            if (place.search(line) and '"home_dir"' not in line) or index.search(line):
                wrong.append(f"{path.relative_to(ROOT)}:{number}: {line.strip()[:80]}")
    assert wrong == []


def test_locks_hold_names_versions_and_hashes_and_no_address() -> None:
    locks = sorted((ROOT / "requirements").glob("*.txt"))
    assert locks
    for lock in locks:
        text = lock.read_text(encoding="utf-8")
        assert "://" not in text, lock.name
        pinned = re.findall(r"^([A-Za-z0-9][\w.\[\]-]*)==", text, re.M)
        assert pinned, lock.name
        for entry in re.split(r"\n(?=[A-Za-z0-9])", text):
            if entry[:1].isalnum():
                assert "==" in entry.splitlines()[0], f"{lock.name}: {entry.splitlines()[0]} is not pinned"
                assert "--hash=sha256:" in entry, f"{lock.name}: {entry.splitlines()[0]} has no hash"


def files() -> Iterator[Path]:
    """What belongs to the project: what git would track, or, without git, all files outside of caches."""
    git = shutil.which("git")
    if git is not None and (ROOT / ".git").exists():
        listed = subprocess.run(
            [git, "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
        if listed.returncode == 0:
            yield from (ROOT / name for name in listed.stdout.split("\0") if name and (ROOT / name).is_file())
            return
    for path in ROOT.rglob("*"):
        if path.is_file() and not APART & set(path.relative_to(ROOT).parts) and "__pycache__" not in path.parts:
            yield path
