"""The node's folder as a whole: copied for a backup, and put back into a new folder.

A backup is a folder of the same shape: a consistent copy of the database, and the keys with their modes. It is written beside its
final name and renamed, so a backup that was cut off is not taken for one.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Final

from comity.kernel.errors import InputRefused, NotAllowed

DATABASE: Final = "comity.db"

RESTORING: Final = "restoring"
"""A file that stands in a folder until its next incarnation is open; a node that was put back halfway must not run."""


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
    """Return if no restore stands unfinished in the folder.

    Raises:
        NotAllowed: `restore-unfinished`.
    """
    if (folder / RESTORING).exists():
        raise NotAllowed(
            "restore-unfinished",
            f"A restore into {folder} was cut off; remove that folder and restore the backup again.",
        )


def finish_restore(folder: Path) -> None:
    """Note that the node in the folder may run."""
    (folder / RESTORING).unlink(missing_ok=True)
