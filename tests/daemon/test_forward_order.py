from hypothesis import given
from hypothesis import strategies as st

from torhaus.codecs.model import Stamp
from torhaus.daemon.forward.order import cut
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
