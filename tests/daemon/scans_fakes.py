"""What the tests of the scan queue are made of: a clock that jumps, documents, and a disk with bad manners."""

import asyncio
import hashlib
import io
import os
import random
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Self

import pikepdf
from msgspec.structs import replace
from PIL import Image

from torhaus.codecs.model import Stamp
from torhaus.daemon.scans.checker import Verdict, media_type_of
from torhaus.daemon.scans.config import Route, ScanConfig, Station
from torhaus.daemon.scans.db import Scan
from torhaus.daemon.scans.disk import Disk
from torhaus.daemon.scans.events import Event
from torhaus.daemon.scans.queue import ScanQueue
from torhaus.daemon.scans.sealed import Content
from torhaus.daemon.scans.spool import content_at
from torhaus.daemon.scans.states import Reason
from torhaus.daemon.scans.targets import folder
from torhaus.daemon.scans.targets.base import Context, TargetConfig
from torhaus.daemon.scans.throttle import Throttle

SITE = "rathaus"


class FakeClock:
    """Stands still until told otherwise; sleeping moves it."""

    def __init__(self) -> None:
        self.boot_id = "b" * 32
        self.now_ns = 1_000 * 10**9
        self.wall_offset_ns = 1_795_000_000 * 10**9

    def wall_ns(self) -> int:
        return self.now_ns + self.wall_offset_ns

    def boot_ns(self) -> int:
        return self.now_ns

    def synced(self) -> bool:
        return True

    def stamp(self) -> Stamp:
        return Stamp(self.wall_ns(), self.boot_ns(), True)

    async def sleep(self, seconds: float) -> None:
        self.pass_s(seconds)
        await asyncio.sleep(0)  # others have their turn, as they do with a real clock

    def pass_s(self, seconds: float) -> None:
        self.now_ns += int(seconds * 1e9)


def context(disk: Disk | None = None, clock: FakeClock | None = None, max_bytes_per_s: int | None = None) -> Context:
    """What a target is opened with."""
    clock = clock or FakeClock()
    return Context(disk or Disk(), clock, Throttle(max_bytes_per_s, clock))


class MagicCheck:
    """Judges by the first bytes and an end mark: for tests that are not about the check itself."""

    def __init__(self) -> None:
        self.checked = 0
        self.meanwhile: Callable[[], None] = lambda: None

    async def close(self) -> None:
        """Nothing to give back."""

    async def check(self, path: Content, *, codes: bool = False) -> Verdict:
        self.checked += 1
        data = _read(path)
        self.meanwhile()
        if not data:
            return Verdict("application/octet-stream", Reason.EMPTY)
        if not data.endswith(b"%%EOF\n"):
            return Verdict(media_type_of(data), Reason.DAMAGED)
        return Verdict(media_type_of(data), None, 1)

    async def cut(self, path: Content, pages: range, into: int) -> Verdict:
        """What it takes for documents has no pages."""
        return Verdict("application/pdf", Reason.NOT_SPLIT)

    async def draw(self, path: Content, page: int, into: int) -> Verdict:
        """Nor can any be drawn."""
        return Verdict("application/pdf", Reason.DAMAGED)


def fake_pdf(mark: object = "") -> bytes:
    """What MagicCheck takes for a finished PDF."""
    return f"%PDF-1.7\n{mark}\n%%EOF\n".encode()


def make_pdf(pages: int = 1, **save: Any) -> bytes:
    pdf = pikepdf.Pdf.new()
    for number in range(pages):
        pdf.add_blank_page(page_size=(595, 842))
        text = b"0 0 m 10 10 l 90 90 m 300 300 l S\n" * 200 + str(number).encode()
        pdf.pages[-1].Contents = pdf.make_indirect(pikepdf.Stream(pdf, text))
    out = io.BytesIO()
    pdf.save(out, **save)
    return out.getvalue()


def make_image(kind: str, frames: int = 1, size: tuple[int, int] = (120, 90)) -> bytes:
    rng = random.Random(1)
    images = [Image.frombytes("L", size, rng.randbytes(size[0] * size[1])) for _ in range(frames)]
    out = io.BytesIO()
    if frames > 1:
        images[0].save(out, kind, save_all=True, append_images=images[1:])
    else:
        images[0].save(out, kind)
    return out.getvalue()


