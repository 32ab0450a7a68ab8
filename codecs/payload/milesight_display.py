"""Milesight: what a display (DS3604) says of itself and of what it shows. Source and shape: milesight.py."""

from typing import Final

from torhaus.codecs.cursor import Cursor
from torhaus.codecs.model import DecodeError, Fields, RejectReason, Value
from torhaus.codecs.payload.milesight_channels import BATTERY, Channels, named, row

_TEXTS: Final = 10
"""Blocks of text; behind them the one with the square code."""


def _block(data: bytes, pos: int, out: Fields) -> int:
    """Template and block, length, text."""
    cursor = Cursor(data)
    cursor.pos = pos
    place = cursor.u8()
    block = place & 0x3F
    if block > _TEXTS:
        raise DecodeError(RejectReason.UNKNOWN_TYPE, f"block {block} at offset {pos}")
    name = "qrcode" if block == _TEXTS else f"text_{block + 1}"
    out[f"template_{(place >> 6) + 1}_{name}"] = Value(cursor.take(cursor.u8()).decode("utf-8", "replace"))
    return cursor.pos


MODELS: Final[dict[str, Channels]] = {
    "ds3604": {
        "01 75": BATTERY,
        "ff 2e": row(
            named("button_status u8", dict(enumerate(("single_click", "double_click", "short_press", "long_press"))))
        ),
        "ff 73": row("current_template_id u8 +1"),
        "fb 01": _block,
    },
}
