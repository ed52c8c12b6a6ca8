"""docs/cli.md says every command, argument and option, and nothing else."""

from __future__ import annotations

import re
from pathlib import Path

from comity.faces.cli.main import COMMANDS, GLOBALS
from comity.faces.cli.reference import reference

PAGE = Path(__file__).parents[3] / "docs" / "cli.md"


def test_page_holds_the_reference_that_the_commands_write() -> None:
    page = PAGE.read_text()
    begin, end = page.index("<!-- reference -->\n"), page.index("<!-- end of reference -->")
    assert page[begin + len("<!-- reference -->\n") : end].strip() == reference().strip(), (
        "docs/cli.md is not what the commands say; put the output of python -m comity.faces.cli.reference between its marks"
    )


def test_every_argument_and_option_is_explained() -> None:
    for line in reference().partition("### ")[2].splitlines():
        if line.startswith("| ") and not line.startswith(("| | |", "| --- |", "| before")):
            meaning = line.split("|")[2].strip()
            assert re.fullmatch(r".{3,}\.", meaning), line


def test_every_command_named_elsewhere_in_the_page_exists() -> None:
    page = PAGE.read_text()
    named = re.findall(r"^    comity ([a-z]+(?: [a-z]+)?)", page, re.MULTILINE)
    assert named
    for words in named:
        assert words in COMMANDS or words.split()[0] in COMMANDS, words
    assert all(f"`{name}`" in page for name in GLOBALS)
