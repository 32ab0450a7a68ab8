"""Delivery to a WebDAV folder: Nextcloud, ownCloud, Apache, SharePoint's and others'.

PUT under a hidden name, read back, then MOVE without overwriting to the name that people see: so nobody ever sees half
a document, or one with other bytes. `OC-Checksum` is for servers that compare it (Nextcloud, ownCloud); proof is the
read-back, and that the file is there with its size after the MOVE (`read_back = "always"`: its bytes once more).
Source: RFC 4918 §9.7 (PUT), §9.9 (MOVE, 412 for Overwrite: F).

The name is `<seq>-<safe original name>`, or with the store's id between them when that name is taken by something
else: the same scan always gets the same name, and no file is ever overwritten.
"""

import asyncio
import base64
import hashlib
from typing import Annotated, Final
from urllib.parse import quote

import msgspec

from torhaus.daemon.scans.names import safe_name
from torhaus.daemon.scans.states import Reason
from torhaus.daemon.scans.stations import AbsPath
from torhaus.daemon.scans.targets.answers import MISSING, Answer, answer_to, refusal
from torhaus.daemon.scans.targets.base import Context, NotNow, Parcel, Proof, Receipt, Refused, TargetDown
from torhaus.daemon.scans.targets.web import Web, WebConfig, after_s, token

_MULTI_STATUS: Final = 207


class Config(WebConfig, frozen=True, forbid_unknown_fields=True, kw_only=True, tag_field="type", tag="webdav"):
    """A folder that is there already: torhaus makes none. `url` is the folder's."""

    user: Annotated[str, msgspec.Meta(pattern=r"^[^:\x00-\x1f]{1,256}\Z")] | None = None
    password_file: AbsPath | None = None  # with Nextcloud an app password

    def __post_init__(self) -> None:
        """Raises ValueError that names the key."""
        super().__post_init__()
        if (self.user is None) != (self.password_file is None):
            raise ValueError("user needs password_file, and the other way round")


def open_target(config: Config, context: Context) -> "Webdav":
    """The target; touches nothing until it is used."""
    return Webdav(config, context)


class Webdav:
    """One folder."""

    proves = Proof.VERIFIED

    def __init__(self, config: Config, context: Context) -> None:
        self._config = config
        self._folder = config.url.rstrip("/")
        self._web = Web(config, context, self._credentials)

    def _credentials(self) -> dict[str, str]:
        password = token(self._config.password_file, "password_file")
        if password is None:
            return {}
        pair = base64.b64encode(f"{self._config.user}:{password}".encode()).decode()
        return {"Authorization": f"Basic {pair}"}

    def _urls(self, parcel: Parcel) -> list[str]:
        name = safe_name(parcel.name)
        names = [f"{parcel.seq}-{name}", f"{parcel.seq}-{parcel.store}-{name}"]
        return [f"{self._folder}/{quote(each, safe='')}" for each in names]

    async def send(self, parcel: Parcel) -> Receipt:
        """Write, read back, rename. The receipt has the hash of what was read back under the hidden name."""
        for url in self._urls(parcel):
            there = await self._web.digest(url, parcel.size_bytes)
            if there == parcel.sha256:  # a run that crashed, or whose answer got lost, after the MOVE
                return Receipt(None, "was there")
            if there is None:
                return await self._write(parcel, url)
        raise Refused("name taken by other content", Reason.CONFLICT)

    async def _write(self, parcel: Parcel, url: str) -> Receipt:
        draft = f"{self._folder}/.torhaus-{parcel.store}-{parcel.seq}.part"
        sha1 = await asyncio.to_thread(_sha1, parcel)
        headers = {"Content-Type": parcel.media_type, "OC-Checksum": f"SHA1:{sha1}"}
        body = self._web.file(parcel.path, parcel.size_bytes)
        async with self._web.ask("PUT", draft, headers, body, parcel.size_bytes) as reply:
            if not 200 <= reply.status < 300:
                raise refusal(reply.status, after_s(reply), where="writing")
        if await self._web.digest(draft, parcel.size_bytes) != parcel.sha256:
            raise NotNow("written bytes read back differently", Reason.MISMATCH)
        async with self._web.ask("MOVE", draft, {"Destination": url, "Overwrite": "F"}) as reply:
            status = reply.status
            if answer_to(status) is Answer.EXISTS:
                raise NotNow("name was taken meanwhile", Reason.CONFLICT)
            if not 200 <= status < 300 or status == _MULTI_STATUS:
                raise refusal(status, after_s(reply), reading=True, where="renaming")
        is_seen = self._config.read_back != "always" and await self._is_seen(parcel, url)
        return Receipt(parcel.sha256 if is_seen else None, str(status))

    async def _is_seen(self, parcel: Parcel, url: str) -> bool:
        """Whether a file of our size lies there: renaming does not touch its bytes."""
        async with self._web.ask("HEAD", url) as reply:
            return reply.status == 200 and reply.headers.get("Content-Length", "") == str(parcel.size_bytes)

    async def stored(self, parcel: Parcel) -> str | None:
        """Hash of the file that lies there under this scan's name. A name with other content does not count as ours."""
        found = [await self._web.digest(url, parcel.size_bytes) for url in self._urls(parcel)]
        return parcel.sha256 if parcel.sha256 in found else None

    async def probe(self) -> str:
        """PROPFIND of the folder alone."""
        async with self._web.ask("PROPFIND", f"{self._folder}/", {"Depth": "0"}) as reply:
            if reply.status in MISSING:
                raise TargetDown("there is no such folder")
            if reply.status == 405:
                raise TargetDown("405: there is no WebDAV at this URL")
            if reply.status != _MULTI_STATUS:
                raise refusal(reply.status, after_s(reply), reading=True)
        return "the folder is there"

    async def close(self) -> None:
        """Let go of connections."""
        await self._web.close()


def _sha1(parcel: Parcel) -> str:
    """What all servers with OC-Checksum know."""
    with parcel.path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.sha1(usedforsecurity=False)).hexdigest()
