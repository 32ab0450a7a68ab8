"""Tektelic sensors (Smart Room, Agriculture, Tundra, Industrial Transceiver, trackers …): channel, type, value.

Source: the decoders that Tektelic published in TheThingsNetwork/lorawan-devices (2022-09-03, Apache-2.0),
vendor/tektelic: channels, scales and names. Big-endian.

    FPort 10   channel | type | value | channel | type | value …
    FPort 100  register | value …: what a device answers about its settings; keys are left out
    FPort 10 to 12 of the eDoctor: a frame (tektelic_frames.py)
    FPort 101  number of a downlink | count | registers that it could not write

The codec's name carries the model: `tektelic:smart-room-sensor`. A channel that the model does not have ends decoding:
what stands before it is kept, what follows is `rest`.
"""

from typing import Final

from torhaus.codecs.cursor import Cursor
from torhaus.codecs.layout.field import run
from torhaus.codecs.layout.tags import Item, item
from torhaus.codecs.model import DecodeError, Fields, RejectReason, Value
from torhaus.codecs.payload.tektelic_frames import FRAMES, read_frame
from torhaus.codecs.payload.tektelic_models import CYCLE, TABLES, Channels
from torhaus.codecs.payload.tektelic_settings import INDOOR
from torhaus.codecs.payload.tektelic_settings_outdoor import OUTDOOR
from torhaus.codecs.registry import Decode

MAX_PAYLOAD: Final = 255
_SETTINGS: Final = {**INDOOR, **OUTDOOR}
MODELS: Final = frozenset(TABLES) | frozenset(FRAMES)
_OUTLET: Final = "ac-outlet-switch"
_PIR: Final = "smart-room-sensor-pir-base"
_SPARROW: Final = "sparrow-enterprise-asset-tracker"
_SPELLED: Final = {
    "ac-outlet-switch-gen1": _OUTLET,
    "ble-tracker": _SPARROW,
    "edoctorv1": "edoctor",
    "kona-home-sensor": "smart-room-sensor",
    **dict.fromkeys(("smart-room-sensor-base", "smart-room-sensor-pir", "smartroompir", "smartroompirv3-1"), _PIR),
    "smart-ac-outlet-generation-1": _OUTLET,
    "smart-ac-switch-generation-1": _OUTLET,
    "smartroombase": "smart-room-sensor",
}
_BEGUN: Final = {
    # what a name begins with: the brand, or the part number
    **dict.fromkeys(("clover", "kiwi"), "agro"),
    **dict.fromkeys(("comfort", "vivid", "t00061xx"), "smart-room-sensor"),
    **dict.fromkeys(("t000489x", "t00048xx"), _PIR),
    **dict.fromkeys(("breeze", "t00078xx"), "smart-room-sensor-co2"),
    **dict.fromkeys(("aura", "flux", "t000589x", "t000662x"), _OUTLET),
    **dict.fromkeys(("t00053xx", "t00055xx", "t00056xx"), "industrial-transceiver"),
    **dict.fromkeys(("orca", "t0006129"), "orca-industrial-gps-asset-tracker"),
    **dict.fromkeys(("sparrow", "pelican", "robin", "finch", "t0006909", "t0007127"), _SPARROW),
    **dict.fromkeys(("t0007367", "t0007377", "t0007392", "t0007xxx"), _SPARROW),
    **dict.fromkeys(("t00067xx", "t00073xx"), "tundra-sensor"),
    "t00059xx": "agriculture-sensor",
    "t0006923": "edoctor",
    "t0007405": "ebeat",
    "t0008781": "stork",
}


def variant(model: str) -> str | None:
    """The model's name as device repositories write it; None when it has no codec here."""
    name = model.lower().replace("_", "-").removeprefix("decoder-")
    name = _SPELLED.get(name, name)
    if name not in MODELS:
        begun = name.partition("-")[0]
        name = _BEGUN.get(begun, begun)
    return name if name in MODELS else None


def decoder(model: str) -> Decode:
    """The codec of a model. KeyError when there is none of that name."""
    if model in FRAMES:
        return _Frames(model)
    return _Codec(_items(TABLES[model]), _items({**CYCLE, **_SETTINGS.get(model, {})}))


def _items(channels: Channels) -> dict[int, Item]:
    return {int(key.replace(" ", ""), 16): item(steps) for key, steps in channels.items()}


class _Codec:
    """One model's codec."""

    __slots__ = ("_items", "_settings")

    def __init__(self, items: dict[int, Item], settings: dict[int, Item]) -> None:
        self._items = items
        self._settings = settings

    def __call__(self, data: bytes, fport: int | None = None) -> Fields:
        """Fields of one uplink; none of an empty one. Raises DecodeError SHORT, LONG or UNKNOWN_TYPE."""
        if len(data) > MAX_PAYLOAD:
            raise DecodeError(RejectReason.LONG, f"{len(data)} bytes")
        if fport == 100:
            return _rows(data, 1, self._settings)
        if fport == 101:
            return _answers(data)
        if fport in {10, None}:
            return _rows(data, 2, self._items)
        raise DecodeError(RejectReason.UNKNOWN_TYPE, f"nothing is defined on FPort {fport}")


class _Frames:
    """The codec of a model that sends frames."""

    __slots__ = ("_model",)

    def __init__(self, model: str) -> None:
        self._model = model

    def __call__(self, data: bytes, fport: int | None = None) -> Fields:
        """Fields of one uplink. Raises DecodeError SHORT, LONG or UNKNOWN_TYPE."""
        if len(data) > MAX_PAYLOAD:
            raise DecodeError(RejectReason.LONG, f"{len(data)} bytes")
        if fport == 101:
            return _answers(data)
        found = read_frame(self._model, data, 10 if fport is None else fport)
        if found is None:
            raise DecodeError(RejectReason.UNKNOWN_TYPE, f"nothing is defined on FPort {fport}")
        return found


def _rows(data: bytes, key_size: int, items: dict[int, Item]) -> Fields:
    out: Fields = {}
    pos = 0
    while pos < len(data):
        if pos + key_size > len(data):
            raise DecodeError(RejectReason.SHORT, f"a channel without type at offset {pos}")
        key = int.from_bytes(data[pos : pos + key_size], "big")
        found = items.get(key)
        if found is None:
            if not out:
                raise DecodeError(RejectReason.UNKNOWN_TYPE, f"type {key:#0{2 * key_size + 2}x} at offset {pos}")
            out["rest"] = Value(data[pos:].hex())
            return out
        pos = run(found.steps, data, pos + key_size, out)
    return out


def _answers(data: bytes) -> Fields:
    """What became of downlinks."""
    cursor = Cursor(data)
    out: Fields = {}
    n = 0
    while cursor.left:
        out[f"response_{n}_downlink"] = Value(cursor.u8())
        refused = cursor.take(cursor.u8())
        out[f"response_{n}_refused"] = Value(len(refused))
        if refused:
            out[f"response_{n}_refused_registers"] = Value(refused.hex(" "))
        n += 1
    return out
