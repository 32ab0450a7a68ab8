"""Milesight sensors (AM, CT, EM, GS, VS, WS …): channel, type, value, over and over.

Source: the channels, types, scales and names of Milesight's published decoders (Milesight-IoT/SensorDecoders e79c9d8).
Units are not in them: they follow from the quantity and the scale.

    channel | type | value    least significant byte first; channel 0xff: about the device, 0xfe: answer to a command

Devices of the newer form have a type of one byte and no channel (milesight_rooms.py, milesight_journey.py,
milesight_circuits.py); few have a frame of their own (milesight_frames.py).

The codec's name carries the model: `milesight:em300-th`; `-v1` behind it: the names of the vendor's first decoder. A
channel that the model does not have ends decoding; what stands before it is kept, as in the vendor's decoder. History
(channels 0x20 to 0x23) is `history_<n>_<name>` from 0 on.
"""

import re
from collections.abc import Callable, Mapping
from typing import Final

from torhaus.codecs.layout.tags import Item, Special, item, run_tags
from torhaus.codecs.model import DecodeError, Fields, RejectReason, Value
from torhaus.codecs.payload import (
    milesight_air,
    milesight_alarmed,
    milesight_basic,
    milesight_bus,
    milesight_care,
    milesight_circuits,
    milesight_control,
    milesight_display,
    milesight_fan_coils,
    milesight_first,
    milesight_groups,
    milesight_inputs,
    milesight_journey,
    milesight_level,
    milesight_lines,
    milesight_packets,
    milesight_people,
    milesight_power,
    milesight_presence,
    milesight_probes,
    milesight_rooms,
    milesight_site,
    milesight_thermostats,
    milesight_valves,
)
from torhaus.codecs.payload.milesight_channels import ANSWERS, DEVICE, Channels
from torhaus.codecs.payload.milesight_doubles import DOUBLES, Double, add_doubles
from torhaus.codecs.payload.milesight_frames import FRAMES
from torhaus.codecs.registry import Decode

MAX_PAYLOAD: Final = 255


def _with_variants(tables: dict[str, Channels]) -> dict[str, Channels]:
    """The tables, and those of other published names."""
    named = [("-v1", milesight_first.DIFFERS), ("-v2", milesight_first.ALIASED)]
    return tables | {
        model + version: {**tables[model], **differs}
        for version, models in named
        for model, differs in models.items()
        if model in tables
    }


TABLES: Final = _with_variants(
    {
        **milesight_air.MODELS,
        **milesight_alarmed.MODELS,
        **milesight_basic.MODELS,
        **milesight_bus.MODELS,
        **milesight_care.MODELS,
        **milesight_control.MODELS,
        **milesight_display.MODELS,
        **milesight_groups.MODELS,
        **milesight_inputs.MODELS,
        **milesight_level.MODELS,
        **milesight_lines.MODELS,
        **milesight_people.MODELS,
        **milesight_power.MODELS,
        **milesight_presence.MODELS,
        **milesight_probes.MODELS,
        **milesight_site.MODELS,
        **milesight_thermostats.MODELS,
        **milesight_valves.MODELS,
    }
)
SHORT: Final = _with_variants(
    {
        **milesight_circuits.MODELS,
        **milesight_fan_coils.MODELS,
        **milesight_journey.MODELS,
        **milesight_rooms.MODELS,
    }
)
MODELS: Final = frozenset(TABLES) | frozenset(SHORT) | frozenset(FRAMES)
FIRST: Final = "-v1"
_NEWER: Final = {"wt201": "wt201-v3", "wt303": "wt303-v2", "wt304": "wt304-v2"}
"""Models whose newest names have a codec of their own: the plain one keeps those that dashboards have."""
_MESSAGES: Final = {"uc100": "custom_message", "uc300": "text"}
"""Models that pass on what somebody wrote to their serial port: a payload that is nothing but text."""
_PRINTABLE: Final = re.compile(rb"[\t\n\r -~]+\Z").match
_SPELLED: Final = {
    "am103am103l": "am103",
    "ct101-ct103": "ct101",
    "cth01-compress": "cth01",
    "cth01-compress-v2": "cth01",
    "em300-sld-zld": "em300-sld",
    "uc100-v1": "uc100",
    **dict.fromkeys(("uc1114", "uc1122", "uc1152"), "uc11xx"),
    "uc50x": "uc500-series",
    "uc51x": "uc511",
    "ws513-eu": "ws513",
    "wt301wt302": "wt301-wt302",
    "em400-uld": "em400-udl",
}
"""One name for several models that are alike."""


def variants(model: str) -> tuple[str, ...]:
    """Codecs of the same model and bytes with other names: `em300-mcs` has `em300-mcs-v1`."""
    return tuple(other for other in (model + FIRST, _NEWER.get(model)) if other in MODELS)


def variant(model: str) -> str | None:
    """The model's name as device repositories write it: the second version of a decoder is the current one."""
    name = model.lower().replace("_", "-")
    name = _SPELLED.get(name, name)
    if name not in MODELS:
        name = name.removesuffix("-v2")
    return name if name in MODELS else None


def decoder(model: str) -> Decode:
    """The codec of a model. KeyError when there is none of that name."""
    frame = FRAMES.get(model)
    if frame is not None:
        return _Codec(frame)
    short = SHORT.get(model)
    table = {**ANSWERS, **DEVICE, **TABLES[model]} if short is None else short
    items: dict[int, Item | Special] = {}
    for key, steps in table.items():
        if steps == ():  # others have this channel, this model has not
            continue
        items[int(key.replace(" ", ""), 16)] = item(steps) if isinstance(steps, tuple) else steps
    if short is not None and model in milesight_packets.STORED:
        items[milesight_packets.PACKET] = milesight_packets.packets(items)
    return _Codec(_tagged(1 if short else 2, items, _MESSAGES.get(model), DOUBLES.get(model)))


def _tagged(
    key_size: int, items: Mapping[int, Item | Special], message: str | None, doubles: Mapping[str, Double] | None
) -> Callable[[bytes], Fields]:
    def read(data: bytes) -> Fields:
        if message is not None and data[:2] and int.from_bytes(data[:2], "big") not in items and _PRINTABLE(data):
            return {message: Value(data.decode("ascii"))}
        fields: Fields = {}
        run_tags(data, 0, key_size, items, fields, is_strict=False)
        if data and not fields:
            raise DecodeError(RejectReason.UNSUPPORTED, "nothing in it is a value")
        if doubles is not None:
            add_doubles(doubles, fields)
        return fields

    return read


class _Codec:
    """One model's codec."""

    __slots__ = ("_read",)

    def __init__(self, read: Callable[[bytes], Fields]) -> None:
        self._read = read

    def __call__(self, data: bytes, fport: int | None = None) -> Fields:  # the same on every port: it can be configured
        """Fields of one uplink; none of an empty one, except of devices with a frame of their own.

        Raises DecodeError SHORT, LONG, RANGE, UNSUPPORTED or UNKNOWN_TYPE.
        """
        del fport
        if len(data) > MAX_PAYLOAD:
            raise DecodeError(RejectReason.LONG, f"{len(data)} bytes")
        return self._read(data)
