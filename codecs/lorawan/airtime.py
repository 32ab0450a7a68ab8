"""Time on air of a packet, in microseconds.

LoRa: Semtech AN1200.13 and the SX1276 datasheet section 4.1.1.7; SF5 and SF6 as SX1261/2 datasheet section 6.1.4 has
them. FSK: SX1276 datasheet section 4.2 with LoRaWAN's 5 bytes of preamble and 3 of sync word. LR-FHSS: AN1200.64.
"""

import re
from typing import Final

from torhaus.codecs.lorawan.phy import MAX_PHY_BYTES
from torhaus.codecs.model import DecodeError, RejectReason

PREAMBLE_SYMBOLS: Final = 8
_CODE_RATES: Final = {"4/5": 5, "4/6": 6, "2/3": 6, "4/7": 7, "4/8": 8, "1/2": 8}
_LORA: Final = re.compile(r"SF(5|6|7|8|9|10|11|12)BW(\d{2,4})", re.ASCII)
_LR_FHSS: Final = re.compile(r"M0CW\d{3,4}", re.ASCII)
_LOW_RATE_SYMBOL_US: Final = 16_000
"""Symbols of this length and longer need low-data-rate optimisation: SF11 and SF12 with 125 kHz, SF12 with 250."""

_FSK_FRAME_BYTES: Final = 5 + 3 + 1 + 2  # preamble, sync word, length, CRC
_LR_FHSS_BIT_US: Final = 2048  # 488.28125 bit/s
_LR_FHSS_HEADER_BITS: Final = 114
_LR_FHSS_BLOCK_BITS: Final = 48  # followed by two more on air
_LR_FHSS_RATES: Final = {"1/3": (3, 1, 3), "2/6": (3, 1, 3), "2/3": (3, 2, 2), "4/6": (3, 2, 2)}
"""Coded bits for so many bits of payload, and copies of the header (RP002-1.0.4, LR-FHSS physical layer)."""


def airtime_us(
    modulation: str, datarate: str, size: int, coderate: str | None = None, *, uplink: bool = True, preamble: int = 8
) -> int:
    """Time on air of a LoRaWAN frame of `size` bytes PHYPayload, modulation and rates as in `Radio`.

    Uplinks have a radio CRC, LoRa downlinks have none. Without `coderate` LoRa has 4/5; LR-FHSS needs it. Raises
    DecodeError: RANGE for sizes and preambles no packet has, SYNTAX for a data rate or code rate that is none.
    """
    if modulation == "LORA":
        found = _LORA.fullmatch(datarate)
        if found is None:
            raise DecodeError(RejectReason.SYNTAX, f"no LoRa data rate: {datarate[:20]}")
        sf, bandwidth_hz = int(found[1]), int(found[2]) * 1000
        return lora_us(size, sf, bandwidth_hz, coderate or "4/5", preamble=preamble, crc=uplink)
    if modulation == "FSK":
        if not (datarate.isascii() and datarate.isdecimal() and 3 <= len(datarate) <= 6):
            raise DecodeError(RejectReason.SYNTAX, f"no FSK bit rate: {datarate[:20]}")
        return fsk_us(size, int(datarate))
    if modulation == "LR-FHSS" and _LR_FHSS.fullmatch(datarate):
        return lr_fhss_us(size, coderate or "")
    raise DecodeError(RejectReason.SYNTAX, f"no modulation and data rate: {modulation[:20]} {datarate[:20]}")


def lora_us(
    size: int,
    sf: int,
    bandwidth_hz: int,
    coderate: str = "4/5",
    *,
    preamble: int = PREAMBLE_SYMBOLS,
    header: bool = True,
    crc: bool = True,
    low_data_rate: bool | None = None,
) -> int:
    """Time on air of a LoRa packet. `header`: explicit, as in all frames but beacons.

    `low_data_rate` None: where the symbol's length asks for it, as LoRaWAN does. Raises DecodeError as `airtime_us`.
    """
    _check_size(size)
    code = _CODE_RATES.get(coderate)
    if code is None:
        raise DecodeError(RejectReason.SYNTAX, f"no LoRa code rate: {coderate[:20]}")
    if not (5 <= sf <= 12 and 7_000 <= bandwidth_hz <= 2_000_000 and 4 <= preamble <= 65_535):
        raise DecodeError(RejectReason.RANGE, f"no LoRa packet: SF{sf}, {bandwidth_hz} Hz, preamble {preamble}")
    if low_data_rate is None:
        low_data_rate = (1 << sf) * 1_000_000 >= _LOW_RATE_SYMBOL_US * bandwidth_hz
    bits = 8 * size + 16 * crc + 20 * header - 4 * sf
    if sf >= 7:
        bits += 8
    symbols = max(0, -(-bits // (4 * (sf - 2 * low_data_rate)))) * code
    quarters = 4 * (preamble + 8 + symbols) + (17 if sf >= 7 else 25)
    return round(quarters * (1 << sf) * 250_000 / bandwidth_hz)


def fsk_us(size: int, bit_rate: int = 50_000) -> int:
    """Time on air of an FSK packet, up or down. Raises DecodeError(RANGE)."""
    _check_size(size)
    if bit_rate <= 0:
        raise DecodeError(RejectReason.RANGE, f"no bit rate: {bit_rate}")
    return round((_FSK_FRAME_BYTES + size) * 8_000_000 / bit_rate)


def lr_fhss_us(size: int, coderate: str) -> int:
    """Time on air of an LR-FHSS uplink. Raises DecodeError: RANGE, SYNTAX for a code rate LoRaWAN does not use."""
    _check_size(size)
    rate = _LR_FHSS_RATES.get(coderate)
    if rate is None:
        raise DecodeError(RejectReason.SYNTAX, f"no LR-FHSS code rate: {coderate[:20] or 'none'}")
    coded, of, headers = rate
    bits = ((size + 2) * 8 + 6) * coded // of  # with CRC, and six bits that empty the encoder
    blocks = -(-bits // _LR_FHSS_BLOCK_BITS)
    return (headers * _LR_FHSS_HEADER_BITS + bits + 2 * blocks) * _LR_FHSS_BIT_US


def _check_size(size: int) -> None:
    if not 0 <= size <= MAX_PHY_BYTES:
        raise DecodeError(RejectReason.RANGE, f"{size} bytes, a packet has at most {MAX_PHY_BYTES}")
