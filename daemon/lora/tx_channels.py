"""The channel numbers that an uplink may have been sent on: they enter the MIC of LoRaWAN 1.1. Pure."""

from typing import Final

from torhaus.codecs.lorawan.region import channel_of, region
from torhaus.daemon.outbox.record import Lora

_CHANNELS: Final = tuple(range(16))
_EU868: Final = {
    hz: n
    for n, hz in enumerate(
        (868_100_000, 868_300_000, 868_500_000, 867_100_000, 867_300_000, 867_500_000, 867_700_000, 867_900_000)
    )
}


def tx_channels(name: str, lora: Lora) -> tuple[int, ...]:
    """The device's channel numbers that a frequency may have in this region, the likeliest first.

    The numbers are the device's own; a gateway does not know them. EU868 starts with three fixed ones (RP002-1.0.4,
    EU863-870), the others are usually 867.1 to 867.9 MHz in order. US915 and AU915 have fixed ones alone.
    Elsewhere all are tried in turn.
    """
    if (it := region(name)).is_fixed:
        number = channel_of(it, lora.freq_hz, lora.dr)
        return () if number is None else (number,)
    likely = _EU868.get(lora.freq_hz) if name == "EU868" else None
    return _CHANNELS if likely is None else (likely, *(c for c in _CHANNELS if c != likely))
