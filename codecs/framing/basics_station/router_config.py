"""`router_config`: what the server tells a station about channels, data rates and filters. LNS protocol, of that name.

What belongs to the hardware (gains, clock source, type of radio) stays the station's own: only frequencies are said. A
station since release 2.0.4 allots its demodulators by `upchannels` itself; older ones take `sx1301_conf` as it is.
"""

from collections.abc import Sequence
from typing import Any, Final

import msgspec

from torhaus.codecs.framing.basics_station.plan import Plan
from torhaus.codecs.lorawan.regions.model import Channel, Region

DATA_RATES: Final = 16
MAX_JOIN_EUIS: Final = 10
"""Ranges that a station keeps."""
NO_RATE: Final = (-1, 0, 0)
_FSK: Final = (0, 0, 0)

_NAMES: Final = {
    "EU868": "EU863",  # as all releases know it; 2.0.6 takes it for EU868
    "US915": "US902",
    "AS923": "AS923-1",
    "AU915": "AU915",
    "KR920": "KR920",
}
_LIKE: Final = "AU915"
"""A station drops every downlink while it does not know its region (2.0.6, s2e_onMsg), and knows none but those above.
AU915 has a limit of power for it and no further rule, and `max_eirp` lowers that limit to what the region allows."""


def router_config(
    region: Region,
    plan: Plan,
    *,
    utc_s: float | None = None,
    net_ids: Sequence[int] | None = None,
    join_euis: Sequence[tuple[int, int]] | None = None,
    max_eirp_dbm: float | None = None,
    beacon: bool = False,
) -> bytes:
    """The message. `utc_s` is the time now, where it is known.

    `net_ids` (0 to 127, the first seven bits of a DevAddr) and `join_euis` (first and last, up to ten) make the station
    drop all other frames. `max_eirp_dbm` can only lower what the station allows itself by its region.
    """
    message: dict[str, Any] = {
        "msgtype": "router_config",
        "NetID": None if net_ids is None else list(net_ids),
        "JoinEui": None if join_euis is None else [list(r) for r in join_euis],
        "region": _NAMES.get(region.name, _LIKE),
        "hwspec": "sx1301/1",
        "freq_range": [region.min_hz, region.max_hz],
        "DRs": [_rate(region, dr) for dr in range(DATA_RATES)],
        "sx1301_conf": [_radios(region, plan)],
        "upchannels": [[c.freq_hz, c.min_dr, c.max_dr] for c in plan.channels()],
        "bcning": _beacon(region) if beacon else None,
    }
    if region.name not in _NAMES and max_eirp_dbm is None:
        max_eirp_dbm = region.max_eirp_dbm
    if max_eirp_dbm is not None:
        message["max_eirp"] = max_eirp_dbm
    if utc_s is not None:
        message["MuxTime"] = utc_s
    return msgspec.json.encode(message)


def lora_of(datarate: str) -> tuple[int, int] | None:
    """Spreading factor and bandwidth in kHz of a LoRa data rate such as "SF7BW125"; None for others."""
    if not datarate.startswith("SF"):
        return None
    sf, _, bandwidth = datarate[2:].partition("BW")
    return int(sf), int(bandwidth)


def _rate(region: Region, dr: int) -> tuple[int, int, int]:
    """Spreading factor, bandwidth in kHz, and 1 where only gateways send so."""
    rate = region.rates.get(dr)
    if rate is None or rate.modulation == "LR-FHSS":
        return NO_RATE
    if rate.modulation == "FSK":
        return _FSK
    sf, bandwidth = lora_of(rate.datarate) or (-1, 0)
    return sf, bandwidth, int(not rate.uplink)


def _radios(region: Region, plan: Plan) -> dict[str, Any]:
    found: dict[str, Any] = {f"radio_{n}": {"enable": True, "freq": hz} for n, hz in enumerate(plan.radios_hz)}
    for n in range(8):
        channel = plan.narrow[n] if n < len(plan.narrow) else None
        found[f"chan_multiSF_{n}"] = _demodulator(plan, channel)
    found["chan_Lora_std"] = wide = _demodulator(plan, plan.wide)
    if plan.wide is not None:
        sf, bandwidth = lora_of(region.rates[plan.wide.max_dr].datarate) or (0, 0)
        wide |= {"bandwidth": 1000 * bandwidth, "spread_factor": sf}
    found["chan_FSK"] = fsk = _demodulator(plan, plan.fsk)
    if plan.fsk is not None:
        fsk |= {"bandwidth": 125_000, "datarate": int(region.rates[plan.fsk.max_dr].datarate)}
    return found


def _demodulator(plan: Plan, channel: Channel | None) -> dict[str, Any]:
    if channel is None:
        return {"enable": False}
    radio = plan.radio_of(channel.freq_hz)
    return {"enable": True, "radio": radio, "if": channel.freq_hz - plan.radios_hz[radio]}


def _beacon(region: Region) -> dict[str, Any]:
    """`layout`: where the time is, where InfoDesc is, and how long a beacon is, in bytes."""
    b = region.beacon
    info = b.rfu1_bytes + 4 + 2
    return {"DR": b.dr, "layout": [b.rfu1_bytes, info, b.size_bytes], "freqs": list(b.freqs_hz)}
