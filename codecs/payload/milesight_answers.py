"""Milesight: what devices answer to commands, beyond the common ones. Shape and source: milesight.py.

    fe | type | value      ff | type | value      f9 | type | value      f8 | type | value | result

Behind `f8` a result of 0 is success; any other is given as `device_response_result_…` beside what had been asked for,
as the published decoders do.
"""

from collections.abc import Callable, Mapping
from typing import Final

from torhaus.codecs.cursor import Cursor
from torhaus.codecs.layout.compact import Special as Line
from torhaus.codecs.layout.compact import field
from torhaus.codecs.layout.field import Step, run
from torhaus.codecs.layout.tags import Special
from torhaus.codecs.model import Fields, Scalar, Value
from torhaus.codecs.payload.milesight_channels import ENABLE, Channels, named
from torhaus.codecs.payload.milesight_packets import MAX_NAME

RESULTS: Final = {0: "success", 1: "forbidden", 2: "invalid parameter"}
_RESULT: Final = "device_response_result"


def enable(name: str) -> Line:
    """A byte: disable or enable."""
    return named(f"{name} u8", ENABLE)


def masked(prefix: str, *names: str, size: int = 1, words: Mapping[int, str] = ENABLE) -> Line:
    """Bits of which a mask says which were meant: `size` bytes of mask, as many of bits; 0: the halves of one byte.

    The mask comes first (the upper half of one byte); least significant byte first.
    """

    def makes(raw: bytes) -> Mapping[str, Scalar]:
        if size:
            mask, bits = int.from_bytes(raw[:size], "little"), int.from_bytes(raw[size:], "little")
        else:
            mask, bits = raw[0] >> 4, raw[0] & 0x0F
        return {f"{prefix}{name}": words[bits >> n & 1] for n, name in enumerate(names) if mask >> n & 1}

    return field(f"{prefix}mask hex{2 * size or 1}", makes=makes)


def joined(name: str, words: tuple[str, ...], separator: str, none: str) -> Line:
    """A byte's bits as one text: the words of those that are set, `none` when there are none."""

    def convert(raw: int) -> str:
        return separator.join(word for n, word in enumerate(words) if raw >> n & 1) or none

    return field(f"{name} u8", convert=convert)


def unless(line: str, absent: int, word: str) -> Line:
    """A number of which one value is a word of its own."""
    return field(line, {absent: word})


def place(steps: tuple[Step, ...], out: Fields) -> str:
    """The next place of the list that '#' in the steps' names stands for; empty where there is none."""
    head = next((step.name.partition("#")[0] for step in steps if "#" in step.name), None)
    if head is None:
        return ""
    n = 0
    while any(name.startswith(f"{head}{n}_") for name in out):
        n += 1
    return str(n)


def _read(what: tuple[Step, ...] | Special, data: bytes, pos: int, out: Fields, before: Fields) -> int:
    if isinstance(what, tuple):
        return run(what, data, pos, out, place(what, before))
    return what(data, pos, out)


def _plain(what: tuple[Step, ...] | Special) -> Special:
    return lambda data, pos, out: _read(what, data, pos, out, out)


def _with_result(kind: int, what: tuple[Step, ...] | Special, results: Mapping[int, str]) -> Special:
    def read(data: bytes, pos: int, out: Fields) -> int:
        asked: Fields = {}
        cursor = Cursor(data)
        cursor.pos = _read(what, data, pos, asked, out)
        result = cursor.u8()
        if result == 0:
            out.update(asked)
            return cursor.pos
        out[f"{_RESULT}_channel_type"] = Value(kind)
        out[f"{_RESULT}_result"] = Value(results.get(result, "unknown"))
        out.update((f"{_RESULT}_request_{name}"[:MAX_NAME], value) for name, value in asked.items())
        return cursor.pos

    return read


def answers(known: Channels) -> Channels:
    """Answers on `fe` and `ff`, by type (`25`)."""
    return {f"{channel} {kind}": what for channel in ("fe", "ff") for kind, what in known.items()}


def more_answers(known: Channels, results: Mapping[int, str] = RESULTS) -> Channels:
    """Answers on `f8` and `f9`, by type."""
    read: dict[str, tuple[Step, ...] | Special] = {f"f9 {kind}": _plain(what) for kind, what in known.items()}
    return read | {f"f8 {kind}": _with_result(int(kind, 16), what, results) for kind, what in known.items()}


Convert = Callable[[bytes], Mapping[str, Scalar]]


def made(size: int, makes: Convert, unit: str = "") -> Line:
    """So many bytes as several values, of which some may be left out."""
    return field(f"values hex{size} {unit}", makes=makes)
