"""One job of a scanner at this machine, by SANE's `scanimage --batch`.

scanimage names on its output each page that is whole (`--batch-print`), and its exit status is what the scanner said
last: 0 when all was scanned, or the feeder became empty. Only pages it named are kept; after a paper jam the picture
that was under way lies there half, and is removed.
"""

import asyncio
import contextlib
import os
import signal
from collections import deque
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from torhaus.daemon.scans.disk import errno_name
from torhaus.daemon.scans.pull.base import Pulled
from torhaus.daemon.scans.pull.faults import Fault, PullRefused, Trouble, not_kept
from torhaus.daemon.scans.pull.job import JobFolder
from torhaus.daemon.scans.stations import SaneStation

MAX_TOLD: Final = 400
"""Characters of what scanimage says that are passed on."""
_NO_DOCS: Final = 7
_ENDINGS: Final = {"tiff": "tif", "png": "png", "jpeg": "jpg", "pdf": "pdf"}
_STATUS: Final = {
    2: (Fault.ABORTED, "cancelled"), 3: (Fault.BUSY, "the device is busy"),
    4: (Fault.SETTING, "a setting that the device does not know"), 5: (Fault.BROKEN_OFF, "the end came too early"),
    6: (Fault.JAM, "paper jam"), 7: (Fault.FEEDER_EMPTY, "the feeder is empty"),
    8: (Fault.COVER_OPEN, "the cover is open"), 9: (Fault.NO_ANSWER, "the device does not answer"),
    10: (Fault.PROGRAM, "no memory"), 11: (Fault.PROGRAM, "no right to use the device"),
}  # fmt: skip
"""SANE_Status (SANE standard 1.06, section 4.2.7) as scanimage's exit status."""


class SaneScanner:
    """One device."""

    def __init__(self, station: SaneStation) -> None:
        self._station = station

    def command(self, folder: Path) -> list[str]:
        """What is run."""
        s = self._station
        pages = f"--batch={folder}/%04d.{_ENDINGS[s.format]}"
        found = [s.program, f"--device-name={s.device}", f"--format={s.format}", pages, "--batch-print"]
        found += [f"--batch-count={s.max_pages if s.source is not None else 1}", f"--resolution={s.resolution_dpi}"]
        found += [f"--source={s.source}"] if s.source is not None else []
        return found + ([f"--mode={s.mode}"] if s.mode is not None else [])

    async def pull(self, folder: JobFolder) -> Pulled:
        """Run one job. Raises PullRefused, OSError."""
        async with _output() as (said, into):
            try:
                process = await asyncio.create_subprocess_exec(
                    *self.command(folder.path),
                    stdin=asyncio.subprocess.DEVNULL,
                    stdout=into,
                    stderr=asyncio.subprocess.STDOUT,
                    env={"LC_ALL": "C.UTF-8", "PATH": "/usr/bin:/bin"},
                    start_new_session=True,
                )
            except OSError as error:
                why = f"{self._station.program}: {error.strerror}"
                raise PullRefused(Fault.PROGRAM, why, why) from None
            finally:
                os.close(into)
            return await self._follow(process, said, folder)

    async def _follow(
        self, process: asyncio.subprocess.Process, lines: asyncio.StreamReader, folder: JobFolder
    ) -> Pulled:
        whole: set[str] = set()
        said: deque[str] = deque(maxlen=20)
        trouble: Trouble | None = None
        try:
            while True:
                async with asyncio.timeout(self._station.page_s):
                    line = await lines.readline()
                if not line:
                    break
                text = line.decode(errors="replace").strip()
                if text.startswith(f"{folder.path}/"):
                    whole.add(Path(text).name)
                    folder.count = len(whole)
                    await asyncio.to_thread(folder.check_room)
                else:
                    said.append(text)
            async with asyncio.timeout(self._station.page_s):
                code = await process.wait()
        except TimeoutError:
            most = f"{self._station.page_s:g} s"
            if process.returncode is None:
                trouble, code = Trouble(Fault.LATE, f"no page within page_s ({most})", most), 0
            else:  # it has ended, and a helper of the driver holds its output open
                code = process.returncode
        except OSError as error:
            trouble, code = not_kept(errno_name(error)), 0
        except ValueError:
            trouble, code = Trouble(Fault.PROGRAM, "scanimage says a line without end", "scanimage"), 0
        finally:
            if process.returncode is None:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)  # drivers have helpers, which would go on scanning
                await process.wait()
        await asyncio.to_thread(_keep_only, folder.path, whole)
        if code == _NO_DOCS and whole:
            code = 0  # the feeder was emptied: with a count of pages, scanimage does not let that pass for good
        if trouble is None and (code != 0 or (len(whole) >= self._station.max_pages > 1)):
            trouble = _ended(code, self._station.max_pages)
        if not whole:
            last = _last(said)
            fault, why = (trouble.fault, trouble.text) if trouble is not None else (Fault.NO_PAGE, "no page came")
            raise PullRefused(fault, f"{why}: {last}", last)
        return Pulled(len(whole), trouble)


@asynccontextmanager
async def _output() -> AsyncIterator[tuple[asyncio.StreamReader, int]]:
    """What a program says, and the end of the pipe that it is given: whoever gives it away closes it here.

    Not asyncio's own pipe: on some versions of Python a process has not ended there while a helper of it holds that.
    """
    out, into = os.pipe()
    lines = asyncio.StreamReader()
    try:
        transport, _ = await asyncio.get_running_loop().connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(lines), os.fdopen(out, "rb", 0)
        )
    except BaseException:
        os.close(into)
        raise
    try:
        yield lines, into
    finally:
        transport.close()


def _ended(code: int, max_pages: int) -> Trouble:
    if not code:
        return Trouble(Fault.TOO_MANY, "more than max_pages", str(max_pages))
    unknown = f"scanimage ended with {code}"
    fault, text = _STATUS.get(code, (Fault.PROGRAM, unknown))
    return Trouble(fault, text, text)


def _keep_only(folder: Path, names: set[str]) -> None:
    for path in folder.iterdir():
        if path.name not in names:
            path.unlink()


def _last(said: Iterable[str]) -> str:
    """What it says of a fault, else its last line."""
    lines = [line for line in said if line]
    return " / ".join(line for line in lines if line.startswith("scanimage:"))[:MAX_TOLD] or (lines or ["no word"])[-1]
