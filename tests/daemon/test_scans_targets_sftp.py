"""Against OpenSSH's own server."""

import asyncio
import contextlib
import hashlib
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import asyncssh
import pytest

from tests.daemon.far_sides import sshd
from tests.daemon.scans_fakes import Bench, context, fake_pdf
from torhaus.daemon.scans.states import Reason
from torhaus.daemon.scans.targets.base import NotNow, Parcel, Receipt, Refused, TargetDown
from torhaus.daemon.scans.targets.sftp import Config, Sftp

DATA = b"document" * 100_000
SHA = hashlib.sha256(DATA).hexdigest()


@pytest.fixture
def parcel(tmp_path: Path) -> Parcel:
    (tmp_path / "blob").write_bytes(DATA)
    return Parcel(
        "rathaus/3f2a91c0/7", 7, "3f2a91c0", "counter", "Bußgeld/1.pdf", tmp_path / "blob", SHA, len(DATA),
        "application/pdf", "1:0",
    )  # fmt: skip


def with_server(root: Path, work: Callable[[Sftp], Awaitable[None]], **more: Any) -> None:
    async def go() -> None:
        async with sshd.serving(root) as port:
            target = Sftp(sshd.config(root, port, **more), context())
            try:
                await work(target)
            finally:
                await target.close()
                await target.close()

    asyncio.run(go())


def test_it_arrives_under_its_name_and_is_read_back(tmp_path: Path, parcel: Parcel) -> None:
    async def work(target: Sftp) -> None:
        assert await target.probe() == "the folder is there"
        assert await target.stored(parcel) is None
        assert await target.send(parcel) == Receipt(SHA)
        assert [path.name for path in (tmp_path / "in").iterdir()] == ["7-Bußgeld_1.pdf"]
        assert (tmp_path / "in" / "7-Bußgeld_1.pdf").read_bytes() == DATA
        assert await target.stored(parcel) == SHA
        assert await target.send(parcel) == Receipt(SHA, "was there")

    with_server(tmp_path, work)


def test_nothing_is_overwritten_and_a_crashed_runs_draft_is_no_hindrance(tmp_path: Path, parcel: Parcel) -> None:
    async def work(target: Sftp) -> None:
        inside = tmp_path / "in"
        (inside / "7-Bußgeld_1.pdf").write_bytes(b"other")
        (inside / ".torhaus-3f2a91c0-7.part").write_bytes(DATA + b"longer")
        assert await target.stored(parcel) is None
        assert (await target.send(parcel)).stored_sha256 is None
        assert await target.stored(parcel) == SHA
        assert (inside / "7-Bußgeld_1.pdf").read_bytes() == b"other"
        (inside / "7-3f2a91c0-Bußgeld_1.pdf").write_bytes(b"other")
        with pytest.raises(Refused) as caught:
            await target.send(parcel)
        assert caught.value.reason is Reason.CONFLICT

    with_server(tmp_path, work, read_back="always")


def test_a_name_that_is_taken_between_two_looks_is_not_overwritten(tmp_path: Path, parcel: Parcel) -> None:
    async def work(target: Sftp) -> None:
        real = target._put

        async def put(*arguments: Any) -> None:
            await real(*arguments)
            (tmp_path / "in" / "7-Bußgeld_1.pdf").write_bytes(b"other")

        target._put = put  # type: ignore[method-assign, assignment]
        with pytest.raises(NotNow) as caught:
            await target.send(parcel)
        assert caught.value.reason is Reason.CONFLICT
        assert (tmp_path / "in" / "7-Bußgeld_1.pdf").read_bytes() == b"other"

    with_server(tmp_path, work)


def test_what_was_altered_on_its_way_never_gets_its_name(tmp_path: Path, parcel: Parcel) -> None:
    async def work(target: Sftp) -> None:
        real = target._put

        async def put(*arguments: Any) -> None:
            await real(*arguments)
            (tmp_path / "in" / ".torhaus-3f2a91c0-7.part").write_bytes(DATA[:-1])

        target._put = put  # type: ignore[method-assign, assignment]
        with pytest.raises(NotNow) as caught:
            await target.send(parcel)
        assert caught.value.reason is Reason.MISMATCH
        assert await target.stored(parcel) is None

    with_server(tmp_path, work)


