"""What a site wants of its devices' channels, receive windows and limits: the region's table and `[lorawan.mac]`. Pure.

RP002-1.0.4: each region's sections on channels, join-accept CFList, LinkADRReq, data rates and receive windows. CFList
of type 0 has five frequencies, of type 1 the masks of fixed channels. Devices before RP002 (US915 with LoRaWAN 1.0.2
and older) know no CFList of type 1 and pass over it: they are told their channels by LinkADRReq as well.
"""

from typing import Final

import msgspec

from torhaus.codecs.lorawan.cf_list import FREQUENCIES, MASKS, CfList, decode_cf_list, encode_cf_list
from torhaus.codecs.lorawan.mac_commands import encode
from torhaus.codecs.lorawan.region import max_payload, region
from torhaus.codecs.lorawan.regions.model import Region
from torhaus.codecs.model import DecodeError
from torhaus.daemon.config.lorawan import EU868_HZ
from torhaus.daemon.config.model import Lorawan
from torhaus.daemon.lora.adr import Limits
from torhaus.daemon.outbox.mac_state import Mac

_IN_CF_LIST: Final = 5
_NARROW: Final = 64
_BLOCK: Final = 16
_NARROW_OFF: Final = 7
_DWELL: Final = 0x30
"""Both bits of TxParamSetupReq: uplinks and downlinks of 400 ms at most."""
_EIRP_DBM: Final = (8, 10, 12, 13, 14, 16, 18, 20, 21, 24, 26, 27, 29, 30, 33, 36)


class Receive(msgspec.Struct, frozen=True, gc=False):
    """A device's receive windows as they are now. `dwell`: downlinks are limited to 400 ms.

    `down_hz`: uplink's frequency and RX1's, of channels on which these differ by DlChannelReq.
    """

    rx2_hz: int
    rx2_dr: int
    delay_s: int = 1
    rx1_dr_offset: int = 0
    dwell: bool = False
    down_hz: tuple[tuple[int, int], ...] = ()


