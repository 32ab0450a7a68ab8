"""A bus of wired M-Bus meters: nobody is missed, the dead starve nobody, and a bus that is pulled comes back."""

import asyncio
from collections import Counter
from typing import Any

import msgspec
import pytest

from tests.drivers.fakes import SECOND_NS, FakeHost, run
from tests.drivers.mbus_fakes import FakeBus, Meter, noise
from torhaus.codecs.meter.mbus.telegram import decode
from torhaus.codecs.model import RejectReason
from torhaus.drivers import mbus, polling
from torhaus.drivers.base import DeviceChanged, DriverGone, LinkChanged

DATA = b"\x0c\x13\x78\x56\x34\x12"
QUARTER_NS = 900 * SECOND_NS


def config(addresses: list[Any], **more: Any) -> mbus.Config:
    meters = [{"device": f"m{n}", "address": a} if not isinstance(a, dict) else a for n, a in enumerate(addresses)]
    return msgspec.convert({"name": "bus", "link": "serial:///dev/none", "meter": meters} | more, mbus.Config)


def on(bus: FakeBus, monkeypatch: pytest.MonkeyPatch) -> FakeBus:
    async def opened(*_: object) -> FakeBus:
        if bus.is_away:
            raise DriverGone("fake: unplugged")
        return bus

    monkeypatch.setattr(polling, "open_link", opened)
    return bus


async def until(host: FakeHost, driver: mbus.Mbus, wall_s: float) -> None:
    """Run the driver for so long by the host's clock."""
    running = asyncio.create_task(driver.run(host))
    end_ns = host.now_ns + round(wall_s * SECOND_NS)
    for _ in range(10_000_000):
        if host.now_ns >= end_ns or running.done():
            break
        await asyncio.sleep(0)
    running.cancel()
    await asyncio.wait([running])


