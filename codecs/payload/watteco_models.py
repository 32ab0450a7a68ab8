"""nke Watteco: what each model's endpoints are called and what its batches hold. Source and shape: watteco.py."""

from typing import Final, NamedTuple

from torhaus.codecs.payload.watteco_batch import Batch, Series


class Device(NamedTuple):
    """One model: a quantity's names by endpoint, from 0 on (none: the model does not have it), and its batches."""

    names: dict[str, tuple[str, ...]]
    batch: Batch | None


def _device(names: str = "", tag_bits: int = 0, *series: str) -> Device:
    """`names`: "quantity=name,name quantity="; a series: "tag name type step divisor [unit]"."""
    by_quantity = dict(part.split("=") for part in names.split())
    found: dict[int, Series] = {}
    for line in series:
        tag, name, kind, step, divisor, *unit = line.split()
        found[int(tag)] = Series(name, kind, float(step) if "." in step else int(step), int(divisor), *unit)
    return Device(
        {quantity: tuple(filter(None, listed.split(","))) for quantity, listed in by_quantity.items()},
        Batch(tag_bits, found) if found else None,
    )


def _numbered(quantity: str, count: int) -> str:
    return f"{quantity}=" + ",".join(f"{quantity}_{n}" for n in range(1, count + 1))


_PHASES: Final = " ".join(
    f"{name}={name}_a,{name}_b,{name}_c,{name}_abc"
    for name in (
        *(f"{sign}_{kind}_{what}" for sign in ("positive", "negative") for kind in ("active", "reactive")
          for what in ("energy", "power")),
        "vrms", "irms", "angle",
    )
)  # fmt: skip
_CLIMATE: Final = _device(
    "pin_state=violation_detection", 2, "0 temperature i16 10 100 Cel", "1 humidity u16 100 100 %",
    "2 battery_voltage u16 1 1000 V", "3 violation_detection bool 1 1",
)  # fmt: skip
_ROOM: Final = (
    "0 occupancy u8 1 1", "1 temperature_1 i16 10 100 Cel", "2 humidity_1 u16 100 100 %", "3 co2 u16 10 1 [ppm]",
)  # fmt: skip
_ROOM_NAMES: Final = (
    "temperature=temperature_1,temperature_2 humidity=humidity_1,humidity_2 concentration={},co2 "
    "pin_state=violation_detection"
)
_ROOM_AIR: Final = ("5 illuminance u16 10 1 lx", "6 pressure u16 10 10 hPa")
_VAQAO: Final = _device(_ROOM_NAMES.format("tvoc"), 3, *_ROOM, "4 tvoc u16 10 1 [ppb]")
_PULSES: Final = (
    *(f"{n} index_{n + 1} u32 1 1" for n in range(3)),
    *(f"{n + 3} pin_state_{n + 1} bool 1 1" for n in range(3)),
)
_PULSE_NAMES: Final = " ".join(
    (_numbered("index", 3), _numbered("pin_state", 3), *(f"pin_state_{n}=" for n in range(4, 11)))
)
_PULSE_SENSO: Final = _device(
    _PULSE_NAMES, 4, *_PULSES, "6 battery_voltage u16 100 1000 V", "7 multi_state u16 1 100"
)  # fmt: skip
_LOOP: Final = _device(
    "analog=4_20_ma,0_10_v", 3, "0 4_20_ma f32 0.004 1 mA", "1 0_10_v f32 1 1 V", "2 battery_voltage u16 100 1000 V",
    "3 external_power_voltage u16 100 1000 V", "4 index u32 1 1",
)  # fmt: skip
_OUTDOOR: Final = _device("", 3, "0 temperature i16 10 100 Cel", "5 battery_voltage u16 100 1000 V")
_ONE_PROBE: Final = _device("", 1, "0 temperature i16 10 100 Cel", "1 battery_voltage u16 100 1000 V")
_TWO_PROBES: Final = _device(
    _numbered("temperature", 2), 3, "0 temperature_1 i16 10 100 Cel", "1 temperature_2 i16 10 100 Cel",
    "5 battery_voltage u16 100 1000 V",
)  # fmt: skip
_INDOOR: Final = _device("", 2, "0 temperature i16 10 100 Cel", "2 battery_voltage u16 1 1000 V")
_INCLINO: Final = ("0 ac_cmg u16 1 1 m[g]", "1 deg f32 0.1 1000 deg")
_PRESSURE: Final = "differential_pressure_since_last_report"
_PLAIN: Final = _device()

