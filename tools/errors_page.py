"""Writes docs/errors.md from `comity.kernel.errors.CODES`: one section a part of the system, one row a code.

    python tools/errors_page.py            write the page
    python tools/errors_page.py --check    exit 1 where the page is not what would be written
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterator
from pathlib import Path

from comity.faces.http import errors as http
from comity.kernel import errors

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "errors.md"

HEAD = """# Errors: every code, what it means, what to do

This page is written from `comity.kernel.errors.CODES` by `python tools/errors_page.py`; a test holds them equal. Codes are stable: a
program may act on them. Sentences are for people and may improve. A refusal to release is no error and has no code here; `comity why`
explains it.

## Where a code is seen

- **Command line**: one sentence on stderr. With `--json` the last line of stdout is `{"code", "sentence", "clause"?, "detail"?}`.
  Exit status 2 for wrong usage, 1 for everything else.
- **REST and exchange**: the same object as the body.
- **TAXII 2.1** (§3.6.1): `error_code` is the code, `description` the sentence.
- **Refused objects** of an import, and refused rows in a receipt: object, code, sentence.

## Whose fault it is

The family says who has to act. Only the last one is tried again by itself.

| family | whose fault | HTTP status, where the code has none of its own |
| --- | --- | --- |
"""

TOLD = {
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


def sections() -> Iterator[tuple[str, list[str]]]:
    """The codes in the order of the table, under the headings its comments give."""
    heading, codes = "", []
    table = inspect.getsource(errors).split("CODES: Final", 1)[1]
    for line in table.splitlines():
        word = line.strip()
        if word.startswith("# --- "):
            if codes:
                yield heading, codes
            heading, codes = word.removeprefix("# --- "), []
        elif word.startswith('"'):
            codes.append(word.split('"', 2)[1])
    if codes:
        yield heading, codes


def page() -> str:
    """The whole page."""
    lines = [HEAD.rstrip("\n")]
    statuses = {family.__name__: status for family, status in http.OF_FAMILY}
    lines += [f"| `{name}` | {told} | {statuses[name]} |" for name, told in TOLD.items()]
    for heading, codes in sections():
        lines += ["", f"## {heading[:1].upper()}{heading[1:]}", "", "| code | meaning, and what to do | HTTP |", "| --- | --- | --- |"]
        for code in codes:
            meaning = errors.CODES[code].replace("|", "\\|")
            lines.append(f"| `{code}` | {meaning} | {http.OF_CODE.get(code, '')} |")
    return "\n".join(lines) + "\n"


def main() -> int:
    """Write the page, or say whether it stands."""
    if "--check" in sys.argv[1:]:
        if PAGE.is_file() and PAGE.read_text(encoding="utf-8") == page():
            return 0
        print("docs/errors.md is not what comity.kernel.errors.CODES says; run: python tools/errors_page.py", file=sys.stderr)
        return 1
    PAGE.write_text(page(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
