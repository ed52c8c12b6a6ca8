"""A node's signing keys as files: one folder (0700), one file a key (0600), never overwritten, never deleted.

A file is canonical JSON: {"created": instant, "form": 1, "kdf": null, "keyid": hex, "seed": hex, "use": word}. `kdf`
is room for a passphrase on an identity key: where it is not null, this release says so instead of taking the seed as it
stands. The current key of a use is the newest; older ones stay, because what they signed is shown with them.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from comity.adapters.keys import private
from comity.kernel.errors import ComityError, LocalFault, Usage
from comity.kernel.model import strictjson
from comity.kernel.model.instants import Instant, format, parse
from comity.kernel.seal.canonical import canonical
from comity.kernel.seal.keys import SigningKey

USES: Final = ("identity", "node", "log", "secret")
"""What a key is for (docs/formats/card.md). An identity key may be carried away and live off line; `secret` signs
nothing: fillers of the log and the key of packs are derived from it."""

_NAME: Final = re.compile(r"(?P<use>[a-z]+)-(?P<short>[0-9a-f]{16})\.json")


@dataclass(frozen=True, slots=True)
class KeyRecord:
    """A kept key: what it is for, when it was made, and the key; its repr shows no secret."""

    use: str
    created: Instant
    key: SigningKey = field(repr=False)

    @property
    def keyid(self) -> str:
        """SHA-256 of the key's SPKI, hex."""
        return self.key.public.keyid


class KeyFolder:
    """The folder of a node's keys; made if it is not there.

    Raises:
        NotAllowed: `key-exposed`: the group or others can enter the folder.
        Unavailable: `store-full`: it cannot be made.
    """

    def __init__(self, path: str | Path) -> None:
        self._path = Path(path)
        private.make_folder(self._path)

    @property
    def path(self) -> Path:
        """Where the keys are."""
        return self._path

    def create(self, use: str, *, at: Instant) -> SigningKey:
        """Make a new key and keep it; from now on it is the current one of its use.

        Args:
            use: A word of `USES`.
            at: The instant of making; the newest key is the current one.

        Raises:
            Usage: `key-use`.
            Unavailable: `store-full`.
        """
        _check_use(use)
        key, content = _made(use, at)
        private.write(self._path / f"{use}-{key.public.keyid[:16]}.json", content)
        return key

    def all(self, use: str) -> tuple[KeyRecord, ...]:
        """Every key of a use, oldest first.

        Raises:
            NotAllowed: `key-exposed`.
            LocalFault: `key-damaged`.
        """
        _check_use(use)
        found = [
            self._record(entry, match["short"], use)
            for entry in sorted(self._path.iterdir())
            if (match := _NAME.fullmatch(entry.name)) and match["use"] == use
        ]
        return tuple(sorted(found, key=lambda record: (record.created, record.keyid)))

    def current(self, use: str) -> SigningKey:
        """The newest key of a use.

        Raises:
            LocalFault: `key-missing`: there is none; an identity key may be off line.
            NotAllowed: `key-exposed`.
        """
        kept = self.all(use)
        if not kept:
            raise LocalFault(
                "key-missing",
                f"There is no {use} key in {self._path}; run `comity init`, or bring the key back.",
                use=use,
            )
        return kept[-1].key

    def find(self, keyid: str) -> SigningKey | None:
        """The kept key with this id (64 hex digits), or None."""
        for use in USES:
            for record in self.all(use):
                if record.keyid == keyid:
                    return record.key
        return None

    def _record(self, path: Path, short: str, use: str) -> KeyRecord:
        record = _read(path, private.read(path), use)
        if record.keyid[:16] != short:
            raise _damaged(path)
        return record


def new_key_file(path: Path, *, at: Instant) -> SigningKey:
    """Make the key of a party without a node, as one file (0600) in a folder of its owner's choice.

    Raises:
        NotAllowed: `store-exists`: there is such a file; a key is never overwritten.
        Unavailable: `store-full`.
    """
    key, content = _made("identity", at)
    private.write(path, content)
    return key


def read_key_file(path: Path) -> SigningKey:
    """The key in such a file.

    Raises:
        LocalFault: `key-missing`, `key-damaged`. NotAllowed: `key-exposed`.
    """
    if not path.exists():
        raise LocalFault("key-missing", f"There is no key file {path}; comity key new {path} makes one.")
    return _read(path, private.read(path, alone=True), "identity").key


def _made(use: str, at: Instant) -> tuple[SigningKey, bytes]:
    seed = os.urandom(32)
    key = SigningKey.from_seed(seed)
    record = {
        "created": format(at),
        "form": 1,
        "kdf": None,
        "keyid": key.public.keyid,
        "seed": seed.hex(),
        "use": use,
    }
    return key, canonical(record) + b"\n"


def _read(path: Path, content: bytes, use: str) -> KeyRecord:
    try:
        value: Any = strictjson.read(content)
        if value["form"] != 1 or value["use"] != use:
            raise ValueError
        if value["kdf"] is not None:
            raise LocalFault("key-damaged", f"The key {path} is under a passphrase, which this release cannot ask for.")
        key = SigningKey.from_seed(bytes.fromhex(value["seed"]))
        created = parse(value["created"])
    except LocalFault as error:
        if error.code == "key-damaged":
            raise
        raise _damaged(path) from None
    except (ComityError, ValueError, KeyError, TypeError):
        raise _damaged(path) from None
    if key.public.keyid != value["keyid"]:
        raise _damaged(path)
    return KeyRecord(use, created, key)


def _damaged(path: Path) -> LocalFault:
    return LocalFault(
        "key-damaged", f"The key file {path} is not what Comity wrote; restore it from a backup.", path=str(path)
    )


def _check_use(use: str) -> None:
    if use not in USES:
        raise Usage("key-use", f"A key is for one of {', '.join(USES)}, not for {use!r}.")
