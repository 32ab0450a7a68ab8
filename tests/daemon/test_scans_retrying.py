import asyncio
from pathlib import Path

import msgspec
import pytest

from tests.daemon.scans_fakes import Bench
from torhaus.daemon.scans.checker import Verdict
from torhaus.daemon.scans.states import Reason, State


def test_retry_checks_again_what_is_quarantined(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def go() -> None:
        async with Bench(tmp_path, give_up_s=60) as b:
            b.put("cut.pdf", b"%PDF-1.7 cut")
            await b.look()
            await b.look(60)
            [scan] = await b.queue.list()
            assert (await b.queue.retry(scan.id)).state is State.QUARANTINED
            real = b.check.check

            async def lenient(path: Path, *, codes: bool = False) -> Verdict:
                return msgspec.structs.replace(await real(path), reason=None, pages=3)

            monkeypatch.setattr(b.check, "check", lenient)
            moved = await b.queue.retry(scan.id)
            assert (moved.state, moved.pages) == (State.SPOOLED, 3)
            await b.deliver()
            assert await b.states() == ["verified"]
            with pytest.raises(ValueError, match="verified"):
                await b.queue.retry(scan.id)
            with pytest.raises(KeyError):
                await b.queue.retry("rathaus/00000000/99")
            events = [entry.event for entry in (await b.queue.show(scan.id))[1]]
            assert events[2:5] == ["quarantined", "source_removed", "use.retried"]
            assert events[5:8] == ["checked_again", "use.retried", "spooled"]

    asyncio.run(go())


def test_checked_again_is_by_the_stations_rules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def unknown(*_: object, **__: object) -> Verdict:
        return Verdict("application/octet-stream", Reason.UNKNOWN_TYPE)

    async def go() -> None:
        async with Bench(tmp_path, give_up_s=1) as b:
            monkeypatch.setattr(b.check, "check", unknown)
            b.put("a.pdf", b"GIF89a")
            await b.look()
            [scan] = await b.queue.list()
            assert (await b.queue.retry(scan.id)).state is State.QUARANTINED
        b.config = msgspec.structs.replace(
            b.config, station=(msgspec.structs.replace(b.config.station[0], unknown_types="pass"),)
        )
        b.new_queue()
        async with b:
            moved = await b.queue.retry(scan.id)
            assert (moved.state, moved.flags) == (State.SPOOLED, ("unchecked",))

    asyncio.run(go())
