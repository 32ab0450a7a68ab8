"""Downlinks given as JSON, encoded by the device's own script in the script process."""

import asyncio
from pathlib import Path

import pytest

from tests.daemon.clocks import FakeClock
from tests.daemon.queue_scene import EUI, OTHER
from tests.daemon.scripts_fakes import SCRIPTS
from torhaus.daemon.clock import SystemClock
from torhaus.daemon.lora.network import Device
from torhaus.daemon.lora.order_encode import ScriptEncoder
from torhaus.daemon.lora.orders import OrderRefused
from torhaus.daemon.scripts.host import ScriptHost
from torhaus.daemon.scripts.protocol import Encoded


def device(script: str | None, codec: str | None = None, eui: str = EUI) -> Device:
    path = str(SCRIPTS / script) if script else None
    return Device("ventil", eui, codec, path, encoder=path)


def test_by_the_devices_script() -> None:
    async def body() -> None:
        host = ScriptHost(SystemClock())
        encoder = ScriptEncoder(host, [device("downlinks.js"), device("climate.js", eui=OTHER)])
        task = asyncio.create_task(host.run())
        try:
            async with asyncio.timeout(20):
                assert await encoder.encode(EUI, {"level": 10}, None) == Encoded(b"\x01\x0a", 7, ["loud"])
                with pytest.raises(OrderRefused, match="no such command") as refused:
                    await encoder.encode(EUI, "refuse", 9)
                assert refused.value.reason == "encoder"
                with pytest.raises(OrderRefused, match="has no encodeDownlink"):
                    await encoder.encode(OTHER, 1, 9)
                with pytest.raises(OrderRefused, match="at most 16384"):
                    await encoder.encode(EUI, "x" * 20_000, 9)
        finally:
            task.cancel()
            await asyncio.wait([task])

    asyncio.run(body())


@pytest.mark.parametrize(
    ("it", "reason", "words"),
    [
        (device(None, "comtac_cm4"), "no_encoder", "the codec comtac_cm4 cannot encode"),
        (device(None), "no_encoder", "a device without a codec"),
        (device("gone.js"), "encoder", "gone.js"),
        (device(None, "dragino:lht65"), "encoder", "dragino:lht65: an object with names and values is needed"),
    ],
)
def test_devices_that_cannot(it: Device, reason: str, words: str) -> None:
    async def body() -> None:
        with pytest.raises(OrderRefused, match=words) as refused:
            await ScriptEncoder(ScriptHost(FakeClock()), [it]).encode(EUI, 1, None)
        assert refused.value.reason == reason

    asyncio.run(body())


def test_by_the_devices_native_codec() -> None:
    async def body() -> None:
        encoder = ScriptEncoder(ScriptHost(FakeClock()), [device(None, "milesight:em300-th")])
        assert await encoder.encode(EUI, {"report_interval": 600}, None) == Encoded(bytes.fromhex("ff035802"), 85)
        with pytest.raises(OrderRefused, match="'blink' is not known; there are clear_history"):
            await encoder.encode(EUI, {"blink": 1}, None)

    asyncio.run(body())


def test_scripts_that_have_too_much_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    async def body() -> None:
        host = ScriptHost(FakeClock())
        encoder = ScriptEncoder(host, [device("downlinks.js")])
        monkeypatch.setattr("torhaus.daemon.lora.order_encode.WAIT_S", 0)
        with pytest.raises(OrderRefused, match="too much to do"):
            await encoder.encode(EUI, 1, None)  # nobody answers
        monkeypatch.setattr(ScriptHost, "room", 0)
        with pytest.raises(OrderRefused, match="too much to do"):
            await encoder.encode(EUI, 1, None)

    asyncio.run(body())


def test_a_script_that_is_too_large(tmp_path: Path) -> None:
    (tmp_path / "big.js").write_bytes(b" " * (8 << 20))

    async def body() -> None:
        it = Device("ventil", EUI, encoder=str(tmp_path / "big.js"))
        with pytest.raises(OrderRefused, match="larger than"):
            await ScriptEncoder(ScriptHost(FakeClock()), [it]).encode(EUI, 1, None)

    asyncio.run(body())


def test_another_script_than_the_decoder_with_files_of_its_own(tmp_path: Path) -> None:
    """Read anew for each order; what nobody uses any more is withdrawn."""
    down = tmp_path / "down.js"
    (tmp_path / "table.js").write_text("exports.port = 4;")
    text = "var t = require('./table'); function encodeDownlink(i) { return { bytes: [%d, i.data], fPort: t.port }; }"

    async def body() -> None:
        host = ScriptHost(SystemClock())
        decoder = host.register("function Decoder() {}")
        it = Device("ventil", EUI, None, str(SCRIPTS / "ttn2.js"), encoder=str(down))
        encoder = ScriptEncoder(host, [it])
        task = asyncio.create_task(host.run())
        try:
            async with asyncio.timeout(20):
                for version in range(3):
                    down.write_text(text % version)
                    assert await encoder.encode(EUI, 7, None) == Encoded(bytes([version, 7]), 4)
                down.write_text("function Decoder() {}")  # as a decoder that is in use
                with pytest.raises(OrderRefused):
                    await encoder.encode(EUI, 7, None)
                down.write_text(text % 9)
                assert await encoder.encode(EUI, 7, None) == Encoded(b"\x09\x07", 4)
        finally:
            task.cancel()
            await asyncio.wait([task])
        assert decoder in host._sources
        assert len(host._sources) == 2

    asyncio.run(body())
