"""A wireless meter: its telegrams, also encrypted and signed, made by the standards' text and not by what is tested."""

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.cmac import CMAC

from torhaus.codecs.framing.wmbus import crc16

KEY = bytes.fromhex("000102030405060708090a0b0c0d0e0f")
VALUES = bytes.fromhex("0c1378563412046d0a0e7734")
"""12345.678 m3, and a time."""
KAMSTRUP = bytes.fromhex("02ff2071000413081900004413e8030000615b7f616713")
KAMSTRUP_HEADS = bytes.fromhex("02ff2004134413615b6167")
KAMSTRUP_VALUES = bytes.fromhex("710008190000e80300007f13")


def cmac(key: bytes, data: bytes) -> bytes:
    mac = CMAC(algorithms.AES(key))
    mac.update(data)
    return mac.finalize()


class Meter:
    """`address`: eight bytes as on the air: manufacturer, number, version, type."""

    def __init__(self, number: str = "12345678", maker: str = "2d2c", version: int = 0x1B, kind: int = 0x16) -> None:
        self.number = bytes.fromhex(number)[::-1]
        self.maker = bytes.fromhex(maker)
        self.rest = bytes((version, kind))
        self.address = self.maker + self.number + self.rest
        self.access = 0

    def telegram(self, body: bytes, control: int = 0x44) -> bytes:
        """L, C, address, and what follows from CI on."""
        data = bytes((control,)) + self.address + body
        return bytes((len(data),)) + data

    def plain(self, values: bytes = VALUES) -> bytes:
        """Short header, no security."""
        self.access = (self.access + 1) % 256
        return self.telegram(bytes((0x7A, self.access, 0, 0, 0)) + values)

    def mode_5(self, values: bytes = VALUES, key: bytes = KEY, behind: bytes = b"", access: int = 7) -> bytes:
        """Short header, AES-128-CBC; `behind`: what is not encrypted."""
        clear = b"\x2f\x2f" + values
        clear += b"\x2f" * (-len(clear) % 16)
        vector = self.address + bytes((access,)) * 8
        sealed = Cipher(algorithms.AES(key), modes.CBC(vector)).encryptor().update(clear)
        head = bytes((0x7A, access, 0, len(clear) // 16 << 4, 0x05))
        return self.telegram(head + sealed + behind)

    def mode_7(self, counter: int, values: bytes = VALUES, key: bytes = KEY) -> bytes:
        """Authentication layer with a MAC of 8 bytes and a counter, short header, AES-128-CBC with a derived key."""
        count = counter.to_bytes(4, "little")
        tail = count + self.number + b"\x07" * 7
        sealing, signing = cmac(key, b"\x00" + tail), cmac(key, b"\x01" + tail)
        clear = b"\x2f\x2f" + values
        clear += b"\x2f" * (-len(clear) % 16)
        sealed = Cipher(algorithms.AES(sealing), modes.CBC(bytes(16))).encryptor().update(clear)
        body = bytes((0x7A, 9, 0, len(clear) // 16 << 4, 0x07, 0x10)) + sealed
        mac = cmac(signing, b"\x25" + count + body)[:8]
        layer = bytes((0x90, 0x0F, 0x00, 0x2C)) + b"\x25" + count + mac
        return self.telegram(b"\x8c\x20\x01" + layer + body)

    def counter_mode(self, minutes: int, body: bytes | None = None, key: bytes = KEY, control: int = 0x20) -> bytes:
        """Extended link layer II, encrypted."""
        body = b"\x78" + KAMSTRUP if body is None else body
        session = (1 << 29 | minutes << 4).to_bytes(4, "little")
        clear = crc16(body).to_bytes(2, "little") + body
        block = self.address + bytes((control,)) + session + bytes(3)
        sealed = Cipher(algorithms.AES(key), modes.CTR(block)).encryptor().update(clear)
        return self.telegram(bytes((0x8D, control, 5)) + session + sealed)

    def compact(self) -> bytes:
        """What stands in a compact frame of KAMSTRUP, from CI on."""
        return b"\x79" + b"".join(crc16(x).to_bytes(2, "little") for x in (KAMSTRUP_HEADS, KAMSTRUP)) + KAMSTRUP_VALUES
