"""What a face needs from outside, as values: the command line and the server are handed these by `comity.__main__`.

Faces and adapters do not know each other; `__main__` is the one file that knows both and fills in a `Wiring`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Protocol

from comity.kernel.model.instants import Instant
from comity.kernel.seal.cards import Card, Endpoint
from comity.kernel.seal.keys import SigningKey
from comity.node.context import Node


class SourceLike(Protocol):
    """A file being taken in: its format, and its items and refusals one by one."""

    format: str

    def __iter__(self) -> Iterator[Any]: ...


class PeerLike(Protocol):
    """A peer as it is reached."""

    def turn(self, turn: bytes, *, objects: bool) -> bytes: ...
    def card(self) -> bytes: ...
    def checkpoint(self) -> bytes: ...
    def proof(self, act: str) -> bytes: ...
    def public(self, skip: int) -> bytes: ...
    def publication(self, id: str) -> bytes: ...
    def attachment(self, ask: bytes) -> bytes: ...
    def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Home:
    """A node's folder that is open: the node, where it lies, and what it was told about its address.

    `close` gives files back.
    """

    node: Node
    folder: Path
    close: Callable[[], None]


@dataclass(frozen=True, slots=True)
class Founding:
    """What `comity init` was told."""

    name: str
    kind: str
    country: str
    url: str | None
    offices: Sequence[str]
    identities: Sequence[str]
    languages: Sequence[str]
    contacts: Sequence[Mapping[str, Any]]
    period: int


@dataclass(frozen=True, slots=True)
class Wiring:
    """The outside world, for faces.

    Args:
        open_home: Open the node in a folder (and database URL); LocalFault where there is none.
        found_home: Make keys, database and card in an empty folder.
        open_source: ``(name, stream, mapping, party, at, own, skip) -> SourceLike``.
        writers: Export formats by name: raw objects to bytes.
        connect: A client for a peer, from its card: ``(node, card, allow_private) -> PeerLike``.
        taxii: A TAXII client: ``(url, scheme, secret, user, allow_private, pin) -> client``.
        serve: Run the server until it is told to stop: ``(home, host, port, every, announce)``.
        write_pack, read_pack: Carriers by hand.
        backup, restore, integrity: Of the whole folder.
        new_key: Make and keep a further key of a use: ``(home, use) -> key``.
        endpoints: Addresses as a card lists them, with the TLS key of this node: ``(home, urls)``.
        new_key_file, read_key_file: The key of a party without a node, as one file.
        clock, random: The clock of the machine and fresh bytes, where no node is at hand that has them.
    """

    open_home: Callable[[Path, str | None], Home]
    found_home: Callable[[Path, str | None, Founding], tuple[Home, Card]]
    open_source: Callable[[str, BinaryIO, Mapping[str, str] | None, str, Instant, bool, int], SourceLike]
    writers: Mapping[str, Callable[[Iterable[bytes]], Iterator[bytes]]]
    connect: Callable[[Node, Card, bool], PeerLike]
    taxii: Callable[..., Any]
    serve: Callable[[Home, str, int, float, Callable[[str], None]], None]
    write_pack: Callable[[Home, Card, Iterable[bytes], Path, int | None], Sequence[Path]]
    read_pack: Callable[[Home, Sequence[Path], Callable[[str], int]], Iterator[tuple[str, str, bytes]]]
    backup: Callable[[Home, Path], None]
    restore: Callable[[Path, Path], Home]
    integrity: Callable[[Home], list[str]]
    new_key: Callable[[Home, str], SigningKey]
    endpoints: Callable[[Home, Sequence[str]], tuple[Endpoint, ...]]
    new_key_file: Callable[[Path], SigningKey]
    read_key_file: Callable[[Path], SigningKey]
    clock: Callable[[], Instant]
    random: Callable[[int, str], bytes]
