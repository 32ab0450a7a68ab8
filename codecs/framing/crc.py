"""Checksums of serial protocols, computed by the standard library's C routine.

`binascii.crc_hqx` is CRC-16 with polynomial 0x1021, most significant bit first. The two checksums here use the same
polynomial least significant bit first, so the input bytes and the result are mirrored bit by bit.
Names and check values: Greg Cook's catalogue of parametrised CRC algorithms, width 16.
"""

from binascii import crc_hqx
from typing import Final

_MIRROR: Final = bytes(int(f"{n:08b}"[::-1], 2) for n in range(256))


def crc16_x25(data: bytes) -> int:
    """CRC-16/IBM-SDLC, also X-25 (DIN EN 62056-46): init 0xFFFF, inverted at the end. b"123456789" gives 0x906E."""
    crc = crc_hqx(data.translate(_MIRROR), 0xFFFF)
    return (_MIRROR[crc & 0xFF] << 8 | _MIRROR[crc >> 8]) ^ 0xFFFF


def crc16_kermit(data: bytes) -> int:
    """CRC-16/KERMIT, also called CCITT true: init 0, not inverted. b"123456789" gives 0x2189."""
    crc = crc_hqx(data.translate(_MIRROR), 0)
    return _MIRROR[crc & 0xFF] << 8 | _MIRROR[crc >> 8]
