import random
from typing import Any

import pytest

from torhaus.codecs.lorawan.phy import DataFrame, parse
from torhaus.codecs.model import DecodeError
from torhaus.daemon.lora.filters import Filter, FrameFilter

DEV_EUI = "a81758fffe0312ab"


def data(addr: int = 0x26011234, *, mhdr: int = 0x40, fopts: bytes = b"", port: int | None = 5) -> bytes:
    body = b"" if port is None else bytes([port]) + b"\x01\x02"
    return bytes([mhdr]) + addr.to_bytes(4, "little") + bytes([len(fopts), 1, 0]) + fopts + body + b"mic!"


def join(join_eui: int = 0x70B3D57ED0001234, dev_eui: str = DEV_EUI) -> bytes:
    return b"\0" + join_eui.to_bytes(8, "little") + bytes.fromhex(dev_eui)[::-1] + b"\x07\x00mic!"


def rejoin(kind: int, head: int) -> bytes:
    width = 8 if kind == 1 else 3
    return bytes([0xC0, kind]) + head.to_bytes(width, "little") + bytes.fromhex(DEV_EUI)[::-1] + b"\x07\x00mic!"


def wants(phy: bytes, dev_eui: str | None = None, *, bad: bool = False, **config: Any) -> bool:
    return Filter(FrameFilter(**config)).wants(phy, dev_eui=dev_eui, crc_bad=bad)


def test_by_default_all_uplinks_of_lorawan_pass_and_nothing_else() -> None:
    for phy in (data(), data(mhdr=0x80), data(port=None), join(), rejoin(0, 0x13), rejoin(1, 5), rejoin(2, 0x13)):
        assert wants(phy), phy.hex()
    for phy in (b"", b"\x40", data(mhdr=0x60), data(mhdr=0xA0), data(mhdr=0x41), b"\x20" + bytes(16), b"\xe0abc"):
        assert not wants(phy), phy.hex()
    for phy in (join()[:-1], join() + b"x", rejoin(0, 1) + b"x", rejoin(1, 1)[:-1], b"\xc0", b"\xc0\x03" + bytes(20)):
        assert not wants(phy), phy.hex()


def test_proprietary_frames_and_bad_crcs_only_where_they_are_asked_for() -> None:
    assert wants(b"\xe0abc", mtypes=("proprietary",))
    assert not wants(data(), mtypes=("proprietary", "confirmed_up"))
    assert not wants(data(), bad=True)
    assert wants(b"\xff\xff", bad=True, crc_bad=True, dev_addrs=("01020304",))
    assert wants(data(), crc_bad=True)


@pytest.mark.parametrize(
    ("config", "addr", "expected"),
    [
        ({"net_ids": ("000013",)}, 0x26011234, True),
        ({"net_ids": ("000013",)}, 0x28000000, False),
        ({"net_ids": ("000000", "000013")}, 0x27FFFFFF, True),
        ({"dev_addrs": ("26011000/20",)}, 0x26011FFF, True),
        ({"dev_addrs": ("26011000/20",)}, 0x26012000, False),
        ({"dev_addrs": ("26011234",)}, 0x26011234, True),
        ({"dev_addrs": ("26-01-12-35",)}, 0x26011234, False),
        ({"dev_addrs": ("00000000/0",)}, 0xFFFFFFFF, True),
        ({"net_ids": ("000001",), "dev_addrs": ("26000000/8",)}, 0x26011234, True),
        ({"join_euis": ("70b3d57ed0000000",)}, 0x26011234, True),  # says nothing about data
    ],
)
def test_data_by_address(config: dict[str, Any], addr: int, expected: bool) -> None:
    assert wants(data(addr), **config) is expected


def test_data_by_dev_eui_where_the_device_is_known() -> None:
    only: dict[str, Any] = {"dev_euis": ("A8-17-58-FF-FE-03-12-AB",)}
    assert wants(data(), DEV_EUI, **only)
    assert not wants(data(), "a81758fffe0312ac", **only)
    assert not wants(data(), **only)
    assert wants(data(), **only, dev_addrs=("26000000/8",))


