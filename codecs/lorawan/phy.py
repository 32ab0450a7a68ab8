"""PHYPayload of LoRaWAN 1.0.x and 1.1: bytes to fields, without any key.

LoRaWAN 1.1 sections 4.2 (MHDR), 4.3 (MACPayload, FHDR), 6.2.2 to 6.2.4 (join, rejoin). Nothing here is authenticated.
"""

from enum import IntEnum
from struct import Struct
from typing import Final

import msgspec

from torhaus.codecs.model import DecodeError, RejectReason

MAX_PHY_BYTES: Final = 255
"""The longest LoRa packet: its length field on air is one byte."""

MIN_DATA_BYTES: Final = 12
"""MHDR, DevAddr, FCtrl, FCnt and MIC: a data frame without options and port."""

_JOIN_REQUEST_BYTES: Final = 23
_JOIN_ACCEPT_BYTES: Final = (17, 33)  # without and with CFList
_REJOIN_BYTES: Final = {0: 19, 1: 24, 2: 19}

_DATA_HEAD: Final = Struct("<xIBH")  # DevAddr, FCtrl, FCnt behind MHDR
_JOIN_REQUEST: Final = Struct("<xQQH4s")
_REJOIN_NET_ID: Final = Struct("<xB3sQH4s")
_REJOIN_JOIN_EUI: Final = Struct("<xBQQH4s")


class MType(IntEnum):
    """Message type, MHDR bits 7 to 5."""

    JOIN_REQUEST = 0
    JOIN_ACCEPT = 1
    UNCONFIRMED_UP = 2
    UNCONFIRMED_DOWN = 3
    CONFIRMED_UP = 4
    CONFIRMED_DOWN = 5
    REJOIN_REQUEST = 6
    PROPRIETARY = 7


MTYPE_NAMES: Final = {
    MType.JOIN_REQUEST: "JoinRequest",
    MType.JOIN_ACCEPT: "JoinAccept",
    MType.UNCONFIRMED_UP: "UnconfirmedDataUp",
    MType.UNCONFIRMED_DOWN: "UnconfirmedDataDown",
    MType.CONFIRMED_UP: "ConfirmedDataUp",
    MType.CONFIRMED_DOWN: "ConfirmedDataDown",
    MType.REJOIN_REQUEST: "RejoinRequest",
    MType.PROPRIETARY: "Proprietary",
}
"""As the specification writes them."""


class DataFrame(msgspec.Struct, frozen=True, gc=False):
    """A data frame, up or down. `fopts` and `frm_payload` are as on air: encrypted where the version encrypts them.

    `f_pending_or_class_b` is FPending in a downlink and ClassB in an uplink; `adr_ack_req` has a meaning in uplinks
    only. `fport` is None when the frame ends after FOpts, which is not the same as a port with an empty payload.
    """

    mhdr: int
    uplink: bool
    confirmed: bool
    dev_addr: int
    adr: bool
    adr_ack_req: bool
    ack: bool
    f_pending_or_class_b: bool
    fcnt16: int
    fopts: bytes
    fport: int | None
    frm_payload: bytes
    mic: bytes

    @property
    def mtype(self) -> MType:
        """Message type."""
        return MType(self.mhdr >> 5)

    @property
    def major(self) -> int:
        """Major version of the format: always 0 (LoRaWAN R1), others are refused."""
        return self.mhdr & 0x03


class JoinRequest(msgspec.Struct, frozen=True, gc=False):
    """A device asks to join. The JoinEUI is called AppEUI before 1.0.4."""

    mhdr: int
    join_eui: int
    dev_eui: int
    dev_nonce: int
    mic: bytes


class JoinAccept(msgspec.Struct, frozen=True, gc=False):
    """The answer to a join request, still encrypted: 16 bytes, or 32 with a CFList. The MIC is inside."""

    mhdr: int
    encrypted: bytes


class RejoinRequest(msgspec.Struct, frozen=True, gc=False):
    """LoRaWAN 1.1: types 0 and 2 carry the NetID, type 1 the JoinEUI; `rj_count` is RJcount0 or RJcount1."""

    mhdr: int
    rejoin_type: int
    net_id: int | None
    join_eui: int | None
    dev_eui: int
    rj_count: int
    mic: bytes


class Proprietary(msgspec.Struct, frozen=True, gc=False):
    """A frame of someone's own format. Everything behind MHDR; whether that ends in a MIC only its maker knows."""

    mhdr: int
    body: bytes


Phy = DataFrame | JoinRequest | JoinAccept | RejoinRequest | Proprietary


