"""TAXII 2.1 servers of others: taking in what one has, and posting to one what its party was given; each goes on where it ended."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from hashlib import sha256
from typing import Any, Final, Protocol

import msgspec

from comity.kernel.errors import NotAllowed, NotFound
from comity.kernel.release.handling import Handling
from comity.kernel.store.rows import Party
from comity.node.context import Node, put_setting, read_setting
from comity.node.deeds import deed
from comity.node.intake import OUTCOMES, Counts, OpenSource, take_stream
from comity.node.parties import card_of, resolve_party
from comity.node.readers import standing_after

PAGE: Final = 1_000
"""Objects of one push."""


class Server(Protocol):
    """A TAXII 2.1 client for one server, as `comity.adapters.http.taxii` has it."""

    def discover(self) -> Any: ...
    def collections(self, root: str) -> Any: ...
    def cursor(self, text: str) -> Any: ...
    def pull(self, url: str, cursor: Any) -> Any: ...
    def push_and_wait(self, root: str, url: str, raws: Any, *, wait: Callable[[int], None]) -> Any: ...


def pull(
    node: Node,
    client: Server,
    collection: str | None,
    *,
    opened: OpenSource,
    handling: Handling,
    officer: str,
    again: bool = False,
    told: Callable[[int], None] = lambda done: None,
) -> tuple[dict[str, Any], str]:
    """Take in what a collection has, page by page, each kept with the place where the next pull goes on.

    Args:
        collection: Id or title; None for the one that can be read, where there is one.
        again: From the beginning.
        told: Called with how many objects are dealt with after each page.

    Returns:
        The counts, with code and sentence where it broke off; and how the collection is called.

    Raises:
        NotFound: `no-collection`. ComityError: what the client raises.
    """
    totals: dict[str, int] = dict.fromkeys((*OUTCOMES, "unmarked", "objects"), 0)
    pages, fault = 0, None
    _, place = _collection(client, collection, "can_read")
    mark = f"taxii/{sha256(place.url.encode()).hexdigest()[:32]}"
    for page in client.pull(place.url, client.cursor("" if again else _cursor(node, mark))):
        data = b'{"objects":[' + b",".join(page.objects) + b"]}"
        named = sha256(f"{place.url} {page.cursor.text()} {officer}".encode() + sha256(data).digest()).hexdigest()
        _, counts, fault = take_stream(
            node, opened, io.BytesIO(data), name=place.url, digest=named, handling=handling, officer=officer
        )
        if fault is not None:
            break
        _keep_cursor(node, mark, page.cursor.text())
        pages += 1
        _add(totals, counts)
        told(totals["objects"])
    broken = {} if fault is None else {"code": fault.code, "sentence": fault.sentence}
    return {"url": place.url, "collection": place.id, "pages": pages, **totals, **broken}, place.title or place.id


def _add(totals: dict[str, int], counts: Counts) -> None:
    for word in totals:
        totals[word] += getattr(counts, word)


def plain_party(node: Node, text: str) -> Party:
    """The party whose server is meant; one that runs a node is exchanged with.

    Raises:
        NotAllowed: `not-plain`. NotFound: `no-such-party`.
    """
    with node.store.read() as tx:
        row = resolve_party(tx, text)
        if row.id == node.party or card_of(tx, row.id) is not None:
            raise NotAllowed(
                "not-plain",
                f"{row.name} runs a node; exchange with it by comity sync, which carries terms and proofs.",
            )
    return row


def push(
    node: Node,
    client: Server,
    party: str,
    collection: str | None,
    *,
    wait: Callable[[int], None],
    again: bool = False,
    told: Callable[[int], None] = lambda done: None,
) -> tuple[dict[str, Any], str]:
    """Post exactly what a party without a node was given to its server.

    Args:
        party: Id of the party (`plain_party`).
        collection: Id or title; None for the one that can be written, where there is one.
        wait: Called with the number of the try before the server is asked again how a post stands.
        again: Everything that stands.
        told: Called with how many objects were posted.

    Returns:
        {url, to, posted, refused, left_out, failures}; and how the collection is called. What is left out are extension
        definitions: servers that read `version` of any object as an instant cannot page over them (medallion 3.0), and
        nobody needs them to read what uses them.

    Raises:
        NotFound: `no-collection`. ComityError: what the client raises.
    """
    root, place = _collection(client, collection, "can_write")
    mark = f"pushed/{party}/{sha256(place.url.encode()).hexdigest()[:32]}"
    done = failed = left_out = 0
    failures: list[dict[str, str]] = []
    for last, raws in _pages(node, party, 0 if again else int(_cursor(node, mark) or 0)):
        kept = [raw for raw in raws if msgspec.json.decode(raw, type=_Typed).type != "extension-definition"]
        left_out += len(raws) - len(kept)
        if not kept:
            _keep_cursor(node, mark, str(last))
            continue
        status = client.push_and_wait(root, place.url, kept, wait=wait)
        done += status.success
        failed += status.failure
        failures += [{"object": one, "sentence": sentence} for one, sentence in status.failures]
        _keep_cursor(node, mark, str(last))
        told(done)
    shape = {
        "url": place.url,
        "to": party,
        "posted": done,
        "refused": failed,
        "left_out": left_out,
        "failures": failures,
    }
    return shape, place.title or place.id


class _Typed(msgspec.Struct):
    type: str


def _collection(client: Server, wanted: str | None, may: str) -> tuple[str, Any]:
    """The API root and collection that is meant.

    Raises:
        NotFound: `no-collection`, naming those there are.
    """
    seen = []
    for root in client.discover():
        for one in client.collections(root):
            seen.append(one)
            if wanted is None and getattr(one, may):
                others = [other for other in client.collections(root) if getattr(other, may)]
                if len(others) == 1:
                    return root, one
            elif wanted is not None and wanted in (one.id, one.title):
                return root, one
    listed = ", ".join(f"{one.title or one.id} ({one.id})" for one in seen) or "none"
    raise NotFound("no-collection", f"Say --collection; the server has {listed}.")


def _cursor(node: Node, mark: str) -> str:
    with node.store.read() as tx:
        return str(read_setting(tx, mark, ""))


def _keep_cursor(node: Node, mark: str, text: str) -> None:
    with deed(node) as work:
        put_setting(work.tx, mark, text)


def _pages(node: Node, party: str, after: int) -> Iterator[tuple[int, list[bytes]]]:
    """What stands in a party's stream after a row, in pages: the last row of each, and the bytes of its objects."""
    while True:
        with node.store.read() as tx:
            last, raws = standing_after(tx, party, after, PAGE)
        if last == after:
            return
        if raws:
            yield last, raws
        after = last
