"""The tables of the database, made from the row types of the kernel, and the version that is written beside them.

Rules (docs/store.md):
- Tables are STRICT: an untyped column silently loses its index. STRICT takes Integer, Text and LargeBinary and nothing
  else.
- No foreign keys: rows are written by deeds that hold the whole rule, and disposal removes bytes that others still
  name.
- Adding a table or an index is compatible and happens at opening; anything else raises `SCHEMA` and needs a migration.
"""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, MetaData, Table, Text
from sqlalchemy.engine import Dialect
from sqlalchemy.schema import CreateIndex, CreateTable

from comity.kernel.store.rows import TABLES
from comity.kernel.store.shape import column, columns

VERSION_TABLE: Final = "comity_schema"
"""One row: the version of the schema, and the oldest version of this program's schema that can still read it."""

MAKE_VERSION: Final = (
    "CREATE TABLE IF NOT EXISTS comity_schema (version INTEGER NOT NULL, oldest_reader INTEGER NOT NULL) STRICT"
)
READ_VERSION: Final = "SELECT version, oldest_reader FROM comity_schema"
WRITE_VERSION: Final = "INSERT INTO comity_schema (version, oldest_reader) VALUES (?, ?)"
SNAPSHOT: Final = "SELECT version FROM comity_schema"
"""Reads something, for a snapshot starts with the first read."""

CLUSTERED: Final = frozenset(
    {"class", "delivery", "grant", "nonce", "peer", "promise", "received", "reference", "setting", "status"}
    | {"stream", "submission", "value"}
)
"""Tables of small rows found by a key that is not one integer: SQLite keeps them in the key's own tree (WITHOUT ROWID).

Rows with large bytes stay out of it (sqlite.org/withoutrowid.html: rows above about a twentieth of a page lose by it).
"""

TYPES: Final[dict[type, Any]] = {
    int: BigInteger().with_variant(Integer(), "sqlite"),
    str: Text(),
    bytes: LargeBinary(),
}


def build() -> dict[type[Any], Table]:
    """A table for each registered row type, in one fresh MetaData."""
    metadata = MetaData()
    built: dict[type[Any], Table] = {}
    for kind, wanted in TABLES.items():
        table = Table(
            wanted.name,
            metadata,
            *(
                Column(
                    stands.name,
                    TYPES[stands.kind],
                    primary_key=stands.name in wanted.key,
                    nullable=stands.nullable,
                    autoincrement=False,
                )
                for stands in columns(kind)
            ),
            sqlite_strict=True,
            sqlite_with_rowid=wanted.name not in CLUSTERED,
        )
        table.primary_key._reload([table.c[name] for name in wanted.key])  # in the order of the key, not of the columns
        for name, names, unique in indexes(kind):
            Index(name, *(table.c[column] for column in names), unique=unique)
        built[kind] = table
    return built


def by_number(kind: type[Any]) -> bool:
    """Whether the key is one integer, which SQLite makes the row's own number."""
    key = TABLES[kind].key
    return len(key) == 1 and column(kind, key[0]).kind is int


def indexes(kind: type[Any]) -> list[tuple[str, tuple[str, ...], bool]]:
    """Name, columns and uniqueness of each further index.

    SQLite ends every index of a clustered or numbered table with its key; the others get it written out, so that rows
    with equal values come in the order of the key without sorting.
    """
    table = TABLES[kind]
    made = [(names, True) for names in table.unique] + [(names, False) for names in table.indexes]
    ends = () if by_number(kind) or table.name in CLUSTERED else table.key
    return [
        (
            f"{table.name}_by_{'_'.join(names)}",
            names if unique else names + tuple(name for name in ends if name not in names),
            unique,
        )
        for names, unique in made
    ]


def definitions(tables: dict[type[Any], Table], dialect: Dialect) -> dict[str, list[str]]:
    """The statements that make each table and its indexes, by the table's name; each may be run again without harm."""
    made: dict[str, list[str]] = {}
    for table in tables.values():
        statements = [str(CreateTable(table, if_not_exists=True).compile(dialect=dialect))]
        for index in sorted(table.indexes, key=lambda index: str(index.name)):
            statements.append(str(CreateIndex(index, if_not_exists=True).compile(dialect=dialect)))
        made[table.name] = statements
    return made


FEW: Final = frozenset({"agreement", "cls", "custodian", "kind", "level", "origin", "party", "to", "type"})
"""Columns with some hundreds of values; the others have about as many as there are rows."""

ROWS: Final = 1_000_000


def statistics(tables: dict[type[Any], Table]) -> list[tuple[str, str, str]]:
    """Rows of sqlite_stat1 (sqlite.org/fileformat2.html#stat1tab): how many rows share the first columns of each index.

    Without them SQLite takes the clustered key with one pinned column before an index with two, and one look-up in a
    stream of 200,000 rows took 32 ms. They are written once, for a full node, so that plans never change under load.
    """
    rows: list[tuple[str, str, str]] = []
    for kind, table in tables.items():
        key = TABLES[kind].key
        if table.name in CLUSTERED:
            rows.append((table.name, table.name, _shared(key, unique=True)))
        elif not by_number(kind):
            rows.append((table.name, f"sqlite_autoindex_{table.name}_1", _shared(key, unique=True)))
        for name, names, unique in indexes(kind):
            rows.append((table.name, name, _shared(names, unique=unique or set(key) <= set(names))))
    return rows


def _shared(names: tuple[str, ...], *, unique: bool) -> str:
    shares: list[int] = [ROWS]
    for place, name in enumerate(names):
        least = 1 if unique and place == len(names) - 1 else 2
        shares.append(max(least, shares[-1] // (100 if name in FEW else 100_000)))
    if unique:
        shares[-1] = 1
    return " ".join(map(str, shares))
