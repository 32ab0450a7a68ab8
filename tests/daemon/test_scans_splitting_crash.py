"""Power cuts while a stack is split: before each thing that is done on the disk, before and after the commit."""

import contextlib
import io
import sqlite3
from pathlib import Path

import pikepdf

from tests.daemon.scans_fakes import Bench, FaultyDisk, blob
from tests.daemon.scans_split_fakes import Knowing, known, numbers, with_split
from torhaus.daemon.scans.states import State

MOST_STEPS = 200


class PowerCutError(Exception):
    """Nothing is tidied up on its way: no code of ours catches it."""


class Staying(Knowing):
    """The checking process outlives the restarts: to start it takes longer than all the rest."""

    async def close(self) -> None:
        """Not yet."""


def counted(b: Bench, at: int) -> None:
    """Cut the power before the step with this number."""
    assert isinstance(b.disk, FaultyDisk)
    left, real = at, b.queue._db._commit

    def step(*_: object) -> None:
        nonlocal left
        left -= 1
        if left <= 0:
            raise PowerCutError

    def commit(conn: sqlite3.Connection) -> None:
        step()
        real(conn)
        step()

    b.disk.fault, b.queue._db._commit = step, commit  # type: ignore[method-assign]


def unlike(data: bytes, mark: int) -> bytes:
    """Other pages each time: what the last run left behind is no help."""
    with pikepdf.open(io.BytesIO(data)) as pdf:
        for n, page in enumerate(pdf.pages):
            page.Contents = pdf.make_stream(b"0 0 m 10 10 l S\n%d" % (mark * 10 + n))
        out = io.BytesIO()
        pdf.save(out)
        return out.getvalue()


def test_a_power_cut_at_any_step_neither_loses_nor_doubles(tmp_path: Path) -> None:
    cut: list[int] = []

    async def work(b: Bench) -> None:
        assert isinstance(b.disk, FaultyDisk)
        for at in range(1, MOST_STEPS):
            b.put("post.pdf", unlike(await known(b, check, ("bauamt", 2), ("sozialamt", 1)), at))
            await b.look()
            counted(b, at)
            with contextlib.suppress(PowerCutError):
                await b.queue.splitting.step()
                break
            cut.append(at)
            b.disk.fault = lambda *_: None
            await b.restart()
            await b.queue.splitting.step()
            second, first, whole, *_ = await b.queue.list()
            assert [s.state for s in (whole, first, second)] == [State.SPLIT, State.SEALED, State.SEALED]
            assert (first.derived_from, second.derived_from) == (whole.id, whole.id)
            assert [numbers(blob(b, s)) for s in (first, second)] == [[at * 10 + 1, at * 10 + 2], [at * 10 + 4]]
            assert len(await b.queue.list(limit=1000)) == 3 * at
        b.disk.fault = lambda *_: None
        await b.restart()
        wanted = {s.sha256 for s in await b.queue.list(limit=1000)}
        assert {p.name for p in (b.root / "state/scans/blobs").glob("*/*")} == wanted
        assert list((b.root / "state/scans/tmp").iterdir()) == []
        await check.real.close()

    check = Staying()
    with_split(tmp_path, work, check)
    assert 20 < len(cut) < MOST_STEPS - 1
