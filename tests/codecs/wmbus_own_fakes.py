"""Telegrams in manufacturers' own forms, made by what is known of the forms and not by what others published."""

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from tests.codecs.wmbus_fakes import KEY, Meter
from torhaus.codecs.meter.wmbus.own import diehl

VOLUMES = bytes.fromhex("4b4e61bc002d6f9f001f3c")
"""12345.678 m3 now, 10448.685 m3 on 31 December 2024, as a PRIOS telegram has them behind its alarms."""
RECORDS = bytes.fromhex("0c1378563412426cff2c")


def swapped(maker: str, number: str, version: int, kind: int) -> Meter:
    """A meter whose version and kind are sent before its number."""
    meter = Meter(number, maker, version, kind)
    meter.address = meter.maker + meter.rest + meter.number
    return meter


HYDROMETER = swapped("2423", "87654321", 0x85, 0x07)
DIEHL = swapped("a511", "20304050", 0x78, 0x07)


def sappel(letters: str = "HDA", number: int = 21_004711) -> Meter:
    """A meter whose address is what is printed on it."""
    first, second, third = (ord(letter) - 0x40 for letter in letters)
    raw = number | third << 29 | second << 34 | first << 39
    meter = Meter(maker="304c")
    meter.address = meter.maker + raw.to_bytes(6, "little")
    return meter


def prios(
    meter: Meter, clear: bytes = VOLUMES, alarms: str = "011800", key: int = diehl.KEYS[0], ci: int = 0xA2
) -> bytes:
    """A PRIOS telegram, of a meter that sends every 8 s and has a battery for 12 years."""
    head = bytes((ci,)) + bytes.fromhex(alarms) + b"\x13"
    return meter.telegram(head + diehl.stream(meter.address, head + clear, key))


def real_data(meter: Meter, clear: bytes = RECORDS, key: int = diehl.KEYS[1]) -> bytes:
    """Records under the stream of bits; their sum is in the configuration field, whose bit 12 marks them."""
    head = bytes((0x7A, 1, 0, 0, sum(clear) & 0xEF | 0x10))
    return meter.telegram(head + diehl.stream(meter.address, head + clear, key))


def techem(body: str, version: int, kind: int, ci: int = 0xA2) -> bytes:
    """What stands behind CI."""
    return Meter("12345678", "6850", version, kind).telegram(bytes((ci,)) + bytes.fromhex(body))


def other(body: str, maker: str, version: int, kind: int) -> bytes:
    """From CI on."""
    return Meter("10203040", maker, version, kind).telegram(bytes.fromhex(body))


NA_1 = bytes.fromhex("2f 08 39 30 00 80 51 01 00 30 00 e8 03 00 00 09".replace(" ", ""))
"""197.528 m3 on 2 January 2000, 193.528 m3 48 hours before, a leak and a low battery."""


def na_1(clear: bytes = NA_1, key: bytes = KEY, counter: int = 0xB0, flags: int = 1) -> bytes:
    """Apator's NA-1, encrypted."""
    meter = Meter("04030201", "0106", 0x14, 0x07)
    vector = meter.address + bytes((counter,)) * 8
    sealed = Cipher(algorithms.AES(key), modes.CBC(vector)).encryptor().update(clear)
    return meter.telegram(bytes((0xA0, counter, flags)) + sealed)


MK_3 = "06 7f32 e803 e006 3200 0000"
"""100.0 m3 on 31 March 2025, 5.0 m3 since then, on 14 March."""
MK_3A = "0c00 1133 102700 " + "001402" * 12 + "00"
"""1000.0 m3 on 17 August 2025, 2.0 and 0.2 m3 in the halves of each month."""
FHKV = "0f 9f33 2c01 3014 1900 00 d007 c409 0000"
A_162 = "7a01000000 0f 00112233445566 432a00 7101" + "00" * 8 + "10393000 00 a0" + "ffffffffffff1234"
HYDRODIGIT = "7a02000000 0c1378563412 0f 97 0a 258512 250425 07000000 " + "c10000" * 11 + "ffffff"
ZENNER = "7a03000000 0f 01000000 00e80300 00a0860100"
BFW = "7a04000000 2f2f 0000 0200 0123 0000 " + "e2120a" * 9 + "311225"
E_ITN = "b603 010203 a0 a1 0000 f401 0000 1900 2133 8013 c015"


def samples() -> list[bytes]:
    """One of each form that needs no key."""
    return [
        prios(HYDROMETER), prios(DIEHL, key=diehl.KEYS[1]), prios(sappel()), real_data(HYDROMETER),
        techem(MK_3, 0x74, 0x62), techem(MK_3, 0x95, 0x62), techem(MK_3A, 0x50, 0x72),
        techem("00 9f33 102700 00 640000", 0x45, 0x43, 0xA1), techem("12 9f33 e803 5024 6400", 0x27, 0x04),
        techem(FHKV, 0x94, 0x80), techem("01 9f33 0000", 0x76, 0xF0, 0xA0),
        other("a0 b80b0000", "1486", 3, 3), other(E_ITN, "1486", 4, 8), other(A_162, "0106", 5, 7),
        other(BFW, "d708", 2, 8), other(ZENNER, "496a", 0x0B, 0x16), other(HYDRODIGIT, "b409", 0x13, 7),
    ]  # fmt: skip
