"""Which road takes a notice, as ``notify.toml`` in the node's folder says.

    [exec]
    argv    = ["page-duty", "{number}", "{kind}", "{to}"]
    for     = ["tel", "signal"]             # kinds of addresses it takes; without it, all but mailto
    timeout = 20                            # seconds

    [mail]
    host = "127.0.0.1"
    port = 25
    from = "comity@cert.example"
    tls  = "none"                           # none (this machine only), starttls, tls

The file stands in the folder and nowhere else, since it names a program that is run: whoever may write it may run programs as the
node, so no officer's token changes it, and a file that others may write is refused.
"""

from __future__ import annotations

import os
import stat
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from comity.adapters.notify.mail import Mail
from comity.adapters.notify.program import Program
from comity.kernel.errors import NotAllowed, Unavailable
from comity.node.context import Notify

FILE: Final = "notify.toml"

Road = Callable[[int, str, str], None]


@dataclass(frozen=True, slots=True)
class Roads:
    """The roads there are; the first that takes the kind of address is gone."""

    program: Program | None
    mail: Mail | None

    def __call__(self, number: int, kind: str, to: str) -> str:
        """Tell; see `comity.node.context.Notify`.

        Raises:
            Unavailable: `notify-failed`.
        """
        scheme = to.partition(":")[0]
        if self.program is not None and self.program.takes(scheme):
            self.program.tell(number, kind, to)
            return "exec"
        if self.mail is not None and scheme == "mailto":
            self.mail.tell(number, kind, to.removeprefix("mailto:"))
            return "mail"
        raise Unavailable("notify-failed", f"{FILE} names no road for addresses of the kind {scheme[:20]!r}.")


def read_roads(folder: Path) -> Notify:
    """The roads that the file in a node's folder names.

    Raises:
        NotAllowed: `notify-config` where the file cannot be used. OSError: where it cannot be read.
    """
    path = folder / FILE
    mode = path.stat()
    if stat.S_IMODE(mode.st_mode) & 0o022 or mode.st_uid not in (os.geteuid(), 0):
        raise NotAllowed(
            "notify-config", f"Others may write {path}, which names a program to be run; run chmod 644 on it."
        )
    try:
        said = tomllib.loads(path.read_text(encoding="utf-8"))
        program = Program(**_table(said, "exec")) if "exec" in said else None
        mail = Mail(**_table(said, "mail")) if "mail" in said else None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, TypeError, ValueError) as broken:
        raise NotAllowed("notify-config", f"{path} cannot be used: {broken}.") from broken
    if unknown := set(said) - {"exec", "mail"}:
        raise NotAllowed("notify-config", f"{path} names {sorted(unknown)[0]!r}, which is no road; use exec or mail.")
    return Roads(program, mail)


def _table(said: Mapping[str, Any], name: str) -> dict[str, Any]:
    found = said[name]
    if not isinstance(found, dict):
        raise ValueError(f"{name} is no table")
    renamed = {"for": "schemes", "from": "sender"}
    return {
        renamed.get(str(key), str(key)): tuple(value) if isinstance(value, list) else value
        for key, value in found.items()
    }
