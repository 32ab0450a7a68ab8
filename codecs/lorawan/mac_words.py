"""MAC commands as sentences for a technician. LoRaWAN 1.0.4 section 5, LoRaWAN 1.1 section 5."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Final

from torhaus.codecs.lorawan.mac_commands import MacCommand
from torhaus.codecs.lorawan.regions.model import ChMask, Region

Values = dict[str, int]

_GPS_EPOCH: Final = datetime(1980, 1, 6, tzinfo=UTC)
_GPS_LEAP_S: Final = 18
"""Between GPS and UTC since 2017."""

_MAX_EIRP_DBM: Final = (8, 10, 12, 13, 14, 16, 18, 20, 21, 24, 26, 27, 29, 30, 33, 36)
_CLASSES: Final = {0: "A", 1: "B", 2: "C"}
_KEEP: Final = 15
"""Data rate and power of this number mean: stay as you are (TS001-1.0.4 section 5.2, LoRaWAN 1.1 section 5.3)."""


def describe(command: MacCommand, region: Region | None = None) -> str:
    """One sentence, without the command's name; data rates and powers in the region's own figures where it is known."""
    words = _WORDS.get(command.name)
    return words(command.values, region) if words is not None else ""


def _rate(dr: int, region: Region | None) -> str:
    known = region.rates.get(dr) if region is not None else None
    return f"DR{dr}" if known is None else f"DR{dr} ({known.datarate})"


def _mhz(hz: int) -> str:
    return f"{hz / 1e6:.4f}".rstrip("0").rstrip(".") + " MHz"


def _acks(v: Values, **names: str) -> str:
    bad = [text for name, text in names.items() if not v[name]]
    return "accepted" if not bad else "refused because of " + " and ".join(bad)


def _link_adr(v: Values, region: Region | None) -> str:
    rate = "keep the data rate" if v["data_rate"] == _KEEP else f"use {_rate(v['data_rate'], region)}"
    power = "keep the power" if v["tx_power"] == _KEEP else f"TXPower {v['tx_power']}"
    if region is not None and v["tx_power"] <= region.tx_power_steps:
        power += f" ({region.max_eirp_dbm - 2 * v['tx_power']:g} dBm)"
    repeat = f"send each uplink {v['nb_trans']} times" if v["nb_trans"] > 1 else "send each uplink once"
    return f"{rate}, {power}, {_channels(v, region)}, {repeat}"


def _channels(v: Values, region: Region | None) -> str:
    mask, cntl = v["ch_mask"], v["ch_mask_cntl"]
    kind = None if region is None else region.ch_mask.get(cntl)
    bits = [n for n in range(16) if mask >> n & 1]
    if kind is None:
        return f"channel mask {mask:016b} with ChMaskCntl {cntl}"
    if kind is ChMask.ALL_ON:
        return "all channels on"
    if kind is ChMask.BLOCK:
        first = 16 * cntl
        return f"channels {_numbers([first + n for n in bits]) or 'none'} of {first} to {first + 15}"
    if kind is ChMask.BANKS:
        return "sub-bands " + (_numbers([n + 1 for n in bits if n < 8]) or "none")
    narrow = "all" if kind is ChMask.NARROW_ON else "no"
    return f"{narrow} 125 kHz channels, 500 kHz channels " + (_numbers([64 + n for n in bits if n < 8]) or "none")


def _numbers(found: list[int]) -> str:
    """0, 1, 2, 5 as "0-2, 5"."""
    runs: list[list[int]] = []
    for n in found:
        if runs and runs[-1][-1] == n - 1:
            runs[-1].append(n)
        else:
            runs.append([n])
    return ", ".join(str(r[0]) if len(r) == 1 else f"{r[0]}-{r[-1]}" for r in runs)


def _battery(battery: int) -> str:
    if battery == 0:
        return "on external power"
    return "battery unknown" if battery == 255 else f"battery {round((battery - 1) / 253 * 100)} %"


def _gps(v: Values, _: Region | None) -> str:
    at = _GPS_EPOCH + timedelta(seconds=v["gps_s"] - _GPS_LEAP_S, milliseconds=round(v["fraction_256"] * 1000 / 256))
    return f"the time is {at.isoformat(timespec='milliseconds').replace('+00:00', 'Z')} (GPS {v['gps_s']} s)"


def _dwell(limited: int) -> str:
    return "400 ms at most" if limited else "without limit"


def _force_rejoin(v: Values, region: Region | None) -> str:
    kind = 2 if v["rejoin_type"] == 2 else 0
    return (
        f"rejoin with type {kind} at {_rate(v['data_rate'], region)}, "
        f"{v['max_retries'] + 1} times, {32 * 2 ** v['period']} s and a random time apart"
    )


def _new_channel(v: Values, region: Region | None) -> str:
    if not v["freq_hz"]:
        return f"delete channel {v['ch_index']}"
    rates = f"{_rate(v['min_dr'], region)} to {_rate(v['max_dr'], region)}"
    return f"channel {v['ch_index']} is at {_mhz(v['freq_hz'])} for {rates}"


def _default_or(hz: int) -> str:
    return _mhz(hz) if hz else "the default frequency"


def _duty_cycle(v: Values, _: Region | None) -> str:
    exponent = v["max_duty_cycle"]
    return f"send at most 1/{2**exponent} of the time" if exponent else "no duty cycle of the network's own"


_WORDS: Final[dict[str, Callable[[Values, Region | None], str]]] = {
    "ResetInd": lambda v, _: f"the device has started anew, LoRaWAN 1.{v['minor']}",
    "ResetConf": lambda v, _: f"the network has noticed the new start, LoRaWAN 1.{v['minor']}",
    "LinkCheckReq": lambda _, __: "does anybody hear me?",
    "LinkCheckAns": lambda v, _: f"gateways that heard it: {v['gw_cnt']}; best {v['margin_db']} dB above the limit",
    "LinkADRReq": _link_adr,
    "LinkADRAns": lambda v, _: _acks(
        v, channel_mask_ack="the channels", data_rate_ack="the data rate", power_ack="the power"
    ),
    "DutyCycleReq": _duty_cycle,
    "DutyCycleAns": lambda _, __: "accepted",
    "RXParamSetupReq": lambda v, r: (
        f"RX1DROffset {v['rx1_dr_offset']}, RX2 is at {_mhz(v['freq_hz'])} with {_rate(v['rx2_data_rate'], r)}"
    ),
    "RXParamSetupAns": lambda v, _: _acks(
        v, channel_ack="the RX2 frequency", rx2_data_rate_ack="the RX2 data rate", rx1_dr_offset_ack="the RX1 offset"
    ),
    "DevStatusReq": lambda _, __: "how is the device?",
    "DevStatusAns": lambda v, _: f"{_battery(v['battery'])}, the last DevStatusReq came with {v['margin_db']} dB SNR",
    "NewChannelReq": _new_channel,
    "NewChannelAns": lambda v, _: _acks(v, channel_frequency_ok="the frequency", data_rate_range_ok="the data rates"),
    "RXTimingSetupReq": lambda v, _: f"RX1 opens {max(1, v['delay_s'])} s after the uplink, RX2 one second later",
    "RXTimingSetupAns": lambda _, __: "accepted",
    "TxParamSetupReq": lambda v, _: (
        f"send with {_MAX_EIRP_DBM[v['max_eirp']]} dBm at most; uplinks last {_dwell(v['uplink_dwell_time'])}, "
        f"downlinks {_dwell(v['downlink_dwell_time'])}"
    ),
    "TxParamSetupAns": lambda _, __: "accepted",
    "DlChannelReq": lambda v, _: f"RX1 of channel {v['ch_index']} is at {_mhz(v['freq_hz'])}",
    "DlChannelAns": lambda v, _: _acks(
        v, channel_frequency_ok="the frequency", uplink_frequency_exists="a channel it does not have"
    ),
    "RekeyInd": lambda v, _: f"the device has new keys, LoRaWAN 1.{v['minor']}",
    "RekeyConf": lambda v, _: f"the network uses the new keys, LoRaWAN 1.{v['minor']}",
    "ADRParamSetupReq": lambda v, _: (
        f"ask for an answer after {2 ** v['limit_exp']} uplinks, fall back after {2 ** v['delay_exp']} more"
    ),
    "ADRParamSetupAns": lambda _, __: "accepted",
    "DeviceTimeReq": lambda _, __: "what time is it?",
    "DeviceTimeAns": _gps,
    "ForceRejoinReq": _force_rejoin,
    "RejoinParamSetupReq": lambda v, _: (
        f"rejoin every {2 ** (v['max_count_n'] + 4)} uplinks or {2 ** (v['max_time_n'] + 10)} s"
    ),
    "RejoinParamSetupAns": lambda v, _: "accepted" if v["time_ok"] else "accepted, but the device counts uplinks only",
    "PingSlotInfoReq": lambda v, _: f"class B: listens every {2 ** v['periodicity']} s",
    "PingSlotInfoAns": lambda _, __: "accepted",
    "PingSlotChannelReq": lambda v, r: f"ping slots are at {_default_or(v['freq_hz'])} with {_rate(v['data_rate'], r)}",
    "PingSlotChannelAns": lambda v, _: _acks(v, channel_frequency_ok="the frequency", data_rate_ok="the data rate"),
    "BeaconTimingReq": lambda _, __: "when is the next beacon?",
    "BeaconTimingAns": lambda v, _: f"the next beacon comes within {30 * (v['delay'] + 1)} ms, channel {v['channel']}",
    "BeaconFreqReq": lambda v, _: f"beacons are at {_default_or(v['freq_hz'])}",
    "BeaconFreqAns": lambda v, _: "accepted" if v["beacon_frequency_ok"] else "refused because of the frequency",
    "DeviceModeInd": lambda v, _: f"the device is now class {_CLASSES.get(v['device_class'], '?')}",
    "DeviceModeConf": lambda v, _: f"class {_CLASSES.get(v['device_class'], '?')} noticed",
}
