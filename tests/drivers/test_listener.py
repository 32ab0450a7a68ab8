import asyncio
import json
import os
from contextlib import suppress
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.drivers.fakes import SECOND_NS, Device, FakeHost, FakeLink, Pty, advance, run, tcp_device
from torhaus.codecs.meter.sml import decode
from torhaus.codecs.meter.sml_encode import Entry, encode_file
from torhaus.codecs.model import RejectReason
from torhaus.drivers import listener, sml
from torhaus.drivers.base import DriverGone, LinkChanged
from torhaus.drivers.capture import CaptureWriter

SERVER_ID = bytes.fromhex("0a0154485300000003e9")


@pytest.fixture
def vectors() -> Path:
    path = Path(os.environ.get("TORHAUS_VECTORS", Path(__file__).parents[2] / "../shared/vectors"))
    if not (path / "sml" / "index.jsonl").exists():
        pytest.skip(f"no vectors in {path}: set TORHAUS_VECTORS")
    return path


def telegram(n: int) -> bytes:
    """The n-th telegram of a meter: an energy of n Wh."""
    return encode_file(SERVER_ID, [Entry("1-0:1.8.0*255", n, unit=30, scaler=0, size=8)], transaction=n)


def driver(link: str, interval_s: float = 0, idle_s: float = 0) -> listener.Listener:
    return sml.open(sml.Config(name="strom", link=link, device="zaehler-1", interval_s=interval_s, idle_s=idle_s))


def on_fake_link(monkeypatch: pytest.MonkeyPatch) -> FakeLink:
    """Have drivers open a link in memory."""
    link = FakeLink()

    async def opened(*_: object) -> FakeLink:
        return link

    monkeypatch.setattr(listener, "open_link", opened)
    return link


async def stop(task: "asyncio.Task[None]") -> None:
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


def test_every_telegram_becomes_a_frame_of_its_device() -> None:
    async def main() -> None:
        host = FakeHost()
        with Pty() as port:
            running = asyncio.create_task(driver(f"serial://{port.path}").run(host))
            await host.until_events(1)
            assert host.events == [LinkChanged(up=True)]
            for n in range(3):
                host.now_ns += SECOND_NS
                port.send(telegram(n))
                await host.until_frames(n + 1)
            await stop(running)
        assert [frame.data for frame in host.frames] == [telegram(n) for n in range(3)]
        assert {(frame.driver, frame.device, frame.radio, frame.stranger) for frame in host.frames} == {
            ("strom", "zaehler-1", None, None)
        }
        assert [frame.at.boot_ns for frame in host.frames] == [n * SECOND_NS for n in (6, 7, 8)]
        assert decode(host.frames[2].data, None)["1-0:1.8.0*255"].value == 2
        assert host.rejects == []
        assert host.events == [LinkChanged(up=True)]  # to be stopped is no loss

    run(main())


@pytest.mark.parametrize("each", [0, 1, 7])
def test_junk_and_chunks_over_tcp(each: int) -> None:
    stream = b"junk" + telegram(1) + b"\x00" * 9 + telegram(2) + telegram(3)[:60] + telegram(4)

    async def meter(device: Device) -> None:
        await device.send(stream, each=each)

    async def main() -> None:
        host = FakeHost()
        async with tcp_device(meter) as port:
            running = asyncio.create_task(driver(f"tcp://127.0.0.1:{port}").run(host))
            await host.until_frames(3)
            await stop(running)
        assert [frame.data for frame in host.frames] == [telegram(1), telegram(2), telegram(4)]
        assert [reject.data for reject in host.rejects] == [b"junk", b"\x00" * 9, telegram(3)[:60]]
        assert {reject.source for reject in host.rejects} == {"zaehler-1"}

    run(main())


@pytest.mark.parametrize("manner", ["half-close", "reset", "silence"])
def test_a_loss_in_mid_telegram_keeps_what_there_is(manner: str) -> None:
    async def main() -> None:
        devices: list[Device] = []

        async def serve(device: Device) -> None:
            devices.append(device)
            await device.send(telegram(1) + telegram(2)[:50])

        host = FakeHost()
        async with tcp_device(serve) as port:
            running = asyncio.create_task(driver(f"tcp://127.0.0.1:{port}", idle_s=60).run(host))
            await host.until_frames(1)
            match manner:
                case "half-close":
                    devices[0].half_close()
                case "reset":
                    await advance(0)  # a reset throws away what was not read yet
                    devices[0].reset()
                case _:
                    await advance(61)
            with pytest.raises(DriverGone) as caught:
                await running
        assert [frame.data for frame in host.frames] == [telegram(1)]
        assert [(reject.data, reject.reason) for reject in host.rejects] == [(telegram(2)[:50], RejectReason.SHORT)]
        assert host.events == [LinkChanged(up=True), LinkChanged(up=False, detail=str(caught.value))]

    run(main())


def test_unplugged_and_plugged_in_again(tmp_path: Path) -> None:
    by_id = tmp_path / "usb-head"

    async def main() -> None:
        host, meter = FakeHost(), driver(f"serial://{by_id}")
        for n in range(2):
            with pytest.raises(DriverGone, match="no such port"):
                await meter.run(host)
            port = Pty()
            by_id.symlink_to(port.path)
            running = asyncio.create_task(meter.run(host))
            await host.until_events(3 * n + 2)
            port.send(telegram(n))
            await host.until_frames(n + 1)
            by_id.unlink()
            port.unplug()
            with pytest.raises(DriverGone, match="unplugged"):
                await running
        assert [event.up for event in host.events if isinstance(event, LinkChanged)] == [False, True, False] * 2
        assert [frame.data for frame in host.frames] == [telegram(0), telegram(1)]
        assert host.rejects == []

    run(main())


