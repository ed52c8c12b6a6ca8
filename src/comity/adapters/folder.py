"""The node's folder as a whole: made, copied for a backup, and put back into a new folder.

A backup is a folder of the same shape: a consistent copy of the database, and the keys with their modes. It is written beside its
final name and renamed, so a backup that was cut off is not taken for one.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from comity.kernel.errors import InputRefused, NotAllowed, NotFound

DATABASE: Final = "comity.db"

RESTORING: Final = "restoring"
"""A file that stands in a folder until its next incarnation is open; a node that was put back halfway must not run."""

FOUNDING: Final = "founding"
"""A file that stands in a folder until the node in it is founded whole; an init that was killed goes on where it finds it."""


@contextmanager
def founding(folder: Path, database: Path) -> Iterator[bool]:
    """Make a node's folder; what does not come to its end leaves nothing that it made, and what stood there before stays.

    Gives whether an init that was killed goes on here.

    Raises:
        NotAllowed: `already-done` where keys stand here and nothing says that an init was cut off.
    """
    if folder.exists() and not folder.is_dir():
        raise NotAllowed(
            "store-exists", f"{folder} is a file; name a folder with --home, which is made where it is not there."
        )
    cut_off = (folder / FOUNDING).exists()
    keys = folder / "keys"
    if not cut_off and keys.is_dir() and any(keys.iterdir()):
        raise NotAllowed(
            "already-done",
            f"{folder} holds the keys of a node already; take another folder with --home, or name the database of this one "
            "with --database.",
        )
    new = [one for one in (keys, folder, *folder.parents) if not one.exists()]
    files = [folder / FOUNDING, *(Path(f"{database}{end}") for end in ("", "-wal", "-shm", "-journal"))]
    new += [one for one in files if not one.exists()]
    stood = set(keys.iterdir()) if keys.is_dir() else set()
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        (folder / FOUNDING).touch()
        yield cut_off
        (folder / FOUNDING).unlink()
    except BaseException:
        made = set(keys.iterdir()) - stood if keys.is_dir() else set()
        for one in (*made, *(one for one in files if one in new)):
            with suppress(OSError):
                one.unlink()
        for one in (keys, folder, *folder.parents):
            if one in new:
                with suppress(OSError):
                    one.rmdir()
        raise


def copy_home(folder: Path, to: Path, copy_database: Callable[[Path], None]) -> None:
    """Copy a node's folder into a new one.

    Raises:
        NotAllowed: `store-exists` where something stands at the new place.
    """
    if to.exists():
        raise NotAllowed("store-exists", f"{to} is there already; name a new folder for the backup.")
    part = to.with_name(to.name + ".part")
    if part.exists():
        shutil.rmtree(part)
    part.mkdir(mode=0o700, parents=True)
    copy_database(part / DATABASE)
    shutil.copytree(folder / "keys", part / "keys", copy_function=shutil.copy2)
    os.chmod(part / "keys", 0o700)
    part.rename(to)


def restore_home(backup: Path, folder: Path) -> None:
    """Put a backup into a folder that is empty or not there; `finish_restore` ends it, once the next incarnation is open.

    Raises:
        InputRefused: `no-backup` where the backup is none. NotAllowed: `store-exists` where the folder holds something.
    """
    if not (backup / DATABASE).is_file() or not (backup / "keys").is_dir():
        raise InputRefused("no-backup", f"{backup} is no backup of a node; name the folder that comity backup wrote.")
    if folder.exists() and any(folder.iterdir()):
        raise NotAllowed(
            "store-exists", f"{folder} is not empty; restore into a new folder, and look before you remove the old one."
        )
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    (folder / RESTORING).touch()
    shutil.copytree(backup / "keys", folder / "keys", copy_function=shutil.copy2)
    os.chmod(folder / "keys", 0o700)
    shutil.copy2(backup / DATABASE, folder / DATABASE)


def need_whole(folder: Path) -> None:
    """Return if neither a restore nor an init stands unfinished in the folder.

    Raises:
        NotAllowed: `restore-unfinished`. NotFound: `no-node`.
    """
    if (folder / FOUNDING).exists():
        raise NotFound("no-node", f"An init of {folder} was cut off; give the same comity init again, and it goes on.")
    if (folder / RESTORING).exists():
        raise NotAllowed(
            "restore-unfinished",
            f"A restore into {folder} was cut off; remove that folder and restore the backup again.",
        )


def finish_restore(folder: Path) -> None:
    """Note that the node in the folder may run."""
    (folder / RESTORING).unlink(missing_ok=True)
