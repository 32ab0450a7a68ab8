"""Whose frame is it, and what does it say: devices, sessions, counters."""

import pytest

from torhaus.codecs.lorawan.build import build_downlink, build_uplink
from torhaus.codecs.lorawan.crypto import SessionKeys
from torhaus.codecs.lorawan.keys import keys_1_1
from torhaus.codecs.lorawan.session import Session
from torhaus.codecs.model import Frame, Radio, Reception, RejectReason, Stamp
from torhaus.daemon.lora.network import Device, Network, Uplink
from torhaus.daemon.outbox.state import Session as StoredSession

EUI = "a81758fffe0312ab"
ADDR = 0x01000001
KEYS = SessionKeys.v1_0(bytes(range(16)), bytes(range(16, 32)))
OTHER_KEYS = SessionKeys.v1_0(bytes(16), bytes(16))


def device(
    name: str = "flur",
    dev_eui: str | None = EUI,
    keys: SessionKeys = KEYS,
    addr: int = ADDR,
    fcnt: int | None = None,
    **session: bool,
) -> Device:
    return Device(name, dev_eui, "elsys", None, Session(keys, addr, fcnt, **session))


def frame(phy: bytes, *, crc: int | None = 1, stranger: RejectReason | None = None) -> Frame:
    radio = Radio(868_100_000, "LORA", "SF7BW125", "4/5", [Reception("aa555a0000000101", crc=crc)])
    return Frame("roof", phy, Stamp(1, 1, synced=True), radio, None, stranger)


def up(fcnt: int, payload: bytes = b"\x01\x00\xd6", *, fport: int | None = 5, keys: SessionKeys = KEYS) -> bytes:
    return build_uplink(keys, ADDR, fcnt, fport, payload)


def heard(network: Network, phy: bytes, datarate: str = "SF7BW125") -> Uplink:
    it = frame(phy)
    assert it.radio is not None
    it.radio.datarate = datarate
    return network.receive(it)


def stored(network: Network, phy: bytes) -> Uplink:
    """Heard, and on disk."""
    it = heard(network, phy)
    if it.advance is not None:
        network.settle([it.advance], stored=True)
    return it


def test_a_frame_of_a_known_device() -> None:
    flur = device()
    network = Network([flur], "EU868")
    network.restore([StoredSession(EUI, "01000001", 69_999)])
    it = heard(network, build_uplink(KEYS, ADDR, 70_000, 5, b"abc", confirmed=True))
    assert (it.device, it.dev_eui, it.payload, it.reason, it.stranger) == (flur, EUI, b"abc", None, False)
    lora = it.lora
    assert (lora.freq_hz, lora.modulation, lora.datarate, lora.coderate, lora.dr) == (
        868_100_000,
        "LORA",
        "SF7BW125",
        "4/5",
        5,
    )
    assert (lora.dev_addr, lora.fcnt, lora.fport, lora.confirmed) == ("01000001", 70_000, 5, True)
    assert [r.gateway for r in lora.rx] == ["aa555a0000000101"]


def test_nobodys_frame() -> None:
    it = heard(Network([], "EU868"), up(0))
    assert (it.reason, it.stranger, it.device, it.lora.dev_addr) == (
        RejectReason.UNKNOWN_DEVICE,
        True,
        None,
        "01000001",
    )


def test_a_wrong_key_names_no_device() -> None:
    """Anybody can send with a DevAddr that we know: it counts against the strangers."""
    network = Network([device()], "EU868")
    it = heard(network, up(0, keys=OTHER_KEYS))
    assert (it.reason, it.stranger, it.device, it.dev_eui, it.payload) == (RejectReason.MIC, True, None, None, None)
    assert network.changed() == []
    assert it.lora.fcnt is None


@pytest.mark.parametrize("order", [1, -1])
def test_two_devices_with_one_address(order: int) -> None:
    """DevAddrs are not unique: the MIC says whose it is."""
    one, two = device("one"), device("two", "a81758fffe0312ac", OTHER_KEYS)
    network = Network([one, two][::order], "EU868")
    for fcnt in range(3):
        assert heard(network, up(fcnt)).device is one
        assert heard(network, up(fcnt + 10, keys=OTHER_KEYS)).device is two
    it = heard(network, up(1))
    assert (it.reason, it.device, it.stranger) == (RejectReason.REPLAY, one, True)
    nobody = SessionKeys.v1_0(bytes(range(1, 17)), bytes(16))
    assert heard(network, up(50, keys=nobody)).reason is RejectReason.MIC