def test_thinning_keeps_one_telegram_of_each_interval(monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        host, link = FakeHost(), on_fake_link(monkeypatch)
        host.now_ns = 900 * SECOND_NS
        running = asyncio.create_task(driver("replay:any", interval_s=60).run(host))
        for n in range(1, 181):
            await link.until_asked(n)
            host.now_ns += SECOND_NS
            await link.say(telegram(n))
        await link.until_asked(181)
        await stop(running)
        energies = [decode(frame.data, None)["1-0:1.8.0*255"].value for frame in host.frames]
        assert energies == [1, 60, 120, 180]
        assert [frame.at.boot_ns // SECOND_NS for frame in host.frames] == [901, 960, 1020, 1080]

    run(main())


def test_of_several_that_arrive_at_once_the_newest_is_kept(tmp_path: Path) -> None:
    with CaptureWriter(tmp_path / "a.cap") as capture:
        capture.write(b"".join(telegram(n) for n in range(5)), 0)

    async def main() -> None:
        host = FakeHost()
        with pytest.raises(DriverGone, match="has ended"):
            await driver(f"replay:{tmp_path}/a.cap", interval_s=60).run(host)
        assert [frame.data for frame in host.frames] == [telegram(4)]

    run(main())


@pytest.mark.parametrize("stored", [True, False])
def test_reading_stops_while_too_much_is_not_on_disk(stored: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        host, link = FakeHost(holding=True), on_fake_link(monkeypatch)
        running = asyncio.create_task(driver("replay:any").run(host))
        for n in range(listener.MAX_OUTSTANDING):
            await link.say(telegram(n))
        await advance(3600)
        assert len(host.frames) == listener.MAX_OUTSTANDING
        assert link.asked == listener.MAX_OUTSTANDING
        host.settle(stored=stored)
        await link.say(telegram(1000))
        await link.until_asked(listener.MAX_OUTSTANDING + 2)
        assert host.frames[-1].data == telegram(1000)
        await stop(running)

    run(main())


def test_to_wait_for_the_disk_is_no_silence() -> None:
    async def main() -> None:
        host = FakeHost(holding=True)
        with Pty() as port:
            running = asyncio.create_task(driver(f"serial://{port.path}", idle_s=5).run(host))
            await host.until_events(1)
            for n in range(listener.MAX_OUTSTANDING):
                port.send(telegram(n))
                await host.until_frames(n + 1)
            await advance(3600)
            host.settle()
            port.send(telegram(1000))
            await host.until_frames(listener.MAX_OUTSTANDING + 1)
            await stop(running)

    run(main())


@settings(max_examples=30, deadline=None)
@given(st.lists(st.sampled_from([b"\x00", b"\x1b" * 4, b"junk", telegram(7), telegram(8)[:70]]), max_size=12))
def test_nothing_is_lost_between_link_and_host(tmp_path_factory: pytest.TempPathFactory, parts: list[bytes]) -> None:
    path = tmp_path_factory.mktemp("sml") / "a.cap"
    with CaptureWriter(path) as capture:
        for part in parts:
            capture.write(part, 0)

    async def main() -> None:
        host = FakeHost()
        with pytest.raises(DriverGone):
            await driver(f"replay:{path}").run(host)
        kept = sum(len(frame.data) for frame in host.frames) + sum(len(reject.data) for reject in host.rejects)
        assert kept == len(b"".join(parts))

    run(main())


@pytest.mark.parametrize(
    ("keys", "why"),
    [
        ({"link": "/dev/ttyUSB0"}, "write serial:///dev/ttyUSB0"),
        ({"interval_s": -1}, r"\$\.interval_s"),
        ({"idle_s": 1e9}, r"\$\.idle_s"),
        ({"device": ""}, r"\$\.device"),
        ({"baud": 9600}, "baud"),
        ({"type": "mbus"}, r"\$\.type"),
    ],
)
def test_a_wrong_config_is_refused_without_touching_the_device(keys: dict[str, object], why: str) -> None:
    good = {"name": "strom", "type": "sml", "link": "serial:///dev/torhaus-none", "device": "zaehler-1"}
    assert sml.open(msgspec.convert(good, sml.Config))
    with pytest.raises(msgspec.ValidationError, match=why):
        msgspec.convert(good | keys, sml.Config)


def test_meters_of_the_field_come_through_whole(vectors: Path, tmp_path: Path) -> None:
    """Dumps of real meters: those without checksum errors must give all their telegrams."""
    lines = (vectors / "sml" / "index.jsonl").read_text("utf-8").splitlines()
    dumps = [dump for dump in map(json.loads, lines) if dump["frames"] and not dump["crc_errors"]]
    assert len(dumps) > 10

    async def main() -> None:
        for dump in dumps:
            data = (vectors / "sml" / dump["file"]).read_bytes()
            with CaptureWriter(tmp_path / f"{dump['file']}.cap") as capture:
                for at in range(0, len(data), 16):
                    capture.write(data[at : at + 16], at)
            host = FakeHost()
            with pytest.raises(DriverGone):
                await driver(f"replay:{tmp_path}/{dump['file']}.cap").run(host)
            assert len(host.frames) == dump["frames"], dump["file"]
            assert sum(len(f.data) for f in host.frames) + sum(len(r.data) for r in host.rejects) == len(data)

    run(main())
