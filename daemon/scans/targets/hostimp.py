"""Delivery into an import folder of d.3 (hostimp): the document, then a .JPL of the same name with its properties.

d.3 takes both away when the .JPL is there, so that is written last and by renaming. Nothing comes back: what became of
them only d.3's own log knows. So this proves "transferred" and no more, and no paper may be destroyed for it; where
that is needed, use `dvelop`.

If the process dies about the rename, the draft of the .JPL says what happened: while it lies there, nothing was handed
over; when it is gone, both are with d.3.

Source: d.velop, d.3 import gateway, "Hostimport": JPL lines `dokuart="…"`, `dok_dat_feld[n]="…"`.
"""

import asyncio
import contextlib
import os
from pathlib import Path
from typing import Annotated, Final, Literal

import msgspec

from torhaus.daemon.scans.disk import FULL, errno_name, hash_file
from torhaus.daemon.scans.names import extension_of
from torhaus.daemon.scans.states import Reason
from torhaus.daemon.scans.targets.base import Context, NotNow, Parcel, Proof, Receipt, Refused, TargetDown
from torhaus.daemon.scans.targets.fill import fill, placeholder_fault
from torhaus.daemon.scans.targets.folder import FolderConfig
from torhaus.daemon.scans.targets.writing import copy

READY: Final = "ready"
Field = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z][A-Za-z0-9_]{0,63}(\[[0-9]{1,3}\])?\Z")]


class Config(FolderConfig, frozen=True, forbid_unknown_fields=True, kw_only=True, tag_field="type", tag="hostimp"):
    """A folder that d.3 imports from, on a mounted share as a rule."""

    document_type: Annotated[str, msgspec.Meta(pattern=r'^[^"\x00-\x1f]{1,32}\Z')]  # d.3's short name: dokuart
    fields: dict[Field, str] = msgspec.field(default_factory=dict)  # "dok_dat_feld[1]" to text, with {id} {name} …
    encoding: Literal["cp1252", "utf-8"] = "cp1252"  # of the .JPL

    def __post_init__(self) -> None:
        """Raises ValueError that names the key."""
        super().__post_init__()
        for text in self.fields.values():
            fault = placeholder_fault(text)
            if fault is not None:
                raise ValueError(f"fields {fault}")


def open_target(config: Config, context: Context) -> "Hostimp":
    """The target; touches nothing until it is used."""
    return Hostimp(config, context)


class Hostimp:
    """One import folder."""

    proves = Proof.TRANSFERRED

    def __init__(self, config: Config, context: Context) -> None:
        self._config = config
        self._folder = Path(config.path)
        self._mode = int(config.file_mode, 8)
        self._disk = context.disk
        self._throttle = context.throttle

    async def send(self, parcel: Parcel) -> Receipt:
        """Write both, the .JPL last."""
        try:
            if parcel.progress.text != READY or await asyncio.to_thread(self._is_waiting, parcel):
                await self._throttle.take(parcel.size_bytes)
                await asyncio.to_thread(self._write, parcel)
                await parcel.progress.save(READY)
                await asyncio.to_thread(self._hand_over, parcel)
        except OSError as error:
            raise TargetDown("disk_full" if error.errno in FULL else errno_name(error)) from error
        return Receipt(None, "handed over")

    def _names(self, parcel: Parcel) -> tuple[Path, Path, Path]:
        """The document, the draft of its .JPL, the .JPL."""
        stem = f"{parcel.store}-{parcel.seq}"
        document = self._folder / f"{stem}{extension_of(parcel.media_type)}"
        return document, self._folder / f".{stem}.jpl.part", self._folder / f"{stem}.JPL"

    def _check(self) -> None:
        if not self._folder.is_dir() or (self._config.mounted and not self._folder.is_mount()):
            raise TargetDown("folder not there or not mounted")

    def _is_waiting(self, parcel: Parcel) -> bool:
        """Whether the draft of the .JPL is there still."""
        self._check()
        return self._names(parcel)[1].exists()

    def _write(self, parcel: Parcel) -> None:
        """The document and the draft of its .JPL, both forced to disk, the document read back."""
        self._check()
        document, draft, jpl = self._names(parcel)
        if jpl.exists():
            raise Refused("a .JPL of this name is there, and was not handed over by us", Reason.CONFLICT)
        text = self._jpl(parcel).encode(self._config.encoding, errors="replace")
        for path in (document, draft):
            with contextlib.suppress(FileNotFoundError):
                self._disk.unlink(path)  # a crashed run's
        fd = self._disk.create(document, self._mode)
        try:
            os.fchmod(fd, self._mode)
            copy(self._disk, parcel.path, fd)
            self._disk.fsync(fd)
        finally:
            os.close(fd)
        if hash_file(self._disk, document) != parcel.sha256:
            raise NotNow("written bytes read back differently", Reason.MISMATCH)
        fd = self._disk.create(draft, self._mode)
        try:
            os.fchmod(fd, self._mode)
            self._disk.write(fd, text)
            self._disk.fsync(fd)
        finally:
            os.close(fd)
        self._disk.fsync_dir(self._folder)

    def _hand_over(self, parcel: Parcel) -> None:
        _, draft, jpl = self._names(parcel)
        try:
            self._disk.rename_new(draft, jpl)
        except FileExistsError:
            raise Refused("a .JPL of this name is there, and was not handed over by us", Reason.CONFLICT) from None
        self._disk.fsync_dir(self._folder)

    def _jpl(self, parcel: Parcel) -> str:
        """Its lines end as Windows wants it. A quotation mark would end a value: it becomes an apostrophe."""
        values = {"dokuart": self._config.document_type}
        values |= {field: fill(text, parcel) for field, text in self._config.fields.items()}
        return "".join(f'{field}="{_plain(value)}"\r\n' for field, value in values.items())

    async def stored(self, parcel: Parcel) -> str | None:  # noqa: ARG002 - nobody can say
        """Nobody can say."""
        return None

    async def probe(self) -> str:
        """The folder is there and can be written."""
        return await asyncio.to_thread(self._try)

    def _try(self) -> str:
        self._check()
        path = self._folder / f".torhaus-{os.urandom(4).hex()}.part"
        try:
            os.close(self._disk.create(path, self._mode))
            self._disk.unlink(path)
        except OSError as error:
            raise TargetDown(errno_name(error)) from error
        return "can be written; what d.3 makes of it only its own log says"

    async def close(self) -> None:
        """Nothing is kept open."""


def _plain(text: str) -> str:
    return "".join("'" if c == '"' else c if c.isprintable() else " " for c in text)
