"""What the table of a region is made of. Source: LoRaWAN Regional Parameters RP002-1.0.4, by the long names.

Where a figure stands, by the section numbers of RP002-1.0.3 (a later edition may count otherwise; the titles are the
same): "Default settings" 2.3, then one section for each region, `Region.section`, with the same parts in all of them:
.2 channels, .3 data rates and power, .4 CFList, .5 ChMaskCntl, .6 payloads, .7 receive windows, .8 class B.

All frequencies in Hz, powers in dBm EIRP, delays in seconds. M is the longest MACPayload in bytes, N (the longest
FRMPayload without FOpts) is always M - 8.
"""

from collections.abc import Mapping
from enum import Enum
from typing import Final

import msgspec

HEAD_BYTES: Final = 8
"""FHDR without FOpts, and FPort: the difference between M and N."""

RECEIVE_DELAY1_S: Final = 1
RECEIVE_DELAY2_S: Final = 2  # always RECEIVE_DELAY1 + 1
JOIN_ACCEPT_DELAY1_S: Final = 5
JOIN_ACCEPT_DELAY2_S: Final = 6
MAX_FCNT_GAP: Final = 16384
ADR_ACK_LIMIT: Final = 64
ADR_ACK_DELAY: Final = 32
"""RP002, "Default settings": the same in all regions."""


class DataRate(msgspec.Struct, frozen=True, gc=False):
    """One index of a region's data-rate table.

    `modulation` and `datarate` are as in GWMP and `codecs.model.Radio`: LORA "SF7BW125", FSK "50000", LR-FHSS
    "M0CW137" with `coderate` "1/3" or "2/3". `bandwidth_hz` is LoRa's bandwidth or the width that LR-FHSS hops over, 0
    for FSK. `max_bytes` is M without and with a dwell time of 400 ms; 0 where nothing fits.
    """

    modulation: str
    datarate: str
    coderate: str | None
    bandwidth_hz: int
    max_bytes: int
    max_bytes_dwell: int
    uplink: bool = True
    downlink: bool = True


class Channel(msgspec.Struct, frozen=True, gc=False):
    """An uplink channel, and the data rates allowed on it."""

    freq_hz: int
    min_dr: int
    max_dr: int


class Band(msgspec.Struct, frozen=True, gc=False):
    """A stretch of spectrum with its own limits: `duty_cycle` 0.01 is 1 %, 1.0 no limit. The first that fits holds."""

    min_hz: int
    max_hz: int
    max_eirp_dbm: float
    duty_cycle: float = 1.0
    name: str = ""  # MHz, as a technician looks for it, where there are several


class Beacon(msgspec.Struct, frozen=True, gc=False):
    """Class B beacons: data rate and layout: RFU, Time (4), CRC (2), GwSpecific (7), RFU, CRC (2), no header, no CRC.

    With several frequencies they are used in turn, one for each beacon period of 128 s.
    """

    freqs_hz: tuple[int, ...]
    dr: int
    rfu1_bytes: int
    rfu2_bytes: int

    @property
    def size_bytes(self) -> int:
        """Length on air."""
        return self.rfu1_bytes + 4 + 2 + 7 + self.rfu2_bytes + 2


class ChMask(Enum):
    """What the ChMask of LinkADRReq applies to, by its ChMaskCntl; others are reserved (RFU)."""

    BLOCK = "block"  # channels 16 * ChMaskCntl and up, one bit each
    ALL_ON = "all_on"  # every defined channel on, the mask is ignored
    BANKS = "banks"  # bit n: channels 8n to 8n + 7 and 64 + n
    NARROW_ON = "narrow_on"  # all 125 kHz channels on, the mask applies to 64 to 71
    NARROW_OFF = "narrow_off"  # all 125 kHz channels off, the mask applies to 64 to 71


class Region(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One region. `rx1[dr][offset]` is RX1's data rate; `rx1_dwell` the same when downlinks have a dwell time."""

    name: str  # common name
    long_name: str
    section: str
    min_hz: int
    max_hz: int
    bands: tuple[Band, ...]
    channels: tuple[Channel, ...]  # those every device has from the start
    join_channels: tuple[Channel, ...]
    max_channels: int
    downlink_hz: tuple[int, ...] = ()
    """RX1 of channel n is on number n modulo their count; empty: on the uplink's own frequency."""
    rates: Mapping[int, DataRate]
    rx1: Mapping[int, tuple[int, ...]]
    rx1_dwell: Mapping[int, tuple[int, ...]] | None = None
    rx2_hz: int
    rx2_dr: int
    max_eirp_dbm: float
    tx_power_steps: int  # TXPower 0 to this, 2 dB less each
    tx_param_setup: bool = False  # TxParamSetupReq is used here
    uplink_dwell: bool = False  # 400 ms until TxParamSetupReq says otherwise, or by law
    cf_list_type: int  # 0: five frequencies, 1: channel masks
    beacon: Beacon
    ping_slot_hz: tuple[int, ...]  # several: by DevAddr and beacon period
    ch_mask: Mapping[int, ChMask]

    @property
    def is_fixed(self) -> bool:
        """Whether the channels are given by the region and can only be switched on and off."""
        return bool(self.downlink_hz)


def lora(
    sf: int, bandwidth_khz: int, m: int, dwell: int | None = None, *, up: bool = True, down: bool = True
) -> DataRate:
    """A LoRa data rate; `dwell` is M under a dwell time where that differs."""
    limited = m if dwell is None else dwell
    return DataRate("LORA", f"SF{sf}BW{bandwidth_khz}", "4/5", bandwidth_khz * 1000, m, limited, up, down)


def fsk(m: int) -> DataRate:
    """FSK with 50 kbit/s."""
    return DataRate("FSK", "50000", None, 0, m, m)


def lr_fhss(width_khz: int, coderate: str, m: int) -> DataRate:
    """An LR-FHSS data rate: devices send with it, and never receive."""
    return DataRate("LR-FHSS", f"M0CW{width_khz}", coderate, width_khz * 1000, m, m, downlink=False)


def channels(first_hz: int, step_hz: int, count: int, min_dr: int, max_dr: int) -> tuple[Channel, ...]:
    """Channels in a row."""
    return tuple(Channel(first_hz + n * step_hz, min_dr, max_dr) for n in range(count))
