"""The agreement file: TOML 1.0 in, an agreement out, and back; every refusal names its line.

Comments carry no term. `read(write(a)) == a` for every agreement. Source: TOML 1.0.0; docs/agreement-language.md.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final

from comity.kernel.errors import InputRefused
from comity.kernel.model import instants
from comity.kernel.model.instants import Instant
from comity.kernel.release import agreementdata
from comity.kernel.release.agreement import Agreement
from comity.kernel.release.tomllines import Lines

MOST_TEXT: Final = 1_000_000
"""Characters of an agreement file."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_AT_LINE: Final = re.compile(r"\(at line (\d+), column \d+\)")
_BARE: Final = re.compile(r"[A-Za-z0-9_-]+", re.ASCII)
_ESCAPES: Final = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t", "\r": "\\r", "\b": "\\b", "\f": "\\f"}


def read(text: str) -> Agreement:
    """Read an agreement file.

    Raises:
        InputRefused: `agreement-size`, `agreement-syntax`, or what is wrong in it (`agreement-*`), each with `line` in
        the
            detail, counted from 1.
    """
    if len(text) > MOST_TEXT:
        raise InputRefused("agreement-size", f"The file has more than {MOST_TEXT} characters; split the agreement.")
    lines = Lines(text)
    try:
        data = tomllib.loads(text)
    except RecursionError as deep:
        raise InputRefused(
            "agreement-size", "Lists stand too deep in one another; nothing in an agreement needs that."
        ) from deep
    except (ValueError, OverflowError) as broken:
        said = _AT_LINE.search(str(broken))
        line = int(said[1]) if said else text.count("\n") + 1
        what = _AT_LINE.sub("", str(broken)).strip()[:200]
        raise InputRefused(
            "agreement-syntax", f"Line {line} is not TOML 1.0: {what}.", clause="TOML 1.0.0", line=line
        ) from broken
    return agreementdata.from_data(data, line=lines.line, instant=_instant)


def _instant(value: Any) -> Instant:
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise ValueError(f"{value.isoformat()} has no offset, so nobody knows when it is")
        return (value - _EPOCH) // timedelta(microseconds=1)
    if isinstance(value, date | time):
        raise ValueError(f"{value.isoformat()} is only a date or a time of day")
    if isinstance(value, str):
        raise ValueError("an instant stands without quotation marks")
    raise ValueError("an instant is expected")


class _Instant(str):
    """An instant as TOML writes it: without quotation marks."""

    __slots__ = ()


def write(agreement: Agreement) -> str:
    """The agreement as a file, keys in the order of the documentation; `read` gives the same agreement again."""
    data = agreementdata.to_data(agreement, lambda at: _Instant(instants.format(at).replace(".000Z", "Z")))
    lines = [*_pairs(data), *_tables(data, "")]
    return "\n".join(lines).strip("\n") + "\n"


def _pairs(table: dict[str, Any]) -> Iterator[str]:
    plain = {key: value for key, value in table.items() if not _is_table(key, value)}
    width = max((len(key) for key in plain), default=0)
    for key, value in plain.items():
        yield f"{key:<{width}} = {_value(value)}"


def _tables(table: dict[str, Any], above: str) -> Iterator[str]:
    for key, value in table.items():
        if not _is_table(key, value):
            continue
        for entry in value if isinstance(value, list) else [value]:
            if not above:
                yield ""
            yield f"[[{above}{key}]]" if isinstance(value, list) else f"[{above}{key}]"
            yield from _pairs(entry)
            yield from _tables(entry, f"{above}{key}.")


def _is_table(key: str, value: Any) -> bool:
    return key == "life" or (isinstance(value, list) and bool(value) and isinstance(value[0], dict))


def _value(value: Any) -> str:
    if isinstance(value, _Instant):
        return str(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, str):
        return quoted(value)
    if isinstance(value, dict):
        return (
            "{"
            + ", ".join(
                f"{key if _BARE.fullmatch(key) else quoted(key)} = {_value(entry)}" for key, entry in value.items()
            )
            + "}"
        )
    return "[" + ", ".join(_value(entry) for entry in value) + "]"


def quoted(text: str) -> str:
    """A TOML basic string."""
    return (
        '"'
        + "".join(
            _ESCAPES.get(char) or (f"\\u{ord(char):04X}" if char < " " or char == "\x7f" else char) for char in text
        )
        + '"'
    )
