"""CUPS: what a gateway is to have lies in a folder of its name, in files named as the station names them.

    EUI/ or default/    cups.uri  cups.trust  cups.crt  cups.key      where it asks for updates, and how it gets in
                        tc.uri    tc.trust    tc.crt    tc.key        where its network server is, and how it gets in
                        version.txt  update.bin  update.sig           firmware, which must be signed

A gateway's own file goes before that in `default`. What a gateway has already is not sent.
"""

import asyncio
import re
from collections.abc import Awaitable, Callable
from contextlib import ExitStack
from hashlib import sha512
from pathlib import Path
from typing import BinaryIO, Final

import msgspec
from aiohttp import web

from torhaus.codecs.framing.basics_station import cups
from torhaus.codecs.framing.basics_station.cups import FirmwareKey, Update, UpdateInfo
from torhaus.codecs.model import DecodeError
from torhaus.drivers.base import Event, GatewayRefused
from torhaus.drivers.basics_station import Config

MAX_QUESTION_BYTES: Final = cups.MAX_BYTES
MAX_FILE_BYTES: Final = 32 << 10
"""Of a certificate, key, URI or version."""
MAX_FIRMWARE_BYTES: Final = 256 << 20
CHUNK_BYTES: Final = 64 << 10
AT_ONCE: Final = 2
"""Answers that are made at the same time: each may read a whole firmware."""
ANSWER_S: Final = 900.0
"""For everything, also the turn and a firmware over a slow line: a station asks again."""
DEFAULT: Final = "default"
_VERSION: Final = re.compile(r"[\x21-\x7e](?:[\x20-\x7e]{0,126}[\x21-\x7e])?")

Refusal = Callable[[web.Request, str], Awaitable[str | None]]


class Found(msgspec.Struct, gc=False):
    """What a gateway is to get. `firmware` is open at its start; `problems` are what a technician has to mend."""

    update: Update
    firmware: BinaryIO | None = None
    problems: list[str] = []


class Updates:
    """Answers to /update-info."""

    def __init__(self, config: Config) -> None:
        self._folder = Path(config.updates_dir)
        self._signer = Path(config.firmware_signer_file) if config.firmware_signer_file else None
        self._turn = asyncio.Semaphore(AT_ONCE)

    async def answer(
        self, request: web.Request, body: bytes, refusal: Refusal, event: Callable[[Event], None], peer: str
    ) -> web.StreamResponse:
        """The answer to one question; 400 and 403 in words."""
        try:
            asked = cups.parse_update_info(body)
            eui = asked.eui
        except DecodeError as e:
            event(GatewayRefused(peer, f"update-info: {e.detail}"))
            raise web.HTTPBadRequest(text=f"{e.detail}\n") from None
        why = await refusal(request, eui)
        if why is not None:
            raise web.HTTPForbidden(text=f"{why}\n")
        async with asyncio.timeout(ANSWER_S), self._turn:
            found = await asyncio.to_thread(self.find, eui, asked)
            for problem in found.problems:
                event(GatewayRefused(peer, f"updates: {problem}", eui))
            with ExitStack() as stack:
                if found.firmware is not None:
                    stack.enter_context(found.firmware)
                return await _send(request, cups.head(found.update), found)

    def find(self, eui: str, asked: UpdateInfo) -> Found:
        """What this gateway is to get, without what it has. Reads files: not for the event loop."""
        files = _Files(self._folder, eui)
        found = Found(Update())
        update: dict[str, object] = {}
        for kind, has_uri, has_crc in (
            ("cups", asked.cups_uri, asked.cups_cred_crc),
            ("tc", asked.tc_uri, asked.tc_cred_crc),
        ):
            try:
                uri = files.text(f"{kind}.uri")
                if uri != (has_uri or ""):
                    update[f"{kind}_uri"] = uri
                parts = [files.read(f"{kind}.{ending}") for ending in ("trust", "crt", "key")]
                if any(parts) and has_crc not in cups.crcs(*parts):
                    update[f"{kind}_credentials"] = cups.credentials(*parts)
                cups.head(Update(**update))  # type: ignore[arg-type]
            except (OSError, DecodeError) as e:
                update = {name: v for name, v in update.items() if not name.startswith(kind)}
                found.problems.append(f"{kind}: {_words(e)}")
        try:
            update |= self._firmware(files, asked, found)
        except (OSError, DecodeError) as e:
            found.problems.append(f"firmware is not offered: {_words(e)}")
        found.update = Update(**update)  # type: ignore[arg-type]
        return found

    def _firmware(self, files: "_Files", asked: UpdateInfo, found: Found) -> dict[str, object]:
        """Firmware only with a signature that this machine has checked, and that the station can check."""
        wanted = files.text("version.txt")
        if not wanted or wanted == (asked.package or "").strip():
            return {}
        path = files.path("update.bin")
        if path is None:
            return {}
        if _VERSION.fullmatch(wanted) is None:
            found.problems.append("firmware is not offered: version.txt must have one line")
            return {}
        if self._signer is None:
            found.problems.append("firmware is not offered: firmware_signer_file is not set")
            return {}
        key = FirmwareKey(_read(self._signer))
        if key.crc not in asked.keys:
            found.problems.append(
                f"firmware is not offered: the station has no key {key.crc:08X} to check it (sig-0.key)"
            )
            return {}
        signature = files.read("update.sig")
        file = path.open("rb")
        with ExitStack() as stack:
            stack.enter_context(file)
            size, digest = _hash(file)
            if not key.is_signed(digest, signature):
                found.problems.append("firmware is not offered: update.sig is no signature of update.bin by this key")
                return {}
            file.seek(0)
            stack.pop_all()  # it stays open: what was checked is what is sent
        found.firmware = file
        return {"key_crc": key.crc, "signature": signature, "firmware_bytes": size}


