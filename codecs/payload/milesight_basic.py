"""Milesight: small sensors of the first years (AM10x, GS101, TS, VS33x, WS). Source and shape: milesight.py."""

from collections.abc import Callable
from typing import Final

from torhaus.codecs.cursor import Cursor
from torhaus.codecs.layout.compact import field
from torhaus.codecs.model import Fields, Value
from torhaus.codecs.payload.milesight_channels import (
    BATTERY,
    CLIMATE,
    NO_YES,
    OFF_ON,
    OLD_SERIAL,
    TEMPERATURE,
    Channels,
    enabled,
    history,
    named,
    row,
    said,
)

_LIGHT: Final = row("illumination u16 lx", "infrared_and_visible u16", "infrared u16")
_SENSORS: Final = ("temperature", "humidity", "pir", "illumination", "co2", "tvoc", "pressure")


def _sensors(*names: str) -> Channels:
    """Which sensors are on; the byte before says nothing."""
    return {"ff 18": (*row("none skip1"), *enabled("sensor_enable u8", *names))}


_AM104: Final[Channels] = {
    **CLIMATE,
    **OLD_SERIAL,
    **_sensors(*_SENSORS[:4]),
    "05 6a": row("activity u16"),
    "06 65": _LIGHT,
}
_AM103: Final[Channels] = {
    **CLIMATE,
    **_sensors("temperature", "humidity", "", "", "co2"),
    "07 7d": row("co2 u16 [ppm]"),
    "20 ce": history("temperature i16 /10 Cel", "humidity u8 /2 %", "co2 u16 [ppm]"),
}
_OCCUPIED: Final = {0: "vacant", 1: "occupied"}
_MAGNET: Final = {0: "close", 1: "open"}
_ALARM: Final = {0: "threshold_alarm_release", 1: "threshold_alarm", 2: "mutation_alarm"}
_SPOKEN: Final = {number: word.replace("_", " ") for number, word in _ALARM.items()}
_READ_ERROR: Final = {0: "read error", 1: "out of range"}
_STORED_READ: Final = {0: "normal", 1: "read error", 2: "out of range"}
_STORED_EVENT: Final = {1: "periodic event", 2: "temperature alarm event", 3: "temperature alarm release event"}
_MOTION: Final = {0: "unknown", 1: "start", 2: "moving", 3: "stop"}
_FENCE: Final = {0: "inside", 1: "outside", 2: "unset", 3: "unknown"}
_TIMEOUT: Final = "ff:ff:ff:ff:ff:ff"


def _channel(n: int, tail: str) -> Channels:
    """One input of the TS30x: a thermometer or a contact."""
    temperature = f"temperature{tail} i16 /10 Cel"
    alarm = named(f"temperature{tail}_alarm u8", _ALARM)
    return {
        f"{n:02x} 67": row(temperature),
        f"{n:02x} 00": row(named(f"magnet{tail} u8", _MAGNET)),
        f"{0x80 + n:02x} 67": row(temperature, alarm),
        f"{0x90 + n:02x} d7": row(temperature, f"temperature{tail}_mutation i16 /100 K", alarm),
    }


_STORED: Final = {1: _ALARM[1], 2: _ALARM[0], 3: _ALARM[2], 4: None}


def _stored(*tails: str) -> Callable[[bytes, int, Fields], int]:
    """Stored readings of the TS30x: time, four bits for each input that say what its value is, the values."""

    def read(data: bytes, pos: int, out: Fields) -> int:
        cursor = Cursor(data)
        cursor.pos = pos
        n = sum(name.endswith("_timestamp") for name in out)
        at, kinds = cursor.ule(4), cursor.u8()
        out[f"history_{n}_timestamp"] = Value(at, "s")
        for shift, tail in zip((4, 0), tails, strict=False):
            kind = kinds >> shift & 0x0F
            raw = cursor.ule(2)
            if kind in _STORED:
                degrees = (raw - 0x10000 if raw & 0x8000 else raw) / 10
                out[f"history_{n}_temperature{tail}"] = Value(degrees, "Cel")
                alarm = _STORED[kind]
                if alarm is not None:
                    out[f"history_{n}_temperature{tail}_alarm"] = Value(alarm)
            elif kind in {5, 6}:
                out[f"history_{n}_magnet{tail}"] = Value(_MAGNET.get(raw, "unknown"))
                if kind == 5:
                    out[f"history_{n}_magnet{tail}_alarm"] = Value(_ALARM[1])
        if len(tails) == 1:  # there is a place for a second one all the same
            cursor.take(2)
        return cursor.pos

    return read


