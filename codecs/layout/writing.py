"""The way back: values as the bytes that a row of fields would read. Pure."""

from collections.abc import Mapping
from typing import Any

from torhaus.codecs.layout.field import Step
from torhaus.codecs.model import DecodeError, RejectReason


def written(steps: tuple[Step, ...], given: Mapping[str, Any]) -> bytes:
    """Bytes of the fields, from values by name; a name that is missing, or a value that has no number: DecodeError.

    Only for fields of known size that stand behind each other; what is skipped is zero.
    """
    out = b""
    for step in steps:
        size = step.size
        assert size is not None
        assert size > 0
        if step.read is None or isinstance(step.read(bytes(size), 0), bytes):
            out += bytes(size)
            continue
        if step.name not in given:
            raise DecodeError(RejectReason.SYNTAX, f"{step.name} is missing")
        raw = _raw(step, given[step.name], size)
        is_signed = step.read(b"\xff" * size, 0) == -1
        data = int(raw).to_bytes(size, _order(step), signed=is_signed) if _fits(raw, size, is_signed) else None
        if data is None:
            raise DecodeError(RejectReason.RANGE, f"{step.name}: {given[step.name]!r} does not fit into {size} bytes")
        out += data
    return out


def _order(step: Step) -> Any:  # noqa: ANN401 - a literal that int.to_bytes takes
    assert step.read is not None
    assert step.size is not None
    return "big" if step.size == 1 or step.read(bytes([1, *bytes(step.size - 1)]), 0) != 1 else "little"


def _fits(raw: int, size: int, is_signed: bool) -> bool:
    half = 1 << (8 * size - 1)
    return -half <= raw < half if is_signed else 0 <= raw < 2 * half


def _raw(step: Step, value: object, size: int) -> int:
    """The number that stands for a value: one of its names, or by the scale."""
    convert = step.convert or int
    if size == 1:
        for raw in range(256):
            if convert(raw) == value and type(convert(raw)) is type(value):
                return raw
    low, high = convert(0), convert(1)
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not is_number or not isinstance(low, int | float) or not isinstance(high, int | float) or high == low:
        raise DecodeError(RejectReason.RANGE, f"{step.name}: {value!r} is no value of it")
    assert isinstance(value, int | float)
    scaled = (value - low) / (high - low)
    if not abs(scaled) < 1 << 64:
        raise DecodeError(RejectReason.RANGE, f"{step.name}: {value!r} is too large")
    return round(scaled)
