"""Kinds of stations, and what is wrong with those that are put together badly."""

import fnmatch
from typing import Any

import msgspec
import pytest

from torhaus.daemon.scans.config import Route, ScanConfig, Station, faults
from torhaus.daemon.scans.stations import EsclStation, SaneStation, Sidecar, as_glob, is_placed
from torhaus.daemon.scans.targets.folder import Config as FolderTarget

XML = Sidecar(format="xml", name="{stem}.xml", fields={"department": "@d"})


def faulty(station: Station | EsclStation | SaneStation, *routes: Route) -> list[str]:
    return [key for key, _ in faults(ScanConfig((station,), (FolderTarget("archive", path="/srv/archive"),), routes))]


def folder(**more: Any) -> Station:
    return Station(name="counter", path="/srv/scan", target="archive", **more)


@pytest.mark.parametrize(
    ("more", "key"),
    [
        ({"done": "ready_file"}, "ready_file"),
        ({"ready_file": "{name}.ok"}, "ready_file"),
        ({"done": "ready_file", "ready_file": "READY"}, "ready_file"),
        ({"done": "ready_file", "ready_file": "{name}"}, "ready_file"),
        ({"done": "sidecar"}, "sidecar"),
        ({"done": "sidecar", "sidecar": msgspec.structs.replace(XML, name="INDEX.DAT")}, "sidecar.name"),
        ({"done": "sidecar", "sidecar": msgspec.structs.replace(XML, name="{batch}.xml")}, "sidecar.name"),
        ({"batch_timeout_s": 1.0}, "batch_timeout_s"),
    ],
)
def test_folders_that_cannot_work(more: dict[str, Any], key: str) -> None:
    assert f"scan.station[0].{key}" in faulty(folder(**more))


def test_folders_that_work() -> None:
    assert faulty(folder(done="sidecar", sidecar=XML), Route("archive", station="counter", department="bauamt")) == []
    index = msgspec.structs.replace(XML, name="INDEX.DAT")
    assert faulty(folder(done="sidecar", sidecar=index, batches="folders")) == []
    assert faulty(folder(done="ready_file", ready_file="{stem}.ok")) == []


@pytest.mark.parametrize(
    ("url", "more", "good"),
    [
        ("https://scanner.example/eSCL", {}, True),
        ("http://scanner.example/eSCL", {}, False),
        ("http://scanner.example/eSCL", {"insecure": True}, True),
        ("http://127.0.0.1/eSCL", {"ca_file": "/etc/ca.pem"}, False),
        ("scanner/eSCL", {}, False),
    ],
)
def test_scanners_addresses(url: str, more: dict[str, Any], good: bool) -> None:
    found = faulty(EsclStation(name="flur", url=url, target="archive", **more))
    assert found == ([] if good else ["scan.station[0].url"])


@pytest.mark.parametrize("device", ["-x", "", "a\0b"])
def test_a_device_is_never_an_option(device: str) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"type": "sane", "name": "x", "target": "y", "device": device}, SaneStation)


def test_names_beside_documents() -> None:
    assert is_placed("{stem}.xml")
    assert not is_placed("INDEX.DAT")
    assert as_glob("{name}.ready") == "*.ready"
    assert fnmatch.fnmatch("a[1].ok", as_glob("a[1].ok"))
