"""Against Apache's mod_dav, where it is installed, and a strict folder of our own."""

import asyncio
import contextlib
import hashlib
import socket
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.daemon.far_sides.webdav import WebdavServer
from tests.daemon.scans_fakes import context
from tests.daemon.target_scene import DATA, SHA, parcel, with_far_side
from tests.peers import program
from torhaus.daemon.scans.states import Reason
from torhaus.daemon.scans.targets.base import NotNow, Refused, TargetDown
from torhaus.daemon.scans.targets.webdav import Config, Webdav

MODULES = Path("/usr/lib/apache2/modules")
APACHE = """
ServerName localhost
Listen 127.0.0.1:{port}
PidFile {root}/pid
ErrorLog {root}/error.log
DocumentRoot {root}/www
DAVLockDB {root}/lock/db
LoadModule mpm_event_module {modules}/mod_mpm_event.so
LoadModule authn_core_module {modules}/mod_authn_core.so
LoadModule authn_file_module {modules}/mod_authn_file.so
LoadModule authz_core_module {modules}/mod_authz_core.so
LoadModule authz_user_module {modules}/mod_authz_user.so
LoadModule auth_basic_module {modules}/mod_auth_basic.so
LoadModule dav_module {modules}/mod_dav.so
LoadModule dav_fs_module {modules}/mod_dav_fs.so
{user}
<Directory {root}/www>
Dav On
AuthType Basic
AuthName scans
AuthUserFile {root}/users
Require valid-user
</Directory>
"""


@contextlib.asynccontextmanager
async def apache(root: Path) -> AsyncIterator[str]:
    """The URL of a folder of a running Apache with the user scans."""
    httpd = program("apache2")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    prepare(root, port)
    server = await asyncio.create_subprocess_exec(httpd, "-f", str(root / "apache.conf"), "-D", "FOREGROUND")
    try:
        for _ in range(500):
            with contextlib.suppress(OSError):
                (await asyncio.open_connection("127.0.0.1", port))[1].close()
                break
            assert server.returncode is None, (root / "error.log").read_text()
            await asyncio.sleep(0.02)
        yield f"http://127.0.0.1:{port}/in"
    finally:
        server.terminate()
        await server.wait()


def prepare(root: Path, port: int) -> None:
    root.chmod(0o755)
    for folder in (root / "www", root / "www" / "in", root / "lock"):
        folder.mkdir()
        folder.chmod(0o777)
    (root / "users").write_text("scans:{SHA}cRDtpNCeBiql5KOQsKVyrA0sAiA=\n")  # 1234
    user = "User www-data\nGroup www-data" if root.owner() == "root" else ""
    text = APACHE.format(root=root, port=port, modules=MODULES, user=user)
    (root / "apache.conf").write_text(text)
    (root / "password").touch(mode=0o600)
    (root / "password").write_text("1234\n")


def test_apache(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    root = Path("/tmp") / f"torhaus-{tmp_path_factory.getbasetemp().name}-{tmp_path.name}"
    root.mkdir()

    async def go() -> None:
        async with apache(root) as url:
            more: dict[str, Any] = {"user": "scans", "password_file": str(root / "password")}
            target = Webdav(Config("apache", url, **more), context())
            one, inside = parcel(tmp_path), root / "www" / "in"
            assert await target.probe() == "the folder is there"
            assert await target.stored(one) is None
            assert (await target.send(one)).stored_sha256 == SHA
            assert [path.name for path in inside.iterdir()] == ["7-Bußgeld 1.pdf"]
            assert await target.stored(one) == SHA
            assert (await target.send(one)).detail == "was there"
            (inside / "8-Bußgeld 1.pdf").write_bytes(b"other")
            await target.send(parcel(tmp_path, 8))
            assert (inside / "8-Bußgeld 1.pdf").read_bytes() == b"other"
            assert (inside / "8-3f2a91c0-Bußgeld 1.pdf").read_bytes() == DATA
            await target.close()
            stranger = Webdav(Config("apache", url), context())
            for call in (stranger.probe, lambda: stranger.send(one)):
                with pytest.raises(TargetDown, match="401"):
                    await call()
            await stranger.close()
            nowhere = Webdav(Config("apache", f"{url}/none", **more), context())
            with pytest.raises(TargetDown, match="no such folder"):
                await nowhere.probe()
            with pytest.raises(NotNow, match="writing: 409"):
                await nowhere.send(one)
            await nowhere.close()

    try:
        asyncio.run(go())
    finally:
        remove(root)


def remove(root: Path) -> None:
    for path in sorted(root.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    root.rmdir()


def test_nothing_is_seen_before_it_is_whole_and_ours(tmp_path: Path) -> None:
    server = WebdavServer()

    async def work(target: Webdav) -> None:
        one = parcel(tmp_path)
        server.script = ["flip"]
        with pytest.raises(NotNow) as caught:
            await target.send(one)
        assert caught.value.reason is Reason.MISMATCH
        assert server.documents() == []
        await target.send(one)
        assert server.documents() == [DATA]

    with_far_side(tmp_path, server, work)


def test_a_file_that_is_gone_after_the_rename_is_not_verified(tmp_path: Path) -> None:
    server = WebdavServer()
    server.hands_over = lambda request: request.method == "MOVE"  # type: ignore[method-assign]

    async def work(target: Webdav) -> None:
        server.script = ["lose"]
        assert (await target.send(parcel(tmp_path))).stored_sha256 is None
        assert await target.stored(parcel(tmp_path)) is None

    with_far_side(tmp_path, server, work)


def test_both_names_taken_wait_for_a_person(tmp_path: Path) -> None:
    server = WebdavServer()
    server.files = {"7-Bußgeld 1.pdf": b"other", "7-3f2a91c0-Bußgeld 1.pdf": DATA[:-1]}

    async def work(target: Webdav) -> None:
        assert await target.stored(parcel(tmp_path)) is None
        with pytest.raises(Refused) as caught:
            await target.send(parcel(tmp_path))
        assert caught.value.reason is Reason.CONFLICT

    with_far_side(tmp_path, server, work)


def test_read_back_always_reads_the_renamed_file(tmp_path: Path) -> None:
    server = WebdavServer()

    async def work(target: Webdav) -> None:
        assert (await target.send(parcel(tmp_path))).stored_sha256 is None
        server.files["7-Bußgeld 1.pdf"] = DATA[::-1]
        assert await target.stored(parcel(tmp_path)) is None
        assert hashlib.sha256(server.documents()[0]).hexdigest() != SHA

    with_far_side(tmp_path, server, work, read_back="always")


def test_faults() -> None:
    with pytest.raises(ValueError, match="user needs password_file"):
        Config("wolke", "https://cloud.example/dav", user="x")
