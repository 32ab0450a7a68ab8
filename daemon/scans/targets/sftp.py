"""Delivery by SFTP, to OpenSSH's server and others.

Written under a hidden name, forced to the server's disk (fsync@openssh.com, where it knows that), read back, then
renamed; proof is the read-back, and that the file is there with its size after the rename (`read_back = "always"`: its
bytes once more). The rename of SFTP version 3 does not replace a file that is there, posix-rename@openssh.com would:
so it is the plain one (draft-ietf-secsh-filexfer-02 §6.5; OpenSSH PROTOCOL §4.3).

The server's key is pinned: one that is not in `host_key_file` is not spoken to. Names are as in a folder target.
"""

import asyncio
import contextlib
import hashlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Annotated, Any, Final, Literal

import asyncssh
import msgspec

from torhaus.daemon.scans.names import safe_name
from torhaus.daemon.scans.states import Reason
from torhaus.daemon.scans.stations import AbsPath, Seconds
from torhaus.daemon.scans.targets.base import (
    Context,
    NotNow,
    Parcel,
    Proof,
    Receipt,
    Refused,
    TargetConfig,
    TargetDown,
)
from torhaus.daemon.scans.targets.writing import read_piece
from torhaus.drivers.secret import SecretError, read_secret

PIECE_BYTES: Final = 1 << 18
SLOWEST_BYTES_S: Final = 4096
"""A whole attempt may take as long as this rate needs, plus idle_s."""
MAX_KEYS_BYTES: Final = 1 << 16
_KEY_TYPES: Final = ("ssh-", "ecdsa-", "sk-")


class _Hosted(TargetConfig, frozen=True, forbid_unknown_fields=True):
    host: Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9.:_-]{1,253}\Z")]


class Config(_Hosted, frozen=True, forbid_unknown_fields=True, kw_only=True, tag_field="type", tag="sftp"):
    """A folder of an SFTP server, which is there already: torhaus makes none."""

    user: Annotated[str, msgspec.Meta(pattern=r"^[^\x00-\x1f]{1,256}\Z")]
    folder: Annotated[str, msgspec.Meta(pattern=r"^[^\x00-\x1f]{1,1024}\Z")]  # "/eingang", or from the user's home on
    host_key_file: AbsPath  # the server's public keys, as in known_hosts or in /etc/ssh/ssh_host_*_key.pub
    private_key_file: AbsPath | None = None  # without a passphrase
    password_file: AbsPath | None = None
    port: Annotated[int, msgspec.Meta(ge=1, le=65_535)] = 22
    read_back: Literal["when_needed", "always"] = "when_needed"
    connect_s: Seconds = 10.0
    idle_s: Seconds = 60.0

    def __post_init__(self) -> None:
        """Raises ValueError that names the key."""
        super().__post_init__()
        if (self.private_key_file is None) == (self.password_file is None):
            raise ValueError("private_key_file or password_file must be there, and not both")


def open_target(config: Config, context: Context) -> "Sftp":
    """The target; touches nothing until it is used."""
    return Sftp(config, context)


