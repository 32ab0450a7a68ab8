"""What a frame of a device becomes: a reading, a frame that waits for its script, or a frame and why it is none."""

from typing import Any

from torhaus.codecs.model import DecodeError, Fields, Frame, RejectReason, Stamp, Value
from torhaus.daemon.lora.network import Device
from torhaus.daemon.outbox.record import Lora, Record
from torhaus.daemon.reading import Readings, defect_in
from torhaus.daemon.watch import Watch

AT = Stamp(5, 5, synced=True)
LORA = Lora(868_100_000, "LORA", "SF7BW125", fport=7)


def decode(data: bytes, fport: int | None) -> Fields:
    if data == b"bad":
        raise DecodeError(RejectReason.SHORT, "two bytes too few")
    if data == b"defect":
        raise ZeroDivisionError
    if data == b"huge":
        return {"n": Value(1 << 70)}
    return {"n": Value(len(data)), "port": Value(fport)}


def made(data: bytes | None, lora: Lora | None = LORA, **device: Any) -> tuple[Record, Watch]:
    watch = Watch(0)
    one = Device("pump", "a81758fffe0312ab", **({"codec": "mine"} | device))
    readings = Readings([one], lambda _: decode, watch, None, lambda _: 5)
    return readings.decode(Frame("roof", b"phy", AT), one, data, lora), watch


def test_a_payload_becomes_a_reading() -> None:
    record, watch = made(b"abc")
    assert (record.kind, record.codec, record.raw, record.lora) == ("reading", "mine", b"phy", LORA)
    assert record.fields == {"n": Value(3), "port": Value(7)}
    assert (record.reason, record.detail, record.payload, record.pending, record.alarm) == (
        None,
        None,
        None,
        False,
        False,
    )
    assert watch.readings == {"mine": 1}
    assert watch.devices == {"pump": AT.wall_ns}


def test_what_its_codec_refuses_stays_a_frame() -> None:
    record, watch = made(b"bad")
    assert (record.kind, record.fields, record.reason, record.detail) == ("frame", None, "short", "two bytes too few")
    assert watch.rejects == {("roof", "mine", "short"): 1}


def test_a_defect_of_a_codec_and_what_cannot_be_stored_stay_frames() -> None:
    for data in (b"defect", b"huge"):
        record, watch = made(data)
        assert (record.kind, record.reason, record.raw) == ("frame", "defect", b"phy")
        assert watch.defects == {"codec mine": 1}


def test_without_payload_or_codec_nothing_is_decoded() -> None:
    for data, device in ((None, {}), (b"abc", {"codec": None})):
        record, watch = made(data, **device)
        assert (record.kind, record.fields, record.reason, record.raw) == ("frame", None, None, b"phy")
        assert not watch.readings


def test_a_frame_without_data_is_a_sign_of_life() -> None:
    record, watch = made(b"")
    assert (record.kind, record.fields, record.reason, record.lora) == ("frame", None, None, LORA)
    assert not watch.rejects
    record, _ = made(b"", lora=None)
    assert record.kind == "reading", "what an empty telegram means is for its codec to say"
    record, _ = made(b"", codec=None, script="/x/room.js")
    assert record.pending, "a script may know what the FPort says"


def test_a_frame_for_a_script_waits_with_its_payload() -> None:
    record, _ = made(b"abc", codec=None, script="/x/room.js")
    assert (record.kind, record.codec, record.payload, record.pending) == ("frame", "script", b"abc", True)
    assert (record.lora, record.raw) == (LORA, b"phy")


def test_a_driver_may_have_its_own_decoders() -> None:
    watch = Watch(0)
    one = Device("pump", codec="mine")
    readings = Readings([one], lambda _: decode, watch, None, lambda _: 5)
    readings.bind({"pump": lambda *_: {"own": Value(1)}, "unknown": decode})
    frame = Frame("bus", b"abc", AT, device="pump")
    assert readings.of_telegram("bus", frame)[0].fields == {"own": Value(1)}
    assert readings.of_telegram("bus", Frame("bus", b"abc", AT, device="who"))[1] is True


def test_a_defect_is_told_and_named() -> None:
    watch = Watch(0)
    assert defect_in(watch, "roof", "", KeyError("x")) == "KeyError"
    assert watch.defects == {"pipeline": 1}
    assert watch.rejects == {("roof", "", "defect"): 1}
