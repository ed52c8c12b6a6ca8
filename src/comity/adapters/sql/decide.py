"""The decision for all classes and all parties at once, in SQL: what a preview counts, and the second evaluator.

Rules are those of `comity.kernel.release.decide`; the predicates are rendered from the kernel's own rows (render.py). A
property test holds both equal. What is not a predicate (the order of precedence, whose title, which view contains
which) is written here a second time, as joins.

How it is fast (the saving is the join, not the engine):
- A predicate is read once for all classes and clauses that are alike in what it looks at; the rest is look-ups.
- A clause is joined only with the predicates that are not YES for every class.
- Only pairs that something could release or refer are looked at; every other pair is withheld.

It works in a private database in memory: the node's file is neither locked nor changed.
"""

# ruff: noqa: S608  (what stands in the SQL are names of columns, numbers and the kernel's own predicates)

from __future__ import annotations

import sqlite3
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import fields
from typing import Any, Final, NamedTuple, TypeVar

from comity.adapters.sql.render import Render, read_by, uses
from comity.kernel.model.instants import Instant
from comity.kernel.release.decide import precedence
from comity.kernel.release.decision import ClauseInForce, Receiver
from comity.kernel.release.facets import Facets
from comity.kernel.release.predicates import Predicate, Stage, clause_rows, facet_rows, stage
from comity.kernel.seal.views import View, narrower

K = TypeVar("K", bound=Hashable)

RELEASE: Final = "release"
REFER: Final = "refer"

_PAIRED: Final = tuple(
    (place, row)
    for place, row in enumerate(stage(Stage.MATCH) + stage(Stage.GATE))
    if uses(row.expression).facets or (row.otherwise is not None and uses(row.otherwise).facets)
)
"""Predicates that look at class and clause, with their places; the others look at the clause or at clause and party."""

_GATES: Final = frozenset(place for place, row in _PAIRED if row.stage is Stage.GATE)
_ALONE: Final = tuple(
    row for row in stage(Stage.MATCH) + stage(Stage.GATE) if row not in [paired for _, paired in _PAIRED]
)

_TABLES: Final = """
CREATE TABLE class (s INTEGER PRIMARY KEY, title TEXT, agreement TEXT) STRICT;
CREATE TABLE class_stated (s INTEGER, facet TEXT, PRIMARY KEY (s, facet)) STRICT, WITHOUT ROWID;
CREATE TABLE class_facet (s INTEGER, facet TEXT, value TEXT, PRIMARY KEY (s, facet, value)) STRICT, WITHOUT ROWID;
CREATE TABLE clause (k INTEGER PRIMARY KEY, rank INTEGER, title TEXT, says TEXT, since INTEGER, until INTEGER,
    not_before INTEGER, not_after INTEGER, view INTEGER, officers INTEGER, ours INTEGER, held INTEGER, speaks INTEGER,
    gate INTEGER) STRICT;
CREATE UNIQUE INDEX clause_rank ON clause (rank);
CREATE TABLE clause_stated (k INTEGER, key TEXT, PRIMARY KEY (k, key)) STRICT, WITHOUT ROWID;
CREATE TABLE clause_value (k INTEGER, key TEXT, value TEXT, PRIMARY KEY (k, key, value)) STRICT, WITHOUT ROWID;
CREATE TABLE sender (k INTEGER, p INTEGER, PRIMARY KEY (k, p)) STRICT, WITHOUT ROWID;
CREATE TABLE receiver (k INTEGER, p INTEGER, office INTEGER, PRIMARY KEY (k, p)) STRICT, WITHOUT ROWID;
CREATE TABLE title_party (title TEXT, role TEXT, p INTEGER, PRIMARY KEY (title, role, p)) STRICT, WITHOUT ROWID;
CREATE TABLE member (agreement TEXT, p INTEGER, PRIMARY KEY (agreement, p)) STRICT, WITHOUT ROWID;
CREATE TABLE party (p INTEGER PRIMARY KEY, verified INTEGER) STRICT, WITHOUT ROWID;
CREATE TABLE office (p INTEGER, office TEXT, PRIMARY KEY (p, office)) STRICT, WITHOUT ROWID;
CREATE TABLE client (p INTEGER PRIMARY KEY) STRICT, WITHOUT ROWID;
CREATE TABLE claimant (s INTEGER, p INTEGER, PRIMARY KEY (s, p)) STRICT, WITHOUT ROWID;
CREATE TABLE wider (type INTEGER, wide INTEGER, narrow INTEGER, PRIMARY KEY (type, narrow, wide)) STRICT, WITHOUT ROWID;
CREATE TABLE own (title TEXT, p INTEGER, k INTEGER, s INTEGER, office INTEGER, PRIMARY KEY (title, p)) STRICT, WITHOUT
ROWID; CREATE TABLE floor (r INTEGER, k INTEGER, p INTEGER, PRIMARY KEY (r, k, p)) STRICT, WITHOUT ROWID; CREATE TABLE
block (c INTEGER, p INTEGER, PRIMARY KEY (c, p)) STRICT, WITHOUT ROWID; CREATE TABLE officer (r INTEGER PRIMARY KEY)
STRICT; CREATE TABLE give (c INTEGER, p INTEGER, rank INTEGER, s INTEGER, type INTEGER, view INTEGER, PRIMARY KEY (c, p,
rank)) STRICT, WITHOUT ROWID; CREATE TABLE stop (c INTEGER, p INTEGER, rank INTEGER, opens INTEGER, PRIMARY KEY (c, p,
rank)) STRICT, WITHOUT ROWID; CREATE TABLE given (c INTEGER, p INTEGER, kind TEXT, rank INTEGER, PRIMARY KEY (c, p))
STRICT, WITHOUT ROWID;
"""

