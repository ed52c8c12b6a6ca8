"""Answers as promise 1 compares them: each hash, signature, nonce and random id becomes the number of its first appearance.

Everything else stays: lengths, counts, order, every other byte. JSON inside JSON (objects, envelopes, control bodies) and the
base64 payload of an envelope are opened, so that nothing hides in them; what replaces a random value keeps its length.
"""

from __future__ import annotations

import json
import re
from base64 import b64decode
from binascii import Error
from typing import Any

_RANDOM = re.compile(
    r"comity-act--[0-9a-f-]{36}"  # ids of acts
    r"|(?<![0-9a-f])(?:[0-9a-f]{128}|[0-9a-f]{96}|[0-9a-f]{64}|[0-9a-f]{40}|[0-9a-f]{32})(?![0-9a-f])"  # hashes, salts, secrets
    r"|(?<![A-Za-z0-9+/=])[A-Za-z0-9+/]{42,}={0,2}(?![A-Za-z0-9+/=])"  # signatures, roots of checkpoints
)


class Normal:
    """One reader's answers, in the order it got them: a value met again gets its number again."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}

    def __call__(self, answer: bytes) -> str:
        """The answer as it is compared."""
        return self._text(answer.decode("utf-8", "surrogateescape"))

    def _text(self, text: str) -> str:
        if text[:1] in ("{", "["):
            try:
                value = json.loads(text)
            except ValueError:
                return self._flat(text)
            spaces = len(text) - len(json.dumps(value, separators=(",", ":"), ensure_ascii=False))
            return f"<{spaces}>" + json.dumps(self._value(value), ensure_ascii=False)
        return self._flat(text)

    def _value(self, value: Any, name: str = "") -> Any:
        if isinstance(value, dict):
            return {self._flat(key): self._value(item, key) for key, item in value.items()}
        if isinstance(value, list):
            return [self._value(item) for item in value]
        if isinstance(value, str):
            if name == "payload":
                try:
                    return self._text(b64decode(value, validate=True).decode())
                except (Error, UnicodeDecodeError):
                    pass
            return self._text(value)
        if name == "place" and isinstance(value, int):
            return "‹place›"  # drawn at random out of 4,096, so the same one twice says nothing
        return value

    def _flat(self, text: str) -> str:
        return _RANDOM.sub(lambda found: self._number(found[0], len(found[0])), text)

    def _number(self, value: str, length: int) -> str:
        number = self._numbers.setdefault(value, len(self._numbers) + 1)
        return f"‹{number}:{length}›"
