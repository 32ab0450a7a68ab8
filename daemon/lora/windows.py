"""Receive windows of class A: when, on what frequency and through which gateway a device can be answered. Pure.

LoRaWAN 1.0.4 section 3.3, RP002-1.0.4 (RX1 and RX2 of each region).
"""

from typing import Final

from torhaus.codecs.lorawan.downlink import After, TxItem, context_of
from torhaus.codecs.lorawan.region import datarate, rx1, rx2
from torhaus.codecs.lorawan.regions.model import Region
from torhaus.codecs.model import DecodeError, Reception

JOIN_DELAY_S: Final = 5
"""JOIN_ACCEPT_DELAY1, the same in every region."""
AROUND_BYTES: Final = 5
"""MHDR and MIC: the difference between a frame and its MACPayload, of which a data rate has a longest one."""
_NOTHING: Final = -999.0


def best_first(receptions: list[Reception]) -> list[Reception]:
    """One of each gateway that can answer, the strongest SNR first; where that is the same, or not told, the RSSI."""
    found: dict[str, Reception] = {}
    for rx in sorted(receptions, key=_strength, reverse=True):
        if context_of(rx):
            found.setdefault(rx.gateway, rx)
    return list(found.values())


def windows(
    region: Region, phy: bytes, rx: Reception, freq_hz: int, dr: int | None, delay_s: int
) -> tuple[TxItem, ...]:
    """RX1 and RX2 after an uplink that this gateway heard; RX2 alone where RX1's data rate cannot be told.

    A window is left out where the frame is longer than its data rate allows.
    """
    context = context_of(rx)
    found = []
    if dr is not None:
        try:
            found.append((*rx1(region, freq_hz, dr), delay_s))
        except DecodeError:
            dr = None  # a frequency or rate that the region does not have: the second window is always the same
    found.append((*rx2(region), delay_s + 1))
    items = []
    for hz, rate_index, seconds in found:
        rate = datarate(region, rate_index)
        if len(phy) - AROUND_BYTES > rate.max_bytes:
            continue  # it is too long for this data rate
        at = After(seconds * 1_000_000, context)
        items.append(TxItem(phy, hz, rate.modulation, rate.datarate, at, rate.coderate))
    return tuple(items)


def _strength(rx: Reception) -> tuple[float, float]:
    snr, rssi = rx.snr_db, rx.rssi_dbm
    return _NOTHING if snr is None else snr, _NOTHING if rssi is None else rssi
