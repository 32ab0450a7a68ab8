from random import Random

import msgspec
import pytest

from tests.daemon.frame_fakes import ROOF, WALL_NS, downlink, join, stored, stranger, uplink
from torhaus.codecs.lorawan.downlink import AtGpsTime, Downlink, TxAnswer, TxStatus
from torhaus.codecs.lorawan.join import build_rejoin_request
from torhaus.codecs.model import Value
from torhaus.daemon.lora.seen import Seen, is_frame, seen_downlink, seen_record
from torhaus.daemon.outbox.record import Record
from torhaus.daemon.outbox.store import MAIN, STRANGERS


def test_a_reading() -> None:
    s = seen_record(MAIN, stored(uplink(7), 3), "rathaus")
    assert (s.state, s.id, s.at_ns, s.stranger) == ("decoded", "rathaus/3f2a91c0/103", WALL_NS, False)
    assert (s.mtype, s.dev_addr, s.device, s.fcnt, s.fport) == ("UnconfirmedDataUp", "26011bda", "flur", 0x10007, 5)
    assert (s.rx[0].gateway, s.rx[0].rssi_dbm, s.rx[0].snr_db, s.rx[0].channel) == (ROOF, -97, 7.5, 2)
    assert (s.size_bytes, s.airtime_us, s.adr) == (16, 51_456, True)
    assert s.fields == {"temperature": Value(21.4, "Cel")}
    assert msgspec.json.decode(msgspec.json.encode(s), type=Seen) == s


@pytest.mark.parametrize(
    ("record", "state"),
    [
        (stranger(), "refused"),
        (uplink(pending=True, fields=None), "pending"),
        (uplink(fields=None, kind="frame"), "kept"),
        (uplink(reason="short", fields=None), "refused"),
    ],
)
def test_states(record: Record, state: str) -> None:
    assert seen_record(MAIN, stored(record), "x").state == state


def test_a_stranger_has_the_counter_that_is_on_air() -> None:
    s = seen_record(STRANGERS, stored(stranger(9)), "x")
    assert (s.stranger, s.fcnt, s.device, s.reason) == (True, 9, None, "unknown_device")


def test_joins() -> None:
    s = seen_record(STRANGERS, stored(join()), "x")
    assert (s.mtype, s.dev_eui, s.join_eui, s.detail) == (
        "JoinRequest",
        "a81758fffe0312ab",
        "0" * 15 + "1",
        "join-request",
    )
    record = stranger()
    record.raw = build_rejoin_request(bytes(16), 0, 0x13, 5, 1)
    s = seen_record(STRANGERS, stored(record), "x")
    assert (s.mtype, s.dev_eui, s.join_eui) == ("RejoinRequest", "0" * 15 + "5", None)


def test_what_is_no_frame_of_its_own() -> None:
    assert is_frame(MAIN, uplink())
    assert is_frame(STRANGERS, stranger())
    assert not is_frame(MAIN, Record("reading", "meter"))
    assert not is_frame(STRANGERS, uplink(reason="short"))  # the main log has it


def test_a_downlink_is_shown_by_the_way_it_went() -> None:
    answers = (TxAnswer(TxStatus.TOO_LATE), TxAnswer(TxStatus.OK, "power reduced", 20))
    s = seen_downlink(WALL_NS, "dach", downlink(), answers)
    assert s is not None
    assert (s.state, s.gateway, s.freq_hz, s.datarate) == ("sent", ROOF, 869_525_000, "SF12BW125")
    assert (s.statuses, s.detail, s.power_dbm, s.timing) == (["TOO_LATE", "OK"], "power reduced", 20, "immediately")
    assert (s.mtype, s.ack, s.dev_addr, s.fcnt) == ("UnconfirmedDataDown", True, "26011bda", 3)


def test_a_downlink_that_was_not_sent() -> None:
    s = seen_downlink(WALL_NS, None, downlink(), (TxAnswer(TxStatus.NO_GATEWAY),) * 2)
    assert s is not None
    assert (s.state, s.freq_hz, s.timing, s.power_dbm) == ("not sent", 868_100_000, "1 s after its uplink", 14)
    assert seen_downlink(WALL_NS, None, Downlink(ROOF, ()), ()) is None
    assert seen_downlink(WALL_NS, None, downlink(), ()) is not None


def test_class_b() -> None:
    it = downlink()
    at = msgspec.structs.replace(it.items[0], at=AtGpsTime(1_436_486_418_123_456))
    s = seen_downlink(WALL_NS, None, Downlink(ROOF, (at,)), ())
    assert s is not None
    assert s.timing == "at GPS 1436486418.123 s"


def test_any_bytes_can_be_seen() -> None:
    random = Random(7)
    for n in range(1000):
        record = stranger()
        record.raw = random.randbytes(random.randint(0, 60)) if n else None
        assert record.lora is not None
        record.lora.datarate = random.choice(("SF7BW125", "50000", "M0CW137", "", "SF99"))
        record.lora.modulation = random.choice(("LORA", "FSK", "LR-FHSS", "?"))
        s = seen_record(STRANGERS, stored(record), "x")
        assert s.phy == (record.raw or b"").hex()
