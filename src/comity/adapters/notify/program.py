"""A program of one's own that tells somebody: run with its arguments as a list, without a shell, and with nothing of the case."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from typing import Final

from comity.kernel.errors import Unavailable

_PASSED_ON: Final = ("PATH", "LANG", "SYSTEMROOT")
"""What of our environment the program sees: where programs are, and the language. No token of ours."""


@dataclass(frozen=True, slots=True)
class Program:
    """How a program is called.

    Args:
        argv: Its words; ``{number}``, ``{kind}`` and ``{to}`` stand for the notice's number, its kind and the address.
        schemes: Kinds of addresses it takes; empty: all but mailto.
        timeout: Seconds until it counts as failed.
    """

    argv: tuple[str, ...]
    schemes: tuple[str, ...] = ()
    timeout: float = 20

    def __post_init__(self) -> None:
        if not isinstance(self.argv, tuple) or not self.argv or not all(isinstance(one, str) for one in self.argv):
            raise ValueError("argv of exec is a list of words, the first of which is the program")
        if isinstance(self.timeout, bool) or not isinstance(self.timeout, int | float) or not 0 < self.timeout <= 300:
            raise ValueError("timeout of exec is a number of seconds, 300 at most")

    def takes(self, scheme: str) -> bool:
        """Whether it is for addresses of a kind."""
        return scheme in self.schemes if self.schemes else scheme != "mailto"

    def tell(self, number: int, kind: str, to: str) -> None:
        """Run it; its exit status 0 says that it took the notice.

        Raises:
            Unavailable: `notify-failed`.
        """
        values = {"{number}": str(number), "{kind}": kind, "{to}": to}
        words = [_filled(word, values) for word in self.argv]
        try:
            done = subprocess.run(
                words,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                timeout=self.timeout,
                env={name: os.environ[name] for name in _PASSED_ON if name in os.environ},
                check=False,
            )
        except (OSError, ValueError, subprocess.TimeoutExpired) as broken:
            raise Unavailable(
                "notify-failed", f"The program {self.argv[0]} could not tell: {self._why(broken)}."
            ) from broken
        if done.returncode != 0:
            raise Unavailable("notify-failed", f"The program {self.argv[0]} ended with status {done.returncode}.")

    def _why(self, broken: Exception) -> str:
        if isinstance(broken, subprocess.TimeoutExpired):
            return f"it took longer than {self.timeout:g} seconds"
        return broken.strerror or "it cannot be run" if isinstance(broken, OSError) else "its words cannot be passed on"


def _filled(word: str, values: dict[str, str]) -> str:
    for mark, value in values.items():
        word = word.replace(mark, value)
    return word
