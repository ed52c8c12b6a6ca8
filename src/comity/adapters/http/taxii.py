"""A liberal TAXII 2.1 client: pulls and pushes against any server, also those that keep only half of the standard.

Objects are given out as the exact bytes the server sent. A pull gives pages with a cursor behind each; a cursor that
was stored continues the pull. What servers are known to do, and what is done here:

- no ``X-TAXII-Date-Added-Last`` (OpenTAXII, several products): ``next`` carries the pull; with neither, and ``more``
  set, the pull ends with an error and not with a silent gap;
- ``next`` refused together with ``added_after``: asked once more without;
- a ``next`` that stays the same while the pages change, and is used up by asking (medallion): followed while the pull
  lasts, but what is stored is the instant just before the last object, so that a page lost on the way comes again;
- a stored ``next`` that the server has forgotten: begun again after ``added_after``, what is known comes twice;
- ``more`` with an empty page, or the same page for ever: the pull ends;
- URLs without their last slash, relative ones, or ones with the server's internal name: the path is taken, the host
  never, so credentials go to the host they were given for;
- another content type than asked for: read if it is JSON.

Source: TAXII 2.1 §3.4 (pagination), §4 (discovery, API roots), §5 (collections), §4.3 (status), §1.6.8
(authentication).
"""

from __future__ import annotations

import ssl
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Final
from urllib.parse import quote, urlencode, urljoin, urlsplit

import httpx

from comity.adapters.http.guard import GuardedBackend, Resolver, resolve
from comity.adapters.http.outgoing import MAX_BYTES, TIMEOUT, Answer, GuardedTransport, Outgoing, check_url
from comity.adapters.http.pinned import PinnedBackend, pinned_context
from comity.kernel.errors import ComityError, RequestRefused, Unavailable, Usage
from comity.kernel.model import instants, strictjson
from comity.kernel.model.bundle import walk

MEDIA_TYPE: Final = "application/taxii+json;version=2.1"
PAGE: Final = 1_000
_MOST_TEXT: Final = 4_096


@dataclass(frozen=True, slots=True)
class Auth:
    """How we say who we are: `scheme` is ``Bearer``, ``Token`` or ``Basic``; `user` only for Basic."""

    scheme: str
    secret: str
    user: str = ""

    def header(self) -> str:
        """The value of ``Authorization``.

        Raises:
            Usage: `taxii-refused` for another scheme or a secret a header cannot carry.
        """
        if (
            not self.secret.isascii()
            or not self.secret.isprintable()
            or self.scheme not in ("Bearer", "Token", "Basic")
        ):
            raise Usage("taxii-refused", "Credentials are a Bearer or Token text, or Basic with a name and a password.")
        if self.scheme == "Basic":
            return f"Basic {b64encode(f'{self.user}:{self.secret}'.encode()).decode()}"
        return f"{self.scheme} {self.secret}"


@dataclass(frozen=True, slots=True)
class Collection:
    """A collection as its server describes it; `url` ends with a slash."""

    url: str
    id: str
    title: str
    can_read: bool
    can_write: bool


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where a pull stands: objects after the instant `added_after`, and inside that query the server's `next`."""

    added_after: str | None = None
    next: str | None = None

    def text(self) -> str:
        """One line to store."""
        return urlencode(
            [(name, value) for name, value in (("a", self.added_after), ("n", self.next)) if value is not None]
        )

    @classmethod
    def parse(cls, text: str) -> Cursor:
        """What `text` wrote."""
        found = dict(httpx.QueryParams(text))
        return cls(found.get("a"), found.get("n"))


@dataclass(frozen=True, slots=True)
class Pulled:
    """One page: the exact bytes of its objects, and the cursor to store once they are taken in."""

    objects: tuple[bytes, ...]
    cursor: Cursor


@dataclass(frozen=True, slots=True)
class Pushed:
    """The state of a push: `status` is ``complete`` or ``pending``; failures are (object id, the server's message)."""

    id: str
    status: str
    success: int
    failure: int
    pending: int
    failures: tuple[tuple[str, str], ...]


