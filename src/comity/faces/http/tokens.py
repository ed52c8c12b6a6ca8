"""Tokens in requests: how one is read from ``Authorization``, and whose it is.

Bearer, ``Token`` (taxii2-client sends that) and Basic with the token as password. An absent, unknown, ended or malformed token
is one and the same answer.
"""

from __future__ import annotations

from base64 import b64decode
from binascii import Error as Base64Error
from typing import Any, Final

from litestar.connection import ASGIConnection

from comity.kernel.errors import NotAllowed
from comity.kernel.store.ports import Reading
from comity.kernel.store.rows import Officer, Reader
from comity.node.officers import authorise, reader_of

_LONGEST: Final = 512

Asked = ASGIConnection[Any, Any, Any, Any]


def token_in(request: Asked) -> str | None:
    """The token a request carries; None where it carries none that can be read."""
    scheme, _, rest = request.headers.get("authorization", "").partition(" ")
    rest = rest.strip()
    if not rest or len(rest) > _LONGEST:
        return None
    if scheme.lower() in ("bearer", "token"):
        return rest
    if scheme.lower() != "basic":
        return None
    try:
        return b64decode(rest, validate=True).decode("ascii").partition(":")[2] or None
    except (Base64Error, ValueError):
        return None


def reader(tx: Reading, request: Asked) -> Reader:
    """Who reads.

    Raises:
        RequestRefused: `token-unknown`.
    """
    return reader_of(tx, token_in(request))


def officer(tx: Reading, request: Asked, kind: str = "read") -> Officer:
    """The officer who asks, who must have a role that may do deeds of this kind.

    Raises:
        NotAllowed: `token-needed`, `token-unknown`, `role-missing`.
    """
    token = token_in(request)
    if token is None:
        raise NotAllowed("token-needed", "This address is for officers; say Authorization: Bearer TOKEN.")
    return authorise(tx, token, kind)
