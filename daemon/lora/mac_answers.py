"""What a network server says to a device's MAC commands. Pure.

LoRaWAN 1.0.4 sections 5.1 (LinkCheckReq) and 5.9 (DeviceTimeReq), LoRaWAN 1.1 sections 5.1 (ResetInd), 5.10
(RekeyInd) and 18.1 (DeviceModeInd).
"""

from collections.abc import Iterable
from typing import Final

from torhaus.codecs.lorawan.mac_commands import MacCommand, encode
from torhaus.codecs.model import Reception
from torhaus.daemon.lora.adr import snr_floor_db

_MINOR_1_1: Final = 1
_ANSWERED: Final = frozenset({"LinkCheckReq", "DeviceTimeReq", "RekeyInd", "ResetInd", "DeviceModeInd"})

Asked = dict[str, int]
"""The names of a device's requests, and the figure of those that have one."""


def asks(commands: Iterable[MacCommand]) -> Asked:
    """The requests among them that have an answer here."""
    return {c.name: next(iter(c.values.values()), 0) for c in commands if c.name in _ANSWERED}


def answers(asked: Asked, datarate: str, receptions: list[Reception], gps_ns: int | None) -> bytes:
    """FOpts in clear, at most 15 bytes. `gps_ns`: when the uplink came; None: nobody knows, and nothing is said."""
    found = b""
    if "ResetInd" in asked:
        found += encode("ResetConf", minor=_MINOR_1_1)
    if "RekeyInd" in asked:
        found += encode("RekeyConf", minor=_MINOR_1_1)
    if "DeviceModeInd" in asked:
        found += encode("DeviceModeConf", device_class=asked["DeviceModeInd"])
    if "LinkCheckReq" in asked:
        gateways = len({rx.gateway for rx in receptions})
        found += encode("LinkCheckAns", margin_db=margin_db(datarate, receptions), gw_cnt=min(gateways, 255))
    if "DeviceTimeReq" in asked and gps_ns is not None:
        seconds, rest = divmod(gps_ns, 1_000_000_000)
        found += encode("DeviceTimeAns", gps_s=seconds & 0xFFFF_FFFF, fraction_256=rest * 256 // 1_000_000_000)
    return found


def margin_db(datarate: str, receptions: list[Reception]) -> int:
    """By how much the best reception was better than what is needed, 0 to 254 dB; 0 where nobody can tell."""
    floor = snr_floor_db(datarate)
    best = max((rx.snr_db for rx in receptions if rx.snr_db is not None), default=None)
    if floor is None or best is None:
        return 0
    return min(max(int(best - floor), 0), 254)
