"""Canonical bytes: RFC 8785 (JCS), the only bytes that are ever hashed or signed.

orjson with sorted keys gives the same bytes eight times faster, but for floats, integers beyond 2^53 and keys with astral
characters (orjson sorts by code point, RFC 8785 §3.2.3 by UTF-16 code unit). `_DOUBTFUL` finds every such output (and some
harmless ones), which then goes the slow way; a property test holds the two equal.
"""

from __future__ import annotations

import re
from typing import Any, Final

import orjson
import rfc8785

from comity.kernel.errors import InputRefused

_DOUBTFUL: Final = re.compile(rb"(?:^|[:,\[])-?(?:\d+[.eE]|\d{16})|[\xf0-\xf4]")
_OPTIONS: Final = (
    orjson.OPT_SORT_KEYS | orjson.OPT_PASSTHROUGH_DATACLASS | orjson.OPT_PASSTHROUGH_DATETIME | orjson.OPT_PASSTHROUGH_SUBCLASS
)


def canonical(value: Any) -> bytes:
    """The RFC 8785 bytes of a JSON value (dict with text keys, list, tuple, str, int, float, bool, None).

    Raises:
        InputRefused: `not-canonical` for what I-JSON cannot say.
    """
    try:
        fast = orjson.dumps(value, option=_OPTIONS)
        if _DOUBTFUL.search(fast) is None:
            return fast
    except (TypeError, ValueError, RecursionError):
        pass
    try:
        return rfc8785.dumps(value)
    except (rfc8785.CanonicalizationError, ValueError, TypeError, RecursionError) as broken:
        raise InputRefused("not-canonical", f"This value has no canonical form: {broken}.", clause="RFC 8785 §3.2") from broken
