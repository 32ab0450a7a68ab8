import hashlib
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.daemon.far_sides.s3 import S3Server
from tests.daemon.scans_fakes import FakeClock
from tests.daemon.target_scene import DATA, SHA, parcel, with_far_side
from torhaus.daemon.scans.states import Reason
from torhaus.daemon.scans.targets.base import NotNow, Refused, TargetDown
from torhaus.daemon.scans.targets.s3 import MAX_BYTES, S3, Config

KEY = "rathaus/3f2a91c0/7.pdf"


def test_the_object_has_our_id_for_a_key_and_says_where_it_comes_from(tmp_path: Path) -> None:
    server = S3Server()

    async def work(target: S3) -> None:
        assert (await target.send(parcel(tmp_path))).stored_sha256 is None  # an answer to a PUT is no proof
        assert server.objects == {f"post/{KEY}": DATA}
        sent = server.headers[f"post/{KEY}"]
        assert sent["Content-Length"] == str(len(DATA))
        assert sent["content-type"] == "application/pdf"
        assert sent["x-amz-meta-torhaus-evidence-head"] == "12:ab"
        assert server.names() == ["Bußgeld 1.pdf"]
        assert "x-amz-object-lock-mode" not in sent
        assert await target.stored(parcel(tmp_path)) == SHA
        assert server.asked[-1].startswith("HEAD")

    with_far_side(tmp_path, server, work, prefix="post/")


def test_retention(tmp_path: Path) -> None:
    server, clock = S3Server(), FakeClock()
    clock.wall_offset_ns = 1_795_000_000 * 10**9 - clock.boot_ns()

    async def work(target: S3) -> None:
        await target.send(parcel(tmp_path))
        sent = server.headers[KEY]
        assert sent["x-amz-object-lock-mode"] == "COMPLIANCE"
        assert sent["x-amz-object-lock-retain-until-date"] == "2026-11-28T11:06:40Z"

    with_far_side(tmp_path, server, work, clock, retention="compliance", retention_days=10)


@pytest.mark.parametrize(("tells", "read_back", "last"), [(False, "when_needed", "GET"), (True, "always", "GET")])
def test_without_a_stored_checksum_or_on_request_it_is_read_back(
    tmp_path: Path, tells: bool, read_back: str, last: str
) -> None:
    server = S3Server()
    server.tells_checksums = tells

    async def work(target: S3) -> None:
        await target.send(parcel(tmp_path))
        assert await target.stored(parcel(tmp_path)) == SHA
        assert server.asked[-1].startswith(last)
        server.objects[KEY] = DATA[:-1]
        assert await target.stored(parcel(tmp_path)) == hashlib.sha256(DATA[:-1]).hexdigest()
        del server.objects[KEY]
        assert await target.stored(parcel(tmp_path)) is None

    with_far_side(tmp_path, server, work, read_back=read_back)


def test_what_is_there_is_kept(tmp_path: Path) -> None:
    server = S3Server()

    async def work(target: S3) -> None:
        await target.send(parcel(tmp_path))
        assert (await target.send(parcel(tmp_path))).detail == "was there"
        server.objects[KEY] = b"other"
        with pytest.raises(Refused) as caught:
            await target.send(parcel(tmp_path))
        assert caught.value.reason is Reason.CONFLICT
        assert server.objects == {KEY: b"other"}

    with_far_side(tmp_path, server, work)


def test_a_wrong_secret_is_down_and_says_why(tmp_path: Path) -> None:
    server = S3Server()

    async def work(target: S3) -> None:
        (tmp_path / "s3.secret").write_text("wrong", encoding="ascii")
        with pytest.raises(TargetDown, match="SignatureDoesNotMatch: 403"):
            await target.send(parcel(tmp_path))
        with pytest.raises(TargetDown, match="403"):
            await target.probe()
        (tmp_path / "s3.secret").unlink()
        with pytest.raises(TargetDown, match=r"^secret_key_file: "):
            await target.stored(parcel(tmp_path))
        server.faults.clear()

    with_far_side(tmp_path, server, work)


def overwrite(path: Path) -> None:
    path.write_bytes(DATA[::-1])


def test_answers(tmp_path: Path) -> None:
    server = S3Server()

    async def work(target: S3) -> None:
        changed = parcel(tmp_path)
        overwrite(Path(str(changed.path)))
        with pytest.raises(TargetDown, match="SignatureDoesNotMatch"):
            await target.send(changed)
        server.faults.clear()
        server.script = ["500"]
        with pytest.raises(NotNow):
            await target.send(parcel(tmp_path))
        with pytest.raises(Refused, match="5 GiB"):
            await target.send(msgspec.structs.replace(parcel(tmp_path), size_bytes=MAX_BYTES + 1))
        assert await target.probe() == "bucket scans is there"

    with_far_side(tmp_path, server, work)


@pytest.mark.parametrize(
    ("more", "text"),
    [({"retention": "compliance"}, "retention needs"), ({"retention_days": 3}, "retention needs")],
)
def test_faults(more: dict[str, Any], text: str) -> None:
    with pytest.raises(ValueError, match=text):
        Config("s3", "https://s3.example", bucket="scans", access_key="A", secret_key_file="/k", **more)
