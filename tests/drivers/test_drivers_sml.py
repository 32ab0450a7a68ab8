"""The line of a meter that pushes, had by somebody else for a while."""

import asyncio
from contextlib import suppress

import pytest

from tests.drivers.fakes import FakeHost, FakeLink, advance, run
from torhaus.drivers import listener, sml
from torhaus.drivers.base import DriverGone, LinkChanged


def test_the_line_can_be_had_for_oneself(monkeypatch: pytest.MonkeyPatch) -> None:
    """The driver lets go, which is a loss, and is not back before the other has gone."""

    class Closing(FakeLink):
        async def close(self) -> None:
            self._said.put_nowait(b"")

        async def _read(self, max_bytes: int) -> bytes:
            data = await super()._read(max_bytes)
            if not data:
                raise DriverGone("closed")
            return data

    async def opened(*_: object) -> FakeLink:
        return Closing()

    monkeypatch.setattr(listener, "open_link", opened)

    async def main() -> None:
        host, meter = FakeHost(), sml.open(sml.Config(name="strom", link="tcp://127.0.0.1:1", device="zaehler-1"))
        running = asyncio.create_task(meter.run(host))
        await host.until_events(1)
        async with meter.taken():
            with pytest.raises(DriverGone, match="closed"):
                await running
            running = asyncio.create_task(meter.run(host))
            await advance(0)
            assert [e.up for e in host.events if isinstance(e, LinkChanged)] == [True, False]
        await host.until_events(3)
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running

    run(main())