@pytest.mark.parametrize(
    ("port", "fopts", "expected"),
    [(5, b"", True), (6, b"", False), (6, b"\x02", False), (5, b"\x02", True), (0, b"", True), (None, b"\x02", True)],
)
def test_ports(port: int | None, fopts: bytes, expected: bool) -> None:
    assert wants(data(port=port, fopts=fopts), fports=(5, 7)) is expected


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ({"join_euis": ("70b3d57ed0001234",)}, True),
        ({"join_euis": ("70b3d57ed0000000-70b3d57ed0ffffff",)}, True),
        ({"join_euis": ("70b3d57ed0001235-70b3d57ed0ffffff",)}, False),
        ({"dev_euis": (DEV_EUI,)}, True),
        ({"dev_euis": ("0000000000000001",)}, False),
        ({"join_euis": ("0000000000000001",), "dev_euis": (DEV_EUI,)}, True),
        ({"dev_addrs": ("01020304",), "net_ids": ("000001",)}, True),  # a join-request has no address yet
        ({"fports": (1,)}, True),
        ({"mtypes": ("unconfirmed_up",)}, False),
    ],
)
def test_join_requests(config: dict[str, Any], expected: bool) -> None:
    assert wants(join(), **config) is expected


def test_rejoin_requests() -> None:
    assert wants(rejoin(0, 0x13), net_ids=("000013",))
    assert not wants(rejoin(2, 0x14), net_ids=("000013",))
    assert wants(rejoin(2, 0x14), net_ids=("000013",), dev_euis=(DEV_EUI,))
    assert wants(rejoin(1, 0x70B3D57ED0001234), join_euis=("70b3d57ed0001234",))
    assert not wants(rejoin(1, 0x70B3D57ED0001234), join_euis=("70b3d57ed0001235",))
    assert wants(rejoin(1, 0x70B3D57ED0001234), net_ids=("000013",))


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ({"net_ids": ("13",)}, "net_ids: has '13', but a NetID has six hex digits"),
        ({"net_ids": ("00001g",)}, "net_ids"),
        ({"dev_addrs": ("26011234/20",)}, "write 26011000/20"),
        ({"dev_addrs": ("26011000/33",)}, "such as 26011000 or 26011000/20"),
        ({"dev_addrs": ("26011000/",)}, "dev_addrs"),
        ({"dev_addrs": ("2601",)}, "dev_addrs"),
        ({"join_euis": ("70b3d57ed0ffffff-70b3d57ed0000000",)}, "the first EUI is above the last"),
        ({"join_euis": ("70b3",)}, "join_euis"),
        ({"join_euis": ("70b3d57ed0ffffff-70b3d57ed000000g",)}, "join_euis"),
        ({"dev_euis": ("a817",)}, "dev_euis: has 'a817', but an EUI has 16 hex digits"),
    ],
)
def test_what_is_wrong_is_said(config: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words.replace("(", r"\(")):
        FrameFilter(**config)


def test_whatever_is_wanted_by_address_is_a_data_frame_with_that_address() -> None:
    """Against the parser: 20,000 random frames, some of them cut or lengthened."""
    rng = random.Random(26)
    some = Filter(FrameFilter(dev_addrs=("00000000/1",), mtypes=("unconfirmed_up", "confirmed_up"), fports=(1, 2, 3)))
    passed = 0
    for _ in range(20_000):
        phy = bytes([rng.choice((0x40, 0x80, 0x60, rng.randrange(256)))]) + rng.randbytes(rng.randrange(30))
        is_wanted = some.wants(phy)
        passed += is_wanted
        try:
            found = parse(phy)
        except DecodeError:
            continue  # what is malformed behind the address may pass: the server judges it
        right = (
            isinstance(found, DataFrame)
            and found.uplink
            and not found.dev_addr >> 31
            and found.fport in {None, 0, 1, 2, 3}
        )
        assert is_wanted == right, phy.hex()
    assert passed > 100
