"""Whose network a DevAddr belongs to. LoRaWAN 1.1 section 6.1.2.1 and Backend Interfaces TS002, NetID and DevAddr.

A DevAddr of type n begins with n ones and a zero; NwkID and NwkAddr follow. NwkID is the low end of the NetID's own
number, so the NetID can be told for types 0 to 2 only.
"""

from typing import Final

import msgspec

from torhaus.codecs.model import DecodeError, RejectReason

_NWK_ID_BITS: Final = (6, 6, 9, 11, 12, 13, 15, 17)
_WHOLE_TYPES: Final = 3
"""NetIDs of types 0 to 2 have numbers as short as the NwkID."""

_PRIVATE: Final = (0, 1)


class NetId(msgspec.Struct, frozen=True, gc=False):
    """What a DevAddr says of its network. `net_id` is None where the address holds a part of it only."""

    net_type: int
    nwk_id: int
    net_id: int | None
    nwk_addr: int

    @property
    def is_private(self) -> bool:
        """Whether the NetID is one of the two that anybody may use (000000 and 000001)."""
        return self.net_id in _PRIVATE


def net_id_of(dev_addr: int) -> NetId | None:
    """The network of an address; None for the addresses that begin with eight ones, which have no type."""
    prefix = 0
    while prefix < len(_NWK_ID_BITS) and dev_addr >> (31 - prefix) & 1:
        prefix += 1
    if prefix == len(_NWK_ID_BITS):
        return None
    bits = _NWK_ID_BITS[prefix]
    addr_bits = 31 - prefix - bits
    nwk_id = dev_addr >> addr_bits & (1 << bits) - 1
    whole = prefix << 21 | nwk_id if prefix < _WHOLE_TYPES else None
    return NetId(prefix, nwk_id, whole, dev_addr & (1 << addr_bits) - 1)


def dev_addr_prefix(net_id: int) -> tuple[int, int]:
    """The bits with which every DevAddr of a network begins, as (value, how many bits): 0x000013 to (0x13, 7).

    DecodeError(RANGE) when the number is no NetID.
    """
    if not 0 <= net_id < 1 << 24:
        raise DecodeError(RejectReason.RANGE, "a NetID has 24 bits")
    kind = net_id >> 21
    bits = _NWK_ID_BITS[kind]
    ones = (1 << (kind + 1)) - 2
    return (ones << bits) | (net_id & ((1 << bits) - 1)), kind + 1 + bits
