"""Comtac LPN DO: two outputs that are switched by radio.

Source: akenza-io/device-type-library (MIT), types/comtac/LPN_DO. There the signal-to-noise ratio has no sign.

    device type | version 2 | RSSI, without its sign | SNR | outputs
"""

from typing import Final

from torhaus.codecs.layout.compact import field, row
from torhaus.codecs.layout.field import run
from torhaus.codecs.model import DecodeError, Fields, RejectReason

MAX_PAYLOAD: Final = 255
_STATE: Final = row(
    "device_type u8", "version u16", field("rssi u8 dB[mW]", convert=lambda raw: -raw), "snr i8 dB",
    "manually u8 6:1", "do2_lora = 5:1", "do1_lora = 4:1", "do2_error = 3:1", "do1_error = 2:1", "do2 = 1:1",
    "do1 = 0:1",
)  # fmt: skip


def decode(data: bytes, fport: int | None = None) -> Fields:
    """Fields of one uplink. Raises DecodeError SHORT or LONG."""
    if len(data) > MAX_PAYLOAD:
        raise DecodeError(RejectReason.LONG, f"{len(data)} bytes")
    del fport
    out: Fields = {}
    run(_STATE, data, 0, out)
    return out
