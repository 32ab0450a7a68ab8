"""What a downlink should say, made bytes by the device's script (TS013 `encodeDownlink` and its older like)."""

import asyncio
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

from torhaus.codecs.model import DecodeError
from torhaus.daemon.lora.network import Device
from torhaus.daemon.lora.orders import OrderRefused
from torhaus.daemon.scripts.host import ScriptHost
from torhaus.daemon.scripts.protocol import Encoded, Job, extra_input
from torhaus.daemon.scripts.source import read_source

WAIT_S: Final = 10.0
"""Scripts that decode go first, and one call has its own limit: longer is of no use to whoever waits."""


class ScriptEncoder:
    """By the devices' scripts, read anew each time: orders are rare."""

    def __init__(self, host: ScriptHost, devices: Iterable[Device]) -> None:
        self._host = host
        self._devices = {d.dev_eui: d for d in devices if d.dev_eui is not None}

    async def encode(self, dev_eui: str, data: Any, fport: int | None) -> Encoded:  # noqa: ANN401 - any JSON value
        """The downlink. Raises OrderRefused."""
        device = self._devices[dev_eui]
        if device.script is None:
            codec = f"the codec {device.codec}" if device.codec else "a device without a codec"
            raise OrderRefused("no_encoder", f"{codec} cannot encode downlinks, only scripts can: give the bytes")
        path = Path(device.script)
        try:
            extra = extra_input({"data": data})
            job = Job(path.name, self._host.register(read_source(path)), b"", fport, call="encode", extra=extra)
            async with asyncio.timeout(WAIT_S):
                return await self._host.encode(job)
        except DecodeError as e:
            raise OrderRefused("encoder", f"{path.name}: {e}"[:300]) from None
        except (TimeoutError, asyncio.QueueFull):
            raise OrderRefused("encoder", f"{path.name}: scripts have too much to do: try again later") from None
        except (OSError, ValueError) as e:
            raise OrderRefused("encoder", f"{path.name}: {e}"[:300]) from None
