"""STIX patterns (STIX 2.1 §9): read into a frozen tree, written back, asked for the values they compare with.

The grammar is the one of the standard (Appendix of §9): comparisons ``= != < <= > >= IN LIKE MATCHES ISSUBSET
ISSUPERSET EXISTS`` with ``NOT``, joined by ``AND`` (binds tighter) and ``OR``; observations in brackets joined by
``AND``, ``OR``, ``FOLLOWEDBY`` (in falling order of strength), with the qualifiers ``WITHIN``, ``REPEATS`` and
``START STOP``. Every token and every opened bracket costs a step of the budget, and brackets nest to `DEPTH` at most,
so no pattern can exhaust the reader.

    >>> parse("[ipv4-addr:value = '198.51.100.7']").equalities()
    (('ipv4-addr:value', '198.51.100.7'),)

Beyond the grammar two rules are checked, as the OASIS validator does: a comparison of a well-known hash has the form
of that hash, and one observation has no qualifier twice.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, NoReturn

from comity.kernel.errors import InputRefused

BUDGET: Final = 100_000
"""Steps: tokens and brackets of one pattern."""

DEPTH: Final = 64
"""How deep parentheses may nest."""


@dataclass(frozen=True, slots=True)
class Constant:
    """A constant: `kind` is string, integer, float, boolean, timestamp, binary or hex; `text` is its value as
    written, unquoted
    and unescaped (``198.51.100.7``, ``-5``, ``true``, ``2021-03-02T00:00:00Z``, ``QUJD``, ``ff``)."""

    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class Path:
    """An object path: the type, then keys (str), indices (int), and ``*`` for any element as `ANY`."""

    type: str
    steps: tuple[str | int | None, ...]

    def __str__(self) -> str:
        parts = [self.type, ":"]
        for place, step in enumerate(self.steps):
            if step is None:
                parts.append("[*]")
            elif isinstance(step, int):
                parts.append(f"[{step}]")
            else:
                parts.append(("." if place else "") + (step if _plain(step) else _quote(step)))
        return "".join(parts)


ANY: Final = None
"""The step ``[*]``."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """``path operator constants``: IN has any number of constants, EXISTS none, all others one; `==` reads as `=`,
    `<>` as
    `!=`."""

    path: Path
    operator: str
    constants: tuple[Constant, ...]
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Joined:
    """Two or more comparisons or observations joined by `word`: AND, OR or FOLLOWEDBY."""

    word: str
    parts: tuple[Comparison | Joined | Observation | Qualified, ...]


@dataclass(frozen=True, slots=True)
class Observation:
    """What stands in one pair of brackets."""

    expression: Comparison | Joined


@dataclass(frozen=True, slots=True)
class Qualified:
    """An observation with a qualifier: WITHIN (seconds), REPEATS (times) or START (start and stop, timestamps)."""

    inner: Observation | Joined | Qualified
    qualifier: str
    arguments: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Pattern:
    """A STIX pattern as a tree."""

    root: Observation | Joined | Qualified

    def comparisons(self) -> tuple[Comparison, ...]:
        """All comparisons in the order they are written."""
        found: list[Comparison] = []
        stack: list[Comparison | Joined | Observation | Qualified] = [self.root]
        while stack:
            node = stack.pop()
            if isinstance(node, Comparison):
                found.append(node)
            elif isinstance(node, Joined):
                stack.extend(reversed(node.parts))
            elif isinstance(node, Observation):
                stack.append(node.expression)
            else:
                stack.append(node.inner)
        return tuple(found)

    def equalities(self) -> tuple[tuple[str, str], ...]:
        """(path, value) of each ``=`` and each constant of an ``IN``, negated ones left out."""
        return tuple(
            (str(comparison.path), constant.text)
            for comparison in self.comparisons()
            if comparison.operator in ("=", "IN") and not comparison.negated
            for constant in comparison.constants
        )


# --- tokens

_SPACE: Final = r"[ \t\r\n\x0b\x0c\u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+|/\*.*?\*/|//[^\r\n]*"
_TOKEN: Final = re.compile(
    rf"(?P<skip>(?:{_SPACE})+)"
    r"|t'(?P<timestamp>[0-9]{4}-(?:0[1-9]|1[012])-(?:0[1-9]|[12][0-9]|3[01])T(?:[01][0-9]|2[0-3]):[0-5][0-9]:(?:[0-5][0-9]|60)(?:\.[0-9]+)?Z)'"
    r"|h'(?P<hex>(?:[A-Fa-f0-9]{2})*)'"
    r"|b'(?P<binary>(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{4}|[A-Za-z0-9+/]{3}=|[A-Za-z0-9+/]{2}==))'"
    r"|'(?P<string>[^'\\]*(?:\\['\\][^'\\]*)*)'"
    r"|(?P<float>[+-]?[0-9]*\.[0-9]+)"
    r"|(?P<integer>[+-]?(?:0|[1-9][0-9]*))"
    r"|(?P<word>[a-zA-Z_][a-zA-Z0-9_]*(?!-))(?![a-zA-Z0-9_-])"
    r"|(?P<hyphened>[a-zA-Z_][a-zA-Z0-9_-]*)"
    r"|(?P<sign>==|=|!=|<>|<=|>=|<|>|[:.,()\[\]*])",
    re.DOTALL,
)
_KEYWORDS: Final = frozenset(
    (
        "AND",
        "OR",
        "NOT",
        "FOLLOWEDBY",
        "LIKE",
        "MATCHES",
        "ISSUPERSET",
        "ISSUBSET",
        "EXISTS",
        "LAST",
        "IN",
        "START",
        "STOP",
        "SECONDS",
        "true",
        "false",
        "WITHIN",
        "REPEATS",
        "TIMES",
    )
)
_CONSTANTS: Final = frozenset({"string", "integer", "float", "boolean", "timestamp", "binary", "hex"})
_EQUAL: Final = {"=": "=", "==": "=", "!=": "!=", "<>": "!="}
_ORDER: Final = frozenset({"<", "<=", ">", ">="})
_TEXTUAL: Final = frozenset({"LIKE", "MATCHES", "ISSUBSET", "ISSUPERSET"})
_WORD: Final = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
_ESCAPE: Final = re.compile(r"\\(['\\])")

_HEX_FORM: Final = {
    "MD5": (32,),
    "RIPEMD160": (40,),
    "SHA1": (40,),
    "SHA224": (56,),
    "SHA256": (64,),
    "SHA384": (96,),
    "SHA512": (128,),
    "SHA3224": (56,),
    "SHA3256": (64,),
    "SHA3384": (96,),
    "SHA3512": (128,),
    "WHIRLPOOL": (128,),
    "MD6": (32, 40, 56, 64, 96, 128),
}
_HEX: Final = re.compile(r"[a-fA-F0-9]*")
_SSDEEP: Final = re.compile(r"[a-zA-Z0-9/+:.]{1,128}")

_Token = tuple[str, str, int]
"""(kind, text, column counted from 0); signs and keywords are their own kind."""


def _plain(key: str) -> bool:
    return _WORD.fullmatch(key) is not None and key not in _KEYWORDS


def _quote(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def _unquote(text: str) -> str:
    return _ESCAPE.sub(r"\1", text) if "\\" in text else text


def _refuse(text: str, column: int, what: str) -> NoReturn:
    near = text[column : column + 20]
    where = f"column {column + 1}" + (f" near {near!r}" if near else ", its end")
    raise InputRefused("pattern", f"The pattern is broken at {where}: {what}.", clause="STIX 2.1 §9", column=column + 1)


def _tokens(text: str, budget: int) -> list[_Token]:
    found: list[_Token] = []
    at = 0
    match = _TOKEN.match
    end = len(text)
    while at < end:
        token = match(text, at)
        if token is None:
            _refuse(text, at, "this is no word, constant or sign of a pattern")
        kind = token.lastgroup or ""
        if kind != "skip":
            body = token.group(kind)
            if kind == "sign":
                kind = body
            elif kind == "word" and body in _KEYWORDS:
                kind = "boolean" if body in ("true", "false") else body
            found.append((kind, body, at))
            if len(found) > budget:
                _refuse(text, at, f"it has more than {budget} steps")
        at = token.end()
    found.append(("end", "", end))
    return found


class _Parser:
    __slots__ = ("at", "depth", "text", "tokens")

    def __init__(self, text: str, tokens: list[_Token]) -> None:
        self.text = text
        self.tokens = tokens
        self.at = 0
        self.depth = 0

    def take(self, *kinds: str) -> _Token:
        token = self.tokens[self.at]
        if token[0] not in kinds:
            self.wanted(" or ".join(kinds))
        self.at += 1
        return token

    def wanted(self, what: str) -> NoReturn:
        _refuse(self.text, self.tokens[self.at][2], f"{what} is expected")

    def deeper(self) -> None:
        self.depth += 1
        if self.depth > DEPTH:
            _refuse(self.text, self.tokens[self.at][2], f"brackets nest more than {DEPTH} deep")

    # observations

    def pattern(self) -> Pattern:
        root = self.followed()
        self.take("end")
        return Pattern(root)

    def followed(self) -> Observation | Joined | Qualified:
        return self.observations(("FOLLOWEDBY", "OR", "AND"))

    def observations(self, words: tuple[str, ...]) -> Observation | Joined | Qualified:
        if not words:
            return self.observation()
        parts = [self.observations(words[1:])]
        while self.tokens[self.at][0] == words[0]:
            self.at += 1
            parts.append(self.observations(words[1:]))
        return parts[0] if len(parts) == 1 else Joined(words[0], tuple(parts))

    def observation(self) -> Observation | Joined | Qualified:
        kind = self.tokens[self.at][0]
        found: Observation | Joined | Qualified
        used: set[str] | None = None
        if kind == "[":
            self.at += 1
            found = Observation(self.either())
            self.take("]")
            used = set()
        elif kind == "(":
            self.deeper()
            self.at += 1
            found = self.followed()
            self.take(")")
            self.depth -= 1
        else:
            self.wanted("[ or (")
        while True:
            word, _, column = self.tokens[self.at]
            if word == "WITHIN":
                self.at += 1
                number = self.positive("integer", "float")
                self.take("SECONDS")
                found = Qualified(found, word, (number,))
            elif word == "REPEATS":
                self.at += 1
                number = self.positive("integer")
                self.take("TIMES")
                found = Qualified(found, word, (number,))
            elif word == "START":
                self.at += 1
                start = self.take("timestamp")[1]
                self.take("STOP")
                found = Qualified(found, word, (start, self.take("timestamp")[1]))
            else:
                return found
            if used is not None:
                if word in used:
                    _refuse(self.text, column, f"the observation has {word} twice")
                used.add(word)

    def positive(self, *kinds: str) -> str:
        token = self.tokens[self.at]
        if token[0] not in kinds or token[1][0] == "-":
            self.wanted("a positive number")
        self.at += 1
        return token[1]

    # comparisons

    def either(self) -> Comparison | Joined:
        parts = [self.both()]
        while self.tokens[self.at][0] == "OR":
            self.at += 1
            parts.append(self.both())
        return parts[0] if len(parts) == 1 else Joined("OR", tuple(parts))

    def both(self) -> Comparison | Joined:
        parts = [self.test()]
        while self.tokens[self.at][0] == "AND":
            self.at += 1
            parts.append(self.test())
        return parts[0] if len(parts) == 1 else Joined("AND", tuple(parts))

    def test(self) -> Comparison | Joined:
        kind = self.tokens[self.at][0]
        if kind == "(":
            self.deeper()
            self.at += 1
            found = self.either()
            self.take(")")
            self.depth -= 1
            return found
        if kind == "EXISTS":
            self.at += 1
            return Comparison(self.path(), "EXISTS", ())
        if kind == "NOT" and self.tokens[self.at + 1][0] == "EXISTS":
            self.at += 2
            return Comparison(self.path(), "EXISTS", (), True)
        column = self.tokens[self.at][2]
        path = self.path()
        negated = self.tokens[self.at][0] == "NOT"
        if negated:
            self.at += 1
        word = self.tokens[self.at][0]
        self.at += 1
        if word in _EQUAL:
            found = Comparison(path, _EQUAL[word], (self.constant(),), negated)
        elif word in _ORDER:
            if self.tokens[self.at][0] == "boolean":
                self.wanted("a constant that has an order")
            found = Comparison(path, word, (self.constant(),), negated)
        elif word in _TEXTUAL:
            found = Comparison(path, word, (Constant("string", _unquote(self.take("string")[1])),), negated)
        elif word == "IN":
            found = Comparison(path, word, self.constants(), negated)
        else:
            self.at -= 1
            self.wanted("a comparison operator")
        fault = _hash_fault(found)
        if fault:
            _refuse(self.text, column, fault)
        return found

    def constants(self) -> tuple[Constant, ...]:
        self.take("(")
        if self.tokens[self.at][0] == ")":
            self.at += 1
            return ()
        found = [self.constant()]
        while self.tokens[self.at][0] == ",":
            self.at += 1
            found.append(self.constant())
        self.take(")")
        return tuple(found)

    def constant(self) -> Constant:
        kind, body, _ = self.tokens[self.at]
        if kind not in _CONSTANTS:
            self.wanted("a constant")
        self.at += 1
        return Constant(kind, _unquote(body) if kind == "string" else body)

    def path(self) -> Path:
        type_ = self.take("word", "hyphened")[1]
        self.take(":")
        steps: list[str | int | None] = [self.key()]
        while True:
            kind = self.tokens[self.at][0]
            if kind == ".":
                self.at += 1
                steps.append(self.key())
            elif kind == "[":
                self.at += 1
                if self.tokens[self.at][0] == "*":
                    self.at += 1
                    steps.append(ANY)
                else:
                    token = self.take("integer")
                    if len(token[1]) > 15:
                        _refuse(self.text, token[2], "the index is too large")
                    steps.append(int(token[1]))
                self.take("]")
            else:
                return Path(type_, tuple(steps))

    def key(self) -> str:
        kind, body, _ = self.take("word", "string")
        return _unquote(body) if kind == "string" else body


def _hash_fault(comparison: Comparison) -> str | None:
    """What is wrong with a comparison of a hash with a text, or None."""
    steps = comparison.path.steps
    if "hashes" not in steps or comparison.operator not in ("=", "!=", "IN"):
        return None
    name = steps[-1]
    if not isinstance(name, str) or name == "hashes":
        return None
    algorithm = name.upper().replace("-", "")
    for constant in comparison.constants:
        if constant.kind != "string":
            continue
        if algorithm in _HEX_FORM:
            good = len(constant.text) in _HEX_FORM[algorithm] and _HEX.fullmatch(constant.text)
        elif algorithm == "SSDEEP":
            good = _SSDEEP.fullmatch(constant.text)
        else:
            continue
        if not good:
            return f"{constant.text[:60]!r} is no {name} hash"
    return None


# --- the common case: one equality with a text

_SIMPLE: Final = re.compile(
    r"\[ *([a-z][a-z0-9]*(?:-[a-z0-9]+)*):([a-z][a-z0-9_]*)((?:\.(?:[a-z][a-z0-9_]*|'[A-Za-z0-9-]+'))*)"
    r" *={1,2} *'([^'\\]*)' *\]"
)


@lru_cache(maxsize=2048)
def _simple(text: str) -> Comparison | None:
    """The one comparison of ``[type:path = 'text']``, or None where the full reader is needed."""
    match = _SIMPLE.fullmatch(text)
    if match is None:
        return None
    type_, first, rest, value = match.groups()
    written = rest.split(".")[1:] if rest else []
    if not _KEYWORDS.isdisjoint((type_, first, *written)):
        return None
    steps = (first, *(step.strip("'") for step in written))
    found = Comparison(Path(type_, steps), "=", (Constant("string", value),))
    return None if rest and "hashes" in steps and _hash_fault(found) else found


def parse(text: str, *, budget: int = BUDGET) -> Pattern:
    """Read a pattern.

    Args:
        text: The pattern as it stands in an indicator.
        budget: How many tokens it may have.

    Raises:
        InputRefused: `pattern`, with the column (from 1) of the fault, STIX 2.1 §9.
    """
    simple = _simple(text) if budget >= 7 else None
    if simple is not None:
        return Pattern(Observation(simple))
    return parse_fully(text, budget=budget)


def parse_fully(text: str, *, budget: int = BUDGET) -> Pattern:
    """`parse` without the short way; a property test holds the two equal."""
    return _Parser(text, _tokens(text, budget)).pattern()


_TYPE_NAME: Final = re.compile(r"-?[a-z0-9]+(?:-[a-z0-9]+)*-?")
_PROPERTY_NAME: Final = re.compile(r"[a-z0-9_]{3,250}|id")


def check(text: str, *, budget: int = BUDGET) -> Pattern:
    """Read a pattern and refuse types and properties no object can have (STIX 2.1 §3.1, §3.4).

    Raises:
        InputRefused: `pattern`.
    """
    pattern = parse(text, budget=budget)
    for comparison in pattern.comparisons():
        type_, first = comparison.path.type, comparison.path.steps[0]
        if not 3 <= len(type_) <= 250 or _TYPE_NAME.fullmatch(type_) is None:
            raise InputRefused("pattern", f"{type_[:60]!r} in the pattern is no object type.", clause="STIX 2.1 §3.4")
        if not isinstance(first, str) or _PROPERTY_NAME.fullmatch(first) is None:
            raise InputRefused("pattern", f"{str(first)[:60]!r} in the pattern is no property.", clause="STIX 2.1 §3.1")
    return pattern


# --- writing


def format(pattern: Pattern) -> str:
    """Write a pattern: one space between words, text and odd keys quoted, no needless parentheses.

    `parse` of the result gives an equal tree.
    """
    return _write(pattern.root)


_STRENGTH: Final = {"FOLLOWEDBY": 0, "OR": 1, "AND": 2}


def _write(node: Comparison | Joined | Observation | Qualified) -> str:
    if isinstance(node, Comparison):
        return _write_comparison(node)
    if isinstance(node, Observation):
        return f"[{_write(node.expression)}]"
    if isinstance(node, Qualified):
        inner = _write(node.inner)
        if isinstance(node.inner, Joined) or _repeats(node):
            inner = f"({inner})"
        if node.qualifier == "START":
            return f"{inner} START t'{node.arguments[0]}' STOP t'{node.arguments[1]}'"
        return f"{inner} {node.qualifier} {node.arguments[0]} {'SECONDS' if node.qualifier == 'WITHIN' else 'TIMES'}"
    parts = []
    for part in node.parts:
        written = _write(part)
        if isinstance(part, Joined) and _STRENGTH[part.word] <= _STRENGTH[node.word]:
            written = f"({written})"
        parts.append(written)
    return f" {node.word} ".join(parts)


def _repeats(node: Qualified) -> bool:
    """Whether the qualifier stands below as well, so that only parentheses tell the two apart."""
    below = node.inner
    while isinstance(below, Qualified):
        if below.qualifier == node.qualifier:
            return True
        below = below.inner
    return False


def _write_comparison(node: Comparison) -> str:
    negation = "NOT " if node.negated else ""
    if node.operator == "EXISTS":
        return f"{negation}EXISTS {node.path}"
    if node.operator == "IN":
        return f"{node.path} {negation}IN ({', '.join(map(_write_constant, node.constants))})"
    return f"{node.path} {negation}{node.operator} {_write_constant(node.constants[0])}"


_PREFIX: Final = {"timestamp": "t", "binary": "b", "hex": "h"}


def _write_constant(constant: Constant) -> str:
    if constant.kind == "string":
        return _quote(constant.text)
    prefix = _PREFIX.get(constant.kind)
    return f"{prefix}'{constant.text}'" if prefix else constant.text
