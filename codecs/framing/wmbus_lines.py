"""Lines with one wireless M-Bus telegram each, as software receivers print them.

What is understood, the hexadecimal always from L on, with or without the frame's checksums:

- bare hexadecimal, `0x` and `_` and `|` allowed: what wmbusmeters takes and prints
- `telegram=|4493…|` with anything behind it: wmbusmeters' simulation files
- `T1;1;1;2026-11-23 10:00:00.000;97;148;12345678;0x4493…`: rtl_wmbus (mode, checksum good, code good, time, strength of
  the packet and now in its own unit, id, telegram)
- a JSON object with `"data"` or `"telegram"` in hexadecimal: rtl_433 (`-F json`), with `mode` and `rssi` if it has them

An empty line, one that begins with `#`, and rtl_433's messages about other devices are nothing.
"""

import re
from typing import Final

import msgspec

from torhaus.codecs.framing.wmbus import Heard, telegram_of
from torhaus.codecs.model import DecodeError, RejectReason

MAX_LINE: Final = 4096
"""Longest line in bytes: a telegram is at most 600 characters, rtl_433 prints the values beside it."""

_SIMULATION: Final = re.compile(rb"telegram=\|([0-9A-Fa-f_|]*)\|?")
_MODE: Final = re.compile(rb"([STC][12])[A-Za-z]?;")
_DROPPED: Final = b" _|"


class _Json(msgspec.Struct):
    model: str | None = None
    data: str | None = None
    telegram: str | None = None
    mode: str | None = None
    rssi: float | None = None
    rssi_dbm: float | None = None


_JSON: Final = msgspec.json.Decoder(_Json)


def parse_line(line: bytes) -> Heard | None:
    """The telegram of a line, None when it has none. Raises DecodeError SHORT, LONG, SYNTAX or CRC."""
    line = line.strip()
    if not line or line.startswith(b"#"):
        return None
    if line.startswith(b"{"):
        return _of_json(line)
    if found := _SIMULATION.match(line):
        return Heard(telegram_of(_bytes(found[1])))
    if found := _MODE.match(line):
        return _of_columns(line, found[1].decode())
    return Heard(telegram_of(_bytes(line)))


def _of_columns(line: bytes, mode: str) -> Heard:
    columns = line.split(b";")
    if len(columns) < 8:
        raise DecodeError(RejectReason.SYNTAX, f"{len(columns)} columns, rtl_wmbus prints 8")
    if columns[1] != b"1" or (columns[2] != b"1" and mode[0] == "T"):
        raise DecodeError(RejectReason.CRC, "rtl_wmbus says that the telegram is damaged")
    return Heard(telegram_of(_bytes(columns[7])), mode=mode)


def _of_json(line: bytes) -> Heard | None:
    try:
        said = _JSON.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as e:
        raise DecodeError(RejectReason.SYNTAX, f"no JSON that is known: {e}") from None
    text = said.telegram if said.telegram is not None else said.data
    if text is None or (said.model is not None and "mbus" not in said.model.lower()):
        return None
    mode = said.mode[:2] if said.mode else None
    mode = f"{mode}1" if mode in {"S", "T", "C"} else mode
    rssi = said.rssi_dbm if said.rssi_dbm is not None else said.rssi
    telegram = telegram_of(_bytes(text.encode("utf-8", "replace")))
    return Heard(telegram, rssi, mode if mode in {"S1", "T1", "C1", "S2", "T2", "C2"} else None)


def _bytes(text: bytes) -> bytes:
    """Hexadecimal to bytes. Raises DecodeError SYNTAX."""
    digits = text.strip().removeprefix(b"0x").removeprefix(b"0X").translate(None, _DROPPED)
    try:
        return bytes.fromhex(digits.decode("ascii"))
    except ValueError:
        raise DecodeError(RejectReason.SYNTAX, "not hexadecimal") from None
