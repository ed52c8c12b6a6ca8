"""Errors over HTTP: one table from code and family to status, one JSON shape, and nothing of what is inside.

    {"code": "...", "sentence": "...", "clause"?: "...", "detail"?: {...}}          REST, exchange
    {"title": "...", "description": "...", "error_code": "...", "http_status": "..."}   TAXII 2.1 §3.6.1, same code and sentence

An error nobody foresaw is ``internal`` with status 500; what happened stands in the node's own log.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any, Final

import msgspec
from litestar import Request, Response
from litestar.exceptions import HTTPException

from comity.kernel.errors import (
    CODES,
    ComityError,
    InputRefused,
    LogFault,
    NodeDamaged,
    NotAllowed,
    NotFound,
    RequestRefused,
    SealBroken,
    Unavailable,
    Usage,
)

LOG: Final = logging.getLogger("comity.http")
JSON: Final = "application/json"
TAXII: Final = "application/taxii+json;version=2.1"
HEADERS: Final = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
"""What every answer carries: it is for the asker alone, and is what it says it is."""

CHALLENGE: Final = 'Bearer realm="comity", Basic realm="comity"'

OF_CODE: Final[Mapping[str, int]] = {
    "token-needed": 401,
    "token-unknown": 401,
    "no-such-page": 404,
    "method": 405,
    "accept": 406,
    "already-done": 409,
    "request-replayed": 409,
    "row-exists": 409,
    "body-size": 413,
    "message-size": 413,
    "json-size": 413,
    "content-type": 415,
    "content-encoding": 415,
    "request-addressee": 421,
    "request-parameter": 400,
    "taxii-envelope": 400,
    "peer-quota": 429,
    "internal": 500,
    "clock-back": 503,
    "store-full": 507,
}
"""Status by code, where it is not that of the family."""

OF_FAMILY: Final[tuple[tuple[type[ComityError], int], ...]] = (
    (Usage, 400),
    (NotFound, 404),
    (NotAllowed, 403),
    (NodeDamaged, 500),
    (InputRefused, 422),
    (SealBroken, 422),
    (LogFault, 409),
    (RequestRefused, 400),
    (Unavailable, 503),
    (ComityError, 500),
)
"""Status by family, the first that fits."""

_SENTENCES: Final[Mapping[int, tuple[str, str]]] = {
    404: ("no-such-page", "There is nothing at this address."),
    405: ("method", "This address does not take requests of this method."),
    413: ("body-size", "The body of the request is larger than this node takes; send it in parts."),
    415: ("content-type", "The body is not of the type that is taken here."),
}


def status_of(error: ComityError) -> int:
    """The HTTP status of an error."""
    found = OF_CODE.get(error.code)
    return found if found is not None else next(status for family, status in OF_FAMILY if isinstance(error, family))


def shape_of(error: ComityError) -> dict[str, Any]:
    """What is told of an error; of damage in the node only that there is some."""
    if isinstance(error, NodeDamaged):
        return {"code": error.code, "sentence": CODES[error.code]}
    return error.as_json()


def taxii_shape(shape: Mapping[str, Any], status: int) -> dict[str, Any]:
    """The TAXII error resource that says the same."""
    return {
        "title": shape["sentence"],
        "description": CODES[shape["code"]],
        "error_code": shape["code"],
        "http_status": str(status),
    }


def answer_error(request: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
    """The response to whatever went wrong while a request was answered."""
    status, shape = _read(error)
    taxii = str(request.scope.get("path", "")).startswith("/taxii2")
    content = taxii_shape(shape, status) if taxii else shape
    headers = dict(HEADERS)
    if status == 401:
        headers["WWW-Authenticate"] = CHALLENGE
    if status in (429, 503):
        headers["Retry-After"] = "5" if status == 503 else "3600"
    return Response(
        msgspec.json.encode(content), status_code=status, media_type=TAXII if taxii else JSON, headers=headers
    )


def _read(error: Exception) -> tuple[int, dict[str, Any]]:
    if isinstance(error, ComityError):
        if isinstance(error, NodeDamaged):
            LOG.error("%s: %s", error.code, error.sentence)
        return status_of(error), shape_of(error)
    if isinstance(error, HTTPException) and 400 <= error.status_code < 500:
        code, sentence = _SENTENCES.get(error.status_code, ("request-parameter", _told(error)))
        return error.status_code, {"code": code, "sentence": sentence}
    if isinstance(error, RecursionError):  # the decoder of a body; nothing of ours goes so deep
        return 400, {"code": "request-parameter", "sentence": "The body is nested too deeply for anything taken here."}
    LOG.error("unforeseen", exc_info=error)
    return 500, {"code": "internal", "sentence": "The node met a fault of its own; its log says what happened."}


def _told(error: HTTPException) -> str:
    """What is wrong with a request, in the words of the reader of parameters; they name what was sent and nothing else."""
    if error.detail.startswith("Missing required"):
        return error.detail.partition(" for path ")[0][:200] + "."
    told = [str(one.get("message") or one.get("key"))[:200] for one in error.extra or () if isinstance(one, dict)]
    where = f": {'; '.join(told)[:400]}" if told else ""
    return f"The request is not in the form that is taken here{where}."
