"""Simulated end devices that join (OTAA), and a network server's half of it. Pure: bytes in, bytes out, no clock.

LoRaWAN 1.0.3 section 6.2, LoRaWAN 1.1 section 6.2. Nothing here is used by the daemon: it would agree with itself.
"""

from typing import Final

from torhaus.codecs.lorawan.build import build_uplink
from torhaus.codecs.lorawan.crypto import SessionKeys
from torhaus.codecs.lorawan.eui import format_eui64
from torhaus.codecs.lorawan.join import (
    JOIN_REQUEST,
    Asked,
    JoinAcceptBody,
    build_join_accept,
    build_join_request,
    open_join_accept,
)
from torhaus.codecs.lorawan.keys import derive_1_0, derive_1_1, derive_join_server
from torhaus.codecs.lorawan.phy import DataFrame, JoinRequest, parse
from torhaus.codecs.model import DecodeError

APP_KEY: Final = bytes.fromhex("98929b92c49edba9676d646d3b612456")
NWK_KEY: Final = bytes.fromhex("089234b089c2d8490edf8c9f9b8e8f9c")
JOIN_EUI: Final = 0x70B3D57ED0000001
DEV_EUI: Final = 0xA81758FFFE0312AB


class OtaaDevice:
    """An end device. `is_1_1`: it has a NwkKey as well, and speaks 1.1 with a server that does."""

    def __init__(
        self,
        name: str = "flur",
        *,
        dev_eui: int = DEV_EUI,
        app_key: bytes = APP_KEY,
        nwk_key: bytes = NWK_KEY,
        is_1_1: bool = False,
        dev_nonce: int = 0,
    ) -> None:
        self.name = name
        self.dev_eui = dev_eui
        self.join_key = nwk_key if is_1_1 else app_key
        self.app_key = app_key
        self.is_1_1 = is_1_1
        self.dev_nonce = dev_nonce
        self.join_nonce = -1
        self.dev_addr: int | None = None
        self.keys: SessionKeys | None = None
        self.fcnt_up = 0
        self.fcnt_down = -1
        self.body: JoinAcceptBody | None = None

    @property
    def eui(self) -> str:
        return format_eui64(self.dev_eui)

    def config(self, more: str = "") -> str:
        """Its `[[device]]`."""
        version = "1.1" if self.is_1_1 else "1.0.3"
        return (
            f'[[device]]\nname = "{self.name}"\ndev_eui = "{self.eui}"\ncodec = "elsys"\nlorawan = "{version}"\n{more}'
        )

    def key_table(self) -> str:
        """Its table of devices.keys.toml."""
        nwk = f'nwk_key = "{self.join_key.hex()}"\n' if self.is_1_1 else ""
        return f'[{self.eui}]\napp_key = "{self.app_key.hex()}"\n{nwk}'

    def ask(self) -> bytes:
        """The next join-request."""
        self.dev_nonce += 1
        return build_join_request(self.join_key, JOIN_EUI, self.dev_eui, self.dev_nonce)

    def take(self, phy: bytes) -> bool:
        """A join-accept came within the window: whether it was this device's, and was taken."""
        js = derive_join_server(self.join_key, self.dev_eui).js_int_key if self.is_1_1 else None
        try:
            body = open_join_accept(
                self.join_key, phy, js_int_key=js, asked=Asked(JOIN_REQUEST, JOIN_EUI, self.dev_nonce)
            )
        except DecodeError:
            return False
        if self.is_1_1 and body.join_nonce <= self.join_nonce:
            return False
        self.join_nonce = body.join_nonce
        if body.opt_neg:
            keys = derive_1_1(self.join_key, self.app_key, body.join_nonce, JOIN_EUI, self.dev_nonce)
        else:
            keys = derive_1_0(self.join_key, body.join_nonce, body.net_id, self.dev_nonce)
        self.keys, self.dev_addr, self.body = SessionKeys(keys), body.dev_addr, body
        self.fcnt_up, self.fcnt_down = 0, -1
        return True

    def uplink(
        self,
        payload: bytes = b"\x01\x00\xd6",
        *,
        fport: int | None = 5,
        confirmed: bool = False,
        adr_ack_req: bool = False,
        fopts: bytes = b"",
    ) -> bytes:
        """The next data frame, at DR5 on the first channel of EU868."""
        assert self.keys is not None
        assert self.dev_addr is not None
        phy = build_uplink(
            self.keys,
            self.dev_addr,
            self.fcnt_up,
            fport,
            payload,
            confirmed=confirmed,
            adr_ack_req=adr_ack_req,
            fopts=fopts,
            tx_dr=5,
            tx_ch=0,
        )
        self.fcnt_up += 1
        return phy

    def hear(self, phy: bytes, conf_fcnt: int = 0) -> DataFrame | None:
        """A data downlink: None when it is not for this device, or its counter was used before."""
        frame = parse(phy)
        if not isinstance(frame, DataFrame) or frame.uplink or frame.dev_addr != self.dev_addr:
            return None
        assert self.keys is not None
        if frame.fcnt16 <= self.fcnt_down or not self.keys.verify_downlink(
            phy, frame, frame.fcnt16, conf_fcnt=conf_fcnt
        ):
            return None
        self.fcnt_down = frame.fcnt16
        return frame


class JoinServer:
    """A network server's half of a join, with the same root keys."""

    def __init__(self, device: OtaaDevice, *, opt_neg: bool | None = None, join_key: bytes | None = None) -> None:
        self._device = device
        self._key = device.join_key if join_key is None else join_key
        self._opt_neg = device.is_1_1 if opt_neg is None else opt_neg
        self.join_nonce = 0

    def answer(self, phy: bytes, dev_addr: int, cf_list: bytes = b"") -> bytes:
        """The join-accept to a join-request."""
        request = parse(phy)
        assert isinstance(request, JoinRequest)
        self.join_nonce += 1
        body = JoinAcceptBody(self.join_nonce, 0x000013, dev_addr, 0x80 * self._opt_neg, 1, cf_list)
        js = derive_join_server(self._key, request.dev_eui).js_int_key
        return build_join_accept(
            self._key, body, js_int_key=js, asked=Asked(JOIN_REQUEST, request.join_eui, request.dev_nonce)
        )
