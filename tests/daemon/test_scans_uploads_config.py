"""What is wrong between a station of type http and the address at which it is served."""

import msgspec
import pytest

from torhaus.daemon.scans.config import Route, ScanConfig, faults
from torhaus.daemon.scans.targets import folder, http
from torhaus.daemon.scans.uploads.config import HttpListener, HttpStation, upload_faults

PHONE = HttpStation("phone", target="archive")


def test_a_good_one() -> None:
    tls = HttpListener("0.0.0.0:8681", "/c", "/k", "/ca")
    own = HttpStation("phone", certificate_name="scanner-3", target="archive")
    assert upload_faults(tls, {0: own, 1: HttpStation("other", certificate_name="scanner-4")}) == []
    assert upload_faults(HttpListener("[::1]:1"), {0: PHONE}) == []
    assert upload_faults(HttpListener("localhost:1"), {0: PHONE}) == []
    assert upload_faults(None, {}) == []


@pytest.mark.parametrize(
    ("http", "station", "key"),
    [
        (None, PHONE, "scan.station[3].type"),
        (HttpListener("192.0.2.1:8681"), PHONE, "scan.http.listen"),
        (HttpListener("scan.example:8681"), PHONE, "scan.http.listen"),
        (HttpListener(cert_file="/c"), PHONE, "scan.http.cert_file"),
        (HttpListener(client_ca_file="/ca"), PHONE, "scan.http.client_ca_file"),
        (HttpListener(), HttpStation("phone", certificate_name="x"), "scan.station[3].certificate_name"),
    ],
)
def test_faults(http: HttpListener | None, station: HttpStation, key: str) -> None:
    assert [where for where, _ in upload_faults(http, {3: station})] == [key]


def test_a_door_to_nowhere_and_a_name_twice() -> None:
    assert upload_faults(HttpListener(), {})[0][0] == "scan.http"
    two = {0: HttpStation("a", certificate_name="X"), 1: HttpStation("b", certificate_name="x")}
    http = HttpListener(cert_file="/c", key_file="/k", client_ca_file="/ca")
    assert upload_faults(http, two) == [("scan.station[1].certificate_name", "used twice")]


def test_the_rules_of_all_stations_hold_for_it() -> None:
    targets = (folder.Config("archive", path="/out"), http.Config("dms", url="https://dms.example.org/"))
    good = ScanConfig((PHONE,), targets, http=HttpListener())
    assert faults(good) == []
    assert good.target_of("phone") == "archive"
    lost = ScanConfig((HttpStation("phone"), PHONE), targets, (Route("dms", "phone", "bau"),), http=HttpListener())
    assert {key for key, _ in faults(lost)} >= {"scan.station[1].name", "scan.station[0].cover_sheets"}


def test_values() -> None:
    for bad in ({"listen": "8681"}, {"max_connections": 0}, {"idle_s": 0}, {"cert_file": "relative"}):
        with pytest.raises(msgspec.ValidationError):
            msgspec.convert(bad, HttpListener)
    for bad in ({"max_at_once": 65}, {"quota_bytes": 0}, {"certificate_name": ""}, {"path": "/x"}):
        with pytest.raises(msgspec.ValidationError):
            msgspec.convert({"name": "phone", **bad}, HttpStation)
