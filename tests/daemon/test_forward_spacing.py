"""How soon two frames of one device may follow each other."""

import msgspec
import pytest

from torhaus.daemon.forward import spacing
from torhaus.daemon.forward.spacing import MAX_REMEMBERED, Spacing, sender_of


class Frame(msgspec.Struct):
    raw: bytes
    late: bool = True


def data(addr: int, fcnt: int, *, late: bool = True, mhdr: int = 0x40) -> Frame:
    return Frame(bytes([mhdr]) + addr.to_bytes(4, "little") + b"\0" + fcnt.to_bytes(2, "little") + b"mic!", late)


@pytest.mark.parametrize(
    ("raw", "sender"),
    [
        (data(1, 7).raw, b"\1\0\0\0"),
        (data(1, 7, mhdr=0x80).raw, b"\1\0\0\0"),
        (data(1, 7).raw[:11], b""),
        (b"\0" * 23, b""),
        (b"\xe0" * 30, b""),
        (b"", b""),
    ],
)
def test_whose_order_it_is(raw: bytes, sender: bytes) -> None:
    assert sender_of(raw) == sender


def test_late_ones_of_one_device_wait_and_others_do_not() -> None:
    s = Spacing(0.25)
    first, second, other = data(1, 1), data(1, 2), data(2, 1)
    assert s.split([first, other], 10.0) == ([first, other], [], 10.0)
    s.sent([first, other], 10.05)
    assert s.split([second, data(3, 1)], 10.1) == ([data(3, 1)], [second], 10.3)
    assert s.split([second], 10.3) == ([second], [], 10.3)


def test_a_copy_does_not_wait() -> None:
    s = Spacing(0.25)
    s.sent([data(1, 1)], 10.0)
    assert s.split([data(1, 1), data(1, 1)], 10.0)[0] == [data(1, 1)] * 2


def test_the_first_new_one_keeps_its_distance_from_the_last_late_one() -> None:
    s = Spacing(0.25)
    s.sent([data(1, 1)], 10.0)
    assert s.split([data(1, 2, late=False)], 10.0)[1]
    s.sent([data(1, 2, late=False)], 10.3)
    assert not s.split([data(1, 3, late=False)], 10.3)[1]
    assert s.split([data(1, 3)], 10.3)[1]


def test_joins_and_reports_never_wait() -> None:
    s = Spacing(10)
    for frame in (Frame(b""), Frame(bytes(23))):
        s.sent([frame], 1.0)
        assert s.split([Frame(frame.raw + b"")], 1.0)[0]
    assert s._last == {}


def test_what_is_remembered_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spacing, "MAX_REMEMBERED", 16)
    s = Spacing(0.25)
    for n in range(100):
        s.sent([data(n, 1)], float(n))
    assert len(s._last) <= 17
    assert MAX_REMEMBERED > 16
