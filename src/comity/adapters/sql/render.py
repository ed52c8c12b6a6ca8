"""The predicates of the kernel as SQL: each node of the grammar becomes a scalar: 0 (no), 1 (unknown) or 2 (yes).

It is read over these tables (decide.py fills them from `facet_rows` and `clause_rows`):

    class_stated(s, facet)   class_facet(s, facet, value)    what a class is; no row in class_stated: unknown
    clause_stated(k, key)    clause_value(k, key, value)     what a clause writes; no row in clause_stated: not named
    clause(k, title, since, until, not_before, not_after, view)    class(s, title, agreement)
    party(p, verified)       office(p, office)    client(p)    member(agreement, p)    title_party(title, role, p)

A second evaluator is worth having only if it is one: nothing here calls the truth of an expression in Python.
"""

# ruff: noqa: S608  (the words that stand in the SQL are those of the kernel's own predicates)

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields, is_dataclass
from typing import Any

from comity.kernel.release import predicates as grammar
from comity.kernel.release.predicates import Expression, Predicate
from comity.kernel.release.vocabulary import UNKNOWN_TOO


def quoted(text: str) -> str:
    """A text as an SQL literal; only words of the kernel's own predicates come here."""
    return "'" + text.replace("'", "''") + "'"


def _words(words: Iterable[str]) -> str:
    return "(" + ", ".join(quoted(word) for word in words) + ")"


@dataclass(frozen=True, slots=True)
class Uses:
    """What an expression looks at: facets of the class, keys of the clause, and whether at the party."""

    facets: frozenset[str]
    keys: frozenset[str]
    party: bool


_KEYED = (
    grammar.AllIn,
    grammar.AnyIn,
    grammar.PurposeCovers,
    grammar.AtLeast,
    grammar.ClauseSays,
    grammar.OfficesInCard,
    grammar.Begun,
    grammar.NotOver,
)


def uses(expression: Expression) -> Uses:
    """Collect what an expression looks at, so that it is read once for all classes and clauses that are alike in it."""
    facets: set[str] = set()
    keys: set[str] = set()
    party = False
    for node in _nodes(expression):
        if isinstance(facet := getattr(node, "facet", None), str):
            facets.add(facet)
        if isinstance(node, _KEYED):
            keys.add(node.key)
        elif isinstance(node, grammar.ClauseStates):
            keys.update(node.keys)
        elif isinstance(node, grammar.OwnTitle):
            facets.add("title")
            keys.add("title")
        elif isinstance(node, grammar.Party):
            if node.among == "members":
                facets.add("title")
            if node.among in ("senders", "receivers"):
                keys.add("title")
        party = party or isinstance(node, grammar.Party | grammar.OfficesInCard)
    return Uses(frozenset(facets), frozenset(keys), party)


def _nodes(value: Any) -> Iterable[Expression]:
    if isinstance(value, Expression):
        yield value
        if is_dataclass(value):
            for field in fields(value):
                yield from _nodes(getattr(value, field.name))
    elif isinstance(value, tuple):
        for part in value:
            yield from _nodes(part)


def read_by(predicate: Predicate, says: str) -> Expression:
    """The expression of a predicate as a clause of this kind reads it."""
    return predicate.expression if predicate.otherwise is None or says == "permit" else predicate.otherwise


