"""`[lorawan.mac]`: what a site that is its own network server wants of its devices; `adr` of one device.

`[lorawan.chirpstack]`: the network server elsewhere, where session keys are had from it.
"""

from importlib.util import find_spec
from typing import Annotated, Final, Literal
from urllib.parse import urlsplit

import msgspec

from torhaus.codecs.lorawan.region import channel_of, region
from torhaus.codecs.lorawan.regions.model import Region

Nibble = Annotated[int, msgspec.Meta(ge=0, le=15)]


class AdrSetting(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`data_rate` and `tx_power` that a device is to keep; without a data rate: adapted, with another margin.

    `tx_power` is an index: 0 is the most, each step 2 dB less.
    """

    data_rate: Nibble | None = None
    tx_power: Nibble = 0
    margin_db: Annotated[float, msgspec.Meta(ge=0, le=40)] | None = None

    def __post_init__(self) -> None:
        if (self.data_rate is None) == (self.margin_db is None):
            raise ValueError("data_rate: must be set, or margin_db: one of the two")


Adr = Literal["on", "off"] | AdrSetting
MARGIN_DB: Final = 15.0
EU868_HZ: Final = (867_100_000, 867_300_000, 867_500_000, 867_700_000, 867_900_000)
"""Further channels of EU868 where nothing else is said."""


class Mac(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[lorawan.mac]`, in mode "standalone" only. Names are those of LoRaWAN 1.0.4 section 5 and RP002-1.0.4.

    `channels_hz`: further channels of regions in which networks choose them, EU868 by default with 867.1 to 867.9 MHz.
    `dl_channels_hz`: uplink's frequency and RX1's for channels on which these differ.
    `sub_band`: of US915 and AU915, 1 to 8: which eight channels, and the wide one that belongs to them, are used.
    """

    adr: Adr = "on"
    channels_hz: Annotated[tuple[int, ...], msgspec.Meta(max_length=13)] | None = None
    dl_channels_hz: Annotated[tuple[tuple[int, int], ...], msgspec.Meta(max_length=16)] = ()
    sub_band: Annotated[int, msgspec.Meta(ge=1, le=8)] | None = None
    rx1_dr_offset: Annotated[int, msgspec.Meta(ge=0, le=7)] = 0
    rx2_dr: Nibble | None = None
    rx2_hz: int | None = None
    dwell_time: bool | None = None
    max_duty_cycle: Nibble = 0
    dev_status_s: Annotated[float, msgspec.Meta(ge=0, le=31_536_000)] = 86_400
    rejoin_count_n: Nibble | None = None
    rejoin_time_n: Nibble | None = None
    adr_ack_limit_n: Nibble | None = None
    adr_ack_delay_n: Nibble | None = None


class ChirpStack(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[lorawan.chirpstack]`: a server (v4) that has the session keys of devices with `keys = "chirpstack"`.

    `url` is that of its page. `token_file`: an API key. Devices are asked for every `poll_s`, and when there is reason.
    """

    url: Annotated[str, msgspec.Meta(max_length=2048)]
    token_file: Annotated[str, msgspec.Meta(min_length=1, max_length=4096, description="a path")]
    ca_file: Annotated[str, msgspec.Meta(min_length=1, max_length=4096, description="a path")] | None = None
    insecure: bool = False
    poll_s: Annotated[float, msgspec.Meta(ge=60, le=86_400)] = 3600

    def __post_init__(self) -> None:
        if find_spec("google") is None or find_spec("google.protobuf") is None:
            raise ValueError("url: needs a library that is not installed: pip install 'torhaus[chirpstack]'")
        try:
            parts = urlsplit(self.url)
            host, _ = parts.hostname, parts.port
        except ValueError:
            host = None
        if not host or parts.scheme not in {"http", "https"} or parts.query or parts.fragment or parts.username:
            raise ValueError("url: must be the address of its page, such as https://chirpstack.example.org")
        is_here = host == "localhost" or host.startswith("127.") or host == "::1"
        if parts.scheme == "http" and not (self.insecure or is_here):
            raise ValueError("url: http:// shows the keys to everybody on the way; use https://, or insecure = true")


def mac_fault(mac: Mac, name: str) -> str | None:
    """What does not fit this region."""
    it = region(name)
    if mac.channels_hz is not None:
        if it.is_fixed and mac.channels_hz:
            return f"channels_hz: {name} has fixed channels, choose a sub_band"
        odd = [hz for hz in mac.channels_hz if hz % 100 or not it.min_hz <= hz <= it.max_hz]
        if odd:
            return f"channels_hz: {odd[0]} is none of {name}, which has {it.min_hz} to {it.max_hz} in steps of 100"
        if len({*mac.channels_hz, *(c.freq_hz for c in it.channels)}) < len(mac.channels_hz) + len(it.channels):
            again = next((hz for hz in mac.channels_hz if channel_of(it, hz) is not None), mac.channels_hz[0])
            return f"channels_hz: has a channel twice, or one that every device has, such as {again}"
    fault = _dl_channels_fault(mac, it)
    if fault is not None:
        return fault
    if mac.sub_band is not None and not it.is_fixed:
        return f"sub_band: {name} has none, choose channels_hz"
    if mac.rx1_dr_offset >= len(next(iter(it.rx1.values()))):
        return f"rx1_dr_offset: {name} has 0 to {len(next(iter(it.rx1.values()))) - 1}"
    if mac.rx2_dr is not None and (mac.rx2_dr not in it.rates or not it.rates[mac.rx2_dr].downlink):
        found = ", ".join(str(dr) for dr, rate in it.rates.items() if rate.downlink)
        return f"rx2_dr: {name} has {found}"
    if mac.rx2_hz is not None and (mac.rx2_hz % 100 or not it.min_hz <= mac.rx2_hz <= it.max_hz):
        return f"rx2_hz: {name} has {it.min_hz} to {it.max_hz} in steps of 100"
    if mac.dwell_time is not None and not it.tx_param_setup:
        return f"dwell_time: {name} has no such setting"
    if (mac.rejoin_count_n is None) != (mac.rejoin_time_n is None):
        return "rejoin_count_n: goes with rejoin_time_n, set both or none"
    if (mac.adr_ack_limit_n is None) != (mac.adr_ack_delay_n is None):
        return "adr_ack_limit_n: goes with adr_ack_delay_n, set both or none"
    return rate_fault(mac.adr, name)


def _dl_channels_fault(mac: Mac, it: Region) -> str | None:
    if mac.dl_channels_hz and it.is_fixed:
        return f"dl_channels_hz: {it.name} has fixed channels for downlinks"
    own = EU868_HZ if it.name == "EU868" and mac.channels_hz is None else mac.channels_hz or ()
    have = {*own, *(c.freq_hz for c in it.channels)}
    for up, down in mac.dl_channels_hz:
        if up not in have:
            return f"dl_channels_hz: {up} is no channel here: add it to channels_hz, or take it out"
        if down % 100 or not it.min_hz <= down <= it.max_hz:
            return f"dl_channels_hz: {down} is none of {it.name}, which has {it.min_hz} to {it.max_hz} in steps of 100"
    if len({up for up, _ in mac.dl_channels_hz}) < len(mac.dl_channels_hz):
        return "dl_channels_hz: has an uplink's frequency twice"
    return None


def rate_fault(adr: Adr | None, name: str) -> str | None:
    """What is wrong with a fixed rate in this region."""
    if not isinstance(adr, AdrSetting) or adr.data_rate is None:
        return None
    it = region(name)
    try:
        rate = it.rates[adr.data_rate]
    except KeyError:
        return f"adr: {name} has no DR{adr.data_rate}"
    if not rate.uplink or rate.modulation == "LR-FHSS":
        return f"adr: devices do not send with DR{adr.data_rate} in {name}"
    return None if adr.tx_power <= it.tx_power_steps else f"adr: {name} has tx_power 0 to {it.tx_power_steps}"
