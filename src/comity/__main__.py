"""The wiring: the one file that knows every concrete class, and hands them to the faces."""

from __future__ import annotations

import logging
import os
import sys
import time
from base64 import b64decode
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from comity.faces.wiring import Founding, Home, PeerLike, SourceLike, Wiring
from comity.kernel.errors import InputRefused, NodeDamaged, NotFound, Usage
from comity.kernel.model.ids import party_id
from comity.kernel.model.instants import Instant
from comity.kernel.seal.cards import Card, Endpoint, Use
from comity.kernel.seal.keys import PublicKey, SigningKey
from comity.node.context import Keyring, Node, Notify, need_setting

if TYPE_CHECKING:
    from comity.adapters.keys.files import KeyFolder
    from comity.adapters.sql.store import SQLStore

DATABASE = "comity.db"
LOG = logging.getLogger("comity")


def now() -> Instant:
    """The clock of the machine, microseconds since the epoch."""
    return time.time_ns() // 1_000


def fresh(size: int, _label: str = "") -> bytes:
    """Random bytes of the operating system."""
    return os.urandom(size)


def main() -> int:
    """The command ``comity``."""
    try:
        from comity.faces.cli.main import run

        return run(wiring(), sys.argv[1:])
    except KeyboardInterrupt:  # before the command began, or while it was told that one was stopped
        print("comity: Stopped.", file=sys.stderr)
        return 130


def wiring() -> Wiring:
    """Everything concrete."""
    return Wiring(
        open_home=open_home,
        found_home=found_home,
        open_source=open_source,
        writers=_writers(),
        connect=connect,
        taxii=taxii,
        serve=serve,
        write_pack=write_pack,
        read_pack=read_pack,
        backup=backup,
        restore=restore,
        integrity=lambda home: home.node.store.integrity(),  # type: ignore[attr-defined]
        new_key=new_key,
        endpoints=endpoints,
        new_key_file=new_key_file,
        read_key_file=read_key_file,
        clock=now,
        random=fresh,
    )


def roads(folder: Path) -> Notify | None:
    """The roads by which persons of ours are told that something waits, as a file in the folder says; None without one.

    The file is read when somebody is to be told, so that one which cannot be used stops nothing else.
    """
    if not (folder / "notify.toml").exists():
        return None

    def notify(number: int, kind: str, to: str) -> str:
        from comity.adapters.notify.roads import read_roads

        return read_roads(folder)(number, kind, to)

    return notify


def tend_desks(node: Node) -> None:
    """What the desks do by themselves when time has passed; what one cannot do keeps no other from its own."""
    from comity.desks import desks
    from comity.kernel.errors import ComityError

    for desk in desks():
        if desk.tends is not None:
            try:
                desk.tends(node)
            except ComityError as broken:
                LOG.warning("%s: %s: %s", desk.name, broken.code, broken.sentence)


def open_home(folder: Path, database: str | None, *, restoring: bool = False) -> Home:
    """Open the node in a folder.

    Raises:
        NotFound: `no-node` where there is none. NotAllowed: `restore-unfinished` unless it is being restored.
    """
    if folder.is_file():
        raise NotFound("no-node", f"{folder} is a file; --home names the folder of a node.")
    if not (folder / "keys").is_dir():
        raise NotFound(
            "no-node",
            f"There is no node in {folder}; name its folder with --home or COMITY_HOME, or make one with comity init --home {folder}.",
        )
    from comity.adapters.documents import Papers
    from comity.adapters.folder import need_whole
    from comity.adapters.keys.files import KeyFolder
    from comity.adapters.sql.store import open_store
    from comity.node.parties import card_of

    if not restoring:
        need_whole(folder)
    if not (file := _database_file(folder, database)).exists():
        raise NodeDamaged(
            "node-damaged", f"The node's database {file} is not there; name it with --database, or restore a backup."
        )
    keys = KeyFolder(folder / "keys")
    store = open_store(database or f"sqlite:///{file}")
    secret = keys.current("secret")
    with store.read() as tx:
        party = need_setting(tx, "party")
        card = card_of(tx, party)
    node = Node(
        store=store,
        keys=_keyring(keys, card),
        party=party,
        clock=now,
        random=fresh,
        secret=secret.derive(b"node", b""),
        notify=roads(folder),
        typesetting=Papers((folder / "fonts",)),
    )
    return Home(node, folder, store.close)


def _database_file(folder: Path, database: str | None) -> Path:
    """The file a node's database is; for a URL of another kind, which is refused when it is opened, the folder itself."""
    if database is None:
        return folder.resolve() / DATABASE
    return Path(database.partition(":///")[2])


def _keyring(keys: KeyFolder, card: Card | None) -> Keyring:
    """The newest key of each use that our card lists; a key that was made and not yet listed signs nothing."""

    def listed(use: Use) -> SigningKey | None:
        good = {} if card is None else card.keys_at(use, now())
        return next((one.key for one in reversed(keys.all(use)) if one.keyid in good), None)

    return Keyring(listed("node") or keys.current("node"), listed("log") or keys.current("log"), listed("identity"))


