"""Writes the pages that are made from the code: docs/errors.md from the codes, docs/tables.md from the rows, docs/procedures.md
from the state tables that ship, docs/deeds.md from the desks.

python tools/pages.py            write them
python tools/pages.py --check    exit 1 where a page is not what would be written
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Final

from comity.desks import desks
from comity.faces.http import errors as http
from comity.kernel import errors
from comity.kernel.procedure.drawing import section
from comity.kernel.store.rows import TABLES
from comity.kernel.store.shape import columns
from comity.node.desk import asked_of
from comity.node.officers import RULES
from comity.node.procedures import shipped_tables

DOCS: Final = Path(__file__).resolve().parent.parent / "docs"

ERRORS_HEAD: Final = """# Errors: every code, what it means, what to do

This page is written from `comity.kernel.errors.CODES` by `python tools/pages.py`; a test holds them equal. Codes are stable: a
program may act on them. Sentences are for people and may improve. A refusal to release is no error and has no code here;
`comity why` explains it.

## Where a code is seen

- **Command line**: one sentence on stderr. With `--json` the last line of stdout is `{"code", "sentence", "clause"?, "detail"?}`.
  Exit status 2 for wrong usage, 1 for everything else, 130 when stopped by Ctrl-C.
- **REST and exchange**: the same object as the body.
- **TAXII 2.1** (§3.6.1): `error_code` is the code, `description` the sentence.
- **Refused objects** of an import, and refused rows in a receipt: object, code, sentence.

## Whose fault it is

The family says who has to act. Only the last one is tried again by itself.

| family | whose fault | HTTP status, where the code has none of its own |
| --- | --- | --- |
"""

FAMILIES: Final = {
    "Usage": "the words of the call are wrong",
    "NotFound": "there is no such thing here, or not for this asker: the answer is the same",
    "NotAllowed": "it exists, but this officer or this state does not permit the deed",
    "NodeDamaged": "what our node holds does not agree with itself",
    "InputRefused": "bytes from outside that are not what they should be",
    "SealBroken": "a signature, commitment or proof does not hold",
    "LogFault": "a log was forked, rolled back, or convicts itself",
    "RequestRefused": "a request is unsigned, replayed, misaddressed or untimely",
    "Unavailable": "nobody's; it is tried again",
}

TABLES_HEAD: Final = """# What a node keeps

Made from the row types of `comity.kernel.store.rows` by `python tools/pages.py`; a test holds them equal.
[store.md](store.md) tells what the
store promises. A column is an integer, text or bytes; `?` marks one that may be absent. Key columns are **bold**. Instants are microseconds
since 1970 in UTC; lists and terms are canonical JSON.
"""

DEEDS_HEAD: Final = """# What the desks can do

Made from the desks under `comity.desks` by `python tools/pages.py`; a test holds them equal. Every deed is a command and a route of REST:
what is asked are the options of the command and the members of the JSON body (a file is base64 there). `?` marks what may be
left out. A deed that changes something takes `--dry-run` (`?dry_run=true`): it is carried out to its end, what each party would get
is told, and nothing is kept.
"""

PROCEDURES_HEAD: Final = """# Procedures: every state table, drawn

Made from the tables in `data/procedures/` by `python tools/pages.py`; a test holds them equal. How a table is written, and how a case is
executed from it, tells [formats/procedure.md](formats/procedure.md). Every table was searched before it was accepted: no row is
idle, and from every state an end is reached whichever one party stays silent.
"""


def sections() -> Iterator[tuple[str, list[str]]]:
    """The codes in the order of the table, under the headings its comments give."""
    heading = ""
    codes: list[str] = []
    for line in inspect.getsource(errors).split("CODES: Final", 1)[1].splitlines():
        word = line.strip()
        if word.startswith("# --- "):
            if codes:
                yield heading, codes
            heading, codes = word.removeprefix("# --- "), []
        elif word.startswith('"'):
            codes.append(word.split('"', 2)[1])
    if codes:
        yield heading, codes


def errors_page() -> str:
    """docs/errors.md."""
    lines = [ERRORS_HEAD.rstrip("\n")]
    statuses = {family.__name__: status for family, status in http.OF_FAMILY}
    lines += [f"| `{name}` | {told} | {statuses[name]} |" for name, told in FAMILIES.items()]
    for heading, codes in sections():
        lines += ["", f"## {heading[:1].upper()}{heading[1:]}", ""]
        lines += ["| code | meaning, and what to do | HTTP |", "| --- | --- | --- |"]
        for code in codes:
            meaning = errors.CODES[code].replace("|", "\\|")
            lines.append(f"| `{code}` | {meaning} | {http.OF_CODE.get(code, '')} |")
    return "\n".join(lines) + "\n"


def tables_page() -> str:
    """docs/tables.md."""
    lines = [TABLES_HEAD.rstrip("\n"), "", "| table | what one row is | columns |", "| --- | --- | --- |"]
    for kind, table in TABLES.items():
        said = " ".join((inspect.getdoc(kind) or "").split("\n\n")[0].split()).replace("|", "\\|")
        names = []
        for column in columns(kind):
            mark = "?" if column.nullable else ""
            names.append(f"**{column.name}**" if column.name in table.key else f"{column.name}{mark}")
        lines.append(f"| `{table.name}` | {said} | {', '.join(names)} |")
    return "\n".join(lines) + "\n"


def deeds_page() -> str:
    """docs/deeds.md."""
    lines = [DEEDS_HEAD.rstrip("\n")]
    for desk in desks():
        about = " ".join((inspect.getdoc(inspect.getmodule(desks_package(desk.name))) or "").split())
        lines += ["", f"## The {desk.name} desk", "", about]
        for item in desk.deeds:
            roles = ", ".join(RULES[item.kind])
            lines += [
                "",
                f"### comity {item.name}",
                "",
                item.help,
                "",
                f"Roles: {roles}. `POST /api/v1/{item.name.replace(' ', '/')}`",
            ]
            asked = asked_of(item.asks)
            if asked:
                lines += ["", "| asked | how | meaning |", "| --- | --- | --- |"]
            for one in asked:
                how = one.name.upper() if one.placed else f"--{one.name.replace('_', '-')}"
                need = "" if one.required else "?"
                lines.append(f"| `{one.name}`{need} | `{how}` | {one.help.replace('|', chr(92) + '|')} |")
    return "\n".join(lines) + "\n"


def desks_package(name: str) -> ModuleType:
    """The package of a desk."""
    return import_module(f"comity.desks.{name}")


def procedures_page() -> str:
    """docs/procedures.md."""
    return PROCEDURES_HEAD + "".join(f"\n{section(table)}" for table in shipped_tables().values())


PAGES: Final = {
    "errors.md": errors_page,
    "tables.md": tables_page,
    "procedures.md": procedures_page,
    "deeds.md": deeds_page,
}


def main() -> int:
    """Write the pages, or say whether they stand."""
    wrong = []
    for name, write in PAGES.items():
        page = DOCS / name
        text = write()
        if page.is_file() and page.read_text(encoding="utf-8") == text:
            continue
        wrong.append(name)
        if "--check" not in sys.argv[1:]:
            page.write_text(text, encoding="utf-8")
    if wrong and "--check" in sys.argv[1:]:
        print(f"not what the code says: {', '.join(wrong)}; run: python tools/pages.py", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
