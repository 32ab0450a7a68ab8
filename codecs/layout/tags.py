"""Rows of tagged values: key, value, key, value, to the end of the payload. Pure."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from torhaus.codecs.layout.field import Step, run
from torhaus.codecs.model import DecodeError, Fields, RejectReason

Special = Callable[[bytes, int, Fields], int]
"""Reads a value that no table can declare: payload, place behind the key, fields; returns the place behind it."""


class Item(NamedTuple):
    """What stands behind one key. `counter`: the list whose next place '#' in the fields' names is."""

    steps: tuple[Step, ...]
    counter: str | None = None
    first: int = 0


def item(steps: tuple[Step, ...], first: int = 0) -> Item:
    """An item; its counter is what stands before '#' in the first name that has one."""
    counted = next((step.name.split("#")[0] for step in steps if "#" in step.name), None)
    return Item(steps, counted, first)


def run_tags(
    data: bytes,
    pos: int,
    key_size: int,
    items: Mapping[int, Item | Special],
    out: Fields,
    *,
    is_strict: bool = True,
    until: int | None = None,
) -> int:
    """Read to the end, or to the key `until`; returns the place where that is.

    A key that is not known: DecodeError UNKNOWN_TYPE, as its length is not known either; where published decoders stop
    there and keep what they have, `is_strict` False does the same unless nothing was read. A key cut off: SHORT.
    """
    end = len(data)
    counts: dict[str, int] = {}
    while pos < end:
        if pos + key_size > end:
            raise DecodeError(RejectReason.SHORT, f"a key without value at offset {pos}")
        key = data[pos] if key_size == 1 else int.from_bytes(data[pos : pos + key_size], "big")
        if key == until:
            return pos
        found = items.get(key)
        if found is None:
            if is_strict or not out:
                raise DecodeError(RejectReason.UNKNOWN_TYPE, f"type {key:#0{2 * key_size + 2}x} at offset {pos}")
            return end
        pos += key_size
        if not isinstance(found, Item):
            pos = found(data, pos, out)
        elif found.counter is None:
            pos = run(found.steps, data, pos, out)
        else:
            place = counts.get(found.counter, found.first)
            counts[found.counter] = place + 1
            pos = run(found.steps, data, pos, out, str(place))
    return pos
