import pytest

from tests.daemon.site_scene import ID, head
from torhaus.codecs.model import DecodeError
from torhaus.daemon.scans.uploads.heads import parse_origin


def test_what_a_box_says_of_a_document() -> None:
    found = parse_origin(ID, "poststelle", head(12), "rathaus")
    assert (found.id, found.store, found.station, found.head.seq, str(found.head)) == (
        ID, "3f2a91c0", "poststelle", 12, head(12)
    )  # fmt: skip


@pytest.mark.parametrize(
    ("id_", "station", "at"),
    [
        ("", "a", head(1)),
        ("rathaus/3f2a91c0/01", "a", head(1)),
        (ID + "\n", "a", head(1)),
        ("rathaus/3F2A91C0/1", "a", head(1)),
        ("rathaus/3f2a91c0/1234567890123456789", "a", head(1)),
        ("schule/3f2a91c0/1", "a", head(1)),
        (ID, "", head(1)),
        (ID, "A", head(1)),
        (ID, "a" * 33, head(1)),
        (ID, "a", ""),
        (ID, "a", head(1).upper()),
        (ID, "a", f"-{head(1)}"),
        (ID, "a", head(1) + "0"),
    ],
)
def test_anything_else_is_refused(id_: str, station: str, at: str) -> None:
    with pytest.raises(DecodeError):
        parse_origin(id_, station, at, "rathaus")
