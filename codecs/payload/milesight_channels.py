"""Milesight: channels that all models share, and the words of their tables. Source and shape: milesight.py."""

from collections.abc import Mapping
from typing import Final

from torhaus.codecs.layout.compact import Special as Line
from torhaus.codecs.layout.compact import field, parse
from torhaus.codecs.layout.compact import row as big_endian_row
from torhaus.codecs.layout.field import Step, converter
from torhaus.codecs.layout.tags import Special
from torhaus.codecs.model import Scalar

Channels = Mapping[str, tuple[Step, ...] | Special]

OFF_ON: Final = {0: "off", 1: "on"}
NO_YES: Final = {0: "no", 1: "yes"}
ENABLE: Final = {0: "disable", 1: "enable"}
ALARM: Final = {0: "threshold alarm release", 1: "threshold alarm"}
MUTATION: Final = {0: "threshold alarm", 1: "threshold alarm release", 2: "mutation alarm"}


def row(*lines: str | Line) -> tuple[Step, ...]:
    """Fields behind each other, least significant byte first."""
    return big_endian_row(*lines, endian="little")


def named(line: str, words: Mapping[int, Scalar]) -> Line:
    """A number with names; others are "unknown"."""
    return field(line, words, otherwise="unknown")


def said(line: str, word: str) -> Line:
    """A byte that says one thing, whatever it is."""
    return field(line, otherwise=word)


def history(*lines: str | Line) -> tuple[Step, ...]:
    """A stored reading: its time, then its values."""
    steps = row("timestamp u32 s", *lines)
    return tuple(step._replace(name=f"history_#_{step.name}") for step in steps)


def guarded(line: str, status: str, words: Mapping[int, str]) -> Line:
    """A number some values of which are states of the sensor: they are given in a field of their own."""
    f = parse(line)
    scale = converter(f, f.type or "u16", "little")
    mask = 0xFFFF

    def makes(raw: int) -> Mapping[str, Scalar]:
        word = words.get(raw & mask)
        if word is not None:
            return {status: word}
        return {f.name: raw if scale is None else scale(raw)}

    return field(line, makes=makes)


def _protocol(raw: int) -> str:
    return f"v{raw >> 4}.{raw & 0x0F}"


def _hardware(raw: bytes) -> str:
    return f"v{raw[0]:x}.{raw[1] >> 4}"


def _firmware(raw: bytes) -> str:
    return f"v{raw[0]:x}.{raw[1]:x}"


def dotted(raw: bytes) -> str:
    """Two bytes as a version."""
    return f"v{raw[0]}.{raw[1]}"


def released(raw: bytes) -> str:
    """Six bytes as a version: major and minor; release, alpha, unit test and test where they are not 0."""
    more = "".join(f"-{letter}{number}" for letter, number in zip("raut", raw[2:], strict=True) if number)
    return dotted(raw) + more


def enabled(line: str, *names: str) -> tuple[Step, ...]:
    """A bit for each name: disable or enable; an empty name: unused. `line`: where they begin (`sensor_enable u8`)."""
    start, kind = line.split()
    bits = (f"{start}_{name} {'=' if n else kind} {n}:1" for n, name in enumerate(names) if name)
    return row(*(named(bit, ENABLE) for bit in bits))


CLASS: Final = {0: "Class A", 1: "Class B", 2: "Class C", 3: "Class CtoB"}
DEVICE: Final[Channels] = {
    "ff 01": row(field("ipso_version u8", convert=_protocol)),
    "ff 09": row(field("hardware_version hex2", convert=_hardware)),
    "ff 0a": row(field("firmware_version hex2", convert=_firmware)),
    "ff ff": row(field("tsl_version hex2", convert=dotted)),
    "ff 16": row("sn hex8"),
    "ff 0f": row(named("lorawan_class u8", CLASS)),
    "ff fe": row(said("reset_event u8", "reset")),
    "ff 0b": row(said("device_status u8", "on")),
}
_COMMON_ANSWERS: Final[Channels] = {
    "02": row("collection_interval u16 s"),
    "03": row("report_interval u16 s"),
    "10": row(said("reboot u8", "yes")),
    "27": row(said("clear_history u8", "yes")),
    "28": row(said("report_status u8", "yes")),
    "4a": row(said("sync_time u8", "yes")),
    "68": row(named("history_enable u8", ENABLE)),
    "69": row(named("retransmit_enable u8", ENABLE)),
    "6d": row(said("stop_transmit u8", "yes")),
}
ANSWERS: Final[Channels] = {
    f"{channel} {kind}": steps for channel in ("fe", "ff") for kind, steps in _COMMON_ANSWERS.items()
}

STATUS: Final[Channels] = {"ff 0b": row(named("device_status u8", OFF_ON))}
"""Of devices that tell whether they were switched off, too."""
OLD_SERIAL: Final[Channels] = {"ff 08": row("sn hex6")}
"""The serial number as devices of the first years tell it."""
RANGE: Final[Channels] = {
    "ff 1b": row(
        named("measuring_equipment_rate u8 0:3", {0: "0.01", 1: "0.1", 2: "1", 3: "10", 4: "100", 5: "1000"}),
        "measuring_equipment_range_max i16",
        "measuring_equipment_range_min i16",
    )
}
"""What a probe at a loop of 4 to 20 mA measures."""
BATTERY: Final = row("battery u8 %")
TEMPERATURE: Final = row("temperature i16 /10 Cel")
HUMIDITY: Final = row("humidity u8 /2 %")
CLIMATE: Final[Channels] = {"01 75": BATTERY, "03 67": TEMPERATURE, "04 68": HUMIDITY}
