"""Integrity and encryption of data frames under the keys of one session.

LoRaWAN 1.0.3 sections 4.3.3 and 4.4; LoRaWAN 1.1 sections 4.3.1.6, 4.3.3 and 4.4 with the errata on FOpts encryption.
"""

import struct
from hmac import compare_digest
from typing import Final

from cryptography.hazmat.primitives.ciphers import CipherContext

from torhaus.codecs.lorawan.aes import Mac, cmac_context, keystream_context, xor_keystream
from torhaus.codecs.lorawan.keys import KeySet, Version, keys_1_0, keys_1_1
from torhaus.codecs.lorawan.phy import MIN_DATA_BYTES, DataFrame, RejoinRequest
from torhaus.codecs.model import DecodeError, RejectReason

_V1_0: Final = Version.V1_0
_UP: Final = 0
_DOWN: Final = 1
_FCTRL_ACK: Final = 0x20

# 49 | 00000000 | dir | DevAddr | FCnt32 | 00 | len
_B0: Final = struct.Struct("<B4xBIIxB")
# 49 | ConfFCnt16 | TxDr | TxCh | dir | DevAddr | FCnt32 | 00 | len
_B1: Final = struct.Struct("<BHBBBIIxB")
# 01 | 000000 | 00, or which counter in FOpts | dir | DevAddr | FCnt32 | 00 | i, here always 1
_A1: Final = struct.Struct("<B3xBBIIxB")

_FOPTS_FCNT_UP_OR_N: Final = 1  # FCntUp, NFCntDown
_FOPTS_A_FCNT_DOWN: Final = 2


