"""A simulated end device as tests of single frames want it, and a network server's half of a join. Pure.

LoRaWAN 1.0.3 section 6.2, LoRaWAN 1.1 section 6.2. The device is that of `torhaus simulate`.
"""

from typing import Final

from torhaus.codecs.lorawan.join import JOIN_REQUEST, Asked, JoinAcceptBody, build_join_accept
from torhaus.codecs.lorawan.keys import derive_join_server
from torhaus.codecs.lorawan.phy import DataFrame, JoinRequest, parse
from torhaus.daemon.simulate.identity import Identity
from torhaus.daemon.simulate.member import Member

APP_KEY: Final = bytes.fromhex("98929b92c49edba9676d646d3b612456")
NWK_KEY: Final = bytes.fromhex("089234b089c2d8490edf8c9f9b8e8f9c")
JOIN_EUI: Final = 0x70B3D57ED0000001
DEV_EUI: Final = 0xA81758FFFE0312AB


class OtaaDevice(Member):
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
        one = Identity(
            name=name,
            dev_eui=dev_eui,
            app_key=app_key,
            nwk_key=nwk_key if is_1_1 else None,
            join_eui=JOIN_EUI,
            version="1.1" if is_1_1 else "1.0.3",
        )
        super().__init__(one, dev_nonce=dev_nonce)
        self.name, self.dev_eui, self.app_key, self.join_key = name, dev_eui, app_key, one.join_key
        self.is_1_1 = is_1_1

    @property
    def eui(self) -> str:
        return self.identity.eui

    def config(self, more: str = "") -> str:
        """Its `[[device]]`, without the JoinEUI."""
        return (
            f'[[device]]\nname = "{self.name}"\ndev_eui = "{self.eui}"\ncodec = "elsys"\n'
            f'lorawan = "{self.identity.version}"\n{more}'
        )

    def key_table(self) -> str:
        """Its table of devices.keys.toml."""
        return self.identity.key_table()

    def hear(self, phy: bytes, conf_fcnt: int = 0) -> DataFrame | None:  # type: ignore[override]
        """A data downlink as it is on air: None when it is not for this device, or its counter was used before.

        The device knows which uplink of its own is acknowledged, without `conf_fcnt`.
        """
        del conf_fcnt
        if super().hear(phy) is None:
            return None
        frame = parse(phy)
        assert isinstance(frame, DataFrame)
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
