"""The regional parameters: data rates, receive windows, channels. LoRaWAN Regional Parameters RP002-1.0.4.

A region goes by its common name ("EU868"), by the name of its section ("EU863-870") or by that of Basics Station
("EU863"), in any letter case. What a region does not have raises DecodeError: UNKNOWN_TYPE for a name, RANGE for data
rates, offsets and channels.
"""

from functools import lru_cache
from typing import Final

from torhaus.codecs.lorawan.regions.dynamic import AS923, AS923_2, AS923_3, AS923_4, EU868, IN865, KR920
from torhaus.codecs.lorawan.regions.fixed import AU915, US915
from torhaus.codecs.lorawan.regions.model import HEAD_BYTES, ChMask, DataRate, Region
from torhaus.codecs.model import DecodeError, RejectReason

_ALL: Final = (EU868, AS923, AS923_2, AS923_3, AS923_4, IN865, KR920, AU915, US915)

REGIONS: Final = tuple(r.name for r in _ALL)
"""The regions known here, by their common names."""

_BY_NAME: Final[dict[str, Region]] = {
    **{r.name: r for r in _ALL},
    **{r.long_name: r for r in _ALL},
    "AS923-1": AS923,
    "EU863": EU868,
    "US902": US915,
}
_BEACON_PERIOD_S: Final = 128
_CODE_RATES: Final = {"2/6": "1/3", "4/6": "2/3"}  # as some gateways write them


def region(name: str) -> Region:
    """The table of a region. Raises DecodeError(UNKNOWN_TYPE)."""
    found = _BY_NAME.get(name.upper())
    if found is None:
        raise DecodeError(RejectReason.UNKNOWN_TYPE, f"no region {name[:20]}; there are {', '.join(REGIONS)}")
    return found


@lru_cache(maxsize=256)  # a site hears a few rates, thousands of times a second at most
def dr_index(region: str, modulation: str, datarate: str, coderate: str | None = None) -> int | None:
    """The index of an uplink's data rate, or None when the region has no such one. Never raises.

    Arguments are as in `Radio`: `modulation` LORA, FSK or LR-FHSS; `datarate` "SF7BW125", "50000", "M0CW137". LR-FHSS
    rates that differ by code rate only need `coderate` ("1/3" or "2/6", "2/3" or "4/6"): without it None. Where one
    modulation has an index for each direction (US915 DR4 and DR12) this gives the uplink's, `downlink_dr_index` the
    other.
    """
    found = _BY_NAME.get(region.upper())
    return None if found is None else _index(found, modulation, datarate, coderate, uplink=True)


def downlink_dr_index(region: Region, modulation: str, datarate: str) -> int | None:
    """The index of a downlink's data rate, or None when the region has no such one."""
    return _index(region, modulation, datarate, None, uplink=False)


def _index(region: Region, modulation: str, datarate: str, coderate: str | None, *, uplink: bool) -> int | None:
    found = [
        (dr, rate)
        for dr, rate in region.rates.items()
        if rate.modulation == modulation and rate.datarate == datarate and (rate.uplink if uplink else rate.downlink)
    ]
    if modulation == "LR-FHSS" and coderate is not None:
        wanted = _CODE_RATES.get(coderate, coderate)
        found = [(dr, rate) for dr, rate in found if rate.coderate == wanted]
    return found[0][0] if len(found) == 1 else None


def datarate(region: Region, dr: int) -> DataRate:
    """What a data rate is. Raises DecodeError(RANGE)."""
    found = region.rates.get(dr)
    if found is None:
        raise DecodeError(RejectReason.RANGE, f"{region.name} has no DR{dr}")
    return found


def max_payload(region: Region, dr: int, *, dwell: bool = False) -> int:
    """The longest FRMPayload in bytes of a frame without FOpts (N); each byte of FOpts takes one away.

    `dwell` limits the time on air to 400 ms; 0 then means that nothing may be sent at this rate. Raises
    DecodeError(RANGE).
    """
    rate = datarate(region, dr)
    return max(0, (rate.max_bytes_dwell if dwell else rate.max_bytes) - HEAD_BYTES)


