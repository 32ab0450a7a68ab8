"""Real file servers write into the hot folder: every whole document exactly once, no part of one ever."""

import contextlib
import ftplib
import hashlib
import http.client
import io
import os
import random
import subprocess
import tempfile
import unicodedata
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.daemon.scans_fakes import Bench, blob, fake_pdf, left, with_bench
from tests.daemon.writer_servers import dav_server, ftp_server, smb_server, ssh_server
from tests.peers import program

RNG = random.Random(9)
BIG = fake_pdf(RNG.randbytes(300_000).hex())
NFD = unicodedata.normalize("NFD", "Prüfbericht.pdf")


async def taken(b: Bench, wanted: dict[str, bytes]) -> None:
    """What is in the folder is taken, and it is this, once each, bit by bit."""
    for _ in range(3):
        await b.look()
    scans = await b.queue.list()
    assert sorted((os.fsdecode(s.name), s.sha256) for s in scans) == sorted(
        (name, hashlib.sha256(data).hexdigest()) for name, data in wanted.items()
    )
    assert [s.state.value for s in scans] == ["spooled"] * len(scans)
    for scan in scans:
        blob(b, scan)


def run_client(command: list[str], text: str = "") -> None:
    done = subprocess.run(
        command, input=text, capture_output=True, text=True, env={"LC_ALL": "C.UTF-8"}, check=False, timeout=60
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_smb(tmp_path: Path) -> None:
    client = program("smbclient")

    async def work(b: Bench) -> None:
        place = tmp_path / "smb"
        place.mkdir()
        (place / "big").write_bytes(BIG)
        (place / "small").write_bytes(fake_pdf(1))
        (place / "none").write_bytes(BIG[: len(BIG) // 2])
        with smb_server(place, b.hot) as port:
            says = f'lcd {place}; put big Bescheid.pdf; put small "{NFD}"; put none cut.pdf; put small x.part'
            more = "; rename x.part Müller.pdf"
            command = [client, "//127.0.0.1/hot", "-N", "-p", str(port), "-m", "SMB3", "-c", says + more]
            run_client(command)
        await taken(b, {"Bescheid.pdf": BIG, NFD: fake_pdf(1), "Müller.pdf": fake_pdf(1)})
        assert left(b) == ["cut.pdf"]

    with_bench(tmp_path, work)


def test_ftp_with_an_upload_that_breaks_off_and_a_name_in_latin_1(tmp_path: Path) -> None:
    async def work(b: Bench) -> None:
        place = tmp_path / "ftp"
        place.mkdir()
        with ftp_server(place, b.hot) as port, ftplib.FTP(encoding="latin-1") as ftp:
            ftp.connect("127.0.0.1", port, timeout=10)
            ftp.login()
            ftp.cwd("hot")
            ftp.storbinary("STOR Bußgeld.pdf", io.BytesIO(fake_pdf(1)))
            broken = ftplib.FTP()
            broken.connect("127.0.0.1", port, timeout=10)
            broken.login()
            data = broken.transfercmd("STOR hot/broken.pdf")
            data.sendall(BIG[: len(BIG) // 2])
            assert broken.sock is not None
            broken.sock.close()
            data.close()
            for n in range(3):  # a counter that starts anew each time
                ftp.storbinary("STOR SCN_0001.pdf", io.BytesIO(fake_pdf(f"same name {n}")))
                assert await b.look() == (2 if n == 0 else 1)
        scans = await b.queue.list()
        assert {s.name for s in scans} == {b"Bu\xdfgeld.pdf", b"SCN_0001.pdf"}
        assert {s.sha256 for s in scans} == {
            hashlib.sha256(d).hexdigest() for d in (fake_pdf(1), *(fake_pdf(f"same name {n}") for n in range(3)))
        }
        assert len(scans) == 4
        assert left(b) == ["broken.pdf"]

    with_bench(tmp_path, work)


def test_sftp_with_a_rename_into_place(tmp_path: Path) -> None:
    client = program("sftp")

    async def work(b: Bench) -> None:
        place = tmp_path / "ssh"
        place.mkdir(mode=0o700)
        (place / "big").write_bytes(BIG)
        (place / "small").write_bytes(fake_pdf(1))
        with ssh_server(place) as (_, options):
            batch = f'put {place}/big "{b.hot}/a b.pdf"\nput {place}/small {b.hot}/c.pdf.filepart\n'
            batch += f"rename {b.hot}/c.pdf.filepart {b.hot}/c.pdf\n"
            command = [client, "-b", "-", *options, "127.0.0.1"]
            run_client(command, batch)
        await taken(b, {"a b.pdf": BIG, "c.pdf": fake_pdf(1)})

    with_bench(tmp_path, work)


@contextlib.contextmanager
def open_to_all() -> Iterator[Path]:
    """A folder that a server without our rights can get to."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        yield Path(name)


def test_webdav(tmp_path: Path) -> None:
    async def work(b: Bench) -> None:
        place = b.root / "dav"
        place.mkdir()
        with dav_server(place, b.hot) as port:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
            for name, body, status in (
                ("a.pdf", BIG, 201),
                ("Pr%C3%BCfung.pdf", fake_pdf(1), 201),
                ("a.pdf", BIG, 204),
            ):
                connection.request("PUT", f"/hot/{name}", body)
                response = connection.getresponse()
                response.read()
                assert response.status == status
            connection.close()
            broken = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
            broken.putrequest("PUT", "/hot/broken.pdf")
            broken.putheader("Content-Length", str(len(BIG)))
            broken.endheaders()
            broken.send(BIG[: len(BIG) // 2])
            await taken(b, {"a.pdf": BIG, "Prüfung.pdf": fake_pdf(1)})  # while the broken one is still under way
            broken.close()
        await taken(b, {"a.pdf": BIG, "Prüfung.pdf": fake_pdf(1)})

    with open_to_all() as root:
        with_bench(root, work)


def test_a_file_whose_room_is_filled_with_zeros_first(tmp_path: Path) -> None:
    async def work(b: Bench) -> None:
        path = b.hot / "a.pdf"
        with path.open("wb") as file:
            file.truncate(len(BIG))
            assert await b.look(30) == 0
            for at in range(0, len(BIG), len(BIG) // 3):
                file.seek(at)
                file.write(BIG[at : at + len(BIG) // 3])
                file.flush()
                assert await b.look(30) == (1 if at + len(BIG) // 3 >= len(BIG) else 0)
        await taken(b, {"a.pdf": BIG})

    with_bench(tmp_path, work)


def test_a_writer_that_opens_its_file_again_to_append(tmp_path: Path) -> None:
    async def work(b: Bench) -> None:
        whole = fake_pdf("text layer")
        for part in (whole[:10], whole[10:20], whole[20:]):
            with (b.hot / "a.pdf").open("ab") as file:
                file.write(part)
            assert await b.look(30) == (1 if part == whole[20:] else 0)
        await taken(b, {"a.pdf": whole})

    with_bench(tmp_path, work)


@pytest.mark.parametrize("count", [2000])
def test_a_bulk_copy_that_is_under_way_at_the_start(tmp_path: Path, count: int) -> None:
    async def work(b: Bench) -> None:
        for n in range(count):
            data = fake_pdf(n)
            b.put(f"{n}.pdf", data if n % 100 else data[:-2])
        assert await b.queue.intakes[0].step() == 0
        b.clock.pass_s(6)
        assert await b.queue.intakes[0].step() == count - count // 100
        for n in range(0, count, 100):
            b.put(f"{n}.pdf", fake_pdf(n))
        assert await b.look() == count // 100
        scans = await b.queue.list(limit=10 * count)
        found = (await b.queue.counts()).station["counter"]
        assert found == {"spooled": count}
        assert len({s.sha256 for s in scans}) == len(scans)
        assert left(b) == []

    with_bench(tmp_path, work)
