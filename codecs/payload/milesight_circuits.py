"""Milesight: CTH01, a meter of twelve currents and three voltages. Shape: milesight_rooms.py, source: milesight.py.

    type | value(s)                       temperature, harmonics, current, voltage
    type | bit for each group | value(s)  power, energy: a group has one value, or with its bit three

All ones mean that it could not be measured: "error". Alarms, stored packets and settings end decoding.
"""

from typing import Final

from torhaus.codecs.layout.compact import field
from torhaus.codecs.layout.field import Step, run
from torhaus.codecs.layout.tags import Special
from torhaus.codecs.model import Fields
from torhaus.codecs.payload.milesight_channels import Channels, dotted, released, row

_CHANNELS: Final = 12
_PHASES: Final = 3
_GROUP: Final = 3


def _one(name: str, kind: str, broken: int) -> tuple[Step, ...]:
    return row(field(f"{name} {kind}", {broken: "error"}))


def _list(name: str, count: int, kind: str, broken: int) -> tuple[Step, ...]:
    return tuple(step for n in range(count) for step in _one(f"{name}_{n}_value", kind, broken))


def _groups(name: str, count: int, kind: str, broken: int) -> Special:
    """A bit for each group, lowest first; then the groups."""
    masks = row(*(f"{name}_mask{n + 1} {'=' if n else 'u8'} {n}:1" for n in range(count)))
    whole, parts = [], []
    for n in range(count):
        group = f"{name}_group{n + 1}"
        whole.append(_one(f"{group}_value", kind, broken))
        parts.append(tuple(step for k in range(_GROUP) for step in _one(f"{group}_chan{k + 1}", kind, broken)))

    def read(data: bytes, pos: int, out: Fields) -> int:
        behind = run(masks, data, pos, out)
        for n in range(count):
            behind = run(parts[n] if data[pos] >> n & 1 else whole[n], data, behind, out)
        return behind

    return read


_POWERS: Final = (("active_power", "kW"), ("reactive_power", "kvar"), ("apparent_power", "kV.A"))
_ENERGIES: Final = (
    ("forward_active_energy", "kW.h"),
    ("reverse_active_energy", "kW.h"),
    ("forward_reactive_energy", "kvar.h"),
    ("reverse_reactive_energy", "kvar.h"),
    ("apparent_energy", "kV.A.h"),
)
_FIRST: Final = 0x08
_QUANTITIES: Final = (
    *((name, f"i32 /1000 {unit}", -1) for name, unit in _POWERS),
    *((name, f"u32 /1000 {unit}", 0xFFFFFFFF) for name, unit in _ENERGIES),
)
"""In the order of their types; each has two, for the groups 1 and 2, and 3 and 4."""

MODELS: Final[dict[str, Channels]] = {
    "cth01": {
        "01": row("temperature i16 /100 Cel"),
        "02": _one("voltage_three_phase_imbalcance", "u16 /100 %", 0xFFFF),
        "03": _list("thdi", _CHANNELS, "u16 /100 %", 0xFFFF),
        "04": _list("thdv", _PHASES, "u16 /100 %", 0xFFFF),
        "05": _list("current", _CHANNELS, "u24 /100 A", 0xFFFFFF),
        "06": _list("voltage", _PHASES, "u16 /100 V", 0xFFFF),
        "07": _groups("power_factor", 4, "u8 /100", 0xFF),
        **{
            f"{_FIRST + 2 * n + half:02x}": _groups(f"{name}{half + 1}", 2, kind, broken)
            for n, (name, kind, broken) in enumerate(_QUANTITIES)
            for half in (0, 1)
        },
        "d8": row("product_frequency_band text16"),
        "d9": row("oem_id hex2"),
        "da": row(
            field("version_hardware_version hex2", convert=dotted),
            field("version_firmware_version hex6", convert=released),
        ),
        "db": row("product_sn hex8"),
        "df": row(field("tsl_version hex2", convert=dotted)),
    }
}
"""Keys of one byte."""
