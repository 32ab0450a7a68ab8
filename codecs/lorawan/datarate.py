"""Data-rate index of an uplink from what a gateway reports. RP002-1.0.4, the data-rate table of each region.

Only uplink rates: where one modulation has an index for each direction (US915 DR4 and DR12), the uplink's is meant.
"""

from functools import lru_cache
from typing import Final

_LORA_125: Final = {("LORA", f"SF{sf}BW125"): 12 - sf for sf in range(7, 13)}
_FSK: Final = {("FSK", "50000"): 7}
_DR0_TO_7: Final = _LORA_125 | {("LORA", "SF7BW250"): 6} | _FSK

_LORA: Final[dict[str, dict[tuple[str, str], int]]] = {
    "EU868": _DR0_TO_7,
    "AS923": _DR0_TO_7,
    "IN865": _LORA_125 | _FSK,
    "KR920": _LORA_125,
    "AU915": _LORA_125 | {("LORA", "SF8BW500"): 6},
    "US915": {("LORA", f"SF{sf}BW125"): 10 - sf for sf in range(7, 11)} | {("LORA", "SF8BW500"): 4},
}

_THIRD: Final = 1
_TWO_THIRDS: Final = 2
_CODE_RATES: Final = {"1/3": _THIRD, "2/6": _THIRD, "2/3": _TWO_THIRDS, "4/6": _TWO_THIRDS}

_LR_FHSS: Final[dict[str, dict[str, dict[int, int]]]] = {
    "EU868": {"M0CW137": {_THIRD: 8, _TWO_THIRDS: 9}, "M0CW336": {_THIRD: 10, _TWO_THIRDS: 11}},
    "US915": {"M0CW1523": {_THIRD: 5, _TWO_THIRDS: 6}},
    "AU915": {"M0CW1523": {_THIRD: 7}},
}

_NAMES: Final = {
    "EU863": "EU868",
    "EU863-870": "EU868",
    "US902": "US915",
    "US902-928": "US915",
    "AU915-928": "AU915",
    "AS923-1": "AS923",
    "AS923-2": "AS923",
    "AS923-3": "AS923",
    "AS923-4": "AS923",
    "IN865-867": "IN865",
    "KR920-923": "KR920",
}

REGIONS: Final = tuple(_LORA)
"""The regions known here, by their common names."""


@lru_cache(maxsize=256)  # a site hears a few rates, thousands of times a second at most
def dr_index(region: str, modulation: str, datarate: str, coderate: str | None = None) -> int | None:
    """The index DR0 to DR11, or None when the region has no such uplink rate.

    Arguments are as in `Radio`: `modulation` LORA, FSK or LR-FHSS; `datarate` "SF7BW125", "50000", "M0CW137". LR-FHSS
    rates that differ by code rate only need `coderate` ("1/3" or "2/6", "2/3" or "4/6"): without it None. Regions
    also go by the names of the regional parameters ("EU863-870") and of Basics Station ("EU863"); letter case does
    not matter.
    """
    name = region.upper()
    name = _NAMES.get(name, name)
    if modulation != "LR-FHSS":
        rates = _LORA.get(name)
        return None if rates is None else rates.get((modulation, datarate))
    by_code = _LR_FHSS.get(name, {}).get(datarate)
    if by_code is None:
        return None
    if coderate is None:
        return next(iter(by_code.values())) if len(by_code) == 1 else None
    return by_code.get(_CODE_RATES.get(coderate, 0))
