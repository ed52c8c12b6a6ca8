"""The tables of the database, made from the row types of the kernel, and the version that is written beside them.

Rules (docs/store.md):
- Tables are STRICT: an untyped column silently loses its index. STRICT takes Integer, Text and LargeBinary and nothing else.
- No foreign keys: rows are written by deeds that hold the whole rule, and disposal removes bytes that others still name.
- Adding a table or an index is compatible and happens at opening; anything else raises `SCHEMA` and needs a migration.
"""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, MetaData, Table, Text
from sqlalchemy.engine import Dialect
from sqlalchemy.schema import CreateIndex, CreateTable

from comity.kernel.store.rows import TABLES
from comity.kernel.store.shape import columns

VERSION_TABLE: Final = "comity_schema"
"""One row: the version of the schema, and the oldest version of this program's schema that can still read it."""

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
                    column.name,
                    TYPES[column.kind],
                    primary_key=column.name in wanted.key,
                    nullable=column.nullable,
                    autoincrement=False,
                )
                for column in columns(kind)
            ),
            sqlite_strict=True,
            sqlite_with_rowid=wanted.name not in CLUSTERED or len(wanted.key) == 1 and wanted.key[0] in _integers(kind),
        )
        table.primary_key._reload([table.c[name] for name in wanted.key])  # in the order of the key, not of the columns
        for names, unique in ((names, unique) for unique in (False, True) for names in _indexes(kind, unique)):
            Index(f"{wanted.name}_by_{'_'.join(names)}", *(table.c[name] for name in names), unique=unique)
        built[kind] = table
    return built


def _integers(kind: type[Any]) -> frozenset[str]:
    return frozenset(column.name for column in columns(kind) if column.kind is int)


def _indexes(kind: type[Any], unique: bool) -> tuple[tuple[str, ...], ...]:
    return TABLES[kind].unique if unique else TABLES[kind].indexes


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
        wanted = TABLES[kind]
        if not table.dialect_options["sqlite"]["with_rowid"]:
            rows.append((table.name, table.name, _shared(wanted.key, unique=True)))
        elif len(wanted.key) > 1 or wanted.key[0] not in _integers(kind):
            rows.append((table.name, f"sqlite_autoindex_{table.name}_1", _shared(wanted.key, unique=True)))
        for names, unique in ((names, unique) for unique in (False, True) for names in _indexes(kind, unique)):
            whole = unique or set(wanted.key) <= set(names)
            rows.append((table.name, f"{wanted.name}_by_{'_'.join(names)}", _shared(names, unique=whole)))
    return rows


def _shared(names: tuple[str, ...], *, unique: bool) -> str:
    shares: list[int] = [ROWS]
    for place, name in enumerate(names):
        least = 1 if unique and place == len(names) - 1 else 2
        shares.append(max(least, shares[-1] // (100 if name in FEW else 100_000)))
    if unique:
        shares[-1] = 1
    return " ".join(map(str, shares))
