"""Readers without a node: a party that reads over TAXII with a token, and the clauses under which it can never receive.

A plain reader cannot carry out duties, give receipts or be told that something was taken back, so a clause with duties excludes
it; that is said when the reader is added, not found out later (docs/formats/exchange.md).
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from comity.kernel.errors import Usage
from comity.kernel.seal.views import Withheld
from comity.kernel.store.ports import Reading
from comity.kernel.store.rows import Party, Reader, StreamRow
from comity.node.agreements import states
from comity.node.context import Node
from comity.node.deeds import deed
from comity.node.officers import new_token, token_hash
from comity.node.parties import add_plain_party
from comity.node.views import show_row


def add_plain_reader(node: Node, name: str, *, kind: str, country: str, officer: str) -> tuple[Party, str]:
    """Know a party that runs no node and give it a token, which is returned once.

    Raises:
        Usage: `already-done` where a party of this name is known; `command-line` for a country or name that is none.
    """
    if not name.strip() or len(country) != 2 or not country.isascii() or not country.isalpha() or not country.isupper():
        raise Usage("command-line", "A party has a name, and a country of two capital letters such as EE.")
    with deed(node, officer) as work:
        if any(row.name.casefold() == name.casefold() for row in work.tx.find(Party)):
            raise Usage(
                "already-done", f"A party named {name!r} is known here; comity peer token gives it a further token."
            )
        party = f"identity--{UUID(bytes=node.random(16, f'party/{name}'), version=4)}"
        row = add_plain_party(work, party, name=name, kind=kind, country=country, officer=officer)
        token = new_token(node, f"reader/{party}")
        work.tx.add([Reader(token_hash(token), party, name, work.at, None)])
        work.audit("reader-add", {"party": party, "name": name})
    return row, token


def never(node: Node) -> list[dict[str, Any]]:
    """The clauses of all agreements here under which a plain reader can never receive: {agreement, digest, clause, because}."""
    with node.store.read() as tx:
        return [
            {
                "agreement": state.agreement.title.get("en") or next(iter(state.agreement.title.values())),
                "digest": state.digest,
                "clause": clause.number,
                "because": "it asks the receiver for " + ", ".join(duty.do for duty in clause.duties),
            }
            for state in states(tx)
            for clause in state.agreement.clauses
            if clause.says != "prohibit" and clause.duties
        ]


def standing_after(tx: Reading, party: str, after: int, limit: int) -> tuple[int, list[bytes]]:
    """What of the next rows of a party's stream stands: the last row looked at (`after` where there is none), and the bytes."""
    last, raws = after, []
    for row in tx.find(StreamRow, party=party, order=("n",), after=(after,), limit=limit):
        last = row.n
        if row.ended is None:
            shown = show_row(tx, row)
            if not isinstance(shown, Withheld):
                raws.append(shown.raw)
    return last, raws
