"""Modulations: gw.proto's numbers to the words of GWMP that torhaus uses ("LORA", "SF7BW125", "4/5") and back."""

import re
from functools import lru_cache
from typing import Final

from torhaus.codecs.framing.chirpstack_gw.messages import (
    CodeRate,
    FskModulationInfo,
    LoraModulationInfo,
    LrFhssModulationInfo,
    Modulation,
)
from torhaus.codecs.model import DecodeError, RejectReason

_LORA: Final = re.compile(r"SF(\d{1,2})BW(\d{1,4}(?:\.\d{1,2})?)", re.ASCII)
_LR_FHSS: Final = re.compile(r"M\dCW(\d{1,5})", re.ASCII)
_ODD_BANDWIDTHS: Final = {"203": 203_125, "406": 406_250, "812": 812_500}
"""Of the 2.4 GHz band: GWMP has them in whole kHz."""
_KHZ: Final = {hz: khz for khz, hz in _ODD_BANDWIDTHS.items()}

_CODE_RATES: Final = {
    "4/5": CodeRate.CR_4_5,
    "4/6": CodeRate.CR_4_6,
    "2/3": CodeRate.CR_4_6,
    "4/7": CodeRate.CR_4_7,
    "4/8": CodeRate.CR_4_8,
    "2/4": CodeRate.CR_4_8,
    "1/2": CodeRate.CR_4_8,
    "3/8": CodeRate.CR_3_8,
    "2/6": CodeRate.CR_2_6,
    "1/3": CodeRate.CR_2_6,
    "1/4": CodeRate.CR_1_4,
    "1/6": CodeRate.CR_1_6,
    "5/6": CodeRate.CR_5_6,
    "4/5LI": CodeRate.CR_LI_4_5,
    "4/6LI": CodeRate.CR_LI_4_6,
    "4/8LI": CodeRate.CR_LI_4_8,
}
_CODERATES: Final = {rate: text for text, rate in reversed(_CODE_RATES.items())}  # the first spelling counts


def code_rate(coderate: str | None) -> CodeRate:
    """Of GWMP's `codr`; CR_UNDEFINED for what gw.proto has no name for."""
    return _CODE_RATES.get(coderate or "", CodeRate.CR_UNDEFINED)


def coderate(rate: CodeRate) -> str | None:
    """GWMP's `codr`: "4/5", "4/8LI"; None for CR_UNDEFINED."""
    return _CODERATES.get(rate)


@lru_cache(maxsize=256)  # a site hears a few rates, thousands of times a second at most
def lora(
    datarate: str, rate: str | None, *, invert: bool = False, preamble: int = 0, no_crc: bool = False
) -> Modulation:
    """LoRa of "SF7BW125" and "4/5". DecodeError(RANGE) for anything else."""
    found = _LORA.fullmatch(datarate)
    if found is None:
        raise DecodeError(RejectReason.RANGE, f"{datarate[:16]!r} is no LoRa data rate")
    factor, khz = found.groups()
    bandwidth = _ODD_BANDWIDTHS.get(khz) or round(float(khz) * 1000)
    return Modulation(lora=LoraModulationInfo(bandwidth, int(factor), invert, code_rate(rate), preamble, no_crc))


@lru_cache(maxsize=256)
def uplink_modulation(modulation: str, datarate: str, rate: str | None, grid_steps: int = 0) -> Modulation:
    """From the words of a Radio. DecodeError(RANGE) when gw.proto cannot say it."""
    if modulation == "LORA":
        return lora(datarate, rate)
    if modulation == "FSK" and datarate.isascii() and datarate.isdigit() and len(datarate) < 10:
        return Modulation(fsk=FskModulationInfo(datarate=int(datarate)))
    found = _LR_FHSS.fullmatch(datarate)
    if modulation == "LR-FHSS" and found is not None:
        return Modulation(lr_fhss=LrFhssModulationInfo(int(found[1]) * 1000, grid_steps, code_rate(rate)))
    raise DecodeError(RejectReason.RANGE, f"{modulation[:16]} with data rate {datarate[:16]!r}")


@lru_cache(maxsize=256)
def words(modulation: Modulation | None) -> tuple[str, str, str | None]:
    """Modulation, data rate and code rate as Radio and TxItem have them. DecodeError(RANGE) when they have no words."""
    if modulation is not None and modulation.lora is not None:
        info = modulation.lora
        if not 5 <= info.spreading_factor <= 12 or not 1_000 <= info.bandwidth < 10_000_000:
            raise DecodeError(RejectReason.RANGE, f"LoRa SF{info.spreading_factor} with {info.bandwidth} Hz")
        khz = _KHZ.get(info.bandwidth) or f"{info.bandwidth / 1000:.2f}".rstrip("0").rstrip(".")
        return "LORA", f"SF{info.spreading_factor}BW{khz}", coderate(info.code_rate)
    if modulation is not None and modulation.fsk is not None:
        rate = modulation.fsk.datarate
        if not 300 <= rate <= 500_000:
            raise DecodeError(RejectReason.RANGE, f"FSK with {rate} bit/s")
        return "FSK", str(rate), None
    if modulation is not None and modulation.lr_fhss is not None:
        width = modulation.lr_fhss.operating_channel_width
        if not 1_000 <= width < 100_000_000:
            raise DecodeError(RejectReason.RANGE, f"LR-FHSS with {width} Hz")
        return "LR-FHSS", f"M0CW{width // 1000}", coderate(modulation.lr_fhss.code_rate)
    raise DecodeError(RejectReason.UNKNOWN_TYPE, "no modulation that is known")
