import msgspec

from torhaus.codecs.model import MAX_DETAIL, DecodeError, Frame, Radio, Reception, Reject, RejectReason, Stamp, Value


def test_reasons_are_metric_labels_and_do_not_change() -> None:
    assert [r.value for r in RejectReason] == [
        "short", "long", "syntax", "crc", "unknown_type", "unsupported", "range", "key", "mic", "replay", "duplicate",
        "unknown_device", "unknown_gateway", "radio_crc", "script_error", "script_time", "script_memory",
        "script_result", "script_crash", "script_aside", "defect",
    ]  # fmt: skip


def test_a_refusal_says_why_in_a_bounded_way() -> None:
    e = DecodeError(RejectReason.RANGE, "x" * 10_000)
    assert (e.reason, len(e.detail)) == (RejectReason.RANGE, MAX_DETAIL)
    assert str(e) == "range: " + "x" * MAX_DETAIL
    assert str(DecodeError(RejectReason.MIC)) == "mic"


def test_what_is_stored_keeps_its_shape() -> None:
    """Records hold these as MessagePack: a change of shape would make old logs unreadable."""
    assert msgspec.to_builtins(Value(21.4, "Cel")) == {"value": 21.4, "unit": "Cel"}
    assert msgspec.to_builtins(Value("text")) == {"value": "text"}
    assert msgspec.to_builtins(Reception("aa555a0000000101", rssi_dbm=-97.0)) == {
        "gateway": "aa555a0000000101",
        "rssi_dbm": -97.0,
    }
    assert msgspec.to_builtins(Radio(868_100_000, "LORA", "SF7BW125")) == {
        "freq_hz": 868_100_000,
        "modulation": "LORA",
        "datarate": "SF7BW125",
    }


def test_lists_are_not_shared() -> None:
    one, other = Radio(1, "LORA", ""), Radio(1, "LORA", "")
    one.rx.append(Reception("a"))
    assert other.rx == []
    assert Frame("d", b"", Stamp(1, 2, True)).stranger is None
    assert Reject(b"x", RejectReason.CRC).source is None
