"""An end device's half of LoRaWAN's security: joins, frames up, frames down. Pure: no radio, no clock.

TS001-1.0.4 and LoRaWAN 1.1, sections 4.3, 4.4 and 6.2. It shares with the daemon what codecs/lorawan has: key
derivation, MICs and encryption, which published vectors and an independent peer check (tests/codecs). What a server
does by itself is not used here: counters, sessions and joins are a device's own, so that a fault on one side does not
meet its like on the other.
"""

from random import Random
from typing import Any, Final

import msgspec

from torhaus.codecs.lorawan.build import build_uplink
from torhaus.codecs.lorawan.crypto import SessionKeys
from torhaus.codecs.lorawan.join import (
    JOIN_REQUEST,
    Asked,
    JoinAcceptBody,
    build_join_request,
    build_rejoin_request,
    open_join_accept,
)
from torhaus.codecs.lorawan.keys import JoinServerKeys, derive_1_0, derive_1_1, derive_join_server
from torhaus.codecs.lorawan.phy import DataFrame, parse
from torhaus.codecs.model import DecodeError
from torhaus.daemon.simulate.identity import Identity

_NONCES: Final = 1 << 16


class Down(msgspec.Struct, frozen=True):
    """A downlink that was meant for the device and is genuine; `commands` are the MAC commands in clear."""

    fcnt: int
    fport: int | None
    payload: bytes
    commands: bytes
    ack: bool
    confirmed: bool
    pending: bool


