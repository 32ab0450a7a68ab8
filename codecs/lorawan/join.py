"""Joining: MICs, encryption and fields of join-requests, join-accepts and rejoin-requests.

LoRaWAN 1.0.3 sections 6.2.4 and 6.2.5; LoRaWAN 1.1 sections 6.2.2 to 6.2.4. Which root key applies:

- join-request: AppKey (1.0), NwkKey (1.1);
- its join-accept: encrypted under the same key; the MIC under the same key, or under JSIntKey when OptNeg is set;
- rejoin-request of types 0 and 2: SNwkSIntKey of the session, of type 1: JSIntKey;
- their join-accept: encrypted under JSEncKey, the MIC under JSIntKey.
"""

from hmac import compare_digest
from struct import Struct
from typing import Final

import msgspec

from torhaus.codecs.lorawan.aes import check_key, cmac, ecb_context, ecb_decrypt
from torhaus.codecs.lorawan.keys import little
from torhaus.codecs.lorawan.phy import JoinAccept, JoinRequest, MType, RejoinRequest, parse
from torhaus.codecs.model import DecodeError, RejectReason

JOIN_REQUEST: Final = 0xFF
"""JoinReqType of a join-accept that answers a join-request; one that answers a rejoin has the rejoin type, 0 to 2."""

_BODY: Final = Struct("<x3s3sIBB")
_CF_LIST_BYTES: Final = 16


class Asked(msgspec.Struct, frozen=True, gc=False):
    """What a 1.1 join-accept answers: it enters the MIC. `nonce` is DevNonce, RJcount0 or RJcount1."""

    join_req_type: int
    join_eui: int
    nonce: int


class JoinAcceptBody(msgspec.Struct, frozen=True, gc=False):
    """A join-accept in clear. `rx_delay` is in seconds as on air, where 0 means 1; `cf_list` is empty or 16 bytes."""

    join_nonce: int
    net_id: int
    dev_addr: int
    dl_settings: int
    rx_delay: int
    cf_list: bytes = b""

    @property
    def opt_neg(self) -> bool:
        """Whether the server speaks 1.1, so that the session has 1.1 keys."""
        return self.dl_settings >= 0x80

    @property
    def rx1_dr_offset(self) -> int:
        """Offset between the uplink's and RX1's data rate."""
        return self.dl_settings >> 4 & 0x07

    @property
    def rx2_data_rate(self) -> int:
        """Data-rate index of RX2."""
        return self.dl_settings & 0x0F


def request_mic(key: bytes, message: bytes) -> bytes:
    """The MIC, 4 bytes, of a join-request or rejoin-request; `message` is the PHYPayload up to it. DecodeError(KEY)."""
    return cmac(check_key(key, "key"), message)[:4]


def verify_request(key: bytes, phy: bytes, request: JoinRequest | RejoinRequest) -> bool:
    """Whether the MIC of `phy`, parsed as `request`, is right under `key`. Constant time. DecodeError(KEY)."""
    return compare_digest(request_mic(key, phy[:-4]), request.mic)


def build_join_request(key: bytes, join_eui: int, dev_eui: int, dev_nonce: int) -> bytes:
    """A join-request's PHYPayload. DecodeError: KEY, RANGE."""
    message = bytes((MType.JOIN_REQUEST << 5,)) + little(join_eui, 8, "JoinEUI") + little(dev_eui, 8, "DevEUI")
    message += little(dev_nonce, 2, "DevNonce")
    return message + request_mic(key, message)


def build_rejoin_request(key: bytes, rejoin_type: int, net_id_or_join_eui: int, dev_eui: int, rj_count: int) -> bytes:
    """A rejoin-request's PHYPayload: types 0 and 2 take the NetID, type 1 the JoinEUI. DecodeError: KEY, RANGE."""
    if not 0 <= rejoin_type <= 2:
        raise DecodeError(RejectReason.RANGE, "rejoin types are 0 to 2")
    message = bytes((MType.REJOIN_REQUEST << 5, rejoin_type))
    message += little(net_id_or_join_eui, 8, "JoinEUI") if rejoin_type == 1 else little(net_id_or_join_eui, 3, "NetID")
    message += little(dev_eui, 8, "DevEUI") + little(rj_count, 2, "RJcount")
    return message + request_mic(key, message)