class _Files:
    """A gateway's files: its own, or the default's."""

    def __init__(self, folder: Path, eui: str) -> None:
        self._folders = (folder / eui, folder / DEFAULT)

    def path(self, name: str) -> Path | None:
        return next((f / name for f in self._folders if (f / name).is_file()), None)

    def read(self, name: str) -> bytes:
        path = self.path(name)
        return b"" if path is None else _read(path)

    def text(self, name: str) -> str:
        try:
            return self.read(name).decode("ascii").strip()
        except UnicodeDecodeError:
            raise OSError(0, f"{name} is not plain text") from None


def _read(path: Path) -> bytes:
    with path.open("rb") as file:
        data = file.read(MAX_FILE_BYTES + 1)
    if len(data) > MAX_FILE_BYTES:
        raise OSError(0, f"{path.name} is longer than {MAX_FILE_BYTES} bytes")
    return data


def _hash(file: BinaryIO) -> tuple[int, bytes]:
    size, digest = 0, sha512()
    while chunk := file.read(CHUNK_BYTES):
        size += len(chunk)
        if size > MAX_FIRMWARE_BYTES:
            raise OSError(0, f"update.bin is longer than {MAX_FIRMWARE_BYTES >> 20} MiB")
        digest.update(chunk)
    return size, digest.digest()


def _words(error: OSError | DecodeError) -> str:
    if isinstance(error, DecodeError):
        return error.detail
    name = f"{Path(error.filename).name}: " if error.filename else ""
    return f"{name}{error.strerror}"


async def _send(request: web.Request, head: bytes, found: Found) -> web.StreamResponse:
    """Header and first parts leave together: a station looks for both URIs in what it reads first."""
    total = len(head) + found.update.firmware_bytes
    if found.firmware is None:
        return web.Response(body=head, content_type="application/octet-stream")
    response = web.StreamResponse(headers={"Content-Type": "application/octet-stream"})
    response.content_length = total
    await response.prepare(request)
    await response.write(head)
    left = found.update.firmware_bytes
    while left:
        chunk = await asyncio.to_thread(found.firmware.read, min(CHUNK_BYTES, left))
        if not chunk:  # somebody has cut the file: the station notices the length
            if request.transport is not None:
                request.transport.abort()
            break
        left -= len(chunk)
        await response.write(chunk)
    return response
