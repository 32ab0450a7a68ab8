"""The list of what is heard: own meters, and a bounded number of others."""

from tests.codecs.wmbus_fakes import Meter
from tests.daemon.home import stamp
from torhaus.codecs.framing.wmbus import Heard
from torhaus.codecs.meter.wmbus.telegram import identity_of
from torhaus.daemon.wmbus import book


def note(found: book.Book, number: str, second: int = 0, device: str | None = None) -> book.Entry:
    telegram = Meter(number).plain()
    heard = Heard(telegram, -70.0 - second, "T1")
    return found.note("stick", identity_of(telegram), heard, stamp(second * 10**9), device)


def test_what_is_written_down() -> None:
    found = book.Book()
    note(found, "12345678", 1)
    entry = note(found, "12345678", 5)
    assert entry == book.Entry(
        address="KAM/12345678/1b/16",
        medium="cold_water",
        security="none",
        last_ns=5 * 10**9,
        driver="stick",
        rssi_dbm=-75.0,
        mode="T1",
        telegrams=2,
    )


def test_own_ones_first_then_the_latest() -> None:
    found = book.Book()
    for second, number in enumerate(("00000001", "00000002", "00000003")):
        note(found, number, second)
    note(found, "00000001", 9)
    note(found, "00000009", 0, "z")
    note(found, "00000008", 0, "a")
    addresses = [entry.address.split("/")[1] for entry in found.entries()]
    assert addresses == ["00000008", "00000009", "00000001", "00000003", "00000002"]


def test_strangers_never_push_out_own_ones_and_are_bounded() -> None:
    found = book.Book()
    note(found, "00000000", 0, "own")
    for n in range(1, book.MAX_STRANGERS + 5):
        note(found, f"{n:08d}", n)
    assert len(found.strangers) == book.MAX_STRANGERS
    assert set(found.own) == {"own"}
    assert "KAM/00000004/1b/16" not in found.strangers
    assert "KAM/00000005/1b/16" in found.strangers
