"""Data frames from fields: what a device or a network server sends.

LoRaWAN 1.1 section 4. The counterpart of `phy.parse` and of `SessionKeys.verify_…`, for downlinks and simulated
devices.
"""

from struct import Struct
from typing import Final

from torhaus.codecs.lorawan.crypto import SessionKeys
from torhaus.codecs.lorawan.keys import Version, little
from torhaus.codecs.lorawan.phy import MAX_PHY_BYTES, MType
from torhaus.codecs.model import DecodeError, RejectReason

MAX_FOPTS_BYTES: Final = 15

_HEAD: Final = Struct("<BIBH")


def build_uplink(
    keys: SessionKeys,
    dev_addr: int,
    fcnt32: int,
    fport: int | None,
    payload: bytes = b"",
    *,
    confirmed: bool = False,
    adr: bool = False,
    adr_ack_req: bool = False,
    ack: bool = False,
    class_b: bool = False,
    fopts: bytes = b"",
    conf_fcnt: int = 0,
    tx_dr: int = 0,
    tx_ch: int = 0,
) -> bytes:
    """An uplink's PHYPayload. `payload` and `fopts` are in clear; 1.1 keys encrypt FOpts as well.

    `conf_fcnt`, `tx_dr` and `tx_ch` enter a 1.1 MIC as in `SessionKeys.verify_uplink`. Raises DecodeError: RANGE for
    numbers that do not fit, LONG for frames over 255 bytes or FOpts over 15, SYNTAX for FOpts with FPort 0 and for a
    payload without FPort.
    """
    mtype = MType.CONFIRMED_UP if confirmed else MType.UNCONFIRMED_UP
    fctrl = adr << 7 | adr_ack_req << 6 | ack << 5 | class_b << 4
    message = _message(
        keys, dev_addr, fcnt32, fport, mtype=mtype, fctrl=fctrl, payload=payload, fopts=fopts, uplink=True
    )
    return message + keys.uplink_mic(message, dev_addr, fcnt32, conf_fcnt=conf_fcnt, tx_dr=tx_dr, tx_ch=tx_ch)


def build_downlink(
    keys: SessionKeys,
    dev_addr: int,
    fcnt32: int,
    fport: int | None,
    payload: bytes = b"",
    *,
    confirmed: bool = False,
    adr: bool = False,
    ack: bool = False,
    f_pending: bool = False,
    fopts: bytes = b"",
    conf_fcnt: int = 0,
) -> bytes:
    """A downlink's PHYPayload. In 1.1 `fcnt32` is AFCntDown for an FPort above 0, else NFCntDown.

    Otherwise as `build_uplink`.
    """
    mtype = MType.CONFIRMED_DOWN if confirmed else MType.UNCONFIRMED_DOWN
    fctrl = adr << 7 | ack << 5 | f_pending << 4
    message = _message(
        keys, dev_addr, fcnt32, fport, mtype=mtype, fctrl=fctrl, payload=payload, fopts=fopts, uplink=False
    )
    return message + keys.downlink_mic(message, dev_addr, fcnt32, conf_fcnt=conf_fcnt)


def _message(
    keys: SessionKeys,
    dev_addr: int,
    fcnt32: int,
    fport: int | None,
    *,
    mtype: MType,
    fctrl: int,
    payload: bytes,
    fopts: bytes,
    uplink: bool,
) -> bytes:
    little(dev_addr, 4, "DevAddr")
    little(fcnt32, 4, "FCnt")
    if fport is None:
        if payload:
            raise DecodeError(RejectReason.SYNTAX, "a payload without FPort")
    elif fport == 0 and fopts:
        raise DecodeError(RejectReason.SYNTAX, "FOpts together with FPort 0")
    if len(fopts) > MAX_FOPTS_BYTES:
        raise DecodeError(RejectReason.LONG, f"{len(fopts)} bytes of FOpts")
    if fopts and keys.version is Version.V1_1:
        fopts = keys.crypt_fopts(fopts, dev_addr, fcnt32, uplink=uplink, fport=fport)
    message = _HEAD.pack(mtype << 5, dev_addr, fctrl | len(fopts), fcnt32 & 0xFFFF) + fopts
    if fport is not None:
        message += little(fport, 1, "FPort")
        message += keys.crypt_payload(payload, dev_addr, fcnt32, uplink=uplink, fport=fport)
    if len(message) + 4 > MAX_PHY_BYTES:
        raise DecodeError(RejectReason.LONG, f"{len(message) + 4} bytes, a LoRa packet has at most {MAX_PHY_BYTES}")
    return message