MODELS: Final[dict[str, Device]] = {
    "atmo": _device(
        f"{_numbered('index', 2)} {_numbered('pin_state', 2)}", 3, "0 temperature i16 1 100 Cel",
        "1 humidity u16 1 100 %", "2 pressure i16 1 1 hPa", "3 index_1 u32 1 1", "4 index_2 u32 1 1",
        "5 battery_voltage u16 1 1000 V",
    ),
    "closo": _device("pin_state=violation_detection,open"),
    **dict.fromkeys(("climo", "hygrotempo", "hygrotempo-remote", "th"), _CLIMATE),
    "hygrotempo-v1": _device(
        "pin_state=violation_detection", 2, "0 temperature i16 10 100 Cel", "1 relative_humidity u16 100 100 %",
        "2 battery_level u16 1 1000 V", "3 violation_detection bool 1 1",
    ),
    "flasho": _device("", 1, "0 index u32 1 1", "1 battery_voltage u16 100 1000 V"),
    "inclino": _device("analog=deg", 3, *_INCLINO),
    "inclino-v1": _device("analog=angle", 3, *_INCLINO),
    "indoor-temperature": _INDOOR,
    "ino": _device(f"{_numbered('index', 10)} {_numbered('pin_state', 10)} {_numbered('output', 4)}"),
    "intenso": _device("analog=irms", 2, "0 irms f32 0.1 1 A", "1 battery_voltage u16 100 1000 V"),
    "levo": _LOOP,
    "modbus": _device(
        " ".join(
            f"{name}=" + ",".join(f"{name}_ep{n}" for n in range(1, 10))
            for name in ("modbus_payload", "modbus_slave_id", "modbus_fnct_id", "modbus_datasize")
        )
    ),
    "monito": _device(
        "analog=0_100_mv,0_70_v", 3, "0 0_100_mv f32 1 1 mV", "1 0_70_v f32 1 1 V", "2 battery_voltage u16 100 1000 V",
    ),
    "moveo": _device("pin_state=violation_detection"),
    "moveo-lite": _device("pin_state=violation_detection"),
    "outdoor-temperature": _OUTDOOR,
    "presso": _LOOP,
    "pulse-senso": _PULSE_SENSO,
    "pulse-senso-atex": _PULSE_SENSO,
    "remote-temperature": _ONE_PROBE,
    "remote-temperature2": _TWO_PROBES,
    "smartplug": _device("", 1, "0 active_energy i24 1 1 W.h"),
    "smartplug-v1": _device("brownout_number="),
    "standard": _PLAIN,
    "tempo": _device("pin_state=violation_detection", 2, "0 temperature i16 10 100 Cel"),
    "tempo-outdoor": _OUTDOOR,
    "tempo-remote-1-probe": _ONE_PROBE,
    "tempo-remote-2-probes": _TWO_PROBES,
    "torano-atex": _device(
        f"{_PULSE_NAMES} analog=4_20_ma,0_5_v_1,0_5_v_2,ratiometric_0_5_v_1,ratiometric_0_5_v_2", 4, *_PULSES,
        "6 4_20_ma f32 0.004 1 mA", "7 0_5_v_1 f32 1 1 V", "8 0_5_v_2 f32 1 1 V", "9 ratiometric_0_5_v_1 f32 1 1 V",
        "10 ratiometric_0_5_v_2 f32 1 1 V", "11 battery_voltage u16 100 1000 V",
    ),
    "triphaso": _device(_PHASES),
    "vaqao": _VAQAO,
    "vaqao-lt": _VAQAO,
    "vaqao-plus": _device(
        _ROOM_NAMES.format("tvoc") + " occupancy=presence", 3, "0 presence u8 1 1", *_ROOM[1:],
        "4 tvoc u16 10 1 [ppb]", *_ROOM_AIR,
    ),
    "vaqao-lite": _device(_ROOM_NAMES.format("iaq"), 3, *_ROOM, "4 iaq u16 10 1", *_ROOM_AIR),
    "ventilo": _device(
        "", 3, f"0 mean_{_PRESSURE} i16 1 1 Pa", f"1 minimal_{_PRESSURE} i16 1 1 Pa",
        f"2 maximal_{_PRESSURE} i16 1 1 Pa", "3 battery_voltage u16 1 1000 V", "4 temperature i16 10 100 Cel",
        "5 differential_pressure i16 1 1 Pa", "6 index u32 1 1", "7 state bool 1 1",
    ),
    **dict.fromkeys(("pilot-wire", "smartpilot-wire", "ticso"), _PLAIN),
}  # fmt: skip
SPELLED: Final = {
    "bob": "bob-assistant",
    "celso": "standard",
    "closo-sensor": "closo",
    "humido": "th",
    "hygrotempo_v1.0": "hygrotempo-v1",
    "inclino_v1.0": "inclino-v1",
    "ino-sensor": "ino",
    "levo-plus": "levo",
    **dict.fromkeys(("modbus-classe-a", "modbus-classe-c"), "modbus"),
    "remote-t": "remote-temperature",
    **dict.fromkeys(("remote-temperature-2", "remote-temperature-2-ctn"), "remote-temperature2"),
    "skydome": "standard",
    "smart-pilot-wire": "smartpilot-wire",
    "smart-plug": "smartplug",
    "smartplug_v1.0": "smartplug-v1",
    "t-2-ctn": "remote-temperature2",
    **dict.fromkeys(("t-indoor", "temperature-indoor"), "indoor-temperature"),
}
"""Other spellings. `-v1`: what the vendor's first decoder gave, where its later one gives other names."""