class FaultyDisk(Disk):
    """Records what is done to the disk; `fault` may raise OSError before it happens."""

    def __init__(self) -> None:
        super().__init__()
        self.trace: list[tuple[str, str]] = []
        self.fault: Callable[[str, Path], None] = lambda _name, _path: None
        self.free_bytes = 1 << 40

    def _do(self, name: str, path: Path) -> None:
        self.fault(name, path)
        self.trace.append((name, path.name))

    def create(self, path: Path, mode: int = 0o600) -> int:
        self._do("create", path)
        return super().create(path, mode)

    def open_read(self, path: Path) -> int:
        self.fault("open_read", path)
        return super().open_read(path)

    def write(self, fd: int, data: bytes) -> None:
        self._do("write", Path(f"/proc/self/fd/{fd}").readlink())
        super().write(fd, data)

    def fsync(self, fd: int) -> None:
        self._do("fsync", Path(f"/proc/self/fd/{fd}").readlink())
        super().fsync(fd)

    def fsync_dir(self, path: Path) -> None:
        self._do("fsync_dir", path)
        super().fsync_dir(path)

    def make_dir(self, path: Path) -> None:
        self._do("make_dir", path)
        super().make_dir(path)

    def rename(self, old: Path, new: Path) -> None:
        self._do("rename", old)
        super().rename(old, new)

    def rename_new(self, old: Path, new: Path) -> None:
        self._do("rename_new", new)
        super().rename_new(old, new)

    def free(self, path: Path) -> int:
        self.fault("free", path)
        return self.free_bytes

    def unlink(self, path: Path) -> None:
        self._do("unlink", path)
        super().unlink(path)


def refuse(code: int, *operations: str, under: Path | None = None) -> Callable[[str, Path], None]:
    """A fault for FaultyDisk: these operations, below this folder, fail with this errno."""

    def fault(operation: str, path: Path) -> None:
        if operation in operations and (under is None or under in path.parents or path == under):
            raise OSError(code, os.strerror(code))

    return fault


def spool_key_files() -> tuple[str, ...]:
    """Of a whole run with documents that lie encrypted."""
    key = os.environ.get("TORHAUS_TEST_SPOOL_KEY")
    return (key,) if key else ()


def key_file(folder: Path, name: str = "key") -> str:
    path = folder / name
    path.write_text(hashlib.sha256(name.encode()).hexdigest() + "\n")
    path.chmod(0o600)
    return str(path)


class Bench:
    """A ScanQueue over folders of one test, driven step by step."""

    def __init__(
        self,
        root: Path,
        target: TargetConfig | None = None,
        *,
        check: Any = None,
        disk: Disk | None = None,
        **station: Any,
    ) -> None:
        self.root, self.hot, self.out = root, root / "hot", root / "out"
        for made in (self.hot, self.out, root / "state"):
            made.mkdir(exist_ok=True)
        self.clock = FakeClock()
        self.events: list[Event] = []
        self.check = MagicCheck() if check is None else check
        self.disk = disk or FaultyDisk()
        self.target = target or folder.Config("archive", str(self.out))
        self.config = ScanConfig(
            (Station("counter", str(self.hot), **station),), (self.target,), (Route(self.target.name, "counter"),)
        )
        self.queue = self.new_queue()

    def new_queue(self) -> ScanQueue:
        """As after a restart. The old one must be closed."""
        config = replace(self.config, spool_key_files=spool_key_files() or self.config.spool_key_files)
        self.queue = ScanQueue(
            config, self.root / "state", SITE, self.clock, self.events.append,
            disk=self.disk, check=self.check, rng=random.Random(7),
        )  # fmt: skip
        return self.queue

    async def __aenter__(self) -> Self:
        await self.queue.open()
        return self

    async def __aexit__(self, *_: object) -> None:
        for delivery in self.queue.deliveries:
            await delivery.close()
        await self.queue.close()

    async def restart(self) -> None:
        await self.__aexit__()
        await self.new_queue().open()

    def put(self, name: str | bytes, data: bytes) -> Path:
        path = self.hot / os.fsdecode(name)
        path.write_bytes(data)
        return path

    async def look(self, wait_s: float = 6.0) -> int:
        """See what is there, let it become stable, look again. How many scans both looks made."""
        first = await self.queue.intakes[0].step()
        self.clock.pass_s(wait_s)
        return first + await self.queue.intakes[0].step()

    async def deliver(self, steps: int = 50) -> None:
        """Seal, and deliver until nothing moves."""
        await self.queue.seal()
        for _ in range(steps):
            if not await self.queue.deliveries[0].step():
                return

    async def states(self) -> list[str]:
        """Oldest first."""
        return [scan.state.value for scan in reversed(await self.queue.list())]

    def told(self, kind: type[Any]) -> list[Any]:
        return [event for event in self.events if isinstance(event, kind)]


def _read(path: Content) -> bytes:
    with path.open("rb") as file:
        return file.read()


def with_bench(root: Path, work: Callable[[Bench], Awaitable[None]], **more: Any) -> Bench:
    async def go() -> Bench:
        async with Bench(root, **more) as made:
            await work(made)
            result = await made.queue.verify_evidence()
            assert result.faults == []
            return made

    return asyncio.run(go())


def blob(b: Bench, scan: Scan) -> bytes:
    with content_at(Disk(), b.queue._spool.path(scan.sha256), b.queue._spool.keys).open("rb") as file:
        data = file.read()
    assert hashlib.sha256(data).hexdigest() == scan.sha256
    return data


def left(b: Bench) -> list[str]:
    return sorted(path.name for path in b.hot.rglob("*") if path.is_file())