def _access_point(data: bytes, pos: int, out: Fields) -> int:
    """An access point in reach of the AT101, or that none was found in time."""
    cursor = Cursor(data)
    cursor.pos = pos
    group, address = cursor.u8(), cursor.take(6).hex(":")
    rssi, motion = cursor.u8(), cursor.u8() & 0x0F
    out["wifi_scan_result"] = Value("timeout" if address == _TIMEOUT else "finish")
    if address != _TIMEOUT:
        n = sum(name.endswith("_mac") for name in out)
        word = Value(_MOTION.get(motion, "unknown"))
        out[f"wifi_{n}_group"] = Value(group)
        out[f"wifi_{n}_mac"] = Value(address)
        out[f"wifi_{n}_rssi"] = Value(rssi - 256 if rssi & 0x80 else rssi, "dB[mW]")
        out[f"wifi_{n}_motion_status"] = word
        out["motion_status"] = word
    return cursor.pos


_POSITION: Final = row(
    "latitude i32 /1000000 deg",
    "longitude i32 /1000000 deg",
    named("motion_status u8 0:4", _MOTION),
    named("geofence_status = 4:4", _FENCE),
)


def _button(raw: bytes) -> dict[str, int]:
    return {f"button_{raw[0]}": 1, f"button_{raw[0]}_d2d": int.from_bytes(raw[1:3], "little")}


def _thermometer(raw: bytes) -> dict[str, str]:
    name = f"sensor_{raw[0] >> 4}"
    return {f"{name}_type": {1: "DS18B20", 2: "SHT4X"}.get(raw[0] & 0x0F, "unknown"), f"{name}_sn": raw[1:].hex()}


_BUTTONS: Final[Channels] = {"01 75": BATTERY, "ff 34": row(field("button hex3", makes=_button))}


def _wall(count: int) -> Channels:
    """The wall switches of the first version."""
    states = (named(f"switch_{n + 1} {'=' if n else 'u8'} {n}:1", OFF_ON) for n in range(count))
    changes = (named(f"switch_{n + 1}_change = {n + 4}:1", NO_YES) for n in range(count))
    return {**OLD_SERIAL, "ff 29": row(*states, *changes), "ff 2b": row(said("function_key_event u8", "yes"))}


