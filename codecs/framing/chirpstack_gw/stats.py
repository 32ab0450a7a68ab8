"""A gateway's report: gw.proto's GatewayStats to flat values by their GWMP names, and back.

| here | gw.proto |
|---|---|
| `time`, `lati`, `long`, `alti` | time (as GWMP writes it), location |
| `rxnb`, `rxok`, `dwnb`, `txnb` | rx_packets_received, …_ok, tx_packets_received, …_emitted |
| `config_version`, `meta_<key>` | config_version, metadata |
| `rx_hz_868100000`, `tx_hz_…` | rx/tx_packets_per_frequency |
| `rx_SF7BW125_4/5`, `tx_…` | rx/tx_packets_per_modulation |
| `tx_OK`, `tx_TOO_LATE` … | tx_packets_per_status |
| `duty_<band>_s`, `duty_<band>_max_s` | duty_cycle_stats: seconds on air within the window, and allowed (not back) |
"""

import math
import re
from typing import Final

from torhaus.codecs.framing.chirpstack_gw.fields import MAX_TEXT, Moment
from torhaus.codecs.framing.chirpstack_gw.messages import (
    MAX_META,
    GatewayStats,
    Location,
    Modulation,
    PerModulationCount,
    TxAckStatus,
)
from torhaus.codecs.framing.chirpstack_gw.modulation import uplink_modulation, words
from torhaus.codecs.framing.chirpstack_gw.times import SECOND, format_moment
from torhaus.codecs.model import DecodeError

Values = dict[str, float | int | str]

MAX_VALUES: Final = 64
MAX_NAME: Final = 64
MAX_VALUE: Final = 128
_U32: Final = (1 << 32) - 1
_PER_FREQUENCY: Final = re.compile(r"([rt]x)_hz_(\d{1,10})", re.ASCII)
_PER_MODULATION: Final = re.compile(r"([rt]x)_(?:(SF\w+|M\dCW\d+)(?:_(\d/\d(?:LI)?))?|(\d+)bps)", re.ASCII)
_PLACE: Final = ("time", "lati", "long", "alti", "config_version", "rxnb", "rxok", "dwnb", "txnb", "gateway")


def stat_values(stats: GatewayStats) -> Values:
    """The report as flat values; at most 64, those that say most first."""
    out: Values = {}
    if stats.time is not None:
        out["time"] = format_moment(stats.time.ns // SECOND * SECOND).replace("T", " ").replace("Z", " GMT")
    out |= place_values(stats.location)
    out |= {"rxnb": stats.rx_packets_received, "rxok": stats.rx_packets_received_ok}
    out |= {"dwnb": stats.tx_packets_received, "txnb": stats.tx_packets_emitted}
    if stats.config_version:
        out["config_version"] = stats.config_version[:MAX_VALUE]
    out |= {f"meta_{key}": value[:MAX_VALUE] for key, value in stats.metadata.items()}
    out |= {f"tx_{status}": n for status, n in stats.tx_packets_per_status.items()}
    if stats.duty_cycle_stats is not None:
        for band in stats.duty_cycle_stats.bands:
            for name, span in ((f"duty_{band.name}_s", band.load_tracked), (f"duty_{band.name}_max_s", band.load_max)):
                if span is not None:
                    out[name] = span.ns / SECOND
    out |= _counted("rx", stats.rx_packets_per_frequency, stats.rx_packets_per_modulation)
    out |= _counted("tx", stats.tx_packets_per_frequency, stats.tx_packets_per_modulation)
    kept = [(name, value) for name, value in out.items() if len(name) <= MAX_NAME]
    return dict(kept[:MAX_VALUES])


def place_values(place: Location | None) -> Values:
    """A position as `lati`, `long`, `alti`; empty when it is not known (0, 0 in the Gulf of Guinea means that, too)."""
    if place is None or not all(map(math.isfinite, (place.latitude, place.longitude, place.altitude))):
        return {}
    if not (place.latitude or place.longitude):
        return {}
    return {"lati": place.latitude, "long": place.longitude, "alti": place.altitude}


def _counted(way: str, per_frequency: dict[int, int], per_modulation: list[PerModulationCount]) -> Values:
    out: Values = {f"{way}_hz_{hz}": n for hz, n in per_frequency.items()}
    for each in per_modulation:
        try:
            modulation, datarate, coderate = words(each.modulation)
        except DecodeError:
            continue  # one that has no words is in the sums all the same
        name = f"{datarate}bps" if modulation == "FSK" else f"{datarate}_{coderate}" if coderate else datarate
        out[f"{way}_{name}"] = each.count
    return out


def gateway_stats(gateway: str, values: Values, at_ns: int | None) -> GatewayStats:
    """The message of a report; `at_ns` is when it came (Unix time), if that is known. Never raises.

    Besides the names above those of any GWMP `stat` are understood; what gw.proto has no place for (`temp`, `ackr`)
    goes into its metadata.
    """
    stats = GatewayStats(
        gateway,
        time=None if at_ns is None else Moment(at_ns),
        location=_location(values),
        config_version=str(values.get("config_version", ""))[:MAX_TEXT],
        rx_packets_received=_count(values.get("rxnb")) or 0,
        rx_packets_received_ok=_count(values.get("rxok")) or 0,
        tx_packets_received=_count(values.get("dwnb")) or 0,
        tx_packets_emitted=_count(values.get("txnb")) or 0,
    )
    for name, value in values.items():
        if name not in _PLACE and not _sort(stats, name, value) and len(stats.metadata) < MAX_META:
            text = value if isinstance(value, str) else f"{value:g}" if isinstance(value, float) else str(value)
            stats.metadata[name.removeprefix("meta_")[:MAX_TEXT]] = text[:MAX_TEXT]
    return stats


def _sort(stats: GatewayStats, name: str, value: float | str) -> bool:
    """Put a count where it belongs; False when it is none of those."""
    count = _count(value)
    if count is None:
        return False
    if (found := _PER_FREQUENCY.fullmatch(name)) is not None and int(found[2]) <= _U32:
        per_frequency = stats.rx_packets_per_frequency if found[1] == "rx" else stats.tx_packets_per_frequency
        per_frequency[int(found[2])] = count
        return True
    if name.removeprefix("tx_") in TxAckStatus.__members__:
        stats.tx_packets_per_status[name.removeprefix("tx_")] = count
        return True
    if (found := _PER_MODULATION.fullmatch(name)) is not None:
        way, datarate, coderate, bps = found.groups()
        modulation = _modulation(datarate, coderate, bps)
        if modulation is not None:
            per = stats.rx_packets_per_modulation if way == "rx" else stats.tx_packets_per_modulation
            per.append(PerModulationCount(modulation, count))
            return True
    return name.startswith("duty_")


def _modulation(datarate: str | None, coderate: str | None, bps: str | None) -> Modulation | None:
    kind = "FSK" if datarate is None else "LORA" if datarate.startswith("SF") else "LR-FHSS"
    try:
        return uplink_modulation(kind, datarate or bps or "", coderate)
    except DecodeError:
        return None


def _count(value: float | str | None) -> int | None:
    return round(value) if isinstance(value, int | float) and 0 <= value <= _U32 else None


def _location(values: Values) -> Location | None:
    lati, long, alti = values.get("lati"), values.get("long"), values.get("alti", 0.0)
    if not (isinstance(lati, int | float) and isinstance(long, int | float) and isinstance(alti, int | float)):
        return None
    if not (abs(lati) <= 90 and abs(long) <= 180 and abs(alti) <= 100_000):
        return None
    return Location(float(lati), float(long), float(alti))