def decrypt_join_accept(key: bytes, phy: bytes) -> bytes:
    """MHDR, fields and MIC in clear: 17 or 33 bytes. The MIC is not checked. DecodeError: KEY, SYNTAX as `parse`."""
    accept = parse(phy)
    if not isinstance(accept, JoinAccept):
        raise DecodeError(RejectReason.SYNTAX, "not a join-accept")
    # The server uses AES decryption to encrypt, so that a device needs only the other direction.
    return phy[:1] + ecb_context(check_key(key, "key")).update(accept.encrypted)


def encrypt_join_accept(key: bytes, clear: bytes) -> bytes:
    """The inverse of `decrypt_join_accept`. DecodeError: KEY, SYNTAX for a wrong length."""
    if not isinstance(parse(clear), JoinAccept):
        raise DecodeError(RejectReason.SYNTAX, "not a join-accept")
    return clear[:1] + ecb_decrypt(check_key(key, "key"), clear[1:])


def join_accept_mic(key: bytes, message: bytes, asked: Asked | None = None) -> bytes:
    """The MIC, 4 bytes. `message` is MHDR and fields in clear; with `asked` in its 1.1 form, where `key` is JSIntKey.

    DecodeError: KEY, RANGE.
    """
    if asked is not None:
        before = little(asked.join_req_type, 1, "JoinReqType") + little(asked.join_eui, 8, "JoinEUI")
        message = before + little(asked.nonce, 2, "DevNonce") + message
    return cmac(check_key(key, "key"), message)[:4]


def parse_join_accept(clear: bytes) -> JoinAcceptBody:
    """Fields of a join-accept in clear, MIC included but not checked. DecodeError(SYNTAX) as `parse`."""
    if not isinstance(parse(clear), JoinAccept):
        raise DecodeError(RejectReason.SYNTAX, "not a join-accept")
    join_nonce, net_id, dev_addr, dl_settings, rx_delay = _BODY.unpack_from(clear)
    return JoinAcceptBody(
        int.from_bytes(join_nonce, "little"),
        int.from_bytes(net_id, "little"),
        dev_addr,
        dl_settings,
        rx_delay & 0x0F,
        clear[13:-4],
    )


def open_join_accept(
    key: bytes, phy: bytes, *, js_int_key: bytes | None = None, asked: Asked | None = None
) -> JoinAcceptBody:
    """Decrypt a join-accept under `key` and verify it. OptNeg in it says which form of MIC applies.

    Raises DecodeError: KEY for a wrong key length, and when OptNeg is set but JSIntKey or the question is not given;
    MIC; and those of `parse`.
    """
    clear = decrypt_join_accept(key, phy)
    body = parse_join_accept(clear)
    if not body.opt_neg:
        mic = join_accept_mic(key, clear[:-4])
    elif js_int_key is None or asked is None:
        raise DecodeError(RejectReason.KEY, "the wrong key, or a 1.1 join-accept, which needs JSIntKey and its request")
    else:
        mic = join_accept_mic(js_int_key, clear[:-4], asked)
    if not compare_digest(mic, clear[-4:]):
        raise DecodeError(RejectReason.MIC, "join-accept")
    return body


def build_join_accept(
    key: bytes, body: JoinAcceptBody, *, js_int_key: bytes | None = None, asked: Asked | None = None
) -> bytes:
    """A join-accept's PHYPayload. Keys as for `open_join_accept`. DecodeError: KEY, RANGE, SYNTAX for a bad CFList."""
    if len(body.cf_list) not in {0, _CF_LIST_BYTES}:
        raise DecodeError(RejectReason.SYNTAX, f"a CFList has {_CF_LIST_BYTES} bytes")
    message = (
        bytes((MType.JOIN_ACCEPT << 5,)) + little(body.join_nonce, 3, "JoinNonce") + little(body.net_id, 3, "NetID")
    )
    message += little(body.dev_addr, 4, "DevAddr") + little(body.dl_settings, 1, "DLSettings")
    message += little(body.rx_delay, 1, "RxDelay") + body.cf_list
    if not body.opt_neg:
        mic = join_accept_mic(key, message)
    elif js_int_key is None or asked is None:
        raise DecodeError(RejectReason.KEY, "a 1.1 join-accept needs JSIntKey and its request")
    else:
        mic = join_accept_mic(js_int_key, message, asked)
    return encrypt_join_accept(key, message + mic)
