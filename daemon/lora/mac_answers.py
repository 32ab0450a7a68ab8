"""What a network server says to a device's MAC commands. Pure.

LoRaWAN 1.0.4 sections 5.2 (LinkCheckReq) and 5.10 (DeviceTimeReq), LoRaWAN 1.1 section 5.9 (RekeyInd).
"""

from typing import Final

from torhaus.codecs.lorawan.mac_commands import decode, encode
from torhaus.codecs.model import Reception

_FLOOR_DB: Final = {12: -20.0, 11: -17.5, 10: -15.0, 9: -12.5, 8: -10.0, 7: -7.5, 6: -5.0, 5: -2.5}
"""The SNR that a demodulator needs, by spreading factor (SX1276 data sheet, table 13)."""
_MINOR_1_1: Final = 1


def asks(commands: bytes) -> frozenset[str]:
    """The names of the requests in there that have an answer here."""
    return frozenset(c.name for c in decode(commands, uplink=True)[0]) & {"LinkCheckReq", "DeviceTimeReq", "RekeyInd"}


def answers(asked: frozenset[str], datarate: str, receptions: list[Reception], gps_ns: int | None) -> bytes:
    """FOpts in clear, at most 11 bytes. `gps_ns`: when the uplink came; None: nobody knows, and nothing is said."""
    found = b""
    if "RekeyInd" in asked:
        found += encode("RekeyConf", minor=_MINOR_1_1)
    if "LinkCheckReq" in asked:
        gateways = len({rx.gateway for rx in receptions})
        found += encode("LinkCheckAns", margin_db=margin_db(datarate, receptions), gw_cnt=min(gateways, 255))
    if "DeviceTimeReq" in asked and gps_ns is not None:
        seconds, rest = divmod(gps_ns, 1_000_000_000)
        found += encode("DeviceTimeAns", gps_s=seconds & 0xFFFF_FFFF, fraction_256=rest * 256 // 1_000_000_000)
    return found


def margin_db(datarate: str, receptions: list[Reception]) -> int:
    """By how much the best reception was better than what is needed, 0 to 254 dB; 0 where nobody can tell."""
    digits = datarate.removeprefix("SF").partition("BW")[0]
    floor = _FLOOR_DB.get(int(digits)) if digits.isascii() and digits.isdigit() and len(digits) < 3 else None
    best = max((rx.snr_db for rx in receptions if rx.snr_db is not None), default=None)
    if floor is None or best is None:
        return 0
    return min(max(int(best - floor), 0), 254)
