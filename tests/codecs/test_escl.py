"""eSCL's messages, as scanners of several makers write them."""

import random

import pytest

from tests.daemon.escl_scanner import capabilities, status
from torhaus.codecs.escl import (
    Capabilities,
    Job,
    Status,
    color_mode,
    parse_capabilities,
    parse_status,
    path_of,
    scan_settings,
)
from torhaus.codecs.model import DecodeError
from torhaus.codecs.tree import from_xml, value_of

CAPS = Capabilities(
    frozenset({"application/pdf", "image/jpeg"}), frozenset({"RGB24", "Grayscale8"}), frozenset({200, 300}), 2550, 3508
)


def test_what_a_source_can_do() -> None:
    assert parse_capabilities(capabilities(), "feeder", duplex=False) == CAPS
    assert parse_capabilities(capabilities(), "platen", duplex=False).height == 3508
    with pytest.raises(DecodeError, match="both sides"):
        parse_capabilities(capabilities(), "feeder", duplex=True)


def test_state_feeder_and_jobs() -> None:
    found = parse_status(status("Processing", "ScannerAdfLoaded", [("/eSCL/ScanJobs/7", "Processing", 3, 1)]))
    assert found == Status("Processing", "ScannerAdfLoaded", {"/eSCL/ScanJobs/7": Job("Processing", (), 3, 1)})
    assert parse_status(status("Idle", None, [])) == Status("Idle", None, {})


@pytest.mark.parametrize(
    ("uri", "path"),
    [
        ("http://scanner.local/eSCL/ScanJobs/7", "/eSCL/ScanJobs/7"),
        ("http://[fe80::1%25eth0:80/eSCL/ScanJobs/7/", "/eSCL/ScanJobs/7"),
        ("/eSCL/ScanJobs/7", "/eSCL/ScanJobs/7"),
        ("https://192.0.2.1:443/eSCL/ScanJobs/a-b", "/eSCL/ScanJobs/a-b"),
    ],
)
def test_the_path_of_a_job_whatever_its_host(uri: str, path: str) -> None:
    assert path_of(uri) == path


@pytest.mark.parametrize("uri", ["", "7", "http:/x", "/a b", "/a/../b", "/a?b", "/ä", "/" + "x" * 600])
def test_addresses_that_are_none(uri: str) -> None:
    with pytest.raises(DecodeError):
        path_of(uri)


def test_the_order() -> None:
    tree = from_xml(scan_settings("feeder", "grey", "application/pdf", 300, duplex=True, caps=CAPS))
    found = [
        value_of(tree, ["ScanSettings", name])
        for name in ("InputSource", "ColorMode", "XResolution", "YResolution", "DocumentFormatExt", "Duplex")
    ]
    assert found == ["Feeder", color_mode("grey"), "300", "300", "application/pdf", "true"]
    region = ["ScanSettings", "ScanRegions", "ScanRegion"]
    assert [value_of(tree, [*region, name]) for name in ("Width", "Height")] == ["2550", "3508"]
    none: frozenset[str] = frozenset()
    unknown = Capabilities(none, none, frozenset(), None, None)
    platen = scan_settings("platen", "color", "image/jpeg", 200, duplex=False, caps=unknown)
    assert b"Duplex" not in platen
    assert b"ScanRegion" not in platen


@pytest.mark.parametrize("data", [b"", b"<a/>", b"\0" * 50, b"<ScannerStatus", b" " * (2 << 20)])
def test_answers_that_are_none(data: bytes) -> None:
    with pytest.raises(DecodeError):
        parse_status(data)


def test_nothing_but_a_refusal_leaves_the_parsers() -> None:
    rng = random.Random(9)
    seeds = [capabilities(), status("Idle", "ScannerAdfJam", [("http://x/eSCL/ScanJobs/7", "Completed", 3, 0)])]
    for n in range(1500):
        data = bytearray(seeds[n % 2])
        for _ in range(rng.randrange(1, 5)):
            data[rng.randrange(len(data))] = rng.randrange(32, 256)
        for _ in range(n % 3):
            del data[rng.randrange(len(data)) :]
            data = data or bytearray(b"<")
        for parse in (lambda d: parse_capabilities(d, "feeder", duplex=False), parse_status):
            try:
                parse(bytes(data))
            except DecodeError:
                continue
