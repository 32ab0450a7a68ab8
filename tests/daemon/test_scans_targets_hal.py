import msgspec
import pytest

from torhaus.daemon.scans.targets.hal import Linked, expand, follow

BASE = "https://stadt.d-velop.cloud/"


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("/dms/r/{a}/o2m/{missing}{?b,missing}", "/dms/r/x%2Fy/o2m/?b=1%202"),
        ("/srm{?json}", "/srm?json=%7B%22k%22%3A%5B%22%C3%BC%22%5D%7D"),
        ("/srm?x=1{&b}", "/srm?x=1&b=1%202"),
        ("/srm{?missing}", "/srm"),
        ("/plain", "/plain"),
        ("/{a", "/{a"),
        ("/{!a}", "/{!a}"),
        ("", ""),
    ],
)
def test_templates(template: str, expected: str) -> None:
    assert expand(template, {"a": "x/y", "b": "1 2", "json": {"k": ["ü"]}}) == expected


def test_links_stay_on_their_server() -> None:
    assert follow(BASE, "/dms/r/{a}", {"a": "x"}) == "https://stadt.d-velop.cloud/dms/r/x"
    assert follow(BASE, "https://stadt.d-velop.cloud/y", {}) == "https://stadt.d-velop.cloud/y"
    bad = [
        "https://elsewhere.example/", "//elsewhere.example/x", "http://stadt.d-velop.cloud/", "https://[x",
        "https://stadt.d-velop.cloud:444/", "https://stadt.d-velop.cloud@elsewhere.example/", "/" + "x" * 9000,
    ]  # fmt: skip
    assert [href for href in bad if follow(BASE, href, {}) is not None] == []


def test_a_link_may_be_one_of_several_or_none() -> None:
    text = b'{"_links": {"one": {"href": "/1"}, "curies": [{"href": "/a"}, {"href": "/b"}], "no": [], "null": null}}'
    found = msgspec.json.decode(text, type=Linked)
    assert [found.link(name) for name in ("one", "curies", "no", "null", "other")] == ["/1", "/a", None, None, None]
    assert Linked().link("one") is None
