"""Regions whose networks choose most channels themselves: EU868, AS923 and its groups, IN865, KR920. RP002-1.0.4.

Each starts with two or three fixed channels; a CFList of five frequencies or NewChannelReq adds the others, 16 in all.
"""

from typing import Final

from torhaus.codecs.lorawan.regions.model import (
    Band,
    Beacon,
    Channel,
    ChMask,
    DataRate,
    Region,
    channels,
    fsk,
    lora,
    lr_fhss,
)

_CH_MASK: Final = {0: ChMask.BLOCK, 6: ChMask.ALL_ON}
_LORA_125: Final = {dr: lora(12 - dr, 125, m) for dr, m in enumerate((59, 59, 59, 123, 250, 250))}
_MAX_CHANNELS: Final = 16


def _falling(rates: int, offsets: int) -> dict[int, tuple[int, ...]]:
    """RX1 is as many data rates slower as the offset says, DR0 at least."""
    return {dr: tuple(max(0, dr - offset) for offset in range(offsets)) for dr in range(rates)}


EU868: Final = Region(
    name="EU868",
    long_name="EU863-870",
    section="2.4",
    min_hz=863_000_000,
    max_hz=870_000_000,
    bands=(  # ERC/REC 70-03 annex 1, EN 300 220-2 V3.2.1 annex B, whose letters these are; ERP there, 2.15 dB less
        Band(863_000_000, 865_000_000, 16.15, 0.001, "863-865"),  # K
        Band(868_000_000, 868_600_000, 16.15, 0.01, "868.0-868.6"),  # M, within L: looked up first
        Band(865_000_000, 868_000_000, 16.15, 0.01, "865-868"),  # L
        Band(868_700_000, 869_200_000, 16.15, 0.001, "868.7-869.2"),  # N
        Band(869_400_000, 869_650_000, 29.15, 0.1, "869.4-869.65"),  # P
        Band(869_700_000, 870_000_000, 16.15, 0.01, "869.7-870"),  # Q
    ),
    channels=channels(868_100_000, 200_000, 3, 0, 5),
    join_channels=channels(868_100_000, 200_000, 3, 0, 5),
    max_channels=_MAX_CHANNELS,
    rates=_LORA_125
    | {6: lora(7, 250, 250), 7: fsk(250)}
    | {
        8: lr_fhss(137, "1/3", 58),
        9: lr_fhss(137, "2/3", 123),
        10: lr_fhss(336, "1/3", 58),
        11: lr_fhss(336, "2/3", 123),
    },
    rx1=_falling(8, 6)
    | {up: tuple(max(0, like - n) for n in range(6)) for up, like in ((8, 1), (9, 2), (10, 1), (11, 2))},
    rx2_hz=869_525_000,
    rx2_dr=0,
    max_eirp_dbm=16,
    tx_power_steps=7,
    cf_list_type=0,
    beacon=Beacon((869_525_000,), 3, 2, 0),
    ping_slot_hz=(869_525_000,),
    ch_mask=_CH_MASK,
)

_AS_RATES: Final[dict[int, DataRate]] = {
    0: lora(12, 125, 59, 0),
    1: lora(11, 125, 59, 0),
    2: lora(10, 125, 123, 19),
    3: lora(9, 125, 123, 61),
    4: lora(8, 125, 250, 133),
    5: lora(7, 125, 250),
    6: lora(7, 250, 250),
    7: fsk(250),
}
_RISING: Final = (0, 1, 2, 3, 4, 5, -1, -2)
"""Offsets 6 and 7 make RX1 faster than the uplink."""


def _as923(name: str, offset_hz: int, min_hz: int, max_hz: int) -> Region:
    """A group: all frequencies are shifted by AS923_FREQ_OFFSET."""
    start = Channel(923_200_000 + offset_hz, 0, 5), Channel(923_400_000 + offset_hz, 0, 5)
    return Region(
        name=name,
        long_name=name,
        section="2.10",
        min_hz=min_hz,
        max_hz=max_hz,
        bands=(Band(min_hz, max_hz, 16.0),),
        channels=start,
        join_channels=tuple(Channel(c.freq_hz, 2, 5) for c in start),
        max_channels=_MAX_CHANNELS,
        rates=_AS_RATES,
        rx1={dr: tuple(min(7, max(0, dr - n)) for n in _RISING) for dr in range(8)},
        rx1_dwell={dr: tuple(min(7, max(2, dr - n)) for n in _RISING) for dr in range(8)},
        rx2_hz=start[0].freq_hz,
        rx2_dr=2,
        max_eirp_dbm=16,
        tx_power_steps=7,
        tx_param_setup=True,
        uplink_dwell=True,
        cf_list_type=0,
        beacon=Beacon((start[1].freq_hz,), 3, 2, 0),
        ping_slot_hz=(start[1].freq_hz,),
        ch_mask=_CH_MASK,
    )


AS923: Final = _as923("AS923", 0, 915_000_000, 928_000_000)
AS923_2: Final = _as923("AS923-2", -1_800_000, 920_000_000, 923_000_000)
AS923_3: Final = _as923("AS923-3", -6_600_000, 915_000_000, 921_000_000)
AS923_4: Final = _as923("AS923-4", -5_900_000, 917_000_000, 920_000_000)

_IN_START: Final = tuple(Channel(hz, 0, 5) for hz in (865_062_500, 865_402_500, 865_985_000))

IN865: Final = Region(
    name="IN865",
    long_name="IN865-867",
    section="2.12",
    min_hz=865_000_000,
    max_hz=867_000_000,
    bands=(Band(865_000_000, 867_000_000, 30.0),),
    channels=_IN_START,
    join_channels=_IN_START,
    max_channels=_MAX_CHANNELS,
    rates=_LORA_125 | {7: fsk(250)},
    rx1={  # there is no DR6: what would be DR6 is the next that exists
        0: (0, 0, 0, 0, 0, 0, 1, 2),
        1: (1, 0, 0, 0, 0, 0, 2, 3),
        2: (2, 1, 0, 0, 0, 0, 3, 4),
        3: (3, 2, 1, 0, 0, 0, 4, 5),
        4: (4, 3, 2, 1, 0, 0, 5, 5),
        5: (5, 4, 3, 2, 1, 0, 5, 7),
        7: (7, 5, 5, 4, 3, 2, 7, 7),
    },
    rx2_hz=866_550_000,
    rx2_dr=2,
    max_eirp_dbm=30,
    tx_power_steps=10,
    cf_list_type=0,
    beacon=Beacon((866_550_000,), 4, 1, 3),
    ping_slot_hz=(866_550_000,),
    ch_mask=_CH_MASK,
)

KR920: Final = Region(
    name="KR920",
    long_name="KR920-923",
    section="2.11",
    min_hz=920_900_000,
    max_hz=923_300_000,
    bands=(Band(920_900_000, 922_000_000, 10.0), Band(922_000_000, 923_300_000, 14.0)),
    channels=channels(922_100_000, 200_000, 3, 0, 5),
    join_channels=channels(922_100_000, 200_000, 3, 0, 5),
    max_channels=_MAX_CHANNELS,
    rates=_LORA_125,
    rx1=_falling(6, 6),
    rx2_hz=921_900_000,
    rx2_dr=0,
    max_eirp_dbm=14,
    tx_power_steps=7,
    cf_list_type=0,
    beacon=Beacon((923_100_000,), 3, 2, 0),
    ping_slot_hz=(923_100_000,),
    ch_mask=_CH_MASK,
)
