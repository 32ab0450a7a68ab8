"""Sensative Squares and Pucks (air, comfort, sound, tracker, radar): outputs of an application, and the radio's own.

Source: the decoders that Sensative published in actility/device-catalog (53ef3f3), vendors/sensative (MIT), among them
the tables of each application's outputs. Most significant byte first, but for the statistics (FPort 4).

    FPort 1   outputs, newest first: age 2, size 3, number 3 or more … | age 0 1 2 4 | value 1 2 4
    FPort 11  the same in little room
    FPort 12  time of an older uplink 32 | its FPort | its payload

What the number of an output means follows from the application: the codec's name carries the model. An output that the
application does not have is left out. When one output comes more than once the newest has its name, older ones are
`history_<n>_<name>`; whatever has an age has it as `<name>_age`.
"""

from typing import Final

from torhaus.codecs.cursor import Cursor
from torhaus.codecs.model import DecodeError, Fields, RejectReason, Value
from torhaus.codecs.payload.sensative_square_outputs import OUTPUTS, Outputs
from torhaus.codecs.payload.sensative_square_ports import PORTS
from torhaus.codecs.registry import Decode

MAX_PAYLOAD: Final = 255
MODELS: Final = frozenset(OUTPUTS)
_AGES: Final = (0, 1, 2, 4)
_SIZES: Final = (1, 1, 2, 4)
_FIRST: Final = 128
_COMPRESSED_AGE_S: Final = 2
_STORED: Final = 12
_DIAGNOSTICS: Final = 2


def variant(model: str) -> str | None:
    """The model's name as device repositories write it; None when it has no codec here."""
    name = model.lower().replace("_", "-")
    return name if name in MODELS else None


def decoder(model: str) -> Decode:
    """The codec of a model. KeyError when there is none of that name."""
    return _Codec(OUTPUTS[model])


class _Codec:
    """One application's codec."""

    __slots__ = ("_outputs",)

    def __init__(self, outputs: Outputs) -> None:
        self._outputs = outputs

    def __call__(self, data: bytes, fport: int | None = None) -> Fields:
        """Fields of one uplink. Raises DecodeError SHORT, LONG, SYNTAX, UNSUPPORTED or UNKNOWN_TYPE."""
        if not 0 < len(data) <= MAX_PAYLOAD:
            raise DecodeError(RejectReason.LONG if data else RejectReason.SHORT, f"{len(data)} bytes")
        if fport == _STORED:
            return self._older(data)
        return self._of_port(data, 1 if fport is None else fport)

    def _older(self, data: bytes) -> Fields:
        cursor = Cursor(data)
        at, fport = cursor.ube(4), cursor.u8()
        if fport == _STORED or not cursor.left:
            raise DecodeError(RejectReason.SYNTAX, f"an older uplink of FPort {fport} with {cursor.left} bytes")
        return {"stored_at": Value(at, "s"), "stored_fport": Value(fport)} | self._of_port(cursor.rest(), fport)

    def _of_port(self, data: bytes, fport: int) -> Fields:
        if fport in {1, 11}:
            return self._outputs_of(data, is_compressed=fport == 11)
        if fport == _DIAGNOSTICS:
            return self._diagnostics(data)
        read = PORTS.get(fport)
        if read is None:
            raise DecodeError(RejectReason.UNKNOWN_TYPE, f"nothing is defined on FPort {fport}")
        return read(data)

    def _outputs_of(self, data: bytes, *, is_compressed: bool) -> Fields:
        cursor = Cursor(data)
        out: Fields = {}
        age = older = 0
        while cursor.left:
            head = cursor.u8()
            step, raw = _compressed(cursor, head) if is_compressed else _plain(cursor, head)
            age += step
            output = self._outputs.get(_FIRST + (head & 0x3F))
            if output is None:
                continue
            name = output.name
            if name in out:
                name = f"history_{older}_{name}"
                older += 1
            out[name] = Value(raw if output.divide == 1 else raw / output.divide, output.unit)
            if age:
                out[f"{name}_age"] = Value(age, "s")
        if not out:
            raise DecodeError(RejectReason.UNSUPPORTED, "no output of this application")
        return out

    def _diagnostics(self, data: bytes) -> Fields:
        """Two bytes: state of the application; else outputs and settings that were asked for."""
        if len(data) == 2:
            return {"vm_error": Value(data[0]), "vm_status": Value(data[1])}
        if len(data) % 5:
            raise DecodeError(RejectReason.SYNTAX, f"{len(data)} bytes, neither 2 nor a number of fives")
        cursor = Cursor(data)
        out: Fields = {}
        while cursor.left:
            number = cursor.u8()
            output = self._outputs.get(number)
            out[f"debug_{output.name if output else f'ref_{number}'}"] = Value(cursor.ibe(4))
        return out


def _plain(cursor: Cursor, head: int) -> tuple[int, int]:
    """Seconds since the value before, and the number."""
    age = cursor.ube(_AGES[head >> 6])
    return age, cursor.ibe(_SIZES[head >> 3 & 3])


def _compressed(cursor: Cursor, head: int) -> tuple[int, int]:
    age = _compressed_age(cursor.u8()) * _COMPRESSED_AGE_S if head & 0x80 else 0
    if not head & 0x40:
        return age, 0
    kind = head >> 3 & 3
    return age, _compressed_number(cursor.ube(2)) if kind == 3 else cursor.ibe(_SIZES[kind])


def _compressed_age(raw: int) -> int:
    """Five bits of exponent and three of the number: the middle of what it may stand for."""
    return _middle(raw >> 3, raw & 7, 8)


def _compressed_number(raw: int) -> int:
    """A sign, five bits of exponent and ten of the number."""
    number = _middle(raw >> 10 & 0x1F, raw & 0x3FF, 0x400)
    return -number if raw & 0x8000 else number


def _middle(exponent: int, base: int, one: int) -> int:
    if exponent == 0:
        return base
    number = one + base
    return number if exponent == 1 else (number << exponent - 1) + (1 << exponent - 2)
