"""Root keys: which of them opens what."""

import msgspec
import pytest

from tests.daemon.lora_device import APP_KEY, JOIN_EUI, NWK_KEY, JoinServer, OtaaDevice
from torhaus.codecs.lorawan.join import JOIN_REQUEST, Asked, JoinAcceptBody
from torhaus.codecs.lorawan.keys import Version
from torhaus.codecs.lorawan.phy import JoinRequest, parse
from torhaus.codecs.model import DecodeError, RejectReason
from torhaus.daemon.config.device_keys import DeviceKeys
from torhaus.daemon.config.devices import DeviceConfig
from torhaus.daemon.lora.roots import Roots, roots_of
from torhaus.daemon.outbox.joins import Joined

EUI = "a81758fffe0312ab"


@pytest.mark.parametrize(
    ("lorawan", "keys", "join_key", "app_key"),
    [
        ("1.0.3", DeviceKeys(app_key=APP_KEY), APP_KEY, None),
        ("1.0", DeviceKeys(nwk_key=NWK_KEY), NWK_KEY, None),  # as some servers name a 1.0 device's only key
        ("1.0.4", DeviceKeys(app_key=APP_KEY, nwk_key=NWK_KEY), APP_KEY, None),
        ("1.1", DeviceKeys(app_key=APP_KEY, nwk_key=NWK_KEY), NWK_KEY, APP_KEY),
    ],
)
def test_which_key_joins(lorawan: str, keys: DeviceKeys, join_key: bytes, app_key: bytes | None) -> None:
    config = msgspec.convert({"name": "x", "dev_eui": EUI, "lorawan": lorawan}, DeviceConfig)
    found = roots_of(config, keys)
    assert found == Roots(int(EUI, 16), join_key, app_key)
    assert APP_KEY.hex() not in repr(found)
    assert repr(found) == "Roots(…)"


@pytest.mark.parametrize(
    ("table", "keys"),
    [
        ({"dev_eui": EUI}, None),
        ({"dev_eui": EUI}, DeviceKeys()),
        ({"dev_addr": "26011234"}, DeviceKeys(app_key=APP_KEY)),
        ({"dev_eui": EUI, "lorawan": "1.1"}, DeviceKeys(app_key=APP_KEY)),
        ({"dev_eui": EUI, "lorawan": "1.1"}, DeviceKeys(nwk_key=NWK_KEY)),
    ],
)
def test_what_is_missing(table: dict[str, str], keys: DeviceKeys | None) -> None:
    assert roots_of(msgspec.convert({"name": "x"} | table, DeviceConfig), keys) is None


@pytest.mark.parametrize("is_1_1", [False, True])
def test_an_accept_is_read_as_it_was_written(is_1_1: bool) -> None:
    it = OtaaDevice(is_1_1=is_1_1)
    roots = Roots(it.dev_eui, it.join_key, it.app_key if is_1_1 else None)
    phy = it.ask()
    request = parse(phy)
    assert isinstance(request, JoinRequest)
    assert roots.asked_by(phy, request)
    assert not Roots(it.dev_eui, bytes(16)).asked_by(phy, request)
    body = roots.read(JoinServer(it).answer(phy, 0x26011234, bytes(16)), Asked(JOIN_REQUEST, JOIN_EUI, it.dev_nonce))
    assert (body.dev_addr, body.net_id, body.opt_neg, body.cf_list) == (0x26011234, 0x13, is_1_1, bytes(16))
    assert it.take(roots.answer(body, JOIN_EUI, it.dev_nonce))
    joined = Joined(1, body.dev_addr, JOIN_EUI, it.dev_nonce, body.join_nonce, body.net_id, body.opt_neg)
    assert it.keys is not None
    assert roots.session(joined)._keys == it.keys._keys
    assert roots.session(joined).version is (Version.V1_1 if is_1_1 else Version.V1_0)


def test_an_accept_of_1_1_for_a_device_of_1_0() -> None:
    it = OtaaDevice(is_1_1=True)
    phy = JoinServer(it).answer(it.ask(), 1)
    roots = Roots(it.dev_eui, it.join_key)
    with pytest.raises(DecodeError) as refused:
        roots.read(phy, Asked(JOIN_REQUEST, JOIN_EUI, 1))
    assert refused.value.reason is RejectReason.KEY
    with pytest.raises(DecodeError) as refused:
        roots.session(Joined(1, 1, JOIN_EUI, 1, 1, 1, opt_neg=True))
    assert refused.value.reason is RejectReason.KEY
    with pytest.raises(DecodeError):
        roots.answer(JoinAcceptBody(1, 1, 1, 0, 1, b"x"), JOIN_EUI, 1)