class Member:
    """`random` is what DevNonces are taken from where they do not rise; without it they rise in any version.

    `reused` counts downlinks under a counter that was used before: a server must never do that.
    """

    def __init__(self, identity: Identity, random: Random | None = None, dev_nonce: int = 0) -> None:
        self.identity = identity
        self.dev_nonce = dev_nonce
        self.join_nonce = -1
        self.dev_addr: int | None = None
        self.keys: SessionKeys | None = None
        self.body: JoinAcceptBody | None = None
        self.fcnt_up = 0
        self.n_fcnt_down = -1
        self.a_fcnt_down = -1  # 1.0 has one counter, the other one
        self.rj_count = 0
        self.reused = 0
        self.has_1_1_session = False
        self._random = None if identity.counts_nonces else random
        self._js: JoinServerKeys | None = None
        if identity.nwk_key is not None:
            self._js = derive_join_server(identity.nwk_key, identity.dev_eui)
        self._s_nwk_s_int_key = b""
        self._asked = (JOIN_REQUEST, 0)
        self._last: dict[str, Any] = {}
        self._confirmed = 0  # counter of the last confirmed uplink
        self._to_ack: int | None = None  # counter of a confirmed downlink that the next uplink acknowledges

    def forget(self) -> None:
        """Power was cut: the session is gone, what 1.0.4 and 1.1 want kept is kept (DevNonce, JoinNonce)."""
        self.keys = self.dev_addr = None

    def ask(self) -> bytes:
        """The next join-request."""
        if self._random is not None:
            self.dev_nonce = self._random.randrange(_NONCES)
        else:
            self.dev_nonce += 1
        one = self.identity
        self._asked = (JOIN_REQUEST, self.dev_nonce)
        return build_join_request(one.join_key, one.join_eui, one.dev_eui, self.dev_nonce)

    def rejoin(self, rejoin_type: int) -> bytes:
        """A rejoin-request of type 0 or 2, of a session of 1.1."""
        assert self.body is not None
        count, self.rj_count = self.rj_count, self.rj_count + 1
        self._asked = (rejoin_type, count)
        return build_rejoin_request(
            self._s_nwk_s_int_key, rejoin_type, self.body.net_id, self.identity.dev_eui, count & 0xFFFF
        )

    def take(self, phy: bytes) -> bool:
        """A join-accept came within the window: whether it was this device's, and was taken."""
        one, (kind, nonce) = self.identity, self._asked
        asked = Asked(kind, one.join_eui, nonce)
        key = one.join_key
        if kind != JOIN_REQUEST:
            assert self._js is not None
            key = self._js.js_enc_key
        js = self._js.js_int_key if self._js is not None else None
        try:
            body = open_join_accept(key, phy, js_int_key=js, asked=asked)
        except DecodeError:
            return False
        if one.counts_nonces and body.join_nonce <= self.join_nonce:
            return False
        self.join_nonce = body.join_nonce
        if body.opt_neg:
            assert one.nwk_key is not None
            keys = derive_1_1(one.nwk_key, one.app_key, body.join_nonce, one.join_eui, nonce)
        else:
            keys = derive_1_0(one.join_key, body.join_nonce, body.net_id, nonce)
        self.keys, self.dev_addr, self.body, self.has_1_1_session = SessionKeys(keys), body.dev_addr, body, body.opt_neg
        self._s_nwk_s_int_key = keys.s_nwk_s_int_key
        self.fcnt_up, self.n_fcnt_down, self.a_fcnt_down, self.rj_count = 0, -1, -1, 0
        self._to_ack, self._last = None, {}
        return True

    def uplink(
        self,
        payload: bytes = b"\x01\x00\xd6",
        *,
        fport: int | None = 5,
        confirmed: bool = False,
        adr: bool = False,
        adr_ack_req: bool = False,
        fopts: bytes = b"",
        tx_dr: int = 5,
        tx_ch: int = 0,
    ) -> bytes:
        """The next data frame. `tx_dr` and `tx_ch`, the device's channel number, enter a MIC of 1.1."""
        assert self.dev_addr is not None
        ack, self._to_ack = self._to_ack, None
        self._last = {
            "fcnt32": self.fcnt_up,
            "fport": fport,
            "payload": payload,
            "confirmed": confirmed,
            "adr": adr,
            "adr_ack_req": adr_ack_req,
            "fopts": fopts,
            "ack": ack is not None,
            "conf_fcnt": ack or 0,
        }
        if confirmed:
            self._confirmed = self.fcnt_up
        self.fcnt_up += 1
        return self.repeat(tx_dr=tx_dr, tx_ch=tx_ch)

    def repeat(self, *, tx_dr: int, tx_ch: int) -> bytes:
        """The last data frame once more; in 1.1 its MIC says where it is sent."""
        assert self.keys is not None
        assert self.dev_addr is not None
        return build_uplink(self.keys, self.dev_addr, **self._last, tx_dr=tx_dr, tx_ch=tx_ch)

    def hear(self, phy: bytes) -> Down | None:
        """A data downlink: None when it is not for this device, is forged, or its counter was used before."""
        try:
            frame = parse(phy)
        except DecodeError:
            return None
        if not isinstance(frame, DataFrame) or frame.uplink or frame.dev_addr != self.dev_addr or self.keys is None:
            return None
        is_application = self.has_1_1_session and bool(frame.fport)
        last = self.a_fcnt_down if is_application else self.n_fcnt_down
        fcnt = frame.fcnt16 if last < 0 else last + 1 + ((frame.fcnt16 - last - 1) & 0xFFFF)
        if not self._fits(phy, frame, fcnt):
            if last >= 0 and self._fits(phy, frame, last - ((last - frame.fcnt16) & 0xFFFF)):
                self.reused += 1
            return None
        if is_application:
            self.a_fcnt_down = fcnt
        else:
            self.n_fcnt_down = fcnt
        payload = self.keys.decrypt(frame, fcnt)
        commands = payload if frame.fport == 0 else self.keys.decrypt_fopts(frame, fcnt)
        if frame.confirmed:
            self._to_ack = fcnt
        return Down(
            fcnt,
            frame.fport,
            payload if frame.fport else b"",
            commands,
            frame.ack,
            frame.confirmed,
            frame.f_pending_or_class_b,
        )

    def _fits(self, phy: bytes, frame: DataFrame, fcnt: int) -> bool:
        assert self.keys is not None
        return 0 <= fcnt < 1 << 32 and self.keys.verify_downlink(phy, frame, fcnt, conf_fcnt=self._confirmed)
