"""Writes the pages that are made from the code: docs/errors.md from the codes, docs/tables.md from the rows.

python tools/pages.py            write them
python tools/pages.py --check    exit 1 where a page is not what would be written
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from comity.faces.http import errors as http
from comity.kernel import errors
from comity.kernel.store.rows import TABLES
from comity.kernel.store.shape import columns

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


PAGES: Final = {"errors.md": errors_page, "tables.md": tables_page}


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
