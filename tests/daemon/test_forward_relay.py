"""What makes a relay: what it wants, how old a frame is, and in which log it lies."""

import asyncio
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from tests.daemon.clocks import FakeClock
from tests.daemon.forward_fakes import FarSide, take_all
from tests.daemon.home import METER, Home, archive, running, stamp, until
from torhaus.codecs.model import Frame, Radio, Reception
from torhaus.daemon.config.model import ForwarderCommon
from torhaus.daemon.forward.base import Item, Outcome
from torhaus.daemon.forward.message import Message
from torhaus.daemon.forward.relay import age_s, any_of, is_crc_bad, is_join, wants_of
from torhaus.daemon.lora.filters import FrameFilter
from torhaus.daemon.outbox.record import Lora, Record
from torhaus.drivers.base import Host, LinkChanged

GATEWAY = "aa555a0000000101"


class Config(msgspec.Struct):
    filter: FrameFilter = FrameFilter()


def phy(addr: int = 0x26011234, fcnt: int = 1) -> bytes:
    return b"\x40" + addr.to_bytes(4, "little") + b"\0" + fcnt.to_bytes(2, "little") + b"\x01x" + b"mic!"


def record(raw: bytes | None, crc: int | None = None, **more: Any) -> Record:
    lora = Lora(868_100_000, "LORA", "SF7BW125", rx=[Reception(GATEWAY, crc=crc)])
    return Record("frame", "roof", lora=lora, raw=raw, **more)


def message(at: str, *, late: bool = False, clock: Any = "synced", raw: bytes | None = None) -> Message:
    return Message("s/0/1", "frame", "s", at, clock, late, raw=raw)


def test_wants_frames_by_its_filter_and_events() -> None:
    wants = wants_of(Config(FrameFilter(dev_addrs=("26011234",), dev_euis=("a81758fffe0312ab",))))
    assert wants(record(phy()))
    assert not wants(record(phy(0x26011235)))
    assert wants(record(phy(0x26011235), dev_eui="a81758fffe0312ab"))
    assert not wants(record(phy(), crc=-1))
    assert not wants(record(None))
    assert not wants(Record("reading", "meter", raw=b"\x40"))
    assert wants(Record("event", "roof", event={"gateway": GATEWAY}))


def test_any_of_several() -> None:
    one, two = (wants_of(Config(FrameFilter(dev_addrs=(addr,)))) for addr in ("00000001", "00000002"))
    assert any_of([]) is None
    assert any_of([one]) is one
    both = any_of([one, two])
    assert both is not None
    assert [both(record(phy(addr))) for addr in (1, 2, 3)] == [True, True, False]


def test_the_crc_is_bad_when_no_antenna_got_it_right() -> None:
    good, bad = Reception(GATEWAY, crc=1), Reception(GATEWAY, crc=-1)
    assert [is_crc_bad(rx) for rx in ([], [bad], [bad, good], [good])] == [False, True, False, False]


def test_joins() -> None:
    at = "2026-11-23T09:53:25.400Z"
    raws = (b"\0abc", b"\xc0", b"\x40", b"\xe0", b"", None)
    assert [is_join(message(at, raw=raw)) for raw in raws] == [True, True, False, False, False, False]


def test_age() -> None:
    clock = FakeClock(wall_ns=1_795_427_605_000_000_000)  # 2026-11-23T09:53:25Z
    assert age_s(message("2026-11-23T09:53:20.000Z"), clock) == 5
    assert age_s(message("2026-11-23T09:54:20.000Z"), clock) == 0
    assert age_s(message("2026-11-23T09:53:20.000Z", late=True, clock="corrected"), clock) == 5
    assert age_s(message("2026-11-23T09:53:20.000Z", late=True, clock="unsynced"), clock) == float("inf")


def gateway_driver(frames: list[bytes]) -> Any:
    async def run(host: Host) -> None:
        host.event(LinkChanged(True))
        for data in frames:
            radio = Radio(868_100_000, "LORA", "SF7BW125", "4/5", [Reception(GATEWAY)])
            host.deliver([Frame("roof", data, stamp(), radio)], [])
        await asyncio.Event().wait()

    return run


def relay(far_side: FarSide, name: str = "city", **config: Any) -> tuple[Any, ForwarderCommon, Config]:
    module = SimpleNamespace(RELAY=True, open_forwarder=lambda _config, _context: far_side)
    common = ForwarderCommon(name=name, type="relay", kinds=("frame", "event"), order="device")
    return module, common, Config(FrameFilter(**config))


@pytest.mark.parametrize("refused_first", [False, True])
def test_in_the_daemon(tmp_path: Path, refused_first: bool) -> None:
    """Two relays with filters of their own, an ordinary forwarder beside them, and a life after an outage."""
    home = Home(tmp_path, archive(tmp_path) + 'kinds = ["frame", "reading", "event"]\n', devices=METER)

    def refuse(batch: list[Item]) -> Outcome:
        return Outcome(kept=dict.fromkeys(range(len(batch)), "later"))

    async def go(city: FarSide, lora: FarSide, frames: list[bytes], expected: tuple[int, int]) -> None:
        forwarders = [*home.load().forwarders, relay(city), relay(lora, "county", dev_addrs=["00000000/16"])]
        app = home.app({"roof": gateway_driver(frames)}, forwarders)
        async with asyncio.timeout(20), running(app):
            await until(lambda: (len(city.arrived), len(lora.arrived)) == expected)
            status = await home.ask("/healthz")
            assert status["logs"]["relay"]["records"] >= 3
            if city.script is not refuse:
                await until(lambda: app.runners["city"][1].backlog() == 0)

    mine, theirs = phy(0x00001234, 5), phy(0x26011234, 9)
    city = FarSide(refuse if refused_first else take_all)
    first = (0 if refused_first else 3, 2)
    asyncio.run(go(city, FarSide(), [mine, theirs, phy(0x00001234, 6)], first))
    again, still = FarSide(), FarSide()
    asyncio.run(go(again, still, [phy(0x00001234, 7)], (4 if refused_first else 1, 1)))
    raws = [m.raw for m in again.arrived]
    assert raws[-1] == phy(0x00001234, 7)
    if refused_first:
        assert sorted(map(bytes.hex, filter(None, raws[:3]))) == sorted(x.hex() for x in (mine, theirs, phy(0x1234, 6)))
        assert [r for r in raws if r != theirs] == [mine, phy(0x1234, 6), phy(0x1234, 7)]
    assert all(m.kind == "frame" and m.lora is not None for m in again.arrived)
    assert home.lines() == [], "strangers' frames are for relays only"