MODELS: Final[dict[str, Channels]] = {
    **dict.fromkeys(("am103", "am103l"), _AM103),
    "am104": _AM104,
    "am107": {
        **_AM104,
        **_sensors(*_SENSORS),
        "07 7d": row("co2 u16 [ppm]"),
        "08 7d": row("tvoc u16 [ppb]"),
        "09 73": row("pressure u16 /10 hPa"),
    },
    "at101": {
        "01 75": BATTERY,
        "03 67": TEMPERATURE,
        "04 88": _POSITION,
        "84 88": _POSITION,
        "05 00": row(named("position u8", {0: "normal", 1: "tilt"})),
        "06 d9": _access_point,
        "07 00": row(named("tamper_status u8", {0: "install", 1: "uninstall"})),
        "83 67": row("temperature i16 /10 Cel", named("temperature_alarm u8", {0: "normal", 1: "abnormal"})),
        "20 ce": history("longitude i32 /1000000 deg", "latitude i32 /1000000 deg"),
    },
    "ft101": {
        "03 a1": row("longitude i32 /1000000 deg", "latitude i32 /1000000 deg"),
        "04 a2": row("rssi i16 /10 dB[mW]", "snr i16 /10 dB"),
        "05 a3": row("sf u8"),
        "06 a4": row("tx_power i16 /100 dB[mW]"),
    },
    "gs101": {
        "05 8e": row(named("gas_status u8", {0: "normal", 1: "alarm"})),
        "06 01": row(named("valve_status u8", OFF_ON)),
        "07 01": row(named("relay_output_status u8", OFF_ON)),
        "08 90": row("life_remain u32"),
        "ff 3f": row(
            named(
                "alarm u8",
                dict(
                    enumerate(
                        (
                            "power off",
                            "power on",
                            "device fault",
                            "device fault recovered",
                            "device will be invalid soon",
                            "device invalid",
                        )
                    )
                ),
            )
        ),
    },
    "ts101": {
        "01 75": BATTERY,
        "03 67": TEMPERATURE,
        "83 67": row("temperature i16 /10 Cel", named("temperature_alarm u8", _SPOKEN)),
        "93 d7": row(
            "temperature i16 /10 Cel", "temperature_mutation i16 /100 K", named("temperature_alarm u8", _SPOKEN)
        ),
        "20 ce": history("temperature i16 /10 Cel"),
    },
    "ts201": {
        "01 75": BATTERY,
        "03 67": TEMPERATURE,
        "83 67": row(
            "temperature i16 /10 Cel", "event_#_temperature = /10 Cel", named("event_#_temperature_alarm u8", _SPOKEN)
        ),
        "93 67": row(
            "temperature i16 /10 Cel",
            "event_#_temperature = /10 Cel",
            "event_#_temperature_mutation i16 /10 K",
            named("event_#_temperature_alarm u8", _SPOKEN),
        ),
        "b3 67": row(named("event_#_temperature_sensor_status u8", _READ_ERROR)),
        "20 ce": history(
            named("read_status u8 4:4", _STORED_READ),
            named("event_type = 0:4", _STORED_EVENT),
            "temperature i16 /10 Cel",
        ),
        "ff a0": row(field("sensor hex9", makes=_thermometer)),
    },
    "ts301": {"01 75": BATTERY, **_channel(3, ""), "20 ce": _stored("")},
    "ts302": {"01 75": BATTERY, **_channel(3, "_chn1"), **_channel(4, "_chn2"), "20 ce": _stored("_chn1", "_chn2")},
    "vs330": {
        "01 75": BATTERY,
        "02 82": row("distance u16 mm"),
        "03 8e": row(named("occupancy u8", _OCCUPIED)),
        "04 8e": row(named("calibration_status u8", {0: "failed", 1: "success"})),
    },
    **{key: {"01 75": BATTERY, "03 00": row(named("occupancy u8", _OCCUPIED))} for key in ("vs340", "vs341")},
    "vs370": {
        "01 75": BATTERY,
        "03 00": row(named("occupancy u8", _OCCUPIED)),
        "04 00": row(named("illuminance u8", {0: "dim", 1: "bright", 254: "disable"})),
    },
    "ws101": {
        **OLD_SERIAL,
        "01 75": BATTERY,
        "ff 2e": row(named("button_event_status u8", {1: "short press", 2: "long press", 3: "double press"})),
    },
    **dict.fromkeys(("ws136", "ws156"), _BUTTONS),
    "ws202": {
        **OLD_SERIAL,
        "01 75": BATTERY,
        "03 00": row(named("pir u8", {0: "normal", 1: "trigger"})),
        "04 00": row(named("daylight u8", {0: "dim", 1: "bright"})),
    },
    "ws301": {
        **OLD_SERIAL,
        "01 75": BATTERY,
        "03 00": row(named("magnet_status u8", _MAGNET)),
        "04 00": row(named("tamper_status u8", {0: "installed", 1: "uninstalled"})),
    },
    "ws303": {"01 75": BATTERY, "03 00": row(named("leakage_status u8", {0: "normal", 1: "leak"}))},
    "ws501": _wall(1),
    "ws502": _wall(2),
    "ws503": _wall(3),
}
