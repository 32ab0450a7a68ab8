import pytest

from torhaus.codecs.lorawan.net_id import net_id_of


@pytest.mark.parametrize(
    ("dev_addr", "net_type", "nwk_id", "net_id", "nwk_addr"),
    [
        (0x26011BDA, 0, 0x13, 0x000013, 0x0011BDA),
        (0x01020304, 0, 0x00, 0x000000, 0x1020304),
        (0x02000001, 0, 0x01, 0x000001, 1),
        (0x7FFFFFFF, 0, 0x3F, 0x00003F, 0x1FFFFFF),
        (0x8F000001, 1, 0x0F, 0x20000F, 1),
        (0xC0100002, 2, 0x001, 0x400001, 2),
        (0xDFFFFFFF, 2, 0x1FF, 0x4001FF, 0xFFFFF),
        (0xE0020003, 3, 0x001, None, 3),
        (0xF0008004, 4, 0x001, None, 4),
        (0xF8002005, 5, 0x001, None, 5),
        (0xFC000406, 6, 0x001, None, 6),
        (0xFE000087, 7, 0x001, None, 7),
    ],
)
def test_types(dev_addr: int, net_type: int, nwk_id: int, net_id: int | None, nwk_addr: int) -> None:
    """The prefixes and widths of TS002, table of DevAddr types."""
    found = net_id_of(dev_addr)
    assert found is not None
    assert (found.net_type, found.nwk_id, found.net_id, found.nwk_addr) == (net_type, nwk_id, net_id, nwk_addr)
    assert found.is_private is (net_id in {0, 1})


def test_eight_ones_have_no_type() -> None:
    assert net_id_of(0xFF000000) is None
    assert net_id_of(0xFFFFFFFF) is None
    assert net_id_of(0xFEFFFFFF) is not None
