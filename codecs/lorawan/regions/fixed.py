"""Regions with 72 fixed uplink channels and 8 downlink channels: US915 and AU915. RP002-1.0.4.

Channels 0 to 63 are 125 kHz wide, 64 to 71 500 kHz; networks use one sub-band of eight and its wide one. DR4 (US) and
DR12 are the same modulation, one for each direction.
"""

from typing import Final

from torhaus.codecs.lorawan.regions.model import Band, Beacon, ChMask, DataRate, Region, channels, lora, lr_fhss

_CH_MASK: Final = dict.fromkeys(range(5), ChMask.BLOCK) | {
    5: ChMask.BANKS,
    6: ChMask.NARROW_ON,
    7: ChMask.NARROW_OFF,
}
_DOWN_HZ: Final = tuple(923_300_000 + n * 600_000 for n in range(8))
_DOWN: Final[dict[int, DataRate]] = {
    dr: lora(20 - dr, 500, m, up=False) for dr, m in enumerate((61, 137, 250, 250, 250, 250), 8)
}
_BEACON: Final = Beacon(_DOWN_HZ, 8, 5, 3)
_MAX_CHANNELS: Final = 72


def _up(sf: int, bandwidth_khz: int, m: int, dwell: int | None = None) -> DataRate:
    return lora(sf, bandwidth_khz, m, dwell, down=False)


US915: Final = Region(
    name="US915",
    long_name="US902-928",
    section="2.5",
    min_hz=902_000_000,
    max_hz=928_000_000,
    bands=(Band(902_000_000, 928_000_000, 30.0),),
    channels=channels(902_300_000, 200_000, 64, 0, 3) + channels(903_000_000, 1_600_000, 8, 4, 4),
    join_channels=channels(902_300_000, 200_000, 64, 0, 0) + channels(903_000_000, 1_600_000, 8, 4, 4),
    max_channels=_MAX_CHANNELS,
    downlink_hz=_DOWN_HZ,
    rates={
        0: _up(10, 125, 19),
        1: _up(9, 125, 61),
        2: _up(8, 125, 133),
        3: _up(7, 125, 250),
        4: _up(8, 500, 250),
        5: lr_fhss(1523, "1/3", 58),
        6: lr_fhss(1523, "2/3", 133),
    }
    | _DOWN,
    rx1={
        0: (10, 9, 8, 8),
        1: (11, 10, 9, 8),
        2: (12, 11, 10, 9),
        3: (13, 12, 11, 10),
        4: (13, 13, 12, 11),
        5: (10, 9, 8, 8),
        6: (11, 10, 9, 8),
    },
    rx2_hz=923_300_000,
    rx2_dr=8,
    max_eirp_dbm=30,
    tx_power_steps=14,
    uplink_dwell=True,
    cf_list_type=1,
    beacon=_BEACON,
    ping_slot_hz=_DOWN_HZ,
    ch_mask=_CH_MASK,
)

AU915: Final = Region(
    name="AU915",
    long_name="AU915-928",
    section="2.8",
    min_hz=915_000_000,
    max_hz=928_000_000,
    bands=(Band(915_000_000, 928_000_000, 30.0),),
    channels=channels(915_200_000, 200_000, 64, 0, 5) + channels(915_900_000, 1_600_000, 8, 6, 6),
    join_channels=channels(915_200_000, 200_000, 64, 2, 2) + channels(915_900_000, 1_600_000, 8, 6, 6),
    max_channels=_MAX_CHANNELS,
    downlink_hz=_DOWN_HZ,
    rates={
        0: _up(12, 125, 59, 0),
        1: _up(11, 125, 59, 0),
        2: _up(10, 125, 59, 19),
        3: _up(9, 125, 123, 61),
        4: _up(8, 125, 250, 133),
        5: _up(7, 125, 250),
        6: _up(8, 500, 250),
        7: lr_fhss(1523, "1/3", 58),
    }
    | _DOWN,
    rx1={
        0: (8, 8, 8, 8, 8, 8),
        1: (9, 8, 8, 8, 8, 8),
        2: (10, 9, 8, 8, 8, 8),
        3: (11, 10, 9, 8, 8, 8),
        4: (12, 11, 10, 9, 8, 8),
        5: (13, 12, 11, 10, 9, 8),
        6: (13, 13, 12, 11, 10, 9),
        7: (9, 8, 8, 8, 8, 8),
    },
    rx2_hz=923_300_000,
    rx2_dr=8,
    max_eirp_dbm=30,
    tx_power_steps=14,
    tx_param_setup=True,
    uplink_dwell=True,
    cf_list_type=1,
    beacon=_BEACON,
    ping_slot_hz=_DOWN_HZ,
    ch_mask=_CH_MASK,
)
