"""The air of a simulated town: who hears a frame, how well, and what is lost to distance, fading and collisions. Pure.

Path loss: 128.95 dB at 1 km and 23.2 dB more for each tenfold distance, 7.8 dB of shadowing, as measured in a town at
868 MHz (Petäjäjärvi and others, "On the coverage of LPWANs", ITST 2015). A frame is received when its SNR is what its
spreading factor needs (SX1276 data sheet, table 13), and no other frame of the same frequency and spreading factor
is on air within 6 dB of it. A gateway that sends hears nothing.
"""

import math
from collections.abc import Sequence
from random import Random
from typing import Final

import msgspec

from torhaus.daemon.simulate.model import Transmission

FLOOR_DB: Final = {12: -20.0, 11: -17.5, 10: -15.0, 9: -12.5, 8: -10.0, 7: -7.5}
NOISE_DBM: Final = -117.0
"""Of 125 kHz at room temperature, with a receiver's 6 dB."""
CAPTURE_DB: Final = 6.0
GATEWAY_DBM: Final = 16.0
RSSI_MAX_DBM: Final = -30.0
SNR_MAX_DB: Final = 12.0
_SHADOW_DB: Final = 7.8
_FADING_DB: Final = 2.0
_AT_1_KM_DB: Final = 128.95
_PER_DECADE_DB: Final = 23.2
_NEAR_KM: Final = 0.02


class Reception(msgspec.Struct, frozen=True, gc=False):
    """That a gateway heard a frame."""

    gateway: int
    rssi_dbm: float
    snr_db: float


class _OnAir(msgspec.Struct, gc=False, eq=False):
    sent: Transmission
    rssi_dbm: list[float]  # at each gateway
    beside: "list[_OnAir]"


class Air:
    """Places are in km. `loss` is the part of receptions that is lost for no reason that anybody knows."""

    def __init__(
        self,
        devices: Sequence[tuple[float, float]],
        gateways: Sequence[tuple[float, float]],
        seed: object = 0,
        loss: float = 0.0,
    ) -> None:
        self._random = Random(f"air {seed}")
        self._loss = loss
        shadow = self._random.gauss
        self._gain_db = [[-path_loss_db(math.dist(d, g)) + shadow(0.0, _SHADOW_DB) for g in gateways] for d in devices]
        self._on_air: list[_OnAir] = []
        self._sending: list[list[tuple[int, int]]] = [[] for _ in gateways]
        self.collisions = 0

    def begin(self, device: int, sent: Transmission) -> object:
        """A device begins to send; what comes back is for `end`."""
        fade = self._random.gauss
        self._on_air = [other for other in self._on_air if other.sent.end_us > sent.start_us]
        beside = [o for o in self._on_air if (o.sent.freq_hz, o.sent.datarate) == (sent.freq_hz, sent.datarate)]
        level = [min(RSSI_MAX_DBM, sent.power_dbm + gain + fade(0.0, _FADING_DB)) for gain in self._gain_db[device]]
        it = _OnAir(sent, level, beside)
        for other in beside:
            other.beside.append(it)
        self._on_air.append(it)
        return it

    def end(self, begun: object) -> list[Reception]:
        """It is over: which gateways heard it."""
        assert isinstance(begun, _OnAir)
        sent, floor = begun.sent, floor_db(begun.sent.datarate)
        found = []
        for gateway, level in enumerate(begun.rssi_dbm):
            snr = level - NOISE_DBM
            if snr < floor or self._is_deaf(gateway, sent) or (self._loss and self._random.random() < self._loss):
                continue
            if any(level - other.rssi_dbm[gateway] < CAPTURE_DB for other in begun.beside):
                self.collisions += 1
                continue
            found.append(Reception(gateway, round(level, 1), round(min(snr, SNR_MAX_DB), 1)))
        return found

    def sends(self, gateway: int, start_us: int, end_us: int) -> None:
        """A gateway sends meanwhile."""
        busy = self._sending[gateway]
        busy[:] = [(a, b) for a, b in busy[-64:] if b > start_us - 10_000_000]
        busy.append((start_us, end_us))

    def snr_at(self, device: int, gateway: int, power_dbm: float = GATEWAY_DBM) -> float:
        """How well a device hears a gateway just now."""
        fade = self._random.gauss(0.0, _FADING_DB)
        return min(SNR_MAX_DB, power_dbm + self._gain_db[device][gateway] + fade - NOISE_DBM)

    def is_lost(self) -> bool:
        """Whether a downlink is lost for no reason."""
        return bool(self._loss) and self._random.random() < self._loss

    def _is_deaf(self, gateway: int, sent: Transmission) -> bool:
        return any(a < sent.end_us and b > sent.start_us for a, b in self._sending[gateway])


def floor_db(rate: str) -> float:
    """The SNR that a data rate needs; FSK is taken for SF7."""
    digits = rate.removeprefix("SF").partition("BW")[0]
    return FLOOR_DB.get(int(digits), FLOOR_DB[7]) if rate.startswith("SF") else FLOOR_DB[7]


def path_loss_db(km: float) -> float:
    """What is lost on the way, in the mean."""
    return _AT_1_KM_DB + _PER_DECADE_DB * math.log10(max(km, _NEAR_KM))


def places(devices: int, gateways: int, seed: object, radius_km: float) -> tuple[list[tuple[float, float]], ...]:
    """Devices anywhere within the radius, gateways on a ring of half of it (one: in the middle)."""
    random = Random(f"places {seed}")
    found = []
    for _ in range(devices):
        r, angle = radius_km * math.sqrt(random.random()), random.uniform(0.0, math.tau)
        found.append((r * math.cos(angle), r * math.sin(angle)))
    ring = 0.0 if gateways == 1 else radius_km / 2
    masts = [
        (ring * math.cos(math.tau * n / gateways), ring * math.sin(math.tau * n / gateways)) for n in range(gateways)
    ]
    return found, masts