def test_the_same_frame_again_is_no_second_reading() -> None:
    flur = device()
    network = Network([flur], "EU868")
    assert heard(network, up(7)).payload == b"\x01\x00\xd6"
    again = heard(network, up(7))
    assert (again.reason, again.device, again.payload, again.stranger) == (RejectReason.DUPLICATE, flur, None, True)
    assert again.lora.fcnt == 7
    assert again.advance is None


def test_a_replay_is_refused_and_names_the_device() -> None:
    flur = device(fcnt=100)
    network = Network([flur], "EU868")
    it = heard(network, up(99))
    assert (it.reason, it.device, it.dev_eui, it.payload, it.stranger) == (RejectReason.REPLAY, flur, EUI, None, True)
    assert it.lora.fcnt is None, "what is not accepted must not be taken for the session's counter"
    assert network.changed() == []


@pytest.mark.parametrize("allowed", [False, True])
def test_a_device_that_starts_over(allowed: bool) -> None:
    network = Network([device(fcnt=70_000, allow_reset=allowed)], "EU868")
    it = stored(network, up(0))
    assert it.reason is (None if allowed else RejectReason.REPLAY)
    assert network.changed() == ([StoredSession(EUI, "01000001", 0)] if allowed else [])


def test_the_counter_rolls_over_its_16_bits() -> None:
    network = Network([device(fcnt=65_534)], "EU868")
    for fcnt in (65_535, 65_536, 65_537, 130_000, 195_000):
        it = heard(network, up(fcnt))
        assert (it.reason, it.lora.fcnt) == (None, fcnt)


@pytest.mark.parametrize(("fport", "payload"), [(0, b"\x02"), (None, b"")])
def test_mac_commands_alone_have_nothing_to_decode(fport: int | None, payload: bytes) -> None:
    network = Network([device()], "EU868")
    it = stored(network, up(3, payload, fport=fport))
    assert (it.reason, it.payload, it.lora.fport, it.lora.fcnt) == (None, None, fport, 3)
    assert network.changed() == [StoredSession(EUI, "01000001", 3)]


def test_an_empty_payload_is_a_payload() -> None:
    assert heard(Network([device()], "EU868"), up(0, b"")).payload == b""


@pytest.mark.parametrize("half", [False, True])
def test_a_1_1_device(half: bool) -> None:
    keys = SessionKeys(keys_1_1(bytes([1]) * 16, bytes([2]) * 16, bytes([3]) * 16, bytes([4]) * 16))
    network = Network([device(keys=keys, allow_half_mic=half)], "EU868")
    it = heard(network, build_uplink(keys, ADDR, 1, 5, b"abc", tx_dr=5, tx_ch=0))
    assert (it.payload, it.reason) == (b"abc", None)
    it = heard(network, build_uplink(keys, ADDR, 2, 5, b"abc", tx_dr=5, tx_ch=9))  # not where that frequency usually is
    assert (it.payload, it.reason) == (b"abc", None)
    it = heard(network, build_uplink(keys, ADDR, 3, 5, b"abc", tx_dr=5, tx_ch=77))
    assert it.reason is RejectReason.MIC
    network = Network([device(keys=keys, allow_half_mic=half)], "KR920")  # where the gateway's data rate means nothing
    it = heard(network, build_uplink(keys, ADDR, 4, 5, b"abc", tx_dr=5, tx_ch=0), datarate="SF7BW500")
    if half:
        assert (it.payload, it.reason) == (b"abc", None)
    else:
        assert (it.reason, it.stranger) == (RejectReason.UNSUPPORTED, True)


def join_request(dev_eui: str) -> bytes:
    return b"\x00" + bytes(8) + bytes.fromhex(dev_eui)[::-1] + b"\x01\x00" + bytes(4)


def test_join_requests_are_kept_as_frames() -> None:
    flur = device()
    network = Network([flur], "EU868")
    it = heard(network, join_request(EUI))
    assert (it.device, it.dev_eui, it.reason, it.stranger) == (flur, EUI, RejectReason.UNSUPPORTED, True)
    it = heard(network, join_request("0102030405060708"))
    assert (it.device, it.dev_eui, it.reason, it.stranger) == (
        None,
        "0102030405060708",
        RejectReason.UNKNOWN_DEVICE,
        True,
    )


