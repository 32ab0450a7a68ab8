"""Simulated LoRaWAN sensors: real session keys, real counters, real payload formats, made-up rooms."""

import hashlib
import math
import struct
from collections.abc import Callable
from typing import Final

from torhaus.codecs.lorawan.build import build_uplink
from torhaus.codecs.lorawan.crypto import SessionKeys

DEV_EUI_BASE: Final = 0xA81758FFFE000000
DEV_ADDR_BASE: Final = 0x01000000
"""NetID 000000, type 0: private networks."""


def elsys_room(n: int, index: int) -> bytes:
    """An ERS CO2: temperature, humidity, light, motion, CO2, battery voltage. `n` is the uplink's number."""
    phase = index + n / 20
    temperature = round(210 + 15 * math.sin(phase))
    humidity = round(45 + 10 * math.cos(phase))
    light = 80 + (index * 37 + n * 11) % 400
    motion = (n * 7 + index) % 5
    co2 = round(620 + 180 * math.sin(phase / 2))
    return struct.pack(">BhBBBHBBBHBH", 1, temperature, 2, humidity, 4, light, 5, motion, 6, co2, 7, 3620 - n % 50)


def lpp_outdoor(n: int, index: int) -> bytes:
    """A weather mast in Cayenne LPP: temperature, humidity, barometer."""
    phase = index + n / 30
    temperature = round(75 + 60 * math.sin(phase))
    humidity = round(2 * (70 + 20 * math.cos(phase)))
    pressure = round(10_130 + 80 * math.sin(phase / 3))
    return struct.pack(">BBhBBBBBH", 1, 0x67, temperature, 2, 0x68, humidity, 3, 0x73, pressure)


KINDS: Final[dict[str, tuple[Callable[[int, int], bytes], int]]] = {
    "elsys": (elsys_room, 5),
    "cayenne_lpp": (lpp_outdoor, 1),
}
"""Codec to payload maker and FPort."""


class Sensor:
    """One device. The same `index` is always the same device; the counter is the caller's to keep."""

    def __init__(self, index: int, codec: str = "elsys", name: str | None = None) -> None:
        self.index = index
        self.codec = codec
        self.name = name or f"sensor-{index}"
        self.dev_eui = f"{DEV_EUI_BASE + index:016x}"
        self.dev_addr = DEV_ADDR_BASE + index
        self.nwk_s_key = _key(f"nwk {index}")
        self.app_s_key = _key(f"app {index}")
        self._keys = SessionKeys.v1_0(self.nwk_s_key, self.app_s_key)
        self.fcnt = 0

    def payload(self, n: int) -> bytes:
        """The application payload of uplink `n`, in clear."""
        return KINDS[self.codec][0](n, self.index)

    def uplink(self) -> bytes:
        """The next PHYPayload, encrypted and signed."""
        n = self.fcnt
        self.fcnt += 1
        return build_uplink(self._keys, self.dev_addr, n, KINDS[self.codec][1], self.payload(n))

    def config(self) -> str:
        """Its entry in devices.toml."""
        return (
            f'[[device]]\nname = "{self.name}"\ndev_eui = "{self.dev_eui}"\n'
            f'dev_addr = "{self.dev_addr:08x}"\ncodec = "{self.codec}"\n\n'
        )

    def keys(self) -> str:
        """Its entry in devices.keys.toml."""
        return f'["{self.dev_eui}"]\nnwk_s_key = "{self.nwk_s_key.hex()}"\napp_s_key = "{self.app_s_key.hex()}"\n\n'


def _key(text: str) -> bytes:
    """A key that the simulation can make again: never used for anything but simulated devices."""
    return hashlib.sha256(f"simulated {text}".encode()).digest()[:16]
