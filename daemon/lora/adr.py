"""Adaptive data rate: which data rate, power and number of repetitions suit a device. Pure.

Semtech's recommended algorithm ("simple rate adaptation"), as ChirpStack's default one has it (src/adr/default.rs; the
paper itself was not at hand): over the last 20 uplinks, the best SNR less what the data rate needs less a margin is
what is to spare; each 3 dB of it are one step. Steps are taken by the data rate first, then by the power; when there is
less than the margin the power is raised, and the data rate never lowered: a device that is not heard does that by
itself. The usual margin is 10 dB; here it is 15 dB by default, as in The Things Stack. A step of power is 2 dB since
RP002, less than the 3 dB that a step is worth: this is on the safe side.
"""

from collections.abc import Sequence
from typing import Final

import msgspec

from torhaus.codecs.lorawan.regions.model import Region

WINDOW: Final = 20
"""Uplinks that are looked at: with fewer nothing is decided."""
STEP_DB: Final = 3.0
MAX_NB_TRANS: Final = 3
_SNR_FLOOR_DB: Final = {12: -20.0, 11: -17.5, 10: -15.0, 9: -12.5, 8: -10.0, 7: -7.5, 6: -5.0, 5: -2.5}
"""What a demodulator needs, by spreading factor (SX1276 data sheet, table 13)."""
_LOSSES: Final = ((0.05, (1, 1, 2)), (0.10, (1, 2, 3)), (0.30, (2, 3, 3)), (1.01, (3, 3, 3)))
"""The next NbTrans for 1, 2 and 3, by the part of uplinks that is lost (the table there)."""


class Heard(msgspec.Struct, gc=False):
    """One uplink: its counter, and the SNR of the gateway that heard it best; None where no gateway says."""

    fcnt: int
    snr_db: float | None


class Setting(msgspec.Struct, frozen=True, gc=False):
    """What LinkADRReq sets; `tx_power` is an index, 0 for the most."""

    data_rate: int
    tx_power: int
    nb_trans: int = 1


class Limits(msgspec.Struct, frozen=True, gc=False):
    """What the region, its channels and the device allow."""

    max_dr: int
    max_tx_power: int
    min_dr: int = 0


def snr_floor_db(datarate: str) -> float | None:
    """The SNR that a LoRa data rate such as "SF7BW125" needs; None for what has no spreading factor."""
    digits = datarate.removeprefix("SF").partition("BW")[0]
    return _SNR_FLOOR_DB.get(int(digits)) if digits.isascii() and digits.isdigit() and len(digits) < 3 else None


def loss(heard: Sequence[Heard]) -> float:
    """The part of uplinks that never came, 0 to 1, by the gaps of the counters."""
    if len(heard) < 2:
        return 0.0
    sent = heard[-1].fcnt - heard[0].fcnt + 1
    return max(0.0, 1 - len(heard) / sent) if sent > 0 else 0.0


def margin_db(heard: Sequence[Heard], datarate: str) -> float | None:
    """By how much the best of these uplinks was better than what its data rate needs; None where nobody can tell."""
    floor = snr_floor_db(datarate)
    best = max((h.snr_db for h in heard if h.snr_db is not None), default=None)
    return None if floor is None or best is None else best - floor


def decide(heard: Sequence[Heard], now: Setting, limits: Limits, region: Region, wanted_margin_db: float) -> Setting:
    """What the device is to use; `now` when there is nothing to change, or too little is known."""
    rate = region.rates.get(now.data_rate)
    if len(heard) < WINDOW or rate is None:
        return now
    nb_trans = _nb_trans(now.nb_trans, loss(heard))
    margin = margin_db(heard, rate.datarate)
    if margin is None:
        return msgspec.structs.replace(now, nb_trans=nb_trans)
    steps = int((margin - wanted_margin_db) / STEP_DB)
    dr, power = max(now.data_rate, limits.min_dr), now.tx_power
    if steps < 0:
        return Setting(dr, max(0, power + steps), nb_trans)
    faster = max(0, min(steps, limits.max_dr - dr))
    power = max(power, min(limits.max_tx_power, power + steps - faster))
    return Setting(dr + faster, power, nb_trans)


def _nb_trans(now: int, lost: float) -> int:
    row = next(row for bound, row in _LOSSES if lost < bound)
    return row[min(max(now, 1), MAX_NB_TRANS) - 1]
