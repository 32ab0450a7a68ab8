"""What a downlink should say, made bytes: by the device's script (TS013 `encodeDownlink`) or its native codec."""

import asyncio
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

from torhaus.codecs.encoders import encoder
from torhaus.codecs.model import DecodeError
from torhaus.daemon.lora.network import Device
from torhaus.daemon.lora.orders import OrderRefused
from torhaus.daemon.scripts.host import ScriptHost
from torhaus.daemon.scripts.protocol import Encoded, Job, extra_input
from torhaus.daemon.scripts.source import read_package

WAIT_S: Final = 10.0
"""Scripts that decode go first, and one call has its own limit: longer is of no use to whoever waits."""


def _native(device: Device, data: Any) -> Encoded:  # noqa: ANN401 - any JSON value
    """By what torhaus knows itself of the device's codec. Raises OrderRefused."""
    codec = device.codec or ""
    encode = encoder(codec)
    if encode is None:
        who = f"the codec {codec}" if codec else "a device without a codec"
        raise OrderRefused("no_encoder", f"{who} cannot encode downlinks: give the bytes, or a script as its encoder")
    try:
        made = encode(data)
    except DecodeError as e:
        raise OrderRefused("encoder", f"{codec}: {e.detail}"[:300]) from None
    return Encoded(made.payload, made.fport)


class ScriptEncoder:
    """By the devices' scripts for downlinks, read anew each time: orders are rare."""

    def __init__(self, host: ScriptHost, devices: Iterable[Device]) -> None:
        self._host = host
        self._devices = {d.dev_eui: d for d in devices if d.dev_eui is not None}
        self._own: dict[Path, str] = {}  # what only we have registered, by file: one version of each

    async def encode(self, dev_eui: str, data: Any, fport: int | None) -> Encoded:  # noqa: ANN401 - any JSON value
        """The downlink. Raises OrderRefused."""
        device = self._devices[dev_eui]
        if device.encoder is None:
            return _native(device, data)
        path = Path(device.encoder)
        try:
            extra = extra_input({"data": data})
            job = Job(path.name, self._register(path), b"", fport, call="encode", extra=extra)
            async with asyncio.timeout(WAIT_S):
                return await self._host.encode(job)
        except DecodeError as e:
            raise OrderRefused("encoder", f"{path.name}: {e}"[:300]) from None
        except (TimeoutError, asyncio.QueueFull):
            raise OrderRefused("encoder", f"{path.name}: scripts have too much to do: try again later") from None
        except (OSError, ValueError) as e:
            raise OrderRefused("encoder", f"{path.name}: {e}"[:300]) from None

    def _register(self, path: Path) -> str:
        """The script as it is now. An earlier version that no decoder uses is withdrawn."""
        source = read_package(path)
        is_new = not self._host.knows(source)
        source_hash = self._host.register(source)
        former = self._own.get(path)
        if former is not None and former != source_hash:
            del self._own[path]
            if former not in self._own.values():
                self._host.forget(former)
        if is_new:
            self._own[path] = source_hash
        return source_hash
