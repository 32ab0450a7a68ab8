"""The site's own meters: which one a telegram is of, and what is refused though the key is right."""

from collections.abc import Callable

import pytest

from tests.codecs.wmbus_fakes import KAMSTRUP, KEY, Meter
from torhaus.codecs.framing.wmbus import crc16
from torhaus.codecs.meter.wmbus.compact import Formats
from torhaus.codecs.meter.wmbus.telegram import identity_of
from torhaus.codecs.model import DecodeError, RejectReason
from torhaus.daemon.config.device_keys import DeviceKeys
from torhaus.daemon.config.devices import DeviceConfig
from torhaus.daemon.wmbus import meters

AIR = Meter()


def own(key: bytes | None = KEY, *, allow_reset: bool = False) -> meters.Meter:
    return meters.Meter("m", key, Formats(), allow_reset=allow_reset)


def refusal(meter: meters.Meter, telegram: bytes) -> RejectReason:
    with pytest.raises(DecodeError) as caught:
        meter.decode(telegram)
    return caught.value.reason


@pytest.mark.parametrize("make", [AIR.mode_7, AIR.counter_mode])
def test_an_old_counter_is_refused(make: Callable[[int], bytes]) -> None:
    meter = own()
    first = meter.decode(make(100))
    assert meter.decode(make(100)) == first, "a repeater's copy is no replay"
    assert refusal(meter, make(99)) is RejectReason.REPLAY
    assert meter.decode(make(101))
    assert meter.trouble is None
    assert refusal(meter, make(100)) is RejectReason.REPLAY


def test_what_came_together_is_looked_at_first_and_decoded_later() -> None:
    meter = own()
    together = [AIR.mode_7(100), AIR.mode_7(99), AIR.mode_7(101)]
    assert [meter.can_read(telegram) for telegram in together] == [True, False, True]
    assert meter.decode(together[0])["volume"].value == 12345.678
    assert refusal(meter, together[1]) is RejectReason.REPLAY
    assert meter.decode(together[2])
    for n in range(meters.MAX_LOOKED + 9):
        meter.can_read(AIR.mode_7(200 + n))
    assert len(meter._looked) == meters.MAX_LOOKED
    meter.forget(AIR.mode_7(200 + n))
    assert len(meter._looked) == meters.MAX_LOOKED - 1


def test_a_counter_may_start_again_where_that_is_said() -> None:
    meter = own(allow_reset=True)
    meter.decode(AIR.mode_7(100))
    meter.decode(AIR.mode_7(1))


def test_what_cannot_be_read_does_not_move_the_counter() -> None:
    meter = own()
    forged = bytearray(AIR.mode_7(1_000_000))
    forged[-1] ^= 1
    assert refusal(meter, bytes(forged)) is RejectReason.MIC
    assert meter.decode(AIR.mode_7(5))


def test_a_meter_with_a_key_is_not_believed_in_clear() -> None:
    assert refusal(own(), AIR.plain()) is RejectReason.KEY
    assert own().decode(AIR.telegram(bytes.fromhex("8a01000000")))["meter_id"].value == "12345678", "no data at all"
    assert own(None).decode(AIR.plain())["volume"].value == 12345.678
    assert (own().has_key, own(None).has_key) == (True, False)
    assert KEY.hex() not in repr(own())


def test_formats_serve_all_meters_of_the_site() -> None:
    heads, full, values = bytes.fromhex("0c13"), bytes.fromhex("0c1378563412"), bytes.fromhex("78563412")
    small = b"\x79" + crc16(heads).to_bytes(2, "little") + crc16(full).to_bytes(2, "little") + values
    devices = [DeviceConfig(name="a", wmbus="12345678"), DeviceConfig(name="b", wmbus="87654321")]
    found = meters.Meters(devices, {})
    other = Meter("87654321")
    assert not found.by_name["b"].can_read(other.telegram(small))
    assert found.by_name["a"].can_read(AIR.telegram(b"\x78" + full))
    assert found.by_name["b"].can_read(other.telegram(small[:1] + small[1:] + b"\x2f"))


def test_which_meter_a_telegram_is_of() -> None:
    devices = [
        DeviceConfig(name="exact", wmbus="KAM/12345678/1b/16"),
        DeviceConfig(name="maker", wmbus="KAM/00000001"),
        DeviceConfig(name="number", wmbus="00000002", codec="wmbus"),
        DeviceConfig(name="lorawan", dev_eui="0011223344556677"),
    ]
    found = meters.Meters(devices, {"exact": DeviceKeys(wmbus_key=KEY)})
    assert set(found.by_name) == {"exact", "maker", "number"}
    assert found.by_name["exact"].has_key
    assert set(found.decoders) == {"number"}, "another codec, or none, is left alone"

    def of(telegram: bytes) -> str | None:
        meter = found.find(identity_of(telegram))
        return None if meter is None else meter.device

    assert of(AIR.plain()) == "exact"
    assert of(Meter(version=0x1C).plain()) is None
    assert of(Meter("00000001").plain()) == "maker"
    assert of(Meter("00000001", maker="a511").plain()) is None
    assert of(Meter("00000002", maker="a511").plain()) == "number"
    behind = bytes.fromhex("72") + AIR.number + AIR.maker + AIR.rest + bytes(4) + KAMSTRUP
    assert of(Meter("99999999").telegram(behind)) == "exact", "a meter behind an adapter goes by its own number"
    other = bytes.fromhex("72") + bytes.fromhex("44332211") + AIR.maker + AIR.rest + bytes(4) + KAMSTRUP
    assert of(Meter("00000002").telegram(other)) == "number", "an adapter may be listed, too"


def test_a_link_layer_that_only_says_that_it_is_encrypted() -> None:
    """Made by anybody, without the key: the bits of the session number, and the payload in clear with its checksum."""
    body = b"\x78" + KAMSTRUP
    session = (1 << 29 | 0x1FFFFFF << 4).to_bytes(4, "little")
    forged = AIR.telegram(b"\x8d\x20\x05" + session + crc16(body).to_bytes(2, "little") + body)
    meter = own()
    assert refusal(meter, forged) is RejectReason.KEY
    assert meter.decode(AIR.counter_mode(100)), "nor does it move the counter"
    without = own(None)
    without.decode(forged)
    assert without.decode(AIR.telegram(b"\x8d\x20\x05" + (1 << 29).to_bytes(4, "little") + forged[17:]))


def test_a_header_that_only_says_that_it_is_encrypted() -> None:
    """Mode 5 with no block encrypted."""
    forged = AIR.telegram(bytes.fromhex("7a07000005") + bytes.fromhex("0c1399999999"))
    meter = own()
    assert refusal(meter, forged) is RejectReason.KEY
    assert meter.trouble is not None
    assert "not encrypted, though there is a key" in meter.trouble
    assert own(None).decode(forged)["volume"].value == 99999.999