class TaxiiClient:
    """One TAXII server. Close it after use.

    Args:
        base_url: ``https://host[:port]/…``, http to loopback only; the discovery endpoint or any place on the server.
        auth: Credentials, None where none are needed.
        pin: SHA-256 of the server's SPKI, hex; None trusts the system's certificate authorities.
        allow_private: The officer allows private and loopback addresses for this server.
        timeout: Seconds for one answer.
        max_bytes: Largest answer.
        transport: Takes the place of the guarded road, for tests.
        resolver: Gives the addresses of a name.

    Raises:
        Usage: `peer-url`, `taxii-refused`.
    """

    def __init__(
        self,
        base_url: str,
        *,
        auth: Auth | None = None,
        pin: str | None = None,
        allow_private: bool = False,
        timeout: float = TIMEOUT,
        max_bytes: int = MAX_BYTES,
        transport: httpx.BaseTransport | None = None,
        resolver: Resolver = resolve,
    ) -> None:
        self._base = check_url(base_url) + "/"
        self._max_bytes = max_bytes
        self._headers = {"accept": MEDIA_TYPE}
        if auth is not None:
            self._headers["authorization"] = auth.header()
        if transport is None:
            if pin is not None:
                backend: GuardedBackend = PinnedBackend(pin, allow_private=allow_private, resolver=resolver)
                context = pinned_context()
            else:
                backend, context = (
                    GuardedBackend(allow_private=allow_private, resolver=resolver),
                    ssl.create_default_context(),
                )
            transport = GuardedTransport(backend, context)
        self._out = Outgoing(transport, timeout=timeout, max_bytes=max_bytes)

    # -- what there is

    def discover(self) -> tuple[str, ...]:
        """The URLs of the server's API roots, each with a slash at its end, the default one first.

        Raises:
            RequestRefused, Unavailable: as `pull`.
        """
        found = self._json("GET", urljoin(self._base, "/taxii2/"))
        roots = [one for one in (found.get("default"), *_list(found, "api_roots")) if isinstance(one, str)]
        return tuple(dict.fromkeys(self._here(one) for one in roots))

    def collections(self, api_root: str) -> tuple[Collection, ...]:
        """The collections of an API root. Errors as `pull`."""
        url = self._here(api_root) + "collections/"
        listed = []
        for one in _list(self._json("GET", url), "collections"):
            if isinstance(one, dict) and isinstance(one.get("id"), str):
                listed.append(
                    Collection(
                        url=f"{url}{quote(one['id'], safe='')}/",
                        id=one["id"],
                        title=str(one.get("title", ""))[:_MOST_TEXT],
                        can_read=one.get("can_read", True) is True,
                        can_write=one.get("can_write", False) is True,
                    )
                )
        return tuple(listed)

    # -- pull

    def cursor(self, text: str) -> Cursor:
        """A cursor that was stored with `Cursor.text`; an empty text is the beginning."""
        return Cursor.parse(text)

    def pull(
        self, collection: str, cursor: Cursor = Cursor(), *, limit: int = PAGE, match: Mapping[str, str] | None = None
    ) -> Iterator[Pulled]:
        """Pages of a collection from a cursor on, until the server has no more.

        Args:
            collection: URL of the collection.
            cursor: Where an earlier pull ended; the beginning by default.
            limit: Objects to ask for at a time; servers may give fewer.
            match: Filters, such as ``{"type": "indicator"}``.

        Raises:
            RequestRefused: `taxii-refused` where the server says no, `taxii-answer` where its answer cannot be used.
            InputRefused: for objects that are no JSON.
            Unavailable: `peer-unreachable`, `peer-busy`.
        """
        url = self._here(collection) + "objects/"
        before: tuple[bytes, ...] | None = None
        while True:
            try:
                page, found, last = self._page(url, cursor, limit, match or {})
            except RequestRefused as refused:
                if before is not None or cursor.next is None or refused.detail.get("status") not in (400, 404):
                    raise
                cursor = Cursor(cursor.added_after)
                page, found, last = self._page(url, cursor, limit, match or {})
            more = found.get("more") is True
            token = found.get("next")
            token = token if isinstance(token, str) and 0 < len(token) <= _MOST_TEXT else None
            previous, kept = cursor, None
            if more and token is not None:
                cursor = Cursor(cursor.added_after, token)
                kept = _just_before(last) or (Cursor(cursor.added_after) if token == previous.next else None)
            elif more and last is not None:
                cursor = Cursor(last)
            elif not more:
                cursor = Cursor(last if last is not None else cursor.added_after)
            if page:
                yield Pulled(page, kept or cursor)
            if not more:
                return
            if cursor == previous and (not page or page == before or token is None):
                if page:
                    raise RequestRefused(
                        "taxii-answer",
                        "The server says there is more but not how to ask for it; the pull is not complete.",
                    )
                return
            before = page

    def _page(
        self, url: str, cursor: Cursor, limit: int, match: Mapping[str, str]
    ) -> tuple[tuple[bytes, ...], dict[str, Any], str | None]:
        query: list[tuple[str, str]] = [("limit", str(limit))] if limit else []
        query += [(f"match[{name}]", value) for name, value in match.items()]
        if cursor.added_after is not None:
            query.append(("added_after", cursor.added_after))
        asked = [*query, ("next", cursor.next)] if cursor.next is not None else query
        answer = self._send("GET", f"{url}?{urlencode(asked)}")
        if answer.status == 400 and cursor.next is not None and cursor.added_after is not None:
            without = [pair for pair in asked if pair[0] != "added_after"]
            answer = self._send("GET", f"{url}?{urlencode(without)}")
        body = self._checked(answer)
        objects, rest = _split(body)
        last = answer.headers.get("x-taxii-date-added-last")
        return objects, rest, last[:64] if last else None

    # -- push

    def push(self, api_root: str, collection: str, objects: Sequence[bytes]) -> Pushed:
        """Post objects (their exact bytes) as one envelope and return the status the server gives at once.

        Raises:
            RequestRefused, Unavailable: as `pull`.
        """
        body = b'{"objects":[' + b",".join(objects) + b"]}"
        url = self._here(collection) + "objects/"
        return _pushed(self._json("POST", url, body))

    def status(self, api_root: str, push: str) -> Pushed:
        """The status of an earlier push by its id. Errors as `pull`."""
        return _pushed(self._json("GET", f"{self._here(api_root)}status/{quote(push, safe='')}/"))

    def push_and_wait(
        self, api_root: str, collection: str, objects: Sequence[bytes], *, wait: Callable[[int], None], polls: int = 20
    ) -> Pushed:
        """Push, then ask until the server is done or `polls` are used up; `wait(n)` passes the time before poll n."""
        found = self.push(api_root, collection, objects)
        for number in range(polls):
            if found.status == "complete" or not found.id:
                break
            wait(number)
            found = self.status(api_root, found.id)
        return found

    # -- the road

    def _here(self, url: str) -> str:
        """The URL on the host we were given, with a slash at its end; a path is taken from what a server says, a host
        never.
        """
        try:
            path = urlsplit(urljoin(self._base, url.strip())).path
        except ValueError as broken:
            raise RequestRefused("taxii-answer", f"{url[:200]!r} is not an address on this server.") from broken
        return urljoin(self._base, "/" + path.strip("/") + "/") if path.strip("/") else urljoin(self._base, "/")

    def _send(self, method: str, url: str, body: bytes = b"") -> Answer:
        headers = self._headers | ({"content-type": MEDIA_TYPE} if body else {})
        return self._out.send(method, url, headers, body)

    def _checked(self, answer: Answer) -> bytes:
        if answer.status in (200, 202, 206):
            return answer.body
        title = ""
        try:
            told = strictjson.read(answer.body)
            if isinstance(told, dict):
                title = f": {str(told.get('title') or told.get('description') or '')[:300]}"
        except ComityError:
            pass
        if answer.status in (429, 502, 503, 504):
            raise Unavailable(
                "peer-busy",
                f"The TAXII server has no time now (status {answer.status}{title}); it will be tried again.",
            )
        raise RequestRefused(
            "taxii-refused", f"The TAXII server answers with status {answer.status}{title}.", status=answer.status
        )

    def _json(self, method: str, url: str, body: bytes = b"") -> dict[str, Any]:
        limits = strictjson.Limits(size=self._max_bytes)
        try:
            found = strictjson.read(self._checked(self._send(method, url, body)), limits=limits)
        except ComityError as broken:
            if not broken.code.startswith("json-"):
                raise
            raise RequestRefused(
                "taxii-answer", f"The TAXII server's answer is not JSON: {broken.sentence}"
            ) from broken
        if not isinstance(found, dict):
            raise RequestRefused(
                "taxii-answer", "The TAXII server's answer is not a TAXII resource; check its address and version."
            )
        return found

    def close(self) -> None:
        """Give back the connections."""
        self._out.close()

    def __enter__(self) -> TaxiiClient:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _just_before(last: str | None) -> Cursor | None:
    """The cursor that gives all added at the instant `last` once more; None where `last` is no instant.

    Several objects may share it, and servers round it to milliseconds or, without a fraction, to seconds.
    """
    if last is None:
        return None
    rounded = instants.SECOND // 1_000 if "." in last else instants.SECOND
    try:
        return Cursor(instants.format(instants.parse(last) - rounded))
    except (ComityError, OverflowError):
        return None


