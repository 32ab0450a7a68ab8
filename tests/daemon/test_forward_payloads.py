import msgspec
import pytest

from tests.daemon.mqtt_fakes import item
from torhaus.daemon.forward.flight import ProtocolError
from torhaus.daemon.forward.message import Message
from torhaus.daemon.forward.payloads import CONTENT_TYPES, Format, Payloads


@pytest.mark.parametrize(("format_", "decode"), [("json", msgspec.json.decode), ("msgpack", msgspec.msgpack.decode)])
def test_one_and_several(format_: Format, decode: object) -> None:
    assert callable(decode)
    payloads = Payloads(format_)
    messages = [item(n).message for n in range(40)]
    encoded = [payloads.payload(m) for m in messages]
    assert decode(encoded[3], type=Message) == messages[3]
    assert decode(payloads.pack(encoded), type=list[Message]) == messages
    assert CONTENT_TYPES[format_].startswith("application/")


@pytest.mark.parametrize("format_", ["json", "msgpack"])
def test_what_cannot_be_written(format_: Format) -> None:
    bad = item(0).message
    bad.detail = "\ud800"
    with pytest.raises(ProtocolError, match=f"cannot be written as {format_}"):
        Payloads(format_).payload(bad)
