"""A page that is drawn again every two seconds: in place on a terminal, one block after the other elsewhere."""

import shutil
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Final, TextIO, TypeVar

REFRESH_S: Final = 2.0
_HOME, _CLEAR, _TO_END, _BELOW = "\x1b[H", "\x1b[2J", "\x1b[K", "\x1b[J"
_HIDE, _SHOW = "\x1b[?25l", "\x1b[?25h"

T = TypeVar("T")


class Unreadable(Exception):  # noqa: N818 - carries an exit code to `run`
    """Neither daemon nor files can be read."""

    def __init__(self, text: str, code: int) -> None:
        super().__init__(text)
        self.code = code


def watch(first: T, fetch: Callable[[], T], draw: Callable[[T], str], out: TextIO, *, tidy: bool = True) -> int:
    """Show `first`, then what `fetch` gives, until Ctrl-C; what cannot be read in between is shown in its place.

    `tidy` draws in place on a terminal, without flicker, and separates the blocks by an empty line elsewhere.
    """
    in_place = tidy and out.isatty()
    if in_place:
        out.write(_HIDE + _CLEAR)
    try:
        with _interrupts() as interrupted:
            text = draw(first)
            while not interrupted():
                out.write(placed(text) if in_place else f"{text}\n" + "\n" * tidy)
                out.flush()
                time.sleep(REFRESH_S)
                try:
                    text = draw(fetch())
                except Unreadable as e:
                    text = str(e)
    except KeyboardInterrupt:
        pass
    finally:
        if in_place:
            out.write(_SHOW)
            out.flush()
    return 0


@contextmanager
def _interrupts() -> Iterator[Callable[[], bool]]:
    """Whether there was a Ctrl-C: `asyncio.run` loses one that comes when its task has just returned."""
    count = 0

    def note(signum: int, frame: FrameType | None) -> None:  # noqa: ARG001 - the signature of handlers
        nonlocal count
        count += 1
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGINT, note)
    try:
        yield lambda: count > 0
    finally:
        signal.signal(signal.SIGINT, before)


def placed(text: str) -> str:
    """Each line over the old one and its rest wiped, so that nothing is ever blank; what does not fit is cut off."""
    size = shutil.get_terminal_size()
    lines = [line[: size.columns] + _TO_END for line in text.split("\n")[: max(1, size.lines - 1)]]
    return _HOME + "\n".join(lines) + "\n" + _BELOW
