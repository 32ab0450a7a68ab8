"""Receive windows: when, on what frequency and through which gateway a device can be answered. Pure.

LoRaWAN 1.0.4 sections 3.3 (class A) and 15 (class C), RP002-1.0.4 (RX1, RX2 and the longest payload of each region).
"""

from typing import Final

import msgspec

from torhaus.codecs.lorawan.downlink import After, Immediately, Timing, TxItem, context_of
from torhaus.codecs.lorawan.region import datarate, max_payload, rx1
from torhaus.codecs.lorawan.regions.model import HEAD_BYTES, DataRate, Region
from torhaus.codecs.model import DecodeError, Reception
from torhaus.daemon.lora.plan import Receive

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


class Window(msgspec.Struct, frozen=True, gc=False):
    """One way to reach a device. `room_bytes`: N, the longest FRMPayload without FOpts."""

    freq_hz: int
    rate: DataRate
    at: Timing
    room_bytes: int

    def fits(self, phy: bytes) -> bool:
        """Whether the frame is no longer than this data rate takes."""
        return len(phy) <= AROUND_BYTES + HEAD_BYTES + self.room_bytes

    def item(self, phy: bytes) -> TxItem:
        """This frame in this window."""
        return TxItem(phy, self.freq_hz, self.rate.modulation, self.rate.datarate, self.at, self.rate.coderate)


def windows(region: Region, rx: Reception, freq_hz: int, dr: int | None, receive: Receive) -> tuple[Window, ...]:
    """RX1 and RX2 after an uplink that this gateway heard; RX2 alone where RX1's data rate cannot be told."""
    context = context_of(rx)
    found = []
    if dr is not None:
        try:
            hz, rate = rx1(region, freq_hz, dr, receive.rx1_dr_offset, dwell=receive.dwell)
            found.append((dict(receive.down_hz).get(hz, hz), rate, receive.delay_s))
        except DecodeError:
            pass  # a frequency or rate that the region does not have: the second window is always the same
    found.append((receive.rx2_hz, receive.rx2_dr, receive.delay_s + 1))
    return tuple(
        _window(region, hz, rate_index, After(seconds * 1_000_000, context), dwell=receive.dwell)
        for hz, rate_index, seconds in found
    )


def always_open(region: Region, receive: Receive) -> Window:
    """What a device of class C listens to when it does nothing else: RX2's frequency and data rate."""
    return _window(region, receive.rx2_hz, receive.rx2_dr, Immediately(), dwell=receive.dwell)


def _window(region: Region, hz: int, dr: int, at: Timing, *, dwell: bool) -> Window:
    return Window(hz, datarate(region, dr), at, max_payload(region, dr, dwell=dwell))


def _strength(rx: Reception) -> tuple[float, float]:
    snr, rssi = rx.snr_db, rx.rssi_dbm
    return _NOTHING if snr is None else snr, _NOTHING if rssi is None else rssi
