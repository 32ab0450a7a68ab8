"""Decoding what somebody pasted, in a thread and one at a time: with the daemon's codecs, under their own limits."""

import asyncio
from pathlib import Path
from typing import Final

import msgspec

from torhaus.codecs.influence import Stretch, stretches, variants
from torhaus.codecs.lorawan.explain import explain
from torhaus.codecs.lorawan.phy import parse
from torhaus.codecs.lorawan.region import region
from torhaus.codecs.model import DecodeError, Fields
from torhaus.codecs.registry import names
from torhaus.daemon.cli.decode import decode_each_payload, decode_payload
from torhaus.daemon.cli.lora_keys import Found, from_config
from torhaus.daemon.cli.lora_report import lines
from torhaus.daemon.config.document import ConfigFaults
from torhaus.daemon.config.load import Loaded

MAX_BYTES: Final = 1024
MAX_EXPLAINED: Final = 256
MAX_EXPLAINED_BY_SCRIPT: Final = 64
"""Each byte is changed four times: with a script that is that many calls of it."""
_HALVES: Final = range(64)
"""Of the frame counter: more would take seconds."""


class Busy(Exception):  # noqa: N818 - a fact
    """Somebody else's is being decoded."""


class Decoded(msgspec.Struct, frozen=True):
    """Fields, or why there are none. `stretches`: which bytes they come of; None where that was not asked."""

    fields: Fields | None = None
    fault: str = ""
    stretches: list[Stretch] | None = None


class FrameWords(msgspec.Struct, frozen=True):
    """A LoRaWAN frame in words. `payload` in clear and `codec` where it is a device's whose keys may be used."""

    rows: list[tuple[str, str]] = []
    fault: str = ""
    device: str | None = None
    codec: str | None = None
    fport: int | None = None
    payload: bytes | None = None


class Decoding:
    """One for a daemon."""

    def __init__(self, loaded: Loaded) -> None:
        self._loaded = loaded
        self._lock = asyncio.Lock()
        self.own = sorted({d.codec for d in loaded.devices if d.codec is not None})

    def codecs(self) -> list[str]:
        """All that may be named: this site's own first, then the native ones."""
        return [*self.own, *(name for name in names() if name not in self.own)]

    def is_known(self, codec: str) -> bool:
        """Whether it may be named: never a file of somebody's choice."""
        return codec in self.own or codec in set(names())

    async def payload(self, codec: str, fport: int | None, data: bytes) -> Decoded:
        """A payload. Raises Busy."""
        if self._lock.locked():
            raise Busy
        async with self._lock:
            return await asyncio.to_thread(self._payload, codec, fport, data)

    async def frame(self, data: bytes, *, with_keys: bool) -> FrameWords:
        """A PHYPayload. `with_keys`: with those of the site's devices. Raises Busy."""
        if self._lock.locked():
            raise Busy
        async with self._lock:
            return await asyncio.to_thread(self._frame, data, with_keys=with_keys)

    def _payload(self, codec: str, fport: int | None, data: bytes) -> Decoded:
        is_file = codec.endswith((".js", ".toml"))
        name = str(Path(self._loaded.scripts.dir) / codec) if is_file else codec
        most = MAX_EXPLAINED_BY_SCRIPT if codec.endswith(".js") else MAX_EXPLAINED
        try:
            fields = decode_payload(name, data, fport)
            found = None
            if len(data) <= most:
                found = stretches(data, fields, decode_each_payload(name, variants(data), fport))
        except DecodeError as e:
            return Decoded(fault=str(e))
        except ConfigFaults as e:
            return Decoded(fault="; ".join(str(f) for f in e.faults[:3]))
        except (OSError, ValueError) as e:
            return Decoded(fault=getattr(e, "strerror", None) or str(e))
        return Decoded(fields, stretches=found)

    def _frame(self, data: bytes, *, with_keys: bool) -> FrameWords:
        loaded, keys = self._loaded, Found()
        try:
            if with_keys:
                phy = parse(data)
                keys = from_config(
                    loaded, phy, lambda s: explain(data, session=s, upper_halves=_HALVES).mic in {"right", "half"}
                )
            found = explain(data, session=keys.session, root=keys.root, upper_halves=_HALVES)
        except DecodeError as e:
            return FrameWords(fault=str(e))
        rows = lines(found, data, region(loaded.lorawan.region))
        device, payload = keys.device, found.payload if found.mic in {"right", "half"} else None
        return FrameWords(
            rows,
            device=device.name if device is not None else None,
            codec=device.codec if device is not None else None,
            fport=getattr(found.phy, "fport", None),
            payload=payload if found.commands is None else None,
        )