def found_home(folder: Path, database: str | None, said: Founding) -> tuple[Home, Card]:
    """Make keys, database and card in a folder.

    Raises:
        NotAllowed: `already-done` where the folder holds a node.
    """
    from comity.adapters.folder import founding
    from comity.adapters.sql.store import open_store

    file = _database_file(folder, database)
    with founding(folder, file) as goes_on:
        store = open_store(database or f"sqlite:///{file}")
        try:
            node, card = _founded(folder, store, said, goes_on)
            _define(node)
        except BaseException:
            store.close()
            raise
    return Home(node, folder, store.close), card


def _founded(folder: Path, store: SQLStore, said: Founding, goes_on: bool) -> tuple[Node, Card]:
    """The node with its keys and its first card; where an init goes on, those that stand already."""
    from comity.adapters.carrier.pack import BoxKey
    from comity.adapters.keys.files import KeyFolder
    from comity.adapters.keys.tls import self_signed
    from comity.node.founding import found
    from comity.node.parties import card_of

    keys = KeyFolder(folder / "keys")
    at = now()
    for use in ("identity", "node", "log", "secret"):
        if not keys.all(use):
            keys.create(use, at=at)
    secret = keys.current("secret")
    identity = keys.current("identity")
    node = Node(
        store=store,
        keys=Keyring(keys.current("node"), keys.current("log"), identity),
        party=party_id(keys.all("identity")[0].key.public.spki),
        clock=now,
        random=fresh,
        secret=secret.derive(b"node", b""),
    )
    with store.read() as tx:
        stands = card_of(tx, node.party) if goes_on else None
    if stands is not None:
        return node, stands
    listed: list[Endpoint] = []
    if said.url is not None:
        pin: bytes | None = None
        if said.url.startswith("https://"):
            made = self_signed(folder / "keys", [_host(said.url)], at=at)
            pin = _spki(made.certificate)
        listed.append(Endpoint(said.url.rstrip("/"), pin))
    card = found(
        node,
        name=said.name,
        kind=said.kind,
        country=said.country,
        endpoints=listed,
        contacts=said.contacts,
        offices=said.offices,
        identities=said.identities,
        languages=said.languages,
        box=BoxKey.from_seed(secret.derive(b"box", b"")).spki,
        period=said.period,
    )
    return node, card


def _define(node: Node) -> None:
    """Take in the definitions of our own extensions, which travel with the objects that are made from files."""
    from comity.adapters.formats.items import Item
    from comity.adapters.formats.minting import DEFINITIONS
    from comity.kernel.release.handling import Handling
    from comity.node.intake import take_in

    take_in(
        node,
        [Item(raw, place=f"object {number}") for number, raw in enumerate(DEFINITIONS.values(), 1)],
        name="extension definitions of Comity",
        format="stix-2.1",
        digest=sha256(b"".join(DEFINITIONS.values())).hexdigest(),
        handling=Handling(tlp="clear", caveats=frozenset()),
        minted=False,
    )


def endpoints(home: Home, urls: Sequence[str]) -> tuple[Endpoint, ...]:
    """Addresses as a card lists them; the TLS key is the one that is there, or made for the first https address."""
    from comity.adapters.keys.tls import self_signed

    hosts = [_host(url) for url in urls if url.startswith("https://")]
    pin = _spki(self_signed(home.folder / "keys", hosts, at=now()).certificate) if hosts else None
    return tuple(Endpoint(url.rstrip("/"), pin if url.startswith("https://") else None) for url in urls)


def new_key(home: Home, use: str) -> SigningKey:
    """Make and keep a further key of a use; it signs only once our card lists it."""
    from comity.adapters.keys.files import KeyFolder

    return KeyFolder(home.folder / "keys").create(use, at=now())


def new_key_file(path: Path) -> SigningKey:
    """Make the key of a party without a node."""
    from comity.adapters.keys.files import new_key_file as make

    return make(path, at=now())


def read_key_file(path: Path) -> SigningKey:
    """The key of a party without a node."""
    from comity.adapters.keys.files import read_key_file as read

    return read(path)


def _host(url: str) -> str:
    from urllib.parse import urlsplit

    host = urlsplit(url).hostname
    if not host:
        raise Usage("peer-url", f"{url!r} names no host; write it as https://cert.example:8443.")
    return host


def _spki(certificate: Path) -> bytes:
    from cryptography import x509
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    loaded = x509.load_pem_x509_certificate(certificate.read_bytes())
    return loaded.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def open_source(
    name: str, stream: BinaryIO, mapping: Mapping[str, str] | None, party: str, at: Instant, own: bool, skip: int
) -> SourceLike:
    """A file to take in, told by what stands in it."""
    from comity.adapters.formats.source import open_source as opened

    return opened(name, stream, mapping=mapping, party=party, at=at, own=own, skip=skip)


def _writers() -> Mapping[str, Callable[..., Iterator[bytes]]]:
    from comity.adapters.formats.write import write_csv, write_misp, write_stix
    from comity.kernel.model.strictjson import read

    return {
        "stix": write_stix,
        "misp": lambda raws: write_misp((read(raw) for raw in raws), at=now()),
        "csv": lambda raws: write_csv(read(raw) for raw in raws),
    }