def test_a_device_without_a_session_is_known_by_its_eui_alone() -> None:
    otaa = Device("neu", EUI)
    assert (otaa.session_id, Device("none").session_id) == (EUI, None)
    network = Network([otaa, Device("none")], "EU868")
    assert heard(network, join_request(EUI)).device is otaa
    assert heard(network, up(0)).reason is RejectReason.UNKNOWN_DEVICE
    network.restore([StoredSession(EUI, "01000001", 5)])
    assert network.changed() == []


@pytest.mark.parametrize(
    ("phy", "reason"),
    [
        (b"", RejectReason.SHORT),
        (b"\x40", RejectReason.SHORT),
        (bytes(256), RejectReason.LONG),
        (build_downlink(KEYS, ADDR, 0, 5, b"x"), RejectReason.UNSUPPORTED),
        (b"\xe0" + bytes(20), RejectReason.UNSUPPORTED),  # proprietary
    ],
)
def test_what_is_no_uplink(phy: bytes, reason: RejectReason) -> None:
    it = heard(Network([device()], "EU868"), phy)
    assert it.stranger
    assert it.reason is reason or it.reason is RejectReason.UNKNOWN_TYPE


def test_marked_before_and_bad_on_air() -> None:
    network = Network([device()], "EU868")
    it = network.receive(frame(up(0), stranger=RejectReason.UNKNOWN_GATEWAY))
    assert (it.reason, it.stranger, it.payload) == (RejectReason.UNKNOWN_GATEWAY, True, None)
    it = network.receive(frame(up(0), crc=-1))
    assert (it.reason, it.stranger) == (RejectReason.RADIO_CRC, True)
    assert network.changed() == []
    assert network.receive(frame(up(0), crc=0)).reason is None


# -- counters that outlive the process ---------------------------------------------------------------------------------


def test_counters_go_to_disk_once_and_come_back() -> None:
    without = device("no eui", None, OTHER_KEYS, 0x01000002)
    network = Network([device(), without], "EU868")
    stored(network, up(5))
    stored(network, up(6))
    stored(network, build_uplink(OTHER_KEYS, 0x01000002, 9, 5, b"x"))
    saved = network.changed()
    assert sorted(saved, key=lambda s: s.fcnt_up) == [
        StoredSession(EUI, "01000001", 6),
        StoredSession("01000002", "01000002", 9),
    ]
    assert network.changed() == []
    again = Network([device(), device("no eui", None, OTHER_KEYS, 0x01000002)], "EU868")
    again.restore(saved)
    assert heard(again, up(6)).reason is RejectReason.DUPLICATE
    assert heard(again, up(7)).reason is None
    assert heard(again, build_uplink(OTHER_KEYS, 0x01000002, 8, 5, b"x")).reason is RejectReason.REPLAY


@pytest.mark.parametrize("stored", [StoredSession(EUI, "01000009", 50), StoredSession("0" * 16, "01000001", 50)])
def test_counters_of_another_session_are_not_taken(stored: StoredSession) -> None:
    network = Network([device()], "EU868")
    network.restore([stored])
    assert heard(network, up(0)).reason is None


def test_what_could_not_be_stored_is_new_when_it_is_repeated() -> None:
    network = Network([device(fcnt=4)], "EU868")
    advances = [a for n in (5, 6) if (a := heard(network, up(n)).advance) is not None]
    assert [a.fcnt for a in advances] == [5, 6]
    assert network.changed() == []  # nothing of it is on disk
    network.settle(advances[:1], stored=False)  # each in a commit of its own, and both fail
    network.settle(advances[1:], stored=False)
    assert network.changed() == []
    again = heard(network, up(5)).advance
    assert again is not None
    first = heard(network, up(6)).advance
    last = heard(network, up(7)).advance
    assert first is not None
    assert last is not None
    network.settle([again], stored=True)
    network.settle([first], stored=False)
    assert network.changed() == [StoredSession(EUI, "01000001", 5)]
    network.settle([last], stored=True)
    assert network.changed() == [StoredSession(EUI, "01000001", 7)]
    assert heard(network, up(6)).reason is RejectReason.REPLAY, "newer frames came since"


def test_a_copy_is_told_of_while_its_first_is_under_way() -> None:
    network = Network([device(fcnt=4)], "EU868")
    first = heard(network, up(5)).advance
    assert first is not None
    assert heard(network, up(5)).copy_of is first
    network.settle([first], stored=True)
    assert heard(network, up(5)).copy_of is None
