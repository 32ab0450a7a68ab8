"""How far a long command is, on standard error; nothing for one that ends within a second."""

import sys
import time
from collections.abc import Callable
from typing import Final, Self, TextIO

FIRST_S: Final = 1.0
STEP_S: Final = 0.5
LINE_STEP_S: Final = 10.0
"""How often a line is written where it cannot be written over, as in a log."""


class Progress:
    """`told(done, total)` as often as one likes; it writes only when it is time. Ends with the `with` block."""

    def __init__(
        self,
        what: str,
        show: Callable[[int], str] = str,
        out: TextIO | None = None,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._what = what
        self._show = show
        self._out = out or sys.stderr
        self._now = now
        self._next = now() + FIRST_S
        self._in_place = self._out.isatty()
        self._written = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._written and self._in_place:
            self._out.write("\r\x1b[K")
            self._out.flush()

    def told(self, done: int, total: int = 0) -> None:
        """So much is done, of `total` where that is known."""
        now = self._now()
        if now < self._next:
            return
        self._next = now + (STEP_S if self._in_place else LINE_STEP_S)
        self._written = True
        share = f" of {self._show(total)} ({100 * done // total} %)" if total else ""
        line = f"{self._what}: {self._show(done)}{share}"
        self._out.write(f"\r{line}\x1b[K" if self._in_place else f"{line}\n")
        self._out.flush()