@dataclass(frozen=True, slots=True)
class Render:
    """SQL of expressions over a class `s`, a clause `k` (``NULL`` for none) and a party `p`, each an SQL expression.

    ``:holder`` and ``:at`` are bound by the statement the scalar stands in, whose own names must not begin with
    ``in_``.
    """

    s: str
    k: str
    p: str

    def sql(self, expression: Expression) -> str:
        """A scalar: 0, 1 or 2.

        Raises:
            TypeError: A node that is of no use for a class (stage OBJECT), or that this renderer does not know yet.
        """
        match expression:
            case grammar.AllIn(facet, key):
                return self._list(facet, key, empty=0, met=f"NOT {self._some(facet, key, listed=False)}")
            case grammar.AnyIn(facet, key):
                return self._list(facet, key, empty=1, met=self._some(facet, key, listed=True))
            case grammar.PurposeCovers(facet, key):
                lacks = self._lists(key, f"NOT {self._is(facet, 'in_f.value = in_v.value')}")
                return (
                    f"CASE WHEN NOT {self._named(key)} THEN 2 WHEN NOT {self._lists(key)} THEN 0 "
                    f"WHEN NOT {self._stated(facet)} THEN 2 WHEN {lacks} THEN 0 ELSE 2 END"
                )
            case grammar.AtLeast(facet, key, scale):
                have = f"(SELECT {_place('in_f.value', scale)} FROM {self._facets(facet)})"
                want = f"(SELECT {_place('in_v.value', scale)} FROM {self._keys(key)})"
                return (
                    f"CASE WHEN NOT {self._named(key)} THEN 2 WHEN {have} IS NULL OR {want} IS NULL THEN 1 "
                    f"WHEN {have} >= {want} THEN 2 ELSE 0 END"
                )
            case grammar.Begun(key) if key in ("since", "not_before"):
                return f"CASE WHEN {self._clause(key)} > :at THEN 0 ELSE 2 END"
            case grammar.NotOver(key) if key in ("until", "not_after"):
                return f"CASE WHEN {self._clause(key)} <= :at THEN 0 ELSE 2 END"
            case grammar.Is(facet, words):
                texts = ["1" if word is True else str(word) for word in words if word is not False]
                met = self._is(facet, f"in_f.value IN {_words(texts)}")
                if False in words:
                    met = f"({met} OR NOT {self._is(facet)})"
                return f"CASE WHEN NOT {self._stated(facet)} THEN 1 WHEN {met} THEN 2 ELSE 0 END"
            case grammar.Has(facet, words):
                met = self._is(facet, f"in_f.value IN {_words(words)}")
                return f"CASE WHEN NOT {self._stated(facet)} THEN 1 WHEN {met} THEN 2 ELSE 0 END"
            case grammar.Known(facet):
                return _yes(self._stated(facet))
            case grammar.Filled(facet):
                return _yes(self._is(facet))
            case grammar.ClauseSays(key, words):
                return _yes(self._lists(key, f"in_v.value IN {_words(words)}"))
            case grammar.ClauseStates(keys):
                return _yes(" AND ".join(self._written(key) for key in keys) or "1")
            case grammar.OfficesInCard(key):
                holds = f"EXISTS (SELECT 1 FROM office in_o WHERE in_o.p = {self.p} AND in_o.office = in_v.value)"
                return _yes(f"NOT {self._lists(key, f'in_v.value <> {quoted(UNKNOWN_TOO)} AND NOT {holds}')}")
            case grammar.Party(who, among):
                return _yes(self._party(":holder" if who == "holder" else self.p, among))
            case grammar.OwnTitle():
                return _yes(f"COALESCE({self._clause('title')} = {self._class('title')}, 0)")
            case grammar.Not(part):
                return f"(2 - {self.sql(part)})"
            case grammar.AllOf(parts):
                return self._folded("min", parts, 2)
            case grammar.AnyOf(parts):
                return self._folded("max", parts, 0)
            case grammar.Where(condition, then):
                return f"CASE WHEN {self.sql(condition)} = 2 THEN {self.sql(then)} ELSE 2 END"
        raise TypeError(f"{expression!r} cannot be asked of a class in SQL")

    def _folded(self, function: str, parts: tuple[Expression, ...], none: int) -> str:
        if len(parts) < 2:  # with one argument min and max would be aggregates
            return self.sql(parts[0]) if parts else str(none)
        return f"{function}({', '.join(self.sql(part) for part in parts)})"

    def _list(self, facet: str, key: str, *, empty: int, met: str) -> str:
        star = self._lists(key, f"in_v.value = {quoted(UNKNOWN_TOO)}")
        return (
            f"CASE WHEN NOT {self._named(key)} THEN 2 WHEN NOT {self._lists(key)} THEN {empty} "
            f"WHEN NOT {self._stated(facet)} THEN CASE WHEN {star} THEN 2 ELSE 1 END WHEN {met} THEN 2 ELSE 0 END"
        )

    def _some(self, facet: str, key: str, *, listed: bool) -> str:
        """Whether the class has a value that the clause lists, or one that it does not."""
        there = self._lists(key, "in_v.value = in_f.value")
        return self._is(facet, there if listed else f"NOT {there}")

    def _facets(self, facet: str) -> str:
        return f"class_facet in_f WHERE in_f.s = {self.s} AND in_f.facet = {quoted(facet)}"

    def _keys(self, key: str) -> str:
        return f"clause_value in_v WHERE in_v.k = {self.k} AND in_v.key = {quoted(key)}"

    def _is(self, facet: str, condition: str = "1") -> str:
        return f"EXISTS (SELECT 1 FROM {self._facets(facet)} AND {condition})"

    def _lists(self, key: str, condition: str = "1") -> str:
        return f"EXISTS (SELECT 1 FROM {self._keys(key)} AND {condition})"

    def _stated(self, facet: str) -> str:
        return f"EXISTS (SELECT 1 FROM class_stated in_d WHERE in_d.s = {self.s} AND in_d.facet = {quoted(facet)})"

    def _named(self, key: str) -> str:
        return f"EXISTS (SELECT 1 FROM clause_stated in_d WHERE in_d.k = {self.k} AND in_d.key = {quoted(key)})"

    def _written(self, key: str) -> str:
        return f"{self._clause('view')} IS NOT NULL" if key == "view" else self._named(key)

    def _clause(self, column: str) -> str:
        return f"(SELECT in_c.{column} FROM clause in_c WHERE in_c.k = {self.k})"

    def _class(self, column: str) -> str:
        return f"(SELECT in_c.{column} FROM class in_c WHERE in_c.s = {self.s})"

    def _party(self, party: str, among: str) -> str:
        if among == "verified":
            return f"EXISTS (SELECT 1 FROM party in_q WHERE in_q.p = {self.p} AND in_q.verified)"
        if among == "holder":
            return f"{party} = :holder"
        if among == "clients":
            return f"EXISTS (SELECT 1 FROM client in_q WHERE in_q.p = {party})"
        if among == "members":
            agreement = self._class("agreement")
            return f"EXISTS (SELECT 1 FROM member in_q WHERE in_q.agreement = {agreement} AND in_q.p = {party})"
        title = f"in_q.title = {self._clause('title')} AND in_q.role = {quoted(among)}"
        return f"EXISTS (SELECT 1 FROM title_party in_q WHERE {title} AND in_q.p = {party})"


def _yes(condition: str) -> str:
    return f"CASE WHEN {condition} THEN 2 ELSE 0 END"


def _place(value: str, scale: tuple[str, ...]) -> str:
    return f"CASE {value} " + " ".join(f"WHEN {quoted(word)} THEN {place}" for place, word in enumerate(scale)) + " END"
