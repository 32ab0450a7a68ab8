"""NetID and the DevAddrs that belong to it. Pure.

Source: LoRaWAN Backend Interfaces 1.0, section 13 (NetID and DevAddr assignment): a NetID of type t (its three highest
bits) has DevAddrs that begin with t ones and a zero, followed by the NwkID, the lowest bits of the NetID.
"""

from typing import Final

from torhaus.codecs.model import DecodeError, RejectReason

_NWK_ID_BITS: Final = (6, 6, 9, 11, 12, 13, 15, 17)
_MAX: Final = 0xFF_FFFF


def dev_addr_prefix(net_id: int) -> tuple[int, int]:
    """The bits with which every DevAddr of a network begins, as (value, how many bits): 0x000013 → (0x13, 7).

    DecodeError(RANGE) when the number is no NetID.
    """
    if not 0 <= net_id <= _MAX:
        raise DecodeError(RejectReason.RANGE, "a NetID has 24 bits")
    kind = net_id >> 21
    bits = _NWK_ID_BITS[kind]
    ones = (1 << (kind + 1)) - 2
    return (ones << bits) | (net_id & ((1 << bits) - 1)), kind + 1 + bits
