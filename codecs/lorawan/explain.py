"""What is in a PHYPayload, as far as the keys at hand show it: for people, so nothing here is on the way of readings.

LoRaWAN 1.0.3 and 1.1, sections 4 and 6.
"""

from collections.abc import Iterable
from typing import Final, Literal

import msgspec

from torhaus.codecs.lorawan.crypto import SessionKeys
from torhaus.codecs.lorawan.eui import format_dev_addr, format_eui64
from torhaus.codecs.lorawan.join import JOIN_REQUEST, Asked, JoinAcceptBody, open_join_accept, verify_request
from torhaus.codecs.lorawan.keys import Version, derive_join_server
from torhaus.codecs.lorawan.mac_commands import MacCommand, decode
from torhaus.codecs.lorawan.net_id import net_id_of
from torhaus.codecs.lorawan.phy import DataFrame, JoinAccept, JoinRequest, MType, Phy, Proprietary, RejoinRequest, parse
from torhaus.codecs.model import DecodeError, RejectReason

Verdict = Literal["right", "wrong", "half", "unknown"]
"""Of a MIC. "half": 1.1, the 16 bits that need neither data rate nor channel are right. "unknown": there is no key."""

UPPER_HALVES: Final = range(1 << 16)
_DATA_RATES: Final = range(16)
_CHANNELS: Final = range(96)


class Root(msgspec.Struct, frozen=True, gc=False):
    """A device's root keys, and what the join was about. 1.0 has one key; `nwk_key` is set for 1.1. Prints no key."""

    app_key: bytes | None = None
    nwk_key: bytes | None = None
    dev_eui: int | None = None
    join_eui: int | None = None
    dev_nonce: int | None = None

    @property
    def join_key(self) -> bytes | None:
        """The one that signs join-requests and encrypts join-accepts."""
        return self.nwk_key or self.app_key

    def __repr__(self) -> str:
        return "Root(…)"


class Commands(msgspec.Struct, frozen=True, gc=False):
    """MAC commands that were read, and the bytes that could not be."""

    found: list[MacCommand]
    rest: bytes


class Explained(msgspec.Struct, frozen=True, gc=False):
    """One frame. Members that a kind of frame has not, or that nobody could tell, are None."""

    phy: Phy
    mtype: MType
    mic: Verdict | None = None
    fcnt: int | None = None  # all 32 bits, once the MIC has proved them
    fopts: Commands | None = None
    commands: Commands | None = None  # FRMPayload with FPort 0
    payload: bytes | None = None  # FRMPayload in clear
    accept: JoinAcceptBody | None = None


def explain(
    data: bytes,
    *,
    session: SessionKeys | None = None,
    root: Root | None = None,
    upper_halves: Iterable[int] = UPPER_HALVES,
) -> Explained:
    """Everything that can be told. `upper_halves`: of the frame counter, to try in this order until the MIC is right.

    Raises DecodeError as `phy.parse`. Keys that do not fit give MIC "wrong".
    """
    phy = parse(data)
    mtype = MType(data[0] >> 5)
    match phy:
        case DataFrame():
            return _data(data, phy, mtype, session, upper_halves)
        case JoinRequest() | RejoinRequest():
            key = _request_key(phy, root)
            if key is None:
                return Explained(phy, mtype, "unknown")
            return Explained(phy, mtype, "right" if verify_request(key, data, phy) else "wrong")
        case JoinAccept():
            return _join_accept(data, phy, mtype, root)
        case Proprietary():
            return Explained(phy, mtype)


def names_of(dev_addr: int) -> dict[str, str]:
    """A DevAddr and its network in words."""
    out = {"dev_addr": format_dev_addr(dev_addr)}
    net = net_id_of(dev_addr)
    if net is None:
        return out | {"network": "no network can have this address"}
    if net.net_id is not None:
        private = ", free for everybody's own network" if net.is_private else ""
        return out | {"network": f"NetID {net.net_id:06x}, type {net.net_type}{private}"}
    return out | {"network": f"type {net.net_type}, NwkID {net.nwk_id:x} (the low end of its NetID)"}


def _data(
    data: bytes, phy: DataFrame, mtype: MType, session: SessionKeys | None, upper_halves: Iterable[int]
) -> Explained:
    if session is None:
        return Explained(phy, mtype, "unknown", fopts=_commands(phy.fopts, phy))
    verdict, fcnt = _counter(data, phy, session, upper_halves)
    if fcnt is None:
        readable = session.version is Version.V1_0  # 1.1 encrypts FOpts
        return Explained(phy, mtype, verdict, fopts=_commands(phy.fopts, phy) if readable else None)
    fopts = _commands(session.decrypt_fopts(phy, fcnt), phy)
    payload = None if phy.fport is None else session.decrypt(phy, fcnt)
    commands = _commands(payload, phy) if phy.fport == 0 and payload else None
    return Explained(phy, mtype, verdict, fcnt, fopts, commands, payload)


def _counter(
    data: bytes, phy: DataFrame, session: SessionKeys, upper_halves: Iterable[int]
) -> tuple[Verdict, int | None]:
    """Whether the MIC is right, and for which counter."""
    half: int | None = None
    for upper in upper_halves:
        fcnt = upper << 16 | phy.fcnt16
        if not phy.uplink:
            if session.verify_downlink(data, phy, fcnt):
                return "right", fcnt
        elif session.version is Version.V1_0:
            if session.verify_uplink(data, phy, fcnt):
                return "right", fcnt
        elif session.verify_uplink_half(data, phy, fcnt):
            if any(
                session.verify_uplink(data, phy, fcnt, tx_dr=dr, tx_ch=ch) for dr in _DATA_RATES for ch in _CHANNELS
            ):
                return "right", fcnt
            if half is None and upper == 0:  # of 65,536 counters one has the right half by chance
                half = fcnt
    return ("wrong", None) if half is None else ("half", half)


def _request_key(phy: JoinRequest | RejoinRequest, root: Root | None) -> bytes | None:
    """The key of its MIC, where a root key gives it: rejoin-requests of types 0 and 2 have the session's."""
    if root is None or root.join_key is None:
        return None
    if isinstance(phy, JoinRequest):
        return root.join_key
    if phy.rejoin_type == 1 and root.nwk_key is not None:
        return derive_join_server(root.nwk_key, phy.dev_eui).js_int_key
    return None


def _join_accept(data: bytes, phy: JoinAccept, mtype: MType, root: Root | None) -> Explained:
    if root is None or root.join_key is None:
        return Explained(phy, mtype, "unknown")
    js_int_key, asked = None, None
    if root.nwk_key is not None and root.dev_eui is not None:
        js_int_key = derive_join_server(root.nwk_key, root.dev_eui).js_int_key
    if root.join_eui is not None and root.dev_nonce is not None:
        asked = Asked(JOIN_REQUEST, root.join_eui, root.dev_nonce)
    try:
        body = open_join_accept(root.join_key, data, js_int_key=js_int_key, asked=asked)
    except DecodeError as e:
        if e.reason is RejectReason.KEY and root.nwk_key is not None:
            return Explained(phy, mtype, "unknown")
        return Explained(phy, mtype, "wrong")
    return Explained(phy, mtype, "right", accept=body)


def _commands(data: bytes, phy: DataFrame) -> Commands | None:
    return Commands(*decode(data, uplink=phy.uplink)) if data else None


def euis_of(phy: JoinRequest | RejoinRequest) -> dict[str, str]:
    """The EUIs in a request, as text."""
    out = {"dev_eui": format_eui64(phy.dev_eui)}
    return out if phy.join_eui is None else {"join_eui": format_eui64(phy.join_eui)} | out
