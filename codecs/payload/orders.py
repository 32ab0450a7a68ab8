"""What encoders of downlinks have in common: flags and numbers as people write them. Pure."""

from collections.abc import Mapping
from typing import Any, Final

from torhaus.codecs.model import DecodeError, RejectReason

_YES: Final = ("yes", "enable", "on", 1, True)
_NO: Final = ("no", "disable", "off", 0, False)


def whole(name: str, value: object, low: int, high: int) -> int:
    """A whole number within bounds. DecodeError RANGE when it is none."""
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise DecodeError(RejectReason.RANGE, f"{name}: {value!r}, must be a whole number from {low} to {high}")
    return value


def flag(name: str, value: object) -> bool:
    """Yes or no, enable or disable, on or off, 1 or 0, true or false. DecodeError RANGE when it is none."""
    if not isinstance(value, str | int) or (value not in _YES and value not in _NO):
        raise DecodeError(RejectReason.RANGE, f'{name}: {value!r}, must be "yes" or "no" (also on, enable, 1, true …)')
    return value in _YES


def command(name: str, value: object) -> None:
    """Something to be done. DecodeError RANGE unless it is yes."""
    if not flag(name, value):
        raise DecodeError(RejectReason.RANGE, f"{name}: {value!r} does nothing, leave it out")


def items(data: object) -> Mapping[str, Any]:
    """What was given as names and values. DecodeError SYNTAX when it is nothing of that kind, or empty."""
    if not isinstance(data, Mapping) or not data:
        raise DecodeError(RejectReason.SYNTAX, 'an object with names and values is needed, as {"report_interval": 600}')
    return data


def unknown(name: str, known: Mapping[str, Any] | frozenset[str]) -> DecodeError:
    """A name that is none of those known."""
    return DecodeError(RejectReason.UNSUPPORTED, f"{name[:60]!r} is not known; there are {', '.join(sorted(known))}")