_NONE: Final = -1
"""No clause, in a table whose column cannot be NULL; no view, of a class read as it stands."""


class Given(NamedTuple):
    """What one party is given of one class: ``release`` or ``refer``, under which title.

    Every other pair is withheld.
    """

    key: Any
    party: str
    kind: str
    title: str


def given(
    classes: Mapping[K, Facets],
    holder: str,
    parties: Sequence[Receiver],
    in_force: Sequence[ClauseInForce],
    *,
    at: Instant,
    clients: frozenset[str] = frozenset(),
) -> Iterator[Given]:
    """All pairs of class and party that are released or referred; every other pair is withheld.

    Args:
        classes: Facets by class key.
        holder, in_force, at, clients: As for `comity.kernel.release.decide.decide`.
        parties: The receivers, each once.
    """
    keys = list(classes)
    if not keys or not parties or not in_force:
        return iter(())
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        world = _World(connection, [classes[key] for key in keys], holder, parties, in_force, at, clients)
        rows = world.decide().fetchall()
        titles = dict(world.run("SELECT rank, title FROM clause"))
    return (Given(keys[c], world.names[p], kind, titles[rank]) for c, p, kind, rank in rows)


def _facets_of(row: Predicate) -> frozenset[str]:
    facets = uses(row.expression).facets
    return facets if row.otherwise is None else facets | uses(row.otherwise).facets


