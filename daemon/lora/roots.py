"""A device's root keys, and what they open: join-requests, join-accepts, the keys of a session.

Which key it is: torhaus.codecs.lorawan.join and torhaus.codecs.lorawan.keys.
"""

import msgspec

from torhaus.codecs.lorawan.crypto import SessionKeys
from torhaus.codecs.lorawan.eui import parse_eui64
from torhaus.codecs.lorawan.join import (
    JOIN_REQUEST,
    Asked,
    JoinAcceptBody,
    build_join_accept,
    open_join_accept,
    verify_request,
)
from torhaus.codecs.lorawan.keys import Version, derive_1_0, derive_1_1, derive_join_server
from torhaus.codecs.lorawan.phy import JoinRequest, RejoinRequest
from torhaus.codecs.model import DecodeError, RejectReason
from torhaus.daemon.config.device_keys import DeviceKeys
from torhaus.daemon.config.devices import DeviceConfig
from torhaus.daemon.outbox.joins import Joined


class Roots(msgspec.Struct, frozen=True, gc=False):
    """Prints no key. `join_key` is AppKey of a 1.0 device, NwkKey of a 1.1 device; `app_key` is there for 1.1 only."""

    dev_eui: int
    join_key: bytes
    app_key: bytes | None = None

    def __repr__(self) -> str:
        return "Roots(…)"

    def asked_by(self, phy: bytes, request: JoinRequest) -> bool:
        """Whether the MIC of a join-request is right. Constant time."""
        return verify_request(self.join_key, phy, request)

    def read(self, phy: bytes, asked: Asked) -> JoinAcceptBody:
        """The join-accept that answers this question. DecodeError: MIC, KEY or SYNTAX when it is not one."""
        if asked.join_req_type == JOIN_REQUEST:
            return open_join_accept(self.join_key, phy, js_int_key=self._js_int_key(), asked=asked)
        keys = derive_join_server(self.join_key, self.dev_eui)
        return open_join_accept(keys.js_enc_key, phy, js_int_key=keys.js_int_key, asked=asked)

    def answer(self, body: JoinAcceptBody, join_eui: int, dev_nonce: int) -> bytes:
        """A join-accept's PHYPayload. DecodeError: RANGE, SYNTAX."""
        return build_join_accept(self.join_key, body, js_int_key=self._js_int_key(), asked=_asked(join_eui, dev_nonce))

    def rejoined_by(self, phy: bytes, request: RejoinRequest) -> bool:
        """Whether the MIC of a rejoin-request of type 1 is right. Constant time."""
        key = self._js_int_key()
        return key is not None and verify_request(key, phy, request)

    def answer_rejoin(self, body: JoinAcceptBody, rejoin_type: int, join_eui: int, rj_count: int) -> bytes:
        """The PHYPayload of a join-accept that answers a rejoin-request. DecodeError: RANGE, SYNTAX."""
        keys = derive_join_server(self.join_key, self.dev_eui)
        asked = Asked(rejoin_type, join_eui, rj_count)
        return build_join_accept(keys.js_enc_key, body, js_int_key=keys.js_int_key, asked=asked)

    def session(self, joined: Joined) -> SessionKeys:
        """The keys of a session. DecodeError: KEY for a 1.1 session of a device whose AppKey is not here, RANGE."""
        if not joined.opt_neg:
            return SessionKeys(derive_1_0(self.join_key, joined.join_nonce, joined.net_id, joined.dev_nonce))
        if self.app_key is None:
            raise DecodeError(RejectReason.KEY, "a 1.1 session, and the device is configured for 1.0")
        nonces = joined.join_nonce, joined.join_eui, joined.dev_nonce
        return SessionKeys(derive_1_1(self.join_key, self.app_key, *nonces))

    def _js_int_key(self) -> bytes | None:
        return None if self.app_key is None else derive_join_server(self.join_key, self.dev_eui).js_int_key


def roots_of(config: DeviceConfig, keys: DeviceKeys | None) -> Roots | None:
    """What a device can join with; None where a key is missing. A 1.0 device's only key goes by either name."""
    if keys is None or config.dev_eui is None or (keys.app_key is None and keys.nwk_key is None):
        return None
    dev_eui = parse_eui64(config.dev_eui)
    if config.version is Version.V1_1:
        whole = keys.nwk_key is not None and keys.app_key is not None
        return Roots(dev_eui, keys.nwk_key, keys.app_key) if whole and keys.nwk_key is not None else None
    key = keys.app_key or keys.nwk_key
    return None if key is None else Roots(dev_eui, key)


def _asked(join_eui: int, dev_nonce: int) -> Asked:
    return Asked(JOIN_REQUEST, join_eui, dev_nonce)