def test_sixty_meters_every_quarter_of_an_hour_with_three_dead(monkeypatch: pytest.MonkeyPatch) -> None:
    host = FakeHost()
    meters = [Meter(n, says=[DATA + b"\x1f", DATA[:-1] + b"\x99"] if n % 10 == 1 else None) for n in range(60)]
    for n in (0, 17, 59):
        meters[n].is_dead = True
    bus = on(FakeBus(meters, host), monkeypatch)
    addresses: list[Any] = [n if n % 2 else f"{n:08d}FFFFFFFF" for n in range(60)]
    quarters = 8
    began_ns = host.stamp().wall_ns

    run(until(host, mbus.open(config(addresses)), quarters * 900))

    heard: dict[str, Counter[int]] = {f"m{n}": Counter() for n in range(60)}
    for frame in host.frames:
        assert frame.device is not None
        heard[frame.device][frame.at.wall_ns // QUARTER_NS] += 1
        assert decode(frame.data)["meter_id"].value == f"{int(frame.device[1:]):08d}", "nobody has another's reading"
    slots = set(range(began_ns // QUARTER_NS + 1, began_ns // QUARTER_NS + quarters))
    for n in range(60):
        found = heard[f"m{n}"]
        if n in (0, 17, 59):
            assert not found
        else:
            assert slots <= set(found), f"m{n} missed {slots - set(found)}"
            assert {found[slot] for slot in slots} == {2 if n % 10 == 1 else 1}
    last = max(f.at.wall_ns % QUARTER_NS for f in host.frames if f.at.wall_ns // QUARTER_NS in slots)
    assert last < 120 * SECOND_NS, "a round is over long before the next"
    down = [e for e in host.events if isinstance(e, DeviceChanged) and not e.up]
    assert [e.device for e in down] == ["m0", "m17", "m59"], "told once"
    assert [e for e in host.events if isinstance(e, LinkChanged)] == [LinkChanged(up=True)]
    assert host.rejects == []
    assert len(bus.heard) < 60 * 2.2 * (quarters + 1)


def test_pulled_fifty_times(monkeypatch: pytest.MonkeyPatch) -> None:
    host = FakeHost()
    bus = on(FakeBus([Meter(n, says=[DATA + b"\x1f", DATA]) for n in range(4)], host), monkeypatch)
    driver = mbus.open(config([0, 1, 2, 3], interval_s=10, align=False))

    async def main() -> None:
        for n in range(50):
            bus.pulls_in = 1 + n  # sooner or later in a talk
            for _ in range(3):  # as often as it is tried, nothing new is told
                with pytest.raises(DriverGone, match="unplugged"):
                    await driver.run(host)
            bus.is_away = False
            before = len(host.frames)
            await until(host, driver, 21)
            assert {f.device for f in host.frames[before:]} == {"m0", "m1", "m2", "m3"}, n

    run(main())
    links = [e.up for e in host.events if isinstance(e, LinkChanged)]
    assert links.count(True) >= 50
    assert len(host.frames) > 50 * 4 * 2


def test_bad_manners_are_kept_by_device_and_told_once(monkeypatch: pytest.MonkeyPatch) -> None:
    host = FakeHost()
    meters = [Meter(1), Meter(2)]
    meters[1].manners = [lambda a: noise(len(a))]
    on(FakeBus(meters, host, echo=True), monkeypatch)
    run(until(host, mbus.open(config([1, 2], interval_s=60)), 600))
    assert {f.device for f in host.frames} == {"m0"}
    assert {r.source for r in host.rejects} == {"m1"}
    assert {r.reason for r in host.rejects} <= {RejectReason.SYNTAX, RejectReason.SHORT, RejectReason.CRC}
    (down,) = [e for e in host.events if isinstance(e, DeviceChanged) and not e.up]
    assert down.device == "m1"
    assert down.detail.startswith("address 2: an answer that is none")


def test_what_came_before_the_meter_fell_silent_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    host = FakeHost()
    meter = Meter(1, says=[DATA + b"\x1f", DATA])
    meter.manners = [lambda a: a, lambda _: b""]
    on(FakeBus([meter], host), monkeypatch)
    run(until(host, mbus.open(config([1])), 30))
    assert len(host.frames) == 1
    assert host.events[-1] == DeviceChanged("m0", up=False, detail="address 1: no answer within 1 s")


def test_each_at_its_own_rate(monkeypatch: pytest.MonkeyPatch) -> None:
    host = FakeHost()
    meters = [Meter(1), Meter(2), Meter(3)]
    meters[1].rate = 300
    on(FakeBus(meters, host), monkeypatch)
    slow = {"device": "m1", "address": 2, "baud": 300}
    run(until(host, mbus.open(config([1, slow, 3], timeout_s=2)), 60))
    assert {f.device for f in host.frames} == {"m0", "m1", "m2"}


@pytest.mark.parametrize(
    ("meters", "more", "words"),
    [
        ([], {}, "length >= 1"),
        ([251], {}, "address: a primary address is from 0 to 250"),
        (["123"], {}, None),
        (["1234"], {}, "write a number from 0 to 250, or the 16 characters"),
        (["12345678ABCD01ZZ"], {}, "no secondary address: write 8 digits"),
        ([True], {}, "Expected `int | str`"),
        ([1, 1], {}, 'meter: "m1" has the address 1 of "m0"'),
        ([{"device": "a", "address": 1}, {"device": "a", "address": 2}], {}, '"a" is there twice'),
        ([{"device": "a", "address": 1, "baud": 300}], {"link": "tcp://192.0.2.1:1"}, "baud cannot be set over this"),
        ([{"device": "a", "address": 1, "baud": 301}], {}, "Invalid enum value 301"),
        ([{"device": "a", "address": 1, "max_telegrams": 0}], {}, ">= 1"),
        ([1], {"timeout_s": 0}, ">= 0.1"),
        ([1], {"link": "/dev/ttyUSB0"}, "serial:///dev/ttyUSB0"),
    ],
)
def test_what_a_configuration_must_not_be(meters: list[Any], more: dict[str, Any], words: str | None) -> None:
    if words is None:
        config(meters, **more)
        return
    with pytest.raises(msgspec.ValidationError, match=words):
        config(meters, **more)


def test_the_line_is_the_standards_own() -> None:
    spec = mbus.open(config([1])).spec
    assert getattr(spec, "line", None) == mbus.LINE
    assert (mbus.LINE.baud, mbus.LINE.parity, mbus.LINE.bytesize) == (2400, "E", 8)
