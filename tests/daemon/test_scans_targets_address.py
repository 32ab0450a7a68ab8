import pytest

from torhaus.daemon.scans.targets.address import address_fault, last_of, origin_of, within


@pytest.mark.parametrize(
    ("url", "insecure", "certificates", "good"),
    [
        ("https://dms.example/in", False, True, True), ("http://127.0.0.1:8080/in", False, False, True),
        ("http://[::1]/in", False, False, True), ("http://localhost/in", False, False, True),
        ("http://127.0.0.1.example/in", False, False, False), ("http://10.0.0.1/in", False, False, False),
        ("http://10.0.0.1/in", True, False, True), ("http://localhost/in", False, True, False),
        ("ftp://dms.example", False, False, False), ("https://u:p@dms.example/", False, False, False),
        ("https://dms.example/?a=b", False, False, False), ("https://dms.example:port", False, False, False),
        ("https://[dms", False, False, False), ("", False, False, False),
    ],
)  # fmt: skip
def test_addresses(url: str, insecure: bool, certificates: bool, good: bool) -> None:
    assert (address_fault(url, insecure=insecure, has_certificates=certificates) is None) is good


def test_origins() -> None:
    assert origin_of("https://dms.example:8443/in/x") == "https://dms.example:8443"


BAD = ("http://[", "//[", "http://[::1", "/files/\udcff", "//other.example/1")


@pytest.mark.parametrize(
    "location", [*BAD, "https://dms.example.evil/1", "https://u@dms.example/1", "ftp://dms.example/1"]
)
def test_a_location_that_leads_nowhere_or_elsewhere(location: str) -> None:
    assert within("https://dms.example/files/", location) is None


def test_a_location_that_is_good() -> None:
    base = "https://dms.example/files/"
    assert within(base, "1?x=2") == "https://dms.example/files/1?x=2"
    assert within(base, "/1") == within(base, "https://dms.example/1") == "https://dms.example/1"
    assert [last_of(text) for text in ("/o2m/P01?a=/b", "https://dms.example/o2m/P01/", *BAD[:3], "")] == [
        "P01", "P01", "", "", "", "",
    ]  # fmt: skip
