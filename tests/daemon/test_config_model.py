import contextlib

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from torhaus.codecs.lorawan.region import REGIONS
from torhaus.daemon.config.expect import literals
from torhaus.daemon.config.model import Http, Lorawan, Scripts, Store, parse_address, parse_size
from torhaus.daemon.outbox.store import Limits


def test_the_page_has_a_certificate_and_its_key_or_none() -> None:
    assert Http(cert_file="a", key_file="b").cert_file == "a"
    with pytest.raises(ValueError, match="key_file: is missing: cert_file is given, and TLS needs both"):
        Http(cert_file="a")
    with pytest.raises(ValueError, match="cert_file: is missing: key_file is given"):
        Http(key_file="a")


@pytest.mark.parametrize("name", ["", "a b", "-a", "<b>", "a/b", "x" * 254, "a\n"])
def test_names_of_hosts(name: str) -> None:
    assert msgspec.convert({"hosts": ["gateway.stadt.example"]}, Http).hosts == ("gateway.stadt.example",)
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"hosts": [name]}, Http)


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("64 MiB", 64 << 20),
        ("64MiB", 64 << 20),
        ("2 GB", 2_000_000_000),
        ("1.5 GiB", 3 << 29),
        ("4096", 4096),
        ("10 B", 10),
        (" 1 kB ", 1000),
        ("1 KiB", 1024),
        ("2 TiB", 2 << 40),
    ],
)
def test_sizes(text: str, size: int) -> None:
    assert parse_size(text) == size


@pytest.mark.parametrize(
    "text", ["", "MiB", "-1 MiB", "1 mib", "1 M", "1 Mi", "1.5", "1.5 B", "1  GB", "1 GBB", "٣ GB", "9" * 16]
)
def test_what_is_no_size(text: str) -> None:
    with pytest.raises(ValueError, match="must be a whole number of bytes"):
        parse_size(text)


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=12))
def test_any_text_is_a_size_or_a_value_error(text: str) -> None:
    with contextlib.suppress(ValueError):
        assert parse_size(text) >= 0


@pytest.mark.parametrize(
    ("text", "parts"),
    [("127.0.0.1:8680", ("127.0.0.1", 8680)), ("[::1]:0", ("::1", 0)), ("localhost:80", ("localhost", 80))],
)
def test_addresses(text: str, parts: tuple[str, int]) -> None:
    assert parse_address(text) == parts


@pytest.mark.parametrize(
    "text", ["", "8680", ":8680", "a:", "a:65536", "::1:80", "[::1:80", "a:8x", "a:²", "[]:1", "[a]:1"]
)
def test_what_is_no_address(text: str) -> None:
    with pytest.raises(ValueError, match="must be an address and a port"):
        parse_address(text)


def test_http_listens_on_an_address() -> None:
    with pytest.raises(ValueError, match=r'listen: is "8680", must be an address and a port'):
        Http(listen="8680")


def test_defaults_are_those_of_the_parts_that_they_configure() -> None:
    store, limits = Store(), Limits()
    keys = [key for key in Limits.__struct_fields__ if key != "relay"]  # that follows from the forwarders
    assert [getattr(store, key) for key in keys] == [getattr(limits, key) for key in keys]
    assert set(literals(Lorawan.__annotations__["region"])) == set(REGIONS)
    assert Scripts().memory_bytes == 32 << 20