class Plan:
    """Of one site."""

    def __init__(self, config: Lorawan) -> None:
        self.region: Region = region(config.region)
        self.config = config.mac
        self.delay_s = config.rx1_delay_s
        default = EU868_HZ if self.region.name == "EU868" else ()
        self.channels_hz: tuple[int, ...] = default if config.mac.channels_hz is None else config.mac.channels_hz
        self.rx2_hz = config.mac.rx2_hz or self.region.rx2_hz
        self.rx2_dr = self.region.rx2_dr if config.mac.rx2_dr is None else config.mac.rx2_dr
        bank = config.mac.sub_band
        self.fixed_on = frozenset() if bank is None else frozenset((*range(8 * bank - 8, 8 * bank), _NARROW + bank - 1))

    # -- joins ---------------------------------------------------------------------------------------------------------

    def cf_list(self) -> bytes:
        """Of a join-accept; empty where there is nothing to say."""
        if self.region.cf_list_type == MASKS:
            return encode_cf_list(CfList(MASKS, channels=tuple(sorted(self.fixed_on)))) if self.fixed_on else b""
        freqs = self.channels_hz[:_IN_CF_LIST]
        return encode_cf_list(CfList(FREQUENCIES, freqs)) if freqs else b""

    def dl_settings(self) -> int:
        """RX1DROffset and RX2 data rate of a join-accept, without OptNeg."""
        return self.config.rx1_dr_offset << 4 | self.rx2_dr

    def joined(self) -> Mac:
        """What a device has that has taken our join-accept."""
        return Mac(rx1_delay_s=self.delay_s, rx1_dr_offset=self.config.rx1_dr_offset, rx2_dr=self.rx2_dr)

    def join_windows(self, delay_s: int) -> Receive:
        """Where a join-accept is waited for."""
        return Receive(self.region.rx2_hz, self.region.rx2_dr, delay_s)

    # -- what a device has ---------------------------------------------------------------------------------------------

    def receive(self, mac: Mac) -> Receive:
        """Its windows: as it has confirmed them, else as the region has them from the start.

        What this region has not is of another one, under which the device joined: it has to join again.
        """
        hz, rate = mac.rx2_hz or 0, self.region.rates.get(-1 if mac.rx2_dr is None else mac.rx2_dr)
        return Receive(
            hz if self.region.min_hz <= hz <= self.region.max_hz else self.region.rx2_hz,
            self.region.rx2_dr if mac.rx2_dr is None or rate is None or not rate.downlink else mac.rx2_dr,
            self.delay_s if mac.rx1_delay_s is None else mac.rx1_delay_s,
            mac.rx1_dr_offset,
            dwell=self.region.tx_param_setup and mac.dwell is not None and bool(mac.dwell & 0x20),
            down_hz=() if self.region.is_fixed else mac.down_hz,
        )

    def uplink_dwell(self, mac: Mac) -> bool:
        """Whether its uplinks are limited to 400 ms."""
        return self.region.uplink_dwell if mac.dwell is None else bool(mac.dwell & 0x10)

    def channels(self, mac: Mac, cf_list: str) -> dict[int, int]:
        """Number and frequency of the channels that a device has in a region where networks choose them."""
        found = {n: c.freq_hz for n, c in enumerate(self.region.channels)}
        first = len(found)
        try:
            listed = decode_cf_list(bytes.fromhex(cf_list)).freqs_hz if cf_list else ()
        except DecodeError:
            listed = ()
        found |= {first + n: hz for n, hz in enumerate(listed) if hz}
        for n, hz in mac.channels:
            if hz:
                found[n] = hz
            else:
                found.pop(n, None)
        return found

    def limits(self, mac: Mac) -> Limits:
        """Within which its data rate and power are chosen. Wide channels (EU868 DR6, US915 DR4) are left to devices."""
        top, bottom = self.region.channels[0].max_dr, self.region.channels[0].min_dr
        dwell = self.uplink_dwell(mac)
        slow = [dr for dr in range(bottom, top) if not max_payload(self.region, dr, dwell=dwell)]
        power = self.region.tx_power_steps
        return Limits(
            max_dr=top if mac.max_dr is None else min(top, mac.max_dr),
            max_tx_power=power if mac.max_tx_power is None else min(power, mac.max_tx_power),
            min_dr=max(slow, default=bottom - 1) + 1,
        )

    # -- what is to be said ----------------------------------------------------------------------------------------

    def new_channels(self, mac: Mac, cf_list: str) -> list[bytes]:
        """NewChannelReq for each channel that is to be another one, or to go."""
        if self.region.is_fixed:
            return []
        first = len(self.region.channels)
        have, want = self.channels(mac, cf_list), {first + n: hz for n, hz in enumerate(self.channels_hz)}
        low, high = self.region.channels[0].min_dr, self.region.channels[0].max_dr
        return [
            encode("NewChannelReq", ch_index=n, freq_hz=want.get(n, 0), min_dr=low, max_dr=high)
            for n in sorted(have.keys() | want.keys())
            if n >= first and have.get(n, 0) != want.get(n, 0)
        ]

    def dl_channels(self, mac: Mac, cf_list: str) -> list[bytes]:
        """DlChannelReq for each of its channels whose RX1 is to be on another frequency than it is."""
        if not (self.config.dl_channels_hz or mac.down_hz):
            return []  # nearly always
        have, want = dict(mac.down_hz), dict(self.config.dl_channels_hz)
        return [
            encode("DlChannelReq", ch_index=n, freq_hz=want.get(hz, hz))
            for n, hz in sorted(self.channels(mac, cf_list).items())
            if have.get(hz, hz) != want.get(hz, hz)
        ]

    def tx_param(self) -> int | None:
        """The byte of TxParamSetupReq: dwell times, and the region's power; None where nothing is asked for."""
        if self.config.dwell_time is None:
            return None
        eirp = max(n for n, dbm in enumerate(_EIRP_DBM) if dbm <= self.region.max_eirp_dbm)
        return _DWELL * self.config.dwell_time | eirp

    def link_adr(self, on: frozenset[int], data_rate: int, tx_power: int, nb_trans: int) -> bytes:
        """One block of LinkADRReq, which a device takes or refuses as a whole (LoRaWAN 1.0.4 section 5.2)."""
        masks = [(0, sum(1 << n for n in on))]
        if self.region.is_fixed:
            blocks = sorted({n // _BLOCK for n in on if n < _NARROW})
            wide = sum(1 << n - _NARROW for n in on if n >= _NARROW)
            masks = [(_NARROW_OFF, wide)]
            masks += [(b, sum(1 << n % _BLOCK for n in on if n // _BLOCK == b)) for b in blocks]
        return b"".join(
            encode(
                "LinkADRReq",
                data_rate=data_rate,
                tx_power=tx_power,
                ch_mask=mask,
                ch_mask_cntl=cntl,
                nb_trans=nb_trans,
            )
            for cntl, mask in masks
        )

    def wanted_on(self, mac: Mac, cf_list: str) -> frozenset[int]:
        """The channels that are to be on: all that the device has, or the sub-band's."""
        if not self.region.is_fixed:
            return frozenset(self.channels(mac, cf_list))
        if self.fixed_on:
            return self.fixed_on
        return frozenset(range(len(self.region.channels)) if mac.channels_on is None else mac.channels_on)
