"""Files that their owner alone may read: written whole or not at all, and refused when others can reach them."""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from pathlib import Path
from typing import Final

from comity.kernel.errors import LocalFault, NotAllowed, Unavailable

LARGEST: Final = 65_536
"""Bytes; no key or certificate of ours is near it."""


def make_folder(path: Path) -> None:
    """Make a folder that its owner alone can enter, or check the one that is there.

    Raises:
        NotAllowed: `key-exposed`.
        Unavailable: `store-full`: it cannot be made.
    """
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise Unavailable(
            "store-full", f"The folder {path} cannot be made ({error.strerror}); make room or correct the path."
        ) from error
    _refuse_exposed(path, os.stat(path), "700")


def write(path: Path, content: bytes) -> None:
    """Write a new file that others cannot read; it appears under its name only when it is whole and on the disk.

    Raises:
        NotAllowed: `store-exists`: there is such a file; a key is never overwritten.
        Unavailable: `store-full`.
    """
    part = path.with_name(f".{path.name}.{os.urandom(8).hex()}.tmp")
    try:
        number = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        with open(number, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.link(part, path)  # unlike rename it never replaces a file that came meanwhile
        part.unlink()
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    except FileExistsError:
        raise NotAllowed("store-exists", f"There is already a file {path}; a key is never overwritten.") from None
    except OSError as error:
        raise Unavailable(
            "store-full", f"The file {path} cannot be written ({error.strerror}); make room and try again."
        ) from error
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)


def read(path: Path, *, alone: bool = False) -> bytes:
    """The content of a private file; the folder and the file are checked on the open file, not on its name.

    Args:
        alone: The file stands in a folder of its owner's choice, which others may enter.

    Raises:
        NotAllowed: `key-exposed`: the group or others can read or change it, or it belongs to somebody else.
        LocalFault: `key-missing`, `key-damaged`.
    """
    try:
        if not alone:
            _refuse_exposed(path.parent, os.stat(path.parent), "700")
        number = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        with open(number, "rb") as file:
            found = os.fstat(file.fileno())
            if not stat.S_ISREG(found.st_mode):
                raise LocalFault("key-damaged", f"{path} is not a file; restore it from a backup.")
            _refuse_exposed(path, found, "600")
            content = file.read(LARGEST + 1)
    except FileNotFoundError:
        raise LocalFault("key-missing", f"There is no file {path}; run `comity init`, or restore the folder.") from None
    except OSError as error:
        raise LocalFault("key-damaged", f"The file {path} cannot be read ({error.strerror}); restore it.") from error
    if len(content) > LARGEST:
        raise LocalFault("key-damaged", f"The file {path} is no key: it is too large; restore it from a backup.")
    return content


def _refuse_exposed(path: Path, found: os.stat_result, mode: str) -> None:
    if stat.S_IMODE(found.st_mode) & 0o077 or found.st_uid not in (os.geteuid(), 0):
        raise NotAllowed(
            "key-exposed",
            f"Others on this machine can read or change {path}; check who had access, then run chmod {mode} on it, "
            "or make new keys.",
            path=str(path),
        )
