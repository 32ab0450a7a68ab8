import pytest

from torhaus.codecs.model import DecodeError, Value
from torhaus.codecs.payload.milesight import decoder

DISPLAY = decoder("ds3604")


def test_blocks_of_its_templates() -> None:
    found = DISPLAY(bytes.fromhex("017564fb0100054d696c6573fb014a0568656c6c6fff2e03ff7301"), 85)
    assert found["template_1_text_1"] == Value("Miles")
    assert found["template_2_qrcode"] == Value("hello")
    assert found["button_status"] == Value("long_press")
    assert found["current_template_id"] == Value(2)


@pytest.mark.parametrize("payload", ["fb010b0100", "fb0100054d69", "fb01"])
def test_what_is_no_block_is_refused(payload: str) -> None:
    with pytest.raises(DecodeError):
        DISPLAY(bytes.fromhex(payload), 85)
