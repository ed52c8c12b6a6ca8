"""The bar of progress for a person who watches; only then is rich loaded."""

from __future__ import annotations

import time
from types import TracebackType

from rich.console import Console
from rich.progress import Progress as Rich
from rich.progress import SpinnerColumn, TextColumn, TimeElapsedColumn

from comity.faces.cli.context import Progress


class Bar(Progress):
    """A line of rich that counts; use it as a context manager."""

    def __init__(self, what: str, unit: str) -> None:
        self._unit = unit
        self._rich = Rich(
            SpinnerColumn(),
            TextColumn("{task.description}", markup=False),
            TextColumn("{task.fields[said]}", markup=False),
            TimeElapsedColumn(),
            console=Console(stderr=True),
            transient=True,
        )
        self._task = self._rich.add_task(what, total=None, said="")
        self._begun = time.monotonic()

    def at(self, done: int, said: str = "") -> None:
        """Show how many are done, and how many a second."""
        rate = done / max(time.monotonic() - self._begun, 1e-6)
        self._rich.update(self._task, said=f"{done:,} {self._unit}  {rate:,.0f}/s  {said}".rstrip())

    def __enter__(self) -> Bar:
        self._rich.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._rich.stop()
