"""Telegrams of wireless (and some wired) M-Bus meters with what wmbusmeters reads from them.

Its drivers give values names of their own. Each expected number, date and time must stand in a record of the unit,
quantity, function, storage, tariff and subunit that its name says, and no record serves two names. Its words for status
bits are no records. What is deliberately different: torhaus.daemon.vectors.wmbus_exceptions.
"""

import re
from typing import Any, Final

from torhaus.codecs.framing.wmbus import telegram_of
from torhaus.codecs.meter.mbus.telegram import decode as decode_wired
from torhaus.codecs.meter.wmbus.compact import Formats
from torhaus.codecs.meter.wmbus.telegram import decode
from torhaus.codecs.model import DecodeError, Fields, RejectReason
from torhaus.daemon.vectors.base import MAX_SHOWN, Line, Tools
from torhaus.daemon.vectors.wmbus_compare import MOMENT, differences
from torhaus.daemon.vectors.wmbus_exceptions import different, refused

_WORDS: Final = frozenset({"_", "meter", "name", "media", "id"})


async def check(line: Line, tools: Tools) -> str | None:
    """What is wrong, None when nothing is."""
    formats = tools.memory.setdefault("wmbus", Formats())
    try:
        key = bytes.fromhex(line.get("key") or "")
        for text in line.get("preceding_telegrams") or ():
            _read(line, _bytes(text), key, formats)
        fields = [_read(line, telegram, key, formats) for telegram in _telegrams(_bytes(line["telegram"]))]
    except DecodeError as e:
        return None if refused(line.get("driver", ""), line.get("id", "")) == e.reason.value else f"refused: {e}"
    found = _differences(line, fields)
    return "; ".join(found[:MAX_SHOWN]) or None


def _bytes(text: object) -> bytes:
    """ValueError when it is not hexadecimal; half a byte at the end, as one line has it, is left out."""
    digits = str(text).replace("_", "").replace("|", "")
    return bytes.fromhex(digits[: len(digits) & ~1])


def _telegrams(data: bytes) -> list[bytes]:
    """Telegrams one behind the other, as some lines have them; one that is longer than it says stays as it is."""
    if len(data) > 1 and data[0] == 0x68:
        return [data]
    size = data[0] + 1 if data else 0
    rest = data[size:]
    if len(rest) > 10 and rest[1:8] == data[1:8] and len(rest) == rest[0] + 1:
        return [data[:size], rest]
    return [data]


def _read(line: Line, data: bytes, key: bytes, formats: Formats) -> Fields:
    if line.get("transport") == "mbus":
        return decode_wired(data)
    telegram = telegram_of(data)
    if len(key) != 16:
        return decode(telegram, formats=formats)
    try:
        return decode(telegram, key=key, formats=formats)
    except DecodeError as e:
        if e.reason is not RejectReason.KEY:
            raise
        return decode(telegram, formats=formats)  # some lines were decrypted before they were published


def _differences(line: Line, read: list[Fields]) -> list[str]:
    driver = line.get("driver", "")
    excused = different(driver, line.get("id", ""))
    expected: dict[str, Any] = line["expected"]
    ids = {str(fields["meter_id"].value) for fields in read}
    ids |= {str(fields["radio_address"].value).split("/")[1] for fields in read if "radio_address" in fields}
    found = []
    if str(expected.get("id", "")).lower() not in ids:
        found.append(f"id: got {', '.join(sorted(ids))}, expected {expected.get('id')}")
    compared = {
        name: want
        for name, want in expected.items()
        if name not in _WORDS and _is_a_value(want) and not (excused and re.search(excused, name))
    }
    return found + differences(compared, driver, read)


def _is_a_value(want: object) -> bool:
    if isinstance(want, str):
        return MOMENT.fullmatch(want) is not None
    return isinstance(want, int | float) and not isinstance(want, bool)
