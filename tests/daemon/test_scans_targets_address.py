import pytest

from torhaus.daemon.scans.targets.address import address_fault, origin_of


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