def test_only_the_pinned_server_is_spoken_to_and_only_with_our_key(tmp_path: Path, parcel: Parcel) -> None:
    sshd.make_key(tmp_path / "stranger")

    async def go() -> None:
        async with sshd.serving(tmp_path) as port:
            known = tmp_path / "known_hosts"
            known.write_text(f"# ours\n[127.0.0.1]:{port} {(tmp_path / 'host.pub').read_text()}")
            cases: list[tuple[dict[str, Any], str]] = [
                ({"host_key_file": str(tmp_path / "stranger.pub")}, "not in host_key_file"),
                ({"host_key_file": str(tmp_path / "none")}, "host_key_file: No such file"),
                ({"host_key_file": str(tmp_path / "blob")}, "host_key_file: a line is no public key"),
                ({"host_key_file": "/dev/null"}, "host_key_file: no key in it"),
                ({"private_key_file": str(tmp_path / "stranger")}, "user, key or password refused"),
                ({"private_key_file": str(tmp_path / "none")}, "cannot be read"),
                ({"private_key_file": str(tmp_path / "user.pub")}, "private_key_file"),
                ({"folder_": "/nowhere"}, "no such folder"),
            ]
            (tmp_path / "user.pub").chmod(0o600)
            for more, text in cases:
                made = sshd.config(tmp_path, port, **{k: v for k, v in more.items() if k != "folder_"})
                if "folder_" in more:
                    made = Config(
                        "sftp", "127.0.0.1", port=port, user=made.user, folder="/nowhere",
                        host_key_file=made.host_key_file, private_key_file=made.private_key_file,
                    )  # fmt: skip
                target = Sftp(made, context())
                for call in (target.probe, lambda t=target: t.send(parcel)):
                    with pytest.raises(TargetDown, match=text):
                        await call()
                await target.close()
            good = Sftp(sshd.config(tmp_path, port, host_key_file=str(known)), context())
            assert (await good.send(parcel)).stored_sha256 == SHA
            await good.close()

    asyncio.run(go())


def test_a_server_that_goes_away_is_down_and_comes_back(tmp_path: Path, parcel: Parcel) -> None:
    async def go() -> None:
        async with sshd.serving(tmp_path) as port:
            target = Sftp(sshd.config(tmp_path, port), context())
            await target.probe()
            assert target._connection is not None
            target._connection.abort()
            with contextlib.suppress(TargetDown):  # it depends on who notices first
                await target.send(parcel)
            assert (await target.send(parcel)).stored_sha256 == SHA
            await target.close()
        with pytest.raises(TargetDown):
            await target.stored(parcel)
        await target.close()

    asyncio.run(go())


@pytest.mark.parametrize("more", [{}, {"private_key_file": "/a", "password_file": "/b"}])
def test_one_way_to_log_in(more: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="private_key_file or password_file"):
        Config("sftp", "archiv", user="x", folder="in", host_key_file="/k", **more)


def test_a_connection_whose_opening_was_given_up_is_closed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def work(target: Sftp) -> None:
        reached, real = asyncio.Event(), asyncssh.SSHClientConnection.start_sftp_client

        async def never(_: Any) -> None:
            reached.set()
            await asyncio.Event().wait()

        monkeypatch.setattr(asyncssh.SSHClientConnection, "start_sftp_client", never)
        asking = asyncio.create_task(target.probe())
        await reached.wait()
        half = target._connection
        assert half is not None
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        monkeypatch.setattr(asyncssh.SSHClientConnection, "start_sftp_client", real)
        assert await target.probe() == "the folder is there"
        assert half.is_closed()
        assert target._connection is not half

    with_server(tmp_path, work)


def test_a_try_sees_that_the_key_was_revoked_though_documents_still_go(tmp_path: Path) -> None:
    (tmp_path / "box").mkdir()

    async def go() -> None:
        async with sshd.serving(tmp_path) as port, Bench(tmp_path / "box", sshd.config(tmp_path, port)) as box:
            box.put("a.pdf", fake_pdf(1))
            await box.look()
            await box.queue.seal()
            await box.deliver()
            assert await box.queue.probe("sftp") == "the folder is there"
            (tmp_path / "authorized").write_bytes(b"")
            with pytest.raises(TargetDown, match="user, key or password refused"):
                await box.queue.probe("sftp")
            box.put("b.pdf", fake_pdf(2))  # over the connection that is open
            await box.look()
            await box.queue.seal()
            await box.deliver()
            assert await box.states() == ["verified", "verified"]

    asyncio.run(go())


def test_a_server_that_hangs_keeps_nobody_waiting_for_ever(tmp_path: Path, parcel: Parcel) -> None:
    reached, is_well = asyncio.Event(), False
    files: list[Any] = []  # which this server leaves open when its client has gone

    class Open(asyncssh.SSHServer):
        def begin_auth(self, _: str) -> bool:
            return False

    class Hanging(asyncssh.SFTPServer):
        def open(self, path: bytes, pflags: int, attrs: asyncssh.SFTPAttrs) -> object:
            files.append(super().open(path, pflags, attrs))
            return files[-1]

        async def read(self, file_obj: object, offset: int, size: int) -> bytes:
            if not is_well:
                reached.set()
                await asyncio.Event().wait()
            data = super().read(file_obj, offset, size)
            assert isinstance(data, bytes)
            return data

    async def go() -> None:
        nonlocal is_well
        sshd.prepare(tmp_path)
        server = await asyncssh.listen(
            "127.0.0.1", 0, server_factory=Open, server_host_keys=[str(tmp_path / "host")], sftp_factory=Hanging
        )
        target = Sftp(sshd.config(tmp_path, server.sockets[0].getsockname()[1]), context())
        try:
            sending = asyncio.create_task(target.send(parcel))
            await reached.wait()
            sending.cancel()  # as its time-out does
            done, _ = await asyncio.wait({sending}, timeout=20)
            assert done
            is_well = True
            with contextlib.suppress(TargetDown):  # the connection that was cut
                await target.stored(parcel)
            assert await target.send(parcel) == Receipt(SHA)
        finally:
            await target.close()
            server.close()
            await server.wait_closed()
            for file in files:
                file.close()

    asyncio.run(go())
