"""One device's session: which counter a frame has, whether it is genuine, what is inside.

Nothing here is kept on disk and nothing advances by itself: the caller stores the counter with the record and then
calls `accept`. A join makes a session from the derived keys and the DevAddr; activation by personalisation from
configured ones.
"""

from typing import Final

import msgspec

from torhaus.codecs.lorawan.crypto import SessionKeys
from torhaus.codecs.lorawan.fcnt import Kind, candidates
from torhaus.codecs.lorawan.keys import Version
from torhaus.codecs.lorawan.phy import DataFrame
from torhaus.codecs.model import DecodeError, RejectReason

_FULL_BITS: Final = 32
_HALF_BITS: Final = 16

_V1_0: Final = Version.V1_0
_OLD: Final = Kind.OLD
_RESET: Final = Kind.RESET


class Opened(msgspec.Struct, frozen=True, gc=False):
    """An uplink whose MIC is right.

    `payload` is FRMPayload in clear (MAC commands when FPort is 0), `fopts` the MAC commands of the header in clear.
    `mic_bits` is what a forger would have had to guess: 32, or less for 1.1 frames whose channel or data rate is
    unknown.
    """

    fcnt: int
    kind: Kind
    payload: bytes
    fopts: bytes
    mic_bits: int = _FULL_BITS


class Session(msgspec.Struct, gc=False):
    """A session as the daemon holds it; `fcnt_up` is the last accepted FCntUp, None before the first uplink.

    `allow_reset` accepts a 1.0 device that starts over from a low counter, as simple ABP devices do after a power
    cut. It also lets an old recording pass, so it is off unless the device's owner wants it. In 1.1 counters never
    restart: no effect. `allow_half_mic` accepts 1.1 frames on 16 bits of MIC when data rate or channel are unknown
    (see `SessionKeys`). `conf_fcnt` is the counter of the last confirmed downlink: it enters the MIC of a 1.1 uplink
    that acknowledges it.
    """

    keys: SessionKeys
    dev_addr: int
    fcnt_up: int | None = None
    allow_reset: bool = False
    allow_half_mic: bool = False
    conf_fcnt: int = 0

    def open_uplink(
        self,
        phy: bytes,
        frame: DataFrame,
        *,
        tx_dr: int | None = None,
        tx_chs: tuple[int, ...] = (),
        conf_fcnt: int | None = None,
    ) -> Opened:
        """Verify and decrypt one uplink; `frame` is `parse(phy)`. Changes nothing, whatever comes of it.

        For 1.1: `tx_dr` is the data-rate index and `tx_chs` the channel numbers of the device's list that its
        frequency may have: one if the list is known, several to try otherwise, none if nothing is known. `conf_fcnt`
        stands in for the session's own. 1.0 needs none of them.

        A retransmission is returned as its kind: whether it is news is the caller's decision. Raises DecodeError:
        UNKNOWN_DEVICE for another DevAddr, UNSUPPORTED for a downlink and for a 1.1 frame that can be checked by half
        only where that is not allowed, MIC when no counter fits, REPLAY when the MIC is right for a counter that was
        used before.
        """
        if not frame.uplink:
            raise DecodeError(RejectReason.UNSUPPORTED, "a downlink where an uplink is expected")
        if frame.dev_addr != self.dev_addr:
            raise DecodeError(RejectReason.UNKNOWN_DEVICE, "the frame has another DevAddr than the session")
        keys = self.keys
        v1_0 = keys.version is _V1_0
        for fcnt, kind in candidates(frame.fcnt16, self.fcnt_up):
            if v1_0:
                bits = _FULL_BITS if keys.verify_uplink(phy, frame, fcnt) else 0
            else:
                conf = self.conf_fcnt if conf_fcnt is None else conf_fcnt
                bits = self._verify_1_1(phy, frame, fcnt, tx_dr=tx_dr, tx_chs=tx_chs, conf_fcnt=conf)
            if bits:
                if kind is _OLD or (kind is _RESET and not (self.allow_reset and v1_0)):
                    raise DecodeError(RejectReason.REPLAY, f"counter {fcnt} after {self.fcnt_up}")
                return Opened(fcnt, kind, keys.decrypt(frame, fcnt), keys.decrypt_fopts(frame, fcnt), bits)
        raise DecodeError(RejectReason.MIC, f"no counter near {self.fcnt_up} fits FCnt {frame.fcnt16}")

    def accept(self, opened: Opened) -> None:
        """Take over the counter of an uplink that was opened by this session."""
        self.fcnt_up = opened.fcnt

    def _verify_1_1(
        self,
        phy: bytes,
        frame: DataFrame,
        fcnt: int,
        *,
        tx_dr: int | None,
        tx_chs: tuple[int, ...],
        conf_fcnt: int,
    ) -> int:
        """The bits of MIC that were checked and right; 0 when it is wrong."""
        if not self.keys.verify_uplink_half(phy, frame, fcnt):
            return 0
        if tx_dr is None or not tx_chs:
            if not self.allow_half_mic:
                raise DecodeError(RejectReason.UNSUPPORTED, "a 1.1 MIC needs data rate and channel, which are unknown")
            return _HALF_BITS
        for tx_ch in tx_chs:
            if self.keys.verify_uplink(phy, frame, fcnt, conf_fcnt=conf_fcnt, tx_dr=tx_dr, tx_ch=tx_ch):
                return _FULL_BITS - (len(tx_chs) - 1).bit_length()  # each channel tried is one more guess for a forger
        return 0
