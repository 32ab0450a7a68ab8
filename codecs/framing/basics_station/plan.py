"""Which channels a station listens on, and how its two radios are tuned for them.

A concentrator of the SX130x family has two radios, eight demodulators for LoRa at 125 kHz and every spreading factor,
one for LoRa of one fixed kind, and one for FSK. Each channel lies within reach of one radio (libloragw, loragw_hal.h:
925, 1000 and 1100 kHz of bandwidth for channels of 125, 250 and 500 kHz).
"""

from collections.abc import Sequence
from typing import Final

import msgspec

from torhaus.codecs.lorawan.regions.model import Channel, Region
from torhaus.codecs.model import DecodeError, RejectReason

MAX_NARROW: Final = 8
MAX_RADIOS: Final = 2
_REACH_HZ: Final = {125_000: 400_000, 250_000: 375_000, 500_000: 300_000}
"""How far from a radio's frequency the middle of a channel of this bandwidth may be."""
_FSK_REACH_HZ: Final = 400_000
_SUB_BAND: Final = 8

_USUAL_HZ: Final = {"EU868": (867_100_000, 867_300_000, 867_500_000, 867_700_000, 867_900_000)}
"""What networks add to the region's own channels, where nearly all add the same."""
_USUAL_WIDE: Final = {"EU868": (Channel(868_300_000, 6, 6), Channel(868_800_000, 7, 7))}
"""Fast LoRa and FSK, likewise."""


class Plan(msgspec.Struct, frozen=True):
    """`narrow` are channels of 125 kHz, `wide` the one of fast LoRa, `fsk` that of FSK; `radios_hz` two."""

    narrow: tuple[Channel, ...]
    wide: Channel | None
    fsk: Channel | None
    radios_hz: tuple[int, ...]

    def channels(self) -> tuple[Channel, ...]:
        """All of them, by frequency and data rate."""
        found = [c for c in (*self.narrow, self.wide, self.fsk) if c is not None]
        return tuple(sorted(found, key=lambda c: (c.freq_hz, c.min_dr)))

    def radio_of(self, freq_hz: int) -> int:
        """Which radio hears a channel: the nearest, which has it in reach."""
        return min(range(len(self.radios_hz)), key=lambda n: abs(self.radios_hz[n] - freq_hz))


def plan(region: Region, more_hz: Sequence[int] | None = None, sub_band: int | None = None) -> Plan:
    """The channels of a region: its own and `more_hz` (None: what is usual), or those of a sub-band (1 to 8).

    Raises DecodeError(RANGE), in words that a technician can use, where a concentrator cannot do it.
    """
    if region.is_fixed:
        if more_hz:
            raise _cannot(f"{region.name} has fixed channels: choose a sub_band")
        if sub_band is None or not 1 <= sub_band <= len(region.channels) // (_SUB_BAND + 1):
            raise _cannot(f"{region.name} needs a sub_band from 1 to {len(region.channels) // (_SUB_BAND + 1)}")
        first = _SUB_BAND * (sub_band - 1)
        return _plan(region, region.channels[first : first + _SUB_BAND], region.channels[64 + sub_band - 1], None)
    if sub_band is not None:
        raise _cannot(f"{region.name} has no sub-bands")
    if more_hz is None:
        more_hz = _USUAL_HZ.get(region.name, ())
    own = {c.freq_hz: c for c in region.channels}
    for hz in more_hz:
        if not region.min_hz <= hz <= region.max_hz:
            raise _cannot(f"{hz} Hz is outside of {region.name}")
        own.setdefault(hz, Channel(hz, region.channels[0].min_dr, region.channels[0].max_dr))
    wide, fsk = _USUAL_WIDE.get(region.name, (None, None))
    return _plan(region, tuple(own.values()), wide, fsk)


def _plan(region: Region, narrow: Sequence[Channel], wide: Channel | None, fsk: Channel | None) -> Plan:
    if len(narrow) > MAX_NARROW:
        raise _cannot(f"{len(narrow)} channels, but a concentrator has {MAX_NARROW} (those of the region included)")
    # what only some concentrators use must not cost a channel that all devices use
    for fast, slow in ((wide, fsk), (wide, None), (None, fsk), (None, None)):
        radios = _tune([reach(region, c) for c in (*narrow, fast, slow) if c is not None])
        if len(radios) <= MAX_RADIOS:
            both = (radios * MAX_RADIOS)[:MAX_RADIOS]  # also where one would do: the other is often the clock
            return Plan(tuple(sorted(narrow, key=lambda c: c.freq_hz)), fast, slow, both)
    raise _cannot("the channels lie too far apart for the two radios of a concentrator")


def reach(region: Region, channel: Channel) -> tuple[int, int]:
    """From where to where a radio's frequency may be, in Hz, to hear a channel."""
    bandwidth = region.rates[channel.max_dr].bandwidth_hz
    span = _REACH_HZ.get(bandwidth, _FSK_REACH_HZ)
    return channel.freq_hz - span, channel.freq_hz + span


def _tune(reaches: Sequence[tuple[int, int]]) -> tuple[int, ...]:
    """The fewest frequencies such that each channel has one in reach: always the last that the next channel allows."""
    chosen: list[int] = []
    for low, high in sorted(reaches, key=lambda r: r[1]):
        if not chosen or chosen[-1] < low:
            chosen.append(high)
    return tuple(chosen)


def _cannot(why: str) -> DecodeError:
    return DecodeError(RejectReason.RANGE, why)
