"""How each receiver is set up, and what its messages are taken for."""

import pytest

from tests.codecs.test_framing_imst_hci import told
from tests.codecs.wmbus_fakes import Meter
from torhaus.codecs.framing import amber_serial, imst_hci
from torhaus.codecs.framing.wmbus import Heard
from torhaus.codecs.model import DecodeError, Reject
from torhaus.drivers.wmbus_receivers import RECEIVERS, Receiver

TELE = Meter().plain()
ON, OFF = b"\x01\x01", b"\x01\x00"


def taken(receiver: Receiver, *messages: bytes) -> tuple[list[Heard], list[bytes]]:
    """Telegrams, and what is sent in turn."""
    heard: list[Heard] = []
    sent: list[bytes] = []
    for piece in receiver.feed(b"".join(messages)):
        assert not isinstance(piece, Reject)
        found = receiver.take(piece)
        heard += [] if found is None else [found]
        sent += receiver.to_send()
    return heard, sent


def test_the_imst_is_told_its_mode() -> None:
    receiver = RECEIVERS["im871a"]("C1T1")
    assert receiver.greeting() == [imst_hci.set_mode("C1T1")]
    assert not receiver.is_ready
    heard, sent = taken(receiver, told(TELE[1:]), imst_hci.build(imst_hci.DEVICE, imst_hci.CONFIG_SET, b"\0"))
    assert (heard, sent, receiver.is_ready) == ([Heard(TELE, -46.7)], [], True)


def confirmed(command: int, payload: bytes = b"\0") -> bytes:
    return amber_serial.build(command | amber_serial.CONFIRM, payload)


def test_an_amber_that_is_set_up_already() -> None:
    receiver = RECEIVERS["amb8465"]("T1")
    mode = receiver.greeting()[-1]
    assert mode == amber_serial.build(amber_serial.SET_MODE, b"\x08")
    heard, sent = taken(
        receiver,
        confirmed(amber_serial.GET, b"\x05" + ON),
        confirmed(amber_serial.GET, b"\x45" + ON),
        confirmed(amber_serial.SET_MODE),
        amber_serial.build(amber_serial.TELEGRAM, TELE[1:] + b"\xe0"),
    )
    assert (heard, sent, receiver.is_ready) == ([Heard(TELE, -90.0, "T1")], [], True)


def test_an_amber_that_is_not_is_switched_and_started_anew() -> None:
    receiver = RECEIVERS["amb8465"]("S1")
    mode = receiver.greeting()[-1]
    _, sent = taken(receiver, confirmed(amber_serial.GET, b"\x05" + OFF))
    assert sent == [amber_serial.build(amber_serial.SET, b"\x05\x01\x01")]
    _, sent = taken(receiver, confirmed(amber_serial.SET))
    assert sent == [amber_serial.build(amber_serial.RESET)]
    _, sent = taken(receiver, confirmed(amber_serial.RESET))
    assert sent == [mode]
    early, _ = taken(receiver, amber_serial.build(amber_serial.TELEGRAM, TELE[1:]), confirmed(amber_serial.SET_MODE))
    assert (early, receiver.is_ready) == ([], True)
    taken(receiver, confirmed(amber_serial.GET, b"\x45"))  # a confirmation that is too short says nothing
    heard, _ = taken(receiver, amber_serial.build(amber_serial.TELEGRAM, TELE[1:]))
    assert heard == [Heard(TELE, None, "S1")]


def test_lines() -> None:
    receiver = RECEIVERS["lines"]("C1T1")
    assert receiver.is_ready
    assert (receiver.greeting(), receiver.flush(), receiver.is_inside) == ([], [], False)
    heard, sent = taken(
        receiver, b"# started\n", TELE.hex().encode(), b"\r\n", b"T1;1;1;x;1;1;1;0x" + TELE.hex().encode() + b"\n"
    )
    assert (heard, sent) == ([Heard(TELE), Heard(TELE, None, "T1")], [])
    with pytest.raises(DecodeError):
        receiver.take(b"no telegram")
