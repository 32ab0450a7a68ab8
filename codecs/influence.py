"""Which bytes of a payload a field comes from, for any codec: found by changing each byte and looking at what changes.

A byte after whose change the same fields are there, some with other values, belongs to these. One after whose change
the payload is refused, or has other fields, says what follows (a type, a length, a flag). One that changes nothing is
not used, or not with these values.
"""

from collections.abc import Sequence
from typing import Final

import msgspec

from torhaus.codecs.model import DecodeError, Fields

MASKS: Final = (0x01, 0x10, 0x80, 0xFF)
"""What is changed of each byte, one after the other: single bits, and all of them."""

Outcome = Fields | DecodeError


class Stretch(msgspec.Struct, frozen=True):
    """Bytes `start` to `end` (not included): the fields that come of them, or that they decide what follows."""

    start: int
    end: int
    fields: tuple[str, ...]
    is_structure: bool


def variants(payload: bytes) -> list[bytes]:
    """The changed payloads whose decoding `stretches` is given, in order."""
    return [payload[:i] + bytes([payload[i] ^ mask]) + payload[i + 1 :] for i in range(len(payload)) for mask in MASKS]


def stretches(payload: bytes, fields: Fields, outcomes: Sequence[Outcome]) -> list[Stretch]:
    """The payload cut into stretches. `outcomes`: what decoding each of `variants(payload)` gave."""
    found: list[Stretch] = []
    for i in range(len(payload)):
        changed: set[str] = set()
        is_structure = False
        for outcome in outcomes[i * len(MASKS) : (i + 1) * len(MASKS)]:
            if isinstance(outcome, DecodeError) or outcome.keys() != fields.keys():
                is_structure = True
            else:
                changed |= {name for name, value in fields.items() if outcome[name] != value}
        names = tuple(name for name in fields if name in changed)
        last = found[-1] if found else None
        if last is not None and names and last.fields == names:
            found[-1] = Stretch(last.start, i + 1, names, last.is_structure and is_structure)
        elif last is not None and not names and not last.fields and last.is_structure == is_structure:
            found[-1] = Stretch(last.start, i + 1, (), is_structure)
        else:
            found.append(Stretch(i, i + 1, names, is_structure))
    return found
