"""Manufacturer letters, media and states in words. After EN 13757-7:2018 and EN 13757-3:2018."""

from typing import Final

MEDIA: Final = {
    0x00: "other",
    0x01: "oil",
    0x02: "electricity",
    0x03: "gas",
    0x04: "heat_outlet",
    0x05: "steam",
    0x06: "warm_water",
    0x07: "water",
    0x08: "heat_cost_allocator",
    0x09: "compressed_air",
    0x0A: "cooling_outlet",
    0x0B: "cooling_inlet",
    0x0C: "heat_inlet",
    0x0D: "heat_cooling",
    0x0E: "bus",
    0x0F: "unknown",
    0x14: "calorific_value",
    0x15: "hot_water",
    0x16: "cold_water",
    0x17: "dual_water",
    0x18: "pressure",
    0x19: "analogue_digital_converter",
    0x1A: "smoke_detector",
    0x1B: "room_sensor",
    0x1C: "gas_detector",
    0x20: "breaker",
    0x21: "valve",
    0x25: "display",
    0x28: "waste_water",
    0x29: "garbage",
    0x31: "communication_controller",
    0x32: "unidirectional_repeater",
    0x33: "bidirectional_repeater",
    0x36: "radio_converter_system",
    0x37: "radio_converter_meter",
}

_APPLICATION: Final = ("ok", "busy", "error", "abnormal")
_FLAGS: Final = {0x04: "power_low", 0x08: "permanent_error", 0x10: "temporary_error"}


def medium(code: int) -> str:
    """The medium in a word; `reserved_<hex>` when it has none."""
    return MEDIA.get(code, f"reserved_{code:02x}")


def manufacturer(code: int) -> str:
    """Three letters of five bits each, `A` being 1; as hex when they are no letters."""
    letters = [(code >> shift & 0x1F) for shift in (10, 5, 0)]
    if code & 0x8000 or not all(1 <= letter <= 26 for letter in letters):
        return f"0x{code:04x}"
    return "".join(chr(64 + letter) for letter in letters)


def status(byte: int) -> str:
    """The status byte in words, separated by commas; `ok` when nothing is set."""
    words = [_APPLICATION[byte & 3]] if byte & 3 else []
    words += [word for bit, word in _FLAGS.items() if byte & bit]
    if byte & 0xE0:
        words.append(f"manufacturer_{byte & 0xE0:02x}")
    return ",".join(words) or "ok"