def rx1(region: Region, freq_hz: int, dr: int, offset: int = 0, *, dwell: bool = False) -> tuple[int, int]:
    """Frequency in Hz and data rate of RX1 after an uplink. `dwell`: downlinks have a dwell time (TxParamSetupReq).

    Raises DecodeError(RANGE) when the uplink cannot have been one of this region's, or the offset is reserved.
    """
    table = region.rx1_dwell if dwell and region.rx1_dwell is not None else region.rx1
    rates = table.get(dr)
    if rates is None:
        raise DecodeError(RejectReason.RANGE, f"{region.name} has no uplinks with DR{dr}")
    if not 0 <= offset < len(rates):
        raise DecodeError(RejectReason.RANGE, f"{region.name} has no RX1DROffset {offset}, 0 to {len(rates) - 1}")
    if not region.downlink_hz:
        return freq_hz, rates[offset]
    channel = channel_of(region, freq_hz, dr)
    if channel is None:
        raise DecodeError(RejectReason.RANGE, f"{region.name} has no channel at {freq_hz} Hz with DR{dr}")
    return region.downlink_hz[channel % len(region.downlink_hz)], rates[offset]


def rx2(region: Region) -> tuple[int, int]:
    """Frequency in Hz and data rate of RX2 until the network changes them."""
    return region.rx2_hz, region.rx2_dr


def channel_of(region: Region, freq_hz: int, dr: int | None = None) -> int | None:
    """The number of the region's own channel at this frequency, or None.

    The data rate tells narrow and wide channels apart where they share a frequency. LR-FHSS rates use wide channels'
    frequencies, too.
    """
    rate = None if dr is None else region.rates.get(dr)
    for number, c in enumerate(region.channels):
        if c.freq_hz == freq_hz and (
            rate is None or c.min_dr <= dr <= c.max_dr or (rate.modulation != "LORA" and number >= 64)  # type: ignore[operator]
        ):
            return number
    return None


def tx_power_dbm(region: Region, index: int, max_eirp_dbm: float | None = None) -> float:
    """What TXPower of LinkADRReq means, in dBm EIRP; `max_eirp_dbm` where TxParamSetupReq has set it.

    Raises DecodeError(RANGE) for a reserved index.
    """
    if not 0 <= index <= region.tx_power_steps:
        raise DecodeError(RejectReason.RANGE, f"{region.name} has no TXPower {index}, 0 to {region.tx_power_steps}")
    return (region.max_eirp_dbm if max_eirp_dbm is None else max_eirp_dbm) - 2 * index


def beacon_hz(region: Region, gps_s: int) -> int:
    """The frequency of the beacon of the period that holds this GPS time (seconds since 1980-01-06)."""
    freqs = region.beacon.freqs_hz
    return freqs[gps_s // _BEACON_PERIOD_S % len(freqs)]


def ping_slot_hz(region: Region, dev_addr: int, gps_s: int) -> int:
    """The frequency of a device's ping slots in the beacon period that holds this GPS time, unless it was changed."""
    freqs = region.ping_slot_hz
    return freqs[(dev_addr + gps_s // _BEACON_PERIOD_S) % len(freqs)]


def apply_ch_mask(
    region: Region, enabled: frozenset[int], cntl: int, mask: int, defined: frozenset[int] | None = None
) -> frozenset[int] | None:
    """The uplink channels that are on after one LinkADRReq; None when its ChMaskCntl is reserved (RFU).

    `defined`: those the device has, by default the region's own. Bits for others are kept: a device refuses them.
    """
    kind = region.ch_mask.get(cntl)
    have = frozenset(range(len(region.channels))) if defined is None else defined
    narrow = frozenset(range(64))
    if kind is None:
        return None
    if kind is ChMask.ALL_ON:
        return have
    if kind is ChMask.BLOCK:
        block = frozenset(range(16 * cntl, min(16 * cntl + 16, region.max_channels)))
        return (enabled - block) | {n for n in block if mask >> (n - 16 * cntl) & 1}
    if kind is ChMask.BANKS:
        banks = [n for n in range(8) if mask >> n & 1]
        return frozenset(8 * n + c for n in banks for c in range(8)) | {64 + n for n in banks}
    wide = frozenset(64 + n for n in range(8) if mask >> n & 1)
    return narrow | wide if kind is ChMask.NARROW_ON else wide
