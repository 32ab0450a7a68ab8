import msgspec
from hypothesis import given
from hypothesis import strategies as st

from tests.daemon.mqtt_fakes import CONTEXT, config, item
from torhaus.daemon.forward.base import Item
from torhaus.daemon.forward.message import Message
from torhaus.daemon.forward.mqtt_config import Renderer
from torhaus.daemon.forward.parcels import PARCEL_BYTES, parcels_of

RENDERER = Renderer(config(1883), CONTEXT)


@given(st.integers(0, 40), st.integers(2, 9), st.sets(st.integers(0, 40)))
def test_all_items_in_order_and_none_twice(count: int, most: int, alone: set[int]) -> None:
    batch = [item(n, late=True) for n in range(count)]
    ids = {f"rathaus/3f2a91c0/{n}" for n in alone}
    parcels = parcels_of(batch, RENDERER, most, ids)
    assert [i for p in parcels for i in p.indices] == list(range(count))
    for parcel in parcels:
        assert 1 <= len(parcel.indices) <= most
        if parcel.payload is None:
            assert len(parcel.indices) == 1
        else:
            bodies = msgspec.json.decode(parcel.payload)
            assert [body["id"] for body in bodies] == [batch[i].message.id for i in parcel.indices]
            assert alone.isdisjoint(parcel.indices)


def test_a_parcel_is_bounded_and_a_large_item_goes_by_itself() -> None:
    batch = [item(n, late=True) for n in range(4)]
    for n in (1, 2):
        batch[n].message.raw = bytes(PARCEL_BYTES)
    parcels = parcels_of(batch, RENDERER, 100, set())
    assert [p.indices for p in parcels] == [[0], [1], [2], [3]]


def test_what_cannot_be_written_does_not_spoil_its_neighbours() -> None:
    bad = Message("x", "event", "rathaus", "t", "synced", True, event={"n": 1 << 70})
    parcels = parcels_of(
        [item(0), item(1), Item(bad), item(3), item(4)], Renderer(config(1, format="msgpack"), CONTEXT), 9, set()
    )
    assert [(p.indices, p.payload is None) for p in parcels] == [([0, 1], False), ([2], True), ([3, 4], False)]


def test_messagepack_is_an_array_too() -> None:
    packer = Renderer(config(1883, format="msgpack"), CONTEXT)
    (parcel,) = parcels_of([item(n) for n in range(300)], packer, 1000, set())
    assert parcel.payload is not None
    assert [body["id"] for body in msgspec.msgpack.decode(parcel.payload)][299] == "rathaus/3f2a91c0/299"
