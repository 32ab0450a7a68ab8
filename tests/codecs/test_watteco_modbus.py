import pytest

from torhaus.codecs.cursor import Cursor
from torhaus.codecs.model import DecodeError, Fields, RejectReason, Value
from torhaus.codecs.payload.watteco_modbus import read_answer, read_answers


def test_an_answer_as_the_slave_gave_it() -> None:
    out: Fields = {}
    read_answer(Cursor(bytes.fromhex("010304000000ff")), "", out)
    assert out["modbus_payload"] == Value("000000FF")
    assert out["modbus_datasize"] == Value(4)


def test_the_next_frame_has_what_is_missing() -> None:
    out: Fields = {}
    read_answers(bytes.fromhex("060003" + "010302abcd"), out)
    assert out["modbus_ep0"] == out["modbus_ep1"] == Value(True)
    assert out["modbus_payload_ep0"] == Value("ABCD")
    assert "modbus_payload_ep1" not in out


def test_an_answer_that_is_cut_off() -> None:
    with pytest.raises(DecodeError) as caught:
        read_answers(bytes.fromhex("060001" + "010304abcd"), {})
    assert caught.value.reason is RejectReason.SHORT
