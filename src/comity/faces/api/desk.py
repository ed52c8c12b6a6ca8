"""What every REST handler needs: the node, who asks, and how answers are written.

An officer's token opens everything under ``/api/v1``; deeds ask for a role besides. Bodies are JSON but where a file is posted.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

from litestar import Request
from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler
from litestar.openapi import ResponseSpec
from litestar.types import Guard

from comity.faces.http.config import AppConfig
from comity.faces.http.tokens import officer
from comity.faces.wiring import Home, Wiring
from comity.kernel.errors import InputRefused, NotFound, RequestRefused, Usage
from comity.kernel.model.instants import Instant, parse_offset
from comity.kernel.store.ports import Reading
from comity.node.context import Node
from comity.node.mandates import DEEDS, acting

FILE: Final = {"file": True}
"""`opt` of a handler whose body is a file and not JSON."""

Asked = Request[Any, Any, Any]


def answers_with(shape: Any, media_type: str = "application/json") -> dict[int, ResponseSpec]:
    """What an operation answers where its handler gives bytes that are written already."""
    return {
        200: ResponseSpec(
            shape, generate_examples=False, description="Request fulfilled, document follows", media_type=media_type
        )
    }


@dataclass(frozen=True, slots=True)
class Desk:
    """One node behind the REST face."""

    node: Node
    config: AppConfig

    @contextmanager
    def reading(self, request: Asked, kind: str = "read") -> Iterator[Reading]:
        """A snapshot for an officer who may do deeds of this kind (`comity.node.officers.RULES`)."""
        with self.node.store.read() as tx:
            officer(tx, request, kind)
            yield tx

    def by(self, request: Asked, kind: str = "read") -> str:
        """The id of the officer who asks, who may do deeds of this kind.

        Raises:
            NotAllowed: `token-needed`, `token-unknown`, `role-missing`.
        """
        with self.node.store.read() as tx:
            return officer(tx, request, kind).id

    def acting(self, request: Asked, deed: str) -> tuple[Node, str]:
        """The node in the hands of the officer who asks, for a deed of the node itself that releases or signs; and the officer's id.

        Args:
            deed: The words of the command that does the same, a key of `comity.node.mandates.DEEDS`.

        Raises:
            NotAllowed: as `by`; `mandate-missing`, `mandate-over`.
        """
        by = self.by(request, DEEDS[deed])
        return acting(self.node, deed, DEEDS[deed], by), by

    def outside(self) -> Wiring:
        """What stands outside of the node: peers, servers of others, packs, keys.

        Raises:
            NotFound: `not-built` where the application was made without.
        """
        if self.config.outside is None:
            raise _alone()
        return self.config.outside

    def home(self) -> Home:
        """The folder the node lives in.

        Raises:
            NotFound: `not-built` where the application was made without.
        """
        if self.config.home is None:
            raise _alone()
        return self.config.home


def _alone() -> NotFound:
    return NotFound("not-built", "This application was made without a folder and a network; comity serve has both.")


def officers_only(node: Node) -> Guard:
    """A guard: nothing is read of a request before it is known that an officer sends it."""

    def guard(connection: ASGIConnection[Any, Any, Any, Any], handler: BaseRouteHandler) -> None:
        """Raises NotAllowed `token-needed`, `token-unknown`; RequestRefused `content-type`."""
        with node.store.read() as tx:
            officer(tx, connection)
        has_body = connection.headers.get("content-length", "0") != "0" or "transfer-encoding" in connection.headers
        said = connection.headers.get("content-type", "").partition(";")[0].strip().lower()
        if has_body and not handler.opt.get("file") and said != "application/json":
            raise RequestRefused("content-type", "Say Content-Type: application/json.")

    return guard


def instant_of(text: str | None, name: str) -> Instant | None:
    """An instant with an offset, or None.

    Raises:
        Usage: `request-parameter`.
    """
    if text is None:
        return None
    try:
        return parse_offset(text)
    except InputRefused as broken:
        raise Usage(
            "request-parameter", f"{name} is an instant with an offset, such as 2021-03-05T12:00:00Z."
        ) from broken


def limit_of(limit: int, most: int) -> int:
    """A number of entries within bounds.

    Raises:
        Usage: `request-parameter`.
    """
    if not 1 <= limit <= most:
        raise Usage("request-parameter", f"limit is a number from 1 to {most}.")
    return limit
