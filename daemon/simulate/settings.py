"""What a network sets in an end device by MAC commands: channels, data rate, power, windows. Pure.

TS001-1.0.4 chapter 5, LoRaWAN 1.1 chapter 5, RP002-1.0.4 (defaults, what a region accepts).
"""

from collections import deque
from random import Random
from typing import Final

from torhaus.codecs.lorawan.cf_list import FREQUENCIES, decode_cf_list
from torhaus.codecs.lorawan.join import JoinAcceptBody
from torhaus.codecs.lorawan.mac_commands import MacCommand, decode, encode
from torhaus.codecs.lorawan.region import apply_ch_mask
from torhaus.codecs.lorawan.regions.model import ADR_ACK_DELAY, ADR_ACK_LIMIT, Channel, Region
from torhaus.codecs.model import DecodeError

MAX_FOPTS: Final = 15
_KEEP: Final = 15
"""DataRate and TXPower of LinkADRReq: stays as it is (1.0.4, 1.1)."""


class Settings:
    """Of one device, from a join (or the region's defaults) on. `dr` is the data rate that it sends with."""

    def __init__(self, region: Region, dr: int = 5, *, is_1_1: bool = False) -> None:
        self.region = region
        self.dr = dr
        self.is_1_1 = is_1_1
        self.tx_power = 0
        self.nb_trans = 1
        self.max_duty_cycle = 0
        self.rx1_delay_s = 1
        self.rx1_dr_offset = 0
        self.rx2_hz, self.rx2_dr = region.rx2_hz, region.rx2_dr
        self.channels: dict[int, Channel] = dict(enumerate(region.channels))
        self.enabled = frozenset(self.channels)
        self.down_hz: dict[int, int] = {}
        self.adr_ack_limit, self.adr_ack_delay = ADR_ACK_LIMIT, ADR_ACK_DELAY
        self.battery = 200
        self.margin_db = 0  # of the last downlink
        self.rejoin: tuple[int, int] | None = None  # data rate and type that the network wants at once
        self.link_checks: deque[tuple[int, int]] = deque(maxlen=8)  # margin and gateways
        self.gps_s: int | None = None
        self.is_rekeyed = False
        self.heard: deque[str] = deque(maxlen=64)  # names of the commands, the newest last
        self._sticky: dict[str, bytes] = {}  # repeated until a downlink shows that they are known (TS001-1.0.4, 5)
        self._answers: list[bytes] = []

    def joined(self, body: JoinAcceptBody) -> None:
        """Take over what a join-accept says; all else is at the region's defaults."""
        self.rx1_delay_s = body.rx_delay or 1
        self.rx1_dr_offset, self.rx2_dr = body.rx1_dr_offset, body.rx2_data_rate
        if not body.cf_list:
            return
        try:
            given = decode_cf_list(body.cf_list)
        except DecodeError:
            return  # of a type that this device does not know: ignored
        if given.cf_list_type == FREQUENCIES and self.region.cf_list_type == FREQUENCIES:
            first = len(self.region.channels)
            for n, hz in enumerate(given.freqs_hz):
                if hz:
                    self.channels[first + n] = Channel(hz, 0, 5)
            self.enabled = frozenset(self.channels)
        elif given.cf_list_type == self.region.cf_list_type:
            self.enabled = frozenset(given.channels) & frozenset(self.channels)

    def take(self, commands: bytes) -> None:
        """The MAC commands of a downlink, in clear; answers are collected. Stops at what it does not know."""
        self._sticky.clear()
        found = decode(commands, uplink=False)[0]
        self.heard.extend(c.name for c in found)
        n = 0
        while n < len(found):
            end = n + 1
            if found[n].name == "LinkADRReq":
                while end < len(found) and found[end].name == "LinkADRReq":
                    end += 1
                self._link_adr(found[n:end])
            else:
                self._one(found[n])
            n = end

    def answers(self) -> bytes:
        """FOpts of the next uplink, whole commands only; what has no room waits for the one after it."""
        taken = b""
        if self.is_1_1 and not self.is_rekeyed:
            taken += encode("RekeyInd", minor=1)
        for answer in self._sticky.values():
            if len(taken) + len(answer) <= MAX_FOPTS:
                taken += answer
        while self._answers and len(taken) + len(self._answers[0]) <= MAX_FOPTS:
            taken += self._answers.pop(0)
        return taken

    def channel(self, dr: int, random: Random) -> tuple[int, int] | None:
        """Number and frequency of a channel for this data rate; None where no enabled one has it."""
        fits = [n for n in sorted(self.enabled) if self.channels[n].min_dr <= dr <= self.channels[n].max_dr]
        if not fits:
            return None
        n = random.choice(fits)
        return n, self.channels[n].freq_hz

    def has_rate(self, dr: int, enabled: frozenset[int] | None = None) -> bool:
        """Whether an enabled channel allows this data rate for LoRa or FSK uplinks."""
        on = self.enabled if enabled is None else enabled
        rate = self.region.rates.get(dr)
        if rate is None or not rate.uplink or rate.modulation == "LR-FHSS":
            return False
        return any(n in self.channels and self.channels[n].min_dr <= dr <= self.channels[n].max_dr for n in on)

    def back_off(self) -> None:
        """Nothing was heard for long: more power, then a slower rate, at last all channels (TS001-1.0.4, 4.3.1.1)."""
        if self.tx_power:
            self.tx_power = 0
        elif self.dr > 0 and self.has_rate(self.dr - 1):
            self.dr -= 1
        else:
            self.enabled, self.nb_trans = frozenset(self.channels), 1

    # -- commands ------------------------------------------------------------------------------------------------------

    def _one(self, command: MacCommand) -> None:
        v = command.values
        match command.name:
            case "LinkCheckAns":
                self.link_checks.append((v["margin_db"], v["gw_cnt"]))
            case "DeviceTimeAns":
                self.gps_s = v["gps_s"]
            case "RekeyConf":
                self.is_rekeyed = True
            case "DutyCycleReq":
                self.max_duty_cycle = v["max_duty_cycle"]
                self._answers.append(encode("DutyCycleAns"))
            case "DevStatusReq":
                margin = max(-32, min(31, self.margin_db))
                self._answers.append(encode("DevStatusAns", battery=self.battery, margin_db=margin))
            case "RXParamSetupReq":
                self._rx_param_setup(v)
            case "RXTimingSetupReq":
                self.rx1_delay_s = v["delay_s"] or 1
                self._sticky[command.name] = encode("RXTimingSetupAns")
            case "NewChannelReq":
                self._new_channel(v)
            case "DlChannelReq":
                self._dl_channel(v)
            case "TxParamSetupReq" if self.region.tx_param_setup:
                self._answers.append(encode("TxParamSetupAns"))
            case "ADRParamSetupReq":
                self.adr_ack_limit, self.adr_ack_delay = 1 << v["limit_exp"], 1 << v["delay_exp"]
                self._answers.append(encode("ADRParamSetupAns"))
            case "RejoinParamSetupReq":
                self._answers.append(encode("RejoinParamSetupAns", time_ok=0))  # it counts, and has no clock
            case "ForceRejoinReq" if v["rejoin_type"] in {0, 2}:
                self.rejoin = v["data_rate"], v["rejoin_type"]
            case _:
                pass  # TxParamSetupReq where the region has none, class B: ignored, as the specification has it

    def _link_adr(self, block: list[MacCommand]) -> None:
        """Requests in a row are one: all is done, or nothing; each has the same answer (TS001-1.0.4 section 5.3)."""
        enabled: frozenset[int] | None = self.enabled
        for command in block:
            v = command.values
            if enabled is not None:
                have = frozenset(self.channels)
                enabled = apply_ch_mask(self.region, enabled, v["ch_mask_cntl"], v["ch_mask"], have)
        v = block[-1].values
        dr = self.dr if v["data_rate"] == _KEEP else v["data_rate"]
        power = self.tx_power if v["tx_power"] == _KEEP else v["tx_power"]
        mask_ok = bool(enabled) and enabled is not None and enabled <= frozenset(self.channels)
        rate_ok = self.has_rate(dr, enabled if mask_ok else None)
        power_ok = power <= self.region.tx_power_steps
        if mask_ok and rate_ok and power_ok:
            assert enabled is not None
            self.enabled, self.dr, self.tx_power = enabled, dr, power
            if v["nb_trans"] or not self.is_1_1:
                self.nb_trans = v["nb_trans"] or 1
        answer = encode("LinkADRAns", channel_mask_ack=mask_ok, data_rate_ack=rate_ok, power_ack=power_ok)
        self._answers += [answer] * len(block)

    def _rx_param_setup(self, v: dict[str, int]) -> None:
        rate = self.region.rates.get(v["rx2_data_rate"])
        channel_ok = self.region.min_hz <= v["freq_hz"] <= self.region.max_hz
        rate_ok = rate is not None and rate.downlink
        offset_ok = v["rx1_dr_offset"] < len(next(iter(self.region.rx1.values())))
        if channel_ok and rate_ok and offset_ok:
            self.rx2_hz, self.rx2_dr, self.rx1_dr_offset = v["freq_hz"], v["rx2_data_rate"], v["rx1_dr_offset"]
        self._sticky["RXParamSetupReq"] = encode(
            "RXParamSetupAns", channel_ack=channel_ok, rx2_data_rate_ack=rate_ok, rx1_dr_offset_ack=offset_ok
        )

    def _new_channel(self, v: dict[str, int]) -> None:
        if self.region.is_fixed:
            return
        n, hz = v["ch_index"], v["freq_hz"]
        free = len(self.region.channels) <= n < self.region.max_channels
        hz_ok = free and (hz == 0 or self.region.min_hz <= hz <= self.region.max_hz)
        rates_ok = free and v["min_dr"] <= v["max_dr"] and {v["min_dr"], v["max_dr"]} <= self.region.rates.keys()
        if hz_ok and rates_ok:
            self.down_hz.pop(n, None)
            if hz:
                self.channels[n] = Channel(hz, v["min_dr"], v["max_dr"])
                self.enabled |= {n}
            else:
                self.channels.pop(n, None)
                self.enabled -= {n}
        self._answers.append(encode("NewChannelAns", channel_frequency_ok=hz_ok, data_rate_range_ok=rates_ok))

    def _dl_channel(self, v: dict[str, int]) -> None:
        if self.region.is_fixed:
            return
        n, hz = v["ch_index"], v["freq_hz"]
        hz_ok, there = self.region.min_hz <= hz <= self.region.max_hz, n in self.channels
        if hz_ok and there:
            self.down_hz[n] = hz
        answer = encode("DlChannelAns", channel_frequency_ok=hz_ok, uplink_frequency_exists=there)
        self._sticky[f"DlChannelReq {n}"] = answer
