from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from torhaus.codecs.model import Stamp
from torhaus.daemon.forward.order import cut, sender_of_frame
from torhaus.daemon.outbox.record import Lora, Record, Stored


def stored(pos: int, device: str | None, dev_addr: str | None = None) -> Stored:
    lora = Lora(868_100_000, "LORA", "SF7BW125", dev_addr=dev_addr) if dev_addr else None
    return Stored(pos, "0" * 8, pos, "b", Stamp(1, 1, synced=True), Record("frame", "gw", device, lora=lora))


@given(st.lists(st.sampled_from("abc")))
def test_one_of_each_device_and_nothing_is_lost(devices: list[str]) -> None:
    batch = [stored(n, device) for n, device in enumerate(devices)]
    chosen, rest = cut(batch, strict=False)
    assert len({s.record.device for s in chosen}) == len(chosen) == len(set(devices))
    assert sorted([*chosen, *rest], key=lambda s: s.pos) == batch
    for s in chosen:
        assert all(other.pos > s.pos for other in rest if other.record.device == s.record.device)
    assert [s.pos for s in rest] == sorted(s.pos for s in rest)


def test_who_has_no_name_is_known_by_address_or_driver() -> None:
    batch = [stored(0, None, "01020304"), stored(1, None, "01020304"), stored(2, None), stored(3, None, "0a0b0c0d")]
    chosen, rest = cut(batch, strict=False)
    assert ([s.pos for s in chosen], [s.pos for s in rest]) == ([0, 2, 3], [1])


def test_strict_is_one_at_a_time() -> None:
    batch = [stored(n, f"d{n}") for n in range(3)]
    assert cut(batch, strict=True) == (batch[:1], batch[1:])
    assert cut([], strict=True) == ([], [])


def heard(pos: int, raw: bytes, dev_addr: str | None, **more: Any) -> Stored:
    lora = Lora(868_100_000, "LORA", "SF7BW125", dev_addr=dev_addr)
    return Stored(pos, "0" * 8, pos, "b", Stamp(1, 1, synced=True), Record("frame", "gw", lora=lora, raw=raw, **more))


def test_relays_tell_devices_apart_by_address() -> None:
    assert sender_of_frame(heard(0, b"", "01020304", device="flur", dev_eui="aa")) == "01020304"
    assert sender_of_frame(heard(0, b"", None, dev_eui="aa")) == "aa"
    assert sender_of_frame(heard(0, b"", None)) == "driver gw"
    assert sender_of_frame(heard(0, b"", "01020304", reason="radio_crc")) == "driver gw"
    assert sender_of_frame(stored(0, None)) == "driver gw"


def test_copies_of_one_frame_go_out_together_and_overtake_nothing() -> None:
    batch = [
        heard(0, b"a1", "a"),
        heard(1, b"b1", "b"),
        heard(2, b"a1", "a", reason="duplicate"),
        heard(3, b"a2", "a"),
        heard(4, b"a1", "a", reason="duplicate"),
        heard(5, b"b2", "b"),
    ]
    rounds = []
    while batch:
        chosen, batch = cut(batch, strict=False, relay=True)
        rounds.append([s.pos for s in chosen])
    assert rounds == [[0, 1, 2], [3, 5], [4]]
    assert cut([heard(0, b"a", "a"), heard(1, b"a", "a")], strict=True, relay=True)[0][0].pos == 0
