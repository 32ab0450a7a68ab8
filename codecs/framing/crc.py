"""Checksums of serial protocols, where possible computed by the standard library's C routine.

`binascii.crc_hqx` is CRC-16 with polynomial 0x1021, most significant bit first. X.25 and Kermit use the same
polynomial least significant bit first, so the input bytes and the result are mirrored bit by bit. The standard library
has nothing for polynomial 0x8005: that goes by a table.
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


def _table_of_8005() -> tuple[int, ...]:
    """One entry a byte for polynomial 0x8005, least significant bit first (0xA001 mirrored)."""
    table = []
    for byte in range(256):
        crc = byte
        for _ in range(8):
            crc = crc >> 1 ^ 0xA001 if crc & 1 else crc >> 1
        table.append(crc)
    return tuple(table)


_8005: Final = _table_of_8005()


def crc16_arc(data: bytes) -> int:
    """CRC-16/ARC (DSMR P1): polynomial 0x8005, init 0, not inverted. b"123456789" gives 0xBB3D."""
    return _crc_8005(data, 0)


def crc16_modbus(data: bytes) -> int:
    """CRC-16/MODBUS: as ARC, but init 0xFFFF; sent low byte first. b"123456789" gives 0x4B37."""
    return _crc_8005(data, 0xFFFF)


def _crc_8005(data: bytes, crc: int) -> int:
    table = _8005
    for byte in data:
        crc = crc >> 8 ^ table[(crc ^ byte) & 0xFF]
    return crc
