"""nke Watteco Modbus: what the slaves answered, as they did. Source and shape: watteco.py.

Cluster 0x8007, attribute 1: one answer; cluster 0x8009: the answers of several endpoints in a row of frames.

    0x8009   series | number 3, of 3, endpoints 10 | for each: slave | function | length | registers
"""

from typing import Final

from torhaus.codecs.cursor import Cursor
from torhaus.codecs.model import Fields, Value

_ENDPOINTS: Final = 10
_NAMES: Final = ("modbus_slave_id", "modbus_fnct_id", "modbus_datasize")


def read_answer(cursor: Cursor, tail: str, out: Fields, is_whole: bool = True) -> None:
    """One answer. `is_whole`: its registers are all the rest. Raises DecodeError SHORT."""
    for name in _NAMES:
        out[name + tail] = Value(cursor.u8())
    size = out[_NAMES[-1] + tail].value
    assert isinstance(size, int)
    raw = cursor.rest() if is_whole else cursor.take(size)
    out[f"modbus_payload{tail}"] = Value(raw.hex().upper())


def read_answers(data: bytes, out: Fields) -> None:
    """Those of all endpoints that are announced; where the frame ends before one, the next frame has it."""
    cursor = Cursor(data)
    out["modbus_frame_series_sent"] = Value(cursor.u8())
    bits = cursor.ube(2)
    out["modbus_frame_number_in_serie"] = Value(bits >> 13)
    out["modbus_last_frame_of_serie"] = Value(bits >> 10 & 7)
    for n in range(_ENDPOINTS):
        out[f"modbus_ep{n}"] = Value(bool(bits >> n & 1))
    for n in range(_ENDPOINTS):
        if bits >> n & 1 and cursor.left:
            read_answer(cursor, f"_ep{n}", out, is_whole=False)
