"""Uploads to the real daemon, by real tus clients, over a line that is cut, and with kill -9 in between.

Ten cuts in the suite, a hundred with `make test-crash`. The clients are installed into build/ when their registries can
be reached; else the test says so and is skipped.
"""

import hashlib
import http.client
import json
import os
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from functools import partial
from pathlib import Path
from random import Random

import pytest

from bench.scenarios.scans import pdf
from tests.e2e.cutting import CuttingLine
from tests.e2e.site import Site, running, wait_for
from tests.npm import installed, node
from tests.peers import free_port

ROOT = Path(__file__).parents[2]
HERE = Path(__file__).parent
CUTS = (
    pytest.param(10, id="some"),
    pytest.param(100, marks=[pytest.mark.crash, pytest.mark.timeout(900)], id="many"),
)
SIZE = 1 << 20


def site_with_uploads(folder: Path) -> tuple[Site, int]:
    (folder / "out").mkdir()
    port = free_port()
    more = (
        f'[scan.http]\nlisten = "127.0.0.1:{port}"\n[[scan.station]]\nname = "phone"\ntype = "http"\n'
        f'target = "archive"\n[[scan.target]]\nname = "archive"\ntype = "folder"\npath = "{folder / "out"}"\n'
    )
    return Site(folder, [], more), port


def added(site: Site) -> str:
    return site.torhaus("scans", "token", "add", "phone").stdout.strip()


def token_of(site: Site) -> str:
    made = wait_for(partial(added, site), "a token")
    assert isinstance(made, str)
    return made


def scans(site: Site) -> list[str]:
    found = site.torhaus("scans", "list", "--json")
    return [scan["sha256"] for scan in json.loads(found.stdout)] if found.returncode == 0 else []


def tuspy(folder: Path) -> tuple[list[str], dict[str, str]]:
    """The command to which endpoint, token, file, hash and chunk size are added, and its environment."""
    place = ROOT / "build" / "tuspy"
    if not (place / "tusclient").exists():
        command = [sys.executable, "-m", "pip", "install", "-q", "--target", str(place), "tuspy==1.1.0"]
        try:
            subprocess.run(command, check=True, capture_output=True, timeout=100)
        except (subprocess.SubprocessError, OSError) as e:
            pytest.skip(f"pip cannot install tuspy here: {type(e).__name__}")
    return [sys.executable, str(HERE / "tuspy_upload.py")], {"PYTHONPATH": str(place)}


def tus_js(folder: Path) -> tuple[list[str], dict[str, str]]:
    package = installed("tus-js-client", "tus-js-client@4.3.1") / "node_modules" / "tus-js-client"
    return [node(), str(HERE / "tus_js_upload.js"), str(package)], {}


@pytest.mark.parametrize("cuts", CUTS)
@pytest.mark.parametrize("client", [tuspy, tus_js])
def test_a_real_client_over_a_line_that_is_cut(
    tmp_path: Path, client: Callable[[Path], tuple[list[str], dict[str, str]]], cuts: int
) -> None:
    command, environment = client(tmp_path)
    document = pdf(1, SIZE)
    (tmp_path / "scan.pdf").write_bytes(document)
    sha256 = hashlib.sha256(document).hexdigest()
    site, port = site_with_uploads(tmp_path)
    with running(site), CuttingLine(port, cuts, SIZE * 5 // 2 // cuts, Random(7)) as line:
        token = token_of(site)
        arguments = [f"http://127.0.0.1:{line.port}/tus/phone/", token, str(tmp_path / "scan.pdf"), sha256, "262144"]
        done = subprocess.run(
            [*command, *arguments],
            env=os.environ | environment,
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )
        assert done.returncode == 0, done.stderr + site.log()[-2000:]
        assert line.cuts == 0, "the line was not cut as often as it should be"
        assert scans(site) == [sha256]
        wait_for(lambda: list((tmp_path / "out").glob("*.pdf")), "delivered")
        assert "scan.pdf" not in site.log()  # names of documents are personal data
        assert not list((tmp_path / "state/scans/uploads").iterdir())


def request(port: int, method: str, path: str, token: str, body: bytes = b"", **more: str) -> http.client.HTTPResponse:
    headers = {"Authorization": f"Bearer {token}", "Tus-Resumable": "1.0.0"}
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=20)) as connection:
        connection.request(method, path, body or None, headers | {k.replace("_", "-"): v for k, v in more.items()})
        found = connection.getresponse()
        found.read()
        return found


def offset_at(port: int, where: str, token: str) -> int:
    """Where the upload stands, once the daemon that was just started answers."""

    def asked() -> str | None:
        try:
            return request(port, "HEAD", where, token).headers["Upload-Offset"]
        except OSError:
            return None

    return int(wait_for(asked, "an answer"))


@pytest.mark.parametrize(
    "kills", [5, pytest.param(60, marks=[pytest.mark.crash, pytest.mark.timeout(900)])], ids=["some", "many"]
)
def test_it_goes_on_after_kill_9(tmp_path: Path, kills: int) -> None:
    """Killed at random bytes: what was told to be there is there, and in the end there is one scan."""
    rng, document = Random(3), pdf(2, SIZE)
    site, port = site_with_uploads(tmp_path)
    kind = {"Content_Type": "application/offset+octet-stream"}
    with running(site):
        token = token_of(site)
        made = request(port, "POST", "/tus/phone/", token, Upload_Length=str(len(document)))
        where = made.headers["Location"]
        told = 0
        for kill in range(kills):
            offset = offset_at(port, where, token)
            assert offset >= told, "bytes that were told to be safe are gone"
            size = rng.randrange(1, 2 * len(document) // kills)
            chunk = document[offset : min(offset + size, len(document) - 1)]
            fields = {**kind, "Upload_Offset": str(offset)}
            with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=20)) as half:
                if kill % 2:
                    told = int(request(port, "PATCH", where, token, chunk, **fields).headers["Upload-Offset"])
                else:  # in the middle of a request
                    fields |= {"Authorization": f"Bearer {token}", "Tus_Resumable": "1.0.0"}
                    half.putrequest("PATCH", where)
                    for name, value in {**fields, "Content_Length": str(len(document) - offset)}.items():
                        half.putheader(name.replace("_", "-"), value)
                    half.endheaders(chunk)
                site.kill()
            site.start()
        offset = offset_at(port, where, token)
        assert offset >= told
        last = request(port, "PATCH", where, token, document[offset:], Upload_Offset=str(offset), **kind)
        assert last.status == 204
        assert scans(site) == [hashlib.sha256(document).hexdigest()]