class SessionKeys:
    """The keys of one session. Prints no key, belongs to one thread.

    Cipher contexts, about 3 KB, are made when the first frame needs them: most devices are silent most of the time.

    `fcnt32` is the full counter: FCntUp, or in downlinks NFCntDown (no FPort, FPort 0) or AFCntDown (1.1), FCntDown
    (1.0). `conf_fcnt` is the counter of the confirmed frame that this one acknowledges: it enters the MIC in 1.1,
    modulo 2^16, when ACK is set. Every method raises DecodeError(RANGE) for a number that does not fit its field.
    """

    __slots__ = ("_app_context", "_enc_context", "_f_context", "_keys", "_s_context", "version")

    version: Version

    def __init__(self, keys: KeySet) -> None:
        self.version = keys.version
        self._keys = keys
        self._f_context: Mac | None = None
        self._s_context: Mac | None = None
        self._app_context: CipherContext | None = None
        self._enc_context: CipherContext | None = None

    @property
    def _f(self) -> Mac:
        if self._f_context is None:
            self._f_context = cmac_context(self._keys.f_nwk_s_int_key)
        return self._f_context

    @property
    def _s(self) -> Mac | None:
        if self._s_context is None and self.version is Version.V1_1:
            self._s_context = cmac_context(self._keys.s_nwk_s_int_key)
        return self._s_context

    def _app(self) -> CipherContext:
        if self._app_context is None:
            self._app_context = keystream_context(self._keys.app_s_key)
        return self._app_context

    @classmethod
    def v1_0(cls, nwk_s_key: bytes, app_s_key: bytes) -> "SessionKeys":
        """A 1.0 session. DecodeError(KEY) unless both are 16 bytes."""
        return cls(keys_1_0(nwk_s_key, app_s_key))

    @classmethod
    def v1_1(
        cls, f_nwk_s_int_key: bytes, s_nwk_s_int_key: bytes, nwk_s_enc_key: bytes, app_s_key: bytes
    ) -> "SessionKeys":
        """A 1.1 session. DecodeError(KEY) unless all are 16 bytes."""
        return cls(keys_1_1(f_nwk_s_int_key, s_nwk_s_int_key, nwk_s_enc_key, app_s_key))

    def __repr__(self) -> str:
        return f"SessionKeys({self.version.value})"

    def uplink_mic(
        self, message: bytes, dev_addr: int, fcnt32: int, *, conf_fcnt: int = 0, tx_dr: int = 0, tx_ch: int = 0
    ) -> bytes:
        """The MIC, 4 bytes, of an uplink. `message` is the PHYPayload up to it: DecodeError(SHORT) under 8 bytes."""
        half_f = self._mac(self._f, _B0, (0x49, _UP, dev_addr, fcnt32, len(message)), message)
        if self._s is None:
            return half_f[:4]
        conf = _acknowledged(message, conf_fcnt)
        half_s = self._mac(self._s, _B1, (0x49, conf, tx_dr, tx_ch, _UP, dev_addr, fcnt32, len(message)), message)
        return half_s[:2] + half_f[:2]

    def downlink_mic(self, message: bytes, dev_addr: int, fcnt32: int, *, conf_fcnt: int = 0) -> bytes:
        """The MIC, 4 bytes, of a downlink. `message` as for `uplink_mic`."""
        if self._s is None:
            return self._mac(self._f, _B0, (0x49, _DOWN, dev_addr, fcnt32, len(message)), message)[:4]
        conf = _acknowledged(message, conf_fcnt)
        return self._mac(self._s, _B1, (0x49, conf, 0, 0, _DOWN, dev_addr, fcnt32, len(message)), message)[:4]

    def verify_uplink(
        self, phy: bytes, frame: DataFrame, fcnt32: int, *, conf_fcnt: int = 0, tx_dr: int = 0, tx_ch: int = 0
    ) -> bool:
        """Whether the MIC of `phy`, parsed as `frame`, is right for this counter. Constant time.

        In 1.1, `tx_dr` is the data-rate index and `tx_ch` the index of the channel in the *device's* channel list:
        for EU868 0 to 2 are 868.1, 868.3 and 868.5 MHz and the network hands out the others. It is not the gateway's
        own channel number. When either is unknown, use `verify_uplink_half`. In 1.0 all three are ignored.
        """
        if self.version is not _V1_0:
            mic = self.uplink_mic(phy[:-4], frame.dev_addr, fcnt32, conf_fcnt=conf_fcnt, tx_dr=tx_dr, tx_ch=tx_ch)
            return compare_digest(mic, frame.mic)
        try:  # _mac written out: this is the path of every uplink
            block = _B0.pack(0x49, _UP, frame.dev_addr, fcnt32, len(phy) - 4)
        except struct.error:
            raise _range() from None
        mac = (self._f_context or self._f).copy()
        mac.update(block + phy[:-4])
        return compare_digest(mac.finalize()[:4], frame.mic)

    def verify_uplink_half(self, phy: bytes, frame: DataFrame, fcnt32: int) -> bool:
        """Whether the part of the MIC that needs no data rate, channel or ConfFCnt is right. Constant time.

        In 1.1 that is cmacF alone, 16 bits: one forged frame in 65,536 passes, for each counter value tried. Enough
        to tell one's own devices apart, not enough against somebody who sends on purpose. In 1.0 it is the whole MIC.
        """
        mac = self._mac(self._f, _B0, (0x49, _UP, frame.dev_addr, fcnt32, len(phy) - 4), phy[:-4])
        if self._s is None:
            return compare_digest(mac[:4], frame.mic)
        return compare_digest(mac[:2], frame.mic[2:])

    def verify_downlink(self, phy: bytes, frame: DataFrame, fcnt32: int, *, conf_fcnt: int = 0) -> bool:
        """Whether the MIC of a downlink is right for this counter. Constant time."""
        mic = self.downlink_mic(phy[:-4], frame.dev_addr, fcnt32, conf_fcnt=conf_fcnt)
        return compare_digest(mic, frame.mic)

    def verify_rejoin(self, phy: bytes, request: RejoinRequest) -> bool:
        """Whether a rejoin-request of type 0 or 2 is of this session (1.1, SNwkSIntKey). Constant time."""
        if self._s is None:
            return False
        mac = self._s.copy()
        mac.update(phy[:-4])
        return compare_digest(mac.finalize()[:4], request.mic)

    def decrypt(self, frame: DataFrame, fcnt32: int) -> bytes:
        """FRMPayload in clear: MAC commands for FPort 0, else the application's bytes; empty when there is no FPort."""
        if not frame.frm_payload:
            return b""
        try:
            first = _A1.pack(1, 0, not frame.uplink, frame.dev_addr, fcnt32, 1)
        except struct.error:
            raise _range() from None
        return xor_keystream(
            (self._app_context or self._app()) if frame.fport else self._network(), first, frame.frm_payload
        )

    def decrypt_fopts(self, frame: DataFrame, fcnt32: int) -> bytes:
        """FOpts in clear. 1.0 does not encrypt them."""
        if not frame.fopts or self.version is _V1_0:
            return frame.fopts
        return self.crypt_fopts(frame.fopts, frame.dev_addr, fcnt32, uplink=frame.uplink, fport=frame.fport)

    def crypt_payload(self, data: bytes, dev_addr: int, fcnt32: int, *, uplink: bool, fport: int) -> bytes:
        """FRMPayload encrypted or decrypted: the operation is its own inverse. DecodeError(LONG) beyond 256 bytes."""
        first = _pack(_A1, (1, 0, not uplink, dev_addr, fcnt32, 1))
        return xor_keystream(self._app() if fport else self._network(), first, data)

    def crypt_fopts(self, data: bytes, dev_addr: int, fcnt32: int, *, uplink: bool, fport: int | None) -> bytes:
        """FOpts encrypted or decrypted as 1.1 does it. In a downlink with an FPort above 0 the counter is AFCntDown.

        DecodeError(LONG) beyond 15 bytes.
        """
        if len(data) > 15:
            raise DecodeError(RejectReason.LONG, f"{len(data)} bytes of FOpts")
        which = _FOPTS_A_FCNT_DOWN if not uplink and fport else _FOPTS_FCNT_UP_OR_N
        first = _pack(_A1, (1, which, not uplink, dev_addr, fcnt32, 1))
        return xor_keystream(self._network(), first, data)

    def _network(self) -> CipherContext:
        if self._enc_context is None:
            self._enc_context = keystream_context(self._keys.nwk_s_enc_key)
        return self._enc_context

    @staticmethod
    def _mac(context: Mac, layout: struct.Struct, values: tuple[int, ...], message: bytes) -> bytes:
        mac = context.copy()
        mac.update(_pack(layout, values) + message)
        return mac.finalize()


def _acknowledged(message: bytes, conf_fcnt: int) -> int:
    if len(message) < MIN_DATA_BYTES - 4:
        raise DecodeError(RejectReason.SHORT, "no whole frame header to compute a MIC over")
    return conf_fcnt & 0xFFFF if message[5] & _FCTRL_ACK else 0


def _pack(layout: struct.Struct, values: tuple[int, ...]) -> bytes:
    try:
        return layout.pack(*values)
    except struct.error:
        raise _range() from None


def _range() -> DecodeError:
    return DecodeError(RejectReason.RANGE, "an address, counter, data rate, channel or length does not fit its field")