def connect(node: Node, card: Card, allow_private: bool) -> PeerLike:
    """A client for the first endpoint of a peer's card.

    Raises:
        NotFound: `no-endpoint` where the card names none.
    """
    from comity.adapters.http.client import PeerClient

    if not card.endpoints:
        raise NotFound(
            "no-endpoint", f"The card of {card.name} names no address; carry a pack by hand, or ask for a new card."
        )
    endpoint = card.endpoints[0]

    def their_key(keyid: str) -> PublicKey | None:
        return card.keys_at("node", now()).get(keyid)

    return PeerClient(
        endpoint.url,
        pin=None if endpoint.tls_spki is None else sha256(endpoint.tls_spki).hexdigest(),
        key=node.keys.node,
        our_party=node.party,
        their_party=card.party,
        their_keys=their_key,
        clock=now,
        nonce=lambda: fresh(16).hex(),
        allow_private=allow_private,
    )


def taxii(url: str, scheme: str, secret: str, user: str, allow_private: bool, pin: str | None) -> object:
    """A TAXII 2.1 client."""
    from comity.adapters.http.taxii import Auth, TaxiiClient

    return TaxiiClient(url, auth=Auth(scheme, secret, user) if secret else None, pin=pin, allow_private=allow_private)


def serve(home: Home, host: str, port: int, every: float, announce: Callable[[str], None]) -> None:
    """Run the server in this process until it is told to stop."""
    from comity.adapters.http import signing
    from comity.adapters.keys.tls import CERTIFICATE, KEY
    from comity.faces.http.app import create_app
    from comity.faces.http.config import AppConfig
    from comity.faces.http.serve import Alarm
    from comity.faces.http.serve import serve as run
    from comity.node.attachments.keeping import sweep
    from comity.node.contact import tend
    from comity.node.deeds import deed
    from comity.node.publishing import next_due

    certificate = home.folder / "keys" / CERTIFICATE
    key = home.folder / "keys" / KEY
    secured = certificate.is_file() and key.is_file()

    def tick() -> None:
        tend(home.node, connect)
        sweep(home.node)
        tend_desks(home.node)

    def due() -> float | None:
        with home.node.store.read() as tx:
            at = next_due(tx)
        return None if at is None else (at - home.node.clock()) / 1_000_000

    def strike() -> None:
        with deed(home.node):
            pass  # what fell due is done before every deed

    app = create_app(
        home.node,
        AppConfig(
            open_source=open_source, carrier=signing, writers=_writers(), tls=secured, home=home, outside=wiring()
        ),
    )
    run(
        app,
        host,
        port,
        ssl_cert=certificate if secured else None,
        ssl_key=key if secured else None,
        tick=tick,
        every=every,
        alarm=Alarm(due, strike),
        announce=announce,
    )


def write_pack(home: Home, card: Card, turns: Iterable[bytes], path: Path, split: int | None) -> Sequence[Path]:
    """Write turns as a pack encrypted to a party."""
    from comity.adapters.carrier.pack import write_pack as write

    box = dict(card.extra).get("box")
    if not isinstance(box, str):
        raise InputRefused(
            "pack-addressee", f"The card of {card.name} lists no key to encrypt to; ask for its newest card."
        )
    node = home.node
    return write(
        turns,
        path,
        key=node.keys.node,
        sender=node.party,
        to=card.party,
        box=b64decode(box),
        now=now(),
        random=fresh,
        split=split,
    )


def read_pack(home: Home, files: Sequence[Path], taken: Callable[[str], int]) -> Iterator[tuple[str, str, bytes]]:
    """The turns of a pack that were not taken yet: (pack id, sender, encoded turn)."""
    from comity.adapters.carrier.pack import BoxKey, manifest
    from comity.adapters.carrier.pack import read_pack as read
    from comity.adapters.keys.files import KeyFolder
    from comity.node.parties import node_keys

    one = manifest(files[0])
    secret = KeyFolder(home.folder / "keys").current("secret")

    def key_of(party: str, keyid: str) -> PublicKey | None:
        with home.node.store.read() as tx:
            return node_keys(tx, party, now()).get(keyid)

    for turn in read(
        files, box=BoxKey.from_seed(secret.derive(b"box", b"")), our_party=home.node.party, keys=key_of, taken=taken
    ):
        yield one.pack, one.sender, turn


def backup(home: Home, path: Path) -> None:
    """Copy the whole folder into a new one: a consistent database, the keys."""
    from comity.adapters.folder import copy_home

    copy_home(home.folder, path, home.node.store.backup)  # type: ignore[attr-defined]


def restore(path: Path, folder: Path) -> Home:
    """Put a backup into a new folder and open the next incarnation of its log."""
    from comity.adapters.folder import finish_restore, restore_home
    from comity.node.restoring import reopen

    restore_home(path, folder)
    home = open_home(folder, None, restoring=True)
    reopen(home.node)
    finish_restore(folder)
    return home


if __name__ == "__main__":
    sys.exit(main())
