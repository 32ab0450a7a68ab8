"""The LNS protocol as a station speaks it: what it says of frames and itself, and the downlinks it is given. Pure.

Sources as torhaus.codecs.framing.basics_station.upward and downward, whose inverse this is. Lengths are bounded like
those; only DecodeError leaves.
"""

from typing import Annotated, Any, Final

import msgspec

from torhaus.codecs.lorawan.phy import MAX_PHY_BYTES, DataFrame, JoinRequest, parse
from torhaus.codecs.model import DecodeError, RejectReason

MAX_BYTES: Final = 16_384
"""Of a message; the longest, a router_config, has less than 4 KiB."""
CLASS_A: Final = 0
CLASS_C: Final = 2
_MAX_RX_DELAY: Final = 15

_S64 = Annotated[int, msgspec.Meta(ge=-(1 << 63), le=(1 << 63) - 1)]
_Dr = Annotated[int, msgspec.Meta(ge=0, le=15)]
_Freq = Annotated[int, msgspec.Meta(ge=30_000_000, le=6_000_000_000)]


class DnMsg(msgspec.Struct, tag_field="msgtype", tag="dnmsg", gc=False, kw_only=True):
    """A downlink: of class A with the two windows after `xtime`, of class C with RX2 alone. Times in µs."""

    DevEui: Annotated[str, msgspec.Meta(max_length=32)]
    dC: Annotated[int, msgspec.Meta(ge=0, le=2)]  # noqa: N815 - as the protocol has it
    diid: _S64
    pdu: Annotated[str, msgspec.Meta(max_length=2 * MAX_PHY_BYTES)]
    RxDelay: Annotated[int, msgspec.Meta(ge=0, le=_MAX_RX_DELAY)] = 1
    RX1DR: _Dr | None = None
    RX1Freq: _Freq | None = None
    RX2DR: _Dr | None = None
    RX2Freq: _Freq | None = None
    xtime: _S64 = 0
    rctx: _S64 = 0

    def phy(self) -> bytes:
        """The PHYPayload. Raises DecodeError."""
        try:
            data = bytes.fromhex(self.pdu)
        except ValueError:
            raise DecodeError(RejectReason.SYNTAX, "pdu: not hex digits") from None
        if not data:
            raise DecodeError(RejectReason.SHORT, "pdu: no bytes")
        return data


class RouterConfig(msgspec.Struct, tag_field="msgtype", tag="router_config", gc=False):
    """What a station is told of channels and rates; here only that it was."""

    region: Annotated[str, msgspec.Meta(max_length=32)] = ""


class TimeSync(msgspec.Struct, tag_field="msgtype", tag="timesync", gc=False):
    """The answer to a question for the time."""

    gpstime: _S64 = 0


class _Answer(msgspec.Struct, gc=False):
    uri: Annotated[str, msgspec.Meta(max_length=127)] = ""
    error: Annotated[str, msgspec.Meta(max_length=1024)] = ""


_said: Final = msgspec.json.Decoder(DnMsg | RouterConfig | TimeSync)
_answer: Final = msgspec.json.Decoder(_Answer)
_UNREADABLE: Final = (msgspec.DecodeError, RecursionError, UnicodeDecodeError)


def parse_message(text: bytes) -> DnMsg | RouterConfig | TimeSync:
    """One message of a server. Raises DecodeError: LONG, SYNTAX."""
    if len(text) > MAX_BYTES:
        raise DecodeError(RejectReason.LONG, f"a message of {len(text)} bytes, at most {MAX_BYTES} are taken")
    try:
        said: DnMsg | RouterConfig | TimeSync = _said.decode(text)
    except _UNREADABLE as e:
        raise DecodeError(RejectReason.SYNTAX, f"not a server's message: {e}") from None
    return said


def question(eui: str) -> bytes:
    """Asks `/router-info` where its server is."""
    return msgspec.json.encode({"router": ":".join(eui[n : n + 4] for n in range(0, 16, 4))})


def parse_answer(text: bytes) -> str:
    """The URI to connect to. Raises DecodeError; its detail has what the server said."""
    if len(text) > MAX_BYTES:
        raise DecodeError(RejectReason.LONG, f"an answer of {len(text)} bytes")
    try:
        answer = _answer.decode(text)
    except _UNREADABLE as e:
        raise DecodeError(RejectReason.SYNTAX, f"not a server's answer: {e}") from None
    if not answer.uri:
        raise DecodeError(RejectReason.UNSUPPORTED, f"refused: {answer.error or 'no URI'}")
    return answer.uri


def version(model: str) -> bytes:
    """The first word on a data connection."""
    said = {"msgtype": "version", "station": "2.0.6(simulated)", "firmware": None, "package": None, "model": model}
    return msgspec.json.encode(said | {"protocol": 2, "features": ""})


def heard(phy: bytes, dr: int, freq_hz: int, xtime: int, rssi_dbm: float, snr_db: float) -> bytes:
    """A frame from the air. DecodeError(UNSUPPORTED) for what a station does not pass on."""
    frame = parse(phy)
    said: dict[str, Any]
    if isinstance(frame, JoinRequest):
        said = {
            "msgtype": "jreq",
            "MHdr": phy[0],
            "JoinEui": _dashed(frame.join_eui),
            "DevEui": _dashed(frame.dev_eui),
            "DevNonce": frame.dev_nonce,
        }
    elif isinstance(frame, DataFrame) and frame.uplink:
        said = {
            "msgtype": "updf",
            "MHdr": phy[0],
            "DevAddr": _signed(phy[1:5]),
            "FCtrl": phy[5],
            "FCnt": frame.fcnt16,
            "FOpts": frame.fopts.hex(),
            "FPort": -1 if frame.fport is None else frame.fport,
            "FRMPayload": frame.frm_payload.hex(),
        }
    else:
        raise DecodeError(RejectReason.UNSUPPORTED, "stations pass on join-requests and data uplinks")
    said |= {"MIC": _signed(phy[-4:]), "RefTime": 0.0, "DR": dr, "Freq": freq_hz}
    info = {"rctx": 0, "xtime": xtime, "gpstime": 0, "fts": -1, "rssi": rssi_dbm, "snr": snr_db}
    return msgspec.json.encode(said | {"upinfo": info})


def sent(asked: DnMsg, dr: int, freq_hz: int, xtime: int) -> bytes:
    """A downlink went out. Of one that did not go out a station says nothing."""
    said = {"msgtype": "dntxed", "seqno": asked.diid, "diid": asked.diid, "DR": dr, "Freq": freq_hz}
    times = {"DevEui": asked.DevEui, "rctx": asked.rctx, "xtime": xtime, "txtime": 0.0, "gpstime": 0}
    return msgspec.json.encode(said | times)


def _dashed(eui: int) -> str:
    return eui.to_bytes(8, "big").hex("-").upper()


def _signed(data: bytes) -> int:
    return int.from_bytes(data, "little", signed=True)
