"""A central side with a station of type `site`, and documents of the site."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Self

import msgspec

from tests.daemon.scans_fakes import fake_pdf
from tests.daemon.upload_fakes import Answer, UploadBench, b64, sha, with_bench
from torhaus.daemon.scans.digests import digest_field
from torhaus.daemon.scans.targets.base import Parcel
from torhaus.daemon.scans.uploads.config import SiteStation

DOC = fake_pdf("eins")
ID = "rathaus/3f2a91c0/7"
NAME = "Bußgeld.pdf"


def head(seq: int, of: str = "") -> str:
    return f"{seq}:{sha(f'{seq}{of}'.encode())}"


class SiteBench(UploadBench):
    """Token and station are those of the site `rathaus`."""

    def __init__(self, root: Path, **more: Any) -> None:
        super().__init__(root, **more)
        site = SiteStation("rathaus", target="archive")
        self.config = msgspec.structs.replace(self.config, station=(*self.config.station, site))
        self.queue = self.new_queue()

    async def __aenter__(self) -> Self:
        await super().__aenter__()
        _, self.text = await self.queue.reception.add_token("rathaus")
        return self

    async def put(self, data: bytes, id_: str = ID, at: str = head(12), **more: str) -> Answer:  # type: ignore[override]
        fields = {
            "Repr_Digest": digest_field(sha(data)),
            "Torhaus_Station": "poststelle",
            "Torhaus_Evidence_Head": at,
            "Content_Disposition": "attachment; filename*=UTF-8''Bu%C3%9Fgeld.pdf",
        }
        return await self.ask("PUT", f"/sites/rathaus/{id_}", data, **{**fields, **more})

    def metadata(self, data: bytes, id_: str = ID, at: str = head(12)) -> str:
        said = {
            "filename": NAME, "sha256": sha(data), "torhaus-id": id_, "torhaus-station": "poststelle",
            "torhaus-evidence-head": at,
        }  # fmt: skip
        return ",".join(f"{key} {b64(value.encode())}" for key, value in said.items())

    def parcel(self, data: bytes) -> Parcel:
        blob = self.root / "blob"
        blob.write_bytes(data)
        return Parcel(ID, 7, "3f2a91c0", "poststelle", NAME, blob, sha(data), len(data), "application/pdf", head(12))

    async def events_of(self, scan_id: str) -> list[str]:
        _, entries = await self.queue.show(scan_id)
        return [entry.event for entry in entries]


def with_site(root: Path, work: Callable[[SiteBench], Awaitable[None]]) -> None:
    with_bench(SiteBench(root), work)
