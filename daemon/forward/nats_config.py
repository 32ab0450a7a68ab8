"""What the forwarder `nats` is configured with, and what it reads from files at each connection."""

import asyncio
import re
from typing import Annotated, Final, Literal

import msgspec

from torhaus.daemon.forward.base import Unavailable
from torhaus.daemon.forward.flight import MAX_WINDOW
from torhaus.daemon.forward.payloads import Format
from torhaus.daemon.forward.template import STATUS_KEYS
from torhaus.daemon.nats.credentials import Credentials, CredentialsError, Nkey, parse_creds
from torhaus.daemon.nats.subject import check_subject
from torhaus.drivers.broker import Access, Endpoint, FilesUnusable, Scheme, Secrets, parse_url
from torhaus.drivers.secret import SecretError, read_secret

NATS: Final = Scheme("nats", "tls", 4222, 4222, "subject")
MAX_URLS: Final = 16
_STREAM: Final = re.compile(r"[^\s.*>/\\$]{1,255}")
StreamName = Annotated[
    str, msgspec.Meta(max_length=255, description="a stream's or consumer's name, without dots, spaces and wildcards")
]


class Config(Access, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[[forwarder]]` of type `nats`. Raises ValueError where the parts do not make sense together."""

    name: Annotated[str, msgspec.Meta(min_length=1)]
    type: Literal["nats"] = "nats"
    urls: Annotated[
        list[str], msgspec.Meta(min_length=1, max_length=MAX_URLS, description="at least one url such as tls://host")
    ]
    tls_first: bool = False
    token_file: str | None = None
    nkey_file: str | None = None
    creds_file: str | None = None
    inbox_prefix: str = "_INBOX"
    subject: str = "torhaus.{site}.{device}.{kind}"
    expected_stream: StreamName = ""
    format: Format = "json"
    headers: bool = True
    window: Annotated[int, msgspec.Meta(ge=1, le=MAX_WINDOW)] = MAX_WINDOW
    backlog_pack: Annotated[int, msgspec.Meta(ge=1, le=1000)] = 1
    backlog_subject: str = "torhaus.{site}.backlog"
    command_subject: str = ""
    command_stream: StreamName = ""
    command_consumer: str = "torhaus-{site}"
    max_batch: Annotated[int, msgspec.Meta(ge=1, le=10_000)] = 1024
    concurrency: Annotated[int, msgspec.Meta(ge=1, le=16)] = 2

    def __post_init__(self) -> None:
        for endpoint in self.endpoints():
            self.check(endpoint, "urls", NATS)
            if self.tls_first and not endpoint.encrypted:
                raise ValueError("tls_first: needs urls that begin with tls://")
        ways = {
            "password_file": self.username,
            "token_file": self.token_file,
            "nkey_file": self.nkey_file,
            "creds_file": self.creds_file,
        }
        given = [key for key, value in ways.items() if value is not None]
        if len(given) > 1:
            raise ValueError(f"{given[1]}: and {given[0]} are two ways to log in: choose one")
        if self.username is not None and self.password_file is None:
            raise ValueError("username: needs a password_file")
        self._check_subjects()
        for key in ("expected_stream", "command_stream"):
            if getattr(self, key) and not _STREAM.fullmatch(getattr(self, key)):
                raise ValueError(f"{key}: must be a stream's name, without dots, spaces and wildcards")
        if self.command_stream and self.command_subject:
            raise ValueError("command_stream: and command_subject are two ways for orders to come: choose one")

    def _check_subjects(self) -> None:
        key = "subject"
        try:
            check_subject(self.subject)
            for key in ("backlog_subject", "inbox_prefix", "command_consumer", "command_subject"):
                if key != "command_subject" or self.command_subject:
                    check_subject(getattr(self, key), () if key == "inbox_prefix" else STATUS_KEYS)
            if "." in self.command_consumer:
                key = "command_consumer"
                raise ValueError("a consumer's name has no dots")  # noqa: TRY301 - gets its key below
        except ValueError as error:
            raise ValueError(f"{key}: {error}") from None

    def endpoints(self) -> list[Endpoint]:
        """The addresses in `urls`. Raises ValueError."""
        try:
            return [parse_url(url, NATS) for url in self.urls]
        except ValueError as e:
            raise ValueError(f"urls: {e}") from None

    async def secrets(self, endpoint: Endpoint) -> tuple[Secrets, Credentials]:
        """What the files hold now. Raises Unavailable that names the key of the config, never a content."""
        try:
            found = await self.secrets_for(endpoint)
        except FilesUnusable as e:
            raise Unavailable(str(e)) from None
        return found, await asyncio.to_thread(self._credentials, found.password)

    def _credentials(self, password: bytes | None) -> Credentials:
        key = "token_file"
        try:
            if self.token_file is not None:
                return Credentials(token=read_secret(self.token_file))
            key = "nkey_file"
            if self.nkey_file is not None:
                return Credentials(nkey=Nkey(read_secret(self.nkey_file)))
            key = "creds_file"
            if self.creds_file is not None:
                return parse_creds(read_secret(self.creds_file))
        except (SecretError, CredentialsError) as error:
            raise Unavailable(f"{key} cannot be used: {error}") from None
        return Credentials(username=self.username, password=None if password is None else password.decode())
