"""What reads wireless M-Bus: frames, receivers' messages and lines, and telegrams under a key."""

from collections.abc import Callable
from functools import partial
from typing import Final

import msgspec

from tests.codecs.wmbus_fakes import KEY, Meter
from tests.codecs.wmbus_own_fakes import na_1, samples
from torhaus.codecs.framing import amber_serial, imst_hci
from torhaus.codecs.framing.base import Framer
from torhaus.codecs.framing.wmbus import frame_a, frame_b, telegram_of
from torhaus.codecs.framing.wmbus_lines import parse_line
from torhaus.codecs.meter.wmbus.telegram import decode
from torhaus.codecs.model import DecodeError, RejectReason

Reader = Callable[[bytes], object]
METER: Final = Meter()
WALK_BY: Final = bytes.fromhex(
    "780dff5f3500829300008100"
    "07c113ffff785634122c2c265402001e34332204000080008000800080008000800a00650050002000190000802f"
)


def readers() -> dict[str, tuple[list[bytes], Reader]]:
    """By name, what each starts from and what reads it."""
    body, hexadecimal = METER.plain()[1:], METER.plain().hex().encode()
    imst = imst_hci.build(imst_hci.DEVICE, 4, b"\0") + imst_hci.build(imst_hci.RADIO, imst_hci.TELEGRAM, body)
    amber = amber_serial.build(0x84, b"\0") + amber_serial.build(amber_serial.TELEGRAM, body)
    lines = [
        hexadecimal,
        b"T1;1;1;x;97;148;1;0x" + hexadecimal,
        b'{"model":"Wireless-MBus","data":"' + hexadecimal + b'"}',
    ]
    sealed = [METER.mode_5(), METER.mode_7(9), METER.counter_mode(5), METER.counter_mode(5, METER.compact())]
    walk_by = Meter(maker="9344").telegram(WALK_BY)
    return {
        "wmbus/frame": ([frame_a(METER.plain()), frame_b(METER.mode_5())], telegram_of),
        "wmbus/imst": ([imst], partial(_framed, imst_hci.ImstFramer, imst_hci.unwrap)),
        "wmbus/amber": ([amber], partial(_framed, amber_serial.AmberFramer, amber_serial.unwrap)),
        "wmbus/line": (lines, parse_line),
        "wmbus/own": ([*samples(), na_1()], _with_key),
        "wmbus/walk by": ([walk_by], _with_key),
        "wmbus/with key": (sealed, _with_key),
    }


def _with_key(data: bytes) -> object:
    fields = decode(data, key=KEY)
    msgspec.msgpack.encode(fields)
    return fields


def _framed(framer: Callable[[], Framer], unwrap: Reader, data: bytes) -> object:
    """Whatever a framer yields can be read."""
    found = [unwrap(piece) for piece in framer().feed(data) if isinstance(piece, bytes)]
    if not found:
        raise DecodeError(RejectReason.SYNTAX, "nothing")
    return found