class _World:
    def __init__(
        self,
        connection: sqlite3.Connection,
        classes: Sequence[Facets],
        holder: str,
        parties: Sequence[Receiver],
        in_force: Sequence[ClauseInForce],
        at: Instant,
        clients: frozenset[str],
    ) -> None:
        self.connection = connection
        self.classes = classes
        self.holder = holder
        self.parties = parties
        self.in_force = in_force
        self.ids: dict[str | None, int | None] = {None: None}
        self.names: list[str] = []
        self.bound = {"holder": self.number(holder), "at": at}
        self.views: dict[View, int] = {}
        connection.execute("PRAGMA journal_mode = OFF")
        connection.execute("BEGIN")
        connection.executescript(_TABLES)
        self._parties(clients)
        self._clauses()
        self._images()

    def number(self, party: str | None) -> int | None:
        """A small number for a party id."""
        known = self.ids.get(party)
        if known is None and party is not None:
            known = self.ids[party] = len(self.names)
            self.names.append(party)
        return known

    def run(self, sql: str) -> sqlite3.Cursor:
        """One statement; it binds what it uses of the holder and the instant."""
        return self.connection.execute(sql, self.bound)

    def fill(self, table: str, width: int, rows: Iterable[tuple[Any, ...]]) -> None:
        marks = ", ".join("?" * width)
        self.connection.executemany(f"INSERT OR IGNORE INTO {table} VALUES ({marks})", rows)

    # --- what is given

    def _parties(self, clients: frozenset[str]) -> None:
        self.fill("party", 2, ((self.number(to.id), int(to.verified)) for to in self.parties))
        self.fill("office", 2, ((self.number(to.id), office) for to in self.parties for office in to.offices))
        self.fill("client", 1, ((self.number(party),) for party in clients))

    def _clauses(self) -> None:
        items = list(enumerate(self.in_force))
        ranks = {k: rank for rank, (k, _) in enumerate(sorted(items, key=lambda pair: precedence(pair[1])))}
        for _, item in items:
            if item.view is not None:
                self.views.setdefault(item.view, len(self.views))
        self.fill(
            "clause",
            14,
            (
                (
                    k,
                    ranks[k],
                    item.title,
                    item.clause.says if item.clause.says in ("permit", "refer") else "prohibit",
                    item.since,
                    item.until,
                    item.clause.not_before,
                    item.clause.not_after,
                    None if item.view is None else self.views[item.view],
                    item.clause.officers,
                    int(self.holder in item.senders),
                    int(self.holder in item.receivers),
                    2,
                    2,
                )
                for k, item in items
            ),
        )
        for k, item in items:
            stated: list[tuple[int, str]] = []
            values: list[tuple[int, str, str]] = []
            for key, value in clause_rows(item.clause):
                if not stated or stated[-1][1] != key:
                    stated.append((k, key))  # the first row of a key says that it was written
                else:
                    values.append((k, key, value))
            self.fill("clause_stated", 2, stated)
            self.fill("clause_value", 3, values)
        self.fill("sender", 2, ((k, self.number(party)) for k, item in items for party in item.senders))
        asked = {to.id for to in self.parties}
        self.fill("receiver", 3, ((k, self.number(party), 2) for k, item in items for party in item.receivers & asked))
        for _, item in items:
            for role, those in (("senders", item.senders), ("receivers", item.receivers)):
                self.fill("title_party", 3, ((item.title, role, self.number(party)) for party in those))
                self.fill("member", 2, ((item.agreement, self.number(party)) for party in those))
        for says in ("permit", "refer", "prohibit"):
            for row in _ALONE:
                self._alone(row, says)

    def _alone(self, row: Predicate, says: str) -> None:
        """A predicate that looks at the clause alone, or at the clause and the party."""
        expression = read_by(row, says)
        if uses(expression).party:  # the gate `office-in-card`; refers and permits that fail it do not open or give
            sql = Render("NULL", "receiver.k", "receiver.p").sql(expression)
            self.run(
                f"UPDATE receiver SET office = min(office, {sql}) "
                f"WHERE k IN (SELECT k FROM clause WHERE says = '{says}')"
            )
            return
        column = "speaks" if row.stage is Stage.MATCH else "gate"
        sql = Render("NULL", "clause.k", "NULL").sql(expression)
        self.run(f"UPDATE clause SET {column} = min({column}, {sql}) WHERE says = '{says}'")

    def _images(self) -> None:
        """Classes as clauses see them: one image each, and one more for each view that hides a marked part."""
        images: list[tuple[int, int | None, Facets]] = []
        for number, facets in enumerate(self.classes):
            if not facets.parts:
                images.append((number, None, facets))
                continue
            images.append((number, _NONE, facets))
            images.extend((number, place, facets.under(view)) for view, place in self.views.items())
        numbers: dict[str, list[int]] = {}
        first: dict[str, list[int]] = {}
        for field in fields(Facets):
            known: dict[Any, int] = {}
            numbers[field.name] = column = []
            examples: list[int] = []
            first[field.name] = examples
            for s, (_, _, facets) in enumerate(images):
                value = getattr(facets, field.name)
                place = known.setdefault(value, len(known))
                if place == len(examples):
                    examples.append(s)
                column.append(place)
        self.wanted: set[tuple[int, str]] = set()
        self.images = images
        self.alike: dict[frozenset[str], tuple[list[int], list[int]]] = {}
        for name in numbers:
            self.alike[frozenset((name,))] = numbers[name], first[name]

        floor = frozenset[str]().union(*(uses(row.expression).facets for row in stage(Stage.FLOOR)))
        officer = frozenset[str]().union(*(uses(row.expression).facets for row in stage(Stage.OFFICER)))
        self.title_examples = self._group(frozenset(("title",)), numbers)[1]
        groups = [self._group(facets, numbers) for facets in (floor, officer)]
        pairs = [self._group(_facets_of(row), numbers) for _, row in _PAIRED]
        self._class_rows()

        places = [f"r{place}" for place, _ in _PAIRED]
        self.run(
            "CREATE TABLE image (s INTEGER PRIMARY KEY, c INTEGER, v INTEGER, title TEXT, custodian INTEGER, "
            "originator INTEGER, type INTEGER, rb INTEGER, rf INTEGER, ro INTEGER, "
            f"{', '.join(f'{name} INTEGER' for name in places)}) STRICT"
        )
        types = numbers["type"]
        base: list[int] = []  # the group, for the floor, of the class as it stands
        for s, (_, v, _) in enumerate(images):
            base.append(groups[0][0][s] if v in (None, _NONE) else base[-1])
        self.fill(
            "image",
            10 + len(places),
            (
                (
                    s,
                    c,
                    v,
                    facets.title,
                    self.number(facets.custodian),
                    self.number(facets.originator),
                    types[s],
                    base[s],
                    *reps,
                )
                for (s, (c, v, facets)), *reps in zip(
                    enumerate(images), *(group[0] for group in (*groups, *pairs)), strict=True
                )
            ),
        )
        claims = ((s, self.number(p)) for s, (_, _, facets) in enumerate(images) for p in facets.claimants)
        self.fill("claimant", 2, claims)
        self.run("CREATE INDEX image_title ON image (title)")
        type_names = [images[s][2].type for s in first["type"]]
        self.fill(
            "wider",
            3,
            (
                (number, self.views[wide], self.views[narrow])
                for number, name in enumerate(type_names)
                for wide in self.views
                for narrow in self.views
                if wide != narrow and narrower(narrow, wide, name)
            ),
        )
        self.floor_examples = groups[0][1]
        self.officer_examples = groups[1][1]
        self.pair_examples = [group[1] for group in pairs]

    def _group(self, facets: frozenset[str], numbers: dict[str, list[int]]) -> tuple[list[int], list[int]]:
        """For each image the number of its likes in these facets, and an example image of each number."""
        if facets not in self.alike:
            known: dict[Any, int] = {}
            examples: list[int] = []
            column: list[int] = []
            for s, value in enumerate(zip(*(numbers[name] for name in sorted(facets)), strict=True)):
                place = known.setdefault(value, len(known))
                if place == len(examples):
                    examples.append(s)
                column.append(place)
            self.alike[facets] = column, examples
        column, examples = self.alike[facets]
        self.wanted.update((s, name) for s in examples for name in facets)
        return column, examples

    def _class_rows(self) -> None:
        needed: dict[int, set[str]] = {}
        for s, name in self.wanted:
            needed.setdefault(s, set()).add(name)
        titles: list[tuple[int, str | None, str | None]] = []
        stated: list[tuple[int, str]] = []
        values: list[tuple[int, str, str]] = []
        for s, names in needed.items():
            facets = self.images[s][2]
            titles.append((s, facets.title, None if facets.title is None else facets.title.partition("#")[0]))
            seen: set[str] = set()
            for name, value in facet_rows(facets):
                if name not in names:
                    continue
                if name not in seen:
                    seen.add(name)
                    stated.append((s, name))  # the first row of a facet says that it was stated
                else:
                    values.append((s, name, value))
        self.fill("class", 3, titles)
        self.fill("class_stated", 2, stated)
        self.fill("class_facet", 3, values)

    # --- the decision

    def decide(self) -> sqlite3.Cursor:
        """Rows (number of the class, number of the party, kind, rank of the clause), in that order."""
        self._floor()
        signatures = self._truths()
        for says in ("prohibit", "refer", "permit"):
            for places, clauses in signatures[says].items():
                self._read(says, places, clauses)
        self._outcome()
        return self.run("SELECT c, p, kind, rank FROM given ORDER BY c, p")

    def _truths(self) -> dict[str, dict[tuple[int, ...], list[int]]]:
        """Read each predicate for those alike; gives the clauses by what they have to be joined with."""
        left = [(k, says) for k, says in self.run("SELECT k, says FROM clause WHERE speaks > 0 ORDER BY k")]
        joined: dict[int, list[int]] = {k: [] for k, _ in left}
        silent: set[int] = set()
        for number, (place, row) in enumerate(_PAIRED):
            self.run(
                f"CREATE TABLE t{place} (k INTEGER, r INTEGER, truth INTEGER, PRIMARY KEY (k, r)) STRICT, WITHOUT ROWID"
            )
            examples = self.pair_examples[number]
            self.run("CREATE TEMP TABLE example (r INTEGER PRIMARY KEY, s INTEGER)")
            self.fill("example", 2, enumerate(examples))
            keys = sorted(uses(row.expression).keys | (uses(row.otherwise).keys if row.otherwise else frozenset()))
            likes: dict[Any, list[int]] = {}
            for k, says in left:
                clause = self.in_force[k].clause
                written = tuple(getattr(clause, key) for key in keys)
                likes.setdefault((says == "permit", written), []).append(k)
            for (permit, _), ks in likes.items():
                sql = Render("e.s", str(ks[0]), "NULL").sql(read_by(row, "permit" if permit else "refer"))
                truths = self.run(f"SELECT e.r, {sql} FROM example e ORDER BY e.r").fetchall()
                least, most = min(t for _, t in truths), max(t for _, t in truths)
                if least == 2:
                    continue
                for k in ks:
                    joined[k].append(place)
                if most == 0 and place not in _GATES:
                    silent.update(ks)
                self.fill(f"t{place}", 3, ((k, r, truth) for k in ks for r, truth in truths if truth))
            self.run("DROP TABLE example")
        signatures: dict[str, dict[tuple[int, ...], list[int]]] = {"permit": {}, "refer": {}, "prohibit": {}}
        for k, says in left:
            if k not in silent:
                signatures[says].setdefault(tuple(joined[k]), []).append(k)
        return signatures

    def _floor(self) -> None:
        """Which parties the floor lets have something, for classes alike in what the floor looks at."""
        rows = stage(Stage.FLOOR)
        by_title = [row for row in rows if uses(row.expression).facets <= {"title"}]
        self._examples("titled", self.title_examples)
        # whose title: the clause as it stands for the party, else for the holder (decide._own)
        self.run(
            "INSERT INTO own SELECT title, p, k, s, COALESCE(office, 2) FROM (SELECT c.title, q.p, c.k, x.s, r.office, "
            "row_number() OVER (PARTITION BY c.title, q.p ORDER BY r.p IS NULL, c.held = 0, c.k) AS place "
            "FROM titled e JOIN class x USING (s) JOIN clause c ON c.title = x.title "
            "CROSS JOIN party q LEFT JOIN receiver r ON r.k = c.k AND r.p = q.p) WHERE place = 1"
        )
        for says in ("permit", "refer", "prohibit"):
            render = Render("own.s", "own.k", "own.p")
            fails = " OR ".join(f"{render.sql(read_by(row, says))} <> 2" for row in by_title) or "0"
            self.run(f"DELETE FROM own WHERE k IN (SELECT k FROM clause WHERE says = '{says}') AND ({fails})")
            for row in _ALONE:
                if uses(read_by(row, says)).party:
                    sql = Render("NULL", "own.k", "own.p").sql(read_by(row, says))
                    self.run(
                        f"UPDATE own SET office = min(office, {sql}) "
                        f"WHERE k IN (SELECT k FROM clause WHERE says = '{says}')"
                    )
        self._examples("floored", self.floor_examples)
        holds = " AND ".join(f"{Render('e.s', 'NULL', 'q.p').sql(row.expression)} = 2" for row in rows)
        self.run(
            f"INSERT INTO floor SELECT e.r, {_NONE}, q.p FROM floored e JOIN class x USING (s) CROSS JOIN party q "
            f"WHERE x.title IS NULL AND {holds}"
        )
        for says in ("permit", "refer"):
            render = Render("e.s", "o.k", "o.p")
            left = [row for row in rows if row not in by_title]
            holds = " AND ".join(f"{render.sql(read_by(row, says))} = 2" for row in left) or "1"
            self.run(
                "INSERT INTO floor SELECT e.r, o.k, o.p FROM floored e JOIN class x USING (s) "
                "JOIN own o ON o.title = x.title "
                f"JOIN clause c ON c.k = o.k AND c.says = '{says}' WHERE {holds}"
            )
        self._examples("asked", self.officer_examples)
        asks = " OR ".join(f"{Render('e.s', 'NULL', 'NULL').sql(row.expression)} = 0" for row in stage(Stage.OFFICER))
        self.run(f"INSERT INTO officer SELECT e.r FROM asked e WHERE {asks}")

    def _examples(self, table: str, examples: Sequence[int]) -> None:
        self.run(f"CREATE TABLE {table} (r INTEGER PRIMARY KEY, s INTEGER) STRICT")
        self.fill(table, 2, enumerate(examples))

    def _read(self, says: str, places: tuple[int, ...], clauses: list[int]) -> None:
        """The classes that these clauses speak of, all joined with the same predicates, and what follows for whom."""
        listed = ", ".join(map(str, clauses))
        matches = [place for place in places if says == "permit" or place not in _GATES]
        gates = [place for place in places if place not in matches]
        source = f"(SELECT * FROM clause WHERE k IN ({listed})) k"
        least = 2 if says == "permit" else 1

        def joined(driven: str) -> str:
            """Clause, then image by the first predicate or as `driven` says, then look-ups in the other predicates."""
            parts = [source]
            rest = list(matches)
            if driven:
                parts.append(driven)
            elif rest:
                first = rest.pop(0)
                self.run(f"CREATE INDEX IF NOT EXISTS image_{first} ON image (r{first})")
                parts.append(f"t{first} ON t{first}.k = k.k AND t{first}.truth >= {least}")
                parts.append(f"image i ON i.r{first} = t{first}.r")
            else:
                parts.append("image i ON 1")
            parts += [f"t{n} ON t{n}.k = k.k AND t{n}.r = i.r{n} AND t{n}.truth >= {least}" for n in rest]
            return " CROSS JOIN ".join(parts)

        truth = "2" if not matches else f"t{matches[0]}.truth"
        if len(matches) > 1:
            truth = f"min({', '.join(f't{n}.truth' for n in matches)})"
        opens = " AND ".join(
            [f"{truth} = 2", "k.gate = 2"]
            + [f"EXISTS (SELECT 1 FROM t{n} g WHERE g.k = k.k AND g.r = i.r{n} AND g.truth = 2)" for n in gates]
        )
        by_title = "image i ON i.title = k.title"
        as_it_stands = f"(i.v IS NULL OR i.v = {_NONE})"
        heard = (
            "(k.ours OR (i.title IS NOT NULL AND EXISTS "
            "(SELECT 1 FROM sender n WHERE n.k = k.k AND (n.p IN (i.custodian, i.originator) "
            "OR EXISTS (SELECT 1 FROM claimant m WHERE m.s = i.s AND m.p = n.p)))))"
        )
        if says == "permit":
            self.run(
                f"INSERT INTO give SELECT i.c, f.p, k.rank, i.s, i.type, k.view FROM {joined('')} "
                "CROSS JOIN receiver r ON r.k = k.k "
                f"AND r.office = 2 CROSS JOIN floor f ON f.r = i.rb AND f.k = {_NONE} AND f.p = r.p "
                "WHERE k.ours AND k.gate = 2 AND i.title IS NULL AND (i.v IS NULL OR i.v = k.view)"
            )
            self.run(
                f"INSERT INTO give SELECT i.c, f.p, k.rank, i.s, i.type, k.view FROM {joined(by_title)} "
                "CROSS JOIN floor f ON f.r = i.rf "
                "AND f.k = k.k CROSS JOIN own o ON o.title = i.title AND o.p = f.p AND o.k = k.k AND o.office = 2 "
                "WHERE k.gate = 2 AND (i.v IS NULL OR i.v = k.view)"
            )
        elif says == "prohibit":
            self.run(
                f"INSERT OR IGNORE INTO block SELECT i.c, r.p FROM {joined('')} CROSS JOIN receiver r ON r.k = k.k "
                f"WHERE {as_it_stands} AND {heard}"
            )
        else:
            self.run(
                f"INSERT INTO stop SELECT i.c, r.p, k.rank, i.title IS NULL AND r.office = 2 AND {opens} AND EXISTS "
                f"(SELECT 1 FROM floor f WHERE f.r = i.rb AND f.k = {_NONE} AND f.p = r.p) "
                f"FROM {joined('')} CROSS JOIN receiver r ON r.k = k.k WHERE {as_it_stands} AND {heard} "
                "AND NOT (i.title IS NOT NULL AND i.title = k.title AND EXISTS "
                "(SELECT 1 FROM own o JOIN clause w ON w.k = o.k "
                "WHERE o.title = i.title AND o.p = r.p AND w.says = 'refer'))"
            )
            self.run(
                f"INSERT INTO stop SELECT i.c, o.p, k.rank, o.office = 2 AND {opens} AND EXISTS "
                "(SELECT 1 FROM floor f WHERE f.r = i.rf AND f.k = k.k AND f.p = o.p) "
                f"FROM {joined(by_title)} CROSS JOIN own o ON o.title = i.title AND o.k = k.k WHERE {as_it_stands}"
            )

    def _outcome(self) -> None:
        """Prohibit, floor, refer, permit; among permits the widest view, then the rank of `precedence`."""
        self.run(
            f"INSERT INTO given SELECT n.c, n.p, '{REFER}', n.rank FROM (SELECT c, p, min(rank) AS rank FROM stop "
            "WHERE opens GROUP BY c, p) n "
            "WHERE NOT EXISTS (SELECT 1 FROM block b WHERE b.c = n.c AND b.p = n.p)"
        )
        narrowed = (
            "AND NOT EXISTS (SELECT 1 FROM give h "
            "JOIN wider x ON x.type = g.type AND x.narrow = g.view AND x.wide = h.view "
            "WHERE h.c = g.c AND h.p = g.p AND h.view <> g.view)"
        )
        some = self.run("SELECT EXISTS (SELECT 1 FROM wider)").fetchone()[0]
        self.run(
            f"INSERT INTO given SELECT m.c, m.p, CASE WHEN a.r IS NULL THEN '{RELEASE}' ELSE '{REFER}' END, m.rank "
            "FROM (SELECT c, p, min(rank) AS rank FROM give g "
            "WHERE NOT EXISTS (SELECT 1 FROM stop s WHERE s.c = g.c AND s.p = g.p) "
            "AND NOT EXISTS (SELECT 1 FROM block b WHERE b.c = g.c AND b.p = g.p) "
            f"{narrowed if some else ''} GROUP BY c, p) m "
            "JOIN give g ON g.c = m.c AND g.p = m.p AND g.rank = m.rank "
            "JOIN image i ON i.s = g.s LEFT JOIN officer a ON a.r = i.ro"
        )
