"""Keys of the GWMP driver."""

import msgspec
import pytest

from tests.drivers.gwmp_fakes import EUI, config
from torhaus.drivers.semtech_udp import split_listen


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("127.0.0.1:1700", ("127.0.0.1", 1700)),
        ("[::]:1700", ("::", 1700)),
        ("0.0.0.0:0", ("0.0.0.0", 0)),
    ],
)
def test_listen(text: str, parts: tuple[str, int]) -> None:
    assert split_listen(text) == parts


@pytest.mark.parametrize(
    "text", ["", "1700", ":1700", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:-1", "127.0.0.1:²", "h:1"]
)
def test_listen_refused(text: str) -> None:
    with pytest.raises(msgspec.ValidationError):
        config(listen=text)


@pytest.mark.parametrize(
    "gateway",
    [{"eui": "1"}, {"eui": EUI + "0"}, {"eui": "g" * 16}, {"eui": EUI, "networks": ["10.0.0.0/33"]}, {"networks": []}],
)
def test_gateway_refused(gateway: dict[str, object]) -> None:
    with pytest.raises(msgspec.ValidationError):
        config(gateway=[gateway])