def parse(phy: bytes) -> Phy:
    """A PHYPayload's fields.

    Raises DecodeError: SHORT and LONG for impossible lengths, UNSUPPORTED for a major version other than 0, SYNTAX
    for FOpts together with FPort 0 and for join and rejoin frames of a wrong length, UNKNOWN_TYPE for a rejoin type
    that is not 0 to 2. The reserved bits of MHDR are ignored, as the specification asks of receivers. So is Major in
    proprietary frames.
    """
    size = len(phy)
    if not 0 < size <= MAX_PHY_BYTES:
        raise _bad_size(size)
    mhdr = phy[0]
    if 0x40 <= mhdr < 0xC0 and not mhdr & 0x03:  # first, because it is nearly all of the traffic
        return _parse_data(phy, mhdr, size)
    mtype = mhdr >> 5
    if mtype == MType.PROPRIETARY:
        return Proprietary(mhdr, phy[1:])
    if mhdr & 0x03:
        raise DecodeError(RejectReason.UNSUPPORTED, f"major version {mhdr & 0x03} of the frame format")
    if mtype == MType.JOIN_REQUEST:
        return _parse_join_request(phy)
    if mtype == MType.JOIN_ACCEPT:
        if size not in _JOIN_ACCEPT_BYTES:
            raise DecodeError(RejectReason.SYNTAX, f"a join-accept has 17 or 33 bytes, this one {size}")
        return JoinAccept(mhdr, phy[1:])
    return _parse_rejoin(phy)


def _parse_data(phy: bytes, mhdr: int, size: int) -> DataFrame:
    if size < MIN_DATA_BYTES:
        raise DecodeError(RejectReason.SHORT, f"a data frame has at least {MIN_DATA_BYTES} bytes, this one {size}")
    dev_addr, fctrl, fcnt16 = _DATA_HEAD.unpack_from(phy)
    end = size - 4
    fopts_end = 8 + (fctrl & 0x0F)
    if fopts_end >= end:  # no FPort
        if fopts_end > end:
            raise DecodeError(RejectReason.SHORT, f"{fctrl & 0x0F} bytes of FOpts announced, {end - 8} there")
        fport = None
        payload = b""
    else:
        fport = phy[fopts_end]
        if not fport and fctrl & 0x0F:
            raise DecodeError(RejectReason.SYNTAX, "FOpts together with FPort 0")
        payload = phy[fopts_end + 1 : end]
    return DataFrame(
        mhdr,
        not mhdr & 0x20,
        mhdr >= 0x80,
        dev_addr,
        fctrl >= 0x80,
        fctrl & 0x40 != 0,
        fctrl & 0x20 != 0,
        fctrl & 0x10 != 0,
        fcnt16,
        phy[8:fopts_end],
        fport,
        payload,
        phy[end:],
    )


def _parse_join_request(phy: bytes) -> JoinRequest:
    if len(phy) != _JOIN_REQUEST_BYTES:
        raise DecodeError(RejectReason.SYNTAX, f"a join-request has {_JOIN_REQUEST_BYTES} bytes, this one {len(phy)}")
    join_eui, dev_eui, dev_nonce, mic = _JOIN_REQUEST.unpack(phy)
    return JoinRequest(phy[0], join_eui, dev_eui, dev_nonce, mic)


def _parse_rejoin(phy: bytes) -> RejoinRequest:
    if len(phy) == 1:
        raise DecodeError(RejectReason.SHORT, "a rejoin-request without a type")
    rejoin_type = phy[1]
    size = _REJOIN_BYTES.get(rejoin_type)
    if size is None:
        raise DecodeError(RejectReason.UNKNOWN_TYPE, f"rejoin type {rejoin_type}")
    if len(phy) != size:
        raise DecodeError(
            RejectReason.SYNTAX, f"a rejoin-request of type {rejoin_type} has {size} bytes, this one {len(phy)}"
        )
    if rejoin_type == 1:
        _, join_eui, dev_eui, rj_count, mic = _REJOIN_JOIN_EUI.unpack(phy)
        return RejoinRequest(phy[0], rejoin_type, None, join_eui, dev_eui, rj_count, mic)
    _, net_id, dev_eui, rj_count, mic = _REJOIN_NET_ID.unpack(phy)
    return RejoinRequest(phy[0], rejoin_type, int.from_bytes(net_id, "little"), None, dev_eui, rj_count, mic)


def _bad_size(size: int) -> DecodeError:
    if size:
        return DecodeError(RejectReason.LONG, f"{size} bytes, a LoRa packet has at most {MAX_PHY_BYTES}")
    return DecodeError(RejectReason.SHORT, "no bytes")
