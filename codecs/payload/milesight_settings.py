"""Milesight: what settings of devices of the newer form are made of. Shape: milesight_rooms.py, source: milesight.py.

Parts stand behind each other: a line of a table (compact.py), or a reader of what no line can say. A choice that is not
known ends decoding, as its length is not known either; what stands before it is kept.
"""

from collections.abc import Iterable, Mapping
from typing import Final

from torhaus.codecs.cursor import Cursor
from torhaus.codecs.layout.compact import Special as Line
from torhaus.codecs.layout.field import Step, run
from torhaus.codecs.layout.tags import Special
from torhaus.codecs.model import Fields, Value
from torhaus.codecs.payload.milesight_channels import row
from torhaus.codecs.payload.milesight_packets import MAX_NAME

Part = str | Special
WIDTHS: Final = {"u8": 8, "u16": 16, "u32": 32}


PLAIN: Final = "^"


def cases(name: str, kind: str, known: Mapping[int, tuple[str, Iterable[str | Line]]]) -> Special:
    """A kind, and behind it what that kind has: `<name>_<kind>`, then `<name>_<case>_<value>`.

    A line that begins with `^` keeps its own name.
    """
    compiled: dict[int, tuple[Step, ...]] = {}
    for number, (case, lines) in known.items():
        compiled[number] = tuple(
            step._replace(name=step.name[1:] if step.name[0] == PLAIN else f"{name}_{case}_{step.name}"[:MAX_NAME])
            for step in row(*lines)
        )

    def read(data: bytes, pos: int, out: Fields) -> int:
        cursor = Cursor(data)
        cursor.pos = pos
        number = cursor.u8()
        out[f"{name}_{kind}"] = Value(number)
        return run(compiled.get(number, ()), data, cursor.pos, out)

    return read


def series(*parts: Part) -> Special:
    """Parts behind each other."""
    readers: list[Special] = []
    lines: list[str] = []
    for part in (*parts, None):
        if isinstance(part, str):
            lines.append(part)
            continue
        if lines:
            readers.append(_lines(lines))
            lines = []
        if part is not None:
            readers.append(part)

    def read(data: bytes, pos: int, out: Fields) -> int:
        for reader in readers:
            pos = reader(data, pos, out)
        return pos

    return read


def _lines(lines: list[str]) -> Special:
    steps = row(*lines)
    return lambda data, pos, out: run(steps, data, pos, out)


def under(name: str, *parts: Part) -> Special:
    """Parts whose names begin with the group's: `<name>_<value>`."""
    inner = series(*parts)

    def read(data: bytes, pos: int, out: Fields) -> int:
        return _inside(f"{name}_", inner, data, pos, out)

    return read


def _inside(prefix: str, inner: Special, data: bytes, pos: int, out: Fields) -> int:
    """Reads with names of its own, of which those that are there already may have come before."""
    size = len(prefix)
    found = {name[size:]: value for name, value in out.items() if name.startswith(prefix)}
    behind = inner(data, pos, found)
    out.update(((prefix + name)[:MAX_NAME], value) for name, value in found.items())
    return behind


def chosen(known: Mapping[int, tuple[Part, ...]], kind: str = "") -> Special:
    """A number, and behind it what that number has; `kind`: the name of the number, where it is a value."""
    choices = {number: series(*parts) for number, parts in known.items()}

    def read(data: bytes, pos: int, out: Fields) -> int:
        cursor = Cursor(data)
        cursor.pos = pos
        number = cursor.u8()
        if kind:
            out[kind] = Value(number)
        choice = choices.get(number)
        return len(data) if choice is None else choice(data, cursor.pos, out)

    return read


def listed(name: str, key: str, *parts: Part) -> Special:
    """An entry of a list, which its number tells apart: `<name>_<place>_<key>`, and what stands behind it."""
    inner = series(*parts)

    def read(data: bytes, pos: int, out: Fields) -> int:
        cursor = Cursor(data)
        cursor.pos = pos
        number, place = cursor.u8(), 0
        while (entry := out.get(f"{name}_{place}_{key}")) is not None and entry.value != number:
            place += 1
        out[f"{name}_{place}_{key}"] = Value(number)
        return _inside(f"{name}_{place}_", inner, data, cursor.pos, out)

    return read


def bits(kind: str, *names: str, rest: str = "reserved") -> tuple[str, ...]:
    """A bit for each name, lowest first; those that are left over are `rest`, where that is given."""
    lines = [f"{name} {'=' if n else kind} {n}:1" for n, name in enumerate(names)]
    if rest:
        lines.append(f"{rest} = {len(names)}:{WIDTHS[kind] - len(names)}")
    return tuple(lines)


def timed(name: str) -> Special:
    """A unit, and how many of it: `<name>_unit`, then seconds or minutes."""
    counted = {0: ("seconds_of_time u16 s",), 1: ("minutes_of_time u16 min",)}
    return under(name, chosen(counted, kind="unit"))


def counted_text(name: str, what: str = "value") -> Special:
    """A length and so many bytes of text: `<name>_length`, `<name>_value`."""

    def read(data: bytes, pos: int, out: Fields) -> int:
        cursor = Cursor(data)
        cursor.pos = pos
        size = cursor.u8()
        text = cursor.take(size).rstrip(b"\0").decode("utf-8", "replace")
        out[f"{name}_length"], out[f"{name}_{what}"] = Value(size), Value(text)
        return cursor.pos

    return read


def answer(data: bytes, pos: int, out: Fields) -> int:
    """What became of a command: four bits each for the result and the command's length, then its bytes.

    Published decoders put the setting's name in place of the bytes.
    """
    cursor = Cursor(data)
    cursor.pos = pos
    head, place = cursor.u8(), 0
    while f"ans_{place}_result" in out:
        place += 1
    out[f"ans_{place}_result"] = Value(head >> 4)
    out[f"ans_{place}_length"] = Value(head & 0x0F)
    out[f"ans_{place}_id"] = Value(cursor.take(head & 0x0F).hex())
    return cursor.pos


SUMMER_TIME: Final = under(
    "daylight_saving_time",
    "enable u8",
    "daylight_saving_time_offset u8 min",
    *(
        line
        for when in ("start", "end")
        for line in (
            f"{when}_month u8", f"{when}_week_num u8 4:4", f"{when}_week_day = 0:4", f"{when}_hour_min u16 min",
        )
    ),
)  # fmt: skip
STORAGE: Final = under(
    "data_storage_settings",
    chosen(
        {
            0: ("enable u8",),
            1: ("retransmission_enable u8",),
            2: ("retransmission_interval u16",),
            3: ("retrieval_interval u16",),
        }
    ),
)
"""What all of them have alike."""
