"""Adeunis sensors (Temp, Comfort, Pulse, Motion, Delta P, Analog, Dry Contacts, Modbus) and the Field Test Device.

Sources: the public codec library sln-nc/adeunis-codecs-lib (frames 0x10 to 0x5d) and Adeunis, MOTION V2 technical
reference manual of 2019-12-02, whose decoding examples hold; the Field Test Device: adeunis_field_test.py.

    code | status | fields         status: frame counter 3, flags 2, hardware error (or: a time follows), low battery,
                                   configuration done
    Field Test Device: flags of what follows | temperature | position | quality | counters | battery | link

The codec's name carries the product: `adeunis:comfort`. Of frames with several readings the newest has the plain name;
the ones before are `history_<n>_<name>`, the last before it first. A frame that has no table gives its status and the
rest as `data`. Times count from 2013 on, UTC.
"""

from datetime import UTC, datetime, timedelta
from typing import Final

from torhaus.codecs.cursor import Cursor
from torhaus.codecs.layout.field import run
from torhaus.codecs.model import DecodeError, Fields, RejectReason, Value
from torhaus.codecs.payload.adeunis_field_test import read_field_test
from torhaus.codecs.payload.adeunis_frames import FLAGS, HISTORY, PRODUCTS, STAMPED, TWO_PROBES, Frame
from torhaus.codecs.registry import Decode

MAX_PAYLOAD: Final = 255
FIELD_TEST: Final = "field-test"
MODELS: Final = frozenset(PRODUCTS) | {FIELD_TEST}
_SPELLED: Final = {
    "comfort-serenity": None,
    "demonstrator": FIELD_TEST,
    "dc": "dry-contacts",
    "deltap": "delta-p",
    "drycontact": "dry-contacts",
    "dry-contact": "dry-contacts",
    "ftd": FIELD_TEST,
    **dict.fromkeys(("field-test-device", "ftd-network-tester", "ftdnetwoktester"), FIELD_TEST),
    "pulse3": "pulse-v3",
    "pulse4": "pulse-v4",
    "temp3": "temp-v3",
    "temp4": "temp-v4",
}
_DAY_ZERO: Final = datetime(2013, 1, 1, tzinfo=UTC)
_SECOND_PROBE: Final = 0x10
_STAMP: Final = 0x04
_MAY_BE_EMPTY: Final = frozenset({0x10, 0x30})
"""Configuration and keep alive: by firmware with or without fields."""


def variant(model: str) -> str | None:
    """The product's name as device repositories write it; None when it has no codec here."""
    name = model.lower().replace("_", "-").replace("-sensor", "").replace("temperature", "temp")
    name = name if name in MODELS else _SPELLED.get(name, name.removesuffix("-v2")) or ""
    return name if name in MODELS else None


def decoder(model: str) -> Decode:
    """The codec of a product. KeyError when there is none of that name."""
    return read_field_test if model == FIELD_TEST else _Codec(model)


class _Codec:
    """One product's codec."""

    __slots__ = ("_flags", "_frames", "_is_stamped", "_model")

    def __init__(self, model: str) -> None:
        self._model = model
        self._frames = PRODUCTS[model]
        self._flags = FLAGS.get(model, {})
        self._is_stamped = model in STAMPED

    def __call__(self, data: bytes, fport: int | None = None) -> Fields:  # a frame names itself
        """Fields of one uplink. Raises DecodeError SHORT or LONG."""
        del fport
        if not 2 <= len(data) <= MAX_PAYLOAD:
            raise DecodeError(RejectReason.SHORT if len(data) < 2 else RejectReason.LONG, f"{len(data)} bytes")
        code, status = data[0], data[1]
        frame = self._frames.get(code)
        if frame is not None and status & _SECOND_PROBE and self._model.startswith("temp-v"):
            frame = TWO_PROBES.get(code, frame)
        out: Fields = {"frame": Value(f"{code:#04x}" if frame is None else frame.name)}
        body = self._status(status, data[2:], out)
        if frame is None:
            out["data"] = Value(body.hex())
        elif code == 0x48:
            _history(body, out)
        elif body or code not in _MAY_BE_EMPTY:
            _read(frame, body, out)
        return out

    def _status(self, status: int, body: bytes, out: Fields) -> bytes:
        """The status' fields; returns what stands before the time, if there is one."""
        out["frame_counter"] = Value(status >> 5)
        if not self._is_stamped:
            out["hardware_error"] = Value(bool(status & 4))
        out["low_battery"] = Value(bool(status & 2))
        out["configuration_done"] = Value(bool(status & 1))
        for bit, name in self._flags.items():
            out[name] = Value(bool(status & bit))
        if not (self._is_stamped and status & _STAMP):
            return body
        if len(body) < 4:
            raise DecodeError(RejectReason.SHORT, "a time that is cut off")
        at = _DAY_ZERO + timedelta(seconds=int.from_bytes(body[-4:], "big"))
        out["timestamp"] = Value(at.isoformat())
        return body[:-4]


def _read(frame: Frame, body: bytes, out: Fields) -> None:
    pos = run(frame.steps, body, 0, out)
    if not frame.older:
        if body[pos:] and not frame.steps:
            out["data"] = Value(body.hex())
        return
    n = -1 if not frame.steps or not frame.counts else 0
    while pos < len(body):
        found: Fields = {}
        pos = run(frame.older, body, pos, found)
        if frame.counts:
            _count_back(found, out, n)
        else:
            out.update({name if n < 0 else f"history_{n}_{name}": value for name, value in found.items()})
        n += 1


def _count_back(found: Fields, out: Fields, n: int) -> None:
    """A counter's earlier value by how much it grew until the one behind it."""
    for name, grown in found.items():
        behind = out[name if n == 0 else f"history_{n - 1}_{name}"].value
        assert isinstance(behind, int)
        assert isinstance(grown.value, int)
        out[f"history_{n}_{name}"] = Value(behind - grown.value)


def _history(body: bytes, out: Fields) -> None:
    cursor = Cursor(body)
    index = cursor.u8()
    out["frame_index"] = Value(index)
    pos = run(HISTORY[0], body, 1, out) if index == 0 else 1
    n = 0
    while pos < len(body):
        found: Fields = {}
        pos = run(HISTORY[1], body, pos, found)
        out.update({f"history_{n}_{name}": value for name, value in found.items()})
        n += 1