class Sftp:
    """One folder."""

    proves = Proof.VERIFIED

    def __init__(self, config: Config, context: Context) -> None:
        self._config = config
        self._throttle = context.throttle
        self._folder = config.folder.rstrip("/")
        self._connecting = asyncio.Lock()
        self._connection: asyncssh.SSHClientConnection | None = None
        self._client: asyncssh.SFTPClient | None = None

    async def send(self, parcel: Parcel) -> Receipt:
        """Write, read back, rename. The receipt has the hash of what was read back under the hidden name."""
        async with self._session(parcel.size_bytes) as client:
            for path in self._paths(parcel):
                there = await self._hash(client, path, parcel)
                if there == parcel.sha256:  # a run that crashed after the rename
                    return Receipt(there, "was there")
                if there is None:
                    return await self._write(client, parcel, path)
        raise Refused("name taken by other content", Reason.CONFLICT)

    async def _write(self, client: asyncssh.SFTPClient, parcel: Parcel, path: str) -> Receipt:
        draft = f"{self._folder}/.torhaus-{parcel.store}-{parcel.seq}.part"
        await self._put(client, parcel, draft)
        if await self._hash(client, draft, parcel) != parcel.sha256:
            raise NotNow("written bytes read back differently", Reason.MISMATCH)
        try:
            await client.rename(draft, path)
        except asyncssh.SFTPFailure:
            if await client.exists(path):
                raise NotNow("name was taken meanwhile", Reason.CONFLICT) from None
            raise
        is_seen = self._config.read_back != "always" and (await client.stat(path)).size == parcel.size_bytes
        return Receipt(parcel.sha256 if is_seen else None)

    async def _put(self, client: asyncssh.SFTPClient, parcel: Parcel, draft: str) -> None:
        at = 0
        async with self._file(client, draft, "wb") as file:
            while piece := await asyncio.to_thread(read_piece, parcel.path, at, self._throttle.piece(PIECE_BYTES)):
                await self._throttle.take(len(piece))
                await file.write(piece)
                at += len(piece)
            with contextlib.suppress(asyncssh.SFTPOpUnsupported):
                await file.fsync()

    async def _hash(self, client: asyncssh.SFTPClient, path: str, parcel: Parcel) -> str | None:
        """Of a file there; None when there is none. More than the document's size is not read to its end."""
        digest, size = hashlib.sha256(), 0
        piece: Any = True  # the library's types say text, whatever the mode
        try:
            async with self._file(client, path, "rb") as file:
                while piece and size <= parcel.size_bytes:
                    piece = await file.read(PIECE_BYTES)
                    digest.update(piece)
                    size += len(piece)
        except (asyncssh.SFTPNoSuchFile, asyncssh.SFTPNoSuchPath):
            return None
        return digest.hexdigest()

    @contextlib.asynccontextmanager
    async def _file(self, client: asyncssh.SFTPClient, path: str, mode: str) -> AsyncIterator[Any]:
        """An open file there. Whose time is over does not wait for the answer to a close, which may never come."""
        file = await client.open(path, mode)
        try:
            yield file
        except asyncio.CancelledError:
            if self._connection is not None:
                self._connection.abort()
            raise
        except BaseException:
            await file.close()
            raise
        await file.close()

    def _paths(self, parcel: Parcel) -> list[str]:
        name = safe_name(parcel.name)
        return [f"{self._folder}/{parcel.seq}-{name}", f"{self._folder}/{parcel.seq}-{parcel.store}-{name}"]

    async def stored(self, parcel: Parcel) -> str | None:
        """Hash of the file that lies there under this scan's name. A name with other content does not count as ours."""
        async with self._session(parcel.size_bytes) as client:
            found = [await self._hash(client, path, parcel) for path in self._paths(parcel)]
        return parcel.sha256 if parcel.sha256 in found else None

    async def probe(self) -> str:
        """The folder is there."""
        async with self._session(0) as client:
            if not await client.isdir(self._folder or "/"):
                raise TargetDown("there is no such folder")
        return "the folder is there"

    @contextlib.asynccontextmanager
    async def _session(self, size_bytes: int) -> AsyncIterator[asyncssh.SFTPClient]:
        """An open session. All trouble is the server's: TargetDown, and a new connection next time."""
        allowed_s = self._config.connect_s + self._config.idle_s + 3 * size_bytes / SLOWEST_BYTES_S
        allowed_s += self._throttle.seconds(size_bytes) * self._config.concurrency
        try:
            async with asyncio.timeout(allowed_s):
                yield await self._connected()
        except asyncssh.SFTPNoSuchFile as error:
            raise TargetDown("there is no such folder") from error
        except asyncssh.SFTPPermissionDenied as error:
            raise TargetDown("may not write there") from error
        except asyncssh.HostKeyNotVerifiable as error:
            raise TargetDown(
                "the server's key is not in host_key_file: it was changed, or somebody else answers"
            ) from error
        except asyncssh.PermissionDenied as error:
            raise TargetDown("user, key or password refused") from error
        except (asyncssh.Error, OSError, TimeoutError) as error:
            await self.close()
            raise TargetDown(type(error).__name__) from error

    async def _connected(self) -> asyncssh.SFTPClient:
        async with self._connecting:
            if self._connection is not None and (self._client is None or self._connection.is_closed()):
                await self.close()  # it was cut, or who opened it was cancelled on the way
            if self._client is None:
                options = await asyncio.to_thread(self._options)
                self._connection = await asyncssh.connect(self._config.host, self._config.port, **options)
                self._client = await self._connection.start_sftp_client()
            return self._client

    def _options(self) -> dict[str, Any]:
        """Keys and passwords are read anew for each connection. Nothing of the user's own ~/.ssh counts."""
        config = self._config
        options: dict[str, Any] = {
            "username": config.user,
            "known_hosts": (_host_keys(Path(config.host_key_file)), [], []),
            "client_keys": None,
            "config": None,
            "agent_path": None,
            "connect_timeout": config.connect_s,
            "login_timeout": config.connect_s,
            "keepalive_interval": 15,
        }
        try:
            if config.password_file is not None:
                return options | {"password": read_secret(config.password_file)}
            key = asyncssh.import_private_key(f"{read_secret(config.private_key_file or '')}\n")
            return options | {"client_keys": [key], "preferred_auth": "publickey"}
        except SecretError as error:
            raise TargetDown(f"password_file or private_key_file: {error}") from error
        except asyncssh.KeyImportError as error:
            raise TargetDown("private_key_file: no private key, or one with a passphrase") from error

    async def close(self) -> None:
        """Let go of the connection."""
        connection, self._connection, self._client = self._connection, None, None
        if connection is not None:
            connection.abort()
            with contextlib.suppress(asyncssh.Error, OSError):
                await connection.wait_closed()


def _host_keys(path: Path) -> list[asyncssh.SSHKey]:
    """The public keys in a file, whether its lines begin with host names or not."""
    try:
        with path.open(encoding="utf-8", errors="replace") as file:
            text = file.read(MAX_KEYS_BYTES)
        lines = [line.split() for line in text.splitlines() if line.strip() and not line.startswith(("#", "@"))]
        found = [next((i for i, word in enumerate(words) if word.startswith(_KEY_TYPES)), 0) for words in lines]
        keys = [asyncssh.import_public_key(" ".join(words[i : i + 2])) for words, i in zip(lines, found, strict=True)]
    except OSError as error:
        raise TargetDown(f"host_key_file: {error.strerror}") from error
    except (asyncssh.KeyImportError, ValueError) as error:
        raise TargetDown("host_key_file: a line is no public key") from error
    if not keys:
        raise TargetDown("host_key_file: no key in it")
    return keys
