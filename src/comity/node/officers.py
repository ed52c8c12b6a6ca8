"""Officers: persons acting for the party, each with a token and roles; deeds that release or sign name them.

A token is shown once, when it is made; the store keeps its SHA-256. Two persons means two tokens of two officers.

Who may do what is decided here and nowhere else: every command and every route is of one kind of deed (`RULES`), and every
face asks `authorise`.
"""

from __future__ import annotations

from base64 import b32encode
from collections.abc import Mapping, Sequence
from dataclasses import replace
from hashlib import sha256
from typing import Final

from comity.kernel.errors import NotAllowed, NotFound, RequestRefused, Usage
from comity.kernel.store.ports import Reading
from comity.kernel.store.rows import Officer, Reader
from comity.node.context import Node
from comity.node.deeds import deed

ROLES: Final = {
    "release": "may release objects and approve what a clause refers to an officer",
    "sign": "may sign agreements and changes of membership",
    "admin": "may add officers, peers and tokens, verify cards, restore",
    "audit": "may read the account, the log and every reason, and change nothing",
}

RULES: Final[Mapping[str, tuple[str, ...]]] = {
    "read": tuple(ROLES),
    "read officers": ("admin", "audit"),
    "open": ("audit",),
    "take in": ("release", "sign", "admin"),
    "release": ("release",),
    "sign": ("sign",),
    "administer": ("admin",),
    "appoint": ("admin",),
}
"""Each kind of deed, and the roles of which an officer needs one. What takes in, states or exchanges changes what is held or
given, so `audit` alone does none of it."""

_OWNER: Final = frozenset(("read", "read officers", "take in"))


def owner_may(tx: Reading, kind: str) -> bool:
    """Whether who owns the node's folder may do this on the command line without being an officer.

    The first who administers is appointed so; while there is one, nobody is appointed without.
    """
    if kind == "appoint":
        return not any("admin" in row.roles.split() and row.ended is None for row in tx.find(Officer))
    return kind in _OWNER


def add_officer(node: Node, name: str, roles: Sequence[str], *, by: str = "") -> tuple[Officer, str]:
    """Give an officer a token; the text of the token is returned once and kept nowhere.

    Raises:
        Usage: `role-missing` for an unknown role, `already-done` when an officer of this name is active.
    """
    unknown = [role for role in roles if role not in ROLES]
    if unknown or not roles:
        raise Usage(
            "role-missing", f"Say one or more roles of {', '.join(ROLES)}; {', '.join(unknown) or 'none'} is not one."
        )
    if not name.strip():
        raise Usage("no-such-officer", "An officer needs a name.")
    with deed(node, by) as work:
        if any(row.name == name and row.ended is None for row in work.tx.find(Officer)):
            raise Usage(
                "already-done", f"There is an officer named {name!r}; end that one first, or take another name."
            )
        token = new_token(node, f"officer/{name}")
        n = work.tx.count(Officer) + 1
        row = Officer(f"officer-{n}", name, " ".join(sorted(set(roles))), token_hash(token), work.at, None)
        work.tx.add([row])
        work.audit("officer-add", {"officer": row.id, "name": name, "roles": row.roles})
    return row, token


def end_officer(node: Node, name: str, *, by: str) -> Officer:
    """End an officer's token from now on; what was done with it stays.

    Raises:
        NotFound: `no-such-officer`.
    """
    with deed(node, by) as work:
        row = next((row for row in work.tx.find(Officer) if name in (row.id, row.name) and row.ended is None), None)
        if row is None:
            raise NotFound("no-such-officer", f"No active officer is named {name!r}.")
        row = replace(row, ended=work.at)
        work.tx.put(row)
        work.audit("officer-end", {"officer": row.id})
    return row


def authorise(tx: Reading, token: str | None, kind: str) -> Officer:
    """The officer this token belongs to, who must have a role that may do deeds of this kind (`RULES`).

    Raises:
        NotAllowed: `token-needed`, `token-unknown`, `role-missing`.
    """
    roles = RULES[kind]
    if not token:
        raise NotAllowed(
            "token-needed",
            f"This deed needs the token of an officer who has the role {_or(roles)}; give it with --token or COMITY_TOKEN.",
        )
    row = next(iter(tx.find(Officer, token=token_hash(token))), None)
    if row is None or row.ended is not None:
        raise NotAllowed(
            "token-unknown",
            "This token is not one of this node's, or it has ended; look which officer's it is, and of which node.",
        )
    if not set(roles).intersection(row.roles.split()):
        raise NotAllowed(
            "role-missing", f"Officer {row.name} does not have the role {_or(roles)} that this deed needs."
        )
    return row


def _or(roles: Sequence[str]) -> str:
    words = [repr(role) for role in roles]
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}"


def add_reader(node: Node, party: str, name: str, *, by: str) -> str:
    """Give another party (or a tool of ours) a token to read with over TAXII and REST; returned once."""
    with deed(node, by) as work:
        token = new_token(node, f"reader/{party}/{name}")
        work.tx.add([Reader(token_hash(token), party, name, work.at, None)])
        work.audit("reader-add", {"party": party, "name": name})
    return token


def reader_of(tx: Reading, token: str | None) -> Reader:
    """Who reads with this token.

    Raises:
        RequestRefused: `token-unknown`, for an absent, unknown or ended token alike.
    """
    row = tx.get(Reader, token_hash(token)) if token else None
    if row is None or row.ended is not None:
        raise RequestRefused("token-unknown", "This token is not one of this node's, or it has ended.")
    return row


def new_token(node: Node, label: str) -> str:
    """A fresh token: 160 random bits as 32 characters that survive being read aloud."""
    return "cmt_" + b32encode(node.random(20, label)).decode().lower()


def token_hash(token: str) -> str:
    """What the store keeps of a token: SHA-256, hex. Tokens have full entropy, so no slow hash is needed."""
    return sha256(token.encode()).hexdigest()
