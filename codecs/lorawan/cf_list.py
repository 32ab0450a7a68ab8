"""The CFList of a join-accept: further channels, or which of the fixed ones to use. RP002-1.0.4, Join-Accept CFList."""

from typing import Final

import msgspec

from torhaus.codecs.model import DecodeError, RejectReason

CF_LIST_BYTES: Final = 16
FREQUENCIES: Final = 0
MASKS: Final = 1
_FREQS: Final = 5
_MASKS: Final = 6
"""Channel masks of 16 bits; regions with 72 channels use the first five."""


class CfList(msgspec.Struct, frozen=True, gc=False):
    """Type 0: five frequencies in Hz, 0 where a place is not used. Type 1: the channels that are on."""

    cf_list_type: int
    freqs_hz: tuple[int, ...] = ()
    channels: tuple[int, ...] = ()


def decode_cf_list(data: bytes) -> CfList:
    """Raises DecodeError: SYNTAX for another length than 16, UNKNOWN_TYPE for a CFListType that is not 0 or 1."""
    if len(data) != CF_LIST_BYTES:
        raise DecodeError(RejectReason.SYNTAX, f"a CFList has {CF_LIST_BYTES} bytes, this one {len(data)}")
    kind = data[15]
    if kind == FREQUENCIES:
        return CfList(kind, tuple(int.from_bytes(data[3 * n : 3 * n + 3], "little") * 100 for n in range(_FREQS)))
    if kind == MASKS:
        mask = int.from_bytes(data[: 2 * _MASKS], "little")
        return CfList(kind, channels=tuple(n for n in range(16 * _MASKS) if mask >> n & 1))
    raise DecodeError(RejectReason.UNKNOWN_TYPE, f"CFListType {kind}")


def encode_cf_list(cf_list: CfList) -> bytes:
    """Raises DecodeError: RANGE for frequencies and channels that cannot be said, UNKNOWN_TYPE as `decode_cf_list`."""
    if cf_list.cf_list_type == FREQUENCIES:
        if len(cf_list.freqs_hz) > _FREQS or any(hz % 100 or not 0 <= hz < 100 << 24 for hz in cf_list.freqs_hz):
            raise DecodeError(RejectReason.RANGE, f"a CFList has up to {_FREQS} frequencies in steps of 100 Hz")
        data = b"".join((hz // 100).to_bytes(3, "little") for hz in cf_list.freqs_hz)
        return data.ljust(15, b"\0") + bytes((FREQUENCIES,))
    if cf_list.cf_list_type == MASKS:
        if not all(0 <= n < 16 * _MASKS for n in cf_list.channels):
            raise DecodeError(RejectReason.RANGE, f"a CFList switches channels 0 to {16 * _MASKS - 1}")
        mask = sum(1 << n for n in set(cf_list.channels))
        return mask.to_bytes(2 * _MASKS, "little").ljust(15, b"\0") + bytes((MASKS,))
    raise DecodeError(RejectReason.UNKNOWN_TYPE, f"CFListType {cf_list.cf_list_type}")