def _split(body: bytes) -> tuple[tuple[bytes, ...], dict[str, Any]]:
    """The exact bytes of an envelope's objects, and its other members."""
    if not body.strip():
        return (), {}
    at = 0

    def read(size: int) -> bytes:
        nonlocal at
        piece = body[at : at + size]
        at += len(piece)
        return piece

    slices = tuple(walk(read))
    kept, place = [], 0
    for one in slices:
        kept.append(body[place : one.offset] + b"0")
        place = one.offset + len(one.raw)
    rest = strictjson.read(b"".join(kept) + body[place:], limits=strictjson.Limits(size=len(body) + len(slices) + 1))
    return tuple(one.raw for one in slices), rest if isinstance(rest, dict) else {}


def _pushed(found: dict[str, Any]) -> Pushed:
    failures = []
    for one in _list(found, "failures"):
        if isinstance(one, dict):
            failures.append((str(one.get("id", ""))[:512], str(one.get("message", ""))[:_MOST_TEXT]))
    counts = {name: found.get(f"{name}_count") for name in ("success", "failure", "pending")}
    number = {name: value if type(value) is int and value >= 0 else 0 for name, value in counts.items()}
    return Pushed(
        str(found.get("id", ""))[:512],
        "complete" if found.get("status") == "complete" else "pending",
        number["success"],
        number["failure"],
        number["pending"],
        tuple(failures),
    )


def _list(found: dict[str, Any], name: str) -> list[Any]:
    value = found.get(name)
    return value if isinstance(value, list) else []
