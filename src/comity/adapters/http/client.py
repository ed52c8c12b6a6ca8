"""Calls to one peer: signed, pinned, guarded, and believed only when the answer is signed for this very question.

Source: docs/formats/exchange.md, Carriers and Signed requests.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from types import TracebackType
from typing import Final, NoReturn

import httpx

from comity.adapters.http.guard import GuardedBackend, Resolver, resolve
from comity.adapters.http.outgoing import MAX_BYTES, TIMEOUT, Answer, GuardedTransport, Outgoing, check_url
from comity.adapters.http.pinned import PinnedBackend, pinned_context
from comity.adapters.http.signing import sign_request, verify_response
from comity.kernel.errors import ComityError, NotFound, RequestRefused, SealBroken, Unavailable, Usage
from comity.kernel.exchange.messages import MEDIA_TYPE
from comity.kernel.model import strictjson
from comity.kernel.model.ids import type_of
from comity.kernel.model.instants import Instant
from comity.kernel.seal.keys import PublicKey, SigningKey

PREFIX: Final = "/comity/1"
_DIGEST: Final = re.compile(r"[0-9a-f]{64}", re.ASCII)
_TILE: Final = re.compile(r"[0-9a-z]+(?:/[0-9a-z.]+)*", re.ASCII)
_MOST_ERROR: Final = 64 << 10


class PeerClient:
    """One peer as it is reached over HTTPS. Close it after use.

    Args:
        base_url: ``https://host[:port]`` from the peer's card; ``http://`` to a loopback address only.
        pin: SHA-256 of the SPKI of the peer's TLS key, hex; needed for https, not used for http.
        key: Our node key.
        our_party, their_party: Party ids.
        their_keys: The peer's node keys by keyid; answers must be signed by one of them.
        clock: Gives now, microseconds.
        nonce: Gives a text of 16 to 128 characters that was never used.
        allow_private: The officer allows private and loopback addresses for this peer.
        timeout: Seconds for one answer.
        max_bytes: Largest answer.
        transport: Takes the place of the guarded road, for tests.
        resolver: Gives the addresses of a name.

    Raises:
        Usage: `peer-url`.
    """

    def __init__(
        self,
        base_url: str,
        *,
        pin: str | None,
        key: SigningKey,
        our_party: str,
        their_party: str,
        their_keys: Callable[[str], PublicKey | None],
        clock: Callable[[], Instant],
        nonce: Callable[[], str],
        allow_private: bool = False,
        timeout: float = TIMEOUT,
        max_bytes: int = MAX_BYTES,
        transport: httpx.BaseTransport | None = None,
        resolver: Resolver = resolve,
    ) -> None:
        self._base = check_url(base_url)
        self._key = key
        self._ours = our_party
        self._theirs = their_party
        self._keys = their_keys
        self._clock = clock
        self._nonce = nonce
        if transport is None:
            transport = GuardedTransport(self._backend(pin, allow_private, resolver), pinned_context())
        self._out = Outgoing(transport, timeout=timeout, max_bytes=max_bytes)

    def _backend(self, pin: str | None, allow_private: bool, resolver: Resolver) -> GuardedBackend:
        if self._base.startswith("http://"):
            return GuardedBackend(allow_private=allow_private, resolver=resolver)
        if pin is None:
            raise Usage(
                "peer-url",
                "The card of this peer lists no TLS key, so its server cannot be told from another; ask for one.",
            )
        return PinnedBackend(pin, allow_private=allow_private, resolver=resolver)

    def turn(self, turn: bytes, *, objects: bool) -> bytes:
        """Send an encoded turn and return the encoded answer; `objects` where the turn carries a page.

        Raises:
            Unavailable: nobody's fault, to be tried again.
            PeerFault: the peer refused, or its answer cannot be believed.
            NotAllowed: the address may not be called.
        """
        return self._ask("POST", "/objects" if objects else "/control", turn)

    def card(self) -> bytes:
        """The peer's card as it serves it. Errors as `turn`."""
        return self._ask("GET", "/card")

    def checkpoint(self) -> bytes:
        """The peer's newest checkpoint, a C2SP note. Errors as `turn`."""
        return self._ask("GET", "/checkpoint")

    def proof(self, act: str) -> bytes:
        """The proof of an act by its digest (64 hex characters).

        Raises:
            NotFound: `peer-refused` where the peer has none yet; else as `turn`.
        """
        if _DIGEST.fullmatch(act) is None:
            raise Usage("peer-url", "An act is named by the 64 hexadecimal characters of its digest.")
        return self._ask("GET", f"/proof/{act}")

    def tile(self, path: str) -> bytes:
        """A tile of the peer's log, by its C2SP path after ``tile/``. Errors as `proof`."""
        if _TILE.fullmatch(path) is None or ".." in path:
            raise Usage("peer-url", "A tile is named by its C2SP path, such as 0/x001/067.")
        return self._ask("GET", f"/tile/{path}")

    def attachment(self, ask: bytes) -> bytes:
        """Chunks of a file, as `comity.kernel.exchange.attachments` writes what is asked for and what is given.

        Raises:
            NotFound: `peer-refused` where it is not given; else as `turn`.
        """
        return self._ask("POST", "/attachment", ask)

    def public(self, skip: int) -> bytes:
        """A page of what the peer published, as everybody may ask: unsigned, and so is the answer, which proves itself or not.

        Raises:
            NotFound: `peer-refused` where it serves none. Else as `turn`.
        """
        return self._open(f"/public?skip={skip}")

    def publication(self, id: str) -> bytes:
        """The public proof of an object that the peer published. Errors as `public`."""
        if type_of(id) is None:
            raise Usage("peer-url", "A publication is named by the id of its object.")
        return self._open(f"/public/{id}")

    def _open(self, path: str) -> bytes:
        answer = self._out.send("GET", f"{self._base}{PREFIX}{path}", {"accept": "application/json"})
        if answer.status != 200:
            _refused(answer)
        return answer.body

    def _ask(self, method: str, path: str, body: bytes = b"") -> bytes:
        url = f"{self._base}{PREFIX}{path}"
        nonce = self._nonce()
        headers = sign_request(self._key, method, url, body, to=self._theirs, nonce=nonce, now=self._clock())
        headers |= {"accept": MEDIA_TYPE}
        if body:
            headers["content-type"] = MEDIA_TYPE
        answer = self._out.send(method, url, headers, body)
        try:
            verify_response(answer.status, answer.headers, answer.body, self._keys, nonce=nonce, our_party=self._ours)
        except (SealBroken, RequestRefused) as fault:
            if answer.status == 200 or "signature" in answer.headers:
                raise
            raise Unavailable(
                "peer-unreachable",
                f"What answers for the peer gives status {answer.status} and no signature; it will be tried again.",
                status=answer.status,
            ) from fault
        if answer.status != 200:
            _refused(answer)
        return answer.body

    def close(self) -> None:
        """Give back the connections."""
        self._out.close()

    def __enter__(self) -> PeerClient:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _refused(answer: Answer) -> NoReturn:
    """Raise what a signed refusal means for us."""
    code, sentence, at = "unknown", "it gave no reason", None
    try:
        told = strictjson.read(answer.body, limits=strictjson.Limits(size=_MOST_ERROR))
        if isinstance(told, dict):
            code, sentence = str(told.get("code", code))[:128], str(told.get("sentence", sentence))[:2_000]
            detail = told.get("detail")
            at = str(detail.get("at"))[:40] if isinstance(detail, dict) and "at" in detail else None
    except ComityError:
        pass
    facts = {"status": answer.status, "code": code, "sentence": sentence}
    if answer.status in (429, 503):
        raise Unavailable("peer-busy", f"The peer has no time now ({sentence}); it will be tried again.", peer=facts)
    if code == "clock":
        raise RequestRefused(
            "clock", f"The peer's clock says {at}, ours differs; set the clock that is wrong.", at=at, peer=facts
        )
    if answer.status == 404:
        raise NotFound("peer-refused", f"The peer has no such thing: {sentence}", peer=facts)
    raise RequestRefused("peer-refused", f"The peer refused: {sentence}", peer=facts)
